//! What a level does: the shape between level and effect, how people differ in it, and an effect that comes late.
//!
//! An effect is a plain number, because each has a unit of its own; whoever asks knows it.

use crate::chance::normal_quantile;
use crate::ode::{self, Method, NoSolution, Problem, Tolerance};
use crate::person::{Individual, KE0, check_times};
use crate::refused::{Accepted, Refused};
use crate::response::Response;
use crate::schedule::Schedule;
use crate::units::{Minutes, NG_PER_ML_IN_MG_PER_L, NgPerMl, PerMin, Ratio};

/// `most · Cᵞ / (halfᵞ + Cᵞ)`: the Hill or sigmoid Emax curve; with a steepness of 1, binding to one site.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sigmoid {
    most: f64,
    half: f64,
    steepness: f64,
}

const MOST: Accepted = Accepted { what: "greatest effect", low: -1e9, high: 1e9, unit: "1" };
const HALF: Accepted =
    Accepted { what: "level of half the effect", low: 1e-9, high: 1e9, unit: NgPerMl::UNIT };
const STEEPNESS: Accepted = Accepted { what: "steepness", low: 0.05, high: 20.0, unit: Ratio::UNIT };

impl Sigmoid {
    /// # Errors
    /// An effect outside ±1e9, a half level outside 1e-9 to 1e9 ng/mL, a steepness outside 0.05 to 20.
    pub fn new(most: f64, half: NgPerMl, steepness: Ratio) -> Result<Self, Refused> {
        Ok(Self {
            most: MOST.check(most)?,
            half: HALF.check(half.0)?,
            steepness: STEEPNESS.check(steepness.0)?,
        })
    }

    /// Effect of a level, in the unit of the greatest effect. A level that is not above 0 has none.
    #[must_use]
    pub fn at(&self, level: NgPerMl) -> f64 {
        // As 1 / (1 + (half/C)ᵞ) nothing overflows to infinity over infinity.
        if level.0 > 0.0 { self.most / (1.0 + (self.half / level.0).powf(self.steepness)) } else { 0.0 }
    }

    /// The same curve, so many times as high.
    #[must_use]
    pub fn times(self, ratio: Ratio) -> Self {
        Self { most: self.most * ratio.0, ..self }
    }
}

/// How people differ in an effect at the same level: each has the mean effect times a factor of their own. The mean of
/// the factors is 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Sensitivity {
    /// Log-normal, by its coefficient of variation.
    LogNormal {
        /// Standard deviation over mean.
        cv: Ratio,
    },
    /// Gamma, by its shape: below 1 most people have little and a few have much.
    Gamma {
        /// 1 / cv².
        shape: Ratio,
    },
}

/// Points at which a distribution is looked at, each for the same share of people.
const POINTS: usize = 60;

impl Sensitivity {
    /// # Errors
    /// A coefficient of variation outside 0 to 5, a shape outside 0.05 to 100.
    pub fn check(self) -> Result<Self, Refused> {
        match self {
            Self::LogNormal { cv } => {
                Accepted { what: "spread of effect", low: 0.0, high: 5.0, unit: "1" }.check(cv.0)
            }
            Self::Gamma { shape } => {
                Accepted { what: "shape of the spread", low: 0.05, high: 100.0, unit: "1" }.check(shape.0)
            }
        }
        .map(|_| self)
    }

    /// The factor below which a share of people lies; `None` for a share outside 0 to 1 or at its ends.
    #[must_use]
    pub fn quantile(self, share: Ratio) -> Option<f64> {
        let share = Some(share.0).filter(|share| *share > 0.0 && *share < 1.0)?;
        Some(match self {
            Self::LogNormal { cv } => {
                let variance = cv.0.powi(2).ln_1p();
                (variance.sqrt() * normal_quantile(share) - 0.5 * variance).exp()
            }
            Self::Gamma { shape } => gamma_quantile(shape.0, share) / shape.0,
        })
    }

