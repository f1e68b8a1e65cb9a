//! `chairside replay`: a scenario file, or a recorded visit decided again by the pure core. Reads only.

use super::{Exit, Place, say, with_shipped};
use crate::record::session_event;
use crate::{Fault, read_event};
use clinic::knowledge::Knowledge;
use clinic::scenario::{self, Cause, Failure, Scenario};
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

/// Prints the transcript. Exit 1 at the first step that comes out differently, 2 for what cannot be read.
pub fn run(args: &Args) -> Exit {
    with_shipped(|knowledge| {
        let told = match (&args.scenario, &args.session) {
            (Some(file), _) => run_scenario(file, knowledge),
            (None, Some(session)) => run_session(&args.place, session, knowledge),
            (None, None) => Err(say(Exit::Unreadable, "name a scenario file, or a visit with --session")),
        };
        match told {
            Ok(transcript) => {
                print!("{transcript}");
                Exit::Done
            }
            Err(exit) => exit,
        }
    })
}

fn run_scenario(file: &Path, knowledge: &Knowledge) -> Result<String, Exit> {
    let text = std::fs::read_to_string(file)
        .map_err(|cause| say(Exit::Unreadable, format!("cannot read {}: {cause}", file.display())))?;
    let scenario = Scenario::read(&text).map_err(differs)?;
    scenario.run(knowledge).map_err(differs)
}

fn differs(failure: Failure) -> Exit {
    let exit = if matches!(failure, Failure::Unreadable(_)) { Exit::Unreadable } else { Exit::Failed };
    say(exit, failure)
}

fn run_session(place: &Place, session: &str, knowledge: &Knowledge) -> Result<String, Exit> {
    let config = place.settings().map_err(|cause| say(Exit::Unreadable, cause))?;
    if config.database.is_none() && !config.data.join("chairside.db").exists() {
        // Opening would found an empty log there.
        return Err(say(Exit::Unreadable, format!("there is no log in {}", config.data.display())));
    }
    let store = config.open_store().map_err(|fault| say(Exit::Failed, fault))?;
    match again(&store, &config.site, session, knowledge) {
        Ok(Some(transcript)) => Ok(transcript),
        Ok(None) => Err(say(Exit::Unreadable, format!("there is no visit {session} in this log"))),
        Err(cause) => Err(say(Exit::Failed, cause)),
    }
}

/// Why a recorded visit does not come out again.
#[derive(Debug, thiserror::Error)]
pub enum NotTheSame {
    /// The log cannot be read.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// A command that comes out differently.
    #[error(transparent)]
    Differs(#[from] Failure),
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

/// Decides every command of a recorded visit again and compares each event byte for byte. `None` when the log has
/// no such visit.
///
/// # Errors
/// The first difference.
pub fn again(
    store: &Store,
    site: &str,
    session: &str,
    knowledge: &Knowledge,
) -> Result<Option<String>, NotTheSame> {
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
    let mut told: Vec<(Cause, Vec<Recorded>)> = Vec::new();
    for row in store.stream(site, &format!("command/{session}")).map_err(Fault::from)? {
        let events = by_command.remove(row.command_id.as_str()).unwrap_or_default();
        told.push((read_event(&row)?, events));
    }
    if let Some(orphan) = by_command.into_values().flatten().min_by_key(|one| one.position) {
        return Err(NotTheSame::NoCause { position: orphan.position, kind: orphan.event.kind() });
    }
    let causes = told.iter().map(|(cause, events)| (cause, events.as_slice()));
    let (state, mut transcript) = scenario::rerun(causes, knowledge)?;
    transcript.push_str(&format!("{} entries, the same bytes; {}\n", rows.len(), state.phase.title()));
    Ok(Some(transcript))
}

fn same_bytes(row: &store::Recorded, one: &Recorded) -> Result<(), NotTheSame> {
    let written = serde_json::to_value(&one.event).unwrap_or_default().to_string();
    if written == row.body {
        return Ok(());
    }
    Err(NotTheSame::Bytes { position: row.position, found: row.body.clone(), written })
}
