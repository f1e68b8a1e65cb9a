//! Where the level is and where it goes: one person, what was delivered so far, and what may come next.
//!
//! A curve always comes with a band, its sampling site and its models. Outside a model's domain there is no number,
//! only reasons.

use crate::model::{Form, Model, Site};
use crate::person::{Body, Course};
use crate::refused::{Accepted, Refused, TIME};
use crate::schedule::{Dose, Schedule};
use crate::units::{Kg, Mg, MgPerKg, MgPerMin, Minutes, NgPerMl, PerMin, Ratio, Years};
use std::fmt;
use std::ops::RangeInclusive;

/// A stretch of delivery at one rate, as the pump reported it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Delivered {
    /// First moment.
    pub start: Minutes,
    /// Last moment, not after now.
    pub end: Minutes,
    /// Of what is given.
    pub rate: MgPerMin,
}

/// What may come next.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Scenario {
    /// The rate that runs now, until a time. What runs now is what was delivered up to this very moment.
    Continue {
        /// End.
        until: Minutes,
    },
    /// Nothing more.
    StopNow,
    /// Another rate from now on.
    ChangeTo {
        /// New rate of what is given.
        rate: MgPerMin,
        /// End.
        until: Minutes,
    },
}

/// How the effect site follows the plasma. Valid for one sampling site only.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EffectSite {
    /// Typical.
    pub ke0: PerMin,
    /// Limits of its confidence interval.
    pub ke0_range: (PerMin, PerMin),
    /// Site of the blood it was estimated from.
    pub site: Site,
}

/// What is asked.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// What is in the syringe.
    pub given: Form,
    /// Whom it is given to.
    pub body: Body,
    /// So far. Nothing yet is an empty list.
    pub delivered: &'a [Delivered],
    /// This moment.
    pub now: Minutes,
    /// What may come next, at most 8.
    pub scenarios: &'a [Scenario],
    /// Last moment to show.
    pub horizon: Minutes,
    /// Distance of the points; the moments now, the end of a scenario and the horizon are always shown.
    pub step: Minutes,
    /// The line.
    pub model: &'a Model,
    /// Its effect site.
    pub effect_site: EffectSite,
    /// The band, at most 16; those outside their own domain are left out and named.
    pub comparisons: &'a [&'a Model],
}

/// What a level is a level of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Basis {
    /// Both halves, by a model of both.
    Racemate,
    /// Twice the S half, by a model of the S half given half of the dose: an equivalent, not a measurement.
    TwiceS,
    /// The S half, by a model of it.
    S,
    /// The S half, by a model of the racemate that takes both halves for alike.
    SByRacemate,
}

impl Basis {
    /// How a model of one form answers for what is given.
    #[must_use]
    pub fn of(given: Form, model: Form) -> Self {
        match (given, model) {
            (Form::Racemate, Form::Racemate) => Self::Racemate,
            (Form::Racemate, Form::SEnantiomer) => Self::TwiceS,
            (Form::SEnantiomer, Form::SEnantiomer) => Self::S,
            (Form::SEnantiomer, Form::Racemate) => Self::SByRacemate,
        }
    }

    /// What of the dose goes into the model.
    #[must_use]
    pub fn of_dose(self) -> Ratio {
        Ratio(if self == Self::TwiceS { 0.5 } else { 1.0 })
    }

    /// What the model's level is multiplied by.
    #[must_use]
    pub fn of_level(self) -> Ratio {
        Ratio(if self == Self::TwiceS { 2.0 } else { 1.0 })
    }
}

