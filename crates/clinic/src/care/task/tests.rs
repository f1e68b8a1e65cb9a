use super::super::roster::Call;
use super::*;
use crate::id::DutyId;
use crate::knowledge::Knowledge;
use proptest::prelude::*;

const MIN: i64 = 60;

fn clock() -> Clock {
    Clock { rule: RuleId::new("escalation"), version: 1, answer_within_s: 10 * MIN, done_within_s: 60 * MIN }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).expect("time")
}

fn duty(staff: &str, call: Call, from: i64, to: i64) -> Duty {
    Duty { id: DutyId::new(staff), staff: StaffId::new(staff), call, from: at(from), to: at(to) }
}

fn roster() -> Vec<Duty> {
    vec![duty("kim", Call::First, -600, 86_400), duty("osei", Call::Second, -600, 86_400)]
}

fn crisis() -> TaskOpened {
    TaskOpened::CrisisAnswer { inquiry: InquiryId::new("i1"), answer: Crisis::Danger }
}

fn opened(on_call: &[Duty], now: i64) -> Task {
    let on_call: Vec<&Duty> = on_call.iter().collect();
    Task::opened(&open(crisis(), &on_call, &clock(), at(now)), at(now)).expect("it opens")
}

/// Lets the clock look every second from one moment to another.
fn watched(mut task: Task, roster: &[Duty], seconds: std::ops::Range<i64>) -> Task {
    for second in seconds {
        let on_call: Vec<&Duty> =
            roster.iter().filter(|d| d.from <= at(second) && at(second) < d.to).collect();
        while let Some(event) = on_clock(&task, &on_call, &clock(), at(second)) {
            task = task.evolve(&event, at(second));
        }
    }
    task
}

fn person(staff: &str) -> Owner {
    Owner::Person(StaffId::new(staff))
}

fn actor(staff: &str, role: Role) -> Actor {
    Actor { id: StaffId::new(staff), role }
}

fn acted(task: Task, command: Command, by: &Actor, now: i64) -> Task {
    let event = decide(&task, command, by, &clock(), at(now)).expect("it may");
    task.evolve(&event, at(now))
}

fn finish(outcome: Outcome) -> Command {
    Command::Finish { outcome, words: "spoke with her, her sister is there".to_owned() }
}

#[test]
fn a_task_that_nobody_takes_goes_down_the_roster_and_then_to_everyone() {
    let task = opened(&roster(), 0);
    assert_eq!((&task.owner, task.due), (&person("kim"), at(10 * MIN)));
    let task = watched(task, &roster(), 0..10 * MIN);
    assert_eq!(task.owner, person("kim"), "until the clock runs out");
    let task = watched(task, &roster(), 10 * MIN..10 * MIN + 1);
    assert_eq!((&task.owner, task.due), (&person("osei"), at(20 * MIN)));
    let task = watched(task, &roster(), 20 * MIN..24 * 60 * MIN);
    assert_eq!((&task.owner, task.passed_on), (&Owner::Everyone, 2), "and stays there, told once");
    assert_eq!(task.due, at(30 * MIN), "overdue for everyone to see");
}

#[test]
fn with_nobody_on_call_it_is_everyones_until_somebody_comes_on_call() {
    let task = opened(&[], 0);
    assert_eq!(task.owner, Owner::Everyone);
    let later = [duty("kim", Call::First, 3 * MIN, 86_400)];
    assert_eq!(watched(task.clone(), &later, 0..3 * MIN).owner, Owner::Everyone);
    assert_eq!(watched(task, &later, 3 * MIN..3 * MIN + 1).owner, person("kim"), "at once");
}

#[test]
fn who_comes_on_call_again_is_told_again() {
    let task = watched(opened(&roster(), 0), &roster(), 0..60 * MIN);
    assert_eq!(task.owner, Owner::Everyone);
    let again = [duty("kim", Call::First, 120 * MIN, 86_400)];
    assert_eq!(watched(task, &again, 60 * MIN..121 * MIN).owner, person("kim"));
}

