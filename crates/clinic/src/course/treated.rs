//! What a patient is treated for: by the regimen first, then by every code of the plan.

use super::plan::is_code_of;
use crate::knowledge::regimen::Regimen;
use crate::knowledge::scales::{Condition, Scale};
use crate::knowledge::{Item, Knowledge};

/// The conditions of a patient, what the regimen treats first, each once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Treated(Vec<Condition>);

impl Treated {
    /// By the regimen, and by the codes of the plan. A code that a condition is for already adds none; of several that a
    /// code may mean it is the one that is told most narrowly.
    pub fn by(regimen: Option<&str>, codes: &[String], knowledge: &Knowledge) -> Self {
        let own = regimen.and_then(|id| knowledge.regimens.get(id)?.body.condition);
        let mut all: Vec<Condition> = own.into_iter().collect();
        for code in codes {
            let fits = |item: &&Item<Regimen>| item.body.icd10.iter().any(|known| is_code_of(known, code));
            let mut fitting: Vec<_> = knowledge.regimens.iter().filter(fits).collect();
            fitting.sort_by_key(|item| item.body.icd10.len());
            let mut means = fitting.iter().filter_map(|item| item.body.condition);
            if !means.clone().any(|condition| all.contains(&condition)) {
                all.extend(means.next());
            }
        }
        Self(all)
    }

    /// What the regimen treats.
    pub fn main(&self) -> Option<Condition> {
        self.0.first().copied()
    }

    /// Every condition.
    pub fn all(&self) -> &[Condition] {
        &self.0
    }

    /// By whose definitions a score of the scale is judged: of each condition that it is for, else of the main one.
    pub fn judging(&self, scale: &Scale) -> Vec<Option<Condition>> {
        let own: Vec<_> = self.0.iter().filter(|is| scale.is_for(**is)).map(|is| Some(*is)).collect();
        if own.is_empty() { vec![self.main()] } else { own }
    }

    /// The scale of the series, then of each other condition, and the usual one, each once.
    pub fn scales<'a>(&self, knowledge: &'a Knowledge) -> Vec<&'a Item<Scale>> {
        let conditions = self.0.iter().copied().map(Some).chain([None]);
        let mut all: Vec<&Item<Scale>> = Vec::new();
        for scale in conditions.filter_map(|condition| knowledge.scale_of_series(condition)) {
            if all.iter().all(|one| one.header.id != scale.header.id) {
                all.push(scale);
            }
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::LazyLock;

    static KNOWLEDGE: LazyLock<Knowledge> = LazyLock::new(|| Knowledge::shipped().expect("knowledge"));

    fn treated(regimen: Option<&str>, codes: &[&str]) -> Treated {
        let codes: Vec<String> = codes.iter().map(|code| (*code).to_owned()).collect();
        Treated::by(regimen, &codes, &KNOWLEDGE)
    }

    #[test]
    fn every_code_of_the_plan_is_a_condition_once_and_the_regimen_leads() {
        use Condition::{Bipolar, Mdd, Ptsd, SuicidalIdeation};
        let std = Some("mdd_trd_std");
        for (regimen, codes, all) in [
            (std, &["F33.2"][..], &[Mdd][..]),
            (std, &["F43.12", "F33.2", "F43.10"], &[Mdd, Ptsd]),
            (std, &["F33.2", "R45.851"], &[Mdd, SuicidalIdeation]),
            (Some("mdd_si"), &["F33.2", "F31.81"], &[SuicidalIdeation]),
            (Some("ptsd"), &["F43.10", "F31.81", "Z99"], &[Ptsd, Bipolar]),
            (None, &["F33.2"], &[Mdd]),
            (None, &[], &[]),
        ] {
            assert_eq!(treated(regimen, codes).all(), all, "{regimen:?} {codes:?}");
        }
    }

    #[test]
    fn each_condition_has_its_scale_and_a_score_is_judged_by_its_own_definitions() {
        let both = treated(Some("mdd_trd_std"), &["F33.2", "F43.10", "M79.7"]);
        let ids: Vec<&str> = both.scales(&KNOWLEDGE).iter().map(|item| item.header.id.as_str()).collect();
        assert_eq!((ids[0], ids.contains(&"pcl5"), ids.len()), ("phq9", true, 3), "{ids:?}");
        let judging = |id| both.judging(&KNOWLEDGE.scale(id).expect("shipped").body);
        assert_eq!(judging("pcl5"), [Some(Condition::Ptsd)]);
        assert_eq!(judging("gad7"), [Some(Condition::Mdd)], "no definitions of its own condition: as before");
        for (condition, scale) in [
            (Condition::Ptsd, "pcl5"),
            (Condition::Ocd, "ybocs"),
            (Condition::GeneralisedAnxiety, "gad7"),
            (Condition::Pain, "nrs"),
            (Condition::Crps, "nrs"),
            (Condition::Mdd, "phq9"),
        ] {
            let of_it = Treated(vec![condition]).scales(&KNOWLEDGE);
            assert_eq!(of_it.first().map(|item| item.header.id.as_str()), Some(scale), "{condition:?}");
        }
        assert_eq!(Treated::default().scales(&KNOWLEDGE).len(), 1, "the usual one");
    }
}
