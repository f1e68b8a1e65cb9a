//! What a patient has had, here and elsewhere, and what that asks to be watched.
//!
//! Every question is asked for a day, usually that of the next infusion. A dose that nobody knows is counted as
//! unknown, never as nothing.

use super::event::Judged;
use crate::gate::{Assessment, Finding, Override, Verdict, no_rule};
use crate::knowledge::long_term::{Check, Drift, LongTerm, PainSeries, Review, Signals, Tolerance};
use crate::knowledge::measure::{Mg, MgPerKg};
use crate::knowledge::{Header, Knowledge};
use crate::quantity::{Micrograms, Weight, plain};
use jiff::civil::Date;
use jiff::{Span, ToSpan};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

const WEEK_D: i64 = 7;
/// Digits of a dose by weight.
const DOSE_DIGITS: u32 = 3;

/// A dose by weight, as it is counted and shown; `None` where it has no number.
pub fn by_weight(mass: Micrograms, weight: Weight) -> Option<MgPerKg> {
    let dose = mass.decimal().checked_div(weight.decimal())?;
    Some(MgPerKg(dose.round_dp(DOSE_DIGITS).normalize()))
}

/// One infusion, or one dose of ketamine or esketamine by another way.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exposure {
    /// On that day.
    pub on: Date,
    /// What went in; `None` when nobody knows.
    pub mg: Option<Mg>,
    /// By dose weight; `None` when nobody knows.
    pub mg_per_kg: Option<MgPerKg>,
    /// Given by somebody else.
    #[serde(default)]
    pub elsewhere: bool,
    /// Part of a series for pain.
    #[serde(default)]
    pub pain: bool,
}

impl Exposure {
    /// Here, so much of it, by the weight that it was ordered for.
    pub fn given(on: Date, mass: Micrograms, weight: Option<Weight>) -> Self {
        let mg_per_kg = weight.and_then(|weight| by_weight(mass, weight));
        Self { mg: Some(Mg(mass.decimal())), mg_per_kg, ..Self::on(on) }
    }

    /// Here, and nothing known of the dose.
    pub const fn on(on: Date) -> Self {
        Self { on, mg: None, mg_per_kg: None, elsewhere: false, pain: false }
    }
}

/// Infusions counted and added up.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Sum {
    /// How many.
    pub infusions: usize,
    /// Of them, given elsewhere.
    pub elsewhere: usize,
    /// Known doses together, mg; `None` when nobody knows any.
    pub mg: Option<Decimal>,
    /// Known doses by weight together, mg/kg; `None` when nobody knows any.
    pub mg_per_kg: Option<Decimal>,
    /// Infusions of an unknown dose, so that the sum is the least that was given.
    pub unknown_doses: usize,
    /// The same by weight.
    pub unknown_by_weight: usize,
}

/// What a patient has had.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Ledger {
    /// Ever.
    pub lifetime: Sum,
    /// In the twelve months up to the day.
    pub twelve_months: Sum,
    /// Highest known dose by weight, mg/kg.
    pub highest_mg_per_kg: Option<Decimal>,
    /// Days between one and the next, from the first on.
    pub intervals_d: Vec<i64>,
}

/// What a patient has had up to and on a day.
pub fn ledger(given: &[Exposure], on: Date) -> Ledger {
    let given = until(given, on);
    let year_ago = on.saturating_sub(12.months());
    Ledger {
        lifetime: sum(given.iter().copied()),
        twelve_months: sum(given.iter().copied().filter(|one| one.on > year_ago)),
        highest_mg_per_kg: given.iter().filter_map(|one| Some(one.mg_per_kg?.0)).max(),
        intervals_d: intervals(&given),
    }
}

impl Sum {
    /// Mass as a person reads it: `120 mg`, `at least 80 mg`, `not known`.
    pub fn mass(&self) -> String {
        in_words(self.mg, self.unknown_doses, "mg")
    }
    /// The same by weight.
    pub fn by_weight(&self) -> String {
        in_words(self.mg_per_kg, self.unknown_by_weight, "mg/kg")
    }
}

fn in_words(sum: Option<Decimal>, unknown: usize, unit: &str) -> String {
    let least = if unknown > 0 { "at least " } else { "" };
    sum.map_or_else(|| "not known".to_owned(), |sum| format!("{least}{} {unit}", plain(sum)))
}

