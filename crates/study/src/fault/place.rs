//! Finds what a fault is about in the Python source: the part of an expression, the argument, the name, or the call.
//! Spec study-definitions.md 13. Before Python 3.11 a call is known by its line only; then it is read up to its end.

use std::ops::Range;

use pipeline::{Position, Span};

use super::Fault;
use crate::functions::{Form, table};
use crate::recording::Source;

/// No call is followed further than this.
const LONGEST_CALL: usize = 256 * 1024;

/// Bytes of `text` that a fault is about, and whether its excerpt was found in them.
pub(super) fn find(lines: &Text, source: &Source, fault: &Fault) -> (Range<usize>, bool) {
    let text = lines.text();
    let call = call(lines, source);
    let arguments = arguments(text, &call);
    let named = |name: &str| arguments.iter().find(|a| a.name == Some(name));
    let given = |name: &str| named(name).or_else(|| positional(text, &call, &arguments, name));
    let argument = fault.argument.as_deref().and_then(given);
    let scope = argument.map_or(call.clone(), |argument| argument.all.clone());
    if let Some(excerpt) = fault.excerpt.as_deref().filter(|excerpt| !excerpt.is_empty())
        && let Some(at) = text.get(scope.clone()).and_then(|part| part.find(excerpt))
    {
        let start = scope.start + at;
        let (from, to) = fault.part.unwrap_or((0, excerpt.len()));
        let (from, to) = (from.min(excerpt.len()), to.min(excerpt.len()));
        // A place at the end of the expression is that of the closing quotation mark.
        let end = if from == to { (start + from + 1).min(call.end) } else { start + to };
        if text.is_char_boundary(start + from) && text.is_char_boundary(end) {
            return (start + from..end, true);
        }
    }
    let range = match argument {
        Some(argument) => argument.all.clone(),
        None => keyword(text, &call, fault).unwrap_or_else(|| first_line(text, call)),
    };
    (range, false)
}

/// An argument without its name, by its place in the function's signature.
fn positional<'a, 'b>(
    text: &str,
    call: &Range<usize>,
    arguments: &'b [Argument<'a>],
    name: &str,
) -> Option<&'b Argument<'a>> {
    let called = text.get(call.clone())?.split('(').next()?.rsplit('.').next()?.trim();
    let parameters = &table().called(called)?.parameters;
    let place = parameters.iter().position(|p| p.name == name && p.form == Form::Plain)?;
    arguments.get(place).filter(|_| arguments[..=place].iter().all(|argument| argument.name.is_none()))
}

/// The name before the call, when a fault is about the variable and not one of its arguments.
fn keyword(text: &str, call: &Range<usize>, fault: &Fault) -> Option<Range<usize>> {
    let name = fault.variable.as_deref().filter(|_| fault.argument.is_none())?;
    let before = text.get(..call.start)?.trim_end().strip_suffix('=')?.trim_end();
    let start = before.strip_suffix(name)?.len();
    Some(start..start + name.len())
}

fn first_line(text: &str, range: Range<usize>) -> Range<usize> {
    let part = text.get(range.clone()).unwrap_or_default();
    let length = part.find(['\n', '\r']).unwrap_or(part.len());
    range.start..range.start + part[..length].trim_end().len()
}

/// The bytes of a call.
fn call(lines: &Text, source: &Source) -> Range<usize> {
    let text = lines.text();
    let line = lines.range(source.line);
    if let Some(span) = source.span {
        let start = line.start + span.column as usize;
        let end = lines.range(span.end_line).start + span.end_column as usize;
        if start < end && end <= text.len() && text.is_char_boundary(start) && text.is_char_boundary(end) {
            return start..end;
        }
    }
    let indent = text.get(line.clone()).map_or(0, |l| l.len() - l.trim_start().len());
    let start = line.start + indent;
    let open = text.get(start..line.end).and_then(|l| l.find('(')).map(|at| start + at);
    let end = open.and_then(|open| closing(text, open)).unwrap_or(line.end);
    start..end.max(line.end)
}

/// The text of a file, with its lines.
#[derive(Debug, Clone)]
pub(super) struct Text {
    text: String,
    starts: Vec<usize>,
}

