//! What was answered to a gate, and what the rules said of it.

use crate::pages::visit::head::Opened;
use crate::words::verdict;
use clinic::gate::{Finding, Verdict};
use clinic::id::RuleId;
use clinic::session::Answered;
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// What the rules say of an answer, and from when on a measurement ends what another one began.
pub(super) fn told(findings: &[Finding], zone: TimeZone) -> Vec<String> {
    let findings = findings.iter().filter(|finding| finding.verdict != Verdict::Pass);
    let again = findings.clone().find_map(|finding| finding.inputs.get("measured_again_from"));
    let again = again
        .and_then(|from| from.parse::<Timestamp>().ok())
        .map(|from| format!("Measure again from {} on.", from.to_zoned(zone).strftime("%H:%M")));
    findings.map(|finding| finding.reason.clone()).chain(again).collect()
}

/// What was answered before, the newest first.
pub(super) fn earlier(opened: &Opened, gate: &RuleId, zone: TimeZone) -> Vec<String> {
    let before = opened.session.answered_before.iter().rev().filter(|before| before.answer.gate == *gate);
    before
        .map(|Answered { answer, by, at, amended, .. }| {
            let clock = at.to_zoned(zone.clone()).strftime("%H:%M").to_string();
            let cuffs = answer.inputs.pressures.iter().map(|cuff| format!("NIBP {cuff}"));
            let mut said = vec![verdict(answer.verdict).to_owned()];
            said.extend(cuffs);
            match amended {
                Some((text, reason)) => said.push(format!("STRUCK, {reason}; right is {text}")),
                None => said.extend(told(&answer.findings, zone.clone())),
            }
            format!("Before, by {by} at {clock}: {}", said.join(" · "))
        })
        .collect()
}
