//! The stretch in which nobody knows what the pump does.

use super::{Delivery, elapsed_ms};
use crate::quantity::{Microlitres, Rate, flowed};
use jiff::Timestamp;

/// While nobody knows what the pump does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unknown {
    pub since: Timestamp,
    /// What may have flowed up to `counted_to` beside what is in the account.
    pub possible: Microlitres,
    pub counted_to: Timestamp,
    /// What may flow beside the account now.
    pub may_run: Rate,
    /// Only a halt is in doubt, which a person recorded and nobody has seen at the pump: the account goes on.
    pub only_a_halt: bool,
}

impl Unknown {
    pub const fn from(since: Timestamp, may_run: Rate, only_a_halt: bool) -> Self {
        Self { since, possible: Microlitres::ZERO, counted_to: since, may_run, only_a_halt }
    }
    pub fn possible_to(&self, at: Timestamp) -> Microlitres {
        self.possible.plus(flowed(self.may_run, elapsed_ms(self.counted_to, at).max(0)))
    }
    pub fn count_to(&mut self, at: Timestamp) {
        self.possible = self.possible_to(at);
        self.counted_to = self.counted_to.max(at);
    }
}

impl Delivery {
    /// Only a halt is in doubt, which a person recorded and nobody has seen at the pump: the account goes on.
    pub fn halt_unseen(&self) -> bool {
        self.unknown.is_some_and(|unknown| unknown.only_a_halt)
    }
}
