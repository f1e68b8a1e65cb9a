//! `chairside simulate`.

use super::{Written, answer, assert_same, chairside, column, csv, refusal};
use clinic::knowledge::Knowledge;

/// Two and three compartments, and a chain of metabolites.
const MODELS: [&str; 3] = ["clements250", "kamp_meta2020", "simons2022"];

fn simulated(model: &str, more: &[&str]) -> String {
    let first =
        ["simulate", "--model", model, "--weight", "70 kg", "--format", "csv", "--ke0", "0.0835117 /min"];
    answer(&[&first, more].concat())
}

fn levels(model: &str, doses: &[&str], at: &str) -> Vec<f64> {
    let doses: Vec<&str> = doses.iter().flat_map(|dose| ["--dose", *dose]).collect();
    let text = simulated(model, &[&doses[..], &["--at", at]].concat());
    ["cp_ng_ml", "ce_ng_ml"].map(|name| column(&text, name)).concat()
}

/// Simpson's rule over evenly spaced levels.
fn area(levels: &[f64], step: f64) -> f64 {
    let pairs = levels.windows(3).step_by(2).map(|w| w[0] + 4.0 * w[1] + w[2]);
    pairs.sum::<f64>() * step / 3.0
}

#[test]
fn the_area_is_the_dose_over_the_clearance() {
    // Clearance in L/min for 70 kg, as each source prints it.
    let clearances = [
        ("kamp_meta2020", 84.0 / 60.0),
        ("domino", 0.063 * 70.0 * 0.438),
        ("clements250", 1.7522 * 70.0 * 0.0109),
        ("hijazi", 1.08 * 70.0 * 0.0333),
    ];
    for (model, clearance) in clearances {
        let at = |grid| column(&simulated(model, &["--dose", "35 mg over 40 min", "--at", grid]), "cp_ng_ml");
        let found = area(&at("0:200:0.05"), 0.05) + area(&at("200:20000:0.5"), 0.5);
        let expected = 35.0 / clearance * 1000.0;
        assert!((found / expected - 1.0).abs() < 1e-6, "{model}: {found} and {expected}");
    }
}

#[test]
fn doses_superpose_in_every_form() {
    let doses = [
        "0.25 mg/kg bolus at 3 min",
        "20 mg over 40 min at 10 min",
        "0.3 mg/kg/h for 30 min",
        "0.2 mg/min for 15 min at 50 min",
    ];
    for model in MODELS {
        let alone = doses.map(|dose| levels(model, &[dose], "0:240:1"));
        let summed: Vec<f64> = (0..alone[0].len()).map(|i| alone.iter().map(|one| one[i]).sum()).collect();
        assert_same(&levels(model, &doses, "0:240:1"), &summed, 1e-12);
    }
}

#[test]
fn splitting_an_infusion_changes_nothing() {
    for model in MODELS {
        let whole = levels(model, &["0.5 mg/kg over 40 min"], "0:240:1");
        let parts = ["0.2 mg/kg over 16 min", "0.3 mg/kg over 24 min at 16 min"];
        assert_same(&levels(model, &parts, "0:240:1"), &whole, 1e-12);
        assert_same(&levels(model, &["0.75 mg/kg/h for 40 min"], "0:240:1"), &whole, 1e-12);
        assert_same(&levels(model, &["0.875 mg/min for 40 min"], "0:240:1"), &whole, 1e-12);
    }
}

#[test]
fn a_file_gives_what_typed_doses_give() {
    let file = Written::new(
        "doses.csv",
        "start_min,duration_min,amount_mg\r\n0,40,35\r\n\r\n20,0,10\r\n20,30,5\r\n",
    );
    let typed = levels(
        "simons2022",
        &["35 mg over 40 min", "10 mg bolus at 20 min", "5 mg over 30 min at 20 min"],
        "0:120:1",
    );
    let text = simulated("simons2022", &["--dose-file", file.path(), "--at", "0:120:1"]);
    assert_eq!(["cp_ng_ml", "ce_ng_ml"].map(|name| column(&text, name)).concat(), typed);
}

#[test]
fn a_course_is_the_sum_of_its_infusions_overlapping_or_not() {
    for model in MODELS {
        let course = levels(model, &["0.5 mg/kg over 40 min every 30 min 3 times"], "0:240:1");
        let typed =
            ["0.5 mg/kg over 40 min", "0.5 mg/kg over 40 min at 30 min", "0.5 mg/kg over 40 min at 60 min"];
        assert_same(&course, &levels(model, &typed, "0:240:1"), 1e-12);
    }
}

