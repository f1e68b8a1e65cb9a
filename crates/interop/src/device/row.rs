//! OBX segments with all that applies to them: term, flags, status, time and channel. A value belongs to the
//! nearest container above it by the prefix of OBX-4, not by position.

use super::Fact;
use super::terms::{self, Means, Measure, Term};
use super::unit;
use crate::hl7::{Cause, Message, Problem, Segment, Value, moment};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;
use std::collections::HashMap;

/// What OBX-8 says of the value (IHE PCD TF Vol 2, B.8).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Flag {
    Plain,
    /// The device doubts it: questionable, or calibrating.
    Doubtful,
    /// Not available, invalid, probe off.
    NoValue,
    /// From a test or a demonstration.
    Test,
}

/// One OBX.
#[derive(Debug, Clone)]
pub(crate) struct Row<'a> {
    pub(crate) segment: Segment<'a>,
    /// Which OBR it belongs to, from 1.
    pub(crate) group: usize,
    pub(crate) term: Option<&'static Term>,
    pub(crate) flag: Flag,
    flag_text: String,
    /// Whether OBX-11 says that the value counts.
    pub(crate) counts: bool,
    status: Option<String>,
    /// Own time, else the channel's, else the report's.
    pub(crate) time: Option<Timestamp>,
    /// Name of the nearest container.
    pub(crate) channel: &'a str,
}

/// All OBX of a message.
#[derive(Debug)]
pub(crate) struct Reports<'a> {
    pub(crate) rows: Vec<Row<'a>>,
    /// OBR-7 of the first report that has one.
    pub(crate) observed_at: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Container<'a> {
    name: &'a str,
    /// Own time; the inner `None` is a time that is no point in time.
    time: Option<Option<Timestamp>>,
}

/// Longest OBX-4 whose containers are looked up; real ones have 30 characters at most.
const PATH_CHARS_MAX: usize = 64;

/// Reads all OBX in order. `zone` is the sender's, else the clinic's, for times without an offset.
pub(crate) fn reports<'a>(message: &Message<'a>, zone: Option<&TimeZone>) -> Result<Reports<'a>, Problem> {
    let mut reports = Reports { rows: Vec::new(), observed_at: None };
    let mut containers: HashMap<&str, Container<'a>> = HashMap::new();
    let mut group = 0;
    let mut report_time = None;
    for segment in &message.segments {
        match segment.name {
            "OBR" => {
                group += 1;
                containers.clear();
                report_time = time(segment, 7, zone)?.flatten();
                reports.observed_at = reports.observed_at.or(report_time);
            }
            "OBX" if group == 0 => return Err(segment.problem(0, Cause::Order)),
            "OBX" => {
                let own = time(segment, 14, zone)?;
                let path = segment.field(4).raw().trim();
                let mut row = row(*segment, group)?;
                if row.is_container() {
                    let name = segment.field(3).component(2).raw();
                    containers.insert(prefix(path), Container { name, time: own });
                }
                let (channel, inherited) = above(path, &containers);
                row.channel = channel;
                row.time = own.or(inherited).unwrap_or(report_time);
                reports.rows.push(row);
            }
            _ => {}
        }
    }
    Ok(reports)
}

/// Name of the nearest container, and time of the nearest one that has a time.
fn above<'a>(path: &str, containers: &HashMap<&str, Container<'a>>) -> (&'a str, Option<Option<Timestamp>>) {
    let mut rest = if path.len() > PATH_CHARS_MAX { "" } else { path };
    let mut name = "";
    while let Some((parent, _)) = rest.rsplit_once('.') {
        rest = parent;
        if let Some(container) = containers.get(rest) {
            name = if name.is_empty() { container.name } else { name };
            if container.time.is_some() {
                return (name, container.time);
            }
        }
    }
    (name, None)
}

/// `1.1.0.0` stands for everything under `1.1`.
fn prefix(path: &str) -> &str {
    let mut rest = path;
    while let Some(shorter) = rest.strip_suffix(".0") {
        rest = shorter;
    }
    rest
}

fn time(
    segment: &Segment<'_>,
    field: usize,
    zone: Option<&TimeZone>,
) -> Result<Option<Option<Timestamp>>, Problem> {
    match segment.field(field).word() {
        None => Ok(None),
        Some(text) => match moment(&text, zone) {
            Ok(moment) => Ok(Some(moment.at)),
            Err(why) => Err(segment.problem(field, Cause::no_moment(text, why))),
        },
    }
}

