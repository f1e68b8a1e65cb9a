//! A study of many people beside copies of it: whether a model could have drawn what was measured.

use crate::Wrong;
use crate::asked::{self, Argument, Columns};
use crate::case::Chosen;
use crate::doses::Doses;
use crate::observed;
use clinic::dose::parse::Unreadable;
use pkpd::{Bin, Body, Check, Kg, Layers, Minutes, NgPerMl, Reason, Seen, Site, Years, visual_check};
use std::path::Path;

/// What is checked, and how.
#[derive(Debug, Clone, Copy)]
pub struct CheckQuestion<'a> {
    /// A CSV file with a row for each level.
    pub study: &'a Path,
    /// Where the blood was drawn; else what the file says, else it is taken to be the model's site, and that is told.
    pub site: Option<Site>,
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

/// What came out.
#[derive(Debug, Clone, PartialEq)]
pub struct Checked {
    /// In the order of time.
    pub bins: Vec<Bin>,
    /// What a reader has to know.
    pub notes: Vec<String>,
}

/// Who was measured, and where all their blood was drawn.
struct Study {
    people: Vec<Seen>,
    /// Of the file, for each level of each of them.
    lines: Vec<Vec<usize>>,
    /// Where bodies and doses lie outside the model's domain.
    outside: Vec<Reason>,
    site: Option<Site>,
}

/// A level that is so many times what the typical person has, or so small a part of it, is told: a unit that is wrong
/// makes a thousand, and few people of any model differ by so much.
const FAR: f64 = 10.0;
/// Of levels that are told, so many each with its line.
const TOLD_MAX: usize = 5;

const FIELD: &str = "--study";
const ACCEPTED: &str = "a CSV file with the columns id,time_min,value,unit and perhaps weight_kg,age_years,site, no others; a row for each \
                        level of one analyte, the rows of one id together and their times rising, none of them below the limit of \
                        quantification";

