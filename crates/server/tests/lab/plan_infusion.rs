//! `chairside plan-infusion`.

use super::{Written, answer, chairside, column, refusal};

const WHO: [&str; 7] = ["plan-infusion", "--weight", "70 kg", "--age", "40 a", "--format", "csv"];

fn plan(more: &[&str]) -> String {
    answer(&[&WHO, more].concat())
}

/// Levels every 10 s when the plan is given, with what was delivered before.
fn levels(model: &str, plan: &str, before: &[&str], output: &str) -> Vec<f64> {
    let file = Written::new(&format!("plan{}-{}.csv", model.len(), plan.len()), plan);
    let first = ["simulate", "--model", model, "--weight", "70 kg", "--at", "0:120:0.25", "--format", "csv"];
    let text = answer(&[&first[..], &["--dose-file", file.path()], before].concat());
    column(&text, output)
}

fn top(levels: &[f64]) -> f64 {
    levels.iter().copied().fold(0.0, f64::max)
}

#[test]
fn the_plan_reaches_the_target_and_never_passes_it() {
    let pump = [
        "--target",
        "100 ng/mL",
        "--until",
        "60 min",
        "--rate-max",
        "1200 mL/h",
        "--resolution",
        "0.1 mL/h",
        "--concentration",
        "2 mg/mL",
    ];
    let plan = plan(&[&["--model", "kamp_meta2020"], &pump[..]].concat());
    let effect = levels("kamp_meta2020", &plan, &[], "ce_ng_ml");
    // It looks every 10 s; between two looks a peak is higher by less than 1 in 10,000.
    assert!(top(&effect) <= 100.0 * 1.0001, "{}", top(&effect));
    assert!(effect[15 * 4..=60 * 4].iter().all(|level| *level > 98.0));
    for rate in column(&plan, "rate_ml_h") {
        assert!((rate * 10.0 - (rate * 10.0).round()).abs() < 1e-6 && rate <= 1200.0, "{rate}");
    }
}

/// Replayed as its CSV has it, looked at much more often than the plan looks.
#[test]
fn no_replayed_plan_passes_its_target() {
    let base =
        ["--model", "kamp_meta2020", "--target", "100 ng/mL", "--until", "60 min", "--rate-max", "20 mg/min"];
    let ways: [&[&str]; 4] =
        [&[], &["--one-rate"], &["--switch", "10 min"], &["--one-rate", "--aim", "plasma"]];
    for way in ways {
        let plan = plan(&[&base[..], way].concat());
        let file = Written::new(&format!("exact{}.csv", way.concat().len()), &plan);
        let asked = ["simulate", "--model", "kamp_meta2020", "--weight", "70 kg", "--at", "0:100:0.005"];
        let text = answer(&[&asked[..], &["--format", "csv", "--dose-file", file.path()]].concat());
        let output = if way.contains(&"plasma") { "cp_ng_ml" } else { "ce_ng_ml" };
        let top = top(&column(&text, output));
        assert!(top <= 100.0 && top > 99.99, "{way:?}: {top}");
    }
}

#[test]
fn what_still_runs_when_the_plan_begins_stops_there_and_that_is_told() {
    let base = [
        "--model",
        "kamp_meta2020",
        "--target",
        "400 ng/mL",
        "--until",
        "60 min",
        "--rate-max",
        "20 mg/min",
        "--now",
        "10 min",
    ];
    let told = |dose: &str| {
        let output = chairside(&[&WHO, &base[..], &["--dose", dose]].concat());
        assert_eq!(output.status.code(), Some(0));
        String::from_utf8(output.stderr).expect("text")
    };
    let cut = told("70 mg over 20 min");
    assert!(cut.contains("stops at 10 min") && cut.contains("35.000 mg counted, 35.000 mg not"), "{cut}");
    assert!(told("7 mg bolus at 12 min").contains("0.000 mg counted, 7.000 mg not"));
    assert!(!told("35 mg over 10 min").contains("counted"));
}

