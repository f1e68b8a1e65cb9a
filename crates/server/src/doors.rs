//! How much comes in from people who are not signed in: so many inquiries an hour from one address, and so many in
//! all. In memory alone, and bounded: it remembers no more than it lets in.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Over which time is counted.
const WINDOW: Duration = Duration::from_secs(3_600);
/// From one address: a family, or a ward behind one.
const FROM_ONE_MAX: usize = 10;
/// From everywhere.
const IN_ALL_MAX: usize = 300;

/// One way in.
#[derive(Debug, Default)]
pub struct Door(Mutex<VecDeque<(Duration, String)>>);

/// The ways in. A flood of one kind does not shut the other.
#[derive(Debug, Default)]
pub struct Doors {
    /// Inquiries.
    pub plain: Door,
    /// Inquiries of people in danger.
    pub crisis: Door,
}

impl Door {
    /// Lets one in at `now`, on a clock that never runs backwards; false when there were too many.
    pub fn enter(&self, from: &str, now: Duration) -> bool {
        let mut came = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while came.front().is_some_and(|(at, _)| now.saturating_sub(*at) >= WINDOW) {
            came.pop_front();
        }
        let mine = came.iter().filter(|(_, other)| other == from).count();
        let enters = came.len() < IN_ALL_MAX && mine < FROM_ONE_MAX;
        if enters {
            came.push_back((now, from.to_owned()));
        }
        enters
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: u64) -> Duration {
        Duration::from_secs(second)
    }

    #[test]
    fn one_address_enters_so_often_and_again_when_an_hour_has_passed() {
        let door = Door::default();
        let entered = (0..60).filter(|second| door.enter("192.0.2.9", at(*second))).count();
        assert_eq!(entered, FROM_ONE_MAX);
        assert!(door.enter("192.0.2.1", at(60)), "another is not kept out");
        assert!(!door.enter("192.0.2.9", at(3_599)));
        assert!(door.enter("192.0.2.9", at(3_600)));
    }

    #[test]
    fn a_flood_from_everywhere_is_bounded_and_so_is_the_memory_of_it() {
        let door = Door::default();
        let entered =
            (0..100_000_u64).filter(|n| door.enter(&format!("2001:db8::{n:x}"), at(n / 1_000))).count();
        assert_eq!(entered, IN_ALL_MAX);
        assert_eq!(door.0.lock().expect("sound").len(), IN_ALL_MAX);
    }
}
