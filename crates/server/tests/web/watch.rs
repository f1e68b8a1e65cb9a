//! The long watch: what was given elsewhere counts, signs of misuse hold the next booking, earlier infusions and advice
//! stand beside the next order.

use crate::support::{Browser, Clinic};
use crate::walk::{Visit, reasons, stop};
use axum::http::StatusCode;
use clinic::gate::Verdict;
use clinic::id::PatientId;

const PATIENT: &str = "/patients/p-1";

async fn clinic() -> (Clinic, Browser) {
    let clinic = Clinic::open();
    let fields = [
        ("family", "Rivera"),
        ("given", "Ana"),
        ("born", "1984-03-12"),
        ("mrn", "004217"),
        ("sex", "f"),
        ("allergies", "none"),
    ];
    let made = clinic.signed_in("front.desk").post_again("/patients", "p-1", &fields).await;
    assert_eq!(made.goes_to(), PATIENT, "{}", made.body);
    let nurse = clinic.signed_in("nurse");
    (clinic, nurse)
}

async fn post(nurse: &Browser, to: &str, fields: &[(&str, &str)]) -> (StatusCode, String) {
    let answer = nurse.post(&format!("{PATIENT}/watch/{to}"), fields).await;
    (answer.status, answer.body)
}

/// Hazard 89: what somebody else gave is part of what the bladder and the liver have had.
#[tokio::test(flavor = "multi_thread")]
async fn treatment_elsewhere_counts_for_exposure_until_it_is_struck() {
    let (clinic, nurse) = clinic().await;
    let letter = [("on", "2026-10-01"), ("mg", "40"), ("words", "IV, Dr. Lang, by letter")];
    for _double_tap in 0..2 {
        let sent = nurse.post_again(&format!("{PATIENT}/watch/elsewhere"), "letter", &letter).await;
        assert_eq!(sent.status, StatusCode::SEE_OTHER, "{}", reasons(&sent.body));
    }
    let unknown = [("on", "2026-10-08"), ("words", "nasal spray, she says")];
    assert_eq!(post(&nurse, "elsewhere", &unknown).await.0, StatusCode::SEE_OTHER);
    let given = clinic.app.floor.exposures(&PatientId::new("p-1")).expect("log");
    assert_eq!(given.len(), 2);
    let page = nurse.get(&format!("{PATIENT}/watch")).await.body;
    assert!(page.contains("at least 40 mg") && page.contains("elsewhere, entry 2"), "{page}");
    assert!(
        page.contains("<td>not known</td>") && !page.contains("0 mg/kg"),
        "nobody knows it by weight: {page}"
    );
    for (fields, field) in [
        (vec![("on", "2027-01-01"), ("words", "a letter")], "on"),
        (vec![("on", "2026-10-01"), ("mg", "0"), ("words", "a letter")], "mg"),
        (vec![("on", "2026-10-01"), ("mg", "forty"), ("words", "a letter")], "mg"),
        (vec![("on", "2026-10-01"), ("words", "-")], "words"),
    ] {
        let (status, body) = post(&nurse, "elsewhere", &fields).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{fields:?}");
        assert!(body.contains(&format!("elsewhere-{field}-error")), "{fields:?}: {body}");
    }
    let strike = [("entry", "2"), ("reason", "another patient's")];
    assert_eq!(post(&nurse, "strike", &strike).await.0, StatusCode::SEE_OTHER);
    assert_eq!(clinic.app.floor.exposures(&PatientId::new("p-1")).expect("log").len(), 1);
    assert!(nurse.get(&format!("{PATIENT}/watch")).await.body.contains("does not count: another patient"));
    assert_eq!(clinic.kinds("between/p-1"), ["treated_elsewhere", "treated_elsewhere", "elsewhere_struck"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_signs_of_misuse_hold_the_next_booking() {
    let (clinic, nurse) = clinic().await;
    let held = || {
        let due = clinic
            .app
            .floor
            .checks_due(&PatientId::new("p-1"), "2026-11-30".parse().expect("day"))
            .expect("log");
        due.iter().any(|found| found.rule.as_str() == "misuse_signals" && found.verdict >= Verdict::Hold)
    };
    assert_eq!(post(&nurse, "signs", &[]).await.0, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(post(&nurse, "signs", &[("early_requests", "yes")]).await.0, StatusCode::SEE_OTHER);
    assert!(!held());
    assert_eq!(post(&nurse, "signs", &[("intoxicated", "yes")]).await.0, StatusCode::SEE_OTHER);
    assert!(held());
    let page = nurse.get(&format!("{PATIENT}/watch")).await.body;
    assert!(
        page.contains("Signs of misuse 2, review from 2") && page.contains("Holds the next booking"),
        "{page}"
    );
    assert_eq!(
        clinic.signed_in("front.desk").get(&format!("{PATIENT}/watch")).await.status,
        StatusCode::FORBIDDEN
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn earlier_infusions_stand_beside_the_next_order() {
    let visit = Visit::planned().await;
    visit.running().await;
    let vitals = [("what", "distress"), ("value", "7")];
    visit.take("observe", &vitals).await;
    stop(&visit).await;
    let page = visit.clinic.signed_in("prescriber").get(&visit.path("order")).await.body;
    let table = page.split("Infusions so far, as charted").nth(1).expect("a table");
    let row = table.split("<tbody>").nth(1).and_then(|rest| rest.split("</tbody>").next()).expect("a row");
    assert!(
        row.contains("<td>7</td>")
            && row.contains("stopped early, delivered ")
            && row.contains("not charted"),
        "{row}"
    );
}
