//! What stands beside the infusions: goals, medicines, therapy notes with their readers, the care team and its letter.

use crate::course;
use crate::support::{Browser, Clinic, PIN};
use crate::walk::{Visit, stop};
use axum::http::StatusCode;

const PAGE: &str = "/patients/p-1/care";

async fn registered(clinic: &Clinic) -> Browser {
    let person = [
        ("family", "Rivera"),
        ("given", "Ana"),
        ("born", "1984-03-12"),
        ("mrn", "004217"),
        ("sex", "f"),
        ("allergies", "none"),
        ("which", ""),
    ];
    let nurse = clinic.signed_in("nurse");
    assert_eq!(nurse.post_again("/patients", "p-1", &person).await.goes_to(), "/patients/p-1");
    nurse
}

async fn does(by: &Browser, act: &str, fields: &[(&str, &str)]) {
    let sent = by.post(&format!("{PAGE}/{act}"), fields).await;
    assert_eq!(sent.goes_to(), PAGE, "{act}: {}", sent.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_goal_is_rated_by_one_tap_and_ends_with_a_reason() {
    let clinic = Clinic::open();
    let nurse = registered(&clinic).await;
    assert!(nurse.get("/patients/p-1").await.body.contains(PAGE));
    assert!(nurse.get(PAGE).await.body.contains("No goal yet"));
    let named = nurse.post_again(&format!("{PAGE}/goal"), "g-1", &[("words", "Walk the dog <again>")]).await;
    assert_eq!(named.goes_to(), PAGE, "{}", named.body);
    for rating in ["2", "7"] {
        does(&nurse, "rate", &[("about", "g-1"), ("rating", rating)]).await;
    }
    let page = nurse.get(PAGE).await.body;
    assert!(page.contains("Walk the dog &#60;again&#62;") && page.contains("7 of 10 on "), "{page}");
    let wrong = nurse.post(&format!("{PAGE}/rate"), &[("about", "g-1"), ("rating", "11")]).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.body.contains("The rating “11” is not one of those"), "{}", wrong.body);
    let silent = nurse.post(&format!("{PAGE}/end"), &[("about", "g-1"), ("why", " ")]).await;
    assert!(
        silent.body.contains("end-g-1-why-error"),
        "the reason is asked beside its field: {}",
        silent.body
    );
    does(&nurse, "end", &[("about", "g-1"), ("why", "reached")]).await;
    assert!(nurse.get(PAGE).await.body.contains("Goals that ended (1)"));
    assert_eq!(nurse.post(&format!("{PAGE}/other"), &[]).await.status, StatusCode::NOT_FOUND);
    assert_eq!(nurse.get("/patients/nobody/care").await.status, StatusCode::NOT_FOUND);
    assert_eq!(clinic.signed_in("front.desk").get(PAGE).await.status, StatusCode::FORBIDDEN);
    assert!(clinic.kinds("audit").iter().any(|kind| kind == "record_viewed"), "each view is in the audit");
}

/// Hazard 90: what is said in therapy reaches only whom the patient agreed to.
#[tokio::test(flavor = "multi_thread")]
async fn a_therapists_note_is_opened_by_others_only_with_a_reason_that_its_author_sees() {
    let clinic = Clinic::open();
    let nurse = registered(&clinic).await;
    let (therapist, prescriber) = (clinic.signed_in("therapist"), clinic.signed_in("prescriber"));
    let patients = therapist.get("/patients?q=rivera").await.body;
    assert!(patients.contains("/patients/p-1") && !patients.contains("Register a patient"), "{patients}");
    let note = [("kind", "integration"), ("text", "Spoke about her brother."), ("readers", "therapists")];
    let written = therapist.post_again(&format!("{PAGE}/note"), "n-1", &note).await;
    assert_eq!(written.goes_to(), PAGE, "{}", written.body);
    assert_eq!(nurse.post(&format!("{PAGE}/note"), &note).await.status, StatusCode::FORBIDDEN);
    for other in [&nurse, &prescriber] {
        let page = other.get(PAGE).await.body;
        assert!(page.contains("This note is not shown to you") && !page.contains("her brother"), "{page}");
    }
    let silent = prescriber.post(&format!("{PAGE}/open"), &[("about", "n-1"), ("reason", "")]).await;
    assert!(!silent.body.contains("her brother"), "no reason, no note: {}", silent.body);
    does(&prescriber, "open", &[("about", "n-1"), ("reason", "called from the emergency room")]).await;
    assert!(prescriber.get(PAGE).await.body.contains("her brother"));
    assert!(!nurse.get(PAGE).await.body.contains("her brother"), "opened for one person alone");
    assert!(therapist.get(PAGE).await.body.contains("called from the emergency room"));
    let amended = [
        ("about", "n-1"),
        ("kind", "integration"),
        ("text", "Spoke about her sister."),
        ("readers", "team"),
        ("amend_reason", "wrong person"),
    ];
    does(&therapist, "note", &amended).await;
    let page = therapist.get(PAGE).await.body;
    assert!(page.contains("<s>Spoke about her brother.</s>") && page.contains("wrong person"), "{page}");
    assert!(nurse.get(PAGE).await.body.contains("her sister"), "the team reads what it may");
}

/// Hazard 91: a medicine left off without a physician is told before the next infusion.
#[tokio::test(flavor = "multi_thread")]
async fn a_medicine_left_off_by_the_patient_alone_stands_on_top() {
    let clinic = Clinic::open();
    let nurse = registered(&clinic).await;
    let empty =
        nurse.post(&format!("{PAGE}/medicine"), &[("name", "Lithium"), ("dose", "300 mg at night")]).await;
    for asked in ["Choose what happened.", "Choose who decided it.", "value=\"Lithium\""] {
        assert!(empty.body.contains(asked), "{asked}: {}", empty.body);
    }
    let stopped = [
        ("name", "Lithium"),
        ("dose", ""),
        ("change", "stopped"),
        ("decided_by", "alone"),
        ("physician", ""),
    ];
    does(&nurse, "medicine", &stopped).await;
    let page = nurse.get(PAGE).await.body;
    assert!(page.contains("Changed without a physician") && page.contains("Never stop or change"), "{page}");
    let again = [
        ("name", "lithium"),
        ("dose", "300 mg at night"),
        ("change", "started"),
        ("decided_by", "physician"),
        ("physician", "Dr Sample"),
        ("since", "2020-02-30"),
    ];
    let no_day = nurse.post(&format!("{PAGE}/medicine"), &again).await;
    assert!(no_day.body.contains("medicine-since-error"), "{}", no_day.body);
    does(&nurse, "medicine", &again[..5]).await;
    assert!(!nurse.get(PAGE).await.body.contains("Changed without a physician"));
    does(&nurse, "medicines-asked", &[]).await;
}

/// Hazard 91: what the patient takes is known on the day of the infusion, from what was said between the visits.
#[tokio::test(flavor = "multi_thread")]
async fn the_medicine_list_of_the_day_begins_with_the_care_plan() {
    let visit = Visit::planned().await;
    visit.checked_in().await;
    let page = visit.nurse().get("/patients?q=rivera").await.body;
    let patient =
        page.split("/patients/").nth(1).and_then(|rest| rest.split(['"', '/']).next()).expect("listed");
    let record = async |name: &str, dose: &str, change: &str, by: &str| {
        let fields = [
            ("name", name),
            ("dose", dose),
            ("change", change),
            ("decided_by", by),
            ("physician", "Dr Sample"),
        ];
        let fields = if by == "alone" { &fields[..4] } else { &fields[..] };
        let sent = visit.nurse().post(&format!("/patients/{patient}/care/medicine"), fields).await;
        assert_eq!(sent.status, StatusCode::SEE_OTHER, "{}", sent.body);
    };
    record("Clonazepam", "0.5 mg at night", "takes", "physician").await;
    record("Sertraline", "50 mg", "takes", "physician").await;
    record("Sertraline", "", "stopped", "physician").await;
    record("Lithium", "", "stopped", "alone").await;
    let page = visit.nurse().get(&format!("/visit/{}", visit.id)).await.body;
    assert!(
        page.contains("value=\"Clonazepam\"") && page.contains("Care plan: 0.5 mg at night, takes it."),
        "{page}"
    );
    assert!(!page.contains("value=\"Sertraline\"") && !page.contains("value=\"Lithium\""), "{page}");
    assert!(page.contains("Lithium: stopped, by the patient alone."), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_summary_leaves_only_with_the_patients_word_and_without_therapy_notes() {
    let clinic = Clinic::open();
    let nurse = registered(&clinic).await;
    let note = [("kind", "integration"), ("text", "Spoke about her brother."), ("readers", "team")];
    does(&clinic.signed_in("therapist"), "note", &note).await;
    let carer = [("name", "Dr Sample"), ("role", "family doctor"), ("contact", "555 0100")];
    assert_eq!(nurse.post_again(&format!("{PAGE}/carer"), "c-1", &carer).await.goes_to(), PAGE);
    let letter = format!("{PAGE}/summary/c-1");
    let refused = nurse.get(&letter).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert!(refused.body.contains("the patient was not asked"), "{}", refused.body);
    does(&nurse, "share", &[("about", "c-1"), ("agreed", "yes")]).await;
    assert!(nurse.get(PAGE).await.body.contains(&letter));
    let (page, paper) = (nurse.get(&letter).await.body, format!("{letter}/summary.pdf"));
    assert!(page.contains(&paper) && page.contains("Dr Sample") && !page.contains("her brother"), "{page}");
    let pdf = nurse.get(&paper).await;
    assert_eq!(pdf.status, StatusCode::OK);
    assert!(pdf.body.starts_with("%PDF"), "{}", &pdf.body[..40.min(pdf.body.len())]);
    does(&nurse, "share", &[("about", "c-1"), ("agreed", "no")]).await;
    for address in [&letter, &paper] {
        assert_eq!(nurse.get(address).await.status, StatusCode::FORBIDDEN, "{address}");
    }
    assert_eq!(nurse.get(&format!("{PAGE}/summary/c-9")).await.status, StatusCode::FORBIDDEN);
}

/// The letter to somebody for whom the patient agreed, as a page.
async fn letter_of(by: &Browser, care: &str) -> String {
    let carer = [("name", "Dr Sample"), ("role", "family doctor"), ("contact", "555 0100")];
    let named = by.post_again(&format!("{care}/carer"), "c-1", &carer).await;
    assert_eq!(named.goes_to(), care, "{}", named.body);
    let agreed = by.post(&format!("{care}/share"), &[("about", "c-1"), ("agreed", "yes")]).await;
    assert_eq!(agreed.goes_to(), care, "{}", agreed.body);
    by.get(&format!("{care}/summary/c-1")).await.body
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_tells_who_made_the_diagnosis_the_signed_plan_and_what_is_due() {
    let clinic = Clinic::open();
    let by = course::planned(&clinic).await;
    let change = course::plan("1", &[("infusions", "5"), ("reason", "works well")]);
    assert_eq!(by.post(course::COURSE, &change).await.status, StatusCode::SEE_OTHER);
    let scored = [("scale", "phq9"), ("total_alone", "1"), ("total", "14"), ("form", "paper of today")];
    let entered = by.post("/patients/p-1/scores/enter?scale=phq9", &scored).await;
    assert_eq!(entered.status, StatusCode::SEE_OTHER, "{}", entered.body);
    let page = letter_of(&by, PAGE).await;
    assert!(page.contains("<dd>Last, 22-Nov-2026 09:00: 14. No infusion yet"), "{page}");
    for told in [
        "Recurrent depression, severe",
        "Dr Example, psychiatrist",
        "<dt>Version</dt><dd>2, signed by prescriber, 22-Nov-2026</dd>",
        "<dt>Infusions</dt><dd>5</dd>",
        "<dt>Start dose</dt><dd>0.5\u{a0}mg/kg</dd>",
        "<dt>A week</dt><dd>2</dd>",
        "<th scope=\"row\">Liver enzymes</th><td>20-Nov-2026</td><td>within limits: normal</td>\
         <td>on 20-Feb-2027, or after 11 more infusions</td>",
        "<dt>Ever</dt><dd>0 infusions, 0\u{a0}mg, 0\u{a0}mg/kg</dd>",
        "Changes, the newest first: None was told.",
        "No infusion yet, so there is nothing to compare",
    ] {
        assert!(page.contains(told), "{told}: {page}");
    }
    let stopped = [("name", "Lithium"), ("dose", ""), ("change", "stopped"), ("decided_by", "alone")];
    does(&by, "medicine", &[&stopped[..], &[("physician", "")]].concat()).await;
    let started =
        [("name", "Lithium"), ("dose", "300 mg"), ("change", "started"), ("decided_by", "physician")];
    does(&by, "medicine", &[&started[..], &[("physician", "Dr Sample")]].concat()).await;
    let page = by.get(&format!("{PAGE}/summary/c-1")).await.body;
    let (new, old) = ("started, decided by Dr Sample", "stopped, decided by the patient alone");
    let changes = page.split("Changes, the newest first").nth(1).expect("a table");
    assert!(changes.find(new).zip(changes.find(old)).is_some_and(|(new, old)| new < old), "{changes}");
    let end = [("reason", "moves to another city"), ("user", "prescriber"), ("pin", PIN)];
    assert_eq!(by.post(&format!("{}/close", course::COURSE), &end).await.goes_to(), course::COURSE);
    let page = by.get(&format!("{PAGE}/summary/c-1")).await.body;
    assert!(page.contains("<dd>ended 22-Nov-2026: moves to another city</dd>"), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_never_calls_delivered_what_still_flows() {
    let visit = Visit::planned().await;
    visit.running().await;
    let care = format!("/patients/{}/care", visit.patient());
    let page = letter_of(&visit.nurse(), &care).await;
    assert!(page.contains("under way, ") && !page.to_lowercase().contains("delivered"), "{page}");
    assert!(page.contains("<dd>0 infusions, "), "what flows is no dose that anybody had: {page}");
    stop(&visit).await;
    let page = visit.nurse().get(&format!("{care}/summary/c-1")).await.body;
    assert!(page.contains("delivered ") && !page.contains("under way"), "{page}");
    assert!(page.contains("1 infusion, "), "{page}");
}

/// Hazard 133: what calms this patient is at hand where somebody is frightened.
#[tokio::test(flavor = "multi_thread")]
async fn what_calms_a_patient_stands_at_the_gate_and_on_the_card_of_a_bad_experience() {
    let visit = Visit::planned().await;
    visit.checked_in().await;
    let page = visit.nurse().get("/patients?q=rivera").await.body;
    let patient =
        page.split("/patients/").nth(1).and_then(|rest| rest.split(['"', '/']).next()).expect("listed");
    let care = format!("/patients/{patient}/care");
    let tell = async |of: &'static str, words: &'static str| {
        visit.nurse().post(&format!("{care}/tell"), &[("of", of), ("words", words)]).await
    };
    for (of, words, why) in [
        ("", "music", "Choose what it is about"),
        ("tarot", "music", "“tarot” is not one of those to choose from"),
        ("comfort", " ", "What the patient says"),
    ] {
        let refused = tell(of, words).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{of}: {words}");
        assert!(refused.body.contains(why), "{why}: {}", refused.body);
    }
    assert!(visit.nurse().get(&care).await.body.contains("Not asked yet"));
    for (of, words) in [
        ("comfort", "cello"),
        ("comfort", "cello <loud>"),
        ("frightens", "the dark; say my name"),
        ("if_not", "Back to Dr Sample for ECT."),
    ] {
        assert_eq!(tell(of, words).await.goes_to(), care, "{words}");
    }
    let page = visit.nurse().get(&care).await.body;
    assert!(page.contains("cello &#60;loud&#62;") && page.contains("Said before (1)"), "{page}");
    assert!(page.contains("Back to Dr Sample for ECT.") && page.contains("to nurse, "), "{page}");
    let calms = "What makes an infusion easier: cello &#60;loud&#62;";
    let frightens = "What frightens the patient, and what calms: the dark; say my name";
    for place in ["", "/event/dissociation"] {
        let page = visit.nurse().get(&format!("/visit/{}{place}", visit.id)).await.body;
        assert!(page.contains(calms) && page.contains(frightens), "{place}: {page}");
        assert!(!page.contains("Dr Sample"), "{place}: what it is not for does not stand there");
    }
    let other = visit.nurse().get(&format!("/visit/{}/event/headache", visit.id)).await.body;
    assert!(!other.contains("cello"), "{other}");
    let desk = visit.clinic.signed_in("front.desk");
    let refused = desk.post(&format!("{care}/tell"), &[("of", "comfort"), ("words", "music")]).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
}

/// Hazard 178: what was told at the consultation is known at the chair, beside the infusions and in the letter, and a list
/// of the day that differs is told to who orders.
#[tokio::test(flavor = "multi_thread")]
async fn a_medicine_of_the_consultation_stands_at_the_chair_beside_the_infusions_and_in_the_letter() {
    let visit = Visit::planned().await;
    visit.checked_in().await;
    let (nurse, patient) = (visit.nurse(), format!("/patients/{}", visit.patient()));
    let care = format!("{patient}/care");
    let change = async |name: &str, change: &str| {
        let said = [("name", name), ("dose", "5 mg"), ("change", change), ("decided_by", "physician")];
        let said = [&said[..], &[("physician", "Dr Sample")]].concat();
        assert_eq!(nurse.post(&format!("{care}/medicine"), &said).await.goes_to(), care);
    };
    change("Lithium", "takes").await;
    visit.clinic.minutes_pass(1);
    let consulted = [
        ("medicines[0].name", "clonazepam"),
        ("medicines[0].daily_mg", "2"),
        ("medicines[0].hours_since_last", "3"),
        ("rows", "4"),
        ("read", "0"),
    ];
    let sent = nurse.post(&format!("{patient}/consultation/medicines"), &consulted).await;
    assert_eq!(sent.goes_to(), format!("{patient}/consultation"), "{}", sent.body);
    let page = nurse.get(&format!("/visit/{}", visit.id)).await.body;
    for known in ["value=\"clonazepam\"", "Told at the consultation, 22-Nov-2026.", "value=\"Lithium\""] {
        assert!(page.contains(known), "{known}: {page}");
    }
    let daily = page.split("name=\"daily_0\"").nth(1).and_then(|rest| rest.split('>').next());
    assert!(daily.is_some_and(|field| field.contains("value=\"2\"")), "{daily:?}");
    let page = nurse.get(&care).await.body;
    assert!(
        !page.contains("never asked") && page.contains("told at the consultation; recorded by"),
        "{page}"
    );
    let page = letter_of(&nurse, &care).await;
    for known in ["clonazepam", "2\u{a0}mg a day", "told at the consultation, 22-Nov-2026", "Lithium"] {
        assert!(page.contains(known), "{known}: {page}");
    }
    let none = [("medicines_reviewed", "yes"), ("takes", "none")];
    visit.refuse("gate/c06", &none, "Told before and not stopped: clonazepam, Lithium.").await;
    visit.clinic.minutes_pass(1);
    visit.take("gate/c06", &[("medicines_reviewed", "yes"), ("medicine_0", "phenelzine")]).await;
    let page = visit.nurse().get(&format!("/visit/{}/order", visit.id)).await.body;
    let told = "Medicines told on 22-Nov-2026 differ: phenelzine on the list of the visit, clonazepam not on the list of \
                the visit. Bring the consultation up to date.";
    assert!(page.contains(told), "{page}");
    visit.clinic.minutes_pass(1);
    change("Clonazepam", "stopped").await;
    change("lithium", "stopped").await;
    visit.take("gate/c06", &none).await;
}
