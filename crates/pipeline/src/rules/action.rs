//! One action: its keys, their types, and the draft that later rules look at.
//! Spec project-yaml.md 4, 7.3.

use super::top::Top;
use super::{Ctx, Draft, config, displaced, names, needs, outputs, path, place_of, run};
use crate::fault::{Fault, did_you_mean, quoted};
use crate::hash::HashMap;
use crate::source::Range;
use crate::suggest::nearest;
use crate::yaml::node::Entry;
use crate::yaml::{Value, View};

pub(super) const KEYS: [&str; 5] = ["run", "needs", "config", "outputs", "dummy_data_file"];
const RUN: usize = 0;
const NEEDS: usize = 1;
const CONFIG: usize = 2;
const OUTPUTS: usize = 3;
const DUMMY: usize = 4;
/// Actions in one project.
const MOST_ACTIONS: usize = 10_000;

type Found<'d, 'a> = [Option<(View<'d, 'a>, View<'d, 'a>)>; 5];

/// Reads every action.
pub(crate) fn read_all<'d, 'a>(ctx: &mut Ctx<'d, 'a>, top: &Top<'d, 'a>) -> Vec<Draft<'d>> {
    let Some(mapping) = top.actions else { return Vec::new() };
    ctx.judged.insert(mapping.id);
    let entries = mapping.entries();
    if let Some(extra) = entries.get(MOST_ACTIONS) {
        let fault = Fault::new("P212", extra.key.range(), format!("the project has {} actions", entries.len()))
            .label("the 10,001st action")
            .help("a project may have at most 10,000 actions; split it into several");
        ctx.faults.push(fault);
    }
    let mut drafts: Vec<Draft<'d>> = Vec::new();
    let mut seen: HashMap<String, Range> = HashMap::default();
    let mut entries = entries.into_iter().take(MOST_ACTIONS).peekable();
    while let Some(entry) = entries.next() {
        if entry.key.is_merge_key() {
            continue;
        }
        let Some(name) = names::name_of(entry.key) else {
            let fault = Fault::new("P205", entry.key.range(), "the name of an action must be text")
                .label("not text")
                .help("write a name made of letters, digits, `_` and `-`");
            ctx.faults.push(fault);
            continue;
        };
        if let Some(&first) = seen.get(&name) {
            duplicate(ctx, &name, first, entry.key.range());
            continue;
        }
        seen.insert(name.clone(), entry.key.range());
        names::judge(ctx, &name, entry.key);
        let mut astray: Vec<Entry<'d, 'a>> = Vec::new();
        while let Some(next) = entries.next_if(|next| {
            if !next.key.scalar().is_some_and(|(text, _)| KEYS.contains(&text)) {
                return false;
            }
            let key = names::name_of(next.key).unwrap_or_default();
            !seen.contains_key(&key) && displaced::is_displaced(&key, next, entry.value)
        }) {
            seen.extend(names::name_of(next.key).map(|key| (key, next.key.range())));
            astray.push(next);
        }
        let draft = read(ctx, name, entry, &astray, drafts.last().map(|d| d.name.as_str()));
        drafts.push(draft);
    }
    names::judge_together(ctx, &drafts);
    drafts
}

fn duplicate(ctx: &mut Ctx<'_, '_>, name: &str, first: Range, second: Range) {
    let line = ctx.source.position(first.0).line;
    let fault = Fault::new("P005", second, format!("there are two actions named {}", quoted(name)))
        .label("the same name again")
        .help(format!("rename one of them; the first is on line {line}"))
        .see(first, "the first one")
        .action(name)
        .at(path(name, &[]));
    ctx.faults.push(fault);
}

