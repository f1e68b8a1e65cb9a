//! How the patient says that an infusion felt. What is wonderful to one frightens another, so nobody else says it.

use super::event::Finding;
use serde::{Deserialize, Serialize};

/// In one word, by the patient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Felt {
    /// Good.
    Pleasant,
    /// Good and bad.
    Mixed,
    /// Nothing to speak of.
    Neither,
    /// Bad, and bearable.
    Unpleasant,
    /// What asks for a talk before the next infusion.
    Frightening,
}

impl Felt {
    /// Each, as a form offers them.
    pub const ALL: [Self; 5] =
        [Self::Pleasant, Self::Mixed, Self::Neither, Self::Unpleasant, Self::Frightening];

    /// As a form sends it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Pleasant => "pleasant",
            Self::Mixed => "mixed",
            Self::Neither => "neither",
            Self::Unpleasant => "unpleasant",
            Self::Frightening => "frightening",
        }
    }

    /// As a person reads it.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Neither => "neither pleasant nor unpleasant",
            said => said.word(),
        }
    }
}

impl Finding {
    /// What can only be told of an infusion that has begun.
    pub const fn is_of_the_infusion(&self) -> bool {
        matches!(self, Self::Tolerated { .. } | Self::Experience { .. })
    }
}
