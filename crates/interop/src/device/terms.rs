//! The nomenclature: which code means what. One table, found by code, else by name, else by LOINC, else by the
//! label on the device.
//!
//! Codes are context-free codes of ISO/IEEE 11073-10101 (partition × 65536 + term). Source marks: `T` text and
//! examples of the IHE PCD Technical Framework Vol 2 and its IPEC supplement; `B` B. Braun Space messages; `M`
//! Mindray mapping; `D` German MII guide for intensive care; `P` HL7 Point-of-Care Device guide; `O` OpenICE and
//! Philips names; `E` GE gateway; `C` labels of the Philips Efficia CM100. A term without a code was seen with
//! its name only (code 0).

use crate::hl7::{Cause, Value};
use clinic::device::{DeviceKind, Parameter, PumpEvent};

/// What a term stands for here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Means {
    /// A vital sign; where several sources of one parameter come in a message, the lowest rank counts.
    Vital(Parameter, u8),
    /// A value of the pump.
    Pump(PumpField),
    /// A number that is shown as a fact only.
    Number(Measure),
    /// A text that is shown as a fact only.
    Text,
    /// The top container of a device.
    Device(DeviceKind),
    /// The device's own identity.
    SystemId,
    /// The condition of a pump event.
    EventCondition,
    /// An alarm condition, its value is the event.
    AlarmCondition,
    /// A condition that a device reports beside its values.
    StandingCondition,
    /// What raised an alarm, a device or a channel.
    AlarmSource,
    /// `start`, `continue`, `update`, `end`.
    AlarmPhase,
    /// `active`, `inactive`, `latched`.
    AlarmState,
    /// `PH`, `PM`, `PL`.
    AlarmPriority,
    /// Words of the device.
    AlarmText,
}

/// Fields of a pump report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PumpField {
    InfusingStatus,
    DeliveryStatus,
    ActiveSources,
    CurrentRate,
    ProgrammedRate,
    Vtbi,
    VtbiRemaining,
    Delivered,
    DeliveredMass,
    Concentration,
    Drug,
    Weight,
    LibraryName,
    LibraryVersion,
    CareArea,
}

/// Kinds of quantity. Units convert within one kind only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Measure {
    /// Base unit mm[Hg].
    Pressure,
    /// Base unit one a minute.
    PerMinute,
    /// Base unit %.
    Percent,
    /// Percent that some devices send as a bare number.
    PercentOrBare,
    /// Base unit Cel.
    Temperature,
    /// Base unit mL/h.
    Flow,
    /// Base unit mL.
    Volume,
    /// Base unit mg.
    Mass,
    /// Base unit mg/mL.
    Concentration,
    /// Base unit s.
    Duration,
    /// Dose over time; not converted.
    DoseRate,
    /// A bare number.
    Bare,
}

impl Means {
    /// The kind of number that the value is; `None` for texts and containers.
    pub(crate) fn measure(self) -> Option<Measure> {
        match self {
            Self::Vital(parameter, _) => Some(match parameter {
                Parameter::Systolic | Parameter::Diastolic | Parameter::MeanPressure | Parameter::Etco2 => {
                    Measure::Pressure
                }
                Parameter::HeartRate | Parameter::PulseRate | Parameter::RespiratoryRate => {
                    Measure::PerMinute
                }
                Parameter::Spo2 => Measure::Percent,
                Parameter::Perfusion => Measure::PercentOrBare,
                Parameter::Temperature => Measure::Temperature,
            }),
            Self::Pump(field) => match field {
                PumpField::CurrentRate | PumpField::ProgrammedRate => Some(Measure::Flow),
                PumpField::Vtbi | PumpField::VtbiRemaining | PumpField::Delivered => Some(Measure::Volume),
                PumpField::DeliveredMass | PumpField::Weight => Some(Measure::Mass),
                PumpField::Concentration => Some(Measure::Concentration),
                PumpField::InfusingStatus
                | PumpField::DeliveryStatus
                | PumpField::ActiveSources
                | PumpField::Drug
                | PumpField::LibraryName
                | PumpField::LibraryVersion
                | PumpField::CareArea => None,
            },
            Self::Number(measure) => Some(measure),
            _ => None,
        }
    }
}

