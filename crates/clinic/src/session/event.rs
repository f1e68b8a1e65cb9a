//! Everything that can happen in an infusion session, in the chart's own words.
//!
//! A variant is never removed or reshaped: a new field has a default, or it is a new variant. `tests/history/` keeps
//! one of each for good.

#![expect(missing_docs, reason = "the fields of a variant are words of its own sentence")]

use super::check::SecondReading;
use super::experience::Felt;
use crate::course::BesidePlan;
use crate::device::{PumpEvent, PumpStatus, ReadAgain};
use crate::gate::{self, DayOfInputs, Verdict};
use crate::id::{ChairId, DeviceId, OrderId, PatientId, RuleId, StaffId, VialId};
use crate::monitor::Unfinished;
use crate::quantity::{Concentration, Height, Micrograms, Microlitres, Rate, Tenths, Weight, mass_in};
use crate::staff::Signature;
use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// An event with its place in the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorded {
    /// Place in the whole log, counts from 1.
    pub position: i64,
    /// Place in this session, counts from 1.
    pub version: i64,
    /// When the log took it.
    pub at: Timestamp,
    /// Who caused it.
    pub by: StaffId,
    /// What happened.
    pub event: Event,
}

impl Recorded {
    /// When it happened: what a pump told later is of then, all else of when the log took it.
    pub const fn happened_at(&self) -> Timestamp {
        match &self.event {
            Event::PumpTold { happened_at, .. } => *happened_at,
            _ => self.at,
        }
    }

    /// When a finding was seen, a drug given or a side effect began; `None` of an entry that cannot be struck.
    pub const fn charted_at(&self) -> Option<Timestamp> {
        match &self.event {
            Event::ObservationCharted(seen) => Some(seen.observed_at),
            Event::DrugWasGiven(given) => Some(given.given_at),
            Event::AdverseEventNoted(event) => Some(event.began_at),
            _ => None,
        }
    }
}

