//! A study of many people beside copies of it: whether a model could have drawn what was measured.

use crate::asked::{self, Argument};
use crate::case::Chosen;
use crate::doses::Doses;
use crate::observed;
use clinic::dose::parse::Unreadable;
use pkpd::{Bin, Body, Check, Kg, Layers, Minutes, NgPerMl, Seen, Years, visual_check};
use std::path::Path;

/// What is checked, and how.
#[derive(Debug, Clone, Copy)]
pub struct CheckQuestion<'a> {
    /// A CSV file with a row for each level.
    pub study: &'a Path,
    /// What was measured: `cp`, which is the parent, or a name of the model's.
    pub analyte: &'a str,
    /// Of everyone of whom the file does not tell it.
    pub weight: Option<Kg>,
    /// Of everyone of whom the file does not tell it.
    pub age: Option<Years>,
    /// What everyone got.
    pub doses: &'a Doses,
    /// Where a new bin begins.
    pub edges: &'a [Minutes],
    /// How many copies.
    pub copies: u32,
    /// The same copies for the same seed.
    pub seed: u64,
    /// Whether levels are corrected for what the model expects of each person.
    pub corrected: bool,
}

const FIELD: &str = "--study";
const ACCEPTED: &str = "a CSV file with the columns id,time_min,value,unit and perhaps weight_kg,age_years; a row for each \
                        level of one analyte, the rows of one id together and their times rising";

impl Chosen<'_> {
    /// Percentiles of a study by bins of time, beside those of its copies.
    ///
    /// # Errors
    /// A file that cannot be read, with the line; a model without spread or with an error of the assay that nobody
    /// knows, bodies and doses that it refuses.
    pub fn checked(&self, asked: &CheckQuestion) -> Result<Vec<Bin>, Unreadable> {
        let analyte = self.analyte(asked.analyte)?;
        let seen = self.seen(asked)?;
        let spec = self.model.spec();
        let accepted = "a model with between-person spread and an error of the assay";
        let argument = Argument { field: "--model", text: self.model.id(), accepted };
        if spec.variability.is_empty() || spec.residuals.is_empty() {
            return Err(argument.unreadable("it has no spread, so it expects nobody but the typical person"));
        }
        if !spec.residuals.iter().any(|(known, _)| *known == analyte) {
            return Err(argument.unreadable(format!("it has no error of the assay of {analyte}")));
        }
        let metabolite = Some(analyte.as_str()).filter(|analyte| Some(*analyte) != self.parent());
        let layers = Layers { people: true, occasions: false, uncertainty: false, assay: true };
        let CheckQuestion { edges, copies, seed, corrected, .. } = *asked;
        let check =
            Check { model: &self.model, metabolite, seen: &seen, edges, copies, seed, layers, corrected };
        let name = asked.study.display().to_string();
        visual_check(&check).map_err(|cause| observed::refused_in(FIELD, &name, ACCEPTED, self, &cause))
    }

    fn analyte(&self, text: &str) -> Result<String, Unreadable> {
        let argument = Argument { field: "--analyte", text, accepted: "`cp`, or a metabolite of the model" };
        observed::analyte_of(self, text).map_err(|why| argument.unreadable(why))
    }

    /// The people of the file with what they got.
    fn seen(&self, asked: &CheckQuestion) -> Result<Vec<Seen>, Unreadable> {
        let name = asked.study.display().to_string();
        let argument = Argument { field: FIELD, text: &name, accepted: ACCEPTED };
        let columns = ["id", "time_min", "value", "unit"];
        let rows = asked::rows_with(FIELD, asked.study, ACCEPTED, columns, ["weight_kg", "age_years"])?;
        let mut people: Vec<(String, Seen)> = Vec::new();
        for (line, [id, time, value, unit], [weight, age]) in &rows {
            let told = |cause: Unreadable| Unreadable { why: format!("line {line}: {}", cause.why), ..cause };
            let own = |cell: &String| match cell.as_str() {
                "" => Ok(None),
                text => argument.above_0(text).map(Some),
            };
            let weight = own(weight).map_err(told)?.map(Kg).or(asked.weight);
            let weight = weight.ok_or_else(|| told(argument.unreadable("nobody says the weight")))?;
            let body = Body { weight, age: own(age).map_err(told)?.map(Years).or(asked.age) };
            let worth = observed::worth(unit).map_err(|why| told(argument.unreadable(why)))?;
            let level = NgPerMl(argument.not_below_0(value).map_err(told)? * worth);
            let time = Minutes(argument.number(time).map_err(told)?);
            let known = people.iter().position(|(known, _)| known == id);
            let is_last = known.is_some_and(|place| place + 1 == people.len());
            match people.last_mut() {
                Some((_, seen)) if is_last => {
                    if seen.body != body {
                        return Err(told(argument.unreadable(format!("the body of {id} changes"))));
                    }
                    seen.times.push(time);
                    seen.levels.push(level);
                }
                _ if known.is_some() => {
                    return Err(told(argument.unreadable(format!("the rows of {id} do not stand together"))));
                }
                _ => {
                    asked.doses.check(self, body)?;
                    let given = asked.doses.schedule(weight)?.scaled(self.basis.of_dose());
                    let schedule = given.map_err(|cause| self.refused(&cause))?;
                    let seen = Seen { body, schedule, times: vec![time], levels: vec![level] };
                    people.push((id.clone(), seen));
                }
            }
        }
        Ok(people.into_iter().map(|(_, seen)| seen).collect())
    }
}
