//! Explains faults of quotes, brackets and characters that need quotes (spec project-yaml.md 2).
//! Each function gives nothing when the scene is another one.

use super::mistakes::{Explained, Scene, explained};
use crate::fault::{Fault, quoted};

/// The end of an unquoted value that begins at `start`: of the line, or before a comment, or in a list of its item.
fn value_end(scene: &Scene<'_>, start: usize) -> usize {
    let (line_start, line_end) = scene.source.line_range(scene.source.line_of(start));
    let text = &scene.text[start..line_end];
    let before = &scene.text[line_start..start];
    let in_flow = before.matches(['[', '{']).count() > before.matches([']', '}']).count();
    let comment = text.find(" #").unwrap_or(text.len());
    let end = if in_flow { text.find([',', ']', '}']).unwrap_or(text.len()).min(comment) } else { comment };
    start + text[..end].trim_end().len()
}

/// A path that begins with `*`, read as a reference to an anchor.
pub(super) fn alias(scene: &Scene<'_>) -> Option<Explained> {
    if !scene.info.contains("unknown anchor") && !scene.info.contains("anchor or alias") {
        return None;
    }
    let line = scene.source.line_of(scene.offset);
    let (start, _) = scene.source.line_range(line);
    // The parser points at the alias or just behind its star.
    let before = &scene.text[start..(scene.offset + 1).min(scene.text.len())];
    let place = start + before.rfind(['*', '&'])?;
    let end = value_end(scene, place).max(place + 1);
    let written = &scene.text[place..end];
    if written.starts_with('&') {
        let fault = Fault::new(
            "P002",
            (place, end),
            format!("{} begins with `&`, which marks an anchor in YAML", quoted(written)),
        )
        .label("must stand in quotes")
        .help("put quotes around the value");
        return explained(fault, place);
    }
    let mut fault = Fault::new(
        "P002",
        (place, end),
        format!("{} begins with `*`, which refers to an anchor that does not exist", quoted(written)),
    )
    .label("read as an alias, not as a path")
    .help("put quotes around a path that begins with `*`");
    if !written.contains(['"', '\\']) {
        fault = fault.sure(format!("write \"{written}\""), vec![((place, end), format!("\"{written}\""))]);
    }
    explained(fault, place)
}

/// A quote that is never closed.
pub(super) fn open_quote(scene: &Scene<'_>) -> Option<Explained> {
    if !scene.info.contains("quoted scalar") || scene.info.contains("escape") || scene.info.contains("trailing content")
    {
        return None;
    }
    let at = (0..=scene.offset.min(scene.text.len().saturating_sub(1)))
        .rev()
        .find(|&i| matches!(scene.text.as_bytes()[i], b'"' | b'\''))?;
    // Reports of the end of the file come with the place of the end: then the quote is the last that opens a value.
    let at = opening_quote(scene, at).unwrap_or(at);
    let (_, end) = scene.content(scene.source.line_of(at));
    let mark = scene.text.as_bytes()[at] as char;
    let fault = Fault::new(
        "P002",
        (at, end.max(at + 1)),
        format!("a {} quote is opened and never closed", if mark == '"' { "double" } else { "single" }),
    )
    .label("this quote has no partner")
    .help(format!("close the value with {mark}, or remove the quote"));
    explained(fault, at)
}

/// The quote that opens the value in which `at` lies, if the line shows it.
fn opening_quote(scene: &Scene<'_>, at: usize) -> Option<usize> {
    let bytes = scene.text.as_bytes();
    let opens = |i: usize| {
        let before = scene.text[..i].trim_end_matches([' ', '\t']);
        i == 0
            || before.ends_with([':', '-', '[', '{', ',', '\n', '\r'])
                && (before.len() < i || !before.ends_with([':', '-']))
    };
    (0..=at).rev().take(64 * 1024).find(|&i| matches!(bytes[i], b'"' | b'\'') && opens(i))
}

