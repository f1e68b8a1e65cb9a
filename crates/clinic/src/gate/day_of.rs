//! The gates of the day, C01 to C17.

use super::{Assessment, Finding, Override, Verdict, medicines, no_rule};
use crate::device::ReadAgain;
use crate::id::RuleId;
use crate::knowledge::gates::{
    Answer, Answers, Band, Before, BpBands, Check, Gate, Questions, VitalBand, VitalsBands,
};
use crate::knowledge::interactions::Medicine;
use crate::knowledge::spacing::Spacing;
use crate::knowledge::{Header, Item, Knowledge};
use crate::quantity::plain;
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// One cuff reading, mm[Hg].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pressure {
    /// Systolic.
    pub systolic: Decimal,
    /// Diastolic.
    pub diastolic: Decimal,
}

impl Pressure {
    /// From whole numbers.
    pub fn new(systolic: i32, diastolic: i32) -> Self {
        Self { systolic: systolic.into(), diastolic: diastolic.into() }
    }
    /// Mean arterial pressure, (systolic + 2 × diastolic) / 3.
    pub fn mean(self) -> Decimal {
        self.systolic.saturating_add(self.diastolic.saturating_mul(Decimal::TWO)) / Decimal::from(3)
    }
}

impl std::fmt::Display for Pressure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", plain(self.systolic), plain(self.diastolic))
    }
}

/// When the last infusion was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LastInfusion {
    /// This is the first.
    Never,
    /// Hours from its start to now, see [`hours_between`].
    Ago(Decimal),
}

/// Everything the gates look at. What is `None` or not in `answers` is missing, which is never a pass.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayOfInputs {
    /// Answers to the questions of the gates and of the vital-sign bands, by fact.
    pub answers: Answers,
    /// Cuff readings, oldest first.
    pub pressures: Vec<Pressure>,
    /// Symptoms now; empty when asked and none.
    pub symptoms: Option<BTreeSet<String>>,
    /// Medicine list; empty when asked and none.
    pub medicines: Option<Vec<Medicine>>,
    /// Regimen ordered.
    pub regimen: Option<String>,
    /// The infusion before.
    pub last_infusion: Option<LastInfusion>,
    /// Pressures of this patient in other visits that make the next one wait: a visit that is cancelled and planned anew
    /// begins no wait again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub measured_before: Vec<MeasuredBefore>,
    /// The vital signs among them that were asked about; they stand because the same was sent once more.
    #[serde(default, skip_serializing_if = "ReadAgain::is_empty")]
    pub read_again: ReadAgain,
}

/// What was measured for the vital-signs gate, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeasuredBefore {
    /// When it was answered.
    pub at: Timestamp,
    /// Cuff readings.
    pub pressures: Vec<Pressure>,
    /// Symptoms.
    pub symptoms: Option<BTreeSet<String>>,
}

/// One gate and what it says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GateResult {
    /// `c01` to `c17`.
    pub gate: RuleId,
    /// For a person.
    pub title: String,
    /// Before which phase it must hold.
    pub before: Before,
    /// Its findings; at least one.
    pub assessment: Assessment,
}

/// All gates of the day in their order, each with at least one finding.
pub fn day_of(inputs: &DayOfInputs, knowledge: &Knowledge) -> Vec<GateResult> {
    let asked = |item: &Item<Gate>| match &item.body {
        Gate::Questions(gate) => Some(one_gate(&item.header, gate, inputs, knowledge)),
        Gate::BpBands(_) | Gate::VitalsBands(_) => None,
    };
    knowledge.gates.iter().filter_map(asked).collect()
}

