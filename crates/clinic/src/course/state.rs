//! The course as its events make it, and what it answers to a command. Pure: no clock, no file.

use super::command::{Command, Refusal};
use super::event::{Booked, Event, Judged, Recorded, What};
use super::plan::Plan;
use crate::gate::{Finding, Verdict};
use crate::id::{PatientId, RuleId, SessionId, StaffId};
use crate::knowledge::Knowledge;
use crate::staff::{Actor, Somebody};
use crate::text::{is_reason, says_why};
use jiff::Timestamp;
use jiff::civil::Date;
use std::collections::BTreeSet;

/// Where a course stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Stage {
    /// Nobody signed a plan yet.
    #[default]
    New,
    /// The series.
    Induction,
    /// Boosters, so many days apart or when needed.
    Maintenance {
        /// Days; `None` is when needed.
        every_d: Option<u32>,
    },
    /// Over.
    Closed,
}

impl Stage {
    /// As a person reads it.
    pub const fn title(self) -> &'static str {
        match self {
            Self::New => "not opened",
            Self::Induction => "in induction",
            Self::Maintenance { .. } => "in maintenance",
            Self::Closed => "closed",
        }
    }
}

/// One signed version of the plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// What was signed.
    pub plan: Plan,
    /// By whom.
    pub by: StaffId,
}

/// An infusion of a course for which the patient sits in a chair now, and which is not counted yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnderWay {
    /// It began, or begins at the earliest.
    pub start: Timestamp,
    /// It began: before that the patient is only checked in.
    pub begun: bool,
    /// The patient may go home at the earliest, as far as one knows now.
    pub end: Timestamp,
    /// Its place in the calendar; `None` where nobody booked it.
    pub place: Option<Booked>,
}

/// The course now: folded from its events, never stored.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Course {
    /// Number of events taken in.
    pub version: i64,
    /// Whose.
    pub patient: Option<PatientId>,
    /// Every signed version of the plan, the first one first.
    pub plans: Vec<Version>,
    /// Where it stands.
    pub stage: Stage,
    /// Visits in the calendar.
    pub booked: Vec<Booked>,
    /// Sessions counted, in order.
    pub given: Vec<SessionId>,
    /// Checks overridden since the last booking.
    pub overridden: BTreeSet<RuleId>,
    /// Not of its events: what the floor does for it now.
    pub under_way: Option<UnderWay>,
}

/// What `actor` asks of `course`: the event that follows, or why not.
///
/// # Errors
/// A [`Refusal`] names the field, the value and the limit, and writes nothing.
pub fn decide(
    course: &Course,
    command: Command,
    actor: &Actor,
    knowledge: &Knowledge,
) -> Result<Event, Refusal> {
    permit(&command, actor)?;
    course.is_not_opened_by_another(&command)?;
    course.stands_right_for(&command)?;
    match command {
        Command::Open { patient, plan, reason, signature } => {
            let findings = judged(&plan, knowledge, reason.as_deref().is_some_and(is_reason))?;
            Ok(Event::CourseOpened { patient, plan, findings, reason: says_why(reason), signature })
        }
        Command::ChangePlan { read, plan, reason, signature } => {
            course.change_plan(read, plan, because(reason)?, signature, knowledge)
        }
        Command::Book { visits, checks } => course.book(visits, &checks),
        Command::BringForward { start, to } => course.bring_forward(start, to),
        Command::CountInfusion { session, on, delivered } => {
            if course.given.contains(&session) {
                return Err(out_of_range("session", "The session", &session, "one that is not counted yet"));
            }
            Ok(Event::InfusionGiven { session, on, delivered })
        }
        Command::BeginMaintenance { every_d, responder, reason, signature } => {
            must_respond(responder)?;
            Ok(Event::MaintenanceBegan { every_d: interval(every_d)?, reason: because(reason)?, signature })
        }
        Command::SetInterval { every_d, reason, signature } => {
            Ok(Event::IntervalSet { every_d: interval(every_d)?, reason: because(reason)?, signature })
        }
        Command::TakeAdvice { advice, reason, signature } => {
            Ok(Event::AdviceTaken { advice, reason: says_why(reason), signature })
        }
        Command::DeclineAdvice { advice, reason, signature } => {
            Ok(Event::AdviceDeclined { advice, reason: because(reason)?, signature })
        }
        Command::MakeCheck { check, on, result, judged } => {
            if !is_check(&check, knowledge) {
                return Err(out_of_range("check", "The check", &check, "one that the knowledge has"));
            }
            if result.trim().is_empty() {
                return Err(Refusal::Missing { field: "result", what: "The result" });
            }
            if judged == Judged::NotJudged {
                return Err(Refusal::Missing { field: "judged", what: "What the result means" });
            }
            Ok(Event::CheckMade { check, on, result, judged })
        }
        Command::AcceptResult { check, on, result, reason, signature } => {
            Ok(Event::ResultAccepted { check, on, result, reason: because(reason)?, signature })
        }
        Command::OverrideCheck { finding, reason, signature } => {
            if finding.verdict < Verdict::Hold || !may_hold(&finding.rule, knowledge) {
                return Err(out_of_range("check", "The check", &finding.rule, "one that holds the booking"));
            }
            Ok(Event::CheckOverridden { finding, reason: because(reason)?, signature })
        }
        Command::Close { reason, signature } => {
            Ok(Event::CourseClosed { reason: because(reason)?, signature })
        }
    }
}

