//! Levels over time as a picture: lines, bands and measured points, to a file as SVG or PNG.

use crate::record::drawing::{Anchor, Drawing, Ink, Mark, Svg};
use clinic::dose::parse::Unreadable;
use lab::asked::Argument;
use std::path::{Path, PathBuf};

/// What is drawn.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Plot {
    /// One line of words.
    pub title: String,
    /// In painting order.
    pub curves: Vec<Curve>,
}

/// One curve: minutes and ng/mL.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Curve {
    /// For the legend.
    pub name: String,
    /// Which colour, from 0.
    pub colour: u8,
    /// Dashed, as an effect site is.
    pub is_dashed: bool,
    /// Time and level.
    pub line: Vec<(f64, f64)>,
    /// Time, low and high; the widest first.
    pub bands: Vec<Vec<(f64, f64, f64)>>,
    /// Measured time and level.
    pub points: Vec<(f64, f64)>,
}

const WIDTH: f32 = 720.0;
const HEIGHT: f32 = 330.0;
const LEFT: f32 = 64.0;
const RIGHT: f32 = 20.0;
const TOP: f32 = 46.0;
const ROW: f32 = 18.0;
const LETTERS: f32 = 12.0;
/// Ticks on an axis, at most.
const TICKS: f64 = 8.0;
/// Points of a line; a pixel shows no more.
const LINE_MAX: usize = 4000;
/// Steps of a time axis that people read, min: then days.
const TIME_STEPS: [f64; 12] = [1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 240.0, 480.0, 720.0, 1440.0];
const DAY: f64 = 1440.0;

/// From numbers to the paper.
#[derive(Debug, Clone, Copy)]
struct Scale {
    low: f64,
    high: f64,
    step: f64,
    from: f32,
    to: f32,
}

impl Scale {
    fn place(&self, value: f64) -> f32 {
        let share = (value - self.low) / (self.high - self.low);
        self.from + (self.to - self.from) * share as f32
    }

    fn ticks(&self) -> impl Iterator<Item = f64> {
        let (first, last) = ((self.low / self.step).ceil() as i64, (self.high / self.step).floor() as i64);
        (first..=last).map(|tick| tick as f64 * self.step)
    }
}

impl Plot {
    /// Draws it.
    #[must_use]
    pub fn drawing(&self) -> Drawing {
        let bottom = TOP + HEIGHT;
        let height = bottom + 44.0 + ROW * self.curves.len() as f32;
        let mut drawing = Drawing {
            width: WIDTH,
            height,
            title: self.title.clone(),
            words: self.words(),
            marks: vec![rectangle((0.0, 0.0), (WIDTH, height), Ink::Paper)],
        };
        drawing.text((LEFT, 20.0), LETTERS + 1.0, Anchor::Start, Ink::Black, self.title.as_str());
        let (time, level) = self.scales(bottom);
        axes(&mut drawing, time, level);
        let place = |(x, y): (f64, f64)| (time.place(x), level.place(y));
        for (band, ink) in self.curves.iter().flat_map(Curve::inked_bands) {
            let there = band.iter().map(|&(x, low, _)| place((x, low)));
            let back = band.iter().rev().map(|&(x, _, high)| place((x, high)));
            drawing.marks.push(Mark::Area { points: there.chain(back).collect(), ink });
        }
        for curve in &self.curves {
            let ink = Ink::Series(curve.colour);
            let points = thinned(&curve.line).into_iter().map(place).collect();
            drawing.marks.push(Mark::Path { points, ink, width: 1.8, dashed: curve.is_dashed });
            for (x, y) in curve.points.iter().copied().map(place) {
                drawing.marks.push(rectangle((x - 3.0, y - 3.0), (x + 3.0, y + 3.0), ink));
            }
        }
        self.legend(&mut drawing, bottom + 44.0);
        drawing
    }

    /// Highest level of each curve.
    fn words(&self) -> String {
        let peak = |curve: &Curve| {
            let (time, level) = curve.line.iter().copied().max_by(|a, b| a.1.total_cmp(&b.1))?;
            let points = if curve.points.is_empty() {
                String::new()
            } else {
                format!(", {} measured", curve.points.len())
            };
            Some(format!("{}: highest {level:.1} ng/mL at {time} min{points}", curve.name))
        };
        self.curves.iter().filter_map(peak).collect::<Vec<_>>().join("; ")
    }

    fn scales(&self, bottom: f32) -> (Scale, Scale) {
        let lines = || self.curves.iter().flat_map(|curve| curve.line.iter().chain(&curve.points).copied());
        let highs =
            self.curves.iter().flat_map(|curve| curve.bands.iter().flatten().map(|&(_, _, high)| high));
        let first = lines().map(|(time, _)| time).fold(f64::INFINITY, f64::min).min(1e9);
        let last = lines().map(|(time, _)| time).fold(first, f64::max);
        let top = lines().map(|(_, level)| level).chain(highs).fold(1e-9, f64::max);
        let span = (last - first).max(1e-9);
        let time_step = TIME_STEPS.into_iter().find(|step| span >= 1.0 && span / step <= TICKS);
        let time_step = time_step
            .unwrap_or_else(|| if span > DAY { DAY * round_step(span / DAY) } else { round_step(span) });
        let step = round_step(top);
        let high = (top / step).ceil() * step;
        (
            Scale { low: first, high: first + span, step: time_step, from: LEFT, to: WIDTH - RIGHT },
            Scale { low: 0.0, high, step, from: bottom, to: TOP },
        )
    }

