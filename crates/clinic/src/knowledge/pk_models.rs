//! Published models of what the body does with a dose, as data for [`pkpd`].
//!
//! Numbers are binary here and nowhere else in the knowledge: a model predicts, it never decides a dose.

pub mod observations;
mod routes;

use super::{Body, Evidence, Item, Knowledge};
use pkpd::{Basis, EffectSite, Form, Model, Refused};
use serde::Deserialize;
use std::collections::BTreeMap;

/// What a model describes, and what is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Substance {
    /// Both mirror images.
    KetamineRacemic,
    /// The S half alone.
    Esketamine,
}

impl From<Substance> for Form {
    fn from(substance: Substance) -> Self {
        match substance {
            Substance::KetamineRacemic => Self::Racemate,
            Substance::Esketamine => Self::SEnantiomer,
        }
    }
}

/// Where the blood was drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Site {
    /// Artery.
    Arterial,
    /// Vein.
    Venous,
    /// The source does not say.
    Unknown,
}

impl From<Site> for pkpd::Site {
    fn from(site: Site) -> Self {
        match site {
            Site::Arterial => Self::Arterial,
            Site::Venous => Self::Venous,
            Site::Unknown => Self::Unknown,
        }
    }
}

/// What a model is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Draws the line at the chair. Exactly one, with an effect site.
    Default,
    /// Spans the band at the chair.
    Comparison,
    /// For simulation and study.
    Research,
    /// For children; never chosen by default.
    Paediatric,
    /// In the validation table only.
    NotForClinic,
}

impl Role {
    /// In a word, as the file has it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Comparison => "comparison",
            Self::Research => "research",
            Self::Paediatric => "paediatric",
            Self::NotForClinic => "not_for_clinic",
        }
    }
}

/// Where in its file a number stands: value and unit, such as `"84 L/h"`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(try_from = "String")]
pub struct Measured {
    value: f64,
    unit: String,
}

impl TryFrom<String> for Measured {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let (number, unit) = text.split_once(' ').ok_or_else(|| {
            format!("`{text}` has no unit: write a number, one space and a UCUM unit, \"84 L/h\"")
        })?;
        let value: f64 = number.parse().map_err(|_| format!("`{text}`: `{number}` is not a number"))?;
        if !value.is_finite() {
            return Err(format!("`{text}` is not a finite number"));
        }
        Ok(Self { value, unit: unit.to_owned() })
    }
}

impl Measured {
    /// The number, when it is in this unit.
    pub(super) fn in_unit(&self, unit: &str) -> Result<f64, String> {
        if self.unit == unit {
            Ok(self.value)
        } else {
            Err(format!("{} {} has to be in {unit}", self.value, self.unit))
        }
    }

    pub(super) fn unit(&self) -> &str {
        &self.unit
    }

    /// As a parameter, and whether it is by kilogram of weight.
    fn as_parameter(&self) -> Result<(pkpd::Value, bool), String> {
        let per_hour = self.value / MINUTES_PER_HOUR;
        Ok(match self.unit.as_str() {
            "L" => (pkpd::Value::Volume(pkpd::Litres(self.value)), false),
            "L/kg" => (pkpd::Value::Volume(pkpd::Litres(self.value)), true),
            "L/h" => (pkpd::Value::Clearance(pkpd::LPerMin(per_hour)), false),
            "L/min" => (pkpd::Value::Clearance(pkpd::LPerMin(self.value)), false),
            "/h" => (pkpd::Value::Constant(pkpd::PerMin(per_hour)), false),
            "/min" => (pkpd::Value::Constant(pkpd::PerMin(self.value)), false),
            "min" => (pkpd::Value::Time(pkpd::Minutes(self.value)), false),
            other => return Err(format!("`{other}` is not a unit of a parameter")),
        })
    }
}

const MINUTES_PER_HOUR: f64 = 60.0;

/// One parameter.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parameter {
    /// Of the typical person, at the file's reference weight unless it is by kilogram.
    typical: Measured,
    /// 1 is linear, 0.75 allometric, absent is no change with weight.
    weight_exponent: Option<f64>,
    /// How age changes it.
    age: Option<AgeSlope>,
}

