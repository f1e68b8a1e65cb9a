//! What is seen at the chair, charted: numbers, scales by one tap, symptoms.

use super::super::discharge;
use super::{Content, after, draw};
use crate::AppState;
use crate::auth::gate::{Posted, Visit};
use crate::auth::privilege::Privilege;
use crate::pages::Error;
use crate::pages::visit::act::{Outcome, carry_out, done};
use crate::pages::visit::again::sent_again;
use crate::pages::visit::form::{Choice, Field, Form, Kind, Sent};
use crate::pages::visit::head::Opened;
use crate::pages::visit::typed::Typed;
use crate::words::capital;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use clinic::device::Parameter;
use clinic::knowledge::Knowledge;
use clinic::knowledge::limits::Limits;
use clinic::knowledge::session_rules::ScaleRange;
use clinic::quantity::Tenths;
use clinic::session::{Command, Felt, Finding, Observation};
use jiff::civil::DateTime;
use serde::Deserialize;
use std::collections::BTreeMap;

/// What can be charted as numbers: field, label, unit, what it is.
const VITALS: [(&str, &str, &str, Parameter); 6] = [
    ("sbp", "Systolic", "mmHg", Parameter::Systolic),
    ("dbp", "Diastolic", "mmHg", Parameter::Diastolic),
    ("hr", "Heart rate", "/min", Parameter::HeartRate),
    ("spo2", "SpO₂", "%", Parameter::Spo2),
    ("rr", "Respiratory rate", "/min", Parameter::RespiratoryRate),
    ("temp", "Temperature", "°C", Parameter::Temperature),
];

/// The field that says when something was seen.
const OBSERVED_AT: &str = "observed_at";

/// `GET /visit/{session}/observe`
pub async fn observe(
    State(app): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
    Query(as_of): Query<AsOf>,
) -> Result<Response, Error> {
    let opened = Opened::find(&app, &id)?;
    let content = observe_content(&app, &opened, &as_of.at);
    draw(&app, &visit, &opened, content, &Sent::nothing())
}

/// The time at which everything on the page was seen, on the clinic's clock; empty is now.
#[derive(Deserialize)]
pub struct AsOf {
    #[serde(default)]
    at: String,
}

pub(super) fn observe_content(app: &AppState, opened: &Opened, at: &str) -> Content {
    let forms = observe_forms(app, opened);
    let what = ("What was charted, to strike a slip".to_owned(), format!("{}#charted", opened.path("")));
    let (title, links) = ("Observation".to_owned(), vec![what]);
    let Ok(seen) = at.parse::<DateTime>() else {
        return Content { title, links, forms, ..Content::default() };
    };
    let at_that_time = |mut form: Form| match form.fields.iter_mut().find(|field| field.name == OBSERVED_AT) {
        Some(field) => {
            at.clone_into(&mut field.value);
            form
        }
        None => form.hidden(OBSERVED_AT, at),
    };
    let forms = forms.into_iter().map(at_that_time).collect();
    let lead = vec![format!(
        "Chart what is right: each entry here counts as seen at {}.",
        seen.strftime("%H:%M:%S")
    )];
    Content { title, lead, links, forms, ..Content::default() }
}

fn observe_forms(app: &AppState, opened: &Opened) -> Vec<Form> {
    let knowledge = app.floor.knowledge();
    let mut forms = vec![vitals_form(opened)];
    for scale in &knowledge.session_rules().scales {
        forms.push(scale_form(opened, scale));
    }
    forms.push(taps(opened, "iv_site", "IV site", &[("sound", "Sound"), ("not", "NOT sound")]));
    forms.push(taps(
        opened,
        "oriented",
        "Oriented to person, place and time",
        &[("yes", "Yes"), ("no", "No")],
    ));
    forms.push(as_before_form(opened));
    forms.push(taps(opened, "suicidal", "Suicidal thoughts, asked briefly", &[("no", "No"), ("yes", "Yes")]));
    let symptoms = knowledge.limits.iter().filter_map(|item| match &item.body {
        Limits::Symptoms(symptoms) => Some(&symptoms.symptoms),
        _ => None,
    });
    let symptoms: Vec<(&str, &str)> =
        symptoms.flatten().map(|one| (one.id.as_str(), one.title.as_str())).collect();
    forms.push(taps(opened, "symptom", "Symptom", &symptoms));
    forms.push(experience_form(opened));
    forms.push(taps(opened, "asked_to_stop", "The patient's wish", &[("yes", "Asks to stop")]));
    forms
}

