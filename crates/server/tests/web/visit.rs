//! A whole visit by forms alone, each refusal with its reason and nothing written, and every form sent twice.

use crate::support::{Answer, Browser, Clinic, PIN};
use axum::http::StatusCode;

/// A field of a form with its value.
type Fields<'a> = Vec<(&'a str, &'a str)>;

const SIGNED: [(&str, &str); 2] = [("user", "prescriber"), ("pin", PIN)];
const VIAL: &str = "(01)00342023113108(17)270131(10)A1";

/// A clinic with one patient and a visit for today.
struct Visit {
    clinic: Clinic,
    id: String,
}

impl Visit {
    async fn planned() -> Self {
        let clinic = Clinic::open();
        let id = plan(&clinic.signed_in("nurse"), "004217").await;
        Self { clinic, id }
    }

    /// A nurse at a tablet that nobody has left idle.
    fn nurse(&self) -> Browser {
        self.clinic.signed_in("nurse")
    }

    fn path(&self, rest: &str) -> String {
        format!("/visit/{}/{rest}", self.id)
    }

    async fn send(&self, to: &str, fields: &[(&str, &str)]) -> Answer {
        let mut all = vec![("session", self.id.as_str())];
        all.extend(fields);
        self.nurse().post(&self.path(to), &all).await
    }

    /// Sends a form twice, as a double tap does; it is taken, and acts once.
    async fn take(&self, to: &str, fields: &[(&str, &str)]) {
        let command = format!("act-{}", self.clinic.head());
        let mut all = vec![("session", self.id.as_str())];
        all.extend(fields);
        let first = self.nurse().post_again(&self.path(to), &command, &all).await;
        assert_eq!(first.status, StatusCode::SEE_OTHER, "{to}: {}", reasons(&first.body));
        let after = self.written();
        let second = self.nurse().post_again(&self.path(to), &command, &all).await;
        assert_eq!(second.status, StatusCode::SEE_OTHER, "{to} again: {}", reasons(&second.body));
        assert_eq!(self.written(), after, "{to} acted twice");
    }

    /// Sends a form that must be refused with these words beside the field; nothing is written, what was typed stays.
    async fn refuse(&self, to: &str, fields: &[(&str, &str)], words: &str) {
        let before = self.written();
        let answer = self.send(to, fields).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{to} {fields:?}: {}", answer.body);
        let said = reasons(&answer.body);
        assert!(said.contains(words), "{to} {fields:?} says {said:?}, not {words:?}");
        assert_eq!(self.written(), before, "{to} {fields:?} was refused and wrote");
        for (name, value) in fields.iter().filter(|(name, _)| *name == "pin") {
            assert!(!answer.body.contains(&format!("value=\"{value}\"")), "{to} shows the {name} again");
        }
    }

    /// What the log holds of this visit and of the seating.
    fn written(&self) -> (usize, usize, usize) {
        let count = |stream: &str| self.clinic.kinds(stream).len();
        (count(&format!("session/{}", self.id)), count(&format!("command/{}", self.id)), count("floor"))
    }

    fn phase(&self) -> &'static str {
        let id = clinic::id::SessionId::new(self.id.as_str());
        self.clinic.app.floor.session(&id).expect("log").expect("session").phase.title()
    }

    async fn checked_in(&self) {
        self.take("check-in", &[("chair", "3")]).await;
        self.take("weight", &[("weight", "82"), ("unit", "kg"), ("height", "178"), ("sex", "m")]).await;
    }

    async fn gates(&self) {
        for (gate, fields) in gates() {
            self.take(&format!("gate/{gate}"), &fields).await;
        }
        self.take("observe", &[("what", "distress"), ("value", "2")]).await;
        self.take("observe", &[("what", "moaas"), ("value", "5")]).await;
    }

    async fn ordered(&self) {
        self.take("order", &[&order()[..], &SIGNED].concat()).await;
    }

    async fn drawn(&self) {
        self.take("vial", &[("code", VIAL), ("strength", "50")]).await;
        let vial = self.clinic.log(&format!("session/{}", self.id));
        let (_, body) = vial.iter().rev().find(|(kind, _)| kind == "vial_scanned").expect("scanned");
        let vial: serde_json::Value = serde_json::from_str(body).expect("json");
        let vial = vial["vial"].as_str().expect("id").to_owned();
        self.take("draw", &[("vial", &vial), ("stock", "0.82"), ("diluted_to", "20.5")]).await;
    }

    async fn running(&self) {
        self.checked_in().await;
        self.gates().await;
        self.ordered().await;
        self.drawn().await;
        self.take("second-check", &[&read()[..], &SIGNED].concat()).await;
        self.take("pump-program", &display()).await;
        self.take("time-out", &said_aloud()).await;
        self.take("start", &[("counter", "0")]).await;
    }
}

