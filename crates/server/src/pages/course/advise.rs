//! What the rules advise now: the next dose, whether the series helps, the interval of boosters. What the record knows
//! answers by itself; the rest is asked.

use super::Asked;
use super::forms::{FALL, read};
use crate::floor::Opened;
use crate::pages::room::gap;
use crate::pages::scores::Known;
use crate::{AppState, Fault};
use clinic::course::advice::{
    Advice, AtThisDose, FirstDose, InMaintenance, Series, Suggestion, first_dose, futility, maintenance,
    next_dose,
};
use clinic::course::booster::{Boosting, Wore, booster};
use clinic::course::went::{Went, answers, at_the_last_dose};
use clinic::course::{Course, Event, Stage, Treated, What};
use clinic::gate::MaintenanceVisit;
use clinic::id::PatientId;
use clinic::knowledge::Knowledge;
use clinic::knowledge::regimen::CareArea;
use clinic::outcome::{around, last_series, losses};
use clinic::quantity::{plain, round_half_up};
use clinic::scale::outcome;
use jiff::Timestamp;
use rust_decimal::Decimal;
use std::collections::BTreeMap;

/// What is answered, by the record and by a person.
pub struct Answers<'a> {
    asked: &'a Asked,
}

impl Answers<'_> {
    fn yes_no(&self, name: &str) -> Option<bool> {
        match self.asked.get(name).map(String::as_str) {
            Some("yes") => Some(true),
            Some("no") => Some(false),
            _ => None,
        }
    }

    fn number(&self, name: &str) -> Option<Decimal> {
        self.asked.get(name).and_then(|text| read(name, text))
    }

    fn count(&self, name: &str) -> Option<u32> {
        self.number(name).and_then(|number| u32::try_from(number).ok())
    }
}

/// How the infusions of this course went: what was given before or elsewhere says nothing about the dose of its plan.
pub fn of_this_course(app: &AppState, id: &PatientId, course: &Course) -> Result<Vec<Went>, Fault> {
    let all = app.floor.infusions(id)?.into_iter();
    Ok(all.filter(|(session, _)| course.given.contains(session)).map(|(_, went)| went).collect())
}

/// What was answered, and what the record answers where nobody did.
pub fn with_the_record(
    app: &AppState,
    id: &PatientId,
    (opened, infusions): (&Opened, &[Went]),
    asked: &Asked,
) -> Result<Asked, Fault> {
    let mut known = answers(at_the_last_dose(infusions));
    if let Some(known_scores) = Known::read(app, id)? {
        known.extend(of_the_series(app.floor.knowledge(), &known_scores));
    }
    known.extend(of_maintenance(app, opened));
    let mut asked = asked.clone();
    for (question, knows) in known {
        let answer = asked.entry(question.to_owned()).or_default();
        if answer.is_empty() {
            *answer = knows;
        }
    }
    Ok(asked)
}

/// Scores before the series, before the last infusion and now.
fn of_the_series(knowledge: &Knowledge, known: &Known) -> BTreeMap<&'static str, String> {
    let mut said = BTreeMap::new();
    let (Some(item), Some(first)) =
        (knowledge.scale_of_series(known.treated.main()), last_series(&known.infusions).first())
    else {
        return said;
    };
    let totals = known.all.totals(&item.header.id);
    let (Some((_, baseline)), later) = around(&totals, first.at) else { return said };
    said.insert("baseline", plain(baseline));
    let Some((_, now)) = later.last() else { return said };
    said.insert("now", plain(*now));
    let before_last = known.infusions.last().and_then(|last| around(&totals, last.at).0);
    said.extend(before_last.map(|(_, score)| ("last", plain(score))));
    if let Ok(came) = outcome(item, baseline, *now, known.treated.main()) {
        let fall = came.percent.map(|percent| plain(round_half_up(-percent, 1)));
        said.extend(fall.map(|fall| (FALL, fall)));
        said.extend(came.response.map(|yes| ("response", if yes { "yes" } else { "no" }.to_owned())));
    }
    said
}

/// Boosters so far, and for how many weeks.
fn of_maintenance(app: &AppState, opened: &Opened) -> BTreeMap<&'static str, String> {
    let began = opened.history.iter().rposition(|one| matches!(one.event, Event::MaintenanceBegan { .. }));
    let split = began.and_then(|began| opened.history.split_at_checked(began));
    let Some((before, [began, ..])) = split else { return BTreeMap::new() };
    let series = before.iter().filter(|one| matches!(one.event, Event::InfusionGiven { .. })).count();
    let boosters = opened.course.given.len().saturating_sub(series);
    let weeks = app.clock.now().duration_since(began.at).as_hours() / (7 * 24);
    BTreeMap::from([("boosters", boosters.to_string()), ("weeks", weeks.max(0).to_string())])
}

