//! Units: MDC code, MDC name or UCUM, with exact conversion within a kind. A unit that is not in the table is
//! refused and never guessed (hazard: kPa read as mmHg, µg as mg).
//!
//! MDC unit codes are 4 × 65536 + term (ISO/IEEE 11073-10101); a unit whose code was not found in a source is
//! known by its name and its UCUM text only. Conversions: UCUM table (mm\[Hg\] = 133.322 Pa, \[lb_av\] =
//! 0.45359237 kg).

use super::terms::Measure;
use crate::hl7::{Cause, Value};
use rust_decimal::Decimal;

/// One unit.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unit {
    /// UCUM, as facts show it.
    pub(crate) ucum: &'static str,
    /// MDC code, 0 when none is known.
    pub(crate) code: u32,
    /// MDC name.
    pub(crate) refid: &'static str,
    /// Other spellings that mean nothing else.
    also: &'static [&'static str],
    measure: Measure,
    zero: Decimal,
    times: Decimal,
    over: Decimal,
}

const fn whole(n: u32) -> Decimal {
    Decimal::from_parts(n, 0, 0, false, 0)
}

const fn unit(
    code: u32,
    refid: &'static str,
    ucum: &'static str,
    also: &'static [&'static str],
    measure: Measure,
    times: u32,
    over: Decimal,
) -> Unit {
    Unit { ucum, code, refid, also, measure, zero: Decimal::ZERO, times: whole(times), over }
}

const ONE: Decimal = Decimal::ONE;
const THOUSAND: Decimal = Decimal::ONE_THOUSAND;

#[rustfmt::skip]
const UNITS: &[Unit] = &[
    unit(266016, "MDC_DIM_MMHG", "mm[Hg]", &["mmHg"], Measure::Pressure, 1, ONE),
    unit(265987, "MDC_DIM_KILO_PASCAL", "kPa", &[], Measure::Pressure, 1, Decimal::from_parts(133_322, 0, 0, false, 6)),
    unit(264864, "MDC_DIM_BEAT_PER_MIN", "{beat}/min", &["{beats}/min", "bpm"], Measure::PerMinute, 1, ONE),
    unit(264928, "MDC_DIM_RESP_PER_MIN", "{breath}/min", &["{breaths}/min", "{resp}/min", "rpm"], Measure::PerMinute, 1, ONE),
    unit(0, "MDC_DIM_PER_MIN", "/min", &["1/min"], Measure::PerMinute, 1, ONE),
    unit(262688, "MDC_DIM_PERCENT", "%", &[], Measure::Percent, 1, ONE),
    unit(262656, "MDC_DIM_DIMLESS", "1", &[], Measure::Bare, 1, ONE),
    unit(268192, "MDC_DIM_DEGC", "Cel", &[], Measure::Temperature, 1, ONE),
    Unit { ucum: "[degF]", code: 266560, refid: "MDC_DIM_FAHR", also: &[], measure: Measure::Temperature,
        zero: whole(32), times: whole(5), over: whole(9) },
    unit(265266, "MDC_DIM_MILLI_L_PER_HR", "mL/h", &["ml/h"], Measure::Flow, 1, ONE),
    unit(0, "MDC_DIM_MILLI_L_PER_MIN", "mL/min", &["ml/min"], Measure::Flow, 60, ONE),
    unit(263762, "MDC_DIM_MILLI_L", "mL", &["ml"], Measure::Volume, 1, ONE),
    unit(0, "MDC_DIM_L", "L", &["l"], Measure::Volume, 1000, ONE),
    unit(263763, "MDC_DIM_MICRO_L", "uL", &["ul"], Measure::Volume, 1, THOUSAND),
    unit(263890, "MDC_DIM_MILLI_G", "mg", &[], Measure::Mass, 1, ONE),
    unit(263891, "MDC_DIM_MICRO_G", "ug", &[], Measure::Mass, 1, THOUSAND),
    unit(0, "MDC_DIM_G", "g", &[], Measure::Mass, 1000, ONE),
    unit(263875, "MDC_DIM_KILO_G", "kg", &[], Measure::Mass, 1_000_000, ONE),
    unit(0, "MDC_DIM_LB", "[lb_av]", &[], Measure::Mass, 45_359_237, Decimal::ONE_HUNDRED),
    unit(264306, "MDC_DIM_MILLI_G_PER_ML", "mg/mL", &["mg/ml", "g/L", "g/l"], Measure::Concentration, 1, ONE),
    unit(264307, "MDC_DIM_MICRO_G_PER_ML", "ug/mL", &["ug/ml", "mg/L", "mg/l"], Measure::Concentration, 1, THOUSAND),
    unit(264320, "MDC_DIM_X_SEC", "s", &[], Measure::Duration, 1, ONE),
    unit(264352, "MDC_DIM_MIN", "min", &[], Measure::Duration, 60, ONE),
    unit(264384, "MDC_DIM_HR", "h", &[], Measure::Duration, 3600, ONE),
    unit(265619, "MDC_DIM_MICRO_G_PER_KG_PER_MIN", "ug/kg/min", &[], Measure::DoseRate, 1, ONE),
    unit(265650, "MDC_DIM_MILLI_G_PER_KG_PER_HR", "mg/kg/h", &[], Measure::DoseRate, 1, ONE),
    unit(265522, "MDC_DIM_MILLI_G_PER_HR", "mg/h", &[], Measure::DoseRate, 1, ONE),
];

