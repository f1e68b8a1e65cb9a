//! A published model as plain data, checked once: parameters, compartments, flows, spread and where it holds.

use crate::refused::{Accepted, CONSTANT, Refused};
use crate::units::{Kg, LPerMin, Litres, Mg, MgPerKg, Minutes, NgPerMl, PerMin, Ratio, Years};
use std::ops::RangeInclusive;

/// What a model describes, and what is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Form {
    /// Both mirror images, one to one.
    Racemate,
    /// The S half alone.
    SEnantiomer,
}

/// Where the blood was drawn. Arterial and venous models differ by a factor of two and never mix silently.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Site {
    /// Artery.
    Arterial,
    /// Vein.
    Venous,
    /// The source does not say.
    Unknown,
}

/// A typical value in the unit of its kind.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value {
    /// Distribution volume.
    Volume(Litres),
    /// Clearance, of elimination or between compartments.
    Clearance(LPerMin),
    /// Rate constant.
    Constant(PerMin),
    /// Mean time of a delay.
    Time(Minutes),
}

impl Value {
    pub(crate) fn number(self) -> f64 {
        match self {
            Self::Volume(v) => v.0,
            Self::Clearance(v) => v.0,
            Self::Constant(v) => v.0,
            Self::Time(v) => v.0,
        }
    }

    fn kind(self) -> &'static str {
        match self {
            Self::Volume(_) => "a volume",
            Self::Clearance(_) => "a clearance",
            Self::Constant(_) => "a rate constant",
            Self::Time(_) => "a time",
        }
    }
}

/// `value · (weight / reference)^exponent`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WeightScale {
    /// Weight at which the typical value holds.
    pub reference: Kg,
    /// 1 is linear, 0.75 allometric.
    pub exponent: Ratio,
}

/// Added for each year above an age.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AgeSlope {
    /// Up to here nothing changes.
    pub above: Years,
    /// Change for each year, in the unit of the parameter.
    pub per_year: Value,
}

/// One parameter of a model.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    /// As in the source.
    pub name: String,
    /// For the typical person.
    pub typical: Value,
    /// How weight changes it; `None` when it does not.
    pub weight: Option<WeightScale>,
    /// How age changes it; `None` when it does not.
    pub age: Option<AgeSlope>,
}

/// A place that holds drug or metabolite.
#[derive(Debug, Clone, PartialEq)]
pub struct Compartment {
    /// Unique in the model.
    pub name: String,
    /// Name of the parameter that is its volume; a flow by clearance needs it.
    pub volume: Option<String>,
    /// What is measured in it, if anything.
    pub analyte: Option<Analyte>,
}

/// What is measured in a compartment.
#[derive(Debug, Clone, PartialEq)]
pub struct Analyte {
    /// Name, for columns and legends.
    pub name: String,
    /// Mass of a metabolite for a unit mass of parent: the ratio of molar masses in a molar model, 1 where the
    /// volumes were fitted to measured mass.
    pub mass_ratio: Ratio,
}

/// A one-way flow.
#[derive(Debug, Clone, PartialEq)]
pub struct Flow {
    /// Name of the compartment it leaves.
    pub from: String,
    /// Name of the compartment it reaches; `None` is eliminated.
    pub to: Option<String>,
    /// Name of the parameter that drives it: a clearance, or a rate constant.
    pub by: String,
    /// What share arrives; the rest is lost.
    pub share: Ratio,
    /// A chain of equal stages on the way.
    pub delay: Option<Delay>,
}

/// Stages on the way, each left at the rate `stages / mean`.
#[derive(Debug, Clone, PartialEq)]
pub struct Delay {
    /// How many, 1 to 20.
    pub stages: u8,
    /// Name of the parameter that is the mean time through all of them.
    pub mean: String,
}

/// A way in other than straight into the centre.
#[derive(Debug, Clone, PartialEq)]
pub struct Route {
    /// Name, unique in the model.
    pub name: String,
    /// Where the parts of a dose arrive.
    pub entries: Vec<Entry>,
    /// Most in one dose, as one spray holds; `None` where the source says none.
    pub dose_max: Option<Mg>,
}

/// What becomes of one part of a dose on its way in: `lag`, then evenly over a length of time into the first of some
/// stages, each left at its own rate constant, the last one into the body.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Of the dose; the rest is lost, or arrives by another entry.
    pub share: Ratio,
    /// How long nothing arrives.
    pub lag: Minutes,
    /// Length of the release; 0 is all at once.
    pub over: Minutes,
    /// Rate constants of the stages, at most 20. None is straight into the body.
    pub stages: Vec<PerMin>,
    /// Where the last stage leads.
    pub into: Entrance,
}

