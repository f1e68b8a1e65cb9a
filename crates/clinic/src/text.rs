//! Text that people type: what counts as a reason, how long each kind may be, and which characters are no text.

use email_address::{EmailAddress, Options};

/// Fewest digits with which a phone rings somewhere.
const PHONE_DIGITS_MIN: usize = 5;
/// Fewest letters of a reason.
pub const LETTERS_MIN: usize = 3;

/// Most characters of text on several lines: so much fills a page of the printed record.
pub const WORDS_LONGEST: usize = 2_000;

/// Most characters of a line: a name with titles or a ward with its hospital, on one line of the printed record.
pub const LINE_LONGEST: usize = 120;

/// Most characters of a word read from a label or a display: what stands there is shorter.
pub const WORD_LONGEST: usize = 60;

/// Most characters of an id: a form's has at most 64, and a device's is its label beside its gateway's.
pub const ID_LONGEST: usize = 200;

/// What a text is for, which says how little of it is too little and how much is too much. That there is none at all is
/// for whoever asks for it to judge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Why something is done or how it ended: it says something.
    Reason,
    /// Words on several lines.
    Words,
    /// One line.
    Line,
    /// Of a person: it has letters, of any script.
    Name,
    /// Of a phone: it has the digits of one.
    Phone,
    /// A word read from a label or a display.
    Word,
    /// Made by a program; nobody types it.
    Id,
}

/// A text that cannot be taken: what it has, and what is accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfit {
    /// For example `2001 characters long`.
    pub value: String,
    /// For example `at most 2000`.
    pub accepted: String,
}

impl Kind {
    const fn longest(self) -> usize {
        match self {
            Self::Reason | Self::Words => WORDS_LONGEST,
            Self::Line | Self::Name | Self::Phone => LINE_LONGEST,
            Self::Word => WORD_LONGEST,
            Self::Id => ID_LONGEST,
        }
    }

    /// Takes the text or says what is wrong with it.
    ///
    /// # Errors
    /// It is too long, says nothing, or holds a character that is no text.
    pub fn check(self, text: &str) -> Result<(), Unfit> {
        let (length, most) = (text.chars().count(), self.longest());
        if length > most {
            let (value, accepted) = (long(length), format!("at most {most}"));
            return Err(Unfit { value, accepted });
        }
        let lines = matches!(self, Self::Reason | Self::Words);
        if let Some(unfit) = if lines { unfit(text) } else { unfit_in_line(text) } {
            let value = format!("a text with the character U+{:04X}", u32::from(unfit));
            let accepted =
                if lines { "what can be seen" } else { "what can be seen, on one line" }.to_owned();
            return Err(Unfit { value, accepted });
        }
        if let Some(accepted) = self.lacks(text).filter(|_| !text.trim().is_empty()) {
            return Err(Unfit { value: format!("“{text}”"), accepted });
        }
        let letters = letters(text);
        if self == Self::Reason && !text.trim().is_empty() && letters < LETTERS_MIN {
            let value = format!("{}, {letters} of them letters", long(length));
            let accepted = format!("words with at least {LETTERS_MIN} letters, in at most {most} characters");
            return Err(Unfit { value, accepted });
        }
        Ok(())
    }

    /// What a name or a number has not that makes it one.
    fn lacks(self, text: &str) -> Option<String> {
        match self {
            Self::Name if letters(text) == 0 => Some("a name, in letters".to_owned()),
            Self::Phone if !rings(text) => {
                Some(format!("a number with at least {PHONE_DIGITS_MIN} digits, with the area code"))
            }
            _ => None,
        }
    }
}

/// Whether a phone of that number rings somewhere.
pub fn rings(number: &str) -> bool {
    number.chars().filter(|c| c.is_numeric()).count() >= PHONE_DIGITS_MIN
}

fn long(length: usize) -> String {
    format!("{length} character{} long", if length == 1 { "" } else { "s" })
}

fn letters(text: &str) -> usize {
    text.chars().filter(|character| character.is_alphabetic()).count()
}

/// Whether the text says anything: at least [`LETTERS_MIN`] letters of any script.
pub fn is_reason(text: &str) -> bool {
    letters(text) >= LETTERS_MIN
}

/// The reason, where one was given.
pub fn says_why(text: Option<String>) -> Option<String> {
    text.filter(|text| is_reason(text))
}

/// The first character that cannot stand in a record: a control character other than a line break or a tab, or one
/// that turns the order of what is read.
pub fn unfit(text: &str) -> Option<char> {
    let unseen = |c: &char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
    text.chars().find(|c| unseen(c) || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'))
}

/// The same for a name or a number, which has no line breaks either.
pub fn unfit_in_line(text: &str) -> Option<char> {
    text.chars().find(|c| c.is_control()).or_else(|| unfit(text))
}

/// Whether the text is an e-mail address at a domain (RFC 5321), without a name around it.
pub fn is_email(text: &str) -> bool {
    let options = Options::default().with_required_tld().without_display_text().without_domain_literal();
    EmailAddress::parse_with_options(text, options).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_has_letters() {
        for reason in ["spilled", "BP up", "0.5 mL left in the line", "пролито"] {
            assert!(is_reason(reason), "{reason:?}");
        }
        for none in ["", " ", ".", "...", "-", "x", "ok", "1234", "\u{200b}\u{200b}\u{200b}"] {
            assert!(!is_reason(none), "{none:?}");
        }
        assert_eq!(says_why(Some(".".to_owned())), None);
    }

    #[test]
    fn each_kind_of_text_has_its_bounds_and_tells_them() {
        let long = |length: usize| "a".repeat(length);
        for (kind, most) in [
            (Kind::Reason, WORDS_LONGEST),
            (Kind::Words, WORDS_LONGEST),
            (Kind::Line, LINE_LONGEST),
            (Kind::Word, WORD_LONGEST),
            (Kind::Id, ID_LONGEST),
        ] {
            assert_eq!(kind.check(&long(most)), Ok(()));
            let unfit = kind.check(&long(most + 1)).expect_err("too long");
            assert_eq!(
                (unfit.value, unfit.accepted),
                (format!("{} characters long", most + 1), format!("at most {most}"))
            );
            let unfit = kind.check("nul\0l").expect_err("no text");
            assert_eq!(unfit.value, "a text with the character U+0000");
            let lines = matches!(kind, Kind::Reason | Kind::Words);
            assert_eq!(kind.check("two\r\nlines").is_ok(), lines, "{kind:?}");
            assert_eq!(kind.check("x").is_ok(), kind != Kind::Reason, "{kind:?}");
            assert_eq!(kind.check(" "), Ok(()), "whether it must be there is another question");
        }
        let unfit = Kind::Reason.check("x 1.").expect_err("says nothing");
        assert_eq!(unfit.value, "4 characters long, 1 of them letters");
        assert_eq!(unfit.accepted, "words with at least 3 letters, in at most 2000 characters");
    }

    #[test]
    fn what_cannot_be_seen_or_turns_what_is_read_is_no_text() {
        for (text, unfit_there) in [
            ("Zoë O’Neill 王", None),
            ("two\r\nlines\tand a tab", None),
            ("nul\0", Some('\0')),
            ("\u{1b}[31m", Some('\u{1b}')),
            ("\u{202e}anA", Some('\u{202e}')),
            ("\u{2066}x", Some('\u{2066}')),
        ] {
            assert_eq!(unfit(text), unfit_there, "{text:?}");
        }
        assert_eq!(unfit_in_line("Ana\nRivera"), Some('\n'));
        assert_eq!(unfit_in_line("Ana Rivera"), None);
    }
}
