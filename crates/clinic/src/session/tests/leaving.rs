//! The way home: nothing is left undone unseen, and no drug stands in no account.

use super::*;
use crate::monitor::{Leftovers, Unfinished};
use std::collections::BTreeMap;

/// The last command of the scenario, with what the watch left undone and the words on it.
fn home(unfinished: &Leftovers, words: &[(Unfinished, &str)]) -> Command {
    let told = [
        "tolerates_fluids",
        "no_new_suicidal_thoughts",
        "escort_present",
        "instructions_given",
        "clinician_signs",
    ];
    let yes = crate::knowledge::gates::Answer::Yes(true);
    Command::Discharge {
        escort: "Sam Rivera".to_owned(),
        escort_phone: "+1 555 0100".to_owned(),
        answers: told.map(|fact| (fact.to_owned(), yes)).into_iter().collect(),
        instructions: "home-v1".to_owned(),
        unfinished: unfinished.clone(),
        words: words.iter().map(|(what, word)| (*what, (*word).to_owned())).collect(),
        signature: signed("kim", Role::Nurse),
    }
}

fn left(kinds: &[Unfinished]) -> Leftovers {
    kinds.iter().map(|kind| (*kind, vec![format!("one of the {}", kind.title())])).collect()
}

/// Just before home, with every side effect over.
fn at_the_door() -> Session {
    let mut session = before("left_unfinished");
    session.adverse_events.clear();
    session
}

/// When the scenario sends its patient home.
fn leaves() -> Timestamp {
    history().iter().find(|one| one.event.kind() == "discharged").expect("it ends at home").at
}

fn go(session: &Session, command: Command) -> Result<Vec<Event>, Refusal> {
    decide(session, command, &nurse("kim"), leaves(), knowledge())
}

/// Hazard 42: a check that was missed, an alarm that nobody answered, a side effect that is open.
#[test]
fn nobody_goes_home_past_what_is_unfinished_without_a_word_on_each_kind() {
    use Unfinished::{MissedChecks, OpenSideEffects, UnansweredAlarms};
    let mut session = at_the_door();
    assert!(matches!(go(&session, home(&Leftovers::new(), &[])).as_deref(), Ok([Event::Discharged { .. }])));
    session.adverse_events.push((
        AdverseEvent {
            number: 99,
            playbook: RuleId::new("headache"),
            version: 1,
            grade: 1,
            serious: false,
            began_at: start(),
            text: String::new(),
        },
        None,
    ));
    let watched = left(&[MissedChecks, UnansweredAlarms]);
    let words = [
        (MissedChecks, "cuff moved to the left arm"),
        (UnansweredAlarms, "seen at the chair"),
        (OpenSideEffects, "mild, going"),
    ];
    for missing in Unfinished::ALL {
        let others: Vec<_> = words.iter().copied().filter(|(kind, _)| *kind != missing).collect();
        for none in [None, Some("."), Some(" ")] {
            let words: Vec<_> = others.iter().copied().chain(none.map(|dot| (missing, dot))).collect();
            let refusal = go(&session, home(&watched, &words)).expect_err("no word");
            assert!(
                matches!(&refusal, Refusal::Missing { field, .. } if *field == missing.field()),
                "{refusal}"
            );
        }
    }
    let events = go(&session, home(&watched, &words)).expect("each has its word");
    let told: BTreeMap<Unfinished, (Vec<String>, String)> = events
        .iter()
        .filter_map(|event| match event {
            Event::LeftUnfinished { what, items, word } => Some((*what, (items.clone(), word.clone()))),
            _ => None,
        })
        .collect();
    assert_eq!(told[&MissedChecks], (vec!["one of the missed checks".to_owned()], words[0].1.to_owned()));
    assert_eq!(told[&OpenSideEffects].0, ["Headache, grade 1"]);
    assert!(told.len() == 3 && matches!(events.last(), Some(Event::Discharged { .. })), "{events:?}");
}

/// Hazard 54: home comes after the last microgram.
#[test]
fn nobody_goes_home_while_drug_stands_in_no_account() {
    let balanced = at_the_door();
    let mut short = balanced.clone();
    let waste = short.waste.as_mut().expect("the rest was wasted");
    waste.wasted = Microlitres(waste.wasted.0 - 1_000);
    let refusal = go(&short, home(&Leftovers::new(), &[])).expect_err("a millilitre is missing");
    assert!(matches!(refusal, Refusal::BalanceOpen { difference: Micrograms(2_000), .. }), "{refusal}");
    let mut not_wasted = balanced;
    not_wasted.waste = None;
    let refusal = go(&not_wasted, home(&Leftovers::new(), &[])).expect_err("nobody saw the rest");
    assert!(matches!(refusal, Refusal::Missing { field: "waste", .. }), "{refusal}");
}
