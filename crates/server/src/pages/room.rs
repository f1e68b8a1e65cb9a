//! How much room a picture has. A phone shows a picture of a desk at half its size, and nobody reads its letters: it
//! gets one of its own, with fewer days on its axis and its words in shorter lines.

use crate::record::drawing::{Anchor, Drawing, Ink};
use jiff::Timestamp;

/// Size of the letters, in pixels where a picture is shown as wide as it is drawn.
pub const LETTERS: f32 = 12.0;
/// From one line of letters to the next.
pub const LINE: f32 = 16.0;
/// Of the picture at the end of the axis, as room of the last day.
const AFTER: f32 = 20.0;

/// The mark of a missing answer, in a legend.
pub const MISSED: &str = "×: due and not answered, and no line over it";

/// Where a picture is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Room {
    /// On a desk or a tablet.
    Desk,
    /// On a phone that is held upright.
    Phone,
}

impl Room {
    /// As pages draw a picture: for a desk, and for a phone.
    pub const BOTH: [Self; 2] = [Self::Desk, Self::Phone];

    /// Width of the picture.
    pub const fn width(self) -> f32 {
        match self {
            Self::Desk => 720.0,
            Self::Phone => 360.0,
        }
    }

    /// End of its axis.
    pub const fn right(self) -> f32 {
        self.width() - AFTER
    }

    /// Days between the ends of its axis, and one.
    pub const fn ticks(self) -> i64 {
        match self {
            Self::Desk => 6,
            Self::Phone => 3,
        }
    }

    /// Letters of a line.
    pub const fn letters(self) -> usize {
        match self {
            Self::Desk => 110,
            Self::Phone => 48,
        }
    }

    /// What the marks mean, in as many lines as it takes.
    pub fn legend(self, says: &[&str]) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        for part in says {
            match lines.last_mut() {
                Some(line) if line.chars().count() + part.chars().count() + 2 <= self.letters() => {
                    line.push_str("; ");
                    line.push_str(part);
                }
                _ => lines.push((*part).to_owned()),
            }
        }
        lines
    }
}

/// Whether an answer is missing between two scores. Nobody knows how it was there, so no line goes over it.
pub fn gap(missed: &[Timestamp], from: Timestamp, to: Timestamp) -> bool {
    missed.iter().any(|at| from < *at && *at < to)
}

/// Writes a legend below an axis.
pub fn write(drawing: &mut Drawing, (right, top): (f32, f32), legend: &[String]) {
    let mut y = top;
    for line in legend {
        drawing.text((right, y), LETTERS, Anchor::End, Ink::Quiet, line.as_str());
        y += LINE;
    }
}

/// Height of a legend beyond its first line.
#[expect(clippy::cast_precision_loss, reason = "a few lines")]
pub fn beyond_first(legend: &[String]) -> f32 {
    legend.len().saturating_sub(1) as f32 * LINE
}

/// First and last second of an axis that holds all of these, with room at both ends: never the same.
pub fn span<'a>(moments: impl Iterator<Item = &'a Timestamp>) -> (i64, i64) {
    let seconds: Vec<i64> = moments.map(|at| at.as_second()).collect();
    let from = seconds.iter().min().copied().unwrap_or(0);
    let to = seconds.iter().max().copied().unwrap_or(0);
    let room = ((to - from) / 20).max(86_400);
    (from - room, to + room)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phone_has_the_same_words_in_shorter_lines() {
        let says = ["dashed: infusion, with what went in", "×: due and not answered", "no line over it"];
        assert_eq!(Room::Desk.legend(&says), [says.join("; ")]);
        let phone = Room::Phone.legend(&says);
        assert_eq!(phone.join("; "), says.join("; "));
        assert!(phone.iter().all(|line| line.chars().count() <= Room::Phone.letters()), "{phone:?}");
    }
}
