//! What really went in: integrated from pump readings and recorded rate changes, never from the plan.
//!
//! Between two readings the recorded rate is integrated; a reading of the pump's volume counter replaces that
//! estimate by what the pump counted. When nobody knows what the pump does, the answer is a range until
//! someone reads it.

mod count;
mod explained;
mod lost;
mod set;
mod unknown;

use super::event::{Event, PumpRead, ReadBy, Recorded, Unexplained};
use crate::device::PumpStatus;
use crate::quantity::{Microlitres, Rate, flowed};
use count::Count;
use explained::Explained;
use jiff::{SignedDuration, Timestamp};
use lost::Lost;
pub(super) use set::in_words as set_in_words;
use unknown::Unknown;

/// A stretch of time with one flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment {
    /// From.
    pub from: Timestamp,
    /// To.
    pub to: Timestamp,
    /// What flowed in it.
    pub volume: Microlitres,
}

impl Segment {
    /// Mean flow of the stretch.
    pub fn rate(&self) -> Rate {
        let ms = elapsed_ms(self.from, self.to);
        if ms <= 0 {
            return Rate::ZERO;
        }
        let per_hour = i128::from(self.volume.0) * 3_600_000 / i128::from(ms);
        Rate(i64::try_from(per_hour).unwrap_or(i64::MAX))
    }
}

/// How sure the delivered volume is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Certainty {
    /// The pump's counter was read, by its link or by a person, and nothing moved since without record.
    Read,
    /// Integrated from recorded rate changes since the last reading.
    Recorded,
    /// The link is lost or the record was interrupted: between `low` and `high`.
    Uncertain {
        /// Since when.
        since: Timestamp,
        /// At least.
        low: Microlitres,
        /// At most: had it gone on at the last known rate, until all that was drawn was in.
        high: Microlitres,
    },
}

/// The running account of what flowed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Delivery {
    started: Option<Timestamp>,
    /// Every entry that it is made of, so that it can be made anew when the counter at the start was typed wrong.
    taken: Vec<Recorded>,
    counter_at_start: Microlitres,
    count: Count,
    /// How it counted before the last reading.
    count_before: Count,
    /// What the link told and the rate does not explain, until a person reads the pump.
    doubted: Option<Unexplained>,
    /// Up to here the stretches below are closed.
    settled_to: Option<Timestamp>,
    settled: Microlitres,
    rate: Rate,
    /// The last rate above nothing that a person recorded.
    set_rate: Rate,
    /// It runs, by what people recorded.
    runs: bool,
    /// The pump ends when this is in.
    to_be_infused: Option<Microlitres>,
    /// All that is in the syringe or bag: no pump gives more.
    drawn: Microlitres,
    segments: Vec<Segment>,
    /// The stretches from here on are estimates that the next reading corrects.
    estimated_from: usize,
    unknown: Option<Unknown>,
    /// Only what the link told is in doubt: a word of a person about the counter settles it.
    only_the_count: bool,
    lost: Option<Lost>,
    /// The same before the last reading, which a correction takes back.
    lost_before: Option<Lost>,
    /// What the pump did by a reading that is not what the record says it does, and when.
    otherwise: Option<(PumpStatus, Timestamp)>,
    /// Flows that were changed on record while nobody knew what the pump does: until when, and what ran until then.
    turns: Vec<(Timestamp, Rate)>,
    read_since_last_change: bool,
    /// What the last reading counted.
    counted: Microlitres,
    /// What the account said then, without that reading: a correction of it is held against this.
    without_last: Microlitres,
    /// When the counter was last read.
    counted_at: Option<Timestamp>,
    /// First stretch since the reading before the last one.
    read_from: usize,
    /// Which stretches the last reading corrected, and what they were, for one that takes it back.
    corrected: (usize, Vec<Segment>),
    ended: Option<Timestamp>,
    /// A link reads the pump, since it was last lost.
    linked: bool,
    explained: Explained,
}

