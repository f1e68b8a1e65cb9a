//! What is true of a session now: folded from its events, never stored.

use super::balance::Balance;
use super::check::StandsIn;
use super::command::Command;
use super::delivery::Delivery;
use super::event::{
    AdverseEvent, Difference, DrugGiven, Event, GateAnswer, Observation, Order, PumpProgram, Recorded,
    ScannedVial, StopReason, VialFate, VialLeft,
};
use super::refusal::Refusal;
use crate::id::{ChairId, PatientId, RuleId, StaffId, VialId};
use crate::quantity::{Concentration, Height, Micrograms, Microlitres, Weight, mass_in};
use crate::staff::Signature;
use jiff::Timestamp;
use jiff::civil::Date;
use std::collections::{BTreeMap, BTreeSet};

/// Where the visit stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Not begun.
    #[default]
    New,
    /// Planned for a day.
    Planned,
    /// At the chair, gates open.
    CheckedIn,
    /// Order signed.
    Gated,
    /// Time-out taken, may start.
    Ready,
    /// Drug flows.
    Infusing,
    /// Paused.
    Paused,
    /// No more drug flows; watched.
    Recovering,
    /// Discharge readiness scored.
    DischargeCheck,
    /// Gone home.
    Discharged,
    /// Ended before any drug flowed.
    Cancelled,
    /// Handed over.
    Transferred,
}

impl Phase {
    /// As a person reads it.
    pub const fn title(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Planned => "planned",
            Self::CheckedIn => "checked in",
            Self::Gated => "ordered",
            Self::Ready => "ready",
            Self::Infusing => "infusing",
            Self::Paused => "paused",
            Self::Recovering => "recovering",
            Self::DischargeCheck => "in discharge check",
            Self::Discharged => "discharged",
            Self::Cancelled => "cancelled",
            Self::Transferred => "transferred",
        }
    }
    /// The visit is over.
    pub const fn closed(self) -> bool {
        matches!(self, Self::Discharged | Self::Cancelled | Self::Transferred)
    }
    /// A pump is or may be running.
    pub const fn active(self) -> bool {
        matches!(self, Self::Infusing | Self::Paused)
    }
    /// Before the start.
    pub const fn preparing(self) -> bool {
        matches!(self, Self::CheckedIn | Self::Gated | Self::Ready)
    }
}

/// A draw from a vial.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draw {
    /// From which vial.
    pub vial: VialId,
    /// Stock volume.
    pub stock: Microlitres,
    /// Mass drawn.
    pub mass: Micrograms,
    /// Diluted to this volume.
    pub diluted_to: Microlitres,
    /// What it was diluted with; `None` in a draw of before that was asked.
    pub diluent: Option<String>,
    /// Who drew.
    pub by: StaffId,
}

/// What was wasted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wasted {
    /// Measured and wasted.
    pub wasted: Microlitres,
    /// Left in the line.
    pub residual_in_line: Microlitres,
    /// What was left in each opened vial; empty in waste of before the vials were measured.
    pub vials: Vec<VialLeft>,
    /// Rest of the vial.
    pub vial_fate: VialFate,
    /// Explained difference.
    pub difference: Micrograms,
    /// Words for it.
    pub explanation: Option<String>,
    /// Who wasted.
    pub by: StaffId,
    /// Witness.
    pub witness: Signature,
}

/// A gate as it was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// The answer.
    pub answer: GateAnswer,
    /// Who.
    pub by: StaffId,
    /// When.
    pub at: Timestamp,
    /// Its place in the log.
    pub position: i64,
    /// What stands for it, and why, where it was entered by mistake: it answers nothing and makes nobody wait.
    pub amended: Option<(String, String)>,
}

/// A pause of the infusion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pause {
    /// From.
    pub from: Timestamp,
    /// To, while it lasts `None`.
    pub to: Option<Timestamp>,
}

