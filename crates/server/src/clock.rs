//! Time, ids and chance: the only place that asks the machine for them.
//!
//! Everything else takes a [`Clock`] and [`Ids`], so that a safety rule can be tested to the second and a seeded
//! run makes the same bytes twice.

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};
use tokio::sync::watch;

/// Where the program's time comes from. Cheap to clone; clones tell the same time.
///
/// It follows a time of day that is corrected little by little. One that is set does not move it: set back, a watch
/// would stand still until the old hour comes again; set ahead, every observation would be missed and a dose counted
/// that nobody gave. It goes on at its own pace, says by how much the machine is off, and follows a machine that was
/// set ahead when it is told that nobody is watched.
#[derive(Debug, Clone)]
pub struct Clock {
    kind: Kind,
    /// How far the time told here is ahead of the time since the start, µs.
    ahead_us: Arc<AtomicI64>,
}

#[derive(Debug, Clone)]
enum Kind {
    /// The machine's own, since that moment after its start.
    System { started: Duration },
    /// Stands still until it is moved or let go. Its time of day can be set apart from the time that passes.
    Held { from: Timestamp, run: Arc<watch::Sender<Run>>, set_us: Arc<AtomicI64> },
}

/// A time of day that moves further than this at once was set; a correction is smaller.
pub const CLOCK_OFF: SignedDuration = SignedDuration::from_secs(1);

/// How far a held clock came.
#[derive(Debug, Clone, Copy, Default)]
struct Run {
    /// Until it was last let go or moved.
    passed: Duration,
    /// Since when it runs, and how many times as fast as real time.
    since: Option<(Instant, f64)>,
}

