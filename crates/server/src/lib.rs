//! The outside world: pages, sockets, clock and command line.

pub mod assets;
pub mod auth;
pub mod cli;
pub mod clock;
pub mod config;
pub mod demo;
pub mod doors;
pub mod floor;
pub mod founding;
pub mod lab;
pub mod listener;
pub mod mail;
pub mod pages;
pub mod reception;
pub mod record;
pub mod rules;
pub mod security;
pub mod supervise;
pub mod views;
pub mod words;

use anyhow::Context;
use auth::Auth;
use axum::Router;
use clinic::knowledge::Knowledge;
use clock::{Clock, Ids};
use config::Config;
use doors::Doors;
use floor::Floor;
use reception::{Bounds, Caller, Reception};
use serde::de::DeserializeOwned;
use std::convert::Infallible;
use std::future::Future;
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;
use store::{Recorded, Store, WriterState};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};

/// How often what waits across patients is counted.
const COUNT_EVERY: Duration = Duration::from_secs(60);

/// Longest wait for requests under way when the program is told to stop.
const STOP_WAIT: Duration = Duration::from_secs(5);

/// Records printed at once: one takes a core for as long as it lasts, and the watch needs the other.
const PRINTS_MAX: usize = 1;

/// A broken machine, never an answer to a person.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The log cannot be read or opened.
    #[error("the log does not work")]
    Store(#[from] store::Fault),
    /// The log did not take a write.
    #[error("the log did not take the write")]
    Append(#[from] store::AppendError),
    /// An event does not have the shape that its kind should have.
    #[error("the event {kind} cannot be read or written")]
    Event {
        /// Kind in the log.
        kind: String,
        /// What the reader says.
        #[source]
        cause: serde_json::Error,
    },
    /// A password hash.
    #[error(transparent)]
    Hash(#[from] auth::secret::HashFault),
    /// A page could not be drawn.
    #[error("a page could not be drawn")]
    Template(#[from] askama::Error),
    /// A record could not be printed.
    #[error(transparent)]
    Print(#[from] record::PdfFault),
    /// A task ended before its time.
    #[error("a task ended before its time")]
    Task(#[from] tokio::task::JoinError),
    /// The shipped knowledge does not hold.
    #[error("the shipped knowledge does not hold: {0}")]
    Knowledge(String),
    /// Nobody in danger may be left without a number to call.
    #[error(
        "region = {region:?} has no crisis lines; those known are {known}. Add a file below knowledge/care, or name one of these"
    )]
    NoCrisisLines {
        /// As set.
        region: String,
        /// Which there are.
        known: String,
    },
    /// Made-up people never come into the log of real ones.
    #[error(
        "demo = true, but the log is that of a clinic and its patients. A demonstration begins with a new log: name another folder, or take demo out of the settings"
    )]
    RealPeople,
    /// What was going on cannot be read back from the log.
    #[error("the floor cannot be opened: {0:#}")]
    Floor(anyhow::Error),
}

/// Reads an event's body as the type its stream holds.
pub(crate) fn read_event<T: DeserializeOwned>(event: &Recorded) -> Result<T, Fault> {
    serde_json::from_str(&event.body).map_err(|cause| Fault::Event { kind: event.kind.clone(), cause })
}

/// When a row was recorded.
pub(crate) fn read_time(row: &Recorded) -> Result<jiff::Timestamp, Fault> {
    use serde::de::Error;
    jiff::Timestamp::from_microsecond(row.at_us).map_err(|cause| Fault::Event {
        kind: row.kind.clone(),
        cause: serde_json::Error::custom(format!("the time {} µs: {cause}", row.at_us)),
    })
}

/// What every handler works with. Cheap to clone.
#[derive(Clone)]
pub struct AppState {
    /// Settings.
    pub config: Arc<Config>,
    /// The log.
    pub store: Store,
    /// What clinicians know.
    pub knowledge: Arc<Knowledge>,
    /// Time.
    pub clock: Clock,
    /// Ids.
    pub ids: Ids,
    /// Sign-in and signatures.
    pub auth: Arc<Auth>,
    /// What goes on in the room.
    pub floor: Arc<Floor>,
    /// How many inquiries from outside are taken.
    pub doors: Arc<Doors>,
    /// Places of records that are being printed.
    pub printing: Arc<Semaphore>,
    /// One simulation of the lab at a time.
    pub lab: Arc<Semaphore>,
    /// Turns true when the program stops; long answers such as the live stream end then.
    pub stopping: watch::Receiver<bool>,
}

impl AppState {
    /// Opens the log and puts the parts together.
    ///
    /// # Errors
    /// [`Fault`] when the log cannot be opened or does not verify, or the knowledge does not hold.
    pub fn open(
        mut config: Config,
        clock: Clock,
        ids: Ids,
        stopping: watch::Receiver<bool>,
    ) -> Result<Self, Fault> {
        let store = config.open_store()?;
        config.demo = founding::is_demo(&store, &config.site, config.demo)?;
        go_on_from_the_log(&store, &config.site, &clock)?;
        let knowledge = Arc::new(Knowledge::shipped().map_err(|cause| Fault::Knowledge(cause.to_string()))?);
        if knowledge.crisis_lines(&config.region).is_none() {
            let known = knowledge.crisis_regions().join(", ");
            return Err(Fault::NoCrisisLines { region: config.region, known });
        }
        if let Err(cause) = rules::keep(&store, &config.site, &knowledge, &clock, &ids) {
            tracing::error!(%cause, "which rules this program decides by is not in the log");
        }
        let idle = Duration::from_secs(60 * u64::from(config.lock_after_min));
        let auth = Auth::new(&store, &config.site, &clock, &ids, idle);
        auth.logins().expire();
        let (site, chairs, zone) = (config.site.as_str(), config.chair_ids(), config.time_zone());
        let known = Arc::clone(&knowledge);
        let floor = Floor::open(site, store.clone(), known, clock.clone(), ids.clone(), &chairs, zone)
            .map_err(Fault::Floor)?;
        Ok(Self {
            config: Arc::new(config),
            store,
            knowledge,
            clock,
            ids,
            auth: Arc::new(auth),
            floor,
            doors: Arc::default(),
            printing: Arc::new(Semaphore::new(PRINTS_MAX)),
            lab: Arc::new(Semaphore::new(1)),
            stopping,
        })
    }

    /// Runs work that waits for the disk or hashes, off the threads that serve the live streams.
    ///
    /// # Errors
    /// [`Fault::Task`] when the work panicked.
    pub async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> T + Send + 'static,
    ) -> Result<T, Fault> {
        let state = self.clone();
        Ok(tokio::task::spawn_blocking(move || work(&state)).await?)
    }

    /// Why nothing is being recorded, or nothing when all is well.
    pub fn not_recording(&self) -> Option<String> {
        match self.store.state() {
            WriterState::Recording => None,
            WriterState::ClosingOnly { why, .. } | WriterState::NotRecording { why, .. } => Some(why),
        }
    }
}

