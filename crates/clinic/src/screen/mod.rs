//! Screening: what was asked at the consultation against every rule of who may be treated.
//!
//! [`screen`] gives one verdict, the worst of its findings. What nobody gave is never a pass: it holds and is named in
//! [`Screening::missing`]. The result carries its inputs and the versions of its rules, so that [`replay`] can decide
//! it again years later.

mod baseline;
mod clue;
mod consultation;
pub mod consulting;
mod facts;
pub mod names;
mod read;
mod schema;
mod trials;

pub use baseline::baselines;
pub use consultation::{
    Allergy, Consultation, Dated, Diagnosis, Known, Named, Person, Reading, Said, Sex, Stopped, Taken, Trial,
    TrialKind, Vitals,
};
pub(crate) use facts::is_fact;
pub use read::{Unreadable, read};
pub use schema::schema;
pub use trials::{Trd, resistance};

use crate::gate::{self, Finding, Override, Verdict};
use crate::id::RuleId;
use crate::knowledge::eligibility::{Eligibility, Ground};
use crate::knowledge::profiles::{DEFAULT, Profile};
use crate::knowledge::workup::WorkUp;
use crate::knowledge::{Header, Item, Knowledge};
use clue::{days_between, look};
use facts::{Facts, path_of};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use thiserror::Error;

/// A verdict with everything that it was decided on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Screening {
    /// What was asked, with the day of the screening.
    pub consultation: Consultation,
    /// The profile.
    pub profile: String,
    /// Every item that was asked, with its version.
    pub rules: BTreeMap<RuleId, u32>,
    /// The worst of the findings. What is only worth knowing worsens nothing.
    pub verdict: Verdict,
    /// Failed trials.
    pub trd: Trd,
    /// One a rule that has something to say.
    pub findings: Vec<Finding>,
    /// Paths of what nobody gave; each holds.
    pub missing: BTreeSet<String>,
}

/// A profile that is not in the knowledge.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("there is no profile `{asked}`; accepted is {accepted}")]
pub struct NoProfile {
    /// As asked.
    pub asked: String,
    /// Ids.
    pub accepted: String,
}

/// Screens under a profile. `today` is the day where the consultation names none.
///
/// # Errors
/// A profile that does not exist.
pub fn screen(
    consultation: &Consultation,
    profile: &str,
    today: Date,
    knowledge: &Knowledge,
) -> Result<Screening, NoProfile> {
    let profile = find_profile(profile, knowledge)?;
    let asked = Asked::under(profile, knowledge);
    let on = consultation.on.unwrap_or(today);
    let consultation = Consultation { on: Some(on), ..consultation.clone() };
    let facts = Facts::new(&consultation, knowledge, on);
    let (mut findings, mut missing) = (Vec::new(), BTreeSet::new());
    for (header, rule) in &asked.rules {
        let sight = judge(rule, &facts);
        missing.extend(sight.missing.iter().cloned());
        findings.extend(sight.finding(header, &rule.to_do, rule.overridable_by));
    }
    let (of_medicines, unknown) = medicines(&facts);
    findings.extend(of_medicines);
    missing.extend(unknown);
    for (header, work_up) in &asked.work_up {
        let mut sight = judge_work_up(work_up, &facts);
        // A rule that misses it has said so.
        sight.missing.retain(|path| missing.insert(path.clone()));
        findings.extend(sight.finding(header, &work_up.to_do, Override::Prescriber));
    }
    let found = findings.iter().map(|finding| finding.verdict).max().unwrap_or_default();
    let worst = if missing.is_empty() { found } else { found.max(Verdict::Hold) };
    let verdict = if worst == Verdict::Info { Verdict::Pass } else { worst };
    let trd = trd(&facts);
    let (profile, rules) = (profile.header.id.clone(), asked.versions(profile, knowledge));
    Ok(Screening { consultation, profile, rules, verdict, trd, findings, missing })
}

