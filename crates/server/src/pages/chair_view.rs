//! One chair gathered once for the board and for its page: session, patient, monitor, level.

use crate::AppState;
use crate::floor::live::passed;
use crate::words::{capital, contradiction, delivered, doubt};
use clinic::device::{DeviceKind, Parameter, Quality};
use clinic::id::{ChairId, SessionId};
use clinic::knowledge::observations::{Observed, Phase as Watched};
use clinic::monitor::{AlarmView, MonitorView, Priority, Sign, ValueView};
use clinic::patient::Patient;
use clinic::quantity::Rate;
use clinic::session::{Phase, Session};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// A value on a card or a page.
pub struct Tile {
    /// `bp`, `hr`, …
    pub key: &'static str,
    /// As it reads.
    pub label: &'static str,
    /// Unit.
    pub unit: &'static str,
    /// The value, or dashes.
    pub value: String,
    /// Age, or why there is none.
    pub note: String,
    /// `fresh`, `old` or `gone`.
    pub state: &'static str,
    /// Age at which it is old, seconds.
    pub old_s: i64,
    /// Age at which no number stands there any more, seconds; 0 for what comes at intervals and only grows old.
    pub gone_s: i64,
    /// Limits in words.
    pub limits: String,
    /// Priority of its alarm.
    pub alarm: &'static str,
    /// That it passes a limit, in words; empty inside all of them.
    pub passed: String,
}

/// A chair as it stands.
pub struct Chair {
    /// Which session, if any.
    pub session_id: Option<SessionId>,
    /// Its state.
    pub session: Option<Session>,
    /// Who sits there.
    pub patient: Option<Patient>,
    /// What the monitor shows.
    pub view: MonitorView,
    /// Its alarms, worst first.
    pub alarms: Vec<AlarmView>,
    /// Effect-site level with its band.
    pub level: Option<[f64; 3]>,
    /// A monitor stands here.
    pub has_monitor: bool,
    now: Timestamp,
    nibp_s: i64,
    /// Age at which a charted sedation is old, seconds.
    pub sedation_s: i64,
    /// The same for distress.
    pub distress_s: i64,
    shown_old_s: i64,
    shown_gone_s: i64,
}

impl Chair {
    /// Gathers one chair. The chair must exist.
    pub fn of(app: &AppState, number: &ChairId) -> Self {
        let now = app.clock.now();
        let (session_id, session, patient) = match app.floor.at_chair(number) {
            Some((id, session, patient)) => (Some(id), Some(session), Some(patient)),
            None => (None, None, None),
        };
        let view = app.floor.monitor_view(number).unwrap_or_else(|| MonitorView::empty(now));
        let level = session.as_ref().zip(patient.as_ref());
        let level = level.and_then(|(session, patient)| app.floor.level(session, patient, now));
        let seating = app.floor.seating();
        let watch = app.knowledge.watch();
        Self {
            alarms: view.alarms.clone(),
            level,
            has_monitor: seating.device_at(number, DeviceKind::Monitor).is_some(),
            nibp_s: old_after(app, session.as_ref(), Observed::Nibp, view.phase),
            sedation_s: old_after(app, session.as_ref(), Observed::Sedation, view.phase),
            distress_s: old_after(app, session.as_ref(), Observed::Distress, view.phase),
            shown_old_s: watch.map_or(0, |watch| watch.shown_old_s),
            shown_gone_s: watch.map_or(0, |watch| watch.shown_gone_s),
            session_id,
            session,
            patient,
            view,
            now,
        }
    }

