//! Levels under the rates that were found, against what was wanted.

use super::*;
use crate::theorems::{flow, parameter, place};
use crate::{Body, Form, Kg, LPerMin, Litres, Mg, MgPerKg, Model, Ratio, Site, Spec, Validity, Value, Years};

fn model() -> Model {
    let both = |a: &str, by: &str| [flow("centre", Some(a), by), flow(a, Some("centre"), by)];
    let mut flows = vec![flow("centre", None, "cl")];
    flows.extend(both("near", "q2"));
    flows.extend(both("far", "q3"));
    let volume = |name, v| parameter(name, Value::Volume(Litres(v)));
    let clearance = |name, cl: f64| parameter(name, Value::Clearance(LPerMin(cl / 60.0)));
    Model::new(Spec {
        id: "three".to_owned(),
        form: Form::Racemate,
        site: Site::Arterial,
        parameters: vec![
            volume("v1", 25.0),
            volume("v2", 56.0),
            volume("v3", 157.0),
            clearance("cl", 84.0),
            clearance("q2", 161.0),
            clearance("q3", 79.0),
        ],
        compartments: vec![
            place("centre", Some("v1"), None),
            place("near", Some("v2"), None),
            place("far", Some("v3"), None),
        ],
        flows,
        routes: vec![],
        occasions: vec![],
        uncertainty: vec![],
        variability: vec![],
        residuals: vec![],
        validity: Validity {
            age: Years(18.0)..=Years(75.0),
            weight: Kg(45.0)..=Kg(120.0),
            dose_max: MgPerKg(2.0),
            length_max: Minutes(240.0),
            infusion_min: Minutes(0.0),
            after_bolus: Minutes(0.0),
        },
    })
    .expect("a model")
}

const BODY: Body = Body { weight: Kg(70.0), age: None };
const KE0: PerMin = PerMin(0.0835);
const TEN_SECONDS: Minutes = Minutes(1.0 / 6.0);
const PUMP: Pump = Pump { rate_max: MgPerMin(20.0), resolution: MgPerMin(0.0), interval: TEN_SECONDS };

fn goal(aim: Aim) -> Goal {
    Goal { aim, level: NgPerMl(100.0), ke0: KE0 }
}

/// Plasma and effect every 10 s, under what was delivered and what is planned.
fn levels(person: &Individual, doses: &[Dose], until: f64) -> (Vec<f64>, Vec<f64>) {
    let schedule = Schedule::new(doses.iter().copied()).expect("doses");
    let times: Vec<_> = (0..=(until * 6.0) as usize).map(|i| Minutes(i as f64 / 6.0)).collect();
    let course = person.parent_course(&schedule, Some(KE0), &times).expect("times");
    let plain = |x: &[NgPerMl]| x.iter().map(|x| x.0).collect();
    (plain(&course.plasma), plain(course.effect.as_deref().expect("an effect site")))
}

fn steered(delivered: &[Dose], now: f64, until: f64, goal: &Goal, pump: &Pump) -> Vec<Dose> {
    let model = model();
    let person = model.typical(BODY).expect("a person");
    let past = Schedule::new(delivered.iter().copied()).expect("doses");
    let steering = Steering { person: &person, delivered: &past, now: Minutes(now), until: Minutes(until) };
    let mut all = delivered.to_vec();
    all.extend(steer(&steering, goal, pump).expect("a plan"));
    all
}

#[test]
fn plasma_reaches_its_target_and_stays() {
    let model = model();
    let person = model.typical(BODY).expect("a person");
    let doses = steered(&[], 0.0, 40.0, &goal(Aim::Plasma), &PUMP);
    let (plasma, _) = levels(&person, &doses, 40.0);
    assert!(plasma.iter().skip(2).all(|c| (c - 100.0).abs() < 1e-9), "{:?}", &plasma[..8]);
}

#[test]
fn the_effect_site_reaches_its_target_and_never_passes_it() {
    let model = model();
    let person = model.typical(BODY).expect("a person");
    let doses = steered(&[], 0.0, 60.0, &goal(Aim::Effect), &PUMP);
    let (plasma, effect) = levels(&person, &doses, 60.0);
    let top = effect.iter().fold(0.0, |m: f64, c| m.max(*c));
    assert!(top <= 100.0 + 1e-6, "{top}");
    assert!(
        effect.iter().skip(12 * 6).all(|c| *c > 99.0),
        "{:?}",
        effect.iter().skip(72).take(6).collect::<Vec<_>>()
    );
    // Plasma overshoots: that is what makes it fast.
    assert!(plasma.iter().fold(0.0, |m: f64, c| m.max(*c)) > 150.0);
}