/// Change for each year above an age.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgeSlope {
    above: Measured,
    per_year: Measured,
}

/// A place that holds drug or metabolite. The first one takes the dose.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Compartment {
    name: String,
    volume: Option<String>,
    analyte: Option<String>,
    molar_mass: Option<MolarMass>,
}

/// In g/mol. Given where a model counts moles; absent where its volumes were fitted to measured mass.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MolarMass {
    metabolite: f64,
    parent: f64,
}

/// From one compartment to another or out, or both ways `between` two by one clearance.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Flow {
    between: Option<[String; 2]>,
    from: Option<String>,
    to: Option<String>,
    by: String,
    share: Option<f64>,
    delay: Option<Delay>,
}

/// A chain of equal stages on the way.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Delay {
    stages: u8,
    mean: String,
}

/// Between-person spread, log-normal.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spread {
    /// Where it comes from; an assumption says `proposed`.
    pub evidence: Evidence,
    /// Variance of the logarithm, of parameters that vary alone.
    #[serde(default)]
    variance: BTreeMap<String, f64>,
    /// Coefficient of variation in percent, of parameters that vary alone.
    #[serde(default)]
    cv_percent: BTreeMap<String, f64>,
    /// Parameters that vary together.
    #[serde(default)]
    block: Vec<Block>,
}

/// Covariance of the logarithms.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Block {
    parameters: Vec<String>,
    covariance: Vec<Vec<f64>>,
}

/// How sure a typical value is: its standard error, in the unit in which it is printed.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Uncertainty {
    /// Where it comes from.
    pub evidence: Evidence,
    standard_error: BTreeMap<String, f64>,
}

/// Measurement error of one analyte: relative and absolute, or on the logarithm.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Residual {
    analyte: String,
    proportional: Option<f64>,
    additive: Option<Measured>,
    log_sd: Option<f64>,
}

/// Where the model may be used.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Validity {
    age: [Measured; 2],
    weight: [Measured; 2],
    dose_max: Measured,
    length_max: Measured,
    infusion_min: Option<Measured>,
    after_bolus: Option<Measured>,
}

/// Half-life of the way from plasma to effect, with its confidence interval.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Effect {
    half_life: Measured,
    half_life_range: [Measured; 2],
    site: Site,
}

/// A model as its file says it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PkModel {
    /// What it describes.
    pub substance: Substance,
    /// Where the blood was drawn.
    pub site: Site,
    /// What it is used for.
    pub role: Role,
    /// Who was measured.
    pub people: String,
    /// Between-person spread.
    pub spread: Option<Spread>,
    /// Spread of one person between occasions.
    pub occasions: Option<Spread>,
    /// How sure the typical values are.
    pub uncertainty: Option<Uncertainty>,
    #[serde(default)]
    route: Vec<routes::Route>,
    reference_weight: Option<Measured>,
    parameters: BTreeMap<String, Parameter>,
    compartment: Vec<Compartment>,
    flow: Vec<Flow>,
    #[serde(default)]
    residual: Vec<Residual>,
    validity: Validity,
    effect_site: Option<Effect>,
}

/// A dose and the level that a source, or another program, finds for it. The last printed digit counts.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Example {
    weight: Measured,
    age: Option<Measured>,
    given: Substance,
    dose: Measured,
    over: Measured,
    at: Measured,
    /// Of what is given: twice the S half where the racemate goes into a model of the S half.
    plasma: String,
}

/// The models that a chair uses.
#[derive(Debug, Clone)]
pub struct ChairModels {
    /// Draws the line.
    pub default: Model,
    /// Its effect site.
    pub effect_site: EffectSite,
    /// Span the band.
    pub comparisons: Vec<Model>,
}

impl Item<PkModel> {
    /// Ready to simulate.
    ///
    /// # Errors
    /// What does not fit, for a person; a shipped model has no such error.
    pub fn model(&self) -> Result<Model, String> {
        Model::new(self.body.spec(&self.header.id)?).map_err(|e: Refused| e.to_string())
    }

