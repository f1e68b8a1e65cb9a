//! The pharmacology commands from outside: laws that hold for any schedule, printed numbers, and refusals.

mod effects;
mod events;
mod fit;
mod models;
mod plan_infusion;
mod population;
mod simulate;
mod vpc;
mod written;

use std::path::PathBuf;
use std::process::{Command, Output};

/// Runs the program.
fn chairside(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_chairside")).args(arguments).output().expect("it starts")
}

/// Standard output of a run that has to be well.
fn answer(arguments: &[&str]) -> String {
    let output = chairside(arguments);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {told}");
    String::from_utf8(output.stdout).expect("text")
}

/// Exit code and standard error of a run that is refused, which prints nothing.
fn refusal(arguments: &[&str]) -> (i32, String) {
    let output = chairside(arguments);
    assert!(output.stdout.is_empty(), "{arguments:?} printed something");
    (output.status.code().expect("an exit code"), String::from_utf8_lossy(&output.stderr).into_owned())
}

/// The names of the columns, and the cells of each row.
fn csv(text: &str) -> (Vec<String>, Vec<Vec<String>>) {
    let cells = |line: &str| line.split(',').map(str::to_owned).collect::<Vec<_>>();
    let mut lines = text.lines();
    (cells(lines.next().expect("a head")), lines.map(cells).collect())
}

/// One column of a CSV answer.
fn column(text: &str, name: &str) -> Vec<f64> {
    let (head, rows) = csv(text);
    let place = head.iter().position(|column| column == name).unwrap_or_else(|| panic!("{name} in {head:?}"));
    rows.iter().map(|row| row[place].parse().expect("a number")).collect()
}

/// A file that is gone when the test is.
struct Written(PathBuf);

impl Written {
    fn new(name: &str, text: &str) -> Self {
        let path = std::env::temp_dir().join(format!("chairside-lab-{}-{name}", std::process::id()));
        std::fs::write(&path, text).expect("it can be written");
        Self(path)
    }
    fn path(&self) -> &str {
        self.0.to_str().expect("a plain path")
    }
}

impl Drop for Written {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn assert_same(found: &[f64], expected: &[f64], within: f64) {
    assert_eq!(found.len(), expected.len());
    let top = expected.iter().fold(0.0, |top: f64, x| top.max(x.abs()));
    for (place, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert!((found - expected).abs() <= within * top, "row {place}: {found} and {expected}");
    }
}
