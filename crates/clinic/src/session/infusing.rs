//! While drug flows, and the care that goes on beside it: rate, pause, stop, readings, findings, harm, drugs.

use super::command::Command;
use super::delivery::set_in_words;
use super::event::{AdverseEvent, DrugGiven, Event, Finding, Observation, StopReason};
use super::gates;
use super::preparing::{is_one_dose, missing};
use super::reading;
use super::refusal::Refusal;
use super::state::{Phase, Session};
use super::typed;
use crate::device::Parameter;
use crate::dose;
use crate::id::RuleId;
use crate::knowledge::Knowledge;
use crate::quantity::{Microlitres, Rate, Tenths};
use crate::staff::{Role, Signature, Somebody};
use crate::text::{LETTERS_MIN, is_reason, says_why};
use jiff::Timestamp;
use std::collections::BTreeMap;

pub(super) fn decide(
    session: &Session,
    command: Command,
    at: Timestamp,
    knowledge: &Knowledge,
) -> Result<Vec<Event>, Refusal> {
    match command {
        Command::Start { counter, contradicts } => start(session, counter, contradicts, knowledge),
        Command::ChangeRate { to, reason, passes, after } => {
            is_as_shown(session, after)?;
            change_rate(session, to, reason, passes, knowledge)
        }
        Command::Pause { reason } if session.phase == Phase::Infusing => {
            Ok(vec![Event::InfusionPaused { reason }])
        }
        Command::Pause { .. } => Err(is_paused(session).unwrap_or_else(|| {
            session.wrong_phase("pause the infusion", "Only a running infusion can be paused.")
        })),
        Command::Resume { rate, reason, prescriber, alarms, passes, after } => {
            is_as_shown(session, after)?;
            let passed = resume(session, rate, &reason, prescriber, alarms, passes, at, knowledge)?;
            Ok(passed.into_iter().chain([Event::InfusionResumed { rate, reason }]).collect())
        }
        Command::Stop { reason } => stop(session, reason, at, knowledge),
        Command::ReadPump { read } => reading::read_pump(session, read, at, knowledge),
        Command::CorrectStartCounter { counter, reason } => {
            reading::correct_start(session, counter, reason, at)
        }
        Command::TellPumpEvent { device, event, happened_at: None, .. } => {
            Ok(vec![Event::PumpToldUndated { device, event }])
        }
        Command::TellPumpEvent { device, event, happened_at: Some(happened_at), late } => {
            told_in_visit(session, happened_at)?;
            Ok(vec![Event::PumpTold { device, event, happened_at, late }])
        }
        Command::LosePump => lose_pump(session, at),
        Command::Chart(observation) => chart(session, observation, at, knowledge),
        Command::NoteAdverseEvent { playbook, grade, serious, began_at, text } => {
            note_adverse_event(session, playbook, grade, serious, began_at, text, at, knowledge)
        }
        Command::ResolveAdverseEvent { number, outcome, ended_at } => {
            resolve(session, number, outcome, ended_at, at)
        }
        Command::GiveDrug { given, confirmed } => give_drug(session, given, confirmed, at, knowledge),
        Command::Note { text } if text.trim().is_empty() => {
            Err(missing("text", "The text of the note", "Write something."))
        }
        Command::Note { text } => Ok(vec![Event::NoteWritten { text }]),
        Command::Amend { position, reason, text } => amend(session, position, reason, text),
        other => Err(session.wrong_phase(other.doing(), "It does not belong to the infusion.")),
    }
}

/// Who paused it before, where it is paused.
fn is_paused(session: &Session) -> Option<Refusal> {
    let set = session.delivery.last_set().filter(|_| session.phase == Phase::Paused)?;
    let (by, did) = (Somebody::new(&set.by, set.at), set_in_words(&set.event)?);
    Some(Refusal::Already { field: "", by, did, needs: "To go on, resume or stop the infusion." })
}

/// What a pump did before this patient came belongs to somebody else's record.
fn told_in_visit(session: &Session, happened_at: Timestamp) -> Result<(), Refusal> {
    if session.checked_in_at.is_some_and(|came| came <= happened_at) {
        return Ok(());
    }
    let came = session.checked_in_at.map_or_else(|| "the check-in".to_owned(), |came| came.to_string());
    Err(Refusal::OutOfRange {
        field: "happened_at",
        what: "Time of the pump's event",
        value: happened_at.to_string(),
        accepted: format!("{came} or later, when this patient came"),
    })
}

