//! From the first inquiry to the consultation.

use super::pen::{Pen, Write, said, signed};
use super::{Stuck, YEAR_D};
use crate::cast::{KIM, OSEI, ROBIN};
use clinic::care::inquiry::{self, Care, Crisis, Exclusions, Inquiry, Way};
use clinic::id::{InquiryId, PatientId};
use clinic::patient::{self, Allergies, NumberEvent, Patient};
use clinic::quantity::{Height, Weight};
use clinic::screen::Consultation;
use clinic::screen::consulting::{self, Consulting, Section, blocking};
use clinic::staff::Actor;
use jiff::civil::{Date, date};
use jiff::{Span, Timestamp};
use serde_json::json;

/// What somebody is treated for here: regimen, what they tick when they ask, diagnosis, what else they answer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Illness {
    pub regimen: &'static str,
    asks: &'static str,
    pub code: &'static str,
    /// Scale beside the PHQ-9.
    pub scale: Option<&'static str>,
}

const DEPRESSION: Illness =
    Illness { regimen: "mdd_trd_std", asks: "depression", code: "F33.2", scale: Some("gad7") };
const TRAUMA: Illness = Illness { regimen: "ptsd", asks: "ptsd", code: "F43.12", scale: Some("pcl5") };
const ANXIETY: Illness = Illness { regimen: "gad", asks: "anxiety", code: "F41.1", scale: Some("gad7") };

/// A patient of the clinic.
pub(super) struct Person {
    pub id: PatientId,
    pub patient: Patient,
    pub weight: Weight,
    pub height: Height,
    pub illness: Illness,
    /// Day from which infusions may begin.
    pub from: Date,
}

const FAMILY: [&str; 40] = [
    "Abara", "Adler", "Almeida", "Andersen", "Aoki", "Bakshi", "Barros", "Bennett", "Bianchi", "Brandt",
    "Carvalho", "Chen", "Costa", "Delgado", "Dubois", "Eklund", "Farah", "Fischer", "Garcia", "Haas",
    "Hughes", "Ivanova", "Jansen", "Kamara", "Keller", "Kowalski", "Larsen", "Lopes", "Mbeki", "Mensah",
    "Nakamura", "Novak", "Okoye", "Park", "Quinn", "Rossi", "Sato", "Silva", "Torres", "Wagner",
];
const GIVEN: [(&str, &str); 24] = [
    ("Alma", "f"),
    ("Amir", "m"),
    ("Bela", "m"),
    ("Carla", "f"),
    ("Dario", "m"),
    ("Edith", "f"),
    ("Emre", "m"),
    ("Fatou", "f"),
    ("Greta", "f"),
    ("Hana", "f"),
    ("Idris", "m"),
    ("Jonas", "m"),
    ("Kaya", "f"),
    ("Leo", "m"),
    ("Maja", "f"),
    ("Nils", "m"),
    ("Olga", "f"),
    ("Pablo", "m"),
    ("Rosa", "f"),
    ("Samir", "m"),
    ("Tessa", "f"),
    ("Viktor", "m"),
    ("Wanda", "f"),
    ("Yusuf", "m"),
];

/// Somebody asks; of ten who ask, about one does not come. The others are registered and examined.
pub(super) fn registered(pen: &mut Pen) -> Result<Option<Person>, Stuck> {
    let person = somebody(pen);
    let asked = pen.at(person.from.saturating_sub(Span::new().days(12)).at(19, 12, 0, 0));
    let (inquiry, care) = asks(pen, &person, asked)?;
    let sorted = pen.at(person.from.saturating_sub(Span::new().days(11)).at(9, 5, 0, 0));
    if pen.one_of_hundred(10.0) {
        let why = "does not come: chose another clinic".to_owned();
        decide(pen, &inquiry, care, inquiry::Command::Close { reason: why }, sorted)?;
        return Ok(None);
    }
    let reason = "asks for a consultation, nothing speaks against it".to_owned();
    let command = inquiry::Command::Triage { to: Way::Consultation, reason };
    let care = decide(pen, &inquiry, care, command, sorted)?;
    let comes = pen.at(person.from.saturating_sub(Span::new().days(4)).at(10, 0, 0, 0));
    register(pen, &person, &inquiry, care, comes)?;
    consult(pen, &person, comes)?;
    Ok(Some(person))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "numbers of a made-up person"
)]
fn somebody(pen: &mut Pen) -> Person {
    let chance = &mut pen.chance;
    let (given, sex) = GIVEN[chance.below(GIVEN.len() as u64) as usize];
    let family = FAMILY[chance.below(FAMILY.len() as u64) as usize];
    let illness = match chance.below(20) {
        0..14 => DEPRESSION,
        14..17 => TRAUMA,
        _ => ANXIETY,
    };
    let born = date(1955 + chance.below(48) as i16, 1 + chance.below(12) as i8, 1 + chance.below(28) as i8);
    let cm: f64 = if sex == "f" { 166.0 } else { 178.0 };
    let height = Height((cm + chance.noise() * 6.0).clamp(150.0, 200.0).round() as i64 * 10);
    // By the body mass index, which the domain asks a reason for where it is unlikely.
    let index = (26.0 + chance.noise() * 4.0).clamp(18.0, 38.0);
    let kg = index * (height.0 as f64 / 1000.0).powi(2);
    let weight = Weight((kg * 10.0).round() as i64 * 100);
    let first = 16 + chance.below(YEAR_D as u64 - 26) as i64;
    let from = pen.history.from().saturating_add(Span::new().days(first));
    let mrn = (200_000 + pen.number).to_string();
    let at = pen.at(from.at(0, 0, 0, 0));
    let id = PatientId::new(pen.id(at));
    let allergies = Allergies::NoneKnown;
    let patient = Patient {
        mrn,
        family: family.to_owned(),
        given: given.to_owned(),
        born,
        sex: sex.to_owned(),
        allergies,
    };
    Person { id, patient, weight, height, illness, from }
}

