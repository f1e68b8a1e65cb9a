//! Mood, pain, function and quality of life of one patient, stacked over one axis of time with every infusion through all
//! of them, and the same as a table for who reads or prints it.

use super::room::{self, LETTERS, Room, span};
use crate::record::drawing::{Anchor, Drawing, Ink, Mark};
use clinic::knowledge::scales::Worse;
use clinic::quantity::plain;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use std::collections::BTreeMap;

/// One scale, or what nobody scored yet.
pub struct Panel {
    /// What it tells of, such as `Pain`.
    pub what: &'static str,
    /// The scale; none where nothing of it was scored.
    pub scale: Option<Scored>,
}

/// A scale with its scores.
pub struct Scored {
    /// Its name.
    pub title: String,
    /// Which way is worse.
    pub worse: Worse,
    /// Lowest and highest total.
    pub range: [Decimal; 2],
    /// In order of time.
    pub scores: Vec<(Timestamp, Decimal)>,
    /// Middle of each window that closed without an answer.
    pub missed: Vec<Timestamp>,
}

/// All of it.
pub struct Together {
    /// From above.
    pub panels: Vec<Panel>,
    /// Start, and what went in.
    pub infusions: Vec<(Timestamp, String)>,
    /// Zone of the clinic's clock.
    pub zone: TimeZone,
    /// Where it is looked at.
    pub room: Room,
}

/// A day on which something was given, scored or missed.
pub struct Row {
    /// Day.
    pub day: String,
    /// What went in, if anything.
    pub infusion: String,
    /// One a panel.
    pub cells: Vec<String>,
}

const LEFT: f32 = 44.0;
const TOP: f32 = 30.0;
/// Height of a panel, of which the upper part has its words; of one without a scale there is no more.
const PANEL: f32 = 104.0;
const WORDS: f32 = 22.0;
/// Least room of a dose beside the next one.
const DOSE_ROOM: f32 = 60.0;
/// Most days of the table: the newest.
const ROWS_MAX: usize = 60;
const MISSED: &str = "not answered";
const LEGEND: [&str; 2] = ["dashed: infusion, with what went in", room::MISSED];

impl Panel {
    const fn height(&self) -> f32 {
        if self.scale.is_some() { PANEL } else { WORDS }
    }

    /// Above the panel: on a phone without which way is worse, which the table below says.
    fn head(&self, room: Room) -> String {
        match (&self.scale, room) {
            (Some(scale), Room::Phone) => format!("{}: {}", self.what, scale.title),
            _ => self.words(),
        }
    }

    fn words(&self) -> String {
        let Some(scale) = &self.scale else { return format!("{}: not scored yet", self.what) };
        let way = if scale.worse == Worse::Higher { "higher is worse" } else { "lower is worse" };
        format!("{}: {} ({way})", self.what, scale.title)
    }
}

impl Together {
    /// Draws it.
    pub fn drawing(&self) -> Drawing {
        let mut bottom = TOP;
        let place = |panel: &Panel| {
            bottom += panel.height();
            bottom - panel.height()
        };
        let tops: Vec<f32> = self.panels.iter().map(place).collect();
        let (width, legend) = (self.room.width(), self.room.legend(&LEGEND));
        let height = bottom + 44.0 + room::beyond_first(&legend);
        let corners = vec![(0.0, 0.0), (width, 0.0), (width, height), (0.0, height)];
        let mut drawing = Drawing {
            width,
            height,
            title: "Mood, pain, function and quality of life over time".to_owned(),
            words: self.words(),
            marks: vec![Mark::Area { points: corners, ink: Ink::Paper }],
        };
        let mut free_from = 0.0;
        for (at, dose) in &self.infusions {
            let x = self.x(*at);
            // Through every panel, beside its words and not over them.
            for (panel, top) in self.panels.iter().zip(&tops).filter(|(panel, _)| panel.scale.is_some()) {
                let points = vec![(x, top + WORDS), (x, top + panel.height())];
                drawing.marks.push(Mark::Path { points, ink: Ink::Drug, width: 1.5, dashed: true });
            }
            if x >= free_from {
                drawing.text((x, TOP - 8.0), LETTERS, Anchor::Middle, Ink::Drug, dose.as_str());
                free_from = x + DOSE_ROOM;
            }
        }
        for (panel, top) in self.panels.iter().zip(tops) {
            self.panel(&mut drawing, panel, top);
        }
        self.axis(&mut drawing, bottom);
        room::write(&mut drawing, (self.room.right(), bottom + 38.0), &legend);
        drawing
    }

