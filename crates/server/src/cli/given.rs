//! What is given, as every command of the pharmacology lab reads it.

use crate::lab::asked::{self, Argument, AskedDose};
use crate::lab::case::Chosen;
use clap::ValueEnum;
use clinic::dose::parse::Unreadable;
use pkpd::{Body, Dose, Form, Kg, Refused, Schedule};
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

/// Doses, typed or from a file.
#[derive(Debug, Clone, clap::Args)]
pub struct Given {
    /// "0.5 mg/kg over 40 min at 0 min", "10 mg bolus at 5 min", "0.5 mg/kg/h for 60 min", "1 mg/min for 20 min", each
    /// with "every 2880 min 6 times" after it; repeat it for another dose
    #[arg(long, value_name = "DOSE", allow_hyphen_values = true)]
    dose: Vec<String>,
    /// CSV with start_min,duration_min,amount_mg; a duration of 0 is a bolus, overlapping rows add
    #[arg(long, value_name = "FILE")]
    dose_file: Option<PathBuf>,
    /// What is given
    #[arg(long, value_enum, default_value_t = Substance::Ketamine)]
    pub substance: Substance,
}

/// Doses, read.
#[derive(Debug, Clone)]
pub struct Doses {
    /// With their words.
    pub typed: Vec<(String, AskedDose)>,
    filed: Vec<Dose>,
}

impl Given {
    /// # Errors
    /// A dose that cannot be read; none at all.
    pub fn read(&self) -> Result<Doses, Unreadable> {
        let doses = self.read_any()?;
        if self.dose.is_empty() && self.dose_file.is_none() {
            return Err(doses.unreadable("nothing is given"));
        }
        Ok(doses)
    }

    /// The same where nothing given is an answer.
    ///
    /// # Errors
    /// A dose that cannot be read.
    pub fn read_any(&self) -> Result<Doses, Unreadable> {
        let read = |text: &String| Ok((text.clone(), AskedDose::read("--dose", text)?));
        let typed = self.dose.iter().map(read).collect::<Result<_, _>>()?;
        let filed =
            self.dose_file.as_deref().map(|path| asked::dose_file("--dose-file", path)).transpose()?;
        Ok(Doses { typed, filed: filed.unwrap_or_default() })
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
        json!({ "substance": substance, "doses": self.dose, "dose_file": self.dose_file })
    }
}

impl Doses {
    /// As given to a person of this weight.
    ///
    /// # Errors
    /// A dose beyond what the engine can count.
    pub fn schedule(&self, weight: Kg) -> Result<Schedule, Unreadable> {
        let typed = self.typed.iter().flat_map(|(_, dose)| dose.each_for_weight(weight));
        Schedule::new(typed.chain(self.filed.iter().copied())).map_err(|cause| self.refused(&cause))
    }

    /// Refuses a typed dose beyond what the model was made for.
    ///
    /// # Errors
    /// [`Unreadable`] that names the dose.
    pub fn check(&self, chosen: &Chosen, body: Body) -> Result<(), Unreadable> {
        self.typed.iter().try_for_each(|(text, dose)| chosen.check_dose(text, dose, body))
    }

    /// Whether amounts are in absolute mg alone, for each kilogram alone, or mixed.
    pub fn are_by_weight(&self) -> Result<bool, Unreadable> {
        let by_weight = self.typed.iter().filter(|(_, dose)| dose.is_by_weight).count();
        match by_weight {
            0 => Ok(false),
            all if all == self.typed.len() && self.filed.is_empty() => Ok(true),
            _ => Err(self.unreadable("some of it is by weight and some is not")),
        }
    }

    fn refused(&self, cause: &Refused) -> Unreadable {
        self.unreadable(cause.to_string())
    }

    fn unreadable(&self, why: impl ToString) -> Unreadable {
        let text = self.typed.iter().map(|(text, _)| text.as_str()).collect::<Vec<_>>().join("; ");
        let field = if self.typed.is_empty() && !self.filed.is_empty() { "--dose-file" } else { "--dose" };
        Argument { field, text: &text, accepted: AskedDose::ACCEPTED }.unreadable(why)
    }
}
