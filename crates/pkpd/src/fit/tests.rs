use super::error::log_normal_below;
use super::*;
use crate::theorems::{flow, parameter, place};
use crate::{Block, Dose, Form, Kg, LPerMin, Litres, Mg, MgPerKg, MgPerMin, Spec, Validity, Years};
use proptest::prelude::*;

/// Clearance alone decides a steady level; with a log-normal error the posterior is normal and known in closed form.
fn model(residual: Residual) -> Model {
    let analytes = ["parent", "metabolite"];
    Model::new(Spec {
        id: "steady".to_owned(),
        form: Form::Racemate,
        site: Site::Venous,
        parameters: vec![
            parameter("v", Value::Volume(Litres(20.0))),
            parameter("cl", Value::Clearance(LPerMin(1.0))),
            parameter("clm", Value::Clearance(LPerMin(0.5))),
        ],
        compartments: vec![
            place("centre", Some("v"), Some(analytes[0])),
            place("metabolite", Some("v"), Some(analytes[1])),
        ],
        flows: vec![flow("centre", Some("metabolite"), "cl"), flow("metabolite", None, "clm")],
        routes: vec![],
        occasions: vec![],
        uncertainty: vec![],
        variability: vec![
            Block { parameters: vec!["cl".to_owned()], covariance: vec![vec![Ratio(0.09)]] },
            Block {
                parameters: vec!["clm".to_owned(), "v".to_owned()],
                covariance: vec![vec![Ratio(0.16), Ratio(0.02)], vec![Ratio(0.02), Ratio(0.04)]],
            },
        ],
        residuals: analytes.iter().map(|a| ((*a).to_owned(), residual)).collect(),
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

const BODY: Body = Body { weight: Kg(70.0), age: Some(Years(40.0)) };
const LOG: Residual = Residual::LogNormal { sd: Ratio(0.2) };

fn level(at: f64, analyte: &str, level: f64) -> Observation {
    Observation { at: Minutes(at), analyte: analyte.to_owned(), level: Reported::Level(NgPerMl(level)) }
}

fn asked(model: &Model, observations: &[Observation], errors: Errors) -> Result<Fit, Refused> {
    // 1 mg/min for ever: the parent settles at 1000/CL ng/mL, the metabolite at 1000/CLm.
    let dose = Dose::Infusion { start: Minutes(0.0), end: Minutes(1e6), rate: MgPerMin(1.0) };
    let schedule = Schedule::new([dose]).expect("a dose");
    fit(&FitQuestion {
        model,
        body: BODY,
        schedule: &schedule,
        observations,
        site: Site::Venous,
        errors,
        occasions: &[],
    })
}

fn variance(fit: &Fit, name: &str) -> f64 {
    let i = fit.names.iter().position(|n| n == name).expect("a parameter with spread");
    fit.covariance[i][i].0
}

#[test]
fn without_measurements_the_posterior_is_the_population() {
    let found = asked(&model(LOG), &[], Errors::Normal).expect("a fit");
    assert!(found.eta.iter().all(|e| e.0.abs() < 1e-12));
    assert_eq!(found.names, ["cl", "clm", "v"]);
    let expected = [[0.09, 0.0, 0.0], [0.0, 0.16, 0.02], [0.0, 0.02, 0.04]];
    for (row, expected) in found.covariance.iter().zip(expected) {
        for (c, e) in row.iter().zip(expected) {
            assert!((c.0 - e).abs() < 1e-9, "{c} and {e}");
        }
    }
    let uninformed = ["cl", "clm", "v"].map(|n| Warning::Uninformed(n.to_owned()));
    assert_eq!(found.warnings, uninformed);
}

#[test]
fn steady_levels_give_the_posterior_of_the_textbook() {
    let levels = [620.0, 700.0, 810.0];
    let observations: Vec<_> =
        levels.iter().zip(0..).map(|(&y, i)| level(9e5 + f64::from(i), "parent", y)).collect();
    let found = asked(&model(LOG), &observations, Errors::Normal).expect("a fit");
    // eta ~ N(0, 0.09), ln y = ln 1000 - eta + e, e ~ N(0, 0.04): the precisions add.
    let precision = 1.0 / 0.09 + 3.0 / 0.04;
    let mean_gap: f64 = levels.iter().map(|y| (1000.0_f64 / y).ln()).sum::<f64>() / 3.0;
    let eta = mean_gap * (3.0 / 0.04) / precision;
    assert!((found.eta[1].0 - eta).abs() < 1e-8, "{} and {eta}", found.eta[1]);
    assert!((variance(&found, "cl") * precision - 1.0).abs() < 1e-6);
    let square: f64 =
        levels.iter().map(|y| ((y / 1000.0_f64).ln() + eta).powi(2) / 0.04 + 0.04_f64.ln()).sum();
    assert!((found.objective.0 - (square + eta * eta / 0.09)).abs() < 1e-9);
    let Value::Clearance(cl) = found.parameters[1].1 else { panic!("{:?}", found.parameters) };
    assert!((cl.0 / eta.exp() - 1.0).abs() < 1e-8);
    // Delta method: the log of the steady level is as uncertain as eta.
    let dose = Dose::Infusion { start: Minutes(0.0), end: Minutes(1e6), rate: MgPerMin(1.0) };
    let schedule = Schedule::new([dose]).expect("a dose");
    let model = model(LOG);
    let band = found.band(&model, BODY, &schedule, &[Minutes(0.0), Minutes(9e5)]).expect("a band");
    assert_eq!((band.low[0], band.line[0], band.high[0]), (NgPerMl(0.0), NgPerMl(0.0), NgPerMl(0.0)));
    let half = 1.644_853_626_951_472_7 / precision.sqrt();
    assert!((band.line[1].0 / (1000.0 / cl.0) - 1.0).abs() < 1e-9);
    assert!(((band.high[1].0 / band.line[1].0).ln() - half).abs() < 1e-6);
    assert!(((band.line[1].0 / band.low[1].0).ln() - half).abs() < 1e-6);
    // Volume does not show in a steady level, nor does the metabolite's clearance in the parent.
    let uninformed = ["clm", "v"].map(|n| Warning::Uninformed(n.to_owned()));
    assert_eq!(found.warnings, uninformed);
}

#[test]
fn a_metabolite_tells_of_its_own_clearance_and_by_correlation_of_the_volume() {
    let observations = [level(9e5, "parent", 1000.0), level(9e5, "metabolite", 1000.0)];
    let found = asked(&model(LOG), &observations, Errors::Normal).expect("a fit");
    let clm = (2.0_f64).ln() * (1.0 / 0.04) / (1.0 / 0.16 + 1.0 / 0.04);
    assert!((found.eta[2].0 - clm).abs() < 1e-6, "{} and {clm}", found.eta[2]);
    assert!((found.eta[0].0 - clm * 0.02 / 0.16).abs() < 1e-6);
    assert!(found.warnings.is_empty() || found.warnings == [Warning::Uninformed("v".to_owned())]);
}

#[test]
fn a_wild_value_carries_the_normal_fit_away_and_not_the_robust_one() {
    let mut observations: Vec<_> = (0..4).map(|i| level(9e5 + f64::from(i), "parent", 1000.0)).collect();
    observations.push(level(9.5e5, "parent", 3000.0));
    let eta = |errors| asked(&model(LOG), &observations, errors).expect("a fit").eta[1].0;
    let (normal, robust) = (eta(Errors::Normal), eta(Errors::Robust));
    assert!(normal < -0.15 && robust.abs() < 0.06, "{normal} and {robust}");
}

#[test]
fn below_the_limit_is_a_likelihood_and_not_a_level() {
    let below =
        |limit: f64| Observation { level: Reported::Below(NgPerMl(limit)), ..level(9e5, "parent", 1.0) };
    // A limit far above the expected level says nothing, one far below it says that clearance is high.
    let eta = |limit| asked(&model(LOG), &[below(limit)], Errors::Normal).expect("a fit").eta[1].0;
    assert!(eta(1e5).abs() < 1e-6);
    // Stationary point of eta²/0.09 - 2·ln Φ((ln(limit/1000) + eta)/0.2), from 40-digit arithmetic.
    assert!((eta(500.0) - BELOW_500).abs() < 1e-7, "{}", eta(500.0));
}

const BELOW_500: f64 = 0.563337281401;

#[test]
fn the_tail_of_the_normal_distribution_has_its_digits() {
    for (x, expected) in TAILS {
        let found = log_normal_below(x);
        assert!((found - expected).abs() <= 1e-11 * expected.abs(), "{x}: {found} and {expected}");
    }
}

const TAILS: [(f64, f64); 9] = [
    (-30.0, -454.321243956343),
    (-8.5, -39.1973964282177),
    (-3.0, -6.60772622151035),
    (-2.5, -5.08164827727869),
    (-0.1, -0.776154592730273),
    (0.0, -std::f64::consts::LN_2),
    (1.3, -0.101811802667655),
    (2.9, -0.00186755609818092),
    (6.0, -9.86587645524376e-10),
];

#[test]
fn a_proportional_error_uses_the_variance_of_the_individual() {
    let residual = Residual::Normal { proportional: Ratio(0.1), additive: NgPerMl(5.0) };
    let found = asked(&model(residual), &[level(9e5, "parent", 700.0)], Errors::Normal).expect("a fit");
    let f = 1000.0 * (-found.eta[1].0).exp();
    let v = (0.1 * f).powi(2) + 25.0;
    let expected = (700.0 - f).powi(2) / v + v.ln() + found.eta[1].0.powi(2) / 0.09;
    assert!((found.objective.0 - expected).abs() < 1e-9, "{} and {expected}", found.objective);
    for other in [-1e-3, 1e-3] {
        let eta = found.eta[1].0 + other;
        let f = 1000.0 * (-eta).exp();
        let v = (0.1 * f).powi(2) + 25.0;
        assert!((700.0 - f).powi(2) / v + v.ln() + eta * eta / 0.09 > expected, "not a minimum");
    }
}

#[test]
fn blood_of_another_site_is_refused() {
    let model = model(LOG);
    let schedule = Schedule::new([Dose::over(Mg(10.0), Minutes(40.0), Minutes(0.0))]).expect("a dose");
    let question = |site, observations| FitQuestion {
        model: &model,
        body: BODY,
        schedule: &schedule,
        observations,
        site,
        errors: Errors::Normal,
        occasions: &[],
    };
    let told = |q: FitQuestion| fit(&q).expect_err("refused").to_string();
    assert_eq!(
        told(question(Site::Arterial, &[])),
        "model steady: is Venous; it cannot explain Arterial blood"
    );
    let unknown = [level(5.0, "caffeine", 1.0)];
    assert_eq!(told(question(Site::Venous, &unknown)), "model steady: has no residual error of caffeine");
    let nan = [level(5.0, "parent", f64::NAN)];
    assert!(told(question(Site::Venous, &nan)).starts_with("measured level is NaN"));
    let zero = [level(5.0, "parent", 0.0)];
    assert!(told(question(Site::Venous, &zero)).contains("below its limit of quantification"));
}

#[test]
fn a_fit_outside_the_domain_says_so() {
    let model = model(LOG);
    let schedule = Schedule::default();
    let body = Body { weight: Kg(150.0), age: Some(Years(40.0)) };
    let question = FitQuestion {
        model: &model,
        body,
        schedule: &schedule,
        observations: &[],
        site: Site::Venous,
        errors: Errors::Normal,
        occasions: &[],
    };
    assert!(fit(&question).expect("a fit").warnings.contains(&Warning::OutsideValidity));
}

/// However small or large such a level is, and wherever it stands among the others.
#[test]
fn a_level_where_the_model_has_no_drug_is_refused() {
    let share = |additive| Residual::Normal { proportional: Ratio(0.2), additive: NgPerMl(additive) };
    for (residual, wrong) in [(share(0.0), 0.5), (share(0.0), 5.0), (LOG, 5.0)] {
        for at in [-10.0, 0.0] {
            let rows = [level(40.0, "parent", 600.0), level(at, "metabolite", wrong)];
            for errors in [Errors::Normal, Errors::Robust] {
                let told = asked(&model(residual), &rows, errors).expect_err("no drug");
                let expected =
                    Refused::NoDrug { place: 1, analyte: "metabolite".to_owned(), level: wrong, at };
                assert_eq!(told, expected);
            }
        }
    }
    let rows = [level(0.0, "parent", 5.0), level(40.0, "parent", 600.0)];
    let explained = asked(&model(share(10.0)), &rows, Errors::Normal).expect("an error of its own");
    assert!(explained.objective.0.is_finite());
    let none = [level(0.0, "parent", 0.0), level(40.0, "parent", 600.0)];
    assert!(asked(&model(share(0.0)), &none, Errors::Normal).is_ok(), "none is none");
}

/// Nobody's error is so small that 0 is seen, whatever the model says of it.
#[test]
fn a_bare_0_where_there_is_drug_is_refused() {
    let share = |additive| Residual::Normal { proportional: Ratio(0.2), additive: NgPerMl(additive) };
    for residual in [share(0.0), share(10.0), LOG] {
        let rows = [level(40.0, "parent", 600.0), level(60.0, "metabolite", 0.0)];
        let told = asked(&model(residual), &rows, Errors::Robust).expect_err("a bare 0");
        assert_eq!(told, Refused::BareZero { place: 1, analyte: "metabolite".to_owned(), at: 60.0 });
        let below = Observation { level: Reported::Below(NgPerMl(2.0)), ..rows[1].clone() };
        assert!(asked(&model(residual), &[rows[0].clone(), below], Errors::Normal).is_ok());
        let nothing = Observation { level: Reported::Below(NgPerMl(0.0)), ..rows[1].clone() };
        assert!(asked(&model(residual), &[rows[0].clone(), nothing], Errors::Normal).is_err());
    }
    let (schedule, levels) = (hour(), [300.0, 310.0, 0.0, 290.0].map(NgPerMl));
    let told = fit_many(&series(&model(share(5.0)), &schedule, &levels)).expect_err("a bare 0");
    assert_eq!(told, Refused::BareZero { place: 2, analyte: "parent".to_owned(), at: 60.0 });
}

#[test]
fn a_level_far_from_the_fit_is_told_and_a_near_one_is_not() {
    // So many others that one does not move the fit: its deviation is its distance in errors of 0.2.
    for (errors, is_below) in [(Errors::Normal, false), (Errors::Robust, false), (Errors::Normal, true)] {
        for (sd, is_far) in [(-2.8_f64, false), (-3.2, true), (2.8, false), (3.2, true)] {
            let mut rows: Vec<_> = (0..400).map(|i| level(9e5 + f64::from(i), "parent", 1000.0)).collect();
            let odd = NgPerMl(1000.0 * (0.2 * sd).exp());
            rows.insert(7, Observation { at: Minutes(8e5), ..rows[0].clone() });
            rows[7].level = if is_below { Reported::Below(odd) } else { Reported::Level(odd) };
            let found = asked(&model(LOG), &rows, errors).expect("a fit");
            // A limit above the fit is no surprise.
            let is_far = is_far && !(is_below && sd > 0.0);
            assert_eq!(found.warnings.contains(&Warning::Unexplained(7)), is_far, "{sd} {errors:?}");
            assert_eq!(
                found.warnings.iter().filter(|w| matches!(w, Warning::Unexplained(_))).count(),
                usize::from(is_far)
            );
            let expected = if is_below { sd.min(0.0) } else { sd };
            assert!(
                (found.explained[7].deviation.0 - expected).abs() < 0.05,
                "{sd}: {:?}",
                found.explained[7]
            );
        }
    }
}

#[test]
fn a_person_outside_the_population_is_told() {
    let outlying = Warning::Outlying("cl".to_owned());
    // So many levels that the prior hardly pulls: ln(1000/y) is eta, and 4 standard deviations are 1.2.
    for (eta, is_told) in [(1.1_f64, false), (-1.1, false), (1.3, true), (-1.3, true)] {
        let y = 1000.0 / eta.exp();
        let rows: Vec<_> = (0..200).map(|i| level(9e5 + f64::from(i), "parent", y)).collect();
        let found = asked(&model(LOG), &rows, Errors::Normal).expect("a fit");
        assert_eq!(found.warnings.contains(&outlying), is_told, "{eta}: {:?}", found.eta);
    }
}

const TIMES: [Minutes; 4] = [Minutes(5.0), Minutes(20.0), Minutes(60.0), Minutes(150.0)];

fn series<'a>(model: &'a Model, schedule: &'a Schedule, levels: &'a [NgPerMl]) -> Samples<'a> {
    Samples { model, body: BODY, schedule, site: Site::Venous, times: &TIMES, levels }
}

fn hour() -> Schedule {
    Schedule::new([Dose::over(Mg(60.0), Minutes(60.0), Minutes(0.0))]).expect("a dose")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    /// In lock step or alone, the optimum is the same.
    #[test]
    fn many_are_fitted_as_each_alone(
        rows in prop::collection::vec(prop::array::uniform4((1.0..7.0_f64).prop_map(f64::exp)), 1..8),
        log in any::<bool>(),
    ) {
        let normal = Residual::Normal { proportional: Ratio(0.15), additive: NgPerMl(20.0) };
        let model = model(if log { LOG } else { normal });
        let schedule = hour();
        let levels: Vec<NgPerMl> = rows.concat().into_iter().map(NgPerMl).collect();
        let found = fit_many(&series(&model, &schedule, &levels)).expect("fits");
        prop_assert_eq!(found.len(), rows.len());
        for (found, row) in found.iter().zip(&rows) {
            let observations: Vec<_> = TIMES.iter().zip(row).map(|(t, x)| level(t.0, "parent", *x)).collect();
            let (model, schedule) = (&model, &schedule);
            let question = FitQuestion { model, body: BODY, schedule, observations: &observations, site: Site::Venous, errors: Errors::Normal, occasions: &[] };
            // The search for one, begun where lock step ended, stays there: it is the floor of a valley, of the
            // same depth. Which valley is no matter: wild levels have several.
            let likelihood = Likelihood::new(&question).expect("a likelihood");
            let apart = |z: &[f64]| {
                likelihood.spread.eta(z).iter().zip(&found.eta).map(|(a, b)| (a.0 - b.0).powi(2)).sum::<f64>()
            };
            let floor = newton::minimise(&apart, vec![0.0; 3]).at;
            let alone = newton::minimise(&|z: &[f64]| likelihood.objective(z), floor).value;
            prop_assert!((found.objective.0 - alone).abs() < 1e-6 * (1.0 + alone.abs()), "{found:?} and {alone}");
        }
        // Nobody's result depends on who else is fitted.
        for (found, own) in found.iter().zip(levels.chunks(4)) {
            prop_assert_eq!(found, &fit_many(&series(&model, &schedule, own)).expect("a fit")[0]);
        }
    }
}

#[test]
fn rows_that_are_not_whole_are_refused() {
    let (model, schedule) = (model(LOG), hour());
    let refused =
        |levels: &[NgPerMl]| fit_many(&series(&model, &schedule, levels)).expect_err("refused").to_string();
    assert_eq!(refused(&[NgPerMl(1.0); 5]), "missing: a level of each person at each time");
    assert!(refused(&[NgPerMl(f64::NAN); 4]).starts_with("measured level is NaN ng/mL"));
    assert!(refused(&[NgPerMl(0.0); 4]).starts_with("parent 0 ng/mL at 5 min: an assay cannot tell 0 from"));
    assert_eq!(fit_many(&series(&model, &schedule, &[])).expect("nobody"), []);
}

/// Whoever it is of.
#[test]
fn nobody_has_a_level_before_the_first_dose() {
    let (schedule, times) = (hour(), [-10.0, 20.0].map(Minutes));
    let share = |additive| Residual::Normal { proportional: Ratio(0.2), additive: NgPerMl(additive) };
    let levels = [0.0, 300.0, 0.0, 310.0, 4.0, 290.0].map(NgPerMl);
    let asked = |model: &Model| fit_many(&Samples { times: &times, ..series(model, &schedule, &levels) });
    let expected = Refused::NoDrug { place: 4, analyte: "parent".to_owned(), level: 4.0, at: -10.0 };
    assert_eq!(asked(&model(share(0.0))).expect_err("no drug"), expected);
    assert_eq!(asked(&model(share(5.0))).expect("an error of its own").len(), 3);
}

/// As above, for ever at 1 mg/min.
fn known(model: &Model, observations: &[Observation], draws: usize) -> Posterior {
    let dose = Dose::Infusion { start: Minutes(0.0), end: Minutes(1e6), rate: MgPerMin(1.0) };
    let schedule = Schedule::new([dose]).expect("a dose");
    let (site, errors) = (Site::Venous, Errors::Normal);
    let question =
        FitQuestion { model, body: BODY, schedule: &schedule, observations, site, errors, occasions: &[] };
    posterior(&question, draws, 1, &[Minutes(5e5)]).expect("draws")
}

#[test]
fn draws_have_the_mean_and_spread_of_a_posterior_that_is_known() {
    // ln level - ln 1000 = -eta + error: precision 1/0.09 + 1/0.04, mean by the weights of both.
    let model = model(LOG);
    let found = known(&model, &[level(5e5, "parent", 1500.0)], 20_000);
    let (precision, miss) = (1.0 / 0.09 + 1.0 / 0.04, 1.5_f64.ln());
    let (mean, sd) = (-miss / 0.04 / precision, precision.powf(-0.5));
    let (_, cl) = found.etas.iter().find(|(name, _)| name == "cl").expect("cl");
    let error = 4.0 / found.effective.sqrt();
    assert!((cl.mean.0 - mean).abs() < error * sd, "{cl:?} {mean}");
    assert!((cl.sd.0 / sd - 1.0).abs() < error, "{cl:?} {sd}");
    for (percentile, z) in cl.percentiles.iter().zip([-1.644_853_6, 0.0, 1.644_853_6]) {
        assert!((percentile.0 - mean - z * sd).abs() < 3.0 * error * sd, "{cl:?}");
    }
    // The level falls as the clearance rises.
    for (level, eta) in found.plasma[0].iter().zip(cl.percentiles.iter().rev()) {
        assert!((level.0 / (1000.0 * (-eta.0).exp()) - 1.0).abs() < 3.0 * error * sd, "{level}");
    }
    assert!(found.effective > 8000.0 && found.effective < 20_000.0, "{}", found.effective);
    assert_eq!(found, known(&model, &[level(5e5, "parent", 1500.0)], 20_000));
}

#[test]
fn draws_of_a_lopsided_posterior_are_those_of_a_sum_over_a_grid() {
    // Far below the limit the density of eta is a normal times a tail: no normal at all.
    let limit = 400.0;
    let below = Observation { level: Reported::Below(NgPerMl(limit)), ..level(5e5, "parent", 1.0) };
    let model = model(Residual::Normal { proportional: Ratio(0.3), additive: NgPerMl(0.0) });
    let found = known(&model, &[below], 40_000);
    let density = |eta: f64| {
        let f = 1000.0 * (-eta).exp();
        (log_normal_below((limit - f) / (0.3 * f)) - 0.5 * eta * eta / 0.09).exp()
    };
    let grid: Vec<f64> = (-3000..3000).map(|i| f64::from(i) / 1000.0).collect();
    let moment = |power: i32| grid.iter().map(|eta| density(*eta) * eta.powi(power)).sum::<f64>();
    let mean = moment(1) / moment(0);
    let sd = (moment(2) / moment(0) - mean * mean).sqrt();
    let (_, cl) = found.etas.iter().find(|(name, _)| name == "cl").expect("cl");
    let error = 4.0 / found.effective.sqrt();
    assert!((cl.mean.0 - mean).abs() < error * sd, "{cl:?} {mean} {sd}");
    assert!((cl.sd.0 / sd - 1.0).abs() < error, "{cl:?} {sd}");
}

#[test]
fn what_differs_between_occasions_is_told_apart_from_the_person() {
    let mut spec = model(LOG).spec().clone();
    spec.occasions = vec![Block { parameters: vec!["cl".to_owned()], covariance: vec![vec![Ratio(0.05)]] }];
    let model = Model::new(spec).expect("a model");
    let dose = Dose::Infusion { start: Minutes(0.0), end: Minutes(1e6), rate: MgPerMin(1.0) };
    let schedule = Schedule::new([dose]).expect("a dose");
    let observations = [level(4e5, "parent", 1500.0), level(9e5, "parent", 800.0)];
    let asked = |occasions| {
        let (site, errors) = (Site::Venous, Errors::Normal);
        let question = FitQuestion {
            model: &model,
            body: BODY,
            schedule: &schedule,
            observations: &observations,
            site,
            errors,
            occasions,
        };
        fit(&question)
    };
    let later = [Minutes(5e5)];
    let found = asked(&later).expect("a fit");
    // Each level: -eta - kappa_k + error. Seen from the person, a level has the variance 0.05 + 0.04.
    let misses = [1.5_f64.ln(), 0.8_f64.ln()];
    let precision = 1.0 / 0.09 + 2.0 / 0.09;
    let eta = -(misses[0] + misses[1]) / 0.09 / precision;
    assert!((found.eta[1].0 - eta).abs() < 1e-5, "{} {eta}", found.eta[1]);
    assert!((variance(&found, "cl") - 1.0 / precision).abs() < 1e-6);
    for (occasion, miss) in found.occasions.iter().zip(misses) {
        // What is left is shared between occasion and error by their variances.
        assert!((occasion[1].0 - 0.05 / 0.09 * (-miss - eta)).abs() < 1e-5, "{}", occasion[1]);
    }
    assert!(asked(&[]).expect("a fit").occasions.is_empty());
    let many: Vec<_> = (0..30).map(|i| Minutes(f64::from(i))).collect();
    assert_eq!(asked(&many).expect_err("too many").to_string(), "31 occasions; at most 20 are accepted");
    let plain = self::model(LOG);
    let question = FitQuestion {
        model: &plain,
        body: BODY,
        schedule: &schedule,
        observations: &observations,
        site: Site::Venous,
        errors: Errors::Normal,
        occasions: &later,
    };
    assert!(fit(&question).expect_err("no source").to_string().contains("spread between occasions"));
}
