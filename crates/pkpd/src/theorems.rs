//! What must hold for any model, and the same curve by three methods: closed form, matrix exponential, small steps.

use crate::*;
use proptest::prelude::*;

pub(crate) fn parameter(name: &str, typical: Value) -> Parameter {
    Parameter { name: name.to_owned(), typical, weight: None, age: None }
}

pub(crate) fn flow(from: &str, to: Option<&str>, by: &str) -> Flow {
    Flow {
        from: from.to_owned(),
        to: to.map(str::to_owned),
        by: by.to_owned(),
        share: Ratio(1.0),
        delay: None,
    }
}

pub(crate) fn place(name: &str, volume: Option<&str>, analyte: Option<&str>) -> Compartment {
    let analyte = analyte.map(|a| Analyte { name: a.to_owned(), mass_ratio: Ratio(1.0) });
    Compartment { name: name.to_owned(), volume: volume.map(str::to_owned), analyte }
}

/// k10, k12, k21, k13, k31 and the mean delay on the way to a metabolite of one compartment with rate constant `km`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Constants {
    pub(crate) k10: f64,
    pub(crate) k: [(f64, f64); 2],
    pub(crate) delay: f64,
    pub(crate) km: f64,
    pub(crate) ke0: f64,
}

pub(crate) const V: f64 = 8.0;

/// Centre, two stores, a delayed metabolite of which 80 % arrives, and a place that gathers what is eliminated.
pub(crate) fn spec(c: Constants) -> Spec {
    let constant = |name, k| parameter(name, Value::Constant(PerMin(k)));
    let mut metabolism = flow("centre", Some("metabolite"), "k10");
    metabolism.share = Ratio(0.8);
    metabolism.delay = Some(Delay { stages: 3, mean: "delay".to_owned() });
    Spec {
        id: "any".to_owned(),
        form: Form::Racemate,
        site: Site::Unknown,
        parameters: vec![
            parameter("v", Value::Volume(Litres(V))),
            constant("k10", c.k10),
            constant("k12", c.k[0].0),
            constant("k21", c.k[0].1),
            constant("k13", c.k[1].0),
            constant("k31", c.k[1].1),
            constant("km", c.km),
            parameter("delay", Value::Time(Minutes(c.delay))),
        ],
        compartments: vec![
            place("centre", Some("v"), Some("parent")),
            place("near", None, None),
            place("far", None, None),
            place("metabolite", Some("v"), Some("metabolite")),
            place("gone", Some("v"), Some("gone")),
        ],
        flows: vec![
            metabolism,
            flow("centre", Some("near"), "k12"),
            flow("near", Some("centre"), "k21"),
            flow("centre", Some("far"), "k13"),
            flow("far", Some("centre"), "k31"),
            flow("metabolite", Some("gone"), "km"),
        ],
        routes: vec![],
        occasions: vec![],
        uncertainty: vec![],
        variability: vec![],
        residuals: vec![],
        validity: Validity {
            age: Years(0.0)..=Years(120.0),
            weight: Kg(1.0)..=Kg(500.0),
            dose_max: MgPerKg(100.0),
            length_max: Minutes(1e6),
            infusion_min: Minutes(0.0),
            after_bolus: Minutes(0.0),
        },
    }
}

pub(crate) const BODY: Body = Body { weight: Kg(70.0), age: None };

fn constant() -> impl Strategy<Value = f64> {
    (-3.0..0.3_f64).prop_map(|e| 10f64.powf(e))
}

