//! Published models of what a level does, as data for [`pkpd`]. Only the pharmacology lab reads them: no gate, dose,
//! limit or alarm does.

use super::pk_models::observations::printed_as;
use super::pk_models::{Measured, Site, Substance};
use super::{Body, Evidence, Item, Knowledge};
use pkpd::{Basis, Driver, Effect, NgPerMl, PerMin, Ratio, Refused, Sensitivity, Sigmoid};
use serde::Deserialize;

/// How far a model may be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// What is seen within hours, fitted to what was measured.
    Acute,
    /// A hypothesis about days, as a band of a population; never for dosing.
    Exploratory,
    /// Parts without published numbers for people; shown only to who asks for it by name.
    Sandbox,
}

impl Role {
    /// In a word, as the file has it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Acute => "acute",
            Self::Exploratory => "exploratory",
            Self::Sandbox => "sandbox",
        }
    }
}

/// `most · Cᵞ / (halfᵞ + Cᵞ)` of the S half at the effect site.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Emax {
    most: Measured,
    /// What `most` is a share of, where it is one in percent.
    baseline: Option<Measured>,
    half: Measured,
    steepness: f64,
}

/// What binds one half of the drug: the share that is free in plasma, and the constant of the equilibrium.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bound {
    free: f64,
    /// Equilibrium constant.
    ki: Option<Measured>,
    /// How fast it binds, where the constant is `off / on`.
    on: Option<Measured>,
}

/// Share of receptors that hold drug, both halves competing for one site.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Occupancy {
    molar_mass: Measured,
    /// How fast it leaves, where halves say how fast they bind.
    off: Option<Measured>,
    s: Bound,
    r: Bound,
}

/// Block of two kinds of cells; what there is more in the first drives whatever comes after.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Block {
    interneuron: Occupancy,
    pyramidal: Occupancy,
}

/// A chain of two stages that the level fills, and the effect of what the second holds.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Late {
    /// Level of half the input.
    input_half: Measured,
    /// Half-life of the first stage.
    rise: Measured,
    /// Half-life of the second.
    fall: Measured,
    most: Measured,
    /// What the second stage holds at half the effect, in minutes of full input.
    half: Measured,
}

/// One thing that is measured.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Output {
    /// In tables: `sbp_change`.
    pub name: String,
    /// For a person.
    pub title: String,
    /// Times the effect of the model.
    pub ratio: f64,
}

/// How people differ at the same level; the mean stays.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spread {
    /// An assumption says `proposed`.
    pub evidence: Evidence,
    cv_percent: Option<f64>,
    gamma_shape: Option<f64>,
}

/// What another study, or the end of an interval, says instead. Exactly one of the three.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Study {
    /// Which.
    pub name: String,
    half: Option<Measured>,
    /// Its mean, and the mean that the file's own numbers stand for.
    mean: Option<[Measured; 2]>,
    /// Times the constants of binding.
    ki_times: Option<f64>,
}

/// Where the model may be believed.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Validity {
    /// Highest level of the S half at the effect site.
    level_max: Option<Measured>,
    /// Most in one dose.
    dose_max: Option<Measured>,
    /// Most doses.
    doses_max: Option<usize>,
}

/// A model of an effect as its file says it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PdModel {
    /// How far it may be believed.
    pub role: Role,
    /// Where the blood was drawn of the levels that it was fitted to.
    pub site: Site,
    /// Who was measured.
    pub people: String,
    /// What is measured.
    pub output: Vec<Output>,
    /// How people differ.
    pub spread: Option<Spread>,
    /// Other studies, between which the band lies.
    #[serde(default)]
    pub study: Vec<Study>,
    emax: Option<Emax>,
    occupancy: Option<Occupancy>,
    late: Option<Late>,
    block: Option<Block>,
    validity: Validity,
}

/// A level, or a dose by the default model of a chair, and the effect that a source finds for it. The last printed
/// digit counts.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Example {
    /// Of the S half, at the effect site.
    level: Option<Measured>,
    /// Given at once with `level`: whether there is as much of the R half.
    given: Substance,
    weight: Option<Measured>,
    dose: Option<Measured>,
    over: Option<Measured>,
    at: Option<Measured>,
    output: String,
    effect: String,
}

