//! The only build tool beside cargo and npm. `cargo xtask` lists what it can do.

mod bench;
mod demo;
mod faults;
mod needs;
mod packages;
mod python;
mod rust;
mod steps;
mod test;
mod tidy;
mod tree;
mod ui;

use anyhow::{Result, bail};
use std::path::PathBuf;
use std::process::ExitCode;

const USAGE: &str = "\
cargo xtask demo [ARGS]     build the clinic and run four simulated chairs; ARGS go to `chairside demo`
                            (--speed N, --port N, --alone, --headless --until-done --seed N --out DIR)
cargo xtask test [--quick]  run every test there is; --quick leaves out npm, the browser, PostgreSQL and Python
cargo xtask check           what to run before a commit: format, clippy, tidy, quick tests
cargo xtask tidy            the rules of the house alone
cargo xtask faults KIND [--n N] [--seed S]
                            the log under KIND (kill, power, disk, io) of faults, N times;
                            kill --server kills the whole program in the middle of infusions
cargo xtask bench [--chairs 4,12,100,500] [--seconds 30]
                            what the release build costs and how fast a value reaches a page
cargo xtask bench history [PATIENTS] [FOLDER]
                            how long charts and outcomes take with 20,000 patients in the log
cargo xtask python          build the Python package and run its tests alone
cargo xtask ui              build the browser side into ui/dist
";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match run(&args) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// `false` when a test or a rule failed and has already said so.
fn run(args: &[String]) -> Result<bool> {
    let root = root();
    let Some((command, rest)) = args.split_first() else {
        print!("{USAGE}");
        return Ok(true);
    };
    match (command.as_str(), rest) {
        ("demo", rest) => demo::run(&root, rest),
        ("test", []) => test::run(&root, test::Reach::Everything),
        ("test", [flag]) if flag == "--quick" => test::run(&root, test::Reach::Quick),
        ("check", []) => test::run(&root, test::Reach::Quick),
        ("tidy", []) => tidy::run(&root),
        ("faults", rest) => faults::run(rest).map(|()| true),
        ("bench", rest) => bench::run(&root, rest),
        ("python", []) => python::run(&root),
        ("ui", []) => ui::build(&root).map(|()| true),
        ("help" | "--help" | "-h", _) => {
            print!("{USAGE}");
            Ok(true)
        }
        _ => bail!("no such command: {}\n\n{USAGE}", args.join(" ")),
    }
}

/// The top of the repository.
fn root() -> PathBuf {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    here.parent().map_or(here.clone(), PathBuf::from)
}