impl Delivery {
    /// Takes one event of the session in.
    pub fn apply(&mut self, recorded: &Recorded) {
        if let Event::StartCounterCorrected { counter, .. } = recorded.event {
            *self = self.with_start(counter);
            return;
        }
        let mut recorded = recorded.clone();
        if let Event::PumpWasRead(read) = &mut recorded.event
            && read.jumped
            && read.by == ReadBy::Correcting
        {
            *self = self.without_last_reading();
            read.by = ReadBy::Person;
        }
        if self.take(&recorded) {
            self.taken.push(recorded);
        }
    }

    /// The account as it were, had this stood on the counter at the start.
    #[must_use]
    pub fn with_start(&self, at_start: Microlitres) -> Self {
        let mut anew = Self::default();
        for mut recorded in self.taken.iter().cloned() {
            if let Event::InfusionStarted { counter, .. } = &mut recorded.event {
                *counter = at_start;
            }
            anew.apply(&recorded);
        }
        anew
    }

    /// Whether the event is one of those that the account is made of.
    fn take(&mut self, recorded: &Recorded) -> bool {
        let at = recorded.at;
        match &recorded.event {
            Event::InfusionStarted { rate, counter } => {
                self.started = Some(at);
                self.settled_to = Some(at);
                self.counter_at_start = *counter;
                self.count = Count { from: *counter, given: Microlitres::ZERO };
                self.count_before = self.count;
                self.rate = *rate;
                self.set_rate = *rate;
                self.runs = true;
                self.explained = Explained::seen(*counter, at);
            }
            Event::Drawn { diluted_to, .. } => self.drawn = self.drawn.plus(*diluted_to),
            Event::DrawnDiscarded { .. } => self.drawn = Microlitres::ZERO,
            Event::PumpProgrammed(program) => self.to_be_infused = Some(program.vtbi),
            Event::RateChanged { to, .. } => self.flow_changes(at, *to),
            Event::InfusionPaused { .. } => self.flow_changes(at, Rate::ZERO),
            Event::InfusionResumed { rate, .. } => self.flow_changes(at, *rate),
            Event::InfusionEnded { .. } => {
                self.flow_changes(at, Rate::ZERO);
                self.ended = Some(at);
            }
            Event::PumpWasRead(read) => self.read(read),
            Event::DeliveryBecameUncertain { since } => {
                self.linked = false;
                self.only_the_count &= self.is_in_the_dark();
                self.becomes_unknown(*since);
            }
            Event::CounterDoubted(told) => {
                self.only_the_count |= self.unknown.is_none();
                self.becomes_unknown(told.since);
                self.doubted = Some(told.clone());
            }
            _ => return false,
        }
        true
    }

    /// Nothing here drives a pump: a halt is in doubt until somebody, or the link, reads the pump after it.
    fn flow_changes(&mut self, at: Timestamp, to: Rate) {
        self.explained = self.explained_to(at);
        if self.is_in_the_dark() {
            self.turns.push((at, self.rate));
        } else {
            self.settle(at);
        }
        if let Some(unknown) = &mut self.unknown {
            unknown.count_to(at);
        }
        self.otherwise = None;
        let (ran, halts) = (self.rate, self.rate > Rate::ZERO && to <= Rate::ZERO);
        self.only_the_count &= !halts;
        match &mut self.unknown {
            Some(unknown) if unknown.only_a_halt && to > Rate::ZERO => unknown.may_run = Rate::ZERO,
            Some(unknown) if unknown.only_a_halt && halts => unknown.may_run = ran,
            Some(unknown) if to > Rate::ZERO => unknown.may_run = to,
            None if halts => self.unknown = Some(Unknown::from(at, ran, true)),
            Some(_) | None => {}
        }
        self.rate = to;
        self.runs = to > Rate::ZERO;
        if self.runs {
            self.set_rate = to;
        }
        self.read_since_last_change = false;
    }

    fn becomes_unknown(&mut self, since: Timestamp) {
        if self.started.is_none() || self.is_in_the_dark() {
            return;
        }
        self.settle(since);
        let unknown = self.unknown.get_or_insert(Unknown::from(since, self.rate, false));
        unknown.count_to(since);
        unknown.only_a_halt = false;
        unknown.may_run = unknown.may_run.max(self.rate);
    }

