//! Measured levels of one person from a file.

use crate::Wrong;
use crate::asked::{self, Argument, Columns};
use crate::case::{Chosen, site_name};
use clinic::dose::parse::Unreadable;
use pkpd::{Basis, Minutes, NgPerMl, Observation, Refused, Reported, Site};
use std::path::Path;

const FIELD: &str = "--observations";
const ACCEPTED: &str = "rows of CSV with the columns time_min,analyte,value,unit, and perhaps site or sampling_site (arterial or venous), no others; the \
                        times of an analyte do not fall, the unit is ng/mL, mcg/L, mg/L or mcg/mL, and a value such as <2 \
                        lies below the limit of quantification";

/// A level with its line, and where its blood was drawn where that is told.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// Of the file or text.
    pub line: usize,
    /// `None` where nobody says it.
    pub site: Option<Site>,
    /// What was measured.
    pub level: Observation,
}

/// Reads the file; the names of its analytes become those of the model.
///
/// # Errors
/// [`Unreadable`], with the line; a file without a level.
pub fn read(path: &Path, chosen: &Chosen) -> Result<Vec<Measured>, Unreadable> {
    let rows = asked::rows(FIELD, path, ACCEPTED, &COLUMNS)?;
    let name = path.display().to_string();
    let argument = Argument { field: FIELD, text: &name, accepted: ACCEPTED };
    levels_of(chosen, argument, &rows)
}

/// Reads levels that were typed or pasted, at most so many; the line is told where one is wrong.
///
/// # Errors
/// As [`read`]; too many.
pub fn typed(text: &str, chosen: &Chosen, most: usize) -> Result<Vec<Measured>, Unreadable> {
    let argument = Argument { field: FIELD, text: "", accepted: ACCEPTED };
    let rows = asked::cells(argument, text, &COLUMNS)?;
    if rows.len() > most {
        return Err(
            argument.unreadable(format!("these are {} levels; at most {most} are read here", rows.len()))
        );
    }
    levels_of(chosen, argument, &rows)
}

const COLUMNS: Columns<4, 1> =
    Columns { must: ["time_min", "analyte", "value", "unit"], may: [SITE], called: &SITE_CALLED };
pub(crate) const SITE: &str = "site";
/// As the answers of the lab call it.
pub(crate) const SITE_CALLED: [(&str, &str); 1] = [("sampling_site", SITE)];

fn levels_of(
    chosen: &Chosen,
    argument: Argument,
    rows: &[(usize, [String; 4], [String; 1])],
) -> Result<Vec<Measured>, Unreadable> {
    let each = rows.iter().map(|(line, cells, [site])| {
        let told = |wrong| Argument::at_line(*line, wrong);
        let site = site_of(argument, site).map_err(told)?;
        let level = level(chosen, argument, cells).map_err(told)?;
        Ok(Measured { line: *line, site, level })
    });
    let levels = each.collect::<Result<Vec<_>, _>>()?;
    let found: Vec<&Observation> = levels.iter().map(|measured| &measured.level).collect();
    match out_of_order(&found) {
        None => Ok(levels),
        Some((place, why)) => Err(Argument::at_line(levels[place].line, argument.unreadable(why))),
    }
}

/// The first level that stands after a later one of its analyte.
fn out_of_order(levels: &[&Observation]) -> Option<(usize, String)> {
    levels.iter().enumerate().find_map(|(place, one)| {
        let before = levels[..place].iter().rev().find(|other| other.analyte == one.analyte)?;
        let falls = one.at < before.at;
        falls.then(|| (place, format!("{} of {} comes after {}", one.at, one.analyte, before.at)))
    })
}

fn level(
    chosen: &Chosen,
    argument: Argument,
    [time, analyte, value, unit]: &[String; 4],
) -> Result<Observation, Unreadable> {
    let at = Minutes(argument.number(time)?);
    let analyte = analyte_of(chosen, analyte).map_err(|why| argument.unreadable(why))?;
    let worth = worth(unit).map_err(|why| argument.unreadable(why))?;
    let level = match value.strip_prefix('<') {
        Some(limit) => Reported::Below(NgPerMl(argument.above_0(limit.trim())? * worth)),
        None => Reported::Level(NgPerMl(argument.not_below_0(value)? * worth)),
    };
    Ok(Observation { at, analyte, level })
}

/// A site as a row says it; an empty cell says nothing.
pub(crate) fn site_of(argument: Argument, cell: &str) -> Result<Option<Site>, Unreadable> {
    match cell.to_lowercase().as_str() {
        "" => Ok(None),
        "arterial" => Ok(Some(Site::Arterial)),
        "venous" => Ok(Some(Site::Venous)),
        _ => Err(argument.unreadable(format!("the site `{cell}` is neither arterial nor venous"))),
    }
}

