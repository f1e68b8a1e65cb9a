use super::super::told::{Told, last_words};
use super::*;
use jiff::civil::date;

const TODAY: Date = date(2026, 11, 22);

fn at(minute: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + 60 * minute).expect("a time")
}

fn actor(id: &str, role: Role) -> Actor {
    Actor { id: StaffId::new(id), role }
}

fn therapist() -> Actor {
    actor("thea", Role::Therapist)
}

/// What is decided happens at once.
fn after(plan: CarePlan, minute: i64, by: &Actor, command: Command) -> CarePlan {
    let event = decide(&plan, command.clone(), by, TODAY).expect("decided");
    assert!(event.answers(&command), "the same form sent twice is answered by {event:?}");
    let text = serde_json::to_string(&event).expect("JSON");
    assert_eq!(serde_json::from_str::<Event>(&text).expect("reads back"), event);
    plan.evolve(&event, &by.id, at(minute))
}

fn goal(id: &str, words: &str) -> Command {
    Command::NameGoal { goal: GoalId::new(id), words: words.to_owned() }
}

fn note(id: &str, readers: Readers) -> Command {
    let (note, text) = (NoteId::new(id), "Spoke about the fear of letting go.".to_owned());
    Command::WriteNote { note, about: NoteKind::Integration, text, readers, amends: None }
}

fn medicine(name: &str, change: MedicineChange, decided_by: DecidedBy) -> Medicine {
    Medicine {
        name: name.to_owned(),
        dose: "50 mg in the morning".to_owned(),
        change,
        decided_by,
        since: None,
    }
}

fn by_gp() -> DecidedBy {
    DecidedBy::Physician("Dr Sample".to_owned())
}

#[test]
fn a_goal_is_the_patients_words_and_is_rated_until_it_ends() {
    let nurse = actor("nina", Role::Nurse);
    let mut plan = after(CarePlan::default(), 0, &nurse, goal("g1", " Walk the dog again "));
    for (minute, rating) in [(1, 2), (2, 7)] {
        plan = after(plan, minute, &nurse, Command::RateGoal { goal: GoalId::new("g1"), rating });
    }
    let rated = &plan.goals[0];
    assert_eq!(
        (rated.words.as_str(), rated.ratings.as_slice()),
        ("Walk the dog again", [(at(1), 2), (at(2), 7)].as_slice())
    );
    let beyond = Command::RateGoal { goal: GoalId::new("g1"), rating: RATING_BEST + 1 };
    assert_eq!(decide(&plan, beyond, &nurse, TODAY), Err(unknown("rating", "The rating", "11")));
    let end = Command::EndGoal { goal: GoalId::new("g1"), why: "reached".to_owned() };
    plan = after(plan, 3, &nurse, end.clone());
    assert!(plan.open_goals().next().is_none());
    assert!(decide(&plan, end, &nurse, TODAY).is_err(), "it has ended");
}

#[test]
fn goals_are_few_and_say_something() {
    let nurse = actor("nina", Role::Nurse);
    let full = (0..GOALS_MOST)
        .fold(CarePlan::default(), |plan, n| after(plan, 0, &nurse, goal(&n.to_string(), "Sleep")));
    let one_more = decide(&full, goal("more", "Cook"), &nurse, TODAY);
    assert_eq!(one_more, Err(Refusal::TooManyGoals { most: GOALS_MOST }));
    for empty in ["", "  ", "…"] {
        let refused =
            decide(&CarePlan::default(), goal("g", empty), &nurse, TODAY).expect_err("says nothing");
        assert_eq!(refused.field(), "words");
    }
    assert!(decide(&CarePlan::default(), goal("g", &"x".repeat(300)), &nurse, TODAY).is_err());
    let desk = actor("fred", Role::FrontDesk);
    assert!(matches!(
        decide(&CarePlan::default(), goal("g", "Sleep"), &desk, TODAY),
        Err(Refusal::NotAllowed { .. })
    ));
}

