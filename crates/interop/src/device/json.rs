//! The facts of one message as JSON, for the command line.

use super::{Decoded, Fact, decode};
use crate::hl7::{self, Place, Problem, moment};
use crate::mllp::{self, Framer};
use clinic::knowledge::plausibility::Plausibility;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

/// `{type, device, patient, observed_at, facts: [{code, name, value, unit, status}], ack}` of one message, with
/// or without its MLLP frame. Values are strings with the digits as sent; what is missing is `null`; `ack` is
/// the code with which the message would be acknowledged. `here` is the clinic's time zone, for times that come without
/// an offset; such times stand in `without_offset`. A value that by `plausibility` no patient can have has the status
/// `INV`.
///
/// # Errors
/// One sentence for a person.
pub fn decode_json(
    bytes: &[u8],
    here: Option<&TimeZone>,
    plausibility: Option<&Plausibility>,
) -> Result<Value, String> {
    let message = unframed(bytes)?;
    let decoded = decode(&message, here).map_err(|refused| refused.to_string())?;
    let mut said = shape(&decoded, plausibility);
    let without = without_offset(&message).map_err(|problem| problem.to_string())?;
    if let Some(said) = said.as_object_mut().filter(|_| !without.is_empty()) {
        said.insert("without_offset".to_owned(), without.into());
    }
    Ok(said)
}

/// The times that are the wall clock's of nobody knows where, each with its place: the sender gives an offset neither
/// there nor for the whole message.
fn without_offset(message: &[u8]) -> Result<Vec<String>, Problem> {
    let text = hl7::text(message)?;
    let message = hl7::read(&text)?;
    let times = message.segments.iter().filter_map(|segment| {
        let field = match segment.name {
            "MSH" | "OBR" => 7,
            "OBX" => 14,
            _ => return None,
        };
        Some((segment, field, segment.field(field).word()?))
    });
    let bare = |time: &str| moment(time, None).is_ok_and(|moment| moment.offset.is_none());
    let mut without = Vec::new();
    for (segment, field, time) in times {
        match (segment.name, bare(&time)) {
            // HL7 lets the offset of MSH-7 hold for the whole message.
            ("MSH", false) => return Ok(Vec::new()),
            (_, true) => without.push(format!(
                "{}: {time}",
                Place { segment: segment.name.to_owned(), number: segment.number, field }
            )),
            (_, false) => {}
        }
    }
    Ok(without)
}

/// Whether no patient can have it, alone or beside what came with it.
fn cannot_be(fact: &Fact, decoded: &Decoded, plausibility: &Plausibility) -> bool {
    let Some((this, value)) = fact.vital else { return false };
    let beside = |parameter| {
        let found = decoded.facts.iter().filter_map(|other| other.vital).find(|(one, _)| *one == parameter);
        found.map(|(_, value)| value)
    };
    let value_of = |parameter| if parameter == this { Some(value) } else { beside(parameter) };
    plausibility.impossible(value_of).contains(&this)
}

fn shape(decoded: &Decoded, plausibility: Option<&Plausibility>) -> Value {
    let shown = |fact: &Fact| {
        let invalid = plausibility.is_some_and(|rule| cannot_be(fact, decoded, rule));
        let status = if invalid { "INV" } else { &fact.status };
        json!({ "code": fact.code, "name": fact.name, "value": fact.value, "unit": fact.unit, "status": status })
    };
    let facts: Vec<Value> = decoded.facts.iter().map(shown).collect();
    json!({
        "type": decoded.message_type,
        "device": decoded.message.device,
        "patient": decoded.message.patient.mrn,
        "observed_at": decoded.observed_at,
        "facts": facts,
        "ack": decoded.ack.code(true),
    })
}

fn unframed(bytes: &[u8]) -> Result<Vec<u8>, String> {
    if !mllp::is_framed(bytes) {
        return Ok(bytes.to_vec());
    }
    let mut framer = Framer::new();
    let mut frames = framer.feed(bytes);
    frames.extend(framer.finish().map(Err));
    match (frames.len(), frames.pop()) {
        (1, Some(frame)) => frame.map_err(|error| error.to_string()),
        (count, _) => Err(format!("the file holds {count} frames; give one at a time")),
    }
}
