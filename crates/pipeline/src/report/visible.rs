//! Makes text of a file safe and honest on a terminal: control, direction and invisible characters are shown as escapes.
//! Spec project-yaml.md 11 and 15: nothing from the file may emit terminal control sequences.

use std::borrow::Cow;
use std::fmt::Write as _;

/// The text on one line, without any character that could steer a terminal or hide: a tab becomes one blank, line ends
/// `\n` and `\r`, and every other control, bidirectional or invisible character `\u{…}`.
pub fn visible(text: &str) -> Cow<'_, str> {
    if text.chars().all(|c| c != '\t' && !must_escape(c)) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        push_visible(&mut out, c);
    }
    Cow::Owned(out)
}

/// Appends one character in its visible form.
pub(crate) fn push_visible(out: &mut String, c: char) {
    match c {
        '\t' => out.push(' '),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        c if must_escape(c) => {
            // Writing to a String cannot fail.
            let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
        }
        c => out.push(c),
    }
}

/// Whether a character controls, reorders or hides instead of showing itself. The blanks that are not U+0020 belong
/// here: they look like one and do not act like one (spec 5.1).
fn must_escape(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{a0}' | '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}'
            | '\u{2000}'..='\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202f}'
            | '\u{205f}'..='\u{206f}' | '\u{3000}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn escapes_what_could_act_and_keeps_the_rest() {
        assert_eq!(visible("plain é 日本"), "plain é 日本");
        assert_eq!(visible("a\tb"), "a b");
        assert_eq!(visible("a\nb\r"), "a\\nb\\r");
        assert_eq!(visible("\u{1b}[31mred"), "\\u{1b}[31mred");
        assert_eq!(visible("\u{9b}31m \u{7f} \u{202e} \u{a0}"), "\\u{9b}31m \\u{7f} \\u{202e} \\u{a0}");
    }

    proptest! {
        #[test]
        fn never_lets_a_control_through(text in any::<String>()) {
            prop_assert!(visible(&text).chars().all(|c| !c.is_control()));
        }
    }
}
