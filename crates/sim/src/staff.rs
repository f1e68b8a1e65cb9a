//! What simulated staff do at a chair: one act at a time, decided by what the chair shows, never by a script that
//! does not look. So a visitor can take over at any moment, and the nurse goes on with what is left.

pub(crate) mod after;
pub(crate) mod before;
mod during;

pub use before::REGIMEN;

use crate::bedside::Bedside;
use crate::cast::Member;
use crate::chance::Chance;
use crate::pump::Doing;
use crate::story::{Story, cuff_interval};
use clinic::id::{AlarmId, ChairId, DeviceId};
use clinic::knowledge::Knowledge;
use clinic::knowledge::observations::Phase as Watched;
use clinic::monitor::MonitorView;
use clinic::quantity::Rate;
use clinic::session::{Command, Event, Phase, Recorded, Session};
use clinic::staff::Signature;
use jiff::{SignedDuration, Timestamp};

/// What a person standing at the chair can see.
pub struct Scene<'a> {
    /// Now.
    pub now: Timestamp,
    /// The visit as it stands.
    pub session: &'a Session,
    /// The chair's screen.
    pub view: &'a MonitorView,
    /// What keeps a paused infusion from going on.
    pub keeps_paused: &'a [String],
    /// What was recorded since the last look.
    pub news: &'a [Recorded],
    /// What clinicians know.
    pub knowledge: &'a Knowledge,
}

/// What a signature is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignedFor {
    /// The order.
    Order,
    /// The independent second check.
    SecondCheck,
    /// Going on after a second or long pause.
    Resume,
    /// Waste before a witness.
    Waste,
    /// Going home.
    Discharge,
}

/// Makes the command once somebody signed.
pub type OnceSigned = Box<dyn FnOnce(Signature) -> Command + Send>;

/// One act.
pub enum Act {
    /// A command.
    Do {
        /// Who.
        who: Member,
        /// What.
        command: Box<Command>,
    },
    /// A command that somebody signs.
    Sign {
        /// Who acts.
        who: Member,
        /// Who signs, with user name and PIN.
        signer: Member,
        /// What for.
        what_for: SignedFor,
        /// Makes the command.
        command: OnceSigned,
    },
    /// Answers an alarm.
    Answer {
        /// Who.
        who: Member,
        /// Which.
        alarm: AlarmId,
    },
}

/// Time to walk to a chair after an alarm, in seconds.
const WALK_S: i64 = 6;
/// Time to look at an alarm before answering it, in seconds.
const ANSWER_S: i64 = 18;
/// Time to find and free a blocked line, in seconds.
const FREE_LINE_S: i64 = 40;

/// Looks after one chair, and presses the pump's buttons after whoever decided.
pub struct Nurse {
    chair: ChairId,
    arrives: Timestamp,
    story: Story,
    pump_device: Option<DeviceId>,
    chance: Chance,
    busy_until: Timestamp,
    told: Option<Rate>,
    paused_by_me: bool,
    blocked_since: Option<Timestamp>,
    visit: String,
}

impl Nurse {
    /// For a story that opens at `opens`; `visit` makes ids of orders and vials unique.
    pub fn new(story: Story, visit: &str, opens: Timestamp, seed: u64, bedside: &mut Bedside) -> Self {
        let pump = bedside.lines().find(|(device, _)| *device == crate::wire::Device::Pump);
        Self {
            chair: ChairId::new(story.chair),
            arrives: opens
                .saturating_add(SignedDuration::from_secs(story.arrives_s))
                .unwrap_or(Timestamp::MAX),
            pump_device: pump.map(|(_, line)| line.instance().device_id()),
            chance: Chance::new(seed, &format!("nurse at chair {}", story.chair)),
            story,
            busy_until: opens,
            told: None,
            paused_by_me: false,
            blocked_since: None,
            visit: visit.to_owned(),
        }
    }

    /// The chair's story.
    pub const fn story(&self) -> &Story {
        &self.story
    }

