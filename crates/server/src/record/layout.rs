//! Puts a sheet on pages: headings, facts, tables that break over pages with their heads repeated, pictures. Each
//! piece knows its place in the reading order.

use super::drawing::{Anchor, Drawing, Ink, Mark};
use super::sheet::{Cell, Part, Sheet, Table, doses_kept};
use super::typeface::Typeface;
use krilla::geom::Rect;
use krilla::tagging::{ArtifactType, BBox, TableHeaderScope, Tag, TagKind};
use std::num::NonZeroU16;

/// A4 in points. What is printed also lies inside a Letter page, so that either paper takes it at full size.
pub(super) const PAGE: (f32, f32) = (595.0, 842.0);
const LEFT: f32 = 40.0;
const WIDTH: f32 = PAGE.0 - 2.0 * LEFT;
const TOP: f32 = 62.0;
const BOTTOM: f32 = 780.0;
const HEAD_AT: f32 = 46.0;
const FOOT_AT: f32 = 798.0;
const LETTERS: f32 = 7.6;
const LINE: f32 = 9.8;
const PAD: f32 = 3.0;

/// Marks on one page that belong together.
pub(super) struct Leaf {
    pub page: usize,
    pub marks: Vec<Mark>,
    /// Not part of what is read aloud: rules, repeated heads, page numbers.
    pub artifact: Option<ArtifactType>,
}

/// The reading order.
pub(super) enum Node {
    Group(TagKind, Vec<Node>),
    /// By its number.
    Leaf(usize),
}

/// A document on its pages.
pub(super) struct Pages {
    pub count: usize,
    pub leaves: Vec<Leaf>,
    pub tree: Vec<Node>,
    /// Title, page and height of each section.
    pub outline: Vec<(String, usize, f32)>,
}

/// Lays the sheet out.
pub(super) fn lay_out(sheet: &Sheet, face: &Typeface) -> Pages {
    let mut layout =
        Layout { face, leaves: Vec::new(), page: 0, y: TOP, tree: Vec::new(), outline: Vec::new() };
    layout.heading(1, &sheet.title, 14.0);
    for notice in &sheet.notices {
        layout.notice(notice);
    }
    for section in &sheet.sections {
        layout.keep(70.0);
        layout.y += 7.0;
        layout.outline.push((section.title.clone(), layout.page, layout.y));
        layout.heading(2, &section.title, 10.5);
        for part in &section.parts {
            layout.part(part);
        }
    }
    layout.finish(sheet)
}

struct Layout<'a> {
    face: &'a Typeface,
    leaves: Vec<Leaf>,
    page: usize,
    y: f32,
    tree: Vec<Node>,
    outline: Vec<(String, usize, f32)>,
}

/// A piece of a row: where it stands, what it says.
struct Piece {
    x: f32,
    lines: Vec<(String, bool)>,
    bold: bool,
    tag: TagKind,
}

/// Left edge, width, and the fact itself.
type PlacedFact<'a> = (f32, f32, &'a (String, String));

