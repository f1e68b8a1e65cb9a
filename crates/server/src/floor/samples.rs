//! What was measured: a trend in memory for the charts, and whole minutes kept in the store, each with its digest
//! as an event, so that no reading can be changed unseen.

use super::act::{as_new, write};
use super::alarms::never_stored;
use super::{Floor, Place};
use crate::read_event;
use clinic::device::{Parameter, Quality, Reading};
use clinic::id::SessionId;
use clinic::quantity::Tenths;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{MutexGuard, PoisonError};
use store::{Append, AppendError, Fault, Sample, Store};

/// Rows kept in memory: four hours at one a second.
const ROWS_MAX: usize = 4 * 3600;
/// Minutes of readings of one chair that wait to be fetched; the oldest go first.
const MINUTES_WAITING_MAX: usize = 240;
/// Minutes of readings of all chairs that wait while the log does not record: four hours of twenty chairs.
const MINUTES_UNKEPT_MAX: usize = 4 * 60 * 20;
/// A minute in µs.
pub(super) const MINUTE_US: i64 = 60_000_000;
/// Parts that one minute may be kept in.
const PARTS_MAX: i64 = 60;
/// Cuff readings kept in memory.
const CUFFS_MAX: usize = 2_000;

/// One second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// Second since the epoch.
    pub second: i64,
    /// Heart or pulse rate.
    pub heart: Option<Tenths>,
    /// Saturation.
    pub spo2: Option<Tenths>,
    /// Breaths.
    pub breaths: Option<Tenths>,
    /// It waited on the way: nobody saw it when it was measured.
    pub late: bool,
}

/// A cuff reading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cuff {
    /// Second since the epoch.
    pub second: i64,
    /// Systolic.
    pub systolic: Tenths,
    /// Diastolic.
    pub diastolic: Tenths,
    /// `auto`, `late`, or who charted it.
    pub by: String,
}

impl Cuff {
    /// It waited on the way.
    pub fn is_late(&self) -> bool {
        self.by == LATE
    }
}

/// What was measured at a chair, oldest first.
#[derive(Debug, Clone, Default)]
pub struct Trend {
    /// Continuous signs.
    pub rows: VecDeque<Row>,
    /// Cuff readings.
    pub cuffs: VecDeque<Cuff>,
    /// What people charted, by its place in the log, as it was drawn.
    charted: BTreeMap<i64, (Row, Option<Cuff>)>,
    minute: Minute,
    /// What came late, by the minute in which it was measured, until the minute that grows is over.
    late: BTreeMap<i64, KeptMinute>,
    /// Minutes that are over and wait to be kept, oldest first.
    whole: VecDeque<(i64, KeptMinute)>,
}

/// By parameter, pairs of millisecond in the minute and tenths.
type Values = BTreeMap<Parameter, Vec<(i64, i32)>>;

/// The minute that grows.
#[derive(Debug, Clone, Default)]
struct Minute {
    minute: i64,
    kept: KeptMinute,
}

/// A whole minute as kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptMinute {
    /// Values that came when they were measured.
    pub values: Values,
    /// Values that came late: nobody saw them when they were measured.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub late: Values,
    /// Values that the device marked as invalid, or that no patient can have: never shown as a number.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub invalid: Values,
}

impl KeptMinute {
    fn parts(&self) -> [&Values; 3] {
        [&self.values, &self.late, &self.invalid]
    }

    fn is_empty(&self) -> bool {
        self.parts().iter().all(|values| values.is_empty())
    }

    /// Takes out what is in `other`, each value as often as it is there.
    fn leave_out(&mut self, other: &mut Self) {
        without(&mut self.values, &mut other.values);
        without(&mut self.late, &mut other.late);
        without(&mut self.invalid, &mut other.invalid);
    }
}

/// The chain's line for a minute of readings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Event {
    /// A minute of readings was kept; its bytes have this SHA-256.
    ReadingsKept {
        /// Start of the minute, µs since the epoch; one more for each further part of the same minute.
        minute_us: i64,
        /// How many values.
        count: u64,
        /// SHA-256 of the bytes, hexadecimal.
        digest: String,
    },
}

/// What an event vouches for, where it is one of these.
pub fn vouched(event: &store::Recorded) -> Option<store::Vouched> {
    let session = event.stream.strip_prefix("readings/")?.to_owned();
    let Event::ReadingsKept { minute_us, digest, .. } = serde_json::from_str(&event.body).ok()?;
    Some(store::Vouched { session, series: SERIES.to_owned(), minute_us, digest })
}

