//! The device port: MLLP over TCP. Bytes in, an acknowledgement out, and only once the log has the frame.
//!
//! A broken frame, a flood or a device that hangs costs its own connection at most. Connections, frames, silences
//! and answers that nobody takes are bounded, and no connection that cannot be opened ends the port.

use crate::floor::{Floor, Intake};
use interop::mllp::{Framer, wrap};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep, timeout, timeout_at};

/// What the port bears.
#[derive(Clone, Copy)]
pub(crate) struct Bounds {
    /// Most devices and gateways at once.
    pub connections: usize,
    /// A connection from which nothing was taken yet is closed when no frame came for so long.
    pub stranger: Duration,
    /// A connection of a device that was heard is closed when no frame came for so long; devices reconnect.
    pub silence: Duration,
    /// A device that does not take an answer for so long is cut off.
    pub answer: Duration,
}

/// Files that this program asks to have open at once: two devices at each of 500 chairs, with as much for the pages.
const FILES_WISHED: u64 = 8_192;

/// A quarter of the files is for devices, so that the log and the pages always find one.
const BOUNDS: Bounds = Bounds {
    connections: 256,
    stranger: Duration::from_secs(30),
    silence: Duration::from_secs(600),
    answer: Duration::from_secs(10),
};
/// Malformed frames in a row after which a connection is closed.
const BROKEN_MAX: u32 = 1_000;
/// Wait after a connection could not be opened, most often for want of a free file.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);
/// Time between two lines of the program's log on connections that were not opened.
const TOLD_EVERY: Duration = Duration::from_secs(10);

/// Serves devices for as long as the program runs.
pub async fn serve(listener: TcpListener, floor: Arc<Floor>) -> Infallible {
    let connections = usize::try_from(files() / 4).unwrap_or(BOUNDS.connections);
    serve_within(Bounds { connections, ..BOUNDS }, listener, floor).await
}

/// How many files may be open at once, after asking the system for as many as are wished for.
pub(crate) fn files() -> u64 {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let has = getrlimit(Resource::Nofile);
    let usual = has.current.unwrap_or(FILES_WISHED);
    let most = has.maximum.unwrap_or(FILES_WISHED).min(FILES_WISHED);
    if usual >= most {
        return usual.min(FILES_WISHED);
    }
    match setrlimit(Resource::Nofile, Rlimit { current: Some(most), maximum: has.maximum }) {
        Ok(()) => most,
        Err(error) => {
            tracing::warn!(%error, files = usual, "fewer devices can connect than a large room has");
            usual
        }
    }
}

pub(crate) async fn serve_within(bounds: Bounds, listener: TcpListener, floor: Arc<Floor>) -> Infallible {
    let places = Arc::new(Semaphore::new(bounds.connections));
    let mut told = Told::default();
    loop {
        let (socket, peer) = match listener.accept().await {
            Ok(opened) => opened,
            Err(error) => {
                told.seldom(
                    |times| tracing::error!(%error, times, "a device's connection could not be opened"),
                );
                sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
            let most = bounds.connections;
            told.seldom(|times| tracing::warn!(%peer, times, "device refused: {most} connections are open"));
            continue;
        };
        let floor = Arc::clone(&floor);
        tokio::spawn(async move {
            if let Err(error) = talk(bounds, socket, peer, floor).await {
                tracing::info!(%peer, %error, "device connection ended");
            }
            drop(place);
        });
    }
}

/// Keeps a flood of connections from becoming a flood of lines.
#[derive(Default)]
struct Told {
    last: Option<Instant>,
    untold: u64,
}

impl Told {
    fn seldom(&mut self, tell: impl FnOnce(u64)) {
        self.untold += 1;
        if self.last.is_none_or(|last| last.elapsed() >= TOLD_EVERY) {
            tell(std::mem::take(&mut self.untold));
            self.last = Some(Instant::now());
        }
    }
}

async fn talk(
    bounds: Bounds,
    mut socket: TcpStream,
    peer: SocketAddr,
    floor: Arc<Floor>,
) -> std::io::Result<()> {
    socket.set_nodelay(true)?;
    let mut framer = Framer::new();
    let mut buffer = vec![0; 16 * 1024];
    let mut broken = 0;
    let (mut heard, mut bears) = (Instant::now(), bounds.stranger);
    loop {
        // Counted from the last frame: single bytes keep no connection open.
        let Ok(read) = timeout_at(heard + bears, socket.read(&mut buffer)).await else {
            return Ok(());
        };
        let read = read?;
        if read == 0 {
            if let Some(error) = framer.finish() {
                tracing::info!(%peer, %error, "the last frame was cut");
            }
            return Ok(());
        }
        for frame in framer.feed(buffer.get(..read).unwrap_or_default()) {
            let answer = match frame {
                Ok(bytes) => {
                    broken = 0;
                    heard = Instant::now();
                    let intake = take(&floor, bytes).await;
                    if intake.as_ref().is_some_and(|intake| intake.refused.is_none()) {
                        bears = bounds.silence;
                    }
                    intake.and_then(|intake| intake.answer)
                }
                Err(error) => {
                    tracing::info!(%peer, %error, "a frame could not be read");
                    broken += 1;
                    floor.refuse_bytes(&error.to_string())
                }
            };
            if broken > BROKEN_MAX {
                return Ok(());
            }
            if let Some(answer) = answer {
                timeout(bounds.answer, socket.write_all(&wrap(&answer))).await??;
            }
        }
    }
}

/// Live at once; the answer waits for the log.
async fn take(floor: &Arc<Floor>, bytes: Vec<u8>) -> Option<Intake> {
    let floor = Arc::clone(floor);
    match tokio::task::spawn_blocking(move || floor.take_frame(&bytes)).await {
        Ok(intake) => Some(intake),
        Err(error) => {
            tracing::error!(%error, "taking a frame failed");
            None
        }
    }
}
