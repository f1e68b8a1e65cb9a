//! What became of a scale since before the series, in words.

use super::Known;
use crate::AppState;
use crate::pages::tasks::answered_time;
use clinic::knowledge::Item;
use clinic::knowledge::scales::Scale;
use clinic::outcome::{Dated, around, last_series};
use clinic::quantity::{plain, round_half_up};
use clinic::scale::{Unscorable, outcome};
use rust_decimal::Decimal;

/// The last score against the one before the series, by the rules of the scale. Where nothing can be compared, it stands
/// alone and says why.
pub(in crate::pages) fn outcomes(app: &AppState, known: &Known, item: &Item<Scale>) -> Vec<String> {
    let totals = known.all.totals(&item.header.id);
    let scored = |(at, total): &Dated| format!("{}: {}", answered_time(app, *at), plain(*total));
    let alone = |why: &str| {
        let last = totals.last().map(|last| format!("Last, {}", scored(last)));
        last.into_iter().chain([why.to_owned()]).collect()
    };
    let Some(first) = last_series(&known.infusions).first() else {
        return alone("No infusion yet, so there is nothing to compare");
    };
    let (baseline, later) = around(&totals, first.at);
    let Some((before, baseline)) = baseline else {
        return alone("No score from before the series, so a change is not known");
    };
    let Some((at, last)) = later.last() else {
        return vec![
            format!("Before the series, {}", scored(&(before, baseline))),
            "Nothing since".to_owned(),
        ];
    };
    let judging = known.treated.judging(&item.body);
    let judged = judging.iter().map(|is| Ok((*is, outcome(item, baseline, *last, *is)?)));
    let Ok(judged) = judged.collect::<Result<Vec<_>, Unscorable>>() else {
        return alone("A score is outside the range of the scale; no change is told");
    };
    let Some((_, came)) = judged.first() else { return alone("No definition of an outcome") };
    let percent =
        came.percent.map_or_else(String::new, |percent| format!(" ({} %)", plain(round_half_up(percent, 1))));
    let sign = if came.change > Decimal::ZERO { "+" } else { "" };
    let known = |said: Option<bool>| said.map_or("not known", |said| if said { "yes" } else { "no" });
    let worse = match (came.worse, came.reliable) {
        (false, _) => "no",
        (true, Some(true)) => "yes, by more than chance",
        (true, _) => "yes",
    };
    let mut told = vec![
        format!("Before the series, {}", scored(&(before, baseline))),
        format!("Last, {}, change {sign}{}{percent}", scored(&(*at, *last)), plain(came.change)),
    ];
    for (is, came) in &judged {
        let rule =
            is.map_or_else(String::new, |one| format!(" (treated for: {})", one.title().to_lowercase()));
        told.push(format!("Response: {}{rule}", known(came.response)));
        told.push(format!("Remission: {}", known(came.remission)));
    }
    told.extend([format!("Change by more than chance: {}", known(came.reliable)), format!("Worse: {worse}")]);
    told
}
