use super::*;
use crate::knowledge::Knowledge;
use jiff::SignedDuration;
use proptest::prelude::*;
use std::sync::LazyLock;

static KNOWLEDGE: LazyLock<Knowledge> =
    LazyLock::new(|| Knowledge::shipped().unwrap_or_else(|error| panic!("{error}")));

fn scale(id: &str) -> &'static Item<Scale> {
    KNOWLEDGE.scale(id).expect("shipped")
}

fn at(minute: i64) -> Timestamp {
    let start: Timestamp = "2026-11-22T09:00:00Z".parse().expect("a time");
    start.checked_add(SignedDuration::from_mins(minute)).expect("in range")
}

fn id(text: &str) -> QuestionnaireId {
    QuestionnaireId::new(text)
}

fn nurse() -> StaffId {
    StaffId::new("nurse")
}

/// A link to a scale that ends after an hour.
fn linked(scale: &str) -> Questionnaires {
    let made = Event::ScaleLinkMade { questionnaire: id("q"), scale: scale.to_owned(), expires: at(60) };
    Questionnaires::default().evolve(&made, &nurse(), at(0))
}

fn save(all: Questionnaires, scale: &Item<Scale>, question: &str, value: i64, minute: i64) -> Questionnaires {
    let event = answer(&all, scale, (&id("q"), question), Some(value.into()), at(minute)).expect("taken");
    match event {
        Some(event) => all.evolve(&event, &nurse(), at(minute)),
        None => all,
    }
}

fn entry(given: Given) -> Entry {
    Entry { given, at: at(0), form: String::new(), corrects: None }
}

#[test]
fn a_link_takes_answers_until_it_ends_or_was_sent_and_never_after() {
    let phq = scale("phq9");
    let all = save(linked("phq9"), phq, "1", 2, 59);
    let try_at = |all: &Questionnaires, minute| answer(all, phq, (&id("q"), "2"), Some(1.into()), at(minute));
    assert!(try_at(&all, 59).is_ok());
    assert_eq!(try_at(&all, 60), Err(Refusal::Ended { at: at(60) }));
    assert_eq!(send(&all, phq, &id("q"), at(60)), Err(Refusal::Ended { at: at(60) }));
    assert_eq!(send(&all, phq, &id("other"), at(1)), Err(Refusal::NoLink));
    let sent = send(&all, phq, &id("q"), at(59)).expect("sent");
    let all = all.evolve(&sent, &nurse(), at(59));
    assert_eq!(try_at(&all, 59), Err(Refusal::Sent { at: at(59) }));
    assert_eq!(send(&all, phq, &id("q"), at(59)), Err(Refusal::Sent { at: at(59) }));
}

#[test]
fn what_staff_entered_has_no_link_to_it() {
    let gad = scale("gad7");
    let given = Given::answers(gad, "1,1,1,1,1,1,1").expect("a form");
    let entered = enter(&Questionnaires::default(), gad, &id("q"), entry(given), at(1)).expect("entered");
    let all = Questionnaires::default().evolve(&entered, &nurse(), at(1));
    assert_eq!(answer(&all, gad, (&id("q"), "1"), Some(0.into()), at(1)), Err(Refusal::Sent { at: at(1) }));
}

#[test]
fn the_same_answer_again_writes_nothing_and_a_link_is_not_endless() {
    let phq = scale("phq9");
    let mut all = save(linked("phq9"), phq, "1", 2, 1);
    assert_eq!(answer(&all, phq, (&id("q"), "1"), Some(2.into()), at(1)), Ok(None));
    for n in 1..SAVED_MOST as i64 {
        all = save(all, phq, "1", n % 2, 2);
    }
    let more = answer(&all, phq, (&id("q"), "2"), Some(2.into()), at(2));
    assert_eq!(more, Err(Refusal::TooMany));
    assert!(send(&all, phq, &id("q"), at(2)).is_ok(), "what is saved can still be sent");
}

