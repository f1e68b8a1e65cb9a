//! Reminders of visits by e-mail: whether somebody wants them, and what became of each.
//!
//! The log has that a reminder is being sent before it leaves. So after a power cut nobody is reminded twice: what was
//! being sent then is not known to have arrived, and staff are told so instead.

use crate::staff::{Actor, Role};
use crate::text::{is_email, unfit_in_line};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use thiserror::Error;

/// How often one reminder is tried.
pub const TRIES_MAX: u32 = 6;
/// Wait after the first failure; each further one waits twice as long.
const WAIT: SignedDuration = SignedDuration::from_mins(10);
/// From then on nobody is still sending.
const SENDING_LONGEST: SignedDuration = SignedDuration::from_mins(5);
/// Most characters of an address (RFC 5321, 4.5.3.1).
const ADDRESS_LONGEST: usize = 254;
/// Most characters of what a mail server said.
const WHY_LONGEST: usize = 300;

/// What can happen to the reminders of a patient.
/// A variant is never removed or reshaped: a new field has a default, or it is a new variant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Event {
    /// The patient agreed to be reminded at this address.
    RemindersAgreed {
        /// Where.
        email: String,
    },
    /// The patient wants no reminders, or none any more.
    RemindersDeclined,
    /// The reminder of the visit that begins then is about to be sent.
    SendingBegan {
        /// Start of the visit.
        visit: Timestamp,
    },
    /// The mail server took it.
    ReminderSent {
        /// Start of the visit.
        visit: Timestamp,
    },
    /// The mail server did not take it.
    SendingFailed {
        /// Start of the visit.
        visit: Timestamp,
        /// What it said.
        why: String,
    },
}

/// Why an address was not taken.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refusal {
    /// The role may not.
    #[error(
        "To record how a patient is reminded needs a front desk, nurse or prescriber; you are signed in as {role}."
    )]
    NotAllowed {
        /// Who asked.
        role: &'static str,
    },
    /// No address.
    #[error("The e-mail address “{typed}” cannot be used. Accepted is one such as ana@example.org.")]
    Address {
        /// As typed.
        typed: String,
    },
}

/// What became of one reminder.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Tried {
    times: u32,
    at: Timestamp,
    ended: Ended,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Ended {
    NotYet,
    Sent,
    Failed(String),
}

/// The reminders of a patient, folded from their events.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reminders {
    /// Number of events taken in.
    pub version: i64,
    /// Where the patient agreed to be reminded; `None` where nobody asked, or the patient wants none.
    pub email: Option<String>,
    /// Somebody asked.
    pub asked: bool,
    tried: BTreeMap<Timestamp, Tried>,
}

/// Where the reminder of one visit stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It may go now.
    Due,
    /// It failed, and is tried again.
    Later {
        /// What the mail server said.
        why: String,
    },
    /// The mail server took it.
    Sent(Timestamp),
    /// It failed as often as it is tried.
    GaveUp {
        /// What the mail server said last.
        why: String,
    },
    /// It is being sent.
    Sending,
    /// The program ended while it was being sent.
    NotKnown(Timestamp),
    /// The patient wants none, or nobody asked.
    NoAddress {
        /// Somebody asked.
        asked: bool,
    },
}

impl Reminders {
    /// Takes one event in.
    #[must_use]
    pub fn evolve(mut self, event: &Event, at: Timestamp) -> Self {
        self.version += 1;
        match event {
            Event::RemindersAgreed { email } => (self.email, self.asked) = (Some(email.clone()), true),
            Event::RemindersDeclined => (self.email, self.asked) = (None, true),
            Event::SendingBegan { visit } => {
                let times = self.tried.get(visit).map_or(0, |before| before.times).saturating_add(1);
                self.tried.insert(*visit, Tried { times, at, ended: Ended::NotYet });
            }
            Event::ReminderSent { visit } => self.end(*visit, at, Ended::Sent),
            Event::SendingFailed { visit, why } => self.end(*visit, at, Ended::Failed(why.clone())),
        }
        self
    }

    fn end(&mut self, visit: Timestamp, at: Timestamp, ended: Ended) {
        if let Some(tried) = self.tried.get_mut(&visit) {
            (tried.at, tried.ended) = (at, ended);
        }
    }

    /// Where the reminder of the visit that begins then stands.
    pub fn standing(&self, visit: Timestamp, now: Timestamp) -> Standing {
        let Some(tried) = self.tried.get(&visit) else {
            let asked = self.asked;
            return if self.email.is_some() { Standing::Due } else { Standing::NoAddress { asked } };
        };
        let passed = now.duration_since(tried.at);
        match &tried.ended {
            Ended::Sent => Standing::Sent(tried.at),
            Ended::NotYet if passed < SENDING_LONGEST => Standing::Sending,
            Ended::NotYet => Standing::NotKnown(tried.at),
            Ended::Failed(why) if tried.times >= TRIES_MAX => Standing::GaveUp { why: why.clone() },
            Ended::Failed(_) if self.email.is_none() => Standing::NoAddress { asked: self.asked },
            Ended::Failed(why) if passed < wait(tried.times) => Standing::Later { why: why.clone() },
            Ended::Failed(_) => Standing::Due,
        }
    }
}

