//! Runs one step after another, shows each as it goes, and counts what passed and failed.

use anyhow::{Context, Result};
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How a step is counted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Count {
    /// The step is one check.
    AsOne,
    /// Its tests are counted from the report it prints; none at all is a failure.
    ItsTests,
}

/// Tests that ran.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) ignored: u64,
}

/// The steps so far.
#[derive(Default)]
pub(crate) struct Steps {
    done: Vec<(String, Duration, Tally)>,
    left_out: Vec<String>,
}

impl Steps {
    /// Runs a command to its end. A failure is counted and the next step still runs.
    pub(crate) fn command(&mut self, name: &str, count: Count, command: &mut Command) {
        self.step(name, || watch(command, count));
    }

    /// Runs a check of our own: `Ok(false)` when it failed and has said why.
    pub(crate) fn check(&mut self, name: &str, check: impl FnOnce() -> Result<bool>) {
        self.step(name, || check().map(one));
    }

    /// Says that something was not run, and why.
    pub(crate) fn leave_out(&mut self, why: impl Into<String>) {
        self.left_out.push(why.into());
    }

    fn step(&mut self, name: &str, run: impl FnOnce() -> Result<Tally>) {
        println!("\n== {name}");
        let began = now();
        let tally = run().unwrap_or_else(|error| {
            eprintln!("{name}: {error:#}");
            one(false)
        });
        self.done.push((name.to_owned(), now() - began, tally));
    }

    /// Lists the steps with their time and closes with `N passed, N failed`. `true` when nothing failed.
    pub(crate) fn close(self) -> bool {
        println!();
        let mut sum = Tally::default();
        for (name, took, tally) in &self.done {
            let word = if tally.failed == 0 { "ok    " } else { "FAILED" };
            println!("{word} {:7.1} s  {name} ({})", took.as_secs_f64(), said(*tally));
            sum.passed += tally.passed;
            sum.failed += tally.failed;
            sum.ignored += tally.ignored;
        }
        for why in &self.left_out {
            println!("left out: {why}");
        }
        println!("{} passed, {} failed", sum.passed, sum.failed);
        sum.failed == 0
    }
}

fn said(tally: Tally) -> String {
    let ignored = if tally.ignored > 0 { format!(", {} ignored", tally.ignored) } else { String::new() };
    format!("{} passed, {} failed{ignored}", tally.passed, tally.failed)
}

fn one(passed: bool) -> Tally {
    Tally { passed: u64::from(passed), failed: u64::from(!passed), ignored: 0 }
}

#[expect(clippy::disallowed_methods, reason = "times a build step for a person; no rule depends on it")]
fn now() -> Instant {
    Instant::now()
}

/// Shows what the command prints and reads its report on the way.
fn watch(command: &mut Command, count: Count) -> Result<Tally> {
    let what = command.get_program().to_string_lossy().into_owned();
    let mut child = command.stdout(Stdio::piped()).spawn().with_context(|| format!("start {what}"))?;
    let mut counted = Tally::default();
    if let Some(stdout) = child.stdout.take() {
        for line in BufReader::new(stdout).split(b'\n') {
            let line = line.with_context(|| format!("read what {what} prints"))?;
            let line = String::from_utf8_lossy(&line);
            println!("{line}");
            count_line(&mut counted, &line);
        }
    }
    let succeeded = child.wait().with_context(|| format!("wait for {what}"))?.success();
    Ok(judge(counted, count, succeeded))
}

/// A test step that failed without naming a test did not build, or died: that is one failure. A test step in
/// which nothing ran proves nothing: also one.
fn judge(counted: Tally, count: Count, succeeded: bool) -> Tally {
    if count == Count::AsOne {
        return one(succeeded);
    }
    let unexplained = counted.failed == 0 && (!succeeded || counted.passed == 0);
    Tally { failed: counted.failed + u64::from(unexplained), ..counted }
}

