//! Read models: rows for lists and search, written in the transaction of the events they show. One file a model;
//! droppable, rebuilt from the log to the same bytes. A decision asks one at
//! most where to look in the log.

pub mod courses;
pub mod inquiries;
mod patients;
pub mod scales;
pub mod sessions;
pub mod tasks;

use serde::de::DeserializeOwned;
use store::{Fault, Projector, Recorded, ViewPut, ViewsSoFar};

/// Counts up when a model changes; the store then rebuilds all rows at the next start.
const VERSION: i64 = 9;

/// All read models of the clinic.
pub struct Views;

impl Projector for Views {
    fn version(&self) -> i64 {
        VERSION
    }

    fn project(&self, event: &Recorded, views: &mut dyn ViewsSoFar) -> Result<Vec<ViewPut>, Fault> {
        match event.stream.split_once('/') {
            Some(("patient", id)) => patients::project(id, event, views),
            Some(("session", id)) => sessions::project(id, event, views),
            Some(("scales", id)) => scales::project(id, event, views),
            Some(("inquiry", id)) => inquiries::project(id, event, views),
            Some(("course", id)) => courses::project(id, event, views),
            Some(("between", id)) => courses::noted(id, event, views),
            Some(("consultation", id)) => courses::screened(id, event, views),
            Some(("task", id)) => tasks::project(id, event, views),
            _ => Ok(Vec::new()),
        }
    }
}

/// The body of an event or of a row.
fn read<T: DeserializeOwned>(text: &str) -> Result<T, Fault> {
    serde_json::from_str(text).map_err(|cause| Fault::Broken(format!("a body cannot be read: {cause}")))
}

fn as_text(row: &impl serde::Serialize) -> Result<String, Fault> {
    serde_json::to_string(row).map_err(|cause| Fault::Broken(format!("a row cannot be written: {cause}")))
}