fn row<'a>(segment: Segment<'a>, group: usize) -> Result<Row<'a>, Problem> {
    let term = terms::find(segment.field(3)).map_err(|cause| segment.problem(3, cause))?;
    let (flag, flag_text) = flag(segment.field(8));
    let mut row =
        Row { segment, group, term, flag, flag_text, counts: false, status: None, time: None, channel: "" };
    if row.is_skipped() || row.is_container() {
        return Ok(row);
    }
    (row.status, row.counts) = status(&segment);
    // Line feeds belong into texts; here one shows that the message was cut in the segment after this one.
    if row.status.as_ref().is_some_and(|status| status.contains('\n')) {
        return Err(segment.problem(11, Cause::LineBreak));
    }
    if row.status.is_none() && (term.is_some() || !segment.field(5).is_empty()) {
        return Err(segment.problem(11, Cause::NoStatus));
    }
    Ok(row)
}

fn flag(field: Value<'_>) -> (Flag, String) {
    let mut worst = (Flag::Plain, String::new());
    for repetition in field.repetitions() {
        let text = repetition.component(1).text().trim().to_ascii_uppercase();
        let flag = match text.as_str() {
            "TEST" | "DEMO" => Flag::Test,
            "NAV" | "INV" | "OFF" => Flag::NoValue,
            "QUES" | "CALIB" => Flag::Doubtful,
            _ => Flag::Plain,
        };
        if flag > worst.0 {
            worst = (flag, text);
        }
    }
    worst
}

/// OBX-11 (HL7 table 0085) and whether the value counts by it: a status outside of the table never makes it
/// count. Some senders leave one field out and end with the status in OBX-10.
fn status(segment: &Segment<'_>) -> (Option<String>, bool) {
    let at = match (segment.field(11).is_empty(), segment.len()) {
        (true, 10) => 10,
        _ => 11,
    };
    let status = segment.field(at).word();
    let counts = matches!(status.as_deref(), Some("R" | "F" | "P" | "C" | "S" | "U" | "B" | "V"));
    (status, counts)
}

