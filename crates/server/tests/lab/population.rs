//! `chairside population`.

use super::{answer, chairside, csv, refusal};

fn percentiles(model: &str, more: &[&str]) -> Vec<Vec<String>> {
    let first = ["population", "--model", model, "--format", "csv"];
    let (head, rows) = csv(&answer(&[&first, more].concat()));
    assert_eq!(head[..7], ["time_min", "output", "p5", "p25", "p50", "p75", "p95"]);
    rows
}

fn number(cell: &str) -> f64 {
    cell.parse().expect("a number")
}

/// The 90 % band of the S half at 40 min, 17.5 mg over 40 min, by the spread that Otto printed.
#[test]
fn the_printed_spread_gives_the_known_band() {
    let rows =
        percentiles("otto2021_fanta2015", &["--n", "40000", "--dose", "35 mg over 40 min", "--at", "40"]);
    assert_eq!(rows.len(), 1, "no effect site is known for venous blood");
    for (place, expected, within) in [(2, 57.4, 0.5), (4, 78.8, 0.3), (6, 102.6, 0.7)] {
        assert!((number(&rows[0][place]) - expected).abs() <= within, "{rows:?}");
    }
}

#[test]
fn threads_change_no_byte_and_seeds_do() {
    let run = |seed, threads| {
        percentiles(
            "kamp_meta2020",
            &[
                "--n",
                "4000",
                "--seed",
                seed,
                "--threads",
                threads,
                "--dose",
                "0.5 mg/kg over 40 min",
                "--at",
                "0:120:40",
                "--assay",
            ],
        )
    };
    assert_eq!(run("1", "1"), run("1", "3"));
    assert_ne!(run("1", "1"), run("2", "1"));
}

#[test]
fn rows_go_by_time_and_percentiles_rise() {
    let rows =
        percentiles("kamp_meta2020", &["--n", "2000", "--dose", "0.5 mg/kg over 40 min", "--at", "20,40"]);
    let labels: Vec<_> = rows.iter().map(|row| (row[0].as_str(), row[1].as_str())).collect();
    assert_eq!(labels, [("20", "cp_ng_ml"), ("20", "ce_ng_ml"), ("40", "cp_ng_ml"), ("40", "ce_ng_ml")]);
    for row in &rows {
        assert!(row[2..7].windows(2).all(|pair| number(&pair[0]) < number(&pair[1])), "{row:?}");
    }
}

#[test]
fn each_layer_widens_the_band() {
    let width = |more: &[&str]| {
        let base = ["--n", "8000", "--dose", "0.5 mg/kg over 40 min", "--at", "40"];
        let rows = percentiles("otto2021_fanta2015", &[&base, more].concat());
        number(&rows[0][6]) / number(&rows[0][2])
    };
    let bodies = ["--weight", "75 kg", "--weight-spread", "0.25", "--age", "18 a", "--age-to", "65 a"];
    assert!(width(&[]) * 1.05 < width(&bodies));
    assert!(width(&[]) * 1.2 < width(&["--assay"]));
}

#[test]
fn bodies_outside_the_model_are_drawn_again_and_told() {
    let run = [
        "population",
        "--model",
        "otto2021_fanta2015",
        "--n",
        "2000",
        "--dose",
        "0.5 mg/kg over 40 min",
        "--at",
        "40",
        "--weight",
        "75 kg",
        "--weight-spread",
        "0.2",
        "--age",
        "18 a",
        "--age-to",
        "86 a",
    ];
    let told = String::from_utf8(chairside(&run).stderr).expect("text");
    assert!(told.contains("lay outside the validity of otto2021_fanta2015 and were drawn again"), "{told}");
    let told = String::from_utf8(
        chairside(&[
            "population",
            "--model",
            "kamp_meta2020",
            "--n",
            "10",
            "--dose",
            "0.5 mg/kg over 40 min",
            "--at",
            "40",
        ])
        .stderr,
    )
    .expect("text");
    assert!(told.contains("is an assumption"), "{told}");
}

#[test]
fn bad_input_names_the_argument() {
    let refused = |more: &[&str], field: &str| {
        let (code, told) = refusal(&[&["population"], more].concat());
        assert!(code == 2 && told.contains(field), "{more:?}: {code} {told}");
    };
    let dose = ["--dose", "0.5 mg/kg over 40 min", "--at", "40"];
    refused(&[&["--model", "kamp_meta2020", "--n", "0"], &dose[..]].concat(), "--n");
    refused(
        &[&["--model", "kamp_meta2020", "--n", "-5"], &dose[..]].concat(),
        "invalid value '-5' for '--n <COUNT>'",
    );
    refused(&[&["--model", "kamp_meta2020", "--n", "5", "--seed", "-1"], &dose[..]].concat(), "--seed");
    refused(&[&["--model", "domino", "--n", "10"], &dose[..]].concat(), "--weight");
    refused(
        &[
            &[
                "--model",
                "kamp_meta2020",
                "--n",
                "10",
                "--weight",
                "70 kg",
                "--weight-spread",
                "-1",
                "--age",
                "18 a",
                "--age-to",
                "60 a",
            ],
            &dose[..],
        ]
        .concat(),
        "--weight-spread: `-1` cannot be read",
    );
    let old = [
        "--model",
        "kamp_meta2020",
        "--n",
        "10",
        "--weight-spread",
        "0.2",
        "--age",
        "61 a",
        "--age-to",
        "60 a",
    ];
    refused(&[&old, &dose[..]].concat(), "--age: `61 a`");
    refused(
        &[
            &[
                "--model",
                "kamp_meta2020",
                "--n",
                "10",
                "--weight",
                "70 kg",
                "--weight-spread",
                "0.2",
                "--age-to",
                "60 a",
            ],
            &dose[..],
        ]
        .concat(),
        "--age",
    );
    refused(&["--model", "kamp_meta2020", "--n", "10", "--dose", "5 mg/kg bolus", "--at", "1"], "--dose");
}

