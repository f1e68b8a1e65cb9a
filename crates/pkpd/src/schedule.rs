//! What is given, and when: boluses and infusions, in any order, overlapping or not, late, by other ways, or so often
//! before that the body is in a steady state.

use crate::refused::{AMOUNT, Accepted, RATE, Refused, TIME};
use crate::units::{Mg, MgPerMin, Minutes};

/// Doses in one schedule, at most: a year of infusions with a rate change a minute fits.
pub const DOSES_MAX: usize = 100_000;

/// One dose into the centre.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Dose {
    /// All at once. A concentration asked for at this very time is the one after it.
    Bolus {
        /// When.
        at: Minutes,
        /// How much.
        amount: Mg,
    },
    /// At a steady rate.
    Infusion {
        /// First moment.
        start: Minutes,
        /// Last moment, after the start.
        end: Minutes,
        /// How fast.
        rate: MgPerMin,
    },
}

impl Dose {
    /// An amount given evenly over a length of time; over 0 min it is a bolus.
    #[must_use]
    pub fn over(amount: Mg, length: Minutes, start: Minutes) -> Self {
        if length.0 == 0.0 {
            Self::Bolus { at: start, amount }
        } else {
            Self::Infusion { start, end: Minutes(start.0 + length.0), rate: amount.over(length) }
        }
    }

    /// How much it gives in all.
    #[must_use]
    pub fn amount(&self) -> Mg {
        match *self {
            Self::Bolus { amount, .. } => amount,
            Self::Infusion { start, end, rate } => Mg(rate.0 * (end.0 - start.0)),
        }
    }

    /// Its first moment.
    #[must_use]
    pub fn start(&self) -> Minutes {
        match *self {
            Self::Bolus { at, .. } => at,
            Self::Infusion { start, .. } => start,
        }
    }

    /// Its last moment.
    #[must_use]
    pub fn end(&self) -> Minutes {
        match *self {
            Self::Bolus { at, .. } => at,
            Self::Infusion { end, .. } => end,
        }
    }

    /// The same, so much later.
    #[must_use]
    pub fn shifted(self, by: Minutes) -> Self {
        let later = |time: Minutes| Minutes(time.0 + by.0);
        match self {
            Self::Bolus { at, amount } => Self::Bolus { at: later(at), amount },
            Self::Infusion { start, end, rate } => {
                Self::Infusion { start: later(start), end: later(end), rate }
            }
        }
    }

    fn checked(self) -> Result<Self, Refused> {
        TIME.check(self.start().0)?;
        TIME.check(self.end().0)?;
        match self {
            Self::Bolus { amount, .. } => AMOUNT.check(amount.0)?,
            Self::Infusion { start, end, .. } if end <= start => {
                return Err(Refused::EndsBeforeStart { start: start.0, end: end.0 });
            }
            Self::Infusion { rate, .. } => RATE.check(rate.0)?,
        };
        Ok(self)
    }
}

/// One dose as it is ordered.
#[derive(Debug, Clone, PartialEq)]
pub struct Given {
    /// When, how much, how fast.
    pub dose: Dose,
    /// How much later all of it arrives, as behind the dead space of a line.
    pub lag: Minutes,
    /// From one to the next, when it was given over and over since before memory and this is the latest. The body then
    /// holds what is left of all of them; it counts from the moment of this one on and adds to whatever else is given.
    /// It may be shorter than an infusion lasts: then several run at once.
    pub steady_every: Option<Minutes>,
    /// The model's name of the way in; `None` is into the centre, as a vein.
    pub route: Option<String>,
}

impl From<Dose> for Given {
    fn from(dose: Dose) -> Self {
        Self { dose, lag: Minutes(0.0), steady_every: None, route: None }
    }
}

/// Doses that belong together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Administration {
    /// First moment.
    pub start: Minutes,
    /// Last moment.
    pub end: Minutes,
    /// In all.
    pub amount: Mg,
}

/// What is left at a moment of doses that were given at even distances since before memory.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Row {
    /// The moment.
    pub(crate) from: f64,
    /// One of them; when it began does not matter.
    pub(crate) dose: Dose,
    pub(crate) every: f64,
    /// How long before the moment the latest of them began: above 0, and `every` at most.
    pub(crate) age: f64,
}

