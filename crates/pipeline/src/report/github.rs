//! Workflow annotations: GitHub shows each diagnostic beside its line in a pull request.
//! Text of the file cannot end a line or a property, so it cannot issue a workflow command of its own.

use super::{in_order, visible};
use crate::{Diagnostic, Severity};

/// One annotation command per diagnostic, in order of position (spec project-yaml.md 12.1, cli.md 4.5).
/// Columns count from 1 and `endColumn` is exclusive; it is left out where the range spans lines.
pub fn github(path: &str, diagnostics: &[Diagnostic]) -> String {
    let mut out = String::new();
    for d in in_order(diagnostics) {
        let command = match d.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "notice",
        };
        let mut properties = format!("file={}", property(path));
        if let Some(span) = d.span {
            properties += &format!(",line={},endLine={},col={}", span.start.line, span.end.line, span.start.column);
            if span.start.line == span.end.line {
                properties += &format!(",endColumn={}", span.end.column);
            }
        }
        properties += &format!(",title={}", property(d.code.0));
        let mut message = visible(&d.message).into_owned();
        for line in d.help.iter().flat_map(|h| h.lines()) {
            message.push('\n');
            message += &visible(line);
        }
        out += &format!("::{command} {properties}::{}\n", data(&message));
    }
    out
}

/// The text of a command: `%` and line ends are written as escapes.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The value of a property: `:` and `,` would end it.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
