//! The page of a patient: next visit, course, scores and goals by a link, behind the day of birth. One stream,
//! `patient_page/<patient>`.
//!
//! One link at a time: a new one ends the one before. Somebody who has the link and guesses days of birth ends it.

use super::Refusal;
use crate::staff::{Actor, Role};
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// How long a link opens the page: an induction and the first weeks after it.
pub const LASTS: SignedDuration = SignedDuration::from_hours(90 * 24);
/// Wrong days of birth in a row that end a link.
pub const MISSES_MOST: u32 = 5;

/// What can happen to the page.
/// A variant is never removed or reshaped: a new field has a default, or it is a new variant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Event {
    /// The patient was given a link.
    PageGiven {
        /// The link.
        link: String,
        /// From then on it opens nothing.
        ends: Timestamp,
    },
    /// The link opens nothing any more.
    PageTakenBack,
    /// Somebody with the link gave the day of birth.
    PageOpened,
    /// Somebody with the link gave another day.
    BirthDateMissed,
}

/// A link as it was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// The link.
    pub link: String,
    /// From then on it opens nothing.
    pub ends: Timestamp,
    /// Wrong days of birth since the last right one.
    pub misses: u32,
    /// When it was opened last.
    pub opened: Option<Timestamp>,
}

/// Where a link stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It asks for the day of birth.
    Open,
    /// There is a newer one, or staff took it back.
    Replaced,
    /// Its time is over.
    Ended,
    /// Too many wrong days of birth.
    Closed,
}

/// The page, folded from its events.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PatientPage {
    /// Number of events taken in.
    pub version: i64,
    /// The newest link; `None` where none was given, or it was taken back.
    pub given: Option<Given>,
}

impl PatientPage {
    /// Takes one event in.
    #[must_use]
    pub fn evolve(mut self, event: &Event, at: Timestamp) -> Self {
        self.version += 1;
        match event {
            Event::PageGiven { link, ends } => {
                self.given = Some(Given { link: link.clone(), ends: *ends, misses: 0, opened: None });
            }
            Event::PageTakenBack => self.given = None,
            Event::PageOpened => {
                self.given.iter_mut().for_each(|given| (given.misses, given.opened) = (0, Some(at)));
            }
            Event::BirthDateMissed => {
                self.given.iter_mut().for_each(|given| given.misses = given.misses.saturating_add(1));
            }
        }
        self
    }

    /// Where a link stands.
    pub fn standing(&self, link: &str, now: Timestamp) -> Standing {
        match &self.given {
            Some(given) if given.link == link => match () {
                () if given.misses >= MISSES_MOST => Standing::Closed,
                () if now >= given.ends => Standing::Ended,
                () => Standing::Open,
            },
            _ => Standing::Replaced,
        }
    }

    /// Wrong days of birth that are still borne.
    pub fn tries_left(&self) -> u32 {
        self.given.as_ref().map_or(0, |given| MISSES_MOST.saturating_sub(given.misses))
    }
}

/// Who gives the page and takes it back.
pub const fn may_give(role: Role) -> bool {
    matches!(role, Role::Nurse | Role::Prescriber | Role::Therapist)
}

fn allowed(doing: &'static str, actor: &Actor) -> Result<(), Refusal> {
    let (needs, role) = ("nurse, prescriber or therapist", actor.role.title());
    if may_give(actor.role) { Ok(()) } else { Err(Refusal::NotAllowed { doing, role, needs }) }
}

/// Gives the patient a link; the one before opens nothing from then on.
///
/// # Errors
/// Who may instead.
pub fn give(link: &str, now: Timestamp, actor: &Actor) -> Result<Event, Refusal> {
    allowed("give a patient a page", actor)?;
    Ok(Event::PageGiven { link: link.to_owned(), ends: now.checked_add(LASTS).unwrap_or(now) })
}

/// Takes the link back.
///
/// # Errors
/// Who may instead, or that there is none.
pub fn take_back(page: &PatientPage, actor: &Actor) -> Result<Event, Refusal> {
    allowed("take a page back", actor)?;
    page.given.as_ref().map(|_| Event::PageTakenBack).ok_or(Refusal::NoPage)
}

/// What follows from a day of birth that was given for an open link.
pub fn answer(said: Date, born: Date) -> Event {
    if said == born { Event::PageOpened } else { Event::BirthDateMissed }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).expect("a time")
    }

    fn nurse() -> Actor {
        Actor { id: crate::id::StaffId::new("kim"), role: Role::Nurse }
    }

    fn given(link: &str) -> PatientPage {
        PatientPage::default().evolve(&give(link, at(0), &nurse()).expect("given"), at(0))
    }

    fn said(page: PatientPage, day: Date) -> PatientPage {
        page.evolve(&answer(day, date(1984, 3, 12)), at(5))
    }

    #[test]
    fn one_link_opens_the_page_until_its_time_is_over_or_a_newer_one_is_given() {
        let page = given("a");
        assert_eq!(page.standing("a", at(5)), Standing::Open);
        assert_eq!(page.standing("b", at(5)), Standing::Replaced);
        assert_eq!(page.standing("a", at(LASTS.as_secs() - 1)), Standing::Open);
        assert_eq!(page.standing("a", at(LASTS.as_secs())), Standing::Ended);
        let newer = page.clone().evolve(&give("b", at(9), &nurse()).expect("given"), at(9));
        assert_eq!(
            (newer.standing("a", at(10)), newer.standing("b", at(10))),
            (Standing::Replaced, Standing::Open)
        );
        let back = page.clone().evolve(&take_back(&page, &nurse()).expect("taken back"), at(9));
        assert_eq!(back.standing("a", at(10)), Standing::Replaced);
        assert_eq!(take_back(&back, &nurse()), Err(Refusal::NoPage));
    }

    /// Whoever finds the link has five guesses; the patient who mistypes begins to count anew with each right day.
    #[test]
    fn who_guesses_days_of_birth_ends_the_link() {
        let (right, wrong) = (date(1984, 3, 12), date(1984, 12, 3));
        let mut page = given("a");
        for n in 1..MISSES_MOST {
            page = said(page, wrong);
            assert_eq!((page.standing("a", at(6)), page.tries_left()), (Standing::Open, MISSES_MOST - n));
        }
        let opened = said(page.clone(), right);
        assert_eq!(
            (opened.tries_left(), opened.given.as_ref().and_then(|one| one.opened)),
            (MISSES_MOST, Some(at(5)))
        );
        let closed = said(page, wrong);
        assert_eq!(closed.standing("a", at(6)), Standing::Closed);
        assert_eq!(said(closed, wrong).tries_left(), 0);
    }

    #[test]
    fn who_sees_no_scores_gives_no_page() {
        for role in [Role::FrontDesk, Role::Owner, Role::Machine] {
            let actor = Actor { role, ..nurse() };
            assert!(matches!(give("a", at(0), &actor), Err(Refusal::NotAllowed { .. })), "{role:?}");
            assert!(matches!(take_back(&given("a"), &actor), Err(Refusal::NotAllowed { .. })), "{role:?}");
        }
    }
}
