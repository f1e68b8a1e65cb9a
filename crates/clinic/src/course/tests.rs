//! Laws of a proposed course, and days that are known from a printed calendar.

mod advising;
mod boosting;
mod going;
mod holding;
mod noting;
mod ordering;
mod refitting;
mod signing;
mod talking;
mod watching;

use super::calendar::{Calendar, Opening};
use super::{Asked, LastStart, Proposal, judge, propose};
use crate::gate::{Finding, Verdict};
use crate::id::RuleId;
use crate::knowledge::Knowledge;
use jiff::Timestamp;
use jiff::civil::{Date, date, time};
use jiff::tz::TimeZone;
use proptest::prelude::*;
use rust_decimal::Decimal;
use std::collections::BTreeSet;
use std::sync::LazyLock;

static KNOWLEDGE: LazyLock<Knowledge> =
    LazyLock::new(|| Knowledge::shipped().unwrap_or_else(|error| panic!("{error}")));

/// The clock of the east of the United States by its own rule, so that no database of zones is needed here.
fn new_york() -> TimeZone {
    TimeZone::posix("EST5EDT,M3.2.0,M11.1.0").expect("a rule")
}

fn calendar(opening: &[&str], holidays: &[Date]) -> Calendar {
    Calendar {
        opening: opening.iter().map(|text| Opening::read("--opening", text).expect("hours")).collect(),
        holidays: holidays.iter().copied().collect(),
        zone: new_york(),
    }
}

fn asked(regimen: &str, start: Date) -> Asked {
    Asked {
        regimen: RuleId::new(regimen),
        start,
        at: None,
        count: None,
        a_week: None,
        minutes: None,
        last: Some(LastStart::Never),
        before: 0,
        not_before: None,
    }
}

fn days(proposal: &Proposal, calendar: &Calendar) -> Vec<String> {
    let at = |start| calendar.local(start).strftime("%a %m-%d %H:%M").to_string();
    proposal.visits.iter().map(|visit| at(visit.start)).collect()
}

fn reasons<'a>(findings: impl IntoIterator<Item = &'a Finding>, verdict: Verdict) -> String {
    let fit = findings.into_iter().filter(|finding| finding.verdict == verdict);
    fit.map(|finding| finding.reason.as_str()).collect::<Vec<_>>().join("\n")
}

const WEEKDAYS: &[&str] = &["mon-fri 08:00-17:00"];
const DAILY: &[&str] = &["mon-sun 08:00-17:00"];

#[test]
fn two_a_week_for_three_weeks_is_the_usual_course() {
    let calendar = calendar(WEEKDAYS, &[]);
    let proposal = propose(&asked("mdd_trd_std", date(2026, 11, 30)), &calendar, &KNOWLEDGE);
    assert_eq!(
        days(&proposal, &calendar),
        [
            "Mon 11-30 08:00",
            "Thu 12-03 08:00",
            "Mon 12-07 08:00",
            "Thu 12-10 08:00",
            "Mon 12-14 08:00",
            "Thu 12-17 08:00"
        ]
    );
    assert_eq!(proposal.verdict(), Verdict::Info);
    assert!(proposal.may_be_booked());
    // The first two infusions are watched for two hours from the start, later ones for one hour from the end.
    let stay = |n: usize| proposal.visits[n].end.duration_since(proposal.visits[n].start).as_mins();
    assert_eq!((stay(0), stay(1), stay(2)), (120, 120, 100));
}

#[test]
fn three_a_week_for_two_weeks_keeps_a_day_between() {
    let calendar = calendar(WEEKDAYS, &[]);
    let asked = Asked { a_week: Some(3), ..asked("mdd_trd_std", date(2026, 12, 1)) };
    let proposal = propose(&asked, &calendar, &KNOWLEDGE);
    let days: Vec<_> = days(&proposal, &calendar).iter().map(|day| day[..9].to_owned()).collect();
    assert_eq!(days, ["Tue 12-01", "Thu 12-03", "Mon 12-07", "Wed 12-09", "Fri 12-11", "Mon 12-14"]);
    let told = reasons(&proposal.visits[2].findings, Verdict::Info);
    assert!(
        told.contains("from 2026-12-05 to Monday 2026-12-07: the clinic is closed on Saturdays"),
        "{told}"
    );
}

