//! The pharmacology lab: what is asked of the published models, and what they answer. The mathematics is in [`pkpd`],
//! the models are knowledge; here are the words, units and refusals of a pharmacometrician, alike for the command line
//! and for Python.
//!
//! | To | Use |
//! |---|---|
//! | read what is typed, each quantity with its unit | [`asked`], [`Doses`], [`observed`] |
//! | find a model and what its level is a level of | [`Chosen::find`] |
//! | follow one person | [`Chosen::simulated`] |
//! | know when to look | [`looks`] |
//! | follow many, here or in parts elsewhere | [`Chosen::crowd`], [`Part`] |
//! | say what levels do | [`Chosen::answers`] |
//! | learn from levels | [`Chosen::fitted`] |
//! | judge a model by a study | [`Chosen::checked`] |
//! | reach a level | [`Chosen::planned`] |

pub mod asked;
mod case;
mod checked;
mod crowd;
mod doses;
mod effects;
mod fitted;
mod looks;
pub mod observed;
mod part;
mod planned;
mod reached;
mod simulated;

pub use case::{Chosen, listed, site_name};
pub use checked::{CheckQuestion, Checked};
pub use crowd::{Crowd, CrowdQuestion, Outside, People, Varied};
pub use doses::Doses;
pub use effects::{Answer, Answers, EffectQuestion, Many, Stage, Wanted, listed as listed_effects};
pub use fitted::{Drawn, Fitted, LevelsQuestion};
pub use looks::{LOOKS_OF_MANY, LOOKS_OF_ONE, Looks, Span, looks};
pub use part::{Part, Unmerged};
pub use planned::{PlanQuestion, Planned, Way};
pub use reached::{NEAR as PLAN_NEAR, Reached};
pub use simulated::{Person, Simulated};

use clinic::dose::parse::Unreadable;

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Wrong {
    /// An argument cannot be read.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    /// A rule of safety: blood of the other site, a plan outside what the model was made for.
    #[error("refused: {0}")]
    Unsafe(String),
}
