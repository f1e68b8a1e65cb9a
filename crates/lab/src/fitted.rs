//! One person's parameters from measured levels.

use crate::Wrong;
use crate::asked::Argument;
use crate::case::Chosen;
use crate::doses::Doses;
use crate::observed;
use pkpd::{
    Body, Errors, Fit, FitQuestion, Minutes, Observation, Posterior, Ratio, Reported, Schedule, Site,
    UNEXPLAINED, Warning,
};

/// Draws worth fewer than this do not tell a percentile.
const EFFECTIVE_MIN: f64 = 200.0;

/// Who got what, and what was measured.
#[derive(Debug, Clone, Copy)]
pub struct LevelsQuestion<'a> {
    /// Who.
    pub body: Body,
    /// What was given.
    pub doses: &'a Doses,
    /// What was measured.
    pub observations: &'a [Observation],
    /// Where they stand, for a refusal: the name of a file.
    pub observed_in: &'a str,
    /// In which line each of them stands; empty where they stand in none.
    pub lines: &'a [usize],
    /// Where the blood was drawn; else it is taken to be the model's site, and that is told.
    pub site: Option<Site>,
    /// How a wild value counts.
    pub errors: Errors,
    /// When each occasion begins, where the person varies between them; before the first it holds already.
    pub occasions: &'a [Minutes],
    /// Draws from all that is known, where they are asked for.
    pub drawn: Option<Drawn<'a>>,
}

/// Draws from what is known of a person.
#[derive(Debug, Clone, Copy)]
pub struct Drawn<'a> {
    /// How many.
    pub count: usize,
    /// The same draws for the same seed.
    pub seed: u64,
    /// When levels are asked for.
    pub times: &'a [Minutes],
}

/// What was learned. Names go by the alphabet, which is the order of JSON's keys, so that rows of the covariance are
/// found by them.
#[derive(Debug, Clone)]
pub struct Fitted {
    /// Deviation of each parameter with spread from that of the typical person.
    pub eta: Vec<(String, Ratio)>,
    /// Every parameter as the model's file prints it: name, value, unit.
    pub parameters: Vec<(String, f64, String)>,
    /// Posterior covariance of the etas.
    pub covariance: Vec<Vec<Ratio>>,
    /// By how much each occasion deviates from the person: of the parameters that vary between occasions.
    pub occasions: Vec<Vec<(String, Ratio)>>,
    /// All that is known, where it was asked for.
    pub posterior: Option<Posterior>,
    /// As the engine has it.
    pub fit: Fit,
    /// What of the doses the model describes.
    pub schedule: Schedule,
    /// What a reader has to know.
    pub warnings: Vec<String>,
}

