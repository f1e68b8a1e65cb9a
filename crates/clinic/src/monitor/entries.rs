//! What people entered, kept so that an entry can be struck: then the watch stands as if the entry had never been.
//!
//! What devices sent is kept beside it only for the signs that a person charted, from then on, because a reading is
//! judged by those before it. Limits that were moved meanwhile judge all of it as they stand now.

use super::board::{Ask, Grave, Key};
use super::due::Due;
use super::input::Source;
use super::policy::MonitorPolicy;
use super::signs::{Signs, group_of, sign_group};
use crate::device::{Parameter, Reading};
use crate::gate::Pressure;
use crate::knowledge::limits::Sign;
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Messages of one sign kept after a charted one: a quarter of an hour of a monitor that reports once a second. What is
/// older decides about nothing any more, because as many readings followed it.
const TOLD_MAX: usize = 900;
/// Scores and symptoms kept; more than anybody charts in one visit.
const TAPS_MAX: usize = 2_000;

/// One message or form about one group of signs, with when it came.
#[derive(Debug, Clone)]
pub(super) struct Told {
    pub at: Timestamp,
    pub entry: Option<i64>,
    pub what: What,
}

/// What it says.
#[derive(Debug, Clone)]
pub(super) enum What {
    Readings { source: Source, readings: Vec<Reading>, behind: Option<SignedDuration> },
    Baseline(Option<Pressure>),
}

/// What was told of one group of signs since a person first charted it, and how it stood before.
#[derive(Debug, Clone)]
struct Tape {
    before: Signs,
    told: VecDeque<Told>,
}

/// One tap on a scale or a symptom.
#[derive(Debug, Clone)]
enum Tap {
    Score(Sign, i32, Timestamp),
    Symptom(String, bool),
}

/// Everything that people entered.
#[derive(Debug, Clone, Default)]
pub(super) struct Entries {
    tapes: BTreeMap<Parameter, Tape>,
    taps: VecDeque<(Timestamp, Option<i64>, Tap)>,
}

/// What a struck entry was about.
#[derive(Debug, Default)]
pub(super) struct Struck {
    /// When the watch heard of it.
    pub entered_at: Option<Timestamp>,
    pub signs: BTreeSet<Sign>,
    pub symptoms: BTreeSet<String>,
    /// What asked for an answer by itself, whatever the struck entry said.
    pub grave: Grave,
}

impl Told {
    /// What it makes of the signs.
    pub fn apply(&self, signs: &mut Signs, policy: &MonitorPolicy) -> BTreeMap<Parameter, Timestamp> {
        match &self.what {
            What::Readings { source, readings, behind } => {
                signs.take(self.at, source, readings, *behind, policy)
            }
            What::Baseline(pressure) => {
                signs.baseline = *pressure;
                signs.reconsider(self.at, policy);
                BTreeMap::new()
            }
        }
    }

    fn groups(&self) -> BTreeSet<Parameter> {
        match &self.what {
            What::Readings { readings, .. } => readings.iter().map(|one| group_of(one.parameter)).collect(),
            What::Baseline(_) => [Parameter::Systolic].into(),
        }
    }

    fn of_group(&self, group: Parameter) -> Self {
        let mut alone = self.clone();
        if let What::Readings { readings, .. } = &mut alone.what {
            readings.retain(|one| group_of(one.parameter) == group);
        }
        alone
    }
}

fn asks_of(signs: &Signs, at: Timestamp, policy: &MonitorPolicy) -> BTreeMap<Key, Ask> {
    let mut asked = BTreeMap::new();
    signs.asks(at, policy, &mut asked);
    asked
}

