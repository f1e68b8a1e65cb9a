//! Rates that bring a level where it is wanted, as the pump can run them. Planning is no simulation: outside the model's
//! domain it refuses.

use crate::Wrong;
use crate::asked::Argument;
use crate::case::{Chosen, site_name};
use crate::doses::Doses;
use crate::reached::Reached;
use clinic::dose::parse::Unreadable;
use clinic::knowledge::pk_models::Role;
use pkpd::{
    Aim, Body, Dose, Goal, Highest, MgPerMin, Minutes, NgPerMl, PerMin, Pump, Ratio, Reason, Refused,
    Schedule, Steering, highest_rate, kept_rate, steer, two_rates,
};

/// Whom, to which level, by which pump.
#[derive(Debug, Clone, Copy)]
pub struct PlanQuestion<'a> {
    /// Whom.
    pub body: Body,
    /// What was given before; what of it lies after `now` does not count.
    pub delivered: &'a Doses,
    /// Where the level is wanted.
    pub aim: Aim,
    /// The level, of what the model describes.
    pub level: NgPerMl,
    /// In mg/min of what is given.
    pub pump: Pump,
    /// Beginning of the plan.
    pub now: Minutes,
    /// Its end.
    pub until: Minutes,
    /// By which rates.
    pub way: Way,
}

/// By which rates a level is reached or kept.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Way {
    /// Rate by rate, as fast as the pump can.
    Steps,
    /// One steady rate: the highest that never passes the level, then or later.
    OneRate,
    /// One until the switch and one from there on, of all pairs that never pass the level the one with the
    /// highest mean from there to the end.
    TwoRates {
        /// When.
        switch: Minutes,
    },
    /// The rate that runs, or the nearest that never passes the level, then or later.
    Keep {
        /// Of what is given.
        running: MgPerMin,
    },
}

/// What the pump is to do, and how near it brings the level.
#[derive(Debug, Clone, PartialEq)]
pub struct Planned {
    /// As doses of what is given.
    pub rates: Vec<Dose>,
    /// How near.
    pub reached: Reached,
    /// What a reader has to know.
    pub notes: Vec<String>,
}

