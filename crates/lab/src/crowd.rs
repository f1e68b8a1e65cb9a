//! Many made-up people under one schedule: here, or in parts on many machines.

use crate::asked::Argument;
use crate::case::Chosen;
use crate::doses::Doses;
use crate::part::{Description, Part};
use clinic::dose::parse::Unreadable;
use pkpd::{Bodies, Body, Kg, Layers, MgPerKg, Minutes, Population, Ratio, Reason, Regimen, Years};
use std::ops::{Range, RangeInclusive};

/// Whose bodies they are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct People {
    /// Of everyone, or the median where weights spread; else the weight at which the model was printed.
    pub weight: Option<Kg>,
    /// Of everyone, or the youngest where ages spread.
    pub age: Option<Years>,
    /// Standard deviation of the logarithm of weight, and the oldest age, where bodies spread.
    pub spread: Option<(Ratio, Years)>,
}

/// What is added to the spread between people, layer by layer; none moves a draw of another.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Varied<'a> {
    /// Whether plasma levels carry the error of the assay.
    pub assay: bool,
    /// Whether everyone has typical values of their own, as unsure as the source is of them.
    pub uncertainty: bool,
    /// Whether people also vary between occasions, and when each occasion begins; before the first it holds already.
    pub occasions: Option<&'a [Minutes]>,
    /// Whether people are drawn evenly instead of at random.
    pub quasi_random: bool,
}

/// Who gets what, and when levels are asked for.
#[derive(Debug, Clone, Copy)]
pub struct CrowdQuestion<'a> {
    /// Whose bodies.
    pub people: People,
    /// What everyone gets.
    pub doses: &'a Doses,
    /// What is added to the spread between people.
    pub varied: Varied<'a>,
    /// Whether metabolites are counted.
    pub metabolites: bool,
    /// When.
    pub times: &'a [Minutes],
    /// The same people for the same seed.
    pub seed: u64,
}

/// People who can be simulated by their number, in any order and anywhere.
pub struct Crowd<'c> {
    chosen: &'c Chosen<'c>,
    population: Population<'c>,
    description: Description,
    /// Of the one in the middle, where nobody said it.
    assumed_weight: Option<Kg>,
    /// Where people, or the doses, lie outside what the model was made for.
    pub outside: Outside,
}

/// Where people lie outside what a model was made for. Those whose bodies do were drawn again.
#[derive(Debug, Clone, PartialEq)]
pub struct Outside {
    /// Why.
    pub reasons: Vec<Reason>,
    /// Of whom that is so at each of the times: the share of the people.
    pub shares: Vec<f64>,
    /// The share of those who are too light for a dose that does not go by weight, and the weight below which they are.
    light: Option<(f64, Kg)>,
}

