//! `chairside plan-infusion`: rates that bring a level where it is wanted, as the pump can run them. Planning is no
//! simulation: outside the model's domain it refuses.

use super::given::Given;
use super::{Exit, note, print_sheet, say};
use crate::lab::asked::{self, Argument};
use crate::lab::case::Chosen;
use crate::lab::sheet::{Format, Sheet};
use clap::ValueEnum;
use clinic::dose::parse::Unreadable;
use clinic::knowledge::Knowledge;
use pkpd::{
    Aim, Body, Dose, Goal, Highest, MgPerMin, Minutes, NgPerMl, PerMin, Pump, Refused, Schedule, Steering,
    highest_rate, steer,
};
use serde_json::json;

/// Whom, to which level, by which pump.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Model, see `chairside models list`
    #[arg(long, value_name = "ID")]
    model: String,
    /// Body weight: "70 kg"
    #[arg(long, value_name = "WEIGHT", allow_hyphen_values = true)]
    weight: String,
    /// Age: "40 a"
    #[arg(long, value_name = "AGE", allow_hyphen_values = true)]
    age: String,
    /// The level that is wanted, of what the model describes: "100 ng/mL"
    #[arg(long, value_name = "LEVEL", allow_hyphen_values = true)]
    target: String,
    /// Where it is wanted
    #[arg(long, value_enum, default_value_t = Where::Effect)]
    aim: Where,
    /// End of the plan: "60 min"
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    until: String,
    /// Beginning of the plan; what was given before counts as delivered: "10 min"
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    now: Option<String>,
    #[command(flatten)]
    delivered: Given,
    /// Fastest rate of the pump: "10 mg/min", or "600 mL/h" with --concentration
    #[arg(long, value_name = "RATE", allow_hyphen_values = true)]
    rate_max: String,
    /// Smallest step of the pump's rate: "0.01 mg/min", or "0.1 mL/h" with --concentration
    #[arg(long, value_name = "RATE", allow_hyphen_values = true)]
    resolution: Option<String>,
    /// How long a rate stays before the next
    #[arg(long, value_name = "TIME", default_value = "1 min", allow_hyphen_values = true)]
    interval: String,
    /// Strength in the syringe, for rates in mL/h: "2 mg/mL"
    #[arg(long, value_name = "STRENGTH", allow_hyphen_values = true)]
    concentration: Option<String>,
    /// One steady rate: the highest that never passes the target, then or later
    #[arg(long)]
    one_rate: bool,
    /// Rate constant of the effect site instead of the model's: "0.0835117 /min"
    #[arg(long, value_name = "RATE", allow_hyphen_values = true)]
    ke0: Option<String>,
    /// How to write it; CSV is read by `simulate --dose-file`
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

/// Where a level is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Where {
    /// In plasma at the model's sampling site
    Plasma,
    /// At the effect site, without ever passing it
    Effect,
}

/// Why there is no plan.
enum Wrong {
    /// An argument cannot be read.
    Unreadable(Unreadable),
    /// A rule of safety.
    Unsafe(String),
}

impl From<Unreadable> for Wrong {
    fn from(wrong: Unreadable) -> Self {
        Self::Unreadable(wrong)
    }
}

/// Prints the plan. Exit 2 names the argument that cannot be read, 3 says why nothing is planned.
pub fn run(args: &Args) -> Exit {
    let knowledge = match Knowledge::shipped() {
        Ok(knowledge) => knowledge,
        Err(error) => return say(Exit::Failed, error),
    };
    match planned(args, &knowledge) {
        Ok((sheet, notes)) => {
            notes.iter().for_each(note);
            print_sheet(&sheet, args.format)
        }
        Err(Wrong::Unreadable(wrong)) => say(Exit::Unreadable, wrong),
        Err(Wrong::Unsafe(why)) => say(Exit::Refused, format!("refused: {why}")),
    }
}

fn planned(args: &Args, knowledge: &Knowledge) -> Result<(Sheet, Vec<String>), Wrong> {
    let ke0 = args.ke0.as_deref().map(|text| asked::ke0("--ke0", text)).transpose()?;
    let chosen = Chosen::find(knowledge, &args.model, args.delivered.substance.into())?
        .with_effect_site(knowledge, ke0)?;
    let body =
        Body { weight: asked::weight("--weight", &args.weight)?, age: Some(asked::age("--age", &args.age)?) };
    let doses = args.delivered.read_any()?;
    doses.check(&chosen, body)?;
    let (now, until) = args.times()?;
    let delivered = doses.schedule(body.weight)?.until(now);
    refuse_outside(&chosen, body, &delivered)?;
    let rates = args.rates(&chosen, body, &delivered, (now, until))?;
    let whole = delivered.doses().iter().chain(&rates).copied();
    let whole = Schedule::new(whole).map_err(|cause| chosen.refused(&cause))?;
    refuse_outside(&chosen, body, &whole)?;
    let mut sheet = args.sheet(&rates)?;
    sheet.about.insert("model".to_owned(), json!(chosen.model.id()));
    sheet.about.insert("target".to_owned(), json!(args.target));
    sheet.about.insert("levels_of".to_owned(), json!(chosen.levels_of()));
    sheet.about.insert("delivered".to_owned(), args.delivered.about());
    sheet.about.insert("notes".to_owned(), json!(chosen.notes));
    Ok((sheet, chosen.notes))
}

