//! `knowledge/session/`: tolerances, pauses, charted scales and the time-out of one infusion session.

use super::{Body, Item, Knowledge};
use crate::quantity::{Microlitres, Rate, Weight};
use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, de};

/// How a session is run. Missing rules are the strictest: no tolerance at all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SessionRules {
    /// How far a rate read from the pump may be from the order.
    #[serde(deserialize_with = "rate")]
    pub pump_match: Rate,
    /// How far the volume to be infused may be from the order.
    #[serde(deserialize_with = "volume")]
    pub vtbi_match: Microlitres,
    /// How far the dose weight of a second check may be from the order's.
    #[serde(deserialize_with = "weight")]
    pub weight_match: Weight,
    /// How far the strength after dilution may be from the order, in thousandths.
    pub dilution_permille: i64,
    /// The finest step of a syringe, in which the volume to be drawn is told.
    #[serde(deserialize_with = "volume")]
    pub draw_step: Microlitres,
    /// How much more than the ordered dose may be drawn, in percent: what the line keeps. A second dose never fits.
    pub drawn_over_percent: i64,
    /// What may be missing of the ordered dose when it is drawn, and of the ordered volume for an infusion to count as
    /// complete, in thousandths.
    pub complete_permille: i64,
    /// Longest pause in all before a prescriber decides, seconds.
    #[serde(rename = "pause_total_max", deserialize_with = "seconds")]
    pub pause_total_s_max: i64,
    /// Pauses before a prescriber decides.
    pub pauses_max: usize,
    /// Percent of the ordered rate that a prescriber may resume at after that.
    pub resume_percent: i64,
    /// How often a steady pump is written into the record, seconds.
    #[serde(rename = "pump_read_every", deserialize_with = "seconds")]
    pub pump_read_every_s: i64,
    /// How far a pump read by eye may be from what it should have given since the last reading, in percent of that.
    pub pump_read_percent: i64,
    /// How long it may take from the pump to the page, seconds.
    #[serde(rename = "pump_read_within", deserialize_with = "seconds")]
    pub pump_read_within_s: i64,
    /// Grade, 1 mild to 5 fatal, from which an adverse event is not noted without words.
    pub event_words_from_grade: u8,
    /// Silence of a linked pump that makes the delivery uncertain, seconds.
    #[serde(rename = "link_lost_after", deserialize_with = "seconds")]
    pub link_lost_after_s: i64,
    /// Difference in the drug balance that is an incident, in percent of what was drawn.
    pub balance_incident_percent: i64,
    /// How much more than its label says a vial may hold, in percent of it.
    pub vial_overfill_percent: i64,
    /// Change of weight since the last visit that asks for a fresh calculation, in percent.
    pub weight_change_percent: i64,
    /// Scales that are tapped at the chair.
    #[serde(rename = "scale")]
    pub scales: Vec<ScaleRange>,
    /// Adverse events that stand one tap away at the chair, by id.
    pub quick_events: Vec<String>,
    /// Points of the time-out.
    pub time_out: Vec<TimeOutPoint>,
}

/// Lowest and highest score of a scale.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScaleRange {
    /// Its id.
    pub id: String,
    /// For a person.
    pub title: String,
    /// Lowest score.
    pub from: i64,
    /// Highest score.
    pub to: i64,
    /// What each score says, from the lowest on; an empty word where the number says enough, none at all for a scale
    /// of plain numbers.
    #[serde(default)]
    pub says: Vec<String>,
}

impl ScaleRange {
    /// Each score with its words, from the lowest on.
    pub fn scores(&self) -> impl DoubleEndedIterator<Item = (i64, &str)> {
        let says = |score: i64| self.says.get(usize::try_from(score - self.from).ok()?);
        (self.from..=self.to).map(move |score| (score, says(score).map_or("", String::as_str)))
    }
}

/// One point said aloud before the start.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimeOutPoint {
    /// Its id.
    pub id: String,
    /// For a person.
    pub title: String,
}

/// Whether a rate on the pump counts as the ordered one.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PumpMatch {
    #[serde(deserialize_with = "rate")]
    ordered: Rate,
    #[serde(deserialize_with = "rate")]
    shown: Rate,
    matches: bool,
}

impl SessionRules {
    /// Whether so little is left of a volume that a display rounds it away: all of it is in.
    pub fn nothing_left(&self, left: Microlitres) -> bool {
        left <= self.vtbi_match
    }

    /// Lowest and highest score of a scale.
    pub fn scale(&self, id: &str) -> Option<(i64, i64)> {
        self.scales.iter().find(|scale| scale.id == id).map(|scale| (scale.from, scale.to))
    }
}

impl Body for SessionRules {
    const FOLDER: &'static str = "session";
    type Example = PumpMatch;

