//! What the rules suggest to a prescriber between two infusions. A suggestion is never an order: it shows its rule, what
//! it looked at and how it came about, and a person takes it or declines it.

use super::went::StoppedEarly;
use crate::gate::{self, Finding, FutilityAdvice, MaintenanceVisit, NextInterval, Verdict};
use crate::id::{RuleId, SourceId};
use crate::knowledge::advice::{Advice as Rule, Maintenance, Titration};
use crate::knowledge::cap::{Cap, Quantity};
use crate::knowledge::measure::Place;
use crate::knowledge::regimen::CareArea;
use crate::knowledge::{Header, Item, Knowledge};
use crate::quantity::plain;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What is suggested.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "suggest", rename_all = "snake_case")]
pub enum Suggestion {
    /// The first infusion at this dose.
    StartAt {
        /// mg/kg.
        mg_per_kg: Decimal,
    },
    /// The next infusion as the last.
    KeepDose,
    /// The next infusion at this dose.
    RaiseTo {
        /// mg/kg.
        mg_per_kg: Decimal,
    },
    /// The next infusion between these doses.
    LowerTo {
        /// mg/kg.
        from: Decimal,
        /// mg/kg.
        to: Decimal,
    },
    /// The series goes on.
    GoOn,
    /// The plan is looked at again.
    Review,
    /// Stopping is talked about.
    DiscussStopping,
    /// The next maintenance infusion after so many days.
    NextAfter {
        /// Days.
        days: u32,
    },
    /// Maintenance when needed: the ladder is done.
    WhenNeeded,
    /// A booster is booked on one of these days.
    BookBetween {
        /// The first of them.
        from: Date,
        /// The last of them.
        to: Date,
    },
    /// A new induction is offered.
    OfferReinduction {
        /// Fewest infusions.
        least: u32,
        /// Most infusions.
        most: u32,
    },
    /// A psychiatrist looks at the whole before any new induction.
    PsychiatricReview,
    /// Nothing is suggested before this is known.
    Answer {
        /// What is missing, for a person.
        missing: Vec<String>,
    },
}

impl std::fmt::Display for Suggestion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::StartAt { mg_per_kg } => write!(f, "Start at {} mg/kg", plain(*mg_per_kg)),
            Self::KeepDose => f.write_str("Keep the dose"),
            Self::RaiseTo { mg_per_kg } => write!(f, "Raise the dose to {} mg/kg", plain(*mg_per_kg)),
            Self::LowerTo { from, to } => {
                write!(f, "Lower the dose to between {} and {} mg/kg", plain(*from), plain(*to))
            }
            Self::GoOn => f.write_str("Go on with the series"),
            Self::Review => f.write_str("Look at the plan again"),
            Self::DiscussStopping => f.write_str("Talk about stopping"),
            Self::NextAfter { days } => write!(f, "The next maintenance infusion after {days} days"),
            Self::WhenNeeded => f.write_str("Maintenance when needed"),
            Self::BookBetween { from, to } if from == to => write!(f, "Book the next booster on {to}"),
            Self::BookBetween { from, to } => write!(f, "Book the next booster between {from} and {to}"),
            Self::OfferReinduction { least, most } => {
                write!(f, "Offer a new induction of {least} to {most} infusions")
            }
            Self::PsychiatricReview => f.write_str("A psychiatrist looks at the whole first"),
            Self::Answer { missing } => write!(f, "No advice before this is known: {}", missing.join(", ")),
        }
    }
}

/// One suggestion with all that it rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Advice {
    /// What is suggested.
    pub suggestion: Suggestion,
    /// By which rule,
    pub rule: RuleId,
    /// in which version.
    pub version: u32,
    /// What it looked at, by name, as text.
    pub inputs: BTreeMap<String, String>,
    /// How it came about, step by step.
    pub working: Vec<String>,
    /// Where the rule comes from.
    pub sources: Vec<SourceId>,
}

impl Advice {
    pub(super) fn new(header: &Header, suggestion: Suggestion) -> Self {
        Self {
            suggestion,
            rule: RuleId::new(&header.id),
            version: header.version,
            inputs: BTreeMap::new(),
            working: Vec::new(),
            sources: header.sources.clone(),
        }
    }
    pub(super) fn saw(mut self, name: &str, value: impl ToString) -> Self {
        self.inputs.insert(name.to_owned(), value.to_string());
        self
    }
    pub(super) fn because(mut self, step: impl Into<String>) -> Self {
        self.working.push(step.into());
        self
    }
    fn from_finding(suggestion: Suggestion, finding: &Finding) -> Self {
        Self {
            suggestion,
            rule: finding.rule.clone(),
            version: finding.version,
            inputs: finding.inputs.clone(),
            working: vec![finding.reason.clone()],
            sources: finding.sources.clone(),
        }
    }
}

