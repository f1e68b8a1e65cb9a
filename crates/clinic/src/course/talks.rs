//! Talks with a therapist around the infusions: one that prepares, before the first, and one that helps to make
//! sense of what came up, soon after each. A place for them is held when the infusions are booked.

use super::calendar::Calendar;
use super::event::{Booked, What};
use crate::gate::{Finding, Verdict};
use crate::knowledge::booking::Booking;
use crate::knowledge::{Item, Knowledge};
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use std::ops::RangeInclusive;

/// Most days that a talk of preparation is moved from the wished one, before the first infusion.
const EARLIER_MOST_D: i32 = 14;

/// A talk, as long as the rules of booking say, with nobody in it yet.
pub fn talk(what: What, start: Timestamp, knowledge: &Knowledge) -> Option<Booked> {
    let rules = &knowledge.booking.iter().next()?.body;
    let end = start.checked_add(minutes(rules.talk_min)).ok()?;
    Some(Booked { what, ..Booked::between(start, end) })
}

/// The talks that belong to these infusions, and for which of them there is no time. None before `now`.
pub fn propose_talks(
    infusions: &[Booked],
    now: Timestamp,
    calendar: &Calendar,
    knowledge: &Knowledge,
) -> (Vec<Booked>, Vec<Finding>) {
    let Some(rules) = knowledge.booking.iter().next() else {
        return (Vec::new(), vec![crate::gate::no_rule("booking")]);
    };
    let Some(first) = infusions.first() else { return Default::default() };
    let mut near = Near { rules, busy: infusions.to_vec(), calendar };
    let mut findings = Vec::new();
    let mut missing = |what: String| findings.push(Finding::new(&rules.header, Verdict::Warn, what));
    let day = calendar.local(first.start).date();
    let wished = i32::try_from(rules.body.preparation_before_d).unwrap_or(EARLIER_MOST_D);
    let mut days = (1..=wished).rev().chain(wished.saturating_add(1)..=EARLIER_MOST_D);
    let before = days.find_map(|back| near.on(What::Preparation, (day, -back), first, now..=first.start));
    match before {
        Some(talk) => near.busy.push(talk),
        None => missing("No open time for preparation before the first infusion.".to_owned()),
    }
    let within = i64::from(rules.body.integration_within_h);
    for (n, infusion) in (1_u32..).zip(infusions) {
        let Ok(latest) = infusion.end.checked_add(SignedDuration::from_hours(within)) else { continue };
        let day = calendar.local(infusion.start).date();
        // The same day is the last choice: a patient who has just come round is tired.
        let mut days = (1..=i32::try_from(within / 24).unwrap_or(0)).chain([0]);
        match days.find_map(|on| near.on(What::Integration, (day, on), infusion, infusion.end..=latest)) {
            Some(talk) => near.busy.push(talk),
            None => missing(format!("No open time for integration within {within} h after infusion {n}.")),
        }
    }
    (near.busy.split_off(infusions.len()), findings)
}

/// What a talk is refused for, `None` where nothing speaks against it. `infusion` is the one that is prepared, or the
/// one that is talked about.
pub fn judge_talk(
    talk: &Booked,
    infusion: Option<&Booked>,
    calendar: &Calendar,
    knowledge: &Knowledge,
) -> Option<String> {
    let rules = &knowledge.booking.iter().next()?.body;
    let shown = |at| calendar.local(at).strftime("%d-%b-%Y %H:%M").to_string();
    if !calendar.is_open(talk.start, talk.end) {
        let day = calendar.local(talk.start).date();
        let why = calendar.closed(day).unwrap_or_else(|| {
            format!("the clinic is not open from {} to {}", shown(talk.start), shown(talk.end))
        });
        return Some(format!("No talk then: {why}."));
    }
    match (talk.what, infusion) {
        (What::Infusion, _) | (What::Preparation, None) => None,
        (What::Integration, None) => Some("No infusion comes before it.".to_owned()),
        (What::Preparation, Some(first)) => (talk.end > first.start).then(|| {
            let (ends, first) = (shown(talk.end), shown(first.start));
            format!("Preparation ends {ends}; accepted is before the first infusion, {first}.")
        }),
        (What::Integration, Some(infusion)) => {
            let within = rules.integration_within_h;
            let latest = infusion.end.checked_add(SignedDuration::from_hours(i64::from(within))).ok()?;
            (!(infusion.end..=latest).contains(&talk.start)).then(|| {
                let (begins, from, until) = (shown(talk.start), shown(infusion.end), shown(latest));
                format!("Integration begins {begins}; accepted is {from} to {until}, within {within} h of the infusion.")
            })
        }
    }
}

/// Open times around the infusions.
struct Near<'a> {
    rules: &'a Item<Booking>,
    /// Infusions, then talks that were found.
    busy: Vec<Booked>,
    calendar: &'a Calendar,
}

impl Near<'_> {
    /// A talk so many days from a day that begins within these times: at the time of day of the infusion, else as early
    /// as the clinic is open.
    fn on(
        &self,
        what: What,
        (day, days): (Date, i32),
        infusion: &Booked,
        within: RangeInclusive<Timestamp>,
    ) -> Option<Booked> {
        let date = day.checked_add(jiff::Span::new().try_days(days).ok()?).ok()?;
        let wished = self.calendar.local(infusion.start).time();
        let length = minutes(self.rules.body.talk_min);
        let fits = |start: Timestamp| {
            let talk = Booked { what, ..Booked::between(start, start.checked_add(length).ok()?) };
            let free = !self.busy.iter().any(|other| other.overlaps(&talk));
            (free && within.contains(&start) && self.calendar.is_open(talk.start, talk.end)).then_some(talk)
        };
        let same_time = self.calendar.moment(date, wished).and_then(fits);
        same_time.or_else(|| self.every(date, length).find_map(fits))
    }

    /// Every start of a talk on a day, one after the other.
    fn every(&self, date: Date, length: SignedDuration) -> impl Iterator<Item = Timestamp> {
        self.calendar.hours(date).into_iter().flat_map(move |(from, until)| {
            std::iter::successors(Some(from), move |at| at.checked_add(length).ok())
                .take_while(move |at| *at < until)
        })
    }
}

const fn minutes(length: u32) -> SignedDuration {
    SignedDuration::from_mins(length as i64)
}
