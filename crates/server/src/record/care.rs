//! Harm, drugs given for it, and alarms.

use super::Teller;
use super::sheet::{Cell, Part, Section, Table};
use crate::words::lasted;
use clinic::id::{AlarmId, StaffId};
use clinic::knowledge::limits::Priority;
use clinic::monitor::{Alarm, Output};
use clinic::quantity::plain;
use clinic::session::Event;
use jiff::Timestamp;

/// Adverse events with their outcome, and drugs beside the infusion.
pub(super) fn events_and_drugs(teller: &Teller) -> Section {
    let heads =
        [("No.", 5), ("Began", 9), ("What", 20), ("Grade", 11), ("Words", 25), ("Outcome", 14), ("By", 16)];
    let mut events = Table::new("Adverse events", &heads, "None noted.");
    let heads = [("Time", 10), ("Drug", 22), ("Dose", 14), ("Route", 10), ("For", 22), ("By", 22)];
    let mut drugs = Table::new("Drugs beside the infusion", &heads, "None given.");
    for one in &teller.history.events {
        match &one.event {
            Event::AdverseEventNoted(event) => {
                let serious = if event.serious { ", SERIOUS" } else { "" };
                let outcome = outcome(teller, event.number, event.began_at);
                let beside = |text: String| teller.beside(one.position, text);
                events.row([
                    event.number.to_string().into(),
                    beside(teller.clock(event.began_at)),
                    beside(teller.title_of(event.playbook.as_str())),
                    beside(format!("{}{serious}", grade(event.grade))),
                    teller.cell(one.position, event.text.clone()),
                    beside(outcome),
                    teller.who(&one.by).into(),
                ]);
            }
            Event::DrugWasGiven(given) => {
                let under = format!("{} v{}", teller.title_of(given.standing_order.as_str()), given.version);
                let header = teller.knowledge.header(given.standing_order.as_str());
                let unsigned = header
                    .is_some_and(|header| header.version == given.version && header.is_unsigned_default());
                let unsigned = if unsigned { ", NOT SIGNED by the clinic (shipped default)" } else { "" };
                let event =
                    given.adverse_event.map_or_else(String::new, |number| format!(", event {number}"));
                let beside = |text: String| teller.beside(one.position, text);
                drugs.row([
                    beside(teller.clock(given.given_at)),
                    beside(given.drug.clone()),
                    teller.cell(one.position, format!("{} {}", plain(given.dose), given.unit)),
                    beside(given.route.clone()),
                    beside(format!("Standing order: {under}{unsigned}{event}")),
                    teller.who(&one.by).into(),
                ]);
            }
            _ => {}
        }
    }
    Section::new("Adverse events and drugs", vec![Part::Table(events), Part::Table(drugs)])
}

fn outcome(teller: &Teller, number: u32, began_at: Timestamp) -> String {
    let ended = teller.history.events.iter().find_map(|one| match &one.event {
        Event::AdverseEventResolved { number: its, outcome, ended_at } if *its == number => {
            Some((ended_at.unwrap_or(one.at), outcome))
        }
        _ => None,
    });
    match ended {
        Some((at, outcome)) => {
            let after = lasted(at.duration_since(began_at).as_mins());
            format!("{}, after {after}: {outcome}", teller.clock(at))
        }
        None => "OPEN".to_owned(),
    }
}

fn grade(grade: u8) -> String {
    let name = match grade {
        1 => "mild",
        2 => "moderate",
        3 => "severe",
        4 => "life-threatening",
        5 => "fatal",
        _ => return grade.to_string(),
    };
    format!("{grade} {name}")
}

/// The life of one alarm as the log has it.
pub(super) struct Life<'a> {
    pub(super) alarm: &'a Alarm,
    pub(super) raised: Timestamp,
    /// The gravest that it ever was.
    worst: Priority,
    turns: Vec<String>,
    answered: Option<(&'a StaffId, Timestamp, &'a str)>,
    pub(super) cleared: Option<Timestamp>,
    /// Each time that its condition held: one more where it came back before anybody had answered.
    pub(super) spells: Vec<Spell<'a>>,
}

/// One time that the condition of an alarm held.
pub(super) struct Spell<'a> {
    /// As it was told when it began.
    pub(super) alarm: &'a Alarm,
    pub(super) told: Timestamp,
    /// When it was over; `None` while it lasts.
    pub(super) over: Option<Timestamp>,
}

impl<'a> Life<'a> {
    fn new(alarm: &'a Alarm, at: Timestamp) -> Self {
        let spells = vec![Spell { alarm, told: at, over: None }];
        let (worst, turns) = (alarm.priority, Vec::new());
        Self { alarm, raised: at, worst, turns, answered: None, cleared: None, spells }
    }

    fn comes_back(&mut self, alarm: &'a Alarm, at: Timestamp) {
        self.ends(at);
        self.spells.push(Spell { alarm, told: at, over: None });
    }

    fn ends(&mut self, at: Timestamp) {
        if let Some(last) = self.spells.last_mut() {
            last.over.get_or_insert(at);
        }
    }

