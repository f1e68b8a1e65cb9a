//! Many people with the same samples, fitted in lock step: a step needs the levels of each person and of as many
//! neighbours as there are deviations, and all of those stand side by side in the registers.
#![expect(
    clippy::indexing_slicing,
    reason = "every index runs below the number of deviations or of times, by which all rows are cut"
)]

use super::{Errors, FitQuestion, LEVEL, Likelihood, Observation, Reported, Whitened, fit, possible};
use crate::cohort::{Cohort, Levels, PEOPLE_MAX, People, Varying};
use crate::model::{Model, Residual, Site};
use crate::person::Body;
use crate::refused::Refused;
use crate::schedule::Schedule;
use crate::units::{Minutes, NgPerMl, Ratio};

/// The same samples of many people who were given the same.
#[derive(Debug, Clone, Copy)]
pub struct Samples<'a> {
    /// With spread, and a residual error of the parent.
    pub model: &'a Model,
    /// Theirs.
    pub body: Body,
    /// What was given, in mg of what the model describes.
    pub schedule: &'a Schedule,
    /// Where the blood was drawn. Another site than the model's is refused.
    pub site: Site,
    /// When it was drawn; rising.
    pub times: &'a [Minutes],
    /// The parent's level at each time: a row for each person.
    pub levels: &'a [NgPerMl],
}

/// The most likely deviations of one person.
#[derive(Debug, Clone, PartialEq)]
pub struct Estimate {
    /// Deviation of each parameter, 0 for those without spread; in the model's order.
    pub eta: Vec<Ratio>,
    /// As [`super::Fit::objective`].
    pub objective: Ratio,
}

/// Fits everybody: Fisher's scoring from the typical person, each step damped until it falls (Levenberg 1944); whom it
/// does not bring to an end is fitted alone. The results do not depend on who else is fitted.
///
/// # Errors
/// As [`fit`], for each of them; rows that are not whole.
pub fn fit_many(samples: &Samples) -> Result<Vec<Estimate>, Refused> {
    let width = samples.times.len();
    if width == 0 || !samples.levels.len().is_multiple_of(width) {
        return Err(Refused::Missing("a level of each person at each time"));
    }
    for level in samples.levels {
        LEVEL.check(level.0)?;
    }
    if samples.levels.is_empty() {
        return Ok(Vec::new());
    }
    let typical = samples.observations(&samples.levels[..samples.levels.len().min(width)]);
    let question = samples.question(&typical);
    let likelihood = Likelihood::new(&question)?;
    let residual = typical.first().and_then(|o| samples.residual(&o.analyte));
    let residual = residual.ok_or(Refused::Missing("a level of anybody"))?;
    samples.refuse_impossible_levels(residual, &likelihood.typical())?;
    let spread = &likelihood.spread;
    let cohort = Cohort::of_parent(samples.model, samples.schedule, None, samples.times)?;
    let search = Search { samples, spread, residual, cohort: &cohort };
    // Together they fill the registers once over, with their neighbours.
    let together = (PEOPLE_MAX / (spread.len() + 1)).max(1);
    let mut found = Vec::with_capacity(samples.levels.len() / width);
    for levels in samples.levels.chunks(width * together) {
        for (person, own) in search.run(levels)?.iter().zip(levels.chunks(width)) {
            found.push(if person.rest == Rest::Found {
                Estimate { eta: spread.eta(&person.at), objective: Ratio(person.here.value) }
            } else {
                let alone = fit(&samples.question(&samples.observations(own)))?;
                Estimate { eta: alone.eta, objective: alone.objective }
            });
        }
    }
    Ok(found)
}

