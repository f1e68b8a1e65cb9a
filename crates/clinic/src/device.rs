//! What a device says, in the clinic's words. Codecs in `interop` make these from bytes; the monitor and the
//! session take them in. A reading is not reviewed by a person; an observation is.

pub mod clock;

use crate::id::DeviceId;
use crate::quantity::{Concentration, Micrograms, Microlitres, Rate, Tenths, Weight};
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A vital sign that a monitor measures. The unit is fixed by the parameter, see [`Parameter::unit`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Parameter {
    /// Non-invasive systolic blood pressure.
    Systolic,
    /// Non-invasive diastolic blood pressure.
    Diastolic,
    /// Non-invasive mean arterial pressure.
    MeanPressure,
    /// Heart rate from the ECG.
    HeartRate,
    /// Pulse rate from oximeter or cuff.
    PulseRate,
    /// Oxygen saturation by pulse oximetry.
    Spo2,
    /// Breaths a minute.
    RespiratoryRate,
    /// End-tidal carbon dioxide.
    Etco2,
    /// Body temperature.
    Temperature,
    /// Perfusion index of the oximeter.
    Perfusion,
}

impl Parameter {
    /// Every parameter, in the order in which a chart shows them.
    pub const ALL: [Parameter; 10] = [
        Self::Systolic,
        Self::Diastolic,
        Self::MeanPressure,
        Self::HeartRate,
        Self::PulseRate,
        Self::Spo2,
        Self::RespiratoryRate,
        Self::Etco2,
        Self::Temperature,
        Self::Perfusion,
    ];
    /// UCUM unit of its values.
    pub const fn unit(self) -> &'static str {
        match self {
            Self::Systolic | Self::Diastolic | Self::MeanPressure | Self::Etco2 => "mm[Hg]",
            Self::HeartRate | Self::PulseRate => "{beat}/min",
            Self::RespiratoryRate => "{breath}/min",
            Self::Spo2 | Self::Perfusion => "%",
            Self::Temperature => "Cel",
        }
    }
    /// As it is written in a file.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Systolic => "systolic",
            Self::Diastolic => "diastolic",
            Self::MeanPressure => "mean_pressure",
            Self::HeartRate => "heart_rate",
            Self::PulseRate => "pulse_rate",
            Self::Spo2 => "spo2",
            Self::RespiratoryRate => "respiratory_rate",
            Self::Etco2 => "etco2",
            Self::Temperature => "temperature",
            Self::Perfusion => "perfusion",
        }
    }
    /// Short name on a screen.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Systolic => "NIBP systolic",
            Self::Diastolic => "NIBP diastolic",
            Self::MeanPressure => "NIBP mean",
            Self::HeartRate => "HR",
            Self::PulseRate => "Pulse",
            Self::Spo2 => "SpO₂",
            Self::RespiratoryRate => "RR",
            Self::Etco2 => "EtCO₂",
            Self::Temperature => "Temp",
            Self::Perfusion => "PI",
        }
    }
}

/// Values that a person typed, was asked about and sent again unchanged.
pub type ReadAgain = BTreeSet<(Parameter, Decimal)>;

/// What stands behind a missing or doubtful value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quality {
    /// As measured.
    Good,
    /// The device sent no value (probe off, not available); `value` is `None`.
    NoValue,
    /// The value is not plausible or the device doubts it; kept raw, never charted, never alarms as normal.
    Suspect,
}

/// One vital sign from one device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    /// What was measured.
    pub parameter: Parameter,
    /// In tenths of the parameter's unit; `None` when the device has no value.
    pub value: Option<Tenths>,
    /// Whether the value may be used.
    pub quality: Quality,
    /// When the device says it measured, by its own clock.
    pub observed_at: Option<Timestamp>,
}

impl Reading {
    /// When it was measured, by our clock: never after it came. `None` without a time of its own, or while nobody
    /// knows how far the clock of the device is behind ours.
    pub fn measured_at(&self, behind: Option<SignedDuration>, came_at: Timestamp) -> Option<Timestamp> {
        self.observed_at.zip(behind).map(|(stamp, behind)| clock::measured_at(came_at, stamp, behind))
    }
}

