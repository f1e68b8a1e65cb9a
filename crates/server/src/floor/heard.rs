//! Whether what a placed device says is of now, and of the patient who sits there.

use super::Floor;
use clinic::device::clock::{DeviceClock, measured_at};
use clinic::device::{DeviceMessage, NamedPatient, Parameter, Quality, Reading};
use clinic::id::{ChairId, DeviceId, PatientId, SessionId};
use clinic::monitor::{Input, Source};
use interop::device::Decoded;
use interop::hl7::{Cause, Problem};
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// So many messages of a device are known again.
const SHOWN_MAX: usize = 128;

/// What is known of a placed device beside its place.
#[derive(Debug, Default)]
pub(super) struct Heard {
    clock: DeviceClock,
    /// It told that something is the matter with its times.
    told: bool,
    /// The newest stamp of each parameter: a monitor repeats its last cuff reading with every message.
    newest: BTreeMap<Parameter, Timestamp>,
    /// Digests of its last messages that were shown, oldest first.
    shown: VecDeque<String>,
    /// Why its last message was refused, and when.
    refused: Option<(Timestamp, String)>,
    /// The number of its last message, where it used that before for another one.
    number_used: Option<String>,
    /// When a person put it where it stands.
    placed_at: Option<Timestamp>,
}

/// A message that names somebody else than the patient at the chair.
#[derive(Debug)]
pub(super) struct Stranger {
    /// For a person.
    pub why: String,
    /// For the sender, with the field.
    pub problem: Problem,
}

/// When a message was sent and its newest value measured, by our clock.
#[derive(Debug, Clone, Copy)]
pub(super) struct Times {
    /// How far the device's clock is behind; `None` while nobody knows, or without a time in the message.
    behind: Option<SignedDuration>,
    /// When the newest of it happened; `None` while nobody knows.
    pub newest: Option<Timestamp>,
    /// The newest of the message is of now.
    pub of_now: bool,
}

impl Floor {
    /// A message that names a patient must name the one of the session; whoever cannot be told is somebody else.
    pub(super) fn names_who_sits(
        &self,
        message: &DeviceMessage,
        chair: &ChairId,
        session: &SessionId,
    ) -> Result<(), Stranger> {
        let named = &message.patient;
        if named.is_nobody() {
            return Ok(());
        }
        let refuse = |field: usize, whom: &str, why: String| {
            let problem = Cause::OtherPatient(whom.to_owned()).at("PID", 1, field);
            Err(Stranger { why: format!("the message names {whom}, {why}"), problem })
        };
        let somebody = named.mrn.as_ref().map_or("a patient".to_owned(), |mrn| format!("patient {mrn}"));
        let known = match self.patient_of(session) {
            Ok(known) => known,
            Err(fault) => {
                return refuse(
                    3,
                    &somebody,
                    format!("and who sits at chair {chair} cannot be read: {fault:#}"),
                );
            }
        };
        let Some(known) = known else {
            return refuse(3, &somebody, format!("and nobody is known at chair {chair}"));
        };
        match known.is_not(named) {
            None if named.mrn.is_some() => Ok(()),
            None => match self.also_fits(named, chair, session) {
                None => Ok(()),
                Some(other) => {
                    let whom = format!("{} without a record number", known.banner_name());
                    refuse(
                        3,
                        &whom,
                        format!(
                            "and chair {other} has a patient whom it fits as well: enter the record number at the device"
                        ),
                    )
                }
            },
            Some(other) => {
                let field = match other {
                    clinic::patient::Stranger::Number(_) => 3,
                    clinic::patient::Stranger::Name(_) => 5,
                    clinic::patient::Stranger::Born(_) => 7,
                };
                refuse(field, &other.to_string(), format!("who does not sit at chair {chair}"))
            }
        }
    }

    /// Another chair whose patient a message without a record number fits as well. What came before a start was judged
    /// when it came.
    fn also_fits(&self, named: &NamedPatient, chair: &ChairId, session: &SessionId) -> Option<ChairId> {
        let others: Vec<(ChairId, PatientId)> = {
            let room = self.room();
            if room.chairs.get(chair).is_some_and(|place| place.recalling) {
                return None;
            }
            let others = room.seating.chairs.iter().filter(|(_, taken)| taken.session != *session);
            others.map(|(chair, taken)| (chair.clone(), taken.patient.clone())).collect()
        };
        // Whoever cannot be read may be the one who is named.
        let fits = |id: &PatientId| {
            self.patient(id).map_or(true, |known| known.is_some_and(|known| known.is_not(named).is_none()))
        };
        others.into_iter().find(|(_, patient)| fits(patient)).map(|(chair, _)| chair)
    }

