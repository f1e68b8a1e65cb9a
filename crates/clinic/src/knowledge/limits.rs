//! `knowledge/limits/`: when a vital sign, a charted scale, a symptom, a device or silence asks for a person.

mod check;
mod condition;

pub use condition::Condition;

pub use super::plausibility::{Doubt, Plausibility, PlausibleRange, Slip};
use super::{Body, Item, Knowledge};
use crate::device::clock::Patience;
use crate::device::{DevicePriority, Parameter, Quality, Reading};
use crate::quantity::Tenths;
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a limit asks for. Ordered by gravity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Look at it.
    Look,
    /// Recheck and stay.
    Warn,
    /// Pause the infusion.
    Pause,
    /// Stop the infusion.
    Stop,
}

impl Action {
    /// The priority of the alarm that it raises.
    pub const fn priority(self) -> Priority {
        match self {
            Self::Look => Priority::Low,
            Self::Warn => Priority::Medium,
            Self::Pause | Self::Stop => Priority::High,
        }
    }
}

/// Priority of an alarm as in IEC 60601-1-8.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// Awareness.
    Low,
    /// Prompt answer.
    Medium,
    /// Answer at once.
    High,
}

/// What a limit watches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sign {
    /// Systolic blood pressure.
    Systolic,
    /// Diastolic blood pressure.
    Diastolic,
    /// Mean arterial pressure, computed from one cuff reading.
    MeanPressure,
    /// Heart rate from the ECG.
    HeartRate,
    /// Pulse rate from oximeter or cuff.
    PulseRate,
    /// Oxygen saturation.
    Spo2,
    /// Breaths a minute.
    RespiratoryRate,
    /// End-tidal carbon dioxide.
    Etco2,
    /// Modified Observer's Assessment of Alertness/Sedation.
    Moaas,
    /// Richmond Agitation-Sedation Scale.
    Rass,
    /// Distress as the patient says, 0 to 10.
    Distress,
}

impl Sign {
    /// The sign that a parameter of a device feeds; `None` where no limit watches it.
    pub const fn of(parameter: Parameter) -> Option<Self> {
        match parameter {
            Parameter::Systolic => Some(Self::Systolic),
            Parameter::Diastolic => Some(Self::Diastolic),
            Parameter::MeanPressure => Some(Self::MeanPressure),
            Parameter::HeartRate => Some(Self::HeartRate),
            Parameter::PulseRate => Some(Self::PulseRate),
            Parameter::Spo2 => Some(Self::Spo2),
            Parameter::RespiratoryRate => Some(Self::RespiratoryRate),
            Parameter::Etco2 => Some(Self::Etco2),
            Parameter::Temperature | Parameter::Perfusion => None,
        }
    }
    /// The parameter behind it; `None` for a charted scale.
    pub const fn parameter(self) -> Option<Parameter> {
        match self {
            Self::Systolic => Some(Parameter::Systolic),
            Self::Diastolic => Some(Parameter::Diastolic),
            Self::MeanPressure => Some(Parameter::MeanPressure),
            Self::HeartRate => Some(Parameter::HeartRate),
            Self::PulseRate => Some(Parameter::PulseRate),
            Self::Spo2 => Some(Parameter::Spo2),
            Self::RespiratoryRate => Some(Parameter::RespiratoryRate),
            Self::Etco2 => Some(Parameter::Etco2),
            Self::Moaas | Self::Rass | Self::Distress => None,
        }
    }
    /// Short name on a screen.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Moaas => "MOAA/S",
            Self::Rass => "RASS",
            Self::Distress => "Distress",
            _ => match self.parameter() {
                Some(parameter) => parameter.label(),
                None => "",
            },
        }
    }
}

/// What a threshold counts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// Zero: the threshold is the value.
    #[default]
    Zero,
    /// The mean of the readings before the infusion.
    Baseline,
    /// The same, in percent of it.
    BaselinePercent,
}

/// One threshold of a sign. Exactly one of the four comparisons is given.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitRule {
    /// Stable; named by alarms and by changes of the limit.
    pub id: String,
    /// What it asks for.
    pub action: Action,
    /// Fires above it.
    pub above: Option<Decimal>,
    /// Fires at it and above.
    pub at_least: Option<Decimal>,
    /// Fires below it.
    pub below: Option<Decimal>,
    /// Fires at it and below.
    pub at_most: Option<Decimal>,
    /// What the threshold counts from.
    #[serde(default)]
    pub from: Origin,
    /// Consecutive readings that must pass it.
    pub readings: u32,
    /// How long they must last, seconds.
    #[serde(default)]
    pub lasting_s: i64,
    /// How far a clinician may move the threshold, with a reason. A rule without it cannot be moved.
    pub adjustable: Option<[Decimal; 2]>,
    /// Card to open.
    pub playbook: Option<String>,
}

