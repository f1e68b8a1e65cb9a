//! What becomes of many patients: how many responded, how long it held, how much is missing. Statistics in binary
//! floats; no dose is made of them.

mod clinic;
mod holding;
mod series;
mod share;
mod survival;
mod turn;
mod wearing;

pub use clinic::{Became, Counted, Known, Question, Reached, became, counted};
pub use holding::{Answered, Held, answered, held};
pub use series::{Dated, Infusion, around, last_series};
pub use share::{Share, share};
pub use survival::{Followed, Step, Survival, survival};
pub use turn::{Turn, turned};
pub use wearing::{Loss, losses};

/// Standard normal quantile of a two-sided interval of 95 %.
const Z_95: f64 = 1.959_963_984_540_054;
