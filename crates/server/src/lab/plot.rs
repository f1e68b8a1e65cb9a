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
    /// Of the upright axis: `ng/mL`.
    pub unit: String,
    /// In painting order.
    pub curves: Vec<Curve>,
}

/// Time, low and high.
pub type Band = Vec<(f64, f64, f64)>;

/// One curve: minutes, and levels or effects.
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
    /// The widest first.
    pub bands: Vec<Band>,
    /// Only the two edges of each band, where bands of several curves would hide each other.
    pub edges_only: bool,
    /// Measured time and level.
    pub points: Vec<(f64, f64)>,
    /// Measured below the limit of quantification: time and that limit.
    pub below: Vec<(f64, f64)>,
}

/// Ground between the axes of a picture of its own.
const LARGE: (f32, f32) = (720.0, 330.0);
/// The same of one among others, whose letters stay readable on a telephone.
const SMALL: (f32, f32) = (440.0, 220.0);
const LEFT: f32 = 64.0;
const RIGHT: f32 = 20.0;
const TOP: f32 = 46.0;
const ROW: f32 = 18.0;
/// Beside the open arrows.
const BELOW: &str = "below the limit of quantification";
const LETTERS: f32 = 12.0;
/// Ticks on an axis, at most.
const TICKS: f64 = 8.0;
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
    /// Draws it to stand alone.
    #[must_use]
    pub fn drawing(&self) -> Drawing {
        self.drawn(LARGE)
    }

    /// Draws it to stand among others.
    #[must_use]
    pub fn small(&self) -> Drawing {
        self.drawn(SMALL)
    }

    fn drawn(&self, (width, ground): (f32, f32)) -> Drawing {
        let bottom = TOP + ground;
        let rows = self.curves.iter().map(|curve| 1 + usize::from(!curve.below.is_empty())).sum::<usize>();
        let height = bottom + 44.0 + ROW * rows as f32;
        let mut drawing = Drawing {
            width,
            height,
            title: self.title.clone(),
            words: self.words(),
            marks: vec![rectangle((0.0, 0.0), (width, height), Ink::Paper)],
        };
        drawing.text((LEFT, 20.0), LETTERS + 1.0, Anchor::Start, Ink::Black, self.title.as_str());
        let (time, level) = self.scales((LEFT, width - RIGHT), bottom);
        axes(&mut drawing, time, level, &self.unit);
        let place = |(x, y): (f64, f64)| (time.place(x), level.place(y));
        for (band, ink) in self.curves.iter().filter(|curve| !curve.edges_only).flat_map(Curve::inked_bands) {
            let there = band.iter().map(|&(x, low, _)| place((x, low)));
            let back = band.iter().rev().map(|&(x, _, high)| place((x, high)));
            drawing.marks.push(Mark::Area { points: there.chain(back).collect(), ink });
        }
        for curve in &self.curves {
            let ink = Ink::Series(curve.colour);
            let points = thinned(curve.line.iter().copied().map(place));
            if !points.is_empty() {
                drawing.marks.push(Mark::Path { points, ink, width: 1.8, dashed: curve.is_dashed });
            }
            for edge in curve.edges() {
                let points = thinned(edge.into_iter().map(place));
                drawing.marks.push(Mark::Path { points, ink, width: 0.9, dashed: true });
            }
            curve.points.iter().copied().map(place).for_each(|at| drawing.marks.push(dot(at, ink)));
            curve.below.iter().copied().map(place).for_each(|at| drawing.marks.push(arrow_down(at, ink)));
        }
        self.legend(&mut drawing, bottom + 44.0);
        drawing
    }

    /// What of each curve is farthest from nothing.
    fn words(&self) -> String {
        let unit = &self.unit;
        let peak = |curve: &Curve| {
            let (measured, below) = (curve.points.len() + curve.below.len(), curve.below.len());
            let below = if below == 0 { String::new() } else { format!(", {below} of them {BELOW}") };
            if curve.line.is_empty() {
                return (measured > 0).then(|| format!("{}: {measured} levels{below}", curve.name));
            }
            let (time, level) = curve.line.iter().copied().max_by(|a, b| a.1.abs().total_cmp(&b.1.abs()))?;
            let peak = if level < 0.0 { "lowest" } else { "highest" };
            let points = if measured == 0 { String::new() } else { format!(", {measured} measured{below}") };
            let at = if time.fract() == 0.0 { format!("{time}") } else { format!("{time:.1}") };
            Some(format!("{}: {peak} {level:.1} {unit} at {at} min{points}", curve.name))
        };
        self.curves.iter().filter_map(peak).collect::<Vec<_>>().join("; ")
    }

    fn scales(&self, (left, right): (f32, f32), bottom: f32) -> (Scale, Scale) {
        let of = |curve: &'_ Curve| [&curve.line[..], &curve.points, &curve.below].concat();
        let lines = || self.curves.iter().flat_map(of);
        let bands = || self.curves.iter().flat_map(|curve| curve.bands.iter().flatten());
        let first = lines().map(|(time, _)| time).fold(f64::INFINITY, f64::min).min(1e9);
        let last = lines().map(|(time, _)| time).fold(first, f64::max);
        let values =
            || lines().map(|(_, level)| level).chain(bands().flat_map(|&(_, low, high)| [low, high]));
        let (bottom_value, top) = (values().fold(0.0, f64::min), values().fold(0.0, f64::max));
        let span = (last - first).max(1e-9);
        let time_step = TIME_STEPS.into_iter().find(|step| span >= 1.0 && span / step <= TICKS);
        let time_step = time_step
            .unwrap_or_else(|| if span > DAY { DAY * round_step(span / DAY) } else { round_step(span) });
        let step = round_step((top - bottom_value).max(1e-9));
        let (low, high) = ((bottom_value / step).floor() * step, (top / step).ceil() * step);
        // Where nothing happens there is still an axis.
        let high = if high > low { high } else { low + step };
        (
            Scale { low: first, high: first + span, step: time_step, from: left, to: right },
            Scale { low, high, step, from: bottom, to: TOP },
        )
    }

    fn legend(&self, drawing: &mut Drawing, top: f32) {
        let mut y = top - ROW;
        for curve in &self.curves {
            y += ROW;
            let (ink, points) = (Ink::Series(curve.colour), vec![(LEFT, y - 4.0), (LEFT + 30.0, y - 4.0)]);
            let mark = if curve.line.is_empty() {
                dot((LEFT + 15.0, y - 4.0), ink)
            } else {
                Mark::Path { points, ink, width: 2.5, dashed: curve.is_dashed }
            };
            drawing.marks.push(mark);
            drawing.text((LEFT + 38.0, y), LETTERS, Anchor::Start, Ink::Black, curve.name.as_str());
            if !curve.below.is_empty() {
                y += ROW;
                drawing.marks.push(arrow_down((LEFT + 15.0, y - 8.0), ink));
                drawing.text((LEFT + 38.0, y), LETTERS, Anchor::Start, Ink::Black, BELOW);
            }
        }
    }
}

