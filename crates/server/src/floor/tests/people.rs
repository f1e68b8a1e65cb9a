//! What people do at the same time, twice, or too late.

use super::*;
use clinic::monitor::Output;
use clinic::session::{Event, Finding, Observation, Phase, Transfer};
use clinic::staff::Signature;
use std::sync::Barrier;

const START: Command = Command::Start { counter: Microlitres(0), contradicts: Vec::new() };

fn starts(clinic: &Clinic) -> usize {
    clinic.kinds().iter().filter(|kind| *kind == "infusion_started").count()
}

/// Hazards 07 and 27: a repetition, at once or hours later, gets the first outcome and acts no second time.
#[test]
fn the_same_command_acts_once_however_late_it_comes_again() {
    let mut clinic = Clinic::new();
    clinic.play_until("infusion_started");
    let first = clinic.act("tap", START).expect("started");
    let before = clinic.history();
    for wait_s in [0, 4 * 3600] {
        clinic.seconds_pass(wait_s);
        let again = clinic.act("tap", START).expect("the first outcome");
        assert_eq!((again.before, again.position), (true, first.position));
        assert_eq!(clinic.history(), before);
    }
    assert!(matches!(clinic.act("another", START), Err(Denied::Refused(_))), "a late start starts nothing");
    assert_eq!(clinic.history(), before);
}

/// Hazard 26: an answer was lost, the same form is sent again with another value: nobody may believe that the second
/// one is recorded. Times that the clock filled in may differ between a form and its retry.
#[test]
fn a_form_that_says_something_else_is_no_retry() {
    let mut clinic = Clinic::new();
    clinic.play_until("infusion_started");
    let distress = |clinic: &Clinic, score: u8| {
        let (observed_at, finding) = (clinic.clock.now(), Finding::Distress { score });
        Command::Chart(Observation::by_eye(observed_at, finding))
    };
    let first = clinic.act("tap", distress(&clinic, 3)).expect("charted");
    let before = clinic.history();
    clinic.seconds_pass(20);
    let again = clinic.act("tap", distress(&clinic, 3)).expect("the first outcome");
    assert_eq!((again.before, again.position), (true, first.position));
    assert!(matches!(clinic.act("tap", distress(&clinic, 4)), Err(Denied::SaidOtherwise)));
    let other = clinic.floor.act(&clinic.visit, &CommandId::new("tap"), &nurse("lee"), distress(&clinic, 3));
    assert!(matches!(other, Err(Denied::SaidOtherwise)), "somebody else never charted it");
    assert_eq!(clinic.history(), before);
    clinic.act("another", distress(&clinic, 4)).expect("charted");
}

/// Hazard 26: a time that somebody typed is part of what they said; the clock's own is not.
#[test]
fn a_form_with_another_typed_time_is_no_retry() {
    let mut clinic = Clinic::new();
    clinic.play_until("infusion_started");
    clinic.seconds_pass(90);
    let minutes_ago = |clinic: &Clinic, minutes| {
        let ago = jiff::SignedDuration::from_mins(minutes);
        clinic.now().checked_sub(ago).expect("near")
    };
    let pain = |observed_at| Command::Chart(Observation::by_eye(observed_at, Finding::Pain { score: 2 }));
    let (began, other) = (minutes_ago(&clinic, 4), minutes_ago(&clinic, 3));
    let event = |began_at| Command::NoteAdverseEvent {
        playbook: clinic::id::RuleId::new("nausea_vomiting"),
        grade: 1,
        serious: false,
        began_at,
        text: "queasy".to_owned(),
    };
    clinic.act("pain", pain(began)).expect("charted");
    clinic.act("event", event(began)).expect("noted");
    let before = clinic.history();
    clinic.seconds_pass(300);
    assert!(clinic.act("pain", pain(began)).expect("the first outcome").before);
    assert!(clinic.act("event", event(began)).expect("the first outcome").before);
    for time in [other, clinic.now()] {
        assert!(matches!(clinic.act("pain", pain(time)), Err(Denied::SaidOtherwise)));
        assert!(matches!(clinic.act("event", event(time)), Err(Denied::SaidOtherwise)));
    }
    assert_eq!(clinic.history(), before);
}

