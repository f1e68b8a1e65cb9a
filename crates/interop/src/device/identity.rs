//! Which device measured, and whom the message names. Both decide on whose chart a value lands, so two answers
//! are a refusal.

use super::row::Row;
use super::terms::Means;
use crate::hl7::{Cause, Message, Problem, Segment, Value};
use clinic::device::NamedPatient;
use clinic::id::DeviceId;
use clinic::patient::shares_a_word;
use jiff::civil::Date;

/// The device: its system id, else OBX-18 of its top container, else of its values, else the gateway with the
/// place. Returns the strongest and the others.
pub(crate) fn device(
    header: &Segment<'_>,
    message: &Message<'_>,
    rows: &[Row<'_>],
) -> Result<(DeviceId, Vec<DeviceId>), Problem> {
    let systems = rows.iter().filter(|row| row.means() == Some(Means::SystemId));
    let tops = rows.iter().filter(|row| matches!(row.means(), Some(Means::Device(_))));
    let instance = |row: &Row<'_>| instance(row.segment.field(18));
    let system = only_one(systems, 5, Row::word)?;
    let named = match only_one(tops, 18, instance)? {
        Some(top) => Some(top),
        None => only_one(rows.iter(), 18, instance)?,
    };
    // A gateway speaks for many devices: it is a name for one that has none, never a second name.
    let mut own = [system, named].into_iter().flatten().map(DeviceId);
    match own.next().or_else(|| gateway(header, message).map(DeviceId)) {
        Some(strongest) => {
            let others = own.filter(|other| *other != strongest).collect();
            Ok((strongest, others))
        }
        None => Err(header.problem(3, Cause::Missing("the sender, which must name the device here,"))),
    }
}

fn only_one<'r, 'a: 'r>(
    rows: impl Iterator<Item = &'r Row<'a>>,
    field: usize,
    name: impl Fn(&Row<'a>) -> Option<String>,
) -> Result<Option<String>, Problem> {
    let mut found: Option<String> = None;
    for row in rows {
        match (name(row), &found) {
            (Some(name), Some(first)) if *first != name => {
                return Err(row.segment.problem(field, Cause::TwoDevices(first.clone(), name)));
            }
            (Some(name), None) => found = Some(name),
            _ => {}
        }
    }
    Ok(found)
}

/// An entity identifier. Component 1 alone may be a serial number; the universal id alone may be the vendor's,
/// the same for all its devices. Together they are the device.
fn instance(field: Value<'_>) -> Option<String> {
    let part = |n: usize| field.component(n).word();
    match (part(1), part(3), part(4)) {
        (Some(label), Some(universal), Some(_)) => Some(format!("{label}:{universal}")),
        (Some(label), ..) => Some(label),
        (None, Some(universal), Some(_)) => Some(universal),
        _ => None,
    }
}

fn gateway(header: &Segment<'_>, message: &Message<'_>) -> Option<String> {
    let application = header.field(3);
    let name: Vec<String> = [1, 2].into_iter().filter_map(|n| application.component(n).word()).collect();
    if name.is_empty() {
        return None;
    }
    let place = message.segments.iter().find(|segment| segment.name == "PV1").map(|visit| {
        visit.field(3).components().take(3).filter_map(|part| part.word()).collect::<Vec<_>>().join(".")
    });
    let place = place.filter(|place| !place.is_empty()).map(|place| format!("@{place}"));
    Some(format!("{}{}", name.join(":"), place.unwrap_or_default()))
}

/// PID-3.1 names the patient: the medical record number (type MR) where several are sent, else the one without a type,
/// else the first. PID-5 and PID-7 are taken as well, because a right number may stand beside another person. Two record
/// numbers, two numbers without a type and no record number to tell which counts, an old number (PID-2, PID-4) that
/// PID-3 does not have, or two names without a word in common are two patients.
pub(crate) fn patient(message: &Message<'_>) -> Result<NamedPatient, Problem> {
    let mut segments = message.segments.iter().filter(|segment| segment.name == "PID");
    let Some(person) = segments.next() else { return Ok(NamedPatient::default()) };
    if let Some(second) = segments.next() {
        return Err(second.problem(0, Cause::TwoPatients));
    }
    let numbers: Vec<_> =
        person.field(3).repetitions().filter(|number| !number.component(1).is_empty()).collect();
    let of_type = |wanted: &str| {
        let typed = numbers.iter().filter(|number| number.component(5).raw().trim() == wanted);
        typed.collect::<Vec<_>>()
    };
    let records = Some(of_type("MR")).filter(|records| !records.is_empty()).unwrap_or_else(|| of_type(""));
    let record = records.first().copied().or(numbers.first());
    let mrn = record.and_then(|number| number.component(1).word());
    if records.into_iter().any(|other| !is_number(other, mrn.as_deref())) {
        return Err(person.problem(3, Cause::TwoPatients));
    }
    for field in [2, 4] {
        let mut old = person.field(field).repetitions().filter(|number| !number.component(1).is_empty());
        let is_known = |old: &Value<'_>| {
            let old = old.component(1).word();
            numbers.iter().any(|number| is_number(number, old.as_deref()))
        };
        if old.any(|old| !is_known(&old)) {
            return Err(person.problem(field, Cause::TwoPatients));
        }
    }
    let names: Vec<String> = person.field(5).repetitions().filter_map(name).collect();
    if let Some((first, others)) = names.split_first()
        && others.iter().any(|other| !shares_a_word(first, other))
    {
        return Err(person.problem(5, Cause::TwoPatients));
    }
    if person.field(31).raw().trim() == "Y" || mrn.as_deref().is_some_and(names_nobody) {
        return Ok(NamedPatient::default());
    }
    Ok(NamedPatient { mrn, name: names.into_iter().next(), born: born(person)? })
}

/// Capitals and blanks around do not make another number.
fn is_number(sent: &Value<'_>, number: Option<&str>) -> bool {
    let sent = sent.component(1).word();
    sent.as_deref().map(str::to_lowercase) == number.map(str::to_lowercase)
}

/// PID-5.1.1 is the surname, what follows it are prefixes of a spouse; PID-5.2 and PID-5.3 are the given names.
fn name(name: Value<'_>) -> Option<String> {
    let family = name.component(1).subcomponents().next().and_then(|name| name.word());
    let given = [2, 3].map(|n| name.component(n).word());
    let words: Vec<String> = std::iter::once(family).chain(given).flatten().collect();
    Some(words.join(" ")).filter(|name| !name.is_empty() && !names_nobody(name))
}

/// PID-7. A year alone and a row of zeros name no day.
fn born(person: &Segment<'_>) -> Result<Option<Date>, Problem> {
    let Some(text) = person.field(7).word() else { return Ok(None) };
    let wrong = || person.problem(7, Cause::Time(text.clone()));
    let digits = text.split(['+', '-', '.']).next().unwrap_or_default();
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(wrong());
    }
    match digits.get(..8) {
        Some("00000000") | None => Ok(None),
        Some(day) => Date::strptime("%Y%m%d", day).map(Some).map_err(|_| wrong()),
    }
}

/// Pumps without a patient send words in the place of the number.
fn names_nobody(number: &str) -> bool {
    ["unknown patient", "unknown"].iter().any(|words| number.eq_ignore_ascii_case(words))
}
