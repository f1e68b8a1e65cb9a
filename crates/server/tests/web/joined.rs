//! Two records of one person: whatever is about safety is asked of both, whichever of them it stands on.

use crate::consultation::{asked_of, screened_of};
use crate::details::{person, registered};
use crate::support::{Browser, Clinic};
use crate::walk::{Visit, agree, plan_for, reasons};
use axum::http::StatusCode;
use clinic::gate::LastInfusion;
use clinic::id::{PatientId, SessionId};

const CLOSES: &str = "/patients/p-1";
const STAYS: &str = "/patients/p-2";
const VISIT: [(&str, &str); 3] = [("regimen", "mdd_trd_std"), ("infusion", "1"), ("of", "6")];

/// One person under the numbers 78, which will close, and 77.
async fn registered_twice(clinic: &Clinic) {
    let desk = clinic.signed_in("front.desk");
    registered(&desk, "p-1", &person("78", "Rivera", "1984-03-12")).await;
    let twin = [&person("77", "Rivera", "1984-03-12")[..], &[("another", "yes")]].concat();
    registered(&desk, "p-2", &twin).await;
}

async fn joined(nurse: &Browser, closes: &str) {
    let fields = [("stays", "77"), ("reason", "one passport")];
    let joined = nurse.post(&format!("{closes}/join"), &fields).await;
    assert_eq!(joined.goes_to(), closes, "{}", reasons(&joined.body));
}

/// Hazard 148: who screened the record that stays before the two were joined did not know what stood on the other.
#[tokio::test(flavor = "multi_thread")]
async fn a_stop_on_the_record_that_closed_stops_an_infusion_until_the_one_that_stays_is_screened_again() {
    for screened_before in [false, true] {
        let clinic = Clinic::open();
        let nurse = clinic.signed_in("nurse");
        registered_twice(&clinic).await;
        agree(&nurse, STAYS, "raised").await;
        asked_of(CLOSES, &nurse, &[("answers.psychosis_now", "yes")]).await;
        assert!(screened_of(CLOSES, &nurse).await.contains("Stop: no infusion"));
        asked_of(STAYS, &nurse, &[]).await;
        if screened_before {
            assert!(screened_of(STAYS, &nurse).await.contains("A course may open."));
        }
        joined(&nurse, CLOSES).await;
        for (who, told) in [("nurse", true), ("front.desk", false)] {
            let refused = clinic.signed_in(who).post(&format!("{STAYS}/visit"), &VISIT).await;
            assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{who}, {screened_before}");
            let words = reasons(&refused.body);
            assert!(words.contains("The screening stands against an infusion"), "{who}: {words}");
            assert_eq!(words.contains("Joined record 78: E06"), told, "{who}: {words}");
        }
        let page = nurse.get(&format!("{STAYS}/consultation")).await.body;
        assert!(page.contains("Joined record 78: E06") && !page.contains("A course may open."), "{page}");
        assert!(nurse.get(STAYS).await.body.contains("Joined record 78: E06"));
        let stays = PatientId::new("p-2");
        let again = crate::support::open_log(clinic.folder(), &clinic.clock);
        let against = again.floor.against_infusion(&stays).expect("log").expect("screened");
        assert!(matches!(against.as_slice(), [one] if one.contains("E06")), "after a start: {against:?}");
        assert!(screened_of(STAYS, &nurse).await.contains("A course may open."));
        assert_eq!(clinic.app.floor.against_infusion(&stays).expect("log"), Some(Vec::new()));
        plan_for(&nurse, STAYS, "mdd_trd_std").await;
    }
}

