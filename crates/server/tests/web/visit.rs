//! A whole visit by forms alone, each refusal with its reason and nothing written, and every form sent twice.

use crate::support::{Clinic, PIN};
use crate::walk::{
    Fields, SIGNED, VIAL, Visit, WORDS, display, home, misread, order, plan, read, reasons, said_aloud, stop,
};
use axum::http::StatusCode;

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_visit_runs_by_forms_alone_and_every_form_acts_once() {
    let visit = Visit::planned().await;
    visit.running().await;
    assert_eq!(visit.phase(), "infusing");
    visit.clinic.minutes_pass(10);
    visit.take("rate", &[("rate", "20"), ("reason", "pressure rises")]).await;
    visit.take("event/nausea_vomiting", &[("grade", "1"), ("text", "queasy")]).await;
    let rescue = [
        ("drug", "ondansetron"),
        ("unit", "mg"),
        ("route", "IV"),
        ("playbook", "nausea_vomiting"),
        ("standard", "4"),
    ];
    visit.refuse("drug", &rescue, "Not with a QTc of 500 ms or more").await;
    let sheet = visit.nurse().get(&visit.path("drug")).await.body;
    assert!(sheet.contains("STANDING ORDER NOT SIGNED by the clinic"), "{sheet}");
    visit.take("drug", &[&rescue[..], &[("confirmed", "yes")]].concat()).await;
    visit.take("event-end", &[("number", "1"), ("outcome", "gone after 10 min")]).await;
    visit.take("note", &[("text", "calm")]).await;
    visit.take("pump", &[("status", "infusing"), ("rate", "20"), ("counter", "5.2")]).await;
    visit.clinic.minutes_pass(30);
    stop(&visit).await;
    let last = [("status", "not_infusing"), ("rate", "0"), ("counter", "15.4"), ("back", "discharge")];
    visit.take("pump", &last).await;
    let left =
        [("wasted", "5"), ("residual_in_line", "0.1"), ("left_in_vial_1", "9.18"), ("vial_fate", "wasted")];
    visit.take("waste", &[&left[..], &SIGNED].concat()).await;
    visit.clinic.minutes_pass(104);
    let signs = [("what", "vitals"), ("sbp", "126"), ("dbp", "78"), ("hr", "74"), ("spo2", "98")];
    visit.take("observe", &signs).await;
    visit.clinic.minutes_pass(16);
    visit.take("observe", &[("what", "moaas"), ("value", "5")]).await;
    visit.take("observe", &[("what", "as_before"), ("value", "yes")]).await;
    visit.take("observe", &[("what", "nausea"), ("value", "0")]).await;
    let score = [
        ("vital_signs", "2"),
        ("activity", "2"),
        ("nausea_pain", "2"),
        ("bleeding", "2"),
        ("intake_output", "1"),
    ];
    visit.take("discharge-score", &score).await;
    let home = home();
    visit
        .refuse(
            "discharge",
            &[&home[..], &[("user", "nurse"), ("pin", "000000")]].concat(),
            "PIN is not right",
        )
        .await;
    let page = visit.nurse().get(&visit.path("discharge")).await.body;
    assert!(page.contains("This visit has missed checks:") && page.contains("NIBP is overdue"), "{page}");
    let signed = [("user", "nurse"), ("pin", PIN)];
    let old = "blood pressure is 16 min old, at most 15 min; look again";
    assert!(page.contains(old), "{page}");
    visit.refuse("discharge", &[&home[..], &WORDS, &signed].concat(), old).await;
    visit.take("observe", &signs).await;
    visit.refuse("discharge", &[&home[..], &signed].concat(), "A word on the missed checks is missing").await;
    visit.take("discharge", &[&home[..], &WORDS, &signed].concat()).await;
    assert_eq!(visit.phase(), "discharged");
    let page = visit.nurse().get(&visit.path("discharge")).await;
    assert!(page.body.contains("30.8\u{a0}mg delivered, as the pump was last read"), "{}", page.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_before_the_drug_is_refused_with_words_and_nothing_written() {
    let visit = Visit::planned().await;
    visit.refuse("check-in", &[], "Choose a chair").await;
    visit.refuse("check-in", &[("chair", "99")], "no chair 99").await;
    visit.refuse("cancel", &[("reason", " ")], "reason is missing").await;
    visit.take("check-in", &[("chair", "3")]).await;
    visit.refuse("weight", &[("weight", ".5"), ("unit", "kg")], "leading zero").await;
    visit.refuse("weight", &[("weight", "82.0"), ("unit", "kg")], "trailing zero").await;
    visit.refuse("weight", &[("unit", "kg")], "weight is empty").await;
    visit.refuse("weight", &[("weight", "9000"), ("unit", "kg")], "9,000").await;
    visit.take("weight", &[("weight", "82"), ("unit", "kg"), ("height", "178"), ("sex", "m")]).await;
    visit.refuse("gate/c10", &[], "answered by what is done").await;
    visit.refuse("gate/zzz", &[], "no gate zzz").await;
    visit.refuse("gate/c05", &[("hours_since_solids", "1,5")], "comma").await;
    visit.refuse("gate/c04", &[("escort_named", "yes")], "escort&#39;s name is empty").await;
    visit.refuse("gate/c04", &[("escort", "?")], "Accepted is a name, in letters.").await;
    visit.refuse("gate/c04", &[("escort_number", "-")], "at least 5 digits").await;
    visit.refuse("gate/c06", &[("takes", "none"), ("medicine_0", "lithium")], "Keep one of the two").await;
    visit.refuse("gate/c11", &[("systolic_0", "120")], "no diastolic").await;
    let decide = [("reason", "seen by me"), ("user", "nurse"), ("pin", PIN)];
    visit.refuse("gate/c05/override", &decide, "may not override a limit").await;
    visit
        .refuse(
            "order",
            &[("concentration", "2"), ("user", "nurse"), ("pin", PIN)],
            "changed since it was shown",
        )
        .await;
    visit
        .refuse(
            "order",
            &[&order()[..], &[("user", "nurse"), ("pin", PIN)]].concat(),
            "may not sign an order",
        )
        .await;
    visit.refuse("order", &[&order()[..], &[("dose", ".5 mg/kg")]].concat(), "leading zero").await;
    visit.refuse("order", &[&order()[..], &[("dose", "50 mg/kg")], &SIGNED[..]].concat(), "").await;
    visit.refuse("vial", &[("code", "(01)00342023113107(17)270131(10)A1")], "check digit").await;
    visit
        .refuse(
            "vial",
            &[("code", "(01)00342023113108(17)260131(10)A1"), ("strength", "50")],
            "Expiry is 2026-01-31",
        )
        .await;
    visit.refuse("vial", &[("code", VIAL)], "stands for 10 mg/mL or 50 mg/mL").await;
    visit.refuse("vial", &[("code", VIAL), ("strength", "100")], "not that of the scanned product").await;
    visit
        .refuse(
            "draw",
            &[("vial", "v"), ("stock", "0.82"), ("diluted_to", "20.5"), ("diluent", "water")],
            "signed order is missing",
        )
        .await;
    visit.refuse("time-out", &said_aloud(), "Not answered").await;
    visit.refuse("start", &[("counter", "0")], "come first").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn drug_checks_and_pump_refuse_slips_with_words_and_nothing_written() {
    let visit = Visit::planned().await;
    visit.checked_in().await;
    visit.gates().await;
    visit.ordered().await;
    visit.drawn().await;
    let same = [&read()[..], &[("user", "nurse"), ("pin", PIN)]].concat();
    visit.refuse("second-check", &same, "nurse cannot both").await;
    for (field, value, words) in [
        ("dose", "410", "The dose differs: you have 410 mg."),
        ("identifier", "004218", "The patient differs: you have 004218"),
        ("drug_1", "Esketamine", "The drug differs: you have Esketamine."),
        ("diluent", "glucose 5 %", "The diluent differs: you have glucose 5 %."),
    ] {
        visit.differ(field, value, words).await;
    }
    for (field, words) in [
        ("name_said", "Ask the patient for the name"),
        ("identifier", "The record number or birth date is empty"),
        ("drug_1", "The drug on the label is empty"),
        ("diluent", "Choose what it is diluted with"),
        ("dose_weight", "The dose weight is empty"),
        ("vtbi", "The volume to be infused is empty"),
    ] {
        visit.refuse("second-check", &[&misread(field, "")[..], &SIGNED].concat(), words).await;
    }
    visit
        .refuse(
            "second-check",
            &[&read()[..], &[("user", "prescriber"), ("pin", "1")]].concat(),
            "PIN is not right",
        )
        .await;
    visit.take("second-check", &[&read()[..], &SIGNED].concat()).await;
    let mut basic = display();
    basic.retain(|(name, _)| *name != "library_entry");
    visit.refuse("pump-program", &basic, "basic mode").await;
    let slip = [("rate", "308"), ("vtbi", "20.5"), ("concentration", "2"), ("library_entry", "Ketamine")];
    visit.refuse("pump-program", &slip, "Ten times").await;
    let other = [("rate", "30.8"), ("vtbi", "20.5"), ("concentration", "2"), ("library_entry", "Basic")];
    visit.refuse("pump-program", &other, "the order says Ketamine PSYCH 2 mg/mL").await;
    visit.take("pump-program", &display()).await;
    visit.refuse("time-out", &[("confirmed", "patient")], "time-out point").await;
    visit.refuse("time-out", &[&said_aloud()[..], &[("confirmed", "parking")]].concat(), "parking").await;
    visit.take("time-out", &said_aloud()).await;
    visit.refuse("time-out", &said_aloud(), "One was taken").await;
    visit.refuse("start", &[], "counter is empty").await;
    visit.take("start", &[("counter", "0")]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_infusion_and_its_waste_refuse_slips_with_words_and_nothing_written() {
    let visit = Visit::planned().await;
    visit.running().await;
    visit.clinic.minutes_pass(5);
    visit.refuse("rate", &[("rate", "40"), ("reason", "faster")], "above the absolute limit").await;
    visit.refuse("rate", &[("rate", "20")], "reason for the new rate is missing").await;
    visit.refuse("resume", &[("rate", "20"), ("reason", "calm")], "not paused").await;
    visit
        .refuse("pump", &[("status", "infusing"), ("rate", "30.8"), ("counter", "97")], "all that was drawn")
        .await;
    visit.refuse("pump", &[("rate", "30.8"), ("counter", "2")], "whether the pump infuses").await;
    visit.refuse("observe", &[("what", "moaas"), ("value", "6")], "0 to 5").await;
    visit.refuse("observe", &[("what", "vitals")], "vital sign").await;
    visit.refuse("observe", &[("what", "moaas")], "empty").await;
    visit.refuse("observe", &[("what", "luck"), ("value", "1")], "not something to chart").await;
    visit.refuse("note", &[("text", "")], "text of the note").await;
    visit.refuse("event/hypertension", &[("text", "x")], "Choose the grade").await;
    let much = [
        ("drug", "labetalol"),
        ("unit", "mg"),
        ("route", "IV"),
        ("playbook", "hypertension"),
        ("dose", "200"),
    ];
    visit.refuse("drug", &much, "standing order").await;
    visit.refuse("event-end", &[("number", "7"), ("outcome", "over")], "not known").await;
    visit.refuse("waste", &[("wasted", "5")], "line is empty").await;
    visit.refuse("discharge-score", &[("activity", "2")], "End the infusion first").await;
    visit.refuse("cancel", &[("reason", "changed her mind")], "Drug has flowed").await;
    visit.refuse("transfer", &[("to", "ward")], "reason is empty").await;
    stop(&visit).await;
    let left =
        [("wasted", "5"), ("residual_in_line", "0.1"), ("left_in_vial_1", "9.18"), ("vial_fate", "wasted")];
    visit.refuse("waste", &[&left[..], &SIGNED].concat(), "uncertain until somebody reads the pump").await;
    visit.take("pump", &[("status", "not_infusing"), ("rate", "0"), ("counter", "2.6")]).await;
    visit.waste_differs("differs-bare", &[&left[..], &SIGNED].concat()).await;
    visit.waste_differs("differs-blank", &[&left[..], &[("explanation", " ")], &SIGNED].concat()).await;
    let dot = [&left[..], &[("explanation", ".")], &SIGNED].concat();
    visit.refuse("waste", &dot, "at least 3 letters").await;
    let said = ("explanation", "spilled");
    let rest = |wasted, vial| {
        [
            ("wasted", wasted),
            ("residual_in_line", "0.1"),
            ("left_in_vial_1", vial),
            ("vial_fate", "returned"),
            said,
        ]
    };
    let none = [&rest("5", "")[..], &SIGNED].concat();
    visit.refuse("waste", &none, "The volume left in vial 1 is empty").await;
    let form = visit.nurse().get(&visit.path("discharge")).await.body;
    let asks =
        form.split("id=\"waste\"").nth(1).and_then(|form| form.split("</form>").next()).expect("the form");
    assert!(asks.contains("Left in vial 1, lot A1, 50 mg/mL"), "{asks}");
    for told in ["9.18", "459 mg", "10 mL", "0.82"] {
        assert!(!asks.contains(told), "{told} gives away what should be left: {asks}");
    }
    let over = [&rest("5", "10.6")[..], &SIGNED].concat();
    visit.refuse("waste", &over, "10.6 mL (lot A1); accepted is 0 mL to 10.5 mL").await;
    let short =
        [("wasted", "17.8"), ("residual_in_line", "0.1"), ("left_in_vial_1", "9"), ("vial_fate", "wasted")];
    visit.waste_differs("differs-vial", &[&short[..], &SIGNED].concat()).await;
    let much = [&rest("500", "9.18")[..], &SIGNED].concat();
    visit.refuse("waste", &much, "accepted is no more than can be left").await;
    visit
        .refuse("waste", &[&left[..], &[("user", "nurse"), ("pin", PIN)]].concat(), "nurse cannot both")
        .await;
    visit.refuse("discharge", &[("escort", "Sam")], "phone is empty").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_of_an_earlier_patient_never_reaches_the_one_who_sits_there_now() {
    let visit = Visit::planned().await;
    visit.take("check-in", &[("chair", "3")]).await;
    let old = visit.nurse().get(&format!("/visit/{}", visit.id)).await.body;
    assert!(
        old.contains("name=\"chair_now\" value=\"3\"")
            && old.contains(&format!("name=\"session\" value=\"{}\"", visit.id))
    );
    visit.take("cancel", &[("reason", "not today")]).await;
    let other = plan(&visit.nurse(), "004218").await;
    let there =
        visit.nurse().post(&format!("/visit/{other}/check-in"), &[("chair", "3"), ("session", &other)]).await;
    assert_eq!(there.status, StatusCode::SEE_OTHER);
    let before = visit.written();
    for (to, fields) in [("weight", ("weight", "82")), ("note", ("text", "calm"))] {
        let stale = visit.send(to, &[("chair_now", "3"), fields]).await;
        assert_eq!(stale.status, StatusCode::CONFLICT, "{to}");
        assert!(stale.body.contains("Nothing was recorded"));
    }
    let mixed =
        visit.nurse().post(&format!("/visit/{other}/note"), &[("session", &visit.id), ("text", "x")]).await;
    assert_eq!(mixed.status, StatusCode::CONFLICT, "a form of one visit sent to another");
    assert_eq!(visit.written(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_order_page_shows_what_is_asked_for_before_it_is_signed() {
    let visit = Visit::planned().await;
    visit.checked_in().await;
    let shown = visit.nurse().get(&visit.path("order?concentration=2&stock=50")).await;
    assert_eq!(shown.status, StatusCode::OK);
    for part in [
        "41 mg",
        "30.8 mL/h",
        "20.5\u{a0}mL",
        "actual body weight",
        "ideal body weight",
        "mcg/kg/min",
        "0.82\u{a0}mL",
    ] {
        assert!(shown.body.contains(part), "{part} is missing");
    }
    assert!(!shown.body.contains("µg"), "mcg is written out");
    let live = visit.nurse().get_live(&visit.path("order?concentration=2&stock=50")).await.body;
    assert!(live.contains("41\u{a0}mg") && !live.contains("<html"), "the card alone: {live}");
    let refused = visit.nurse().get(&visit.path("order?concentration=2&dose=50+mg/kg")).await;
    assert!(
        refused.body.contains("No order can be made of this") && !refused.body.contains("Sign the order")
    );
    let soft = visit.nurse().get(&visit.path("order?concentration=2&dose=1.2+mg/kg")).await;
    assert!(
        soft.body.contains("Needs a reason") && soft.body.contains("id=\"sign-reason\""),
        "{}",
        soft.body
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn patients_are_registered_once_and_found_again() {
    let clinic = Clinic::open();
    let desk = clinic.signed_in("front.desk");
    let ana = [
        ("family", "Rivera"),
        ("given", "Ana"),
        ("born", "1984-03-12"),
        ("mrn", "77"),
        ("sex", "f"),
        ("allergies", "known"),
        ("which", "latex"),
    ];
    let first = desk.post_again("/patients", "register-1", &ana).await;
    let head = clinic.head();
    let second = desk.post_again("/patients", "register-1", &ana).await;
    assert_eq!((first.goes_to(), first.status), (second.goes_to(), StatusCode::SEE_OTHER));
    assert_eq!(clinic.head(), head, "registered twice");
    for (field, value, words) in [
        ("born", "2027-01-01", "not possible"),
        ("born", "12.3.1984", "not a day"),
        ("family", " ", "empty"),
        ("sex", "x", "not known"),
        ("which", "", "not named"),
        ("mrn", "77", "belongs to RIVERA, Ana"),
    ] {
        let mut fields: Fields = ana.to_vec();
        fields.retain(|(name, _)| *name != field && *name != "mrn");
        fields.extend(
            [("mrn", "78"), (field, value)].into_iter().filter(|(name, _)| field != "mrn" || *name != "mrn"),
        );
        if field == "mrn" {
            fields.push((field, value));
        }
        let refused = desk.post("/patients", &fields).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{field} {value}");
        assert!(reasons(&refused.body).contains(words), "{field}: {}", reasons(&refused.body));
        assert_eq!(clinic.head(), head, "{field} {value} wrote");
    }
    assert!(desk.get("/patients?q=rive").await.body.contains("RIVERA, Ana"));
    assert!(!desk.get("/patients?q=nobody").await.body.contains("RIVERA, Ana"));
    let person = desk.get(first.goes_to()).await.body;
    assert!(!person.contains("latex"), "the front desk reads no allergies");
    assert!(clinic.signed_in("nurse").get(first.goes_to()).await.body.contains("latex"));
    assert!(!person.contains("Record allergies"), "the front desk asks no allergies");
}

/// Hazard 94: two records of one person are two infusions at once, and each knows half of the history.
#[tokio::test(flavor = "multi_thread")]
async fn one_person_is_not_registered_twice_without_a_question() {
    let clinic = Clinic::open();
    let desk = clinic.signed_in("front.desk");
    let ana = |mrn: &'static str, family: &'static str, born: &'static str| -> Fields<'static> {
        let names = [("family", family), ("given", "Ana"), ("born", born), ("mrn", mrn)];
        [&names[..], &[("sex", "f"), ("allergies", "none")]].concat()
    };
    let first = desk.post("/patients", &ana("77", "Rivera", "1984-03-12")).await;
    assert_eq!(first.status, StatusCode::SEE_OTHER);
    assert!(!desk.get("/patients").await.body.contains("another person"), "asked where somebody is meant");
    let head = clinic.head();
    for family in ["Rivera", " rivera ", "RIVERA"] {
        let asked = desk.post("/patients", &ana("78", family, "1984-03-12")).await;
        assert_eq!(asked.status, StatusCode::UNPROCESSABLE_ENTITY, "{family}");
        let said = reasons(&asked.body);
        assert!(said.contains("RIVERA, Ana") && said.contains("record number 77"), "{said}");
        assert!(
            asked.body.contains("this is another person") && asked.body.contains("register-another-error")
        );
    }
    assert_eq!(clinic.head(), head, "nothing half-written");
    let slip = desk.post("/patients", &ana("79", "Rivera", "1985-03-12")).await;
    assert_eq!(slip.status, StatusCode::UNPROCESSABLE_ENTITY, "a day of birth may be a slip");
    assert!(reasons(&slip.body).contains("born 1984-03-12"), "{}", reasons(&slip.body));
    assert_eq!(clinic.head(), head, "nothing half-written");
    let asked = [&ana("78", "Rivera", "1984-03-12")[..], &[("another", "yes")]].concat();
    for _double_tap in 0..2 {
        let second = desk.post_again("/patients", "twin", &asked).await;
        assert_eq!(second.goes_to(), "/patients/twin", "{}", second.body);
    }
}

/// Hazard 94: a day of birth tells two of one name not apart.
#[tokio::test(flavor = "multi_thread")]
async fn where_two_have_one_name_and_birthday_the_second_check_asks_for_the_record_number() {
    let visit = Visit::planned().await;
    visit.checked_in().await;
    visit.gates().await;
    visit.ordered().await;
    visit.drawn().await;
    let by_birthday = [&misread("identifier", "1984-03-12")[..], &SIGNED].concat();
    plan(&visit.nurse(), "004299").await;
    visit.refuse("second-check", &by_birthday, "Ask for the record number").await;
    visit.take("second-check", &[&misread("identifier", "004217")[..], &SIGNED].concat()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn allergies_are_asked_again_and_shown_with_who_and_when_where_it_matters() {
    let visit = Visit::planned().await;
    visit.running().await;
    let id = clinic::id::SessionId::new(visit.id.as_str());
    let session = visit.clinic.app.floor.session(&id).expect("log").expect("a session");
    let patient = session.patient.expect("a patient");
    let (page, to) = (format!("/patients/{patient}"), format!("/patients/{patient}/allergies"));
    visit.clinic.minutes_pass(5);
    let doctor = visit.clinic.signed_in("prescriber");
    let before = visit.clinic.head();
    for (fields, words) in [
        (vec![], "Say whether"),
        (vec![("allergies", "known")], "not named"),
        (vec![("allergies", "none"), ("which", "latex")], "Allergies are named"),
        (vec![("allergies", "not_asked")], "allergies is empty"),
    ] {
        let refused = doctor.post(&to, &fields).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{fields:?}");
        assert!(reasons(&refused.body).contains(words), "{fields:?}: {}", reasons(&refused.body));
        assert_eq!(visit.clinic.head(), before, "{fields:?} wrote");
    }
    let egg = [("allergies", "known"), ("which", "latex, egg")];
    for _double_tap in 0..2 {
        let told = doctor.post_again(&to, "allergies-1", &egg).await;
        assert_eq!(told.status, StatusCode::SEE_OTHER, "{}", reasons(&told.body));
    }
    let kinds = visit.clinic.kinds(&format!("patient/{patient}"));
    assert_eq!(kinds, ["patient_registered", "allergies_recorded"], "asked once");
    for path in [page.as_str(), &visit.path("order"), &visit.path("preparation")] {
        let shown = doctor.get(path).await.body;
        assert!(shown.contains("latex, egg"), "{path}: {shown}");
        assert!(shown.contains("asked by prescriber, 22-Nov-2026 09:05"), "{path}: {shown}");
    }
    assert!(doctor.get("/chair/3").await.body.contains("latex, egg"));
    let again = crate::support::open_log(visit.clinic.folder(), &visit.clinic.clock);
    assert!(again.floor.allergies_asked(&patient).is_some_and(|(by, _)| by.as_str() == "prescriber"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_true_is_refused_with_field_value_and_limit_wherever_it_is_typed() {
    let visit = Visit::planned().await;
    visit.take("check-in", &[("chair", "3")]).await;
    let form = visit.nurse().get(&format!("/visit/{}", visit.id)).await.body;
    assert!(form.contains("name=\"unit\"") && !form.contains("value=\"kg\" checked"), "a unit is chosen");
    visit.refuse("weight", &[("weight", "12"), ("unit", "st")], "“st”; accepted is kg or lb").await;
    visit.refuse("weight", &[("weight", "82")], "Choose kg or lb").await;
    let weight = [("weight", "82"), ("unit", "kg")];
    visit
        .refuse(
            "weight",
            &[&weight[..], &[("sex", "x")]].concat(),
            "“x” is no choice here; accepted is f or m",
        )
        .await;
    visit.refuse("weight", &[&weight[..], &[("height", "1.65")]].concat(), "1.65 m is 165 cm").await;
    visit.take("weight", &[("weight", "82"), ("unit", "kg"), ("height", "178"), ("sex", "m")]).await;
    let (_, sound) = crate::walk::gates().into_iter().find(|(gate, _)| *gate == "c11").expect("the gate");
    for (field, value, words) in [
        ("spo2", "980", "SpO₂ is 980; accepted is 0 to 100 %"),
        ("spo2", "9.8", "9.8 looks like 98 with a digit lost"),
        ("symptoms", "nonsense", "The symptom “nonsense” is no choice here; accepted is none, chest_pain"),
        ("heart_rate", "720", "HR is 720; accepted is 0 to 250"),
        ("temperature", "366", "Temp is 366; accepted is 25 to 45"),
        ("temperature", "97.9", "looks like degrees Fahrenheit, which is 36.6 °C"),
        ("systolic_0", "1240", "NIBP systolic is 1,240; accepted is 0 to 300"),
        ("diastolic_1", "130", "systolic above diastolic"),
    ] {
        let mut fields = sound.clone();
        fields.retain(|(name, _)| *name != field);
        fields.push((field, value));
        visit.refuse("gate/c11", &fields, words).await;
    }
    let temperature = [("what", "vitals"), ("temp", "98.6")];
    visit.refuse("observe", &temperature, "98.6 looks like degrees Fahrenheit, which is 37 °C").await;
    let low = [("what", "vitals"), ("temp", "36.6"), ("spo2", "38"), ("read_again", "spo2 38")];
    visit.take("observe", &low).await;
    let before = visit.written();
    for (field, value, words) in
        [("spo2", "980", "SpO₂ is 980"), ("spo2", "-1", "SpO₂ is -1"), ("hr", "720", "HR is 720")]
    {
        let pad =
            visit.nurse().post("/chair/3/vitals", &[("session", visit.id.as_str()), (field, value)]).await;
        assert_eq!(pad.status, StatusCode::UNPROCESSABLE_ENTITY, "{field} {value}");
        assert!(reasons(&pad.body).contains(words), "{}", reasons(&pad.body));
    }
    assert_eq!(visit.written(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_choice_of_a_gate_is_refused_and_an_unknown_medicine_is_told() {
    let visit = Visit::planned().await;
    visit.take("check-in", &[("chair", "3")]).await;
    let (_, sound) = crate::walk::gates().into_iter().find(|(gate, _)| *gate == "c11").expect("the gate");
    for (gate, fields, words) in [
        (
            "c01",
            vec![("name_matches", "maybe"), ("birth_date_matches", "yes")],
            "“maybe” is no choice here; accepted is yes or no",
        ),
        ("c02", vec![("last_infusion", "zzz")], "“zzz” is no choice here; accepted is never or at"),
        (
            "c02",
            vec![("last_infusion", "never"), ("last_infusion_at", "2026-11-01T10:00")],
            "Keep one of the two",
        ),
        ("c05", vec![("hours_since_solids", "900000")], "900,000: accepted is 0 to 240"),
        ("c06", vec![("takes", "some")], "“some” is no choice here; accepted is none"),
        ("c06", vec![("medicine_0", "Parnate")], "not judged: no rule knows “Parnate”"),
        ("c12", vec![("iv_gauge", "22.5")], "22.5: accepted is a whole number from 14 to 26"),
        ("c12", line(&[("line_site", "")]), "Where the line lies is empty"),
        ("c12", line(&[("line_attempts", "")]), "The number of attempts is empty"),
        (
            "c12",
            line(&[("line_attempts", "0")]),
            "“0” cannot be right; accepted is a whole number, 1 or more",
        ),
        ("c12", line(&[("line_attempts", "1.5")]), "“1.5” is no such number"),
        ("c12", line(&[("position", "")]), "Choose how the patient is placed"),
        ("c12", line(&[("position", "standing")]), "“standing” is no choice here"),
        ("c14", vec![("patients_per_nurse", "0")], "0: accepted is 1 to 20"),
    ] {
        visit.refuse(&format!("gate/{gate}"), &fields, words).await;
    }
    visit
        .take("gate/c06", &[("medicine_0", "Parnate"), ("note", "tranylcypromine, asked the prescriber")])
        .await;
    let mut silent = sound.clone();
    silent.retain(|(name, _)| *name != "symptoms");
    silent.push(("symptoms", ""));
    visit.take("gate/c11", &silent).await;
    let page = visit.nurse().get(&format!("/visit/{}", visit.id)).await.body;
    assert!(page.contains("missing: symptoms") && page.contains("no rule knows “Parnate”"), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_that_cannot_stand_in_a_record_is_refused_by_its_field() {
    let visit = Visit::planned().await;
    visit.take("check-in", &[("chair", "3")]).await;
    let before = visit.written();
    let long = "a".repeat(2_001);
    for (text, words) in [
        (long.as_str(), " has 2001 characters; at most 2000 are accepted"),
        ("nul\0", " holds the character U+0000"),
        ("\u{202e}backwards", " holds the character U+202E"),
    ] {
        let refused = visit.send("note", &[("text", text)]).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(refused.body.contains(words), "{}", refused.body);
    }
    let stop = visit.nurse().post("/chair/3/pause", &[("session", &visit.id), ("reason", "\u{7}")]).await;
    assert!(stop.body.contains("reason holds the character U+0007"), "{}", stop.body);
    assert_eq!(visit.written(), before);
    visit.take("note", &[("text", "first line\r\nsecond line")]).await;
    visit.take("note", &[("text", &long[..2_000])]).await;
    let scanned = visit.send("vial", &[("code", "]d201003420231131081727020010A1\u{1d}2177")]).await;
    assert!(!scanned.body.contains("no text"), "a scanner separates by a control character");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_number_is_one_persons_however_it_is_typed() {
    let clinic = Clinic::open();
    let desk = clinic.signed_in("front.desk");
    plan(&clinic.signed_in("nurse"), "Ab-77").await;
    let head = clinic.head();
    for mrn in ["ab-77", "AB-77", " Ab-77 "] {
        let again = [
            ("family", "Other"),
            ("given", "One"),
            ("born", "1984-03-12"),
            ("mrn", mrn),
            ("sex", "f"),
            ("allergies", "none"),
        ];
        let refused = desk.post("/patients", &again).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{mrn:?}");
        assert!(reasons(&refused.body).contains("belongs to RIVERA, Ana"), "{}", reasons(&refused.body));
        assert_eq!(clinic.head(), head, "{mrn:?} wrote");
    }
}

/// The answers about the line with some of them otherwise.
fn line(otherwise: &[(&'static str, &'static str)]) -> Vec<(&'static str, &'static str)> {
    let (_, mut sound) = crate::walk::gates().into_iter().find(|(gate, _)| *gate == "c12").expect("the gate");
    sound.retain(|(name, _)| otherwise.iter().all(|(other, _)| other != name));
    sound.extend(otherwise);
    sound
}