#[test]
fn an_answer_that_the_question_does_not_have_is_refused_with_its_limits() {
    let all = linked("phq9");
    let refused = answer(&all, scale("phq9"), (&id("q"), "9"), Some(4.into()), at(1)).expect_err("0 to 3");
    assert_eq!(
        refused.to_string(),
        "PHQ-9, item 9: `4` is no answer; accepted is a whole number from 0 to 3, or a dash where none was given"
    );
    assert_eq!(refused.field(), "item-9");
    let unknown = answer(&all, scale("phq9"), (&id("q"), "11"), None, at(1));
    assert_eq!(unknown, Err(Refusal::NoQuestion { item: "11".to_owned() }));
}

/// Hazard 36: each scale that asks about suicide and may be answered here calls somebody, for each answer above none.
#[test]
fn any_thought_of_suicide_calls_somebody() {
    let mut asked = 0;
    for item in KNOWLEDGE.scales.iter() {
        for rule in
            item.body.flags.iter().filter(|rule| rule.id == "cssrs_required" || rule.id == "task_on_call")
        {
            assert!(rule.calls, "{}", item.header.id);
            for (place, question) in item.body.items.iter().enumerate() {
                if !rule.items.contains(&question.id) {
                    continue;
                }
                asked += 1;
                let [low, high] = item.body.values_of(question);
                let mut answers = vec![None; item.body.items.len()];
                for (value, called) in [(Some(high), true), (Some(low), false), (None, false)] {
                    answers[place] = value;
                    assert_eq!(
                        calls(item, &answers, false).is_some(),
                        called,
                        "{} {}",
                        item.header.id,
                        question.id
                    );
                }
            }
        }
    }
    assert!(asked >= 9, "PHQ-9, HAM-D and each question of the C-SSRS at least, not {asked}");
}

#[test]
fn a_call_says_which_questions_and_what_was_answered() {
    let phq = scale("phq9");
    let mut answers = vec![Some(Decimal::ZERO); 10];
    answers[8] = None;
    let missing = calls(phq, &answers, true).expect("a form sent without item 9");
    assert_eq!(
        (missing.item.as_str(), missing.answer.as_str()),
        ("item 9 (Better off dead or self-harm)", "not answered")
    );
    assert_eq!(calls(phq, &answers, false), None, "not before it is finished");
    let yes = |text| match Given::answers(scale("cssrs"), text).expect("a form") {
        Given::Answers(answers) => calls(scale("cssrs"), &answers, false),
        Given::Total(_) => None,
    };
    let called = yes("y,y,n,y,n,n").expect("three times yes");
    assert_eq!((called.item.as_str(), called.answer.as_str()), ("items 1, 2, 4", "Yes"));
    assert_eq!(yes("n,n,-,-,-,n"), None);
}

#[test]
fn only_what_a_patient_may_answer_alone_goes_to_a_phone() {
    assert!(by_phone(scale("phq9")).is_ok() && by_phone(scale("peg")).is_ok());
    for other in ["cssrs", "bdi2", "hamd17", "moaas"] {
        assert!(by_phone(scale(other)).is_err(), "{other}");
    }
}

#[test]
fn a_total_needs_its_form_and_a_time_that_has_been() {
    let madrs = scale("madrs");
    let total = || entry(Given::Total(28.into()));
    let try_it = |entry| enter(&Questionnaires::default(), madrs, &id("q"), entry, at(0));
    assert!(matches!(try_it(total()), Err(Refusal::Empty { field: "form", .. })));
    let paper = Entry { form: "paper, 22 Nov".to_owned(), ..total() };
    assert!(try_it(paper.clone()).is_ok());
    assert!(matches!(try_it(Entry { at: at(1), ..paper.clone() }), Err(Refusal::Future { .. })));
    let long = Entry { form: "x".repeat(501), ..paper };
    assert!(matches!(try_it(long), Err(Refusal::TooLong { field: "form", length: 501 })));
    let none = entry(Given::Answers(vec![None; 7]));
    assert_eq!(
        enter(&Questionnaires::default(), scale("gad7"), &id("q"), none, at(0)),
        Err(Refusal::Nothing)
    );
}