/// The series of samples that readings are kept in.
const SERIES: &str = "readings";
/// Measured by a device, and seen then.
const BY_ITSELF: &str = "auto";
/// Measured by a device, and seen later.
const LATE: &str = "late";

impl Trend {
    /// Takes the readings of one message in.
    pub(super) fn take(&mut self, at: Timestamp, readings: &[Reading]) {
        self.draw(at, readings, false);
        let minute = at.as_second().div_euclid(60);
        if self.minute.minute != minute {
            self.close_minute();
            self.minute.minute = minute;
        }
        put(&mut self.minute.kept.values, at, readings, Quality::Good);
        put(&mut self.minute.kept.invalid, at, readings, Quality::Suspect);
    }

    /// Takes readings that waited on the way, at the time at which they were measured.
    pub(super) fn take_late(&mut self, measured: Timestamp, readings: &[Reading]) {
        self.draw(measured, readings, true);
        let minute = self.late.entry(measured.as_second().div_euclid(60)).or_default();
        put(&mut minute.late, measured, readings, Quality::Good);
        put(&mut minute.invalid, measured, readings, Quality::Suspect);
        if self.late.len() > MINUTES_WAITING_MAX {
            self.late.pop_first();
        }
    }

    /// Draws a minute that the log has.
    pub(super) fn draw_kept(&mut self, minute_us: i64, kept: &KeptMinute) {
        for (values, late) in [(&kept.values, false), (&kept.late, true)] {
            let mut moments = BTreeMap::<i64, Vec<Reading>>::new();
            for (parameter, values) in values {
                for (ms, tenths) in values {
                    let (value, quality) = (Some(Tenths(*tenths)), Quality::Good);
                    let one = Reading { parameter: *parameter, value, quality, observed_at: None };
                    moments.entry(minute_us / 1000 + ms).or_default().push(one);
                }
            }
            for (ms, readings) in moments {
                // A time that no calendar has was never kept.
                Timestamp::from_millisecond(ms).into_iter().for_each(|at| self.draw(at, &readings, late));
            }
        }
    }

    /// Leaves out of what waits to be kept what the log has of this minute.
    pub(super) fn leave_out(&mut self, minute_us: i64, mut kept: KeptMinute) {
        let of = minute_us.div_euclid(MINUTE_US);
        let whole = self.whole.iter_mut().filter(|(minute, _)| *minute == of).map(|(_, waits)| waits);
        whole.for_each(|waits| waits.leave_out(&mut kept));
        self.whole.retain(|(_, waits)| !waits.is_empty());
        if self.minute.minute == of {
            self.minute.kept.leave_out(&mut kept);
        }
        if let Some(late) = self.late.get_mut(&of) {
            late.leave_out(&mut kept);
        }
        self.late.retain(|_, late| !late.is_empty());
    }

    fn draw(&mut self, at: Timestamp, readings: &[Reading], late: bool) {
        let good = |parameter: Parameter| {
            let found =
                readings.iter().find(|one| one.parameter == parameter && one.quality == Quality::Good);
            found.and_then(|one| one.value)
        };
        let second = at.as_second();
        let heart = good(Parameter::HeartRate).or_else(|| good(Parameter::PulseRate));
        let (spo2, breaths) = (good(Parameter::Spo2), good(Parameter::RespiratoryRate));
        self.push(Row { second, heart, spo2, breaths, late });
        if let (Some(systolic), Some(diastolic)) = (good(Parameter::Systolic), good(Parameter::Diastolic)) {
            let by = if late { LATE } else { BY_ITSELF }.to_owned();
            self.cuff(Cuff { second, systolic, diastolic, by });
        }
    }

    /// Takes vital signs that a person charted, with their place in the log.
    pub(super) fn chart(
        &mut self,
        entry: i64,
        at: Timestamp,
        values: &BTreeMap<Parameter, Tenths>,
        by: &str,
    ) {
        let get = |parameter: Parameter| values.get(&parameter).copied();
        let second = at.as_second();
        let cuff = get(Parameter::Systolic).zip(get(Parameter::Diastolic));
        let cuff = cuff.map(|(systolic, diastolic)| Cuff { second, systolic, diastolic, by: by.to_owned() });
        let heart = get(Parameter::HeartRate).or_else(|| get(Parameter::PulseRate));
        let (spo2, breaths) = (get(Parameter::Spo2), get(Parameter::RespiratoryRate));
        let row = Row { second, heart, spo2, breaths, late: false };
        cuff.iter().for_each(|cuff| self.cuff(cuff.clone()));
        self.push(row);
        self.charted.insert(entry, (row, cuff));
        if self.charted.len() > CUFFS_MAX {
            self.charted.pop_first();
        }
    }

