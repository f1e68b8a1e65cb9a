//! The chairs with everybody and everything at them, second by second. Both kinds of demonstration play on it.

use super::FROM;
use super::agree::sign_consent;
use crate::AppState;
use crate::auth::ToSign;
use crate::auth::accounts::NewStaff;
use crate::auth::privilege::Privilege;
use crate::floor::Denied;
use crate::founding::Purpose;
use anyhow::{Context, anyhow};
use clinic::care::roster::{Call, Duty};
use clinic::device::DeviceKind;
use clinic::id::{ChairId, CommandId, DutyId, PatientId, RuleId, SessionId, StaffId};
use clinic::monitor::Input;
use clinic::session::{Command, Phase};
use clinic::staff::Signature;
use interop::encode::Patient;
use jiff::{Timestamp, ToSpan};
use sim::bedside::Bedside;
use sim::cast::{KIM, LEE, MEMBERS, Member, OSEI, OWNER, PASSWORD, ROBIN};
use sim::staff::{Act, Nurse, REGIMEN, Scene, SignedFor};
use sim::story::Story;
use sim::wire::{Device, Frame};
use std::collections::BTreeMap;
use std::time::Duration;

/// Everything simulated.
pub(super) struct Stage {
    state: AppState,
    seats: Vec<Seat>,
    refusals: Vec<String>,
}

/// One chair.
struct Seat {
    chair: ChairId,
    session: SessionId,
    bedside: Bedside,
    nurse: Nurse,
    /// Version of the session at the last look.
    seen: i64,
    seated: bool,
    closed: bool,
}

impl Stage {
    /// Hires the staff unless somebody works here, puts them on call, registers the patients, plans their visits and places the devices.
    ///
    /// # Errors
    /// What could not be set up; the log was not empty, or does not record.
    pub(super) fn set(state: AppState, stories: Vec<Story>, seed: u64) -> anyhow::Result<Self> {
        if state.auth.accounts().all()?.is_empty() {
            hire(&state)?;
        }
        let opens = state.clock.now();
        put_on_call(&state, opens)?;
        let mut stage = Self { state, seats: Vec::new(), refusals: Vec::new() };
        for story in stories {
            let seat = stage.seat(story, opens, seed)?;
            stage.seats.push(seat);
        }
        Ok(stage)
    }

    fn seat(&self, story: Story, opens: Timestamp, seed: u64) -> anyhow::Result<Seat> {
        let AppState { floor, knowledge, .. } = &self.state;
        let mut bedside =
            story.bedside(seed, knowledge).map_err(|why| anyhow!("chair {}: {why}", story.chair))?;
        let (chair, patient) = (ChairId::new(story.chair), PatientId::new(self.state.ids.next()));
        // One story may be told at many chairs.
        floor.register(&self.command_id(), &ROBIN.actor(), &patient, (story.patient.clone(), true))?;
        sign_consent(floor, &patient, &story.patient)?;
        let session = SessionId::new(self.state.ids.next());
        let plan = Command::Plan {
            patient,
            regimen: RuleId::new(REGIMEN),
            infusion: story.infusion.0,
            of: story.infusion.1,
            day: opens.to_zoned(self.state.config.time_zone()).date(),
        };
        floor.act(&session, &self.command_id(), &ROBIN.actor(), plan)?;
        let named = Patient {
            mrn: story.patient.mrn.clone(),
            family: story.patient.family.clone(),
            given: story.patient.given.clone(),
            born: Some(story.patient.born),
        };
        for (device, line) in bedside.lines() {
            let kind = match device {
                Device::Monitor => DeviceKind::Monitor,
                Device::Pump => DeviceKind::Pump,
            };
            // Pumps name nobody; that is normal.
            line.admit(Some(named.clone()).filter(|_| device == Device::Monitor));
            let id = line.instance().device_id();
            floor.place_device(&self.command_id(), &KIM.actor(), &id, Some(kind), &chair)?;
        }
        let visit = format!("{}-{}", story.chair, story.patient.mrn);
        let nurse = Nurse::new(story, &visit, opens, seed, &mut bedside);
        Ok(Seat { chair, session, bedside, nurse, seen: 0, seated: false, closed: false })
    }