async fn plan(browser: &Browser, mrn: &str) -> String {
    let person = [
        ("family", "Rivera"),
        ("given", "Ana"),
        ("born", "1984-03-12"),
        ("mrn", mrn),
        ("sex", "m"),
        ("allergies", "none"),
    ];
    let registered = browser.post("/patients", &person).await;
    assert_eq!(registered.status, StatusCode::SEE_OTHER, "{}", reasons(&registered.body));
    let to = format!("{}/visit", registered.goes_to());
    let planned = browser.post(&to, &[("regimen", "mdd_trd_std"), ("infusion", "1"), ("of", "6")]).await;
    assert_eq!(planned.status, StatusCode::SEE_OTHER, "{}", reasons(&planned.body));
    planned.goes_to().strip_prefix("/visit/").expect("visit").to_owned()
}

fn order() -> Fields<'static> {
    vec![("concentration", "2"), ("stock", "50"), ("shown_dose", "41 mg"), ("shown_rate", "30.8 mL/h")]
}

fn read() -> Fields<'static> {
    vec![("concentration", "2"), ("dose", "41"), ("rate", "30.8")]
}

fn display() -> Fields<'static> {
    vec![
        ("rate", "30.8"),
        ("vtbi", "20.5"),
        ("concentration", "2"),
        ("library_entry", "Ketamine PSYCH 2 mg/mL"),
    ]
}

fn said_aloud() -> Fields<'static> {
    ["patient", "allergy", "dose", "line", "escort", "emergency"].map(|point| ("confirmed", point)).to_vec()
}

