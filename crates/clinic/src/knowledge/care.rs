//! `knowledge/care/`: what is asked before the first visit, which crisis lines there are, and the clocks of tasks.

use super::measure::{Days, Minutes};
use super::{Body, Item, Knowledge};
use crate::care::inquiry::{Crisis, Exclusions, Inquiry};
use crate::care::roster::{Call, Duty};
use crate::care::task::{self, Owner, Task, TaskOpened, Urgency};
use crate::id::{DutyId, InquiryId, RuleId, StaffId};
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde::Deserialize;

/// One thing to choose, in words that a patient reads.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    /// Its id.
    pub id: String,
    /// In plain words.
    pub title: String,
}

/// What is asked before the first visit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Intake {
    /// A score so many months older than the first we heard of a patient is a slip of the hand.
    pub scores_older_mo_most: u32,
    /// What people want help with.
    #[serde(rename = "condition")]
    pub conditions: Vec<Choice>,
    /// What makes it a clinician's decision.
    #[serde(rename = "exclusion")]
    pub exclusions: Vec<Choice>,
}

impl Intake {
    /// Whether a condition can be chosen.
    pub fn has_condition(&self, id: &str) -> bool {
        self.conditions.iter().any(|one| one.id == id)
    }
    /// Whether an exclusion can be chosen.
    pub fn has_exclusion(&self, id: &str) -> bool {
        self.exclusions.iter().any(|one| one.id == id)
    }
    /// A condition in words; its id where it is not known any more.
    pub fn condition<'a>(&'a self, id: &'a str) -> &'a str {
        self.conditions.iter().find(|one| one.id == id).map_or(id, |one| &one.title)
    }
    /// An exclusion in words; its id where it is not known any more.
    pub fn exclusion<'a>(&'a self, id: &'a str) -> &'a str {
        self.exclusions.iter().find(|one| one.id == id).map_or(id, |one| &one.title)
    }
}

/// Somebody who answers at any hour.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CrisisLine {
    /// For whom.
    pub title: String,
    /// Number to call.
    pub call: String,
    /// Number to send a text to.
    #[serde(default)]
    pub text: Option<String>,
    /// When it answers.
    pub hours: String,
}

/// The crisis lines of one region; the settings name the region.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CrisisLines {
    /// For example `us`.
    pub region: String,
    /// Number of the emergency services.
    pub emergency: String,
    /// Lines, the first one first.
    #[serde(rename = "line")]
    pub lines: Vec<CrisisLine>,
}

/// The clocks of one urgency.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UrgencyClock {
    /// Of which tasks.
    pub urgency: Urgency,
    /// In which time somebody takes it; then it passes on.
    pub answer_within: Minutes,
    /// In which time it is done once taken; then it passes on.
    pub done_within: Minutes,
}

/// When a task passes on.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Escalation {
    /// Longest stretch for which one person is on call.
    pub duty_longest: Days,
    /// One for each urgency.
    #[serde(rename = "clock")]
    pub clocks: Vec<UrgencyClock>,
}

/// The clocks of a task, with the rule that they come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clock {
    /// Which rule.
    pub rule: RuleId,
    /// In which version.
    pub version: u32,
    /// In which time somebody takes it, seconds.
    pub answer_within_s: i64,
    /// In which time it is done once taken, seconds.
    pub done_within_s: i64,
}

/// One file of `knowledge/care/`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Care {
    /// What is asked.
    Intake(Intake),
    /// Who answers at any hour.
    CrisisLines(CrisisLines),
    /// When a task passes on.
    Escalation(Escalation),
}

/// A worked case.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged, expecting = "a case of what is asked, of a crisis line, or of a clock")]
pub enum CareCase {
    /// What makes an inquiry a clinician's decision.
    Asked {
        /// What was ticked.
        exclusions: Vec<String>,
        /// Danger to their own life.
        crisis: Crisis,
        /// How many reasons there are.
        flags: usize,
    },
    /// The number that is shown first.
    Line {
        /// It.
        call: String,
    },
    /// Who was told last when nobody answers.
    Told {
        /// Of which task.
        urgency: Urgency,
        /// Who is on call, in order.
        on_call: Vec<String>,
        /// So many minutes after it was opened.
        after: Minutes,
        /// One of them, or `everyone`.
        told: String,
    },
}