    /// The patient of a session. The log is read only for what memory lacks.
    fn patient_of(&self, session: &SessionId) -> anyhow::Result<Option<clinic::patient::Patient>> {
        let patient = self.room().sessions.get(session).map(|session| session.patient.clone());
        let patient = match patient {
            Some(patient) => patient,
            None => self.session(session)?.and_then(|session| session.patient),
        };
        let Some(patient) = patient else { return Ok(None) };
        Ok(self.patient(&patient)?)
    }

    /// A device stands at a chair from then on: what it measured before is of somebody else.
    pub(super) fn is_placed(&self, device: &DeviceId, at: Timestamp) {
        self.room().heard.entry(device.clone()).or_default().placed_at = Some(at);
    }

    /// Since when what this device measures is of the patient of this session: from the check-in, or from when the
    /// device was put at the chair, whichever came later.
    pub(super) fn of_patient_since(&self, device: &DeviceId, session: &SessionId) -> Option<Timestamp> {
        let room = self.room();
        let came = room.sessions.get(session).and_then(|session| session.checked_in_at);
        came.max(room.heard.get(device).and_then(|heard| heard.placed_at))
    }

    /// Keeps for the page of the devices that a message was refused, or that it was not.
    pub(super) fn note_refusal(&self, device: &DeviceId, refused: Option<(Timestamp, String)>) {
        if let Some(heard) = self.room().heard.get_mut(device) {
            (heard.refused, heard.number_used) = (refused, None);
        } else if let Some(refused) = refused {
            let heard = Heard { refused: Some(refused), ..Heard::default() };
            self.room().heard.insert(device.clone(), heard);
        }
    }

    /// Keeps for the page of the devices that it gave two messages one number, until its next message.
    pub(super) fn note_number_used(&self, device: &DeviceId, number: &str) {
        if let Some(heard) = self.room().heard.get_mut(device) {
            heard.number_used = Some(number.to_owned());
        }
    }

    /// Whether this very message was shown before: sent again it shows nothing, and counts for nothing a second time.
    pub(super) fn was_shown(&self, device: &DeviceId, digest: &str) -> bool {
        let mut room = self.room();
        let shown = &mut room.heard.entry(device.clone()).or_default().shown;
        if shown.iter().any(|one| one == digest) {
            return true;
        }
        shown.push_back(digest.to_owned());
        if shown.len() > SHOWN_MAX {
            shown.pop_front();
        }
        false
    }

    /// Compares the clock of the device with ours. What is the matter with its times is told at its chair.
    pub(super) fn compare_clocks(
        &self,
        decoded: &Decoded,
        device: &DeviceId,
        chair: &ChairId,
        now: Timestamp,
    ) -> Times {
        let Some(stamp) = newest_stamp(decoded) else {
            return Times { behind: None, newest: Some(now), of_now: true };
        };
        let (times, tell) = {
            let mut room = self.room();
            let super::Room { heard, chairs, .. } = &mut *room;
            let Some(place) = chairs.get(chair) else {
                return Times { behind: None, newest: None, of_now: false };
            };
            let patience = place.monitor.watch().patience();
            let heard = heard.entry(device.clone()).or_default();
            heard.clock.hear(now, stamp, patience);
            let behind = heard.clock.behind();
            let newest = behind.map(|behind| measured_at(now, stamp, behind));
            let of_now = newest.is_some_and(|newest| now.duration_since(newest) <= patience.fresh);
            let why = heard.clock.trouble().map(|trouble| trouble.to_string());
            let told = std::mem::replace(&mut heard.told, why.is_some());
            (Times { behind, newest, of_now }, (told || why.is_some()).then_some(why))
        };
        if let Some(why) = tell {
            self.feed(chair, now, Input::NotOfNow { device: device.clone(), why });
        }
        times
    }

    /// Takes the clock of the device as the log says that it was when this message came at `at`; `false` where what it
    /// says cannot be told from what is of now, and was not.
    pub(super) fn recall_clock(
        &self,
        decoded: &Decoded,
        device: &DeviceId,
        chair: &ChairId,
        at: Timestamp,
        was_of_now: bool,
    ) -> bool {
        let mut room = self.room();
        let super::Room { heard, chairs, .. } = &mut *room;
        let Some(place) = chairs.get(chair) else { return false };
        let patience = place.monitor.watch().patience();
        let heard = heard.entry(device.clone()).or_default();
        newest_stamp(decoded).is_none_or(|stamp| heard.clock.recall(at, stamp, was_of_now, patience))
    }

