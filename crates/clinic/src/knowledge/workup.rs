//! `knowledge/workup/`: what has to be known before a course opens, of whom, and for how long it counts.

use super::eligibility::{Clue, check_fact, check_regimens};
use super::{Body, Item, Knowledge};
use crate::gate::Verdict;
use crate::screen;
use serde::Deserialize;

/// One thing that has to be known.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorkUp {
    /// What to do when it is missing or too old.
    pub to_do: String,
    /// Counts for so many days; 0 is the same day.
    pub valid_d: i32,
    /// Facts, each needed.
    #[serde(default)]
    pub facts: Vec<String>,
    /// Facts of which one is enough.
    #[serde(default)]
    pub one_of: Vec<String>,
    /// Asked only where one of these is planned; empty is always.
    #[serde(default)]
    pub regimens: Vec<String>,
    /// Whom it is asked of: where one of these is found. Empty is everybody.
    #[serde(default)]
    pub whom: Vec<Clue>,
}

impl WorkUp {
    /// Whether that fact is asked for.
    pub fn asks_for(&self, fact: &str) -> bool {
        self.facts.iter().chain(&self.one_of).any(|asked| asked == fact)
    }
}

/// A consultation of which little is known, and what is then missing or too old.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Example {
    /// What is known; the date is filled in.
    pub given: toml::Table,
    /// Whether that is enough.
    pub verdict: Verdict,
}

impl Body for WorkUp {
    const FOLDER: &'static str = "workup";
    type Example = Example;

    fn check(item: &Item<Self>, all: &Knowledge) -> Result<(), String> {
        let work_up = &item.body;
        if work_up.facts.is_empty() && work_up.one_of.is_empty() {
            return Err("asks for nothing".to_owned());
        }
        check_regimens(&work_up.regimens, all)?;
        work_up.whom.iter().try_for_each(|clue| clue.check(all))?;
        work_up.facts.iter().chain(&work_up.one_of).try_for_each(|fact| check_fact(fact, all))
    }

    fn prove(item: &Item<Self>, example: &Example, all: &Knowledge) -> Result<(), String> {
        let came = screen::try_work_up(item, &example.given, all)?;
        if came == example.verdict {
            Ok(())
        } else {
            Err(format!("expected {:?}, came {came:?}", example.verdict))
        }
    }
}