/// Hazard 26: the same holds for what is said about a patient, a device and a limit.
#[test]
fn what_is_said_otherwise_under_a_known_id_is_never_answered_as_recorded() {
    let mut clinic = Clinic::new();
    clinic.play_to_infusing();
    let (kim, lee) = (nurse("kim"), nurse("lee"));
    let (floor, id, who) = (&clinic.floor, CommandId::new("tap"), PatientId::new("p1"));
    let known = Allergies::Known(vec!["penicillin".to_owned()]);
    floor.record_allergies(&id, &kim, &who, (Allergies::NoneKnown, false)).expect("recorded");
    assert!(floor.record_allergies(&id, &kim, &who, (Allergies::NoneKnown, false)).expect("a retry").before);
    for (by, says, whose) in
        [(&kim, &known, "p1"), (&lee, &Allergies::NoneKnown, "p1"), (&kim, &Allergies::NoneKnown, "p2")]
    {
        let answer = floor.record_allergies(&id, by, &PatientId::new(whose), (says.clone(), false));
        assert!(matches!(answer, Err(Denied::SaidOtherwise)), "{answer:?}");
    }
    let person = floor.patient(&who).expect("log").expect("registered");
    let (register, other) =
        (CommandId::new("register-p1"), Patient { given: "Else".to_owned(), ..person.clone() });
    let first = Patient { allergies: Allergies::NoneKnown, ..person };
    assert!(floor.register(&register, &kim, &who, (first, false)).expect("a retry").before);
    assert!(matches!(floor.register(&register, &kim, &who, (other, false)), Err(Denied::SaidOtherwise)));

    let (its, place) = (device(&pump()), CommandId::new(format!("place-{}", device(&pump()))));
    let elsewhere = ChairId::new("10");
    assert!(floor.place_device(&place, &kim, &its, None, &chair()).expect("a retry").before);
    for answer in [
        floor.place_device(&place, &kim, &its, None, &elsewhere),
        floor.place_device(&place, &kim, &device(&monitor()), None, &chair()),
        floor.place_device(&place, &lee, &its, None, &chair()),
        floor.take_device_away(&place, &kim, &its, &chair()),
    ] {
        assert!(matches!(answer, Err(Denied::SaidOtherwise)), "{answer:?}");
    }
    assert_eq!(floor.seating().device_at(&chair(), DeviceKind::Pump), Some(&its));

    let limit = |to: i64, reason: &str| clinic::monitor::LimitChange {
        rule: clinic::id::RuleId::new("sbp_warn_high"),
        to: to.into(),
        by: kim.id.clone(),
        reason: reason.to_owned(),
    };
    let set = |changes| floor.set_limits(&clinic.visit, &CommandId::new("limits"), &kim, changes);
    set(vec![limit(155, "long")]).expect("moved");
    assert!(set(vec![limit(155, "long")]).expect("a retry").before);
    for changes in [vec![limit(150, "long")], vec![limit(160, "long")], vec![limit(155, "x")], vec![]] {
        assert!(matches!(set(changes), Err(Denied::SaidOtherwise)));
    }
    let stands = floor.limits(&clinic.visit).expect("seated");
    assert!(stands.iter().any(|one| one.rule.as_str() == "sbp_warn_high" && one.threshold == 155.into()));
}

/// The readings of the last minutes at the chair are kept when the patient leaves it.
#[test]
fn the_last_minute_before_the_chair_is_free_is_kept() {
    let mut clinic = Clinic::new();
    clinic.play_until("checked_in");
    clinic.place(&monitor(), DeviceKind::Monitor);
    clinic.play_until("discharged");
    let bytes = clinic.vitals(Some("004217"), 96);
    assert_eq!(clinic.floor.take_frame(&bytes).refused, None);
    clinic.play_until("nothing more");
    assert_eq!(clinic.floor.seating().session_at(&chair()), None);
    clinic.floor.keep();
    let kept = clinic.floor.kept_readings(&clinic.visit).expect("log");
    let spo2 =
        kept.iter().find(|(_, parameter, _)| *parameter == Parameter::Spo2).map(|(_, _, value)| value.0);
    assert_eq!(spo2, Some(960));
}

/// Hazard 08.
#[test]
fn two_people_who_start_at_once_start_one_infusion() {
    let mut clinic = Clinic::new();
    clinic.play_until("infusion_started");
    let ready = Barrier::new(2);
    let outcomes: Vec<_> = std::thread::scope(|scope| {
        let taps = ["kim", "lee"].map(|who| {
            let (clinic, ready) = (&clinic, &ready);
            scope.spawn(move || {
                ready.wait();
                clinic.floor.act(&clinic.visit, &CommandId::new(who), &nurse(who), START)
            })
        });
        taps.into_iter().map(|tap| tap.join().expect("no panic")).collect()
    });
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1, "{outcomes:?}");
    assert!(outcomes.iter().any(|outcome| matches!(outcome, Err(Denied::Refused(_)))), "{outcomes:?}");
    assert_eq!(starts(&clinic), 1);
}

/// Hazard 08: two programs on one log. The one whose memory is behind decides again on what the log says.
#[test]
fn a_start_on_old_facts_is_decided_again_and_refused() {
    let mut clinic = Clinic::new();
    clinic.play_until("infusion_started");
    let behind = open_on(clinic.floor.store(), &clinic.clock, 9);
    clinic.act("first", START).expect("started");
    let second = behind.act(&clinic.visit, &CommandId::new("second"), &nurse("lee"), START);
    assert!(matches!(second, Err(Denied::Refused(_))), "{second:?}");
    assert_eq!(starts(&clinic), 1);
}

