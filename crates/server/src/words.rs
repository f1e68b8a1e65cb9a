//! Sentences for people, from what stands in the log. One place, so that screen, record and live line agree.

use clinic::device::{Parameter, PumpEvent, PumpStatus, ReadAgain};
use clinic::gate::Verdict;
use clinic::id::{RuleId, StaffId};
use clinic::knowledge::Knowledge;
use clinic::monitor::{Alarm, Priority, Reach};
use clinic::quantity::{Micrograms, plain, round_half_up};
use clinic::session::{
    Difference, Event, Felt, Finding, Phase, PumpRead, ReadBy, Recorded, Session, StandsIn, StopReason,
    VialFate, VialLeft,
};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// A word of the log at the begin of a line.
pub fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// A delivered dose on a live screen, to a tenth of a milligram.
pub fn short_mass(mass: Micrograms) -> String {
    format!("{} mg", plain(round_half_up(mass.decimal(), 1)))
}

/// The dose delivered, on a live screen; the least of it while nobody knows what the pump does.
pub fn delivered(session: &Session, at: Timestamp) -> String {
    known(session, at, session.delivered_mass(at), short_mass)
}

/// A delivered dose as far as it is known.
pub fn known(
    session: &Session,
    at: Timestamp,
    mass: Micrograms,
    show: impl Fn(Micrograms) -> String,
) -> String {
    match session.delivery.uncertain_since(at) {
        None => show(mass),
        Some(_) if mass == Micrograms::ZERO => "unknown".to_owned(),
        Some(_) => format!("at least {}", show(mass)),
    }
}

/// The blood pressure that changes are measured from, and where it comes from; `None` before it was measured.
pub fn baseline(session: &Session, knowledge: &Knowledge, zone: &TimeZone) -> Option<String> {
    let answered = session.gates.get(&RuleId::new("c11"))?;
    let (mean, of) = clinic::gate::baseline(&answered.answer.inputs.pressures, knowledge)?;
    let of = of.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ");
    let clock = answered.at.to_zoned(zone.clone()).strftime("%H:%M");
    Some(format!("Baseline {mean} mmHg: mean of {of}, measured for C11 at {clock}"))
}

/// Why a delivery is not certain, in the same words at the chair, at discharge and in the record: until when and by what
/// the least of it is known, and that nobody has read the pump where nobody ever did. `None` while nobody doubts it.
pub fn doubt(session: &Session, zone: &TimeZone, at: Timestamp) -> Option<String> {
    const NEVER_READ: &str = "nobody has read the pump";
    let delivery = &session.delivery;
    let started = delivery.started()?;
    let clock = |at: Timestamp| at.to_zoned(zone.clone()).strftime("%H:%M").to_string();
    if let Some(told) = delivery.doubted() {
        return Some(format!("known until {}, then {}", clock(told.since), told.in_words()));
    }
    if delivery.uncertain_since(at).is_some()
        && let Some(contradicts) = contradiction(session, zone)
    {
        return Some(contradicts);
    }
    if let Some(since) = delivery.count_lost_since().filter(|_| delivery.to_be_read_since(at).is_none()) {
        return Some(format!(
            "known until {}, and since the counter was cleared: what flowed between them no reading tells",
            clock(since)
        ));
    }
    match (delivery.uncertain_since(at), delivery.counted_at()) {
        (None, None) => delivery.ended().map(|_| NEVER_READ.to_owned()),
        (None, Some(_)) => None,
        (Some(since), _) if delivery.runs_on() => {
            Some(format!("the pump was read as infusing at {}, after the stop", clock(since)))
        }
        (Some(since), Some(counted)) if counted >= since => {
            Some(format!("as the pump was read at {}, then unknown", clock(since)))
        }
        (Some(since), counted) if delivery.halt_unseen() => {
            let rates = format!("by the recorded rates, which halt at {}", clock(since));
            Some(match counted {
                Some(_) => format!("{rates}; nobody has read the pump since"),
                None => format!("{NEVER_READ}; {rates}"),
            })
        }
        (Some(since), Some(_)) => Some(format!("by the recorded rates until {}, then unknown", clock(since))),
        (Some(since), None) if since == started => {
            Some(format!("{NEVER_READ} since the start at {}", clock(since)))
        }
        (Some(since), None) => {
            Some(format!("{NEVER_READ}; by the recorded rates until {}, then unknown", clock(since)))
        }
    }
}

