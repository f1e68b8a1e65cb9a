//! Percentiles against what is known of log-normal levels.

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
            infusion_min: Minutes(0.0),
            after_bolus: Minutes(0.0),
        },
    })
    .expect("a model")
}

const BODY: Bodies = Bodies::Same(Body { weight: Kg(70.0), age: Some(Years(40.0)) });
const ALL: Layers = Layers { people: true, occasions: false, uncertainty: false, assay: true };
const PEOPLE: Layers = Layers { people: true, occasions: false, uncertainty: false, assay: false };
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
    let bodies = Bodies::Spread { weight: Kg(80.0), weight_sd: Ratio(0.25), age: (Years(18.0), Years(70.0)) };
    let times = [Minutes(10.0), Minutes(40.0)];
    let p = Population::new(&model, bodies, ALL, steady(), Some(PerMin(0.08)), &times, 3).expect("described");
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
    let (sd, _) = spread(Layers { people: false, occasions: false, uncertainty: false, assay: false });
    assert!(sd < 1e-3, "{sd}");
}

#[test]
fn each_measurement_has_its_own_error() {
    let model = model(Some(Residual::LogNormal { sd: Ratio(0.4) }));
    let layers = Layers { people: false, occasions: false, uncertainty: false, assay: true };
    let p = Population::new(&model, BODY, layers, steady(), None, &[STEADY, STEADY], 1).expect("described");
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
    let bolus =
        Regimen::Fixed(Schedule::new([Dose::over(Mg(100.0), Minutes(0.0), Minutes(0.0))]).expect("a dose"));
    let p = Population::new(model, BODY, PEOPLE, bolus, None, &[Minutes(0.0)], 5).expect("described");
    let (mut sum, mut squares) = (0.0, 0.0);
    const N: u64 = 20_000;
    for patient in 0..N {
        let mut deviations = Vec::new();
        p.draws.deviate(patient, 0, &mut deviations);
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
    let bodies = Bodies::Spread { weight: Kg(70.0), weight_sd: Ratio(0.2), age: (Years(18.0), Years(75.0)) };
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
    let bodies = Bodies::Spread { weight: Kg(80.0), weight_sd: Ratio(0.2), age: (Years(18.0), Years(70.0)) };
    let none = Layers { people: false, occasions: false, uncertainty: false, assay: false };
    let p = Population::new(&model, bodies, none, regimen(2000.0), None, &[STEADY], 2).expect("described");
    let s = p.simulate(0..500, 1);
    let (low, high) = (quantile(&s.plasma[0], 0.0), quantile(&s.plasma[0], 1.0));
    assert!(high / low < 1.0 + 2e-3 && (low / 500.0 - 1.0).abs() < 1e-3, "{low} to {high}");
    let refused =
        Population::new(&model, bodies, none, regimen(2.0), None, &[STEADY], 2).expect_err("too much");
    assert_eq!(refused.to_string(), "dose is 2000 mg/kg; accepted is 0 to 2 mg/kg");
}

/// The same with a spread between occasions and typical values that are not sure, and a metabolite of 20 L.
fn layered() -> Model {
    let mut spec = model(Some(Residual::LogNormal { sd: Ratio(0.2) })).spec().clone();
    let alone = |name: &str, variance| Block {
        parameters: vec![name.to_owned()],
        covariance: vec![vec![Ratio(variance)]],
    };
    spec.parameters.push(parameter("clm", Value::Clearance(LPerMin(0.5))));
    spec.compartments.push(place("metabolite", Some("v"), Some("metabolite")));
    spec.flows = vec![flow("centre", Some("metabolite"), "cl"), flow("metabolite", None, "clm")];
    spec.residuals.push(("metabolite".to_owned(), Residual::LogNormal { sd: Ratio(0.3) }));
    spec.occasions = vec![alone("cl", 0.04), alone("clm", 0.01)];
    spec.uncertainty = vec![alone("clm", 0.0025), alone("v", 0.01)];
    Model::new(spec).expect("a model")
}

const EVERY: Layers = Layers { people: true, occasions: true, uncertainty: true, assay: true };
const NONE: Layers = Layers { people: false, occasions: false, uncertainty: false, assay: false };

#[test]
fn one_more_layer_moves_no_draw_of_another() {
    let model = layered();
    let etas = |layers, occasion| Draws::new(&model, layers, 7).etas(&model, 12, occasion);
    let alone = [
        Layers { people: true, ..NONE },
        Layers { occasions: true, ..NONE },
        Layers { uncertainty: true, ..NONE },
    ];
    for occasion in 0..3 {
        let together = etas(EVERY, occasion);
        for (place, eta) in together.iter().enumerate() {
            let sum: f64 = alone.iter().map(|layer| etas(*layer, occasion)[place].0).sum();
            assert!((eta.0 - sum).abs() < 1e-15, "{place}: {eta} and {sum}");
        }
        assert!(alone.iter().all(|layer| etas(*layer, occasion).iter().any(|eta| eta.0 != 0.0)));
    }
    assert_eq!(etas(alone[0], 0), etas(alone[0], 1));
    assert_ne!(etas(alone[1], 0), etas(alone[1], 1));
    let plasma = |layers| {
        let p = Population::new(&model, BODY, layers, steady(), None, &[STEADY], 1).expect("described");
        p.simulate(0..200, 1).plasma
    };
    // Neither the volume nor the metabolite decides a steady level of the parent.
    assert_eq!(plasma(Layers { uncertainty: true, ..ALL }), plasma(ALL));
    assert_ne!(plasma(Layers { occasions: true, ..ALL }), plasma(ALL));
}

#[test]
fn each_layer_adds_its_variance_and_occasions_share_the_person() {
    let model = layered();
    let draws = Draws::new(&model, EVERY, 3);
    let cl = model.spec().parameters.iter().position(|p| p.name == "cl").expect("cl");
    const N: u64 = 20_000;
    let pairs = (0..N).map(|who| [0, 1].map(|occasion| draws.etas(&model, who, occasion)[cl].0));
    let (mut square, mut product) = (0.0, 0.0);
    pairs.for_each(|[a, b]| (square, product) = (square + a * a, product + a * b));
    let (variance, shared) = (square / N as f64, product / N as f64);
    assert!((variance - 0.13).abs() < 0.004, "{variance}");
    assert!((shared - 0.09).abs() < 0.003, "{shared}");
}

#[test]
fn occasions_change_the_person_at_their_time() {
    let model = layered();
    let layers = Layers { people: true, occasions: true, ..NONE };
    let times = [Minutes(1e5), Minutes(1.9e5)];
    let p = Population::new(&model, BODY, layers, steady(), None, &times, 5).expect("described");
    let p = p.with_occasions(&[Minutes(1e5 + 1.0)]).expect("a spread").with_metabolites().expect("one");
    let s = p.simulate(3..4, 1);
    let draws = Draws::new(&model, layers, 5);
    for (time, occasion) in [(0, 0), (1, 1)] {
        // At 1 mg/min each settles at its own clearance.
        let level = |name, printed: f64| {
            let place = model.spec().parameters.iter().position(|p| p.name == name).expect("a parameter");
            1000.0 / (printed * draws.etas(&model, 3, occasion)[place].0.exp())
        };
        for (found, expected) in
            [(&s.plasma[time], level("cl", 1.4)), (&s.metabolites[0][time], level("clm", 0.5))]
        {
            let found = quantile(found, 0.5);
            assert!((found / expected - 1.0).abs() < 2e-3, "{time}: {found} and {expected}");
        }
    }
    let alike = self::model(None);
    let p = Population::new(&alike, BODY, layers, steady(), None, &times, 5).expect("described");
    let told = p.with_occasions(&[Minutes(1.0)]).expect_err("no source").to_string();
    assert_eq!(told, "one has no source for a spread between occasions");
}

#[test]
fn metabolites_are_counted_beside_the_parent_and_travel() {
    let model = layered();
    let of = |layers| {
        Population::new(&model, BODY, layers, steady(), Some(PerMin(0.1)), &[STEADY], 1).expect("described")
    };
    let [plain, both] =
        [of(EVERY).simulate(0..300, 1), of(EVERY).with_metabolites().expect("one").simulate(0..300, 2)];
    assert_eq!((&plain.plasma, &plain.effect), (&both.plasma, &both.effect));
    assert!(plain.metabolites.is_empty() && both.metabolites.len() == 1);
    let typical = of(NONE).with_metabolites().expect("one").simulate(0..1, 1);
    assert!((quantile(&typical.metabolites[0][0], 0.5) / 2000.0 - 1.0).abs() < 2e-3);
    let sent = |summary: &Summary| {
        let mut bytes = Vec::new();
        summary.write(&mut bytes);
        Summary::read(&bytes)
    };
    assert_eq!(sent(&both).as_ref(), Some(&both));
    let mut halves = of(EVERY).with_metabolites().expect("one").simulate(100..300, 1);
    halves.merge(&of(EVERY).with_metabolites().expect("one").simulate(0..100, 1));
    assert_eq!(halves, both);
}

#[test]
fn evenly_drawn_people_are_closer_to_all_people() {
    let model = model(None);
    let exact = [0.05, 0.5, 0.95].map(|share| 1000.0 / 1.4 * (0.3 * normal_quantile(share)).exp());
    let miss = |quasi: bool| -> f64 {
        let of = |seed| {
            let p =
                Population::new(&model, BODY, PEOPLE, steady(), None, &[STEADY], seed).expect("described");
            let p = if quasi { p.quasi_random() } else { p };
            let s = p.simulate(0..2000, 2);
            let found = [0.05, 0.5, 0.95].map(|share| quantile(&s.plasma[0], share));
            found.iter().zip(exact).map(|(f, e)| (f / e).ln().powi(2)).sum::<f64>()
        };
        (0..8).map(of).sum::<f64>().sqrt()
    };
    let [even, random] = [miss(true), miss(false)];
    assert!(even < random / 2.0, "{even} and {random}");
}
