//! What is wrong with a message, as one sentence that names segment and field.

use super::time::NoMoment;
use std::fmt;

/// Where in a message: the n-th segment of that name, counted from one, because set ids jump and restart in
/// real traffic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Name of the segment, `OBX`.
    pub segment: String,
    /// Which of the segments of that name, from 1.
    pub number: usize,
    /// Field, from 1; 0 for the segment as a whole.
    pub field: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.field {
            0 => write!(f, "{} {}", self.segment, self.number),
            field => write!(f, "{} {}, field {field}", self.segment, self.number),
        }
    }
}

/// A message that is refused, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Problem {
    /// Where, when it has a place.
    pub at: Option<Place>,
    /// What.
    pub cause: Cause,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.at {
            Some(place) => write!(f, "{place}: {}", self.cause),
            None => write!(f, "{}", self.cause),
        }
    }
}

impl From<Cause> for Problem {
    fn from(cause: Cause) -> Self {
        Self { at: None, cause }
    }
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Cause {
    /// No header segment at the start.
    #[error("the message does not start with MSH")]
    NoHeader,
    /// MSH-1 and MSH-2 do not name five different punctuation marks.
    #[error("the separators {} cannot be used", quoted(.0))]
    Separators(String),
    /// MSH-18 names a character set that is not read here.
    #[error("character set {} is not supported; send ASCII, UNICODE UTF-8 or 8859/1", quoted(.0))]
    Charset(String),
    /// A byte that the declared character set does not have.
    #[error("byte {offset} is not {charset}, which MSH-18 declares")]
    NotInCharset {
        /// Position in the message, from 0.
        offset: usize,
        /// The declared set.
        charset: &'static str,
    },
    /// A line that is no segment.
    #[error("line {line} is not a segment: {}", quoted(.text))]
    NotASegment {
        /// Line, from 1.
        line: usize,
        /// Its beginning.
        text: String,
    },
    /// A line feed where no text stands.
    #[error("a line break inside the field")]
    LineBreak,
    /// Two messages in one frame.
    #[error("line {line} starts a second message inside the first")]
    SecondHeader {
        /// Line, from 1.
        line: usize,
    },
    /// A required field or segment is empty.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// A field longer than the standard allows.
    #[error("{what} is longer than {limit} characters")]
    TooLong {
        /// What it is.
        what: &'static str,
        /// Longest allowed.
        limit: usize,
    },
    /// Not a message that this listener takes.
    #[error("message type {} is not taken here", quoted(.0))]
    MessageType(String),
    /// Implantable cardiac devices share the message type but are not for this clinic.
    #[error("reports of implantable cardiac devices are not taken here")]
    CardiacImplant,
    /// Not a version that is read here.
    #[error("HL7 version {} is not supported", quoted(.0))]
    Version(String),
    /// Training and debugging messages never reach a chart.
    #[error("processing id {} is not P (production)", quoted(.0))]
    ProcessingId(String),
    /// An acknowledgement came where a report was expected.
    #[error("this is an acknowledgement, not a report")]
    Acknowledgement,
    /// Segments in an order that the structure does not have.
    #[error("OBX before any OBR")]
    Order,
    /// Text where a number belongs.
    #[error("{} is not a number", quoted(.0))]
    NotANumber(String),
    /// The declared type of the value does not fit what is measured.
    #[error("value type {} where a number (NM) is needed", quoted(.0))]
    NotNumeric(String),
    /// Negative where nature has no negative.
    #[error("{0} is negative")]
    Negative(String),
    /// More than can be held.
    #[error("{0} is too large to hold")]
    TooLarge(String),
    /// A number without a unit.
    #[error("the number has no unit")]
    NoUnit,
    /// A unit that is not in the table.
    #[error("unit {} is not known", quoted(.0))]
    UnknownUnit(String),
    /// Code, name and alternate of the unit are of different units.
    #[error("the unit says both {0} and {1}")]
    UnitsDisagree(&'static str, &'static str),
    /// A known unit of something else.
    #[error("unit {unit} does not measure {name}")]
    UnitDoesNotFit {
        /// UCUM.
        unit: &'static str,
        /// What is measured.
        name: &'static str,
    },
    /// Code and name of the observation mean different things.
    #[error("the code means {0} but the name is {1}")]
    TermsDisagree(&'static str, &'static str),
    /// Not a date and time.
    #[error("{} is not a time", quoted(.0))]
    Time(String),
    /// A time without an offset in the hour of the night in which clocks are set.
    #[error("{} has no offset, and on the clinic's clock it comes twice or never that night", quoted(.0))]
    TimeTwiceOrNever(String),
    /// A value without OBX-11: the message may be cut, and whether the value counts is not said.
    #[error("the value has no result status")]
    NoStatus,
    /// Values of more than one patient.
    #[error("the message is about more than one patient")]
    TwoPatients,
    /// Values of somebody else than the patient at whose chair the device stands.
    #[error("the message names {0}")]
    OtherPatient(String),
    /// Another message under a number that the same device used before.
    #[error("the control id {} was used before for another message; this one is taken as new", quoted(.0))]
    NumberUsed(String),
    /// Values of more than one device.
    #[error("the message is about more than one device: {0} and {1}")]
    TwoDevices(String, String),
    /// Two different values for one thing, and nothing says which one counts.
    #[error("two different values for {0}")]
    TwoValues(&'static str),
    /// Values of two sources of a pump.
    #[error("values of the primary and of the secondary source, and nothing says which one is active")]
    TwoSources,
}

impl Cause {
    /// Of a text that is no moment.
    pub fn no_moment(text: String, why: NoMoment) -> Self {
        match why {
            NoMoment::NotATime => Self::Time(text),
            NoMoment::TwiceOrNever => Self::TimeTwiceOrNever(text),
        }
    }

    /// At a field of the n-th segment of a name.
    pub fn at(self, segment: &str, number: usize, field: usize) -> Problem {
        Problem { at: Some(Place { segment: segment.to_owned(), number, field }), cause: self }
    }

    /// HL7 table 0357 (v2.6, `terminology.hl7.org/CodeSystem/v2-0357`): the code and text for ERR-3.
    pub fn error_code(&self) -> (&'static str, &'static str) {
        match self {
            Self::NoHeader
            | Self::NotASegment { .. }
            | Self::LineBreak
            | Self::SecondHeader { .. }
            | Self::Order => ("100", "Segment sequence error"),
            Self::Missing(_) | Self::NoUnit | Self::NoStatus => ("101", "Required field missing"),
            Self::Separators(_)
            | Self::NotInCharset { .. }
            | Self::TooLong { .. }
            | Self::NotANumber(_)
            | Self::NotNumeric(_)
            | Self::Negative(_)
            | Self::TooLarge(_)
            | Self::Time(_)
            | Self::TimeTwiceOrNever(_) => ("102", "Data type error"),
            Self::Charset(_)
            | Self::UnknownUnit(_)
            | Self::UnitsDisagree(..)
            | Self::UnitDoesNotFit { .. }
            | Self::TermsDisagree(..) => ("103", "Table value not found"),
            Self::MessageType(_) | Self::CardiacImplant | Self::Acknowledgement => {
                ("200", "Unsupported message type")
            }
            Self::ProcessingId(_) => ("202", "Unsupported processing id"),
            Self::Version(_) => ("203", "Unsupported version id"),
            // "The ID of the patient, order, etc., was not found", and "already exists"; 207 is for errors within.
            Self::OtherPatient(_) => ("204", "Unknown key identifier"),
            Self::NumberUsed(_) => ("205", "Duplicate key identifier"),
            Self::TwoPatients | Self::TwoDevices(..) | Self::TwoValues(_) | Self::TwoSources => {
                ("207", "Application internal error")
            }
        }
    }

    /// Whether the message is turned away as such (AR, CR) and not for an error in its content (AE, CE).
    pub fn rejects(&self) -> bool {
        matches!(
            self,
            Self::NoHeader
                | Self::Separators(_)
                | Self::Charset(_)
                | Self::MessageType(_)
                | Self::CardiacImplant
                | Self::Acknowledgement
                | Self::ProcessingId(_)
                | Self::Version(_)
        )
    }
}

/// Text of the sender inside our sentence: short, and without control characters.
fn quoted(text: &str) -> String {
    const LONGEST: usize = 40;
    let start: String = text.chars().take(LONGEST).collect();
    let more = if text.chars().nth(LONGEST).is_some() { "…" } else { "" };
    format!("\"{}{more}\"", start.escape_debug())
}