#[test]
fn of_two_corrections_the_second_sees_the_first() {
    let gad = scale("gad7");
    let form = |text: &str, which: Option<&str>| {
        let corrects = which.map(|which| Corrects { which: id(which), reason: "misread".to_owned() });
        Entry { corrects, ..entry(Given::answers(gad, text).expect("a form")) }
    };
    let mut all = Questionnaires::default();
    for (own, entry) in [("a", form("2,2,2,2,2,2,2", None)), ("b", form("2,2,2,2,2,2,1", Some("a")))] {
        let event = enter(&all, gad, &id(own), entry, at(1)).expect("entered");
        all = all.evolve(&event, &nurse(), at(1));
    }
    let counting: Vec<_> =
        all.counting("gad7").iter().map(|(id, one)| (id.0.clone(), one.result.total)).collect();
    assert_eq!(counting, [("b".to_owned(), Some(13.into()))], "what is corrected does not count");
    assert!(all.all[&id("a")].answered.is_some(), "and stays");
    let second = enter(&all, gad, &id("c"), form("0,0,0,0,0,0,0", Some("a")), at(2));
    assert_eq!(second, Err(Refusal::CorrectedBefore { stands: "total 13 instead, “misread”".to_owned() }));
    assert!(void(&all, &id("b"), "  ").is_err());
    let voided = void(&all, &id("b"), "another patient's").expect("voided");
    let all = all.evolve(&voided, &nurse(), at(3));
    assert!(all.counting("gad7").is_empty());
    assert!(matches!(void(&all, &id("b"), "again"), Err(Refusal::CorrectedBefore { .. })));
}

proptest! {
    /// One by one on a phone, in any order and with changes of mind, or all at once on a tablet: the same score.
    #[test]
    fn a_phone_and_a_tablet_come_to_the_same_score(
        last in prop::collection::vec(0_i64..=3, 9),
        first in prop::collection::vec(0_i64..=3, 9),
        turned in any::<bool>(),
    ) {
        let phq = scale("phq9");
        let mut all = linked("phq9");
        let mut order: Vec<usize> = (0..9).collect();
        if turned { order.reverse(); }
        for values in [&first, &last] {
            for place in &order {
                all = save(all, phq, &(place + 1).to_string(), values[*place], 1);
            }
        }
        let sent = send(&all, phq, &id("q"), at(2)).expect("sent");
        let typed: Vec<String> = last.iter().map(ToString::to_string).collect();
        let given = Given::answers(phq, &typed.join(",")).expect("a form");
        let entered = enter(&Questionnaires::default(), phq, &id("e"), entry(given), at(2)).expect("entered");
        let (Event::ScaleAnswered { answered: phone, .. }, Event::ScaleAnswered { answered: tablet, .. }) = (sent, entered)
            else { panic!("both answer") };
        prop_assert_eq!(&phone.result, &tablet.result);
        prop_assert_eq!(phone.given, tablet.given);
    }

    /// Every event reads back as it was written.
    #[test]
    fn what_was_answered_reads_back(total in 0_i64..=60, answers in prop::collection::vec(prop::option::of(0_i64..=3), 9)) {
        let result = Scored { total: Some(total.into()), band: None, complete: true, flags: vec!["x".to_owned()] };
        let given = [
            Given::Total(total.into()),
            Given::Answers(answers.into_iter().map(|one| one.map(Decimal::from)).collect()),
        ];
        for given in given {
            let answered = Answered {
                scale: "phq9".to_owned(), version: 1, at: at(0), given, form: String::new(), result: result.clone(), corrects: None,
            };
            let event = Event::ScaleAnswered { questionnaire: id("q"), answered, task: None };
            let text = serde_json::to_string(&event).expect("written");
            prop_assert_eq!(serde_json::from_str::<Event>(&text).expect("read"), event);
        }
    }
}