/// How much of the R half there is for each unit of the S half, when one of them is given.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Halves {
    /// What of a model's level is the S half.
    pub s_of_level: Ratio,
    /// R half for each S half.
    pub r_for_s: Ratio,
}

impl Halves {
    /// By how a model answers for what is given; both halves of the racemate are taken to stay alike.
    #[must_use]
    pub fn of(basis: Basis) -> Self {
        let (s, r) = match basis {
            Basis::Racemate => (0.5, 1.0),
            Basis::TwiceS => (1.0, 1.0),
            Basis::S | Basis::SByRacemate => (1.0, 0.0),
        };
        Self { s_of_level: Ratio(s), r_for_s: Ratio(r) }
    }
}

impl Item<PdModel> {
    /// The effect of the S half's level, in [`PdModel::unit`], for so much R half beside it.
    ///
    /// # Errors
    /// What does not fit, for a person; a shipped model has no such error.
    pub fn effect(&self, halves: Halves) -> Result<Effect, String> {
        self.body.effect(halves, None)
    }

    /// What each other study says.
    ///
    /// # Errors
    /// As [`Item::effect`].
    pub fn studies(&self, halves: Halves) -> Result<Vec<Effect>, String> {
        self.body.study.iter().map(|study| self.body.effect(halves, Some(study))).collect()
    }

    /// How people differ at the same level.
    ///
    /// # Errors
    /// As [`Item::effect`].
    pub fn sensitivity(&self) -> Result<Option<Sensitivity>, String> {
        let Some(spread) = &self.body.spread else { return Ok(None) };
        let sensitivity = match (spread.cv_percent, spread.gamma_shape) {
            (Some(cv), None) => Sensitivity::LogNormal { cv: Ratio(cv / 100.0) },
            (None, Some(shape)) => Sensitivity::Gamma { shape: Ratio(shape) },
            _ => return Err("its spread has one of `cv_percent` and `gamma_shape`".to_owned()),
        };
        sensitivity.check().map(Some).map_err(told)
    }
}

fn told(cause: impl ToString) -> String {
    cause.to_string()
}

impl PdModel {
    /// Unit of its effect before the ratio of an output, as the file has it.
    #[must_use]
    pub fn unit(&self) -> &str {
        match (&self.emax, &self.late) {
            (Some(emax), _) => emax.baseline.as_ref().unwrap_or(&emax.most).unit(),
            (None, Some(late)) => late.most.unit(),
            (None, None) => "%",
        }
    }

    /// Whether it depends on what went before.
    #[must_use]
    pub fn is_late(&self) -> bool {
        self.late.is_some()
    }

    /// Where levels of the S half or doses lie outside what the model was made for, in words.
    ///
    /// # Errors
    /// A limit in another unit; a shipped model has none.
    pub fn outside(&self, highest: NgPerMl, doses: &[pkpd::MgPerKg]) -> Result<Vec<String>, String> {
        let mut reasons = Vec::new();
        if let Some(limit) = &self.validity.level_max {
            let most = limit.in_unit("ng/mL")?;
            if highest.0 > most {
                reasons.push(format!(
                    "level of the S half at the effect site up to {:.0} ng/mL, valid up to {most} ng/mL",
                    highest.0
                ));
            }
        }
        if let Some(limit) = &self.validity.dose_max {
            let most = limit.in_unit("mg/kg")?;
            // Half a part in a million above the limit is the rounding of a rate, not a larger dose.
            if let Some(above) = doses.iter().find(|dose| dose.0 > most * (1.0 + 5e-7)) {
                reasons.push(format!("one dose of {:.3} mg/kg, valid up to {most} mg/kg", above.0));
            }
        }
        if let Some(most) = self.validity.doses_max.filter(|most| doses.len() > *most) {
            reasons.push(format!("{} doses, valid up to {most}", doses.len()));
        }
        Ok(reasons)
    }

