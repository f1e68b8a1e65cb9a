//! Dates for a course: a first day, a rhythm, and what each rule says of every visit.
//!
//! [`propose`] finds all visits or none. [`judge`] says the same of visits that people moved: it looks at every visit
//! again, because a visit that moves comes nearer to another one.

use super::calendar::{Calendar, weekday};
use super::plan::judge_length;
use crate::gate::{self, Assessment, Finding, LastInfusion, Override, Verdict};
use crate::id::RuleId;
use crate::knowledge::booking::Booking;
use crate::knowledge::discharge::{Criteria, Discharge};
use crate::knowledge::regimen::{Regimen, Rhythm, Setting};
use crate::knowledge::spacing::Spacing;
use crate::knowledge::{Header, Item, Knowledge};
use crate::quantity::plain;
use jiff::civil::{Date, Time};
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

/// Days of a week, in which a rhythm counts its infusions.
const WEEK_D: u32 = 7;
/// What a visit follows that is booked while the patient sits in the chair and has had no drug yet.
const CHECKED_IN: &str = "after the infusion begins for which the patient is checked in";

/// What is asked of the calendar. What is `None` has a default in the regimen or in the rules of booking.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    /// Which regimen.
    pub regimen: RuleId,
    /// First day that is wished.
    pub start: Date,
    /// Time of day at which infusions begin; else as early as the clinic opens.
    pub at: Option<Time>,
    /// Number of infusions.
    pub count: Option<u32>,
    /// At most so many in any seven days.
    pub a_week: Option<u32>,
    /// Length of an infusion.
    pub minutes: Option<Decimal>,
    /// Start of the infusion before this course; `None` when nobody said.
    pub last: Option<LastStart>,
    /// Infusions of the series before these: the first ones are watched for longer.
    pub before: u32,
    /// Nothing begins earlier.
    pub not_before: Option<Timestamp>,
}

/// The infusion before this course.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LastStart {
    /// There was none.
    Never,
    /// It began then.
    At(Timestamp),
    /// The patient is checked in for it; it begins then at the earliest.
    Begins(Timestamp),
}

/// One visit of a course, from the start of its infusion to the earliest discharge.
#[derive(Debug, Clone, PartialEq)]
pub struct Visit {
    /// Infusion n of the course, from 1.
    pub n: u32,
    /// The infusion begins.
    pub start: Timestamp,
    /// The patient may go home at the earliest.
    pub end: Timestamp,
    /// What the rules say of it.
    pub findings: Vec<Finding>,
}

/// Visits, and what is said of the whole course.
#[derive(Debug, Clone, PartialEq)]
pub struct Proposal {
    /// Version of the regimen.
    pub regimen_version: u32,
    /// Number and spacing.
    pub rhythm: Rhythm,
    /// Length of each infusion.
    pub minutes: Decimal,
    /// In the order of time; none where a rule stops the course.
    pub visits: Vec<Visit>,
    /// What is said of the course.
    pub findings: Vec<Finding>,
}

impl Proposal {
    /// The worst that is said of the course or of a visit.
    pub fn verdict(&self) -> Verdict {
        self.everything().map(|finding| finding.verdict).max().unwrap_or_default()
    }
    /// Whether all of it may be booked. One visit that a rule stops keeps all of them out of the calendar.
    pub fn may_be_booked(&self) -> bool {
        !self.visits.is_empty() && self.verdict() < Verdict::Stop
    }
    /// Findings of the course and of its visits.
    pub fn everything(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().chain(self.visits.iter().flat_map(|visit| &visit.findings))
    }
}

/// The rules that hold for one course.
struct Rules<'a> {
    regimen: &'a Item<Regimen>,
    spacing: &'a Item<Spacing>,
    booking: &'a Item<Booking>,
    stay: &'a Criteria,
    rhythm: Rhythm,
    minutes: Decimal,
    before: u32,
    /// What the first visit follows, in words.
    follows: &'static str,
    not_before: Timestamp,
    calendar: &'a Calendar,
}

/// Proposes a course: every visit on the first day that rhythm, spacing and calendar allow, or no visit at all.
pub fn propose(asked: &Asked, calendar: &Calendar, knowledge: &Knowledge) -> Proposal {
    with_rules(asked, calendar, knowledge, |rules| match rules.choose(asked) {
        Ok(starts) => rules.judge_visits(&starts, last_of(asked)),
        Err(finding) => Err(*finding),
    })
}

