//! The port of the pages: how many browsers at once, and who gives way.
//!
//! Each open page of the staff holds a connection for its live channel. A connection on which nobody has signed in yet
//! is a stranger's: strangers are few, and where they are too many the oldest goes, so that whoever holds connections
//! open without a word never keeps a nurse from the alarms.

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

/// What the port bears.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Most connections at once.
    pub all: usize,
    /// Most of them on which nobody has signed in.
    pub strangers: usize,
}

impl Bounds {
    /// Half of the files that may be open: the device port takes a quarter, and the log always finds one.
    pub fn of_files(files: u64) -> Self {
        Self { all: usize::try_from(files / 2).unwrap_or(usize::MAX), strangers: STRANGERS_MAX }
    }
}

/// Many times as many as people who sign in at the same moment.
const STRANGERS_MAX: usize = 128;

/// Wait after a connection could not be opened, most often for want of a free file.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);
/// What one reads for whom there is no place.
const FULL: &str = "The server has no place for another page: too many are open. Close some, wait a moment and load this page again. Alarms go on where they are shown.\n";

/// Lets browsers in.
#[derive(Debug)]
pub struct Reception {
    listener: TcpListener,
    bounds: Bounds,
    house: Arc<Mutex<House>>,
}

#[derive(Debug, Default)]
struct House {
    last: u64,
    all: usize,
    /// Oldest first, each with the word that sends it away.
    strangers: VecDeque<(u64, oneshot::Sender<()>)>,
}

/// The place of a connection.
#[derive(Debug)]
struct Place {
    number: u64,
    house: Arc<Mutex<House>>,
}

/// Where a request comes from.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Its network address.
    pub address: SocketAddr,
    place: Arc<Place>,
}

/// A connection in its place.
#[derive(Debug)]
pub struct Visitor {
    socket: TcpStream,
    place: Arc<Place>,
    away: Option<oneshot::Receiver<()>>,
}

impl Reception {
    /// Opens on a bound port.
    pub fn new(listener: TcpListener, bounds: Bounds) -> Self {
        Self { listener, bounds, house: Arc::default() }
    }

    /// A place for a connection; where all are taken, a stranger's.
    fn place(&self, socket: TcpStream) -> Result<Visitor, TcpStream> {
        let mut house = lock(&self.house);
        let full = house.all >= self.bounds.all;
        if full && house.strangers.is_empty() {
            return Err(socket);
        }
        if full || house.strangers.len() >= self.bounds.strangers {
            // It has gone by itself where nobody listens.
            let _gone = house.strangers.pop_front().map(|(_, away)| away.send(()));
        }
        let (send_away, away) = oneshot::channel();
        house.last += 1;
        house.all += 1;
        let number = house.last;
        house.strangers.push_back((number, send_away));
        let place = Arc::new(Place { number, house: Arc::clone(&self.house) });
        Ok(Visitor { socket, place, away: Some(away) })
    }
}

impl Caller {
    /// Somebody has signed in on this connection: it gives way to nobody.
    pub fn is_known(&self) {
        lock(&self.place.house).strangers.retain(|(number, _)| *number != self.place.number);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut house = lock(&self.house);
        house.all = house.all.saturating_sub(1);
        house.strangers.retain(|(number, _)| *number != self.number);
    }
}

