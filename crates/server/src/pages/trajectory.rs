//! The scores of a patient over time as a picture, with infusions and their doses on the same axis.

use super::room::{self, LETTERS, Room, span};
use crate::record::drawing::{Anchor, Drawing, Ink, Mark};
use clinic::care::plan::{Goal, RATING_BEST};
use clinic::quantity::Micrograms;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use rust_decimal::prelude::ToPrimitive;

/// What is drawn.
pub struct Trajectory {
    /// Name of the scale.
    pub title: String,
    /// Lowest and highest total.
    pub range: [f64; 2],
    /// When, total, and how it reads.
    pub scores: Vec<(Timestamp, f64, String)>,
    /// Start, and what went in: as it reads, and counted.
    pub infusions: Vec<(Timestamp, String, Micrograms)>,
    /// Middle of each window that closed without an answer.
    pub missed: Vec<Timestamp>,
    /// What the patient wants to be able to do again, each in a row of its own below the scores; those that are followed.
    pub goals: Vec<Goal>,
    /// Zone of the clinic's clock.
    pub zone: TimeZone,
    /// Where it is looked at.
    pub room: Room,
}

const LEFT: f32 = 44.0;
const TOP: f32 = 40.0;
const BOTTOM: f32 = 220.0;
/// Least room of a dose beside the next one.
const DOSE_ROOM: f32 = 60.0;
/// What the marks mean, below the axis.
const LEGEND: f32 = BOTTOM + 38.0;
/// Height of the row of a goal, of which the upper part has its words.
const ROW: f32 = 52.0;
const WORDS: f32 = 20.0;
/// Letters of a row of a goal that its last rating takes.
const RATED: usize = 14;

impl Trajectory {
    /// Draws it. One point in time alone stands in the middle.
    pub fn drawing(&self) -> Drawing {
        #[expect(clippy::cast_precision_loss, reason = "a few goals")]
        let height = self.below_legend() + ROW * self.goals.len() as f32;
        let width = self.room.width();
        let corners = vec![(0.0, 0.0), (width, 0.0), (width, height), (0.0, height)];
        let mut drawing = Drawing {
            width,
            height,
            title: self.title.clone(),
            words: self.words(),
            marks: vec![Mark::Area { points: corners, ink: Ink::Paper }],
        };
        self.axes(&mut drawing);
        let mut free_from = 0.0;
        self.exposure(&mut drawing);
        for (at, dose, _) in &self.infusions {
            let x = self.x(*at);
            let points = vec![(x, TOP), (x, BOTTOM)];
            drawing.marks.push(Mark::Path { points, ink: Ink::Drug, width: 1.5, dashed: true });
            if x >= free_from {
                drawing.text((x, TOP - 8.0), LETTERS, Anchor::Middle, Ink::Drug, dose.as_str());
                free_from = x + DOSE_ROOM;
            }
        }
        for at in &self.missed {
            drawing.text((self.x(*at), BOTTOM - 6.0), LETTERS, Anchor::Middle, Ink::Quiet, "×");
        }
        let place = |(at, total, _): &(Timestamp, f64, String)| (self.x(*at), self.y(*total));
        for (x, y) in self.scores.iter().map(place) {
            let square = [(-4.0, -4.0), (4.0, -4.0), (4.0, 4.0), (-4.0, 4.0)];
            let points = square.iter().map(|(dx, dy)| (x + dx, y + dy)).collect();
            drawing.marks.push(Mark::Area { points, ink: Ink::Series(0) });
        }
        for pair in self.scores.windows(2) {
            let [from, to] = pair else { continue };
            if !room::gap(&self.missed, from.0, to.0) {
                let points = vec![place(from), place(to)];
                drawing.marks.push(Mark::Path { points, ink: Ink::Series(0), width: 2.0, dashed: false });
            }
        }
        for (nth, goal) in self.goals.iter().enumerate() {
            self.goal(&mut drawing, nth, goal);
        }
        drawing
    }

