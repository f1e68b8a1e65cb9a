//! Acknowledgements: AA, AE, AR in original mode, CA, CE, CR in enhanced mode (HL7 v2.6 chapter 2; IHE PCD TF
//! Vol 2 asks for enhanced mode with MSH-15 `AL`).
//!
//! The plan is made from the raw bytes of the header, so MSA-2 gives MSH-10 back byte for byte, whatever its
//! character set, braces or leading blanks.

use crate::hl7::{Header, Place, Problem, Row, Separators, write, written};
use jiff::Timestamp;
use jiff::tz::Offset;

/// Which codes the sender understands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// AA, AE, AR.
    Original,
    /// CA, CE, CR.
    Enhanced,
}

/// For which outcomes the sender wants an answer (HL7 table 0155).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Always,
    Never,
    OnError,
    OnSuccess,
}

/// How one message will be answered, once it is known whether the log has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AckPlan {
    mode: Mode,
    wanted: Wanted,
    separators: Separators,
    control_id: Vec<u8>,
    to: [Vec<u8>; 2],
    from: [Vec<u8>; 2],
    trigger: Vec<u8>,
    processing_id: Vec<u8>,
    version: Vec<u8>,
    charset: Vec<u8>,
    refusal: Option<Refusal>,
    noted: Option<(Refusal, String)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Refusal {
    rejects: bool,
    code: (&'static str, &'static str),
    at: Option<Place>,
}

impl Refusal {
    fn of(problem: &Problem) -> Self {
        Self { rejects: problem.cause.rejects(), code: problem.cause.error_code(), at: problem.at.clone() }
    }
}

impl AckPlan {
    /// For a message with a readable header.
    pub fn of(header: &Header<'_>) -> Self {
        let raw = |n| header.raw(n).to_vec();
        let wanted = |n: usize| match header.raw(n).trim_ascii() {
            b"AL" => Some(Wanted::Always),
            b"NE" => Some(Wanted::Never),
            b"ER" => Some(Wanted::OnError),
            b"SU" => Some(Wanted::OnSuccess),
            _ => None,
        };
        let (mode, wanted) = match (wanted(15), wanted(16)) {
            (Some(Wanted::Never) | None, Some(application)) => (Mode::Original, application),
            (Some(accept), _) => (Mode::Enhanced, accept),
            (None, None) => (Mode::Original, Wanted::Always),
        };
        let component = |byte: &u8| char::from(*byte) == header.separators.component;
        let trigger = header.raw(9).split(component).nth(1).unwrap_or_default();
        Self {
            mode,
            wanted,
            separators: header.separators,
            control_id: raw(10),
            to: [raw(3), raw(4)],
            from: [raw(5), raw(6)],
            trigger: trigger.to_vec(),
            processing_id: raw(11),
            version: raw(12),
            charset: raw(18),
            refusal: None,
            noted: None,
        }
    }

    /// For bytes without a readable header: AR, to nobody, about nothing.
    pub fn unreadable() -> Self {
        Self {
            mode: Mode::Original,
            wanted: Wanted::Always,
            separators: Separators::USUAL,
            control_id: Vec::new(),
            to: Default::default(),
            from: Default::default(),
            trigger: Vec::new(),
            processing_id: Vec::new(),
            version: Vec::new(),
            charset: Vec::new(),
            refusal: None,
            noted: None,
        }
    }

    /// For a sender that only knows AA, whatever its header asks for.
    #[must_use]
    pub fn in_original_mode(mut self) -> Self {
        self.mode = Mode::Original;
        self.wanted = Wanted::Always;
        self
    }

    /// Puts place and code of the problem into the answer.
    #[must_use]
    pub fn refusing(mut self, problem: &Problem) -> Self {
        self.refusal = Some(Refusal::of(problem));
        self
    }

    /// Tells the sender what is wrong with a message that is taken all the same (HL7 table 0516: `W`, warning).
    #[must_use]
    pub fn noting(mut self, problem: &Problem) -> Self {
        self.noted = Some((Refusal::of(problem), problem.to_string()));
        self
    }

    /// Which mode the answer will use.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// MSH-10 of the message, as sent.
    pub fn control_id(&self) -> &[u8] {
        &self.control_id
    }

