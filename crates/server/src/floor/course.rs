//! Courses and the calendar: decide, append.
//!
//! A booking writes the course and every day that it touches in one entry, each under the version it was decided on. So
//! two bookings never hold one chair, whoever else writes to the log.

use super::act::{as_new, write};
use super::{Denied, Done, Floor};
use crate::views::sessions::Row;
use crate::{Fault, read_event, read_time};
use clinic::course::calendar::Calendar;
use clinic::course::diary::{self, Day};
use clinic::course::exposure::{Exposure, Known, checks};
use clinic::course::{self, Asked, Booked, Command, Course, LastStart, Proposal, Recorded, Stage};
use clinic::gate::Finding;
use clinic::id::{CommandId, CourseId, PatientId, SessionId, StaffId};
use clinic::knowledge::measure::{Mg, MgPerKg};
use clinic::knowledge::regimen::CareArea;
use clinic::session::Session;
use clinic::staff::Actor;
use jiff::Timestamp;
use jiff::civil::Date;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::PoisonError;
use store::StreamWrite;

/// How often an act is decided again when somebody else was faster.
const TRIES: usize = 5;
/// Digits of a dose by weight.
const DOSE_DIGITS: u32 = 3;

/// A patient's course, the last one of several, with what was given counted.
#[derive(Debug, Clone)]
pub struct Opened {
    /// Which; the next free one where no course is open.
    pub id: CourseId,
    /// As it stands.
    pub course: Course,
    /// All that happened to it.
    pub history: Vec<Recorded>,
    /// Given and not yet counted in the log.
    uncounted: Vec<course::Event>,
}

impl Opened {
    fn new(id: CourseId) -> Self {
        Self { id, course: Course::default(), history: Vec::new(), uncounted: Vec::new() }
    }
}

/// What is to be booked.
#[derive(Debug, Clone)]
pub struct Booking {
    /// Start of every visit still to come.
    pub starts: Vec<Timestamp>,
    /// Chair and people, the same for all; its times do not count.
    pub place: Booked,
}

impl Floor {
    /// A patient's courses, first to last. The n-th is `<patient>-<n>`, so that two people never open two at once.
    fn courses(&self, patient: &PatientId) -> Result<Vec<(CourseId, Vec<Recorded>)>, Fault> {
        let mut all = Vec::new();
        loop {
            let id = CourseId::new(format!("{patient}-{}", all.len() + 1));
            let history = self.course_history(&id)?;
            if history.is_empty() {
                return Ok(all);
            }
            all.push((id, history));
        }
    }

    fn course_history(&self, id: &CourseId) -> Result<Vec<Recorded>, Fault> {
        let rows = self.store.stream(&self.site, &course_stream(id))?;
        let recorded = rows.iter().map(|row| {
            Ok(Recorded {
                version: row.version,
                at: read_time(row)?,
                by: StaffId::new(&row.author),
                event: read_event(row)?,
            })
        });
        recorded.collect()
    }

