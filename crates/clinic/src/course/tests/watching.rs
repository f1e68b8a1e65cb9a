//! Exposure and the checks that fall due by it.

use super::KNOWLEDGE;
use crate::course::checked::{known, may_accept, since_screening};
use crate::course::exposure::{Exposure, Known, checks, ledger, misuse, review, tolerance};
use crate::course::{Event, Judged, Recorded};
use crate::gate::{Assessment, Verdict};
use crate::knowledge::measure::{Mg, MgPerKg};
use jiff::civil::{Date, date};
use proptest::prelude::*;
use rust_decimal::Decimal;
use std::collections::BTreeMap;

fn infusion(on: Date, mg: i64, mg_per_kg: &str) -> Exposure {
    Exposure {
        mg: Some(Mg(Decimal::from(mg))),
        mg_per_kg: Some(MgPerKg(mg_per_kg.parse().expect("a number"))),
        ..Exposure::on(on)
    }
}

fn weekly(first: Date, count: usize) -> Vec<Exposure> {
    first.series(jiff::ToSpan::weeks(1)).take(count).map(|on| infusion(on, 40, "0.5")).collect()
}

/// Every check made on that day, nobody complains.
fn all_made(on: Date) -> BTreeMap<String, Known> {
    let ids = ["check_liver", "check_bladder", "check_cognition", "check_misuse", "check_pdmp"];
    let known = Known { last_done: Some(on), judged: Judged::WithinLimits, ..Known::default() };
    ids.into_iter().map(|id| (id.to_owned(), known.clone())).collect()
}

fn held(found: &Assessment) -> Vec<&str> {
    found.blocking().map(|finding| finding.rule.as_str()).collect()
}

#[test]
fn the_ledger_adds_up_and_never_takes_an_unknown_dose_for_none() {
    let mut given = weekly(date(2025, 1, 6), 4);
    given.extend(weekly(date(2026, 6, 1), 6));
    given.push(Exposure { elsewhere: true, ..Exposure::on(date(2026, 5, 1)) });
    let had = ledger(&given, date(2026, 7, 6));
    assert_eq!((had.lifetime.infusions, had.twelve_months.infusions), (11, 7));
    assert_eq!((had.lifetime.mg, had.twelve_months.mg), (Some(Decimal::from(400)), Some(Decimal::from(240))));
    assert_eq!((had.twelve_months.elsewhere, had.twelve_months.unknown_doses), (1, 1));
    assert_eq!(had.twelve_months.mg_per_kg, Some(Decimal::from(3)));
    assert_eq!(had.twelve_months.by_weight(), "at least 3 mg/kg");
    let alone = ledger(&given[10..], date(2026, 7, 6)).lifetime;
    assert_eq!((alone.mg, alone.mg_per_kg), (None, None), "unknown, and never nothing");
    assert_eq!((alone.mass(), alone.by_weight()), ("not known".to_owned(), "not known".to_owned()));
    let by_mass = Exposure { mg: Some(Mg(Decimal::from(40))), ..Exposure::on(date(2026, 5, 1)) };
    let half = ledger(&[by_mass], date(2026, 7, 6)).lifetime;
    assert_eq!((half.mass(), half.by_weight()), ("40 mg".to_owned(), "not known".to_owned()));
    let none = ledger(&[], date(2026, 7, 6)).lifetime;
    assert_eq!(
        (none.mass(), none.by_weight()),
        ("0 mg".to_owned(), "0 mg/kg".to_owned()),
        "nothing was given"
    );
    assert_eq!(ledger(&given, date(2025, 1, 20)).lifetime.infusions, 3, "nothing after the day");
    let told = review(&given, date(2026, 7, 6), &KNOWLEDGE);
    assert!(
        told.findings.iter().any(|found| found.reason.contains("1 infusions of an unknown dose")),
        "{told:?}"
    );
}