fn one_gate(header: &Header, gate: &Questions, inputs: &DayOfInputs, knowledge: &Knowledge) -> GateResult {
    let mut assessment = questions(header, gate, &inputs.answers);
    match header.id.as_str() {
        "c02" => assessment.take_in(spacing(inputs.regimen.as_deref(), inputs.last_infusion, knowledge)),
        "c06" => match &inputs.medicines {
            Some(list) => assessment.take_in(medicines(list, knowledge).assessment),
            None => assessment.findings.push(Finding::missing(header, "medicine list")),
        },
        "c11" => {
            assessment.take_in(bp_band(&inputs.pressures, inputs.symptoms.as_ref(), knowledge).assessment);
            assessment.take_in(vitals(&inputs.answers, knowledge));
        }
        _ => {}
    }
    if assessment.findings.is_empty() {
        let facts =
            gate.checks.iter().filter_map(|check| Some((&check.fact, inputs.answers.get(&check.fact)?)));
        let pass = Finding::new(header, Verdict::Pass, header.title.as_str());
        assessment.findings.push(facts.fold(pass, |finding, (fact, answer)| finding.with(fact, answer)));
    }
    GateResult { gate: RuleId::new(&header.id), title: header.title.clone(), before: gate.before, assessment }
}

/// Puts the questions of one gate to the answers. A question that passes leaves no finding.
pub fn questions(header: &Header, gate: &Questions, answers: &Answers) -> Assessment {
    let is_yes = |fact: &String| matches!(answers.get(fact), Some(Answer::Yes(true)));
    let asked = gate.checks.iter().filter(|check| check.when.as_ref().is_none_or(is_yes));
    let findings = asked.filter_map(|check| one_check(header, check, answers.get(&check.fact)));
    Assessment::from(findings.map(|finding| finding.only_by(gate.overridable_by)).collect::<Vec<_>>())
}

fn one_check(header: &Header, check: &Check, answer: Option<&Answer>) -> Option<Finding> {
    let unit = check.unit.as_deref().unwrap_or_default();
    let passes = match (answer, check.is) {
        (Some(Answer::Yes(yes)), Some(wanted)) => *yes == wanted,
        (Some(Answer::Number(number)), None) => {
            check.at_least.is_none_or(|low| *number >= low)
                && check.at_most.is_none_or(|high| *number <= high)
        }
        _ => return Some(Finding::missing(header, &check.fact)),
    };
    let answer = answer.filter(|_| !passes && check.fail != Verdict::Pass)?;
    let limit = match (check.at_least, check.at_most) {
        (Some(low), _) => format!(" {unit}, at least {}", plain(low)),
        (None, Some(high)) => format!(" {unit}, at most {}", plain(high)),
        (None, None) => String::new(),
    };
    Some(
        Finding::new(header, check.fail, format!("{}: {answer}{limit}", check.ask)).with(&check.fact, answer),
    )
}

/// Band of the blood pressure before the start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BpBand {
    /// Name of the band; `None` while there is no plausible reading.
    pub band: Option<String>,
    /// Mean of the readings that count.
    pub mean: Option<Pressure>,
    /// One finding for the band, one for each thing missing.
    pub assessment: Assessment,
}

/// The rule and band of pressures after which time has to pass before another measurement counts, with the minutes.
pub(crate) fn measures_again<'a>(
    pressures: &[Pressure],
    symptoms: Option<&BTreeSet<String>>,
    knowledge: &'a Knowledge,
) -> Option<(&'a Header, &'a Band, u32)> {
    let (header, bands) = bp_bands(knowledge).filter(|_| !pressures.is_empty())?;
    let name = judge_pressure(header, bands, pressures, symptoms).band?;
    let band = bands.bands.iter().find(|band| band.name == name)?;
    Some((header, band, band.again_after_min?))
}

/// The longest time that a band asks for before another measurement counts.
pub fn longest_wait(knowledge: &Knowledge) -> SignedDuration {
    let bands = bp_bands(knowledge).into_iter().flat_map(|(_, bands)| &bands.bands);
    let minutes = bands.filter_map(|band| band.again_after_min).max().unwrap_or_default();
    SignedDuration::from_mins(minutes.into())
}

fn bp_bands(knowledge: &Knowledge) -> Option<(&Header, &BpBands)> {
    knowledge.gates.iter().find_map(|item| match &item.body {
        Gate::BpBands(bands) => Some((&item.header, bands)),
        _ => None,
    })
}

