//! A table of columns, written as CSV, JSON or for a person.

use clap::ValueEnum;
use serde_json::{Map, Value, json};
use std::fmt::Write as _;

/// How an answer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For a program: a line of names, then rows; every number in full
    Csv,
    /// For a program: what was asked, and the rows
    Json,
    /// For a program: Apache Parquet, to a file or a pipe
    Parquet,
    /// For a person: five digits
    Table,
}

/// One column.
#[derive(Debug, Clone, PartialEq)]
pub enum Cells {
    /// Numbers; none where there is no answer.
    Numbers(Vec<Option<f64>>),
    /// Words.
    Words(Vec<String>),
}

/// Columns of one length.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sheet {
    /// What was asked, for JSON.
    pub about: Map<String, Value>,
    /// Name and cells.
    pub columns: Vec<(String, Cells)>,
    /// The whole answer for JSON, where that is more than rows.
    pub whole: Option<Value>,
}

impl Cells {
    fn len(&self) -> usize {
        match self {
            Self::Numbers(cells) => cells.len(),
            Self::Words(cells) => cells.len(),
        }
    }

    fn text(&self, row: usize, number: impl Fn(f64) -> String) -> String {
        match self {
            Self::Numbers(cells) => cells.get(row).copied().flatten().map(number).unwrap_or_default(),
            Self::Words(cells) => cells.get(row).cloned().unwrap_or_default(),
        }
    }

    fn value(&self, row: usize) -> Value {
        match self {
            Self::Numbers(cells) => json!(cells.get(row).copied().flatten()),
            Self::Words(cells) => json!(cells.get(row)),
        }
    }
}

impl Sheet {
    /// Adds a column of numbers.
    pub fn numbers(&mut self, name: &str, cells: impl IntoIterator<Item = f64>) {
        self.columns.push((name.to_owned(), Cells::Numbers(cells.into_iter().map(Some).collect())));
    }

    /// Adds a column of numbers, some of which are not there.
    pub fn optional(&mut self, name: &str, cells: impl IntoIterator<Item = Option<f64>>) {
        self.columns.push((name.to_owned(), Cells::Numbers(cells.into_iter().collect())));
    }

    /// Adds a column of words.
    pub fn words<'w>(&mut self, name: &str, cells: impl IntoIterator<Item = &'w str>) {
        self.columns.push((name.to_owned(), Cells::Words(cells.into_iter().map(str::to_owned).collect())));
    }

    /// How many rows it has.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.columns.iter().map(|(_, cells)| cells.len()).max().unwrap_or_default()
    }

    /// The sheet in a format.
    ///
    /// # Errors
    /// What the writer of Parquet says.
    pub fn written(&self, format: Format) -> parquet::errors::Result<Vec<u8>> {
        Ok(match format {
            Format::Parquet => super::parquet::file(self)?,
            Format::Csv => self.csv().into_bytes(),
            Format::Json => format!("{:#}\n", self.json()).into_bytes(),
            Format::Table => self.table().into_bytes(),
        })
    }

    /// A line of names, then rows; every number in full.
    #[must_use]
    pub fn csv(&self) -> String {
        let names: Vec<&str> = self.columns.iter().map(|(name, _)| name.as_str()).collect();
        let mut out = names.join(",") + "\n";
        for row in 0..self.rows() {
            let cells: Vec<String> =
                self.columns.iter().map(|(_, cells)| quoted(cells.text(row, in_full))).collect();
            let _ = writeln!(out, "{}", cells.join(","));
        }
        out
    }

    fn json(&self) -> Value {
        if let Some(whole) = &self.whole {
            return whole.clone();
        }
        let row = |row| {
            let cells = self.columns.iter().map(|(name, cells)| (name.clone(), cells.value(row)));
            Value::Object(cells.collect())
        };
        let mut whole = self.about.clone();
        whole.insert("rows".to_owned(), (0..self.rows()).map(row).collect());
        Value::Object(whole)
    }

    fn table(&self) -> String {
        let column = |(name, cells): &(String, Cells)| {
            let mut lines = vec![name.clone()];
            lines.extend((0..self.rows()).map(|row| cells.text(row, five_digits)));
            let width = lines.iter().map(|line| line.chars().count()).max().unwrap_or_default();
            let is_words = matches!(cells, Cells::Words(_));
            let padded = |line| if is_words { format!("{line:<width$}") } else { format!("{line:>width$}") };
            lines.into_iter().map(padded).collect::<Vec<_>>()
        };
        let columns: Vec<Vec<String>> = self.columns.iter().map(column).collect();
        let mut out = String::new();
        for row in 0..=self.rows() {
            let cells: Vec<&str> =
                columns.iter().filter_map(|lines| lines.get(row)).map(String::as_str).collect();
            let _ = writeln!(out, "{}", cells.join("  ").trim_end());
        }
        out
    }
}

/// A cell as CSV has it (RFC 4180).
fn quoted(cell: String) -> String {
    if cell.contains([',', '"', '\n']) { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell }
}

/// The shortest text that reads back as the same number.
fn in_full(number: f64) -> String {
    let plain = number == 0.0 || (1e-5..1e16).contains(&number.abs());
    if plain { number.to_string() } else { format!("{number:e}") }
}

fn five_digits(number: f64) -> String {
    let digits = if number == 0.0 { 0 } else { number.abs().log10().floor().clamp(-9.0, 4.0) as i32 };
    let places = usize::try_from(4 - digits).unwrap_or_default();
    let text = format!("{number:.places$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}
