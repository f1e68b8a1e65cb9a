//! `open_tasks`: what somebody must see to; `done_tasks`: what became of the others, newest first.

use super::{as_text, read};
use clinic::care::task::{Event, Outcome, Urgency};
use serde::{Deserialize, Serialize};
use store::{Fault, Recorded, ViewPut, ViewRow, ViewsSoFar};

/// One task in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// How soon it was asked for.
    pub urgency: Urgency,
    /// As a clinician reads it.
    pub title: String,
    /// When it was opened, ms since the epoch.
    pub opened_ms: i64,
    /// How it ended, by whom and when; none while it is open.
    pub done: Option<(Outcome, String, i64)>,
}

/// The rows after an event.
pub(super) fn project(id: &str, event: &Recorded, views: &mut dyn ViewsSoFar) -> Result<Vec<ViewPut>, Fault> {
    let put = |view: &str, row| ViewPut { view: view.to_owned(), key: id.to_owned(), row };
    let row = match read(&event.body)? {
        Event::TaskOpened { why, .. } => {
            Row { urgency: why.urgency(), title: why.title(), opened_ms: event.at_us / 1000, done: None }
        }
        Event::TaskDone { by, outcome, .. } => {
            let Some(before) = views.body("open_tasks", id)? else { return Ok(Vec::new()) };
            Row { done: Some((outcome, by.0, event.at_us / 1000)), ..read(&before)? }
        }
        Event::TaskTaken { .. } | Event::TaskPassedOn { .. } => return Ok(Vec::new()),
    };
    let listed = ViewRow { sort: event.at_us, search: row.title.clone(), body: as_text(&row)? };
    Ok(if row.done.is_some() {
        vec![put("open_tasks", None), put("done_tasks", Some(listed))]
    } else {
        vec![put("open_tasks", Some(listed))]
    })
}
