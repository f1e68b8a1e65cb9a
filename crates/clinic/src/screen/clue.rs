//! Whether a clue is there, what was seen, and what is missing to tell.

use super::consultation::{Diagnosis, Known, Reading};
use super::facts::Facts;
use super::trials::resistance;
use crate::knowledge::eligibility::{Clue, Codes, Means, Pressures};
use crate::knowledge::interactions::Interaction;
use crate::knowledge::measure::in_words;
use crate::quantity::plain;
use rust_decimal::Decimal;

/// What was seen of a clue.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// Whether it is there.
    pub(crate) found: bool,
    /// In words.
    pub(crate) said: Vec<String>,
    /// Path and value of what was looked at.
    pub(crate) inputs: Vec<(String, String)>,
    /// Paths of what nobody gave.
    pub(crate) missing: Vec<String>,
}

impl Seen {
    fn missing(path: impl Into<String>) -> Self {
        Self { missing: vec![path.into()], ..Self::default() }
    }
    fn see(&mut self, path: String, value: String, said: String) {
        self.found = true;
        self.inputs.push((path, value));
        self.said.push(said);
    }
}

pub(crate) fn look(clue: &Clue, facts: &Facts<'_>) -> Seen {
    match clue {
        Clue::Diagnosis(codes) => diagnosis(codes, facts),
        Clue::Allergy { substances, rxcui } => allergy(substances, rxcui, facts),
        Clue::Interaction(rule) => interaction(rule, facts),
        Clue::Fact(fact, means) => one_fact(fact, means, facts),
        Clue::Pressures(limits) => pressures(limits, facts),
        Clue::Trials(needed) => trials(*needed, facts),
        Clue::NoDiagnosis(codes) => no_diagnosis(codes, "one that is asked for", facts),
        Clue::NoIndication => indication(facts),
    }
}

fn diagnosis(codes: &Codes, facts: &Facts<'_>) -> Seen {
    let Some(list) = &facts.consultation.diagnoses else { return Seen::missing("diagnoses") };
    let mut seen = Seen::default();
    for (nth, one) in list.iter().enumerate() {
        let code = one.dotless();
        let begins = |prefixes: &[String]| prefixes.iter().any(|prefix| code.starts_with(prefix.as_str()));
        let counts = begins(&codes.prefixes) && !begins(&codes.except);
        if !counts || (codes.now && one.current == Some(false)) || !codes.counts_on(one, facts) {
            continue;
        }
        if one.on.is_none() && codes.below_d.is_some() {
            seen.missing.push(format!("diagnoses[{nth}].on"));
        }
        let told = one.text.as_deref().map(|text| format!(" {text}")).unwrap_or_default();
        let since = one.on.map(|day| format!(" on {day}")).unwrap_or_default();
        let said = format!("{}{told}{since}", one.dotted());
        seen.see(format!("diagnoses[{nth}]"), said.clone(), said);
    }
    seen
}

impl Codes {
    /// Whether so many days have passed since the onset. An unknown onset is a recent one.
    fn counts_on(&self, one: &Diagnosis, facts: &Facts<'_>) -> bool {
        let Some(onset) = one.on else { return self.from_d.is_none() };
        let days = days_between(onset, facts.on);
        self.from_d.is_none_or(|from| days >= from) && self.below_d.is_none_or(|below| days < below)
    }
}

/// Whole days from one day to another.
pub(crate) fn days_between(from: jiff::civil::Date, to: jiff::civil::Date) -> i32 {
    from.until(to).map_or(0, |span| span.get_days())
}

fn allergy(substances: &[String], rxcui: &[String], facts: &Facts<'_>) -> Seen {
    let Some(list) = &facts.consultation.allergies else { return Seen::missing("allergies") };
    let mut seen = Seen::default();
    for (nth, one) in list.iter().enumerate() {
        let name = one.substance.as_deref().unwrap_or_default().to_lowercase();
        let by_code = one.rxcui.as_ref().is_some_and(|code| rxcui.contains(code));
        let known = one.rxcui.as_deref().and_then(|code| facts.knowledge.ingredient(code));
        if by_code || substances.iter().any(|substance| name.contains(substance.as_str())) {
            let said = one
                .substance
                .clone()
                .or(known.map(str::to_owned))
                .unwrap_or_else(|| "by its code".to_owned());
            seen.see(format!("allergies[{nth}]"), said.clone(), format!("allergy: {said}"));
        } else if name.is_empty() && known.is_none() {
            seen.missing.push(format!("allergies[{nth}].substance"));
        }
    }
    seen
}

fn interaction(rule: &str, facts: &Facts<'_>) -> Seen {
    let Some((list, missing)) = facts.medicines() else { return Seen::missing("medicines") };
    let mut seen = Seen { missing, ..Seen::default() };
    let Some(Interaction::Rule(rule)) = facts.knowledge.interactions.get(rule).map(|item| &item.body) else {
        return seen;
    };
    for medicine in list.iter().filter(|medicine| rule.speaks_of(medicine)) {
        let name = if medicine.ingredient.is_empty() {
            medicine.atc.clone().unwrap_or_default()
        } else {
            medicine.ingredient.clone()
        };
        seen.see(format!("medicines.{name}"), "on the list".to_owned(), name);
    }
    seen
}

