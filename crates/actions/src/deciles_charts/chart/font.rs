//! DejaVu Sans, shipped with the program: how long words are, and their outlines.
//! No font of the machine is used, so a chart is the same everywhere (actions.md 6.4).

use ttf_parser::{Face, GlyphId, OutlineBuilder};

static BYTES: &[u8] = include_bytes!("../../../fonts/DejaVuSans.ttf");

/// What words take above and below their base line, in sizes: from the top of `l` to the foot of `p`.
pub(super) const ASCENT: f64 = 0.765;
pub(super) const DESCENT: f64 = 0.235;
/// How tall digits and capitals are.
pub(super) const CAPITALS: f64 = 0.729;

/// The font, ready to use.
pub(super) struct Font(Face<'static>);

impl Font {
    #[allow(clippy::expect_used, reason = "the bytes are a constant of the program, and every test reads them")]
    pub(super) fn new() -> Self {
        Self(Face::parse(BYTES, 0).expect("the shipped font is a font"))
    }

    fn unit(&self) -> f64 {
        f64::from(self.0.units_per_em())
    }

    /// Each glyph of a text with where it starts, and where the text ends, in sizes.
    fn glyphs(&self, text: &str) -> (Vec<(GlyphId, f64)>, f64) {
        let (mut at, mut last) = (0.0, None);
        let mut glyphs = Vec::new();
        for c in text.chars() {
            let glyph = self.0.glyph_index(c).unwrap_or_default();
            at += last.map_or(0.0, |last| self.kerning(last, glyph));
            glyphs.push((glyph, at));
            at += f64::from(self.0.glyph_hor_advance(glyph).unwrap_or_default()) / self.unit();
            last = Some(glyph);
        }
        (glyphs, at)
    }

    fn kerning(&self, left: GlyphId, right: GlyphId) -> f64 {
        let tables = self.0.tables().kern.into_iter().flat_map(|kern| kern.subtables);
        let found = tables.filter(|table| table.horizontal).find_map(|table| table.glyphs_kerning(left, right));
        found.map_or(0.0, |units| f64::from(units) / self.unit())
    }

    /// How long a line of words is at a size.
    pub(super) fn length(&self, text: &str, size: f64) -> f64 {
        self.glyphs(text).1 * size
    }

    /// Draws the outlines of a text at a size; the base line starts at (0, 0), y grows downwards.
    pub(super) fn outline(&self, text: &str, size: f64, to: &mut dyn OutlineBuilder) {
        let scale = size / self.unit();
        for (glyph, at) in self.glyphs(text).0 {
            self.0.outline_glyph(glyph, &mut Placed { to, x: at * size, scale });
        }
    }
}

/// Moves a glyph to its place.
struct Placed<'a> {
    to: &'a mut dyn OutlineBuilder,
    x: f64,
    scale: f64,
}

#[allow(clippy::cast_possible_truncation, reason = "pictures are drawn in single precision")]
impl Placed<'_> {
    fn at(&self, x: f32, y: f32) -> (f32, f32) {
        ((self.x + f64::from(x) * self.scale) as f32, (-f64::from(y) * self.scale) as f32)
    }
}

impl OutlineBuilder for Placed<'_> {
    fn move_to(&mut self, x: f32, y: f32) {
        let (x, y) = self.at(x, y);
        self.to.move_to(x, y);
    }

    fn line_to(&mut self, x: f32, y: f32) {
        let (x, y) = self.at(x, y);
        self.to.line_to(x, y);
    }

    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        let ((x1, y1), (x, y)) = (self.at(x1, y1), self.at(x, y));
        self.to.quad_to(x1, y1, x, y);
    }

    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        let ((x1, y1), (x2, y2), (x, y)) = (self.at(x1, y1), self.at(x2, y2), self.at(x, y));
        self.to.curve_to(x1, y1, x2, y2, x, y);
    }

    fn close(&mut self) {
        self.to.close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Advances of DejaVu Sans, in 2048ths: digits 1303, full stop 651.
    #[test]
    fn lengths_are_sums_of_advances() {
        let font = Font::new();
        assert_eq!(font.length("0", 2048.0), 1303.0);
        assert_eq!(font.length("0.50", 2048.0), 3.0 * 1303.0 + 651.0);
        assert_eq!(font.length("", 12.0), 0.0);
        assert!(font.length("AV", 2048.0) < font.length("A", 2048.0) + font.length("V", 2048.0), "kerned");
        assert!(font.length("\u{10ffff}", 12.0) > 0.0, "what the font lacks is a box");
    }
}
