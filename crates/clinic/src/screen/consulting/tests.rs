//! Every document of the screening examples, asked section by section.

use super::*;
use crate::id::StaffId;
use crate::screen::tests::{SHIPPED, TODAY, documents, example};
use crate::screen::{read, replay};
use jiff::ToSpan;

/// Whose consultation the document is, and the document as this clinic would have recorded it.
fn asked_of(json: &str) -> Option<(Patient, Consultation)> {
    let document = read(json, TODAY, &SHIPPED).ok()?;
    let substances: Option<Vec<String>> =
        document.allergies.as_ref()?.iter().map(|one| one.substance.clone()).collect();
    let patient = Patient {
        mrn: "004217".to_owned(),
        family: "Rivera".to_owned(),
        given: "Ana".to_owned(),
        born: document.person.born?,
        sex: if document.person.sex? == Sex::F { "f" } else { "m" }.to_owned(),
        allergies: Allergies::Known(substances?),
    };
    Some((patient, document))
}

fn actor(role: Role) -> Actor {
    Actor { id: StaffId::new("kim"), role }
}

fn signed(role: Role) -> Signature {
    let at = "2026-11-22T09:00:00Z".parse().expect("a time");
    Signature { by: StaffId::new("kim"), role, meaning: "I decided".to_owned(), at }
}

/// Carries it out as the log would: what is written is read again.
fn done(consulting: &Consulting, command: Command) -> Result<Consulting, Refusal> {
    let event = decide(consulting, command.clone(), &actor(Role::Prescriber), &SHIPPED)?;
    let text = serde_json::to_string(&event).expect("it can be written");
    let back: Event = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    assert_eq!(back, event, "what is read is what was written");
    assert!(back.answers(&command), "{text}");
    Ok(consulting.clone().evolve(&back))
}

fn filled_in(document: &Consultation) -> Consulting {
    Section::ALL.into_iter().fold(Consulting::default(), |consulting, section| {
        let said = Box::new(document.clone());
        done(&consulting, Command::Record { section, said, read: 0 }).expect("a section")
    })
}

fn screen_now(consulting: &Consulting, patient: &Patient) -> Consulting {
    let patient = Box::new(patient.clone());
    let command = Command::Screen { patient, profile: "default".to_owned(), today: TODAY };
    done(consulting, command).expect("a verdict")
}

fn decision(consulting: &Consulting, patient: &Patient, role: Role) -> Command {
    let screened = consulting.screened.as_ref().map_or(0, |(version, _)| *version);
    let (patient, reason) = (Box::new(patient.clone()), "talked it over".to_owned());
    Command::Decide { patient, screened, reason, signature: signed(role) }
}

fn clean() -> (Patient, Consulting) {
    let (patient, document) = asked_of(&example("clean")).expect("it reads");
    let consulting = filled_in(&document);
    (patient, consulting)
}

/// Hazard 38: nobody is taken into a course whom a rule stops, or whom nobody asked.
#[test]
fn a_course_opens_only_where_all_was_asked_and_whatever_holds_was_decided_where_that_is_allowed() {
    let (mut opened, mut decided, mut never) = (0, 0, 0);
    for (name, json) in documents() {
        let Some((patient, document)) = asked_of(&json.to_string()) else { continue };
        let consulting = filled_in(&document);
        assert!(!consulting.why_not_open(&patient, TODAY, &SHIPPED).is_empty(), "{name}: not screened");
        let consulting = screen_now(&consulting, &patient);
        let (_, screening) = consulting.screened.clone().expect("a verdict");
        let why = consulting.why_not_open(&patient, TODAY, &SHIPPED);
        assert_eq!(why.is_empty(), screening.verdict < Verdict::Hold, "{name}: {why:?}");
        opened += usize::from(why.is_empty());
        let may = screening.missing.is_empty()
            && blocking(&screening).all(|finding| finding.overridable_by == Override::Prescriber);
        let after = done(&consulting, decision(&consulting, &patient, Role::Prescriber));
        assert_eq!(after.is_ok(), may && !why.is_empty(), "{name}: {after:?}");
        if let Ok(after) = after {
            assert_eq!(after.why_not_open(&patient, TODAY, &SHIPPED), Vec::<String>::new(), "{name}");
            decided += 1;
        } else if !why.is_empty() {
            never += 1;
        }
    }
    assert!(opened > 3 && decided > 3 && never > 3, "opened {opened}, decided {decided}, never {never}");
}

