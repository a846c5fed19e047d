//! The form for people: message, place, underlined source, help. The example of spec project-yaml.md 11 is its shape.
//! Readable at 80 columns, plain ASCII where asked, colour only as an addition.

use super::fold::{Item, fold};
use super::snippet::{Mark, Marks, draw, frame, gutter};
use super::source::Source;
use super::style::{Style, paint};
use super::visible::visible;
use super::{severity_word, wrap};
use crate::{Diagnostic, Label, Severity};

/// A message is never longer than this on a terminal (spec cli.md 13).
const MAX_MESSAGE: usize = 4_000;
/// Positions in one list.
const MAX_LIST: usize = 20;

/// How to draw for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HumanOptions {
    /// Whether colour sequences are written.
    pub color: bool,
    /// Whether frames are drawn with ASCII characters only. Text of the file is shown as it is either way.
    pub ascii: bool,
    /// Cells of a line; prose is broken there, and source lines (of more than 200 characters at the latest) are cut.
    pub width: usize,
}

impl Default for HumanOptions {
    fn default() -> Self {
        Self { color: false, ascii: false, width: 80 }
    }
}

/// All diagnostics of one file for people, a blank line between them; empty when there are none.
///
/// `source` is the text of the file (decoded with replacement characters where it is not UTF-8) and `path` its name as
/// shown. Repeats of a code beyond five are folded, at most 200 messages shown, overlaps grouped (spec 6.3, 11).
pub fn human(source: &str, path: &str, diagnostics: &[Diagnostic], options: &HumanOptions) -> String {
    let page = Page { source: Source::new(source), path: visible(path).into_owned(), options };
    let (items, hidden) = fold(diagnostics);
    let mut blocks: Vec<String> = items.iter().map(|item| page.item(item)).collect();
    if hidden > 0 {
        blocks.push(format!("{hidden} more are not shown; `--format json` or `--format short` lists all of them\n"));
    }
    blocks.join("\n")
}

struct Page<'a> {
    source: Source<'a>,
    path: String,
    options: &'a HumanOptions,
}

impl Page<'_> {
    fn item(&self, item: &Item<'_>) -> String {
        match item {
            Item::Full(d) => self.full(d),
            Item::Repeats(list) => self.repeats(list),
            Item::Overlaps(list) => self.overlaps(list),
        }
    }

    fn full(&self, d: &Diagnostic) -> String {
        let mut out = self.header(d, d.severity, &d.message);
        let marks: Vec<Mark<'_>> = d
            .span
            .iter()
            .map(|&span| Mark { span, message: &d.label, primary: true })
            .chain(d.labels.iter().map(|l| Mark { span: l.span, message: &l.message, primary: false }))
            .collect();
        let gutter = gutter(&marks);
        self.locus(&mut out, gutter, d);
        let left_out = draw(&mut out, &self.source, &marks, d.severity, self.options);
        if left_out > 0 {
            self.note(&mut out, gutter, &format!("and {left_out} more places"));
        }
        self.help(&mut out, gutter, d);
        out
    }

    /// `error[P404]: message`
    fn header(&self, d: &Diagnostic, severity: Severity, message: &str) -> String {
        let head = format!("{}[{}]", severity_word(severity), d.code.0);
        let message: String = visible(message).chars().take(MAX_MESSAGE).collect();
        format!(
            "{}{}\n",
            paint(self.options.color, Style::Severity(severity), &head),
            paint(self.options.color, Style::Strong, &format!(": {message}"))
        )
    }

    /// `   ┌─ project.yaml:31:13`
    fn locus(&self, out: &mut String, gutter: usize, d: &Diagnostic) {
        let mut place = self.path.clone();
        if let Some(span) = d.span {
            place = format!("{place}:{}:{}", span.start.line, span.start.column);
        }
        frame(out, gutter, "", Marks::of(self.options).start, self.options);
        out.push_str(&format!(" {place}\n"));
    }

    fn help(&self, out: &mut String, gutter: usize, d: &Diagnostic) {
        if let Some(help) = &d.help {
            self.note(out, gutter, &format!("help: {help}"));
        } else {
            for fix in &d.fixes {
                self.note(out, gutter, &format!("help: {}", fix.title));
            }
        }
    }

    /// `   = help: …`, broken at the width, with what follows under its first word.
    fn note(&self, out: &mut String, gutter: usize, text: &str) {
        let rows = wrap(text, self.options.width.saturating_sub(gutter + 3).max(30));
        for (i, row) in rows.iter().enumerate() {
            if i == 0 {
                frame(out, gutter, "", "=", self.options);
                out.push(' ');
            } else {
                out.push_str(&" ".repeat(gutter + 3));
            }
            out.push_str(&visible(row));
            out.push('\n');
        }
    }

    fn repeats(&self, list: &[&Diagnostic]) -> String {
        let Some(first) = list.first() else { return String::new() };
        let mut out = self.header(first, first.severity, &format!("the same at {} more places", list.len()));
        self.locus(&mut out, 1, first);
        let mut text: Vec<String> = list.iter().take(MAX_LIST).map(|d| position(d)).collect();
        if list.len() > MAX_LIST {
            text.push(format!("and {} more", list.len() - MAX_LIST));
        }
        self.note(&mut out, 1, &format!("line:column {}", text.join(", ")));
        out
    }

    /// Near-identical globs are an old habit, so the pairs are one message (spec 6.3).
    fn overlaps(&self, list: &[&Diagnostic]) -> String {
        let Some(first) = list.first() else { return String::new() };
        let worst = list.iter().map(|d| d.severity).max().unwrap_or(first.severity);
        let lead = list.iter().find(|d| d.severity == worst).unwrap_or(first);
        let title = format!("{} pairs of output patterns in different actions overlap", list.len());
        let mut out = self.header(first, worst, &title);
        self.locus(&mut out, 1, lead);
        // All that one output has to do with earlier ones is one line.
        let groups: Vec<&[&Diagnostic]> = list.chunk_by(|a, b| a.span.is_some() && a.span == b.span).collect();
        for group in groups.iter().take(MAX_LIST) {
            self.note(&mut out, 1, &self.overlap(group));
        }
        if groups.len() > MAX_LIST {
            self.note(&mut out, 1, &format!("and {} more outputs", groups.len() - MAX_LIST));
        }
        self.help(&mut out, 1, lead);
        out
    }

    /// One output with the earlier ones that it overlaps: in full when there is one, otherwise as a list of places.
    fn overlap(&self, group: &[&Diagnostic]) -> String {
        let Some((first, rest)) = group.split_first() else { return String::new() };
        let mut text = format!("{}: {}", position(first), first.message);
        let places: Vec<String> =
            rest.iter().filter_map(|d| d.labels.first()).map(label_position).take(MAX_LIST).collect();
        if let Some((last, before)) = places.split_last() {
            let list = if before.is_empty() { last.clone() } else { format!("{} and {last}", before.join(", ")) };
            text.push_str(&format!(
                "; it also overlaps the {} at {list}",
                if before.is_empty() { "one" } else { "ones" }
            ));
        }
        text
    }
}

fn label_position(label: &Label) -> String {
    format!("{}:{}", label.span.start.line, label.span.start.column)
}

fn position(d: &Diagnostic) -> String {
    d.span.map_or_else(|| "whole file".to_owned(), |s| format!("{}:{}", s.start.line, s.start.column))
}