impl Chosen<'_> {
    /// Fits one person.
    ///
    /// # Errors
    /// A model without spread, levels that the engine refuses; [`Wrong::Unsafe`] for blood of the other site.
    pub fn fitted(&self, asked: &LevelsQuestion) -> Result<Fitted, Wrong> {
        let model = &self.model;
        let LevelsQuestion { body, observations, errors, .. } = *asked;
        asked.doses.check(self, body)?;
        let given = asked.doses.schedule(body.weight)?;
        let untold = self.takes_blood(asked.site)?;
        if model.spec().variability.is_empty() {
            let accepted = "a model with between-person spread";
            let argument = Argument { field: "--model", text: model.id(), accepted };
            return Err(argument.unreadable("it has no spread, so nothing can be fitted").into());
        }
        let schedule = given.scaled(self.basis.of_dose()).map_err(|cause| self.refused(&cause))?;
        if !asked.occasions.is_empty() && model.spec().occasions.is_empty() {
            let accepted = "a model whose source prints it, see `chairside models show`";
            let argument = Argument { field: "--occasions", text: model.id(), accepted };
            return Err(argument.unreadable("it has no source for a spread between occasions").into());
        }
        let occasions = asked.occasions.get(1..).unwrap_or_default();
        let question = FitQuestion {
            model,
            body,
            schedule: &schedule,
            observations,
            site: model.site(),
            errors,
            occasions,
        };
        let refused = |cause| observed::refused(asked.observed_in, asked.lines, self, &cause);
        let fit = pkpd::fit(&question).map_err(refused)?;
        let posterior =
            asked.drawn.map(|drawn| pkpd::posterior(&question, drawn.count, drawn.seed, drawn.times));
        let posterior = posterior.transpose().map_err(refused)?;
        let mut warnings = self.doubts(&fit, asked, &given);
        if let Some(known) = posterior.as_ref().filter(|known| known.effective < EFFECTIVE_MIN) {
            warnings.push(format!(
                "{} draws are worth only {:.0}: ask for more before you trust a percentile",
                known.draws, known.effective
            ));
        }
        warnings.extend(untold);
        Ok(Fitted { posterior, ..self.told(fit, schedule, warnings) })
    }

    fn doubts(&self, fit: &Fit, asked: &LevelsQuestion, given: &Schedule) -> Vec<String> {
        let id = self.model.id();
        let of_fit = fit.warnings.iter().filter_map(|warning| match warning {
            Warning::NotConverged => Some("the search stopped before it was sure of the optimum".to_owned()),
            Warning::Flat => {
                Some("the optimum is no clear valley: the covariance is that of a damped one".to_owned())
            }
            Warning::Uninformed(name) => {
                Some(format!("the levels say nothing about {name}: it keeps the spread of the population"))
            }
            Warning::Unsure(name) => Some(format!(
                "the levels moved {name}, and yet its spread after them is not below that of the population: the \
                 covariance of {name} is unreliable here, draws from all that is known (--posterior) tell more"
            )),
            Warning::Outlying(name) => Some(format!(
                "{name} is more than 4 standard deviations from the typical person's: this person lies outside the population"
            )),
            Warning::Unexplained(place) => unexplained(fit, asked, *place),
            // The reasons below say which.
            Warning::OutsideValidity => None,
        });
        let times: Vec<Minutes> = asked.observations.iter().map(|measured| measured.at).collect();
        let reasons = self.objections(asked.body, given, &times);
        let outside = reasons.iter().map(|reason| format!("outside the validity of {id}: {reason}"));
        self.notes.iter().cloned().chain(outside).chain(self.assumed()).chain(of_fit).collect()
    }

    fn told(&self, fit: Fit, schedule: Schedule, warnings: Vec<String>) -> Fitted {
        let mut order: Vec<usize> = (0..fit.names.len()).collect();
        order.sort_by_key(|&place| &fit.names[place]);
        let names = &self.model.spec().parameters;
        let eta =
            |name: &String| names.iter().zip(&fit.eta).find(|(p, _)| p.name == *name).map(|(_, eta)| *eta);
        let named = |place: &usize| Some((fit.names[*place].clone(), eta(&fit.names[*place])?));
        let printed = |(name, value): &(String, pkpd::Value)| {
            self.item.body.printed(name, *value).map(|(value, unit)| (name.clone(), value, unit.to_owned()))
        };
        let varies = |name: &str| {
            let blocks = &self.model.spec().occasions;
            blocks.iter().any(|block| block.parameters.iter().any(|its| its == name))
        };
        let on = |etas: &Vec<Ratio>| {
            let each = names.iter().zip(etas).filter(|(parameter, _)| varies(&parameter.name));
            each.map(|(parameter, eta)| (parameter.name.clone(), *eta)).collect()
        };
        Fitted {
            occasions: fit.occasions.iter().map(on).collect(),
            posterior: None,
            eta: order.iter().filter_map(named).collect(),
            parameters: fit.parameters.iter().filter_map(printed).collect(),
            covariance: order
                .iter()
                .map(|&i| order.iter().map(|&j| fit.covariance[i][j]).collect())
                .collect(),
            fit,
            schedule,
            warnings,
        }
    }
}

/// What to say of a level that the fit does not explain.
fn unexplained(fit: &Fit, asked: &LevelsQuestion, place: usize) -> Option<String> {
    let (measured, found) = (asked.observations.get(place)?, fit.explained.get(place)?);
    let line = asked.lines.get(place).map(|line| format!("line {line}: ")).unwrap_or_default();
    let (Reported::Level(level) | Reported::Below(level)) = measured.level;
    let (below, side) = (
        if matches!(measured.level, Reported::Below(_)) { "below " } else { "" },
        if found.deviation.0 < 0.0 { "under" } else { "above" },
    );
    let (analyte, at, away, of_fit) =
        (&measured.analyte, measured.at, found.deviation.0.abs(), found.level.0);
    let robust =
        if asked.errors == Errors::Normal { " --robust lets such a level count for less" } else { "" };
    Some(format!(
        "{line}{analyte} {below}{level} at {at} lies {away:.1} standard deviations of the model's error {side} the fit, which \
         has {of_fit:.1} ng/mL (told from {UNEXPLAINED} on): another tube, time, dose or unit?{robust}"
    ))
}
