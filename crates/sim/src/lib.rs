//! Synthetic patients, devices, staff and faults, by seed. They speak HL7 like real ones.
