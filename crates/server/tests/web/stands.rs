//! What stands in the record of a patient stands at the chair too.

use crate::course::{BOOKING, COURSE, FOUR, plan, planned, refused};
use crate::support::Clinic;
use crate::walk::{SIGNED, Visit, agree, order, plan_for};
use axum::http::StatusCode;

const TODAY: (&str, [(&str, &str); 3]) =
    ("/patients/p-1/visit", [("regimen", "mdd_trd_std"), ("infusion", "1"), ("of", "6")]);

/// Hazard 150: a visit for today is no way round a result that says stop.
#[tokio::test(flavor = "multi_thread")]
async fn a_check_that_says_stop_refuses_a_visit_until_a_prescriber_gives_a_reason() {
    let clinic = Clinic::open();
    let by = planned(&clinic).await;
    let nurse = clinic.signed_in("nurse");
    let stop =
        [("check", "check_liver"), ("on", "2026-11-21"), ("result", "ALT 8 x ULN"), ("judged", "stop")];
    assert_eq!(nurse.post(&format!("{COURSE}/check"), &stop).await.status, StatusCode::SEE_OTHER);
    refused(&nurse.post(TODAY.0, &TODAY.1).await, "ALT 8 x ULN");
    let mut allow = vec![("check", "check_liver"), ("reason", "hepatology agrees, by phone")];
    allow.extend(SIGNED);
    assert_eq!(by.post(&format!("{COURSE}/override"), &allow).await.goes_to(), COURSE);
    let taken = nurse.post(TODAY.0, &TODAY.1).await;
    assert_eq!(taken.status, StatusCode::SEE_OTHER, "{}", taken.body);
    assert_eq!(nurse.post(&format!("{COURSE}/check"), &stop).await.status, StatusCode::SEE_OTHER);
    let page = nurse.get(taken.goes_to()).await.body;
    assert!(page.contains("ALT 8 x ULN"), "found again after the visit was planned: {page}");
    let place = format!("{}/check-in", taken.goes_to());
    refused(&nurse.post(&place, &[("chair", "3")]).await, "ALT 8 x ULN");
}

/// Hazard 150: nobody screened, and the record says that the patient is allergic to the drug.
#[tokio::test(flavor = "multi_thread")]
async fn an_allergy_to_the_drug_refuses_a_visit_where_nobody_screened() {
    let visit = Visit::planned().await;
    let known = [("allergies", "known"), ("which", "ketamine")];
    let nurse = visit.nurse();
    let patient = visit.patient();
    assert_eq!(
        nurse.post(&format!("/patients/{patient}/allergies"), &known).await.status,
        StatusCode::SEE_OTHER
    );
    visit.refuse("check-in", &[("chair", "3")], "E01").await;
}

/// Hazard 150: what the patient answered decides the gate of the scales, whatever is ticked.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_calls_a_clinician_stands_at_the_gate_of_the_scales() {
    let visit = Visit::planned().await;
    visit.checked_in().await;
    let (nurse, patient) = (visit.nurse(), visit.patient());
    let names: Vec<String> = (1..=10).map(|n| format!("item-{n}")).collect();
    let mut fields: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "1")).collect();
    fields.push(("scale", "phq9"));
    let entered = nurse.post(&format!("/patients/{patient}/scores/enter"), &fields).await;
    assert_eq!(entered.status, StatusCode::SEE_OTHER, "{}", entered.body);
    let gate = nurse.get(&format!("/visit/{}", visit.id)).await.body;
    assert!(gate.contains("counted as positive: PHQ-9, item 9"), "{gate}");
    let no = [
        ("depression_scale_done", "yes"),
        ("cssrs_done", "yes"),
        ("suicide_screen_positive", "no"),
        ("treats_pain", "no"),
        ("bipolar", "no"),
    ];
    visit.take("gate/c08", &no).await;
    let stands = |visit: &Visit| visit.session().gates[&clinic::id::RuleId::new("c08")].answer.verdict;
    assert_eq!(stands(&visit), clinic::gate::Verdict::Hold, "nobody has reviewed it");
    visit.take("gate/c08", &[&no[..], &[("suicide_review_signed", "yes")]].concat()).await;
    assert_eq!(stands(&visit), clinic::gate::Verdict::Pass);
}

/// Hazard 151: whoever books again is asked about the visits that would leave the calendar.
#[tokio::test(flavor = "multi_thread")]
async fn a_second_booking_names_what_it_takes_out_of_the_calendar() {
    let clinic = Clinic::open();
    planned(&clinic).await;
    let desk = clinic.signed_in("front.desk");
    assert_eq!(desk.post(BOOKING, &FOUR).await.goes_to(), BOOKING);
    let moved: Vec<(&str, String)> =
        FOUR.into_iter().map(|(name, said)| (name, said.replace("2026-12", "2027-01"))).collect();
    let mut fields: Vec<(&str, &str)> = moved.iter().map(|(name, at)| (*name, at.as_str())).collect();
    refused(&desk.post(BOOKING, &fields).await, "4 visits that are booked would leave the calendar: Tuesday");
    fields.push(("replaces", "yes"));
    assert_eq!(desk.post(BOOKING, &fields).await.goes_to(), BOOKING);
}

