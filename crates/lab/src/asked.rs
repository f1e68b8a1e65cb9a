//! Reads what is typed: doses, times, weights and levels, each with its unit. A number may be written as any
//! decimal; a unit is never guessed.

use clinic::dose::parse::Unreadable;
use pkpd::{Dose, Given, Kg, Mg, MgPerMin, Minutes, NgPerMl, PerMin, Years};
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

    fn above_0(&self, word: &str) -> Result<f64, Unreadable> {
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

/// A dose as it was asked for; by weight or not.
#[derive(Debug, Clone, PartialEq)]
pub struct AskedDose {
    start: Minutes,
    size: Size,
    /// From one start to the next, and how many there are.
    every: Minutes,
    times: u32,
    /// Whether it was given so since before memory.
    is_steady: bool,
    lag: Minutes,
    /// The model's name of the way in; into a vein where there is none.
    pub route: Option<String>,
    /// Whether `size` is for each kilogram of weight.
    pub is_by_weight: bool,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Size {
    /// All at once.
    Bolus(Mg),
    /// An amount, evenly over a time.
    Over(Mg, Minutes),
    /// A rate, for a time.
    For(MgPerMin, Minutes),
}

impl AskedDose {
    /// What is accepted, in words.
    pub const ACCEPTED: &str = "\"X mg bolus at T min\", \"X mg over D min at T min\" (in mg or mg/kg), \"X mg/kg/h for D \
                                min at T min\" or \"X mg/min for D min at T min\"; after it \"every T min N times\" or \
                                \"every T min steady\" (so since before memory), then \"lag L min\", then \"route NAME\" \
                                as the model has it; without `at` it is at 0 min";

    /// Reads one of the four forms.
    ///
    /// # Errors
    /// [`Unreadable`].
    pub fn read(field: &'static str, text: &str) -> Result<Self, Unreadable> {
        let argument = Argument { field, text, accepted: Self::ACCEPTED };
        let words: Vec<&str> = text.split_whitespace().collect();
        let (words, route) = match words.as_slice() {
            [first @ .., "route", name] => (first, Some((*name).to_owned())),
            all => (all, None),
        };
        let (words, lag) = match words {
            [first @ .., "lag", length, "min"] => (first, argument.not_below_0(length)?),
            all => (all, 0.0),
        };
        let (words, every, times, is_steady) = match words {
            [first @ .., "every", length, "min", times, "times"] => {
                (first, argument.above_0(length)?, argument.times(times)?, false)
            }
            [first @ .., "every", length, "min", "steady"] => (first, argument.above_0(length)?, 1, true),
            [.., "times" | "steady"] => {
                let why = "it does not say `every T min N times` or `every T min steady`";
                return Err(argument.unreadable(why));
            }
            all => (all, 0.0, 1, false),
        };
        let (words, start) = match words {
            [first @ .., "at", time, "min"] => (first, argument.number(time)?),
            [.., "at", _] => return Err(argument.unreadable("the time after `at` is not in min")),
            all => (all, 0.0),
        };
        let (size, is_by_weight) = match words {
            [size, unit, "bolus"] => {
                let (amount, is_by_weight) = argument.amount(size, unit)?;
                (Size::Bolus(amount), is_by_weight)
            }
            [size, unit, "over", length, "min"] => {
                let (amount, is_by_weight) = argument.amount(size, unit)?;
                (Size::Over(amount, Minutes(argument.above_0(length)?)), is_by_weight)
            }
            [size, unit, "for", length, "min"] => {
                let (rate, is_by_weight) = argument.rate(size, unit)?;
                (Size::For(rate, Minutes(argument.above_0(length)?)), is_by_weight)
            }
            [.., "over" | "for", _] => return Err(argument.unreadable("its length is not in min")),
            _ => return Err(argument.unreadable("it has none of the forms of a dose")),
        };
        let (start, every, lag) = (Minutes(start), Minutes(every), Minutes(lag));
        Ok(Self { start, size, every, times, is_steady, lag, route, is_by_weight })
    }

    /// As it is given to a person who has a weight at each moment, each time. Infusions longer than the time between
    /// them add.
    pub fn each_for_weight(&self, weight: impl Fn(Minutes) -> Kg) -> impl Iterator<Item = Given> {
        (0..self.times).map(move |place| {
            let later = Minutes(self.every.0 * f64::from(place));
            let dose = self.for_weight(weight(Minutes(self.start.0 + later.0))).shifted(later);
            let steady_every = self.is_steady.then_some(self.every);
            Given { dose, lag: self.lag, steady_every, route: self.route.clone() }
        })
    }

    /// The first of it, as it is given to a person of this weight.
    #[must_use]
    pub fn for_weight(&self, weight: Kg) -> Dose {
        let times = if self.is_by_weight { weight.0 } else { 1.0 };
        match self.size {
            Size::Bolus(amount) => Dose::Bolus { at: self.start, amount: Mg(amount.0 * times) },
            Size::Over(amount, length) => Dose::over(Mg(amount.0 * times), length, self.start),
            Size::For(rate, length) => Dose::Infusion {
                start: self.start,
                end: Minutes(self.start.0 + length.0),
                rate: MgPerMin(rate.0 * times),
            },
        }
    }
}

impl Argument<'_> {
    fn amount(&self, size: &str, unit: &str) -> Result<(Mg, bool), Unreadable> {
        let size = Mg(self.not_below_0(size)?);
        match unit {
            "mg" => Ok((size, false)),
            "mg/kg" => Ok((size, true)),
            _ => Err(self.unreadable(format!("`{unit}` is not mg or mg/kg"))),
        }
    }

    fn times(&self, word: &str) -> Result<u32, Unreadable> {
        let most = pkpd::DOSES_MAX as u32;
        let times = word.parse().ok().filter(|times| (1..=most).contains(times));
        times.ok_or_else(|| self.unreadable(format!("`{word}` times is not 1 to {most} times")))
    }

    fn rate(&self, size: &str, unit: &str) -> Result<(MgPerMin, bool), Unreadable> {
        let size = self.not_below_0(size)?;
        match unit {
            "mg/min" => Ok((MgPerMin(size), false)),
            "mg/kg/h" => Ok((MgPerMin(size / HOUR), true)),
            _ => Err(self.unreadable(format!("`{unit}` is not mg/min or mg/kg/h"))),
        }
    }
}

/// Times at which levels are asked for: `from:to:step`, a list, or `@FILE` with one time a line; in minutes.
///
/// # Errors
/// [`Unreadable`]; times that do not rise.
pub fn times(field: &'static str, text: &str) -> Result<Vec<Minutes>, Unreadable> {
    let accepted =
        "rising times in min: \"0:240:1\" (from:to:step), \"0,10,40\", or @FILE with one time a line";
    let argument = Argument { field, text, accepted };
    let times = if let Some(path) = text.strip_prefix('@') {
        let read = file(field, Path::new(path), accepted)?;
        let lines = read.lines().map(str::trim).filter(|line| !line.is_empty());
        lines.map(|line| argument.number(line)).collect::<Result<Vec<_>, _>>()?
    } else if text.contains(':') {
        argument.grid()?
    } else {
        text.split(',').map(|word| argument.number(word.trim())).collect::<Result<_, _>>()?
    };
    argument.rising(times)
}

/// The same times, in minutes, that a program has in memory.
///
/// # Errors
/// [`Unreadable`], with the time.
pub fn moments(field: &'static str, times: &[f64]) -> Result<Vec<Minutes>, Unreadable> {
    let text = format!("{} times", times.len());
    let argument = Argument { field, text: &text, accepted: "rising times in min" };
    argument.rising(times.iter().map(|time| argument.number(&time.to_string())).collect::<Result<_, _>>()?)
}

impl Argument<'_> {
    /// Times in min that do not fall.
    fn rising(&self, times: Vec<f64>) -> Result<Vec<Minutes>, Unreadable> {
        if let Some(pair) = times.windows(2).find(|pair| pair[1] < pair[0]) {
            return Err(self.unreadable(format!("{} min comes after {} min", pair[1], pair[0])));
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

/// Columns that a file of doses may have beside the three that it must have.
const MORE: [&str; 5] = ["ii_min", "addl", "ss", "lag_min", "route"];

/// Doses in absolute mg: rows of `start_min,duration_min,amount_mg`; a duration of 0 is a bolus, and rows that
/// overlap add. Columns that may be there, as pharmacometricians name them: `ii_min` from one to the next with `addl`
/// more of them, or with `ss` 1 when it was given so since before memory; `lag_min`; `route` as the model has it.
///
/// # Errors
/// [`Unreadable`], with the line.
pub fn dose_file(field: &'static str, path: &Path) -> Result<Vec<Given>, Unreadable> {
    let accepted = "a CSV file with the columns start_min,duration_min,amount_mg, none of them text, and perhaps \
                    ii_min,addl,ss,lag_min,route";
    let columns = ["start_min", "duration_min", "amount_mg"];
    let rows = rows_with(field, path, accepted, columns, MORE)?;
    let name = path.display().to_string();
    let argument = Argument { field, text: &name, accepted };
    let mut given = Vec::new();
    for (line, cells, more) in &rows {
        let told = |cause: Unreadable| Unreadable { why: format!("line {line}: {}", cause.why), ..cause };
        let dose = argument.dose_row(cells).map_err(told)?;
        given.extend(argument.repeated(dose, more).map_err(told)?);
    }
    Ok(given)
}

impl Argument<'_> {
    /// One row of a file with what may stand beside the dose; an empty cell says nothing.
    fn repeated(&self, dose: Dose, more: &[String; 5]) -> Result<Vec<Given>, Unreadable> {
        let [every, more_of_them, steady, lag, route] = more;
        let told = |column: &str, why: Unreadable| self.unreadable(format!("{column}: {}", why.why));
        let number = |column: &str, cell: &String| match cell.as_str() {
            "" => Ok(0.0),
            text => self.not_below_0(text).map_err(|why| told(column, why)),
        };
        let (every, lag) = (number("ii_min", every)?, Minutes(number("lag_min", lag)?));
        let route = match route.as_str() {
            "" | "iv" => None,
            name => Some(name.to_owned()),
        };
        let count = number("addl", more_of_them)?;
        if count.fract() != 0.0 || count >= pkpd::DOSES_MAX as f64 {
            return Err(
                self.unreadable(format!("addl is {count}; it is a whole number below {}", pkpd::DOSES_MAX))
            );
        }
        let is_steady = match steady.as_str() {
            "" | "0" => false,
            "1" => true,
            other => return Err(self.unreadable(format!("ss is `{other}`; it is 0 or 1"))),
        };
        if every == 0.0 && (is_steady || count > 0.0) {
            return Err(self.unreadable("addl and ss need ii_min above 0"));
        }
        let first = Given { dose, lag, steady_every: is_steady.then_some(Minutes(every)), route };
        let further = (1..=count as u32).map(|place| {
            let dose = dose.shifted(Minutes(every * f64::from(place)));
            Given { dose, steady_every: None, ..first.clone() }
        });
        Ok(std::iter::once(first.clone()).chain(further).collect())
    }
}

/// The same rows that a program has in memory.
///
/// # Errors
/// [`Unreadable`], with the row.
pub fn dose_rows(field: &'static str, rows: &[[f64; 3]]) -> Result<Vec<Given>, Unreadable> {
    let accepted = "rows of start_min, duration_min, amount_mg; a duration of 0 is a bolus";
    let read = |row: &[f64; 3]| {
        let text = format!("{row:?}");
        let dose = Argument { field, text: &text, accepted }.dose_row(&row.map(|cell| cell.to_string()));
        dose.map(Given::from)
    };
    rows.iter().map(read).collect()
}

impl Argument<'_> {
    fn dose_row(&self, [start, length, amount]: &[String; 3]) -> Result<Dose, Unreadable> {
        let (start, length) = (self.number(start)?, self.not_below_0(length)?);
        Ok(Dose::over(Mg(self.not_below_0(amount)?), Minutes(length), Minutes(start)))
    }
}

/// The cells of some columns of a CSV file, each row with its line number. Further columns do not matter.
///
/// # Errors
/// A file that cannot be read, a column that is not there, a row that is too short.
pub fn rows<const N: usize>(
    field: &'static str,
    path: &Path,
    accepted: &'static str,
    columns: [&str; N],
) -> Result<Vec<(usize, [String; N])>, Unreadable> {
    let rows = rows_with(field, path, accepted, columns, [])?;
    Ok(rows.into_iter().map(|(line, cells, [])| (line, cells)).collect())
}

/// A row of a CSV file: its line number, the cells that must be there, and those that may be, empty where not.
type Cells<const N: usize, const M: usize> = (usize, [String; N], [String; M]);

/// The same with columns that may be there.
///
/// # Errors
/// As [`rows`].
pub fn rows_with<const N: usize, const M: usize>(
    field: &'static str,
    path: &Path,
    accepted: &'static str,
    columns: [&str; N],
    more: [&str; M],
) -> Result<Vec<Cells<N, M>>, Unreadable> {
    let name = path.display().to_string();
    let argument = Argument { field, text: &name, accepted };
    let text = file(field, path, accepted)?;
    let cells = |line: &str| line.split(',').map(|cell| cell.trim().trim_matches('"').to_owned()).collect();
    let mut lines = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty());
    let head: Vec<String> = lines.next().map(|(_, line)| cells(line)).unwrap_or_default();
    let place = |column: &str| head.iter().position(|name| name == column);
    if let Some(missing) = columns.iter().find(|column| place(column).is_none()) {
        return Err(argument.unreadable(format!("its first line has no column {missing}")));
    }
    let (places, more) = (columns.map(place), more.map(place));
    lines
        .map(|(number, line)| {
            let row: Vec<String> = cells(line);
            if row.len() != head.len() {
                let (found, due) = (row.len(), head.len());
                return Err(argument.unreadable(format!("line {number} has {found} cells, not {due}")));
            }
            let cell = |place: Option<usize>| place.and_then(|p| row.get(p)).cloned().unwrap_or_default();
            Ok((number, places.map(cell), more.map(cell)))
        })
        .collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    fn given(text: &str) -> Vec<Given> {
        let asked = AskedDose::read("--dose", text).unwrap_or_else(|wrong| panic!("{wrong}"));
        asked.each_for_weight(|_| Kg(80.0)).collect()
    }

    fn read(text: &str) -> Vec<Dose> {
        given(text).into_iter().map(|given| given.dose).collect()
    }

    #[test]
    fn each_form_is_read_with_its_unit() {
        let infusion = |start, end, rate| {
            vec![Dose::Infusion { start: Minutes(start), end: Minutes(end), rate: MgPerMin(rate) }]
        };
        assert_eq!(read("12.5 mg bolus at 3 min"), [Dose::Bolus { at: Minutes(3.0), amount: Mg(12.5) }]);
        assert_eq!(read("0.25 mg/kg bolus"), [Dose::Bolus { at: Minutes(0.0), amount: Mg(20.0) }]);
        assert_eq!(read("0.5 mg/kg over 40 min"), infusion(0.0, 40.0, 1.0));
        assert_eq!(read("40 mg over 40 min at 10 min"), infusion(10.0, 50.0, 1.0));
        assert_eq!(read("1.5 mg/kg/h for 30 min at 5 min"), infusion(5.0, 35.0, 2.0));
        assert_eq!(read(" 2  mg/min for 1e1 min "), infusion(0.0, 10.0, 2.0));
    }

    #[test]
    fn a_repeated_dose_is_that_many_doses() {
        let found = read("0.5 mg/kg over 40 min at 10 min every 2880 min 3 times");
        let starts: Vec<f64> = found.iter().map(|dose| dose.start().0).collect();
        assert_eq!(starts, [10.0, 2890.0, 5770.0]);
        assert!(found.iter().all(|dose| (dose.amount().0 - 40.0).abs() < 1e-9));
    }

    #[test]
    fn what_comes_after_a_dose_is_read_in_its_order() {
        let late = &given("28 mg bolus at 5 min every 480 min steady lag 3 min route intranasal")[0];
        assert_eq!(late.dose, Dose::Bolus { at: Minutes(5.0), amount: Mg(28.0) });
        assert_eq!((late.lag, late.steady_every), (Minutes(3.0), Some(Minutes(480.0))));
        assert_eq!(late.route.as_deref(), Some("intranasal"));
        assert!(AskedDose::read("--dose", "28 mg bolus route intranasal at 5 min").is_err());
        assert!(AskedDose::read("--dose", "28 mg bolus lag -3 min").is_err());
    }

    #[test]
    fn each_dose_by_weight_goes_by_the_weight_of_its_day() {
        let asked = AskedDose::read("--dose", "1 mg/kg bolus every 60 min 3 times").expect("a dose");
        let weight = |at: Minutes| Kg(if at.0 < 60.0 { 80.0 } else { 70.0 });
        let amounts: Vec<f64> = asked.each_for_weight(weight).map(|given| given.dose.amount().0).collect();
        assert_eq!(amounts, [80.0, 70.0, 70.0]);
    }

    #[test]
    fn a_dose_that_is_not_wholly_understood_is_refused() {
        for whole in [
            "0.5 mg/kg over 40 min at 10 min every 2880 min 3 times lag 2 min route vein",
            "0.5 mg/kg over 40 min at 10 min every 2880 min steady",
        ] {
            let words: Vec<&str> = whole.split(' ').collect();
            for gone in 0..words.len() {
                let others = words.iter().enumerate().filter(|(place, _)| *place != gone);
                let text = others.map(|(_, word)| *word).collect::<Vec<_>>().join(" ");
                let read = AskedDose::read("--dose", &text);
                assert!(read.is_err(), "`{text}` was read without `{}`", words[gone]);
            }
        }
        for text in [
            "1 mg bolus every 60 min 0 times",
            "1 mg bolus every 0 min 2 times",
            "1 mg bolus every 60 min 1.5 times",
            "1 mg bolus every 60 min 1000000000 times",
        ] {
            assert!(AskedDose::read("--dose", text).is_err(), "{text}");
        }
    }
}