fn start(
    session: &Session,
    counter: Microlitres,
    contradicts: Vec<String>,
    knowledge: &Knowledge,
) -> Result<Vec<Event>, Refusal> {
    if session.phase != Phase::Ready {
        return Err(
            session.wrong_phase("start the infusion", "Order, second check, pump and time-out come first.")
        );
    }
    let open = gates::open(session, knowledge);
    if !open.is_empty() {
        return Err(Refusal::Held { reasons: open });
    }
    if !contradicts.is_empty() {
        return Err(Refusal::Held { reasons: contradicts });
    }
    let (Some((order, _)), Some((program, _))) = (&session.order, &session.program) else {
        return Err(missing("order", "Order or pump program", "Sign the order and program the pump."));
    };
    // A syringe shows hundredths of a millilitre: what it cannot show is not missing.
    let permille = knowledge.session_rules().complete_permille;
    let short = order.dose.minus(session.drawn_mass());
    if i128::from(short.0) * 1000 > i128::from(order.dose.0) * i128::from(permille) {
        return Err(Refusal::OutOfRange {
            field: "draw",
            what: "Drug drawn",
            value: session.drawn_mass().to_string(),
            accepted: format!("the ordered {}, at most {permille} thousandths less", order.dose),
        });
    }
    is_one_dose(session.drawn_mass(), order.dose, knowledge)?;
    if counter.0 < 0 {
        return Err(Refusal::OutOfRange {
            field: "counter",
            what: "Volume counter",
            value: counter.to_string(),
            accepted: "0 mL or more, as shown on the pump".to_owned(),
        });
    }
    Ok(vec![Event::InfusionStarted { rate: program.rate, counter }])
}

/// Whoever types a rate knows the flow that their form showed, and no later one.
fn is_as_shown(session: &Session, after: Option<i64>) -> Result<(), Refusal> {
    let set = session.delivery.last_set().filter(|set| after.is_some_and(|shown| shown != set.position));
    match set.and_then(|set| Some((set, set_in_words(&set.event)?))) {
        Some((set, did)) => Err(Refusal::FlowSet { by: Somebody::new(&set.by, set.at), did }),
        None => Ok(()),
    }
}

fn change_rate(
    session: &Session,
    to: Rate,
    reason: String,
    passes: Option<String>,
    knowledge: &Knowledge,
) -> Result<Vec<Event>, Refusal> {
    if session.phase != Phase::Infusing {
        return Err(session.wrong_phase("change the rate", "Only a running infusion has a rate to change."));
    }
    // A linked pump may have told the new rate before the person who set it did.
    let from = session.delivery.set_rate();
    if to == from && to == session.delivery.rate() {
        let accepted = format!("another rate: it runs at {from} already");
        return Err(Refusal::OutOfRange { field: "rate", what: "New rate", value: to.to_string(), accepted });
    }
    let passed = within_order(session, to, passes, knowledge)?;
    if !is_reason(&reason) {
        return Err(missing("reason", "The reason for the new rate", "Say why, in words."));
    }
    Ok(passed.into_iter().chain([Event::RateChanged { from, to, reason }]).collect())
}

/// A rate above the signed one needs a new order; zero is a pause or a stop. One far below is asked about, and the answer
/// is the event that comes back.
fn within_order(
    session: &Session,
    rate: Rate,
    passes: Option<String>,
    knowledge: &Knowledge,
) -> Result<Option<Event>, Refusal> {
    let Some((order, _)) = &session.order else {
        return Err(missing("order", "The signed order", "Have it signed first."));
    };
    if rate.0 <= 0 {
        return Err(Refusal::OutOfRange {
            field: "rate",
            what: "Rate",
            value: rate.to_string(),
            accepted: "more than 0 mL/h; to halt the flow pause or stop".to_owned(),
        });
    }
    let limit = order.steps.iter().map(|(rate, _)| *rate).fold(order.rate, Rate::max);
    if rate > limit.plus(knowledge.session_rules().pump_match) {
        let slip = dose::ratio_hint(rate.0, limit.0).map_or_else(String::new, |hint| format!(". {hint}"));
        let rule = "the signed order; for more, a prescriber signs a new order";
        let rule = format!("{rule}{}", slip.trim_end_matches('.'));
        return Err(Refusal::RateAboveAbsoluteLimit { asked: rate, limit, rule });
    }
    let slowest = order.steps.iter().map(|(rate, _)| *rate).fold(order.rate, Rate::min);
    match (dose::slow_rate(rate, slowest, &order.regimen, knowledge), says_why(passes)) {
        (None, _) => Ok(None),
        (Some(finding), _) if dose::refuses(&finding) => {
            Err(Refusal::DoseRefused { reasons: vec![finding.reason] })
        }
        (Some(finding), Some(reason)) => Ok(Some(Event::LimitOverridden { finding, reason })),
        (Some(finding), None) => Err(Refusal::NeedsReason { field: "passes", finding: finding.reason }),
    }
}

