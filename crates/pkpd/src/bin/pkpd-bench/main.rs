//! The library against the clock: four workloads whose inputs are files, so that any program can be compared number
//! by number. `W3ode` is `W3` with everything by steps.
//!
//! `pkpd-bench W1|W2|W3|W3ode|W4 --inputs DIR --out DIR [--threads N] [--repeat N]` reads the random effects as
//! little-endian doubles, simulates or fits, and writes what [`work`] says. Its last line has the seconds of wall
//! time: `sim` to all values in memory, `sum` for the percentiles, `all` since the start of the program.

mod files;
mod w3;
mod work;

use std::process::ExitCode;
use std::time::Instant;

const USAGE: &str = "pkpd-bench W1|W2|W3|W3ode|W4 --inputs DIR --out DIR [--threads N] [--repeat N]";
const THREADS_MAX: usize = 1024;
const REPEATS_MAX: usize = 10_000;

/// What the command line asks for.
struct Asked {
    workload: String,
    inputs: String,
    out: String,
    threads: usize,
    repeat: usize,
}

/// Seconds of the parts of one run.
#[derive(Clone, Copy, Default)]
struct Seconds {
    sim: f64,
    sum: f64,
}

fn main() -> ExitCode {
    let start = now();
    let told = asked(std::env::args().skip(1)).and_then(|asked| work::run(&asked));
    match told {
        Ok(seconds) => {
            println!("sim {:.6} sum {:.6} all {:.6}", seconds.sim, seconds.sum, since(start));
            ExitCode::SUCCESS
        }
        Err(why) => {
            eprintln!("{why}");
            ExitCode::from(2)
        }
    }
}

fn asked(mut words: impl Iterator<Item = String>) -> Result<Asked, String> {
    let workload = words.next().ok_or(USAGE)?;
    let mut asked = Asked { workload, inputs: String::new(), out: String::new(), threads: 1, repeat: 1 };
    while let Some(option) = words.next() {
        let value = words.next().ok_or_else(|| format!("{option} has no value; {USAGE}"))?;
        match option.as_str() {
            "--inputs" => asked.inputs = value,
            "--out" => asked.out = value,
            "--threads" => asked.threads = count(&option, &value, THREADS_MAX)?,
            "--repeat" => asked.repeat = count(&option, &value, REPEATS_MAX)?,
            _ => return Err(format!("no option {option}; {USAGE}")),
        }
    }
    if asked.inputs.is_empty() || asked.out.is_empty() {
        return Err(format!("--inputs and --out are needed; {USAGE}"));
    }
    Ok(asked)
}

fn count(option: &str, value: &str, most: usize) -> Result<usize, String> {
    let found = value.parse().ok().filter(|n| (1..=most).contains(n));
    found.ok_or_else(|| format!("{option} is {value}; accepted is 1 to {most}"))
}

#[expect(clippy::disallowed_methods, reason = "a bench is a clock; nothing is decided by it")]
fn now() -> Instant {
    Instant::now()
}

fn since(start: Instant) -> f64 {
    start.elapsed().as_secs_f64()
}