#[test]
fn a_holiday_moves_its_visit_and_the_rest_and_says_so() {
    let thanksgiving = date(2026, 11, 26);
    let calendar = calendar(WEEKDAYS, &[thanksgiving]);
    let proposal = propose(&asked("mdd_trd_std", date(2026, 11, 23)), &calendar, &KNOWLEDGE);
    let days: Vec<_> = days(&proposal, &calendar).iter().map(|day| day[..9].to_owned()).collect();
    // Friday takes Thursday's place; the visit after the next waits until Friday is a week old.
    assert_eq!(days, ["Mon 11-23", "Fri 11-27", "Mon 11-30", "Fri 12-04", "Mon 12-07", "Fri 12-11"]);
    let told = reasons(&proposal.visits[1].findings, Verdict::Warn);
    assert!(told.contains("Thursday 2026-11-26 is a holiday"), "{told}");
}

#[test]
fn a_start_on_a_closed_day_moves_to_the_next_open_one() {
    let calendar = calendar(WEEKDAYS, &[]);
    let proposal = propose(&asked("ocd", date(2026, 11, 28)), &calendar, &KNOWLEDGE);
    assert_eq!(days(&proposal, &calendar), ["Mon 11-30 08:00"]);
    assert!(reasons(&proposal.visits[0].findings, Verdict::Info).contains("closed on Sundays"));
}

/// The clock goes forward on 2026-03-08: eight in the morning comes 23 h after eight in the morning.
#[test]
fn hours_are_counted_as_they_pass_when_the_clock_goes_forward() {
    let calendar = calendar(DAILY, &[]);
    let two = Asked { count: Some(2), a_week: Some(7), ..asked("mdd_si", date(2026, 3, 7)) };
    let forward = propose(&two, &calendar, &KNOWLEDGE);
    assert_eq!(days(&forward, &calendar), ["Sat 03-07 08:00", "Sun 03-08 09:00"]);
    let apart = forward.visits[1].start.duration_since(forward.visits[0].start);
    assert_eq!(apart.as_hours(), 24);
    let at_eight = Asked { at: Some(time(8, 0, 0, 0)), ..two.clone() };
    let told = propose(&at_eight, &calendar, &KNOWLEDGE);
    assert!(reasons(&told.visits[1].findings, Verdict::Info).contains("begins at 09:00 instead of 08:00"));
    // And back on 2026-11-01: 25 h pass, nothing moves.
    let back = propose(&Asked { start: date(2026, 10, 31), ..two }, &calendar, &KNOWLEDGE);
    assert_eq!(days(&back, &calendar), ["Sat 10-31 08:00", "Sun 11-01 08:00"]);
}

#[test]
fn a_visit_that_moves_too_near_is_stopped_and_the_others_are_looked_at_again() {
    let calendar = calendar(WEEKDAYS, &[]);
    let asked = asked("mdd_trd_std", date(2026, 11, 30));
    let mut starts: Vec<Timestamp> =
        propose(&asked, &calendar, &KNOWLEDGE).visits.iter().map(|visit| visit.start).collect();
    let at = |day, hour| calendar.moment(day, time(hour, 0, 0, 0)).expect("a moment");
    // Thursday to Wednesday: still 48 h after Monday, and now three lie within a week.
    starts[3] = at(date(2026, 12, 9), 8);
    let near = judge(&asked, &starts, &calendar, &KNOWLEDGE);
    assert!(near.may_be_booked());
    assert!(reasons(&near.visits[3].findings, Verdict::Warn).contains("3 infusions in seven days"));
    // The evening before the next: the next one is stopped, though nobody touched it.
    starts[3] = at(date(2026, 12, 13), 10);
    let stopped = judge(&asked, &starts, &calendar, &KNOWLEDGE);
    assert!(!stopped.may_be_booked());
    assert!(reasons(&stopped.visits[3].findings, Verdict::Stop).contains("closed on Sundays"));
    assert!(reasons(&stopped.visits[4].findings, Verdict::Stop).contains("22 h since the last infusion"));
}