/// That the pump was read to do something else than the record says, until one of the two is put right.
pub fn contradiction(session: &Session, zone: &TimeZone) -> Option<String> {
    let (does, at) = session.delivery.read_otherwise()?;
    let record = match session.phase {
        Phase::Infusing => "the record says that it runs",
        Phase::Paused => "the record says that it is paused",
        _ => return None,
    };
    let clock = at.to_zoned(zone.clone()).strftime("%H:%M");
    Some(format!("{record}, and the pump was read as {} at {clock}", pump_status(does)))
}

/// The phase as scripts and styles know it.
pub const fn phase_key(phase: Phase) -> &'static str {
    match phase {
        Phase::New | Phase::Planned => "planned",
        Phase::CheckedIn => "checked_in",
        Phase::Gated => "gated",
        Phase::Ready => "ready",
        Phase::Infusing => "infusing",
        Phase::Paused => "paused",
        Phase::Recovering => "recovering",
        Phase::DischargeCheck => "discharge_check",
        Phase::Discharged => "discharged",
        Phase::Cancelled => "cancelled",
        Phase::Transferred => "transferred",
    }
}

/// The phase as a person reads it on a card.
pub fn phase_title(phase: Phase) -> String {
    let mut text = phase.title().to_owned();
    if let Some(first) = text.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    text
}

/// What became of a gate that a prescriber decided.
pub const LET_PASS: &str = "A prescriber let it pass";

/// A judgement, on the screen as in the record.
pub const fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "Passes",
        Verdict::Info => "Passes, with a remark",
        Verdict::Warn => "Passes, with a warning",
        Verdict::Hold => "Waits",
        Verdict::Stop => "Stops here",
    }
}

/// An alarm's priority as it stands in a record.
pub const fn priority(priority: Priority) -> &'static str {
    match priority {
        Priority::Low => "Low",
        Priority::Medium => "Medium",
        Priority::High => "High",
    }
}

/// One event as a line of the chart.
pub fn line(event: &Event, knowledge: &Knowledge) -> String {
    let title = |id: &RuleId| knowledge.title(id.as_str());
    match event {
        Event::SessionPlanned { regimen, infusion, of, .. } => {
            format!("Planned: {}, infusion {infusion} of {of}", title(regimen))
        }
        Event::CheckedIn { chair } => format!("Checked in to chair {chair}"),
        Event::Weighed { weight, reason, .. } => format!("Weighed {weight}{}", because(reason.as_deref())),
        Event::GateAnswered(answer) => {
            format!("{}: {}", title(&answer.gate), verdict(answer.verdict).to_lowercase())
        }
        Event::GateOverridden { gate, reason, .. } => {
            format!("{}: {}: {reason}", title(gate), LET_PASS.to_lowercase())
        }
        Event::OrderVoided { weight_before, weight_now, .. } => format!(
            "Order VOID, with its second check and pump program: weighed {weight_now}, it stood on {weight_before}"
        ),
        Event::OrderSigned { order, .. } => {
            format!("Order signed: ketamine {} over {} min, {}", order.dose, plain(order.minutes), order.rate)
        }
        Event::LimitOverridden { finding, reason } => {
            format!("Limit passed ({}): {reason}", title(&finding.rule))
        }
        Event::VialScanned(vial) => {
            let drug = vial.drug();
            format!(
                "Vial of {drug}, {} of {}, NDC {}, lot {}",
                vial.volume, vial.strength, vial.ndc, vial.lot
            )
        }
        Event::Drawn { stock, mass, diluted_to, diluent, .. } => {
            let with = diluent.as_ref().map_or_else(String::new, |diluent| format!(" with {diluent}"));
            format!("Drawn {stock} = {mass}, diluted to {diluted_to}{with}")
        }
        Event::DrawnDiscarded { mass, reason, witness, .. } => {
            format!("Syringe DISCARDED, {mass}: {reason}; witness {}", witness.by)
        }
        Event::SecondCheckAgreed { signature, .. } | Event::SecondChecked { signature, .. } => {
            format!("Second check by {}", signature.by)
        }
        Event::SecondCheckDisagreed { signature, differs, .. } => {
            format!("Second check by {} DIFFERS in: {}", signature.by, differing(differs))
        }
        Event::SecondCheckDiffered { signature, read, differs, .. } => format!(
            "Second check by {} DIFFERS from the order in {}: read {}, {}, {}",
            signature.by,
            differs.join(", "),
            read.concentration,
            read.dose,
            read.rate
        ),
        Event::PumpProgrammed(program) => format!("Pump reads {} for {}", program.rate, program.vtbi),
        Event::TimeOutTaken { .. } => "Time-out taken".to_owned(),
        Event::AdverseEventNoted(event) => {
            format!("{} grade {}: {}", title(&event.playbook), event.grade, event.text)
        }
        other => running_line(other),
    }
}