#[test]
fn after_a_stop_the_plan_counts_what_was_delivered() {
    let before = ["--dose", "10 mg over 10 min", "--dose", "2 mg bolus at 2 min"];
    let more = [
        "--model",
        "kamp_meta2020",
        "--target",
        "150 ng/mL",
        "--now",
        "20 min",
        "--until",
        "60 min",
        "--rate-max",
        "20 mg/min",
    ];
    let plan = plan(&[&more[..], &before].concat());
    assert_eq!(column(&plan, "start_min")[0], 20.0);
    let effect = levels("kamp_meta2020", &plan, &before, "ce_ng_ml");
    assert!(top(&effect[80..]) <= 150.0 * 1.0001, "{}", top(&effect[80..]));
    assert!(effect[45 * 4] > 147.0, "{}", effect[45 * 4]);
}

#[test]
fn one_rate_meets_the_target_and_the_s_half_is_counted_as_half() {
    for model in ["kamp_meta2020", "otto2021_fanta2015"] {
        let more = [
            "--model",
            model,
            "--target",
            "80 ng/mL",
            "--until",
            "40 min",
            "--rate-max",
            "20 mg/min",
            "--aim",
            "plasma",
            "--one-rate",
        ];
        let plan = plan(&more);
        let plasma = levels(model, &plan, &[], "cp_ng_ml");
        assert!((top(&plasma) - 80.0).abs() < 0.01, "{model}: {}", top(&plasma));
    }
}

#[test]
fn two_rates_load_and_hold_and_a_rate_that_runs_is_lowered_no_more_than_it_must() {
    let base =
        ["--model", "kamp_meta2020", "--target", "120 ng/mL", "--until", "60 min", "--rate-max", "20 mg/min"];
    let step = ["--resolution", "0.1 mL/h", "--concentration", "2 mg/mL"];
    let two = plan(&[&base[..], &step, &["--switch", "10 min"]].concat());
    assert_eq!(column(&two, "start_min"), [0.0, 10.0]);
    for rate in column(&two, "rate_ml_h") {
        assert!((rate * 10.0 - (rate * 10.0).round()).abs() < 1e-6, "{rate}");
    }
    let effect = levels("kamp_meta2020", &two, &[], "ce_ng_ml");
    let least = |levels: &[f64]| levels[40..=240].iter().copied().fold(f64::INFINITY, f64::min);
    assert!(top(&effect) <= 120.0 * 1.0001, "{}", top(&effect));
    // One rate alone is still on its way at 10 min.
    let one = plan(&[&base[..], &["--one-rate"]].concat());
    let alone = least(&levels("kamp_meta2020", &one, &[], "ce_ng_ml"));
    assert!(least(&effect) > 1.2 * alone, "{} and {alone}", least(&effect));
    let keep = |running: &str| column(&plan(&[&base[..], &["--running", running]].concat()), "rate_mg_min");
    let highest = column(&one, "rate_mg_min");
    assert_eq!(keep("9 mg/min"), highest);
    assert_eq!(keep("0.25 mg/min"), [0.25]);
    for (more, field) in [
        (&["--switch", "60 min"][..], "--switch"),
        (&["--switch", "10 min", "--one-rate"], "--one-rate"),
        (&["--running", "5"], "--running"),
    ] {
        let (code, told) = refusal(&[&WHO, &base[..], more].concat());
        assert!(code == 2 && told.contains(field), "{more:?}: {code} {told}");
    }
}

