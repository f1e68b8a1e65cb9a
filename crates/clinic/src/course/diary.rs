//! One day of the clinic: which chair and which people each visit holds, recovery included.
//!
//! Each course has its visits of the day in one entry, in place of those before. Whoever books decides on the day as it
//! was read and writes under its version, so that two who book at once never hold one chair. Who sits on the floor is
//! laid over it: a visit that nobody booked holds its chair as one that was.

use super::command::Refusal;
use super::event::{Booked, What};
use super::propose::stay;
use super::refit::Refit;
use crate::gate::earliest_discharge;
use crate::id::{CourseId, PatientId, StaffId};
use crate::knowledge::Knowledge;
use crate::session::Session;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What can happen to a day. A variant is never removed or reshaped: a new field has a default, or it is a new variant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Event {
    /// The visits of a course on this day, in place of those before; none frees what was held.
    VisitsHeld {
        /// Whose plan.
        course: CourseId,
        /// Who comes.
        patient: PatientId,
        /// On this day.
        visits: Vec<Booked>,
    },
}

/// How a visit stands on the floor. A booking is taken for one that is not over before one that is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// The infusion runs, or the patient recovers from it in the chair.
    UnderWay,
    /// The patient sits in the chair and has had no drug yet.
    CheckedIn,
    /// Over, after an infusion.
    Done,
    /// Ended before any drug flowed, or handed over.
    Left,
}

impl Standing {
    /// As a person reads it.
    pub const fn title(self) -> &'static str {
        match self {
            Self::UnderWay => "under way",
            Self::CheckedIn => "checked in",
            Self::Done => "done",
            Self::Left => "left",
        }
    }
}

/// A visit as the floor has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seated {
    /// Who came.
    pub patient: PatientId,
    /// How it stands.
    pub standing: Standing,
    /// From check-in to the expected end or the end, with the chair and the people there are.
    pub place: Booked,
    /// The day that it was planned for, where it came on another.
    pub planned: Option<Date>,
}

/// A visit of a day: booked, on the floor, or both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry<'a> {
    /// Whose booking; `None` where nobody booked it.
    pub course: Option<&'a CourseId>,
    /// Who comes, or came.
    pub patient: &'a PatientId,
    /// When, where and with whom.
    pub place: Booked,
    /// As the floor has it; `None` while nobody checked in.
    pub standing: Option<Standing>,
    /// The day that it was planned for, where it came on another.
    pub planned: Option<Date>,
}

impl Seated {
    /// Whether a booking is for this visit: one that begins after it is over is for another.
    pub fn is_for(&self, patient: &PatientId, booked: &Booked) -> bool {
        booked.what == What::Infusion && self.patient == *patient && booked.start < self.place.end
    }

    /// A booked place as it is now: in the chair that was taken, until the patient may go or went.
    fn instead_of(&self, booked: &Booked) -> Booked {
        let end = match self.standing {
            Standing::UnderWay | Standing::CheckedIn => self.place.end.max(booked.end),
            Standing::Done | Standing::Left => self.place.end,
        };
        let start = self.place.start.min(booked.start);
        Booked { start, end, chair: self.place.chair.clone(), ..booked.clone() }
    }
}

/// When a patient who sits in a chair may go home at the earliest, as far as one knows now: the infusion that has not
/// begun begins now. Never before `now`, while the patient is here.
pub fn expected_end(session: &Session, now: Timestamp, knowledge: &Knowledge) -> Timestamp {
    let usual = || Some(knowledge.regimens.get(session.regimen.as_ref()?.as_str())?.body.minutes());
    let minutes = session.order.as_ref().map(|(order, _)| order.minutes).or_else(usual);
    let start = session.delivery.started().unwrap_or(now);
    let end = || {
        if let Some((_, _, ended)) = session.ended {
            return Some(ended);
        }
        let seconds = minutes?.checked_mul(Decimal::from(60))?.ceil().to_i64()?;
        Some(start.checked_add(SignedDuration::from_secs(seconds)).ok()?.max(now))
    };
    let paused = !session.pauses.is_empty();
    let home = || earliest_discharge(stay(knowledge)?, start, end()?, session.infusion.0, paused, None);
    home().map_or(now, |home| home.max(now))
}

