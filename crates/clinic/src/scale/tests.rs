//! Laws of scoring that hold for every shipped scale, and a few worked cases of the calendar.

use super::*;
use crate::knowledge::scales::{Condition, Family, Scale, Worse};
use crate::knowledge::{Item, Knowledge};
use crate::outcome::Infusion;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use rust_decimal::Decimal;
use std::sync::LazyLock;

static KNOWLEDGE: LazyLock<Knowledge> =
    LazyLock::new(|| Knowledge::shipped().unwrap_or_else(|error| panic!("{error}")));

fn scale(id: &str) -> &'static Item<Scale> {
    KNOWLEDGE.scale(id).unwrap_or_else(|| panic!("no scale {id}"))
}

fn scored(item: &Item<Scale>, answers: &[Option<Decimal>]) -> Score {
    score(item, &Given::Answers(answers.to_vec()), None).expect("no group is named")
}

/// A scale with questions, and for each of them a number from which an answer is made.
fn answered() -> impl Strategy<Value = (&'static Item<Scale>, Vec<Option<Decimal>>)> {
    let with_items: Vec<&Item<Scale>> =
        KNOWLEDGE.scales.iter().filter(|item| !item.body.items.is_empty()).collect();
    prop::sample::select(with_items).prop_flat_map(|item| {
        let count = item.body.items.len();
        prop::collection::vec(0_u32..1_000, count).prop_map(move |seeds| {
            let answers = item.body.items.iter().zip(seeds).map(|(question, seed)| {
                let [low, high] = item.body.values_of(question);
                let values = (high - low) / question.step + Decimal::ONE;
                Some(low + question.step * (Decimal::from(seed) % values))
            });
            (item, answers.collect())
        })
    })
}