#[test]
fn planning_refuses_what_simulation_only_warns_of() {
    let base = ["--model", "kamp_meta2020", "--until", "60 min", "--rate-max", "20 mg/min"];
    let refused = |weight: &str, more: &[&str], why: &str| {
        let who = ["plan-infusion", "--weight", weight, "--age", "40 a"];
        let (code, told) = refusal(&[&who, &base[..], more].concat());
        assert!(code == 3 && told.contains(why), "{more:?}: {code} {told}");
    };
    refused("150 kg", &["--target", "100 ng/mL"], "weight 150 kg, valid 45 to 120 kg");
    refused("70 kg", &["--target", "2000 ng/mL"], "valid up to 2 mg/kg");
    let late = ["--target", "50 ng/mL", "--dose", "100 mg bolus", "--now", "10 min", "--one-rate"];
    refused("70 kg", &late, "nothing more given");
    for (model, why) in [
        ("hijazi", "hijazi has the role not_for_clinic (sampling site unknown)"),
        (
            "clements250",
            "clements250 has the role research (sampling site venous): no infusion is planned by it",
        ),
        ("perezruixo2021", "perezruixo2021 has the role research"),
    ] {
        let other = ["plan-infusion", "--weight", "70 kg", "--age", "40 a", "--model", model];
        let plasma =
            ["--target", "100 ng/mL", "--aim", "plasma", "--until", "60 min", "--rate-max", "20 mg/min"];
        let (code, told) = refusal(&[&other[..], &plasma].concat());
        assert!(code == 3 && told.contains(why), "{code} {told}");
    }
}

#[test]
fn bad_input_names_the_argument() {
    let refused = |more: &[&str], field: &str| {
        let (code, told) = refusal(&[&WHO, more].concat());
        assert!(code == 2 && told.contains(field), "{more:?}: {code} {told}");
    };
    let with = |model: &'static str, target: &'static str, until: &'static str, rate: &'static str| {
        ["--model", model, "--target", target, "--until", until, "--rate-max", rate]
    };
    refused(&with("kamp_meta2020", "100", "60 min", "20 mg/min"), "--target");
    refused(&with("kamp_meta2020", "100 mg/kg", "60 min", "20 mg/min"), "--target");
    refused(&with("kamp_meta2020", "100 ng/mL", "0 min", "20 mg/min"), "--until");
    refused(&with("kamp_meta2020", "100 ng/mL", "200000 min", "20 mg/min"), "--interval");
    refused(&with("kamp_meta2020", "100 ng/mL", "60 min", "20 mL/h"), "--rate-max");
    refused(&with("kamp_meta2020", "100 ng/mL", "60 min", "-1 mg/min"), "--rate-max");
    refused(&with("otto2021_fanta2015", "100 ng/mL", "60 min", "20 mg/min"), "--ke0");
    refused(
        &[&with("kamp_meta2020", "100 ng/mL", "60 min", "20 mg/min")[..], &["--now", "70 min"]].concat(),
        "--until",
    );
}

/// The plan as JSON, with what is told beside it.
fn told_plan(more: &[&str]) -> (serde_json::Value, String) {
    let who = [
        "plan-infusion",
        "--model",
        "kamp_meta2020",
        "--weight",
        "70 kg",
        "--age",
        "40 a",
        "--format",
        "json",
    ];
    let output = chairside(&[&who[..], more].concat());
    let told = String::from_utf8(output.stderr).expect("text");
    assert_eq!(output.status.code(), Some(0), "{told}");
    (serde_json::from_slice(&output.stdout).expect("JSON"), told)
}

#[test]
fn every_plan_says_how_near_it_comes_and_warns_of_what_it_misses() {
    let to = ["--target", "100 ng/mL", "--until", "60 min"];
    let (late, slow, fast) =
        (["--now", "10 min"], ["--rate-max", "0.25 mg/min"], ["--rate-max", "20 mg/min"]);
    let too_much = ["--dose", "60 mg over 9 min"];
    let coarse = ["--switch", "5 min"];
    let warned = |parts: &[&[&str]]| {
        let told = told_plan(&[&[&to[..]], parts].concat().concat()).1;
        assert!(told.contains("level at the effect site is highest with"), "{told}");
        told
    };
    let good = warned(&[&fast]);
    assert!(good.contains("within 1 % of the target from") && !good.contains("warning"), "{good}");
    assert!(warned(&[&slow]).contains("warning: this plan does not reach its target of 100 ng/mL"));
    assert!(
        warned(&[&fast, &late, &too_much]).contains("warning: this plan passes its target of 100 ng/mL by")
    );
    assert!(warned(&[&fast, &coarse]).contains("warning: this plan does not hold its target"));
    let kept = warned(&[&fast, &["--running", "0.25 mg/min"]]);
    assert!(kept.contains("never within 1 % of the target") && !kept.contains("warning"), "{kept}");
}

