//! Prices and estimates: decide, append. Nothing else reads them.

use super::of_patient::not_read;
use super::{Denied, Done, Floor, PatientAct};
use crate::Fault;
use clinic::care::Refusal;
use clinic::care::price::{self, Estimate, Event, Given, Prices};
use clinic::id::{CommandId, PatientId, StaffId};
use clinic::staff::Actor;
use jiff::Timestamp;
use jiff::civil::Date;

/// Stream of the prices.
const PRICES: &str = "prices";

/// Something with who did it and when.
pub type Dated<T> = (Timestamp, StaffId, T);

impl Floor {
    /// Every list of prices that was set, the first one first.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn prices(&self) -> Result<Vec<Dated<Prices>>, Fault> {
        let history = self.history_of::<Event>(PRICES)?;
        Ok(history.into_iter().map(|(at, by, Event::PricesSet(prices))| (at, by, prices)).collect())
    }

    /// Sets the prices.
    ///
    /// # Errors
    /// A refusal, or that nothing is being recorded.
    pub fn set_prices(&self, command_id: &CommandId, actor: &Actor, prices: &Prices) -> Result<Done, Denied> {
        let same = |Event::PricesSet(set): &Event| set == prices;
        self.on_stream(PRICES, (command_id, actor), same, |_| {
            let seen = self.prices().map_err(not_read)?.len();
            Ok((i64::try_from(seen).map_err(not_read)?, price::set(prices.clone(), actor)?))
        })
    }

    /// What the plan of a patient comes to today; `None` without prices or a plan that goes on.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn estimate(&self, patient: &PatientId, today: Date) -> Result<Option<Estimate>, Fault> {
        let Some((_, _, prices)) = self.prices()?.pop() else { return Ok(None) };
        Ok(price::estimate(&self.course(patient)?.course, &prices, today))
    }

    /// Estimates that a patient was given, the first one first.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn estimates_given(&self, patient: &PatientId) -> Result<Vec<Dated<Estimate>>, Fault> {
        let history = self.history_of::<Given>(&stream_of(patient))?;
        Ok(history.into_iter().map(|(at, by, Given::EstimateGiven(given))| (at, by, given)).collect())
    }

    /// Notes that a patient was given the estimate that was `read`, as long as the plan comes to the same.
    ///
    /// # Errors
    /// A refusal, or that nothing is being recorded.
    pub fn give_estimate(&self, act: &PatientAct, read: &str, today: Date) -> Result<Done, Denied> {
        let stream = stream_of(act.patient);
        let same = |Given::EstimateGiven(given): &Given| given.as_read() == read;
        self.on_stream(&stream, (act.command_id, act.actor), same, |_| {
            let seen = self.estimates_given(act.patient).map_err(not_read)?.len();
            let now = self.estimate(act.patient, today).map_err(not_read)?;
            let now = now.filter(|now| now.as_read() == read).ok_or(Refusal::EstimateChanged)?;
            Ok((i64::try_from(seen).map_err(not_read)?, price::give(now, act.actor)?))
        })
    }
}

/// Stream of the estimates of a patient.
fn stream_of(patient: &PatientId) -> String {
    format!("estimate/{patient}")
}
