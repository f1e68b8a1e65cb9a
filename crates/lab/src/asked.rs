//! Reads what is typed: doses, times, weights and levels, each with its unit. A number may be written as any
//! decimal; a unit is never guessed.

mod dose;

pub use dose::{AskedDose, dose_file, dose_rows};

use clinic::dose::parse::Unreadable;
use pkpd::{Kg, MgPerMin, Minutes, NgPerMl, PerMin, Years};
use rust_decimal::Decimal;
use std::path::Path;

/// Minutes in an hour.
const HOUR: f64 = 60.0;
/// Largest file that is read.
const FILE_BYTES_MAX: u64 = 64 << 20;

/// One argument being read.
#[derive(Debug, Clone, Copy)]
pub struct Argument<'a> {
    /// As it is typed: `--dose`.
    pub field: &'static str,
    /// What stands there.
    pub text: &'a str,
    /// What is accepted, with an example.
    pub accepted: &'static str,
}

impl Argument<'_> {
    /// Says what is wrong with it.
    pub fn unreadable(&self, why: impl ToString) -> Unreadable {
        Unreadable {
            field: self.field,
            value: self.text.to_owned(),
            why: why.to_string(),
            accepted: self.accepted,
        }
    }

    /// The same of a line of the file that was named.
    #[must_use]
    pub fn at_line(line: usize, wrong: Unreadable) -> Unreadable {
        Unreadable { why: format!("line {line}: {}", wrong.why), ..wrong }
    }

    /// A finite number.
    ///
    /// # Errors
    /// [`Unreadable`].
    pub fn number(&self, word: &str) -> Result<f64, Unreadable> {
        match word.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(number),
            Ok(_) => Err(self.unreadable(format!("`{word}` is not a finite number"))),
            Err(_) => Err(self.unreadable(format!("`{word}` is not a number"))),
        }
    }

    /// A number that is 0 or more.
    ///
    /// # Errors
    /// [`Unreadable`].
    pub fn not_below_0(&self, word: &str) -> Result<f64, Unreadable> {
        let number = self.number(word)?;
        if number >= 0.0 { Ok(number) } else { Err(self.unreadable(format!("{word} is below 0"))) }
    }

    /// A number that is more than 0.
    ///
    /// # Errors
    /// [`Unreadable`].
    pub fn above_0(&self, word: &str) -> Result<f64, Unreadable> {
        let number = self.number(word)?;
        if number > 0.0 { Ok(number) } else { Err(self.unreadable(format!("{word} is not above 0"))) }
    }

    /// A number above 0 with one of these units, and what the unit is worth.
    fn quantity(&self, units: &[(&str, f64)]) -> Result<f64, Unreadable> {
        match self.text.split_whitespace().collect::<Vec<_>>().as_slice() {
            [word, unit] => {
                let number = self.above_0(word)?;
                let known = units.iter().find(|(name, _)| name == unit);
                known.map(|(_, worth)| number * worth).ok_or_else(|| self.wrong_unit(unit))
            }
            [word] => {
                self.number(word)?;
                Err(self.unreadable("it has no unit"))
            }
            _ => Err(self.unreadable("it is not one number and one unit")),
        }
    }

    fn wrong_unit(&self, unit: &str) -> Unreadable {
        self.unreadable(format!("`{unit}` is not a unit of it"))
    }
}

/// A body weight.
///
/// # Errors
/// [`Unreadable`].
pub fn weight(field: &'static str, text: &str) -> Result<Kg, Unreadable> {
    let accepted = "a weight above 0 in kg, such as \"70 kg\"";
    Argument { field, text, accepted }.quantity(&[("kg", 1.0)]).map(Kg)
}

/// Weights that hold from a moment on; the moments rise.
///
/// # Errors
/// [`Unreadable`].
pub fn weights_from(field: &'static str, texts: &[String]) -> Result<Vec<(Minutes, Kg)>, Unreadable> {
    let accepted =
        "a weight and when it begins to hold, such as \"65 kg at 10080 min\", later than the one before";
    let mut read: Vec<(Minutes, Kg)> = Vec::with_capacity(texts.len());
    for text in texts {
        let argument = Argument { field, text, accepted };
        let words: Vec<&str> = text.split_whitespace().collect();
        let ["at", time, "min"] = words.get(2..).unwrap_or_default() else {
            return Err(argument.unreadable("it is not `W kg at T min`"));
        };
        let weight = Argument { text: &words[..2].join(" "), ..argument }.quantity(&[("kg", 1.0)])?;
        let time = Minutes(argument.number(time)?);
        if let Some((before, _)) = read.last().filter(|(before, _)| *before >= time) {
            return Err(argument.unreadable(format!("it does not come after {before}")));
        }
        read.push((time, Kg(weight)));
    }
    Ok(read)
}

