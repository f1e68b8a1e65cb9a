//! `knowledge/eligibility/`: who may be treated, as rules that look at a consultation.

use super::{Body, Item, Knowledge};
use crate::gate::{Override, Verdict};
use crate::screen;
use rust_decimal::Decimal;
use serde::Deserialize;

/// What kind of contraindication it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Absolute: no infusion.
    Abs,
    /// Relative: waits for a documented decision.
    Rel,
    /// Caution.
    Cau,
    /// Worth knowing.
    Info,
    /// Sends the patient another way and excludes nobody.
    Route,
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Eligibility {
    /// What kind.
    pub class: Class,
    /// What to do when it finds something.
    pub to_do: String,
    /// Who may decide against its stop. A hold is a prescriber's.
    pub overridable_by: Override,
    /// Asked only where one of these is planned; empty is always.
    #[serde(default)]
    pub regimens: Vec<String>,
    /// Facts of which one is enough.
    #[serde(default)]
    pub one_of: Vec<String>,
    /// What makes it find something; the worst decides.
    #[serde(rename = "ground")]
    pub grounds: Vec<Ground>,
}

/// One thing that makes a rule find something.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "RawGround")]
pub struct Ground {
    /// What is looked for.
    pub clue: Clue,
    /// What it means.
    pub verdict: Verdict,
    /// A fact that softens it where it is yes, and what it means then. Asked only where the clue is there.
    pub unless: Option<(String, Verdict)>,
    /// It softens only where one of these is planned; empty is always.
    pub unless_regimens: Vec<String>,
    /// Counts only where this fact is not no.
    pub only_if: Option<String>,
    /// Counts only where one of these is planned; empty is always.
    pub regimens: Vec<String>,
}

/// What is looked for in a consultation.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "RawGround")]
pub enum Clue {
    /// A diagnosis.
    Diagnosis(Codes),
    /// An allergy to one of these substances, or to one of these RxNorm ingredients.
    Allergy {
        /// Names, lower case.
        substances: Vec<String>,
        /// RxNorm codes.
        rxcui: Vec<String>,
    },
    /// A medicine of which this rule of `knowledge/interactions/` speaks.
    Interaction(String),
    /// A fact with one of these values.
    Fact(String, Means),
    /// Cuff readings.
    Pressures(Pressures),
    /// Fewer adequate failed trials than this; `None` is what the definition of resistance asks for.
    Trials(Option<u32>),
    /// No diagnosis on the list begins with one of these.
    NoDiagnosis(Vec<String>),
    /// No diagnosis on the list belongs to the planned regimen.
    NoIndication,
}

/// Diagnoses by the beginning of their ICD-10-CM code.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Codes {
    /// Beginnings.
    pub prefixes: Vec<String>,
    /// Longer beginnings that do not count.
    pub except: Vec<String>,
    /// Only while current.
    pub now: bool,
    /// Counts from so many days after the onset on. An unknown onset is a recent one.
    pub from_d: Option<i32>,
    /// Counts until so many days after the onset.
    pub below_d: Option<i32>,
}

/// Values of a fact that count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Means {
    /// Yes or no.
    Yes(bool),
    /// A level, such as `high`.
    Level(String),
    /// A number.
    Number {
        /// Counts from here on.
        from: Option<Decimal>,
        /// Counts above it.
        above: Option<Decimal>,
        /// Counts below it.
        below: Option<Decimal>,
    },
}

/// Cuff readings that are too high. One side is enough.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pressures {
    /// mm[Hg].
    pub systolic_from: Decimal,
    /// mm[Hg].
    pub diastolic_from: Decimal,
    /// How many of the last two have to be that high.
    pub of_two: usize,
    /// The two count as two when they are so far apart.
    pub apart_min: i64,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "true, false or a level such as \"high\"")]
