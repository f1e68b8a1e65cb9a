//! What must hold for doses that repeat since before memory, come late, by other ways, into an emptied body, or into
//! one that changes: each by a second method.

use crate::ode::{self, Problem};
use crate::theorems::{BODY, Constants, V, constants, effect, minutes, near, numbers, parameter, spec};
use crate::*;
use proptest::prelude::*;

/// Without the place that gathers what is eliminated, in which nothing is ever steady.
fn lost(c: Constants) -> Model {
    let mut all = spec(c);
    all.compartments.pop();
    if let Some(last) = all.flows.last_mut() {
        last.to = None;
    }
    Model::new(all).expect("a model")
}

fn steady(dose: Dose, every: f64, lag: f64) -> Given {
    Given { lag: Minutes(lag), steady_every: Some(Minutes(every)), ..dose.into() }
}

fn course(model: &Model, ke0: f64, given: Vec<Given>, resets: &[f64], times: &[f64]) -> Course {
    let schedule = Schedule::of(given, &minutes(resets)).expect("doses");
    let person = model.typical(BODY).expect("a person");
    person.course(&schedule, Some(PerMin(ke0)), &minutes(times)).expect("a course")
}

fn same(found: &Course, expected: &Course, within: f64) -> Result<(), TestCaseError> {
    near(&numbers(&found.plasma), &numbers(&expected.plasma), within)?;
    near(&effect(found), &effect(expected), within)?;
    near(&numbers(&found.metabolites[0].1), &numbers(&expected.metabolites[0].1), within)
}

/// Constants that forget within some hundred doses.
fn forgetful() -> impl Strategy<Value = Constants> {
    let rate = || (-1.3..0.3_f64).prop_map(|e| 10f64.powf(e));
    (rate(), rate(), rate(), rate(), rate(), 0.5..10.0_f64, rate(), rate()).prop_map(
        |(k10, k12, k21, k13, k31, delay, km, ke0)| Constants {
            k10,
            k: [(k12, k21), (k13, k31)],
            delay,
            km,
            ke0,
        },
    )
}

