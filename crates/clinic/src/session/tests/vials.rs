//! What is left in the vials is measured by somebody, and adds up with label and draws.

use super::*;
use crate::id::VialId;

/// What label and draw leave of 10 mL, in microlitres, and the overfill that such a vial may have.
const LEFT: i64 = 9_180;
const OVERFILL: i64 = 500;

fn waste(left_in_vials: &[(&str, i64)], explanation: Option<&str>) -> Command {
    Command::Waste {
        wasted: Microlitres(5_000),
        residual_in_line: Microlitres(100),
        left_in_vials: left_in_vials
            .iter()
            .map(|(vial, left)| (VialId::new(*vial), Microlitres(*left)))
            .collect(),
        vial_fate: VialFate::Returned,
        explanation: explanation.map(str::to_owned),
        witness: signed("lee", Role::Nurse),
    }
}

fn ask(session: &Session, command: Command) -> Result<Vec<Event>, Refusal> {
    decide(session, command, &nurse("kim"), at(3_120), knowledge())
}

fn went_on(session: Session, events: Vec<Event>) -> Session {
    events.into_iter().fold(session, |session, event| take(session, event, 3_120))
}

proptest! {
    /// Hazard 54: whatever was measured, the vial settles nothing until it adds up or somebody says why; what is more
    /// than the label says is no drug of the record.
    #[test]
    fn a_vial_settles_nothing_until_what_is_left_adds_up(left in -500_i64..12_000, explain in any::<bool>()) {
        let session = before("drug_wasted");
        let answer = ask(&session, waste(&[("v1", left)], explain.then_some("a drop was spilled")));
        if !(0..=10_000 + OVERFILL).contains(&left) {
            let refused = matches!(answer, Err(Refusal::OutOfRange { field: "left_in_vials", .. }));
            prop_assert!(refused, "{}: {:?}", left, answer);
            return Ok(());
        }
        let events = answer.expect("it is told");
        let told = matches!(&events[..], [Event::WasteDiffered { .. }]);
        prop_assert_eq!(told, !explain && !(LEFT..=LEFT + OVERFILL).contains(&left), "{}: {:?}", left, events);
        let after = went_on(session, events);
        prop_assert_eq!(after.rest_is_open(), told);
        let accounts = Balance::of(&after, at(3_600));
        if !told {
            let measured = crate::quantity::mass_in(Microlitres(left), Concentration(50_000));
            prop_assert_eq!(accounts.left.plus(accounts.overfill), measured);
            prop_assert_eq!(accounts.drawn.plus(accounts.left).plus(accounts.vials_explained), accounts.vial);
            prop_assert!(accounts.closed() && accounts.overfill >= Micrograms::ZERO, "{:?}", accounts);
        }
    }
}

/// Hazard 54: nobody attests what nobody measured, of a vial that was opened and of no other.
#[test]
fn every_opened_vial_is_measured_and_no_other() {
    let mut session = before("drug_wasted");
    let refusal = ask(&session, waste(&[], Some("it looked right"))).expect_err("nobody measured");
    assert!(matches!(refusal, Refusal::Missing { field: "left_in_vials", .. }), "{refusal}");
    assert!(refusal.to_string().contains("lot A1") && !refusal.to_string().contains("9.18"), "{refusal}");
    let refusal = ask(&session, waste(&[("v1", LEFT), ("v2", 10_000)], None)).expect_err("nobody opened it");
    assert!(matches!(refusal, Refusal::Unknown { field: "left_in_vials", .. }), "{refusal}");
    let sealed = ScannedVial { vial: VialId::new("v2"), ..session.vials[0].clone() };
    session = take(session, Event::VialScanned(sealed), 3_000);
    let events = ask(&session, waste(&[("v1", LEFT)], None)).expect("the other one is sealed");
    let accounts = Balance::of(&went_on(session, events), at(3_600));
    assert_eq!((accounts.unopened, accounts.left), (Micrograms(500_000), Micrograms(459_000)));
    assert!(accounts.closed(), "{accounts:?}");
}

/// Waste of before the vials were measured stays readable: the draws say what was left, and nobody says it was measured.
#[test]
fn waste_of_before_the_vials_were_measured_stands_as_it_was() {
    let line = include_str!("../../../tests/history/session.jsonl");
    let old = line.lines().find(|line| line.contains("drug_wasted")).expect("an old line");
    let session = take(before("drug_wasted"), serde_json::from_str(old).expect("it reads"), 3_120);
    let waste = session.waste.as_ref().expect("wasted");
    let accounts = Balance::of(&session, at(3_600));
    assert!(waste.vials.is_empty() && accounts.closed(), "{accounts:?}");
    assert_eq!((accounts.left, accounts.vials_explained), (Micrograms(459_000), Micrograms::ZERO));
}

/// Hazard 54: a vial that is short stays short on the way home, however it got into the log.
#[test]
fn nobody_goes_home_past_a_vial_that_does_not_add_up() {
    let mut short = before("discharged");
    let waste = short.waste.as_mut().expect("wasted");
    waste.vials[0].left = Microlitres(LEFT - 1_000);
    let accounts = Balance::of(&short, at(3_600));
    assert_eq!((accounts.open(), accounts.open_in_vials()), (Micrograms::ZERO, Micrograms(50_000)));
    assert!(!accounts.closed());
}

