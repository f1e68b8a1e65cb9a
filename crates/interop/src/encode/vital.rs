//! Monitor reports.

use super::{Envelope, MARKS, VALUES, container, message, observation, report};
use crate::device::unit;
use crate::hl7::{Row, written};
use clinic::device::{Parameter, Quality, Reading};
use jiff::Timestamp;

/// Where a parameter sits in the monitor: code, unit, part and place within it.
const fn place(parameter: Parameter) -> (u32, &'static str, usize, usize) {
    match parameter {
        Parameter::Systolic => (150021, "MDC_DIM_MMHG", 1, 1),
        Parameter::Diastolic => (150022, "MDC_DIM_MMHG", 1, 2),
        Parameter::MeanPressure => (150023, "MDC_DIM_MMHG", 1, 3),
        Parameter::HeartRate => (147842, "MDC_DIM_BEAT_PER_MIN", 2, 1),
        Parameter::RespiratoryRate => (151562, "MDC_DIM_RESP_PER_MIN", 2, 2),
        Parameter::Spo2 => (150456, "MDC_DIM_PERCENT", 3, 1),
        Parameter::PulseRate => (149530, "MDC_DIM_BEAT_PER_MIN", 3, 2),
        Parameter::Perfusion => (150448, "MDC_DIM_PERCENT", 3, 3),
        Parameter::Etco2 => (151708, "MDC_DIM_MMHG", 4, 1),
        Parameter::Temperature => (150364, "MDC_DIM_DEGC", 5, 1),
    }
}

/// Parts of the monitor that get containers of their own, as (code, name) of part and channel.
const PARTS: &[(usize, [(&str, &str); 2])] = &[
    (1, [("70686", "MDC_DEV_PRESS_BLD_NONINV_VMD"), ("70687", "MDC_DEV_PRESS_BLD_NONINV_CHAN")]),
    (2, [("4262", "MDC_DEV_ECG_VMD"), ("4263", "MDC_DEV_ECG_CHAN")]),
    (3, [("69642", "MDC_DEV_ANALY_SAT_O2_VMD"), ("70771", "MDC_DEV_ANALY_PERF_REL_CHAN")]),
];

/// Vital signs as `ORU^R01`. A reading without a value goes out as not available, a suspect one as questionable.
pub fn monitor(envelope: &Envelope, observed_at: Timestamp, readings: &[Reading]) -> Vec<u8> {
    let what = MARKS.components(&["182777000", "monitoring of patient", "SCT"]);
    let report = report(envelope, &what, Some(observed_at));
    let top = container(1, "69965", "MDC_DEV_MON_PHYSIO_MULTI_PARAM_MDS", "1.0.0.0");
    let mut rows = vec![top.with(18, envelope.device.field())];
    let mut sorted: Vec<&Reading> = readings.iter().collect();
    sorted.sort_by_key(|reading| place(reading.parameter).2);
    let mut opened = 0;
    for reading in sorted {
        let (_, _, part, _) = place(reading.parameter);
        if part != opened {
            opened = part;
            open(&mut rows, part);
        }
        rows.push(row(envelope, rows.len() + 1, reading, observed_at));
    }
    message(envelope, "ORU^R01^ORU_R01", VALUES, report, rows)
}

fn open(rows: &mut Vec<Row>, part: usize) {
    let Some((_, [(code, name), (channel_code, channel)])) = PARTS.iter().find(|known| known.0 == part)
    else {
        return;
    };
    rows.push(container(rows.len() + 1, code, name, &format!("1.{part}.0.0")));
    rows.push(container(rows.len() + 1, channel_code, channel, &format!("1.{part}.1.0")));
}

fn row(envelope: &Envelope, n: usize, reading: &Reading, reported_at: Timestamp) -> Row {
    let (code, unit_name, part, index) = place(reading.parameter);
    let row = observation(n, "NM", code, &format!("1.{part}.1.{index}")).with(6, unit_field(unit_name));
    let row = match reading.observed_at {
        Some(at) if at != reported_at => row.with(14, written(at, envelope.offset)),
        _ => row,
    };
    match (reading.value, reading.quality) {
        (Some(value), Quality::Good) => row.with(5, value.decimal().to_string()).with(11, "R"),
        (Some(value), Quality::Suspect) => {
            row.with(5, value.decimal().to_string()).with(8, "QUES").with(11, "R")
        }
        _ => row.with(8, "NAV").with(11, "X"),
    }
}

/// Code, name and UCUM of a unit.
pub(super) fn unit_field(name: &str) -> String {
    match unit::by_text(name) {
        Some(unit) => {
            MARKS.components(&[&unit.code.to_string(), unit.refid, "MDC", unit.ucum, unit.ucum, "UCUM"])
        }
        None => MARKS.components(&["", name]),
    }
}