#[test]
fn every_field_is_asked_in_one_section_and_the_verdict_is_that_of_the_whole_document() {
    for (name, json) in documents() {
        let Some((patient, document)) = asked_of(&json.to_string()) else { continue };
        let consulting = screen_now(&filled_in(&document), &patient);
        let asked = consulting.asked(&patient);
        let wanted = Consultation { allergies: asked.allergies.clone(), on: None, ..document.clone() };
        assert_eq!(asked, wanted, "{name}");
        let fields: Vec<Consultation> = Section::ALL.into_iter().map(|one| one.of(&document)).collect();
        for (nth, alone) in fields.iter().enumerate() {
            let others = fields.iter().enumerate().filter(|(other, _)| *other != nth);
            let default = Consultation::default();
            let shared = others.filter(|(_, other)| *alone == **other && *alone != default);
            assert_eq!(shared.count(), 0, "{name}: two sections ask the same");
        }
        let (_, screening) = consulting.screened.expect("a verdict");
        assert_eq!(replay(&screening, &SHIPPED), Vec::<String>::new(), "{name}");
    }
}

#[test]
fn what_is_missing_is_asked_in_a_section_or_on_the_page_of_the_patient() {
    let patient = Patient { allergies: Allergies::NotRecorded, ..clean().0 };
    let consulting = screen_now(&Consulting::default(), &patient);
    let (_, screening) = consulting.screened.expect("a verdict");
    let of: BTreeSet<_> = screening.missing.iter().map(|path| Section::asking(path)).collect();
    for section in
        [Section::Diagnoses, Section::Medicines, Section::History, Section::Vitals, Section::WorkUp]
    {
        assert!(of.contains(&Some(section)), "{section:?} of {:?}", screening.missing);
    }
    let elsewhere: Vec<_> = screening.missing.iter().filter(|path| Section::asking(path).is_none()).collect();
    assert_eq!(elsewhere, ["allergies"]);
}

#[test]
fn two_editors_do_not_overwrite_each_other_and_other_sections_stay_free() {
    let (_, consulting) = clean();
    let command = |section, read| Command::Record { section, said: Box::default(), read };
    let vitals = consulting.read(Section::Vitals);
    let once = done(&consulting, command(Section::Vitals, vitals)).expect("the first");
    let late = done(&once, command(Section::Vitals, vitals)).expect_err("the second");
    assert!(late.is_conflict() && late.to_string().contains("Vital signs"), "{late}");
    let scales = once.read(Section::Scales);
    assert!(done(&once, command(Section::Scales, scales)).is_ok());
}