/// Why a model says nothing.
#[derive(Debug, Clone, PartialEq)]
pub enum Reason {
    /// The model needs an age.
    AgeMissing,
    /// Younger or older than the model's people.
    Age {
        /// Of this person.
        age: Years,
        /// Of the model.
        valid: RangeInclusive<Years>,
    },
    /// Lighter or heavier than the model's people.
    Weight {
        /// Of this person.
        weight: Kg,
        /// Of the model.
        valid: RangeInclusive<Kg>,
    },
    /// More in one administration than the model was made for.
    Dose {
        /// Delivered and planned in the largest of them.
        dose: MgPerKg,
        /// Of the model.
        most: MgPerKg,
    },
    /// Longer than the model was made for.
    Length {
        /// Of the longest administration.
        length: Minutes,
        /// Of the model.
        longest: Minutes,
    },
    /// An infusion, or a peak of its rate, that is shorter than the model was made for.
    Fast {
        /// Of the peak.
        length: Minutes,
        /// Of the model.
        shortest: Minutes,
    },
    /// Levels sooner after a bolus than the model was made for.
    AfterBolus {
        /// How long after it they mean nothing.
        length: Minutes,
    },
    /// More at once by a way in than it takes.
    OneDose {
        /// The way in.
        route: String,
        /// Given at once.
        dose: Mg,
        /// Of the model.
        most: Mg,
    },
    /// The effect site belongs to another sampling site than the model.
    Site {
        /// Of the model.
        model: Site,
        /// Of the effect site.
        effect: Site,
    },
    /// No comparison model is in its domain, so there is no band, and without a band no number is shown.
    NoBand,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AgeMissing => write!(f, "the age is missing"),
            Self::Age { age, valid } => {
                write!(f, "age {} years, valid {} to {}", age.0, valid.start().0, valid.end().0)
            }
            Self::Weight { weight, valid } => {
                write!(f, "weight {weight}, valid {} to {}", valid.start().0, valid.end())
            }
            Self::Dose { dose, most } => write!(f, "dose {:.2} mg/kg, valid up to {most}", dose.0),
            Self::Length { length, longest } if length.0.is_infinite() => {
                write!(f, "given since before memory, valid up to {longest}")
            }
            Self::Length { length, longest } => write!(f, "{:.0} min long, valid up to {longest}", length.0),
            Self::Fast { length, shortest } => {
                let length = length.0;
                write!(f, "an infusion, or a peak of its rate, of {length:.1} min, valid from {shortest} on")
            }
            Self::AfterBolus { length } => write!(f, "the first {length} after a bolus mean nothing"),
            Self::OneDose { route, dose, most } => {
                write!(f, "{dose} {route} in one dose, valid up to {most}")
            }
            Self::Site { model, effect } => {
                write!(f, "the model is {model:?}, the effect site {effect:?}: they do not mix")
            }
            Self::NoBand => write!(f, "no second model holds here, and no curve is shown without a band"),
        }
    }
}

/// A number, or why there is none.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer<T> {
    /// The question lies in the domain.
    InDomain(T),
    /// It does not. At least one reason.
    OutOfDomain(Vec<Reason>),
}

/// Levels at the times of their curve.
#[derive(Debug, Clone, PartialEq)]
pub struct Banded {
    /// By the question's model.
    pub line: Vec<NgPerMl>,
    /// Least of all models at each time.
    pub low: Vec<NgPerMl>,
    /// Greatest of all models at each time.
    pub high: Vec<NgPerMl>,
}

/// Levels over time.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    /// Rising.
    pub times: Vec<Minutes>,
    /// Who spans the band, the line's model first. Sites may differ, so each names its own.
    pub band: Vec<Origin>,
    /// In plasma at each model's own sampling site.
    pub plasma: Banded,
    /// At the effect site; the band is over the models of its sampling site and the range of ke0.
    pub effect: Banded,
}

/// A model and how it answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// Model id.
    pub model: String,
    /// Where its blood was drawn.
    pub site: Site,
    /// What its level is a level of.
    pub basis: Basis,
}

/// One future.
#[derive(Debug, Clone, PartialEq)]
pub struct Future {
    /// As asked.
    pub scenario: Scenario,
    /// From now to the horizon.
    pub curve: Answer<Curve>,
}

/// What a chair may show.
#[derive(Debug, Clone, PartialEq)]
pub struct Forecast {
    /// Who draws the line.
    pub line: Origin,
    /// Who spans no band at all, and why.
    pub left_out: Vec<(Origin, Vec<Reason>)>,
    /// Delivered so far.
    pub delivered: Mg,
    /// From the first delivery until now; only now when nothing was delivered.
    pub past: Curve,
    /// One for each scenario.
    pub futures: Vec<Future>,
}

const POINTS_MAX: usize = 20_000;
const SCENARIOS_MAX: usize = 8;
const COMPARISONS_MAX: usize = 16;

