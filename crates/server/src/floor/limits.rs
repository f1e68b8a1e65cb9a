//! Alarm limits of one patient, moved by a named person within what the knowledge allows.

use super::act::write;
use super::alarms::as_event;
use super::{Denied, Done, Floor};
use clinic::id::{ChairId, CommandId, SessionId};
use clinic::monitor::{Input, LimitChange, LimitView, Output};
use clinic::session::Refusal;
use clinic::staff::Actor;
use std::sync::PoisonError;

impl Floor {
    /// The limits that may be moved where a visit sits, as they stand; `None` when it sits nowhere.
    pub fn limits(&self, id: &SessionId) -> Option<Vec<LimitView>> {
        let room = self.room();
        let chair = room.seating.chair_of(id)?;
        Some(room.chairs.get(chair)?.monitor.limits())
    }

    /// Moves limits for one visit, all or none. They hold once the log has them, and after a restart too.
    ///
    /// # Errors
    /// Why not, with the numbers; or that nothing is being recorded.
    pub fn set_limits(
        &self,
        id: &SessionId,
        command_id: &CommandId,
        actor: &Actor,
        changes: Vec<LimitChange>,
    ) -> Result<Done, Denied> {
        if !actor.role.treats() {
            let (role, needs) = (actor.role.title(), "nurse or prescriber".to_owned());
            return Err(Refusal::NotAllowed { doing: "set alarm limits", role, needs }.into());
        }
        let stream = format!("alarms/{id}");
        let turn = self.turn(&stream);
        let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((done, _)) = self.done_before(command_id)? {
            return Ok(done);
        }
        let (chair, lines) = self.judge_limits(id, &changes)?;
        let at = self.clock.now();
        let done =
            self.append(command_id, actor, at, vec![write(stream, None, lines.iter().map(as_event))])?;
        for change in changes {
            self.feed(&chair, at, Input::ChangeLimit(change));
        }
        Ok(done)
    }

    fn judge_limits(
        &self,
        id: &SessionId,
        changes: &[LimitChange],
    ) -> Result<(ChairId, Vec<Output>), Denied> {
        let room = self.room();
        let chair = room.seating.chair_of(id).cloned().ok_or_else(|| Denied::NotSeated(id.clone()))?;
        let place = room.chairs.get(&chair).ok_or_else(|| Denied::NotSeated(id.clone()))?;
        let lines: Result<Vec<Output>, _> =
            changes.iter().map(|one| place.monitor.judge_limit(one)).collect();
        Ok((chair, lines?))
    }

    /// After a restart: the limits that were moved for this visit before it.
    pub(super) fn recall_limits(&self, id: &SessionId, chair: &ChairId) -> anyhow::Result<()> {
        let lines = self.alarm_history(id)?;
        let mut room = self.room();
        let Some(place) = room.chairs.get_mut(chair) else { return Ok(()) };
        for (at, _, line) in lines {
            if let Output::LimitChanged { change, .. } = line {
                place.monitor.recall(at, Input::ChangeLimit(change));
            }
        }
        Ok(())
    }
}
