//! Text from studies made harmless for terminals and messages.
//! Spec jobs.md 15, cli.md 2: control characters are escaped when shown.

use std::borrow::Cow;

/// The text with every control character, line break and direction override escaped (`\n`, `\u{1b}`); a tab stays.
/// For one line of text: the result has no line break.
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.chars().any(hidden) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if hidden(c) { out.extend(c.escape_default()) } else { out.push(c) }
    }
    Cow::Owned(out)
}

fn hidden(c: char) -> bool {
    (c.is_control() && c != '\t')
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_moves_a_cursor_is_left() {
        assert_eq!(visible("plain é\ttext"), "plain é\ttext");
        assert_eq!(visible("a\nb\r\x1b[31m\u{9b}x\0"), "a\\nb\\r\\u{1b}[31m\\u{9b}x\\u{0}");
        assert_eq!(visible("abc\u{202e}fed"), "abc\\u{202e}fed");
    }
}
