//! Answers to a total, its parts, its band, and what a person has to do about it.

use super::answers::{Given, Unscorable};
use crate::knowledge::Item;
use crate::knowledge::scales::{self, Cluster, FlagRule, Scale, ScaleItem, Take};
use rust_decimal::Decimal;
use std::collections::BTreeMap;

/// A score. What is not known is `None`, never zero.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Score {
    /// Id of the scale.
    pub scale: String,
    /// Its version.
    pub version: u32,
    /// Unrounded. None when too many answers are missing, or when the scale has none.
    pub total: Option<Decimal>,
    /// By id.
    pub subscales: BTreeMap<String, Option<Decimal>>,
    /// Name of where the total lies. None where it is not known, or differs between people.
    pub band: Option<String>,
    /// For each group of people its band, where it was not said who.
    pub band_of: BTreeMap<String, String>,
    /// Whether enough was answered.
    pub complete: bool,
    /// Whether missing answers were counted as the mean of the others.
    pub prorated: bool,
    /// Questions that were asked and not answered.
    pub missing: Vec<String>,
    /// What holds and what does not.
    pub criteria: Vec<Criterion>,
    /// What a person has to do or to know.
    pub flags: Vec<Flag>,
}

/// A statement of the scale, and whether it holds; `None` is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Criterion {
    /// Stable.
    pub id: String,
    /// For a person.
    pub title: String,
    /// Whether it holds.
    pub met: Option<bool>,
}

/// Something to do or to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flag {
    /// Stable.
    pub id: String,
    /// For a person.
    pub says: String,
}

/// One question and what it counts; `None` was asked and not answered.
type Row<'a> = (&'a ScaleItem, Option<Decimal>);

/// Scores answers. `of` names whose bands count, where the scale has several.
///
/// # Errors
/// A group that the scale does not know.
pub fn score(item: &Item<Scale>, given: &Given, of: Option<&str>) -> Result<Score, Unscorable> {
    let scale = &item.body;
    let of = group(item, of)?;
    let rows = match given {
        Given::Answers(answers) => filled(scale, answers),
        Given::Total(_) => Vec::new(),
    };
    let taken = match given {
        Given::Answers(_) => total(scale, &rows),
        Given::Total(total) => Some(Taken { value: *total, prorated: false }),
    };
    let missing = missing(&rows);
    let total = taken.as_ref().map(|taken| taken.value);
    let known_total = total.is_some() || scale.total.is_none();
    let complete = known_total && (scale.total.is_some() || missing.is_empty());
    let band = if scale.risks.is_empty() { band(scale, total, of) } else { risk(scale, &rows, complete) };
    let mut scored = Score {
        scale: item.header.id.clone(),
        version: item.header.version,
        total,
        subscales: subscales(scale, &rows),
        band,
        band_of: if of.is_none() { bands_of_all(scale, total) } else { BTreeMap::new() },
        complete,
        prorated: taken.is_some_and(|taken| taken.prorated),
        missing,
        criteria: scale.criteria.iter().map(|c| judged(scale, c, &rows, total)).collect(),
        flags: Vec::new(),
    };
    scored.flags = flags(scale, &rows, &scored);
    Ok(scored)
}

/// Lowest and highest total that the questions of a scale make.
pub fn lowest_and_highest(item: &Item<Scale>) -> Option<[Decimal; 2]> {
    let scale = &item.body;
    let all = |end: fn([Decimal; 2], bool) -> Decimal| {
        let answers: Vec<_> =
            scale.items.iter().map(|item| Some(end(scale.values_of(item), item.reversed))).collect();
        total(scale, &filled(scale, &answers)).map(|taken| taken.value)
    };
    let low = all(|[low, high], reversed| if reversed { high } else { low })?;
    let high = all(|[low, high], reversed| if reversed { low } else { high })?;
    Some([low, high])
}