/// One row of the table.
#[derive(Debug)]
pub(crate) struct Term {
    /// Context-free code; 0 when only the name is known.
    pub(crate) code: u32,
    /// Name in the nomenclature.
    pub(crate) refid: &'static str,
    /// Other names of the same: earlier names in the nomenclature, LOINC codes, labels on devices.
    also: &'static [&'static str],
    pub(crate) means: Means,
}

const fn term(code: u32, refid: &'static str, also: &'static [&'static str], means: Means) -> Term {
    Term { code, refid, also, means }
}

use Means::{
    AlarmCondition, AlarmPhase, AlarmPriority, AlarmSource, AlarmState, AlarmText, Device, EventCondition,
    Number, Pump, StandingCondition, SystemId, Text, Vital,
};

/// Every term known here. LOINC codes (LOINC 2.82) and device labels stand among the other names.
#[rustfmt::skip]
pub(crate) const TERMS: &[Term] = &[
    // Vital signs.
    term(150021, "MDC_PRESS_BLD_NONINV_SYS", &["8480-6", "NBPs"], Vital(Parameter::Systolic, 0)), // T M C
    term(150022, "MDC_PRESS_BLD_NONINV_DIA", &["8462-4", "NBPd"], Vital(Parameter::Diastolic, 0)), // T M C
    term(150023, "MDC_PRESS_BLD_NONINV_MEAN", &["8478-0", "NBPm"], Vital(Parameter::MeanPressure, 0)), // T M C
    term(147842, "MDC_ECG_HEART_RATE", &["MDC_ECG_CARD_BEAT_RATE", "8867-4"], Vital(Parameter::HeartRate, 0)), // T M
    term(149530, "MDC_PULS_OXIM_PULS_RATE", &["8889-8", "Pulse"], Vital(Parameter::PulseRate, 0)), // M C
    term(149546, "MDC_PULS_RATE_NON_INV", &[], Vital(Parameter::PulseRate, 1)), // T, of the cuff
    term(150456, "MDC_PULS_OXIM_SAT_O2", &["59408-5", "2708-6", "SpO2"], Vital(Parameter::Spo2, 0)), // T M C
    term(150448, "MDC_PULS_OXIM_PERF_REL", &["61006-3"], Vital(Parameter::Perfusion, 0)), // T M
    term(151562, "MDC_RESP_RATE", &["9279-1", "RR"], Vital(Parameter::RespiratoryRate, 0)), // T C
    term(151570, "MDC_AWAY_RESP_RATE", &[], Vital(Parameter::RespiratoryRate, 1)), // O
    term(151594, "MDC_CO2_RESP_RATE", &[], Vital(Parameter::RespiratoryRate, 1)), // M
    term(151708, "MDC_CONC_AWAY_CO2_ET", &["19891-1"], Vital(Parameter::Etco2, 0)), // M D
    term(151728, "MDC_AWAY_CO2_ET", &[], Vital(Parameter::Etco2, 1)), // O
    term(150364, "MDC_TEMP_BODY", &["8310-5", "Temp"], Vital(Parameter::Temperature, 0)), // P C
    term(150344, "MDC_TEMP", &[], Vital(Parameter::Temperature, 1)), // P
    // Devices.
    term(69965, "MDC_DEV_MON_PHYSIO_MULTI_PARAM_MDS", &[], Device(DeviceKind::Monitor)), // T M
    term(69985, "MDC_DEV_PUMP_INFUS_MDS", &[], Device(DeviceKind::Pump)), // T
    term(70049, "MDC_DEV_PUMP_INFUS_LVP_MDS", &[], Device(DeviceKind::Pump)), // T B
    term(70053, "MDC_DEV_PUMP_INFUS_SYRINGE_MDS", &[], Device(DeviceKind::Pump)), // B
    term(67972, "MDC_ATTR_SYS_ID", &[], SystemId), // B
    // Pumps.
    term(184519, "MDC_PUMP_INFUSING_STATUS", &[], Pump(PumpField::InfusingStatus)), // T B
    term(184508, "MDC_PUMP_STAT", &[], Pump(PumpField::InfusingStatus)), // T, older
    term(158005, "MDC_DEV_PUMP_CURRENT_DELIVERY_STATUS", &["MDC_PUMP_CURRENT_DELIVERY_STATUS"], Pump(PumpField::DeliveryStatus)), // T B
    term(158016, "MDC_DEV_PUMP_ACTIVE_SOURCES", &["MDC_PUMP_ACTIVE_SOURCES"], Pump(PumpField::ActiveSources)), // T B
    term(158014, "MDC_FLOW_FLUID_PUMP_CURRENT", &[], Pump(PumpField::CurrentRate)), // T B
    term(157784, "MDC_FLOW_FLUID_PUMP", &[], Pump(PumpField::ProgrammedRate)), // T B
    term(157884, "MDC_VOL_FLUID_TBI", &[], Pump(PumpField::Vtbi)), // T B
    term(157872, "MDC_VOL_FLUID_TBI_REMAIN", &[], Pump(PumpField::VtbiRemaining)), // T B
    term(157993, "MDC_VOL_FLUID_DELIV_TOTAL", &[], Pump(PumpField::Delivered)), // T B
    term(157864, "MDC_VOL_FLUID_DELIV", &[], Number(Measure::Volume)), // T, older; total or segment is not said
    term(157992, "MDC_VOL_FLUID_DELIV_SEGMENT", &[], Number(Measure::Volume)), // T B
    term(158001, "MDC_DOSE_DRUG_DELIV_TOTAL", &[], Pump(PumpField::DeliveredMass)), // B
    term(157999, "MDC_DOSE_DRUG_TBI", &[], Number(Measure::Mass)), // B
    term(158000, "MDC_DOSE_DRUG_TBI_REMAIN", &[], Number(Measure::Mass)), // B
    term(157924, "MDC_RATE_DOSE", &[], Number(Measure::DoseRate)), // T
    term(157760, "MDC_CONC_DRUG", &[], Pump(PumpField::Concentration)), // T B
    term(184514, "MDC_DRUG_NAME_LABEL", &[], Pump(PumpField::Drug)), // T B
    term(184330, "MDC_DRUG_NAME_TYPE", &[], Text), // T, older
    term(184516, "MDC_PUMP_DRUG_LIBRARY_CARE_AREA", &[], Pump(PumpField::CareArea)), // T B
    term(184517, "MDC_PUMP_DRUG_LIBRARY_VERSION", &[], Pump(PumpField::LibraryVersion)), // T
    term(184520, "MDC_PUMP_DRUG_LIBRARY_NAME", &[], Pump(PumpField::LibraryName)), // B
    term(68063, "MDC_ATTR_PT_WEIGHT", &[], Pump(PumpField::Weight)), // T B
    term(157996, "MDC_TIME_PD_PROG", &[], Number(Measure::Duration)), // B
    term(157916, "MDC_TIME_PD_REMAIN", &[], Number(Measure::Duration)), // T B
    term(157880, "MDC_VOL_SYRINGE", &[], Number(Measure::Volume)), // B
    term(157984, "MDC_VOL_SYRINGE_ACTUAL", &[], Number(Measure::Volume)), // B
    term(158006, "MDC_DEV_PUMP_NOT_DELIVERING_REASON", &["MDC_PUMP_NOT_DELIVERING_REASON"], Text), // B
    term(158008, "MDC_DEV_PUMP_PROGRAM_DELIVERY_MODE", &["MDC_PUMP_PROGRAM_DELIVERY_MODE"], Text), // T B
    term(158012, "MDC_DEV_PUMP_SOURCE_CHANNEL_LABEL", &["MDC_PUMP_SOURCE_CHANNEL_LABEL"], Text), // T B
    term(184504, "MDC_PUMP_MODE", &[], Text), // T, older
    term(67880, "MDC_ATTR_ID_MODEL", &[], Text), // B
    term(67996, "MDC_ATTR_VAL_BATT_CHARGE", &[], Number(Measure::Percent)), // B
    term(67976, "MDC_ATTR_TIME_BATT_REMAIN", &[], Number(Measure::Duration)), // B
    term(67925, "MDC_ATTR_POWER_STAT", &[], Text), // B
    // Events of pumps (IPEC).
    term(68487, "MDC_ATTR_EVT_COND", &["MDC_ATTR_EVENT_COND"], EventCondition), // T B
    term(68488, "MDC_ATTR_EVT_SOURCE", &[], Text), // T B
    // Alarms. The names under which a GE gateway sends them with other codes are matched as names.
    term(196616, "MDC_EVT_ALARM", &[], AlarmCondition), // T
    term(68012, "MDC_ATTR_AL_COND", &[], StandingCondition), // B
    term(68480, "MDC_ATTR_ALERT_SOURCE", &[], AlarmSource), // T B E
    term(68481, "MDC_ATTR_EVENT_PHASE", &[], AlarmPhase), // T E
    term(68482, "MDC_ATTR_ALARM_STATE", &[], AlarmState), // T E
    term(68483, "MDC_ATTR_ALARM_INACTIVATION_STATE", &[], Text), // T E
    term(68484, "MDC_ATTR_ALARM_PRIORITY", &[], AlarmPriority), // T
    term(68485, "MDC_ATTR_ALERT_TYPE", &[], Text), // T
    term(68546, "MDC_ATTR_ALARM_TEXT", &["MDC_ATTR_ALERT_TEXT"], AlarmText), // T
];

/// Events that come as values of a condition, with the code that they carry; 0 when only the name was seen.
#[rustfmt::skip]
pub(crate) const EVENTS: &[(u32, &str, Option<PumpEvent>)] = &[
    (197288, "MDC_EVT_PUMP_DELIV_START", Some(PumpEvent::DeliveryStarted)), // T B
    (0, "MDC_EVT_PUMP_DELIV_STOP", Some(PumpEvent::DeliveryStopped)), // T
    (197292, "MDC_EVT_PUMP_DELIV_COMP", Some(PumpEvent::DeliveryCompleted)), // B
    (0, "MDC_EVT_PUMP_PROG_CLEARED", Some(PumpEvent::ProgramCleared)), // T
    (0, "MDC_EVT_PUMP_VOL_COUNTERS_CLEARED", Some(PumpEvent::CountersCleared)), // T
    (0, "MDC_EVT_PATIENT_CHANGE", Some(PumpEvent::PatientChanged)), // T
    (196670, "MDC_EVT_LO", None), // T
    (196940, "MDC_EVT_FLUID_LINE_OCCL", None), // T
    (197218, "MDC_EVT_SYRINGE_BARREL_CAPTURE_FAULT", None), // B
    (197334, "MDC_EVT_VOL_INFUS_NEAR_COMP", None), // B
];

/// The term of an OBX-3, with its alternate triplet: by code, else by name, else by LOINC, else by label.
pub(crate) fn find(identifier: Value<'_>) -> Result<Option<&'static Term>, Cause> {
    let mut other = None;
    for first in [1, 4] {
        let [code, name, system] =
            [0, 1, 2].map(|n| identifier.component(first + n).text().trim().to_owned());
        match system.as_str() {
            "" | "MDC" => match nomenclature(&code, &name)? {
                Some(term) => return Ok(Some(term)),
                None => other = other.or_else(|| named(&code).or_else(|| named(&name))),
            },
            "LN" => other = other.or_else(|| named(&code)),
            // A local system under which a device may still send the name or the label.
            _ => match by_refid(&name) {
                Some(term) => return Ok(Some(term)),
                None => other = other.or_else(|| named(&name)),
            },
        }
    }
    Ok(other)
}

fn nomenclature(code: &str, name: &str) -> Result<Option<&'static Term>, Cause> {
    let by_code = code.parse().ok().filter(|code| *code != 0).and_then(by_code);
    let by_name = by_refid(name).or_else(|| by_refid(code));
    match (by_code, by_name) {
        (Some(term), Some(other)) if term.means != other.means => {
            Err(Cause::TermsDisagree(term.refid, other.refid))
        }
        (Some(term), _) | (None, Some(term)) => Ok(Some(term)),
        (None, None) => Ok(None),
    }
}

pub(crate) fn by_code(code: u32) -> Option<&'static Term> {
    TERMS.iter().find(|term| term.code == code)
}