#[test]
fn a_coarse_pump_stays_below_and_keeps_close() {
    let model = model();
    let person = model.typical(BODY).expect("a person");
    let coarse = Pump { resolution: MgPerMin(0.05), interval: Minutes(1.0), ..PUMP };
    let doses = steered(&[], 0.0, 60.0, &goal(Aim::Effect), &coarse);
    for dose in &doses {
        let Dose::Infusion { rate, .. } = dose else { panic!("a bolus") };
        let steps = rate.0 / 0.05;
        assert!((steps - steps.round()).abs() < 1e-9, "{rate}");
    }
    let (_, effect) = levels(&person, &doses, 60.0);
    assert!(effect.iter().all(|c| *c <= 100.0 + 1e-6));
    assert!(effect.iter().skip(20 * 6).all(|c| *c > 97.0));
}

#[test]
fn after_an_occlusion_the_plan_starts_from_what_was_delivered() {
    let model = model();
    let person = model.typical(BODY).expect("a person");
    let until_ten: Vec<_> = steered(&[], 0.0, 10.0, &goal(Aim::Effect), &PUMP);
    let doses = steered(&until_ten, 15.0, 60.0, &goal(Aim::Effect), &PUMP);
    let (_, effect) = levels(&person, &doses, 60.0);
    assert!(effect[15 * 6] < 95.0, "nothing ran for five minutes");
    assert!(effect.iter().all(|c| *c <= 100.0 + 1e-6));
    assert!(effect.iter().skip(30 * 6).all(|c| *c > 99.0));
}

#[test]
fn above_the_target_nothing_is_given() {
    let bolus = Dose::over(Mg(50.0), Minutes(0.0), Minutes(0.0));
    let doses = steered(&[bolus], 1.0, 5.0, &goal(Aim::Effect), &PUMP);
    assert_eq!(doses[1], Dose::Infusion { start: Minutes(1.0), end: Minutes(5.0), rate: MgPerMin(0.0) });
}

#[test]
fn the_highest_rate_meets_the_limit_and_the_next_one_passes_it() {
    let model = model();
    let person = model.typical(BODY).expect("a person");
    let so_far = Dose::Infusion { start: Minutes(0.0), end: Minutes(10.0), rate: MgPerMin(0.875) };
    let past = Schedule::new([so_far]).expect("a dose");
    let steering = Steering { person: &person, delivered: &past, now: Minutes(10.0), until: Minutes(40.0) };
    for aim in [Aim::Plasma, Aim::Effect] {
        let Highest::Rate(rate) =
            highest_rate(&steering, &Goal { level: NgPerMl(250.0), ..goal(aim) }).expect("a rate")
        else {
            panic!("passed anyway")
        };
        let top = |factor: f64| {
            let next =
                Dose::Infusion { start: Minutes(10.0), end: Minutes(40.0), rate: MgPerMin(rate.0 * factor) };
            let (plasma, effect) = levels(&person, &[so_far, next], 90.0);
            let seen = if aim == Aim::Plasma { plasma } else { effect };
            seen.into_iter().skip(61).fold(0.0, f64::max)
        };
        assert!((top(1.0) / 250.0 - 1.0).abs() < 1e-4, "{aim:?} {rate}: {}", top(1.0));
        assert!(top(1.01) > 250.5);
    }
    let low = Goal { level: NgPerMl(20.0), ..goal(Aim::Effect) };
    let Highest::PassedAnyway { peak } = highest_rate(&steering, &low).expect("an answer") else {
        panic!("a rate")
    };
    let (_, effect) = levels(&person, &[so_far], 60.0);
    let seen = effect.into_iter().skip(60).fold(0.0, f64::max);
    assert!((peak.0 / seen - 1.0).abs() < 1e-3, "{peak} and {seen}");
}

