//! The watch over one chair: a deterministic machine fed with readings, ticks and acts of people.
//!
//! [`Monitor::feed`] takes one [`Input`] at a time and returns what follows from it. There is no clock here:
//! silence is a [`Input::Tick`], so that "no value for ten seconds" is tested like a value. Every limit, time and
//! priority comes from `knowledge/limits`. After each input the monitor works out all conditions that hold now and
//! makes its alarms agree with them, so no order of inputs can leave a condition without its alarm.

mod board;
pub mod breach;
mod due;
mod entries;
mod input;
mod policy;
mod pump;
mod signs;
mod unfinished;
mod view;
mod watch;

pub use crate::knowledge::limits::{Action, Condition, Priority, Reach, Sign};
pub use crate::knowledge::observations::{Observed, Phase};
pub use input::{
    Acknowledgement, Alarm, Expected, Input, LimitChange, LimitRefused, Ordered, Output, Refused, Source,
};
pub use policy::{MonitorPolicy, PolicyFault, permit_limit_change};
pub use unfinished::{Leftovers, Unfinished, unanswered, unfinished};
pub use view::{AlarmView, DueView, LimitView, MonitorView, PumpView, ScoreView, ValueView};

use crate::device::{DeviceKind, Parameter, PumpReading, PumpStatus, Reading};
use crate::id::{DeviceId, SessionId};
use crate::knowledge::limits::Watch;
use crate::quantity::Microlitres;
use board::{Ask, Board, Key};
use due::{Due, Now};
use entries::{Entries, Told, What};
use jiff::{SignedDuration, Timestamp};
use pump::Pump;
use signs::{Group, Signs, doubted};
use std::collections::{BTreeMap, BTreeSet};
use watch::{HeldAlert, PLACES_MAX};

/// What stays watched while a drug runs, once it was.
const KEPT: [Parameter; 4] =
    [Parameter::Spo2, Parameter::Systolic, Parameter::Diastolic, Parameter::RespiratoryRate];

/// What must be known of now before a drug runs, or runs on.
const NEEDED: [Parameter; 3] = [Parameter::Systolic, Parameter::Diastolic, Parameter::Spo2];

/// The watch over one session at one chair.
#[derive(Debug, Clone)]
pub struct Monitor {
    policy: MonitorPolicy,
    board: Board,
    signs: Signs,
    entries: Entries,
    due: Due,
    pump: Pump,
    expected: Expected,
    expected_since: BTreeMap<Parameter, Timestamp>,
    phase: Phase,
    phase_since: Timestamp,
    watched_since: Timestamp,
    /// A pump that fell silent while the program was away has its time to come back since then.
    pump_awaited_since: Option<Timestamp>,
    /// So have screens.
    restarted_at: Option<Timestamp>,
    painted_at: Option<Timestamp>,
    /// What of the pump differs from the order, each since when.
    differs_since: BTreeMap<&'static str, Timestamp>,
    links_lost: BTreeMap<DeviceId, (DeviceKind, Timestamp)>,
    conflicts: BTreeMap<DeviceId, Timestamp>,
    alerts: BTreeMap<(DeviceId, String), HeldAlert>,
    /// Devices whose values are not of now, since when and why.
    not_of_now: BTreeMap<DeviceId, (Timestamp, String)>,
    /// What was struck of a value to pause or stop at, and not measured again: since when, and what it said.
    struck: BTreeMap<Group, (Timestamp, String)>,
    /// Since when the machine's clock is known to be behind, and by how many seconds.
    clock_behind: Option<(Timestamp, i64)>,
    /// Since when it is known to be ahead, and by how many seconds.
    clock_ahead: Option<(Timestamp, i64)>,
    /// Whether what is told was told before a restart.
    recalling: bool,
    last: Timestamp,
}

/// Whole seconds from one moment to another.
fn seconds(from: Timestamp, to: Timestamp) -> i64 {
    to.duration_since(from).as_secs()
}