/// `astray` are keys of this action that stand beside it.
fn read<'d, 'a>(
    ctx: &mut Ctx<'d, 'a>,
    name: String,
    entry: Entry<'d, 'a>,
    astray: &[Entry<'d, 'a>],
    previous: Option<&str>,
) -> Draft<'d> {
    let place = entry.key.range();
    let mut draft = Draft {
        name,
        place,
        whole: (place.0, entry.value.use_range().1.max(place.1)),
        run: None,
        outputs: Vec::new(),
        levels: Vec::new(),
        needs: Vec::new(),
        needs_place: place,
        config: None,
        dummy_data_file: None,
        matrix: false,
    };
    if entry.value.value() != Value::Map && astray.is_empty() {
        not_a_mapping(ctx, &draft, entry, previous);
        return draft;
    }
    let mut found: Found<'d, 'a> = [None; 5];
    let mut unknown = Vec::new();
    for inner in entry.value.entries() {
        let text = inner.key.scalar().map(|(text, _)| text);
        match text.and_then(|t| KEYS.iter().position(|k| *k == t)) {
            Some(slot) => _ = found[slot].get_or_insert((inner.key, inner.value)),
            None if text == Some("matrix") => {
                draft.matrix = true;
                matrix(ctx, &draft, inner);
            }
            None => unknown.push(inner),
        }
    }
    if draft.matrix {
        // It stands for other actions; what is written inside is a template.
        return draft;
    }
    for inner in astray {
        if let Some(slot) = inner.key.scalar().and_then(|(text, _)| KEYS.iter().position(|k| *k == text)) {
            found[slot] = Some((inner.key, inner.value));
        }
    }
    displaced::report(ctx, &draft, astray, entry.value.entries().first().map(|e| e.key.range()));
    unknown_keys(ctx, &draft, unknown, &mut found);
    for (slot, what) in [(RUN, "a command"), (OUTPUTS, "its outputs")] {
        if found[slot].is_none() {
            missing(ctx, &draft, KEYS[slot], what);
        }
    }
    if let Some((key, value)) = found[RUN] {
        draft.run = run::read(ctx, &draft, key, value);
    }
    if let Some((key, value)) = found[OUTPUTS] {
        outputs::read(ctx, &mut draft, key, value);
    }
    if let Some((key, value)) = found[NEEDS] {
        needs::read(ctx, &mut draft, key, value);
    }
    if let Some((key, value)) = found[CONFIG] {
        draft.config = config::read(ctx, &draft, key, value);
    }
    if let Some((key, value)) = found[DUMMY] {
        draft.dummy_data_file = dummy_data_file(ctx, &draft, key, value);
    }
    draft
}

/// P201, with the parent that the key probably belongs to.
fn not_a_mapping(ctx: &mut Ctx<'_, '_>, draft: &Draft<'_>, entry: Entry<'_, '_>, previous: Option<&str>) {
    let (name, value) = (&draft.name, entry.value.value());
    let mut fault = Fault::new(
        "P201",
        place_of(entry.key, entry.value),
        format!("action {} is {}, not a mapping", quoted(name), value.describe()),
    )
    .label("expected `run:`, `outputs:` and so on")
    .action(name)
    .at(draft.at(&[]));
    fault = match (KEYS.contains(&name.as_str()), previous) {
        (true, Some(previous)) => fault.help(format!(
            "{} is a key of an action: indent it one level more, so that it belongs to {}",
            quoted(name),
            quoted(previous)
        )),
        _ => fault.help(format!(
            "below the name of an action stand `run:` and `outputs:`, indented one level more than {}",
            quoted(name)
        )),
    };
    if entry
        .value
        .text()
        .is_some_and(|t| KEYS.iter().any(|k| t.strip_prefix(k).is_some_and(|rest| rest.starts_with(':'))))
    {
        fault = fault.also("put a blank after the `:`");
    }
    ctx.faults.push(fault);
}

/// P901: a matrix is refused in words at every version.
fn matrix(ctx: &mut Ctx<'_, '_>, draft: &Draft<'_>, entry: Entry<'_, '_>) {
    let (message, help) = if ctx.faults.version < 5.0 {
        (
            "`matrix` needs version 5",
            "write each action out, or raise the version once the program that runs the study expands a matrix",
        )
    } else {
        ("this program cannot expand a `matrix` yet", "write each action out")
    };
    let fault = Fault::new("P901", entry.key.range(), message)
        .label("not supported here")
        .help(help)
        .action(&draft.name)
        .at(draft.at(&["matrix"]));
    ctx.faults.push(fault);
}