/// Now and then two rates are equal or nearly so, or one is 0.
pub(crate) fn constants() -> impl Strategy<Value = Constants> {
    let twist =
        prop_oneof![3 => Just(0), 1 => Just(1), 1 => Just(2), 1 => Just(3), 1 => Just(4), 1 => Just(5)];
    (constant(), constant(), constant(), constant(), constant(), 0.5..30.0_f64, constant(), constant(), twist)
        .prop_map(|(k10, k12, k21, k13, k31, delay, km, ke0, twist)| {
            let mut c = Constants { k10, k: [(k12, k21), (k13, k31)], delay, km, ke0 };
            match twist {
                1 => c.k[1].1 = k21,
                2 => c.k[1].1 = k21 * (1.0 + 1e-12),
                3 => c.ke0 = k21,
                4 => c.k10 = 0.0,
                5 => c.k[0].0 = 0.0,
                _ => {}
            }
            c
        })
}

fn doses() -> impl Strategy<Value = Vec<Dose>> {
    let dose = (0.0..100.0_f64, prop_oneof![Just(0.0), Just(1.0 / 60.0), 1.0..60.0_f64], 0.1..50.0_f64)
        .prop_map(|(start, length, amount)| Dose::over(Mg(amount), Minutes(length), Minutes(start)));
    prop::collection::vec(dose, 1..5)
}

pub(crate) fn minutes(of: &[f64]) -> Vec<Minutes> {
    of.iter().copied().map(Minutes).collect()
}

fn course(c: Constants, doses: &[Dose], times: &[f64]) -> Course {
    let model = Model::new(spec(c)).expect("a model");
    let person = model.typical(BODY).expect("a person");
    let schedule = Schedule::new(doses.iter().copied()).expect("doses");
    person.course(&schedule, Some(PerMin(c.ke0)), &minutes(times)).expect("times")
}

pub(crate) fn numbers(of: &[NgPerMl]) -> Vec<f64> {
    of.iter().map(|x| x.0).collect()
}

pub(crate) fn effect(of: &Course) -> Vec<f64> {
    numbers(of.effect.as_deref().expect("an effect site"))
}

pub(crate) fn near(found: &[f64], expected: &[f64], within: f64) -> Result<(), TestCaseError> {
    prop_assert_eq!(found.len(), expected.len());
    let scale = expected.iter().fold(1e-30, |m: f64, x| m.max(x.abs()));
    for (a, b) in found.iter().zip(expected) {
        prop_assert!((a - b).abs() <= within * scale, "{a} and {b} of {scale}");
    }
    Ok(())
}

/// Classical Runge-Kutta of order 4 with small fixed steps that stop at every dose event; returns plasma, effect site
/// and metabolite in ng/mL.
fn by_small_steps(c: Constants, doses: &[Dose], times: &[f64]) -> [Vec<f64>; 3] {
    const H: f64 = 0.002;
    let rate_at = |t: f64| -> f64 {
        let running = doses.iter().filter(|d| d.start().0 <= t && t < d.end().0);
        running.map(|d| if let Dose::Infusion { rate, .. } = d { rate.0 } else { 0.0 }).sum()
    };
    let stage = 3.0 / c.delay;
    let slope = |x: &[f64; 8], rate: f64| {
        let [a, near, far, t1, t2, t3, m, e] = *x;
        let out = c.k10 + c.k[0].0 + c.k[1].0;
        [
            rate - out * a + c.k[0].1 * near + c.k[1].1 * far,
            c.k[0].0 * a - c.k[0].1 * near,
            c.k[1].0 * a - c.k[1].1 * far,
            c.k10 * a - stage * t1,
            stage * (t1 - t2),
            stage * (t2 - t3),
            0.8 * stage * t3 - c.km * m,
            c.ke0 * (a / V - e),
        ]
    };
    let moved = |x: &[f64; 8], d: &[f64; 8], h: f64| std::array::from_fn(|i| x[i] + h * d[i]);
    let mut stops: Vec<f64> =
        doses.iter().flat_map(|d| [d.start().0, d.end().0]).chain(times.iter().copied()).collect();
    stops.sort_by(f64::total_cmp);
    stops.dedup();
    let mut x = [0.0; 8];
    let mut now = 0.0;
    let mut found: [Vec<f64>; 3] = Default::default();
    for stop in stops {
        let steps = ((stop - now) / H).ceil().max(1.0);
        let h = (stop - now) / steps;
        let rate = rate_at(now);
        for _ in 0..steps as usize {
            let k1 = slope(&x, rate);
            let k2 = slope(&moved(&x, &k1, h / 2.0), rate);
            let k3 = slope(&moved(&x, &k2, h / 2.0), rate);
            let k4 = slope(&moved(&x, &k3, h), rate);
            x = std::array::from_fn(|i| x[i] + h / 6.0 * (k1[i] + 2.0 * (k2[i] + k3[i]) + k4[i]));
        }
        now = stop;
        for d in doses {
            if let Dose::Bolus { at, amount } = d
                && at.0 == now
            {
                x[0] += amount.0;
            }
        }
        if times.contains(&now) {
            for (list, value) in found.iter_mut().zip([x[0] / V, x[7], x[6] / V]) {
                list.push(value * 1000.0);
            }
        }
    }
    found
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn three_methods_draw_one_curve(c in constants(), doses in doses()) {
        let times = [0.0, 1.0, 7.5, 20.0, 45.0, 90.0, 160.0];
        let closed = course(c, &doses, &times);
        let [plasma, site, metabolite] = by_small_steps(c, &doses, &times);
        near(&numbers(&closed.plasma), &plasma, 1e-9)?;
        near(&effect(&closed), &site, 1e-9)?;
        near(&numbers(&closed.metabolites[0].1), &metabolite, 1e-9)?;
    }
}