impl Text {
    pub(super) fn new(text: String) -> Self {
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let starts = [0].into_iter().chain(ends.map(|(at, _)| at + 1)).collect();
        Self { text, starts }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The bytes of a line (from 1), without its end; the end of the text for lines beyond it.
    fn range(&self, number: u32) -> Range<usize> {
        let index = number.max(1) as usize - 1;
        let start = self.starts.get(index).copied().unwrap_or(self.text.len());
        let end = self.starts.get(index + 1).copied().unwrap_or(self.text.len());
        start..start + self.text[start..end].trim_end().len()
    }

    /// The text of a line.
    pub(super) fn line(&self, number: u32) -> &str {
        &self.text[self.range(number)]
    }

    /// Bytes as lines and columns.
    pub(super) fn span(&self, range: Range<usize>) -> Span {
        Span { start: self.position(range.start), end: self.position(range.end) }
    }

    fn position(&self, offset: usize) -> Position {
        let line = self.starts.partition_point(|start| *start <= offset).max(1);
        let start = self.starts.get(line - 1).copied().unwrap_or(0);
        let column = self.text.get(start..offset).map_or(0, |before| before.chars().count()) + 1;
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Position { line: count(line), column: count(column), offset }
    }
}

/// One argument of a call.
struct Argument<'a> {
    name: Option<&'a str>,
    all: Range<usize>,
}

/// The arguments of the last call in a range such as `patients.sex(…)`: what stands in its outer parentheses.
fn arguments<'a>(text: &'a str, call: &Range<usize>) -> Vec<Argument<'a>> {
    let Some(open) = text.get(call.clone()).and_then(|part| part.find('(')).map(|at| call.start + at) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    let mut start = open + 1;
    let mut scan = Scan::new(text, open);
    while let Some((at, depth, byte)) = scan.next() {
        let ends = depth == 0 && byte == b')';
        if at >= call.end || ends || (depth == 1 && byte == b',') {
            found.extend(argument(text, start..at.min(call.end)));
            start = at + 1;
        }
        if at >= call.end || ends {
            break;
        }
    }
    found
}

fn argument(text: &str, range: Range<usize>) -> Option<Argument<'_>> {
    let part = text.get(range.clone())?;
    let start = range.start + (part.len() - part.trim_start().len());
    let trimmed = part.trim();
    if trimmed.is_empty() {
        return None;
    }
    let name = trimmed.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).and_then(|end| {
        let rest = trimmed[end..].trim_start();
        (rest.starts_with('=') && !rest.starts_with("==") && end > 0).then(|| &trimmed[..end])
    });
    Some(Argument { name, all: start..start + trimmed.len() })
}

/// The place just after the parenthesis that closes the one at `open`.
fn closing(text: &str, open: usize) -> Option<usize> {
    let mut scan = Scan::new(text, open);
    while let Some((at, depth, byte)) = scan.next() {
        if depth == 0 && byte == b')' {
            return Some(at + 1);
        }
    }
    None
}

/// Walks over Python from an opening parenthesis, past strings and comments; gives each byte with the depth after it.
struct Scan<'a> {
    bytes: &'a [u8],
    at: usize,
    end: usize,
    depth: usize,
}

impl<'a> Scan<'a> {
    fn new(text: &'a str, open: usize) -> Self {
        Self { bytes: text.as_bytes(), at: open, end: text.len().min(open + LONGEST_CALL), depth: 0 }
    }

    fn next(&mut self) -> Option<(usize, usize, u8)> {
        while self.at < self.end {
            let at = self.at;
            let byte = self.bytes[at];
            match byte {
                b'"' | b'\'' => self.skip_text(byte),
                b'#' => {
                    let rest = &self.bytes[at..self.end];
                    self.at += rest.iter().position(|b| *b == b'\n').unwrap_or(rest.len());
                }
                _ => {
                    match byte {
                        b'(' | b'[' | b'{' => self.depth += 1,
                        b')' | b']' | b'}' => self.depth = self.depth.saturating_sub(1),
                        _ => {}
                    }
                    self.at += 1;
                    return Some((at, self.depth, byte));
                }
            }
        }
        None
    }