/// Text after a closing quote, or a wrong escape between quotes.
pub(super) fn after_quote(scene: &Scene<'_>) -> Option<Explained> {
    if scene.info.contains("escape") {
        let place = scene.content(scene.line);
        let fault = Fault::new(
            "P002",
            (scene.offset.clamp(place.0, place.1), place.1),
            "a back slash between double quotes begins an escape that YAML does not know",
        )
        .label("not an escape")
        .help("use single quotes around the value, in which a back slash is an ordinary character");
        return explained(fault, place.0);
    }
    let line = scene.source.line_of(scene.offset);
    [line, scene.line].into_iter().find_map(|line| {
        let (start, end) = scene.source.line_range(line);
        let text = &scene.text[start..end];
        let trimmed = text.trim_start();
        let value = match trimmed.strip_prefix("- ") {
            Some(item) => item.trim_start(),
            None => trimmed.split_once(": ")?.1.trim_start(),
        };
        let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        let close = closing(value, quote)?;
        let rest = value[close + 1..].trim();
        if rest.is_empty() || rest.starts_with(['#', ',', ']', '}', ':']) {
            return None;
        }
        let from = end - value.len();
        let whole = value.trim_end();
        let mut fault = Fault::new("P002", (from + close + 1 + (value[close + 1..].len() - value[close + 1..].trim_start().len()), from + whole.len()), "text follows a closing quote")
            .label("outside the quotes")
            .help("a value that begins with a quote ends with its partner: put the whole value between quotes of the other kind");
        let other = if quote == '"' { '\'' } else { '"' };
        if !whole.contains(other) && !whole.contains('\\') {
            fault = fault.maybe("put the whole value in quotes", vec![((from, from + whole.len()), format!("{other}{whole}{other}"))]);
        }
        explained(fault, from)
    })
}

/// Where a quoted text that begins `value` ends.
fn closing(value: &str, quote: char) -> Option<usize> {
    let bytes = value.as_bytes();
    let mut at = 1;
    while at < bytes.len() {
        match (bytes[at], quote) {
            (b'\\', '"') => at += 1,
            (b'\'', '\'') if bytes.get(at + 1) == Some(&b'\'') => at += 1,
            (b, q) if b == q as u8 => return Some(at),
            _ => {}
        }
        at += 1;
    }
    None
}

/// Brackets that are not closed, or closed without having been opened.
pub(super) fn brackets(scene: &Scene<'_>, open: &[usize]) -> Option<Explained> {
    if scene.info.contains("misplaced bracket")
        || (open.is_empty() && matches!(scene.text.as_bytes().get(scene.offset), Some(b']' | b'}')))
    {
        let fault = Fault::new(
            "P002",
            (scene.offset, (scene.offset + 1).min(scene.text.len())),
            "a bracket is closed that was never opened",
        )
        .label("has no partner")
        .help("remove it, or put quotes around the value if the bracket belongs to it");
        return explained(fault, scene.offset);
    }
    let &at = open.last()?;
    let bracket = scene.text.as_bytes().get(at).copied()? as char;
    let partner = if bracket == '[' { ']' } else { '}' };
    let closed = scene.text[at..scene.offset.max(at)].contains(partner);
    let (_, end) = scene.source.line_range(scene.source.line_of(scene.offset));
    let closes_here = scene.text.get(scene.offset..end).is_some_and(|rest| rest.contains(partner));
    let (_, end) = scene.content(scene.source.line_of(at));
    if closes_here || closed {
        let place = scene.content(scene.line);
        let from = scene.offset.clamp(place.0, place.1.saturating_sub(1).max(place.0));
        let fault = Fault::new(
            "P002",
            (from, place.1),
            format!("something between `{bracket}` and `{partner}` cannot be read"),
        )
        .label("expected a comma or the closing bracket")
        .help("separate items by commas, and put quotes around an item that holds `: `, a bracket or a quote")
        .see((at, at + 1), "opened here");
        return explained(fault, at);
    }
    let what = if bracket == '[' { "list" } else { "mapping" };
    let fault = Fault::new("P002", (at, end.max(at + 1)), format!("the {what} that `{bracket}` opens is never closed"))
        .label(format!("`{partner}` is missing"))
        .help(format!("write `{partner}` after the last item"));
    explained(fault, at)
}

/// A value that begins with a character that YAML keeps for itself.
pub(super) fn needs_quotes(scene: &Scene<'_>) -> Option<Explained> {
    let special = scene.text[scene.offset.min(scene.text.len())..]
        .chars()
        .next()
        .filter(|c| matches!(c, '@' | '`' | '%' | '!' | '|' | '>' | '?'))?;
    let reported = ["unexpected character", "tag", "block scalar", "handle", "directive", "expected node"];
    if !reported.iter().any(|r| scene.info.contains(r)) {
        return None;
    }
    let end = value_end(scene, scene.offset).max(scene.offset + 1);
    let written = &scene.text[scene.offset..end];
    let mut fault =
        Fault::new("P002", (scene.offset, end), format!("a value cannot begin with `{special}`: {}", quoted(written)))
            .label("must stand in quotes")
            .help("put quotes around the value");
    if !written.contains('\'') {
        fault = fault.maybe("put the value in quotes", vec![((scene.offset, end), format!("'{written}'"))]);
    }
    explained(fault, scene.offset)
}