    /// Nobody knows what the pump does, and nothing more is put into the account until it is read.
    pub fn is_in_the_dark(&self) -> bool {
        self.unknown.is_some_and(|unknown| !unknown.only_a_halt)
    }

    /// Closes the open stretch at `at` by integrating the recorded rate.
    fn settle(&mut self, at: Timestamp) {
        let Some(from) = self.settled_to else { return };
        if at <= from {
            return;
        }
        let (volume, empty) = (self.more_to(at), self.empty_at(at));
        self.segments.push(Segment { from, to: empty.unwrap_or(at), volume });
        if let Some(empty) = empty {
            self.segments.push(Segment { from: empty, to: at, volume: Microlitres::ZERO });
            if !self.linked {
                let unknown = self.unknown.get_or_insert(Unknown::from(empty, self.rate, false));
                unknown.count_to(empty);
                (unknown.only_a_halt, unknown.may_run) = (false, self.rate);
            }
        }
        self.settled = self.settled.plus(volume);
        self.settled_to = Some(at);
    }

    /// When the pump had given all that it was told to, if that was before `at`. One that was read to have given more goes
    /// on.
    fn empty_at(&self, at: Timestamp) -> Option<Timestamp> {
        let room = self.to_be_infused?.minus(self.settled).0;
        if self.rate <= Rate::ZERO || room < 0 {
            return None;
        }
        let ms = (i128::from(room) * 3_600_000 + i128::from(self.rate.0) - 1) / i128::from(self.rate.0);
        let ms = i64::try_from(ms).ok()?;
        let empty = self.settled_to?.checked_add(SignedDuration::from_millis(ms)).ok()?;
        (empty < at).then_some(empty)
    }

    /// What flowed since the last closed stretch, at the recorded rate and never more than the pump was told to give.
    fn more_to(&self, at: Timestamp) -> Microlitres {
        match (self.empty_at(at), self.to_be_infused, self.settled_to) {
            (Some(_), Some(all), _) => all.minus(self.settled),
            (_, _, Some(from)) => flowed(self.rate, elapsed_ms(from, at).max(0)),
            (_, _, None) => Microlitres::ZERO,
        }
    }

    /// Closes what was left open in the dark, each stretch at the rate that was recorded for it: a stop in the dark cuts it
    /// as any other does.
    fn settle_the_dark(&mut self) {
        let runs = self.rate;
        for (to, ran) in std::mem::take(&mut self.turns) {
            self.rate = ran;
            self.settle(to);
        }
        self.rate = runs;
    }

    fn read(&mut self, read: &PumpRead) {
        if self.started.is_none() {
            return;
        }
        self.linked |= matches!(read.by, ReadBy::Link(_));
        self.explained = self.explained_by(read);
        if read.jumped && !self.jump_settles(read.read_at) && self.is_in_the_dark() {
            self.leave_open(read.read_at);
        } else {
            self.settle_the_dark();
            self.settle(read.read_at);
        }
        if read.by == ReadBy::Correcting {
            self.take_back();
            self.lost = self.lost_before;
        }
        self.lost_before = self.lost;
        if read.jumped {
            self.lose_count(read.read_at);
        }
        self.without_last = self.settled;
        self.count_before = self.count;
        self.read_from = self.estimated_from;
        let from = self.estimated_from.min(self.segments.len().saturating_sub(1));
        self.corrected = (from, self.segments.iter().skip(from).copied().collect());
        if read.jumped {
            // What flowed stays what was known of it; the counter counts on from what it shows now.
            self.count = Count { from: read.counter, given: self.settled };
        }
        self.correct(self.count.volume(read.counter));
        self.counted = self.settled;
        self.rate = match read.status {
            PumpStatus::Infusing if self.ended.is_none() => read.rate,
            _ => Rate::ZERO,
        };
        self.doubted = None;
        self.only_the_count = false;
        self.otherwise = self.is_otherwise(read).then_some((read.status, read.read_at));
        self.unknown = self.unknown_after(read);
        self.read_since_last_change = !read.jumped;
        self.counted_at = Some(read.read_at);
    }

