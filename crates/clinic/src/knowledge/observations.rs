//! `knowledge/observations/`: what is looked at, and how often.

use super::measure::Minutes;
use super::{Body, Item, Knowledge};
use crate::id::RuleId;
use crate::quantity::plain;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// What is observed at the chair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Observed {
    /// Blood pressure by cuff.
    Nibp,
    /// Oxygen saturation.
    Spo2,
    /// Heart or pulse rate.
    HeartRate,
    /// Breaths a minute.
    RespiratoryRate,
    /// End-tidal carbon dioxide.
    Etco2,
    /// MOAA/S or RASS.
    Sedation,
    /// Distress 0 to 10.
    Distress,
    /// CADSS-6 or the clinic's own question.
    Dissociation,
    /// Nausea 0 to 3.
    Nausea,
    /// Pain 0 to 10.
    Pain,
    /// The IV site.
    IvSite,
    /// Rate, volume left and infused, as the pump shows them.
    Pump,
}

/// One observation of a schedule; intervals in minutes. Without an interval it is not due in that phase.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// What is observed.
    pub what: Observed,
    /// For a person.
    pub title: String,
    /// How many times before the start.
    #[serde(default)]
    pub baseline: u32,
    /// During the infusion and its pauses.
    pub infusion_min: Option<i64>,
    /// The same while something calls for more, and in recovery while a limit is passed.
    pub fast_min: Option<i64>,
    /// In recovery.
    pub recovery_min: Option<i64>,
    /// Once when the infusion ends.
    #[serde(default)]
    pub at_end: bool,
    /// Only where a device is expected to send it.
    #[serde(default)]
    pub only_if_expected: bool,
}

/// Phase of the session as far as observing goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Before the start: shown, not yet watched for silence.
    #[default]
    Preparing,
    /// The drug runs.
    Infusing,
    /// The drug is held.
    Paused,
    /// After the end, until discharge.
    Recovering,
    /// Nobody in the chair.
    Closed,
}

impl Row {
    /// Interval in a phase, seconds; `None` where it is not due.
    pub fn every_s(&self, phase: Phase, fast: bool) -> Option<i64> {
        let minutes = match phase {
            Phase::Infusing | Phase::Paused if fast => self.fast_min.or(self.infusion_min),
            Phase::Infusing | Phase::Paused => self.infusion_min,
            Phase::Recovering if fast => self.fast_min.or(self.recovery_min),
            Phase::Recovering => self.recovery_min,
            Phase::Preparing | Phase::Closed => None,
        };
        minutes.map(|m| m.saturating_mul(60))
    }
}

/// A schedule.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    /// The length of infusion that it was written for.
    pub written_for: Minutes,
    /// The regimens that are observed by it.
    #[serde(default)]
    pub regimens: Vec<String>,
    /// Every regimen that no schedule names is observed by it, and so is a chair without one.
    #[serde(default)]
    pub otherwise: bool,
    /// By observation.
    #[serde(rename = "row")]
    pub rows: Vec<Row>,
}

impl Knowledge {
    /// The schedule that a regimen is observed by; `None` where the knowledge has none.
    pub fn schedule_of(&self, regimen: Option<&RuleId>) -> Option<&Item<Schedule>> {
        let named = |item: &&Item<Schedule>| {
            regimen.is_some_and(|regimen| item.body.regimens.iter().any(|id| id == regimen.as_str()))
        };
        self.observations
            .iter()
            .find(named)
            .or_else(|| self.observations.iter().find(|item| item.body.otherwise))
    }
}

impl Item<Schedule> {
    /// What a person is told where the infusion has another length than the schedule was written for. Intervals hold
    /// for any length, and what is looked at once at the end waits for the end itself.
    pub fn stretched(&self, minutes: Decimal) -> Option<String> {
        let Minutes(written_for) = self.body.written_for;
        (minutes != written_for).then(|| {
            format!(
                "The observation schedule “{}” is applied to an infusion of {} min; the clinic has to sign that.",
                self.header.title,
                plain(minutes)
            )
        })
    }
}

/// How often something is due.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DueCase {
    what: Observed,
    phase: Phase,
    #[serde(default)]
    fast: bool,
    every_min: i64,
}

