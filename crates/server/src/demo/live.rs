//! The day as a visitor sees it: real pages, a real device port, and staff who work on while one looks.

use super::devices::speak;
use super::headless::second;
use super::history::lived_through;
use super::stage::Stage;
use crate::clock::{Clock, Ids};
use crate::config::Config;
use crate::{AppState, bind, bind_devices, hold, listener, serve_on, told_to_stop, watch_chairs};
use anyhow::Context;
use clinic::id::ChairId;
use jiff::{SignedDuration, Timestamp};
use sim::story::Story;
use sim::wire::{Device, Frame};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};

/// So much of the day is over when the visitor comes, in minutes: one patient recovers, three infusions run.
const PAST_MIN: i64 = 76;
/// While the morning runs by, monitors report this often, in seconds: a visitor does not wait for every second.
const MORNING_REPORTS_S: i64 = 5;
/// Frames that may wait on the line of one device; more are lost, as on a device that cannot keep up.
const WAITING_MAX: usize = 256;
/// Reports of one monitor in a second of real time, at most.
const REPORTS_A_SECOND: f64 = 20.0;
/// Longest wait between two looks of the staff.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// How to run it.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// Folder of the log; `None` for one that is taken away at the end.
    pub data: Option<PathBuf>,
    /// Where pages are served.
    pub listen: SocketAddr,
    /// Where devices connect.
    pub devices: SocketAddr,
    /// Times as fast as real time.
    pub speed: f64,
    /// Seed of people and mishaps.
    pub seed: u64,
    /// Only the chairs that nobody looks after; standard input sets the speed.
    pub alone: bool,
    /// So many patients have a year behind them.
    pub history: u32,
}

/// Serves until told to stop. `ready` is called with the address of the pages once the visitor may come.
///
/// # Errors
/// What was being done, and what the machine said.
pub async fn live(options: Options, ready: impl FnOnce(SocketAddr) + Send) -> anyhow::Result<()> {
    let folder = Folder::new(options.data)?;
    let zone = jiff::tz::TimeZone::system();
    let config = Config {
        data: folder.path.clone(),
        listen: options.listen,
        devices: Some(options.devices),
        zone: zone.iana_name().unwrap_or("UTC").to_owned(),
        demo: true,
        phone: Some("+1 303 555 0100".to_owned()),
        // Controls lock by the clinic's clock, which may run fast.
        lock_after_min: 60,
        ..Config::default()
    }
    .check()?;
    let _held = hold(&config).await?;
    let pages = bind(&config).await?;
    let devices = bind_devices(&config).await?.context("a demonstration has a port for devices")?;
    let (stop, stopping) = watch::channel(false);
    let Options { seed, speed, alone, history, .. } = options;
    let (past_min, stories) = if alone {
        (0, sim::story::day().into_iter().filter(|story| story.nurse.is_none()).collect())
    } else {
        (PAST_MIN, sim::story::day())
    };
    let morning = move || {
        let opens = Clock::system().now().checked_sub(SignedDuration::from_mins(past_min))?;
        lived_through(&config, stopping.clone(), opens, (history, seed))?;
        morning(config, stopping, past_min, stories, seed)
    };
    let (state, stage) = tokio::task::spawn_blocking(morning).await??;
    state.clock.let_go(speed);
    if alone {
        let clock = state.clock.clone();
        // It waits for a line until the process ends.
        std::thread::spawn(move || steer(&clock));
    }
    let watched = watch_chairs(&state);
    let lines = connect(&stage, devices.local_addr()?);
    let conductor = {
        let state = state.clone();
        std::thread::spawn(move || conduct(&state, stage, &lines))
    };
    ready(pages.local_addr()?);
    let served = tokio::select! {
        served = serve_on(pages, state.clone(), stop, told_to_stop()) => served,
        never = listener::serve(devices, Arc::clone(&state.floor)) => match never {},
    };
    // Both end with the flag that ended the serving.
    let ended = [watched.join(), conductor.join()];
    anyhow::ensure!(ended.iter().all(Result::is_ok), "a part of the demonstration panicked");
    served
}

/// Slowest and fastest day of a visitor who watches alarms. A screen counts as looking for 5 s of the clinic, and the
/// evaluator looks every quarter of a real second: beyond this speed screens and devices come late although all is
/// well, and alarms tell of silence that no patient made.
const WATCHED: RangeInclusive<f64> = 1.0..=10.0;
/// The same for one who only lets time go by, with alarms of silence.
const SKIPPED: RangeInclusive<f64> = 1.0..=120.0;

/// Whether a demonstration can run so many times as fast as real time.
///
/// # Errors
/// The limits, for a person.
pub fn speed(times: f64) -> Result<f64, String> {
    within(times, &WATCHED).map_err(|limits| {
        format!(
            "{limits}: faster, simulated devices come late and alarms are raised that no patient made. For a whole \
             day in a minute use --headless"
        )
    })
}

