//! Values of vital signs that cannot be true, and those that a person who types them is asked about.

use crate::device::{Parameter, Quality, Reading};
use crate::quantity::Tenths;
use rust_decimal::Decimal;
use serde::Deserialize;
use std::collections::BTreeSet;

/// Values outside cannot be true.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlausibleRange {
    /// Of which parameter.
    pub parameter: Parameter,
    /// UCUM unit.
    pub unit: String,
    /// Lowest that may be true.
    pub from: Decimal,
    /// Highest that may be true.
    pub to: Decimal,
    /// Of a patient who is awake and well enough to sit here it is hardly less: a person who types less is asked.
    pub asked_below: Option<Decimal>,
    /// Nor more.
    pub asked_above: Option<Decimal>,
}

/// Which readings cannot be true.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plausibility {
    /// Saturation below this is suspect where no perfusion index came with it, %.
    pub spo2_without_perfusion_below: Decimal,
    /// A person who types a saturation below this lost a digit, %.
    pub spo2_typed_from: Decimal,
    /// So near to ten times or a tenth of the value before, a typed one is asked about, %.
    pub slip_percent: u32,
    /// By parameter.
    #[serde(rename = "range")]
    pub ranges: Vec<PlausibleRange>,
}

impl Plausibility {
    /// The parameters among readings of one message of a device whose value cannot be true.
    pub fn suspect(&self, readings: &[Reading]) -> BTreeSet<Parameter> {
        let mut suspect = self.suspect_by_eye(readings);
        let low = value_of(readings, Parameter::Spo2).is_some_and(|v| v < self.spo2_without_perfusion_below);
        if low && value_of(readings, Parameter::Perfusion).is_none() {
            suspect.insert(Parameter::Spo2);
        }
        suspect
    }

    /// The same for what a person read: a low saturation needs no perfusion index to be believed.
    pub fn suspect_by_eye(&self, readings: &[Reading]) -> BTreeSet<Parameter> {
        self.impossible(|parameter| value_of(readings, parameter))
    }

    /// The parameters whose value cannot be true, whoever read it.
    pub fn impossible(&self, value: impl Fn(Parameter) -> Option<Decimal>) -> BTreeSet<Parameter> {
        let outside = |range: &&PlausibleRange| {
            value(range.parameter).is_some_and(|value| value < range.from || value > range.to)
        };
        let mut suspect: BTreeSet<Parameter> =
            self.ranges.iter().filter(outside).map(|range| range.parameter).collect();
        let pressure = value(Parameter::Systolic).zip(value(Parameter::Diastolic));
        if pressure.is_some_and(|(systolic, diastolic)| systolic <= diastolic) {
            suspect.extend([Parameter::Systolic, Parameter::Diastolic]);
        }
        suspect
    }
}

impl PlausibleRange {
    /// Whether an awake patient may well have it.
    fn expects(&self, value: Decimal) -> bool {
        let [low, high] = self.expected();
        (low..=high).contains(&value)
    }

    fn expected(&self) -> [Decimal; 2] {
        [self.asked_below.unwrap_or(self.from), self.asked_above.unwrap_or(self.to)]
    }

    /// The bounds of what is expected lie within what may be true, in their order.
    pub(super) fn check(&self) -> Result<(), String> {
        let bounds = [Some(self.from), self.asked_below, self.asked_above, Some(self.to)];
        let bounds: Vec<Decimal> = bounds.into_iter().flatten().collect();
        let rising = bounds.is_sorted();
        if rising {
            Ok(())
        } else {
            Err(format!("{}: from, asked_below, asked_above, to", self.parameter.name()))
        }
    }
}

/// What a typed value would be without a slipped point or digit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slip {
    /// Ten times that fits: a point was added, or a digit lost.
    TenTimes(Decimal),
    /// A tenth of that fits: a point was lost, or a digit added.
    Tenth(Decimal),
}

impl Slip {
    const fn meant(self) -> Decimal {
        match self {
            Self::TenTimes(meant) | Self::Tenth(meant) => meant,
        }
    }
}

/// Why a typed value is asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Doubt {
    /// Lowest and highest that an awake patient is expected to have; `None` where the value lies between.
    pub expected: Option<[Decimal; 2]>,
    /// The slip that it looks like.
    pub slip: Option<Slip>,
}

impl Plausibility {
    /// Why a person who types this value is asked to read it again; `before` is the last one known. `None`: nobody asks.
    pub fn doubt(&self, parameter: Parameter, value: Decimal, before: Option<Decimal>) -> Option<Doubt> {
        let range = self.ranges.iter().find(|range| range.parameter == parameter)?;
        // After a value that was itself hardly to be expected, the next one is held against no other.
        let before = before.filter(|before| range.expects(*before) && !value.is_zero());
        let slips = [
            value.checked_mul(Decimal::TEN).map(Slip::TenTimes),
            value.checked_div(Decimal::TEN).map(Slip::Tenth),
        ];
        let mut slips = slips.into_iter().flatten();
        let near = |slip: &Slip| before.is_some_and(|before| self.is_near(slip.meant(), before));
        let from_before = slips.clone().find(near);
        if range.expects(value) {
            return from_before.map(|slip| Doubt { expected: None, slip: Some(slip) });
        }
        let slip = from_before.or_else(|| slips.find(|slip| range.expects(slip.meant())));
        Some(Doubt { expected: Some(range.expected()), slip })
    }

    fn is_near(&self, value: Decimal, before: Decimal) -> bool {
        let apart = value.checked_sub(before).map(|apart| apart.abs());
        let share = before.abs().checked_mul(Decimal::from(self.slip_percent));
        let within = share.and_then(|share| share.checked_div(Decimal::ONE_HUNDRED));
        apart.zip(within).is_some_and(|(apart, within)| apart <= within)
    }
}

fn value_of(readings: &[Reading], parameter: Parameter) -> Option<Decimal> {
    let good = readings.iter().find(|r| r.parameter == parameter && r.quality == Quality::Good);
    good.and_then(|reading| reading.value).map(Tenths::decimal)
}
