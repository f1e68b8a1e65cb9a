//! One broken file for each rule of gates, limits, observations, cards, discharge, interactions, spacing and advice.

use crate::knowledge::{File, Knowledge, embed};

/// Reads everything shipped with `from` replaced by `to` in one file, and expects these words of a problem.
fn refused(path: &str, from: &str, to: &str, words: &str) {
    let mut files: Vec<File> = embed::shipped();
    let file = files.iter_mut().find(|file| file.path == path).expect("it is shipped");
    assert!(file.text.contains(from), "{path} does not say `{from}`");
    file.text = file.text.replacen(from, to, 1);
    let Err(error) = Knowledge::read(&files) else { panic!("{path} with `{to}` is accepted") };
    let told = error.problems.iter().any(|problem| problem.path == path && problem.reason.contains(words));
    assert!(told, "{path} with `{to}`: {error}");
}

#[test]
fn limits_that_do_not_hold_together_are_refused() {
    let sbp = "limits/limit_sbp.toml";
    refused(sbp, "at_least = 180", "at_least = 150", "limits must nest");
    refused(sbp, "adjustable = [150, 170]", "adjustable = [150, 190]", "limits must nest");
    refused(sbp, "adjustable = [150, 170]", "adjustable = [165, 170]", "outside its own");
    refused(sbp, "mm[Hg]", "kPa", "this sign is in `mm[Hg]`");
    refused(sbp, "at_least = 160", "at_least = 160\nbelow = 90", "exactly one of");
    refused(sbp, "readings = 2", "readings = 0", "at least one reading");
    refused(sbp, "readings = 2", "reading = 2", "unknown field `reading`");
    refused(sbp, "playbook = \"hypertension\"", "playbook = \"none\"", "names the playbook");
}

#[test]
fn a_watch_without_a_condition_or_with_falling_steps_is_refused() {
    let watch = "limits/watch.toml";
    refused(watch, "condition = \"no_display\"", "condition = \"link_lost\"", "says nothing about NoDisplay");
    refused(watch, "after_s = 30, priority = \"medium\"", "after_s = 5, priority = \"medium\"", "must climb");
    refused(watch, "after_s = 30\nto", "after_s = 10\nto", "escalations must climb");
    refused(watch, "shown_gone_s = 10", "shown_gone_s = 5", "old first and as gone later");
}

#[test]
fn other_kinds_refuse_what_does_not_hold() {
    refused("gates/c09.toml", "fail = \"stop\"", "fail = \"warn\"", "does not hold");
    refused("gates/c06.toml", "when = \"bp_medicines_due\"", "when = \"nobody_asks\"", "does not ask");
    refused("gates/c05.toml", "unit = \"h\"\n", "", "number with a unit");
    refused("gates/bp_day_of.toml", "at_most = 140", "at_most = 137", "does not hold");
    refused("gates/vitals_day_of.toml", "from = 92", "from = 90", "does not hold");
    refused("observations/iv40.toml", "infusion_min = 10", "infusion_min = 0", "not above zero");
    refused("observations/iv40.toml", "what = \"spo2\"", "what = \"nibp\"", "twice");
    refused("adverse_events/hypertension.toml", "dose = [10, 20]", "dose = [10, 90]", "do not nest");
    refused("adverse_events/hypertension.toml", "total_max = 80", "total_max = 100", "does not hold");
    refused("discharge/discharge.toml", "found_within_min = 15", "found_within_min = 0", "do not nest");
    refused("discharge/discharge.toml", "careful_infusions = 2", "careful_infusions = 0", "does not hold");
    refused("discharge/padss.toml", "pass_at = 9", "pass_at = 8", "does not hold");
    refused("interactions/d03.toml", "verdict = \"stop\"", "verdict = \"warn\"", "does not hold");
    refused("interactions/d03.toml", "\"theophylline\"", "\"Theophylline\"", "lower case");
    refused("interactions/diazepam_equivalents.toml", "clonazepam = 20", "clonazepam = 2", "does not hold");
    refused("spacing/spacing_pain.toml", "soft_h = 20", "soft_h = 10", "below the hard one");
    refused("spacing/spacing_pain.toml", "\"fm\"", "\"mdd_si\"", "too");
    refused("eligibility/e07.toml", "above = 12", "above = 14", "does not hold");
    refused("eligibility/e07.toml", "answers.mania_now", "answers.mania_then", "nothing asks for the fact");
    refused("eligibility/e16.toml", "d15", "d99", "there is no interaction `d99`");
    refused("eligibility/e07.toml", "then = \"warn\"", "then = \"stop\"", "milder");
    refused("workup/w14.toml", "\"ptsd\"", "\"ptss\"", "there is no regimen `ptss`");
    refused("resistance/trd.toml", "weeks_at_least = 6", "weeks_at_least = 7", "does not hold");
    refused("asked/consultation.toml", "most = 27", "most = 28", "as the scale itself says");
    refused("advice/maintenance.toml", "[7, 14, 21", "[7, 21, 14", "do not climb");
}