proptest! {
    #[test]
    fn the_closed_form_is_the_matrix_exponential(c in constants(), doses in doses()) {
        let times = [0.0, 0.01, 3.0, 20.0, 90.0, 1440.0, 130_000.0];
        let model = Model::new(spec(c)).expect("a model");
        let person = model.typical(BODY).expect("a person");
        let schedule = Schedule::new(doses.iter().copied()).expect("doses");
        let closed = person.parent_course(&schedule, Some(PerMin(c.ke0)), &minutes(&times)).expect("times");
        let system = [(f64::NEG_INFINITY, person.system(Some(PerMin(c.ke0))))];
        let states = crate::linear::follow(&system, &schedule, times).expect("no rows");
        let plasma: Vec<f64> = states.iter().map(|x| x[0] / V * 1000.0).collect();
        let site: Vec<f64> = states.iter().map(|x| x.last().expect("states") * 1000.0).collect();
        // Over three months the exponential is squared 20 times, and rounding doubles with each.
        near(&numbers(&closed.plasma), &plasma, 1e-9)?;
        near(&effect(&closed), &site, 1e-9)?;
    }

    #[test]
    fn doses_add_and_scale(c in constants(), a in doses(), b in doses(), factor in 0.1..20.0_f64) {
        let times = [5.0, 30.0, 110.0, 300.0];
        let both = course(c, &[a.clone(), b.clone()].concat(), &times);
        let (alone, other) = (course(c, &a, &times), course(c, &b, &times));
        let sum = |x: Vec<f64>, y: Vec<f64>| x.iter().zip(y).map(|(x, y)| x + y).collect::<Vec<_>>();
        near(&numbers(&both.plasma), &sum(numbers(&alone.plasma), numbers(&other.plasma)), 1e-12)?;
        near(&effect(&both), &sum(effect(&alone), effect(&other)), 1e-12)?;
        let scaled = Schedule::new(a.clone()).expect("doses").scaled(Ratio(factor)).expect("doses");
        let times_factor: Vec<f64> = effect(&alone).iter().map(|x| x * factor).collect();
        near(&effect(&course(c, scaled.doses(), &times)), &times_factor, 1e-12)?;
    }

    #[test]
    fn later_doses_draw_the_same_curve_later(c in constants(), doses in doses(), shift in -1e3..1e5_f64) {
        let later = |d: &Dose| match *d {
            Dose::Bolus { at, amount } => Dose::Bolus { at: Minutes(at.0 + shift), amount },
            Dose::Infusion { start, end, rate } => Dose::Infusion { start: Minutes(start.0 + shift), end: Minutes(end.0 + shift), rate },
        };
        let times = [120.0, 150.0, 300.0];
        let moved = course(c, &doses.iter().map(later).collect::<Vec<_>>(), &times.map(|t| t + shift));
        let first = course(c, &doses, &times);
        // Times near 1e5 min carry 1e-11 min, and a one-second infusion turns that into a share of its dose.
        near(&effect(&moved), &effect(&first), 1e-8)?;
    }

    #[test]
    fn an_infusion_in_pieces_is_one_infusion(c in constants(), cuts in prop::collection::vec(0.01..39.99_f64, 1..8)) {
        let mut ends = cuts;
        ends.extend([0.0, 40.0]);
        ends.sort_by(f64::total_cmp);
        ends.dedup();
        let piece = |w: &[f64]| Dose::Infusion { start: Minutes(w[0]), end: Minutes(w[1]), rate: MgPerMin(0.875) };
        let pieces: Vec<Dose> = ends.windows(2).map(piece).collect();
        let times = [10.0, 40.0, 41.0, 200.0];
        let (whole, cut) = (course(c, &[piece(&[0.0, 40.0])], &times), course(c, &pieces, &times));
        near(&numbers(&cut.plasma), &numbers(&whole.plasma), 1e-13)?;
        near(&effect(&cut), &effect(&whole), 1e-13)?;
    }

    #[test]
    fn nothing_is_lost_or_made(c in constants(), doses in doses(), at in 0.0..500.0_f64) {
        let mut all = spec(c);
        all.flows[0].share = Ratio(1.0);
        let model = Model::new(all).expect("a model");
        let person = model.typical(BODY).expect("a person");
        let schedule = Schedule::new(doses.iter().copied()).expect("doses");
        let given: f64 = doses.iter().map(|d| match *d {
            Dose::Bolus { at: when, amount } => if when.0 <= at { amount.0 } else { 0.0 },
            Dose::Infusion { start, end, rate } => rate.0 * (end.0.min(at) - start.0).max(0.0),
        }).sum();
        let system = [(f64::NEG_INFINITY, person.system(None))];
        let held: f64 = crate::linear::follow(&system, &schedule, [at]).expect("no rows")[0].iter().sum();
        prop_assert!((held - given).abs() <= 1e-12 * schedule.amount().0, "{held} and {given}");
    }

    #[test]
    fn the_effect_site_never_passes_the_highest_plasma_level(c in constants(), doses in doses()) {
        let times: Vec<f64> = (0..400).map(f64::from).collect();
        let found = course(c, &doses, &times);
        let mut stops: Vec<f64> = doses.iter().flat_map(|d| [d.start().0, d.end().0]).collect();
        stops.sort_by(f64::total_cmp);
        let peaks = course(c, &doses, &stops);
        let top = numbers(&peaks.plasma).into_iter().chain(numbers(&found.plasma)).fold(0.0, f64::max);
        prop_assert!(effect(&found).iter().all(|&e| (0.0..=top * (1.0 + 1e-12)).contains(&e)));
    }

    #[test]
    fn a_value_does_not_depend_on_its_neighbours(c in constants(), doses in doses(), t in 0.0..300.0_f64) {
        let alone = course(c, &doses, &[t]);
        let among = course(c, &doses, &[0.0, t * 0.25, t * 0.5, t, t + 1.0]);
        prop_assert_eq!(alone.plasma[0], among.plasma[3]);
        prop_assert_eq!(effect(&alone)[0], effect(&among)[3]);
    }
}