impl<'a> Samples<'a> {
    fn analyte(&self) -> Option<&'a str> {
        let centre = self.model.spec().compartments.first()?;
        centre.analyte.as_ref().map(|analyte| analyte.name.as_str())
    }

    /// What holds for one person holds for each.
    fn refuse_impossible_levels(&self, residual: Residual, typical: &[f64]) -> Result<(), Refused> {
        let analyte = self.analyte().unwrap_or_default();
        let moments = self.times.iter().zip(typical).cycle();
        let mut each = self.levels.iter().zip(moments).enumerate();
        each.try_for_each(|(place, (level, (at, predicted)))| {
            possible(place, (analyte, *at, *level), residual, *predicted)
        })
    }

    fn residual(&self, of: &str) -> Option<Residual> {
        let residuals = &self.model.spec().residuals;
        residuals.iter().find(|(analyte, _)| analyte == of).map(|(_, residual)| *residual)
    }

    fn observations(&self, levels: &[NgPerMl]) -> Vec<Observation> {
        let analyte = self.analyte().unwrap_or_default();
        let each = self.times.iter().zip(levels);
        each.map(|(at, level)| Observation {
            at: *at,
            analyte: analyte.to_owned(),
            level: Reported::Level(*level),
        })
        .collect()
    }

    fn question<'b>(&'b self, observations: &'b [Observation]) -> FitQuestion<'b> {
        let Self { model, body, schedule, site, .. } = *self;
        FitQuestion { model, body, schedule, observations, site, errors: Errors::Normal, occasions: &[] }
    }
}

/// Distance of a neighbour, in standard deviations: small, since levels have 14 digits.
const H: f64 = 1e-6;
const STEPS_MAX: usize = 40;
/// A longer step than this is shortened to it.
const STEP_MAX: f64 = 1.0;
/// Within such a step the curvature hardly changes.
const NEAR: f64 = 0.5;
const CLOSE: f64 = 1e-5;
const DAMPING_MAX: f64 = 1e6;

struct Search<'a> {
    samples: &'a Samples<'a>,
    spread: &'a Whitened,
    residual: Residual,
    cohort: &'a Cohort<'a>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Rest {
    Moving,
    Found,
    Lost,
}

/// One person on the way.
struct Walker {
    at: Vec<f64>,
    here: Judged,
    /// What the second derivatives turned out to be beyond those expected.
    extra: Vec<f64>,
    next: Vec<f64>,
    /// At `next`.
    there: Judged,
    damping: f64,
    rest: Rest,
    /// Memory to solve equations in.
    factor: Vec<f64>,
    step: Vec<f64>,
}

impl Search<'_> {
    /// As many people as stand side by side.
    fn run(&self, levels: &[NgPerMl]) -> Result<Vec<Walker>, Refused> {
        let n = self.spread.len();
        let width = self.samples.times.len();
        let start = || Walker {
            at: vec![0.0; n],
            here: Judged::nowhere(n),
            extra: vec![0.0; n * n],
            next: vec![0.0; n],
            there: Judged::nowhere(n),
            damping: 0.0,
            rest: Rest::Moving,
            factor: vec![0.0; n * n],
            step: vec![0.0; n],
        };
        let mut walkers: Vec<Walker> = levels.chunks(width).map(|_| start()).collect();
        let varying: Vec<Varying> = self.varying().collect();
        let (mut deviations, mut predicted) = (Vec::new(), Levels::default());
        for _ in 0..STEPS_MAX {
            deviations.clear();
            let moving = || walkers.iter().zip(levels.chunks(width)).filter(|(w, _)| w.rest == Rest::Moving);
            moving().for_each(|(walker, _)| self.neighbours(&walker.next, &mut deviations));
            if deviations.is_empty() {
                break;
            }
            let bodies = std::slice::from_ref(&self.samples.body);
            let people = People { bodies, varying: &varying, deviations: &deviations, doses: &[] };
            self.cohort.levels(&people, &mut predicted)?;
            let moving = walkers.iter_mut().zip(levels.chunks(width)).filter(|(w, _)| w.rest == Rest::Moving);
            for (place, (walker, measured)) in moving.enumerate() {
                let around = Around { levels: &predicted, first: place * (n + 1), count: n + 1 };
                self.judge(&walker.next, measured, &around, &mut walker.there);
                walker.arrive();
                if walker.rest == Rest::Moving {
                    walker.aim();
                }
            }
        }
        Ok(walkers)
    }

    fn varying(&self) -> impl Iterator<Item = Varying<'_>> {
        let parameters = &self.samples.model.spec().parameters;
        self.spread.rows.iter().map(|(index, _)| Varying::Parameter(&parameters[*index].name))
    }

    /// Deviations of a person, and of one neighbour in each direction.
    fn neighbours(&self, z: &[f64], into: &mut Vec<f64>) {
        let first = into.len();
        for (_, row) in &self.spread.rows {
            into.push(row.iter().zip(z).map(|(l, z)| l * z).sum());
        }
        for direction in 0..z.len() {
            for (place, (_, row)) in self.spread.rows.iter().enumerate() {
                into.push(into[first + place] + H * row.get(direction).copied().unwrap_or_default());
            }
        }
    }

    /// The objective with its derivatives; the second as Fisher expects them, so that they are positive. Where there is
    /// no number it is infinite, and the search turns back.
    fn judge(&self, z: &[f64], measured: &[NgPerMl], around: &Around, judged: &mut Judged) {
        let n = z.len();
        let Judged { value, slope, curved, change } = judged;
        *value = z.iter().map(|z| z * z).sum();
        slope.iter_mut().zip(z).for_each(|(slope, z)| *slope = 2.0 * z);
        curved.iter_mut().enumerate().for_each(|(cell, c)| *c = if cell % (n + 1) == 0 { 2.0 } else { 0.0 });
        for (time, level) in measured.iter().enumerate() {
            let Some((&f, neighbours)) = around.at(time).split_first() else {
                *value = f64::INFINITY;
                return;
            };
            for (slot, neighbour) in change.iter_mut().zip(neighbours) {
                *slot = (neighbour - f) / H;
            }
            let told = told(self.residual, f, level.0);
            *value += told.value;
            for i in 0..n {
                slope[i] += told.slope * change[i];
                for j in 0..=i {
                    curved[i * n + j] += told.curve * change[i] * change[j];
                }
            }
        }
        if !value.is_finite() {
            *value = f64::INFINITY;
        }
    }
}

