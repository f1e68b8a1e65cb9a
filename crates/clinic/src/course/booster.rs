//! When the next booster is best booked: by the ladder of maintenance, and before the response wears off as it did
//! before in this person. A suggestion with its working, which books nothing.

use super::advice::{Advice, Suggestion, maintenance_rule};
use crate::knowledge::Knowledge;
use crate::knowledge::advice::Maintenance;
use jiff::ToSpan;
use jiff::civil::Date;

/// One time that a response was lost: nobody scored between the last two days, so the loss lies between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wore {
    /// Day of the infusion before it.
    pub infusion: Date,
    /// Last day on which the response was seen.
    pub held: Date,
    /// First day on which it was seen lost.
    pub lost: Date,
}

impl Wore {
    /// Days after the infusion for which it was seen to hold.
    fn held_d(&self) -> u32 {
        let days = self.infusion.until(self.held).map_or(0, |span| span.get_days());
        u32::try_from(days).unwrap_or(0)
    }
}

/// Where a patient in maintenance stands. `None` where nobody knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Boosting<'a> {
    /// The clinic's day.
    pub today: Date,
    /// Day of the last infusion.
    pub last: Option<Date>,
    /// Response now, by the definition of the condition.
    pub response: Option<bool>,
    /// Days after the last infusion that the ladder gives.
    pub ladder_d: Option<u32>,
    /// Every time that a response was lost.
    pub wore: &'a [Wore],
    /// Day of the next infusion in the calendar.
    pub booked: Option<Date>,
}

/// The days on which a booster is best booked. `None` where there is no response to keep, nothing to count by, or a
/// booster is booked in time.
pub fn booster(at: &Boosting, knowledge: &Knowledge) -> Option<Advice> {
    if at.response == Some(false) {
        return None;
    }
    let (header, rule) = match maintenance_rule(knowledge) {
        Ok(found) => found,
        Err(none) => return Some(*none),
    };
    let missing =
        |what: &str| Some(Advice::new(header, Suggestion::Answer { missing: vec![what.to_owned()] }));
    if at.response.is_none() {
        return missing("whether the response holds");
    }
    let Some(last) = at.last else { return missing("when the last infusion was given") };
    let own = at.wore.iter().min_by_key(|wore| wore.held_d());
    let latest_d = latest(rule, at.ladder_d, own)?;
    let rungs = rule.rungs_d.iter().copied();
    let earliest_d = rungs.filter(|rung| *rung <= latest_d).max().unwrap_or(latest_d);
    let after = |days: u32| last.checked_add(i64::from(days).days()).ok();
    let (from, to) = (after(earliest_d)?, after(latest_d)?);
    if at.booked.is_some_and(|booked| booked <= to.max(at.today)) {
        return None;
    }
    let suggestion = Suggestion::BookBetween { from: from.max(at.today), to: to.max(at.today) };
    let mut advice = Advice::new(header, suggestion).saw("last infusion", last).saw(
        "interval of the ladder",
        at.ladder_d.map_or("not known".to_owned(), |days| format!("{days} days")),
    );
    for wore in at.wore {
        advice = advice.because(format!(
            "after the infusion of {} the response held on {} ({} days) and was lost by {}",
            wore.infusion,
            wore.held,
            wore.held_d(),
            wore.lost
        ));
    }
    advice = advice.because(working(rule, at.ladder_d, own));
    if to < at.today {
        advice = advice.because(format!("that was {to}: as soon as a place is free"));
    }
    Some(match at.booked {
        Some(booked) => advice.because(format!("booked is {booked}, after it")),
        None => advice.because("where the clinic is closed, the open day before"),
    })
}

/// Days after the last infusion by which the next one is due.
fn latest(rule: &Maintenance, ladder_d: Option<u32>, own: Option<&Wore>) -> Option<u32> {
    let shortest = rule.rungs_d.first().copied().unwrap_or(0);
    let own = own.map(|wore| wore.held_d().max(shortest));
    ladder_d.into_iter().chain(own).min()
}

fn working(rule: &Maintenance, ladder_d: Option<u32>, own: Option<&Wore>) -> String {
    let shortest = rule.rungs_d.first().copied().unwrap_or(0);
    match (ladder_d, own.map(Wore::held_d)) {
        (Some(ladder), None) => {
            format!("{ladder} days by the ladder; no earlier loss of a response is known")
        }
        (Some(ladder), Some(own)) if ladder <= own => {
            format!("{ladder} days by the ladder, before it wore off")
        }
        (_, Some(own)) if own < shortest => {
            format!("it held {own} days; {shortest} days is the shortest interval of the ladder")
        }
        (Some(ladder), Some(own)) => {
            format!("{own} days before it wore off, instead of {ladder} by the ladder")
        }
        (None, Some(own)) => format!("{own} days before it wore off; the ladder gives no interval"),
        (None, None) => "nothing to count by".to_owned(),
    }
}
