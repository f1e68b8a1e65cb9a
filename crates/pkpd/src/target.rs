//! Rates that reach and hold a level, from what was really delivered so far (Shafer and Gregg 1992, J Pharmacokinet
//! Biopharm 20:147, in the form that needs no iteration).

use crate::person::Individual;
use crate::refused::{Accepted, RATE, Refused, TIME};
use crate::response::{Held, Response};
use crate::schedule::{Dose, Schedule};
use crate::units::{MgPerMin, Minutes, NG_PER_ML_IN_MG_PER_L, NgPerMl, PerMin};

/// Where a level is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aim {
    /// In plasma.
    Plasma,
    /// At the effect site, without ever passing it there.
    Effect,
}

/// A level that is wanted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Goal {
    /// Where.
    pub aim: Aim,
    /// How high.
    pub level: NgPerMl,
    /// How the effect site follows the plasma.
    pub ke0: PerMin,
}

/// What a pump can do.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pump {
    /// Fastest.
    pub rate_max: MgPerMin,
    /// Smallest difference between two rates; rates are rounded down to it and the rest is made up later. 0 is none.
    pub resolution: MgPerMin,
    /// How long a rate stays.
    pub interval: Minutes,
}

/// What is steered.
#[derive(Debug, Clone, Copy)]
pub struct Steering<'a> {
    /// Whom, by which model.
    pub person: &'a Individual<'a>,
    /// Delivered until now, in mg of what the model describes. Doses after now do not count.
    pub delivered: &'a Schedule,
    /// This moment.
    pub now: Minutes,
    /// Last moment.
    pub until: Minutes,
}

/// The highest steady rate under a limit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Highest {
    /// This rate until the end, and the limit is met but not passed, then or later.
    Rate(MgPerMin),
    /// The limit is passed even when nothing more is given.
    PassedAnyway {
        /// Highest level that will be seen.
        peak: NgPerMl,
    },
}

const INTERVALS_MAX: usize = 100_000;
/// A plan is looked at as often as this, min, however long a rate stays.
const LOOK: f64 = 1.0 / 6.0;
/// Points at which one future is looked at while its rate runs.
const POINTS: usize = 720;

/// Rates, interval by interval, that bring the person to the goal as fast as the pump can and hold it there.
/// Neighbouring intervals of one rate are one dose.
///
/// ```
/// # mod example { use pkpd::*; include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/model.rs")); }
/// # use example::model;
/// # use pkpd::*;
/// let model = model()?;
/// let person = model.typical(Body { weight: Kg(70.0), age: None })?;
/// let (delivered, now, until) = (Schedule::default(), Minutes(0.0), Minutes(60.0));
/// let steering = Steering { person: &person, delivered: &delivered, now, until };
/// let ke0 = PerMin::from_half_life(Minutes(8.3));
/// let goal = Goal { aim: Aim::Effect, level: NgPerMl(100.0), ke0 };
/// let pump = Pump { rate_max: MgPerMin(10.0), resolution: MgPerMin(0.01), interval: Minutes(1.0) };
///
/// let rates = Schedule::new(steer(&steering, &goal, &pump)?)?;
/// let at: Vec<Minutes> = (0..=60).map(|minute| Minutes(f64::from(minute))).collect();
/// let effect = person.course(&rates, Some(ke0), &at)?.effect.unwrap_or_default();
/// assert!(effect.iter().all(|level| level.0 <= 100.0) && effect[60].0 > 99.0);
/// # Ok::<(), Refused>(())
/// ```
///
/// # Errors
/// A goal, pump or time that is no number, or more than 100,000 intervals.
pub fn steer(steering: &Steering, goal: &Goal, pump: &Pump) -> Result<Vec<Dose>, Refused> {
    let level = goal.checked()?;
    let rate_max = RATE.check(pump.rate_max.0)?;
    Accepted { what: "resolution of the pump", ..RATE }.check(pump.resolution.0)?;
    let interval =
        Accepted { what: "interval", low: 1e-3, high: 1440.0, unit: "min" }.check(pump.interval.0)?;
    let (now, until) = steering.checked()?;
    // What rounding leaves after the last interval is none.
    let count = ((until - now) / interval * (1.0 - 1e-12)).ceil() as usize;
    if count > INTERVALS_MAX {
        return Err(Refused::TooMany { what: "intervals", count, most: INTERVALS_MAX });
    }
    let response = Response::new(steering.person.parent(), goal.ke0.0);
    response.check(steering.delivered)?;
    let outlook = Outlook::new(&response, goal, interval, interval.min(LOOK));
    let mut held = response.held(steering.delivered, now);
    let mut rates: Vec<Dose> = Vec::new();
    for i in 0..count {
        let start = now + interval * i as f64;
        let end = if i + 1 == count { until } else { now + interval * (i + 1) as f64 };
        let wanted = outlook.highest(&held, level).clamp(0.0, rate_max);
        let rate = pump.down_to(wanted);
        held = response.advanced(&held, rate, end - start);
        match rates.last_mut() {
            Some(Dose::Infusion { end: last, rate: same, .. }) if same.0 == rate => last.0 = end,
            _ => {
                rates.push(Dose::Infusion { start: Minutes(start), end: Minutes(end), rate: MgPerMin(rate) })
            }
        }
    }
    Ok(rates)
}

