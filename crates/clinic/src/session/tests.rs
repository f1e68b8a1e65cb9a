//! Laws of a session that hold whatever people and machines do.

mod check;
mod counter;
mod gates;
mod leaving;
mod pump;
mod slips;
mod strike;
mod together;
mod vials;
mod watched;
mod words;

use super::balance::Balance;
use super::delivery::{Certainty, Delivery};
use super::state::Draw;
use super::*;
use crate::course::BesidePlan;
use crate::device::PumpStatus;
use crate::dose::DoseRequest;
use crate::id::{ChairId, OrderId, PatientId, RuleId, StaffId};
use crate::knowledge::weight::Sex;
use crate::quantity::{Concentration, Height, Micrograms, Microlitres, Rate, Weight};
use crate::scenario::Scenario;
use crate::staff::Signature;
use jiff::SignedDuration;
use jiff::civil::date;
use proptest::prelude::*;
use std::sync::LazyLock;

fn start() -> Timestamp {
    "2026-03-02T09:00:00Z".parse().expect("a time")
}

fn at(second: i64) -> Timestamp {
    start().checked_add(SignedDuration::from_secs(second)).expect("near")
}

fn nurse(name: &str) -> Actor {
    Actor { id: StaffId::new(name), role: Role::Nurse }
}

fn signed(name: &str, role: Role) -> Signature {
    Signature { by: StaffId::new(name), role, meaning: "I did".to_owned(), at: start() }
}

fn take(session: Session, event: Event, second: i64) -> Session {
    let version = session.version + 1;
    evolve(session, &Recorded { position: version, version, at: at(second), by: StaffId::new("kim"), event })
}

fn read(counter: i64, rate: i64, second: i64) -> PumpRead {
    let status = if rate > 0 { PumpStatus::Infusing } else { PumpStatus::NotInfusing };
    PumpRead {
        by: ReadBy::Person,
        status,
        rate: Rate(rate),
        counter: Microlitres(counter),
        read_at: at(second),
        reason: None,
        jumped: false,
        all_in: false,
    }
}

fn knowledge() -> &'static Knowledge {
    static KNOWLEDGE: LazyLock<Knowledge> =
        LazyLock::new(|| Knowledge::shipped().expect("the shipped knowledge is sound"));
    &KNOWLEDGE
}

/// What the scenario of the tests records.
fn history() -> &'static [Recorded] {
    static HISTORY: LazyLock<Vec<Recorded>> = LazyLock::new(|| {
        let text = include_str!("../../tests/scenarios/first_infusion.toml");
        let scenario = Scenario::read(text).expect("the scenario reads");
        let (mut session, mut history) = (Session::default(), Vec::new());
        for step in scenario.steps.iter().filter(|step| step.refused.is_none()) {
            let actor = Actor { id: StaffId::new(&step.by), role: scenario.people[&step.by] };
            let (minutes, seconds) = step.at.split_once(':').expect("a time");
            let now =
                minutes.parse::<i64>().expect("minutes") * 60 + seconds.parse::<i64>().expect("seconds");
            let events = decide(
                &session,
                step.command.clone().expect("an act of the visit"),
                &actor,
                at(now),
                knowledge(),
            )
            .expect("it holds");
            for event in events {
                let version = session.version + 1;
                let by = actor.id.clone();
                let recorded = Recorded { position: version, version, at: at(now), by, event };
                session = evolve(session, &recorded);
                history.push(recorded);
            }
        }
        history
    });
    &HISTORY
}

/// Drawn and not delivered, and the 5 % of 20.5 mL that may be measured wrong, in microlitres.
const MOST_LEFT: i64 = 5_100 + 1_025;

/// What label and draw leave in the vial of the visit.
fn measured() -> std::collections::BTreeMap<crate::id::VialId, Microlitres> {
    [(crate::id::VialId::new("v1"), Microlitres(9_180))].into()
}

/// The session as it was just before the first event of a kind.
fn before(kind: &str) -> Session {
    replay(history().iter().take_while(|recorded| recorded.event.kind() != kind))
}