/// `dose, rate`, what a second check has differently. Neither side is told while two people may still look again.
pub fn differing(differs: &[Difference]) -> String {
    differs.iter().map(|one| one.what.as_str()).collect::<Vec<_>>().join(", ")
}

/// `dose: 410 mg, ordered 41 mg`, each difference of a second check with both sides, for the record.
pub fn differences(differs: &[Difference]) -> String {
    let told = differs.iter().map(|one| {
        let side = if one.stands_in() == StandsIn::Order { "ordered" } else { "prepared" };
        format!("{}: {}, {side} {}", one.what, one.read, one.prepared)
    });
    told.collect::<Vec<_>>().join("; ")
}

fn running_line(event: &Event) -> String {
    match event {
        Event::InfusionStarted { rate, counter } => {
            format!("Infusion started at {rate}, the pump's counter at {counter}")
        }
        Event::RateChanged { from, to, reason } => format!("Rate {from} → {to}: {reason}"),
        Event::InfusionPaused { reason } => format!("Paused{}", because(Some(reason))),
        Event::InfusionResumed { rate, reason } => format!("Resumed at {rate}{}", because(Some(reason))),
        Event::InfusionEnded { why, reason } => {
            let how = match why {
                StopReason::Completed => "Infusion complete",
                StopReason::StoppedEarly => "Infusion stopped early",
            };
            format!("{how}{}", because(Some(reason)))
        }
        Event::PumpWasRead(read) => pump_read(read),
        Event::PumpReported { event, .. } | Event::PumpTold { event, late: false, .. } => {
            format!("Pump reports: {}", pump_event(*event))
        }
        Event::PumpToldUndated { event, .. } => {
            format!("Pump reports, when it happened is not known: {}", pump_event(*event))
        }
        Event::PumpTold { event, .. } => format!("Pump reports late: {}", pump_event(*event)),
        Event::DeliveryBecameUncertain { .. } => "Delivery uncertain: read the pump".to_owned(),
        Event::CounterDoubted(told) => {
            format!("Delivery uncertain, {}: read the pump", told.in_words())
        }
        Event::StartCounterCorrected { was, counter, reason } => {
            format!("Counter at the start corrected to {counter}, typed as {was}: {reason}")
        }
        Event::ObservationCharted(seen) => {
            let again = read_again(&seen.read_again).map(|again| format!(" ({again})"));
            finding(&seen.finding) + &again.unwrap_or_default()
        }
        Event::AdverseEventResolved { number, outcome, .. } => format!("Event {number} over: {outcome}"),
        Event::DrugWasGiven(given) => {
            format!("{} {} {} {}", given.drug, plain(given.dose), given.unit, given.route)
        }
        Event::CautionConfirmed { drug, caution, .. } => format!("{drug}, looked at before: {caution}"),
        Event::NoteWritten { text } => text.clone(),
        Event::EntryAmended { position, text, reason } if text.is_empty() => {
            format!("Entry {position} struck: {reason}")
        }
        Event::EntryAmended { position, text, reason } => {
            format!("Entry {position} amended: {text} ({reason})")
        }
        Event::DrugWasted { wasted, residual_in_line, vials, vial_fate, witness, .. } => {
            let vials = left_in_vials(vials, *vial_fate);
            format!("Wasted {wasted}, {residual_in_line} in the line, {vials}; witness {}", witness.by)
        }
        // The numbers that were read, never how far they are off: the next measurement stands for itself, too.
        Event::WasteDiffered { wasted, residual_in_line, vials, witness, .. } => format!(
            "Waste does NOT add up: measured {wasted}, {residual_in_line} in the line, {}; witness {}",
            measured_in_vials(vials),
            witness.by
        ),
        Event::VialsReturned { vials, witness } => {
            format!("Unopened vials returned: {}; witness {}", vials.len(), witness.by)
        }
        Event::DischargeScored { total, .. } => format!("Discharge score {total}"),
        Event::LeftUnfinished { what, items, word } => {
            format!("Goes home with {}: {}. Word on it: {word}", what.title(), items.join("; "))
        }
        Event::Discharged { escort, .. } => format!("Home with {escort}"),
        Event::SessionCancelled { reason } => format!("Visit cancelled: {reason}"),
        Event::Transferred { transfer, .. } => format!("Transferred to {}: {}", transfer.to, transfer.reason),
        _ => String::new(),
    }
}