/// The highest rate that may run from now until the end without the goal's level being passed, then or ever after.
///
/// # Errors
/// A goal or time that is no number.
pub fn highest_rate(steering: &Steering, goal: &Goal) -> Result<Highest, Refused> {
    let level = goal.checked()?;
    let (now, until) = steering.checked()?;
    let response = Response::new(steering.person.parent(), goal.ke0.0);
    response.check(steering.delivered)?;
    let held = response.held(steering.delivered, now);
    let outlook = Outlook::new(&response, goal, until - now, (until - now) / POINTS as f64);
    let rate = outlook.highest(&held, level);
    if rate >= 0.0 {
        return Ok(Highest::Rate(MgPerMin(rate)));
    }
    let peak = outlook.times().map(|t| outlook.seen(&response.advanced(&held, 0.0, t))).fold(0.0, f64::max);
    Ok(Highest::PassedAnyway { peak: NgPerMl(peak * NG_PER_ML_IN_MG_PER_L) })
}

/// The rate nearest to one that runs, under which the goal's level is not passed until the end or ever after: that rate
/// itself where it may go on, else the highest that may.
///
/// # Errors
/// A goal, rate or time that is no number.
pub fn kept_rate(steering: &Steering, goal: &Goal, running: MgPerMin) -> Result<Highest, Refused> {
    let running = RATE.check(running.0)?;
    Ok(match highest_rate(steering, goal)? {
        Highest::Rate(highest) => Highest::Rate(MgPerMin(highest.0.min(running))),
        passed @ Highest::PassedAnyway { .. } => passed,
    })
}

/// Two steady rates, one until the switch and one from there to the end, that never pass the goal's level, then or ever
/// after, and whose mean level from the switch to the end is the highest there is: the least is missing from the goal in
/// all. Both are rates of the pump.
///
/// `None` where the level is passed even when nothing more is given; [`highest_rate`] then says how far.
///
/// # Errors
/// A goal, pump or time that is no number, a switch that is not between now and the end.
pub fn two_rates(
    steering: &Steering,
    goal: &Goal,
    pump: &Pump,
    switch: Minutes,
) -> Result<Option<[MgPerMin; 2]>, Refused> {
    let level = goal.checked()?;
    let (now, until) = steering.checked()?;
    let between = Accepted { what: "switch", low: now + 1e-3, high: until - 1e-3, unit: "min" };
    let switch = between.check(switch.0)?;
    let rate_max = RATE.check(pump.rate_max.0)?;
    Accepted { what: "resolution of the pump", ..RATE }.check(pump.resolution.0)?;
    let response = Response::new(steering.person.parent(), goal.ke0.0);
    response.check(steering.delivered)?;
    let held = response.held(steering.delivered, now);
    let step = |length: f64| (length / POINTS as f64).min(1.0);
    let first = Outlook::new(&response, goal, switch - now, step(switch - now));
    let second = Outlook::new(&response, goal, until - switch, step(until - switch));
    let load_max = first.highest(&held, level);
    if load_max < 0.0 {
        return Ok(None);
    }
    let top = pump.down_to(load_max.min(rate_max));
    // The rate that may follow a load, and the mean level it holds: of the lowest one, a load that is too small for the
    // rest of the plan would be the best while the effect site still rises at the switch.
    let after = |load: f64| {
        let loaded = response.advanced(&held, load, switch - now);
        let hold = pump.down_to(second.highest(&loaded, level).clamp(0.0, rate_max));
        let level = |place: usize| {
            let time = (until - switch) * (place as f64 + 0.5) / MEAN_OF as f64;
            second.seen(&response.advanced(&loaded, hold, time))
        };
        (hold, (0..MEAN_OF).map(level).sum::<f64>() / MEAN_OF as f64)
    };
    // The mean level is a concave function of the load, so that thirds close in on its top.
    let (mut low, mut high) = (0.0, top);
    for _ in 0..THIRDS {
        let (a, b) = (low + (high - low) / 3.0, high - (high - low) / 3.0);
        if after(a).1 < after(b).1 { low = a } else { high = b }
    }
    let steps = [pump.down_to(low), pump.down_to(high), pump.down_to(high + pump.resolution.0).min(top)];
    let best = steps.into_iter().max_by(|a, b| after(*a).1.total_cmp(&after(*b).1)).unwrap_or_default();
    Ok(Some([MgPerMin(best), MgPerMin(after(best).0)]))
}

/// Looks of which a mean level is the mean.
const MEAN_OF: usize = 240;
/// Each takes a third of what is left to search.
const THIRDS: usize = 80;
/// The same between two looks; a peak is flat, so that a hundredth of a thousandth of the time between them is enough.
const THIRDS_OF_LOOK: usize = 28;

/// Below this, mg/min, a rate is what rounding left of none.
const LEAST: f64 = 1e-6;

