//! The worklist: what waits across patients, told to each role in its own words, from views and as the log says.

use crate::care::{PLAIN, ask, person_fields};
use crate::consultation::{asked_everything, screened};
use crate::course::{BOOKING, COURSE, FOUR, plan, planned, registered};
use crate::outcomes;
use crate::replanned::late_third;
use crate::support::{Browser, Clinic, PIN};
use axum::http::StatusCode;
use clinic::course::Stage;
use clinic::course::ahead::Asked;
use clinic::gate::Verdict;
use clinic::id::PatientId;
use std::collections::{BTreeMap, BTreeSet};

async fn list(by: &Browser) -> String {
    let page = by.get("/worklist").await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.body);
    page.body
}

/// The part of the page with that heading.
fn part<'a>(page: &'a str, id: &str) -> &'a str {
    let rest = page.split(&format!("id=\"{id}\"")).nth(1).unwrap_or_else(|| panic!("no {id}: {page}"));
    rest.split("</section>").next().unwrap_or_default()
}

/// Hazard 180: a visit that must be moved, or that nobody booked, is found without opening each patient.
#[tokio::test(flavor = "multi_thread")]
async fn what_must_be_moved_or_booked_stands_in_the_worklist_until_it_is_done() {
    let clinic = Clinic::open();
    let (desk, nurse) = (clinic.signed_in("front.desk"), clinic.signed_in("nurse"));
    let empty = list(&desk).await;
    assert!(empty.contains("No visit must be moved.") && empty.contains("Every plan is booked to its end."));
    assert!(empty.contains("aria-current=\"page\">Worklist</a>"), "nothing to count: {empty}");
    let by = planned(&clinic).await;
    let page = list(&desk).await;
    let unbooked = part(&page, "unbooked-title");
    assert!(unbooked.contains("4 of the 4 infusions of the plan") && unbooked.contains(BOOKING), "{page}");
    assert!(unbooked.contains("RIVERA, Ana, MRN 004217") && unbooked.contains("nothing on record"), "{page}");
    assert!(list(&desk).await.contains(">Worklist (1)</a>"), "counted in the navigation");
    for (who, path) in [(&by, COURSE), (&desk, BOOKING)] {
        let page = who.get(path).await.body;
        assert!(page.contains("4 of the 4 infusions of the plan are neither given nor booked."), "{page}");
        assert!(page.contains(&format!("{BOOKING}?start=2026-11-22")), "{page}");
    }
    assert_eq!(desk.post(BOOKING, &late_third()).await.goes_to(), BOOKING);
    assert!(list(&desk).await.contains("Every plan is booked to its end."));
    assert!(!by.get(COURSE).await.body.contains("neither given nor booked"));

    let longer = plan("1", &[("infusions", "5"), ("minutes", "60"), ("reason", "was queasy")]);
    assert_eq!(by.post(COURSE, &longer).await.goes_to(), COURSE);
    let page = list(&desk).await;
    let moves = part(&page, "moves-title");
    assert!(
        moves.contains("Tuesday 2026-12-08 15:15") && moves.contains(&format!("{BOOKING}#book")),
        "{page}"
    );
    assert!(part(&page, "unbooked-title").contains("1 of the 5 infusions of the plan"), "{page}");
    assert!(list(&desk).await.contains(">Worklist (2)</a>"));
    let why = "the clinic is not open from 15:15 until 17:15";
    assert!(!page.contains(why), "the front desk reads no reason: {page}");
    assert!(part(&list(&nurse).await, "moves-title").contains(why));
    assert!(
        by.get(COURSE).await.body.contains("1 of the 5 infusions of the plan is neither given nor booked.")
    );
    let five = [&FOUR[..4], &[("visit-5", "2026-12-15T09:30"), ("visits", "5")], &FOUR[5..]].concat();
    let booked = desk.post(BOOKING, &five).await;
    assert_eq!(booked.goes_to(), BOOKING, "{}", booked.body);
    let page = list(&desk).await;
    assert!(page.contains("No visit must be moved.") && page.contains("Every plan is booked to its end."));
}

