//! Going on after a fault in the YAML itself: the damaged action, or the damaged line, is blanked (spec project-yaml.md 2).
//! Blanks take the place of the text byte by byte, so that every other position stays what it was.

use super::reader::read;
use crate::hash::HashSet;
use crate::source::Source;

/// What was blanked, so that nothing is reported that follows only from it.
#[derive(Debug, Default)]
pub(crate) struct Damage {
    names: HashSet<String>,
    top: HashSet<String>,
    /// Something without a recognisable name was blanked.
    unclear: bool,
}

impl Damage {
    /// Whether this key of the top level was there but could not be read.
    pub(crate) fn has_top_key(&self, name: &str) -> bool {
        self.top.contains(name) || self.unclear
    }

    /// Whether anything was blanked.
    pub(crate) fn is_any(&self) -> bool {
        self.any_action() || !self.top.is_empty()
    }

    /// Whether any action was blanked.
    pub(crate) fn any_action(&self) -> bool {
        self.unclear || !self.names.is_empty()
    }

    /// Whether an unknown name may be that of a blanked action.
    pub(crate) fn may_be_action(&self, name: &str) -> bool {
        self.unclear || self.names.contains(name)
    }
}

/// How to go on after a fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Mend {
    /// Nothing can be said about the rest.
    Stop,
    /// Blank the action around this offset.
    Blank(usize),
    /// Replace each of these bytes by a blank; where that is not enough, blank the actions around them.
    Bytes(Vec<usize>),
}

/// How many blanks a line begins with.
pub(crate) fn indent(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

/// Whether a line has content.
pub(crate) fn is_content(line: &str) -> bool {
    let text = line.trim();
    !text.is_empty() && !text.starts_with('#')
}

/// The key that a line begins with: text up to a `:` that ends the line or is followed by a blank.
pub(crate) fn key_of(line: &str) -> Option<&str> {
    let text = line.trim_start();
    if text.starts_with(['#', '-', '[', '{', '>', '|', '&', '*', '!', '%']) {
        return None;
    }
    let end = text
        .char_indices()
        .find(|&(i, c)| c == ':' && matches!(text.as_bytes().get(i + 1), None | Some(b' ' | b'\t')))?
        .0;
    Some(text[..end].trim().trim_matches(['"', '\'']))
}

/// The text with the damage blanked; `None` when there is nothing left to blank.
pub(crate) fn mend(source: &Source<'_>, text: &str, how: Mend, damage: &mut Damage) -> Option<String> {
    let places = match how {
        Mend::Stop => return None,
        Mend::Blank(offset) => vec![offset],
        Mend::Bytes(places) => {
            let mut bytes = text.as_bytes().to_vec();
            for &place in &places {
                bytes[place] = b' ';
            }
            if let Ok(mended) = String::from_utf8(bytes)
                && read(source, &mended).is_ok()
            {
                return Some(mended);
            }
            places
        }
    };
    let mut bytes = text.as_bytes().to_vec();
    let lines: Vec<&str> = (0..source.line_count())
        .map(|n| {
            let (start, end) = source.line_range(n);
            &text[start..end]
        })
        .collect();
    let mut done = 0;
    for place in places {
        let damaged = source.line_of(place);
        if damaged < done {
            continue;
        }
        let (from, to) = region(&lines, damaged, damage)?;
        for line in from..to {
            let (start, end) = source.line_range(line);
            bytes[start..end].fill(b' ');
        }
        done = to;
    }
    // Only whole characters were replaced, each by blanks.
    String::from_utf8(bytes).ok().filter(|mended| mended != text)
}

/// How deep a line stands when its tabs were meant as indentation.
fn depth(line: &str) -> usize {
    line.bytes().take_while(|b| matches!(b, b' ' | b'\t')).map(|b| if b == b'\t' { 8 } else { 1 }).sum()
}

/// The lines to blank around a damaged line.
fn region(lines: &[&str], damaged: usize, damage: &mut Damage) -> Option<(usize, usize)> {
    let line = (0..=damaged.min(lines.len().checked_sub(1)?)).rev().find(|&n| is_content(lines[n]))?;
    let end_of = |from: usize, least: usize| {
        (from + 1..lines.len()).find(|&n| is_content(lines[n]) && depth(lines[n]) <= least).unwrap_or(lines.len())
    };
    let actions = lines[..=line].iter().rposition(|l| depth(l) == 0 && key_of(l) == Some("actions"));
    let level = actions.and_then(|at| lines[at + 1..].iter().find(|l| is_content(l))).map(|l| depth(l));
    if let (Some(actions), Some(level)) = (actions, level)
        && line > actions
        && level > 0
        && depth(lines[line]) > 0
    {
        let start = (actions + 1..=line)
            .rev()
            .find(|&n| is_content(lines[n]) && depth(lines[n]) <= level && key_of(lines[n]).is_some());
        if let Some(start) = start {
            match key_of(lines[start]) {
                Some(name) => _ = damage.names.insert(name.to_owned()),
                None => damage.unclear = true,
            }
            return Some((start, end_of(line, level)));
        }
        damage.unclear = true;
        return Some((line, line + 1));
    }
    // At top level: the line, and what is indented below it, unless that is all the actions.
    let start = (0..=line).rev().find(|&n| is_content(lines[n]) && depth(lines[n]) == 0).unwrap_or(line);
    match key_of(lines[start]) {
        Some("actions") => {
            damage.unclear = true;
            return Some((line, line + 1));
        }
        Some(key) => _ = damage.top.insert(key.to_owned()),
        None => {
            let word: String = lines[start].chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            damage.unclear |= word.is_empty();
            damage.top.insert(word);
        }
    }
    Some((start, end_of(line, 0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_the_damaged_action_only() {
        let text = "version: 3\nactions:\n  a:\n    run: [x\n    b: c\n  # next\n  d:\n    run: é\n";
        let source = Source::new(text);
        let mut damage = Damage::default();
        let mended = mend(&source, text, Mend::Blank(text.find("[x").unwrap()), &mut damage).unwrap();
        assert_eq!(mended.len(), text.len());
        assert!(mended.ends_with("  d:\n    run: é\n") && !mended.contains("a:"));
        assert!(damage.may_be_action("a") && !damage.may_be_action("d"));
    }

    #[test]
    fn keys_of_lines() {
        assert_eq!(key_of("  run: a:b"), Some("run"));
        assert_eq!(key_of("  run:a"), None);
        assert_eq!(key_of("  \"x y\":"), Some("x y"));
        assert_eq!(key_of("# a: b"), None);
    }
}
