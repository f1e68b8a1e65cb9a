//! The clock of the floor: ticks for every monitor, lost links, displays that stopped painting, minutes to keep.

use super::{Denied, Floor, happen};
use crate::auth::audit::Kind;
use clinic::device::DeviceKind;
use clinic::id::{ChairId, CommandId, DeviceId, SessionId};
use clinic::monitor::{Input, Output, Refused};
use clinic::session::Command;
use clinic::session::delivery::elapsed_ms;
use clinic::staff::Actor;
use jiff::Timestamp;
use std::collections::BTreeSet;
use std::io::Write;
use std::sync::atomic::Ordering;
use std::sync::{MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::watch;

/// Time between two rounds of the evaluator.
const ROUND: Duration = Duration::from_millis(250);
/// A device that spoke within this time tells by its message that its chair was watched.
const HEARD_MS: i64 = 1_500;
/// The cursor that says until when chairs were watched, in µs since the epoch.
pub(super) const WATCHED: &str = "watched";
/// Rounds a second; links are watched and the heart beats once a second.
const ROUNDS_A_SECOND: u64 = 4;

impl Floor {
    /// One round of the evaluator: every monitor gets its tick, and what follows is shown. It waits for no disk and
    /// no database.
    pub fn round(&self) {
        let now = self.clock.now();
        let round = self.rounds.fetch_add(1, Ordering::Relaxed);
        let whole = round.is_multiple_of(ROUNDS_A_SECOND);
        let chairs = self.chairs();
        let last = self.painted_ms.load(Ordering::Relaxed);
        let painted = now.as_millisecond().saturating_sub(last) < self.painted_window_ms();
        for chair in &chairs {
            if painted {
                self.feed(chair, now, Input::Painted);
            }
            self.feed(chair, now, Input::Tick);
        }
        if whole {
            self.watch_clock(&chairs, now);
            self.watch_links(now);
            self.publish_beat(now);
        }
        self.publish_samples(now);
        self.publish_alarms(now);
        self.watched_us.store(now.as_microsecond(), Ordering::Relaxed);
    }

    /// What the clock writes down: lost pumps, tasks that nobody saw to, whole minutes of readings, alarm lines that waited. Waits for the log.
    pub fn keep(&self) {
        let now = self.clock.now();
        self.keep_clock();
        self.lose_pumps(now);
        self.pass_tasks_on(now);
        self.keep_minutes(now);
        self.catch_up();
        self.predict_now(now);
        self.keep_watched(now);
        self.kept_at_round.store(self.rounds(), Ordering::Relaxed);
    }

    /// Keeps until when a chair was watched where a drug runs and no device speaks: after a fall nothing else tells how
    /// long nobody watched it.
    fn keep_watched(&self, now: Timestamp) {
        let unheard = {
            let room = self.room();
            room.chairs.iter().any(|(chair, place)| {
                let session = room.seating.session_at(chair).and_then(|id| room.sessions.get(id));
                let heard = place.heard.values().max().is_some_and(|at| elapsed_ms(*at, now) <= HEARD_MS);
                !heard && session.is_some_and(|session| session.phase.active())
            })
        };
        let watched_us = self.watched_us.load(Ordering::Relaxed);
        if unheard && let Err(error) = self.store.set_cursor(&self.site, WATCHED, watched_us) {
            tracing::debug!(%error, "until when the chairs were watched is not kept");
        }
    }

    /// Says on pages that nothing is being recorded while the keeper does not get round. A log that takes long is no
    /// reason to start again, because the watch over the patients would have a gap and the log would be no faster.
    fn watch_keeper(&self, lives: bool) {
        let behind = self.rounds().saturating_sub(self.kept_at_round.load(Ordering::Relaxed));
        let keeps = lives && behind <= KEEPER_ROUNDS_MAX;
        match (self.keeping.swap(keeps, Ordering::Relaxed), keeps) {
            (true, false) => {
                tracing::error!(lives, behind, "the keeper does not get round: nothing is written down")
            }
            (false, true) => tracing::info!("the keeper gets round again"),
            _ => {}
        }
    }

    /// Sends what changed since the last frame, without a round. For the time between rounds.
    pub fn publish_changes(&self) {
        self.publish_samples(self.clock.now());
    }

    /// A page says so once a second of its own time, whatever the speed of a demonstration.
    fn painted_window_ms(&self) -> i64 {
        #[expect(clippy::cast_possible_truncation, reason = "a few seconds at any speed of a demonstration")]
        let window = (f64::from(PAINTED_MS) * self.clock.speed().max(1.0)) as i64;
        window
    }

    /// Completed rounds.
    pub fn rounds(&self) -> u64 {
        self.rounds.load(Ordering::Relaxed)
    }

    /// A display says that it painted frame `seq`. One that is far behind is stuck and counts for nothing.
    pub fn painted(&self, seq: u64) {
        if seq.saturating_add(FRAMES_BEHIND_MAX) < self.hub.seq() {
            return;
        }
        self.painted_ms.store(self.clock.now().as_millisecond(), Ordering::Relaxed);
    }

    /// Tells every monitor while the machine's clock is off, and once when it is right again.
    fn watch_clock(&self, chairs: &[ChairId], now: Timestamp) {
        let off_s = self.clock.off().as_secs();
        let was = self.clock_was_off.swap(off_s != 0, Ordering::Relaxed);
        for chair in chairs.iter().filter(|_| was || off_s != 0) {
            self.feed(chair, now, Input::ClockBehind((-off_s).max(0)));
            self.feed(chair, now, Input::ClockAhead(off_s.max(0)));
        }
    }

    /// Writes down that the machine's clock was set, and follows one that was set ahead once nobody sits in a chair.
    fn keep_clock(&self) {
        let off_s = self.clock.off().as_secs();
        let before_s = self.clock_noted_s.swap(off_s, Ordering::Relaxed);
        // It wanders by a second while it is corrected; that is not set again.
        if off_s.abs_diff(before_s) > 1 {
            let way = if off_s < 0 { "behind" } else { "ahead of" };
            let what = format!(
                "the machine's clock is {} s {way} the times told here, {before_s} s before",
                off_s.abs()
            );
            tracing::error!(off_s, before_s, "the machine's clock was set");
            self.audit.record(Kind::ClockSet, None, what, "server");
        }
        if off_s > 0 && self.room().seating.chairs.is_empty() {
            self.clock.follow();
            self.clock_noted_s.store(0, Ordering::Relaxed);
            let what = format!(
                "the times told here follow the machine's clock by {off_s} s: nobody sits in a chair"
            );
            self.audit.record(Kind::ClockSet, None, what, "server");
        }
    }

    /// Tells every monitor which of its devices are silent and which speak.
    fn watch_links(&self, now: Timestamp) {
        self.miss_no_more(now);
        for Link { chair, device, kind, speaks, .. } in self.links(now) {
            let input = if speaks { Input::LinkBack(device) } else { Input::LinkLost(device, kind) };
            self.feed(&chair, now, input);
        }
    }

    /// A linked pump that is silent makes the delivery uncertain. What the log did not take is said again.
    fn lose_pumps(&self, now: Timestamp) {
        let unknown = self.unknown().clone();
        for id in unknown {
            self.lose_pump(&id, "restart");
        }
        for Link { session, speaks, .. } in self.links(now) {
            let Some(id) = session.filter(|_| !speaks) else { continue };
            let lost = self.room().sessions.get(&id).is_some_and(|session| {
                session.phase.active() && session.delivery.linked() && !session.delivery.is_in_the_dark()
            });
            if lost {
                self.lose_pump(&id, "link-watch");
            }
        }
    }

    /// Nobody knows what the pump of this session delivers, until the log says so.
    pub(super) fn lose_pump(&self, id: &SessionId, machine: &str) {
        let command_id = CommandId::new(self.ids.next());
        match self.act(id, &command_id, &Actor::machine(machine), Command::LosePump) {
            Ok(_) | Err(Denied::Refused(_)) => {
                self.unknown().remove(id);
            }
            Err(denied) => {
                tracing::error!(%denied, machine, "that a delivery is uncertain is not recorded yet");
                self.unknown().insert(id.clone());
            }
        }
    }

    fn unknown(&self) -> MutexGuard<'_, BTreeSet<SessionId>> {
        self.unknown.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Every placed device with its chair, the session whose pump it is, and whether it speaks.
    fn links(&self, now: Timestamp) -> Vec<Link> {
        let after_ms = self.knowledge.session_rules().link_lost_after_s * 1000;
        let room = self.room();
        let placed = room.seating.devices.iter().filter_map(|(device, (kind, chair))| {
            let heard = room.chairs.get(chair)?.heard.get(device);
            let speaks = heard.is_some_and(|last| elapsed_ms(*last, now) <= after_ms);
            let session = room.seating.session_at(chair).filter(|_| *kind == DeviceKind::Pump);
            let session = session.cloned();
            Some(Link { chair: chair.clone(), device: device.clone(), kind: *kind, session, speaks })
        });
        placed.collect()
    }

    /// Tells the monitor of a chair anew what stands there; gives back why it goes on watching what is gone.
    pub(super) fn expect_devices(&self, chair: &ChairId) -> Option<Refused> {
        let expected = self.expected_at(chair, false);
        let now = self.clock.now();
        let said = self.tell(chair, now, Input::Expect(expected));
        let phase = {
            let room = self.room();
            room.seating.session_at(chair).and_then(|id| room.sessions.get(id)).map(|session| session.phase)
        };
        if let Some(phase) = phase {
            self.feed(chair, now, Input::Phase(happen::watched(phase)));
        }
        said.into_iter().find_map(|output| match output {
            Output::Refused(refused) => Some(refused),
            _ => None,
        })
    }
}

/// One placed device.
struct Link {
    chair: ChairId,
    device: DeviceId,
    kind: DeviceKind,
    /// The session whose pump it is.
    session: Option<SessionId>,
    speaks: bool,
}

/// Rounds of the evaluator for which the keeper may wait for the log before pages say so: twenty seconds.
const KEEPER_ROUNDS_MAX: u64 = 20 * ROUNDS_A_SECOND;
/// Frames that a display may be behind: three seconds of the fastest stream.
const FRAMES_BEHIND_MAX: u64 = 40;
/// A display that painted within this time counts; each says so once a second.
const PAINTED_MS: u32 = 2_500;

/// Makes rounds until told to stop, on a thread of its own, and feeds the watchdog after each completed one for as
/// long as the keeper lives: when that fell, the whole program starts again.
/// Between rounds it sends what devices changed, so that a value is on a page within a tenth of a second.
pub fn evaluate(
    floor: &Floor,
    stopping: &watch::Receiver<bool>,
    keeper: &JoinHandle<()>,
    mut watchdog: impl Write,
) {
    let (wait, waited) = std::sync::mpsc::channel::<()>();
    let pause = |length: Duration| {
        // Nothing is ever sent: this is a wait with a deadline.
        let _ = waited.recv_timeout(length);
    };
    while !*stopping.borrow() {
        floor.round();
        // Told to stop, the keeper ends by itself.
        let lives = !keeper.is_finished() || *stopping.borrow();
        floor.watch_keeper(lives);
        if lives {
            // The parent is gone when this fails, and then the next signal ends this process too.
            let _ = writeln!(watchdog, "{}", crate::supervise::ROUND).and_then(|()| watchdog.flush());
        }
        pause(ROUND / 3);
        floor.publish_changes();
        pause(ROUND / 3);
        floor.publish_changes();
        pause(ROUND / 3);
    }
    drop(wait);
}

/// Writes down once a second what the clock has to write, on a thread apart from the evaluator, until told to stop.
pub fn keep_records(floor: &Floor, stopping: &watch::Receiver<bool>) {
    let (wait, waited) = std::sync::mpsc::channel::<()>();
    while !*stopping.borrow() {
        floor.keep();
        // Nothing is ever sent: this is a wait with a deadline.
        let _ = waited.recv_timeout(Duration::from_secs(1));
    }
    drop(wait);
}
