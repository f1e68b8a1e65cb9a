//! Given, when, then: a visit, or a patient's whole path with many visits, told as a file and run through the pure
//! core.
//!
//! A scenario names people, then steps: who does what at which minute, and which events must follow or what the
//! refusal must say. The same runner takes a recorded session: every command is decided again, and what comes out other
//! than it was written, in any byte, is told.

mod path;

pub use path::Act;

use crate::id::StaffId;
use crate::knowledge::Knowledge;
use crate::session::{self, Command, Event, Recorded, Session};
use crate::staff::{Actor, Role};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use thiserror::Error;

/// A visit told as a file.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// What it shows.
    pub title: String,
    /// When it begins.
    pub start: Timestamp,
    /// Who acts, with their role.
    pub people: BTreeMap<String, Role>,
    /// What is done at several visits alike, by name.
    #[serde(default, rename = "routine")]
    pub routines: BTreeMap<String, Vec<Repeated>>,
    /// What they do, in order.
    #[serde(rename = "step")]
    pub steps: Vec<Step>,
}

/// One act of a routine.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Repeated {
    /// Minutes and seconds since the step that takes the routine.
    pub at: String,
    /// Who.
    pub by: String,
    /// What; `now` and `today` in it are the moment and the day of the act.
    #[serde(rename = "do")]
    pub command: toml::Value,
    /// Kinds of the events that must follow, in order.
    #[serde(default)]
    pub then: Vec<String>,
}

/// One act and what must follow.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Minutes and seconds since the start, `"12:30"`, or after days, `"14d 12:30"`.
    pub at: String,
    /// Who.
    pub by: String,
    /// At which visit, where there are several.
    #[serde(default)]
    pub visit: String,
    /// What is done at the visit,
    #[serde(default, rename = "do")]
    pub command: Option<Command>,
    /// or what is done at several alike,
    #[serde(default)]
    pub routine: Option<String>,
    /// or what is done around the visits.
    #[serde(default)]
    pub path: Option<Act>,
    /// Words that what there is to read then must contain.
    #[serde(default)]
    pub says: Option<String>,
    /// Kinds of the events that must follow, in order.
    #[serde(default)]
    pub then: Vec<String>,
    /// Words that the refusal must contain; then no event may follow.
    #[serde(default)]
    pub refused: Option<String>,
    /// The phase after the step, as a person reads it.
    #[serde(default)]
    pub phase: Option<String>,
    /// The dose delivered after the step, `"20.5 mg"`.
    #[serde(default)]
    pub delivered: Option<String>,
}

/// Why a scenario does not hold.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Failure {
    /// The file cannot be read.
    #[error("the scenario cannot be read: {0}")]
    Unreadable(String),
    /// A step came out differently.
    #[error("step {number} ({doing} by {by}): expected {expected}, got {got}")]
    Differs {
        /// Counts from 1.
        number: usize,
        /// The act.
        doing: String,
        /// The person.
        by: String,
        /// What the file says.
        expected: String,
        /// What came out.
        got: String,
    },
}

impl Scenario {
    /// Reads a scenario.
    ///
    /// # Errors
    /// Where the file is broken.
    pub fn read(text: &str) -> Result<Self, Failure> {
        toml::from_str(text).map_err(|error| Failure::Unreadable(error.to_string()))
    }

    /// Runs every step. The transcript is the same bytes each time.
    ///
    /// # Errors
    /// The first step that comes out differently.
    pub fn run(&self, knowledge: &Knowledge) -> Result<String, Failure> {
        let mut story =
            Story { visits: BTreeMap::new(), path: path::Path::default(), transcript: String::new() };
        let _ = writeln!(story.transcript, "{}", self.title);
        for (n, step) in self.steps.iter().enumerate() {
            let number = n + 1;
            match (&step.command, &step.routine, &step.path) {
                (Some(command), None, None) => self.take(number, step, command, &mut story, knowledge)?,
                (None, Some(routine), None) => {
                    for step in self.repeated(number, step, routine)? {
                        let Some(command) = step.command.clone() else { continue };
                        self.take(number, &step, &command, &mut story, knowledge)?;
                    }
                }
                (None, None, Some(act)) => self.go(number, step, act, &mut story, knowledge)?,
                _ => {
                    return Err(step.differs(number, "a step")(
                        "one of `do`, `routine` and `path`",
                        String::new(),
                    ));
                }
            }
        }
        Ok(story.transcript)
    }