/// Everything that can happen in an infusion session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Event {
    /// The visit was planned: who, which regimen, which infusion of how many.
    SessionPlanned { patient: PatientId, regimen: RuleId, infusion: u32, of: u32, day: Date },
    /// The patient arrived and was shown to a chair.
    CheckedIn { chair: ChairId },
    /// Weighed today. `reason` stands where the weight jumped and a person confirmed it.
    Weighed { weight: Weight, height: Option<Height>, sex: Option<String>, reason: Option<String> },
    /// A new weight took the order away that stood on the old one, with the check, the program and the time-out.
    OrderVoided { order: OrderId, weight_before: Weight, weight_now: Weight },
    /// One day-of gate was answered and judged under a rule version.
    GateAnswered(GateAnswer),
    /// A prescriber let a held gate pass, with a reason.
    GateOverridden { gate: RuleId, version: u32, reason: String, signature: Signature },
    /// A prescriber signed the order. A later one replaces it until the start.
    OrderSigned { order: Order, signature: Signature },
    /// A vial was scanned.
    VialScanned(ScannedVial),
    /// Drug was drawn and diluted to the ordered strength. Draws of before the diluent was asked do not name it.
    Drawn {
        vial: VialId,
        stock: Microlitres,
        mass: Micrograms,
        diluted_to: Microlitres,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        diluent: Option<String>,
    },
    /// All that was drawn was thrown away before a witness, and the dose is drawn anew.
    DrawnDiscarded { volume: Microlitres, mass: Micrograms, reason: String, witness: Signature },
    /// A second signed-in person identified the patient, read vial and syringe, worked out dose, rate and volume to be
    /// infused without seeing the order, and has the same.
    SecondCheckAgreed { signature: Signature, read: SecondReading },
    /// The same, and something is not the same. Nothing is checked by it.
    SecondCheckDisagreed { signature: Signature, read: SecondReading, differs: Vec<Difference> },
    /// A second signed-in person read drug, strength, dose and rate and agreed.
    /// Written before the check asked for patient, vial and volumes.
    SecondChecked { signature: Signature, concentration: Concentration, dose: Micrograms, rate: Rate },
    /// A second signed-in person read something else than the order says. Nothing is checked by it.
    /// Written before the check asked for patient, vial and volumes.
    SecondCheckDiffered { signature: Signature, read: Checked, ordered: Checked, differs: Vec<String> },
    /// The pump was programmed and its display read back.
    PumpProgrammed(PumpProgram),
    /// The time-out before the start.
    TimeOutTaken { confirmed: Vec<String> },
    /// The infusion runs. `counter` is the pump's volume counter at that moment.
    InfusionStarted { rate: Rate, counter: Microlitres },
    /// The rate was changed on the pump and recorded.
    RateChanged { from: Rate, to: Rate, reason: String },
    /// Paused.
    InfusionPaused { reason: String },
    /// Resumed after a pause.
    InfusionResumed { rate: Rate, reason: String },
    /// No more drug flows.
    InfusionEnded { why: StopReason, reason: String },
    /// The pump was read, by its link or by a person.
    PumpWasRead(PumpRead),
    /// The pump told what happened to it; `late` where that waited on the way, and is of then alone.
    PumpTold { device: DeviceId, event: PumpEvent, happened_at: Timestamp, late: bool },
    /// The pump told what happened to it before its clock was compared with ours: when it happened is not known.
    PumpToldUndated { device: DeviceId, event: PumpEvent },
    /// The pump reported an event of its own. Written before its time was kept.
    PumpReported { device: DeviceId, event: PumpEvent },
    /// Nobody knows what the pump does since then, until someone reads it.
    DeliveryBecameUncertain { since: Timestamp },
    /// The pump's link told a volume that its rate cannot explain. What was delivered is uncertain until a person reads it.
    CounterDoubted(Unexplained),
    /// The counter at the start was typed wrong, and what was delivered is counted anew.
    StartCounterCorrected { was: Microlitres, counter: Microlitres, reason: String },
    /// A finding was charted.
    ObservationCharted(Observation),
    /// Harm or near harm.
    AdverseEventNoted(AdverseEvent),
    /// It is over.
    /// Older ones do not say since when; they were over when they were written.
    AdverseEventResolved {
        number: u32,
        outcome: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ended_at: Option<Timestamp>,
    },
    /// What a standing order cautions against was looked at for this patient, before the drug was given.
    CautionConfirmed { standing_order: RuleId, version: u32, drug: String, caution: String },
    /// A drug other than the infusion was given.
    DrugWasGiven(DrugGiven),
    /// Words.
    NoteWritten { text: String },
    /// A correction that names what it corrects; the old stays readable.
    EntryAmended { position: i64, reason: String, text: String },
    /// A recommended limit was passed with a reason.
    LimitOverridden { finding: gate::Finding, reason: String },
    /// What was left was measured, wasted before a witness, and the vial closed. Waste of before the vials were measured
    /// names none of them.
    DrugWasted {
        wasted: Microlitres,
        residual_in_line: Microlitres,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        vials: Vec<VialLeft>,
        vial_fate: VialFate,
        difference: Micrograms,
        explanation: Option<String>,
        witness: Signature,
    },
    /// What was measured, before a witness, does not add up, and nobody explained it. Nothing is settled by it.
    WasteDiffered {
        wasted: Microlitres,
        residual_in_line: Microlitres,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        vials: Vec<VialLeft>,
        vial_fate: VialFate,
        difference: Micrograms,
        witness: Signature,
    },
    /// Vials that were scanned and not opened went back to the safe, before a witness.
    VialsReturned { vials: Vec<VialId>, witness: Signature },
    /// Discharge readiness was scored, each item 0 to 2.
    DischargeScored { items: BTreeMap<String, u8>, total: u32 },
    /// Something of the visit was missed, unanswered or open when the patient went home, and what was said to it.
    LeftUnfinished { what: Unfinished, items: Vec<String>, word: String },
    /// Went home with the escort.
    Discharged {
        escort: String,
        escort_phone: String,
        score: u32,
        instructions: String,
        signature: Signature,
    },
    /// Ended before any drug flowed.
    SessionCancelled { reason: String },
    /// Left for a higher level of care.
    Transferred { transfer: Transfer, signature: Signature },
}

fn rules_of<'a>(rule: &'a RuleId, version: u32, findings: &'a [gate::Finding]) -> Vec<(&'a RuleId, u32)> {
    let found = findings.iter().map(|finding| (&finding.rule, finding.version));
    std::iter::once((rule, version)).chain(found).collect()
}

impl Event {
    /// The vital signs of this entry that were asked about and sent once more.
    pub const fn read_again(&self) -> Option<&ReadAgain> {
        match self {
            Self::ObservationCharted(seen) => Some(&seen.read_again),
            Self::GateAnswered(answer) => Some(&answer.inputs.read_again),
            _ => None,
        }
    }

    /// The rules that it names, each with the version that judged.
    pub fn rules(&self) -> Vec<(&RuleId, u32)> {
        match self {
            Self::OrderSigned { order, .. } => {
                rules_of(&order.regimen, order.regimen_version, &order.findings)
            }
            Self::GateAnswered(answer) => rules_of(&answer.gate, answer.version, &answer.findings),
            Self::GateOverridden { gate, version, .. } => vec![(gate, *version)],
            Self::LimitOverridden { finding, .. } => vec![(&finding.rule, finding.version)],
            Self::AdverseEventNoted(event) => vec![(&event.playbook, event.version)],
            Self::CautionConfirmed { standing_order, version, .. } => vec![(standing_order, *version)],
            Self::DrugWasGiven(given) => vec![(&given.standing_order, given.version)],
            _ => Vec::new(),
        }
    }
    /// The kind as it stands in the log, for example `infusion_started`.
    pub fn kind(&self) -> String {
        match serde_json::to_value(self) {
            Ok(serde_json::Value::Object(map)) => {
                map.get("kind").and_then(|kind| kind.as_str()).unwrap_or_default().to_owned()
            }
            _ => String::new(),
        }
    }
}