    fn skip_text(&mut self, quote: u8) {
        let long = self.bytes[self.at..].starts_with(&[quote; 3]);
        self.at += if long { 3 } else { 1 };
        while self.at < self.end {
            let rest = &self.bytes[self.at..];
            if rest[0] == b'\\' {
                self.at += 2;
            } else if long && rest.starts_with(&[quote; 3]) {
                self.at += 3;
                return;
            } else if !long && (rest[0] == quote || rest[0] == b'\n') {
                self.at += 1;
                return;
            } else {
                self.at += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recording::SourceSpan;

    const TEXT: &str = "study = StudyDefinition(\n    bp=patients.with_these_clinical_events(\n        bp_codes,  # not, this)\n        on_or_after=\"2020-01-01\", returning = \"datum\",\n    ),\n    x=patients.satisfying(\"bp AND bmx > 30\"),\n)\n";

    fn shown(line: u32, span: Option<SourceSpan>, fault: &Fault) -> (&'static str, bool) {
        let source = Source { file: "a.py".to_owned(), line, span };
        let (range, exact) = find(&Text::new(TEXT.to_owned()), &source, fault);
        (&TEXT[range], exact)
    }

    #[test]
    fn arguments_are_found_with_and_without_columns() {
        let fault = Fault::new("SD202", "").argument("returning").variable("bp");
        let span = SourceSpan { column: 7, end_line: 5, end_column: 5 };
        assert_eq!(shown(2, Some(span), &fault), ("returning = \"datum\"", false));
        assert_eq!(shown(2, None, &fault), ("returning = \"datum\"", false));
        let first = Fault::new("SD202", "").argument("codelist");
        assert_eq!(shown(2, Some(span), &first).0, "bp_codes");
        let gone = Fault::new("SD202", "").argument("between");
        assert_eq!(shown(2, Some(span), &gone).0, "patients.with_these_clinical_events(");
        let name = Fault::new("SD102", "").variable("bp");
        assert_eq!(shown(2, Some(span), &name).0, "bp");
    }

    #[test]
    fn parts_of_expressions_are_found() {
        let fault = Fault::new("SD501", "").argument("expression").part("bp AND bmx > 30", 7..10);
        let span = SourceSpan { column: 6, end_line: 6, end_column: 44 };
        assert_eq!(shown(6, Some(span), &fault), ("bmx", true));
        assert_eq!(shown(6, None, &fault), ("bmx", true));
        let end = Fault::new("SD503", "").argument("expression").part("bp AND bmx > 30", 15..15);
        assert_eq!(shown(6, Some(span), &end), ("\"", true));
        let made = Fault::new("SD503", "").argument("expression").part("made by a loop", 0..4);
        assert_eq!(shown(6, Some(span), &made), ("\"bp AND bmx > 30\"", false));
        // Lines beyond the file do no harm.
        assert_eq!(shown(99, None, &made), ("", false));
    }

    proptest::proptest! {
        #[test]
        fn any_place_of_any_text_is_within_it(
            text in "[ a-zé=(),'\"#\\n\\\\.]{0,60}",
            line in 0_u32..6,
            span in proptest::option::of((0_u32..20, 0_u32..6, 0_u32..20)),
            argument in proptest::option::of("[a-z]{1,2}"),
            excerpt in proptest::option::of("[a-zé]{0,3}"),
        ) {
            let span = span.map(|(column, end_line, end_column)| SourceSpan { column, end_line, end_column });
            let source = Source { file: "a.py".to_owned(), line, span };
            let mut fault = Fault::new("SD501", "").variable("a");
            if let Some(argument) = argument {
                fault = fault.argument(&argument);
            }
            if let Some(excerpt) = excerpt {
                fault = fault.part(&excerpt, 0..excerpt.len());
            }
            let text = Text::new(text);
            let (range, _) = find(&text, &source, &fault);
            proptest::prop_assert!(text.text().get(range.clone()).is_some(), "{:?}", range);
            text.span(range);
        }
    }
}