/// Judges visits at these moments, in the order of time: what was booked with one of them moved.
pub fn judge(asked: &Asked, starts: &[Timestamp], calendar: &Calendar, knowledge: &Knowledge) -> Proposal {
    let mut starts: Vec<_> = starts.iter().map(|at| (*at, Vec::new())).collect();
    starts.sort_by_key(|(at, _)| *at);
    with_rules(asked, calendar, knowledge, |rules| rules.judge_visits(&starts, last_of(asked)))
}

fn last_of(asked: &Asked) -> Option<Timestamp> {
    match asked.last {
        Some(LastStart::At(at) | LastStart::Begins(at)) => Some(at),
        Some(LastStart::Never) | None => None,
    }
}

fn with_rules(
    asked: &Asked,
    calendar: &Calendar,
    knowledge: &Knowledge,
    visits: impl Fn(&Rules<'_>) -> Result<Vec<Visit>, Finding>,
) -> Proposal {
    let none = Rhythm { infusions: 0, a_week: 0, within_d: None };
    let empty = |finding| Proposal {
        regimen_version: 0,
        rhythm: none,
        minutes: Decimal::ZERO,
        visits: Vec::new(),
        findings: vec![finding],
    };
    let rules = match Rules::find(asked, calendar, knowledge) {
        Ok(rules) => rules,
        Err(finding) => return empty(*finding),
    };
    let mut proposal = Proposal {
        regimen_version: rules.regimen.header.version,
        rhythm: rules.rhythm,
        minutes: rules.minutes,
        visits: Vec::new(),
        findings: rules.judge_course(asked, knowledge),
    };
    if proposal.verdict() < Verdict::Stop {
        match visits(&rules) {
            Ok(visits) => {
                proposal.findings.extend(rules.judge_span(&visits));
                proposal.visits = visits;
            }
            Err(finding) => proposal.findings.push(finding),
        }
    }
    proposal
}

type Wish = (Timestamp, Vec<Finding>);

impl<'a> Rules<'a> {
    fn find(asked: &Asked, calendar: &'a Calendar, knowledge: &'a Knowledge) -> Result<Self, Box<Finding>> {
        let id = asked.regimen.as_str();
        let missing = |what: &str| Box::new(gate::no_rule(what));
        let regimen = knowledge.regimens.get(id).ok_or_else(|| missing(id))?;
        let stop = |why: String| {
            Box::new(Finding::new(&regimen.header, Verdict::Stop, why).only_by(Override::Never))
        };
        match regimen.body.setting {
            Setting::Clinic | Setting::Research => {}
            Setting::Inpatient => {
                return Err(stop(format!(
                    "{} is for hospital wards; a clinic books no course of it.",
                    regimen.header.title
                )));
            }
            Setting::Reference => {
                return Err(stop(format!(
                    "{} is kept for comparison; no course of it is booked.",
                    regimen.header.title
                )));
            }
        }
        let spacing =
            knowledge.spacing.iter().find(|item| item.body.regimens.iter().any(|known| known == id));
        let usual = rhythm_for(&regimen.body, asked).ok_or_else(|| missing(id))?;
        Ok(Self {
            regimen,
            spacing: spacing.ok_or_else(|| missing(&format!("spacing of {id}")))?,
            booking: knowledge.booking.iter().next().ok_or_else(|| missing("booking"))?,
            stay: stay(knowledge).ok_or_else(|| missing("discharge"))?,
            rhythm: Rhythm {
                infusions: asked.count.unwrap_or(usual.infusions),
                a_week: asked.a_week.unwrap_or(usual.a_week),
                within_d: usual.within_d,
            },
            minutes: asked.minutes.unwrap_or_else(|| regimen.body.minutes()),
            before: asked.before,
            follows: match asked.last {
                Some(LastStart::Begins(_)) => CHECKED_IN,
                Some(LastStart::At(_) | LastStart::Never) | None => gate::LAST,
            },
            not_before: asked.not_before.map_or(Timestamp::MIN, next_quarter),
            calendar,
        })
    }

    /// The earliest discharge after infusion `n` that begins at `start`.
    fn end(&self, n: u32, start: Timestamp) -> Option<Timestamp> {
        let seconds = self.minutes.checked_mul(Decimal::from(60))?.ceil().to_i64()?;
        let end = start.checked_add(SignedDuration::from_secs(seconds)).ok()?;
        gate::earliest_discharge(self.stay, start, end, self.before.saturating_add(n), false, None)
    }

    /// What is asked against what is published, and what nobody said.
    fn judge_course(&self, asked: &Asked, knowledge: &Knowledge) -> Vec<Finding> {
        let (header, regimen, booking) = (&self.regimen.header, &self.regimen.body, &self.booking.header);
        let say = |header: &Header, verdict, why: String| Finding::new(header, verdict, why);
        let mut findings = vec![say(header, Verdict::Info, graded(regimen))];
        if regimen.setting == Setting::Research {
            let why = format!(
                "Research only: {} is published from trials; a clinic cannot order it.",
                self.regimen.header.title
            );
            findings.push(say(header, Verdict::Hold, why).only_by(Override::Never));
        }
        if !regimen.requires.is_empty() {
            findings.push(say(
                header,
                Verdict::Info,
                format!("This regimen also asks for: {}.", regimen.requires.join("; ")),
            ));
        }
        let Rhythm { infusions, a_week, .. } = self.rhythm;
        if !regimen.rhythms.iter().any(|known| known.a_week == a_week) {
            let known: Vec<String> = regimen.rhythms.iter().map(|known| known.a_week.to_string()).collect();
            let why = format!("{a_week} a week; published is {} a week.", known.join(" or "));
            findings.push(say(header, Verdict::Warn, why).with("a_week", a_week));
        }
        if let Some(n) = regimen.infusions.filter(|n| !(n.least..=n.most).contains(&infusions)) {
            let why = format!("{infusions} infusions; published are {} to {}.", n.least, n.most);
            findings.push(say(header, Verdict::Warn, why).with("infusions", infusions));
        }
        if !(1..=self.booking.body.visits_most).contains(&infusions) || !(1..=WEEK_D).contains(&a_week) {
            let why = format!(
                "{infusions} infusions, {a_week} a week; accepted are 1 to {} infusions, 1 to {WEEK_D} a week.",
                self.booking.body.visits_most
            );
            findings.push(say(booking, Verdict::Stop, why).only_by(Override::Never));
        }
        findings.extend(self.judge_length(asked, knowledge));
        if asked.last.is_none() {
            let why = "Nobody said when the last infusion before this course was: the first visit is not judged by it.";
            findings.push(
                say(&self.spacing.header, Verdict::Warn, why.to_owned()).with("last_infusion", "missing"),
            );
        }
        findings
    }

    /// A length that differs from the regimen's, against the caps. The regimen's own is judged with the order.
    fn judge_length(&self, asked: &Asked, knowledge: &Knowledge) -> Vec<Finding> {
        let Some(minutes) = asked.minutes.filter(|minutes| *minutes != self.regimen.body.minutes()) else {
            return Vec::new();
        };
        judge_length(&self.regimen.body, minutes, knowledge)
    }

    /// A start for every infusion. Two are never nearer than the rhythm spreads them, and never more than `a_week` lie
    /// in any seven days, however often a visit has to move: what moves, moves the rest.
    fn choose(&self, asked: &Asked) -> Result<Vec<Wish>, Box<Finding>> {
        let apart_d = WEEK_D / self.rhythm.a_week.max(1);
        let a_week = self.rhythm.a_week as usize;
        let mut chosen: Vec<Wish> = Vec::new();
        for n in 1..=self.rhythm.infusions {
            let day_of = |back: usize| {
                let at = chosen.len().checked_sub(back).and_then(|place| chosen.get(place));
                at.map(|(at, _)| self.calendar.local(*at).date())
            };
            let after = |date: Date, days: u32| date.checked_add(of_days(days)).ok();
            let wished = match (day_of(1), day_of(a_week)) {
                (None, _) => Some(asked.start),
                (Some(before), None) => after(before, apart_d),
                (Some(before), Some(week_ago)) => after(before, apart_d).max(after(week_ago, WEEK_D)),
            };
            let last = chosen.last().map(|(at, _)| *at).or_else(|| last_of(asked));
            chosen.push(self.first_slot(n, wished, asked.at, last)?);
        }
        Ok(chosen)
    }

    /// The first day from the wished one that takes the visit, with the reasons why it moved.
    fn first_slot(
        &self,
        n: u32,
        wished: Option<Date>,
        at: Option<Time>,
        last: Option<Timestamp>,
    ) -> Result<Wish, Box<Finding>> {
        let header = &self.booking.header;
        let mut reasons = Vec::new();
        for days in 0..=self.booking.body.moved_most_d {
            let Some(date) = wished.and_then(|day| day.checked_add(of_days(days)).ok()) else { break };
            match self.slot(n, date, at, last) {
                Ok(start) => {
                    let moved =
                        moved(header, (n, &reasons), wished, self.calendar.local(start).datetime(), at);
                    return Ok((start, moved.into_iter().collect()));
                }
                Err(why) if reasons.contains(&why) => {}
                Err(why) => reasons.push(why),
            }
        }
        let from = wished.map_or_else(|| "the end of the calendar".to_owned(), |day| day.to_string());
        let why = format!(
            "Infusion {n} finds no place within {} days from {from}: {}. No visit of the course is proposed.",
            self.booking.body.moved_most_d,
            reasons.join("; ")
        );
        Err(Box::new(Finding::new(header, Verdict::Stop, why).only_by(Override::Never)))
    }

    /// A start on that day: at the wished time; else later, when the soft floor has passed; else earlier than that and
    /// with a warning, but never before the hard floor.
    fn slot(
        &self,
        n: u32,
        date: Date,
        at: Option<Time>,
        last: Option<Timestamp>,
    ) -> Result<Timestamp, String> {
        if let Some(why) = self.calendar.closed(date) {
            return Err(why);
        }
        let wished = at.and_then(|time| self.calendar.moment(date, time)).unwrap_or(Timestamp::MIN);
        let wished = wished.max(self.not_before);
        let too_short = || format!("{} {date} has no opening that holds a whole visit", weekday(date));
        let usual = self.fits(n, date, wished).ok_or_else(too_short)?;
        let Some(last) = last else { return Ok(usual) };
        let floor = |hours: Decimal| {
            let seconds = hours.checked_mul(Decimal::from(3600))?.ceil().to_i64()?;
            last.checked_add(SignedDuration::from_secs(seconds)).ok()
        };
        let later = |hours| floor(hours).and_then(|from| self.fits(n, date, wished.max(from)));
        let spacing = &self.spacing.body;
        let soft = spacing.soft(&self.regimen.header.id);
        let slot =
            match gate::spacing_verdict(spacing, &self.regimen.header.id, gate::hours_between(last, usual)) {
                Verdict::Stop => later(soft).or_else(|| later(spacing.hard_h)),
                Verdict::Warn => later(soft).or(Some(usual)),
                _ => Some(usual),
            };
        slot.ok_or_else(|| {
            format!("{date} is less than {} h after the infusion before", plain(spacing.hard_h))
        })
    }

    /// The first moment of the day, not before `from`, at which the clinic stays open for the whole visit.
    fn fits(&self, n: u32, date: Date, from: Timestamp) -> Option<Timestamp> {
        self.calendar.hours(date).into_iter().find_map(|(open, close)| {
            let start = open.max(from);
            (self.end(n, start)? <= close).then_some(start)
        })
    }

    /// Every visit against its neighbour and the clinic's hours.
    fn judge_visits(&self, starts: &[Wish], before: Option<Timestamp>) -> Result<Vec<Visit>, Finding> {
        let mut last = before;
        let mut visits = Vec::new();
        for (n, (start, told)) in (1..).zip(starts) {
            let header = &self.booking.header;
            let end = self.end(n, *start).ok_or_else(|| Finding::missing(header, "end of the visit"))?;
            let mut findings = told.clone();
            if !self.calendar.is_open(*start, end) {
                let local = self.calendar.local(*start);
                let why = self.calendar.closed(local.date()).unwrap_or_else(|| {
                    let until = self.calendar.local(end).strftime("%H:%M").to_string();
                    format!("the clinic is not open from {} until {until}", local.strftime("%H:%M"))
                });
                let why = format!("Infusion {n} on {}: {why}.", local.date());
                findings.push(Finding::new(header, Verdict::Stop, why).only_by(Override::Never));
            }
            let follows = if n == 1 { self.follows } else { gate::LAST };
            findings.extend(self.judge_spacing(last, *start, follows).findings);
            findings.extend(self.judge_week(starts, n, *start));
            visits.push(Visit { n, start: *start, end, findings });
            last = Some(*start);
        }
        Ok(visits)
    }

    /// The hours that really pass since the infusion before.
    fn judge_spacing(&self, last: Option<Timestamp>, start: Timestamp, follows: &str) -> Assessment {
        let Some(last) = last else { return Assessment::default() };
        let hours = gate::hours_between(last, start);
        let mut said =
            gate::judge_spacing(self.spacing, &self.regimen.header.id, (LastInfusion::Ago(hours), follows));
        if said.findings.is_empty() {
            let why = format!("{} h after the infusion before.", plain(hours.trunc_with_scale(1)));
            said.findings.push(Finding::new(&self.spacing.header, Verdict::Pass, why));
        }
        said
    }

    /// More infusions in the seven days up to this one than the rhythm says.
    fn judge_week(&self, starts: &[Wish], n: u32, start: Timestamp) -> Option<Finding> {
        let day = self.calendar.local(start).date();
        let first = day.checked_sub(of_days(WEEK_D - 1)).ok()?;
        let within = |at: &Timestamp| (first..=day).contains(&self.calendar.local(*at).date());
        let count = starts.iter().take(n as usize).filter(|(at, _)| within(at)).count();
        (count > self.rhythm.a_week as usize).then(|| {
            let why =
                format!("{count} infusions in seven days; the plan says {} a week.", self.rhythm.a_week);
            Finding::new(&self.regimen.header, Verdict::Warn, why)
        })
    }

    fn judge_span(&self, visits: &[Visit]) -> Option<Finding> {
        let within = self.rhythm.within_d?;
        let (first, last) = visits.first().zip(visits.last())?;
        let date = |visit: &Visit| self.calendar.local(visit.start).date();
        let days = date(first).until(date(last)).ok()?.get_days().unsigned_abs().saturating_add(1);
        (days > within).then(|| {
            let why = format!("The course takes {days} days; published is within {within} days.");
            Finding::new(&self.regimen.header, Verdict::Warn, why).with("days", days)
        })
    }
}

/// The quarter of an hour that begins next: nobody is asked to come at 09:17:33.
fn next_quarter(at: Timestamp) -> Timestamp {
    let quarter = jiff::TimestampRound::new().smallest(jiff::Unit::Minute).increment(15);
    at.round(quarter.mode(jiff::RoundMode::Ceil)).unwrap_or(at)
}

/// When a patient may go home.
pub(super) fn stay(knowledge: &Knowledge) -> Option<&Criteria> {
    knowledge.discharge.iter().find_map(|item| match &item.body {
        Discharge::Criteria(criteria) => Some(criteria.as_ref()),
        Discharge::Score(_) => None,
    })
}

fn of_days(days: u32) -> SignedDuration {
    SignedDuration::from_hours(24 * i64::from(days))
}

/// The published rhythm nearest to what is asked: as often a week and with infusions enough, else as often, else the usual.
fn rhythm_for(regimen: &Regimen, asked: &Asked) -> Option<Rhythm> {
    let as_often = |known: &&Rhythm| asked.a_week.is_none_or(|a_week| known.a_week == a_week);
    let enough = |known: &&Rhythm| asked.count.is_none_or(|count| known.infusions >= count);
    let known = &regimen.rhythms;
    let nearest = known.iter().find(|known| as_often(known) && enough(known));
    nearest.or_else(|| known.iter().find(as_often)).or(known.first()).copied()
}

/// The evidence in words, with what it does not hold for.
fn graded(regimen: &Regimen) -> String {
    format!("Evidence grade {:?}. {}", regimen.grade, regimen.grade_note).trim_end().to_owned()
}

/// What is said of a visit that is not where the rhythm put it.
fn moved(
    header: &Header,
    (n, reasons): (u32, &[String]),
    wished: Option<Date>,
    found: jiff::civil::DateTime,
    at: Option<Time>,
) -> Option<Finding> {
    if !reasons.is_empty() {
        let holiday = reasons.iter().any(|reason| reason.ends_with("holiday"));
        let verdict = if holiday { Verdict::Warn } else { Verdict::Info };
        let wished = wished.map_or_else(String::new, |day| day.to_string());
        let why = format!(
            "Infusion {n} moved from {} to {} {}: {}.",
            wished,
            weekday(found.date()),
            found.date(),
            reasons.join("; ")
        );
        return Some(Finding::new(header, verdict, why).with("wished", wished));
    }
    let wished = at.filter(|time| *time != found.time())?.strftime("%H:%M").to_string();
    let why = format!(
        "Infusion {n} begins at {} instead of {wished}: earlier the clinic is closed or the infusion before too near.",
        found.strftime("%H:%M")
    );
    Some(Finding::new(header, Verdict::Info, why).with("wished", wished))
}
