//! After the infusion: waste before a witness, discharge readiness, home with the escort, or handed over.

use super::balance::Balance;
use super::command::Command;
use super::delivery::Certainty;
use super::event::{Event, StopReason, VialFate};
use super::gates;
use super::preparing::{missing, witnessed};
use super::refusal::Refusal;
use super::state::{Phase, Session};
use crate::knowledge::Knowledge;
use crate::knowledge::gates::Answers;
use crate::monitor::{Leftovers, Unfinished};
use crate::quantity::{Micrograms, Microlitres, mass_in};
use crate::staff::{Actor, Signature};
use crate::text::{is_reason, says_why};
use jiff::Timestamp;
use std::collections::BTreeMap;

pub(super) fn decide(
    session: &Session,
    command: Command,
    actor: &Actor,
    at: Timestamp,
    knowledge: &Knowledge,
) -> Result<Vec<Event>, Refusal> {
    match command {
        Command::Waste { wasted, residual_in_line, vial_fate, explanation, witness } => {
            waste(session, wasted, residual_in_line, vial_fate, explanation, witness, actor, at, knowledge)
        }
        Command::ScoreDischarge { items } => score(session, items, knowledge),
        Command::Discharge { escort, escort_phone, answers, instructions, unfinished, words, signature } => {
            let home =
                discharge(session, escort, escort_phone, answers, instructions, signature, at, knowledge)?;
            let left = left_unfinished(session, unfinished, words, knowledge)?;
            Ok(left.into_iter().chain([home]).collect())
        }
        Command::Cancel { reason } => cancel(session, reason, at),
        Command::TransferOut { transfer, signature } => {
            if session.checked_in_at.is_none() {
                return Err(session.wrong_phase("transfer", "The patient is not checked in."));
            }
            let stop = session.phase.active().then(|| Event::InfusionEnded {
                why: StopReason::StoppedEarly,
                reason: format!("transferred: {}", transfer.reason),
            });
            Ok(stop.into_iter().chain([Event::Transferred { transfer, signature }]).collect())
        }
        other => Err(session.wrong_phase(other.doing(), "It does not belong to the close of a visit.")),
    }
}

#[expect(clippy::too_many_arguments, reason = "the fields of one form, taken apart once")]
fn waste(
    session: &Session,
    wasted: Microlitres,
    residual_in_line: Microlitres,
    vial_fate: VialFate,
    explanation: Option<String>,
    witness: Signature,
    actor: &Actor,
    at: Timestamp,
    knowledge: &Knowledge,
) -> Result<Vec<Event>, Refusal> {
    if session.phase.active() {
        return Err(session.wrong_phase("waste the rest", "Stop the infusion first."));
    }
    if session.draws.is_empty() {
        return Err(missing("draw", "A drawn dose", "Nothing was drawn, so nothing is left."));
    }
    if session.waste.is_some() {
        return Err(session.wrong_phase("waste the rest", "It is wasted and witnessed already."));
    }
    witnessed("waste the rest", &witness, actor)?;
    if wasted.0 < 0 || residual_in_line.0 < 0 {
        return Err(Refusal::OutOfRange {
            field: "wasted",
            what: "Volume",
            value: wasted.min(residual_in_line).to_string(),
            accepted: "0 mL or more".to_owned(),
        });
    }
    settled(session, at)?;
    let mut accounts = Balance::of(session, at);
    let mass =
        |volume| session.concentration().map_or(Micrograms::ZERO, |strength| mass_in(volume, strength));
    accounts.wasted = mass(wasted);
    accounts.residual = mass(residual_in_line);
    let difference = accounts.open();
    not_more_than_was_left(&accounts, wasted.plus(residual_in_line), knowledge)?;
    let explanation = says_why(explanation);
    if difference != Micrograms::ZERO && explanation.is_none() {
        return Ok(vec![Event::WasteDiffered { wasted, residual_in_line, vial_fate, difference, witness }]);
    }
    Ok(vec![Event::DrugWasted { wasted, residual_in_line, vial_fate, difference, explanation, witness }])
}

/// Drug does not grow: beyond the difference that is an incident no explanation holds, and the pump is read again. The
/// bound is not told: whoever measures must not be able to work out what should be left.
fn not_more_than_was_left(
    accounts: &Balance,
    found: Microlitres,
    knowledge: &Knowledge,
) -> Result<(), Refusal> {
    let percent = knowledge.session_rules().balance_incident_percent;
    let tolerated = Micrograms(accounts.drawn.0.saturating_mul(percent) / 100);
    if accounts.open().plus(tolerated) >= Micrograms::ZERO {
        return Ok(());
    }
    Err(Refusal::OutOfRange {
        field: "wasted",
        what: "What is wasted and left in the line",
        value: found.to_string(),
        accepted: "no more than can be left of what was drawn; measure again, and read the pump again"
            .to_owned(),
    })
}