/// Rows in one schedule, and moments at which the body is emptied: at most.
const BREAKS_MAX: usize = 1000;
/// Doses of one row that run, or are on their way, at once: at most.
const AT_ONCE_MAX: f64 = 10_000.0;
const EVERY: Accepted = Accepted { what: "time between doses", low: 1e-3, high: 1e9, unit: "min" };
const LAG: Accepted = Accepted { what: "lag", low: 0.0, high: 1e9, unit: "min" };

impl Row {
    /// Of its doses, so many still run at the moment.
    pub(crate) fn running(&self) -> usize {
        let length = self.dose.end().0 - self.dose.start().0;
        ((length - self.age) / self.every).ceil().max(0.0) as usize
    }

    /// What of these is still to come.
    fn carried(&self) -> impl Iterator<Item = Dose> + use<> {
        let Self { from, dose, every, age } = *self;
        let length = dose.end().0 - dose.start().0;
        let ends = (0..self.running()).map(move |place| from + length - age - every * place as f64);
        ends.filter(move |end| *end > from).filter_map(move |end| match dose {
            Dose::Bolus { .. } => None,
            Dose::Infusion { rate, .. } => {
                Some(Dose::Infusion { start: Minutes(from), end: Minutes(end), rate })
            }
        })
    }
}

impl Given {
    /// The doses as they arrive, and what is left of the earlier ones of their row.
    fn arriving(&self) -> Result<(Vec<Dose>, Option<Row>), Refused> {
        let dose = self.dose.checked()?;
        let lag = LAG.check(self.lag.0)?;
        let Some(every) = self.steady_every else { return Ok((vec![dose.shifted(Minutes(lag))], None)) };
        let every = EVERY.check(every.0)?;
        // Those that have set out and not yet arrived come before this one.
        let late = (lag / every).floor();
        let length = dose.end().0 - dose.start().0;
        let most = Accepted { what: "doses at once", low: 0.0, high: AT_ONCE_MAX, unit: "1" };
        most.check(late.max(length / every))?;
        let doses =
            (0..=late as usize).map(|place| dose.shifted(Minutes(lag - every * place as f64))).collect();
        let row = Row { from: dose.start().0, dose, every, age: every - (lag - every * late) };
        Ok((doses, Some(row)))
    }
}

/// Doses, checked, and cut into stretches of constant rate.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Schedule {
    doses: Vec<Dose>,
    /// What earlier doses of rows still bring.
    carried: Vec<Dose>,
    rows: Vec<Row>,
    resets: Vec<f64>,
    /// By other ways than into the centre.
    others: Vec<Given>,
    steps: Vec<Step>,
}

/// From `at` on: first what breaks with the past, then the bolus, then the rate until the next step. The last rate is 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Step {
    pub(crate) at: f64,
    pub(crate) bolus: f64,
    pub(crate) rate: f64,
    /// The body is empty here, or rows begin to count; see [`Schedule::breaks`].
    pub(crate) is_break: bool,
}

impl Schedule {
    /// Doses into the centre.
    ///
    /// # Errors
    /// A time, amount or rate that is negative, too large or not a number; an infusion that ends before it starts;
    /// more than [`DOSES_MAX`].
    pub fn new(doses: impl IntoIterator<Item = Dose>) -> Result<Self, Refused> {
        Self::of(doses.into_iter().map(Given::from), &[])
    }