    /// Effects below which these shares of people lie, who differ in level and, independently of that, in factor.
    /// `mean` are effects of people of mean sensitivity, each for the same share of people. Reckoned on a grid of
    /// both, so there is no chance in it.
    #[must_use]
    pub fn percentiles(this: Option<Self>, mean: &[f64], shares: &[Ratio]) -> Option<Vec<f64>> {
        let factors: Vec<f64> = match this {
            Some(sensitivity) => {
                even_shares().map(|share| sensitivity.quantile(share)).collect::<Option<_>>()?
            }
            None => vec![1.0],
        };
        let mut all: Vec<f64> = mean.iter().flat_map(|x| factors.iter().map(move |f| x * f)).collect();
        all.sort_by(f64::total_cmp);
        let at = |share: &Ratio| {
            let rank = (share.0 * all.len() as f64 - 0.5).clamp(0.0, (all.len().checked_sub(1)?) as f64);
            let (low, high) = (all.get(rank.floor() as usize)?, all.get(rank.ceil() as usize)?);
            Some(low + (high - low) * rank.fract())
        };
        shares.iter().map(at).collect()
    }
}

/// Evenly spread shares of people, at which levels are looked at for [`Sensitivity::percentiles`].
pub fn even_shares() -> impl Iterator<Item = Ratio> {
    (0..POINTS).map(|place| Ratio((place as f64 + 0.5) / POINTS as f64))
}

/// By halving: the regularised incomplete gamma function rises.
fn gamma_quantile(shape: f64, share: f64) -> f64 {
    let (mut low, mut high) = (f64::MIN_POSITIVE, shape + 40.0 * shape.sqrt() + 40.0);
    for _ in 0..200 {
        // In the logarithm first, because a small shape has small quantiles.
        let middle = if high > 2.0 * low { (low * high).sqrt() } else { 0.5 * (low + high) };
        if gamma_share(shape, middle) < share { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}

/// Regularised lower incomplete gamma function; its series has positive terms only (Abramowitz and Stegun 6.5.29).
fn gamma_share(shape: f64, x: f64) -> f64 {
    let mut term = (shape * x.ln() - x - ln_gamma(shape + 1.0)).exp();
    let mut sum = term;
    for n in 1..10_000 {
        term *= x / (shape + f64::from(n));
        sum += term;
        if term < sum * f64::EPSILON {
            break;
        }
    }
    sum
}

/// Stirling's series from 10 up (Abramowitz and Stegun 6.1.41), and the recurrence below.
fn ln_gamma(x: f64) -> f64 {
    let (mut x, mut shift) = (x, 0.0);
    while x < 10.0 {
        shift -= x.ln();
        x += 1.0;
    }
    let y = 1.0 / (x * x);
    let series = (1.0 / 12.0 - y * (1.0 / 360.0 - y * (1.0 / 1260.0 - y * (1.0 / 1680.0 - y / 1188.0)))) / x;
    shift + (x - 0.5) * x.ln() - x + 0.5 * std::f64::consts::TAU.ln() + series
}

/// How a level makes an effect.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// At once.
    Now(Sigmoid),
    /// The first less the second, at once.
    Between(Sigmoid, Sigmoid),
    /// What arrives at the end of a chain answers, see [`Driver::late`].
    Late {
        /// What flows into the first stage, by level.
        input: Sigmoid,
        /// How fast each stage passes on what it holds.
        rates: Vec<PerMin>,
        /// Effect of what the last stage holds, in minutes of full input.
        answer: Sigmoid,
    },
}

impl Effect {
    /// Effect of a level; `None` where it depends on what went before.
    #[must_use]
    pub fn at(&self, level: NgPerMl) -> Option<f64> {
        match self {
            Self::Now(curve) => Some(curve.at(level)),
            Self::Between(more, less) => Some(more.at(level) - less.at(level)),
            Self::Late { .. } => None,
        }
    }

    /// Effects in one person.
    ///
    /// ```
    /// # mod example { use pkpd::*; include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/model.rs")); }
    /// # use example::model;
    /// # use pkpd::*;
    /// let model = model()?;
    /// let person = model.typical(Body { weight: Kg(70.0), age: None })?;
    /// let given = Schedule::new([Dose::over(Mg(35.0), Minutes(40.0), Minutes(0.0))])?;
    /// let driver = Driver { person: &person, given: &given, ke0: PerMin(0.08), acting: Ratio(1.0) };
    /// // At most 30 mmHg, half of it at 200 ng/mL.
    /// let rise = Effect::Now(Sigmoid::new(30.0, NgPerMl(200.0), Ratio(1.0))?);
    /// let found = rise.course(&driver, &[Minutes(0.0), Minutes(40.0)]).map_err(|why| Refused::Impossible(why.to_string()))?;
    /// assert!(found[0] == 0.0 && 5.0 < found[1] && found[1] < 30.0);
    /// # Ok::<(), Refused>(())
    /// ```
    ///
    /// # Errors
    /// As [`Driver::late`].
    pub fn course(&self, driver: &Driver, times: &[Minutes]) -> Result<Vec<f64>, NoSolution> {
        match self {
            Self::Late { input, rates, answer } => {
                let held = driver.late(|level| input.at(level), rates, times)?;
                Ok(held.into_iter().map(|held| answer.at(NgPerMl(held))).collect())
            }
            Self::Now(_) | Self::Between(..) => {
                let course = driver.person.parent_course(driver.given, Some(driver.ke0), times)?;
                let levels = course.effect.unwrap_or_default();
                Ok(levels.iter().filter_map(|x| self.at(NgPerMl(x.0 * driver.acting.0))).collect())
            }
        }
    }

    /// The same, so many times as high.
    #[must_use]
    pub fn times(self, ratio: Ratio) -> Self {
        match self {
            Self::Now(curve) => Self::Now(curve.times(ratio)),
            Self::Between(more, less) => Self::Between(more.times(ratio), less.times(ratio)),
            Self::Late { input, rates, answer } => Self::Late { input, rates, answer: answer.times(ratio) },
        }
    }
}

/// What drives an effect: the level at one person's effect site.
#[derive(Debug, Clone, Copy)]
pub struct Driver<'a> {
    /// Who.
    pub person: &'a Individual<'a>,
    /// In mg of what the model describes.
    pub given: &'a Schedule,
    /// How the effect site follows.
    pub ke0: PerMin,
    /// What of the level acts.
    pub acting: Ratio,
}

