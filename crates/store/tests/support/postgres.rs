//! A PostgreSQL server of our own for a test run.

use crate::folder::Folder;
use crate::pause::pause;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// A PostgreSQL server for this test run, on a Unix socket only.
pub struct Postgres {
    pub url: String,
    server: Option<(std::process::Child, Folder)>,
}

impl Postgres {
    /// `None`, with a printed notice, where there is none and none is required.
    pub fn start() -> Option<Self> {
        if let Ok(url) = std::env::var("CHAIRSIDE_TEST_POSTGRES") {
            return Some(Self { url, server: None });
        }
        let Some(programs) = programs() else {
            assert!(
                std::env::var_os("CHAIRSIDE_REQUIRE_POSTGRES").is_none(),
                "PostgreSQL is required, but there is none below /usr/lib/postgresql"
            );
            println!("PostgreSQL was not run: it is not installed. Only SQLite was tested.");
            return None;
        };
        Some(Self::own(&programs))
    }

    fn own(programs: &Path) -> Self {
        let folder = Folder::new("postgres");
        let data = folder.0.join("data");
        if root() {
            // The server refuses to run as root.
            must(Command::new("chown").arg("postgres").arg(&folder.0));
        }
        must(
            as_owner(&programs.join("initdb"))
                .arg("-D")
                .arg(&data)
                .args(["-U", "owner", "-A", "trust", "-E", "UTF8"]),
        );
        let server = as_owner(&programs.join("postgres"))
            .arg("-D")
            .arg(&data)
            .args(["-c", "listen_addresses=", "-c", "logging_collector=off", "-k"])
            .arg(&folder.0)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let socket = folder.0.to_string_lossy().replace('/', "%2F");
        let admin = format!("postgresql://owner@{socket}/postgres");
        // Row-level security does not bind a superuser, so the store gets a role of its own, as it should in life.
        let mut client = connect(&admin);
        client.batch_execute("CREATE ROLE chairside LOGIN NOSUPERUSER").unwrap();
        client.batch_execute("CREATE DATABASE chairside OWNER chairside").unwrap();
        Self { url: format!("postgresql://chairside@{socket}/chairside"), server: Some((server, folder)) }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if let Some((server, folder)) = &mut self.server {
            // The first line of this file is the server's own process, below `runuser`.
            let pid = std::fs::read_to_string(folder.0.join("data/postmaster.pid")).unwrap_or_default();
            if let Some(pid) = pid.lines().next() {
                let _gone = Command::new("kill").args(["-INT", pid]).status();
            }
            let _ended = server.wait();
        }
    }
}

fn connect(url: &str) -> postgres::Client {
    for _ in 0..200 {
        if let Ok(client) = postgres::Client::connect(url, postgres::NoTls) {
            return client;
        }
        pause(Duration::from_millis(50));
    }
    panic!("the PostgreSQL server did not start");
}

fn programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?;
    versions.flatten().map(|version| version.path().join("bin")).find(|bin| bin.join("initdb").exists())
}

fn root() -> bool {
    let id = Command::new("id").arg("-u").output().unwrap();
    String::from_utf8_lossy(&id.stdout).trim() == "0"
}

fn as_owner(program: &Path) -> Command {
    if !root() {
        return Command::new(program);
    }
    let mut command = Command::new("runuser");
    command.args(["-u", "postgres", "--"]).arg(program).current_dir("/");
    command
}

fn must(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}