    /// The next act, if it is time for one. Called once a second.
    pub fn next(&mut self, scene: &Scene<'_>, bedside: &mut Bedside) -> Option<Act> {
        self.press(scene, bedside);
        let me = self.story.nurse?;
        if let Some(act) = self.react(me, scene) {
            return Some(act);
        }
        if scene.now < self.busy_until {
            return None;
        }
        let act = match scene.session.phase {
            Phase::Planned | Phase::CheckedIn | Phase::Gated | Phase::Ready => {
                self.prepare(me, scene, bedside)
            }
            Phase::Infusing | Phase::Paused => self.watch(me, scene, bedside),
            Phase::Recovering | Phase::DischargeCheck => self.recover(me, scene, bedside),
            Phase::New | Phase::Discharged | Phase::Cancelled | Phase::Transferred => None,
        }?;
        let seconds = 6 + self.chance.below(10) as i64;
        self.busy_for(scene.now, seconds);
        Some(act)
    }

    /// An act was refused: think before the next one.
    pub fn refused(&mut self, now: Timestamp) {
        self.busy_for(now, 60);
    }

    fn busy_for(&mut self, now: Timestamp, seconds: i64) {
        self.busy_until = now.saturating_add(SignedDuration::from_secs(seconds)).unwrap_or(now);
    }

    /// Makes the pump do what the record says, whoever wrote it there.
    fn press(&mut self, scene: &Scene<'_>, bedside: &mut Bedside) {
        for recorded in scene.news {
            match &recorded.event {
                Event::InfusionStarted { rate, .. } | Event::InfusionResumed { rate, .. } => {
                    self.told = Some(*rate)
                }
                Event::RateChanged { to, .. } => self.told = Some(*to),
                Event::InfusionEnded { .. } => {
                    // The last reading of the pump does not wait.
                    self.busy_until = scene.now;
                    if let (Ok(every), Some(monitor)) =
                        (cuff_interval(scene.knowledge, Watched::Recovering), bedside.monitor())
                    {
                        monitor.set_cuff(every);
                    }
                }
                _ => {}
            }
        }
        let session = scene.session;
        let pump = &mut bedside.pump;
        match session.phase {
            Phase::Gated if !session.draws.is_empty() => {
                if let Some((order, _)) = &session.order
                    && (pump.rate, pump.vtbi, pump.concentration)
                        != (order.rate, order.vtbi, order.concentration)
                {
                    pump.program(order.rate, order.vtbi, order.concentration);
                }
            }
            Phase::Infusing => {
                if let Some(rate) = self.told.filter(|rate| *rate != pump.rate) {
                    pump.set_rate(rate);
                }
                if matches!(pump.doing, Doing::Standby | Doing::Paused) {
                    pump.start();
                }
            }
            _ => pump.pause(),
        }
        self.free_line(scene.now, bedside);
    }

    fn free_line(&mut self, now: Timestamp, bedside: &mut Bedside) {
        if bedside.pump.doing != Doing::Occluded {
            self.blocked_since = None;
            return;
        }
        let since = *self.blocked_since.get_or_insert(now);
        if lasts(since, now) >= FREE_LINE_S {
            bedside.free_line(now);
        }
    }

    /// Alarms do not wait for the next free minute.
    fn react(&mut self, me: Member, scene: &Scene<'_>) -> Option<Act> {
        if let Some(command) = self.halt(scene) {
            return Some(Act::Do { who: me, command: Box::new(command) });
        }
        let unanswered = scene.view.alarms.iter().find(|view| {
            view.alarm.acknowledged.is_none() && lasts(view.alarm.raised_at, scene.now) >= ANSWER_S
        })?;
        Some(Act::Answer { who: me, alarm: unanswered.alarm.id.clone() })
    }
}

/// Whole seconds from one moment to another.
fn lasts(from: Timestamp, to: Timestamp) -> i64 {
    to.duration_since(from).as_secs()
}