#[test]
fn a_task_that_is_taken_and_not_done_passes_on_too() {
    let kim = actor("kim", Role::Nurse);
    let task = acted(opened(&roster(), 0), Command::Take, &kim, 4 * MIN);
    assert_eq!((&task.owner, task.due), (&person("kim"), at(64 * MIN)));
    let task = watched(task, &roster(), 4 * MIN..64 * MIN);
    assert!(task.taken.is_some(), "the first clock stopped when it was taken");
    let task = watched(task, &roster(), 64 * MIN..64 * MIN + 1);
    assert_eq!((&task.owner, &task.taken), (&person("osei"), &None));
    let denied = decide(&task, finish(Outcome::SeenTo), &kim, &clock(), at(65 * MIN));
    assert!(matches!(denied, Err(Refusal::TaskNotYours { .. })));
}

#[test]
fn it_is_done_by_whoever_took_it_with_an_outcome_in_words() {
    let (kim, osei) = (actor("kim", Role::Nurse), actor("osei", Role::Prescriber));
    let task = opened(&roster(), 0);
    let refused =
        |task: &Task, command, by: &Actor| decide(task, command, by, &clock(), at(MIN)).expect_err("refused");
    for role in [Role::FrontDesk, Role::Owner, Role::Machine] {
        assert!(matches!(refused(&task, Command::Take, &actor("x", role)), Refusal::NotAllowed { .. }));
    }
    assert!(matches!(refused(&task, finish(Outcome::SeenTo), &kim), Refusal::TaskNotYours { .. }));
    let task = acted(task, Command::Take, &kim, MIN);
    assert_eq!(refused(&task, Command::Take, &kim), Refusal::TaskIsYours);
    assert!(matches!(refused(&task, finish(Outcome::SeenTo), &osei), Refusal::TaskNotYours { .. }));
    let silent = Command::Finish { outcome: Outcome::SeenTo, words: " . ".to_owned() };
    assert_eq!(refused(&task, silent, &kim).field(), "words");
    assert_eq!(refused(&task, finish(Outcome::NotReached), &kim), Refusal::NotReached);
    let over = acted(acted(task, Command::Take, &osei, 2 * MIN), finish(Outcome::NotReached), &osei, 3 * MIN);
    assert_eq!(refused(&over, Command::Take, &kim), Refusal::TaskIsDone);
    assert_eq!(watched(over.clone(), &roster(), 0..120 * MIN), over, "a clock does nothing to what is done");
}

#[derive(Debug, Clone)]
enum Happens {
    Minutes(i64),
    Take(usize),
    Finish(usize),
}

fn happens() -> impl Strategy<Value = Happens> {
    prop_oneof![
        (1_i64..90).prop_map(Happens::Minutes),
        (0_usize..5).prop_map(Happens::Take),
        (0_usize..5).prop_map(Happens::Finish),
    ]
}