impl Chosen<'_> {
    /// Describes a population; nobody is drawn yet.
    ///
    /// # Errors
    /// A dose beyond what the model was made for, bodies or times that the engine refuses.
    pub fn crowd<'c>(&'c self, asked: &CrowdQuestion) -> Result<Crowd<'c>, Unreadable> {
        let (bodies, middle) = self.bodies(asked.people)?;
        asked.doses.check(self, middle)?;
        let given = asked.doses.schedule(middle.weight)?;
        let refused = |cause| self.refused(&cause);
        let regimen = match bodies {
            Bodies::Spread { .. } if asked.doses.are_by_weight()? => {
                let for_one_kg =
                    asked.doses.schedule(Kg(1.0))?.scaled(self.basis.of_dose()).map_err(refused)?;
                let most = MgPerKg(for_one_kg.amount().0);
                Regimen::ByWeight { for_one_kg, most }
            }
            _ => Regimen::Fixed(given.scaled(self.basis.of_dose()).map_err(refused)?),
        };
        let Varied { assay, uncertainty, occasions, quasi_random } = asked.varied;
        let layers = Layers { people: true, occasions: occasions.is_some(), uncertainty, assay };
        self.check_sources(layers)?;
        let later = occasions.and_then(|begins| begins.get(1..)).unwrap_or_default();
        let metabolites = if asked.metabolites { self.metabolites() } else { Vec::new() };
        let words = |times: &[Minutes]| times.iter().map(|time| time.0.to_string()).collect();
        let description = Description {
            model: format!("{} version {}", self.model.id(), self.item.header.version),
            bodies: format!("{bodies:?}"),
            doses: format!("{regimen:?}"),
            layers: format!("{layers:?}, quasi-random: {quasi_random}"),
            occasions_min: words(later),
            metabolites,
            ke0: self.ke0.map(|ke0| ke0.to_string()).unwrap_or_default(),
            seed: asked.seed,
            times_min: words(asked.times),
        };
        let mut population =
            Population::new(&self.model, bodies, layers, regimen, self.ke0, asked.times, asked.seed)
                .and_then(|population| population.with_occasions(later))
                .map_err(refused)?;
        if asked.metabolites {
            population = population.with_metabolites().map_err(refused)?;
        }
        if quasi_random {
            population = population.quasi_random();
        }
        let outside = match bodies {
            Bodies::Same(_) => {
                let reasons = self.outside(middle, &given, asked.times);
                let marks = self.marks(&reasons, &given, asked.times);
                Outside { reasons, shares: marks.into_iter().map(f64::from).collect(), light: None }
            }
            Bodies::Spread { weight, weight_sd, .. } => self.outside_of_spread(asked, weight, weight_sd)?,
        };
        let assumed_weight = asked.people.weight.is_none().then_some(middle.weight);
        Ok(Crowd { chosen: self, population, description, assumed_weight, outside })
    }

    /// The same of people whose weights spread: what they are given, as the heaviest and the lightest of them have it.
    fn outside_of_spread(&self, asked: &CrowdQuestion, median: Kg, sd: Ratio) -> Result<Outside, Unreadable> {
        let reasons = |weight: Kg| {
            let given = asked.doses.schedule(weight)?;
            let mut reasons = self.objections(Body { weight, age: asked.people.age }, &given, asked.times);
            reasons.retain(|reason| {
                !matches!(reason, Reason::Age { .. } | Reason::AgeMissing | Reason::Weight { .. })
            });
            Ok::<_, Unreadable>(reasons)
        };
        let valid = &self.model.spec().validity.weight;
        let (mut light, mut heavy) = (*valid.start(), *valid.end());
        let (of_light, of_all) = (reasons(light)?, reasons(heavy)?);
        let marks = self.marks(&of_all, &asked.doses.schedule(heavy)?, asked.times);
        let mut too_light = None;
        if of_light.len() > of_all.len() {
            for _ in 0..HALVINGS {
                let middle = Kg((light.0 + heavy.0) / 2.0);
                if reasons(middle)?.len() > of_all.len() { light = middle } else { heavy = middle }
            }
            let share = share_below(light, valid, median, sd);
            too_light = (share >= TOLD_FROM).then_some((share, light));
        }
        let of_others = too_light.map_or(0.0, |(share, _)| share);
        Ok(Outside {
            reasons: if too_light.is_some() { of_light } else { of_all },
            shares: marks.into_iter().map(|is_of_all| if is_of_all { 1.0 } else { of_others }).collect(),
            light: too_light,
        })
    }

    /// Refuses a layer for which the model has no source.
    fn check_sources(&self, layers: Layers) -> Result<(), Unreadable> {
        let spec = self.model.spec();
        for (field, is_missing, what) in [
            ("--occasions", layers.occasions && spec.occasions.is_empty(), "a spread between occasions"),
            (
                "--uncertainty",
                layers.uncertainty && spec.uncertainty.is_empty(),
                "how sure its typical values are",
            ),
        ] {
            if is_missing {
                let accepted = "a model whose source prints it, see `chairside models show`";
                let argument = Argument { field, text: self.model.id(), accepted };
                return Err(argument.unreadable(format!("it has no source for {what}")));
            }
        }
        Ok(())
    }

    /// The bodies, and the one in the middle of them.
    fn bodies(&self, people: People) -> Result<(Bodies, Body), Unreadable> {
        let accepted = "a weight, because the model has none of its own, such as \"70 kg\"";
        let none = Argument { field: "--weight", text: "", accepted };
        let weight = people.weight.or_else(|| self.item.body.reference_weight());
        let weight = weight.ok_or_else(|| none.unreadable("nobody's weight is said"))?;
        let middle = Body { weight, age: people.age };
        let Some((weight_sd, oldest)) = people.spread else { return Ok((Bodies::Same(middle), middle)) };
        let accepted = "the youngest age, such as \"18 a\", not above --age-to";
        let youngest = Argument { field: "--age", text: "", accepted };
        let youngest = people.age.ok_or_else(|| youngest.unreadable("it is missing"))?;
        Ok((Bodies::Spread { weight, weight_sd, age: (youngest, oldest) }, middle))
    }
}

