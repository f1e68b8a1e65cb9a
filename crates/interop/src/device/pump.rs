//! Pump reports. A pump may have several sources; the one that it calls active counts, and where it does not
//! say, two different values are a refusal.

use super::row::Row;
use super::terms::{Means, PumpField};
use crate::hl7::{Cause, Problem};
use clinic::device::{PumpReading, PumpStatus};
use clinic::quantity::{Concentration, Micrograms, Microlitres, Rate, Weight};
use rust_decimal::Decimal;

/// What the pump reports; `None` when the message has nothing of a pump.
pub(crate) fn reading(rows: &[Row<'_>]) -> Result<Option<PumpReading>, Problem> {
    let values = Values::of(rows)?;
    if values.found.is_empty() {
        return Ok(None);
    }
    let (name, version) = (values.text(PumpField::LibraryName)?, values.text(PumpField::LibraryVersion)?);
    let library: Vec<String> = [name, version].into_iter().flatten().collect();
    // A pump sends weights in kg and masses in mg; the base unit of both is mg.
    let kilograms = |mg: Decimal| Weight::from_decimal(mg.checked_div(Decimal::from(1_000_000))?);
    Ok(Some(PumpReading {
        status: status(values.text(PumpField::InfusingStatus)?, values.text(PumpField::DeliveryStatus)?),
        rate: values.amount(PumpField::CurrentRate, Rate::from_decimal)?,
        programmed_rate: values.amount(PumpField::ProgrammedRate, Rate::from_decimal)?,
        vtbi: values.amount(PumpField::Vtbi, Microlitres::from_decimal)?,
        vtbi_remaining: values.amount(PumpField::VtbiRemaining, Microlitres::from_decimal)?,
        delivered: values.amount(PumpField::Delivered, Microlitres::from_decimal)?,
        delivered_mass: values.amount(PumpField::DeliveredMass, Micrograms::from_decimal)?,
        concentration: values.amount(PumpField::Concentration, Concentration::from_decimal)?,
        drug: values.text(PumpField::Drug)?,
        weight: values.amount(PumpField::Weight, kilograms)?,
        library: (!library.is_empty()).then(|| library.join(" ")),
        care_area: values.text(PumpField::CareArea)?,
        observed_at: values.observed_at(),
    }))
}

/// Words in the names of channels.
const SOURCES: [&str; 2] = ["PRIMARY", "SECONDARY"];

struct Values<'r, 'a> {
    found: Vec<(PumpField, &'r Row<'a>)>,
}

impl<'r, 'a> Values<'r, 'a> {
    /// All values of the pump as a whole and of its active source.
    fn of(rows: &'r [Row<'a>]) -> Result<Self, Problem> {
        let mut values = Self { found: Vec::new() };
        for row in rows {
            if let Some(Means::Pump(field)) = row.means() {
                // A value that does not count still has to be readable.
                row.number()?;
                values.found.push((field, row));
            }
        }
        // `pump-source-info-primary` names the channel MDC_DEV_PUMP_INFUSATE_SOURCE_PRIMARY.
        let named = values.usable(PumpField::ActiveSources).find_map(Row::word);
        let named = named.map(|words| words.to_ascii_uppercase());
        let active =
            SOURCES.into_iter().find(|source| named.as_ref().is_some_and(|words| words.ends_with(source)));
        let of_source = |row: &Row<'_>, source: &str| row.is_usable() && row.channel.contains(source);
        match active {
            Some(active) => {
                let elsewhere =
                    |row: &Row<'_>| SOURCES.iter().any(|s| *s != active && row.channel.contains(s));
                values.found.retain(|(_, row)| !elsewhere(row));
            }
            None if SOURCES
                .iter()
                .all(|source| values.found.iter().any(|(_, row)| of_source(row, source))) =>
            {
                let last = values.found.last().map(|(_, row)| row.segment.problem(0, Cause::TwoSources));
                return Err(last.unwrap_or_else(|| Cause::TwoSources.into()));
            }
            None => {}
        }
        Ok(values)
    }

    fn usable(&self, wanted: PumpField) -> impl Iterator<Item = &'r Row<'a>> {
        self.found.iter().filter(move |(field, row)| *field == wanted && row.is_usable()).map(|(_, row)| *row)
    }

    /// The one value of a field.
    fn only<T: PartialEq>(
        &self,
        field: PumpField,
        read: impl Fn(&Row<'a>) -> Result<Option<T>, Problem>,
    ) -> Result<Option<T>, Problem> {
        let mut chosen: Option<T> = None;
        for row in self.usable(field) {
            let Some(value) = read(row)? else { continue };
            match &chosen {
                Some(first) if *first != value => {
                    let name = row.term.map_or("a pump value", |term| term.refid);
                    return Err(row.segment.problem(5, Cause::TwoValues(name)));
                }
                _ => chosen = Some(value),
            }
        }
        Ok(chosen)
    }

    fn text(&self, field: PumpField) -> Result<Option<String>, Problem> {
        self.only(field, |row| Ok(row.word()))
    }

    fn amount<T: PartialEq>(
        &self,
        field: PumpField,
        hold: impl Fn(Decimal) -> Option<T>,
    ) -> Result<Option<T>, Problem> {
        self.only(field, |row| match row.number()? {
            None => Ok(None),
            Some(number) if number < Decimal::ZERO => {
                Err(row.segment.problem(5, Cause::Negative(number.to_string())))
            }
            Some(number) => hold(number)
                .map(Some)
                .ok_or_else(|| row.segment.problem(5, Cause::TooLarge(number.to_string()))),
        })
    }

    fn observed_at(&self) -> Option<jiff::Timestamp> {
        let of = |field| self.usable(field).find_map(|row| row.time);
        of(PumpField::CurrentRate)
            .or_else(|| of(PumpField::InfusingStatus))
            .or_else(|| self.found.iter().find_map(|(_, row)| row.time))
    }
}

/// Both words together: a pump that says "infusing" and "not delivering" at once has not said what it does.
fn status(infusing: Option<String>, delivery: Option<String>) -> PumpStatus {
    let read = |text: String| {
        let text = text.to_ascii_lowercase().replace('_', "-");
        match text.trim_start_matches("pump-status-").trim_start_matches("pump-delivery-status-") {
            "infusing" | "delivering" => PumpStatus::Infusing,
            "not-infusing" | "not-delivering" | "paused" | "ready" | "standby" => PumpStatus::NotInfusing,
            "kvo" => PumpStatus::KeepVeinOpen,
            _ => PumpStatus::Unknown,
        }
    };
    match (infusing.map(read), delivery.map(read)) {
        (Some(PumpStatus::Infusing), Some(PumpStatus::KeepVeinOpen)) => PumpStatus::KeepVeinOpen,
        (Some(PumpStatus::KeepVeinOpen), Some(PumpStatus::Infusing)) => PumpStatus::KeepVeinOpen,
        (Some(a), Some(b)) if a != b => PumpStatus::Unknown,
        (Some(one), _) | (None, Some(one)) => one,
        (None, None) => PumpStatus::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_words_that_differ_are_no_status() {
        use PumpStatus::{Infusing, KeepVeinOpen, NotInfusing, Unknown};
        for (infusing, delivery, expected) in [
            ("pump-status-infusing", "pump-delivery-status-delivering", Infusing),
            ("pump-status-infusing", "", Infusing),
            ("", "pump-delivery-status-delivering", Infusing),
            ("pump-status-not-infusing", "pump-delivery-status-not-delivering", NotInfusing),
            ("pump-status-paused", "", NotInfusing),
            ("pump-status-infusing", "pump-delivery-status-kvo", KeepVeinOpen),
            ("pump-status-kvo", "", KeepVeinOpen),
            ("pump-status-infusing", "pump-delivery-status-not-delivering", Unknown),
            ("pump-status-infusing", "pump-delivery-status-transitioning", Unknown),
            ("pump-status-not-infusing", "pump-delivery-status-kvo", Unknown),
            ("something new", "", Unknown),
            ("", "", Unknown),
        ] {
            let word = |text: &str| (!text.is_empty()).then(|| text.to_owned());
            assert_eq!(status(word(infusing), word(delivery)), expected, "{infusing} / {delivery}");
        }
    }
}