/// Adds one line of a report of `cargo test`, of `node --test` (its spec or its TAP form) or of pytest.
fn count_line(tally: &mut Tally, line: &str) {
    if let Some((report, took)) = line.split_once(" in ") {
        // `4.51s`, or `61.02s (0:01:01)`.
        let seconds = took.split(' ').next().and_then(|word| word.strip_suffix('s'));
        if seconds.is_some_and(|seconds| seconds.parse::<f64>().is_ok()) {
            count_pytest(tally, report);
        }
    }
    if let Some(result) = line.strip_prefix("test result: ") {
        for part in result.split([';', '.']) {
            match part.trim().split_once(' ') {
                Some((n, "passed")) => tally.passed += n.parse().unwrap_or(0),
                Some((n, "failed")) => tally.failed += n.parse().unwrap_or(0),
                Some((n, "ignored")) => tally.ignored += n.parse().unwrap_or(0),
                _ => {}
            }
        }
    }
    let Some(report) = line.strip_prefix("# ").or_else(|| line.strip_prefix("ℹ ")) else { return };
    match report.trim().split_once(' ') {
        Some(("pass", n)) => tally.passed += n.parse().unwrap_or(0),
        Some(("fail" | "cancelled", n)) => tally.failed += n.parse().unwrap_or(0),
        Some(("skipped" | "todo", n)) => tally.ignored += n.parse().unwrap_or(0),
        _ => {}
    }
}

/// `2 failed, 11 passed, 1 warning`; a line in which anything else stands is none of these.
fn count_pytest(tally: &mut Tally, report: &str) {
    let parts = report.split(", ").map(|part| {
        let (n, word) = part.split_once(' ')?;
        Some((n.parse::<u64>().ok()?, word))
    });
    for (n, word) in parts.collect::<Option<Vec<_>>>().unwrap_or_default() {
        match word {
            "passed" => tally.passed += n,
            "failed" | "error" | "errors" => tally.failed += n,
            "skipped" => tally.ignored += n,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(report: &str) -> (u64, u64, u64) {
        let mut tally = Tally::default();
        report.lines().for_each(|line| count_line(&mut tally, line));
        (tally.passed, tally.failed, tally.ignored)
    }

    #[test]
    fn reports_of_cargo_and_node_are_counted() {
        let cargo = "test a ... ok\ntest result: FAILED. 12 passed; 1 failed; 2 ignored; 0 measured; 0 filtered out; finished in 0.00s\ntest result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s";
        assert_eq!(counted(cargo), (15, 1, 2));
        assert_eq!(counted("# tests 5\n# pass 3\n# fail 1\n# cancelled 1\n# skipped 2\n# todo 0"), (3, 2, 2));
        assert_eq!(counted("1 failed, 11 passed, 2 skipped, 3 errors in 4.51s"), (11, 4, 2));
        assert_eq!(counted("....\n1 passed, 1 warning in 61.02s (0:01:01)\n3 passed in all seas"), (1, 0, 0));
        assert_eq!(counted("ℹ tests 5\nℹ pass 4\nℹ fail 1\nℹ duration_ms 100"), (4, 1, 0));
    }

    #[test]
    fn a_step_that_dies_or_runs_nothing_has_failed() {
        let ran = Tally { passed: 3, ..Tally::default() };
        assert_eq!(judge(ran, Count::ItsTests, true).failed, 0);
        assert_eq!(judge(ran, Count::ItsTests, false).failed, 1);
        assert_eq!(judge(Tally::default(), Count::ItsTests, true).failed, 1);
        assert_eq!(judge(Tally { failed: 2, ..ran }, Count::ItsTests, false).failed, 2);
        assert_eq!(judge(Tally::default(), Count::AsOne, true), one(true));
    }

    #[test]
    fn a_command_that_is_not_there_counts_as_failed() {
        let mut steps = Steps::default();
        steps.command("nothing", Count::AsOne, &mut Command::new("no-such-program-here"));
        assert!(!steps.close());
    }
}