/// Within a hundredth on both sides, and in the same time as the highest level.
#[test]
fn above_its_target_a_plan_is_not_there() {
    let base = ["--target", "100 ng/mL", "--rate-max", "10 mg/min"];
    let high = ["--now", "20 min", "--until", "30 min", "--dose", "35 mg over 20 min"];
    let (plan, told) = told_plan(&[&base[..], &high].concat());
    assert!(plan["greatest_ng_ml"].as_f64().is_some_and(|level| level > 120.0), "{plan}");
    let from = plan["at_target_from_min"].as_f64().expect("it falls to the target");
    assert!(from > 30.0 && told.contains("only after the plan"), "{told}");
    let (plan, told) = told_plan(&[&base[..], &["--until", "12 min", "--one-rate"]].concat());
    let near = plan["greatest_ng_ml"].as_f64().is_some_and(|level| level >= 99.0);
    assert!(near && !told.contains("never within"), "{told}");
}

/// The central volume of a venous model already holds what early blood does not.
#[test]
fn a_venous_model_plans_no_bolus() {
    let base =
        ["--model", "otto2021_fanta2015", "--target", "90 ng/mL", "--until", "40 min", "--aim", "plasma"];
    let (code, told) = refusal(&[&WHO, &base[..], &["--rate-max", "40 mg/min"]].concat());
    assert!(code == 3 && told.contains("of 1.0 min, valid from 10 min on"), "{code} {told}");
    let slow = plan(&[&base[..], &["--rate-max", "40 mg/min", "--interval", "10 min"]].concat());
    assert!(column(&slow, "duration_min").iter().all(|length| *length >= 10.0), "{slow}");
    // What was pushed just before is still too fresh, later it is not.
    let after = |now: &str| {
        let push = ["--rate-max", "40 mg/min", "--interval", "10 min", "--dose", "2 mg bolus", "--now", now];
        chairside(&[&WHO, &base[..], &push].concat())
    };
    let fresh = after("3 min");
    assert_eq!(fresh.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&fresh.stderr).contains("the first 5 min after a bolus mean nothing"));
    assert_eq!(after("6 min").status.code(), Some(0));
}

/// What a plan says of itself is what its replay shows.
#[test]
fn what_a_plan_says_is_what_a_simulation_of_it_shows() {
    let ways: [&[&str]; 3] = [&[], &["--one-rate"], &["--switch", "15 min"]];
    for way in ways {
        let base = [
            "--target",
            "100 ng/mL",
            "--until",
            "60 min",
            "--rate-max",
            "5 mg/min",
            "--resolution",
            "0.01 mg/min",
        ];
        let (plan, _) = told_plan(&[&base[..], way].concat());
        let rows = plan["rows"].as_array().expect("rows");
        let cell = |row: &serde_json::Value, name: &str| row[name].as_f64().expect("a number").to_string();
        let columns = ["start_min", "duration_min", "amount_mg"];
        let line = |row: &serde_json::Value| columns.map(|name| cell(row, name)).join(",");
        let text =
            format!("{}\n{}\n", columns.join(","), rows.iter().map(line).collect::<Vec<_>>().join("\n"));
        let effect = levels("kamp_meta2020", &text, &[], "ce_ng_ml");
        let greatest = plan["greatest_ng_ml"].as_f64().expect("a level");
        assert!((top(&effect) - greatest).abs() < 0.01, "{way:?}: {} and {greatest}", top(&effect));
        let below = effect[..=240].iter().filter(|level| **level < 99.0).count() as f64 / 4.0;
        let told = plan["below_target_for_min"].as_f64().expect("minutes");
        assert!((below - told).abs() <= 0.5, "{way:?}: {below} and {told}");
    }
}