/// A day, folded from its events.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Day {
    /// Number of events taken in.
    pub version: i64,
    held: BTreeMap<CourseId, (PatientId, Vec<Booked>)>,
    freed: Vec<Booked>,
    /// Not of the log of this day: what the floor has.
    seated: Vec<Seated>,
}

impl Day {
    /// Takes one event in.
    #[must_use]
    pub fn evolve(mut self, event: &Event) -> Self {
        let Event::VisitsHeld { course, patient, visits } = event;
        self.version += 1;
        let before = self.held.insert(course.clone(), (patient.clone(), visits.clone()));
        let gone =
            before.into_iter().flat_map(|(_, before)| before).filter(|visit| visit.what == What::Infusion);
        // Why somebody else could not stay there is nothing against the place.
        self.freed.extend(gone.map(|place| Booked { must_move: None, ..place }));
        let held = &self.held;
        let taken = |place: &Booked| {
            let mut all = held.values().flat_map(|(_, visits)| visits);
            all.any(|visit| visit.chair == place.chair && visit.overlaps(place))
        };
        self.freed.retain(|place| !taken(place));
        self
    }

    /// Every visit, early to late.
    pub fn visits(&self) -> Vec<(&CourseId, &PatientId, &Booked)> {
        let each = self
            .held
            .iter()
            .flat_map(|(course, (patient, visits))| visits.iter().map(move |visit| (course, patient, visit)));
        let mut all: Vec<_> = each.collect();
        all.sort_by_key(|(_, _, visit)| visit.start);
        all
    }

    /// The day with those who sit on the floor, or sat there.
    #[must_use]
    pub fn with(mut self, mut seated: Vec<Seated>) -> Self {
        seated.sort_by_key(|one| (one.standing, one.place.start));
        self.seated = seated;
        self
    }

