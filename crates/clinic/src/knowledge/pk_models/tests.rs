//! The shipped models against the numbers that their sources, or independent programs, print.

use super::*;
use crate::knowledge::{File, embed};
use pkpd::{Dose, Individual, Mg, Minutes, PerMin, Schedule};

fn files() -> Vec<File> {
    let ours = |file: &File| file.path == "sources.toml" || file.path.starts_with("pk_");
    embed::shipped().into_iter().filter(ours).collect()
}

fn shipped() -> Knowledge {
    Knowledge::read(&files()).unwrap_or_else(|error| panic!("{error}"))
}

fn model(id: &str) -> Model {
    shipped().pk_models.get(id).unwrap_or_else(|| panic!("{id} is shipped")).model().expect("it fits")
}

const BODY: pkpd::Body = pkpd::Body { weight: pkpd::Kg(70.0), age: Some(pkpd::Years(40.0)) };

fn typical(model: &Model) -> Individual<'_> {
    model.typical(BODY).expect("an adult of 70 kg")
}

/// Level of what goes into the model, 35 mg over 40 min or the like.
fn level(person: &Individual, amount: f64, over: f64, at: f64) -> f64 {
    let dose = Dose::over(Mg(amount), Minutes(over), Minutes(0.0));
    let schedule = Schedule::new([dose]).expect("a dose");
    person.parent_course(&schedule, None, &[Minutes(at)]).expect("a time").plasma[0].0
}

fn effect(person: &Individual, amount: f64, over: f64, times: &[f64]) -> Vec<f64> {
    let ke0 = shipped().chair_models().expect("chair models").effect_site.ke0;
    let dose = Dose::over(Mg(amount), Minutes(over), Minutes(0.0));
    let schedule = Schedule::new([dose]).expect("a dose");
    let times: Vec<_> = times.iter().copied().map(Minutes).collect();
    let course = person.parent_course(&schedule, Some(ke0), &times).expect("times");
    course.effect.expect("an effect site").iter().map(|x| x.0).collect()
}

#[test]
fn every_model_is_whole_and_its_examples_hold() {
    let knowledge = shipped();
    assert_eq!(knowledge.pk_models.len(), 11);
    assert!(knowledge.pk_models.iter().all(|item| item.header.id != "hornik2018"), "unchecked numbers");
}

#[test]
fn the_chair_has_one_line_a_band_and_an_arterial_effect_site() {
    let chair = shipped().chair_models().expect("chair models");
    assert_eq!(chair.default.id(), "kamp_meta2020");
    let others: Vec<_> = chair.comparisons.iter().map(|m| (m.id(), m.site())).collect();
    let expected = [
        ("domino", pkpd::Site::Venous),
        ("otto2021_fanta2015", pkpd::Site::Venous),
        ("simons2022", pkpd::Site::Arterial),
    ];
    assert_eq!(others, expected);
    // Olofsen 2022 as printed: ln 2 / 8.3 min.
    assert!((chair.effect_site.ke0.0 - 0.083_511_708_501_198_23).abs() < 1e-16);
    assert!(chair.effect_site.ke0_range.0 < chair.effect_site.ke0);
}

/// 20 mg of S-ketamine over 20 min, 70 kg, ng/mL at 20 min; measured were 260 and 273 (Simons 2022, arterial).
#[test]
fn twenty_milligrams_in_twenty_minutes() {
    let table = [
        ("kamp_meta2020", 227.0),
        ("simons2022", 268.0),
        ("herd2007", 213.0),
        ("sherwin2015", 331.0),
        ("domino", 240.0),
        ("elkomy2015", 245.0),
        ("clements250", 125.0),
        ("otto2021_fanta2015", 112.0),
        ("perezruixo2021", 85.0),
        ("hijazi", 179.0),
    ];
    for (id, expected) in table {
        let found = level(&typical(&model(id)), 20.0, 20.0, 20.0);
        assert!((found - expected).abs() <= 0.5, "{id}: {found} and {expected}");
    }
}

