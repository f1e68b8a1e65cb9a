//! What the watch over a chair makes of what is recorded, and the pressure that is measured again.

use super::*;
use crate::device::{PumpEvent, PumpReading};
use crate::gate::Pressure;
use crate::id::{DeviceId, SessionId};
use crate::monitor::{Input, Monitor, MonitorPolicy, Ordered, Phase as Watched};

fn runs_at(rate: Rate) -> PumpReading {
    PumpReading::seen(PumpStatus::Infusing, rate)
}

/// Hazard 34: the pump ran as it was told. Only that it has not stopped yet is worth an alarm.
#[test]
fn a_stop_after_a_changed_rate_is_no_difference_between_pump_and_order() {
    let slow = Rate(20_000);
    let mut session = take(
        before("infusion_started"),
        Event::InfusionStarted { rate: Rate(30_800), counter: Microlitres(0) },
        0,
    );
    let changed = Event::RateChanged { from: Rate(30_800), to: slow, reason: "queasy".to_owned() };
    session = take(session, changed, 60);
    let policy = MonitorPolicy::new(knowledge(), SessionId::new("s1"), None).expect("a policy");
    let mut monitor = Monitor::new(policy, at(0));
    monitor.feed(at(60), Input::Phase(Watched::Infusing));
    monitor.feed(at(60), Input::Ordered(Ordered::of(&session, at(60)).expect("ordered")));
    monitor.feed(at(61), Input::Pump(runs_at(slow)));
    let ended = Event::InfusionEnded { why: StopReason::StoppedEarly, reason: "enough".to_owned() };
    session = take(session, ended, 120);
    monitor.feed(at(120), Input::Ordered(Ordered::of(&session, at(120)).expect("ordered")));
    monitor.feed(at(120), Input::Phase(Watched::Recovering));
    let mut codes = std::collections::BTreeSet::new();
    for second in 120..140 {
        monitor.feed(at(second), Input::Pump(runs_at(slow)));
        codes.extend(monitor.alarms().map(|alarm| alarm.code.clone()));
    }
    assert!(codes.contains("pump_running") && !codes.contains("pump_conflict/rate"), "{codes:?}");
    monitor.feed(at(140), Input::Pump(runs_at(Rate(30_800))));
    monitor.feed(at(150), Input::Tick);
    assert!(
        monitor.alarms().any(|alarm| alarm.code == "pump_conflict/rate"),
        "it runs at a rate that nobody set"
    );
}

/// Hazard 10: what a pump tells late is of then, and what it did before the patient came is not of this visit.
#[test]
fn an_event_of_the_pump_is_kept_at_its_own_time_and_in_its_own_visit() {
    let session = before("infusion_paused");
    let tell = |happened_at| Command::TellPumpEvent {
        device: DeviceId::new("p1"),
        event: PumpEvent::DeliveryStopped,
        happened_at,
        late: true,
    };
    let machine = Actor::machine("pump-link");
    let events = decide(&session, tell(Some(at(900))), &machine, at(1_500), knowledge()).expect("it is kept");
    assert!(
        matches!(events.as_slice(), [Event::PumpTold { happened_at, late: true, .. }] if *happened_at == at(900))
    );
    let after = take(session.clone(), events[0].clone(), 1_500);
    assert_eq!((after.phase, &after.delivery), (session.phase, &session.delivery), "it moves nothing now");
    let undated = decide(&session, tell(None), &machine, at(1_500), knowledge()).expect("it is kept");
    assert!(matches!(undated.as_slice(), [Event::PumpToldUndated { .. }]), "{undated:?}");
    let came = session.checked_in_at.expect("checked in");
    let earlier = came.checked_sub(SignedDuration::from_secs(1)).expect("a time");
    let refusal = decide(&session, tell(Some(earlier)), &machine, at(1_500), knowledge());
    assert!(matches!(refusal, Err(Refusal::OutOfRange { field: "happened_at", .. })), "{refusal:?}");
    let by_hand = decide(&session, tell(Some(at(900))), &nurse("kim"), at(1_500), knowledge());
    assert!(matches!(by_hand, Err(Refusal::NotAllowed { .. })), "{by_hand:?}");
}

fn measured(session: Session, pressure: Pressure, minute: i64) -> Session {
    let gate = RuleId::new("c11");
    let mut inputs = before("infusion_started").gates[&gate].answer.inputs.clone();
    inputs.pressures = vec![pressure, pressure];
    let answer = Command::AnswerGate { gate, inputs: Box::new(inputs), note: String::new() };
    let now = at(minute * 60);
    let events = decide(&session, answer, &nurse("kim"), now, knowledge()).expect("it is judged");
    events.into_iter().fold(session, |session, event| take(session, event, minute * 60))
}

fn holds(session: &Session) -> Vec<String> {
    let all = crate::session::gates::standing(session, knowledge());
    all.into_iter().find(|gate| gate.gate.as_str() == "c11").expect("the gate").open
}