    /// Every visit as it stands, early to late: a booked one in its place, one that nobody booked in its own.
    pub fn entries(&self) -> Vec<Entry<'_>> {
        let mut seated: Vec<&Seated> = self.seated.iter().collect();
        let mut all = Vec::new();
        for (course, patient, booked) in self.visits() {
            let came = seated.iter().position(|one| one.is_for(patient, booked));
            let came = came.map(|at| seated.remove(at));
            let place = came.map_or_else(|| booked.clone(), |came| came.instead_of(booked));
            let standing = came.map(|came| came.standing);
            let planned = came.and_then(|came| came.planned);
            all.push(Entry { course: Some(course), patient, place, standing, planned });
        }
        all.extend(seated.into_iter().map(|one| Entry {
            course: None,
            patient: &one.patient,
            place: one.place.clone(),
            standing: Some(one.standing),
            planned: one.planned,
        }));
        all.sort_by_key(|entry| entry.place.start);
        all
    }

    /// Who is booked into a chair in which somebody else is about to sit until then; never whoever has booked it.
    pub fn booked_for_another(&self, patient: &PatientId, place: &Booked) -> Option<Booked> {
        let entries = self.entries();
        let mut here = entries.iter().filter(|one| one.place.chair == place.chair && one.standing.is_none());
        // What they booked for now is theirs; before it begins, the chair is whoever's it is until then.
        let own = here.clone().find(|one| one.patient == patient && one.place.overlaps(place));
        let end = own.map_or(place.end, |own| own.place.start);
        let until_then = Booked { end, ..place.clone() };
        here.find(|one| one.patient != patient && one.place.overlaps(&until_then))
            .map(|one| one.place.clone())
    }

    /// Places that were held and are free again, early to late.
    pub fn freed(&self) -> Vec<&Booked> {
        let sits = |place: &&Booked| {
            self.seated.iter().any(|one| one.place.chair == place.chair && one.place.overlaps(place))
        };
        let mut free: Vec<&Booked> = self.freed.iter().filter(|place| !sits(place)).collect();
        free.sort_by_key(|visit| visit.start);
        free
    }

    /// Holds a chair and people for the visits of a course, all or none. `shown` is the clinic's clock.
    ///
    /// # Errors
    /// [`Refusal::Taken`] names what is held, and when; [`Refusal::Unplaced`] an infusion without a chair or a nurse,
    /// a talk without a therapist.
    pub fn hold(
        &self,
        course: &CourseId,
        patient: &PatientId,
        visits: Vec<Booked>,
        per_nurse: u32,
        shown: impl Fn(Timestamp) -> String,
    ) -> Result<Event, Refusal> {
        let others: Vec<_> =
            self.entries().into_iter().filter(|entry| entry.course != Some(course)).collect();
        for visit in &visits {
            needs_a_place(visit)?;
            let taken = |field, what: String, by: &Booked| {
                Err(Refusal::Taken { field, what, from: shown(by.start), until: shown(by.end) })
            };
            let meets = others.iter().filter(|entry| entry.place.overlaps(visit));
            for Entry { patient: whose, place: other, .. } in meets {
                if let Some(chair) = visit.chair.as_ref().filter(|chair| other.chair.as_ref() == Some(*chair))
                {
                    return taken("chair", format!("Chair {chair}"), other);
                }
                if *whose == patient {
                    return taken("", "The patient".to_owned(), other);
                }
                if let Some(therapist) =
                    visit.therapist.as_ref().filter(|one| other.therapist.as_ref() == Some(*one))
                {
                    return taken("therapist", therapist.to_string(), other);
                }
            }
            let Some(nurse) = &visit.nurse else { continue };
            let hers = || others.iter().map(|entry| &entry.place).filter(|other| has(other, nurse));
            if let Some(moment) = too_many(visit, hers, per_nurse) {
                return taken(
                    "nurse",
                    format!("{nurse}, who may have {per_nurse} patients at once,"),
                    moment,
                );
            }
        }
        Ok(Event::VisitsHeld { course: course.clone(), patient: patient.clone(), visits })
    }

    /// Gives each booked visit of a course the time that a newer plan needs. One that a rule stops there, or that runs into
    /// what somebody else holds, keeps its place and says why it must be moved.
    pub fn refit(
        &self,
        course: &CourseId,
        patient: &PatientId,
        visits: &[Refit],
        per_nurse: u32,
        shown: impl Fn(Timestamp) -> String,
    ) -> Vec<Booked> {
        let against = |one: &Refit| {
            if !one.stops.is_empty() {
                return Some(one.stops.join(" "));
            }
            // A shorter one has its place already.
            if one.needs.end <= one.booked.end {
                return None;
            }
            match self.hold(course, patient, vec![one.needs.clone()], per_nurse, &shown) {
                Ok(_) => None,
                Err(Refusal::Taken { what, from, until, .. }) => {
                    let end = shown(one.needs.end);
                    Some(format!("It lasts until {end} now, and {what} is taken from {from} to {until}."))
                }
                Err(other) => Some(other.to_string()),
            }
        };
        let fitted = visits.iter().map(|one| match against(one) {
            None => one.needs.clone(),
            why => Booked { must_move: why, ..one.booked.clone() },
        });
        fitted.collect()
    }
}

/// Nobody sits without a chair and a nurse, nobody talks without a therapist.
fn needs_a_place(visit: &Booked) -> Result<(), Refusal> {
    let missing = |field, what| Err(Refusal::Unplaced { field, what });
    match visit.what {
        What::Infusion if visit.chair.is_none() => missing("chair", "a chair"),
        What::Infusion if visit.nurse.is_none() => missing("nurse", "a nurse"),
        What::Preparation | What::Integration if visit.therapist.is_none() => {
            missing("therapist", "a therapist")
        }
        What::Infusion | What::Preparation | What::Integration => Ok(()),
    }
}

fn has(visit: &Booked, nurse: &StaffId) -> bool {
    visit.nurse.as_ref() == Some(nurse)
}

/// A visit during which the nurse would have more patients than she may. The most are there when a visit begins.
fn too_many<'a, I>(visit: &Booked, hers: impl Fn() -> I, per_nurse: u32) -> Option<&'a Booked>
where
    I: Iterator<Item = &'a Booked>,
{
    let begins = hers().map(|other| other.start).filter(|start| visit.covers(*start));
    let moments = std::iter::once(visit.start).chain(begins);
    let full = |at: &Timestamp| hers().filter(|other| other.covers(*at)).count() >= per_nurse as usize;
    let mut full = moments.filter(full);
    let at = full.next()?;
    hers().find(|other| other.covers(at))
}
