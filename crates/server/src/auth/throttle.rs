//! Slows guessing down: a growing wait for each account, and for an address from which many fail, and never a lock for
//! good.
//!
//! A lock that needs an administrator would let anyone keep a nurse from a chair. The longest wait is short
//! enough to be waited out and long enough to make guessing hopeless. A whole clinic sits behind one address, so that
//! an address counts at the door alone, after far more failures than a morning of tired people makes.

use std::collections::HashMap;
use std::time::Duration;

/// Failures against one account that cost nothing, for slips of a gloved finger.
const ACCOUNT_FREE_TRIES: u32 = 3;
/// Failures from one address that cost nothing.
const ADDRESS_FREE_TRIES: u32 = 100;
/// Longest wait for one account, and for one address.
const ACCOUNT_WAIT_S_MAX: u64 = 60;
const ADDRESS_WAIT_S_MAX: u64 = 60;
/// After this long without a try the count starts anew.
const FORGET_AFTER: Duration = Duration::from_secs(30 * 60);
/// Bound of the table, so that a flood of invented names cannot fill the memory.
const KEYS_MAX: usize = 10_000;

/// What is counted: tries against one account's secret, or from one address.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Key {
    /// The account's password.
    Password(String),
    /// The account's PIN, apart from its password: guessing at the sign-in page must not stop a signature.
    Pin(String),
    /// The network address of somebody who signs in; never of one who unlocks or signs.
    Address(String),
}

impl Key {
    const fn free_tries(&self) -> u32 {
        match self {
            Self::Password(_) | Self::Pin(_) => ACCOUNT_FREE_TRIES,
            Self::Address(_) => ADDRESS_FREE_TRIES,
        }
    }

    fn wait_s_max(&self) -> u64 {
        match self {
            Self::Password(_) | Self::Pin(_) => ACCOUNT_WAIT_S_MAX,
            Self::Address(_) => ADDRESS_WAIT_S_MAX,
        }
    }
}

#[derive(Debug, Default)]
struct Tries {
    failed: u32,
    last: Duration,
    /// Tries that were turned away unread since the last one that was read.
    turned_away: u32,
}

/// Counts failed tries. In memory alone: who can restart the server does not need to guess.
#[derive(Debug, Default)]
pub struct Throttle {
    tries: HashMap<Key, Tries>,
}

impl Throttle {
    /// Takes a try at `now` (time on a clock that never runs backwards) against all `keys`. It counts as failed
    /// until [`Throttle::succeeded`], so that tries at the same moment cannot slip through together.
    ///
    /// # Errors
    /// The time still to wait; then the try was not taken and must not be evaluated.
    pub fn begin(&mut self, keys: &[Key], now: Duration) -> Result<(), Duration> {
        let wait = keys.iter().filter_map(|key| self.wait(key, now)).max();
        if let Some(wait) = wait {
            for key in keys {
                if let Some(tries) = self.tries.get_mut(key) {
                    tries.turned_away = tries.turned_away.saturating_add(1);
                }
            }
            return Err(wait);
        }
        self.make_room(now);
        for key in keys {
            let tries = self.tries.entry(key.clone()).or_default();
            if now.saturating_sub(tries.last) > FORGET_AFTER {
                tries.failed = 0;
            }
            tries.failed = tries.failed.saturating_add(1);
            tries.last = now;
        }
        Ok(())
    }

    /// The secret was right: an account starts anew, an address only gets this one try back, or else anyone with
    /// an account of their own could clear the count between guesses at another's.
    pub fn succeeded(&mut self, keys: &[Key]) {
        for key in keys {
            match key {
                Key::Password(_) | Key::Pin(_) => {
                    self.tries.remove(key);
                }
                Key::Address(_) => {
                    if let Some(tries) = self.tries.get_mut(key) {
                        tries.failed = tries.failed.saturating_sub(1);
                    }
                }
            }
        }
    }

    /// How many tries against `key` were turned away since this was last asked, for the audit.
    pub fn take_turned_away(&mut self, key: &Key) -> u32 {
        self.tries.get_mut(key).map_or(0, |tries| std::mem::take(&mut tries.turned_away))
    }

    fn wait(&self, key: &Key, now: Duration) -> Option<Duration> {
        let tries = self.tries.get(key)?;
        let over = tries.failed.checked_sub(key.free_tries())?;
        let wait_s = 1_u64.checked_shl(over).unwrap_or(u64::MAX).min(key.wait_s_max());
        let left = (tries.last.saturating_add(Duration::from_secs(wait_s))).saturating_sub(now);
        (!left.is_zero()).then_some(left)
    }

