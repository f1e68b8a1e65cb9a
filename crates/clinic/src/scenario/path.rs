//! What lies around the visits of a story: asked, sorted, registered, examined, planned, scored, checked.

use crate::care::inquiry::{self, Care, Inquiry, Way};
use crate::course::exposure::{self, Exposure};
use crate::course::{self, Course};
use crate::gate::Verdict;
use crate::id::{PatientId, QuestionnaireId};
use crate::knowledge::Knowledge;
use crate::knowledge::scales::Condition;
use crate::outcome::{Infusion, around, held, last_series};
use crate::patient::{self, Patient};
use crate::scale::Given;
use crate::scale::questionnaire::{self, Entry, Questionnaires};
use crate::screen::Consultation;
use crate::screen::consulting::{self, Consulting, Section};
use crate::session::{self, Session};
use crate::staff::Actor;
use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What is done around the visits.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Act {
    /// Somebody asks from outside.
    Ask(Inquiry),
    /// The inquiry is sent on.
    Sort {
        /// Where to.
        to: Way,
        /// Why.
        reason: String,
    },
    /// Whoever asked becomes a patient.
    Register(Patient),
    /// A section of the consultation is recorded.
    Record {
        /// Which.
        section: Section,
        /// What was said.
        said: Box<Consultation>,
    },
    /// What is recorded is screened.
    Screen {
        /// By which profile.
        profile: String,
    },
    /// Something is asked of the course.
    Course(course::Command),
    /// The infusion of a visit is counted, by what was delivered.
    Count {
        /// Which visit.
        visit: String,
    },
    /// A scale is answered, with commas between the numbers.
    Score {
        /// Id of the scale.
        scale: String,
        /// One a question; a dash for none.
        answers: String,
    },
    /// The last score is compared with the one before the series.
    Compare {
        /// Id of the scale.
        scale: String,
        /// Whose rule of a response.
        condition: Condition,
    },
    /// Asks which checks of long-term safety stand against an infusion on a day.
    Checks {
        /// Which day.
        on: Date,
    },
}

/// The patient's path so far, but for the visits.
#[derive(Debug, Clone, Default)]
pub(super) struct Path {
    care: Care,
    patient: Option<Patient>,
    consulting: Consulting,
    course: Course,
    checks: BTreeMap<String, exposure::Known>,
    scales: Questionnaires,
}

/// Kinds of what was recorded, and what there is to read.
type Came = (Vec<String>, String);

/// The one patient of a story.
const PATIENT: &str = "p1";

impl Act {
    /// For the transcript.
    pub(super) const fn doing(&self) -> &'static str {
        match self {
            Self::Ask(_) => "ask",
            Self::Sort { .. } => "sort the inquiry",
            Self::Register(_) => "register",
            Self::Record { .. } => "record a section",
            Self::Screen { .. } => "screen",
            Self::Course(command) => command.doing(),
            Self::Count { .. } => "count an infusion",
            Self::Score { .. } => "enter a scale",
            Self::Compare { .. } => "compare scores",
            Self::Checks { .. } => "look at the checks",
        }
    }
}

fn told(why: impl ToString) -> String {
    why.to_string()
}

fn kind(event: &impl Serialize) -> Vec<String> {
    let value = serde_json::to_value(event).ok();
    let kind = value.as_ref().and_then(|value| value.get("kind")?.as_str());
    kind.into_iter().map(str::to_owned).collect()
}

impl Path {
    /// Refuses an act of a visit that the screening stands against, where somebody is registered.
    pub(super) fn permits(
        &self,
        command: &session::Command,
        actor: &Actor,
        knowledge: &Knowledge,
    ) -> Result<(), session::Refusal> {
        let against = |patient| self.consulting.against_infusion(patient, knowledge);
        consulting::permits(command, actor, self.patient.as_ref().and_then(against))
    }