/// A session, folded from its events.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Session {
    /// Number of events taken in.
    pub version: i64,
    /// Where it stands.
    pub phase: Phase,
    /// Who is treated.
    pub patient: Option<PatientId>,
    /// Which regimen.
    pub regimen: Option<RuleId>,
    /// Infusion n of N.
    pub infusion: (u32, u32),
    /// Planned day.
    pub day: Option<Date>,
    /// Where.
    pub chair: Option<ChairId>,
    /// Checked in at.
    pub checked_in_at: Option<Timestamp>,
    /// Who is with the patient: who weighed them (the front desk may check in), then who started.
    pub with: Option<StaffId>,
    /// Today's weight, when weighed.
    pub weight: Option<(Weight, Timestamp)>,
    /// The first weight of this visit, or the last one that somebody gave a reason for.
    pub weight_vouched_for: Option<Weight>,
    /// Height, when measured.
    pub height: Option<Height>,
    /// Sex for the dose weight.
    pub sex: Option<String>,
    /// Answered gates, the last answer of each.
    pub gates: BTreeMap<RuleId, Answered>,
    /// Answers that another one replaced, and those that were amended before the start, in their order.
    pub answered_before: Vec<Answered>,
    /// Overridden gates.
    pub overridden: BTreeMap<RuleId, (String, Signature)>,
    /// The order in force.
    pub order: Option<(Order, Signature)>,
    /// Scanned vials.
    pub vials: Vec<ScannedVial>,
    /// Those of them that went back unopened.
    pub returned: Vec<VialId>,
    /// Draws that are in the syringe or bag.
    pub draws: Vec<Draw>,
    /// Draws that were thrown away before a witness.
    pub discarded: Vec<Draw>,
    /// Second check of the order in force.
    pub second_check: Option<Signature>,
    /// What each second check of this order had differently and nothing was done about since; empty once one agrees.
    pub second_checks_differed: Vec<Vec<Difference>>,
    /// Program of the pump for the order in force, with who read it.
    pub program: Option<(PumpProgram, StaffId)>,
    /// Time-out.
    pub time_out: Option<Timestamp>,
    /// What flowed.
    pub delivery: Delivery,
    /// Pauses.
    pub pauses: Vec<Pause>,
    /// Why it ended.
    pub ended: Option<(StopReason, String, Timestamp)>,
    /// Charted findings with who and the position in the log, without those that were amended.
    pub observations: Vec<(Observation, StaffId, i64)>,
    /// Positions of the entries that were amended.
    pub struck: BTreeSet<i64>,
    /// Adverse events; one that is over has its end and its outcome.
    pub adverse_events: Vec<(AdverseEvent, Option<(Timestamp, String)>)>,
    /// Number of each of them by its place in the log; a struck one keeps its number, nobody else gets it.
    pub event_numbers: BTreeMap<i64, u32>,
    /// Drugs given beside, each with its place in the log.
    pub drugs: Vec<(DrugGiven, i64)>,
    /// Waste.
    pub waste: Option<Wasted>,
    /// Discharge score with its items.
    pub discharge_score: Option<(BTreeMap<String, u8>, u32, Timestamp)>,
    /// Positions of this session's own events, for amendments.
    pub positions: Vec<i64>,
    /// Went home or was transferred at.
    pub closed_at: Option<Timestamp>,
}

impl Session {
    pub(super) fn apply(&mut self, recorded: &Recorded) {
        self.version = recorded.version;
        self.positions.push(recorded.position);
        self.delivery.apply(recorded);
        match &recorded.event {
            Event::SessionPlanned { .. }
            | Event::CheckedIn { .. }
            | Event::Weighed { .. }
            | Event::GateAnswered(_)
            | Event::GateOverridden { .. } => self.apply_arrival(recorded),
            Event::OrderSigned { .. }
            | Event::VialScanned(_)
            | Event::Drawn { .. }
            | Event::DrawnDiscarded { .. }
            | Event::SecondCheckAgreed { .. }
            | Event::SecondCheckDisagreed { .. }
            | Event::SecondChecked { .. }
            | Event::SecondCheckDiffered { .. }
            | Event::PumpProgrammed(_)
            | Event::TimeOutTaken { .. } => self.apply_preparation(recorded),
            Event::InfusionStarted { .. }
            | Event::InfusionPaused { .. }
            | Event::InfusionResumed { .. }
            | Event::InfusionEnded { .. } => self.apply_infusion(recorded),
            _ => self.apply_care(recorded),
        }
    }