/// One gate's answer with the judgement it got.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GateAnswer {
    /// `C01` … `C17`.
    pub gate: RuleId,
    /// Version of the rule that judged.
    pub version: u32,
    /// What was answered.
    pub inputs: DayOfInputs,
    /// Words beside the answers, for example the escort's name.
    pub note: String,
    /// The worst of the findings.
    pub verdict: Verdict,
    /// What each rule said.
    pub findings: Vec<gate::Finding>,
}

/// The prescriber's instruction, with every number that follows from it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// Its id.
    pub id: OrderId,
    /// Regimen.
    pub regimen: RuleId,
    /// Version of the regimen.
    pub regimen_version: u32,
    /// Drug, always the base.
    pub drug: String,
    /// The weight that counted.
    pub dose_weight: Weight,
    /// Which weight that is: actual, ideal or adjusted.
    pub descriptor: String,
    /// As ordered, for example `0.5 mg/kg`.
    pub ordered: String,
    /// Total dose.
    pub dose: Micrograms,
    /// Length in minutes.
    pub minutes: Decimal,
    /// Strength in the syringe or bag.
    pub concentration: Concentration,
    /// Volume that holds the dose.
    pub volume: Microlitres,
    /// Rate of the first step, as the pump takes it.
    pub rate: Rate,
    /// Every step with its rate and length in minutes; one for most regimens.
    pub steps: Vec<(Rate, Decimal)>,
    /// Volume to be infused.
    pub vtbi: Microlitres,
    /// The chain of arithmetic as shown and signed.
    pub chain: String,
    /// Findings that were shown, with rule and version.
    pub findings: Vec<gate::Finding>,
    /// The signed plan of the course at that moment, and where the order is another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beside_plan: Option<BesidePlan>,
    /// Why a recommended limit was passed, or the plan.
    pub reason: Option<String>,
}

/// One thing that two people have differently.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// Its field in the form.
    pub field: String,
    /// What it is.
    pub what: String,
    /// What the second person has.
    pub read: String,
    /// What was ordered, scanned or drawn.
    pub prepared: String,
}

/// The numbers of a second check of old, as read from label, syringe and pump, or as ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checked {
    /// Strength.
    pub concentration: Concentration,
    /// Dose.
    pub dose: Micrograms,
    /// Rate.
    pub rate: Rate,
}

/// A vial as scanned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScannedVial {
    /// Ours.
    pub vial: VialId,
    /// National Drug Code.
    pub ndc: String,
    /// Lot.
    pub lot: String,
    /// Last day of use.
    pub expires: Date,
    /// Strength of the base.
    pub strength: Concentration,
    /// Volume in the vial.
    pub volume: Microlitres,
    /// The drug's name as a person read it from the label, where the code stands for no known product.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_as: Option<String>,
}

impl ScannedVial {
    /// What it holds by its label.
    pub fn holds(&self) -> Micrograms {
        mass_in(self.volume, self.strength)
    }
    /// The drug, as its label was read or as its code says: every product known here is ketamine.
    pub fn drug(&self) -> &str {
        self.read_as.as_deref().unwrap_or("ketamine")
    }
}

/// What the pump was told and what it shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PumpProgram {
    /// Linked pump, if there is one.
    pub device: Option<DeviceId>,
    /// Rate read from the display.
    pub rate: Rate,
    /// Volume to be infused, read from the display.
    pub vtbi: Microlitres,
    /// Strength, read from the display.
    pub concentration: Concentration,
    /// Entry of the pump's library.
    pub library_entry: String,
}

/// Who read the pump.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReadBy {
    /// Its own message.
    Link(DeviceId),
    /// A person at the display.
    Person,
    /// A person at the display, who says that the reading before this one was wrong.
    Correcting,
}

impl ReadBy {
    /// A person read it.
    pub const fn eye(&self) -> bool {
        matches!(self, Self::Person | Self::Correcting)
    }
}

