//! A course on its pages: a plan in versions, advice, checks, the visits in the calendar.

use crate::support::{Answer, Browser, Clinic, PIN};
use axum::http::StatusCode;

const COURSE: &str = "/patients/p-1/course";
const BOOKING: &str = "/patients/p-1/booking";
const SIGNED: [(&str, &str); 2] = [("user", "prescriber"), ("pin", PIN)];
const PLAN: [(&str, &str); 8] = [
    ("regimen", "mdd_trd_std"),
    ("conditions", "F33.2"),
    ("infusions", "6"),
    ("a_week", "2"),
    ("dose", "0.5 mg/kg"),
    ("minutes", "40"),
    ("stop_rules", "no response after the fourth"),
    ("titration", "by the rule"),
];

async fn registered(clinic: &Clinic) -> Browser {
    let person = [
        ("family", "Rivera"),
        ("given", "Ana"),
        ("born", "1984-03-12"),
        ("mrn", "004217"),
        ("sex", "f"),
        ("allergies", "none"),
    ];
    let answer = clinic.signed_in("front.desk").post_again("/patients", "p-1", &person).await;
    assert_eq!(answer.goes_to(), "/patients/p-1", "{}", answer.body);
    clinic.signed_in("prescriber")
}

/// The plan with some fields said otherwise, signed.
fn plan<'a>(read: &'a str, other: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let kept = PLAN.into_iter().filter(|(name, _)| other.iter().all(|(changed, _)| changed != name));
    kept.chain(other.iter().copied()).chain([("read", read)]).chain(SIGNED).collect()
}