#[test]
fn the_row_of_a_bolus_is_after_it() {
    let found = levels("kamp_meta2020", &["25 mg bolus at 10 min"], "0,10");
    // 25 mg in 25 L; the effect site has not moved.
    assert_eq!(found, [0.0, 1000.0, 0.0, 0.0]);
}

#[test]
fn times_are_a_grid_a_list_or_a_file() {
    let file = Written::new("times", "0\n0.1\n\n0.2\n0.3\n");
    let at = |at: &str| simulated("domino", &["--dose", "1 mg bolus", "--at", at]);
    assert_eq!(at("0:0.3:0.1"), at("0,0.1,0.2,0.3"));
    assert_eq!(at(&format!("@{}", file.path())), at("0:0.3:0.1"));
    assert_eq!(column(&at("0:0.35:0.1"), "time_min"), [0.0, 0.1, 0.2, 0.3]);
}

#[test]
fn columns_have_their_names_and_numbers_read_back() {
    let text =
        simulated("simons2022", &["--dose", "20 mg over 20 min", "--substance", "esketamine", "--at", "20"]);
    let (head, rows) = csv(&text);
    let names = ["time_min", "cp_ng_ml", "ce_ng_ml", "s_norketamine_ng_ml", "s_hydroxynorketamine_ng_ml"];
    assert_eq!(head, names);
    let knowledge = Knowledge::shipped().expect("it holds");
    let model = knowledge.pk_models.get("simons2022").expect("shipped").model().expect("it fits");
    let body = pkpd::Body { weight: pkpd::Kg(70.0), age: None };
    let dose = pkpd::Dose::over(pkpd::Mg(20.0), pkpd::Minutes(20.0), pkpd::Minutes(0.0));
    let schedule = pkpd::Schedule::new([dose]).expect("a dose");
    let course = model.typical(body).expect("a person").course(&schedule, None, &[pkpd::Minutes(20.0)]);
    let course = course.expect("a time");
    let printed = |place: usize| rows[0][place].parse::<f64>().expect("a number");
    assert_eq!(printed(1), course.plasma[0].0);
    assert_eq!(printed(3), course.metabolites[0].1[0].0);
    assert_eq!(printed(4), course.metabolites[1].1[0].0);
}

/// Ends of infusion and peaks at the effect site as the reference of the models prints them, 70 kg.
#[test]
fn printed_numbers_come_out() {
    let end = |model, dose, substance| {
        let more =
            ["--dose", dose, "--substance", substance, "--at", dose.rsplit(' ').nth(1).expect("a length")];
        column(&simulated(model, &more), "cp_ng_ml")[0]
    };
    // 0.5 mg/kg of the racemate over 40 min; the models of S give half of what is printed for both halves.
    for (model, printed, share) in [
        ("domino", 240.0, 1.0),
        ("kamp_meta2020", 253.0, 1.0),
        ("clements250", 177.0, 1.0),
        ("simons2022", 289.0, 0.5),
        ("otto2021_fanta2015", 158.0, 0.5),
    ] {
        let found = end(model, "0.5 mg/kg over 40 min", "ketamine") / share;
        assert!((found - printed).abs() <= 0.5, "{model}: {found} and {printed}");
    }
    for (model, printed) in [("kamp_meta2020", 227.0), ("simons2022", 268.0), ("otto2021_fanta2015", 112.0)] {
        let found = end(model, "20 mg over 20 min", "esketamine");
        assert!((found - printed).abs() <= 0.5, "{model}: {found} and {printed}");
    }
    for (model, minute, height) in [("domino", 3.07, 11.03), ("kamp_meta2020", 8.24, 9.00)] {
        let text = simulated(model, &["--dose", "1 mg bolus at 0 min", "--at", "0:20:0.01"]);
        let levels = column(&text, "ce_ng_ml");
        let (place, top) = levels.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).expect("levels");
        assert!((top - height).abs() <= 0.005, "{model}: {top}");
        assert!((place as f64 * 0.01 - minute).abs() <= 0.015, "{model}: {place}");
    }
}

