//! A consultation on the pages: asked section by section, screened, decided on by a prescriber alone.

use crate::support::{Answer, Browser, Clinic, PIN};
use crate::walk::{SIGNED, Visit, agree, display, order, plan_for, read, reasons, said_aloud};
use axum::http::StatusCode;
use serde_json::Value;

const PAGE: &str = "/patients/p-1/consultation";
/// Somebody against whom nothing speaks, as a document of the screening.
const CLEAN: &str = include_str!("../../../clinic/tests/screening/clean.json");
const SECTIONS: [&str; 8] =
    ["plan", "diagnoses", "trials", "medicines", "history", "vitals", "work-up", "scales"];

/// Each value of the document under the name of its field.
fn flat(value: &Value, path: &str, into: &mut Vec<(String, String)>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                flat(value, &path, into);
            }
        }
        Value::Array(list) => {
            for (nth, value) in list.iter().enumerate() {
                flat(value, &format!("{path}[{nth}]"), into);
            }
        }
        Value::String(text) => {
            let text = if text == "negative" { "no" } else { text };
            into.push((path.to_owned(), text.to_owned()));
        }
        other => into.push((path.to_owned(), other.to_string())),
    }
}

fn clean() -> Vec<(String, String)> {
    let mut fields = Vec::new();
    flat(&serde_json::from_str(CLEAN).expect("JSON"), "", &mut fields);
    fields
}

/// Sends a section as it was first drawn, with one field said otherwise.
pub async fn say(by: &Browser, section: &str, read: &str, but: &[(&str, &str)]) -> Answer {
    say_of(PAGE, by, (section, read), but).await
}

async fn say_of(page: &str, by: &Browser, (section, read): (&str, &str), but: &[(&str, &str)]) -> Answer {
    let fields = clean();
    let kept = fields.iter().filter(|(name, _)| !but.iter().any(|(other, _)| other == name));
    let mut all: Vec<(&str, &str)> = kept.map(|(name, value)| (name.as_str(), value.as_str())).collect();
    all.extend([("rows", "4"), ("read", read)]);
    if section == "medicines" && !but.iter().any(|(field, _)| *field == "medicines[0].name") {
        all.push(("none", "yes"));
    }
    all.extend(but);
    by.post(&format!("{page}/{section}"), &all).await
}

pub async fn registered(clinic: &Clinic) -> Browser {
    let person = [
        ("family", "Rivera"),
        ("given", "Ana"),
        ("born", "1984-03-12"),
        ("mrn", "004217"),
        ("sex", "f"),
        ("allergies", "known"),
        ("which", "penicillin"),
    ];
    let nurse = clinic.signed_in("nurse");
    let sent = nurse.post_again("/patients", "p-1", &person).await;
    assert_eq!(sent.goes_to(), "/patients/p-1", "{}", sent.body);
    nurse
}

pub async fn asked_everything(nurse: &Browser, but: &[(&str, &str)]) {
    asked_of("/patients/p-1", nurse, but).await;
}

/// Asks a patient everything, with some of it said otherwise.
pub async fn asked_of(patient: &str, nurse: &Browser, but: &[(&str, &str)]) {
    let page = format!("{patient}/consultation");
    for section in SECTIONS {
        let sent = say_of(&page, nurse, (section, "0"), but).await;
        assert_eq!(sent.goes_to(), page, "{section}: {}", sent.body);
    }
}

pub async fn screened(by: &Browser) -> String {
    screened_of("/patients/p-1", by).await
}

/// Screens a patient, and says what the page of the consultation shows then.
pub async fn screened_of(patient: &str, by: &Browser) -> String {
    let page = format!("{patient}/consultation");
    let sent = by.post(&format!("{patient}/screening"), &[("profile", "default")]).await;
    assert_eq!(sent.goes_to(), page, "{}", sent.body);
    by.get(&page).await.body
}