    fn panel(&self, drawing: &mut Drawing, panel: &Panel, top: f32) {
        let (high, low) = (top + WORDS, top + panel.height() - 6.0);
        drawing.text((LEFT, top + LETTERS + 2.0), LETTERS, Anchor::Start, Ink::Black, panel.head(self.room));
        let Some(scale) = &panel.scale else { return };
        let [least, most] = scale.range.map(|end| end.to_f64().unwrap_or_default());
        for (y, end) in [(high, scale.range[1]), (low, scale.range[0])] {
            drawing.line((LEFT, y), (self.room.right(), y), Ink::Grid, 1.0);
            drawing.text((LEFT - 6.0, y + 4.0), LETTERS, Anchor::End, Ink::Quiet, plain(end));
        }
        let place = |(at, total): &(Timestamp, Decimal)| {
            let share = (total.to_f64().unwrap_or_default() - least) / (most - least).max(1e-9);
            (self.x(*at), low - (low - high) * share as f32)
        };
        for (x, y) in scale.scores.iter().map(place) {
            let square = [(-3.5, -3.5), (3.5, -3.5), (3.5, 3.5), (-3.5, 3.5)];
            let points = square.iter().map(|(dx, dy)| (x + dx, y + dy)).collect();
            drawing.marks.push(Mark::Area { points, ink: Ink::Series(0) });
        }
        for pair in scale.scores.windows(2) {
            let [from, to] = pair else { continue };
            if !room::gap(&scale.missed, from.0, to.0) {
                let points = vec![place(from), place(to)];
                drawing.marks.push(Mark::Path { points, ink: Ink::Series(0), width: 2.0, dashed: false });
            }
        }
        for at in &scale.missed {
            drawing.text((self.x(*at), low - 2.0), LETTERS, Anchor::Middle, Ink::Quiet, "×");
        }
    }

    fn axis(&self, drawing: &mut Drawing, bottom: f32) {
        let (from, to) = self.span();
        let ticks = self.room.ticks();
        for tick in 0..=ticks {
            let Ok(at) = Timestamp::from_second(from + (to - from) * tick / ticks) else { continue };
            let x = self.x(at);
            drawing.line((x, bottom), (x, bottom + 5.0), Ink::GridStrong, 1.0);
            let end = if tick == ticks { Anchor::End } else { Anchor::Middle };
            drawing.text((x, bottom + 20.0), LETTERS, end, Ink::Quiet, self.told(self.day(at)));
        }
    }

    /// First and last second, never the same.
    fn span(&self) -> (i64, i64) {
        let scales = self.panels.iter().filter_map(|panel| panel.scale.as_ref());
        let scored = scales.flat_map(|scale| scale.scores.iter().map(|(at, _)| at).chain(&scale.missed));
        span(scored.chain(self.infusions.iter().map(|(at, _)| at)))
    }

    fn x(&self, at: Timestamp) -> f32 {
        let (from, to) = self.span();
        LEFT + (self.room.right() - LEFT) * ((at.as_second() - from) as f64 / (to - from) as f64) as f32
    }

    fn day(&self, at: Timestamp) -> Date {
        at.to_zoned(self.zone.clone()).date()
    }

    fn told(&self, day: Date) -> String {
        day.strftime("%d-%b-%y").to_string()
    }

    fn words(&self) -> String {
        let each = self.panels.iter().map(|panel| match &panel.scale {
            None => panel.words(),
            Some(scale) => {
                let (scores, missed) = (scale.scores.len(), scale.missed.len());
                format!("{}, {scores} scores, {missed} due and not answered", panel.words())
            }
        });
        let infusions = format!("{} infusions. The table below has every number", self.infusions.len());
        each.chain([infusions]).collect::<Vec<_>>().join("; ")
    }

    /// Names of the columns after day and infusion.
    pub fn heads(&self) -> Vec<String> {
        self.panels.iter().map(Panel::words).collect()
    }

    /// The newest days first, and how many earlier ones are left out.
    pub fn rows(&self) -> (Vec<Row>, usize) {
        let mut days: BTreeMap<Date, Row> = BTreeMap::new();
        let empty = |day| Row {
            day: self.told(day),
            infusion: String::new(),
            cells: vec![String::new(); self.panels.len()],
        };
        let mut at_day = |at: Timestamp, tell: &dyn Fn(&mut Row)| {
            let day = self.day(at);
            tell(days.entry(day).or_insert_with(|| empty(day)));
        };
        for (at, dose) in &self.infusions {
            at_day(*at, &|row| add(&mut row.infusion, dose));
        }
        for (place, panel) in self.panels.iter().enumerate() {
            let Some(scale) = &panel.scale else { continue };
            for (at, total) in &scale.scores {
                at_day(*at, &|row| {
                    row.cells.iter_mut().skip(place).take(1).for_each(|cell| add(cell, &plain(*total)))
                });
            }
            for at in &scale.missed {
                at_day(*at, &|row| {
                    row.cells.iter_mut().skip(place).take(1).for_each(|cell| add(cell, MISSED))
                });
            }
        }
        let left_out = days.len().saturating_sub(ROWS_MAX);
        (days.into_values().rev().take(ROWS_MAX).collect(), left_out)
    }
}

