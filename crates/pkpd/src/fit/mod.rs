//! One person's parameters from a few measurements: the most likely deviation from the typical person, and how sure
//! that is (maximum a posteriori, Sheiner and Beal 1982; the residual variance is that of the individual, FOCE-I).

mod error;
mod many;
mod posterior;

pub use error::Explained;
pub use many::{Estimate, Samples, fit_many};
pub use posterior::{DRAWS_MAX, Known, Posterior, posterior};

use crate::forecast::Banded;
use crate::model::{Block, Model, Residual, Site, Value};
use crate::newton::{self, Minimum};
use crate::person::{Body, Course, Individual, changing_course, check_times};
use crate::refused::{Accepted, Refused, TIME};
use crate::schedule::Schedule;
use crate::spread::{cholesky, plain};
use crate::units::{Minutes, NgPerMl, PerMin, Ratio};
use error::{deviance, explained, possible};

/// One measurement.
#[derive(Debug, Clone, PartialEq)]
pub struct Observation {
    /// When the blood was drawn.
    pub at: Minutes,
    /// Name of the analyte as the model has it.
    pub analyte: String,
    /// What the laboratory said.
    pub level: Reported,
}

/// What a laboratory reports.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Reported {
    /// A level.
    Level(NgPerMl),
    /// Less than the limit of quantification (method M3 of Beal 2001: the likelihood of lying below).
    Below(NgPerMl),
}

/// How measurement errors are distributed around the truth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Errors {
    /// As the model says.
    Normal,
    /// Student's t with 4 degrees of freedom: one wild value does not carry the fit away.
    Robust,
}

/// What is asked.
#[derive(Debug, Clone, Copy)]
pub struct FitQuestion<'a> {
    /// With spread and residual errors.
    pub model: &'a Model,
    /// Who.
    pub body: Body,
    /// What was given, in mg of what the model describes.
    pub schedule: &'a Schedule,
    /// At most 1000.
    pub observations: &'a [Observation],
    /// Where the blood was drawn. Another site than the model's is refused.
    pub site: Site,
    /// How errors are distributed.
    pub errors: Errors,
    /// Beginnings of the occasions after the first: from each on the person deviates anew by what the model has as
    /// spread between occasions. Without any, that spread does not count.
    pub occasions: &'a [Minutes],
}

/// The answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Fit {
    /// Deviation of each parameter, 0 for those without spread; in the model's order.
    pub eta: Vec<Ratio>,
    /// Names of the parameters with spread, in the order of `covariance`.
    pub names: Vec<String>,
    /// Posterior covariance of their etas.
    pub covariance: Vec<Vec<Ratio>>,
    /// -2 log posterior at the optimum, without constants: `Σ[(y-f)²/v + ln v] + η'Ω⁻¹η`.
    pub objective: Ratio,
    /// By how much each occasion deviates from the person: one eta for each parameter, in the model's order. Empty where
    /// no occasions were asked for.
    pub occasions: Vec<Vec<Ratio>>,
    /// The person's parameters by name.
    pub parameters: Vec<(String, Value)>,
    /// Each measurement beside the fit, in the order of the question.
    pub explained: Vec<Explained>,
    /// Doubts for a person to read.
    pub warnings: Vec<Warning>,
}

/// A doubt about a fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Warning {
    /// The search stopped before it was sure of the optimum.
    NotConverged,
    /// The optimum is no clear valley, so the covariance is that of a damped one.
    Flat,
    /// Weight or age lies outside the model's domain.
    OutsideValidity,
    /// The measurements say nothing about this parameter: it keeps the spread of the population.
    Uninformed(String),
    /// The curvature at the optimum says that the measurements tell nothing of this parameter, or less than nothing, and
    /// yet they moved it: its spread is not to be trusted.
    Unsure(String),
    /// This parameter lies further from the typical person than anybody of the population.
    Outlying(String),
    /// The observation at this place of the question lies more than [`UNEXPLAINED`] standard deviations of the model's
    /// error from the fit.
    Unexplained(usize),
}

const OBSERVATIONS_MAX: usize = 1000;
const LEVEL: Accepted = Accepted { what: "measured level", low: 0.0, high: 1e9, unit: "ng/mL" };

/// A parameter that keeps more than this share of its prior standard deviation was not informed.
const UNINFORMED: f64 = 0.99;

/// And one that deviates by more than this many prior standard deviations was moved by the measurements.
const MOVED: f64 = 0.1;

