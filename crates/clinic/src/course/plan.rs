//! What a prescriber signs for a course, and what differs from one version to the next.

use crate::consent::Needs;
use crate::dose::OrderedDose;
use crate::gate::{Finding, Override, Verdict};
use crate::id::RuleId;
use crate::knowledge::cap::Quantity;
use crate::knowledge::measure::{MgPerKg, Place};
use crate::knowledge::regimen::{Amount, Regimen, Setting};
use crate::knowledge::weight::Descriptor;
use crate::knowledge::{Header, Item, Knowledge};
use crate::quantity::plain;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// One version of the plan of a course.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Which regimen.
    pub regimen: RuleId,
    /// What is treated, ICD-10-CM; several at once are usual.
    pub conditions: Vec<String>,
    /// Number of infusions of the induction.
    pub infusions: u32,
    /// At most so many in any seven days.
    pub a_week: u32,
    /// Of the first infusion.
    pub start_dose: OrderedDose,
    /// Length of an infusion.
    pub minutes: Decimal,
    /// Which weight the dose is counted by; `None` leaves it to the rule.
    pub dose_weight: Option<Descriptor>,
    /// How the dose may change from one infusion to the next, in words.
    pub titration: String,
    /// When the course ends early, in words, at least one.
    pub stop_rules: Vec<String>,
    /// Given before each infusion, in words.
    #[serde(default)]
    pub premedication: Vec<String>,
}

/// One field that differs between two versions, as a person reads it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Which field.
    pub field: String,
    /// Before.
    pub from: String,
    /// After.
    pub to: String,
}

impl std::fmt::Display for Change {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {} → {}", self.field, self.from, self.to)
    }
}

impl Plan {
    /// What the regimen itself says, for a prescriber to change and sign. `None` where it is not for a clinic.
    pub fn usual(item: &Item<Regimen>, conditions: Vec<String>) -> Option<Self> {
        let rhythm = item.body.rhythms.first()?;
        let [step] = item.body.plan.as_slice() else { return None };
        let start_dose = match step.amount {
            Amount::Dose(dose) => OrderedDose::MgPerKg(dose.0),
            Amount::Rate(rate) => OrderedDose::MgPerKgPerHour(rate.0),
        };
        (item.body.setting == Setting::Clinic).then(|| Self {
            regimen: RuleId::new(&item.header.id),
            conditions,
            infusions: rhythm.infusions,
            a_week: rhythm.a_week,
            start_dose,
            minutes: item.body.minutes(),
            dose_weight: None,
            titration: String::new(),
            stop_rules: Vec::new(),
            premedication: Vec::new(),
        })
    }

    /// The first dose and its length, as a person reads them.
    pub fn first_dose(&self) -> String {
        format!("{} over {} min", shown_dose(&self.start_dose), plain(self.minutes))
    }