    fn apply_arrival(&mut self, recorded: &Recorded) {
        match recorded.event.clone() {
            Event::SessionPlanned { patient, regimen, infusion, of, day } => {
                self.patient = Some(patient);
                self.regimen = Some(regimen);
                self.infusion = (infusion, of);
                self.day = Some(day);
                self.phase = Phase::Planned;
            }
            Event::CheckedIn { chair } => {
                self.chair = Some(chair);
                self.checked_in_at = Some(recorded.at);
                self.phase = Phase::CheckedIn;
            }
            Event::Weighed { weight, height, sex, reason } => {
                let vouched_for = self.weight_vouched_for.filter(|_| reason.is_none());
                self.weight_vouched_for = vouched_for.or(Some(weight));
                (self.weight, self.with) = (Some((weight, recorded.at)), Some(recorded.by.clone()));
                self.height = height.or(self.height);
                self.sex = sex.or(self.sex.take());
                self.withdraw_order();
            }
            Event::GateAnswered(answer) => {
                self.overridden.remove(&answer.gate);
                let (by, at, position) = (recorded.by.clone(), recorded.at, recorded.position);
                let anew = Answered { answer, by, at, position, amended: None };
                self.answered_before.extend(self.gates.insert(anew.answer.gate.clone(), anew));
            }
            Event::GateOverridden { gate, reason, signature, .. } => {
                self.overridden.insert(gate, (reason, signature));
            }
            _ => {}
        }
    }

    /// A new weight makes an order that stood on the old one void; it must be signed again.
    fn withdraw_order(&mut self) {
        if self.order.take().is_some() {
            self.second_check = None;
            self.second_checks_differed.clear();
            self.program = None;
            self.time_out = None;
            self.phase = Phase::CheckedIn;
        }
    }

    /// The time-out says that syringe, order and pump agree: a new draw or program asks for another.
    fn void_time_out(&mut self) {
        if self.time_out.take().is_some() {
            self.phase = Phase::Gated;
        }
    }

    /// Another syringe was checked by nobody; what differed about the order still does.
    fn void_second_check(&mut self) {
        self.void_time_out();
        self.second_check = None;
        for check in &mut self.second_checks_differed {
            check.retain(|one| one.stands_in() != StandsIn::Syringe);
        }
        self.second_checks_differed.retain(|check| !check.is_empty());
    }

    /// An answer that was entered by mistake answers nothing. After the start it stays what the drug was given on.
    fn amend_answer(&mut self, position: i64, text: String, reason: String) {
        let current = self.gates.values().find(|answered| answered.position == position);
        let gate = current.filter(|_| self.delivery.started().is_none()).map(|one| one.answer.gate.clone());
        if let Some(gate) = gate {
            self.overridden.remove(&gate);
            self.answered_before.extend(self.gates.remove(&gate));
        }
        if let Some(old) = self.answered_before.iter_mut().find(|answered| answered.position == position) {
            old.amended = Some((text, reason));
        }
    }

    fn apply_preparation(&mut self, recorded: &Recorded) {
        match recorded.event.clone() {
            Event::OrderSigned { order, signature } => {
                self.order = Some((order, signature));
                // What was checked against the old order counts for nothing against the new one.
                self.second_check = None;
                self.second_checks_differed.clear();
                self.program = None;
                self.time_out = None;
                self.phase = Phase::Gated;
            }
            Event::VialScanned(vial) => self.vials.push(vial),
            Event::Drawn { vial, stock, mass, diluted_to, diluent } => {
                self.draws.push(Draw { vial, stock, mass, diluted_to, diluent, by: recorded.by.clone() });
                self.void_second_check();
            }
            Event::DrawnDiscarded { .. } => {
                self.discarded.append(&mut self.draws);
                self.void_second_check();
            }
            Event::SecondCheckAgreed { signature, .. } | Event::SecondChecked { signature, .. } => {
                self.second_check = Some(signature);
                self.second_checks_differed.clear();
            }
            Event::SecondCheckDisagreed { differs, .. } => {
                self.second_check = None;
                self.second_checks_differed.push(differs);
                self.void_time_out();
            }
            Event::SecondCheckDiffered { .. } => self.second_check = None,
            Event::PumpProgrammed(program) => {
                self.program = Some((program, recorded.by.clone()));
                self.void_time_out();
            }
            Event::TimeOutTaken { .. } => {
                self.time_out = Some(recorded.at);
                self.phase = Phase::Ready;
            }
            _ => {}
        }
    }

    fn apply_infusion(&mut self, recorded: &Recorded) {
        let by = recorded.by.clone();
        match &recorded.event {
            Event::InfusionStarted { .. } => (self.phase, self.with) = (Phase::Infusing, Some(by)),
            Event::InfusionPaused { .. } => {
                self.phase = Phase::Paused;
                self.pauses.push(Pause { from: recorded.at, to: None });
            }
            Event::InfusionResumed { .. } => {
                self.phase = Phase::Infusing;
                self.end_pause(recorded.at);
            }
            Event::InfusionEnded { why, reason } => {
                self.phase = Phase::Recovering;
                self.end_pause(recorded.at);
                self.ended = Some((*why, reason.clone(), recorded.at));
            }
            _ => {}
        }
    }