/// Time and height of the effect-site peak after a bolus, by the default ke0.
#[test]
fn effect_site_peaks() {
    let table = [
        ("domino", 3.07, 11.03),
        ("kamp_meta2020", 8.24, 9.00),
        ("simons2022", 5.40, 11.69),
        ("clements250", 20.5, 4.73),
        ("otto2021_fanta2015", 20.0, 4.20),
    ];
    for (id, minute, height) in table {
        let model = model(id);
        let times: Vec<f64> = (0..4000).map(|i| f64::from(i) * 0.01).collect();
        let levels = effect(&typical(&model), 1.0, 0.0, &times);
        let (at, top) = levels.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).expect("levels");
        let printed_to = if minute > 10.0 { 0.05 } else { 0.005 };
        assert!((times[at] - minute).abs() <= printed_to + 0.005, "{id}: peak at {}", times[at]);
        assert!((top - height).abs() <= 0.005, "{id}: peak of {top}");
    }
}

/// Minutes until the effect-site level halves after 35 mg over 40 min. It is the model that makes recovery slow.
#[test]
fn recovery_depends_on_the_model() {
    let halving = |id: &str| {
        let model = model(id);
        let times: Vec<f64> = (0..16_000).map(|i| 40.0 + f64::from(i) * 0.01).collect();
        let levels = effect(&typical(&model), 35.0, 40.0, &times);
        let passed = levels.iter().position(|x| *x <= levels[0] / 2.0).expect("it halves");
        times[passed] - 40.0
    };
    for (id, expected, within) in
        [("domino", 17.6, 0.06), ("simons2022", 24.0, 0.51), ("kamp_meta2020", 31.0, 0.51)]
    {
        let found = halving(id);
        assert!((found - expected).abs() <= within, "{id}: {found}");
    }
    for id in ["clements250", "otto2021_fanta2015", "perezruixo2021"] {
        let found = halving(id);
        assert!((73.5..=81.5).contains(&found), "{id}: {found}");
    }
}

#[test]
fn area_is_dose_over_clearance_in_each_model() {
    // 10 mg bolus, ng·h/mL (Pharmacotherapy 42:298 measured 113), and 17.5 mg of S-ketamine in the Otto model.
    let table = [
        ("kamp_meta2020", 10.0, 119.0, 0.5),
        ("simons2022", 10.0, 113.0, 0.5),
        ("domino", 10.0, 1000.0 * 10.0 / 116.0, 0.5),
        ("herd2007", 10.0, 111.0, 0.5),
        ("sherwin2015", 10.0, 114.0, 0.5),
        ("elkomy2015", 10.0, 165.0, 0.5),
        ("clements250", 10.0, 125.0, 0.5),
        ("hijazi", 10.0, 66.0, 0.5),
        ("otto2021_fanta2015", 17.5, 183.82, 0.005),
        ("perezruixo2021", 10.0, 1000.0 * 10.0 / 109.0, 0.5),
    ];
    for (id, dose, expected, within) in table {
        let model = model(id);
        let person = typical(&model);
        let volume = person.parent().volume().0;
        let area: f64 = person.parent().modes().map(|(rate, weight)| weight.0 / rate.0).sum();
        let found = dose / volume * 1000.0 * area / 60.0;
        assert!((found - expected).abs() <= within, "{id}: {found} and {expected}");
    }
}

#[test]
fn weight_and_age_act_as_the_source_says() {
    let cl = |id: &str, name: &str, body: pkpd::Body| {
        let model = model(id);
        match model.typical(body).expect("a body").parameter(name) {
            Some(pkpd::Value::Clearance(cl)) => cl.0 * 60.0,
            other => panic!("{other:?}"),
        }
    };
    let heavy = pkpd::Body { weight: pkpd::Kg(118.0), ..BODY };
    assert!((cl("kamp_meta2020", "cl", heavy) - 141.6).abs() < 1e-9);
    assert!((cl("otto2021_fanta2015", "cl", heavy) - 95.2 * (118.0_f64 / 70.0).powf(0.75)).abs() < 1e-9);
    assert!((cl("otto2021_fanta2015", "q1", heavy) - 23.2).abs() < 1e-9);
    let old = pkpd::Body { age: Some(pkpd::Years(80.0)), ..BODY };
    assert!((cl("perezruixo2021", "qh", old) - (151.0 - 20.0 * 2.19)).abs() < 1e-9);
    assert!((cl("perezruixo2021", "qh", BODY) - 151.0).abs() < 1e-9);
    let ageless = pkpd::Body { age: None, ..BODY };
    assert_eq!(model("perezruixo2021").typical(ageless).expect_err("no age").to_string(), "missing: age");
}

