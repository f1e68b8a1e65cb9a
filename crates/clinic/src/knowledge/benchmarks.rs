//! `knowledge/benchmarks/`: published results, to stand beside a clinic's own. They differ widely between settings, so
//! that no single one of them is a rate to expect.

use super::measure::is_unit;
use super::scales::Condition;
use super::{Body, Item, Knowledge};
use crate::outcome::Share;
use crate::quantity::plain;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde::{Deserialize, Serialize};

/// What was counted or measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// Responded.
    Response,
    /// In remission.
    Remission,
    /// Suicidal ideation less by half, or gone.
    Ideation,
    /// Response still holds.
    Holding,
    /// Relapsed.
    Relapse,
    /// Got worse.
    Worse,
    /// Stopped treatment.
    Stopped,
    /// Had a harm.
    Harm,
    /// Abstinent.
    Abstinent,
    /// Days until a relapse.
    DaysToRelapse,
    /// Infusions, until a response or in a year.
    Infusions,
    /// Change or level of a score.
    Score,
    /// Difference in standard deviations.
    Effect,
    /// Rise of a vital sign.
    VitalRise,
}

/// One published number.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// What.
    pub measure: Measure,
    /// For a person: of what, when.
    pub title: String,
    /// Mean, median or share.
    pub value: Decimal,
    /// UCUM.
    pub unit: String,
    /// Standard deviation, as printed.
    pub sd: Option<Decimal>,
    /// The same in those who had something else.
    pub control: Option<Decimal>,
    /// Scale it was measured on, where it is one of ours.
    pub scale: Option<String>,
}

/// One file of `knowledge/benchmarks/`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Benchmark {
    /// Who and where.
    pub setting: String,
    /// Patients; none where it is not printed.
    pub patients: Option<u32>,
    /// What they had.
    pub regimen: String,
    /// What they were treated for; none for numbers on safety.
    #[serde(default)]
    pub conditions: Vec<Condition>,
    /// What came out.
    #[serde(rename = "line")]
    pub lines: Vec<Line>,
}

/// Where a clinic stands beside a published share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Its whole interval lies below.
    Below,
    /// The published share lies in its interval: no difference can be told.
    Within,
    /// Its whole interval lies above.
    Above,
}

impl Line {
    /// Where a clinic's share stands beside this one; `None` when this is no share.
    pub fn standing(&self, clinic: &Share) -> Option<Standing> {
        let published = (self.unit == "%").then(|| self.value.to_f64()).flatten()? / 100.0;
        Some(if clinic.high < published {
            Standing::Below
        } else if clinic.low > published {
            Standing::Above
        } else {
            Standing::Within
        })
    }
}

impl Knowledge {
    /// Every published line of a measure for a condition, with the study it is from. Show them all: one alone
    /// misleads.
    pub fn published(&self, measure: Measure, condition: Condition) -> Vec<(&Item<Benchmark>, &Line)> {
        let concerned = self.benchmarks.iter().filter(|item| item.body.conditions.contains(&condition));
        concerned
            .flat_map(|item| item.body.lines.iter().map(move |line| (item, line)))
            .filter(|(_, line)| line.measure == measure)
            .collect()
    }
}

/// A clinic's own number beside a line: a share that stands somewhere, or a value that differs by so much.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Example {
    line: usize,
    events: Option<u32>,
    of: Option<u32>,
    stands: Option<Standing>,
    value: Option<Decimal>,
    difference: Option<Decimal>,
}

impl Body for Benchmark {
    const FOLDER: &'static str = "benchmarks";
    type Example = Example;

    fn check(item: &Item<Self>, all: &Knowledge) -> Result<(), String> {
        if item.body.lines.is_empty() {
            return Err("has no line".to_owned());
        }
        for line in &item.body.lines {
            if !is_unit(&line.unit) {
                return Err(format!("`{}` is not a UCUM unit that is known here", line.unit));
            }
            let shares = [Some(line.value), line.control];
            let is_share = |share: &Decimal| (Decimal::ZERO..=Decimal::ONE_HUNDRED).contains(share);
            if line.unit == "%" && !shares.iter().flatten().all(is_share) {
                return Err(format!("{}: {} is no share", line.title, plain(line.value)));
            }
            if let Some(scale) = line.scale.as_ref().filter(|scale| all.scales.get(scale).is_none()) {
                return Err(format!("there is no scale {scale}"));
            }
        }
        Ok(())
    }

    fn prove(item: &Item<Self>, case: &Example, _all: &Knowledge) -> Result<(), String> {
        let lines = &item.body.lines;
        let line = case.line.checked_sub(1).and_then(|at| lines.get(at)).ok_or("there is no such line")?;
        match (case.events.zip(case.of), case.stands, case.value, case.difference) {
            (Some((events, of)), Some(wanted), None, None) => {
                let clinic = Share::of(events, of).ok_or("these counts are no share")?;
                let came = line.standing(&clinic);
                if came == Some(wanted) { Ok(()) } else { Err(format!("expected {wanted:?}, came {came:?}")) }
            }
            (None, None, Some(value), Some(wanted)) => {
                let came = value - line.value;
                let told = || format!("expected a difference of {}, came {}", plain(wanted), plain(came));
                if came == wanted { Ok(()) } else { Err(told()) }
            }
            _ => Err("a case has `events`, `of` and `stands`, or `value` and `difference`".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_single_number_is_a_rate_to_expect() {
        let knowledge = Knowledge::shipped().unwrap_or_else(|error| panic!("{error}"));
        let responses = knowledge.published(Measure::Response, Condition::Mdd);
        let values: Vec<Decimal> = responses.iter().map(|(_, line)| line.value).collect();
        let (low, high) = (values.iter().min().expect("some"), values.iter().max().expect("some"));
        assert!(responses.len() > 8 && *low < 20.into() && *high > 70.into(), "{values:?}");
    }

    #[test]
    fn a_clinic_stands_within_when_its_interval_holds_the_line() {
        let knowledge = Knowledge::shipped().unwrap_or_else(|error| panic!("{error}"));
        let (_, line) = knowledge.published(Measure::Response, Condition::Mdd)[0];
        let published = (line.value / Decimal::ONE_HUNDRED).to_f64().expect("a share");
        for events in 0..=60 {
            let clinic = Share::of(events, 60).expect("a share");
            let holds = clinic.low <= published && published <= clinic.high;
            assert_eq!(line.standing(&clinic) == Some(Standing::Within), holds, "{events}");
        }
    }
}
