//! The independent second check: each thing is entered before anything is shown, and each difference is told.

use super::*;
use crate::id::VialId;

fn drawn() -> Session {
    before("second_check_agreed")
}

/// What a second person has who reads and works it out right.
fn right(session: &Session) -> SecondReading {
    let (order, _) = session.order.as_ref().expect("an order");
    let vials = session.drawn_from().into_iter().map(|(vial, drawn)| VialReading {
        drug: "Ketamine".to_owned(),
        strength: vial.strength,
        drawn,
    });
    SecondReading {
        identified: Identified { by: "1984-03-12".to_owned(), agrees: true },
        vials: vials.collect(),
        diluent: "sodium chloride 0.9 %".to_owned(),
        volume: session.counter_max(),
        dose_weight: order.dose_weight,
        dose: order.dose,
        rate: order.rate,
        vtbi: order.vtbi,
    }
}

fn check(session: &Session, read: SecondReading) -> Result<Vec<Event>, Refusal> {
    let command = Command::SecondCheck { signature: signed("lee", Role::Nurse), read: Some(Box::new(read)) };
    decide(session, command, &nurse("lee"), at(590), knowledge())
}

fn differs(session: &Session, read: SecondReading) -> Vec<Difference> {
    match check(session, read).expect("it is recorded").as_slice() {
        [Event::SecondCheckAgreed { .. }] => Vec::new(),
        [Event::SecondCheckDisagreed { differs, .. }] => differs.clone(),
        other => panic!("{other:?}"),
    }
}

/// Hazard 02: whatever the second person has differently is named with both sides, is recorded and checks nothing,
/// not even what an earlier check had checked.
#[test]
fn each_difference_of_a_second_check_is_named_and_checks_nothing() {
    type Slip = fn(&mut SecondReading);
    let slips: [(&str, &str, &str, Slip); 10] = [
        ("identifier", "004218", "the patient of this visit", |read| {
            read.identified = Identified { by: "004218".to_owned(), agrees: false };
        }),
        ("drug_1", "esketamine", "ketamine", |read| read.vials[0].drug = "esketamine".to_owned()),
        ("strength_1", "100 mg/mL", "50 mg/mL", |read| read.vials[0].strength = Concentration(100_000)),
        ("drawn_1", "8.2 mL", "0.82 mL", |read| read.vials[0].drawn = Microlitres(8_200)),
        ("diluent", "glucose 5 %", "sodium chloride 0.9 %", |read| read.diluent = "glucose 5 %".to_owned()),
        ("volume", "25 mL", "20.5 mL", |read| read.volume = Microlitres(25_000)),
        ("dose_weight", "180.8 kg", "82 kg", |read| read.dose_weight = Weight(180_800)),
        ("dose", "410 mg", "41 mg", |read| read.dose = Micrograms(410_000)),
        ("rate", "31 mL/h", "30.8 mL/h", |read| read.rate = Rate(31_000)),
        ("vtbi", "205 mL", "20.5 mL", |read| read.vtbi = Microlitres(205_000)),
    ];
    let session = drawn();
    assert_eq!(differs(&session, right(&session)), []);
    let checked = before("infusion_started");
    for (field, has, prepared, slip) in slips {
        let mut read = right(&checked);
        slip(&mut read);
        let events = check(&checked, read.clone()).expect("it is recorded");
        let [Event::SecondCheckDisagreed { read: kept, differs, .. }] = events.as_slice() else {
            panic!("{field}: {events:?}")
        };
        assert_eq!(*kept, read);
        let [one] = differs.as_slice() else { panic!("{field}: {differs:?}") };
        assert_eq!((one.field.as_str(), one.read.as_str(), one.prepared.as_str()), (field, has, prepared));
        let after = events.into_iter().fold(checked.clone(), |session, event| take(session, event, 590));
        let start = Command::Start { counter: Microlitres(0), contradicts: Vec::new() };
        let refusal = decide(&after, start, &nurse("kim"), at(600), knowledge()).expect_err("not checked");
        assert!(refusal.to_string().contains("second check"), "{field}: {refusal}");
    }
}