    fn end_pause(&mut self, at: Timestamp) {
        if let Some(pause) = self.pauses.last_mut() {
            pause.to = pause.to.or(Some(at));
        }
    }

    fn apply_care(&mut self, recorded: &Recorded) {
        let by = recorded.by.clone();
        match recorded.event.clone() {
            Event::ObservationCharted(seen) => self.observations.push((seen, by, recorded.position)),
            Event::AdverseEventNoted(event) => {
                self.event_numbers.insert(recorded.position, event.number);
                self.adverse_events.push((event, None));
            }
            Event::AdverseEventResolved { number, outcome, ended_at } => {
                let noted = self.adverse_events.iter_mut().find(|(event, _)| event.number == number);
                if let Some((_, end)) = noted {
                    *end = Some((ended_at.unwrap_or(recorded.at), outcome));
                }
            }
            Event::DrugWasGiven(given) => self.drugs.push((given, recorded.position)),
            Event::EntryAmended { position, reason, text } => {
                self.struck.insert(position);
                // What was charted by mistake is no finding: nothing is judged by it any more.
                self.observations.retain(|(_, _, charted_at)| *charted_at != position);
                // A drug or a side effect that has other words was there all the same.
                if text.is_empty() {
                    self.drugs.retain(|(_, given_at)| *given_at != position);
                    let number = self.event_numbers.get(&position);
                    self.adverse_events.retain(|(event, _)| Some(&event.number) != number);
                }
                self.amend_answer(position, text, reason);
            }
            Event::DrugWasted {
                wasted,
                residual_in_line,
                vials,
                vial_fate,
                difference,
                explanation,
                witness,
            } => {
                self.waste = Some(Wasted {
                    wasted,
                    residual_in_line,
                    vials,
                    vial_fate,
                    difference,
                    explanation,
                    by,
                    witness,
                });
            }
            Event::VialsReturned { mut vials, .. } => self.returned.append(&mut vials),
            Event::DischargeScored { items, total } => {
                self.discharge_score = Some((items, total, recorded.at));
                self.phase = Phase::DischargeCheck;
            }
            Event::Discharged { .. } => {
                self.phase = Phase::Discharged;
                self.closed_at = Some(recorded.at);
            }
            Event::SessionCancelled { .. } => {
                self.phase = Phase::Cancelled;
                self.closed_at = Some(recorded.at);
            }
            Event::Transferred { .. } => {
                self.phase = Phase::Transferred;
                self.closed_at = Some(recorded.at);
            }
            _ => {}
        }
    }

    /// Each vial that was drawn from, in the order of the draws, with all that was drawn from it.
    pub fn drawn_from(&self) -> Vec<(&ScannedVial, Microlitres)> {
        let mut drawn: Vec<(&ScannedVial, Microlitres)> = Vec::new();
        for draw in &self.draws {
            let Some(vial) = self.vials.iter().find(|vial| vial.vial == draw.vial) else { continue };
            match drawn.iter_mut().find(|(known, _)| known.vial == vial.vial) {
                Some((_, stock)) => *stock = stock.plus(draw.stock),
                None => drawn.push((vial, draw.stock)),
            }
        }
        drawn
    }

    /// Each vial that was opened, in the order of the first draws, with all that was drawn from it, thrown away or not.
    pub fn opened(&self) -> Vec<(&ScannedVial, Micrograms)> {
        let mut opened: Vec<(&ScannedVial, Micrograms)> = Vec::new();
        for draw in self.discarded.iter().chain(&self.draws) {
            let Some(vial) = self.vials.iter().find(|vial| vial.vial == draw.vial) else { continue };
            match opened.iter_mut().find(|(known, _)| known.vial == vial.vial) {
                Some((_, mass)) => *mass = mass.plus(draw.mass),
                None => opened.push((vial, draw.mass)),
            }
        }
        opened
    }

    /// Each vial that was scanned, was not opened and did not go back.
    pub fn unopened(&self) -> Vec<&ScannedVial> {
        let opened = self.opened();
        let is_here = |vial: &&ScannedVial| {
            !self.returned.contains(&vial.vial) && !opened.iter().any(|(known, _)| known.vial == vial.vial)
        };
        self.vials.iter().filter(is_here).collect()
    }

