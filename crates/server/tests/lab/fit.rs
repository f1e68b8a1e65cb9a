//! `chairside fit`.

use super::{Written, answer, chairside, column, refusal};
use clinic::knowledge::Knowledge;
use pkpd::{Body, Dose, Kg, Mg, Minutes, Model, Ratio, Schedule};
use serde_json::Value;

const OTTO: [&str; 4] = ["--model", "otto2021_fanta2015", "--weight", "70 kg"];
const DOSE: [&str; 6] = ["--dose", "17.5 mg over 40 min", "--substance", "esketamine", "--site", "venous"];

fn fitted(rows: &str, more: &[&str]) -> Value {
    let name = format!("fit{}-{}.csv", rows.len(), more.len());
    let file = Written::new(&name, &format!("time_min,analyte,value,unit\n{rows}"));
    let arguments = [&["fit"], &OTTO[..], &DOSE[..], &["--observations", file.path()], more].concat();
    serde_json::from_str(&answer(&arguments)).expect("JSON")
}

fn otto() -> Model {
    let knowledge = Knowledge::shipped().expect("it holds");
    knowledge.pk_models.get("otto2021_fanta2015").expect("shipped").model().expect("it fits")
}

const NAMES: [&str; 4] = ["cl", "clnk", "v1", "vnk"];
/// As Otto 2021 prints it, in the order of the names.
const SPREAD: [[f64; 4]; 4] = [
    [0.026048, 0.0, 0.02261, 0.0],
    [0.0, 0.10319, 0.0, 0.04456],
    [0.02261, 0.0, 0.084177, 0.0],
    [0.0, 0.04456, 0.0, 0.040426],
];

/// Below a limit of quantification that is far above every level.
const SAYS_NOTHING: &str = "40,s_ketamine,<100,mg/L\n";

#[test]
fn without_levels_the_person_is_typical_and_as_uncertain_as_the_population() {
    let fit = fitted(SAYS_NOTHING, &[]);
    assert_eq!(fit["covariance_of"], serde_json::json!(NAMES));
    for (i, name) in NAMES.iter().enumerate() {
        assert!(fit["eta"][name].as_f64().expect("an eta").abs() < 1e-6, "{fit}");
        for (j, expected) in SPREAD[i].iter().enumerate() {
            let found = fit["covariance"][i][j].as_f64().expect("a number");
            assert!((found - expected).abs() < 1e-5, "{i} {j}: {found} and {expected}");
        }
    }
    assert_eq!(fit["sampling_site"], "venous");
    assert!((fit["parameters"]["cl"].as_f64().expect("a number") - 95.2).abs() < 1e-3, "{fit}");
}

/// `Σ[(y-f)²/v + ln v] + η'Ω⁻¹η` for two levels of the parent, by hand.
fn objective(model: &Model, eta: [f64; 4]) -> f64 {
    let order = &model.spec().parameters;
    let of = |name: &str| NAMES.iter().position(|its| *its == name).map_or(0.0, |place| eta[place]);
    let all: Vec<Ratio> = order.iter().map(|p| Ratio(of(&p.name))).collect();
    let schedule = Schedule::new([Dose::over(Mg(17.5), Minutes(40.0), Minutes(0.0))]).expect("a dose");
    let body = Body { weight: Kg(70.0), age: None };
    let times = [Minutes(40.0), Minutes(120.0)];
    let course =
        model.individual(body, &all).expect("a person").course(&schedule, None, &times).expect("times");
    let terms = |f: f64, y: f64, sd: f64| (y - f).powi(2) / (sd * f).powi(2) + (sd * f).powi(2).ln();
    let parent = terms(course.plasma[0].0, 110.0, 0.23609) + terms(course.plasma[1].0, 20.0, 0.23609);
    let metabolite = terms(course.metabolites[0].1[1].0, 30.0, 0.14261);
    let prior =
        |[a, b, c]: [f64; 3], x: f64, y: f64| (a * y * y - 2.0 * b * x * y + c * x * x) / (a * c - b * b);
    parent
        + metabolite
        + prior([0.084177, 0.02261, 0.026048], eta[2], eta[0])
        + prior([0.040426, 0.04456, 0.10319], eta[3], eta[1])
}

