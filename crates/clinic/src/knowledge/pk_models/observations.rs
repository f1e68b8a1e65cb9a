//! Published concentrations, and how each model fares against them.

use super::{Measured, PkModel, Site, Substance};
use crate::knowledge::{Body, Item, Knowledge};
use pkpd::{Agreement, Dose, Form, MgPerMin, Minutes, Model, NgPerMl, Schedule};
use serde::Deserialize;

/// What was measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measurand {
    /// S half of ketamine.
    SKetamine,
    /// R half of ketamine.
    RKetamine,
    /// S half of norketamine.
    SNorketamine,
    /// R half of norketamine.
    RNorketamine,
}

impl Measurand {
    fn is_metabolite(self) -> bool {
        matches!(self, Self::SNorketamine | Self::RNorketamine)
    }
    fn is_r(self) -> bool {
        matches!(self, Self::RKetamine | Self::RNorketamine)
    }
}

/// One dose of a published regimen: an amount or a rate by weight, from start to end.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Given {
    amount: Option<Measured>,
    rate: Option<Measured>,
    start: Measured,
    end: Measured,
}

/// One curve.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Panel {
    /// What was in the syringe.
    pub given: Substance,
    /// What was measured.
    pub analyte: Measurand,
    dose: Vec<Given>,
    unit: String,
    molar_mass: Option<Measured>,
    /// Minutes and value, in order.
    points: Vec<[f64; 2]>,
}

/// Curves of one study that are judged together.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PkObservations {
    /// Where the blood was drawn.
    pub site: Site,
    weight: Measured,
    panel: Vec<Panel>,
    /// Models that have to do well on these data.
    #[serde(default)]
    acceptance: Vec<Acceptance>,
}

/// The error that a model is accepted with.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Acceptance {
    model: String,
    mdpe_max: Measured,
    mdape_max: Measured,
}

/// How a model is known to fare. The last printed digit counts.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Example {
    model: String,
    mdpe: Option<String>,
    mdape: Option<String>,
    gmr: Option<String>,
}

/// One line of the validation table.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// Id of the model.
    pub model: String,
    /// Id of the data set.
    pub observations: String,
    /// Whether model and data are of one sampling site; where not, the error is no reproach.
    pub same_site: bool,
    /// The error.
    pub agreement: Agreement,
    /// Whether the error is one that the model is accepted with; `None` where nothing is asked of it.
    pub accepted: Option<bool>,
    /// Where the people and doses of the data lie outside what the model was made for.
    pub outside: Vec<String>,
}

impl Knowledge {
    /// Every model against every published data set that it has an answer for. The R half is predicted as the S half:
    /// their clearances differ by 6 to 17 %, and no public model of R alone exists.
    ///
    /// # Errors
    /// A file that does not fit; shipped files do.
    pub fn validate_pk_models(&self) -> Result<Vec<Verdict>, String> {
        let mut table = Vec::new();
        for observations in self.pk_observations.iter() {
            for item in self.pk_models.iter() {
                if let Some(agreement) = observations.agreement(item)? {
                    table.push(Verdict {
                        model: item.header.id.clone(),
                        observations: observations.header.id.clone(),
                        same_site: item.body.site == observations.body.site,
                        agreement,
                        accepted: observations.body.accepts(&item.header.id, agreement)?,
                        outside: observations.outside(item)?,
                    });
                }
            }
        }
        Ok(table)
    }
}

impl PkObservations {
    fn accepts(&self, model: &str, found: Agreement) -> Result<Option<bool>, String> {
        let Some(asked) = self.acceptance.iter().find(|one| one.model == model) else { return Ok(None) };
        let (bias, error) = (asked.mdpe_max.in_unit("%")? / 100.0, asked.mdape_max.in_unit("%")? / 100.0);
        Ok(Some(found.mdpe.0.abs() <= bias && found.mdape.0 <= error))
    }
}

impl Item<PkObservations> {
    /// `None` when the model does not predict what was measured.
    fn agreement(&self, model: &Item<PkModel>) -> Result<Option<Agreement>, String> {
        let (body, model) = (self.body.people()?, model.model()?);
        let mut pairs = Vec::new();
        for panel in &self.body.panel {
            match panel.predicted(&model, body)? {
                Some(predicted) => pairs.extend(panel.measured()?.into_iter().zip(predicted)),
                None => return Ok(None),
            }
        }
        Ok(Agreement::of(pairs))
    }
}

