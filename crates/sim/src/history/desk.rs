//! What the desk keeps of a made-up patient: the signed plan, the checks before a booking, the visits in the calendar.

use super::Stuck;
use super::pen::{Pen, Slots, signed};
use super::start::Person;
use super::visit::{BEFORE_MIN, Given};
use crate::cast::{KIM, LEE, Member, OSEI, ROBIN};
use clinic::course::calendar::{Calendar, Opening};
use clinic::course::checked::known;
use clinic::course::exposure::{Exposure, checks};
use clinic::course::{
    self, Asked, Booked, Command, Course, Judged, LastStart, Plan, Recorded, Stage, evolve, judge,
};
use clinic::gate::Verdict;
use clinic::id::{ChairId, CourseId, RuleId, StaffId};
use clinic::scale::questionnaire::Questionnaires;
use clinic::staff::Actor;
use jiff::civil::DateTime;
use jiff::{Span, Timestamp};
use std::collections::BTreeSet;

/// A patient's course.
pub(super) struct Desk {
    id: CourseId,
    chair: ChairId,
    course: Course,
    history: Vec<Recorded>,
    given: Vec<Exposure>,
    last: LastStart,
}

impl Desk {
    /// The prescriber signs the plan that the regimen usually has.
    pub fn opened(pen: &mut Pen, person: &Person, chair: ChairId, at: Timestamp) -> Result<Self, Stuck> {
        let mut desk = Self {
            id: CourseId::new(format!("{}-1", person.id)),
            chair,
            course: Course::default(),
            history: Vec::new(),
            given: Vec::new(),
            last: LastStart::Never,
        };
        let regimen = pen.history.knowledge.regimens.get(person.illness.regimen);
        let plan = regimen.and_then(|item| Plan::usual(item, vec![person.illness.code.to_owned()]));
        let plan = plan.ok_or_else(|| pen.stuck(at, "plan", "the regimen has no usual plan"))?;
        let plan = Plan {
            titration: "A tenth more where it is tolerated and does not help enough.".to_owned(),
            stop_rules: vec!["No response after six infusions".to_owned(), "The patient's wish".to_owned()],
            ..plan
        };
        let command = Command::Open {
            patient: person.id.clone(),
            plan,
            reason: Some("weighed with the patient in the consultation".to_owned()),
            signature: signed(OSEI, "I sign this plan", at),
        };
        desk.act(pen, OSEI.actor(), command, at)?;
        Ok(desk)
    }

    fn act(&mut self, pen: &mut Pen, who: Actor, command: Command, at: Timestamp) -> Result<(), Stuck> {
        let event = course::decide(&self.course, command, &who, pen.history.knowledge)
            .map_err(|why| pen.stuck(at, "course", why))?;
        pen.event(at, &who, format!("course/{}", self.id), &event);
        let recorded = Recorded { version: self.course.version + 1, at, by: who.id, event };
        self.course = evolve(std::mem::take(&mut self.course), &recorded);
        self.history.push(recorded);
        Ok(())
    }

    /// Visits at which the patient arrives then, in place of those that were to come.
    pub fn books(
        &mut self,
        pen: &mut Pen,
        person: &Person,
        (arrivals, answered): (&[DateTime], &Questionnaires),
        at: Timestamp,
    ) -> Result<(), Stuck> {
        let was = self.course.booked.iter().filter(|visit| visit.start >= at).cloned().collect();
        let visits = self.visits(pen, person, arrivals, at)?;
        let mut due = Vec::new();
        if let Some(first) = arrivals.first() {
            self.checked(pen, (first.date(), answered), at)?;
            let known = known(&self.history, answered, pen.history.knowledge);
            due = checks(&self.given, first.date(), &known, pen.history.knowledge).findings;
        }
        self.act(pen, ROBIN.actor(), Command::Book { visits: visits.clone(), checks: due }, at)?;
        let slots = Slots { course: self.id.clone(), patient: person.id.clone(), was, visits };
        if let Some(entry) = pen.entries.last_mut() {
            entry.slots = Some(slots);
        }
        Ok(())
    }