#[test]
fn a_new_patient_is_checked_first_and_a_checked_one_is_not_held() {
    let first = date(2026, 3, 2);
    let told = checks(&[], first, &BTreeMap::new(), &KNOWLEDGE);
    assert_eq!(held(&told), ["check_bladder", "check_liver", "check_misuse", "check_pdmp"]);
    assert_eq!(held(&checks(&[], first, &all_made(date(2026, 2, 20)), &KNOWLEDGE)), Vec::<&str>::new());
}

/// Hazard 161: a check whose findings the screening has seen falls due from their day on, and a result that holds stays.
#[test]
fn what_the_screening_has_seen_is_the_first_of_a_check_and_clears_nothing() {
    let seen = || BTreeMap::from([("check_liver".to_owned(), date(2026, 2, 20))]);
    let held_on = |day, known| held(&checks(&[], day, &known, &KNOWLEDGE)).contains(&"check_liver");
    assert!(held_on(date(2026, 3, 2), BTreeMap::new()), "never made");
    assert!(!held_on(date(2026, 3, 2), since_screening(BTreeMap::new(), seen())));
    assert!(
        held_on(date(2026, 5, 21), since_screening(BTreeMap::new(), seen())),
        "three months after its day"
    );
    let stopped = Known { last_done: Some(date(2026, 2, 1)), judged: Judged::Stop, ..Known::default() };
    let known = BTreeMap::from([("check_liver".to_owned(), stopped)]);
    assert!(held_on(date(2026, 3, 2), since_screening(known, seen())));
}

/// Hazard 139: that a check was made is not that it was well.
#[test]
fn a_check_made_in_time_holds_by_what_it_found() {
    for judged in [Judged::NotJudged, Judged::WithinLimits, Judged::LookAt, Judged::Stop] {
        let mut made = all_made(date(2026, 2, 20));
        let liver = made.get_mut("check_liver").expect("listed");
        (liver.judged, liver.result) = (judged, "ALT 8 x ULN".to_owned());
        let told = checks(&[], date(2026, 3, 2), &made, &KNOWLEDGE);
        assert_eq!(held(&told) == ["check_liver"], judged.holds(), "{judged:?}");
        let says = told.findings.iter().any(|one| one.reason.contains("ALT 8 x ULN"));
        assert_eq!(says, judged.holds());
    }
}

/// Hazard 147: what a result stopped, no hand but a prescriber's lets go on.
#[test]
fn a_milder_result_waits_for_a_prescriber_and_a_graver_one_counts_at_once() {
    use crate::id::{RuleId, StaffId};
    use crate::staff::{Role, Signature};
    let at: jiff::Timestamp = "2026-03-02T09:00:00Z".parse().expect("a time");
    let entry = |event| Recorded { version: 1, at, by: StaffId::new("kim"), event };
    let made = |day, result: &str, judged| {
        let check = RuleId::new("check_liver");
        entry(Event::CheckMade { check, on: date(2026, 3, day), result: result.to_owned(), judged })
    };
    let accepted = |day, result: &str| {
        let (meaning, reason) = ("I accept".to_owned(), "repeated in another laboratory".to_owned());
        let signature = Signature { by: StaffId::new("osei"), role: Role::Prescriber, at, meaning };
        let (check, result) = (RuleId::new("check_liver"), result.to_owned());
        entry(Event::ResultAccepted { check, on: date(2026, 3, day), result, reason, signature })
    };
    let (fine, look, stop) = (Judged::WithinLimits, Judged::LookAt, Judged::Stop);
    let bad = || made(2, "ALT 8 x ULN", stop);
    let well = || made(4, "ALT 1 x ULN", fine);
    for (history, stands, waits) in [
        (vec![bad(), well()], stop, true),
        (vec![bad(), made(2, "ALT 1 x ULN", fine)], stop, true),
        (vec![bad(), made(4, "ALT 2 x ULN", look)], stop, true),
        (vec![bad(), made(4, "not asked", Judged::NotJudged)], stop, true),
        (vec![made(2, "ALT 2 x ULN", look), well()], look, true),
        (vec![bad(), well(), accepted(4, "ALT 1 x ULN")], fine, false),
        (vec![bad(), well(), accepted(4, "another result")], stop, true),
        (vec![bad(), well(), made(5, "ALT 9 x ULN", stop), accepted(4, "ALT 1 x ULN")], stop, false),
        (vec![well(), made(5, "ALT 2 x ULN", look)], look, false),
        (vec![made(2, "ALT 2 x ULN", look), made(4, "ALT 8 x ULN", stop)], stop, false),
        (vec![well(), made(2, "an old one", stop)], fine, false),
    ] {
        let known = known(&history, &crate::scale::questionnaire::Questionnaires::default(), &KNOWLEDGE);
        let liver = &known["check_liver"];
        assert_eq!((liver.judged, liver.newer.is_some()), (stands, waits), "{history:?}");
        let told = checks(&[], date(2026, 3, 7), &known, &KNOWLEDGE);
        assert_eq!(held(&told).contains(&"check_liver"), stands.holds(), "{told:?}");
        let says = told.findings.iter().any(|one| one.reason.contains("waits for a prescriber"));
        assert_eq!(says, waits, "{told:?}");
    }
    let waiting = known(&[bad(), well()], &Default::default(), &KNOWLEDGE);
    let asks = |day, result| may_accept(&waiting, &RuleId::new("check_liver"), (date(2026, 3, day), result));
    assert_eq!(asks(4, "ALT 1 x ULN"), Ok(()));
    assert!(
        asks(4, "ALT 2 x ULN").expect_err("another").to_string().contains("the newest one, of 2026-03-04")
    );
    let none = may_accept(&waiting, &RuleId::new("check_bladder"), (date(2026, 3, 4), "clear"));
    assert_eq!(none.expect_err("nothing waits").field(), "check");
}

