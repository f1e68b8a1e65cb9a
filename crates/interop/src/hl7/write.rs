//! Writing. Text is escaped so that it can neither end a field nor a frame.

use super::Separators;

impl Separators {
    /// One value. Marks and the bytes that end a segment or a frame become escape sequences.
    pub fn text(self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        for c in text.chars() {
            let letter = match c {
                _ if c == self.field => "F",
                _ if c == self.component => "S",
                _ if c == self.subcomponent => "T",
                _ if c == self.repetition => "R",
                _ if c == self.escape => "E",
                '\r' => "X0D",
                '\n' => "X0A",
                '\u{0B}' => "X0B",
                '\u{1C}' => "X1C",
                _ => {
                    out.push(c);
                    continue;
                }
            };
            out.push(self.escape);
            out.push_str(letter);
            out.push(self.escape);
        }
        out
    }

    /// A field of one repetition; trailing empty components are left out.
    pub fn components(self, parts: &[&str]) -> String {
        let used = parts.iter().rposition(|part| !part.is_empty()).map_or(0, |last| last + 1);
        let parts: Vec<String> = parts.iter().take(used).map(|part| self.text(part)).collect();
        parts.join(&self.component.to_string())
    }
}

/// A segment under way: fields as they go on the wire, by number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    name: &'static str,
    fields: Vec<String>,
}

impl Row {
    /// A segment with this name and no field.
    pub fn new(name: &'static str) -> Self {
        Self { name, fields: Vec::new() }
    }

    /// Sets field `n`, from 1, to text that is already escaped, as [`Separators::text`] makes it. MSH-1 and
    /// MSH-2 are written by [`write`].
    #[must_use]
    pub fn with(mut self, n: usize, encoded: impl Into<String>) -> Self {
        if self.fields.len() < n {
            self.fields.resize(n, String::new());
        }
        if let Some(field) = n.checked_sub(1).and_then(|index| self.fields.get_mut(index)) {
            *field = encoded.into();
        }
        self
    }
}

/// The message, each segment ended by CR.
pub fn write(rows: &[Row], separators: Separators) -> String {
    let Separators { field, component, repetition, escape, subcomponent } = separators;
    let mut out = String::new();
    for row in rows {
        out.push_str(row.name);
        let header = row.name == "MSH";
        if header {
            out.extend([field, component, repetition, escape, subcomponent]);
        }
        for text in row.fields.iter().skip(if header { 2 } else { 0 }) {
            out.push(field);
            out.push_str(text);
        }
        out.push('\r');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hl7::read;
    use proptest::prelude::*;

    type Tree = Vec<Vec<Vec<String>>>;

    fn nested(separators: Separators, field: &Tree) -> String {
        let component = |parts: &Vec<String>| {
            let parts: Vec<_> = parts.iter().map(|part| separators.text(part)).collect();
            parts.join(&separators.subcomponent.to_string())
        };
        let repetition = |parts: &Vec<Vec<String>>| {
            parts.iter().map(component).collect::<Vec<_>>().join(&separators.component.to_string())
        };
        field.iter().map(repetition).collect::<Vec<_>>().join(&separators.repetition.to_string())
    }

    fn any_text() -> impl Strategy<Value = String> {
        prop_oneof![any::<String>(), "[|^~&\\\\XFSTRE\r\n\u{0B}\u{1C}a0. ]{0,8}"]
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back_the_same(
            segments in prop::collection::vec(
                prop::collection::vec(
                    prop::collection::vec(prop::collection::vec(prop::collection::vec(any_text(), 1..3), 1..3), 1..3),
                    0..5),
                0..4),
            unusual in any::<bool>(),
        ) {
            let other = Separators { field: '!', component: '$', repetition: '%', escape: '/', subcomponent: '*' };
            let separators = if unusual { other } else { Separators::USUAL };
            let mut rows = vec![Row::new("MSH").with(3, "A")];
            for fields in &segments {
                rows.push(fields.iter().enumerate().fold(Row::new("OBX"), |row, (i, field)| {
                    row.with(i + 1, nested(separators, field))
                }));
            }
            let written = write(&rows, separators);
            prop_assert!(!written.contains(['\u{0B}', '\u{1C}']), "nothing in a message ends its frame");
            let message = read(&written).expect("own message");
            let back: Vec<Vec<Tree>> = message.segments.iter().skip(1).map(|segment| {
                (1..=segment.len()).map(|n| segment.field(n).repetitions().map(|repetition| {
                    repetition.components().map(|component| {
                        component.subcomponents().map(|part| part.text().into_owned()).collect()
                    }).collect()
                }).collect()).collect()
            }).collect();
            prop_assert_eq!(back, segments);
        }
    }
}
