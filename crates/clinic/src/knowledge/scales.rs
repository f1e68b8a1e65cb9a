//! `knowledge/scales/`: rating scales. What is asked, what an answer counts, what a total means, when it is due.
//!
//! Wording stands in a file only where its licence lets a program ship it; of the others the file knows the ranges,
//! so that a total from a licensed form can be entered and checked.

mod consistency;
mod loinc;
mod proof;

pub use loinc::{AnswerCode, Loinc, is_loinc};
pub use proof::Example;

use super::{Body, Item, Knowledge};
use crate::id::SourceId;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// What may be done with the wording.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LicenceClass {
    /// Nobody owns it.
    PublicDomain,
    /// Free to ship with its notice.
    Free,
    /// Free where no money is earned: not shipped.
    NonCommercial,
    /// Only with written permission: not shipped.
    Permission,
    /// Sold: not shipped.
    Copyright,
}

impl LicenceClass {
    /// Whether wording may stand in the file.
    pub const fn ships_text(self) -> bool {
        matches!(self, Self::PublicDomain | Self::Free)
    }
}

/// Whose the wording is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Licence {
    /// What it allows.
    pub class: LicenceClass,
    /// Shown wherever the scale is shown.
    pub notice: String,
}

/// Who answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rater {
    /// The patient.
    Patient,
    /// A clinician, from an interview or from what is seen.
    Clinician,
}

/// Which way of the total is worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Worse {
    /// Symptoms count up.
    Higher,
    /// Ability or satisfaction counts up.
    Lower,
}

macro_rules! conditions {
    ($($name:ident = $id:literal, $title:literal;)*) => {
        /// What a patient is treated for, as far as it decides what counts as a response.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Condition {
            $(#[doc = concat!($title, ".")] #[serde(rename = $id)] $name,)*
        }

        impl Condition {
            /// Every one.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// As it stands in files.
            pub const fn id(self) -> &'static str {
                match self { $(Self::$name => $id,)* }
            }
            /// As a person reads it.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)* }
            }
            /// The condition of that id.
            pub fn find(id: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|condition| condition.id() == id)
            }
        }
    };
}

conditions! {
    Mdd = "mdd", "Major depression";
    Bipolar = "bipolar", "Bipolar depression";
    Postpartum = "ppd", "Postpartum depression";
    SuicidalIdeation = "si", "Suicidal ideation";
    Ptsd = "ptsd", "Post-traumatic stress";
    Ocd = "ocd", "Obsessions and compulsions";
    GeneralisedAnxiety = "gad", "Generalised anxiety";
    SocialAnxiety = "sad", "Social anxiety";
    Pain = "pain", "Chronic pain";
    Crps = "crps", "Complex regional pain";
    Fibromyalgia = "fm", "Fibromyalgia";
    Migraine = "mig", "Migraine";
    Alcohol = "aud", "Alcohol use disorder";
    Cocaine = "cud", "Cocaine use disorder";
    Eating = "ed", "Eating disorder";
}

/// How the values of several items become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Take {
    /// Added; what is missing counts as the mean of the others, up to `missing_max`.
    #[default]
    Sum,
    /// Their mean.
    Mean,
    /// The highest.
    Max,
    /// The place of the last one that is above its lowest value; items stand from mild to severe.
    Level,
}

/// One question.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScaleItem {
    /// Its number on the form.
    pub id: String,
    /// In a word or two.
    #[serde(default)]
    pub title: String,
    /// The exact wording.
    #[serde(default)]
    pub ask: String,
    /// What each value means, from the lowest up; else those of the scale.
    #[serde(default)]
    pub answers: Vec<String>,
    /// What the lowest and the highest value mean, where those between have no words.
    #[serde(default)]
    pub ends: Vec<String>,
    /// Lowest and highest value, else those of the scale.
    pub values: Option<[Decimal; 2]>,
    /// Distance between two values.
    #[serde(default = "one")]
    pub step: Decimal,
    /// Counts from the other end.
    #[serde(default)]
    pub reversed: bool,
    /// Counts towards the total.
    #[serde(default = "yes")]
    pub scored: bool,
    /// May be left out without being missing.
    #[serde(default)]
    pub optional: bool,
    /// Asked only when this earlier item was answered above its lowest value.
    pub asked_if: Option<String>,
    /// LOINC code.
    pub loinc: Option<Loinc>,
}

/// Some items taken together.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subscale {
    /// Stable.
    pub id: String,
    /// For a person.
    pub title: String,
    /// Which.
    pub items: Vec<String>,
    /// How.
    #[serde(default)]
    pub take: Take,
    /// Divided by this afterwards.
    #[serde(default = "one")]
    pub divide: Decimal,
    /// How many may be missing.
    #[serde(default)]
    pub missing_max: usize,
    /// The total is the sum of those that count, where any does.
    #[serde(default)]
    pub counts: bool,
}