/// Judges the mean of the last readings. Fewer readings than needed hold; a crisis in the first one stops already.
pub fn bp_band(readings: &[Pressure], symptoms: Option<&BTreeSet<String>>, knowledge: &Knowledge) -> BpBand {
    match bp_bands(knowledge) {
        Some((header, bands)) => judge_pressure(header, bands, readings, symptoms),
        None => BpBand { band: None, mean: None, assessment: vec![no_rule("bp_day_of")].into() },
    }
}

/// The baseline, which every change of blood pressure is measured from: the mean of the readings that the band of the day
/// is judged by, with these readings. `None` while one of them is missing.
pub fn baseline<'r>(readings: &'r [Pressure], knowledge: &Knowledge) -> Option<(Pressure, &'r [Pressure])> {
    let (_, bands) = bp_bands(knowledge)?;
    let counted = Some(counted(readings, bands)).filter(|counted| counted.len() == bands.readings)?;
    Some((mean_of(counted)?, counted))
}

/// The last readings, as many as count.
fn counted<'r>(readings: &'r [Pressure], bands: &BpBands) -> &'r [Pressure] {
    readings.get(readings.len().saturating_sub(bands.readings)..).unwrap_or_default()
}

pub(crate) fn judge_pressure(
    header: &Header,
    bands: &BpBands,
    readings: &[Pressure],
    symptoms: Option<&BTreeSet<String>>,
) -> BpBand {
    let mut findings = Vec::new();
    let counted = counted(readings, bands);
    if counted.len() < bands.readings {
        let missing = format!("blood pressure, {} of {} readings", counted.len(), bands.readings);
        findings.push(Finding::missing(header, &missing));
    }
    if let Some(odd) = counted.iter().find(|p| p.systolic <= p.diastolic) {
        let reason = format!("{odd} cannot be true: systolic is not above diastolic");
        findings.push(Finding::new(header, Verdict::Hold, reason).only_by(Override::Never));
        return BpBand { band: None, mean: None, assessment: findings.into() };
    }
    let emergency = match symptoms {
        Some(symptoms) => bands.emergency_symptoms.iter().find(|symptom| symptoms.contains(*symptom)),
        None => {
            findings.push(Finding::missing(header, "symptoms"));
            None
        }
    };
    let mean = mean_of(counted);
    let fits = |mean: Pressure| {
        move |band: &&crate::knowledge::gates::Band| {
            band.systolic.hold(mean.systolic) && band.diastolic.hold(mean.diastolic)
        }
    };
    let by_numbers = mean.and_then(|mean| bands.bands.iter().find(fits(mean)));
    let band = if emergency.is_some() { bands.bands.last() } else { by_numbers };
    if let Some(band) = band {
        let numbers = mean.map_or("no reading".to_owned(), |mean| format!("{mean} {}", bands.unit));
        let to_do = match emergency {
            Some(symptom) => format!("{symptom}: {}", bands.emergency_do),
            None => band.to_do.clone(),
        };
        let finding = Finding::new(header, band.verdict, format!("{} band, {numbers}. {to_do}", band.name));
        findings.push(finding.with("mean", numbers).with("band", &band.name).only_by(band.overridable_by));
    }
    BpBand { band: band.map(|band| band.name.clone()), mean, assessment: findings.into() }
}

fn mean_of(readings: &[Pressure]) -> Option<Pressure> {
    let count = Decimal::from(readings.len());
    let systolic: Decimal = readings.iter().map(|p| p.systolic).sum();
    let diastolic: Decimal = readings.iter().map(|p| p.diastolic).sum();
    Some(Pressure { systolic: systolic.checked_div(count)?, diastolic: diastolic.checked_div(count)? })
}

