//! The consultation of one patient as it goes on: recorded section by section, screened, decided on. Stream
//! `consultation/<patient>`.

#![expect(missing_docs, reason = "the fields of a variant are words of its own sentence")]

use super::{
    Allergy, Consultation, Dated, Known, NoProfile, Person, Screening, Sex, printed, profile_id, screen,
};
use crate::gate::{Finding, MEDICINES_GATE, Override, Verdict};
use crate::id::RuleId;
use crate::knowledge::Knowledge;
use crate::patient::{Allergies, Patient};
use crate::session;
use crate::staff::{Actor, Role, Signature};
use crate::text::is_reason;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use thiserror::Error;

/// Longest reason.
const REASON_LONGEST: usize = 2_000;

/// What is asked together and recorded together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Section {
    /// The regimen that is planned.
    Plan,
    /// Problem list.
    Diagnoses,
    /// What was tried before.
    Trials,
    /// What is taken.
    Medicines,
    /// Questions, answered yes, no or unknown.
    History,
    /// Vital signs, weight and height.
    Vitals,
    /// Laboratory, and what was done on which day.
    WorkUp,
    /// Totals of rating scales.
    Scales,
}

impl Section {
    /// Each, in the order in which they are asked.
    pub const ALL: [Self; 8] = [
        Self::Plan,
        Self::Diagnoses,
        Self::Trials,
        Self::Medicines,
        Self::History,
        Self::Vitals,
        Self::WorkUp,
        Self::Scales,
    ];

    /// As addresses know it.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Plan => "plan",
            Self::Diagnoses => "diagnoses",
            Self::Trials => "trials",
            Self::Medicines => "medicines",
            Self::History => "history",
            Self::Vitals => "vitals",
            Self::WorkUp => "work-up",
            Self::Scales => "scales",
        }
    }

    /// As a person reads it.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Plan => "What is planned",
            Self::Diagnoses => "Diagnoses",
            Self::Trials => "What was tried before",
            Self::Medicines => "Medicines",
            Self::History => "History",
            Self::Vitals => "Vital signs",
            Self::WorkUp => "Work-up",
            Self::Scales => "Scales",
        }
    }

    /// Where something that is missing is asked, by its path; `None` for what the patient's own page asks.
    pub fn asking(path: &str) -> Option<Self> {
        let list = path.split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default();
        match list {
            "regimen" => Some(Self::Plan),
            "diagnoses" => Some(Self::Diagnoses),
            "trials" => Some(Self::Trials),
            "medicines" => Some(Self::Medicines),
            "answers" => Some(Self::History),
            "vitals" => Some(Self::Vitals),
            "labs" | "workup" => Some(Self::WorkUp),
            "scales" => Some(Self::Scales),
            "person" if path.contains("weight") || path.contains("height") => Some(Self::Vitals),
            _ => None,
        }
    }

    /// Only what belongs to the section.
    #[must_use]
    pub fn of(self, said: &Consultation) -> Consultation {
        let mut alone = Consultation::default();
        self.put(&mut alone, said);
        alone
    }

    /// What the section says takes the place of what it said before.
    fn put(self, into: &mut Consultation, from: &Consultation) {
        match self {
            Self::Plan => into.regimen.clone_from(&from.regimen),
            Self::Diagnoses => into.diagnoses.clone_from(&from.diagnoses),
            Self::Trials => into.trials.clone_from(&from.trials),
            Self::Medicines => into.medicines.clone_from(&from.medicines),
            Self::History => into.answers.clone_from(&from.answers),
            Self::Vitals => {
                into.vitals.clone_from(&from.vitals);
                into.person.weight_kg = from.person.weight_kg;
                into.person.height_cm = from.person.height_cm;
            }
            Self::WorkUp => {
                into.labs.clone_from(&from.labs);
                into.workup.clone_from(&from.workup);
            }
            Self::Scales => into.scales.clone_from(&from.scales),
        }
    }
}

/// What a person does at a consultation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Records a section; `read` is its version that was on the screen.
    Record { section: Section, said: Box<Consultation>, read: i64 },
    /// Screens what is recorded.
    Screen { patient: Box<Patient>, profile: String, today: Date },
    /// A prescriber decides against what holds; `screened` is the verdict that was on the screen.
    Decide { patient: Box<Patient>, screened: i64, reason: String, signature: Signature },
}

/// What can happen at a consultation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Event {
    /// A section was recorded; `said` holds that section and nothing else.
    SectionRecorded { section: Section, said: Box<Consultation> },
    /// A verdict, with everything that it was decided on.
    Screened { screening: Box<Screening> },
    /// A prescriber decided against the findings of these rules.
    HoldsDecided { screened: i64, rules: BTreeSet<RuleId>, reason: String, signature: Signature },
}