/// Local elasticities of the level at 40 min sum to -1, because volumes and clearances share the unit of the dose.
#[test]
fn elasticities_sum_to_minus_one() {
    let model = model("kamp_meta2020");
    let count = model.spec().parameters.len();
    let moved =
        |eta: &[pkpd::Ratio]| level(&model.individual(BODY, eta).expect("a person"), 35.0, 40.0, 40.0).ln();
    let printed =
        [("cl", -0.348), ("q2", -0.060), ("q3", -0.224), ("v1", -0.115), ("v2", -0.205), ("v3", -0.049)];
    let mut sum = 0.0;
    for (i, (name, expected)) in printed.into_iter().enumerate() {
        assert_eq!(model.spec().parameters[i].name, name);
        let eta = |h: f64| (0..count).map(|j| pkpd::Ratio(if i == j { h } else { 0.0 })).collect::<Vec<_>>();
        let elasticity = (moved(&eta(1e-4)) - moved(&eta(-1e-4))) / 2e-4;
        assert!((elasticity - expected).abs() <= 0.0005, "{name}: {elasticity}");
        sum += elasticity;
    }
    assert!((sum + 1.0).abs() < 1e-7, "{sum}");
}

#[test]
fn metabolites_follow_their_parent() {
    let model = model("simons2022");
    let schedule = Schedule::new([Dose::over(Mg(20.0), Minutes(20.0), Minutes(0.0))]).expect("a dose");
    let course = typical(&model).course(&schedule, Some(PerMin(0.08)), &[Minutes(1e5)]).expect("times");
    let names: Vec<_> = course.metabolites.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["s_norketamine", "s_hydroxynorketamine"]);
    // A steady 1 mg/min: each level is what arrives over what clears, in moles, then in mass.
    let steady = Schedule::new([Dose::over(Mg(1e6), Minutes(1e6), Minutes(0.0))]).expect("a dose");
    let at_end = typical(&model).course(&steady, None, &[Minutes(1e6 - 1.0)]).expect("times");
    let expected = [0.8 / 1.00 * 223.7 / 237.727 * 1000.0, 0.8 * 0.7 / 0.933 * 239.699 / 237.727 * 1000.0];
    for ((name, levels), expected) in at_end.metabolites.iter().zip(expected) {
        assert!((levels[0].0 / expected - 1.0).abs() < 1e-9, "{name}: {}", levels[0].0);
    }
}