/// Decides a stored verdict again with the knowledge of today, and says in what it differs: nothing is the same.
pub fn replay(stored: &Screening, knowledge: &Knowledge) -> Vec<String> {
    let today = stored.consultation.on.unwrap_or_default();
    let again = match screen(&stored.consultation, &stored.profile, today, knowledge) {
        Ok(again) => again,
        Err(gone) => return vec![gone.to_string()],
    };
    let mut differs = Vec::new();
    let ids: BTreeSet<&RuleId> = stored.rules.keys().chain(again.rules.keys()).collect();
    for id in ids {
        let (was, is) = (stored.rules.get(id), again.rules.get(id));
        if was != is {
            let told =
                |version: Option<&u32>| version.map_or("not asked".to_owned(), |v| format!("version {v}"));
            differs.push(format!("{}: {}, now {}", printed(id), told(was), told(is)));
        }
    }
    let by_rule = |screening: &Screening| -> BTreeMap<RuleId, Finding> {
        screening.findings.iter().map(|finding| (finding.rule.clone(), finding.clone())).collect()
    };
    let (was, is) = (by_rule(stored), by_rule(&again));
    let ids: BTreeSet<&RuleId> = was.keys().chain(is.keys()).collect();
    for id in ids.into_iter().filter(|id| was.get(*id) != is.get(*id)) {
        let told = |finding: Option<&Finding>| {
            finding.map_or("nothing".to_owned(), |found| format!("{:?} {}", found.verdict, found.reason))
        };
        differs.push(format!("{}: found {}, now {}", printed(id), told(was.get(id)), told(is.get(id))));
    }
    if stored.verdict != again.verdict {
        differs.push(format!("verdict: {:?}, now {:?}", stored.verdict, again.verdict));
    }
    if (stored.trd.count, stored.trd.intolerant) != (again.trd.count, again.trd.intolerant) {
        differs.push(format!("trd: {} failed, now {}", stored.trd.count, again.trd.count));
    }
    if stored.missing != again.missing {
        differs.push("missing: the list differs".to_owned());
    }
    differs
}

/// A rule's id as people and programs read it: `E06`, `D03`.
#[must_use]
pub fn printed(rule: &RuleId) -> String {
    rule.as_str().to_uppercase()
}

/// The id of a profile as people ask for it.
fn profile_id(asked: &str) -> String {
    let id = asked.trim().to_lowercase().replace('-', "_");
    if id == "default" { DEFAULT.to_owned() } else { id }
}

fn find_profile<'k>(asked: &str, knowledge: &'k Knowledge) -> Result<&'k Item<Profile>, NoProfile> {
    knowledge.profiles.get(&profile_id(asked)).ok_or_else(|| {
        let ids: Vec<&str> = knowledge.profiles.iter().map(|item| item.header.id.as_str()).collect();
        NoProfile { asked: asked.to_owned(), accepted: ids.join(", ") }
    })
}