/// How bad a band or a level of risk is, from 0.
fn severity(item: &Item<Scale>, score: &Score) -> Option<usize> {
    let band = score.band.as_ref()?;
    let risks = item.body.risks.iter().rev().position(|risk| &risk.name == band);
    risks.or_else(|| item.body.bands.iter().position(|known| &known.name == band))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    /// A worse answer never makes a better score; the gate of a scale is no answer about how bad it is.
    #[test]
    fn a_score_is_monotone_in_each_answer((item, answers) in answered(), at in 0_usize..30) {
        let at = at % answers.len();
        let question = &item.body.items[at];
        let [_, high] = item.body.values_of(question);
        let more = answers[at].expect("it is answered") + question.step;
        prop_assume!(more <= high);
        let mut raised = answers.clone();
        raised[at] = Some(more);
        let (before, after) = (scored(item, &answers), scored(item, &raised));
        if let (Some(before), Some(after)) = (before.total, after.total) {
            if question.reversed { prop_assert!(after <= before) } else { prop_assert!(after >= before) }
        }
        if let (Some(before), Some(after), false) =
            (severity(item, &before), severity(item, &after), question.reversed)
        {
            prop_assert!(after >= before);
        }
    }

    /// What is not answered is never counted as a good answer in silence.
    #[test]
    fn a_missing_answer_never_lowers_a_score_in_silence((item, answers) in answered(), at in 0_usize..30) {
        let at = at % answers.len();
        let mut gap = answers.clone();
        gap[at] = None;
        let (whole, with_gap) = (scored(item, &answers), scored(item, &gap));
        if is_needless(item, &answers, at) {
            prop_assert!(with_gap.missing.is_empty() && with_gap.complete);
        } else {
            let told = with_gap.flags.iter().any(|flag| flag.id == "prorated" || flag.id == "incomplete");
            prop_assert!(told, "{:?}", with_gap);
            prop_assert_eq!(&with_gap.missing, &[item.body.items[at].id.clone()]);
            prop_assert!(with_gap.prorated || with_gap.total.is_none());
            // A risk that was certain without the answer stays; one that was not is not given.
            if let Some(after) = severity(item, &with_gap).filter(|_| !item.body.risks.is_empty()) {
                prop_assert!(Some(after) >= severity(item, &whole));
            }
        }
        // Nor does it take away a task.
        let asks = |score: &Score| score.flags.iter().any(|flag| flag.id == "cssrs_required");
        prop_assert!(!asks(&whole) || asks(&with_gap));
    }

    /// A total is within the range that the file says.
    #[test]
    fn a_total_is_in_its_range((item, answers) in answered(), gaps in prop::collection::vec(any::<bool>(), 30)) {
        let gappy: Vec<_> =
            answers.iter().zip(&gaps).map(|(answer, keep)| answer.filter(|_| *keep)).collect();
        if let (Some(total), Some([low, high])) = (scored(item, &gappy).total, item.body.total) {
            prop_assert!(low <= total && total <= high);
        }
    }

    /// What is typed reads back as what was meant.
    #[test]
    fn typed_answers_read_back((item, answers) in answered(), spaces in any::<bool>()) {
        prop_assume!(item.body.items.len() > 1 || item.body.has_text());
        let words: Vec<String> =
            answers.iter().map(|a| a.expect("answered").normalize().to_string()).collect();
        let text = words.join(if spaces { " " } else { ", " });
        prop_assert_eq!(Given::answers(item, &text), Ok(Given::Answers(answers)));
    }

    /// The mirror of an improvement is a worsening by as much, and neither is both.
    #[test]
    fn an_outcome_is_better_or_worse_never_both(baseline in 0_i64..=27, current in 0_i64..=27) {
        let came = outcome(scale("phq9"), baseline.into(), current.into(), None).expect("in range");
        prop_assert_eq!(came.worse, current > baseline);
        prop_assert_eq!(came.response, (baseline > 0).then_some(current * 2 <= baseline));
        prop_assert_eq!(came.reliable, Some((current - baseline).abs() >= 5));
        prop_assert!(!(came.worse && came.response == Some(true)));
    }

    /// Whatever infusion follows, booster or new series: what was open is there later, an answer in time stays, a window
    /// that closed empty stays missed.
    #[test]
    fn what_was_due_never_leaves_the_list(
        item in prop::sample::select(KNOWLEDGE.scales.iter().collect::<Vec<_>>()),
        gaps in prop::collection::vec((1_i64..1_500, 1_u32..4, any::<bool>()), 1..8),
        answered_h in prop::collection::vec(-200_i64..6_000, 0..8),
        now_h in -200_i64..6_000,
        later_h in 1_i64..3_000,
    ) {
        let (mut at_h, mut number) = (0, 0);
        let infusions: Vec<(i64, Infusion)> = gaps.into_iter().map(|(gap, of, anew)| {
            let this = at_h;
            at_h += gap;
            number = if anew { 1 } else { number + 1 };
            (this, Infusion { at: hour(this), number, of: of.max(number) })
        }).collect();
        let answered: Vec<Timestamp> = answered_h.iter().map(|h| hour(*h)).collect();
        let at = |now: i64| {
            let begun: Vec<Infusion> =
                infusions.iter().filter(|(at, _)| *at <= now).map(|(_, infusion)| *infusion).collect();
            due(&item.body, &begun, &answered, Condition::ALL, hour(now))
        };
        let after = at(now_h + later_h);
        for one in at(now_h).into_iter().filter(|one| one.state != DueState::Coming) {
            let same = |d: &&Due| d.opens == one.opens && d.title == one.title && d.infusion == one.infusion;
            let state = after.iter().find(same).map(|d| d.state);
            match one.state {
                DueState::Open => prop_assert!(state.is_some_and(|state| state != DueState::Coming), "{:?}", one),
                then => prop_assert_eq!(state, Some(then), "{:?}", one),
            }
        }
    }
}

/// Whether a question may be left out: always, or because an earlier answer made it so.
fn is_needless(item: &Item<Scale>, answers: &[Option<Decimal>], at: usize) -> bool {
    let question = &item.body.items[at];
    let said_no = |id: &String| {
        let place = item.body.items.iter().position(|other| &other.id == id).expect("it is there");
        place != at && answers[place] == Some(item.body.values_of(&item.body.items[place])[0])
    };
    let opened_by = item.body.gate.iter().chain(&question.asked_if);
    question.optional || opened_by.into_iter().any(said_no)
}