impl Monitor {
    /// A monitor that has seen nothing yet.
    pub fn new(policy: MonitorPolicy, at: Timestamp) -> Self {
        Self {
            board: Board::new(policy.session.clone(), policy.alarms_before),
            policy,
            signs: Signs::default(),
            entries: Entries::default(),
            due: Due::default(),
            pump: Pump::default(),
            expected: Expected::default(),
            expected_since: BTreeMap::new(),
            phase: Phase::default(),
            phase_since: at,
            watched_since: at,
            pump_awaited_since: None,
            restarted_at: None,
            painted_at: None,
            differs_since: BTreeMap::new(),
            links_lost: BTreeMap::new(),
            conflicts: BTreeMap::new(),
            alerts: BTreeMap::new(),
            not_of_now: BTreeMap::new(),
            struck: BTreeMap::new(),
            clock_behind: None,
            clock_ahead: None,
            recalling: false,
            last: Timestamp::MIN,
        }
    }

    /// Takes one input and says what follows. `at` is the time of receipt; an earlier time than the last one counts
    /// as the last one, so that a clock set back cannot stop the watch.
    pub fn feed(&mut self, at: Timestamp, input: Input) -> Vec<Output> {
        let at = at.max(self.last);
        self.last = at;
        let mut out = Vec::new();
        self.take(at, None, input, &mut out);
        let wanted = self.wanted(at);
        self.board.reconcile(at, wanted, &mut out);
        self.board.pass_time(at, &self.policy.watch.1, &mut out);
        let now = Now { at, phase: self.phase, fast: self.is_fast(), channels: &self.expected.channels };
        self.due.announce(&self.policy.schedule.1, now, &mut out);
        out
    }

    /// Takes what the log says happened before a restart, oldest first, and judges nothing: the next [`Self::feed`]
    /// raises what holds then. Judging the past would alarm about screens and channels that nobody logged.
    pub fn recall(&mut self, at: Timestamp, input: Input) {
        self.last = at.max(self.last);
        self.recalling = true;
        self.take(self.last, None, input, &mut Vec::new());
        self.recalling = false;
    }

    /// What is watched besides the numbers.
    pub const fn watch(&self) -> &Watch {
        &self.policy.watch.1
    }

    /// Whose watch this is.
    pub const fn session(&self) -> &SessionId {
        &self.policy.session
    }

    /// Ends the watch: what becomes of the alarms that still stand.
    pub fn leave(self) -> Vec<Output> {
        self.board.alarms().map(|alarm| Output::AlarmLeft(alarm.id.clone())).collect()
    }

    /// What moving a limit would leave in the log.
    ///
    /// # Errors
    /// Why it may not be moved there, with the numbers.
    pub fn judge_limit(&self, change: &LimitChange) -> Result<Output, LimitRefused> {
        Ok(Output::LimitChanged { from: self.policy.judge(change)?, change: change.clone() })
    }

    /// Alarms now, unsorted; see [`Monitor::view`] for a screen.
    pub fn alarms(&self) -> impl Iterator<Item = &Alarm> {
        self.board.alarms()
    }

    /// What keeps a paused infusion from going on: each limit that is passed now, each needed value that was not
    /// measured since the pause began, and each silent channel that nobody charted by hand since then. Empty when vital signs are back under every warning.
    pub fn keeps_paused(&self) -> Vec<String> {
        let mut reasons: Vec<String> = self.passed().map(|alarm| alarm.message.clone()).collect();
        reasons.extend(self.unmeasured_since(self.phase_since, &self.silent(self.last)));
        for parameter in NEEDED {
            if self.measured(parameter).is_none_or(|measured| measured < self.phase_since) {
                reasons.push(format!("missing: {} since the pause began", parameter.label()));
            }
        }
        reasons
    }

    /// When the last usable value of a parameter was measured.
    fn measured(&self, parameter: Parameter) -> Option<Timestamp> {
        Some(self.signs.channels.get(&parameter)?.good?.0)
    }