    /// How its plasma level reaches the effect, where the file says so.
    ///
    /// # Errors
    /// A half-life that is not in minutes or not above 0.
    pub fn effect_site(&self) -> Result<Option<EffectSite>, String> {
        self.body.effect_site.as_ref().map(Effect::rates).transpose()
    }
}

impl Knowledge {
    /// The default model with its effect site, and the models that it is compared with.
    ///
    /// # Errors
    /// No default, more than one, or one without an effect site.
    pub fn chair_models(&self) -> Result<ChairModels, String> {
        let with = |role| self.pk_models.iter().filter(move |item| item.body.role == role);
        let mut defaults = with(Role::Default);
        let (Some(default), None) = (defaults.next(), defaults.next()) else {
            return Err("exactly one model has the role `default`".to_owned());
        };
        let effect_site = default.effect_site()?.ok_or("the default model has no `effect_site`")?;
        let comparisons = with(Role::Comparison).map(Item::model).collect::<Result<_, _>>()?;
        Ok(ChairModels { default: default.model()?, effect_site, comparisons })
    }
}

impl Effect {
    fn rates(&self) -> Result<EffectSite, String> {
        let rate = |half_life: &Measured| {
            let minutes = half_life.in_unit("min")?;
            if minutes > 0.0 {
                Ok(pkpd::PerMin::from_half_life(pkpd::Minutes(minutes)))
            } else {
                Err(format!("a half-life of {minutes} min"))
            }
        };
        let [quick, slow] = &self.half_life_range;
        let (ke0, ke0_range) = (rate(&self.half_life)?, (rate(slow)?, rate(quick)?));
        if !(ke0_range.0 <= ke0 && ke0 <= ke0_range.1) {
            return Err("the half-life lies outside its own range".to_owned());
        }
        Ok(EffectSite { ke0, ke0_range, site: self.site.into() })
    }
}

impl PkModel {
    /// The weight for which its numbers are printed, where they are.
    #[must_use]
    pub fn reference_weight(&self) -> Option<pkpd::Kg> {
        self.reference_weight.as_ref()?.in_unit("kg").ok().map(pkpd::Kg)
    }

    /// A person's parameter in the unit in which the source prints it; what is printed by kilogram, in litres.
    #[must_use]
    pub fn printed(&self, parameter: &str, of_person: pkpd::Value) -> Option<(f64, &str)> {
        let unit = self.parameters.get(parameter)?.typical.unit.as_str();
        Some(match (of_person, unit) {
            (pkpd::Value::Clearance(x), "L/h") => (x.0 * MINUTES_PER_HOUR, unit),
            (pkpd::Value::Clearance(x), _) => (x.0, pkpd::LPerMin::UNIT),
            (pkpd::Value::Constant(x), "/h") => (x.0 * MINUTES_PER_HOUR, unit),
            (pkpd::Value::Constant(x), _) => (x.0, pkpd::PerMin::UNIT),
            (pkpd::Value::Volume(x), _) => (x.0, pkpd::Litres::UNIT),
            (pkpd::Value::Time(x), _) => (x.0, pkpd::Minutes::UNIT),
        })
    }

    fn spec(&self, id: &str) -> Result<pkpd::Spec, String> {
        let named = |name: &str, why| format!("{name}: {why}");
        let mut parameters = Vec::with_capacity(self.parameters.len());
        for (name, written) in &self.parameters {
            parameters.push(self.parameter(name, written).map_err(|why| named(name, why))?);
        }
        let mut flows = Vec::with_capacity(self.flow.len());
        for flow in &self.flow {
            flows.extend(flow.one_way().map_err(|why| named(&flow.by, why))?);
        }
        let residuals = self.residual.iter().map(|r| Ok((r.analyte.clone(), r.model()?)));
        Ok(pkpd::Spec {
            id: id.to_owned(),
            form: self.substance.into(),
            site: self.site.into(),
            parameters,
            compartments: self.compartment.iter().map(Compartment::model).collect(),
            flows,
            routes: self.route.iter().map(routes::Route::model).collect::<Result<_, _>>()?,
            variability: self.spread.as_ref().map(Spread::blocks).unwrap_or_default(),
            occasions: self.occasions.as_ref().map(Spread::blocks).unwrap_or_default(),
            uncertainty: self.uncertain()?,
            residuals: residuals.collect::<Result<_, String>>()?,
            validity: self.validity.model()?,
        })
    }

