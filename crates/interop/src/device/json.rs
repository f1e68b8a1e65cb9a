//! The facts of one message as JSON, for the command line.

use super::{Decoded, decode};
use crate::mllp::{self, Framer};
use serde_json::{Value, json};

/// `{type, device, patient, observed_at, facts: [{code, name, value, unit, status}], ack}` of one message, with
/// or without its MLLP frame. Values are strings with the digits as sent; what is missing is `null`; `ack` is
/// the code with which the message would be acknowledged.
///
/// # Errors
/// One sentence for a person.
pub fn decode_json(bytes: &[u8]) -> Result<Value, String> {
    let message = unframed(bytes)?;
    let decoded = decode(&message, None).map_err(|refused| refused.to_string())?;
    Ok(shape(&decoded))
}

fn shape(decoded: &Decoded) -> Value {
    let facts: Vec<Value> = decoded
        .facts
        .iter()
        .map(|fact| {
            json!({ "code": fact.code, "name": fact.name, "value": fact.value, "unit": fact.unit, "status": fact.status })
        })
        .collect();
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
