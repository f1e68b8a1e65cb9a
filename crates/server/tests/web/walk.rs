//! A visit walked through by forms: each is sent twice and acts once, or is refused and writes nothing.

use crate::support::{Answer, Browser, Clinic, PIN};
use axum::http::StatusCode;
use std::sync::atomic::{AtomicU64, Ordering};

/// A field of a form with its value.
pub type Fields<'a> = Vec<(&'a str, &'a str)>;

pub const SIGNED: [(&str, &str); 2] = [("user", "prescriber"), ("pin", PIN)];
pub const VIAL: &str = "(01)00342023113108(17)270131(10)A1";

/// A clinic with one patient and a visit for today.
pub struct Visit {
    pub clinic: Clinic,
    pub id: String,
}

impl Visit {
    pub async fn planned() -> Self {
        Self::planned_by("mdd_trd_std").await
    }

    pub async fn planned_by(regimen: &str) -> Self {
        let clinic = Clinic::open();
        let id = plan_by(&clinic.signed_in("nurse"), "004217", regimen).await;
        Self { clinic, id }
    }

    /// A nurse at a tablet that nobody has left idle.
    pub fn nurse(&self) -> Browser {
        self.clinic.signed_in("nurse")
    }

    pub fn session(&self) -> clinic::session::Session {
        let id = clinic::id::SessionId::new(&self.id);
        self.clinic.app.floor.session(&id).expect("the log").expect("a visit")
    }

    pub fn patient(&self) -> String {
        self.session().patient.expect("somebody").to_string()
    }

    pub fn path(&self, rest: &str) -> String {
        format!("/visit/{}/{rest}", self.id)
    }

    pub async fn send(&self, to: &str, fields: &[(&str, &str)]) -> Answer {
        let shown = self.shown();
        // What a test says of the flow stands before it.
        let all = [&[("session", self.id.as_str())], fields, &[("after", &shown)]].concat();
        self.nurse().post(&self.path(to), &all).await
    }

    /// The flow that a form shows which is opened now, as the form says it.
    pub fn shown(&self) -> String {
        self.session().delivery.last_set().map_or(0, |set| set.position).to_string()
    }

    /// Sends a form twice, as a double tap does; it is taken, and acts once.
    pub async fn take(&self, to: &str, fields: &[(&str, &str)]) {
        let command = format!("act-{}", self.clinic.head());
        let shown = self.shown();
        let mut all = vec![("session", self.id.as_str()), ("after", &shown)];
        all.extend(fields);
        let first = self.nurse().post_again(&self.path(to), &command, &all).await;
        assert_eq!(first.status, StatusCode::SEE_OTHER, "{to}: {}", reasons(&first.body));
        let after = self.written();
        let second = self.nurse().post_again(&self.path(to), &command, &all).await;
        assert_eq!(second.status, StatusCode::SEE_OTHER, "{to} again: {}", reasons(&second.body));
        assert_eq!(self.written(), after, "{to} acted twice");
    }

