//! How long a response held (Kaplan and Meier): as stairs with a band, as a table with numbers at risk, as columns.

use super::percent;
use crate::pages::room::{self, LETTERS, Room};
use crate::record::drawing::{Anchor, Drawing, Ink, Mark};
use clinic::outcome::{Share, Survival};

/// Days at which the curve is told in numbers.
const TOLD_DAYS: [u32; 9] = [0, 7, 14, 28, 56, 90, 180, 270, 365];
const LEFT: f32 = 52.0;
const TOP: f32 = 16.0;
const BOTTOM: f32 = 220.0;

/// One line of the table.
pub struct Row {
    /// Days since the response.
    pub day: u32,
    /// For how many of a hundred it still holds.
    pub holds: String,
    /// Interval of 95 %.
    pub interval: String,
    /// Still followed, and it holds.
    pub at_risk: u32,
}

/// Names of the numbers of a row of the file.
pub const NUMBERS: [&str; 6] = ["events", "of", "not_known", "share", "low_95", "high_95"];

/// One row of the file.
pub struct Cells {
    /// What.
    pub measure: &'static str,
    /// Days since the first infusion, or since the response.
    pub day: u32,
    /// By [`NUMBERS`]; for the curve, of how many at risk it ended.
    pub numbers: [Option<f64>; 6],
}

impl Cells {
    /// A share; empty where it is known of nobody.
    pub fn of_share(measure: &'static str, day: u32, share: Option<Share>) -> Self {
        let told = |share: Share| {
            let counts = [share.events, share.of, share.missing].map(|count| Some(f64::from(count)));
            let [events, of, missing] = counts;
            [events, of, missing, Some(share.share), Some(share.low), Some(share.high)]
        };
        Self { measure, day, numbers: share.map_or([None; 6], told) }
    }
}

/// Each fall of the curve as a row of the file.
pub fn cells(curve: &Survival) -> impl Iterator<Item = Cells> {
    curve.steps.iter().map(|step| {
        let [events, of] = [step.events, step.at_risk].map(|count| Some(f64::from(count)));
        let [low, high] = step.interval.map_or([None; 2], |ends| ends.map(Some));
        let numbers = [events, of, None, Some(step.holds), low, high];
        Cells { measure: "Response still holds", day: step.days, numbers }
    })
}

/// The curve at some days.
pub fn rows(curve: &Survival) -> Vec<Row> {
    let row = |day: &u32| {
        let interval = curve.fell(*day).and_then(|step| step.interval);
        Some(Row {
            day: *day,
            holds: percent(curve.at(*day)?),
            interval: interval
                .map_or_else(String::new, |[low, high]| format!("{} to {}", percent(low), percent(high))),
            at_risk: curve.at_risk(*day),
        })
    };
    TOLD_DAYS.iter().filter_map(row).collect()
}

/// The curve in a sentence.
pub fn told(curve: Option<&Survival>) -> String {
    let Some(curve) = curve else { return "Nobody responded yet who is followed.".to_owned() };
    let half = curve.median().map_or_else(
        || "it has not ended for half of them so far".to_owned(),
        |days| format!("for half of them it had ended after {days} days"),
    );
    format!(
        "{} responded at some time, however early or late; {} are followed without its loss; {half}.",
        curve.patients, curve.censored
    )
}

#[expect(clippy::cast_precision_loss, reason = "days of a few years")]
fn x((curve, room): (&Survival, Room), days: u32) -> f32 {
    LEFT + (room.right() - LEFT) * days as f32 / curve.followed_to.max(1) as f32
}

#[expect(clippy::cast_possible_truncation, reason = "a place in a picture")]
fn y(share: f64) -> f32 {
    BOTTOM - (BOTTOM - TOP) * share as f32
}