impl Chosen<'_> {
    /// The rates.
    ///
    /// # Errors
    /// An argument that is none; [`Wrong::Unsafe`] by a model for study alone, outside the model's validity, or when the
    /// level is passed anyway.
    pub fn planned(&self, asked: &PlanQuestion) -> Result<Planned, Wrong> {
        let PlanQuestion { body, now, until, .. } = *asked;
        self.refuse_role()?;
        asked.delivered.check(self, body)?;
        asked.delivered.without_resets()?;
        asked.check_pump()?;
        if until <= now {
            let (text, accepted) = (until.to_string(), "a time after --now");
            let argument = Argument { field: "--until", text: &text, accepted };
            return Err(argument.unreadable(format!("the plan begins at {now}")).into());
        }
        let delivered = asked.delivered.schedule(body.weight)?.until(now);
        self.refuse(&self.model.objections(body, &delivered))?;
        let rates = self.rates(asked, &delivered)?;
        let whole = delivered.doses().iter().chain(&rates).copied();
        let whole = Schedule::new(whole).map_err(|cause| self.refused(&cause))?;
        self.refuse(&self.objections(body, &whole, &[now]))?;
        let reached = self.reached(asked, &whole)?;
        let of_way = matches!((asked.way, rates.as_slice()), (Way::TwoRates { .. }, [_]))
            .then(|| "no two rates keep to the target: this is one steady rate".to_owned());
        let uncounted = asked.delivered.uncounted(body.weight, now)?;
        let notes =
            self.notes.iter().cloned().chain(uncounted).chain(of_way).chain(reached.notes(asked)).collect();
        Ok(Planned { rates, reached, notes })
    }

    fn refuse_role(&self) -> Result<(), Wrong> {
        let role = self.item.body.role;
        match role {
            Role::Default | Role::Comparison | Role::Paediatric => return Ok(()),
            Role::Research | Role::NotForClinic => {}
        }
        let (id, role, site) = (self.model.id(), role.word(), site_name(self.model.site()));
        let why =
            format!("--model {id} has the role {role} (sampling site {site}): no infusion is planned by it");
        Err(Wrong::Unsafe(why))
    }

    fn refuse(&self, reasons: &[Reason]) -> Result<(), Wrong> {
        if reasons.is_empty() {
            return Ok(());
        }
        let reasons: Vec<String> = reasons.iter().map(ToString::to_string).collect();
        Err(Wrong::Unsafe(format!("{} is not valid here: {}", self.model.id(), reasons.join("; "))))
    }

    /// Rates of what is given; the model is asked in its own share of it.
    fn rates(&self, asked: &PlanQuestion, delivered: &Schedule) -> Result<Vec<Dose>, Wrong> {
        let (goal, pump) = (self.goal(asked)?, asked.pump);
        let refused = |cause: Refused| self.refused(&cause);
        let share = self.basis.of_dose();
        let person = self.model.typical(asked.body).map_err(refused)?;
        let inside = delivered.scaled(share).map_err(refused)?;
        let (now, until) = (asked.now, asked.until);
        let steering = Steering { person: &person, delivered: &inside, now, until };
        let scaled = |rate: MgPerMin| MgPerMin(rate.0 * share.0);
        let (rate_max, resolution) = (scaled(pump.rate_max), scaled(pump.resolution));
        let inner = Pump { rate_max, resolution, ..pump };
        let infusion = |start, end, rate| Dose::Infusion { start, end, rate };
        let steady = |found: Highest| match found {
            Highest::PassedAnyway { peak } => Err(Wrong::Unsafe(passed(asked.level, peak))),
            Highest::Rate(rate) => Ok(vec![infusion(now, until, down_to(rate, &pump, share))]),
        };
        // What runs is a rate that the pump has, whatever its step: it changes only where it would pass the level.
        let kept = |running: MgPerMin| match kept_rate(&steering, &goal, running).map_err(refused)? {
            Highest::Rate(rate) if rate.0 >= running.0 => Ok(vec![infusion(now, until, running)]),
            lower => steady(lower),
        };
        let plan = match asked.way {
            Way::Steps => steer(&steering, &goal, &inner).map_err(refused)?,
            Way::OneRate => steady(highest_rate(&steering, &goal).map_err(refused)?)?,
            Way::Keep { running } => kept(scaled(running))?,
            Way::TwoRates { switch } => {
                if switch <= now || switch >= until {
                    let text = switch.to_string();
                    let argument =
                        Argument { field: "--switch", text: &text, accepted: "a time inside the plan" };
                    return Err(argument.unreadable(format!("the plan goes from {now} to {until}")).into());
                }
                match two_rates(&steering, &goal, &inner, switch).map_err(refused)? {
                    Some([load, hold]) => vec![infusion(now, switch, load), infusion(switch, until, hold)],
                    None => steady(highest_rate(&steering, &goal).map_err(refused)?)?,
                }
            }
        };
        let given =
            Schedule::new(plan).and_then(|plan| plan.scaled(Ratio(1.0 / share.0))).map_err(refused)?;
        Ok(given.doses().to_vec())
    }

    fn goal(&self, asked: &PlanQuestion) -> Result<Goal, Unreadable> {
        let accepted = "a rate constant such as \"0.0835117 /min\", or --aim plasma";
        let none = Argument { field: "--ke0", text: "", accepted };
        // So much below what is asked for that the rounding of the rates does not pass it.
        let (aim, level) = (asked.aim, NgPerMl(asked.level.0 * (1.0 - ROUNDING)));
        match (aim, self.ke0) {
            (Aim::Effect, None) => Err(none.unreadable("no effect site is known for this model")),
            // A goal in plasma does not look at the effect site.
            (_, ke0) => Ok(Goal { aim, level, ke0: ke0.unwrap_or(PerMin(1.0)) }),
        }
    }
}

impl PlanQuestion<'_> {
    /// Refuses what no pump could run.
    fn check_pump(&self) -> Result<(), Unreadable> {
        let (most, step) = (self.pump.rate_max, self.pump.resolution);
        let refused = |field, rate: MgPerMin, why: String| {
            let text = rate.to_string();
            Err(Argument { field, text: &text, accepted: "a rate not above --rate-max" }.unreadable(why))
        };
        if step > most {
            let why = format!("the fastest rate is {most}, so that the pump could not run at all");
            return refused("--resolution", step, why);
        }
        match self.way {
            Way::Keep { running } if running > most => {
                refused("--running", running, format!("the fastest rate of the pump is {most}"))
            }
            _ => Ok(()),
        }
    }
}

/// Share of a level by which the rounding of a plan's rates may raise it.
const ROUNDING: f64 = 1e-9;

fn passed(level: NgPerMl, peak: NgPerMl) -> String {
    let peak = peak.0;
    format!(
        "what was delivered alone passes the target of {level}: it rises to {peak:.1} ng/mL with nothing more given"
    )
}

/// Below this, mg/min, a rate is what rounding left of none.
const LEAST: f64 = 1e-6;

/// What the pump can run: not above its fastest, and a whole number of its steps, of the model's share.
fn down_to(rate: MgPerMin, pump: &Pump, share: Ratio) -> MgPerMin {
    let rate = rate.0.min(pump.rate_max.0 * share.0);
    let step = pump.resolution.0 * share.0;
    // A hair above a step of the pump is rounding, not a wish for the step below.
    let rate = if step > 0.0 { (rate / step * (1.0 + 1e-12)).floor() * step } else { rate };
    MgPerMin(if rate < LEAST * share.0 { 0.0 } else { rate })
}
