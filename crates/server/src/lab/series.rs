//! Levels and effects over time as one long table, and as a picture for each thing that is measured.

use super::plot::{Band, Curve, Plot};
use super::sheet::{Cells, Sheet};
use lab::Answer;
use pkpd::Minutes;

/// One thing that is measured, of one regimen by one model.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// What was given, as it is called beside the curve; empty where all got the same.
    pub regimen: String,
    /// Id of the model of levels.
    pub model: String,
    /// Where its blood was drawn.
    pub site: &'static str,
    /// What its levels are levels of.
    pub levels_of: &'static str,
    /// What is measured.
    pub what: Answer,
}

/// A row for each series and time; every number in full.
#[must_use]
pub fn table(times: &[Minutes], series: &[Series]) -> Sheet {
    let mut sheet = Sheet::default();
    let mut words = |name: &str, of: &dyn Fn(&Series) -> &str| {
        let cells = series.iter().flat_map(|one| times.iter().map(|_| of(one).to_owned()));
        sheet.columns.push((name.to_owned(), Cells::Words(cells.collect())));
    };
    if series.iter().any(|one| !one.regimen.is_empty()) {
        words("regimen", &|one| &one.regimen);
    }
    words("model", &|one| &one.model);
    words("output", &|one| &one.what.name);
    words("unit", &|one| &one.what.unit);
    words("role", &|one| one.what.role);
    let each = || series.iter().flat_map(|one| (0..times.len()).map(move |time| one.what.numbers(time)));
    sheet
        .numbers("time_min", series.iter().flat_map(|_| times.iter().map(|time| time.0)).collect::<Vec<_>>());
    for (place, name) in Answer::COLUMNS.iter().enumerate() {
        sheet.optional(name, each().map(|row| row.get(place).copied().flatten()).collect::<Vec<_>>());
    }
    let of_model = |of: fn(&Series) -> &'static str| {
        series.iter().flat_map(move |one| times.iter().map(move |_| of(one)))
    };
    sheet.words("sampling_site", of_model(|one| one.site));
    sheet.words("levels_of", of_model(|one| one.levels_of));
    if series.iter().any(|one| one.what.outside) {
        let marks = series.iter().flat_map(|one| times.iter().map(|_| f64::from(one.what.outside)));
        sheet.numbers("outside_validity", marks.collect::<Vec<_>>());
    }
    sheet
}

/// One picture for each thing that is measured, in the order in which they first come; a curve for each of `names`.
#[must_use]
pub fn pictures(times: &[Minutes], series: &[(String, &Series)]) -> Vec<Plot> {
    let mut measured: Vec<&Answer> = Vec::new();
    for (_, one) in series {
        if !measured.iter().any(|known| known.name == one.what.name) {
            measured.push(&one.what);
        }
    }
    let of = |what: &&Answer| picture(times, what, series);
    measured.iter().map(of).collect()
}

fn picture(times: &[Minutes], what: &Answer, series: &[(String, &Series)]) -> Plot {
    let shown: Vec<_> = series.iter().filter(|(_, one)| one.what.name == what.name).collect();
    let curve = |(place, (name, one)): (usize, &&(String, &Series))| {
        let (mut bands, of_what) = bands(times, &one.what);
        // The inner bands of several curves are a thicket.
        bands.truncate(if shown.len() > 1 { 1 } else { bands.len() });
        Curve {
            name: if of_what.is_empty() { name.clone() } else { format!("{name}; {of_what}") },
            colour: place as u8,
            line: times.iter().map(|time| time.0).zip(one.what.typical.iter().copied()).collect(),
            bands,
            edges_only: shown.len() > 1,
            ..Curve::default()
        }
    };
    let belief = match what.role {
        "exploratory" => " (exploratory)",
        "sandbox" => " (sandbox)",
        _ => "",
    };
    Plot {
        title: format!("{}{belief}", what.title),
        unit: what.unit.clone(),
        curves: shown.iter().enumerate().map(curve).collect(),
    }
}

/// Nine tenths and half of the people where they are known, else what studies say; and in a word what it is.
fn bands(times: &[Minutes], what: &Answer) -> (Vec<Band>, &'static str) {
    let with_time = |pairs: Vec<(f64, f64)>| -> Band {
        times.iter().zip(pairs).map(|(time, (low, high))| (time.0, low, high)).collect()
    };
    let between = |rows: &[Vec<f64>], low: usize, high: usize| {
        let pair = |row: &Vec<f64>| row.get(low).copied().zip(row.get(high).copied());
        rows.iter().map(|row| pair(row).unwrap_or_default()).collect()
    };
    match (&what.people, &what.studies) {
        (Some(rows), _) => {
            (vec![with_time(between(rows, 0, 4)), with_time(between(rows, 1, 3))], "9 in 10 people")
        }
        (None, Some(studies)) => (vec![with_time(studies.clone())], "studies"),
        (None, None) => (Vec::new(), ""),
    }
}
