//! The command line: nouns, each with its own file and `run`. Exit codes: 0 done, 1 failed, 2 the input cannot be
//! read, 3 a safety rule refuses.

pub mod course;
pub mod decode;
pub mod demo;
pub mod dose;
pub mod effects;
pub mod fit;
pub mod given;
pub mod init;
pub mod journal;
pub mod knowledge;
pub mod models;
pub mod outcome;
pub mod plan_infusion;
pub mod population;
pub mod replay;
pub mod scales;
pub mod score;
pub mod screen;
pub mod serve;
pub mod simulate;
pub mod staff;
mod vpc;

use crate::lab::plot::{Plot, PlotFile};
use crate::lab::sheet::{Format, Sheet};
use clap::{Parser, Subcommand, ValueEnum};
use clinic::knowledge::Knowledge;
use std::ffi::OsString;
use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

/// How a command ended, for the shell that called it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done.
    Done,
    /// Failed: a broken machine, or a check that did not hold.
    Failed,
    /// The input cannot be read.
    Unreadable,
    /// A safety rule refuses.
    Refused,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::Unreadable => 2,
            Exit::Refused => 3,
        })
    }
}

#[derive(Debug, Parser)]
#[command(
    name = "chairside",
    version,
    about = "Runs ketamine IV infusion therapy: orders, chairs, devices, records."
)]
struct Cli {
    #[command(subcommand)]
    noun: Noun,
}

#[derive(Debug, Subcommand)]
enum Noun {
    /// Serve the pages and listen to the devices
    Serve(serve::Args),
    /// Found a clinic: make its log and its first owner
    Init(init::Args),
    /// People who work here
    #[command(subcommand)]
    Staff(staff::Verb),
    /// The numbers of one infusion, and what the rules say about them
    Dose(Box<dose::Args>),
    /// A course: its visits in a clinic's calendar, advice between two infusions
    #[command(subcommand)]
    Course(course::Verb),
    /// What clinicians know: listed, shown, checked
    #[command(subcommand)]
    Knowledge(knowledge::Verb),
    /// Answers to a rating scale, scored
    Score(score::Args),
    /// Rating scales: listed, shown
    #[command(subcommand)]
    Scales(scales::Verb),
    /// A score against the one before the series: response, remission, worse
    Outcome(outcome::Args),
    /// Levels of one typical person under a dosing schedule, by published models
    Simulate(simulate::Args),
    /// Percentiles of many made-up people under a dosing schedule
    Population(population::Args),
    /// What the levels do: blood pressure, heart rate, dissociation, analgesia, receptors
    Effects(Box<effects::Args>),
    /// One person's parameters from measured levels
    Fit(fit::Args),
    /// Rates that reach and hold a level, or one rate that never passes it
    PlanInfusion(Box<plan_infusion::Args>),
    /// Percentiles of a measured study beside those of simulated copies of it (visual predictive check)
    Vpc(vpc::Args),
    /// Published models: listed, shown, judged against published data
    #[command(subcommand)]
    Models(models::Verb),
    /// A consultation against every rule of who may be treated
    Screen(screen::Args),
    /// The log: verified and written out
    #[command(subcommand)]
    Journal(journal::Verb),
    /// Print the facts of an HL7 frame as JSON
    Decode(decode::Args),
    /// Run a scenario file, or decide a recorded visit again, and compare
    Replay(replay::Args),
    /// A simulated day with made-up people, on pages or headless
    Demo(demo::Args),
}