/// Hazard 140: what a patient answered about the bladder holds until the check is made, and no check from before it
/// lets it go.
#[test]
fn an_answer_holds_until_the_check_that_was_made_because_of_it() {
    use crate::scale::Given;
    use crate::scale::questionnaire::{Entry, Questionnaires, enter};
    let at = |text: &str| -> jiff::Timestamp { text.parse().expect("a time") };
    let answered = |answers: &str, when: &str| {
        let item = KNOWLEDGE.scale("bladder_questions").expect("shipped");
        let given = Given::answers(item, answers).expect("four answers");
        let entry = Entry { given, at: at(when), form: String::new(), corrects: None };
        let none = Questionnaires::default();
        let event =
            enter(&none, item, &crate::id::QuestionnaireId::new("q1"), entry, at(when)).expect("scored");
        none.evolve(&event, &crate::id::StaffId::new("kim"), at(when))
    };
    let made = |on, when: &str| {
        let event = Event::CheckMade {
            check: crate::id::RuleId::new("check_bladder"),
            on,
            result: "clear".to_owned(),
            judged: Judged::WithinLimits,
        };
        Recorded { version: 1, at: at(when), by: crate::id::StaffId::new("kim"), event }
    };
    let before = made(date(2026, 3, 1), "2026-03-01T09:00:00Z");
    let after = made(date(2026, 3, 6), "2026-03-06T09:00:00Z");
    let late_note_of_an_old_one = made(date(2026, 3, 1), "2026-03-06T09:00:00Z");
    let hurts = answered("y,n,n,n", "2026-03-05T09:00:00Z");
    let well = answered("n,n,n,n", "2026-03-05T09:00:00Z");
    for (history, answers, holds) in [
        (vec![before.clone()], &well, false),
        (vec![before.clone()], &hurts, true),
        (vec![], &hurts, true),
        (vec![before.clone(), late_note_of_an_old_one], &hurts, true),
        (vec![before, after], &hurts, false),
    ] {
        let known = known(&history, answers, &KNOWLEDGE);
        let complains = known.get("check_bladder").is_some_and(|one| one.complaint);
        assert_eq!(complains, holds, "{history:?}");
        let told = checks(&[], date(2026, 3, 7), &known, &KNOWLEDGE);
        assert_eq!(told.findings.iter().any(|one| one.reason.contains("complaint")), holds);
    }
}

