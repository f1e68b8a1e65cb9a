//! Where the session meets the rules: gates of the day, the order's card, standing orders, discharge criteria.

use super::event::{DrugGiven, Event, Finding, GateAnswer, Observation, Order};
use super::refusal::Refusal;
use super::state::{Answered, Session};
use super::typed;
use crate::device::Parameter;
use crate::dose::{self, DoseRequest};
use crate::gate::{
    self, DayOfInputs, DischargeAssessment, DischargeInputs, Found, GateResult, LastVitals, MeasuredBefore,
    Override, Pressure, Rescue, Verdict, Vitals,
};
use crate::id::{OrderId, RuleId};
use crate::knowledge::Knowledge;
use crate::knowledge::adverse_events::RescueDrug;
use crate::knowledge::discharge::Discharge;
use crate::knowledge::gates::{Answer, Answers, Before};
use crate::knowledge::limits::Limits;
use crate::quantity::{Rate, Tenths};
use crate::text::{is_reason, says_why};
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use std::collections::BTreeMap;

/// Gates that the session's own events answer: weight, second check, pump match.
const BY_EVENT: [&str; 3] = ["c10", "c15", "c16"];

/// Judges one answered gate.
pub(super) fn judge(
    session: &Session,
    gate: RuleId,
    inputs: DayOfInputs,
    note: String,
    knowledge: &Knowledge,
) -> Result<GateAnswer, Refusal> {
    if BY_EVENT.contains(&gate.as_str()) {
        return Err(Refusal::Held {
            reasons: vec![format!("{gate} is answered by what is done, not on a form.")],
        });
    }
    let mut inputs = typed::measured(session, inputs, knowledge)?;
    know(session, &gate, &mut inputs);
    let Some(result) = gate::day_of(&inputs, knowledge).into_iter().find(|result| result.gate == gate) else {
        return Err(Refusal::Unknown { field: "gate", what: "Gate", id: gate.0 });
    };
    let version = knowledge.gates.get(gate.as_str()).map_or(0, |rule| rule.header.version);
    let verdict = result.assessment.verdict();
    Ok(GateAnswer { gate, version, inputs, note, verdict, findings: result.assessment.findings })
}

/// Holds an answer that was measured too soon after another one whose band asks for time in between, in this visit or in
/// another one of the patient.
pub(super) fn too_soon(
    session: &Session,
    answer: &GateAnswer,
    at: Timestamp,
    knowledge: &Knowledge,
) -> Option<gate::Finding> {
    let here = makes_wait(session, knowledge).filter(|answered| answered.answer.gate == answer.gate);
    let elsewhere = answer.inputs.measured_before.iter().cloned().map(|then| (then, " in another visit"));
    let waits =
        |pressures: &[Pressure], symptoms: Option<&_>| gate::measures_again(pressures, symptoms, knowledge);
    if waits(&answer.inputs.pressures, answer.inputs.symptoms.as_ref()).is_some() {
        return None;
    }
    let until =
        here.map(|answered| (measured_then(answered), "")).chain(elsewhere).filter_map(|(then, place)| {
            let (header, band, minutes) = waits(&then.pressures, then.symptoms.as_ref())?;
            let from = then.at.checked_add(SignedDuration::from_mins(minutes.into())).ok()?;
            Some((from, place, header, band, minutes))
        });
    let (from, place, header, band, minutes) = until.max_by_key(|(from, ..)| *from)?;
    let left_s = from.duration_since(at).as_secs();
    (left_s > 0).then(|| {
        let reason = format!(
            "Measured too soon: the {} band{place} ends by a measurement {minutes} min after it or later, {} min after this one.",
            band.name,
            (left_s + 59) / 60
        );
        gate::Finding::new(header, band.verdict, reason)
            .with("measured_again_from", from)
            .only_by(band.overridable_by)
    })
}

/// The answers of a visit whose band asks for time before the next measurement. One that was entered by mistake asks for
/// none.
pub fn makes_wait<'s>(session: &'s Session, knowledge: &'s Knowledge) -> impl Iterator<Item = &'s Answered> {
    let all = session.answered_before.iter().chain(session.gates.values());
    all.filter(|answered| {
        let inputs = &answered.answer.inputs;
        answered.amended.is_none()
            && gate::measures_again(&inputs.pressures, inputs.symptoms.as_ref(), knowledge).is_some()
    })
}

