//! How far the clock of a device is off, so that each value is judged by when it was measured and not by when it came.
//!
//! A message comes late or at once and never early: the least time ever seen between a device's stamp and the receipt
//! is how far its clock is off, and what comes with more than that waited on the way. A clock that was set back and a
//! message that waited look alike, so neither counts as of now until a person places the device again; one that was
//! set ahead is compared anew, because what waited on the way looks newer by it.

use jiff::{SignedDuration, Timestamp};

/// The way from a device takes the same time within this much. A smaller difference is no step of a clock.
const STEADY: SignedDuration = SignedDuration::from_secs(2);
/// A clock of a device drifts by less than this part of the time: 100 ppm.
const DRIFT_PER: i32 = 10_000;
/// Nothing waits longer on the way: what is older comes from a clock that was set.
const WAITS_AT_MOST: SignedDuration = SignedDuration::from_hours(24);

/// How long is long, from `knowledge`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// A clock that is off is known once it was steady for so long.
    pub steady: SignedDuration,
    /// What was measured longer ago than this is late.
    pub fresh: SignedDuration,
}

/// What is the matter with the times of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// It is off by so much, or its messages waited: that is still being found out.
    Compared(SignedDuration),
    /// It was set ahead by so much and is compared anew.
    SetAhead(SignedDuration),
    /// Its newest message waited so long on the way, or it was set back by so much.
    Late(SignedDuration),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Known {
    #[default]
    Nothing,
    /// The least seen since then.
    Compared { since: Timestamp, least: SignedDuration },
    /// As of the last message that came at once.
    Off { by: SignedDuration, at: Timestamp },
}

/// The clock of one device beside ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DeviceClock {
    known: Known,
    newest: Option<Timestamp>,
    trouble: Option<Trouble>,
}

impl DeviceClock {
    /// Takes the newest stamp of a message, by the device's clock, received at `at` by ours.
    pub fn hear(&mut self, at: Timestamp, stamp: Timestamp, patience: Patience) {
        if self.newest == Some(stamp) {
            return;
        }
        self.newest = self.newest.max(Some(stamp));
        let apart = at.duration_since(stamp);
        match self.known {
            Known::Nothing if apart.abs() <= STEADY => self.is_off(apart, at),
            Known::Nothing => self.compare(at, apart, Trouble::Compared(apart)),
            Known::Compared { since, least } => {
                if apart.saturating_sub(least).abs() > STEADY {
                    let trouble = self.trouble.filter(|trouble| matches!(trouble, Trouble::SetAhead(_)));
                    self.compare(at, apart, trouble.unwrap_or(Trouble::Compared(apart)));
                } else if at.duration_since(since) >= patience.steady {
                    self.is_off(apart.min(least), at);
                } else {
                    self.known = Known::Compared { since, least: apart.min(least) };
                }
            }
            Known::Off { at: last, .. } if at.duration_since(last) > WAITS_AT_MOST => {
                self.compare(at, apart, Trouble::Compared(apart));
            }
            Known::Off { by, at: last } => {
                let waited = apart.saturating_sub(by);
                if waited < -STEADY {
                    self.compare(at, apart, Trouble::SetAhead(-waited));
                } else if waited <= STEADY {
                    let drift = at.duration_since(last).max(SignedDuration::ZERO) / DRIFT_PER;
                    self.is_off(apart.min(by.saturating_add(drift)), at);
                } else if waited <= patience.fresh {
                    self.is_off(by, at);
                } else if waited > WAITS_AT_MOST {
                    self.compare(at, apart, Trouble::Compared(apart));
                } else {
                    self.trouble = Some(Trouble::Late(waited));
                }
            }
        }
    }

    /// Takes a message from the log, which says whether it was of now when it came. Where this clock says otherwise,
    /// because what it was compared with is forgotten, the log is right: what was of now tells how far the clock is off,
    /// and what was not gives `false` and changes nothing.
    pub fn recall(&mut self, at: Timestamp, stamp: Timestamp, was_of_now: bool, patience: Patience) -> bool {
        let mut heard = *self;
        heard.hear(at, stamp, patience);
        let late = |behind| at.duration_since(measured_at(at, stamp, behind)) > patience.fresh;
        match (was_of_now, heard.behind().is_none_or(late)) {
            (true, true) => heard.is_off(at.duration_since(stamp), at),
            (false, false) => return false,
            (true, false) | (false, true) => {}
        }
        *self = heard;
        true
    }

    fn is_off(&mut self, by: SignedDuration, at: Timestamp) {
        (self.known, self.trouble) = (Known::Off { by, at }, None);
    }

    fn compare(&mut self, at: Timestamp, least: SignedDuration, trouble: Trouble) {
        (self.known, self.trouble) = (Known::Compared { since: at, least }, Some(trouble));
    }

    /// By how much it is behind ours, negative when ahead; `None` while nobody knows.
    pub const fn behind(&self) -> Option<SignedDuration> {
        match self.known {
            Known::Off { by, .. } => Some(by),
            Known::Nothing | Known::Compared { .. } => None,
        }
    }

    /// What is the matter with its times now.
    pub const fn trouble(&self) -> Option<Trouble> {
        self.trouble
    }
}

/// When a device measured, by our clock: never after its message came.
pub fn measured_at(at: Timestamp, stamp: Timestamp, behind: SignedDuration) -> Timestamp {
    stamp.saturating_add(behind).unwrap_or(at).min(at)
}

impl std::fmt::Display for Trouble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Compared(off) if off.is_negative() => {
                write!(f, "its clock is {} ahead and is being compared", Long(*off))
            }
            Self::Compared(off) => write!(f, "its clock is {} behind and is being compared", Long(*off)),
            Self::SetAhead(by) => {
                write!(f, "its clock was set ahead by {} and is being compared", Long(*by))
            }
            Self::Late(by) => write!(
                f,
                "its values come {} late, or its clock was set back. If it was set, take the device away and place it again",
                Long(*by)
            ),
        }
    }
}