impl Unit {
    /// Whether this unit can say how much of `measure` there is.
    pub(crate) fn measures(&self, measure: Measure) -> bool {
        match measure {
            Measure::PercentOrBare => matches!(self.measure, Measure::Percent | Measure::Bare),
            measure => self.measure == measure,
        }
    }

    /// The value in the base unit of its kind; `None` when too large to hold.
    pub(crate) fn in_base(&self, value: Decimal) -> Option<Decimal> {
        value.checked_sub(self.zero)?.checked_mul(self.times)?.checked_div(self.over)
    }
}

/// The unit of an OBX-6, with its alternate triplet. Each triplet that is there must be known, and both must
/// name the same unit. `None` when the field is empty.
pub(crate) fn find(field: Value<'_>) -> Result<Option<&'static Unit>, Cause> {
    let mut found: Option<&'static Unit> = None;
    for first in [1, 4] {
        let [code, name] = [0, 1].map(|n| field.component(first + n).text().trim().to_owned());
        if code.is_empty() && name.is_empty() {
            continue;
        }
        let of_code = by_code(&code).or_else(|| by_text(&code));
        for unit in [of_code, by_text(&name)].into_iter().flatten() {
            match found {
                Some(other) if other != unit => return Err(Cause::UnitsDisagree(other.ucum, unit.ucum)),
                _ => found = Some(unit),
            }
        }
        // A code that is not the one of its name is of some other unit; a number may be one that is not known here.
        let named = by_text(&name).is_some_and(|unit| unit.code > 0 || !is_number(&code));
        let is_another = named && !["", "0"].contains(&code.as_str());
        if of_code.is_none() && (is_another || by_text(&name).is_none()) {
            let shown = if code.is_empty() { name } else { code };
            return Err(Cause::UnknownUnit(shown));
        }
    }
    Ok(found)
}

/// A code of MDC; 0 says that there is none.
fn is_number(code: &str) -> bool {
    code.parse::<u32>().is_ok_and(|code| code > 1)
}

fn by_code(code: &str) -> Option<&'static Unit> {
    let code: u32 = code.parse().ok()?;
    // "1" is UCUM for a bare number and no MDC code.
    (code > 1).then(|| UNITS.iter().find(|unit| unit.code == code))?
}

