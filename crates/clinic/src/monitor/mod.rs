//! The watch over one chair: a deterministic machine fed with readings, ticks and acts of people.

pub mod breach;