    /// Whether the pump does something else than the record says. One that stands because all is in does not.
    fn is_otherwise(&self, read: &PumpRead) -> bool {
        let stands = read.status == PumpStatus::NotInfusing;
        match self.ended {
            Some(ended) => !stands && read.read_at >= ended,
            None if self.runs => read.status != PumpStatus::Infusing && !(stands && self.all_in(read)),
            None => !stands,
        }
    }

    /// By the rules when it was read, or to the last drop.
    fn all_in(&self, read: &PumpRead) -> bool {
        read.all_in || self.to_be_infused.is_some_and(|all| self.settled >= all)
    }

    /// After the stop only a pump that was read to stand is known: what another goes on to give stands in no account. Nobody
    /// knows at what rate a vein is kept open. A link that says that the pump stands while the record says that it runs is
    /// contradicted by it; a person who says so was asked.
    fn unknown_after(&self, read: &PumpRead) -> Option<Unknown> {
        let is_unknown = match read.status {
            PumpStatus::Infusing => self.ended.is_some(),
            PumpStatus::NotInfusing => {
                self.ended.is_none() && self.runs && !self.all_in(read) && !read.by.eye()
            }
            PumpStatus::KeepVeinOpen | PumpStatus::Unknown => true,
        };
        let may_run = if read.rate > Rate::ZERO { read.rate } else { self.set_rate };
        is_unknown.then(|| Unknown::from(read.read_at, may_run, true))
    }

    /// Makes the account what it were without the last reading.
    fn take_back(&mut self) {
        self.count = self.count_before;
        self.settled = self.without_last.plus(self.settled.minus(self.counted));
        let (from, were) = std::mem::take(&mut self.corrected);
        if from <= self.estimated_from && self.estimated_from <= self.segments.len() {
            self.segments.splice(from..self.estimated_from, were);
        }
        self.estimated_from = self.read_from;
    }

    /// Puts what the pump counted beyond the estimate where nothing should have flowed and it may have: after a halt that
    /// the pump did not see. What is over, or missing, is spread over the stretches since the last reading, in
    /// proportion, so that their sum is what the pump counted.
    fn correct(&mut self, counted: Microlitres) {
        let halted = self.halted_from();
        let room = self.segments.iter().skip(halted).map(|segment| could_flow(segment, self.set_rate));
        let room = room.fold(Microlitres::ZERO, Microlitres::plus);
        let counted_more = counted.minus(self.settled);
        let after_halt = counted_more.max(Microlitres::ZERO).min(room);
        let difference = counted_more.minus(after_halt);
        let Some(open) = self.segments.get_mut(self.estimated_from..) else { return };
        let estimated: i64 = open.iter().map(|segment| segment.volume.0).sum();
        let mut left = difference.0;
        if estimated > 0 {
            for segment in open.iter_mut() {
                let share = i128::from(difference.0) * i128::from(segment.volume.0) / i128::from(estimated);
                let share = i64::try_from(share).unwrap_or_default();
                segment.volume = segment.volume.plus(Microlitres(share));
                left -= share;
            }
        }
        // What rounding leaves goes where most flowed, so that no pause takes or gives drug.
        let most = open.iter_mut().max_by_key(|segment| segment.volume);
        let takes = if most.is_some() { most } else { self.segments.last_mut() };
        if let Some(segment) = takes {
            segment.volume = segment.volume.plus(Microlitres(left));
        } else if let (Some(from), true) = (self.settled_to, left != 0) {
            self.segments.push(Segment { from, to: from, volume: Microlitres(left) });
        }
        self.flowed_since_halt(halted, after_halt);
        self.settled = counted;
        self.estimated_from = self.segments.len();
    }

    /// The first stretch since the last reading in which nothing flowed any more, none while the pump runs.
    fn halted_from(&self) -> usize {
        if self.rate > Rate::ZERO {
            return self.segments.len();
        }
        let flowing = self.segments.iter().rposition(|segment| segment.volume > Microlitres::ZERO);
        flowing.map_or(0, |last| last + 1).max(self.estimated_from)
    }