/// Levels to draw, with the site that was told for all of them.
///
/// # Errors
/// A row that says another site than was told.
pub fn with_site(measured: Vec<Measured>, told: Option<Site>) -> Result<Vec<Measured>, Unreadable> {
    let of_row = |one: Measured| match (one.site, told) {
        (Some(site), Some(told)) if site != told => {
            let (site, text) = (site_name(site), site_name(told));
            let accepted = "the site that the rows say, or none where they say it";
            let argument = Argument { field: "--site", text, accepted };
            Err(argument.unreadable(format!("line {} of the levels is {site} blood", one.line)))
        }
        (site, told) => Ok(Measured { site: site.or(told), ..one }),
    };
    measured.into_iter().map(of_row).collect()
}

/// The one site of rows that are weighed together: what was asked for, or what every row says.
///
/// # Errors
/// [`Wrong::Unsafe`] for two sites; a row that does not say it where others do.
pub fn one_site(
    field: &'static str,
    name: &str,
    asked: Option<Site>,
    rows: impl Iterator<Item = (usize, Option<Site>)> + Clone,
) -> Result<Option<Site>, Wrong> {
    let first = asked.or_else(|| rows.clone().find_map(|(_, site)| site));
    let Some(first) = first else { return Ok(None) };
    for (line, site) in rows {
        let of_row = site.or(asked).ok_or_else(|| {
            let accepted = "a site in every row, in none, or --site for all";
            let argument = Argument { field, text: name, accepted };
            Argument::at_line(line, argument.unreadable("it does not say the site, and others do"))
        })?;
        if of_row != first {
            let (this, other) = (site_name(of_row), site_name(first));
            return Err(Wrong::Unsafe(format!(
                "{field} {name}: line {line} is {this} blood and others are {other}: the two differ twofold and never mix"
            )));
        }
    }
    Ok(Some(first))
}

/// What a unit of a level is worth in ng/mL.
pub(crate) fn worth(unit: &str) -> Result<f64, String> {
    match unit {
        "ng/mL" | "mcg/L" | "ug/L" => Ok(1.0),
        "mg/L" | "mcg/mL" | "ug/mL" => Ok(1000.0),
        _ => Err(format!("`{unit}` is not a unit of a level")),
    }
}

/// What was measured of an analyte, for a picture: time and level.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Points {
    /// Measured.
    pub levels: Vec<(f64, f64)>,
    /// Below the limit of quantification, at that limit: no level, and never drawn as one.
    pub below: Vec<(f64, f64)>,
}

impl Points {
    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.levels.len() + self.below.len()
    }
}

/// The points of an analyte.
pub fn points<'m>(measured: impl IntoIterator<Item = &'m Observation>, analyte: Option<&str>) -> Points {
    let mut points = Points::default();
    let of_it = measured.into_iter().filter(|observation| Some(observation.analyte.as_str()) == analyte);
    for Observation { at, level, .. } in of_it {
        match level {
            Reported::Level(level) => points.levels.push((at.0, level.0)),
            Reported::Below(limit) => points.below.push((at.0, limit.0)),
        }
    }
    points
}

/// What is drawn of an analyte, apart by where the blood was drawn: the words of a legend, and the points.
#[must_use]
pub fn points_by_site(measured: &[Measured], analyte: Option<&str>) -> Vec<(String, Points)> {
    let each = [Some(Site::Arterial), Some(Site::Venous), None].into_iter().map(|site| {
        let blood = site
            .map_or("blood of a site nobody told".to_owned(), |site| format!("{} blood", site_name(site)));
        let of_site = measured.iter().filter(|one| one.site == site).map(|one| &one.level);
        (format!("measured in {blood}"), points(of_site, analyte))
    });
    each.filter(|(_, points)| points.count() > 0).collect()
}

/// What has to stand beside a picture of measured levels and the line of a model.
#[must_use]
pub fn doubts(measured: &[Measured], chosen: &Chosen) -> Vec<String> {
    let (id, its) = (chosen.model.id(), chosen.model.site());
    let others = measured.iter().filter_map(|one| one.site).filter(|site| *site != its);
    let of_others = others.map(site_name).next().map(|blood| {
        format!("levels measured in {blood} blood cannot judge {id}, which describes {} blood: the two differ twofold", site_name(its))
    });
    let untold = measured.iter().filter(|one| one.site.is_none()).count();
    let of_untold = (untold > 0).then(|| {
        format!("nobody says where the blood of {untold} measured levels was drawn (--site, or a column site); arterial and venous levels differ twofold")
    });
    of_others.into_iter().chain(of_untold).collect()
}

