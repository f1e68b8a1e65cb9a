//! Regimens: dose, length, course and grade of evidence for each indication.

use super::measure::{KgPerM2, Mg, MgPerHour, MgPerKg, MgPerKgPerHour, MgPerMl, Minutes};
use super::scales::Condition;
use super::{Body, Item, Knowledge};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// Where a regimen may be given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Setting {
    /// Outpatient infusion clinic.
    Clinic,
    /// Hospital ward only.
    Inpatient,
    /// Published in trials only; the clinic's limits may forbid it as it stands.
    Research,
    /// Kept for comparison, cannot be ordered.
    Reference,
}

/// What is infused. A regimen of one is never the default of another: potencies differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Substance {
    /// RS-ketamine, counted as base.
    KetamineRacemic,
    /// S(+)-ketamine, intravenous.
    EsketamineIv,
    /// S(+)-ketamine, nasal.
    EsketamineNasal,
}

/// Which limits and which part of the pump library hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CareArea {
    /// Psychiatric indications.
    Psych,
    /// Chronic pain.
    Pain,
    /// Complex regional pain syndrome, outpatient days.
    Crps,
}

impl CareArea {
    /// As it stands in files.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Psych => "psych",
            Self::Pain => "pain",
            Self::Crps => "crps",
        }
    }
}

/// Strength of the evidence: `A` two good trials or a meta-analysis, `B` one good or several small ones,
/// `C` small or conflicting ones, `D` pilots and opinion, `N` trials that found nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Grade {
    /// Two adequately sized trials or a meta-analysis.
    A,
    /// One good trial or several small consistent ones.
    B,
    /// Small or conflicting trials.
    C,
    /// Pilot, open-label, case series, expert.
    D,
    /// Trials negative.
    N,
}

/// One stretch of an infusion at one rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "RawStep")]
pub struct Step {
    /// How much.
    pub amount: Amount,
    /// How long.
    pub over: Minutes,
}

/// How a step's dose is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Amount {
    /// Dose of the step by weight.
    Dose(MgPerKg),
    /// Rate by weight.
    Rate(MgPerKgPerHour),
}

impl Amount {
    /// The bare number, in the unit of the amount.
    pub const fn value(self) -> Decimal {
        match self {
            Self::Dose(MgPerKg(value)) | Self::Rate(MgPerKgPerHour(value)) => value,
        }
    }
}

impl std::fmt::Display for Amount {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Dose(dose) => dose.fmt(f),
            Self::Rate(rate) => rate.fmt(f),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawStep {
    dose: Option<MgPerKg>,
    rate: Option<MgPerKgPerHour>,
    over: Minutes,
}

impl TryFrom<RawStep> for Step {
    type Error = String;

    fn try_from(raw: RawStep) -> Result<Self, String> {
        let amount = match (raw.dose, raw.rate) {
            (Some(dose), None) => Amount::Dose(dose),
            (None, Some(rate)) => Amount::Rate(rate),
            _ => return Err("a step has either a `dose` or a `rate`".to_owned()),
        };
        if amount.value().is_zero() || raw.over.0.is_zero() {
            return Err("a step's amount and length are above zero".to_owned());
        }
        Ok(Self { amount, over: raw.over })
    }
}

/// How many infusions make a course.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Infusions {
    /// As planned unless a prescriber says otherwise.
    pub usual: u32,
    /// Fewest published.
    pub least: u32,
    /// Most published.
    pub most: u32,
}

/// One published way to space the infusions of a course.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rhythm {
    /// How many infusions.
    pub infusions: u32,
    /// At most so many in any seven days.
    pub a_week: u32,
    /// From the first to the last, days.
    pub within_d: Option<u32>,
}

/// A total that a guideline asks for before it speaks of an effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GuidelineTotal {
    /// At least this dose.
    pub at_least: Mg,
    /// In more than this time.
    pub longer_than: Minutes,
}

/// One regimen.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Regimen {
    /// For a person.
    pub indication: String,
    /// What it treats, where what counts as a response is known for that.
    pub condition: Option<Condition>,
    /// ICD-10-CM codes or prefixes with `*`.
    pub icd10: Vec<String>,
    /// Where it may be given.
    pub setting: Setting,
    /// What is infused.
    pub substance: Substance,
    /// Whose limits hold.
    pub care_area: CareArea,
    /// Strength of the evidence for what is ordered here.
    pub grade: Grade,
    /// The grade in words, with its exceptions.
    #[serde(default)]
    pub grade_note: String,
    /// The infusion; empty only where it cannot be ordered in a clinic.
    #[serde(default)]
    pub plan: Vec<Step>,
    /// A ceiling that is part of the published regimen, applied in the open: the card names it.
    pub max_rate: Option<MgPerHour>,
    /// Number of infusions, where it is known.
    pub infusions: Option<Infusions>,
    /// Ways to space them, the usual one first; none where it is never booked in a clinic.
    #[serde(default)]
    pub rhythms: Vec<Rhythm>,
    /// How the course runs, in words.
    pub course: String,
    /// What comes after the course, in words.
    #[serde(default)]
    pub maintenance: String,
    /// What must be true of the patient beside the gates, in words.
    #[serde(default)]
    pub requires: Vec<String>,
    /// Body mass index below which it is not given.
    pub bmi_at_least: Option<KgPerM2>,
    /// The total that a guideline speaks of.
    pub guideline_total: Option<GuidelineTotal>,
}