/// What was measured for an answer, for another visit of the same patient.
pub fn measured_then(answered: &Answered) -> MeasuredBefore {
    let DayOfInputs { pressures, symptoms, .. } = answered.answer.inputs.clone();
    MeasuredBefore { at: answered.at, pressures, symptoms }
}

/// A medicine that no rule knows is acknowledged in words, by whoever looked it up.
pub(super) fn acknowledged(answer: &GateAnswer, knowledge: &Knowledge) -> Result<(), Refusal> {
    let list = answer.inputs.medicines.as_deref().unwrap_or_default();
    let unknown = gate::unjudged(list, knowledge);
    if unknown.is_empty() || is_reason(&answer.note) {
        return Ok(());
    }
    let names = unknown.join("”, “");
    Err(Refusal::Missing {
        field: "note",
        what: "A note on what no rule judges".to_owned(),
        next: format!(
            "not judged: no rule knows “{names}”; name it by its ingredient, or say in the note what was looked up."
        ),
    })
}

/// Fills in what the session itself knows, over whatever was answered.
fn know(session: &Session, gate: &RuleId, inputs: &mut DayOfInputs) {
    inputs.regimen = session.regimen.as_ref().map(|regimen| regimen.0.clone());
    let charted =
        |pick: fn(&Finding) -> bool| session.observations.iter().any(|(seen, _, _)| pick(&seen.finding));
    let known: &[(&str, bool)] = match gate.as_str() {
        "c02" => &[
            ("order_valid_today", session.order.is_some()),
            ("infusion_within_plan", session.infusion.0 > 0 && session.infusion.0 <= session.infusion.1),
        ],
        "c17" => &[
            ("distress_baseline_charted", charted(|finding| matches!(finding, Finding::Distress { .. }))),
            ("moaas_baseline_charted", charted(|finding| matches!(finding, Finding::MoaaS { .. }))),
        ],
        _ => &[],
    };
    for (fact, is) in known {
        inputs.answers.insert((*fact).to_owned(), Answer::Yes(*is));
    }
}

/// The facts that the session knows by itself and no form asks.
pub const KNOWN_FACTS: [&str; 4] =
    ["order_valid_today", "infusion_within_plan", "distress_baseline_charted", "moaas_baseline_charted"];

/// The facts of the gate of consent that are known from what the patient signed: whether it covers this infusion, and
/// how many months ago it was signed.
pub const CONSENT_FACTS: [&str; 2] = ["consent_covers_off_label", "consent_age_months"];

/// Refuses to override what nobody may decide against.
pub(super) fn may_override(answer: &GateAnswer) -> Result<(), Refusal> {
    let fixed: Vec<String> = answer
        .findings
        .iter()
        .filter(|finding| finding.verdict >= Verdict::Hold && finding.overridable_by != Override::Prescriber)
        .map(|finding| format!("{} Nobody may override this here.", finding.reason))
        .collect();
    if fixed.is_empty() { Ok(()) } else { Err(Refusal::Held { reasons: fixed }) }
}

/// One gate of the day as it stands in a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GateStanding {
    /// `c01` to `c17`.
    pub gate: RuleId,
    /// For a person.
    pub title: String,
    /// Before which phase.
    pub before: Before,
    /// What keeps it from passing; empty when it passes or was overridden.
    pub open: Vec<String>,
    /// What the rules say of its answer now; empty while nobody has answered.
    pub findings: Vec<gate::Finding>,
}

/// Every gate of the day in its order, with what is still open.
pub fn standing(session: &Session, knowledge: &Knowledge) -> Vec<GateStanding> {
    let all = gate::day_of(&DayOfInputs::default(), knowledge);
    all.into_iter().map(|result| stands(session, result, knowledge)).collect()
}

fn stands(session: &Session, result: GateResult, knowledge: &Knowledge) -> GateStanding {
    let GateResult { gate, title, before, .. } = result;
    let by_event = |done: bool, what: &str| if done { Vec::new() } else { vec![what.to_owned()] };
    let answered = session.gates.get(&gate);
    let findings = answered.map_or_else(Vec::new, |answered| says_now(session, answered, knowledge));
    let open = match gate.as_str() {
        "c10" => by_event(session.weight.is_some(), "Weigh the patient."),
        "c15" => by_event(session.second_check.is_some(), "A second person has not checked the drug."),
        "c16" => by_event(session.program.is_some(), "The pump's display has not been read."),
        _ if session.overridden.contains_key(&gate) => Vec::new(),
        _ if answered.is_none() => vec!["Not answered.".to_owned()],
        _ => blocking(&findings),
    };
    GateStanding { gate, title, before, open, findings }
}

