//! MSH as raw bytes: it names the separators and the character set with which all the rest is read, and an
//! acknowledgement must give parts of it back byte for byte.

use super::{Cause, Problem};

/// The five marks of MSH-1 and MSH-2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Separators {
    /// Between fields.
    pub field: char,
    /// Between components.
    pub component: char,
    /// Between repetitions.
    pub repetition: char,
    /// Around escape sequences.
    pub escape: char,
    /// Between sub-components.
    pub subcomponent: char,
}

impl Separators {
    /// `|^~\&`, which nearly everyone uses and which we write.
    pub const USUAL: Self =
        Self { field: '|', component: '^', repetition: '~', escape: '\\', subcomponent: '&' };

    fn from_bytes(field: u8, encoding: &[u8]) -> Option<Self> {
        // A fifth mark, for truncation, came with version 2.7 and has no meaning for reading.
        let (&[component, repetition, escape, subcomponent]
        | &[component, repetition, escape, subcomponent, _]) = encoding
        else {
            return None;
        };
        let marks = [field, component, repetition, escape, subcomponent];
        let usable = marks.iter().all(u8::is_ascii_punctuation);
        let different =
            marks.iter().enumerate().all(|(i, mark)| !marks.iter().skip(i + 1).any(|m| m == mark));
        (usable && different).then(|| Self {
            field: field.into(),
            component: component.into(),
            repetition: repetition.into(),
            escape: escape.into(),
            subcomponent: subcomponent.into(),
        })
    }
}

/// The first segment, not yet decoded.
#[derive(Debug, Clone, Copy)]
pub struct Header<'a> {
    /// As MSH-1 and MSH-2 name them.
    pub separators: Separators,
    line: &'a [u8],
}

impl<'a> Header<'a> {
    /// Finds the header at the start of a message; blank lines and a byte order mark before it are skipped.
    ///
    /// # Errors
    /// [`Cause::NoHeader`] or [`Cause::Separators`].
    pub fn of(message: &'a [u8]) -> Result<Self, Problem> {
        let message = start(message);
        let line = message.split(|byte| matches!(byte, b'\r' | b'\n')).next().unwrap_or_default();
        let Some([field, rest @ ..]) = line.strip_prefix(b"MSH") else {
            return Err(Cause::NoHeader.into());
        };
        let encoding = rest.split(|byte| byte == field).next().unwrap_or_default();
        match Separators::from_bytes(*field, encoding) {
            Some(separators) => Ok(Self { separators, line }),
            None => {
                let marks = [&[*field], encoding].concat();
                Err(Cause::Separators(String::from_utf8_lossy(&marks).into_owned()).at("MSH", 1, 2))
            }
        }
    }

    /// Field `n` of the header as sent, `n` from 3; empty when absent.
    pub fn raw(&self, n: usize) -> &'a [u8] {
        let field = self.separators.field;
        self.line.split(|byte| char::from(*byte) == field).nth(n.saturating_sub(1)).unwrap_or_default()
    }
}

/// The message from its first letter on.
pub(super) fn start(message: &[u8]) -> &[u8] {
    message.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(message).trim_ascii_start()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unusual_separators_are_taken_and_impossible_ones_refused() {
        let header = Header::of(b"MSH$%!?*$APP$FAC\rPID").expect("header");
        assert_eq!(header.separators.component, '%');
        assert_eq!(header.raw(3), b"APP");
        assert_eq!(header.raw(4), b"FAC");
        assert_eq!(header.raw(40), b"");
        for wrong in
            ["MSH|^~|", "MSH|^^\\&|", "MSHA^~\\&A", "MSH|^~\\|x", "MSH|^ \\&|", "MSH|^~\\&12|", "MSH||x"]
        {
            let problem = Header::of(wrong.as_bytes()).expect_err(wrong);
            assert!(matches!(problem.cause, Cause::Separators(_)), "{wrong}: {problem}");
        }
        assert_eq!(Header::of(b"PID|1").expect_err("no header").cause, Cause::NoHeader);
        assert_eq!(Header::of(b"MSH").expect_err("nothing").cause, Cause::NoHeader);
    }

    #[test]
    fn the_truncation_mark_of_newer_versions_is_ignored() {
        assert_eq!(Header::of(b"MSH|^~\\&#|A").expect("header").raw(3), b"A");
    }
}
