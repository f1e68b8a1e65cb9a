//! What people entered, kept so that an entry can be struck: then the watch stands as if the entry had never been.
//!
//! What devices sent is kept beside it only for the signs that a person charted, from then on, because a reading is
//! judged by those before it. Limits that were moved meanwhile judge all of it as they stand now.

use super::board::{Ask, Board, Key};
use super::due::Due;
use super::input::{Acknowledgement, Alarm, Source};
use super::policy::MonitorPolicy;
use super::signs::{Group, Signs};
use crate::device::{Parameter, Reading};
use crate::gate::Pressure;
use crate::knowledge::limits::Sign;
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Messages of one group kept after a charted one: a quarter of an hour of a monitor that reports once a second. What is
/// older decides about nothing any more, because as many readings followed it.
const TOLD_MAX: usize = 900;

/// One message, form or answer, with when it came.
#[derive(Debug, Clone)]
pub(super) struct Told {
    pub at: Timestamp,
    pub entry: Option<i64>,
    /// Whether the signs could alarm then: not while a visit is recalled after a restart.
    pub judged: bool,
    pub what: What,
}

/// What it says.
#[derive(Debug, Clone)]
pub(super) enum What {
    Readings {
        source: Source,
        readings: Vec<Reading>,
        behind: Option<SignedDuration>,
    },
    Baseline(Option<Pressure>),
    Score {
        sign: Sign,
        score: i32,
        observed_at: Timestamp,
    },
    Symptom {
        id: String,
        present: bool,
    },
    Answered(Key, Acknowledgement),
    /// It was unanswered before a restart.
    Stands(Box<Alarm>),
}

/// The signs of one group and their alarms.
#[derive(Debug, Clone)]
pub(super) struct Standing {
    pub signs: Signs,
    pub board: Board,
}

/// What was told of one group since a person first charted it, and how it stood before.
#[derive(Debug, Clone)]
struct Tape {
    before: Standing,
    told: VecDeque<Told>,
}

/// Everything that people entered.
#[derive(Debug, Clone, Default)]
pub(super) struct Entries {
    tapes: BTreeMap<Group, Tape>,
}

/// One group that a struck entry was about.
#[derive(Debug)]
pub(super) struct Struck {
    pub group: Group,
    /// When the watch heard of the entry.
    pub entered_at: Timestamp,
    /// How it stands without.
    pub without: Standing,
}

impl Told {
    /// What it makes of the signs.
    pub fn apply(&self, signs: &mut Signs, policy: &MonitorPolicy) -> BTreeMap<Parameter, Timestamp> {
        match &self.what {
            What::Readings { source, readings, behind } => {
                return signs.take(self.at, source, readings, *behind, policy);
            }
            What::Baseline(pressure) => {
                signs.baseline = *pressure;
                signs.reconsider(self.at, policy);
            }
            What::Score { sign, score, observed_at } => {
                signs.score(self.at, (*sign, *score), *observed_at, policy);
            }
            What::Symptom { id, present } => signs.symptom(self.at, id, *present),
            What::Answered(..) | What::Stands(_) => {}
        }
        BTreeMap::new()
    }

    fn groups(&self) -> BTreeSet<Group> {
        match &self.what {
            What::Readings { readings, .. } => {
                readings.iter().map(|one| Group::measured(one.parameter)).collect()
            }
            What::Baseline(_) => [Group::PRESSURE].into(),
            What::Score { sign, .. } => [Group::of_sign(*sign)].into(),
            What::Symptom { id, .. } => [Group::Symptom(id.clone())].into(),
            What::Answered(key, _) => Group::of_alarm(key).into_iter().collect(),
            What::Stands(alarm) => {
                let key = Key::of(alarm);
                key.as_ref().and_then(Group::of_alarm).into_iter().collect()
            }
        }
    }

    fn of_group(&self, group: &Group) -> Self {
        let mut alone = self.clone();
        if let What::Readings { readings, .. } = &mut alone.what {
            readings.retain(|one| Group::measured(one.parameter) == *group);
        }
        alone
    }
}

impl Standing {
    /// Lets time go by until something is told, and takes that.
    fn hear(&mut self, told: &Told, policy: &MonitorPolicy) -> BTreeMap<Parameter, Timestamp> {
        if told.judged {
            self.judge(told.at, policy);
        }
        let fresh = told.apply(&mut self.signs, policy);
        match &told.what {
            What::Answered(key, answer) => self.board.answer(key, answer.clone(), &mut Vec::new()),
            What::Stands(alarm) => self.board.stand_again(alarm),
            _ => {}
        }
        if told.judged {
            self.judge(told.at, policy);
        }
        fresh
    }

    fn judge(&mut self, at: Timestamp, policy: &MonitorPolicy) {
        let mut asked: BTreeMap<Key, Ask> = BTreeMap::new();
        self.signs.asks(at, policy, &mut asked);
        self.board.reconcile(at, asked, &mut Vec::new());
    }
}

impl Entries {
    /// Keeps what is about to be applied to these signs, where a person charted such a thing.
    pub fn keep(&mut self, told: &Told, signs: &Signs, board: &Board, policy: &MonitorPolicy) {
        for group in told.groups() {
            if told.entry.is_none() && !self.tapes.contains_key(&group) {
                continue;
            }
            let alone = told.of_group(&group);
            let tape = self.tapes.entry(group).or_insert_with_key(|group| {
                let board = board.only(|key| Group::of_alarm(key).as_ref() == Some(group));
                Tape { before: Standing { signs: signs.only(group), board }, told: VecDeque::new() }
            });
            tape.told.push_back(alone);
            if tape.told.len() > TOLD_MAX
                && let Some(first) = tape.told.pop_front()
            {
                tape.before.hear(&first, policy);
            }
        }
        self.forget_what_no_person_told();
    }

    fn forget_what_no_person_told(&mut self) {
        self.tapes.retain(|_, tape| tape.told.iter().any(|told| told.entry.is_some()));
    }

    /// Takes an entry out. Returns how each group that it was about stands without it, judged until `until`.
    pub fn strike(
        &mut self,
        entry: i64,
        until: Option<Timestamp>,
        due: &mut Due,
        policy: &MonitorPolicy,
    ) -> Vec<Struck> {
        let mut all = Vec::new();
        for (group, tape) in &mut self.tapes {
            let Some(last) = tape.told.iter().rfind(|told| told.entry == Some(entry)) else { continue };
            let entered_at = last.at;
            tape.told.retain(|told| told.entry != Some(entry));
            let mut without = tape.before.clone();
            for told in &tape.told {
                due.made_by(&without.hear(told, policy), told.entry);
            }
            if let Some(at) = until {
                without.judge(at, policy);
            }
            all.push(Struck { group: group.clone(), entered_at, without });
        }
        self.forget_what_no_person_told();
        all
    }
}