/// Hazard 148: the wait between two infusions is the person's, whichever record the last one was given on, and so are the
/// medicines.
#[tokio::test(flavor = "multi_thread")]
async fn an_infusion_on_the_record_that_closed_is_the_last_one_of_the_record_that_stays() {
    let given = Visit::planned().await;
    let session = given.clinic.app.floor.session(&SessionId::new(&given.id)).expect("log").expect("planned");
    let closes = format!("/patients/{}", session.patient.expect("whose"));
    given.running().await;
    given.gone_home().await;
    let nurse = given.nurse();
    let taken = [
        ("name", "Tranylcypromine"),
        ("dose", "10 mg"),
        ("change", "takes"),
        ("decided_by", "physician"),
        ("physician", "Dr Sample"),
    ];
    let taken = nurse.post(&format!("{closes}/care/medicine"), &taken).await;
    assert_eq!(taken.status, StatusCode::SEE_OTHER, "{}", taken.body);
    let desk = given.clinic.signed_in("front.desk");
    let twin = [&person("77", "Rivera", "1984-03-12")[..], &[("another", "yes")]].concat();
    registered(&desk, "p-2", &twin).await;
    agree(&nurse, STAYS, "raised").await;
    joined(&nurse, &closes).await;
    assert!(nurse.get(STAYS).await.body.contains(&given.id), "the visit stands on the record that stays");
    let next = Visit { id: plan_for(&nurse, STAYS, "mdd_trd_std").await, clinic: given.clinic };
    next.checked_in().await;
    let page = nurse.get(&format!("/visit/{}", next.id)).await.body;
    assert!(page.contains("Last infusion by this record: 22-Nov-2026"), "{page}");
    assert!(!page.contains("Never had one") && page.contains("Tranylcypromine"), "{page}");
    next.send("gate/c02", &[("last_infusion", "never")]).await;
    let session = next.clinic.app.floor.session(&SessionId::new(&next.id)).expect("log").expect("planned");
    let said = session.gates.values().find_map(|answered| answered.answer.inputs.last_infusion);
    assert!(matches!(said, Some(LastInfusion::Ago(_))), "{said:?}");
}

/// Hazard 148: an allergy that the joined record brought is dropped by a person who asked, never in silence.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_joined_record_brought_is_dropped_by_who_asked_and_the_closed_one_leads_on() {
    let clinic = Clinic::open();
    let nurse = clinic.signed_in("nurse");
    registered_twice(&clinic).await;
    let says = |which: &'static str| [("allergies", "known"), ("which", which)];
    for record in [CLOSES, STAYS] {
        let told = nurse.post(&format!("{record}/allergies"), &says("Latex, penicillin")).await;
        assert_eq!(told.status, StatusCode::SEE_OTHER, "{}", reasons(&told.body));
    }
    joined(&nurse, CLOSES).await;
    let search = nurse.get("/patients?q=Rivera").await.body;
    assert_eq!(search.matches("closed, joined to 77").count(), 1, "{search}");
    let form = format!("{STAYS}/allergies");
    for fields in [&[("allergies", "none")][..], &says("penicillin")] {
        let refused = nurse.post(&form, fields).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{fields:?}");
        let words = reasons(&refused.body);
        assert!(words.contains("The joined record 78 names Latex"), "{words}");
        assert!(refused.body.contains("name=\"dropped\""), "{}", refused.body);
    }
    let more = nurse.post(&form, &says("penicillin, latex, nuts")).await;
    assert_eq!(more.status, StatusCode::SEE_OTHER, "{}", reasons(&more.body));
    let asked = nurse.post(&form, &[("allergies", "none"), ("dropped", "yes")]).await;
    assert_eq!(asked.status, StatusCode::SEE_OTHER, "{}", reasons(&asked.body));
    let link = nurse.post(&format!("{CLOSES}/scores/link"), &[("scale", "phq9")]).await;
    assert_eq!(link.status, StatusCode::CONFLICT, "{}", link.body);
    assert!(clinic.kinds("scales/p-1").is_empty(), "nothing more on the closed one");
    let page = nurse.get(&format!("{CLOSES}/scores")).await.body;
    assert!(page.contains("This record is closed") && page.contains("/patients/p-2/scores"), "{page}");
}
