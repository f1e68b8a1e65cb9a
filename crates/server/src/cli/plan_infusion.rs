//! `chairside plan-infusion`: rates that bring a level where it is wanted, as the pump can run them. Planning is no
//! simulation: outside the model's domain it refuses.

use super::given::Given;
use super::{Exit, note, print_sheet, refuse, with_shipped};
use crate::lab::sheet::{Format, Sheet};
use clap::ValueEnum;
use clinic::dose::parse::Unreadable;
use clinic::knowledge::Knowledge;
use lab::{Chosen, PlanQuestion, Planned, Way, Wrong, asked};
use pkpd::{Aim, Body, Dose, MgPerMin, Minutes, Pump};
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
    #[arg(long, group = "way")]
    one_rate: bool,
    /// Two steady rates, the second from this time on: of all pairs that never pass the target, the one with the
    /// highest mean level from then to the end
    #[arg(long, value_name = "TIME", group = "way", allow_hyphen_values = true)]
    switch: Option<String>,
    /// The rate that runs: it is kept, or changed no more than it must so that the target is never passed
    #[arg(long, value_name = "RATE", group = "way", allow_hyphen_values = true)]
    running: Option<String>,
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

impl From<Where> for Aim {
    fn from(wanted: Where) -> Self {
        match wanted {
            Where::Plasma => Self::Plasma,
            Where::Effect => Self::Effect,
        }
    }
}

/// Prints the plan. Exit 2 names the argument that cannot be read, 3 says why nothing is planned.
pub fn run(args: &Args) -> Exit {
    with_shipped(|knowledge| match planned(args, knowledge) {
        Ok((sheet, notes)) => {
            notes.iter().for_each(note);
            print_sheet(&sheet, args.format)
        }
        Err(wrong) => refuse(&wrong),
    })
}

fn planned(args: &Args, knowledge: &Knowledge) -> Result<(Sheet, Vec<String>), Wrong> {
    let ke0 = args.ke0.as_deref().map(|text| asked::ke0("--ke0", text)).transpose()?;
    let chosen = Chosen::find(knowledge, &args.model, args.delivered.substance.into())?
        .with_effect_site(knowledge, ke0)?;
    let body =
        Body { weight: asked::weight("--weight", &args.weight)?, age: Some(asked::age("--age", &args.age)?) };
    let now = args.now.as_deref().map(|text| asked::moment("--now", text)).transpose()?;
    let now = now.unwrap_or(Minutes(0.0));
    let delivered = args.delivered.read_any()?;
    let level = asked::level("--target", &args.target)?;
    let Planned { rates, reached, notes } = chosen.planned(&PlanQuestion {
        body,
        delivered: &delivered,
        aim: args.aim.into(),
        level,
        pump: args.pump()?,
        now,
        until: asked::minutes("--until", &args.until)?,
        way: args.way()?,
    })?;
    let mut sheet = args.sheet(&rates)?;
    sheet.about.insert("model".to_owned(), json!(chosen.model.id()));
    sheet.about.insert("target".to_owned(), json!(args.target));
    sheet.about.insert("levels_of".to_owned(), json!(chosen.levels_of()));
    sheet.about.insert("delivered".to_owned(), args.delivered.about());
    sheet.about.insert("greatest_ng_ml".to_owned(), json!(reached.greatest.0));
    sheet.about.insert("greatest_at_min".to_owned(), json!(reached.greatest_at.0));
    sheet.about.insert("passes_target_by".to_owned(), json!(reached.passed_by(level).max(0.0)));
    sheet.about.insert("at_target_from_min".to_owned(), json!(reached.from.map(|from| from.0)));
    sheet.about.insert("below_target_for_min".to_owned(), json!(reached.below.0));
    sheet.about.insert("notes".to_owned(), json!(notes));
    Ok((sheet, notes))
}

impl Args {
    fn strength(&self) -> Result<Option<f64>, Unreadable> {
        self.concentration.as_deref().map(|text| asked::strength("--concentration", text)).transpose()
    }

    fn way(&self) -> Result<Way, Unreadable> {
        let strength = self.strength()?;
        Ok(match (&self.switch, &self.running) {
            (Some(switch), _) => Way::TwoRates { switch: asked::minutes("--switch", switch)? },
            (None, Some(running)) => Way::Keep { running: asked::rate("--running", running, strength)? },
            (None, None) if self.one_rate => Way::OneRate,
            (None, None) => Way::Steps,
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
