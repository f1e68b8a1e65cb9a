//! Many people at once: correlated spread, bodies, measurement error; percentiles that merge.

use crate::bytes;
use crate::chance::{Chance, Purpose, normal_quantile};
use crate::cohort::{Cohort, Levels, PEOPLE_MAX, People, Varying};
use crate::histogram::Histogram;
use crate::model::{Model, Residual};
use crate::person::{Body, TIMES_MAX};
use crate::refused::{Accepted, Refused, WEIGHT};
use crate::schedule::Schedule;
use crate::spread::{cholesky, plain};
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
    chance: Chance,
    factors: Vec<Factor>,
}

/// One block of the spread: which parameters, and the Cholesky factor of their covariance.
#[derive(Debug, Clone)]
struct Factor {
    parameters: Vec<usize>,
    rows: Vec<Vec<f64>>,
}

/// Percentiles of a range of patients. Summaries of disjoint ranges merge to that of the union, to the bit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Plasma, one for each time.
    pub plasma: Vec<Histogram>,
    /// Effect site, one for each time; empty without ke0.
    pub effect: Vec<Histogram>,
    /// Patients in it.
    pub patients: u64,
    /// Bodies that were drawn and lay outside the model's domain.
    pub redrawn: u64,
    /// Patients for whom no body inside the domain, or no number, was found.
    pub refused: u64,
}

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
        let factors = model
            .spec()
            .variability
            .iter()
            .filter_map(|block| {
                let index = |name: &String| model.spec().parameters.iter().position(|p| p.name == *name);
                let parameters = block.parameters.iter().map(index).collect::<Option<Vec<_>>>()?;
                Some(Factor { parameters, rows: cholesky(&plain(&block.covariance))? })
            })
            .collect();
        let chance = Chance::new(seed);
        let (Regimen::Fixed(schedule) | Regimen::ByWeight { for_one_kg: schedule, .. }) = &regimen;
        let cohort = Cohort::of_parent(model, schedule, ke0, times)?;
        // One person tells whether the model is whole, before a million are asked.
        model.typical(Body { weight: Kg(70.0), age: Some(Years(40.0)) })?;
        Ok(Self { model, bodies, layers, regimen, cohort, chance, factors })
    }

    /// Simulates the patients of a range, on so many threads. The bytes do not depend on the threads, nor on how a
    /// range is cut.
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
        let effect = if self.cohort.outputs() > 1 { one_each.clone() } else { Vec::new() };
        Summary { plasma: one_each, effect, patients: 0, redrawn: 0, refused: 0 }
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
            self.deviate(patient, &mut drawn.deviations);
            if let Regimen::ByWeight { .. } = self.regimen {
                drawn.doses.push(body.weight.0);
            }
        }
    }

    /// Simulates who was drawn, and counts their levels.
    fn count(&self, drawn: &Drawn, levels: &mut Levels, summary: &mut Summary) {
        let varying: Vec<Varying> = self.varying().map(Varying::Parameter).collect();
        let bodies = match self.bodies {
            Bodies::Same(_) if !varying.is_empty() => drawn.bodies.get(..1).unwrap_or_default(),
            _ => &drawn.bodies,
        };
        let people = People { bodies, varying: &varying, deviations: &drawn.deviations, doses: &drawn.doses };
        if drawn.bodies.is_empty() {
            return;
        }
        if self.cohort.levels(&people, levels).is_err() {
            summary.refused += drawn.bodies.len() as u64;
            return;
        }
        summary.refused += levels.refused().len() as u64;
        let residual = self.residual();
        let told = |output, time| {
            let each = levels.at(output, time).iter().zip(&drawn.patients).enumerate();
            each.filter(|(place, _)| !levels.refused().contains(place))
                .map(|(_, (x, who))| (NgPerMl(*x), *who))
        };
        for (time, histogram) in summary.plasma.iter_mut().enumerate() {
            for (level, patient) in told(0, time) {
                let z = residual.map(|r| (r, self.chance.normal(patient, Purpose::Assay, time as u32)));
                histogram.add(z.map_or(level, |(r, z)| r.measured(level, z)));
            }
        }
        // The effect site is never measured, so it carries no measurement error.
        for (time, histogram) in summary.effect.iter_mut().enumerate() {
            told(1, time).for_each(|(level, _)| histogram.add(level));
        }
    }

    fn residual(&self) -> Option<Residual> {
        let spec = self.model.spec();
        let parent = &spec.compartments.first()?.analyte.as_ref()?.name;
        let found = spec.residuals.iter().find(|(analyte, _)| analyte == parent);
        found.filter(|_| self.layers.assay).map(|(_, residual)| *residual)
    }

    /// The body of a patient; `None` when none of many draws lies in the domain.
    fn body(&self, patient: u64, redrawn: &mut u64) -> Option<Body> {
        let (weight, sd, age) = match self.bodies {
            Bodies::Same(body) => return Some(body),
            Bodies::Spread { weight, weight_sd, age } => (weight, weight_sd, age),
        };
        let valid = &self.model.spec().validity;
        for draw in 0..DRAWS_MAX {
            let even = |place| self.chance.even(patient, Purpose::Body, 2 * draw + place);
            let drawn_weight = Kg(weight.0 * (sd.0 * normal_quantile(even(0))).exp());
            let drawn_age = Years(age.0.0 + (age.1.0 - age.0.0) * even(1));
            if valid.weight.contains(&drawn_weight) && valid.age.contains(&drawn_age) {
                return Some(Body { weight: drawn_weight, age: Some(drawn_age) });
            }
            *redrawn += 1;
        }
        None
    }

    /// Names of the parameters that vary, in the order of the deviations.
    fn varying(&self) -> impl Iterator<Item = &'m str> {
        let parameters = &self.model.spec().parameters;
        let places = self.factors.iter().filter(|_| self.layers.people).flat_map(|f| &f.parameters);
        places.filter_map(|&place| parameters.get(place)).map(|p| p.name.as_str())
    }

    /// Appends the deviations of patient `n` of this population, whatever else is simulated.
    fn deviate(&self, patient: u64, into: &mut Vec<f64>) {
        let mut place = 0;
        for factor in self.factors.iter().filter(|_| self.layers.people) {
            let drawn: Vec<f64> = (place..)
                .take(factor.rows.len())
                .map(|p| self.chance.normal(patient, Purpose::Person, p))
                .collect();
            place += drawn.len() as u32;
            into.extend(
                factor.rows.iter().map(|row| row.iter().zip(&drawn).map(|(l, z)| l * z).sum::<f64>()),
            );
        }
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
    fn measured(self, level: NgPerMl, z: f64) -> NgPerMl {
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
        self.patients += other.patients;
        self.redrawn += other.redrawn;
        self.refused += other.refused;
    }

    /// Appends the summary as bytes, which are equal where summaries are, on every machine.
    pub fn write(&self, into: &mut Vec<u8>) {
        [self.patients, self.redrawn, self.refused].iter().for_each(|count| bytes::write(*count, into));
        for levels in [&self.plasma, &self.effect] {
            bytes::write(levels.len() as u64, into);
            levels.iter().for_each(|histogram| histogram.write(into));
        }
    }

    /// Reads [`Summary::write`] back; `None` for other bytes, torn ones, or more than one summary.
    #[must_use]
    pub fn read(mut bytes: &[u8]) -> Option<Self> {
        let from = &mut bytes;
        let [patients, redrawn, refused] = [bytes::read(from)?, bytes::read(from)?, bytes::read(from)?];
        let [plasma, effect] = [(); 2].map(|()| {
            let times = bytes::read(from).filter(|times| *times <= TIMES_MAX as u64)?;
            (0..times).map(|_| Histogram::read(from)).collect::<Option<Vec<_>>>()
        });
        let summary = Self { plasma: plasma?, effect: effect?, patients, redrawn, refused };
        bytes.is_empty().then_some(summary)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::theorems::{flow, parameter, place};
    use crate::{
        Block, Dose, Form, LPerMin, Litres, Mg, Model, Residual, Site, Spec, Validity, Value, WeightScale,
    };

    /// One compartment, clearance with a spread of 0.3 and linear in weight, so that the level after a bolus and the
    /// steady level have known log-normal percentiles.
    fn model(residual: Option<Residual>) -> Model {
        let mut cl = parameter("cl", Value::Clearance(LPerMin(1.4)));
        cl.weight = Some(WeightScale { reference: Kg(70.0), exponent: Ratio(1.0) });
        Model::new(Spec {
            id: "one".to_owned(),
            form: Form::Racemate,
            site: Site::Arterial,
            parameters: vec![parameter("v", Value::Volume(Litres(50.0))), cl],
            compartments: vec![place("centre", Some("v"), Some("parent"))],
            flows: vec![flow("centre", None, "cl")],
            routes: vec![],
            occasions: vec![],
            uncertainty: vec![],
            variability: vec![Block {
                parameters: vec!["v".to_owned(), "cl".to_owned()],
                covariance: vec![vec![Ratio(0.04), Ratio(0.03)], vec![Ratio(0.03), Ratio(0.09)]],
            }],
            residuals: residual.into_iter().map(|r| ("parent".to_owned(), r)).collect(),
            validity: Validity {
                age: Years(18.0)..=Years(75.0),
                weight: Kg(45.0)..=Kg(120.0),
                dose_max: MgPerKg(2.0),
                length_max: Minutes(240.0),
            },
        })
        .expect("a model")
    }

    const BODY: Bodies = Bodies::Same(Body { weight: Kg(70.0), age: Some(Years(40.0)) });
    const ALL: Layers = Layers { people: true, assay: true };
    const PEOPLE: Layers = Layers { people: true, assay: false };
    const STEADY: Minutes = Minutes(1e5);

    /// 1 mg/min for ever, or a bolus of 100 mg.
    fn steady() -> Regimen {
        let dose = Dose::Infusion { start: Minutes(0.0), end: Minutes(2e5), rate: crate::MgPerMin(1.0) };
        Regimen::Fixed(Schedule::new([dose]).expect("a dose"))
    }

    fn quantile(of: &Histogram, share: f64) -> f64 {
        of.quantile(Ratio(share)).expect("patients").0
    }

    #[test]
    fn the_bytes_do_not_depend_on_threads_or_shards() {
        let model = model(Some(Residual::LogNormal { sd: Ratio(0.2) }));
        let bodies =
            Bodies::Spread { weight: Kg(80.0), weight_sd: Ratio(0.25), age: (Years(18.0), Years(70.0)) };
        let times = [Minutes(10.0), Minutes(40.0)];
        let p =
            Population::new(&model, bodies, ALL, steady(), Some(PerMin(0.08)), &times, 3).expect("described");
        let whole = p.simulate(0..1000, 1);
        assert_eq!(p.simulate(0..1000, 3), whole);
        let mut shards = p.simulate(700..1000, 2);
        shards.merge(&p.simulate(0..700, 1));
        assert_eq!(shards, whole);
        assert_eq!((whole.patients, whole.refused), (1000, 0));
        assert!(whole.redrawn > 0);
        let other =
            Population::new(&model, bodies, ALL, steady(), Some(PerMin(0.08)), &times, 4).expect("described");
        assert_ne!(other.simulate(0..1000, 1), whole);
    }

    #[test]
    fn each_layer_spreads_as_its_variance_says() {
        let model = model(Some(Residual::LogNormal { sd: Ratio(0.4) }));
        let spread = |layers| {
            let p = Population::new(&model, BODY, layers, steady(), None, &[STEADY], 1).expect("described");
            let s = p.simulate(0..40_000, 1);
            let (low, high) = (quantile(&s.plasma[0], 0.05), quantile(&s.plasma[0], 0.95));
            // Log-normal: the distance of the percentiles is 2·1.6449 standard deviations.
            ((high / low).ln() / (2.0 * 1.644_853_6), quantile(&s.plasma[0], 0.5))
        };
        let (sd, median) = spread(PEOPLE);
        assert!((sd - 0.3).abs() < 0.005, "{sd}");
        assert!((median / (1000.0 / 1.4) - 1.0).abs() < 0.01, "{median}");
        let (sd, _) = spread(ALL);
        assert!((sd - 0.5).abs() < 0.008, "{sd}");
        let (sd, _) = spread(Layers { people: false, assay: false });
        assert!(sd < 1e-3, "{sd}");
    }

    #[test]
    fn each_measurement_has_its_own_error() {
        let model = model(Some(Residual::LogNormal { sd: Ratio(0.4) }));
        let layers = Layers { people: false, assay: true };
        let p =
            Population::new(&model, BODY, layers, steady(), None, &[STEADY, STEADY], 1).expect("described");
        let s = p.simulate(0..20, 1);
        assert_ne!(s.plasma[0], s.plasma[1]);
    }

    #[test]
    fn parameters_vary_together_as_their_covariance_says() {
        // ln V - ln CL has variance 0.04 + 0.09 - 2·0.03.
        let together = variance_of_ratio(&model(None));
        assert!((together - 0.07).abs() < 0.003, "{together}");
        let mut apart = model(None).spec().clone();
        let alone = |name: &str, variance| Block {
            parameters: vec![name.to_owned()],
            covariance: vec![vec![Ratio(variance)]],
        };
        apart.variability = vec![alone("v", 0.04), alone("cl", 0.09)];
        let apart = variance_of_ratio(&Model::new(apart).expect("a model"));
        assert!((apart - 0.13).abs() < 0.005, "{apart}");
    }

    /// Of ln V - ln CL over 20,000 people.
    fn variance_of_ratio(model: &Model) -> f64 {
        let bolus = Regimen::Fixed(
            Schedule::new([Dose::over(Mg(100.0), Minutes(0.0), Minutes(0.0))]).expect("a dose"),
        );
        let p = Population::new(model, BODY, PEOPLE, bolus, None, &[Minutes(0.0)], 5).expect("described");
        let (mut sum, mut squares) = (0.0, 0.0);
        const N: u64 = 20_000;
        for patient in 0..N {
            let mut deviations = Vec::new();
            p.deviate(patient, &mut deviations);
            let x = deviations[0] - deviations[1];
            sum += x;
            squares += x * x;
        }
        let n = N as f64;
        squares / n - (sum / n).powi(2)
    }

    #[test]
    fn bodies_outside_the_domain_are_redrawn_and_counted() {
        let model = model(None);
        let bodies =
            Bodies::Spread { weight: Kg(70.0), weight_sd: Ratio(0.2), age: (Years(18.0), Years(75.0)) };
        let p = Population::new(&model, bodies, PEOPLE, steady(), None, &[STEADY], 9).expect("described");
        let s = p.simulate(0..20_000, 1);
        // P(weight < 45) + P(weight > 120) of that log-normal.
        let share = s.redrawn as f64 / (s.redrawn + s.patients) as f64;
        assert!((share - 0.0171).abs() < 0.003, "{share}");
        let nobody =
            Bodies::Spread { weight: Kg(300.0), weight_sd: Ratio(0.01), age: (Years(18.0), Years(75.0)) };
        let p = Population::new(&model, nobody, PEOPLE, steady(), None, &[STEADY], 9).expect("described");
        let s = p.simulate(0..10, 1);
        assert_eq!((s.patients, s.refused, s.redrawn, s.plasma[0].count()), (10, 10, 640, 0));
    }

    #[test]
    fn a_dose_by_weight_follows_the_weight() {
        // Rate and clearance both in proportion to weight: everyone has the same steady level.
        let model = model(None);
        let dose = Dose::Infusion { start: Minutes(0.0), end: Minutes(2e5), rate: crate::MgPerMin(0.01) };
        let for_one_kg = Schedule::new([dose]).expect("a dose");
        let regimen = |most| Regimen::ByWeight { for_one_kg: for_one_kg.clone(), most: MgPerKg(most) };
        let bodies =
            Bodies::Spread { weight: Kg(80.0), weight_sd: Ratio(0.2), age: (Years(18.0), Years(70.0)) };
        let none = Layers { people: false, assay: false };
        let p =
            Population::new(&model, bodies, none, regimen(2000.0), None, &[STEADY], 2).expect("described");
        let s = p.simulate(0..500, 1);
        let (low, high) = (quantile(&s.plasma[0], 0.0), quantile(&s.plasma[0], 1.0));
        assert!(high / low < 1.0 + 2e-3 && (low / 500.0 - 1.0).abs() < 1e-3, "{low} to {high}");
        let refused =
            Population::new(&model, bodies, none, regimen(2.0), None, &[STEADY], 2).expect_err("too much");
        assert_eq!(refused.to_string(), "dose is 2000 mg/kg; accepted is 0 to 2 mg/kg");
    }
}
