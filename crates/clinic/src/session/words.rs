//! What is typed into a command: each text by the bounds of its kind, before anything else is asked of the command. A
//! command or a field that is new does not compile until it stands here.

use super::check::SecondReading;
use super::command::{Command, PumpEntry};
use super::event::{DrugGiven, Finding, Observation, PumpRead, ReadBy, ScannedVial, Transfer};
use super::refusal::Refusal;
use crate::gate::DayOfInputs;
use crate::text::{Kind, Unfit};

/// A text with its field in the form, and what it is for a person.
struct Text<'a> {
    field: &'static str,
    what: &'static str,
    text: &'a str,
    kind: Kind,
}

/// Refuses the first text that cannot be taken.
pub(super) fn fit(command: &Command) -> Result<(), Refusal> {
    texts(command).into_iter().try_for_each(|Text { field, what, text, kind }| {
        let refuse = |Unfit { value, accepted }| Refusal::OutOfRange { field, what, value, accepted };
        kind.check(text).map_err(refuse)
    })
}

const fn id<'a>(field: &'static str, text: &'a str) -> Text<'a> {
    Text { field, what: "Name of it", text, kind: Kind::Id }
}

const fn word<'a>(field: &'static str, what: &'static str, text: &'a str) -> Text<'a> {
    Text { field, what, text, kind: Kind::Word }
}

const fn line<'a>(field: &'static str, what: &'static str, text: &'a str) -> Text<'a> {
    Text { field, what, text, kind: Kind::Line }
}

const fn words<'a>(field: &'static str, what: &'static str, text: &'a str) -> Text<'a> {
    Text { field, what, text, kind: Kind::Words }
}

const fn why(text: &str) -> Text<'_> {
    said("reason", "The reason", text)
}

/// Every text of a command. What the program makes by itself is left out: signatures, alarms, what was left undone.
fn texts(command: &Command) -> Vec<Text<'_>> {
    match command {
        Command::Plan { patient, regimen, infusion: _, of: _, day: _ } => {
            vec![id("patient", &patient.0), id("regimen", &regimen.0)]
        }
        Command::CheckIn { chair } => vec![id("chair", &chair.0)],
        Command::Weigh { weight: _, height: _, sex, last: _, reason } => with(if_why(reason), if_sex(sex)),
        Command::AnswerGate { gate, inputs, note } => {
            with([id("gate", &gate.0), words("note", "The note", note)], answered(inputs))
        }
        Command::OverrideGate { gate, reason, signature: _ } => vec![id("gate", &gate.0), why(reason)],
        Command::SignOrder { id: order, request, beside_plan: _, reason, signature: _ } => {
            with([id("order", &order.0), id("regimen", &request.regimen.0)], if_why(reason))
        }
        Command::ScanVial { vial, today: _, another: _ } => scanned(vial),
        Command::Draw { vial, stock: _, diluted_to: _, diluent } => {
            with([id("vial", &vial.0)], diluent.iter().map(|diluent| word("diluent", "Diluent", diluent)))
        }
        Command::SecondCheck { signature: _, read } => read.iter().flat_map(|read| second(read)).collect(),
        Command::ProgramPump { entry } => programmed(entry),
        Command::TimeOut { confirmed } => confirmed.iter().map(|point| id("confirmed", point)).collect(),
        Command::ChangeRate { to: _, reason, passes, after: _ }
        | Command::Resume { rate: _, reason, prescriber: _, alarms: _, passes, after: _ } => {
            with([why(reason)], passes.iter().map(|passes| said("passes", "Why a limit is passed", passes)))
        }
        Command::DiscardDrawn { reason, witness: _ }
        | Command::Cancel { reason }
        | Command::CorrectStartCounter { counter: _, reason } => vec![why(reason)],
        // Stopping is never harder than going on: any word will do, or none.
        Command::Pause { reason } | Command::Stop { reason } => vec![words("reason", "The reason", reason)],
        Command::ReadPump { read } => by(read),
        Command::TellPumpEvent { device, event: _, happened_at: _, late: _ } => vec![id("device", &device.0)],
        Command::Chart(observation) => seen(observation),
        Command::NoteAdverseEvent { playbook, grade: _, serious: _, began_at: _, text } => {
            vec![id("playbook", &playbook.0), words("text", "What happened", text)]
        }
        Command::ResolveAdverseEvent { number: _, outcome, ended_at: _ } => {
            vec![said("outcome", "The outcome", outcome)]
        }
        Command::GiveDrug { given, confirmed: _ } => drug(given),
        Command::Note { text } => vec![words("text", "The note", text)],
        Command::Amend { position: _, reason, text } => {
            vec![why(reason), words("text", "The corrected text", text)]
        }
        Command::Waste { left_in_vials, explanation, .. } => with(
            left_in_vials.keys().map(|vial| id("left_in_vials", &vial.0)),
            explanation.iter().map(|text| said("explanation", "The explanation", text)),
        ),
        Command::ScoreDischarge { items } => items.keys().map(|item| id("score", item)).collect(),
        Command::Discharge {
            escort,
            escort_phone,
            answers,
            instructions,
            words,
            unfinished: _,
            signature: _,
        } => {
            let on = words.iter().map(|(on, text)| said(on.field(), on.title(), text));
            let facts = answers.keys().map(|fact| id("answers", fact));
            with(home(escort, escort_phone, instructions), on.chain(facts))
        }
        Command::TransferOut { transfer: Transfer { to, reason }, signature: _ } => {
            vec![line("to", "The receiving place", to), why(reason)]
        }
        Command::Start { .. } | Command::LosePump | Command::ReturnVials { witness: _ } => Vec::new(),
    }
}