/// All that the rules advise, as far as it is known or answered: the dose first.
pub fn advise(
    knowledge: &Knowledge,
    age: Option<u32>,
    course: &Course,
    infusions: &[Went],
    asked: &Asked,
) -> Vec<Advice> {
    let area = course.plan().and_then(|plan| knowledge.regimens.get(plan.regimen.as_str()));
    let Some(area) = area.map(|item| item.body.care_area) else { return Vec::new() };
    let (psych, said) = (area == CareArea::Psych, Answers { asked });
    let Some(last) = infusions.last() else {
        let first = FirstDose {
            age,
            frail: said.yes_no("frail"),
            pressure_amber: said.yes_no("pressure_amber"),
            anxious: said.yes_no("anxious"),
        };
        return if psych { vec![first_dose(&first, knowledge)] } else { Vec::new() };
    };
    let at_it = at_the_last_dose(infusions);
    let mut advice: Vec<Advice> = last
        .ordered_mg_per_kg
        .and_then(|dose| next_dose(&went((area, dose), at_it, &said), knowledge))
        .into_iter()
        .collect();
    let by_usual = is_judged_by_the_usual_scale(course, knowledge);
    match course.stage {
        // By a scale of its own a response may be less than the share that the rule asks for.
        Stage::Induction if psych && (by_usual || said.yes_no("response") != Some(true)) => {
            advice.push(futility(&series(infusions, &said), knowledge));
        }
        Stage::Maintenance { every_d } if psych => {
            let mut at = InMaintenance { last_stopped_early: last.in_part(), ..boosters(every_d, &said) };
            if !by_usual {
                // The rule counts points of the usual scale: those of another one say nothing to it.
                (at.baseline, at.visit.last, at.visit.now) = (None, None, None);
            }
            advice.extend(maintenance(&at, knowledge));
        }
        Stage::New | Stage::Induction | Stage::Maintenance { .. } | Stage::Closed => {}
    }
    advice
}

fn is_judged_by_the_usual_scale(course: &Course, knowledge: &Knowledge) -> bool {
    let treated = course.plan().map_or_else(Treated::default, |plan| {
        Treated::by(Some(plan.regimen.as_str()), &plan.conditions, knowledge)
    });
    let scale = |condition| knowledge.scale_of_series(condition).map(|item| item.header.id.as_str());
    scale(treated.main()) == scale(None)
}

/// When the next booster is best booked, by the interval that is advised, else by the one that was signed.
pub fn booking(
    app: &AppState,
    id: &PatientId,
    course: &Course,
    (advice, asked): (&[Advice], &Asked),
) -> Result<Option<Advice>, Fault> {
    let Stage::Maintenance { every_d } = course.stage else { return Ok(None) };
    let Some(known) = Known::read(app, id)? else { return Ok(None) };
    let knowledge = app.floor.knowledge();
    let Some(item) = knowledge.scale_of_series(known.treated.main()) else { return Ok(None) };
    let totals = known.all.totals(&item.header.id);
    let day = |at: Timestamp| at.to_zoned(app.config.time_zone()).date();
    // A score that the scale cannot have was never taken in.
    let lost = losses(item, known.treated.main(), &known.infusions, &totals).unwrap_or_default();
    let now = app.clock.now();
    let missed = known.missed(item, now);
    let wore = lost.iter().map(|loss| Wore {
        infusion: day(loss.infusion),
        held: day(loss.held),
        lost: day(loss.lost),
        unanswered: gap(&missed, loss.held, loss.lost),
    });
    let wore: Vec<Wore> = wore.collect();
    let advised = advice.iter().find_map(|one| match one.suggestion {
        Suggestion::NextAfter { days } => Some(Some(days)),
        Suggestion::WhenNeeded => Some(None),
        _ => None,
    });
    let coming = course.booked.iter().filter(|visit| visit.what == What::Infusion && visit.start >= now);
    let at = Boosting {
        today: day(now),
        last: known.infusions.last().map(|infusion| day(infusion.at)),
        response: Answers { asked }.yes_no("response"),
        ladder_d: advised.unwrap_or(every_d),
        wore: &wore,
        booked: coming.map(|visit| day(visit.start)).min(),
    };
    Ok(booster(&at, knowledge))
}

fn count(infusions: usize) -> u32 {
    u32::try_from(infusions).unwrap_or(u32::MAX)
}