/// Hazard 160: an answer that asks for the C-SSRS makes it due at once, until it is answered.
#[test]
fn item_9_asks_for_the_c_ssrs_at_once_until_it_is_answered() {
    use crate::scale::asked::asked_for;
    let (phq, cssrs) = (scale("phq9"), scale("cssrs"));
    let asked = |all: &Questionnaires, elsewhere: Option<Timestamp>| {
        asked_for(cssrs, all, elsewhere.map(|at| (at, at)), &KNOWLEDGE).map(|one| one.since)
    };
    let given = |all: &Questionnaires, item: &Item<Scale>, name: &str, said: &[i64], minute| {
        let given = Given::Answers(said.iter().map(|one| Some((*one).into())).collect());
        let entry = Entry { at: at(minute), ..entry(given) };
        let event = enter(all, item, &id(name), entry, at(minute)).expect("entered");
        all.clone().evolve(&event, &nurse(), at(minute))
    };
    let none = Questionnaires::default();
    let well = given(&none, phq, "well", &[1, 1, 1, 1, 1, 1, 1, 1, 0, 0], 10);
    assert_eq!(asked(&well, None), None, "nothing asks for it");
    let bad = given(&well, phq, "bad", &[1, 1, 1, 1, 1, 1, 1, 1, 1, 0], 20);
    assert_eq!(asked(&bad, None), Some(at(20)));
    let by = asked_for(cssrs, &bad, None, &KNOWLEDGE).expect("asked for").by;
    assert_eq!(by, "PHQ-9");
    assert_eq!(asked_for(phq, &bad, None, &KNOWLEDGE), None, "of no other scale");
    assert_eq!(asked(&bad, Some(at(19))), Some(at(20)), "a consultation before it answers nothing");
    assert_eq!(asked(&bad, Some(at(20))), None);
    let before = given(&bad, cssrs, "before", &[0, 0, 0, 0, 0, 0, 0], 19);
    assert_eq!(asked(&before, None), Some(at(20)));
    let after = given(&bad, cssrs, "after", &[1, 0, 0, 0, 0, 0, 0], 25);
    assert_eq!(asked(&after, None), None, "answered");
    let again = given(&after, phq, "again", &[1, 1, 1, 1, 1, 1, 1, 1, 2, 0], 30);
    assert_eq!(asked(&again, None), Some(at(30)), "and asked for again");
    let first = given(&none, cssrs, "first", &[0, 0, 0, 0, 0, 0, 0], 20);
    let nine = Given::Answers([1, 1, 1, 1, 1, 1, 1, 1, 1, 0].map(|one| Some(one.into())).to_vec());
    let nine = enter(&first, phq, &id("nine"), Entry { at: at(20), ..entry(nine) }, at(21)).expect("entered");
    let same = first.evolve(&nine, &nurse(), at(21));
    assert_eq!(asked(&same, None), Some(at(20)), "written down after a C-SSRS of the same minute");
    let total = enter(
        &none,
        phq,
        &id("total"),
        Entry { at: at(20), form: CONSULTATION.to_owned(), ..entry(Given::Total(18.into())) },
        at(21),
    )
    .expect("entered");
    let there = none.clone().evolve(&total, &nurse(), at(21));
    let day =
        |from, until| asked_for(cssrs, &there, Some((at(from), at(until))), &KNOWLEDGE).map(|one| one.since);
    assert_eq!(
        (day(0, 30), day(0, 10)),
        (None, Some(at(20))),
        "one consultation asks both, and knows their day alone"
    );
    let bad_day = asked_for(cssrs, &bad, Some((at(0), at(30))), &KNOWLEDGE).map(|one| one.since);
    assert_eq!(bad_day, Some(at(20)), "what has a time may have been asked after the consultation");
    let mistaken = void(&bad, &id("bad"), "entered for another patient").expect("voided");
    assert_eq!(asked(&bad.evolve(&mistaken, &nurse(), at(40)), None), None);
    let saved = save(linked("phq9"), phq, "9", 1, 5);
    assert_eq!(asked(&saved, None), Some(at(5)), "before the form is sent");
    assert_eq!(asked(&save(linked("phq9"), phq, "9", 0, 5), None), None);
}
