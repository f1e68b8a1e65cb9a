//! The formats and pictures of the pharmacology commands.

use super::{Written, answer, assert_same, chairside, column, csv, refusal};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;
use std::path::{Path, PathBuf};

const WHO: [&str; 9] = [
    "simulate",
    "--weight",
    "70 kg",
    "--dose",
    "0.5 mg/kg over 40 min",
    "--dose",
    "5 mg bolus at 60 min",
    "--at",
    "0:120:1",
];

fn simulated(more: &[&str]) -> Vec<u8> {
    let output = chairside(&[&WHO, more].concat());
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// A picture's place, empty until it is drawn.
fn picture(name: &str) -> Written {
    let written = Written::new(name, "");
    std::fs::remove_file(written.path()).expect("it was there");
    written
}

#[test]
fn parquet_holds_the_numbers_of_the_csv() {
    let models = ["--model", "otto2021_fanta2015", "--model", "kamp_meta2020"];
    let text = String::from_utf8(simulated(&[&models[..], &["--format", "csv"]].concat())).expect("text");
    let (head, rows) = csv(&text);
    let file = picture("levels.parquet");
    std::fs::write(file.path(), simulated(&[&models[..], &["--format", "parquet"]].concat()))
        .expect("written");
    let reader = SerializedFileReader::try_from(Path::new(file.path())).expect("it is Parquet");
    let found: Vec<_> = reader.get_row_iter(None).expect("rows").map(|row| row.expect("a row")).collect();
    assert_eq!(found.len(), rows.len());
    for (row, cells) in found.iter().zip(&rows) {
        for ((name, field), (column, cell)) in row.get_column_iter().zip(head.iter().zip(cells)) {
            assert_eq!(name, column);
            match field {
                Field::Double(number) => assert_eq!(cell.parse(), Ok(*number)),
                Field::Str(word) => assert_eq!(cell, word),
                Field::Null => assert_eq!(cell, ""),
                other => panic!("{name}: {other:?}"),
            }
        }
    }
    assert!(rows.iter().any(|row| row.iter().any(String::is_empty)), "nothing absent was tried");
}

#[test]
fn json_holds_the_numbers_of_the_csv_and_what_was_asked() {
    let text = String::from_utf8(simulated(&["--model", "kamp_meta2020", "--format", "csv"])).expect("text");
    let json: serde_json::Value =
        serde_json::from_slice(&simulated(&["--model", "kamp_meta2020", "--format", "json"])).expect("JSON");
    let levels: Vec<f64> = json["rows"]
        .as_array()
        .expect("rows")
        .iter()
        .map(|row| row["cp_ng_ml"].as_f64().expect("a level"))
        .collect();
    // The reader of JSON here is a last digit off at times.
    assert_same(&levels, &column(&text, "cp_ng_ml"), 1e-15);
    assert_eq!(json["models"][0]["sampling_site"], "arterial");
    assert_eq!(json["given"]["doses"][1], "5 mg bolus at 60 min");
}

#[test]
fn a_picture_says_in_words_what_it_shows() {
    let levels = Written::new(
        "drawn.csv",
        "time_min,analyte,value,unit\n20,ketamine,150,ng/mL\n60,ketamine,90,ng/mL\n",
    );
    let file = picture("models.svg");
    let more = [
        "--model",
        "kamp_meta2020",
        "--model",
        "domino",
        "--plot",
        file.path(),
        "--observations",
        levels.path(),
    ];
    simulated(&more);
    let svg = std::fs::read_to_string(file.path()).expect("it is drawn");
    assert!(svg.contains("kamp_meta2020, ketamine, arterial plasma: highest 2"), "{svg}");
    assert!(svg.contains("ketamine measured in blood of a site nobody told: 2 levels"), "{svg}");
    // Plasma and effect site of one model, plasma of the other, and the samples of the legend.
    assert_eq!(svg.matches("stroke=\"#0072b2\"").count(), 4, "{svg}");
    assert_eq!(svg.matches("stroke=\"#d55e00\"").count(), 2, "{svg}");
    assert_eq!(
        svg.matches("<polygon").count(),
        4,
        "the ground, two measured levels and their sign in the legend"
    );
}

#[test]
fn levels_of_two_sites_are_drawn_apart_and_what_they_cannot_judge_is_told() {
    let rows = "time_min,analyte,value,unit,site\n20,ketamine,150,ng/mL,arterial\n40,ketamine,250,ng/mL,arterial\n\
                40,ketamine,120,ng/mL,venous\n60,ketamine,80,ng/mL,\n";
    let levels = Written::new("sites.csv", rows);
    let file = picture("sites.svg");
    let run = |more: &[&str]| {
        let read = if more.is_empty() { &["--observations", levels.path()][..] } else { &[] };
        let base = ["--model", "kamp_meta2020", "--plot", file.path()];
        let output = chairside(&[&WHO[..], &base, read, more].concat());
        assert_eq!(output.status.code(), Some(0));
        (
            std::fs::read_to_string(file.path()).expect("drawn"),
            String::from_utf8(output.stderr).expect("text"),
        )
    };
    let (svg, told) = run(&[]);
    for blood in
        ["arterial blood: 2 levels", "venous blood: 1 levels", "blood of a site nobody told: 1 levels"]
    {
        assert!(svg.contains(&format!("ketamine measured in {blood}")), "{blood}: {svg}");
    }
    assert!(told.contains("measured in venous blood cannot judge kamp_meta2020"), "{told}");
    assert!(told.contains("nobody says where the blood of 1 measured levels was drawn"), "{told}");
    let again = Written::new("sites-again.csv", &rows.replace(",venous", ",arterial"));
    let (svg, told) = run(&["--site", "arterial", "--observations", again.path()]);
    assert!(svg.contains("arterial blood: 4 levels") && !told.contains("nobody says"), "{told}");
}

#[test]
fn a_population_is_drawn_with_its_bands_and_a_fit_with_its_own() {
    let file = picture("people.svg");
    let people = [
        "population",
        "--model",
        "kamp_meta2020",
        "--n",
        "500",
        "--dose",
        "0.5 mg/kg over 40 min",
        "--at",
        "0:120:5",
    ];
    answer(&[&people[..], &["--plot", file.path()]].concat());
    let svg = std::fs::read_to_string(file.path()).expect("it is drawn");
    assert_eq!(svg.matches("<polygon").count(), 3, "the ground, and two bands");
    let levels = Written::new("fitted.csv", "time_min,analyte,value,unit\n40,ketamine,200,ng/mL\n");
    let fit = ["fit", "--model", "kamp_meta2020", "--weight", "70 kg", "--dose", "0.5 mg/kg over 40 min"];
    let drawn = picture("fit.svg");
    answer(&[&fit[..], &["--observations", levels.path(), "--plot", drawn.path()]].concat());
    let svg = std::fs::read_to_string(drawn.path()).expect("it is drawn");
    assert_eq!(svg.matches("<polygon").count(), 3, "the ground, a band and a measured level");
}

#[test]
fn a_png_has_its_size_and_more_than_one_colour() {
    let file = picture("models.png");
    simulated(&["--model", "kamp_meta2020", "--plot", file.path()]);
    let page = tiny_skia::Pixmap::load_png(file.path()).expect("a PNG");
    assert_eq!(page.width(), 1440);
    let has =
        |red, green, blue| page.pixels().iter().any(|p| (p.red(), p.green(), p.blue()) == (red, green, blue));
    assert!(has(0, 114, 178) && has(213, 94, 0) && has(17, 17, 17), "curves and letters");
}

#[test]
fn a_picture_that_cannot_be_written_leaves_nothing_behind() {
    let (code, told) = refusal(&[&WHO[..], &["--model", "domino", "--plot", "levels.pdf"]].concat());
    assert!(code == 2 && told.contains("--plot") && told.contains(".svg or .png"), "{code} {told}");
    let folder = PathBuf::from(picture("folder.svg").path());
    std::fs::create_dir(&folder).expect("a folder of that name");
    let (code, told) =
        refusal(&[&WHO[..], &["--model", "domino", "--plot", folder.to_str().expect("plain")]].concat());
    let part = PathBuf::from(format!("{}.part", folder.display()));
    let left = part.exists();
    std::fs::remove_dir(&folder).expect("it is empty");
    assert!(code == 1 && told.contains("--plot") && !left, "{code} {told}");
}