    /// On the logarithm, where a standard error is the share of its value.
    fn uncertain(&self) -> Result<Vec<pkpd::Block>, String> {
        let errors = self.uncertainty.iter().flat_map(|u| &u.standard_error);
        errors
            .map(|(name, error)| {
                let parameter = self.parameters.get(name).ok_or_else(|| format!("no parameter {name}"))?;
                let share = error / parameter.typical.value;
                let covariance = vec![vec![pkpd::Ratio(share * share)]];
                Ok(pkpd::Block { parameters: vec![name.clone()], covariance })
            })
            .collect()
    }

    fn parameter(&self, name: &str, written: &Parameter) -> Result<pkpd::Parameter, String> {
        let (typical, per_kg) = written.typical.as_parameter()?;
        let weight = match (per_kg, written.weight_exponent) {
            (true, None) => Some(pkpd::WeightScale { reference: pkpd::Kg(1.0), exponent: pkpd::Ratio(1.0) }),
            (true, Some(_)) => return Err("by kilogram and with an exponent at once".to_owned()),
            (false, None) => None,
            (false, Some(exponent)) => {
                let reference =
                    self.reference_weight.as_ref().ok_or("an exponent needs `reference_weight`")?;
                let reference = pkpd::Kg(reference.in_unit("kg")?);
                Some(pkpd::WeightScale { reference, exponent: pkpd::Ratio(exponent) })
            }
        };
        let slope = |slope: &AgeSlope| {
            let above = pkpd::Years(slope.above.in_unit("a")?);
            Ok::<_, String>(pkpd::AgeSlope { above, per_year: slope.per_year.as_parameter()?.0 })
        };
        let age = written.age.as_ref().map(slope).transpose()?;
        Ok(pkpd::Parameter { name: name.to_owned(), typical, weight, age })
    }
}

impl Compartment {
    fn model(&self) -> pkpd::Compartment {
        let mass_ratio = pkpd::Ratio(self.molar_mass.map_or(1.0, |m| m.metabolite / m.parent));
        let analyte = self.analyte.clone().map(|name| pkpd::Analyte { name, mass_ratio });
        pkpd::Compartment { name: self.name.clone(), volume: self.volume.clone(), analyte }
    }
}

impl Flow {
    fn one_way(&self) -> Result<Vec<pkpd::Flow>, String> {
        let flow = |from: &str, to: Option<&str>| pkpd::Flow {
            from: from.to_owned(),
            to: to.map(str::to_owned),
            by: self.by.clone(),
            share: pkpd::Ratio(self.share.unwrap_or(1.0)),
            delay: self.delay.as_ref().map(|d| pkpd::Delay { stages: d.stages, mean: d.mean.clone() }),
        };
        match (&self.between, &self.from) {
            (Some([a, b]), None) if self.to.is_none() => Ok(vec![flow(a, Some(b)), flow(b, Some(a))]),
            (None, Some(from)) => Ok(vec![flow(from, self.to.as_deref())]),
            _ => Err("a flow is `between` two, or `from` one and perhaps `to` another".to_owned()),
        }
    }
}

impl Spread {
    fn blocks(&self) -> Vec<pkpd::Block> {
        let alone = |name: &String, variance: f64| pkpd::Block {
            parameters: vec![name.clone()],
            covariance: vec![vec![pkpd::Ratio(variance)]],
        };
        let by_cv = |cv: f64| (cv / 100.0).powi(2).ln_1p();
        let together = |block: &Block| pkpd::Block {
            parameters: block.parameters.clone(),
            covariance: block
                .covariance
                .iter()
                .map(|r| r.iter().copied().map(pkpd::Ratio).collect())
                .collect(),
        };
        let by_variance = self.variance.iter().map(|(name, &v)| alone(name, v));
        by_variance
            .chain(self.cv_percent.iter().map(|(name, &cv)| alone(name, by_cv(cv))))
            .chain(self.block.iter().map(together))
            .collect()
    }
}

