//! What the medicines on the list mean for today's infusion.

use super::{Assessment, Finding, Verdict, no_rule};
use crate::knowledge::interactions::{EquivalentTable, Familiar, Interaction, InteractionRule, Medicine};
use crate::knowledge::{Item, Knowledge};
use crate::quantity::plain;
use rust_decimal::Decimal;

/// Findings, and what the monitor has to do because of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MedicineAssessment {
    /// One finding a rule that speaks of a medicine.
    pub assessment: Assessment,
    /// Blood pressure at least this often, minutes.
    pub nibp_every_min: Option<i64>,
    /// Carbon dioxide is watched.
    pub watch_etco2: bool,
    /// What nobody gave; each holds.
    pub missing: Vec<String>,
}

/// Judges a whole list. A medicine that no rule names warns, and holds where its name looks like a slip.
pub fn medicines(list: &[Medicine], knowledge: &Knowledge) -> MedicineAssessment {
    let mut result = MedicineAssessment::default();
    for item in knowledge.interactions.iter() {
        let Interaction::Rule(rule) = &item.body else { continue };
        let concerned: Vec<&Medicine> = list.iter().filter(|m| rule.speaks_of(m)).collect();
        if concerned.is_empty() {
            continue;
        }
        let (verdict, why) = judge(rule, &concerned, &tables(knowledge));
        result.missing.extend(why.strip_prefix("missing: ").map(str::to_owned));
        let names = concerned.iter().map(|m| m.ingredient.as_str()).collect::<Vec<_>>().join(", ");
        let reason = format!("{names}: {} {} {why}", rule.effect, rule.to_do);
        result.assessment.findings.push(finding(item, verdict, reason.trim_end(), &concerned));
        let oftener = [result.nibp_every_min, rule.nibp_every_min].into_iter().flatten().min();
        result.nibp_every_min = oftener;
        result.watch_etco2 |= rule.watch_etco2;
    }
    result.assessment.findings.extend(list.iter().filter_map(|medicine| unfamiliar(medicine, knowledge)));
    result
}

/// The medicines of a list that no rule knows, by the names given.
pub fn unjudged<'a>(list: &'a [Medicine], knowledge: &Knowledge) -> Vec<&'a str> {
    let unknown = list.iter().filter(|medicine| knowledge.familiar(medicine) == Familiar::Unknown);
    unknown.map(|medicine| medicine.ingredient.as_str()).collect()
}

fn unfamiliar(medicine: &Medicine, knowledge: &Knowledge) -> Option<Finding> {
    let name = &medicine.ingredient;
    let (verdict, reason) = match knowledge.familiar(medicine) {
        Familiar::Judged => return None,
        Familiar::Near(known) => {
            (Verdict::Hold, format!("no rule knows “{name}”: is it {known}? Correct the name"))
        }
        Familiar::Unknown => {
            (Verdict::Warn, format!("not judged: no rule knows “{name}”; name it by its ingredient"))
        }
    };
    let Some(list) = knowledge.gates.get(MEDICINES_GATE) else { return Some(no_rule(MEDICINES_GATE)) };
    Some(Finding::new(&list.header, verdict, reason).with(name, "on the list"))
}

/// The gate that asks for the list.
pub const MEDICINES_GATE: &str = "c06";

/// Daily dose in milligrams of diazepam by the table of that name.
///
/// # Errors
/// What is missing, for a person.
pub fn diazepam_equivalent(list: &[Medicine], table: &str, knowledge: &Knowledge) -> Result<Decimal, String> {
    let tables = tables(knowledge);
    let table = tables.iter().find(|t| t.name == table).ok_or_else(|| format!("missing: table {table}"))?;
    sum(&list.iter().collect::<Vec<_>>(), table)
}

fn tables(knowledge: &Knowledge) -> Vec<&EquivalentTable> {
    let tables = knowledge.interactions.iter().filter_map(|item| match &item.body {
        Interaction::Equivalents(equivalents) => Some(&equivalents.tables),
        Interaction::Rule(_) => None,
    });
    tables.flatten().collect()
}