    /// A pump that nobody halted went on from the halt, and not from some time after it.
    fn flowed_since_halt(&mut self, halted: usize, volume: Microlitres) {
        let (mut left, set_rate) = (volume, self.set_rate);
        for segment in self.segments.iter_mut().skip(halted) {
            let more = could_flow(segment, set_rate).min(left);
            segment.volume = segment.volume.plus(more);
            left = left.minus(more);
        }
    }

    /// Volume delivered up to `at`: the best estimate, the lower bound while uncertain.
    pub fn volume_at(&self, at: Timestamp) -> Microlitres {
        if self.is_in_the_dark() { self.settled } else { self.settled.plus(self.more_to(at)) }
    }

    /// How sure [`Self::volume_at`] is.
    pub fn certainty(&self, at: Timestamp) -> Certainty {
        match self.uncertain_since(at) {
            Some(since) => {
                let high = self.told_at(at).max(self.most_at(at));
                Certainty::Uncertain { since, low: self.volume_at(at), high }
            }
            None if self.read_since_last_change => Certainty::Read,
            None => Certainty::Recorded,
        }
    }

    /// Uncertain since: by an entry, or because all that the pump was told to give is in and no link tells what it does now.
    pub fn uncertain_since(&self, at: Timestamp) -> Option<Timestamp> {
        let lost = self.lost.map(|lost| lost.since);
        lost.into_iter().chain(self.to_be_read_since(at)).min()
    }

    /// Uncertain since, as far as a reading of the pump can settle it.
    pub fn to_be_read_since(&self, at: Timestamp) -> Option<Timestamp> {
        // A link that falls silent is lost, and its loss is recorded.
        let empty = || self.empty_at(at).filter(|_| !self.linked);
        self.unknown.map(|unknown| unknown.since).or_else(empty)
    }

    /// What can have flowed up to `at`: what its rate gives in the time, past the end of the volume too, and never more
    /// than was drawn.
    fn most_at(&self, at: Timestamp) -> Microlitres {
        self.most_with(self.lost_volume(), at)
    }

    fn most_with(&self, lost: Microlitres, at: Timestamp) -> Microlitres {
        let since = self.settled_to.filter(|_| !self.is_in_the_dark()).unwrap_or(at);
        let runs = flowed(self.rate, elapsed_ms(since, at).max(0));
        let beside = self.unknown.map_or(Microlitres::ZERO, |unknown| unknown.possible_to(at));
        self.settled.plus(runs).plus(beside).plus(lost).min(self.drawn).max(self.volume_at(at))
    }

    /// What has flowed if the counter that nobody can explain is right: as far as it can be, with all that was drawn.
    fn told_at(&self, at: Timestamp) -> Microlitres {
        let volume = |told: &Unexplained| {
            let since = flowed(self.set_rate, elapsed_ms(told.told_at, at).max(0));
            self.count.volume(told.counter).plus(since).plus(self.lost_volume()).min(self.drawn)
        };
        self.doubted.as_ref().map_or(Microlitres::ZERO, volume)
    }

    /// Stretches of flow up to `at`, the open one included. Their volumes sum to [`Self::volume_at`].
    pub fn segments_to(&self, at: Timestamp) -> Vec<Segment> {
        let mut all = self.segments.clone();
        if let Some(from) = self.settled_to.filter(|from| at > *from) {
            let (to, volume) = (self.empty_at(at), self.volume_at(at).minus(self.settled));
            all.push(Segment { from, to: to.unwrap_or(at), volume });
            all.extend(to.map(|from| Segment { from, to: at, volume: Microlitres::ZERO }));
        }
        all
    }

    /// What flowed after the end, as far as it was counted.
    pub fn after_end(&self) -> Microlitres {
        let after =
            self.segments.iter().filter(|segment| self.ended.is_some_and(|ended| segment.from >= ended));
        after.map(|segment| segment.volume).fold(Microlitres::ZERO, Microlitres::plus)
    }

    /// Where the pump's counter should stand at `at`, from and to: by the last reading and the rates recorded since, or by
    /// the one before where the last was wrong. What nobody can explain is left out.
    pub fn counter_expected(&self, at: Timestamp, last_was_wrong: bool) -> (Microlitres, Microlitres) {
        let low = self.volume_at(at);
        let most = || self.most_with(Microlitres::ZERO, at);
        let high = self.to_be_read_since(at).map_or(low, |_| most());
        let (count, wrong) = if last_was_wrong {
            (self.count_before, self.counted.minus(self.without_last))
        } else {
            (self.count, Microlitres::ZERO)
        };
        (count.shows(low.minus(wrong)), count.shows(high.minus(wrong)))
    }