/// Hazard 38.
#[test]
fn only_a_prescriber_decides_on_the_verdict_that_stands_and_with_a_reason() {
    let held = |json: &serde_json::Value| {
        let (patient, document) = asked_of(&json.to_string())?;
        let consulting = screen_now(&filled_in(&document), &patient);
        done(&consulting, decision(&consulting, &patient, Role::Prescriber)).ok()?;
        Some((patient, consulting))
    };
    let (patient, consulting) =
        documents().iter().find_map(|(_, json)| held(json)).expect("one that can be decided");
    let nurse = done(&consulting, decision(&consulting, &patient, Role::Nurse)).expect_err("a nurse");
    assert!(nurse.to_string().contains("prescriber"), "{nurse}");
    let by_desk =
        Command::Screen { patient: Box::new(patient.clone()), profile: "default".to_owned(), today: TODAY };
    assert!(decide(&consulting, by_desk, &actor(Role::FrontDesk), &SHIPPED).is_err());
    let mut without = decision(&consulting, &patient, Role::Prescriber);
    if let Command::Decide { reason, .. } = &mut without {
        "..".clone_into(reason);
    }
    assert_eq!(done(&consulting, without), Err(Refusal::NoReason));
    let old = decision(&consulting, &patient, Role::Prescriber);
    let again = screen_now(&consulting, &patient);
    assert_eq!(done(&again, old), Err(Refusal::ScreenedAgain));
    let other = Patient { allergies: Allergies::Known(vec!["ketamine".to_owned()]), ..patient.clone() };
    let on_other = done(&consulting, decision(&consulting, &other, Role::Prescriber));
    assert_eq!(on_other, Err(Refusal::ChangedSince));
    let decided =
        done(&consulting, decision(&consulting, &patient, Role::Prescriber)).expect("it was decided");
    let screened = screen_now(&decided, &patient);
    assert!(!screened.why_not_open(&patient, TODAY, &SHIPPED).is_empty(), "a new verdict is decided anew");
}

/// Hazard 38: a work-up that has become too old holds again.
#[test]
fn what_opened_a_course_today_does_not_open_one_next_year() {
    let (patient, consulting) = clean();
    let consulting = screen_now(&consulting, &patient);
    assert_eq!(consulting.why_not_open(&patient, TODAY, &SHIPPED), Vec::<String>::new());
    let later = TODAY.checked_add(1.year()).expect("a day");
    let why = consulting.why_not_open(&patient, later, &SHIPPED);
    assert!(why.iter().any(|one| one.contains("limit") && one.contains("Screen again")), "{why:?}");
}

fn start() -> session::Command {
    session::Command::Start { counter: crate::quantity::Microlitres(0), contradicts: Vec::new() }
}

fn recorded(consulting: &Consulting, section: Section, said: &Consultation) -> Consulting {
    let read = consulting.read(section);
    done(consulting, Command::Record { section, said: Box::new(said.clone()), read }).expect("a section")
}

/// Hazard 137: over every document of the screening, an infusion is refused exactly while a stop stands or a hold that
/// nobody decided, with the words of its rule, and a verdict that is decided or replaced frees at once.
#[test]
fn no_infusion_starts_against_a_stop_or_a_hold_that_nobody_decided_until_it_is_decided_or_replaced() {
    let (mut free, mut decided, mut stays) = (0, 0, 0);
    let (healthy, clean) = asked_of(&example("clean")).expect("it reads");
    for (name, json) in documents() {
        let Some((patient, document)) = asked_of(&json.to_string()) else { continue };
        let consulting = filled_in(&document);
        assert_eq!(consulting.against_infusion(&patient, &SHIPPED), None, "{name}: nobody screened");
        let consulting = screen_now(&consulting, &patient);
        let (_, screening) = consulting.screened.clone().expect("a verdict");
        let against = consulting.against_infusion(&patient, &SHIPPED).expect("a verdict");
        assert_eq!(against.is_empty(), screening.verdict < Verdict::Hold, "{name}: {against:?}");
        for finding in blocking(&screening).filter(|finding| !only_missing(finding)) {
            assert!(against.iter().any(|one| one.ends_with(&finding.reason)), "{name}: {against:?}");
        }
        let by = |role| permits(&start(), &actor(role), Some(against.clone()));
        assert_eq!(by(Role::Nurse).is_ok(), against.is_empty(), "{name}");
        if let Err(refusal) = by(Role::FrontDesk) {
            assert_eq!(refusal, session::Refusal::Held { reasons: vec![AGAINST.to_owned()] }, "{name}");
        }
        free += usize::from(against.is_empty());
        match done(&consulting, decision(&consulting, &patient, Role::Prescriber)) {
            Ok(after) => {
                assert_eq!(after.against_infusion(&patient, &SHIPPED), Some(Vec::new()), "{name}");
                decided += 1;
            }
            Err(_) => stays += usize::from(!against.is_empty()),
        }
        let other = Section::ALL.into_iter().fold(consulting, |now, section| recorded(&now, section, &clean));
        let still = other.against_infusion(&healthy, &SHIPPED).expect("a verdict");
        assert!(against.iter().all(|one| still.contains(one)), "{name}: only a new verdict frees, {still:?}");
        let anew = screen_now(&other, &healthy);
        assert_eq!(anew.against_infusion(&healthy, &SHIPPED), Some(Vec::new()), "{name}: screened anew");
    }
    assert!(free > 3 && decided > 3 && stays > 3, "free {free}, decided {decided}, stays {stays}");
}