/// Whether the infusion may go on; the event is the answer where a limit was passed.
#[expect(clippy::too_many_arguments, reason = "the fields of one form, taken apart once")]
fn resume(
    session: &Session,
    rate: Rate,
    reason: &str,
    prescriber: Option<Signature>,
    alarms: Vec<String>,
    passes: Option<String>,
    at: Timestamp,
    knowledge: &Knowledge,
) -> Result<Option<Event>, Refusal> {
    if session.phase != Phase::Paused {
        return Err(session.wrong_phase("resume the infusion", "It is not paused."));
    }
    let mut refusals = Vec::new();
    if let Some(doubted) = session.delivery.doubted() {
        let next = format!("By its link {}. Read the pump first.", doubted.in_words());
        refusals.push(missing("counter", "What the pump has given", &next));
    }
    if !alarms.is_empty() {
        refusals.push(Refusal::Held { reasons: alarms });
    }
    let rules = knowledge.session_rules();
    let prescriber_decides =
        session.paused_s(at) > rules.pause_total_s_max || session.pauses.len() > rules.pauses_max;
    if prescriber_decides && prescriber.is_none_or(|signature| signature.role != Role::Prescriber) {
        refusals.push(missing(
            "prescriber",
            "A prescriber's signature",
            "After a second or long pause a prescriber decides whether to resume or to stop.",
        ));
    }
    let limit = session.order.as_ref().filter(|_| prescriber_decides).map(|(order, _)| {
        Rate(order.rate.0.saturating_mul(rules.resume_percent) / 100).plus(rules.pump_match)
    });
    let passed = match limit.filter(|limit| rate > *limit) {
        Some(limit) => Err(Refusal::RateAboveAbsoluteLimit {
            asked: rate,
            limit,
            rule: format!("{} % of the ordered rate after a second or long pause", rules.resume_percent),
        }),
        None => within_order(session, rate, passes, knowledge),
    };
    let passed = passed.unwrap_or_else(|refusal| {
        refusals.push(refusal);
        None
    });
    if !is_reason(reason) {
        refusals.push(missing("reason", "The reason to go on", "Say why it is safe, in words."));
    }
    Refusal::of(refusals)?;
    Ok(passed)
}

fn stop(
    session: &Session,
    reason: String,
    at: Timestamp,
    knowledge: &Knowledge,
) -> Result<Vec<Event>, Refusal> {
    if !session.phase.active() {
        return Err(session.wrong_phase("stop the infusion", "No infusion is running."));
    }
    let ordered = session.order.as_ref().map_or(Microlitres::ZERO, |(order, _)| order.volume);
    let short = ordered.minus(session.delivery.volume_at(at));
    let allowed = i128::from(ordered.0) * i128::from(knowledge.session_rules().complete_permille) / 1000;
    let why = if i128::from(short.0) <= allowed { StopReason::Completed } else { StopReason::StoppedEarly };
    Ok(vec![Event::InfusionEnded { why, reason }])
}

fn lose_pump(session: &Session, at: Timestamp) -> Result<Vec<Event>, Refusal> {
    let active = session.phase.active();
    if !active || session.delivery.is_in_the_dark() {
        return Ok(Vec::new());
    }
    Ok(vec![Event::DeliveryBecameUncertain { since: session.delivery.settled_to().unwrap_or(at) }])
}

