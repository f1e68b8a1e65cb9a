//! Text that people type: what counts as a reason, and which characters are no text.

use email_address::{EmailAddress, Options};

/// Fewest letters of a reason.
pub const LETTERS_MIN: usize = 3;

/// Whether the text says anything: at least [`LETTERS_MIN`] letters of any script.
pub fn is_reason(text: &str) -> bool {
    text.chars().filter(|character| character.is_alphabetic()).count() >= LETTERS_MIN
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