fn with<'a>(
    some: impl IntoIterator<Item = Text<'a>>,
    others: impl IntoIterator<Item = Text<'a>>,
) -> Vec<Text<'a>> {
    some.into_iter().chain(others).collect()
}

const fn said<'a>(field: &'static str, what: &'static str, text: &'a str) -> Text<'a> {
    Text { field, what, text, kind: Kind::Reason }
}

fn if_why(reason: &Option<String>) -> Option<Text<'_>> {
    reason.as_deref().map(why)
}

fn if_sex(sex: &Option<String>) -> Option<Text<'_>> {
    sex.as_deref().map(|sex| word("sex", "The sex for the dose weight", sex))
}

fn programmed(entry: &PumpEntry) -> Vec<Text<'_>> {
    let PumpEntry { device, library_entry, rate: _, vtbi: _, concentration: _ } = entry;
    let device = device.iter().map(|device| id("device", &device.0));
    with(device, [line("library_entry", "Library entry", library_entry)])
}

fn by(read: &PumpRead) -> Vec<Text<'_>> {
    let PumpRead { by, reason, status: _, rate: _, counter: _, read_at: _, jumped: _, all_in: _ } = read;
    let device = match by {
        ReadBy::Link(device) => Some(id("device", &device.0)),
        ReadBy::Person | ReadBy::Correcting => None,
    };
    with(device, if_why(reason))
}

fn seen(observation: &Observation) -> Vec<Text<'_>> {
    let Observation { observed_at: _, from_device, finding, read_again: _ } = observation;
    with(from_device.iter().map(|device| id("device", &device.0)), found(finding))
}

fn home<'a>(escort: &'a str, phone: &'a str, instructions: &'a str) -> [Text<'a>; 3] {
    [
        Text { field: "escort", what: "The escort's name", text: escort, kind: Kind::Name },
        Text { field: "escort_number", what: "The escort's phone", text: phone, kind: Kind::Phone },
        line("instructions", "The written instructions", instructions),
    ]
}

fn answered(inputs: &DayOfInputs) -> Vec<Text<'_>> {
    let DayOfInputs {
        answers,
        pressures: _,
        symptoms,
        medicines,
        regimen,
        last_infusion: _,
        measured_before,
        read_again: _,
    } = inputs;
    let facts = answers.keys().map(|fact| id("answers", fact));
    let before = measured_before.iter().filter_map(|then| then.symptoms.as_ref());
    let symptoms = symptoms.iter().chain(before).flatten().map(|symptom| id("symptoms", symptom));
    let medicines = medicines.iter().flatten().flat_map(|medicine| {
        let name = line("medicines", "The name of a medicine", &medicine.ingredient);
        std::iter::once(name).chain(medicine.atc.iter().map(|atc| word("medicines", "The ATC code", atc)))
    });
    facts
        .chain(symptoms)
        .chain(medicines)
        .chain(regimen.iter().map(|regimen| id("regimen", regimen)))
        .collect()
}

fn scanned(vial: &ScannedVial) -> Vec<Text<'_>> {
    let ScannedVial { vial, ndc, lot, expires: _, strength: _, volume: _, read_as } = vial;
    let read_as = read_as.iter().map(|label| word("read_as", "Drug on the label", label));
    let own = [id("vial", &vial.0), word("ndc", "Drug code", ndc), word("lot", "Lot", lot)];
    own.into_iter().chain(read_as).collect()
}

fn second(read: &SecondReading) -> Vec<Text<'_>> {
    let drugs = read.vials.iter().map(|vial| word("drug_1", "Drug on the vial", &vial.drug));
    let own = [
        word("identifier", "Record number or birth date", &read.identified.by),
        word("diluent", "Diluent", &read.diluent),
    ];
    own.into_iter().chain(drugs).collect()
}

fn found(finding: &Finding) -> Option<Text<'_>> {
    match finding {
        Finding::Symptom { symptom } => Some(id("symptom", symptom)),
        Finding::Experience { felt: _, words: said } => Some(words("words", "The patient's words", said)),
        Finding::Vitals { .. }
        | Finding::MoaaS { .. }
        | Finding::Rass { .. }
        | Finding::Distress { .. }
        | Finding::Disconnected { .. }
        | Finding::Nausea { .. }
        | Finding::Pain { .. }
        | Finding::Mood { .. }
        | Finding::IvSite { .. }
        | Finding::AsBefore { .. }
        | Finding::Oriented { .. }
        | Finding::AskedToStop
        | Finding::Tolerated { .. }
        | Finding::SuicidalThoughts { .. } => None,
    }
}

fn drug(given: &DrugGiven) -> Vec<Text<'_>> {
    let DrugGiven { drug, unit, route, standing_order, dose: _, version: _, adverse_event: _, given_at: _ } =
        given;
    vec![
        word("drug", "The drug", drug),
        word("unit", "The unit", unit),
        word("route", "The route", route),
        id("standing_order", &standing_order.0),
    ]
}
