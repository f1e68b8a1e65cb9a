//! How the answers of the pharmacology lab are written and drawn.

pub mod parquet;
pub mod plot;
mod png;
pub mod sheet;
