//! What is learnt between infusions: it counts, it can be struck, and it holds.

use super::KNOWLEDGE;
use crate::course::between::{Between, Elsewhere, Event, Refusal, decide, signs};
use crate::course::exposure::ledger;
use crate::gate::Verdict;
use crate::id::StaffId;
use crate::staff::{Actor, Role};
use jiff::civil::{Date, date};
use rust_decimal::Decimal;

const BORN: Date = date(1984, 3, 12);
const TODAY: Date = date(2026, 11, 22);

fn nurse() -> Actor {
    Actor { id: StaffId::new("kim"), role: Role::Nurse }
}

fn given(on: Date, mg: Option<i64>) -> Event {
    let words = "IV ketamine at another clinic, by their letter".to_owned();
    Event::TreatedElsewhere(Elsewhere { on, mg: mg.map(Decimal::from), mg_per_kg: None, words })
}

fn asked(seen: &[(&str, bool)]) -> Event {
    let seen = seen.iter().map(|(sign, is)| ((*sign).to_owned(), *is)).collect();
    Event::SignsAsked { on: TODAY, seen }
}

fn noted(events: impl IntoIterator<Item = Event>) -> Between {
    events.into_iter().fold(Between::default(), |all, event| {
        let event = decide(&all, event, &nurse(), (BORN, TODAY), &KNOWLEDGE).expect("taken");
        all.evolve(&event)
    })
}

#[test]
fn treatment_elsewhere_counts_until_it_is_struck() {
    let mut all = noted([given(date(2026, 10, 1), Some(40)), given(date(2026, 10, 8), None)]);
    let had = ledger(&all.exposures(), TODAY).lifetime;
    assert_eq!((had.infusions, had.elsewhere, had.mg, had.unknown_doses), (2, 2, Some(Decimal::from(40)), 1));
    let strike = Event::ElsewhereStruck { entry: 1, reason: "another patient's letter".to_owned() };
    let struck = decide(&all, strike.clone(), &nurse(), (BORN, TODAY), &KNOWLEDGE).expect("taken");
    all = all.evolve(&struck);
    assert_eq!(ledger(&all.exposures(), TODAY).lifetime.infusions, 1);
    assert_eq!(decide(&all, strike, &nurse(), (BORN, TODAY), &KNOWLEDGE), Err(Refusal::NoEntry { entry: 1 }));
}

#[test]
fn two_signs_hold_and_one_that_nobody_asked_is_missing() {
    assert!(noted([]).review(&KNOWLEDGE).is_none());
    assert_eq!(noted([]).misuse(&KNOWLEDGE).verdict(), Verdict::Hold, "nobody asked");
    let none: Vec<(&str, bool)> = signs(&KNOWLEDGE).map(|(id, _)| (id.as_str(), false)).collect();
    assert_eq!(noted([asked(&none)]).misuse(&KNOWLEDGE).verdict(), Verdict::Pass);
    let one = [("early_requests", true)];
    assert!(noted([asked(&none), asked(&one)]).review(&KNOWLEDGE).is_none());
    let two = noted([asked(&none), asked(&one), asked(&[("intoxicated", true)])]);
    assert!(two.review(&KNOWLEDGE).expect("a review").reason.contains("Signs of misuse 2"));
    let later = two.evolve(&asked(&[("intoxicated", false)]));
    assert!(later.review(&KNOWLEDGE).is_none(), "the last answer counts");
}

#[test]
fn what_cannot_be_is_refused_with_its_field() {
    let refused =
        |event| decide(&Between::default(), event, &nurse(), (BORN, TODAY), &KNOWLEDGE).expect_err("refused");
    assert_eq!(refused(given(date(2026, 11, 23), None)).field(), "on");
    assert_eq!(refused(given(date(1984, 3, 11), None)).field(), "on");
    assert_eq!(refused(given(TODAY, Some(0))).field(), "mg");
    let silent = Elsewhere { on: TODAY, mg: None, mg_per_kg: None, words: " ".to_owned() };
    assert_eq!(refused(Event::TreatedElsewhere(silent)).field(), "words");
    assert_eq!(refused(asked(&[])), Refusal::NoSign);
    assert_eq!(refused(asked(&[("tarot", true)])).field(), "tarot");
    for role in [Role::FrontDesk, Role::Owner, Role::Machine] {
        let actor = Actor { role, ..nurse() };
        let answer = decide(&Between::default(), given(TODAY, None), &actor, (BORN, TODAY), &KNOWLEDGE);
        assert_eq!(answer, Err(Refusal::Role(role)));
    }
}
