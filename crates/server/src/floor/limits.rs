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

    /// Moves limits for one visit, all or none, to where `asked` says; what stands there already does not move. They
    /// hold once the log has them, and after a restart too.
    ///
    /// # Errors
    /// Why not, with the numbers; or that nothing is being recorded.
    pub fn set_limits(
        &self,
        id: &SessionId,
        command_id: &CommandId,
        actor: &Actor,
        asked: Vec<LimitChange>,
    ) -> Result<Done, Denied> {
        if !actor.role.treats() {
            let (role, needs) = (actor.role.title(), "nurse or prescriber".to_owned());
            return Err(Refusal::NotAllowed { doing: "set alarm limits", role, needs }.into());
        }
        let stream = format!("alarms/{id}");
        let turn = self.turn(&stream);
        let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
        let same = |rows: &[store::Recorded]| self.moved_so(id, rows, &asked);
        if let Some(answer) = self.sent_before(command_id, actor, same) {
            return answer;
        }
        let changes = self.moves(id, &asked);
        let (chair, lines) = self.judge_limits(id, &changes)?;
        let at = self.clock.now();
        let done =
            self.append(command_id, actor, at, vec![write(stream, None, lines.iter().map(as_event))?])?;
        for change in changes {
            self.feed(&chair, at, Input::ChangeLimit(change));
        }
        Ok(done)
    }

    /// Those that differ from how the limits stand.
    fn moves(&self, id: &SessionId, asked: &[LimitChange]) -> Vec<LimitChange> {
        let limits = self.limits(id).unwrap_or_default();
        let stands = |one: &&LimitChange| {
            limits.iter().any(|limit| limit.rule == one.rule && limit.threshold == one.to)
        };
        asked.iter().filter(|one| !stands(one)).cloned().collect()
    }

    /// Whether a form that moved limits says the same again: every limit that it moved as then, and no other.
    fn moved_so(&self, id: &SessionId, rows: &[store::Recorded], asked: &[LimitChange]) -> bool {
        let moved: Vec<LimitChange> = rows
            .iter()
            .filter_map(|row| match serde_json::from_str(&row.body) {
                Ok(Output::LimitChanged { change, .. }) => Some(change),
                _ => None,
            })
            .collect();
        moved.len() == rows.len()
            && moved.iter().all(|change| asked.contains(change))
            && self.moves(id, asked).iter().all(|one| moved.contains(one))
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
