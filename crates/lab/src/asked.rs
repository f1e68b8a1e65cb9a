//! Reads what is typed: doses, times, weights and levels, each with its unit. A number may be written as any
//! decimal; a unit is never guessed.

use clinic::dose::parse::Unreadable;
use pkpd::{Dose, Kg, Mg, MgPerMin, Minutes, NgPerMl, PerMin, Years};
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
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AskedDose {
    start: Minutes,
    size: Size,
    /// From one start to the next, and how many there are.
    every: Minutes,
    times: u32,
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
                                min at T min\" or \"X mg/min for D min at T min\", each with \"every T min N times\" \
                                after it; without `at` it is at 0 min";

    /// Reads one of the four forms.
    ///
    /// # Errors
    /// [`Unreadable`].
    pub fn read(field: &'static str, text: &str) -> Result<Self, Unreadable> {
        let argument = Argument { field, text, accepted: Self::ACCEPTED };
        let words: Vec<&str> = text.split_whitespace().collect();
        let (words, every, times) = match words.as_slice() {
            [first @ .., "every", length, "min", times, "times"] => {
                (first, argument.above_0(length)?, argument.times(times)?)
            }
            [.., "times"] => return Err(argument.unreadable("it does not say `every T min N times`")),
            all => (all, 0.0, 1),
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
        Ok(Self { start: Minutes(start), size, every: Minutes(every), times, is_by_weight })
    }

    /// As it is given to a person of this weight, each time. Infusions longer than the time between them add.
    pub fn each_for_weight(&self, weight: Kg) -> impl Iterator<Item = Dose> {
        let (first, every) = (self.for_weight(weight), self.every);
        (0..self.times).map(move |place| {
            let later = |time: Minutes| Minutes(time.0 + every.0 * f64::from(place));
            match first {
                Dose::Bolus { at, amount } => Dose::Bolus { at: later(at), amount },
                Dose::Infusion { start, end, rate } => {
                    Dose::Infusion { start: later(start), end: later(end), rate }
                }
            }
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

/// Doses in absolute mg: rows of `start_min,duration_min,amount_mg`; a duration of 0 is a bolus, and rows that
/// overlap add.
///
/// # Errors
/// [`Unreadable`], with the line.
pub fn dose_file(field: &'static str, path: &Path) -> Result<Vec<Dose>, Unreadable> {
    let accepted = "a CSV file with the columns start_min,duration_min,amount_mg, none of them text";
    let rows = rows(field, path, accepted, ["start_min", "duration_min", "amount_mg"])?;
    let name = path.display().to_string();
    let argument = Argument { field, text: &name, accepted };
    rows.iter()
        .map(|(line, cells)| {
            let told = |cause: Unreadable| Unreadable { why: format!("line {line}: {}", cause.why), ..cause };
            argument.dose_row(cells).map_err(told)
        })
        .collect()
}

/// The same rows that a program has in memory.
///
/// # Errors
/// [`Unreadable`], with the row.
pub fn dose_rows(field: &'static str, rows: &[[f64; 3]]) -> Result<Vec<Dose>, Unreadable> {
    let accepted = "rows of start_min, duration_min, amount_mg; a duration of 0 is a bolus";
    let read = |row: &[f64; 3]| {
        let text = format!("{row:?}");
        Argument { field, text: &text, accepted }.dose_row(&row.map(|cell| cell.to_string()))
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
    let places = columns.map(|column| place(column).unwrap_or_default());
    lines
        .map(|(number, line)| {
            let row: Vec<String> = cells(line);
            if row.len() != head.len() {
                let (found, due) = (row.len(), head.len());
                return Err(argument.unreadable(format!("line {number} has {found} cells, not {due}")));
            }
            Ok((number, places.map(|place| row.get(place).cloned().unwrap_or_default())))
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

    fn read(text: &str) -> Vec<Dose> {
        AskedDose::read("--dose", text)
            .unwrap_or_else(|wrong| panic!("{wrong}"))
            .each_for_weight(Kg(80.0))
            .collect()
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
    fn a_dose_that_is_not_wholly_understood_is_refused() {
        let whole = "0.5 mg/kg over 40 min at 10 min every 2880 min 3 times";
        let words: Vec<&str> = whole.split(' ').collect();
        for gone in 0..words.len() {
            let rest: Vec<&str> =
                words.iter().enumerate().filter(|(place, _)| *place != gone).map(|(_, word)| *word).collect();
            let text = rest.join(" ");
            assert!(AskedDose::read("--dose", &text).is_err(), "`{text}` was read without `{}`", words[gone]);
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
