//! `chairside course`: the dates of a course and what each rule says of them, and advice for the next infusion, at a
//! desk.

mod advise;

use super::{Answer, Exit, Shape, with_shipped};
use crate::clock::Clock;
use clinic::course::calendar::{Calendar, Opening, clock};
use clinic::course::{self, Asked, LastStart, Proposal, Visit};
use clinic::dose::parse::{self, Unreadable};
use clinic::gate::{Finding, Verdict};
use clinic::id::RuleId;
use clinic::knowledge::Knowledge;
use clinic::quantity::plain;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use serde_json::{Value, json};
use std::fmt::Write as _;

const DATE: &str = "a day of the calendar such as 2026-12-01";
const MOMENT: &str = "a day and a time on the clinic's clock such as 2026-12-01T09:00";

/// What to do.
#[derive(Debug, Clone, clap::Subcommand)]
pub enum Verb {
    /// Propose the visits of a course: all of them, or none and the reason
    Plan(Box<Args>),
    /// What the rules suggest to a prescriber, and which checks are due
    Advise(advise::Args),
}

/// Regimen, first day, and the clinic's calendar.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Regimen, see `chairside knowledge list`
    #[arg(long, value_name = "ID")]
    regimen: String,
    /// First day that is wished: 2026-12-01
    #[arg(long, value_name = "DATE", allow_hyphen_values = true)]
    start: String,
    /// When the clinic is open, as often as needed: "mon-fri 08:00-17:00"
    #[arg(long, value_name = "HOURS")]
    opening: Vec<String>,
    /// A day on which it is closed, as often as needed
    #[arg(long, value_name = "DATE", allow_hyphen_values = true)]
    holiday: Vec<String>,
    /// Time zone of the clinic: America/New_York
    #[arg(long, value_name = "ZONE", default_value = "UTC")]
    zone: String,
    /// Time of day at which the infusions begin, instead of as early as the clinic opens: 09:30
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    /// Number of infusions, instead of the regimen's
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    count: Option<u32>,
    /// Infusions a week, instead of the regimen's
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=7))]
    per_week: Option<u32>,
    /// Length of an infusion, instead of the regimen's: "50 min"
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    minutes: Option<String>,
    /// Start of the last infusion before this course, 2026-11-20T09:00, or "never"
    #[arg(long, value_name = "WHEN", allow_hyphen_values = true)]
    last: Option<String>,
    /// Moves a proposed visit, as often as needed, and judges all of them again: 3=2026-12-09T10:00
    #[arg(long = "move", value_name = "N=WHEN")]
    moves: Vec<String>,
    /// How to print
    #[arg(long, value_enum, default_value_t = Shape::Table)]
    format: Shape,
}

/// Prints the visits, or the advice. Exit 2 names the argument that cannot be read, exit 3 the rule that keeps the course
/// out of the calendar.
pub fn run(verb: &Verb) -> Exit {
    with_shipped(|knowledge| {
        let answer = match verb {
            Verb::Plan(args) => answer(args, Clock::system().now(), knowledge),
            Verb::Advise(args) => advise::answer(args, knowledge),
        };
        answer.tell()
    })
}

fn answer(args: &Args, now: Timestamp, knowledge: &Knowledge) -> Answer {
    let asked = Question::read(args, now, knowledge).and_then(|question| {
        let proposal = question.answered(args, knowledge)?;
        Ok((question, proposal))
    });
    let (question, proposal) = match asked {
        Ok(asked) => asked,
        Err(wrong) => return Answer::unreadable(wrong),
    };
    let out = match args.format {
        Shape::Json => format!("{:#}\n", question.json(args, &proposal)),
        Shape::Table => question.table(args, &proposal),
    };
    if proposal.may_be_booked() {
        return Answer::done(out);
    }
    let stops = proposal.everything().filter(|found| found.verdict >= Verdict::Hold);
    let reasons: Vec<&str> = stops.map(|found| found.reason.as_str()).collect();
    Answer { exit: Exit::Refused, out, wrong: format!("refused: {}", reasons.join(" ")) }
}

/// What was typed, read.
struct Question {
    asked: Asked,
    calendar: Calendar,
    /// Said where no hours were given.
    assumed: Option<String>,
}

