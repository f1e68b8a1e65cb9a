//! Vital signs.

use super::row::{Flag, Row};
use super::terms::Means;
use crate::hl7::{Cause, Problem};
use clinic::device::{Parameter, Quality, Reading};
use clinic::quantity::Tenths;
use rust_decimal::Decimal;

/// The readings of a message, in its order. Where one parameter comes from several sources (a pulse from the
/// oximeter and from the cuff), the first choice of the table that has a value counts.
pub(crate) fn readings(rows: &[Row<'_>]) -> Result<Vec<Reading>, Problem> {
    let mut found: Vec<(u8, Reading)> = Vec::new();
    for row in rows {
        if let (Some(Means::Vital(parameter, rank)), true) = (row.means(), is_measured(row)) {
            let reading = reading(row, parameter)?;
            if !found.iter().any(|(_, earlier)| *earlier == reading) {
                found.push((rank, reading));
            }
        }
    }
    let mut readings = Vec::with_capacity(found.len());
    for parameter in Parameter::ALL {
        let of_it = || found.iter().filter(|(_, reading)| reading.parameter == parameter);
        let good =
            of_it().filter(|(_, reading)| reading.quality == Quality::Good).map(|(rank, _)| *rank).min();
        let Some(best) = good.or_else(|| of_it().map(|(rank, _)| *rank).min()) else { continue };
        readings.extend(of_it().filter(|(rank, _)| *rank == best).map(|(_, reading)| reading.clone()));
    }
    contradictions_are_suspect(&mut readings);
    Ok(readings)
}

/// Test values and settings (OBX-17) are no measurements.
fn is_measured(row: &Row<'_>) -> bool {
    let is_set = row.segment.field(17).repetitions().any(|how| how.component(1).raw().contains("SET"));
    row.flag != Flag::Test && !is_set
}

fn reading(row: &Row<'_>, parameter: Parameter) -> Result<Reading, Problem> {
    let value = match row.number()? {
        None => None,
        Some(number) => {
            let too_large = || row.segment.problem(5, Cause::TooLarge(number.to_string()));
            Some((number, Tenths::from_decimal(number).ok_or_else(too_large)?))
        }
    };
    let quality = match value {
        None => Quality::NoValue,
        Some((number, _)) if row.is_usable() && is_possible(parameter, number) => Quality::Good,
        Some(_) => Quality::Suspect,
    };
    Ok(Reading { parameter, value: value.map(|(_, tenths)| tenths), quality, observed_at: row.time })
}

/// What the parameter can be by definition, whatever the patient: a count is not negative, a saturation is a
/// part of a whole. Clinical plausibility is the monitor's business.
fn is_possible(parameter: Parameter, value: Decimal) -> bool {
    match parameter {
        Parameter::Temperature => true,
        Parameter::Spo2 => value >= Decimal::ZERO && value <= Decimal::ONE_HUNDRED,
        _ => value >= Decimal::ZERO,
    }
}

/// Two different values of one parameter at one time: nothing tells which one is the patient's.
fn contradictions_are_suspect(readings: &mut [Reading]) {
    let mut doubted = Vec::new();
    for (i, pair) in readings.windows(2).enumerate() {
        if let [a, b] = pair
            && a.parameter == b.parameter
            && a.observed_at == b.observed_at
            && a.value.is_some()
            && b.value.is_some()
        {
            doubted.extend([i, i + 1]);
        }
    }
    for index in doubted {
        if let Some(reading) = readings.get_mut(index) {
            reading.quality = Quality::Suspect;
        }
    }
}
