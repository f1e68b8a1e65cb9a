//! Measured levels of one person from a file.

use crate::asked::{self, Argument};
use crate::case::Chosen;
use clinic::dose::parse::Unreadable;
use pkpd::{Basis, Minutes, NgPerMl, Observation, Refused, Reported};
use std::path::Path;

const FIELD: &str = "--observations";
const ACCEPTED: &str = "rows of CSV with the columns time_min,analyte,value,unit; the unit is ng/mL, mcg/L, mg/L or mcg/mL, \
                        and a value such as <2 lies below the limit of quantification";

/// Reads the file, each level with its line; the names of its analytes become those of the model.
///
/// # Errors
/// [`Unreadable`], with the line; a file without a level.
pub fn read(path: &Path, chosen: &Chosen) -> Result<Vec<(usize, Observation)>, Unreadable> {
    let rows = asked::rows(FIELD, path, ACCEPTED, COLUMNS)?;
    let name = path.display().to_string();
    let argument = Argument { field: FIELD, text: &name, accepted: ACCEPTED };
    if rows.is_empty() {
        return Err(argument.unreadable("it has no level"));
    }
    rows.iter().map(|(line, cells)| level(chosen, argument, *line, cells)).collect()
}

/// Reads levels that were typed or pasted, at most so many; the line is told where one is wrong.
///
/// # Errors
/// As [`read`]; too many.
pub fn typed(text: &str, chosen: &Chosen, most: usize) -> Result<Vec<Observation>, Unreadable> {
    let argument = Argument { field: FIELD, text: "", accepted: ACCEPTED };
    let rows = asked::cells(argument, text, COLUMNS, [])?;
    if rows.is_empty() {
        return Err(argument.unreadable("there is no level below the first line"));
    }
    if rows.len() > most {
        return Err(
            argument.unreadable(format!("these are {} levels; at most {most} are read here", rows.len()))
        );
    }
    let each = rows.iter().map(|(line, cells, [])| level(chosen, argument, *line, cells));
    each.map(|found| found.map(|(_, level)| level)).collect()
}

const COLUMNS: [&str; 4] = ["time_min", "analyte", "value", "unit"];

/// One row, with its line.
fn level(
    chosen: &Chosen,
    argument: Argument,
    line: usize,
    [time, analyte, value, unit]: &[String; 4],
) -> Result<(usize, Observation), Unreadable> {
    let at_line = |wrong: Unreadable| Unreadable { why: format!("line {line}: {}", wrong.why), ..wrong };
    let at = Minutes(argument.number(time).map_err(at_line)?);
    let analyte = analyte_of(chosen, analyte).map_err(|why| at_line(argument.unreadable(why)))?;
    let worth = worth(unit).map_err(|why| at_line(argument.unreadable(why)))?;
    let level = |word: &str| argument.not_below_0(word).map(|x| NgPerMl(x * worth)).map_err(at_line);
    let level = match value.strip_prefix('<') {
        Some(limit) => Reported::Below(level(limit.trim())?),
        None => Reported::Level(level(value)?),
    };
    Ok((line, Observation { at, analyte, level }))
}

/// What a unit of a level is worth in ng/mL.
pub(crate) fn worth(unit: &str) -> Result<f64, String> {
    match unit {
        "ng/mL" | "mcg/L" | "ug/L" => Ok(1.0),
        "mg/L" | "mcg/mL" | "ug/mL" => Ok(1000.0),
        _ => Err(format!("`{unit}` is not a unit of a level")),
    }
}

/// Time and level of what was measured of an analyte, for a picture; a level below the limit of quantification stands
/// at the limit.
#[must_use]
pub fn points(measured: &[Observation], analyte: Option<&str>) -> Vec<(f64, f64)> {
    let of_it = measured.iter().filter(|observation| Some(observation.analyte.as_str()) == analyte);
    of_it
        .map(|observation| {
            let (Reported::Level(level) | Reported::Below(level)) = observation.level;
            (observation.at.0, level.0)
        })
        .collect()
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
    rows.into_iter().map(read).collect()
}

/// What the fit refused, with the argument that it comes from.
pub(crate) fn refused(observed_in: &str, lines: &[usize], chosen: &Chosen, cause: &Refused) -> Unreadable {
    let wrong = refused_in(FIELD, observed_in, ACCEPTED, chosen, cause);
    let line = if let Refused::NoDrug { place, .. } = cause { lines.get(*place) } else { None };
    match line {
        Some(line) => Unreadable { why: format!("line {line}: {}", wrong.why), ..wrong },
        None => wrong,
    }
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
    let (field, accepted) = match cause {
        Refused::OutOfRange { what: "draws", .. } => ("--posterior", "a number of draws in that range"),
        Refused::OutOfRange { what: "copies", .. } => ("--copies", "a number of copies in that range"),
        _ => (field, accepted),
    };
    Argument { field, text: observed_in, accepted }.unreadable(cause)
}

/// The model's own name of an analyte. After S-ketamine alone, all ketamine is S-ketamine.
pub(crate) fn analyte_of(chosen: &Chosen, written: &str) -> Result<String, String> {
    let analytes = chosen.model.spec().compartments.iter().filter_map(|c| c.analyte.as_ref());
    let names: Vec<&str> = analytes.map(|analyte| analyte.name.as_str()).collect();
    let plain = written.to_lowercase().replace(['-', ' '], "_");
    let plain = plain.strip_suffix("_ng_ml").unwrap_or(&plain);
    let is_same =
        |name: &str| name == plain || (chosen.basis == Basis::S && name.strip_prefix("s_") == Some(plain));
    if plain == "cp" {
        return names.first().map(|name| (*name).to_owned()).ok_or_else(|| "nothing is measured".to_owned());
    }
    let known = names.iter().find(|name| is_same(name)).map(|name| (*name).to_owned());
    known.ok_or_else(|| {
        format!("{} has no analyte `{written}`; it has {}", chosen.model.id(), names.join(", "))
    })
}