/// An age.
///
/// # Errors
/// [`Unreadable`].
pub fn age(field: &'static str, text: &str) -> Result<Years, Unreadable> {
    let accepted = "an age above 0 in years (a), such as \"40 a\"";
    Argument { field, text, accepted }.quantity(&[("a", 1.0), ("years", 1.0)]).map(Years)
}

/// A level.
///
/// # Errors
/// [`Unreadable`].
pub fn level(field: &'static str, text: &str) -> Result<NgPerMl, Unreadable> {
    let accepted = "a level above 0 in ng/mL, such as \"100 ng/mL\"";
    Argument { field, text, accepted }.quantity(&[("ng/mL", 1.0), ("mcg/L", 1.0)]).map(NgPerMl)
}

/// A moment or a length.
///
/// # Errors
/// [`Unreadable`].
pub fn minutes(field: &'static str, text: &str) -> Result<Minutes, Unreadable> {
    let accepted = "a time above 0 in min, such as \"40 min\"";
    Argument { field, text, accepted }.quantity(&[("min", 1.0)]).map(Minutes)
}

/// A moment from 0 on.
///
/// # Errors
/// [`Unreadable`].
pub fn moment(field: &'static str, text: &str) -> Result<Minutes, Unreadable> {
    let argument = Argument { field, text, accepted: "a time from 0 on in min, such as \"10 min\"" };
    match text.split_whitespace().collect::<Vec<_>>().as_slice() {
        [word, "min"] if argument.number(word)? == 0.0 => Ok(Minutes(0.0)),
        _ => argument.quantity(&[("min", 1.0)]).map(Minutes),
    }
}

/// A rate of the pump in mg/min or mg/h; in mL/h where the strength is known, in mg/mL.
///
/// # Errors
/// [`Unreadable`].
pub fn rate(field: &'static str, text: &str, mg_per_ml: Option<f64>) -> Result<MgPerMin, Unreadable> {
    let accepted = "a rate above 0 in mg/min or mg/h, or in mL/h with --concentration, such as \"600 mL/h\"";
    let argument = Argument { field, text, accepted };
    let mut units = vec![("mg/min", 1.0), ("mg/h", 1.0 / HOUR)];
    units.extend(mg_per_ml.map(|strength| ("mL/h", strength / HOUR)));
    argument.quantity(&units).map(MgPerMin)
}

/// A strength, mg/mL.
///
/// # Errors
/// [`Unreadable`].
pub fn strength(field: &'static str, text: &str) -> Result<f64, Unreadable> {
    let accepted = "a strength above 0 in mg/mL, such as \"2 mg/mL\"";
    Argument { field, text, accepted }.quantity(&[("mg/mL", 1.0)])
}

/// How fast the effect site follows the plasma.
///
/// # Errors
/// [`Unreadable`].
pub fn ke0(field: &'static str, text: &str) -> Result<PerMin, Unreadable> {
    let accepted = "a rate constant above 0 in /min or /h, such as \"0.0835117 /min\"";
    Argument { field, text, accepted }.quantity(&[("/min", 1.0), ("/h", 1.0 / HOUR)]).map(PerMin)
}

/// A stage of a chain: its name, and how fast it follows the one before, by its half-life.
///
/// # Errors
/// [`Unreadable`].
pub fn stage(field: &'static str, text: &str) -> Result<(String, PerMin), Unreadable> {
    let accepted = "a name of small letters and a half-life above 0 in min, h or d, such as \"bdnf 6 h\"";
    let argument = Argument { field, text, accepted };
    let (name, half_life) = text.split_once(' ').ok_or_else(|| argument.unreadable("it has no half-life"))?;
    if name.is_empty() || !name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_') {
        return Err(argument.unreadable(format!("`{name}` is not a name of small letters")));
    }
    let units = [("min", 1.0), ("h", HOUR), ("d", 24.0 * HOUR)];
    let minutes = Argument { text: half_life, ..argument }.quantity(&units);
    let minutes = minutes.map_err(|wrong| Unreadable { value: text.to_owned(), ..wrong })?;
    Ok((name.to_owned(), PerMin::from_half_life(Minutes(minutes))))
}

