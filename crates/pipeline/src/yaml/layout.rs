//! Explains faults of colons and indentation (spec project-yaml.md 2).
//! Each function gives nothing when the scene is another one.

use super::mistakes::{Explained, Scene, explained, is_known_key};
use super::recover::{indent, is_content, key_of};
use crate::fault::{Fault, quoted};

/// `run:python:v2 …`: a known key with its `:` glued to the value, on this line or the one above.
pub(super) fn no_blank_after_colon(scene: &Scene<'_>) -> Option<Explained> {
    let lines = [Some(scene.line), scene.before(scene.line)];
    lines.into_iter().flatten().find_map(|line| {
        let (start, end) = scene.content(line);
        let text = &scene.text[start..end];
        let (word, rest) = text.split_once(':')?;
        if rest.is_empty()
            || rest.starts_with([' ', '\t'])
            || !is_word(word)
            || (!is_known_key(word) && line != scene.line)
        {
            return None;
        }
        let at = start + word.len();
        let fault =
            Fault::new("P002", (start, at + 1), format!("a blank is missing after {}", quoted(&format!("{word}:"))))
                .label("not read as a key")
                .help("a key is followed by `:` and a blank")
                .maybe("insert a blank", vec![((at + 1, at + 1), " ".to_owned())]);
        explained(fault, start)
    })
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-'))
}

/// A key that is deeper than the key with a value above it.
pub(super) fn too_far(scene: &Scene<'_>) -> Option<Explained> {
    let text = scene.line_text(scene.line);
    let key = key_of(text)?;
    let above = (0..scene.line).rev().find(|&n| {
        let line = scene.line_text(n);
        is_content(line) && indent(line) < indent(text) && key_of(line).is_some()
    })?;
    let before = scene.before(scene.line)?;
    let value = scene.line_text(above).split_once(':').map_or("", |(_, v)| v).trim();
    if value.is_empty()
        || value.starts_with(['|', '>', '#', '&', '[', '{'])
        || (before != above && indent(scene.line_text(before)) != indent(text))
    {
        return None;
    }
    if !is_known_key(key) && before != above {
        return None;
    }
    let sibling = key_of(scene.line_text(above)).unwrap_or_default();
    let (start, _) = scene.content(scene.line);
    let fault = Fault::new("P002", (start, start + key.len()), format!("{} is indented too far", quoted(key)))
        .label(format!("read as part of the value of {}", quoted(sibling)))
        .help(format!(
            "give it the same indentation as {} on line {}, so that both belong to {}",
            quoted(sibling),
            above + 1,
            parent(scene, above).map_or_else(|| "the top level".to_owned(), |p| quoted(&p))
        ))
        .see(scene.content(above), "the key beside which it belongs");
    explained(fault, start)
}

/// The key under which a line stands.
fn parent(scene: &Scene<'_>, line: usize) -> Option<String> {
    let depth = indent(scene.line_text(line));
    let above = (0..line).rev().find(|&n| is_content(scene.line_text(n)) && indent(scene.line_text(n)) < depth)?;
    key_of(scene.line_text(above)).map(str::to_owned)
}

/// `: ` inside a value without quotes.
pub(super) fn colon_in_text(scene: &Scene<'_>) -> Option<Explained> {
    if !scene.info.contains("mapping values are not allowed") && !scene.info.contains("':'") {
        return None;
    }
    let line = scene.source.line_of(scene.offset);
    let (start, end) = scene.content(line);
    let text = &scene.text[start..end];
    let (key, value) = text.split_once(':')?;
    let value = value.trim_start();
    let from = end - value.len();
    let inner = value.find(": ").map(|i| from + i).or_else(|| value.ends_with(':').then(|| end - 1));
    let at = inner.unwrap_or(scene.offset.clamp(start, end.saturating_sub(1)));
    if inner.is_none() && !(start..end).contains(&scene.offset) {
        return None;
    }
    if inner.is_none() && is_word(key) {
        // The key itself stands where no key can be.
        return None;
    }
    let mut fault = Fault::new("P002", (at, at + 1), "`:` followed by a blank stands inside a value without quotes")
        .label("read as a key, which cannot stand here")
        .help("put quotes around the whole value, or write it as a block: `>` after the key, and the value on the lines below");
    if inner.is_some() && !value.contains('\'') {
        fault = fault.maybe("put the value in single quotes", vec![((from, end), format!("'{value}'"))]);
    }
    if text.contains(['“', '”', '‘', '’', '„']) {
        fault = fault.also("the quotes on this line are typographic ones: use straight ones, \" or '");
    }
    explained(fault, start)
}

/// A line whose indentation fits no line above it, or that is no key where one is expected.
pub(super) fn between_levels(scene: &Scene<'_>) -> Option<Explained> {
    let text = scene.line_text(scene.line);
    let depth = indent(text);
    let (start, end) = scene.content(scene.line);
    let before = scene.before(scene.line)?;
    let levels: Vec<(usize, usize)> = enclosing(scene, scene.line);
    let Some(key) = key_of(text) else {
        if text.trim_start().starts_with("- ") || text.trim() == "-" {
            return None;
        }
        let fault = Fault::new("P002", (start, end), format!("{} is neither a key nor part of the value above", quoted(text.trim())))
            .label("expected `key: value`")
            .help(format!("if it belongs to line {}, indent it deeper than the key there; if it is a key, write `:` and a blank after it", before + 1))
            .see(scene.content(before), "the line above");
        return explained(fault, start);
    };
    if levels.iter().any(|&(_, d)| d == depth) {
        return None;
    }
    let deeper = levels.iter().filter(|&&(_, d)| d > depth).min_by_key(|&&(_, d)| d);
    let shallower = levels.iter().filter(|&&(_, d)| d < depth).max_by_key(|&&(_, d)| d);
    let name = |line: usize| key_of(scene.line_text(line)).map_or_else(|| "that line".to_owned(), quoted);
    let help = match (deeper, shallower) {
        (Some(&(a, da)), Some(&(b, db))) => format!(
            "indent it by {da} blanks to put it beside {} (line {}), or by {db} to put it beside {} (line {})",
            name(a),
            a + 1,
            name(b),
            b + 1
        ),
        (Some(&(a, da)), None) => format!("indent it by {da} blanks, like {} (line {})", name(a), a + 1),
        _ => "give it the same indentation as the keys beside which it belongs".to_owned(),
    };
    let mut fault = Fault::new(
        "P002",
        (start, start + key.len()),
        format!("{} is indented by {depth} blanks, which fits no key above it", quoted(key)),
    )
    .label("between two levels")
    .help(help);
    if let Some(&(line, _)) = deeper.or(shallower) {
        fault = fault.see(scene.content(line), "the nearest level");
    }
    explained(fault, start)
}

/// The keys above a line that could be its sisters or parents: for each indentation the nearest one, outwards.
fn enclosing(scene: &Scene<'_>, line: usize) -> Vec<(usize, usize)> {
    let mut found: Vec<(usize, usize)> = Vec::new();
    for n in (0..line).rev() {
        let text = scene.line_text(n);
        if !is_content(text) || key_of(text).is_none() {
            continue;
        }
        let depth = indent(text);
        if found.last().is_none_or(|&(_, d)| depth < d) {
            found.push((n, depth));
        }
        if depth == 0 {
            break;
        }
    }
    found
}