#[tokio::test]
async fn the_list_of_a_chair_tells_of_a_gate_that_passes_since_it_stopped() {
    let visit = Visit::planned().await;
    visit.checked_in().await;
    visit.gates().await;
    let told =
        |page: String, words: &str| page.contains(&format!("Order and plan for today: stops here{words} "));
    assert!(told(visit.nurse().get("/chair/3").await.body, ""));
    visit.ordered().await;
    assert!(told(visit.nurse().get("/chair/3").await.body, "; passes since"));
}

/// Two people who plan at the same moment plan one visit.
#[tokio::test(flavor = "multi_thread")]
async fn one_patient_has_one_open_visit_however_many_plan_it_at_once() {
    let clinic = Clinic::open();
    planned(&clinic).await;
    let (one, other) = (clinic.signed_in("nurse"), clinic.signed_in("prescriber"));
    for _ in 0..8 {
        let (a, b) = tokio::join!(one.post(TODAY.0, &TODAY.1), other.post(TODAY.0, &TODAY.1));
        let made = [&a, &b].into_iter().filter(|answer| answer.status == StatusCode::SEE_OTHER);
        let made: Vec<&str> = made.map(|answer| answer.goes_to()).collect();
        assert_eq!(made.len(), 1, "{} {}", a.body, b.body);
        let ended = one.post(&format!("{}/cancel", made[0]), &[("reason", "planned for the test")]).await;
        assert_eq!(ended.status, StatusCode::SEE_OTHER, "{}", ended.body);
    }
}

/// A tab of before shows no weight: what it sends replaces none that was saved since.
#[tokio::test(flavor = "multi_thread")]
async fn a_weight_that_was_saved_since_the_form_was_opened_is_shown_before_it_is_replaced() {
    let visit = Visit::planned().await;
    visit.checked_in().await;
    let late = [("weight", "84.1"), ("unit", "kg"), ("height", "178"), ("sex", "m"), ("saved", "")];
    visit.refuse("weight", &late, "82 kg (180.8 lb) was saved since this form was opened").await;
    let form = visit.nurse().get(&format!("/visit/{}", visit.id)).await.body;
    let shown = form.split("name=\"saved\" value=\"").nth(1).and_then(|rest| rest.split('"').next());
    let again = [&late[..4], &[("saved", shown.expect("a field")), ("reason", "read again")]].concat();
    visit.take("weight", &again).await;
}

/// Hazard 166: an order goes on from the infusion before, until a prescriber has signed a plan after it.
#[tokio::test(flavor = "multi_thread")]
async fn the_next_order_goes_on_from_the_last_one_until_a_plan_is_signed_after_it() {
    let clinic = Clinic::open();
    let by = planned(&clinic).await;
    let low = [("infusions", "4"), ("dose", "0.25 mg/kg"), ("reason", "frail, start low")];
    assert_eq!(by.post(COURSE, &plan("1", &low)).await.status, StatusCode::SEE_OTHER);
    let id = plan_for(&clinic.signed_in("nurse"), "/patients/p-1", "mdd_trd_std").await;
    let first = Visit { clinic, id };
    agree(&first.nurse(), "/patients/p-1", "raised").await;
    first.clinic.minutes_pass(1);
    first.checked_in().await;
    first.gates().await;
    first
        .take("order", &[&order()[..], &[("reason", "she bore the last course well")], &SIGNED].concat())
        .await;
    first.prepared().await;
    first.gone_home().await;
    first.clinic.minutes_pass(3 * 24 * 60);
    let nurse = first.nurse();
    let next = [("regimen", "mdd_trd_std"), ("infusion", "2"), ("of", "4")];
    let planned = nurse.post("/patients/p-1/visit", &next).await;
    let id = planned.goes_to().strip_prefix("/visit/").expect("visit").to_owned();
    let visit = Visit { clinic: first.clinic, id };
    visit.take("check-in", &[("chair", "3")]).await;
    let begins_with = async || {
        let page = visit.nurse().get(&visit.path("order")).await.body.replace('\u{a0}', " ");
        ["0.25 mg/kg", "0.5 mg/kg"].into_iter().find(|dose| page.contains(&format!("value=\"{dose}\"")))
    };
    assert_eq!(begins_with().await, Some("0.5 mg/kg"), "as at the infusion before");
    let by = visit.clinic.signed_in("prescriber");
    let back =
        [("infusions", "4"), ("dose", "0.25 mg/kg"), ("titration", "none"), ("reason", "back to the start")];
    let signed = by.post(COURSE, &plan("2", &back)).await;
    assert_eq!(signed.status, StatusCode::SEE_OTHER, "{}", signed.body);
    assert_eq!(begins_with().await, Some("0.25 mg/kg"), "signed after it, with the same dose as before");
}
