//! Consent: what is signed, what makes it be asked again, and that nothing but the patient's own yes lets an infusion
//! go on.

use super::*;
use crate::id::{ConsentId, StaffId};
use crate::knowledge::measure::MgPerKg;
use crate::patient::{Allergies, Patient};
use crate::staff::{Actor, Role};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use rust_decimal::Decimal;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

static SHIPPED: LazyLock<Knowledge> = LazyLock::new(|| Knowledge::shipped().expect("sound"));

const NEEDED: [&str; 3] = ["consent_off_label", "consent_risks", "consent_driving"];

fn at(minute: i64) -> Timestamp {
    "2026-11-22T09:00:00Z".parse::<Timestamp>().expect("time") + SignedDuration::from_mins(minute)
}

fn ana() -> Patient {
    Patient {
        mrn: "004217".to_owned(),
        family: "Rivera".to_owned(),
        given: "Ana".to_owned(),
        born: "1984-03-12".parse().expect("day"),
        sex: "f".to_owned(),
        allergies: Allergies::NoneKnown,
    }
}

fn nurse() -> Actor {
    Actor { id: StaffId::new("kim"), role: Role::Nurse }
}

fn cover(band: &str) -> Cover {
    Cover { band: band.to_owned(), route: "vein".to_owned() }
}

fn id() -> ConsentId {
    ConsentId::new("c-1")
}

fn needs(dose: &str) -> Needs {
    Needs { dose: Some(MgPerKg(dose.parse().expect("dose"))), route: None }
}

fn digest(words: &str) -> String {
    format!("{} letters", words.len())
}

/// A patient's consents as they go on, decided by the shipped knowledge unless told otherwise.
struct Desk {
    all: Consents,
    minute: i64,
}

impl Desk {
    fn new() -> Self {
        Self { all: Consents::default(), minute: 0 }
    }

    fn asked(documents: &[&str], band: &str) -> Self {
        let mut desk = Self::new();
        let documents = documents.iter().map(|one| (*one).to_owned()).collect();
        let terms = (cover(band), How::Phone, at(600));
        desk.takes(ask(&nurse(), id(), &documents, terms, &SHIPPED));
        desk
    }

    fn takes(&mut self, event: Result<Event, Refusal>) {
        self.minute += 1;
        let event = event.expect("it is taken");
        let all = std::mem::take(&mut self.all);
        self.all = all.evolve(&event, &StaffId::new("phone"), at(self.minute));
    }

    fn agrees(&mut self, document: &str) {
        let event = agree(&self.all, (&id(), document), right(document), at(self.minute), &SHIPPED);
        self.takes(event);
    }

    fn refuses(&mut self, document: &str) {
        let event = disagree(&self.all, (&id(), document), "", at(self.minute), &SHIPPED);
        self.takes(event);
    }

    fn signing(&self, name: &str) -> Result<Event, Refusal> {
        sign(&self.all, &id(), (&ana(), Hand::Typed(name)), digest, at(self.minute), &SHIPPED)
    }

    fn signed(documents: &[&str], band: &str) -> Self {
        let mut desk = Self::asked(documents, band);
        documents.iter().for_each(|document| desk.agrees(document));
        let event = desk.signing("Ana Rivera");
        desk.takes(event);
        desk
    }

    fn missing(&self, needs: &Needs, knowledge: &Knowledge) -> Vec<String> {
        before_infusion(&self.all, needs, knowledge).missing
    }
}

fn right(document: &str) -> BTreeMap<String, u32> {
    let (_, text) = SHIPPED.document(document).expect("shipped");
    text.questions.iter().map(|question| (question.id.clone(), question.right)).collect()
}

/// The shipped knowledge with one file changed.
fn changed(document: &str, from: &str, to: &str) -> Knowledge {
    let text = SHIPPED.show(document).expect("shipped").replacen(from, to, 1);
    assert_ne!(Some(text.as_str()), SHIPPED.show(document), "{from} is in it");
    Knowledge::shipped_with(crate::knowledge::File { path: format!("consent/{document}.toml"), text })
        .expect("sound")
}

#[test]
fn a_signature_under_every_needed_document_lets_an_infusion_go_on_and_nothing_less() {
    assert_eq!(Desk::new().missing(&needs("0.5"), &SHIPPED).len(), NEEDED.len());
    for left_out in NEEDED {
        let others: Vec<_> = NEEDED.into_iter().filter(|one| *one != left_out).collect();
        let missing = Desk::signed(&others, "usual").missing(&needs("0.5"), &SHIPPED);
        assert_eq!(missing.len(), 1, "{left_out}: {missing:?}");
    }
    let desk = Desk::signed(&NEEDED, "usual");
    let agreed = before_infusion(&desk.all, &needs("0.5"), &SHIPPED);
    assert!(agreed.missing.is_empty() && agreed.holds.len() == NEEDED.len(), "{agreed:?}");
    assert_eq!(agreed.since(), Some(desk.all.signed[0].at));
}