    /// Sends a form that must be refused with these words beside the field; nothing is written, what was typed stays.
    pub async fn refuse(&self, to: &str, fields: &[(&str, &str)], words: &str) {
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

    /// Sends a second check that has one thing otherwise: what differs is told beside the field, and both sides stand in
    /// the log once with who read what against what.
    pub async fn differ(&self, field: &str, value: &'static str, words: &str) {
        let (id, fields) =
            (format!("differs-{}", field.replace('_', "-")), [&misread(field, value)[..], &SIGNED].concat());
        let (id, fields) = (id.as_str(), fields.as_slice());
        let all = [&[("session", self.id.as_str())], fields].concat();
        for _double_tap in 0..2 {
            let answer = self.nurse().post_again(&self.path("second-check"), id, &all).await;
            assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", answer.body);
            let said = reasons(&answer.body);
            assert!(said.contains(words) && said.contains("is recorded"), "{said} in {}", answer.body);
            assert!(!said.contains("Nothing was recorded"), "{said}");
        }
        let stream = format!("session/{}", self.id);
        let logged =
            self.clinic.log(&stream).into_iter().filter(|(kind, _)| kind == "second_check_disagreed");
        let of_field = logged.filter_map(|(_, body)| {
            let body: serde_json::Value = serde_json::from_str(&body).expect("json");
            (body["differs"][0]["field"] == field).then_some(body)
        });
        let logged: Vec<_> = of_field.collect();
        let [body] = logged.as_slice() else { panic!("{} lines of one check", logged.len()) };
        assert_eq!((&body["signature"]["by"], &body["differs"][1]), (&"prescriber".into(), &().into()));
    }

    /// Sends a waste that does not add up: the page asks for another measurement and gives no amount away, and the
    /// log has what was measured, once.
    pub async fn waste_differs(&self, id: &str, fields: &[(&str, &str)]) {
        let all = [&[("session", self.id.as_str())], fields].concat();
        let stream = format!("session/{}", self.id);
        let told = || self.clinic.kinds(&stream).iter().filter(|kind| *kind == "waste_differed").count();
        let before = told();
        for _double_tap in 0..2 {
            let answer = self.nurse().post_again(&self.path("waste"), id, &all).await;
            assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", answer.body);
            let said = reasons(&answer.body);
            assert!(said.contains("does not add up") && said.contains("is recorded"), "{said}");
            assert!(!said.contains("mg") && !said.contains("Nothing was recorded"), "{said}");
        }
        assert_eq!(told(), before + 1, "one line of one measurement");
    }

    /// What the log holds of this visit and of the seating.
    pub fn written(&self) -> (usize, usize, usize) {
        let count = |stream: &str| self.clinic.kinds(stream).len();
        (count(&format!("session/{}", self.id)), count(&format!("command/{}", self.id)), count("floor"))
    }

    pub fn phase(&self) -> &'static str {
        let id = clinic::id::SessionId::new(self.id.as_str());
        self.clinic.app.floor.session(&id).expect("log").expect("session").phase.title()
    }

    pub async fn checked_in(&self) {
        self.take("check-in", &[("chair", "3")]).await;
        self.take("weight", &[("weight", "82"), ("unit", "kg"), ("height", "178"), ("sex", "m")]).await;
    }

    pub async fn gates(&self) {
        for (gate, fields) in gates() {
            self.take(&format!("gate/{gate}"), &fields).await;
        }
        self.take("observe", &[("what", "distress"), ("value", "2")]).await;
        self.take("observe", &[("what", "moaas"), ("value", "5")]).await;
    }

    pub async fn ordered(&self) {
        self.take("order", &[&order()[..], &SIGNED].concat()).await;
    }

    pub async fn drawn(&self) {
        self.take("vial", &[("code", VIAL), ("strength", "50")]).await;
        let vial = self.vials().pop().expect("scanned");
        let drawn = [("vial", vial.as_str()), ("stock", "0.82"), ("diluted_to", "20.5")];
        self.take("draw", &[&drawn[..], &[("diluent", "sodium chloride 0.9 %")]].concat()).await;
    }

    /// Scanned vials, as the log names them.
    pub fn vials(&self) -> Vec<String> {
        let log = self.clinic.log(&format!("session/{}", self.id));
        let scanned = log.into_iter().filter(|(kind, _)| kind == "vial_scanned");
        let names = scanned.map(|(_, body)| {
            let vial: serde_json::Value = serde_json::from_str(&body).expect("json");
            vial["vial"].as_str().expect("id").to_owned()
        });
        names.collect()
    }

    pub async fn running(&self) {
        self.checked_in().await;
        self.gates().await;
        self.started().await;
    }

    /// From the order to the start.
    pub async fn started(&self) {
        self.ordered().await;
        self.prepared().await;
    }

