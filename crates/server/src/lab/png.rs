//! A drawing as PNG, with the letters of the printed record.

use crate::record::drawing::{Anchor, Drawing, Ink, Mark};
use crate::record::typeface::Typeface;
use anyhow::Context;
use tiny_skia::{FillRule, Paint, Path, PathBuilder, Pixmap, Stroke, StrokeDash, Transform};
use ttf_parser::OutlineBuilder;

/// Pixels for each unit of the drawing.
const PIXELS: f32 = 2.0;

/// Paints it.
///
/// # Errors
/// A drawing without size; fonts that cannot be read.
pub fn picture(drawing: &Drawing) -> anyhow::Result<Vec<u8>> {
    let size = |units: f32| (units * PIXELS).ceil() as u32;
    let mut page =
        Pixmap::new(size(drawing.width), size(drawing.height)).context("a picture without size")?;
    let typeface = Typeface::embedded().context("the embedded fonts cannot be read")?;
    let scaled = Transform::from_scale(PIXELS, PIXELS);
    for mark in &drawing.marks {
        match mark {
            Mark::Path { points, ink, width, dashed } => {
                let dash = if *dashed { StrokeDash::new(vec![4.0, 3.0], 0.0) } else { None };
                let stroke = Stroke { width: *width, dash, ..Stroke::default() };
                if let Some(path) = outline(points, false) {
                    page.stroke_path(&path, &paint(*ink), &stroke, scaled, None);
                }
            }
            Mark::Area { points, ink } => {
                if let Some(path) = outline(points, true) {
                    page.fill_path(&path, &paint(*ink), FillRule::Winding, scaled, None);
                }
            }
            Mark::Text { at, size, anchor, ink, bold, text } => {
                let width = typeface.width(text, *size, *bold);
                let left = match anchor {
                    Anchor::Start => at.0,
                    Anchor::Middle => at.0 - width / 2.0,
                    Anchor::End => at.0 - width,
                };
                if let Some(path) = letters(&typeface, text, *size, *bold) {
                    let placed = scaled.pre_translate(left, at.1);
                    page.fill_path(&path, &paint(*ink), FillRule::Winding, placed, None);
                }
            }
        }
    }
    Ok(page.encode_png()?)
}

fn paint(ink: Ink) -> Paint<'static> {
    let (red, green, blue) = ink.rgb();
    let mut paint = Paint::default();
    paint.set_color_rgba8(red, green, blue, 255);
    paint
}

fn outline(points: &[(f32, f32)], is_closed: bool) -> Option<Path> {
    let mut path = PathBuilder::new();
    let (first, rest) = points.split_first()?;
    path.move_to(first.0, first.1);
    rest.iter().for_each(|point| path.line_to(point.0, point.1));
    if is_closed {
        path.close();
    }
    path.finish()
}

/// The outline of a line of words that starts at 0, 0; y grows downwards.
fn letters(typeface: &Typeface, text: &str, size: f32, is_bold: bool) -> Option<Path> {
    let mut pen = Pen { path: PathBuilder::new(), at: 0.0, scale: 1.0 };
    let face = typeface.face(is_bold);
    pen.scale = size / f32::from(face.units_per_em());
    for letter in text.chars() {
        if let Some(glyph) = face.glyph_index(letter) {
            let _bounds = face.outline_glyph(glyph, &mut pen);
            pen.at += f32::from(face.glyph_hor_advance(glyph).unwrap_or_default()) * pen.scale;
        }
    }
    pen.path.finish()
}

struct Pen {
    path: PathBuilder,
    at: f32,
    scale: f32,
}

impl Pen {
    fn place(&self, x: f32, y: f32) -> (f32, f32) {
        (self.at + x * self.scale, -y * self.scale)
    }
}

impl OutlineBuilder for Pen {
    fn move_to(&mut self, x: f32, y: f32) {
        let (x, y) = self.place(x, y);
        self.path.move_to(x, y);
    }
    fn line_to(&mut self, x: f32, y: f32) {
        let (x, y) = self.place(x, y);
        self.path.line_to(x, y);
    }
    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        let ((x1, y1), (x, y)) = (self.place(x1, y1), self.place(x, y));
        self.path.quad_to(x1, y1, x, y);
    }
    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        let ((x1, y1), (x2, y2), (x, y)) = (self.place(x1, y1), self.place(x2, y2), self.place(x, y));
        self.path.cubic_to(x1, y1, x2, y2, x, y);
    }
    fn close(&mut self) {
        self.path.close();
    }
}