proptest! {
    #[test]
    fn the_area_is_dose_over_clearance(c in constants(), amount in 0.1..100.0_f64) {
        prop_assume!(c.k10 > 0.0);
        // Area under the rest of the curve is what is still in the body over the clearance: reached at the end.
        let clearance = c.k10 * V;
        let body = Mammillary::new(Litres(V), PerMin(c.k10), &c.k.map(|(out, back)| Peripheral { out: PerMin(out), back: PerMin(back), lost: PerMin(0.0) })).expect("constants");
        let area: f64 = body.modes().map(|(rate, weight)| amount * weight.0 / (rate.0 * V)).sum();
        prop_assert!((area * clearance / amount - 1.0).abs() < 1e-12);
        let steady = course(c, &[Dose::Infusion { start: Minutes(0.0), end: Minutes(1e9), rate: MgPerMin(1.0) }], &[1e9 - 1.0]);
        near(&[steady.plasma[0].0, effect(&steady)[0]], &[1000.0 / clearance; 2], 1e-9)?;
    }
}

#[test]
fn a_one_second_infusion_is_nearly_a_bolus() {
    let c = Constants { k10: 0.438, k: [(0.592, 0.247), (0.59, 0.0146)], delay: 20.0, km: 0.02, ke0: 0.08 };
    let quick = course(c, &[Dose::over(Mg(10.0), Minutes(1.0 / 60.0), Minutes(0.0))], &[10.0]);
    let bolus = course(c, &[Dose::over(Mg(10.0), Minutes(0.0), Minutes(0.0))], &[10.0]);
    assert!((quick.plasma[0].0 / bolus.plasma[0].0 - 1.0).abs() < 1e-3);
    assert_ne!(quick.plasma[0], bolus.plasma[0]);
}