fn asks(pen: &mut Pen, person: &Person, at: Timestamp) -> Result<(InquiryId, Care), Stuck> {
    let said = Inquiry {
        name: format!("{} {}", person.patient.given, person.patient.family),
        phone: format!("+1 555 01{:02}", pen.number % 100),
        email: String::new(),
        conditions: vec![person.illness.asks.to_owned()],
        goals: "Sleep, work, be with people again.".to_owned(),
        treatments: "Two medicines and psychotherapy.".to_owned(),
        exclusions: Exclusions::None,
        crisis: Crisis::No,
    };
    let event = inquiry::receive(said, pen.history.knowledge.intake())
        .map_err(|wrong| pen.stuck(at, "ask", format!("{wrong:?}")))?;
    let id = InquiryId::new(pen.id(at));
    pen.event(at, &Actor::machine("inquiry-page"), format!("inquiry/{id}"), &event);
    Ok((id, Care::default().evolve(&event, at)))
}

fn decide(
    pen: &mut Pen,
    id: &InquiryId,
    care: Care,
    command: inquiry::Command,
    at: Timestamp,
) -> Result<Care, Stuck> {
    let event = inquiry::decide(&care, command, &ROBIN.actor()).map_err(|why| pen.stuck(at, "sort", why))?;
    pen.event(at, &ROBIN.actor(), format!("inquiry/{id}"), &event);
    Ok(care.evolve(&event, at))
}

/// One entry: the patient, the number that nobody else has, and what was asked first.
fn register(
    pen: &mut Pen,
    person: &Person,
    inquiry: &InquiryId,
    care: Care,
    at: Timestamp,
) -> Result<(), Stuck> {
    let stuck = |why: String| pen.stuck(at, "register", why);
    let today = person.from;
    let patient = patient::register(person.patient.clone(), today).map_err(|why| stuck(why.to_string()))?;
    let command = inquiry::Command::Register { patient: person.id.clone() };
    let joined = inquiry::decide(&care, command, &ROBIN.actor()).map_err(|why| stuck(why.to_string()))?;
    let number = NumberEvent::RecordNumberGiven { patient: person.id.clone() };
    let write = |stream: String, event| Write { stream, events: vec![event] };
    let writes = vec![
        write(format!("patient/{}", person.id), said(&patient)),
        write(format!("mrn/{}", person.patient.mrn), said(&number)),
        write(format!("inquiry/{inquiry}"), said(&joined)),
    ];
    pen.write(at, &ROBIN.actor(), writes);
    Ok(())
}

