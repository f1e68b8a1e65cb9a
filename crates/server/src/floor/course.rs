//! Courses: decide, append. What was given meanwhile is counted first.

use super::act::{SEATING, as_new, write};
use super::joined::turn_of;
use super::of_patient::not_read;
use super::{Denied, Done, Floor};
use crate::{Fault, read_event, read_time};
use clinic::course::calendar::Calendar;
use clinic::course::checked::{known, may_accept, since_screening, stops};
use clinic::course::exposure::{Exposure, Known, Newer, by_weight, checks};
use clinic::course::went::{Went, went};
use clinic::course::{self, Booked, Command, Course, InForce, Recorded, Stage, What};
use clinic::gate::{Finding, Verdict};
use clinic::id::{CommandId, CourseId, PatientId, RuleId, SessionId, StaffId};
use clinic::knowledge::regimen::CareArea;
use clinic::screen::baselines;
use clinic::screen::names::in_words;
use clinic::session::{Command as Act, Session};
use clinic::staff::Actor;
use jiff::Timestamp;
use jiff::civil::Date;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::PoisonError;
use store::StreamWrite;

/// How often an act is decided again when somebody else was faster.
const TRIES: usize = 5;

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
        let sits = self
            .sits_now(patient)?
            .filter(|(id, is)| is.checked_in_at.is_some_and(|at| at >= since) && !course.given.contains(id));
        if let Some((_, session)) = sits {
            course.under_way = self.under_way(&session, &course.booked)?;
        }
        Ok(Opened { id, course, history, uncounted })
    }

    /// The plan by which a patient is treated now, and the dose to go on with; `None` where no course is open.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn plan_in_force(&self, patient: &PatientId) -> Result<Option<InForce>, Fault> {
        let Opened { course, history, .. } = self.course(patient)?;
        let open = !matches!(course.stage, Stage::New | Stage::Closed);
        let Some(plan) = course.plan().filter(|_| open) else { return Ok(None) };
        let signs = |recorded: &&Recorded| {
            matches!(recorded.event, course::Event::CourseOpened { .. } | course::Event::PlanChanged { .. })
        };
        let signed = history.iter().rfind(signs).map(|recorded| recorded.at);
        let given = self.given_to(patient)?;
        let before = given.last().filter(|(_, began, _)| signed.is_none_or(|signed| *began > signed));
        let order = before.and_then(|(_, _, session)| session.order.as_ref());
        let again = order.and_then(|(order, _)| by_weight(order.dose, order.dose_weight));
        Ok(Some(InForce::new(plan.clone(), course.plan_version(), again)))
    }

    /// An order is told where it is another one than the signed plan of the course, whoever sends it.
    pub(super) fn told_of_plan(&self, id: &SessionId, command: Act) -> Result<Act, Denied> {
        let Act::SignOrder { id: order, request, reason, signature, .. } = command else {
            return Ok(command);
        };
        let patient = self.session(id).map_err(not_read)?.and_then(|session| session.patient);
        let in_force = patient.map(|patient| self.plan_in_force(&patient)).transpose().map_err(not_read)?;
        let beside = in_force.flatten().map(|plan| plan.beside(&request, &self.knowledge));
        let beside_plan = Some(beside.unwrap_or_default());
        Ok(Act::SignOrder { id: order, request, beside_plan, reason, signature })
    }

    /// All that happened to the last course of a patient, open or closed; nothing before the first.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn last_course(&self, patient: &PatientId) -> Result<Vec<Recorded>, Fault> {
        Ok(self.courses(patient)?.pop().map_or_else(Vec::new, |(_, history)| history))
    }

    /// What happened to each course of a patient that is over, the first one first.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn ended_courses(&self, patient: &PatientId) -> Result<Vec<Vec<Recorded>>, Fault> {
        let all = self.courses(patient)?.into_iter().map(|(_, history)| history);
        Ok(all.filter(|history| course::replay(history).stage == Stage::Closed).collect())
    }

    /// Every infusion that a person began here, on whichever record, early to late.
    pub(super) fn given_to(
        &self,
        patient: &PatientId,
    ) -> Result<Vec<(SessionId, Timestamp, Session)>, Fault> {
        let mut given = Vec::new();
        for row in self.visits_of(patient)? {
            if row.started_at.is_none() {
                continue;
            }
            let id = SessionId::new(row.session);
            let session = self.session(&id).map_err(Fault::Floor)?;
            if let Some((began, session)) =
                session.and_then(|session| Some((session.delivery.started()?, session)))
            {
                given.push((id, began, session));
            }
        }
        given.sort_by_key(|(_, began, _)| *began);
        Ok(given)
    }

    /// What a patient has had here, and elsewhere as far as staff noted it, early to late.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn exposures(&self, patient: &PatientId) -> Result<Vec<Exposure>, Fault> {
        self.exposures_of(patient, |_| true)
    }

    /// The same without an infusion that is under way: what has flowed of it so far is no dose that anybody had.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn exposures_over(&self, patient: &PatientId) -> Result<Vec<Exposure>, Fault> {
        self.exposures_of(patient, |session| session.delivery.ended().is_some())
    }

    fn exposures_of(
        &self,
        patient: &PatientId,
        counts: impl Fn(&Session) -> bool,
    ) -> Result<Vec<Exposure>, Fault> {
        let now = self.clock.now();
        let exposure = |(_, _, session): (SessionId, Timestamp, Session)| {
            let weight = session.order.as_ref().map(|(order, _)| order.dose_weight);
            let regimen = session.regimen.as_ref().and_then(|id| self.knowledge.regimens.get(id.as_str()));
            Some(Exposure {
                pain: regimen.is_some_and(|item| item.body.care_area != CareArea::Psych),
                ..Exposure::given(session.day?, session.delivered_mass(now), weight)
            })
        };
        let here = self.given_to(patient)?.into_iter().filter(|(_, _, session)| counts(session));
        let mut given: Vec<Exposure> = here.filter_map(exposure).collect();
        for record in self.records_of(patient)? {
            given.extend(self.between(&record)?.exposures());
        }
        given.sort_by_key(|one| one.on);
        Ok(given)
    }

    /// How each infusion here went, with its visit, early to late.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn infusions(&self, patient: &PatientId) -> Result<Vec<(SessionId, Went)>, Fault> {
        let now = self.clock.now();
        let given = self.given_to(patient)?.into_iter();
        Ok(given.filter_map(|(id, _, session)| Some((id, went(&session, now)?))).collect())
    }

    /// What the rules of long-term safety ask of an infusion on a day.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn checks_due(&self, patient: &PatientId, on: Date) -> Result<Vec<Finding>, Fault> {
        let known = self.checks_known(patient)?;
        let mut due = checks(&self.exposures(patient)?, on, &known, &self.knowledge).findings;
        for record in self.records_of(patient)? {
            due.extend(self.between(&record)?.review(&self.knowledge));
        }
        Ok(due)
    }

    /// Results of checks of the long-term safety that stand against an infusion, in words.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn stopped_by_checks(&self, patient: &PatientId) -> Result<Vec<String>, Fault> {
        Ok(stops(&self.checks_known(patient)?, &self.knowledge))
    }

    /// What is known of each check of the long-term safety, by its id.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn checks_known(&self, patient: &PatientId) -> Result<BTreeMap<String, Known>, Fault> {
        let (mut history, mut seen) = (Vec::new(), BTreeMap::new());
        for record in self.records_of(patient)? {
            history.extend(self.courses(&record)?.into_iter().flat_map(|(_, history)| history));
            if let Some((_, screening)) = self.consulting(&record)?.screened {
                for (check, day) in baselines(&screening, &self.knowledge) {
                    seen.entry(check).and_modify(|last: &mut Date| *last = day.max(*last)).or_insert(day);
                }
            }
        }
        history.sort_by_key(|recorded: &Recorded| recorded.at);
        let known = known(&history, &self.answers_of(patient)?, &self.knowledge);
        Ok(since_screening(known, seen))
    }

    /// Why a visit of a day that nobody booked is held by the long-term safety, as a booking would be: until the check is
    /// made, or a prescriber gives a reason. A reason given before the last infusion was for that one.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub(super) fn held_by_checks(&self, patient: &PatientId, day: Date) -> Result<Vec<String>, Fault> {
        let Opened { course, history, .. } = self.course(patient)?;
        let is_that_day = |visit: &Booked| {
            visit.what == What::Infusion && visit.start.to_zoned(self.zone.clone()).date() == day
        };
        let is_open = !matches!(course.stage, Stage::New | Stage::Closed);
        if !is_open || course.booked.iter().any(is_that_day) {
            return Ok(Vec::new());
        }
        let last = self.given_to(patient)?.last().map(|(_, began, _)| *began);
        let since = history.iter().filter(|recorded| last.is_none_or(|last| recorded.at > last));
        let decided: BTreeSet<&RuleId> = since
            .filter_map(|recorded| match &recorded.event {
                course::Event::CheckOverridden { finding, .. } => Some(&finding.rule),
                _ => None,
            })
            .filter(|rule| course.overridden.contains(rule))
            .collect();
        let due = self.checks_due(patient, day)?.into_iter();
        let holds = due.filter(|found| found.verdict >= Verdict::Hold && !decided.contains(&found.rule));
        Ok(holds
            .map(|found| format!("{} Or a prescriber gives a reason at the course.", found.reason))
            .collect())
    }

    /// Results of checks, by the id of the check, that count when a prescriber accepts them.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn results_waiting(&self, patient: &PatientId) -> Result<Vec<(RuleId, Newer)>, Fault> {
        let known = self.checks_known(patient)?;
        Ok(known.into_iter().filter_map(|(check, known)| Some((RuleId::new(check), known.newer?))).collect())
    }

    /// Why no course of a patient may open on a day: what the consultation still lacks, or what holds; empty when one
    /// may.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn why_no_course(&self, patient: &PatientId, today: Date) -> Result<Vec<String>, Fault> {
        let Some(person) = self.patient(patient)? else {
            return Ok(vec!["Nobody has this number.".to_owned()]);
        };
        let mut why: Vec<String> = self.consultation_behind(patient)?.into_iter().collect();
        why.extend(self.consulting(patient)?.why_not_open(&person, today, &self.knowledge));
        why.extend(self.against_by_joined(patient, &person)?.unwrap_or_default());
        Ok(why.iter().map(|reason| in_words(reason, &self.knowledge)).collect())
    }

    /// A verdict holds for the regimen that it was given for: a plan for another one waits for another screening.
    fn is_screened_for(
        &self,
        patient: &PatientId,
        course: &course::Course,
        command: &Command,
        today: Date,
    ) -> Result<(), Denied> {
        let (Command::Open { plan, .. } | Command::ChangePlan { plan, .. }) = command else { return Ok(()) };
        if course.plan().is_some_and(|before| before.regimen == plan.regimen) {
            return Ok(());
        }
        let mut reasons = self.why_no_course(patient, today).map_err(not_read)?;
        let screened = self.consulting(patient).map_err(not_read)?.said.regimen.unwrap_or_default();
        if reasons.is_empty() && screened != plan.regimen.as_str() {
            reasons.push(format!(
                "The consultation asked about {}, and this plan is for {}. Choose it in the consultation and screen again \
                 first.",
                self.knowledge.title(&screened),
                self.knowledge.title(plan.regimen.as_str())
            ));
        }
        if reasons.is_empty() { Ok(()) } else { Err(course::Refusal::Refused { reasons }.into()) }
    }

    /// Carries out what a person decided about a patient's course. What was given and not yet counted is counted first; a
    /// newer plan judges the visits that are booked again.
    ///
    /// # Errors
    /// A refusal, or that nothing is being recorded.
    pub fn decide_course(
        &self,
        patient: &PatientId,
        command_id: &CommandId,
        actor: &Actor,
        command: &Command,
        (today, calendar): (Date, &Calendar),
    ) -> Result<Done, Denied> {
        // Nobody takes a chair while booked visits get another length.
        let seats = matches!(command, Command::ChangePlan { .. }).then(|| self.turn(SEATING));
        let _seats = seats.as_ref().map(|turn| turn.lock().unwrap_or_else(PoisonError::into_inner));
        self.in_course(
            patient,
            command_id,
            actor,
            |event| event.answers(command),
            |opened| {
                if let Command::MakeCheck { on, .. } = command {
                    let person = self.patient(patient).map_err(not_read)?;
                    course::made_on(*on, person.map_or(today, |person| person.born), today)?;
                }
                if let Command::AcceptResult { check, on, result, .. } = command {
                    may_accept(&self.checks_known(patient).map_err(not_read)?, check, (*on, result))?;
                }
                let decided = course::decide(&opened.course, command.clone(), actor, &self.knowledge)?;
                self.is_screened_for(patient, &opened.course, command, today)?;
                let refitted = match decided {
                    course::Event::PlanChanged { .. } => {
                        self.refitted(opened, (patient, &actor.id), &decided, calendar)?
                    }
                    _ => None,
                };
                let (refitted, days) = refitted.unzip();
                let events = std::iter::once(decided).chain(refitted).collect();
                Ok((events, days.unwrap_or_default()))
            },
        )
    }

    /// Decides about the course and appends all or none; decides again when somebody else was faster.
    pub(super) fn in_course(
        &self,
        patient: &PatientId,
        command_id: &CommandId,
        actor: &Actor,
        same: impl Fn(&course::Event) -> bool,
        decide: impl Fn(&Opened) -> Result<(Vec<course::Event>, Vec<StreamWrite>), Denied>,
    ) -> Result<Done, Denied> {
        let turns = [format!("course/{patient}"), turn_of(patient)].map(|stream| self.turn(&stream));
        let _turns = turns.each_ref().map(|turn| turn.lock().unwrap_or_else(PoisonError::into_inner));
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
            let open = self.not_closed(patient)?;
            let (decided, mut writes) = decide(&opened).map_err(|denied| self.named(denied))?;
            writes.push(open);
            let seen = opened.history.last().map_or(0, |last| last.version);
            let events = opened.uncounted.iter().chain(&decided).map(as_new);
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

pub(super) fn clock_of(calendar: &Calendar, at: Timestamp) -> String {
    calendar.local(at).strftime("%d-%b-%Y %H:%M").to_string()
}

const COURSES: &str = "course/";
/// Who counts what was given.
const COUNTER: &str = "course-count";

fn course_stream(id: &CourseId) -> String {
    format!("{COURSES}{id}")
}