#[test]
fn a_bolus_shows_at_its_own_time() {
    let c = Constants { k10: 0.1, k: [(0.0, 0.0), (0.0, 0.0)], delay: 1.0, km: 0.1, ke0: 0.1 };
    let found = course(c, &[Dose::over(Mg(8.0), Minutes(0.0), Minutes(5.0))], &[4.999, 5.0]);
    assert_eq!(numbers(&found.plasma), [0.0, 1000.0]);
}

/// Anything the walls let through: zero, tiny, huge, equal.
fn extreme(low: f64, high: f64) -> impl Strategy<Value = f64> {
    let decades = (low.max(1e-12).log10()..high.log10()).prop_map(|e| 10f64.powf(e));
    prop_oneof![1 => Just(low), 1 => Just(high), 4 => decades]
}

proptest! {
    #[test]
    fn any_accepted_input_gives_a_number(
        volume in extreme(1e-9, 1e9),
        k10 in extreme(0.0, 1e6),
        stores in prop::collection::vec((extreme(0.0, 1e6), extreme(0.0, 1e6), extreme(0.0, 1e6)), 0..=3),
        ke0 in extreme(1e-9, 1e6),
        doses in prop::collection::vec((extreme(0.0, 1e9), extreme(0.0, 1e8), extreme(0.0, 1e8)), 1..4),
        times in prop::collection::vec(-1e9..1e9_f64, 1..20),
    ) {
        let stores: Vec<_> = stores.iter().map(|&(out, back, lost)| Peripheral { out: PerMin(out), back: PerMin(back), lost: PerMin(lost) }).collect();
        let body = Mammillary::new(Litres(volume), PerMin(k10), &stores).expect("within the walls");
        let doses = doses.iter().map(|&(amount, length, start)| Dose::over(Mg(amount), Minutes(length), Minutes(start)));
        // A length too short for the rate to be one is refused, which is an answer too.
        let Ok(schedule) = Schedule::new(doses) else { return Ok(()) };
        for level in crate::response::Response::new(&body, ke0).follow(&schedule, times) {
            for x in [level.plasma, level.effect] {
                prop_assert!(x.is_finite() && x >= 0.0, "{level:?}");
            }
        }
    }

    #[test]
    fn any_number_at_all_gives_an_answer_and_not_a_panic(x in prop::collection::vec(prop::num::f64::ANY, 12)) {
        let store = Peripheral { out: PerMin(x[1]), back: PerMin(x[2]), lost: PerMin(x[3]) };
        let _ = Mammillary::new(Litres(x[0]), PerMin(x[4]), &[store]);
        let _ = Schedule::new([Dose::over(Mg(x[5]), Minutes(x[6]), Minutes(x[7]))]);
        let c = Constants { k10: 0.1, k: [(0.2, 0.1), (0.3, 0.01)], delay: 5.0, km: 0.1, ke0: 0.1 };
        let model = Model::new(spec(c)).expect("a model");
        let person = model.typical(BODY).expect("a person");
        let _ = person.course(&Schedule::default(), Some(PerMin(x[8])), &[Minutes(x[9]), Minutes(x[10])]);
        let _ = model.typical(Body { weight: Kg(x[11]), age: Some(Years(x[0])) });
        let _ = model.individual(BODY, &[Ratio(x[1]), Ratio(x[2])]);
    }
}

