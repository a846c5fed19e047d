//! A key of an action that stands beside the action instead of below it, one level too far left.
//! Spec project-yaml.md 2: one fault that names the parent it belongs to, and none that only follow from it.

use super::action::KEYS;
use super::{Ctx, Draft, outputs, place_of};
use crate::fault::{Fault, quoted};
use crate::source::Range;
use crate::yaml::node::Entry;
use crate::yaml::{Value, View};

/// Whether this entry of `actions`, read as the action `name`, is a key of the action before it.
pub(super) fn is_displaced(name: &str, entry: &Entry<'_, '_>, owner: View<'_, '_>) -> bool {
    let has = |view: View<'_, '_>, key: &str| {
        view.entries().iter().any(|e| e.key.scalar().is_some_and(|(text, _)| text == key))
    };
    // A mapping that could be an action of its own stays one.
    let as_action = || has(entry.value, "run") || has(entry.value, "outputs");
    KEYS.contains(&name)
        && matches!(owner.value(), Value::Map | Value::Null)
        && !has(owner, name)
        && match (name, entry.value.value()) {
            ("outputs", Value::Map) => {
                !as_action()
                    && entry
                        .value
                        .entries()
                        .iter()
                        .any(|e| e.key.scalar().is_some_and(|(text, _)| outputs::is_level(text)))
            }
            ("config", Value::Map) => !as_action() && has(owner, "run"),
            (_, Value::Map) => false,
            ("run" | "dummy_data_file", value) => matches!(value, Value::Text(_)),
            ("needs", value) => matches!(value, Value::Seq | Value::Text(_)),
            (_, _) => false,
        }
}

/// P201 where the value alone shows that it is no action, P202 where the action lacks the key.
pub(super) fn report(ctx: &mut Ctx<'_, '_>, draft: &Draft<'_>, keys: &[Entry<'_, '_>], inner: Option<Range>) {
    let [first, rest @ ..] = keys else { return };
    let names: Vec<String> = keys.iter().filter_map(|e| e.key.scalar()).map(|(text, _)| quoted(text)).collect();
    let names = match names.as_slice() {
        [all @ .., last] if !all.is_empty() => format!("{} and {last}", all.join(", ")),
        one => one.concat(),
    };
    let owner = quoted(&draft.name);
    let (stand, these) = if rest.is_empty() { ("stands", "this key") } else { ("stand", "these keys") };
    let mut fault = if first.value.value() == Value::Map {
        Fault::new("P202", draft.place, format!("action {owner} has no {names}, which {stand} one level too far left"))
            .label("the action it belongs to")
            .see(first.key.range(), "read as an action of its own")
    } else {
        let place = place_of(first.key, first.value);
        Fault::new("P201", place, format!("{names} {stand} one level too far left to belong to action {owner}"))
            .label("read as an action of its own")
            .see(draft.place, "the action it belongs to")
    };
    let keys_of_action = first.key.scalar().map_or(Vec::new(), |(text, _)| vec![text]);
    fault = fault
        .help(format!("indent {these} and all that is below by as much as the other keys of {owner}"))
        .action(&draft.name)
        .at(draft.at(&keys_of_action));
    for entry in rest {
        fault = fault.see(entry.key.range(), "this one too");
    }
    if let Some(edits) = indentation(ctx, draft, keys, inner) {
        fault = fault.sure(format!("indent {names}"), edits);
    }
    ctx.faults.push(fault);
}

/// Blanks before every line of the keys; `None` in flow style, or where a comment or anything else shares the lines.
fn indentation(
    ctx: &Ctx<'_, '_>,
    draft: &Draft<'_>,
    keys: &[Entry<'_, '_>],
    inner: Option<Range>,
) -> Option<Vec<(Range, String)>> {
    let column = |at: usize| {
        let (start, _) = ctx.source.line_range(ctx.source.line_of(at));
        let before = ctx.source.text().get(start..at)?;
        before.bytes().all(|b| b == b' ').then_some(before.len())
    };
    let outer = column(draft.place.0)?;
    let wanted = match inner {
        Some(place) => column(place.0)?.checked_sub(outer).filter(|&by| by > 0)?,
        None => 2,
    };
    let mut edits = Vec::new();
    for entry in keys {
        if column(entry.key.range().0)? != outer || entry.merged {
            return None;
        }
        let last = ctx.source.line_of(entry.value.use_range().1.max(entry.key.range().1).saturating_sub(1));
        for line in ctx.source.line_of(entry.key.range().0)..=last {
            let (start, end) = ctx.source.line_range(line);
            if start < end {
                edits.push(((start, start), " ".repeat(wanted)));
            }
        }
    }
    Some(edits)
}