/// Several slips are told together: nobody checks three times to hear of three.
#[test]
fn all_differences_are_told_at_once() {
    let session = drawn();
    let mut read = right(&session);
    (read.dose, read.rate, read.vials[0].drawn) = (Micrograms(1), Rate(1), Microlitres(1));
    let told: Vec<String> = differs(&session, read).into_iter().map(|one| one.field).collect();
    assert_eq!(told, ["drawn_1", "dose", "rate"]);
}

#[test]
fn each_vial_is_read_by_itself() {
    let mut session = drawn();
    let mut other = session.vials[0].clone();
    (other.vial, other.strength) = (VialId::new("v2"), Concentration(10_000));
    let mut draw = session.draws[0].clone();
    (draw.vial, draw.stock, draw.mass) = (VialId::new("v2"), Microlitres(100), Micrograms(1_000));
    session.vials.push(other);
    session.draws.push(draw);
    session.draws.push(session.draws[0].clone());
    let read = right(&session);
    let of = |n: usize| (read.vials[n].strength, read.vials[n].drawn);
    assert_eq!(of(0), (Concentration(50_000), Microlitres(1_640)));
    assert_eq!(of(1), (Concentration(10_000), Microlitres(100)));
    assert_eq!(differs(&session, read.clone()), []);
    let mut swapped = read.clone();
    swapped.vials.swap(0, 1);
    assert_eq!(differs(&session, swapped.clone()), [], "they lie on the table in any order");
    swapped.vials[1].strength = Concentration(5_000);
    let told = differs(&session, swapped);
    let [one] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!((one.field.as_str(), one.prepared.as_str()), ("strength_2", "50 mg/mL"));
    for vials in [1, 3] {
        let mut other = read.clone();
        other.vials.resize(vials, read.vials[0].clone());
        let told = differs(&session, other);
        assert_eq!((told.len(), told[0].what.as_str()), (1, "number of vials"), "{told:?}");
    }
}

#[test]
fn drug_that_nobody_diluted_has_no_diluent() {
    let mut session = drawn();
    session.draws[0].diluted_to = session.draws[0].stock;
    let drawing = |diluent: Option<&str>| {
        let Draw { vial, .. } = session.draws[0].clone();
        let stock = Microlitres(100);
        let strong = Session { draws: Vec::new(), ..drawn() };
        let mut weak = strong.clone();
        weak.vials[0].strength = weak.concentration().expect("ordered");
        let draw = Command::Draw { vial, stock, diluted_to: stock, diluent: diluent.map(str::to_owned) };
        decide(&weak, draw, &nurse("kim"), at(580), knowledge())
    };
    assert!(matches!(drawing(Some("glucose 5 %")), Err(Refusal::OutOfRange { field: "diluent", .. })));
    assert!(drawing(Some(UNDILUTED)).is_ok());
    session.draws[0].diluent = Some(UNDILUTED.to_owned());
    let mut read = right(&session);
    read.diluent = "glucose 5 %".to_owned();
    assert_eq!(differs(&session, read.clone())[0].prepared, "undiluted");
    read.diluent = UNDILUTED.to_owned();
    assert_eq!(differs(&session, read), []);
}

/// Hazard 04: the diluent that counts is the one that the first person took, and a draw that names none agrees with
/// none.
#[test]
fn a_diluent_is_recorded_at_the_drawing_and_is_one_of_the_clinics() {
    let session = drawn();
    let bare = Session { draws: Vec::new(), ..drawn() };
    let ask = |session: &Session, diluent: Option<&str>| {
        let Draw { vial, stock, diluted_to, .. } = drawn().draws[0].clone();
        let draw = Command::Draw { vial, stock, diluted_to, diluent: diluent.map(str::to_owned) };
        decide(session, draw, &nurse("kim"), at(580), knowledge())
    };
    assert!(matches!(ask(&bare, None), Err(Refusal::Missing { field: "diluent", .. })));
    for other in ["water", "", UNDILUTED] {
        let refusal = ask(&bare, Some(other));
        assert!(matches!(refusal, Err(Refusal::OutOfRange { field: "diluent", .. })), "{refusal:?}");
    }
    assert!(ask(&bare, Some("glucose 5 %")).is_ok());
    let mut half = session.clone();
    half.draws[0].stock = Microlitres(410);
    half.draws[0].mass = Micrograms(20_500);
    let more = |diluent: &str| {
        let Draw { vial, .. } = half.draws[0].clone();
        let (stock, diluted_to) = (Microlitres(410), Microlitres(10_250));
        let draw = Command::Draw { vial, stock, diluted_to, diluent: Some(diluent.to_owned()) };
        decide(&half, draw, &nurse("kim"), at(580), knowledge())
    };
    assert!(matches!(more("glucose 5 %"), Err(Refusal::OutOfRange { field: "diluent", .. })));
    assert!(more("sodium chloride 0.9 %").is_ok());
    let mut old = session.clone();
    old.draws[0].diluent = None;
    let told = differs(&old, right(&session));
    assert_eq!((told.len(), told[0].prepared.as_str()), (1, "not recorded at the drawing"));
}