impl LimitRule {
    /// The threshold as written, and whether values above it fire.
    pub fn threshold(&self) -> Option<(Decimal, bool)> {
        match (self.above, self.at_least, self.below, self.at_most) {
            (Some(value), None, None, None) | (None, Some(value), None, None) => Some((value, true)),
            (None, None, Some(value), None) | (None, None, None, Some(value)) => Some((value, false)),
            _ => None,
        }
    }
    /// The same rule with another threshold.
    #[must_use]
    pub fn moved_to(&self, threshold: Decimal) -> Self {
        let mut rule = self.clone();
        for side in [&mut rule.above, &mut rule.at_least, &mut rule.below, &mut rule.at_most] {
            if side.is_some() {
                *side = Some(threshold);
            }
        }
        rule
    }
    /// The value at which it fires for this patient; `None` while the baseline is not known.
    pub fn value_at(&self, baseline: Option<Decimal>) -> Option<Decimal> {
        let (threshold, above) = self.threshold()?;
        let signed = if above { threshold } else { -threshold };
        match self.from {
            Origin::Zero => Some(threshold),
            Origin::Baseline => Some(baseline?.checked_add(signed)?),
            Origin::BaselinePercent => {
                let baseline = baseline?;
                baseline.checked_add(baseline.checked_mul(signed)?.checked_div(Decimal::ONE_HUNDRED)?)
            }
        }
    }
    /// Whether a value passes it.
    pub fn is_passed_by(&self, value: Decimal, baseline: Option<Decimal>) -> bool {
        let Some(limit) = self.value_at(baseline) else { return false };
        match (self.above, self.at_least, self.below) {
            (Some(_), _, _) => value > limit,
            (_, Some(_), _) => value >= limit,
            (_, _, Some(_)) => value < limit,
            _ => value <= limit,
        }
    }
    /// Whether a single reading is enough, at once.
    pub const fn is_immediate(&self) -> bool {
        self.readings <= 1 && self.lasting_s == 0
    }
}

/// All thresholds of a sign.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignLimits {
    /// Signs that it holds for; the first names it.
    pub signs: Vec<Sign>,
    /// UCUM unit of every number in the file.
    pub unit: String,
    /// What a healthy adult has, for the eye only.
    pub normal: [Decimal; 2],
    /// Lowest and highest score of a charted scale.
    pub range: Option<[Decimal; 2]>,
    /// `readings` and `lasting_s` only keep a wrong second of a probe from alarming: a value that a person charts asks at
    /// once.
    #[serde(default)]
    pub charted_at_once: bool,
    /// Thresholds.
    #[serde(rename = "rule")]
    pub rules: Vec<LimitRule>,
}

impl SignLimits {
    /// Whether one value is enough.
    pub const fn asks_at_once(&self, charted: bool) -> bool {
        charted && self.charted_at_once
    }
}

/// One symptom at the chair.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Symptom {
    /// Stable.
    pub id: String,
    /// For a person.
    pub title: String,
    /// What it asks for, at once.
    pub action: Action,
    /// Card to open.
    pub playbook: Option<String>,
}

/// Symptoms.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Symptoms {
    /// Each by its id.
    #[serde(rename = "symptom")]
    pub symptoms: Vec<Symptom>,
}

/// How grave a lasting condition is after a time.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Seconds since it began.
    pub after_s: i64,
    /// Priority from then on.
    pub priority: Priority,
    /// What it asks for.
    #[serde(default = "look")]
    pub action: Action,
}

const fn look() -> Action {
    Action::Look
}

/// One technical condition.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Technical {
    /// Which.
    pub condition: Condition,
    /// For a person.
    pub title: String,
    /// Climbed while it lasts.
    pub steps: Vec<Step>,
}

impl Technical {
    /// The step reached after a time; `None` before the first.
    pub fn step(&self, lasting_s: i64) -> Option<&Step> {
        self.steps.iter().rev().find(|step| lasting_s >= step.after_s)
    }
}

/// Where an alarm goes that nobody answers.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rung {
    /// Seconds without acknowledgement.
    pub after_s: i64,
    /// Whom it reaches.
    pub to: Reach,
}

/// Whom an escalated alarm reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// The screens of the chair.
    Chair,
    /// Every staff screen.
    AllScreens,
    /// The charge nurse.
    ChargeNurse,
    /// The prescriber on site.
    Prescriber,
}

/// Times and priorities of what is watched besides the numbers.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Watch {
    /// An unchanged cuff value within this time is the same measurement, seconds.
    pub same_cuff_reading_s: i64,
    /// Longest pause of one alarm's sound, seconds.
    pub sound_pause_s: i64,
    /// Age of a continuous value from which a screen says how old it is, seconds.
    pub shown_old_s: i64,
    /// Age from which a screen shows no number in its place, seconds.
    pub shown_gone_s: i64,
    /// A cuff reading that was measured longer ago than this when it came is late, seconds. A continuous one is as
    /// soon as no screen would show it.
    pub cuff_late_s: i64,
    /// Greatest age of blood pressure and saturation when an infusion starts, seconds.
    pub before_start_max_s: i64,
    /// So much older they may be where a start is recorded of a pump that runs already, seconds.
    pub start_recorded_within_s: i64,
    /// Difference of rate or weight between pump and order that is a conflict, %.
    pub program_tolerance_percent: Decimal,
    /// A missed observation is low at this multiple of its interval.
    pub overdue_low_factor: Decimal,
    /// And medium at this.
    pub overdue_medium_factor: Decimal,
    /// Whom a missed observation reaches once it is medium and nobody has answered it.
    pub overdue_medium_to: Reach,
    /// Where an unanswered high alarm goes.
    #[serde(rename = "escalation")]
    pub escalations: Vec<Rung>,
    /// By condition.
    #[serde(rename = "technical")]
    pub technicals: Vec<Technical>,
}

