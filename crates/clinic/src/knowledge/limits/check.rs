//! Whether a limits file agrees with itself: units fit, limits nest, steps climb.

use super::{Condition, LimitRule, Priority, SignLimits, Watch};
use crate::device::Parameter;
use crate::knowledge::Knowledge;
use crate::quantity::plain;
use rust_decimal::Decimal;
use std::collections::BTreeSet;

pub(super) fn playbook(playbook: Option<&str>, all: &Knowledge) -> Result<(), String> {
    match playbook {
        Some(id) if all.adverse_events.get(id).is_none() => {
            Err(format!("names the playbook `{id}`, which is not there"))
        }
        _ => Ok(()),
    }
}

pub(super) fn unit(unit: &str, must_be: &str) -> Result<(), String> {
    if unit == must_be { Ok(()) } else { Err(format!("`unit` is `{unit}`, this sign is in `{must_be}`")) }
}

pub(super) fn order(from: Decimal, to: Decimal, what: &str) -> Result<(), String> {
    if from <= to { Ok(()) } else { Err(format!("{what} runs from {} down to {}", plain(from), plain(to))) }
}

pub(super) fn sign(limits: &SignLimits, all: &Knowledge) -> Result<(), String> {
    if limits.signs.is_empty() || limits.rules.is_empty() {
        return Err("needs a sign and a rule".to_owned());
    }
    let [from, to] = limits.normal;
    order(from, to, "normal")?;
    for sign in &limits.signs {
        unit(&limits.unit, sign.parameter().map_or("{score}", Parameter::unit))?;
    }
    let mut ids = BTreeSet::new();
    for rule in &limits.rules {
        if !ids.insert(&rule.id) {
            return Err(format!("rule `{}` stands there twice", rule.id));
        }
        if rule.threshold().is_none() {
            return Err(format!("rule `{}` needs exactly one of above, at_least, below, at_most", rule.id));
        }
        if rule.readings == 0 || rule.lasting_s < 0 {
            return Err(format!("rule `{}` needs at least one reading and no negative time", rule.id));
        }
        playbook(rule.playbook.as_deref(), all)?;
    }
    nesting(&limits.rules)
}

/// A graver action may not fire at a milder value than a lesser one, and a limit may not be moved past the next.
fn nesting(rules: &[LimitRule]) -> Result<(), String> {
    for milder in rules {
        for graver in rules.iter().filter(|rule| rule.action > milder.action && rule.from == milder.from) {
            let (Some((mild, above)), Some((grave, same))) = (milder.threshold(), graver.threshold()) else {
                continue;
            };
            if above != same {
                continue;
            }
            let reach = milder.adjustable.map_or(mild, |[lo, hi]| if above { hi } else { lo });
            if (above && reach.max(mild) > grave) || (!above && reach.min(mild) < grave) {
                return Err(format!("`{}` can pass `{}` unseen: limits must nest", graver.id, milder.id));
            }
        }
        if let (Some([lo, hi]), Some((threshold, _))) = (milder.adjustable, milder.threshold())
            && !(lo..=hi).contains(&threshold)
        {
            return Err(format!("`{}` lies outside its own `adjustable`", milder.id));
        }
    }
    Ok(())
}

pub(super) fn watch(watch: &Watch) -> Result<(), String> {
    for condition in Condition::ALL {
        let technical = watch.technical(condition).ok_or(format!("says nothing about {condition:?}"))?;
        let climbing = technical.steps.is_sorted_by(|a, b| a.after_s < b.after_s && a.priority <= b.priority);
        if technical.steps.is_empty() || !climbing {
            return Err(format!("the steps of {condition:?} must climb"));
        }
    }
    // An interruption is over when it is noticed: only a high alarm stays until somebody has seen it.
    let interrupted = watch.technical(Condition::Interrupted).and_then(|technical| technical.step(0));
    if interrupted.is_none_or(|step| step.priority < Priority::High) {
        return Err("an interruption must be high at once".to_owned());
    }
    if watch.shown_old_s < 1 || watch.shown_old_s >= watch.shown_gone_s {
        return Err("a value is shown as old first and as gone later".to_owned());
    }
    if watch.cuff_late_s < watch.shown_gone_s {
        return Err("a cuff reading is late no sooner than a continuous one".to_owned());
    }
    if watch.escalations.is_empty()
        || !watch.escalations.is_sorted_by(|a, b| a.after_s < b.after_s && a.to < b.to)
    {
        return Err("the escalations must climb".to_owned());
    }
    order(watch.overdue_low_factor, watch.overdue_medium_factor, "overdue")
}
