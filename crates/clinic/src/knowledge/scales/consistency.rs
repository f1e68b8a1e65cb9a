//! Whether a scale agrees with itself: what it names exists, its ranges meet, its wording may be shipped.

use super::{Cluster, Scale, ScaleItem, plain_name};
use crate::knowledge::{Item, Knowledge};
use crate::quantity::plain;
use crate::scale::lowest_and_highest;
use rust_decimal::Decimal;
use std::collections::BTreeSet;

/// More values than a person can tell apart on a line of a form.
const VALUES_MAX: u32 = 101;

pub(super) fn check(item: &Item<Scale>, all: &Knowledge) -> Result<(), String> {
    let scale = &item.body;
    names_are_its_own(item, all)?;
    licence_lets_text_ship(scale)?;
    for question in &scale.items {
        answers_fit(scale, question)?;
    }
    if scale.total_step.is_some_and(|step| step <= Decimal::ZERO || !scale.items.is_empty()) {
        return Err("`total_step` is above 0, and only where no item says the distance of totals".to_owned());
    }
    what_is_named_exists(scale)?;
    ids_are_told_apart(scale)?;
    bands_cover_the_total(scale)?;
    total_is_what_items_make(item)?;
    codes_differ(scale)?;
    due_dates_open_before_they_close(scale)?;
    let wanted = scale.flags.iter().filter_map(|flag| flag.asks.as_ref());
    if let Some(none) = wanted.into_iter().find(|id| all.scale(id).is_none_or(|one| one.header.id != **id)) {
        return Err(format!("there is no scale {none} to ask for"));
    }
    let sources = scale.criteria.iter().map(|c| &c.source).chain(scale.outcomes.iter().map(|o| &o.source));
    match sources.into_iter().find(|source| all.sources.get(source).is_none()) {
        Some(source) => Err(format!("cites `{source}`, which is not in sources.toml")),
        None => Ok(()),
    }
}

fn names_are_its_own(item: &Item<Scale>, all: &Knowledge) -> Result<(), String> {
    for name in std::iter::once(&item.header.id).chain(&item.body.aliases) {
        if let Some(other) = all.scale(name).filter(|other| other.header.id != item.header.id) {
            return Err(format!("the name `{name}` means `{}` already", other.header.id));
        }
        if plain_name(name).is_empty() {
            return Err("has a name without letters".to_owned());
        }
    }
    Ok(())
}

fn licence_lets_text_ship(scale: &Scale) -> Result<(), String> {
    let worded = |item: &&ScaleItem| !item.ask.is_empty() || !item.answers.is_empty();
    let wording =
        !scale.stem.is_empty() || !scale.answers.is_empty() || scale.items.iter().any(|i| worded(&i));
    if wording && !scale.licence.class.ships_text() {
        return Err("its licence does not let its wording be shipped, and the file holds some".to_owned());
    }
    if scale.licence.notice.trim().is_empty() {
        return Err("`licence.notice` is empty".to_owned());
    }
    Ok(())
}

fn answers_fit(scale: &Scale, item: &ScaleItem) -> Result<(), String> {
    let id = &item.id;
    if item.values.or(scale.values).is_none() {
        return Err(format!("item {id} says no values, and the scale none for all"));
    }
    let [low, high] = scale.values_of(item);
    if low >= high || item.step <= Decimal::ZERO || (high - low) % item.step != Decimal::ZERO {
        return Err(format!("the values of item {id} do not run from low to high in whole steps"));
    }
    let values = (high - low) / item.step + Decimal::ONE;
    if values > Decimal::from(VALUES_MAX) {
        return Err(format!("item {id} has {values} values, at most {VALUES_MAX} are possible"));
    }
    let answers = if item.answers.is_empty() { &scale.answers } else { &item.answers };
    if !answers.is_empty() && Decimal::from(answers.len()) != values {
        return Err(format!("item {id} has {values} values and {} answers", answers.len()));
    }
    let ends = if item.ends.is_empty() { &scale.ends } else { &item.ends };
    if ends.is_empty() || ends.len() == 2 {
        Ok(())
    } else {
        Err(format!("the ends of item {id} are not two"))
    }
}

