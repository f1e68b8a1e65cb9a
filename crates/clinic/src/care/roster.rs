//! Who is on call: staff, from, to. One stream for the clinic, `roster`.

#![expect(missing_docs, reason = "the fields of a variant are words of its own sentence")]

use super::Refusal;
use crate::id::{DutyId, StaffId};
use crate::staff::{Actor, Role, Somebody};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// In which order people are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Call {
    /// Told at once.
    First,
    /// Told when the first did not answer.
    Second,
    /// Told when neither did.
    Third,
}

impl Call {
    /// Each, in order.
    pub const ALL: [Self; 3] = [Self::First, Self::Second, Self::Third];

    /// As a person reads it, and as a form sends it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Second => "second",
            Self::Third => "third",
        }
    }

    /// Read back from a form.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|call| call.word() == word)
    }
}

/// Somebody is on call from one moment to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Duty {
    /// Its name.
    pub id: DutyId,
    /// Who.
    pub staff: StaffId,
    /// In which order.
    pub call: Call,
    /// From this moment,
    pub from: Timestamp,
    /// until just before this one.
    pub to: Timestamp,
}

impl Duty {
    fn holds(&self, at: Timestamp) -> bool {
        self.from <= at && at < self.to
    }
    fn meets(&self, other: &Self) -> bool {
        self.from < other.to && other.from < self.to
    }
}

/// What can happen to the roster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Event {
    /// Somebody is on call.
    DutyPlanned(Duty),
    /// And is not, from here on.
    DutyWithdrawn { duty: DutyId },
}

/// The roster as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Roster {
    /// Number of events taken in.
    pub version: i64,
    duties: BTreeMap<DutyId, Duty>,
}

impl Roster {
    /// Takes one event in.
    #[must_use]
    pub fn evolve(mut self, event: &Event) -> Self {
        self.version += 1;
        match event {
            Event::DutyPlanned(duty) => {
                self.duties.insert(duty.id.clone(), duty.clone());
            }
            Event::DutyWithdrawn { duty } => {
                self.duties.remove(duty);
            }
        }
        self
    }

    /// Duties that are not over, by their beginning.
    pub fn coming(&self, at: Timestamp) -> Vec<&Duty> {
        let mut coming: Vec<&Duty> = self.duties.values().filter(|duty| at < duty.to).collect();
        coming.sort_by_key(|duty| (duty.from, duty.call));
        coming
    }

    /// Who is on call, in the order in which they are told.
    pub fn on_call(&self, at: Timestamp) -> Vec<&Duty> {
        let mut on_call: Vec<&Duty> = self.duties.values().filter(|duty| duty.holds(at)).collect();
        on_call.sort_by_key(|duty| (duty.call, duty.from));
        on_call
    }

    /// Puts somebody on call. That the person may answer is looked up by whoever asks.
    ///
    /// # Errors
    /// Names the time that cannot be, or who has that call already.
    pub fn plan(
        &self,
        duty: Duty,
        actor: &Actor,
        now: Timestamp,
        longest: SignedDuration,
    ) -> Result<Event, Refusal> {
        may_plan(actor)?;
        let time = |field, what, value, accepted| Err(Refusal::Time { field, what, value, accepted });
        if duty.to <= now {
            return time("to", "The end", duty.to, format!("after {now}"));
        }
        if duty.to <= duty.from {
            return time("to", "The end", duty.to, format!("after the beginning, {}", duty.from));
        }
        let hours = longest.as_hours();
        if duty.from.duration_until(duty.to) > longest {
            return time("to", "The end", duty.to, format!("at most {hours} h after the beginning"));
        }
        let same = |other: &&Duty| other.call == duty.call && other.meets(&duty);
        if let Some(Duty { staff, from, to, .. }) = self.duties.values().find(same) {
            let (staff, call) = (Somebody::new(staff, None), duty.call.word());
            return Err(Refusal::CallTaken { staff, call, from: *from, to: *to });
        }
        Ok(Event::DutyPlanned(duty))
    }

    /// Takes somebody off the roster.
    ///
    /// # Errors
    /// When the duty is not there.
    pub fn withdraw(&self, duty: &DutyId, actor: &Actor) -> Result<Event, Refusal> {
        may_plan(actor)?;
        if !self.duties.contains_key(duty) {
            return Err(Refusal::NoDuty);
        }
        Ok(Event::DutyWithdrawn { duty: duty.clone() })
    }
}

