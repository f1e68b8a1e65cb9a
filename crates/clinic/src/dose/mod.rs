//! From an order to what the pump is told: exact decimal arithmetic and the limits around it.
pub mod bag;
mod findings;
pub mod parse;
pub mod plan;
pub mod weight;
