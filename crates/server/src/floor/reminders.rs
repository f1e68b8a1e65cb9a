//! Reminders of visits: decide, append, send, append. That one is being sent is in the log before it leaves.

use super::act::{as_new, write};
use super::of_patient::not_read;
use super::{Denied, Done, Floor};
use crate::mail::{Reminder, Unsent};
use crate::{Fault, read_event, read_time};
use clinic::course::Booked;
use clinic::course::calendar::Calendar;
use clinic::course::reminder::{self, Event, Reminders, Standing};
use clinic::id::{CommandId, PatientId};
use clinic::staff::Actor;
use jiff::{SignedDuration, Timestamp};
use std::sync::PoisonError;

impl Floor {
    /// The reminders of a patient, from the log.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn reminders(&self, patient: &PatientId) -> Result<Reminders, Fault> {
        let mut reminders = Reminders::default();
        for row in self.store.stream(&self.site, &stream_of(patient))? {
            reminders = reminders.evolve(&read_event(&row)?, read_time(&row)?);
        }
        Ok(reminders)
    }

    /// Records where a patient agreed to be reminded, or that the patient wants no reminders.
    ///
    /// # Errors
    /// A refusal, or that nothing is being recorded.
    pub fn agree_reminders(
        &self,
        patient: &PatientId,
        command_id: &CommandId,
        actor: &Actor,
        email: Option<&str>,
    ) -> Result<Done, Denied> {
        let event = reminder::agree(email, actor)?;
        self.on_stream(
            &stream_of(patient),
            (command_id, actor),
            |was: &Event| *was == event,
            |_| {
                let reminders = self.reminders(patient).map_err(not_read)?;
                Ok((reminders.version, event.clone()))
            },
        )
    }

    /// Sends every reminder that is due, one after the other, while `goes_on`. `ahead` is how long before a visit its
    /// reminder goes.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn remind(
        &self,
        ahead: SignedDuration,
        calendar: &Calendar,
        send: &dyn Fn(&Reminder) -> Result<(), Unsent>,
        goes_on: &dyn Fn() -> bool,
    ) -> Result<(), Fault> {
        for (patient, visit) in self.coming(ahead, calendar)? {
            if !goes_on() {
                break;
            }
            if let Err(denied) = self.remind_one(&patient, visit.start, send) {
                tracing::error!(%denied, "a reminder was not recorded, so it was not sent");
            }
        }
        Ok(())
    }

    /// Visits that begin between now and so long ahead.
    fn coming(&self, ahead: SignedDuration, calendar: &Calendar) -> Result<Vec<(PatientId, Booked)>, Fault> {
        let now = self.clock.now();
        let until = now.checked_add(ahead).unwrap_or(Timestamp::MAX);
        let last = calendar.local(until).date();
        let mut date = calendar.local(now).date();
        let mut coming = Vec::new();
        loop {
            let day = self.day(date)?;
            let fits =
                |visit: &Booked| now < visit.start && visit.start <= until && visit.must_move.is_none();
            let visits = day.visits().into_iter().filter(|(_, _, visit)| fits(visit));
            coming.extend(visits.map(|(_, patient, visit)| (patient.clone(), visit.clone())));
            match date.tomorrow() {
                Ok(next) if next <= last => date = next,
                _ => return Ok(coming),
            }
        }
    }

    fn remind_one(
        &self,
        patient: &PatientId,
        visit: Timestamp,
        send: &dyn Fn(&Reminder) -> Result<(), Unsent>,
    ) -> Result<(), Denied> {
        let turn = self.turn(&stream_of(patient));
        let due = {
            let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
            let reminders = self.reminders(patient).map_err(not_read)?;
            if reminders.standing(visit, self.clock.now()) != Standing::Due {
                return Ok(());
            }
            let (Some(email), Some(person)) = (reminders.email, self.patient(patient).map_err(not_read)?)
            else {
                return Ok(());
            };
            // Under the version that was read: of two programs on one log, one sends.
            self.note_reminder(patient, Some(reminders.version), &Event::SendingBegan { visit })?;
            let id = format!("{patient}.{}", visit.as_second());
            Reminder { email, given: person.given, visit, id }
        };
        let ended = match send(&due) {
            Ok(()) => Event::ReminderSent { visit },
            Err(Unsent::Refused(why)) => reminder::failed(visit, &why),
            // What is not known stays open in the log, and is told.
            Err(Unsent::NotKnown(_)) => return Ok(()),
        };
        let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
        self.note_reminder(patient, None, &ended)
    }

    fn note_reminder(&self, patient: &PatientId, seen: Option<i64>, event: &Event) -> Result<(), Denied> {
        let (id, machine) = (CommandId::new(self.ids.next()), Actor::machine("reminders"));
        let line = write(stream_of(patient), seen, [as_new(event)])?;
        self.append(&id, &machine, self.clock.now(), vec![line]).map(|_| ())
    }
}

/// Stream of the reminders of a patient.
fn stream_of(patient: &PatientId) -> String {
    format!("reminders/{patient}")
}