    /// The values that every card shows, in their order.
    pub fn tiles(&self) -> Vec<Tile> {
        let mut tiles = vec![self.pressure()];
        let sign = |key, label, unit, parameters: &[Parameter]| self.continuous(key, label, unit, parameters);
        tiles.push(sign("hr", "HR", "/min", &[Parameter::HeartRate, Parameter::PulseRate]));
        tiles.push(sign("spo2", "SpO₂", "%", &[Parameter::Spo2]));
        tiles.push(sign("rr", "RR", "/min", &[Parameter::RespiratoryRate]));
        if let Some(score) = self.view.scores.iter().find(|score| score.sign == Sign::Moaas) {
            tiles.push(Tile {
                key: "moaas",
                label: "MOAA/S",
                unit: "",
                value: score.score.to_string(),
                note: self.ago(score.age_s),
                state: if score.age_s > self.sedation_s { "old" } else { "fresh" },
                old_s: self.sedation_s,
                gone_s: 0,
                limits: String::new(),
                alarm: priority(score.alarm),
                passed: String::new(),
            });
        }
        // Where no number stands, none passes anything.
        let passed = passed(&self.view);
        for tile in tiles.iter_mut().filter(|tile| tile.state != "gone") {
            tile.passed = passed.get(tile.key).map_or_else(String::new, |words| (*words).to_owned());
        }
        tiles
    }

    fn value(&self, parameter: Parameter) -> Option<&ValueView> {
        self.view.values.iter().find(|value| value.parameter == parameter)
    }

    fn pressure(&self) -> Tile {
        let of = |parameter| self.value(parameter);
        let (high, low) = (of(Parameter::Systolic), of(Parameter::Diastolic));
        let value = high.and_then(|high| high.value.clone()).zip(low.and_then(|low| low.value.clone()));
        let age = high.and_then(|high| high.age_s);
        let invalid = invalid(&[high, low]);
        let state = match (&value, age) {
            (None, _) | (_, None) => "gone",
            _ if invalid.is_some() => "gone",
            (_, Some(age)) if age > self.nibp_s => "old",
            _ => "fresh",
        };
        let bound = |value: Option<&ValueView>| {
            value.map_or_else(String::new, |value| range(value.low.as_deref(), value.high.as_deref()))
        };
        Tile {
            key: "bp",
            label: "NIBP",
            unit: "mmHg",
            value: value
                .filter(|_| invalid.is_none())
                .map_or_else(|| "---".to_owned(), |(high, low)| format!("{high}/{low}")),
            note: invalid
                .unwrap_or_else(|| age.map_or_else(|| "not measured".to_owned(), |age| self.ago(age))),
            state,
            old_s: self.nibp_s,
            gone_s: 0,
            limits: bound(high),
            alarm: priority(
                [high, low, of(Parameter::MeanPressure)]
                    .into_iter()
                    .flatten()
                    .filter_map(|one| one.alarm)
                    .max(),
            ),
            passed: String::new(),
        }
    }

    /// The first of several sources that has a value.
    fn continuous(
        &self,
        key: &'static str,
        label: &'static str,
        unit: &'static str,
        parameters: &[Parameter],
    ) -> Tile {
        let with_value = |one: &&ValueView| one.value.is_some();
        let sources = || parameters.iter().filter_map(|parameter| self.value(*parameter));
        let source = sources().find(with_value).or_else(|| sources().next());
        let by_hand = source.is_some_and(|source| source.charted);
        let age = source.and_then(|source| source.age_s);
        let bad = source.is_some_and(|source| source.quality != Quality::Good);
        let invalid = invalid(&[source]);
        let (state, note) = match (source.and_then(|source| source.value.as_ref()), age) {
            _ if invalid.is_some() => ("gone", invalid.unwrap_or_default()),
            (None, _) | (_, None) => ("gone", "not measured".to_owned()),
            (Some(_), Some(age)) if by_hand && age > self.nibp_s => ("old", self.ago(age)),
            (Some(_), Some(age)) if by_hand => ("fresh", self.ago(age)),
            (Some(_), Some(age)) if bad || age > self.shown_gone_s => {
                ("gone", format!("no data for {}", span(age)))
            }
            (Some(_), Some(age)) if age > self.shown_old_s => ("old", format!("{} old", span(age))),
            _ => ("fresh", String::new()),
        };
        let value = source.and_then(|source| source.value.clone()).filter(|_| state != "gone");
        Tile {
            key,
            label,
            unit,
            value: value.unwrap_or_else(|| "---".to_owned()),
            note,
            state,
            old_s: if by_hand { self.nibp_s } else { self.shown_old_s },
            gone_s: if by_hand { 0 } else { self.shown_gone_s },
            limits: source
                .map_or_else(String::new, |source| range(source.low.as_deref(), source.high.as_deref())),
            alarm: priority(source.and_then(|source| source.alarm)),
            passed: String::new(),
        }
    }