    fn legend(&self, drawing: &mut Drawing, top: f32) {
        for (row, curve) in self.curves.iter().enumerate() {
            let y = top + ROW * row as f32;
            let (ink, points) = (Ink::Series(curve.colour), vec![(LEFT, y - 4.0), (LEFT + 30.0, y - 4.0)]);
            drawing.marks.push(Mark::Path { points, ink, width: 2.5, dashed: curve.is_dashed });
            drawing.text((LEFT + 38.0, y), LETTERS, Anchor::Start, Ink::Black, curve.name.as_str());
        }
    }
}

impl Curve {
    /// Its bands, the inner ones darker.
    fn inked_bands(&self) -> impl Iterator<Item = (&[(f64, f64, f64)], Ink)> {
        (1..).zip(&self.bands).map(|(depth, band)| (band.as_slice(), Ink::SeriesArea(self.colour, depth)))
    }
}

fn axes(drawing: &mut Drawing, time: Scale, level: Scale) {
    for tick in level.ticks() {
        let y = level.place(tick);
        drawing.line((time.from, y), (time.to, y), Ink::Grid, 1.0);
        drawing.text((time.from - 8.0, y + 4.0), LETTERS, Anchor::End, Ink::Quiet, label(tick, level.step));
    }
    for tick in time.ticks() {
        let x = time.place(tick);
        drawing.line((x, level.from), (x, level.from + 5.0), Ink::GridStrong, 1.0);
        drawing.text((x, level.from + 18.0), LETTERS, Anchor::Middle, Ink::Quiet, label(tick, time.step));
    }
    drawing.line((time.from, level.from), (time.to, level.from), Ink::GridStrong, 1.0);
    drawing.text((time.from - 8.0, TOP - 14.0), LETTERS, Anchor::End, Ink::Quiet, "ng/mL");
    drawing.text((time.to, level.from + 34.0), LETTERS, Anchor::End, Ink::Quiet, "min");
}

fn rectangle((left, top): (f32, f32), (right, bottom): (f32, f32), ink: Ink) -> Mark {
    Mark::Area { points: vec![(left, top), (right, top), (right, bottom), (left, bottom)], ink }
}

/// 1, 2 or 5 times a power of ten.
fn round_step(span: f64) -> f64 {
    let rough = span / TICKS;
    let power = 10f64.powf(rough.log10().floor());
    [1.0, 2.0, 5.0]
        .into_iter()
        .map(|factor| factor * power)
        .find(|step| *step >= rough)
        .unwrap_or(10.0 * power)
}

fn label(tick: f64, step: f64) -> String {
    let places = (-step.log10().floor()).clamp(0.0, 9.0) as usize;
    format!("{tick:.places$}")
}

/// Lowest and highest of each stretch, so that no peak is lost.
fn thinned(line: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let stretch = line.len().div_ceil(LINE_MAX / 2).max(1);
    if stretch == 1 {
        return line.to_vec();
    }
    let ends = |part: &[(f64, f64)]| {
        let low = part.iter().copied().min_by(|a, b| a.1.total_cmp(&b.1));
        let high = part.iter().copied().max_by(|a, b| a.1.total_cmp(&b.1));
        let mut both: Vec<(f64, f64)> = low.into_iter().chain(high).collect();
        both.sort_by(|a, b| a.0.total_cmp(&b.0));
        both
    };
    line.chunks(stretch).flat_map(ends).collect()
}

/// A file for a picture, its kind read from its name before anything is worked out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlotFile {
    path: PathBuf,
    is_png: bool,
}

impl PlotFile {
    /// # Errors
    /// A name that does not end in `.svg` or `.png`.
    pub fn read(path: &Path) -> Result<Self, Unreadable> {
        let is_png = match path.extension().and_then(|end| end.to_str()) {
            Some("svg") => false,
            Some("png") => true,
            _ => {
                let (text, accepted) = (path.display().to_string(), "a file name that ends in .svg or .png");
                let argument = Argument { field: "--plot", text: &text, accepted };
                return Err(argument.unreadable("its end names no picture"));
            }
        };
        Ok(Self { path: path.to_owned(), is_png })
    }

    /// Writes the picture whole, or not at all.
    ///
    /// # Errors
    /// What the machine said.
    pub fn write(&self, plot: &Plot) -> anyhow::Result<()> {
        let drawing = plot.drawing();
        let bytes = if self.is_png {
            super::png::picture(&drawing)?
        } else {
            Svg { drawing: &drawing }.to_string().into_bytes()
        };
        let mut beside = self.path.clone().into_os_string();
        beside.push(".part");
        let written = std::fs::write(&beside, bytes).and_then(|()| std::fs::rename(&beside, &self.path));
        if written.is_err() {
            // What could not be written whole may not be there either.
            let _gone = std::fs::remove_file(&beside);
        }
        Ok(written?)
    }
}
