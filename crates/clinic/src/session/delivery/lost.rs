//! What a counter that was cleared or jumped takes with it, and the account without a reading that was wrong.

use super::super::event::{Event, PumpRead, ReadBy};
use super::{Delivery, Segment};
use crate::quantity::Microlitres;
use jiff::Timestamp;

/// What may have flowed before the counter was cleared, beside what is in the account: no later reading tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Lost {
    pub since: Timestamp,
    pub volume: Microlitres,
}

impl Delivery {
    /// Whether the word of a person that the counter jumped leaves nothing open: nothing was uncertain, or only what the
    /// link told.
    pub fn jump_settles(&self, at: Timestamp) -> bool {
        self.only_the_count || self.to_be_read_since(at).is_none()
    }

    /// A range of which the counter tells nothing any more stays one; the account goes on from its lower end.
    pub(super) fn leave_open(&mut self, at: Timestamp) {
        self.turns.clear();
        if let Some(from) = self.settled_to.filter(|from| at > *from) {
            self.segments.push(Segment { from, to: at, volume: Microlitres::ZERO });
            self.settled_to = Some(at);
        }
    }

    pub(super) fn lose_count(&mut self, at: Timestamp) {
        let Some(unknown) = self.unknown.filter(|_| !self.only_the_count) else { return };
        let since = self.lost.map_or(unknown.since, |lost| lost.since.min(unknown.since));
        self.lost = Some(Lost { since, volume: self.lost_volume().plus(unknown.possible_to(at)) });
    }

    pub(super) fn lost_volume(&self) -> Microlitres {
        self.lost.map_or(Microlitres::ZERO, |lost| lost.volume)
    }

    /// Since when what flowed is uncertain because the counter was cleared, where no reading can tell it any more.
    pub fn count_lost_since(&self) -> Option<Timestamp> {
        self.lost.map(|lost| lost.since)
    }

    /// The pump was read since the last change: all that it can still tell is known.
    pub fn is_read_out(&self, at: Timestamp) -> bool {
        self.read_since_last_change && self.to_be_read_since(at).is_none()
    }

    /// The account as it were without the last reading, and without what that one corrected.
    #[must_use]
    pub fn without_last_reading(&self) -> Self {
        let mut taken = self.taken.clone();
        let reading = |event: &Event| match event {
            Event::PumpWasRead(read) => Some(read.by == ReadBy::Correcting),
            _ => None,
        };
        while let Some(place) = taken.iter().rposition(|one| reading(&one.event).is_some()) {
            if reading(&taken.remove(place).event) != Some(true) {
                break;
            }
        }
        let mut anew = Self::default();
        for recorded in &taken {
            anew.apply(recorded);
        }
        anew
    }

    /// The lowest count of a reading that stands, as the counter counted since the start.
    pub fn lowest_read(&self) -> Option<Microlitres> {
        let reads = self.taken.iter().filter_map(|one| match &one.event {
            Event::PumpWasRead(read) => Some(read),
            _ => None,
        });
        let mut standing: Vec<&PumpRead> = Vec::new();
        for read in reads {
            if read.by == ReadBy::Correcting {
                standing.pop();
            }
            standing.push(read);
        }
        standing.iter().take_while(|read| !read.jumped).map(|read| read.counter).min()
    }
}