    /// `2 min ago`; what is not old yet is of now.
    pub fn ago(&self, age_s: i64) -> String {
        if age_s < self.shown_old_s { "now".to_owned() } else { format!("{} ago", span(age_s)) }
    }

    /// What a person is told where the observation schedule was written for another length of infusion.
    pub fn stretched(&self, app: &AppState) -> Option<String> {
        let session = self.session.as_ref()?;
        let (order, _) = session.order.as_ref()?;
        app.knowledge.schedule_of(session.regimen.as_ref())?.stretched(order.minutes)
    }

    /// Ordered volume, a plain number for a bar.
    pub fn planned_ml(&self) -> String {
        let session = self.session.as_ref().filter(|session| session.delivery.started().is_some());
        let order = session.and_then(|session| session.order.as_ref());
        order.map_or_else(String::new, |(order, _)| order.volume.decimal().to_string())
    }

    /// Delivered volume, a plain number for a bar.
    pub fn delivered_ml(&self) -> String {
        let session = self.session.as_ref().filter(|session| session.delivery.started().is_some());
        session.map_or_else(String::new, |session| session.delivery.volume_at(self.now).decimal().to_string())
    }

    /// Dose delivered, or the least of it that is known.
    pub fn delivered(&self) -> String {
        self.session.as_ref().map_or_else(String::new, |session| delivered(session, self.now))
    }

    /// Nobody knows what the pump does.
    pub fn is_uncertain(&self) -> bool {
        self.session.as_ref().is_some_and(|session| session.delivery.uncertain_since(self.now).is_some())
    }

    /// How the least of an uncertain delivery is known; empty while nobody doubts it.
    pub fn doubt(&self, zone: &TimeZone) -> String {
        self.session.as_ref().and_then(|session| doubt(session, zone, self.now)).unwrap_or_default()
    }

    /// That pump and record say different things, and what to do; empty where they agree, and where a doubt tells it.
    pub fn contradicts(&self, zone: &TimeZone) -> String {
        let session = self.session.as_ref().filter(|_| !self.is_uncertain());
        let Some((session, says)) = session.and_then(|one| Some((one, contradiction(one, zone)?))) else {
            return String::new();
        };
        let act = if session.phase == Phase::Paused {
            "Press pause on the pump, or record that it goes on."
        } else {
            "Record the pause or the stop, or start the pump and read it again."
        };
        format!("{}. {act}", capital(&says))
    }