#[test]
fn the_fit_is_the_lowest_point_of_the_printed_objective() {
    let fit = fitted("40,s_ketamine,110,ng/mL\n120,s_ketamine,0.02,mg/L\n120,S-norketamine,30,ng/mL\n", &[]);
    let model = otto();
    let eta = NAMES.map(|name| fit["eta"][name].as_f64().expect("an eta"));
    let lowest = fit["objective"].as_f64().expect("a number");
    assert!((objective(&model, eta) - lowest).abs() < 1e-9, "{lowest} and {}", objective(&model, eta));
    for place in 0..4 {
        for step in [-0.01, 0.01] {
            let mut beside = eta;
            beside[place] += step;
            assert!(objective(&model, beside) > lowest, "{place} {step}");
        }
    }
    let cl = fit["parameters"]["cl"].as_f64().expect("a number");
    assert!((cl - 95.2 * eta[0].exp()).abs() < 1e-9, "{cl} {}", fit["units"]["cl"]);
}

#[test]
fn one_wild_level_does_not_carry_a_robust_fit_away() {
    let rows =
        "40,s_ketamine,79,ng/mL\n80,s_ketamine,110,ng/mL\n120,s_ketamine,29,ng/mL\n240,s_ketamine,17,ng/mL\n";
    let [plain, robust] =
        [&[][..], &["--robust"]].map(|more| fitted(rows, more)["eta"]["v1"].as_f64().expect("eta").abs());
    assert!(robust < plain, "{robust} and {plain}");
}

#[test]
fn doubts_are_written_down() {
    let told = |fit: &Value| fit["warnings"].to_string();
    let missing = fitted("40,cp,80,ng/mL\n", &[]);
    assert!(told(&missing).contains("the age is missing"), "{missing}");
    assert!(told(&missing).contains("vnk"), "{missing}");
    let old = fitted("40,ketamine,80,mcg/L\n", &["--age", "80 a"]);
    assert!(told(&old).contains("age 80 years, valid 18 to 65"), "{old}");
    assert!(!told(&old).contains("outside the population"), "{old}");
    let many = (40..60).map(|at| format!("{at},cp,9000,ng/mL\n")).collect::<String>();
    assert!(told(&fitted(&many, &[])).contains("this person lies outside the population"));
}

#[test]
fn without_levels_the_draws_are_those_of_the_population() {
    let fit = fitted(SAYS_NOTHING, &["--posterior", "4000", "--at", "40,80"]);
    let drawn = &fit["posterior"];
    let effective = drawn["effective"].as_f64().expect("a number");
    assert!(effective > 1000.0 && drawn["draws"] == 4000, "{effective}");
    for (i, name) in NAMES.iter().enumerate() {
        let of = |word: &str| drawn["eta"][name][word].as_f64().expect("a number");
        let (sd, error) = (SPREAD[i][i].sqrt(), 4.0 / effective.sqrt());
        assert!(of("mean").abs() < error * sd && (of("sd") / sd - 1.0).abs() < error, "{name}: {drawn}");
        assert!((of("p95") / sd - 1.6449).abs() < 3.0 * error, "{name}: {drawn}");
    }
    // The band of the S half that is known for this population: 57.4, 78.8, 102.6.
    assert_eq!(drawn["cp_ng_ml"][0]["time_min"], 40.0);
    for (word, expected) in [("p5", 57.4), ("p50", 78.8), ("p95", 102.6)] {
        let found = drawn["cp_ng_ml"][0][word].as_f64().expect("a level");
        assert!((found / expected - 1.0).abs() < 0.03, "{word}: {found}");
    }
    let file = Written::new("few.csv", "time_min,analyte,value,unit\n40,cp,80,ng/mL\n");
    let asked =
        [&["fit"], &OTTO[..], &DOSE[..], &["--observations", file.path(), "--posterior", "50"]].concat();
    let (code, told) = refusal(&asked);
    assert!(code == 2 && told.contains("--posterior") && told.contains("draws is 50"), "{code} {told}");
    let few = fitted("40,cp,80,ng/mL\n", &["--posterior", "150"]);
    assert!(few["warnings"].to_string().contains("150 draws are worth only"), "{few}");
}