    fn command_id(&self) -> CommandId {
        CommandId::new(self.state.ids.next())
    }

    /// Sets how often monitors report.
    pub(super) fn monitors_report_every(&mut self, seconds: i64) {
        self.seats.iter_mut().for_each(|seat| seat.bedside.monitor_every_s = seconds);
    }

    /// One second passes at every chair: what the devices say, in their order.
    pub(super) fn pass(&mut self, now: Timestamp) -> Vec<(ChairId, Frame)> {
        let mut said = Vec::new();
        for seat in &mut self.seats {
            let frames = seat.bedside.pass(now, seat.seated);
            said.extend(frames.into_iter().map(|frame| (seat.chair.clone(), frame)));
        }
        said
    }

    /// Everybody looks at their chair and does what comes next.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub(super) fn act(&mut self) -> anyhow::Result<()> {
        let Self { state, seats, refusals } = self;
        for seat in seats.iter_mut().filter(|seat| !seat.closed) {
            let Some(act) = seat.look(state)? else { continue };
            if let Err(refusal) = seat.perform(state, act) {
                seat.nurse.refused(state.clock.now());
                refusals.push(format!("chair {}: {refusal}", seat.chair));
            }
        }
        Ok(())
    }

    /// Every visit that has a nurse is over, with every microgram in an account.
    pub(super) fn is_done(&self) -> bool {
        self.seats.iter().filter(|seat| seat.nurse.story().nurse.is_some()).all(|seat| seat.closed)
    }

    /// Visits by chair.
    pub(super) fn visits(&self) -> BTreeMap<ChairId, SessionId> {
        self.seats.iter().map(|seat| (seat.chair.clone(), seat.session.clone())).collect()
    }

    /// What simulated staff were refused since the last look, for a person.
    pub(super) fn take_refusals(&mut self) -> Vec<String> {
        std::mem::take(&mut self.refusals)
    }

    /// Every device that speaks, with its chair.
    pub(super) fn devices(&self) -> Vec<(ChairId, Device)> {
        let of = |seat: &Seat| {
            let devices = seat.bedside.devices();
            devices.map(|device| (seat.chair.clone(), device)).collect::<Vec<_>>()
        };
        self.seats.iter().flat_map(of).collect()
    }

    /// Who sits where and how far they are, for a person who waits.
    pub(super) fn phases(&self) -> anyhow::Result<Vec<(ChairId, Phase)>> {
        self.seats
            .iter()
            .map(|seat| {
                let session = self.state.floor.session(&seat.session)?;
                Ok((seat.chair.clone(), session.map_or(Phase::New, |session| session.phase)))
            })
            .collect()
    }
}

impl Seat {
    fn look(&mut self, state: &AppState) -> anyhow::Result<Option<Act>> {
        let floor = &state.floor;
        let session = floor.session(&self.session)?.context("a planned visit is not in the log")?;
        self.seated = !matches!(session.phase, Phase::New | Phase::Planned) && !session.phase.closed();
        if session.phase.closed() {
            self.closed = true;
            return Ok(None);
        }
        let mut news = Vec::new();
        if session.version != self.seen {
            news = floor.history(&self.session)?.into_iter().filter(|one| one.version > self.seen).collect();
            self.seen = session.version;
        }
        let Some(view) = floor.monitor_view(&self.chair) else { return Ok(None) };
        let keeps_paused = floor.keeps_paused(&self.chair);
        let scene = Scene {
            now: state.clock.now(),
            session: &session,
            view: &view,
            keeps_paused: &keeps_paused,
            news: &news,
            knowledge: &state.knowledge,
        };
        Ok(self.nurse.next(&scene, &mut self.bedside))
    }