    /// The steps of a routine, at their time.
    fn repeated(&self, number: usize, step: &Step, routine: &str) -> Result<Vec<Step>, Failure> {
        let differs = step.differs(number, routine);
        let acts =
            self.routines.get(routine).ok_or_else(|| differs("a routine of the file", routine.to_owned()))?;
        let at_once = |act: &Repeated| {
            let at = later(&step.at, &act.at).ok_or_else(|| differs("a time like 12:30", act.at.clone()))?;
            let moment = self.moment(&at).ok_or_else(|| differs("a time like 12:30", at.clone()))?;
            let command = act.command.clone();
            let command = at_its_time(command, moment).try_into();
            let command: Command =
                command.map_err(|error: toml::de::Error| differs("an act", error.to_string()))?;
            let (by, then) = (act.by.clone(), act.then.clone());
            let (command, routine) = (Some(command), None);
            Ok(Step { at, by, then, command, routine, phase: None, ..step.clone() })
        };
        acts.iter().map(at_once).collect()
    }

    fn actor(&self, number: usize, step: &Step, doing: &str) -> Result<(Actor, Timestamp), Failure> {
        let differs = step.differs(number, doing);
        let role = self.people.get(&step.by);
        let role = role.ok_or_else(|| differs("a person named in [people]", step.by.clone()))?;
        let at = self.moment(&step.at).ok_or_else(|| differs("a time like 12:30", step.at.clone()))?;
        Ok((Actor { id: StaffId::new(&step.by), role: *role }, at))
    }

    /// Something around the visits.
    fn go(
        &self,
        number: usize,
        step: &Step,
        act: &Act,
        story: &mut Story,
        knowledge: &Knowledge,
    ) -> Result<(), Failure> {
        let doing = act.doing();
        let differs = step.differs(number, doing);
        let (actor, at) = self.actor(number, step, doing)?;
        match (story.path.take(act, (&actor, at), &story.visits, knowledge), &step.refused) {
            (Err(why), Some(words)) if why.contains(words) => {
                let _ = writeln!(story.transcript, "{} {} refused to {doing}: {why}", step.at, step.by);
                Ok(())
            }
            (Err(why), _) => {
                Err(differs(step.refused.as_deref().unwrap_or("events"), format!("a refusal: {why}")))
            }
            (Ok((kinds, _)), Some(words)) => {
                Err(differs(&format!("a refusal with “{words}”"), kinds.join(", ")))
            }
            (Ok((kinds, says)), None) => {
                if kinds != step.then {
                    return Err(differs(&step.then.join(", "), kinds.join(", ")));
                }
                if let Some(words) = step.says.as_ref().filter(|words| !says.contains(*words)) {
                    return Err(differs(words, says));
                }
                let _ = writeln!(
                    story.transcript,
                    "{} {} {doing}: {}; {says}",
                    step.at,
                    step.by,
                    kinds.join(", ")
                );
                Ok(())
            }
        }
    }

    fn take(
        &self,
        number: usize,
        step: &Step,
        command: &Command,
        story: &mut Story,
        knowledge: &Knowledge,
    ) -> Result<(), Failure> {
        let doing = command.doing();
        let differs = step.differs(number, doing);
        let (actor, at) = self.actor(number, step, doing)?;
        let session = story.visits.entry(step.visit.clone()).or_default();
        let transcript = &mut story.transcript;
        let permitted = story.path.permits(command, &actor, knowledge);
        let decided =
            permitted.and_then(|()| session::decide(session, command.clone(), &actor, at, knowledge));
        match (decided, &step.refused) {
            (Err(refusal), Some(words)) if refusal.to_string().contains(words) => {
                let _ = writeln!(transcript, "{} {} refused to {doing}: {refusal}", step.at, step.by);
                Ok(())
            }
            (Err(refusal), _) => {
                Err(differs(step.refused.as_deref().unwrap_or("events"), format!("a refusal: {refusal}")))
            }
            (Ok(events), Some(words)) => Err(differs(&format!("a refusal with “{words}”"), kinds(&events))),
            (Ok(events), None) => {
                if kinds(&events) != step.then.join(", ") {
                    return Err(differs(&step.then.join(", "), kinds(&events)));
                }
                let _ = writeln!(transcript, "{} {} {doing}: {}", step.at, step.by, kinds(&events));
                *session = record(std::mem::take(session), events, &actor, at);
                self.compare(step, session, at, differs)
            }
        }
    }

