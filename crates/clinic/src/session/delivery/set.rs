//! Who last set the flow.

use super::super::event::{Event, Recorded};
use super::Delivery;

impl Delivery {
    /// The last start, change of the rate, pause, resume or stop that a person recorded.
    pub fn last_set(&self) -> Option<&Recorded> {
        self.taken.iter().rev().find(|one| in_words(&one.event).is_some())
    }
}

/// What was done to the flow, after the name of who did it.
pub(in crate::session) fn in_words(event: &Event) -> Option<String> {
    match event {
        Event::InfusionStarted { rate, .. } => Some(format!("started the infusion at {rate}")),
        Event::RateChanged { to, .. } => Some(format!("set the rate to {to}")),
        Event::InfusionPaused { .. } => Some("paused the infusion".to_owned()),
        Event::InfusionResumed { rate, .. } => Some(format!("resumed the infusion at {rate}")),
        Event::InfusionEnded { .. } => Some("stopped the infusion".to_owned()),
        _ => None,
    }
}