#[test]
fn occasions_are_fitted_where_a_source_has_their_spread() {
    // Half an hour after each infusion began, once much more and once much less metabolite than the typical person has.
    let more = ["--dose", "20 mg over 20 min", "--substance", "esketamine", "--at", "30", "--format", "csv"];
    let typical = answer(&[&["simulate", "--model", "simons2022", "--weight", "70 kg"], &more[..]].concat());
    let typical = super::column(&typical, "s_norketamine_ng_ml")[0];
    let row = |time: u32, factor: f64| format!("{time},s_norketamine,{},ng/mL\n", typical * factor);
    let rows = format!("time_min,analyte,value,unit\n{}{}", row(30, 3.0), row(1470, 0.3));
    let file = Written::new("occasions.csv", &rows);
    let base = ["--weight", "70 kg", "--age", "25 a", "--observations", file.path(), "--occasions", "0,1440"];
    let dose = ["--dose", "20 mg over 20 min every 1440 min 2 times", "--substance", "esketamine"];
    let simons = answer(&[&["fit", "--model", "simons2022"], &base[..], &dose].concat());
    let fit: Value = serde_json::from_str(&simons).expect("JSON");
    let delays = [0, 1].map(|place| fit["occasions"][place]["mtt_k_nk"].as_f64().expect("an eta"));
    // Much metabolite so early comes of a short way, little of a long one.
    assert!(delays[0] < 0.0 && delays[1] > 0.0, "{fit}");
    let (code, told) = refusal(&[&["fit", "--model", "otto2021_fanta2015"], &base[..], &dose].concat());
    assert!(code == 2 && told.contains("--occasions"), "{code} {told}");
}

#[test]
fn bad_input_names_the_argument_and_blood_of_another_site_is_refused() {
    let refused = |rows: &str, more: &[&str]| {
        let file = Written::new(&format!("bad-fit{}-{}.csv", rows.len(), more.len()), rows);
        refusal(&[&["fit", "--dose", "35 mg over 40 min", "--observations", file.path()], more].concat())
    };
    let head = "time_min,analyte,value,unit\n";
    for (row, why) in [
        ("40,s_ketamine,80,nmol\n", "`nmol`"),
        ("40,s_ketamine,80\n", "3 cells"),
        ("40,ketamine,80,ng/mL\n", "no analyte `ketamine`"),
        ("40,s_ketamine,-8,ng/mL\n", "below 0"),
        ("NaN,s_ketamine,8,ng/mL\n", "finite"),
        ("40,s_ketamine,,ng/mL\n", "not a number"),
        ("40,s_ketamine,<0,ng/mL\n", "line 2: 0 is not above 0"),
        ("", "it has no row below its first line"),
        (
            "0,s_ketamine,5,ng/mL\n\n40,s_ketamine,80,ng/mL\n",
            "line 2: s_ketamine 5 ng/mL at 0 min: the model has no drug",
        ),
        (
            "40,s_ketamine,80,ng/mL\n\n20,s_ketamine,50,ng/mL\n",
            "line 4: 20 min of s_ketamine comes after 40 min",
        ),
        ("40,s_ketamine,80,ng/mL\n60,s_ketamine,0,ng/mL\n", "line 3: s_ketamine 0 ng/mL at 60 min: an assay"),
    ] {
        let (code, told) = refused(&format!("{head}{row}"), &OTTO);
        assert!(code == 2 && told.contains("--observations") && told.contains(why), "{row}: {code} {told}");
        let posterior = [&OTTO[..], &["--posterior", "200"]].concat();
        let (code, told) = refused(&format!("{head}{row}"), &posterior);
        assert!(code == 2 && told.contains("--observations") && told.contains(why), "{row}: {code} {told}");
    }
    let row = format!("{head}40,ketamine,180,ng/mL\n");
    let (code, told) = refused(&row, &["--model", "kamp_meta2020", "--weight", "70 kg", "--site", "venous"]);
    assert!(code == 3 && told.contains("--site venous"), "{code} {told}");
    let (code, told) = refused(&row, &["--model", "domino", "--weight", "70 kg"]);
    assert!(code == 2 && told.contains("--model") && told.contains("no spread"), "{code} {told}");
    let (code, told) = refused(&row, &["--model", "kamp_meta2020", "--weight", "70 kg", "--posterior", "0"]);
    assert!(code == 2 && told.contains("--posterior: `0`"), "{code} {told}");
}