#[test]
fn outside_validity_is_said_and_marked_and_inside_is_not() {
    let run = |weight: &str, dose: &str| {
        let output = chairside(&[
            "simulate",
            "--model",
            "kamp_meta2020",
            "--weight",
            weight,
            "--dose",
            dose,
            "--at",
            "0,40",
            "--format",
            "csv",
        ]);
        assert_eq!(output.status.code(), Some(0));
        (String::from_utf8(output.stdout).expect("text"), String::from_utf8(output.stderr).expect("text"))
    };
    let (inside, quiet) = run("70 kg", "0.5 mg/kg over 40 min");
    assert!(!inside.contains("outside") && quiet.is_empty(), "{quiet}");
    let (outside, told) = run("150 kg", "0.5 mg/kg over 40 min");
    assert!(told.contains("weight 150 kg, valid 45 to 120 kg"), "{told}");
    assert_eq!(column(&outside, "outside_validity"), [1.0, 1.0]);
    let (_, told) = run("70 kg", "0.1 mg/kg/h for 300 min");
    assert!(told.contains("300 min long, valid up to 240 min"), "{told}");
    // 3 mg/kg in all, and never more than 0.5 of it in the body: a course twice a week, and one on other days.
    for every in ["5040", "2880"] {
        let dose = format!("0.5 mg/kg over 40 min every {every} min 6 times");
        let (course, quiet) = run("70 kg", &dose);
        assert!(!course.contains("outside") && quiet.is_empty(), "{quiet}");
    }
    let (_, told) = run("70 kg", "0.5 mg/kg over 40 min every 180 min 6 times");
    assert!(told.contains("dose 3.00 mg/kg, valid up to 2 mg/kg") && told.contains("940 min long"), "{told}");
}

#[test]
fn a_model_of_the_s_half_says_so() {
    let output = chairside(&[
        "simulate",
        "--model",
        "otto2021_fanta2015",
        "--weight",
        "70 kg",
        "--dose",
        "35 mg over 40 min",
        "--at",
        "40",
        "--format",
        "csv",
    ]);
    let told = String::from_utf8(output.stderr).expect("text");
    assert!(told.contains("half of the racemate") && told.contains("without --ke0"), "{told}");
    let half = column(&String::from_utf8(output.stdout).expect("text"), "cp_ng_ml");
    let s = simulated(
        "otto2021_fanta2015",
        &["--dose", "17.5 mg over 40 min", "--substance", "esketamine", "--at", "40"],
    );
    assert_eq!(half, column(&s, "cp_ng_ml"));
}

#[test]
fn bad_input_names_the_argument_and_what_is_accepted() {
    let refused = |arguments: &[&str], field: &str, why: &str| {
        let (code, told) = refusal(&[&["simulate"], arguments].concat());
        assert_eq!(code, 2, "{arguments:?}: {told}");
        assert!(
            told.contains(field) && told.contains(why) && told.contains("Accepted is"),
            "{arguments:?}: {told}"
        );
    };
    let with = |model: &'static str, weight: &'static str, dose: &'static str, at: &'static str| {
        ["--model", model, "--weight", weight, "--dose", dose, "--at", at]
    };
    let (model, weight, dose) = ("kamp_meta2020", "70 kg", "0.5 mg/kg over 40 min");
    refused(&with("kamp_meta", weight, dose, "0"), "--model", "there is kamp_meta2020");
    refused(&with("perezruixo2021", weight, dose, "0"), "--age", "missing");
    for (weight, why) in [
        ("70", "no unit"),
        ("70 lb", "`lb`"),
        ("0 kg", "not above 0"),
        ("-70 kg", "not above 0"),
        ("NaN kg", "finite"),
        ("", "one number"),
        ("1e9 kg", "accepted is 0.001 to 10000 kg"),
    ] {
        refused(&with(model, weight, dose, "0"), "--weight", why);
    }
    for (dose, why) in [
        ("0.5 over 40 min", "none of the forms"),
        ("0.5 mg/kg over 40", "not in min"),
        ("0.5 mcg/kg over 40 min", "`mcg/kg`"),
        ("0.5 mg/kg/min for 40 min", "`mg/kg/min`"),
        ("0.5 mg/kg over 0 min", "not above 0"),
        ("-0.5 mg/kg over 40 min", "below 0"),
        ("NaN mg bolus at 0 min", "finite"),
        ("10 mg bolus at inf min", "finite"),
        ("10 mg bolus at 3", "not in min"),
        ("50 mg/kg over 40 min", "at most 2 mg/kg"),
        ("200 mg bolus at 0 min", "at most 2 mg/kg"),
    ] {
        refused(&with(model, weight, dose, "0"), "--dose", why);
    }
    for (at, why) in [
        ("10,0", "comes after"),
        ("10,20,20", "20 min stands there twice"),
        ("0:10", "three numbers"),
        ("0:10:0", "not above 0"),
        ("10:0:1", "before it starts"),
        ("NaN", "finite"),
        ("0:9000000:1", "more than"),
        ("@no/such/file", "No such file"),
        ("1e300", "accepted is"),
    ] {
        refused(&with(model, weight, dose, at), "--at", why);
    }
    refused(&[&with(model, weight, dose, "0")[..], &["--ke0", "0.08"]].concat(), "--ke0", "no unit");
    refused(&["--model", model, "--weight", weight, "--at", "0"], "--dose", "nothing is given");
    for (text, why) in [
        ("start_min,amount_mg\n0,1\n", "no column duration_min"),
        ("start_min,duration_min,amount_mg\n0,40,-1\n", "line 2: -1 is below 0"),
        ("start_min,duration_min,amount_mg\n0,40\n", "line 2 has 2 cells"),
        ("start_min,duration_min,amount_mg\n", "no row below"),
    ] {
        let file = Written::new(&format!("bad{}.csv", text.len()), text);
        refused(
            &["--model", model, "--weight", weight, "--at", "0", "--dose-file", file.path()],
            "--dose-file",
            why,
        );
    }
}