    /// How near the patient was to a goal, and between which infusions nobody asked.
    #[expect(clippy::cast_precision_loss, reason = "a few goals")]
    fn goal(&self, drawing: &mut Drawing, nth: usize, goal: &Goal) {
        let top = self.below_legend() + ROW * nth as f32;
        let (best, none) = (top + WORDS, top + ROW - 6.0);
        let last = goal.ratings.last().map_or_else(|| "not rated".to_owned(), |(_, rating)| of_best(*rating));
        let words = format!("{}: {last}", shortened(&goal.words, self.room.letters() - RATED));
        drawing.text((LEFT, top + LETTERS), LETTERS, Anchor::Start, Ink::Black, words);
        for (y, rating) in [(best, RATING_BEST), (none, 0)] {
            drawing.line((LEFT, y), (self.room.right(), y), Ink::Grid, 1.0);
            drawing.text((LEFT - 6.0, y + 4.0), LETTERS, Anchor::End, Ink::Quiet, rating.to_string());
        }
        let y = |rating: u8| none - (none - best) * f32::from(rating) / f32::from(RATING_BEST);
        let points = goal.ratings.iter().map(|(at, rating)| (self.x(*at), y(*rating)));
        let points: Vec<(f32, f32)> = points.collect();
        for (x, y) in &points {
            let square = [(-3.0, -3.0), (3.0, -3.0), (3.0, 3.0), (-3.0, 3.0)];
            let points = square.iter().map(|(dx, dy)| (x + dx, y + dy)).collect();
            drawing.marks.push(Mark::Area { points, ink: Ink::Series(2) });
        }
        drawing.marks.push(Mark::Path { points, ink: Ink::Series(2), width: 1.5, dashed: false });
        for at in self.unrated(goal) {
            drawing.text((self.x(at), none - 2.0), LETTERS, Anchor::Middle, Ink::Quiet, "×");
        }
    }

    /// The middle of each time between two infusions in which the goal was not rated.
    fn unrated(&self, goal: &Goal) -> Vec<Timestamp> {
        let starts: Vec<Timestamp> = self.infusions.iter().map(|(at, ..)| *at).collect();
        let between = starts.iter().zip(starts.iter().skip(1));
        let missed = between.filter(|(from, to)| {
            let rated = goal.ratings.iter().any(|(at, _)| (**from..**to).contains(at));
            goal.named <= **from && !rated
        });
        missed.map(|(from, to)| *from + from.duration_until(*to) / 2).collect()
    }

    /// All that went in until then, as stairs from nothing to the whole.
    fn exposure(&self, drawing: &mut Drawing) {
        let whole: f64 = self.infusions.iter().map(|(_, _, mass)| mg(*mass)).sum();
        let Some((first, ..)) = self.infusions.first().filter(|_| whole > 0.0) else { return };
        let y = |so_far: f64| BOTTOM - (BOTTOM - TOP) * (so_far / whole) as f32;
        let (mut points, mut so_far) = (vec![(self.x(*first), BOTTOM)], 0.0);
        for (at, _, mass) in &self.infusions {
            points.push((self.x(*at), y(so_far)));
            so_far += mg(*mass);
            points.push((self.x(*at), y(so_far)));
        }
        points.push((self.room.right(), TOP));
        drawing.marks.push(Mark::Path { points, ink: Ink::Drug, width: 1.0, dashed: false });
        drawing.text((self.room.right(), TOP + 14.0), LETTERS, Anchor::End, Ink::Drug, total(whole));
    }

    fn axes(&self, drawing: &mut Drawing) {
        let [low, high] = self.range;
        for share in 0..=4 {
            let value = low + (high - low) * f64::from(share) / 4.0;
            let y = self.y(value);
            drawing.line((LEFT, y), (self.room.right(), y), Ink::Grid, 1.0);
            let text = format!("{value:.1}");
            let text = text.strip_suffix(".0").unwrap_or(&text);
            drawing.text((LEFT - 6.0, y + 4.0), LETTERS, Anchor::End, Ink::Quiet, text);
        }
        let (from, to) = self.span();
        let (ticks, right) = (self.room.ticks(), self.room.right());
        for tick in 0..=ticks {
            let second = from + (to - from) * tick / ticks;
            let Ok(at) = Timestamp::from_second(second) else { continue };
            let x = self.x(at);
            drawing.line((x, BOTTOM), (x, BOTTOM + 5.0), Ink::GridStrong, 1.0);
            let day = at.to_zoned(self.zone.clone()).strftime("%d-%b-%y").to_string();
            let end = if tick == ticks { Anchor::End } else { Anchor::Middle };
            drawing.text((x, BOTTOM + 20.0), LETTERS, end, Ink::Quiet, day);
        }
        room::write(drawing, (right, LEGEND), &self.legend());
    }