#[test]
fn targets_that_are_no_numbers_are_refused() {
    let model = model();
    let person = model.typical(BODY).expect("a person");
    let none = Schedule::default();
    let steering = Steering { person: &person, delivered: &none, now: Minutes(0.0), until: Minutes(40.0) };
    let nan = Goal { level: NgPerMl(f64::NAN), ..goal(Aim::Plasma) };
    assert!(steer(&steering, &nan, &PUMP).expect_err("NaN").to_string().starts_with("target is NaN ng/mL"));
    let back = Steering { until: Minutes(-1.0), ..steering };
    assert!(highest_rate(&back, &goal(Aim::Plasma)).is_err());
    assert_eq!(Ratio::UNIT, "1");
}

/// Levels from now on until long after the end, every 10 s, under two rates.
fn under(
    person: &Individual,
    past: &[Dose],
    [load, hold]: [f64; 2],
    [now, switch, until]: [f64; 3],
    aim: Aim,
) -> Vec<f64> {
    let infusion =
        |start, end, rate| Dose::Infusion { start: Minutes(start), end: Minutes(end), rate: MgPerMin(rate) };
    let all = [past, &[infusion(now, switch, load), infusion(switch, until, hold)]].concat();
    let (plasma, effect) = levels(person, &all, until + 60.0);
    let seen = if aim == Aim::Plasma { plasma } else { effect };
    seen.into_iter().skip((now * 6.0) as usize).collect()
}

fn mean(levels: &[f64]) -> f64 {
    levels.iter().sum::<f64>() / levels.len() as f64
}

/// A load that is right at the switch is too small for the hour after it, while the effect site still rises.
#[test]
fn two_rates_load_for_the_whole_plan() {
    let model = model();
    let person = model.typical(BODY).expect("a person");
    let none = Schedule::default();
    let until = 60.0;
    let steering = Steering { person: &person, delivered: &none, now: Minutes(0.0), until: Minutes(until) };
    let pump = Pump { rate_max: MgPerMin(10.0), ..PUMP };
    for (switch, other) in [(10.0, [1.055, 0.255]), (5.0, [1.959, 0.2534])] {
        let goal = Goal { ke0: KE0, ..goal(Aim::Effect) };
        let found = two_rates(&steering, &goal, &pump, Minutes(switch)).expect("an answer").expect("rates");
        let seen = |rates| under(&person, &[], rates, [0.0, switch, until], Aim::Effect);
        let held = |rates| mean(&seen(rates)[switch as usize * 6..=360]);
        let found = found.map(|rate| rate.0);
        assert!(seen(found).into_iter().all(|level| level <= 100.0 * 1.0001), "{found:?}");
        assert!(held(found) >= held(other) - 0.01, "{found:?} {} {}", held(found), held(other));
    }
}

#[test]
fn what_rounding_leaves_of_a_rate_or_an_interval_is_none() {
    for until in [7.3, 29.7, 60.0] {
        let doses = steered(&[], 0.1, until, &goal(Aim::Plasma), &Pump { interval: Minutes(0.1), ..PUMP });
        for dose in &doses {
            let Dose::Infusion { start, end, rate } = dose else { panic!("a bolus") };
            assert!((rate.0 == 0.0 || rate.0 >= 1e-6) && end.0 - start.0 > 1e-3, "{dose:?}");
        }
        assert_eq!(doses.last().map(Dose::end), Some(Minutes(until)));
    }
    assert_eq!([1e-13, 9e-7, 2e-6].map(|rate| PUMP.down_to(rate)), [0.0, 0.0, 2e-6]);
}