#[test]
fn a_level_far_from_the_fit_is_told_with_its_line_and_one_as_expected_is_not() {
    let rows = |last: f64| {
        let levels = [(20, 48.0), (40, 79.0), (60, 44.0), (80, 36.0), (120, last)];
        levels.map(|(at, level)| format!("{at},s_ketamine,{level},ng/mL\n")).concat()
    };
    let told = |fit: &Value| {
        let all = fit["warnings"].as_array().expect("warnings").clone();
        all.into_iter()
            .filter(|one| one.to_string().contains("standard deviations of the model's error"))
            .collect::<Vec<_>>()
    };
    assert_eq!(told(&fitted(&rows(29.0), &[])), Vec::<Value>::new());
    let odd = fitted(&rows(2.9), &[]);
    let [told] = told(&odd).try_into().expect("one level");
    assert!(
        told.as_str().expect("words").starts_with("line 6: s_ketamine 2.9 ng/mL at 120 min lies"),
        "{told}"
    );
    let last = &odd["explained"][4];
    assert_eq!(last["time_min"], 120.0);
    let (f, away) =
        (last["fitted_ng_ml"].as_f64().expect("a level"), last["deviation"].as_f64().expect("a number"));
    // The weighted residual by hand, with the printed error.
    assert!((away - (2.9 - f) / (0.23609 * f)).abs() < 1e-9 && away < -3.0, "{last}");
}

#[test]
fn several_analytes_may_stand_one_after_the_other() {
    let rows = "40,cp,80,ng/mL\n80,cp,36,ng/mL\n40,s_norketamine,20,ng/mL\n80,s_norketamine,30,ng/mL\n";
    assert_eq!(fitted(rows, &[])["observations"], 4);
    assert_eq!(
        fitted("0,cp,0,ng/mL\n40,cp,80,ng/mL\n", &[])["observations"],
        2,
        "before the first dose 0 is known"
    );
}

#[test]
fn rows_say_their_site_and_two_sites_never_mix() {
    let run = |rows: &str, more: &[&str]| {
        let file = Written::new(
            &format!("sites{}-{}.csv", rows.len(), more.len()),
            &format!("time_min,analyte,value,unit,site\n{rows}"),
        );
        let base = ["fit", "--dose", "35 mg over 40 min", "--observations", file.path()];
        chairside(&[&base[..], &OTTO, more].concat())
    };
    let (venous, arterial) = ("40,s_ketamine,80,ng/mL,venous\n", "60,s_ketamine,80,ng/mL,arterial\n");
    let both = run(&format!("{venous}{arterial}"), &[]);
    let told = String::from_utf8_lossy(&both.stderr);
    assert!(
        both.status.code() == Some(3) && told.contains("line 3 is arterial blood and others are venous"),
        "{told}"
    );
    let other = run(arterial, &[]);
    assert!(
        other.status.code() == Some(3)
            && String::from_utf8_lossy(&other.stderr).contains("describes venous blood")
    );
    let against = run(venous, &["--site", "arterial"]);
    assert_eq!(against.status.code(), Some(3));
    let half = run(&format!("{venous}80,s_ketamine,40,ng/mL,\n"), &[]);
    let told = String::from_utf8_lossy(&half.stderr);
    assert!(half.status.code() == Some(2) && told.contains("line 3: it does not say the site"), "{told}");
    let unknown = run("40,s_ketamine,80,ng/mL,capillary\n", &[]);
    assert!(
        unknown.status.code() == Some(2) && String::from_utf8_lossy(&unknown.stderr).contains("`capillary`")
    );
    for (rows, is_told) in [(venous, false), ("40,s_ketamine,80,ng/mL,\n", true)] {
        let fit = String::from_utf8(run(rows, &[]).stdout).expect("text");
        assert_eq!(fit.contains("the blood is taken to be venous"), is_told, "{fit}");
    }
}

/// At this optimum the curvature says that clearance keeps more than the spread of the population, and yet it moved.
#[test]
fn a_parameter_that_moved_is_not_called_uninformed() {
    let file = Written::new("unsure.csv", "time_min,analyte,value,unit\n5,cp,400,ng/mL\n");
    let base = ["fit", "--model", "kamp_meta2020", "--weight", "70 kg", "--age", "40 a"];
    let given = ["--dose", "0.5 mg/kg over 40 min", "--site", "arterial", "--observations", file.path()];
    let fit: Value = serde_json::from_str(&answer(&[&base[..], &given].concat())).expect("JSON");
    let warnings = fit["warnings"].to_string();
    for (place, name) in fit["covariance_of"].as_array().expect("names").iter().enumerate() {
        let name = name.as_str().expect("a name");
        let said = warnings.contains(&format!("say nothing about {name}:"));
        let eta = fit["eta"][name].as_f64().expect("an eta");
        let sd = fit["covariance"][place][place].as_f64().expect("a variance").sqrt();
        assert!(!said || eta.abs() < 0.1 * sd / 0.99, "{name} {eta} {sd}: {warnings}");
    }
    assert!(warnings.contains("the levels moved"), "{fit}");
    assert!(warnings.contains("spread of kamp_meta2020 is an assumption, and so is the error"), "{warnings}");
}

