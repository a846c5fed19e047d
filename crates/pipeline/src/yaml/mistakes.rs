//! Explains why a text is not YAML, in the terms of the person who wrote it (spec project-yaml.md 2).
//! The parser only says where it gave up; what was meant is read from the lines around that place.

use super::reader::{Unreadable, read};
use super::recover::{Mend, indent, is_content, key_of};
use crate::fault::{Fault, quoted};
use crate::source::{Range, Source};

/// A fault of the YAML, and how the rest can still be read.
pub(crate) struct Explained {
    pub(crate) fault: Fault,
    pub(crate) mend: Mend,
}

/// The keys that stand one level below the name of an action, or at the top.
const KNOWN: [&str; 12] = [
    "version",
    "expectations",
    "population_size",
    "actions",
    "run",
    "needs",
    "config",
    "outputs",
    "dummy_data_file",
    "highly_sensitive",
    "moderately_sensitive",
    "minimally_sensitive",
];

/// Where and what the parser said, and the lines it said it about.
pub(super) struct Scene<'s> {
    pub(super) source: &'s Source<'s>,
    pub(super) text: &'s str,
    pub(super) info: &'s str,
    pub(super) offset: usize,
    /// The last line with content at or before the offset.
    pub(super) line: usize,
}

impl<'s> Scene<'s> {
    pub(super) fn line_text(&self, line: usize) -> &'s str {
        let (start, end) = self.source.line_range(line);
        &self.text[start..end]
    }

    /// The range of a line without its indentation; empty for a line of blanks.
    pub(super) fn content(&self, line: usize) -> Range {
        let (start, end) = self.source.line_range(line);
        let text = self.text[start..end].trim_end();
        (start + text.len() - text.trim_start().len(), start + text.len())
    }

    /// The last line with content before this one.
    pub(super) fn before(&self, line: usize) -> Option<usize> {
        (0..line).rev().find(|&n| is_content(self.line_text(n)))
    }
}

/// Explains why there is no tree.
pub(crate) fn explain(source: &Source<'_>, text: &str, cause: &Unreadable, name: &str) -> Explained {
    match cause {
        Unreadable::Empty => {
            let fault = Fault::whole("P004", format!("`{name}` is empty, or holds nothing but comments"))
                .help("a project file begins with `version:`, followed by `actions:`");
            Explained { fault, mend: Mend::Stop }
        }
        Unreadable::Limit(place, what) => {
            let fault = Fault::new("P007", *place, format!("the file {what}"))
                .label("the limit is passed here")
                .help("write it out more plainly; no study needs this");
            Explained { fault, mend: Mend::Stop }
        }
        Unreadable::AliasOfItself(place) => {
            let fault = Fault::new(
                "P002",
                *place,
                format!("{} stands inside the value it refers to", quoted(&text[place.0..place.1])),
            )
            .label("this would never end")
            .help("an alias can only repeat a value that is complete");
            Explained { fault, mend: Mend::Blank(place.0) }
        }
        Unreadable::Syntax { info, offset, open } => {
            let mut at = source.line_of((*offset).min(text.len()));
            let line_is_content = |n: usize| {
                let (start, end) = source.line_range(n);
                is_content(&text[start..end])
            };
            while at > 0 && !line_is_content(at) {
                at -= 1;
            }
            let scene = Scene { source, text, info, offset: (*offset).min(text.len()), line: at };
            syntax(&scene, open)
        }
    }
}

/// The explanations in the order in which they are tried: what is certain first.
fn syntax(scene: &Scene<'_>, open: &[usize]) -> Explained {
    conflict(scene)
        .or_else(|| tabs(scene))
        .or_else(|| super::quoting::alias(scene))
        .or_else(|| super::quoting::open_quote(scene))
        .or_else(|| super::quoting::after_quote(scene))
        .or_else(|| super::quoting::brackets(scene, open))
        .or_else(|| comment_inside(scene))
        .or_else(|| super::quoting::needs_quotes(scene))
        .or_else(|| super::layout::no_blank_after_colon(scene))
        .or_else(|| super::layout::too_far(scene))
        .or_else(|| super::layout::colon_in_text(scene))
        .or_else(|| super::layout::between_levels(scene))
        .unwrap_or_else(|| generic(scene))
}

