//! Laws of the days that are suggested for a booster.

use super::KNOWLEDGE;
use crate::course::advice::Suggestion;
use crate::course::booster::{Boosting, Wore, booster};
use jiff::ToSpan;
use jiff::civil::{Date, date};
use proptest::prelude::*;

const LAST: Date = date(2026, 11, 2);
const SHORTEST_D: u32 = 7;

fn after(days: u32) -> Date {
    LAST.checked_add(i64::from(days).days()).expect("in range")
}

/// It held so many days after an infusion, and was seen lost so many days later.
fn wore(held_d: u32, lost_d: u32) -> Wore {
    let on = |days: u32| date(2026, 3, 1).checked_add(i64::from(days).days()).expect("in range");
    Wore { infusion: on(0), held: on(held_d), lost: on(held_d + lost_d) }
}

fn at(ladder_d: Option<u32>, wore: &[Wore]) -> Boosting<'_> {
    Boosting { today: LAST, last: Some(LAST), response: Some(true), ladder_d, wore, booked: None }
}

fn days(at: &Boosting) -> Option<(Date, Date)> {
    match booster(at, &KNOWLEDGE)?.suggestion {
        Suggestion::BookBetween { from, to } => Some((from, to)),
        _ => None,
    }
}

#[test]
fn a_booster_is_suggested_before_the_day_on_which_the_response_wore_off_before() {
    assert_eq!(days(&at(Some(21), &[])), Some((after(21), after(21))), "by the ladder");
    let own = [wore(30, 5), wore(16, 9)];
    assert_eq!(
        days(&at(Some(21), &own)),
        Some((after(14), after(16))),
        "from the rung below to the last day it held"
    );
    assert_eq!(days(&at(Some(14), &own)), Some((after(14), after(14))), "the ladder comes first");
    assert_eq!(days(&at(None, &own)), Some((after(14), after(16))), "as needed, and it is known when");
    assert_eq!(
        days(&at(Some(21), &[wore(2, 40)])),
        Some((after(7), after(7))),
        "never below the shortest interval"
    );
    let told = booster(&at(Some(21), &own), &KNOWLEDGE).expect("advice");
    assert_eq!(told.rule.as_str(), "maintenance");
    assert!(
        told.working
            .iter()
            .any(|step| step.contains("held on 2026-03-17 (16 days) and was lost by 2026-03-26"))
    );
}

#[test]
fn nothing_is_suggested_without_a_response_to_keep_or_where_one_is_booked_in_time() {
    let own = [wore(16, 9)];
    let one = at(Some(21), &own);
    assert_eq!(booster(&Boosting { response: Some(false), ..one }, &KNOWLEDGE), None);
    assert_eq!(booster(&at(None, &[]), &KNOWLEDGE), None);
    assert_eq!(booster(&Boosting { booked: Some(after(16)), ..one }, &KNOWLEDGE), None);
    let late = booster(&Boosting { booked: Some(after(17)), ..one }, &KNOWLEDGE).expect("advice");
    assert!(late.working.iter().any(|step| step.contains("after it")), "{late:?}");
    for unknown in [Boosting { response: None, ..one }, Boosting { last: None, ..one }] {
        let said = booster(&unknown, &KNOWLEDGE).expect("advice").suggestion;
        assert!(matches!(said, Suggestion::Answer { .. }), "{said:?}");
    }
}

proptest! {
    #[test]
    fn the_last_day_is_never_later_than_ladder_or_own_loss_and_no_day_is_over(
        ladder in prop::option::of(1..60_u32),
        held in prop::collection::vec(0..90_u32, 0..5),
        passed in 0..120_u32,
    ) {
        let own: Vec<Wore> = held.iter().map(|held| wore(*held, 4)).collect();
        let today = after(passed);
        let found = days(&Boosting { today, ..at(ladder, &own) });
        prop_assert_eq!(found.is_some(), ladder.is_some() || !own.is_empty());
        if let Some((from, to)) = found {
            prop_assert!(today <= from && from <= to);
            let latest = ladder.into_iter().chain(held.iter().map(|held| (*held).max(SHORTEST_D))).min();
            prop_assert!(to <= after(latest.expect("one of both")).max(today));
        }
        // One more loss never moves the last day later.
        let more: Vec<Wore> = own.iter().copied().chain([wore(10, 4)]).collect();
        let earlier = days(&Boosting { today, ..at(ladder, &more) }).expect("a loss is known");
        prop_assert!(found.is_none_or(|(_, to)| earlier.1 <= to));
    }
}