fn sum<'a>(given: impl Iterator<Item = &'a Exposure> + Clone) -> Sum {
    let infusions = given.clone().count();
    let added = |dose: fn(&Exposure) -> Option<Decimal>| {
        let known: Vec<Decimal> = given.clone().filter_map(dose).collect();
        let unknown = infusions.saturating_sub(known.len());
        let sum = known.iter().fold(Decimal::ZERO, |sum, dose| sum.saturating_add(*dose));
        ((infusions == 0 || !known.is_empty()).then_some(sum), unknown)
    };
    let (mg, unknown_doses) = added(|one| Some(one.mg?.0));
    let (mg_per_kg, unknown_by_weight) = added(|one| Some(one.mg_per_kg?.0));
    let elsewhere = given.clone().filter(|one| one.elsewhere).count();
    Sum { infusions, elsewhere, mg, mg_per_kg, unknown_doses, unknown_by_weight }
}

/// In the order of time, nothing after the day.
fn until(given: &[Exposure], on: Date) -> Vec<&Exposure> {
    let mut given: Vec<_> = given.iter().filter(|one| one.on <= on).collect();
    given.sort_by_key(|one| one.on);
    given
}

fn days_between(from: Date, to: Date) -> i64 {
    to.duration_since(from).as_hours() / 24
}

fn intervals(given: &[&Exposure]) -> Vec<i64> {
    let pairs = given.iter().zip(given.iter().skip(1));
    pairs.map(|(before, after)| days_between(before.on, after.on)).collect()
}

fn months(n: u32) -> Span {
    Span::new().try_months(n).unwrap_or_default()
}

/// What asks a prescriber to look at the exposure: too often, too much, or ever closer together.
pub fn review(given: &[Exposure], on: Date, knowledge: &Knowledge) -> Assessment {
    let found = knowledge.long_term.iter().find_map(|item| match &item.body {
        LongTerm::Review(review) => Some((&item.header, review)),
        _ => None,
    });
    match found {
        Some((header, rule)) => judge_exposure(header, rule, given, on),
        None => vec![no_rule("exposure")].into(),
    }
}

pub(crate) fn judge_exposure(header: &Header, rule: &Review, given: &[Exposure], on: Date) -> Assessment {
    let had = ledger(given, on);
    let given = until(given, on);
    let mut findings = Vec::new();
    let mut flag = |name: &str, value: String, limit: String| {
        let why = format!("{name}: {value}; a prescriber reviews {limit}.");
        findings.push(Finding::new(header, Verdict::Warn, why).with(name, value));
    };
    let year = &had.twelve_months;
    if year.infusions > rule.a_year_most as usize {
        flag("infusions in 12 months", year.infusions.to_string(), format!("above {}", rule.a_year_most));
    }
    if year.mg.is_some_and(|mg| mg > rule.a_year_mg_most.0) {
        flag("dose in 12 months", year.mass(), format!("above {}", rule.a_year_mg_most));
    }
    if let Some(dose) = had.highest_mg_per_kg.filter(|dose| *dose > rule.dose_most.0) {
        flag("highest dose", format!("{} mg/kg", plain(dose)), format!("above {}", rule.dose_most));
    }
    if let Some(count) = busiest_late_week(&given, rule) {
        let limit = format!("more than {} beyond week {}", rule.a_week_most, rule.weekly_until_wk);
        flag("infusions in seven days", count.to_string(), limit);
    }
    let changes = had.intervals_d.iter().zip(had.intervals_d.iter().skip(1));
    let shorter: Vec<bool> = changes.clone().map(|(before, after)| after < before).collect();
    if shorter.len() >= rule.shortened && shorter.iter().rev().take(rule.shortened).all(|is| *is) {
        flag(
            "intervals",
            "each shorter than the one before".to_owned(),
            format!("{} in a row", rule.shortened),
        );
    }
    let tried = given.iter().skip(2).zip(changes).filter(|(_, (before, after))| after > before);
    let last_tried = tried.map(|(one, _)| one.on).next_back().or(given.first().map(|one| one.on));
    let allowed = months(rule.spacing_tried_within_mo);
    if last_tried.is_some_and(|tried| tried.saturating_add(allowed) < on) {
        let limit = format!("{} months without a longer interval tried", rule.spacing_tried_within_mo);
        flag(
            "a longer interval last tried",
            last_tried.map_or_else(String::new, |day| day.to_string()),
            limit,
        );
    }
    if year.unknown_doses > 0 {
        let why = format!(
            "{} infusions of an unknown dose: the sums are the least that was given.",
            year.unknown_doses
        );
        findings.push(Finding::new(header, Verdict::Warn, why).with("unknown_doses", year.unknown_doses));
    }
    findings.into()
}

