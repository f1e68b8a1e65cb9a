//! A dose as it is typed or stands in a file.

use super::{Argument, Columns, HOUR, rows};
use clinic::dose::parse::Unreadable;
use pkpd::{Dose, Given, Kg, Mg, MgPerMin, Minutes};
use std::path::Path;

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
                                \"every T min steady\" (so since before memory; \"every T min N times steady\" goes on \
                                after it), then \"lag L min\", then \"route NAME\" \
                                as the model has it; without `at` it is at 0 min";

    /// Reads one of the four forms.
    ///
    /// # Errors
    /// [`Unreadable`].
    pub fn read(field: &'static str, text: &str) -> Result<Self, Unreadable> {
        let argument = Argument { field, text, accepted: Self::ACCEPTED };
        let words: Vec<&str> = text.split_whitespace().collect();
        let (words, route) = match words.as_slice() {
            [first @ .., "route", name] => (first, way_in(name)),
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
            [first @ .., "every", length, "min", times, "times", "steady"] => {
                (first, argument.above_0(length)?, argument.times(times)?, true)
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
            let steady_every = (self.is_steady && place == 0).then_some(self.every);
            Given { dose, lag: self.lag, steady_every, route: self.route.clone() }
        })
    }

    /// What a reader of levels has to know of a steady state (SS of NONMEM).
    #[must_use]
    pub fn note(&self) -> Option<String> {
        let begin = self.start;
        let after = match self.times {
            1 => "no dose comes after it (`every T min N times steady` goes on)".to_owned(),
            times => format!("it is the first of {times} doses"),
        };
        self.is_steady.then(|| {
            format!(
                "`steady`: at {begin} the level is that of steady state; before it there is none, and {after}"
            )
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

/// The model's name of a way in; none for a vein, which is where a dose goes that says nothing.
fn way_in(name: &str) -> Option<String> {
    let is_vein = ["", "iv", "intravenous", "vein"].contains(&name.to_lowercase().as_str());
    (!is_vein).then(|| name.to_owned())
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

/// Columns that a file of doses may have beside the three that it must have.
const MORE: [&str; 7] = ["ii_min", "addl", "ss", "lag_min", "route", "rate_mg_min", "rate_ml_h"];
/// Share of a rate by which it may differ from amount and time: what the rounding of a printed plan does not reach.
const RATE_ROUNDED: f64 = 1e-3;

/// Doses in absolute mg: rows of `start_min,duration_min,amount_mg`; a duration of 0 is a bolus, and rows that
/// overlap add. Columns that may be there, as pharmacometricians name them: `ii_min` from one to the next with `addl`
/// more of them, or with `ss` 1 when it was given so since before memory; `lag_min`; `route` as the model has it. What a
/// plan prints is read as it is; any other column is refused.
///
/// # Errors
/// [`Unreadable`], with the line.
pub fn dose_file(field: &'static str, path: &Path) -> Result<Vec<Given>, Unreadable> {
    let accepted = "a CSV file with the columns start_min,duration_min,amount_mg, none of them text, and perhaps \
                    ii_min,addl,ss,lag_min,route";
    let columns = Columns { must: ["start_min", "duration_min", "amount_mg"], may: MORE, called: &[] };
    let rows = rows(field, path, accepted, &columns)?;
    let name = path.display().to_string();
    let argument = Argument { field, text: &name, accepted };
    let (mut given, mut ml_per_h) = (Vec::new(), Vec::new());
    for (line, cells, more) in &rows {
        let told = |cause| Argument::at_line(*line, cause);
        let dose = argument.dose_row(cells).map_err(told)?;
        let [every, more_of_them, steady, lag, route, mg_min, ml_h] = more;
        argument.same_rate(&dose, mg_min).map_err(told)?;
        if !ml_h.is_empty() {
            ml_per_h.push((*line, dose, argument.not_below_0(ml_h).map_err(told)?));
        }
        given.extend(argument.repeated(dose, [every, more_of_them, steady, lag, route]).map_err(told)?);
    }
    argument.one_strength(&ml_per_h)?;
    Ok(given)
}

impl Argument<'_> {
    /// Refuses a rate that is not that of the amount over its time.
    fn same_rate(&self, dose: &Dose, mg_min: &str) -> Result<(), Unreadable> {
        let Dose::Infusion { rate, .. } = *dose else { return Ok(()) };
        if mg_min.is_empty() {
            return Ok(());
        }
        let said = self.not_below_0(mg_min)?;
        if (said - rate.0).abs() <= RATE_ROUNDED * rate.0 {
            return Ok(());
        }
        let of_row = rate.0;
        Err(self.unreadable(format!(
            "rate_mg_min says {said}, and amount_mg over duration_min is {of_row:.6} mg/min: one of them is wrong"
        )))
    }

    /// Refuses rates in mL/h by more than one strength: a file says none, and one syringe has one.
    fn one_strength(&self, rows: &[(usize, Dose, f64)]) -> Result<(), Unreadable> {
        let of_row = |(line, dose, ml_h): &(usize, Dose, f64)| match dose {
            Dose::Infusion { rate, .. } if rate.0 > 0.0 || *ml_h > 0.0 => Some((*line, rate.0 * HOUR / ml_h)),
            _ => None,
        };
        let strengths: Vec<(usize, f64)> = rows.iter().filter_map(of_row).collect();
        let Some((_, first)) = strengths.first() else { return Ok(()) };
        let differs =
            |strength: f64| !strength.is_finite() || (strength - first).abs() > RATE_ROUNDED * first;
        match strengths.iter().find(|(_, strength)| differs(*strength)) {
            None => Ok(()),
            Some((line, strength)) => Err(Self::at_line(
                *line,
                self.unreadable(format!(
                    "by rate_ml_h the strength is {strength:.4} mg/mL, and {first:.4} mg/mL in the first row"
                )),
            )),
        }
    }

    /// One row of a file with what may stand beside the dose; an empty cell says nothing.
    fn repeated(&self, dose: Dose, more: [&String; 5]) -> Result<Vec<Given>, Unreadable> {
        let [every, more_of_them, steady, lag, route] = more;
        let told = |column: &str, why: Unreadable| self.unreadable(format!("{column}: {}", why.why));
        let number = |column: &str, cell: &String| match cell.as_str() {
            "" => Ok(0.0),
            text => self.not_below_0(text).map_err(|why| told(column, why)),
        };
        let (every, lag) = (number("ii_min", every)?, Minutes(number("lag_min", lag)?));
        let route = way_in(route);
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
        if every > 0.0 && !is_steady && count == 0.0 {
            return Err(self.unreadable("ii_min says nothing without addl or ss"));
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
    fn a_steady_dose_may_go_on_and_is_steady_once() {
        let steady = |text| given(text).iter().map(|given| given.steady_every).collect::<Vec<_>>();
        let day = Some(Minutes(1440.0));
        assert_eq!(steady("1 mg bolus every 1440 min 3 times steady"), [day, None, None]);
        assert_eq!(steady("1 mg bolus every 1440 min steady"), [day]);
        let starts: Vec<f64> = read("1 mg bolus at 5 min every 60 min 2 times steady")
            .iter()
            .map(|dose| dose.start().0)
            .collect();
        assert_eq!(starts, [5.0, 65.0]);
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
