//! What the pump says against what is ordered and what the session does.

use super::input::Ordered;
use crate::device::{PumpEvent, PumpReading, PumpStatus};
use crate::knowledge::observations::Phase;
use crate::knowledge::session_rules::SessionRules;
use crate::quantity::{Microlitres, Rate};
use crate::session::Unexplained;
use jiff::Timestamp;
use rust_decimal::Decimal;
use std::collections::BTreeMap;

/// The pump as last read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Pump {
    /// Last reading, and when it came.
    pub read: Option<(Timestamp, PumpReading)>,
    /// The order as it stands.
    pub ordered: Option<Ordered>,
    /// Since when the status is what it is.
    pub status_since: Option<Timestamp>,
    /// What its link told and its rate does not explain, until a person reads it.
    pub unexplained: Option<Unexplained>,
    /// A person read it before the halt, and nobody since: that says nothing of what it does now.
    pub read_before_halt: bool,
    /// The pump said that the volume is in, then.
    pub completed_at: Option<Timestamp>,
}

impl Pump {
    pub fn take(&mut self, at: Timestamp, reading: PumpReading, rules: &SessionRules) {
        if self.status() != Some(reading.status) {
            self.status_since = Some(at);
        }
        let infuses = reading.status == PumpStatus::Infusing;
        // One that still infuses gives what is left, as little as it is.
        let empty = reading.vtbi_remaining.map(|left| left.0 <= 0 || (!infuses && rules.nothing_left(left)));
        let keeps_open = reading.status == PumpStatus::KeepVeinOpen;
        if empty.unwrap_or(keeps_open) {
            self.completed_at.get_or_insert(at);
        } else if infuses {
            self.completed_at = None;
        }
        self.read_before_halt = false;
        self.read = Some((at, reading));
    }

    pub fn happened(&mut self, at: Timestamp, event: PumpEvent) {
        match event {
            PumpEvent::DeliveryCompleted => {
                self.completed_at.get_or_insert(at);
            }
            PumpEvent::DeliveryStarted => {
                self.completed_at = None;
                self.turn(at, PumpStatus::Infusing);
            }
            PumpEvent::DeliveryStopped => self.turn(at, PumpStatus::NotInfusing),
            PumpEvent::ProgramCleared | PumpEvent::CountersCleared | PumpEvent::PatientChanged => {}
        }
    }

    fn turn(&mut self, at: Timestamp, status: PumpStatus) {
        if let Some((_, read)) = &mut self.read
            && read.status != status
        {
            read.status = status;
            self.status_since = Some(at);
        }
    }

    pub fn status(&self) -> Option<PumpStatus> {
        let of_now = self.read.as_ref().filter(|_| !self.read_before_halt);
        of_now.map(|(_, reading)| reading.status)
    }