#[test]
fn delivery_is_what_the_pump_counted_and_not_what_was_planned() {
    let ready = before("infusion_started");
    let mut session =
        take(ready, Event::InfusionStarted { rate: Rate(30_800), counter: Microlitres(500) }, 600);
    assert_eq!(session.delivery.volume_at(at(1200)), Microlitres(5133));
    assert_eq!(session.delivery.certainty(at(1200)), Certainty::Recorded);
    // The pump ran slower than it was told: its counter wins.
    session = take(session, Event::PumpWasRead(read(4500, 30_800, 1200)), 1200);
    assert_eq!(session.delivery.volume_at(at(1200)), Microlitres(4000));
    assert_eq!(session.delivered_mass(at(1200)), Micrograms(8000));
    assert_eq!(session.delivery.certainty(at(1200)), Certainty::Read);
}

#[test]
fn a_lost_pump_leaves_a_range_until_someone_reads_it() {
    let ready = before("infusion_started");
    let mut session = take(ready, Event::InfusionStarted { rate: Rate(36_000), counter: Microlitres(0) }, 0);
    session = take(session, Event::PumpWasRead(read(1000, 36_000, 100)), 100);
    session = take(session, Event::DeliveryBecameUncertain { since: at(100) }, 110);
    let Certainty::Uncertain { low, high, .. } = session.delivery.certainty(at(200)) else {
        panic!("it must be uncertain")
    };
    assert_eq!((low, high), (Microlitres(1000), Microlitres(2000)));
    // A stop in the dark is a word and no reading: the pump may go on, and waste waits until somebody reads it.
    session =
        take(session, Event::InfusionEnded { why: StopReason::StoppedEarly, reason: String::new() }, 200);
    assert_eq!(
        session.delivery.certainty(at(300)),
        Certainty::Uncertain { since: at(100), low: Microlitres(1000), high: Microlitres(3000) }
    );
    let waste = Command::Waste {
        wasted: Microlitres(0),
        residual_in_line: Microlitres(0),
        left_in_vials: measured(),
        vial_fate: VialFate::Wasted,
        explanation: Some("guess".to_owned()),
        witness: signed("lee", Role::Nurse),
    };
    assert_eq!(decide(&session, waste, &nurse("kim"), at(300), knowledge()), Err(Refusal::DeliveryUncertain));
    session = take(session, Event::PumpWasRead(read(1800, 0, 250)), 310);
    assert_eq!(session.delivery.volume_at(at(400)), Microlitres(1800));
}

#[test]
fn a_cleared_counter_makes_the_delivery_uncertain() {
    let ready = before("infusion_started");
    let session = take(ready, Event::InfusionStarted { rate: Rate(36_000), counter: Microlitres(5000) }, 0);
    let link = PumpRead { by: ReadBy::Link(crate::id::DeviceId::new("pump")), ..read(3, 36_000, 60) };
    let events =
        decide(&session, Command::ReadPump { read: link }, &Actor::machine("link"), at(60), knowledge());
    let events = events.expect("a message is never refused");
    assert!(matches!(&events[..], [Event::CounterDoubted(told)] if told.since == at(0)), "{events:?}");
}

#[test]
fn a_new_weight_voids_the_order_that_stood_on_the_old_one() {
    let ready = before("infusion_started");
    assert!(ready.order.is_some());
    let session =
        take(ready, Event::Weighed { weight: Weight(90_000), height: None, sex: None, reason: None }, 700);
    assert!(session.order.is_none() && session.second_check.is_none() && session.program.is_none());
    let refusal = decide(
        &session,
        Command::Start { counter: Microlitres(0), contradicts: Vec::new() },
        &nurse("kim"),
        at(800),
        knowledge(),
    );
    assert!(matches!(refusal, Err(Refusal::WrongPhase { .. })));
}

/// Hazard 09: what was checked against one order counts for nothing against the next.
#[test]
fn a_new_order_voids_the_check_the_program_and_the_time_out() {
    let ready = before("infusion_started");
    let (order, signature) = ready.order.clone().expect("an order");
    let session = take(ready, Event::OrderSigned { order, signature }, 700);
    assert!(session.second_check.is_none() && session.program.is_none() && session.time_out.is_none());
    let start = Command::Start { counter: Microlitres(0), contradicts: Vec::new() };
    let refusal = decide(&session, start, &nurse("kim"), at(800), knowledge());
    assert!(matches!(refusal, Err(Refusal::WrongPhase { .. })), "{refusal:?}");
}