/// The whole web side: every page of [`pages::ALL`] behind its gate, and nothing else.
pub fn router(state: AppState) -> Router {
    router_of(state, pages::ALL)
}

/// Some pages with all that surrounds them.
pub fn router_of(state: AppState, routes: &'static [pages::Route]) -> Router {
    pages::router(&state, routes)
        .layer(axum::middleware::from_fn_with_state(state.clone(), security::headers))
        .layer(axum::middleware::from_fn(security::log_request))
        .with_state(state)
}

/// A machine whose clock was set back would hold every watch still until the hour of the last line comes again.
fn go_on_from_the_log(store: &Store, site: &str, clock: &Clock) -> Result<(), store::Fault> {
    let end = store.head(site)?.position;
    let rows = store.since(site, (end - store::ROWS_MAX).max(0), store::ROWS_MAX)?;
    let latest = rows.iter().map(|row| row.at_us).max();
    let Some(last) = latest.and_then(|at| jiff::Timestamp::from_microsecond(at).ok()) else { return Ok(()) };
    let behind = clock.not_before(last);
    if behind >= clock::CLOCK_OFF {
        tracing::error!(
            behind_s = behind.as_secs(),
            log_ended = %last,
            "this machine's clock is behind the log: times go on from the end of the log. Set the clock and start again"
        );
    }
    Ok(())
}

/// How often, and how long in between, a server asks for a folder that the one before it is about to leave.
const HOLD_TRIES: u32 = 25;
const HOLD_PAUSE: Duration = Duration::from_millis(200);

/// Holds the folder of the log for one server: a second one would show a room that it does not hear. Whoever only
/// reads the log needs no hold. A log on PostgreSQL has no folder, and of a folder that is not there the log says so.
///
/// # Errors
/// Another server has it, or the folder cannot be read.
pub(crate) async fn hold(config: &Config) -> anyhow::Result<Option<std::fs::File>> {
    use std::fs::TryLockError;
    let data = config.data.display();
    if config.database.is_some() {
        return Ok(None);
    }
    let folder = match std::fs::File::open(&config.data) {
        Ok(folder) => folder,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).with_context(|| format!("{data} cannot be read")),
    };
    for _ in 0..HOLD_TRIES {
        match folder.try_lock() {
            Ok(()) => return Ok(Some(folder)),
            Err(TryLockError::WouldBlock) => tokio::time::sleep(HOLD_PAUSE).await,
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("{data} cannot be held"));
            }
        }
    }
    anyhow::bail!(
        "another Chairside serves the log in {data}: stop it first, or give this one a folder of its own with --data"
    )
}

