//! Visits that are booked already, judged again when a newer plan is signed.

use super::calendar::Calendar;
use super::event::{Booked, What};
use super::propose::{Asked, judge};
use super::talks::judge_talk;
use crate::gate::{Finding, Verdict};
use crate::knowledge::Knowledge;
use jiff::Timestamp;

/// A booked visit beside what the newer plan asks for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refit {
    /// As it is booked.
    pub booked: Booked,
    /// The same until the patient may go home by the newer plan.
    pub needs: Booked,
    /// What rules say against it, each in words.
    pub stops: Vec<String>,
}

/// Judges the visits still to come as if they were booked now: infusions, then talks.
pub fn refit(asked: &Asked, coming: &[Booked], calendar: &Calendar, knowledge: &Knowledge) -> Vec<Refit> {
    let mut coming = coming.to_vec();
    coming.sort_by_key(|visit| visit.start);
    let (infusions, talks): (Vec<_>, Vec<_>) =
        coming.into_iter().partition(|visit| visit.what == What::Infusion);
    let starts: Vec<Timestamp> = infusions.iter().map(|visit| visit.start).collect();
    let proposal = judge(asked, &starts, calendar, knowledge);
    let stops = |findings: &[Finding]| -> Vec<String> {
        let stop = findings.iter().filter(|found| found.verdict >= Verdict::Stop);
        stop.map(|found| found.reason.clone()).collect()
    };
    let of_course = stops(&proposal.findings);
    let mut visits = proposal.visits.iter();
    let infusions: Vec<Refit> = infusions
        .into_iter()
        .map(|booked| {
            let judged = visits.next();
            let end = judged.map_or(booked.end, |visit| visit.end);
            let own = judged.map_or_else(Vec::new, |visit| stops(&visit.findings));
            let needs = Booked { end, must_move: None, ..booked.clone() };
            Refit { booked, needs, stops: [of_course.clone(), own].concat() }
        })
        .collect();
    let talks = talks.into_iter().map(|booked| {
        let its = match booked.what {
            What::Integration => infusions.iter().rfind(|one| one.booked.start < booked.start),
            What::Preparation | What::Infusion => infusions.first(),
        };
        let why = its.and_then(|its| judge_talk(&booked, Some(&its.needs), calendar, knowledge));
        Refit {
            needs: Booked { must_move: None, ..booked.clone() },
            stops: why.into_iter().collect(),
            booked,
        }
    });
    let talks: Vec<Refit> = talks.collect();
    infusions.into_iter().chain(talks).collect()
}