    /// What was measured too long before a start, or never. Who went to the pump in time may record it a little later.
    fn too_old_to_start(&self, at: Timestamp, recorded: bool) -> Option<String> {
        let (_, watch) = &self.policy.watch;
        let late_s = if recorded { watch.start_recorded_within_s } else { 0 };
        let old = |parameter: &Parameter| match self.measured(*parameter) {
            Some(measured) if seconds(measured, at) <= watch.before_start_max_s.saturating_add(late_s) => {
                None
            }
            Some(measured) => {
                Some(format!("{} is {} min old", parameter.label(), seconds(measured, at) / 60))
            }
            None => Some(format!("{} was not measured", parameter.label())),
        };
        let old: Vec<String> = NEEDED.iter().filter_map(old).collect();
        let next = format!("measure again, at most {} min before the start", watch.before_start_max_s / 60);
        (!old.is_empty()).then(|| format!("{}: {next}", old.join(", ")))
    }

    /// Which of these silent channels nobody has charted since the time.
    fn unmeasured_since(&self, since: Timestamp, silent: &[(Parameter, Timestamp)]) -> Option<String> {
        let unmeasured = silent.iter().copied().filter(|(parameter, _)| {
            let channel = self.signs.channels.get(parameter);
            !channel.is_some_and(|one| one.charted && one.good.is_some_and(|(at, _)| at >= since))
        });
        let unmeasured: Vec<_> = unmeasured.collect();
        (!unmeasured.is_empty()).then(|| format!("No reading: {}", self.lacks(&unmeasured)))
    }

    /// Limits that are passed and symptoms that stand now.
    fn passed(&self) -> impl Iterator<Item = &Alarm> {
        self.board.alarms().filter(|alarm| {
            !alarm.is_latched() && (alarm.sign.is_some() || alarm.code.starts_with("symptom/"))
        })
    }

    /// What speaks against a start, to be told before anybody starts the pump: a limit that is passed now with more than
    /// a low alarm, vital signs that are too old or come no more, a device that is lost. `recorded`: the pump runs already.
    pub fn holds_start(&self, at: Timestamp, recorded: bool) -> Vec<String> {
        // What broke this moment may come back by itself.
        let (_, watch) = &self.policy.watch;
        let lasts = |condition: Condition, since: Timestamp| {
            let step = watch.technical(condition).and_then(|one| one.step(seconds(since, at)));
            step.is_some_and(|step| step.priority > Priority::Low)
        };
        let passed = self.passed().filter(|alarm| alarm.priority > Priority::Low);
        let passed = passed.map(|alarm| alarm.message.clone());
        let lost = self.links_lost.iter().filter(|(_, (_, since))| lasts(Condition::LinkLost, *since));
        let lost = lost.map(|(device, (kind, _))| {
            let kind = kind.title();
            format!(
                "{kind} {device} sends nothing: connect it, or take it away from the chair and chart by hand"
            )
        });
        let mut silent = self.silent(at);
        silent.retain(|(_, since)| lasts(Condition::ChannelMissing, *since));
        let oldest = at.saturating_sub(SignedDuration::from_secs(watch.before_start_max_s)).unwrap_or(at);
        let silent = self.unmeasured_since(oldest, &silent);
        passed.chain(self.too_old_to_start(at, recorded)).chain(silent).chain(lost).collect()
    }

    /// What a connected pump says against a start with this counter. One that was not heard lately says nothing.
    pub fn pump_contradicts_start(
        &self,
        at: Timestamp,
        counter: Microlitres,
        tolerance: Microlitres,
    ) -> Vec<String> {
        let (_, watch) = &self.policy.watch;
        let silent = watch.technical(Condition::PumpSilent);
        let heard = self.pump.read.as_ref().map(|(heard, _)| seconds(*heard, at));
        if heard.is_some_and(|s| silent.is_none_or(|silent| silent.step(s).is_none())) {
            return self.pump.contradicts_start(counter, tolerance, watch.program_tolerance_percent);
        }
        Vec::new()
    }