proptest! {
    /// Hazard 39: a measurement ends the red band from half an hour after it on and never sooner, however often
    /// somebody measures in between, and nobody overrides that.
    #[test]
    fn a_red_pressure_ends_after_half_an_hour_and_never_sooner(mut minutes in prop::collection::vec(1_i64..70, 1..5)) {
        minutes.sort_unstable();
        let red = measured(before("order_signed"), Pressure::new(170, 100), 0);
        prop_assert!(!holds(&red).is_empty());
        let mut session = red;
        for minute in minutes {
            session = measured(session, Pressure::new(120, 76), minute);
            let open = holds(&session);
            prop_assert_eq!(open.is_empty(), minute >= 30, "{} min: {:?}", minute, open);
            if let [soon] = open.as_slice() {
                let left = format!("{} min after this one", 30 - minute);
                prop_assert!(soon.contains(&left), "{}", soon);
                let signature = signed("osei", Role::Prescriber);
                let reason = "it is fine".to_owned();
                let pass = Command::OverrideGate { gate: RuleId::new("c11"), reason, signature };
                let doctor = Actor { id: StaffId::new("osei"), role: Role::Prescriber };
                let refusal = decide(&session, pass, &doctor, at(minute * 60), knowledge());
                prop_assert!(matches!(refusal, Err(Refusal::Held { .. })), "{:?}", refusal);
            }
        }
    }
}

#[test]
fn a_pressure_that_is_red_again_begins_anew_and_an_amber_one_waits_for_nothing() {
    let red = |session, minute| measured(session, Pressure::new(170, 100), minute);
    let green = |session, minute| measured(session, Pressure::new(120, 76), minute);
    let again = red(red(before("order_signed"), 0), 20);
    assert!(!holds(&green(again.clone(), 40)).is_empty());
    assert!(holds(&green(again, 50)).is_empty());
    let amber = measured(before("order_signed"), Pressure::new(150, 95), 0);
    assert!(!holds(&amber).is_empty() && holds(&green(amber, 1)).is_empty());
}

/// One low reading does not end a very high one sooner than it ends a red one.
#[test]
fn a_crisis_ends_no_sooner_than_a_red_pressure() {
    let crisis = |session, minute| measured(session, Pressure::new(190, 115), minute);
    let green = |session, minute| measured(session, Pressure::new(120, 76), minute);
    let first = crisis(before("order_signed"), 0);
    assert!(!holds(&green(first.clone(), 1)).is_empty());
    assert!(holds(&green(first, 30)).is_empty());
    let red = measured(before("order_signed"), Pressure::new(170, 100), 0);
    assert!(!holds(&green(crisis(red, 29), 31)).is_empty(), "counted from the last that waits");
}

/// Hazard 34: a pump that nobody reads has given what it was told to give and no more. From then on nobody knows what it
/// does, until somebody reads it; what it gave, it gave in its time.
#[test]
fn no_more_flows_than_the_pump_was_told_to_give() {
    let ready = before("infusion_started");
    let all = ready.program.as_ref().expect("programmed").0.vtbi;
    let rate = Rate(30_800);
    let running = take(ready, Event::InfusionStarted { rate, counter: Microlitres(500) }, 0);
    let empty_s = all.0 * 3600 / rate.0;
    let delivered = |session: &Session, second| session.delivery.volume_at(at(second));
    let uncertain = |session: &Session, second| {
        matches!(session.delivery.certainty(at(second)), Certainty::Uncertain { .. })
    };
    assert!(delivered(&running, empty_s - 1) < all && !uncertain(&running, empty_s - 1));
    assert_eq!(delivered(&running, empty_s + 1), all);
    assert_eq!(delivered(&running, 2 * empty_s), all);
    assert!(uncertain(&running, 2 * empty_s));
    assert_eq!(running.left_s(at(2 * empty_s)), None, "no page says that it is done");
    let ended = Event::InfusionEnded { why: StopReason::StoppedEarly, reason: "seen late".to_owned() };
    let ended = take(running, ended, 2 * empty_s);
    assert_eq!(delivered(&ended, 3 * empty_s), all);
    assert!(ended.delivery.uncertain_since(at(2 * empty_s)).is_some(), "nobody has read the pump");
    let read = Event::PumpWasRead(read(all.0 + 500, 0, 2 * empty_s + 60));
    let read = take(ended, read, 2 * empty_s + 60);
    assert_eq!((delivered(&read, 3 * empty_s), read.delivery.uncertain_since(at(3 * empty_s))), (all, None));
    let segments = read.delivery.segments_to(at(3 * empty_s));
    let flowed: Vec<_> = segments.iter().filter(|one| one.volume > Microlitres::ZERO).collect();
    let [one] = flowed.as_slice() else { panic!("{segments:?}") };
    assert!((one.rate().0 - rate.0).abs() < 100, "at its rate: {:?}", one.rate());
    assert_eq!(segments.iter().map(|one| one.volume.0).sum::<i64>(), all.0);
}