impl Residual {
    fn model(&self) -> Result<pkpd::Residual, String> {
        match (self.log_sd, self.proportional, &self.additive) {
            (Some(sd), None, None) => Ok(pkpd::Residual::LogNormal { sd: pkpd::Ratio(sd) }),
            (None, None, None) => Err(format!("the residual of {} says nothing", self.analyte)),
            (None, proportional, additive) => {
                let additive = additive.as_ref().map(|a| a.in_unit("ng/mL")).transpose()?;
                Ok(pkpd::Residual::Normal {
                    proportional: pkpd::Ratio(proportional.unwrap_or_default()),
                    additive: pkpd::NgPerMl(additive.unwrap_or_default()),
                })
            }
            _ => Err(format!("the residual of {} is both on the logarithm and not", self.analyte)),
        }
    }
}

impl Validity {
    fn model(&self) -> Result<pkpd::Validity, String> {
        let [youngest, oldest] = &self.age;
        let [lightest, heaviest] = &self.weight;
        let minutes =
            |of: &Option<Measured>| of.as_ref().map_or(Ok(0.0), |of| of.in_unit("min")).map(pkpd::Minutes);
        Ok(pkpd::Validity {
            age: pkpd::Years(youngest.in_unit("a")?)..=pkpd::Years(oldest.in_unit("a")?),
            weight: pkpd::Kg(lightest.in_unit("kg")?)..=pkpd::Kg(heaviest.in_unit("kg")?),
            dose_max: pkpd::MgPerKg(self.dose_max.in_unit("mg/kg")?),
            length_max: pkpd::Minutes(self.length_max.in_unit("min")?),
            infusion_min: minutes(&self.infusion_min)?,
            after_bolus: minutes(&self.after_bolus)?,
        })
    }
}

impl Body for PkModel {
    const FOLDER: &'static str = "pk_models";
    const FLOATS: bool = true;
    type Example = Example;

    fn check(item: &Item<Self>, _all: &Knowledge) -> Result<(), String> {
        let effect_site = item.effect_site()?;
        if item.body.role == Role::Default && effect_site.is_none() {
            return Err("the default model needs an `effect_site`".to_owned());
        }
        if effect_site.is_some_and(|e| e.site != item.body.site.into()) {
            return Err("its effect site belongs to another sampling site".to_owned());
        }
        item.model().map(|_| ())
    }

    fn prove(item: &Item<Self>, example: &Example, _all: &Knowledge) -> Result<(), String> {
        let model = item.model()?;
        let basis = Basis::of(example.given.into(), model.form());
        let found = example.level(&model, basis).map_err(|e| e.to_string())?;
        let (printed, unit) = example.plasma.split_once(' ').ok_or("`plasma` has no unit")?;
        if unit != "ng/mL" {
            return Err(format!("`plasma` is in {unit}, not in ng/mL"));
        }
        observations::printed_as(found.0, printed).map_err(|shown| format!("{shown} ng/mL and not {printed}"))
    }
}

impl Example {
    fn level(&self, model: &Model, basis: Basis) -> Result<pkpd::NgPerMl, String> {
        let told = |e: Refused| e.to_string();
        let body = pkpd::Body {
            weight: pkpd::Kg(self.weight.in_unit("kg")?),
            age: self.age.as_ref().map(|a| a.in_unit("a")).transpose()?.map(pkpd::Years),
        };
        let amount = pkpd::Mg(self.dose.in_unit("mg")? * basis.of_dose().0);
        let dose = pkpd::Dose::over(amount, pkpd::Minutes(self.over.in_unit("min")?), pkpd::Minutes(0.0));
        let schedule = pkpd::Schedule::new([dose]).map_err(told)?;
        let times = [pkpd::Minutes(self.at.in_unit("min")?)];
        let course = model.typical(body).map_err(told)?.course(&schedule, None, &times).map_err(told)?;
        let level = course.plasma.first().ok_or("no level")?;
        Ok(pkpd::NgPerMl(level.0 * basis.of_level().0))
    }
}

#[cfg(test)]
mod tests;
