//! A pressure that turns over and grows used to the drug: on top of the closed form, and as equations altogether.

use crate::work::{BODY, KE0, Output, PER_MG_L, every_four_minutes, infusions, measured, parent, told};
use crate::{Asked, Seconds, files};
use pkpd::ode::Tolerance;
use pkpd::*;

const E_MAX: f64 = 0.35;
const T50: f64 = 0.2;
const K_TOL: f64 = 0.02;
const R0: f64 = 90.0;

const TOLERANCE: Tolerance = Tolerance { relative: 2e-7, absolute: 1e-7 };

/// What makes people used to a level in mg/L.
#[inline(always)]
fn used<R: Real>(level: R) -> R {
    level * level.lift(K_TOL)
}

/// What raises the pressure: the level, tolerance taken off.
#[inline(always)]
fn raised<R: Real>(level: R, tolerance: R, [ec50, k_out]: [R; 2]) -> R {
    let square = level * level;
    let used = tolerance.times_plus(level.lift(1.0 / T50), level.lift(1.0));
    let effect = level.lift(E_MAX) * square / (ec50.times_plus(ec50, square) * used);
    k_out * effect.times_plus(level.lift(R0), level.lift(R0))
}

/// Tolerance and pressure under the effect site; each person has EC50 and KOUT.
struct Driven;

impl Cascade<2, 2> for Driven {
    #[inline(always)]
    fn start<R: Real>(&self, [any, _]: &[R; 2]) -> [R; 2] {
        [any.lift(0.0), any.lift(R0)]
    }
    #[inline(always)]
    fn rates<R: Real>(&self, [_, k_out]: &[R; 2]) -> [R; 2] {
        [k_out.lift(K_TOL), *k_out]
    }
    #[inline(always)]
    fn fill<R: Real>(&self, level: R, before: &[R], person: &[R; 2]) -> R {
        let level = level * level.lift(1.0 / PER_MG_L);
        match before {
            [] => used(level),
            [tolerance, ..] => raised(level, *tolerance, *person),
        }
    }
}

/// The level in mg/L, two stores in mg, effect site, tolerance and pressure; each person has CL, 1/V1, EC50 and KOUT.
struct Whole;

impl Equations<6, 4> for Whole {
    #[inline(always)]
    fn start<R: Real>(&self, [any, ..]: &[R; 4]) -> [R; 6] {
        let none = any.lift(0.0);
        [none, none, none, none, none, any.lift(R0)]
    }
    #[inline(always)]
    fn slopes<R: Real>(&self, rate: R, state: &[R; 6], person: &[R; 4]) -> [R; 6] {
        let [level, a2, a3, ce, tolerance, bp] = *state;
        let [cl, per_v1, ec50, k_out] = *person;
        let [to2, to3] =
            [level.lift(2.0) * level - a2 * level.lift(2.0 / 45.0), level - a3 * level.lift(1.0 / 130.0)];
        let [centre, effect] = [(rate - cl * level - to2 - to3) * per_v1, (level - ce) * level.lift(KE0)];
        let grows = used(ce) - tolerance * level.lift(K_TOL);
        [centre, to2, to3, effect, grows, raised(ce, tolerance, [ec50, k_out]) - k_out * bp]
    }
}

/// The parent by its closed form, the response on top.
pub(crate) fn structured(asked: &Asked) -> Result<Seconds, String> {
    let model = Model::new(parent()).map_err(told)?;
    let times = every_four_minutes();
    let cohort = Cohort::of_parent(&model, &infusions(&[0.0])?, Some(PerMin(KE0)), &times).map_err(told)?;
    let etas = files::rows(&asked.inputs, "w3_eta.bin", 4)?;
    let varying = [Varying::Parameter("CL"), Varying::Parameter("V1")];
    let control = Control { step: Minutes(4.0), tolerance: TOLERANCE };
    let follow = |rows: &[f64], levels: &mut [Levels]| {
        let (rows, _) = rows.as_chunks::<4>();
        let deviations: Vec<f64> = rows.iter().flat_map(|[cl, v1, ..]| [*cl, *v1]).collect();
        let persons: Vec<f64> =
            rows.iter().flat_map(|[.., ec, k]| [0.15 * ec.exp(), 0.1 * k.exp()]).collect();
        let people = People { bodies: &[BODY], varying: &varying, deviations: &deviations, doses: &[] };
        let [plasma, response] = levels else { return Ok(()) };
        cohort.levels(&people, plasma)?;
        cohort.respond(&people, &Driven, &persons, control, response)
    };
    let outputs = [
        Output { name: "CP", run: 0, output: 0, scale: 1.0 / PER_MG_L },
        Output { name: "RO", run: 1, output: 1, scale: 1.0 },
    ];
    measured(asked, &etas, 4, &follow, &outputs, &times)
}

/// Everything by steps, as any equations.
pub(crate) fn general(asked: &Asked) -> Result<Seconds, String> {
    let (times, schedule) = (every_four_minutes(), infusions(&[0.0])?);
    let etas = files::rows(&asked.inputs, "w3_eta.bin", 4)?;
    let control = Control { step: Minutes(2.0), tolerance: TOLERANCE };
    let follow = |rows: &[f64], levels: &mut [Levels]| {
        let (rows, _) = rows.as_chunks::<4>();
        let person =
            |[cl, v1, ec, k]: &[f64; 4]| [1.2 * cl.exp(), (-v1).exp() / 15.0, 0.15 * ec.exp(), 0.1 * k.exp()];
        let persons: Vec<f64> = rows.iter().flat_map(person).collect();
        levels
            .iter_mut()
            .try_for_each(|levels| solve_many(&Whole, &persons, &schedule, &times, control, levels))
    };
    let outputs = [
        Output { name: "CP", run: 0, output: 0, scale: 1.0 },
        Output { name: "RO", run: 0, output: 5, scale: 1.0 },
    ];
    measured(asked, &etas, 4, &follow, &outputs, &times)
}
