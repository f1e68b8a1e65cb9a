//! Two people at one pump, and one who is told everything at once.

use super::*;

fn rate_to(to: i64, after: Option<i64>) -> Command {
    Command::ChangeRate { to: Rate(to), reason: "nausea".to_owned(), passes: None, after }
}

fn resume_at(rate: i64, after: Option<i64>) -> Command {
    let (reason, alarms) = ("calm again".to_owned(), Vec::new());
    Command::Resume { rate: Rate(rate), reason, prescriber: None, alarms, passes: None, after }
}

fn ask(session: &Session, command: Command, second: i64) -> Result<Vec<Event>, Refusal> {
    decide(session, command, &nurse("lee"), at(second), knowledge())
}

fn started() -> Session {
    let started = Event::InfusionStarted { rate: Rate(30_800), counter: Microlitres(0) };
    take(before("infusion_started"), started, 600)
}

fn shown(session: &Session) -> Option<i64> {
    session.delivery.last_set().map(|set| set.position)
}

/// Hazard 153: a form that showed another flow changes none, and says who set what and when. What the pump told in
/// between is nobody's change.
#[test]
fn a_form_that_showed_another_flow_is_refused_with_who_set_what_and_when() {
    let session = started();
    let form = shown(&session);
    let reason = "pressure".to_owned();
    let read = take(session, Event::PumpWasRead(read(1_026, 30_800, 720)), 720);
    assert!(ask(&read, rate_to(20_000, form), 720).is_ok(), "a reading is no change");
    let slower = take(read, Event::RateChanged { from: Rate(30_800), to: Rate(15_400), reason }, 730);
    let refusal = ask(&slower, rate_to(20_000, form), 740).expect_err("kim was faster");
    let told = "kim set the rate to 15.4 mL/h at 2026-03-02T09:12:10Z";
    assert!(refusal.to_string().starts_with(told) && refusal.field() == "rate", "{refusal}");
    assert!(ask(&slower, rate_to(20_000, shown(&slower)), 740).is_ok(), "by a form that shows it");
    assert!(ask(&slower, rate_to(20_000, None), 740).is_ok(), "an older command did not say");
    let paused = take(slower, Event::InfusionPaused { reason: String::new() }, 750);
    let refusal = ask(&paused, rate_to(20_000, form), 760).expect_err("it is paused");
    assert!(refusal.to_string().starts_with("kim paused the infusion at"), "{refusal}");
    let resume = shown(&paused);
    assert!(ask(&paused, resume_at(15_400, resume), 760).is_ok());
    let reason = "calm".to_owned();
    let resumed = take(paused, Event::InfusionResumed { rate: Rate(20_000), reason }, 770);
    let again = take(resumed.clone(), Event::InfusionPaused { reason: String::new() }, 780);
    for (session, told) in
        [(resumed, "kim resumed the infusion at 20 mL/h"), (again, "kim paused the infusion")]
    {
        let refusal = ask(&session, resume_at(15_400, resume), 790).expect_err("another pause");
        assert!(refusal.to_string().starts_with(told), "{refusal}");
    }
}

/// A person works off what speaks against it in one go.
#[test]
fn a_resume_names_all_that_refuses_it_at_once() {
    let reason = String::new();
    let paused = take(started(), Event::InfusionPaused { reason: reason.clone() }, 720);
    let long = 720 + knowledge().session_rules().pause_total_s_max + 1;
    let alarms = vec!["SBP 182".to_owned(), "missing: SpO₂ since the pause began".to_owned()];
    let go_on = Command::Resume {
        rate: Rate(30_800),
        reason,
        prescriber: None,
        alarms: alarms.clone(),
        passes: None,
        after: None,
    };
    let Err(Refusal::Several(all)) = ask(&paused, go_on, long) else { panic!("all of them") };
    assert_eq!(all[0], Refusal::Held { reasons: alarms });
    let fields: Vec<&str> = all.iter().map(Refusal::field).collect();
    assert_eq!(fields, ["", "prescriber", "rate", "reason"], "{all:?}");
    let refusal = ask(&paused, resume_at(30_800, None), 730);
    assert!(refusal.is_ok(), "{refusal:?}");
    let one = ask(&paused, resume_at(30_900 * 2, None), 730).expect_err("above the order");
    assert!(matches!(one, Refusal::RateAboveAbsoluteLimit { .. }), "one alone stays itself: {one}");
}