/// Levels in ng/mL that a program has in memory. Of what `below` marks, the level is the limit of quantification that
/// it lies under.
///
/// # Errors
/// [`Unreadable`], with the level; an analyte that the model has not.
pub fn levels<'a>(
    chosen: &Chosen,
    rows: impl IntoIterator<Item = (f64, &'a str, f64, bool)>,
) -> Result<Vec<Observation>, Unreadable> {
    let accepted = "levels in ng/mL that are 0 or more, each at its time in min, of an analyte of the model";
    let read = |(at, analyte, level, below): (f64, &str, f64, bool)| {
        let text = format!("{analyte} {level} at {at} min");
        let argument = Argument { field: FIELD, text: &text, accepted };
        let at = Minutes(argument.number(&at.to_string())?);
        let analyte = analyte_of(chosen, analyte).map_err(|why| argument.unreadable(why))?;
        let level = NgPerMl(argument.not_below_0(&level.to_string())?);
        Ok(Observation {
            at,
            analyte,
            level: if below { Reported::Below(level) } else { Reported::Level(level) },
        })
    };
    let levels: Vec<Observation> = rows.into_iter().map(read).collect::<Result<_, _>>()?;
    match out_of_order(&levels.iter().collect::<Vec<_>>()) {
        None => Ok(levels),
        Some((_, why)) => {
            let text = format!("{} levels", levels.len());
            Err(Argument {
                field: FIELD,
                text: &text,
                accepted: "levels of an analyte whose times do not fall",
            }
            .unreadable(why))
        }
    }
}

/// What the fit refused, with the argument that it comes from.
pub(crate) fn refused(observed_in: &str, lines: &[usize], chosen: &Chosen, cause: &Refused) -> Unreadable {
    let wrong = refused_in(FIELD, observed_in, ACCEPTED, chosen, cause);
    let line = match cause {
        Refused::NoDrug { place, .. } | Refused::BareZero { place, .. } => lines.get(*place),
        _ => None,
    };
    line.map_or(wrong.clone(), |line| Argument::at_line(*line, wrong))
}

/// The same of levels that another argument names.
pub(crate) fn refused_in(
    field: &'static str,
    observed_in: &str,
    accepted: &'static str,
    chosen: &Chosen,
    cause: &Refused,
) -> Unreadable {
    let of_person =
        matches!(cause, Refused::OutOfRange { what: "weight" | "age", .. } | Refused::Missing("age"));
    if of_person {
        return chosen.refused(cause);
    }
    let of_number = |field, value: f64, accepted| {
        Argument { field, text: &value.to_string(), accepted }.unreadable(cause)
    };
    match *cause {
        Refused::OutOfRange { what: "draws", value, .. } => {
            of_number("--posterior", value, "a number of draws in that range")
        }
        Refused::OutOfRange { what: "copies", value, .. } => {
            of_number("--copies", value, "a number of copies in that range")
        }
        _ => Argument { field, text: observed_in, accepted }.unreadable(cause),
    }
}

/// The model's own name of an analyte. After S-ketamine alone, all ketamine is S-ketamine.
pub(crate) fn analyte_of(chosen: &Chosen, written: &str) -> Result<String, String> {
    let analytes = chosen.model.spec().compartments.iter().filter_map(|c| c.analyte.as_ref());
    let names: Vec<&str> = analytes.map(|analyte| analyte.name.as_str()).collect();
    let plain = written.to_lowercase().replace(['-', ' '], "_");
    let plain = plain.strip_suffix("_ng_ml").unwrap_or(&plain);
    let is_same =
        |name: &str| name == plain || (chosen.basis == Basis::S && name.strip_prefix("s_") == Some(plain));
    // After the racemate an assay that does not tell the halves apart measures twice what the model describes.
    if plain == "cp" && chosen.basis == Basis::TwiceS {
        return Err(format!(
            "after the racemate `{written}` says neither both halves nor the S half, which is what {} describes; say {}",
            chosen.model.id(),
            names.join(", ")
        ));
    }
    if plain == "cp" {
        return names.first().map(|name| (*name).to_owned()).ok_or_else(|| "nothing is measured".to_owned());
    }
    let known = names.iter().find(|name| is_same(name)).map(|name| (*name).to_owned());
    known.ok_or_else(|| {
        format!("{} has no analyte `{written}`; it has {}", chosen.model.id(), names.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_of_quantification_is_never_drawn_as_a_level() {
        let of = |at: f64, level| Observation { at: Minutes(at), analyte: "ketamine".to_owned(), level };
        let measured = [of(40.0, Reported::Level(NgPerMl(180.0))), of(90.0, Reported::Below(NgPerMl(20.0)))];
        let found = points(&measured, Some("ketamine"));
        assert_eq!((found.levels, found.below), (vec![(40.0, 180.0)], vec![(90.0, 20.0)]));
        assert_eq!(points(&measured, Some("norketamine")).count(), 0);
    }
}