/// What the rules say of an answer now: what the session knows may have changed since it was given.
fn says_now(session: &Session, answered: &Answered, knowledge: &Knowledge) -> Vec<gate::Finding> {
    let Answered { answer, at, .. } = answered;
    match judge(session, answer.gate.clone(), answer.inputs.clone(), String::new(), knowledge) {
        Ok(now) => now.findings.into_iter().chain(too_soon(session, answer, *at, knowledge)).collect(),
        Err(_) => answer.findings.clone(),
    }
}

fn blocking(findings: &[gate::Finding]) -> Vec<String> {
    findings
        .iter()
        .filter(|finding| finding.verdict >= Verdict::Hold)
        .map(|finding| finding.reason.clone())
        .collect()
}

/// What keeps the infusion from starting, a sentence a gate.
pub(super) fn open(session: &Session, knowledge: &Knowledge) -> Vec<String> {
    let gates = standing(session, knowledge);
    if gates.is_empty() {
        return vec!["There are no gates in the knowledge; nothing can start.".to_owned()];
    }
    gates
        .into_iter()
        .filter(|gate| !gate.open.is_empty())
        .map(|gate| format!("{} {}: {}", gate.gate.as_str().to_uppercase(), gate.title, gate.open.join(" ")))
        .collect()
}

/// Makes the order from the request, or says why not.
pub(super) fn order(
    id: OrderId,
    request: &DoseRequest,
    reason: Option<String>,
    knowledge: &Knowledge,
) -> Result<Order, Refusal> {
    let card = dose::card(request, knowledge)
        .map_err(|refused| Refusal::DoseRefused { reasons: refused.reasons() })?;
    let reason = says_why(reason);
    if card.needs_reason() && reason.is_none() {
        let asks = card.findings.iter().filter(|finding| dose::asks_for_reason(finding));
        let finding = asks.map(|finding| finding.reason.as_str()).collect::<Vec<_>>().join(" ");
        return Err(Refusal::NeedsReason { field: "reason", finding });
    }
    let steps = card
        .plan
        .steps
        .iter()
        .filter_map(|step| Some((Rate::from_decimal(step.rate_ml_per_h)?, step.minutes)))
        .collect();
    Ok(Order {
        id,
        regimen: card.regimen.clone(),
        regimen_version: card.regimen_version,
        drug: "ketamine".to_owned(),
        dose_weight: card.dose_weight,
        descriptor: card.descriptor.words().to_owned(),
        ordered: card.ordered.clone(),
        dose: card.dose,
        minutes: card.plan.minutes,
        concentration: card.concentration,
        volume: card.volume,
        rate: card.rate,
        steps,
        vtbi: card.vtbi,
        chain: card.chain.clone(),
        findings: card.findings,
        beside_plan: None,
        reason,
    })
}

/// The overrides that a signed reason stands for.
pub(super) fn overrides_of(order: &Order) -> Vec<Event> {
    let Some(reason) = &order.reason else { return Vec::new() };
    let asked = order.findings.iter().filter(|finding| dose::asks_for_reason(finding));
    asked.map(|finding| Event::LimitOverridden { finding: finding.clone(), reason: reason.clone() }).collect()
}

/// Refuses a symptom that nothing watches for.
pub(super) fn known_symptom(symptom: &str, knowledge: &Knowledge) -> Result<(), Refusal> {
    let watched = knowledge.limits.iter().filter_map(|item| match &item.body {
        Limits::Symptoms(symptoms) => Some(&symptoms.symptoms),
        _ => None,
    });
    if watched.flatten().any(|known| known.id == symptom) {
        return Ok(());
    }
    Err(Refusal::Unknown { field: "symptom", what: "Symptom", id: symptom.to_owned() })
}

/// The signs that the vital-signs gate asks for beside the cuff, each by the name of its parameter.
pub(super) const MEASURED: [Parameter; 4] =
    [Parameter::HeartRate, Parameter::Spo2, Parameter::RespiratoryRate, Parameter::Temperature];

pub(super) fn number(inputs: &DayOfInputs, parameter: Parameter) -> Option<Decimal> {
    match inputs.answers.get(parameter.name()) {
        Some(Answer::Number(number)) => Some(*number),
        _ => None,
    }
}