impl Run {
    fn passed(&self) -> Duration {
        let since = self.since.map(|(started, speed)| instant().duration_since(started).mul_f64(speed));
        self.passed.saturating_add(since.unwrap_or_default())
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clocks")]
fn instant() -> Instant {
    Instant::now()
}

/// Time since the machine was started, with the time that it slept: what flows into a vein does not sleep.
fn since_boot() -> Duration {
    #[cfg(target_os = "linux")]
    let id = rustix::time::ClockId::Boottime;
    #[cfg(not(target_os = "linux"))]
    let id = rustix::time::ClockId::Monotonic;
    Duration::try_from(rustix::time::clock_gettime(id)).unwrap_or_default()
}

#[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clocks")]
fn wall() -> SystemTime {
    SystemTime::now()
}

impl Clock {
    /// The machine's own clock.
    pub fn system() -> Self {
        Self::of(Kind::System { started: since_boot() })
    }

    fn of(kind: Kind) -> Self {
        Self { kind, ahead_us: Arc::new(AtomicI64::new(i64::MIN)) }
    }

    /// Makes the machine's clock begin no earlier than `at`, the last line of the log, and says by how much the
    /// machine lags behind it. Does nothing to another clock.
    pub fn not_before(&self, at: Timestamp) -> SignedDuration {
        let Kind::System { .. } = &self.kind else { return SignedDuration::ZERO };
        let behind = at.duration_since(self.now());
        if !behind.is_positive() {
            return SignedDuration::ZERO;
        }
        self.ahead_us.fetch_max(at.as_microsecond().saturating_sub(micros(self.passed())), Ordering::Relaxed);
        behind
    }

    /// By how much the machine's time of day is ahead of what this clock tells, because it was set; negative when it is
    /// behind. Nothing while it is off by less than [`CLOCK_OFF`].
    pub fn off(&self) -> SignedDuration {
        let (wall, passed) = self.machine();
        let off = wall.duration_since(onwards(&self.ahead_us, wall, passed));
        if off.abs() < CLOCK_OFF { SignedDuration::ZERO } else { off }
    }

    /// Follows a machine that was set ahead. Only for a moment in which no time is counted that a patient hangs on.
    pub fn follow(&self) {
        let (wall, passed) = self.machine();
        self.ahead_us.fetch_max(wall.as_microsecond().saturating_sub(micros(passed)), Ordering::Relaxed);
    }

    /// The machine's time of day, read before the time that passed: a pause between the two only makes it seem behind.
    fn machine(&self) -> (Timestamp, Duration) {
        match &self.kind {
            Kind::System { .. } => {
                let wall = Timestamp::try_from(wall()).unwrap_or(Timestamp::UNIX_EPOCH);
                (wall, self.passed())
            }
            Kind::Held { from, set_us, .. } => {
                let passed = self.passed();
                let set = SignedDuration::from_micros(set_us.load(Ordering::Relaxed));
                let wall = later(*from, passed);
                (wall.checked_add(set).unwrap_or(wall), passed)
            }
        }
    }

    /// Sets the time of day of the machine under a held clock. Does nothing to the machine's own.
    pub fn set_machine(&self, by: SignedDuration) {
        if let Kind::Held { set_us, .. } = &self.kind {
            set_us.fetch_add(i64::try_from(by.as_micros()).unwrap_or_default(), Ordering::Relaxed);
        }
    }

    /// A clock that begins at `from` and runs `speed` times as fast as real time, for the demonstration.
    pub fn fast(from: Timestamp, speed: f64) -> Self {
        let clock = Self::held(from);
        clock.let_go(speed);
        clock
    }

    /// A clock that stands at `from` until [`Clock::advance`] moves it, for tests and headless runs.
    pub fn held(from: Timestamp) -> Self {
        let (run, set_us) = (Arc::new(watch::Sender::new(Run::default())), Arc::default());
        Self::of(Kind::Held { from, run, set_us })
    }

    /// Lets a held clock run from where it stands, `speed` times as fast as real time. Does nothing to the machine's.
    pub fn let_go(&self, speed: f64) {
        if let Kind::Held { run, .. } = &self.kind {
            let speed = if speed > 0.0 { speed } else { 1.0 };
            // Wakes the sleepers too: they have to look again.
            run.send_modify(|now| *now = Run { passed: now.passed(), since: Some((instant(), speed)) });
        }
    }

    /// The time of day, UTC, to the microsecond: what the log stores.
    pub fn now(&self) -> Timestamp {
        let (wall, passed) = self.machine();
        let now = onwards(&self.ahead_us, wall, passed);
        Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now)
    }

    /// Time since this clock was made. Never runs backwards, whatever happens to the time of day.
    pub fn passed(&self) -> Duration {
        match &self.kind {
            Kind::System { started } => since_boot().saturating_sub(*started),
            Kind::Held { run, .. } => run.borrow().passed(),
        }
    }

    /// How much faster than real time it runs; a held clock does not run.
    pub fn speed(&self) -> f64 {
        match &self.kind {
            Kind::System { .. } => 1.0,
            Kind::Held { run, .. } => run.borrow().since.map_or(1.0, |(_, speed)| speed),
        }
    }

    /// Waits until `wait` has passed on this clock.
    pub async fn sleep(&self, wait: Duration) {
        match &self.kind {
            Kind::System { .. } => tokio::time::sleep(wait).await,
            Kind::Held { run, .. } => {
                let until = self.passed().saturating_add(wait);
                let mut moved = run.subscribe();
                loop {
                    let now = *moved.borrow_and_update();
                    let left = until.saturating_sub(now.passed());
                    if left.is_zero() {
                        return;
                    }
                    // The sender lives in this clock, so the channel cannot close while we wait.
                    let moves = moved.changed();
                    match now.since {
                        Some((_, speed)) => {
                            let _ = tokio::time::timeout(left.div_f64(speed), moves).await;
                        }
                        None => {
                            let _ = moves.await;
                        }
                    }
                }
            }
        }
    }

    /// Moves a held clock and wakes whoever slept until then. Does nothing to a clock that runs by itself.
    pub fn advance(&self, by: Duration) {
        if let Kind::Held { run, .. } = &self.kind {
            run.send_modify(|now| now.passed = now.passed.saturating_add(by));
        }
    }
}

fn micros(passed: Duration) -> i64 {
    i64::try_from(passed.as_micros()).unwrap_or(i64::MAX)
}

/// The time of day, or where it was set, what it would be by now.
fn onwards(ahead_us: &AtomicI64, wall: Timestamp, passed: Duration) -> Timestamp {
    let passed_us = micros(passed);
    let ahead = wall.as_microsecond().saturating_sub(passed_us);
    let corrected = |furthest: i64| {
        let by = ahead.saturating_sub(furthest);
        furthest == i64::MIN || (by > 0 && SignedDuration::from_micros(by) < CLOCK_OFF)
    };
    let moved = ahead_us
        .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |furthest| corrected(furthest).then_some(ahead));
    let furthest = moved.map_or_else(|stands| stands, |_| ahead);
    Timestamp::from_microsecond(furthest.saturating_add(passed_us)).unwrap_or(wall)
}