/// A parameter that deviates by more than so many prior standard deviations is nobody's of the population.
const OUTLYING: f64 = 4.0;

/// A level that deviates by more than so many standard deviations of the model's error is not explained by the fit. By
/// the normal distribution one level in 370 of a right model lies so far out.
pub const UNEXPLAINED: f64 = 3.0;

/// Fits one person.
///
/// ```
/// # mod example { use pkpd::*; include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/model.rs")); }
/// # use example::model;
/// # use pkpd::*;
/// let model = model()?;
/// let body = Body { weight: Kg(70.0), age: Some(Years(40.0)) };
/// let schedule = Schedule::new([Dose::over(Mg(35.0), Minutes(40.0), Minutes(0.0))])?;
/// // Somebody who clears by half more than the typical person, measured without error.
/// let eta = [Ratio(1.5_f64.ln())];
/// let times = [20.0, 40.0, 80.0, 160.0].map(Minutes);
/// let levels = model.individual(body, &eta)?.course(&schedule, None, &times)?.plasma;
/// let observations: Vec<Observation> = times.iter().zip(levels)
///     .map(|(at, level)| Observation { at: *at, analyte: "drug".to_owned(), level: Reported::Level(level) })
///     .collect();
/// let (site, errors) = (Site::Arterial, Errors::Normal);
/// let found = fit(&FitQuestion {
///     model: &model, body, schedule: &schedule, observations: &observations, site, errors, occasions: &[],
/// })?;
/// // Between the typical person and the truth, and nearer to what was measured.
/// assert!(0.2 < found.eta[0].0 && found.eta[0] < eta[0]);
/// assert!(found.explained.iter().all(|one| one.deviation.0.abs() < 1.0));
///
/// // Venous blood does not belong to an arterial model.
/// let venous = FitQuestion {
///     model: &model, body, schedule: &schedule, observations: &observations, site: Site::Venous, errors, occasions: &[],
/// };
/// assert!(fit(&venous).is_err());
/// # Ok::<(), Refused>(())
/// ```
///
/// # Errors
/// A model without spread, an analyte or a residual error that it does not have, levels or times that are no numbers,
/// blood from another site than the model's.
pub fn fit(question: &FitQuestion) -> Result<Fit, Refused> {
    let likelihood = Likelihood::new(question)?;
    likelihood.answer(&likelihood.lowest()?)
}

impl Fit {
    /// The person's plasma level with a 90 % band of its uncertainty, not of measurement error (delta method on the
    /// logarithm).
    ///
    /// # Errors
    /// Another model than the fitted one, and what [`Individual::parent_course`] refuses.
    pub fn band(
        &self,
        model: &Model,
        body: Body,
        schedule: &Schedule,
        times: &[Minutes],
    ) -> Result<Banded, Refused> {
        /// Half width of a 90 % band in standard deviations.
        const WIDTH: f64 = 1.644_853_626_951_472_7;
        const H: f64 = 1e-4;
        let levels =
            |eta: &[Ratio]| Ok(model.individual(body, eta)?.parent_course(schedule, None, times)?.plasma);
        let line: Vec<NgPerMl> = levels(&self.eta)?;
        let mut slopes: Vec<Vec<f64>> = Vec::with_capacity(self.names.len());
        for name in &self.names {
            let index = model.spec().parameters.iter().position(|p| p.name == *name);
            let index = index.ok_or(Refused::Missing("a parameter of the fitted model"))?;
            let side = |h: f64| {
                let mut eta = self.eta.clone();
                eta.iter_mut().skip(index).take(1).for_each(|e| e.0 += h);
                levels(&eta)
            };
            let log = |x: NgPerMl| if x.0 > 0.0 { x.0.ln() } else { 0.0 };
            let pairs = side(H)?.into_iter().zip(side(-H)?);
            slopes.push(pairs.map(|(a, b)| (log(a) - log(b)) / (2.0 * H)).collect());
        }
        let at = |i: usize, time: usize| slopes.get(i).and_then(|s| s.get(time)).copied().unwrap_or_default();
        let mut banded = Banded { low: line.clone(), high: line.clone(), line };
        for (time, (low, high)) in banded.low.iter_mut().zip(&mut banded.high).enumerate() {
            let rows = self.covariance.iter().enumerate();
            let variance: f64 = rows
                .map(|(i, row)| {
                    at(i, time) * row.iter().enumerate().map(|(j, c)| c.0 * at(j, time)).sum::<f64>()
                })
                .sum();
            let factor = (WIDTH * variance.max(0.0).sqrt()).exp();
            low.0 /= factor;
            high.0 *= factor;
        }
        Ok(banded)
    }
}