impl Event {
    /// This is what that command asked for: the same form, sent again, says nothing new.
    pub fn answers(&self, asked: &Command) -> bool {
        match (self, asked) {
            (Self::SectionRecorded { section, said }, Command::Record { section: again, said: now, .. }) => {
                section == again && **said == again.of(now)
            }
            (Self::Screened { screening }, Command::Screen { profile, today, .. }) => {
                screening.profile == profile_id(profile) && screening.consultation.on == Some(*today)
            }
            (
                Self::HoldsDecided { screened, reason, signature, .. },
                Command::Decide { screened: verdict, reason: why, signature: by, .. },
            ) => screened == verdict && reason == why.trim() && signature.by == by.by,
            _ => false,
        }
    }
}

/// Why nothing was recorded.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refusal {
    #[error("To {doing} needs a {needs}; you are {role}.")]
    NotAllowed { doing: &'static str, needs: &'static str, role: &'static str },
    #[error(
        "Somebody recorded “{section}” while you worked. What is recorded now stands below, and what you typed in \
         the form: put them together and save again."
    )]
    ChangedMeanwhile { section: &'static str },
    #[error(transparent)]
    NoProfile(#[from] NoProfile),
    #[error("{told}")]
    MedicinesDiffer { told: String },
    #[error("There is no verdict to decide on. Screen first.")]
    NotScreened,
    #[error("It was screened again since you looked. Read the new verdict first.")]
    ScreenedAgain,
    #[error("What was asked has changed since it was screened. Screen again first.")]
    ChangedSince,
    #[error("Not asked yet: {missing}. Ask it, then screen again.")]
    StillMissing { missing: String },
    #[error("Nothing holds, so there is nothing to decide.")]
    NothingHolds,
    #[error("{rule}: {reason} {who} may decide against it here.")]
    MayNot { rule: String, reason: String, who: &'static str },
    #[error("Say why, in words: at least three letters and at most {REASON_LONGEST} characters.")]
    NoReason,
}

impl Refusal {
    /// The form field that the words belong to; empty for the whole form.
    pub const fn field(&self) -> &'static str {
        match self {
            Self::NoProfile(_) => "profile",
            Self::NoReason => "reason",
            _ => "",
        }
    }

    /// Somebody else was faster.
    pub const fn is_conflict(&self) -> bool {
        matches!(self, Self::ChangedMeanwhile { .. } | Self::ScreenedAgain)
    }
}

/// What a prescriber decided against a verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    /// Rules whose findings do not hold any more.
    pub rules: BTreeSet<RuleId>,
    /// Why.
    pub reason: String,
    /// Who.
    pub signature: Signature,
}

/// The consultation as its events add up; never stored.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Consulting {
    /// Number of events taken in.
    pub version: i64,
    /// What was asked so far, without what the patient's own page asks.
    pub said: Consultation,
    /// Version at which each section was recorded last.
    pub recorded: BTreeMap<Section, i64>,
    /// The last verdict, and its version.
    pub screened: Option<(i64, Box<Screening>)>,
    /// What was decided against it.
    pub decided: Option<Decided>,
}

impl Consulting {
    /// Takes one event in.
    #[must_use]
    pub fn evolve(mut self, event: &Event) -> Self {
        self.version += 1;
        match event {
            Event::SectionRecorded { section, said } => {
                section.put(&mut self.said, said);
                self.recorded.insert(*section, self.version);
            }
            Event::Screened { screening } => {
                self.screened = Some((self.version, screening.clone()));
                self.decided = None;
            }
            Event::HoldsDecided { rules, reason, signature, .. } => {
                let (rules, reason, signature) = (rules.clone(), reason.clone(), signature.clone());
                self.decided = Some(Decided { rules, reason, signature });
            }
        }
        self
    }

    /// Version of a section; 0 while nobody recorded it.
    pub fn read(&self, section: Section) -> i64 {
        self.recorded.get(&section).copied().unwrap_or_default()
    }

    /// The whole consultation: what was asked here, with what the patient's own page asks.
    pub fn asked(&self, patient: &Patient) -> Consultation {
        let sex = match patient.sex.to_lowercase().as_str() {
            "f" => Some(Sex::F),
            "m" => Some(Sex::M),
            _ => None,
        };
        let allergies = match &patient.allergies {
            Allergies::NotRecorded => None,
            Allergies::NoneKnown => Some(Vec::new()),
            Allergies::Known(which) => Some(which.iter().map(|one| allergy(one)).collect()),
        };
        let person = Person { born: Some(patient.born), sex, ..self.said.person.clone() };
        Consultation { person, allergies, ..self.said.clone() }
    }