/// The most infusions in seven days that end beyond the weeks in which a series is given, where too many.
fn busiest_late_week(given: &[&Exposure], rule: &Review) -> Option<usize> {
    let series = i64::from(rule.weekly_until_wk) * WEEK_D;
    let first = given.first()?.on;
    let late: Vec<Date> =
        given.iter().map(|one| one.on).filter(|on| days_between(first, *on) >= series).collect();
    let in_week =
        |day: &Date| late.iter().filter(|on| (0..WEEK_D).contains(&days_between(**on, *day))).count();
    late.iter().map(in_week).max().filter(|most| *most > rule.a_week_most as usize)
}

/// What is known of a check.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Known {
    /// Made last on that day; `None` when never.
    pub last_done: Option<Date>,
    /// What its result meant.
    pub judged: Judged,
    /// The result in words.
    pub result: String,
    /// The patient complains of what it looks for, and it was not made since.
    pub complaint: bool,
    /// A result since then that is milder, and that no prescriber has accepted yet.
    pub newer: Option<Newer>,
    /// A prescriber gave a reason to go on in spite of it, and it did not say stop again since.
    pub decided: bool,
}

/// A result that waits for a prescriber.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Newer {
    /// Made on that day.
    pub on: Date,
    /// What it means, as whoever recorded it judged it.
    pub judged: Judged,
    /// In words.
    pub result: String,
}

/// Every check, for an infusion on a day, which counts as one more. A hold keeps it from being booked until the check is
/// made and within limits, or a prescriber gives a reason; where a result holds, a prescriber accepts the milder one. `known` is by the id of the check; what is not there was never made.
pub fn checks(
    given: &[Exposure],
    on: Date,
    known: &BTreeMap<String, Known>,
    knowledge: &Knowledge,
) -> Assessment {
    let mut all = Assessment::default();
    let never = Known::default();
    for item in knowledge.long_term.iter() {
        if let LongTerm::Check(check) = &item.body {
            let known = known.get(&item.header.id).unwrap_or(&never);
            all.take_in(judge_check(&item.header, check, given, on, known));
        }
    }
    all
}

pub(crate) fn judge_check(
    header: &Header,
    check: &Check,
    given: &[Exposure],
    on: Date,
    known: &Known,
) -> Assessment {
    let given = until(given, on);
    let say = |verdict, why: String| {
        let done = known.last_done.map_or_else(|| "never".to_owned(), |day| day.to_string());
        let finding = Finding::new(header, verdict, format!("{}: {why}. {}", check.what, check.then));
        Assessment::from(vec![finding.with("last_done", done).with("on", on).only_by(Override::Prescriber)])
    };
    if known.judged.holds() {
        let newer = known.newer.as_ref().map_or_else(String::new, |newer| {
            let (judged, on) = (newer.judged.title(), newer.on);
            format!("; {judged} on {on}, waits for a prescriber — {}", newer.result)
        });
        return say(Verdict::Hold, format!("{} — {}{newer}", known.judged.title(), known.result));
    }
    if known.complaint {
        return say(Verdict::Hold, "due because of a complaint".to_owned());
    }
    let first = given.first().map_or(on, |one| one.on);
    let begins = if check.from_months == 0 { first } else { first.saturating_add(months(check.from_months)) };
    let Some(since) = known.last_done.filter(|done| *done <= on).or((!check.baseline).then_some(first))
    else {
        return say(Verdict::Hold, "never made, and due before the first infusion".to_owned());
    };
    if on < begins {
        return Assessment::default();
    }
    if let Some(series) = check.pain_series.filter(|series| is_after_series(*series, &given, since, on)) {
        let why = format!(
            "due after a series of pain infusions on {} days or more, or above {} each",
            series.days_from, series.infusion_above
        );
        return say(Verdict::Hold, why);
    }
    // The infusion that is to be booked is one more; one on the day of the check came after it.
    let infusions = given.iter().filter(|one| one.on >= since && one.on < on).count() + 1;
    let beyond =
        |limit: Option<u32>, by: fn(usize, usize) -> bool| limit.is_some_and(|n| by(infusions, n as usize));
    let over = &check.overdue_after;
    let late = |limit: Option<u32>| limit.map(|n| since.saturating_add(months(n)));
    if beyond(over.infusions, |n, limit| n > limit) || late(over.months).is_some_and(|day| on > day) {
        return say(Verdict::Hold, format!("overdue, {infusions} infusions since {since} with the next one"));
    }
    let due = &check.due_after;
    if beyond(due.infusions, |n, limit| n >= limit) || late(due.months).is_some_and(|day| on >= day) {
        return say(Verdict::Warn, format!("due, {infusions} infusions since {since} with the next one"));
    }
    Assessment::default()
}