/// One worked order at the regimen's own dose and length.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Example {
    /// Dose weight.
    pub weight: super::measure::Kg,
    /// In the syringe.
    pub concentration: MgPerMl,
    /// Total dose; absent where the regimen cannot be ordered.
    pub dose: Option<Mg>,
    /// First rate on the pump, mL/h, rounded as the pump does.
    pub rate: Option<super::measure::MlPerHour>,
    /// Says that the product does not make a card of it.
    #[serde(default)]
    pub refused: bool,
}

impl Regimen {
    /// Length of the whole plan in minutes.
    pub fn minutes(&self) -> Decimal {
        self.plan.iter().map(|step| step.over.0).sum()
    }
}

impl Body for Regimen {
    const FOLDER: &'static str = "regimens";
    type Example = Example;

    fn check(item: &Item<Self>, all: &Knowledge) -> Result<(), String> {
        let regimen = &item.body;
        if regimen.plan.is_empty() && regimen.setting == Setting::Clinic {
            return Err("a regimen for the clinic needs a `plan`".to_owned());
        }
        if regimen.setting == Setting::Clinic && regimen.substance != Substance::KetamineRacemic {
            return Err("only racemic ketamine may be a clinic regimen".to_owned());
        }
        if let Some(n) = regimen.infusions
            && !(1 <= n.least && n.least <= n.usual && n.usual <= n.most)
        {
            return Err("`infusions` runs least, usual, most, from 1".to_owned());
        }
        check_rhythms(item, all)?;
        // Without a part of the pump library nothing would bound the rate.
        if all.pump_library.get(&format!("library_{}", regimen.care_area.id())).is_none() {
            return Err(format!("the pump library has no entry `library_{}`", regimen.care_area.id()));
        }
        Ok(())
    }

    fn prove(item: &Item<Self>, example: &Example, _all: &Knowledge) -> Result<(), String> {
        let card = crate::dose::plan::lay_out(
            &item.body.plan,
            item.body.max_rate,
            example.weight.0,
            example.concentration.0,
        );
        if example.refused {
            return match item.body.setting {
                Setting::Clinic => Err("a clinic regimen makes a card".to_owned()),
                _ => Ok(()),
            };
        }
        let card = card.ok_or("its numbers are too large")?;
        if Some(Mg(card.dose_mg)) != example.dose {
            return Err(format!("the dose is {} mg", card.dose_mg.normalize()));
        }
        let rate = card.steps.first().map(|step| super::measure::MlPerHour(step.rate_ml_per_h));
        if rate != example.rate {
            return Err(format!(
                "the rate is {} mL/h",
                rate.map_or_else(|| "none".to_owned(), |r| r.to_string())
            ));
        }
        Ok(())
    }
}

fn check_rhythms(item: &Item<Regimen>, all: &Knowledge) -> Result<(), String> {
    let regimen = &item.body;
    if regimen.rhythms.is_empty() && matches!(regimen.setting, Setting::Clinic | Setting::Research) {
        return Err("a regimen that is booked needs its `rhythms`".to_owned());
    }
    if regimen.rhythms.iter().any(|rhythm| !(1..=7).contains(&rhythm.a_week)) {
        return Err("a rhythm has 1 to 7 infusions `a_week`".to_owned());
    }
    if let Some((n, first)) = regimen.infusions.zip(regimen.rhythms.first()) {
        if first.infusions != n.usual {
            return Err("the first of the `rhythms` has the usual number of infusions".to_owned());
        }
        if regimen.rhythms.iter().any(|rhythm| !(n.least..=n.most).contains(&rhythm.infusions)) {
            return Err("a rhythm has as many infusions as `infusions` allows".to_owned());
        }
    }
    let is_spaced = all.spacing.iter().any(|item_of| item_of.body.regimens.contains(&item.header.id));
    if !regimen.rhythms.is_empty() && !is_spaced {
        return Err("no rule in `spacing` names it".to_owned());
    }
    Ok(())
}
