//! A course on its pages: a plan in versions, advice, checks, the visits in the calendar.

use crate::consultation;
use crate::support::{Answer, Browser, Clinic, PIN};
use crate::walk::{Visit, agree, order, plan_for};
use axum::http::StatusCode;

pub const COURSE: &str = "/patients/p-1/course";
pub const BOOKING: &str = "/patients/p-1/booking";
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

/// Ana, asked everything and screened: a course may open.
pub async fn registered(clinic: &Clinic) -> Browser {
    let nurse = consultation::registered(clinic).await;
    consultation::asked_everything(&nurse, &[]).await;
    consultation::screened(&nurse).await;
    clinic.signed_in("prescriber")
}

/// A signed plan of four infusions, and every check that holds a booking made.
pub async fn planned(clinic: &Clinic) -> Browser {
    let by = registered(clinic).await;
    assert_eq!(by.post(COURSE, &plan("0", &[("infusions", "4")])).await.status, StatusCode::SEE_OTHER);
    let (page, nurse) = (by.get(COURSE).await.body, clinic.signed_in("nurse"));
    for item in clinic.app.floor.knowledge().long_term.iter() {
        let id = item.header.id.as_str();
        if page.contains(&format!("value=\"{id}\"")) {
            let made =
                [("check", id), ("on", "2026-11-20"), ("result", "normal"), ("judged", "within_limits")];
            assert_eq!(nurse.post(&format!("{COURSE}/check"), &made).await.status, StatusCode::SEE_OTHER);
        }
    }
    by
}

pub const FOUR: [(&str, &str); 7] = [
    ("visit-1", "2026-12-01T09:30"),
    ("visit-2", "2026-12-04T09:30"),
    ("visit-3", "2026-12-08T09:30"),
    ("visit-4", "2026-12-11T09:30"),
    ("visits", "4"),
    ("chair", "2"),
    ("nurse", "nurse"),
];

/// The four visits with some fields said otherwise.
fn four<'a>(other: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let kept = FOUR.into_iter().filter(|(name, _)| other.iter().all(|(changed, _)| changed != name));
    kept.chain(other.iter().copied()).collect()
}

/// The plan with some fields said otherwise, signed.
pub fn plan<'a>(read: &'a str, other: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let kept = PLAN.into_iter().filter(|(name, _)| other.iter().all(|(changed, _)| changed != name));
    kept.chain(other.iter().copied()).chain([("read", read)]).chain(SIGNED).collect()
}