#[test]
fn the_infusion_before_the_course_counts_too() {
    let calendar = calendar(WEEKDAYS, &[]);
    let before = calendar.moment(date(2026, 11, 29), time(20, 0, 0, 0)).expect("a moment");
    let soon = Asked { last: Some(LastStart::At(before)), ..asked("mdd_trd_std", date(2026, 11, 30)) };
    let proposal = propose(&soon, &calendar, &KNOWLEDGE);
    assert_eq!(days(&proposal, &calendar)[0], "Tue 12-01 08:00", "36 h: past the hard floor");
    assert!(reasons(&proposal.visits[0].findings, Verdict::Warn).contains("with a reason before 48 h"));
    let unknown = propose(&Asked { last: None, ..soon }, &calendar, &KNOWLEDGE);
    assert!(reasons(&unknown.findings, Verdict::Warn).contains("Nobody said when the last infusion"));
}

#[test]
fn what_a_clinic_may_not_give_is_not_booked() {
    let calendar = calendar(WEEKDAYS, &[]);
    for (regimen, words) in [("mig", "for hospital wards"), ("crps_inpt", "kept for comparison")] {
        let proposal = propose(&asked(regimen, date(2026, 11, 30)), &calendar, &KNOWLEDGE);
        assert!(proposal.visits.is_empty() && !proposal.may_be_booked());
        assert!(reasons(&proposal.findings, Verdict::Stop).contains(words), "{regimen}");
    }
    let research = propose(&asked("aud", date(2026, 11, 30)), &calendar, &KNOWLEDGE);
    assert!(reasons(&research.findings, Verdict::Hold).contains("Research only"));
    let unknown = propose(&asked("nothing", date(2026, 11, 30)), &calendar, &KNOWLEDGE);
    assert_eq!((unknown.visits.len(), unknown.verdict()), (0, Verdict::Hold));
}

#[test]
fn all_visits_or_none() {
    // Closed from the third week on: the last two find no place within the days that a visit may move.
    let holidays: Vec<Date> = date(2026, 12, 14).series(jiff::ToSpan::days(1)).take(40).collect();
    let calendar = calendar(WEEKDAYS, &holidays);
    let proposal = propose(&asked("mdd_trd_std", date(2026, 11, 30)), &calendar, &KNOWLEDGE);
    assert!(proposal.visits.is_empty());
    assert!(reasons(&proposal.findings, Verdict::Stop).contains("Infusion 5 finds no place"));
    let short = calendar_of(&["mon-fri 08:00-09:30"]);
    let proposal = propose(&asked("mdd_trd_std", date(2026, 11, 30)), &short, &KNOWLEDGE);
    assert!(reasons(&proposal.findings, Verdict::Stop).contains("no opening that holds a whole visit"));
}

fn calendar_of(opening: &[&str]) -> Calendar {
    calendar(opening, &[])
}

#[test]
fn what_differs_from_the_published_course_is_said() {
    let calendar = calendar(WEEKDAYS, &[]);
    let usual = asked("mdd_trd_std", date(2026, 11, 30));
    let said = |asked: &Asked, verdict| {
        let proposal = propose(asked, &calendar, &KNOWLEDGE);
        reasons(proposal.everything(), verdict)
    };
    assert!(
        said(&Asked { a_week: Some(5), ..usual.clone() }, Verdict::Warn)
            .contains("published is 2 or 3 a week")
    );
    assert!(said(&Asked { count: Some(8), ..usual.clone() }, Verdict::Warn).contains("published are 1 to 6"));
    assert!(
        said(&Asked { minutes: Some(Decimal::from(30)), ..usual.clone() }, Verdict::Warn).contains("30 min")
    );
    assert!(
        said(&Asked { minutes: Some(Decimal::from(10)), ..usual.clone() }, Verdict::Stop).contains("10 min")
    );
    assert!(said(&Asked { count: Some(61), ..usual.clone() }, Verdict::Stop).contains("1 to 60 infusions"));
    assert!(said(&Asked { a_week: Some(8), ..usual.clone() }, Verdict::Stop).contains("1 to 7 a week"));
    assert!(said(&usual, Verdict::Info).contains("Evidence grade A. Single infusion A, series B"));
}

