//! A chair without a link to its pump.

use super::pump::{ordered, pump};
use super::*;

/// Hazard 154: without a link the pump does what people recorded until somebody looks again. What was read before a
/// resume, a new rate or a stop is no alarm after it; what is read after it is.
#[test]
fn a_pump_read_by_eye_says_nothing_of_what_was_recorded_since() {
    let by_eye = |status, rate| Input::Pump(PumpReading::seen(status, Rate(rate)));
    let mut chair = Chair::infusing();
    let orders =
        |chair: &mut Chair, rate| chair.feed(Input::Ordered(Ordered { rate: Rate(rate), ..ordered() }));
    let quiet = |chair: &mut Chair, when: &str| {
        chair.wait(60);
        let codes = ["pump_not_running", "pump_running", "pump_conflict"];
        assert_eq!(codes.map(|code| chair.priority(code)), [None; 3], "{when}");
    };
    orders(&mut chair, 30_800);
    chair.feed(by_eye(PumpStatus::Infusing, 30_800));
    chair.feed(Input::Phase(Phase::Paused));
    quiet(&mut chair, "read to infuse just before the pause");
    chair.feed(by_eye(PumpStatus::NotInfusing, 0));
    chair.feed(Input::PumpSet(Rate(30_800)));
    chair.feed(Input::Phase(Phase::Infusing));
    quiet(&mut chair, "read to stand in the pause, and resumed");
    chair.feed(Input::PumpSet(Rate(15_400)));
    orders(&mut chair, 15_400);
    quiet(&mut chair, "the rate was changed");
    chair.feed(by_eye(PumpStatus::Infusing, 15_400));
    chair.feed(Input::Phase(Phase::Recovering));
    quiet(&mut chair, "read to infuse just before the stop");
    chair.feed(by_eye(PumpStatus::Infusing, 15_400));
    chair.wait(10);
    assert_eq!(chair.priority("pump_running"), Some(Priority::High), "read to infuse after the stop");
}

/// Hazard 154: where a link says what the pump does, no word of a person says it in its place.
#[test]
fn what_a_person_typed_stands_for_no_word_of_a_link() {
    let mut chair = Chair::infusing();
    chair.expect(&[], true);
    chair.feed(Input::Pump(pump(PumpStatus::NotInfusing, 0)));
    chair.feed(Input::PumpSet(Rate(30_800)));
    chair.wait(10);
    assert_eq!(chair.priority("pump_not_running"), Some(Priority::Medium));
    chair.feed(Input::Pump(pump(PumpStatus::Infusing, 30_800)));
    chair.feed(Input::Phase(Phase::Recovering));
    chair.wait(10);
    assert_eq!(chair.priority("pump_running"), Some(Priority::High), "it did not say that it stands");
}
