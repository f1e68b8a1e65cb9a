//! Who patient n is: deviations from the typical person, layer by layer. Each layer has random numbers of its own, so
//! that one more layer moves no draw of another.

use crate::chance::{Chance, Purpose, normal_quantile};
use crate::model::{Block, Model};
use crate::population::Layers;
use crate::spread::{cholesky, plain};
use crate::units::Ratio;

/// All deviations of a model that are drawn.
#[derive(Debug, Clone)]
pub(crate) struct Draws {
    pub(crate) chance: Chance,
    /// Slopes of the quasi-random numbers by dimension; none where all numbers are random.
    slopes: Vec<u64>,
    layers: Vec<(Purpose, Vec<Factor>)>,
    /// Places of the parameters that vary, each once.
    pub(crate) varying: Vec<usize>,
}

/// One block of a spread: which parameters, by their place among those that vary, and the Cholesky factor of their
/// covariance.
#[derive(Debug, Clone)]
struct Factor {
    parameters: Vec<usize>,
    rows: Vec<Vec<f64>>,
}

/// Dimensions of one purpose that may be quasi-random.
const DIMENSIONS: usize = 64;
const QUASI: [Purpose; 3] = [Purpose::Body, Purpose::Person, Purpose::Uncertainty];

impl Draws {
    pub(crate) fn new(model: &Model, layers: Layers, seed: u64) -> Self {
        let spec = model.spec();
        let mut varying: Vec<usize> = Vec::new();
        let mut factors = |blocks: &[Block]| -> Vec<Factor> {
            let factor = |block: &Block| {
                let index = |name: &String| spec.parameters.iter().position(|p| p.name == *name);
                let parameters = block.parameters.iter().map(index).collect::<Option<Vec<_>>>()?;
                let places = parameters.into_iter().map(|parameter| {
                    varying.iter().position(|known| *known == parameter).unwrap_or_else(|| {
                        varying.push(parameter);
                        varying.len() - 1
                    })
                });
                Some(Factor { parameters: places.collect(), rows: cholesky(&plain(&block.covariance))? })
            };
            blocks.iter().filter_map(factor).collect()
        };
        let all = [
            (layers.people, Purpose::Person, &spec.variability),
            (layers.occasions, Purpose::Occasion, &spec.occasions),
            (layers.uncertainty, Purpose::Uncertainty, &spec.uncertainty),
        ];
        let asked = all.into_iter().filter(|(is_asked, ..)| *is_asked);
        let layers = asked.map(|(_, purpose, blocks)| (purpose, factors(blocks))).collect();
        Self { chance: Chance::new(seed), slopes: Vec::new(), layers, varying }
    }

    /// The same with evenly spread instead of random numbers for people, bodies and typical values: the sequence of
    /// Richtmyer, `n·√prime` shifted by the seed. Percentiles come closer with fewer people; the next patient still is
    /// the same in any shard.
    pub(crate) fn quasi(self) -> Self {
        let is_prime = |n: &u32| (2..*n).take_while(|d| d * d <= *n).all(|d| !n.is_multiple_of(d));
        let primes = (2..).filter(is_prime).take(DIMENSIONS * QUASI.len());
        let slope = |prime: u32| (f64::from(prime).sqrt().fract() * 2f64.powi(64)) as u64;
        Self { slopes: primes.map(slope).collect(), ..self }
    }

    /// Evenly between 0 and 1, both excluded.
    pub(crate) fn even(&self, patient: u64, purpose: Purpose, place: u32) -> f64 {
        let group = QUASI.iter().position(|quasi| *quasi == purpose);
        let inside = group.filter(|_| (place as usize) < DIMENSIONS);
        match inside.and_then(|group| self.slopes.get(group * DIMENSIONS + place as usize)) {
            None => self.chance.even(patient, purpose, place),
            Some(slope) => {
                let shift = (self.chance.even(0, Purpose::Shift, place + 1000 * purpose as u32)
                    * 2f64.powi(64)) as u64;
                let bits = patient.wrapping_mul(*slope).wrapping_add(shift) >> 11;
                (bits as f64 + 0.5) * 2f64.powi(-53)
            }
        }
    }

    pub(crate) fn normal(&self, patient: u64, purpose: Purpose, place: u32) -> f64 {
        normal_quantile(self.even(patient, purpose, place))
    }

    /// Appends the deviations of a patient on an occasion, one for each parameter that varies.
    pub(crate) fn deviate(&self, patient: u64, occasion: u32, into: &mut Vec<f64>) {
        let first = into.len();
        into.resize(first + self.varying.len(), 0.0);
        for (purpose, factors) in &self.layers {
            let all: usize = factors.iter().map(|factor| factor.rows.len()).sum();
            let mut place = if *purpose == Purpose::Occasion { occasion * all as u32 } else { 0 };
            for factor in factors {
                let drawn: Vec<f64> =
                    (place..).take(factor.rows.len()).map(|p| self.normal(patient, *purpose, p)).collect();
                place += drawn.len() as u32;
                for (parameter, row) in factor.parameters.iter().zip(&factor.rows) {
                    let value: f64 = row.iter().zip(&drawn).map(|(l, z)| l * z).sum();
                    into.iter_mut().skip(first + parameter).take(1).for_each(|sum| *sum += value);
                }
            }
        }
    }

    /// The same as a deviation of each parameter of the model, in its order.
    pub(crate) fn etas(&self, model: &Model, patient: u64, occasion: u32) -> Vec<Ratio> {
        let mut deviations = Vec::new();
        self.deviate(patient, occasion, &mut deviations);
        let mut etas = vec![Ratio(0.0); model.spec().parameters.len()];
        for (parameter, deviation) in self.varying.iter().zip(deviations) {
            etas.iter_mut().skip(*parameter).take(1).for_each(|eta| eta.0 = deviation);
        }
        etas
    }
}