/// The standing order that allows a drug; refused where there is none.
pub(super) fn standing_order<'a>(
    session: &Session,
    given: &DrugGiven,
    knowledge: &'a Knowledge,
) -> Result<&'a RescueDrug, Refusal> {
    let Some(card) = knowledge.adverse_events.get(given.standing_order.as_str()) else {
        return Err(Refusal::Unknown {
            field: "standing_order",
            what: "Playbook",
            id: given.standing_order.0.clone(),
        });
    };
    let Some(rule) = card.body.drug(&given.drug) else {
        return Err(Refusal::Unknown {
            field: "drug",
            what: "Drug of this playbook",
            id: given.drug.clone(),
        });
    };
    if rule.unit != given.unit || !rule.route.split('/').any(|route| route.trim() == given.route) {
        return Err(Refusal::Mismatch {
            field: "route",
            what: "Unit and route",
            entered: format!("{} {}", given.unit, given.route),
            ordered: format!("{} {}", rule.unit, rule.route),
            hint: "Give it as the standing order says.".to_owned(),
        });
    }
    let earlier = session.drugs.iter().filter(|(other, _)| other.drug == given.drug);
    let already = earlier.clone().fold(Decimal::ZERO, |sum, (other, _)| sum.saturating_add(other.dose));
    let since = earlier
        .map(|(other, _)| other.given_at)
        .max()
        .map(|last| super::delivery::elapsed_ms(last, given.given_at) / 60_000);
    gate::standing_order(rule, given.dose, already, since).map_err(|why| Refusal::DoseRefused {
        reasons: vec![format!("{why}. For anything else a prescriber orders.")],
    })?;
    Ok(rule)
}

/// Total of the discharge score.
pub(super) fn discharge_score(items: &BTreeMap<String, u8>, knowledge: &Knowledge) -> Result<u32, Refusal> {
    let given: BTreeMap<String, u32> =
        items.iter().map(|(id, points)| (id.clone(), u32::from(*points))).collect();
    let Some(score) = knowledge.discharge.iter().find_map(|item| match &item.body {
        Discharge::Score(score) => Some(score),
        Discharge::Criteria(_) => None,
    }) else {
        return Err(Refusal::Unknown { field: "score", what: "Score", id: "discharge score".to_owned() });
    };
    if let Some(unknown) = given.keys().find(|id| !score.items.iter().any(|item| item.id == **id)) {
        return Err(Refusal::Unknown { field: "score", what: "Item of the score", id: unknown.clone() });
    }
    for item in &score.items {
        let points = given.get(&item.id).filter(|points| **points as usize >= item.answers.len());
        if let Some(points) = points {
            let (value, most) =
                (format!("{points} for {}", item.title), item.answers.len().saturating_sub(1));
            let accepted = format!("0 to {most}");
            return Err(Refusal::OutOfRange { field: "score", what: "Score", value, accepted });
        }
    }
    let result = gate::padss(score, &given).map_err(|item| Refusal::Missing {
        field: "score",
        what: format!("The item “{item}”"),
        next: "Score every item 0, 1 or 2.".to_owned(),
    })?;
    Ok(result.total)
}

/// Side effects of this visit that have no outcome yet, as a person reads them.
pub fn open_side_effects(session: &Session, knowledge: &Knowledge) -> Vec<String> {
    let open = session.adverse_events.iter().filter(|(_, outcome)| outcome.is_none());
    open.map(|(event, _)| {
        let header = knowledge.header(event.playbook.as_str());
        let title = header.map_or_else(|| event.playbook.to_string(), |header| header.title.clone());
        format!("{title}, grade {}", event.grade)
    })
    .collect()
}

/// What keeps the patient from going home at `at`, a sentence a criterion.
pub(super) fn discharge_open(
    session: &Session,
    answers: Answers,
    at: Timestamp,
    knowledge: &Knowledge,
) -> Vec<String> {
    let judged = discharge_assessment(session, answers, at, knowledge);
    judged.assessment.blocking().map(|finding| finding.reason.clone()).collect()
}