    /// A vial was opened, and nobody measured and settled what is left.
    pub fn rest_is_open(&self) -> bool {
        self.waste.is_none() && !self.opened().is_empty()
    }

    /// Nobody measured what is left, or the pump counted on since somebody did.
    pub fn is_to_be_measured(&self, at: Timestamp) -> bool {
        self.rest_is_open() || (self.waste.is_some() && !Balance::of(self, at).closed())
    }

    /// Everything drawn that is in the syringe or bag.
    pub fn drawn_mass(&self) -> Micrograms {
        self.draws.iter().map(|draw| draw.mass).fold(Micrograms::ZERO, Micrograms::plus)
    }

    /// What was thrown away before the start.
    pub fn discarded_mass(&self) -> Micrograms {
        self.discarded.iter().map(|draw| draw.mass).fold(Micrograms::ZERO, Micrograms::plus)
    }

    /// What the pump's counter can show at most, with all that was drawn in.
    pub fn counter_max(&self) -> Microlitres {
        let drawn = self.draws.iter().map(|draw| draw.diluted_to);
        drawn.fold(self.delivery.counter_of_nothing(), Microlitres::plus)
    }

    /// Strength in the syringe or bag by the order in force.
    pub fn concentration(&self) -> Option<Concentration> {
        self.order.as_ref().map(|(order, _)| order.concentration)
    }

    /// Dose delivered up to `at`, from the pump's count; the lower bound while uncertain.
    pub fn delivered_mass(&self, at: Timestamp) -> Micrograms {
        let volume = self.delivery.volume_at(at);
        self.concentration().map_or(Micrograms::ZERO, |strength| mass_in(volume, strength))
    }

    /// Seconds from `at` until the ordered volume is in at the rate that runs; `None` when none does, or nobody knows.
    pub fn left_s(&self, at: Timestamp) -> Option<i64> {
        let (order, _) = self.order.as_ref()?;
        let rate = self.delivery.rate();
        if self.phase != Phase::Infusing || rate.0 <= 0 || self.delivery.uncertain_since(at).is_some() {
            return None;
        }
        let left = order.volume.minus(self.delivery.volume_at(at)).0.max(0);
        Some(left.saturating_mul(3600) / rate.0)
    }

    /// Paused in all up to `at`, in seconds.
    pub fn paused_s(&self, at: Timestamp) -> i64 {
        self.pauses
            .iter()
            .map(|pause| super::delivery::elapsed_ms(pause.from, pause.to.unwrap_or(at)).max(0) / 1000)
            .sum()
    }

    /// Nothing is left to do: the visit is over and every microgram stands in an account.
    pub fn complete(&self) -> bool {
        self.closed_at.is_some_and(|at| super::balance::Balance::of(self, at).closed())
    }

    pub(super) fn refuse_if_closed(&self, command: &Command) -> Result<(), Refusal> {
        let late = matches!(command, Command::Note { .. } | Command::Amend { .. })
            || (self.phase == Phase::Transferred
                && matches!(
                    command,
                    Command::Waste { .. } | Command::ReturnVials { .. } | Command::ReadPump { .. }
                ));
        if !self.phase.closed() || late {
            Ok(())
        } else {
            Err(self.wrong_phase(command.doing(), "The visit is closed; amend the record instead."))
        }
    }

    /// What was wasted before a witness is nobody's to give.
    pub(super) fn refuse_if_wasted(&self, command: &Command) -> Result<(), Refusal> {
        let of_the_drug = matches!(
            command,
            Command::SignOrder { .. }
                | Command::ScanVial { .. }
                | Command::Draw { .. }
                | Command::DiscardDrawn { .. }
                | Command::SecondCheck { .. }
                | Command::ProgramPump { .. }
                | Command::TimeOut { .. }
                | Command::Start { .. }
                | Command::ChangeRate { .. }
                | Command::Resume { .. }
        );
        if of_the_drug && self.waste.is_some() {
            let needs = "Its drug was wasted before a witness. Cancel the visit, and plan another.";
            return Err(self.wrong_phase(command.doing(), needs));
        }
        Ok(())
    }

    pub(super) fn wrong_phase(&self, doing: &'static str, needs: &'static str) -> Refusal {
        Refusal::WrongPhase { doing, phase: self.phase.title(), needs }
    }
}