#[test]
fn one_dose_beyond_the_range_is_refused_wherever_it_stands() {
    let head = "start_min,duration_min,amount_mg";
    let file = Written::new("much.csv", &format!("{head}\n0,0,35\n60,0,150\n"));
    for command in ["simulate", "population", "effects"] {
        let dose = ["--dose-file", file.path(), "--at", "0"];
        let n: &[&str] = if command == "population" { &["--n", "10"] } else { &[] };
        let asked = [&[command, "--model", "kamp_meta2020", "--weight", "70 kg"], &dose[..], n].concat();
        let (code, told) = refusal(&asked);
        assert!(code == 2 && told.contains("--dose-file: `150 mg from 60 min to 60 min`"), "{code} {told}");
        assert!(told.contains("was made for at most 2 mg/kg"), "{told}");
    }
}

#[test]
fn times_of_a_file_are_refused_with_their_line() {
    for (text, why) in [
        ("", "there is no time in it"),
        ("\n \n", "there is no time in it"),
        ("0\n\nten\n", "line 3: `ten` is not a number"),
        ("0\n20\n\n10\n", "line 4: 10 min comes after 20 min"),
        ("0\n0\n", "line 2: 0 min stands there twice"),
    ] {
        let file = Written::new(&format!("at{}", text.len()), text);
        let at = format!("@{}", file.path());
        let asked =
            ["simulate", "--model", "domino", "--weight", "70 kg", "--dose", "1 mg bolus", "--at", &at];
        let (code, told) = refusal(&asked);
        assert!(code == 2 && told.contains("--at") && told.contains(why), "{text:?}: {code} {told}");
    }
}

/// Its liver's flow falls with age and would be below 0.
#[test]
fn an_age_beyond_what_a_model_can_follow_is_refused_with_its_ages() {
    let asked =
        ["simulate", "--model", "perezruixo2021", "--weight", "70 kg", "--at", "0", "--dose", "28 mg bolus"];
    let (code, told) = refusal(&[&asked[..], &["--age", "130 a"]].concat());
    assert!(
        code == 2 && told.contains("--age") && told.contains("age is 130 a; accepted is 18 to "),
        "{told}"
    );
    let old = chairside(&[&asked[..], &["--age", "110 a"]].concat());
    assert_eq!(old.status.code(), Some(0), "outside its validity is told, not refused");
}

#[test]
fn a_constant_of_an_effect_site_that_nobody_measured_is_told() {
    let told = |model: &str| {
        let dose = ["--dose", "35 mg over 40 min", "--at", "40", "--ke0", "0.0835117 /min"];
        let output = chairside(&[&["simulate", "--model", model, "--weight", "70 kg"], &dose[..]].concat());
        assert_eq!(output.status.code(), Some(0));
        String::from_utf8(output.stderr).expect("text")
    };
    let venous = told("otto2021_fanta2015");
    assert!(
        venous.contains("--ke0 0.0835117 /min is used with venous blood") && venous.contains("has no source"),
        "{venous}"
    );
    assert!(!told("kamp_meta2020").contains("ke0") && !told("simons2022").contains("has no source"));
}