/// Takes one event in.
#[must_use]
pub fn evolve(mut course: Course, recorded: &Recorded) -> Course {
    course.version = recorded.version;
    match &recorded.event {
        Event::CourseOpened { patient, plan, signature, .. } => {
            course.patient = Some(patient.clone());
            course.stage = Stage::Induction;
            course.plans.push(Version { plan: plan.clone(), by: signature.by.clone() });
        }
        Event::PlanChanged { plan, signature, .. } => {
            course.plans.push(Version { plan: plan.clone(), by: signature.by.clone() });
        }
        Event::VisitsBooked { visits } => {
            course.booked.clone_from(visits);
            // Who cancels has not used what a prescriber allowed for the next booking.
            if !visits.is_empty() {
                course.overridden.clear();
            }
        }
        Event::VisitsRefitted { visits } => course.booked.clone_from(visits),
        Event::VisitBroughtForward { visit, .. } => course.booked.retain(|one| one != visit),
        Event::InfusionGiven { session, .. } => course.given.push(session.clone()),
        Event::MaintenanceBegan { every_d, .. } | Event::IntervalSet { every_d, .. } => {
            course.stage = Stage::Maintenance { every_d: *every_d };
        }
        Event::CheckOverridden { finding, .. } => {
            course.overridden.insert(finding.rule.clone());
        }
        // What was allowed before such a result was not allowed in spite of it.
        Event::CheckMade { check, judged, .. } if judged.holds() => {
            course.overridden.remove(check);
        }
        Event::CourseClosed { .. } => {
            course.stage = Stage::Closed;
            course.booked.clear();
        }
        Event::AdviceTaken { .. }
        | Event::AdviceDeclined { .. }
        | Event::CheckMade { .. }
        | Event::ResultAccepted { .. } => {}
    }
    course
}

/// The course after a whole history.
#[must_use]
pub fn replay<'a>(history: impl IntoIterator<Item = &'a Recorded>) -> Course {
    history.into_iter().fold(Course::default(), evolve)
}

impl Course {
    /// Number of the plan's present version, from 1; 0 before the first.
    pub fn plan_version(&self) -> u32 {
        u32::try_from(self.plans.len()).unwrap_or(u32::MAX)
    }

    /// The plan now.
    pub fn plan(&self) -> Option<&Plan> {
        self.plans.last().map(|version| &version.plan)
    }

    /// Infusions of the series that are still to come after one that is under way; `None` outside of a series.
    pub fn left(&self) -> Option<usize> {
        let (Stage::Induction, Some(plan)) = (self.stage, self.plan()) else { return None };
        let had = self.given.len().saturating_add(usize::from(self.under_way.is_some()));
        Some((plan.infusions as usize).saturating_sub(had))
    }

    /// Visits in the calendar that are still to come, without the one that is under way.
    pub fn to_come(&self, now: Timestamp) -> impl Iterator<Item = &Booked> {
        let here = self.under_way.as_ref().and_then(|under_way| under_way.place.as_ref());
        self.booked.iter().filter(move |visit| visit.start >= now && Some(*visit) != here)
    }

    /// Visits still to come that a newer plan did not leave where they are.
    pub fn must_move(&self, now: Timestamp) -> impl Iterator<Item = &Booked> {
        self.to_come(now).filter(|visit| visit.must_move.is_some())
    }

    /// Infusions in the calendar that the plan does not have any more: the last ones of those still to come.
    pub fn beyond_plan(&self, now: Timestamp) -> Vec<&Booked> {
        let Some(left) = self.left() else { return Vec::new() };
        let infusions = self.to_come(now).filter(|visit| visit.what == What::Infusion);
        let mut coming: Vec<&Booked> = infusions.collect();
        coming.sort_by_key(|visit| visit.start);
        coming.into_iter().skip(left).collect()
    }

