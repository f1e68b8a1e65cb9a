//! The day in virtual time, on one thread, without sockets: frames go through the same framing, codec, log and
//! acknowledgement. The same seed gives the same bytes.

use super::stage::{SECOND, Stage};
use crate::AppState;
use crate::clock::{Clock, Ids};
use crate::config::Config;
use crate::record::{self, History};
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
    run(out, stories, seed, REPORTS_S)
}

fn run(out: &Path, stories: Vec<Story>, seed: u64, report_every_s: i64) -> anyhow::Result<Outcome> {
    std::fs::create_dir_all(out).with_context(|| format!("make {}", out.display()))?;
    let taken = out.read_dir()?.next().is_some();
    ensure!(!taken, "{} is not empty; choose another folder with --out", out.display());
    let chairs = stories.iter().filter_map(|story| story.chair.parse().ok()).max().unwrap_or(1);
    let data = out.to_owned();
    let config = Config { data, devices: None, demo: true, reserve_mib: 0, chairs, ..Config::default() };
    let clock = Clock::held(OPENS.parse()?);
    let ids = Ids::seeded(clock.clone(), seed);
    let (_stop, stopping) = watch::channel(false);
    let state = AppState::open(config, clock, ids, stopping)?;
    let mut stage = Stage::set(state.clone(), stories, seed)?;
    stage.monitors_report_every(report_every_s);
    let outcome = play(&state, stage)?;
    for (chair, session) in &outcome.visits {
        write_record(&state, session, &out.join(format!("chair-{chair}")))
            .with_context(|| format!("the record of chair {chair}"))?;
    }
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

/// The record as a page and as PDF, told from the log.
fn write_record(state: &AppState, session: &SessionId, file: &Path) -> anyhow::Result<()> {
    let history =
        History::read(&state.store, &state.config.site, session)?.context("nothing is in the log")?;
    let sheet = record::collect(&history, &state.knowledge, &state.config.time_zone());
    std::fs::write(file.with_extension("html"), record::html(&sheet)?)?;
    std::fs::write(file.with_extension("pdf"), record::pdf(&sheet)?)?;
    Ok(())
}

fn write_journal(state: &AppState, out: &Path) -> anyhow::Result<i64> {
    let mut file = BufWriter::new(File::create_new(out.join("journal.jsonl"))?);
    let log = out.join("chairside.db");
    let events = store::export(&log.to_string_lossy(), Some(&state.config.site), &mut file)?;
    file.flush()?;
    Ok(events)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clinic::session::Phase;
    use clinic::session::balance::Balance;
    use std::path::PathBuf;

    /// A linked chair with every mishap and a chair that is charted by hand, both from the opening on.
    fn two_chairs() -> Vec<Story> {
        let day = sim::story::day();
        let at = |chair: &str| day.iter().find(|story| story.chair == chair).expect("a chair").clone();
        let soon = |story: Story, chair| Story { chair, arrives_s: 0, infusion: (3, 6), ..story };
        vec![soon(at("3"), "1"), soon(at("5"), "2")]
    }

    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("chairside-headless-{}-{name}", std::process::id()));
            let _gone = std::fs::remove_dir_all(&path);
            Self(path)
        }
        fn file(&self, name: &str) -> Vec<u8> {
            std::fs::read(self.0.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _gone = std::fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn somebody_is_on_call_on_every_day_of_the_roster() {
        let folder = Folder::new("on-call");
        let config = Config { data: folder.0.clone(), demo: true, reserve_mib: 0, ..Config::default() };
        let clock = Clock::held(OPENS.parse().expect("a time"));
        let ids = Ids::seeded(clock.clone(), 7);
        let (_stop, stopping) = watch::channel(false);
        std::fs::create_dir_all(&folder.0).expect("a folder");
        let state = AppState::open(config, clock.clone(), ids, stopping).expect("opened");
        drop(Stage::set(state.clone(), Vec::new(), 7).expect("set"));
        for hours in 0..14 * 24 - 8 {
            let at = clock.now() + jiff::SignedDuration::from_hours(hours);
            assert_eq!(state.floor.on_call(at).len(), 2, "{at}");
        }
    }

    #[test]
    fn a_whole_day_ends_at_home_with_every_microgram_accounted_for_and_repeats_byte_for_byte() {
        let (one, again) = (Folder::new("one"), Folder::new("again"));
        // Fewer reports than in the demonstration, for a shorter test.
        let run = |folder: &Folder| run(&folder.0, two_chairs(), 7, 5).expect("a day");
        let (outcome, repeated) = std::thread::scope(|scope| {
            let other = scope.spawn(|| run(&again));
            (run(&one), other.join().expect("the other day"))
        });
        assert_eq!(outcome, repeated);
        assert_eq!(outcome.refusals, Vec::<String>::new());
        for name in ["journal.jsonl", "chair-1.html", "chair-1.pdf", "chair-2.html", "chair-2.pdf"] {
            assert!(one.file(name) == again.file(name), "{name} differs");
        }
        let page = String::from_utf8(one.file("chair-1.html")).expect("text");
        assert!(page.contains("DEMO: made-up person") && page.contains("DEMONSTRATION: nobody was treated"));
        let gaps =
            page.split_once("Gaps in what was measured").and_then(|(_, rest)| rest.split_once("</table>"));
        assert!(
            gaps.is_some_and(|(gaps, _)| gaps.contains("SpO₂, the device sends no value")),
            "no gap is told"
        );
        let log = one.0.join("chairside.db").to_string_lossy().into_owned();
        let heads = store::SignedHead::read_all(&String::from_utf8(one.file("head.sig")).expect("text"));
        let report = store::verify(&log, &heads.expect("heads")).expect("a log");
        assert!(report.sound(), "{report:?}");
        let store =
            Config { data: one.0.clone(), reserve_mib: 0, ..Config::default() }.open_store().expect("a log");
        for session in outcome.visits.values() {
            let history = History::read(&store, "main", session).expect("a log").expect("a visit");
            let visit = clinic::session::replay(&history.events);
            assert_eq!(visit.phase, Phase::Discharged);
            let accounts = Balance::of(&visit, history.end());
            assert!(accounts.closed() && accounts.drawn.0 > 0, "{accounts:?}");
            let (order, _) = visit.order.as_ref().expect("an order");
            assert_eq!(accounts.delivered, order.dose);
        }
        let raised = |code: &str| String::from_utf8_lossy(&one.file("journal.jsonl")).contains(code);
        assert!(raised("channel_missing/spo2") && raised("MDC_EVT_FLUID_LINE_OCCL"));
    }

    #[test]
    fn another_seed_is_another_day() {
        let begun = |seed: u64| {
            let folder = Folder::new(&format!("seed-{seed}"));
            std::fs::create_dir_all(&folder.0).expect("a folder");
            let config = Config { data: folder.0.clone(), reserve_mib: 0, chairs: 2, ..Config::default() };
            let clock = Clock::held(OPENS.parse().expect("a time"));
            let ids = Ids::seeded(clock.clone(), 7);
            let (_stop, stopping) = watch::channel(false);
            let state = AppState::open(config, clock, ids, stopping).expect("a clinic");
            let mut stage = Stage::set(state.clone(), two_chairs(), seed).expect("a stage");
            for _ in 0..240 {
                second(&state, &mut stage).expect("a second");
            }
            let session = stage.visits().into_values().next().expect("a visit");
            state.floor.history(&session).expect("a log")
        };
        // The ids are the same on purpose: what differs is what the people did.
        assert_eq!(begun(7), begun(7));
        assert_ne!(begun(7), begun(8));
    }
}
