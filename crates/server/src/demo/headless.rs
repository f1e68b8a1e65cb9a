//! The day in virtual time, on one thread, without sockets: frames go through the same framing, codec, log and
//! acknowledgement. The same seed gives the same bytes.

use super::stage::{SECOND, Stage};
use crate::AppState;
use crate::clock::{Clock, Ids};
use crate::config::Config;
use anyhow::{Context, bail, ensure};
use clinic::id::{ChairId, SessionId};
use interop::mllp::{Framer, wrap};
use sim::story::Story;
use sim::wire::{Frame, check_answer};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use tokio::sync::watch;

/// The day of every headless run.
const OPENS: &str = "2026-03-02T08:00:00Z";
/// A day that is not over after so many seconds never will be.
const SECONDS_MAX: u32 = 8 * 3600;

/// Monitors report this often, in seconds.
const REPORTS_S: i64 = 2;

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Visits by chair; all over, with closed balances.
    pub visits: BTreeMap<ChairId, SessionId>,
    /// Seconds that passed in the clinic.
    pub seconds: u32,
    /// Device messages that were taken.
    pub frames: u64,
    /// Events in the log.
    pub events: i64,
    /// What simulated staff asked and was refused.
    pub refusals: Vec<String>,
}

/// Runs `stories` until everybody went home and writes log and records into the empty or new folder `out`.
///
/// # Errors
/// What went wrong: the folder, the log, a device message that was not taken, a visit that does not end.
pub fn headless(out: &Path, stories: Vec<Story>, seed: u64) -> anyhow::Result<Outcome> {
    std::fs::create_dir_all(out).with_context(|| format!("make {}", out.display()))?;
    let taken = out.read_dir()?.next().is_some();
    ensure!(!taken, "{} is not empty; choose another folder with --out", out.display());
    let config =
        Config { data: out.to_owned(), devices: None, demo: true, reserve_mib: 0, ..Config::default() };
    let clock = Clock::held(OPENS.parse()?);
    let ids = Ids::seeded(clock.clone(), seed);
    let (_stop, stopping) = watch::channel(false);
    let state = AppState::open(config, clock, ids, stopping)?;
    let mut stage = Stage::set(state.clone(), stories, seed)?;
    stage.monitors_report_every(REPORTS_S);
    let outcome = play(&state, stage)?;
    write_journal(&state, out).map(|events| Outcome { events, ..outcome })
}

fn play(state: &AppState, mut stage: Stage) -> anyhow::Result<Outcome> {
    let mut frames = 0;
    let mut refusals = Vec::new();
    for seconds in 0..SECONDS_MAX {
        if stage.is_done() {
            return Ok(Outcome { visits: stage.visits(), seconds, frames, events: 0, refusals });
        }
        frames += second(state, &mut stage)?;
        refusals.extend(stage.take_refusals());
    }
    let phases = stage.phases()?;
    bail!("the day does not end: {phases:?}; refused: {refusals:#?}")
}

/// One second of the whole clinic: devices speak, alarms are judged, staff act. Tells how many messages were taken.
pub(super) fn second(state: &AppState, stage: &mut Stage) -> anyhow::Result<u64> {
    state.clock.advance(SECOND);
    let now = state.clock.now();
    let mut frames = 0;
    let sent: Vec<Frame> = stage.pass(now).into_iter().map(|(_, frame)| frame).collect();
    frames += deliver(state, &sent)?;
    // The screen on the wall.
    state.floor.painted(state.floor.hub().seq());
    state.floor.round();
    state.floor.keep();
    stage.act()?;
    Ok(frames)
}

/// The way of frames without the socket: into their envelopes, out of the stream, taken together, answered, checked.
fn deliver(state: &AppState, sent: &[Frame]) -> anyhow::Result<u64> {
    let mut stream = Framer::new();
    let mut messages = Vec::with_capacity(sent.len());
    for frame in sent {
        for message in stream.feed(&wrap(&frame.bytes)) {
            messages.push(message?);
        }
    }
    let taken = state.floor.take_frames(messages.iter().map(Vec::as_slice));
    for (frame, intake) in sent.iter().zip(taken) {
        let answer = intake.answer.with_context(|| format!("no answer to {}", frame.control_id))?;
        for answer in Framer::new().feed(&wrap(&answer)) {
            check_answer(&answer?, &frame.control_id)?;
        }
    }
    Ok(sent.len() as u64)
}

fn write_journal(state: &AppState, out: &Path) -> anyhow::Result<i64> {
    let mut file = BufWriter::new(File::create_new(out.join("journal.jsonl"))?);
    let log = out.join("chairside.db");
    let events = store::export(&log.to_string_lossy(), Some(&state.config.site), &mut file)?;
    file.flush()?;
    Ok(events)
}
