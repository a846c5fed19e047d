//! Text from repositories and from git made harmless for terminals, logs and messages.
//! Spec cli.md 2, sandbox.md 1: names and the words of a server are hostile.

/// The bytes as one line of text: control characters, line breaks and direction overrides escaped, invalid UTF-8 replaced.
pub fn visible(bytes: impl AsRef<[u8]>) -> String {
    let mut out = String::new();
    for c in String::from_utf8_lossy(bytes.as_ref()).chars() {
        if hidden(c) { out.extend(c.escape_default()) } else { out.push(c) }
    }
    out
}

fn hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// The last lines of what git said, in one line of at most 600 characters; `secrets` are struck out wherever they occur.
pub(crate) fn told(output: &[u8], secrets: &[String]) -> String {
    let mut text = String::from_utf8_lossy(output).into_owned();
    for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
        text = text.replace(secret.as_str(), "(secret)");
    }
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let last = lines[lines.len().saturating_sub(4)..].join("; ");
    let shown = visible(last);
    match shown.char_indices().nth(600) {
        Some((at, _)) => format!("{}…", &shown[..at]),
        None => shown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_moves_a_cursor_is_left() {
        assert_eq!(visible("plain é"), "plain é");
        assert_eq!(visible(b"a\nb\x1b[31m\xff"), "a\\nb\\u{1b}[31m\u{fffd}");
        assert_eq!(visible("abc\u{202e}fed"), "abc\\u{202e}fed");
    }

    #[test]
    fn what_git_says_is_short_and_without_secrets() {
        let said = told(b"one\ntwo\nremote: hunter2\nfatal: \x1b[2Jno\nlast\n", &["hunter2".to_owned(), String::new()]);
        assert_eq!(said, "two; remote: (secret); fatal: \\u{1b}[2Jno; last");
        assert_eq!(told("x".repeat(5000).as_bytes(), &[]).chars().count(), 601);
    }
}
