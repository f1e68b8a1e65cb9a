//! The printed page before it is HTML or PDF: headings, facts, tables and drawings. Both printers show the same
//! sheet, so that paper and screen cannot differ.

use super::drawing::Drawing;

/// A whole document.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Sheet {
    /// Document title.
    pub title: String,
    /// Who: stands on every page.
    pub running_head: String,
    /// Where in the log: stands below on every page.
    pub running_foot: String,
    /// Names these very contents: the chain of the last entry told, hexadecimal. The same record has the same one.
    pub identity: String,
    /// Day of the last entry told, as year, month, day.
    pub day: (i16, i8, i8),
    /// What a reader must know first, for example that the visit is not closed.
    pub notices: Vec<String>,
    /// In reading order.
    pub sections: Vec<Section>,
}

/// One part with a heading.
#[derive(Debug, Clone, PartialEq)]
pub struct Section {
    /// Heading.
    pub title: String,
    /// What stands in it.
    pub parts: Vec<Part>,
}

/// What can stand in a section.
#[derive(Debug, Clone, PartialEq)]
pub enum Part {
    /// Label and value.
    Facts(Vec<(String, String)>),
    /// Rows under heads.
    Table(Table),
    /// A picture with its words for those who do not see it.
    Picture(Drawing),
    /// A paragraph.
    Words(String),
}

/// What stands in one place of a table.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cell {
    /// What stood there before it was amended; shown struck through. Empty where nothing was amended.
    pub struck: String,
    /// What stands there now.
    pub text: String,
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self { struck: String::new(), text: text.into() }
    }
}

/// Rows under heads. The first cell of a row names it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Table {
    /// What it shows.
    pub caption: String,
    /// Column heads with their share of the width, in percent.
    pub heads: Vec<(String, u8)>,
    /// Cells, as many a row as heads.
    pub rows: Vec<Vec<Cell>>,
    /// Shown instead of rows when there are none.
    pub empty: String,
}

impl Table {
    /// A table without rows, with its heads.
    pub fn new(caption: &str, heads: &[(&str, u8)], empty: &str) -> Self {
        Self {
            caption: caption.to_owned(),
            heads: heads.iter().map(|(head, share)| ((*head).to_owned(), *share)).collect(),
            rows: Vec::new(),
            empty: empty.to_owned(),
        }
    }
    /// Adds a row.
    pub fn row<const N: usize>(&mut self, cells: [Cell; N]) {
        self.rows.push(cells.into());
    }
}

impl Section {
    /// A section of parts.
    pub fn new(title: &str, parts: Vec<Part>) -> Self {
        Self { title: title.to_owned(), parts }
    }
}

/// A label with its value.
pub(super) fn fact(label: &str, value: impl Into<String>) -> (String, String) {
    (label.to_owned(), value.into())
}

/// Words after a number that belong to it.
const UNITS: [&str; 17] = [
    "mg",
    "mg/h",
    "mg/mL",
    "mg/kg",
    "mcg",
    "mcg/kg/min",
    "mL",
    "mL/h",
    "kg",
    "cm",
    "min",
    "h",
    "s",
    "%",
    "mmHg",
    "Cel",
    "drops/min",
];

/// The same text with each number tied to its unit by a no-break space, so that a dose is never read in two halves.
pub fn doses_kept(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut number_before = false;
    for (n, word) in text.split(' ').enumerate() {
        if n > 0 {
            kept.push(if number_before && is_unit(word) { '\u{a0}' } else { ' ' });
        }
        kept.push_str(word);
        number_before = word.ends_with(|c: char| c.is_ascii_digit());
    }
    kept
}

fn is_unit(word: &str) -> bool {
    UNITS.contains(&word.trim_end_matches([')', ';', ':', '.', ',']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_stays_with_its_unit() {
        assert_eq!(
            doses_kept("give 41 mg over 40 min at 30.8 mL/h"),
            "give 41\u{a0}mg over 40\u{a0}min at 30.8\u{a0}mL/h"
        );
        assert_eq!(doses_kept("(41 mg), then mg 5 times"), "(41\u{a0}mg), then mg 5 times");
        assert_eq!(doses_kept(""), "");
    }
}