/// Levels of a person and the neighbours, who stand next to each other; none where one of them has none.
struct Around<'a> {
    levels: &'a Levels,
    first: usize,
    count: usize,
}

impl Around<'_> {
    fn at(&self, time: usize) -> &[f64] {
        let places = self.first..self.first + self.count;
        let refused = self.levels.refused().iter().any(|place| places.contains(place));
        self.levels.at(0, time).get(places).filter(|_| !refused).unwrap_or_default()
    }
}

/// The objective at a place.
struct Judged {
    value: f64,
    /// First and second derivatives, the lower half of the second row by row.
    slope: Vec<f64>,
    curved: Vec<f64>,
    /// By how much a level rises in each direction; memory to work in.
    change: Vec<f64>,
}

impl Judged {
    fn nowhere(n: usize) -> Self {
        Self { value: f64::INFINITY, slope: vec![0.0; n], curved: vec![0.0; n * n], change: vec![0.0; n] }
    }
}

/// -2 log likelihood of one level, and its derivatives by the prediction.
struct Told {
    value: f64,
    slope: f64,
    curve: f64,
}

fn told(residual: Residual, f: f64, measured: f64) -> Told {
    match residual {
        Residual::Normal { proportional, additive } => {
            let share = proportional.0 * proportional.0;
            let variance = (share * f * f + additive.0 * additive.0).max(f64::MIN_POSITIVE);
            let rise = 2.0 * share * f / variance;
            let miss = (measured - f) / variance;
            Told {
                value: miss * miss * variance + variance.ln(),
                slope: rise - miss * (2.0 + miss * variance * rise),
                curve: rise * rise + 2.0 / variance,
            }
        }
        Residual::LogNormal { sd } => {
            let variance = (sd.0 * sd.0).max(f64::MIN_POSITIVE);
            let f = f.max(f64::MIN_POSITIVE);
            let miss = (measured / f).ln();
            Told {
                value: miss * miss / variance + variance.ln(),
                slope: -2.0 * miss / (variance * f),
                curve: 2.0 / (variance * f * f),
            }
        }
    }
}