proptest! {
    /// Whatever happens, a task ends only by an outcome of somebody who may, and a clock that ran out while somebody
    /// on the roster was not told has passed it on.
    #[test]
    fn no_task_is_ever_silently_dropped(
        story in prop::collection::vec(happens(), 1..25),
        shifts in prop::collection::vec((0_usize..3, -100_i64..600, 1_i64..300), 0..6),
    ) {
        let people = [
            actor("kim", Role::Nurse), actor("osei", Role::Prescriber), actor("ira", Role::Therapist),
            actor("robin", Role::FrontDesk), actor("hale", Role::Owner),
        ];
        let roster: Vec<Duty> = shifts
            .iter()
            .map(|(who, from, minutes)| {
                let call = Call::ALL[*who];
                duty(&people[*who].id.0, call, from * MIN, (from + minutes) * MIN)
            })
            .collect();
        let on_call = |now: i64| -> Vec<&Duty> {
            let mut on: Vec<&Duty> = roster.iter().filter(|d| d.from <= at(now) && at(now) < d.to).collect();
            on.sort_by_key(|duty| duty.call);
            on
        };
        let (mut now, mut finished) = (0, false);
        let mut task = Task::opened(&open(crisis(), &on_call(0), &clock(), at(0)), at(0)).expect("opens");
        for one in story {
            let command = match one {
                Happens::Minutes(minutes) => {
                    for _ in 0..minutes {
                        now += MIN;
                        while let Some(event) = on_clock(&task, &on_call(now), &clock(), at(now)) {
                            task = task.evolve(&event, at(now));
                        }
                    }
                    let waits = task.done.is_none() && at(now) >= task.due;
                    prop_assert!(!waits || task.owner == Owner::Everyone, "late and with {:?}", task.owner);
                    continue;
                }
                Happens::Take(who) => (Command::Take, who),
                Happens::Finish(who) => (finish(Outcome::SeenTo), who),
            };
            let by = &people[command.1];
            if let Ok(event) = decide(&task, command.0, by, &clock(), at(now)) {
                prop_assert!(may_answer(by.role));
                finished |= matches!(event, Event::TaskDone { .. });
                task = task.evolve(&event, at(now));
            }
            prop_assert_eq!(task.done.is_some(), finished);
        }
    }
}

#[test]
fn what_may_end_a_life_has_the_shortest_clock() {
    let knowledge = Knowledge::shipped().expect("it holds");
    let clock = |urgency| knowledge.clock(urgency);
    let risk = clock(Urgency::SuicideRisk);
    for other in [clock(Urgency::RedAnswer), clock(Urgency::ClinicalReview)] {
        assert!(risk.answer_within_s < other.answer_within_s && risk.done_within_s <= other.done_within_s);
    }
    assert_eq!(TaskOpened::ReviewAsked { inquiry: InquiryId::new("i1") }.urgency(), Urgency::ClinicalReview);
    let nine = TaskOpened::ScaleItem {
        patient: PatientId::new("p1"),
        scale: "PHQ-9".to_owned(),
        item: "item 9".to_owned(),
        answer: "2".to_owned(),
    };
    assert_eq!((nine.urgency(), nine.title().as_str()), (Urgency::SuicideRisk, "PHQ-9, item 9: 2"));
}

/// Shapes that stand in logs: a failing line here means that old logs can no longer be read.
#[test]
fn every_event_shape_ever_written_is_still_read() {
    let why = [
        r#"{"cause":"crisis_answer","inquiry":"i1","answer":"danger"}"#,
        r#"{"cause":"review_asked","inquiry":"i1"}"#,
        r#"{"cause":"scale_item","patient":"p1","scale":"PHQ-9","item":"item 9","answer":"2"}"#,
        r#"{"cause":"score_turned","patient":"p1","scale":"PHQ-9","turn":"response_lost","said":"20 before the series, 13 now"}"#,
        r#"{"cause":"pre_visit_answer","patient":"p1","question":"fever","answer":"yes"}"#,
    ];
    let opened = why.map(|why| {
        format!(
            r#"{{"kind":"task_opened","why":{why},"owner":{{"person":"kim"}},"answer_by":"2026-11-22T10:10:00Z","rule":"escalation","version":1}}"#
        )
    });
    let others = [
        r#"{"kind":"task_taken","by":"kim","done_by":"2026-11-22T11:00:00Z"}"#,
        r#"{"kind":"task_passed_on","from":{"person":"kim"},"to":"everyone","answer_by":"2026-11-22T10:20:00Z"}"#,
        r#"{"kind":"task_done","by":"kim","outcome":"seen_to","words":"spoke with her"}"#,
    ];
    for text in opened.iter().map(String::as_str).chain(others) {
        let event: Event = serde_json::from_str(text).expect(text);
        assert_eq!(serde_json::to_string(&event).expect("json"), text);
    }
}
