//! After the infusion: waste before a witness, discharge readiness, home with the escort, or handed over.

use super::balance::Balance;
use super::command::Command;
use super::delivery::Certainty;
use super::event::{Event, StopReason, VialFate, VialLeft};
use super::gates;
use super::preparing::{missing, witnessed};
use super::refusal::Refusal;
use super::state::{Phase, Session};
use crate::id::VialId;
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
        Command::Waste { wasted, residual_in_line, left_in_vials, vial_fate, explanation, witness } => {
            let rest = Rest { wasted, residual_in_line, left_in_vials, vial_fate };
            waste(session, rest, explanation, witness, actor, at, knowledge)
        }
        Command::ReturnVials { witness } => give_back(session, witness, actor),
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
            if transfer.to.trim().is_empty() {
                return Err(missing("to", "The receiving place", "Say who takes the patient over."));
            }
            if transfer.reason.trim().is_empty() {
                return Err(missing("reason", "The reason", "Say in words why the patient is handed over."));
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

/// What somebody measured at the end, and did with the vials.
struct Rest {
    wasted: Microlitres,
    residual_in_line: Microlitres,
    left_in_vials: BTreeMap<VialId, Microlitres>,
    vial_fate: VialFate,
}

fn waste(
    session: &Session,
    rest: Rest,
    explanation: Option<String>,
    witness: Signature,
    actor: &Actor,
    at: Timestamp,
    knowledge: &Knowledge,
) -> Result<Vec<Event>, Refusal> {
    if session.phase.active() {
        return Err(session.wrong_phase("waste the rest", "Stop the infusion first."));
    }
    if session.opened().is_empty() {
        return Err(missing("draw", "A drawn dose", "Nothing was drawn, so nothing is left."));
    }
    if !session.is_to_be_measured(at) {
        return Err(session.wrong_phase("waste the rest", "It is wasted and witnessed already."));
    }
    witnessed("waste the rest", &witness, actor)?;
    let Rest { wasted, residual_in_line, left_in_vials, vial_fate } = rest;
    let difference = rest_of_the_syringe(session, (wasted, residual_in_line), at, knowledge)?;
    let vials = rest_of_the_vials(session, left_in_vials, knowledge)?;
    let explanation = says_why(explanation);
    let differs =
        difference != Micrograms::ZERO || vials.iter().any(|one| one.difference != Micrograms::ZERO);
    Ok(vec![if differs && explanation.is_none() {
        Event::WasteDiffered { wasted, residual_in_line, vials, vial_fate, difference, witness }
    } else {
        Event::DrugWasted { wasted, residual_in_line, vials, vial_fate, difference, explanation, witness }
    }])
}

/// A vial that was scanned and not opened is drug in somebody's hands until another person saw it go back.
fn give_back(session: &Session, witness: Signature, actor: &Actor) -> Result<Vec<Event>, Refusal> {
    let vials: Vec<VialId> = session.unopened().into_iter().map(|vial| vial.vial.clone()).collect();
    if vials.is_empty() {
        return Err(missing("vial", "An unopened vial", "Every scanned vial was opened or went back."));
    }
    witnessed("return the unopened vials", &witness, actor)?;
    Ok(vec![Event::VialsReturned { vials, witness }])
}

/// What was drawn and is in no account, with what was measured in syringe and line.
fn rest_of_the_syringe(
    session: &Session,
    (wasted, residual_in_line): (Microlitres, Microlitres),
    at: Timestamp,
    knowledge: &Knowledge,
) -> Result<Micrograms, Refusal> {
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
    not_more_than_was_left(&accounts, wasted.plus(residual_in_line), knowledge)?;
    Ok(accounts.open())
}

/// Each opened vial as it was measured. A vial holds a little more than its label says; what is left beyond label and
/// draws is called overfill up to that, and is a difference beyond. What is missing is always a difference.
fn rest_of_the_vials(
    session: &Session,
    mut measured: BTreeMap<VialId, Microlitres>,
    knowledge: &Knowledge,
) -> Result<Vec<VialLeft>, Refusal> {
    let percent = knowledge.session_rules().vial_overfill_percent;
    let mut vials = Vec::new();
    for (vial, drawn) in session.opened() {
        let left = measured.remove(&vial.vial).ok_or_else(|| {
            let what = format!("What is left in the vial of lot {}", vial.lot);
            missing("left_in_vials", &what, "Measure every opened vial before the witness.")
        })?;
        // The size of the vial stands on it; what should be left in it is not told.
        let holds_at_most = Microlitres(vial.volume.0.saturating_mul(100 + percent) / 100);
        if left.0 < 0 || left > holds_at_most {
            return Err(Refusal::OutOfRange {
                field: "left_in_vials",
                what: "What is left in the vial",
                value: format!("{left} (lot {})", vial.lot),
                accepted: format!("0 mL to {holds_at_most}, which is all that such a vial holds"),
            });
        }
        let missing = vial.holds().minus(drawn).minus(mass_in(left, vial.strength));
        let allowed = Micrograms(vial.holds().0.saturating_mul(percent) / 100);
        let more = Micrograms::ZERO.minus(missing);
        let overfill = if more > Micrograms::ZERO && more <= allowed { more } else { Micrograms::ZERO };
        vials.push(VialLeft { vial: vial.vial.clone(), left, overfill, difference: missing.plus(overfill) });
    }
    match measured.into_keys().next() {
        Some(vial) => Err(Refusal::Unknown { field: "left_in_vials", what: "Opened vial", id: vial.0 }),
        None => Ok(vials),
    }
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
        Certainty::Uncertain { .. } if session.delivery.runs_on() => Err(Refusal::PumpRunsOn),
        // What went with a cleared counter no reading can tell: the rest is measured, and the difference explained.
        Certainty::Uncertain { .. } if session.delivery.is_read_out(at) => Ok(()),
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

/// What of the drug is not accounted for yet, so that the visit cannot end.
pub fn drug_open(session: &Session, at: Timestamp) -> Option<Refusal> {
    balanced(session, at).err()
}

fn balanced(session: &Session, at: Timestamp) -> Result<(), Refusal> {
    let accounts = Balance::of(session, at);
    if session.rest_is_open() {
        return Err(missing(
            "waste",
            "The witnessed waste",
            "Measure and waste what is left, before a witness.",
        ));
    }
    let unopened: Vec<String> =
        session.unopened().iter().map(|vial| format!("{} of lot {}", vial.volume, vial.lot)).collect();
    if !unopened.is_empty() {
        let what = format!("The witnessed return of vials that were not opened, {},", unopened.join(", "));
        return Err(missing("vial", &what, "Take them back to the safe, before a witness."));
    }
    if accounts.closed() {
        return Ok(());
    }
    Err(Refusal::BalanceOpen {
        difference: accounts.open().plus(accounts.open_in_vials()),
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