impl Entries {
    /// Keeps what is about to be applied to these signs, where a person charted such a thing.
    pub fn keep(&mut self, told: &Told, signs: &Signs, policy: &MonitorPolicy) {
        for group in told.groups() {
            if told.entry.is_none() && !self.tapes.contains_key(&group) {
                continue;
            }
            let begin = || Tape { before: signs.of_group(group), told: VecDeque::new() };
            let tape = self.tapes.entry(group).or_insert_with(begin);
            tape.told.push_back(told.of_group(group));
            if tape.told.len() > TOLD_MAX
                && let Some(first) = tape.told.pop_front()
            {
                first.apply(&mut tape.before, policy);
            }
        }
        self.forget_what_no_person_told();
    }

    fn forget_what_no_person_told(&mut self) {
        self.tapes.retain(|_, tape| tape.told.iter().any(|told| told.entry.is_some()));
    }

    pub fn scored(&mut self, at: Timestamp, entry: Option<i64>, (sign, score): (Sign, i32), seen: Timestamp) {
        self.tapped(at, entry, Tap::Score(sign, score, seen));
    }

    pub fn symptom(&mut self, at: Timestamp, entry: Option<i64>, id: &str, present: bool) {
        self.tapped(at, entry, Tap::Symptom(id.to_owned(), present));
    }

    fn tapped(&mut self, at: Timestamp, entry: Option<i64>, tap: Tap) {
        self.taps.push_back((at, entry, tap));
        if self.taps.len() > TAPS_MAX {
            self.taps.pop_front();
        }
    }

    /// Takes an entry out and makes signs, symptoms and observations what they would be without it.
    pub fn strike(
        &mut self,
        entry: Option<i64>,
        signs: &mut Signs,
        symptoms: &mut BTreeMap<String, Timestamp>,
        due: &mut Due,
        policy: &MonitorPolicy,
    ) -> Struck {
        let mut struck = Struck::default();
        due.strike(entry);
        for (group, tape) in &mut self.tapes {
            let Some(last) = tape.told.iter().rfind(|told| told.entry == entry) else { continue };
            struck.entered_at = Some(last.at);
            let parameters = Parameter::ALL.into_iter().filter(|parameter| group_of(*parameter) == *group);
            struck.signs.extend(parameters.filter_map(Sign::of));
            tape.told.retain(|told| told.entry != entry);
            let mut anew = tape.before.clone();
            for told in &tape.told {
                due.made_by(&told.apply(&mut anew, policy), told.entry);
                struck.grave.heard(told.at, asks_of(&anew, told.at, policy));
            }
            signs.put_group(*group, anew);
        }
        self.forget_what_no_person_told();
        self.strike_taps(entry, &mut struck);
        for sign in struck.signs.iter().filter(|sign| sign_group(**sign).is_none()) {
            signs.forget_score(*sign);
        }
        symptoms.retain(|id, _| !struck.symptoms.contains(id));
        for (at, _, tap) in &self.taps {
            match tap {
                Tap::Score(sign, score, seen) if struck.signs.contains(sign) => {
                    signs.score(*at, (*sign, *score), *seen, policy);
                    let mut asked = asks_of(signs, *at, policy);
                    asked.retain(|key, _| *key == Key::Sign(*sign));
                    struck.grave.heard(*at, asked);
                }
                Tap::Symptom(id, true) if struck.symptoms.contains(id) => {
                    let since = *symptoms.entry(id.clone()).or_insert(*at);
                    let asked = policy.symptom(id, since).map(|ask| (Key::Symptom(id.clone()), ask));
                    struck.grave.heard(*at, asked.into_iter().collect());
                }
                Tap::Symptom(id, false) if struck.symptoms.contains(id) => drop(symptoms.remove(id)),
                Tap::Score(..) | Tap::Symptom(..) => {}
            }
        }
        struck
    }

    fn strike_taps(&mut self, entry: Option<i64>, struck: &mut Struck) {
        self.taps.retain(|(at, its, tap)| {
            if *its != entry {
                return true;
            }
            struck.entered_at = Some(*at);
            match tap {
                Tap::Score(sign, ..) => drop(struck.signs.insert(*sign)),
                Tap::Symptom(id, _) => drop(struck.symptoms.insert(id.clone())),
            }
            false
        });
    }
}
