//! The printed page before it is HTML or PDF: headings, facts, tables and one drawing. Both printers show the
//! same sheet, so that paper and screen cannot differ.

/// A whole document.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Sheet {
    /// Document title.
    pub title: String,
    /// Who: stands on every page.
    pub running_head: String,
    /// Stands on every page below.
    pub running_foot: String,
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
    Picture(super::drawing::Drawing),
    /// A sentence.
    Words(String),
}

/// Rows under heads.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Table {
    /// What it shows.
    pub caption: String,
    /// Column heads with their share of the width, in percent.
    pub heads: Vec<(String, u8)>,
    /// Cells, as many a row as heads.
    pub rows: Vec<Vec<String>>,
    /// Shown instead of rows when there are none.
    pub empty: String,
}

impl Table {
    /// An empty table with its heads.
    pub fn new(caption: &str, heads: &[(&str, u8)], empty: &str) -> Self {
        Self {
            caption: caption.to_owned(),
            heads: heads.iter().map(|(head, share)| ((*head).to_owned(), *share)).collect(),
            rows: Vec::new(),
            empty: empty.to_owned(),
        }
    }
    /// Adds a row.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }
}

impl Section {
    /// A section of parts.
    pub fn new(title: &str, parts: Vec<Part>) -> Self {
        Self { title: title.to_owned(), parts }
    }
}