/// Hazard 09: the order is changed between the last look and the start.
#[test]
fn a_start_on_an_order_that_was_replaced_meanwhile_is_refused() {
    let mut clinic = Clinic::new();
    clinic.play_until("infusion_started");
    let behind = open_on(clinic.floor.store(), &clinic.clock, 9);
    let signs = |step: &&clinic::scenario::Step| step.then.iter().any(|kind| kind == "order_signed");
    let step = scenario().steps.iter().find(signs).expect("an order");
    let prescriber = Actor { id: StaffId::new("osei"), role: Role::Prescriber };
    let mut slower = step.command.clone().expect("an act of the visit");
    if let Command::SignOrder { request, reason, .. } = &mut slower {
        (request.minutes, *reason) = (Some(50.into()), Some("slower".to_owned()));
    }
    let command = CommandId::new("new order");
    clinic.floor.act(&clinic.visit, &command, &prescriber, slower).expect("signed");
    let started = behind.act(&clinic.visit, &CommandId::new("start"), &nurse("kim"), START);
    assert!(matches!(started, Err(Denied::Refused(_))), "{started:?}");
    assert_eq!(starts(&clinic), 0);
}

#[test]
fn a_chair_is_free_again_after_the_discharge_and_the_record_stays() {
    let mut clinic = Clinic::new();
    clinic.play_until("checked_in");
    clinic.play_until("infusion_started");
    assert_eq!(clinic.floor.seating().session_at(&chair()), Some(&clinic.visit));
    assert!(matches!(check_in(&clinic, "v2", "p2"), Err(Denied::Seating(_))), "the chair is taken");
    clinic.play_until("nothing more");
    assert_eq!(clinic.floor.seating().session_at(&chair()), None);
    // The scenario ends with a note on the closed visit.
    assert_eq!(clinic.kinds().last().map(String::as_str), Some("note_written"));
    assert_eq!(clinic.session().phase, Phase::Discharged);
    assert_eq!(clinic.session().version, i64::try_from(clinic.history().len()).expect("few"));
    check_in(&clinic, "v2", "p2").expect("the chair is free");
}

fn check_in(clinic: &Clinic, visit: &str, patient: &str) -> Result<Done, Denied> {
    let id = SessionId::new(visit);
    let plan = Command::Plan {
        patient: PatientId::new(patient),
        regimen: clinic::id::RuleId::new("mdd_trd_std"),
        infusion: 1,
        of: 6,
        day: jiff::civil::date(2026, 3, 2),
    };
    clinic.floor.act(&id, &CommandId::new(format!("plan-{visit}")), &nurse("kim"), plan)?;
    let sit = Command::CheckIn { chair: chair() };
    clinic.floor.act(&id, &CommandId::new(clinic.floor.ids.next()), &nurse("kim"), sit)
}

/// Someone is handed over to an ambulance, the chair is given to the next patient, and only then the waste is
/// written down: that must not touch the watch over the next patient, neither then nor after a restart.
#[test]
fn a_late_waste_does_not_end_the_watch_over_the_next_patient() {
    let mut clinic = Clinic::new();
    clinic.play_until("checked_in");
    clinic.place(&monitor(), DeviceKind::Monitor);
    clinic.play_until("drug_wasted");
    let signature = Signature {
        by: StaffId::new("kim"),
        role: Role::Nurse,
        meaning: "I hand over".to_owned(),
        at: clinic.now(),
    };
    let strange = clinic.vitals(Some("999999"), 84);
    clinic.floor.take_frame(&strange);
    let standing: Vec<_> =
        clinic.floor.alarm_list(clinic.now()).into_iter().map(|(_, view, _)| view.alarm.id).collect();
    assert!(!standing.is_empty());
    let transfer = Transfer { to: "County Hospital".to_owned(), reason: "chest pain".to_owned() };
    clinic.act("transfer", Command::TransferOut { transfer, signature }).expect("handed over");
    assert!(clinic.floor.alarm_list(clinic.now()).is_empty(), "alarms of somebody who is not there");
    assert_eq!(clinic.spo2(), None, "values of somebody who is not there");
    // The log is asked after a command that it took behind the lines.
    clinic.act("note", Command::Note { text: "handed over".to_owned() }).expect("noted");
    let lines = clinic.floor.alarm_history(&clinic.visit).expect("log");
    for id in standing {
        let left = lines.iter().any(|(_, _, line)| matches!(line, Output::AlarmLeft(one) if *one == id));
        assert!(left, "{id} has no ending: {lines:?}");
    }
    check_in(&clinic, "v2", "p2").expect("the chair is free");
    let watched = |clinic: &Clinic| clinic.floor.monitor_view(&chair()).expect("a chair").phase;
    assert_eq!(watched(&clinic), clinic::monitor::Phase::Preparing);
    clinic.restart_after(10);
    assert_eq!(watched(&clinic), clinic::monitor::Phase::Preparing);
    let wastes = |step: &&clinic::scenario::Step| step.then.iter().any(|kind| kind == "drug_wasted");
    let step = scenario().steps.iter().find(wastes).expect("a waste");
    clinic.act("waste", step.command.clone().expect("an act of the visit")).expect("wasted");
    assert!(clinic.history().iter().any(|one| matches!(one.event, Event::DrugWasted { .. })));
    assert_eq!(watched(&clinic), clinic::monitor::Phase::Preparing);
    let bytes = clinic.vitals(Some("004218"), 96);
    assert_eq!(clinic.floor.take_frame(&bytes).refused, None);
    assert_eq!(clinic.spo2().as_deref(), Some("96"));
}