    /// From the signed order to the pump's display.
    pub async fn programmed(&self) {
        self.drawn().await;
        self.take("second-check", &[&read()[..], &SIGNED].concat()).await;
        self.take("pump-program", &display()).await;
    }

    /// From the signed order to the start.
    pub async fn prepared(&self) {
        self.programmed().await;
        self.take("time-out", &said_aloud()).await;
        self.take("start", &[("counter", "0")]).await;
    }
}

impl Visit {
    /// From an infusion that runs to the door.
    pub async fn gone_home(&self) {
        self.clinic.minutes_pass(30);
        stop(self).await;
        let last = [("status", "not_infusing"), ("rate", "0"), ("counter", "15.4"), ("back", "discharge")];
        self.take("pump", &last).await;
        let left = [("wasted", "5"), ("residual_in_line", "0.1"), ("left_in_vial_1", "9.18")];
        self.take("waste", &[&left[..], &[("vial_fate", "wasted")], &SIGNED].concat()).await;
        self.clinic.minutes_pass(120);
        let signs = [("what", "vitals"), ("sbp", "126"), ("dbp", "78"), ("hr", "74"), ("spo2", "98")];
        self.take("observe", &signs).await;
        for (what, value) in [("moaas", "5"), ("as_before", "yes"), ("nausea", "0")] {
            self.take("observe", &[("what", what), ("value", value)]).await;
        }
        let items = ["vital_signs", "activity", "nausea_pain", "bleeding", "intake_output"];
        self.take("discharge-score", &items.map(|item| (item, "2"))).await;
        let signed = [("user", "nurse"), ("pin", PIN)];
        self.take("discharge", &[&home()[..], &WORDS, &signed].concat()).await;
    }
}

/// Documents without which there is no infusion, with the right answers to what they ask.
pub const NEEDED: [(&str, &[(&str, &str)]); 3] = [
    ("consent_off_label", &[("off_label", "2"), ("worse", "1")]),
    ("consent_risks", &[("pressure", "2"), ("bladder", "2")]),
    ("consent_driving", &[("drive", "2")]),
];

/// Makes a link to documents, for doses of a band, and reads its path from the page.
pub async fn consent_link(
    staff: &Browser,
    patient: &str,
    documents: &[&str],
    (band, route): (&str, &str),
) -> String {
    static ASKED: AtomicU64 = AtomicU64::new(0);
    let act = format!("consent-{}", ASKED.fetch_add(1, Ordering::Relaxed));
    let mut fields = vec![("band", band), ("route", route), ("how", "phone")];
    fields.extend(documents.iter().map(|one| ("documents", *one)));
    let made = staff.post_again(&format!("{patient}/consent"), &act, &fields).await;
    assert_eq!(made.status, StatusCode::SEE_OTHER, "{}", reasons(&made.body));
    let page = staff.get(&format!("{patient}/consent")).await.body;
    let field = page.split(&format!("id=\"link-{act}\"")).nth(1).expect("the link stands on the page");
    let address = field.split('"').nth(1).expect("a value");
    address[address.find("/consent/").expect("a path")..].to_owned()
}

/// The patient reads and signs on a phone what an infusion needs.
pub async fn agree(staff: &Browser, patient: &str, band: &str) {
    agree_to(staff, patient, (band, "vein")).await;
}

/// The same for these doses by this route.
pub async fn agree_to(staff: &Browser, patient: &str, cover: (&str, &str)) {
    let link = consent_link(staff, patient, &NEEDED.map(|(id, _)| id), cover).await;
    let phone = Browser { cookie: String::new(), csrf: String::new(), ..staff.clone() };
    for (nth, (_, answers)) in NEEDED.iter().enumerate() {
        let said = [answers, &[("say", "agree")][..]].concat();
        let answer = phone.post(&format!("{link}/{}", nth + 1), &said).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", reasons(&answer.body));
    }
    let signed = phone.post(&format!("{link}/sign"), &[("name", "Ana Rivera")]).await;
    assert_eq!(signed.status, StatusCode::SEE_OTHER, "{}", reasons(&signed.body));
}