/// Doses that drive a late effect, at most: each look at the level walks through all of them.
const DRIVING_MAX: usize = 400;

impl Driver<'_> {
    /// What arrives at the end of a chain: `input` of the level flows into the first stage, each stage passes all it
    /// loses on to the next, at these rates. Stages start empty at the first dose.
    ///
    /// # Errors
    /// Times that fall or come before the first dose's start, a rate outside 1e-9 to 1e6 /min, more than 400 doses
    /// or other than into the centre, no solution.
    pub fn late(
        &self,
        input: impl Fn(NgPerMl) -> f64,
        rates: &[PerMin],
        times: &[Minutes],
    ) -> Result<Vec<f64>, NoSolution> {
        check_times(times)?;
        let ke0 = KE0.check(self.ke0.0)?;
        let each = Accepted { what: "rate of a stage", low: 1e-9, high: 1e6, unit: "/min" };
        let rates = rates.iter().map(|rate| each.check(rate.0)).collect::<Result<Vec<_>, _>>()?;
        if !self.given.is_plain() {
            let why =
                "a late effect follows doses into the centre only, none by another way or given since ever";
            return Err(Refused::Impossible(why.to_owned()).into());
        }
        let count = self.given.doses().len();
        if count > DRIVING_MAX {
            return Err(Refused::TooMany { what: "doses of a late effect", count, most: DRIVING_MAX }.into());
        }
        let response = Response::new(self.person.parent(), ke0);
        let level = |t| response.level(&response.held(self.given, t)).effect * NG_PER_ML_IN_MG_PER_L;
        let slopes = |t: f64, x: &[f64], d: &mut [f64]| {
            let mut inflow = input(NgPerMl(level(t) * self.acting.0));
            for ((slope, held), rate) in d.iter_mut().zip(x).zip(&rates) {
                *slope = inflow - rate * held;
                inflow = rate * held;
            }
        };
        let breaks: Vec<Minutes> = self.given.doses().iter().flat_map(|d| [d.start(), d.end()]).collect();
        let first = times.first().copied().unwrap_or_default();
        let start = self.given.start().map_or(first, |start| Minutes(start.0.min(first.0)));
        let empty = vec![0.0; rates.len()];
        let problem = Problem { slopes: &slopes, start, state: &empty, breaks: &breaks };
        let states = ode::solve(&problem, times, Method::Explicit, FINE)?;
        Ok(states.iter().map(|x| x.last().copied().unwrap_or_default()).collect())
    }
}