    /// Each check that would hold the booking is made, and finds nothing.
    fn checked(
        &mut self,
        pen: &mut Pen,
        (first, answered): (jiff::civil::Date, &Questionnaires),
        at: Timestamp,
    ) -> Result<(), Stuck> {
        let on = at.to_zoned(pen.history.zone.clone()).date();
        let known = known(&self.history, answered, pen.history.knowledge);
        let due = checks(&self.given, first, &known, pen.history.knowledge).findings;
        let due: BTreeSet<RuleId> =
            due.into_iter().filter(|one| one.verdict >= Verdict::Hold).map(|one| one.rule).collect();
        for check in due {
            let result = "as it should be".to_owned();
            let command = Command::MakeCheck { check, on, result, judged: Judged::WithinLimits };
            self.act(pen, KIM.actor(), command, at)?;
        }
        Ok(())
    }

    fn visits(
        &self,
        pen: &Pen,
        person: &Person,
        arrivals: &[DateTime],
        at: Timestamp,
    ) -> Result<Vec<Booked>, Stuck> {
        let Some(first) = arrivals.first() else { return Ok(Vec::new()) };
        let Some(plan) = self.course.plan() else { return Ok(Vec::new()) };
        let knowledge = pen.history.knowledge;
        let rules = knowledge.booking.iter().next().map(|item| &item.body);
        let opening: Vec<Opening> = rules.map(|rules| rules.open.clone()).unwrap_or_default();
        let calendar = Calendar { opening, holidays: BTreeSet::new(), zone: pen.history.zone.clone() };
        let asked = Asked {
            regimen: RuleId::new(person.illness.regimen),
            start: first.date(),
            at: None,
            count: u32::try_from(arrivals.len()).ok(),
            a_week: Some(plan.a_week),
            minutes: Some(plan.minutes),
            last: Some(self.last),
            before: u32::try_from(self.given.len()).unwrap_or(u32::MAX),
            not_before: None,
        };
        let begins = |arrives: &DateTime| pen.at(arrives.saturating_add(Span::new().minutes(BEFORE_MIN)));
        let starts: Vec<Timestamp> = arrivals.iter().map(begins).collect();
        let proposal = judge(&asked, &starts, &calendar, knowledge);
        if let Some(stop) = proposal.everything().find(|found| found.verdict >= Verdict::Stop) {
            return Err(pen.stuck(at, "book", &stop.reason));
        }
        let nurse = nurse_of(&self.chair);
        let booked = proposal.visits.iter().map(|visit| Booked {
            chair: Some(self.chair.clone()),
            nurse: Some(StaffId::new(nurse.user)),
            prescriber: Some(StaffId::new(OSEI.user)),
            ..Booked::between(visit.start, visit.end)
        });
        Ok(booked.collect())
    }

    /// An infusion was given: the program counts it.
    pub fn gave(&mut self, pen: &mut Pen, given: &Given) -> Result<(), Stuck> {
        self.given.push(Exposure::given(given.on, given.delivered, Some(given.dose_weight)));
        self.last = LastStart::At(given.begun);
        let (session, on, delivered) = (given.session.clone(), given.on, given.delivered);
        self.act(
            pen,
            Actor::machine("course-count"),
            Command::CountInfusion { session, on, delivered },
            given.home,
        )
    }

    /// Somebody who does not want to go on: what is booked is given back.
    pub fn closes(
        &mut self,
        pen: &mut Pen,
        person: &Person,
        answered: &Questionnaires,
        at: Timestamp,
    ) -> Result<(), Stuck> {
        self.books(pen, person, (&[], answered), at)?;
        let signature = signed(OSEI, "I end this course", at);
        let reason = "the patient does not want to go on".to_owned();
        self.act(pen, OSEI.actor(), Command::Close { reason, signature }, at)
    }

    /// Boosters may follow.
    pub fn maintains(&mut self, pen: &mut Pen, at: Timestamp) -> Result<(), Stuck> {
        if self.course.stage != Stage::Induction {
            return Ok(());
        }
        let command = Command::BeginMaintenance {
            every_d: None,
            responder: Some(true),
            reason: "responded to the series, and the response is lost".to_owned(),
            signature: signed(OSEI, "I change the course", at),
        };
        self.act(pen, OSEI.actor(), command, at)
    }
}

/// Each nurse has two chairs, which is as many patients as she may have at once.
fn nurse_of(chair: &ChairId) -> Member {
    if chair.as_str() <= "2" { KIM } else { LEE }
}
