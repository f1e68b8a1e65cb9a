//! A signature drawn by finger, pen or mouse: strokes of points on a field of fixed size.

use super::Refusal;
use serde::{Deserialize, Serialize};
use std::fmt::Write;

/// How wide the field is, in points.
pub const WIDTH: u16 = 600;
/// How high it is.
pub const HEIGHT: u16 = 200;
/// Most strokes: many times those of a long name in any script.
const STROKES_MOST: usize = 100;
/// Most points of all strokes: one each few points of a name that fills the field several times over.
const POINTS_MOST: usize = 3_000;
/// How far a signature reaches at least, across or down: less is a slip of the hand.
const REACH_LEAST: u16 = 20;
/// Characters of what was sent that a refusal repeats.
const SHOWN: usize = 20;

/// A signature as it was drawn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drawing {
    strokes: Vec<Vec<(u16, u16)>>,
}

impl Drawing {
    /// Reads strokes, each with its points as `across,down`, a space between two.
    ///
    /// # Errors
    /// That nothing was drawn, or too much, or what is no point of the field.
    pub fn read<'a>(strokes: impl IntoIterator<Item = &'a str>) -> Result<Self, Refusal> {
        let mut drawing = Self { strokes: Vec::new() };
        let mut points = 0_usize;
        for stroke in strokes {
            if drawing.strokes.len() == STROKES_MOST {
                return Err(Refusal::DrawnTooMuch { what: "strokes", most: STROKES_MOST });
            }
            let mut drawn = Vec::new();
            for text in stroke.split_ascii_whitespace() {
                points = points.saturating_add(1);
                if points > POINTS_MOST {
                    return Err(Refusal::DrawnTooMuch { what: "points", most: POINTS_MOST });
                }
                let outside = || Refusal::NoPoint { text: text.chars().take(SHOWN).collect() };
                drawn.push(point(text).ok_or_else(outside)?);
            }
            drawing.strokes.push(drawn);
        }
        if drawing.reach() < REACH_LEAST { Err(Refusal::NotDrawn) } else { Ok(drawing) }
    }

    fn reach(&self) -> u16 {
        let points = || self.strokes.iter().flatten();
        let reach = |of: fn(&(u16, u16)) -> u16| {
            let (least, most) = (points().map(of).min(), points().map(of).max());
            least.zip(most).map_or(0, |(least, most)| most.abs_diff(least))
        };
        reach(|point| point.0).max(reach(|point| point.1))
    }

    /// Each stroke as it was sent.
    pub fn strokes(&self) -> impl Iterator<Item = String> {
        self.strokes.iter().map(|stroke| {
            let points: Vec<_> = stroke.iter().map(|(across, down)| format!("{across},{down}")).collect();
            points.join(" ")
        })
    }

    /// The drawing as the path of an SVG picture on the field.
    pub fn path(&self) -> String {
        self.strokes().filter(|stroke| !stroke.is_empty()).fold(String::new(), |mut path, stroke| {
            // Writing into a text cannot fail.
            let _written = write!(path, "M{stroke}");
            path
        })
    }
}

fn point(text: &str) -> Option<(u16, u16)> {
    let (across, down) = text.split_once(',')?;
    let whole = |text: &str, most| {
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<u16>().ok().filter(|number| digits && *number <= most)
    };
    Some((whole(across, WIDTH)?, whole(down, HEIGHT)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_drawn_reads_back_and_is_drawn_the_same() {
        let strokes = ["10,20 30,40 600,200", "5,5 5,5"];
        let drawing = Drawing::read(strokes).expect("drawn");
        assert_eq!(drawing.path(), "M10,20 30,40 600,200M5,5 5,5");
        assert_eq!(drawing.strokes().collect::<Vec<_>>(), strokes);
        let text = serde_json::to_string(&drawing).expect("text");
        assert_eq!(serde_json::from_str::<Drawing>(&text).expect("drawing"), drawing);
    }

    #[test]
    fn nothing_and_a_dot_are_no_signature() {
        for none in [&[][..], &[""], &["300,100"], &["300,100 300,100", "310,119"]] {
            assert_eq!(Drawing::read(none.iter().copied()), Err(Refusal::NotDrawn), "{none:?}");
        }
        assert!(Drawing::read(["300,100 320,100"]).is_ok());
    }

    #[test]
    fn what_is_no_point_of_the_field_is_refused_with_what_is_accepted() {
        for text in [
            "NaN,1",
            "601,1",
            "1,201",
            "-1,5",
            "+1,5",
            "1e3,5",
            "1.5,5",
            "9999999999999999,1",
            "5",
            ",",
            "1,2,3",
            "٣,٤",
            "Infinity,1",
        ] {
            let stroke = format!("0,0 100,100 {text}");
            let refusal = Drawing::read([stroke.as_str()]).expect_err(text);
            assert_eq!(refusal, Refusal::NoPoint { text: text.to_owned() });
            assert_eq!(refusal.field(), "stroke");
        }
        let long = "9".repeat(1_000);
        assert!(
            matches!(Drawing::read([long.as_str()]), Err(Refusal::NoPoint { text }) if text.len() == SHOWN)
        );
    }

    #[test]
    fn more_strokes_or_points_than_a_name_has_are_refused() {
        let most = vec!["0,0 50,50"; STROKES_MOST];
        assert!(Drawing::read(most.clone()).is_ok());
        let refused = Drawing::read(most.into_iter().chain(["1,1"]));
        assert_eq!(refused, Err(Refusal::DrawnTooMuch { what: "strokes", most: STROKES_MOST }));
        let points = |count: usize| ["0,0"].into_iter().chain(vec!["50,50"; count - 1]).collect::<Vec<_>>();
        assert!(Drawing::read([points(POINTS_MOST).join(" ").as_str()]).is_ok());
        let refused = Drawing::read([points(POINTS_MOST + 1).join(" ").as_str()]);
        assert_eq!(refused, Err(Refusal::DrawnTooMuch { what: "points", most: POINTS_MOST }));
    }
}