    /// Every field by name, as a person reads it.
    pub fn shown(&self) -> [(&'static str, String); 10] {
        let list = |words: &[String]| if words.is_empty() { "none".to_owned() } else { words.join("; ") };
        [
            ("regimen", self.regimen.to_string()),
            ("conditions", list(&self.conditions)),
            ("infusions", self.infusions.to_string()),
            ("a week", self.a_week.to_string()),
            ("start dose", shown_dose(&self.start_dose)),
            ("minutes", plain(self.minutes)),
            ("dose weight", self.dose_weight.map_or("by the rule", Descriptor::words).to_owned()),
            ("titration", if self.titration.is_empty() { "none".to_owned() } else { self.titration.clone() }),
            ("stop rules", list(&self.stop_rules)),
            ("premedication", list(&self.premedication)),
        ]
    }

    /// What differs in `other`.
    pub fn changes(&self, other: &Self) -> Vec<Change> {
        let pairs = self.shown().into_iter().zip(other.shown());
        let differing = pairs.filter(|((_, from), (_, to))| from != to);
        differing.map(|((field, from), (_, to))| Change { field: field.to_owned(), from, to }).collect()
    }

    /// What the rules say of the plan. A stop is not signed; a warning asks for a reason.
    pub fn judge(&self, knowledge: &Knowledge) -> Vec<Finding> {
        let Some(item) = knowledge.regimens.get(self.regimen.as_str()) else {
            return vec![crate::gate::no_rule(self.regimen.as_str())];
        };
        let (header, regimen) = (&item.header, &item.body);
        let say = |verdict, why: String| Finding::new(header, verdict, why).only_by(Override::Never);
        let mut findings = Vec::new();
        if regimen.setting != Setting::Clinic {
            findings.push(say(Verdict::Stop, format!("{} is not for a clinic.", header.title)));
        }
        let fits = |code: &String| regimen.icd10.iter().any(|known| is_code_of(known, code));
        if !self.conditions.iter().any(fits) {
            let why = format!(
                "None of {} is what the regimen is for: {}.",
                self.conditions.join(", "),
                regimen.icd10.join(", ")
            );
            findings.push(say(Verdict::Warn, why));
        }
        if let Some(n) = regimen.infusions.filter(|n| !(n.least..=n.most).contains(&self.infusions)) {
            findings.push(say(
                Verdict::Warn,
                format!("{} infusions; published are {} to {}.", self.infusions, n.least, n.most),
            ));
        }
        if !regimen.rhythms.iter().any(|rhythm| rhythm.a_week == self.a_week) {
            findings.push(say(
                Verdict::Warn,
                format!("{} a week is not published for this regimen.", self.a_week),
            ));
        }
        findings.extend(judge_length(regimen, self.minutes, knowledge));
        for (quantity, value) in self.amounts() {
            findings.extend(knowledge.caps.iter().filter_map(|cap| {
                let holds = cap.body.quantity == quantity && cap.body.care_areas.contains(&regimen.care_area);
                holds.then(|| place(&cap.header, &cap.body.limit, quantity, value)).flatten()
            }));
        }
        findings
    }

    /// What the patient has to have agreed to before the first infusion of this plan, by the clinic's own route.
    pub fn needs(&self) -> Needs {
        let over = |per_hour: Decimal, minutes: Decimal| {
            per_hour.checked_mul(minutes).and_then(|sum| sum.checked_div(Decimal::from(60)))
        };
        let dose = match &self.start_dose {
            OrderedDose::MgPerKg(dose) => Some(*dose),
            OrderedDose::MgPerKgPerHour(rate) => over(*rate, self.minutes),
            OrderedDose::Steps(steps) => steps.iter().try_fold(Decimal::ZERO, |sum, step| {
                sum.checked_add(over(step.mg_per_kg_per_h, step.minutes)?)
            }),
        };
        Needs { dose: dose.map(MgPerKg), route: None }
    }

    /// What the caps look at. Totals need a weight and are judged with the order of the day.
    fn amounts(&self) -> Vec<(Quantity, Decimal)> {
        let per_hour = |dose: Decimal| dose.checked_mul(Decimal::from(60))?.checked_div(self.minutes);
        let (dose, rate) = match &self.start_dose {
            OrderedDose::MgPerKg(dose) => (Some(*dose), per_hour(*dose)),
            OrderedDose::MgPerKgPerHour(rate) => (
                rate.checked_mul(self.minutes).and_then(|sum| sum.checked_div(Decimal::from(60))),
                Some(*rate),
            ),
            OrderedDose::Steps(steps) => (None, steps.iter().map(|step| step.mg_per_kg_per_h).max()),
        };
        let amounts = [(Quantity::DosePerKg, dose), (Quantity::RatePerKg, rate)];
        amounts.into_iter().filter_map(|(quantity, value)| Some((quantity, value?))).collect()
    }
}

/// What the caps say of the length of an infusion, and of it as a multiple of the regimen's own.
pub(super) fn judge_length(regimen: &Regimen, minutes: Decimal, knowledge: &Knowledge) -> Vec<Finding> {
    let own = regimen.minutes();
    let caps = knowledge.caps.iter().filter(|cap| cap.body.care_areas.contains(&regimen.care_area));
    let judged = caps.filter_map(|cap| {
        let (value, unit, says) = match cap.body.quantity {
            Quantity::Length => (minutes, "min", format!("An infusion of {} min", plain(minutes))),
            Quantity::TimesLength => {
                let times = minutes.checked_div(own)?;
                let says =
                    format!("An infusion of {} min is {} times", plain(minutes), plain(times.round_dp(2)));
                (times, "times", format!("{says} the regimen's {} min", plain(own)))
            }
            _ => return None,
        };
        let limit = &cap.body.limit;
        let (verdict, range) = match limit.place(value) {
            Place::Recommended => return None,
            Place::OutsideRecommended => (Verdict::Warn, &limit.recommended),
            Place::OutsideAbsolute => (Verdict::Stop, &limit.absolute),
        };
        let finding = Finding::new(&cap.header, verdict, format!("{says}; the limit is {range} {unit}."));
        Some(finding.with("minutes", plain(minutes)).only_by(Override::Never))
    });
    judged.collect()
}

fn place(
    header: &Header,
    limit: &crate::knowledge::measure::Limit,
    quantity: Quantity,
    value: Decimal,
) -> Option<Finding> {
    let (verdict, range) = match limit.place(value) {
        Place::Recommended => return None,
        Place::OutsideRecommended => (Verdict::Warn, &limit.recommended),
        Place::OutsideAbsolute => (Verdict::Stop, &limit.absolute),
    };
    let (name, unit) = (quantity.words(), quantity.unit());
    let why = format!("The {name} is {} {unit}; the limit is {range} {unit}.", plain(value));
    Some(Finding::new(header, verdict, why).with(name, plain(value)).only_by(Override::Never))
}

/// A dose as it is typed and read.
pub fn shown_dose(dose: &OrderedDose) -> String {
    match dose {
        OrderedDose::MgPerKg(dose) => format!("{} mg/kg", plain(*dose)),
        OrderedDose::MgPerKgPerHour(rate) => format!("{} mg/kg/h", plain(*rate)),
        OrderedDose::Steps(steps) => {
            let step = |one: &crate::dose::OrderedStep| {
                format!("{} mg/kg/h for {} min", plain(one.mg_per_kg_per_h), plain(one.minutes))
            };
            steps.iter().map(step).collect::<Vec<_>>().join(", then ")
        }
    }
}

/// Whether a code is the one of the list, or begins like the one of the list that ends with `*`.
pub(super) fn is_code_of(known: &str, code: &str) -> bool {
    known.strip_suffix('*').map_or(known == code, |head| code.starts_with(head))
}