/// The advice rule that `pick` takes, or the advice that there is none.
fn rule<'a, T>(
    knowledge: &'a Knowledge,
    id: &str,
    pick: impl Fn(&'a Rule) -> Option<&'a T>,
) -> Result<(&'a Header, &'a T), Box<Advice>> {
    let found = knowledge.advice.iter().find_map(|item| Some((&item.header, pick(&item.body)?)));
    found.ok_or_else(|| Box::new(no_rule(id)))
}

fn no_rule(id: &str) -> Advice {
    let finding = gate::no_rule(id);
    Advice::from_finding(Suggestion::Answer { missing: vec![format!("rule {id}")] }, &finding)
}

fn titration(knowledge: &Knowledge) -> Result<(&Header, &Titration), Box<Advice>> {
    rule(knowledge, "titration", |advice| match advice {
        Rule::Titration(titration) => Some(titration),
        _ => None,
    })
}

pub(super) fn maintenance_rule(knowledge: &Knowledge) -> Result<(&Header, &Maintenance), Box<Advice>> {
    rule(knowledge, "maintenance", |advice| match advice {
        Rule::Maintenance(maintenance) => Some(maintenance),
        _ => None,
    })
}

/// What speaks for a lower first dose. `None` where nobody asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FirstDose {
    /// Years.
    pub age: Option<u32>,
    /// Frail.
    pub frail: Option<bool>,
    /// Blood pressure of the day in the amber band.
    pub pressure_amber: Option<bool>,
    /// Afraid of the first exposure.
    pub anxious: Option<bool>,
}

/// The first dose of a psychiatric course.
pub fn first_dose(patient: &FirstDose, knowledge: &Knowledge) -> Advice {
    match titration(knowledge) {
        Ok((header, rule)) => judge_first_dose(header, rule, patient),
        Err(none) => *none,
    }
}

fn judge_first_dose(header: &Header, rule: &Titration, patient: &FirstDose) -> Advice {
    let old = patient.age.map(|age| age >= rule.age_from);
    let asked = [
        (format!("age {} or more", rule.age_from), old),
        ("frailty".to_owned(), patient.frail),
        ("blood pressure in the amber band".to_owned(), patient.pressure_amber),
        ("afraid of the first exposure".to_owned(), patient.anxious),
    ];
    let there: Vec<&str> =
        asked.iter().filter(|(_, is)| *is == Some(true)).map(|(name, _)| name.as_str()).collect();
    let missing: Vec<String> =
        asked.iter().filter(|(_, is)| is.is_none()).map(|(name, _)| name.clone()).collect();
    // One reason is enough for the lower dose; the usual one needs every answer.
    let (suggestion, why) = if !there.is_empty() {
        (
            Suggestion::StartAt { mg_per_kg: rule.start_lower.0 },
            format!("{} instead of {}: {}", rule.start_lower, rule.start, there.join(", ")),
        )
    } else if missing.is_empty() {
        (Suggestion::StartAt { mg_per_kg: rule.start.0 }, format!("{}: nothing speaks for less", rule.start))
    } else {
        (Suggestion::Answer { missing: missing.clone() }, format!("not asked: {}", missing.join(", ")))
    };
    let shown = |is: Option<bool>| is.map_or("not asked", |is| if is { "yes" } else { "no" });
    asked
        .iter()
        .fold(Advice::new(header, suggestion).because(why), |advice, (name, is)| advice.saw(name, shown(*is)))
}

/// How the infusions at the present dose went, the worst of each. `None` where nobody knows.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AtThisDose {
    /// Whose limits hold.
    pub care_area: CareArea,
    /// Dose by weight as it was ordered.
    pub mg_per_kg: Decimal,
    /// Infusions at it that were given whole.
    pub infusions: u32,
    /// Those at it that were stopped early.
    #[serde(default)]
    pub stopped_early: Vec<StoppedEarly>,
    /// Fall of the primary scale since the baseline, %.
    pub improvement_percent: Option<Decimal>,
    /// Response by the definition of the condition.
    pub response: Option<bool>,
    /// An infusion was paused or stopped.
    pub paused_or_stopped: Option<bool>,
    /// Lowest sedation score.
    pub lowest_moaas: Option<Decimal>,
    /// Highest systolic pressure, mm[Hg].
    pub highest_systolic: Option<Decimal>,
    /// Highest diastolic pressure, mm[Hg].
    pub highest_diastolic: Option<Decimal>,
    /// Severe dissociation, vomiting, or a pause for blood pressure in the last infusion.
    pub poorly_tolerated: Option<bool>,
    /// The patient agrees to more.
    pub patient_agrees: Option<bool>,
}

