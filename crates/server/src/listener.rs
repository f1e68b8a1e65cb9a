//! The device port: MLLP over TCP. Bytes in, an acknowledgement out, and only once the log has the frame.
//!
//! A broken frame, a flood or a device that hangs costs its own connection at most. Connections, frames and
//! silences are bounded.

use crate::floor::{Floor, Intake};
use interop::mllp::{Framer, wrap};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

/// Most devices and gateways at once.
const CONNECTIONS_MAX: usize = 2_000;
/// A connection that says nothing for so long is closed; devices reconnect.
const SILENCE: Duration = Duration::from_secs(600);
/// Malformed frames in a row after which a connection is closed.
const BROKEN_MAX: u32 = 1_000;

/// Serves devices until the listener fails.
///
/// # Errors
/// When the socket can no longer accept.
pub async fn serve(listener: TcpListener, floor: Arc<Floor>) -> std::io::Result<()> {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let (socket, peer) = listener.accept().await?;
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
            tracing::warn!(%peer, "device refused: {CONNECTIONS_MAX} connections are open");
            continue;
        };
        let floor = Arc::clone(&floor);
        tokio::spawn(async move {
            if let Err(error) = talk(socket, peer, floor).await {
                tracing::info!(%peer, %error, "device connection ended");
            }
            drop(place);
        });
    }
}

async fn talk(mut socket: TcpStream, peer: SocketAddr, floor: Arc<Floor>) -> std::io::Result<()> {
    socket.set_nodelay(true)?;
    let mut framer = Framer::new();
    let mut buffer = vec![0; 16 * 1024];
    let mut broken = 0;
    loop {
        let Ok(read) = tokio::time::timeout(SILENCE, socket.read(&mut buffer)).await else {
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
                    take(&floor, bytes).await
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
                socket.write_all(&wrap(&answer)).await?;
            }
        }
    }
}

/// Live at once; the answer waits for the log.
async fn take(floor: &Arc<Floor>, bytes: Vec<u8>) -> Option<Vec<u8>> {
    let floor = Arc::clone(floor);
    match tokio::task::spawn_blocking(move || floor.take_frame(&bytes)).await {
        Ok(Intake { answer, .. }) => answer,
        Err(error) => {
            tracing::error!(%error, "taking a frame failed");
            None
        }
    }
}
