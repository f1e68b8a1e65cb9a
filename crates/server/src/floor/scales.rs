//! Rating scales that patients answer: decide, append, tail. What may not wait opens its task in the same append.

use super::act::{as_new, write};
use super::care::task_stream;
use super::of_patient::{PatientAct, not_read};
use super::{Denied, Done, Floor};
use crate::views::sessions::Row;
use crate::{Fault, read_event, read_time};
use clinic::care::task::TaskOpened;
use clinic::course::Treated;
use clinic::id::{PatientId, QuestionnaireId, StaffId, TaskId};
use clinic::knowledge::Item;
use clinic::knowledge::scales::Scale;
use clinic::outcome::{Infusion, around, last_series, turned};
use clinic::scale::Given;
use clinic::scale::asked::{AskedFor, asked_for};
use clinic::scale::questionnaire::{self, Call, Entry, Event, Questionnaires, Refusal};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use std::collections::BTreeMap;
use std::sync::PoisonError;

impl Floor {
    /// All scales of a patient, from the log.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn questionnaires(&self, patient: &PatientId) -> Result<Questionnaires, Fault> {
        let mut all = Questionnaires::default();
        for row in self.store.stream(&self.site, &stream_of(patient))? {
            all = all.evolve(&read_event(&row)?, &StaffId::new(&row.author), read_time(&row)?);
        }
        Ok(all)
    }

    /// What a person answered, on every record.
    pub(super) fn answers_of(&self, patient: &PatientId) -> Result<Questionnaires, Fault> {
        let mut answers = Questionnaires::default();
        for record in self.records_of(patient)? {
            answers.all.extend(self.questionnaires(&record)?.all);
        }
        Ok(answers)
    }

    /// Scales that are due at once because of an answer on another one, by id.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn asked_for(&self, patient: &PatientId) -> Result<BTreeMap<String, AskedFor>, Fault> {
        let answers = self.answers_of(patient)?;
        let mut consulted: BTreeMap<String, (Timestamp, Timestamp)> = BTreeMap::new();
        for record in self.records_of(patient)? {
            for (name, said) in self.consulting(&record)?.said.scales.0 {
                let begins = |day: Date| Some(day.to_zoned(self.zone.clone()).ok()?.timestamp());
                let day = said.on.and_then(|on| begins(on).zip(begins(on.tomorrow().ok()?)));
                if let Some((item, day)) = self.knowledge.scale(&name).zip(day) {
                    let last = consulted.entry(item.header.id.clone()).or_insert(day);
                    *last = day.max(*last);
                }
            }
        }
        let asked = self.knowledge.scales.iter().filter_map(|item| {
            let elsewhere = consulted.get(&item.header.id).copied();
            let asked = asked_for(item, &answers, elsewhere, &self.knowledge)?;
            Some((item.header.id.clone(), asked))
        });
        Ok(asked.collect())
    }

    /// Makes a link for the patient's phone. The id of the act is the id of what is answered through it.
    ///
    /// # Errors
    /// A refusal, or that nothing is being recorded.
    pub fn make_scale_link(
        &self,
        act: &PatientAct,
        item: &Item<Scale>,
        lasts: SignedDuration,
    ) -> Result<Done, Denied> {
        let id = QuestionnaireId::new(act.command_id.as_str());
        let scale = item.header.id.clone();
        let same = |event: &Event| matches!(event, Event::ScaleLinkMade { scale: was, .. } if *was == scale);
        self.act_on_scales(act, same, |_, now| {
            questionnaire::by_phone(item)?;
            let expires = now.checked_add(lasts).unwrap_or(now);
            let made = Event::ScaleLinkMade { questionnaire: id.clone(), scale: scale.clone(), expires };
            Ok(Some((made, None)))
        })
    }

    /// Saves one answer of a patient. One that may not wait opens its task now: the form may never be sent.
    ///
    /// # Errors
    /// A refusal, or that nothing is being recorded.
    pub fn save_answer(
        &self,
        act: &PatientAct,
        item: &Item<Scale>,
        (id, question): (&QuestionnaireId, &str),
        value: Option<Decimal>,
    ) -> Result<Done, Denied> {
        let same = |event: &Event| {
            let Event::QuestionAnswered { item, answer, .. } = event else { return false };
            item == question && *answer == value
        };
        self.act_on_scales(act, same, |all, now| {
            let Some(event) = questionnaire::answer(all, item, (id, question), value, now)? else {
                return Ok(None);
            };
            Ok(Some((event, calls_alone(item, question, value))))
        })
    }

    /// An answer that may not wait to a form that takes none any more: its task opens all the same, and the form stays as
    /// it was sent. `None` where it calls nobody.
    ///
    /// # Errors
    /// That nothing is being recorded.
    pub fn hear_late_answer(
        &self,
        act: &PatientAct,
        item: &Item<Scale>,
        question: &str,
        value: Option<Decimal>,
    ) -> Result<Option<TaskId>, Denied> {
        let Some(Call { item: of, answer }) = calls_alone(item, question, value) else { return Ok(None) };
        let (patient, scale) = (act.patient.clone(), self.scale_title(&item.header.id));
        let why = TaskOpened::ScaleItem { patient, scale, item: of, answer };
        let turn = self.turn(&stream_of(act.patient));
        let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((open, _)) = self.open_for(&why).into_iter().next() {
            return Ok(Some(open));
        }
        let at = self.clock.now();
        let (id, opened) = (TaskId::new(act.command_id.as_str()), self.task_for(why, at));
        let line = write(task_stream(&id), Some(0), [as_new(&opened)])?;
        self.append_care(act.command_id, act.actor, at, vec![line])?;
        self.task_opened(Some((id.clone(), opened)), at);
        Ok(Some(id))
    }

    /// The patient sends what is saved, once.
    ///
    /// # Errors
    /// A refusal, or that nothing is being recorded.
    pub fn send_scale(
        &self,
        act: &PatientAct,
        item: &Item<Scale>,
        id: &QuestionnaireId,
    ) -> Result<Done, Denied> {
        let same = |event: &Event| matches!(event, Event::ScaleAnswered { questionnaire, .. } if questionnaire == id);
        self.act_on_scales(act, same, |all, now| {
            let event = questionnaire::send(all, item, id, now)?;
            let called = all.all.get(id).is_some_and(|one| !one.tasks.is_empty());
            let call = given(&event).filter(|_| !called);
            Ok(Some((event.clone(), call.and_then(|given| calls_of(item, given, true)))))
        })
    }

    /// The first day that a score of a patient can be from: of their life, and not years before we heard of them.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn scores_from(&self, patient: &PatientId) -> Result<Date, Fault> {
        let born = self.patient(patient)?.map_or(Date::MIN, |patient| patient.born);
        let Some(heard) = self.heard_of(patient)? else { return Ok(born) };
        let most = jiff::Span::new().try_months(self.knowledge.intake().scores_older_mo_most);
        let from = heard.to_zoned(TimeZone::UTC).date().saturating_sub(most.unwrap_or_default());
        Ok(from.max(born))
    }

    /// Enters a scale for a patient, or enters it again instead of what is corrected.
    ///
    /// # Errors
    /// A refusal, or that nothing is being recorded.
    pub fn enter_scale(&self, act: &PatientAct, item: &Item<Scale>, entry: &Entry) -> Result<Done, Denied> {
        let id = QuestionnaireId::new(act.command_id.as_str());
        let from = self.scores_from(act.patient).map_err(not_read)?;
        let same = |event: &Event| {
            let Event::ScaleAnswered { answered, .. } = event else { return false };
            answered.scale == item.header.id
                && answered.given == entry.given
                && answered.corrects == entry.corrects
        };
        self.act_on_scales(act, same, |all, now| {
            let event = questionnaire::enter(all, item, &id, entry.clone(), now)?;
            let on = entry.at.to_zoned(TimeZone::UTC).date();
            if on < from {
                return Err(Refusal::TooEarly { on, from });
            }
            Ok(Some((event, calls_of(item, &entry.given, false))))
        })
    }

    /// Says that answers do not count.
    ///
    /// # Errors
    /// A refusal, or that nothing is being recorded.
    pub fn void_scale(&self, act: &PatientAct, id: &QuestionnaireId, why: &str) -> Result<Done, Denied> {
        let same = |event: &Event| {
            matches!(event, Event::ScaleVoided { questionnaire, reason }
                if questionnaire == id && reason == why.trim())
        };
        self.act_on_scales(act, same, |all, _| Ok(Some((questionnaire::void(all, id, why)?, None))))
    }

    fn act_on_scales(
        &self,
        act: &PatientAct,
        same: impl Fn(&Event) -> bool,
        decide: impl Fn(&Questionnaires, Timestamp) -> Result<Option<(Event, Option<Call>)>, Refusal>,
    ) -> Result<Done, Denied> {
        let stream = stream_of(act.patient);
        let turn = self.turn(&stream);
        let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
        let said = |rows: &[store::Recorded]| {
            let mut mine = rows.iter().filter(|row| row.stream == stream);
            mine.any(|row| read_event(row).is_ok_and(|event| same(&event)))
        };
        if let Some(answer) = self.sent_before(act.command_id, act.actor, said) {
            return answer;
        }
        let all = self.questionnaires(act.patient).map_err(not_read)?;
        let at = self.clock.now();
        let Some((event, call)) = decide(&all, at)? else {
            return Ok(Done { position: None, before: false });
        };
        let mut writes = Vec::new();
        let mut opened = None;
        if call.is_none() {
            let why = self.turned(act.patient, &all, (&event, &act.actor.id), at).map_err(not_read)?;
            opened = why.map(|why| (TaskId::new(act.command_id.as_str()), self.task_for(why, at)));
        }
        let task = call.map(|call| {
            let (patient, scale) = (act.patient.clone(), self.scale_title(scale_of(&all, &event)));
            let why = TaskOpened::ScaleItem { patient, scale, item: call.item, answer: call.answer };
            // The same answer, while somebody is seeing to it, opens no second task.
            self.open_for(&why).into_iter().next().map_or_else(
                || {
                    let id = TaskId::new(act.command_id.as_str());
                    opened = Some((id.clone(), self.task_for(why, at)));
                    id
                },
                |(id, _)| id,
            )
        });
        writes.push(write(stream, Some(all.version), [as_new(&with_task(event, task))])?);
        if let Some((task, event)) = &opened {
            writes.push(write(task_stream(task), Some(0), [as_new(event)])?);
        }
        let done = self.append_care(act.command_id, act.actor, at, writes)?;
        self.task_opened(opened, at);
        Ok(done)
    }

    /// What a new score turns, wherever it is entered: a response that is lost, or a patient who is worse than before
    /// the series. The patient is not told that somebody was called: it may wait for the next day.
    pub(super) fn turned(
        &self,
        patient: &PatientId,
        before: &Questionnaires,
        (event, by): (&Event, &StaffId),
        at: Timestamp,
    ) -> Result<Option<TaskOpened>, Fault> {
        let Event::ScaleAnswered { answered, .. } = event else { return Ok(None) };
        let mut visits: Vec<Row> = self.visits_on(patient)?.into_iter().map(|(_, row)| row).collect();
        visits.sort_by(|a, b| (&a.day, a.started_at).cmp(&(&b.day, b.started_at)));
        let course = self.course(patient)?.course;
        let codes = course.plan().map(|plan| plan.conditions.as_slice()).unwrap_or_default();
        let treated = Treated::by(visits.last().map(|last| last.regimen.as_str()), codes, &self.knowledge);
        let mut scales = treated.scales(&self.knowledge).into_iter();
        let Some(item) = scales.find(|item| item.header.id == answered.scale) else { return Ok(None) };
        let begun = |row: &Row| {
            let at = Timestamp::from_millisecond(row.started_at?).ok()?;
            Some(Infusion { at, number: row.infusion, of: row.of })
        };
        let infusions: Vec<Infusion> = visits.iter().filter_map(begun).collect();
        let Some(first) = last_series(&infusions).first() else { return Ok(None) };
        let totals = before.clone().evolve(event, by, at).totals(&item.header.id);
        let (Some((_, baseline)), later) = around(&totals, first.at) else { return Ok(None) };
        let newest = later.last().is_some_and(|(last, _)| *last == answered.at);
        if !newest {
            return Ok(None);
        }
        let by_each = treated.judging(&item.body).into_iter();
        let turn = by_each.filter_map(|is| turned(item, is, baseline, later).ok().flatten()).next();
        let Some((turn, said)) = turn else { return Ok(None) };
        let (patient, scale) = (patient.clone(), item.header.title.clone());
        Ok(Some(TaskOpened::ScoreTurned { patient, scale, turn, said }))
    }

    fn scale_title(&self, id: &str) -> String {
        self.knowledge.scale(id).map_or_else(|| id.to_owned(), |item| item.header.title.clone())
    }
}

