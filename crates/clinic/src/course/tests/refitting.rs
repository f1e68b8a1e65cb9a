//! Visits that are booked, when a newer plan is signed.

use super::{KNOWLEDGE, WEEKDAYS, asked, calendar};
use crate::course::calendar::Calendar;
use crate::course::diary::Day;
use crate::course::{Asked, Booked, LastStart, What, judge, refit};
use crate::id::{ChairId, CourseId, PatientId, RuleId, StaffId};
use jiff::civil::{Date, date, time};
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;

fn at(calendar: &Calendar, day: Date, hour: i8, minute: i8) -> Timestamp {
    calendar.moment(day, time(hour, minute, 0, 0)).expect("a moment")
}

fn placed(chair: &str, nurse: &str, start: Timestamp, minutes: i64) -> Booked {
    let (chair, nurse) = (Some(ChairId::new(chair)), Some(StaffId::new(nurse)));
    Booked { chair, nurse, ..Booked::between(start, start + SignedDuration::from_mins(minutes)) }
}

fn over(minutes: i64, regimen: &str) -> Asked {
    Asked { minutes: Some(Decimal::from(minutes)), before: 2, ..asked(regimen, date(2026, 11, 30)) }
}

fn lasts(booked: &Booked) -> i64 {
    booked.end.duration_since(booked.start).as_mins()
}

#[test]
fn a_longer_infusion_lengthens_what_fits_and_says_what_does_not() {
    let calendar = calendar(WEEKDAYS, &[]);
    let days = [date(2026, 11, 30), date(2026, 12, 3), date(2026, 12, 7)];
    let starts = [at(&calendar, days[0], 9, 0), at(&calendar, days[1], 9, 0), at(&calendar, days[2], 15, 20)];
    let mine: Vec<Booked> = starts.into_iter().map(|start| placed("1", "kim", start, 100)).collect();
    let needs = refit(&over(60, "mdd_trd_std"), &mine, &calendar, &KNOWLEDGE);
    assert_eq!(needs.iter().map(|one| lasts(&one.needs)).collect::<Vec<_>>(), [120; 3]);
    let stops: Vec<String> = needs.iter().map(|one| one.stops.join(" ")).collect();
    assert_eq!((stops[0].as_str(), stops[1].as_str()), ("", ""));
    assert!(stops[2].contains("the clinic is not open from 15:20 until 17:20"), "{stops:?}");

    // Ben sits in the same chair when Ana went home on the second day; on the third day a rule stops hers.
    let hold = |day: Day, course: &str, patient: &str, visits: Vec<Booked>| {
        let (course, patient) = (CourseId::new(course), PatientId::new(patient));
        let held = day.hold(&course, &patient, visits, 2, |at| at.to_string()).expect("free");
        day.evolve(&held)
    };
    for (n, others, why) in [
        (0, vec![], None),
        (1, vec![placed("1", "lee", mine[1].end, 60)], Some("Chair 1 is taken from 10:40 to 11:40")),
        (
            1,
            vec![placed("2", "kim", mine[1].end, 60), placed("3", "kim", mine[1].end, 60)],
            Some("kim, who may have 2 patients at once, is taken from 10:40"),
        ),
        (2, vec![], Some("the clinic is not open")),
    ] {
        let day = hold(Day::default(), "ana-1", "ana", vec![mine[n].clone()]);
        let day = (0..).zip(others).fold(day, |day, (which, other)| {
            hold(day, &format!("ben-{which}"), &format!("ben {which}"), vec![other])
        });
        let shown = |at| calendar.local(at).strftime("%H:%M").to_string();
        let (course, patient) = (CourseId::new("ana-1"), PatientId::new("ana"));
        let one = day.refit(&course, &patient, &needs[n..=n], 2, shown).remove(0);
        assert_eq!((one.start, one.chair.clone()), (mine[n].start, mine[n].chair.clone()));
        assert_eq!(lasts(&one), if why.is_none() { 120 } else { 100 }, "{one:?}");
        let told = one.must_move.clone().unwrap_or_default();
        assert!(why.map_or(told.is_empty(), |why| told.contains(why)), "{told}");

        // The plan goes back to the shorter infusion: nothing is to be moved any more.
        let back = refit(&over(40, "mdd_trd_std"), &[one], &calendar, &KNOWLEDGE);
        let back = day.refit(&course, &patient, &back, 2, shown).remove(0);
        assert_eq!((lasts(&back), back.must_move), (100, None));
    }
}

#[test]
fn another_regimen_moves_what_comes_too_soon_for_it_and_the_talk_that_an_infusion_runs_into() {
    let calendar = calendar(WEEKDAYS, &[]);
    let start = at(&calendar, date(2026, 12, 1), 8, 0);
    let soon = Asked {
        regimen: RuleId::new("mdd_trd_std"),
        last: Some(LastStart::At(start - SignedDuration::from_hours(20))),
        ..over(40, "pain_gen")
    };
    let before = Asked { regimen: RuleId::new("pain_gen"), ..soon.clone() };
    let mine = placed("1", "kim", start, 100);
    assert!(
        judge(&before, &[start], &calendar, &KNOWLEDGE).may_be_booked(),
        "twenty hours are enough for pain"
    );
    let stops = refit(&soon, std::slice::from_ref(&mine), &calendar, &KNOWLEDGE).remove(0).stops;
    assert!(stops.join(" ").contains("24 h"), "{stops:?}");

    let later = start + SignedDuration::from_mins(110);
    let therapist = Some(StaffId::new("ines"));
    let end = later + SignedDuration::from_mins(45);
    let talk = Booked { what: What::Integration, therapist, ..Booked::between(later, end) };
    let judged =
        |minutes| refit(&over(minutes, "mdd_trd_std"), &[talk.clone(), mine.clone()], &calendar, &KNOWLEDGE);
    assert_eq!(judged(40)[1].stops, Vec::<String>::new());
    let stops = judged(60)[1].stops.join(" ");
    assert!(stops.contains("Integration begins 01-Dec-2026 09:50; accepted is 01-Dec-2026 10:00"), "{stops}");
}

/// The first infusions of a series are watched for longer, and the third stays the third when it is booked anew.
#[test]
fn a_visit_that_is_booked_midway_is_as_long_as_its_place_in_the_series_says() {
    let calendar = calendar(WEEKDAYS, &[]);
    let start = at(&calendar, date(2026, 12, 1), 8, 0);
    let length = |before| {
        let asked = Asked { before, ..over(40, "mdd_trd_std") };
        let visit = judge(&asked, &[start], &calendar, &KNOWLEDGE).visits.remove(0);
        visit.end.duration_since(visit.start).as_mins()
    };
    assert_eq!([0, 1, 2].map(length), [120, 120, 100]);
}
