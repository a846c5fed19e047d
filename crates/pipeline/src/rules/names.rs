//! Names of actions: how a key is read as a name, and which names are refused or doubtful.
//! Spec project-yaml.md 4.

use super::{Ctx, Draft, path};
use crate::fault::{Fault, quoted};
use crate::hash::HashMap;
use crate::source::Range;
use crate::yaml::scalar::decimal;
use crate::yaml::{Value, View};

/// Names become file names.
const LONGEST: usize = 200;

/// The name that a scalar stands for: an integer is its decimal text, anything else its source text.
/// `None` for lists, mappings and values with a foreign tag.
pub(crate) fn name_of(view: View<'_, '_>) -> Option<String> {
    match view.value() {
        Value::Int(text) => Some(decimal(text).unwrap_or_else(|| text.to_owned())),
        Value::Seq | Value::Map | Value::Unusable(_) => None,
        _ => view.scalar().map(|(text, _)| text.to_owned()),
    }
}

/// Whether Windows keeps this file name for a device, whatever its extension.
pub(crate) fn is_device(name: &[u8]) -> bool {
    // Beyond five bytes it is no device, whatever comes.
    let end = name.iter().take(5).position(|&b| b == b'.').unwrap_or(name.len());
    match &name[..end] {
        [a, b, c] => ["CON", "PRN", "AUX", "NUL"].iter().any(|d| d.as_bytes().eq_ignore_ascii_case(&[*a, *b, *c])),
        [a, b, c, b'1'..=b'9'] => ["COM", "LPT"].iter().any(|d| d.as_bytes().eq_ignore_ascii_case(&[*a, *b, *c])),
        _ => false,
    }
}

/// P205, P206, P207, P209 for one name.
pub(crate) fn judge(ctx: &mut Ctx<'_, '_>, name: &str, key: View<'_, '_>) {
    let place = key.range();
    let refusal = if name.is_empty() {
        Some("is empty")
    } else if name.contains(['/', '\\']) {
        Some("contains a slash")
    } else if name.chars().any(char::is_control) {
        Some("contains a control character")
    } else if name == "." || name == ".." {
        Some("means a folder")
    } else if name.starts_with('-') {
        Some("begins with `-`")
    } else if name.len() > LONGEST {
        Some("is longer than 200 bytes")
    } else {
        None
    };
    let at = || path(name, &[]);
    if let Some(why) = refusal {
        let fault = Fault::new("P205", place, format!("the action name {} {why}", quoted(name)))
            .label("cannot be the name of an action")
            .help("names become file names and web addresses: use letters, digits, `_` and `-`, at most 200 bytes")
            .action(name)
            .at(at());
        ctx.faults.push(fault);
        return;
    }
    if name == "run_all" {
        let fault = Fault::new("P206", place, "`run_all` cannot be defined as an action in version 5")
            .label("this name is reserved")
            .help("remove this action: `run_all` already stands for every action of the project")
            .action(name)
            .at(at());
        ctx.faults.push(fault);
        let fault = Fault::new("P207", place, "the action `run_all` is not needed and will not run")
            .label("this name already stands for every action")
            .help(
                "remove it; asking for `run_all` runs all other actions, and version 5 refuses an action of this name",
            )
            .action(name)
            .at(at());
        ctx.faults.push(fault);
        return;
    }
    let odd = if name.chars().any(|c| !c.is_ascii_alphanumeric() && c != '_' && c != '-') {
        Some("has characters other than letters, digits, `_` and `-`")
    } else if matches!(key.value(), Value::Null | Value::Bool(_)) {
        Some("is a word that YAML gives a meaning of its own")
    } else if is_device(name.as_bytes()) {
        Some("is the name of a device on Windows, where its log cannot be written")
    } else {
        None
    };
    if let Some(why) = odd {
        let fault = Fault::new("P209", place, format!("the action name {} {why}", quoted(name)))
            .label("legal, but will cause trouble")
            .help("rename the action using letters, digits, `_` and `-`")
            .action(name)
            .at(at());
        ctx.faults.push(fault);
    }
}

/// P005 for two keys that stand for one name, P210 for names that differ only by case.
pub(crate) fn judge_together(ctx: &mut Ctx<'_, '_>, drafts: &[Draft<'_>]) {
    // All names are different, so without capital letters they stay different in lower case.
    if !drafts.iter().any(|d| d.name.contains(char::is_uppercase)) {
        return;
    }
    let mut folded: HashMap<String, (&str, Range)> = HashMap::default();
    for draft in drafts {
        match folded.get(&draft.name.to_lowercase()) {
            Some(&(first, place)) if first != draft.name => {
                let fault = Fault::new(
                    "P210",
                    draft.place,
                    format!("the action names {} and {} differ only by case", quoted(first), quoted(&draft.name)),
                )
                .label("collides with the other name on some laptops")
                .help("rename one of them: their logs would be one file on Windows and macOS")
                .see(place, "the other name")
                .action(&draft.name)
                .at(draft.at(&[]));
                ctx.faults.push(fault);
            }
            Some(_) => {}
            None => {
                folded.insert(draft.name.to_lowercase(), (&draft.name, draft.place));
            }
        }
    }
}
