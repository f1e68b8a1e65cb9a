//! The pharmacology lab: what is asked of the models, and how the answer is written. The mathematics is in [`pkpd`],
//! the models are knowledge; here are the words, units and columns of a pharmacometrician.

pub mod asked;
pub mod case;
pub mod observed;
pub mod parquet;
pub mod plot;
mod png;
pub mod sheet;
