//! A fault of project.yaml with its place: the line, the text that is meant underlined, what was expected, the likely fix.
//! Spec site.md 7.2; the words are those of `pipeline`, as `cloister check` prints them.

use pipeline::{Applicability, Diagnostic, Severity, Span};
use schemars::JsonSchema;
use serde::Serialize;

/// Characters of a line that are shown around what is meant.
const SHOWN: usize = 160;

/// One fault, or one remark, as pages and the API show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "ProjectFault")]
pub struct Fault {
    /// Its code, such as `P404`.
    pub code: &'static str,
    /// Whether it blocks: `error`, else `warning` or `note`.
    pub severity: &'static str,
    /// From 1; none for the file as a whole.
    pub line: Option<u32>,
    /// From 1, in characters.
    pub column: Option<u32>,
    /// What is wrong.
    pub message: String,
    /// What stands there, in a few words.
    pub label: String,
    /// What was expected, what to do.
    pub help: Option<String>,
    /// The likely fixes, as orders.
    pub fixes: Vec<Mend>,
    /// The line in three parts, the middle one to be underlined.
    pub text: Option<Marked>,
    /// Other places that belong to it: line, and what stands there.
    pub others: Vec<(u32, String)>,
    /// The action it belongs to.
    pub action: Option<String>,
}

/// A way to mend a fault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Mend {
    /// What to do.
    pub title: String,
    /// Whether `cloister check --fix` does it by itself.
    pub sure: bool,
}

/// A line of the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Marked {
    /// Before what is meant.
    pub before: String,
    /// What is meant; empty where something is missing.
    pub marked: String,
    /// Behind it.
    pub after: String,
}

/// All of these, in order of position.
pub fn faults(text: &str, diagnostics: &[Diagnostic]) -> Vec<Fault> {
    let lines: Vec<&str> = text.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line)).collect();
    let mut ordered: Vec<&Diagnostic> = diagnostics.iter().collect();
    ordered.sort_by_key(|found| (found.span.map(|span| span.start.offset), found.code));
    ordered.into_iter().map(|found| fault(&lines, found)).collect()
}

fn fault(lines: &[&str], found: &Diagnostic) -> Fault {
    Fault {
        code: found.code.0,
        severity: match found.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "note",
        },
        line: found.span.map(|span| span.start.line),
        column: found.span.map(|span| span.start.column),
        message: found.message.clone(),
        label: found.label.clone(),
        help: found.help.clone(),
        fixes: found
            .fixes
            .iter()
            .map(|fix| Mend { title: fix.title.clone(), sure: fix.applicability == Applicability::Sure })
            .collect(),
        text: found.span.and_then(|span| marked(lines, span)),
        others: found.labels.iter().map(|label| (label.span.start.line, label.message.clone())).collect(),
        action: found.action.as_ref().map(ToString::to_string),
    }
}

/// The first line of a span, cut to what can be read; what goes on in later lines is marked to the end of this one.
fn marked(lines: &[&str], span: Span) -> Option<Marked> {
    let line = lines.get(usize::try_from(span.start.line).ok()?.checked_sub(1)?)?;
    let from = usize::try_from(span.start.column).ok()?.saturating_sub(1);
    let to = match span.end.line == span.start.line {
        true => usize::try_from(span.end.column).ok()?.saturating_sub(1).max(from),
        false => usize::MAX,
    };
    let first = from.saturating_sub(SHOWN / 2);
    let part = |skip: usize, end: usize| -> String {
        line.chars().skip(skip).take(end.saturating_sub(skip)).take(SHOWN).collect()
    };
    let mut before = part(first, from);
    if first > 0 {
        before.insert(0, '…');
    }
    let (mut marked, after) = (part(from, to), part(to, usize::MAX));
    if to.saturating_sub(from) > SHOWN && line.chars().count() > from + SHOWN {
        marked.push('…');
    }
    Some(Marked { before, marked, after })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Code, line, column and underlined text.
    type Told = (String, Option<u32>, Option<u32>, Option<String>);

    /// Those of every fault of one file.
    fn told(yaml: &str) -> Vec<Told> {
        let found = pipeline::load(yaml.as_bytes(), "project.yaml").diagnostics;
        faults(yaml, &found)
            .into_iter()
            .map(|f| (f.code.to_owned(), f.line, f.column, f.text.map(|text| text.marked)))
            .collect()
    }

    #[test]
    fn the_meant_text_is_marked_where_it_stands() {
        let yaml = "version: '5.0'\nactions:\n  a:\n    run: python:v2 a.py\n    needs: [nothere]\n    outputs:\n      moderately_sensitive:\n        x: out/x.csv\n";
        assert_eq!(told(yaml), [("P404".to_owned(), Some(5), Some(13), Some("nothere".to_owned()))]);
    }

    #[test]
    fn a_long_line_is_cut_around_the_mark() {
        let span = |from, to| Span {
            start: pipeline::Position { line: 1, column: from, offset: 0 },
            end: pipeline::Position { line: 1, column: to, offset: 0 },
        };
        let line = format!("{}é!{}", "a".repeat(500), "b".repeat(500));
        let found = marked(&[&line], span(501, 503)).unwrap();
        assert_eq!(found.marked, "é!");
        assert_eq!(found.before, format!("…{}", "a".repeat(80)));
        assert_eq!(found.after, "b".repeat(160));
        assert!(marked(&[], span(1, 2)).is_none());
        let past_the_end = marked(&["ab"], span(9, 12)).unwrap();
        assert_eq!((past_the_end.before.as_str(), past_the_end.marked.as_str()), ("ab", ""));
    }
}
