//! The record as a tagged PDF (PDF/UA-1, ISO 14289-1): headings, tables with header cells, figures with their
//! words. No wall clock: the same sheet gives the same bytes.

use super::drawing::{Anchor, Ink, Mark};
use super::layout::{Leaf, Node, PAGE, Pages, lay_out};
use super::sheet::Sheet;
use super::typeface::{self, Typeface};
use krilla::color::rgb;
use krilla::configure::{Accessibility, ConfigurationBuilder};
use krilla::destination::XyzDestination;
use krilla::geom::{PathBuilder, Point};
use krilla::metadata::{DateTime, Metadata};
use krilla::num::NormalizedF32;
use krilla::outline::{Outline, OutlineNode};
use krilla::page::PageSettings;
use krilla::paint::{Fill, LineJoin, Stroke, StrokeDash};
use krilla::surface::Surface;
use krilla::tagging::{Artifact, ContentTag, Identifier, Node as TagNode, SpanTag, TagGroup, TagTree};
use krilla::text::{Font, TextDirection};
use krilla::{Document, SerializeSettings};

/// A record that cannot be printed: a fault of the program, never of what stands in the record.
#[derive(Debug, thiserror::Error)]
pub enum PdfFault {
    /// The embedded fonts.
    #[error("the fonts of the printed record cannot be read")]
    Typeface,
    /// The page or the standard asked for.
    #[error("the page of the printed record is not possible")]
    Page,
    /// What the PDF library says.
    #[error("the record cannot be written as PDF: {0}")]
    Write(String),
}

/// The sheet as PDF on A4, inside what a Letter page takes too.
///
/// # Errors
/// [`PdfFault`].
pub fn pdf(sheet: &Sheet) -> Result<Vec<u8>, PdfFault> {
    let typeface = Typeface::embedded().ok_or(PdfFault::Typeface)?;
    let font = |bytes: &'static [u8]| Font::new(bytes.into(), 0).ok_or(PdfFault::Typeface);
    let pen = Pen { regular: font(typeface::regular())?, bold: font(typeface::bold())?, typeface };
    let pages = lay_out(sheet, &pen.typeface);
    let standard = ConfigurationBuilder::new().with_accessibility_validator(Accessibility::UA1).finish();
    let mut document = Document::new_with(SerializeSettings {
        configuration: standard.map_err(|_| PdfFault::Page)?,
        ..SerializeSettings::default()
    });
    let mut identifiers: Vec<Option<Identifier>> = vec![None; pages.leaves.len()];
    for number in 0..pages.count {
        let settings = PageSettings::from_wh(PAGE.0, PAGE.1).ok_or(PdfFault::Page)?;
        let mut page = document.start_page_with(settings);
        let mut surface = page.surface();
        for (leaf, identifier) in
            pages.leaves.iter().zip(&mut identifiers).filter(|(leaf, _)| leaf.page == number)
        {
            *identifier = pen.leaf(&mut surface, leaf);
        }
        surface.finish();
        page.finish();
    }
    document.set_metadata(metadata(sheet));
    document.set_outline(outline(&pages));
    let mut tree = TagTree::new().with_lang(Some("en".to_owned()));
    for node in &pages.tree {
        tree.push(tagged(node, &identifiers));
    }
    document.set_tag_tree(tree);
    document.finish().map_err(|cause| PdfFault::Write(format!("{cause:?}")))
}

fn metadata(sheet: &Sheet) -> Metadata {
    let (year, month, day) = sheet.day;
    let part = |number: i8| u8::try_from(number).unwrap_or(1);
    let made = DateTime::new(u16::try_from(year).unwrap_or(0)).month(part(month)).day(part(day));
    Metadata::new()
        .title(sheet.title.clone())
        .language("en".to_owned())
        .creator("Chairside".to_owned())
        .document_id(sheet.identity.clone())
        .creation_date(made)
}