#[test]
fn checks_fall_due_by_exposure_before_they_hold() {
    let made = all_made(date(2026, 3, 1));
    let verdicts: Vec<Verdict> = (0..6_usize)
        .map(|n| {
            let given = weekly(date(2026, 3, 2), n);
            let on = date(2026, 3, 2)
                .checked_add(jiff::ToSpan::weeks(i64::try_from(n).expect("few")))
                .expect("a day");
            checks(&given, on, &made, &KNOWLEDGE).verdict()
        })
        .collect();
    let (pass, warn, hold) = (Verdict::Pass, Verdict::Warn, Verdict::Hold);
    assert_eq!(verdicts, [pass, pass, pass, warn, hold, hold], "the bladder every four infusions");
}

#[test]
fn two_signs_of_misuse_ask_for_a_review_and_an_unasked_one_holds() {
    let rule = KNOWLEDGE.long_term.get("misuse_signals").expect("shipped");
    let crate::knowledge::long_term::LongTerm::Signals(signals) = &rule.body else { panic!("signals") };
    let mut seen: BTreeMap<String, bool> =
        signals.signals.iter().map(|one| (one.id.clone(), false)).collect();
    assert_eq!(misuse(&seen, &KNOWLEDGE).verdict(), Verdict::Pass);
    seen.insert("intoxicated".to_owned(), true);
    assert_eq!(misuse(&seen, &KNOWLEDGE).verdict(), Verdict::Info);
    seen.insert("early_requests".to_owned(), true);
    assert_eq!(misuse(&seen, &KNOWLEDGE).verdict(), Verdict::Hold);
    seen.clear();
    assert_eq!(misuse(&seen, &KNOWLEDGE).findings.len(), signals.signals.len());
}

#[test]
fn the_effect_wears_off_sooner_only_at_the_same_dose() {
    let days = [date(2026, 1, 5), date(2026, 2, 2), date(2026, 2, 21), date(2026, 3, 6)];
    let at = |doses: [&str; 4]| -> Vec<Exposure> {
        days.into_iter().zip(doses).map(|(on, dose)| infusion(on, 40, dose)).collect()
    };
    assert_eq!(tolerance(&at(["0.5", "0.5", "0.5", "0.6"]), &KNOWLEDGE).verdict(), Verdict::Warn);
    assert_eq!(
        tolerance(&at(["0.5", "0.5", "0.5", "0.4"]), &KNOWLEDGE).verdict(),
        Verdict::Pass,
        "a lower dose"
    );
    let mut unknown = at(["0.5", "0.5", "0.5", "0.5"]);
    unknown[3].mg_per_kg = None;
    assert_eq!(tolerance(&unknown, &KNOWLEDGE).verdict(), Verdict::Hold);
}

proptest! {
    /// The twelve months are part of the life, the order of entry does not matter, and one infusion more never takes a
    /// finding of a check away.
    #[test]
    fn more_exposure_is_never_judged_milder(days in prop::collection::vec(0_i64..500, 0..40), more in 0_i64..500) {
        let day = |days: i64| date(2025, 1, 1).checked_add(jiff::ToSpan::days(days)).expect("a day");
        let on = day(500);
        let mut given: Vec<Exposure> = days.iter().map(|days| infusion(day(*days), 40, "0.5")).collect();
        let had = ledger(&given, on);
        prop_assert!(had.twelve_months.infusions <= had.lifetime.infusions);
        prop_assert!(had.twelve_months.mg <= had.lifetime.mg);
        let made = all_made(day(450));
        let before = checks(&given, on, &made, &KNOWLEDGE).verdict();
        given.insert(0, infusion(day(more), 40, "0.5"));
        prop_assert!(checks(&given, on, &made, &KNOWLEDGE).verdict() >= before);
        let more_had = ledger(&given, on);
        given.reverse();
        prop_assert_eq!(ledger(&given, on), more_had);
    }
}
