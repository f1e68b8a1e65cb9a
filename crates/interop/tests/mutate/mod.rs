//! Damages messages by a seed, and checks what must hold whatever comes out.

use clinic::device::Quality;
use interop::ack::render;
use interop::device::decode;
use interop::hl7::Header;
use interop::mllp::{self, Framer};

/// A small generator with a seed (xorshift64*), so that a failure can be played again.
pub struct Dice(pub u64);

impl Dice {
    pub fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % limit.max(1)
    }
}

const SPICE: &[&[u8]] = &[
    b"|",
    b"^",
    b"~",
    b"\\",
    b"&",
    b"\r",
    b"\n",
    b"MSH|",
    b"OBX|",
    b"PID|",
    b"OBR|",
    b"\"\"",
    b"NaN",
    b"-",
    b".",
    b"1e9",
    b"\x0b",
    b"\x1c",
    b"\x1c\x0d",
    b"\0",
    b"\xff",
    b"\xc3",
    b"\\X0D\\",
    b"99999999999999999999999999999",
    b"NM",
    b"TEST",
];

/// The message with one to eight injuries.
pub fn damaged(message: &[u8], other: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut bytes = message.to_vec();
    for _ in 0..=dice.below(8) {
        let at = dice.below(bytes.len() + 1);
        let end = (at + dice.below(40)).min(bytes.len());
        match dice.below(7) {
            0 if at < bytes.len() => bytes[at] ^= 1 << dice.below(8),
            1 => drop(bytes.drain(at..end)),
            2 => {
                let copy = bytes[at..end].to_vec();
                bytes.splice(at..at, copy);
            }
            3 => {
                let spice = SPICE[dice.below(SPICE.len())];
                bytes.splice(at..at, spice.iter().copied());
            }
            4 => bytes.truncate(end),
            5 => {
                let from = dice.below(other.len());
                let to = (from + dice.below(200)).min(other.len());
                bytes.splice(at..end, other[from..to].iter().copied());
            }
            _ => {
                let spice = SPICE[dice.below(SPICE.len())];
                bytes.splice(at..end, spice.iter().copied());
            }
        }
    }
    bytes
}

/// Decodes, answers and frames; panics when a rule is broken. Returns whether the message was taken.
pub fn holds(bytes: &[u8]) -> bool {
    let (plan, taken) = match decode(bytes, None) {
        Ok(decoded) => {
            assert!(!decoded.facts.is_empty(), "a message that says nothing was taken");
            assert!(!decoded.message.device.as_str().is_empty());
            for reading in &decoded.message.readings {
                assert_eq!(reading.value.is_none(), reading.quality == Quality::NoValue);
                let possible = reading.parameter == clinic::device::Parameter::Temperature
                    || reading.value.is_none_or(|value| value.0 >= 0);
                assert!(possible || reading.quality == Quality::Suspect, "{reading:?}");
            }
            if let Some(pump) = &decoded.message.pump {
                assert!(pump.rate.is_none_or(|rate| rate.0 >= 0));
                assert!(pump.delivered.is_none_or(|volume| volume.0 >= 0));
                assert!(pump.delivered_mass.is_none_or(|mass| mass.0 >= 0));
            }
            (Some(decoded.ack), true)
        }
        Err(refused) => {
            assert!(!refused.reason.to_string().is_empty());
            (refused.ack, false)
        }
    };
    if let (Some(plan), Ok(header)) = (&plan, Header::of(bytes)) {
        let answer = render(&plan.clone().in_original_mode(), jiff::Timestamp::UNIX_EPOCH, "C1", Err("no"));
        let answer_lines: Vec<&[u8]> = answer.split(|byte| *byte == b'\r').collect();
        assert!(answer_lines[1].ends_with(header.raw(10)), "MSA-2 is MSH-10");
        // A control id with framing bytes in it never came through a frame.
        if !bytes.iter().any(|byte| matches!(byte, 0x0B | 0x1C)) {
            assert_eq!(Framer::new().feed(&mllp::wrap(&answer)), [Ok(answer)]);
        }
    }
    taken
}