    fn legend(&self) -> Vec<String> {
        let says = [
            "dashed: infusion, with what went in",
            "stairs: all of it so far",
            room::MISSED,
            "below: goals, 10 is as wanted",
        ];
        self.room.legend(says.get(..if self.goals.is_empty() { 3 } else { 4 }).unwrap_or_default())
    }

    /// Where the rows of the goals begin.
    fn below_legend(&self) -> f32 {
        LEGEND + room::beyond_first(&self.legend()) + 6.0
    }

    /// First and last second, never the same.
    fn span(&self) -> (i64, i64) {
        let scores = self.scores.iter().map(|(at, _, _)| at);
        let rated = self.goals.iter().flat_map(|goal| goal.ratings.iter().map(|(at, _)| at));
        let all = scores.chain(self.infusions.iter().map(|(at, ..)| at)).chain(&self.missed).chain(rated);
        span(all)
    }

    fn x(&self, at: Timestamp) -> f32 {
        let (from, to) = self.span();
        let share = (at.as_second() - from) as f64 / (to - from) as f64;
        LEFT + (self.room.right() - LEFT) * share as f32
    }

    fn y(&self, value: f64) -> f32 {
        let [low, high] = self.range;
        let share = (value - low) / (high - low).max(1e-9);
        BOTTOM - (BOTTOM - TOP) * share as f32
    }

    fn words(&self) -> String {
        let scores = self.scores.iter().map(|(_, _, says)| says.as_str());
        let whole = self.infusions.iter().map(|(_, _, mass)| mg(*mass)).sum();
        let infusions = format!("{} infusions, {}", self.infusions.len(), total(whole));
        let missed = format!("{} due and not answered", self.missed.len());
        let goals: Vec<String> = self.goals.iter().map(|goal| self.told(goal)).collect();
        let said = [infusions.as_str(), missed.as_str()].into_iter().chain(goals.iter().map(String::as_str));
        scores.chain(said).collect::<Vec<_>>().join("; ")
    }

    /// A goal with every rating, for who does not see the picture.
    fn told(&self, goal: &Goal) -> String {
        let day = |at: Timestamp| at.to_zoned(self.zone.clone()).strftime("%d-%b-%y").to_string();
        let rated = goal.ratings.iter().map(|(at, rating)| format!("{} on {}", of_best(*rating), day(*at)));
        let rated = if goal.ratings.is_empty() {
            "not rated".to_owned()
        } else {
            rated.collect::<Vec<_>>().join(", ")
        };
        let missed = match self.unrated(goal).len() {
            0 => String::new(),
            n => format!(", not rated between infusions {n} times"),
        };
        format!("goal “{}”: {rated}{missed}", goal.words)
    }
}

fn of_best(rating: u8) -> String {
    format!("{rating} of {RATING_BEST}")
}

/// As much of the words as fits on the row; all of them stand on the care plan.
fn shortened(words: &str, most: usize) -> String {
    if words.chars().count() <= most {
        return words.to_owned();
    }
    words.chars().take(most - 1).chain(std::iter::once('…')).collect()
}

fn mg(mass: Micrograms) -> f64 {
    mass.decimal().to_f64().unwrap_or_default()
}

fn total(mg: f64) -> String {
    format!("{mg:.0} mg in all")
}

#[cfg(test)]
mod tests {
    use super::*;
    use clinic::id::GoalId;

    fn day(day: i64) -> Timestamp {
        Timestamp::from_second(86_400 * day).expect("in range")
    }

    fn trajectory(scores: &[(i64, f64)]) -> Trajectory {
        Trajectory {
            title: "PHQ-9".to_owned(),
            range: [0.0, 27.0],
            scores: scores.iter().map(|(at, total)| (day(*at), *total, format!("{total}"))).collect(),
            infusions: vec![
                (day(1), "30 mg".to_owned(), Micrograms(30_000)),
                (day(4), "35 mg".to_owned(), Micrograms(35_000)),
            ],
            missed: vec![day(3)],
            goals: Vec::new(),
            zone: TimeZone::UTC,
            room: Room::Desk,
        }
    }

    fn inside((x, y): (f32, f32), drawing: &Drawing) -> bool {
        (0.0..=drawing.width).contains(&x) && (0.0..=drawing.height).contains(&y)
    }