    /// The code that the answer will carry: AA, AE, AR, CA, CE or CR.
    pub fn code(&self, accepted: bool) -> &'static str {
        let rejects = self.refusal.as_ref().is_some_and(|refusal| refusal.rejects);
        match (self.mode, accepted && self.refusal.is_none(), rejects) {
            (Mode::Original, true, _) => "AA",
            (Mode::Original, false, false) => "AE",
            (Mode::Original, false, true) => "AR",
            (Mode::Enhanced, true, _) => "CA",
            (Mode::Enhanced, false, false) => "CE",
            (Mode::Enhanced, false, true) => "CR",
        }
    }

    /// Whether the sender wants to hear about this outcome.
    pub fn answers(&self, accepted: bool) -> bool {
        match self.wanted {
            Wanted::Always => true,
            Wanted::Never => false,
            Wanted::OnError => !accepted || self.refusal.is_some(),
            Wanted::OnSuccess => accepted && self.refusal.is_none(),
        }
    }
}

/// The answer, not framed; empty when the sender asked for none. `accepted` is the outcome in the log, with a
/// reason for a person when it was not taken; a plan that already refuses stays a refusal.
pub fn render(plan: &AckPlan, now: Timestamp, our_control_id: &str, accepted: Result<(), &str>) -> Vec<u8> {
    if !plan.answers(accepted.is_ok()) {
        return Vec::new();
    }
    let marks = plan.separators;
    let version = if plan.version.is_empty() { b"2.6".as_slice() } else { &plan.version };
    let mut type_parts = vec!["ACK"];
    let trigger = latin(&plan.trigger);
    if !trigger.is_empty() {
        type_parts.extend([trigger.as_str(), "ACK"]);
    }
    let header = Row::new("MSH")
        .with(3, latin(&plan.from[0]))
        .with(4, latin(&plan.from[1]))
        .with(5, latin(&plan.to[0]))
        .with(6, latin(&plan.to[1]))
        .with(7, written(now, Offset::UTC))
        .with(9, type_parts.join(&marks.component.to_string()))
        .with(10, marks.text(our_control_id))
        .with(11, if plan.processing_id.is_empty() { "P".to_owned() } else { latin(&plan.processing_id) })
        .with(12, latin(version))
        .with(18, latin(&plan.charset));
    let answer = Row::new("MSA").with(1, plan.code(accepted.is_ok())).with(2, latin(&plan.control_id));
    let mut rows = vec![header, answer];
    match (reason(plan, accepted), &plan.noted) {
        (Some(reason), _) => rows.push(error_row(marks, plan.refusal.as_ref(), "E", reason)),
        (None, Some((noted, words))) => rows.push(error_row(marks, Some(noted), "W", words)),
        (None, None) => {}
    }
    // Every character stands for one byte, see `latin`.
    write(&rows, marks).chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')).collect()
}

fn reason<'a>(plan: &AckPlan, accepted: Result<(), &'a str>) -> Option<&'a str> {
    match accepted {
        Err(reason) => Some(reason),
        Ok(()) => plan.refusal.as_ref().map(|_| "refused"),
    }
}

fn error_row(marks: Separators, problem: Option<&Refusal>, severity: &str, reason: &str) -> Row {
    let (code, text) = problem.map_or(("207", "Application internal error"), |problem| problem.code);
    let place = problem.and_then(|problem| problem.at.as_ref()).map(|place| {
        let field = if place.field == 0 { String::new() } else { place.field.to_string() };
        marks.components(&[&place.segment, &place.number.to_string(), &field])
    });
    // The reason quotes the sender in our words; only ASCII is sure to be in the sender's character set.
    let plain: String = reason.chars().map(|c| if c.is_ascii() { c } else { '?' }).collect();
    Row::new("ERR")
        .with(2, place.unwrap_or_default())
        .with(3, marks.components(&[code, text, "HL70357"]))
        .with(4, severity)
        .with(8, marks.text(&plain))
}