/// A syringe was thrown away and the visit ends: the opened vial is still measured, and then it may end.
#[test]
fn a_visit_whose_syringe_was_thrown_away_ends_once_the_vial_is_measured() {
    let drawn = before("infusion_started");
    let discard = Command::DiscardDrawn {
        reason: "the patient leaves".to_owned(),
        witness: signed("lee", Role::Nurse),
    };
    let events = ask(&drawn, discard).expect("thrown away");
    let session = went_on(drawn, events);
    let leave = || Command::Cancel { reason: "not today".to_owned() };
    let refusal = ask(&session, leave()).expect_err("nobody measured the vial");
    assert!(matches!(refusal, Refusal::Missing { field: "waste", .. }), "{refusal}");
    let Command::Waste { left_in_vials, vial_fate, explanation, witness, .. } = waste(&[("v1", LEFT)], None)
    else {
        unreachable!()
    };
    let nothing = Microlitres(0);
    let rest = Command::Waste {
        wasted: nothing,
        residual_in_line: nothing,
        left_in_vials,
        vial_fate,
        explanation,
        witness,
    };
    let events = ask(&session, rest).expect("measured");
    let session = went_on(session, events);
    assert!(matches!(ask(&session, leave()).as_deref(), Ok([Event::SessionCancelled { .. }])));
}

/// A vial of the lot of the visit, as scanned.
fn scanned(name: &str, lot: &str, expires: jiff::civil::Date) -> ScannedVial {
    ScannedVial {
        vial: VialId::new(name),
        ndc: "42023-113-10".to_owned(),
        lot: lot.to_owned(),
        expires,
        strength: Concentration(50_000),
        volume: Microlitres(10_000),
        read_as: None,
    }
}

/// Hazard 99: one vial under the scanner twice is not two; a label that differs asks nothing.
#[test]
fn a_label_that_was_scanned_before_asks_whether_it_is_another_vial() {
    let session = before("drawn");
    let scan = |vial: ScannedVial, another| {
        ask(&session, Command::ScanVial { vial, today: date(2026, 3, 2), another })
    };
    let expires = date(2027, 1, 31);
    for (ndc, lot) in [("42023-113-10", "A1"), ("4202311310", " a1 ")] {
        let vial = ScannedVial { ndc: ndc.to_owned(), ..scanned("v2", lot, expires) };
        let refusal = scan(vial.clone(), false).expect_err("it may be the same");
        assert_eq!(refusal.field(), "another", "{refusal}");
        assert!(refusal.to_string().contains(": 1. Take the vials"), "{refusal}");
        assert_eq!(scan(vial.clone(), true), Ok(vec![Event::VialScanned(vial)]));
    }
    assert!(scan(scanned("v2", "A2", expires), false).is_ok());
    assert!(scan(scanned("v2", "A1", date(2027, 2, 28)), false).is_ok());
    assert!(scan(scanned("v1", "A1", expires), true).is_err(), "the very same by its own number");
}

proptest! {
    /// Hazard 99: nobody leaves while a scanned vial is in nobody's hands; once all went back before a witness, the
    /// balance is what it was without them.
    #[test]
    fn vials_that_were_not_opened_go_back_before_a_witness_or_nobody_leaves(more in 0_usize..5) {
        let mut session = before("drawn");
        for n in 0..more {
            session = take(session, Event::VialScanned(scanned(&format!("more-{n}"), "A1", date(2027, 1, 31))), 3_120);
        }
        prop_assert_eq!(session.unopened().len(), more + 1);
        let leave = || Command::Cancel { reason: "the patient feels unwell".to_owned() };
        let held = ask(&session, leave()).expect_err("vials are here").to_string();
        prop_assert!(held.contains("vials that were not opened"), "{}", held);
        let give_back = |by: &str| Command::ReturnVials { witness: signed(by, Role::Nurse) };
        let alone = ask(&session, give_back("kim"));
        prop_assert!(matches!(alone, Err(Refusal::SamePerson { .. })), "{:?}", alone);
        let events = ask(&session, give_back("lee")).expect("another person saw it");
        let after = went_on(session.clone(), events);
        prop_assert!(after.unopened().is_empty() && ask(&after, leave()).is_ok());
        prop_assert!(ask(&after, give_back("lee")).is_err(), "nothing is left to return");
        prop_assert_eq!(Balance::of(&after, at(3_600)), Balance::of(&session, at(3_600)));
        let (vial, diluted_to) = (VialId::new("v1"), Microlitres(20_500));
        let diluent = Some("sodium chloride 0.9 %".to_owned());
        let draw = Command::Draw { vial, stock: Microlitres(820), diluted_to, diluent };
        prop_assert!(ask(&session, draw.clone()).is_ok() && ask(&after, draw).is_err(), "it is in the safe");
    }
}