/// Hazard 180: who treats reads which checks and scales are due, and the front desk none of it.
#[tokio::test(flavor = "multi_thread")]
async fn checks_and_scales_that_fall_due_stand_in_the_worklist_of_who_treats() {
    let clinic = Clinic::open();
    planned(&clinic).await;
    let (desk, nurse) = (clinic.signed_in("front.desk"), clinic.signed_in("nurse"));
    assert_eq!(desk.post(BOOKING, &FOUR).await.goes_to(), BOOKING);
    let page = list(&nurse).await;
    assert!(page.contains("No check is due."), "{page}");
    let opens = "PHQ-9, Before the series: opens 24-Nov 09:30";
    assert!(part(&page, "scores-title").contains(opens), "{page}");
    assert!(page.contains(">Worklist</a>"), "what only comes is not counted");
    let found =
        [("check", "check_pdmp"), ("on", "2026-11-22"), ("result", "two prescribers"), ("judged", "look_at")];
    assert_eq!(nurse.post(&format!("{COURSE}/check"), &found).await.status, StatusCode::SEE_OTHER);
    let page = list(&nurse).await;
    let checks = part(&page, "due-title");
    assert!(checks.contains("<td>01-Dec-2026</td><td><ul><li><strong>overdue</strong>"), "{page}");
    assert!(
        checks.contains("two prescribers") && checks.contains(&format!("{COURSE}#checks-title")),
        "{page}"
    );
    assert!(list(&nurse).await.contains(">Worklist (1)</a>"));
    for page in [list(&desk).await, list(&clinic.signed_in("therapist")).await] {
        assert!(!page.contains("two prescribers") && page.contains(">Worklist</a>"), "{page}");
    }
    assert!(!list(&desk).await.contains("PHQ-9"));
    assert!(list(&clinic.signed_in("therapist")).await.contains("PHQ-9"));

    clinic.minutes_pass(3 * 24 * 60);
    let nurse = clinic.signed_in("nurse");
    assert!(
        part(&list(&nurse).await, "scores-title")
            .contains("<li><strong>PHQ-9, Before the series: open until 01-Dec 09:30")
    );
    let items: Vec<String> = (1..=10).map(|n| format!("item-{n}")).collect();
    let said = |item: &str| if item == "item-9" { "2" } else { "0" };
    let mut answers: Vec<(&str, &str)> = items.iter().map(|item| (item.as_str(), said(item))).collect();
    answers.push(("scale", "phq9"));
    let entered = nurse.post("/patients/p-1/scores/enter", &answers).await;
    assert_eq!(entered.status, StatusCode::SEE_OTHER, "{}", entered.body);
    let page = list(&nurse).await;
    let scores = part(&page, "scores-title");
    assert!(!scores.contains("PHQ-9, Before the series"), "{page}");
    // Hazard 160: what an answer asks for is due at once.
    let row = scores.split("<ul><li>").nth(1).unwrap_or_default();
    assert!(row.starts_with("<strong>C-SSRS") && row.contains("asked for by PHQ-9"), "{page}");
    // The visit is over a week ago, and nobody booked the rest of the months.
    clinic.minutes_pass(100 * 24 * 60);
    let page = list(&clinic.signed_in("nurse")).await;
    let checks = part(&page, "due-title");
    assert!(
        checks.matches("<strong>overdue</strong>").count() > 1 && checks.contains("<td>none booked"),
        "{page}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn whom_to_call_is_what_the_patient_left() {
    let clinic = Clinic::open();
    ask(&clinic, "b", &PLAIN).await;
    let (desk, nurse) = (clinic.signed_in("front.desk"), clinic.signed_in("nurse"));
    desk.post("/inquiries/b/triage", &[("to", "consultation"), ("reason", "spoke by phone")]).await;
    desk.post_again("/inquiries/b/register", "p-1", &person_fields()).await;
    asked_everything(&nurse, &[]).await;
    screened(&nurse).await;
    let signed = clinic.signed_in("prescriber").post(COURSE, &plan("0", &[])).await;
    assert_eq!(signed.goes_to(), COURSE, "{}", signed.body);
    let phone = PLAIN.iter().find(|(name, _)| *name == "phone").expect("a number").1;
    assert!(part(&list(&desk).await, "unbooked-title").contains(phone));
}

/// What the views say of everybody is what the log says of each.
#[tokio::test(flavor = "multi_thread")]
async fn the_worklist_of_a_year_is_what_the_log_says_of_each_patient() {
    let (clinic, prescriber) = outcomes::clinic();
    let floor = &clinic.app.floor;
    let now = clinic.clock.now();
    let today = now.to_zoned(jiff::tz::TimeZone::UTC).date();
    let list = floor.worklist().expect("views");
    let mut by_list: BTreeMap<&str, BTreeSet<(String, bool)>> = BTreeMap::new();
    let of_today = |asked| matches!(asked, Asked::Overdue | Asked::Due);
    for one in list.checks.iter().filter(|one| of_today(one.asked)) {
        let found = (one.finding.reason.clone(), one.asked == Asked::Overdue);
        by_list.entry(one.patient.as_str()).or_default().insert(found);
    }
    let (mut open, mut due) = (0, 0);
    for item in clinic.app.store.view_list("main", "patients", "", store::ROWS_MAX).expect("list") {
        let patient = PatientId::new(&item.key);
        let course = floor.course(&patient).expect("log").course;
        let is_open = !matches!(course.stage, Stage::New | Stage::Closed);
        let said = floor.checks_due(&patient, today).expect("log").into_iter().filter(|_| is_open);
        let said: BTreeSet<_> =
            said.map(|found| (found.reason.clone(), found.verdict >= Verdict::Hold)).collect();
        (open, due) = (open + usize::from(is_open), due + said.len());
        let by_view = by_list.remove(item.key.as_str()).unwrap_or_default();
        // By the visit of the day on which she comes, what is due today may be overdue.
        assert!(by_view.is_subset(&said), "{patient}: {by_view:?}, {said:?}");
        let later = list.checks.iter().filter(|one| one.patient == patient && !of_today(one.asked));
        assert!(said.len() - by_view.len() <= later.count(), "{patient}: {said:?}");
        let missing = list.unbooked.iter().find(|one| one.patient == patient).map_or(0, |one| one.missing);
        assert_eq!(missing, course.unbooked(now), "{patient}");
        let asked = list.scores.iter().find(|one| one.patient == patient);
        let asked: BTreeSet<_> = asked.into_iter().flat_map(|one| one.asked.keys()).collect();
        let by_answers = if is_open { floor.asked_for(&patient).expect("log") } else { BTreeMap::new() };
        assert_eq!(asked, by_answers.keys().collect(), "{patient}");
        let moves = list.moves.iter().filter(|(whose, _)| *whose == patient).count();
        assert_eq!(moves, course.must_move(now).count(), "{patient}");
    }
    assert!(by_list.is_empty() && open > 5 && due > 5, "{open} courses, {due} checks: {by_list:?}");
    assert_eq!(prescriber.get("/worklist").await.status, StatusCode::OK);
    let store = &clinic.app.store;
    let before = store.views_digest("main").expect("digest");
    store.rebuild_views("main").expect("rebuilt");
    assert_eq!(store.views_digest("main").expect("digest"), before);
}

/// Each thing that makes a check due, or lifts it, counts in the list as at the booking.
#[tokio::test(flavor = "multi_thread")]
async fn whatever_makes_a_check_due_or_lifts_it_counts_in_the_worklist() {
    let clinic = Clinic::open();
    let by = registered(&clinic).await;
    let patient = PatientId::new("p-1");
    let due = || {
        let today = clinic.clock.now().to_zoned(jiff::tz::TimeZone::UTC).date();
        let said = clinic.app.floor.checks_due(&patient, today).expect("log");
        let said: BTreeSet<_> =
            said.into_iter().map(|found| (found.reason, found.verdict >= Verdict::Hold)).collect();
        let list = clinic.app.floor.worklist().expect("views").checks;
        let of_today = list.into_iter().filter(|one| matches!(one.asked, Asked::Overdue | Asked::Due));
        let listed: BTreeSet<_> =
            of_today.map(|one| (one.finding.reason, one.asked == Asked::Overdue)).collect();
        assert_eq!(listed, said);
        said
    };
    let sent = async |to: &str, fields: &[(&str, &str)]| {
        let answer = clinic.signed_in("nurse").post(&format!("/patients/p-1/{to}"), fields).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{to}: {}", answer.body);
    };
    assert_eq!(by.post(COURSE, &plan("0", &[])).await.goes_to(), COURSE);
    let screened = due();
    let sees =
        |found: &BTreeSet<(String, bool)>, words: &str| found.iter().any(|(why, _)| why.contains(words));
    assert!(!sees(&screened, "Bladder questions"), "the screening counts as the first: {screened:?}");
    clinic.minutes_pass(60);
    let entered =
        [("scale", "bladder_questions"), ("item-1", "1"), ("item-2", "0"), ("item-3", "0"), ("item-4", "0")];
    sent("scores/enter", &entered).await;
    assert!(sees(&due(), "due because of a complaint"), "{:?}", due());
    clinic.minutes_pass(60);
    let made =
        [("check", "check_bladder"), ("on", "2026-11-22"), ("result", "clear"), ("judged", "within_limits")];
    sent("course/check", &made).await;
    assert!(!sees(&due(), "Bladder questions"));
    sent("watch/elsewhere", &[("on", "2026-08-01"), ("mg", "40"), ("words", "IV, by letter")]).await;
    sent("watch/signs", &[("early_requests", "yes"), ("intoxicated", "yes")]).await;
    assert!(sees(&due(), "Signs of misuse 2"));
    clinic.minutes_pass(100 * 24 * 60);
    assert!(sees(&due(), "overdue"));
    let ended = [("user", "prescriber"), ("pin", PIN), ("reason", "moves away")];
    assert_eq!(
        clinic.signed_in("prescriber").post(&format!("{COURSE}/close"), &ended).await.goes_to(),
        COURSE
    );
    assert!(clinic.app.floor.worklist().expect("views").checks.is_empty(), "no course is open");
}