/// Five times 0.5 mg/kg, two days apart, before the one that is planned.
#[test]
fn a_course_that_was_washed_out_does_not_stand_in_the_way_of_a_plan() {
    let wanted = ["--model", "kamp_meta2020", "--rate-max", "20 mg/min"];
    let next = ["--now", "14400 min", "--until", "14440 min"];
    let course = ["--dose", "0.5 mg/kg over 40 min every 2880 min 5 times", "--target", "100 ng/mL"];
    assert!(plan(&[&wanted[..], &next, &course].concat()).lines().count() > 1);
    let (code, told) = refusal(
        &[
            &WHO,
            &wanted[..],
            &["--now", "60 min", "--until", "120 min"],
            &["--dose", "1.9 mg/kg over 40 min", "--target", "900 ng/mL"],
        ]
        .concat(),
    );
    assert!(code == 3 && told.contains("valid up to 2 mg/kg"), "{code} {told}");
}

#[test]
fn a_constant_of_an_effect_site_that_nobody_measured_is_told() {
    let wanted =
        ["--target", "60 ng/mL", "--until", "60 min", "--rate-max", "20 mg/min", "--ke0", "0.0835117 /min"];
    let wanted = [&wanted[..], &["--interval", "10 min"]].concat();
    let told = |model: &str| {
        let output = chairside(&[&WHO, &["--model", model][..], &wanted].concat());
        assert_eq!(output.status.code(), Some(0));
        String::from_utf8(output.stderr).expect("text")
    };
    assert!(told("otto2021_fanta2015").contains("an effect site was measured with arterial blood only"));
    assert!(!told("kamp_meta2020").contains("was measured with"));
}

/// What is asked for and cannot be is refused by its own name, and nothing asked for is passed over.
#[test]
fn no_argument_of_a_plan_is_dropped_or_blamed_for_another() {
    let base = ["--model", "kamp_meta2020", "--target", "100 ng/mL", "--until", "60 min", "--rate-max"];
    let refused = |rate: &str, more: &[&str], told: &[&str]| {
        let (code, said) = refusal(&[&WHO, &base[..], &[rate], more].concat());
        assert!(code == 2 && told.iter().all(|word| said.contains(word)), "{more:?}: {code} {said}");
    };
    refused(
        "1 mg/min",
        &["--running", "2 mg/min"],
        &["--running", "the fastest rate of the pump is 1 mg/min"],
    );
    refused("1 mg/min", &["--resolution", "2 mg/min"], &["--resolution", "could not run at all"]);
    let before = ["--dose", "35 mg over 40 min", "--reset", "50 min", "--now", "60 min", "--until", "90 min"];
    let (code, said) = refusal(&[&WHO, &base[..4], &before, &["--rate-max", "5 mg/min"]].concat());
    assert!(code == 2 && said.contains("--reset") && said.contains("50 min"), "{code} {said}");
    refused("20 mg/min", &["--interval", "0.0001 min"], &["--interval: `0.0001 min`"]);
    refused("1e300 mg/min", &[], &["--rate-max"]);
    let far = [
        "--model",
        "kamp_meta2020",
        "--target",
        "1e300 ng/mL",
        "--until",
        "60 min",
        "--rate-max",
        "5 mg/min",
    ];
    let (code, said) = refusal(&[&WHO, &far[..]].concat());
    assert!(code == 2 && said.contains("--target"), "{code} {said}");
    // Half a step of the pump runs on where it may, and the beginning may be said.
    let kept = |more: &[&str]| column(&plan(&[&base[..], &["5 mg/min"], more].concat()), "rate_mg_min");
    assert_eq!(kept(&["--running", "0.25 mg/min", "--resolution", "0.1 mg/min", "--now", "0 min"]), [0.25]);
    let lowered = kept(&["--running", "4.05 mg/min", "--resolution", "0.1 mg/min"])[0];
    assert!(lowered < 4.0 && ((lowered * 10.0).round() / 10.0 - lowered).abs() < 1e-9, "{lowered}");
}
