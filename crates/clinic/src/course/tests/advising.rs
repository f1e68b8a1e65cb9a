//! Advice: what is suggested, and that a missing input never makes it bolder.

use super::KNOWLEDGE;
use crate::course::advice::{
    AtThisDose, FirstDose, InMaintenance, Series, Suggestion, first_dose, futility, maintenance, next_dose,
};
use crate::course::went::StoppedEarly;
use crate::gate::MaintenanceVisit;
use crate::knowledge::measure::Mg;
use crate::knowledge::regimen::CareArea;
use rust_decimal::Decimal;

fn n(value: i64) -> Decimal {
    Decimal::from(value)
}
fn dec(text: &str) -> Decimal {
    text.parse().expect("a number")
}

/// A patient without much improvement whom nothing speaks against.
fn went(mg_per_kg: &str) -> AtThisDose {
    AtThisDose {
        care_area: CareArea::Psych,
        mg_per_kg: dec(mg_per_kg),
        infusions: 2,
        stopped_early: Vec::new(),
        improvement_percent: Some(n(10)),
        response: Some(false),
        paused_or_stopped: Some(false),
        lowest_moaas: Some(n(5)),
        highest_systolic: Some(n(150)),
        highest_diastolic: Some(n(90)),
        poorly_tolerated: Some(false),
        patient_agrees: Some(true),
    }
}

fn suggested(went: &AtThisDose) -> Suggestion {
    next_dose(went, &KNOWLEDGE).expect("psychiatric").suggestion
}

#[test]
fn a_raise_is_a_tenth_and_at_most_a_quarter_of_the_dose() {
    for (dose, to) in [("0.5", "0.6"), ("0.4", "0.5"), ("0.3", "0.375"), ("0.1", "0.125"), ("0.9", "1")] {
        assert_eq!(suggested(&went(dose)), Suggestion::RaiseTo { mg_per_kg: dec(to) }, "{dose}");
    }
    let beyond = next_dose(&went("1"), &KNOWLEDGE).expect("psychiatric");
    assert_eq!(beyond.suggestion, Suggestion::RaiseTo { mg_per_kg: dec("1.1") });
    assert!(beyond.working.join(" ").contains("asks for a reason"), "{:?}", beyond.working);
    assert!(matches!(suggested(&went("0")), Suggestion::Answer { .. }), "no dose");
    assert_eq!(suggested(&went("1.45")), Suggestion::KeepDose, "never above the absolute limit");
    assert_eq!(next_dose(&AtThisDose { care_area: CareArea::Pain, ..went("0.5") }, &KNOWLEDGE), None);
}

#[test]
fn each_condition_of_a_raise_is_needed() {
    let usual = went("0.5");
    for (name, against) in [
        ("infusions", AtThisDose { infusions: 1, ..usual.clone() }),
        ("improvement", AtThisDose { improvement_percent: Some(n(25)), ..usual.clone() }),
        ("response", AtThisDose { response: Some(true), ..usual.clone() }),
        ("pause", AtThisDose { paused_or_stopped: Some(true), ..usual.clone() }),
        ("sedation", AtThisDose { lowest_moaas: Some(n(3)), ..usual.clone() }),
        ("systolic", AtThisDose { highest_systolic: Some(n(161)), ..usual.clone() }),
        ("diastolic", AtThisDose { highest_diastolic: Some(n(101)), ..usual.clone() }),
        ("consent", AtThisDose { patient_agrees: Some(false), ..usual.clone() }),
    ] {
        assert_eq!(suggested(&against), Suggestion::KeepDose, "{name}");
    }
    let poorly = AtThisDose { poorly_tolerated: Some(true), ..usual.clone() };
    assert_eq!(suggested(&poorly), Suggestion::LowerTo { from: dec("0.4"), to: dec("0.45") });
}

#[test]
fn the_first_dose_is_lower_for_one_reason_and_usual_only_when_all_was_asked() {
    let asked =
        FirstDose { age: Some(40), frail: Some(false), pressure_amber: Some(false), anxious: Some(false) };
    let start = |patient: &FirstDose| first_dose(patient, &KNOWLEDGE).suggestion;
    assert_eq!(start(&asked), Suggestion::StartAt { mg_per_kg: dec("0.5") });
    for lower in [
        FirstDose { age: Some(65), ..asked },
        FirstDose { frail: Some(true), ..asked },
        FirstDose { pressure_amber: Some(true), ..asked },
        FirstDose { anxious: Some(true), ..asked },
        FirstDose { age: Some(70), ..FirstDose::default() },
    ] {
        assert_eq!(start(&lower), Suggestion::StartAt { mg_per_kg: dec("0.4") }, "{lower:?}");
    }
    assert!(matches!(start(&FirstDose { frail: None, ..asked }), Suggestion::Answer { .. }));
}

