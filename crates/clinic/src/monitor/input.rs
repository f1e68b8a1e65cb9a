//! What the monitor is told, and what it says.

use crate::device::{DeviceAlert, DeviceKind, Parameter, PumpEvent, PumpReading, Reading};
use crate::gate::Pressure;
use crate::id::{AlarmId, DeviceId, RuleId, StaffId};
use crate::knowledge::limits::{Action, Priority, Reach, Sign};
use crate::knowledge::observations::{Observed, Phase};
use crate::quantity::{Concentration, Microlitres, Rate, Weight};
use crate::session::{Phase as Visit, Session, Unexplained};
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Where a reading comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A device sent it.
    Device(DeviceId),
    /// A person read it and typed it.
    Charted(StaffId),
}

/// What the chair has, so that its absence is noticed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expected {
    /// Continuous channels that a device streams. The cuff is watched by its interval and needs no entry.
    pub channels: BTreeSet<Parameter>,
    /// A pump is linked.
    pub pump: bool,
    /// A medicine asks for blood pressure at the fast interval.
    pub nibp_fast: bool,
}

/// What the pump is ordered to do, as it stands now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ordered {
    /// Flow.
    pub rate: Rate,
    /// Strength after dilution.
    pub concentration: Concentration,
    /// Generic name in lower case.
    pub drug: String,
    /// Volume to be infused.
    pub vtbi: Microlitres,
    /// The counter can never show more than this: where it stood at the start, and all that was drawn.
    pub counter_max: Option<Microlitres>,
    /// Weight that the dose was computed with.
    pub weight: Option<Weight>,
    /// When the volume should be in; `None` while paused.
    pub ends: Option<Timestamp>,
}

impl Ordered {
    /// What the pump should be doing now, by the order and what was done since; `None` before it was programmed.
    pub fn of(session: &Session, at: Timestamp) -> Option<Self> {
        let (order, _) = session.order.as_ref()?;
        session.program.as_ref()?;
        // Neither a pause nor the end changes what the pump is set to; a pump that runs then is an alarm of its own.
        let started = session.delivery.started();
        let rate = if started.is_some() { session.delivery.set_rate() } else { order.rate };
        let left = order.volume.minus(session.delivery.volume_at(at));
        let ends = (session.phase == Visit::Infusing && rate > Rate::ZERO).then(|| {
            let ms = i128::from(left.0.max(0)) * 3_600_000 / i128::from(rate.0);
            at.saturating_add(SignedDuration::from_millis(i64::try_from(ms).unwrap_or(i64::MAX))).ok()
        });
        Some(Self {
            rate,
            concentration: order.concentration,
            drug: order.drug.clone(),
            vtbi: order.vtbi,
            counter_max: started.map(|_| session.counter_max()),
            weight: session.weight.map(|(weight, _)| weight),
            ends: ends.flatten(),
        })
    }
}

/// A person moves a limit, with a reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LimitChange {
    /// Id of the rule in its limits file, for example `sbp_warn_high`.
    pub rule: RuleId,
    /// New threshold in the unit of the file.
    pub to: Decimal,
    /// Who.
    pub by: StaffId,
    /// Why; not empty.
    pub reason: String,
}