/// Times at which levels are asked for: `from:to:step`, a list, or `@FILE` with one time a line; in minutes.
///
/// # Errors
/// [`Unreadable`]; times that do not rise.
pub fn times(field: &'static str, text: &str) -> Result<Vec<Minutes>, Unreadable> {
    let accepted =
        "rising times in min: \"0:240:1\" (from:to:step), \"0,10,40\", or @FILE with one time a line";
    let argument = Argument { field, text, accepted };
    if let Some(path) = text.strip_prefix('@') {
        let read = file(field, Path::new(path), accepted)?;
        let lines = (1..).zip(read.lines().map(str::trim)).filter(|(_, line)| !line.is_empty());
        let time = |(line, word)| match argument.number(word) {
            Ok(time) => Ok((line, time)),
            Err(wrong) => Err(Argument::at_line(line, wrong)),
        };
        let (lines, times): (Vec<usize>, _) =
            lines.map(time).collect::<Result<Vec<_>, _>>()?.into_iter().unzip();
        return argument.rising(times, &lines);
    }
    let times = if text.contains(':') {
        argument.grid()?
    } else {
        text.split(',').map(|word| argument.number(word.trim())).collect::<Result<_, _>>()?
    };
    argument.rising(times, &[])
}

/// The same times, in minutes, that a program has in memory.
///
/// # Errors
/// [`Unreadable`], with the time.
pub fn moments(field: &'static str, times: &[f64]) -> Result<Vec<Minutes>, Unreadable> {
    let text = format!("{} times", times.len());
    let argument = Argument { field, text: &text, accepted: "rising times in min" };
    let times = times.iter().map(|time| argument.number(&time.to_string())).collect::<Result<_, _>>()?;
    argument.rising(times, &[])
}

impl Argument<'_> {
    /// Times in min, at least one, each later than the one before; of a file also the line of each.
    fn rising(&self, times: Vec<f64>, lines: &[usize]) -> Result<Vec<Minutes>, Unreadable> {
        if times.is_empty() {
            return Err(self.unreadable("there is no time in it"));
        }
        if let Some(place) = (1..times.len()).find(|&place| times[place] <= times[place - 1]) {
            let (before, time) = (times[place - 1], times[place]);
            let wrong = self.unreadable(if time < before {
                format!("{time} min comes after {before} min")
            } else {
                format!("{time} min stands there twice")
            });
            return Err(lines.get(place).map_or(wrong.clone(), |line| Self::at_line(*line, wrong)));
        }
        Ok(times.into_iter().map(Minutes).collect())
    }

    /// In decimals, so that the third step of 0.1 is 0.3 and the last one is met.
    fn grid(&self) -> Result<Vec<f64>, Unreadable> {
        let decimal = |word: &str| {
            let plain = Decimal::from_str_exact(word.trim());
            plain.map_err(|_| self.unreadable(format!("`{word}` is not a plain decimal number")))
        };
        let parts = self.text.split(':').map(decimal).collect::<Result<Vec<_>, _>>()?;
        let &[from, to, step] = parts.as_slice() else {
            return Err(self.unreadable("a grid has three numbers, from:to:step"));
        };
        if step <= Decimal::ZERO {
            return Err(self.unreadable(format!("the step {step} is not above 0")));
        }
        if to < from {
            return Err(self.unreadable(format!("it ends at {to} min, before it starts at {from} min")));
        }
        let too_many = || self.unreadable(format!("it is more than {} times", pkpd::TIMES_MAX));
        let steps = (to - from).checked_div(step).ok_or_else(too_many)?;
        if steps >= Decimal::from(pkpd::TIMES_MAX) {
            return Err(too_many());
        }
        let each =
            std::iter::successors(Some(from), |time| Some(*time + step)).take_while(|time| *time <= to);
        each.map(|time| self.number(&time.to_string())).collect()
    }
}