    /// Doses as they are ordered, and the moments at which the body is emptied: what runs then stops there, and what
    /// begins there or later is given.
    ///
    /// ```
    /// # mod example { use pkpd::*; include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/model.rs")); }
    /// # use example::model;
    /// # use pkpd::*;
    /// let infusion = |start| Dose::over(Mg(35.0), Minutes(40.0), Minutes(start));
    /// // Two infusions two days apart, the second 3 min late as behind a line, and a body that is emptied between them.
    /// let late = Given { lag: Minutes(3.0), ..infusion(2880.0).into() };
    /// let schedule = Schedule::of([infusion(0.0).into(), late], &[Minutes(1440.0)])?;
    /// assert_eq!((schedule.amount(), schedule.end()), (Mg(70.0), Some(Minutes(2923.0))));
    ///
    /// // 10 mg every 8 h since before memory: the level repeats itself from dose to dose.
    /// let bolus = Dose::Bolus { at: Minutes(0.0), amount: Mg(10.0) };
    /// let steady = Given { steady_every: Some(Minutes(480.0)), ..bolus.into() };
    /// let again = Dose::Bolus { at: Minutes(480.0), amount: Mg(10.0) };
    /// let model = model()?;
    /// let person = model.typical(Body { weight: Kg(70.0), age: None })?;
    /// let course = person.course(&Schedule::of([steady, again.into()], &[])?, None, &[Minutes(0.0), Minutes(480.0)])?;
    /// assert!((course.plasma[0].0 / course.plasma[1].0 - 1.0).abs() < 1e-12);
    /// # Ok::<(), Refused>(())
    /// ```
    ///
    /// # Errors
    /// As [`Schedule::new`]; a lag or a time between doses that is out of range, a dose by another way that is not given
    /// at once.
    pub fn of(given: impl IntoIterator<Item = Given>, resets: &[Minutes]) -> Result<Self, Refused> {
        let mut made = Self::default();
        for reset in resets {
            made.resets.push(TIME.check(reset.0)?);
        }
        made.resets.sort_by(f64::total_cmp);
        for (count, one) in given.into_iter().enumerate() {
            if count >= DOSES_MAX {
                return Err(Refused::TooMany { what: "doses", count: count + 1, most: DOSES_MAX });
            }
            let (doses, row) = one.arriving()?;
            match (&one.route, one.dose) {
                (None, _) => {
                    made.doses.extend(doses);
                    made.carried.extend(row.iter().flat_map(Row::carried));
                    made.rows.extend(row);
                    let count = made.doses.len() + made.carried.len();
                    if count > DOSES_MAX {
                        return Err(Refused::TooMany { what: "doses", count, most: DOSES_MAX });
                    }
                }
                (Some(_), Dose::Bolus { .. }) => made.others.push(one),
                (Some(route), Dose::Infusion { .. }) => {
                    return Err(Refused::Impossible(format!(
                        "a dose by {route} is given at once, not over a time"
                    )));
                }
            }
        }
        for (what, count) in [("resets", made.resets.len()), ("doses in a steady state", made.rows.len())] {
            if count > BREAKS_MAX {
                return Err(Refused::TooMany { what, count, most: BREAKS_MAX });
            }
        }
        Ok(made.cut())
    }

    /// Stops at each reset what runs, and cuts the rest into steps.
    fn cut(mut self) -> Self {
        let resets = std::mem::take(&mut self.resets);
        for dose in self.doses.iter_mut().chain(&mut self.carried) {
            if let Dose::Infusion { start, end, .. } = dose
                && let Some(reset) = resets.iter().find(|at| **at > start.0)
            {
                end.0 = end.0.min(*reset);
            }
        }
        self.resets = resets;
        self.steps = steps(&self);
        self
    }

    /// The doses into the centre as they arrive.
    #[must_use]
    pub fn doses(&self) -> &[Dose] {
        &self.doses
    }

