//! How near a plan brings the level to its target: told of every plan, so that none passes or misses it in silence.

use crate::case::Chosen;
use crate::planned::{PlanQuestion, Way};
use clinic::dose::parse::Unreadable;
use pkpd::{Aim, Minutes, NgPerMl, Schedule};

/// Share of the target within which a level counts as there. No assay tells such levels apart: of the models here the
/// smallest error is 8 % (hydroxynorketamine in `simons2022`). Rates that a pump can run miss by less than this.
pub const NEAR: f64 = 0.01;
/// The level is looked at as often as this, and wherever a rate changes.
const LOOK: Minutes = Minutes(1.0 / 12.0);
/// And so long after the plan, because the effect site is highest after a pump has stopped.
const AFTER: Minutes = Minutes(60.0);
/// A longer plan is looked at less often.
const LOOKS_MAX: f64 = 50_000.0;

/// The level of the typical person under a plan, where the target is: in plasma or at the effect site.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reached {
    /// The highest from the beginning of the plan to an hour after its end.
    pub greatest: NgPerMl,
    /// When that is.
    pub greatest_at: Minutes,
    /// When it first is within [`NEAR`] of the target, on either side; `None` when it is not in that whole time.
    pub from: Option<Minutes>,
    /// How long from the beginning to the end of the plan it lies below that.
    pub below: Minutes,
    /// The lowest from the first moment at the target to the end of the plan.
    pub lowest_since: Option<NgPerMl>,
}

impl Chosen<'_> {
    /// Follows the typical person through what was delivered and what is planned.
    pub(crate) fn reached(&self, asked: &PlanQuestion, whole: &Schedule) -> Result<Reached, Unreadable> {
        let PlanQuestion { now, until, aim, level, .. } = *asked;
        let refused = |cause| self.refused(&cause);
        let person = self.model.typical(asked.body).map_err(refused)?;
        let inside = whole.scaled(self.basis.of_dose()).map_err(refused)?;
        let course = person.parent_course(&inside, self.ke0, &looks(asked, whole)).map_err(refused)?;
        let levels = match (aim, &course.effect) {
            (Aim::Effect, Some(effect)) => effect,
            _ => &course.plasma,
        };
        let (low_end, high_end) = (level.0 * (1.0 - NEAR), level.0 * (1.0 + NEAR));
        let mut found = Reached {
            greatest: NgPerMl(0.0),
            greatest_at: now,
            from: None,
            below: Minutes(0.0),
            lowest_since: None,
        };
        let mut before = now;
        for (time, level) in course.times.iter().zip(levels) {
            if level.0 > found.greatest.0 {
                (found.greatest, found.greatest_at) = (*level, *time);
            }
            if (low_end..=high_end).contains(&level.0) {
                found.from = found.from.or(Some(*time));
            }
            if *time > until {
                continue;
            }
            if level.0 < low_end {
                found.below.0 += time.0 - before.0;
            }
            if found.from.is_some() {
                let lowest = found.lowest_since.map_or(level.0, |lowest| lowest.0.min(level.0));
                found.lowest_since = Some(NgPerMl(lowest));
            }
            before = *time;
        }
        Ok(found)
    }
}

/// From the beginning of the plan to a while after its end.
fn looks(asked: &PlanQuestion, whole: &Schedule) -> Vec<Minutes> {
    let (now, last) = (asked.now.0, asked.until.0 + AFTER.0);
    let count = ((last - now) / LOOK.0).ceil().min(LOOKS_MAX);
    let even = (0..=count as usize).map(|place| now + (last - now) * place as f64 / count);
    let changes = whole.doses().iter().flat_map(|dose| [dose.start().0, dose.end().0]);
    let mut times: Vec<f64> =
        even.chain(changes).chain([asked.until.0]).filter(|time| *time >= now).collect();
    times.sort_by(f64::total_cmp);
    times.dedup();
    times.into_iter().map(Minutes).collect()
}

impl Reached {
    /// By which share of it the target is passed; below 0 where it is not.
    #[must_use]
    pub fn passed_by(&self, target: NgPerMl) -> f64 {
        self.greatest.0 / target.0 - 1.0
    }

    /// In words: always how near, and what is beyond [`NEAR`].
    pub(crate) fn notes(&self, asked: &PlanQuestion) -> Vec<String> {
        let (target, percent) = (asked.level, |share: f64| 100.0 * share);
        let near = percent(NEAR);
        let place = if asked.aim == Aim::Effect { "at the effect site" } else { "in plasma" };
        let (most, at) = (self.greatest.0, self.greatest_at.0);
        let whole = asked.until.0 - asked.now.0;
        let of_plan = format!("{:.1} of {whole:.1} min below that", self.below.0);
        let first = match self.from {
            Some(from) if from > asked.until => {
                format!("within {near} % of the target only after the plan, from {:.1} min on", from.0)
            }
            Some(from) => format!("within {near} % of the target from {:.1} min on, {of_plan}", from.0),
            None => format!("never within {near} % of the target"),
        };
        let mut notes = vec![format!(
            "the typical person's level {place} is highest with {most:.1} ng/mL at {at:.1} min; it is {first}"
        )];
        let passed = self.passed_by(target);
        if passed > NEAR {
            notes.push(format!(
                "warning: this plan passes its target of {target} by {:.1} %",
                percent(passed)
            ));
        }
        // A rate that is kept has a limit, not a level to reach.
        if matches!(asked.way, Way::Keep { .. }) {
            return notes;
        }
        match self.lowest_since {
            // Above it all the time: that is told.
            None if self.from.is_none() && passed > NEAR => {}
            None if self.from.is_some() => notes.push(format!(
                "warning: this plan does not reach its target of {target} before it ends"
            )),
            None => notes.push(format!(
                "warning: this plan does not reach its target of {target}: {:.1} % of it is missing at best",
                percent(-passed)
            )),
            Some(lowest) if lowest.0 < target.0 * (1.0 - NEAR) => notes.push(format!(
                "warning: this plan does not hold its target of {target}: after it was there the level falls to {:.1} ng/mL",
                lowest.0
            )),
            Some(_) => {}
        }
        notes
    }
}