#[test]
fn text_dose_band_and_route_that_change_are_asked_again() {
    let desk = Desk::signed(&NEEDED, "usual");
    let newer = changed("consent_risks", "version = 1", "version = 2");
    let text = desk.missing(&needs("0.5"), &newer);
    assert!(
        text.len() == 1 && text[0].contains("version 1 was signed, the text is now version 2"),
        "{text:?}"
    );
    let dose = desk.missing(&needs("0.6"), &SHIPPED);
    assert!(dose.len() == 3 && dose[0].contains("asked is 0.6 mg/kg"), "{dose:?}");
    let muscle = Needs { dose: None, route: Some("muscle".to_owned()) };
    assert!(desk.missing(&muscle, &SHIPPED)[0].contains("into a muscle"));
    assert!(Desk::signed(&NEEDED, "raised").missing(&needs("0.5"), &SHIPPED).is_empty(), "more covers less");
}

#[test]
fn what_is_taken_back_or_refused_holds_until_it_is_signed_again() {
    let mut desk = Desk::signed(&NEEDED, "usual");
    let documents = ["consent_driving".to_owned()];
    let event = withdraw(&desk.all, &nurse(), &documents, "has no escort any more", &SHIPPED);
    desk.takes(event);
    let missing = desk.missing(&needs("0.5"), &SHIPPED);
    assert!(missing.len() == 1 && missing[0].contains("taken it back"), "{missing:?}");
    let twice = withdraw(&desk.all, &nurse(), &documents, "again", &SHIPPED);
    assert!(matches!(twice, Err(Refusal::NothingToWithdraw { .. })), "{twice:?}");
    let one: BTreeSet<String> = documents.into_iter().collect();
    let event = ask(&nurse(), id(), &one, (cover("usual"), How::Tablet, at(600)), &SHIPPED);
    desk.takes(event);
    desk.refuses("consent_driving");
    assert!(desk.missing(&needs("0.5"), &SHIPPED)[0].contains("taken it back"));
    let event = ask(&nurse(), id(), &one, (cover("usual"), How::Tablet, at(600)), &SHIPPED);
    desk.takes(event);
    desk.agrees("consent_driving");
    let event = desk.signing("Ana Rivera");
    desk.takes(event);
    assert!(desk.missing(&needs("0.5"), &SHIPPED).is_empty());
}

#[test]
fn nothing_is_signed_before_it_is_read_and_understood() {
    let mut desk = Desk::asked(&["consent_off_label", "consent_driving"], "usual");
    assert!(matches!(desk.signing("Ana Rivera"), Err(Refusal::NotRead { .. })));
    let mut wrong = right("consent_off_label");
    wrong.insert("worse".to_owned(), 2);
    let again = agree(&desk.all, (&id(), "consent_off_label"), wrong, at(2), &SHIPPED);
    let Ok(Event::UnderstandingShown { again: explained, .. }) = &again else { panic!("{again:?}") };
    assert_eq!(*explained, ["worse"]);
    desk.takes(again);
    desk.agrees("consent_driving");
    assert!(
        matches!(desk.signing("Ana Rivera"), Err(Refusal::NotRead { .. })),
        "a wrong answer signs nothing"
    );
    desk.agrees("consent_off_label");
    for name in ["", "Ana", "Sam Rivera", "Ana\u{202e}Rivera", &"Ana Rivera ".repeat(60)] {
        assert!(desk.signing(name).is_err(), "{name:?}");
    }
    assert!(desk.signing("rivera, ANA").is_ok());
}

#[test]
fn who_draws_a_signature_says_the_day_of_birth_and_it_counts_as_one_that_was_typed() {
    let mut desk = Desk::asked(&NEEDED, "usual");
    let drawing = Drawing::read(["10,20 90,120 40,60"]).expect("drawn");
    let draws = |desk: &Desk, born: &str| {
        let hand = Hand::Drawn(&drawing, born.parse().expect("day"));
        sign(&desk.all, &id(), (&ana(), hand), digest, at(desk.minute), &SHIPPED)
    };
    assert!(matches!(draws(&desk, "1984-03-12"), Err(Refusal::NotRead { .. })));
    NEEDED.iter().for_each(|document| desk.agrees(document));
    assert_eq!(draws(&desk, "1984-12-03"), Err(Refusal::OtherBirth), "not whose link this is");
    let event = draws(&desk, "1984-03-12");
    desk.takes(event);
    assert!(desk.missing(&needs("0.5"), &SHIPPED).is_empty());
    assert!(desk.all.signed.iter().all(|signed| signed.mark == Mark::Drawing(drawing.clone())));
    assert!(matches!(draws(&desk, "1984-03-12"), Err(Refusal::Used { .. })), "once");
}