    /// `entry`: the place in the log of what a person entered.
    fn take(&mut self, at: Timestamp, entry: Option<i64>, input: Input, out: &mut Vec<Output>) {
        match input {
            Input::Tick => {}
            Input::Readings { source, readings, behind } => {
                self.take_readings(at, entry, source, readings, behind);
            }
            Input::NotOfNow { device, why: Some(why) } => self.hold_not_of_now(at, device, why),
            Input::NotOfNow { device, why: None } => drop(self.not_of_now.remove(&device)),
            Input::Scored { sign, score, observed_at } => {
                self.take_score(at, entry, (sign, score), observed_at.unwrap_or(at).min(at), out);
            }
            Input::Looked { observed, observed_at } => {
                self.due.made(observed_at.unwrap_or(at).min(at), observed, entry);
            }
            Input::Symptom { id, present } => self.take_symptom(at, entry, id, present, out),
            Input::Baseline(pressure) => {
                self.tell(at, entry, What::Baseline(Some(pressure)));
            }
            Input::NoBaseline => self.tell(at, entry, What::Baseline(None)),
            Input::Entered { entry, what } => self.take(at, Some(entry), *what, out),
            Input::Struck { entry } => self.strike(at, entry, out),
            Input::Phase(phase) => self.enter(at, phase),
            Input::Expect(expected) => self.expect(at, expected, out),
            Input::Pump(reading) => self.take_pump(at, reading),
            // A link says itself what the pump does.
            Input::PumpSet(rate) if !self.expected.pump => {
                let seen = PumpReading::seen(PumpStatus::Infusing, rate);
                self.pump.take(at, seen, &self.policy.rules);
                self.note_conflict(at);
            }
            Input::PumpSet(_) => {}
            Input::Unexplained(told) => self.pump.unexplained = told,
            Input::PumpEvent(event) => self.pump.happened(at, event),
            Input::DeviceAlert { device, alert } => self.hold_alert(at, device, alert),
            Input::Ordered(ordered) => {
                self.pump.ordered = Some(ordered);
                self.note_conflict(at);
            }
            Input::LinkLost(device, kind) => set_place(&mut self.links_lost, device, (kind, at)),
            Input::LinkBack(device) => drop(self.links_lost.remove(&device)),
            Input::PatientConflict { device, present: true } => set_place(&mut self.conflicts, device, at),
            Input::PatientConflict { device, present: false } => drop(self.conflicts.remove(&device)),
            Input::Painted => self.painted_at = Some(at),
            Input::ClockBehind(s) => self.clock_behind = off_since(self.clock_behind, at, s),
            Input::ClockAhead(s) => self.clock_ahead = off_since(self.clock_ahead, at, s),
            Input::Unanswered(alarm) => {
                self.board.stand_again(&alarm);
                self.tell(at, None, What::Stands(alarm));
            }
            Input::Restarted { since } => self.restart(at, since, out),
            Input::Acknowledge { alarm, by, reason } => {
                if let Some((key, answer)) = self.board.acknowledge(&alarm, by, reason, at, out) {
                    self.tell(at, None, What::Answered(key, answer));
                }
            }
            Input::PauseSound { alarm, by } => {
                self.board.pause_sound(&alarm, by, self.policy.watch.1.sound_pause_s, at, out);
            }
            Input::ChangeLimit(change) => self.change_limit(at, change, out),
        }
    }

    /// What a device measured too long ago is no reading of now. What a person measured then is known with its age, and
    /// only while nothing newer is.
    fn take_readings(
        &mut self,
        at: Timestamp,
        entry: Option<i64>,
        source: Source,
        mut readings: Vec<Reading>,
        behind: Option<SignedDuration>,
    ) {
        let watch = &self.policy.watch.1;
        let by_hand = matches!(source, Source::Charted(_));
        // A person reads the time from our own clock.
        let behind = if by_hand { Some(SignedDuration::ZERO) } else { behind };
        readings.retain(|reading| by_hand || !watch.is_late(at, reading, behind));
        let readings = doubted(&source, readings, &self.policy);
        self.tell(at, entry, What::Readings { source, readings, behind });
    }