pub fn refused(answer: &Answer, words: &str) {
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
    for words in [
        "infusions: 6 → 4",
        "minutes: 40 → 60",
        "value=\"60\"",
        "name=\"read\" value=\"2\"",
        "<th scope=\"col\">Version 1, which both changed</th><th scope=\"col\">Version 2, signed meanwhile by prescriber</th><th scope=\"col\">Yours, not signed</th>",
        "<th scope=\"row\">infusions</th><td>6</td><td>4</td><td>6</td>",
        "<th scope=\"row\">minutes</th><td>40</td><td>40</td><td>60</td>",
    ] {
        assert!(late.body.contains(words), "{words}: {}", late.body);
    }
    assert_eq!(clinic.kinds("course/p-1-1"), ["course_opened", "plan_changed"]);
    let page = by.get(COURSE).await.body;
    assert!(page.contains("Version 2: what changed") && page.contains("works well"), "{page}");
    let again = clinic.signed_in("prescriber").post(COURSE, &plan("0", &[])).await;
    assert_eq!(again.status, StatusCode::CONFLICT, "one course at a time");
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
    let nurse = consultation::registered(&clinic).await;
    // The bladder was asked by another scale than the one that the check counts.
    let but = [
        ("scales.icsi.value", ""),
        ("scales.icsi.on", ""),
        ("scales.bpic_ss.value", "1"),
        ("scales.bpic_ss.on", "2026-11-20"),
    ];
    consultation::asked_everything(&nurse, &but).await;
    consultation::screened(&nurse).await;
    let (by, desk) = (clinic.signed_in("prescriber"), clinic.signed_in("front.desk"));
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
    refused(&held, "The booking is held: Bladder questions and urinalysis: never made");
    assert!(!held.body.contains("Liver enzymes"), "the screening has seen them: {}", held.body);
    assert!(held.body.contains("value=\"2026-12-11T09:30\""), "what was typed stands");
    let page = by.get(COURSE).await.body;
    assert!(page.contains("Holds the next booking"), "{page}");
    for item in clinic.app.floor.knowledge().long_term.iter() {
        let id = item.header.id.as_str();
        if page.contains(&format!("value=\"{id}\"")) {
            let made =
                [("check", id), ("on", "2026-11-20"), ("result", "normal"), ("judged", "within_limits")];
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

/// Hazard 139, at the desk: typed words clear nothing, and what was found stands until a prescriber decides.
#[tokio::test(flavor = "multi_thread")]
async fn a_check_that_found_something_holds_the_booking_until_a_prescriber_gives_a_reason() {
    let clinic = Clinic::open();
    let by = planned(&clinic).await;
    let (desk, nurse) = (clinic.signed_in("front.desk"), clinic.signed_in("nurse"));
    let check = |on: &'static str, judged: &'static str| {
        let made = [("check", "check_liver"), ("on", on), ("result", "ALT 8 x ULN"), ("judged", judged)];
        let nurse = nurse.clone();
        async move { nurse.post(&format!("{COURSE}/check"), &made).await }
    };
    refused(&check("2026-11-21", "").await, "What the result means is missing");
    refused(&check("2026-11-21", "fine").await, "fine");
    refused(&check("1984-03-11", "stop").await, "accepted is 1984-03-12 to 2026-11-22");
    refused(&check("2026-11-23", "stop").await, "accepted is 1984-03-12 to 2026-11-22");
    for judged in ["look_at", "stop"] {
        assert_eq!(check("2026-11-21", judged).await.status, StatusCode::SEE_OTHER);
        let held = desk.post(BOOKING, &FOUR).await;
        refused(&held, "The booking is held");
        refused(&held, "ALT 8 x ULN");
        for path in [COURSE, "/patients/p-1/watch"] {
            let page = by.get(path).await.body;
            assert!(
                page.contains("Holds the next booking") && page.contains("ALT 8 x ULN"),
                "{path}: {page}"
            );
        }
    }
    let mut allow = vec![("check", "check_liver"), ("reason", "hepatology agrees, by phone")];
    allow.extend(SIGNED);
    assert_eq!(by.post(&format!("{COURSE}/override"), &allow).await.goes_to(), COURSE);
    assert_eq!(desk.post(BOOKING, &FOUR).await.goes_to(), BOOKING);
    refused(&desk.post(BOOKING, &FOUR).await, "ALT 8 x ULN");
}

/// Hazard 147: a nurse records a milder result, and a prescriber lets it count.
#[tokio::test(flavor = "multi_thread")]
async fn a_milder_result_holds_on_until_a_prescriber_accepts_it() {
    let clinic = Clinic::open();
    let by = planned(&clinic).await;
    let (desk, nurse) = (clinic.signed_in("front.desk"), clinic.signed_in("nurse"));
    for (on, result, judged) in
        [("2026-11-21", "ALT 8 x ULN", "stop"), ("2026-11-22", "ALT 1 x ULN", "within_limits")]
    {
        let made = [("check", "check_liver"), ("on", on), ("result", result), ("judged", judged)];
        assert_eq!(nurse.post(&format!("{COURSE}/check"), &made).await.goes_to(), COURSE);
    }
    refused(&desk.post(BOOKING, &FOUR).await, "waits for a prescriber");
    let page = by.get(COURSE).await.body;
    assert!(page.contains("id=\"accept-check_liver\"") && page.contains("ALT 8 x ULN"), "{page}");
    let accept = |result: &'static str, reason: &'static str| {
        [("check", "check_liver"), ("on", "2026-11-22"), ("result", result), ("reason", reason)]
    };
    let to = format!("{COURSE}/accept");
    let own = [("user", "nurse"), ("pin", PIN)];
    let reason = "repeated in another laboratory";
    for (fields, words) in [
        ([&accept("ALT 1 x ULN", reason)[..], &own].concat(), "nurse may not sign a plan"),
        ([&accept("ALT 1 x ULN", "")[..], &SIGNED].concat(), "The reason is empty"),
        ([&accept("ALT 2 x ULN", reason)[..], &SIGNED].concat(), "accepted is the newest one, of 2026-11-22"),
    ] {
        refused(&by.post(&to, &fields).await, words);
        refused(&desk.post(BOOKING, &FOUR).await, "waits for a prescriber");
    }
    let accepted = [&accept("ALT 1 x ULN", reason)[..], &SIGNED].concat();
    for _double_tap in 0..2 {
        assert_eq!(by.post_again(&to, "accepts", &accepted).await.goes_to(), COURSE);
    }
    assert!(by.get(COURSE).await.body.contains("accepted: ALT 1 x ULN. repeated in another laboratory"));
    assert_eq!(desk.post(BOOKING, &FOUR).await.goes_to(), BOOKING);
}

/// Hazard 140: what the page of the scale says it holds, it holds.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_said_to_hold_the_next_booking_holds_it_until_its_check_is_made() {
    for (scale, answers, check) in
        [("bladder_questions", "n,n,n,y", "check_bladder"), ("dast10", "y,y,n,y,y,y,y,n,n,n", "check_misuse")]
    {
        let clinic = Clinic::open();
        let _by = planned(&clinic).await;
        let (desk, nurse) = (clinic.signed_in("front.desk"), clinic.signed_in("nurse"));
        assert_eq!(desk.post(BOOKING, &FOUR).await.goes_to(), BOOKING);
        let names: Vec<String> = (1..=answers.split(',').count()).map(|n| format!("item-{n}")).collect();
        let values = answers.split(',').map(|answer| if answer == "y" { "1" } else { "0" });
        let mut fields: Vec<(&str, &str)> = names.iter().map(String::as_str).zip(values).collect();
        fields.push(("scale", scale));
        let entered = nurse.post_again("/patients/p-1/scores/enter", "e-1", &fields).await;
        assert_eq!(entered.status, StatusCode::SEE_OTHER, "{}", entered.body);
        let page = nurse.get(entered.goes_to()).await.body;
        assert!(page.contains("next booking is held"), "{page}");
        refused(&desk.post(BOOKING, &FOUR).await, "because of a complaint");
        let made =
            [("check", check), ("on", "2026-11-22"), ("result", "normal"), ("judged", "within_limits")];
        assert_eq!(nurse.post(&format!("{COURSE}/check"), &made).await.status, StatusCode::SEE_OTHER);
        assert_eq!(desk.post(BOOKING, &FOUR).await.goes_to(), BOOKING);
    }
}

/// Hazard 139: what a shorter plan leaves over is named where it is seen, until it is cancelled.
#[tokio::test(flavor = "multi_thread")]
async fn a_plan_made_shorter_names_the_visits_that_stay_booked() {
    let clinic = Clinic::open();
    let by = planned(&clinic).await;
    let desk = clinic.signed_in("front.desk");
    assert_eq!(desk.post(BOOKING, &FOUR).await.goes_to(), BOOKING);
    assert!(!by.get(COURSE).await.body.contains("Booked beyond the plan"));
    let shorter = plan("1", &[("infusions", "2"), ("reason", "well after two")]);
    assert_eq!(by.post(COURSE, &shorter).await.goes_to(), COURSE);
    for page in [by.get(COURSE).await.body, desk.get(BOOKING).await.body] {
        let beyond = page.split("Booked beyond the plan").nth(1).expect("told");
        let beyond = beyond.split("</section>").next().expect("a section");
        assert!(beyond.contains("2026-12-08 09:30") && beyond.contains("2026-12-11 09:30"), "{beyond}");
        assert!(!beyond.contains("2026-12-04") && beyond.contains("/booking#cancel"), "{beyond}");
    }
    assert!(desk.get(BOOKING).await.body.contains("id=\"cancel\""));
    assert_eq!(desk.post(&format!("{BOOKING}/cancel"), &[]).await.goes_to(), BOOKING);
    assert!(!by.get(COURSE).await.body.contains("Booked beyond the plan"));
}

/// Hazard 72, as the prescriber meets it.
#[tokio::test(flavor = "multi_thread")]
async fn no_course_opens_before_the_consultation_lets_it_and_none_that_is_not_for_a_clinic() {
    let clinic = Clinic::open();
    let nurse = consultation::registered(&clinic).await;
    let by = clinic.signed_in("prescriber");
    let page = by.get(&format!("{COURSE}?regimen=mdd_trd_std")).await.body;
    assert!(page.contains("No course may open yet") && !page.contains("Sign the plan"), "{page}");
    refused(&by.post(COURSE, &plan("0", &[])).await, "There is no verdict to decide on. Screen first.");
    assert!(clinic.log("course/p-1-1").is_empty(), "nothing half-written");
    consultation::asked_everything(&nurse, &[]).await;
    consultation::screened(&nurse).await;
    let page = by.get(&format!("{COURSE}?regimen=mdd_trd_std")).await.body;
    assert!(page.contains("Sign the plan") && page.contains("(grade "), "{page}");
    assert!(page.contains("research only") && page.contains("for hospital wards"), "{page}");
    for item in clinic.app.floor.knowledge().regimens.iter() {
        if item.body.setting != clinic::knowledge::regimen::Setting::Clinic {
            let answer = by.post(COURSE, &plan("0", &[("regimen", &item.header.id)])).await;
            refused(&answer, "is not for a clinic");
        }
    }
    assert_eq!(by.post(COURSE, &plan("0", &[])).await.goes_to(), COURSE);
}

/// Hazard 167: a verdict holds for the regimen that it was given for.
#[tokio::test(flavor = "multi_thread")]
async fn a_plan_for_another_regimen_waits_for_another_screening() {
    let clinic = Clinic::open();
    let by = planned(&clinic).await;
    let other = [("regimen", "ptsd"), ("infusions", "4"), ("reason", "try other")];
    let before = clinic.log("course/p-1-1");
    let answer = by.post(COURSE, &plan("1", &other)).await;
    refused(
        &answer,
        "The consultation asked about Major depression, treatment-resistant: standard, and this plan is for Post-traumatic stress disorder",
    );
    assert_eq!(clinic.log("course/p-1-1"), before, "nothing half-written");
    let same = [("infusions", "4"), ("minutes", "60"), ("reason", "slower")];
    assert_eq!(by.post(COURSE, &plan("1", &same)).await.status, StatusCode::SEE_OTHER);
}

/// What the issue of a calendar calls bad input: each visit that cannot be is told beside its own field.
#[tokio::test(flavor = "multi_thread")]
async fn a_visit_in_the_past_on_a_holiday_or_too_near_is_refused_beside_its_own_field() {
    let holiday = "2026-12-04".parse().expect("a day");
    let clinic = Clinic::open().set(|config| config.holidays = [holiday].into());
    let _by = planned(&clinic).await;
    let desk = clinic.signed_in("front.desk");
    let proposed = desk.get(&format!("{BOOKING}?start=2026-12-01&at=09:30")).await.body;
    assert!(!proposed.contains("value=\"2026-12-04T") && proposed.contains("is a holiday"), "{proposed}");
    let beside = |answer: &Answer, field: &str, words: &str| {
        refused(answer, words);
        assert!(answer.body.contains(&format!("id=\"book-{field}-error\"")), "{field}: {}", answer.body);
        assert!(clinic.log("calendar/2026-12-01").is_empty(), "nothing half-written");
    };
    let past = desk.post(BOOKING, &four(&[("visit-1", "2026-11-20T09:30")])).await;
    beside(&past, "visit-1", "which is past; accepted is 22-Nov-2026 09:00 or later");
    let on_holiday = desk.post(BOOKING, &four(&[])).await;
    beside(&on_holiday, "visit-2", "Friday 2026-12-04 is a holiday");
    let near = desk.post(BOOKING, &four(&[("visit-2", "2026-12-01T15:00")])).await;
    beside(&near, "visit-2", "2026");
    let soon = desk.post(BOOKING, &four(&[("visit-3", "soon")])).await;
    beside(&soon, "visit-3", "“soon” is not a time");
    let moved = four(&[("visit-2", "2026-12-03T09:30")]);
    assert_eq!(desk.post(BOOKING, &moved).await.goes_to(), BOOKING);
}

#[tokio::test(flavor = "multi_thread")]
async fn preparation_and_integration_are_proposed_held_and_refused_beside_their_fields() {
    let clinic = Clinic::open();
    let _by = planned(&clinic).await;
    let desk = clinic.signed_in("front.desk");
    let proposed = desk.get(&format!("{BOOKING}?start=2026-12-01&at=09:30&talks=yes")).await.body;
    for value in ["2026-11-30T09:30", "2026-12-02T09:30", "2026-12-14T09:30"] {
        assert!(proposed.contains(&format!("value=\"{value}\"")), "{value}: {proposed}");
    }
    let talks = |late| {
        four(&[
            ("talks", "yes"),
            ("preparation", "2026-11-27T09:30"),
            ("integration-1", "2026-12-02T09:30"),
            ("integration-4", late),
            ("therapist", "therapist"),
        ])
    };
    let late = desk.post(BOOKING, &talks("2026-12-15T09:30")).await;
    refused(&late, "within 72 h");
    assert!(late.body.contains("id=\"book-integration-4-error\""), "{}", late.body);
    assert!(late.body.contains("value=\"2026-12-15T09:30\""), "what was typed stands");
    let mut alone = talks("2026-12-14T09:30");
    alone.retain(|(name, _)| *name != "therapist");
    refused(&desk.post(BOOKING, &alone).await, "Choose a therapist");
    assert_eq!(desk.post(BOOKING, &talks("2026-12-14T09:30")).await.goes_to(), BOOKING);
    let page = desk.get(BOOKING).await.body;
    assert!(page.contains("Friday 2026-11-27 09:30 to 10:20, Preparation, therapist"), "{page}");
    assert!(page.contains("value=\"2026-12-02T09:30\""), "the talks stand in the form again: {page}");
    let therapist = clinic.signed_in("therapist").get("/calendar?day=2026-12-14").await.body;
    assert!(therapist.contains("Integration") && therapist.contains("RIVERA, Ana"), "{therapist}");
}

#[tokio::test(flavor = "multi_thread")]
async fn maintenance_begins_for_who_responded_and_its_interval_changes_for_a_reason() {
    let clinic = Clinic::open();
    let by = planned(&clinic).await;
    let maintain = |fields: &'static [(&'static str, &'static str)]| {
        let by = by.clone();
        async move {
            let fields: Vec<_> = fields.iter().copied().chain(SIGNED).collect();
            by.post(&format!("{COURSE}/maintenance"), &fields).await
        }
    };
    refused(
        &maintain(&[("every_d", "7"), ("reason", "well")]).await,
        "Whether the patient responded is missing",
    );
    refused(
        &maintain(&[("responder", "no"), ("reason", "well")]).await,
        "a response at the end of the induction",
    );
    refused(&maintain(&[("responder", "yes"), ("every_d", "0"), ("reason", "well")]).await, "1 day or more");
    refused(&maintain(&[("responder", "yes"), ("every_d", "7")]).await, "The reason");
    let begun = maintain(&[("responder", "yes"), ("every_d", "7"), ("reason", "responded")]).await;
    assert_eq!(begun.goes_to(), COURSE, "{}", begun.body);
    let set = maintain(&[("every_d", "14"), ("reason", "still well")]).await;
    assert_eq!(set.goes_to(), COURSE, "{}", set.body);
    let page = by.get(COURSE).await.body;
    assert!(
        page.contains("in maintenance") && page.contains("a booster every 14 days: still well"),
        "{page}"
    );
    let proposed = clinic.signed_in("front.desk").get(&format!("{BOOKING}?start=2026-12-01")).await.body;
    assert!(proposed.contains("name=\"visits\" value=\"1\""), "one booster at a time: {proposed}");
}

/// Hazard 130: what a plan needs agreed to is asked when it is signed, and by the rule of the gate of the day.
#[tokio::test(flavor = "multi_thread")]
async fn a_signed_plan_asks_for_its_consent_at_once_and_again_when_the_dose_goes_beyond_what_was_signed() {
    const MISSING: &str = "Consent is missing";
    const BEYOND: &str = "signed for up to 0.5 mg/kg, through a drip into a vein, asked is 0.6 mg/kg";
    let clinic = Clinic::open();
    let by = registered(&clinic).await;
    let (desk, nurse) = (clinic.signed_in("front.desk"), clinic.signed_in("nurse"));
    assert!(!by.get(COURSE).await.body.contains(MISSING), "nothing is planned");
    assert_eq!(by.post(COURSE, &plan("0", &[])).await.status, StatusCode::SEE_OTHER);
    let page = by.get(COURSE).await.body;
    for words in [MISSING, "not signed", "Make a link for the phone", "Hand the tablet over"] {
        assert!(page.contains(words), "{words}: {page}");
    }
    for path in [BOOKING, "/patients/p-1"] {
        assert!(desk.get(path).await.body.contains(MISSING), "{path}");
    }
    agree(&desk, "/patients/p-1", "usual").await;
    for path in [BOOKING, "/patients/p-1"] {
        assert!(!desk.get(path).await.body.contains(MISSING), "{path}");
    }
    assert!(!by.get(COURSE).await.body.contains(MISSING));

    let more = plan("1", &[("dose", "0.6 mg/kg"), ("reason", "little improvement")]);
    assert_eq!(by.post(COURSE, &more).await.status, StatusCode::SEE_OTHER);
    let page = by.get(COURSE).await.body;
    assert!(page.contains(BEYOND), "{page}");
    assert!(page.contains("value=\"raised\" selected"), "the band that reaches it is offered: {page}");
    let visit = [("regimen", "mdd_trd_std"), ("infusion", "1"), ("of", "6")];
    let planned = nurse.post_again("/patients/p-1/visit", "v-1", &visit).await;
    assert_eq!(planned.goes_to(), "/visit/v-1", "{}", planned.body);
    let checked_in = nurse.post("/visit/v-1/check-in", &[("session", "v-1"), ("chair", "1")]).await;
    assert_eq!(checked_in.status, StatusCode::SEE_OTHER, "{}", checked_in.body);
    assert!(nurse.get("/visit/v-1").await.body.contains(BEYOND), "the gate of the day says the same");
    agree(&desk, "/patients/p-1", "raised").await;
    assert!(!nurse.get("/visit/v-1").await.body.contains(BEYOND));
    assert!(!by.get(COURSE).await.body.contains(MISSING));
}

/// Hazard 166: the order begins with what the plan says, and another one is signed with a reason alone.
#[tokio::test(flavor = "multi_thread")]
async fn an_order_other_than_the_signed_plan_needs_a_reason_and_the_record_says_so() {
    let clinic = Clinic::open();
    let by = planned(&clinic).await;
    let low = [("infusions", "4"), ("dose", "0.25 mg/kg"), ("minutes", "60"), ("reason", "frail, start low")];
    let signed = by.post(COURSE, &plan("1", &low)).await;
    assert_eq!(signed.status, StatusCode::SEE_OTHER, "{}", signed.body);
    let id = plan_for(&clinic.signed_in("nurse"), "/patients/p-1", "mdd_trd_std").await;
    let visit = Visit { clinic, id };
    visit.checked_in().await;
    visit.gates().await;
    let page = visit.nurse().get(&visit.path("order")).await.body.replace('\u{a0}', " ");
    for words in [
        "Signed plan, version 2: Major depression, treatment-resistant: standard, 0.25 mg/kg",
        "over 60 min",
        "value=\"0.25 mg/kg\"",
        "value=\"60\"",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
    let usual = [&order()[..], &SIGNED].concat();
    visit.refuse("order", &usual, "differs from the signed plan, version 2").await;
    let query = visit.path("order?concentration=2&stock=50");
    let card = visit.nurse().get(&query).await.body.replace('\u{a0}', " ");
    for words in [
        "dose: ordered 41 mg, expected 20.5 mg, 0.25 mg/kg by the plan",
        "length: ordered 40 min, planned 60 min",
    ] {
        assert!(card.contains(words), "{words}: {card}");
    }
    let by_plan = [
        ("concentration", "2"),
        ("stock", "50"),
        ("dose", "0.25 mg/kg"),
        ("minutes", "60"),
        ("shown_dose", "20.5 mg"),
        ("shown_rate", "10.3 mL/h"),
    ];
    visit.take("order", &[&by_plan[..], &SIGNED].concat()).await;
    let record = format!("/record/{}", visit.id);
    let by_plan = visit.nurse().get(&record).await.body;
    assert!(by_plan.contains("as in the signed plan, version 2"), "{by_plan}");
    let again = [&usual[..], &[("reason", "she bore the last course well")]].concat();
    visit.take("order", &again).await;
    let other = visit.nurse().get(&record).await.body.replace('\u{a0}', " ");
    for words in [
        "another than the signed plan, version 2: length: ordered 40 min, planned 60 min",
        "dose: ordered 41 mg, expected 20.5 mg, 0.25 mg/kg by the plan",
        "she bore the last course well",
    ] {
        assert!(other.contains(words), "{words}: {other}");
    }
}

/// What was planned and given, and who ended it and why, stays to be read; and the page says how another one opens.
#[tokio::test(flavor = "multi_thread")]
async fn an_ended_course_stays_on_its_page_with_its_plan_and_why_it_ended() {
    let clinic = Clinic::open();
    let _by = planned(&clinic).await;
    agree(&clinic.signed_in("front.desk"), "/patients/p-1", "usual").await;
    let id = plan_for(&clinic.signed_in("nurse"), "/patients/p-1", "mdd_trd_std").await;
    let visit = Visit { clinic, id };
    visit.clinic.minutes_pass(7);
    visit.checked_in().await;
    visit.gates().await;
    visit.started().await;
    visit.gone_home().await;
    let end = [&[("reason", "moves to another city")][..], &SIGNED].concat();
    let by = visit.clinic.signed_in("prescriber");
    let ended = by.post(&format!("{COURSE}/close"), &end).await;
    assert_eq!(ended.goes_to(), COURSE, "{}", ended.body);
    let told = |page: &str| {
        let section = page.split("Course 1: ended").nth(1).expect("it stands there");
        let section = section.split("</section>").next().expect("a section");
        for words in [
            "<dt>Infusions given</dt><dd>1 of 4</dd>",
            "<dt>Why</dt><dd>moves to another city</dd>",
            "22-Nov-2026",
            ", by prescriber",
            "Version 1",
            "no response after the fourth",
            "Infusion given",
        ] {
            assert!(section.contains(words), "{words}: {section}");
        }
    };
    let page = by.get(COURSE).await.body;
    told(&page);
    assert!(page.contains("Another one opens when a prescriber signs its plan"), "{page}");
    assert!(!page.contains("not opened") && !page.contains("No course may open yet"), "{page}");
    assert!(page.contains("Begin with a regimen"), "{page}");
    let again = by.post(COURSE, &plan("0", &[])).await;
    assert_eq!(again.goes_to(), COURSE, "{}", again.body);
    let page = by.get(COURSE).await.body;
    assert!(page.contains("The course is in induction."), "{page}");
    told(&page);
}