#[test]
fn an_answer_that_is_none_is_refused_beside_its_question() {
    let desk = Desk::asked(&["consent_driving"], "usual");
    let says = |answers: &[(&str, u32)]| {
        let answers = answers.iter().map(|(id, answer)| ((*id).to_owned(), *answer)).collect();
        agree(&desk.all, (&id(), "consent_driving"), answers, at(1), &SHIPPED).expect_err("refused")
    };
    assert_eq!(says(&[]), Refusal::NotAnswered { question: "drive".to_owned() });
    for answer in [0, 4, u32::MAX] {
        assert_eq!(says(&[("drive", answer)]).field(), "drive", "{answer}");
    }
}

#[test]
fn a_link_is_used_once_and_ends() {
    let open_at = |desk: &Desk, minute| open(&desk.all, &id(), at(minute), &SHIPPED).map(|_| ());
    let desk = Desk::asked(&NEEDED, "usual");
    assert_eq!(open_at(&desk, 599), Ok(()));
    assert_eq!(open_at(&desk, 600), Err(Refusal::Ended { at: at(600) }));
    let signed = Desk::signed(&NEEDED, "usual");
    assert!(matches!(open_at(&signed, 30), Err(Refusal::Used { at: Some(_) })));
    assert!(matches!(signed.signing("Ana Rivera"), Err(Refusal::Used { .. })));
    let mut refused = Desk::asked(&["consent_research"], "usual");
    refused.refuses("consent_research");
    assert_eq!(open_at(&refused, 30), Err(Refusal::Used { at: None }));
    let newer = changed("consent_risks", "version = 1", "version = 2");
    let stale = open(&desk.all, &id(), at(1), &newer).map(|_| ());
    assert_eq!(stale, Err(Refusal::TextChanged { document: "consent_risks".to_owned() }));
    assert_eq!(open(&desk.all, &ConsentId::new("c-2"), at(1), &SHIPPED).map(|_| ()), Err(Refusal::NoLink));
}

#[test]
fn what_was_signed_is_kept_word_for_word_with_its_digest() {
    let desk = Desk::signed(&NEEDED, "usual");
    for signed in &desk.all.signed {
        let (item, document) = SHIPPED.document(&signed.text.edition.document).expect("shipped");
        for claim in document.sections.iter().flat_map(|section| &section.claims) {
            assert!(signed.text.words.contains(&claim.says), "{}", claim.says);
            assert!(signed.text.words.contains(&claim.evidence(&SHIPPED)), "{}", claim.says);
        }
        assert!(
            signed.text.words.contains(&document.agree) && item.header.version == signed.text.edition.version
        );
        assert_eq!(signed.text.sha256, digest(&signed.text.words));
    }
}

#[test]
fn only_who_meets_patients_asks_and_only_for_what_there_is() {
    let documents = |one: &str| BTreeSet::from([one.to_owned()]);
    let terms = |cover| (cover, How::Phone, at(600));
    for role in [Role::Owner, Role::Machine] {
        let actor = Actor { role, ..nurse() };
        let asked = ask(&actor, id(), &documents("consent_risks"), terms(cover("usual")), &SHIPPED);
        assert_eq!(asked, Err(Refusal::Role(role)));
    }
    for (document, band, field) in [
        ("consent_tarot", "usual", "documents"),
        ("consent_covers", "usual", "documents"),
        ("consent_risks", "no", "band"),
    ] {
        let asked = ask(&nurse(), id(), &documents(document), terms(cover(band)), &SHIPPED);
        assert_eq!(asked.expect_err("refused").field(), field);
    }
    let none = ask(&nurse(), id(), &BTreeSet::new(), terms(cover("usual")), &SHIPPED);
    assert_eq!(none.expect_err("refused").field(), "documents");
}

#[test]
fn months_begin_with_the_day_after() {
    let days = |from: &str, to: &str| months_begun(from.parse().expect("day"), to.parse().expect("day"));
    assert_eq!(days("2025-11-22", "2025-11-22"), 0);
    assert_eq!(days("2025-11-22", "2026-11-22"), 12);
    assert_eq!(days("2025-11-22", "2026-11-23"), 13, "a year and a day is no year");
    assert_eq!(days("2026-01-31", "2026-02-28"), 1);
}

proptest! {
    /// However doses and bands meet: what covers a dose covers every smaller one.
    #[test]
    fn a_smaller_dose_is_never_harder_to_agree_to(low in 0_i64..3000, more in 0_i64..3000, band in 0_usize..3) {
        let covers = SHIPPED.covers().expect("shipped");
        let cover = cover(&covers.bands[band].id);
        let dose = |thousandths| MgPerKg(Decimal::new(thousandths, 3));
        prop_assert!(!covers.reach(&cover, dose(low + more)) || covers.reach(&cover, dose(low)));
    }
}