    /// What it says where it does not say that it infuses, in words.
    pub fn says_otherwise(&self) -> Option<&'static str> {
        match self.status()? {
            PumpStatus::Infusing => None,
            // At the end of its volume it stands, or keeps the vein open: that is an alarm of its own.
            PumpStatus::NotInfusing | PumpStatus::KeepVeinOpen if self.completed_at.is_some() => None,
            PumpStatus::NotInfusing => Some("it says that it does not infuse"),
            PumpStatus::KeepVeinOpen => {
                Some("it keeps the vein open, and gives drug at a rate that nobody knows")
            }
            PumpStatus::Unknown => Some("it does not say whether it infuses"),
        }
    }

    /// Since when the volume is in or the time is over.
    pub fn ended_since(&self, at: Timestamp, phase: Phase) -> Option<Timestamp> {
        let ends = self.ordered.as_ref().and_then(|ordered| ordered.ends).filter(|ends| *ends <= at);
        [self.completed_at, ends].into_iter().flatten().min().filter(|_| phase == Phase::Infusing)
    }

    /// Each difference between the program and the order, by what differs, in words. What the pump does not say is no
    /// difference; the view shows it as not confirmed. Before the start nobody has confirmed its rate yet.
    pub fn conflicts(&self, phase: Phase, tolerance_percent: Decimal) -> BTreeMap<&'static str, String> {
        let mut conflicts = BTreeMap::new();
        let (Some((_, pump)), Some(ordered)) = (&self.read, &self.ordered) else { return conflicts };
        let mut differ = |what: &'static str, pump: String, ordered: String| {
            conflicts.insert(what, format!("{what}: pump {pump}, order {ordered}"));
        };
        let flows = if pump.status == PumpStatus::Infusing { pump.rate } else { None };
        // What is set and stands still runs with the next press of a key; a lower rate harms nobody until then.
        let set = pump.programmed_rate.filter(|set| match pump.status {
            PumpStatus::Infusing => *set > Rate::ZERO,
            _ => *set > ordered.rate && matches!(phase, Phase::Infusing | Phase::Paused),
        });
        let apart = |rate: &Rate| is_apart(rate.0, ordered.rate.0, tolerance_percent);
        if let Some(rate) = flows.filter(apart).or(set.filter(apart)) {
            differ("rate", rate.to_string(), ordered.rate.to_string());
        }
        // A smaller volume only ends early.
        let vtbi = pump.vtbi.filter(|vtbi| *vtbi > ordered.vtbi);
        if let Some(vtbi) = vtbi.filter(|vtbi| is_apart(vtbi.0, ordered.vtbi.0, tolerance_percent)) {
            differ("volume to be infused", vtbi.to_string(), ordered.vtbi.to_string());
        }
        let counted = pump.delivered.zip(ordered.counter_max).filter(|(counted, most)| counted > most);
        if let Some((counted, most)) = counted {
            differ("volume counted", counted.to_string(), format!("at most {most} was drawn"));
        }
        if let Some(strength) = pump.concentration.filter(|strength| *strength != ordered.concentration) {
            differ("strength", strength.to_string(), ordered.concentration.to_string());
        }
        if let Some((weight, by_order)) = pump.weight.zip(ordered.weight)
            && is_apart(weight.0, by_order.0, tolerance_percent)
        {
            differ("weight", weight.to_string(), by_order.to_string());
        }
        if let Some(drug) = pump.drug.as_ref().filter(|drug| !is_label_of(drug, &ordered.drug)) {
            differ("drug", drug.clone(), ordered.drug.clone());
        }
        conflicts
    }

    /// What the pump says against a start by the order with this counter. The rate counts though it stands still.
    pub fn contradicts_start(
        &self,
        counter: Microlitres,
        tolerance: Microlitres,
        tolerance_percent: Decimal,
    ) -> Vec<String> {
        let (Some((_, pump)), Some(ordered)) = (&self.read, &self.ordered) else { return Vec::new() };
        let mut reasons: Vec<String> =
            self.conflicts(Phase::Preparing, tolerance_percent).into_values().collect();
        let set = pump.programmed_rate.or(pump.rate).filter(|rate| *rate > Rate::ZERO);
        let stands = pump.status != PumpStatus::Infusing;
        if let Some(rate) = set.filter(|rate| stands && is_apart(rate.0, ordered.rate.0, tolerance_percent)) {
            reasons.push(format!("rate: pump {rate}, order {}", ordered.rate));
        }
        let counted = pump.delivered.filter(|counted| {
            let apart = counted.0.abs_diff(counter.0) > tolerance.0.unsigned_abs();
            apart && (stands || counter > *counted)
        });
        if let Some(counted) = counted {
            reasons.push(format!("volume counter: pump {counted}, entered {counter}"));
        }
        reasons
    }
}

fn is_apart(pump: i64, ordered: i64, tolerance_percent: Decimal) -> bool {
    let allowed = Decimal::from(ordered).abs().saturating_mul(tolerance_percent);
    Decimal::from(pump.abs_diff(ordered)).saturating_mul(Decimal::ONE_HUNDRED) > allowed
}

/// A library label names the drug in any case, with more words around it. `esketamine` is not `ketamine`.
fn is_label_of(label: &str, drug: &str) -> bool {
    let drug = drug.to_lowercase();
    label.trim().is_empty()
        || label.to_lowercase().split(|c: char| !c.is_alphanumeric()).any(|word| word == drug)
}