impl Pump {
    /// The rate of the pump that is not above this one.
    fn down_to(&self, rate: f64) -> f64 {
        let step = self.resolution.0;
        // A hair above a step of the pump is rounding, not a wish for the step below.
        let rate = if step > 0.0 { (rate / step * (1.0 + 1e-12)).floor() * step } else { rate };
        if rate < LEAST { 0.0 } else { rate }
    }
}

impl Goal {
    /// In mg/L.
    fn checked(&self) -> Result<f64, Refused> {
        Accepted { what: "ke0", low: 1e-9, high: 1e6, unit: "/min" }.check(self.ke0.0)?;
        let level = Accepted { what: "target", low: 0.0, high: 1e9, unit: "ng/mL" }.check(self.level.0)?;
        Ok(level / NG_PER_ML_IN_MG_PER_L)
    }
}

impl Steering<'_> {
    fn checked(&self) -> Result<(f64, f64), Refused> {
        if let Some(other) = self.delivered.by_other_ways().first() {
            let route = other.route.as_deref().unwrap_or_default();
            let why = format!("no plan counts what was given by the route {route}");
            return Err(Refused::Impossible(why));
        }
        let now = TIME.check(self.now.0)?;
        let end = Accepted { what: "end", low: now + 1e-3, ..TIME }.check(self.until.0)?;
        Ok((now, end))
    }
}

/// What one rate for one length of time does to the level that is looked at, now and later.
struct Outlook<'a> {
    response: &'a Response<'a>,
    aim: Aim,
    /// How long the rate runs, and what is held of a rate of 1 mg/min at its end.
    length: f64,
    unit: Held,
    /// Time from now, and level for a rate of 1 mg/min.
    points: Vec<(f64, f64)>,
}

impl<'a> Outlook<'a> {
    /// For a rate that runs for `length`; looked at every `step`.
    fn new(response: &'a Response<'a>, goal: &Goal, length: f64, step: f64) -> Self {
        let unit = response.advanced(&Held::default(), 1.0, length);
        let mut outlook = Self { response, aim: goal.aim, length, unit, points: Vec::new() };
        let mut highest = 0.0;
        // Plasma is highest when the rate stops; the effect site later, and the look goes on until it falls.
        for i in 1..=10 * POINTS {
            let time = step * i as f64;
            let level = outlook.of_unit(time);
            outlook.points.push((time, level));
            highest = level.max(highest);
            // By then a larger rate would show nowhere else: the look has gone three times as far as the peak.
            let past_peak = outlook.points.iter().find(|p| p.1 == highest).is_some_and(|p| time > 3.0 * p.0);
            if time >= length && (goal.aim == Aim::Plasma || past_peak) {
                break;
            }
        }
        outlook
    }

    /// Level for a rate of 1 mg/min.
    fn of_unit(&self, time: f64) -> f64 {
        let later = time - self.length;
        self.seen(&if later <= 0.0 {
            self.response.advanced(&Held::default(), 1.0, time)
        } else {
            self.response.advanced(&self.unit, 0.0, later)
        })
    }

    fn times(&self) -> impl Iterator<Item = f64> {
        self.points.iter().map(|p| p.0)
    }

    fn seen(&self, held: &Held) -> f64 {
        let level = self.response.level(held);
        match self.aim {
            Aim::Plasma => level.plasma,
            Aim::Effect => level.effect,
        }
    }

    /// The highest rate whose level does not pass the limit; negative where the limit is passed without it.
    fn highest(&self, held: &Held, limit: f64) -> f64 {
        let room =
            |time: f64, unit: f64| (limit - self.seen(&self.response.advanced(held, 0.0, time))) / unit;
        let looks: Vec<(f64, f64)> =
            self.points.iter().filter(|p| p.1 > 0.0).map(|&(time, unit)| (time, room(time, unit))).collect();
        let exact = |time: f64| room(time, self.of_unit(time));
        // The level peaks between two looks, and after a load once more at the end: thirds close in on each place where
        // there is less room than beside it.
        let least_around = |place: usize| {
            let at = |place: usize| looks.get(place).map(|look| look.0);
            // What was held may still rise at the beginning, before the first look.
            let (mut low, mut high) = (
                place.checked_sub(1).and_then(at).or(at(0).map(|first| first * 1e-3)).unwrap_or_default(),
                at(place + 1).or(at(place)).unwrap_or_default(),
            );
            for _ in 0..THIRDS_OF_LOOK {
                let (a, b) = (low + (high - low) / 3.0, high - (high - low) / 3.0);
                if exact(a) > exact(b) { low = a } else { high = b }
            }
            exact(0.5 * (low + high))
        };
        let beside = |place: Option<usize>| place.and_then(|p| looks.get(p)).map_or(f64::INFINITY, |p| p.1);
        let is_least = |place: usize, least: f64| {
            least <= beside(place.checked_sub(1)) && least <= beside(place.checked_add(1))
        };
        let places = looks.iter().enumerate().filter(|(place, look)| is_least(*place, look.1));
        places.map(|(place, look)| least_around(place).min(look.1)).fold(f64::INFINITY, f64::min)
    }
}

#[cfg(test)]
mod tests;