    /// Takes out what an entry by a person drew.
    pub(super) fn strike(&mut self, entry: i64) {
        let Some((drawn, cuff)) = self.charted.remove(&entry) else { return };
        if let Some(nth) = self.cuffs.iter().position(|one| Some(one) == cuff.as_ref()) {
            self.cuffs.remove(nth);
        }
        let without =
            |now: &mut Option<Tenths>, was: Option<Tenths>| *now = now.filter(|now| Some(*now) != was);
        for row in self.rows.iter_mut().filter(|row| row.second == drawn.second) {
            without(&mut row.heart, drawn.heart);
            without(&mut row.spo2, drawn.spo2);
            without(&mut row.breaths, drawn.breaths);
        }
        self.rows.retain(|row| row.heart.or(row.spo2).or(row.breaths).is_some());
    }

    fn push(&mut self, row: Row) {
        if row.heart.or(row.spo2).or(row.breaths).is_none() {
            return;
        }
        let nth = self.rows.partition_point(|one| one.second < row.second);
        match self.rows.get_mut(nth).filter(|one| one.second == row.second) {
            Some(same) if row.late => {
                same.heart = same.heart.or(row.heart);
                same.spo2 = same.spo2.or(row.spo2);
                same.breaths = same.breaths.or(row.breaths);
            }
            Some(same) => {
                same.heart = row.heart.or(same.heart);
                same.spo2 = row.spo2.or(same.spo2);
                same.breaths = row.breaths.or(same.breaths);
            }
            None => self.rows.insert(nth, row),
        }
        if self.rows.len() > ROWS_MAX {
            self.rows.pop_front();
        }
    }

    fn cuff(&mut self, cuff: Cuff) {
        let nth = self.cuffs.partition_point(|one| one.second <= cuff.second);
        // A monitor repeats its last cuff reading with every message.
        let before = nth.checked_sub(1).and_then(|before| self.cuffs.get(before));
        let repeats = |last: &Cuff| {
            (last.systolic, last.diastolic) == (cuff.systolic, cuff.diastolic)
                && cuff.second - last.second < 60
        };
        if [BY_ITSELF, LATE].contains(&cuff.by.as_str()) && before.is_some_and(repeats) {
            return;
        }
        self.cuffs.insert(nth, cuff);
        if self.cuffs.len() > CUFFS_MAX {
            self.cuffs.pop_front();
        }
    }

    /// Puts the minute that grew aside.
    fn close_minute(&mut self) {
        let kept = std::mem::take(&mut self.minute.kept);
        let late = std::mem::take(&mut self.late).into_iter();
        self.whole.extend(late.filter(|(_, late)| !late.is_empty()));
        if !kept.is_empty() {
            self.whole.push_back((self.minute.minute, kept));
        }
        while self.whole.len() > MINUTES_WAITING_MAX {
            self.whole.pop_front();
        }
    }

    /// The minutes that are over at `at`, taken out.
    fn over(&mut self, at: Timestamp) -> VecDeque<(i64, KeptMinute)> {
        let minute = at.as_second().div_euclid(60);
        if self.minute.minute < minute {
            self.close_minute();
            self.minute.minute = minute;
        }
        std::mem::take(&mut self.whole)
    }

    /// All that was not fetched yet, the minute that grows too.
    fn rest(&mut self) -> VecDeque<(i64, KeptMinute)> {
        self.close_minute();
        std::mem::take(&mut self.whole)
    }
}

/// A minute of readings with its session.
type OfSession = (SessionId, i64, KeptMinute);

/// Minutes of readings that wait to be kept, oldest first.
#[derive(Default)]
pub(super) struct Minutes {
    waiting: VecDeque<OfSession>,
    /// How many were given up because too many waited.
    lost: u64,
}

impl Minutes {
    fn put_by(&mut self, session: &SessionId, minutes: VecDeque<(i64, KeptMinute)>) {
        self.waiting.extend(minutes.into_iter().map(|(minute, kept)| (session.clone(), minute, kept)));
        let over = self.waiting.len().saturating_sub(MINUTES_UNKEPT_MAX);
        for (session, minute, _) in self.waiting.drain(..over) {
            self.lost += 1;
            tracing::error!(%session, minute, "a minute of readings is given up: too many wait for the log");
        }
    }
}