fn one_fact(fact: &str, means: &Means, facts: &Facts<'_>) -> Seen {
    let Some(known) = facts.get(fact) else {
        return Seen { missing: facts.missing(fact).into_iter().collect(), ..Seen::default() };
    };
    let limit = match (means, known) {
        (Means::Yes(wanted), Known::Yes(is)) if wanted == is => Some(String::new()),
        (Means::Level(wanted), Known::Level(is)) if wanted == is => Some(String::new()),
        (Means::Number { from, above, below }, Known::Number(number)) => {
            reached(*number, *from, *above, *below)
        }
        _ => None,
    };
    let mut seen = Seen::default();
    if let Some(limit) = limit {
        let said = format!("{} {known}{limit}", facts.called(fact));
        seen.see(fact.to_owned(), known.to_string(), said);
    }
    seen
}

/// The limit in words, where the number reached it.
fn reached(
    number: Decimal,
    from: Option<Decimal>,
    above: Option<Decimal>,
    below: Option<Decimal>,
) -> Option<String> {
    let there = from.is_none_or(|limit| number >= limit)
        && above.is_none_or(|limit| number > limit)
        && below.is_none_or(|limit| number < limit);
    let limits = [("from", from), ("above", above), ("below", below)];
    let words = limits.iter().filter_map(|(word, limit)| Some(format!("{word} {}", plain((*limit)?))));
    there.then(|| format!(", limit {}", words.collect::<Vec<_>>().join(" and ")))
}

/// The last two readings that are far enough apart, or the last one alone.
fn last_two(readings: &[Reading], apart_min: i64) -> Vec<&Reading> {
    let mut sorted: Vec<&Reading> = readings.iter().collect();
    sorted.sort_by_key(|reading| reading.at);
    let Some((last, earlier)) = sorted.split_last() else { return Vec::new() };
    let apart = |one: &&&Reading| {
        one.at.zip(last.at).is_some_and(|(first, second)| second.duration_since(first).as_mins() >= apart_min)
    };
    earlier.iter().rev().find(apart).into_iter().copied().chain([*last]).collect()
}

fn pressures(limits: &Pressures, facts: &Facts<'_>) -> Seen {
    let Some(readings) = &facts.consultation.vitals.pressures else {
        return Seen::missing("vitals.pressures");
    };
    let counted = last_two(readings, limits.apart_min);
    let high = |reading: &&&Reading| {
        reading.systolic >= limits.systolic_from || reading.diastolic >= limits.diastolic_from
    };
    let mut seen = Seen::default();
    if counted.len() < 2 {
        seen.missing
            .push(format!("vitals.pressures: a second reading at least {} min apart", limits.apart_min));
    }
    if counted.iter().filter(high).count() >= limits.of_two {
        let read: Vec<String> =
            counted.iter().map(|r| format!("{}/{}", plain(r.systolic), plain(r.diastolic))).collect();
        let read = read.join(" and ");
        let limit = format!("{}/{}", plain(limits.systolic_from), plain(limits.diastolic_from));
        seen.see(
            "vitals.pressures".to_owned(),
            read.clone(),
            format!("{read} {}, limit from {limit}", in_words("mm[Hg]")),
        );
    }
    seen
}

fn trials(needed: Option<u32>, facts: &Facts<'_>) -> Seen {
    let Some(trials) = &facts.consultation.trials else { return Seen::missing("trials") };
    let Some(rule) = facts.knowledge.resistance.iter().next() else { return Seen::missing("trials") };
    let needed = needed.unwrap_or(rule.body.trials);
    let trd = resistance(&rule.body, trials);
    let mut seen = Seen::default();
    if trd.count < needed {
        let said = format!("{} adequate failed trials, {needed} needed", trd.count);
        seen.see("trials".to_owned(), trd.count.to_string(), said);
        seen.missing = trd.undecided;
    }
    seen
}

fn indication(facts: &Facts<'_>) -> Seen {
    let Some(planned) = &facts.consultation.regimen else { return Seen::missing("regimen") };
    let regimen = facts.knowledge.regimens.get(planned);
    let codes = regimen.iter().flat_map(|item| &item.body.icd10).map(|code| code.replace(['.', '*'], ""));
    no_diagnosis(&codes.collect::<Vec<_>>(), &format!("one for {planned}"), facts)
}

/// Found where no diagnosis that is present fits; a fitting one says who made it.
fn no_diagnosis(codes: &[String], wanted: &str, facts: &Facts<'_>) -> Seen {
    let Some(list) = &facts.consultation.diagnoses else { return Seen::missing("diagnoses") };
    let fits = |one: &Diagnosis| {
        one.current != Some(false) && codes.iter().any(|code| one.dotless().starts_with(code.as_str()))
    };
    let mut seen = Seen::default();
    match list.iter().position(fits) {
        None => {
            let listed: Vec<String> = list.iter().map(Diagnosis::dotted).collect();
            seen.see(
                "diagnoses".to_owned(),
                listed.join(", "),
                format!("no diagnosis on the list is {wanted}"),
            );
        }
        Some(nth) if !list.iter().any(|one| fits(one) && one.made_by.is_some()) => {
            seen.missing.push(format!("diagnoses[{nth}].made_by"));
        }
        Some(_) => {}
    }
    seen
}