impl Row<'_> {
    /// Waveforms, ranges and attachments are not values.
    pub(crate) fn is_skipped(&self) -> bool {
        matches!(self.segment.field(2).raw().trim(), "NA" | "MA" | "NR" | "ED" | "RP")
    }

    /// Whether it only names a device, a part or a channel.
    pub(crate) fn is_container(&self) -> bool {
        match self.term.map(|term| term.means) {
            Some(Means::Device(_)) => true,
            Some(_) => false,
            None => self.segment.field(5).is_empty() && self.segment.field(4).raw().trim().ends_with(".0"),
        }
    }

    /// Whether the value may be used: it is there, it counts, and it is from no test.
    pub(crate) fn is_usable(&self) -> bool {
        self.flag == Flag::Plain && self.counts && !self.segment.field(5).is_empty()
    }

    /// What the row stands for, when it carries a value of the table.
    pub(crate) fn means(&self) -> Option<Means> {
        self.term.filter(|_| !self.is_skipped()).map(|term| term.means)
    }

    /// The number in the base unit of its kind; `None` when the device sent none or flags it as none.
    pub(crate) fn number(&self) -> Result<Option<Decimal>, Problem> {
        let Some((term, measure)) = self.term.and_then(|term| Some((term, term.means.measure()?))) else {
            return Ok(None);
        };
        let Some(value) = self.decimal()? else { return Ok(None) };
        let unit = unit::find(self.segment.field(6)).map_err(|cause| self.segment.problem(6, cause))?;
        let base = match unit {
            None if measure == Measure::Bare => Some(value),
            None => return Err(self.segment.problem(6, Cause::NoUnit)),
            Some(unit) if !unit.measures(measure) => {
                let cause = Cause::UnitDoesNotFit { unit: unit.ucum, name: term.refid };
                return Err(self.segment.problem(6, cause));
            }
            Some(unit) => unit.in_base(value),
        };
        base.map(Some).ok_or_else(|| self.segment.problem(5, Cause::TooLarge(value.to_string())))
    }

    /// The number as sent. Only digits, a sign and a point make a number: no exponent, no `NaN`, no `<10`.
    fn decimal(&self) -> Result<Option<Decimal>, Problem> {
        let field = self.segment.field(5);
        if matches!(self.flag, Flag::NoValue | Flag::Test) || field.is_empty() {
            return Ok(None);
        }
        let kind = self.segment.field(2).raw().trim();
        if kind != "NM" {
            return Err(self.segment.problem(2, Cause::NotNumeric(kind.to_owned())));
        }
        let text = field.text();
        match plain_decimal(text.trim()) {
            Some(value) => Ok(Some(value)),
            None => Err(self.segment.problem(5, Cause::NotANumber(text.into_owned()))),
        }
    }

    /// The text of a coded or plain value: the name in component 2 where there is one, else component 1.
    pub(crate) fn word(&self) -> Option<String> {
        let field = self.segment.field(5);
        match self.segment.field(2).raw().trim() {
            "CWE" | "CE" | "CNE" | "CF" => field.component(2).word().or_else(|| field.component(1).word()),
            _ => match field.word() {
                Some(_) if field.component(1).is_empty() => field.component(2).word(),
                whole => whole,
            },
        }
    }

    /// The neutral form; `None` for rows without a value of their own.
    pub(crate) fn fact(&self) -> Result<Option<Fact>, Problem> {
        let field = self.segment.field(5);
        let nothing = field.is_empty() && self.term.is_none();
        if self.is_skipped() || self.is_container() || nothing {
            return Ok(None);
        }
        let measured = self.means().and_then(Means::measure).is_some();
        let numeric = measured || self.segment.field(2).raw().trim() == "NM";
        let number = if measured { self.number()? } else { None };
        if numeric && !measured {
            self.decimal()?;
        }
        let vital = match self.means() {
            Some(Means::Vital(parameter, _)) => number.map(|number| (parameter, number)),
            _ => None,
        };
        let value = match numeric {
            _ if self.flag == Flag::NoValue => None,
            true => field.word(),
            false => self.word(),
        };
        let (code, name) = self.identifier();
        let status = match self.flag {
            Flag::Plain => self.status.clone().unwrap_or_default(),
            _ => self.flag_text.clone(),
        };
        Ok(Some(Fact { code, name, value, unit: self.unit_text().filter(|_| numeric), status, vital }))
    }

    fn identifier(&self) -> (String, String) {
        let sent = |n| self.segment.field(3).component(n).text().trim().to_owned();
        match self.term {
            Some(term) if term.code != 0 => (term.code.to_string(), term.refid.to_owned()),
            Some(term) => (sent(1), term.refid.to_owned()),
            None => (sent(1), sent(2)),
        }
    }

    fn unit_text(&self) -> Option<String> {
        let field = self.segment.field(6);
        match unit::find(field) {
            Ok(known) => known.map(|unit| unit.ucum.to_owned()),
            Err(_) => [1, 2].into_iter().find_map(|n| field.component(n).word()),
        }
    }
}

fn plain_decimal(text: &str) -> Option<Decimal> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let some_digit = !whole.is_empty() || !fraction.is_empty();
    if !(some_digit && all_digits(whole) && all_digits(fraction)) {
        return None;
    }
    Decimal::from_str_exact(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_digits_sign_and_point_make_a_number() {
        for (text, value) in [("97", "97"), ("+97.50", "97.50"), ("-0.5", "-0.5"), (".5", "0.5"), ("5.", "5")]
        {
            assert_eq!(plain_decimal(text).map(|d| d.to_string()).as_deref(), Some(value), "{text}");
        }
        for text in
            ["", "-", ".", "NaN", "inf", "1e3", "1_000", "1,5", "<10", "9 7", "97%", "٩٧", "--1", "0x10"]
        {
            assert_eq!(plain_decimal(text), None, "{text}");
        }
        for text in ["9".repeat(40), format!("0.{}", "1".repeat(40))] {
            assert_eq!(plain_decimal(&text), None, "more digits than can be held exactly");
        }
    }

    #[test]
    fn a_prefix_leaves_out_the_trailing_zeros_only() {
        assert_eq!(prefix("1.16.1.0"), "1.16.1");
        assert_eq!(prefix("1.0.0.0"), "1");
        assert_eq!(prefix("1.10"), "1.10");
        assert_eq!(prefix("0"), "0");
    }
}