impl Body for Schedule {
    const FOLDER: &'static str = "observations";
    type Example = DueCase;

    fn check(item: &Item<Self>, all: &Knowledge) -> Result<(), String> {
        chosen_once(item, all)?;
        let rows = &item.body.rows;
        if let Some(bad) = rows.iter().find(|r| {
            [r.infusion_min, r.fast_min, r.recovery_min].into_iter().flatten().any(|minutes| minutes <= 0)
        }) {
            return Err(format!("the interval of {} is not above zero", bad.title));
        }
        let twice =
            rows.iter().enumerate().find(|(i, r)| rows.iter().take(*i).any(|other| other.what == r.what));
        twice.map_or(Ok(()), |(_, row)| Err(format!("{} stands there twice", row.title)))
    }

    fn prove(item: &Item<Self>, case: &DueCase, _all: &Knowledge) -> Result<(), String> {
        let row = item.body.rows.iter().find(|row| row.what == case.what).ok_or("no such observation")?;
        match row.every_s(case.phase, case.fast) {
            Some(seconds) if seconds == case.every_min * 60 => Ok(()),
            other => Err(format!("comes out as {other:?} s")),
        }
    }
}

/// A regimen is observed by one schedule, and there is one for all that none names.
fn chosen_once(item: &Item<Schedule>, all: &Knowledge) -> Result<(), String> {
    let others = || all.observations.iter().filter(|other| other.header.id != item.header.id);
    for id in &item.body.regimens {
        if all.regimens.get(id).is_none() {
            return Err(format!("names the regimen `{id}`, which is not there"));
        }
        if let Some(other) = others().find(|other| other.body.regimens.contains(id)) {
            return Err(format!("names the regimen `{id}`, as does `{}`", other.header.id));
        }
    }
    let for_the_rest =
        others().filter(|other| other.body.otherwise).count() + usize::from(item.body.otherwise);
    if for_the_rest == 1 { Ok(()) } else { Err("exactly one schedule has `otherwise = true`".to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::knowledge::{KnowledgeError, embed};

    fn knowledge() -> Knowledge {
        Knowledge::shipped().expect("the shipped knowledge is sound")
    }

    #[test]
    fn every_regimen_has_a_schedule_and_one_of_another_length_says_so() {
        let knowledge = knowledge();
        for regimen in knowledge.regimens.iter() {
            assert!(knowledge.schedule_of(Some(&RuleId::new(&regimen.header.id))).is_some());
        }
        let schedule = knowledge.schedule_of(None).expect("one for all");
        assert_eq!(schedule.stretched(Decimal::from(40)), None);
        let told = schedule.stretched(Decimal::from(240)).expect("it is told");
        assert!(told.contains("240 min") && told.contains("sign"), "{told}");
    }

    /// The shipped knowledge with another schedule beside it, made from the shipped one.
    fn with_another(changes: &[(&str, &str)]) -> Result<Knowledge, KnowledgeError> {
        let mut files = embed::shipped();
        let mut other =
            files.iter().find(|file| file.path.ends_with("iv40.toml")).expect("it is there").clone();
        other.path = "observations/crps_240.toml".to_owned();
        for (from, to) in [("id = \"iv40\"", "id = \"crps_240\"")].iter().chain(changes) {
            assert!(other.text.contains(from), "{from}");
            other.text = other.text.replace(from, to);
        }
        files.push(other);
        Knowledge::read(&files)
    }

    #[test]
    fn a_regimen_with_a_schedule_of_its_own_is_observed_by_it() {
        let own = ("regimens = []", "regimens = [\"crps_out\"]");
        let not_all = ("otherwise = true", "otherwise = false");
        let knowledge = with_another(&[own, not_all]).expect("it is sound");
        let of = |id: &str| knowledge.schedule_of(Some(&RuleId::new(id))).map(|item| item.header.id.as_str());
        assert_eq!((of("crps_out"), of("mdd_si")), (Some("crps_240"), Some("iv40")));
        let refused = |changes: &[(&str, &str)]| with_another(changes).expect_err("refused").to_string();
        assert!(refused(&[own]).contains("exactly one schedule has `otherwise = true`"));
        assert!(refused(&[("regimens = []", "regimens = [\"nothing\"]"), not_all]).contains("`nothing`"));
    }
}
