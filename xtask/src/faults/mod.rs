//! `cargo xtask faults`: the fault tests of the store and of the server, made long. The short forms run with every `cargo test`.

use anyhow::{Context, Result, bail};
use std::process::Command;

const USAGE: &str = "cargo xtask faults kill [--server]|power|disk|io [--n N] [--seed S]";

/// Fault tests that belong together, and how often they run when nobody says.
struct Run {
    name: &'static str,
    package: &'static str,
    /// The file or folder below the package's `tests/`.
    suite: &'static str,
    tests: &'static [&'static str],
    n: u64,
}

const RUNS: &[Run] = &[
    Run {
        name: "kill",
        package: "store",
        suite: "faults",
        tests: &[
            "kills_at_any_moment_lose_and_double_nothing",
            "kills_show_a_store_that_records_a_command_twice",
        ],
        n: 2_000,
    },
    Run {
        name: "power",
        package: "store",
        suite: "faults",
        tests: &[
            "power_cuts_lose_nothing_that_was_acknowledged",
            "power_cuts_after_failed_fsyncs_lose_nothing_that_was_acknowledged",
            "power_cuts_show_a_store_that_does_not_wait_for_the_disk",
            "power_cuts_show_a_store_that_records_a_command_twice",
        ],
        n: 100_000,
    },
    Run {
        name: "disk",
        package: "store",
        suite: "faults",
        tests: &["a_full_disk_is_told_closes_from_the_reserve_and_accepts_again"],
        n: 100,
    },
    Run {
        name: "io",
        package: "store",
        suite: "faults",
        tests: &["failing_writes_and_fsyncs_are_always_told"],
        n: 30,
    },
    Run {
        name: "kill --server",
        package: "server",
        suite: "server_faults",
        tests: &["kills_of_the_server_lose_and_double_nothing_and_alarms_come_back"],
        n: 2_000,
    },
];

/// What was asked for.
#[derive(Debug, PartialEq, Eq)]
struct Asked {
    run: usize,
    n: u64,
    seed: u64,
}

fn read(args: &[String]) -> Result<Asked> {
    let Some((name, mut rest)) = args.split_first() else { bail!("which faults?\n\n{USAGE}") };
    let mut name = name.clone();
    if let [flag, after @ ..] = rest
        && flag == "--server"
    {
        name = format!("{name} --server");
        rest = after;
    }
    let Some(run) = RUNS.iter().position(|run| run.name == name) else {
        bail!("no such faults: {name}\n\n{USAGE}")
    };
    let mut asked = Asked { run, n: RUNS[run].n, seed: 1 };
    while let [flag, value, after @ ..] = rest {
        let number = value.parse().with_context(|| format!("{flag} {value}: not a number"))?;
        match flag.as_str() {
            "--n" => asked.n = number,
            "--seed" => asked.seed = number,
            _ => bail!("no such option: {flag}\n\n{USAGE}"),
        }
        rest = after;
    }
    if let [left] = rest {
        bail!("{left} needs a value\n\n{USAGE}");
    }
    if asked.n == 0 {
        bail!("--n 0 would prove nothing");
    }
    Ok(asked)
}

/// Runs the tests in release and prints their figures; an error when one fails.
pub fn run(args: &[String]) -> Result<()> {
    let asked = read(args)?;
    let run = &RUNS[asked.run];
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args(["test", "--release", "-p", run.package, "--test", run.suite])
        .args(["--", "--nocapture", "--exact"])
        .args(run.tests)
        .env("FAULT_N", asked.n.to_string())
        .env("FAULT_SEED", asked.seed.to_string())
        .status()
        .context("cargo does not start")?;
    if !status.success() {
        bail!("faults {}: something was lost, doubled or not told (seed {})", run.name, asked.seed);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(text: &str) -> Result<Asked> {
        read(&text.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn what_is_not_said_has_the_long_default() {
        assert_eq!(asked("power").unwrap(), Asked { run: 1, n: 100_000, seed: 1 });
        assert_eq!(asked("kill --seed 7 --n 20").unwrap(), Asked { run: 0, n: 20, seed: 7 });
        assert_eq!(asked("kill --server --n 20").unwrap(), Asked { run: 4, n: 20, seed: 1 });
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        for text in ["", "flood", "power --server", "kill --n", "kill --n many", "kill --m 3", "io --n 0"] {
            assert!(asked(text).is_err(), "{text}");
        }
    }

    /// A test that was renamed would make a run that tries nothing and passes.
    #[test]
    fn every_test_of_a_run_exists() {
        for run in RUNS {
            let source = match run.package {
                "store" => include_str!("../../../crates/store/tests/faults/main.rs"),
                _ => include_str!("../../../crates/server/tests/server_faults/main.rs"),
            };
            for test in run.tests {
                assert!(source.contains(&format!("#[test]\nfn {test}()")), "{test}");
            }
        }
    }
}