    #[test]
    fn time_and_score_keep_their_order_and_nothing_leaves_the_picture() {
        for scores in [&[(0, 20.0), (2, 27.0), (9, 0.0)][..], &[(2, 9.0)], &[]] {
            let plan = trajectory(scores);
            let drawing = plan.drawing();
            for mark in &drawing.marks {
                let points = match mark {
                    Mark::Path { points, .. } | Mark::Area { points, .. } => points.clone(),
                    Mark::Text { at, .. } => vec![*at],
                };
                assert!(points.into_iter().all(|point| inside(point, &drawing)), "{mark:?}");
            }
            assert!(plan.x(day(0)) < plan.x(day(1)) && plan.y(20.0) < plan.y(19.0), "higher stands higher");
        }
    }

    #[test]
    fn each_infusion_and_each_gap_is_marked() {
        let drawing = trajectory(&[(0, 20.0)]).drawing();
        let texts: Vec<&str> = drawing
            .marks
            .iter()
            .filter_map(|mark| if let Mark::Text { text, .. } = mark { Some(text.as_str()) } else { None })
            .collect();
        assert!(texts.contains(&"30 mg") && texts.contains(&"35 mg") && texts.contains(&"×"), "{texts:?}");
        assert!(drawing.words.contains("2 infusions, 65 mg in all"), "{}", drawing.words);
        assert!(drawing.words.contains("1 due and not answered"), "{}", drawing.words);
    }

    #[test]
    fn no_line_goes_over_a_missing_answer() {
        let lines = |scores: &[(i64, f64)]| {
            let marks = trajectory(scores).drawing().marks;
            let line = |mark: &&Mark| matches!(mark, Mark::Path { ink: Ink::Series(0), .. });
            marks.iter().filter(line).count()
        };
        assert_eq!(lines(&[(0, 20.0), (2, 9.0)]), 1);
        assert_eq!(lines(&[(0, 20.0), (2, 9.0), (5, 8.0), (9, 7.0)]), 2, "day 3 is missing");
    }

    fn goal(words: &str, ratings: &[(i64, u8)]) -> Goal {
        let ratings = ratings.iter().map(|(at, rating)| (day(*at), *rating)).collect();
        Goal { id: GoalId::new("g"), words: words.to_owned(), named: day(0), ratings, ended: None }
    }

    fn crosses(drawing: &Drawing) -> Vec<(f32, f32)> {
        let of = |mark: &Mark| match mark {
            Mark::Text { at, text, .. } if text == "×" && at.1 > LEGEND => Some(*at),
            _ => None,
        };
        drawing.marks.iter().filter_map(of).collect()
    }

    /// A goal stands on the axis of the scores; what nobody rated is a cross between the two infusions, never a rating.
    #[test]
    fn a_goal_has_a_row_on_the_axis_of_the_scores_and_shows_where_nobody_asked() {
        let plan = |goals| Trajectory { goals, ..trajectory(&[(0, 20.0), (9, 8.0)]) };
        let rated = plan(vec![goal("Sing", &[(2, 3), (20, 7)]), goal(&"so ".repeat(60), &[])]);
        let drawing = rated.drawing();
        for mark in &drawing.marks {
            let points = match mark {
                Mark::Path { points, .. } | Mark::Area { points, .. } => points.clone(),
                Mark::Text { at, .. } => vec![*at],
            };
            assert!(points.into_iter().all(|point| inside(point, &drawing)), "{mark:?}");
        }
        assert!(
            drawing.words.contains("goal “Sing”: 3 of 10 on 03-Jan-70, 7 of 10 on 21-Jan-70"),
            "{}",
            drawing.words
        );
        let [cross] = crosses(&drawing)[..] else {
            panic!("only the second goal lacks a rating: {drawing:?}")
        };
        assert!(
            cross.1 > rated.below_legend() + ROW && rated.x(day(1)) < cross.0 && cross.0 < rated.x(day(4)),
            "{cross:?}"
        );
        assert!(rated.x(day(20)) > rated.x(day(9)), "a rating after the last score widens the axis");
        let later = Goal { named: day(2), ..goal("Sing", &[]) };
        assert!(crosses(&plan(vec![later]).drawing()).is_empty(), "what nobody had named is not missing");
    }
}