#[test]
fn a_number_alone_picks_the_published_rhythm_that_holds_it() {
    let calendar = calendar(DAILY, &[]);
    for (regimen, count, a_week) in [
        ("mdd_si", 2, 7),
        ("bip_dep", 8, 2),
        ("pain_gen", 3, 3),
        ("ptsd", 7, 2),
        ("mdd_trd_std", 4, 2),
        ("ocd", 3, 1),
    ] {
        let asked = Asked { count: Some(count), ..asked(regimen, date(2026, 11, 30)) };
        let proposal = propose(&asked, &calendar, &KNOWLEDGE);
        assert_eq!((proposal.visits.len(), proposal.rhythm.a_week), (count as usize, a_week), "{regimen}");
    }
}

#[test]
fn every_regimen_that_a_clinic_gives_finds_its_dates() {
    let calendar = calendar(WEEKDAYS, &[]);
    for item in KNOWLEDGE.regimens.iter().filter(|item| !item.body.rhythms.is_empty()) {
        for rhythm in &item.body.rhythms {
            let asked = Asked {
                count: Some(rhythm.infusions),
                a_week: Some(rhythm.a_week),
                ..asked(&item.header.id, date(2026, 11, 30))
            };
            let proposal = propose(&asked, &calendar, &KNOWLEDGE);
            let told = reasons(proposal.everything(), Verdict::Stop);
            assert_eq!(proposal.visits.len(), rhythm.infusions as usize, "{}: {told}", item.header.id);
            assert!(proposal.verdict() < Verdict::Stop, "{}: {told}", item.header.id);
        }
    }
}

proptest! {
    /// Whatever the calendar and the wish: all visits or none; none nearer than the hard floor; none while the clinic is
    /// closed; never more in seven days than asked; never before the first day; in the order of time.
    #[test]
    fn no_proposed_visit_breaks_a_rule(
        open in prop::collection::btree_set(0_usize..7, 1..=7),
        holidays in prop::collection::btree_set(0_i32..60, 0..12),
        start in 0_i32..400,
        hour in 0_i8..24,
        count in 1_u32..12,
        a_week in 1_u32..=7,
        regimen in prop::sample::select(vec!["mdd_trd_std", "mdd_si", "crps_out", "pain_gen", "mdd_trd_slow"]),
    ) {
        let names = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
        let opening: Vec<String> = open.iter().map(|day| format!("{} 08:00-18:00", names[*day])).collect();
        let opening: Vec<&str> = opening.iter().map(String::as_str).collect();
        let plus = |day: Date, days: i32| day.checked_add(jiff::Span::new().days(days)).expect("a day");
        let first = plus(date(2026, 1, 1), start);
        let closed: Vec<Date> = holidays.iter().map(|days| plus(first, *days)).collect();
        let calendar = calendar(&opening, &closed);
        let asked = Asked {
            at: Some(time(hour, 30, 0, 0)),
            count: Some(count),
            a_week: Some(a_week),
            ..asked(regimen, first)
        };
        let proposal = propose(&asked, &calendar, &KNOWLEDGE);
        prop_assert!(proposal.visits.is_empty() || proposal.visits.len() == count as usize);
        prop_assert_eq!(proposal.visits.is_empty(), proposal.verdict() >= Verdict::Stop);
        let hard_h = if matches!(regimen, "crps_out" | "pain_gen") { 12 } else { 24 };
        for pair in proposal.visits.windows(2) {
            prop_assert!(pair[1].start.duration_since(pair[0].start).as_hours() >= hard_h);
        }
        let date_of = |at| calendar.local(at).date();
        for visit in &proposal.visits {
            let day = date_of(visit.start);
            prop_assert!(day >= first && !closed.contains(&day) && day == date_of(visit.end));
            prop_assert!(calendar.is_open(visit.start, visit.end));
            let week: BTreeSet<Date> = day.series(jiff::ToSpan::days(1)).take(7).collect();
            let within = proposal.visits.iter().filter(|other| week.contains(&date_of(other.start))).count();
            prop_assert!(within <= a_week as usize, "{} in the week from {}", within, day);
        }
        let starts: Vec<Timestamp> = proposal.visits.iter().map(|visit| visit.start).collect();
        let again = judge(&asked, &starts, &calendar, &KNOWLEDGE);
        prop_assert!(proposal.visits.is_empty() || again.may_be_booked(), "its own dates pass when judged again");
    }
}
