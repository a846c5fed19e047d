//! Splitting a command into words. No shell exists anywhere; only blanks, quotes and back slashes mean something.
//! Spec project-yaml.md 5.1.

/// One word of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    /// What the program will be given.
    pub(crate) text: String,
    /// Range in the text of the command, quotes included.
    pub(crate) range: (usize, usize),
    /// A back slash stands before a line break, or before the blank that a folded line break became.
    pub(crate) escaped_blanks: Vec<usize>,
}

/// A command that cannot be split (P302).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unbalanced {
    /// `'`, `"`, or the back slash at the end.
    pub(crate) mark: char,
    /// Where the mark stands in the text.
    pub(crate) at: usize,
    /// Where the word with the mark begins.
    pub(crate) word: usize,
}

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r')
}

/// Whether a byte ends a stretch in which nothing has a meaning.
fn ends_simple(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b'\'' | b'"' | b'\\')
}

/// Splits a command; on an unbalanced quote the words before it come with the fault.
pub(crate) fn split(text: &str) -> Result<Vec<Token>, (Unbalanced, Vec<Token>)> {
    let mut done = Vec::new();
    let mut chars = text.char_indices().peekable();
    while let Some(&(start, c)) = chars.peek() {
        if is_blank(c) {
            chars.next();
            continue;
        }
        // Most words hold no quotes: they are taken whole.
        let simple = text.as_bytes()[start..].iter().position(|b| ends_simple(*b)).map_or(text.len(), |n| start + n);
        let mut token =
            Token { text: text[start..simple].to_owned(), range: (start, simple), escaped_blanks: Vec::new() };
        while chars.next_if(|&(at, _)| at < simple).is_some() {}
        let mut open = None;
        while let Some(&(at, c)) = chars.peek() {
            if is_blank(c) {
                break;
            }
            chars.next();
            token.range.1 = at + c.len_utf8();
            match c {
                '\'' | '"' => {
                    open = Some((c, at));
                    while let Some((at, inner)) = chars.next() {
                        token.range.1 = at + inner.len_utf8();
                        if inner == c {
                            open = None;
                            break;
                        }
                        match chars.peek() {
                            Some(&(_, next @ ('"' | '\\'))) if c == '"' && inner == '\\' => {
                                token.text.push(next);
                                chars.next();
                            }
                            _ => token.text.push(inner),
                        }
                    }
                }
                '\\' => match chars.next() {
                    Some((next_at, next)) => {
                        token.text.push(next);
                        token.range.1 = next_at + next.len_utf8();
                        if is_blank(next) {
                            token.escaped_blanks.push(at);
                        }
                    }
                    None => open = Some((c, at)),
                },
                _ => token.text.push(c),
            }
            if let Some((mark, at)) = open {
                return Err((Unbalanced { mark, at, word: start }, done));
            }
        }
        done.push(token);
    }
    Ok(done)
}

/// A command that cannot be split into words (P302).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CommandFault {
    /// A quote is opened and never closed.
    #[error(
        "the {mark} at byte {at} opens a quote that is never closed: close it, or write \\{mark} for the character itself"
    )]
    OpenQuote {
        /// `'` or `"`.
        mark: char,
        /// Where it stands, in bytes from the begin of the command.
        at: usize,
    },
    /// The last character is a back slash, which has nothing to act on.
    #[error("the command ends with a back slash: remove it, a long command needs no continuation marks")]
    BackSlashAtEnd {
        /// Where it stands, in bytes from the begin of the command.
        at: usize,
    },
}

/// Splits the text of a command into words as `load` does (spec project-yaml.md 5.1): blanks separate, quotes and back
/// slashes work as described there, and no shell exists. A command of blanks only has no words.
///
/// # Errors
/// A quote that is never closed, or a back slash at the very end (P302).
pub fn split_command(text: &str) -> Result<Vec<String>, CommandFault> {
    match split(text) {
        Ok(tokens) => Ok(tokens.into_iter().map(|token| token.text).collect()),
        Err((Unbalanced { mark: '\\', at, .. }, _)) => Err(CommandFault::BackSlashAtEnd { at }),
        Err((Unbalanced { mark, at, .. }, _)) => Err(CommandFault::OpenQuote { mark, at }),
    }
}

/// Writes a list of words the way it is shown to people: each word bare or in single quotes (spec project-yaml.md 7.4).
pub fn quote_command(words: &[String]) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_@%+=:,./-".contains(c);
    let mut line = String::new();
    for (i, word) in words.iter().enumerate() {
        if i > 0 {
            line.push(' ');
        }
        if !word.is_empty() && word.chars().all(plain) {
            line.push_str(word);
        } else {
            line.push('\'');
            line.push_str(&word.replace('\'', r#"'"'"'"#));
            line.push('\'');
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        split_command(text).unwrap()
    }

    #[test]
    fn quotes_and_back_slashes() {
        assert_eq!(words("a  'b c'\t\"d e\"\r\nf"), ["a", "b c", "d e", "f"]);
        assert_eq!(words(r#"a"b c"d '' "" \x "\d+" "\"\\" '\n'"#), ["ab cd", "", "", "x", r"\d+", "\"\\", r"\n"]);
        assert_eq!(words("a\u{a0}b"), ["a\u{a0}b"]);
        assert_eq!(words("a \\\nb"), ["a", "\nb"]);
        assert!(words(" \n").is_empty());
    }

    #[test]
    fn unbalanced_quotes_are_placed() {
        assert_eq!(split("ab 'c d").unwrap_err().0, Unbalanced { mark: '\'', at: 3, word: 3 });
        assert_eq!(split("ab x\"c d").unwrap_err().0, Unbalanced { mark: '"', at: 4, word: 3 });
        assert_eq!(split(r#"ab "c d\""#).unwrap_err().0, Unbalanced { mark: '"', at: 3, word: 3 });
        assert_eq!(split("ab c\\").unwrap_err().0, Unbalanced { mark: '\\', at: 4, word: 3 });
    }

    #[test]
    fn a_fault_says_what_and_where() {
        assert_eq!(split_command("ab 'c d"), Err(CommandFault::OpenQuote { mark: '\'', at: 3 }));
        assert_eq!(split_command("ab c\\"), Err(CommandFault::BackSlashAtEnd { at: 4 }));
    }

    #[test]
    fn shown_line_is_quoted_per_word() {
        let words = ["r:v1", "a b", "", "O'Hara", "--x=1,2"].map(str::to_owned);
        assert_eq!(quote_command(&words), r#"r:v1 'a b' '' 'O'"'"'Hara' --x=1,2"#);
    }
}