/// Where a part of a dose enters the body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entrance {
    /// This compartment.
    Compartment(String),
    /// The delay whose mean is this parameter, at its first stage, as what a first passage changes before it is seen.
    Delay(String),
}

/// Between-person spread of some parameters: `value = typical · exp(eta)`, eta jointly normal.
#[derive(Debug, Clone, PartialEq)]
pub struct Block {
    /// Names of the parameters.
    pub parameters: Vec<String>,
    /// Covariance of eta, row by row.
    pub covariance: Vec<Vec<Ratio>>,
}

/// What a measurement adds to the truth.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Residual {
    /// Variance `(proportional·f)² + additive²`.
    Normal {
        /// Relative standard deviation.
        proportional: Ratio,
        /// Standard deviation.
        additive: NgPerMl,
    },
    /// Normal on the logarithm.
    LogNormal {
        /// Standard deviation of the logarithm.
        sd: Ratio,
    },
}

/// Where a model may be used. Outside it no number is given for a person.
#[derive(Debug, Clone, PartialEq)]
pub struct Validity {
    /// Ages.
    pub age: RangeInclusive<Years>,
    /// Weights.
    pub weight: RangeInclusive<Kg>,
    /// Most in one administration, by weight: in doses that follow each other before the drug has left the body, see
    /// [`Model::washout`]. What a course adds up to over weeks is no matter.
    pub dose_max: MgPerKg,
    /// Longest from the first dose of one administration to the end of its last.
    pub length_max: Minutes,
    /// Shortest infusion; 0 is none. A fast beginning of a long one is a short infusion on top of it.
    pub infusion_min: Minutes,
    /// How long after a bolus it says nothing.
    pub after_bolus: Minutes,
}

/// Everything a model is made of.
#[derive(Debug, Clone, PartialEq)]
pub struct Spec {
    /// Stable name.
    pub id: String,
    /// What it describes.
    pub form: Form,
    /// Where the blood was drawn.
    pub site: Site,
    /// Its parameters.
    pub parameters: Vec<Parameter>,
    /// Its compartments; doses go into the first, which is measured.
    pub compartments: Vec<Compartment>,
    /// What moves between them.
    pub flows: Vec<Flow>,
    /// Ways in beside the one into the centre.
    pub routes: Vec<Route>,
    /// Between-person spread; a parameter stands in one block at most.
    pub variability: Vec<Block>,
    /// Spread of one person between occasions, in the same shape.
    pub occasions: Vec<Block>,
    /// How sure the typical values are: the covariance of their logarithms, in the same shape.
    pub uncertainty: Vec<Block>,
    /// Measurement error by analyte.
    pub residuals: Vec<(String, Residual)>,
    /// Where it may be used.
    pub validity: Validity,
}

/// A [`Spec`] whose parts fit together.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    spec: Spec,
    pub(crate) places: Vec<Place>,
    pub(crate) moves: Vec<Move>,
}

/// A compartment with its names resolved.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Place {
    pub(crate) volume: Option<usize>,
    pub(crate) role: Role,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Centre,
    /// Exchanges with the centre.
    Store,
    /// Fed from there and never feeding back.
    Downstream,
}

/// A flow with its names resolved.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Move {
    pub(crate) from: usize,
    pub(crate) to: Option<usize>,
    pub(crate) by: usize,
    pub(crate) share: f64,
    pub(crate) delay: Option<(u8, usize)>,
}

const PARTS_MAX: usize = 64;
const STAGES_MAX: u8 = 20;
/// Above 1 where a part of the dose is found in a metabolite twice over, as a source may print it.
const SHARE: Accepted = Accepted { what: "share", low: 0.0, high: 10.0, unit: "1" };
const LENGTH: Accepted = Accepted { what: "length", low: 0.0, high: 1e6, unit: "min" };