/// Each question with what was answered. A question that need not be asked and was not counts its lowest value.
pub(super) fn filled<'a>(scale: &'a Scale, answers: &[Option<Decimal>]) -> Vec<Row<'a>> {
    let mut rows: Vec<Row<'a>> = Vec::new();
    for (item, answer) in scale.items.iter().zip(answers) {
        let [low, _] = scale.values_of(item);
        let hangs_on = item.asked_if.as_deref().and_then(|id| rows.iter().find(|(other, _)| other.id == id));
        let not_asked = hangs_on.is_some_and(|(other, value)| *value == Some(scale.values_of(other)[0]));
        rows.push((item, answer.or(not_asked.then_some(low))));
    }
    if gate_answer(scale, &rows).is_some_and(|(low, answer)| answer == Some(low)) {
        for (item, value) in &mut rows {
            *value = Some(scale.values_of(item)[0]);
        }
    }
    rows
}

/// Lowest value of the gate, and its answer.
fn gate_answer(scale: &Scale, rows: &[Row]) -> Option<(Decimal, Option<Decimal>)> {
    let (item, answer) = rows.iter().find(|(item, _)| Some(&item.id) == scale.gate.as_ref())?;
    Some((scale.values_of(item)[0], *answer))
}

fn missing(rows: &[Row]) -> Vec<String> {
    rows.iter().filter(|(item, v)| v.is_none() && !item.optional).map(|(item, _)| item.id.clone()).collect()
}

struct Taken {
    value: Decimal,
    prorated: bool,
}

fn total(scale: &Scale, rows: &[Row]) -> Option<Taken> {
    scale.total?;
    if gate_answer(scale, rows).is_some_and(|(_, answer)| answer.is_none()) {
        return None;
    }
    let mut counting = scale.subscales.iter().filter(|part| part.counts).peekable();
    if counting.peek().is_none() {
        let scored: Vec<Row> = rows.iter().filter(|(item, _)| item.scored).copied().collect();
        return take(scale, &scored, scale.take, scale.missing_max);
    }
    let mut sum = Taken { value: Decimal::ZERO, prorated: false };
    for part in counting {
        let one = subscale(scale, part, rows)?;
        sum = Taken { value: sum.value.checked_add(one.value)?, prorated: sum.prorated || one.prorated };
    }
    Some(sum)
}

fn subscale(scale: &Scale, part: &scales::Subscale, rows: &[Row]) -> Option<Taken> {
    let own: Vec<Row> = rows.iter().filter(|(item, _)| part.items.contains(&item.id)).copied().collect();
    let taken = take(scale, &own, part.take, part.missing_max)?;
    Some(Taken { value: taken.value.checked_div(part.divide)?, ..taken })
}

fn subscales(scale: &Scale, rows: &[Row]) -> BTreeMap<String, Option<Decimal>> {
    let value = |part| subscale(scale, part, rows).map(|taken| taken.value);
    scale.subscales.iter().map(|part| (part.id.clone(), value(part))).collect()
}

fn take(scale: &Scale, rows: &[Row], how: Take, missing_max: usize) -> Option<Taken> {
    let counted: Vec<Decimal> = rows.iter().filter_map(|(item, v)| Some(worth(scale, item, (*v)?))).collect();
    let gaps = rows.len() - counted.len();
    if counted.is_empty() || gaps > missing_max {
        return None;
    }
    let (all, answered) = (Decimal::from(rows.len()), Decimal::from(counted.len()));
    let sum: Decimal = counted.iter().sum();
    let value = match how {
        Take::Sum => (sum * all).checked_div(answered)?,
        Take::Mean => sum.checked_div(answered)?,
        Take::Max => counted.into_iter().max()?,
        Take::Level => {
            Decimal::from(rows.iter().rposition(|row| above_lowest(scale, row)).map_or(0, |at| at + 1))
        }
    };
    Some(Taken { value, prorated: gaps > 0 })
}

fn worth(scale: &Scale, item: &ScaleItem, answer: Decimal) -> Decimal {
    let [low, high] = scale.values_of(item);
    if item.reversed { low + high - answer } else { answer }
}

fn above_lowest(scale: &Scale, (item, value): &Row) -> bool {
    value.is_some_and(|value| value > scale.values_of(item)[0])
}

fn group<'a>(item: &'a Item<Scale>, of: Option<&str>) -> Result<Option<&'a str>, Unscorable> {
    let groups = item.body.groups();
    let Some(wanted) = of else { return Ok(None) };
    match groups.iter().find(|group| **group == wanted) {
        Some(group) => Ok(Some(group)),
        // A scale whose bands are the same for all takes anybody.
        None if groups.is_empty() => Ok(None),
        None => Err(Unscorable::Group {
            scale: item.header.title.clone(),
            value: wanted.to_owned(),
            accepted: groups.join(" or "),
        }),
    }
}

