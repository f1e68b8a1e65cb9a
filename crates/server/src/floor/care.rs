//! People before their first visit, tasks with a clock, and who is on call: decide, append, tail.

use super::act::{as_new, write};
use super::of_patient::not_read;
use super::{Denied, Done, Floor};
use crate::auth::privilege::Privilege;
use crate::{Fault, read_event, read_time};
use clinic::care::inquiry::{self, Care, Inquiry, Stage};
use clinic::care::roster::{self, Duty, Roster};
use clinic::care::task::{self, Owner, Task, TaskOpened};
use clinic::id::{CommandId, InquiryId, StaffId, TaskId};
use clinic::staff::{Actor, Role, Somebody};
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::sync::{MutexGuard, PoisonError};
use store::{Recorded, StreamWrite};

/// What stands in memory of it.
#[derive(Default)]
pub(super) struct Watched {
    roster: Roster,
    /// Tasks that are not done.
    open: BTreeMap<TaskId, Task>,
    /// The log did not say for certain what it took, so the keeper reads it again.
    in_doubt: bool,
}

/// Somebody on call, as a page names them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnCall {
    /// The duty.
    pub duty: Duty,
    /// Name on records.
    pub name: String,
    /// First of the roles that may answer.
    pub role: Role,
}

impl Floor {
    /// Reads the roster and what is open back from the log.
    pub(super) fn restore_care(&self) -> Result<(), Fault> {
        let mut roster = Roster::default();
        for row in self.store.stream(&self.site, ROSTER)? {
            roster = roster.evolve(&read_event(&row)?);
        }
        let mut open = BTreeMap::new();
        for item in self.store.view_list(&self.site, "open_tasks", "", store::ROWS_MAX)? {
            let id = TaskId::new(item.key);
            if let Some(task) = self.task_in_log(&id)?.filter(|task| task.done.is_none()) {
                open.insert(id, task);
            }
        }
        *self.watched() = Watched { roster, open, in_doubt: false };
        Ok(())
    }