fn refused(answer: &Answer, words: &str) {
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", answer.body);
    assert!(answer.body.contains(words), "{words}: {}", answer.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prescriber_signs_a_plan_and_two_who_change_it_see_both_edits() {
    let clinic = Clinic::open();
    let by = registered(&clinic).await;
    assert!(by.get("/patients/p-1").await.body.contains(COURSE));
    let page = by.get(&format!("{COURSE}?regimen=mdd_trd_std")).await.body;
    assert!(page.contains("value=\"0.5 mg/kg\"") && page.contains("not opened"), "{page}");
    refused(
        &by.post(COURSE, &plan("0", &[("stop_rules", "")])).await,
        "When the course ends early is missing.",
    );
    refused(&by.post(COURSE, &plan("0", &[("dose", "0.5")])).await, "0.5");
    refused(&by.post(COURSE, &plan("0", &[("dose", "9 mg/kg")])).await, "limit");
    let mut unsigned = plan("0", &[]);
    unsigned.retain(|(name, _)| *name != "pin");
    refused(&by.post(COURSE, &unsigned).await, "PIN");
    let nurse_signs: Vec<_> = plan("0", &[])
        .into_iter()
        .map(|(name, value)| (name, if name == "user" { "nurse" } else { value }))
        .collect();
    assert_eq!(by.post(COURSE, &nurse_signs).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(clinic.log("course/p-1-1").is_empty(), "nothing half-written");

    for _ in 0..2 {
        let signed = by.post_again(COURSE, "open", &plan("0", &[])).await;
        assert_eq!(signed.goes_to(), COURSE, "{}", signed.body);
    }
    assert_eq!(clinic.kinds("course/p-1-1"), ["course_opened"]);
    let more = plan("1", &[("infusions", "4"), ("reason", "works well")]);
    assert_eq!(by.post(COURSE, &more).await.status, StatusCode::SEE_OTHER);
    let late = by.post(COURSE, &plan("1", &[("minutes", "60"), ("reason", "was queasy")])).await;
    assert_eq!(late.status, StatusCode::CONFLICT);
    for words in ["infusions: 6 → 4", "minutes: 40 → 60", "value=\"60\"", "name=\"read\" value=\"2\""] {
        assert!(late.body.contains(words), "{words}: {}", late.body);
    }
    assert_eq!(clinic.kinds("course/p-1-1"), ["course_opened", "plan_changed"]);
    let page = by.get(COURSE).await.body;
    assert!(page.contains("Version 2: what changed") && page.contains("works well"), "{page}");
    let again = clinic.signed_in("prescriber").post(COURSE, &plan("0", &[])).await;
    assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY, "one course at a time");
}

#[tokio::test(flavor = "multi_thread")]
async fn advice_shows_its_rule_and_is_taken_or_declined_with_a_reason() {
    let clinic = Clinic::open();
    let by = registered(&clinic).await;
    assert_eq!(by.post(COURSE, &plan("0", &[])).await.status, StatusCode::SEE_OTHER);
    let page = by.get(COURSE).await.body;
    assert!(page.contains("No advice before this is known"), "{page}");
    let asked = "frail=yes&pressure_amber=no&anxious=no";
    let page = by.get(&format!("{COURSE}?{asked}")).await.body;
    let title = page.split("<strong>").find(|part| part.starts_with("Start at ")).expect("a first dose");
    let seen = title.split('<').next().expect("a title").to_owned();
    assert!(page.contains("frailty"), "{page}");
    let answers = [("frail", "yes"), ("pressure_amber", "no"), ("anxious", "no")];
    let decline = |reason: &'static str, seen: String| {
        let (by, answers) = (by.clone(), answers);
        async move {
            let mut fields = vec![("do", "decline"), ("reason", reason), ("seen", seen.as_str())];
            fields.extend(answers);
            fields.extend(SIGNED);
            by.post(&format!("{COURSE}/advice"), &fields).await
        }
    };
    refused(&decline("", seen.clone()).await, "The reason is missing.");
    refused(&decline("prefers more", "Start at 7 mg/kg".to_owned()).await, "has changed since it was shown");
    assert_eq!(decline("prefers more", seen).await.status, StatusCode::SEE_OTHER);
    assert_eq!(clinic.kinds("course/p-1-1"), ["course_opened", "advice_declined"]);
    assert!(by.get(COURSE).await.body.contains("prefers more"));
}

#[tokio::test(flavor = "multi_thread")]
async fn checks_hold_the_booking_until_made_and_the_series_stands_in_the_calendar() {
    let clinic = Clinic::open();
    let by = registered(&clinic).await;
    let desk = clinic.signed_in("front.desk");
    assert!(desk.get(BOOKING).await.body.contains("No plan is signed"));
    assert_eq!(by.post(COURSE, &plan("0", &[("infusions", "4")])).await.status, StatusCode::SEE_OTHER);
    let proposed = desk.get(&format!("{BOOKING}?start=2026-12-01&at=09:30")).await.body;
    assert!(proposed.contains("value=\"2026-12-01T09:30\""), "{proposed}");
    let bad = desk.get(&format!("{BOOKING}?start=2026-12-01&at=soon")).await;
    refused(&bad, "“soon” is not a time of day");
    let times = ["2026-12-01T09:30", "2026-12-04T09:30", "2026-12-08T09:30", "2026-12-11T09:30"];
    let names = ["visit-1", "visit-2", "visit-3", "visit-4"];
    let mut visits: Vec<(&str, &str)> = names.into_iter().zip(times).collect();
    visits.extend([("visits", "4"), ("chair", "2"), ("nurse", "nurse"), ("therapist", "therapist")]);
    let held = desk.post(BOOKING, &visits).await;
    refused(&held, "The booking is held");
    assert!(held.body.contains("value=\"2026-12-11T09:30\""), "what was typed stands");
    let page = by.get(COURSE).await.body;
    assert!(page.contains("Holds the next booking"), "{page}");
    let nurse = clinic.signed_in("nurse");
    for item in clinic.app.floor.knowledge().long_term.iter() {
        let id = item.header.id.as_str();
        if page.contains(&format!("value=\"{id}\"")) {
            let made = [("check", id), ("on", "2026-11-20"), ("result", "normal")];
            assert_eq!(nurse.post(&format!("{COURSE}/check"), &made).await.status, StatusCode::SEE_OTHER);
        }
    }
    let saturday: Vec<_> = visits
        .iter()
        .map(|(name, value)| (*name, if *name == "visit-2" { "2026-12-05T09:30" } else { *value }))
        .collect();
    refused(&desk.post(BOOKING, &saturday).await, "closed on Saturdays");
    let booked = desk.post(BOOKING, &visits).await;
    assert_eq!(booked.goes_to(), BOOKING, "{}", booked.body);
    assert!(desk.get(BOOKING).await.body.contains("Friday 2026-12-11 09:30 to"));
    let week = clinic.signed_in("therapist").get("/calendar?day=2026-12-07&view=week").await.body;
    assert_eq!(week.matches("RIVERA, Ana").count(), 2, "{week}");
    assert!(week.contains("Closed:</strong> the clinic is closed on Sundays"));
    assert!(desk.get("/calendar?day=2026-12-01").await.body.contains("RIVERA, Ana"));
    assert_eq!(desk.post(&format!("{BOOKING}/cancel"), &[]).await.goes_to(), BOOKING);
    assert!(!desk.get("/calendar?day=2026-12-01").await.body.contains("RIVERA, Ana"));
}