    fn compare(
        &self,
        step: &Step,
        session: &Session,
        at: Timestamp,
        differs: impl Fn(&str, String) -> Failure,
    ) -> Result<(), Failure> {
        if let Some(phase) = step.phase.as_deref().filter(|phase| *phase != session.phase.title()) {
            return Err(differs(phase, session.phase.title().to_owned()));
        }
        let delivered = session.delivered_mass(at).to_string();
        match step.delivered.as_deref().filter(|expected| *expected != delivered) {
            Some(expected) => Err(differs(expected, delivered)),
            None => Ok(()),
        }
    }

    fn moment(&self, text: &str) -> Option<Timestamp> {
        self.start.checked_add(SignedDuration::from_secs(seconds_of(text)?)).ok()
    }
}

/// What a story has come to.
struct Story {
    visits: BTreeMap<String, Session>,
    path: path::Path,
    transcript: String,
}

impl Step {
    fn differs(&self, number: usize, doing: &str) -> impl Fn(&str, String) -> Failure + use<> {
        let (doing, by) = (doing.to_owned(), self.by.clone());
        move |expected, got| Failure::Differs {
            number,
            doing: doing.clone(),
            by: by.clone(),
            expected: expected.to_owned(),
            got,
        }
    }
}

/// Seconds of `12:30` or `14d 12:30`.
fn seconds_of(text: &str) -> Option<i64> {
    let (days, clock) = text.split_once("d ").unwrap_or(("0", text));
    let (minutes, seconds) = clock.split_once(':')?;
    let minutes = days.parse::<i64>().ok()?.checked_mul(24 * 60)?.checked_add(minutes.parse().ok()?)?;
    minutes.checked_mul(60)?.checked_add(seconds.parse().ok()?)
}

/// The time of a step and one that counts from it, as one.
fn later(step: &str, act: &str) -> Option<String> {
    let seconds = seconds_of(step)?.checked_add(seconds_of(act)?)?;
    Some(format!("{}:{:02}", seconds / 60, seconds % 60))
}

/// The same with `now` and `today` as the moment and the day of the act.
fn at_its_time(value: toml::Value, at: Timestamp) -> toml::Value {
    match value {
        toml::Value::String(text) if text == "now" => toml::Value::String(at.to_string()),
        toml::Value::String(text) if text == "today" => {
            toml::Value::String(at.to_zoned(jiff::tz::TimeZone::UTC).date().to_string())
        }
        toml::Value::Array(values) => {
            toml::Value::Array(values.into_iter().map(|value| at_its_time(value, at)).collect())
        }
        toml::Value::Table(table) => {
            toml::Value::Table(table.into_iter().map(|(key, value)| (key, at_its_time(value, at))).collect())
        }
        other => other,
    }
}

fn kinds(events: &[Event]) -> String {
    events.iter().map(Event::kind).collect::<Vec<_>>().join(", ")
}

fn record(session: Session, events: Vec<Event>, actor: &Actor, at: Timestamp) -> Session {
    events.into_iter().fold(session, |session, event| {
        let version = session.version + 1;
        session::evolve(session, &Recorded { position: version, version, at, by: actor.id.clone(), event })
    })
}

/// A command as the log keeps it beside the events it caused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cause {
    /// Who.
    pub actor: Actor,
    /// When it was decided.
    pub at: Timestamp,
    /// What.
    pub command: Command,
}

impl Cause {
    /// Whether the same person asks for the same again at `at`, as a retry of a lost answer does. Times and what the
    /// room adds to a form by itself may differ between the two; what the person said may not.
    pub fn is_asked_again(&self, actor: &Actor, command: &Command, at: Timestamp) -> bool {
        let (before, now) = (said(&self.command), said(command));
        let (Some((before, then)), Some((now, times))) = (before, now) else { return false };
        let same = |(then, now): (&Timestamp, &Timestamp)| {
            then == now || (is_the_clocks(*then, self.at) && is_the_clocks(*now, at))
        };
        let same_times = then.len() == times.len() && then.iter().zip(&times).all(same);
        self.actor.id == actor.id && before == now && same_times
    }
}

/// A form asks for a time by the minute and takes the clock's where none is typed, so a time in the minute before the
/// decision need not have been said by anybody.
fn is_the_clocks(time: Timestamp, decided: Timestamp) -> bool {
    (SignedDuration::ZERO..SignedDuration::from_mins(1)).contains(&decided.duration_since(time))
}

/// Fields that the clock and the room fill in, not the person.
const NOT_SAID: [&str; 10] = [
    "at",
    "given_at",
    "read_at",
    "today",
    "last",
    "measured_before",
    "alarms",
    "contradicts",
    "unfinished",
    "beside_plan",
];

/// Times that a person may type.
const TIMES_SAID: [&str; 2] = ["observed_at", "began_at"];