/// G19, and the prompts around it.
#[test]
fn little_improvement_asks_for_a_review_and_then_for_a_talk_about_stopping() {
    let at = |now, infusion| {
        let series =
            Series { baseline: Some(n(20)), now: Some(n(now)), infusion: Some(infusion), stopped_early: 0 };
        futility(&series, &KNOWLEDGE)
    };
    let told = at(18, 6);
    assert_eq!(told.suggestion, Suggestion::DiscussStopping);
    assert!(told.working.join(" ").contains("improvement 10 %"), "{:?}", told.working);
    assert_eq!(
        (told.rule.as_str(), told.sources.is_empty(), told.inputs.is_empty()),
        ("futility", false, false)
    );
    assert_eq!(at(18, 3).suggestion, Suggestion::Review);
    assert_eq!(at(18, 2).suggestion, Suggestion::GoOn);
    assert_eq!(at(16, 6).suggestion, Suggestion::GoOn, "20 % is not below 20 %");
    let unknown = futility(
        &Series { baseline: Some(n(0)), now: Some(n(0)), infusion: Some(6), stopped_early: 0 },
        &KNOWLEDGE,
    );
    assert!(matches!(unknown.suggestion, Suggestion::Answer { .. }), "no share of nothing");
}

/// A responder on the 14-day rung who was stable at the last visit.
fn stable(last: i64, now: i64) -> InMaintenance {
    InMaintenance {
        visit: MaintenanceVisit {
            last: Some(n(last)),
            now: Some(n(now)),
            rung_d: Some(14),
            stable_visits_before: Some(1),
            responder: Some(true),
            cssrs_level: Some(0),
        },
        baseline: Some(n(20)),
        infusions: Some(6),
        weeks: Some(8),
        weeks_relapsed: Some(0),
        hospitalised: Some(false),
        reinductions: Some(0),
        without_response: Some(0),
        last_stopped_early: None,
    }
}

fn first_of(at: &InMaintenance) -> Suggestion {
    maintenance(at, &KNOWLEDGE).first().expect("something").suggestion.clone()
}

/// G20: the second stable visit lengthens the interval, a rise by five points shortens it.
#[test]
fn the_ladder_is_climbed_and_stepped_down() {
    assert_eq!(first_of(&stable(6, 7)), Suggestion::NextAfter { days: 21 });
    assert_eq!(first_of(&stable(6, 11)), Suggestion::NextAfter { days: 7 });
    assert_eq!(first_of(&stable(6, 9)), Suggestion::NextAfter { days: 14 });
    let on_top = stable(6, 6);
    let on_top = InMaintenance { visit: MaintenanceVisit { rung_d: Some(42), ..on_top.visit }, ..on_top };
    assert_eq!(first_of(&on_top), Suggestion::WhenNeeded);
    let early = InMaintenance { infusions: Some(2), weeks: Some(2), ..stable(6, 7) };
    let early = InMaintenance { visit: MaintenanceVisit { rung_d: Some(7), ..early.visit }, ..early };
    assert_eq!(first_of(&early), Suggestion::NextAfter { days: 7 }, "weekly four times first");
}

#[test]
fn a_relapse_offers_a_new_induction_twice_a_year() {
    let relapsed = InMaintenance { weeks_relapsed: Some(2), ..stable(6, 12) };
    assert_eq!(first_of(&relapsed), Suggestion::OfferReinduction { least: 3, most: 6 });
    let third = InMaintenance { reinductions: Some(2), ..relapsed.clone() };
    assert_eq!(first_of(&third), Suggestion::PsychiatricReview);
    let in_hospital = InMaintenance { hospitalised: Some(true), ..stable(6, 6) };
    assert_eq!(first_of(&in_hospital), Suggestion::OfferReinduction { least: 3, most: 6 });
    // Ten and more, but below half of a baseline of 27: the response holds.
    let high_baseline = InMaintenance { baseline: Some(n(27)), weeks_relapsed: Some(2), ..stable(10, 12) };
    assert_eq!(first_of(&high_baseline), Suggestion::NextAfter { days: 21 });
    let once = InMaintenance { weeks_relapsed: Some(1), ..stable(6, 12) };
    assert_eq!(first_of(&once), Suggestion::NextAfter { days: 7 });
    assert!(matches!(
        first_of(&InMaintenance { hospitalised: None, ..stable(6, 6) }),
        Suggestion::Answer { .. }
    ));
}