impl Floor {
    /// Keeps the minutes that are over. Called by the clock. What the log does not take waits and is kept when it
    /// records again.
    pub(super) fn keep_minutes(&self, at: Timestamp) {
        {
            let mut room = self.room();
            let mut minutes = self.minutes();
            for place in room.chairs.values_mut() {
                let over = place.trend.over(at);
                minutes.put_by(place.monitor.session(), over);
            }
        }
        loop {
            let next = self.minutes().waiting.pop_front();
            let Some((session, minute, kept)) = next else { break };
            match self.keep_minute(&session, minute, &kept, at) {
                Ok(()) => {}
                Err(error) if waits(&error) => {
                    tracing::warn!(%error, "a minute of readings is not kept yet");
                    self.minutes().waiting.push_front((session, minute, kept));
                    return;
                }
                Err(error) => tracing::error!(%error, %session, minute, "a minute of readings is given up"),
            }
        }
        let lost = std::mem::take(&mut self.minutes().lost);
        if lost > 0 {
            tracing::error!(lost, "minutes of readings were given up while nothing was recorded");
        }
    }

    /// Puts by what a watch measured that is over now.
    pub(super) fn keep_rest(&self, place: &mut Place) {
        let rest = place.trend.rest();
        self.minutes().put_by(place.monitor.session(), rest);
    }

    fn minutes(&self) -> MutexGuard<'_, Minutes> {
        self.minutes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep_minute(
        &self,
        session: &SessionId,
        minute: i64,
        kept: &KeptMinute,
        at: Timestamp,
    ) -> anyhow::Result<()> {
        let bytes = serde_json::to_vec(kept)?;
        let digest = hex::encode(Sha256::digest(&bytes));
        let count =
            kept.parts().into_iter().flat_map(BTreeMap::values).map(|values| values.len() as u64).sum();
        // A minute that was kept before, cut by a restart or by a late message, is not written over: the log vouches
        // for its bytes. What came after stands beside it, each part a microsecond later. The same bytes are the same
        // part, whose line did not reach the log.
        let begin_us = minute * MINUTE_US;
        let kept_before =
            self.store.samples(&self.site, session.as_str(), "readings", begin_us, begin_us + PARTS_MAX)?;
        let same = kept_before.iter().position(|before| before.bytes == bytes);
        let part = i64::try_from(same.unwrap_or(kept_before.len()))?;
        anyhow::ensure!(part < PARTS_MAX, "minute {minute} of {session} has {PARTS_MAX} parts already");
        let minute_us = begin_us + part;
        self.store.put_sample(Sample {
            site: self.site.clone(),
            session: session.0.clone(),
            series: SERIES.to_owned(),
            minute_us,
            bytes,
        })?;
        let event = Event::ReadingsKept { minute_us, count, digest };
        self.store.append(Append {
            site: self.site.clone(),
            command_id: format!("readings-{session}-{minute}-{part}"),
            author: "monitor".to_owned(),
            at_us: at.as_microsecond(),
            writes: vec![write(format!("readings/{session}"), None, [as_new(&event)])?],
            reply: String::new(),
            closing: false,
        })?;
        Ok(())
    }

    /// All readings of a session that were kept, oldest first, with minutes whose bytes do not match their digest
    /// named.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn kept_readings(&self, session: &SessionId) -> anyhow::Result<Vec<(Timestamp, Parameter, Tenths)>> {
        let samples = self.store.samples(&self.site, session.as_str(), "readings", i64::MIN, i64::MAX)?;
        let mut all = Vec::new();
        for sample in samples {
            let kept: KeptMinute = serde_json::from_slice(&sample.bytes)?;
            for (parameter, values) in kept.values.into_iter().chain(kept.late) {
                for (ms, tenths) in values {
                    let at = Timestamp::from_millisecond(sample.minute_us / 1000 + ms)?;
                    all.push((at, parameter, Tenths(tenths)));
                }
            }
        }
        all.sort_by_key(|(at, parameter, _)| (*at, *parameter));
        Ok(all)
    }
}

fn put(values: &mut Values, at: Timestamp, readings: &[Reading], quality: Quality) {
    let ms = at.as_millisecond().rem_euclid(60_000);
    for one in readings.iter().filter(|one| one.quality == quality) {
        values.entry(one.parameter).or_default().extend(one.value.map(|value| (ms, value.0)));
    }
    values.retain(|_, values| !values.is_empty());
}