impl Model {
    /// Checks that the parts fit together.
    ///
    /// ```
    /// use pkpd::*;
    ///
    /// // One compartment of 150 L, cleared at 1.4 L/min whatever the weight, in venous blood.
    /// let named = |name: &str, typical| Parameter { name: name.to_owned(), typical, weight: None, age: None };
    /// let spec = Spec {
    ///     id: "one_compartment".to_owned(),
    ///     form: Form::Racemate,
    ///     site: Site::Venous,
    ///     parameters: vec![
    ///         named("v", Value::Volume(Litres(150.0))),
    ///         named("cl", Value::Clearance(LPerMin(1.4))),
    ///     ],
    ///     compartments: vec![Compartment {
    ///         name: "central".to_owned(),
    ///         volume: Some("v".to_owned()),
    ///         analyte: Some(Analyte { name: "drug".to_owned(), mass_ratio: Ratio(1.0) }),
    ///     }],
    ///     flows: vec![Flow {
    ///         from: "central".to_owned(),
    ///         to: None,
    ///         by: "cl".to_owned(),
    ///         share: Ratio(1.0),
    ///         delay: None,
    ///     }],
    ///     routes: vec![],
    ///     variability: vec![],
    ///     occasions: vec![],
    ///     uncertainty: vec![],
    ///     residuals: vec![],
    ///     validity: Validity {
    ///         age: Years(18.0)..=Years(75.0),
    ///         weight: Kg(45.0)..=Kg(120.0),
    ///         dose_max: MgPerKg(2.0),
    ///         length_max: Minutes(240.0),
    ///         infusion_min: Minutes(0.0),
    ///         after_bolus: Minutes(0.0),
    ///     },
    /// };
    /// assert_eq!(Model::new(spec.clone())?.site(), Site::Venous);
    ///
    /// // What does not fit is refused by name.
    /// let mut torn = spec;
    /// torn.flows[0].by = "clearance".to_owned();
    /// assert_eq!(Model::new(torn).unwrap_err().to_string(), "model one_compartment: no parameter clearance");
    /// # Ok::<(), Refused>(())
    /// ```
    ///
    /// # Errors
    /// A name that is used twice or not known, a flow by clearance out of a compartment without a volume, a share
    /// outside 0 to 1, a spread that is not square or not positive definite, a structure whose parent is not a centre
    /// with stores, more than 64 of anything.
    pub fn new(spec: Spec) -> Result<Self, Refused> {
        let fault = |why: String| Refused::Model { model: spec.id.clone(), why };
        for (what, count) in [
            ("parameters", spec.parameters.len()),
            ("compartments", spec.compartments.len()),
            ("flows", spec.flows.len()),
        ] {
            if count == 0 || count > PARTS_MAX {
                return Err(fault(format!("{count} {what}; accepted are 1 to {PARTS_MAX}")));
            }
        }
        let names = Names::of(&spec).map_err(fault)?;
        let moves = spec.flows.iter().map(|f| names.flow(f)).collect::<Result<Vec<_>, _>>().map_err(fault)?;
        let places = names.places(&moves).map_err(fault)?;
        for blocks in [&spec.variability, &spec.occasions, &spec.uncertainty] {
            crate::spread::check(&spec, blocks).map_err(fault)?;
        }
        names.routes().map_err(fault)?;
        for (analyte, _) in &spec.residuals {
            if !spec.compartments.iter().any(|c| c.analyte.as_ref().is_some_and(|a| a.name == *analyte)) {
                return Err(fault(format!("a residual error of {analyte}, which no compartment measures")));
            }
        }
        Ok(Self { places, moves, spec })
    }

    /// The parts.
    #[must_use]
    pub fn spec(&self) -> &Spec {
        &self.spec
    }

    /// Stable name.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.spec.id
    }

    /// Where the blood was drawn.
    #[must_use]
    pub fn site(&self) -> Site {
        self.spec.site
    }

    /// What it describes.
    #[must_use]
    pub fn form(&self) -> Form {
        self.spec.form
    }
}

struct Names<'a>(&'a Spec);

