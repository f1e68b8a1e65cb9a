//! The real program from outside: a process, its pages over HTTP, its live channel, its device port.

pub mod http;
pub mod room;

use http::Client;
use server::clock::Clock;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Duration;

/// A start that takes longer is broken.
const START_MAX: Duration = Duration::from_secs(60);

/// Waits on a channel that nobody sends on.
pub fn pause(time: Duration) {
    let (_keep, never) = sync_channel::<()>(1);
    assert_eq!(never.recv_timeout(time), Err(RecvTimeoutError::Timeout));
}

/// A folder that is taken away again at the end.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new(name: &str) -> Self {
        // In memory where there is such a place: a killed process loses nothing that it gave to the kernel.
        let memory = Path::new("/dev/shm");
        let place = if memory.is_dir() { memory.to_path_buf() } else { std::env::temp_dir() };
        let folder = place.join(format!("chairside-{name}-{}", std::process::id()));
        let _old = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _left = std::fs::remove_dir_all(&self.0);
    }
}

/// A running server; killed when it goes.
pub struct Server {
    child: Child,
    pub pages: SocketAddr,
    pub devices: SocketAddr,
    /// From the start of the process to its first answer.
    pub came_up: Duration,
}

/// Two ports that nobody has at this moment. Somebody may take one before the program does.
fn free_ports() -> [SocketAddr; 2] {
    let held = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    held.map(|listener| listener.local_addr().unwrap())
}

impl Server {
    pub fn start(program: &Path, config: &Path, data: &Path) -> Self {
        loop {
            match Self::try_start(program, config, data) {
                Ok(server) => return server,
                Err(said) => {
                    assert!(said.contains("Address already in use"), "the server ended at its start: {said}");
                }
            }
        }
    }

    /// What it said on standard error where it ended instead of coming up.
    fn try_start(program: &Path, config: &Path, data: &Path) -> Result<Self, String> {
        let [pages, devices] = free_ports();
        let (clock, log) = (Clock::system(), std::fs::File::create(data.join("stderr")));
        let child = Command::new(program)
            .args(["serve", "--unwatched", "--config"])
            .arg(config)
            .arg("--data")
            .arg(data)
            .args(["--listen", &pages.to_string(), "--devices", &devices.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log.map_or_else(|_| Stdio::null(), Stdio::from))
            .spawn()
            .unwrap();
        let mut server = Self { child, pages, devices, came_up: Duration::ZERO };
        while Client::new(pages, None).get("/healthz").is_err() {
            if server.child.try_wait().unwrap().is_some() {
                return Err(std::fs::read_to_string(data.join("stderr")).unwrap_or_default());
            }
            assert!(clock.passed() < START_MAX, "the server does not answer");
            pause(Duration::from_millis(2));
        }
        server.came_up = clock.passed();
        Ok(server)
    }

    pub fn device_line(&self) -> std::io::Result<TcpStream> {
        let line = TcpStream::connect(self.devices)?;
        line.set_nodelay(true)?;
        line.set_read_timeout(Some(Duration::from_secs(10)))?;
        Ok(line)
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _waited = self.child.wait();
    }
}