/// Whitened spread: eta = L·z, so that z is standard normal before any measurement.
#[derive(Debug, Clone)]
struct Whitened {
    /// Index of the parameter and its row of L, one for each z.
    rows: Vec<(usize, Vec<f64>)>,
    /// The same of one occasion; its z come after those of the person, occasion by occasion.
    of_occasion: Vec<(usize, Vec<f64>)>,
    occasions: usize,
    parameters: usize,
}

/// Most occasions of one person.
const OCCASIONS_MAX: usize = 20;

impl Whitened {
    fn of(model: &Model, later: &[Minutes]) -> Self {
        let spec = model.spec();
        let occasions = if later.is_empty() { 0 } else { later.len() + 1 };
        let rows = |blocks: &[Block]| {
            let mut rows: Vec<(usize, Vec<f64>)> = Vec::new();
            for block in blocks {
                let before = rows.len();
                let factor = cholesky(&plain(&block.covariance)).unwrap_or_default();
                for (name, row) in block.parameters.iter().zip(factor) {
                    let index = spec.parameters.iter().position(|p| p.name == *name).unwrap_or_default();
                    rows.push((index, std::iter::repeat_n(0.0, before).chain(row).collect()));
                }
            }
            rows
        };
        Self {
            rows: rows(&spec.variability),
            of_occasion: rows(&spec.occasions),
            occasions,
            parameters: spec.parameters.len(),
        }
    }

    fn len(&self) -> usize {
        self.rows.len() + self.occasions * self.of_occasion.len()
    }

    fn eta(&self, z: &[f64]) -> Vec<Ratio> {
        self.etas_of(&self.rows, z)
    }

    /// What an occasion adds to it.
    fn of_occasion(&self, z: &[f64], occasion: usize) -> Vec<Ratio> {
        let first = self.rows.len() + occasion * self.of_occasion.len();
        self.etas_of(&self.of_occasion, z.get(first..).unwrap_or_default())
    }

    fn etas_of(&self, rows: &[(usize, Vec<f64>)], z: &[f64]) -> Vec<Ratio> {
        let mut eta = vec![Ratio(0.0); self.parameters];
        for (index, row) in rows {
            if let Some(slot) = eta.get_mut(*index) {
                slot.0 = row.iter().zip(z).map(|(l, z)| l * z).sum();
            }
        }
        eta
    }

    /// `L·C·Lᵀ`
    fn covariance(&self, of_z: &[Vec<f64>]) -> Vec<Vec<Ratio>> {
        let half: Vec<Vec<f64>> = self
            .rows
            .iter()
            .map(|(_, row)| {
                (0..of_z.len())
                    .map(|j| {
                        row.iter().zip(of_z).map(|(l, c)| l * c.get(j).copied().unwrap_or_default()).sum()
                    })
                    .collect()
            })
            .collect();
        half.iter()
            .map(|left| {
                let cell =
                    |(_, row): &(usize, Vec<f64>)| Ratio(left.iter().zip(row).map(|(a, b)| a * b).sum());
                self.rows.iter().map(cell).collect()
            })
            .collect()
    }
}

struct Likelihood<'a> {
    question: &'a FitQuestion<'a>,
    spread: Whitened,
    /// Rising times of all observations.
    times: Vec<Minutes>,
    /// Each observation with the place of its time and its residual error.
    observations: Vec<(usize, &'a Observation, Residual)>,
    only_parent: bool,
}