    /// What the counter can show at most after the stretch that is open, at this rate.
    pub fn counter_at(&self, rate: Rate, at: Timestamp) -> Microlitres {
        let ms = self.settled_to.map_or(0, |from| elapsed_ms(from, at).max(0));
        self.count.shows(self.settled.plus(flowed(rate, ms)))
    }

    /// Flow now, as far as known: that of a pump that was read to infuse after the stop, too.
    pub fn rate(&self) -> Rate {
        match (self.ended, self.otherwise, self.unknown) {
            (Some(_), Some((PumpStatus::Infusing, _)), Some(unknown)) => unknown.may_run,
            _ => self.rate,
        }
    }
    /// What a person last told the pump to do, whatever it does now.
    pub const fn set_rate(&self) -> Rate {
        self.set_rate
    }
    /// Begin of the infusion.
    pub const fn started(&self) -> Option<Timestamp> {
        self.started
    }
    /// End of the infusion.
    pub const fn ended(&self) -> Option<Timestamp> {
        self.ended
    }
    /// A link reads this pump, and was not lost since.
    pub const fn linked(&self) -> bool {
        self.linked
    }
    /// When the pump's counter was last read in this infusion.
    pub const fn counted_at(&self) -> Option<Timestamp> {
        self.counted_at
    }
    /// What the pump's counter showed at the start.
    pub const fn counter_at_start(&self) -> Microlitres {
        self.counter_at_start
    }
    /// What it showed when it began to count as it does: at the start, or once it had been cleared or had jumped.
    pub const fn counts_from(&self) -> Microlitres {
        self.count.from
    }
    /// What has flowed when it shows this.
    pub fn volume_counted(&self, counter: Microlitres) -> Microlitres {
        self.count.volume(counter)
    }
    /// What it shows, or would have shown, with nothing given.
    pub fn counter_of_nothing(&self) -> Microlitres {
        self.count.shows(Microlitres::ZERO)
    }
    /// What the link told and the rate does not explain, until a person reads the pump.
    pub const fn doubted(&self) -> Option<&Unexplained> {
        self.doubted.as_ref()
    }
    /// What the pump's counter showed when it was last read.
    pub fn last_counter(&self) -> Microlitres {
        self.count.shows(self.sum_of(self.estimated_from))
    }
    /// What it showed when it was read before that: a correction of the last reading is at least this.
    pub fn counter_before_last(&self) -> Microlitres {
        self.count_before.shows(self.sum_of(self.read_from))
    }
    fn sum_of(&self, stretches: usize) -> Microlitres {
        let volumes = self.segments.iter().take(stretches).map(|segment| segment.volume);
        volumes.fold(Microlitres::ZERO, Microlitres::plus)
    }
    /// Up to this moment the account is closed.
    pub const fn settled_to(&self) -> Option<Timestamp> {
        self.settled_to
    }
    /// What the pump did by a reading that is not what the record says it does, and when; `None` once both say the same.
    pub const fn read_otherwise(&self) -> Option<(PumpStatus, Timestamp)> {
        self.otherwise
    }
    /// It was read to give drug after the stop, and was not read to stand since.
    pub fn runs_on(&self) -> bool {
        let gives = |(does, _)| matches!(does, PumpStatus::Infusing | PumpStatus::KeepVeinOpen);
        self.ended.is_some() && self.otherwise.is_some_and(gives)
    }
}

/// What a pump gives in a stretch at the rate that it was set to.
fn could_flow(segment: &Segment, set: Rate) -> Microlitres {
    flowed(set, elapsed_ms(segment.from, segment.to).max(0))
}

/// Whole milliseconds from one moment to another, negative when `to` is earlier.
pub fn elapsed_ms(from: Timestamp, to: Timestamp) -> i64 {
    to.as_millisecond().saturating_sub(from.as_millisecond())
}