#[test]
fn each_way_to_break_a_model_is_refused() {
    let refused = |id: &str, from: &str, to: &str, words: &str| {
        let path = format!("pk_models/{id}.toml");
        let mut files = files();
        let file = files.iter_mut().find(|f| f.path == path).expect("it is shipped");
        assert!(file.text.contains(from), "{path} does not say `{from}`");
        file.text = file.text.replace(from, to);
        let error = Knowledge::read(&files).expect_err("it is broken").to_string();
        assert!(error.contains(words), "{path} with `{to}`: {error}");
    };
    refused("kamp_meta2020", "25 L", "25", "has no unit");
    refused("kamp_meta2020", "25 L", "25 gal", "not a unit of a parameter");
    refused("kamp_meta2020", "84 L/h", "84 L", "cannot drive a flow");
    refused("kamp_meta2020", "84 L/h", "48 L/h", "does not hold");
    refused("kamp_meta2020", "84 L/h", "inf L/h", "not a finite number");
    refused("kamp_meta2020", "reference_weight = \"70 kg\"", "", "needs `reference_weight`");
    refused("kamp_meta2020", "volume = \"v1\"", "volume = \"v9\"", "no parameter v9");
    refused("kamp_meta2020", "0.0413653]", "0.9]", "positive definite");
    refused("kamp_meta2020", "half_life = \"8.3 min\"", "half_life = \"83 min\"", "outside its own range");
    refused(
        "kamp_meta2020",
        "site = \"arterial\"\n\n[[example]]",
        "site = \"venous\"\n\n[[example]]",
        "another sampling site",
    );
    refused("domino", "to = \"near\"", "to = \"nowhere\"", "no compartment nowhere");
    refused("domino", "by = \"k31\"", "by = \"v1\"", "cannot drive a flow");
    refused("simons2022", "share = 0.8", "share = 1.8", "accepted is 0 to 1");
    refused("simons2022", "stages = 2", "stages = 0", "0 stages");
    refused("otto2021_fanta2015", "dose_max = \"1 mg/kg\"", "dose_max = \"1 mg\"", "has to be in mg/kg");
    let two = with_role("domino", "comparison", "default");
    assert!(two.contains("needs an `effect_site`"), "{two}");
}

fn with_role(id: &str, from: &str, to: &str) -> String {
    let mut files = files();
    let file = files.iter_mut().find(|f| f.path == format!("pk_models/{id}.toml")).expect("it is shipped");
    file.text = file.text.replace(&format!("role = \"{from}\""), &format!("role = \"{to}\""));
    Knowledge::read(&files).expect_err("two defaults").to_string()
}

#[test]
fn the_validation_table_has_every_model_and_data_set() {
    let table = shipped().validate_pk_models().expect("it can be reckoned");
    let lines = |id: &str| table.iter().filter(|v| v.observations == id).count();
    assert_eq!(
        (lines("kamp2020_ketamine"), lines("kamp2020_norketamine"), lines("hasan2021_ketamine")),
        (11, 3, 11)
    );
    let of = |model: &str, data: &str| {
        table.iter().find(|v| v.model == model && v.observations == data).expect("a line").clone()
    };
    let arterial = of("kamp_meta2020", "kamp2020_ketamine");
    assert!(arterial.same_site && arterial.agreement.pairs == 48);
    // The default within 5 and 10 % of arterial curves, the venous one within 10 and 10 % of venous ones.
    let accepted: Vec<_> = table.iter().filter_map(|v| Some((v.model.as_str(), v.accepted?))).collect();
    assert_eq!(accepted, [("otto2021_fanta2015", true), ("kamp_meta2020", true), ("simons2022", true)]);
    assert!(of("otto2021_fanta2015", "hasan2021_ketamine").same_site);
    assert!(!of("kamp_meta2020", "hasan2021_ketamine").same_site);
}

/// The 90 % band of the S half at 40 min, 17.5 mg over 40 min, by the spread that Otto printed.
#[test]
fn the_printed_spread_gives_the_known_band() {
    let model = model("otto2021_fanta2015");
    let schedule = Schedule::new([Dose::over(Mg(17.5), Minutes(40.0), Minutes(0.0))]).expect("a dose");
    let layers = pkpd::Layers { people: true, occasions: false, uncertainty: false, assay: false };
    let (bodies, regimen) = (pkpd::Bodies::Same(BODY), pkpd::Regimen::Fixed(schedule));
    let population = pkpd::Population::new(&model, bodies, layers, regimen, None, &[Minutes(40.0)], 1);
    let summary = population.expect("described").simulate(0..40_000, 1);
    for (share, expected, within) in [(0.05, 57.4, 0.5), (0.5, 78.8, 0.3), (0.95, 102.6, 0.7)] {
        let found = summary.plasma[0].quantile(pkpd::Ratio(share)).expect("patients").0;
        assert!((found - expected).abs() <= within, "{share}: {found} and {expected}");
    }
}
