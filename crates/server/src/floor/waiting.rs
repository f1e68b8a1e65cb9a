//! Who waits for a place, and to whom a place that became free may go: a suggestion, never a booking.

use super::joined::turn_of;
use super::of_patient::not_read;
use super::{Booking, Denied, Done, Floor};
use crate::{Fault, read_event, read_time};
use clinic::course::calendar::Calendar;
use clinic::course::waitlist::{Event, Offered, Waitlist};
use clinic::course::{Booked, Stage};
use clinic::id::{CommandId, PatientId, StaffId};
use clinic::staff::Actor;
use jiff::ToSpan;
use std::sync::PoisonError;

/// Days from today on which free places are looked for.
const AHEAD_D: i32 = 28;
/// Most places that are offered at once.
const OFFERS_MOST: usize = 10;

/// A place that became free, and to whom it may go.
#[derive(Debug, Clone)]
pub struct Offer {
    /// The place as it was held.
    pub place: Booked,
    /// The first whom nothing keeps from it.
    pub to: Option<PatientId>,
    /// Who waits longer, and what keeps each from it.
    pub passed: Vec<(PatientId, Vec<String>)>,
}

impl Floor {
    /// Who waits, from the log.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn waitlist(&self) -> Result<Waitlist, Fault> {
        let mut list = Waitlist::default();
        for row in self.store.stream(&self.site, WAITLIST)? {
            list = list.evolve(&read_event(&row)?, &StaffId::new(&row.author), read_time(&row)?);
        }
        Ok(list)
    }

    /// Puts a patient on the list, or takes one off.
    ///
    /// # Errors
    /// A refusal, or that nothing is being recorded.
    pub fn change_waitlist(
        &self,
        command_id: &CommandId,
        actor: &Actor,
        asked: &Event,
    ) -> Result<Done, Denied> {
        let (Event::WaitBegan { patient, .. } | Event::WaitEnded { patient, .. }) = asked;
        let turn = self.turn(&turn_of(patient));
        let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
        self.on_stream_calling(
            WAITLIST,
            (command_id, actor),
            |event: &Event| event == asked,
            |_| {
                let begins = matches!(asked, Event::WaitBegan { .. });
                let open = begins.then(|| self.not_closed(patient)).transpose()?;
                let list = self.waitlist().map_err(not_read)?;
                Ok((list.version, list.decide(asked.clone(), actor)?, Vec::new(), open.into_iter().collect()))
            },
        )
    }

    /// Places that became free and are still to come, each with the first whom nothing keeps from it.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn offers(&self, actor: &Actor, calendar: &Calendar) -> Result<Vec<Offer>, Fault> {
        let (now, list) = (self.clock.now(), self.waitlist()?);
        let today = calendar.local(now).date();
        let mut offers = Vec::new();
        for date in (0..=AHEAD_D).filter_map(|days| today.checked_add(days.days()).ok()) {
            let day = self.day_as_it_is(date)?;
            for place in day.freed().into_iter().filter(|place| now < place.start) {
                if offers.len() == OFFERS_MOST {
                    return Ok(offers);
                }
                let Offered { to, passed } =
                    list.offer(|patient| self.keeps_from(patient, actor, place, calendar))?;
                offers.push(Offer {
                    place: place.clone(),
                    to: to.map(|one| one.patient.clone()),
                    passed: passed.into_iter().map(|(one, why)| (one.patient.clone(), why)).collect(),
                });
            }
        }
        Ok(offers)
    }

    /// What keeps a patient from a place; nothing where it could be booked now.
    fn keeps_from(
        &self,
        patient: &PatientId,
        actor: &Actor,
        place: &Booked,
        calendar: &Calendar,
    ) -> Result<Vec<String>, Fault> {
        let opened = self.course(patient)?;
        let Stage::Maintenance { every_d } = opened.course.stage else {
            return Ok(vec![format!(
                "the course is {}: boosters follow an induction",
                opened.course.stage.title()
            )]);
        };
        if opened.course.to_come(self.clock.now()).next().is_some() {
            return Ok(vec!["a visit is booked".to_owned()]);
        }
        let last = self.given_to(patient)?.last().map(|(_, at, _)| calendar.local(*at).date());
        let due = last.zip(every_d).and_then(|(last, days)| last.checked_add(i64::from(days).days()).ok());
        if let Some(due) = due.filter(|due| calendar.local(place.start).date() < *due) {
            return Ok(vec![format!("the next booster is due {due}")]);
        }
        let booking = Booking { starts: vec![place.start], talks: Vec::new(), place: place.clone() };
        match self.would_book(&opened, patient, actor, &booking, calendar) {
            Ok(_) => Ok(Vec::new()),
            Err(denied) => Ok(vec![denied.to_string()]),
        }
    }
}

/// Stream of the list.
const WAITLIST: &str = "waitlist";