    /// Infusions of the series that are neither given nor in the calendar. One that is booked for now counts as booked until
    /// its place is over.
    pub fn unbooked(&self, now: Timestamp) -> usize {
        let here = self.under_way.as_ref().and_then(|under_way| under_way.place.as_ref());
        let stands =
            |visit: &&Booked| visit.what == What::Infusion && visit.end > now && Some(*visit) != here;
        self.left().unwrap_or_default().saturating_sub(self.booked.iter().filter(stands).count())
    }

    fn is_not_opened_by_another(&self, command: &Command) -> Result<(), Refusal> {
        let Some((Command::Open { plan, .. }, last)) = Some(command).zip(self.plans.last()) else {
            return Ok(());
        };
        let (now, by) = (self.plan_version(), Somebody::new(&last.by, None));
        Err(Refusal::Opened { now, by, differs: last.plan.changes(plan) })
    }

    fn stands_right_for(&self, command: &Command) -> Result<(), Refusal> {
        let fits = match (command, self.stage) {
            (Command::Open { .. }, stage) => stage == Stage::New,
            // What was given or found stays worth recording when the course is over.
            (
                Command::CountInfusion { .. } | Command::MakeCheck { .. } | Command::AcceptResult { .. },
                stage,
            ) => stage != Stage::New,
            (Command::BeginMaintenance { .. }, stage) => stage == Stage::Induction,
            (Command::SetInterval { .. }, stage) => matches!(stage, Stage::Maintenance { .. }),
            (_, stage) => !matches!(stage, Stage::New | Stage::Closed),
        };
        if fits {
            Ok(())
        } else {
            Err(Refusal::WrongStage { doing: command.doing(), stage: self.stage.title() })
        }
    }

    fn change_plan(
        &self,
        read: u32,
        plan: Plan,
        reason: String,
        signature: crate::staff::Signature,
        knowledge: &Knowledge,
    ) -> Result<Event, Refusal> {
        let now = self.plan_version();
        let (Some(before), Some(last)) = (self.version_read(read), self.plans.last()) else {
            let accepted = format!("a version from 1 to {now}");
            return Err(out_of_range("read", "The version that was read", read, &accepted));
        };
        let changes = last.plan.changes(&plan);
        if read != now {
            let (theirs, yours) = (before.plan.changes(&last.plan), before.plan.changes(&plan));
            return Err(Refusal::Conflict { read, now, by: Somebody::new(&last.by, None), theirs, yours });
        }
        if changes.is_empty() {
            return Err(Refusal::Unchanged { version: now });
        }
        if self.stage == Stage::Induction && (plan.infusions as usize) < self.given.len() {
            let accepted = format!("{} or more: so many were given", self.given.len());
            return Err(out_of_range("infusions", "The number of infusions", plan.infusions, &accepted));
        }
        let findings = judged(&plan, knowledge, true)?;
        Ok(Event::PlanChanged { plan_version: now + 1, plan, changes, findings, reason, signature })
    }

    fn version_read(&self, read: u32) -> Option<&Version> {
        self.plans.get(usize::try_from(read.checked_sub(1)?).ok()?)
    }

    fn bring_forward(&self, start: Timestamp, to: Date) -> Result<Event, Refusal> {
        let mut infusions = self.booked.iter().filter(|visit| visit.what == What::Infusion);
        let booked = infusions.find(|visit| visit.start == start);
        let refused =
            || out_of_range("instead", "The booked visit", start, "one that stands in the calendar");
        Ok(Event::VisitBroughtForward { visit: booked.ok_or_else(refused)?.clone(), to })
    }

    /// None at all takes what is booked out of the calendar, which nothing holds.
    fn book(&self, visits: Vec<Booked>, checks: &[Finding]) -> Result<Event, Refusal> {
        if visits.is_empty() {
            return Ok(Event::VisitsBooked { visits });
        }
        if let Some(pair) =
            visits.iter().zip(visits.iter().skip(1)).find(|(before, after)| after.start < before.end)
        {
            return Err(out_of_range(
                "visits",
                "The start of a visit",
                pair.1.start,
                "after the end of the one before",
            ));
        }
        if let Some(left) = self.left() {
            let infusions = visits.iter().filter(|visit| visit.what == What::Infusion).count();
            if infusions != left {
                let after = match self.under_way.as_ref().map(|here| here.begun) {
                    None => "",
                    Some(true) => " after the one under way",
                    Some(false) => " after the one for which the patient is checked in",
                };
                let accepted = format!("{left}: all that are left of the plan{after}, or none is booked");
                return Err(out_of_range("visits", "The number of infusions", infusions, &accepted));
            }
        }
        let held = checks
            .iter()
            .filter(|found| found.verdict >= Verdict::Hold && !self.overridden.contains(&found.rule));
        let reasons: Vec<String> = held.map(|found| found.reason.clone()).collect();
        if reasons.is_empty() { Ok(Event::VisitsBooked { visits }) } else { Err(Refusal::Held { reasons }) }
    }
}