fn slowest(model: &Model, c: Constants) -> f64 {
    let person = model.typical(BODY).expect("a person");
    let modes = person.parent().modes().map(|(rate, _)| rate.0);
    modes.chain([c.km, c.ke0, 3.0 / c.delay]).fold(f64::INFINITY, f64::min)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_steady_state_is_what_very_many_doses_leave(
        c in forgetful(), every in 5.0..60.0_f64, length in prop_oneof![Just(0.0), 0.5..150.0_f64],
        lag in prop_oneof![Just(0.0), 0.1..130.0_f64],
    ) {
        let model = lost(c);
        let count = (45.0 / slowest(&model, c) / every).ceil() + (length + lag) / every + 2.0;
        prop_assume!(count < 2000.0);
        let at = |place: f64| Dose::over(Mg(10.0), Minutes(length), Minutes(1000.0 + lag - place * every));
        let often: Vec<Given> = (0..count as usize).map(|place| at(place as f64).into()).collect();
        let row = vec![steady(Dose::over(Mg(10.0), Minutes(length), Minutes(1000.0)), every, lag)];
        let times = [1000.0, 1001.0, 1000.0 + every, 1060.0, 1200.0];
        same(&course(&model, c.ke0, row, &[], &times), &course(&model, c.ke0, often, &[], &times), 1e-9)?;
    }

    #[test]
    fn closed_form_and_matrix_settle_alike(c in constants(), every in 1.0..600.0_f64, length in prop_oneof![Just(0.0), 1.0..900.0_f64]) {
        prop_assume!(c.k10 > 0.0);
        let model = lost(c);
        let person = model.typical(BODY).expect("a person");
        let schedule = Schedule::of([steady(Dose::over(Mg(10.0), Minutes(length), Minutes(0.0)), every, 0.0)], &[]).expect("a dose");
        let times = [0.0, 5.0, 700.0];
        let closed = person.parent_course(&schedule, Some(PerMin(c.ke0)), &minutes(&times)).expect("a course");
        let changing = changing_course(&[(Minutes(0.0), &person)], &schedule, Some(PerMin(c.ke0)), &minutes(&times)).expect("a course");
        near(&numbers(&closed.plasma), &numbers(&changing.plasma), 1e-9)?;
        near(&effect(&closed), &effect(&changing), 1e-9)?;
    }

    #[test]
    fn in_a_steady_state_each_interval_is_like_the_last_and_brings_what_is_cleared(
        c in forgetful(), every in 5.0..60.0_f64, length in 0.5..150.0_f64,
    ) {
        let model = lost(c);
        let next = |place: f64| Dose::over(Mg(10.0), Minutes(length), Minutes(every * place)).into();
        let given = vec![steady(Dose::over(Mg(10.0), Minutes(length), Minutes(0.0)), every, 0.0), next(1.0), next(2.0)];
        let at = |from: f64| (0..=2000).map(|i| from + every * f64::from(i) / 2000.0).collect::<Vec<f64>>();
        let first = course(&model, c.ke0, given.clone(), &[], &at(0.0));
        same(&course(&model, c.ke0, given, &[], &at(every)), &first, 1e-9)?;
        // Trapezoids meet every kink but those at the ends of infusions.
        let levels = numbers(&first.plasma);
        let mean = levels.windows(2).map(|w| (w[0] + w[1]) / 2.0).sum::<f64>() / 2000.0;
        prop_assert!((mean / (10.0 * 1000.0 / (c.k10 * V * every)) - 1.0).abs() < 1e-3);
    }

    #[test]
    fn infusions_that_follow_each_other_without_a_gap_are_one(c in forgetful(), every in 5.0..600.0_f64, parts in 1..4_u8) {
        let model = lost(c);
        // Each lasts as long as so many of the distances: as many run at once.
        let dose = Dose::over(Mg(every * f64::from(parts)), Minutes(every * f64::from(parts)), Minutes(0.0));
        let found = course(&model, c.ke0, vec![steady(dose, every, 0.0)], &[], &[0.0]);
        let level = 1000.0 * f64::from(parts) / (c.k10 * V);
        near(&[found.plasma[0].0, effect(&found)[0]], &[level; 2], 1e-9)?;
    }

    #[test]
    fn an_emptied_body_knows_nothing_of_before(c in constants(), at in 1.0..40.0_f64) {
        let model = lost(c);
        let dose = |start| Given::from(Dose::over(Mg(10.0), Minutes(40.0), Minutes(start)));
        let times = [0.5, 45.0, 80.0, 300.0];
        let found = course(&model, c.ke0, vec![dose(0.0), dose(45.0)], &[at], &times);
        let later = course(&model, c.ke0, vec![dose(45.0)], &[], &times);
        let before = course(&model, c.ke0, vec![dose(0.0)], &[], &times);
        prop_assert_eq!(found.plasma[0], before.plasma[0]);
        near(&numbers(&found.plasma[1..]), &numbers(&later.plasma[1..]), 1e-12)?;
        near(&effect(&found)[1..], &effect(&later)[1..], 1e-12)?;
    }

    #[test]
    fn a_late_dose_is_the_dose_later(c in constants(), lag in 0.0..60.0_f64, length in prop_oneof![Just(0.0), 0.5..50.0_f64]) {
        let model = lost(c);
        let dose = |start| Dose::over(Mg(10.0), Minutes(length), Minutes(start));
        let late = Given { lag: Minutes(lag), ..dose(5.0).into() };
        let times = [5.0, 30.0, 70.0, 200.0];
        same(&course(&model, c.ke0, vec![late], &[], &times), &course(&model, c.ke0, vec![dose(5.0 + lag).into()], &[], &times), 1e-12)?;
    }

    #[test]
    fn numbers_that_change_to_themselves_change_nothing(c in constants(), at in 0.0..200.0_f64) {
        let model = lost(c);
        let person = model.typical(BODY).expect("a person");
        let schedule = Schedule::new([Dose::over(Mg(20.0), Minutes(60.0), Minutes(10.0))]).expect("a dose");
        let times = minutes(&[0.0, 20.0, 70.0, 150.0, 250.0]);
        let stages = [(Minutes(0.0), &person), (Minutes(at), &person)];
        let changing = changing_course(&stages, &schedule, Some(PerMin(c.ke0)), &times).expect("a course");
        same(&changing, &person.course(&schedule, Some(PerMin(c.ke0)), &times).expect("a course"), 1e-9)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    /// One compartment whose clearance and volume follow a weight that falls, against small steps.
    #[test]
    fn a_body_that_changes_is_what_the_equations_say(light in 30.0..69.0_f64, at in 5.0..55.0_f64, ke0 in 0.02..0.5_f64) {
        let mut all = one();
        for parameter in &mut all.parameters {
            parameter.weight = Some(WeightScale { reference: Kg(70.0), exponent: Ratio(1.0) });
        }
        let model = Model::new(all).expect("a model");
        let [heavy, thin] = [70.0, light].map(|weight| model.typical(Body { weight: Kg(weight), age: None }).expect("a person"));
        let schedule = Schedule::new([Dose::over(Mg(20.0), Minutes(40.0), Minutes(0.0))]).expect("a dose");
        let times = minutes(&[2.0, 10.0, 30.0, 60.0, 100.0]);
        let found = changing_course(&[(Minutes(0.0), &heavy), (Minutes(at), &thin)], &schedule, Some(PerMin(ke0)), &times).expect("a course");
        let weight = move |t: f64| if t < at { 70.0 } else { light };
        let slopes = move |t: f64, x: &[f64], slopes: &mut [f64]| {
            slopes[0] = if t < 40.0 { 0.5 } else { 0.0 } - 1.4 / 50.0 * x[0];
            slopes[1] = ke0 * (x[0] / (50.0 * weight(t) / 70.0) - x[1]);
        };
        let problem = Problem { slopes: &slopes, start: Minutes(0.0), state: &[0.0, 0.0], breaks: &minutes(&[at, 40.0]) };
        let tolerance = ode::Tolerance { relative: 1e-12, absolute: 1e-14 };
        let states = ode::solve(&problem, &times, ode::Method::Explicit, tolerance).expect("a solution");
        let of_steps: Vec<f64> = states.iter().zip(&times).map(|(x, t)| x[0] / (50.0 * weight(t.0) / 70.0) * 1000.0).collect();
        near(&numbers(&found.plasma), &of_steps, 1e-9)?;
        near(&effect(&found), &states.iter().map(|x| x[1] * 1000.0).collect::<Vec<_>>(), 1e-9)?;
    }

    /// Absorbed at one rate after an even release: the integral of Bateman's function, after a lag.
    #[test]
    fn a_dose_by_another_way_follows_its_closed_form(ka in 0.002..0.5_f64, over in prop_oneof![Just(0.0), 1.0..60.0_f64], lag in 0.0..20.0_f64) {
        let k: f64 = 1.4 / 50.0;
        prop_assume!((ka - k).abs() > 1e-4);
        let model = by_mouth(vec![PerMin(ka)], over, lag);
        let schedule = Schedule::of([swallowed(100.0)], &[]).expect("a dose");
        let times = [1.0, 15.0, 40.0, 90.0, 400.0];
        let person = model.typical(BODY).expect("a person");
        let found = person.parent_course(&schedule, None, &minutes(&times)).expect("a course");
        let decay = |rate: f64, t: f64| {
            // What is left of an even release at a time t after its end or in its middle.
            let (released, since) = (t.min(over), (t - over).max(0.0));
            if over == 0.0 { (-rate * t).exp() } else { -(-rate * released).exp_m1() / (rate * over) * (-rate * since).exp() }
        };
        let expected = times.map(|t| {
            let t = t - lag;
            if t < 0.0 { return 0.0 }
            30.0 * ka / (ka - k) * (decay(k, t) - decay(ka, t)) / 50.0 * 1000.0
        });
        near(&numbers(&found.plasma), &expected, 1e-9)?;
    }
}

/// 50 L, cleared at 1.4 L/min.
fn one() -> Spec {
    Spec {
        parameters: vec![
            parameter("v", Value::Volume(Litres(50.0))),
            parameter("cl", Value::Clearance(LPerMin(1.4))),
        ],
        compartments: vec![crate::theorems::place("centre", Some("v"), None)],
        flows: vec![crate::theorems::flow("centre", None, "cl")],
        ..spec(Constants { k10: 0.1, k: [(0.1, 0.1); 2], delay: 1.0, km: 0.1, ke0: 0.1 })
    }
}

/// The same; three tenths of what is swallowed arrive.
fn by_mouth(stages: Vec<PerMin>, over: f64, lag: f64) -> Model {
    let into = Entrance::Compartment("centre".to_owned());
    let entry = Entry { share: Ratio(0.3), lag: Minutes(lag), over: Minutes(over), stages, into };
    let mut all = one();
    all.routes = vec![Route { name: "oral".to_owned(), entries: vec![entry], dose_max: None }];
    Model::new(all).expect("a model")
}

fn swallowed(amount: f64) -> Given {
    let dose = Dose::Bolus { at: Minutes(0.0), amount: Mg(amount) };
    Given { route: Some("oral".to_owned()), ..dose.into() }
}

#[test]
fn swallowed_since_ever_or_often_is_the_same() {
    let model = by_mouth(vec![PerMin(0.05), PerMin(0.1)], 20.0, 3.0);
    let person = model.typical(BODY).expect("a person");
    let level = |given: Vec<Given>| {
        let schedule = Schedule::of(given, &[]).expect("doses");
        numbers(
            &person
                .parent_course(&schedule, None, &minutes(&[1000.0, 1004.0, 1030.0]))
                .expect("a course")
                .plasma,
        )
    };
    let at =
        |start: f64| Given { dose: Dose::Bolus { at: Minutes(start), amount: Mg(10.0) }, ..swallowed(0.0) };
    let often = level((0..60).map(|place| at(1000.0 - 30.0 * f64::from(place))).collect());
    let steady = level(vec![Given { steady_every: Some(Minutes(30.0)), ..at(1000.0) }]);
    near(&steady, &often, 1e-9).expect("alike");
}

#[test]
fn what_cannot_be_given_is_refused_by_name() {
    let model = by_mouth(vec![PerMin(0.05)], 0.0, 0.0);
    let person = model.typical(BODY).expect("a person");
    let told = |given: Given| {
        let schedule = Schedule::of([given], &[])?;
        person.parent_course(&schedule, None, &minutes(&[1.0])).map(|_| ())
    };
    let by_nose = Given { route: Some("intranasal".to_owned()), ..swallowed(1.0) };
    assert_eq!(
        told(by_nose).expect_err("no source").to_string(),
        "any has no source for the route intranasal; it has oral"
    );
    let slowly = Given { dose: Dose::over(Mg(1.0), Minutes(5.0), Minutes(0.0)), ..swallowed(1.0) };
    assert!(told(slowly).expect_err("not at once").to_string().contains("given at once"));
    let again = |every| Given { steady_every: Some(Minutes(every)), ..swallowed(1.0) };
    for every in [0.0, -1.0, f64::NAN] {
        assert!(told(again(every)).is_err(), "{every}");
    }
    let c = Constants { k10: 0.0, k: [(0.1, 0.1); 2], delay: 1.0, km: 0.1, ke0: 0.1 };
    let kept = lost(c);
    let person = kept.typical(BODY).expect("a person");
    let row = steady(Dose::over(Mg(1.0), Minutes(0.0), Minutes(0.0)), 60.0, 0.0);
    let schedule = Schedule::of([row], &[]).expect("a dose");
    for never in [
        person.parent_course(&schedule, None, &minutes(&[1.0])),
        changing_course(&[(Minutes(0.0), &person)], &schedule, None, &minutes(&[1.0])),
    ] {
        assert!(never.expect_err("never steady").to_string().contains("no steady state"));
    }
    assert!(Schedule::of([Given { lag: Minutes(-1.0), ..swallowed(1.0) }], &[]).is_err());
    let running = steady(Dose::over(Mg(1.0), Minutes(1e6), Minutes(0.0)), 1e-3, 0.0);
    assert!(Schedule::of([running], &[]).expect_err("too many").to_string().starts_with("doses at once"));
}

#[test]
fn people_at_once_and_one_by_one_have_the_same_levels_of_a_row() {
    let model = lost(Constants { k10: 0.1, k: [(0.1, 0.05), (0.02, 0.01)], delay: 5.0, km: 0.1, ke0: 0.1 });
    let row = steady(Dose::over(Mg(10.0), Minutes(40.0), Minutes(0.0)), 30.0, 0.0);
    let schedule = Schedule::of([row], &[Minutes(100.0)]).expect("a dose");
    let times = minutes(&[0.0, 20.0, 120.0]);
    let cohort = Cohort::of_parent(&model, &schedule, Some(PerMin(0.1)), &times).expect("a cohort");
    let mut levels = Levels::default();
    let people = People { bodies: &[BODY], varying: &[], deviations: &[], doses: &[] };
    cohort.levels(&people, &mut levels).expect("levels");
    let person = model.typical(BODY).expect("a person");
    let alone = person.parent_course(&schedule, Some(PerMin(0.1)), &times).expect("a course");
    for (time, level) in alone.plasma.iter().enumerate() {
        assert_eq!(levels.at(0, time), [level.0]);
    }
    assert!(levels.at(0, 0)[0] > 0.0 && levels.at(0, 2)[0] == 0.0);
}