    /// Does it, or says why not.
    pub(super) fn take(
        &mut self,
        act: &Act,
        (actor, at): (&Actor, Timestamp),
        visits: &BTreeMap<String, Session>,
        knowledge: &Knowledge,
    ) -> Result<Came, String> {
        match act {
            Act::Ask(said) => {
                let event = inquiry::receive(said.clone(), knowledge.intake());
                let event = event.map_err(|wrong| wrong.iter().map(told).collect::<Vec<_>>().join(" "))?;
                self.care = std::mem::take(&mut self.care).evolve(&event, at);
                Ok((kind(&event), self.care.flags.join(", ")))
            }
            Act::Sort { to, reason } => {
                let command = inquiry::Command::Triage { to: *to, reason: reason.clone() };
                self.sort(command, actor, at)
            }
            Act::Register(patient) => {
                let today = at.to_zoned(jiff::tz::TimeZone::UTC).date();
                let event = patient::register(patient.clone(), today).map_err(told)?;
                let command = inquiry::Command::Register { patient: PatientId::new(PATIENT) };
                let (joined, _) = self.sort(command, actor, at)?;
                self.patient = Some(patient.clone());
                Ok(([kind(&event), joined].concat(), String::new()))
            }
            Act::Record { section, said } => {
                let read = self.consulting.read(*section);
                let said = said.clone();
                self.consult(consulting::Command::Record { section: *section, said, read }, actor, knowledge)
            }
            Act::Screen { profile } => {
                let patient = Box::new(self.patient.clone().ok_or("nobody is registered")?);
                let today = at.to_zoned(jiff::tz::TimeZone::UTC).date();
                let profile = profile.clone();
                self.consult(consulting::Command::Screen { patient, profile, today }, actor, knowledge)
            }
            Act::Course(command) => self.ask_course(command.clone(), actor, at, knowledge),
            Act::Count { visit } => {
                let session = visits.get(visit).ok_or("there is no such visit")?;
                let (on, delivered) =
                    (at.to_zoned(jiff::tz::TimeZone::UTC).date(), session.delivered_mass(at));
                let session = crate::id::SessionId::new(visit);
                let command = course::Command::CountInfusion { session, on, delivered };
                self.ask_course(command, actor, at, knowledge)
            }
            Act::Score { scale, answers } => self.score(scale, answers, actor, at, knowledge),
            Act::Compare { scale, condition } => self.compare(scale, *condition, visits, knowledge),
            Act::Checks { on } => {
                let given: Vec<Exposure> = infusions(visits)
                    .into_iter()
                    .map(|one| Exposure::on(one.at.to_zoned(jiff::tz::TimeZone::UTC).date()))
                    .collect();
                let found = exposure::checks(&given, *on, &self.checks, knowledge);
                let holds = found.findings.iter().filter(|finding| finding.verdict >= Verdict::Hold);
                let holds: Vec<&str> = holds.map(|finding| finding.rule.as_str()).collect();
                Ok((Vec::new(), if holds.is_empty() { "nothing holds".to_owned() } else { holds.join(", ") }))
            }
        }
    }

    fn sort(&mut self, command: inquiry::Command, actor: &Actor, at: Timestamp) -> Result<Came, String> {
        let event = inquiry::decide(&self.care, command, actor).map_err(told)?;
        self.care = std::mem::take(&mut self.care).evolve(&event, at);
        Ok((kind(&event), self.care.stage.title().to_owned()))
    }

    fn consult(
        &mut self,
        command: consulting::Command,
        actor: &Actor,
        knowledge: &Knowledge,
    ) -> Result<Came, String> {
        let event = consulting::decide(&self.consulting, command, actor, knowledge).map_err(told)?;
        self.consulting = std::mem::take(&mut self.consulting).evolve(&event);
        let screened = self.consulting.screened.as_ref();
        let verdict = screened.and_then(|(_, found)| serde_json::to_value(found.verdict).ok());
        let verdict = verdict.as_ref().and_then(|verdict| verdict.as_str()).unwrap_or_default();
        Ok((kind(&event), verdict.to_owned()))
    }

