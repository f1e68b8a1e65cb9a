use super::*;
use crate::theorems::{flow, parameter, place};
use crate::{Dose, Form, Kg, LPerMin, Litres, Mg, MgPerKg, Site, Spec, Validity, Years};
use proptest::prelude::*;

/// A centre with so many stores, a metabolite of which 80 % arrives, and the numbers of one typical person.
fn model(volumes: &[f64], clearances: &[f64]) -> Model {
    let mut spec = Spec {
        id: "any".to_owned(),
        form: Form::Racemate,
        site: Site::Unknown,
        parameters: vec![parameter("cl", Value::Clearance(LPerMin(1.2)))],
        compartments: Vec::new(),
        flows: vec![flow("v0", None, "cl"), flow("metabolite", None, "clm")],
        routes: vec![],
        occasions: vec![],
        uncertainty: vec![],
        variability: Vec::new(),
        residuals: Vec::new(),
        validity: Validity {
            age: Years(18.0)..=Years(75.0),
            weight: Kg(45.0)..=Kg(120.0),
            dose_max: MgPerKg(2.0),
            length_max: Minutes(240.0),
            infusion_min: Minutes(0.0),
            after_bolus: Minutes(0.0),
        },
    };
    for (i, volume) in volumes.iter().enumerate() {
        let name = format!("v{i}");
        spec.parameters.push(parameter(&name, Value::Volume(Litres(*volume))));
        spec.compartments.push(place(&name, Some(&name), (i == 0).then_some("parent")));
    }
    for (i, clearance) in clearances.iter().enumerate() {
        let (store, by) = (format!("v{}", i + 1), format!("q{}", i + 1));
        spec.parameters.push(parameter(&by, Value::Clearance(LPerMin(*clearance))));
        spec.flows.extend([flow("v0", Some(&store), &by), flow(&store, Some("v0"), &by)]);
    }
    spec.parameters.push(parameter("vm", Value::Volume(Litres(60.0))));
    spec.parameters.push(parameter("clm", Value::Clearance(LPerMin(0.9))));
    spec.compartments.push(place("metabolite", Some("vm"), Some("metabolite")));
    let mut formed = flow("v0", Some("metabolite"), "cl");
    formed.share = Ratio(0.8);
    if let Some(eliminated) = spec.flows.first_mut() {
        *eliminated = formed;
    }
    Model::new(spec).expect("a model")
}

const BODY: Body = Body { weight: Kg(70.0), age: None };
const KE0_TYPICAL: f64 = 0.2;

/// Boluses and infusions, overlapping, and times on a grid with some beside it.
fn question() -> (Schedule, Vec<Minutes>) {
    let bolus = Dose::Bolus { at: Minutes(7.0), amount: Mg(5.0) };
    let doses = [
        Dose::over(Mg(35.0), Minutes(40.0), Minutes(0.0)),
        bolus,
        Dose::over(Mg(20.0), Minutes(30.0), Minutes(20.0)),
        Dose::over(Mg(35.0), Minutes(0.5), Minutes(3000.0)),
    ];
    let grid = (0..150).map(|k| f64::from(k) * 2.0);
    let mut times: Vec<f64> = grid.chain([0.01, 7.0, 33.333, 2999.5, 3000.25, 3001.0, 9000.0]).collect();
    times.sort_by(f64::total_cmp);
    (Schedule::new(doses).expect("doses"), times.into_iter().map(Minutes).collect())
}

/// Usual, tiny, huge, so that constants come near each other, vanish and leave the range of numbers.
fn deviation() -> impl Strategy<Value = f64> {
    prop_oneof![
        6 => -1.5..1.5_f64,
        1 => Just(0.0),
        1 => -30.0..6.0_f64,
        1 => (-14.0..-2.0_f64).prop_map(|e| 10f64.powf(e)),
        1 => prop_oneof![Just(-800.0), Just(800.0)],
    ]
}

