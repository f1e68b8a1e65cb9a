//! `chairside replay`: a scenario file, or a recorded visit decided again by the pure core. Reads only.

use super::{Exit, Place, print, say, with_shipped};
use crate::record::session_event;
use crate::rules;
use crate::{Fault, read_event};
use clinic::knowledge::Knowledge;
use clinic::scenario::{self, Cause, Failure, Now, Otherwise, Rerun, Scenario};
use clinic::session::Recorded;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use store::Store;

/// `replay`
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Scenario to run
    #[arg(value_name = "SCENARIO.toml", required_unless_present = "session", conflicts_with = "session")]
    scenario: Option<PathBuf>,
    /// Recorded visit to decide again, command by command
    #[arg(long, value_name = "ID")]
    session: Option<String>,
    #[command(flatten)]
    place: Place,
}

/// Prints the transcript: of a scenario as far as it holds, of a recorded visit all that stands. Exit 1 for what comes out
/// differently, 2 for what cannot be read, 3 where a rule added since would refuse what was recorded.
pub fn run(args: &Args) -> Exit {
    with_shipped(|knowledge| {
        let told = match (&args.scenario, &args.session) {
            (Some(file), _) => run_scenario(file, knowledge),
            (None, Some(session)) => run_session(&args.place, session, knowledge),
            (None, None) => Err(say(Exit::Unreadable, "name a scenario file, or a visit with --session")),
        };
        told.unwrap_or_else(|exit| exit)
    })
}

fn run_scenario(file: &Path, knowledge: &Knowledge) -> Result<Exit, Exit> {
    let text = std::fs::read_to_string(file)
        .map_err(|cause| say(Exit::Unreadable, format!("cannot read {}: {cause}", file.display())))?;
    let scenario = Scenario::read(&text).map_err(differs)?;
    Ok(print(scenario.run(knowledge).map_err(differs)?.as_bytes()))
}

fn differs(failure: Failure) -> Exit {
    let exit = if matches!(failure, Failure::Unreadable(_)) { Exit::Unreadable } else { Exit::Failed };
    say(exit, failure)
}

fn run_session(place: &Place, session: &str, knowledge: &Knowledge) -> Result<Exit, Exit> {
    let config = place.settings().map_err(|cause| say(Exit::Unreadable, cause))?;
    if config.database.is_none() && !config.data.join("chairside.db").exists() {
        // Opening would found an empty log there.
        return Err(say(Exit::Unreadable, format!("there is no log in {}", config.data.display())));
    }
    let store = config.open_store().map_err(|fault| say(Exit::Failed, fault))?;
    match again(&store, &config.site, session, knowledge) {
        Ok(Some(again)) => Ok(tell(&again)),
        Ok(None) => Err(say(Exit::Unreadable, format!("there is no visit {session} in this log"))),
        Err(cause) => Err(say(Exit::Failed, cause)),
    }
}

/// The whole visit, then what comes out differently.
fn tell(again: &Again) -> Exit {
    let mut exit = print(again.transcript.as_bytes());
    for one in &again.otherwise {
        exit = match (exit, one) {
            (Exit::Done | Exit::Refused, NotTheSame::Refuses { .. }) => say(Exit::Refused, one),
            _ => say(Exit::Failed, one),
        };
    }
    exit
}

/// A recorded visit decided again.
#[derive(Debug)]
pub struct Again {
    /// Each command with the events that stand.
    pub transcript: String,
    /// What comes out differently, in order.
    pub otherwise: Vec<NotTheSame>,
}

/// Why a recorded visit does not come out again.
#[derive(Debug, thiserror::Error)]
pub enum NotTheSame {
    /// The log cannot be read.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// A command that comes out differently though the rules are those of its day.
    #[error("{step}: expected {expected}, got {got}")]
    Differs {
        /// Which, by whom.
        step: String,
        /// In the log.
        expected: String,
        /// What comes out now.
        got: String,
    },
    /// A command that was taken and would not be today. Its events stand.
    #[error(
        "{step}: a rule added since would refuse this command: {why} What was recorded stands{}. Whether somebody changed \
         the log is for `chairside journal verify` to say",
        since(.rules)
    )]
    Refuses {
        /// Which, by whom.
        step: String,
        /// The refusal.
        why: String,
        /// Each rule that is another one now, with both versions.
        rules: Vec<String>,
    },
    /// A command that other rules decided.
    #[error(
        "{step} was decided by other rules than this program has: {}. By those of now it comes out as: {got}. The program of \
         its day can decide it again, and reading the visit and its record needs no rules. Whether somebody changed the \
         log is for `chairside journal verify` to say",
        .rules.join(", ")
    )]
    OtherRules {
        /// Which, by whom.
        step: String,
        /// Each rule with both versions.
        rules: Vec<String>,
        /// What comes out now.
        got: String,
    },
    /// A command of before the log kept the rules that decided it.
    #[error(
        "{step} comes out differently by the rules of this program: {got}. Which it was decided by the log does not say: it is \
         older than that. Whether somebody changed the log is for `chairside journal verify` to say"
    )]
    RulesNotKept {
        /// Which, by whom.
        step: String,
        /// What comes out now.
        got: String,
    },
    /// An entry whose bytes are not those that this program writes for it.
    #[error("entry {position} reads {found}, but the same event is written {written}")]
    Bytes {
        /// Its position.
        position: i64,
        /// In the log.
        found: String,
        /// As this program writes it.
        written: String,
    },
    /// An entry that no recorded command explains.
    #[error("entry {position} ({kind}) follows from no recorded command")]
    NoCause {
        /// Its position.
        position: i64,
        /// Its kind.
        kind: String,
    },
}

