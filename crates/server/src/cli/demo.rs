//! `chairside demo`: a simulated day, to look at or to run through without a screen.

use super::{Exit, say};
use crate::demo::{self, Options, Outcome};
use clap::ArgGroup;
use sim::cast::{MEMBERS, PASSWORD};
use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

/// How to run the demonstration.
#[derive(Debug, clap::Args)]
#[command(group(ArgGroup::new("how").args(["headless"]).multiple(false)))]
pub struct Args {
    /// Times as fast as real time, 1 to 10
    #[arg(long, default_value_t = 1.0, value_name = "N", conflicts_with = "headless")]
    speed: f64,
    /// Port of the pages on this machine
    #[arg(long, default_value_t = 7070, value_name = "PORT")]
    port: u16,
    /// Port for devices on this machine; 0 takes any
    #[arg(long, default_value_t = 0, value_name = "PORT")]
    devices_port: u16,
    /// Keep the log in this new or empty folder
    #[arg(long, value_name = "DIR", conflicts_with = "headless")]
    data: Option<PathBuf>,
    /// Seed of people and mishaps
    #[arg(long, value_parser = super::whole, default_value_t = 7, value_name = "N")]
    seed: u64,
    /// So many made-up patients have a year behind them
    #[arg(long, default_value_t = 200, value_name = "N", conflicts_with = "headless")]
    history: u32,
    /// Nobody works but you: only the chairs that wait for you, and each number typed here is a new speed
    #[arg(long, conflicts_with = "headless")]
    alone: bool,
    /// Without pages and sockets, in virtual time
    #[arg(long, requires_all = ["until_done", "out"])]
    headless: bool,
    /// Run until everybody went home
    #[arg(long, requires = "headless")]
    until_done: bool,
    /// New or empty folder for log and records
    #[arg(long, value_name = "DIR", requires = "headless")]
    out: Option<PathBuf>,
}

/// Runs it.
pub fn run(args: &Args) -> Exit {
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_max_level(tracing::Level::WARN).init();
    match &args.out {
        Some(out) => headless(args, out),
        None => live(args),
    }
}

/// Why this folder cannot begin a log; `None` where it is new or empty.
fn taken(folder: &Path, option: &str) -> Option<String> {
    let why = match folder.read_dir() {
        Ok(mut inside) => inside.next().is_some().then(|| "is not empty".to_owned()),
        Err(cause) if cause.kind() == ErrorKind::NotFound => None,
        Err(cause) => Some(format!("cannot be read: {cause}")),
    }?;
    Some(format!(
        "{} {why}. A demonstration begins with a new log, and nothing was written. Name a new or empty folder with {option} DIR",
        folder.display()
    ))
}

fn headless(args: &Args, out: &Path) -> Exit {
    if let Some(why) = taken(out, "--out") {
        return say(Exit::Unreadable, why);
    }
    let stories = sim::story::day().into_iter().filter(|story| story.nurse.is_some()).collect();
    match demo::headless(out, stories, args.seed) {
        Ok(outcome) => {
            print!("{}", told(&outcome));
            Exit::Done
        }
        Err(cause) => say(Exit::Failed, format!("{cause:#}")),
    }
}

fn told(outcome: &Outcome) -> String {
    let mut lines: Vec<String> =
        outcome.visits.iter().map(|(chair, session)| format!("chair {chair}: {session} is over")).collect();
    lines.extend(outcome.refusals.iter().map(|refusal| format!("refused: {refusal}")));
    let Outcome { seconds, frames, events, .. } = outcome;
    lines.push(format!("{} min, {frames} device messages, {events} events", seconds / 60));
    lines.join("\n") + "\n"
}

fn live(args: &Args) -> Exit {
    if let Err(why) = demo::speed(args.speed) {
        return say(Exit::Unreadable, format!("--speed {why}"));
    }
    if let Some(why) = args.data.as_deref().and_then(|folder| taken(folder, "--data")) {
        return say(Exit::Unreadable, why);
    }
    let local = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let options = Options {
        data: args.data.clone(),
        listen: local(args.port),
        devices: local(args.devices_port),
        speed: args.speed,
        seed: args.seed,
        alone: args.alone,
        history: args.history,
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(cause) => return say(Exit::Failed, format!("cannot start: {cause}")),
    };
    if args.history > 0 {
        println!("A year of {} patients runs by …", args.history);
    }
    if !args.alone {
        println!("The morning runs by …");
    }
    match runtime.block_on(demo::live(options, |address| print!("{}", welcome(address, args.alone)))) {
        Ok(()) => Exit::Done,
        Err(cause) => say(Exit::Failed, format!("{cause:#}")),
    }
}

fn welcome(address: SocketAddr, alone: bool) -> String {
    let mut text = format!("\nChairside, a demonstration with made-up people:  http://{address}\n\n");
    text += &format!("  password of all: {PASSWORD}\n\n  {:<10}{:<18}{:<14}PIN\n", "user", "name", "role");
    for member in MEMBERS {
        text +=
            &format!("  {:<10}{:<18}{:<14}{}\n", member.user, member.name, member.role.title(), member.pin);
    }
    text += if alone { "\n" } else { "\nChairs 1 to 5 are looked after. " };
    text += "Chairs 6 to 8 wait for you: three visits are planned for today.\n";
    text += if alone { "Type how many times as fast time shall run, 1 to 120. " } else { "" };
    text += "Ctrl-C ends it.\n\n";
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_holds_something_is_named_with_what_to_do() {
        let folder = std::env::temp_dir().join(format!("chairside-taken-{}", crate::clock::secret_token()));
        assert_eq!(taken(&folder, "--out"), None, "it is made");
        std::fs::create_dir_all(&folder).expect("folder");
        assert_eq!(taken(&folder, "--out"), None, "empty");
        let file = folder.join("a log");
        std::fs::write(&file, "").expect("file");
        for (place, words) in [(&folder, "is not empty"), (&file, "cannot be read")] {
            let why = taken(place, "--out").expect("taken");
            assert!(why.contains(words) && why.contains("with --out DIR"), "{why}");
        }
        std::fs::remove_dir_all(&folder).expect("removed");
    }
}
