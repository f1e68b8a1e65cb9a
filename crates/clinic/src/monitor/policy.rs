//! The rules that one monitor runs under, taken from the knowledge when its session begins.

use super::board::Ask;
use super::input::{LimitChange, LimitRefused};
use crate::id::{RuleId, SessionId};
use crate::knowledge::gates::{Band, Gate};
use crate::knowledge::limits::{
    DeviceAlerts, LimitRule, Limits, Plausibility, Sign, SignLimits, Symptoms, Watch,
};
use crate::knowledge::observations::Row;
use crate::knowledge::session_rules::SessionRules;
use crate::knowledge::{Header, Knowledge};
use jiff::Timestamp;
use rust_decimal::Decimal;
use std::collections::BTreeMap;

/// A file of rules by name and version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleSet {
    /// Id of the file.
    pub id: RuleId,
    /// Its version.
    pub version: u32,
}

impl RuleSet {
    fn of(header: &Header) -> Self {
        Self { id: RuleId::new(&header.id), version: header.version }
    }
}

/// Limits, times and schedule of one monitor. Without one of them there is no monitor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MonitorPolicy {
    pub(super) session: SessionId,
    pub(super) alarms_before: u64,
    pub(super) limit_set: String,
    pub(super) signs: BTreeMap<Sign, (RuleSet, SignLimits)>,
    pub(super) symptoms: (RuleSet, Symptoms),
    pub(super) plausibility: Plausibility,
    pub(super) watch: (RuleSet, Watch),
    pub(super) alerts: (RuleSet, DeviceAlerts),
    pub(super) schedule: (RuleSet, Vec<Row>),
    pub(super) green: Band,
    pub(super) rules: SessionRules,
    /// Limits that were moved for this patient: the threshold of the knowledge, the last move, and when.
    pub(super) moved: BTreeMap<RuleId, (Decimal, LimitChange, Timestamp)>,
}

/// The knowledge lacks something without which nobody may be watched.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the monitor cannot run: {0} is not in the knowledge")]
pub struct PolicyFault(pub String);

/// Signs without which no monitor runs.
const NEEDED: [Sign; 11] = [
    Sign::Systolic,
    Sign::Diastolic,
    Sign::MeanPressure,
    Sign::HeartRate,
    Sign::PulseRate,
    Sign::Spo2,
    Sign::RespiratoryRate,
    Sign::Etco2,
    Sign::Moaas,
    Sign::Rass,
    Sign::Distress,
];

impl MonitorPolicy {
    /// What a symptom asks for; `None` where no rule knows it.
    pub(super) fn symptom(&self, id: &str, since: Timestamp) -> Option<Ask> {
        let (set, known) = &self.symptoms;
        let symptom = known.symptoms.iter().find(|symptom| symptom.id == id)?;
        Some(Ask {
            rule: set.id.clone(),
            version: set.version,
            priority: symptom.action.priority(),
            action: symptom.action,
            message: symptom.title.clone(),
            sign: None,
            value: None,
            limit: None,
            playbook: symptom.playbook.clone(),
            since,
            limits_passed: 0,
        })
    }