/// When a check is asked for again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// At once, and why.
    Now(String),
    /// What comes first. Neither where nothing but a complaint asks for it.
    By {
        /// From that day on.
        on: Option<Date>,
        /// When so many more infusions were given.
        infusions: Option<usize>,
    },
}

/// One check as somebody reads it who did not make it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stands {
    /// What is looked at.
    pub what: String,
    /// What came out last.
    pub known: Known,
    /// When it is due.
    pub next: Next,
}

/// Where every check stands on a day.
pub fn stand(
    given: &[Exposure],
    on: Date,
    known: &BTreeMap<String, Known>,
    knowledge: &Knowledge,
) -> Vec<Stands> {
    let stands = knowledge.long_term.iter().filter_map(|item| {
        let LongTerm::Check(check) = &item.body else { return None };
        let known = known.get(&item.header.id).cloned().unwrap_or_default();
        let asked = judge_check(&item.header, check, given, on, &known).findings;
        let next = match asked.into_iter().next() {
            Some(finding) => Next::Now(finding.reason),
            None => next_due(check, given, &known),
        };
        Some(Stands { what: check.what.clone(), known, next })
    });
    stands.collect()
}

fn next_due(check: &Check, given: &[Exposure], known: &Known) -> Next {
    let first = given.iter().map(|one| one.on).min();
    let Some(since) = known.last_done.or(first) else { return Next::By { on: None, infusions: None } };
    let begins = first.map_or(since, |first| first.saturating_add(months(check.from_months)));
    let on = check.due_after.months.map(|n| since.saturating_add(months(n)).max(begins));
    let had = given.iter().filter(|one| one.on >= since).count();
    // The one before the last that is allowed: the check is due when the next one is booked.
    let infusions = check.due_after.infusions.map(|n| (n as usize).saturating_sub(had + 1));
    Next::By { on, infusions }
}

/// Whether a series that asks for the check is over, and the check was not made since.
fn is_after_series(rule: PainSeries, given: &[&Exposure], since: Date, on: Date) -> bool {
    let pain: Vec<_> = given.iter().filter(|one| one.pain && one.on >= since && one.on < on).collect();
    let days: BTreeSet<Date> = pain.iter().map(|one| one.on).collect();
    let heavy = pain.iter().any(|one| one.mg.is_none_or(|mg| mg > rule.infusion_above));
    let is_over = days.last().is_some_and(|last| days_between(*last, on) > i64::from(rule.over_after_d));
    is_over && (heavy || days.len() >= rule.days_from as usize)
}

/// Systolic pressures before infusions, the mean of each day, mm[Hg].
pub type Pressures = BTreeMap<Date, Decimal>;

/// Whether the pressure before infusions has drifted up.
pub fn pressure_drift(before: &Pressures, on: Date, knowledge: &Knowledge) -> Assessment {
    let found = knowledge.long_term.iter().find_map(|item| match &item.body {
        LongTerm::Drift(drift) => Some((&item.header, drift)),
        _ => None,
    });
    match found {
        Some((header, rule)) => judge_drift(header, rule, before, on),
        None => vec![no_rule("pressure_drift")].into(),
    }
}

