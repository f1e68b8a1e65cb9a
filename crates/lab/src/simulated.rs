//! One typical person under any doses.

use crate::case::Chosen;
use crate::doses::Doses;
use clinic::dose::parse::Unreadable;
use pkpd::{Body, Course, Kg, Minutes, Reason};

/// Who gets it.
#[derive(Debug, Clone, PartialEq)]
pub struct Person {
    /// At first.
    pub body: Body,
    /// Weights that hold from a moment on; the moments rise.
    pub weight_from: Vec<(Minutes, Kg)>,
}

impl From<Body> for Person {
    fn from(body: Body) -> Self {
        Self { body, weight_from: Vec::new() }
    }
}

impl Person {
    /// Later bodies, each with the moment from which it holds.
    pub(crate) fn bodies(&self) -> impl Iterator<Item = (Minutes, Body)> {
        self.weight_from.iter().map(|&(from, weight)| (from, Body { weight, ..self.body }))
    }

    fn at(&self, time: Minutes) -> Body {
        self.bodies().take_while(|(from, _)| *from <= time).last().map_or(self.body, |(_, body)| body)
    }
}

/// Levels of one person by one model.
pub struct Simulated<'k> {
    /// By which model.
    pub chosen: Chosen<'k>,
    /// The levels.
    pub course: Course,
    /// Where person or doses lie outside what the model was made for.
    pub outside: Vec<Reason>,
    /// At which of the times that is so.
    pub marks: Vec<bool>,
}

impl<'k> Chosen<'k> {
    /// Simulates the typical person of this body, or of bodies that follow each other.
    ///
    /// # Errors
    /// A dose beyond what the model was made for, a body or times that the engine refuses.
    pub fn simulated(
        self,
        person: &Person,
        doses: &Doses,
        times: &[Minutes],
    ) -> Result<Simulated<'k>, Unreadable> {
        let bodies = || std::iter::once(person.body).chain(person.bodies().map(|(_, body)| body));
        bodies().try_for_each(|body| doses.check(&self, body))?;
        let schedule = doses.schedule_for(|at| person.at(at).weight)?;
        let course = self.course(person, &schedule, times).map_err(|cause| self.refused(&cause))?;
        let mut outside: Vec<Reason> = Vec::new();
        for reason in bodies().flat_map(|body| self.outside(body, &schedule, times)) {
            if !outside.contains(&reason) {
                outside.push(reason);
            }
        }
        let marks = self.marks(&outside, &schedule, times);
        Ok(Simulated { chosen: self, course, outside, marks })
    }
}

impl Chosen<'_> {
    /// Levels alone, at any times.
    ///
    /// # Errors
    /// As [`Chosen::simulated`].
    pub fn levels_at(&self, who: &Person, doses: &Doses, times: &[Minutes]) -> Result<Course, Unreadable> {
        let schedule = doses.schedule_for(|at| who.at(at).weight)?;
        self.course(who, &schedule, times).map_err(|cause| self.refused(&cause))
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
