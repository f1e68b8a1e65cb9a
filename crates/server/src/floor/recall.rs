//! After a start: what people charted and what devices sent before it, told to the watch once more in the order in
//! which it came. What a device sent was acknowledged when the log had its frame, so it is neither lost nor kept twice:
//! the minutes that the log vouches for are drawn as they are, and what came after them is read from the frames.

use super::Floor;
use super::intake::{TAKEN, TAKEN_LATE, verdict_of};
use super::samples::{MINUTE_US, vouched_minutes};
use clinic::device::DeviceKind;
use clinic::id::{ChairId, DeviceId, SessionId};
use clinic::session::{self, Event, Recorded, Session};
use interop::device::decode;
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};
use std::collections::VecDeque;
use store::Frame;

/// How far back a message is looked for that tells how far the clock of a device was off, and what a pump said last.
const RUN_IN: SignedDuration = SignedDuration::from_mins(10);

impl Floor {
    /// Brings the watch and the chart of a chair to where they stood when the program ended.
    pub(super) fn recall(
        &self,
        id: &SessionId,
        chair: &ChairId,
        history: &[Recorded],
        now: Timestamp,
    ) -> anyhow::Result<()> {
        let lines = self.store.stream(&self.site, &format!("readings/{id}"))?;
        let kept = vouched_minutes(&self.store, &self.site, id, &lines)?;
        let last_us = kept.iter().map(|(minute_us, _)| minute_us - minute_us.rem_euclid(MINUTE_US)).max();
        if let Some(place) = self.room().chairs.get_mut(chair) {
            for (minute_us, kept) in &kept {
                kept.iter().for_each(|kept| place.trend.draw_kept(*minute_us, kept));
            }
        }
        // The last minute once more: what came late in it may wait beside it.
        let frames = self.frames_since(id, chair, last_us.unwrap_or(i64::MIN), now)?;
        self.rewatch(chair, history, frames);
        if let Some(place) = self.room().chairs.get_mut(chair) {
            for (minute_us, kept) in kept {
                kept.into_iter().for_each(|kept| place.trend.leave_out(minute_us, kept));
            }
        }
        Ok(())
    }

    /// What the devices of a chair sent since then about who sits there, oldest first.
    fn frames_since(
        &self,
        id: &SessionId,
        chair: &ChairId,
        from_us: i64,
        now: Timestamp,
    ) -> anyhow::Result<VecDeque<Frame>> {
        let run_in = i64::try_from(RUN_IN.as_micros())?;
        let devices = self.seating().devices.into_iter().filter(|(_, (_, at))| at == chair);
        let mut all = Vec::new();
        for (device, (kind, _)) in devices {
            let here_us = self.of_patient_since(&device, id).map_or(i64::MIN, Timestamp::as_microsecond);
            // Of a pump only the last state counts: what it delivered is read and recorded by itself.
            let lately_us = now.as_microsecond() - run_in;
            let lately_us = if kind == DeviceKind::Monitor { i64::MIN } else { lately_us };
            let from_us = from_us.max(here_us).max(lately_us);
            let mut frames = self.frames_of(&device, from_us.saturating_sub(run_in).max(here_us))?;
            let since = frames.partition_point(|frame| frame.received_at_us < from_us);
            let of_now = frames.drain(..since).rfind(|frame| verdict_of(frame) == TAKEN);
            of_now.iter().for_each(|frame| self.recall_device(&device, chair, frame));
            all.extend(frames);
        }
        all.sort_by_key(|frame| frame.received_at_us);
        Ok(all.into())
    }

    /// All frames of a device since then.
    fn frames_of(&self, device: &DeviceId, mut from_us: i64) -> anyhow::Result<Vec<Frame>> {
        let mut all: Vec<Frame> = Vec::new();
        loop {
            let most = store::ROWS_MAX;
            let mut page = self.store.frames(&self.site, device.as_str(), from_us, i64::MAX, most)?;
            let is_last = i64::try_from(page.len())? < most;
            let last_us = page.last().map_or(from_us, |last| last.received_at_us);
            if is_last || last_us == from_us {
                all.append(&mut page);
                return Ok(all);
            }
            // What came in the same microsecond stands on the next page, all of it.
            page.retain(|frame| frame.received_at_us < last_us);
            all.append(&mut page);
            from_us = last_us;
        }
    }

    /// Feeds the monitor what was charted and sent before, so that limits and clocks know it.
    fn rewatch(&self, chair: &ChairId, history: &[Recorded], mut frames: VecDeque<Frame>) {
        self.recalling(chair, true);
        let mut session = Session::default();
        for recorded in history {
            let before = recorded.at.as_microsecond();
            while let Some(frame) = frames.pop_front_if(|frame| frame.received_at_us <= before) {
                self.show_again(&frame);
            }
            session = session::evolve(session, recorded);
            if !matches!(recorded.event, Event::CheckedIn { .. }) {
                self.watch_event(chair, recorded, Some(&session));
            }
            // Live, the watch hears of it before the log has it.
            if let Event::PumpTold { device, event, late: false, .. } = &recorded.event {
                self.watch_pump_event(chair, recorded.at, device, *event);
            }
        }
        frames.iter().for_each(|frame| self.show_again(frame));
        self.recalling(chair, false);
    }

    /// Takes a frame as it was taken when it came: of now, or late.
    fn show_again(&self, frame: &Frame) {
        let of_now = verdict_of(frame) == TAKEN;
        if !of_now && verdict_of(frame) != TAKEN_LATE {
            return;
        }
        let Ok(at) = Timestamp::from_microsecond(frame.received_at_us) else { return };
        // It was read when it came.
        let Ok(decoded) = decode(&frame.bytes, Some(&self.zone)) else { return };
        let Some((device, chair)) = self.chair_of(&decoded.message, &decoded.also_known_as, at) else {
            return;
        };
        if self.recall_clock(&decoded, &device, &chair, at, of_now)
            && let Err(stranger) = self.show(&decoded, &hex::encode(Sha256::digest(&frame.bytes)), at)
        {
            tracing::warn!(%device, why = stranger.why, "a message that was taken is not any more");
        }
    }

    /// Takes from a frame only what it tells of the device that sent it.
    fn recall_device(&self, device: &DeviceId, chair: &ChairId, frame: &Frame) {
        let Ok(at) = Timestamp::from_microsecond(frame.received_at_us) else { return };
        let Ok(decoded) = decode(&frame.bytes, Some(&self.zone)) else { return };
        self.recall_clock(&decoded, device, chair, at, true);
        self.recall_stamps(&decoded.message, device);
    }
}