    fn effect(&self, halves: Halves, study: Option<&Study>) -> Result<Effect, String> {
        let scale = study.map_or(Ok(1.0), Study::scale)?;
        let affinity = 1.0 / study.and_then(|study| study.ki_times).unwrap_or(1.0);
        let effect = match (&self.emax, &self.occupancy, &self.late, &self.block) {
            (Some(emax), None, None, None) => {
                Effect::Now(emax.curve(study.and_then(|study| study.half.as_ref()))?)
            }
            (None, Some(site), None, None) => Effect::Now(site.curve(halves, affinity)?),
            (None, None, Some(late), None) => late.effect()?,
            (None, None, None, Some(block)) => Effect::Between(
                block.interneuron.curve(halves, affinity)?,
                block.pyramidal.curve(halves, affinity)?,
            ),
            _ => return Err("it has exactly one of `emax`, `occupancy`, `late` and `block`".to_owned()),
        };
        Ok(effect.times(Ratio(scale)))
    }

    fn check_studies(&self) -> Result<(), String> {
        for study in &self.study {
            let said = [study.half.is_some(), study.mean.is_some(), study.ki_times.is_some()];
            if said.into_iter().filter(|said| *said).count() != 1 {
                return Err(format!("{} says one of `half`, `mean` and `ki_times`", study.name));
            }
            if study.half.is_some() && self.emax.is_none() {
                return Err(format!("{} says a `half` of no curve", study.name));
            }
            if study.ki_times.is_some() && self.occupancy.is_none() {
                return Err(format!("{} says `ki_times` of nothing that binds", study.name));
            }
            if study.ki_times.is_some_and(|times| !(times > 0.0 && times.is_finite())) {
                return Err(format!("{} says `ki_times` that is not above 0", study.name));
            }
        }
        Ok(())
    }
}

impl Study {
    fn scale(&self) -> Result<f64, String> {
        let Some([theirs, ours]) = &self.mean else { return Ok(1.0) };
        let (theirs, ours) = (theirs.in_unit(ours.unit())?, ours.in_unit(ours.unit())?);
        if ours == 0.0 {
            Err(format!("{} is compared with a mean of 0", self.name))
        } else {
            Ok(theirs / ours)
        }
    }
}

impl Emax {
    fn curve(&self, half: Option<&Measured>) -> Result<Sigmoid, String> {
        let most = match &self.baseline {
            Some(baseline) => self.most.in_unit("%")? / 100.0 * baseline.in_unit(baseline.unit())?,
            None => self.most.in_unit(self.most.unit())?,
        };
        let half = half.unwrap_or(&self.half).in_unit("ng/mL")?;
        Sigmoid::new(most, NgPerMl(half), Ratio(self.steepness)).map_err(told)
    }
}

impl Occupancy {
    /// In percent of the receptors, by the level of the S half.
    fn curve(&self, halves: Halves, affinity: f64) -> Result<Sigmoid, String> {
        let molar_mass = self.molar_mass.in_unit("g/mol")?;
        // ng/mL over g/mol is umol/L.
        let pull = |half: &Bound| Ok::<_, String>(half.free * affinity / (self.constant(half)? * molar_mass));
        let together = pull(&self.s)? + halves.r_for_s.0 * pull(&self.r)?;
        Sigmoid::new(100.0, NgPerMl(1.0 / together), Ratio(1.0)).map_err(told)
    }

    /// In umol/L.
    fn constant(&self, half: &Bound) -> Result<f64, String> {
        match (&half.ki, &half.on, &self.off) {
            (Some(ki), None, None) => ki.in_unit("umol/L"),
            (None, Some(on), Some(off)) => Ok(off.in_unit("/s")? / on.in_unit("L/mol/s")? * 1e6),
            _ => Err("each half has a `ki`, or an `on` and both one `off`".to_owned()),
        }
    }
}

