//! The watchdog: a parent process that runs the server as its child and restarts it when the alarm evaluator
//! stands still.
//!
//! The evaluator writes one line to the child's standard output after each completed round, and nothing else
//! feeds the watchdog: a thread that hangs, a lock that is never released and a process that died all look the
//! same from here, and get the same answer. A restarted server reads the log back, marks running infusions
//! uncertain and raises its alarms again.

use crate::cli::Exit;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

/// Set in the child, so that it serves instead of watching.
pub const CHILD: &str = "CHAIRSIDE_SUPERVISED";
/// Line that the evaluator writes after each completed round.
pub const ROUND: &str = "round";

/// Silence after which the child is killed. Ten seconds is the longest that hazard analysis allows for the whole
/// restart; the evaluator makes four rounds a second.
const SILENCE: Duration = Duration::from_secs(5);
/// A server that needs longer than this to its first round has a long log to verify.
const FIRST_ROUND: Duration = Duration::from_secs(120);
/// Restarts in a row without a single round in between, before the watchdog gives up and says so.
const HOPELESS: u32 = 5;

/// How a run of the child ended.
enum End {
    /// By itself, with this exit code.
    Exited(i32),
    /// Killed by the watchdog or by a signal, after this many rounds.
    Fell { rounds: u64 },
}

/// Runs this program again as a child with the same arguments and keeps it running.
///
/// # Errors
/// When the child cannot be started at all.
pub fn watch() -> anyhow::Result<Exit> {
    let mut fruitless = 0_u32;
    loop {
        let program = std::env::current_exe()?;
        let child = Command::new(program)
            .args(std::env::args_os().skip(1))
            .env(CHILD, "1")
            // The child stops when this end closes, however this process ends.
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        match run(child)? {
            End::Exited(0) => return Ok(Exit::Done),
            End::Exited(_) => return Ok(Exit::Failed),
            End::Fell { rounds: 0 } => fruitless += 1,
            End::Fell { .. } => fruitless = 0,
        }
        if fruitless >= HOPELESS {
            anyhow::bail!(
                "the server fell {HOPELESS} times without one round of its alarm evaluator; see the messages above"
            );
        }
        tracing::error!("the server stood still or fell and is started again");
    }
}

fn run(mut child: Child) -> anyhow::Result<End> {
    let lines = child.stdout.take().map(BufReader::new);
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        for line in lines.into_iter().flat_map(BufRead::lines).map_while(Result::ok) {
            if line != ROUND {
                println!("{line}");
            } else if tell.send(()).is_err() {
                return;
            }
        }
    });
    let mut rounds = 0;
    loop {
        match told.recv_timeout(if rounds == 0 { FIRST_ROUND } else { SILENCE }) {
            Ok(()) => rounds += 1,
            Err(RecvTimeoutError::Timeout) => {
                tracing::error!(rounds, "the alarm evaluator made no round for {} s", SILENCE.as_secs());
                child.kill()?;
                child.wait()?;
                return Ok(End::Fell { rounds });
            }
            Err(RecvTimeoutError::Disconnected) => {
                let status = child.wait()?;
                return Ok(status
                    .code()
                    .filter(|code| *code != PANICKED)
                    .map_or(End::Fell { rounds }, End::Exited));
            }
        }
    }
}

/// Exit code of a Rust program whose main thread panicked.
const PANICKED: i32 = 101;