/// Something happened. The time is given beside it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Input {
    /// Time went by.
    Tick,
    /// All readings of one message, or of one form.
    Readings {
        /// From where.
        source: Source,
        /// What.
        readings: Vec<Reading>,
        /// How far the clock of the device is behind ours; `None` where its times are not known, and then everything
        /// counts as measured when it came.
        behind: Option<SignedDuration>,
    },
    /// What a device sends is not of now, in words; nothing once it is.
    NotOfNow {
        /// Which.
        device: DeviceId,
        /// Why.
        why: Option<String>,
    },
    /// A person scored MOAA/S, RASS or distress.
    Scored {
        /// Which scale.
        sign: Sign,
        /// The score.
        score: i32,
        /// When; not said is now.
        observed_at: Option<Timestamp>,
    },
    /// A person looked at something that has no limit.
    Looked {
        /// At what.
        observed: Observed,
        /// When; not said is now.
        observed_at: Option<Timestamp>,
    },
    /// A symptom began or ended.
    Symptom {
        /// Its id in the symptom limits.
        id: String,
        /// Whether it is there.
        present: bool,
    },
    /// Mean of the readings before the infusion.
    Baseline(Pressure),
    /// Nobody knows the blood pressure before the infusion any more.
    NoBaseline,
    /// What a person entered, by its place in the log.
    Entered {
        /// Where it stands.
        entry: i64,
        /// What it says.
        what: Box<Input>,
    },
    /// An entry was made by mistake: from now on it never was.
    Struck {
        /// Where it stands.
        entry: i64,
    },
    /// The session moved on.
    Phase(Phase),
    /// What the chair has.
    Expect(Expected),
    /// What the pump shows, by link or by eye.
    Pump(PumpReading),
    /// A person pressed the pump and recorded it: the rate of a start by its program, or of a resume or a change as typed.
    PumpSet(Rate),
    /// What its link told and its rate does not explain; nothing once a person has read it.
    Unexplained(Option<Unexplained>),
    /// What the pump reports to have happened.
    PumpEvent(PumpEvent),
    /// A device alarms about itself.
    DeviceAlert {
        /// Which.
        device: DeviceId,
        /// What.
        alert: DeviceAlert,
    },
    /// The order as it stands now.
    Ordered(Ordered),
    /// A device's connection ended.
    LinkLost(DeviceId, DeviceKind),
    /// It is back.
    LinkBack(DeviceId),
    /// A device names another patient, or no longer does.
    PatientConflict {
        /// Which.
        device: DeviceId,
        /// Whether it does now.
        present: bool,
    },
    /// A screen painted this chair.
    Painted,
    /// A high alarm about the patient that nobody had answered when the program ended.
    Unanswered(Box<Alarm>),
    /// The program restarted; nothing was watched since then.
    Restarted {
        /// Last moment that was watched.
        since: Timestamp,
    },
    /// The machine's clock is behind the log by so many seconds; nothing once it is set right.
    ClockBehind(i64),
    /// The machine's clock was set ahead of the times told here by so many seconds; nothing once they are one again.
    ClockAhead(i64),
    /// A named person answers an alarm.
    Acknowledge {
        /// Which.
        alarm: AlarmId,
        /// Who.
        by: StaffId,
        /// What for, may be empty.
        reason: String,
    },
    /// A named person quiets one alarm for the longest time allowed.
    PauseSound {
        /// Which.
        alarm: AlarmId,
        /// Who.
        by: StaffId,
    },
    /// A named person moves a limit.
    ChangeLimit(LimitChange),
}

/// Who answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledgement {
    /// Who.
    pub by: StaffId,
    /// When.
    pub at: Timestamp,
    /// What for, may be empty.
    pub reason: String,
}

/// A condition that asks for a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alarm {
    /// From its raising to its end.
    pub id: AlarmId,
    /// What it is about: `systolic`, `channel_missing/spo2`, `symptom/chest_pain`. One alarm a code at a time.
    pub code: String,
    /// Rule that raised it.
    pub rule: RuleId,
    /// Version of that rule's file.
    pub version: u32,
    /// Its priority.
    pub priority: Priority,
    /// What it asks for.
    pub action: Action,
    /// What, value, limit, how many readings. The screen adds since when, in its own zone.
    pub message: String,
    /// Sign in alarm.
    pub sign: Option<Sign>,
    /// Value in alarm, as shown.
    pub value: Option<String>,
    /// Its limit, as shown.
    pub limit: Option<String>,
    /// Card to open.
    pub playbook: Option<String>,
    /// Since when the condition holds.
    pub since: Timestamp,
    /// Limits of this action that are passed; one more makes it worse, and it sounds again.
    #[serde(default)]
    pub limits_passed: usize,
    /// When it was raised, or raised anew because it got worse or came back.
    pub raised_at: Timestamp,
    /// The condition is over, and the alarm waits for a person.
    pub ended_at: Option<Timestamp>,
    /// Who answered.
    pub acknowledged: Option<Acknowledgement>,
    /// How far it went unanswered.
    pub reach: Reach,
    /// Its sound is paused until then.
    pub quiet_until: Option<Timestamp>,
}