fn may_plan(actor: &Actor) -> Result<(), Refusal> {
    if actor.role == Role::Owner {
        return Ok(());
    }
    Err(Refusal::NotAllowed { doing: "change the roster", role: actor.role.title(), needs: "owner" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LONGEST: SignedDuration = SignedDuration::from_hours(24 * 14);

    fn at(hour: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + hour * 3600).expect("time")
    }
    fn duty(n: u8, call: Call, from: i64, to: i64) -> Duty {
        let (id, staff) = (DutyId::new(format!("d{n}")), StaffId::new(format!("s{n}")));
        Duty { id, staff, call, from: at(from), to: at(to) }
    }
    fn owner() -> Actor {
        Actor { id: StaffId::new("owner"), role: Role::Owner }
    }

    #[test]
    fn people_are_told_in_the_order_of_their_calls_and_only_while_on_call() {
        let mut roster = Roster::default();
        for one in [duty(1, Call::Second, 0, 12), duty(2, Call::First, 0, 6), duty(3, Call::First, 6, 12)] {
            let event = roster.plan(one, &owner(), at(0), LONGEST).expect("it fits");
            roster = roster.evolve(&event);
        }
        let told =
            |hour| roster.on_call(at(hour)).iter().map(|duty| duty.staff.0.clone()).collect::<Vec<_>>();
        assert_eq!(told(0), ["s2", "s1"]);
        assert_eq!(told(6), ["s3", "s1"], "the end belongs to the next");
        assert_eq!(told(12), Vec::<String>::new());
        let without = roster.clone().evolve(&roster.withdraw(&DutyId::new("d3"), &owner()).expect("there"));
        assert_eq!(without.on_call(at(7)).len(), 1);
        assert_eq!(without.withdraw(&DutyId::new("d3"), &owner()), Err(Refusal::NoDuty));
    }

    #[test]
    fn a_duty_that_cannot_be_is_refused_with_its_field() {
        let roster = Roster::default();
        let refused =
            |one, actor: &Actor| roster.plan(one, actor, at(0), LONGEST).expect_err("refused").field();
        assert_eq!(refused(duty(1, Call::First, -3, 0), &owner()), "to");
        assert_eq!(refused(duty(1, Call::First, 4, 4), &owner()), "to");
        assert_eq!(refused(duty(1, Call::First, 0, 24 * 14 + 1), &owner()), "to");
        let nurse = Actor { role: Role::Nurse, ..owner() };
        assert!(matches!(
            roster.plan(duty(1, Call::First, 0, 1), &nurse, at(0), LONGEST),
            Err(Refusal::NotAllowed { .. })
        ));
    }

    proptest! {
        /// However a roster is made, no moment has two people on the same call.
        #[test]
        fn two_people_are_never_first_at_once(
            asked in prop::collection::vec((0_usize..3, 0_i64..40, 1_i64..20), 1..40), look in 0_i64..60,
        ) {
            let mut roster = Roster::default();
            for (n, (call, from, hours)) in (0..).zip(asked) {
                let one = duty(n, Call::ALL[call], from, from + hours);
                if let Ok(event) = roster.plan(one, &owner(), at(0), LONGEST) {
                    roster = roster.evolve(&event);
                }
            }
            let calls: Vec<Call> = roster.on_call(at(look)).iter().map(|duty| duty.call).collect();
            prop_assert!(calls.is_sorted_by(|a, b| a < b), "{calls:?}");
        }
    }

    /// Shapes that stand in logs: a failing line here means that old logs can no longer be read.
    #[test]
    fn every_event_shape_ever_written_is_still_read() {
        for text in [
            r#"{"kind":"duty_planned","id":"d1","staff":"kim","call":"first","from":"2026-11-22T18:00:00Z","to":"2026-11-23T06:00:00Z"}"#,
            r#"{"kind":"duty_withdrawn","duty":"d1"}"#,
        ] {
            let event: Event = serde_json::from_str(text).expect(text);
            assert_eq!(serde_json::to_string(&event).expect("json"), text);
        }
    }
}
