//! A line of a log as a person would have seen it on a terminal: without colours, and as the last carriage return left it.
//! Spec cli.md 2: what studies print is stripped of control sequences before it reaches a terminal.

use super::visible;

/// A line of a log file to be shown: its time, if it begins with one, then the plain text with nothing hidden in it.
pub fn shown(line: &str) -> String {
    match line.split_once(' ').filter(|(time, _)| time.parse::<jiff::Timestamp>().is_ok()) {
        Some((time, text)) => format!("{time} {}", visible(&plain(text))),
        None => visible(&plain(line)).into_owned(),
    }
}

/// The text that is left to see. Other control characters stay, for [`super::visible`] to show.
pub fn plain(line: &str) -> String {
    let mut text = String::with_capacity(line.len());
    let mut rest = line.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\u{1b}' => match rest.next() {
                Some('[') => skip_csi(&mut rest),
                Some(']' | 'P' | 'X' | '^' | '_') => skip_string(&mut rest),
                // Of two or three characters, such as the choice of a character set.
                Some(' '..='/') => drop(rest.next()),
                Some(_) | None => {}
            },
            '\u{9b}' => skip_csi(&mut rest),
            // What follows is written over the line; one at its end is part of a line end.
            '\r' if rest.peek().is_some() => text.clear(),
            '\r' => {}
            other => text.push(other),
        }
    }
    text
}

/// To the final byte of a control sequence.
fn skip_csi(rest: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    while let Some(c) = rest.next_if(|c| (' '..='~').contains(c)) {
        if ('@'..='~').contains(&c) {
            return;
        }
    }
}

/// To the terminator of a string, such as the title of a window.
fn skip_string(rest: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    while let Some(c) = rest.next() {
        match c {
            '\u{7}' | '\u{9c}' => return,
            '\u{1b}' => {
                rest.next_if_eq(&'\\');
                return;
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_titles_and_overwritten_text_go() {
        assert_eq!(plain("\u{1b}[1m\u{1b}[32m== 3 passed ==\u{1b}[0m"), "== 3 passed ==");
        assert_eq!(plain("progress 0%\rprogress 1%\rdone"), "done");
        assert_eq!(plain("line\r"), "line");
        assert_eq!(plain("\u{1b}]0;a title\u{7}text"), "text");
        assert_eq!(plain("\u{1b}]8;;http://x\u{1b}\\link\u{1b}]8;;\u{1b}\\"), "link");
        assert_eq!(plain("\u{1b}(Btext\u{9b}2K!"), "text!");
        assert_eq!(plain("tab\tand é"), "tab\tand é");
        assert_eq!(plain("cut \u{1b}["), "cut ");
    }

    #[test]
    fn a_line_keeps_its_time() {
        assert_eq!(
            shown("2026-01-02T03:04:05.000000006Z 10%\r\u{1b}[32mdone\u{1b}[0m"),
            "2026-01-02T03:04:05.000000006Z done"
        );
        assert_eq!(shown("no time\u{7}"), visible("no time\u{7}"));
    }

    proptest::proptest! {
        /// Whatever a study prints, no escape is left.
        #[test]
        fn nothing_that_commands_a_terminal_is_left(line in "(\\PC|\u{1b}|\u{9b}|\r|\\[|;|m|\\])*") {
            let text = plain(&line);
            let commands = text.contains(['\u{1b}', '\u{9b}', '\r']);
            proptest::prop_assert!(!commands);
        }
    }
}
