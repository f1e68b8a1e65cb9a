//! Given, when, then: a visit told as a file, run through the pure core.
//!
//! A scenario names people, then steps: who does what at which minute, and which events must follow or what the
//! refusal must say. The same runner checks a recorded session: every command is decided again and must give the
//! same events, byte for byte.

use crate::id::StaffId;
use crate::knowledge::Knowledge;
use crate::session::{self, Command, Event, Recorded, Session};
use crate::staff::{Actor, Role};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use thiserror::Error;

/// A visit told as a file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// What it shows.
    pub title: String,
    /// When it begins.
    pub start: Timestamp,
    /// Who acts, with their role.
    pub people: BTreeMap<String, Role>,
    /// What they do, in order.
    #[serde(rename = "step")]
    pub steps: Vec<Step>,
}

/// One act and what must follow.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Minutes and seconds since the start, `"12:30"`.
    pub at: String,
    /// Who.
    pub by: String,
    /// What.
    #[serde(rename = "do")]
    pub command: Command,
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

/// Why a scenario or a replay does not hold.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Failure {
    /// The file cannot be read.
    #[error("the scenario cannot be read: {0}")]
    Unreadable(String),
    /// A visit was decided by other rules than those of this program, and comes out differently by these.
    #[error(
        "step {number} ({doing}) was decided by other rules than this program has: {}. It cannot be decided again here; the program of its day can. Reading the visit and its record needs none of these rules",
        .rules.join(", ")
    )]
    OtherKnowledge {
        /// Counts from 1.
        number: usize,
        /// The act.
        doing: String,
        /// Each rule with both versions.
        rules: Vec<String>,
    },
    /// A step came out differently.
    #[error("step {number} ({doing} by {by}): expected {expected}, got {got}")]
    Differs {
        /// Counts from 1.
        number: usize,
        /// The act.
        doing: String,
        /// The person.
        by: String,
        /// What the file or the log says.
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
        let mut session = Session::default();
        let mut transcript = format!("{}\n", self.title);
        for (n, step) in self.steps.iter().enumerate() {
            session = self.take(n + 1, step, session, &mut transcript, knowledge)?;
        }
        Ok(transcript)
    }

    fn take(
        &self,
        number: usize,
        step: &Step,
        session: Session,
        transcript: &mut String,
        knowledge: &Knowledge,
    ) -> Result<Session, Failure> {
        let doing = step.command.doing().to_owned();
        let differs = |expected: &str, got: String| Failure::Differs {
            number,
            doing: doing.clone(),
            by: step.by.clone(),
            expected: expected.to_owned(),
            got,
        };
        let role = self
            .people
            .get(&step.by)
            .ok_or_else(|| differs("a person named in [people]", step.by.clone()))?;
        let actor = Actor { id: StaffId::new(&step.by), role: *role };
        let at = self.moment(&step.at).ok_or_else(|| differs("a time like 12:30", step.at.clone()))?;
        match (session::decide(&session, step.command.clone(), &actor, at, knowledge), &step.refused) {
            (Err(refusal), Some(words)) if refusal.to_string().contains(words) => {
                let _ = writeln!(transcript, "{} {} refused to {doing}: {refusal}", step.at, step.by);
                Ok(session)
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
                let session = record(session, events, &actor, at);
                self.compare(step, &session, at, differs)?;
                Ok(session)
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
        let (minutes, seconds) = text.split_once(':')?;
        let seconds = minutes.parse::<i64>().ok()?.checked_mul(60)?.checked_add(seconds.parse().ok()?)?;
        self.start.checked_add(SignedDuration::from_secs(seconds)).ok()
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
const NOT_SAID: [&str; 8] =
    ["at", "given_at", "read_at", "today", "last", "alarms", "contradicts", "unfinished"];

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

/// Decides every command of a recorded session again.
///
/// # Errors
/// The first command whose events differ from the log in any byte.
pub fn rerun<'a>(
    causes: impl IntoIterator<Item = (&'a Cause, &'a [Recorded])>,
    knowledge: &Knowledge,
) -> Result<(Session, String), Failure> {
    let mut session = Session::default();
    let mut transcript = String::new();
    for (n, (cause, recorded)) in causes.into_iter().enumerate() {
        let doing = cause.command.doing();
        let decided = session::decide(&session, cause.command.clone(), &cause.actor, cause.at, knowledge);
        let logged: Vec<&Event> = recorded.iter().map(|one| &one.event).collect();
        let logged_text = as_text(&logged);
        let decided_text = match &decided {
            Ok(events) => as_text(&events.iter().collect::<Vec<_>>()),
            Err(refusal) => refusal.to_string(),
        };
        if logged_text != decided_text {
            let rules = other_rules(&logged, knowledge);
            if !rules.is_empty() {
                return Err(Failure::OtherKnowledge { number: n + 1, doing: doing.to_owned(), rules });
            }
            return Err(Failure::Differs {
                number: n + 1,
                doing: doing.to_owned(),
                by: cause.actor.id.0.clone(),
                expected: logged_text,
                got: decided_text,
            });
        }
        let _ = writeln!(transcript, "{} {} {doing}: {decided_text}", cause.at, cause.actor.id);
        session = recorded.iter().fold(session, session::evolve);
    }
    Ok((session, transcript))
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