/// An order that is another one than the signed plan says why, and keeps where it differs.
#[test]
fn an_order_other_than_the_plan_says_why_and_keeps_both() {
    let drawn = before("second_check_agreed");
    let (order, signature) = drawn.order.clone().expect("an order");
    let doctor = Actor { id: signature.by.clone(), role: Role::Prescriber };
    let beside =
        BesidePlan { version: Some(2), differs: vec!["length: ordered 40 min, planned 60 min".into()] };
    let sign = |reason: Option<&str>| {
        let weight = drawn.weight.expect("weighed").0;
        let mut request = DoseRequest::new(order.regimen.clone(), weight, order.concentration);
        (request.height, request.sex, request.minutes) = (Some(Height(1780)), Some(Sex::M), Some(50.into()));
        let (id, request) = (OrderId::new("another"), Box::new(request));
        let (beside_plan, reason) = (Some(beside.clone()), reason.map(str::to_owned));
        let command = Command::SignOrder { id, request, beside_plan, reason, signature: signature.clone() };
        decide(&drawn, command, &doctor, at(800), knowledge())
    };
    let Err(Refusal::NeedsReason { field: "reason", finding }) = sign(None) else {
        panic!("{:?}", sign(None))
    };
    assert!(finding.contains("signed plan, version 2: length: ordered 40 min"), "{finding}");
    let signed = sign(Some("he was restless")).expect("signed");
    assert!(
        matches!(&signed[0], Event::OrderSigned { order, .. } if order.beside_plan.as_ref() == Some(&beside))
    );
}

/// Hazard 09: what is drawn stays what it is, whatever is ordered afterwards.
#[test]
fn an_order_of_another_strength_is_refused_once_a_dose_is_drawn() {
    let drawn = before("second_check_agreed");
    let (order, signature) = drawn.order.clone().expect("an order");
    let sign = |concentration| {
        let weight = drawn.weight.expect("weighed").0;
        let mut request = DoseRequest::new(order.regimen.clone(), weight, concentration);
        request.height = Some(Height(1780));
        request.sex = Some(Sex::M);
        let request = Box::new(request);
        let id = OrderId::new("another");
        Command::SignOrder { id, request, beside_plan: None, reason: None, signature: signature.clone() }
    };
    let doctor = Actor { id: signature.by.clone(), role: Role::Prescriber };
    let half = Concentration(order.concentration.0 / 2);
    let refusal = decide(&drawn, sign(half), &doctor, at(800), knowledge());
    assert!(matches!(refusal, Err(Refusal::Mismatch { field: "diluted_to", .. })), "{refusal:?}");
    let same = decide(&drawn, sign(order.concentration), &doctor, at(800), knowledge());
    assert!(same.is_ok(), "{same:?}");
}

/// Hazard 02: two doses in one syringe are one infusion of twice the dose.
#[test]
fn a_second_dose_is_never_drawn_and_never_started() {
    let drawn = before("second_check_agreed");
    let draw = drawn.draws[0].clone();
    let Draw { vial, stock, diluted_to, diluent, .. } = draw.clone();
    let again = Command::Draw { vial, stock, diluted_to, diluent };
    let refusal = decide(&drawn, again, &nurse("kim"), at(800), knowledge());
    assert!(matches!(refusal, Err(Refusal::OutOfRange { field: "stock", .. })), "{refusal:?}");
    let mut ready = before("infusion_started");
    ready.draws.push(draw);
    let start = Command::Start { counter: Microlitres(0), contradicts: Vec::new() };
    let refusal = decide(&ready, start, &nurse("kim"), at(900), knowledge());
    assert!(matches!(refusal, Err(Refusal::OutOfRange { field: "stock", .. })), "{refusal:?}");
}

/// Hazard 34: what a connected pump says holds the start.
#[test]
fn nothing_starts_against_what_a_connected_pump_says() {
    let ready = before("infusion_started");
    let says = "rate: pump 308 mL/h, order 30.8 mL/h".to_owned();
    let start = Command::Start { counter: Microlitres(0), contradicts: vec![says.clone()] };
    let refusal = decide(&ready, start, &nurse("kim"), at(800), knowledge());
    assert!(matches!(&refusal, Err(Refusal::Held { reasons }) if *reasons == [says]), "{refusal:?}");
}