fn chart(
    session: &Session,
    observation: Observation,
    at: Timestamp,
    knowledge: &Knowledge,
) -> Result<Vec<Event>, Refusal> {
    if session.checked_in_at.is_none() {
        return Err(session.wrong_phase("chart an observation", "Check the patient in first."));
    }
    in_the_visit(session, ("observed_at", "Time of the observation"), observation.observed_at, at)?;
    in_scale(&observation.finding, knowledge)?;
    if observation.finding.is_of_the_infusion() && session.delivery.started().is_none() {
        let next = "Ask how it was when the infusion has begun.";
        return Err(session.wrong_phase("chart how the infusion was", next));
    }
    Ok(vec![Event::ObservationCharted(typed::charted(session, observation, knowledge)?)])
}

/// Refuses what cannot have happened in this visit: before the patient came, or later than now.
fn in_the_visit(
    session: &Session,
    (field, what): (&'static str, &'static str),
    happened: Timestamp,
    at: Timestamp,
) -> Result<(), Refusal> {
    let arrived = session.checked_in_at.unwrap_or(at);
    if (arrived..=at).contains(&happened) {
        return Ok(());
    }
    let accepted = format!("between check-in at {arrived} and now");
    Err(Refusal::OutOfRange { field, what, value: happened.to_string(), accepted })
}

fn in_scale(finding: &Finding, knowledge: &Knowledge) -> Result<(), Refusal> {
    let rules = knowledge.session_rules();
    let score = |id: &'static str, value: i64| match rules.scale(id) {
        Some((low, high)) if (low..=high).contains(&value) => Ok(()),
        Some((low, high)) => Err(Refusal::OutOfRange {
            field: id,
            what: "Score",
            value: value.to_string(),
            accepted: format!("{low} to {high}"),
        }),
        None => Err(Refusal::Unknown { field: id, what: "Scale", id: id.to_owned() }),
    };
    match finding {
        Finding::Vitals { values } if values.is_empty() => {
            Err(missing("vitals", "At least one vital sign", "Enter what was measured."))
        }
        Finding::Vitals { values } => both_pressures(values),
        Finding::MoaaS { score: value } => score("moaas", i64::from(*value)),
        Finding::Rass { score: value } => score("rass", i64::from(*value)),
        Finding::Distress { score: value } => score("distress", i64::from(*value)),
        Finding::Disconnected { score: value } => score("disconnected", i64::from(*value)),
        Finding::Nausea { score: value } => score("nausea", i64::from(*value)),
        Finding::Pain { score: value } => score("pain", i64::from(*value)),
        Finding::Mood { score: value } => score("mood", i64::from(*value)),
        Finding::Tolerated { score: value } => score("tolerated", i64::from(*value)),
        Finding::Symptom { symptom } => gates::known_symptom(symptom, knowledge),
        Finding::IvSite { .. }
        | Finding::Oriented { .. }
        | Finding::AsBefore { .. }
        | Finding::AskedToStop
        | Finding::Experience { .. }
        | Finding::SuicidalThoughts { .. } => Ok(()),
    }
}

/// A cuff measures both. Half a pressure would stand on a screen beside half of an older one.
fn both_pressures(values: &BTreeMap<Parameter, Tenths>) -> Result<(), Refusal> {
    let next = "A cuff measures both: enter both, or neither.";
    match (values.contains_key(&Parameter::Systolic), values.contains_key(&Parameter::Diastolic)) {
        (true, false) => Err(missing("dbp", "The diastolic pressure", next)),
        (false, true) => Err(missing("sbp", "The systolic pressure", next)),
        (true, true) | (false, false) => Ok(()),
    }
}

#[expect(clippy::too_many_arguments, reason = "the fields of one form, taken apart once")]
fn note_adverse_event(
    session: &Session,
    playbook: RuleId,
    grade: u8,
    serious: bool,
    began_at: Timestamp,
    text: String,
    at: Timestamp,
    knowledge: &Knowledge,
) -> Result<Vec<Event>, Refusal> {
    if session.checked_in_at.is_none() {
        return Err(session.wrong_phase("note an adverse event", "Check the patient in first."));
    }
    let Some(version) = knowledge.playbook_version(&playbook) else {
        return Err(Refusal::Unknown { field: "playbook", what: "Playbook", id: playbook.0 });
    };
    if !(1..=5).contains(&grade) {
        return Err(Refusal::OutOfRange {
            field: "grade",
            what: "Grade",
            value: grade.to_string(),
            accepted: "1 mild to 5 fatal".to_owned(),
        });
    }
    if (serious || grade >= knowledge.session_rules().event_words_from_grade)
        && !text.chars().any(char::is_alphabetic)
    {
        let next = "A serious, life-threatening or fatal event needs words: say what is seen.";
        return Err(missing("text", "What is seen", next));
    }
    in_the_visit(session, ("began_at", "Begin of the event"), began_at, at)?;
    let number = session.event_numbers.values().max().map_or(1, |last| last.saturating_add(1));
    Ok(vec![Event::AdverseEventNoted(AdverseEvent {
        number,
        playbook,
        version,
        grade,
        serious,
        began_at,
        text,
    })])
}

