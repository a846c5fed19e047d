//! Lists and mappings in brackets whose lines begin no deeper than their key, as many people write the closing bracket.
//! YAML 1.2 forbids it and the parser refuses it, but the reader of today loads it: such brackets are joined to one line.

use super::recover::{indent, key_of};
use crate::source::Source;

/// A bracket that is not closed within so many bytes is left alone; it bounds the time.
const LONGEST: usize = 64 * 1024;

/// The text with line breaks inside such brackets replaced by blanks, byte for byte; `None` when there are none.
pub(crate) fn joined(source: &Source<'_>, text: &str) -> Option<String> {
    let mut blanks: Vec<usize> = Vec::new();
    let mut work = 4 * text.len() + LONGEST;
    let mut line = 0;
    while line < source.line_count() {
        let (start, end) = source.line_range(line);
        line += 1;
        let Some(open) = opening(&text[start..end]).map(|at| start + at) else { continue };
        let rest = &text[open..(open + LONGEST.min(work)).min(text.len())];
        let Some(found) = region(text, rest, open, indent(&text[start..end])) else {
            work = work.saturating_sub(rest.len().min(LONGEST));
            continue;
        };
        line = source.line_of(found.end) + 1;
        if found.too_shallow {
            blanks.extend(found.blanks);
        }
    }
    if blanks.is_empty() {
        return None;
    }
    let mut bytes = text.as_bytes().to_vec();
    for at in blanks {
        bytes[at] = b' ';
    }
    String::from_utf8(bytes).ok()
}

/// Where a line opens a bracket as its value: at its begin, after `key: ` or after `- `.
fn opening(line: &str) -> Option<usize> {
    let content = indent(line);
    let mut at = content;
    while line[at..].starts_with("- ") {
        at += 2 + indent(&line[at + 2..]);
    }
    if !line[at..].starts_with(['[', '{']) {
        key_of(&line[at..])?;
        let colon = line[at..].find(": ")? + at + 1;
        at = colon + indent(&line[colon..]);
    }
    line[at..].starts_with(['[', '{']).then_some(at)
}

struct Region {
    /// Bytes to be blanked: line breaks and comments.
    blanks: Vec<usize>,
    /// Where it is closed.
    end: usize,
    /// A line of it begins no deeper than the line that opens it.
    too_shallow: bool,
}

/// Follows a bracket to its end; `None` when it is not closed, or when that would put words together that are apart.
fn region(text: &str, rest: &str, open: usize, depth: usize) -> Option<Region> {
    let bytes = rest.as_bytes();
    let mut stack = Vec::new();
    let mut found = Region { blanks: Vec::new(), end: open, too_shallow: false };
    let mut at = 0;
    // The last character that is neither blank nor comment.
    let mut last = b'[';
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'[' | b'{' => stack.push(byte),
            b']' | b'}' => {
                let opened = stack.pop()?;
                if (opened == b'[') != (byte == b']') {
                    return None;
                }
                if stack.is_empty() {
                    found.end = open + at;
                    return Some(found);
                }
            }
            b'"' | b'\'' if matches!(last, b'[' | b'{' | b',' | b':') => at = quote_end(bytes, at)?,
            b'#' if at > 0 && matches!(bytes[at - 1], b' ' | b'\t' | b'\n' | b'\r') => {
                let end = bytes[at..].iter().position(|b| matches!(b, b'\n' | b'\r')).map_or(bytes.len(), |n| at + n);
                found.blanks.extend((at..end).map(|i| open + i));
                at = end;
                continue;
            }
            b'\n' | b'\r' => {
                let next = rest[at..].trim_start_matches(['\n', '\r', ' ', '\t']);
                let line = &text[open + at + 1..];
                let blanks = indent(line);
                let begins = line.as_bytes().get(blanks).copied();
                found.too_shallow |= blanks <= depth && !matches!(begins, None | Some(b'\n' | b'\r' | b'#'));
                // A word over several lines keeps its line break, which means one blank.
                let between = matches!(last, b'[' | b'{' | b',' | b':' | b']' | b'}' | b'"' | b'\'')
                    || next.starts_with([',', ']', '}', ':', '#']);
                if stack.last() == Some(&b'[') && !between {
                    return None;
                }
                if between {
                    found.blanks.push(open + at);
                }
            }
            _ => {}
        }
        if !matches!(byte, b' ' | b'\t' | b'\n' | b'\r') {
            last = byte;
        }
        at += 1;
    }
    None
}

/// Where the quoted text that begins here ends.
fn quote_end(bytes: &[u8], start: usize) -> Option<usize> {
    let quote = bytes[start];
    let mut at = start + 1;
    loop {
        match *bytes.get(at)? {
            b'\\' if quote == b'"' => at += 1,
            b if b == quote => {
                if quote == b'\'' && bytes.get(at + 1) == Some(&quote) {
                    at += 1;
                } else {
                    return Some(at);
                }
            }
            _ => {}
        }
        at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn join(text: &str) -> Option<String> {
        joined(&Source::new(text), text)
    }

    #[test]
    fn only_what_lies_too_shallow_is_joined() {
        assert_eq!(join("a:\n  needs: [\n    x, # why\n  ]\n").unwrap(), "a:\n  needs: [     x,         ]\n");
        assert_eq!(join("a:\n  needs: [\n      x\n    ]\n"), None);
        assert_eq!(join("needs: [\nx\n"), None);
        assert_eq!(join("- - {\na: 'it''s ]',\n}\n").unwrap(), "- - { a: 'it''s ]', }\n");
    }

    #[test]
    fn what_is_not_sure_stays() {
        assert_eq!(join("a: [x\nb: c]\n"), None);
        assert_eq!(join("a: [x}\n]\n"), None);
        assert_eq!(join("a: \"[\n]\"\n"), None);
    }
}