/// Hazard 56: a witness is another signed-in person who treats.
#[test]
fn nobody_witnesses_their_own_waste() {
    let session = before("drug_wasted");
    let waste = |witness| Command::Waste {
        wasted: Microlitres(5_000),
        residual_in_line: Microlitres(100),
        left_in_vials: measured(),
        vial_fate: VialFate::Wasted,
        explanation: None,
        witness,
    };
    let ask = |witness| decide(&session, waste(witness), &nurse("kim"), at(3_120), knowledge());
    assert!(matches!(ask(signed("kim", Role::Nurse)), Err(Refusal::SamePerson { field: "witness", .. })));
    assert!(matches!(ask(signed("lee", Role::FrontDesk)), Err(Refusal::NotAllowed { .. })));
    assert!(ask(signed("lee", Role::Nurse)).is_ok());
}

/// Hazard 45: what was decided names the version it was decided by, and keeps its own numbers.
#[test]
fn answers_and_orders_name_the_versions_of_their_rules() {
    let (mut gates, mut orders) = (0, 0);
    for recorded in history() {
        match &recorded.event {
            Event::GateAnswered(answer) => {
                let rule = knowledge().gates.get(answer.gate.as_str()).expect("a gate");
                assert_eq!(answer.version, rule.header.version);
                gates += 1;
            }
            Event::OrderSigned { order, .. } => {
                let regimen = knowledge().regimens.get(order.regimen.as_str()).expect("a regimen");
                assert_eq!(order.regimen_version, regimen.header.version);
                assert!(order.findings.iter().all(|finding| finding.version > 0));
                orders += 1;
            }
            _ => {}
        }
    }
    assert!(gates > 10 && orders == 1, "{gates} gates, {orders} orders");
}

/// Hazard 25: an infusion over the hour that clocks skip or repeat is as long as it is.
#[test]
fn a_change_of_summer_time_changes_no_minute() {
    let zone = jiff::tz::TimeZone::posix("EST5EDT,M3.2.0,M11.1.0").expect("a zone");
    for day in [date(2026, 3, 8), date(2026, 11, 1), date(2026, 6, 1)] {
        let local = day.at(1, 30, 0, 0).to_zoned(zone.clone()).expect("a time");
        let started = local.timestamp();
        let later = started.checked_add(SignedDuration::from_mins(60)).expect("near");
        let event = Event::InfusionStarted { rate: Rate(15_000), counter: Microlitres(0) };
        let recorded = Recorded { position: 1, version: 1, at: started, by: StaffId::new("kim"), event };
        let session = evolve(before("infusion_started"), &recorded);
        assert_eq!(session.delivery.volume_at(later), Microlitres(15_000), "{local}");
    }
}

#[test]
fn what_a_syringe_cannot_show_is_not_missing_and_more_is() {
    let start = |permille: i64| {
        let mut ready = before("infusion_started");
        let dose = ready.order.as_ref().expect("signed").0.dose;
        ready.draws[0].mass = Micrograms(dose.0 - dose.0 * permille / 1000);
        let start = Command::Start { counter: Microlitres(0), contradicts: Vec::new() };
        decide(&ready, start, &nurse("kim"), at(600), knowledge())
    };
    assert!(start(0).is_ok() && start(10).is_ok());
    let refusal = start(11).expect_err("more than a hundredth is missing");
    assert!(refusal.to_string().contains("at most 10 thousandths less"), "{refusal}");
}

/// Hazard 41, 44, 36 and the rest of the list: each gate alone keeps the infusion from starting.
#[test]
fn no_infusion_starts_while_one_gate_is_open() {
    let ready = before("infusion_started");
    assert_eq!(ready.phase, Phase::Ready);
    assert!(
        decide(
            &ready,
            Command::Start { counter: Microlitres(0), contradicts: Vec::new() },
            &nurse("kim"),
            at(600),
            knowledge()
        )
        .is_ok()
    );
    for gate in ready.gates.keys() {
        let mut one_short = ready.clone();
        one_short.gates.remove(gate);
        let refusal = decide(
            &one_short,
            Command::Start { counter: Microlitres(0), contradicts: Vec::new() },
            &nurse("kim"),
            at(600),
            knowledge(),
        )
        .expect_err("a gate is open");
        assert!(refusal.to_string().contains(&gate.as_str().to_uppercase()), "{gate}: {refusal}");
    }
}

