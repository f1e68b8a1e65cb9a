//! The watchdog: a parent process that runs the server as its child and restarts it when the alarm evaluator
//! stands still.
//!
//! The evaluator writes one line to the child's standard output after each completed round for as long as the
//! keeper lives, and nothing else feeds the watchdog: a thread that hangs, a lock that is never released, a process
//! that died and one that ended itself all look the same from here, and get the same answer. A restarted server reads the log back, marks running infusions
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

/// Wait before the server is started again; twice as long after each start without a round.
const PAUSE: Duration = Duration::from_millis(500);

/// How a run of the child ended.
#[derive(Default)]
struct End {
    /// Exit code; none when it was killed.
    code: Option<i32>,
    /// Rounds that it made.
    rounds: u64,
}

/// Runs this program again as a child with the same arguments and keeps it running.
///
/// # Errors
/// When the child cannot be started at all, or falls again and again.
pub fn watch() -> anyhow::Result<Exit> {
    keep_running(PAUSE, || {
        Command::new(std::env::current_exe()?)
            .args(std::env::args_os().skip(1))
            .env(CHILD, "1")
            // The child stops when this end closes, however this process ends.
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
    })
}

/// Code 0 is an end that was wished for. Settings that do not work are told once, by the first start; a server that
/// did run is started again however it ended.
fn keep_running(pause: Duration, mut start: impl FnMut() -> std::io::Result<Child>) -> anyhow::Result<Exit> {
    let (_wait, waited) = mpsc::channel::<()>();
    let (mut ran, mut fruitless) = (false, 0_u32);
    loop {
        let end = match start().and_then(run) {
            Err(error) if ran => {
                tracing::error!(%error, "the server cannot be started");
                End::default()
            }
            end => end?,
        };
        ran |= end.rounds > 0;
        match end.code {
            Some(0) => return Ok(Exit::Done),
            Some(code) if !ran && code != PANICKED => return Ok(Exit::Failed),
            _ => {}
        }
        fruitless = if end.rounds > 0 { 0 } else { fruitless + 1 };
        if fruitless >= HOPELESS {
            anyhow::bail!(
                "the server fell {HOPELESS} times without one round of its alarm evaluator; see the messages above"
            );
        }
        tracing::error!(code = end.code, "the server stood still or fell and is started again");
        // Nothing is ever sent: this is a wait with a deadline.
        let _ = waited.recv_timeout(pause * (1 << fruitless));
    }
}

fn run(mut child: Child) -> std::io::Result<End> {
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
                return Ok(End { code: None, rounds });
            }
            Err(RecvTimeoutError::Disconnected) => {
                return Ok(End { code: child.wait()?.code(), rounds });
            }
        }
    }
}

/// Exit code of a Rust program whose main thread panicked.
const PANICKED: i32 = 101;

#[cfg(test)]
mod tests {
    use super::*;

    /// Starts a shell in place of the server and counts the starts.
    fn kept(script: &str) -> (u32, anyhow::Result<Exit>) {
        let mut starts = 0;
        let exit = keep_running(Duration::from_millis(1), || {
            starts += 1;
            let mut shell = Command::new("sh");
            shell.args(["-c", script]).env("START", starts.to_string());
            shell.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()
        });
        (starts, exit)
    }

    /// Hazard 18: an error of the machine that ends the program leaves nobody unwatched.
    #[test]
    fn a_server_that_ended_itself_is_started_again_until_it_is_told_to_stop() {
        for fall in ["exit 1", "exit 101", "kill -9 $$"] {
            let (starts, exit) = kept(&format!("echo round; [ $START -eq 3 ] && exit 0; {fall}"));
            assert_eq!((starts, exit.ok()), (3, Some(Exit::Done)), "{fall}");
        }
    }

    #[test]
    fn a_server_that_never_runs_says_so_once_and_one_that_does_not_come_back_a_few_times() {
        let (starts, exit) = kept("exit 2");
        assert_eq!((starts, exit.ok()), (1, Some(Exit::Failed)));
        let (starts, exit) = kept("[ $START -eq 1 ] && echo round; exit 1");
        assert_eq!((starts, exit.is_err()), (1 + HOPELESS, true));
    }
}
