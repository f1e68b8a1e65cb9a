//! Dilutions: what a clinic prepares, syringes and bags.

use super::measure::{Hours, Mg, MgPerMl, Ml};
use super::{Body, Item, Knowledge};
use serde::Deserialize;

/// What holds the diluted drug.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Container {
    /// For a syringe pump.
    Syringe,
    /// For a volumetric pump or, when that is down, gravity.
    Bag,
}

/// One standard preparation.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dilution {
    /// Syringe or bag.
    pub container: Container,
    /// Nominal volume of the container.
    pub volume: Ml,
    /// Intended strength; absent where the dose decides it.
    pub concentration: Option<MgPerMl>,
    /// What may dilute it.
    pub diluents: Vec<String>,
    /// Start within this time after preparation.
    pub start_within: Hours,
    /// Must not meet these in one syringe or line.
    pub incompatible: Vec<String>,
    /// Volume left in the line that is flushed in at the same rate, from and to.
    pub flush: Option<[Ml; 2]>,
}

/// Drug added to the container, with and without taking the same volume out first. Strengths to 0.0001 mg/mL.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Example {
    /// Base added.
    pub drug: Mg,
    /// Strength of the stock it was drawn from.
    pub stock: MgPerMl,
    /// Strength when nothing was taken out.
    pub without_withdrawal: MgPerMl,
    /// Strength when the drug's volume was taken out first.
    pub with_withdrawal: MgPerMl,
}

impl Knowledge {
    /// What may dilute the drug, each once.
    pub fn diluents(&self) -> Vec<&str> {
        let all = self.dilutions.iter().flat_map(|item| item.body.diluents.iter().map(String::as_str));
        all.collect::<std::collections::BTreeSet<_>>().into_iter().collect()
    }
}

impl Body for Dilution {
    const FOLDER: &'static str = "dilutions";
    type Example = Example;

    fn check(item: &Item<Self>, _all: &Knowledge) -> Result<(), String> {
        let dilution = &item.body;
        if dilution.diluents.is_empty() || dilution.volume.0.is_zero() {
            return Err("a dilution has a volume and at least one diluent".to_owned());
        }
        match dilution.flush {
            Some([least, most]) if least > most => Err("`flush` runs from low to high".to_owned()),
            _ => Ok(()),
        }
    }

    fn prove(item: &Item<Self>, example: &Example, _all: &Knowledge) -> Result<(), String> {
        let mixed = crate::dose::bag::mix(example.drug.0, example.stock.0, item.body.volume.0)
            .ok_or("a strength or a volume is zero")?;
        let found = (MgPerMl(mixed.without_withdrawal_mg_per_ml), MgPerMl(mixed.with_withdrawal_mg_per_ml));
        if found == (example.without_withdrawal, example.with_withdrawal) {
            Ok(())
        } else {
            Err(format!("without withdrawal {}, with withdrawal {}", found.0, found.1))
        }
    }
}