fn differed(session: Session, slip: fn(&mut SecondReading)) -> Session {
    let mut read = right(&session);
    slip(&mut read);
    let events = check(&session, read).expect("it is recorded");
    assert!(matches!(events.as_slice(), [Event::SecondCheckDisagreed { .. }]), "{events:?}");
    events.into_iter().fold(session, |session, event| take(session, event, 591))
}

fn held(session: &Session) -> String {
    match check(session, right(session)) {
        Ok(_) => String::new(),
        Err(refusal) => refusal.to_string(),
    }
}

/// Hazard 04: two looks are two looks; a third at the same thing would be a guess.
#[test]
fn what_differs_twice_is_drawn_or_ordered_anew_and_not_checked_a_third_time() {
    let volume: fn(&mut SecondReading) = |read| read.vials[0].drawn = Microlitres(640);
    let dose: fn(&mut SecondReading) = |read| read.dose = Micrograms(32_000);
    let other: fn(&mut SecondReading) = |read| read.identified.agrees = false;
    let fresh = Session { second_checks_differed: Vec::new(), ..drawn() };
    let once = differed(differed(fresh.clone(), volume), dose);
    assert_eq!(held(&once), "", "two things once each");
    assert_eq!(held(&differed(differed(fresh, other), other)), "", "who sits here is asked again");

    let syringe = differed(once.clone(), volume);
    assert!(
        held(&syringe).contains("volume drawn. Discard the syringe before a witness"),
        "{}",
        held(&syringe)
    );
    let Draw { vial, stock, mass, diluted_to, diluent, .. } = syringe.draws[0].clone();
    let thrown = Command::DiscardDrawn { reason: "differs".to_owned(), witness: signed("lee", Role::Nurse) };
    let events = decide(&syringe, thrown, &nurse("kim"), at(592), knowledge()).expect("discarded");
    let empty = events.into_iter().fold(syringe, |session, event| take(session, event, 592));
    let anew = take(empty, Event::Drawn { vial, stock, mass, diluted_to, diluent }, 593);
    assert_eq!(held(&anew), "");
    let again = differed(anew, dose);
    assert!(held(&again).contains("dose. The prescriber looks at the order"), "{}", held(&again));
    let (order, signature) = again.order.clone().expect("an order");
    assert_eq!(held(&take(again, Event::OrderSigned { order, signature }, 594)), "");
}

/// Hazard 56: a syringe is thrown away before another person who treats, whole and with a reason, and what was in it is
/// neither in the vial again nor in no account.
#[test]
fn a_discarded_syringe_is_witnessed_and_counted() {
    let session = before("infusion_started");
    let ask = |reason: &str, witness| {
        let command = Command::DiscardDrawn { reason: reason.to_owned(), witness };
        decide(&session, command, &nurse("kim"), at(595), knowledge())
    };
    let lee = || signed("lee", Role::Nurse);
    assert!(matches!(
        ask("drawn wrong", signed("kim", Role::Nurse)),
        Err(Refusal::SamePerson { field: "witness", .. })
    ));
    assert!(matches!(ask("drawn wrong", signed("lee", Role::FrontDesk)), Err(Refusal::NotAllowed { .. })));
    assert!(matches!(ask(" . ", lee()), Err(Refusal::OutOfRange { field: "reason", .. })));
    let events = ask("drawn wrong", lee()).expect("thrown away");
    let after = events.into_iter().fold(session.clone(), |session, event| take(session, event, 595));
    assert!(after.draws.is_empty() && after.second_check.is_none() && after.phase == Phase::Gated);
    let account = Balance::of(&after, at(600));
    assert_eq!((account.discarded, account.drawn), (session.drawn_mass(), session.drawn_mass()));
    assert!(account.closed() && account.left < Balance::of(&session, at(600)).vial);
    let none = Command::DiscardDrawn { reason: "again".to_owned(), witness: lee() };
    let refusal = decide(&after, none, &nurse("kim"), at(596), knowledge());
    assert!(matches!(refusal, Err(Refusal::Missing { field: "draw", .. })), "{refusal:?}");
    let Draw { vial, diluent, .. } = session.draws[0].clone();
    let all = Command::Draw { vial, stock: after.vials[0].volume, diluted_to: Microlitres(250_000), diluent };
    let refusal = decide(&after, all, &nurse("kim"), at(597), knowledge()).expect_err("some of it is gone");
    assert!(refusal.to_string().contains("left in the vial"), "{refusal}");
}

