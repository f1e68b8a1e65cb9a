//! The calendar: the visits of a course, all or none.
//!
//! A booking writes the course and every day that it touches in one entry, each under the version it was decided on. So
//! two bookings never hold one chair, whoever else writes to the log.

use super::act::{SEATING, as_new, write};
use super::course::{Opened, clock_of};
use super::of_patient::not_read;
use super::{Denied, Done, Floor};
use crate::{Fault, read_event};
use clinic::course::calendar::Calendar;
use clinic::course::diary::{self, Day};
use clinic::course::{
    self, Asked, Booked, Command, LastStart, Proposal, Recorded, Refit, Refusal, Stopped, What, evolve,
    judge_talk, refit, talk,
};
use clinic::gate::{Finding, Verdict};
use clinic::id::{CommandId, PatientId, StaffId};
use clinic::staff::Actor;
use jiff::Timestamp;
use jiff::civil::Date;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::PoisonError;
use store::StreamWrite;

/// What is to be booked.
#[derive(Debug, Clone)]
pub struct Booking {
    /// Start of every infusion still to come.
    pub starts: Vec<Timestamp>,
    /// Talks with the therapist. An integration names the infusion before it by its place in `starts`, from 1; 0 is the
    /// last one that was given.
    pub talks: Vec<(What, usize, Timestamp)>,
    /// Chair and people, the same for all; its times do not count.
    pub place: Booked,
}

impl Booking {
    /// Nothing: whatever is booked is cancelled.
    pub const fn nothing() -> Self {
        let place = Booked::between(Timestamp::MIN, Timestamp::MIN);
        Self { starts: Vec::new(), talks: Vec::new(), place }
    }

    /// The form field of the infusion that begins then.
    fn field(&self, start: Timestamp) -> String {
        let n = self.starts.iter().position(|asked| *asked == start);
        n.map_or_else(String::new, |n| What::Infusion.field(n + 1))
    }
}