/// What the person said, and the times, which they may have said.
fn said(command: &Command) -> Option<(serde_json::Value, Vec<Timestamp>)> {
    let mut value = serde_json::to_value(command).ok()?;
    let mut times = Vec::new();
    take_times(&mut value, &mut times);
    leave_out_what_is_not_said(&mut value);
    Some((value, times))
}

fn take_times(value: &mut serde_json::Value, times: &mut Vec<Timestamp>) {
    match value {
        serde_json::Value::Object(fields) => {
            for name in TIMES_SAID {
                let time = fields.get(name).and_then(|time| serde_json::from_value(time.clone()).ok());
                if let Some(time) = time {
                    times.push(time);
                    fields.remove(name);
                }
            }
            fields.values_mut().for_each(|inner| take_times(inner, times));
        }
        serde_json::Value::Array(items) => items.iter_mut().for_each(|item| take_times(item, times)),
        _ => {}
    }
}

fn leave_out_what_is_not_said(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::Object(fields) => {
            fields.retain(|name, _| !NOT_SAID.contains(&name.as_str()));
            fields.values_mut().for_each(leave_out_what_is_not_said);
        }
        serde_json::Value::Array(items) => items.iter_mut().for_each(leave_out_what_is_not_said),
        _ => {}
    }
}

/// A recorded session decided again.
#[derive(Debug)]
pub struct Rerun {
    /// The visit as its events tell it.
    pub session: Session,
    /// Each command with the events that stand, and what the rules of now say where they say something else.
    pub transcript: String,
    /// What comes out differently, in order.
    pub otherwise: Vec<Otherwise>,
}

/// A command that the rules of now decide otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Otherwise {
    /// Counts from 1.
    pub number: usize,
    /// The act.
    pub doing: String,
    /// Who.
    pub by: String,
    /// Its events, which stand.
    pub stands: String,
    /// What comes out now.
    pub now: Now,
    /// Rules that its events name in another version than this program has, each with both.
    pub rules: Vec<String>,
}

/// What comes out of a command today.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Now {
    /// A refusal, in its words.
    Refused(String),
    /// Other events.
    Events(String),
}

impl fmt::Display for Now {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(why) => write!(f, "a rule added since would refuse this command: {why}"),
            Self::Events(events) => write!(f, "by the rules of now it comes out as: {events}"),
        }
    }
}

/// Decides every command of a recorded session again. The log is the truth: what it holds stands, whatever the rules
/// of now would say, and what they say otherwise is told.
pub fn rerun<'a>(
    causes: impl IntoIterator<Item = (&'a Cause, &'a [Recorded])>,
    knowledge: &Knowledge,
) -> Rerun {
    let (mut session, mut transcript, mut otherwise) = (Session::default(), String::new(), Vec::new());
    for (n, (cause, recorded)) in causes.into_iter().enumerate() {
        let doing = cause.command.doing();
        let decided = session::decide(&session, cause.command.clone(), &cause.actor, cause.at, knowledge);
        let logged: Vec<&Event> = recorded.iter().map(|one| &one.event).collect();
        let stands = as_text(&logged);
        let _ = writeln!(transcript, "{} {} {doing}: {stands}", cause.at, cause.actor.id);
        let now = match decided {
            Ok(events) => Now::Events(as_text(&events.iter().collect::<Vec<_>>())),
            Err(refusal) => Now::Refused(refusal.to_string()),
        };
        if now != Now::Events(stands.clone()) {
            let _ = writeln!(transcript, "  {now}");
            let (number, by) = (n + 1, cause.actor.id.0.clone());
            let (doing, rules) = (doing.to_owned(), other_rules(&logged, knowledge));
            otherwise.push(Otherwise { number, doing, by, stands, now, rules });
        }
        session = recorded.iter().fold(session, session::evolve);
    }
    Rerun { session, transcript, otherwise }
}

/// Rules that these events name in a version which is not that of `knowledge`.
fn other_rules(events: &[&Event], knowledge: &Knowledge) -> Vec<String> {
    let mut rules: Vec<String> = events
        .iter()
        .flat_map(|event| event.rules())
        .filter_map(|(rule, version)| match knowledge.header(rule.as_str()) {
            Some(header) if header.version == version => None,
            Some(header) => Some(format!("{rule} version {version}, here {}", header.version)),
            // Parts of a file have names of their own.
            None => None,
        })
        .collect();
    rules.sort();
    rules.dedup();
    rules
}

fn as_text(events: &[&Event]) -> String {
    serde_json::to_string(events).unwrap_or_default()
}
