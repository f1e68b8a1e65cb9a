//! `scored/<scale>`: the totals of each patient that count, for what a clinic adds up; `scales_of`: which scales a
//! patient answered.

use super::{as_text, read};
use clinic::scale::questionnaire::Event;
use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use store::{Fault, Recorded, ViewPut, ViewRow, ViewsSoFar};

/// One total: its questionnaire, when the patient answered in seconds since the epoch, and what it came to. Short,
/// because a clinic has hundreds of thousands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Total(String, i64, Option<Decimal>);

/// The view of a scale.
pub fn view_of(scale: &str) -> String {
    format!("scored/{scale}")
}

/// Scores of one patient in order of time, from a row.
///
/// # Errors
/// A row that is none.
pub fn scores(body: &str) -> Result<Vec<(Timestamp, Option<Decimal>)>, Fault> {
    let rows: Vec<(serde::de::IgnoredAny, i64, Option<Decimal>)> = read(body)?;
    let at = |seconds| Timestamp::from_second(seconds).ok();
    let mut scores: Vec<_> =
        rows.into_iter().filter_map(|(_, seconds, total)| Some((at(seconds)?, total))).collect();
    scores.sort_by_key(|(at, _)| *at);
    Ok(scores)
}

/// The rows after an event.
pub(super) fn project(
    patient: &str,
    event: &Recorded,
    views: &mut dyn ViewsSoFar,
) -> Result<Vec<ViewPut>, Fault> {
    let put = |view: String, body| ViewPut {
        view,
        key: patient.to_owned(),
        row: Some(ViewRow { sort: event.at_us, search: String::new(), body }),
    };
    let scales: Vec<String> =
        views.body(SCALES_OF, patient)?.map_or_else(|| Ok(Vec::new()), |body| read(&body))?;
    match read(&event.body)? {
        Event::ScaleAnswered { questionnaire, answered, .. } => {
            let view = view_of(&answered.scale);
            let mut totals = totals(views, &view, patient)?;
            totals.retain(|Total(id, ..)| answered.corrects.as_ref().is_none_or(|one| one.which.0 != *id));
            totals.push(Total(questionnaire.0, answered.at.as_second(), answered.result.total));
            let mut puts = vec![put(view, as_text(&totals)?)];
            if !answered.result.flags.is_empty() {
                puts.extend(super::courses::flagged((patient, &answered.scale), event, views)?);
            }
            if !scales.contains(&answered.scale) {
                let scales: Vec<String> = scales.into_iter().chain([answered.scale]).collect();
                puts.push(put(SCALES_OF.to_owned(), as_text(&scales)?));
            }
            Ok(puts)
        }
        Event::ScaleVoided { questionnaire, .. } => {
            for view in scales.iter().map(|scale| view_of(scale)) {
                let mut totals = totals(views, &view, patient)?;
                let before = totals.len();
                totals.retain(|Total(id, ..)| *id != questionnaire.0);
                if totals.len() < before {
                    return Ok(vec![put(view, as_text(&totals)?)]);
                }
            }
            Ok(Vec::new())
        }
        Event::ScaleLinkMade { .. } | Event::QuestionAnswered { .. } => Ok(Vec::new()),
    }
}

fn totals(views: &mut dyn ViewsSoFar, view: &str, patient: &str) -> Result<Vec<Total>, Fault> {
    views.body(view, patient)?.map_or_else(|| Ok(Vec::new()), |body| read(&body))
}

/// The view of which scales a patient answered.
const SCALES_OF: &str = "scales_of";