/// What was delivered was read from the pump after the end, by its link or by a person.
fn settled(session: &Session, at: Timestamp) -> Result<(), Refusal> {
    if session.delivery.started().is_none() {
        return Ok(());
    }
    match session.delivery.certainty(at) {
        Certainty::Read => Ok(()),
        Certainty::Uncertain { .. } => Err(Refusal::DeliveryUncertain),
        Certainty::Recorded => {
            Err(missing("counter", "The final reading of the pump", "Read the volume infused from the pump."))
        }
    }
}

fn score(
    session: &Session,
    items: BTreeMap<String, u8>,
    knowledge: &Knowledge,
) -> Result<Vec<Event>, Refusal> {
    if !matches!(session.phase, Phase::Recovering | Phase::DischargeCheck) {
        return Err(session.wrong_phase("score discharge readiness", "End the infusion first."));
    }
    let total = gates::discharge_score(&items, knowledge)?;
    Ok(vec![Event::DischargeScored { items, total }])
}

#[expect(clippy::too_many_arguments, reason = "the fields of one form, taken apart once")]
fn discharge(
    session: &Session,
    escort: String,
    escort_phone: String,
    answers: Answers,
    instructions: String,
    signature: Signature,
    at: Timestamp,
    knowledge: &Knowledge,
) -> Result<Event, Refusal> {
    let Some((_, score, _)) = session.discharge_score else {
        return Err(missing("score", "The discharge score", "Score discharge readiness first."));
    };
    if session.phase != Phase::DischargeCheck {
        return Err(session.wrong_phase("discharge", "Score discharge readiness first."));
    }
    if escort.trim().is_empty() || escort_phone.trim().is_empty() {
        return Err(missing("escort", "The escort's name and phone", "Nobody goes home alone."));
    }
    if instructions.trim().is_empty() {
        return Err(missing("instructions", "The written instructions", "Hand them over and confirm."));
    }
    if !signature.role.treats() {
        return Err(Refusal::NotAllowed {
            doing: "discharge",
            role: signature.role.title(),
            needs: "nurse or prescriber".to_owned(),
        });
    }
    let open = gates::discharge_open(session, answers, at, knowledge);
    if !open.is_empty() {
        return Err(Refusal::Held { reasons: open });
    }
    balanced(session, at)?;
    Ok(Event::Discharged { escort, escort_phone, score, instructions, signature })
}

/// What is left undone goes into the log with a word on each kind; without the word nobody goes home.
fn left_unfinished(
    session: &Session,
    mut left: Leftovers,
    mut words: BTreeMap<Unfinished, String>,
    knowledge: &Knowledge,
) -> Result<Vec<Event>, Refusal> {
    let open = gates::open_side_effects(session, knowledge);
    left.insert(Unfinished::OpenSideEffects, open);
    let told = left.into_iter().filter(|(_, items)| !items.is_empty()).map(|(what, items)| {
        let word = says_why(words.remove(&what)).ok_or_else(|| {
            let next = format!("Say what became of them: {}.", items.join("; "));
            missing(what.field(), &format!("A word on the {}", what.title()), &next)
        })?;
        Ok(Event::LeftUnfinished { what, items, word })
    });
    told.collect()
}

fn balanced(session: &Session, at: Timestamp) -> Result<(), Refusal> {
    let accounts = Balance::of(session, at);
    if accounts.drawn > Micrograms::ZERO && session.waste.is_none() {
        return Err(missing(
            "waste",
            "The witnessed waste",
            "Measure and waste what is left, before a witness.",
        ));
    }
    if accounts.closed() {
        return Ok(());
    }
    Err(Refusal::BalanceOpen {
        difference: accounts.open(),
        drawn: accounts.drawn,
        delivered: accounts.delivered,
        residual: accounts.residual,
        wasted: accounts.wasted,
    })
}

fn cancel(session: &Session, reason: String, at: Timestamp) -> Result<Vec<Event>, Refusal> {
    if session.delivery.started().is_some() {
        return Err(session.wrong_phase("cancel the visit", "Drug has flowed: stop, watch and discharge."));
    }
    if session.phase == Phase::New {
        return Err(session.wrong_phase("cancel the visit", "Nothing is planned."));
    }
    if !is_reason(&reason) {
        return Err(missing("reason", "The reason", "Say why the visit ends, in words."));
    }
    balanced(session, at)?;
    Ok(vec![Event::SessionCancelled { reason }])
}