/// The share for whom it holds, as stairs over their band.
pub fn drawing(curve: &Survival, room: Room) -> Drawing {
    let legend = room.legend(&["days since the response", "the area is the interval of 95 %"]);
    let (width, right, height) = (room.width(), room.right(), BOTTOM + 44.0 + room::beyond_first(&legend));
    let corners = vec![(0.0, 0.0), (width, 0.0), (width, height), (0.0, height)];
    let words = rows(curve).into_iter().map(|row| format!("{} after {} days", row.holds, row.day));
    let mut drawing = Drawing {
        width,
        height,
        title: "Response still holds, by days after it came".to_owned(),
        words: words.collect::<Vec<_>>().join("; "),
        marks: vec![Mark::Area { points: corners, ink: Ink::Paper }],
    };
    let end =
        |of: usize| move |step: &clinic::outcome::Step| step.interval.map_or(step.holds, |ends| ends[of]);
    let mut band = stairs((curve, room), end(0));
    band.extend(stairs((curve, room), end(1)).into_iter().rev());
    drawing.marks.push(Mark::Area { points: band, ink: Ink::SeriesArea(0, 1) });
    for quarter in 0..=4_u8 {
        let share = f64::from(quarter) / 4.0;
        drawing.line((LEFT, y(share)), (right, y(share)), Ink::Grid, 1.0);
        drawing.text((LEFT - 6.0, y(share) + 4.0), LETTERS, Anchor::End, Ink::Quiet, percent(share));
        let day = curve.followed_to * u32::from(quarter) / 4;
        drawing.text(
            (x((curve, room), day), BOTTOM + 20.0),
            LETTERS,
            Anchor::Middle,
            Ink::Quiet,
            day.to_string(),
        );
    }
    room::write(&mut drawing, (right, BOTTOM + 38.0), &legend);
    let points = stairs((curve, room), |step| step.holds);
    drawing.marks.push(Mark::Path { points, ink: Ink::Series(0), width: 2.0, dashed: false });
    drawing
}

fn stairs(of: (&Survival, Room), height: impl Fn(&clinic::outcome::Step) -> f64) -> Vec<(f32, f32)> {
    let mut points = vec![(x(of, 0), y(1.0))];
    let mut before = 1.0;
    for step in &of.0.steps {
        let now = height(step);
        points.extend([(x(of, step.days), y(before)), (x(of, step.days), y(now))]);
        before = now;
    }
    points.push((x(of, of.0.followed_to), y(before)));
    points
}

#[cfg(test)]
mod tests {
    use super::*;
    use clinic::outcome::{Followed, survival};

    fn curve(days: &[(u32, bool)]) -> Survival {
        let followed: Vec<_> =
            days.iter().map(|(days, ended)| Followed { days: *days, ended: *ended }).collect();
        survival(&followed).expect("somebody")
    }

    #[test]
    fn the_stairs_stay_in_the_picture_and_never_rise() {
        for days in [&[(10, true), (30, false), (60, true)][..], &[(0, false)], &[(5, true), (5, true)]] {
            let curve = curve(days);
            for room in Room::BOTH {
                let points = stairs((&curve, room), |step| step.holds);
                let inside =
                    |(x, y): &(f32, f32)| (LEFT..=room.right()).contains(x) && (TOP..=BOTTOM).contains(y);
                assert!(points.iter().all(inside), "{points:?}");
                assert!(
                    points.windows(2).all(|two| two[0].0 <= two[1].0 && two[0].1 <= two[1].1),
                    "{points:?}"
                );
            }
        }
    }

    #[test]
    fn nothing_is_told_of_a_day_on_which_nobody_was_followed() {
        let rows = rows(&curve(&[(20, true), (30, false), (60, false)]));
        let told: Vec<_> = rows.iter().map(|row| (row.day, row.at_risk, row.holds.as_str())).collect();
        assert_eq!(
            told,
            [(0, 3, "100 %"), (7, 3, "100 %"), (14, 3, "100 %"), (28, 2, "67 %"), (56, 1, "67 %")]
        );
    }
}