/// Answers a question.
///
/// # Errors
/// Times, rates or weights that are no numbers or do not follow each other; too many points, scenarios or models.
/// Out of domain is not an error but an answer.
pub fn forecast(question: &Question) -> Result<Answer<Forecast>, Refused> {
    question.check()?;
    let past = question.doses()?;
    let mut against = question.model.objections(question.body, &past);
    if question.effect_site.site != question.model.site() {
        against.push(Reason::Site { model: question.model.site(), effect: question.effect_site.site });
    }
    let mut models = vec![question.model];
    let mut left_out = Vec::new();
    for model in question.comparisons.iter().copied().filter(|m| m.id() != question.model.id()) {
        let reasons = model.objections(question.body, &past);
        if reasons.is_empty() { models.push(model) } else { left_out.push((question.origin(model), reasons)) }
    }
    if models.len() < 2 {
        against.push(Reason::NoBand);
    }
    if !against.is_empty() {
        return Ok(Answer::OutOfDomain(against));
    }
    let first = past.start().map_or(question.now, |t| Minutes(t.0.min(question.now.0)));
    let futures =
        question.scenarios.iter().map(|s| question.future(*s, &models)).collect::<Result<_, _>>()?;
    Ok(Answer::InDomain(Forecast {
        line: question.origin(question.model),
        left_out,
        delivered: past.amount(),
        past: question.curve(&models, &past, &question.grid(first, question.now, None))?,
        futures,
    }))
}

impl Model {
    /// Why the model has nothing to say about a body and what it is given, in mg of that. Empty inside its domain.
    #[must_use]
    pub fn objections(&self, body: Body, given: &Schedule) -> Vec<Reason> {
        let valid = &self.spec().validity;
        let mut reasons = Vec::new();
        match body.age {
            None => reasons.push(Reason::AgeMissing),
            Some(age) if !valid.age.contains(&age) => {
                reasons.push(Reason::Age { age, valid: valid.age.clone() })
            }
            Some(_) => {}
        }
        let weight = body.weight;
        if !valid.weight.contains(&weight) {
            reasons.push(Reason::Weight { weight, valid: valid.weight.clone() });
            return reasons;
        }
        let each = given.administrations(self.washout(body));
        let dose = MgPerKg(each.iter().map(|one| one.amount.0 / weight.0).fold(0.0, f64::max));
        // Half a part in a million above the limit is the rounding of a rate, not a larger dose.
        if dose.0 > valid.dose_max.0 * (1.0 + 5e-7) {
            reasons.push(Reason::Dose { dose, most: valid.dose_max });
        }
        let longest = each.iter().map(|one| one.end.0 - one.start.0).fold(0.0, f64::max);
        let length = if given.has_rows() { f64::INFINITY } else { longest };
        if length > valid.length_max.0 {
            reasons.push(Reason::Length { length: Minutes(length), longest: valid.length_max });
        }
        reasons
    }

    /// How long after a dose the next one is a new administration to this body: as long as [`WASHOUT`] of the typical
    /// person's slowest half-lives. Infinite where nothing is eliminated or nobody knows.
    #[must_use]
    pub fn washout(&self, body: Body) -> Minutes {
        let slowest = self.typical(body).ok().and_then(|person| person.parent().modes().next());
        slowest.map_or(Minutes(f64::INFINITY), |(rate, _)| Minutes(WASHOUT * std::f64::consts::LN_2 / rate.0))
    }
}

/// Half-lives after which a dose counts as gone: 3 % of what was in the slowest store is left, less than any assay or
/// any model's spread tells from nothing. The customary washout between two periods of a crossover study.
pub const WASHOUT: f64 = 5.0;

