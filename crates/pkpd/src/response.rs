//! The closed form: centre and effect site of a mammillary model under any schedule.

use crate::mammillary::{Mammillary, Mode, PERIPHERALS_MAX};
use crate::phi;
use crate::refused::Refused;
use crate::schedule::{Dose, Row, Schedule, Step};

/// What the centre and the effect site hold at one moment, mode by mode.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Held {
    modes: [f64; PERIPHERALS_MAX + 1],
    /// mg/L
    effect: f64,
}

/// Plasma and effect-site concentration.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Level {
    /// mg/L
    pub(crate) plasma: f64,
    /// mg/L; 0 without an effect site
    pub(crate) effect: f64,
}

/// A mammillary model with its effect site, ready to be followed through time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Response<'a> {
    body: &'a Mammillary,
    /// /min; 0 without an effect site
    ke0: f64,
}

impl<'a> Response<'a> {
    pub(crate) fn new(body: &'a Mammillary, ke0: f64) -> Self {
        Self { body, ke0 }
    }

    fn modes(&self) -> &'a [Mode; PERIPHERALS_MAX + 1] {
        &self.body.response().each
    }

    /// All terms are positive: nothing cancels, however near the rates are to each other and to ke0.
    pub(crate) fn advanced(&self, held: &Held, rate: f64, span: f64) -> Held {
        let mut next = Held { effect: held.effect * (-self.ke0 * span).exp(), ..*held };
        let gain = self.ke0 / self.body.volume().0;
        for (amount, mode) in next.modes.iter_mut().zip(self.modes()).filter(|(_, m)| m.weight > 0.0) {
            let inflow = rate * mode.weight;
            if gain > 0.0 {
                next.effect += gain
                    * (*amount * phi::through(mode.rate, self.ke0, span)
                        + inflow * phi::through_flow(mode.rate, self.ke0, span));
            }
            *amount = *amount * (-mode.rate * span).exp() + inflow * phi::once(mode.rate, span);
        }
        next
    }

    /// What is held so long after one dose began.
    fn since(&self, dose: &Dose, time: f64) -> Held {
        match *dose {
            Dose::Bolus { amount, .. } => self.advanced(&self.given(Held::default(), amount.0), 0.0, time),
            Dose::Infusion { start, end, rate } => {
                let length = end.0 - start.0;
                let filled = self.advanced(&Held::default(), rate.0, time.min(length));
                if time > length { self.advanced(&filled, 0.0, time - length) } else { filled }
            }
        }
    }

    fn given(&self, mut held: Held, bolus: f64) -> Held {
        for (amount, mode) in held.modes.iter_mut().zip(self.modes()) {
            *amount += bolus * mode.weight;
        }
        held
    }

    /// What a row has left at its moment: those that still run one by one, and of those that have ended the sum of the
    /// geometric series, which has positive terms only.
    fn settled(&self, row: &Row) -> Held {
        let running = row.running();
        let after = |place: usize| self.since(&row.dose, row.age + row.every * place as f64);
        let mut ended = after(running);
        let gain = self.ke0 / self.body.volume().0;
        let lost = |rate: f64| -(-rate * row.every).exp_m1();
        for (amount, mode) in ended.modes.iter_mut().zip(self.modes()).filter(|(_, m)| m.weight > 0.0) {
            *amount /= lost(mode.rate);
            if gain > 0.0 {
                ended.effect += gain * *amount * phi::through(mode.rate, self.ke0, row.every);
            }
        }
        if gain > 0.0 {
            ended.effect /= lost(self.ke0);
        }
        (0..running).map(after).fold(ended, |sum, one| sum.plus(&one))
    }

    /// # Errors
    /// A steady state of what is never eliminated.
    pub(crate) fn check(&self, schedule: &Schedule) -> Result<(), Refused> {
        let is_lost = self.modes().iter().all(|mode| mode.weight <= 0.0 || mode.rate > 0.0);
        if schedule.has_rows() && !is_lost { Err(Refused::never_steady()) } else { Ok(()) }
    }

    pub(crate) fn level(&self, held: &Held) -> Level {
        Level { plasma: held.modes.iter().sum::<f64>() / self.body.volume().0, effect: held.effect }
    }

    /// What is held at one moment.
    pub(crate) fn held(&self, schedule: &Schedule, time: f64) -> Held {
        let mut walk = Walk::new(self, schedule);
        walk.go(time);
        walk.held_at(time)
    }

    /// One level for each time. Each is reckoned from the last dose event, so it is the same in any list of times.
    /// Times that fall start the walk anew, so any order is right and a rising one is quick.
    pub(crate) fn follow(&self, schedule: &Schedule, times: impl IntoIterator<Item = f64>) -> Vec<Level> {
        let mut walk = Walk::new(self, schedule);
        let times = times.into_iter();
        let mut levels = Vec::with_capacity(times.size_hint().0);
        let mut last = f64::NEG_INFINITY;
        for time in times {
            if time < last {
                walk = Walk::new(self, schedule);
            }
            last = time;
            levels.push(walk.at(time));
        }
        levels
    }
}

impl Held {
    fn plus(&self, other: &Self) -> Self {
        let mut sum = Self { effect: self.effect + other.effect, ..*self };
        sum.modes.iter_mut().zip(other.modes).for_each(|(mine, theirs)| *mine += theirs);
        sum
    }
}

struct Walk<'a> {
    response: &'a Response<'a>,
    schedule: &'a Schedule,
    ahead: std::iter::Peekable<std::slice::Iter<'a, Step>>,
    now: Option<Step>,
    held: Held,
}

impl<'a> Walk<'a> {
    fn new(response: &'a Response<'a>, schedule: &'a Schedule) -> Self {
        let ahead = schedule.steps().iter().peekable();
        Self { response, schedule, ahead, now: None, held: Held::default() }
    }

    fn held_at(&self, time: f64) -> Held {
        self.now.map_or(self.held, |step| self.response.advanced(&self.held, step.rate, time - step.at))
    }

    fn at(&mut self, time: f64) -> Level {
        self.go(time);
        self.response.level(&self.held_at(time))
    }

    fn go(&mut self, time: f64) {
        while let Some(step) = self.ahead.next_if(|s| s.at <= time) {
            self.held = self.held_at(step.at);
            if step.is_break {
                let (is_empty, rows) = self.schedule.breaks(step.at);
                let before = if is_empty { Held::default() } else { self.held };
                self.held =
                    rows.map(|row| self.response.settled(row)).fold(before, |sum, one| sum.plus(&one));
            }
            self.held = self.response.given(self.held, step.bolus);
            self.now = Some(*step);
        }
    }
}
