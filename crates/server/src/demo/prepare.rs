//! A clinic in the middle of its day, made in virtual time: where measurements and fault runs begin.

use super::headless::second;
use super::stage::Stage;
use crate::AppState;
use anyhow::bail;
use clinic::id::{ChairId, SessionId};
use clinic::session::Phase;
use sim::story::Story;
use std::collections::BTreeMap;

/// Plays `stories` on a clinic whose clock is held and whose log is new, until `enough` says so of the phase at each
/// chair. Takes at most `seconds_max` seconds of the clinic's time; gives the visits by chair.
///
/// # Errors
/// What went wrong, or how far everybody was when the time was over.
pub fn prepare(
    state: &AppState,
    stories: Vec<Story>,
    seed: u64,
    seconds_max: u32,
    enough: impl Fn(&[(ChairId, Phase)]) -> bool,
) -> anyhow::Result<BTreeMap<ChairId, SessionId>> {
    let mut stage = Stage::set(state.clone(), stories, seed)?;
    for _ in 0..seconds_max {
        second(state, &mut stage)?;
        if enough(&stage.phases()?) {
            return Ok(stage.visits());
        }
    }
    bail!("after {seconds_max} s: {:?}; refused: {:?}", stage.phases()?, stage.take_refusals())
}
