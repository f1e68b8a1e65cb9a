//! Levels by published models, from what was really delivered.

use super::Floor;
use super::happen::flow_in_minutes;
use clinic::id::ChairId;
use clinic::patient::Patient;
use clinic::quantity::{Rate, Weight};
use clinic::session::Session;
use jiff::Timestamp;
use pkpd::{Answer, Delivered, Forecast, Question, Scenario};
use pkpd::{Body, Form, Kg, MgPerMin, Minutes, Model, Years};

/// Distance of the points of a curve, minutes.
const STEP: Minutes = Minutes(1.0);
/// How far a forecast looks, minutes.
const HORIZON: f64 = 120.0;

/// What is asked beside "continue" and "stop now".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WhatIf {
    /// Another rate from now on.
    pub change_to: Option<Rate>,
}

/// One future: `continue`, `stop` or `change`, at which rate, and until which minute since the start.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Planned {
    /// Its name.
    pub name: &'static str,
    /// Flow from now on.
    pub rate: Rate,
    /// End of the flow, minutes since the start.
    pub until_min: f64,
}

/// Curves, or why there are none.
#[derive(Debug, Clone, PartialEq)]
pub struct Prediction {
    /// Start of the infusion: minute 0 of all curves.
    pub start: Timestamp,
    /// The curves.
    pub answer: Answer<Forecast>,
    /// The scenarios in order.
    pub scenarios: Vec<Planned>,
}

impl Floor {
    /// Curves for a session now. `None` before the start.
    ///
    /// # Errors
    /// What does not fit, for a person.
    pub fn predict(
        &self,
        session: &Session,
        patient: &Patient,
        now: Timestamp,
        what_if: WhatIf,
    ) -> Result<Option<Prediction>, String> {
        let (Some((minute, flows)), Some(start)) =
            (flow_in_minutes(session, now), session.delivery.started())
        else {
            return Ok(None);
        };
        if session.delivery.uncertain_since(now).is_some() {
            let act = session.delivery.to_be_read_since(now).map_or("", |_| " Read the pump.");
            return Err(format!("Nobody knows what the pump has delivered, so no level is shown.{act}"));
        }
        let Some((weight, _)) = session.weight else { return Ok(None) };
        let delivered: Vec<Delivered> = flows
            .iter()
            .map(|(from, to, rate)| Delivered {
                start: Minutes(*from),
                end: Minutes(*to),
                rate: MgPerMin(*rate),
            })
            .collect();
        let asked = scenarios(session, minute, now, what_if);
        let list: Vec<Scenario> = asked.iter().map(|(_, _, scenario)| *scenario).collect();
        let comparisons: Vec<&Model> = self.models.comparisons.iter().collect();
        let day = now.to_zoned(jiff::tz::TimeZone::UTC).date();
        let question = Question {
            given: Form::Racemate,
            body: body(weight, patient.age_on(day)),
            delivered: &delivered,
            now: Minutes(minute),
            scenarios: &list,
            horizon: Minutes(minute + HORIZON),
            step: STEP,
            model: &self.models.default,
            effect_site: self.models.effect_site,
            comparisons: &comparisons,
        };
        let answer = pkpd::forecast(&question).map_err(|refused| refused.to_string())?;
        let scenarios = asked.into_iter().map(|(name, rate, scenario)| Planned {
            name,
            rate,
            until_min: match scenario {
                Scenario::Continue { until } | Scenario::ChangeTo { until, .. } => until.0,
                Scenario::StopNow => minute,
            },
        });
        let scenarios = scenarios.collect();
        Ok(Some(Prediction { start, answer, scenarios }))
    }

    /// The level now at every chair that has had drug.
    pub(super) fn predict_now(&self, now: Timestamp) {
        let running: Vec<(ChairId, Session, Patient)> = self
            .chairs()
            .into_iter()
            .filter_map(|chair| {
                let (_, session, patient) = self.at_chair(&chair)?;
                session.delivery.started()?;
                Some((chair, session, patient))
            })
            .collect();
        for (chair, session, patient) in running {
            let level = self.level(&session, &patient, now);
            if let Some(place) = self.room().chairs.get_mut(&chair) {
                place.ce = level;
            }
        }
    }

    /// Effect-site level now with its band; `None` outside what the models were made for.
    pub fn level(&self, session: &Session, patient: &Patient, now: Timestamp) -> Option<[f64; 3]> {
        let prediction = self.predict(session, patient, now, WhatIf::default()).ok().flatten()?;
        let Answer::InDomain(forecast) = prediction.answer else { return None };
        let effect = forecast.past.effect;
        let last = |levels: &[pkpd::NgPerMl]| levels.last().map(|level| level.0);
        Some([last(&effect.line)?, last(&effect.low)?, last(&effect.high)?])
    }
}

fn body(weight: Weight, age: i16) -> Body {
    #[expect(clippy::cast_precision_loss, reason = "a model needs no exact weight")]
    let kg = weight.0 as f64 / 1000.0;
    Body { weight: Kg(kg), age: Some(Years(f64::from(age))) }
}

fn scenarios(
    session: &Session,
    minute: f64,
    now: Timestamp,
    what_if: WhatIf,
) -> Vec<(&'static str, Rate, Scenario)> {
    let rate = session.delivery.rate();
    let mut asked = Vec::new();
    if rate > Rate::ZERO
        && let Some(left_s) = session.left_s(now)
    {
        asked.push(("continue", rate, Scenario::Continue { until: Minutes(minute + seconds(left_s)) }));
    }
    asked.push(("stop", Rate::ZERO, Scenario::StopNow));
    if let Some(to) = what_if.change_to.filter(|to| *to > Rate::ZERO)
        && let Some((order, _)) = &session.order
        && !session.phase.closed()
    {
        let left = order.volume.minus(session.delivery.volume_at(now)).0.max(0);
        let until = Minutes(minute + seconds(left.saturating_mul(3600) / to.0));
        #[expect(clippy::cast_precision_loss, reason = "a model needs no exact rate")]
        let mass = MgPerMin(to.0 as f64 * order.concentration.0 as f64 / 60e6);
        asked.push(("change", to, Scenario::ChangeTo { rate: mass, until }));
    }
    asked
}

#[expect(clippy::cast_precision_loss, reason = "a model needs no exact time")]
fn seconds(s: i64) -> f64 {
    s as f64 / 60.0
}
