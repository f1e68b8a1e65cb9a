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
/// # Errors
/// A goal, pump or time that is no number, or more than 100,000 intervals.
pub fn steer(steering: &Steering, goal: &Goal, pump: &Pump) -> Result<Vec<Dose>, Refused> {
    let level = goal.checked()?;
    let rate_max = RATE.check(pump.rate_max.0)?;
    let resolution = Accepted { what: "resolution of the pump", ..RATE }.check(pump.resolution.0)?;
    let interval =
        Accepted { what: "interval", low: 1e-3, high: 1440.0, unit: "min" }.check(pump.interval.0)?;
    let (now, until) = steering.checked()?;
    let count = ((until - now) / interval).ceil() as usize;
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
        let end = (now + interval * (i + 1) as f64).min(until);
        let wanted = outlook.highest(&held, level).clamp(0.0, rate_max);
        // A hair above a step of the pump is rounding, not a wish for the step below.
        let rate = if resolution > 0.0 {
            (wanted / resolution * (1.0 + 1e-12)).floor() * resolution
        } else {
            wanted
        };
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
    /// Time from now, and level for a rate of 1 mg/min.
    points: Vec<(f64, f64)>,
}

impl<'a> Outlook<'a> {
    /// For a rate that runs for `length`; looked at every `step`.
    fn new(response: &'a Response<'a>, goal: &Goal, length: f64, step: f64) -> Self {
        let mut outlook = Self { response, aim: goal.aim, points: Vec::new() };
        let unit = response.advanced(&Held::default(), 1.0, length);
        let mut highest = 0.0;
        // Plasma is highest when the rate stops; the effect site later, and the look goes on until it falls.
        for i in 1..=10 * POINTS {
            let time = step * i as f64;
            let held = if time <= length {
                response.advanced(&Held::default(), 1.0, time)
            } else {
                response.advanced(&unit, 0.0, time - length)
            };
            let level = outlook.seen(&held);
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

    /// The highest rate whose level passes the limit at none of the points; negative where the limit is passed
    /// without it.
    fn highest(&self, held: &Held, limit: f64) -> f64 {
        let room =
            |&(time, unit): &(f64, f64)| (limit - self.seen(&self.response.advanced(held, 0.0, time))) / unit;
        self.points.iter().filter(|p| p.1 > 0.0).map(room).fold(f64::INFINITY, f64::min)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::theorems::{flow, parameter, place};
    use crate::{
        Body, Form, Kg, LPerMin, Litres, Mg, MgPerKg, Model, Ratio, Site, Spec, Validity, Value, Years,
    };

    fn model() -> Model {
        let both = |a: &str, by: &str| [flow("centre", Some(a), by), flow(a, Some("centre"), by)];
        let mut flows = vec![flow("centre", None, "cl")];
        flows.extend(both("near", "q2"));
        flows.extend(both("far", "q3"));
        let volume = |name, v| parameter(name, Value::Volume(Litres(v)));
        let clearance = |name, cl: f64| parameter(name, Value::Clearance(LPerMin(cl / 60.0)));
        Model::new(Spec {
            id: "three".to_owned(),
            form: Form::Racemate,
            site: Site::Arterial,
            parameters: vec![
                volume("v1", 25.0),
                volume("v2", 56.0),
                volume("v3", 157.0),
                clearance("cl", 84.0),
                clearance("q2", 161.0),
                clearance("q3", 79.0),
            ],
            compartments: vec![
                place("centre", Some("v1"), None),
                place("near", Some("v2"), None),
                place("far", Some("v3"), None),
            ],
            flows,
            routes: vec![],
            occasions: vec![],
            uncertainty: vec![],
            variability: vec![],
            residuals: vec![],
            validity: Validity {
                age: Years(18.0)..=Years(75.0),
                weight: Kg(45.0)..=Kg(120.0),
                dose_max: MgPerKg(2.0),
                length_max: Minutes(240.0),
            },
        })
        .expect("a model")
    }

    const BODY: Body = Body { weight: Kg(70.0), age: None };
    const KE0: PerMin = PerMin(0.0835);
    const TEN_SECONDS: Minutes = Minutes(1.0 / 6.0);
    const PUMP: Pump = Pump { rate_max: MgPerMin(20.0), resolution: MgPerMin(0.0), interval: TEN_SECONDS };

    fn goal(aim: Aim) -> Goal {
        Goal { aim, level: NgPerMl(100.0), ke0: KE0 }
    }

    /// Plasma and effect every 10 s, under what was delivered and what is planned.
    fn levels(person: &Individual, doses: &[Dose], until: f64) -> (Vec<f64>, Vec<f64>) {
        let schedule = Schedule::new(doses.iter().copied()).expect("doses");
        let times: Vec<_> = (0..=(until * 6.0) as usize).map(|i| Minutes(i as f64 / 6.0)).collect();
        let course = person.parent_course(&schedule, Some(KE0), &times).expect("times");
        let plain = |x: &[NgPerMl]| x.iter().map(|x| x.0).collect();
        (plain(&course.plasma), plain(course.effect.as_deref().expect("an effect site")))
    }

    fn steered(delivered: &[Dose], now: f64, until: f64, goal: &Goal, pump: &Pump) -> Vec<Dose> {
        let model = model();
        let person = model.typical(BODY).expect("a person");
        let past = Schedule::new(delivered.iter().copied()).expect("doses");
        let steering =
            Steering { person: &person, delivered: &past, now: Minutes(now), until: Minutes(until) };
        let mut all = delivered.to_vec();
        all.extend(steer(&steering, goal, pump).expect("a plan"));
        all
    }

    #[test]
    fn plasma_reaches_its_target_and_stays() {
        let model = model();
        let person = model.typical(BODY).expect("a person");
        let doses = steered(&[], 0.0, 40.0, &goal(Aim::Plasma), &PUMP);
        let (plasma, _) = levels(&person, &doses, 40.0);
        assert!(plasma.iter().skip(2).all(|c| (c - 100.0).abs() < 1e-9), "{:?}", &plasma[..8]);
    }

    #[test]
    fn the_effect_site_reaches_its_target_and_never_passes_it() {
        let model = model();
        let person = model.typical(BODY).expect("a person");
        let doses = steered(&[], 0.0, 60.0, &goal(Aim::Effect), &PUMP);
        let (plasma, effect) = levels(&person, &doses, 60.0);
        let top = effect.iter().fold(0.0, |m: f64, c| m.max(*c));
        assert!(top <= 100.0 + 1e-6, "{top}");
        assert!(
            effect.iter().skip(12 * 6).all(|c| *c > 99.0),
            "{:?}",
            effect.iter().skip(72).take(6).collect::<Vec<_>>()
        );
        // Plasma overshoots: that is what makes it fast.
        assert!(plasma.iter().fold(0.0, |m: f64, c| m.max(*c)) > 150.0);
    }

    #[test]
    fn a_coarse_pump_stays_below_and_keeps_close() {
        let model = model();
        let person = model.typical(BODY).expect("a person");
        let coarse = Pump { resolution: MgPerMin(0.05), interval: Minutes(1.0), ..PUMP };
        let doses = steered(&[], 0.0, 60.0, &goal(Aim::Effect), &coarse);
        for dose in &doses {
            let Dose::Infusion { rate, .. } = dose else { panic!("a bolus") };
            let steps = rate.0 / 0.05;
            assert!((steps - steps.round()).abs() < 1e-9, "{rate}");
        }
        let (_, effect) = levels(&person, &doses, 60.0);
        assert!(effect.iter().all(|c| *c <= 100.0 + 1e-6));
        assert!(effect.iter().skip(20 * 6).all(|c| *c > 97.0));
    }

    #[test]
    fn after_an_occlusion_the_plan_starts_from_what_was_delivered() {
        let model = model();
        let person = model.typical(BODY).expect("a person");
        let until_ten: Vec<_> = steered(&[], 0.0, 10.0, &goal(Aim::Effect), &PUMP);
        let doses = steered(&until_ten, 15.0, 60.0, &goal(Aim::Effect), &PUMP);
        let (_, effect) = levels(&person, &doses, 60.0);
        assert!(effect[15 * 6] < 95.0, "nothing ran for five minutes");
        assert!(effect.iter().all(|c| *c <= 100.0 + 1e-6));
        assert!(effect.iter().skip(30 * 6).all(|c| *c > 99.0));
    }

    #[test]
    fn above_the_target_nothing_is_given() {
        let bolus = Dose::over(Mg(50.0), Minutes(0.0), Minutes(0.0));
        let doses = steered(&[bolus], 1.0, 5.0, &goal(Aim::Effect), &PUMP);
        assert_eq!(doses[1], Dose::Infusion { start: Minutes(1.0), end: Minutes(5.0), rate: MgPerMin(0.0) });
    }

    #[test]
    fn the_highest_rate_meets_the_limit_and_the_next_one_passes_it() {
        let model = model();
        let person = model.typical(BODY).expect("a person");
        let so_far = Dose::Infusion { start: Minutes(0.0), end: Minutes(10.0), rate: MgPerMin(0.875) };
        let past = Schedule::new([so_far]).expect("a dose");
        let steering =
            Steering { person: &person, delivered: &past, now: Minutes(10.0), until: Minutes(40.0) };
        for aim in [Aim::Plasma, Aim::Effect] {
            let Highest::Rate(rate) =
                highest_rate(&steering, &Goal { level: NgPerMl(250.0), ..goal(aim) }).expect("a rate")
            else {
                panic!("passed anyway")
            };
            let top = |factor: f64| {
                let next = Dose::Infusion {
                    start: Minutes(10.0),
                    end: Minutes(40.0),
                    rate: MgPerMin(rate.0 * factor),
                };
                let (plasma, effect) = levels(&person, &[so_far, next], 90.0);
                let seen = if aim == Aim::Plasma { plasma } else { effect };
                seen.into_iter().skip(61).fold(0.0, f64::max)
            };
            assert!((top(1.0) / 250.0 - 1.0).abs() < 1e-4, "{aim:?} {rate}: {}", top(1.0));
            assert!(top(1.01) > 250.5);
        }
        let low = Goal { level: NgPerMl(20.0), ..goal(Aim::Effect) };
        let Highest::PassedAnyway { peak } = highest_rate(&steering, &low).expect("an answer") else {
            panic!("a rate")
        };
        let (_, effect) = levels(&person, &[so_far], 60.0);
        let seen = effect.into_iter().skip(60).fold(0.0, f64::max);
        assert!((peak.0 / seen - 1.0).abs() < 1e-3, "{peak} and {seen}");
    }

    #[test]
    fn targets_that_are_no_numbers_are_refused() {
        let model = model();
        let person = model.typical(BODY).expect("a person");
        let none = Schedule::default();
        let steering =
            Steering { person: &person, delivered: &none, now: Minutes(0.0), until: Minutes(40.0) };
        let nan = Goal { level: NgPerMl(f64::NAN), ..goal(Aim::Plasma) };
        assert!(
            steer(&steering, &nan, &PUMP).expect_err("NaN").to_string().starts_with("target is NaN ng/mL")
        );
        let back = Steering { until: Minutes(-1.0), ..steering };
        assert!(highest_rate(&back, &goal(Aim::Plasma)).is_err());
        assert_eq!(Ratio::UNIT, "1");
    }
}