/// Every section is asked, then it is screened; what holds is decided by the prescriber.
fn consult(pen: &mut Pen, person: &Person, from: Timestamp) -> Result<(), Stuck> {
    let stream = format!("consultation/{}", person.id);
    let today = from.to_zoned(pen.history.zone.clone()).date();
    let found = found_at(person, today);
    let said: Consultation = serde_json::from_value(found).map_err(|why| pen.stuck(from, "consult", why))?;
    let mut consulting = Consulting::default();
    let mut minutes = 0;
    let mut asked = |pen: &mut Pen, consulting: Consulting, who: Actor, command| {
        minutes += 4;
        let at = from.saturating_add(Span::new().minutes(minutes)).unwrap_or(from);
        let event = consulting::decide(&consulting, command, &who, pen.history.knowledge)
            .map_err(|why| pen.stuck(at, "consult", why))?;
        pen.event(at, &who, stream.clone(), &event);
        Ok::<_, Stuck>((consulting.evolve(&event), at))
    };
    for section in Section::ALL {
        let command = consulting::Command::Record { section, said: Box::new(said.clone()), read: 0 };
        consulting = asked(pen, consulting, KIM.actor(), command)?.0;
    }
    let patient = Box::new(person.patient.clone());
    let screen =
        consulting::Command::Screen { patient: patient.clone(), profile: "default".to_owned(), today };
    let (screened, at) = asked(pen, consulting, OSEI.actor(), screen)?;
    let Some((version, screening)) = screened.screened.clone() else { return Ok(()) };
    if blocking(&screening).next().is_none() {
        return Ok(());
    }
    let reason = "weighed with the patient; the benefit is worth it".to_owned();
    let signature = signed(OSEI, "I decide against what holds", at);
    let decide = consulting::Command::Decide { patient, screened: version, reason, signature };
    asked(pen, screened, OSEI.actor(), decide).map(drop)
}

/// Two treatments that did not help enough, and nothing that speaks against a third.
fn found_at(person: &Person, today: Date) -> serde_json::Value {
    let before = today.saturating_sub(Span::new().days(2)).to_string();
    let dated = |value: serde_json::Value| json!({ "value": value, "on": before });
    let trial = |drug: &str, mg: u32, percent: u32| {
        json!({ "drug": drug, "kind": "medicine", "current_episode": "yes", "max_daily_mg": mg, "adequate_dose": "yes", "weeks": 9,
            "adherence_percent": 90, "response_percent": percent, "stopped": "no_response", "source": "record" })
    };
    let no = [
        "aneurysm_or_malformation",
        "intracerebral_haemorrhage",
        "cardiovascular_event_6_weeks",
        "cardiovascular_event_6_months",
        "cardiovascular_disease_suspected",
        "psychosis_now",
        "psychosis_past",
        "psychosis_in_family",
        "mania_now",
        "delirium_intoxication_withdrawal",
        "ketamine_misuse",
        "substance_use_disorder",
        "breastfeeding",
        "raised_intracranial_pressure",
        "eye_pressure_uncontrolled",
        "difficult_airway",
        "home_oxygen",
        "reflux_or_slow_stomach",
        "maintenance_over_6_months",
        "pregnancy_possible",
    ];
    let mut answers: serde_json::Map<String, serde_json::Value> =
        no.map(|fact| (fact.to_owned(), json!("no"))).into_iter().collect();
    answers.extend(["capacity", "consent", "escort"].map(|fact| (fact.to_owned(), json!("yes"))));
    let done = [
        "history_physical",
        "psychiatric_interview",
        "treatment_history",
        "suicide_assessment",
        "bmp",
        "cbc",
        "urinalysis",
        "pdmp",
        "ecg",
    ];
    let workup: serde_json::Map<String, serde_json::Value> =
        done.map(|what| (what.to_owned(), json!(before))).into_iter().collect();
    json!({
        "person": { "weight_kg": person.weight.decimal(), "height_cm": person.height.0 / 10 },
        "regimen": person.illness.regimen,
        "diagnoses": [{ "code": person.illness.code, "made_by": "referring psychiatrist", "on": before }],
        "trials": [trial("sertraline", 200, 20), trial("venlafaxine", 225, 10)],
        "medicines": [],
        "vitals": { "on": today.to_string(), "pressures": [
            { "at": format!("{today}T10:05"), "systolic": 122, "diastolic": 78 },
            { "at": format!("{today}T10:12"), "systolic": 120, "diastolic": 76 }], "heart_rate": 70, "spo2": 98, "respiratory_rate": 14,
            "temperature": "36.7" },
        "labs": {
            "alt": { "value": 22, "uln": 40, "on": before }, "ast": dated(json!("0.5")), "alp": dated(json!("0.6")),
            "ggt": dated(json!("0.4")), "bilirubin": dated(json!("0.5")), "egfr": dated(json!(95)),
            "tsh": dated(json!("1.8")), "hcg": dated(json!("negative")), "uds": dated(json!("negative")),
            "urine_blood": dated(json!("negative")),
        },
        "scales": {
            "phq9": dated(json!(18)), "gad7": dated(json!(14)), "pcl5": dated(json!(46)), "slums": dated(json!(28)), "cssrs": dated(json!("low")), "ymrs": dated(json!(2)),
            "audit_c": dated(json!(1)), "dast10": dated(json!(0)), "icsi": dated(json!(1)),
            "stop_bang": dated(json!(1)), "cadss6": dated(json!(0)),
        },
        "answers": answers,
        "workup": workup,
    })
}
