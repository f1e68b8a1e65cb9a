//! Who waits for a place, in the order in which they began to wait. A place that becomes free is offered to the first
//! whom the rules let have it: a suggestion to staff, who ask the patient and book, or do not.

use crate::id::{PatientId, StaffId};
use crate::staff::{Actor, Role};
use crate::text::says_why;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// What can happen to the list.
/// A variant is never removed or reshaped: a new field has a default, or it is a new variant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Event {
    /// A patient waits.
    WaitBegan {
        /// Who.
        patient: PatientId,
        /// What suits the patient, in words.
        #[serde(default)]
        wish: String,
    },
    /// A patient waits no longer.
    WaitEnded {
        /// Who.
        patient: PatientId,
        /// Why.
        reason: String,
    },
}

/// Why the list was not changed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refusal {
    /// The role may not.
    #[error(
        "To change the waiting list needs a front desk, nurse or prescriber; you are signed in as {role}."
    )]
    NotAllowed {
        /// Who asked.
        role: &'static str,
    },
    /// Is on it.
    #[error("The patient waits already, since {since}.")]
    Waits {
        /// Since when.
        since: Timestamp,
    },
    /// Is not on it.
    #[error("The patient does not wait.")]
    WaitsNot,
    /// No reason.
    #[error("The reason is missing.")]
    NoReason,
    /// Too long.
    #[error("What suits the patient has {length} characters; at most {WISH_LONGEST} are accepted.")]
    Wish {
        /// As typed.
        length: usize,
    },
    /// Full.
    #[error("{WAITING_MOST} patients wait; no more are taken.")]
    Full,
}

/// Most characters of a wish.
const WISH_LONGEST: usize = 300;
/// Most patients who wait.
const WAITING_MOST: usize = 100;

impl Refusal {
    /// The form field that the words belong to; empty for the whole form.
    pub const fn field(&self) -> &'static str {
        match self {
            Self::NoReason => "reason",
            Self::Wish { .. } => "wish",
            Self::NotAllowed { .. } | Self::Waits { .. } | Self::WaitsNot | Self::Full => "",
        }
    }
}

/// Somebody who waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// Who.
    pub patient: PatientId,
    /// Since when.
    pub since: Timestamp,
    /// What suits.
    pub wish: String,
    /// Who put the patient on the list.
    pub by: StaffId,
}

/// To whom a place goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offered<'a> {
    /// The first whom nothing keeps from it.
    pub to: Option<&'a Waiting>,
    /// Who waits longer, and what keeps each from it.
    pub passed: Vec<(&'a Waiting, Vec<String>)>,
}

/// The list, folded from its events: who has waited longest stands first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Waitlist {
    /// Number of events taken in.
    pub version: i64,
    /// Who waits.
    pub waiting: Vec<Waiting>,
}

impl Waitlist {
    /// Takes one event in.
    #[must_use]
    pub fn evolve(mut self, event: &Event, by: &StaffId, at: Timestamp) -> Self {
        self.version += 1;
        match event {
            Event::WaitBegan { patient, wish } => self.waiting.push(Waiting {
                patient: patient.clone(),
                since: at,
                wish: wish.clone(),
                by: by.clone(),
            }),
            Event::WaitEnded { patient, .. } => self.waiting.retain(|one| one.patient != *patient),
        }
        self
    }

    /// Since when a patient waits.
    pub fn since(&self, patient: &PatientId) -> Option<Timestamp> {
        self.waiting.iter().find(|one| one.patient == *patient).map(|one| one.since)
    }

    /// What a person asks of the list: the event that follows, or why not.
    ///
    /// # Errors
    /// Names the field.
    pub fn decide(&self, asked: Event, actor: &Actor) -> Result<Event, Refusal> {
        if !matches!(actor.role, Role::FrontDesk | Role::Nurse | Role::Prescriber) {
            return Err(Refusal::NotAllowed { role: actor.role.title() });
        }
        match asked {
            Event::WaitBegan { patient, wish } => {
                let (wish, length) = (wish.trim().to_owned(), wish.chars().count());
                match self.since(&patient) {
                    Some(since) => Err(Refusal::Waits { since }),
                    None if length > WISH_LONGEST => Err(Refusal::Wish { length }),
                    None if self.waiting.len() >= WAITING_MOST => Err(Refusal::Full),
                    None => Ok(Event::WaitBegan { patient, wish }),
                }
            }
            Event::WaitEnded { patient, reason } => match (self.since(&patient), says_why(Some(reason))) {
                (None, _) => Err(Refusal::WaitsNot),
                (Some(_), None) => Err(Refusal::NoReason),
                (Some(_), Some(reason)) => Ok(Event::WaitEnded { patient, reason }),
            },
        }
    }

