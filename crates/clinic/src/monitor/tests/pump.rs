//! The pump against the order.

use super::*;

pub(super) fn pump(status: PumpStatus, rate: i64) -> PumpReading {
    PumpReading {
        vtbi_remaining: Some(Microlitres(10_000)),
        concentration: Some(Concentration(2000)),
        drug: Some("KETAMINE clinic".to_owned()),
        ..PumpReading::seen(status, Rate(rate))
    }
}

pub(super) fn ordered() -> Ordered {
    Ordered {
        rate: Rate(30_800),
        concentration: Concentration(2000),
        drug: "ketamine".to_owned(),
        vtbi: Microlitres(20_500),
        counter_max: Some(Microlitres(20_500)),
        weight: Some(Weight(82_000)),
        ends: None,
    }
}

/// Hazard 34: a pump that was set otherwise holds the start, whatever was typed.
#[test]
fn a_connected_pump_that_says_otherwise_holds_the_start() {
    let says = |set: &dyn Fn(&mut PumpReading), counter: i64, after_s: i64| {
        let mut chair = Chair { monitor: Monitor::new(policy(), time(0)), now_s: 0 };
        chair.feed(Input::Ordered(Ordered { counter_max: None, ..ordered() }));
        let mut reading = pump(PumpStatus::NotInfusing, 0);
        (reading.rate, reading.programmed_rate) = (None, Some(Rate(30_800)));
        (reading.vtbi, reading.delivered) = (Some(Microlitres(20_500)), Some(Microlitres(0)));
        set(&mut reading);
        chair.feed(Input::Pump(reading));
        let tolerance = Microlitres(100);
        chair.monitor.pump_contradicts_start(time(after_s), Microlitres(counter), tolerance)
    };
    assert_eq!(says(&|_| {}, 0, 1), Vec::<String>::new());
    for (words, reasons) in [
        ("rate", says(&|pump| pump.programmed_rate = Some(Rate(308_000)), 0, 1)),
        ("volume to be infused", says(&|pump| pump.vtbi = Some(Microlitres(205_000)), 0, 1)),
        ("strength", says(&|pump| pump.concentration = Some(Concentration(20_000)), 0, 1)),
        ("drug", says(&|pump| pump.drug = Some("Fentanyl".to_owned()), 0, 1)),
        ("volume counter", says(&|_| {}, 500_000, 1)),
    ] {
        assert!(reasons.len() == 1 && reasons[0].starts_with(words), "{words}: {reasons:?}");
    }
    let old = says(&|pump| pump.programmed_rate = Some(Rate(308_000)), 0, 3600);
    assert_eq!(old, Vec::<String>::new(), "an hour ago is not now");
}

#[test]
fn a_pump_that_counts_more_than_was_drawn_is_a_conflict() {
    let mut chair = Chair::infusing();
    chair.feed(Input::Ordered(ordered()));
    let mut reading = pump(PumpStatus::Infusing, 30_800);
    reading.delivered = Some(Microlitres(24_000));
    chair.feed(Input::Pump(reading));
    chair.wait(6);
    let alarm =
        chair.monitor.alarms().find(|alarm| alarm.code == "pump_conflict/volume counted").expect("an alarm");
    assert!(alarm.priority == Priority::High && alarm.message.contains("24 mL"), "{}", alarm.message);
}

#[test]
fn pump_and_order_that_differ_are_a_conflict() {
    let good = pump(PumpStatus::Infusing, 30_800);
    let cases: [(&str, PumpReading); 6] = [
        ("", good.clone()),
        ("", PumpReading { rate: Some(Rate(31_416)), ..good.clone() }),
        ("rate", PumpReading { rate: Some(Rate(31_417)), ..good.clone() }),
        ("strength", PumpReading { concentration: Some(Concentration(1000)), ..good.clone() }),
        ("weight", PumpReading { weight: Some(Weight(180_000)), ..good.clone() }),
        ("drug", PumpReading { drug: Some("esketamine".to_owned()), ..good.clone() }),
    ];
    for (what, read) in cases {
        let code = format!("pump_conflict/{what}");
        let mut chair = Chair::infusing();
        chair.feed(Input::Ordered(ordered()));
        chair.feed(Input::Pump(read));
        chair.wait(4);
        assert!(chair.alarm(&code).is_none(), "{what}: too soon");
        chair.wait(1);
        let alarm = chair.monitor.alarms().find(|alarm| alarm.code.starts_with("pump_conflict"));
        assert_eq!(alarm.is_some(), !what.is_empty(), "{what}");
        if let Some(alarm) = alarm {
            assert!(alarm.message.contains(what) && alarm.priority == Priority::High, "{}", alarm.message);
        }
    }
}

/// Hazard 34: a rate that is only set runs with the next press of a key. Before the start, the start asks for it.
#[test]
fn a_rate_that_is_set_and_stands_still_is_a_conflict_once_the_infusion_has_begun() {
    let set = |phase: Phase, set: i64| {
        let mut chair = Chair::infusing();
        chair.feed(Input::Ordered(ordered()));
        chair.feed(Input::Pump(pump(PumpStatus::Infusing, 30_800)));
        chair.feed(Input::Phase(phase));
        let mut still = pump(PumpStatus::NotInfusing, 0);
        still.programmed_rate = Some(Rate(set));
        chair.feed(Input::Pump(still));
        chair.wait(5);
        chair.alarm("pump_conflict/rate").map(|alarm| alarm.message.clone())
    };
    for phase in [Phase::Infusing, Phase::Paused] {
        let told = set(phase, 308_000).unwrap_or_else(|| panic!("{phase:?}"));
        assert!(told.ends_with("rate: pump 308 mL/h, order 30.8 mL/h"), "{told}");
        assert_eq!(set(phase, 30_800), None, "{phase:?}");
        assert_eq!(set(phase, 25_000), None, "{phase:?}: lower, and nothing flows");
    }
    assert_eq!(set(Phase::Recovering, 308_000), None, "nothing is to run any more");
}

/// Hazard 34: what differed and nobody has seen is not taken away by what differs next.
#[test]
fn each_difference_of_pump_and_order_waits_for_its_own_answer() {
    let mut chair = Chair::infusing();
    chair.feed(Input::Ordered(ordered()));
    chair.feed(Input::Pump(pump(PumpStatus::Infusing, 308_000)));
    chair.wait(5);
    let weak = PumpReading { concentration: Some(Concentration(1000)), ..pump(PumpStatus::Infusing, 30_800) };
    chair.feed(Input::Pump(weak));
    assert!(chair.alarm("pump_conflict/strength").is_none(), "it has its own time");
    chair.wait(5);
    assert!(chair.alarm("pump_conflict/strength").is_some_and(|alarm| !alarm.is_latched()));
    let rate = chair.alarm("pump_conflict/rate").expect("nobody has seen it");
    assert!(rate.is_latched() && rate.message.contains("308 mL/h"), "{}", rate.message);
}
