//! What the rates explain of the pump's counter.

use super::super::event::PumpRead;
use super::{Delivery, elapsed_ms};
use crate::quantity::{Microlitres, Rate, flowed};
use jiff::Timestamp;

/// What the counter may have come to by the rates, since a person last stood before the pump. The leeway of a link is
/// granted once from there, and not anew with each message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Explained {
    /// What a person saw on the counter.
    pub from: Microlitres,
    /// What the rates make of it up to `to`, and never more than the pump has counted by then.
    pub counter: Microlitres,
    to: Option<Timestamp>,
}

impl Explained {
    pub const fn seen(counter: Microlitres, at: Timestamp) -> Self {
        Self { from: counter, counter, to: Some(at) }
    }
    pub fn until(self, at: Timestamp, rate: Rate) -> Self {
        let Some(to) = self.to.filter(|to| *to < at) else { return self };
        Self { counter: self.counter.plus(flowed(rate, elapsed_ms(to, at))), to: Some(at), ..self }
    }
}

impl Delivery {
    /// What a reading leaves explained: all that a person saw; of a link never more than it has counted.
    pub(super) fn explained_by(&self, read: &PumpRead) -> Explained {
        if read.by.eye() {
            return Explained::seen(read.counter, read.read_at);
        }
        let explained = self.explained_to(read.read_at);
        Explained { counter: explained.counter.min(read.counter), ..explained }
    }

    /// The rate that was known when the stretch began explains it. One that a message tells explains what flows after it:
    /// it may be a slip, or free flow, and where it is not the recorded one somebody is called to it.
    pub(super) fn explained_to(&self, at: Timestamp) -> Explained {
        let may_run = self.unknown.map_or(Rate::ZERO, |unknown| unknown.may_run);
        self.explained.until(at, self.rate.max(may_run))
    }

    /// What the rates explain the counter to show at `at`, and how much of it has flowed since a person last saw it.
    pub fn explained(&self, at: Timestamp) -> (Microlitres, Microlitres) {
        let explained = self.explained_to(at);
        (explained.counter, explained.counter.minus(explained.from))
    }
}