fn add(cell: &mut String, words: &str) {
    if !cell.is_empty() {
        cell.push_str(", ");
    }
    cell.push_str(words);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(day: i64) -> Timestamp {
        Timestamp::from_second(86_400 * day).expect("in range")
    }

    fn scored(title: &str, scores: &[(i64, i64)], missed: &[i64]) -> Option<Scored> {
        Some(Scored {
            title: title.to_owned(),
            worse: Worse::Higher,
            range: [0.into(), 10.into()],
            scores: scores.iter().map(|(at, total)| (day(*at), Decimal::from(*total))).collect(),
            missed: missed.iter().map(|at| day(*at)).collect(),
        })
    }

    fn together() -> Together {
        Together {
            panels: vec![
                Panel { what: "Mood", scale: scored("PHQ-9", &[(0, 9), (4, 5), (12, 3)], &[8]) },
                Panel { what: "Pain", scale: scored("NRS", &[(4, 7)], &[]) },
                Panel { what: "Function", scale: None },
            ],
            infusions: vec![(day(1), "30 mg".to_owned()), (day(4), "35 mg".to_owned())],
            zone: TimeZone::UTC,
            room: Room::Desk,
        }
    }

    fn squares(drawing: &Drawing) -> Vec<(f32, f32)> {
        let of = |mark: &Mark| match mark {
            Mark::Area { points, ink: Ink::Series(0) } => Some((points[0].0 + 3.5, points[0].1 + 3.5)),
            _ => None,
        };
        drawing.marks.iter().filter_map(of).collect()
    }

    #[test]
    fn one_time_stands_below_itself_in_every_panel_and_infusions_go_through_all() {
        let (all, drawing) = (together(), together().drawing());
        let squares = squares(&drawing);
        assert_eq!(squares.len(), 4);
        assert!((squares[1].0 - squares[3].0).abs() < 0.01 && squares[3].1 > squares[1].1, "{squares:?}");
        let dashed = |at: Timestamp| {
            let through = drawing.marks.iter().filter_map(|mark| match mark {
                Mark::Path { points, dashed: true, .. } if points[0].0 == all.x(at) => Some(points[0].1),
                _ => None,
            });
            through.collect::<Vec<f32>>()
        };
        for at in [day(1), day(4)] {
            let [first, second] = dashed(at)[..] else { panic!("one line in each panel that has scores") };
            assert!(
                first < squares[0].1 && squares[1].1 < second && second < squares[3].1,
                "{first} {second}"
            );
        }
        for mark in &drawing.marks {
            let points = match mark {
                Mark::Path { points, .. } | Mark::Area { points, .. } => points.clone(),
                Mark::Text { at, .. } => vec![*at],
            };
            let inside =
                |(x, y): &(f32, f32)| (0.0..=drawing.width).contains(x) && (0.0..=drawing.height).contains(y);
            assert!(points.iter().all(inside), "{mark:?}");
        }
    }

    #[test]
    fn no_line_goes_over_what_is_missing_and_what_nobody_scored_is_named() {
        let drawing = together().drawing();
        let lines =
            drawing.marks.iter().filter(|mark| matches!(mark, Mark::Path { ink: Ink::Series(0), .. }));
        assert_eq!(lines.count(), 1, "of three scores two have no gap between them");
        assert!(drawing.marks.iter().any(|mark| matches!(mark, Mark::Text { text, .. } if text == "×")));
        assert!(drawing.words.contains("3 scores, 1 due and not answered"), "{}", drawing.words);
        assert!(drawing.words.contains("Function: not scored yet"), "{}", drawing.words);
    }

    #[test]
    fn the_table_has_a_row_a_day_with_every_number_and_every_gap() {
        let (rows, left_out) = together().rows();
        let told: Vec<String> =
            rows.iter().map(|row| format!("{} {} {}", row.day, row.infusion, row.cells.join("|"))).collect();
        assert_eq!(
            told,
            [
                "13-Jan-70  3||",
                "09-Jan-70  not answered||",
                "05-Jan-70 35 mg 5|7|",
                "02-Jan-70 30 mg ||",
                "01-Jan-70  9||",
            ]
        );
        assert_eq!(left_out, 0);
        let many: Vec<(i64, i64)> = (0..200).map(|at| (at, 3)).collect();
        let panels = vec![Panel { what: "Pain", scale: scored("NRS", &many, &[]) }];
        let (rows, left_out) = Together { panels, ..together() }.rows();
        assert_eq!((rows.len(), left_out), (ROWS_MAX, 140));
    }
}
