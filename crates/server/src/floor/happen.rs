//! What follows in memory from events that the log has: state, monitor, live lines.

use super::{Floor, live};
use clinic::device::{DeviceKind, Parameter, PumpEvent, PumpReading, Quality, Reading};
use clinic::id::{ChairId, DeviceId, SessionId};
use clinic::monitor::{Expected, Input, Observed, Ordered, Phase as Watched, Sign, Source};
use clinic::quantity::Tenths;
use clinic::session::delivery::elapsed_ms;
use clinic::session::{self, Event, Finding, Observation, Phase, Recorded, Session};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

impl Floor {
    /// Takes recorded events into memory and tells everyone who looks.
    pub(super) fn happened(&self, id: &SessionId, recorded: &[Recorded]) {
        for one in recorded {
            let Some(before) = self.session_before(id, one) else { continue };
            let session = session::evolve(before, one);
            let chair = session.chair.clone();
            {
                let mut room = self.room();
                if session.phase.closed() && session.complete() {
                    room.sessions.remove(id);
                } else {
                    room.sessions.insert(id.clone(), session);
                }
            }
            let Some(chair) = chair else { continue };
            // After a transfer the waste is written down late: the chair is free by then or belongs to the next
            // patient, whose watch it must not touch.
            let sits = self.room().seating.session_at(&chair).cloned();
            if sits.as_ref().is_some_and(|sits| sits != id) {
                continue;
            }
            if matches!(one.event, Event::CheckedIn { .. })
                && let Err(fault) = self.seat(id, &chair, one.at)
            {
                tracing::error!(%fault, "a chair cannot be watched");
            }
            if sits.is_some() {
                let after = self.room().sessions.get(id).cloned();
                self.watch_event(&chair, one, after.as_ref());
            }
            self.hub.publish(live::line(&chair, one, &self.called(&one.by), &self.knowledge));
        }
    }

    /// The session before an event. One that is over stands in the log alone.
    fn session_before(&self, id: &SessionId, event: &Recorded) -> Option<Session> {
        if let Some(session) = self.room().sessions.get(id) {
            return Some(session.clone());
        }
        if event.version <= 1 {
            return Some(Session::default());
        }
        match self.history(id) {
            Ok(history) => {
                Some(session::replay(history.iter().take_while(|one| one.version < event.version)))
            }
            Err(fault) => {
                tracing::error!(%fault, "a session that is over cannot be read");
                None
            }
        }
    }

    /// Puts a fresh monitor at the chair for this session.
    pub(super) fn seat(&self, id: &SessionId, chair: &ChairId, at: Timestamp) -> anyhow::Result<()> {
        let mut place = self.new_place(id.clone(), at)?;
        let expected = self.expected_at(chair, false);
        place.monitor.feed(at, Input::Expect(expected));
        self.watch_anew(chair, place, at);
        Ok(())
    }

    /// What the chair has, by the devices that stand there.
    pub(super) fn expected_at(&self, chair: &ChairId, nibp_fast: bool) -> Expected {
        let room = self.room();
        let has = |kind| room.seating.device_at(chair, kind).is_some();
        let channels: BTreeSet<Parameter> = if has(DeviceKind::Monitor) {
            [Parameter::HeartRate, Parameter::Spo2, Parameter::RespiratoryRate].into()
        } else {
            BTreeSet::new()
        };
        Expected { channels, pump: has(DeviceKind::Pump), nibp_fast }
    }

    /// Tells the monitor what an event means for it. `after` is the session after it, `None` when the visit is over.
    pub(super) fn watch_event(&self, chair: &ChairId, recorded: &Recorded, after: Option<&Session>) {
        let at = recorded.at;
        match &recorded.event {
            Event::GateAnswered(answer) if answer.gate.as_str() == "c11" => {
                if let Some((mean, _)) = clinic::gate::baseline(&answer.inputs.pressures, &self.knowledge) {
                    self.feed(chair, at, entered(recorded, Input::Baseline(mean)));
                }
                self.watch_vitals(chair, at, &session::gates::measured(answer), recorded);
            }
            Event::PumpWasRead(read) if read.by.eye() => {
                self.feed(chair, at, Input::Pump(by_eye(read)));
            }
            Event::InfusionStarted { rate, .. }
            | Event::InfusionResumed { rate, .. }
            | Event::RateChanged { to: rate, .. } => self.feed(chair, at, Input::PumpSet(*rate)),
            Event::PumpReported { device, event } => self.watch_pump_event(chair, at, device, *event),
            Event::ObservationCharted(seen) => self.watch_finding(chair, seen, recorded),
            Event::EntryAmended { position, .. } => self.watch_strike(chair, at, *position, after),
            _ => {}
        }
        let Some(session) = after else { return self.feed(chair, at, Input::Phase(Watched::Closed)) };
        if let Some(ordered) = Ordered::of(session, at) {
            self.feed(chair, at, Input::Ordered(ordered));
        }
        self.feed(chair, at, Input::Unexplained(session.delivery.doubted().cloned()));
        self.feed(chair, at, Input::Phase(watched(session.phase)));
    }