impl Item<PkObservations> {
    /// Why the model was not made for these people and doses.
    fn outside(&self, model: &Item<PkModel>) -> Result<Vec<String>, String> {
        let (body, model) = (self.body.people()?, model.model()?);
        let mut reasons: Vec<String> = Vec::new();
        for panel in &self.body.panel {
            let (given, times) = (panel.schedule(body)?, panel.times());
            let found =
                model.objections(body, &given).into_iter().chain(model.objections_to_giving(&given, &times));
            let new = found.map(|reason| reason.to_string()).filter(|reason| !reasons.contains(reason));
            reasons.extend(new.collect::<Vec<_>>());
        }
        Ok(reasons)
    }
}

impl PkObservations {
    fn people(&self) -> Result<pkpd::Body, String> {
        Ok(pkpd::Body { weight: pkpd::Kg(self.weight.in_unit("kg")?), age: Some(TYPICAL_AGE) })
    }
}

/// Of volunteers; only a model that changes above 60 years asks.
const TYPICAL_AGE: pkpd::Years = pkpd::Years(30.0);

impl Panel {
    fn measured(&self) -> Result<Vec<NgPerMl>, String> {
        let per_unit = match (self.unit.as_str(), &self.molar_mass) {
            ("ng/mL", None) => 1.0,
            ("nmol/mL", Some(mass)) => mass.in_unit("g/mol")?,
            (unit, _) => return Err(format!("points in {unit}: ng/mL, or nmol/mL with a `molar_mass`")),
        };
        Ok(self.points.iter().map(|[_, value]| NgPerMl(value * per_unit)).collect())
    }

    /// What was given.
    fn schedule(&self, body: pkpd::Body) -> Result<Schedule, String> {
        let doses = self.dose.iter().map(|d| d.dose(body.weight)).collect::<Result<Vec<_>, _>>()?;
        Schedule::new(doses).map_err(|e| e.to_string())
    }

    fn times(&self) -> Vec<Minutes> {
        self.points.iter().map(|[time, _]| Minutes(*time)).collect()
    }

    /// The half that was measured, as a model of either form answers for it.
    fn predicted(&self, model: &Model, body: pkpd::Body) -> Result<Option<Vec<NgPerMl>>, String> {
        let told = |e: pkpd::Refused| e.to_string();
        if Form::from(self.given) == Form::SEnantiomer && self.analyte.is_r() {
            return Err("R is not in what was given".to_owned());
        }
        let half = pkpd::Ratio(if self.given == Substance::KetamineRacemic { 0.5 } else { 1.0 });
        let schedule = self.schedule(body)?.scaled(half).map_err(told)?;
        let times = self.times();
        let course = model.typical(body).map_err(told)?.course(&schedule, None, &times).map_err(told)?;
        if self.analyte.is_metabolite() {
            let mut metabolites = course.metabolites.into_iter();
            return Ok(metabolites.find(|(name, _)| name == "s_norketamine").map(|(_, levels)| levels));
        }
        Ok(Some(course.plasma))
    }
}

impl Given {
    fn dose(&self, weight: pkpd::Kg) -> Result<Dose, String> {
        let (start, end) = (Minutes(self.start.in_unit("min")?), Minutes(self.end.in_unit("min")?));
        let rate = match (&self.amount, &self.rate) {
            (Some(amount), None) => pkpd::Mg(amount.in_unit("mg")?).over(Minutes(end.0 - start.0)),
            (None, Some(rate)) => MgPerMin(rate.in_unit("mg/kg/h")? * weight.0 / super::MINUTES_PER_HOUR),
            _ => return Err("a dose has an `amount` or a `rate`".to_owned()),
        };
        Ok(Dose::Infusion { start, end, rate })
    }
}

impl Body for PkObservations {
    const FOLDER: &'static str = "pk_observations";
    const FLOATS: bool = true;
    type Example = Example;

    fn prove(item: &Item<Self>, example: &Example, all: &Knowledge) -> Result<(), String> {
        let model = all.pk_models.get(&example.model).ok_or_else(|| format!("no model {}", example.model))?;
        let found = item.agreement(model)?.ok_or("the model does not predict what was measured")?;
        let said = |name, printed: &Option<String>, found: f64, unit: &str| match printed {
            Some(printed) => printed_as(found, printed.strip_suffix(unit).unwrap_or(printed))
                .map_err(|shown| format!("{} {name} is {shown} and not {printed}", example.model)),
            None => Ok(()),
        };
        said("mdpe", &example.mdpe, found.mdpe.0 * 100.0, " %")?;
        said("mdape", &example.mdape, found.mdape.0 * 100.0, " %")?;
        said("gmr", &example.gmr, found.gmr.0, "")
    }
}

/// Whether a number shows these digits.
pub(in crate::knowledge) fn printed_as(found: f64, printed: &str) -> Result<(), String> {
    let places = printed.split_once('.').map_or(0, |(_, fraction)| fraction.len());
    let shown = format!("{found:.places$}");
    if shown == printed { Ok(()) } else { Err(shown) }
}