/// `9 min 20 s`, without a sign.
struct Long(SignedDuration);

impl std::fmt::Display for Long {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let seconds = self.0.as_secs().unsigned_abs();
        match (seconds / 86_400, seconds / 3600, seconds / 60) {
            (0, 0, 0) => write!(f, "{seconds} s"),
            (0, 0, minutes) => write!(f, "{minutes} min {} s", seconds % 60),
            (0, hours, minutes) => write!(f, "{hours} h {} min", minutes % 60),
            (days, ..) => write!(f, "{days} days"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PATIENCE: Patience =
        Patience { steady: SignedDuration::from_secs(5), fresh: SignedDuration::from_secs(10) };

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millisecond(1_800_000_000_000 + ms).expect("a time")
    }

    /// Hears what a device measured at `measured` and sent at once or later, by a clock that is off.
    fn hear(clock: &mut DeviceClock, received: i64, measured: i64, behind: i64) {
        clock.hear(at(received), at(measured - behind), PATIENCE);
    }

    fn streamed(behind: i64) -> DeviceClock {
        let mut clock = DeviceClock::default();
        (0..10).for_each(|s| hear(&mut clock, s * 1000, s * 1000, behind));
        clock
    }

    #[test]
    fn a_right_clock_is_known_at_once_and_a_wrong_one_after_some_seconds() {
        let mut right = DeviceClock::default();
        hear(&mut right, 300, 0, 0);
        assert_eq!(right.behind(), Some(SignedDuration::from_millis(300)));
        let mut wrong = DeviceClock::default();
        hear(&mut wrong, 0, 0, 420_000);
        hear(&mut wrong, 4000, 4000, 420_000);
        assert_eq!(wrong.behind(), None);
        assert_eq!(
            wrong.trouble().expect("told").to_string(),
            "its clock is 7 min 0 s behind and is being compared"
        );
        hear(&mut wrong, 5000, 5000, 420_000);
        assert_eq!((wrong.behind(), wrong.trouble()), (Some(SignedDuration::from_secs(420)), None));
    }

    #[test]
    fn what_waited_is_late_and_what_comes_at_once_again_is_not() {
        let mut clock = streamed(420_000);
        for measured in 10..60 {
            hear(&mut clock, 600_000 + measured, measured * 1000, 420_000);
            assert!(matches!(clock.trouble(), Some(Trouble::Late(by)) if by > PATIENCE.fresh));
        }
        hear(&mut clock, 601_000, 601_000, 420_000);
        assert_eq!((clock.behind(), clock.trouble()), (Some(SignedDuration::from_secs(420)), None));
    }

    #[test]
    fn a_clock_that_is_set_ahead_is_told_and_compared_anew() {
        let mut clock = streamed(0);
        hear(&mut clock, 10_000, 10_000, -600_000);
        assert_eq!(clock.behind(), None);
        let told = clock.trouble().expect("told").to_string();
        assert_eq!(told, "its clock was set ahead by 10 min 0 s and is being compared");
        (11..=15).for_each(|s| hear(&mut clock, s * 1000, s * 1000, -600_000));
        assert_eq!((clock.behind(), clock.trouble()), (Some(SignedDuration::from_secs(-600)), None));
    }

    #[test]
    fn a_clock_that_is_set_back_stays_told_until_a_person_places_it_again() {
        let mut clock = streamed(0);
        (10..400).for_each(|s| hear(&mut clock, s * 1000, s * 1000, 300_000));
        assert_eq!(clock.trouble(), Some(Trouble::Late(SignedDuration::from_secs(300))));
    }

    #[test]
    fn a_clock_without_a_battery_is_no_message_that_waited_for_years() {
        let mut clock = streamed(0);
        let years = 13 * 365 * 86_400_000_i64;
        (10..=20).for_each(|s| hear(&mut clock, s * 1000, s * 1000, years));
        assert_eq!(clock.behind(), Some(SignedDuration::from_millis(years)));
    }

    #[test]
    fn a_clock_that_drifts_is_followed() {
        let mut clock = DeviceClock::default();
        // 50 ppm for a week: 30 s in the end.
        for minute in 0..7 * 24 * 60 {
            hear(&mut clock, minute * 60_000, minute * 60_000, minute * 3);
            assert_eq!(clock.trouble(), None, "minute {minute}");
        }
    }

    proptest! {
        /// Hazard 10: whatever waits on the way and however the clock is off, once it is known nothing old is fresh.
        #[test]
        fn nothing_that_waited_is_taken_for_now(
            behind in -86_400_000_i64..86_400_000,
            messages in prop::collection::vec((1_i64..30_000, prop_oneof![Just(0_i64), 0_i64..3_600_000]), 1..200),
        ) {
            let mut clock = streamed(behind);
            let mut sent: Vec<(i64, i64)> = Vec::new();
            let mut measured = 10_000;
            for (wait, delay) in messages {
                measured += wait;
                sent.push((measured + delay, measured));
            }
            sent.sort_unstable();
            for (received, measured) in sent {
                hear(&mut clock, received, measured, behind);
                // A message that did not wait is the measure: the clock does not become unknown again.
                let off = clock.behind().expect("it stays known");
                let told = measured_at(at(received), at(measured - behind), off);
                let wrong_by = told.duration_since(at(measured)).as_millis().abs();
                // What a clock may drift meanwhile.
                prop_assert!(wrong_by <= i128::from(received) / 10_000 + 1, "wrong by {wrong_by} ms");
            }
        }
    }
}
