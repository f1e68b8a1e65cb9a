//! A course that is over, as it stays to be read: its plan, how much of it was given, who ended it, when and why.

use super::{Version, said, version};
use crate::AppState;
use clinic::course::{Event, Recorded, replay};
use clinic::staff::Signature;

/// One course that is over.
pub struct Ended {
    /// Its place among the courses of the patient, from 1.
    pub number: usize,
    pub facts: Vec<(&'static str, String)>,
    pub versions: Vec<Version>,
    pub said: Vec<String>,
}

/// The last one first.
pub fn ended(app: &AppState, courses: &[Vec<Recorded>]) -> Vec<Ended> {
    let one = |(nth, history): (usize, &Vec<Recorded>)| Ended {
        number: nth + 1,
        facts: facts(app, history),
        versions: history.iter().filter_map(|recorded| version(app, recorded)).collect(),
        said: history.iter().filter_map(|recorded| said(app, recorded)).collect(),
    };
    courses.iter().enumerate().rev().map(one).collect()
}

/// Who ended a course and why; `None` while it is open.
pub fn end(history: &[Recorded]) -> Option<(&Signature, &str)> {
    history.iter().rev().find_map(|recorded| match &recorded.event {
        Event::CourseClosed { reason, signature } => Some((signature, reason.as_str())),
        _ => None,
    })
}

fn facts(app: &AppState, history: &[Recorded]) -> Vec<(&'static str, String)> {
    let ended = end(history).map_or_else(Vec::new, |(signature, reason)| {
        let at = signature.at.to_zoned(app.config.time_zone()).strftime("%d-%b-%Y %H:%M");
        let by = format!("{at}, by {}", app.floor.called(&signature.by));
        vec![("Ended", by), ("Why", reason.to_owned())]
    });
    ended.into_iter().chain([("Infusions given", given(history))]).collect()
}

/// Of the series and, where maintenance began, after it.
fn given(history: &[Recorded]) -> String {
    let began = history.iter().position(|one| matches!(one.event, Event::MaintenanceBegan { .. }));
    let (series, after) = history.split_at(began.unwrap_or(history.len()));
    let count = |events: &[Recorded]| {
        events.iter().filter(|one| matches!(one.event, Event::InfusionGiven { .. })).count()
    };
    let planned = replay(series).plan().map_or(0, |plan| plan.infusions);
    let series = format!("{} of {planned}", count(series));
    if began.is_some() { format!("{series}, and {} in maintenance", count(after)) } else { series }
}