    /// Whether there is nothing but doses into the centre.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.rows.is_empty() && self.resets.is_empty() && self.others.is_empty()
    }

    /// Whether some of it was given over and over since before memory.
    #[must_use]
    pub fn has_rows(&self) -> bool {
        !self.rows.is_empty() || self.others.iter().any(|given| given.steady_every.is_some())
    }

    /// Doses by other ways than into the centre.
    #[must_use]
    pub fn by_other_ways(&self) -> &[Given] {
        &self.others
    }

    /// All that is given; what rows gave before memory does not count.
    #[must_use]
    pub fn amount(&self) -> Mg {
        let others = self.others.iter().map(|given| &given.dose);
        Mg(self.doses.iter().chain(others).map(|d| d.amount().0).sum())
    }

    /// Doses in groups: those with less than `washout` between the end of one and the start of the next are one
    /// administration, with its first and last moment and all that it gives. Where the body is emptied a new one begins.
    #[must_use]
    pub fn administrations(&self, washout: Minutes) -> Vec<Administration> {
        let others = self.others.iter().map(|given| &given.dose);
        let mut doses: Vec<&Dose> = self.doses.iter().chain(others).collect();
        doses.sort_by(|a, b| a.start().0.total_cmp(&b.start().0));
        let mut groups: Vec<Administration> = Vec::new();
        for dose in doses {
            let (start, end, amount) = (dose.start(), dose.end(), dose.amount());
            let is_emptied = |from: f64| self.resets.iter().any(|at| (from..=start.0).contains(at));
            match groups.last_mut() {
                Some(last) if start.0 - last.end.0 < washout.0 && !is_emptied(last.end.0) => {
                    last.end.0 = last.end.0.max(end.0);
                    last.amount.0 += amount.0;
                }
                _ => groups.push(Administration { start, end, amount }),
            }
        }
        groups
    }

    /// First moment; `None` without doses.
    #[must_use]
    pub fn start(&self) -> Option<Minutes> {
        let others = self.others.iter().map(|given| given.dose.start());
        self.steps.first().map(|s| Minutes(s.at)).into_iter().chain(others).min_by(|a, b| a.0.total_cmp(&b.0))
    }

    /// Last moment; `None` without doses.
    #[must_use]
    pub fn end(&self) -> Option<Minutes> {
        let others = self.others.iter().map(|given| given.dose.end());
        self.steps.last().map(|s| Minutes(s.at)).into_iter().chain(others).max_by(|a, b| a.0.total_cmp(&b.0))
    }

    /// The same doses, each times a ratio, as for the half of a racemate.
    ///
    /// # Errors
    /// A ratio that makes a dose negative, too large or not a number.
    pub fn scaled(&self, ratio: crate::units::Ratio) -> Result<Self, Refused> {
        let mut scaled = self.clone();
        let of_rows = scaled.rows.iter_mut().map(|row| &mut row.dose);
        let of_others = scaled.others.iter_mut().map(|given| &mut given.dose);
        for dose in scaled.doses.iter_mut().chain(&mut scaled.carried).chain(of_rows).chain(of_others) {
            match dose {
                Dose::Bolus { amount, .. } => amount.0 *= ratio.0,
                Dose::Infusion { rate, .. } => rate.0 *= ratio.0,
            }
            dose.checked()?;
        }
        Ok(scaled.cut())
    }

    /// What of it is given up to and with a moment: what runs then is cut off there.
    #[must_use]
    pub fn until(&self, moment: Minutes) -> Self {
        let mut before = self.clone();
        let is_begun = |dose: &Dose| match *dose {
            Dose::Bolus { at, .. } => at <= moment,
            Dose::Infusion { start, .. } => start < moment,
        };
        for doses in [&mut before.doses, &mut before.carried] {
            doses.retain(is_begun);
            for dose in doses {
                if let Dose::Infusion { end, .. } = dose {
                    end.0 = end.0.min(moment.0);
                }
            }
        }
        before.rows.retain(|row| row.from <= moment.0);
        before.resets.retain(|at| *at <= moment.0);
        before.others.retain(|given| is_begun(&given.dose));
        before.cut()
    }

    /// Into the centre, or wherever a way in leads: what arrives there of the doses by a route. `share` of each arrives,
    /// `lag` later, and evenly over a length of time where that is above 0.
    pub(crate) fn arriving_by(&self, route: &str, [share, lag, over]: [f64; 3]) -> Result<Self, Refused> {
        let resets: Vec<Minutes> = self.resets.iter().copied().map(Minutes).collect();
        let of_route = self.others.iter().filter(|given| given.route.as_deref() == Some(route));
        let arriving = of_route.map(|given| Given {
            dose: Dose::over(Mg(given.dose.amount().0 * share), Minutes(over), given.dose.start()),
            lag: Minutes(given.lag.0 + lag),
            steady_every: given.steady_every,
            route: None,
        });
        Self::of(arriving, &resets)
    }

    pub(crate) fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// At a step that is a break: whether the body is empty there, and the rows that count from there on.
    pub(crate) fn breaks(&self, at: f64) -> (bool, impl Iterator<Item = &Row>) {
        (self.resets.contains(&at), self.rows.iter().filter(move |row| row.from == at))
    }
}