/// A column that says where blood was drawn, by any name that is known, is never passed over.
#[test]
fn no_column_of_levels_is_left_out_in_silence() {
    for (command, who, head, row) in [
        ("fit", "", "time_min,analyte,value,unit", "40,cp,180,ng/mL"),
        ("vpc", "1,", "id,time_min,value,unit,WEIGHT_KG", "40,180,ng/mL,70"),
    ] {
        let run = |column: &str, cell: &str, more: &[&str]| {
            let name = format!("column-{command}-{column}-{}.csv", more.len());
            let file = Written::new(&name, &format!("{head},{column}\n{who}{row},{cell}\n"));
            let of = if command == "fit" { "--observations" } else { "--study" };
            let base = [command, "--model", "clements250", "--dose", "35 mg over 40 min", of, file.path()];
            let body: &[&str] =
                if command == "fit" { &["--weight", "70 kg"] } else { &["--bins", "30", "--copies", "50"] };
            let output = chairside(&[&base[..], body, more].concat());
            (output.status.code(), String::from_utf8(output.stderr).expect("text"))
        };
        for column in ["site", "Site", "sampling_site", "SAMPLING_SITE"] {
            let (code, told) = run(column, "Arterial", &[]);
            assert!(code == Some(3) && told.contains("describes venous blood"), "{command} {column}: {told}");
            assert_eq!(run(column, "arterial", &["--site", "venous"]).0, Some(3), "{command} {column}");
            assert_ne!(run(column, "venous", &[]).0, Some(3), "{command} {column}");
        }
        let (code, told) = run("drawn_from", "arterial", &[]);
        let why = "the column `drawn_from`, which is not known";
        assert!(code == Some(2) && told.contains(why), "{command}: {told}");
        let both = run("site,sampling_site", "venous,venous", &[]);
        assert!(both.0 == Some(2) && both.1.contains("the column site 2 times"), "{command}: {}", both.1);
    }
}

/// The picture of a fit passes through every time at which something was measured, and the peak of each infusion.
#[test]
fn a_picture_and_a_posterior_of_two_weeks_have_every_peak_and_no_limit_drawn_as_a_level() {
    let rows = "time_min,analyte,value,unit\n40,cp,180,ng/mL\n8680.5,cp,170,ng/mL\n14000,cp,<2,ng/mL\n";
    let levels = Written::new("two-weeks.csv", rows);
    let picture = Written::new("two-weeks.svg", "");
    let base =
        ["fit", "--model", "kamp_meta2020", "--weight", "70 kg", "--age", "40 a", "--site", "arterial"];
    let given = ["--dose", "0.5 mg/kg over 40 min every 2880 min 6 times", "--observations", levels.path()];
    let more = ["--posterior", "200", "--plot", picture.path()];
    let fit: Value = serde_json::from_str(&answer(&[&base[..], &given, &more].concat())).expect("JSON");
    let drawn = fit["posterior"]["cp_ng_ml"].as_array().expect("levels");
    let at: Vec<f64> = drawn.iter().filter_map(|row| row["time_min"].as_f64()).collect();
    for infusion in 0..6 {
        let end = 40.0 + 2880.0 * f64::from(infusion);
        assert!(at.contains(&end), "the end of an infusion at {end}");
    }
    assert!(at.contains(&8680.5), "what was measured");
    let svg = std::fs::read_to_string(picture.path()).expect("a picture");
    let label = svg.split("aria-label=\"").nth(1).expect("words");
    assert!(label.contains("3 measured, 1 of them below the limit of quantification"), "{label}");
    assert!(svg.contains(">below the limit of quantification</text>"), "a legend");
    // The typical person, by the closed form on times of one's own.
    let alone = ["--weight", "70 kg", "--age", "40 a", "--dose", "0.5 mg/kg over 40 min", "--at", "40"];
    let first = ["simulate", "--model", "kamp_meta2020", "--format", "csv"];
    let top = column(&answer(&[&first[..], &alone].concat()), "cp_ng_ml")[0];
    let said = label.split("typical person, arterial plasma: highest ").nth(1).expect("a peak");
    let said: f64 = said.split(' ').next().expect("a number").parse().expect("a number");
    assert!(said >= 0.99 * top, "{said} and {top}");
}
