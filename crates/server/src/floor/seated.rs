//! The calendar as it is: what was booked, and what the floor does. Who sits in a chair holds it, booked or not.

use super::of_patient::not_read;
use super::{Denied, Floor};
use crate::Fault;
use crate::views::sessions::came_on;
use clinic::course::diary::{Day, Seated, Standing, expected_end};
use clinic::course::{Booked, UnderWay};
use clinic::floor::Refusal;
use clinic::id::{ChairId, PatientId, SessionId};
use clinic::session::{Phase, Session};
use jiff::Timestamp;
use jiff::civil::Date;
use std::collections::BTreeSet;

impl Floor {
    /// A day of the calendar with the visits of the floor, under way and over.
    ///
    /// # Errors
    /// When the log or the list of the day cannot be read.
    pub fn day_as_it_is(&self, date: Date) -> Result<Day, Fault> {
        let mut seated = self.sitting_on(date)?;
        for id in self.came_on(date)? {
            // The list says which visits there are; how each went, its own stream does.
            let session = self.session(&id).map_err(Fault::Floor)?;
            let Some((patient, planned, standing, place)) = session.and_then(over) else { continue };
            if self.day_of(place.start) == date {
                let planned = planned.filter(|planned| *planned != date);
                seated.push(Seated { patient: self.standing(patient)?, standing, place, planned });
            }
        }
        Ok(self.day(date)?.with(seated))
    }

    /// Visits whose patient came on that day. The list knows no zone, so the days beside it are looked at too.
    fn came_on(&self, date: Date) -> Result<BTreeSet<SessionId>, Fault> {
        let days = [date.yesterday().ok(), Some(date), date.tomorrow().ok()];
        let mut came = BTreeSet::new();
        for day in days.into_iter().flatten() {
            let listed = self.store.view_list(&self.site, &came_on(day), "", store::ROWS_MAX)?;
            let then = |at_us| Timestamp::from_microsecond(at_us).is_ok_and(|at| self.day_of(at) == date);
            let listed = listed.into_iter().filter(|item| then(item.sort));
            came.extend(listed.map(|item| SessionId::new(item.key)));
        }
        Ok(came)
    }

    /// Who sits in a chair since that day.
    fn sitting_on(&self, date: Date) -> Result<Vec<Seated>, Fault> {
        let mut seated = Vec::new();
        for (_, session, _) in self.open_sessions() {
            let here = self.seated(&session)?;
            seated.extend(here.filter(|here| self.day_of(here.place.start) == date));
        }
        Ok(seated)
    }

    /// A visit as the calendar has it; `None` for one that sits in no chair.
    fn seated(&self, session: &Session) -> Result<Option<Seated>, Fault> {
        let (Some(came), Some(patient), true) =
            (session.checked_in_at, session.patient.clone(), sits(session))
        else {
            return Ok(None);
        };
        let place = Booked {
            chair: session.chair.clone(),
            nurse: session.with.clone(),
            prescriber: session.order.as_ref().map(|(_, signed)| signed.by.clone()),
            ..Booked::between(came, expected_end(session, self.clock.now(), &self.knowledge))
        };
        let begun = session.delivery.started().is_some();
        let standing = if begun { Standing::UnderWay } else { Standing::CheckedIn };
        let planned = session.day.filter(|planned| *planned != self.day_of(came));
        Ok(Some(Seated { patient: self.standing(patient)?, standing, place, planned }))
    }

    pub(super) fn day_of(&self, at: Timestamp) -> Date {
        at.to_zoned(self.zone.clone()).date()
    }

    /// The visit for which a person sits in a chair now, on whichever record.
    pub(super) fn sits_now(&self, patient: &PatientId) -> Result<Option<(SessionId, Session)>, Fault> {
        let records = self.records_of(patient)?;
        let mut open = self.open_sessions().into_iter().filter(|(_, session, _)| sits(session));
        let found =
            open.find(|(_, session, _)| session.patient.as_ref().is_some_and(|of| records.contains(of)));
        Ok(found.map(|(id, session, _)| (id, session)))
    }

    /// What a visit is to the course with these bookings: its start, and the place that was booked for it.
    pub(super) fn under_way(&self, session: &Session, booked: &[Booked]) -> Result<Option<UnderWay>, Fault> {
        let Some(seated) = self.seated(session)? else { return Ok(None) };
        let today = self.day_of(seated.place.start);
        let mut mine = booked
            .iter()
            .filter(|visit| seated.is_for(&seated.patient, visit) && self.day_of(visit.start) == today);
        let place = mine.next().cloned();
        let begins = || place.as_ref().map_or(Timestamp::MIN, |place| place.start).max(self.clock.now());
        let started = session.delivery.started();
        let (start, begun) = (started.unwrap_or_else(begins), started.is_some());
        Ok(Some(UnderWay { start, begun, end: seated.place.end, place }))
    }

    /// Refuses a chair that the calendar has for somebody else before this visit would be over.
    pub(super) fn chair_is_not_booked(&self, session: &Session, chair: &ChairId) -> Result<(), Denied> {
        let now = self.clock.now();
        let Some(patient) = session.patient.clone() else { return Ok(()) };
        let patient = self.standing(patient).map_err(not_read)?;
        let day = self.day_as_it_is(self.day_of(now)).map_err(not_read)?;
        let until = expected_end(session, now, &self.knowledge);
        let place = Booked { chair: Some(chair.clone()), ..Booked::between(now, until) };
        let Some(other) = day.booked_for_another(&patient, &place) else { return Ok(()) };
        let clock = |at: Timestamp| at.to_zoned(self.zone.clone()).strftime("%H:%M").to_string();
        let (from, until) = (clock(other.start), clock(other.end));
        Err(Refusal::ChairIsBooked { chair: chair.clone(), from, until }.into())
    }
}

/// In a chair, and not gone.
fn sits(session: &Session) -> bool {
    session.chair.is_some() && !session.phase.closed()
}

/// A visit that is over, for the calendar of its day; `None` where it goes on, or nobody came.
fn over(session: Session) -> Option<(PatientId, Option<Date>, Standing, Booked)> {
    let (came, closed) = (session.checked_in_at?, session.closed_at?);
    let standing = if session.phase == Phase::Discharged { Standing::Done } else { Standing::Left };
    let place = Booked { chair: session.chair, nurse: session.with, ..Booked::between(came, closed) };
    Some((session.patient?, session.day, standing, place))
}
