//! While the drug runs: look, chart, pause, go on, stop.

use super::before::charted;
use super::{Act, Nurse, Scene, SignedFor, WALK_S, lasts};
use crate::bedside::Bedside;
use crate::cast::{Member, OSEI};
use crate::pump::Doing;
use clinic::device::PumpStatus;
use clinic::monitor::{Action, Observed};
use clinic::quantity::Rate;
use clinic::session::{Command, Finding, Phase, PumpRead, ReadBy};
use clinic::staff::Signature;

/// A pause lasts at least so long, in seconds.
const PAUSE_LEAST_S: i64 = 180;
/// After so long a paused infusion is ended, in seconds.
const PAUSE_MOST_S: i64 = 50 * 60;
/// A visitor who paused is left alone for so long, in seconds.
const VISITOR_S: i64 = 15 * 60;
/// Pumps take rates in tenths of a millilitre an hour.
const RATE_STEP: i64 = 100;

impl Nurse {
    /// What the gravest alarm demands at once.
    pub(super) fn halt(&mut self, scene: &Scene<'_>) -> Option<Command> {
        if scene.session.phase != Phase::Infusing {
            return None;
        }
        let demands = scene.view.alarms.iter().map(|view| &view.alarm).filter(|alarm| {
            let halts = matches!(alarm.action, Action::Pause | Action::Stop);
            halts && !alarm.is_latched() && lasts(alarm.raised_at, scene.now) >= WALK_S
        });
        let demand = demands.max_by_key(|alarm| alarm.action)?;
        let reason = demand.message.clone();
        let often = scene.session.pauses.len() > scene.knowledge.session_rules().pauses_max;
        if demand.action == Action::Stop || often {
            return Some(Command::Stop { reason });
        }
        self.paused_by_me = true;
        Some(Command::Pause { reason })
    }

    pub(super) fn watch(&mut self, me: Member, scene: &Scene<'_>, bedside: &mut Bedside) -> Option<Act> {
        let mine = |command| Some(Act::Do { who: me, command: Box::new(command) });
        if scene.session.phase == Phase::Infusing && bedside.pump.doing == Doing::Complete {
            return mine(Command::Stop { reason: "the ordered volume is in".to_owned() });
        }
        if let Some(command) = self.look(scene, bedside) {
            return mine(command);
        }
        if scene.session.phase == Phase::Paused { self.go_on(me, scene) } else { None }
    }

    /// The observation that is due, if a person has to make it.
    pub(super) fn look(&mut self, scene: &Scene<'_>, bedside: &mut Bedside) -> Option<Command> {
        let has_monitor = bedside.monitor().is_some();
        let due = scene.view.due.iter().filter(|due| due.in_s <= 0).map(|due| due.what);
        for what in due {
            let finding = match what {
                Observed::Nibp | Observed::Spo2 | Observed::HeartRate | Observed::RespiratoryRate => {
                    if has_monitor {
                        continue;
                    }
                    Finding::Vitals { values: bedside.vitals() }
                }
                Observed::Pump if bedside.is_linked() => continue,
                Observed::Pump => return Some(read_pump(scene, bedside)),
                Observed::Sedation => Finding::MoaaS { score: self.alertness(bedside) },
                Observed::Distress => Finding::Distress { score: 1 + self.some(2) },
                Observed::Dissociation => self.dissociation(bedside),
                Observed::Nausea => Finding::Nausea { score: self.some(2) },
                Observed::Pain => Finding::Pain { score: self.some(2) },
                Observed::IvSite => Finding::IvSite { sound: true },
                Observed::Etco2 => continue,
            };
            return Some(charted(scene, finding));
        }
        None
    }

    fn some(&mut self, below: u64) -> u8 {
        u8::try_from(self.chance.below(below)).unwrap_or_default()
    }

    pub(super) fn alertness(&mut self, bedside: &Bedside) -> u8 {
        if bedside.person.effect_site() > DROWSY_NG_ML { 4 } else { 5 }
    }

    pub(super) fn dissociation(&mut self, bedside: &Bedside) -> Finding {
        let level = bedside.person.effect_site();
        if level < CLEAR_NG_ML {
            return Finding::AsBefore { as_before: true };
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 8")]
        let score = (level / DROWSY_NG_ML * 6.0).clamp(1.0, 8.0) as u8;
        Finding::Disconnected { score }
    }

    fn go_on(&mut self, me: Member, scene: &Scene<'_>) -> Option<Act> {
        let pause = scene.session.pauses.last()?;
        let paused_s = lasts(pause.from, scene.now);
        let least = if self.paused_by_me { PAUSE_LEAST_S } else { VISITOR_S };
        if paused_s >= PAUSE_MOST_S {
            let reason = "the pause lasted too long".to_owned();
            return Some(Act::Do { who: me, command: Box::new(Command::Stop { reason }) });
        }
        if paused_s < least || !scene.keeps_paused.is_empty() {
            return None;
        }
        let rules = scene.knowledge.session_rules();
        let (order, _) = scene.session.order.as_ref()?;
        let part = order.rate.0 * rules.resume_percent / 100;
        let rate = Rate(part / RATE_STEP * RATE_STEP);
        let reason = "vital signs are back under every limit".to_owned();
        let signs = scene.session.paused_s(scene.now) > rules.pause_total_s_max
            || scene.session.pauses.len() > rules.pauses_max;
        self.paused_by_me = false;
        if signs {
            let command = Box::new(move |signature: Signature| Command::Resume {
                rate,
                reason,
                prescriber: Some(signature),
                alarms: Vec::new(),
                passes: None,
                after: None,
            });
            return Some(Act::Sign { who: me, signer: OSEI, what_for: SignedFor::Resume, command });
        }
        let (alarms, passes) = (Vec::new(), None);
        let command = Command::Resume { rate, reason, prescriber: None, alarms, passes, after: None };
        Some(Act::Do { who: me, command: Box::new(command) })
    }
}

/// Above this level at the effect site the made-up people are drowsy.
const DROWSY_NG_ML: f64 = 150.0;
/// Below it they feel as before.
const CLEAR_NG_ML: f64 = 70.0;

/// Reads the pump by eye.
pub(super) fn read_pump(scene: &Scene<'_>, bedside: &Bedside) -> Command {
    let infusing = bedside.pump.doing == Doing::Infusing;
    let read = PumpRead {
        by: ReadBy::Person,
        status: if infusing { PumpStatus::Infusing } else { PumpStatus::NotInfusing },
        rate: bedside.pump.flow(),
        counter: bedside.display(),
        read_at: scene.now,
        reason: None,
        jumped: false,
        all_in: false,
    };
    Command::ReadPump { read }
}