fn hour(hours: i64) -> Timestamp {
    "2027-03-01T15:00:00Z"
        .parse::<Timestamp>()
        .expect("a time")
        .checked_add(SignedDuration::from_hours(hours))
        .expect("in range")
}

/// A series of these infusions and no more.
fn series(hours: &[i64]) -> Vec<Infusion> {
    let of = u32::try_from(hours.len()).expect("a few");
    (1..).zip(hours).map(|(number, at)| Infusion { at: hour(*at), number, of }).collect()
}

#[test]
fn a_scale_is_due_before_each_infusion_and_after_the_last() {
    let infusions = series(&[0, 72, 168]);
    let all = due(&scale("phq9").body, &infusions, &[hour(-100), hour(168 + 24)], &[], hour(200));
    let told: Vec<(&str, usize, DueState)> =
        all.iter().map(|d| (d.title.as_str(), d.infusion, d.state)).collect();
    assert_eq!(
        told,
        [
            ("Before the series", 1, DueState::Answered(hour(-100))),
            ("Before each infusion", 2, DueState::Missed),
            ("Before each infusion", 3, DueState::Missed),
            ("24 h after the last", 3, DueState::Answered(hour(192))),
            ("Two and four weeks after the last", 3, DueState::Coming),
            ("Each month from then on", 3, DueState::Coming),
        ]
    );
}

/// Hazard 144: a booster is recorded while the follow-up of the series is still open.
#[test]
fn a_booster_takes_nothing_off_the_list_that_was_due_after_the_last() {
    let phq = &scale("phq9").body;
    let booster = Infusion { at: hour(168 + 330), number: 4, of: 4 };
    let all: Vec<Infusion> = series(&[0, 72, 168]).into_iter().chain([booster]).collect();
    let told = |infusions: &[Infusion], now| {
        let all = due(phq, infusions, &[], &[], hour(now))
            .into_iter()
            .filter(|d| d.title.contains("after the last"));
        all.map(|d| (d.infusion, d.opens, d.state)).collect::<Vec<_>>()
    };
    let (after_24_h, two_weeks) = (hour(168 + 20), hour(168 + 312));
    assert_eq!(
        told(&all, 168 + 331),
        [
            (3, after_24_h, DueState::Missed),
            (3, two_weeks, DueState::Open),
            (4, hour(168 + 330 + 20), DueState::Coming),
            (4, hour(168 + 330 + 312), DueState::Coming),
        ]
    );
    let stopped = told(&all[..2], 72 + 320);
    assert_eq!(
        stopped[0],
        (2, hour(72 + 312), DueState::Open),
        "who stops early is followed, and asked for no last"
    );
}

#[test]
fn each_fourth_infusion_and_the_condition_decide() {
    let infusions = series(&(0..9).map(|day| day * 72).collect::<Vec<_>>());
    let bladder = due(&scale("bladder_questions").body, &infusions, &[], &[], hour(9 * 72));
    let before: Vec<usize> =
        bladder.iter().filter(|d| d.title.contains("fourth")).map(|d| d.infusion).collect();
    assert_eq!(before, [4, 8]);
    let pcl =
        |conditions: &[Condition]| due(&scale("pcl5").body, &infusions, &[], conditions, hour(400)).len();
    assert_eq!(pcl(&[Condition::Mdd]), 0);
    assert_eq!(pcl(&[Condition::Mdd, Condition::Ptsd]), 4);
}

#[test]
fn a_day_without_an_end_is_cut_somewhere() {
    let late = hour(24 * 365 * 50);
    assert_eq!(
        due(&scale("nrs").body, &series(&[0]), &[], &[Condition::Pain], late).len(),
        2_001,
        "and one before the series"
    );
}

/// Symptoms alone do not say whether somebody lives better.
#[test]
fn every_course_asks_for_function_and_quality_of_life_before_and_after() {
    let (infusions, baseline) = (series(&[0, 72]), hour(-1));
    for condition in Condition::ALL {
        for family in [Family::Function, Family::Life] {
            let of_family: Vec<_> =
                KNOWLEDGE.scales.iter().filter(|item| item.body.family == Some(family)).collect();
            let asked = |now| {
                let open = |item: &&&Item<Scale>| {
                    let dates = due(&item.body, &infusions, &[], &[*condition], now);
                    dates.iter().any(|due| due.state == DueState::Open)
                };
                of_family.iter().filter(open).count()
            };
            assert_eq!(asked(baseline), 1, "{condition:?}, {family:?} before the series");
            assert_eq!(asked(hour(72 + 28 * 24)), 1, "{condition:?}, {family:?} four weeks after");
            assert_eq!(asked(hour(72 + 58 * 24)), 1, "{condition:?}, {family:?} two months after");
        }
    }
}