pub(crate) fn by_refid(name: &str) -> Option<&'static Term> {
    if !name.starts_with("MDC_") {
        return None;
    }
    TERMS.iter().find(|term| term.refid == name).or_else(|| named(name))
}

fn named(name: &str) -> Option<&'static Term> {
    (!name.is_empty()).then(|| TERMS.iter().find(|term| term.also.contains(&name)))?
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hl7::read;

    fn found(obx3: &str) -> String {
        let text = format!("MSH|^~\\&|A\rOBX|1|NM|{obx3}");
        let message = read(&text).expect("message");
        match find(message.segments[1].field(3)) {
            Ok(Some(term)) => term.refid.to_owned(),
            Ok(None) => "nothing".to_owned(),
            Err(cause) => cause.to_string(),
        }
    }

    #[test]
    fn codes_come_before_names_and_names_before_labels() {
        let spo2 = "MDC_PULS_OXIM_SAT_O2";
        for same in [
            "150456^MDC_PULS_OXIM_SAT_O2^MDC",
            "150456^RENAMED_IN_A_LATER_FIRMWARE^MDC",
            "150456",
            "0^MDC_PULS_OXIM_SAT_O2^MDC",
            "99999^MDC_PULS_OXIM_SAT_O2^MDC",
            "^MDC_PULS_OXIM_SAT_O2",
            "MDC_PULS_OXIM_SAT_O2",
            "59408-5^Oxygen saturation^LN^150456^MDC_PULS_OXIM_SAT_O2^MDC",
            "59408-5^Oxygen saturation^LN",
            "x17^anything^99VENDOR^150456^MDC_PULS_OXIM_SAT_O2^MDC",
            "^SpO2",
            " 150456 ^ MDC_PULS_OXIM_SAT_O2 ^MDC",
        ] {
            assert_eq!(found(same), spo2, "{same}");
        }
        for nothing in ["", "150456^local^99VENDOR", "147232^MDC_ECG_TIME_PD_QT_GL^MDC", "150456.1", "sPo2"] {
            assert_eq!(found(nothing), "nothing", "{nothing}");
        }
        assert_eq!(
            found("150021^MDC_PRESS_BLD_NONINV_DIA^MDC"),
            "the code means MDC_PRESS_BLD_NONINV_SYS but the name is MDC_PRESS_BLD_NONINV_DIA"
        );
    }

    #[test]
    fn no_code_and_no_name_stands_twice() {
        for (i, a) in TERMS.iter().enumerate() {
            for b in TERMS.iter().skip(i + 1) {
                assert!(a.code == 0 || a.code != b.code, "{} and {}", a.refid, b.refid);
                assert_ne!(a.refid, b.refid);
                assert!(!a.also.iter().any(|name| b.also.contains(name)), "{} and {}", a.refid, b.refid);
            }
        }
    }
}
