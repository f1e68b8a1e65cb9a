//! `knowledge/profiles/`: what one clinic, or one published programme, asks differently.

use super::eligibility::{Clue, Eligibility, Means};
use super::workup::WorkUp;
use super::{Body, Item, Knowledge};
use crate::gate::{Override, Verdict};
use crate::screen;
use rust_decimal::Decimal;
use serde::Deserialize;

/// The profile that every item belongs to unless it says otherwise.
pub const DEFAULT: &str = "default_v1";

/// Rows of the default that are left out or changed. Rules of the profile's own are files of `eligibility` and
/// `workup` that name it in their head.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// Rules and work-up that are not asked.
    #[serde(default)]
    pub without: Vec<String>,
    /// Rows that differ.
    #[serde(default, rename = "change")]
    pub changes: Vec<Change>,
}

/// How one row differs.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// The rule, or the piece of work-up.
    pub row: String,
    /// Only its grounds that look at this fact.
    pub fact: Option<String>,
    /// What they mean here.
    pub verdict: Option<Verdict>,
    /// Who may decide against it here.
    pub overridable_by: Option<Override>,
    /// The fact counts from here on,
    pub from: Option<Decimal>,
    /// above it,
    pub above: Option<Decimal>,
    /// or below it.
    pub below: Option<Decimal>,
    /// Failed trials that are needed.
    pub trials: Option<u32>,
    /// The rule is asked for these regimens; empty is always.
    pub regimens: Option<Vec<String>>,
    /// Work-up counts for so many days.
    pub valid_d: Option<i32>,
}

impl Change {
    /// The rule as this profile has it.
    #[must_use]
    pub fn of_rule(&self, mut rule: Eligibility) -> Eligibility {
        let meant = |clue: &Clue| self.fact.is_none() || clue.fact() == self.fact.as_deref();
        for ground in rule.grounds.iter_mut().filter(|ground| meant(&ground.clue)) {
            ground.verdict = self.verdict.unwrap_or(ground.verdict);
            match &mut ground.clue {
                Clue::Fact(_, Means::Number { from, above, below }) if self.moves_limit() => {
                    (*from, *above, *below) = (self.from, self.above, self.below);
                }
                Clue::Trials(needed) => *needed = self.trials.or(*needed),
                _ => {}
            }
        }
        rule.overridable_by = self.overridable_by.unwrap_or(rule.overridable_by);
        rule.regimens = self.regimens.clone().unwrap_or(rule.regimens);
        rule
    }

    /// The work-up as this profile has it.
    #[must_use]
    pub fn of_work_up(&self, mut work_up: WorkUp) -> WorkUp {
        work_up.valid_d = self.valid_d.unwrap_or(work_up.valid_d);
        work_up.regimens = self.regimens.clone().unwrap_or(work_up.regimens);
        work_up
    }

    fn moves_limit(&self) -> bool {
        self.from.is_some() || self.above.is_some() || self.below.is_some()
    }

    fn check(&self, all: &Knowledge) -> Result<(), String> {
        let row = &self.row;
        let same = match (all.eligibility.get(row), all.workup.get(row)) {
            (Some(rule), _) => self.of_rule(rule.body.clone()) == rule.body,
            (None, Some(work_up)) => self.of_work_up(work_up.body.clone()) == work_up.body,
            (None, None) => return Err(format!("there is no rule `{row}`")),
        };
        if self.moves_limit() && self.fact.is_none() {
            return Err(format!("the limit of `{row}` needs the `fact` that it limits"));
        }
        if same { Err(format!("the change of `{row}` changes nothing")) } else { Ok(()) }
    }
}

/// A consultation of which little is known, and what one row of this profile says of it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Example {
    /// What is known; the date is filled in.
    pub given: toml::Table,
    /// The row,
    pub row: String,
    /// and what it finds here.
    pub verdict: Verdict,
}

impl Body for Profile {
    const FOLDER: &'static str = "profiles";
    type Example = Example;

    fn check(item: &Item<Self>, all: &Knowledge) -> Result<(), String> {
        let profile = &item.body;
        let known = |row: &String| all.eligibility.get(row).is_some() || all.workup.get(row).is_some();
        if let Some(row) = profile.without.iter().find(|row| !known(row)) {
            return Err(format!("leaves out `{row}`, which is no rule"));
        }
        profile.changes.iter().try_for_each(|change| change.check(all))
    }

    fn prove(item: &Item<Self>, example: &Example, all: &Knowledge) -> Result<(), String> {
        let came = screen::try_profile(item, &example.row, &example.given, all)?;
        if came == example.verdict {
            Ok(())
        } else {
            Err(format!("`{}`: expected {:?}, came {came:?}", example.row, example.verdict))
        }
    }
}