    fn ask_course(
        &mut self,
        command: course::Command,
        actor: &Actor,
        at: Timestamp,
        knowledge: &Knowledge,
    ) -> Result<Came, String> {
        if let (course::Command::Open { .. }, Some(patient)) = (&command, &self.patient) {
            let today = at.to_zoned(jiff::tz::TimeZone::UTC).date();
            let why_not = self.consulting.why_not_open(patient, today, knowledge);
            if !why_not.is_empty() {
                return Err(why_not.join(" "));
            }
        }
        let event = course::decide(&self.course, command, actor, knowledge).map_err(told)?;
        if let course::Event::CheckMade { check, on, result, judged } = &event {
            let (last_done, result) = (Some(*on), result.clone());
            let known = exposure::Known { last_done, judged: *judged, result, ..exposure::Known::default() };
            self.checks.insert(check.to_string(), known);
        }
        let (version, kinds) = (self.course.version + 1, kind(&event));
        let recorded = course::Recorded { version, at, by: actor.id.clone(), event };
        self.course = course::evolve(std::mem::take(&mut self.course), &recorded);
        Ok((kinds, self.course.stage.title().to_owned()))
    }

    fn score(
        &mut self,
        scale: &str,
        answers: &str,
        actor: &Actor,
        at: Timestamp,
        knowledge: &Knowledge,
    ) -> Result<Came, String> {
        let item = knowledge.scale(scale).ok_or("there is no such scale")?;
        let given = Given::answers(item, answers).map_err(told)?;
        let id = QuestionnaireId::new(format!("q{}", self.scales.version + 1));
        let entry = Entry { given, at, form: String::new(), corrects: None };
        let event = questionnaire::enter(&self.scales, item, &id, entry, at).map_err(told)?;
        self.scales = std::mem::take(&mut self.scales).evolve(&event, &actor.id, at);
        let questionnaire::Event::ScaleAnswered { answered, .. } = &event else {
            return Ok((kind(&event), String::new()));
        };
        let total = answered.result.total.map_or_else(|| "no total".to_owned(), crate::quantity::plain);
        Ok((kind(&event), format!("{total}, {}", answered.result.band.as_deref().unwrap_or("no band"))))
    }

    fn compare(
        &self,
        scale: &str,
        condition: Condition,
        visits: &BTreeMap<String, Session>,
        knowledge: &Knowledge,
    ) -> Result<Came, String> {
        let item = knowledge.scale(scale).ok_or("there is no such scale")?;
        let infusions = infusions(visits);
        let first = last_series(&infusions).first().ok_or("nobody was infused")?;
        let counting = self.scales.counting(scale).into_iter();
        let totals: Vec<(Timestamp, Decimal)> =
            counting.filter_map(|(_, answered)| Some((answered.at, answered.result.total?))).collect();
        let (baseline, later) = around(&totals, first.at);
        let (_, baseline) = baseline.ok_or("there is no score before the series")?;
        let held = held(item, Some(condition), baseline, later).map_err(told)?;
        let last = held.last.ok_or("there is no score since")?;
        let yes = |said: Option<bool>| said.map_or("not known", |said| if said { "yes" } else { "no" });
        let lost = if held.lost_at.is_some() { ", lost once" } else { "" };
        Ok((Vec::new(), format!("response {}, remission {}{lost}", yes(last.response), yes(last.remission))))
    }
}

/// Infusions of all visits, in order of time.
fn infusions(visits: &BTreeMap<String, Session>) -> Vec<Infusion> {
    let started = |session: &Session| {
        let (number, of) = session.infusion;
        Some(Infusion { at: session.delivery.started()?, number, of })
    };
    let mut all: Vec<Infusion> = visits.values().filter_map(started).collect();
    all.sort_by_key(|infusion| infusion.at);
    all
}