#[test]
fn a_remission_of_one_rule_may_be_none_of_another() {
    let came = outcome(scale("madrs"), 34.into(), 10.into(), None).expect("in range");
    let by: Vec<(&str, bool)> = came.remission_by.iter().map(|r| (r.id.as_str(), r.met)).collect();
    assert_eq!(by, [("remission", true), ("remission_below_10", false)]);
    assert_eq!(came.remission, Some(true));
}

#[test]
fn a_share_of_nothing_is_not_known() {
    let came = outcome(scale("phq9"), 0.into(), 3.into(), None).expect("in range");
    assert_eq!((came.percent, came.response, came.worse), (None, None, true));
}

#[test]
fn where_ability_counts_up_a_fall_is_worse() {
    let slums = scale("slums");
    assert_eq!(slums.body.worse, Worse::Lower);
    let came = outcome(slums, 28.into(), 24.into(), None).expect("in range");
    assert!(came.worse && came.reliable == Some(true));
    assert!(!outcome(slums, 24.into(), 28.into(), None).expect("in range").worse);
}

#[test]
fn a_total_is_one_that_its_answers_can_make() {
    let total = |id: &str, text: &str| Given::total(scale(id), text.parse().expect("a number"));
    for (id, whole, fraction) in [
        ("phq9", "13", "13.5"),
        ("gad7", "20", "20.25"),
        ("ymrs", "7", "7.5"),
        ("moca", "26", "26.5"),
        ("icsi", "6", "6.5"),
        ("bpic_ss", "19", "18.75"),
    ] {
        assert!(total(id, whole).is_ok(), "{id} {whole}");
        let refused = total(id, fraction).expect_err(id).to_string();
        assert!(
            refused.contains(&format!("`{fraction}`")) && refused.contains("a whole number from"),
            "{refused}"
        );
    }
    for (id, fraction) in [("peg", "4.33"), ("fiqr", "48.5"), ("promis_pain", "61.4")] {
        assert!(total(id, fraction).is_ok(), "a mean, a part that is divided, a table: {id}");
    }
}

#[test]
fn a_wrong_answer_is_named() {
    let told = |id: &str, text: &str| Given::answers(scale(id), text).expect_err("refused").to_string();
    assert_eq!(
        told("phq9", "2,2,4,3,1,2,2,0,1"),
        "PHQ-9, item 3: `4` is no answer; accepted is a whole number from 0 to 3, or a dash where none was given"
    );
    assert_eq!(
        told("phq9", "2,2"),
        "PHQ-9 takes 9 answers, or 10 with item 10, 2 came; write a dash for each that was not answered"
    );
    assert!(told("phq9", "2,2,,3,1,2,2,0,1").contains("item 3: `` is no answer"));
    assert!(told("phq9", "16").contains("1 came"));
    assert!(told("hamd17", "0,0,0,3,0,0,0,0,0,0,0,0,0,0,0,0,0").contains("item 4: `3`"));
    assert!(told("cssrs", "y,y,y,n,n,y").contains("6 came"));
    assert!(told("cssrs", "y,maybe,n,n,n,n").contains("accepted is y or n"));
    assert!(told("moca", "1,2,3").contains("enter its total, a whole number from 0 to 30"));
    assert!(told("madrs", "61").contains("accepted is a whole number from 0 to 60"));
    assert!(
        told("slums", &format!("1,1,1,1,1{}", ",0".repeat(16)))
            .contains("item 5b: `1` is no answer; accepted is 0 or 2")
    );
    for bad in ["-1", "1e3", "NaN", "١", "0x1", "9999999999999999999"] {
        assert!(Given::answers(scale("nrs"), bad).is_err(), "{bad}");
    }
}
