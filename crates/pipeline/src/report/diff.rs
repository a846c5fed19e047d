//! What a fix changes, as a unified diff for people to read before anything is written.
//! For display: characters that could steer a terminal are shown as escapes, so it is not meant for `patch`.

use similar::TextDiff;

use super::visible::push_visible;

/// The changes from `old` to `new` with three lines around each; empty when there are none.
pub fn diff(old: &str, new: &str, path: &str) -> String {
    let (from, to) = (format!("a/{path}"), format!("b/{path}"));
    let raw = TextDiff::from_lines(old, new).unified_diff().context_radius(3).header(&from, &to).to_string();
    let mut out = String::with_capacity(raw.len());
    for line in raw.split('\n') {
        let line = line.strip_suffix('\r').unwrap_or(line);
        for c in line.chars() {
            if c == '\t' { out.push('\t') } else { push_visible(&mut out, c) }
        }
        out.push('\n');
    }
    // The text ends in a line end, so splitting gave one empty line too many.
    out.pop();
    out
}
