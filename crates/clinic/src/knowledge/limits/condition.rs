//! What the monitor watches besides limits.

use serde::{Deserialize, Serialize};

/// What can be wrong besides the numbers of the patient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// A continuous channel has no usable value.
    ChannelMissing,
    /// Nobody knows the blood pressure before the infusion, so no rise is watched.
    BaselineMissing,
    /// A cuff reading cannot be true.
    CuffSuspect,
    /// A value at which the infusion is paused or stopped was struck, and nothing was measured since.
    StruckUnmeasured,
    /// No blood pressure for too long during the infusion.
    CuffMissing,
    /// Nothing that the chair streams has a usable value during the infusion: nobody may be sitting there.
    PatientUnseen,
    /// A device's connection is gone.
    LinkLost,
    /// The pump says nothing.
    PumpSilent,
    /// Pump and order differ.
    PumpConflict,
    /// The pump delivers outside an infusion.
    PumpRunning,
    /// The pump does not say that it delivers during an infusion.
    PumpNotRunning,
    /// The pump's link told a volume that its rate cannot explain.
    PumpCount,
    /// The volume is in or the time is over.
    InfusionEnd,
    /// No screen paints this chair during an infusion.
    NoDisplay,
    /// A device names another patient.
    PatientConflict,
    /// The monitor was down.
    Interrupted,
    /// The machine's clock is behind the log, so times run ahead of the day.
    ClockBehind,
    /// The machine's clock was set ahead, so times are behind the day.
    ClockAhead,
    /// What a device sends was not measured now, or its clock was set.
    NotOfNow,
}

impl Condition {
    /// Every condition.
    pub const ALL: [Self; 19] = [
        Self::ChannelMissing,
        Self::BaselineMissing,
        Self::CuffSuspect,
        Self::StruckUnmeasured,
        Self::CuffMissing,
        Self::PatientUnseen,
        Self::LinkLost,
        Self::PumpSilent,
        Self::PumpConflict,
        Self::PumpRunning,
        Self::PumpNotRunning,
        Self::PumpCount,
        Self::InfusionEnd,
        Self::NoDisplay,
        Self::PatientConflict,
        Self::Interrupted,
        Self::ClockBehind,
        Self::ClockAhead,
        Self::NotOfNow,
    ];
}