pub(super) fn explained(fault: Fault, at: usize) -> Option<Explained> {
    Some(Explained { fault, mend: Mend::Blank(at) })
}

/// Markers that a merge left behind.
fn conflict(scene: &Scene<'_>) -> Option<Explained> {
    let is_marker = |line: &str| {
        line.starts_with("<<<<<<< ")
            || line.starts_with(">>>>>>> ")
            || line == "======="
            || line.starts_with("||||||| ")
    };
    let mut lines = (0..scene.source.line_count()).filter(|&n| is_marker(scene.line_text(n)));
    let first = lines.next().filter(|&n| !scene.line_text(n).starts_with('='))?;
    let mut fault = Fault::new("P002", scene.content(first), "the file holds the marks of a merge conflict")
        .label("left behind by git")
        .help("decide which of the two versions is right, and remove the other one and the lines with `<<<<<<<`, `=======` and `>>>>>>>`");
    for line in lines {
        fault = fault.see(scene.content(line), "belongs to it");
    }
    Some(Explained { fault, mend: Mend::Stop })
}

/// The tabs among the blanks at the start of a line.
fn leading_tabs(line: &str) -> impl Iterator<Item = usize> {
    line.bytes().take_while(|b| matches!(b, b' ' | b'\t')).enumerate().filter(|(_, b)| *b == b'\t').map(|(i, _)| i)
}

/// Tabs used as indentation.
fn tabs(scene: &Scene<'_>) -> Option<Explained> {
    let near = [Some(scene.line), scene.before(scene.line), Some(scene.source.line_of(scene.offset))];
    let guilty = near.into_iter().flatten().any(|n| leading_tabs(scene.line_text(n)).next().is_some());
    if !guilty && !scene.info.contains("tab") {
        return None;
    }
    let mut places: Vec<usize> = Vec::new();
    let mut lines: Vec<usize> = Vec::new();
    for line in 0..scene.source.line_count() {
        let (start, _) = scene.source.line_range(line);
        let before = places.len();
        if is_content(scene.line_text(line)) {
            places.extend(leading_tabs(scene.line_text(line)).map(|i| start + i));
        }
        if places.len() > before {
            lines.push(line);
        }
    }
    let &first = places.first()?;
    let end = first + scene.text[first..].bytes().take_while(|b| *b == b'\t').count();
    let mut fault = Fault::new(
        "P002",
        (first, end),
        match lines.len() {
            1 => "a tab is used to indent this line".to_owned(),
            n => format!("tabs are used to indent {n} lines"),
        },
    )
    .label("a tab, not blanks")
    .help("YAML only knows blanks: replace each tab by two blanks, and set your editor to do so");
    for &line in lines.iter().skip(1).take(5) {
        let (start, _) = scene.source.line_range(line);
        if let Some(tab) = leading_tabs(scene.line_text(line)).next() {
            fault = fault.see((start + tab, start + tab + 1), "here too");
        }
    }
    let edits: Vec<(Range, String)> = places.iter().map(|&p| ((p, p + 1), "  ".to_owned())).collect();
    let mut fixed = String::with_capacity(scene.text.len() + places.len());
    let mut from = 0;
    for &place in &places {
        fixed.push_str(&scene.text[from..place]);
        fixed.push_str("  ");
        from = place + 1;
    }
    fixed.push_str(&scene.text[from..]);
    let readable = read(&Source::new(&fixed), &fixed).is_ok();
    let title = "replace each tab by two blanks";
    fault = if readable { fault.sure(title, edits) } else { fault.maybe(title, edits) };
    Some(Explained { fault, mend: Mend::Bytes(places) })
}