/// Bands of the other vital signs before the start.
pub fn vitals(answers: &Answers, knowledge: &Knowledge) -> Assessment {
    let bands = knowledge.gates.iter().find_map(|item| match &item.body {
        Gate::VitalsBands(bands) => Some((&item.header, bands)),
        _ => None,
    });
    match bands {
        Some((header, bands)) => judge_vitals(header, bands, answers),
        None => vec![no_rule("vitals_day_of")].into(),
    }
}

pub(crate) fn judge_vitals(header: &Header, bands: &VitalsBands, answers: &Answers) -> Assessment {
    bands.signs.iter().filter_map(|sign| judge_vital(header, sign, answers)).collect::<Vec<_>>().into()
}

fn judge_vital(header: &Header, sign: &VitalBand, answers: &Answers) -> Option<Finding> {
    if let Some(when) = &sign.when {
        match answers.get(when) {
            Some(Answer::Yes(true)) => {}
            Some(Answer::Yes(false)) => return None,
            _ => return Some(Finding::missing(header, when)),
        }
    }
    let Some(Answer::Number(value)) = answers.get(&sign.fact) else {
        return Some(Finding::missing(header, &sign.fact));
    };
    let (verdict, to_do) = if sign.green.hold(*value) {
        return None;
    } else if sign.amber.as_ref().is_some_and(|amber| amber.hold(*value)) {
        (Verdict::Warn, &sign.amber_do)
    } else {
        (Verdict::Hold, &sign.red_do)
    };
    let reason = format!("{} {} {}. {to_do}", sign.ask, plain(*value), sign.unit);
    Some(Finding::new(header, verdict, reason).with(&sign.fact, plain(*value)))
}

/// Whether enough time passed since the last infusion.
pub fn spacing(regimen: Option<&str>, last: Option<LastInfusion>, knowledge: &Knowledge) -> Assessment {
    let Some(regimen) = regimen else {
        let mut unknown = no_rule("spacing");
        unknown.reason = "missing: regimen".to_owned();
        return vec![unknown].into();
    };
    let rule = knowledge.spacing.iter().find(|item| item.body.regimens.iter().any(|known| known == regimen));
    let Some(rule) = rule else {
        return vec![no_rule(&format!("spacing of {regimen}"))].into();
    };
    match last {
        None => vec![Finding::missing(&rule.header, "time of the last infusion")].into(),
        Some(last) => judge_spacing(rule, regimen, (last, LAST)),
    }
}

/// What an infusion follows, in words.
pub(crate) const LAST: &str = "since the last infusion";

/// The same by a rule that is known, after what stands in words.
pub(crate) fn judge_spacing(
    rule: &Item<Spacing>,
    regimen: &str,
    (last, follows): (LastInfusion, &str),
) -> Assessment {
    let Item { header, body, .. } = rule;
    match last {
        LastInfusion::Never => Assessment::default(),
        LastInfusion::Ago(hours) => {
            let verdict = spacing_verdict(body, regimen, hours);
            if verdict == Verdict::Pass {
                return Assessment::default();
            }
            let (hard, soft) = (plain(body.hard_h), plain(body.soft(regimen)));
            let hours = plain(hours.trunc_with_scale(1));
            let reason = format!(
                "{hours} h {follows}; {regimen}: never before {hard} h, with a reason before {soft} h"
            );
            let finding = Finding::new(header, verdict, reason)
                .with("hours_since_last", hours)
                .with("regimen", regimen);
            vec![finding.only_by(Override::Never)].into()
        }
    }
}

/// Hours since the last infusion against the floors of a regimen.
pub fn spacing_verdict(spacing: &Spacing, regimen: &str, hours: Decimal) -> Verdict {
    if hours < spacing.hard_h {
        Verdict::Stop
    } else if hours < spacing.soft(regimen) {
        Verdict::Warn
    } else {
        Verdict::Pass
    }
}

/// Hours from one moment to another, to the second; negative when `to` is earlier.
pub fn hours_between(from: Timestamp, to: Timestamp) -> Decimal {
    Decimal::from(to.duration_since(from).as_secs()) / Decimal::from(3600)
}