    fn is_over(&self) -> bool {
        self.spells.last().is_some_and(|last| last.over.is_some())
    }
}

pub(super) fn lives<'a>(teller: &Teller<'a>) -> Vec<Life<'a>> {
    let mut lives: Vec<Life> = Vec::new();
    for (at, said) in &teller.history.alarms {
        if let Output::AlarmRaised(alarm) = said {
            lives.push(Life::new(alarm, *at));
            continue;
        }
        let Some(id) = about(said) else { continue };
        // An id may be raised again after it cleared; the last life is meant.
        let Some(life) = lives.iter_mut().rev().find(|life| life.alarm.id == *id) else { continue };
        match said {
            Output::AlarmWorsened(alarm) => {
                let priority = crate::words::priority(alarm.priority);
                life.turns.push(format!("worse at {}, {priority}: {}", teller.clock_s(*at), alarm.message));
                life.worst = life.worst.max(alarm.priority);
                if life.is_over() {
                    life.comes_back(alarm, *at);
                }
            }
            Output::AlarmReturned(alarm) => {
                life.turns.push(format!("came back at {}: {}", teller.clock_s(*at), alarm.message));
                life.comes_back(alarm, *at);
            }
            Output::AlarmEased(alarm) => {
                life.turns.push(format!("milder at {}: {}", teller.clock_s(*at), alarm.message))
            }
            Output::AlarmEscalated { to, .. } => {
                life.turns.push(format!("at {} to {}", teller.clock_s(*at), crate::words::reach(*to)));
            }
            Output::SoundPaused { by, .. } => {
                life.turns.push(format!("sound paused at {} by {}", teller.clock_s(*at), teller.who(by)));
            }
            Output::AlarmLatched(_) => {
                life.ends(*at);
                life.turns.push(format!("condition over at {}", teller.clock_s(*at)));
            }
            Output::AlarmAcknowledged { by, reason, .. } if life.answered.is_none() => {
                life.answered = Some((by, *at, reason));
            }
            Output::AlarmCleared(_) => life.cleared = Some(*at),
            Output::AlarmWithdrawn(_) => {
                life.turns.push("taken away: the entry that raised it was struck".to_owned());
                life.cleared = Some(*at);
            }
            Output::AlarmLeft(_) => {
                life.turns.push("stood when the patient left the chair".to_owned());
                life.cleared = Some(*at);
            }
            _ => {}
        }
    }
    lives
}

fn about(said: &Output) -> Option<&AlarmId> {
    match said {
        Output::AlarmRaised(alarm)
        | Output::AlarmWorsened(alarm)
        | Output::AlarmReturned(alarm)
        | Output::AlarmEased(alarm) => Some(&alarm.id),
        Output::AlarmLatched(id)
        | Output::AlarmCleared(id)
        | Output::AlarmWithdrawn(id)
        | Output::AlarmLeft(id)
        | Output::SoundResumed(id) => Some(id),
        Output::AlarmAcknowledged { alarm, .. }
        | Output::AlarmEscalated { alarm, .. }
        | Output::SoundPaused { alarm, .. } => Some(alarm),
        Output::ObservationDue(_) | Output::LimitChanged { .. } | Output::Refused(_) => None,
    }
}

/// Alarms with the answer to each, and limits that were moved.
pub(super) fn alarms(teller: &Teller) -> Section {
    let heads = [("Raised", 11), ("Priority", 10), ("Alarm", 41), ("Answered", 25), ("Gone", 13)];
    let mut table = Table::new("Alarms", &heads, "None was raised.");
    for life in lives(teller) {
        let mut said = life.alarm.message.clone();
        if !life.turns.is_empty() {
            said = format!("{said} ({})", life.turns.join("; "));
        }
        table.row([
            teller.clock_s(life.raised).into(),
            crate::words::priority(life.worst).into(),
            said.into(),
            answered(teller, &life),
            life.cleared.map_or_else(|| "not in the log".to_owned(), |at| teller.clock_s(at)).into(),
        ]);
    }
    let heads = [("Time", 14), ("Limit", 30), ("From", 12), ("To", 12), ("Reason", 16), ("By", 16)];
    let mut moved = Table::new("Limits moved for this visit", &heads, "None was moved.");
    for (at, said) in &teller.history.alarms {
        if let Output::LimitChanged { from, change, .. } = said {
            moved.row([
                teller.clock_s(*at).into(),
                change.rule.as_str().into(),
                plain(*from).into(),
                plain(change.to).into(),
                change.reason.clone().into(),
                teller.who(&change.by).into(),
            ]);
        }
    }
    Section::new("Alarms", vec![Part::Table(table), Part::Table(moved)])
}

fn answered(teller: &Teller, life: &Life) -> Cell {
    let Some((by, at, reason)) = life.answered else { return "nobody".into() };
    let seconds = at.duration_since(life.raised).as_secs();
    let reason = if reason.trim().is_empty() { String::new() } else { format!(": {reason}") };
    format!("{} after {} min {} s{reason}", teller.who(by), seconds / 60, seconds % 60).into()
}