/// All discharge criteria as they stand.
pub fn discharge_assessment(
    session: &Session,
    answers: Answers,
    at: Timestamp,
    knowledge: &Knowledge,
) -> DischargeAssessment {
    let number = |pick: fn(&Finding) -> Option<u8>| {
        last(since_the_end(session), |finding| pick(finding).map(Decimal::from))
    };
    let inputs = DischargeInputs {
        started_at: session.delivery.started(),
        ended_at: session.ended.as_ref().map(|(_, _, at)| *at),
        infusion: (session.infusion.0 > 0).then_some(session.infusion.0),
        paused: Some(!session.pauses.is_empty()),
        rescue: Some(
            session
                .drugs
                .iter()
                .map(|(given, _)| given.given_at)
                .max()
                .map_or(Rescue::NotGiven, Rescue::LastAt),
        ),
        baseline: baseline(session, knowledge),
        now: vitals_since_the_end(session),
        moaas: number(|finding| match finding {
            Finding::MoaaS { score } => Some(*score),
            _ => None,
        }),
        as_before: last(since_the_end(session), |finding| match finding {
            Finding::AsBefore { as_before } => Some(*as_before),
            _ => None,
        }),
        nausea: number(|finding| match finding {
            Finding::Nausea { score } => Some(*score),
            _ => None,
        }),
        score: session.discharge_score.as_ref().map(|(items, _, at)| Found {
            value: items.iter().map(|(id, n)| (id.clone(), u32::from(*n))).collect(),
            at: *at,
        }),
        answers,
    };
    gate::discharge(&inputs, at, knowledge)
}

/// The last of each vital sign since the end.
pub fn vitals_since_the_end(session: &Session) -> LastVitals {
    last_vitals(since_the_end(session))
}

fn since_the_end(session: &Session) -> impl Iterator<Item = &Observation> + Clone {
    let ended = session.ended.as_ref().map(|(_, _, at)| *at);
    let seen = session.observations.iter().map(|(seen, _, _)| seen);
    seen.filter(move |seen| ended.is_some_and(|end| seen.observed_at >= end))
}

/// The last of what was seen, by when it was seen; of two at one time the one that was entered later.
pub(super) fn last<'s, T>(
    seen: impl Iterator<Item = &'s Observation>,
    pick: impl Fn(&Finding) -> Option<T>,
) -> Option<Found<T>> {
    seen.filter_map(|seen| Some(Found { value: pick(&seen.finding)?, at: seen.observed_at }))
        .max_by_key(|found| found.at)
}

fn last_vitals<'s>(seen: impl Iterator<Item = &'s Observation> + Clone) -> LastVitals {
    let sign = |any_of: &[Parameter]| {
        last(seen.clone(), |finding| match finding {
            Finding::Vitals { values } => {
                any_of.iter().find_map(|parameter| values.get(parameter)).map(|value| value.decimal())
            }
            _ => None,
        })
    };
    let pressure = sign(&[Parameter::Systolic]).zip(sign(&[Parameter::Diastolic]));
    LastVitals {
        pressure: pressure.map(|(systolic, diastolic)| Found {
            value: Pressure { systolic: systolic.value, diastolic: diastolic.value },
            at: systolic.at.min(diastolic.at),
        }),
        heart_rate: sign(&[Parameter::HeartRate, Parameter::PulseRate]),
        spo2: sign(&[Parameter::Spo2]),
    }
}

/// What the vital-signs gate measured, the last of its cuff readings; nothing for another gate.
pub fn measured(answer: &GateAnswer) -> BTreeMap<Parameter, Tenths> {
    if answer.gate.as_str() != "c11" {
        return BTreeMap::new();
    }
    let cuff = answer.inputs.pressures.last();
    let pressure = [
        (Parameter::Systolic, cuff.map(|pressure| pressure.systolic)),
        (Parameter::Diastolic, cuff.map(|pressure| pressure.diastolic)),
    ];
    let signs = MEASURED.map(|parameter| (parameter, number(&answer.inputs, parameter)));
    pressure
        .into_iter()
        .chain(signs)
        .filter_map(|(parameter, value)| Some((parameter, Tenths::from_decimal(value?)?)))
        .collect()
}

/// Vital signs before the infusion: the baseline of the vital-signs gate, the rest as charted or answered.
pub fn baseline(session: &Session, knowledge: &Knowledge) -> Vitals {
    let started = session.delivery.started();
    let before = session.observations.iter().map(|(seen, _, _)| seen);
    let before = before.filter(|seen| started.is_none_or(|at| seen.observed_at < at));
    let charted = last_vitals(before).values();
    let answered = session.gates.get(&RuleId::new("c11")).map(|answered| &answered.answer);
    let number = |parameter| answered.and_then(|answer| number(&answer.inputs, parameter));
    Vitals {
        pressure: answered
            .and_then(|answer| gate::baseline(&answer.inputs.pressures, knowledge))
            .map(|(mean, _)| mean),
        heart_rate: charted.heart_rate.or_else(|| number(Parameter::HeartRate)),
        spo2: charted.spo2.or_else(|| number(Parameter::Spo2)),
    }
}
