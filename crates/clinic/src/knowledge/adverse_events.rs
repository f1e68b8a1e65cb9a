//! `knowledge/adverse_events/`: a card for each thing that goes wrong, with steps and standing orders.

use super::{Body, Item, Knowledge};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// What the card asks for first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InfusionDoes {
    /// Goes on.
    Continue,
    /// Slower.
    Slow,
    /// Paused.
    Pause,
    /// Stopped.
    Stop,
}

/// A rescue drug under a standing order. It acts only where the clinic has signed it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RescueDrug {
    /// Generic name in lower case.
    pub name: String,
    /// `IV`, `IM`, `PO`.
    pub route: String,
    /// UCUM unit of dose and total.
    pub unit: String,
    /// Lowest and highest single dose.
    pub dose: [Decimal; 2],
    /// How slowly it goes in, minutes.
    pub over_min: Option<i64>,
    /// Shortest time to the next dose, minutes.
    pub repeat_min: Option<i64>,
    /// Most in one session.
    pub total_max: Decimal,
    /// When not.
    #[serde(default)]
    pub caution: String,
}

/// A card.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdverseEvent {
    /// What happens to the infusion.
    pub infusion: InfusionDoes,
    /// Codes that fit.
    #[serde(default)]
    pub icd10: Vec<String>,
    /// What to do, in order.
    pub steps: Vec<String>,
    /// What calms this patient, as the patient said, stands on the card.
    #[serde(default)]
    pub in_the_patients_words: bool,
    /// What never to do.
    #[serde(default)]
    pub never: Vec<String>,
    /// Standing orders.
    #[serde(default, rename = "drug")]
    pub drugs: Vec<RescueDrug>,
}

impl AdverseEvent {
    /// The standing order of a drug.
    pub fn drug(&self, name: &str) -> Option<&RescueDrug> {
        self.drugs.iter().find(|drug| drug.name == name)
    }
}

/// A dose under a standing order, or what the card says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CardCase {
    drug: Option<String>,
    #[serde(default)]
    dose: Decimal,
    #[serde(default)]
    already: Decimal,
    minutes_since_last: Option<i64>,
    allowed: Option<bool>,
    infusion: Option<InfusionDoes>,
    steps: Option<usize>,
}

impl Body for AdverseEvent {
    const FOLDER: &'static str = "adverse_events";
    type Example = CardCase;

    fn check(item: &Item<Self>, _all: &Knowledge) -> Result<(), String> {
        if item.body.steps.is_empty() {
            return Err("has no step".to_owned());
        }
        item.body.drugs.iter().try_for_each(|drug| {
            let [low, high] = drug.dose;
            let sound = low > Decimal::ZERO && low <= high && high <= drug.total_max;
            if sound { Ok(()) } else { Err(format!("dose and total of {} do not nest", drug.name)) }
        })
    }

    fn prove(item: &Item<Self>, case: &CardCase, _all: &Knowledge) -> Result<(), String> {
        let card = &item.body;
        if let Some(name) = &case.drug {
            let drug = card.drug(name).ok_or(format!("no standing order for {name}"))?;
            let refusal =
                crate::gate::standing_order(drug, case.dose, case.already, case.minutes_since_last).err();
            if case.allowed != Some(refusal.is_none()) {
                return Err(format!("comes out as {refusal:?}"));
            }
            return Ok(());
        }
        let same = case.infusion.is_some()
            && case.infusion == Some(card.infusion)
            && case.steps == Some(card.steps.len());
        if same { Ok(()) } else { Err(format!("{:?} with {} steps", card.infusion, card.steps.len())) }
    }
}
