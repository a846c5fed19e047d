//! The text of a file and the way from byte offsets to lines and columns.
//! Positions are worked out only for what is shown, in constant time per position (spec project-yaml.md 11, 16).

use crate::{Position, Span};

/// Bytes between two checkpoints of the character count.
const STEP: usize = 256;

/// Offsets of a range in the text, byte order mark not counted.
pub(crate) type Range = (usize, usize);

/// A text with its line starts. Offsets are into `text`; positions count the byte order mark as bytes, not as a column.
#[derive(Debug)]
pub(crate) struct Source<'a> {
    text: &'a str,
    /// Bytes of a byte order mark before `text`.
    skipped: usize,
    lines: Vec<usize>,
    /// Characters before byte `i * STEP` (rounded up to a character border); empty for ASCII, where both are equal.
    checkpoints: Vec<usize>,
}

impl<'a> Source<'a> {
    /// Indexes a text that is already known to be UTF-8.
    pub(crate) fn new(text: &'a str) -> Self {
        let (text, skipped) = match text.strip_prefix('\u{feff}') {
            Some(rest) => (rest, 3),
            None => (text, 0),
        };
        let bytes = text.as_bytes();
        let mut lines = Vec::with_capacity(bytes.len() / 32 + 1);
        lines.push(0);
        if text.contains('\r') {
            for (i, &b) in bytes.iter().enumerate() {
                if b == b'\n' || (b == b'\r' && bytes.get(i + 1) != Some(&b'\n')) {
                    lines.push(i + 1);
                }
            }
        } else {
            lines.extend(text.match_indices('\n').map(|(i, _)| i + 1));
        }
        let mut checkpoints = Vec::new();
        if !text.is_ascii() {
            let mut chars = 0;
            for (i, &b) in bytes.iter().enumerate() {
                if i % STEP == 0 {
                    checkpoints.push(chars);
                }
                chars += usize::from(is_char_start(b));
            }
        }
        Self { text, skipped, lines, checkpoints }
    }

    /// The text without a byte order mark.
    pub(crate) fn text(&self) -> &'a str {
        self.text
    }

    /// How many characters stand before a byte offset.
    fn chars_before(&self, offset: usize) -> usize {
        if self.checkpoints.is_empty() {
            return offset;
        }
        let slot = (offset / STEP).min(self.checkpoints.len() - 1);
        let between = &self.text.as_bytes()[slot * STEP..offset];
        self.checkpoints[slot] + between.iter().filter(|&&b| is_char_start(b)).count()
    }

    /// The byte offset of the character with this number.
    pub(crate) fn offset_of_char(&self, index: usize) -> usize {
        if self.checkpoints.is_empty() {
            return index.min(self.text.len());
        }
        let slot = self.checkpoints.partition_point(|&c| c <= index).saturating_sub(1);
        let mut left = index - self.checkpoints[slot];
        for (i, &b) in self.text.as_bytes()[slot * STEP..].iter().enumerate() {
            if is_char_start(b) {
                if left == 0 {
                    return slot * STEP + i;
                }
                left -= 1;
            }
        }
        self.text.len()
    }

    /// The number of the line, from 0, in which an offset lies.
    pub(crate) fn line_of(&self, offset: usize) -> usize {
        self.lines.partition_point(|&start| start <= offset).saturating_sub(1)
    }

    /// The number of lines.
    pub(crate) fn line_count(&self) -> usize {
        self.lines.len()
    }

    /// The range of a line, from 0, without its line end.
    pub(crate) fn line_range(&self, line: usize) -> Range {
        let Some(&start) = self.lines.get(line) else { return (self.text.len(), self.text.len()) };
        let end = self.lines.get(line + 1).copied().unwrap_or(self.text.len());
        (start, start + self.text[start..end].trim_end_matches(['\n', '\r']).len())
    }

    /// The text of a line, from 0, without its line end.
    pub(crate) fn line(&self, line: usize) -> &'a str {
        let (start, end) = self.line_range(line);
        &self.text[start..end]
    }

    /// Line and column of an offset.
    pub(crate) fn position(&self, offset: usize) -> Position {
        let offset = offset.min(self.text.len());
        self.position_in(self.line_of(offset), offset)
    }

    fn position_in(&self, line: usize, offset: usize) -> Position {
        let column = self.chars_before(offset) - self.chars_before(self.lines[line]);
        Position { line: narrow(line + 1), column: narrow(column + 1), offset: offset + self.skipped }
    }

    /// A range of offsets as positions.
    pub(crate) fn span(&self, range: Range) -> Span {
        let start = range.0.min(self.text.len());
        let end = range.1.clamp(start, self.text.len());
        let line = self.line_of(start);
        // Most ranges lie within one line.
        let same = self.lines.get(line + 1).is_none_or(|&next| end < next);
        let end = if same { self.position_in(line, end) } else { self.position(end) };
        Span { start: self.position_in(line, start), end }
    }
}

/// Whether a byte begins a character of UTF-8.
fn is_char_start(byte: u8) -> bool {
    byte & 0xC0 != 0x80
}

/// Files are at most 8 MiB, so no count is cut.
fn narrow(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str, offset: usize) -> (u32, u32) {
        let p = Source::new(text).position(offset);
        (p.line, p.column)
    }

    #[test]
    fn columns_count_characters() {
        assert_eq!(at("é: b\nc", 4), (1, 4));
        assert_eq!(at("é: b\nc", 6), (2, 1));
        assert_eq!(at("a\r\nb\rc", 3), (2, 1));
        assert_eq!(at("a\r\nb\rc", 5), (3, 1));
    }

    #[test]
    fn long_lines_are_counted_from_checkpoints() {
        let text = "é".repeat(1000);
        assert_eq!(at(&text, 1600), (1, 801));
        assert_eq!(Source::new(&text).offset_of_char(801), 1602);
        assert_eq!(Source::new(&text).offset_of_char(5000), 2000);
    }

    #[test]
    fn byte_order_mark_counts_as_bytes_only() {
        let source = Source::new("\u{feff}ab");
        assert_eq!(source.position(1), Position { line: 1, column: 2, offset: 4 });
    }
}