/// A level of risk read from single answers; they stand worst first, the last without items.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Risk {
    /// For a person.
    pub name: String,
    /// One yes among them is enough.
    pub any: Vec<String>,
}

/// A stretch of the total with a name, up to where the next begins.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Band {
    /// First total of it.
    pub from: Decimal,
    /// For a person.
    pub name: String,
    /// Only for these people, such as `female`.
    pub of: Option<String>,
}

/// At least so many items of a subscale answered with at least so much.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cluster {
    /// Which subscale.
    pub subscale: String,
    /// An item counts from this value on.
    pub item_from: Decimal,
    /// So many of them.
    pub at_least: usize,
}

/// A named statement about a score that holds or does not. All that is said has to hold.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Criterion {
    /// Stable.
    pub id: String,
    /// For a person.
    pub title: String,
    /// Total at least.
    pub from: Option<Decimal>,
    /// Total at most.
    pub to: Option<Decimal>,
    /// Total less than.
    pub below: Option<Decimal>,
    /// Symptoms of each of these clusters.
    #[serde(default)]
    pub clusters: Vec<Cluster>,
    /// Remission, by one published rule; the first that says so is the one that is reported.
    #[serde(default)]
    pub remission: bool,
    /// Where the rule is from.
    pub source: SourceId,
}

/// Something that a person has to do because of an answer or a total.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FlagRule {
    /// Stable.
    pub id: String,
    /// What to do.
    pub says: String,
    /// One of these answered
    #[serde(default)]
    pub items: Vec<String>,
    /// with at least this
    #[serde(default)]
    pub item_from: Decimal,
    /// or not answered at all.
    #[serde(default)]
    pub or_missing: bool,
    /// Somebody on call sees to such an answer by the clock: it opens a task.
    #[serde(default)]
    pub calls: bool,
    /// Id of the scale that is due at once because of it.
    pub asks: Option<String>,
    /// Or a total of at least this.
    pub total_from: Option<Decimal>,
}

/// What counts as a response.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutcomeRule {
    /// Only for these; none named is for all others.
    #[serde(default)]
    pub conditions: Vec<Condition>,
    /// Improvement of at least this, % of the baseline.
    pub response_percent: Option<Decimal>,
    /// Improvement of at least so many points.
    pub response_points: Option<Decimal>,
    /// A change of at least so many points is more than chance or is felt.
    pub reliable_points: Option<Decimal>,
    /// The same in % of the baseline.
    pub reliable_percent: Option<Decimal>,
    /// What the numbers rest on.
    pub source: SourceId,
    /// Caveat for a person.
    #[serde(default)]
    pub note: String,
}

/// Which infusions of a series a due date is counted from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Anchor {
    /// The first.
    First,
    /// Each, or each so manieth.
    Each,
    /// The last that was planned, and each after it.
    Last,
    /// The newest, until another begins: who stops before the last is followed all the same.
    Newest,
}

/// When the scale is due.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DueRule {
    /// For a person.
    pub title: String,
    /// Counted from the start of which infusion.
    pub anchor: Anchor,
    /// Only each so manieth infusion.
    #[serde(default = "one_u32")]
    pub every: u32,
    /// Of each, only from this one of the series on.
    #[serde(default = "one_u32")]
    pub from: u32,
    /// May be answered from so many hours after it; before it when negative.
    pub opens_h: i64,
    /// Until.
    pub closes_h: i64,
    /// Due again after so many hours,
    pub repeat_h: Option<i64>,
    /// so many times in all; without an end where none is said.
    pub times: Option<u32>,
    /// Only for these; none named is for all.
    #[serde(default)]
    pub conditions: Vec<Condition>,
}

/// LOINC codes of the scale.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScaleCodes {
    /// The whole form.
    pub panel: Option<Loinc>,
    /// Its total; never the code of the panel.
    pub total: Option<Loinc>,
    /// The answers, from the lowest value up.
    #[serde(default)]
    pub answers: Vec<AnswerCode>,
}

/// What a scale tells of, for what is always shown side by side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Family {
    /// Depressed mood.
    Mood,
    /// Pain.
    Pain,
    /// What somebody can do.
    Function,
    /// How somebody lives.
    Life,
}

impl Family {
    /// From above, as they are shown.
    pub const ALL: [Self; 4] = [Self::Mood, Self::Pain, Self::Function, Self::Life];

    /// As a person reads it.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Mood => "Mood",
            Self::Pain => "Pain",
            Self::Function => "Function",
            Self::Life => "Quality of life",
        }
    }
}