pub async fn plan(browser: &Browser, mrn: &str) -> String {
    plan_by(browser, mrn, "mdd_trd_std").await
}

async fn plan_by(browser: &Browser, mrn: &str, regimen: &str) -> String {
    let person = [
        ("family", "Rivera"),
        ("given", "Ana"),
        ("born", "1984-03-12"),
        ("mrn", mrn),
        ("sex", "m"),
        ("allergies", "none"),
        ("another", "yes"),
    ];
    let registered = browser.post("/patients", &person).await;
    assert_eq!(registered.status, StatusCode::SEE_OTHER, "{}", reasons(&registered.body));
    agree(browser, registered.goes_to(), "raised").await;
    plan_for(browser, registered.goes_to(), regimen).await
}

/// A visit for today of somebody who is registered.
pub async fn plan_for(browser: &Browser, patient: &str, regimen: &str) -> String {
    let to = format!("{patient}/visit");
    let planned = browser.post(&to, &[("regimen", regimen), ("infusion", "1"), ("of", "6")]).await;
    assert_eq!(planned.status, StatusCode::SEE_OTHER, "{}", reasons(&planned.body));
    planned.goes_to().strip_prefix("/visit/").expect("visit").to_owned()
}

pub fn order() -> Fields<'static> {
    vec![("concentration", "2"), ("stock", "50"), ("shown_dose", "41 mg"), ("shown_rate", "30.8 mL/h")]
}

/// What a second person has who reads and works it out right.
pub fn read() -> Fields<'static> {
    vec![
        ("name_said", "yes"),
        ("identifier", "1984-03-12"),
        ("drug_1", "Ketamine"),
        ("strength_1", "50"),
        ("drawn_1", "0.82"),
        ("diluent", "sodium chloride 0.9 %"),
        ("volume", "20.5"),
        ("dose_weight", "82"),
        ("dose", "41"),
        ("rate", "30.8"),
        ("vtbi", "20.5"),
    ]
}

/// The same with one thing otherwise.
pub fn misread(field: &str, value: &'static str) -> Fields<'static> {
    read().into_iter().map(|(name, right)| (name, if name == field { value } else { right })).collect()
}

pub fn display() -> Fields<'static> {
    vec![
        ("rate", "30.8"),
        ("vtbi", "20.5"),
        ("concentration", "2"),
        ("library_entry", "Ketamine PSYCH 2 mg/mL"),
    ]
}

pub fn said_aloud() -> Fields<'static> {
    ["patient", "allergy", "dose", "line", "escort", "emergency"].map(|point| ("confirmed", point)).to_vec()
}

pub fn no(facts: &[&'static str]) -> Fields<'static> {
    facts.iter().map(|fact| (*fact, "no")).collect()
}

pub fn yes(facts: &[&'static str]) -> Fields<'static> {
    facts.iter().map(|fact| (*fact, "yes")).collect()
}

pub fn gates() -> Vec<(&'static str, Fields<'static>)> {
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
        ("c03", yes(&["consent_said_again"])),
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
        (
            "c12",
            vec![
                ("iv_gauge", "22"),
                ("iv_patent", "yes"),
                ("line_site", "left forearm"),
                ("line_attempts", "2"),
                ("position", "reclined"),
            ],
        ),
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
pub fn reasons(page: &str) -> String {
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

/// A word on what the walk through the forms misses.
pub const WORDS: [(&str, &str); 2] =
    [("missed_checks", "watched at the chair, charted late"), ("unanswered_alarms", "answered by looking")];

pub fn home() -> Fields<'static> {
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
pub async fn stop(visit: &Visit) {
    let answer = visit.nurse().post("/chair/3/stop", &[("session", &visit.id)]).await;
    assert!(answer.status.is_redirection(), "{}: {}", answer.status, reasons(&answer.body));
    assert_eq!(visit.phase(), "recovering");
}