/// A row of a CSV file: its line number, the cells that must be there, and those that may be, empty where not.
type Cells<const N: usize, const M: usize> = (usize, [String; N], [String; M]);

/// Columns of a file in which every column means something: one that is not known would be left out in silence, as a
/// unit beside an amount, or where blood was drawn. Their names are read in any case.
#[derive(Debug, Clone, Copy)]
pub struct Columns<'a, const N: usize, const M: usize> {
    /// That must be there.
    pub must: [&'a str; N],
    /// That may be.
    pub may: [&'a str; M],
    /// Other names for some of them, each with the name it stands for.
    pub called: &'a [(&'a str, &'a str)],
}

/// The cells of a CSV file, each row with its line number.
///
/// # Errors
/// A file that cannot be read, a column that is not there, not known or there twice, a row of another length, no row.
pub fn rows<const N: usize, const M: usize>(
    field: &'static str,
    path: &Path,
    accepted: &'static str,
    columns: &Columns<N, M>,
) -> Result<Vec<Cells<N, M>>, Unreadable> {
    let name = path.display().to_string();
    cells(Argument { field, text: &name, accepted }, &file(field, path, accepted)?, columns)
}

/// The same of text that was typed or pasted.
///
/// # Errors
/// As [`rows`].
pub(crate) fn cells<const N: usize, const M: usize>(
    argument: Argument,
    text: &str,
    columns: &Columns<N, M>,
) -> Result<Vec<Cells<N, M>>, Unreadable> {
    let cells = |line: &str| line.split(',').map(|cell| cell.trim().trim_matches('"').to_owned()).collect();
    let mut lines = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty());
    let written: Vec<String> = lines.next().map(|(_, line)| cells(line)).unwrap_or_default();
    let head: Vec<String> = written.iter().map(|name| columns.meant(name)).collect();
    let named = |column: &&str| head.iter().filter(|name| name == column).count();
    let known = || columns.must.iter().chain(&columns.may);
    if let Some(missing) = columns.must.iter().find(|column| named(column) == 0) {
        return Err(argument.unreadable(format!("its first line has no column {missing}")));
    }
    if let Some((_, unknown)) =
        head.iter().zip(&written).find(|(name, _)| !known().any(|known| known == name))
    {
        return Err(
            argument.unreadable(format!("its first line has the column `{unknown}`, which is not known"))
        );
    }
    if let Some(doubled) = known().find(|column| named(column) > 1) {
        return Err(
            argument.unreadable(format!("its first line has the column {doubled} {} times", named(doubled)))
        );
    }
    let place = |column: &str| head.iter().position(|name| name == column);
    let (must, may) = (columns.must.map(place), columns.may.map(place));
    let rows = lines.map(|(number, line)| {
        let row: Vec<String> = cells(line);
        if row.len() != head.len() {
            let (found, due) = (row.len(), head.len());
            return Err(argument.unreadable(format!("line {number} has {found} cells, not {due}")));
        }
        let cell = |place: Option<usize>| place.and_then(|p| row.get(p)).cloned().unwrap_or_default();
        Ok((number, must.map(cell), may.map(cell)))
    });
    let rows = rows.collect::<Result<Vec<_>, _>>()?;
    if rows.is_empty() {
        return Err(argument.unreadable("it has no row below its first line"));
    }
    Ok(rows)
}

impl<const N: usize, const M: usize> Columns<'_, N, M> {
    /// The column that a name stands for; another name is itself.
    fn meant(&self, written: &str) -> String {
        let plain = written.to_lowercase();
        let other = self.called.iter().find(|(name, _)| *name == plain);
        other.map_or(plain, |(_, column)| (*column).to_owned())
    }
}

fn file(field: &'static str, path: &Path, accepted: &'static str) -> Result<String, Unreadable> {
    let name = path.display().to_string();
    let argument = Argument { field, text: &name, accepted };
    let length = std::fs::metadata(path).map_err(|cause| argument.unreadable(cause))?.len();
    if length > FILE_BYTES_MAX {
        return Err(argument.unreadable(format!("it is longer than {FILE_BYTES_MAX} bytes")));
    }
    let text = std::fs::read_to_string(path).map_err(|cause| argument.unreadable(cause))?;
    // A byte order mark, as spreadsheets write it, is no part of the first column's name.
    Ok(text.trim_start_matches('\u{feff}').to_owned())
}