    /// The verdict was given on something else than what is asked now.
    pub fn changed_since(&self, patient: &Patient, screening: &Screening) -> bool {
        Consultation { on: screening.consultation.on, ..self.asked(patient) } != screening.consultation
    }

    /// Why no course may open today; empty when one may. Everything was asked, it was screened, and whatever holds was
    /// decided by a prescriber. What has become too old since then holds again.
    pub fn why_not_open(&self, patient: &Patient, today: Date, knowledge: &Knowledge) -> Vec<String> {
        let Some((_, screening)) = &self.screened else { return vec![Refusal::NotScreened.to_string()] };
        if self.changed_since(patient, screening) {
            return vec![Refusal::ChangedSince.to_string()];
        }
        let now = match screen(&self.asked(patient), &screening.profile, today, knowledge) {
            Ok(now) => now,
            Err(gone) => return vec![gone.to_string()],
        };
        let missing = missing(screening).into_iter().chain(missing(&now));
        let mut why: BTreeSet<String> = missing.map(|refusal| refusal.to_string()).collect();
        why.extend(self.undecided(screening).map(told));
        why.extend(new_in(&now, screening));
        why.into_iter().collect()
    }

    /// What stands against an infusion: the stops of the last verdict, the holds that nobody decided, and what was
    /// recorded since that would hold or stop. All is judged for the day of that verdict: nothing holds for having grown
    /// old between two infusions. `None` where nobody screened.
    pub fn against_infusion(&self, patient: &Patient, knowledge: &Knowledge) -> Option<Vec<String>> {
        let (_, screening) = self.screened.as_ref()?;
        let mut why: Vec<String> =
            self.undecided(screening).filter(|one| !only_missing(one)).map(told).collect();
        why.extend(missing(screening).map(|refusal| refusal.to_string()));
        if self.changed_since(patient, screening) {
            let on = screening.consultation.on.unwrap_or_default();
            match screen(&self.asked(patient), &screening.profile, on, knowledge) {
                Ok(now) => why.extend(new_in(&now, screening)),
                Err(gone) => why.push(gone.to_string()),
            }
        }
        Some(why)
    }

    /// What the record says against an infusion where nobody screened, such as an allergy to the drug: what would stop.
    /// What is missing stops nothing.
    pub fn stops(&self, patient: &Patient, today: Date, knowledge: &Knowledge) -> Vec<String> {
        let screening = screen(&self.asked(patient), "default", today, knowledge);
        let found = screening.iter().flat_map(blocking);
        found.filter(|one| one.verdict >= Verdict::Stop && !only_missing(one)).map(told).collect()
    }

    fn undecided<'a>(&'a self, screening: &'a Screening) -> impl Iterator<Item = &'a Finding> {
        let decided = |rule: &RuleId| self.decided.as_ref().is_some_and(|one| one.rules.contains(rule));
        blocking(screening).filter(move |finding| !decided(&finding.rule))
    }

    /// Totals of scales that an entry says otherwise than before, each with its day; `None` where it was taken out.
    pub fn new_totals<'a>(&'a self, event: &'a Event) -> Vec<(&'a String, Option<(Decimal, Date)>)> {
        let Event::SectionRecorded { section: Section::Scales, said } = event else { return Vec::new() };
        let (was, is) = (&self.said.scales.0, &said.scales.0);
        let names: BTreeSet<&String> = was.keys().chain(is.keys()).collect();
        let changed = names.into_iter().filter(|name| was.get(*name) != is.get(*name));
        changed
            .map(|name| match is.get(name) {
                Some(Dated { value: Known::Number(total), on: Some(on), .. }) => (name, Some((*total, *on))),
                _ => (name, None),
            })
            .collect()
    }

    /// What an entry says that a clinician is called for, and its answer: a level of a scale that calls, where it is not
    /// recorded already as of the same day.
    pub fn calls(&self, event: &Event, knowledge: &Knowledge) -> Option<(String, String)> {
        let Event::SectionRecorded { section: Section::Scales, said } = event else { return None };
        let asked = &knowledge.questions()?.scales;
        let calling = said.scales.0.iter().filter_map(|(name, now)| {
            let one = asked.get(name)?;
            let Known::Level(level) = &now.value else { return None };
            let new = self.said.scales.0.get(name) != Some(now);
            (new && one.calls.contains(level)).then(|| (one.ask.clone(), level.clone()))
        });
        let (items, answers): (Vec<String>, Vec<String>) = calling.unzip();
        (!items.is_empty()).then(|| (items.join(", "), answers.join(", ")))
    }
}