    /// What this message says was taken before: sent once more, it is no news.
    pub(super) fn recall_stamps(&self, message: &DeviceMessage, device: &DeviceId) {
        let mut room = self.room();
        let newest = &mut room.heard.entry(device.clone()).or_default().newest;
        for one in &message.readings {
            let stamp = one.observed_at.or(message.sent_at).max(newest.get(&one.parameter).copied());
            newest.extend(stamp.map(|stamp| (one.parameter, stamp)));
        }
    }

    /// Takes readings: those of now into the watch, late ones at their own time into the trend and the record alone.
    pub(super) fn take_readings(
        &self,
        message: &DeviceMessage,
        device: &DeviceId,
        chair: &ChairId,
        times: Times,
        since: Option<Timestamp>,
        now: Timestamp,
    ) {
        let cannot_be = self.cannot_be(&message.readings);
        let stamped = |one: &Reading| {
            let doubted = one.quality == Quality::Good && cannot_be.contains(&one.parameter);
            let quality = if doubted { Quality::Suspect } else { one.quality };
            Reading { quality, observed_at: one.observed_at.or(message.sent_at), ..one.clone() }
        };
        let (untimed, timed): (Vec<Reading>, Vec<Reading>) =
            message.readings.iter().map(stamped).partition(|one| one.observed_at.is_none());
        let (mut timely, mut late) = (untimed, BTreeMap::<Timestamp, Vec<Reading>>::new());
        {
            let mut room = self.room();
            let super::Room { heard, chairs, .. } = &mut *room;
            let Some(place) = chairs.get_mut(chair) else { return };
            let newest = &mut heard.entry(device.clone()).or_default().newest;
            // Nobody knows when it was measured while its clock is being compared: the frame alone is kept.
            for one in timed.into_iter().filter(|_| times.behind.is_some()) {
                let repeated = newest.get(&one.parameter).copied() >= one.observed_at;
                let before = newest.get(&one.parameter).copied();
                newest.extend(one.observed_at.max(before).map(|stamp| (one.parameter, stamp)));
                let measured = one.measured_at(times.behind, now).unwrap_or(now);
                if !place.monitor.watch().is_late(now, &one, times.behind) {
                    timely.push(one);
                } else if !repeated && since.is_none_or(|since| measured >= since) {
                    late.entry(measured).or_default().push(one);
                }
            }
            place.trend.take(now, &timely);
            late.iter().for_each(|(measured, readings)| place.trend.take_late(*measured, readings));
        }
        if !timely.is_empty() {
            let (source, behind) = (Source::Device(device.clone()), times.behind);
            self.feed(chair, now, Input::Readings { source, readings: timely, behind });
        }
    }

    /// What no patient can have: kept with a mark and drawn nowhere.
    fn cannot_be(&self, readings: &[Reading]) -> BTreeSet<Parameter> {
        let value = |parameter: Parameter| {
            let good = readings.iter().find(|one| one.parameter == parameter && one.quality == Quality::Good);
            good.and_then(|one| one.value).map(|value| value.decimal())
        };
        self.knowledge.plausibility().map(|rule| rule.impossible(value)).unwrap_or_default()
    }

    /// What a person must know of a placed device: why its last message was refused, that it bears the number of
    /// another one, or what is the matter with its times.
    pub fn trouble_of(&self, device: &DeviceId) -> Option<String> {
        let room = self.room();
        let heard = room.heard.get(device)?;
        let refused = heard.refused.as_ref().map(|(_, why)| format!("Refused: {why}."));
        let used = heard.number_used.as_ref();
        let used = used.map(|used| format!("Two messages bear its number {used}; both are taken."));
        refused
            .or(used)
            .or_else(|| heard.clock.trouble().map(|trouble| format!("Not taken for now: {trouble}.")))
    }

    /// A device that was taken away is heard anew where it is placed next.
    pub(super) fn forget_heard(&self, device: &DeviceId) {
        self.room().heard.remove(device);
    }
}

/// The newest time that a message gives what it says, by the device's clock; the sender's where it gives none.
fn newest_stamp(decoded: &Decoded) -> Option<Timestamp> {
    let message = &decoded.message;
    let measured = message.readings.iter().map(|reading| reading.observed_at);
    let pump = message.pump.as_ref().map(|pump| pump.observed_at);
    measured.chain(pump).flatten().max().or(decoded.observed_at).or(message.sent_at)
}