/// Reads the command line and does what it says.
pub fn run() -> ExitCode {
    let cli = Cli::parse_from(with_negative_values(std::env::args_os()));
    let exit = match cli.noun {
        Noun::Serve(args) => serve::run(&args),
        Noun::Init(args) => init::run(&args),
        Noun::Staff(verb) => staff::run(&verb),
        Noun::Dose(args) => dose::run(&args),
        Noun::Course(verb) => course::run(&verb),
        Noun::Knowledge(verb) => knowledge::run(&verb),
        Noun::Score(args) => score::run(&args),
        Noun::Scales(verb) => scales::run(&verb),
        Noun::Outcome(args) => outcome::run(&args),
        Noun::Simulate(args) => simulate::run(&args),
        Noun::Population(args) => population::run(&args),
        Noun::Effects(args) => effects::run(&args),
        Noun::Fit(args) => fit::run(&args),
        Noun::PlanInfusion(args) => plan_infusion::run(&args),
        Noun::Vpc(args) => vpc::run(&args),
        Noun::Models(verb) => models::run(&verb),
        Noun::Screen(args) => screen::run(&args),
        Noun::Journal(verb) => journal::run(&verb),
        Noun::Decode(args) => decode::run(&args),
        Noun::Replay(args) => replay::run(&args),
        Noun::Demo(args) => demo::run(&args),
    };
    exit.into()
}

/// `--minutes -40` as `--minutes=-40`: a negative number is for the field to refuse with its limit, not a flag that nobody
/// knows.
fn with_negative_values(args: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut all: Vec<OsString> = Vec::new();
    for arg in args {
        let number = arg.to_str().and_then(|text| text.strip_prefix('-'));
        let number = number
            .is_some_and(|rest| rest.trim_start().starts_with(|c: char| c.is_ascii_digit() || c == '.'));
        let field = |last: &OsString| {
            last.to_str().is_some_and(|text| text.starts_with("--") && text.len() > 2 && !text.contains('='))
        };
        match all.last_mut().filter(|last| number && field(last)) {
            Some(last) => {
                last.push("=");
                last.push(arg);
            }
            None => all.push(arg),
        }
    }
    all
}

/// A whole number that is not negative, refused with what is accepted.
fn whole(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("accepted is a whole number from 0 to {}", u64::MAX))
}

/// How an answer in words is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Shape {
    /// For a person
    Table,
    /// For a program
    Json,
}

/// What a command says and how it ends.
#[derive(Debug, PartialEq, Eq)]
struct Answer {
    exit: Exit,
    out: String,
    wrong: String,
}

impl Answer {
    fn done(out: String) -> Self {
        Self { exit: Exit::Done, out, wrong: String::new() }
    }

    fn unreadable(wrong: impl ToString) -> Self {
        Self { exit: Exit::Unreadable, out: String::new(), wrong: wrong.to_string() }
    }

    /// Prints what is said, then what is wrong.
    fn tell(self) -> Exit {
        match print(self.out.as_bytes()) {
            Exit::Done if self.wrong.is_empty() => self.exit,
            Exit::Done => say(self.exit, self.wrong),
            failed => failed,
        }
    }
}

/// Does something with what clinicians know. Shipped knowledge that does not hold ends the command.
fn with_shipped(then: impl FnOnce(&Knowledge) -> Exit) -> Exit {
    match Knowledge::shipped() {
        Ok(knowledge) => then(&knowledge),
        Err(error) => say(Exit::Failed, error),
    }
}

/// Where the log is; the same for every command that opens it.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Place {
    /// Settings file (TOML)
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Folder of the log
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// PostgreSQL address of the log, instead of the file in the folder
    #[arg(long, value_name = "URL")]
    pub database: Option<String>,
}

impl Place {
    /// The settings of the file, with what the command line says over them.
    ///
    /// # Errors
    /// [`crate::config::BadConfig`].
    pub fn settings(&self) -> Result<crate::config::Config, crate::config::BadConfig> {
        let mut config = match &self.config {
            Some(path) => crate::config::Config::read(path)?,
            None => crate::config::Config::default(),
        };
        if let Some(data) = &self.data {
            config.data.clone_from(data);
        }
        config.database = self.database.clone().or(config.database);
        Ok(config)
    }
}