fn no(facts: &[&'static str]) -> Fields<'static> {
    facts.iter().map(|fact| (*fact, "no")).collect()
}

fn yes(facts: &[&'static str]) -> Fields<'static> {
    facts.iter().map(|fact| (*fact, "yes")).collect()
}

fn gates() -> Vec<(&'static str, Fields<'static>)> {
    [asked(), measured_and_at_hand()].concat()
}

fn with(mut fields: Fields<'static>, more: &[(&'static str, &'static str)]) -> Fields<'static> {
    fields.extend(more);
    fields
}

fn asked() -> Vec<(&'static str, Fields<'static>)> {
    vec![
        ("c01", yes(&["name_matches", "birth_date_matches"])),
        ("c02", vec![("last_infusion", "never")]),
        (
            "c03",
            with(yes(&["consent_covers_off_label", "consent_said_again"]), &[("consent_age_months", "1")]),
        ),
        (
            "c04",
            with(
                yes(&["escort_named", "escort_phone", "escort_confirmed"]),
                &[("escort", "Sam Rivera"), ("escort_number", "+1 555 0100")],
            ),
        ),
        (
            "c05",
            with(
                no(&["last_meal_heavy"]),
                &[("hours_since_solids", "9"), ("hours_since_clear_liquids", "3")],
            ),
        ),
        (
            "c06",
            with(
                no(&["alcohol_last_24h", "illicit_last_24h", "cannabis_last_24h", "bp_medicines_due"]),
                &[("medicines_reviewed", "yes"), ("takes", "none")],
            ),
        ),
        (
            "c07",
            no(&[
                "new_illness",
                "new_medicines",
                "falls",
                "urinary_symptoms",
                "may_be_pregnant",
                "mood_switch",
            ]),
        ),
        (
            "c08",
            with(
                no(&["suicide_screen_positive", "treats_pain", "bipolar"]),
                &[("depression_scale_done", "yes"), ("cssrs_done", "yes")],
            ),
        ),
    ]
}

fn measured_and_at_hand() -> Vec<(&'static str, Fields<'static>)> {
    vec![
        ("c09", no(&["can_be_pregnant", "drug_screen_due"])),
        (
            "c11",
            vec![
                ("bp_cuff_correct", "yes"),
                ("systolic_0", "124"),
                ("diastolic_0", "78"),
                ("systolic_1", "120"),
                ("diastolic_1", "76"),
                ("heart_rate", "72"),
                ("spo2", "98"),
                ("respiratory_rate", "14"),
                ("temperature", "36.6"),
                ("diabetic", "no"),
                ("symptoms", "none"),
            ],
        ),
        ("c12", vec![("iv_gauge", "22"), ("iv_patent", "yes")]),
        (
            "c13",
            yes(&[
                "oxygen_ready",
                "suction_ready",
                "bag_valve_mask_ready",
                "airway_kit_ready",
                "aed_ready",
                "crash_drugs_in_date",
                "monitor_alarms_set",
            ]),
        ),
        ("c14", vec![("acls_clinician_on_site", "yes"), ("patients_per_nurse", "2")]),
        ("c17", yes(&["oriented", "urinated", "phone_off", "setting_asked"])),
    ]
}

/// The reasons on a page, without its markup.
fn reasons(page: &str) -> String {
    let summary = page
        .split("id=\"error-summary-title\"")
        .nth(1)
        .and_then(|rest| rest.split("</ul>").next())
        .unwrap_or("");
    let mut text = String::new();
    let mut inside = true;
    for c in summary.chars() {
        match c {
            '<' => inside = true,
            '>' => inside = false,
            c if !inside => text.push(c),
            _ => {}
        }
    }
    text.replace("&#38;", "&").replace("&#60;", "<").split_whitespace().collect::<Vec<_>>().join(" ")
}

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
    visit.take("drug", &rescue).await;
    visit.take("event-end", &[("number", "1"), ("outcome", "gone after 10 min")]).await;
    visit.take("note", &[("text", "calm")]).await;
    visit.take("pump", &[("status", "infusing"), ("rate", "20"), ("counter", "5.2")]).await;
    visit.clinic.minutes_pass(30);
    stop(&visit).await;
    let last = [("status", "not_infusing"), ("rate", "0"), ("counter", "15.4"), ("back", "discharge")];
    visit.take("pump", &last).await;
    let left = [("wasted", "5"), ("residual_in_line", "0.1"), ("vial_fate", "wasted")];
    visit.take("waste", &[&left[..], &SIGNED].concat()).await;
    visit.clinic.minutes_pass(120);
    visit
        .take("observe", &[("what", "vitals"), ("sbp", "126"), ("dbp", "78"), ("hr", "74"), ("spo2", "98")])
        .await;
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
    visit.take("discharge", &[&home[..], &[("user", "nurse"), ("pin", PIN)]].concat()).await;
    assert_eq!(visit.phase(), "discharged");
    let page = visit.nurse().get(&visit.path("discharge")).await;
    assert!(page.body.contains("30.8\u{a0}mg delivered, by the pump&#39;s own count"), "{}", page.body);
}

fn home() -> Fields<'static> {
    vec![
        ("escort", "Sam Rivera"),
        ("escort_number", "+1 555 0100"),
        ("tolerates_fluids", "yes"),
        ("no_new_suicidal_thoughts", "yes"),
        ("escort_present", "yes"),
        ("instructions_given", "yes"),
        ("clinician_signs", "yes"),
        ("instructions", "home-v1"),
    ]
}

/// Ends the infusion at the chair's own page.
async fn stop(visit: &Visit) {
    let answer = visit.nurse().post("/chair/3/stop", &[("session", &visit.id)]).await;
    assert!(answer.status.is_redirection(), "{}: {}", answer.status, reasons(&answer.body));
    assert_eq!(visit.phase(), "recovering");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_before_the_drug_is_refused_with_words_and_nothing_written() {
    let visit = Visit::planned().await;
    visit.refuse("check-in", &[], "chair is empty").await;
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
    visit.refuse("gate/c03", &[("consent_age_months", "1,5")], "comma").await;
    visit.refuse("gate/c04", &[("escort_named", "yes")], "escort&#39;s name is empty").await;
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
            &[("vial", "v"), ("stock", "0.82"), ("diluted_to", "20.5")],
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
    let tenfold = [("concentration", "2"), ("dose", "410"), ("rate", "30.8")];
    visit.refuse("second-check", &[&tenfold[..], &SIGNED].concat(), "Ten times").await;
    visit
        .refuse(
            "second-check",
            &[&read()[..], &[("user", "prescriber"), ("pin", "1")]].concat(),
            "PIN is not right",
        )
        .await;
    let blind = visit.nurse().get(&visit.path("second-check")).await.body;
    assert!(
        !blind.contains("41 mg") && !blind.contains("30.8"),
        "the second person would see the order first"
    );
    visit.take("second-check", &[&read()[..], &SIGNED].concat()).await;
    let mut basic = display();
    basic.retain(|(name, _)| *name != "library_entry");
    visit.refuse("pump-program", &basic, "basic mode").await;
    let slip = [("rate", "308"), ("vtbi", "20.5"), ("concentration", "2"), ("library_entry", "Ketamine")];
    visit.refuse("pump-program", &slip, "Ten times").await;
    visit.take("pump-program", &display()).await;
    visit.refuse("time-out", &[("confirmed", "patient")], "time-out point").await;
    visit.take("time-out", &said_aloud()).await;
    visit.refuse("start", &[], "counter is empty").await;
    visit.take("start", &[("counter", "0")]).await;
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
    visit.refuse("observe", &[("what", "mood"), ("value", "1")], "not something to chart").await;
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
    visit.refuse("cancel", &[("reason", "x")], "Drug has flowed").await;
    visit.refuse("transfer", &[("to", "ward")], "reason is empty").await;
    stop(&visit).await;
    let left = [("wasted", "5"), ("residual_in_line", "0.1"), ("vial_fate", "wasted")];
    visit.refuse("waste", &[&left[..], &SIGNED].concat(), "final reading").await;
    visit.take("pump", &[("status", "not_infusing"), ("rate", "0"), ("counter", "2.6")]).await;
    visit.refuse("waste", &[&left[..], &SIGNED].concat(), "does not add up").await;
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
}
