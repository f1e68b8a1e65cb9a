//! Synthetic patients, devices, staff and faults, by seed. They speak HL7 like real ones.
//!
//! Nothing here is trusted by the product: what a simulated device says goes through the same codec, the same
//! listener and the same log as a real one, and simulated staff can do only what real staff can.

pub mod bedside;
pub mod cast;
pub mod chance;
pub mod history;
pub mod monitor;
pub mod person;
pub mod pump;
pub mod staff;
pub mod story;
pub mod wire;