#[test]
fn each_layer_that_has_a_source_can_be_added_and_no_other() {
    let run = |more: &[&str]| {
        let base = [
            "--n",
            "400",
            "--dose",
            "35 mg over 40 min",
            "--at",
            "40,120",
            "--weight",
            "70 kg",
            "--age",
            "25 a",
        ];
        percentiles("simons2022", &[&base, more].concat())
    };
    let of = |rows: &[Vec<String>], output: &str| -> Vec<Vec<String>> {
        rows.iter().filter(|row| row[1] == output).cloned().collect()
    };
    let (plain, all) = (run(&[]), run(&["--metabolites", "--occasions", "0"]));
    // Occasions change the way to the metabolites alone, so that the parent's rows do not move.
    assert_eq!(of(&all, "cp_ng_ml"), of(&plain, "cp_ng_ml"));
    assert_eq!(of(&all, "s_norketamine_ng_ml").len(), 2);
    let metabolites = run(&["--metabolites"]);
    assert_ne!(of(&all, "s_norketamine_ng_ml"), of(&metabolites, "s_norketamine_ng_ml"));
    let unsure = run(&["--uncertainty"]);
    assert_ne!(of(&unsure, "cp_ng_ml"), of(&plain, "cp_ng_ml"));
    assert_ne!(run(&["--quasi-random"]), plain);
    for (more, field) in [(&["--uncertainty"][..], "--uncertainty"), (&["--occasions", "0"], "--occasions")] {
        let base = [
            "population",
            "--model",
            "otto2021_fanta2015",
            "--n",
            "10",
            "--dose",
            "35 mg over 40 min",
            "--at",
            "40",
        ];
        let (code, told) = refusal(&[&base, more].concat());
        assert!(code == 2 && told.contains(field) && told.contains("no source"), "{code} {told}");
    }
}

#[test]
fn a_weight_that_nobody_said_is_told() {
    let told = |more: &[&str]| {
        let base = ["population", "--model", "herd2007", "--n", "50", "--dose", "10 mg bolus", "--at", "10"];
        let output = chairside(&[&base[..], more].concat());
        assert_eq!(output.status.code(), Some(0));
        String::from_utf8(output.stderr).expect("text")
    };
    assert!(told(&[]).contains("nobody said the weight: 70 kg is that at which herd2007 was printed"));
    assert!(!told(&["--weight", "30 kg"]).contains("nobody said the weight"));
}

/// Who lies outside is the people who were drawn, not the one in the middle.
#[test]
fn the_light_are_marked_for_a_fixed_dose_and_who_was_drawn_again_marks_nobody() {
    let run = |dose: &str, ages: [&str; 2]| {
        let base = ["population", "--model", "kamp_meta2020", "--n", "500", "--at", "40", "--format", "csv"];
        let who = ["--weight", "75 kg", "--weight-spread", "0.2", "--age", ages[0], "--age-to", ages[1]];
        let output = chairside(&[&base[..], &who, &["--dose", dose]].concat());
        let [out, told] = [output.stdout, output.stderr].map(|text| String::from_utf8(text).expect("text"));
        assert_eq!(output.status.code(), Some(0), "{told}");
        let share = out.contains("outside_validity").then(|| column_of(&out));
        (share, told)
    };
    // 2 mg/kg is the most; 130 mg is more for everyone below 65 kg: of log-normal weights with a median of 75 kg.
    let (share, told) = run("130 mg over 60 min", ["20 a", "60 a"]);
    let share = share.expect("a mark");
    assert!((0.18..0.26).contains(&share), "{share}: {told}");
    assert!(told.contains("of the people who weigh less than 65.0 kg"), "{told}");
    assert_eq!(run("1.7 mg/kg over 60 min", ["20 a", "60 a"]).0, None, "by weight all get the same");
    let (marked, told) = run("0.5 mg/kg over 40 min", ["5 a", "90 a"]);
    assert!(marked.is_none() && told.contains("were drawn again"), "{marked:?} {told}");
    let (marked, told) = run("0.01 mg/kg/h for 600 min", ["20 a", "60 a"]);
    assert!(marked == Some(1.0) && !told.contains("of the people who weigh"), "{marked:?} {told}");
    let base =
        ["population", "--model", "kamp_meta2020", "--n", "10", "--at", "40", "--dose", "35 mg over 40 min"];
    let heavy = ["--weight", "500 kg", "--weight-spread", "0.05", "--age", "20 a", "--age-to", "60 a"];
    let (code, told) = refusal(&[&base[..], &heavy].concat());
    assert!(code == 2 && told.contains("--weight: `500 kg`") && told.contains("45 to 120 kg"), "{told}");
}

/// The first row's mark.
fn column_of(text: &str) -> f64 {
    super::column(text, "p50");
    let (head, rows) = super::csv(text);
    let place = head.iter().position(|name| name == "outside_validity").expect("a column");
    rows[0][place].parse().expect("a number")
}