/// What is watched before the patient goes home.
pub fn recovery_forms(opened: &Opened, knowledge: &Knowledge) -> Vec<Form> {
    let mut forms = vec![vitals_form(opened)];
    for scale in knowledge
        .session_rules()
        .scales
        .iter()
        .filter(|scale| ["moaas", "nausea", "pain", "mood", "tolerated"].contains(&scale.id.as_str()))
    {
        forms.push(scale_form(opened, scale));
    }
    forms.push(as_before_form(opened));
    forms.push(experience_form(opened));
    forms
}

fn experience_form(opened: &Opened) -> Form {
    let felt = Felt::ALL.map(|felt| Choice::of(felt.word(), capital(felt.title()))).into();
    opened
        .form("experience", "observe", "How the infusion felt", "Save what the patient says")
        .hidden("what", "experience")
        .with(Field::one("felt", "The patient says", felt))
        .with(Field::new(Kind::Line, "words", "In the patient's own words").hint("May be left empty."))
}

fn vitals_form(opened: &Opened) -> Form {
    let fields = VITALS.map(|(name, label, unit, _)| Field::number(name, label, unit));
    opened
        .form("vitals", "observe", "Vital signs", "Save vital signs")
        .hidden("what", "vitals")
        .with_all(fields)
        .with(Field::new(Kind::Moment, OBSERVED_AT, "Measured at").hint("Empty: now."))
}

/// Each score with its words, so that nobody needs to know the scale by heart.
fn scale_form(opened: &Opened, scale: &ScaleRange) -> Form {
    let words =
        |(score, says): (i64, &str)| (score.to_string(), format!("{score} {says}").trim_end().to_owned());
    let scores: Vec<(String, String)> = scale.scores().map(words).collect();
    let scores: Vec<(&str, &str)> = scores.iter().map(|(score, says)| (&**score, &**says)).collect();
    taps(opened, &scale.id, &scale.title, &scores)
}

fn as_before_form(opened: &Opened) -> Form {
    let choices = [("yes", "Over, mind as before the infusion"), ("no", "Not over yet")];
    taps(opened, "as_before", "Dissociation: is it over?", &choices)
}

fn taps(opened: &Opened, what: &str, title: &str, choices: &[(&str, &str)]) -> Form {
    let mut form = opened.form(what, "observe", title, "").hidden("what", what);
    form.taps = choices
        .iter()
        .map(|(value, label)| ("value".to_owned(), (*value).to_owned(), (*label).to_owned()))
        .collect();
    form
}

