//! `outputs`: privacy levels and their entries (spec project-yaml.md 6.1).
//! The paths themselves are judged in `paths`.

use super::{Ctx, Draft, OutputDraft, action, paths, place_of};
use crate::PrivacyLevel;
use crate::fault::{Fault, did_you_mean, quoted};
use crate::suggest::closest;
use crate::yaml::node::Entry;
use crate::yaml::{Value, View};

/// The levels, most sensitive first.
pub(crate) const LEVELS: [(&str, PrivacyLevel); 3] = [
    ("highly_sensitive", PrivacyLevel::HighlySensitive),
    ("moderately_sensitive", PrivacyLevel::ModeratelySensitive),
    ("minimally_sensitive", PrivacyLevel::MinimallySensitive),
];

/// Whether a word is the name of a level.
pub(super) fn is_level(word: &str) -> bool {
    LEVELS.iter().any(|(name, _)| *name == word)
}

/// Outputs of one action.
const MOST: usize = 10_000;

/// P501 to P505, P524, P525.
pub(crate) fn read<'d>(ctx: &mut Ctx<'d, '_>, draft: &mut Draft<'d>, key: View<'d, '_>, value: View<'d, '_>) {
    let place = place_of(key, value);
    if value.value() != Value::Map {
        action::wrong_type(ctx, draft, "outputs", place, value.value(), "a mapping of privacy levels");
        return;
    }
    let entries = value.entries();
    let mut used: Vec<PrivacyLevel> = Vec::new();
    let mut near_miss = false;
    for entry in &entries {
        let text = entry.key.scalar().map_or("", |(text, _)| text);
        let known = LEVELS.iter().find(|(name, _)| *name == text).map(|(_, level)| *level);
        let level = known.or_else(|| {
            let absent = LEVELS
                .iter()
                .filter(|(name, _)| !entries.iter().any(|e| e.key.scalar().is_some_and(|(t, _)| t == *name)));
            let near = closest(text, absent.map(|(name, _)| *name));
            unknown_level(ctx, draft, entry, text, &near);
            near_miss |= !near.is_empty();
            near.first().and_then(|n| LEVELS.iter().find(|(name, _)| name == n)).map(|(_, level)| *level)
        });
        let Some(level) = level else { continue };
        if entry.value.value() != Value::Null && !used.contains(&level) {
            used.push(level);
            level_entries(ctx, draft, level, entry.key, entry.value);
        }
    }
    if used.is_empty() && !near_miss {
        let message = if entries.iter().any(|e| e.key.scalar().is_some_and(|(text, _)| !is_level(text))) {
            format!("none of the outputs of action {} stands below a privacy level", quoted(&draft.name))
        } else {
            format!("action {} declares no outputs", quoted(&draft.name))
        };
        let fault = Fault::new("P501", key.range(), message)
            .label("no privacy level below this")
            .help("add a level, such as `highly_sensitive:`, and below it `name: output/file.csv`")
            .action(&draft.name)
            .at(draft.at(&["outputs"]));
        ctx.faults.push(fault);
    }
    if draft.outputs.len() > MOST {
        let fault = Fault::new(
            "P525",
            key.range(),
            format!("action {} declares {} outputs", quoted(&draft.name), draft.outputs.len()),
        )
        .label("more than 10,000")
        .help("use patterns with `*`")
        .action(&draft.name)
        .at(draft.at(&["outputs"]));
        ctx.faults.push(fault);
        draft.outputs.truncate(MOST);
    }
}

/// P502.
fn unknown_level(ctx: &mut Ctx<'_, '_>, draft: &Draft<'_>, entry: &Entry<'_, '_>, text: &str, near: &[String]) {
    let key = entry.key;
    let mut fault = Fault::new("P502", key.range(), format!("unknown privacy level {}", quoted(text)))
        .label("not a privacy level")
        .action(&draft.name)
        .at(draft.at(&["outputs", text]));
    fault = match did_you_mean(near) {
        Some(help) => fault.help(help),
        None => match entry.value.text() {
            Some(path) => fault.help(format!(
                "this reads like an output: indent {} by two more blanks, below `highly_sensitive:` or `moderately_sensitive:`",
                quoted(&format!("{text}: {path}"))
            )),
            None => fault.help(
                "the levels are `highly_sensitive` and `moderately_sensitive`; names and paths stand one level below them",
            ),
        },
    };
    if let [only] = near {
        // A level decides who may see a file, so the change is only shown.
        fault = fault.maybe(format!("write `{only}`"), vec![(key.range(), only.clone())]);
    }
    ctx.faults.push(fault);
}

fn level_entries<'d>(
    ctx: &mut Ctx<'d, '_>,
    draft: &mut Draft<'d>,
    level: PrivacyLevel,
    key: View<'d, '_>,
    value: View<'d, '_>,
) {
    let at = || draft.at(&["outputs", level.as_str()]);
    if level == PrivacyLevel::MinimallySensitive {
        let fault = Fault::new("P524", key.range(), "`minimally_sensitive` is treated as `highly_sensitive`")
            .label("cannot be viewed or released")
            .help("use `moderately_sensitive` for what is to be reviewed")
            .action(&draft.name)
            .at(at());
        ctx.faults.push(fault);
    }
    if value.value() != Value::Map {
        let fault =
            Fault::new("P503", value.range(), format!("`{level}` is {}, not a mapping", value.value().describe()))
                .label("expected `name: path`")
                .help("write each output on a line of its own as `name: output/file.csv`, indented below the level")
                .action(&draft.name)
                .at(at());
        ctx.faults.push(fault);
        return;
    }
    let entries = value.entries();
    if entries.is_empty() {
        let fault = Fault::new("P505", place_of(key, value), format!("`{level}` lists no files"))
            .label("nothing is kept at this level")
            .help("what the action writes and no pattern matches is thrown away; remove the level or name its files")
            .action(&draft.name)
            .at(at());
        ctx.faults.push(fault);
        return;
    }
    draft.levels.push((level, key.range()));
    draft.outputs.reserve(entries.len());
    for entry in entries {
        let name = entry.key.scalar().map_or("", |(text, _)| text);
        let place = place_of(entry.key, entry.value);
        let Some(path) = entry.value.text() else {
            let fault = Fault::new(
                "P504",
                place,
                format!("the path of output {} is {}, not text", quoted(name), entry.value.value().describe()),
            )
            .label("expected a path such as `output/file.csv`")
            .help("each output has one path or pattern; several files need several lines, or a `*`")
            .action(&draft.name)
            .at(draft.at(&["outputs", level.as_str(), name]));
            ctx.faults.push(fault);
            continue;
        };
        let sound = paths::judge(ctx, draft, (level, name), path, place);
        draft.outputs.push(OutputDraft { level, name, path, place: entry.value.use_range(), sound });
    }
}