/// Whether the pump says that it infuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PumpStatus {
    /// Fluid is moving at the programmed rate.
    Infusing,
    /// Not moving: paused, stopped or in standby.
    NotInfusing,
    /// Keep-vein-open rate after the end of the volume.
    KeepVeinOpen,
    /// The pump is changing state or did not say.
    Unknown,
}

/// What a pump reports about the one source that infuses. A field that the pump did not send is `None`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PumpReading {
    /// Whether it infuses.
    pub status: PumpStatus,
    /// Flow now.
    pub rate: Option<Rate>,
    /// Flow as programmed.
    pub programmed_rate: Option<Rate>,
    /// Volume to be infused.
    pub vtbi: Option<Microlitres>,
    /// What is left of it.
    pub vtbi_remaining: Option<Microlitres>,
    /// Volume delivered since the counters were cleared.
    pub delivered: Option<Microlitres>,
    /// Mass delivered by the pump's own arithmetic.
    pub delivered_mass: Option<Micrograms>,
    /// Strength as programmed.
    pub concentration: Option<Concentration>,
    /// Drug label from the pump's library.
    pub drug: Option<String>,
    /// Weight as programmed.
    pub weight: Option<Weight>,
    /// Library name or version, when sent.
    pub library: Option<String>,
    /// Care area of the library, when sent.
    pub care_area: Option<String>,
    /// When the pump says so, by its own clock.
    pub observed_at: Option<Timestamp>,
}

impl PumpReading {
    /// What a person sees who looks at the display.
    pub const fn seen(status: PumpStatus, rate: Rate) -> Self {
        Self {
            status,
            rate: Some(rate),
            programmed_rate: None,
            vtbi: None,
            vtbi_remaining: None,
            delivered: None,
            delivered_mass: None,
            concentration: None,
            drug: None,
            weight: None,
            library: None,
            care_area: None,
            observed_at: None,
        }
    }
}

/// Priority as the device gives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DevicePriority {
    /// Low.
    Low,
    /// Medium.
    Medium,
    /// High.
    High,
    /// Not said.
    Unknown,
}

/// A condition that the device itself alarms about. We show it as "device says".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceAlert {
    /// Term of the nomenclature, for example `MDC_EVT_FLUID_LINE_OCCL`.
    pub refid: String,
    /// Words of the device, may be empty.
    pub text: String,
    /// `true` while the condition lasts, `false` when the device says that it ended.
    pub active: bool,
    /// Priority by the device.
    pub priority: DevicePriority,
}

/// An event in the life of a pump.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PumpEvent {
    /// Delivery began.
    DeliveryStarted,
    /// Delivery stopped before the volume was in.
    DeliveryStopped,
    /// The programmed volume is in.
    DeliveryCompleted,
    /// The program was cleared.
    ProgramCleared,
    /// The volume counters went back to zero.
    CountersCleared,
    /// The pump was given to another patient.
    PatientChanged,
}

/// Whom a message names. Nothing of it is sent by most pumps.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedPatient {
    /// Medical record number as sent (PID-3.1).
    pub mrn: Option<String>,
    /// Family and given names as sent (PID-5).
    pub name: Option<String>,
    /// Day of birth (PID-7).
    pub born: Option<Date>,
}

impl NamedPatient {
    /// Names nobody, which is normal for pumps.
    pub const fn is_nobody(&self) -> bool {
        self.mrn.is_none() && self.name.is_none() && self.born.is_none()
    }
}

/// Everything one device message says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceMessage {
    /// The device that measured, not the gateway that sent.
    pub device: DeviceId,
    /// Monitor, pump or neither.
    pub kind: DeviceKind,
    /// Whom the message names.
    pub patient: NamedPatient,
    /// Time of the message by the sender's clock.
    pub sent_at: Option<Timestamp>,
    /// Vital signs.
    pub readings: Vec<Reading>,
    /// Pump state, when the device is a pump.
    pub pump: Option<PumpReading>,
    /// Pump events (PCD-10).
    pub pump_events: Vec<PumpEvent>,
    /// Alerts (PCD-04).
    pub alerts: Vec<DeviceAlert>,
}

/// What a device is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeviceKind {
    /// Vital-signs monitor.
    Monitor,
    /// Infusion pump.
    Pump,
    /// Something else that speaks the protocol.
    Other,
}

impl DeviceKind {
    /// As it reads before the device's name.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Monitor => "monitor",
            Self::Pump => "pump",
            Self::Other => "device",
        }
    }
}