    /// What was entered by mistake is watched and drawn no more. Without an answer of the vital-signs gate nobody knows the
    /// pressure that changes are measured from.
    fn watch_strike(&self, chair: &ChairId, at: Timestamp, entry: i64, after: Option<&Session>) {
        self.feed(chair, at, Input::Struck { entry });
        let known =
            after.is_none_or(|session| session::gates::baseline(session, &self.knowledge).pressure.is_some());
        if !known {
            self.feed(chair, at, Input::NoBaseline);
        }
        if let Some(place) = self.room().chairs.get_mut(chair) {
            place.trend.strike(entry);
        }
    }

    fn watch_finding(&self, chair: &ChairId, seen: &Observation, recorded: &Recorded) {
        let observed_at = Some(seen.observed_at);
        let scored = |sign, score: i32| Input::Scored { sign, score, observed_at };
        let input = match &seen.finding {
            Finding::Vitals { values } => {
                return self.watch_vitals(chair, seen.observed_at, values, recorded);
            }
            Finding::MoaaS { score } => scored(Sign::Moaas, i32::from(*score)),
            Finding::Rass { score } => scored(Sign::Rass, i32::from(*score)),
            Finding::Distress { score } => scored(Sign::Distress, i32::from(*score)),
            Finding::Symptom { symptom } => Input::Symptom { id: symptom.clone(), present: true },
            Finding::AskedToStop => Input::Symptom { id: "asks_to_stop".to_owned(), present: true },
            looked => match Observed::of(looked) {
                Some(observed) => Input::Looked { observed, observed_at },
                None => return,
            },
        };
        self.feed(chair, recorded.at, entered(recorded, input));
    }

    /// What the pump says has happened. One that was given to another patient contradicts the chair like one that
    /// names another: it says so until its next message, and the alarm until somebody answers it.
    pub(super) fn watch_pump_event(
        &self,
        chair: &ChairId,
        at: Timestamp,
        device: &DeviceId,
        event: PumpEvent,
    ) {
        self.feed(chair, at, Input::PumpEvent(event));
        if event == PumpEvent::PatientChanged {
            self.feed(chair, at, Input::PatientConflict { device: device.clone(), present: true });
        }
    }

    /// Vital signs that a person measured, for the monitor and the chart.
    fn watch_vitals(
        &self,
        chair: &ChairId,
        observed_at: Timestamp,
        values: &BTreeMap<Parameter, Tenths>,
        recorded: &Recorded,
    ) {
        let again = |(parameter, value): &(&Parameter, &Tenths)| {
            let asked = recorded.event.read_again();
            asked.is_some_and(|asked| asked.contains(&(**parameter, value.decimal().normalize())))
        };
        let reading = |(parameter, value): (&Parameter, &Tenths)| Reading {
            parameter: *parameter,
            value: Some(*value),
            quality: Quality::Good,
            observed_at: Some(observed_at),
        };
        // What was read again was read twice: a limit that asks for two readings waits for no other.
        let twice: Vec<Reading> = values.iter().filter(again).map(reading).collect();
        for readings in [values.iter().map(reading).collect(), twice] {
            if !readings.is_empty() {
                let source = Source::Charted(recorded.by.clone());
                let input = Input::Readings { source, readings, behind: None };
                self.feed(chair, recorded.at, entered(recorded, input));
            }
        }
        if let Some(place) = self.room().chairs.get_mut(chair) {
            place.trend.chart(recorded.position, observed_at, values, recorded.by.as_str());
        }
    }
}

/// What an entry of the log tells the watch, so that it can be struck.
fn entered(recorded: &Recorded, what: Input) -> Input {
    Input::Entered { entry: recorded.position, what: Box::new(what) }
}

fn by_eye(read: &session::PumpRead) -> PumpReading {
    let (delivered, observed_at) = (Some(read.counter), Some(read.read_at));
    PumpReading { delivered, observed_at, ..PumpReading::seen(read.status, read.rate) }
}

/// Phase of the watch for a phase of the visit.
pub(super) const fn watched(phase: Phase) -> Watched {
    match phase {
        Phase::Infusing => Watched::Infusing,
        Phase::Paused => Watched::Paused,
        Phase::Recovering | Phase::DischargeCheck => Watched::Recovering,
        Phase::Discharged | Phase::Cancelled | Phase::Transferred => Watched::Closed,
        Phase::New | Phase::Planned | Phase::CheckedIn | Phase::Gated | Phase::Ready => Watched::Preparing,
    }
}

/// From and to in minutes since the start, and mg/min between.
pub(super) type Flow = (f64, f64, f64);

/// Minutes and mg/min of what flowed since the start, for a forecast. The first number is now.
pub(super) fn flow_in_minutes(session: &Session, at: Timestamp) -> Option<(f64, Vec<Flow>)> {
    let start = session.delivery.started()?;
    let strength = session.concentration()?;
    #[expect(clippy::cast_precision_loss, reason = "a model needs no exact dose")]
    let minutes = |to: Timestamp| elapsed_ms(start, to) as f64 / 60_000.0;
    #[expect(clippy::cast_precision_loss, reason = "a model needs no exact dose")]
    let mass = |volume: i64| volume as f64 * strength.0 as f64 / 1e6;
    let segments = session.delivery.segments_to(at);
    let flows = segments.iter().filter(|segment| segment.to > segment.from && segment.volume.0 > 0);
    let flows = flows.map(|segment| {
        let (from, to) = (minutes(segment.from), minutes(segment.to));
        (from, to, mass(segment.volume.0) / (to - from))
    });
    Some((minutes(at), flows.collect()))
}
