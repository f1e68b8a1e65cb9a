//! What a patient was heard to take, wherever it was told: between the visits or at the consultation. The last word on a
//! medicine counts, and it stays on the list until somebody says that it is stopped.

use super::plan::{Medicine, MedicineChange, Recorded};
use crate::id::StaffId;
use crate::quantity::plain;
use jiff::Timestamp;
use rust_decimal::Decimal;
use std::collections::BTreeSet;

/// One medicine as it was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// When.
    pub at: Timestamp,
    /// To whom.
    pub by: StaffId,
    /// As it was named.
    pub name: String,
    /// What was said of it.
    pub says: Says,
}

/// What was said of a medicine, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Says {
    /// In the care plan.
    Planned(Medicine),
    /// It is taken, on the list of the consultation.
    Consulted {
        /// Dose a day.
        daily_mg: Option<Decimal>,
    },
}

impl From<Recorded> for Told {
    fn from(Recorded { at, by, medicine }: Recorded) -> Self {
        Self { at, by, name: medicine.name.clone(), says: Says::Planned(medicine) }
    }
}

impl Told {
    /// What the care plan says of it.
    pub const fn planned(&self) -> Option<&Medicine> {
        match &self.says {
            Says::Planned(medicine) => Some(medicine),
            Says::Consulted { .. } => None,
        }
    }
    /// Dose a day where it was told as a number.
    pub const fn daily_mg(&self) -> Option<Decimal> {
        match self.says {
            Says::Consulted { daily_mg } => daily_mg,
            Says::Planned(_) => None,
        }
    }
    /// Not taken any more.
    pub fn is_stopped(&self) -> bool {
        self.planned().is_some_and(|medicine| medicine.change == MedicineChange::Stopped)
    }
    /// Left off or changed without a physician.
    pub fn asks_for_a_physician(&self) -> bool {
        self.planned().is_some_and(Medicine::asks_for_a_physician)
    }
    /// As a person reads it; empty where nobody said it.
    pub fn dose(&self) -> String {
        match &self.says {
            Says::Planned(medicine) => medicine.dose.clone(),
            Says::Consulted { daily_mg } => {
                daily_mg.map_or_else(String::new, |mg| format!("{} mg a day", plain(mg)))
            }
        }
    }
}

/// The last word on each medicine, by name in any case of letters; those that were stopped come last.
pub fn last_words(mut all: Vec<Told>) -> Vec<Told> {
    all.sort_by_key(|one| one.at);
    let mut seen = BTreeSet::new();
    let mut last: Vec<Told> = all.into_iter().rev().filter(|one| seen.insert(key(&one.name))).collect();
    last.sort_by_key(|one| (one.is_stopped(), key(&one.name)));
    last
}

/// A whole list: what is not on it was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List {
    /// When it was asked.
    pub at: Timestamp,
    /// Names.
    pub names: Vec<String>,
}

impl List {
    fn has(&self, name: &str) -> bool {
        self.names.iter().any(|one| key(one) == key(name))
    }
}

/// In what medicines told since the consultation differ from its list, and when the last of it was told: the last word on
/// each, and the list of the last visit.
pub fn differs(consulted: &List, told: &[Told], visit: Option<&List>) -> Option<(Timestamp, Vec<String>)> {
    let since: Vec<&Told> = told.iter().filter(|one| one.at > consulted.at).collect();
    let mut differs: Vec<(Timestamp, String)> = since
        .iter()
        .filter_map(|one| {
            let change = one.planned().map_or(MedicineChange::Takes, |medicine| medicine.change);
            let how = match (change, consulted.has(&one.name)) {
                (MedicineChange::Takes | MedicineChange::Started, true)
                | (MedicineChange::Stopped, false) => {
                    return None;
                }
                (MedicineChange::Takes, false) => "taken",
                (MedicineChange::Started | MedicineChange::Changed | MedicineChange::Stopped, _) => {
                    change.title()
                }
            };
            Some((one.at, format!("{} {how}", one.name)))
        })
        .collect();
    if let Some(visit) = visit.filter(|visit| visit.at > consulted.at) {
        let silent = |name: &&String| !since.iter().any(|one| key(&one.name) == key(name));
        let new = visit.names.iter().filter(|name| !consulted.has(name)).filter(silent);
        differs.extend(new.map(|name| (visit.at, format!("{name} on the list of the visit"))));
        let gone = consulted.names.iter().filter(|name| !visit.has(name)).filter(silent);
        differs.extend(gone.map(|name| (visit.at, format!("{name} not on the list of the visit"))));
    }
    let last = differs.iter().map(|(at, _)| *at).max()?;
    Some((last, differs.into_iter().map(|(_, how)| how).collect()))
}

fn key(name: &str) -> String {
    name.trim().to_lowercase()
}
