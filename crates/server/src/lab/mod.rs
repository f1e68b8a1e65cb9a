//! How the answers of the pharmacology lab are written and drawn.

pub mod comparison;
pub mod parquet;
pub mod plot;
mod png;
pub mod series;
pub mod sheet;