/// The dose of the next infusion. `None` for other than psychiatric regimens, which have their own steps.
pub fn next_dose(went: &AtThisDose, knowledge: &Knowledge) -> Option<Advice> {
    if went.care_area != CareArea::Psych {
        return None;
    }
    let found = titration(knowledge);
    let cap = knowledge.caps.iter().find(|cap| {
        cap.body.quantity == Quantity::DosePerKg && cap.body.care_areas.contains(&went.care_area)
    });
    Some(match (found, cap) {
        (Ok((header, rule)), Some(cap)) => judge_next_dose(header, rule, cap, went),
        (Ok(_), None) => no_rule("cap_psych_dose"),
        (Err(none), _) => *none,
    })
}

fn judge_next_dose(header: &Header, rule: &Titration, cap: &Item<Cap>, went: &AtThisDose) -> Advice {
    let dose = went.mg_per_kg;
    let advice = |suggestion| {
        let advice = Advice::new(header, suggestion).saw("dose ordered", format!("{} mg/kg", plain(dose)));
        went.stopped_early.iter().fold(advice, |advice, one| {
            advice.because(format!(
                "{one}. The dose counts as it was ordered, and this infusion speaks for no raise"
            ))
        })
    };
    let part = |percent: Decimal| dose.saturating_mul(percent) / Decimal::ONE_HUNDRED;
    if went.poorly_tolerated == Some(true) {
        let [least, most] = rule.lower_percent;
        let (from, to) =
            (dose.saturating_sub(part(most)).normalize(), dose.saturating_sub(part(least)).normalize());
        return advice(Suggestion::LowerTo { from, to }).because(format!(
            "poorly tolerated: {} to {} % less",
            plain(least),
            plain(most)
        ));
    }
    if went.response == Some(true) {
        return advice(Suggestion::KeepDose).because("the patient responded: the dose holds");
    }
    let missing = went.missing();
    if !missing.is_empty() {
        return advice(Suggestion::Answer { missing: missing.clone() })
            .because(format!("not known: {}", missing.join(", ")));
    }
    let against = went.against_more(rule);
    if !against.is_empty() {
        return against.into_iter().fold(advice(Suggestion::KeepDose), Advice::because);
    }
    let step = rule.raise_by.0.min(part(rule.raise_most_percent));
    let to = dose.saturating_add(step).normalize();
    let working = format!(
        "{} + {} = {} mg/kg ({} at most, and {} % of the dose)",
        plain(dose),
        plain(step),
        plain(to),
        rule.raise_by,
        plain(rule.raise_most_percent)
    );
    let limit = &cap.body.limit;
    match limit.place(to) {
        Place::Recommended => advice(Suggestion::RaiseTo { mg_per_kg: to }).because(working),
        Place::OutsideRecommended => advice(Suggestion::RaiseTo { mg_per_kg: to }).because(working).because(
            format!("outside the recommended {} mg/kg: the order asks for a reason", limit.recommended),
        ),
        Place::OutsideAbsolute => advice(Suggestion::KeepDose)
            .because(working)
            .because(format!("outside the absolute limit of {} mg/kg", limit.absolute)),
    }
}

impl AtThisDose {
    fn missing(&self) -> Vec<String> {
        let asked = [
            ("a dose above 0", self.mg_per_kg > Decimal::ZERO),
            ("improvement since the baseline", self.improvement_percent.is_some()),
            ("response", self.response.is_some()),
            ("pauses and stops", self.paused_or_stopped.is_some() || !self.stopped_early.is_empty()),
            ("lowest MOAA/S", self.lowest_moaas.is_some()),
            ("highest systolic pressure", self.highest_systolic.is_some()),
            ("highest diastolic pressure", self.highest_diastolic.is_some()),
            ("how it was tolerated", self.poorly_tolerated.is_some()),
            ("whether the patient agrees", self.patient_agrees.is_some()),
        ];
        asked.into_iter().filter(|(_, known)| !known).map(|(name, _)| name.to_owned()).collect()
    }

