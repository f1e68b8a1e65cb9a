//! Many people at once: correlated spread, bodies, measurement error; percentiles that merge.

use crate::bytes;
use crate::chance::{Purpose, normal_quantile};
use crate::cohort::{Cohort, Levels, PEOPLE_MAX, People, Varying};
use crate::draws::Draws;
use crate::histogram::Histogram;
use crate::model::{Compartment, Model, Residual};
use crate::person::{Body, TIMES_MAX, changing_course, check_times};
use crate::refused::{Accepted, Refused, WEIGHT};
use crate::schedule::Schedule;
use crate::units::{Kg, MgPerKg, Minutes, NgPerMl, PerMin, Ratio, Years};
use std::ops::Range;

/// Whose bodies are drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Bodies {
    /// All alike.
    Same(Body),
    /// Weight log-normal, age even; drawn again when outside the model's domain, and the share of that is reported.
    Spread {
        /// Median weight.
        weight: Kg,
        /// Standard deviation of its logarithm.
        weight_sd: Ratio,
        /// Youngest and oldest.
        age: (Years, Years),
    },
}

/// What is added to the typical person, layer by layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layers {
    /// Between-person spread.
    pub people: bool,
    /// Spread of one person between occasions.
    pub occasions: bool,
    /// How far the typical values of the model may be from the truth: everyone has a truth of their own, so that the
    /// percentiles are those of the next person of whom nothing is known.
    pub uncertainty: bool,
    /// Measurement error.
    pub assay: bool,
}

/// What is given to everyone.
#[derive(Debug, Clone, PartialEq)]
pub enum Regimen {
    /// The same milligrams.
    Fixed(Schedule),
    /// By body weight: a schedule for 1 kg, and a most that is refused above.
    ByWeight {
        /// Amounts and rates for each kilogram.
        for_one_kg: Schedule,
        /// Most in all.
        most: MgPerKg,
    },
}

/// A population, described; nothing is drawn until [`Population::simulate`].
#[derive(Debug, Clone)]
pub struct Population<'m> {
    model: &'m Model,
    bodies: Bodies,
    layers: Layers,
    regimen: Regimen,
    cohort: Cohort<'m>,
    draws: Draws,
    /// Beginnings of the occasions after the first.
    later: Vec<Minutes>,
}

/// Percentiles of a range of patients. Summaries of disjoint ranges merge to that of the union, to the bit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Plasma, one for each time.
    pub plasma: Vec<Histogram>,
    /// The same of each metabolite in the order of the model; empty where they were not asked for.
    pub metabolites: Vec<Vec<Histogram>>,
    /// Effect site, one for each time; empty without ke0.
    pub effect: Vec<Histogram>,
    /// Patients in it.
    pub patients: u64,
    /// Bodies that were drawn and lay outside the model's domain.
    pub redrawn: u64,
    /// Patients for whom no body inside the domain, or no number, was found.
    pub refused: u64,
}

/// Compartments of a model, at most.
const METABOLITES_MAX: u64 = 64;
/// Draws of a body before a patient counts as refused.
const DRAWS_MAX: u32 = 64;

impl<'m> Population<'m> {
    /// # Errors
    /// A spread of bodies that is not one, a schedule above its own most, times that the engine refuses.
    pub fn new(
        model: &'m Model,
        bodies: Bodies,
        layers: Layers,
        regimen: Regimen,
        ke0: Option<PerMin>,
        times: &[Minutes],
        seed: u64,
    ) -> Result<Self, Refused> {
        if let Bodies::Spread { weight, weight_sd, age } = bodies {
            WEIGHT.check(weight.0)?;
            Accepted { what: "spread of weights", low: 0.0, high: 2.0, unit: "1" }.check(weight_sd.0)?;
            Accepted { what: "youngest age", low: 0.0, high: age.1.0, unit: "a" }.check(age.0.0)?;
        }
        if let Regimen::ByWeight { for_one_kg, most } = &regimen {
            let dose = Accepted { what: "dose", low: 0.0, high: most.0, unit: "mg/kg" };
            dose.check(for_one_kg.amount().0)?;
        }
        let draws = Draws::new(model, layers, seed);
        let (Regimen::Fixed(schedule) | Regimen::ByWeight { for_one_kg: schedule, .. }) = &regimen;
        let cohort = Cohort::of_parent(model, schedule, ke0, times)?;
        // One person tells whether the model is whole, before a million are asked.
        model.typical(Body { weight: Kg(70.0), age: Some(Years(40.0)) })?;
        Ok(Self { model, bodies, layers, regimen, cohort, draws, later: Vec::new() })
    }

