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
        ("diluent", "water", "glucose 5 % or sodium chloride 0.9 %", |read| {
            read.diluent = "water".to_owned()
        }),
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
    let told: Vec<String> = differs(&session, swapped).into_iter().map(|one| one.field).collect();
    assert_eq!(told, ["strength_1", "drawn_1", "strength_2", "drawn_2"]);
    let mut one = read;
    one.vials.pop();
    assert_eq!(differs(&session, one)[0].what, "number of vials");
}

#[test]
fn drug_that_nobody_diluted_has_no_diluent() {
    let mut session = drawn();
    session.draws[0].diluted_to = session.draws[0].stock;
    let mut read = right(&session);
    assert_eq!(differs(&session, read.clone())[0].prepared, "undiluted");
    read.diluent = UNDILUTED.to_owned();
    assert_eq!(differs(&session, read), []);
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