#[test]
fn a_bolus_a_short_infusion_and_two_sprays_at_once_are_marked_where_the_source_forbids_them() {
    let run = |model: &str, more: &[&str]| {
        let base = ["simulate", "--model", model, "--weight", "70 kg", "--age", "40 a", "--format", "csv"];
        let output = chairside(&[&base[..], more].concat());
        assert_eq!(output.status.code(), Some(0));
        (String::from_utf8(output.stdout).expect("text"), String::from_utf8(output.stderr).expect("text"))
    };
    let otto = |dose: &str, at: &str| run("otto2021_fanta2015", &["--dose", dose, "--at", at]);
    let (rows, told) = otto("7 mg bolus at 10 min", "0,10,14,15,40");
    assert_eq!(column(&rows, "outside_validity"), [0.0, 1.0, 1.0, 0.0, 0.0]);
    assert!(told.contains("the first 5 min after a bolus mean nothing"), "{told}");
    let (rows, told) = otto("7 mg bolus at 10 min", "15,40");
    assert!(!rows.contains("outside_validity") && !told.contains("bolus mean"), "{told}");
    let (rows, told) = otto("7 mg over 5 min", "40");
    assert_eq!(column(&rows, "outside_validity"), [1.0]);
    assert!(told.contains("of 5.0 min, valid from 10 min on"), "{told}");
    assert!(!otto("7 mg over 10 min", "40").1.contains("outside the validity"));
    let spray =
        |dose: &str| run("perezruixo2021", &["--substance", "esketamine", "--dose", dose, "--at", "40"]).1;
    assert!(
        spray("56 mg bolus route intranasal").contains("56 mg intranasal in one dose, valid up to 28 mg")
    );
    assert!(!spray("28 mg bolus route intranasal").contains("in one dose"));
}

#[test]
fn a_model_of_children_without_an_age_is_told_and_marked() {
    let run = |more: &[&str]| {
        let base = ["simulate", "--model", "herd2007", "--weight", "20 kg", "--dose", "10 mg over 40 min"];
        let output = chairside(&[&base[..], &["--at", "40", "--format", "csv"], more].concat());
        let [out, told] = [output.stdout, output.stderr].map(|text| String::from_utf8(text).expect("text"));
        (out.contains("outside_validity"), told.contains("the age is missing"))
    };
    assert_eq!(run(&[]), (true, true));
    assert!(!run(&["--age", "8 a"]).1);
}

#[test]
fn arterial_and_venous_levels_stand_together_only_with_their_names() {
    let base = ["simulate", "--weight", "70 kg", "--dose", "35 mg over 40 min", "--at", "40", "--format"];
    let two = ["--model", "kamp_meta2020", "--model", "otto2021_fanta2015"];
    let output = chairside(&[&base[..], &["csv"], &two].concat());
    let told = String::from_utf8(output.stderr).expect("text");
    assert!(told.contains("levels of arterial and venous blood stand together"), "{told}");
    assert!(told.contains("levels of S half of the ketamine given and ketamine stand together"), "{told}");
    let (head, rows) = csv(&String::from_utf8(output.stdout).expect("text"));
    assert_eq!(head[head.len() - 2..], ["sampling_site", "levels_of"]);
    assert_eq!(rows[0][head.len() - 2..], ["arterial", "ketamine"]);
    assert_eq!(rows[1][head.len() - 2..], ["venous", "S half of the ketamine given"]);
    let one = answer(&[&base[..], &["csv", "--model", "kamp_meta2020"]].concat());
    assert_eq!(one.lines().next(), Some("time_min,cp_ng_ml,ce_ng_ml"), "one model keeps its columns");
}

/// However few times are asked for, the line of the picture has the peaks between them.
#[test]
fn a_picture_of_few_times_has_the_peak_between_them() {
    let picture = Written::new("few.svg", "");
    let base = ["simulate", "--model", "kamp_meta2020", "--weight", "70 kg", "--plot", picture.path()];
    let given = ["--dose", "0.5 mg/kg over 40 min every 2880 min 6 times"];
    answer(&[&base[..], &given, &["--at", "0:20160:336"]].concat());
    let svg = std::fs::read_to_string(picture.path()).expect("a picture");
    assert!(svg.contains("highest 25"), "{}", &svg[..600]);
    let levels = Written::new("leg.csv", "time_min,analyte,value,unit,site\n40,cp,180,ng/mL,arterial\n");
    let more = ["--at", "0:60:1", "--observations", levels.path(), "--site", "venous"];
    let (code, told) = refusal(&[&base[..], &given, &more].concat());
    assert!(
        code == 2 && told.contains("--site") && told.contains("line 2 of the levels is arterial"),
        "{told}"
    );
}

#[test]
fn a_vein_has_its_names() {
    let typed = levels("kamp_meta2020", &["35 mg over 40 min"], "40");
    for name in ["intravenous", "iv", "IV", "vein"] {
        assert_eq!(levels("kamp_meta2020", &[&format!("35 mg over 40 min route {name}")], "40"), typed);
    }
}
