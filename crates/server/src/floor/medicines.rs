//! What a patient was last heard to take, from every place where it is told: care plan, consultation, and the list of the
//! day at a visit.

use super::Floor;
use crate::Fault;
use clinic::care::told::{List, Says, Told, differs, last_words};
use clinic::gate::MEDICINES_GATE;
use clinic::id::{PatientId, SessionId, StaffId};
use clinic::screen::Taken;
use clinic::screen::consulting::{Event, Section};
use jiff::Timestamp;

impl Floor {
    /// The last word on each medicine of a person, on whichever record; those that were stopped come last.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn medicines_told(&self, patient: &PatientId) -> Result<Vec<Told>, Fault> {
        let mut all = Vec::new();
        for record in self.records_of(patient)? {
            if let Some((at, by, list)) = self.medicines_consulted(&record)? {
                all.extend(list.into_iter().filter_map(|taken| {
                    let says = Says::Consulted { daily_mg: taken.daily_mg };
                    Some(Told { at, by: by.clone(), name: taken.name?, says })
                }));
            }
            all.extend(self.care_plan(&record)?.medicines.into_iter().map(Told::from));
        }
        Ok(last_words(all))
    }

    /// The list of a consultation as it stands, when it was recorded and by whom; `None` where nobody asked.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn medicines_consulted(
        &self,
        record: &PatientId,
    ) -> Result<Option<(Timestamp, StaffId, Vec<Taken>)>, Fault> {
        let last =
            self.consultation_history(record)?.into_iter().rev().find_map(|(at, by, event)| match event {
                Event::SectionRecorded { section: Section::Medicines, said } => {
                    Some((at, by, said.medicines))
                }
                _ => None,
            });
        Ok(last.and_then(|(at, by, list)| Some((at, by, list?))))
    }

    /// That medicines were told since the consultation which its list does not have: it is screened on an old list.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn consultation_behind(&self, patient: &PatientId) -> Result<Option<String>, Fault> {
        let Some((at, _, list)) = self.medicines_consulted(patient)? else { return Ok(None) };
        let consulted = List { at, names: list.into_iter().filter_map(|taken| taken.name).collect() };
        let (told, visit) = (self.medicines_told(patient)?, self.list_of_last_visit(patient)?);
        Ok(differs(&consulted, &told, visit.as_ref()).map(|(at, how)| {
            let day = at.to_zoned(self.zone.clone()).strftime("%d-%b-%Y");
            format!("Medicines told on {day} differ: {}. Bring the consultation up to date.", how.join(", "))
        }))
    }

    fn list_of_last_visit(&self, patient: &PatientId) -> Result<Option<List>, Fault> {
        let mut last: Option<List> = None;
        for row in self.visits_of(patient)? {
            let Some(session) = self.session(&SessionId::new(row.session)).map_err(Fault::Floor)? else {
                continue;
            };
            let gates = session
                .gates
                .values()
                .filter(|one| one.answer.gate.as_str() == MEDICINES_GATE && one.amended.is_none());
            for answered in gates {
                let Some(list) = &answered.answer.inputs.medicines else { continue };
                if last.as_ref().is_none_or(|last| last.at < answered.at) {
                    let names = list.iter().map(|medicine| medicine.ingredient.clone()).collect();
                    last = Some(List { at: answered.at, names });
                }
            }
        }
        Ok(last)
    }
}
