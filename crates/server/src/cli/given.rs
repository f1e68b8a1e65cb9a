//! What is given, as every command of the pharmacology lab reads it.

use super::note;
use clap::ValueEnum;
use clinic::dose::parse::Unreadable;
use lab::{Doses, asked};
use pkpd::Form;
use serde_json::{Value, json};
use std::path::PathBuf;

/// What was in the syringe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Substance {
    /// The racemate
    Ketamine,
    /// The S half alone
    Esketamine,
}

impl From<Substance> for Form {
    fn from(substance: Substance) -> Self {
        match substance {
            Substance::Ketamine => Self::Racemate,
            Substance::Esketamine => Self::SEnantiomer,
        }
    }
}

/// Where blood was drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Site {
    /// Artery
    Arterial,
    /// Vein
    Venous,
}

impl From<Site> for pkpd::Site {
    fn from(site: Site) -> Self {
        match site {
            Site::Arterial => Self::Arterial,
            Site::Venous => Self::Venous,
        }
    }
}

/// Doses, typed or from a file.
#[derive(Debug, Clone, clap::Args)]
pub struct Given {
    /// "0.5 mg/kg over 40 min at 0 min", "10 mg bolus at 5 min", "0.5 mg/kg/h for 60 min", "1 mg/min for 20 min"; repeat
    /// it for another dose.
    ///
    /// After it, in this order: "every 2880 min 6 times", or "every 480 min steady" for a dose that was given so since
    /// before memory, also where an infusion lasts longer than that: at its time the level is that of steady state, before
    /// it there is none, and no dose comes after it (SS of NONMEM) unless it is repeated, "every 480 min 3 times steady";
    /// "lag 3 min" when all of it arrives later; "route
    /// intranasal" for another way than a vein, where the model has a source (`chairside models show`).
    #[arg(long, value_name = "DOSE", allow_hyphen_values = true)]
    dose: Vec<String>,
    /// CSV with start_min,duration_min,amount_mg; a duration of 0 is a bolus, overlapping rows add.
    ///
    /// It may have more columns: ii_min from one to the next with addl more of them, or with ss 1 when it was given so
    /// since before memory; lag_min; route.
    #[arg(long, value_name = "FILE")]
    dose_file: Option<PathBuf>,
    /// The body is empty from this moment, and what runs stops: "1440 min"; repeat it for another
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    reset: Vec<String>,
    /// What is given
    #[arg(long, value_enum, default_value_t = Substance::Ketamine)]
    pub substance: Substance,
}

impl Given {
    /// # Errors
    /// A dose that cannot be read; none at all.
    pub fn read(&self) -> Result<Doses, Unreadable> {
        if self.dose.is_empty() && self.dose_file.is_none() { Err(Doses::nothing()) } else { self.read_any() }
    }

    /// The same where nothing given is an answer.
    ///
    /// # Errors
    /// A dose that cannot be read.
    pub fn read_any(&self) -> Result<Doses, Unreadable> {
        let rows = self.dose_file.as_deref().map(|path| asked::dose_file("--dose-file", path)).transpose()?;
        let resets =
            self.reset.iter().map(|text| asked::minutes("--reset", text)).collect::<Result<_, _>>()?;
        let doses = Doses::read(&self.dose, rows.unwrap_or_default())?.with_resets(resets);
        doses.notes().iter().for_each(note);
        Ok(doses)
    }

    /// For a title.
    pub fn words(&self) -> String {
        let substance = if self.substance == Substance::Ketamine { "Ketamine" } else { "Esketamine" };
        let file = self.dose_file.as_ref().map(|path| format!("doses of {}", path.display()));
        let doses: Vec<String> = self.dose.iter().cloned().chain(file).collect();
        format!("{substance} {}", doses.join("; "))
    }

    /// For the head of an answer.
    pub fn about(&self) -> Value {
        let substance = self.substance.to_possible_value().map(|value| value.get_name().to_owned());
        json!({ "substance": substance, "doses": self.dose, "dose_file": self.dose_file, "resets": self.reset })
    }
}