    /// The same with the levels of metabolites.
    ///
    /// # Errors
    /// As [`Population::new`].
    pub fn with_metabolites(self) -> Result<Self, Refused> {
        let cohort = Cohort::new(self.model, self.cohort.schedule(), self.cohort.ke0(), self.cohort.times())?;
        Ok(Self { cohort, ..self })
    }

    /// The same with more than one occasion: everyone deviates anew from each of these moments on, by what is the
    /// spread between occasions. It is reckoned person by person, which takes a hundred times as long.
    ///
    /// # Errors
    /// Moments that do not rise, a model without such a spread.
    pub fn with_occasions(self, later: &[Minutes]) -> Result<Self, Refused> {
        check_times(later)?;
        if self.model.spec().occasions.is_empty() && !later.is_empty() {
            let id = self.model.id();
            return Err(Refused::Impossible(format!("{id} has no source for a spread between occasions")));
        }
        Ok(Self { later: later.to_vec(), ..self })
    }

    /// The same people drawn evenly instead of at random: percentiles of few come closer to those of many. Measurement
    /// errors and occasions stay random.
    #[must_use]
    pub fn quasi_random(self) -> Self {
        Self { draws: self.draws.quasi(), ..self }
    }

    /// Simulates the patients of a range, on so many threads. The bytes do not depend on the threads, nor on how a
    /// range is cut.
    ///
    /// ```
    /// # mod example { use pkpd::*; include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/model.rs")); }
    /// # use example::model;
    /// # use pkpd::*;
    /// let model = model()?;
    /// let everybody = Bodies::Same(Body { weight: Kg(70.0), age: Some(Years(40.0)) });
    /// let layers = Layers { people: true, occasions: false, uncertainty: false, assay: false };
    /// let given = Schedule::new([Dose::over(Mg(35.0), Minutes(40.0), Minutes(0.0))])?;
    /// let times = [Minutes(40.0), Minutes(120.0)];
    /// let people = Population::new(&model, everybody, layers, Regimen::Fixed(given), None, &times, 1)?;
    ///
    /// // In two parts, as on two machines: the same bytes as in one.
    /// let mut summary = people.simulate(0..700, 1);
    /// summary.merge(&people.simulate(700..1000, 2));
    /// assert_eq!(summary, people.simulate(0..1000, 1));
    ///
    /// let [low, middle, high] = [0.05, 0.5, 0.95].map(|share| summary.plasma[0].quantile(Ratio(share)));
    /// assert!(low < middle && middle < high);
    /// # Ok::<(), Refused>(())
    /// ```
    #[must_use]
    pub fn simulate(&self, patients: Range<u64>, threads: usize) -> Summary {
        let threads = (threads.max(1) as u64).min(patients.end.saturating_sub(patients.start).max(1));
        let length = (patients.end.saturating_sub(patients.start)).div_ceil(threads);
        let ranges = (0..threads).map(|i| {
            let start = (patients.start + i * length).min(patients.end);
            start..(start + length).min(patients.end)
        });
        std::thread::scope(|scope| {
            let running: Vec<_> =
                ranges.map(|range| scope.spawn(move || self.simulate_range(range))).collect();
            let mut whole = self.empty();
            for thread in running {
                match thread.join() {
                    Ok(part) => whole.merge(&part),
                    // A panic below is a broken machine; it goes on to whoever asked.
                    Err(panic) => std::panic::resume_unwind(panic),
                }
            }
            whole
        })
    }

    fn empty(&self) -> Summary {
        let one_each = vec![Histogram::default(); self.cohort.times().len()];
        let effect = if self.cohort.ke0().is_some() { one_each.clone() } else { Vec::new() };
        let metabolites = vec![one_each.clone(); self.cohort.metabolites()];
        Summary { plasma: one_each, metabolites, effect, patients: 0, redrawn: 0, refused: 0 }
    }

    fn simulate_range(&self, patients: Range<u64>) -> Summary {
        let mut summary = self.empty();
        let mut drawn = Drawn::default();
        let mut levels = Levels::default();
        let mut next = patients.start;
        while next < patients.end {
            let until = patients.end.min(next + PEOPLE_MAX as u64);
            self.draw(next..until, &mut drawn, &mut summary);
            self.count(&drawn, &mut levels, &mut summary);
            next = until;
        }
        summary
    }

