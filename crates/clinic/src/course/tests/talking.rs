//! Talks with the therapist around the infusions, across weekends, holidays and the change of the clock.

use super::{KNOWLEDGE, WEEKDAYS, asked, calendar};
use crate::course::calendar::Calendar;
use crate::course::{Booked, What, judge_talk, propose, propose_talks, talk};
use jiff::civil::{Date, date, time};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

/// The infusions that are proposed from a day on.
fn infusions(start: Date, hour: i8, calendar: &Calendar) -> Vec<Booked> {
    let asked = crate::course::Asked { at: Some(time(hour, 0, 0, 0)), ..asked("mdd_trd_std", start) };
    let visits = propose(&asked, calendar, &KNOWLEDGE).visits;
    visits.iter().map(|visit| Booked::between(visit.start, visit.end)).collect()
}

fn shown(talks: &[Booked], calendar: &Calendar) -> Vec<String> {
    let at = |talk: &Booked| calendar.local(talk.start).strftime("%a %m-%d %H:%M").to_string();
    talks.iter().map(|talk| format!("{} {}", talk.what.title(), at(talk))).collect()
}

/// The infusion that a talk belongs to.
fn its<'a>(talk: &Booked, infusions: &'a [Booked]) -> Option<&'a Booked> {
    match talk.what {
        What::Integration => infusions.iter().rfind(|infusion| infusion.end <= talk.start),
        What::Preparation | What::Infusion => infusions.first(),
    }
}

/// The clock goes forward on 14 March 2027: a talk at nine stays at nine, and 72 h stay 72 h.
#[test]
fn preparation_lies_before_and_integration_after_on_the_clock_of_the_clinic() {
    let calendar = calendar(WEEKDAYS, &[date(2027, 3, 15)]);
    let infusions = infusions(date(2027, 3, 4), 9, &calendar);
    let now = infusions[0].start - SignedDuration::from_hours(24 * 30);
    let (talks, findings) = propose_talks(&infusions[..3], now, &calendar, &KNOWLEDGE);
    assert_eq!(
        shown(&talks, &calendar),
        [
            "Preparation Mon 03-01 09:00",
            "Integration Fri 03-05 09:00",
            "Integration Tue 03-09 09:00",
            "Integration Fri 03-12 09:00"
        ]
    );
    assert_eq!(findings, []);
    let friday = Booked::between(
        calendar.moment(date(2027, 3, 12), time(9, 0, 0, 0)).expect("a moment"),
        calendar.moment(date(2027, 3, 12), time(10, 40, 0, 0)).expect("a moment"),
    );
    let (talks, findings) = propose_talks(&[friday], now, &calendar, &KNOWLEDGE);
    assert_eq!(
        shown(&talks, &calendar),
        ["Preparation Tue 03-09 09:00", "Integration Fri 03-12 11:20"],
        "the Monday is a holiday, so it is the same day"
    );
    assert_eq!(findings, []);
}

#[test]
fn a_talk_too_late_too_early_or_when_the_clinic_is_closed_is_refused_with_what_is_accepted() {
    let calendar = calendar(WEEKDAYS, &[date(2026, 12, 25)]);
    let infusions = infusions(date(2026, 12, 21), 9, &calendar);
    let at = |what, day: Date, hour| {
        let start = calendar.moment(day, time(hour, 0, 0, 0)).expect("a moment");
        talk(what, start, &KNOWLEDGE).expect("a talk")
    };
    let refused = |what, day, hour, infusion| {
        judge_talk(&at(what, day, hour), infusion, &calendar, &KNOWLEDGE).expect("refused")
    };
    let first = infusions.first();
    let late = refused(What::Integration, date(2026, 12, 28), 9, first);
    assert!(late.contains("28-Dec-2026 09:00") && late.contains("within 72 h"), "{late}");
    assert!(
        refused(What::Integration, date(2026, 12, 21), 9, first).contains("accepted is 21-Dec-2026 11:00")
    );
    assert!(refused(What::Preparation, date(2026, 12, 21), 9, first).contains("before the first infusion"));
    assert!(refused(What::Integration, date(2026, 12, 25), 9, first).contains("is a holiday"));
    assert!(
        refused(What::Integration, date(2026, 12, 22), 7, first).contains("not open from 22-Dec-2026 07:00")
    );
    assert!(refused(What::Integration, date(2026, 12, 22), 9, None).contains("No infusion"));
    assert_eq!(judge_talk(&at(What::Integration, date(2026, 12, 22), 9), first, &calendar, &KNOWLEDGE), None);
}

proptest! {
    /// Whatever the day, the hour and the holidays: each talk that is proposed may be booked, none meets an infusion
    /// or another talk, and an infusion without one is told.
    #[test]
    fn every_talk_that_is_proposed_may_be_booked(
        day in 0_i32..400,
        hour in 8_i8..15,
        closed in prop::collection::btree_set(0_i32..30, 0..6),
        ahead_h in 0_i64..200,
    ) {
        let start = date(2026, 10, 1) + jiff::Span::new().days(day);
        let holidays: Vec<Date> = closed.iter().map(|n| start + jiff::Span::new().days(*n)).collect();
        let calendar = calendar(WEEKDAYS, &holidays);
        let infusions = infusions(start, hour, &calendar);
        prop_assume!(!infusions.is_empty());
        let now: Timestamp = infusions[0].start - SignedDuration::from_hours(ahead_h);
        let (talks, findings) = propose_talks(&infusions, now, &calendar, &KNOWLEDGE);
        prop_assert_eq!(talks.len() + findings.len(), infusions.len() + 1);
        for (n, one) in talks.iter().enumerate() {
            prop_assert_eq!(judge_talk(one, its(one, &infusions), &calendar, &KNOWLEDGE), None);
            let others = infusions.iter().chain(&talks[..n]);
            prop_assert!(one.start >= now && !others.clone().any(|other| other.overlaps(one)));
        }
    }
}