fn later(from: Timestamp, passed: Duration) -> Timestamp {
    SignedDuration::try_from(passed).ok().and_then(|by| from.checked_add(by).ok()).unwrap_or(Timestamp::MAX)
}

/// Makes ids and salts. Cheap to clone; clones draw from the same sequence.
///
/// Session tokens never come from here but from [`secret_token`], because a seeded sequence can be guessed.
#[derive(Debug, Clone)]
pub struct Ids {
    clock: Clock,
    seeded: Option<Arc<Seeded>>,
}

#[derive(Debug)]
struct Seeded {
    seed: u64,
    drawn: AtomicU64,
}

impl Ids {
    /// Ids that nobody can foresee.
    pub fn system(clock: Clock) -> Self {
        Self { clock, seeded: None }
    }

    /// The same ids in the same order for the same seed, for tests and the demonstration.
    pub fn seeded(clock: Clock, seed: u64) -> Self {
        Self { clock, seeded: Some(Arc::new(Seeded { seed, drawn: AtomicU64::new(0) })) }
    }

    /// A new id: UUID version 7 as text, so that ids sort by the time they were made.
    pub fn next(&self) -> String {
        let since_epoch_ms = u64::try_from(self.clock.now().as_millisecond()).unwrap_or(0);
        uuid::Builder::from_unix_timestamp_millis(since_epoch_ms, &self.bytes()).into_uuid().to_string()
    }

    /// Up to 32 bytes of chance, for salts.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        match &self.seeded {
            None => from_machine(),
            Some(seeded) => {
                let drawn = seeded.drawn.fetch_add(1, Ordering::Relaxed);
                let mut hash = Sha256::new();
                hash.update(b"chairside ids");
                hash.update(seeded.seed.to_le_bytes());
                hash.update(drawn.to_le_bytes());
                let drawn: [u8; 32] = hash.finalize().into();
                std::array::from_fn(|at| drawn.get(at).copied().unwrap_or(0))
            }
        }
    }
}

/// 256 bits from the machine's source of chance, as hex.
pub fn secret_token() -> String {
    hex::encode(from_machine::<32>())
}