fn steps(of: &Schedule) -> Vec<Step> {
    let doses = || of.doses.iter().chain(&of.carried);
    let mut breaks: Vec<f64> = of.resets.iter().copied().chain(of.rows.iter().map(|row| row.from)).collect();
    breaks.sort_by(f64::total_cmp);
    let mut times: Vec<f64> = doses().flat_map(|d| [d.start().0, d.end().0]).collect();
    times.extend(&breaks);
    times.sort_by(f64::total_cmp);
    times.dedup();
    let mut waiting: Vec<&Dose> = doses().collect();
    waiting.sort_by(|a, b| b.start().0.total_cmp(&a.start().0));
    let mut running: Vec<&Dose> = Vec::new();
    times
        .into_iter()
        .map(|at| {
            let mut bolus = 0.0;
            running.retain(|d| d.end().0 > at);
            while let Some(next) = waiting.pop_if(|d| d.start().0 <= at) {
                match next {
                    Dose::Bolus { amount, .. } => bolus += amount.0,
                    Dose::Infusion { .. } => running.push(next),
                }
            }
            // Summed anew each time, so that no rounding is left running when all pumps stand still.
            let rate =
                running.iter().map(|d| if let Dose::Infusion { rate, .. } = d { rate.0 } else { 0.0 }).sum();
            let is_break = breaks.binary_search_by(|x| x.total_cmp(&at)).is_ok();
            Step { at, bolus, rate, is_break }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn infusion(start: f64, end: f64, rate: f64) -> Dose {
        Dose::Infusion { start: Minutes(start), end: Minutes(end), rate: MgPerMin(rate) }
    }

    #[test]
    fn overlapping_doses_become_stretches_of_one_rate() {
        let bolus = Dose::Bolus { at: Minutes(20.0), amount: Mg(3.0) };
        let schedule =
            Schedule::new([infusion(10.0, 30.0, 0.2), bolus, infusion(0.0, 20.0, 0.1)]).expect("valid");
        let found: Vec<_> = schedule.steps().iter().map(|s| (s.at, s.bolus, s.rate)).collect();
        assert_eq!(found, [(0.0, 0.0, 0.1), (10.0, 0.0, 0.1 + 0.2), (20.0, 3.0, 0.2), (30.0, 0.0, 0.0)]);
        assert_eq!(schedule.amount(), Mg(9.0));
    }

    #[test]
    fn until_a_moment_only_what_was_given_by_then() {
        let bolus = |at| Dose::Bolus { at: Minutes(at), amount: Mg(3.0) };
        let schedule =
            Schedule::new([infusion(0.0, 20.0, 0.5), infusion(10.0, 30.0, 1.0), bolus(10.0), bolus(11.0)])
                .expect("valid");
        let expected = Schedule::new([infusion(0.0, 10.0, 0.5), bolus(10.0)]).expect("valid");
        assert_eq!(schedule.until(Minutes(10.0)), expected);
        assert_eq!(schedule.until(Minutes(99.0)), schedule);
        assert_eq!(schedule.until(Minutes(-1.0)), Schedule::default());
    }

    #[test]
    fn impossible_doses_are_refused_with_their_numbers() {
        let refused = |dose| Schedule::new([dose]).expect_err("impossible").to_string();
        assert_eq!(
            refused(infusion(5.0, 5.0, 1.0)),
            "the infusion from 5 min ends at 5 min; the end must come after the start"
        );
        assert_eq!(
            refused(infusion(0.0, 5.0, -1.0)),
            "infusion rate is -1 mg/min; accepted is 0 to 1000000000 mg/min"
        );
        assert!(refused(infusion(f64::NAN, 5.0, 1.0)).starts_with("time is NaN min"));
        assert!(refused(Dose::over(Mg(1.0), Minutes(f64::NAN), Minutes(0.0))).starts_with("time is NaN min"));
        assert!(
            refused(Dose::Bolus { at: Minutes(0.0), amount: Mg(f64::INFINITY) })
                .starts_with("dose is inf mg")
        );
    }
}