    /// Every reason that keeps the dose where it is.
    fn against_more(&self, rule: &Titration) -> Vec<String> {
        let mut against = Vec::new();
        if self.infusions < rule.infusions_at_dose {
            against.push(format!(
                "{} whole infusions at this dose, asked are {}",
                self.infusions, rule.infusions_at_dose
            ));
        }
        let mut beyond =
            |what: &str, value: Option<Decimal>, is_well: &dyn Fn(Decimal) -> bool, limit: String| {
                if let Some(value) = value.filter(|value| !is_well(*value)) {
                    against.push(format!("{what} {}, {limit}", plain(value)));
                }
            };
        let below = rule.little_improvement_below_percent;
        beyond(
            "improvement",
            self.improvement_percent,
            &|is| is < below,
            format!("more is for less than {} %", plain(below)),
        );
        let (moaas, systolic, diastolic) = (rule.moaas_from, rule.systolic_to, rule.diastolic_to);
        beyond(
            "lowest MOAA/S",
            self.lowest_moaas,
            &|is| is >= moaas,
            format!("asked is {} or more", plain(moaas)),
        );
        beyond(
            "systolic pressure",
            self.highest_systolic,
            &|is| is <= systolic,
            format!("asked is {} at most", plain(systolic)),
        );
        beyond(
            "diastolic pressure",
            self.highest_diastolic,
            &|is| is <= diastolic,
            format!("asked is {} at most", plain(diastolic)),
        );
        if self.paused_or_stopped == Some(true) || !self.stopped_early.is_empty() {
            against.push("an infusion at this dose was paused or stopped".to_owned());
        }
        if self.patient_agrees == Some(false) {
            against.push("the patient does not agree to more".to_owned());
        }
        against
    }
}

/// Score before infusion 1 of the series and now. `None` where nobody knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Series {
    /// Before infusion 1.
    pub baseline: Option<Decimal>,
    /// Now.
    pub now: Option<Decimal>,
    /// After so many infusions,
    pub infusion: Option<u32>,
    /// of which so many were stopped early.
    #[serde(default)]
    pub stopped_early: u32,
}

/// Whether the series helps.
pub fn futility(series: &Series, knowledge: &Knowledge) -> Advice {
    let came = gate::futility(series.baseline, series.now, series.infusion, knowledge);
    let Some(finding) = came.assessment.findings.first() else { return no_rule("futility") };
    let suggestion = match came.advice {
        Some(FutilityAdvice::GoOn) => Suggestion::GoOn,
        Some(FutilityAdvice::Review) => Suggestion::Review,
        Some(FutilityAdvice::RecommendStopDiscussion) => Suggestion::DiscussStopping,
        None => Suggestion::Answer { missing: vec![finding.reason.clone()] },
    };
    let advice = Advice::from_finding(suggestion, finding);
    match series.stopped_early {
        0 => advice,
        early => advice.because(format!("{early} of the infusions stopped early, and counted here")),
    }
}

/// Where a patient in maintenance stands. PHQ-9 scores; `None` where nobody knows.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InMaintenance {
    /// What the visit found.
    pub visit: MaintenanceVisit,
    /// Before infusion 1 of the series.
    pub baseline: Option<Decimal>,
    /// Maintenance infusions so far.
    pub infusions: Option<u32>,
    /// Weeks since maintenance began.
    pub weeks: Option<u32>,
    /// Weeks for which the score stands where a relapse begins.
    pub weeks_relapsed: Option<u32>,
    /// In hospital for the condition since the last infusion.
    pub hospitalised: Option<bool>,
    /// New inductions in the last twelve months.
    pub reinductions: Option<u32>,
    /// Infusions in a row without response.
    pub without_response: Option<u32>,
    /// The last infusion, where it was stopped early.
    pub last_stopped_early: Option<StoppedEarly>,
}

/// The next interval, and what a relapse or a ladder that does not climb asks for. The gravest comes first.
pub fn maintenance(at: &InMaintenance, knowledge: &Knowledge) -> Vec<Advice> {
    let (header, rule) = match maintenance_rule(knowledge) {
        Ok(found) => found,
        Err(none) => return vec![*none],
    };
    let mut advice: Vec<Advice> =
        [judge_relapse(header, rule, at), judge_stuck(header, rule, at)].into_iter().flatten().collect();
    advice.push(judge_interval(header, rule, at, knowledge));
    advice
}

