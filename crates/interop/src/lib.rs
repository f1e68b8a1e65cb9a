//! Codecs without IO: HL7 v2, IHE device messages. Bytes in, facts out, and back.
//!
//! A listener feeds bytes to [`mllp::Framer`], gives each frame to [`device::decode`], lets the log take what
//! came out, and answers with [`ack::render`]. Simulated devices speak through [`encode`]. Nothing here has a
//! clock, a socket or a file, and no input makes it panic or grow beyond a small multiple of one frame.
#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

pub mod ack;
pub mod device;
pub mod encode;
pub mod hl7;
pub mod ical;
pub mod mllp;