impl Floor {
    /// The dates of the visits that are still to come, by the plan; `None` where no plan is open.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn propose_visits(
        &self,
        patient: &PatientId,
        (start, at): (Date, Option<jiff::civil::Time>),
        calendar: &Calendar,
    ) -> Result<Option<Proposal>, Fault> {
        let opened = self.course(patient)?;
        let Some(asked) = self.asked(&opened, patient, start)? else { return Ok(None) };
        Ok(Some(course::propose(&Asked { at, ..asked }, calendar, &self.knowledge)))
    }

    /// What the plan asks of the calendar from a day on.
    fn asked(&self, opened: &Opened, patient: &PatientId, start: Date) -> Result<Option<Asked>, Fault> {
        let Some(plan) = opened.course.plan() else { return Ok(None) };
        // A booster is booked after the one before it has shown how long it held.
        let left = opened.course.left().unwrap_or(1);
        let had = opened.course.given.len() + usize::from(opened.course.under_way.is_some());
        let given = self.given_to(patient)?.last().map(|(_, at, _)| *at);
        let last = match &opened.course.under_way {
            Some(here) if !here.begun => LastStart::Begins(here.start),
            here => {
                let last = here.as_ref().map(|here| here.start).max(given);
                last.map_or(LastStart::Never, LastStart::At)
            }
        };
        Ok(Some(Asked {
            regimen: plan.regimen.clone(),
            start,
            at: None,
            count: Some(u32::try_from(left).unwrap_or(u32::MAX).max(1)),
            a_week: Some(plan.a_week),
            minutes: Some(plan.minutes),
            last: Some(last),
            before: u32::try_from(had).unwrap_or(u32::MAX),
            not_before: Some(self.clock.now()),
        }))
    }

    /// Puts every visit still to come into the calendar, in place of those there; none at all cancels them.
    ///
    /// # Errors
    /// What a rule stops, what is taken, or that nothing is being recorded. Nothing is booked then.
    pub fn book(
        &self,
        patient: &PatientId,
        command_id: &CommandId,
        actor: &Actor,
        booking: &Booking,
        calendar: &Calendar,
    ) -> Result<Done, Denied> {
        let same = |event: &course::Event| {
            let course::Event::VisitsBooked { visits } = event else { return false };
            let talks = booking.talks.iter().map(|(what, _, start)| (*start, what.title()));
            let asked: BTreeSet<_> =
                booking.starts.iter().map(|start| (*start, What::Infusion.title())).chain(talks).collect();
            visits.iter().map(|visit| (visit.start, visit.what.title())).collect::<BTreeSet<_>>() == asked
                && visits.iter().all(|visit| placed(visit, &booking.place) == *visit)
        };
        // Nobody takes a chair meanwhile.
        let seats = self.turn(SEATING);
        let _seats = seats.lock().unwrap_or_else(PoisonError::into_inner);
        self.in_course(patient, command_id, actor, same, |opened| {
            let (event, days) = self.would_book(opened, patient, actor, booking, calendar)?;
            Ok((vec![event], days))
        })
    }

    /// Frees the place of a booked infusion that is given on that day instead.
    ///
    /// # Errors
    /// That it is not booked, or that nothing is being recorded.
    pub fn bring_forward(
        &self,
        patient: &PatientId,
        command_id: &CommandId,
        actor: &Actor,
        (start, to): (Timestamp, Date),
    ) -> Result<Done, Denied> {
        let command = Command::BringForward { start, to };
        let same = |event: &course::Event| event.answers(&command);
        self.in_course(patient, command_id, actor, same, |opened| {
            let event = course::decide(&opened.course, command.clone(), actor, &self.knowledge)?;
            let date = self.day_of(start);
            let day = self.day(date).map_err(not_read)?;
            let stays = |visit: &Booked| visit.start != start || visit.what != What::Infusion;
            let mine = day.visits().into_iter().filter(|(of, _, visit)| **of == opened.id && stays(visit));
            let visits = mine.map(|(_, _, visit)| visit.clone()).collect();
            let held =
                diary::Event::VisitsHeld { course: opened.id.clone(), patient: patient.clone(), visits };
            Ok((vec![event], vec![write(day_stream(date), Some(day.version), [as_new(&held)])?]))
        })
    }

    /// What a booking would leave in the course and in each day. Nothing is written.
    pub(super) fn would_book(
        &self,
        opened: &Opened,
        patient: &PatientId,
        actor: &Actor,
        booking: &Booking,
        calendar: &Calendar,
    ) -> Result<(course::Event, Vec<StreamWrite>), Denied> {
        let visits = self.judged(opened, patient, booking, calendar)?;
        let first = visits.first().map_or(Timestamp::MAX, |visit| visit.start);
        let due = self.checks_due(patient, calendar.local(first).date()).map_err(not_read)?;
        let command = Command::Book { visits: visits.clone(), checks: due };
        let event = course::decide(&opened.course, command, actor, &self.knowledge)?;
        let days = self.held(opened, patient, visits, calendar)?;
        Ok((event, days))
    }

    /// The visits as the rules let them be, with their ends, early to late.
    fn judged(
        &self,
        opened: &Opened,
        patient: &PatientId,
        booking: &Booking,
        calendar: &Calendar,
    ) -> Result<Vec<Booked>, Denied> {
        let Some(first) = booking.starts.iter().min() else { return Ok(Vec::new()) };
        self.to_come(booking, calendar)?;
        let asked = self.asked(opened, patient, calendar.local(*first).date()).map_err(not_read)?;
        let Some(asked) = asked else {
            let (doing, stage) = ("book the visits", opened.course.stage.title());
            return Err(Refusal::WrongStage { doing, stage }.into());
        };
        let proposal = course::judge(&asked, &booking.starts, calendar, &self.knowledge);
        let stops = |found: &&Finding| found.verdict >= Verdict::Stop;
        let of_course = proposal.findings.iter().filter(stops).map(|found| (String::new(), found));
        let of_visits = proposal.visits.iter().flat_map(|visit| {
            visit.findings.iter().filter(stops).map(|found| (booking.field(visit.start), found))
        });
        let mut stopped: Vec<Stopped> = of_course
            .chain(of_visits)
            .map(|(field, found)| Stopped { field, why: found.reason.clone() })
            .collect();
        let infusions: Vec<Booked> =
            proposal.visits.iter().map(|visit| Booked::between(visit.start, visit.end)).collect();
        let talks = self.talks(&asked, booking, (&infusions, calendar), &mut stopped);
        if !stopped.is_empty() {
            return Err(Refusal::Visits(stopped).into());
        }
        let mut visits: Vec<Booked> =
            infusions.iter().chain(&talks).map(|times| placed(times, &booking.place)).collect();
        visits.sort_by_key(|visit| visit.start);
        Ok(visits)
    }

    /// Refuses what would begin in the past.
    fn to_come(&self, booking: &Booking, calendar: &Calendar) -> Result<(), Refusal> {
        let now = self.clock.now();
        let infusions = (1..).zip(&booking.starts).map(|(n, start)| (What::Infusion, n, *start));
        let past = infusions.chain(booking.talks.iter().copied()).filter(|(_, _, start)| *start < now);
        let stopped = past.map(|(what, n, start)| {
            let (start, now) = (clock_of(calendar, start), clock_of(calendar, now));
            let why = format!("{} begins {start}, which is past; accepted is {now} or later.", what.title());
            Stopped { field: what.field(n), why }
        });
        let stopped: Vec<Stopped> = stopped.collect();
        if stopped.is_empty() { Ok(()) } else { Err(Refusal::Visits(stopped)) }
    }

    /// The talks with their ends; what a rule stops is added to `stopped`.
    fn talks(
        &self,
        asked: &Asked,
        booking: &Booking,
        (infusions, calendar): (&[Booked], &Calendar),
        stopped: &mut Vec<Stopped>,
    ) -> Vec<Booked> {
        // How long the last one stayed is not asked again: its start is early enough to count from.
        let given = match asked.last {
            Some(LastStart::At(at) | LastStart::Begins(at)) => Some(Booked::between(at, at)),
            Some(LastStart::Never) | None => None,
        };
        let mut talks = Vec::new();
        for (what, n, start) in &booking.talks {
            let its = match (what, n.checked_sub(1)) {
                (What::Integration, None) => given.as_ref(),
                (What::Integration, Some(n)) => {
                    let start = booking.starts.get(n);
                    infusions.iter().find(|infusion| Some(&infusion.start) == start)
                }
                (What::Preparation | What::Infusion, _) => infusions.first(),
            };
            let Some(one) = talk(*what, *start, &self.knowledge) else { continue };
            if let Some(why) = judge_talk(&one, its, calendar, &self.knowledge) {
                stopped.push(Stopped { field: what.field(*n), why });
            }
            talks.push(one);
        }
        talks
    }

    /// A line for every day on which a visit was or will be. What is over or under way stays in the calendar.
    fn held(
        &self,
        opened: &Opened,
        patient: &PatientId,
        visits: Vec<Booked>,
        calendar: &Calendar,
    ) -> Result<Vec<StreamWrite>, Denied> {
        let now = self.clock.now();
        let mut days: BTreeMap<Date, Vec<Booked>> = BTreeMap::new();
        for visit in opened.course.to_come(now) {
            days.entry(calendar.local(visit.start).date()).or_default();
        }
        for visit in visits {
            days.entry(calendar.local(visit.start).date()).or_default().push(visit);
        }
        let (per_nurse, shown) = (self.per_nurse(), |at| clock_of(calendar, at));
        let line = |(date, visits): (Date, Vec<Booked>)| {
            let day = self.day_as_it_is(date).map_err(not_read)?;
            let here = opened.course.under_way.as_ref().and_then(|here| here.place.as_ref());
            let over = day
                .visits()
                .into_iter()
                .filter(|(of, _, visit)| **of == opened.id && (visit.start < now || Some(*visit) == here));
            let visits = over.map(|(_, _, visit)| visit.clone()).chain(visits).collect();
            let event = day.hold(&opened.id, patient, visits, per_nurse, shown)?;
            Ok(write(day_stream(date), Some(day.version), [as_new(&event)])?)
        };
        days.into_iter().map(line).collect()
    }

    /// Patients that a nurse may have at once.
    fn per_nurse(&self) -> u32 {
        let rules = self.knowledge.booking.iter().next().map(|item| &item.body);
        rules.map_or(0, |rules| rules.patients_per_nurse_most)
    }

    /// What a newer plan makes of the visits that are booked: a line in the course, and one for every day on which it
    /// changes anything. Nothing where all of them may stay as they are.
    pub(super) fn refitted(
        &self,
        opened: &Opened,
        (patient, signer): (&PatientId, &StaffId),
        newer: &course::Event,
        calendar: &Calendar,
    ) -> Result<Option<(course::Event, Vec<StreamWrite>)>, Denied> {
        let now = self.clock.now();
        let recorded = Recorded {
            version: opened.course.version + 1,
            at: now,
            by: signer.clone(),
            event: newer.clone(),
        };
        let mut opened = opened.clone();
        opened.course = evolve(opened.course, &recorded);
        let coming: Vec<Booked> = opened.course.to_come(now).cloned().collect();
        let asked = self.asked(&opened, patient, calendar.local(now).date()).map_err(not_read)?;
        let Some(asked) = asked.filter(|_| !coming.is_empty()) else { return Ok(None) };
        let mut days: BTreeMap<Date, Vec<Refit>> = BTreeMap::new();
        for one in refit(&asked, &coming, calendar, &self.knowledge) {
            days.entry(calendar.local(one.booked.start).date()).or_default().push(one);
        }
        let (mut booked, mut writes) = (opened.course.booked.clone(), Vec::new());
        for (date, all) in days {
            let day = self.day_as_it_is(date).map_err(not_read)?;
            let shown = |at| clock_of(calendar, at);
            let fitted = day.refit(&opened.id, patient, &all, self.per_nurse(), shown);
            let as_fitted = |visit: &Booked| {
                let place = all.iter().position(|one| one.booked == *visit);
                place.and_then(|place| fitted.get(place)).unwrap_or(visit).clone()
            };
            if all.iter().all(|one| as_fitted(&one.booked) == one.booked) {
                continue;
            }
            booked = booked.iter().map(as_fitted).collect();
            let mine = day.visits().into_iter().filter(|(of, ..)| **of == opened.id);
            let visits = mine.map(|(_, _, visit)| as_fitted(visit)).collect();
            let held =
                diary::Event::VisitsHeld { course: opened.id.clone(), patient: patient.clone(), visits };
            writes.push(write(day_stream(date), Some(day.version), [as_new(&held)])?);
        }
        let changed = !writes.is_empty();
        Ok(changed.then_some((course::Event::VisitsRefitted { visits: booked }, writes)))
    }

    /// A day of the calendar.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn day(&self, date: Date) -> Result<Day, Fault> {
        let mut day = Day::default();
        for row in self.store.stream(&self.site, &day_stream(date))? {
            day = day.evolve(&read_event::<diary::Event>(&row)?);
        }
        Ok(day)
    }
}

/// The times of the one with chair and people of the other. A talk holds nobody but the therapist.
fn placed(times: &Booked, place: &Booked) -> Booked {
    let Booked { what, start, end, .. } = *times;
    match what {
        What::Infusion => Booked { what, start, end, ..place.clone() },
        What::Preparation | What::Integration => {
            Booked { what, therapist: place.therapist.clone(), ..Booked::between(start, end) }
        }
    }
}

/// Stream of a day of the calendar, by the clinic's clock.
fn day_stream(date: Date) -> String {
    format!("calendar/{date}")
}