fn scale_of<'a>(all: &'a Questionnaires, event: &'a Event) -> &'a str {
    match event {
        Event::ScaleLinkMade { scale, .. } => scale,
        Event::ScaleAnswered { answered, .. } => &answered.scale,
        Event::QuestionAnswered { questionnaire, .. } | Event::ScaleVoided { questionnaire, .. } => {
            all.all.get(questionnaire).map_or("", |one| one.scale.as_str())
        }
    }
}

fn with_task(event: Event, opened: Option<TaskId>) -> Event {
    match event {
        Event::QuestionAnswered { questionnaire, item, answer, .. } => {
            Event::QuestionAnswered { questionnaire, item, answer, task: opened }
        }
        Event::ScaleAnswered { questionnaire, answered, .. } => {
            Event::ScaleAnswered { questionnaire, answered, task: opened }
        }
        other => other,
    }
}

fn given(event: &Event) -> Option<&Given> {
    match event {
        Event::ScaleAnswered { answered, .. } => Some(&answered.given),
        _ => None,
    }
}

/// Whom one answer calls by itself, whatever else was answered.
fn calls_alone(item: &Item<Scale>, question: &str, value: Option<Decimal>) -> Option<Call> {
    let mine = |one: &clinic::knowledge::scales::ScaleItem| (one.id == question).then_some(value).flatten();
    let alone: Vec<Option<Decimal>> = item.body.items.iter().map(mine).collect();
    questionnaire::calls(item, &alone, false)
}

pub(super) fn calls_of(item: &Item<Scale>, given: &Given, finished: bool) -> Option<Call> {
    match given {
        Given::Answers(answers) => questionnaire::calls(item, answers, finished),
        Given::Total(_) => None,
    }
}

/// Stream of what a patient answered.
pub(super) fn stream_of(patient: &PatientId) -> String {
    format!("scales/{patient}")
}