/// Opens the log and serves until SIGTERM or Ctrl-C; then lets requests under way finish.
///
/// # Errors
/// What was being done, and what the machine said.
pub async fn serve(config: Config) -> anyhow::Result<()> {
    let _held = hold(&config).await?;
    let clock = Clock::system();
    let ids = Ids::system(clock.clone());
    let (stop, stopping) = watch::channel(false);
    let state = tokio::task::spawn_blocking(move || AppState::open(config, clock, ids, stopping)).await??;
    let listener = bind(&state.config).await?;
    let devices = bind_devices(&state.config).await?;
    let watched = watch_chairs(&state);
    let zone = state.config.time_zone();
    let post = state.config.mail.as_ref().map(|settings| mail::Post::open(settings, zone)).transpose()?;
    let reminding = post.map(|post| mail::send_reminders(&state, post));
    let serving = serve_on(listener, state.clone(), stop, told_to_stop());
    match devices {
        Some(devices) => tokio::select! {
            served = serving => served?,
            never = listener::serve(devices, Arc::clone(&state.floor)) => match never {},
        },
        None => serving.await?,
    }
    // The evaluator ends with the flag that ended the serving; a reminder that is being sent is waited for, so that the
    // log has what became of it.
    let _ended = watched.join();
    if let Some(reminding) = reminding {
        let _ended = reminding.join();
    }
    Ok(())
}

/// Starts the keeper and the alarm evaluator, each on a thread of its own, apart from everything that serves pages
/// and reports. The evaluator sees to it that the keeper lives.
pub fn watch_chairs(state: &AppState) -> std::thread::JoinHandle<()> {
    let (floor, stopping) = (Arc::clone(&state.floor), state.stopping.clone());
    let supervised = std::env::var_os(supervise::CHILD).is_some();
    let (keeper, until) = (Arc::clone(&floor), stopping.clone());
    let keeper = std::thread::spawn(move || floor::keep_records(&keeper, &until));
    let watchdog: Box<dyn Write + Send> =
        if supervised { Box::new(std::io::stdout()) } else { Box::new(std::io::sink()) };
    std::thread::spawn(move || floor::evaluate(&floor, &stopping, &keeper, watchdog))
}

/// Binds the port of the devices, where there is one.
///
/// # Errors
/// Which address, and what the machine said.
pub async fn bind_devices(config: &Config) -> anyhow::Result<Option<TcpListener>> {
    let Some(address) = config.devices else { return Ok(None) };
    let listener = TcpListener::bind(address).await.map_err(|cause| {
        anyhow::anyhow!(
            "cannot listen for devices on {address}: {cause}. Choose another with --devices, or --no-devices."
        )
    })?;
    tracing::info!(address = %listener.local_addr()?, "listening for devices");
    Ok(Some(listener))
}

/// Binds the address of the settings.
///
/// # Errors
/// Which address, and what the machine said.
pub async fn bind(config: &Config) -> anyhow::Result<TcpListener> {
    TcpListener::bind(config.listen).await.map_err(|cause| {
        let (at, option) = (config.listen, if config.demo { "--port" } else { "--listen" });
        anyhow::anyhow!(
            "cannot listen on {at}: {cause}. Is another chairside running? Choose another with {option}."
        )
    })
}

/// Serves `state` on `listener` until `until` comes; `stop` ends the long answers.
///
/// # Errors
/// What the machine said when it could not accept connections.
pub async fn serve_on(
    listener: TcpListener,
    state: AppState,
    stop: watch::Sender<bool>,
    until: impl Future<Output = ()> + Send + 'static,
) -> anyhow::Result<()> {
    tracing::info!(address = %listener.local_addr()?, "serving");
    let mut stopping = state.stopping.clone();
    let counting = count_what_waits(state.clone());
    let service = router(state).into_make_service_with_connect_info::<Caller>();
    let serving = axum::serve(Reception::new(listener, Bounds::of_files(listener::files())), service)
        .with_graceful_shutdown(async move {
            until.await;
            tracing::info!("stopping");
            let _ = stop.send(true);
        });
    let overdue = async {
        // The sender is gone only when serving has ended, and then this branch is dropped.
        let _ = stopping.wait_for(|stopping| *stopping).await;
        tokio::time::sleep(STOP_WAIT).await;
    };
    tokio::select! {
        served = serving => served?,
        () = overdue => tracing::warn!("connections were cut that did not end in time"),
        never = counting => match never {},
    }
    Ok(())
}

/// Counts once a minute what waits across patients. The keeper, which writes down who is watched, waits for no look at
/// everybody.
async fn count_what_waits(state: AppState) -> Infallible {
    let mut minutes = tokio::time::interval(COUNT_EVERY);
    minutes.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        minutes.tick().await;
        let counted = state.blocking(|app| app.floor.worklist().map(drop)).await;
        if let Err(error) | Ok(Err(error)) = counted {
            tracing::warn!(%error, "what waits is not counted");
        }
    }
}

/// Ends when the watchdog that started this process is gone; never without one.
async fn left_by_watchdog() {
    if std::env::var_os(supervise::CHILD).is_none() {
        return std::future::pending().await;
    }
    let (tell, told) = tokio::sync::oneshot::channel();
    // A thread of its own: a read that waits for ever would hold the runtime open.
    std::thread::spawn(move || {
        let _end = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        let _gone = tell.send(());
    });
    let _left = told.await;
}

async fn told_to_stop() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        let _ = tokio::signal::ctrl_c().await;
        return;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
        () = left_by_watchdog() => {}
    }
}
