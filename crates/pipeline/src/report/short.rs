//! One line per diagnostic, as compilers print them, for editors and grep.
//! Spec project-yaml.md 12.1: `path:line:column: severity[code] message`.

use super::{in_order, severity_word, visible};
use crate::Diagnostic;

/// One line each, in order of position. A diagnostic of the whole file stands at 1:1.
pub fn short(path: &str, diagnostics: &[Diagnostic]) -> String {
    let path = visible(path);
    let mut out = String::new();
    for d in in_order(diagnostics) {
        let (line, column) = d.span.map_or((1, 1), |s| (s.start.line, s.start.column));
        let message = visible(&d.message);
        out.push_str(&format!("{path}:{line}:{column}: {}[{}] {message}\n", severity_word(d.severity), d.code.0));
    }
    out
}
