//! `knowledge/expect/`: what a patient may expect, for each condition, and what is the same for all.

use super::claim::{self, Claim, Section};
use super::regimen::Grade;
use super::scales::Condition;
use super::{Body, Item, Knowledge};
use crate::id::RuleId;
use serde::Deserialize;

/// Something strong that is heard or read about the therapy, and what is known.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Weighed {
    /// As one hears it.
    pub heard: String,
    /// What is known.
    pub known: Claim,
}

/// One file of `knowledge/expect/`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    /// Its place in an address; empty for what is the same for every condition.
    #[serde(default)]
    pub page: String,
    /// Regimens that it tells of. None of its claims is stronger than the best of their grades.
    #[serde(default)]
    pub regimens: Vec<RuleId>,
    /// In a sentence.
    pub lead: String,
    /// What is known.
    #[serde(rename = "section")]
    pub sections: Vec<Section>,
    /// What is heard.
    #[serde(default)]
    pub weighed: Vec<Weighed>,
}

impl Body for Expect {
    const FOLDER: &'static str = "expect";
    type Example = Counted;

    fn check(item: &Item<Self>, all: &Knowledge) -> Result<(), String> {
        let own = &item.body;
        claim::check(&own.sections, all)?;
        claim::unspoken(&own.lead, all)?;
        own.weighed.iter().try_for_each(|one| {
            let section = Section { title: String::new(), claims: vec![one.known.clone()] };
            claim::check(&[section], all)
        })?;
        if own.page.is_empty() == own.regimens.is_empty() {
            own.no_stronger_than_the_regimens(all)
        } else {
            Err("a page of its own names regimens, and only that".to_owned())
        }
    }

    fn prove(item: &Item<Self>, example: &Counted, _all: &Knowledge) -> Result<(), String> {
        let claims = item.body.claims().count();
        if claims == example.claims { Ok(()) } else { Err(format!("it makes {claims} claims")) }
    }
}

/// How many claims a page makes: a line that got lost is noticed.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counted {
    claims: usize,
}

impl Expect {
    /// Every claim of the page.
    pub fn claims(&self) -> impl Iterator<Item = &Claim> {
        let sections = self.sections.iter().flat_map(|section| &section.claims);
        sections.chain(self.weighed.iter().map(|one| &one.known))
    }

    fn no_stronger_than_the_regimens(&self, all: &Knowledge) -> Result<(), String> {
        let mut best: Option<Grade> = None;
        for id in &self.regimens {
            let regimen =
                all.regimens.get(id.as_str()).ok_or_else(|| format!("there is no regimen `{id}`"))?;
            best = Some(best.map_or(regimen.body.grade, |best| best.min(regimen.body.grade)));
        }
        let Some(best) = best else { return Ok(()) };
        match self.claims().find(|claim| claim.strength.grade().is_some_and(|grade| grade < best)) {
            Some(claim) => Err(format!("“{}” is stronger than its regimens, {best:?}", claim.says)),
            None => Ok(()),
        }
    }
}

impl Knowledge {
    /// The page of a condition.
    pub fn expectation(&self, page: &str) -> Option<&Item<Expect>> {
        self.expect.iter().find(|item| item.body.page == page && !page.is_empty())
    }

    /// The pages of a patient: that of the regimen, then of each condition that it does not tell of.
    pub fn expectations_of(&self, regimen: &str, conditions: &[Condition]) -> Vec<&Item<Expect>> {
        let treats = |item: &Item<Expect>, is: Condition| {
            let regimens = item.body.regimens.iter().filter_map(|id| self.regimens.get(id.as_str()));
            regimens.filter_map(|regimen| regimen.body.condition).any(|condition| condition == is)
        };
        let of_regimen = |item: &&Item<Expect>| item.body.regimens.iter().any(|id| id.as_str() == regimen);
        let mut pages: Vec<_> = self.expect.iter().find(of_regimen).into_iter().collect();
        for is in conditions {
            if !pages.iter().any(|page| treats(page, *is)) {
                pages.extend(self.expect.iter().find(|page| treats(page, *is)));
            }
        }
        pages
    }

    /// What is the same for every condition.
    pub fn expected_by_all(&self) -> impl Iterator<Item = &Item<Expect>> {
        self.expect.iter().filter(|item| item.body.page.is_empty())
    }
}