    /// Who these patients are. For whom there is no body counts as refused.
    fn draw(&self, patients: Range<u64>, drawn: &mut Drawn, summary: &mut Summary) {
        drawn.clear();
        for patient in patients {
            summary.patients += 1;
            let Some(body) = self.body(patient, &mut summary.redrawn) else {
                summary.refused += 1;
                continue;
            };
            drawn.patients.push(patient);
            drawn.bodies.push(body);
            self.draws.deviate(patient, 0, &mut drawn.deviations);
            if let Regimen::ByWeight { .. } = self.regimen {
                drawn.doses.push(body.weight.0);
            }
        }
    }

    /// Simulates who was drawn, and counts their levels.
    fn count(&self, drawn: &Drawn, levels: &mut Levels, summary: &mut Summary) {
        if drawn.bodies.is_empty() {
            return;
        }
        let found = if self.later.is_empty() {
            self.together(drawn, levels)
        } else {
            let size = [drawn.bodies.len(), self.cohort.outputs(), self.cohort.times().len()];
            levels.one_by_one(size, |place| self.alone(drawn, place));
            Ok(())
        };
        if found.is_err() {
            summary.refused += drawn.bodies.len() as u64;
            return;
        }
        summary.refused += levels.refused().len() as u64;
        let told = |output, time| {
            let each = levels.at(output, time).iter().zip(&drawn.patients).enumerate();
            each.filter(|(place, _)| !levels.refused().contains(place))
                .map(|(_, (x, who))| (NgPerMl(*x), *who))
        };
        let residuals = self.residuals();
        let times = self.cohort.times().len();
        let measured = std::iter::once(&mut summary.plasma).chain(&mut summary.metabolites);
        for (output, histograms) in measured.enumerate() {
            let residual = residuals.get(output).copied().flatten();
            for (time, histogram) in histograms.iter_mut().enumerate() {
                let place = (output * times + time) as u32;
                for (level, patient) in told(output, time) {
                    let z = residual.map(|r| (r, self.draws.normal(patient, Purpose::Assay, place)));
                    histogram.add(z.map_or(level, |(r, z)| r.measured(level, z)));
                }
            }
        }
        // The effect site is never measured, so it carries no measurement error.
        for (time, histogram) in summary.effect.iter_mut().enumerate() {
            told(self.cohort.outputs() - 1, time).for_each(|(level, _)| histogram.add(level));
        }
    }

    /// All on one occasion, side by side.
    fn together(&self, drawn: &Drawn, levels: &mut Levels) -> Result<(), Refused> {
        let parameters = &self.model.spec().parameters;
        let names = self.draws.varying.iter().filter_map(|&place| parameters.get(place));
        let varying: Vec<Varying> = names.map(|p| Varying::Parameter(p.name.as_str())).collect();
        let bodies = match self.bodies {
            Bodies::Same(_) if !varying.is_empty() => drawn.bodies.get(..1).unwrap_or_default(),
            _ => &drawn.bodies,
        };
        let people = People { bodies, varying: &varying, deviations: &drawn.deviations, doses: &drawn.doses };
        self.cohort.levels(&people, levels)
    }

    /// One person through all occasions.
    fn alone(&self, drawn: &Drawn, place: usize) -> Result<Vec<Vec<f64>>, Refused> {
        let body = drawn.bodies.get(place).ok_or(Refused::Missing("a body"))?;
        let patient = drawn.patients.get(place).copied().unwrap_or_default();
        let dose = Ratio(drawn.doses.get(place).copied().unwrap_or(1.0));
        let begin = std::iter::once(Minutes(f64::NEG_INFINITY)).chain(self.later.iter().copied());
        let on = |occasion| self.model.individual(*body, &self.draws.etas(self.model, patient, occasion));
        let each = begin.zip(0_u32..).map(|(from, occasion)| Ok((from, on(occasion)?)));
        let each = each.collect::<Result<Vec<_>, Refused>>()?;
        let stages: Vec<_> = each.iter().map(|(from, person)| (*from, person)).collect();
        let (schedule, times) = (self.cohort.schedule().scaled(dose)?, self.cohort.times());
        let mut course = changing_course(&stages, &schedule, self.cohort.ke0(), times)?;
        course.metabolites.truncate(self.cohort.metabolites());
        Ok(course.outputs())
    }

