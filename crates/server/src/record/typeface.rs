//! The letters of the printed record: which there are, and how wide.

use ttf_parser::Face;

/// DejaVu Sans Condensed, which is narrow and knows most scripts. Its licence text stands beside this file.
pub(crate) struct Typeface {
    regular: Face<'static>,
    bold: Face<'static>,
}

impl Typeface {
    /// Reads the embedded fonts; `None` when they cannot be read.
    pub fn embedded() -> Option<Self> {
        Some(Self { regular: Face::parse(regular(), 0).ok()?, bold: Face::parse(bold(), 0).ok()? })
    }

    /// The letters themselves.
    pub fn face(&self, is_bold: bool) -> &Face<'static> {
        if is_bold { &self.bold } else { &self.regular }
    }

    /// Width of a text in the unit of `size`.
    pub fn width(&self, text: &str, size: f32, is_bold: bool) -> f32 {
        let face = self.face(is_bold);
        let advance =
            |letter| face.glyph_index(letter).and_then(|glyph| face.glyph_hor_advance(glyph)).unwrap_or(0);
        let units: u32 = text.chars().map(|letter| u32::from(advance(letter))).sum();
        #[expect(clippy::cast_precision_loss, reason = "widths of lines are small numbers")]
        let units = units as f32;
        units * size / f32::from(face.units_per_em())
    }

    /// The text with every letter that the fonts lack named by its code, so that nothing vanishes from a record.
    pub fn printable(&self, text: &str) -> String {
        let mut shown = String::with_capacity(text.len());
        for letter in text.chars() {
            let letter = if letter.is_whitespace() && letter != '\u{a0}' { ' ' } else { letter };
            if self.regular.glyph_index(letter).is_some()
                && self.bold.glyph_index(letter).is_some()
                && !letter.is_control()
            {
                shown.push(letter);
            } else {
                shown.push_str(&format!("[U+{:04X}]", u32::from(letter)));
            }
        }
        shown
    }

    /// Lines that are no wider than `width`. A line breaks at spaces alone; a word that is wider breaks where it must.
    pub fn lines(&self, text: &str, size: f32, is_bold: bool, width: f32) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        let mut line = String::new();
        for word in text.split(' ') {
            let longer = if line.is_empty() { word.to_owned() } else { format!("{line} {word}") };
            if self.width(&longer, size, is_bold) <= width {
                line = longer;
                continue;
            }
            if !line.is_empty() {
                lines.push(std::mem::take(&mut line));
            }
            line = self.break_word(word, size, is_bold, width, &mut lines);
        }
        lines.push(line);
        lines
    }

    /// Puts full lines of a too long word away and gives what is left of it.
    fn break_word(
        &self,
        word: &str,
        size: f32,
        is_bold: bool,
        width: f32,
        lines: &mut Vec<String>,
    ) -> String {
        let mut rest = String::new();
        for letter in word.chars() {
            rest.push(letter);
            if self.width(&rest, size, is_bold) > width && rest.chars().count() > 1 {
                rest.pop();
                lines.push(std::mem::take(&mut rest));
                rest.push(letter);
            }
        }
        rest
    }
}

pub(super) fn regular() -> &'static [u8] {
    dejavu::sans_condensed::regular()
}

pub(super) fn bold() -> &'static [u8] {
    dejavu::sans_condensed::bold()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_fit_and_lose_nothing() {
        let face = Typeface::embedded().expect("the fonts");
        let text = "Delivered 30.8\u{a0}mg in 15.4\u{a0}mL, as the pump counted, and averyveryverylongwordwithoutanyspace";
        for width in [30.0, 80.0, 400.0] {
            let lines = face.lines(text, 8.0, false, width);
            assert!(lines.iter().all(|line| face.width(line, 8.0, false) <= width), "{width}: {lines:?}");
            let letters = |text: &str| text.chars().filter(|c| *c != ' ').collect::<String>();
            assert_eq!(letters(&lines.concat()), letters(text));
        }
        let lines = face.lines(text, 8.0, false, 80.0);
        assert!(lines.iter().any(|line| line.contains("30.8\u{a0}mg")), "a dose is never cut: {lines:?}");
    }

    #[test]
    fn a_letter_that_the_font_lacks_is_named() {
        let face = Typeface::embedded().expect("the fonts");
        assert_eq!(face.printable("Łukasz Ünlü Ωμέγα 王\n≥"), "Łukasz Ünlü Ωμέγα [U+738B] ≥");
    }
}