impl Body for Care {
    const FOLDER: &'static str = "care";
    type Example = CareCase;

    fn check(item: &Item<Self>, all: &Knowledge) -> Result<(), String> {
        match &item.body {
            Self::Intake(intake) => check_intake(intake),
            Self::CrisisLines(lines) => check_lines(lines, &item.header.id, all),
            Self::Escalation(escalation) => check_clocks(escalation),
        }
    }

    fn prove(item: &Item<Self>, case: &CareCase, _all: &Knowledge) -> Result<(), String> {
        match (&item.body, case) {
            (Self::Intake(intake), CareCase::Asked { exclusions, crisis, flags }) => {
                let found = asked(exclusions, *crisis).flags(intake);
                same(&found.len(), flags)
            }
            (Self::CrisisLines(lines), CareCase::Line { call }) => {
                same(&lines.lines.first().map(|line| line.call.as_str()), &Some(call.as_str()))
            }
            (Self::Escalation(escalation), CareCase::Told { urgency, on_call, after, told }) => {
                same(&told_last(&escalation.clock(*urgency, "example", 1), *urgency, on_call, after), told)
            }
            _ => Err("is a case of something else".to_owned()),
        }
    }
}

fn same<T: PartialEq + std::fmt::Debug>(found: &T, expected: &T) -> Result<(), String> {
    if found == expected { Ok(()) } else { Err(format!("comes out as {found:?}")) }
}

fn check_intake(intake: &Intake) -> Result<(), String> {
    for (what, choices) in [("condition", &intake.conditions), ("exclusion", &intake.exclusions)] {
        let mut ids: Vec<&str> = choices.iter().map(|one| one.id.as_str()).collect();
        ids.sort_unstable();
        if ids.is_empty() || !ids.is_sorted_by(|a, b| a < b) {
            return Err(format!("has no `{what}`, or one twice"));
        }
    }
    Ok(())
}

fn check_lines(lines: &CrisisLines, own: &str, all: &Knowledge) -> Result<(), String> {
    let dialled = |number: &String| {
        !number.is_empty() && number.chars().all(|c| c.is_ascii_digit() || matches!(c, ' ' | '+'))
    };
    let texts = lines.lines.iter().filter_map(|line| line.text.as_ref());
    let numbers = lines.lines.iter().map(|line| &line.call).chain(texts).chain([&lines.emergency]);
    if let Some(number) = numbers.into_iter().find(|number| !dialled(number)) {
        return Err(format!("`{number}` cannot be dialled"));
    }
    if lines.lines.is_empty() {
        return Err("has no `[[line]]`".to_owned());
    }
    let twin = all.care.iter().find(|item| {
        item.header.id != own
            && matches!(&item.body, Care::CrisisLines(other) if other.region == lines.region)
    });
    twin.map_or(Ok(()), |twin| Err(format!("the region {} stands in {} too", lines.region, twin.header.id)))
}

fn check_clocks(escalation: &Escalation) -> Result<(), String> {
    for urgency in [Urgency::SuicideRisk, Urgency::RedAnswer, Urgency::ClinicalReview] {
        if escalation.clocks.iter().filter(|clock| clock.urgency == urgency).count() != 1 {
            return Err(format!("has not one clock for {urgency:?}"));
        }
        let clock = escalation.clock(urgency, "", 1);
        if clock.answer_within_s <= 0 || clock.done_within_s <= 0 {
            return Err(format!("a clock of {urgency:?} has no time"));
        }
    }
    Ok(())
}

impl Escalation {
    fn clock(&self, urgency: Urgency, rule: &str, version: u32) -> Clock {
        let clock = self.clocks.iter().find(|clock| clock.urgency == urgency);
        let within = |minutes: Option<Minutes>| minutes.map_or(0, seconds);
        Clock {
            rule: RuleId::new(rule),
            version,
            answer_within_s: within(clock.map(|clock| clock.answer_within)),
            done_within_s: within(clock.map(|clock| clock.done_within)),
        }
    }
}

fn seconds(minutes: Minutes) -> i64 {
    (minutes.0 * Decimal::from(60)).to_i64().unwrap_or_default()
}