/// What was measured in the opened vials, one after the other.
pub fn measured_in_vials(vials: &[VialLeft]) -> String {
    if vials.is_empty() {
        return "rest of the vial not measured".to_owned();
    }
    let each: Vec<_> = vials.iter().map(|one| one.left.to_string()).collect();
    format!("{} in {}", each.join(" and "), if vials.len() == 1 { "the vial" } else { "the vials" })
}

/// The same, and what became of it.
pub fn left_in_vials(vials: &[VialLeft], fate: VialFate) -> String {
    let fate = match fate {
        VialFate::Wasted => "wasted",
        VialFate::Returned => "returned",
    };
    format!("{}, {fate}", measured_in_vials(vials))
}

/// What a pump was read to do.
const fn pump_status(status: PumpStatus) -> &'static str {
    match status {
        PumpStatus::Infusing => "infusing",
        PumpStatus::NotInfusing => "not infusing",
        PumpStatus::KeepVeinOpen => "keeping the vein open",
        PumpStatus::Unknown => "not saying whether it infuses",
    }
}

fn pump_read(read: &PumpRead) -> String {
    let counter = read.counter;
    let counted = if read.jumped {
        format!("counter cleared or jumped and nothing flowed by that, counts on from {counter}")
    } else {
        format!("{counter} in")
    };
    let does = match read.status {
        PumpStatus::Infusing => read.rate.to_string(),
        other => pump_status(other).to_owned(),
    };
    let again = if read.by == ReadBy::Correcting { "; the reading before was wrong" } else { "" };
    let why = read.reason.as_ref().map_or_else(String::new, |why| format!("; not as expected: {why}"));
    format!("Pump read: {counted}, {does}{again}{why}")
}

const fn pump_event(event: PumpEvent) -> &'static str {
    match event {
        PumpEvent::DeliveryStarted => "delivery began",
        PumpEvent::DeliveryStopped => "delivery stopped before the volume was in",
        PumpEvent::DeliveryCompleted => "the programmed volume is in",
        PumpEvent::ProgramCleared => "the program was cleared",
        PumpEvent::CountersCleared => "the volume counters are back at zero",
        PumpEvent::PatientChanged => "given to another patient",
    }
}

/// What an alarm says on a screen, with whom it was passed on to.
pub fn alarm(alarm: &Alarm) -> String {
    match alarm.reach {
        Reach::Chair | Reach::AllScreens => alarm.message.clone(),
        further => format!("{} · passed on to {}", alarm.message, reach(further)),
    }
}

/// Whom an alarm reaches.
pub const fn reach(reach: Reach) -> &'static str {
    match reach {
        Reach::Chair => "the chair",
        Reach::AllScreens => "all screens",
        Reach::ChargeNurse => "the charge nurse",
        Reach::Prescriber => "the prescriber",
    }
}

