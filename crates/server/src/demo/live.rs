//! The day as a visitor sees it: real pages, a real device port, and staff who work on while one looks.

use super::devices::speak;
use super::headless::second;
use super::stage::Stage;
use crate::clock::{Clock, Ids};
use crate::config::Config;
use crate::{AppState, bind, bind_devices, listener, serve_on, told_to_stop, watch_chairs};
use anyhow::Context;
use clinic::id::ChairId;
use jiff::{SignedDuration, Timestamp};
use sim::wire::{Device, Frame};
use std::collections::HashMap;
use std::net::SocketAddr;
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
        // Controls lock by the clinic's clock, which may run fast.
        lock_after_min: 60,
        ..Config::default()
    }
    .check()?;
    let pages = bind(&config).await?;
    let devices = bind_devices(&config).await?.context("a demonstration has a port for devices")?;
    let (stop, stopping) = watch::channel(false);
    let (seed, speed) = (options.seed, options.speed);
    let morning = move || morning(config, stopping, seed);
    let (state, stage) = tokio::task::spawn_blocking(morning).await??;
    state.clock.let_go(speed);
    let watched = watch_chairs(&state);
    let lines = connect(&stage, devices.local_addr()?);
    let conductor = {
        let state = state.clone();
        std::thread::spawn(move || conduct(&state, stage, &lines))
    };
    ready(pages.local_addr()?);
    let served = tokio::select! {
        served = serve_on(pages, state.clone(), stop, told_to_stop()) => served,
        failed = listener::serve(devices, Arc::clone(&state.floor)) => failed.map_err(Into::into),
    };
    // Both end with the flag that ended the serving.
    let ended = [watched.join(), conductor.join()];
    anyhow::ensure!(ended.iter().all(Result::is_ok), "a part of the demonstration panicked");
    served
}

/// Runs what is over already, as fast as the machine can, up to this very moment.
fn morning(config: Config, stopping: watch::Receiver<bool>, seed: u64) -> anyhow::Result<(AppState, Stage)> {
    let wall = Clock::system();
    let opens = wall.now().checked_sub(SignedDuration::from_mins(PAST_MIN))?;
    let clock = Clock::held(opens);
    let ids = Ids::system(clock.clone());
    let state = AppState::open(config, clock, ids, stopping)?;
    let mut stage = Stage::set(state.clone(), sim::story::day(), seed)?;
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
