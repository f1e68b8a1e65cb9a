//! `chairside course advise`: what the rules suggest for one patient, and what many infusions ask to be watched.

use super::{findings_json, unreadable};
use crate::cli::Answer;
use clinic::course::advice::{
    Advice, AtThisDose, FirstDose, InMaintenance, Series, first_dose, futility, maintenance, next_dose,
};
use clinic::course::exposure::{
    Exposure, Known, Pressures, checks, ledger, misuse, pressure_drift, review, tolerance,
};
use clinic::dose::parse::Unreadable;
use clinic::knowledge::Knowledge;
use clinic::knowledge::long_term::LongTerm;
use clinic::quantity::plain;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

const LARGEST_BYTES: u64 = 4 << 20;

/// A file with what is known.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// JSON: `on`, and any of `first_dose`, `last_dose`, `series`, `maintenance`, `given`, `checks`, `signals`, `systolic`
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

/// What is known of a patient on a day. What is not there is not asked.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    /// The day of the next infusion.
    on: Date,
    first_dose: Option<FirstDose>,
    last_dose: Option<AtThisDose>,
    series: Option<Series>,
    maintenance: Option<InMaintenance>,
    /// Every infusion, here and elsewhere.
    given: Option<Vec<Exposure>>,
    /// By the id of the check.
    #[serde(default)]
    checks: BTreeMap<String, Known>,
    /// By the id of the sign.
    signals: Option<BTreeMap<String, bool>>,
    /// Before each infusion, by day.
    systolic: Option<Pressures>,
}

pub(super) fn answer(args: &Args, knowledge: &Knowledge) -> Answer {
    let told = read(&args.file).and_then(|asked| {
        asked.refuse_unknown(&args.file, knowledge)?;
        Ok(format!("{:#}\n", asked.told(knowledge)))
    });
    match told {
        Ok(out) => Answer::done(out),
        Err(wrong) => Answer::unreadable(wrong),
    }
}

fn wrong(file: &Path, why: &str) -> Unreadable {
    unreadable("FILE", &file.display().to_string(), why, "a JSON file, see `chairside course advise --help`")
}

fn read(file: &Path) -> Result<Asked, Unreadable> {
    let size = std::fs::metadata(file).map_err(|cause| wrong(file, &cause.to_string()))?.len();
    if size > LARGEST_BYTES {
        return Err(wrong(file, &format!("it has {size} bytes, the limit is {LARGEST_BYTES}")));
    }
    let text = std::fs::read_to_string(file).map_err(|cause| wrong(file, &cause.to_string()))?;
    serde_json::from_str(&text).map_err(|cause| wrong(file, &cause.to_string()))
}

impl Asked {
    /// A misspelt check would pass for one that was never made, and a day to come for one that was.
    fn refuse_unknown(&self, file: &Path, knowledge: &Knowledge) -> Result<(), Unreadable> {
        let mut known = BTreeSet::new();
        let mut signs = BTreeSet::new();
        for item in knowledge.long_term.iter() {
            match &item.body {
                LongTerm::Check(_) => {
                    known.insert(item.header.id.as_str());
                }
                LongTerm::Signals(signals) => {
                    signs.extend(signals.signals.iter().map(|sign| sign.id.as_str()))
                }
                LongTerm::Review(_) | LongTerm::Drift(_) | LongTerm::Tolerance(_) => {}
            }
        }
        let list = |ids: &BTreeSet<&str>| ids.iter().copied().collect::<Vec<_>>().join(", ");
        if let Some(id) = self.checks.keys().find(|id| !known.contains(id.as_str())) {
            return Err(wrong(file, &format!("`checks` names `{id}`; known are {}", list(&known))));
        }
        if let Some(id) =
            self.signals.iter().flatten().map(|(id, _)| id).find(|id| !signs.contains(id.as_str()))
        {
            return Err(wrong(file, &format!("`signals` names `{id}`; known are {}", list(&signs))));
        }
        if let Some((name, score, [lowest, highest])) = self.impossible_score(knowledge) {
            let (score, lowest, highest) = (plain(score), plain(lowest), plain(highest));
            return Err(wrong(
                file,
                &format!("`maintenance`: {name} is {score}; a PHQ-9 is {lowest} to {highest}"),
            ));
        }
        let done = self.checks.values().filter_map(|check| check.last_done);
        let mut days = self.given.iter().flatten().map(|one| one.on).chain(done);
        match days.find(|day| *day > self.on) {
            Some(day) => Err(wrong(file, &format!("{day} is after the day that is asked for, {}", self.on))),
            None => Ok(()),
        }
    }

    /// A score of the maintenance visit that the PHQ-9 does not have.
    fn impossible_score(&self, knowledge: &Knowledge) -> Option<(&'static str, Decimal, [Decimal; 2])> {
        let at = self.maintenance.as_ref()?;
        let [lowest, highest] = knowledge.scale("phq9")?.body.total?;
        let scores = [("baseline", at.baseline), ("last", at.visit.last), ("now", at.visit.now)];
        let known = scores.into_iter().filter_map(|(name, score)| Some((name, score?)));
        let beyond = known.filter(|(_, score)| *score < lowest || *score > highest);
        beyond.map(|(name, score)| (name, score, [lowest, highest])).next()
    }

    fn told(&self, knowledge: &Knowledge) -> Value {
        let mut told = json!({ "on": self.on.to_string(), "advice": self.advice(knowledge) });
        if let Some(given) = &self.given {
            told["ledger"] = json!(ledger(given, self.on));
            told["review"] = json!(findings_json(&review(given, self.on, knowledge).findings));
            told["tolerance"] = json!(findings_json(&tolerance(given, knowledge).findings));
            told["checks"] = json!(findings_json(&checks(given, self.on, &self.checks, knowledge).findings));
        }
        if let Some(signals) = &self.signals {
            told["misuse"] = json!(findings_json(&misuse(signals, knowledge).findings));
        }
        if let Some(systolic) = &self.systolic {
            told["pressure"] = json!(findings_json(&pressure_drift(systolic, self.on, knowledge).findings));
        }
        told
    }

    fn advice(&self, knowledge: &Knowledge) -> Vec<Advice> {
        let mut advice = Vec::new();
        advice.extend(self.first_dose.map(|patient| first_dose(&patient, knowledge)));
        advice.extend(self.last_dose.as_ref().and_then(|went| next_dose(went, knowledge)));
        advice.extend(self.series.map(|series| futility(&series, knowledge)));
        advice.extend(self.maintenance.iter().flat_map(|at| maintenance(at, knowledge)));
        advice
    }
}