/// What is said in therapy is read by therapists, unless the patient agreed that the team reads it.
#[test]
fn a_note_is_read_by_whom_the_patient_agreed_to_and_by_others_with_a_reason_that_stays() {
    let thea = therapist();
    let plan = after(CarePlan::default(), 0, &thea, note("n1", Readers::Therapists));
    let plan = after(plan, 1, &thea, note("n2", Readers::Team));
    let prescriber = actor("paul", Role::Prescriber);
    let reads =
        |plan: &CarePlan, who: &Actor| plan.notes.iter().map(|one| one.is_read_by(who)).collect::<Vec<_>>();
    assert_eq!(reads(&plan, &thea), [true, true]);
    assert_eq!(reads(&plan, &actor("theo", Role::Therapist)), [true, true], "another therapist stands in");
    assert_eq!(reads(&plan, &prescriber), [false, true]);
    assert_eq!(reads(&plan, &actor("fred", Role::FrontDesk)), [false, false]);
    let open = |reason: &str| Command::OpenNote { note: NoteId::new("n1"), reason: reason.to_owned() };
    assert!(decide(&plan, open("  "), &prescriber, TODAY).is_err(), "a reason has words");
    let plan = after(plan, 2, &prescriber, open("called from the emergency room"));
    assert_eq!(reads(&plan, &prescriber), [true, true]);
    assert_eq!(reads(&plan, &actor("nina", Role::Nurse)), [false, true], "opened for that person alone");
    assert_eq!(plan.notes[0].opened, [(at(2), prescriber.id, "called from the emergency room".to_owned())]);
}

#[test]
fn a_note_is_amended_by_its_author_once_and_the_first_stays() {
    let thea = therapist();
    let plan = after(CarePlan::default(), 0, &thea, note("n1", Readers::Team));
    let amend = |note: &str, of: &str| Command::WriteNote {
        note: NoteId::new(note),
        about: NoteKind::Integration,
        text: "Spoke about the fear of being alone.".to_owned(),
        readers: Readers::Team,
        amends: Some(Amends { note: NoteId::new(of), reason: "wrong word".to_owned() }),
    };
    let theo = actor("theo", Role::Therapist);
    assert_eq!(decide(&plan, amend("n2", "n1"), &theo, TODAY), Err(Refusal::NotTheAuthor));
    let plan = after(plan, 1, &thea, amend("n2", "n1"));
    assert_eq!(plan.notes.iter().map(|one| one.amended).collect::<Vec<_>>(), [true, false]);
    assert!(decide(&plan, amend("n3", "n1"), &thea, TODAY).is_err(), "amend what stands");
    assert!(decide(&plan, note("n4", Readers::Team), &actor("nina", Role::Nurse), TODAY).is_err());
}

/// "Never stop without your physician."
#[test]
fn a_medicine_left_off_without_a_physician_is_called_out() {
    let nurse = actor("nina", Role::Nurse);
    let record = |one| Command::RecordMedicine(one);
    let plan =
        after(CarePlan::default(), 0, &nurse, record(medicine("Sertraline", MedicineChange::Takes, by_gp())));
    let plan = after(plan, 1, &nurse, record(medicine("lithium", MedicineChange::Started, by_gp())));
    let plan = after(
        plan,
        2,
        &nurse,
        record(medicine(" sertraline ", MedicineChange::Stopped, DecidedBy::PatientAlone)),
    );
    let takes = last_words(plan.medicines.iter().cloned().map(Told::from).collect());
    let said: Vec<_> = takes.iter().map(|one| (one.name.as_str(), one.asks_for_a_physician())).collect();
    assert_eq!(said, [("lithium", false), ("sertraline", true)]);
    assert!(!medicine("x", MedicineChange::Started, DecidedBy::PatientAlone).asks_for_a_physician());
    assert_eq!(plan.asked, Some(at(2)));
    assert_eq!(after(plan, 9, &nurse, Command::AskMedicines).asked, Some(at(9)));
}