    /// The rules for a session, with the schedule that its regimen is observed by.
    ///
    /// # Errors
    /// What the knowledge lacks.
    pub fn new(
        knowledge: &Knowledge,
        session: SessionId,
        regimen: Option<&RuleId>,
    ) -> Result<Self, PolicyFault> {
        let lacks = |what: &str| PolicyFault(what.to_owned());
        let (mut signs, mut symptoms, mut plausibility, mut watch, mut alerts) =
            (BTreeMap::new(), None, None, None, None);
        let mut unsigned = false;
        for item in knowledge.limits.iter() {
            unsigned |= item.header.is_unsigned_default();
            let set = RuleSet::of(&item.header);
            match &item.body {
                Limits::Sign(limits) => {
                    signs.extend(limits.signs.iter().map(|sign| (*sign, (set.clone(), limits.clone()))));
                }
                Limits::Symptoms(body) => symptoms = Some((set, body.clone())),
                Limits::Plausibility(body) => plausibility = Some(body.clone()),
                Limits::Watch(body) => watch = Some((set, body.clone())),
                Limits::DeviceAlerts(body) => alerts = Some((set, body.clone())),
            }
        }
        if let Some(sign) = NEEDED.iter().find(|sign| !signs.contains_key(sign)) {
            return Err(PolicyFault(format!("a limit for {}", sign.label())));
        }
        let rows = knowledge.schedule_of(regimen).ok_or_else(|| lacks("an observation schedule"))?;
        let green = knowledge.gates.iter().find_map(|item| match &item.body {
            Gate::BpBands(bands) => bands.bands.first().cloned(),
            _ => None,
        });
        let signature = if unsigned { "clinic default, not signed" } else { "signed" };
        Ok(Self {
            session,
            alarms_before: 0,
            limit_set: format!("{}, {signature}", rows.header.profile),
            signs,
            symptoms: symptoms.ok_or_else(|| lacks("limit_symptoms"))?,
            plausibility: plausibility.ok_or_else(|| lacks("plausibility"))?,
            watch: watch.ok_or_else(|| lacks("watch"))?,
            alerts: alerts.ok_or_else(|| lacks("device_alerts"))?,
            schedule: (RuleSet::of(&rows.header), rows.body.rows.clone()),
            green: green.ok_or_else(|| lacks("bp_day_of"))?,
            rules: knowledge.session_rules().clone(),
            moved: BTreeMap::new(),
        })
    }

    /// After a restart: the log already names so many alarms of this session. New ones count on from there, so that
    /// an answer to an old alarm never meets a new one.
    #[must_use]
    pub fn counting_from(mut self, alarms_before: u64) -> Self {
        self.alarms_before = alarms_before;
        self
    }

    /// Whether the limit may be moved there, and where it stands.
    pub(super) fn judge(&self, change: &LimitChange) -> Result<Decimal, LimitRefused> {
        permit(self.rules().find(|rule| rule.id == change.rule.as_str()), change)
    }

    /// Moves a limit and says where it was.
    pub(super) fn change(&mut self, at: Timestamp, change: &LimitChange) -> Result<Decimal, LimitRefused> {
        let before = self.judge(change)?;
        let usual = self.moved.get(&change.rule).map_or(before, |(usual, _, _)| *usual);
        self.moved.insert(change.rule.clone(), (usual, change.clone(), at));
        let same = |rule: &&mut LimitRule| rule.id == change.rule.as_str();
        for rule in self.signs.values_mut().flat_map(|(_, limits)| limits.rules.iter_mut()).filter(same) {
            *rule = rule.moved_to(change.to);
        }
        Ok(before)
    }

    fn rules(&self) -> impl Iterator<Item = &LimitRule> {
        self.signs.values().flat_map(|(_, limits)| &limits.rules)
    }
}

/// Whether a person may move this limit there, by the shipped or adopted knowledge.
///
/// # Errors
/// Why not, with the numbers. A limit is never clamped into its bounds.
pub fn permit_limit_change(change: &LimitChange, knowledge: &Knowledge) -> Result<(), LimitRefused> {
    let rules = knowledge.limits.iter().filter_map(|item| match &item.body {
        Limits::Sign(limits) => Some(&limits.rules),
        _ => None,
    });
    permit(rules.flatten().find(|rule| rule.id == change.rule.as_str()), change).map(|_| ())
}

fn permit(rule: Option<&LimitRule>, change: &LimitChange) -> Result<Decimal, LimitRefused> {
    let rule = rule.ok_or_else(|| LimitRefused::NoSuchRule(change.rule.clone()))?;
    let ([from, to], (threshold, _)) =
        rule.adjustable.zip(rule.threshold()).ok_or_else(|| LimitRefused::Fixed(change.rule.clone()))?;
    if change.to < from || change.to > to {
        return Err(LimitRefused::TooFar { rule: change.rule.clone(), asked: change.to, from, to });
    }
    if !crate::text::is_reason(&change.reason) {
        return Err(LimitRefused::NoReason);
    }
    Ok(threshold)
}

impl Knowledge {
    /// What can be true of vital signs; `None` where nothing says so.
    pub fn plausibility(&self) -> Option<&Plausibility> {
        self.limits.iter().find_map(|item| match &item.body {
            Limits::Plausibility(rule) => Some(rule),
            _ => None,
        })
    }
}