impl Question {
    fn read(args: &Args, now: Timestamp, knowledge: &Knowledge) -> Result<Self, Unreadable> {
        let regimen = RuleId::new(&args.regimen);
        if !knowledge.has_regimen(&regimen) {
            let accepted = "an id that `chairside knowledge list` shows, such as mdd_trd_std";
            return Err(unreadable("--regimen", &args.regimen, "there is no such regimen", accepted));
        }
        let (calendar, assumed) = calendar(args, knowledge)?;
        let start = day("--start", &args.start)?;
        let today = calendar.local(now).date();
        if start < today {
            let why = format!("it is in the past, today is {today}");
            return Err(unreadable("--start", &args.start, &why, "today or a later day"));
        }
        let at = args.at.as_deref().map(|text| {
            clock(text)
                .ok_or_else(|| unreadable("--at", text, "it is no time of day", "hours and minutes: 09:30"))
        });
        let minutes = args.minutes.as_deref().map(|text| parse::minutes("--minutes", text)).transpose()?;
        let asked = Asked {
            regimen,
            start,
            at: at.transpose()?,
            count: args.count,
            a_week: args.per_week,
            minutes,
            last: args.last.as_deref().map(|text| last(text, &calendar)).transpose()?,
            before: 0,
            not_before: Some(now),
        };
        Ok(Self { asked, calendar, assumed })
    }

    /// The proposal, and where visits are moved, what the rules say of all of them then.
    fn answered(&self, args: &Args, knowledge: &Knowledge) -> Result<Proposal, Unreadable> {
        let mut proposal = course::propose(&self.asked, &self.calendar, knowledge);
        if !args.moves.is_empty() && !proposal.visits.is_empty() {
            let mut starts: Vec<Timestamp> = proposal.visits.iter().map(|visit| visit.start).collect();
            for text in &args.moves {
                let (n, to) = one_move(text, &self.calendar)?;
                if let Some(now) = self.asked.not_before.filter(|now| to < *now) {
                    let why =
                        format!("it is in the past, now is {}", self.local(now).strftime("%Y-%m-%dT%H:%M"));
                    return Err(unreadable("--move", text, &why, "a moment that is still to come"));
                }
                let place = n.checked_sub(1).and_then(|place| starts.get_mut(place));
                *place.ok_or_else(|| {
                    unreadable("--move", text, &format!("there is no visit {n}"), "a number of the proposal")
                })? = to;
            }
            proposal = course::judge(&self.asked, &starts, &self.calendar, knowledge);
        }
        if let Some(assumed) = &self.assumed {
            proposal.findings.extend(
                knowledge
                    .booking
                    .iter()
                    .next()
                    .map(|item| Finding::new(&item.header, Verdict::Info, assumed.clone())),
            );
        }
        Ok(proposal)
    }

    fn local(&self, at: Timestamp) -> Zoned {
        self.calendar.local(at)
    }

    fn json(&self, args: &Args, proposal: &Proposal) -> Value {
        let visit = |visit: &Visit| {
            let moment = |at: Timestamp| self.local(at).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string();
            json!({
                "n": visit.n,
                "date": self.local(visit.start).date().to_string(),
                "start": moment(visit.start),
                "end": moment(visit.end),
                "findings": findings_json(&visit.findings),
            })
        };
        json!({
            "regimen": args.regimen,
            "regimen_version": proposal.regimen_version,
            "infusions": proposal.rhythm.infusions,
            "a_week": proposal.rhythm.a_week,
            "minutes": proposal.minutes.normalize().to_string(),
            "zone": args.zone,
            "may_be_booked": proposal.may_be_booked(),
            "visits": proposal.visits.iter().map(visit).collect::<Vec<_>>(),
            "findings": findings_json(&proposal.findings),
        })
    }

