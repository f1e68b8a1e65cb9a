//! Simulated devices on real sockets: each holds its own connection, waits for its own answers and connects again
//! when the line breaks, like a real one.

use anyhow::Context;
use interop::mllp::{Framer, wrap};
use sim::wire::{Frame, check_answer};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;

/// An answer that takes longer counts as lost.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// Wait before connecting again.
const AGAIN_AFTER: Duration = Duration::from_millis(500);

/// Sends what comes until nothing more will.
pub(super) async fn speak(address: SocketAddr, mut frames: mpsc::Receiver<Frame>) {
    loop {
        match talk(address, &mut frames).await {
            Ok(()) => return,
            Err(error) => tracing::warn!(error = format!("{error:#}"), "a simulated device lost its line"),
        }
        tokio::time::sleep(AGAIN_AFTER).await;
    }
}

async fn talk(address: SocketAddr, frames: &mut mpsc::Receiver<Frame>) -> anyhow::Result<()> {
    let mut line = TcpStream::connect(address).await.context("connect")?;
    line.set_nodelay(true)?;
    let mut framer = Framer::new();
    while let Some(frame) = frames.recv().await {
        line.write_all(&wrap(&frame.bytes)).await.context("send")?;
        let answer = tokio::time::timeout(ANSWER_WITHIN, answer(&mut line, &mut framer))
            .await
            .context("no answer")??;
        if let Err(refused) = check_answer(&answer, &frame.control_id) {
            tracing::warn!(%refused, "a simulated device was not heard");
        }
    }
    Ok(())
}

async fn answer(line: &mut TcpStream, framer: &mut Framer) -> anyhow::Result<Vec<u8>> {
    let mut buffer = [0; 4096];
    loop {
        let read = line.read(&mut buffer).await.context("read")?;
        anyhow::ensure!(read > 0, "the server closed the line");
        if let Some(answer) = framer.feed(buffer.get(..read).unwrap_or_default()).pop() {
            return Ok(answer?);
        }
    }
}