#[test]
fn roles_that_do_not_treat_cannot_treat() {
    let ready = before("infusion_started");
    for role in [Role::FrontDesk, Role::Therapist, Role::Owner, Role::Machine] {
        let actor = Actor { id: StaffId::new("x"), role };
        let refusal = decide(
            &ready,
            Command::Start { counter: Microlitres(0), contradicts: Vec::new() },
            &actor,
            at(600),
            knowledge(),
        );
        assert!(matches!(refusal, Err(Refusal::NotAllowed { .. })), "{role:?}");
    }
}

#[test]
fn the_whole_visit_closes_with_every_microgram_in_an_account() {
    let session = replay(history());
    assert_eq!(session.phase, Phase::Discharged);
    assert!(session.complete());
    let accounts = Balance::of(&session, session.closed_at.expect("closed"));
    assert_eq!(accounts.vial, Micrograms(500_000));
    assert_eq!(accounts.left, Micrograms(459_000));
    assert_eq!(
        (accounts.drawn, accounts.delivered, accounts.residual, accounts.wasted),
        (Micrograms(41_000), Micrograms(30_800), Micrograms(200), Micrograms(10_000))
    );
}

#[derive(Debug, Clone)]
enum Act {
    Rate(i64),
    Pause,
    Resume(i64),
    Lose,
    Read(i64),
    Correct(i64),
    Wait(i64),
    Stop,
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        (-5_000_i64..60_000).prop_map(Act::Rate),
        Just(Act::Pause),
        (-5_000_i64..60_000).prop_map(Act::Resume),
        Just(Act::Lose),
        (-1_000_i64..40_000).prop_map(Act::Read),
        (-1_000_i64..40_000).prop_map(Act::Correct),
        (1_i64..900).prop_map(Act::Wait),
        Just(Act::Stop),
    ];
    prop::collection::vec(act, 1..40)
}

fn command_of(act: Act, now: i64) -> Option<Command> {
    let reason = "because".to_owned();
    Some(match act {
        Act::Rate(to) => {
            Command::ChangeRate { to: Rate(to), passes: Some(reason.clone()), reason, after: None }
        }
        Act::Pause => Command::Pause { reason },
        Act::Resume(rate) => {
            let (alarms, passes) = (Vec::new(), Some(reason.clone()));
            Command::Resume { rate: Rate(rate), reason, prescriber: None, alarms, passes, after: None }
        }
        Act::Lose => Command::LosePump,
        Act::Read(counter) => {
            Command::ReadPump { read: PumpRead { reason: Some(reason), ..read(counter, 20_000, now) } }
        }
        Act::Correct(counter) => {
            let seen = PumpRead { by: ReadBy::Correcting, ..read(counter, 20_000, now) };
            Command::ReadPump { read: PumpRead { reason: Some(reason), ..seen } }
        }
        Act::Stop => Command::Stop { reason },
        Act::Wait(_) => return None,
    })
}