fn resolve(
    session: &Session,
    number: u32,
    outcome: String,
    ended_at: Option<Timestamp>,
    at: Timestamp,
) -> Result<Vec<Event>, Refusal> {
    match session.adverse_events.iter().find(|(event, _)| event.number == number) {
        None => Err(Refusal::Unknown { field: "number", what: "Adverse event", id: number.to_string() }),
        Some((_, Some(_))) => Err(session.wrong_phase("resolve an adverse event", "It is resolved already.")),
        Some(_) if outcome.trim().is_empty() => Err(missing("outcome", "The outcome", "Say how it ended.")),
        Some((event, None)) => {
            let ended = ended_at.unwrap_or(at);
            if !(event.began_at..=at).contains(&ended) {
                let accepted = format!("between its begin at {} and now", event.began_at);
                let (field, what, value) = ("ended_at", "End of the event", ended.to_string());
                return Err(Refusal::OutOfRange { field, what, value, accepted });
            }
            Ok(vec![Event::AdverseEventResolved { number, outcome, ended_at }])
        }
    }
}

fn give_drug(
    session: &Session,
    given: DrugGiven,
    confirmed: bool,
    at: Timestamp,
    knowledge: &Knowledge,
) -> Result<Vec<Event>, Refusal> {
    if session.checked_in_at.is_none() {
        return Err(session.wrong_phase("give a drug", "Check the patient in first."));
    }
    in_the_visit(session, ("given_at", "Time given"), given.given_at, at)?;
    let order = gates::standing_order(session, &given, knowledge)?;
    if order.caution.is_empty() {
        return Ok(vec![Event::DrugWasGiven(given)]);
    }
    if !confirmed {
        let what = format!("Your word on “{}”", order.caution);
        return Err(missing("confirmed", &what, "Look at it for this patient, then tick it."));
    }
    let DrugGiven { drug, standing_order, version, .. } = given.clone();
    let caution = order.caution.clone();
    Ok(vec![Event::CautionConfirmed { standing_order, version, drug, caution }, Event::DrugWasGiven(given)])
}

/// What stands in the place of an entry, or that nothing does: a charted finding, a drug and a side effect are struck
/// without other words, because the right one is entered anew.
fn amend(session: &Session, position: i64, reason: String, text: String) -> Result<Vec<Event>, Refusal> {
    if !session.positions.contains(&position) {
        return Err(Refusal::Unknown { field: "position", what: "Entry", id: position.to_string() });
    }
    let text = text.trim().to_owned();
    if !is_reason(&reason) {
        let next = format!(
            "Say what went wrong, in at least {LETTERS_MIN} letters; it is kept beside the old entry."
        );
        return Err(missing("reason", "The reason", &next));
    }
    if !text.is_empty() || can_be_struck(session, position) {
        return Ok(vec![Event::EntryAmended { position, reason, text }]);
    }
    if session.struck.contains(&position) {
        return Err(Refusal::OutOfRange {
            field: "position",
            what: "The entry to strike",
            value: position.to_string(),
            accepted: "one that still stands: this one is struck already".to_owned(),
        });
    }
    Err(missing("text", "The corrected text", "It is kept beside the old entry."))
}

/// A charted finding, a drug or a side effect that still stands.
fn can_be_struck(session: &Session, position: i64) -> bool {
    let number = session.event_numbers.get(&position);
    session.observations.iter().any(|(_, _, charted_at)| *charted_at == position)
        || session.drugs.iter().any(|(_, given_at)| *given_at == position)
        || session.adverse_events.iter().any(|(event, _)| Some(&event.number) == number)
}