impl Names<'_> {
    fn of(spec: &Spec) -> Result<Names<'_>, String> {
        let parameters = spec.parameters.iter().map(|p| &p.name);
        let compartments = spec.compartments.iter().map(|c| &c.name);
        for names in [parameters.collect::<Vec<_>>(), compartments.collect()] {
            let mut sorted = names.clone();
            sorted.sort_unstable();
            sorted.dedup();
            if sorted.len() != names.len() {
                return Err(format!("a name is used twice among {names:?}"));
            }
        }
        for p in &spec.parameters {
            let number = p.typical.number();
            if !(number.is_finite() && number >= 0.0) {
                return Err(format!("parameter {} is {number}", p.name));
            }
            if p.age
                .is_some_and(|a| std::mem::discriminant(&a.per_year) != std::mem::discriminant(&p.typical))
            {
                return Err(format!("parameter {} changes with age in another unit", p.name));
            }
        }
        Ok(Names(spec))
    }

    fn parameter(&self, name: &str) -> Result<(usize, Value), String> {
        let found = self.0.parameters.iter().enumerate().find(|(_, p)| p.name == name);
        found.map(|(i, p)| (i, p.typical)).ok_or_else(|| format!("no parameter {name}"))
    }

    fn compartment(&self, name: &str) -> Result<usize, String> {
        self.0
            .compartments
            .iter()
            .position(|c| c.name == name)
            .ok_or_else(|| format!("no compartment {name}"))
    }

    fn flow(&self, flow: &Flow) -> Result<Move, String> {
        let from = self.compartment(&flow.from)?;
        let (by, driver) = self.parameter(&flow.by)?;
        match driver {
            Value::Constant(_) => {}
            Value::Clearance(_) => {
                if self.0.compartments.get(from).is_none_or(|c| c.volume.is_none()) {
                    return Err(format!("a clearance leaves {}, which has no volume", flow.from));
                }
            }
            _ => return Err(format!("{} is {}; it cannot drive a flow", flow.by, driver.kind())),
        }
        let to = flow.to.as_deref().map(|name| self.compartment(name)).transpose()?;
        if to == Some(from) {
            return Err(format!("a flow from {} to itself", flow.from));
        }
        if !(0.0..=1.0).contains(&flow.share.0) {
            return Err(format!("a share of {}; accepted is 0 to 1", flow.share.0));
        }
        let delay = flow.delay.as_ref().map(|d| self.delay(d)).transpose()?;
        Ok(Move { from, to, by, share: flow.share.0, delay })
    }

    fn routes(&self) -> Result<(), String> {
        for (place, route) in self.0.routes.iter().enumerate() {
            if self.0.routes.iter().skip(place + 1).any(|other| other.name == route.name) {
                return Err(format!("the route {} twice", route.name));
            }
            for entry in &route.entries {
                let told = |cause: Refused| format!("the route {}: {cause}", route.name);
                SHARE.check(entry.share.0).map_err(told)?;
                LENGTH.check(entry.lag.0).map_err(told)?;
                LENGTH.check(entry.over.0).map_err(told)?;
                let stages = Accepted { what: "stages", low: 0.0, high: f64::from(STAGES_MAX), unit: "1" };
                stages.check(entry.stages.len() as f64).map_err(told)?;
                for rate in &entry.stages {
                    Accepted { low: 1e-9, ..CONSTANT }.check(rate.0).map_err(told)?;
                }
                match &entry.into {
                    Entrance::Compartment(name) => self.compartment(name).map(|_| ())?,
                    Entrance::Delay(mean) => {
                        let is_it =
                            |flow: &&Flow| flow.delay.as_ref().is_some_and(|delay| delay.mean == *mean);
                        self.0
                            .flows
                            .iter()
                            .find(is_it)
                            .map(|_| ())
                            .ok_or_else(|| format!("no delay {mean}"))?;
                    }
                }
            }
        }
        Ok(())
    }

    fn delay(&self, delay: &Delay) -> Result<(u8, usize), String> {
        if !(1..=STAGES_MAX).contains(&delay.stages) {
            return Err(format!("{} stages of delay; accepted are 1 to {STAGES_MAX}", delay.stages));
        }
        match self.parameter(&delay.mean)? {
            (mean, Value::Time(t)) if t.0 > 0.0 => Ok((delay.stages, mean)),
            (_, other) => Err(format!("the delay {} is {other:?}; it must be a time above 0", delay.mean)),
        }
    }

    fn places(&self, moves: &[Move]) -> Result<Vec<Place>, String> {
        let straight = |from, to| {
            moves.iter().any(|m| m.from == from && m.to == Some(to) && m.delay.is_none() && m.share == 1.0)
        };
        let role = |i| match i {
            0 => Role::Centre,
            i if straight(0, i) && straight(i, 0) => Role::Store,
            _ => Role::Downstream,
        };
        for m in moves {
            let Some(to) = m.to else { continue };
            let name = |i: usize| self.0.compartments.get(i).map_or("?", |c| c.name.as_str());
            if role(to) != Role::Downstream && (m.delay.is_some() || m.share != 1.0) {
                return Err(format!("{} gets back less than leaves, or late", name(to)));
            }
            match (role(m.from), role(to)) {
                (Role::Downstream, Role::Centre | Role::Store) | (Role::Store, Role::Store) => {
                    return Err(format!(
                        "{} feeds {}, so the parent is not a centre with stores",
                        name(m.from),
                        name(to)
                    ));
                }
                _ => {}
            }
        }
        let mut places = Vec::with_capacity(self.0.compartments.len());
        for (i, c) in self.0.compartments.iter().enumerate() {
            let volume = c.volume.as_deref().map(|name| self.parameter(name)).transpose()?;
            if let Some((_, value)) = volume.filter(|(_, v)| !matches!(v, Value::Volume(_))) {
                return Err(format!("the volume of {} is {}", c.name, value.kind()));
            }
            if volume.is_none() && (i == 0 || c.analyte.is_some()) {
                return Err(format!("{} is measured and has no volume", c.name));
            }
            places.push(Place { volume: volume.map(|(index, _)| index), role: role(i) });
        }
        Ok(places)
    }
}
