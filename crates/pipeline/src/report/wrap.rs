//! Breaks prose into lines of a given width, at blanks only.
//! A word longer than the line (a path, a command) is never broken: it could not be copied.

use unicode_width::UnicodeWidthStr;

/// The text in lines of at most `width` cells where its words allow; line ends in the text are kept.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in text.lines() {
        let mut line = String::new();
        let mut cells = 0;
        for word in paragraph.split_inclusive(' ') {
            let bare = word.trim_end_matches(' ').width();
            if !line.trim().is_empty() && cells + bare > width {
                lines.push(line.trim_end().to_owned());
                line.clear();
                cells = 0;
            }
            line.push_str(word);
            cells += word.width();
        }
        lines.push(line.trim_end().to_owned());
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::wrap;

    #[test]
    fn breaks_at_blanks_and_keeps_long_words() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("a/very/long/path x", 4), ["a/very/long/path", "x"]);
        assert_eq!(wrap("one\n  two", 40), ["one", "  two"]);
        assert!(wrap("", 10).is_empty());
    }
}