    /// To whom a free place goes: the first whom nothing keeps from it, and why not to those who wait longer.
    /// `keeps` says what keeps a patient from the place.
    pub fn offer<E>(&self, keeps: impl Fn(&PatientId) -> Result<Vec<String>, E>) -> Result<Offered<'_>, E> {
        let mut passed = Vec::new();
        for one in &self.waiting {
            let why = keeps(&one.patient)?;
            if why.is_empty() {
                return Ok(Offered { to: Some(one), passed });
            }
            passed.push((one, why));
        }
        Ok(Offered { to: None, passed })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn desk() -> Actor {
        Actor { id: StaffId::new("sam"), role: Role::FrontDesk }
    }
    fn begins(patient: &str) -> Event {
        Event::WaitBegan { patient: PatientId::new(patient), wish: String::new() }
    }
    fn ends(patient: &str, reason: &str) -> Event {
        Event::WaitEnded { patient: PatientId::new(patient), reason: reason.to_owned() }
    }
    fn after(list: &Waitlist, event: Event, at: i64) -> Result<Waitlist, Refusal> {
        let event = list.decide(event, &desk())?;
        Ok(list.clone().evolve(&event, &desk().id, Timestamp::from_second(at).expect("a time")))
    }

    #[test]
    fn who_waits_longest_is_offered_a_place_first_unless_something_keeps_them_from_it() {
        let list = after(&Waitlist::default(), begins("ana"), 1).expect("ana");
        let list = after(&list, begins("ben"), 2).expect("ben");
        let nothing = |_: &PatientId| Ok::<_, ()>(Vec::new());
        let first = |list: &Waitlist| list.offer(nothing).expect("told").to.map(|one| one.patient.0.clone());
        assert_eq!(first(&list).as_deref(), Some("ana"));
        let keeps = |who: &PatientId| {
            Ok::<_, ()>(if who.as_str() == "ana" { vec!["too soon".to_owned()] } else { Vec::new() })
        };
        let Offered { to: offered, passed } = list.offer(keeps).expect("told");
        assert_eq!(offered.map(|one| one.patient.as_str()), Some("ben"));
        assert_eq!((passed[0].0.patient.as_str(), passed[0].1[0].as_str()), ("ana", "too soon"));
        let left = after(&list, ends("ana", "moved away"), 3).expect("left");
        assert_eq!(first(&left).as_deref(), Some("ben"));
        let back = after(&left, begins("ana"), 4).expect("again");
        assert_eq!(first(&back).as_deref(), Some("ben"), "who comes back stands last");
    }

    #[test]
    fn the_list_refuses_by_name() {
        let list = after(&Waitlist::default(), begins("ana"), 1).expect("ana");
        assert!(matches!(after(&list, begins("ana"), 2), Err(Refusal::Waits { .. })));
        assert_eq!(after(&list, ends("ben", "why"), 2), Err(Refusal::WaitsNot));
        assert_eq!(after(&list, ends("ana", " "), 2).expect_err("no reason").field(), "reason");
        let wish = Event::WaitBegan { patient: PatientId::new("cy"), wish: "x".repeat(301) };
        assert_eq!(after(&list, wish, 2), Err(Refusal::Wish { length: 301 }));
        let therapist = Actor { id: StaffId::new("t"), role: Role::Therapist };
        assert!(matches!(list.decide(begins("cy"), &therapist), Err(Refusal::NotAllowed { .. })));
    }

    proptest! {
        #[test]
        fn nobody_stands_on_the_list_twice_and_all_stand_in_the_order_of_time(
            asked in prop::collection::vec((0_u8..5, any::<bool>()), 1..40),
        ) {
            let mut list = Waitlist::default();
            for (at, (who, comes)) in (1..).zip(asked) {
                let event = if comes { begins(&who.to_string()) } else { ends(&who.to_string(), "done") };
                list = after(&list, event, at).unwrap_or(list);
            }
            let since: Vec<_> = list.waiting.iter().map(|one| one.since).collect();
            let who: std::collections::BTreeSet<_> = list.waiting.iter().map(|one| &one.patient).collect();
            prop_assert!(since.is_sorted());
            prop_assert_eq!(who.len(), list.waiting.len());
        }
    }
}
