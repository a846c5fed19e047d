//! Finds lines in the source text and cuts what is shown of them to a window around a range.
//! Bounded work per range: a line of 8 MiB costs no more than a short one (spec project-yaml.md 11).

use std::ops::Range;

use unicode_width::UnicodeWidthStr;

use super::visible::push_visible;

/// The source with the starts of its lines. LF, CRLF and CR end a line (spec 2).
pub(crate) struct Source<'a> {
    text: &'a str,
    starts: Vec<usize>,
}

/// A line, cut if need be, ready to print, and where the wanted range stands in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Window {
    /// The visible text with marks where it is cut.
    pub(crate) text: String,
    /// Bytes of the line that are shown, relative to its start.
    pub(crate) shown: Range<usize>,
    /// Cells before the first shown byte: those of the mark of the cut.
    lead: usize,
}

impl<'a> Source<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        let bytes = text.as_bytes();
        let mut starts = vec![0];
        for (i, &byte) in bytes.iter().enumerate() {
            if byte == b'\n' || (byte == b'\r' && bytes.get(i + 1) != Some(&b'\n')) {
                starts.push(i + 1);
            }
        }
        Self { text, starts }
    }

    /// The index of the line that holds an offset; offsets beyond the end belong to the last line.
    pub(crate) fn line_of(&self, offset: usize) -> usize {
        self.starts.partition_point(|&start| start <= offset).saturating_sub(1)
    }

    /// Where a line stands, without its end and without a byte order mark.
    pub(crate) fn line_range(&self, line: usize) -> Range<usize> {
        let start = self.starts.get(line).copied().unwrap_or(self.text.len());
        let end = self.starts.get(line + 1).copied().unwrap_or(self.text.len());
        let text = &self.text[start..end];
        let trimmed = text.trim_end_matches(['\n', '\r']).len();
        let mark = if line == 0 && text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        start + mark..start + trimmed.max(mark)
    }

    /// The text of a line.
    pub(crate) fn line(&self, line: usize) -> &'a str {
        &self.text[self.line_range(line)]
    }

    /// A range of the source as bytes of one line: clamped to it and moved to character borders.
    pub(crate) fn within(&self, line: usize, range: Range<usize>) -> Range<usize> {
        let bounds = self.line_range(line);
        let text = self.line(line);
        let place = |offset: usize| {
            let mut at = offset.clamp(bounds.start, bounds.end) - bounds.start;
            while !text.is_char_boundary(at) {
                at -= 1;
            }
            at
        };
        let start = place(range.start);
        start..place(range.end).max(start)
    }
}

/// What to show of a line so that `range` (bytes of the line) is in sight within `limit` cells.
pub(crate) fn window(line: &str, range: &Range<usize>, limit: usize, ascii: bool) -> Window {
    let mark = if ascii { "..." } else { "…" };
    let whole = take(line, 0, limit);
    if whole == line.len() {
        return Window { text: shown(line), shown: 0..line.len(), lead: 0 };
    }
    let room = limit.saturating_sub(2 * mark.width()).max(8);
    let wanted = cells(&line[range.start..take(line, range.start, room).min(range.end).max(range.start)]);
    // A third of what the range leaves free goes to what stands before it: the key it belongs to.
    let before = (room.saturating_sub(wanted) / 3).max(1);
    let mut start = take_back(line, range.start, before);
    let mut end = take(line, start, room);
    if end == line.len() {
        start = take_back(line, end, room);
    } else if start == 0 {
        // No mark at the front: its room goes to the end.
        end = take(line, 0, limit.saturating_sub(mark.width()).max(8));
    }
    let mut text = String::new();
    if start > 0 {
        text.push_str(mark);
    }
    let lead = text.width();
    text.push_str(&shown(&line[start..end]));
    if end < line.len() {
        text.push_str(mark);
    }
    Window { text, shown: start..end, lead }
}

impl Window {
    /// First cell and number of cells of a range (bytes of the line) in the printed text; at least one cell.
    pub(crate) fn place(&self, line: &str, range: &Range<usize>) -> (usize, usize) {
        let start = range.start.clamp(self.shown.start, self.shown.end);
        let end = range.end.clamp(start, self.shown.end);
        let column = self.lead + cells(&line[self.shown.start..start]);
        (column, cells(&line[start..end]).max(1))
    }

    /// Whether the beginning of the range is in sight.
    pub(crate) fn shows(&self, range: &Range<usize>) -> bool {
        self.shown.contains(&range.start) || range.start == self.shown.end
    }
}

/// The byte up to which text from `start` fills at most `limit` cells.
fn take(line: &str, start: usize, limit: usize) -> usize {
    let mut used = 0;
    for (i, c) in line[start..].char_indices() {
        used += cell(c);
        if used > limit {
            return start + i;
        }
    }
    line.len()
}

/// The byte from which text up to `end` fills at most `limit` cells.
fn take_back(line: &str, end: usize, limit: usize) -> usize {
    let mut used = 0;
    let mut start = end;
    for (i, c) in line[..end].char_indices().rev() {
        used += cell(c);
        if used > limit {
            break;
        }
        start = i;
    }
    start
}

fn shown(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    text.chars().for_each(|c| push_visible(&mut out, c));
    out
}

fn cells(text: &str) -> usize {
    text.chars().map(cell).sum()
}

/// Cells of one character in its visible form.
fn cell(c: char) -> usize {
    if c.is_ascii_graphic() || c == ' ' || c == '\t' {
        return 1;
    }
    let mut out = String::new();
    push_visible(&mut out, c);
    out.width()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_in_three_ways() {
        let source = Source::new("\u{feff}a\r\nbb\rc\n\nd");
        assert_eq!((0..5).map(|i| source.line(i)).collect::<Vec<_>>(), ["a", "bb", "c", "", "d"]);
        assert_eq!(source.line_of(3), 0);
        assert_eq!(source.line_of(6), 1);
        assert_eq!(source.line_of(999), 4);
        assert_eq!(source.within(1, 0..999), 0..2);
    }

    #[test]
    fn a_short_line_is_whole() {
        let w = window("a\tb", &(2..3), 10, true);
        assert_eq!((w.text.as_str(), w.place("a\tb", &(2..3))), ("a b", (2, 1)));
    }

    #[test]
    fn a_long_line_is_cut_around_the_range() {
        let line = format!("{}NEEDLE{}", "x".repeat(5000), "y".repeat(5000));
        let w = window(&line, &(5000..5006), 40, true);
        assert!(w.text.len() <= 40 && w.text.starts_with("...x") && w.text.ends_with("y..."), "{}", w.text);
        let (column, width) = w.place(&line, &(5000..5006));
        assert_eq!(&w.text[column..column + width], "NEEDLE");
    }

    #[test]
    fn a_window_at_an_end_of_the_line_is_full() {
        let line = format!("{}NEEDLE", "x".repeat(100));
        let w = window(&line, &(100..106), 40, true);
        assert_eq!(w.text, format!("...{}NEEDLE", "x".repeat(28)));
        let line = format!("NEEDLE{}", "x".repeat(100));
        let w = window(&line, &(0..6), 40, true);
        assert_eq!(w.text, format!("NEEDLE{}...", "x".repeat(31)));
    }

    #[test]
    fn wide_and_escaped_characters_keep_the_underline_in_place() {
        let line = "日\u{1b}x";
        let w = window(line, &(4..5), 40, false);
        assert_eq!((w.text.as_str(), w.place(line, &(4..5))), ("日\\u{1b}x", (8, 1)));
    }
}