fn from_machine<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    if let Err(cause) = getrandom::fill(&mut bytes) {
        // Predictable tokens and salts would be worse than no server at all.
        panic!("the machine gives no random bytes: {cause}");
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noon() -> Timestamp {
        "2026-11-22T12:00:00Z".parse().expect("a time")
    }

    #[tokio::test]
    async fn a_held_clock_moves_only_when_told_and_wakes_sleepers() {
        let clock = Clock::held(noon());
        assert_eq!(clock.now(), noon());
        let sleeper = tokio::spawn({
            let clock = clock.clone();
            async move {
                clock.sleep(Duration::from_secs(300)).await;
                clock.now()
            }
        });
        tokio::task::yield_now().await;
        clock.advance(Duration::from_secs(299));
        tokio::task::yield_now().await;
        assert!(!sleeper.is_finished());
        clock.advance(Duration::from_secs(1));
        let woke: Timestamp = sleeper.await.expect("sleeper");
        assert_eq!(woke.to_string(), "2026-11-22T12:05:00Z");
    }

    #[tokio::test]
    async fn a_held_clock_that_is_let_go_runs_on_and_wakes_its_sleepers() {
        let clock = Clock::held(noon());
        clock.advance(Duration::from_secs(60));
        let sleeper = tokio::spawn({
            let clock = clock.clone();
            async move { clock.sleep(Duration::from_secs(3600)).await }
        });
        tokio::task::yield_now().await;
        clock.let_go(1_000_000.0);
        sleeper.await.expect("sleeper");
        assert!(clock.passed() >= Duration::from_secs(3660), "{:?}", clock.passed());
        assert!(clock.speed() > 1.0);
    }

    #[tokio::test]
    async fn a_clock_that_changes_its_speed_goes_on_from_where_it_was_and_its_sleepers_look_again() {
        let clock = Clock::fast(noon(), 1.0);
        let sleeper = tokio::spawn({
            let clock = clock.clone();
            async move { clock.sleep(Duration::from_secs(3600)).await }
        });
        tokio::task::yield_now().await;
        clock.let_go(1_000_000.0);
        sleeper.await.expect("sleeper");
        let before = clock.passed();
        clock.let_go(1.0);
        let after = clock.passed();
        assert!(before >= Duration::from_secs(3600) && after >= before, "{before:?}, then {after:?}");
        assert!(clock.passed() < after + Duration::from_secs(60), "slow again");
    }

    /// Hazard 24.
    #[test]
    fn a_time_of_day_that_is_set_moves_nothing_until_nobody_is_watched() {
        let clock = Clock::held(noon());
        let minutes = |clock: &Clock| clock.now().duration_since(noon()).as_mins();
        assert_eq!((minutes(&clock), clock.off()), (0, SignedDuration::ZERO));
        for (set_min, off_min) in [(47, 47), (-50, -3)] {
            clock.set_machine(SignedDuration::from_mins(set_min));
            clock.advance(Duration::from_secs(60));
            assert_eq!(clock.off(), SignedDuration::from_mins(off_min));
        }
        assert_eq!(minutes(&clock), 2);
        clock.follow();
        assert_eq!(minutes(&clock), 2, "never back");
        clock.set_machine(SignedDuration::from_mins(13));
        clock.follow();
        assert_eq!((minutes(&clock), clock.off()), (12, SignedDuration::ZERO));
    }

    #[test]
    fn a_time_of_day_that_is_corrected_little_by_little_is_followed() {
        let clock = Clock::held(noon());
        for n in 1..=100 {
            clock.set_machine(SignedDuration::from_millis(500));
            clock.advance(Duration::from_secs(1));
            assert_eq!(clock.now().duration_since(noon()).as_millis(), n * 1500);
        }
        assert_eq!(clock.off(), SignedDuration::ZERO);
    }

    #[test]
    fn a_time_of_day_that_is_set_back_neither_goes_back_nor_stands_still() {
        let ahead = AtomicI64::new(i64::MIN);
        let minutes = |min: i64| later(noon(), Duration::ZERO) + SignedDuration::from_mins(min);
        let tell = |wall: i64, passed: u64| {
            onwards(&ahead, minutes(wall), Duration::from_secs(60 * passed)).duration_since(noon()).as_mins()
        };
        assert_eq!(tell(0, 0), 0);
        assert_eq!(tell(5, 5), 5);
        assert_eq!(tell(-42, 6), 6, "set back by 48 min");
        assert_eq!(tell(-41, 7), 7);
        assert_eq!(tell(70, 8), 8, "set ahead");
    }

    #[test]
    fn the_machine_begins_no_earlier_than_the_log_ended() {
        let clock = Clock::system();
        let ended = clock.now() + SignedDuration::from_mins(48);
        let behind = clock.not_before(ended);
        assert!(behind > SignedDuration::from_mins(47), "{behind}");
        assert!(clock.now() >= ended);
        assert_eq!(clock.not_before(ended - SignedDuration::from_mins(1)), SignedDuration::ZERO);
    }

    #[test]
    fn seeded_ids_repeat_and_sort_by_time() {
        let draw = |seed| {
            let clock = Clock::held(noon());
            let ids = Ids::seeded(clock.clone(), seed);
            let first = ids.next();
            clock.advance(Duration::from_secs(1));
            (first, ids.next())
        };
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
        let (first, second) = draw(7);
        assert!(first < second);
        assert_eq!(first.as_bytes().get(14), Some(&b'7'), "{first} is a version 7 id");
    }

    #[test]
    fn tokens_differ_even_in_a_seeded_run() {
        assert_eq!(secret_token().len(), 64);
        assert_ne!(secret_token(), secret_token());
    }
}
