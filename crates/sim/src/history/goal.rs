//! What a patient wants to be able to do again, and how near they say they are. At some visits nobody asks.

use super::Stuck;
use super::pen::Pen;
use super::start::Person;
use crate::cast::KIM;
use clinic::care::plan::{CarePlan, Command, RATING_BEST, decide};
use clinic::id::GoalId;
use jiff::Timestamp;

const GOALS: [&str; 5] = [
    "Walk the dog every day",
    "Work again, four hours a day",
    "Have friends for dinner",
    "Sleep through the night",
    "Play the piano again",
];
/// One visit of so many goes by without the question.
const FORGOTTEN: u32 = 3;

/// The care plan of one patient, with the one goal in it.
pub(super) struct Goal {
    plan: CarePlan,
    id: GoalId,
}

/// Named before the first infusion.
pub(super) fn named(pen: &mut Pen, person: &Person, at: Timestamp) -> Result<Goal, Stuck> {
    let mut goal = Goal { plan: CarePlan::default(), id: GoalId::new(pen.id(at)) };
    let words = GOALS[pen.number as usize % GOALS.len()].to_owned();
    goal.says(pen, person, Command::NameGoal { goal: goal.id.clone(), words }, at)?;
    Ok(goal)
}

impl Goal {
    /// The patient says how near they are, from 0 to 1, at most visits.
    pub(super) fn rated(
        &mut self,
        pen: &mut Pen,
        person: &Person,
        (visit, near): (u32, f64),
        at: Timestamp,
    ) -> Result<(), Stuck> {
        if (visit + pen.number).is_multiple_of(FORGOTTEN) {
            return Ok(());
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 10")]
        let rating = (near.clamp(0.0, 1.0) * f64::from(RATING_BEST)).round() as u8;
        self.says(pen, person, Command::RateGoal { goal: self.id.clone(), rating }, at)
    }

    fn says(&mut self, pen: &mut Pen, person: &Person, command: Command, at: Timestamp) -> Result<(), Stuck> {
        let (kim, today) = (KIM.actor(), at.to_zoned(pen.history.zone.clone()).date());
        let event =
            decide(&self.plan, command, &kim, today).map_err(|why| pen.stuck(at, "rate a goal", why))?;
        pen.event(at, &kim, format!("care_plan/{}", person.id), &event);
        self.plan = std::mem::take(&mut self.plan).evolve(&event, &kim.id, at);
        Ok(())
    }
}