impl Late {
    fn effect(&self) -> Result<Effect, String> {
        let rate = |half_life: f64| PerMin::from_half_life(pkpd::Minutes(half_life));
        let one = Ratio(1.0);
        Ok(Effect::Late {
            input: Sigmoid::new(1.0, NgPerMl(self.input_half.in_unit("ng/mL")?), one).map_err(told)?,
            rates: vec![rate(self.rise.in_unit("min")?), rate(self.fall.in_unit("d")? * MINUTES_PER_DAY)],
            answer: Sigmoid::new(
                self.most.in_unit(self.most.unit())?,
                NgPerMl(self.half.in_unit("min")?),
                one,
            )
            .map_err(told)?,
        })
    }
}

const MINUTES_PER_DAY: f64 = 1440.0;

impl Body for PdModel {
    const FOLDER: &'static str = "pd_models";
    const FLOATS: bool = true;
    type Example = Example;

    fn check(item: &Item<Self>, all: &Knowledge) -> Result<(), String> {
        let model = &item.body;
        if model.output.is_empty() {
            return Err("it has no `output`".to_owned());
        }
        let names = |item: &Item<Self>| item.body.output.iter().map(|o| o.name.clone()).collect::<Vec<_>>();
        let others = all.pd_models.iter().filter(|other| other.header.id != item.header.id);
        let mut taken: Vec<String> = others.flat_map(names).collect();
        for name in names(item) {
            if taken.contains(&name) {
                return Err(format!("the output `{name}` is already taken"));
            }
            taken.push(name);
        }
        model.check_studies()?;
        item.sensitivity()?;
        model.outside(NgPerMl(0.0), &[])?;
        for basis in [Basis::Racemate, Basis::S] {
            item.effect(Halves::of(basis))?;
            item.studies(Halves::of(basis))?;
        }
        Ok(())
    }

    fn prove(item: &Item<Self>, example: &Example, all: &Knowledge) -> Result<(), String> {
        let output = item.body.output.iter().find(|output| output.name == example.output);
        let output = output.ok_or_else(|| format!("there is no output `{}`", example.output))?;
        let found = example.effect(item, all)? * output.ratio;
        let (printed, unit) = example.effect.split_once(' ').ok_or("`effect` has no unit")?;
        if unit != item.body.unit() {
            return Err(format!("`effect` is in {unit}, not in {}", item.body.unit()));
        }
        printed_as(found, printed).map_err(|shown| format!("{shown} {unit} and not {printed}"))
    }
}

impl Example {
    fn effect(&self, item: &Item<PdModel>, all: &Knowledge) -> Result<f64, String> {
        if let Some(level) = &self.level {
            let halves = Halves::of(Basis::of(self.given.into(), self.given.into()));
            let effect = item.effect(halves)?.at(NgPerMl(level.in_unit("ng/mL")?));
            return effect.ok_or_else(|| "a late effect has no effect of a level".to_owned());
        }
        let (Some(weight), Some(dose), Some(over), Some(at)) =
            (&self.weight, &self.dose, &self.over, &self.at)
        else {
            return Err("an example has a `level`, or `weight`, `dose`, `over` and `at`".to_owned());
        };
        let refused = |cause: Refused| cause.to_string();
        let chair = all.chair_models()?;
        let basis = Basis::of(self.given.into(), chair.default.form());
        let halves = Halves::of(basis);
        let amount = pkpd::Mg(dose.in_unit("mg")? * basis.of_dose().0);
        let dose = pkpd::Dose::over(amount, pkpd::Minutes(over.in_unit("min")?), pkpd::Minutes(0.0));
        let given = pkpd::Schedule::new([dose]).map_err(refused)?;
        let body = pkpd::Body { weight: pkpd::Kg(weight.in_unit("kg")?), age: None };
        let person = chair.default.typical(body).map_err(refused)?;
        let ke0 = chair.effect_site.ke0;
        let driver = Driver { person: &person, given: &given, ke0, acting: halves.s_of_level };
        let found = item.effect(halves)?.course(&driver, &[pkpd::Minutes(at.in_unit("min")?)]);
        found.map_err(told)?.first().copied().ok_or_else(|| "no effect".to_owned())
    }
}

#[cfg(test)]
mod tests;
