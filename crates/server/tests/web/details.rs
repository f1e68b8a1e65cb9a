//! A slip in a registration: corrected with a reason, shown as it was, and never while somebody is treated by it.

use crate::support::{Browser, Clinic};
use crate::walk::{Fields, SIGNED, Visit, read, reasons};
use axum::http::StatusCode;
use clinic::id::PatientId;

const TO: &str = "/patients/p-1/details";

pub fn person(mrn: &'static str, family: &'static str, born: &'static str) -> Fields<'static> {
    vec![("family", family), ("given", "Ana"), ("born", born), ("mrn", mrn), ("sex", "f")]
}

pub async fn registered(desk: &Browser, id: &str, fields: &[(&str, &str)]) {
    let made = desk.post_again("/patients", id, &[fields, &[("allergies", "none")]].concat()).await;
    assert_eq!(made.status, StatusCode::SEE_OTHER, "{}", reasons(&made.body));
}

/// Hazard 122: a slip locks the right person out of her own number.
#[tokio::test(flavor = "multi_thread")]
async fn a_slip_in_a_registration_is_corrected_and_what_stood_there_stays_to_be_read() {
    let clinic = Clinic::open();
    let desk = clinic.signed_in("front.desk");
    registered(&desk, "p-1", &person("78", "Rivero", "1948-03-12")).await;
    let shown = desk.get(TO).await.body;
    assert!(shown.contains("value=\"Rivero\"") && shown.contains("value=\"1948-03-12\""), "{shown}");
    let right = [&person("77", "Rivera", "1984-03-12")[..], &[("reason", "as her passport says")]].concat();
    for _double_tap in 0..2 {
        let told = desk.post_again(TO, "right", &right).await;
        assert_eq!(told.status, StatusCode::SEE_OTHER, "{}", reasons(&told.body));
    }
    assert_eq!(clinic.kinds("patient/p-1"), ["patient_registered", "details_corrected"], "once");
    let shown = desk.get(TO).await.body;
    for part in ["<del>Rivero</del> <ins>Rivera</ins>", "<del>12-Mar-1948</del>", "<del>78</del>"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    for part in ["as her passport says", "front_desk", "22-Nov-2026 09:00"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert!(!shown.contains("<del>female</del>"), "only what differs");
    assert!(desk.get("/patients?q=rivera").await.body.contains("RIVERA, Ana"));
    assert!(!desk.get("/patients?q=rivero").await.body.contains("RIVER"), "the list follows");
    let read = clinic.app.floor.patient(&PatientId::new("p-1")).expect("log").expect("registered");
    assert_eq!((read.mrn.as_str(), read.born.to_string().as_str()), ("77", "1984-03-12"));
    let again = crate::support::open_log(clinic.folder(), &clinic.clock);
    assert_eq!(again.floor.patient(&PatientId::new("p-1")).expect("log"), Some(read), "after a start");
    // The wrong number is free for whose it is, the right one is hers.
    registered(&desk, "p-2", &person("78", "Okafor", "1990-01-02")).await;
    let taken = [&person("77", "Lee", "1991-01-02")[..], &[("allergies", "none")]].concat();
    let taken = desk.post("/patients", &taken).await;
    assert!(reasons(&taken.body).contains("belongs to RIVERA, Ana"), "{}", reasons(&taken.body));
}

/// Hazard 122: whoever looks for her record finds it by the name that she has, and sees which it was.
#[tokio::test(flavor = "multi_thread")]
async fn the_list_of_records_shows_and_finds_the_name_of_now_and_says_which_it_was() {
    let visit = Visit::planned().await;
    let list = async |search: &str| visit.text(&format!("/records?search={search}")).await;
    assert!(!list("").await.contains("was "), "nothing differs yet");
    let desk = visit.clinic.signed_in("front.desk");
    let id = clinic::id::SessionId::new(visit.id.as_str());
    let patient = visit.clinic.app.floor.session(&id).expect("log").expect("planned").patient.expect("hers");
    let fields =
        [("family", "Okafor"), ("given", "Ana"), ("born", "1984-03-12"), ("mrn", "004218"), ("sex", "m")];
    let fields = [&fields[..], &[("reason", "as her passport says")]].concat();
    let told = desk.post(&format!("/patients/{patient}/details"), &fields).await;
    assert_eq!(told.status, StatusCode::SEE_OTHER, "{}", reasons(&told.body));
    for search in ["", "okafor", "rivera", "004218", "004217"] {
        let listed = list(search).await;
        assert!(listed.contains("OKAFOR, Ana was RIVERA, Ana; 004217"), "{search}: {listed}");
        assert!(listed.contains("Showing 1 of 1"), "{search}: {listed}");
    }
    assert!(list("nobody").await.contains("No visit matches"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_correction_is_refused_as_a_registration_would_be_and_writes_nothing() {
    let clinic = Clinic::open();
    let desk = clinic.signed_in("front.desk");
    registered(&desk, "p-1", &person("77", "Rivera", "1984-03-12")).await;
    registered(&desk, "p-2", &person("78", "Okafor", "1990-01-02")).await;
    let head = clinic.head();
    for (field, value, words) in [
        ("mrn", "78", "Record number 78 belongs to OKAFOR, Ana"),
        ("mrn", "", "The record number is empty"),
        ("family", "Okafor", "OKAFOR, Ana, born 1990-01-02, is registered under record number 78"),
        ("born", "2027-01-01", "accepted is 1900-01-01 to 2026-11-22"),
        ("born", "soon", "is not a day"),
        ("sex", "x", "accepted is f or m"),
        ("given", "Ana", "Nothing differs"),
        ("reason", "", "The reason is empty"),
        ("reason", "x", "at least 3 letters"),
    ] {
        let mut fields = person("77", "Rivera", "1984-03-12");
        fields.push(("reason", "as her passport says"));
        if field == "reason" {
            fields.retain(|(name, _)| *name != "given");
            fields.push(("given", "Anna"));
        }
        fields.retain(|(name, _)| *name != field);
        fields.push((field, value));
        let refused = desk.post(TO, &fields).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{field} {value}");
        assert!(reasons(&refused.body).contains(words), "{field}: {}", reasons(&refused.body));
        assert!(refused.body.contains("as her passport says") || field == "reason", "the form is kept");
        assert_eq!(clinic.head(), head, "{field} {value} wrote");
    }
    let asked = [&person("77", "Okafor", "1984-03-12")[..], &[("reason", "married"), ("another", "yes")]];
    let told = desk.post(TO, &asked.concat()).await;
    assert_eq!(told.status, StatusCode::SEE_OTHER, "{}", reasons(&told.body));
    assert_eq!(clinic.signed_in("therapist").get(TO).await.status, StatusCode::FORBIDDEN);
}

/// Hazard 122: between the second check and the stop people stand on what is registered.
#[tokio::test(flavor = "multi_thread")]
async fn who_a_patient_is_stands_still_from_the_second_check_to_the_stop() {
    let visit = Visit::planned().await;
    visit.checked_in().await;
    visit.gates().await;
    visit.ordered().await;
    visit.drawn().await;
    let id = clinic::id::SessionId::new(visit.id.as_str());
    let session = visit.clinic.app.floor.session(&id).expect("log").expect("a session");
    let to = format!("/patients/{}/details", session.patient.expect("a patient"));
    let said = |given: &'static str, sex: &'static str| -> Fields<'static> {
        let name = [("family", "Rivera"), ("given", given), ("born", "1984-03-12"), ("mrn", "004217")];
        [&name[..], &[("sex", sex), ("reason", "as her passport says")]].concat()
    };
    let nurse = visit.nurse();
    let weighed = nurse.post(&to, &said("Ana", "f")).await;
    assert!(reasons(&weighed.body).contains("weighed for sex m"), "{}", reasons(&weighed.body));
    let before = nurse.post(&to, &said("Anna", "m")).await;
    assert_eq!(before.status, StatusCode::SEE_OTHER, "{}", reasons(&before.body));
    visit.take("second-check", &[&read()[..], &SIGNED].concat()).await;
    let head = visit.clinic.head();
    let refused = nurse.post(&to, &said("Ana", "m")).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(reasons(&refused.body).contains("past the second check"), "{}", reasons(&refused.body));
    assert_eq!(visit.clinic.head(), head, "nothing half-written");
}

/// Hazard 148: what was given on either record counts on the one that stays, and nothing more is written on the other.
#[tokio::test(flavor = "multi_thread")]
async fn a_person_who_was_registered_twice_has_one_record_from_then_on() {
    let clinic = Clinic::open();
    let (desk, nurse) = (clinic.signed_in("front.desk"), clinic.signed_in("nurse"));
    registered(&desk, "p-1", &person("78", "Rivera", "1984-03-12")).await;
    let twin = [&person("77", "Rivera", "1984-03-12")[..], &[("another", "yes")]].concat();
    registered(&desk, "p-2", &twin).await;
    registered(&desk, "p-3", &person("79", "Okafor", "1990-01-02")).await;
    let given = [("on", "2026-10-01"), ("mg", "40"), ("words", "at another clinic, by their letter")];
    let noted = nurse.post("/patients/p-1/watch/elsewhere", &given).await;
    assert_eq!(noted.status, StatusCode::SEE_OTHER, "{}", reasons(&noted.body));
    let link =
        crate::walk::consent_link(&desk, "/patients/p-1", &["consent_privacy"], ("usual", "vein")).await;
    let join = |stays: &'static str, reason: &'static str| [("stays", stays), ("reason", reason)];
    let to = "/patients/p-1/join";
    let visit = crate::walk::plan_for(&nurse, "/patients/p-2", "mdd_trd_std").await;
    for (fields, words) in [
        (join("", "one passport"), "record number is empty"),
        (join("999", "one passport"), "Nobody has the record number 999"),
        (join("78", "one passport"), "78 is the number of the record itself"),
        (join("79", "one passport"), "OKAFOR, Ana, born 1990-01-02 and RIVERA, Ana, born 1984-03-12 differ"),
        (join("77", "one passport"), "A visit of 77 is open"),
    ] {
        let refused = nurse.post(to, &fields).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{words}");
        assert!(reasons(&refused.body).contains(words), "{words}: {}", reasons(&refused.body));
    }
    let off = [("session", visit.as_str()), ("reason", "planned on the wrong record")];
    let off = nurse.post(&format!("/visit/{visit}/cancel"), &off).await;
    assert_eq!(off.status, StatusCode::SEE_OTHER, "{}", reasons(&off.body));
    assert_eq!(desk.post(to, &join("77", "one passport")).await.status, StatusCode::FORBIDDEN);
    assert_eq!(clinic.kinds("patient/p-1"), ["patient_registered"], "nothing half-written");
    for _double_tap in 0..2 {
        let joined = nurse.post_again(to, "joins", &join("77", "one passport")).await;
        assert_eq!(joined.goes_to(), "/patients/p-1", "{}", reasons(&joined.body));
    }
    assert_eq!(clinic.kinds("patient/p-1"), ["patient_registered", "record_closed"], "once");
    assert_eq!(clinic.kinds("patient/p-2"), ["patient_registered", "record_taken_in"]);
    let closed = nurse.get("/patients/p-1").await.body;
    assert!(closed.contains("This record is closed.") && closed.contains("RIVERA, Ana, 77"), "{closed}");
    assert!(!closed.contains("id=\"plan\"") && !closed.contains("id=\"allergies\""), "{closed}");
    assert!(nurse.get("/patients/p-2").await.body.contains("RIVERA, Ana, 78"));
    for path in ["allergies", "visit", "consent", "details", "watch/elsewhere", "course/check", "page"] {
        let refused = nurse.post(&format!("/patients/p-1/{path}"), &[("allergies", "none")]).await;
        assert_eq!(refused.status, StatusCode::CONFLICT, "{path}: {}", refused.body);
        assert!(refused.body.contains("record number 77"), "{path}: {}", refused.body);
    }
    for answer in [clinic.browser().get(&link).await, clinic.browser().post(&format!("{link}/1"), &[]).await]
    {
        assert_eq!(answer.status, StatusCode::GONE, "{}", answer.body);
    }
    let twice = nurse.post("/patients/p-2/join", &join("78", "the other way")).await;
    assert!(reasons(&twice.body).contains("78 was joined to another already"), "{}", reasons(&twice.body));
    let again = crate::support::open_log(clinic.folder(), &clinic.clock);
    for app in [&clinic.app, &again] {
        assert_eq!(
            app.floor.exposures(&PatientId::new("p-2")).expect("log").len(),
            1,
            "counted where she goes on"
        );
        assert_eq!(app.floor.joined_to(&PatientId::new("p-1")).expect("log"), Some(PatientId::new("p-2")));
    }
}