impl Question<'_> {
    fn check(&self) -> Result<(), Refused> {
        for (what, count, most) in [
            ("scenarios", self.scenarios.len(), SCENARIOS_MAX),
            ("comparison models", self.comparisons.len(), COMPARISONS_MAX),
        ] {
            if count > most {
                return Err(Refused::TooMany { what, count, most });
            }
        }
        let now = TIME.check(self.now.0)?;
        for d in self.delivered {
            Accepted { what: "end of what was delivered", high: now, ..TIME }.check(d.end.0)?;
        }
        let horizon = Accepted { what: "horizon", low: now, ..TIME }.check(self.horizon.0)?;
        let step = Accepted { what: "step", low: 0.01, high: 1440.0, unit: "min" }.check(self.step.0)?;
        let first = self.delivered.iter().map(|d| d.start.0).fold(now, f64::min);
        let count = ((horizon - first) / step) as usize;
        if count > POINTS_MAX {
            return Err(Refused::TooMany { what: "points", count, most: POINTS_MAX });
        }
        for s in self.scenarios {
            if let Scenario::Continue { until } | Scenario::ChangeTo { until, .. } = s {
                Accepted { what: "end of the scenario", low: now, ..TIME }.check(until.0)?;
            }
        }
        Ok(())
    }

    fn origin(&self, model: &Model) -> Origin {
        Origin {
            model: model.id().to_owned(),
            site: model.site(),
            basis: Basis::of(self.given, model.form()),
        }
    }

    fn doses(&self) -> Result<Schedule, Refused> {
        Schedule::new(self.delivered.iter().map(|d| Dose::Infusion {
            start: d.start,
            end: d.end,
            rate: d.rate,
        }))
    }

    /// What was delivered and what the scenario adds.
    fn with(&self, scenario: Scenario) -> Result<Schedule, Refused> {
        let (rate, until) = match scenario {
            Scenario::StopNow => return self.doses(),
            Scenario::ChangeTo { rate, until } => (rate, until),
            Scenario::Continue { until } => {
                let running = self.delivered.iter().filter(|d| d.end == self.now).map(|d| d.rate.0);
                (MgPerMin(running.sum()), until)
            }
        };
        let planned = Dose::Infusion { start: self.now, end: until, rate };
        let planned = (until > self.now).then_some(planned);
        Schedule::new(self.doses()?.doses().iter().copied().chain(planned))
    }

    fn future(&self, scenario: Scenario, models: &[&Model]) -> Result<Future, Refused> {
        let doses = self.with(scenario)?;
        let against = self.model.objections(self.body, &doses);
        // A model that leaves its domain on the way spans no band over this future.
        let models: Vec<_> =
            models.iter().copied().filter(|m| m.objections(self.body, &doses).is_empty()).collect();
        let curve = if !against.is_empty() {
            Answer::OutOfDomain(against)
        } else if models.len() < 2 {
            Answer::OutOfDomain(vec![Reason::NoBand])
        } else {
            Answer::InDomain(self.curve(&models, &doses, &self.grid(self.now, self.horizon, doses.end()))?)
        };
        Ok(Future { scenario, curve })
    }

    /// From one moment to another, both shown, and one between them.
    fn grid(&self, from: Minutes, to: Minutes, also: Option<Minutes>) -> Vec<Minutes> {
        let count = ((to.0 - from.0) / self.step.0).ceil().max(0.0) as usize;
        let regular = (0..count.min(POINTS_MAX)).map(|i| Minutes(from.0 + self.step.0 * i as f64));
        let mut times: Vec<Minutes> = regular.chain([to]).collect();
        times.extend(also.filter(|t| (from..=to).contains(t)));
        times.sort_by(|a, b| a.0.total_cmp(&b.0));
        times.dedup();
        times
    }

    fn course(
        &self,
        model: &Model,
        doses: &Schedule,
        ke0: PerMin,
        times: &[Minutes],
    ) -> Result<Course, Refused> {
        let basis = Basis::of(self.given, model.form());
        let person = model.typical(self.body)?;
        let mut course = person.parent_course(&doses.scaled(basis.of_dose())?, Some(ke0), times)?;
        let levels = course.plasma.iter_mut().chain(course.effect.iter_mut().flatten());
        levels.for_each(|level| level.0 *= basis.of_level().0);
        Ok(course)
    }

    fn curve(&self, models: &[&Model], doses: &Schedule, times: &[Minutes]) -> Result<Curve, Refused> {
        let site = self.effect_site;
        let line = self.course(self.model, doses, site.ke0, times)?;
        let mut plasma = Banded::around(line.plasma);
        let mut effect = Banded::around(line.effect.unwrap_or_default());
        for model in models {
            for ke0 in [site.ke0, site.ke0_range.0, site.ke0_range.1] {
                let other = self.course(model, doses, ke0, times)?;
                plasma.widen(&other.plasma);
                if model.site() != site.site {
                    break;
                }
                effect.widen(&other.effect.unwrap_or_default());
            }
        }
        let band = models.iter().map(|m| self.origin(m)).collect();
        Ok(Curve { times: times.to_vec(), band, plasma, effect })
    }
}

impl Banded {
    fn around(line: Vec<NgPerMl>) -> Self {
        Self { low: line.clone(), high: line.clone(), line }
    }

    fn widen(&mut self, by: &[NgPerMl]) {
        for ((low, high), level) in self.low.iter_mut().zip(&mut self.high).zip(by) {
            low.0 = low.0.min(level.0);
            high.0 = high.0.max(level.0);
        }
    }
}

#[cfg(test)]
mod tests;