#[test]
fn two_rates_hold_the_highest_mean_level_that_never_passes() {
    let model = model();
    let person = model.typical(BODY).expect("a person");
    let past = [Dose::Infusion { start: Minutes(0.0), end: Minutes(5.0), rate: MgPerMin(0.4) }];
    let delivered = Schedule::new(past).expect("a dose");
    let times @ [now, switch, until] = [5.0, 15.0, 60.0];
    let steering =
        Steering { person: &person, delivered: &delivered, now: Minutes(now), until: Minutes(until) };
    for aim in [Aim::Plasma, Aim::Effect] {
        let pump = Pump { resolution: MgPerMin(0.001), ..PUMP };
        let found =
            two_rates(&steering, &goal(aim), &pump, Minutes(switch)).expect("an answer").expect("rates");
        let found = found.map(|rate| rate.0);
        let held = |rates| {
            let seen = under(&person, &past, rates, times, aim);
            mean(&seen[(switch - now) as usize * 6..=(until - now) as usize * 6])
        };
        let top = |rates| under(&person, &past, rates, times, aim).into_iter().fold(0.0, f64::max);
        assert!(top(found) <= 100.0 * 1.0001, "{aim:?} {found:?}: {}", top(found));
        for rate in found {
            assert!((rate / 0.001 - (rate / 0.001).round()).abs() < 1e-6, "{rate}");
        }
        // Whatever other pair does not pass holds less.
        for load in [0.9, 0.97, 1.03, 1.1] {
            for hold in [0.9, 0.97, 1.0, 1.03, 1.1] {
                let other = [found[0] * load, found[1] * hold];
                assert!(
                    top(other) > 100.0 * 1.0001 || held(other) <= held(found) + 0.1,
                    "{aim:?} {found:?} {other:?}"
                );
            }
        }
        let weak = Pump { rate_max: MgPerMin(found[0] / 2.0), ..pump };
        let slow =
            two_rates(&steering, &goal(aim), &weak, Minutes(switch)).expect("an answer").expect("rates");
        assert!(slow.iter().all(|rate| *rate <= weak.rate_max), "{slow:?}");
    }
    let outside = two_rates(&steering, &goal(Aim::Plasma), &PUMP, Minutes(60.0)).expect_err("no switch");
    assert!(outside.to_string().starts_with("switch is 60 min"));
    let low = Goal { level: NgPerMl(1.0), ..goal(Aim::Effect) };
    assert_eq!(two_rates(&steering, &low, &PUMP, Minutes(switch)).expect("an answer"), None);
}

#[test]
fn a_rate_that_may_go_on_is_kept_and_another_changes_no_more_than_it_must() {
    let model = model();
    let person = model.typical(BODY).expect("a person");
    let past =
        Schedule::new([Dose::Infusion { start: Minutes(0.0), end: Minutes(10.0), rate: MgPerMin(0.875) }])
            .expect("a dose");
    let steering = Steering { person: &person, delivered: &past, now: Minutes(10.0), until: Minutes(40.0) };
    let limit = Goal { level: NgPerMl(200.0), ..goal(Aim::Plasma) };
    let Highest::Rate(highest) = highest_rate(&steering, &limit).expect("an answer") else {
        panic!("a rate")
    };
    let kept = |rate: f64| kept_rate(&steering, &limit, MgPerMin(rate)).expect("an answer");
    assert_eq!(kept(highest.0 * 0.9), Highest::Rate(MgPerMin(highest.0 * 0.9)));
    assert_eq!(kept(highest.0 * 1.2), Highest::Rate(highest));
    assert!(kept_rate(&steering, &limit, MgPerMin(f64::NAN)).is_err());
}

/// Looked at a hundred times as often as the plan itself looks.
#[test]
fn no_plan_passes_its_level_between_two_looks() {
    let model = model();
    let person = model.typical(BODY).expect("a person");
    let nothing = Schedule::default();
    let steering = Steering { person: &person, delivered: &nothing, now: Minutes(0.0), until: Minutes(90.0) };
    for aim in [Aim::Plasma, Aim::Effect] {
        let Highest::Rate(rate) = highest_rate(&steering, &goal(aim)).expect("an answer") else {
            panic!("a rate")
        };
        let slow = Pump { interval: Minutes(7.0), ..PUMP };
        let one = Dose::Infusion { start: Minutes(0.0), end: Minutes(90.0), rate };
        for plan in [vec![one], steer(&steering, &goal(aim), &slow).expect("a plan")] {
            let schedule = Schedule::new(plan).expect("doses");
            let times: Vec<_> = (0..120_000).map(|i| Minutes(f64::from(i) / 1000.0)).collect();
            let course = person.parent_course(&schedule, Some(KE0), &times).expect("times");
            let seen =
                if aim == Aim::Plasma { course.plasma } else { course.effect.expect("an effect site") };
            let top = seen.iter().fold(0.0, |top: f64, level| top.max(level.0));
            assert!(top <= 100.0 * (1.0 + 1e-9) && top > 99.999, "{aim:?}: {top}");
        }
    }
}