    fn table(&self, args: &Args, proposal: &Proposal) -> String {
        let mut out = String::new();
        let (n, a_week) = (proposal.rhythm.infusions, proposal.rhythm.a_week);
        // Writing to a String cannot fail.
        let _ = writeln!(
            out,
            "{}: {n} x {} min, at most {a_week} in seven days, {}",
            args.regimen,
            plain(proposal.minutes),
            args.zone
        );
        for visit in &proposal.visits {
            let (start, end) = (self.local(visit.start), self.local(visit.end));
            let until = end.strftime("%H:%M");
            let _ = writeln!(out, "{:>3}  {} to {until}", visit.n, start.strftime("%a %Y-%m-%d %H:%M"));
            out.push_str(&findings_text(visit.findings.iter().filter(|found| found.verdict > Verdict::Pass)));
        }
        let _ = writeln!(out, "of the course");
        out.push_str(&findings_text(&proposal.findings));
        out
    }
}

fn unreadable(field: &'static str, value: &str, why: &str, accepted: &'static str) -> Unreadable {
    Unreadable { field, value: value.to_owned(), why: why.to_owned(), accepted }
}

fn calendar(args: &Args, knowledge: &Knowledge) -> Result<(Calendar, Option<String>), Unreadable> {
    let zone = TimeZone::get(&args.zone).map_err(|_| {
        unreadable(
            "--zone",
            &args.zone,
            "there is no such zone",
            "a name of the time zone database: America/New_York",
        )
    })?;
    let typed =
        args.opening.iter().map(|text| Opening::read("--opening", text)).collect::<Result<Vec<_>, _>>()?;
    let usual = knowledge.booking.iter().flat_map(|item| item.body.open.clone());
    let (opening, assumed) = if typed.is_empty() { (usual.collect(), true) } else { (typed, false) };
    let told: Vec<String> = opening.iter().map(Opening::to_string).collect();
    let assumed = assumed.then(|| format!("No opening hours were given; taken: {}.", told.join("; ")));
    let holidays = args.holiday.iter().map(|text| day("--holiday", text)).collect::<Result<_, _>>()?;
    Ok((Calendar { opening, holidays, zone }, assumed))
}

fn day(field: &'static str, text: &str) -> Result<Date, Unreadable> {
    // jiff reads other forms of a date too; here there is one.
    let date = (text.len() == 10).then(|| Date::strptime("%Y-%m-%d", text).ok()).flatten();
    date.ok_or_else(|| unreadable(field, text, "there is no such day", DATE))
}

fn moment(field: &'static str, text: &str, calendar: &Calendar) -> Result<Timestamp, Unreadable> {
    let wrong = || unreadable(field, text, "there is no such moment", MOMENT);
    let (date, time) = text.split_once('T').ok_or_else(wrong)?;
    let time = clock(time).ok_or_else(wrong)?;
    calendar.moment(day(field, date).map_err(|_| wrong())?, time).ok_or_else(wrong)
}

fn last(text: &str, calendar: &Calendar) -> Result<LastStart, Unreadable> {
    match text {
        "never" => Ok(LastStart::Never),
        _ => moment("--last", text, calendar).map(LastStart::At),
    }
}

fn one_move(text: &str, calendar: &Calendar) -> Result<(usize, Timestamp), Unreadable> {
    let wrong = || unreadable("--move", text, "it is not a visit and a moment", "such as 3=2026-12-09T10:00");
    let (n, to) = text.split_once('=').ok_or_else(wrong)?;
    Ok((n.parse().map_err(|_| wrong())?, moment("--move", to, calendar)?))
}

fn findings_json(findings: &[Finding]) -> Vec<Value> {
    let one = |found: &Finding| {
        json!({
            "rule": found.rule,
            "version": found.version,
            "verdict": found.verdict,
            "reason": found.reason,
            "inputs": found.inputs,
            "source": found.sources,
        })
    };
    findings.iter().map(one).collect()
}

fn findings_text<'a>(findings: impl IntoIterator<Item = &'a Finding>) -> String {
    let line = |found: &Finding| {
        let verdict = match found.verdict {
            Verdict::Pass => "pass",
            Verdict::Info => "note",
            Verdict::Warn => "warn",
            Verdict::Hold => "HOLD",
            Verdict::Stop => "STOP",
        };
        format!("       {verdict}: {} [{} v{}]\n", found.reason, found.rule, found.version)
    };
    findings.into_iter().map(line).collect()
}

#[cfg(test)]
mod tests;
