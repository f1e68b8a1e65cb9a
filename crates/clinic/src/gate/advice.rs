//! Proposals for the course. Nothing here acts by itself.

use super::{Assessment, Finding, Override, Verdict, no_rule};
use crate::knowledge::advice::{Advice, Futility, Maintenance};
use crate::knowledge::{Header, Knowledge};
use crate::quantity::plain;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

fn rule<'a, T>(
    knowledge: &'a Knowledge,
    pick: impl Fn(&'a Advice) -> Option<&'a T>,
) -> Option<(&'a Header, &'a T)> {
    knowledge.advice.iter().find_map(|item| Some((&item.header, pick(&item.body)?)))
}

/// What is proposed after an infusion of a series.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FutilityAdvice {
    /// Go on.
    GoOn,
    /// Review the plan.
    Review,
    /// Talk about stopping.
    RecommendStopDiscussion,
}

/// A proposal with the number behind it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Advised {
    /// `None` when an input is missing or the baseline is 0.
    pub advice: Option<FutilityAdvice>,
    /// Fall of the score since the baseline, %.
    pub improvement_percent: Option<Decimal>,
    /// Why.
    pub assessment: Assessment,
}

/// Whether the series helps, by the score before infusion 1 and the score now, after `infusion` infusions.
pub fn futility(
    baseline: Option<Decimal>,
    now: Option<Decimal>,
    infusion: Option<u32>,
    knowledge: &Knowledge,
) -> Advised {
    let found = rule(knowledge, |advice| match advice {
        Advice::Futility(futility) => Some(futility),
        _ => None,
    });
    match found {
        Some((header, rule)) => judge_futility(header, rule, baseline, now, infusion),
        None => {
            Advised { advice: None, improvement_percent: None, assessment: vec![no_rule("futility")].into() }
        }
    }
}

pub(crate) fn judge_futility(
    header: &Header,
    rule: &Futility,
    baseline: Option<Decimal>,
    now: Option<Decimal>,
    infusion: Option<u32>,
) -> Advised {
    let missing = |what: &str| Advised {
        advice: None,
        improvement_percent: None,
        assessment: vec![Finding::missing(header, what)].into(),
    };
    let (Some(baseline), Some(now), Some(infusion)) = (baseline, now, infusion) else {
        return missing("baseline, score or number of the infusion");
    };
    let Some(share) = baseline.saturating_sub(now).checked_div(baseline) else {
        return missing("baseline above 0");
    };
    let improvement = share.saturating_mul(Decimal::ONE_HUNDRED);
    let little = improvement < rule.improvement_below_percent;
    let advice = if little && infusion >= rule.stop_discussion_from_infusion {
        FutilityAdvice::RecommendStopDiscussion
    } else if little && infusion >= rule.review_from_infusion {
        FutilityAdvice::Review
    } else {
        FutilityAdvice::GoOn
    };
    let shown = plain(crate::quantity::round_half_up(improvement, 1));
    let reason = format!(
        "improvement {shown} % after infusion {infusion}, limit {} %",
        plain(rule.improvement_below_percent)
    );
    let verdict = if advice == FutilityAdvice::GoOn { Verdict::Pass } else { Verdict::Info };
    let finding =
        Finding::new(header, verdict, reason).with("baseline", plain(baseline)).with("now", plain(now));
    Advised { advice: Some(advice), improvement_percent: Some(improvement), assessment: vec![finding].into() }
}

/// What a maintenance visit found. PHQ-9 scores.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MaintenanceVisit {
    /// At the last infusion.
    pub last: Option<Decimal>,
    /// Now.
    pub now: Option<Decimal>,
    /// Present interval, days.
    pub rung_d: Option<u32>,
    /// Stable visits in a row before this one.
    pub stable_visits_before: Option<u32>,
    /// Whether the response to the series still holds.
    pub responder: Option<bool>,
    /// C-SSRS ideation level.
    pub cssrs_level: Option<u32>,
}

/// When the next infusion is proposed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NextInterval {
    /// After so many days.
    Days(u32),
    /// When needed: the ladder is done.
    AsNeeded,
}

/// A proposed interval.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposal {
    /// `None` when an input is missing.
    pub next: Option<NextInterval>,
    /// Why.
    pub assessment: Assessment,
}

/// The next maintenance interval.
pub fn maintenance(visit: &MaintenanceVisit, knowledge: &Knowledge) -> Proposal {
    let found = rule(knowledge, |advice| match advice {
        Advice::Maintenance(maintenance) => Some(maintenance),
        _ => None,
    });
    match found {
        Some((header, rule)) => judge_maintenance(header, rule, visit),
        None => Proposal { next: None, assessment: vec![no_rule("maintenance")].into() },
    }
}

pub(crate) fn judge_maintenance(header: &Header, rule: &Maintenance, visit: &MaintenanceVisit) -> Proposal {
    let missing =
        |what: &str| Proposal { next: None, assessment: vec![Finding::missing(header, what)].into() };
    let (Some(last), Some(now)) = (visit.last, visit.now) else {
        return missing("PHQ-9 now and at the last infusion");
    };
    let (Some(responder), Some(cssrs)) = (visit.responder, visit.cssrs_level) else {
        return missing("response or C-SSRS level");
    };
    let Some(before) = visit.stable_visits_before else { return missing("stable visits before") };
    let Some(rung) = visit.rung_d.and_then(|days| rule.rungs_d.iter().position(|rung| *rung == days)) else {
        return missing("present interval on the ladder");
    };
    let rise = now.saturating_sub(last);
    let back = rise >= rule.step_back_from || !responder || cssrs >= rule.cssrs_step_back_from;
    let on = rise < rule.stable_below && before.saturating_add(1) >= rule.stable_visits;
    let next = match (back, on) {
        (true, _) => rule.rungs_d.get(rung.saturating_sub(1)).copied().map(NextInterval::Days),
        (false, true) => {
            Some(rule.rungs_d.get(rung + 1).copied().map_or(NextInterval::AsNeeded, NextInterval::Days))
        }
        (false, false) => visit.rung_d.map(NextInterval::Days),
    };
    let reason = format!(
        "PHQ-9 {} after {}, change {}; response {}; C-SSRS level {cssrs}",
        plain(now),
        plain(last),
        plain(rise),
        if responder { "holds" } else { "is lost" }
    );
    let verdict = if back { Verdict::Warn } else { Verdict::Info };
    Proposal { next, assessment: vec![Finding::new(header, verdict, reason).only_by(Override::None)].into() }
}