/// How an infusion felt, as the patient says.
pub fn felt_as(felt: Felt, words: &str) -> String {
    let own = if words.is_empty() { String::new() } else { format!(": “{words}”") };
    format!("Felt {}, says the patient{own}", felt.title())
}

/// `25 min`, or `2 h 05 min`.
pub fn lasted(minutes: i64) -> String {
    if minutes < 60 {
        format!("{minutes} min")
    } else {
        format!("{} h {:02} min", minutes / 60, minutes % 60)
    }
}

/// A finding as a person charts it.
pub fn finding(finding: &Finding) -> String {
    match finding {
        Finding::Vitals { values } => {
            let mut text = String::new();
            if let (Some(high), Some(low)) =
                (values.get(&Parameter::Systolic), values.get(&Parameter::Diastolic))
            {
                let _ = write!(text, "BP {high}/{low} ");
            }
            for (parameter, value) in values {
                if !matches!(parameter, Parameter::Systolic | Parameter::Diastolic) {
                    let _ = write!(text, "{} {value} ", parameter.label());
                }
            }
            text.trim_end().to_owned()
        }
        Finding::MoaaS { score } => format!("MOAA/S {score}"),
        Finding::Rass { score } => format!("RASS {score:+}"),
        Finding::Distress { score } => format!("Distress {score}"),
        Finding::Disconnected { score } => format!("Dissociation {score} of 10"),
        Finding::Nausea { score } => format!("Nausea {score}"),
        Finding::Pain { score } => format!("Pain {score}"),
        Finding::Mood { score } => format!("Mood {score} of 10, says the patient"),
        Finding::IvSite { sound: true } => "IV site sound".to_owned(),
        Finding::IvSite { sound: false } => "IV site NOT sound".to_owned(),
        Finding::AsBefore { as_before: true } => "Dissociation over, mind as before the infusion".to_owned(),
        Finding::AsBefore { as_before: false } => "Dissociation NOT over".to_owned(),
        Finding::Oriented { oriented: true } => "Oriented".to_owned(),
        Finding::Oriented { oriented: false } => "NOT oriented".to_owned(),
        Finding::Symptom { symptom } => format!("Symptom: {}", symptom.replace('_', " ")),
        Finding::AskedToStop => "Patient asks to stop".to_owned(),
        Finding::SuicidalThoughts { present: true } => "Suicidal thoughts: yes".to_owned(),
        Finding::SuicidalThoughts { present: false } => "Suicidal thoughts: no".to_owned(),
        Finding::Tolerated { score } => format!("Borne {score} of 10, says the patient"),
        Finding::Experience { felt, words } => felt_as(*felt, words),
    }
}

/// What was asked about when it was typed, and stands because the same was sent once more.
pub fn read_again(values: &ReadAgain) -> Option<String> {
    let read = |(parameter, value): &(Parameter, Decimal)| format!("{} {}", parameter.label(), plain(*value));
    let read: Vec<String> = values.iter().map(read).collect();
    (!read.is_empty()).then(|| format!("asked about, and read again: {}", read.join(", ")))
}

/// What became of entries that were struck, by their place in the log: who struck them, when and why.
pub fn struck(
    history: &[Recorded],
    zone: &TimeZone,
    called: impl Fn(&StaffId) -> String,
) -> BTreeMap<i64, String> {
    let strikes = history.iter().filter_map(|one| match &one.event {
        Event::EntryAmended { position, text, reason } => {
            let clock = one.at.to_zoned(zone.clone()).strftime("%H:%M");
            let now = if text.is_empty() { String::new() } else { format!("; right is {text}") };
            Some((*position, format!("struck {clock} by {}: {reason}{now}", called(&one.by))))
        }
        _ => None,
    });
    strikes.collect()
}

fn because(reason: Option<&str>) -> String {
    match reason.map(str::trim) {
        None | Some("") => String::new(),
        Some(reason) => format!(": {reason}"),
    }
}