/// Hazard 56: the one who drew does not check, and a word that nobody read is no reading.
#[test]
fn a_second_check_by_the_first_person_or_without_a_word_is_refused() {
    let session = drawn();
    let own =
        Command::SecondCheck { signature: signed("kim", Role::Nurse), read: Some(Box::new(right(&session))) };
    let refusal = decide(&session, own, &nurse("kim"), at(590), knowledge());
    assert!(matches!(refusal, Err(Refusal::SamePerson { .. })), "{refusal:?}");
    let mut read = right(&session);
    read.vials[0].drug = "  ".to_owned();
    assert!(matches!(check(&session, read), Err(Refusal::Missing { field: "drug_1", .. })));
    let mut read = right(&session);
    read.diluent = "x".repeat(61);
    assert!(matches!(check(&session, read), Err(Refusal::OutOfRange { field: "diluent", .. })));
}

/// A command of before the check asked for so much still reads, for the record of its day.
#[test]
fn an_older_second_check_reads_and_checks_nothing() {
    let old = r#"{"do":"second_check","signature":{"by":"lee","role":"nurse","meaning":"I checked","at":"2026-03-02T09:00:00Z"},"concentration":2000,"dose":41000,"rate":30800}"#;
    let command: Command = serde_json::from_str(old).expect("it reads");
    let refusal = decide(&drawn(), command, &nurse("lee"), at(590), knowledge());
    assert!(matches!(refusal, Err(Refusal::Missing { field: "dose", .. })), "{refusal:?}");
}

proptest! {
    /// No rate, volume or weight that is further off than the pump and a hand may be is ever taken for the same.
    #[test]
    fn nothing_that_is_off_agrees(rate in 0_i64..200_000, vtbi in 0_i64..200_000, grams in 0_i64..200_000) {
        let session = drawn();
        let (order, _) = session.order.clone().expect("an order");
        let read = SecondReading { rate: Rate(rate), vtbi: Microlitres(vtbi), dose_weight: Weight(grams), ..right(&session) };
        let told: Vec<String> = differs(&session, read).into_iter().map(|one| one.field).collect();
        let off = [
            ("dose_weight", order.dose_weight.0.abs_diff(grams) > 100),
            ("rate", order.rate.0.abs_diff(rate) > 100),
            ("vtbi", order.vtbi.0.abs_diff(vtbi) > 100),
        ];
        let off: Vec<_> = off.into_iter().filter(|(_, off)| *off).map(|(field, _)| field.to_owned()).collect();
        prop_assert_eq!(told, off);
    }
}

/// Who rounds a weight by hand gets the dose of that weight: the two tolerances agree with each other.
#[test]
fn the_dose_of_a_weight_within_its_tolerance_agrees_and_a_little_more_does_not() {
    let session = drawn();
    let at = |tenths: i64, ug: i64| {
        let mut read = right(&session);
        read.dose_weight = Weight(82_000 + 100 * tenths);
        read.dose = Micrograms(41_000 + ug);
        differs(&session, read).into_iter().map(|one| one.field).collect::<Vec<_>>()
    };
    for (tenths, ug) in [(0, 0), (1, 50), (-1, -50)] {
        assert_eq!(at(tenths, ug), Vec::<String>::new(), "{tenths}");
    }
    assert_eq!(at(0, 51), ["dose"]);
    assert_eq!(at(2, 100), ["dose_weight", "dose"]);
}