fn judge_relapse(header: &Header, rule: &Maintenance, at: &InMaintenance) -> Option<Advice> {
    let advice = |suggestion| {
        let shown = |value: Option<Decimal>| value.map_or_else(|| "not known".to_owned(), plain);
        Advice::new(header, suggestion).saw("now", shown(at.visit.now)).saw("baseline", shown(at.baseline))
    };
    let missing = |what: &str| Some(advice(Suggestion::Answer { missing: vec![what.to_owned()] }));
    let Some(hospitalised) = at.hospitalised else { return missing("whether the patient was in hospital") };
    let (Some(now), Some(baseline)) = (at.visit.now, at.baseline) else {
        return missing("PHQ-9 now and at the baseline");
    };
    let share = baseline.saturating_mul(rule.relapse_baseline_percent) / Decimal::ONE_HUNDRED;
    let is_high = now >= rule.relapse_from && now >= share;
    let Some(weeks) = at.weeks_relapsed.or((!is_high).then_some(0)) else {
        return missing("for how many weeks");
    };
    let relapsed = hospitalised || (is_high && weeks >= rule.relapse_wk);
    if !relapsed {
        return None;
    }
    let why = if hospitalised {
        "in hospital since the last infusion".to_owned()
    } else {
        let (from, percent) = (plain(rule.relapse_from), plain(rule.relapse_baseline_percent));
        format!(
            "PHQ-9 {}: {from} or more, and {percent} % or more of {}, for {weeks} weeks",
            plain(now),
            plain(baseline)
        )
    };
    let Some(before) = at.reinductions else { return missing("new inductions in the last twelve months") };
    let [least, most] = rule.reinduction;
    if before >= rule.reinductions_a_year {
        let limit =
            format!("{before} new inductions in twelve months, the limit is {}", rule.reinductions_a_year);
        return Some(advice(Suggestion::PsychiatricReview).because(why).because(limit));
    }
    Some(advice(Suggestion::OfferReinduction { least, most }).because(why))
}

fn judge_stuck(header: &Header, rule: &Maintenance, at: &InMaintenance) -> Option<Advice> {
    let known = at.weeks.zip(at.without_response).zip(at.visit.rung_d).zip(rule.rungs_d.first());
    let Some((((weeks, without), rung), shortest)) = known else {
        let missing = vec!["weeks of maintenance, infusions without response, or the interval".to_owned()];
        return Some(Advice::new(header, Suggestion::Answer { missing }));
    };
    let mut why = Vec::new();
    if weeks >= rule.stuck_after_wk && rung <= *shortest {
        why.push(format!("the interval is {rung} days after {weeks} weeks"));
    }
    if without >= rule.no_response_infusions {
        why.push(format!("no response for {without} infusions"));
    }
    (!why.is_empty()).then(|| {
        let advice = Advice::new(header, Suggestion::DiscussStopping);
        why.into_iter().fold(advice, Advice::because).because(rule.instead.clone())
    })
}

fn judge_interval(header: &Header, rule: &Maintenance, at: &InMaintenance, knowledge: &Knowledge) -> Advice {
    let came = gate::maintenance(&at.visit, knowledge);
    let Some(finding) = came.assessment.findings.first() else { return no_rule("maintenance") };
    let steps_back = finding.verdict >= Verdict::Warn;
    let first = rule.rungs_d.first().copied();
    if let (false, Some(given), Some(days)) = (steps_back, at.infusions, first)
        && given < rule.first_rung_infusions
    {
        let why = format!(
            "maintenance begins with {} infusions {days} days apart; {given} given",
            rule.first_rung_infusions
        );
        return Advice::new(header, Suggestion::NextAfter { days }).saw("infusions", given).because(why);
    }
    let suggestion = match (came.next, at.infusions) {
        (Some(_), None) if !steps_back => {
            Suggestion::Answer { missing: vec!["maintenance infusions so far".to_owned()] }
        }
        (Some(NextInterval::Days(days)), _) => Suggestion::NextAfter { days },
        (Some(NextInterval::AsNeeded), _) => Suggestion::WhenNeeded,
        (None, _) => Suggestion::Answer { missing: vec![finding.reason.clone()] },
    };
    let advice = Advice::from_finding(suggestion, finding);
    let Some(part) = &at.last_stopped_early else { return advice };
    let mut advice = advice.because(format!("The last infusion: {part}"));
    let longer = match advice.suggestion {
        Suggestion::NextAfter { days } => at.visit.rung_d.filter(|rung| days > *rung),
        Suggestion::WhenNeeded => at.visit.rung_d,
        _ => None,
    };
    if let Some(days) = longer {
        advice.suggestion = Suggestion::NextAfter { days };
        advice = advice.because("a stable score after a part of a dose lengthens no interval");
    }
    advice
}
