//! What a person or a machine may ask of a session. Imperative; the event that follows is past tense.

#![expect(missing_docs, reason = "the fields of a variant are words of its own sentence")]

use super::check::SecondReading;
use super::event::{DrugGiven, Observation, PumpRead, ScannedVial, Transfer, VialFate};
use crate::course::BesidePlan;
use crate::device::PumpEvent;
use crate::dose::DoseRequest;
use crate::gate::DayOfInputs;
use crate::id::{ChairId, DeviceId, OrderId, PatientId, RuleId, VialId};
use crate::knowledge::gates::Answers;
use crate::monitor::{Leftovers, Unfinished};
use crate::quantity::{Concentration, Height, Microlitres, Rate, Weight};
use crate::staff::Signature;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What stands on the pump's display.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PumpEntry {
    /// Linked pump, if any.
    pub device: Option<DeviceId>,
    /// Rate on the display.
    pub rate: Rate,
    /// Volume to be infused on the display.
    pub vtbi: Microlitres,
    /// Strength on the display.
    pub concentration: Concentration,
    /// Library entry on the display; empty means basic mode, which is refused.
    pub library_entry: String,
}

/// What may be asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Command {
    /// Plan the visit: patient, regimen, infusion n of N, day.
    Plan { patient: PatientId, regimen: RuleId, infusion: u32, of: u32, day: Date },
    /// Show the patient to a chair.
    CheckIn { chair: ChairId },
    /// Record today's weight; `last` is the last one known, `reason` confirms a jump.
    Weigh {
        weight: Weight,
        height: Option<Height>,
        sex: Option<String>,
        last: Option<Weight>,
        reason: Option<String>,
    },
    /// Answer one gate.
    AnswerGate { gate: RuleId, inputs: Box<DayOfInputs>, note: String },
    /// Let a held gate pass.
    OverrideGate { gate: RuleId, reason: String, signature: Signature },
    /// Sign the order.
    /// Every number of the order is computed here from the request; `reason` stands for findings that ask one, and for
    /// another order than the plan.
    SignOrder {
        id: OrderId,
        request: Box<DoseRequest>,
        #[serde(default)]
        beside_plan: Option<BesidePlan>,
        reason: Option<String>,
        signature: Signature,
    },
    /// Scan a vial. `another`: it is not one that was scanned before, though its label is the same.
    ScanVial {
        vial: ScannedVial,
        today: Date,
        #[serde(default)]
        another: bool,
    },
    /// Draw the dose and dilute it. Older commands do not say with what; they still read, and draw nothing any more.
    Draw {
        vial: VialId,
        stock: Microlitres,
        diluted_to: Microlitres,
        #[serde(default)]
        diluent: Option<String>,
    },
    /// Throw away all that was drawn, before a witness, to draw it anew.
    DiscardDrawn { reason: String, witness: Signature },
    /// Second person: what they read and work out for themselves. Older commands have three numbers in its place; they
    /// still read, and check nothing any more.
    SecondCheck {
        signature: Signature,
        #[serde(default)]
        read: Option<Box<SecondReading>>,
    },
    /// Pump display after programming.
    ProgramPump { entry: PumpEntry },
    /// Time-out: the points said aloud.
    TimeOut { confirmed: Vec<String> },
    /// Start; the pump's volume counter as shown.
    /// `contradicts` is what a connected pump says against the order or the counter, and what the patient has not agreed
    /// to; with any of it nothing starts.
    Start {
        counter: Microlitres,
        #[serde(default)]
        contradicts: Vec<String>,
    },
    /// Rate as shown on the pump after the change. `passes`: why a recommended limit is passed. `after`: the place in the
    /// log of what last set the flow, as the form showed it; older commands do not say it.
    ChangeRate {
        to: Rate,
        reason: String,
        #[serde(default)]
        passes: Option<String>,
        #[serde(default)]
        after: Option<i64>,
    },
    /// Pause now.
    Pause { reason: String },
    /// Resume at a rate.
    /// `alarms` are the vital-sign alarms that still stand; with any of them the pause goes on. `passes`: why a
    /// recommended limit is passed. `after`: as in [`Self::ChangeRate`].
    Resume {
        rate: Rate,
        reason: String,
        prescriber: Option<Signature>,
        alarms: Vec<String>,
        #[serde(default)]
        passes: Option<String>,
        #[serde(default)]
        after: Option<i64>,
    },
    /// End the infusion.
    Stop { reason: String },
    /// The pump was read.
    ReadPump { read: PumpRead },
    /// The counter at the start was typed wrong; this is what the pump showed.
    CorrectStartCounter { counter: Microlitres, reason: String },
    /// The pump told what happened to it, by our clock; `late` where that waited on the way.
    TellPumpEvent { device: DeviceId, event: PumpEvent, happened_at: Option<Timestamp>, late: bool },
    /// The link to the pump is gone or the record was interrupted.
    LosePump,
    /// Chart a finding.
    Chart(Observation),
    /// Open an adverse event.
    NoteAdverseEvent { playbook: RuleId, grade: u8, serious: bool, began_at: Timestamp, text: String },
    /// Close it.
    /// `ended_at`: since when it is over; without it, now.
    ResolveAdverseEvent {
        number: u32,
        outcome: String,
        #[serde(default)]
        ended_at: Option<Timestamp>,
    },
    /// Give a drug under a standing order. `confirmed`: what the order cautions against was looked at.
    GiveDrug {
        given: DrugGiven,
        #[serde(default)]
        confirmed: bool,
    },
    /// Write words.
    Note { text: String },
    /// Correct an entry of this session.
    Amend { position: i64, reason: String, text: String },
    /// Measure what is left in syringe, line and every opened vial, and waste it, before a witness. Older commands do not
    /// say what was left in the vials; they still read, and settle nothing any more.
    Waste {
        wasted: Microlitres,
        residual_in_line: Microlitres,
        #[serde(default)]
        left_in_vials: BTreeMap<VialId, Microlitres>,
        vial_fate: VialFate,
        explanation: Option<String>,
        witness: Signature,
    },
    /// Take every vial back that was scanned and not opened, before a witness.
    ReturnVials { witness: Signature },
    /// Score discharge readiness.
    ScoreDischarge { items: BTreeMap<String, u8> },
    /// Send home.
    /// `unfinished` is what the watch over this visit left undone, `words` the word on each kind of it; without one
    /// nobody goes home.
    Discharge {
        escort: String,
        escort_phone: String,
        answers: Answers,
        instructions: String,
        #[serde(default)]
        unfinished: Leftovers,
        #[serde(default)]
        words: BTreeMap<Unfinished, String>,
        signature: Signature,
    },
    /// End the visit before any drug flows.
    Cancel { reason: String },
    /// Hand over to a higher level of care.
    TransferOut { transfer: Transfer, signature: Signature },
}