/// Hazard 137: what was recorded after a verdict holds before anybody screens again; a result that grew old does not.
#[test]
fn what_is_recorded_after_a_clean_verdict_and_would_stop_stands_against_an_infusion() {
    let (patient, consulting) = clean();
    let consulting = screen_now(&consulting, &patient);
    let (_, document) = asked_of(&example("e06")).expect("it reads");
    let told =
        Section::ALL.into_iter().fold(consulting.clone(), |now, section| recorded(&now, section, &document));
    let against = told.against_infusion(&patient, &SHIPPED).expect("a verdict");
    assert!(
        matches!(against.as_slice(), [one] if one.starts_with("E06") && one.ends_with("Screen again.")),
        "{against:?}"
    );
    let allergic = Patient { allergies: Allergies::Known(vec!["ketamine".to_owned()]), ..patient.clone() };
    let against = consulting.against_infusion(&allergic, &SHIPPED).expect("a verdict");
    assert!(matches!(against.as_slice(), [one] if one.starts_with("E01")), "{against:?}");
    let again = recorded(&consulting, Section::Scales, &clean().1.said);
    assert_eq!(again.against_infusion(&patient, &SHIPPED), Some(Vec::new()), "the same said again");
}

#[test]
fn only_what_leads_to_drug_in_a_vein_is_asked_of_the_screening() {
    let (patient, document) = asked_of(&example("e06")).expect("it reads");
    let stopped = screen_now(&filled_in(&document), &patient);
    let against = stopped.against_infusion(&patient, &SHIPPED);
    let by = |command: &session::Command| permits(command, &actor(Role::Nurse), against.clone());
    let check_in = session::Command::CheckIn { chair: crate::id::ChairId::new("1") };
    let cancel = session::Command::Cancel { reason: "sent home".to_owned() };
    assert!(by(&start()).is_err() && by(&check_in).is_err());
    assert_eq!((by(&cancel), by(&session::Command::LosePump)), (Ok(()), Ok(())));
}

/// Hazard 138: any risk of the C-SSRS comes of a yes, and calls; none, the same once more, and another section do not.
#[test]
fn each_risk_of_the_c_ssrs_but_none_calls_a_clinician_once() {
    let calls = |before: &Consulting, section: Section, said: &Consultation| {
        let said = Box::new(section.of(said));
        before.calls(&Event::SectionRecorded { section, said }, &SHIPPED)
    };
    let (_, document) = asked_of(&example("clean")).expect("it reads");
    for (level, called) in [("none", false), ("low", true), ("moderate", true), ("high", true)] {
        let mut said = document.clone();
        said.scales.0.get_mut("cssrs").expect("asked").value = Known::Level(level.to_owned());
        let nobody = Consulting::default();
        let call = calls(&nobody, Section::Scales, &said);
        assert_eq!(call, called.then(|| ("C-SSRS risk".to_owned(), level.to_owned())), "{level}");
        assert_eq!(calls(&nobody, Section::Vitals, &said), None);
        let known = recorded(&nobody, Section::Scales, &said);
        assert_eq!(calls(&known, Section::Scales, &said), None, "{level}: the same once more");
        said.scales.0.get_mut("cssrs").expect("asked").on = Some(TODAY);
        assert_eq!(calls(&known, Section::Scales, &said).is_some(), called, "{level}: asked another day");
    }
}