    fn watched(&self) -> MutexGuard<'_, Watched> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An inquiry, from the log.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn inquiry(&self, id: &InquiryId) -> Result<Option<Care>, Fault> {
        let history = self.history_of::<inquiry::Event>(&asked(id))?;
        let care = history.iter().fold(Care::default(), |care, (at, _, event)| care.evolve(event, *at));
        Ok((care.version > 0).then_some(care))
    }

    /// What happened to an inquiry: when, by whom, what.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn inquiry_history(
        &self,
        id: &InquiryId,
    ) -> Result<Vec<(Timestamp, StaffId, inquiry::Event)>, Fault> {
        self.history_of(&asked(id))
    }

    pub(super) fn history_of<E: DeserializeOwned>(
        &self,
        stream: &str,
    ) -> Result<Vec<(Timestamp, StaffId, E)>, Fault> {
        let rows = self.store.stream(&self.site, stream)?;
        rows.iter().map(|row| Ok((read_time(row)?, StaffId::new(&row.author), read_event(row)?))).collect()
    }

    /// Takes an inquiry from outside and says as which it is kept. A crisis answer opens a task in the same append. The
    /// same form counts once, and so does a call for help that its sender repeats before anybody saw to it.
    ///
    /// # Errors
    /// What is wrong with it, or that nothing is being recorded.
    pub fn receive(
        &self,
        command_id: &CommandId,
        id: &InquiryId,
        said: Inquiry,
    ) -> Result<InquiryId, Denied> {
        let event = inquiry::receive(said, self.knowledge.intake()).map_err(Denied::Care)?;
        self.keep_inquiry(command_id, id, &event, true)
    }

    /// Takes what can be kept of a call for help whose form is refused: its task opens at once. `None` where nobody calls.
    ///
    /// # Errors
    /// That nothing is being recorded.
    pub fn receive_call(
        &self,
        command_id: &CommandId,
        id: &InquiryId,
        said: Inquiry,
    ) -> Result<Option<InquiryId>, Denied> {
        let call = inquiry::call_for_help(said, self.knowledge.intake());
        call.map(|event| self.keep_inquiry(command_id, id, &event, false)).transpose()
    }

    /// `whole`: the form as it was sent, which takes the place of what was kept of it before.
    fn keep_inquiry(
        &self,
        command_id: &CommandId,
        id: &InquiryId,
        event: &inquiry::Event,
        whole: bool,
    ) -> Result<InquiryId, Denied> {
        let actor = Actor::machine("inquiry-page");
        let turn = self.turn(INQUIRIES);
        let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, line, calling) = (self.clock.now(), as_new(event)?, event.calls_for_help());
        let before = calling.map(|said| self.calling_already(said)).transpose().map_err(not_read)?.flatten();
        if let Some((first, care)) = before.filter(|(first, _)| first != id) {
            if whole && care.inquiry.as_ref() != calling {
                let line = write(asked(&first), Some(care.version), [Ok(line)])?;
                self.append_care(command_id, &actor, at, vec![line])?;
            }
            return Ok(first);
        }
        let stream = asked(id);
        let same = |rows: &[Recorded]| rows.iter().any(|row| row.stream == stream && row.body == line.body);
        if let Some(answer) = self.sent_before(command_id, &actor, same) {
            return answer.map(|_| id.clone());
        }
        let opened = calling.map(|said| {
            let why = TaskOpened::CrisisAnswer { inquiry: id.clone(), answer: said.crisis };
            (TaskId::new(id.as_str()), self.task_for(why, at))
        });
        let mut writes = vec![write(stream.clone(), Some(0), [Ok(line.clone())])?];
        if let Some((task, event)) = &opened {
            writes.push(write(task_stream(task), Some(0), [as_new(event)])?);
        }
        self.append_care(command_id, &actor, at, writes)?;
        self.task_opened(opened, at);
        Ok(id.clone())
    }

    /// The inquiry in which the same person called for help in the same way, while nobody has seen to it.
    fn calling_already(&self, said: &Inquiry) -> Result<Option<(InquiryId, Care)>, Fault> {
        for (_, task) in self.open_tasks() {
            let TaskOpened::CrisisAnswer { inquiry, answer } = task.why else { continue };
            if answer != said.crisis {
                continue;
            }
            let Some(care) = self.inquiry(&inquiry)? else { continue };
            let sorted = care.stage != Stage::Received;
            let same = |was: &Inquiry| was.is_from_the_same(said) && (!sorted || was == said);
            if care.inquiry.as_ref().is_some_and(same) {
                return Ok(Some((inquiry, care)));
            }
        }
        Ok(None)
    }

    /// Carries out what a person of the clinic decided about an inquiry. Asking a clinician opens a task, and what a
    /// clinician then decides ends it.
    ///
    /// # Errors
    /// A refusal, or that nothing is being recorded.
    pub fn decide_inquiry(
        &self,
        id: &InquiryId,
        command_id: &CommandId,
        actor: &Actor,
        command: inquiry::Command,
    ) -> Result<Done, Denied> {
        let turn = self.turn(&asked(id));
        let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(answer) = self.sent_before(command_id, actor, |rows| {
            answered(rows, &asked(id), &command, inquiry::Event::answers)
        }) {
            return answer;
        }
        let at = self.clock.now();
        let (event, write_it) = self.decided(id, actor, command)?;
        let mut writes = vec![write_it];
        let mut opened = None;
        let review = TaskOpened::ReviewAsked { inquiry: id.clone() };
        let mut ended = Vec::new();
        match &event {
            inquiry::Event::InquiryTriaged { to: inquiry::Way::ClinicalReview, .. } => {
                if self.open_for(&review).is_empty() {
                    opened = Some((TaskId::new(command_id.as_str()), self.task_for(review, at)));
                }
            }
            inquiry::Event::InquiryTriaged { reason, .. } | inquiry::Event::InquiryClosed { reason, .. } => {
                ended = self.open_for(&review);
                let (by, words) = (actor.id.clone(), reason.clone());
                let done = task::Event::TaskDone { by, outcome: task::Outcome::SeenTo, words };
                for (task, is) in &ended {
                    writes.push(write(task_stream(task), Some(is.version), [as_new(&done)])?);
                }
            }
            inquiry::Event::InquiryReceived { .. } | inquiry::Event::InquiryRegistered { .. } => {}
        }
        if let Some((task, event)) = &opened {
            writes.push(write(task_stream(task), Some(0), [as_new(event)])?);
        }
        let done = self.append_care(command_id, actor, at, writes)?;
        self.task_opened(opened, at);
        for (task, _) in ended {
            self.watched().open.remove(&task);
        }
        Ok(done)
    }

    /// The event that a command leaves in an inquiry, and its line for the log.
    pub(super) fn decided(
        &self,
        id: &InquiryId,
        actor: &Actor,
        command: inquiry::Command,
    ) -> Result<(inquiry::Event, StreamWrite), Denied> {
        let care =
            self.inquiry(id).map_err(|fault| Denied::NotRecorded(fault.to_string()))?.unwrap_or_default();
        let event = inquiry::decide(&care, command, actor)?;
        let line = write(asked(id), Some(care.version), [as_new(&event)])?;
        Ok((event, line))
    }

    pub(super) fn task_for(&self, why: TaskOpened, at: Timestamp) -> task::Event {
        let clock = self.knowledge.clock(why.urgency());
        let on_call = self.on_call(at);
        let duties: Vec<&Duty> = on_call.iter().map(|one| &one.duty).collect();
        task::open(why, &duties, &clock, at)
    }

    pub(super) fn task_opened(&self, opened: Option<(TaskId, task::Event)>, at: Timestamp) {
        let Some((id, event)) = opened else { return };
        if let Some(task) = Task::opened(&event, at) {
            tracing::warn!(task = %id, urgency = ?task.why.urgency(), "a task was opened");
            self.watched().open.insert(id, task);
        }
    }

    /// Carries out what a person does with a task.
    ///
    /// # Errors
    /// A refusal, or that nothing is being recorded.
    pub fn see_to(
        &self,
        id: &TaskId,
        command_id: &CommandId,
        actor: &Actor,
        command: task::Command,
    ) -> Result<Done, Denied> {
        let stream = task_stream(id);
        let turn = self.turn(&stream);
        let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(answer) = self
            .sent_before(command_id, actor, |rows| answered(rows, &stream, &command, task::Event::answers))
        {
            return answer;
        }
        let found = self.task(id).map_err(|fault| Denied::NotRecorded(fault.to_string()))?;
        let Some(task) = found else { return Err(Denied::NoTask(id.clone())) };
        let at = self.clock.now();
        let clock = self.knowledge.clock(task.why.urgency());
        let event = task::decide(&task, command, actor, &clock, at).map_err(|why| self.named(why))?;
        let done = self.append_care(
            command_id,
            actor,
            at,
            vec![write(stream, Some(task.version), [as_new(&event)])?],
        )?;
        self.task_moved(id, task, &event, at);
        Ok(done)
    }

    fn task_moved(&self, id: &TaskId, task: Task, event: &task::Event, at: Timestamp) {
        let task = task.evolve(event, at);
        let mut watched = self.watched();
        if task.done.is_some() {
            watched.open.remove(id);
        } else {
            watched.open.insert(id.clone(), task);
        }
    }

    /// What the clock does with tasks, once a second. Waits for the log; what it did not take is tried again.
    pub(super) fn pass_tasks_on(&self, now: Timestamp) {
        if self.watched().in_doubt
            && let Err(fault) = self.restore_care()
        {
            tracing::error!(%fault, "the tasks could not be read again");
        }
        let ids: Vec<TaskId> = self.watched().open.keys().cloned().collect();
        if ids.is_empty() {
            return;
        }
        let on_call = self.on_call(now);
        let duties: Vec<&Duty> = on_call.iter().map(|one| &one.duty).collect();
        for id in ids {
            let turn = self.turn(&task_stream(&id));
            let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(task) = self.watched().open.get(&id).cloned() else { continue };
            let clock = self.knowledge.clock(task.why.urgency());
            let Some(event) = task::on_clock(&task, &duties, &clock, now) else { continue };
            let line = write(task_stream(&id), Some(task.version), [as_new(&event)]);
            let command_id = CommandId::new(self.ids.next());
            let machine = Actor::machine("task-clock");
            let kept = line.map_err(Denied::from);
            match kept.and_then(|line| self.append_care(&command_id, &machine, now, vec![line])) {
                Ok(_) => {
                    tracing::warn!(task = %id, "nobody saw to a task in time: it is passed on");
                    self.task_moved(&id, task, &event, now);
                }
                Err(denied) => {
                    tracing::error!(task = %id, %denied, "that a task is late is not recorded yet")
                }
            }
        }
    }

    /// Tasks that are not done, the one whose clock runs out first on top.
    pub fn open_tasks(&self) -> Vec<(TaskId, Task)> {
        let mut open: Vec<(TaskId, Task)> =
            self.watched().open.iter().map(|(id, task)| (id.clone(), task.clone())).collect();
        open.sort_by_key(|(_, task)| task.due);
        open
    }

    pub(super) fn open_for(&self, why: &TaskOpened) -> Vec<(TaskId, Task)> {
        self.open_tasks().into_iter().filter(|(_, task)| task.why == *why).collect()
    }

    /// A task, from memory or else from the log.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn task(&self, id: &TaskId) -> Result<Option<Task>, Fault> {
        let open = self.watched().open.get(id).cloned();
        open.map_or_else(|| self.task_in_log(id), |task| Ok(Some(task)))
    }

    fn task_in_log(&self, id: &TaskId) -> Result<Option<Task>, Fault> {
        let history = self.history_of::<task::Event>(&task_stream(id))?;
        let after = |task: Option<Task>, (at, _, event): &(Timestamp, StaffId, task::Event)| match task {
            None => Task::opened(event, *at),
            Some(task) => Some(task.evolve(event, *at)),
        };
        Ok(history.iter().fold(None, after))
    }

    /// Duties that are not over.
    pub fn duties(&self) -> Vec<Duty> {
        let now = self.clock.now();
        self.watched().roster.coming(now).into_iter().cloned().collect()
    }

    /// Who is on call and can sign in, in the order in which they are told.
    pub fn on_call(&self, at: Timestamp) -> Vec<OnCall> {
        let duties: Vec<Duty> = self.watched().roster.on_call(at).into_iter().cloned().collect();
        duties
            .into_iter()
            .filter_map(|duty| {
                let (name, role) = self.can_answer(&duty.staff)?;
                Some(OnCall { duty, name, role })
            })
            .collect()
    }

    /// Name and role of somebody who may see to tasks.
    pub fn can_answer(&self, staff: &StaffId) -> Option<(String, Role)> {
        let account = self.accounts.find(staff).ok()??;
        let role = account.role_for(Privilege::SeeToTask)?;
        Some((account.name, role))
    }

    /// The owner of a task in words.
    pub fn owner_of(&self, task: &Task) -> String {
        match &task.owner {
            Owner::Person(staff) => self.called(staff),
            Owner::Everyone => "nobody on call: every prescriber and the owner".to_owned(),
        }
    }

    /// Puts somebody on call.
    ///
    /// # Errors
    /// A refusal, or that nothing is being recorded.
    pub fn plan_duty(&self, command_id: &CommandId, actor: &Actor, duty: Duty) -> Result<Done, Denied> {
        if self.can_answer(&duty.staff).is_none() {
            let staff = Somebody::new(&duty.staff, None);
            return Err(self.named(clinic::care::Refusal::CannotAnswer { staff }));
        }
        let longest = self.knowledge.duty_longest();
        self.change_roster(command_id, actor, &roster::Event::DutyPlanned(duty.clone()), |roster, now| {
            roster.plan(duty.clone(), actor, now, longest)
        })
    }

    /// Takes somebody off the roster.
    ///
    /// # Errors
    /// A refusal, or that nothing is being recorded.
    pub fn withdraw_duty(
        &self,
        command_id: &CommandId,
        actor: &Actor,
        duty: &clinic::id::DutyId,
    ) -> Result<Done, Denied> {
        self.change_roster(
            command_id,
            actor,
            &roster::Event::DutyWithdrawn { duty: duty.clone() },
            |roster, _| roster.withdraw(duty, actor),
        )
    }

    fn change_roster(
        &self,
        command_id: &CommandId,
        actor: &Actor,
        asked: &roster::Event,
        decide: impl Fn(&Roster, Timestamp) -> Result<roster::Event, clinic::care::Refusal>,
    ) -> Result<Done, Denied> {
        let turn = self.turn(ROSTER);
        let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
        let line = as_new(asked)?;
        if let Some(answer) =
            self.sent_before(command_id, actor, |rows| rows.iter().any(|row| row.body == line.body))
        {
            return answer;
        }
        let at = self.clock.now();
        let roster = self.watched().roster.clone();
        let event = decide(&roster, at).map_err(|why| self.named(why))?;
        let writes = vec![write(ROSTER.to_owned(), Some(roster.version), [as_new(&event)])?];
        let done = self.append_care(command_id, actor, at, writes)?;
        self.watched().roster = roster.evolve(&event);
        Ok(done)
    }

    /// Appends; where the log does not say for certain what it took, the keeper looks.
    pub(super) fn append_care(
        &self,
        command_id: &CommandId,
        actor: &Actor,
        at: Timestamp,
        writes: Vec<StreamWrite>,
    ) -> Result<Done, Denied> {
        let done = self.append(command_id, actor, at, writes);
        if matches!(done, Err(Denied::NotKnown(_) | Denied::Conflict | Denied::SaidOtherwise)) {
            self.watched().in_doubt = true;
        }
        done
    }
}

/// The event of this stream, among what a form recorded before, says what the form says now.
pub(super) fn answered<E: DeserializeOwned, C>(
    rows: &[Recorded],
    stream: &str,
    command: &C,
    answers: impl Fn(&E, &C) -> bool,
) -> bool {
    let mut mine = rows.iter().filter(|row| row.stream == stream);
    mine.any(|row| read_event(row).is_ok_and(|event| answers(&event, command)))
}

/// Calls for help are taken one after the other, so that the same one sent twice is seen to be one.
const INQUIRIES: &str = "inquiries";
/// Stream of the roster.
const ROSTER: &str = "roster";

/// Stream of an inquiry, which goes on when the person is a patient.
fn asked(id: &InquiryId) -> String {
    format!("inquiry/{id}")
}

/// Stream of a task.
pub(super) fn task_stream(id: &TaskId) -> String {
    format!("task/{id}")
}