fn lock(house: &Mutex<House>) -> MutexGuard<'_, House> {
    house.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Listener for Reception {
    type Io = Visitor;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Visitor, SocketAddr) {
        loop {
            let (socket, address) = match self.listener.accept().await {
                Ok(opened) => opened,
                Err(error) => {
                    tracing::error!(%error, "a page's connection could not be opened");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            };
            match self.place(socket) {
                Ok(visitor) => return (visitor, address),
                Err(socket) => {
                    tracing::warn!(%address, most = self.bounds.all, "a page was turned away: too many are open");
                    turn_away(&socket);
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// Says so without waiting: the answer fits into what the kernel takes at once.
fn turn_away(socket: &TcpStream) {
    let answer = format!(
        "HTTP/1.1 503 Service Unavailable\r\nretry-after: 5\r\nconnection: close\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: {}\r\n\r\n{FULL}",
        FULL.len()
    );
    let _told = socket.try_write(answer.as_bytes());
}

impl Connected<IncomingStream<'_, Reception>> for Caller {
    fn connect_info(stream: IncomingStream<'_, Reception>) -> Self {
        Self { address: *stream.remote_addr(), place: Arc::clone(&stream.io().place) }
    }
}

impl AsyncRead for Visitor {
    /// One who is sent away has nothing more to say.
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if let Some(away) = &mut self.away
            && let Poll::Ready(said) = Pin::new(away).poll(cx)
        {
            self.away = None;
            if said.is_ok() {
                return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
            }
        }
        Pin::new(&mut self.socket).poll_read(cx, buf)
    }
}

impl AsyncWrite for Visitor {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.socket).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.socket).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::Router;
    use axum::extract::ConnectInfo;
    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    /// A house with a door at `/in` behind which one is known.
    async fn house(bounds: Bounds) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let known = get(|ConnectInfo(caller): ConnectInfo<Caller>| async move { caller.is_known() });
        let pages = Router::new().route("/in", known).route("/", get(|| async {}));
        let service = pages.into_make_service_with_connect_info::<Caller>();
        tokio::spawn(async move { axum::serve(Reception::new(listener, bounds), service).await });
        address
    }

    async fn connect(address: SocketAddr) -> TcpStream {
        TcpStream::connect(address).await.expect("connected")
    }

    /// The first bytes of the answer; nothing from one that was sent away.
    async fn ask(socket: &mut TcpStream, path: &str) -> String {
        let request = format!("GET {path} HTTP/1.1\r\nhost: h\r\n\r\n");
        let mut answer = [0; 1024];
        let asked = socket.write_all(request.as_bytes()).await;
        let read = tokio::time::timeout(Duration::from_secs(10), socket.read(&mut answer)).await;
        match (asked, read.expect("an answer or an end")) {
            (Ok(()), Ok(read)) => String::from_utf8_lossy(&answer[..read]).into_owned(),
            _ => String::new(),
        }
    }

    #[tokio::test]
    async fn silent_strangers_give_way_and_whoever_signed_in_stays() {
        let address = house(Bounds { all: 8, strangers: 3 }).await;
        let mut nurse = connect(address).await;
        assert!(ask(&mut nurse, "/in").await.contains("200 OK"));
        let mut silent = Vec::new();
        for _ in 0..40 {
            silent.push(connect(address).await);
        }
        assert!(ask(&mut nurse, "/").await.contains("200 OK"), "her connection stands");
        let mut other = connect(address).await;
        assert!(ask(&mut other, "/in").await.contains("200 OK"), "and another nurse comes in");
        assert_eq!(ask(&mut silent[0], "/").await, "", "the oldest stranger went");
    }

    #[tokio::test]
    async fn a_full_house_says_so_and_lets_in_again_when_somebody_goes() {
        let address = house(Bounds { all: 2, strangers: 1 }).await;
        let (mut one, mut two) = (connect(address).await, connect(address).await);
        assert!(
            ask(&mut one, "/in").await.contains("200 OK") || ask(&mut two, "/in").await.contains("200 OK")
        );
        let mut known = Vec::new();
        for _ in 0..2 {
            let mut comes = connect(address).await;
            if ask(&mut comes, "/in").await.contains("200 OK") {
                known.push(comes);
            }
        }
        let mut late = connect(address).await;
        let answer = ask(&mut late, "/in").await;
        assert!(answer.starts_with("HTTP/1.1 503 Service Unavailable\r\nretry-after: 5"), "{answer}");
        drop((one, two, known));
        let mut comes = connect(address).await;
        while !ask(&mut comes, "/in").await.contains("200 OK") {
            comes = connect(address).await;
        }
    }
}