pub(crate) fn judge_drift(header: &Header, rule: &Drift, before: &Pressures, on: Date) -> Assessment {
    let from = on.saturating_sub(months(rule.within_months));
    let mut within = before.range(from..=on);
    let Some((first, at_first)) = within.next() else {
        return vec![Finding::missing(header, "blood pressure before the infusions")].into();
    };
    let (last, at_last) = within.next_back().unwrap_or((first, at_first));
    let rise = at_last.saturating_sub(*at_first);
    if rise < rule.rise_from {
        return Assessment::default();
    }
    let why = format!(
        "Systolic {} on {first}, {} on {last}: {} mmHg more, limit {}. {}",
        plain(*at_first),
        plain(*at_last),
        plain(rise),
        plain(rule.rise_from),
        rule.then
    );
    vec![Finding::new(header, Verdict::Warn, why).with("rise", plain(rise))].into()
}

/// Signs of misuse: enough of them ask for a review; one that nobody asked about holds.
pub fn misuse(seen: &BTreeMap<String, bool>, knowledge: &Knowledge) -> Assessment {
    let found = knowledge.long_term.iter().find_map(|item| match &item.body {
        LongTerm::Signals(signals) => Some((&item.header, signals)),
        _ => None,
    });
    match found {
        Some((header, rule)) => judge_signals(header, rule, seen),
        None => vec![no_rule("misuse_signals")].into(),
    }
}

pub(crate) fn judge_signals(header: &Header, rule: &Signals, seen: &BTreeMap<String, bool>) -> Assessment {
    let there: Vec<_> = rule.signals.iter().filter(|signal| seen.get(&signal.id) == Some(&true)).collect();
    let unasked: Vec<_> = rule.signals.iter().filter(|signal| !seen.contains_key(&signal.id)).collect();
    let mut findings = Vec::new();
    if !there.is_empty() {
        let enough = there.len() >= rule.review_from;
        let words: Vec<&str> = there.iter().map(|signal| signal.ask.as_str()).collect();
        let why = format!(
            "Signs of misuse {}, review from {}: {}.",
            there.len(),
            rule.review_from,
            words.join("; ")
        );
        let verdict = if enough { Verdict::Hold } else { Verdict::Info };
        findings.push(Finding::new(header, verdict, why).with("score", there.len()));
    }
    findings.extend(unasked.into_iter().map(|signal| Finding::missing(header, &signal.ask)));
    findings.into()
}

/// Whether the effect wears off sooner than it did.
pub fn tolerance(given: &[Exposure], knowledge: &Knowledge) -> Assessment {
    let found = knowledge.long_term.iter().find_map(|item| match &item.body {
        LongTerm::Tolerance(tolerance) => Some((&item.header, tolerance)),
        _ => None,
    });
    match found {
        Some((header, rule)) => judge_tolerance(header, rule, given),
        None => vec![no_rule("tolerance")].into(),
    }
}

pub(crate) fn judge_tolerance(header: &Header, rule: &Tolerance, given: &[Exposure]) -> Assessment {
    let given = until(given, Date::MAX);
    let intervals = intervals(&given);
    let kept = Decimal::ONE_HUNDRED.saturating_sub(rule.shorter_percent);
    let is_shorter = |(before, after): (&i64, &i64)| {
        Decimal::from(*after).saturating_mul(Decimal::ONE_HUNDRED)
            <= Decimal::from(*before).saturating_mul(kept)
    };
    let shorter: Vec<bool> = intervals.iter().zip(intervals.iter().skip(1)).map(is_shorter).collect();
    // The dose at the end of each interval against the one at the end of the interval before it.
    let ends = given.iter().skip(1);
    let kept_up: Vec<Option<bool>> = ends
        .clone()
        .zip(ends.skip(1))
        .map(|(before, after)| before.mg_per_kg.zip(after.mg_per_kg).map(|(before, after)| after >= before))
        .collect();
    let last = |n: usize| shorter.iter().zip(&kept_up).rev().take(n);
    if shorter.len() < rule.intervals || !last(rule.intervals).all(|(shorter, _)| *shorter) {
        return Assessment::default();
    }
    let words =
        format!("{} intervals in a row shorter by {} % or more", rule.intervals, plain(rule.shorter_percent));
    let verdict = match last(rule.intervals).map(|(_, kept)| *kept).collect::<Option<Vec<_>>>() {
        Some(kept) if kept.iter().all(|kept| *kept) => Verdict::Warn,
        Some(_) => return Assessment::default(),
        None => return vec![Finding::missing(header, &format!("a dose; {words}"))].into(),
    };
    vec![Finding::new(header, verdict, format!("{words}, at the same dose or a higher one."))].into()
}