fn permit(command: &Command, actor: &Actor) -> Result<(), Refusal> {
    let roles = command.roles();
    let not_allowed = |role: crate::staff::Role| {
        let needs = roles.iter().map(|role| role.title()).collect::<Vec<_>>().join(" or ");
        Err(Refusal::NotAllowed { doing: command.doing(), role: role.title(), needs })
    };
    if !roles.contains(&actor.role) {
        return not_allowed(actor.role);
    }
    match command.signature() {
        Some(signature) if signature.by != actor.id => {
            let who = |id| Somebody::new(id, None);
            Err(Refusal::NotTheSigner { signed: who(&signature.by), acting: who(&actor.id) })
        }
        Some(signature) if !roles.contains(&signature.role) => not_allowed(signature.role),
        _ => Ok(()),
    }
}

/// What the rules say of a plan that may be signed.
fn judged(plan: &Plan, knowledge: &Knowledge, has_reason: bool) -> Result<Vec<Finding>, Refusal> {
    if plan.conditions.is_empty() {
        return Err(Refusal::Missing { field: "conditions", what: "What is treated" });
    }
    if plan.infusions == 0 {
        return Err(out_of_range("infusions", "The number of infusions", 0, "1 or more"));
    }
    if !(1..=7).contains(&plan.a_week) {
        return Err(out_of_range("a_week", "The number a week", plan.a_week, "1 to 7"));
    }
    if !plan.stop_rules.iter().any(|rule| is_reason(rule)) {
        return Err(Refusal::Missing { field: "stop_rules", what: "When the course ends early" });
    }
    let findings = plan.judge(knowledge);
    let of = |from: Verdict| {
        findings.iter().filter(move |found| found.verdict >= from).map(|found| found.reason.clone())
    };
    let (refused, asking): (Vec<_>, Vec<_>) = (of(Verdict::Hold).collect(), of(Verdict::Warn).collect());
    if !refused.is_empty() {
        return Err(Refusal::Refused { reasons: refused });
    }
    if !asking.is_empty() && !has_reason {
        return Err(Refusal::NeedsReason { field: "reason", findings: asking });
    }
    Ok(findings)
}

/// Whether a check can have been made on that day: in the life of the patient, and not to come.
///
/// # Errors
/// Names the day and what is accepted.
pub fn made_on(on: Date, born: Date, today: Date) -> Result<(), Refusal> {
    if (born..=today).contains(&on) {
        return Ok(());
    }
    Err(out_of_range("on", "The day of the check", on, &format!("{born} to {today}")))
}

fn is_check(id: &RuleId, knowledge: &Knowledge) -> bool {
    use crate::knowledge::long_term::LongTerm;
    knowledge.long_term.get(id.as_str()).is_some_and(|item| matches!(item.body, LongTerm::Check(_)))
}

/// What can hold a booking: a check, or enough signs of misuse.
fn may_hold(id: &RuleId, knowledge: &Knowledge) -> bool {
    use crate::knowledge::long_term::LongTerm;
    let item = knowledge.long_term.get(id.as_str());
    item.is_some_and(|item| matches!(item.body, LongTerm::Check(_) | LongTerm::Signals(_)))
}

fn because(reason: String) -> Result<String, Refusal> {
    says_why(Some(reason)).ok_or(Refusal::Missing { field: "reason", what: "The reason" })
}

fn must_respond(responder: Option<bool>) -> Result<(), Refusal> {
    match responder {
        Some(true) => Ok(()),
        Some(false) => {
            Err(out_of_range("responder", "The response", "none", "a response at the end of the induction"))
        }
        None => Err(Refusal::Missing { field: "responder", what: "Whether the patient responded" }),
    }
}

fn interval(every_d: Option<u32>) -> Result<Option<u32>, Refusal> {
    match every_d {
        Some(0) => Err(out_of_range("every_d", "The interval", "0 days", "1 day or more, or when needed")),
        other => Ok(other),
    }
}

fn out_of_range(field: &'static str, what: &'static str, value: impl ToString, accepted: &str) -> Refusal {
    Refusal::OutOfRange { field, what, value: value.to_string(), accepted: accepted.to_owned() }
}