/// Somebody who answered nothing but this.
fn asked(exclusions: &[String], crisis: Crisis) -> Inquiry {
    let exclusions =
        if exclusions.is_empty() { Exclusions::None } else { Exclusions::These(exclusions.to_vec()) };
    Inquiry {
        name: String::new(),
        phone: String::new(),
        email: String::new(),
        conditions: Vec::new(),
        goals: String::new(),
        treatments: String::new(),
        exclusions,
        crisis,
    }
}

/// Lets the clock run over a task that nobody answers.
fn told_last(clock: &Clock, urgency: Urgency, on_call: &[String], after: &Minutes) -> String {
    let begin = Timestamp::UNIX_EPOCH;
    let end = seconds(*after);
    let at = |second| begin.checked_add(SignedDuration::from_secs(second)).unwrap_or(begin);
    let duties: Vec<Duty> = on_call
        .iter()
        .zip(Call::ALL)
        .map(|(staff, call)| Duty {
            id: DutyId::new(staff),
            staff: StaffId::new(staff),
            call,
            from: begin,
            to: at(end + 1),
        })
        .collect();
    let duties: Vec<&Duty> = duties.iter().collect();
    let inquiry = InquiryId::new("example");
    let why = match urgency {
        Urgency::ClinicalReview => TaskOpened::ReviewAsked { inquiry },
        Urgency::SuicideRisk | Urgency::RedAnswer => {
            TaskOpened::CrisisAnswer { inquiry, answer: Crisis::Danger }
        }
    };
    let Some(mut task) = Task::opened(&task::open(why, &duties, clock, begin), begin) else {
        return String::new();
    };
    let step = clock.answer_within_s.max(1);
    for second in (0..=end).step_by(usize::try_from(step).unwrap_or(1)) {
        if let Some(event) = task::on_clock(&task, &duties, clock, at(second)) {
            task = task.evolve(&event, at(second));
        }
    }
    match task.owner {
        Owner::Person(staff) => staff.0,
        Owner::Everyone => "everyone".to_owned(),
    }
}

impl Knowledge {
    /// What is asked before the first visit.
    pub fn intake(&self) -> &Intake {
        self.care
            .iter()
            .find_map(|item| match &item.body {
                Care::Intake(intake) => Some(intake),
                Care::CrisisLines(_) | Care::Escalation(_) => None,
            })
            .unwrap_or(&NOTHING_ASKED)
    }

    /// The crisis lines of a region.
    pub fn crisis_lines(&self, region: &str) -> Option<&CrisisLines> {
        self.care.iter().find_map(|item| match &item.body {
            Care::CrisisLines(lines) if lines.region == region => Some(lines),
            _ => None,
        })
    }

    /// Regions that have crisis lines.
    pub fn crisis_regions(&self) -> Vec<&str> {
        let regions = self.care.iter().filter_map(|item| match &item.body {
            Care::CrisisLines(lines) => Some(lines.region.as_str()),
            Care::Intake(_) | Care::Escalation(_) => None,
        });
        regions.collect()
    }

    /// The clocks of a task. Missing rules are the strictest: no time at all.
    pub fn clock(&self, urgency: Urgency) -> Clock {
        let (escalation, rule, version) = self.escalation();
        escalation.map_or_else(
            || Clock { rule: RuleId::new(rule), version, answer_within_s: 0, done_within_s: 0 },
            |escalation| escalation.clock(urgency, rule, version),
        )
    }

    /// Longest stretch for which one person is on call.
    pub fn duty_longest(&self) -> SignedDuration {
        let days = self.escalation().0.map_or(Decimal::ZERO, |escalation| escalation.duty_longest.0);
        SignedDuration::from_hours((days * Decimal::from(24)).to_i64().unwrap_or_default())
    }

    fn escalation(&self) -> (Option<&Escalation>, &str, u32) {
        let found = self.care.iter().find_map(|item| match &item.body {
            Care::Escalation(escalation) => Some((escalation, &item.header)),
            Care::Intake(_) | Care::CrisisLines(_) => None,
        });
        found.map_or((None, "", 0), |(escalation, header)| (Some(escalation), &header.id, header.version))
    }
}

static NOTHING_ASKED: Intake =
    Intake { scores_older_mo_most: 0, conditions: Vec::new(), exclusions: Vec::new() };