/// Says on standard error what is wrong, and ends that way.
pub fn say(exit: Exit, text: impl std::fmt::Display) -> Exit {
    // Nobody is left to tell when standard error itself is closed.
    let _ = writeln!(std::io::stderr(), "chairside: {text}");
    exit
}

/// Ends as the lab refused: an argument that cannot be read, or a rule of safety.
pub(crate) fn refuse(wrong: &lab::Wrong) -> Exit {
    let exit = match wrong {
        lab::Wrong::Unreadable(_) => Exit::Unreadable,
        lab::Wrong::Unsafe(_) => Exit::Refused,
    };
    say(exit, wrong)
}

/// Tells on standard error what a reader of the answer has to know.
pub(crate) fn note(text: impl std::fmt::Display) {
    // Nobody is left to tell when standard error itself is closed.
    let _ = writeln!(std::io::stderr(), "chairside: note: {text}");
}

/// Puts a whole answer on standard output.
pub(crate) fn print(answer: &[u8]) -> Exit {
    match std::io::stdout().lock().write_all(answer) {
        Ok(()) => Exit::Done,
        // A reader that has seen enough, such as `head`, is no failure.
        Err(cause) if cause.kind() == std::io::ErrorKind::BrokenPipe => Exit::Done,
        Err(cause) => say(Exit::Failed, format!("cannot write the answer: {cause}")),
    }
}

/// Puts a sheet on standard output.
pub(crate) fn print_sheet(sheet: &Sheet, format: Format) -> Exit {
    if format == Format::Parquet && std::io::stdout().is_terminal() {
        let why = "--format: `parquet` is not text. Accepted is a file or a pipe: `… --format parquet > levels.parquet`.";
        return say(Exit::Unreadable, why);
    }
    match sheet.written(format) {
        Ok(answer) => print(&answer),
        Err(cause) => say(Exit::Failed, format!("cannot write the answer: {cause}")),
    }
}

/// Writes a picture, where one is asked for, and then puts a sheet on standard output.
pub(crate) fn print_with(plot: Option<(PlotFile, Plot)>, sheet: &Sheet, format: Format) -> Exit {
    match plot.map_or(Ok(()), |(file, plot)| file.write(&plot)) {
        Ok(()) => print_sheet(sheet, format),
        Err(cause) => say(Exit::Failed, format!("--plot: cannot write the picture: {cause:#}")),
    }
}

/// Asks for a secret: without echo at a terminal, else the next line of standard input.
pub(crate) fn ask_secret(prompt: &str) -> std::io::Result<String> {
    if std::io::stdin().is_terminal() {
        return rpassword::prompt_password(prompt);
    }
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_negative_number_belongs_to_its_field_and_a_flag_to_nobody() {
        let joined = |line: &str| {
            let words = with_negative_values(line.split('|').map(OsString::from));
            words.into_iter().map(|word| word.into_string().expect("text")).collect::<Vec<_>>().join("|")
        };
        assert_eq!(joined("dose|--minutes|-40|--weight|-82 kg"), "dose|--minutes=-40|--weight=-82 kg");
        assert_eq!(joined("dose|--dose|-.5 mg/kg|--bag|- 100 mL"), "dose|--dose=-.5 mg/kg|--bag=- 100 mL");
        for left_alone in
            ["dose|--minutes|--bag", "dose|--minutes=4|-5", "dose|-V", "dose|--|-5", "score|phq9|-1"]
        {
            assert_eq!(joined(left_alone), left_alone);
        }
    }

    #[test]
    fn a_count_below_zero_is_refused_with_its_field_and_what_is_accepted() {
        let line = ["chairside", "demo", "--seed", "-4"].map(OsString::from);
        let wrong = Cli::try_parse_from(with_negative_values(line)).expect_err("no seed").to_string();
        for word in ["'-4'", "--seed", "a whole number from 0 to"] {
            assert!(wrong.contains(word), "{word}: {wrong}");
        }
    }
}
