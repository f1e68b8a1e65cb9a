//! How a simulated device speaks: who it says it is, by which clock, with which number, and whether it was heard.

use interop::encode::{Envelope, Instance, Patient};
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};
use thiserror::Error;

/// Which device of a chair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Device {
    /// Vital signs.
    Monitor,
    /// Infusion.
    Pump,
}

/// One message on its way, without its envelope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// From which device.
    pub device: Device,
    /// Its number, which the answer must carry.
    pub control_id: String,
    /// HL7 v2.6.
    pub bytes: Vec<u8>,
}

/// What a device says of itself in every message.
#[derive(Debug, Clone)]
pub struct Line {
    instance: Instance,
    place: [String; 3],
    patient: Option<Patient>,
    clock_off: SignedDuration,
    sent: u64,
}

impl Line {
    /// A device at a chair. `n` makes its identity; `clock_off` is how far its clock is ahead.
    pub fn new(label: &str, n: u64, chair: &str, clock_off: SignedDuration) -> Self {
        // 02-… is an address that nobody was given: no real device can have it.
        let instance = Instance { label: label.to_owned(), eui64: format!("02C4A1FFFE{n:06X}") };
        let place = ["INFUSION".to_owned(), "ROOM-1".to_owned(), format!("CHAIR-{chair}")];
        Self { instance, place, patient: None, clock_off, sent: 0 }
    }

    /// Somebody enters the patient at the device.
    pub fn admit(&mut self, patient: Option<Patient>) {
        self.patient = patient;
    }

    /// The device as its messages name it.
    pub const fn instance(&self) -> &Instance {
        &self.instance
    }

    /// Its own clock at a moment.
    pub fn clock(&self, at: Timestamp) -> Timestamp {
        at.saturating_add(self.clock_off).unwrap_or(at)
    }

    /// Around the next message, sent at `at`.
    pub fn envelope(&mut self, at: Timestamp) -> Envelope {
        self.sent += 1;
        Envelope {
            gateway: self.instance.clone(),
            facility: "SIM".to_owned(),
            control_id: format!("{}-{}", self.instance.label, self.sent),
            sent_at: self.clock(at),
            offset: Offset::UTC,
            device: self.instance.clone(),
            patient: self.patient.clone(),
            place: Some(self.place.clone()),
        }
    }
}

/// A message that was not taken.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NotTaken {
    /// No segment MSA.
    #[error("the answer is no acknowledgement")]
    NoAnswer,
    /// For another message.
    #[error("the answer is for message {got}, not {sent}")]
    OtherMessage {
        /// Number that was sent.
        sent: String,
        /// Number in the answer.
        got: String,
    },
    /// Anything but AA or CA.
    #[error("message {control_id} was answered {code}: {why}")]
    Refused {
        /// Number that was sent.
        control_id: String,
        /// AE, AR, CE or CR.
        code: String,
        /// MSA-3 and ERR as sent.
        why: String,
    },
}

/// Checks the answer to the message of that number.
///
/// # Errors
/// Why the message counts as not taken.
pub fn check_answer(answer: &[u8], control_id: &str) -> Result<(), NotTaken> {
    let text = String::from_utf8_lossy(answer);
    let segments: Vec<Vec<&str>> = text.split('\r').map(|segment| segment.split('|').collect()).collect();
    let segment = |name: &str| segments.iter().find(|fields| fields.first() == Some(&name));
    let msa = segment("MSA").ok_or(NotTaken::NoAnswer)?;
    let field = |n: usize| msa.get(n).copied().unwrap_or_default();
    if field(2) != control_id {
        return Err(NotTaken::OtherMessage { sent: control_id.to_owned(), got: field(2).to_owned() });
    }
    if matches!(field(1), "AA" | "CA") {
        return Ok(());
    }
    let err = segment("ERR").map(|fields| fields.join("|")).unwrap_or_default();
    Err(NotTaken::Refused { control_id: control_id.to_owned(), code: field(1).to_owned(), why: err })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_yes_to_this_very_message_counts() {
        let answer = |code: &str, id: &str| format!("MSH|^~\\&|A\rMSA|{code}|{id}\rERR||||E\r").into_bytes();
        assert_eq!(check_answer(&answer("CA", "m-1"), "m-1"), Ok(()));
        assert_eq!(check_answer(&answer("AA", "m-1"), "m-1"), Ok(()));
        assert!(matches!(check_answer(&answer("AA", "m-2"), "m-1"), Err(NotTaken::OtherMessage { .. })));
        assert!(matches!(check_answer(&answer("AE", "m-1"), "m-1"), Err(NotTaken::Refused { .. })));
        assert_eq!(check_answer(b"MSH|^~\\&|A\r", "m-1"), Err(NotTaken::NoAnswer));
    }
}