fn decision(user: &'static str, screened: &'static str) -> [(&'static str, &'static str); 4] {
    [("reason", "seen by cardiology, agreed"), ("screened", screened), ("user", user), ("pin", PIN)]
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_asked_section_by_section_opens_a_course_and_the_verdict_is_kept() {
    let clinic = Clinic::open();
    let nurse = registered(&clinic).await;
    assert!(nurse.get("/patients/p-1").await.body.contains(PAGE));
    let empty = nurse.get(PAGE).await.body;
    assert!(empty.contains("Not screened yet") && empty.contains("Missing:"), "{empty}");
    let asked = empty.contains("Height") && empty.contains("Regimen");
    let paths =
        ["answers.", "labs.", "workup.", "scales.", "vitals."].iter().any(|list| empty.contains(list));
    assert!(asked && !paths, "what is missing stands as it is asked: {empty}");
    let held = screened(&nurse).await;
    assert!(held.contains("missing: Blood pressure, diagnoses.") && held.contains("YMRS or ASRM"), "{held}");
    let of_lists = ["answers.", "labs.", "workup.", "vitals.p", "person.b", "made_by"];
    assert!(!of_lists.iter().any(|list| held.contains(list)), "a verdict is read without paths: {held}");
    assert!(!empty.contains("Not said"), "rows that nobody filled in are not shown: {empty}");
    asked_everything(&nurse, &[]).await;
    let page = nurse.get(PAGE).await.body;
    assert!(!page.contains("Missing:") && page.contains("No course may open yet"), "{page}");
    for said in [
        "sertraline",
        "Dr Example, psychiatrist",
        "Asked, and there is none",
        "122 mmHg",
        "22-Nov-2026, 09:10",
    ] {
        assert!(page.contains(said), "{said} is not on the page");
    }
    let page = screened(&nurse).await;
    assert!(page.contains("A course may open.") && page.contains("the rules of today: the same"), "{page}");
    let kinds = [&["screened"][..], &["section_recorded"; 8], &["screened"]].concat();
    assert_eq!(clinic.kinds("consultation/p-1"), kinds);
    let form = nurse.get(&format!("{PAGE}/trials")).await.body;
    assert!(form.contains("value=\"sertraline\"") && form.contains("value=\"venlafaxine\""), "{form}");
    let again = say(&nurse, "scales", "9", &[("scales.phq9.value", "20")]).await;
    assert_eq!(again.goes_to(), PAGE, "{}", again.body);
    let page = nurse.get(PAGE).await.body;
    assert!(page.contains("Screen again first") && !page.contains("A course may open."), "{page}");
    assert!(clinic.kinds("audit").iter().any(|kind| kind == "record_viewed"), "each view is in the audit");
    assert_eq!(clinic.signed_in("therapist").get(PAGE).await.status, StatusCode::FORBIDDEN);
}

/// Hazard 141: a multiple beside the limit of the laboratory would pass for a fraction of it.
#[tokio::test(flavor = "multi_thread")]
async fn a_multiple_typed_beside_its_upper_limit_is_asked_about_and_shown_as_it_is_judged() {
    let clinic = Clinic::open();
    let nurse = registered(&clinic).await;
    let path = format!("{PAGE}/work-up");
    let alt = |value: &'static str, uln: &'static str, sure: &str| {
        let (nurse, path, sure) = (nurse.clone(), path.clone(), sure.to_owned());
        async move {
            let read = nurse.get(&path).await.body;
            let read = read.split("name=\"read\" value=\"").nth(1).and_then(|rest| rest.split('"').next());
            let read = read.expect("a version").to_owned();
            let fields = [
                ("labs.alt.value", value),
                ("labs.alt.uln", uln),
                ("labs.alt.on", "2026-11-20"),
                ("read", read.as_str()),
                ("sure", sure.as_str()),
            ];
            nurse.post(&path, &fields).await
        }
    };
    assert!(nurse.get(&path).await.body.contains("or the laboratory’s unit"));
    let asked = alt("6", "40", "").await;
    assert_eq!(asked.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", asked.body);
    assert!(asked.body.contains("6 of 40 = 0.15 × upper limit"), "{}", asked.body);
    assert!(clinic.log("consultation/p-1").is_empty(), "nothing half-written");
    let sure = asked.body.split("name=\"sure\" value=\"").nth(1).and_then(|rest| rest.split('"').next());
    let sure = sure.expect("what was asked").to_owned();
    assert_eq!(alt("7", "40", &sure).await.status, StatusCode::UNPROCESSABLE_ENTITY, "another question");
    for (value, uln, sure, shown) in [
        ("6", "40", sure.as_str(), "6 of 40 = 0.15 × upper limit"),
        ("6", "", "", "6 × upper limit"),
        ("32", "40", "", "32 of 40 = 0.8 × upper limit"),
        ("240", "40", "", "240 of 40 = 6 × upper limit"),
    ] {
        let saved = alt(value, uln, sure).await;
        assert_eq!(saved.goes_to(), PAGE, "{value} of {uln}: {}", saved.body);
        let page = nurse.get(PAGE).await.body;
        assert!(page.contains(shown), "{shown}: {page}");
    }
}

/// Hazard 38: only a prescriber, only with a signature, and only where the rule leaves it to one.
#[tokio::test(flavor = "multi_thread")]
async fn what_holds_is_decided_by_the_signature_of_a_prescriber_and_a_stop_by_nobody() {
    let clinic = Clinic::open();
    let nurse = registered(&clinic).await;
    asked_everything(&nurse, &[("answers.cardiovascular_event_6_months", "yes")]).await;
    let page = screened(&nurse).await;
    assert!(page.contains("On hold until a prescriber decides") && page.contains("E04, hold"), "{page}");
    let path = "/patients/p-1/screening/decision";
    let head = clinic.log("consultation/p-1").len();
    for (fields, status) in [
        (decision("nurse", "9"), StatusCode::UNPROCESSABLE_ENTITY),
        (decision("prescriber", "8"), StatusCode::CONFLICT),
    ] {
        let sent = nurse.post(path, &fields).await;
        assert_eq!(sent.status, status, "{}", sent.body);
    }
    let wrong = [("reason", "."), ("screened", "9"), ("user", "prescriber"), ("pin", PIN)];
    assert_eq!(nurse.post(path, &wrong).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(clinic.log("consultation/p-1").len(), head, "nothing of it was recorded");
    for _ in 0..2 {
        let sent = nurse.post_again(path, "decision", &decision("prescriber", "9")).await;
        assert_eq!(sent.goes_to(), PAGE, "{}", sent.body);
    }
    assert_eq!(clinic.log("consultation/p-1").len(), head + 1, "sent twice, counted once");
    let page = nurse.get(PAGE).await.body;
    assert!(page.contains("A course may open.") && page.contains("seen by cardiology"), "{page}");

    let stop = [("answers.aneurysm_or_malformation", "yes")];
    assert_eq!(say(&nurse, "history", "5", &stop).await.goes_to(), PAGE);
    assert!(screened(&nurse).await.contains("Stop: no infusion"));
    let sent = nurse.post(path, &decision("prescriber", "12")).await;
    assert!(sent.status == StatusCode::UNPROCESSABLE_ENTITY && sent.body.contains("E01"), "{}", sent.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slip_stands_beside_its_field_and_two_editors_see_both_edits() {
    let clinic = Clinic::open();
    let nurse = registered(&clinic).await;
    for (section, field, value, says) in [
        ("vitals", "vitals.heart_rate", "400", "Heart rate: 400. Accepted is 20 to 250 /min."),
        ("vitals", "vitals.temperature", "50", "Temperature: 50. Accepted is 30 to 43 °C."),
        (
            "vitals",
            "vitals.pressures[1].systolic",
            "10",
            "Second reading: Systolic: 10. Accepted is 40 to 300 mmHg.",
        ),
        ("vitals", "person.weight_kg", "72,5", "72,5"),
        ("diagnoses", "diagnoses[2].code", "depression", "not an ICD-10-CM code"),
        ("diagnoses", "diagnoses[2].made_by", "somebody", "3. ICD-10-CM code: it is missing"),
        ("history", "answers.escort", "perhaps", "perhaps"),
        ("work-up", "labs.egfr.on", "2027-01-01", "2027-01-01"),
        ("work-up", "labs.egfr.on", "1984-03-11", "a day from 1984-03-12, the day of birth,"),
        ("diagnoses", "diagnoses[0].on", "1984-03-11", "a day from 1984-03-12, the day of birth,"),
        (
            "scales",
            "scales.phq9.on",
            "2016-11-20",
            "PHQ-9: day: 2016-11-20 cannot be. Accepted is a day from 2021-11-22",
        ),
        ("medicines", "medicines[1].name", "sertraline", "Keep one"),
        ("trials", "trials[1].weeks", "-3", "2. Weeks at that dose “-3” cannot be read"),
        ("scales", "scales.phq9.value", "13.5", "a whole number from 0 to 27"),
        ("scales", "scales.gad7.value", "20.25", "a whole number from 0 to 21"),
    ] {
        let sent = say(&nurse, section, "0", &[(field, value)]).await;
        assert_eq!(sent.status, StatusCode::UNPROCESSABLE_ENTITY, "{section}: {}", sent.body);
        assert!(sent.body.contains("field-error") && sent.body.contains(says), "{field}: {}", sent.body);
        assert!(sent.body.contains(value), "what was typed is kept");
        let told = reasons(&sent.body);
        assert!(!told.contains(['[', '_']) && !told.contains("labs."), "a person reads names: {told}");
    }
    assert_eq!(clinic.kinds("consultation/p-1"), Vec::<String>::new());

    assert_eq!(say(&nurse, "vitals", "0", &[]).await.goes_to(), PAGE);
    let late = say(&clinic.signed_in("prescriber"), "vitals", "0", &[("vitals.heart_rate", "91")]).await;
    assert_eq!(late.status, StatusCode::CONFLICT, "{}", late.body);
    assert!(late.body.contains("Recorded meanwhile") && late.body.contains("68 /min"), "{}", late.body);
    assert!(late.body.contains("value=\"91\"") && late.body.contains("name=\"read\" value=\"1\""));
    assert_eq!(clinic.kinds("consultation/p-1").len(), 1);
    let unread = say(&nurse, "vitals", "", &[]).await;
    assert_eq!(unread.status, StatusCode::CONFLICT, "a form that read nothing");
}

/// Records the history anew, with or without a psychosis now.
async fn history(nurse: &Browser, read: &str, psychosis: &str) {
    let sent = say(nurse, "history", read, &[("answers.psychosis_now", psychosis)]).await;
    assert_eq!(sent.goes_to(), PAGE, "{}", sent.body);
}

/// Hazard 137: planned, checked in, ordered, started: each is refused while it stands, and free at once without it.
#[tokio::test(flavor = "multi_thread")]
async fn a_stop_of_the_screening_stops_every_step_to_an_infusion_and_a_new_verdict_frees_it() {
    let clinic = Clinic::open();
    let nurse = registered(&clinic).await;
    agree(&nurse, "/patients/p-1", "raised").await;
    asked_everything(&nurse, &[("answers.psychosis_now", "yes")]).await;
    assert!(screened(&nurse).await.contains("Stop: no infusion"));
    let (visit, fields) =
        ("/patients/p-1/visit", [("regimen", "mdd_trd_std"), ("infusion", "1"), ("of", "6")]);
    for (who, told) in [("nurse", true), ("front.desk", false)] {
        let refused = clinic.signed_in(who).post(visit, &fields).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{who}");
        assert!(refused.body.contains("The screening stands against an infusion"), "{}", refused.body);
        assert_eq!(refused.body.contains("E06"), told, "{who}: {}", refused.body);
    }
    history(&nurse, "5", "no").await;
    let still = nurse.post(visit, &fields).await;
    assert!(
        still.status == StatusCode::UNPROCESSABLE_ENTITY && still.body.contains("E06"),
        "not screened anew"
    );
    assert!(screened(&nurse).await.contains("A course may open."));
    let id = plan_for(&nurse, "/patients/p-1", "mdd_trd_std").await;
    let visit = Visit { clinic, id };
    let page = nurse.get(&format!("/visit/{}", visit.id)).await.body;
    assert!(!page.contains("No screening on record") && !page.contains("stands against"), "{page}");

    history(&nurse, "10", "yes").await;
    visit.refuse("check-in", &[("chair", "3")], "E06").await;
    history(&nurse, "12", "no").await;
    visit.checked_in().await;
    visit.gates().await;
    history(&nurse, "13", "yes").await;
    visit.refuse("order", &[&order()[..], &SIGNED].concat(), "E06").await;
    history(&nurse, "14", "no").await;
    visit.ordered().await;
    visit.drawn().await;
    visit.take("second-check", &[&read()[..], &SIGNED].concat()).await;
    visit.take("pump-program", &display()).await;
    visit.take("time-out", &said_aloud()).await;
    history(&nurse, "15", "yes").await;
    screened(&nurse).await;
    for place in ["", "/order", "/preparation"] {
        let page = nurse.get(&format!("/visit/{}{place}", visit.id)).await.body;
        assert!(page.contains("The screening stands against an infusion") && page.contains("E06"), "{page}");
        assert!(page.contains(&format!("href=\"{PAGE}\"")), "{place} leads to the consultation");
    }
    visit.refuse("start", &[("counter", "0")], "E06").await;
    history(&nurse, "16", "no").await;
    visit.refuse("start", &[("counter", "0")], "E06").await;
    screened(&nurse).await;
    visit.take("start", &[("counter", "0")]).await;
    assert_eq!(visit.phase(), "infusing");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nobody_screened_nothing_is_refused_and_the_checklist_and_the_order_say_so() {
    let visit = Visit::planned().await;
    visit.checked_in().await;
    for place in ["", "/order"] {
        let page = visit.nurse().get(&format!("/visit/{}{place}", visit.id)).await.body;
        assert!(page.contains("No screening on record"), "{place}: {page}");
    }
}

/// Hazard 138: a high risk of suicide calls who is on call at once, and holds until a prescriber decided.
#[tokio::test(flavor = "multi_thread")]
async fn a_high_c_ssrs_of_a_consultation_opens_one_task_and_holds_until_a_prescriber_decided() {
    let clinic = Clinic::open();
    let nurse = registered(&clinic).await;
    let high = [("scales.cssrs.value", "high")];
    asked_everything(&nurse, &high).await;
    assert_eq!(say(&nurse, "scales", "8", &high).await.goes_to(), PAGE);
    let tasks = clinic.app.floor.open_tasks();
    let titles: Vec<String> = tasks.iter().map(|(_, task)| task.why.title()).collect();
    assert_eq!(titles, ["Consultation, C-SSRS risk: high"], "once");
    assert!(nurse.get("/tasks").await.body.contains("Consultation, C-SSRS risk: high"));
    assert_eq!(say(&nurse, "scales", "9", &[("scales.cssrs.value", "none")]).await.goes_to(), PAGE);
    assert_eq!(clinic.app.floor.open_tasks().len(), 1, "an answer taken back leaves the task to a person");
    assert_eq!(say(&nurse, "scales", "10", &high).await.goes_to(), PAGE);
    assert_eq!(clinic.app.floor.open_tasks().len(), 1, "somebody is seeing to the same answer");

    assert!(screened(&nurse).await.contains("E26, hold"));
    let (visit, fields) =
        ("/patients/p-1/visit", [("regimen", "mdd_trd_std"), ("infusion", "1"), ("of", "6")]);
    let held = nurse.post(visit, &fields).await;
    assert!(held.status == StatusCode::UNPROCESSABLE_ENTITY && held.body.contains("E26"), "{}", held.body);
    let sent = nurse.post("/patients/p-1/screening/decision", &decision("prescriber", "12")).await;
    assert_eq!(sent.goes_to(), PAGE, "{}", sent.body);
    plan_for(&nurse, "/patients/p-1", "mdd_trd_std").await;
}

/// Hazard 178: no verdict passes on a list of medicines that is known to be old, and a new list frees it.
#[tokio::test(flavor = "multi_thread")]
async fn medicines_told_since_hold_the_screening_until_the_consultation_is_up_to_date() {
    let clinic = Clinic::open();
    let nurse = registered(&clinic).await;
    let sertraline = [("medicines[0].name", "sertraline"), ("medicines[0].daily_mg", "50")];
    asked_everything(&nurse, &sertraline).await;
    assert!(screened(&nurse).await.contains("A course may open."));
    clinic.minutes_pass(1);
    for (name, change) in [("Tranylcypromine", "started"), ("Sertraline", "stopped")] {
        let said = [("name", name), ("dose", "10 mg"), ("change", change), ("decided_by", "physician")];
        let said = [&said[..], &[("physician", "Dr Sample")]].concat();
        let sent = nurse.post("/patients/p-1/care/medicine", &said).await;
        assert_eq!(sent.status, StatusCode::SEE_OTHER, "{}", sent.body);
    }
    let told = "Medicines told on 22-Nov-2026 differ: Tranylcypromine started, Sertraline stopped. Bring the \
                consultation up to date.";
    let page = nurse.get(PAGE).await.body;
    assert!(page.contains(told) && page.contains("On hold until the consultation is up to date"), "{page}");
    assert!(!page.contains("A course may open.") && !page.contains("Nothing speaks against it"), "{page}");
    let head = clinic.log("consultation/p-1").len();
    let refused = nurse.post("/patients/p-1/screening", &[("profile", "default")]).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(reasons(&refused.body).contains(told), "{}", refused.body);
    assert_eq!(clinic.log("consultation/p-1").len(), head, "no verdict on an old list");
    clinic.minutes_pass(1);
    let now = [("medicines[0].name", "tranylcypromine"), ("medicines[0].daily_mg", "10")];
    let sent = say(&nurse, "medicines", "4", &now).await;
    assert_eq!(sent.goes_to(), PAGE, "{}", sent.body);
    let page = screened(&nurse).await;
    assert!(page.contains("D06, warning") && !page.contains("Medicines told on"), "{page}");
}

/// What a form leaves open of a trial stays open: it is asked for, and no answer is made of it.
#[tokio::test(flavor = "multi_thread")]
async fn a_trial_whose_kind_and_purpose_nobody_said_holds_until_they_are_said() {
    let clinic = Clinic::open();
    let nurse = registered(&clinic).await;
    asked_everything(&nurse, &[("trials[0].kind", ""), ("trials[1].weeks", "5")]).await;
    let page = screened(&nurse).await;
    for missing in ["Treatment tried before 1, Kind", "Treatment tried before 2, Added to another"] {
        assert!(page.contains(missing), "{missing}: {page}");
    }
}