fn sum(list: &[&Medicine], table: &EquivalentTable) -> Result<Decimal, String> {
    list.iter().try_fold(Decimal::ZERO, |total, medicine| {
        let name = medicine.ingredient.trim().to_lowercase();
        let daily = medicine.daily_mg.ok_or_else(|| format!("missing: daily dose of {name}"))?;
        let factor = table
            .factors
            .get(&name)
            .ok_or_else(|| format!("missing: diazepam equivalent of {name} in table {}", table.name))?;
        daily
            .checked_mul(*factor)
            .and_then(|mg| total.checked_add(mg))
            .ok_or_else(|| format!("dose of {name} too large"))
    })
}

fn finding(item: &Item<Interaction>, verdict: Verdict, reason: &str, concerned: &[&Medicine]) -> Finding {
    let mut finding = Finding::new(&item.header, verdict, reason);
    for medicine in concerned {
        let say = |value: Option<Decimal>, unit: &str| {
            value.map(|v| format!(" {} {unit}", plain(v))).unwrap_or_default()
        };
        let taken = format!(
            "on the list{}{}{}",
            say(medicine.daily_mg, "mg/d"),
            say(medicine.hours_since_last, "h ago"),
            say(medicine.qtc_ms, "ms QTc"),
        );
        finding = finding.with(&medicine.ingredient, taken);
    }
    finding
}

fn judge(rule: &InteractionRule, concerned: &[&Medicine], tables: &[&EquivalentTable]) -> (Verdict, String) {
    if let Some(limit) = rule.diazepam_equivalent_hold_above_mg {
        return judge_equivalent(rule, concerned, tables, limit);
    }
    let worst =
        concerned.iter().map(|medicine| judge_one(rule, medicine)).max_by_key(|(verdict, _)| *verdict);
    worst.unwrap_or((rule.verdict, String::new()))
}

fn judge_one(rule: &InteractionRule, medicine: &Medicine) -> (Verdict, String) {
    let name = &medicine.ingredient;
    if let (Some(within), Some(later)) = (rule.within_h, rule.later) {
        return match medicine.hours_since_last {
            None => (Verdict::Hold, format!("missing: hours since the last {name}")),
            Some(hours) if hours < within => {
                (rule.verdict, format!("Last {} h ago, limit {} h.", plain(hours), plain(within)))
            }
            Some(_) => (later, String::new()),
        };
    }
    if let (Some(warn), Some(hold)) = (rule.qtc_warn_from_ms, rule.qtc_hold_from_ms) {
        return match medicine.qtc_ms {
            None => (Verdict::Hold, "missing: QTc".to_owned()),
            Some(qtc) if qtc >= hold => {
                (Verdict::Hold, format!("QTc {} ms, limit {} ms.", plain(qtc), plain(hold)))
            }
            Some(qtc) if qtc >= warn => {
                (Verdict::Warn, format!("QTc {} ms, limit {} ms.", plain(qtc), plain(warn)))
            }
            Some(_) => (rule.verdict, String::new()),
        };
    }
    if is_held(rule, medicine) { (Verdict::Warn, "Held.".to_owned()) } else { (rule.verdict, String::new()) }
}

/// Whether the dose before the infusion was left out long enough. Unknown is no.
fn is_held(rule: &InteractionRule, medicine: &Medicine) -> bool {
    let name = medicine.ingredient.trim().to_lowercase();
    let needed = rule.hold_h_by.get(&name).copied().or(rule.hold_h);
    matches!((needed, medicine.hours_since_last), (Some(needed), Some(hours)) if hours >= needed)
}

fn judge_equivalent(
    rule: &InteractionRule,
    concerned: &[&Medicine],
    tables: &[&EquivalentTable],
    limit: Decimal,
) -> (Verdict, String) {
    let Some(deciding) = tables.first() else {
        return (Verdict::Hold, "missing: a table of equivalents".to_owned());
    };
    let total = match sum(concerned, deciding) {
        Ok(total) => total,
        Err(missing) => return (Verdict::Hold, missing),
    };
    let by_table = tables
        .iter()
        .map(|table| match sum(concerned, table) {
            Ok(mg) => format!("{} mg by table {}", plain(mg), table.name),
            Err(_) => format!("not in table {}", table.name),
        })
        .collect::<Vec<_>>()
        .join(", ");
    let why = format!("Diazepam equivalent a day: {by_table}; limit {} mg.", plain(limit));
    let held = concerned.iter().all(|medicine| is_held(rule, medicine));
    (if total > limit && !held { Verdict::Hold } else { rule.verdict }, why)
}
