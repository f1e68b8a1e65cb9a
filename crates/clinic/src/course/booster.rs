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
    /// What was due between these two days was not answered, so nobody knows that it was lost early.
    pub unanswered: bool,
}

impl Wore {
    /// Days after the infusion for which it was seen to hold.
    fn held_d(&self) -> u32 {
        self.after_d(self.held)
    }

    fn after_d(&self, day: Date) -> u32 {
        let days = self.infusion.until(day).map_or(0, |span| span.get_days());
        u32::try_from(days).unwrap_or(0)
    }

    fn says(&self) -> String {
        let Self { infusion, held, lost, unanswered } = self;
        if *unanswered {
            let (least, most) = (self.held_d(), in_days(self.after_d(*lost)));
            return format!(
                "after the infusion of {infusion} the response held between {least} and {most}: it held on {held} and was \
                 lost by {lost}, and what was due in between was not answered"
            );
        }
        let days = in_days(self.held_d());
        format!(
            "after the infusion of {infusion} the response held on {held} ({days}) and was lost by {lost}"
        )
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
    let own = at.wore.iter().filter(|wore| !wore.unanswered).min_by_key(|wore| wore.held_d());
    let told = |advice: Advice| at.wore.iter().fold(advice, |advice, wore| advice.because(wore.says()));
    let Some(latest_d) = latest(rule, at.ladder_d, own) else {
        let unknown = missing("for how long a response holds");
        return unknown.filter(|_| !at.wore.is_empty() && at.booked.is_none()).map(told);
    };
    let rungs = rule.rungs_d.iter().copied();
    let earliest_d = rungs.filter(|rung| *rung <= latest_d).max().unwrap_or(latest_d);
    let after = |days: u32| last.checked_add(i64::from(days).days()).ok();
    let (from, to) = (after(earliest_d)?, after(latest_d)?);
    if at.booked.is_some_and(|booked| booked <= to.max(at.today)) {
        return None;
    }
    let suggestion = Suggestion::BookBetween { from: from.max(at.today), to: to.max(at.today) };
    let advice = Advice::new(header, suggestion)
        .saw("last infusion", last)
        .saw("interval of the ladder", at.ladder_d.map_or("not known".to_owned(), in_days));
    let mut advice = told(advice).because(working(rule, at, own));
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

fn working(rule: &Maintenance, at: &Boosting, own: Option<&Wore>) -> String {
    let shortest = rule.rungs_d.first().copied().unwrap_or(0);
    match (at.ladder_d, own.map(Wore::held_d)) {
        (Some(ladder), None) if at.wore.is_empty() => {
            format!("{} by the ladder; no earlier loss of a response is known", in_days(ladder))
        }
        (Some(ladder), None) => format!(
            "{} by the ladder, unchanged: for how long a response holds is not known",
            in_days(ladder)
        ),
        (Some(ladder), Some(own)) if ladder <= own => {
            format!("{} by the ladder, before it wore off", in_days(ladder))
        }
        (_, Some(own)) if own < shortest => {
            format!("it held {}; {} is the shortest interval of the ladder", in_days(own), in_days(shortest))
        }
        (Some(ladder), Some(own)) => {
            format!("{} before it wore off, instead of {ladder} by the ladder", in_days(own))
        }
        (None, Some(own)) => format!("{} before it wore off; the ladder gives no interval", in_days(own)),
        (None, None) => "nothing to count by".to_owned(),
    }
}

fn in_days(days: u32) -> String {
    if days == 1 { "1 day".to_owned() } else { format!("{days} days") }
}