fn within(times: f64, limits: &RangeInclusive<f64>) -> Result<f64, String> {
    let (from, to) = (limits.start(), limits.end());
    if limits.contains(&times) { Ok(times) } else { Err(format!("{times} is outside {from} to {to}")) }
}

/// Each line of standard input that holds a speed changes that of the clinic.
fn steer(clock: &Clock) {
    for line in std::io::stdin().lines().map_while(Result::ok) {
        match line
            .trim()
            .parse()
            .map_err(|_| format!("“{line}” is no number"))
            .and_then(|times| within(times, &SKIPPED))
        {
            Ok(times) => {
                clock.let_go(times);
                let late = if WATCHED.contains(&times) { "" } else { " Alarms of silence may come of it." };
                println!("Time runs {times} times as fast.{late}");
            }
            Err(why) => println!("The speed stays as it is: {why}."),
        }
    }
}

/// Runs what is over already, as fast as the machine can, up to this very moment.
fn morning(
    config: Config,
    stopping: watch::Receiver<bool>,
    past_min: i64,
    stories: Vec<Story>,
    seed: u64,
) -> anyhow::Result<(AppState, Stage)> {
    let wall = Clock::system();
    let opens = wall.now().checked_sub(SignedDuration::from_mins(past_min))?;
    let clock = Clock::held(opens);
    let ids = Ids::system(clock.clone());
    let state = AppState::open(config, clock, ids, stopping)?;
    let mut stage = Stage::set(state.clone(), stories, seed)?;
    stage.monitors_report_every(MORNING_REPORTS_S);
    while state.clock.now() < wall.now() {
        second(&state, &mut stage)?;
    }
    stage.monitors_report_every(1);
    Ok((state, stage))
}

type Lines = HashMap<(ChairId, Device), mpsc::Sender<Frame>>;

/// Every device gets its own connection.
fn connect(stage: &Stage, address: SocketAddr) -> Lines {
    let mut lines = Lines::new();
    for (chair, device) in stage.devices() {
        let (send, frames) = mpsc::channel(WAITING_MAX);
        tokio::spawn(speak(address, frames));
        lines.insert((chair, device), send);
    }
    lines
}

/// Lets the seconds pass by the clinic's clock until the server stops.
fn conduct(state: &AppState, mut stage: Stage, lines: &Lines) {
    let (_never, waited) = std::sync::mpsc::channel::<()>();
    let mut lived = state.clock.now();
    while !*state.stopping.borrow() {
        stage.monitors_report_every(reports_s(state.clock.speed()));
        while let Some(next) = next_second(lived, state.clock.now()) {
            lived = next;
            for (chair, frame) in stage.pass(next) {
                let device = frame.device;
                let sent =
                    lines.get(&(chair.clone(), device)).is_some_and(|line| line.try_send(frame).is_ok());
                if !sent {
                    tracing::warn!(%chair, ?device, "a simulated device cannot keep up");
                }
            }
        }
        if let Err(error) = stage.act() {
            tracing::error!(error = format!("{error:#}"), "simulated staff cannot see their chairs");
        }
        for refusal in stage.take_refusals() {
            tracing::info!(refusal, "simulated staff were refused");
        }
        // Nothing is ever sent: this is a wait with a deadline.
        let _ = waited.recv_timeout(LOOK_EVERY.div_f64(state.clock.speed().max(1.0)));
    }
}

/// Seconds of the clinic between two reports of a monitor, so that a fast day is not one of more messages.
fn reports_s(speed: f64) -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "a few seconds at any speed")]
    let seconds = (speed / REPORTS_A_SECOND).ceil() as i64;
    seconds
}

fn next_second(lived: Timestamp, now: Timestamp) -> Option<Timestamp> {
    let next = lived.checked_add(SignedDuration::from_secs(1)).ok()?;
    (next <= now).then_some(next)
}

/// The folder of the log, taken away at the end unless somebody named it.
struct Folder {
    path: PathBuf,
    keep: bool,
}

impl Folder {
    fn new(named: Option<PathBuf>) -> anyhow::Result<Self> {
        let keep = named.is_some();
        let path = named
            .unwrap_or_else(|| std::env::temp_dir().join(format!("chairside-demo-{}", std::process::id())));
        std::fs::create_dir_all(&path).with_context(|| format!("make {}", path.display()))?;
        anyhow::ensure!(
            path.read_dir()?.next().is_none(),
            "{} is not empty: a demonstration begins with a new log",
            path.display()
        );
        Ok(Self { path, keep })
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if !self.keep
            && let Err(error) = std::fs::remove_dir_all(&self.path)
        {
            tracing::warn!(%error, folder = %self.path.display(), "the log of the demonstration is left behind");
        }
    }
}