fn since(rules: &[String]) -> String {
    if rules.is_empty() { String::new() } else { format!("; other rules now: {}", rules.join(", ")) }
}

/// Decides every command of a recorded visit again and compares each event byte for byte. `None` when the log has
/// no such visit.
///
/// # Errors
/// An entry that no command explains, or whose bytes this program does not write.
pub fn again(
    store: &Store,
    site: &str,
    session: &str,
    knowledge: &Knowledge,
) -> Result<Option<Again>, NotTheSame> {
    let rows = store.stream(site, &format!("session/{session}")).map_err(Fault::from)?;
    if rows.is_empty() {
        return Ok(None);
    }
    let mut by_command: BTreeMap<&str, Vec<Recorded>> = BTreeMap::new();
    for row in &rows {
        let one = session_event(row)?;
        same_bytes(row, &one)?;
        by_command.entry(&row.command_id).or_default().push(one);
    }
    let (mut told, mut places) = (Vec::<(Cause, Vec<Recorded>)>::new(), Vec::new());
    for row in store.stream(site, &format!("command/{session}")).map_err(Fault::from)? {
        let events = by_command.remove(row.command_id.as_str()).unwrap_or_default();
        told.push((read_event(&row)?, events));
        places.push(row.position);
    }
    if let Some(orphan) = by_command.into_values().flatten().min_by_key(|one| one.position) {
        return Err(NotTheSame::NoCause { position: orphan.position, kind: orphan.event.kind() });
    }
    let causes = told.iter().map(|(cause, events)| (cause, events.as_slice()));
    let Rerun { session, mut transcript, otherwise } = scenario::rerun(causes, knowledge);
    let differ = otherwise.len();
    let otherwise = otherwise.into_iter().map(|one| by_its_rules(store, site, &places, one, knowledge));
    let otherwise = otherwise.collect::<Result<_, _>>()?;
    let same = match differ {
        0 => ", the same bytes".to_owned(),
        _ => format!(" as they stand; by the rules of now other: {differ} of {} commands", told.len()),
    };
    transcript.push_str(&format!("{} entries{same}; {}\n", rows.len(), session.phase.title()));
    Ok(Some(Again { transcript, otherwise }))
}

/// Why a step comes out differently: by other rules than those of its day, or though they are the same.
fn by_its_rules(
    store: &Store,
    site: &str,
    places: &[i64],
    one: Otherwise,
    knowledge: &Knowledge,
) -> Result<NotTheSame, Fault> {
    let Otherwise { number, doing, by, stands, now, rules } = one;
    let step = format!("step {number} ({doing} by {by})");
    let place = number.checked_sub(1).and_then(|nth| places.get(nth)).copied().unwrap_or(i64::MAX);
    let kept = if rules.is_empty() { rules::in_force_at(store, site, place)? } else { None };
    let in_force = kept.as_ref().map(|then| rules::differing(then, &rules::versions(knowledge)));
    let rules = if rules.is_empty() { in_force } else { Some(rules) };
    Ok(match (now, rules) {
        (Now::Refused(why), rules) => NotTheSame::Refuses { step, why, rules: rules.unwrap_or_default() },
        (Now::Events(got), None) => NotTheSame::RulesNotKept { step, got },
        (Now::Events(got), Some(rules)) if rules.is_empty() => {
            NotTheSame::Differs { step, expected: stands, got }
        }
        (Now::Events(got), Some(rules)) => NotTheSame::OtherRules { step, rules, got },
    })
}

fn same_bytes(row: &store::Recorded, one: &Recorded) -> Result<(), NotTheSame> {
    let written = serde_json::to_value(&one.event).unwrap_or_default().to_string();
    if written == row.body {
        return Ok(());
    }
    Err(NotTheSame::Bytes { position: row.position, found: row.body.clone(), written })
}