    /// The course of a patient; the last one, or a new one where it is closed.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn course(&self, patient: &PatientId) -> Result<Opened, Fault> {
        let mut all = self.courses(patient)?;
        let next = CourseId::new(format!("{patient}-{}", all.len() + 1));
        let Some((id, history)) = all.pop() else {
            return Ok(Opened::new(next));
        };
        let mut course = course::replay(&history);
        if course.stage == Stage::Closed {
            return Ok(Opened::new(next));
        }
        let since = history.first().map_or(Timestamp::MAX, |first| first.at);
        let mut uncounted = Vec::new();
        for (session, _, is) in self.given_to(patient)? {
            let began = is.checked_in_at.is_some_and(|at| at >= since);
            if !began || is.closed_at.is_none() || course.given.contains(&session) {
                continue;
            }
            let Some(on) = is.day else { continue };
            let delivered = is.delivered_mass(self.clock.now());
            let event = course::Event::InfusionGiven { session, on, delivered };
            let (version, at) = (course.version + 1, self.clock.now());
            let by = StaffId::new(COUNTER);
            course = course::evolve(course, &Recorded { version, at, by, event: event.clone() });
            uncounted.push(event);
        }
        Ok(Opened { id, course, history, uncounted })
    }

    /// Every infusion that a patient began here, early to late.
    fn given_to(&self, patient: &PatientId) -> Result<Vec<(SessionId, Timestamp, Session)>, Fault> {
        let mut given = Vec::new();
        for item in self.store.view_list(&self.site, "sessions", "", store::ROWS_MAX)? {
            let Ok(row) = serde_json::from_str::<Row>(&item.body) else { continue };
            let Some(began) = row.started_at.filter(|_| row.patient == patient.0) else { continue };
            let id = SessionId::new(row.session);
            if let Some(session) = self.session(&id).map_err(Fault::Floor)? {
                given.push((id, Timestamp::from_millisecond(began).unwrap_or_default(), session));
            }
        }
        given.sort_by_key(|(_, began, _)| *began);
        Ok(given)
    }

    /// What a patient has had here. What was given elsewhere is not in this log.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn exposures(&self, patient: &PatientId) -> Result<Vec<Exposure>, Fault> {
        let now = self.clock.now();
        let exposure = |(_, _, session): (SessionId, Timestamp, Session)| {
            let mg = session.delivered_mass(now).decimal();
            let weight = session.order.as_ref().map(|(order, _)| order.dose_weight.decimal());
            let by_weight = weight.and_then(|kg| mg.checked_div(kg));
            let regimen = session.regimen.as_ref().and_then(|id| self.knowledge.regimens.get(id.as_str()));
            Some(Exposure {
                mg: Some(Mg(mg)),
                mg_per_kg: by_weight.map(|dose| MgPerKg(dose.round_dp(DOSE_DIGITS).normalize())),
                pain: regimen.is_some_and(|item| item.body.care_area != CareArea::Psych),
                ..Exposure::on(session.day?)
            })
        };
        Ok(self.given_to(patient)?.into_iter().filter_map(exposure).collect())
    }

    /// What the rules of long-term safety ask of an infusion on a day.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn checks_due(&self, patient: &PatientId, on: Date) -> Result<Vec<Finding>, Fault> {
        let mut known: BTreeMap<String, Known> = BTreeMap::new();
        for (_, history) in self.courses(patient)? {
            for recorded in history {
                if let course::Event::CheckMade { check, on, .. } = recorded.event {
                    let last = known.entry(check.0).or_default();
                    last.last_done = last.last_done.max(Some(on));
                }
            }
        }
        Ok(checks(&self.exposures(patient)?, on, &known, &self.knowledge).findings)
    }

    /// Carries out what a person decided about a patient's course. What was given and not yet counted is counted first.
    ///
    /// # Errors
    /// A refusal, or that nothing is being recorded.
    pub fn decide_course(
        &self,
        patient: &PatientId,
        command_id: &CommandId,
        actor: &Actor,
        command: &Command,
    ) -> Result<Done, Denied> {
        self.in_course(
            patient,
            command_id,
            actor,
            |event| event.answers(command),
            |opened| {
                Ok((course::decide(&opened.course, command.clone(), actor, &self.knowledge)?, Vec::new()))
            },
        )
    }

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

    fn asked(&self, opened: &Opened, patient: &PatientId, start: Date) -> Result<Option<Asked>, Fault> {
        let Some(plan) = opened.course.plan() else { return Ok(None) };
        let left = (plan.infusions as usize).saturating_sub(opened.course.given.len());
        let last = self.given_to(patient)?.last().map_or(LastStart::Never, |(_, at, _)| LastStart::At(*at));
        Ok(Some(Asked {
            regimen: plan.regimen.clone(),
            start,
            at: None,
            count: Some(u32::try_from(left).unwrap_or(u32::MAX).max(1)),
            a_week: Some(plan.a_week),
            minutes: Some(plan.minutes),
            last: Some(last),
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
            let starts: BTreeSet<_> = booking.starts.iter().copied().collect();
            visits.iter().map(|visit| visit.start).eq(starts)
                && visits.iter().all(|visit| placed(visit, &booking.place) == *visit)
        };
        self.in_course(patient, command_id, actor, same, |opened| {
            let visits = self.judged(opened, patient, booking, calendar)?;
            let first = visits.first().map_or(Timestamp::MAX, |visit| visit.start);
            let due = self.checks_due(patient, calendar.local(first).date()).map_err(not_read)?;
            let command = Command::Book { visits: visits.clone(), checks: due };
            let event = course::decide(&opened.course, command, actor, &self.knowledge)?;
            let days = self.held(opened, patient, visits, calendar)?;
            Ok((event, days))
        })
    }

    /// The visits as the rules let them be, with their ends.
    fn judged(
        &self,
        opened: &Opened,
        patient: &PatientId,
        booking: &Booking,
        calendar: &Calendar,
    ) -> Result<Vec<Booked>, Denied> {
        let Some(first) = booking.starts.iter().min() else { return Ok(Vec::new()) };
        if *first < self.clock.now() {
            let (value, accepted) = (clock_of(calendar, *first), "a time to come".to_owned());
            let (field, what) = ("visit-1", "The start of the first visit");
            return Err(course::Refusal::OutOfRange { field, what, value, accepted }.into());
        }
        let asked = self.asked(opened, patient, calendar.local(*first).date()).map_err(not_read)?;
        let Some(asked) = asked else {
            return Err(course::Refusal::WrongStage {
                doing: "book the visits",
                stage: opened.course.stage.title(),
            }
            .into());
        };
        let proposal = course::judge(&asked, &booking.starts, calendar, &self.knowledge);
        if !proposal.may_be_booked() {
            let stops = proposal.everything().filter(|found| found.verdict >= clinic::gate::Verdict::Hold);
            return Err(course::Refusal::Refused {
                reasons: stops.map(|found| found.reason.clone()).collect(),
            }
            .into());
        }
        let booked = proposal.visits.iter().map(|visit| Booked::between(visit.start, visit.end));
        Ok(booked.map(|times| placed(&times, &booking.place)).collect())
    }

    /// A line for every day on which a visit was or will be. What is over stays in the calendar.
    fn held(
        &self,
        opened: &Opened,
        patient: &PatientId,
        visits: Vec<Booked>,
        calendar: &Calendar,
    ) -> Result<Vec<StreamWrite>, Denied> {
        let now = self.clock.now();
        let mut days: BTreeMap<Date, Vec<Booked>> = BTreeMap::new();
        for visit in opened.course.booked.iter().filter(|visit| visit.start >= now) {
            days.entry(calendar.local(visit.start).date()).or_default();
        }
        for visit in visits {
            days.entry(calendar.local(visit.start).date()).or_default().push(visit);
        }
        let rules = self.knowledge.booking.iter().next().map(|item| &item.body);
        let per_nurse = rules.map_or(0, |rules| rules.patients_per_nurse_most);
        let shown = |at| clock_of(calendar, at);
        let line = |(date, visits): (Date, Vec<Booked>)| {
            let day = self.day(date).map_err(not_read)?;
            let event = day.hold(&opened.id, patient, visits, per_nurse, shown)?;
            Ok(write(day_stream(date), Some(day.version), [as_new(&event)])?)
        };
        days.into_iter().map(line).collect()
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

    /// Decides about the course and appends all or none; decides again when somebody else was faster.
    fn in_course(
        &self,
        patient: &PatientId,
        command_id: &CommandId,
        actor: &Actor,
        same: impl Fn(&course::Event) -> bool,
        decide: impl Fn(&Opened) -> Result<(course::Event, Vec<StreamWrite>), Denied>,
    ) -> Result<Done, Denied> {
        let turn = self.turn(&format!("course/{patient}"));
        let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
        let said = |rows: &[store::Recorded]| {
            let mine = rows.iter().filter(|row| row.stream.starts_with(COURSES));
            mine.filter_map(|row| read_event::<course::Event>(row).ok()).any(|event| same(&event))
        };
        if let Some(answer) = self.sent_before(command_id, actor, said) {
            return answer;
        }
        for _ in 0..TRIES {
            let opened = self.course(patient).map_err(not_read)?;
            let id = &opened.id;
            let (event, mut writes) = decide(&opened)?;
            let seen = opened.history.last().map_or(0, |last| last.version);
            let events = opened.uncounted.iter().chain([&event]).map(as_new);
            writes.push(write(course_stream(id), Some(seen), events)?);
            match self.append(command_id, actor, self.clock.now(), writes) {
                // Whoever was faster is done: what they left is decided on now.
                Err(Denied::Conflict) => {}
                done => return done,
            }
        }
        Err(Denied::Conflict)
    }
}

/// The times of the one with chair and people of the other.
fn placed(times: &Booked, place: &Booked) -> Booked {
    Booked { start: times.start, end: times.end, ..place.clone() }
}

fn not_read(fault: Fault) -> Denied {
    Denied::NotRecorded(fault.to_string())
}

fn clock_of(calendar: &Calendar, at: Timestamp) -> String {
    calendar.local(at).strftime("%d-%b-%Y %H:%M").to_string()
}

const COURSES: &str = "course/";
/// Who counts what was given.
const COUNTER: &str = "course-count";

fn course_stream(id: &CourseId) -> String {
    format!("{COURSES}{id}")
}

/// Stream of a day of the calendar, by the clinic's clock.
fn day_stream(date: Date) -> String {
    format!("calendar/{date}")
}