/// A millionth of the greatest input over a minute; effects are printed with fewer digits.
const FINE: Tolerance = Tolerance { relative: 1e-8, absolute: 1e-8 };

#[cfg(test)]
mod tests {
    use super::*;
    use crate::theorems::{flow, parameter, place};
    use crate::{Body, Dose, Form, Kg, Litres, Mg, MgPerKg, Model, Site, Spec, Validity, Value, Years};
    use proptest::prelude::*;

    /// One litre that loses this share a minute.
    fn litre(lost: f64) -> Model {
        let spec = Spec {
            id: "litre".to_owned(),
            form: Form::Racemate,
            site: Site::Unknown,
            parameters: vec![
                parameter("v", Value::Volume(Litres(1.0))),
                parameter("k", Value::Constant(PerMin(lost))),
            ],
            compartments: vec![place("centre", Some("v"), Some("parent"))],
            flows: vec![flow("centre", None, "k")],
            variability: Vec::new(),
            routes: Vec::new(),
            occasions: Vec::new(),
            uncertainty: Vec::new(),
            residuals: Vec::new(),
            validity: Validity {
                age: Years(0.0)..=Years(150.0),
                weight: Kg(1.0)..=Kg(300.0),
                dose_max: MgPerKg(1e3),
                length_max: Minutes(1e6),
                infusion_min: Minutes(0.0),
                after_bolus: Minutes(0.0),
            },
        };
        Model::new(spec).expect("it fits")
    }

    fn sigmoid(most: f64, half: f64, steepness: f64) -> Sigmoid {
        Sigmoid::new(most, NgPerMl(half), Ratio(steepness)).expect("a curve")
    }

    proptest! {
        #[test]
        fn half_the_effect_is_at_the_half_level_and_more_is_never_less(most in -50.0..50.0_f64, half in 1.0..1e4_f64, steepness in 0.5..4.0_f64, a in 0.0..1e5_f64, b in 0.0..1e5_f64) {
            let curve = sigmoid(most, half, steepness);
            prop_assert!((curve.at(NgPerMl(half)) - most / 2.0).abs() <= 1e-12 * most.abs());
            let (low, high) = (a.min(b), a.max(b));
            prop_assert!(curve.at(NgPerMl(low)).abs() <= curve.at(NgPerMl(high)).abs());
            prop_assert!(curve.at(NgPerMl(high)).abs() <= most.abs());
        }

        /// A gamma of shape 1 is an exponential, one of shape 1/2 the square of a normal.
        #[test]
        fn gamma_quantiles_are_those_of_its_relatives(share in 0.001..0.999_f64) {
            let exponential = -(-share).ln_1p();
            prop_assert!((gamma_quantile(1.0, share) / exponential - 1.0).abs() < 1e-10);
            let normal = normal_quantile(0.5 + share / 2.0);
            prop_assert!((gamma_quantile(0.5, share) / (normal * normal / 2.0) - 1.0).abs() < 1e-9);
        }

        /// The mean of the factors is 1 and their variance the one asked for, by the midpoints of many equal shares.
        #[test]
        fn factors_keep_the_mean(cv in 0.05..1.0_f64) {
            for sensitivity in [Sensitivity::LogNormal { cv: Ratio(cv) }, Sensitivity::Gamma { shape: Ratio(1.0 / (cv * cv)) }] {
                let count = 4000;
                let each: Vec<f64> = (0..count)
                    .map(|i| sensitivity.quantile(Ratio((f64::from(i) + 0.5) / f64::from(count))).expect("inside"))
                    .collect();
                let mean = each.iter().sum::<f64>() / f64::from(count);
                let variance = each.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / f64::from(count);
                prop_assert!((mean - 1.0).abs() < 2e-3, "{sensitivity:?}: {mean}");
                prop_assert!((variance.sqrt() / cv - 1.0).abs() < 0.03, "{sensitivity:?}: {}", variance.sqrt());
            }
        }
    }