enum RawIs {
    Yes(bool),
    Level(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawGround {
    verdict: Option<Verdict>,
    codes: Option<Vec<String>>,
    #[serde(default)]
    except: Vec<String>,
    #[serde(default)]
    now: bool,
    from_d: Option<i32>,
    below_d: Option<i32>,
    allergy: Option<Vec<String>>,
    #[serde(default)]
    rxcui: Vec<String>,
    interaction: Option<String>,
    fact: Option<String>,
    is: Option<RawIs>,
    from: Option<Decimal>,
    above: Option<Decimal>,
    below: Option<Decimal>,
    pressures: Option<Pressures>,
    trials: Option<RawTrials>,
    no_code: Option<Vec<String>>,
    #[serde(default)]
    no_indication: bool,
    unless: Option<String>,
    #[serde(default)]
    unless_regimens: Vec<String>,
    only_if: Option<String>,
    then: Option<Verdict>,
    #[serde(default)]
    regimens: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTrials {
    fewer_than: Option<u32>,
}

impl TryFrom<RawGround> for Clue {
    type Error = String;

    fn try_from(raw: RawGround) -> Result<Self, String> {
        let means = match (raw.is, raw.from, raw.above, raw.below) {
            (Some(RawIs::Yes(yes)), None, None, None) => Some(Means::Yes(yes)),
            (Some(RawIs::Level(level)), None, None, None) => Some(Means::Level(level)),
            (None, None, None, None) => None,
            (None, from, above, below) => Some(Means::Number { from, above, below }),
            (Some(_), ..) => return Err("a fact is yes, no or a level, or a number with limits".to_owned()),
        };
        let dotless = |codes: Vec<String>| codes.iter().map(|code| code.replace('.', "")).collect();
        let codes = raw.codes.map(|codes| {
            let (prefixes, except) = (dotless(codes), dotless(raw.except));
            Self::Diagnosis(Codes {
                prefixes,
                except,
                now: raw.now,
                from_d: raw.from_d,
                below_d: raw.below_d,
            })
        });
        let rxcui = raw.rxcui;
        let clues = [
            codes,
            raw.allergy.map(|substances| Self::Allergy { substances, rxcui }),
            raw.interaction.map(Self::Interaction),
            raw.fact.zip(means).map(|(fact, means)| Self::Fact(fact, means)),
            raw.pressures.map(Self::Pressures),
            raw.trials.map(|trials| Self::Trials(trials.fewer_than)),
            raw.no_code.map(|codes| Self::NoDiagnosis(dotless(codes))),
            raw.no_indication.then_some(Self::NoIndication),
        ];
        let mut given = clues.into_iter().flatten();
        match (given.next(), given.next()) {
            (Some(clue), None) => Ok(clue),
            _ => {
                Err("looks for one of codes, allergy, interaction, fact with its values, pressures, trials, \
                      no_code, no_indication"
                    .to_owned())
            }
        }
    }
}

impl TryFrom<RawGround> for Ground {
    type Error = String;

    fn try_from(mut raw: RawGround) -> Result<Self, String> {
        let verdict = raw.verdict.take().ok_or("a ground has a `verdict`")?;
        let then = raw.then.take().unwrap_or(Verdict::Pass);
        let unless = raw.unless.take().map(|fact| (fact, then));
        let regimens = std::mem::take(&mut raw.regimens);
        if then >= verdict {
            return Err("`then` has to be milder than `verdict`".to_owned());
        }
        let unless_regimens = std::mem::take(&mut raw.unless_regimens);
        let only_if = raw.only_if.take();
        Ok(Self { clue: Clue::try_from(raw)?, verdict, unless, unless_regimens, only_if, regimens })
    }
}

impl Ground {
    /// The facts that it names.
    pub fn facts(&self) -> impl Iterator<Item = &str> {
        let unless = self.unless.iter().map(|(fact, _)| fact.as_str());
        self.clue.fact().into_iter().chain(unless).chain(self.only_if.as_deref())
    }
}

impl Clue {
    /// The fact that it looks at, if it is one.
    #[must_use]
    pub fn fact(&self) -> Option<&str> {
        match self {
            Self::Fact(fact, _) => Some(fact),
            Self::Diagnosis(_)
            | Self::Allergy { .. }
            | Self::Interaction(_)
            | Self::Pressures(_)
            | Self::Trials(_)
            | Self::NoDiagnosis(_)
            | Self::NoIndication => None,
        }
    }

    pub(super) fn check(&self, all: &Knowledge) -> Result<(), String> {
        match self {
            Self::Diagnosis(codes) if codes.prefixes.iter().any(|code| code.is_empty()) => {
                Err("an empty code would be every diagnosis".to_owned())
            }
            Self::Interaction(rule) if all.interactions.get(rule).is_none() => {
                Err(format!("there is no interaction `{rule}`"))
            }
            Self::Fact(fact, _) => check_fact(fact, all),
            Self::Diagnosis(_)
            | Self::Allergy { .. }
            | Self::Interaction(_)
            | Self::Pressures(_)
            | Self::Trials(_)
            | Self::NoDiagnosis(_)
            | Self::NoIndication => Ok(()),
        }
    }
}

pub(super) fn check_fact(fact: &str, all: &Knowledge) -> Result<(), String> {
    if screen::is_fact(fact, all) { Ok(()) } else { Err(format!("nothing asks for the fact `{fact}`")) }
}

pub(super) fn check_regimens(regimens: &[String], all: &Knowledge) -> Result<(), String> {
    match regimens.iter().find(|id| all.regimens.get(id).is_none()) {
        Some(unknown) => Err(format!("there is no regimen `{unknown}`")),
        None => Ok(()),
    }
}

/// A consultation of which little is known, and what the rule says of it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Example {
    /// What is known; the date is filled in.
    pub given: toml::Table,
    /// What the rule finds.
    pub verdict: Verdict,
}

impl Body for Eligibility {
    const FOLDER: &'static str = "eligibility";
    type Example = Example;

    fn check(item: &Item<Self>, all: &Knowledge) -> Result<(), String> {
        check_regimens(&item.body.regimens, all)?;
        for ground in &item.body.grounds {
            ground.clue.check(all)?;
            check_regimens(&ground.regimens, all)?;
            check_regimens(&ground.unless_regimens, all)?;
            ground.facts().try_for_each(|fact| check_fact(fact, all))?;
        }
        let looked_at = |fact: &String| item.body.grounds.iter().any(|g| g.facts().any(|one| one == fact));
        match item.body.one_of.iter().find(|fact| !looked_at(fact)) {
            Some(fact) => Err(format!("`one_of` names `{fact}`, at which no ground looks")),
            None => Ok(()),
        }
    }

    fn prove(item: &Item<Self>, example: &Example, all: &Knowledge) -> Result<(), String> {
        let came = screen::try_rule(item, &example.given, all)?;
        if came == example.verdict {
            Ok(())
        } else {
            Err(format!("expected {:?}, came {came:?}", example.verdict))
        }
    }
}