#[test]
fn times_rise() {
    let c = Constants { k10: 0.1, k: [(0.2, 0.1), (0.3, 0.01)], delay: 5.0, km: 0.1, ke0: 0.1 };
    let model = Model::new(spec(c)).expect("a model");
    let person = model.typical(BODY).expect("a person");
    let told =
        |times: &[f64]| person.course(&Schedule::default(), None, &minutes(times)).map_err(|e| e.to_string());
    assert_eq!(told(&[5.0, 4.0]), Err("the times must rise: 4 min comes after 5 min".to_owned()));
    assert!(told(&[5.0, f64::NAN]).is_err());
    assert!(told(&[5.0, 5.0]).is_ok());
}

#[test]
fn a_model_whose_parts_do_not_fit_says_which() {
    let c = Constants { k10: 0.1, k: [(0.2, 0.1), (0.3, 0.01)], delay: 5.0, km: 0.1, ke0: 0.1 };
    let told = |change: fn(&mut Spec)| {
        let mut broken = spec(c);
        change(&mut broken);
        Model::new(broken).expect_err("broken").to_string()
    };
    let back = told(|s| s.flows.push(flow("metabolite", Some("centre"), "km")));
    assert_eq!(back, "model any: metabolite feeds centre, so the parent is not a centre with stores");
    let late = told(|s| {
        let delay = Some(Delay { stages: 1, mean: "delay".to_owned() });
        s.flows.push(Flow { delay, ..flow("centre", Some("near"), "k12") });
    });
    assert_eq!(late, "model any: near gets back less than leaves, or late");
    let across = told(|s| s.flows.push(flow("near", Some("far"), "k12")));
    assert_eq!(across, "model any: near feeds far, so the parent is not a centre with stores");
    assert!(told(|s| s.parameters[1].name = "v".to_owned()).contains("used twice"));
    assert!(told(|s| s.compartments[0].volume = None).contains("is measured and has no volume"));
    assert!(told(|s| s.flows.clear()).contains("0 flows; accepted are 1 to 64"));
    assert!(
        told(|s| s.parameters[0].typical = Value::Volume(Litres(f64::NAN))).contains("parameter v is NaN")
    );
    let alone = |rows: &[[f64; 2]]| Block {
        parameters: vec!["v".to_owned(), "k10".to_owned()],
        covariance: rows.iter().map(|r| r.map(Ratio).to_vec()).collect(),
    };
    for rows in [vec![[1.0, 2.0], [2.0, 1.0]], vec![[1.0, 0.5], [0.4, 1.0]], vec![[1.0, 0.5]]] {
        let mut broken = spec(c);
        broken.variability = vec![alone(&rows)];
        assert!(Model::new(broken).expect_err("no covariance").to_string().contains("covariance"));
    }
}