    /// What to do about the doubt. A word on the page halts no pump, and where no link tells otherwise nobody knows that
    /// it was halted.
    pub fn read_it(&self) -> &'static str {
        if self.session.as_ref().is_some_and(|session| session.delivery.runs_on()) {
            return "Press stop on the pump: it gives drug after the stop. Then read it again and record it.";
        }
        if self.session.as_ref().is_some_and(|session| session.delivery.doubted().is_some()) {
            return "Its link told more or less than can be in: look whether drug runs in freely, then read the pump and record it.";
        }
        let lost = |session: &Session| {
            session.delivery.count_lost_since().is_some()
                && session.delivery.to_be_read_since(self.now).is_none()
        };
        if self.session.as_ref().is_some_and(lost) {
            return "The counter was cleared: no reading makes the delivery certain. The rest is measured at the end.";
        }
        let in_the_dark = self.session.as_ref().is_some_and(|session| session.delivery.is_in_the_dark());
        match self.session.as_ref().map(|session| session.phase).filter(|_| !in_the_dark) {
            Some(Phase::Infusing)
                if self.session.as_ref().is_some_and(|one| one.delivery.read_otherwise().is_some()) =>
            {
                "Record the pause or the stop, or start the pump. Delivery uncertain: read the pump and record it."
            }
            Some(Phase::Paused) => {
                "Press pause on the pump: Chairside does not drive it. Delivery uncertain: then read the pump and record it."
            }
            Some(Phase::Recovering | Phase::DischargeCheck | Phase::Transferred) => {
                "Press stop on the pump: Chairside does not drive it. Delivery uncertain: then read the pump and record it."
            }
            _ => "Delivery uncertain: read the pump and record it.",
        }
    }

    /// Seconds until the volume is in, where that is known.
    pub fn left_s(&self) -> Option<i64> {
        self.session.as_ref()?.left_s(self.now)
    }

    /// When the volume is in, by the clinic's clock.
    pub fn ends(&self, zone: &TimeZone) -> String {
        let runs = self.session.as_ref().is_some_and(|session| session.delivery.rate() > Rate::ZERO);
        match self.left_s().and_then(|left| self.now.checked_add(SignedDuration::from_secs(left)).ok()) {
            Some(end) => end.to_zoned(zone.clone()).strftime("ends %H:%M").to_string(),
            None if runs || !self.doubt(zone).is_empty() => "end unknown".to_owned(),
            None => "not running".to_owned(),
        }
    }

    /// What is left to do, in words.
    pub fn left_words(&self) -> String {
        match (self.session.as_ref().map(|session| session.phase), self.left_s()) {
            (_, Some(left)) => format!("{} min left", (left + 30) / 60),
            (Some(Phase::Infusing), None) if self.is_uncertain() => "time left unknown".to_owned(),
            (Some(Phase::Paused), None) => "paused".to_owned(),
            (Some(phase), None) if phase.preparing() => "preparing".to_owned(),
            _ => String::new(),
        }
    }
}

/// Seconds after which a value that is taken at intervals is old: one and a half intervals.
fn old_after(app: &AppState, session: Option<&Session>, what: Observed, phase: Watched) -> i64 {
    let phase = if phase == Watched::Preparing { Watched::Infusing } else { phase };
    let schedule = app.knowledge.schedule_of(session.and_then(|session| session.regimen.as_ref()));
    let row = schedule.and_then(|schedule| schedule.body.rows.iter().find(|row| row.what == what));
    let every_s = row.and_then(|row| row.every_s(phase, false));
    every_s.zip(app.knowledge.watch()).map_or(0, |(every_s, watch)| watch.overdue_s(every_s))
}

fn priority(priority: Option<Priority>) -> &'static str {
    match priority {
        Some(Priority::High) => "high",
        Some(Priority::Medium) => "medium",
        Some(Priority::Low) => "low",
        None => "",
    }
}

fn range(low: Option<&str>, high: Option<&str>) -> String {
    match (low, high) {
        (Some(low), Some(high)) => format!("limits {low} to {high}"),
        (Some(low), None) => format!("low {low}"),
        (None, Some(high)) => format!("high {high}"),
        (None, None) => String::new(),
    }
}

/// `2 min`, `40 s`, `1 h 5 min`.
pub fn span(s: i64) -> String {
    match s {
        ..60 => format!("{s} s"),
        60..3600 => format!("{} min", s / 60),
        _ => format!("{} h {} min", s / 3600, s % 3600 / 60),
    }
}

/// `in 3:12`, or `late 1:05`.
pub fn in_words(in_s: i64) -> String {
    let clock = format!("{}:{:02}", in_s.abs() / 60, in_s.abs() % 60);
    if in_s < 0 { format!("late {clock}") } else { format!("in {clock}") }
}

/// What a device sent in place of values that may be used, in the words of a tile.
fn invalid(values: &[Option<&ValueView>]) -> Option<String> {
    let suspect = |one: &&ValueView| one.quality == Quality::Suspect;
    let raw: Vec<&str> =
        values.iter().flatten().copied().filter(suspect).filter_map(|one| one.raw.as_deref()).collect();
    (!raw.is_empty()).then(|| format!("{} invalid", raw.join("/")))
}