fn went((care_area, mg_per_kg): (CareArea, Decimal), at_it: &[Went], said: &Answers<'_>) -> AtThisDose {
    let stopped_early: Vec<_> = at_it.iter().filter_map(Went::in_part).collect();
    AtThisDose {
        care_area,
        mg_per_kg,
        infusions: count(at_it.len() - stopped_early.len()),
        stopped_early,
        improvement_percent: said.number("improvement_percent"),
        response: said.yes_no("response"),
        paused_or_stopped: said.yes_no("paused_or_stopped"),
        lowest_moaas: said.number("lowest_moaas"),
        highest_systolic: said.number("highest_systolic"),
        highest_diastolic: said.number("highest_diastolic"),
        poorly_tolerated: said.yes_no("poorly_tolerated"),
        patient_agrees: said.yes_no("patient_agrees"),
    }
}

fn series(infusions: &[Went], said: &Answers<'_>) -> Series {
    Series {
        baseline: said.number("baseline"),
        now: said.number("now"),
        infusion: Some(count(infusions.len())),
        stopped_early: count(infusions.iter().filter_map(Went::in_part).count()),
    }
}

fn boosters(every_d: Option<u32>, said: &Answers<'_>) -> InMaintenance {
    InMaintenance {
        visit: MaintenanceVisit {
            last: said.number("last"),
            now: said.number("now"),
            rung_d: every_d,
            stable_visits_before: said.count("stable_visits_before"),
            responder: said.yes_no("response"),
            cssrs_level: said.count("cssrs_level"),
        },
        baseline: said.number("baseline"),
        infusions: said.count("boosters"),
        weeks: said.count("weeks"),
        weeks_relapsed: said.count("weeks_relapsed"),
        hospitalised: said.yes_no("hospitalised"),
        reinductions: said.count("reinductions"),
        without_response: said.count("without_response"),
        last_stopped_early: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clinic::course::advice::Suggestion;
    use clinic::course::{Plan, Version};
    use clinic::id::{RuleId, SessionId, StaffId};
    use clinic::quantity::Micrograms;
    use std::sync::LazyLock;

    static KNOWLEDGE: LazyLock<Knowledge> = LazyLock::new(|| Knowledge::shipped().expect("knowledge"));

    #[test]
    fn a_score_that_rose_is_a_fall_below_zero_and_no_other_number_is() {
        assert_eq!(read(FALL, "-6.3"), Some(Decimal::new(-63, 1)));
        assert_eq!((read(FALL, "20"), read(FALL, "--2"), read("now", "-2")), (Some(20.into()), None, None));
    }

    /// Hazard 187: the ladder and its relapse count points of PHQ-9; 35 of PCL-5 is no relapse of 35 points.
    #[test]
    fn points_of_another_scale_climb_no_ladder_and_a_response_is_never_futile() {
        let of = |regimen: &str, stage, answers: &[(&str, &str)]| {
            let (mut course, given) = course(stage);
            course.plans[0].plan.regimen = RuleId::new(regimen);
            let said = |(name, answer): &(&str, &str)| ((*name).to_owned(), (*answer).to_owned());
            let asked = answers.iter().map(said).collect();
            let advice = advise(&KNOWLEDGE, Some(42), &course, &given, &asked);
            advice.into_iter().map(|one| one.suggestion).collect::<Vec<_>>()
        };
        let kept = Stage::Maintenance { every_d: Some(14) };
        let high = [
            ("baseline", "24"),
            ("last", "12"),
            ("now", "20"),
            ("weeks_relapsed", "3"),
            ("hospitalised", "no"),
            ("reinductions", "0"),
        ];
        let again =
            |all: Vec<Suggestion>| all.iter().any(|one| matches!(one, Suggestion::OfferReinduction { .. }));
        assert!(again(of("mdd_trd_std", kept, &high)) && !again(of("ptsd", kept, &high)));
        let little = [("baseline", "80"), ("now", "66"), ("response", "yes")];
        let futile = |all: Vec<Suggestion>| all.contains(&Suggestion::DiscussStopping);
        assert!(futile(of("mdd_trd_std", Stage::Induction, &little)));
        assert!(!futile(of("ptsd", Stage::Induction, &little)));
    }

    /// A plan of six for depression, four of them given at the usual dose.
    fn course(stage: Stage) -> (Course, Vec<Went>) {
        let regimen = KNOWLEDGE.regimens.get("mdd_trd_std").expect("shipped");
        let plan = Plan::usual(regimen, vec!["F33.2".to_owned()]).expect("a series");
        let given: Vec<SessionId> = (1..=4).map(|n| SessionId::new(format!("s-{n}"))).collect();
        let one = |number: u32| Went {
            day: None,
            number,
            delivered: Micrograms(41_000),
            mg_per_kg: Some(Decimal::new(5, 1)),
            ordered: Some(Micrograms(41_000)),
            ordered_mg_per_kg: Some(Decimal::new(5, 1)),
            minutes: None,
            highest: None,
            lowest_spo2: None,
            lowest_moaas: None,
            distress: None,
            disconnected: None,
            nausea: None,
            pauses: 0,
            stopped: None,
            side_effects: BTreeMap::new(),
            tolerated: None,
            mood: None,
            pain: None,
            felt: None,
        };
        let plans = vec![Version { plan, by: StaffId::new("osei") }];
        (Course { plans, stage, given, ..Course::default() }, [1, 2, 3, 4].map(one).to_vec())
    }

    fn advised(stage: Stage, answers: &[(&str, &str)]) -> Vec<Suggestion> {
        let (course, given) = course(stage);
        let asked = answers.iter().map(|(name, answer)| ((*name).to_owned(), (*answer).to_owned())).collect();
        let advice = advise(&KNOWLEDGE, Some(42), &course, &given, &asked);
        advice.into_iter().map(|one| one.suggestion).collect()
    }

    /// Clinical rules 1.4: after the fourth infusion with less than a fifth of improvement.
    #[test]
    fn a_series_that_does_not_help_is_told_from_its_scores_and_never_without() {
        let poor = advised(Stage::Induction, &[("baseline", "20"), ("now", "18")]);
        assert!(poor.contains(&Suggestion::DiscussStopping), "{poor:?}");
        let good = advised(Stage::Induction, &[("baseline", "20"), ("now", "8")]);
        assert!(good.contains(&Suggestion::GoOn), "{good:?}");
        let unknown = advised(Stage::Induction, &[("baseline", "20")]);
        assert!(matches!(unknown.last(), Some(Suggestion::Answer { .. })), "{unknown:?}");
    }

    /// The next dose after the last of four was stopped with a tenth of it in.
    #[test]
    fn the_next_dose_is_reckoned_from_what_was_ordered_and_not_from_a_part_of_it() {
        let (course, mut given) = course(Stage::Induction);
        let asked = [
            ("improvement_percent", "10"),
            ("response", "no"),
            ("paused_or_stopped", "no"),
            ("lowest_moaas", "5"),
            ("highest_systolic", "130"),
            ("highest_diastolic", "80"),
            ("poorly_tolerated", "no"),
            ("patient_agrees", "yes"),
        ];
        let asked = asked.map(|(name, answer)| (name.to_owned(), answer.to_owned())).into();
        let next = |given: &[Went]| advise(&KNOWLEDGE, Some(42), &course, given, &asked).remove(0);
        assert_eq!(next(&given).suggestion, Suggestion::RaiseTo { mg_per_kg: Decimal::new(6, 1) });
        let last = given.last_mut().expect("four");
        (last.delivered, last.mg_per_kg) = (Micrograms(400), Some("0.005".parse().expect("a number")));
        last.stopped = Some("vomited".to_owned());
        let told = next(&given);
        assert_eq!(
            (told.suggestion, told.inputs["dose ordered"].as_str()),
            (Suggestion::KeepDose, "0.5 mg/kg")
        );
        assert!(told.working.join(" ").contains("0.4 mg of 41 mg ordered"), "{:?}", told.working);
    }

    /// Clinical rules 6.4: stable twice on a rung goes to the next; five points more go a rung back.
    #[test]
    fn boosters_follow_the_ladder_from_what_the_record_and_a_person_say() {
        let known = [
            ("baseline", "20"),
            ("last", "6"),
            ("response", "yes"),
            ("cssrs_level", "0"),
            ("stable_visits_before", "1"),
            ("boosters", "6"),
            ("weeks", "7"),
            ("weeks_relapsed", "0"),
            ("hospitalised", "no"),
            ("reinductions", "0"),
            ("without_response", "0"),
        ];
        let at = |now| {
            let all: Vec<_> = known.into_iter().chain([("now", now)]).collect();
            advised(Stage::Maintenance { every_d: Some(14) }, &all)
        };
        assert!(at("7").contains(&Suggestion::NextAfter { days: 21 }), "{:?}", at("7"));
        assert!(at("11").contains(&Suggestion::NextAfter { days: 7 }), "{:?}", at("11"));
        let asks = advised(Stage::Maintenance { every_d: Some(14) }, &[]);
        assert!(asks.iter().any(|one| matches!(one, Suggestion::Answer { .. })), "{asks:?}");
        assert!(!asks.iter().any(|one| matches!(one, Suggestion::NextAfter { .. })), "{asks:?}");
    }
}