    /// Takes what is told of the patient, and keeps it where it may be struck.
    fn tell(&mut self, at: Timestamp, entry: Option<i64>, what: What) {
        let told = Told { at, entry, judged: self.judges(), what };
        self.entries.keep(&told, &self.signs, &self.board, &self.policy);
        let fresh = told.apply(&mut self.signs, &self.policy);
        self.due.made_by(&fresh, told.entry);
        let scored =
            if let What::Score { sign, .. } = &told.what { Some(Group::of_sign(*sign)) } else { None };
        for group in fresh.keys().map(|parameter| Group::measured(*parameter)).chain(scored) {
            self.struck.remove(&group);
        }
    }

    /// Whether the signs of a patient may alarm.
    fn judges(&self) -> bool {
        self.phase != Phase::Closed && !self.recalling
    }

    /// All that followed from an entry is taken back, and alarms stand as they would without it.
    fn strike(&mut self, at: Timestamp, entry: i64, out: &mut Vec<Output>) {
        self.due.strike(Some(entry));
        let judged = self.judges().then_some(at);
        for struck in self.entries.strike(entry, judged, &mut self.due, &self.policy) {
            let (grave, said) =
                (self.signs.grave(&struck.group, &self.policy), self.signs.in_words(&struck.group));
            self.signs.put(&struck.group, struck.without.signs);
            if !grave.is_subset(&self.signs.grave(&struck.group, &self.policy)) {
                self.struck.insert(struck.group.clone(), (at, said));
            }
            let is_one = |key: &Key| Group::of_alarm(key).as_ref() == Some(&struck.group);
            self.board.withdraw(at, is_one, (struck.entered_at, struck.without.board), out);
        }
    }

    fn hold_not_of_now(&mut self, at: Timestamp, device: DeviceId, why: String) {
        let since = self.not_of_now.get(&device).map_or(at, |(since, _)| *since);
        self.not_of_now.remove(&device);
        set_place(&mut self.not_of_now, device, (since, why));
    }

    fn take_score(
        &mut self,
        at: Timestamp,
        entry: Option<i64>,
        (sign, score): (Sign, i32),
        observed_at: Timestamp,
        out: &mut Vec<Output>,
    ) {
        let range = self.policy.signs.get(&sign).and_then(|(_, limits)| limits.range);
        let [from, to] = range.unwrap_or_default();
        if range.is_none() || !(from..=to).contains(&score.into()) {
            let scale = sign.label().to_owned();
            return out.push(Output::Refused(Refused::ScoreOutOfRange { scale, score, from, to }));
        }
        self.tell(at, entry, What::Score { sign, score, observed_at });
        let observed = if sign == Sign::Distress { Observed::Distress } else { Observed::Sedation };
        self.due.made(observed_at, observed, entry);
    }

    fn take_symptom(
        &mut self,
        at: Timestamp,
        entry: Option<i64>,
        id: String,
        present: bool,
        out: &mut Vec<Output>,
    ) {
        if !self.policy.symptoms.1.symptoms.iter().any(|symptom| symptom.id == id) {
            return out.push(Output::Refused(Refused::NoSuchSymptom(id)));
        }
        self.tell(at, entry, What::Symptom { id, present });
    }

    fn enter(&mut self, at: Timestamp, phase: Phase) {
        if phase == self.phase {
            return;
        }
        let infusion = |phase| matches!(phase, Phase::Infusing | Phase::Paused);
        if !infusion(self.phase) {
            self.watched_since = at;
            self.pump.completed_at = None;
        }
        if self.phase == Phase::Infusing && !self.expected.pump {
            self.pump.read_before_halt = true;
        }
        self.due.begin(at, self.phase, phase);
        self.phase = phase;
        self.phase_since = at;
        self.note_conflict(at);
    }

    fn expect(&mut self, at: Timestamp, expected: Expected, out: &mut Vec<Output>) {
        if matches!(self.phase, Phase::Infusing | Phase::Paused) {
            let gone = |parameter: &&Parameter| {
                self.expected.channels.contains(parameter) && !expected.channels.contains(parameter)
            };
            let kept = KEPT.iter().find(gone).map(|parameter| parameter.label());
            let pump = (self.expected.pump && !expected.pump).then_some("Pump");
            if let Some(what) = kept.or(pump) {
                return out.push(Output::Refused(Refused::StaysWatched(what.to_owned())));
            }
        }
        // Only a channel that is new begins to be watched now; the others keep their silence.
        self.expected_since.retain(|parameter, _| expected.channels.contains(parameter));
        for parameter in &expected.channels {
            self.expected_since.entry(*parameter).or_insert(at);
        }
        self.expected = expected;
    }