/// One file of `knowledge/scales/`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scale {
    /// Other names that people type.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// Conditions whose series is judged by it.
    #[serde(default)]
    pub judges: Vec<Condition>,
    /// Whose wording.
    pub licence: Licence,
    /// Who answers.
    pub rater: Rater,
    /// Which way is worse.
    pub worse: Worse,
    /// What it tells of; none for what is not shown with the others.
    #[serde(default)]
    pub family: Option<Family>,
    /// What stands above the questions.
    #[serde(default)]
    pub stem: String,
    /// Lowest and highest value of an item that says no other.
    pub values: Option<[Decimal; 2]>,
    /// What each value means, from the lowest up.
    #[serde(default)]
    pub answers: Vec<String>,
    /// What the lowest and the highest value mean.
    #[serde(default)]
    pub ends: Vec<String>,
    /// Questions; none where only a total is entered.
    #[serde(default, rename = "item")]
    pub items: Vec<ScaleItem>,
    /// Lowest and highest total. None where the scale has risk levels or subscales instead.
    pub total: Option<[Decimal; 2]>,
    /// Distance between two totals, where the questions that would say it are not known here.
    pub total_step: Option<Decimal>,
    /// How the items become the total.
    #[serde(default)]
    pub take: Take,
    /// How many items may be missing from it.
    #[serde(default)]
    pub missing_max: usize,
    /// A question that, answered with its lowest value, makes the total the lowest whatever else is said.
    pub gate: Option<String>,
    /// Items taken together.
    #[serde(default, rename = "subscale")]
    pub subscales: Vec<Subscale>,
    /// Levels read from single answers.
    #[serde(default, rename = "risk")]
    pub risks: Vec<Risk>,
    /// Names of stretches of the total.
    #[serde(default, rename = "band")]
    pub bands: Vec<Band>,
    /// Statements about the score.
    #[serde(default, rename = "criterion")]
    pub criteria: Vec<Criterion>,
    /// What a person has to do.
    #[serde(default, rename = "flag")]
    pub flags: Vec<FlagRule>,
    /// What counts as a response.
    #[serde(default, rename = "outcome")]
    pub outcomes: Vec<OutcomeRule>,
    /// When it is due.
    #[serde(default, rename = "due")]
    pub due: Vec<DueRule>,
    /// LOINC.
    #[serde(default)]
    pub loinc: ScaleCodes,
}

const fn yes() -> bool {
    true
}
const fn one() -> Decimal {
    Decimal::ONE
}
const fn one_u32() -> u32 {
    1
}

impl Scale {
    /// Whether it has an outcome or a due date for that condition.
    pub fn is_for(&self, condition: Condition) -> bool {
        self.outcomes.iter().any(|rule| rule.conditions.contains(&condition))
            || self.due.iter().any(|rule| rule.conditions.contains(&condition))
    }

    /// The question of that id.
    pub fn item(&self, id: &str) -> Option<&ScaleItem> {
        self.items.iter().find(|item| item.id == id)
    }
    /// Lowest and highest value of a question.
    pub fn values_of(&self, item: &ScaleItem) -> [Decimal; 2] {
        // Every item has values: `check` refuses a file in which neither says any.
        item.values.or(self.values).unwrap_or_default()
    }
    /// People that the bands tell apart, such as `female` and `male`.
    pub fn groups(&self) -> Vec<&str> {
        let mut groups: Vec<&str> = Vec::new();
        for of in self.bands.iter().filter_map(|band| band.of.as_deref()) {
            if !groups.contains(&of) {
                groups.push(of);
            }
        }
        groups
    }
    /// Whether its wording stands in the file.
    pub fn has_text(&self) -> bool {
        self.items.iter().any(|item| !item.ask.is_empty())
    }
}

/// Letters and digits alone, lower case: `PHQ-9` and `phq9` are one name.
pub fn plain_name(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// The scale of a series where the condition has none of its own.
const USUAL: &str = "phq9";

impl Knowledge {
    /// The scale by which a series for a condition is judged; the usual one where none says that it is.
    pub fn scale_of_series(&self, condition: Option<Condition>) -> Option<&Item<Scale>> {
        let of_it = |item: &&Item<Scale>| condition.is_some_and(|is| item.body.judges.contains(&is));
        self.scales.iter().find(of_it).or_else(|| self.scale(USUAL))
    }

    /// The scale of that id or of one of its other names, however it is spelled.
    pub fn scale(&self, name: &str) -> Option<&Item<Scale>> {
        let wanted = plain_name(name);
        self.scales.iter().find(|item| {
            let names = std::iter::once(&item.header.id).chain(&item.body.aliases);
            names.into_iter().any(|known| plain_name(known) == wanted)
        })
    }
}

impl Body for Scale {
    const FOLDER: &'static str = "scales";
    type Example = Example;

    fn check(item: &Item<Self>, all: &Knowledge) -> Result<(), String> {
        consistency::check(item, all)
    }

    fn prove(item: &Item<Self>, example: &Example, _all: &Knowledge) -> Result<(), String> {
        proof::prove(item, example)
    }
}

#[cfg(test)]
mod tests;