impl Curve {
    /// Its bands, the inner ones darker.
    fn inked_bands(&self) -> impl Iterator<Item = (&[(f64, f64, f64)], Ink)> {
        (1..).zip(&self.bands).map(|(depth, band)| (band.as_slice(), Ink::SeriesArea(self.colour, depth)))
    }

    /// Its bands as lines, where only those are drawn.
    fn edges(&self) -> impl Iterator<Item = Vec<(f64, f64)>> {
        let drawn = self.bands.iter().filter(|_| self.edges_only);
        let low = |band: &Band| band.iter().map(|&(time, low, _)| (time, low)).collect();
        let high = |band: &Band| band.iter().map(|&(time, _, high)| (time, high)).collect();
        drawn.flat_map(move |band| [low(band), high(band)])
    }
}

/// Something measured.
fn dot((x, y): (f32, f32), ink: Ink) -> Mark {
    rectangle((x - 3.0, y - 3.0), (x + 3.0, y + 3.0), ink)
}

/// What nobody could quantify: open, and pointing down from the limit.
fn arrow_down((x, y): (f32, f32), ink: Ink) -> Mark {
    let points = vec![(x - 4.0, y), (x + 4.0, y), (x, y + 8.0), (x - 4.0, y)];
    Mark::Path { points, ink, width: 1.5, dashed: false }
}

fn axes(drawing: &mut Drawing, time: Scale, level: Scale, unit: &str) {
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
    drawing.text((time.from - 8.0, TOP - 14.0), LETTERS, Anchor::End, Ink::Quiet, unit);
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
    // Nothing is 0 on either side of it.
    format!("{:.places$}", if tick == 0.0 { 0.0 } else { tick })
}

/// Of each pixel's width the first, lowest, highest and last, which is all that can be seen of a line.
fn thinned(line: impl Iterator<Item = (f32, f32)>) -> Vec<(f32, f32)> {
    let line: Vec<(f32, f32)> = line.collect();
    let of_pixel = |part: &[(f32, f32)]| {
        let ends = 0..part.len();
        let by = |a: &usize, b: &usize| part[*a].1.total_cmp(&part[*b].1);
        let mut kept = vec![0, part.len() - 1];
        kept.extend(ends.clone().min_by(by).into_iter().chain(ends.max_by(by)));
        kept.sort_unstable();
        kept.dedup();
        kept.into_iter().map(|place| part[place]).collect::<Vec<_>>()
    };
    line.chunk_by(|a, b| a.0.floor() == b.0.floor()).flat_map(of_pixel).collect()
}

/// Pictures in two columns, the words of all of them together.
#[must_use]
pub fn side_by_side(title: &str, drawings: &[Drawing]) -> Drawing {
    let mut page = Drawing { title: title.to_owned(), ..Drawing::default() };
    let words: Vec<&str> = drawings.iter().map(|drawing| drawing.words.as_str()).collect();
    page.words = words.join("; ");
    for row in drawings.chunks(2) {
        let (mut left, top) = (0.0, page.height);
        for drawing in row {
            page.marks.extend(drawing.marks.iter().map(|mark| mark.placed((left, top), 1.0)));
            left += drawing.width;
            page.width = page.width.max(left);
            page.height = page.height.max(top + drawing.height);
        }
    }
    page.marks.insert(0, rectangle((0.0, 0.0), (page.width, page.height), Ink::Paper));
    page
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
        self.write_drawing(&plot.drawing())
    }

    /// The same for what is drawn already.
    ///
    /// # Errors
    /// What the machine said.
    pub fn write_drawing(&self, drawing: &Drawing) -> anyhow::Result<()> {
        let bytes = if self.is_png {
            super::png::picture(drawing)?
        } else {
            Svg { drawing }.to_string().into_bytes()
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