impl Walker {
    /// Stays at the new place where it is lower, else tries a shorter step.
    fn arrive(&mut self) {
        let longest = self.next.iter().zip(&self.at).fold(0.0, |m: f64, (a, b)| m.max((a - b).abs()));
        let started = self.here.value < f64::INFINITY;
        let lower = self.there.value <= self.here.value;
        if lower {
            if started && longest < NEAR {
                self.correct();
            }
            self.at.copy_from_slice(&self.next);
            std::mem::swap(&mut self.here, &mut self.there);
            self.damping *= 0.2;
        }
        if started && longest < CLOSE {
            self.rest = Rest::Found;
        } else if !lower {
            self.damping = (self.damping * 8.0).max(0.05);
            if self.damping > DAMPING_MAX {
                self.rest = Rest::Lost;
            }
        }
    }

    /// What Fisher expects is not the curvature that is there; the gradients before and after a step tell the
    /// difference along it (symmetric, of rank one). Without it some valleys take a hundred steps.
    fn correct(&mut self) {
        let Self { at, here, extra, next, there, factor: missed, step, .. } = self;
        let n = at.len();
        step.iter_mut().zip(next.iter().zip(at.iter())).for_each(|(step, (a, b))| *step = a - b);
        let missed = &mut missed[..n];
        for (i, missed) in missed.iter_mut().enumerate() {
            let cell = |j: usize| there.curved[i.max(j) * n + i.min(j)] + extra[i * n + j];
            let expected: f64 = (0..n).map(|j| cell(j) * step[j]).sum();
            *missed = there.slope[i] - here.slope[i] - expected;
        }
        let along: f64 = missed.iter().zip(step.iter()).map(|(m, s)| m * s).sum();
        let size = |of: &[f64]| of.iter().map(|x| x * x).sum::<f64>().sqrt();
        if along.abs() > 1e-3 * size(missed) * size(step) {
            for (i, row) in extra.chunks_exact_mut(n).enumerate() {
                for (extra, other) in row.iter_mut().zip(missed.iter()) {
                    *extra += missed[i] * other / along;
                }
            }
        }
    }

    /// Where to go next; lost where the equations have no answer.
    fn aim(&mut self) {
        let Self { at, here, extra, next, factor, step, .. } = self;
        let n = at.len();
        let expected_and_extra = here.curved.iter().zip(extra.iter());
        factor.iter_mut().zip(expected_and_extra).for_each(|(cell, (a, b))| *cell = a + b);
        if factored(factor, n, self.damping).is_none() {
            extra.fill(0.0);
            factor.copy_from_slice(&here.curved);
            if factored(factor, n, self.damping).is_none() {
                self.rest = Rest::Lost;
            }
        }
        step.copy_from_slice(&here.slope);
        for i in 0..n {
            let dot: f64 = (0..i).map(|k| factor[i * n + k] * step[k]).sum();
            step[i] = (step[i] - dot) / factor[i * n + i];
        }
        for i in (0..n).rev() {
            let dot: f64 = (i + 1..n).map(|k| factor[k * n + i] * step[k]).sum();
            step[i] = (step[i] - dot) / factor[i * n + i];
        }
        let longest = step.iter().fold(0.0, |m: f64, s| m.max(s.abs()));
        if !longest.is_finite() || here.value == f64::INFINITY {
            self.rest = Rest::Lost;
        }
        let scale = if longest > STEP_MAX { STEP_MAX / longest } else { 1.0 };
        for ((next, at), step) in next.iter_mut().zip(at.iter()).zip(step.iter()) {
            *next = at - scale * step;
        }
    }
}

/// Cholesky's factor in place of the lower half of a matrix whose diagonal is raised; `None` where there is none.
fn factored(cells: &mut [f64], n: usize, damping: f64) -> Option<()> {
    for i in 0..n {
        cells[i * n + i] *= 1.0 + damping;
        for j in 0..=i {
            let dot: f64 = (0..j).map(|k| cells[i * n + k] * cells[j * n + k]).sum();
            let rest = cells[i * n + j] - dot;
            if i == j && rest.is_nan() | (rest <= 0.0) {
                return None;
            }
            cells[i * n + j] = if i == j { rest.sqrt() } else { rest / cells[j * n + j] };
        }
    }
    Some(())
}
