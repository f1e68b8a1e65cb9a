//! Pump reports and pump events.

use super::vital::unit_field;
use super::{EVENTS, Envelope, MARKS, VALUES, container, message, observation, report};
use crate::device::terms;
use crate::hl7::Row;
use clinic::device::{PumpEvent, PumpReading, PumpStatus};
use rust_decimal::Decimal;

/// How the pump moves fluid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PumpType {
    /// Large-volume pump with a bag.
    LargeVolume,
    /// Syringe pump.
    Syringe,
}

/// What a pump does, as `ORU^R01`. Fields that are `None` are not sent. OBR-7 is the reading's time.
pub fn pump(envelope: &Envelope, kind: PumpType, reading: &PumpReading) -> Vec<u8> {
    let rows = rows(envelope, kind, reading, None);
    message(envelope, "ORU^R01^ORU_R01", VALUES, drug_report(envelope, reading), rows)
}

/// Something that happened in a pump, with its values then, as `ORU^R42`.
pub fn pump_event(envelope: &Envelope, kind: PumpType, event: PumpEvent, reading: &PumpReading) -> Vec<u8> {
    let rows = rows(envelope, kind, reading, Some(event));
    message(envelope, "ORU^R42^ORU_R01", EVENTS, drug_report(envelope, reading), rows)
}

fn drug_report(envelope: &Envelope, reading: &PumpReading) -> Row {
    // OBR-4 is the drug in reports of infusions.
    let drug = reading.drug.as_deref().unwrap_or("infusion");
    report(envelope, &MARKS.components(&[drug, drug]), reading.observed_at)
}

fn rows(envelope: &Envelope, kind: PumpType, reading: &PumpReading, event: Option<PumpEvent>) -> Vec<Row> {
    let (top, part) = match kind {
        PumpType::LargeVolume => {
            (("70049", "MDC_DEV_PUMP_INFUS_LVP_MDS"), ("70050", "MDC_DEV_PUMP_INFUS_LVP_VMD"))
        }
        PumpType::Syringe => {
            (("70053", "MDC_DEV_PUMP_INFUS_SYRINGE_MDS"), ("70054", "MDC_DEV_PUMP_INFUS_SYRINGE_VMD"))
        }
    };
    let mut rows = vec![container(1, top.0, top.1, "1.0.0.0").with(18, envelope.device.field())];
    if let Some(event) = event {
        rows.push(observation(2, "CWE", 68487, "1.0.0.2").with(5, event_field(event)).with(11, "R"));
    }
    let mut add = |row: &dyn Fn(usize) -> Row| rows.push(row(rows.len() + 1));
    add(&|n| container(n, part.0, part.1, "1.1.0.0"));
    if let Some(library) = &reading.library {
        add(&|n| text(n, 184520, "1.1.0.1", library));
    }
    add(&|n| container(n, "70067", "MDC_DEV_PUMP_DELIVERY_INFO", "1.1.1.0"));
    if let Some(status) = infusing_word(reading.status) {
        add(&|n| word(n, 184519, "1.1.1.1", status));
    }
    if let Some(rate) = reading.rate {
        add(&|n| number(n, 158014, "1.1.1.2", rate.decimal(), "MDC_DIM_MILLI_L_PER_HR"));
    }
    add(&|n| container(n, "70071", "MDC_DEV_PUMP_INFUSATE_SOURCE_PRIMARY", "1.1.2.0"));
    for (code, at, words) in [(184514, 2, &reading.drug), (184516, 4, &reading.care_area)] {
        if let Some(words) = words {
            add(&|n| text(n, code, &format!("1.1.2.{at}"), words));
        }
    }
    for (code, at, value, unit) in numbers(reading) {
        if let Some(value) = value {
            add(&|n| number(n, code, &format!("1.1.2.{at}"), value, unit));
        }
    }
    add(&|n| word(n, 158005, "1.1.2.22", delivery_word(reading.status)));
    rows
}

fn numbers(reading: &PumpReading) -> [(u32, usize, Option<Decimal>, &'static str); 7] {
    const ML: &str = "MDC_DIM_MILLI_L";
    [
        (157784, 5, reading.programmed_rate.map(|rate| rate.decimal()), "MDC_DIM_MILLI_L_PER_HR"),
        (157760, 7, reading.concentration.map(|strength| strength.decimal()), "MDC_DIM_MILLI_G_PER_ML"),
        (157884, 8, reading.vtbi.map(|volume| volume.decimal()), ML),
        (157872, 9, reading.vtbi_remaining.map(|volume| volume.decimal()), ML),
        (157993, 11, reading.delivered.map(|volume| volume.decimal()), ML),
        (158001, 15, reading.delivered_mass.map(|mass| Decimal::from(mass.0)), "MDC_DIM_MICRO_G"),
        (68063, 18, reading.weight.map(|weight| weight.decimal()), "MDC_DIM_KILO_G"),
    ]
}

fn number(n: usize, code: u32, path: &str, value: Decimal, unit: &str) -> Row {
    observation(n, "NM", code, path).with(5, value.to_string()).with(6, unit_field(unit)).with(11, "R")
}

fn text(n: usize, code: u32, path: &str, words: &str) -> Row {
    observation(n, "ST", code, path).with(5, MARKS.text(words)).with(11, "R")
}

fn word(n: usize, code: u32, path: &str, word: &str) -> Row {
    observation(n, "CWE", code, path).with(5, MARKS.components(&["", word])).with(11, "R")
}

fn event_field(event: PumpEvent) -> String {
    let known = terms::EVENTS.iter().find(|known| known.2 == Some(event));
    let (code, name) = known.map_or((0, ""), |known| (known.0, known.1));
    MARKS.components(&[&code.to_string(), name, "MDC"])
}

/// A pump that changes state says so in its delivery status alone.
fn infusing_word(status: PumpStatus) -> Option<&'static str> {
    match status {
        PumpStatus::Infusing | PumpStatus::KeepVeinOpen => Some("pump-status-infusing"),
        PumpStatus::NotInfusing => Some("pump-status-not-infusing"),
        PumpStatus::Unknown => None,
    }
}

fn delivery_word(status: PumpStatus) -> &'static str {
    match status {
        PumpStatus::Infusing => "pump-delivery-status-delivering",
        PumpStatus::NotInfusing => "pump-delivery-status-not-delivering",
        PumpStatus::KeepVeinOpen => "pump-delivery-status-kvo",
        PumpStatus::Unknown => "pump-delivery-status-transitioning",
    }
}
