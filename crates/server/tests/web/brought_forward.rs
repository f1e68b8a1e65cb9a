//! A booked visit that is given before its day, and what the pages say of visits to come.

use crate::course::{BOOKING, FOUR, planned, refused};
use crate::support::Clinic;
use crate::walk::{agree, plan_for};
use axum::http::StatusCode;

const TODAY: [(&str, &str); 3] = [("regimen", "mdd_trd_std"), ("infusion", "1"), ("of", "4")];
const VISIT: &str = "/patients/p-1/visit";

/// Hazard 181: the place of a visit that is given today is free, and nobody expects the patient twice.
#[tokio::test(flavor = "multi_thread")]
async fn a_booked_visit_that_is_given_today_leaves_the_calendar() {
    let clinic = Clinic::open();
    let by = planned(&clinic).await;
    let (desk, nurse) = (clinic.signed_in("front.desk"), clinic.signed_in("nurse"));
    agree(&nurse, "/patients/p-1", "usual").await;
    assert_eq!(desk.post(BOOKING, &FOUR).await.goes_to(), BOOKING);
    let page = desk.get("/patients/p-1").await.body;
    assert!(page.contains("No visit was given yet.") && !page.contains("No visit yet."), "{page}");
    assert!(page.contains("<li>Tuesday 2026-12-01 09:30 to 11:30, chair 2, nurse</li>"), "{page}");
    assert!(page.contains("the one of Tuesday 2026-12-01 09:30"), "{page}");

    refused(&desk.post(VISIT, &TODAY).await, "Choose the one that is given today");
    assert!(clinic.kinds("course/p-1-1").iter().all(|kind| kind != "visit_brought_forward"));
    let instead = |at: &'static str| [&TODAY[..], &[("instead", at)]].concat();
    refused(&desk.post(VISIT, &instead("soon")).await, "“soon” is no visit that is booked.");
    for _double_tap in 0..2 {
        let made = desk.post_again(VISIT, "today", &instead("2026-12-01T09:30:00Z")).await;
        assert_eq!(made.goes_to(), "/patients/p-1", "{}", made.body);
    }
    let kinds = clinic.kinds("course/p-1-1");
    assert_eq!(kinds.iter().filter(|kind| *kind == "visit_brought_forward").count(), 1, "{kinds:?}");
    assert!(!desk.get("/calendar?day=2026-12-01").await.body.contains("RIVERA"));
    for day in ["2026-12-04", "2026-12-08", "2026-12-11"] {
        assert!(desk.get(&format!("/calendar?day={day}")).await.body.contains("RIVERA"), "{day}");
    }
    let course = by.get("/patients/p-1/course").await.body;
    assert!(course.contains("brought forward to 22-Nov-2026"), "{course}");
    let sat = nurse.post("/visit/today/check-in", &[("chair", "3")]).await;
    assert_eq!(sat.status, StatusCode::SEE_OTHER, "{}", sat.body);
    let page = desk.get(BOOKING).await.body;
    assert!(!page.contains("Booked beyond the plan") && !page.contains("neither given nor booked"), "{page}");
    // The visit of today came to nothing: one is to be booked again, and the list says so.
    let ended = nurse.post("/visit/today/cancel", &[("reason", "ate this morning")]).await;
    assert_eq!(ended.status, StatusCode::SEE_OTHER, "{}", ended.body);
    assert!(desk.get("/worklist").await.body.contains("1 of the 4 infusions of the plan"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visit_that_is_one_more_leaves_every_booking() {
    let clinic = Clinic::open();
    planned(&clinic).await;
    let desk = clinic.signed_in("front.desk");
    assert_eq!(desk.post(BOOKING, &FOUR).await.goes_to(), BOOKING);
    let made = desk.post(VISIT, &[&TODAY[..], &[("instead", "none")]].concat()).await;
    assert_eq!(made.goes_to(), "/patients/p-1", "{}", made.body);
    assert!(desk.get("/calendar?day=2026-12-01").await.body.contains("RIVERA"));
    // On the day of a booked visit nothing is asked.
    let clinic = Clinic::open();
    planned(&clinic).await;
    assert_eq!(clinic.signed_in("front.desk").post(BOOKING, &FOUR).await.goes_to(), BOOKING);
    clinic.minutes_pass(9 * 24 * 60);
    let nurse = clinic.signed_in("nurse");
    assert!(!nurse.get("/patients/p-1").await.body.contains("name=\"instead\""));
    plan_for(&nurse, "/patients/p-1", "mdd_trd_std").await;
    // Nobody came: the calendar says so of the day that is over.
    clinic.minutes_pass(24 * 60);
    let day = clinic.signed_in("front.desk").get("/calendar?day=2026-12-01").await.body;
    assert!(day.contains("<td>Infusion, no check-in</td>"), "{day}");
}