impl<'a> Likelihood<'a> {
    fn new(question: &'a FitQuestion<'a>) -> Result<Self, Refused> {
        let (model, spec) = (question.model, question.model.spec());
        let fault = |why: String| Refused::Model { model: model.id().to_owned(), why };
        if question.site != model.site() {
            return Err(fault(format!("is {:?}; it cannot explain {:?} blood", model.site(), question.site)));
        }
        if spec.variability.is_empty() {
            return Err(fault("has no between-person spread, so nothing can be fitted".to_owned()));
        }
        check_times(question.occasions)?;
        if !question.occasions.is_empty() && spec.occasions.is_empty() {
            return Err(fault("has no source for a spread between occasions".to_owned()));
        }
        if question.occasions.len() >= OCCASIONS_MAX {
            let count = question.occasions.len() + 1;
            return Err(Refused::TooMany { what: "occasions", count, most: OCCASIONS_MAX });
        }
        if question.observations.len() > OBSERVATIONS_MAX {
            let count = question.observations.len();
            return Err(Refused::TooMany { what: "observations", count, most: OBSERVATIONS_MAX });
        }
        let mut sorted: Vec<&Observation> = question.observations.iter().collect();
        sorted.sort_by(|a, b| a.at.0.total_cmp(&b.at.0));
        let mut times: Vec<Minutes> = Vec::with_capacity(sorted.len());
        let mut observations = Vec::with_capacity(sorted.len());
        for observation in sorted {
            TIME.check(observation.at.0)?;
            let (Reported::Level(level) | Reported::Below(level)) = observation.level;
            LEVEL.check(level.0)?;
            let residual = spec.residuals.iter().find(|(analyte, _)| *analyte == observation.analyte);
            let (_, residual) =
                residual.ok_or_else(|| fault(format!("has no residual error of {}", observation.analyte)))?;
            if times.last() != Some(&observation.at) {
                times.push(observation.at);
            }
            observations.push((times.len() - 1, observation, *residual));
        }
        // The typical person tells whether body and doses are accepted, before deviations are tried.
        model.typical(question.body)?;
        let parent = spec.compartments.first().and_then(|c| c.analyte.as_ref()).map(|a| &a.name);
        let only_parent = observations.iter().all(|(_, o, _)| Some(&o.analyte) == parent);
        let likelihood = Self {
            question,
            spread: Whitened::of(model, question.occasions),
            times,
            observations,
            only_parent,
        };
        likelihood.refuse_impossible_levels()?;
        Ok(likelihood)
    }

    fn refuse_impossible_levels(&self) -> Result<(), Refused> {
        for ((_, observation, residual), predicted) in self.observations.iter().zip(self.typical()) {
            let level = match observation.level {
                // Nothing lies below a limit of 0.
                Reported::Below(limit) if limit.0 > 0.0 => continue,
                Reported::Level(level) | Reported::Below(level) => level,
            };
            let place = self.place(observation);
            possible(place, (&observation.analyte, observation.at, level), *residual, predicted)?;
        }
        Ok(())
    }

    /// Of an observation in the question.
    fn place(&self, observation: &Observation) -> usize {
        let mut all = self.question.observations.iter();
        all.position(|other| std::ptr::eq(other, observation)).unwrap_or_default()
    }

    /// Levels of the typical person at each observation.
    fn typical(&self) -> Vec<f64> {
        self.predictions(&vec![0.0; self.spread.len()]).unwrap_or_default()
    }

    fn objective(&self, z: &[f64]) -> f64 {
        let prior: f64 = z.iter().map(|z| z * z).sum();
        let errors = self.predictions(z).map(|predictions| {
            let each = self.observations.iter().zip(predictions);
            each.map(|((_, o, residual), f)| deviance(o.level, *residual, f, self.question.errors))
                .sum::<f64>()
        });
        // Where there is no number the search turns back.
        errors.filter(|e| e.is_finite()).map_or(f64::INFINITY, |e| e + prior)
    }

