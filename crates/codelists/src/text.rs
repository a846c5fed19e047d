//! Text from files and servers as it may be shown, and lines as every system ends them.
//! Spec cli.md 2 (no control sequences reach a terminal), 7.1.

/// The most that is shown of a text from outside.
const LONGEST: usize = 300;

/// Without control characters and direction marks, cut when endless.
pub(crate) fn shown(text: &str) -> String {
    let hidden = |c: char| {
        c.is_control() || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let mut out = String::new();
    for (n, c) in text.chars().enumerate() {
        if n == LONGEST {
            out.push('…');
            break;
        }
        if hidden(c) { out.extend(c.escape_default()) } else { out.push(c) }
    }
    out
}

/// `; missing: a, b`, or nothing for an empty list.
pub(crate) fn list_of(what: &str, names: &[String]) -> String {
    let names: Vec<String> = names.iter().map(|name| shown(name)).collect();
    match (names.is_empty(), what.is_empty()) {
        (true, _) => String::new(),
        (false, true) => names.join(", "),
        (false, false) => format!("{what}: {}", names.join(", ")),
    }
}

/// Lines that end with LF, CR or CRLF, without these.
pub(crate) fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.split_inclusive('\n').flat_map(|line| {
        let line = line.strip_suffix('\n').map_or(line, |line| line.strip_suffix('\r').unwrap_or(line));
        line.split('\r')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_in_three_ways() {
        assert_eq!(lines("a\nb\r\nc\rd").collect::<Vec<_>>(), ["a", "b", "c", "d"]);
        assert_eq!(lines("a\n\n").collect::<Vec<_>>(), ["a", ""]);
        assert_eq!(lines("").count(), 0);
    }

    #[test]
    fn nothing_commands_a_terminal() {
        assert_eq!(shown("a\u{1b}[31m\u{202e}b"), "a\\u{1b}[31m\\u{202e}b");
        assert_eq!(shown(&"x".repeat(1000)).chars().count(), 301);
    }
}