    fn perform(&self, state: &AppState, act: Act) -> Result<(), Refused> {
        let floor = &state.floor;
        let (who, command) = match act {
            Act::Answer { who, alarm } => {
                floor.met(&StaffId::new(who.user), who.name);
                let input = Input::Acknowledge { alarm, by: StaffId::new(who.user), reason: String::new() };
                return floor.answer_alarm(&self.chair, input).map_err(Refused::Alarm);
            }
            Act::Do { who, command } => (who, *command),
            Act::Sign { who, signer, what_for, command } => (who, command(sign(state, signer, what_for)?)),
        };
        let mut command = command;
        match &mut command {
            Command::Resume { alarms, .. } => *alarms = floor.keeps_paused(&self.chair),
            Command::Discharge { unfinished, .. } => *unfinished = floor.unfinished(&self.session),
            _ => {}
        }
        let command_id = CommandId::new(state.ids.next());
        floor.act(&self.session, &command_id, &who.actor(), command)?;
        Ok(())
    }
}

/// Why simulated staff could not do something.
#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error(transparent)]
    Command(#[from] Denied),
    #[error(transparent)]
    Signature(#[from] crate::auth::Error),
    #[error("{0}")]
    Alarm(String),
}

fn sign(state: &AppState, signer: Member, what_for: SignedFor) -> Result<Signature, Refused> {
    let (meaning, needs) = match what_for {
        SignedFor::Order => ("I order this infusion", Privilege::SignOrder),
        SignedFor::SecondCheck => (crate::pages::second_check::CHECKED, Privilege::SecondCheck),
        SignedFor::Resume => ("The infusion may go on", Privilege::SignOrder),
        SignedFor::Waste => ("I saw what was left wasted", Privilege::WitnessWaste),
        SignedFor::Discharge => ("Fit to go home", Privilege::Discharge),
    };
    Ok(state.auth.sign(ToSign { user: signer.user, pin: signer.pin, meaning, needs, from: FROM })?)
}

/// Founds the clinic with everybody who works there.
pub(super) fn hire(state: &AppState) -> anyhow::Result<()> {
    let new = |member: Member| NewStaff {
        user: member.user.to_owned(),
        name: member.name.to_owned(),
        roles: vec![member.role],
        password: PASSWORD.to_owned(),
        pin: Some(member.pin.to_owned()),
    };
    let accounts = state.auth.accounts();
    let owner = accounts
        .found(new(OWNER), Purpose::asked(state.config.demo), &state.ids.next())
        .context("found the clinic")?;
    for member in MEMBERS.into_iter().filter(|member| *member != OWNER) {
        accounts
            .add(new(member), &owner, &state.ids.next())
            .with_context(|| format!("hire {}", member.user))?;
    }
    Ok(())
}

/// A prescriber is on call on each day from today on, and a nurse for when the prescriber does not answer.
fn put_on_call(state: &AppState, opens: Timestamp) -> anyhow::Result<()> {
    let zone = state.config.time_zone();
    let today = opens.to_zoned(zone.clone()).date();
    let midnight =
        |days: i64| Ok::<_, jiff::Error>(today.checked_add(days.days())?.to_zoned(zone.clone())?.timestamp());
    for day in 0..ON_CALL_D {
        let (from, to) = (midnight(day)?, midnight(day + 1)?);
        let nurse = if day % 2 == 0 { KIM } else { LEE };
        for (call, member) in [(Call::First, OSEI), (Call::Second, nurse)] {
            let id = DutyId::new(state.ids.next());
            let duty = Duty { id, staff: StaffId::new(member.user), call, from, to };
            state.floor.plan_duty(&CommandId::new(state.ids.next()), &OWNER.actor(), duty)?;
        }
    }
    Ok(())
}

/// Days of the roster.
const ON_CALL_D: i64 = 14;
/// One second.
pub(super) const SECOND: Duration = Duration::from_secs(1);