    fn person(&self, z: &[f64]) -> Option<Individual<'a>> {
        self.question.model.individual(self.question.body, &self.spread.eta(z)).ok()
    }

    /// The lowest point that is found from three starts; where none is found there is no fit.
    fn lowest(&self) -> Result<Minimum, Refused> {
        let starts = [0.0, 0.5, -0.5].map(|z| vec![z; self.spread.len()]);
        starts
            .into_iter()
            .map(|start| newton::minimise(&|z: &[f64]| self.objective(z), start))
            .min_by(|a, b| a.value.total_cmp(&b.value))
            .filter(|lowest| lowest.value.is_finite())
            .ok_or_else(|| Refused::Impossible("no parameters make these levels possible".to_owned()))
    }

    /// Levels of the person at some times, through all occasions.
    fn course(&self, z: &[f64], times: &[Minutes], only_parent: bool) -> Option<Course> {
        let FitQuestion { model, body, schedule, occasions, .. } = *self.question;
        if occasions.is_empty() {
            let person = self.person(z)?;
            let none: Option<PerMin> = None;
            return if only_parent {
                person.parent_course(schedule, none, times).ok()
            } else {
                person.course(schedule, none, times).ok()
            };
        }
        let own = self.spread.eta(z);
        let begin = std::iter::once(Minutes(f64::NEG_INFINITY)).chain(occasions.iter().copied());
        let on = |occasion| {
            let etas =
                own.iter().zip(self.spread.of_occasion(z, occasion)).map(|(own, new)| Ratio(own.0 + new.0));
            model.individual(body, &etas.collect::<Vec<_>>()).ok()
        };
        let each: Vec<_> =
            begin.zip(0..).map(|(from, place)| Some((from, on(place)?))).collect::<Option<_>>()?;
        let stages: Vec<_> = each.iter().map(|(from, person)| (*from, person)).collect();
        changing_course(&stages, schedule, None, times).ok()
    }

    /// One for each observation.
    fn predictions(&self, z: &[f64]) -> Option<Vec<f64>> {
        let course = self.course(z, &self.times, self.only_parent)?;
        self.observations
            .iter()
            .map(|(place, o, _)| {
                let metabolite = course.metabolites.iter().find(|(name, _)| *name == o.analyte);
                metabolite.map_or(&course.plasma, |(_, levels)| levels).get(*place).map(|level| level.0)
            })
            .collect()
    }

    /// Each observation, in the order of the question.
    fn explained(&self, z: &[f64]) -> Vec<Explained> {
        let levels = self.predictions(z).unwrap_or_default();
        let each = self.observations.iter().zip(levels);
        let mut found: Vec<(usize, Explained)> =
            each.map(|((_, o, residual), f)| (self.place(o), explained(o.level, *residual, f))).collect();
        found.sort_by_key(|(place, _)| *place);
        found.into_iter().map(|(_, explained)| explained).collect()
    }

    fn answer(&self, found: &Minimum) -> Result<Fit, Refused> {
        let spec = self.question.model.spec();
        let person = self.person(&found.at).ok_or(Refused::Missing("a person with these parameters"))?;
        let covariance = self.spread.covariance(&found.covariance);
        let names: Vec<String> = self
            .spread
            .rows
            .iter()
            .filter_map(|(index, _)| spec.parameters.get(*index).map(|p| p.name.clone()))
            .collect();
        let mut warnings = Vec::new();
        if !found.converged {
            warnings.push(Warning::NotConverged);
        }
        if found.damped {
            warnings.push(Warning::Flat);
        }
        let Body { weight, age } = self.question.body;
        let valid = &spec.validity;
        if !valid.weight.contains(&weight) || !age.is_some_and(|a| valid.age.contains(&a)) {
            warnings.push(Warning::OutsideValidity);
        }
        let eta = self.spread.eta(&found.at);
        for (i, ((index, row), name)) in self.spread.rows.iter().zip(&names).enumerate() {
            let prior: f64 = row.iter().map(|l| l * l).sum();
            if eta.get(*index).is_some_and(|eta| eta.0.abs() > OUTLYING * prior.sqrt()) {
                warnings.push(Warning::Outlying(name.clone()));
            }
            let posterior = covariance.get(i).and_then(|r| r.get(i)).map_or(0.0, |c| c.0);
            let kept = posterior.sqrt() / prior.sqrt();
            let moved = eta.get(*index).is_some_and(|eta| eta.0.abs() > MOVED * prior.sqrt());
            if kept > 1.0 / UNINFORMED || kept > UNINFORMED && moved {
                warnings.push(Warning::Unsure(name.clone()));
            } else if kept > UNINFORMED {
                warnings.push(Warning::Uninformed(name.clone()));
            }
        }
        let explained = self.explained(&found.at);
        let far = |one: &Explained| one.deviation.0.abs() > UNEXPLAINED;
        warnings.extend(
            (0..).zip(&explained).filter(|(_, one)| far(one)).map(|(place, _)| Warning::Unexplained(place)),
        );
        let parameters =
            spec.parameters.iter().filter_map(|p| Some((p.name.clone(), person.parameter(&p.name)?)));
        Ok(Fit {
            explained,
            eta,
            names,
            covariance,
            objective: Ratio(found.value),
            occasions: (0..self.spread.occasions)
                .map(|place| self.spread.of_occasion(&found.at, place))
                .collect(),
            parameters: parameters.collect(),
            warnings,
        })
    }
}

#[cfg(test)]
mod tests;