fn outline(pages: &Pages) -> Outline {
    let mut outline = Outline::new();
    for (title, page, y) in &pages.outline {
        let place = XyzDestination::new(*page, Point::from_xy(0.0, *y));
        outline.push_child(OutlineNode::new(title.clone(), place));
    }
    outline
}

fn tagged(node: &Node, identifiers: &[Option<Identifier>]) -> TagNode {
    match node {
        Node::Group(tag, children) => {
            let children = children.iter().map(|child| tagged(child, identifiers)).collect();
            TagGroup::with_children(tag.clone(), children).into()
        }
        Node::Leaf(number) => match identifiers.get(*number).copied().flatten() {
            Some(identifier) => identifier.into(),
            // A leaf without marks was never painted; an empty group says nothing.
            None => TagGroup::new(krilla::tagging::Tag::NonStruct).into(),
        },
    }
}

struct Pen {
    regular: Font,
    bold: Font,
    typeface: Typeface,
}

impl Pen {
    fn leaf(&self, surface: &mut Surface, leaf: &Leaf) -> Option<Identifier> {
        let is_text = leaf.marks.iter().all(|mark| matches!(mark, Mark::Text { .. }));
        let tag = match leaf.artifact {
            Some(kind) => ContentTag::Artifact(Artifact::with_kind(kind)),
            None if is_text => ContentTag::Span(SpanTag::empty()),
            None => ContentTag::Other,
        };
        let identifier = surface.start_tagged(tag);
        for mark in &leaf.marks {
            self.mark(surface, mark);
        }
        surface.end_tagged();
        leaf.artifact.is_none().then_some(identifier)
    }

    fn mark(&self, surface: &mut Surface, mark: &Mark) {
        match mark {
            Mark::Path { points, ink, width, dashed } => {
                surface.set_fill(None);
                let dash = dashed.then(|| StrokeDash { array: vec![3.0, 2.0], offset: 0.0 });
                let join = LineJoin::Round;
                surface.set_stroke(Some(Stroke {
                    paint: paint(*ink),
                    width: *width,
                    line_join: join,
                    dash,
                    ..Stroke::default()
                }));
                trace(surface, points, false);
            }
            Mark::Area { points, ink } => {
                surface.set_stroke(None);
                surface.set_fill(Some(fill(*ink)));
                trace(surface, points, true);
            }
            Mark::Text { at, size, anchor, ink, bold, text } => {
                let text = self.typeface.printable(text);
                let width = self.typeface.width(&text, *size, *bold);
                let x = match anchor {
                    Anchor::Start => at.0,
                    Anchor::Middle => at.0 - width / 2.0,
                    Anchor::End => at.0 - width,
                };
                let font = if *bold { self.bold.clone() } else { self.regular.clone() };
                surface.set_stroke(None);
                surface.set_fill(Some(fill(*ink)));
                // A no-break space has done its work in the layout; a reader who searches for `41 mg` finds it.
                let text = text.replace('\u{a0}', " ");
                surface.draw_text(Point::from_xy(x, at.1), font, *size, &text, false, TextDirection::Auto);
            }
        }
    }
}

fn trace(surface: &mut Surface, points: &[(f32, f32)], close: bool) {
    let Some(((x, y), rest)) = points.split_first() else { return };
    let mut path = PathBuilder::new();
    path.move_to(*x, *y);
    for (x, y) in rest {
        path.line_to(*x, *y);
    }
    if close {
        path.close();
    }
    if let Some(path) = path.finish() {
        surface.draw_path(&path);
    }
}

fn paint(ink: Ink) -> krilla::paint::Paint {
    let (r, g, b) = ink.rgb();
    rgb::Color::new(r, g, b).into()
}

fn fill(ink: Ink) -> Fill {
    Fill { paint: paint(ink), opacity: NormalizedF32::ONE, rule: krilla::paint::FillRule::default() }
}