impl Chosen<'_> {
    /// Percentiles of a study by bins of time, beside those of its copies.
    ///
    /// # Errors
    /// A file that cannot be read, with the line; a model without spread or with an error of the assay that nobody
    /// knows, bodies and doses that it refuses; [`Wrong::Unsafe`] for blood of another site than the model's.
    pub fn checked(&self, asked: &CheckQuestion) -> Result<Checked, Wrong> {
        let analyte = self.analyte(asked.analyte)?;
        let Study { people: seen, lines, outside, site } = self.seen(asked)?;
        let untold = self.takes_blood(site)?;
        let spec = self.model.spec();
        let accepted = "a model with between-person spread and an error of the assay";
        let argument = Argument { field: "--model", text: self.model.id(), accepted };
        if spec.variability.is_empty() || spec.residuals.is_empty() {
            let why = "it has no spread, so it expects nobody but the typical person";
            return Err(argument.unreadable(why).into());
        }
        if !spec.residuals.iter().any(|(known, _)| *known == analyte) {
            return Err(argument.unreadable(format!("it has no error of the assay of {analyte}")).into());
        }
        let metabolite = Some(analyte.as_str()).filter(|analyte| Some(*analyte) != self.parent());
        let strange = self.strange(asked, metabolite, &seen, &lines)?;
        let layers = Layers { people: true, occasions: false, uncertainty: false, assay: true };
        let CheckQuestion { edges, copies, seed, corrected, .. } = *asked;
        let check =
            Check { model: &self.model, metabolite, seen: &seen, edges, copies, seed, layers, corrected };
        let name = asked.study.display().to_string();
        let bins = visual_check(&check)
            .map_err(|cause| observed::refused_in(FIELD, &name, ACCEPTED, self, &cause))?;
        let id = self.model.id();
        let outside = outside.iter().map(|reason| format!("outside the validity of {id}: {reason}"));
        let notes = self.notes.iter().cloned().chain(outside).chain(untold).chain(self.assumed());
        let notes = notes.chain(strange).collect();
        Ok(Checked { bins, notes })
    }

    fn analyte(&self, text: &str) -> Result<String, Unreadable> {
        let argument = Argument { field: "--analyte", text, accepted: "`cp`, or a metabolite of the model" };
        observed::analyte_of(self, text).map_err(|why| argument.unreadable(why))
    }

    /// The people of the file with what they got.
    fn seen(&self, asked: &CheckQuestion) -> Result<Study, Wrong> {
        let name = asked.study.display().to_string();
        let argument = Argument { field: FIELD, text: &name, accepted: ACCEPTED };
        let columns = Columns {
            must: ["id", "time_min", "value", "unit"],
            may: ["weight_kg", "age_years", observed::SITE],
            called: &observed::SITE_CALLED,
        };
        let rows = asked::rows(FIELD, asked.study, ACCEPTED, &columns)?;
        let mut people: Vec<(&str, Seen)> = Vec::new();
        let mut lines: Vec<Vec<usize>> = Vec::new();
        let (mut outside, mut sites): (Vec<Reason>, Vec<_>) = (Vec::new(), Vec::new());
        for (line, [id, time, value, unit], [weight, age, site]) in &rows {
            let told = |cause: Unreadable| Argument::at_line(*line, cause);
            let own = |cell: &String| match cell.as_str() {
                "" => Ok(None),
                text => argument.above_0(text).map(Some),
            };
            sites.push((*line, observed::site_of(argument, site).map_err(told)?));
            let weight = own(weight).map_err(told)?.map(Kg).or(asked.weight);
            let weight = weight.ok_or_else(|| told(argument.unreadable("nobody says the weight")))?;
            let body = Body { weight, age: own(age).map_err(told)?.map(Years).or(asked.age) };
            let worth = observed::worth(unit).map_err(|why| told(argument.unreadable(why)))?;
            let level = NgPerMl(argument.not_below_0(value).map_err(told)? * worth);
            let time = Minutes(argument.number(time).map_err(told)?);
            let known = people.iter().position(|(known, _)| known == id);
            match people.last_mut() {
                Some((last, seen)) if last == id => {
                    if seen.body != body {
                        return Err(told(argument.unreadable(format!("the body of {id} changes"))).into());
                    }
                    seen.times.push(time);
                    seen.levels.push(level);
                    lines.last_mut().into_iter().for_each(|lines| lines.push(*line));
                }
                _ if known.is_some() => {
                    return Err(
                        told(argument.unreadable(format!("the rows of {id} do not stand together"))).into()
                    );
                }
                _ => {
                    asked.doses.check(self, body)?;
                    let given = asked.doses.schedule(weight)?;
                    let new = self
                        .outside(body, &given, &[])
                        .into_iter()
                        .filter(|reason| !outside.contains(reason));
                    outside.extend(new.collect::<Vec<_>>());
                    let schedule =
                        given.scaled(self.basis.of_dose()).map_err(|cause| self.refused(&cause))?;
                    people.push((id, Seen { body, schedule, times: vec![time], levels: vec![level] }));
                    lines.push(vec![*line]);
                }
            }
        }
        let is_early =
            |seen: &Seen| seen.times.iter().any(|time| self.model.is_after_bolus(&seen.schedule, *time));
        if people.iter().any(|(_, seen)| is_early(seen)) {
            outside.push(Reason::AfterBolus { length: self.model.spec().validity.after_bolus });
        }
        let site = observed::one_site(FIELD, &name, asked.site, sites.into_iter())?;
        Ok(Study { people: people.into_iter().map(|(_, seen)| seen).collect(), lines, outside, site })
    }

    /// Of levels beside those of the typical person: refuses a 0 that is no measurement, and tells those before any dose
    /// and those far off.
    fn strange(
        &self,
        asked: &CheckQuestion,
        metabolite: Option<&str>,
        people: &[Seen],
        lines: &[Vec<usize>],
    ) -> Result<Vec<String>, Wrong> {
        let name = asked.study.display().to_string();
        let argument = Argument { field: FIELD, text: &name, accepted: ACCEPTED };
        let refused = |cause| observed::refused_in(FIELD, &name, ACCEPTED, self, &cause);
        let mut strange = Vec::new();
        for (seen, lines) in people.iter().zip(lines) {
            let typical = self.model.typical(seen.body).map_err(refused)?;
            let course = typical.course(&seen.schedule, None, &seen.times).map_err(refused)?;
            let of_metabolite = course.metabolites.iter().find(|(name, _)| Some(name.as_str()) == metabolite);
            let expected = of_metabolite.map_or(&course.plasma, |(_, levels)| levels);
            for (((line, at), level), expected) in
                lines.iter().zip(&seen.times).zip(&seen.levels).zip(expected)
            {
                if level.0 == 0.0 && expected.0 > 0.0 {
                    let why = "a level of 0 after a dose is no measurement: leave out what lies below the limit of quantification";
                    return Err(Argument::at_line(*line, argument.unreadable(why)).into());
                }
                let times = level.0 / expected.0;
                if level.0 > 0.0 && expected.0 <= 0.0 {
                    strange.push(format!("line {line}: {level} at {at} is before any dose"));
                } else if expected.0 > 0.0 && !(1.0 / FAR..=FAR).contains(&times) {
                    strange.push(format!(
                        "line {line}: {level} at {at} lies more than tenfold off the typical person's {:.1} ng/mL: another \
                         tube, time, dose or unit?",
                        expected.0
                    ));
                }
            }
        }
        if strange.len() > TOLD_MAX {
            let more = strange.len() - TOLD_MAX;
            strange.truncate(TOLD_MAX);
            strange.push(format!("{more} levels more lie before any dose or more than tenfold off"));
        }
        Ok(strange)
    }
}