    fn check(item: &Item<Self>, all: &Knowledge) -> Result<(), String> {
        let rules = &item.body;
        if let Some(event) = rules.quick_events.iter().find(|event| all.adverse_events.get(event).is_none()) {
            return Err(format!("`quick_events` names `{event}`, which has no card"));
        }
        if let Some(scale) = rules.scales.iter().find(|scale| scale.from >= scale.to) {
            return Err(format!("scale `{}` runs from {} to {}", scale.id, scale.from, scale.to));
        }
        let counted =
            |scale: &&ScaleRange| scale.says.is_empty() || scale.scores().count() == scale.says.len();
        if let Some(scale) = rules.scales.iter().find(|scale| !counted(scale)) {
            let (words, scores) = (scale.says.len(), scale.scores().count());
            return Err(format!("scale `{}` has words for {words} of its {scores} scores", scale.id));
        }
        if rules.draw_step.0 <= 0 {
            return Err(format!("`draw_step` is {}, accepted is more than 0 mL", rules.draw_step));
        }
        if !(0..=100).contains(&rules.pump_read_percent) {
            return Err(format!("`pump_read_percent` is {}, accepted is 0 to 100", rules.pump_read_percent));
        }
        if !(1..=5).contains(&rules.event_words_from_grade) {
            return Err(format!(
                "`event_words_from_grade` is {}, accepted is 1 to 5",
                rules.event_words_from_grade
            ));
        }
        if rules.time_out.is_empty() {
            return Err("has no point for the time-out".to_owned());
        }
        if !(1..=100).contains(&rules.resume_percent) {
            return Err(format!("`resume_percent` is {}, accepted is 1 to 100", rules.resume_percent));
        }
        Ok(())
    }

    fn prove(item: &Item<Self>, example: &PumpMatch, _all: &Knowledge) -> Result<(), String> {
        let apart = example.ordered.0.abs_diff(example.shown.0);
        let matches = apart <= item.body.pump_match.0.unsigned_abs();
        if matches == example.matches {
            return Ok(());
        }
        Err(format!("{} against {} comes out as {matches}", example.shown, example.ordered))
    }
}

/// A number with exactly this unit, as text: `"0.1 mL/h"`.
fn with_unit<'de, D: Deserializer<'de>>(deserializer: D, unit: &str) -> Result<Decimal, D::Error> {
    let text = String::deserialize(deserializer)?;
    let number = text.strip_suffix(unit).and_then(|rest| rest.strip_suffix(' '));
    number
        .and_then(|number| number.parse().ok())
        .ok_or_else(|| de::Error::custom(format!("`{text}` is not a number with the unit {unit}")))
}

fn rate<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Rate, D::Error> {
    let value = with_unit(deserializer, Rate::UNIT)?;
    Rate::from_decimal(value).ok_or_else(|| de::Error::custom("the rate is too large"))
}

fn volume<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Microlitres, D::Error> {
    let value = with_unit(deserializer, Microlitres::UNIT)?;
    Microlitres::from_decimal(value).ok_or_else(|| de::Error::custom("the volume is too large"))
}

fn weight<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Weight, D::Error> {
    let value = with_unit(deserializer, Weight::UNIT)?;
    Weight::from_decimal(value).ok_or_else(|| de::Error::custom("the weight is too large"))
}

fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    let text = String::deserialize(deserializer)?;
    let (number, unit) = text.split_once(' ').unwrap_or((&text, ""));
    let factor = match unit {
        "s" => 1,
        "min" => 60,
        "h" => 3600,
        _ => return Err(de::Error::custom(format!("`{text}` is not a time in s, min or h"))),
    };
    let number: i64 =
        number.parse().map_err(|_| de::Error::custom(format!("`{text}` is not a whole number")))?;
    Ok(number.saturating_mul(factor))
}

/// The strictest rules of all, used where the knowledge has none.
static NONE: SessionRules = SessionRules {
    pump_match: Rate(0),
    vtbi_match: Microlitres(0),
    weight_match: Weight(0),
    dilution_permille: 0,
    draw_step: Microlitres(1),
    drawn_over_percent: 0,
    complete_permille: 0,
    pause_total_s_max: 0,
    pauses_max: 0,
    resume_percent: 0,
    pump_read_every_s: 60,
    pump_read_percent: 0,
    pump_read_within_s: 0,
    event_words_from_grade: 1,
    link_lost_after_s: 0,
    balance_incident_percent: 0,
    vial_overfill_percent: 0,
    weight_change_percent: 0,
    scales: Vec::new(),
    quick_events: Vec::new(),
    time_out: Vec::new(),
};

impl Knowledge {
    /// How a session is run.
    pub fn session_rules(&self) -> &SessionRules {
        self.session.get("iv_session").map_or(&NONE, |item| &item.body)
    }
    /// Version of a playbook, `None` when there is no such playbook.
    pub fn playbook_version(&self, playbook: &crate::id::RuleId) -> Option<u32> {
        self.adverse_events.get(playbook.as_str()).map(|item| item.header.version)
    }
}