/// The rows that a profile asks.
struct Asked<'k> {
    rules: Vec<(&'k Header, Eligibility)>,
    work_up: Vec<(&'k Header, WorkUp)>,
}

impl<'k> Asked<'k> {
    fn under(profile: &Item<Profile>, knowledge: &'k Knowledge) -> Self {
        let own = profile.header.id.as_str();
        let belongs = |header: &Header| {
            let of = header.profile.replace('-', "_");
            (of == DEFAULT || of == own) && !profile.body.without.contains(&header.id)
        };
        let changes = |id: &str| {
            profile.body.changes.iter().filter(move |change| change.row == *id).collect::<Vec<_>>()
        };
        let rules = knowledge.eligibility.iter().filter(|item| belongs(&item.header)).map(|item| {
            let changed =
                changes(&item.header.id).iter().fold(item.body.clone(), |rule, change| change.of_rule(rule));
            (&item.header, changed)
        });
        let work_up = knowledge.workup.iter().filter(|item| belongs(&item.header)).map(|item| {
            let changed =
                changes(&item.header.id).iter().fold(item.body.clone(), |row, change| change.of_work_up(row));
            (&item.header, changed)
        });
        Self { rules: rules.collect(), work_up: work_up.collect() }
    }

    fn versions(&self, profile: &Item<Profile>, knowledge: &Knowledge) -> BTreeMap<RuleId, u32> {
        let own = self
            .rules
            .iter()
            .map(|(header, _)| *header)
            .chain(self.work_up.iter().map(|(header, _)| *header));
        let drugs = knowledge.interactions.iter().map(|item| &item.header);
        let words = knowledge.asked.iter().map(|item| &item.header);
        let trials = knowledge.resistance.iter().map(|item| &item.header);
        own.chain(drugs)
            .chain(words)
            .chain(trials)
            .chain([&profile.header])
            .map(|header| (RuleId::new(&header.id), header.version))
            .collect()
    }
}

/// What one rule saw, before it is a finding.
#[derive(Default)]
struct Sight {
    verdict: Verdict,
    said: Vec<String>,
    inputs: BTreeMap<String, String>,
    missing: Vec<String>,
}

impl Sight {
    fn miss(&mut self, path: String) {
        if !self.missing.contains(&path) {
            self.missing.push(path);
        }
    }

    /// Misses them where not one of them is known and all are asked here.
    fn miss_all_of(&mut self, facts_of: &[String], facts: &Facts<'_>) {
        if facts_of.iter().any(|fact| facts.get(fact).is_some()) {
            return;
        }
        let paths: Vec<String> = facts_of.iter().filter_map(|fact| facts.missing(fact)).collect();
        if !paths.is_empty() {
            self.miss(paths.join(" or "));
        }
    }

    /// One finding, or none where there is nothing to say. What is missing holds.
    fn finding(self, header: &Header, to_do: &str, by: Override) -> Option<Finding> {
        if self.said.is_empty() && self.missing.is_empty() {
            return None;
        }
        let holds = if self.missing.is_empty() { Verdict::Pass } else { Verdict::Hold };
        let mut reason = format!("{}: {}.", header.title, self.said.join("; "));
        if self.said.is_empty() {
            reason = format!("missing: {}. {}", self.missing.join(", "), header.title);
        } else if !self.missing.is_empty() {
            reason = format!("{reason} missing: {}.", self.missing.join(", "));
        }
        if !self.said.is_empty() {
            reason = format!("{reason} {to_do}");
        }
        let finding = Finding::new(header, self.verdict.max(holds), reason);
        // A hold is a prescriber's, whoever may decide against the stop of the same rule.
        let by = if self.verdict == Verdict::Stop { by } else { Override::Prescriber };
        let missing = self.missing.iter().map(|path| (path.clone(), "missing".to_owned()));
        let inputs = self.inputs.into_iter().chain(missing);
        Some(inputs.fold(finding, |finding, (path, value)| finding.with(&path, value)).only_by(by))
    }
}

fn judge(rule: &Eligibility, facts: &Facts<'_>) -> Sight {
    let mut sight = Sight::default();
    match planned(&rule.regimens, facts) {
        Some(true) => {}
        Some(false) => return sight,
        None => sight.miss("regimen".to_owned()),
    }
    for ground in rule.grounds.iter().filter(|ground| counts(ground, facts)) {
        let seen = look(&ground.clue, facts);
        let of_several = ground.clue.fact().is_some_and(|fact| rule.one_of.iter().any(|one| one == fact));
        if !of_several {
            seen.missing.into_iter().for_each(|path| sight.miss(path));
        }
        if seen.found {
            let verdict = meant(ground, facts, &mut sight);
            sight.verdict = sight.verdict.max(verdict);
            for said in seen.said {
                if !sight.said.contains(&said) {
                    sight.said.push(said);
                }
            }
            sight.inputs.extend(seen.inputs);
        }
    }
    sight.miss_all_of(&rule.one_of, facts);
    sight
}

/// Whether a ground counts here at all.
fn counts(ground: &Ground, facts: &Facts<'_>) -> bool {
    let known_not = |fact: &String| facts.get(fact) == Some(&Known::Yes(false));
    planned(&ground.regimens, facts) == Some(true) && !ground.only_if.as_ref().is_some_and(known_not)
}

/// What a ground that was found means, softened where its `unless` is yes. Not known is no.
fn meant(ground: &Ground, facts: &Facts<'_>, sight: &mut Sight) -> Verdict {
    let Some((fact, softer)) = &ground.unless else { return ground.verdict };
    if planned(&ground.unless_regimens, facts) != Some(true) {
        return ground.verdict;
    }
    match facts.get(fact) {
        Some(Known::Yes(true)) => {
            sight.inputs.insert(path_of(fact).to_owned(), "yes".to_owned());
            *softer
        }
        Some(_) => ground.verdict,
        None => {
            sight.miss(path_of(fact).to_owned());
            ground.verdict
        }
    }
}

/// Whether one of these is planned; `None` while nobody has said what is planned.
fn planned(regimens: &[String], facts: &Facts<'_>) -> Option<bool> {
    if regimens.is_empty() {
        return Some(true);
    }
    facts.consultation.regimen.as_ref().map(|planned| regimens.contains(planned))
}

fn judge_work_up(work_up: &WorkUp, facts: &Facts<'_>) -> Sight {
    let mut sight = Sight::default();
    match planned(&work_up.regimens, facts) {
        Some(true) => {}
        Some(false) => return sight,
        None => sight.miss("regimen".to_owned()),
    }
    if !work_up.whom.is_empty() {
        let seen: Vec<_> = work_up.whom.iter().map(|clue| look(clue, facts)).collect();
        if !seen.iter().any(|seen| seen.found) {
            seen.into_iter().flat_map(|seen| seen.missing).for_each(|path| sight.miss(path));
            return sight;
        }
    }
    for fact in &work_up.facts {
        match facts.get(fact) {
            Some(_) => judge_age(fact, work_up.valid_d, facts, &mut sight),
            None => facts.missing(fact).into_iter().for_each(|path| sight.miss(path)),
        }
    }
    sight.miss_all_of(&work_up.one_of, facts);
    let fresh =
        |fact: &&String| facts.day(fact).is_some_and(|day| days_between(day, facts.on) <= work_up.valid_d);
    if !work_up.one_of.iter().any(|fact| fresh(&fact)) {
        let given = work_up.one_of.iter().filter(|fact| facts.get(fact).is_some());
        given.for_each(|fact| judge_age(fact, work_up.valid_d, facts, &mut sight));
    }
    sight
}

/// A result counts for so many days; without its day it does not count.
fn judge_age(fact: &str, valid_d: i32, facts: &Facts<'_>, sight: &mut Sight) {
    let Some(day) = facts.day(fact) else {
        let of_vitals = fact.starts_with("vitals.") || fact.starts_with("person.");
        return sight.miss(if of_vitals { "vitals.on".to_owned() } else { format!("{}.on", path_of(fact)) });
    };
    let old = days_between(day, facts.on);
    if old > valid_d {
        sight.verdict = sight.verdict.max(Verdict::Hold);
        sight.said.push(format!("{} of {day} is {old} d old, limit {valid_d} d", path_of(fact)));
        sight.inputs.insert(path_of(fact).to_owned(), day.to_string());
    }
}

/// The interactions, with what is missing to judge one. A name that no rule knows may be another name of one that stops:
/// it holds until a prescriber has looked it up.
fn medicines(facts: &Facts<'_>) -> (Vec<Finding>, Vec<String>) {
    let Some((list, unnamed)) = facts.medicines() else { return (Vec::new(), vec!["medicines".to_owned()]) };
    let mut came = gate::medicines(&list, facts.knowledge);
    let coded =
        |one: &Taken| one.rxcui.as_deref().and_then(|code| facts.knowledge.ingredient(code)).is_some();
    let taken = facts.consultation.medicines.iter().flatten().filter(|one| coded(one));
    let beside_code: BTreeSet<&str> = taken.filter_map(|one| one.name.as_deref().map(str::trim)).collect();
    let mut unjudged = gate::unjudged(&list, facts.knowledge);
    // What is named by an ingredient, or stands beside the code of one, was looked up already.
    unjudged.retain(|name| !beside_code.contains(name) && !facts.knowledge.is_ingredient(name));
    let of_list = |one: &&mut Finding| one.rule.as_str() == gate::MEDICINES_GATE;
    for finding in came.assessment.findings.iter_mut().filter(of_list) {
        if unjudged.iter().any(|name| finding.inputs.contains_key(*name)) {
            (finding.verdict, finding.overridable_by) = (Verdict::Hold, Override::Prescriber);
        }
    }
    let missing = came.missing.into_iter().map(|what| format!("medicines: {what}"));
    (came.assessment.findings, unnamed.into_iter().chain(missing).collect())
}

fn trd(facts: &Facts<'_>) -> Trd {
    let trials = facts.consultation.trials.as_deref().unwrap_or_default();
    let rule = facts.knowledge.resistance.iter().next();
    rule.map(|rule| resistance(&rule.body, trials)).unwrap_or_default()
}

/// What one rule says of a consultation of which little is known.
pub(crate) fn try_rule(
    item: &Item<Eligibility>,
    given: &toml::Table,
    all: &Knowledge,
) -> Result<Verdict, String> {
    trying(given, all, |facts| {
        let found = judge(&item.body, facts).finding(&item.header, "", Override::None);
        found.map_or(Verdict::Pass, |finding| finding.verdict)
    })
}

/// What one piece of work-up says of a consultation of which little is known.
pub(crate) fn try_work_up(
    item: &Item<WorkUp>,
    given: &toml::Table,
    all: &Knowledge,
) -> Result<Verdict, String> {
    trying(given, all, |facts| {
        let found = judge_work_up(&item.body, facts).finding(&item.header, "", Override::None);
        found.map_or(Verdict::Pass, |finding| finding.verdict)
    })
}

/// What one row says under a profile.
pub(crate) fn try_profile(
    profile: &Item<Profile>,
    row: &str,
    given: &toml::Table,
    all: &Knowledge,
) -> Result<Verdict, String> {
    let asked = Asked::under(profile, all);
    trying(given, all, |facts| {
        let rule = asked.rules.iter().find(|(header, _)| header.id == *row);
        let work_up = asked.work_up.iter().find(|(header, _)| header.id == *row);
        let found = match (rule, work_up) {
            (Some((header, rule)), _) => judge(rule, facts).finding(header, "", Override::None),
            (None, Some((header, row))) => judge_work_up(row, facts).finding(header, "", Override::None),
            (None, None) => None,
        };
        found.map_or(Verdict::Pass, |finding| finding.verdict)
    })
}

/// The day of the examples in the knowledge.
const DAY_OF_EXAMPLES: Date = jiff::civil::date(2026, 11, 22);

fn trying(
    given: &toml::Table,
    all: &Knowledge,
    judge: impl FnOnce(&Facts<'_>) -> Verdict,
) -> Result<Verdict, String> {
    let mut consultation = Consultation::deserialize(given.clone()).map_err(|error| error.to_string())?;
    read::check(&mut consultation, DAY_OF_EXAMPLES, all).map_err(|wrong| wrong.to_string())?;
    Ok(judge(&Facts::new(&consultation, all, consultation.on.unwrap_or(DAY_OF_EXAMPLES))))
}

#[cfg(test)]
mod laws;
#[cfg(test)]
mod tests;