/// Bytes as text with one character a byte, so that they pass through the writer unchanged.
fn latin(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hl7::Cause;

    fn plan(message: &[u8]) -> AckPlan {
        AckPlan::of(&Header::of(message).expect("header"))
    }

    fn answer(plan: &AckPlan, accepted: Result<(), &str>) -> String {
        let now = "2026-02-03T15:30:01Z".parse().expect("time");
        String::from_utf8_lossy(&render(plan, now, "C1", accepted)).replace('\r', "\n")
    }

    fn message(accept: &str, application: &str) -> Vec<u8> {
        format!("MSH|^~\\&|MON^1^X|FAC|KIV|CLINIC|2026||ORU^R01^ORU_R01|M1|P|2.5|||{accept}|{application}")
            .into_bytes()
    }

    #[test]
    fn the_mode_follows_fifteen_and_sixteen() {
        let code = |accept, application, ok| {
            let plan = plan(&message(accept, application));
            (plan.answers(ok)).then(|| plan.code(ok))
        };
        for (accept, application, ok, expected) in [
            ("AL", "NE", true, Some("CA")),
            ("AL", "NE", false, Some("CE")),
            ("AL", "AL", true, Some("CA")),
            ("NE", "AL", true, Some("AA")),
            ("", "AL", false, Some("AE")),
            ("", "", true, Some("AA")),
            ("", "", false, Some("AE")),
            ("NE", "NE", true, None),
            ("NE", "NE", false, None),
            ("NE", "", true, None),
            ("ER", "NE", true, None),
            ("ER", "NE", false, Some("CE")),
            ("SU", "NE", true, Some("CA")),
            ("SU", "NE", false, None),
        ] {
            assert_eq!(code(accept, application, ok), expected, "{accept}/{application}/{ok}");
        }
        assert_eq!(plan(&message("AL", "NE")).in_original_mode().code(true), "AA");
        assert!(plan(&message("NE", "NE")).in_original_mode().answers(true));
    }

    #[test]
    fn an_acceptance_goes_back_to_the_sender() {
        assert_eq!(
            answer(&plan(&message("AL", "NE")), Ok(())),
            "MSH|^~\\&|KIV|CLINIC|MON^1^X|FAC|20260203153001+0000||ACK^R01^ACK|C1|P|2.5||||||\nMSA|CA|M1\n"
        );
    }

    #[test]
    fn a_refusal_names_place_and_reason() {
        let problem = Cause::UnknownUnit("f|o".to_owned()).at("OBX", 4, 6);
        let plan = plan(&message("", "")).refusing(&problem);
        let text = answer(&plan, Err(&problem.to_string()));
        assert!(text.contains("MSA|AE|M1\nERR||OBX^4^6|103^Table value not found^HL70357|E||||OBX 4, field 6: unit \"f\\F\\o\" is not known\n"), "{text}");
        assert!(answer(&plan, Ok(())).contains("MSA|AE|M1\nERR|"), "a refused message is never accepted");
        let rejected = plan.refusing(&Cause::Version("9".to_owned()).into());
        assert!(answer(&rejected, Err("no")).contains("MSA|AR|M1\n"));
    }

    #[test]
    fn what_is_taken_and_not_in_order_is_accepted_with_a_warning() {
        let plan = plan(&message("AL", "NE")).noting(&Cause::NumberUsed("M1".to_owned()).at("MSH", 1, 10));
        let text = answer(&plan, Ok(()));
        let warned = "MSA|CA|M1\nERR||MSH^1^10|205^Duplicate key identifier^HL70357|W||||MSH 1, field 10: the control id \"M1\" was";
        assert!(text.contains(warned), "{text}");
        assert!(answer(&plan, Err("not recorded")).contains("MSA|CE|M1\nERR|||207^"), "{text}");
    }

    #[test]
    fn a_log_that_did_not_take_it_is_an_application_error() {
        let text = answer(&plan(&message("AL", "NE")), Err("not recorded"));
        assert!(
            text.contains("MSA|CE|M1\nERR|||207^Application internal error^HL70357|E||||not recorded\n"),
            "{text}"
        );
    }

    #[test]
    fn the_control_id_comes_back_byte_for_byte() {
        for id in [b" {7B-1} ".as_slice(), b"a\\F\\b", b"M\xE4\xC3\xA4", b"\"\"", b"a^b&c~d"] {
            let message = [b"MSH|^~\\&|A|B|C|D|||ORU^R01|".as_slice(), id, b"|P|2.6\rPID"].concat();
            let answer = render(&plan(&message), Timestamp::UNIX_EPOCH, "C1", Ok(()));
            let expected = [b"\rMSA|AA|".as_slice(), id, b"\r"].concat();
            assert!(answer.ends_with(&expected), "{}", String::from_utf8_lossy(&answer));
        }
    }

    #[test]
    fn unreadable_bytes_get_a_rejection_without_control_id() {
        let problem = Cause::NoHeader.into();
        let text = answer(&AckPlan::unreadable().refusing(&problem), Err(&problem.to_string()));
        assert_eq!(
            text,
            "MSH|^~\\&|||||20260203153001+0000||ACK|C1|P|2.6||||||\nMSA|AR|\n\
             ERR|||100^Segment sequence error^HL70357|E||||the message does not start with MSH\n"
        );
    }

    #[test]
    fn the_answer_uses_the_separators_of_the_sender() {
        let plan = plan(b"MSH$%~\\&$A$B$C$D$$$ORU%R01$M1$P$2.6\r");
        assert!(
            answer(&plan, Ok(())).starts_with("MSH$%~\\&$C$D$A$B$20260203153001+0000$$ACK%R01%ACK$C1$P$2.6$")
        );
    }
}
