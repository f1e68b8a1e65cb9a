//! Everything the log holds of one visit, read once. The record is made from this and from nothing else.

use crate::auth::staff::{Account, StaffEvent};
use crate::floor::{KeptMinute, vouched_minutes};
use crate::founding::Purpose;
use crate::{Fault, read_event, read_time};
use clinic::device::Parameter;
use clinic::id::{PatientId, SessionId, StaffId};
use clinic::monitor::Output;
use clinic::patient::{self, Patient};
use clinic::quantity::Tenths;
use clinic::scenario::Cause;
use clinic::session::{Event, Recorded};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use store::Store;

/// A visit as the log has it, up to its last entry.
#[derive(Debug, Clone)]
pub struct History {
    /// Which visit.
    pub session: SessionId,
    /// Who was treated, as known at the last entry.
    pub patient: Option<Patient>,
    /// The visit's own events, oldest first.
    pub events: Vec<Recorded>,
    /// What was asked, each with the positions of the events that followed from it.
    pub causes: Vec<(Cause, Vec<i64>)>,
    /// What the monitor said.
    pub alarms: Vec<(Timestamp, Output)>,
    /// What devices measured, oldest first, of the minutes whose bytes match their digest in the log.
    pub readings: Vec<(Timestamp, Parameter, Tenths)>,
    /// What devices measured and sent later, at its own time: nobody saw it then.
    pub late: Vec<(Timestamp, Parameter, Tenths)>,
    /// What devices sent as invalid, or no patient can have, at its own time: no number of it was shown.
    pub invalid: Vec<(Timestamp, Parameter, Tenths)>,
    /// Minutes of readings that are gone, or whose bytes are not those that the log vouches for.
    pub doubtful: Vec<Timestamp>,
    /// Names of the people in it.
    pub people: BTreeMap<StaffId, String>,
    /// Everybody in this log is made up.
    pub made_up: bool,
    /// Position of the last entry that this record tells, in any of the visit's streams.
    pub last_position: i64,
    /// Chain of the log at that position.
    pub chain: [u8; 32],
}

impl History {
    /// The start of the infusion, where there was one.
    pub fn start_of_infusion(&self) -> Option<&Recorded> {
        self.events.iter().find(|one| matches!(one.event, Event::InfusionStarted { .. }))
    }

    /// Reads a visit; `None` when the log knows no such visit.
    ///
    /// # Errors
    /// When the log cannot be read or holds an event that this program does not know.
    pub fn read(store: &Store, site: &str, session: &SessionId) -> Result<Option<Self>, Fault> {
        let rows = store.stream(site, &format!("session/{session}"))?;
        let commands = store.stream(site, &format!("command/{session}"))?;
        let alarm_rows = store.stream(site, &format!("alarms/{session}"))?;
        let reading_rows = store.stream(site, &format!("readings/{session}"))?;
        let newest = [rows.last(), commands.last(), alarm_rows.last(), reading_rows.last()];
        let Some(last) = newest.into_iter().flatten().max_by_key(|row| row.position) else { return Ok(None) };
        if rows.is_empty() {
            return Ok(None);
        }
        let events = rows.iter().map(session_event).collect::<Result<Vec<_>, _>>()?;
        let mut history = Self {
            session: session.clone(),
            patient: None,
            causes: causes(&commands, &rows)?,
            alarms: Vec::new(),
            readings: Vec::new(),
            late: Vec::new(),
            invalid: Vec::new(),
            doubtful: Vec::new(),
            people: BTreeMap::new(),
            made_up: Purpose::of(store, site)? == Some(Purpose::Demonstration),
            last_position: last.position,
            chain: last.chain,
            events,
        };
        for row in &alarm_rows {
            history.alarms.push((read_time(row)?, read_event(row)?));
        }
        history.read_readings(store, site, &reading_rows)?;
        history.read_patient(store, site)?;
        history.read_people(store, site)?;
        Ok(Some(history))
    }

    /// When the last event of the visit was recorded.
    pub fn end(&self) -> Timestamp {
        self.events.last().map_or(Timestamp::UNIX_EPOCH, |last| last.at)
    }

