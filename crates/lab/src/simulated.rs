//! One typical person under any doses.

use crate::case::Chosen;
use crate::doses::Doses;
use clinic::dose::parse::Unreadable;
use pkpd::{Body, Course, Minutes, Reason};

/// Levels of one person by one model.
pub struct Simulated<'k> {
    /// By which model.
    pub chosen: Chosen<'k>,
    /// The levels.
    pub course: Course,
    /// Where person or doses lie outside what the model was made for.
    pub outside: Vec<Reason>,
}

impl<'k> Chosen<'k> {
    /// Simulates the typical person of this body.
    ///
    /// # Errors
    /// A dose beyond what the model was made for, a body or times that the engine refuses.
    pub fn simulated(
        self,
        body: Body,
        doses: &Doses,
        times: &[Minutes],
    ) -> Result<Simulated<'k>, Unreadable> {
        doses.check(&self, body)?;
        let schedule = doses.schedule(body.weight)?;
        let course = self.course(body, &schedule, times).map_err(|cause| self.refused(&cause))?;
        let outside = self.outside(body, &schedule);
        Ok(Simulated { chosen: self, course, outside })
    }
}

impl Simulated<'_> {
    /// What a reader of the levels has to know.
    #[must_use]
    pub fn notes(&self) -> Vec<String> {
        let id = self.chosen.model.id();
        let outside = self.outside.iter().map(|reason| format!("outside the validity of {id}: {reason}"));
        self.chosen.notes.iter().cloned().chain(outside).collect()
    }
}