fn what_is_named_exists(scale: &Scale) -> Result<(), String> {
    let known: BTreeSet<&str> = scale.items.iter().map(|item| item.id.as_str()).collect();
    let named = (scale.subscales.iter().flat_map(|part| &part.items))
        .chain(scale.risks.iter().flat_map(|risk| &risk.any))
        .chain(scale.flags.iter().flat_map(|flag| &flag.items))
        .chain(&scale.gate);
    if let Some(missing) = named.into_iter().find(|id| !known.contains(id.as_str())) {
        return Err(format!("there is no item {missing}"));
    }
    let earlier = |item: &ScaleItem, wanted: &str| {
        scale.items.iter().take_while(|other| other.id != item.id).any(|other| other.id == wanted)
    };
    for item in &scale.items {
        if let Some(wanted) = item.asked_if.as_deref().filter(|wanted| !earlier(item, wanted)) {
            return Err(format!("item {} hangs on item {wanted}, which does not stand before it", item.id));
        }
    }
    let unknown = |cluster: &&Cluster| !scale.subscales.iter().any(|part| part.id == cluster.subscale);
    match scale.criteria.iter().flat_map(|criterion| &criterion.clusters).find(unknown) {
        Some(cluster) => Err(format!("there is no subscale {}", cluster.subscale)),
        None if scale.risks.iter().rev().skip(1).any(|risk| risk.any.is_empty()) => {
            Err("only the last level of risk has no items".to_owned())
        }
        None if scale.risks.last().is_some_and(|risk| !risk.any.is_empty()) => {
            Err("the last level of risk is the one without any yes".to_owned())
        }
        None => Ok(()),
    }
}

fn ids_are_told_apart(scale: &Scale) -> Result<(), String> {
    let kinds: [(&str, Vec<&String>); 4] = [
        ("item", scale.items.iter().map(|item| &item.id).collect()),
        ("subscale", scale.subscales.iter().map(|part| &part.id).collect()),
        ("criterion", scale.criteria.iter().map(|criterion| &criterion.id).collect()),
        ("flag", scale.flags.iter().map(|flag| &flag.id).collect()),
    ];
    for (kind, ids) in kinds {
        let mut seen = BTreeSet::new();
        if let Some(twice) = ids.into_iter().find(|id| !seen.insert(id.as_str())) {
            return Err(format!("the {kind} {twice} stands twice"));
        }
    }
    Ok(())
}

fn bands_cover_the_total(scale: &Scale) -> Result<(), String> {
    if scale.bands.is_empty() {
        return Ok(());
    }
    let Some([low, high]) = scale.total else { return Err("has bands and no total".to_owned()) };
    let groups: BTreeSet<Option<&str>> = scale.bands.iter().map(|band| band.of.as_deref()).collect();
    if groups.contains(&None) && groups.len() > 1 {
        return Err("bands are for all, or each for someone".to_owned());
    }
    for group in groups {
        let starts: Vec<Decimal> =
            scale.bands.iter().filter(|band| band.of.as_deref() == group).map(|band| band.from).collect();
        let rising = starts.iter().zip(starts.iter().skip(1)).all(|(one, next)| one < next);
        if starts.first() != Some(&low) || starts.last() > Some(&high) || !rising {
            return Err(format!("its bands do not rise from {} within {}", plain(low), plain(high)));
        }
    }
    Ok(())
}

fn total_is_what_items_make(item: &Item<Scale>) -> Result<(), String> {
    let scale = &item.body;
    let Some([low, high]) = scale.total else {
        return if scale.items.is_empty() { Err("has neither a total nor items".to_owned()) } else { Ok(()) };
    };
    if low >= high {
        return Err("its total does not run from low to high".to_owned());
    }
    if scale.items.is_empty() {
        return Ok(());
    }
    match lowest_and_highest(item) {
        Some(made) if made == [low, high] => Ok(()),
        Some([made_low, made_high]) => Err(format!(
            "its items make a total of {} to {}, it says {} to {}",
            plain(made_low),
            plain(made_high),
            plain(low),
            plain(high)
        )),
        None => Err("its items make no total".to_owned()),
    }
}

fn codes_differ(scale: &Scale) -> Result<(), String> {
    let codes = &scale.loinc;
    let mut seen = BTreeSet::new();
    let all =
        codes.panel.iter().chain(&codes.total).chain(scale.items.iter().filter_map(|i| i.loinc.as_ref()));
    // A single question may carry the code of its total.
    match all.into_iter().find(|code| !seen.insert(code.as_str())) {
        Some(twice) if scale.items.len() > 1 => {
            Err(format!("the LOINC code {} stands for two things", twice.as_str()))
        }
        _ => Ok(()),
    }
}

fn due_dates_open_before_they_close(scale: &Scale) -> Result<(), String> {
    for rule in &scale.due {
        let window = rule.closes_h - rule.opens_h;
        let sound = window > 0
            && rule.every > 0
            && rule.repeat_h.is_none_or(|hours| hours >= window)
            && (rule.times.is_none() || rule.repeat_h.is_some());
        if !sound {
            return Err(format!(
                "the due date `{}` does not open before it closes and comes back",
                rule.title
            ));
        }
    }
    Ok(())
}