    fn make_room(&mut self, now: Duration) {
        if self.tries.len() < KEYS_MAX {
            return;
        }
        self.tries.retain(|_, tries| now.saturating_sub(tries.last) <= FORGET_AFTER);
        while self.tries.len() >= KEYS_MAX {
            // Least tried first: a flood of new names must not wash out the account under attack.
            let least = self.tries.iter().min_by_key(|(_, tries)| (tries.failed, tries.last));
            let Some(key) = least.map(|(key, _)| key.clone()) else { return };
            self.tries.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn waits_double_and_stay_bounded() {
        let mut throttle = Throttle::default();
        let key = [Key::Password("kim".into())];
        let mut now = at(0);
        let mut waits = Vec::new();
        for _ in 0..12 {
            if let Err(wait) = throttle.begin(&key, now) {
                waits.push(wait.as_secs());
                now += wait;
                assert_eq!(throttle.begin(&key, now), Ok(()));
            }
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
    }

    #[test]
    fn ten_thousand_tries_in_a_minute_reach_the_secret_a_handful_of_times() {
        let mut throttle = Throttle::default();
        let keys = [Key::Password("kim".into()), Key::Address("192.0.2.9".into())];
        let read =
            (0..10_000_u64).filter(|n| throttle.begin(&keys, Duration::from_millis(n * 6)).is_ok()).count();
        assert!(read <= 9, "{read} tries were evaluated");
        assert!(throttle.take_turned_away(&keys[0]) > 9_000);
    }

    #[test]
    fn the_rightful_person_gets_in_after_at_most_a_minute() {
        let mut throttle = Throttle::default();
        let attack = [Key::Password("kim".into()), Key::Address("192.0.2.9".into())];
        let own = [Key::Password("kim".into()), Key::Address("192.0.2.1".into())];
        let mut last = at(0);
        for second in 0..3_600 {
            if throttle.begin(&attack, at(second)).is_ok() {
                last = at(second);
            }
        }
        assert_eq!(throttle.begin(&own, last + at(60)), Ok(()));
        throttle.succeeded(&own);
        assert_eq!(throttle.begin(&own, last + at(60)), Ok(()));
    }

    #[test]
    fn guessing_passwords_does_not_stop_signatures() {
        let mut throttle = Throttle::default();
        for _ in 0..9 {
            let _ = throttle.begin(&[Key::Password("kim".into())], at(1));
        }
        assert_eq!(throttle.begin(&[Key::Pin("kim".into())], at(1)), Ok(()));
    }

    /// A clinic has one address: what one account costs there is no matter of the others, up to a flood.
    #[test]
    fn failures_at_one_account_do_not_delay_another_at_the_same_address() {
        let mut throttle = Throttle::default();
        let keys = |user: &str| [Key::Password(user.into()), Key::Address("192.0.2.9".into())];
        for user in 0..ADDRESS_FREE_TRIES / 4 {
            for _ in 0..4 {
                let _waits = throttle.begin(&keys(&format!("user{user}")), at(0));
            }
        }
        assert_eq!(throttle.begin(&keys("kim"), at(0)), Ok(()));
        for n in 0..ADDRESS_FREE_TRIES {
            let _waits = throttle.begin(&keys(&format!("flood{n}")), at(1));
        }
        assert!(throttle.begin(&keys("lee"), at(1)).is_err(), "a flood of names is slowed down");
    }

    #[test]
    fn own_success_does_not_clear_the_address() {
        let mut throttle = Throttle::default();
        let address = [Key::Address("192.0.2.9".into())];
        for _ in 0..ADDRESS_FREE_TRIES {
            assert!(throttle.begin(&address, at(0)).is_ok());
        }
        throttle.succeeded(&address);
        assert!(throttle.begin(&address, at(0)).is_ok());
        assert!(throttle.begin(&address, at(0)).is_err());
    }

    #[test]
    fn a_flood_of_names_does_not_grow_the_table_or_free_the_attacked_account() {
        let mut throttle = Throttle::default();
        let kim = [Key::Password("kim".into())];
        for _ in 0..3 {
            assert!(throttle.begin(&kim, at(0)).is_ok());
        }
        for n in 0..KEYS_MAX + 50 {
            let _ = throttle.begin(&[Key::Password(format!("invented{n}"))], at(0));
        }
        assert!(throttle.tries.len() <= KEYS_MAX);
        assert!(throttle.begin(&kim, at(0)).is_err());
    }
}