    #[test]
    fn curves_of_no_curve_are_refused_with_their_numbers() {
        let told = |most, half, steepness| {
            Sigmoid::new(most, NgPerMl(half), Ratio(steepness)).expect_err("no curve").to_string()
        };
        assert!(told(1.0, 0.0, 1.0).starts_with("level of half the effect is 0 ng/mL; accepted is"));
        assert!(told(f64::NAN, 1.0, 1.0).starts_with("greatest effect is NaN"));
        assert!(told(1.0, 1.0, 0.0).starts_with("steepness is 0"));
        assert!(Sensitivity::Gamma { shape: Ratio(0.0) }.check().is_err());
        assert_eq!(sigmoid(5.0, 1.0, 1.0).at(NgPerMl(-1.0)), 0.0);
        assert_eq!(Sensitivity::LogNormal { cv: Ratio(0.5) }.quantile(Ratio(1.0)), None);
    }

    /// Two independent log-normals multiply to one whose variances add.
    #[test]
    fn people_differ_in_level_and_in_sensitivity() {
        let (of_level, of_factor): (f64, f64) = (0.3, 0.6);
        let shares = [Ratio(0.05), Ratio(0.5), Ratio(0.95)];
        let effects: Vec<f64> = even_shares().map(|s| (of_level * normal_quantile(s.0)).exp()).collect();
        let cv = (of_factor.powi(2).exp() - 1.0).sqrt();
        let sensitivity = Sensitivity::LogNormal { cv: Ratio(cv) };
        let found = Sensitivity::percentiles(Some(sensitivity), &effects, &shares).expect("people");
        let sd = of_level.hypot(of_factor);
        for (found, share) in found.iter().zip(shares) {
            let expected = (sd * normal_quantile(share.0) - 0.5 * of_factor.powi(2)).exp();
            assert!((found / expected - 1.0).abs() < 0.02, "{share}: {found} and {expected}");
        }
        let alike = Sensitivity::percentiles(None, &[1.0, 2.0, 3.0], &[Ratio(0.5)]);
        assert_eq!(alike, Some(vec![2.0]));
        assert_eq!(Sensitivity::percentiles(None, &[], &[Ratio(0.5)]), None);
    }

    /// One litre that keeps 1 mg for ever: the level is steady, so the chain has a closed form.
    #[test]
    fn a_chain_under_a_steady_level_fills_as_the_closed_form_says() {
        let model = litre(0.0);
        let person = model.typical(Body { weight: Kg(70.0), age: None }).expect("a person");
        let given = Schedule::new([Dose::Bolus { at: Minutes(0.0), amount: Mg(1.0) }]).expect("a dose");
        let driver = Driver { person: &person, given: &given, ke0: PerMin(1e6), acting: Ratio(1.0) };
        let times: Vec<Minutes> = [0.0, 1.0, 10.0, 100.0, 1000.0].map(Minutes).to_vec();
        let (a, b) = (0.05, 0.002);
        let found = driver.late(|level| level.0 / 1000.0, &[PerMin(a), PerMin(b)], &times).expect("solved");
        for (time, found) in times.iter().zip(found) {
            let t = time.0;
            let expected = 1.0 / b - ((-b * t).exp() * a / b - (-a * t).exp()) / (a - b);
            assert!((found - expected).abs() < 1e-4 * expected.max(1e-3), "{time}: {found} and {expected}");
        }
    }

    #[test]
    fn a_late_effect_of_too_many_doses_is_refused() {
        let model = litre(0.1);
        let person = model.typical(Body { weight: Kg(70.0), age: None }).expect("a person");
        let each = |n: i32| Dose::Bolus { at: Minutes(f64::from(n)), amount: Mg(1.0) };
        let given = Schedule::new((0..401).map(each)).expect("doses");
        let driver = Driver { person: &person, given: &given, ke0: PerMin(0.1), acting: Ratio(1.0) };
        let told = driver.late(|level| level.0, &[PerMin(0.1)], &[Minutes(1.0)]).expect_err("too many");
        assert!(told.to_string().contains("401 doses of a late effect; at most 400"), "{told}");
    }
}