impl Layout<'_> {
    fn part(&mut self, part: &Part) {
        match part {
            Part::Words(words) => self.paragraph(words, false),
            Part::Facts(facts) => self.facts(facts),
            Part::Table(table) if table.rows.is_empty() => {
                self.paragraph(&format!("{}: {}", table.caption, table.empty), false);
            }
            Part::Table(table) => self.table(table),
            Part::Picture(drawing) => self.picture(drawing),
        }
    }

    /// Begins a page when less than this is left.
    fn keep(&mut self, height: f32) {
        if self.y + height > BOTTOM {
            self.turn();
        }
    }

    fn turn(&mut self) {
        self.page += 1;
        self.y = TOP;
    }

    fn leaf(&mut self, marks: Vec<Mark>, artifact: Option<ArtifactType>) -> Node {
        self.leaves.push(Leaf { page: self.page, marks, artifact });
        Node::Leaf(self.leaves.len() - 1)
    }

    /// Rules and grounds, which nobody reads aloud.
    fn ornament(&mut self, mark: Mark) {
        let _not_read = self.leaf(vec![mark], Some(ArtifactType::Layout));
    }

    fn heading(&mut self, level: u16, words: &str, size: f32) {
        let mut lines = Vec::new();
        for line in self.face.lines(&self.said(words), size, true, WIDTH) {
            self.y += size * 1.25;
            let mark = words_at((LEFT, self.y), size, true, line);
            lines.push(self.leaf(vec![mark], None));
        }
        self.y += 3.0;
        let level = NonZeroU16::new(level).unwrap_or(NonZeroU16::MIN);
        self.tree.push(Node::Group(Tag::Hn(level, Some(words.to_owned())).into(), lines));
    }

    /// A frame around words that a reader must not miss.
    fn notice(&mut self, words: &str) {
        let lines = self.face.lines(&self.said(words), LETTERS + 1.0, true, WIDTH - 4.0 * PAD).len();
        let height = f32::from(u16::try_from(lines).unwrap_or(u16::MAX)) * (LINE + 1.0) + 2.0 * PAD;
        self.keep(height + 4.0);
        self.y += 3.0;
        let (top, bottom) = (self.y, self.y + height);
        let corners = [(LEFT, top), (LEFT + WIDTH, top), (LEFT + WIDTH, bottom), (LEFT, bottom), (LEFT, top)];
        self.ornament(Mark::Path { points: corners.to_vec(), ink: Ink::Black, width: 1.2, dashed: false });
        let mut said = Vec::new();
        for line in self.face.lines(&self.said(words), LETTERS + 1.0, true, WIDTH - 4.0 * PAD) {
            self.y += LINE + 1.0;
            said.push(self.leaf(vec![words_at((LEFT + 2.0 * PAD, self.y), LETTERS + 1.0, true, line)], None));
        }
        self.y = bottom;
        self.tree.push(Node::Group(Tag::P.into(), said));
    }

    fn paragraph(&mut self, words: &str, bold: bool) {
        let mut lines = Vec::new();
        self.y += 2.0;
        for line in self.face.lines(&self.said(words), LETTERS, bold, WIDTH) {
            self.keep(LINE);
            self.y += LINE;
            lines.push(self.leaf(vec![words_at((LEFT, self.y), LETTERS, bold, line)], None));
        }
        self.y += 2.0;
        self.tree.push(Node::Group(Tag::P.into(), lines));
    }

    /// Two facts a line where both are short, one where they are long.
    fn facts(&mut self, facts: &[(String, String)]) {
        const LABEL: f32 = 92.0;
        let half = WIDTH / 2.0;
        let short =
            |value: &String| self.face.width(&self.said(value), LETTERS, false) < half - LABEL - 2.0 * PAD;
        let mut rows: Vec<Vec<PlacedFact<'_>>> = Vec::new();
        let mut waiting = false;
        for fact in facts {
            match rows.last_mut().filter(|_| waiting && short(&fact.1)) {
                Some(row) => {
                    row.push((LEFT + half, half, fact));
                    waiting = false;
                }
                None => {
                    waiting = short(&fact.1);
                    rows.push(vec![(LEFT, if waiting { half } else { WIDTH }, fact)]);
                }
            }
        }
        let mut body = Vec::new();
        for row in rows {
            let mut pieces = Vec::new();
            for (x, width, (label, value)) in row {
                let scope = Tag::TH(TableHeaderScope::Row).into();
                pieces.push(self.piece(x, LABEL, &label.as_str().into(), true, scope));
                pieces.push(self.piece(
                    x + LABEL,
                    width - LABEL,
                    &value.as_str().into(),
                    false,
                    Tag::TD.into(),
                ));
            }
            self.row(pieces, &mut body, None);
        }
        self.y += 3.0;
        self.tree.push(Node::Group(Tag::Table.into(), vec![Node::Group(Tag::TBody.into(), body)]));
    }

    fn piece(&self, x: f32, width: f32, cell: &Cell, bold: bool, tag: TagKind) -> Piece {
        let room = width - 2.0 * PAD;
        let wrapped = |words: &str, struck: bool| {
            let lines = self.face.lines(&self.said(words), LETTERS, bold, room);
            lines.into_iter().map(move |line| (line, struck)).collect::<Vec<_>>()
        };
        let lines = if cell.struck.is_empty() {
            wrapped(&cell.text, false)
        } else {
            let mut lines = wrapped(&cell.struck, true);
            if !cell.text.is_empty() {
                lines.extend(wrapped(&format!("now: {}", cell.text), false));
            }
            lines
        };
        Piece { x: x + PAD, lines, bold, tag }
    }

    fn table(&mut self, table: &Table) {
        let columns = columns(table);
        let head: Vec<Piece> = columns
            .iter()
            .zip(&table.heads)
            .map(|((x, width), (head, _))| {
                let scope = Tag::TH(TableHeaderScope::Column).into();
                self.piece(*x, *width, &head.as_str().into(), true, scope)
            })
            .collect();
        let first_row = table.rows.first().map_or(0.0, |row| row_height(&self.pieces(row, &columns)));
        // Caption, heads and the first row stay together.
        self.keep((row_height(&head) + first_row.min(200.0) + 2.0 * LINE).min(BOTTOM - TOP));
        self.y += 5.0 + LINE;
        let caption = words_at((LEFT, self.y), LETTERS, true, self.said(&table.caption));
        let caption = self.leaf(vec![caption], None);
        self.y += 2.0;
        let mut head_rows = Vec::new();
        self.shade(row_height(&head));
        self.row(head, &mut head_rows, None);
        let mut body = Vec::new();
        for row in &table.rows {
            let pieces = self.pieces(row, &columns);
            self.row(pieces, &mut body, Some((table, &columns)));
        }
        self.y += 4.0;
        let children = vec![
            Node::Group(Tag::Caption.into(), vec![caption]),
            Node::Group(Tag::THead.into(), head_rows),
            Node::Group(Tag::TBody.into(), body),
        ];
        self.tree.push(Node::Group(Tag::Table.into(), children));
    }

    fn pieces(&self, row: &[Cell], columns: &[(f32, f32)]) -> Vec<Piece> {
        row.iter()
            .zip(columns)
            .enumerate()
            .map(|(n, (cell, (x, width)))| {
                let tag = if n == 0 { Tag::TH(TableHeaderScope::Row).into() } else { Tag::TD.into() };
                self.piece(*x, *width, cell, false, tag)
            })
            .collect()
    }

    /// Sets a row. One that does not fit goes whole to the next page; one that is longer than a page is divided.
    fn row(&mut self, pieces: Vec<Piece>, into: &mut Vec<Node>, heads: Option<(&Table, &Vec<(f32, f32)>)>) {
        let total = pieces.iter().map(|piece| piece.lines.len()).max().unwrap_or(1).max(1);
        let mut said: Vec<Vec<Node>> = pieces.iter().map(|_| Vec::new()).collect();
        let mut done = 0;
        while done < total {
            let whole_page = lines_in(BOTTOM - TOP - 4.0 * LINE);
            let left = total - done;
            if left > lines_in(BOTTOM - self.y) && (left <= whole_page || lines_in(BOTTOM - self.y) < 3) {
                self.turn();
                if let Some((table, columns)) = heads {
                    self.repeat_heads(table, columns);
                }
            }
            let now = left.min(lines_in(BOTTOM - self.y).max(1));
            for (piece, said) in pieces.iter().zip(&mut said) {
                let marks = self.cell_marks(piece, done, now);
                if !marks.is_empty() {
                    said.push(self.leaf(marks, None));
                }
            }
            self.y += height_of(now);
            done += now;
        }
        let rule = vec![(LEFT, self.y), (LEFT + WIDTH, self.y)];
        self.ornament(Mark::Path { points: rule, ink: Ink::GridStrong, width: 0.4, dashed: false });
        let cells = pieces.into_iter().zip(said).map(|(piece, said)| Node::Group(piece.tag, said)).collect();
        into.push(Node::Group(Tag::TR.into(), cells));
    }

    fn cell_marks(&self, piece: &Piece, from: usize, count: usize) -> Vec<Mark> {
        let mut marks = Vec::new();
        let mut y = self.y + PAD - 1.0;
        for (line, struck) in piece.lines.iter().skip(from).take(count) {
            y += LINE;
            if line.is_empty() {
                continue;
            }
            marks.push(words_at((piece.x, y - 2.0), LETTERS, piece.bold, line.clone()));
            if *struck {
                let right = piece.x + self.face.width(line, LETTERS, piece.bold);
                let points = vec![(piece.x, y - 4.8), (right, y - 4.8)];
                marks.push(Mark::Path { points, ink: Ink::Black, width: 0.8, dashed: false });
            }
        }
        marks
    }

    fn shade(&mut self, height: f32) {
        let (top, bottom) = (self.y, self.y + height);
        let points = vec![(LEFT, top), (LEFT + WIDTH, top), (LEFT + WIDTH, bottom), (LEFT, bottom)];
        self.ornament(Mark::Area { points, ink: Ink::Ground });
    }

    fn repeat_heads(&mut self, table: &Table, columns: &[(f32, f32)]) {
        let heads: Vec<Cell> = table.heads.iter().map(|(head, _)| head.as_str().into()).collect();
        let mut pieces = self.pieces(&heads, columns);
        pieces.iter_mut().for_each(|piece| piece.bold = true);
        let height = row_height(&pieces);
        self.shade(height);
        for piece in &pieces {
            let marks = self.cell_marks(piece, 0, piece.lines.len());
            let _repeated = self.leaf(marks, Some(ArtifactType::PaginationOther));
        }
        self.y += height;
    }

    fn picture(&mut self, drawing: &Drawing) {
        let scale = WIDTH / drawing.width;
        let height = drawing.height * scale;
        self.keep(height);
        let (x, y) = (LEFT, self.y);
        let marks = drawing.marks.iter().map(|mark| mark.placed((x, y), scale)).collect();
        let leaf = self.leaf(marks, None);
        self.y += height + 4.0;
        let alt = format!("{}. {}", drawing.title, drawing.words);
        let bbox = Rect::from_xywh(x, y, WIDTH, height).map(|rect| BBox::new(self.page, rect));
        let figure = Tag::Figure(Some(alt)).with_bbox(bbox);
        self.tree.push(Node::Group(figure.into(), vec![leaf]));
    }

    /// As printed: doses kept together, letters that the font lacks named.
    fn said(&self, words: &str) -> String {
        self.face.printable(&doses_kept(words))
    }

    fn finish(mut self, sheet: &Sheet) -> Pages {
        let count = self.page + 1;
        let (head, foot) = (self.said(&sheet.running_head), self.said(&sheet.running_foot));
        for page in 0..count {
            self.page = page;
            let number = format!("Page {} of {count}", page + 1);
            let number = Mark::Text {
                at: (LEFT + WIDTH, FOOT_AT),
                size: LETTERS,
                anchor: Anchor::End,
                ink: Ink::Black,
                bold: false,
                text: number,
            };
            let head =
                vec![words_at((LEFT, HEAD_AT), LETTERS + 0.6, true, head.clone()), rule(HEAD_AT + 4.0)];
            self.leaf(head, Some(ArtifactType::Header));
            self.leaf(
                vec![rule(FOOT_AT - 9.0), words_at((LEFT, FOOT_AT), LETTERS, false, foot.clone()), number],
                Some(ArtifactType::Footer),
            );
        }
        Pages { count, leaves: self.leaves, tree: self.tree, outline: self.outline }
    }
}

fn columns(table: &Table) -> Vec<(f32, f32)> {
    let mut x = LEFT;
    let column = |(_, share): &(String, u8)| {
        let width = WIDTH * f32::from(*share) / 100.0;
        x += width;
        (x - width, width)
    };
    table.heads.iter().map(column).collect()
}

#[expect(clippy::cast_precision_loss, reason = "a page has few lines")]
fn height_of(lines: usize) -> f32 {
    lines as f32 * LINE + PAD
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a page has few lines, and below none is none"
)]
fn lines_in(height: f32) -> usize {
    ((height - PAD) / LINE).floor().max(0.0) as usize
}

fn row_height(pieces: &[Piece]) -> f32 {
    height_of(pieces.iter().map(|piece| piece.lines.len()).max().unwrap_or(1))
}

fn words_at(at: (f32, f32), size: f32, bold: bool, text: String) -> Mark {
    Mark::Text { at, size, anchor: Anchor::Start, ink: Ink::Black, bold, text }
}

fn rule(y: f32) -> Mark {
    Mark::Path { points: vec![(LEFT, y), (LEFT + WIDTH, y)], ink: Ink::Black, width: 0.6, dashed: false }
}