fn refuse_outside(chosen: &Chosen, body: Body, given: &Schedule) -> Result<(), Wrong> {
    let reasons = chosen.model.objections(body, given);
    if reasons.is_empty() {
        return Ok(());
    }
    let reasons: Vec<String> = reasons.iter().map(ToString::to_string).collect();
    Err(Wrong::Unsafe(format!("{} is not valid here: {}", chosen.model.id(), reasons.join("; "))))
}

impl Args {
    fn times(&self) -> Result<(Minutes, Minutes), Unreadable> {
        let until = asked::minutes("--until", &self.until)?;
        let now = self.now.as_deref().map(|text| asked::minutes("--now", text)).transpose()?;
        let now = now.unwrap_or(Minutes(0.0));
        if until <= now {
            let accepted = "a time after --now";
            let argument = Argument { field: "--until", text: &self.until, accepted };
            return Err(argument.unreadable(format!("the plan begins at {now}")));
        }
        Ok((now, until))
    }

    fn strength(&self) -> Result<Option<f64>, Unreadable> {
        self.concentration.as_deref().map(|text| asked::strength("--concentration", text)).transpose()
    }

    fn goal(&self, chosen: &Chosen) -> Result<Goal, Unreadable> {
        let accepted = "a rate constant such as \"0.0835117 /min\", or --aim plasma";
        let none = Argument { field: "--ke0", text: "", accepted };
        let level = asked::level("--target", &self.target)?;
        Ok(match (self.aim, chosen.ke0) {
            (Where::Effect, None) => return Err(none.unreadable("no effect site is known for this model")),
            (Where::Effect, Some(ke0)) => Goal { aim: Aim::Effect, level, ke0 },
            // A goal in plasma does not look at the effect site.
            (Where::Plasma, ke0) => Goal { aim: Aim::Plasma, level, ke0: ke0.unwrap_or(PerMin(1.0)) },
        })
    }

    /// In mg/min of what is given.
    fn pump(&self) -> Result<Pump, Unreadable> {
        let strength = self.strength()?;
        let rate = |field, text: &str| asked::rate(field, text, strength);
        let resolution = self.resolution.as_deref().map(|text| rate("--resolution", text)).transpose()?;
        Ok(Pump {
            rate_max: rate("--rate-max", &self.rate_max)?,
            resolution: resolution.unwrap_or(MgPerMin(0.0)),
            interval: asked::minutes("--interval", &self.interval)?,
        })
    }

    /// Rates of what is given; the model is asked in its own share of it.
    fn rates(
        &self,
        chosen: &Chosen,
        body: Body,
        delivered: &Schedule,
        (now, until): (Minutes, Minutes),
    ) -> Result<Vec<Dose>, Wrong> {
        let (goal, pump) = (self.goal(chosen)?, self.pump()?);
        let refused = |cause: Refused| chosen.refused(&cause);
        let share = chosen.basis.of_dose();
        let person = chosen.model.typical(body).map_err(refused)?;
        let inside = delivered.scaled(share).map_err(refused)?;
        let steering = Steering { person: &person, delivered: &inside, now, until };
        let scaled = |rate: MgPerMin| MgPerMin(rate.0 * share.0);
        let plan = if self.one_rate {
            match highest_rate(&steering, &goal).map_err(refused)? {
                Highest::PassedAnyway { peak } => return Err(Wrong::Unsafe(passed(&goal, peak))),
                Highest::Rate(rate) => {
                    vec![Dose::Infusion { start: now, end: until, rate: down_to(rate, &pump, share.0) }]
                }
            }
        } else {
            let (rate_max, resolution) = (scaled(pump.rate_max), scaled(pump.resolution));
            steer(&steering, &goal, &Pump { rate_max, resolution, ..pump }).map_err(refused)?
        };
        let given =
            Schedule::new(plan).and_then(|plan| plan.scaled(pkpd::Ratio(1.0 / share.0))).map_err(refused)?;
        Ok(given.doses().to_vec())
    }

    fn sheet(&self, rates: &[Dose]) -> Result<Sheet, Unreadable> {
        let strength = self.strength()?;
        let rate = |dose: &Dose| dose.amount().0 / (dose.end().0 - dose.start().0);
        let mut sheet = Sheet::default();
        sheet.numbers("start_min", rates.iter().map(|dose| dose.start().0));
        sheet.numbers("duration_min", rates.iter().map(|dose| dose.end().0 - dose.start().0));
        sheet.numbers("amount_mg", rates.iter().map(|dose| dose.amount().0));
        sheet.numbers("rate_mg_min", rates.iter().map(rate));
        if let Some(strength) = strength {
            sheet.numbers("rate_ml_h", rates.iter().map(|dose| rate(dose) * 60.0 / strength));
        }
        Ok(sheet)
    }
}

fn passed(goal: &Goal, peak: NgPerMl) -> String {
    let (level, peak) = (goal.level, peak.0);
    format!(
        "what was delivered alone passes the target of {level}: it rises to {peak:.1} ng/mL with nothing more given"
    )
}

/// What the pump can run: not above its fastest, and a whole number of its steps, of the model's share.
fn down_to(rate: MgPerMin, pump: &Pump, share: f64) -> MgPerMin {
    let rate = rate.0.min(pump.rate_max.0 * share);
    let step = pump.resolution.0 * share;
    // A hair above a step of the pump is rounding, not a wish for the step below.
    MgPerMin(if step > 0.0 { (rate / step * (1.0 + 1e-12)).floor() * step } else { rate })
}