#[test]
fn a_ladder_that_does_not_climb_asks_for_a_talk_about_stopping() {
    let weekly = stable(6, 9);
    let weekly = InMaintenance { visit: MaintenanceVisit { rung_d: Some(7), ..weekly.visit }, ..weekly };
    assert_eq!(first_of(&weekly), Suggestion::DiscussStopping);
    assert_eq!(
        first_of(&InMaintenance { weeks: Some(7), ..weekly.clone() }),
        Suggestion::NextAfter { days: 7 }
    );
    let unsaid = InMaintenance { without_response: None, ..stable(6, 7) };
    assert!(matches!(first_of(&unsaid), Suggestion::Answer { .. }));
    let without = InMaintenance { without_response: Some(4), ..stable(6, 7) };
    let told = maintenance(&without, &KNOWLEDGE);
    assert_eq!(told[0].suggestion, Suggestion::DiscussStopping);
    assert!(told[0].working.join(" ").contains("ECT"));
}

/// Whatever is left unsaid, the dose is raised only when every condition is known and met.
#[test]
fn a_missing_input_never_raises_a_dose() {
    let usual = went("0.5");
    for said in 0_u32..256 {
        let known = |at: u32| said & (1 << at) != 0;
        let unsaid = AtThisDose {
            improvement_percent: usual.improvement_percent.filter(|_| known(0)),
            response: usual.response.filter(|_| known(1)),
            paused_or_stopped: usual.paused_or_stopped.filter(|_| known(2)),
            lowest_moaas: usual.lowest_moaas.filter(|_| known(3)),
            highest_systolic: usual.highest_systolic.filter(|_| known(4)),
            highest_diastolic: usual.highest_diastolic.filter(|_| known(5)),
            poorly_tolerated: usual.poorly_tolerated.filter(|_| known(6)),
            patient_agrees: usual.patient_agrees.filter(|_| known(7)),
            ..usual.clone()
        };
        let raised = matches!(suggested(&unsaid), Suggestion::RaiseTo { .. });
        assert_eq!(raised, said == 255, "{unsaid:?}");
    }
}

/// What went in of an infusion that was stopped early is no dose that somebody chose.
#[test]
fn an_infusion_stopped_early_is_told_and_never_raises_what_was_ordered() {
    let early = StoppedEarly { delivered: Mg(dec("4.8")), ordered: Mg(n(41)), why: "vomited".to_owned() };
    let usual = went("0.5");
    let told = |went: &AtThisDose| next_dose(went, &KNOWLEDGE).expect("psychiatric");
    let stopped = AtThisDose { stopped_early: vec![early.clone()], ..usual.clone() };
    let advice = told(&stopped);
    assert_eq!(advice.suggestion, Suggestion::KeepDose, "whatever a person says of pauses and stops");
    assert_eq!(advice.inputs["dose ordered"], "0.5 mg/kg");
    let working = advice.working.join(". ");
    assert!(working.contains("delivered 4.8 mg of 41 mg ordered: vomited"), "{working}");
    let unsaid = AtThisDose { paused_or_stopped: None, ..stopped.clone() };
    assert_eq!(suggested(&unsaid), Suggestion::KeepDose, "the stop itself is known");
    let poorly = AtThisDose { poorly_tolerated: Some(true), ..stopped };
    assert_eq!(suggested(&poorly), Suggestion::LowerTo { from: dec("0.4"), to: dec("0.45") });
    let series = Series { baseline: Some(n(20)), now: Some(n(18)), infusion: Some(4), stopped_early: 1 };
    let advice = futility(&series, &KNOWLEDGE);
    assert!(advice.working.join(" ").contains("1 of the infusions stopped early"), "{:?}", advice.working);

    let after = |last: i64, now: i64, rung: u32| {
        let at = stable(last, now);
        let visit = MaintenanceVisit { rung_d: Some(rung), ..at.visit };
        let at = InMaintenance { visit, last_stopped_early: Some(early.clone()), ..at };
        maintenance(&at, &KNOWLEDGE).pop().expect("an interval")
    };
    for (rung, now, days) in [(14, 6, 14), (42, 6, 42), (14, 11, 7)] {
        let advice = after(6, now, rung);
        assert_eq!(advice.suggestion, Suggestion::NextAfter { days }, "{rung} {now}");
        assert!(advice.working.join(" ").contains("4.8 mg of 41 mg"), "{:?}", advice.working);
    }
}