/// A pump read at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PumpRead {
    /// By link or by a person.
    pub by: ReadBy,
    /// Whether it infuses.
    pub status: PumpStatus,
    /// Rate shown.
    pub rate: Rate,
    /// Volume counter shown.
    pub counter: Microlitres,
    /// When it was read (receive time for a link).
    pub read_at: Timestamp,
    /// Why it is not what was expected, where a person was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// A person says that the counter was cleared or jumped since it was read before, and that nothing flowed by that.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub jumped: bool,
    /// It stands, and no more is missing of its volume than the rules of then let a display round away.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub all_in: bool,
}

/// A volume that the pump's link told and that its rate cannot explain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unexplained {
    /// Whose link.
    pub device: DeviceId,
    /// The last moment at which the account was closed.
    pub since: Timestamp,
    /// When it was told.
    pub told_at: Timestamp,
    /// What the counter shows, as told.
    pub counter: Microlitres,
    /// What it should show by the last reading and the rates since: from and to.
    pub expected: (Microlitres, Microlitres),
}

/// Why no more drug flows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopReason {
    /// The ordered volume is in.
    Completed,
    /// Ended before that.
    StoppedEarly,
}

/// A charted finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observation {
    /// When it was seen, not when it was typed.
    pub observed_at: Timestamp,
    /// Taken over from a device and accepted by the person, or seen by them.
    pub from_device: Option<DeviceId>,
    /// What.
    pub finding: Finding,
    /// The values among them that were asked about; they stand because the same was sent once more.
    #[serde(default, skip_serializing_if = "ReadAgain::is_empty")]
    pub read_again: ReadAgain,
}

impl Observation {
    /// Seen by a person.
    pub const fn by_eye(observed_at: Timestamp, finding: Finding) -> Self {
        Self { observed_at, from_device: None, finding, read_again: ReadAgain::new() }
    }
}

/// What can be charted at a chair.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum Finding {
    /// One set of vital signs; what was not measured is absent.
    Vitals { values: BTreeMap<crate::device::Parameter, Tenths> },
    /// Modified Observer's Assessment of Alertness/Sedation, 5 awake to 0.
    MoaaS { score: u8 },
    /// Richmond Agitation-Sedation Scale, +4 to −5.
    Rass { score: i8 },
    /// Distress, 0 to 10.
    Distress { score: u8 },
    /// How disconnected the patient feels, 0 to 10.
    Disconnected { score: u8 },
    /// Nausea, 0 none to 3 severe.
    Nausea { score: u8 },
    /// Pain, 0 to 10.
    Pain { score: u8 },
    /// Mood as the patient says, 0 as bad as it can be, 10 as good as it can be.
    Mood { score: u8 },
    /// Intravenous site.
    IvSite { sound: bool },
    /// A clinician says whether the patient's mind is as before the infusion.
    AsBefore { as_before: bool },
    /// Oriented to person, place and time.
    Oriented { oriented: bool },
    /// A symptom by its id in the limits, for example `headache` or `chest_pain`.
    Symptom { symptom: String },
    /// The patient asks to stop.
    AskedToStop,
    /// Brief question about suicidal thoughts.
    SuicidalThoughts { present: bool },
    /// How well the patient says that the infusion was borne, 0 not at all to 10 very well.
    Tolerated { score: u8 },
    /// How the patient says that it felt, with the patient's own words.
    Experience { felt: Felt, words: String },
}

/// Harm or near harm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdverseEvent {
    /// Counts from 1 in the session.
    pub number: u32,
    /// Playbook.
    pub playbook: RuleId,
    /// Version of the playbook shown.
    pub version: u32,
    /// 1 mild to 5 fatal.
    pub grade: u8,
    /// Serious by regulation.
    pub serious: bool,
    /// When it began.
    pub began_at: Timestamp,
    /// Words.
    pub text: String,
}

/// A drug given beside the infusion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DrugGiven {
    /// Generic name.
    pub drug: String,
    /// Dose in `unit`.
    pub dose: Decimal,
    /// UCUM unit of the dose.
    pub unit: String,
    /// Route.
    pub route: String,
    /// The standing order it was given under, by playbook id.
    pub standing_order: RuleId,
    /// Version of that standing order.
    pub version: u32,
    /// Adverse event it was given for.
    pub adverse_event: Option<u32>,
    /// When.
    pub given_at: Timestamp,
}

/// What was left in one opened vial, measured before the witness.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VialLeft {
    /// Which vial.
    pub vial: VialId,
    /// As measured.
    pub left: Microlitres,
    /// How much of it is more than the label says the vial held. It is no drug of the record.
    pub overfill: Micrograms,
    /// What is missing of label and draws; negative where more is left than any overfill.
    pub difference: Micrograms,
}

/// What became of the rest in the vial.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VialFate {
    /// Wasted before the witness.
    Wasted,
    /// Back to the safe.
    Returned,
}

/// Where to and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transfer {
    /// Receiving place.
    pub to: String,
    /// Reason.
    pub reason: String,
}