    fn take_pump(&mut self, at: Timestamp, reading: PumpReading) {
        self.pump.take(at, reading, &self.policy.rules);
        self.note_conflict(at);
        self.due.made(at, Observed::Pump, None);
    }

    fn note_conflict(&mut self, at: Timestamp) {
        let differs = self.pump.conflicts(self.phase, self.policy.watch.1.program_tolerance_percent);
        self.differs_since.retain(|what, _| differs.contains_key(what));
        for what in differs.into_keys() {
            self.differs_since.entry(what).or_insert(at);
        }
    }

    fn restart(&mut self, at: Timestamp, since: Timestamp, out: &mut Vec<Output>) {
        self.restarted_at = Some(at);
        let silent = |monitor: &Self, then| monitor.silent(then).into_iter().map(|(which, _)| which);
        let before: BTreeSet<Parameter> = silent(self, since).collect();
        // What was silent already is silent still. What fell silent while nobody listened has its time to come back.
        for parameter in silent(self, at).collect::<BTreeSet<_>>().difference(&before) {
            self.expected_since.insert(*parameter, at);
        }
        let pump_silent = |then| {
            let from = self.pump_silent_since(then);
            self.technical(Condition::PumpSilent, from, None, seconds(from, then)).is_some()
        };
        if pump_silent(at) && !pump_silent(since) {
            self.pump_awaited_since = Some(at);
        }
        let lost_s = seconds(since, at);
        let words = Some(format!("for {lost_s} s"));
        if let Some(ask) = self.technical(Condition::Interrupted, since, words, lost_s.max(0)) {
            self.board.latch(Key::Technical(Condition::Interrupted, String::new()), ask, at, out);
        }
    }

    fn change_limit(&mut self, at: Timestamp, change: LimitChange, out: &mut Vec<Output>) {
        match self.policy.change(at, &change) {
            Ok(from) => {
                self.signs.reconsider(at, &self.policy);
                out.push(Output::LimitChanged { from, change });
            }
            Err(refused) => out.push(Output::Refused(Refused::Limit(refused))),
        }
    }

    /// Every condition that holds now. With nobody in the chair only a running pump and devices ask.
    fn wanted(&self, at: Timestamp) -> BTreeMap<Key, Ask> {
        let mut wanted = BTreeMap::new();
        if self.judges() {
            self.signs.asks(at, &self.policy, &mut wanted);
            let now = Now { at, phase: self.phase, fast: self.is_fast(), channels: &self.expected.channels };
            self.due.asks(&self.policy, now, &mut wanted);
        }
        self.ask_technical(at, &mut wanted);
        wanted
    }

    /// Whether the cuff is asked more often. What the drug and a medicine may do ends with the infusion; a limit that is
    /// passed is watched until it is not.
    fn is_fast(&self) -> bool {
        let in_infusion = self.expected.nibp_fast || self.signs.is_outside_green(&self.policy);
        self.signs.pressure_passes() || (in_infusion && self.phase != Phase::Recovering)
    }
}

/// A clock that is off by so many seconds, since the first that was heard of it.
fn off_since(was: Option<(Timestamp, i64)>, at: Timestamp, s: i64) -> Option<(Timestamp, i64)> {
    (s > 0).then_some((was.map_or(at, |(since, _)| since), s))
}

/// Takes a place in a bounded map; what comes beyond shares one place, so that it is still seen.
fn set_place<T>(places: &mut BTreeMap<DeviceId, T>, device: DeviceId, held: T) {
    let full = places.len() >= PLACES_MAX && !places.contains_key(&device);
    places.entry(if full { DeviceId::new("other") } else { device }).or_insert(held);
}

#[cfg(test)]
mod laws;
#[cfg(test)]
mod tests;