impl Command {
    /// It leads to drug in a vein, so that nothing of the screening may stand against it.
    pub const fn leads_to_infusion(&self) -> bool {
        matches!(
            self,
            Self::Plan { .. }
                | Self::CheckIn { .. }
                | Self::SignOrder { .. }
                | Self::Start { .. }
                | Self::Resume { .. }
        )
    }

    /// What is being done, for a sentence such as "to sign the order needs a prescriber".
    pub const fn doing(&self) -> &'static str {
        match self {
            Self::Plan { .. } => "plan a session",
            Self::CheckIn { .. } => "check in",
            Self::Weigh { .. } => "weigh",
            Self::AnswerGate { .. } => "answer a gate",
            Self::OverrideGate { .. } => "override a gate",
            Self::SignOrder { .. } => "sign the order",
            Self::ScanVial { .. } => "scan a vial",
            Self::Draw { .. } => "draw the dose",
            Self::DiscardDrawn { .. } => "discard the syringe",
            Self::SecondCheck { .. } => "make the second check",
            Self::ProgramPump { .. } => "record the pump's program",
            Self::TimeOut { .. } => "take the time-out",
            Self::Start { .. } => "start the infusion",
            Self::ChangeRate { .. } => "change the rate",
            Self::Pause { .. } => "pause the infusion",
            Self::Resume { .. } => "resume the infusion",
            Self::Stop { .. } => "stop the infusion",
            Self::ReadPump { .. } => "read the pump",
            Self::CorrectStartCounter { .. } => "correct the counter at the start",
            Self::TellPumpEvent { .. } => "tell an event of the pump",
            Self::LosePump => "mark the delivery uncertain",
            Self::Chart(..) => "chart an observation",
            Self::NoteAdverseEvent { .. } => "note an adverse event",
            Self::ResolveAdverseEvent { .. } => "resolve an adverse event",
            Self::GiveDrug { .. } => "give a drug",
            Self::Note { .. } => "write a note",
            Self::Amend { .. } => "amend an entry",
            Self::Waste { .. } => "waste the rest",
            Self::ReturnVials { .. } => "return the unopened vials",
            Self::ScoreDischarge { .. } => "score discharge readiness",
            Self::Discharge { .. } => "discharge",
            Self::Cancel { .. } => "cancel the visit",
            Self::TransferOut { .. } => "transfer",
        }
    }
}
