//! The watchdog restarts a server whose alarm evaluator stands still. The real program, hung by a real signal.

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

const PROGRAM: &str = env!("CARGO_BIN_EXE_chairside");

struct Running {
    watchdog: Child,
    folder: PathBuf,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.watchdog.kill();
        let _ = self.watchdog.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

impl Running {
    /// The process that serves, a child of the watchdog.
    fn server(&self) -> Option<u32> {
        let id = self.watchdog.id();
        let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children")).ok()?;
        children.split_whitespace().next()?.parse().ok()
    }
}

fn free_port() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("its address")
}

fn answers(address: SocketAddr) -> bool {
    let Ok(mut stream) = TcpStream::connect_timeout(&address, Duration::from_millis(300)) else {
        return false;
    };
    let _ = stream.set_read_timeout(Some(Duration::from_millis(500)));
    let asked = stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    let mut answer = [0; 12];
    asked.is_ok() && stream.read_exact(&mut answer).is_ok() && answer.ends_with(b"200")
}

/// Asks again and again; a machine under load may take its time, so the end is far away.
fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let (_wait, waited) = mpsc::channel::<()>();
    for _ in 0..600 {
        if is_so() {
            return;
        }
        let _ = waited.recv_timeout(Duration::from_millis(100));
    }
    panic!("{what}");
}

fn start(name: &str, address: SocketAddr) -> Running {
    start_with(name, "ulimit -n 1024", &["--no-devices"], address)
}

/// The server under a limit of the shell.
fn start_with(name: &str, limit: &str, devices: &[&str], address: SocketAddr) -> Running {
    let folder = std::env::temp_dir().join(format!("chairside-{name}-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder");
    let mut founding = Command::new(PROGRAM)
        .args(["init", "--name", "Owner One", "--data"])
        .arg(&folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("init starts");
    let words = b"quiet morning at the river\n270415\n";
    founding.stdin.take().expect("a pipe").write_all(words).expect("words");
    assert!(founding.wait().expect("init ends").success());
    let watchdog = Command::new("sh")
        .args(["-c", &format!("{limit} && exec \"$0\" \"$@\""), PROGRAM, "serve"])
        .args(devices)
        .args(["--listen", &address.to_string(), "--data"])
        .arg(&folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("serve starts");
    Running { watchdog, folder }
}

#[test]
fn a_server_that_stands_still_is_replaced_and_serves_again() {
    let address = free_port();
    let running = start("stuck", address);
    eventually("the server does not start", || answers(address));
    let first = running.server().expect("the watchdog has a child");
    let hung = Command::new("kill").args(["-STOP", &first.to_string()]).status().expect("kill runs");
    assert!(hung.success());
    eventually("the stuck server is not replaced", || {
        running.server().is_some_and(|now| now != first) && answers(address)
    });
}

#[test]
fn the_server_ends_with_its_watchdog() {
    let address = free_port();
    let mut running = start("orphan", address);
    eventually("the server does not start", || answers(address));
    running.watchdog.kill().expect("the watchdog is killed");
    running.watchdog.wait().expect("it ends");
    eventually("the server outlives its watchdog", || !answers(address));
}

/// More connections than the program may open files: the port keeps most of them out, and pages are answered while the
/// flood stands.
#[test]
fn a_flood_of_silent_connections_does_not_end_the_server() {
    let (address, devices) = (free_port(), free_port());
    let running = start_with("flood", "ulimit -n 80", &["--devices", &devices.to_string()], address);
    eventually("the server does not start", || answers(address));
    let first = running.server().expect("the watchdog has a child");
    let flood: Vec<TcpStream> = (0..120).filter_map(|_| TcpStream::connect(devices).ok()).collect();
    assert!(flood.len() > 80, "{} connections are no flood", flood.len());
    let (_wait, waited) = mpsc::channel::<()>();
    let _ = waited.recv_timeout(Duration::from_secs(2));
    assert!(answers(address), "the flood takes the pages with it");
    drop(flood);
    eventually("the server does not answer after the flood", || answers(address));
    assert_eq!(running.server(), Some(first), "it is the same server as before");
}

/// A second server would show a room that it does not hear.
#[test]
fn one_folder_is_served_by_one_server() {
    let address = free_port();
    let running = start("alone", address);
    eventually("the server does not start", || answers(address));
    let second = Command::new(PROGRAM)
        .args(["serve", "--no-devices", "--listen", &free_port().to_string(), "--data"])
        .arg(&running.folder)
        .output()
        .expect("serve starts");
    assert!(!second.status.success());
    let said = String::from_utf8_lossy(&second.stderr);
    assert!(said.contains("another Chairside serves the log"), "{said}");
    assert!(answers(address), "the first one goes on");
}
