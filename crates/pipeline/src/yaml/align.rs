//! Maps a scalar's text back to where its characters stand in the source, through folding, quotes and escapes.
//! Only characters that are not blank are mapped: words are made of them (spec project-yaml.md 11).

use super::node::Style;
use crate::source::Range;

/// A stretch of text whose source has a known place.
#[derive(Debug, Clone, Copy)]
struct Run {
    text: usize,
    len: usize,
    source: usize,
    source_len: usize,
}

/// Where the characters of one scalar stand.
#[derive(Debug)]
pub(crate) struct Alignment {
    runs: Vec<Run>,
    whole: Range,
}

impl Alignment {
    /// The source range of a range of the text; blanks at its ends may be left out.
    pub(crate) fn range(&self, start: usize, end: usize) -> Range {
        let from = self.runs.get(self.runs.partition_point(|run| run.text + run.len <= start));
        let to = self.runs[..self.runs.partition_point(|run| run.text < end)].last();
        match (from, to) {
            (Some(from), Some(to)) if from.text < end && to.text + to.len > start => {
                (from.place(start.max(from.text), 0), to.place(end.min(to.text + to.len), to.source_len))
            }
            _ => self.whole,
        }
    }
}

impl Run {
    /// The source place of an offset in this run; an escape is never cut: `edge` is taken instead.
    fn place(&self, at: usize, edge: usize) -> usize {
        if self.len == self.source_len { self.source + (at - self.text) } else { self.source + edge }
    }
}

/// Aligns `text`, the value of the scalar at `whole`, with the source.
pub(crate) fn align(source: &str, whole: Range, style: Style, text: &str) -> Alignment {
    let written = source.get(whole.0..whole.1).unwrap_or_default();
    let (inner, offset) = match style {
        Style::Single | Style::Double => (written.get(1..).unwrap_or_default(), whole.0 + 1),
        Style::Plain | Style::Block => (written, whole.0),
    };
    if inner.starts_with(text) {
        let run = Run { text: 0, len: text.len(), source: offset, source_len: text.len() };
        return Alignment { runs: vec![run], whole };
    }
    let mut runs: Vec<Run> = Vec::new();
    let mut at = 0;
    let mut done = 0;
    if matches!(style, Style::Plain | Style::Block) {
        // Between blanks such values are written as they are read.
        while let Some((place, word)) = next_word(text, done) {
            let found = inner.len() - inner[at..].trim_start_matches(is_blank).len();
            if !inner[found..].starts_with(word) {
                break;
            }
            at = found + word.len();
            done = place + word.len();
            runs.push(Run { text: place, len: word.len(), source: offset + found, source_len: word.len() });
        }
    }
    for (place, c) in text.char_indices().filter(|&(place, c)| place >= done && !is_blank(c)) {
        let Some((found, len)) = next(inner, at, style, c) else { break };
        at = found + len;
        let here = Run { text: place, len: c.len_utf8(), source: offset + found, source_len: len };
        match runs.last_mut() {
            Some(last)
                if last.len == last.source_len
                    && here.len == here.source_len
                    && last.text + last.len == here.text
                    && last.source + last.source_len == here.source =>
            {
                last.len += here.len;
                last.source_len += here.source_len;
            }
            _ => runs.push(here),
        }
    }
    Alignment { runs, whole }
}

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r')
}

/// The next stretch without blanks, with its place.
fn next_word(text: &str, from: usize) -> Option<(usize, &str)> {
    let rest = text[from..].trim_start_matches(is_blank);
    let len = rest.bytes().position(|b| is_blank(char::from(b))).unwrap_or(rest.len());
    (len > 0).then(|| (text.len() - rest.len(), &rest[..len]))
}

/// Finds where the next character of the value is written: offset and length.
fn next(inner: &str, mut at: usize, style: Style, wanted: char) -> Option<(usize, usize)> {
    loop {
        let c = inner.get(at..)?.chars().next()?;
        if is_blank(c) {
            at += 1;
        } else if style == Style::Double && c == '\\' {
            let (value, len) = escape(&inner[at..])?;
            if value == Some(wanted) {
                return Some((at, len));
            }
            at += len;
        } else if c == wanted {
            let len = if style == Style::Single && c == '\'' { 2 } else { c.len_utf8() };
            return Some((at, len));
        } else {
            return None;
        }
    }
}

/// The character an escape of a double-quoted scalar stands for (`None` for a line continuation), and its length.
fn escape(text: &str) -> Option<(Option<char>, usize)> {
    let kind = text.get(1..)?.chars().next()?;
    let hex = |len: usize| {
        let code = u32::from_str_radix(text.get(2..2 + len)?, 16).ok()?;
        Some((char::from_u32(code), 2 + len))
    };
    match kind {
        'x' => hex(2),
        'u' => hex(4),
        'U' => hex(8),
        'e' => Some((Some('\u{1b}'), 2)),
        '0' => Some((Some('\0'), 2)),
        'a' => Some((Some('\u{7}'), 2)),
        'b' => Some((Some('\u{8}'), 2)),
        'v' => Some((Some('\u{b}'), 2)),
        'f' => Some((Some('\u{c}'), 2)),
        'N' => Some((Some('\u{85}'), 2)),
        '_' => Some((Some('\u{a0}'), 2)),
        'L' => Some((Some('\u{2028}'), 2)),
        'P' => Some((Some('\u{2029}'), 2)),
        '\n' | '\r' | 'n' | 'r' | 't' | '\t' | ' ' => Some((None, 2)),
        other => Some((Some(other), 1 + other.len_utf8())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn placed(source: &str, style: Style, text: &str, word: &str) -> String {
        let start = text.find(word).unwrap();
        let (from, to) = align(source, (0, source.len()), style, text).range(start, start + word.len());
        source[from..to].to_owned()
    }

    #[test]
    fn words_are_found_again() {
        assert_eq!(placed("a\n    b-c\n  d", Style::Plain, "a b-c d", "b-c"), "b-c");
        assert_eq!(placed("'it''s x'", Style::Single, "it's x", "it's"), "it''s");
        assert_eq!(placed(r#""a \"q\" \x41\nz""#, Style::Double, "a \"q\" A\nz", "A"), r"\x41");
        assert_eq!(placed(r#""a \"q\" \x41\nz""#, Style::Double, "a \"q\" A\nz", "\"q\""), r#"\"q\""#);
        assert_eq!(placed("\"ab\\\n   cd é\"", Style::Double, "abcd é", "é"), "é");
    }
}