impl super::Knowledge {
    /// What is watched besides the numbers; `None` where nothing says so.
    pub fn watch(&self) -> Option<&Watch> {
        self.limits.iter().find_map(|item| match &item.body {
            Limits::Watch(watch) => Some(watch),
            _ => None,
        })
    }
}

impl Watch {
    /// Age at which something observed at intervals is overdue, seconds.
    pub fn overdue_s(&self, every_s: i64) -> i64 {
        let overdue = self.overdue_low_factor.saturating_mul(every_s.into());
        i64::try_from(overdue).unwrap_or(every_s)
    }
    /// How long a device's clock is compared, and when what it sends is late.
    pub const fn patience(&self) -> Patience {
        Patience {
            steady: SignedDuration::from_secs(self.shown_old_s),
            fresh: SignedDuration::from_secs(self.shown_gone_s),
        }
    }
    /// Whether a reading that came at `at` was measured too long ago to be one of now. Without a time it never is.
    pub fn is_late(&self, at: Timestamp, reading: &Reading, behind: Option<SignedDuration>) -> bool {
        let cuff =
            matches!(reading.parameter, Parameter::Systolic | Parameter::Diastolic | Parameter::MeanPressure);
        let fresh_s = if cuff { self.cuff_late_s } else { self.shown_gone_s };
        reading
            .measured_at(behind, at)
            .is_some_and(|measured| at.duration_since(measured) > SignedDuration::from_secs(fresh_s))
    }
    /// The rules of a condition.
    pub fn technical(&self, condition: Condition) -> Option<&Technical> {
        self.technicals.iter().find(|t| t.condition == condition)
    }
}

/// How we take an alert that a device raises itself.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlertRule {
    /// Term of ISO/IEEE 11073-10101.
    pub refid: String,
    /// For a person.
    pub title: String,
    /// Priority here.
    pub priority: Priority,
    /// What it asks for.
    #[serde(default = "look")]
    pub action: Action,
    /// Card to open.
    pub playbook: Option<String>,
}

/// Alerts of devices.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeviceAlerts {
    /// By term.
    #[serde(rename = "alert")]
    pub alerts: Vec<AlertRule>,
}

impl DeviceAlerts {
    /// Our priority: as listed, else as the device says, else medium.
    pub fn priority(&self, refid: &str, device: DevicePriority) -> Priority {
        if let Some(rule) = self.alerts.iter().find(|alert| alert.refid == refid) {
            return rule.priority;
        }
        match device {
            DevicePriority::Low => Priority::Low,
            DevicePriority::Medium | DevicePriority::Unknown => Priority::Medium,
            DevicePriority::High => Priority::High,
        }
    }
}

/// One file of `knowledge/limits/`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Limits {
    /// Thresholds of a vital sign or charted scale.
    Sign(SignLimits),
    /// Symptoms.
    Symptoms(Symptoms),
    /// Readings that cannot be true.
    Plausibility(Plausibility),
    /// Technical alarms, escalation, sound.
    Watch(Watch),
    /// Alerts of devices.
    DeviceAlerts(DeviceAlerts),
}

impl Body for Limits {
    const FOLDER: &'static str = "limits";
    type Example = toml::Table;

    fn check(item: &Item<Self>, all: &Knowledge) -> Result<(), String> {
        match &item.body {
            Self::Sign(limits) => check::sign(limits, all),
            Self::Symptoms(symptoms) => {
                symptoms.symptoms.iter().try_for_each(|s| check::playbook(s.playbook.as_deref(), all))
            }
            Self::Plausibility(p) => p.ranges.iter().try_for_each(|range| {
                check::unit(&range.unit, range.parameter.unit())?;
                range.check()
            }),
            Self::Watch(watch) => check::watch(watch),
            Self::DeviceAlerts(alerts) => {
                alerts.alerts.iter().try_for_each(|a| check::playbook(a.playbook.as_deref(), all))
            }
        }
    }

    fn prove(item: &Item<Self>, example: &toml::Table, _all: &Knowledge) -> Result<(), String> {
        super::proof::limit(&item.body, example)
    }
}

/// What `given = { systolic = 120 }` of a worked case stands for.
pub(super) fn readings_of(given: &BTreeMap<Parameter, Decimal>) -> Vec<Reading> {
    let reading = |(parameter, value): (&Parameter, &Decimal)| Reading {
        parameter: *parameter,
        value: Tenths::from_decimal(*value),
        quality: Quality::Good,
        observed_at: None,
    };
    given.iter().map(reading).collect()
}