impl Alarm {
    /// Whether it sounds now.
    pub fn sounds(&self, at: Timestamp) -> bool {
        self.acknowledged.is_none() && self.quiet_until.is_none_or(|until| until <= at)
    }
    /// Whether the condition is over and only the answer is missing.
    pub const fn is_latched(&self) -> bool {
        self.ended_at.is_some()
    }
    pub(super) const fn gravity(&self) -> (Priority, Action, usize) {
        (self.priority, self.action, self.limits_passed)
    }
}

/// What the monitor says. Each is worth a line in the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Output {
    /// New.
    AlarmRaised(Alarm),
    /// Graver than before; it sounds again and needs a new answer.
    AlarmWorsened(Alarm),
    /// The condition came back before anybody answered.
    AlarmReturned(Alarm),
    /// Milder than before.
    AlarmEased(Alarm),
    /// The condition is over; a high alarm stays until it is answered.
    AlarmLatched(AlarmId),
    /// Somebody answered.
    AlarmAcknowledged {
        /// Which.
        alarm: AlarmId,
        /// Who.
        by: StaffId,
        /// What for.
        reason: String,
    },
    /// Gone.
    AlarmCleared(AlarmId),
    /// Taken away: the entry that raised it was struck.
    AlarmWithdrawn(AlarmId),
    /// It still stood when the patient left the chair, and nobody watches it any more.
    AlarmLeft(AlarmId),
    /// Nobody answered in time.
    AlarmEscalated {
        /// Which.
        alarm: AlarmId,
        /// Whom it reaches now.
        to: Reach,
    },
    /// Quiet for a while.
    SoundPaused {
        /// Which.
        alarm: AlarmId,
        /// Who.
        by: StaffId,
        /// Until then.
        until: Timestamp,
    },
    /// The pause is over.
    SoundResumed(AlarmId),
    /// Something is to be looked at now.
    ObservationDue(Observed),
    /// A limit was moved.
    LimitChanged {
        /// Threshold before.
        from: Decimal,
        /// The change.
        change: LimitChange,
    },
    /// Nothing happened, and why.
    Refused(Refused),
}

/// Why the monitor did not do what it was told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum Refused {
    /// No such alarm.
    #[error("there is no alarm {0}")]
    NoSuchAlarm(AlarmId),
    /// Somebody was faster.
    #[error("{by} has already answered this alarm")]
    AlreadyAcknowledged {
        /// Who.
        by: StaffId,
    },
    /// The score is none of the scale's.
    #[error("{scale} {score} is outside {from} to {to}")]
    ScoreOutOfRange {
        /// The scale.
        scale: String,
        /// Given.
        score: i32,
        /// Lowest.
        from: Decimal,
        /// Highest.
        to: Decimal,
    },
    /// The symptom has no rule.
    #[error("there is no symptom `{0}`")]
    NoSuchSymptom(String),
    /// Saturation, blood pressure, breathing and pump stay watched while a drug runs.
    #[error("{0} cannot be switched off during the infusion")]
    StaysWatched(String),
    /// The limit cannot be moved there.
    #[error(transparent)]
    Limit(#[from] LimitRefused),
}

/// Why a limit was not moved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum LimitRefused {
    /// No such rule.
    #[error("there is no limit `{0}`")]
    NoSuchRule(RuleId),
    /// The rule cannot be moved by anybody.
    #[error("the limit `{0}` cannot be moved")]
    Fixed(RuleId),
    /// Too far.
    #[error("{asked} is outside {from} to {to}, which is how far `{rule}` may be moved")]
    TooFar {
        /// Which.
        rule: RuleId,
        /// Asked.
        asked: Decimal,
        /// Lowest.
        from: Decimal,
        /// Highest.
        to: Decimal,
    },
    /// No reason was given.
    #[error("moving a limit needs a reason")]
    NoReason,
}