fn band(scale: &Scale, total: Option<Decimal>, of: Option<&str>) -> Option<String> {
    let reached = |band: &&scales::Band| band.of.as_deref() == of && Some(band.from) <= total;
    scale.bands.iter().rfind(reached).map(|band| band.name.clone())
}

fn bands_of_all(scale: &Scale, total: Option<Decimal>) -> BTreeMap<String, String> {
    let named = |group: &str| Some((group.to_owned(), band(scale, total, Some(group))?));
    scale.groups().into_iter().filter_map(named).collect()
}

/// The worst level that any yes reaches. While answers are missing only the worst of all is certain.
fn risk(scale: &Scale, rows: &[Row], complete: bool) -> Option<String> {
    let said = |ids: &[String]| rows.iter().any(|row| ids.contains(&row.0.id) && above_lowest(scale, row));
    let reached = scale.risks.iter().position(|risk| risk.any.is_empty() || said(&risk.any))?;
    let level = scale.risks.get(reached).filter(|_| complete || reached == 0)?;
    Some(level.name.clone())
}

fn judged(scale: &Scale, rule: &scales::Criterion, rows: &[Row], total: Option<Decimal>) -> Criterion {
    let bound = |holds: fn(&Decimal, &Decimal) -> bool, limit: Option<Decimal>| {
        limit.map(|limit| total.map(|total| holds(&total, &limit)))
    };
    let bounds = [bound(Decimal::ge, rule.from), bound(Decimal::le, rule.to), bound(Decimal::lt, rule.below)];
    let clusters = rule.clusters.iter().map(|cluster| has_cluster(scale, cluster, rows));
    let said: Vec<Option<bool>> = bounds.into_iter().flatten().chain(clusters).collect();
    let met = if said.contains(&Some(false)) {
        Some(false)
    } else {
        said.iter().all(Option::is_some).then_some(true)
    };
    Criterion { id: rule.id.clone(), title: rule.title.clone(), met }
}

/// Whether enough items of a cluster are symptoms; not known while the missing ones could decide it.
fn has_cluster(scale: &Scale, cluster: &Cluster, rows: &[Row]) -> Option<bool> {
    let part = scale.subscales.iter().find(|part| part.id == cluster.subscale)?;
    let own = || rows.iter().filter(|(item, _)| part.items.contains(&item.id));
    own().next()?;
    let symptoms = own().filter(|(_, value)| value.is_some_and(|value| value >= cluster.item_from)).count();
    let gaps = own().filter(|(_, value)| value.is_none()).count();
    if symptoms >= cluster.at_least {
        Some(true)
    } else if symptoms + gaps < cluster.at_least {
        Some(false)
    } else {
        None
    }
}

fn flags(scale: &Scale, rows: &[Row], score: &Score) -> Vec<Flag> {
    let raised = scale.flags.iter().filter(|rule| is_raised(rule, rows, score.total));
    let mut flags: Vec<Flag> =
        raised.map(|rule| Flag { id: rule.id.clone(), says: rule.says.clone() }).collect();
    let named = format!("Not answered: {}.", score.missing.join(", "));
    if score.prorated {
        let says = format!("{named} Each counts as the mean of the others.");
        flags.push(Flag { id: "prorated".to_owned(), says });
    }
    if !score.complete {
        flags.push(Flag { id: "incomplete".to_owned(), says: format!("{named} Too many for a result.") });
    }
    flags
}

fn is_raised(rule: &FlagRule, rows: &[Row], total: Option<Decimal>) -> bool {
    let own = || rows.iter().filter(|(item, _)| rule.items.contains(&item.id));
    let answered = own().any(|(_, value)| value.is_some_and(|value| value >= rule.item_from));
    let unknown =
        !rule.items.is_empty() && (own().next().is_none() || own().any(|(_, value)| value.is_none()));
    let high = rule.total_from.is_some_and(|from| total.is_some_and(|total| total >= from));
    answered || high || (rule.or_missing && unknown)
}