    /// Of plasma and of each metabolite, where they are measured.
    fn residuals(&self) -> Vec<Option<Residual>> {
        let spec = self.model.spec();
        let analytes = spec
            .compartments
            .iter()
            .take(1)
            .chain(spec.compartments.iter().skip(1).filter(|place| place.analyte.is_some()));
        let of = |place: &Compartment| {
            let name = &place.analyte.as_ref()?.name;
            let found = spec.residuals.iter().find(|(analyte, _)| analyte == name);
            found.filter(|_| self.layers.assay).map(|(_, residual)| *residual)
        };
        analytes.map(of).collect()
    }

    /// The body of a patient; `None` when none of many draws lies in the domain.
    fn body(&self, patient: u64, redrawn: &mut u64) -> Option<Body> {
        let (weight, sd, age) = match self.bodies {
            Bodies::Same(body) => return Some(body),
            Bodies::Spread { weight, weight_sd, age } => (weight, weight_sd, age),
        };
        let valid = &self.model.spec().validity;
        for draw in 0..DRAWS_MAX {
            // Who is drawn again is drawn at random.
            let even = |place| match draw {
                0 => self.draws.even(patient, Purpose::Body, place),
                _ => self.draws.chance.even(patient, Purpose::Body, 2 * draw + place),
            };
            let drawn_weight = Kg(weight.0 * (sd.0 * normal_quantile(even(0))).exp());
            let drawn_age = Years(age.0.0 + (age.1.0 - age.0.0) * even(1));
            if valid.weight.contains(&drawn_weight) && valid.age.contains(&drawn_age) {
                return Some(Body { weight: drawn_weight, age: Some(drawn_age) });
            }
            *redrawn += 1;
        }
        None
    }
}

/// Patients who are simulated together.
#[derive(Debug, Default)]
struct Drawn {
    patients: Vec<u64>,
    bodies: Vec<Body>,
    deviations: Vec<f64>,
    /// Empty where everyone gets the same.
    doses: Vec<f64>,
}

impl Drawn {
    fn clear(&mut self) {
        self.patients.clear();
        self.bodies.clear();
        self.deviations.clear();
        self.doses.clear();
    }
}

impl Residual {
    /// A true level as it would be measured, for a standard normal draw.
    pub(crate) fn measured(self, level: NgPerMl, z: f64) -> NgPerMl {
        match self {
            Self::Normal { proportional, additive } => {
                NgPerMl(level.0 + z * (proportional.0 * level.0).hypot(additive.0))
            }
            Self::LogNormal { sd } => NgPerMl(level.0 * (sd.0 * z).exp()),
        }
    }
}

impl Summary {
    /// Adds the patients of another range of the same population.
    pub fn merge(&mut self, other: &Self) {
        for (mine, theirs) in [(&mut self.plasma, &other.plasma), (&mut self.effect, &other.effect)] {
            mine.iter_mut().zip(theirs).for_each(|(a, b)| a.merge(b));
        }
        for (mine, theirs) in self.metabolites.iter_mut().zip(&other.metabolites) {
            mine.iter_mut().zip(theirs).for_each(|(a, b)| a.merge(b));
        }
        self.patients += other.patients;
        self.redrawn += other.redrawn;
        self.refused += other.refused;
    }

    /// Appends the summary as bytes, which are equal where summaries are, on every machine.
    pub fn write(&self, into: &mut Vec<u8>) {
        [self.patients, self.redrawn, self.refused].iter().for_each(|count| bytes::write(*count, into));
        bytes::write(self.metabolites.len() as u64, into);
        for levels in [&self.plasma, &self.effect].into_iter().chain(&self.metabolites) {
            bytes::write(levels.len() as u64, into);
            levels.iter().for_each(|histogram| histogram.write(into));
        }
    }

    /// Reads [`Summary::write`] back; `None` for other bytes, torn ones, or more than one summary.
    #[must_use]
    pub fn read(mut bytes: &[u8]) -> Option<Self> {
        let from = &mut bytes;
        let [patients, redrawn, refused] = [bytes::read(from)?, bytes::read(from)?, bytes::read(from)?];
        let metabolites = bytes::read(from).filter(|count| *count <= METABOLITES_MAX)?;
        let mut levels = || {
            let times = bytes::read(from).filter(|times| *times <= TIMES_MAX as u64)?;
            (0..times).map(|_| Histogram::read(from)).collect::<Option<Vec<_>>>()
        };
        let (plasma, effect) = (levels()?, levels()?);
        let metabolites = (0..metabolites).map(|_| levels()).collect::<Option<Vec<_>>>()?;
        let summary = Self { plasma, metabolites, effect, patients, redrawn, refused };
        bytes.is_empty().then_some(summary)
    }
}

#[cfg(test)]
mod tests;