fn wait(times: u32) -> SignedDuration {
    WAIT.saturating_mul(1 << times.saturating_sub(1).min(8))
}

/// What a mail server said, as long as the log keeps it.
pub fn failed(visit: Timestamp, said: &str) -> Event {
    let fit = said.chars().map(|one| if unfit_in_line(&one.to_string()).is_some() { ' ' } else { one });
    Event::SendingFailed { visit, why: fit.take(WHY_LONGEST).collect() }
}

/// Records that a patient agreed to be reminded at an address, or wants no reminders.
///
/// # Errors
/// Who may instead, or what is wrong with the address.
pub fn agree(email: Option<&str>, actor: &Actor) -> Result<Event, Refusal> {
    if !matches!(actor.role, Role::FrontDesk | Role::Nurse | Role::Prescriber) {
        return Err(Refusal::NotAllowed { role: actor.role.title() });
    }
    let Some(typed) = email.map(str::trim) else { return Ok(Event::RemindersDeclined) };
    if typed.chars().count() > ADDRESS_LONGEST || !is_email(typed) {
        return Err(Refusal::Address { typed: typed.to_owned() });
    }
    Ok(Event::RemindersAgreed { email: typed.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::StaffId;
    use proptest::prelude::*;

    fn at(minutes: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minutes)
    }

    fn desk() -> Actor {
        Actor { id: StaffId::new("sam"), role: Role::FrontDesk }
    }

    fn agreed() -> Reminders {
        Reminders::default().evolve(&Event::RemindersAgreed { email: "ana@example.org".to_owned() }, at(0))
    }

    #[test]
    fn an_address_is_one_or_is_refused_by_name() {
        for good in ["ana@example.org", " a.b+c@mail.example.org ", "x@a-b.co"] {
            let event = agree(Some(good), &desk()).expect(good);
            assert_eq!(event, Event::RemindersAgreed { email: good.trim().to_owned() });
        }
        let long = format!("{}@example.org", "x".repeat(250));
        for bad in [
            "",
            "ana",
            "@example.org",
            "ana@",
            "ana@example",
            "a b@example.org",
            "ana@exa mple.org",
            ".a@example.org",
            "ana@-example.org",
            "ana@example..org",
            "a..b@example.org",
            "ana@example.org\r\nBcc: x@example.org",
            "<ana@example.org>",
            "ana@example.org,eve@example.org",
            &long,
        ] {
            let refused = agree(Some(bad), &desk()).expect_err(bad).to_string();
            assert!(refused.contains(bad.trim()) && refused.contains("Accepted is"), "{refused}");
        }
        assert_eq!(agree(None, &desk()), Ok(Event::RemindersDeclined));
        let therapist = Actor { id: StaffId::new("t"), role: Role::Therapist };
        assert!(matches!(agree(None, &therapist), Err(Refusal::NotAllowed { .. })));
    }

    #[test]
    fn without_an_address_nothing_is_due() {
        let visit = at(5_000);
        assert_eq!(Reminders::default().standing(visit, at(1)), Standing::NoAddress { asked: false });
        assert_eq!(agreed().standing(visit, at(1)), Standing::Due);
        let declined = agreed().evolve(&Event::RemindersDeclined, at(1));
        assert_eq!(declined.standing(visit, at(1)), Standing::NoAddress { asked: true });
    }

    /// Hazard 73: what was being sent when the program ended is never sent again.
    #[test]
    fn what_was_being_sent_when_the_program_ended_is_told_and_never_sent_again() {
        let visit = at(5_000);
        let sending = agreed().evolve(&Event::SendingBegan { visit }, at(10));
        assert_eq!(sending.standing(visit, at(11)), Standing::Sending);
        for later in [15, 100, 4_999, 1_000_000] {
            assert_eq!(sending.standing(visit, at(later)), Standing::NotKnown(at(10)));
        }
    }

    proptest! {
        /// However a mail server answers, it is asked a bounded number of times, and never again once it took it.
        #[test]
        fn a_reminder_is_tried_a_bounded_number_of_times_and_sent_once(
            answers in prop::collection::vec(any::<bool>(), 1..20),
        ) {
            let visit = at(5_000);
            let (mut reminders, mut sent, mut tried) = (agreed(), 0, 0);
            let mut answers = answers.into_iter();
            for minute in 1..5_000 {
                if reminders.standing(visit, at(minute)) != Standing::Due { continue }
                reminders = reminders.evolve(&Event::SendingBegan { visit }, at(minute));
                tried += 1;
                let took = answers.next().unwrap_or(false);
                sent += u32::from(took);
                let ended = if took { Event::ReminderSent { visit } } else { failed(visit, "450 busy\r\n") };
                reminders = reminders.evolve(&ended, at(minute));
            }
            prop_assert!(sent <= 1 && tried <= TRIES_MAX, "{sent} sent, {tried} tried");
            prop_assert_eq!(sent == 1, matches!(reminders.standing(visit, at(5_000)), Standing::Sent(_)));
            prop_assert_eq!(sent == 0, matches!(reminders.standing(visit, at(5_000)), Standing::GaveUp { .. }));
        }
    }
}