/// P203. A misspelt known key stands in for that key, so that it is one fault.
fn unknown_keys<'d, 'a>(
    ctx: &mut Ctx<'d, 'a>,
    draft: &Draft<'_>,
    unknown: Vec<Entry<'d, 'a>>,
    found: &mut Found<'d, 'a>,
) {
    for entry in unknown {
        let text = entry.key.scalar().map_or("", |(text, _)| text);
        let near = nearest(text, (0..5).filter(|&slot| found[slot].is_none()).map(|slot| KEYS[slot]));
        let place = entry.key.range();
        let mut fault =
            Fault::new("P203", place, format!("unknown key {} in action {}", quoted(text), quoted(&draft.name)))
                .label("not a key of an action")
                .action(&draft.name)
                .at(draft.at(&[text]));
        if let Some(help) = did_you_mean(&near) {
            fault = fault.help(help);
            if let [only] = near.as_slice() {
                fault = fault.sure(format!("rename the key to `{only}`"), vec![(place, only.clone())]);
                if let Some(slot) = KEYS.iter().position(|k| k == only) {
                    found[slot] = Some((entry.key, entry.value));
                }
            }
        } else if outputs::LEVELS.iter().any(|(level, _)| *level == text) {
            fault = fault.help("this is a level of `outputs`: indent it by two more blanks, below `outputs:`");
        } else if text == "population_size" {
            fault = fault.help("this is a key of `expectations` at the top of the file");
        } else if entry
            .value
            .entries()
            .iter()
            .any(|e| e.key.scalar().is_some_and(|(t, _)| t == "run" || t == "outputs"))
        {
            fault = fault
                .help(format!("this looks like an action of its own: indent it as little as {}", quoted(&draft.name)));
        } else if text.contains(':') {
            fault = fault.help("put a blank after the `:`");
        } else {
            fault = fault.help("an action has `run`, `outputs`, and if wanted `needs`, `config` and `dummy_data_file`");
        }
        ctx.faults.push(fault);
    }
}

/// P202.
fn missing(ctx: &mut Ctx<'_, '_>, draft: &Draft<'_>, key: &str, what: &str) {
    let fault = Fault::new("P202", draft.place, format!("action {} has no `{key}`", quoted(&draft.name)))
        .label(format!("{what} must be given"))
        .help(match key {
            "run" => "add for example `run: python:v2 analysis/script.py` below the name",
            _ => "add `outputs:`, below it a level such as `highly_sensitive:`, and below that `name: output/file.csv`",
        })
        .action(&draft.name)
        .at(draft.at(&[key]));
    ctx.faults.push(fault);
}

/// P204.
pub(crate) fn wrong_type(
    ctx: &mut Ctx<'_, '_>,
    draft: &Draft<'_>,
    key: &str,
    place: Range,
    value: Value<'_>,
    expected: &str,
) {
    let fault = Fault::new(
        "P204",
        place,
        format!("`{key}` of action {} is {}, not {expected}", quoted(&draft.name), value.describe()),
    )
    .label(format!("expected {expected}"))
    .help(match value {
        Value::Unusable(_) => "remove the tag, which begins with `!`",
        Value::Null => "write the value after the `:`, or indented on the lines below",
        _ if expected == "text" => "write it as text; put quotes around it if it looks like something else",
        _ => "write `name: value` lines below it, indented one level more",
    })
    .action(&draft.name)
    .at(draft.at(&[key]));
    ctx.faults.push(fault);
}

/// P204, P711.
fn dummy_data_file(
    ctx: &mut Ctx<'_, '_>,
    draft: &Draft<'_>,
    key: View<'_, '_>,
    value: View<'_, '_>,
) -> Option<(String, Range)> {
    let place = place_of(key, value);
    let Some(text) = value.text() else {
        if value.value() != Value::Null {
            wrong_type(ctx, draft, "dummy_data_file", place, value.value(), "text");
        }
        return None;
    };
    let file = text.replace('\\', "/");
    let drive = file.as_bytes().get(1) == Some(&b':') && file.as_bytes().get(2) == Some(&b'/');
    if file.starts_with('/') || drive || file.split('/').any(|s| s == "..") {
        let fault = Fault::new("P711", place, format!("the dummy data file {} lies outside the study", quoted(text)))
            .label("the job cannot see it")
            .help("put the file into the study's folder and write its path from there, such as `test-data/dummy.csv`")
            .action(&draft.name)
            .at(draft.at(&["dummy_data_file"]));
        ctx.faults.push(fault);
    }
    Some((file, place))
}