/// A comment line inside a command that goes over several lines without quotes.
fn comment_inside(scene: &Scene<'_>) -> Option<Explained> {
    let comment = (0..=scene.line).rev().find(|&n| scene.line_text(n).trim_start().starts_with('#'))?;
    let between = (comment + 1..scene.line).all(|n| !is_content(scene.line_text(n)));
    let start = scene.before(comment)?;
    let opener = (0..=start).rev().find(|&n| is_content(scene.line_text(n)) && key_of(scene.line_text(n)).is_some())?;
    let deeper = indent(scene.line_text(scene.line)) > indent(scene.line_text(opener));
    if !between || !deeper || key_of(scene.line_text(scene.line)).is_some_and(|k| KNOWN.contains(&k)) {
        return None;
    }
    let value = scene.line_text(opener).split_once(':').map_or("", |(_, v)| v).trim();
    if value.is_empty() && opener == start || value.starts_with(['"', '\'', '[', '{', '|', '>']) {
        return None;
    }
    let place = scene.content(comment);
    let fault = Fault::new("P002", place, "a comment stands in the middle of a value that goes over several lines")
        .label("ends the value here")
        .help("move the comment above the key, or write the command as a block: `run: >` and the command below it, without comments")
        .see(scene.content(scene.line), "does not belong to anything any more");
    explained(fault, place.0)
}

/// When nothing better is known: what the parser said, in plain words.
fn generic(scene: &Scene<'_>) -> Explained {
    let place = scene.content(scene.line);
    let at = if (place.0..=place.1).contains(&scene.offset) {
        (scene.offset.min(place.1.saturating_sub(1)).max(place.0), place.1)
    } else {
        place
    };
    let mut fault = Fault::new("P002", at, format!("this cannot be read as YAML: {}", scene.info))
        .label("the file stops making sense here")
        .help("look at this line and the one above: indentation, the blank after `:`, quotes and brackets");
    if scene.line_text(scene.line).contains(['“', '”', '‘', '’', '„']) {
        fault = fault.also("the quotes on this line are typographic ones: use straight ones, \" or '");
    }
    Explained { fault, mend: Mend::Blank(place.0) }
}

/// A file in which every line begins in the first column: the page it was copied from dropped the indentation.
pub(crate) fn lost_indentation(source: &Source<'_>) -> Option<Fault> {
    let mut actions = None;
    let mut inner: Vec<usize> = Vec::new();
    for number in 0..source.line_count() {
        let line = source.line(number);
        if !is_content(line) {
            continue;
        }
        let Some(key) = key_of(line) else { continue };
        if line.starts_with([' ', '\t']) {
            return None;
        }
        match key {
            "actions" if line.trim_end().ends_with(':') => actions = actions.or(Some(number)),
            "run" | "outputs" | "needs" | "highly_sensitive" | "moderately_sensitive" if actions.is_some() => {
                inner.push(number)
            }
            _ => {}
        }
    }
    let (actions, &example) = (actions?, inner.iter().find(|&&n| key_of(source.line(n)) == Some("run"))?);
    let place = |line: usize| {
        let (start, end) = source.line_range(line);
        (start, start + source.text()[start..end].trim_end().len())
    };
    let first = (0..source.line_count())
        .find(|&n| key_of(source.line(n)).is_some_and(|k| k == "population_size" || n > actions))
        .unwrap_or(example);
    Some(
        Fault::new("P002", place(first), "the indentation of this file is lost: every key begins in the first column")
            .label("this line must be indented")
            .help(
                "copy the file again from its source, not from a web page or an e-mail; below `actions:` the name of each \
                 action is indented by two blanks, its keys by four, levels by six and paths by eight",
            )
            .see(place(actions), "actions stand below this, indented by two blanks")
            .see(place(example), "this belongs to an action, indented by four blanks"),
    )
}

/// Whether a word is a key that project files know.
pub(super) fn is_known_key(word: &str) -> bool {
    KNOWN.contains(&word)
}