/// Refuses what leads to drug in a vein while something stands `against` an infusion. Who does not treat is told that, and
/// no finding.
///
/// # Errors
/// What stands against it, and where it is decided.
pub fn permits(
    command: &session::Command,
    actor: &Actor,
    against: Option<Vec<String>>,
) -> Result<(), session::Refusal> {
    if !command.leads_to_infusion() {
        return Ok(());
    }
    let mut reasons = against.unwrap_or_default();
    if reasons.is_empty() {
        return Ok(());
    }
    if !actor.role.treats() {
        reasons.clear();
    }
    reasons.insert(0, AGAINST.to_owned());
    Err(session::Refusal::Held { reasons })
}

/// What is told first of an infusion that is refused.
pub const AGAINST: &str =
    "The screening stands against an infusion: a clinician decides, or screens again, at the consultation.";

/// What a rule finds now and did not find before.
fn new_in(now: &Screening, before: &Screening) -> Vec<String> {
    // One rule asks of every medicine that no rule knows: each name is a finding of its own.
    let what = |finding: &Finding| {
        let each = finding.rule.as_str() == MEDICINES_GATE;
        (finding.rule.clone(), if each { finding.reason.clone() } else { String::new() })
    };
    let known: BTreeSet<(RuleId, String)> = blocking(before).map(what).collect();
    let new = blocking(now).filter(|finding| !known.contains(&what(finding)));
    new.map(|finding| format!("{} Screen again.", told(finding))).collect()
}

/// It says nothing but that something was not asked, which is told once for all rules.
fn only_missing(finding: &Finding) -> bool {
    !finding.inputs.is_empty() && finding.inputs.values().all(|value| value == "missing")
}

/// The findings that keep a course from opening.
pub fn blocking(screening: &Screening) -> impl Iterator<Item = &Finding> {
    screening.findings.iter().filter(|finding| finding.verdict >= Verdict::Hold)
}

fn told(finding: &Finding) -> String {
    format!("{}: {}", printed(&finding.rule), finding.reason)
}

fn missing(screening: &Screening) -> Option<Refusal> {
    let missing = screening.missing.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
    (!missing.is_empty()).then_some(Refusal::StillMissing { missing })
}

/// Decides about a command.
///
/// # Errors
/// Who may instead, what must come first, or the field that is wrong.
pub fn decide(
    consulting: &Consulting,
    command: Command,
    actor: &Actor,
    knowledge: &Knowledge,
) -> Result<Event, Refusal> {
    if !actor.role.treats() {
        let role = actor.role.title();
        return Err(Refusal::NotAllowed { doing: "consult", needs: "nurse or prescriber", role });
    }
    match command {
        Command::Record { section, said, read } => {
            if consulting.read(section) != read {
                return Err(Refusal::ChangedMeanwhile { section: section.title() });
            }
            Ok(Event::SectionRecorded { section, said: Box::new(section.of(&said)) })
        }
        Command::Screen { patient, profile, today } => {
            let screening = screen(&consulting.asked(&patient), &profile, today, knowledge)?;
            Ok(Event::Screened { screening: Box::new(screening) })
        }
        Command::Decide { patient, screened, reason, signature } => {
            against(consulting, &patient, screened, &reason, signature)
        }
    }
}

fn against(
    consulting: &Consulting,
    patient: &Patient,
    screened: i64,
    reason: &str,
    signature: Signature,
) -> Result<Event, Refusal> {
    if signature.role != Role::Prescriber {
        let (needs, role) = ("prescriber", signature.role.title());
        return Err(Refusal::NotAllowed { doing: "decide against what holds", needs, role });
    }
    let Some((version, screening)) = &consulting.screened else { return Err(Refusal::NotScreened) };
    if *version != screened {
        return Err(Refusal::ScreenedAgain);
    }
    if consulting.changed_since(patient, screening) {
        return Err(Refusal::ChangedSince);
    }
    if let Some(missing) = missing(screening) {
        return Err(missing);
    }
    if let Some(finding) = blocking(screening).find(|one| one.overridable_by != Override::Prescriber) {
        let who =
            if finding.overridable_by == Override::Director { "Only the medical director" } else { "Nobody" };
        let (rule, reason) = (printed(&finding.rule), finding.reason.clone());
        return Err(Refusal::MayNot { rule, reason, who });
    }
    let rules: BTreeSet<RuleId> = blocking(screening).map(|finding| finding.rule.clone()).collect();
    if rules.is_empty() {
        return Err(Refusal::NothingHolds);
    }
    let reason = reason.trim();
    let odd = crate::text::unfit(reason).is_some() || reason.chars().count() > REASON_LONGEST;
    if !is_reason(reason) || odd {
        return Err(Refusal::NoReason);
    }
    Ok(Event::HoldsDecided { screened, rules, reason: reason.to_owned(), signature })
}

fn allergy(substance: &str) -> Allergy {
    Allergy { substance: Some(substance.to_owned()), ..Allergy::default() }
}

#[cfg(test)]
mod tests;