/// Halvings of a range of weights: to a millionth of a kilogram.
const HALVINGS: u32 = 30;
/// A smaller share of people is nobody among a thousand.
const TOLD_FROM: f64 = 5e-4;
/// Pieces of a normal distribution.
const PIECES: u32 = 2000;

/// Of people whose weights are log-normal around a median, and drawn again outside a range: the share of those below a
/// weight.
fn share_below(limit: Kg, valid: &RangeInclusive<Kg>, median: Kg, sd: Ratio) -> f64 {
    if sd.0 <= 0.0 {
        return f64::from(median < limit);
    }
    let z = |weight: Kg| (weight.0 / median.0).ln() / sd.0;
    let mass = |from: f64, to: f64| {
        let step = (to - from) / f64::from(PIECES);
        let at = |piece: u32| from + step * (f64::from(piece) + 0.5);
        (0..PIECES).map(|piece| (-0.5 * at(piece).powi(2)).exp() * step).sum::<f64>()
    };
    let (low, high) = (z(*valid.start()), z(*valid.end()));
    let whole = mass(low, high);
    if whole > 0.0 { mass(low, z(limit)) / whole } else { 0.0 }
}

impl Crowd<'_> {
    /// Simulates the patients of a range on so many threads, in pieces, and tells after each how many are done.
    /// Neither threads nor pieces nor ranges change a byte of the whole.
    #[must_use]
    pub fn part(&self, patients: Range<u64>, threads: usize, mut done: impl FnMut(u64)) -> Part {
        let count = patients.end.saturating_sub(patients.start);
        let piece = count.div_ceil(100).max(1000 * threads as u64);
        let mut summary = self.population.simulate(patients.start..patients.start, 1);
        let mut next = patients.start;
        while next < patients.end {
            let end = next.saturating_add(piece).min(patients.end);
            summary.merge(&self.population.simulate(next..end, threads));
            next = end;
            done(next - patients.start);
        }
        Part::new(self.description.clone(), patients, summary)
    }

    /// What a reader of the percentiles has to know.
    #[must_use]
    pub fn notes(&self, part: &Part) -> Vec<String> {
        let mut notes = self.notes_of_one();
        notes.extend(self.doubts(part));
        notes
    }

    /// What a reader of the levels of the one in the middle has to know.
    pub(crate) fn notes_of_one(&self) -> Vec<String> {
        let id = self.chosen.model.id();
        let assumed = self.assumed_weight.map(|weight| {
            format!(
                "nobody said the weight: {weight} is that at which {id} was printed; --weight says another"
            )
        });
        let of_whom = self.outside.light.map_or_else(String::new, |(share, below)| {
            format!(
                ", for the {:.1} % of the people who weigh less than {:.1} kg, at the lightest",
                100.0 * share,
                below.0
            )
        });
        let outside = self.outside.reasons.iter();
        let outside = outside.map(|reason| format!("outside the validity of {id}{of_whom}: {reason}"));
        self.chosen.notes.iter().cloned().chain(assumed).chain(outside).collect()
    }

    /// About the people who were drawn.
    fn doubts(&self, part: &Part) -> Vec<String> {
        let id = self.chosen.model.id();
        let summary = part.summary();
        let mut doubts = Vec::new();
        if self.chosen.item.body.spread.is_none() {
            doubts.push(format!("{id} has no between-person spread: everyone of one body is alike"));
        }
        doubts.extend(self.chosen.assumed());
        if summary.redrawn > 0 {
            let drawn = summary.redrawn + summary.patients;
            let share = 100.0 * summary.redrawn as f64 / drawn as f64;
            doubts.push(format!(
                "{share:.1} % of {drawn} bodies lay outside the validity of {id} and were drawn again"
            ));
        }
        if summary.refused > 0 {
            doubts.push(format!("{} people have no number and are not in the percentiles", summary.refused));
        }
        doubts
    }
}
