//! `chairside effects`.

use super::{Written, answer, assert_same, chairside, csv, refusal};

fn effects(more: &[&str]) -> String {
    let first = ["effects", "--weight", "70 kg", "--format", "csv"];
    answer(&[&first, more].concat())
}

const USUAL: [&str; 4] = ["--model", "kamp_meta2020", "--dose", "0.5 mg/kg over 40 min"];

/// Numbers of one output in a column; nothing where the cell is empty.
fn of(text: &str, output: &str, column: &str) -> Vec<f64> {
    let (head, rows) = csv(text);
    let place = |name: &str| head.iter().position(|column| column == name).expect("a column");
    let (output_at, column_at) = (place("output"), place(column));
    let rows = rows.iter().filter(|row| row[output_at] == output);
    rows.filter_map(|row| row[column_at].parse().ok()).collect()
}

#[test]
fn rows_have_their_columns_and_the_anchors_come_out() {
    let text = effects(&[&USUAL[..], &["--at", "41.5"]].concat());
    let (head, rows) = csv(&text);
    let first = ["model", "output", "unit", "role", "time_min", "typical", "studies_low", "studies_high"];
    let rest = ["p5", "p25", "p50", "p75", "p95", "sampling_site", "levels_of"];
    assert_eq!(head, [&first[..], &rest].concat());
    assert!(rows.iter().all(|row| row[3] == "acute"), "nothing else without being asked for");
    // Vankawala 2021 and van Schalkwyk 2018, at the peak of the effect site.
    for (output, printed, within) in
        [("sbp_change", 12.61, 0.1), ("dbp_change", 8.49, 0.1), ("hr_change", 4.09, 0.1), ("cadss", 7.7, 0.1)]
    {
        let found = of(&text, output, "typical")[0];
        assert!((found - printed).abs() < within, "{output}: {found}");
    }
    // Riva-Posse 2018 and Yale 2024.
    assert!((of(&text, "sbp_change", "studies_low")[0] - 3.28).abs() < 0.05);
    assert!((of(&text, "sbp_change", "studies_high")[0] - 16.0).abs() < 0.05);
}

#[test]
fn the_ends_of_the_band_and_the_percentiles_stand_in_order() {
    let text = effects(&[&USUAL[..], &["--at", "0:240:10", "--n", "500"]].concat());
    let columns = ["p5", "p25", "p50", "p75", "p95"];
    for output in ["sbp_change", "cadss", "perception", "nmda_occupancy"] {
        let found = columns.map(|column| of(&text, output, column));
        assert_eq!(found[0].len(), 25, "{output}");
        for (low, high) in found.iter().zip(&found[1..]) {
            assert!(low.iter().zip(high).all(|(low, high)| low <= high), "{output}");
        }
        let band = ["studies_low", "typical", "studies_high"].map(|column| of(&text, output, column));
        assert!((0..25).all(|row| band[0][row] <= band[1][row] && band[1][row] <= band[2][row]), "{output}");
    }
}

#[test]
fn doses_before_and_after_shift_with_time() {
    let more = ["--effect", "antidepressant_course", "--effect", "heart_rate"];
    let now = effects(&[&USUAL[..], &more, &["--at", "0:2880:60"]].concat());
    let later = ["--model", "kamp_meta2020", "--dose", "0.5 mg/kg over 40 min at 600 min"];
    let later = effects(&[&later[..], &more, &["--at", "600:3480:60"]].concat());
    for output in ["madrs_beyond_control", "hr_change"] {
        assert_same(&of(&later, output, "typical"), &of(&now, output, "typical"), 1e-6);
    }
}

#[test]
fn a_course_of_days_is_a_band_and_says_that_it_is_exploratory() {
    let asked = [&["effects", "--weight", "70 kg", "--format", "csv"], &USUAL[..]].concat();
    let more = ["--effect", "antidepressant_course", "--at", "0,1440", "--n", "100"];
    let output = chairside(&[&asked[..], &more].concat());
    let told = String::from_utf8(output.stderr).expect("text");
    assert!(told.contains("exploratory: a hypothesis about a population, not for dosing"), "{told}");
    assert!(told.contains("`typical` is the mean effect"), "{told}");
    let text = String::from_utf8(output.stdout).expect("text");
    assert!(of(&text, "madrs_beyond_control", "p50").is_empty(), "no person is promised a course");
    let band = ["studies_low", "studies_high"].map(|column| of(&text, "madrs_beyond_control", column)[1]);
    assert!(band[0] < -7.0 && band[1] > 0.0, "{band:?}");
}

#[test]
fn a_picture_shows_each_effect() {
    let file = Written::new("effects.svg", "");
    let more = ["--at", "0:120:5", "--effect", "blood_pressure", "--plot", file.path()];
    effects(&[&USUAL[..], &more].concat());
    let drawn = std::fs::read_to_string(file.path()).expect("a picture");
    for words in ["Systolic pressure, change", "mmHg", "kamp_meta2020; 9 in 10 people"] {
        assert!(drawn.contains(words), "{words}");
    }
}

#[test]
fn what_cannot_be_asked_is_refused_with_its_argument() {
    let first = ["effects", "--weight", "70 kg", "--at", "40"];
    let told = |more: &[&str]| refusal(&[&first[..], &USUAL, more].concat());
    let (code, why) = told(&["--effect", "blood"]);
    assert!(code == 2 && why.contains("--effect: `blood`") && why.contains("blood_pressure"), "{why}");
    let (code, why) = told(&["--stage", "bdnf"]);
    assert!(code == 2 && why.contains("--stage: `bdnf`"), "{why}");
    let venous = ["--model", "clements250", "--dose", "35 mg over 40 min"];
    let (code, why) = refusal(&[&first[..], &venous].concat());
    assert!(code == 2 && why.contains("--ke0") && why.contains("venous"), "{why}");
    let many = ["--dose", "1 mg bolus every 1 min 500 times", "--effect", "antidepressant_course"];
    let (code, why) = told(&many);
    assert!(code == 2 && why.contains("--dose") && why.contains("at most 400"), "{why}");
}
