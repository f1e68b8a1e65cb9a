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
    Wore { infusion: on(0), held: on(held_d), lost: on(held_d + lost_d), unanswered: false }
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

/// Hazard 131: who did not answer has not lost the response on the day after the last answer.
#[test]
fn a_missing_answer_is_never_taken_for_an_early_loss() {
    let gap = Wore { unanswered: true, ..wore(1, 26) };
    for (own, ladder_d, latest) in [
        (vec![gap], Some(21), 21),
        (vec![gap, wore(16, 9)], Some(21), 16),
        (vec![wore(16, 9), gap], None, 16),
    ] {
        assert_eq!(days(&at(ladder_d, &own)).map(|(_, to)| to), Some(after(latest)), "{own:?}");
    }
    let told = |ladder_d, own: &[Wore]| {
        let advice = booster(&at(ladder_d, own), &KNOWLEDGE).expect("advice");
        format!("{}\n{}", advice.suggestion, advice.working.join("\n"))
    };
    let unchanged = told(Some(21), &[gap]);
    for words in [
        "held between 1 and 27 days: it held on 2026-03-02 and was lost by 2026-03-28",
        "what was due in between was not answered",
        "21 days by the ladder, unchanged: for how long a response holds is not known",
    ] {
        assert!(unchanged.contains(words), "{words}: {unchanged}");
    }
    let unknown = told(None, &[gap]);
    assert!(unknown.contains("known: for how long a response holds") && unknown.contains("1 and 27 days"));
    assert_eq!(booster(&Boosting { booked: Some(after(16)), ..at(None, &[gap]) }, &KNOWLEDGE), None);
    let known = told(Some(21), &[wore(1, 6)]);
    assert!(known.contains("(1 day) and was lost") && known.contains("it held 1 day; 7 days is"), "{known}");
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
        held in prop::collection::vec((0..90_u32, any::<bool>()), 0..5),
        passed in 0..120_u32,
    ) {
        let own: Vec<Wore> =
            held.iter().map(|(held, unanswered)| Wore { unanswered: *unanswered, ..wore(*held, 4) }).collect();
        let held: Vec<u32> = held.iter().filter(|(_, unanswered)| !unanswered).map(|(held, _)| *held).collect();
        let today = after(passed);
        let found = days(&Boosting { today, ..at(ladder, &own) });
        prop_assert_eq!(found.is_some(), ladder.is_some() || !held.is_empty());
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