proptest! {
    /// Whatever happens during an infusion: the stretches sum to the whole, no stretch runs backwards in time, the
    /// delivered volume stays between nothing and what was drawn when it was read, and the rate never passes the
    /// signed one.
    #[test]
    fn segments_sum_to_the_delivered_volume(acts in acts()) {
        let ready = before("infusion_started");
            let mut session = take(ready, Event::InfusionStarted { rate: Rate(30_800), counter: Microlitres(0) }, 600);
        let mut now = 600;
        for act in acts {
            if let Act::Wait(seconds) = act {
                now += seconds;
            }
            let Some(command) = command_of(act, now) else { continue };
            let actor = if command == Command::LosePump { Actor::machine("watch") } else { nurse("kim") };
            if let Ok(events) = decide(&session, command, &actor, at(now), knowledge()) {
                for event in events {
                    session = take(session, event, now);
                }
            }
            let delivery: &Delivery = &session.delivery;
            let segments = delivery.segments_to(at(now));
            let sum: i64 = segments.iter().map(|segment| segment.volume.0).sum();
            prop_assert_eq!(sum, delivery.volume_at(at(now)).0);
            prop_assert!(segments.iter().all(|segment| segment.from <= segment.to));
            prop_assert!(segments.windows(2).all(|pair| pair[0].to <= pair[1].from));
            prop_assert!(delivery.rate() <= Rate(30_900));
            if let Certainty::Uncertain { low, high, .. } = delivery.certainty(at(now)) {
                prop_assert!(low <= high);
            }
        }
    }

    /// Hazard 24: whatever the machine's clock does, nothing that was delivered is taken back and no stretch of time
    /// is negative.
    #[test]
    fn no_jump_of_the_clock_makes_a_delivery_negative(
        jumps in prop::collection::vec((-200_000_i64..200_000, 0_u8..4, 0_i64..20_000), 1..30),
    ) {
        let event = Event::InfusionStarted { rate: Rate(30_800), counter: Microlitres(0) };
        let mut session = take(before("infusion_started"), event, 600);
        let mut delivered = Microlitres(0);
        for (second, what, counter) in jumps {
            let event = match what {
                0 => Event::RateChanged { from: Rate(30_800), to: Rate(20_000), reason: String::new() },
                1 => Event::InfusionPaused { reason: String::new() },
                2 => Event::DeliveryBecameUncertain { since: at(second) },
                _ => Event::PumpWasRead(read(counter, 20_000, second)),
            };
            let counted = matches!(event, Event::PumpWasRead(_));
            session = take(session, event, second);
            let now = session.delivery.volume_at(at(second));
            prop_assert!(now.0 >= 0, "{now}");
            prop_assert!(counted || now >= delivered, "{now} after {delivered}");
            delivered = now;
            let segments = session.delivery.segments_to(at(second));
            prop_assert!(segments.iter().all(|segment| segment.from <= segment.to));
            if let Certainty::Uncertain { low, high, .. } = session.delivery.certainty(at(second)) {
                prop_assert!(low <= high);
            }
        }
    }

    /// Hazard 54: a session that closed has an empty difference, for every way of measuring the rest.
    #[test]
    fn waste_settles_nothing_until_the_drug_adds_up(wasted in 0_i64..12_000, line in 0_i64..3_000, explain in any::<bool>()) {
        let session = before("drug_wasted");
        let command = Command::Waste {
            wasted: Microlitres(wasted),
            residual_in_line: Microlitres(line),
            left_in_vials: measured(),
            vial_fate: VialFate::Returned,
            explanation: explain.then(|| "spilled".to_owned()),
            witness: signed("lee", Role::Nurse),
        };
        match decide(&session, command, &nurse("kim"), at(53 * 60), knowledge()) {
            Ok(events) => {
                let told = matches!(&events[..], [Event::WasteDiffered { .. }]);
                prop_assert_eq!(told, wasted + line != 5_100 && !explain, "{} and {}: {:?}", wasted, line, events);
                let after = events.into_iter().fold(session, |session, event| take(session, event, 53 * 60));
                prop_assert_eq!(after.waste.is_none(), told);
                prop_assert_eq!(Balance::of(&after, at(60 * 60)).open() == Micrograms::ZERO, !told);
                prop_assert!(wasted + line <= MOST_LEFT, "{} and {} are more than was left", wasted, line);
            }
            Err(Refusal::OutOfRange { field, .. }) => {
                prop_assert!(field == "wasted" && wasted + line > MOST_LEFT, "{} and {} refused", wasted, line);
            }
            Err(refusal) => prop_assert!(false, "{}", refusal),
        }
    }

    /// A plan is refused or recorded, never a panic, for any text and any numbers.
    #[test]
    fn planning_never_panics(patient in ".{0,40}", regimen in ".{0,40}", infusion in any::<u32>(), of in any::<u32>()) {
        let command = Command::Plan {
            patient: PatientId::new(patient),
            regimen: RuleId::new(regimen),
            infusion,
            of,
            day: date(2026, 3, 2),
        };
        let _ = decide(&Session::default(), command, &nurse("kim"), start(), knowledge());
        let chair = Command::CheckIn { chair: ChairId::new("1") };
        prop_assert!(decide(&Session::default(), chair, &nurse("kim"), start(), knowledge()).is_err());
    }
}

/// Every event shape ever written still reads, and gives the same bytes back.
#[test]
fn history_of_event_shapes_still_reads() {
    let lines = include_str!("../../tests/history/session.jsonl");
    let mut kinds = std::collections::BTreeSet::new();
    for line in lines.lines() {
        let event: Event = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert_eq!(serde_json::to_string(&event).expect("it writes"), line);
        kinds.insert(event.kind());
    }
    assert_eq!(kinds.len(), 44, "every kind of event needs a line in tests/history/session.jsonl");
}
