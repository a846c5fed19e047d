//! Draws the source lines of one diagnostic: number, border, text, underlines and their labels.
//! Spec project-yaml.md 11. One underline a row: two ranges on one line never share a row.

use std::ops::Range;

use unicode_width::UnicodeWidthStr;

use super::human::HumanOptions;
use super::source::{Source, window};
use super::style::{Style, paint};
use super::visible::visible;
use super::wrap::wrap;
use crate::{Severity, Span};

/// No more ranges than this are drawn of one diagnostic (a cycle may have 10,000 steps).
const MAX_MARKS: usize = 24;
/// Longer lines are cut, however wide the terminal (spec 11).
const MAX_LINE: usize = 200;

/// A range to underline.
pub(crate) struct Mark<'a> {
    pub(crate) span: Span,
    pub(crate) message: &'a str,
    pub(crate) primary: bool,
}

/// The characters of the drawing.
pub(crate) struct Marks {
    pub(crate) start: &'static str,
    pub(crate) border: &'static str,
    pub(crate) gap: &'static str,
}

impl Marks {
    pub(crate) fn of(options: &HumanOptions) -> Self {
        if options.ascii {
            Self { start: "-->", border: "|", gap: "." }
        } else {
            Self { start: "┌─", border: "│", gap: "·" }
        }
    }
}

/// Cells of the number column of these marks.
pub(crate) fn gutter(marks: &[Mark<'_>]) -> usize {
    let last = marks.iter().take(MAX_MARKS).map(|m| m.span.start.line).max().unwrap_or(1);
    last.max(1).ilog10() as usize + 1
}

/// Appends the drawn lines; returns how many marks were left out.
pub(crate) fn draw(
    out: &mut String,
    source: &Source<'_>,
    marks: &[Mark<'_>],
    severity: Severity,
    options: &HumanOptions,
) -> usize {
    let gutter = gutter(marks);
    let mut sorted: Vec<(usize, &Mark<'_>)> =
        marks.iter().take(MAX_MARKS).map(|m| (source.line_of(m.span.start.offset), m)).collect();
    sorted.sort_by_key(|(line, m)| (*line, m.span.start.offset, !m.primary));
    let mut previous = None;
    for group in sorted.chunk_by(|a, b| a.0 == b.0) {
        let line = group[0].0;
        if previous.is_some_and(|p: usize| p + 1 < line) {
            frame(out, gutter, "", Marks::of(options).gap, options);
            out.push('\n');
        }
        previous = Some(line);
        let pencil = Pencil { source, line, gutter, severity, options };
        pencil.line(out, group);
    }
    marks.len().saturating_sub(MAX_MARKS)
}

/// Number column and border, without a line end.
pub(crate) fn frame(out: &mut String, gutter: usize, number: &str, border: &str, options: &HumanOptions) {
    out.push_str(&paint(options.color, Style::Frame, &format!("{number:>gutter$} {border}")));
}

/// What is the same for all marks of a line.
struct Pencil<'a> {
    source: &'a Source<'a>,
    line: usize,
    gutter: usize,
    severity: Severity,
    options: &'a HumanOptions,
}

impl Pencil<'_> {
    /// The line, once for each window that its marks need, and the underlines below it.
    fn line(&self, out: &mut String, group: &[(usize, &Mark<'_>)]) {
        let text = self.source.line(self.line);
        let room = self.options.width.saturating_sub(self.gutter + 3);
        let limit = room.clamp(40, MAX_LINE);
        let number = group[0].1.span.start.line.to_string();
        let mut current = None;
        for (_, mark) in group {
            let range = self.source.within(self.line, mark.span.start.offset..mark.span.end.offset);
            if !current.as_ref().is_some_and(|w: &super::source::Window| w.shows(&range)) {
                let fresh = window(text, &range, limit, self.options.ascii);
                frame(out, self.gutter, &number, Marks::of(self.options).border, self.options);
                out.push_str(format!(" {}", fresh.text).trim_end());
                out.push('\n');
                current = Some(fresh);
            }
            if let Some(w) = &current {
                let (column, width) = w.place(text, &trimmed(text, range));
                self.underline(out, mark, column, width, room.max(40));
            }
        }
    }

    fn underline(&self, out: &mut String, mark: &Mark<'_>, column: usize, width: usize, room: usize) {
        let style = if mark.primary { Style::Severity(self.severity) } else { Style::Frame };
        let stroke = if mark.primary { "^" } else { "-" }.repeat(width);
        let mut label = visible(mark.message).into_owned();
        if mark.span.end.line > mark.span.start.line && mark.span.end.column > 1 {
            label = format!("{label} (up to line {})", mark.span.end.line).trim_start().to_owned();
        }
        let beside = room.saturating_sub(column + width + 1);
        let cells = label.width();
        let one_row = cells <= beside;
        let indent = " ".repeat(column + 1);
        frame(out, self.gutter, "", Marks::of(self.options).border, self.options);
        out.push_str(&indent);
        let first = if one_row && !label.is_empty() { format!("{stroke} {label}") } else { stroke };
        out.push_str(&paint(self.options.color, style, &first));
        out.push('\n');
        if one_row {
            return;
        }
        // A label that does not fit beside its underline goes below it, further left if the range is far right.
        let below = room.saturating_sub(column);
        let column = if below >= cells.min(40) { column } else { room.saturating_sub(cells.min(40)) };
        for row in wrap(&label, room.saturating_sub(column).max(20)) {
            frame(out, self.gutter, "", Marks::of(self.options).border, self.options);
            out.push_str(&" ".repeat(column + 1));
            out.push_str(&paint(self.options.color, style, &row));
            out.push('\n');
        }
    }
}

/// The range without blanks at its end (a value that goes on in the next line).
fn trimmed(line: &str, range: Range<usize>) -> Range<usize> {
    let kept = line[range.clone()].trim_end().len();
    if kept == 0 { range } else { range.start..range.start + kept }
}