fn close(found: f64, expected: f64) -> bool {
    (found - expected).abs() <= 1e-12 * expected.abs() + 1e-15
}

/// Levels in lanes against those of each person alone.
fn compare(
    model: &Model,
    varying: &[Varying],
    deviations: &[f64],
    doses: &[f64],
) -> Result<(), TestCaseError> {
    let (schedule, times) = question();
    let cohort = Cohort::new(model, &schedule, Some(PerMin(KE0_TYPICAL)), &times).expect("a question");
    let people = People { bodies: &[BODY], varying, deviations, doses };
    let mut levels = Levels::default();
    cohort.levels(&people, &mut levels).expect("people");
    let columns = Columns::new(&cohort, &people).expect("columns");
    for person in 0..levels.people() {
        let alone = columns.one(person);
        prop_assert_eq!(alone.is_err(), levels.refused().contains(&person));
        for (output, course) in alone.unwrap_or_default().iter().enumerate() {
            for (time, expected) in course.iter().enumerate() {
                let found = levels.at(output, time)[person];
                // The metabolite of one person comes from a matrix exponential, which loses digits on fast rates; in
                // lanes it is reckoned as the effect site is.
                let usual = deviations
                    .chunks(varying.len())
                    .nth(person)
                    .is_some_and(|row| row.iter().all(|d| d.abs() < 3.0));
                let slack =
                    if output == 1 { (if usual { 1e-10 } else { 1e-4 }) * (1.0 + expected) } else { 0.0 };
                prop_assert!(
                    close(found, *expected) || (found - expected).abs() < slack,
                    "person {person} output {output} at {:?}: {found} and {expected}",
                    times[time]
                );
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn people_side_by_side_are_the_people_alone(
        stores in prop::collection::vec((1.0..200.0_f64, prop_oneof![Just(0.0), 0.001..5.0_f64]), 0..=2),
        deviations in prop::collection::vec(prop::array::uniform5(deviation()), 1..20),
        equal in any::<bool>(),
        dose in 0.1..3.0_f64,
    ) {
        let mut stores = stores;
        // Stores that empty at one rate have a spare root without weight.
        if let (true, [a, b]) = (equal, stores.as_mut_slice()) { *b = *a; }
        let volumes: Vec<f64> = std::iter::once(15.0).chain(stores.iter().map(|s| s.0)).collect();
        let clearances: Vec<f64> = stores.iter().map(|s| s.1).collect();
        let model = model(&volumes, &clearances);
        let [cl, v, other, clm] = ["cl", "v0", if stores.is_empty() { "vm" } else { "q1" }, "clm"].map(Varying::Parameter);
        let doses = vec![dose; deviations.len()];
        compare(&model, &[cl, v, other, clm, Varying::Ke0], &deviations.concat(), &doses)?;
    }

    /// No elimination at all, and rates of the centre that are those of the effect site to the last digits.
    #[test]
    fn near_equal_and_vanishing_rates_cancel_nothing(gaps in prop::collection::vec((-16.0..-1.0_f64, any::<bool>()), 1..20)) {
        let model = model(&[15.0], &[]);
        let rate = |(e, none): (f64, bool)| {
            if none { -800.0 } else { (KE0_TYPICAL * 15.0 / 1.2).ln() + 10f64.powf(e) }
        };
        let deviations: Vec<f64> = gaps.into_iter().map(rate).collect();
        compare(&model, &[Varying::Parameter("cl")], &deviations, &[])?;
    }
}

#[test]
fn nobody_depends_on_the_neighbours() {
    let model = model(&[15.0, 45.0, 130.0], &[2.0, 1.0]);
    let (schedule, times) = question();
    let cohort = Cohort::new(&model, &schedule, Some(PerMin(KE0_TYPICAL)), &times).expect("a question");
    let varying = [Varying::Parameter("cl"), Varying::Parameter("q2")];
    let deviations: Vec<f64> = (0..60).map(|i| f64::from(i * 37 % 60) / 10.0 - 3.0).collect();
    let levels = |deviations: &[f64]| {
        let people = People { bodies: &[BODY], varying: &varying, deviations, doses: &[] };
        let mut levels = Levels::default();
        cohort.levels(&people, &mut levels).expect("people");
        levels
    };
    let together = levels(&deviations);
    for (person, own) in deviations.chunks(2).enumerate() {
        let alone = levels(own);
        for (output, time) in (0..cohort.outputs()).flat_map(|o| (0..times.len()).map(move |t| (o, t))) {
            assert_eq!(alone.at(output, time)[0].to_bits(), together.at(output, time)[person].to_bits());
        }
    }
}

#[test]
fn columns_that_do_not_fit_are_refused() {
    let model = model(&[15.0], &[]);
    let (schedule, times) = question();
    let cohort = Cohort::new(&model, &schedule, None, &times).expect("a question");
    let refused = |varying: &[Varying], deviations: &[f64], doses: &[f64]| {
        let people = People { bodies: &[BODY], varying, deviations, doses };
        cohort.levels(&people, &mut Levels::default()).expect_err("refused").to_string()
    };
    let cl = [Varying::Parameter("cl")];
    assert_eq!(refused(&[Varying::Parameter("liver")], &[0.0], &[]), "missing: the parameter that varies");
    assert_eq!(refused(&cl, &[0.0, 0.0], &[1.0]), "missing: a number for each person in each column");
    assert_eq!(refused(&cl, &[0.0; PEOPLE_MAX + 1], &[]), "513 people at once; at most 512 are accepted");
}

/// A state that turns over and is pushed by the effect site; each person has its rate and how hard it is pushed.
struct Pushed;

impl Cascade<1, 2> for Pushed {
    #[inline(always)]
    fn start<R: Real>(&self, [any, _]: &[R; 2]) -> [R; 1] {
        [any.lift(100.0)]
    }
    #[inline(always)]
    fn rates<R: Real>(&self, [rate, _]: &[R; 2]) -> [R; 1] {
        [*rate]
    }
    #[inline(always)]
    fn fill<R: Real>(&self, level: R, _: &[R], [rate, push]: &[R; 2]) -> R {
        let effect = *push * level / (level + level.lift(50.0));
        *rate * level.lift(100.0) * (effect + level.lift(1.0))
    }
}

/// The same with the drug itself: level and store in ng/mL, effect site; each person has also the exchange with the
/// store, L/min.
struct Altogether;

impl Equations<4, 3> for Altogether {
    #[inline(always)]
    fn start<R: Real>(&self, [rate, push, _]: &[R; 3]) -> [R; 4] {
        let [x] = Pushed.start(&[*rate, *push]);
        [x.lift(0.0), x.lift(0.0), x.lift(0.0), x]
    }
    #[inline(always)]
    fn slopes<R: Real>(&self, given: R, state: &[R; 4], [rate, push, q]: &[R; 3]) -> [R; 4] {
        let [level, store, effect, x] = *state;
        let out = *q * (level - store);
        let centre = (given * given.lift(PER_MG_L) - out - level * given.lift(1.2)) * given.lift(1.0 / 15.0);
        let pushed = Pushed.fill(effect, &[], &[*rate, *push]) - *rate * x;
        [centre, out * given.lift(1.0 / 45.0), (level - effect) * given.lift(KE0_TYPICAL), pushed]
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]
    /// On top of the closed form, altogether by steps, and one by one by the solver for one.
    #[test]
    fn equations_in_lock_step_are_those_of_each_alone(
        people in prop::collection::vec((0.01..0.5_f64, -0.5..2.0_f64, prop_oneof![4 => -1.0..1.0_f64, 1 => Just(-800.0)]), 1..20),
    ) {
        let model = model(&[15.0, 45.0], &[2.0]);
        let infusion = |at, amount| Dose::over(Mg(amount), Minutes(25.0), Minutes(at));
        let schedule = Schedule::new([infusion(0.0, 30.0), infusion(30.0, 10.0)]).expect("doses");
        let times = [0.0, 12.0, 26.0, 47.5, 120.0].map(Minutes);
        let control = Control { step: Minutes(4.0), tolerance: crate::ode::Tolerance { relative: 1e-9, absolute: 1e-7 } };
        // Thirty steps, each as far off as it may be at about 100.
        let accepted = 30.0 * (1e-9 * 100.0 + 1e-7);
        let cohort = Cohort::of_parent(&model, &schedule, Some(PerMin(KE0_TYPICAL)), &times).expect("a question");
        let deviations: Vec<f64> = people.iter().map(|p| p.2).collect();
        let side = People { bodies: &[BODY], varying: &[Varying::Parameter("q1")], deviations: &deviations, doses: &[] };
        let (mut driven, mut whole) = (Levels::default(), Levels::default());
        let persons: Vec<f64> = people.iter().flat_map(|p| [p.0, p.1]).collect();
        cohort.respond(&side, &Pushed, &persons, control, &mut driven).expect("people");
        let persons: Vec<f64> = people.iter().flat_map(|p| [p.0, p.1, 2.0 * p.2.exp()]).collect();
        solve_many(&Altogether, &persons, &schedule, &times, control, &mut whole).expect("people");
        prop_assert!(driven.refused().is_empty() && whole.refused().is_empty());
        for (person, &(rate, push, q)) in people.iter().enumerate() {
            let q = 2.0 * q.exp();
            let slopes = |t: f64, x: &[f64], d: &mut [f64]| {
                let given = if t < 25.0 { 1.2 } else if (30.0..55.0).contains(&t) { 0.4 } else { 0.0 };
                let out = q * (x[0] - x[1]);
                d[0] = (given * PER_MG_L - out - 1.2 * x[0]) / 15.0;
                d[1] = out / 45.0;
                d[2] = KE0_TYPICAL * (x[0] - x[2]);
                d[3] = rate * (100.0 * (1.0 + push * x[2] / (x[2] + 50.0)) - x[3]);
            };
            let breaks = [25.0, 30.0, 55.0].map(Minutes);
            let problem = crate::ode::Problem { slopes: &slopes, start: Minutes(0.0), state: &[0.0, 0.0, 0.0, 100.0], breaks: &breaks };
            let fine = crate::ode::Tolerance { relative: 1e-12, absolute: 1e-12 };
            let alone = crate::ode::solve(&problem, &times, crate::ode::Method::Explicit, fine).expect("a solution");
            for (time, alone) in alone.iter().enumerate() {
                let found = [driven.at(0, time)[person], whole.at(3, time)[person]];
                prop_assert!(found.iter().all(|x| (x - alone[3]).abs() < accepted), "{found:?} and {}", alone[3]);
                prop_assert!((whole.at(0, time)[person] - alone[0]).abs() < accepted);
            }
        }
    }
}

/// One person's number, reckoned without lanes.
#[derive(Clone, Copy)]
struct Plain(f64);

macro_rules! plainly {
    ($($of:ident, $name:ident;)*) => {$(
        impl std::ops::$of for Plain {
            type Output = Self;
            fn $name(self, other: Self) -> Self {
                Self(self.0.$name(other.0))
            }
        }
    )*};
}

plainly! { Add, add; Sub, sub; Mul, mul; Div, div; }

impl std::ops::Neg for Plain {
    type Output = Self;
    fn neg(self) -> Self {
        Self(-self.0)
    }
}

impl Real for Plain {
    fn lift(self, x: f64) -> Self {
        Self(x)
    }
    fn times_plus(self, by: Self, plus: Self) -> Self {
        Self(self.0.mul_add(by.0, plus.0))
    }
    fn exp(self) -> Self {
        Self(self.0.exp())
    }
    fn sqrt(self) -> Self {
        Self(self.0.sqrt())
    }
    fn each(self, of: impl Fn(f64) -> f64) -> Self {
        Self(of(self.0))
    }
}

/// Two states in a row under the effect site: the second is held back by the first.
struct HeldBack;

impl Cascade<2, 2> for HeldBack {
    #[inline(always)]
    fn start<R: Real>(&self, [any, _]: &[R; 2]) -> [R; 2] {
        [any.lift(0.0), any.lift(60.0)]
    }
    #[inline(always)]
    fn rates<R: Real>(&self, [slow, quick]: &[R; 2]) -> [R; 2] {
        [*slow, *quick]
    }
    #[inline(always)]
    fn fill<R: Real>(&self, level: R, before: &[R], [slow, quick]: &[R; 2]) -> R {
        match before {
            [] => *slow * level,
            [used, ..] => {
                let push = level * level / (level * level + level.lift(900.0));
                let held = *used * level.lift(0.02) + level.lift(1.0);
                *quick * (push / held + level.lift(1.0)) * level.lift(60.0)
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    /// People in lanes, those whom no lane can hold, and each by the solver for one.
    #[test]
    fn states_in_a_row_are_those_of_each_alone(
        people in prop::collection::vec(((-9.0..1.5_f64), (-5.0..1.5_f64), prop_oneof![4 => -2.0..2.0_f64, 1 => Just(-800.0)]), 1..20),
        step in 1.0..60.0_f64,
    ) {
        let model = model(&[15.0, 45.0], &[2.0]);
        let bolus = Dose::Bolus { at: Minutes(30.0), amount: Mg(8.0) };
        let schedule = Schedule::new([Dose::over(Mg(30.0), Minutes(25.0), Minutes(3.0)), bolus]).expect("doses");
        let times = [0.0, 3.5, 12.0, 26.0, 47.5, 240.0].map(Minutes);
        let tolerance = crate::ode::Tolerance { relative: 1e-8, absolute: 1e-8 };
        let cohort = Cohort::of_parent(&model, &schedule, Some(PerMin(KE0_TYPICAL)), &times).expect("a question");
        let deviations: Vec<f64> = people.iter().map(|p| p.2).collect();
        let varying = [Varying::Parameter("q1")];
        let side = People { bodies: &[BODY], varying: &varying, deviations: &deviations, doses: &[] };
        let persons: Vec<f64> = people.iter().flat_map(|p| [p.0.exp(), p.1.exp()]).collect();
        let control = Control { step: Minutes(step), tolerance };
        let mut found = Levels::default();
        cohort.respond(&side, &HeldBack, &persons, control, &mut found).expect("people");
        prop_assert!(found.refused().is_empty());
        for (person, p) in people.iter().enumerate() {
            let own = People { deviations: &[p.2], ..side };
            let mut alone = Levels::default();
            cohort.respond(&own, &HeldBack, &[p.0.exp(), p.1.exp()], control, &mut alone).expect("one");
            let (slow, quick, q) = (p.0.exp(), p.1.exp(), 2.0 * p.2.exp());
            let slopes = |t: f64, x: &[f64], d: &mut [f64]| {
                let given = if (3.0..28.0).contains(&t) { 1.2 } else { 0.0 };
                let out = q * (x[0] - x[1]);
                d[0] = (given * PER_MG_L - out - 1.2 * x[0]) / 15.0;
                d[1] = out / 45.0;
                d[2] = KE0_TYPICAL * (x[0] - x[2]);
                d[3] = HeldBack.fill(Plain(x[2]), &[], &[slow, quick].map(Plain)).0 - slow * x[3];
                d[4] = HeldBack.fill(Plain(x[2]), &[Plain(x[3])], &[slow, quick].map(Plain)).0 - quick * x[4];
            };
            let fine = crate::ode::Tolerance { relative: 1e-12, absolute: 1e-12 };
            let solved = |start: f64, state: &[f64], breaks: &[Minutes], until: &[Minutes]| {
                let problem = crate::ode::Problem { slopes: &slopes, start: Minutes(start), state, breaks };
                crate::ode::solve(&problem, until, crate::ode::Method::Explicit, fine).expect("a solution")
            };
            let first = [0.0, 3.5, 12.0, 26.0, 30.0].map(Minutes);
            let mut exact = solved(0.0, &[0.0, 0.0, 0.0, 0.0, 60.0], &[3.0, 28.0].map(Minutes), &first);
            let mut state = exact.pop().expect("states");
            state[0] += 8.0 * PER_MG_L / 15.0;
            exact.extend(solved(30.0, &state, &[], &[47.5, 240.0].map(Minutes)));
            for (time, exact) in exact.iter().enumerate() {
                for state in 0..2 {
                    let (together, alone) = (found.at(state, time)[person], alone.at(state, time)[0]);
                    let exact = exact[3 + state];
                    prop_assert!((together - exact).abs() < 1e-6 * exact.abs().max(1.0), "{together} and {exact}");
                    prop_assert!((together - alone).abs() <= 1e-12 * alone.abs(), "{together} and {alone}");
                }
            }
        }
    }
}

#[test]
fn a_response_is_refused_with_the_limit() {
    let model = model(&[15.0], &[]);
    let (schedule, times) = question();
    let refused = |ke0, step, relative| {
        let cohort = Cohort::of_parent(&model, &schedule, ke0, &times).expect("a question");
        let people = People { bodies: &[BODY], varying: &[], deviations: &[], doses: &[] };
        let tolerance = crate::ode::Tolerance { relative, absolute: 1e-9 };
        let control = Control { step: Minutes(step), tolerance };
        let mut into = Levels::default();
        cohort.respond(&people, &Pushed, &[0.1, 1.0], control, &mut into).expect_err("refused").to_string()
    };
    let ke0 = Some(PerMin(KE0_TYPICAL));
    assert_eq!(refused(None, 1.0, 1e-6), "missing: a cohort of the parent with an effect site");
    assert_eq!(refused(ke0, f64::NAN, 1e-6), "step is NaN min; accepted is 0.000001 to 1000000 min");
    assert_eq!(refused(ke0, 1.0, 0.0), "relative tolerance is 0 1; accepted is 0.000000000000001 to 1 1");
}

#[test]
fn equations_without_an_end_are_refused_and_others_go_on() {
    struct Explodes;
    impl Equations<1, 1> for Explodes {
        #[inline(always)]
        fn start<R: Real>(&self, [x]: &[R; 1]) -> [R; 1] {
            [*x]
        }
        #[inline(always)]
        fn slopes<R: Real>(&self, _: R, [x]: &[R; 1], _: &[R; 1]) -> [R; 1] {
            [*x * *x]
        }
    }
    let control =
        Control { step: Minutes(0.1), tolerance: crate::ode::Tolerance { relative: 1e-8, absolute: 1e-8 } };
    let mut found = Levels::default();
    let nothing = Schedule::default();
    solve_many(&Explodes, &[0.1, 1.0, 0.2], &nothing, &[0.0, 2.0].map(Minutes), control, &mut found)
        .expect("people");
    assert_eq!(found.refused(), [1]);
    for (x, start) in found.at(0, 1).iter().zip([0.1_f64, f64::NAN, 0.2]).filter(|(_, s)| s.is_finite()) {
        assert!((x - start / (1.0 - 2.0 * start)).abs() < 1e-8);
    }
    let short = solve_many(
        &Explodes,
        &[0.1],
        &nothing,
        &[Minutes(1.0)],
        Control { step: Minutes(0.0), ..control },
        &mut found,
    );
    assert!(short.expect_err("no step").to_string().starts_with("step is 0 min"));
}