/// `POST /visit/{session}/observe`
pub async fn chart(
    State(app): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Error> {
    let what = posted.text("what").to_owned();
    let outcome = carry_out(&app, &visit, &id, &posted, (&what, Privilege::Chart), |desk, typed| {
        let observed_at = typed.moment(OBSERVED_AT, "The time", desk.at)?;
        let finding = finding(typed)?;
        let values = match &finding {
            Finding::Vitals { values } => values.iter().map(|(of, value)| (*of, value.decimal())).collect(),
            _ => Vec::new(),
        };
        let read_again = sent_again(typed.posted(), values);
        Some(
            desk.by_me(Command::Chart(Observation {
                read_again,
                ..Observation::by_eye(observed_at, finding)
            })),
        )
    });
    let outcome = VITALS.iter().fold(outcome.await?, |outcome, (field, .., parameter)| {
        discharge::renamed(outcome, parameter.name(), field)
    });
    if posted.text("back") == "discharge" && !visit.htmx {
        return match outcome {
            Outcome::Done => Ok(done(&app, &visit, &format!("/visit/{id}/discharge"), "Recorded.")),
            Outcome::Sent(sent) => discharge::draw(&app, &visit, &id, &sent),
            Outcome::Answered(answer) => Ok(*answer),
        };
    }
    let at = posted.text(OBSERVED_AT).to_owned();
    after(&app, &visit, &id, outcome, |app, opened| observe_content(app, opened, &at))
}

fn finding(typed: &mut Typed) -> Option<Finding> {
    let what = typed.text("what");
    let yes = |typed: &mut Typed, [yes, no]: [&str; 2]| match typed.maybe("value") {
        None => typed.wrong("value", "Tap one of the answers."),
        Some(_) => typed.one_of("value", "The answer", &[yes, no]).map(|value| value == yes),
    };
    let score = |typed: &mut Typed| typed.whole::<u8>("value", "The score", "a whole number of its scale");
    match what.as_str() {
        "vitals" => vitals(typed),
        "moaas" => score(typed).map(|score| Finding::MoaaS { score }),
        "rass" => typed
            .whole::<i8>("value", "The score", "a whole number from −5 to +4")
            .map(|score| Finding::Rass { score }),
        "distress" => score(typed).map(|score| Finding::Distress { score }),
        "disconnected" => score(typed).map(|score| Finding::Disconnected { score }),
        "nausea" => score(typed).map(|score| Finding::Nausea { score }),
        "pain" => score(typed).map(|score| Finding::Pain { score }),
        "mood" => score(typed).map(|score| Finding::Mood { score }),
        "iv_site" => yes(typed, ["sound", "not"]).map(|sound| Finding::IvSite { sound }),
        "oriented" => yes(typed, ["yes", "no"]).map(|oriented| Finding::Oriented { oriented }),
        "as_before" => yes(typed, ["yes", "no"]).map(|as_before| Finding::AsBefore { as_before }),
        "suicidal" => yes(typed, ["yes", "no"]).map(|present| Finding::SuicidalThoughts { present }),
        "symptom" => typed.needed("value", "The symptom").map(|symptom| Finding::Symptom { symptom }),
        "asked_to_stop" => Some(Finding::AskedToStop),
        "tolerated" => score(typed).map(|score| Finding::Tolerated { score }),
        "experience" => experience(typed),
        other => typed.wrong("", format!("“{other}” is not something to chart.")),
    }
}

fn experience(typed: &mut Typed) -> Option<Finding> {
    let felt = typed.chosen("felt", "Choose what the patient says.")?;
    let Some(felt) = Felt::ALL.into_iter().find(|one| one.word() == felt) else {
        return typed.wrong("felt", format!("“{felt}” is not one of those to choose from."));
    };
    Some(Finding::Experience { felt, words: typed.text("words") })
}

fn vitals(typed: &mut Typed) -> Option<Finding> {
    let mut values = BTreeMap::new();
    for (field, label, unit, parameter) in VITALS {
        let Some(number) = typed.maybe_number(field, label, unit) else { continue };
        if parameter != Parameter::Temperature && !number.is_integer() {
            let text =
                format!("{label} is {number} {unit}; accepted is a whole number, as a monitor shows it.");
            return typed.wrong(field, text);
        }
        match Tenths::from_decimal(number).filter(|tenths| tenths.decimal() == number.normalize()) {
            Some(tenths) => {
                values.insert(parameter, tenths);
            }
            None => {
                return typed.wrong(
                    field,
                    format!("{label} {number} {unit} is not a number with one decimal at most."),
                );
            }
        }
    }
    typed.errors.is_empty().then_some(Finding::Vitals { values })
}
