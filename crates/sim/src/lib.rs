//! Synthetic patients, devices, staff and faults, by seed. They speak HL7 like real ones.
//!
//! Nothing here is trusted by the product: what a simulated device says goes through the same codec, the same
//! listener and the same log as a real one.

pub mod chance;
pub mod person;
pub mod pump;
