//! `chairside models`.

use super::{answer, csv, refusal};

#[test]
fn every_model_is_listed_and_shown_with_its_sources() {
    let (head, rows) = csv(&answer(&["models", "list", "--format", "csv"]));
    assert_eq!(head, ["kind", "id", "substance", "sampling_site", "role", "evidence", "title"]);
    let of_kind = |kind: &str| rows.iter().filter(|row| row[0] == kind).count();
    assert_eq!((of_kind("levels"), of_kind("effect")), (11, 9));
    for row in &rows {
        let shown = answer(&["models", "show", &row[1]]);
        assert!(shown.contains(&format!("id = \"{}\"", row[1])), "{shown}");
        let sources = shown.split_once("\n# Sources\n").expect("sources").1;
        assert!(
            sources.lines().filter(|line| line.starts_with("# ") && line.contains(": ")).count() >= 1,
            "{shown}"
        );
        shown.parse::<toml::Table>().expect("it still reads as TOML");
    }
}

#[test]
fn a_model_that_is_not_there_is_refused_with_the_near_ones() {
    let (code, told) = refusal(&["models", "show", "otto2021"]);
    assert_eq!(code, 2);
    assert!(told.contains("otto2021_fanta2015") && !told.contains("domino"), "{told}");
    for (id, why) in [("hornik2018", "nobody has checked them"), ("ashraf2018", "umol/L with mg/L")] {
        let (code, told) = refusal(&["models", "show", id]);
        assert!(code == 2 && told.contains("known and not shipped, because") && told.contains(why), "{told}");
        assert!(!told.contains("sherwin2015"), "{told}");
    }
}

/// Bias, inaccuracy and mean ratio as published with the models, in percent and as a ratio.
#[test]
fn the_known_errors_come_out() {
    let (head, rows) = csv(&answer(&["models", "validate", "--format", "csv"]));
    let names =
        ["model", "data_set", "same_site", "pairs", "mdpe_percent", "mdape_percent", "gmr", "accepted"];
    assert_eq!(head[..8], names);
    assert_eq!(head[8], "outside_validity");
    let outside = |model: &str| {
        let row = rows.iter().find(|row| row[0] == model && row[1] == "kamp2020_ketamine").expect("a line");
        row[8..].join(",")
    };
    assert!(outside("sherwin2015").contains("age 30 years, valid"), "{}", outside("sherwin2015"));
    assert_eq!(outside("kamp_meta2020"), "");
    for (model, data, printed) in [
        ("otto2021_fanta2015", "hasan2021_ketamine", [-3.3, 5.2, 1.03]),
        ("perezruixo2021", "hasan2021_ketamine", [17.7, 17.7, 0.84]),
        ("sherwin2015", "kamp2020_ketamine", [-5.9, 17.8, 1.01]),
        ("otto2021_fanta2015", "kamp2020_norketamine", [34.1, 34.1, 0.71]),
        ("simons2022", "kamp2020_norketamine", [37.6, 37.6, 0.72]),
    ] {
        let row = rows.iter().find(|row| row[0] == model && row[1] == data).expect("a line");
        for (cell, (printed, within)) in row[4..7].iter().zip(printed.iter().zip([0.1, 0.1, 0.006])) {
            let found: f64 = cell.parse().expect("a number");
            assert!((found - printed).abs() <= within, "{model} on {data}: {row:?}");
        }
    }
    assert_eq!(rows.iter().filter(|row| row[7] == "yes").count(), 3);
}