/// By UCUM or MDC name.
pub(crate) fn by_text(text: &str) -> Option<&'static Unit> {
    let known = |unit: &&Unit| unit.ucum == text || unit.refid == text || unit.also.contains(&text);
    (!text.is_empty()).then(|| UNITS.iter().find(known))?
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hl7::read;

    fn found(obx6: &str) -> String {
        let text = format!("MSH|^~\\&|A\rOBX|1|NM|||1|{obx6}");
        let message = read(&text).expect("message");
        match find(message.segments[1].field(6)) {
            Ok(Some(unit)) => unit.ucum.to_owned(),
            Ok(None) => "none".to_owned(),
            Err(cause) => cause.to_string(),
        }
    }

    #[test]
    fn a_code_that_is_not_the_one_of_its_name_is_no_unit() {
        for other in ["264867^MDC_DIM_BEAT_PER_MIN^MDC", "999999^mm[Hg]^UCUM", "cm[H2O]^mmHg^UCUM"] {
            assert!(found(other).contains(&other[..6]), "{other}: {}", found(other));
        }
        assert_eq!(found("264672^MDC_DIM_PER_MIN^MDC"), "/min", "whose number is not known here");
    }

    #[test]
    fn a_unit_is_read_in_each_way_it_is_sent() {
        for same in [
            "266016^MDC_DIM_MMHG^MDC^mm[Hg]^mm[Hg]^UCUM",
            "266016^MDC_DIM_MMHG^MDC",
            "266016",
            "0^MDC_DIM_MMHG^MDC",
            "mm[Hg]^mm[Hg]^UCUM",
            "mm[Hg]",
            "^mmHg",
            "^^^mm[Hg]^mm[Hg]^UCUM",
        ] {
            assert_eq!(found(same), "mm[Hg]", "{same}");
        }
        assert_eq!(found(""), "none");
    }

    #[test]
    fn unknown_and_contradicting_units_are_refused() {
        for (sent, expected) in [
            ("26601", "unit \"26601\" is not known"),
            ("foo^foo^UCUM", "unit \"foo\" is not known"),
            ("266016^MDC_DIM_MMHG^MDC^foo^foo^UCUM", "unit \"foo\" is not known"),
            ("266016^MDC_DIM_MMHG^MDC^kPa^kPa^UCUM", "the unit says both mm[Hg] and kPa"),
            ("266016^MDC_DIM_KILO_PASCAL^MDC", "the unit says both mm[Hg] and kPa"),
            ("264819", "unit \"264819\" is not known"),
            ("MG", "unit \"MG\" is not known"),
            ("mcg", "unit \"mcg\" is not known"),
            ("0", "unit \"0\" is not known"),
        ] {
            assert_eq!(found(sent), expected, "{sent}");
        }
    }

    #[test]
    fn conversions_are_exact() {
        let base = |value: &str, unit: &str| {
            let value = value.parse().expect("a decimal");
            by_text(unit).expect(unit).in_base(value).expect("fits").normalize().to_string()
        };
        assert_eq!(base("13.3322", "kPa"), "100");
        assert_eq!(base("98.6", "[degF]"), "37");
        assert_eq!(base("0.825", "mg/mL"), "0.825");
        assert_eq!(base("825", "ug/mL"), "0.825");
        assert_eq!(base("20625", "ug"), "20.625");
        assert_eq!(base("82.5", "kg"), "82500000");
        assert_eq!(base("100", "[lb_av]"), "45359237");
        assert_eq!(base("1.25", "mL/min"), "75");
        assert_eq!(base("1", "L"), "1000");
        assert_eq!(base("0.1", "mL"), "0.1");
    }

    #[test]
    fn no_unit_stands_twice() {
        for (i, a) in UNITS.iter().enumerate() {
            for b in UNITS.iter().skip(i + 1) {
                assert!(a.code == 0 || a.code != b.code, "{} and {}", a.ucum, b.ucum);
                assert_ne!(a.ucum, b.ucum);
                assert_ne!(a.refid, b.refid);
            }
        }
    }
}