/// Takes out of `values` what is in `kept`, each as often as it is there.
fn without(values: &mut Values, kept: &mut Values) {
    for (parameter, values) in values.iter_mut() {
        let Some(kept) = kept.get_mut(parameter) else { continue };
        values.retain(|value| {
            let same = kept.iter().position(|one| one == value);
            same.map(|same| kept.swap_remove(same)).is_none()
        });
    }
    values.retain(|_, values| !values.is_empty());
}

/// The minutes of a visit that the log vouches for by these lines, each by its beginning in µs; `None` where the bytes
/// are not those of then.
pub(crate) fn vouched_minutes(
    store: &Store,
    site: &str,
    session: &SessionId,
    lines: &[store::Recorded],
) -> Result<Vec<(i64, Option<KeptMinute>)>, crate::Fault> {
    let samples = store.samples(site, session.as_str(), SERIES, i64::MIN, i64::MAX)?;
    let mut samples: BTreeMap<i64, Vec<u8>> =
        samples.into_iter().map(|sample| (sample.minute_us, sample.bytes)).collect();
    let kept = |line: &store::Recorded| {
        let Event::ReadingsKept { minute_us, digest, .. } = read_event(line)?;
        let bytes = samples.remove(&minute_us).filter(|bytes| hex::encode(Sha256::digest(bytes)) == digest);
        Ok((minute_us, bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok())))
    };
    lines.iter().map(kept).collect()
}

/// The log may take it later; one that it refuses for itself would hold up all others.
fn waits(error: &anyhow::Error) -> bool {
    let refused = error.downcast_ref::<AppendError>().is_some_and(never_stored);
    !refused && (error.is::<AppendError>() || error.is::<Fault>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(tenths: i32) -> Vec<Reading> {
        let (parameter, value) = (Parameter::HeartRate, Some(Tenths(tenths)));
        vec![Reading { parameter, value, quality: Quality::Good, observed_at: None }]
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("near")
    }

    #[test]
    fn a_minute_is_kept_although_the_next_began_before_anybody_looked() {
        let mut trend = Trend::default();
        trend.take(at(58), &reading(700));
        trend.take(at(59), &reading(710));
        assert!(trend.over(at(59)).is_empty(), "it is not over yet");
        trend.take(at(60), &reading(720));
        let mut over = trend.over(at(60));
        let (minute, kept) = over.pop_front().expect("the first minute");
        assert_eq!((minute, &kept.values[&Parameter::HeartRate]), (0, &vec![(58_000, 700), (59_000, 710)]));
        assert!(over.is_empty() && trend.over(at(60)).is_empty(), "the second is not over yet");
        let (minute, kept) = trend.over(at(120)).pop_front().expect("the second minute");
        assert_eq!((minute, &kept.values[&Parameter::HeartRate]), (1, &vec![(0, 720)]));
        assert!(trend.over(at(600)).is_empty());
    }

    #[test]
    fn what_comes_late_stands_at_its_own_time_and_is_marked() {
        let mut trend = Trend::default();
        trend.take(at(10), &reading(700));
        trend.take(at(200), &reading(710));
        trend.take_late(at(100), &reading(810));
        trend.take_late(at(200), &reading(990));
        let rows: Vec<_> =
            trend.rows.iter().map(|row| (row.second, row.heart.map(|h| h.0), row.late)).collect();
        assert_eq!(rows, [(10, Some(700), false), (100, Some(810), true), (200, Some(710), false)]);
        let kept: Vec<_> = trend.over(at(240)).into_iter().collect();
        let late = kept.iter().find(|(minute, kept)| *minute == 1 && kept.values.is_empty());
        assert_eq!(late.expect("kept").1.late[&Parameter::HeartRate], [(40_000, 810)]);
        assert!(trend.over(at(241)).is_empty(), "once");
        trend.take_late(at(130), &reading(820));
        assert!(trend.over(at(299)).is_empty(), "not a part for every message");
        assert_eq!(trend.over(at(300)).len(), 1);
    }

    #[test]
    fn what_waits_is_bounded_and_what_is_given_up_is_counted() {
        let mut minutes = Minutes::default();
        let id = SessionId::new("v1");
        let kept = KeptMinute::default;
        let most = i64::try_from(MINUTES_UNKEPT_MAX).expect("small");
        (0..most + 2).for_each(|minute| minutes.put_by(&id, VecDeque::from([(minute, kept())])));
        assert_eq!((minutes.waiting.len(), minutes.lost), (MINUTES_UNKEPT_MAX, 2));
        assert_eq!(minutes.waiting.front().map(|(_, minute, _)| *minute), Some(2), "the oldest go first");
    }
}