    fn read_readings(&mut self, store: &Store, site: &str, rows: &[store::Recorded]) -> Result<(), Fault> {
        for (minute_us, kept) in vouched_minutes(store, site, &self.session, rows)? {
            match kept {
                Some(kept) => self.take_minute(minute_us / 1000, kept),
                None => self.doubtful.push(Timestamp::from_microsecond(minute_us).unwrap_or_default()),
            }
        }
        self.readings.sort_by_key(|(at, parameter, _)| (*at, *parameter));
        self.late.sort_by_key(|(at, parameter, _)| (*at, *parameter));
        self.invalid.sort_by_key(|(at, parameter, _)| (*at, *parameter));
        Ok(())
    }

    fn take_minute(&mut self, minute_ms: i64, kept: KeptMinute) {
        let all = [
            (&mut self.readings, kept.values),
            (&mut self.late, kept.late),
            (&mut self.invalid, kept.invalid),
        ];
        for (into, all) in all {
            for (parameter, values) in all {
                for (ms, tenths) in values {
                    if let Ok(at) = Timestamp::from_millisecond(minute_ms.saturating_add(ms)) {
                        into.push((at, parameter, Tenths(tenths)));
                    }
                }
            }
        }
    }

    fn read_patient(&mut self, store: &Store, site: &str) -> Result<(), Fault> {
        let Some(id) = self.events.iter().find_map(|one| patient_of(&one.event)) else { return Ok(()) };
        for row in self.until_now(store, site, &format!("patient/{id}"))? {
            let event: patient::Event = read_event(&row)?;
            self.patient = event.evolve(self.patient.take());
        }
        Ok(())
    }

    fn read_people(&mut self, store: &Store, site: &str) -> Result<(), Fault> {
        let mut ids: BTreeSet<StaffId> = self.events.iter().map(|one| one.by.clone()).collect();
        ids.extend(super::signing::signatures(self).into_iter().map(|signed| signed.signature.by));
        ids.extend(self.alarms.iter().filter_map(|(_, said)| answered_by(said).cloned()));
        for id in ids {
            let mut account = Account::nobody(id.clone());
            for row in self.until_now(store, site, &format!("staff/{id}"))? {
                let event: StaffEvent = read_event(&row)?;
                account = account.evolve(event, row.version, row.at_us);
            }
            if account.version > 0 {
                self.people.insert(id, account.name);
            }
        }
        Ok(())
    }

    /// A stream up to the last entry told, so that what happens later does not change this record.
    fn until_now(&self, store: &Store, site: &str, stream: &str) -> Result<Vec<store::Recorded>, Fault> {
        let mut rows = store.stream(site, stream)?;
        rows.retain(|row| row.position <= self.last_position);
        Ok(rows)
    }
}

/// One row of a session's stream as the core knows it.
///
/// # Errors
/// When its time or its body is none of this program.
pub(crate) fn session_event(row: &store::Recorded) -> Result<Recorded, Fault> {
    Ok(Recorded {
        position: row.position,
        version: row.version,
        at: read_time(row)?,
        by: StaffId::new(row.author.clone()),
        event: read_event(row)?,
    })
}

/// Each command with the positions of what it caused: both were written under the same command id.
fn causes(commands: &[store::Recorded], rows: &[store::Recorded]) -> Result<Vec<(Cause, Vec<i64>)>, Fault> {
    let mut by_command: BTreeMap<&str, Vec<i64>> = BTreeMap::new();
    for row in rows {
        by_command.entry(&row.command_id).or_default().push(row.position);
    }
    let with_positions = |row: &store::Recorded| {
        let cause: Cause = read_event(row)?;
        Ok((cause, by_command.get(row.command_id.as_str()).cloned().unwrap_or_default()))
    };
    commands.iter().map(with_positions).collect()
}

fn patient_of(event: &Event) -> Option<PatientId> {
    match event {
        Event::SessionPlanned { patient, .. } => Some(patient.clone()),
        _ => None,
    }
}

fn answered_by(said: &Output) -> Option<&StaffId> {
    match said {
        Output::AlarmAcknowledged { by, .. } | Output::SoundPaused { by, .. } => Some(by),
        Output::LimitChanged { change, .. } => Some(&change.by),
        _ => None,
    }
}