#[test]
fn a_medicine_has_a_name_a_dose_a_decider_and_a_day_that_has_come() {
    let nurse = actor("nina", Role::Nurse);
    let field = |medicine: Medicine| {
        let refused = decide(&CarePlan::default(), Command::RecordMedicine(medicine), &nurse, TODAY);
        refused.expect_err("refused").field()
    };
    let good = medicine("Sertraline", MedicineChange::Started, by_gp());
    assert_eq!(field(Medicine { name: " ".to_owned(), ..good.clone() }), "name");
    assert_eq!(field(Medicine { dose: String::new(), ..good.clone() }), "dose");
    assert_eq!(
        field(Medicine { decided_by: DecidedBy::Physician(String::new()), ..good.clone() }),
        "physician"
    );
    assert_eq!(field(Medicine { since: Some(date(2026, 11, 23)), ..good.clone() }), "since");
    let stopped = Medicine { dose: String::new(), change: MedicineChange::Stopped, ..good };
    assert!(decide(&CarePlan::default(), Command::RecordMedicine(stopped), &nurse, TODAY).is_ok());
}

#[test]
fn no_summary_leaves_without_the_patients_word() {
    let nurse = actor("nina", Role::Nurse);
    let id = CarerId::new("c1");
    let carer = |name: &str, role: &str, contact: &str| Carer {
        name: name.into(),
        role: role.into(),
        contact: contact.into(),
    };
    let name = |carer_is| Command::NameCarer { carer: id.clone(), carer_is };
    for (carer_is, field) in [
        (carer("", "family doctor", "555 0100"), "name"),
        (carer("Dr Sample", "", "555 0100"), "role"),
        (carer("Dr Sample", "family doctor", ""), "contact"),
    ] {
        assert_eq!(
            decide(&CarePlan::default(), name(carer_is), &nurse, TODAY).expect_err("refused").field(),
            field
        );
    }
    assert!(may_have_summary(&CarePlan::default(), &id).is_err());
    let plan = after(CarePlan::default(), 0, &nurse, name(carer("Dr Sample", "family doctor", "555 0100")));
    assert!(may_have_summary(&plan, &id).is_err(), "not asked");
    let agree = |agreed| Command::AgreeToShare { carer: id.clone(), agreed };
    let plan = after(plan, 1, &nurse, agree(true));
    assert_eq!(may_have_summary(&plan, &id).map(|carer| carer.name.as_str()), Ok("Dr Sample"));
    let plan = after(plan, 2, &nurse, agree(false));
    assert!(may_have_summary(&plan, &id).is_err(), "the patient said no since");
}

/// Hazard 133: what calms a patient is known to whoever is there, and the words of before stay.
#[test]
fn what_a_patient_tells_stands_until_it_is_told_anew_and_the_first_words_stay() {
    let nurse = actor("nina", Role::Nurse);
    let tell = |about, words: &str| Command::Tell { about, words: words.to_owned() };
    let mut plan = CarePlan::default();
    for (minute, about) in (0..).zip(About::ALL) {
        assert_eq!((plan.says(*about), About::from_word(about.word())), (None, Some(*about)));
        plan = after(plan, minute, &nurse, tell(*about, " No bright light. "));
        assert_eq!(plan.says(*about), Some("No bright light."));
    }
    let plan = after(plan, 9, &therapist(), tell(About::Comfort, "Cello, and nobody speaks."));
    assert_eq!(plan.says(About::Comfort), Some("Cello, and nobody speaks."));
    assert_eq!(plan.says(About::Frightens), Some("No bright light."), "one thing moves no other");
    let said: Vec<&str> = plan.told[&About::Comfort].iter().map(|(_, by, _)| by.as_str()).collect();
    assert_eq!(said, ["nina", "thea"]);
    for words in ["", "  ", "...", &"x".repeat(LINE_LONGEST + 1)] {
        let refused = decide(&plan, tell(About::Copes, words), &nurse, TODAY).expect_err("refused");
        assert_eq!(refused.field(), "words", "{words}");
    }
    let desk = actor("robin", Role::FrontDesk);
    assert!(decide(&plan, tell(About::Copes, "walks"), &desk, TODAY).is_err());
}
