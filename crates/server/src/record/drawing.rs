//! A picture made of a few marks, so that the same chart goes to a page as SVG and to paper as PDF.

use askama::Template;

/// A picture in its own units; y grows downwards.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Drawing {
    /// Width.
    pub width: f32,
    /// Height.
    pub height: f32,
    /// Short title.
    pub title: String,
    /// Everything it says, in words.
    pub words: String,
    /// In painting order.
    pub marks: Vec<Mark>,
}

/// The same as SVG, to stand alone or on a page.
#[derive(Template)]
#[template(path = "parts/drawing.svg")]
pub struct Svg<'a> {
    /// What is drawn.
    pub drawing: &'a Drawing,
}

/// Ink of a mark. Print needs no colour; shades keep their order in grey.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ink {
    /// Text and axes.
    Black,
    /// Grid lines.
    Grid,
    /// Heavier grid lines.
    GridStrong,
    /// Labels beside the axes.
    Quiet,
    /// Blood pressure.
    Pressure,
    /// Heart rate.
    Heart,
    /// Oxygen saturation.
    Oxygen,
    /// Drug.
    Drug,
    /// Area of the drug's rate.
    DrugArea,
    /// Ground behind the heads of a table.
    Ground,
    /// White.
    Paper,
    /// A curve, by its number.
    Series(u8),
    /// A band around a curve, by its number; 1 is the widest and palest.
    SeriesArea(u8, u8),
}

impl Ink {
    /// Red, green and blue.
    pub const fn rgb(self) -> (u8, u8, u8) {
        match self {
            Self::Black => (17, 17, 17),
            Self::Grid => (222, 226, 230),
            Self::GridStrong => (173, 181, 189),
            Self::Quiet => (73, 80, 87),
            Self::Pressure => (179, 38, 30),
            Self::Heart => (10, 122, 61),
            Self::Oxygen => (0, 111, 134),
            Self::Drug => (122, 91, 0),
            Self::DrugArea => (254, 239, 163),
            Self::Ground => (238, 240, 243),
            Self::Paper => (255, 255, 255),
            Self::Series(number) => SERIES[number as usize % SERIES.len()],
            Self::SeriesArea(number, depth) => {
                let (r, g, b) = SERIES[number as usize % SERIES.len()];
                let depth = if depth > 3 { 3 } else { depth };
                (paler(r, depth), paler(g, depth), paler(b, depth))
            }
        }
    }
    /// As an SVG colour.
    pub fn svg(self) -> String {
        let (r, g, b) = self.rgb();
        format!("#{r:02x}{g:02x}{b:02x}")
    }
}

/// Colours that people who see fewer of them still tell apart (Okabe and Ito 2008).
const SERIES: [(u8, u8, u8); 6] =
    [(0, 114, 178), (213, 94, 0), (0, 158, 115), (204, 121, 167), (230, 159, 0), (86, 180, 233)];

/// Towards white: a fifth of the colour for each depth.
const fn paler(colour: u8, depth: u8) -> u8 {
    255 - (255 - colour) / 5 * depth
}

/// Which end of a text stands at its point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    /// Begins there.
    Start,
    /// Centred there.
    Middle,
    /// Ends there.
    End,
}

/// One mark.
#[derive(Debug, Clone, PartialEq)]
pub enum Mark {
    /// Connected straight lines.
    Path {
        /// Corners.
        points: Vec<(f32, f32)>,
        /// Colour.
        ink: Ink,
        /// Width of the line.
        width: f32,
        /// Dashed, as everything predicted is.
        dashed: bool,
    },
    /// A filled area.
    Area {
        /// Corners.
        points: Vec<(f32, f32)>,
        /// Colour.
        ink: Ink,
    },
    /// Words.
    Text {
        /// Where.
        at: (f32, f32),
        /// Height of the letters.
        size: f32,
        /// Which end.
        anchor: Anchor,
        /// Colour.
        ink: Ink,
        /// In bold letters.
        bold: bool,
        /// What.
        text: String,
    },
}

impl Drawing {
    /// Adds a line between two points.
    pub fn line(&mut self, from: (f32, f32), to: (f32, f32), ink: Ink, width: f32) {
        self.marks.push(Mark::Path { points: vec![from, to], ink, width, dashed: false });
    }
    /// Adds words.
    pub fn text(&mut self, at: (f32, f32), size: f32, anchor: Anchor, ink: Ink, text: impl Into<String>) {
        self.marks.push(Mark::Text { at, size, anchor, ink, bold: false, text: text.into() });
    }
}

impl Mark {
    /// The same mark, `scale` times as large, with the picture's corner at `to`.
    pub(crate) fn placed(&self, to: (f32, f32), scale: f32) -> Self {
        let place = |(x, y): (f32, f32)| (to.0 + x * scale, to.1 + y * scale);
        let all = |points: &[(f32, f32)]| points.iter().copied().map(place).collect();
        match self {
            Self::Path { points, ink, width, dashed } => {
                Self::Path { points: all(points), ink: *ink, width: width * scale, dashed: *dashed }
            }
            Self::Area { points, ink } => Self::Area { points: all(points), ink: *ink },
            Self::Text { at, size, anchor, ink, bold, text } => Self::Text {
                at: place(*at),
                size: size * scale,
                anchor: *anchor,
                ink: *ink,
                bold: *bold,
                text: text.clone(),
            },
        }
    }
    /// Corners as SVG writes them.
    pub fn corners(&self) -> String {
        let (Self::Path { points, .. } | Self::Area { points, .. }) = self else { return String::new() };
        points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect::<Vec<_>>().join(" ")
    }
}

impl Anchor {
    /// As SVG writes it.
    pub const fn svg(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Middle => "middle",
            Self::End => "end",
        }
    }
}
