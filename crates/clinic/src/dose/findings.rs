//! How a rule of the knowledge becomes a finding on the card.

use crate::gate::{Finding, Override, Verdict};
use crate::id::RuleId;
use crate::knowledge::Header;
use crate::knowledge::measure::{Limit, Place};
use crate::quantity::plain;
use rust_decimal::Decimal;

/// Name and text of each input.
pub(super) type Inputs<'a> = &'a [(&'a str, String)];

/// The rule that speaks.
#[derive(Clone, Copy)]
pub(super) struct Rule<'a> {
    header: &'a Header,
}

impl<'a> Rule<'a> {
    pub(super) const fn of(header: &'a Header) -> Self {
        Self { header }
    }

    /// A finding that nobody has to decide about.
    pub(super) fn find(&self, verdict: Verdict, reason: String, inputs: Inputs<'_>) -> Finding {
        self.finding(verdict, reason, inputs, Override::None)
    }
    /// A prescriber may go on, with a reason.
    pub(super) fn ask(&self, reason: String, inputs: Inputs<'_>) -> Finding {
        self.finding(Verdict::Hold, reason, inputs, Override::Prescriber)
    }
    /// Nobody may go on.
    pub(super) fn refuse(&self, reason: String, inputs: Inputs<'_>) -> Finding {
        self.finding(Verdict::Stop, reason, inputs, Override::Never)
    }
    /// Without this input nothing can be counted, and nobody may go on.
    pub(super) fn missing(&self, field: &str, why: &str) -> Finding {
        self.finding(Verdict::Hold, format!("missing: {field} ({why})"), &[], Override::Never)
    }

    /// Where a value lies; `None` inside the recommended range. `advice` says what to look at.
    pub(super) fn judge(
        &self,
        limit: &Limit,
        (value, name, unit): (Decimal, &str, &str),
        advice: &str,
    ) -> Option<Finding> {
        let unit = if unit == "1" { String::new() } else { format!(" {unit}") };
        // Rounded only in the sentence; the comparison is exact.
        let shown = plain(value.round_sf(6).unwrap_or(value));
        let inputs = [(name, format!("{shown}{unit}"))];
        let sentence = |kind: &str, range: String| {
            format!("The {name} is {shown}{unit}; {kind} is {range}{unit}. {advice}").trim_end().to_owned()
        };
        match limit.place(value) {
            Place::Recommended => None,
            Place::OutsideRecommended => {
                Some(self.ask(sentence("recommended", limit.recommended.to_string()), &inputs))
            }
            Place::OutsideAbsolute => {
                Some(self.refuse(sentence("the absolute limit", limit.absolute.to_string()), &inputs))
            }
        }
    }

    fn finding(
        &self,
        verdict: Verdict,
        reason: String,
        inputs: Inputs<'_>,
        overridable_by: Override,
    ) -> Finding {
        Finding {
            rule: RuleId::new(&self.header.id),
            version: self.header.version,
            verdict,
            reason,
            inputs: inputs.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect(),
            sources: self.header.sources.clone(),
            overridable_by,
        }
    }
}

/// Whether a person has to give a reason before the card may be used.
pub fn asks_for_reason(finding: &Finding) -> bool {
    finding.verdict >= Verdict::Hold && finding.overridable_by != Override::Never
}

/// Whether no reason helps.
pub fn refuses(finding: &Finding) -> bool {
    finding.verdict >= Verdict::Hold && finding.overridable_by == Override::Never
}

/// The knowledge has no such item, so nothing can be counted.
pub(super) fn no_rule(id: &str) -> Finding {
    Finding {
        rule: RuleId::new(id),
        version: 0,
        verdict: Verdict::Stop,
        reason: format!("There is no `{id}` in the knowledge."),
        inputs: std::collections::BTreeMap::new(),
        sources: Vec::new(),
        overridable_by: Override::Never,
    }
}
