//! `needs`: the list itself, then the names in it once all actions are known.
//! Spec project-yaml.md 7.1; cycles are in `cycles`.

use super::{Ctx, Draft, NeedDraft, names, place_of};
use crate::fault::{Fault, did_you_mean, quoted};
use crate::hash::{HashMap, HashSet};
use crate::source::Range;
use crate::suggest::nearest;
use crate::yaml::{Value, View};
use crate::{PathStep, Pattern};

/// Needs of one action.
const MOST: usize = 5_000;
/// Needs of all actions.
const MOST_EDGES: usize = 1_000_000;
/// Comparisons of an unknown name with a known one in search of similar ones; it bounds the time.
const MOST_COMPARISONS: usize = 200_000;

/// P401, P402, P408 and the drafts of the items.
pub(crate) fn read<'d>(ctx: &mut Ctx<'d, '_>, draft: &mut Draft<'d>, key: View<'d, '_>, value: View<'d, '_>) {
    let place = place_of(key, value);
    match value.value() {
        Value::Null => return,
        Value::Seq => {}
        other => {
            let mut fault = Fault::new(
                "P401",
                place,
                format!("`needs` of action {} is {}, not a list", quoted(&draft.name), other.describe()),
            )
            .label("expected a list of action names")
            .help("write `needs: [first_action, second_action]`")
            .action(&draft.name)
            .at(draft.at(&["needs"]));
            if let Some(text) = value.text() {
                let list: Vec<&str> = text.split([' ', ',', '\n', '\t']).filter(|s| !s.is_empty()).collect();
                let list = format!("[{}]", list.join(", "));
                let mended = format!("write {}", quoted(&format!("needs: {list}")));
                fault = fault.help(mended.clone()).maybe(mended, vec![(place, list)]);
            }
            ctx.faults.push(fault);
            return;
        }
    }
    draft.needs_place = value.range();
    let items = value.items();
    if items.len() > MOST {
        let fault = Fault::new("P408", place, format!("action {} needs {} actions", quoted(&draft.name), items.len()))
            .label("more than 5,000")
            .help("collect them in actions in between")
            .action(&draft.name)
            .at(draft.at(&["needs"]));
        ctx.faults.push(fault);
    }
    for (index, item) in items.into_iter().take(MOST).enumerate() {
        let name = match item.value() {
            Value::Null => None,
            _ => names::name_of(item),
        };
        let item_place = if item.range().0 < item.range().1 { item.range() } else { place };
        match name {
            Some(name) => draft.needs.push(NeedDraft { name, place: item_place, index }),
            None => {
                let fault = Fault::new(
                    "P402",
                    item_place,
                    format!("a need of action {} is {}, not a name", quoted(&draft.name), item.value().describe()),
                )
                .label("expected the name of an action")
                .help("write each need as a name; remove empty entries")
                .action(&draft.name)
                .at(item_path(draft, index));
                ctx.faults.push(fault);
            }
        }
    }
}

fn item_path(draft: &Draft<'_>, index: usize) -> Vec<PathStep> {
    let mut at = draft.at(&["needs"]);
    at.push(PathStep::Index(index));
    at
}

/// P403, P404, P406, P407 and the limit on all needs.
pub(crate) fn judge(ctx: &mut Ctx<'_, '_>, drafts: &[Draft<'_>]) {
    let known: HashMap<&str, &Draft<'_>> = drafts.iter().map(|d| (d.name.as_str(), d)).collect();
    let total: usize = drafts.iter().map(|d| d.needs.len()).sum();
    if total > MOST_EDGES {
        ctx.faults.push(
            Fault::whole("P408", format!("the actions need each other {total} times"))
                .help("a project may have at most 1,000,000 needs in all"),
        );
    }
    let mut comparisons = 0;
    let has_matrix = drafts.iter().any(|d| d.matrix);
    for draft in drafts {
        let mut seen: HashMap<&str, Range> = HashMap::with_capacity_and_hasher(draft.needs.len(), Default::default());
        for need in &draft.needs {
            if let Some(&first) = seen.get(need.name.as_str()) {
                repeated(ctx, draft, need, first);
                continue;
            }
            seen.insert(&need.name, need.place);
            if need.name == draft.name {
                let fault = Fault::new("P406", need.place, format!("action {} needs itself", quoted(&draft.name)))
                    .label("the action itself")
                    .help("remove it from `needs`")
                    .action(&draft.name)
                    .at(item_path(draft, need.index));
                ctx.faults.push(fault);
            } else if !known.contains_key(need.name.as_str()) && !ctx.damage.may_be_action(&need.name) {
                if has_matrix && need.name.contains(['[', '$']) {
                    continue;
                }
                unknown(ctx, draft, need, &known, drafts, &mut comparisons);
            }
        }
    }
}

/// P407, with the fix that drops the repeat.
fn repeated(ctx: &mut Ctx<'_, '_>, draft: &Draft<'_>, need: &NeedDraft, first: Range) {
    let mut fault =
        Fault::new("P407", need.place, format!("action {} needs {} twice", quoted(&draft.name), quoted(&need.name)))
            .label("repeated")
            .help("remove the repeat; it is ignored")
            .see(first, "already needed here")
            .action(&draft.name)
            .at(item_path(draft, need.index));
    if let Some(edit) = removal(ctx, draft, need) {
        fault = fault.sure(format!("remove the second {}", quoted(&need.name)), vec![(edit, String::new())]);
    }
    ctx.faults.push(fault);
}

/// The range to delete so that an item that is not the first one disappears from its list.
fn removal(ctx: &Ctx<'_, '_>, draft: &Draft<'_>, need: &NeedDraft) -> Option<Range> {
    let text = ctx.source.text();
    if text.as_bytes().get(draft.needs_place.0) == Some(&b'[') {
        let before = text.get(..need.place.0)?.trim_end_matches([' ', '\t', '\n', '\r']);
        return before.ends_with(',').then_some((before.len() - 1, need.place.1));
    }
    let line = ctx.source.line_of(need.place.0);
    let (start, end) = ctx.source.line_range(line);
    let alone = text.get(start..need.place.0)?.trim() == "-" && text.get(need.place.1..end)?.trim().is_empty();
    alone.then(|| (start, ctx.source.line_range(line + 1).0.max(end)))
}

/// The list with the pieces in place of the need, as it would be written on one line.
fn mended_list(draft: &Draft<'_>, need: &NeedDraft, pieces: &[&str]) -> String {
    let names =
        draft.needs.iter().flat_map(|n| if n.index == need.index { pieces.to_vec() } else { vec![n.name.as_str()] });
    quoted(&format!("needs: [{}]", names.take(20).collect::<Vec<_>>().join(", ")))
}

/// The action that makes the file which somebody needs by its path.
fn maker<'f>(
    draft: &Draft<'_>,
    need: &NeedDraft,
    drafts: &'f [Draft<'f>],
    comparisons: &mut usize,
) -> Option<&'f Draft<'f>> {
    if !need.name.contains(['/', '.']) {
        return None;
    }
    *comparisons += drafts.iter().map(|d| d.outputs.len()).sum::<usize>();
    let within = *comparisons <= MOST_COMPARISONS;
    let makes = |d: &&Draft<'_>| {
        d.name != draft.name
            && d.outputs.iter().any(|o| o.path == need.name || o.sound && Pattern::new(o.path).matches(&need.name))
    };
    drafts.iter().filter(|_| within).find(makes)
}

/// P403 and P404.
fn unknown(
    ctx: &mut Ctx<'_, '_>,
    draft: &Draft<'_>,
    need: &NeedDraft,
    known: &HashMap<&str, &Draft<'_>>,
    drafts: &[Draft<'_>],
    comparisons: &mut usize,
) {
    let at = item_path(draft, need.index);
    if need.name.contains([' ', '\t', '\n']) {
        let pieces: Vec<&str> = need.name.split_whitespace().collect();
        let all_known = pieces.iter().all(|p| known.contains_key(p));
        let mut fault = Fault::new("P403", need.place, format!("the need {} has a blank in it", quoted(&need.name)))
            .label("one name is expected here")
            .action(&draft.name)
            .at(at);
        let in_flow = ctx.source.text().as_bytes().get(draft.needs_place.0) == Some(&b'[');
        fault = if all_known && in_flow {
            fault.help(format!("names in a list are separated by commas: {}", mended_list(draft, need, &pieces)))
        } else if all_known {
            let lines: Vec<String> = pieces.iter().map(|p| quoted(&format!("- {p}"))).collect();
            fault.help(format!("give each name a line of its own: {}", lines.join(", ")))
        } else {
            let missing: Vec<&str> = pieces.iter().filter(|p| !known.contains_key(*p)).copied().collect();
            fault.help(format!(
                "names in a list are separated by commas; no action is named {}",
                crate::fault::one_of(missing.into_iter().take(3))
            ))
        };
        if all_known && in_flow {
            fault = fault.sure("separate the names by commas", vec![(need.place, pieces.join(", "))]);
        }
        ctx.faults.push(fault);
        return;
    }
    let mut fault = Fault::new(
        "P404",
        need.place,
        format!("action {} needs {}, which does not exist", quoted(&draft.name), quoted(&need.name)),
    )
    .label("no action has this name")
    .action(&draft.name)
    .at(at);
    if need.name == "run_all" {
        ctx.faults.push(fault.help("`run_all` stands for every action and cannot be needed: name the actions"));
        return;
    }
    if let Some(maker) = maker(draft, need, drafts, comparisons) {
        let line = ctx.source.position(maker.place.0).line;
        let help = format!(
            "this is a file, not an action; action {} makes it (line {line}): write its name",
            quoted(&maker.name)
        );
        let fault = fault.help(help).see(maker.place, "makes this file");
        ctx.faults.push(fault.maybe(format!("write `{}`", maker.name), vec![(need.place, maker.name.clone())]));
        return;
    }
    let own: HashSet<&str> = draft.needs.iter().map(|n| n.name.as_str()).collect();
    *comparisons += drafts.len();
    let near = if *comparisons <= MOST_COMPARISONS.max(drafts.len()) {
        nearest(&need.name, drafts.iter().map(|d| d.name.as_str()).filter(|n| *n != draft.name))
    } else {
        Vec::new()
    };
    match near.as_slice() {
        [] => fault = fault.help("a need is the name of an action of this file, spelt exactly as there"),
        [only] => {
            let line = known.get(only.as_str()).map_or(0, |d| ctx.source.position(d.place.0).line);
            fault = fault.help(format!("did you mean {} (line {line})?", quoted(only)));
            if !own.contains(only.as_str()) {
                fault = fault.sure(format!("write `{only}`"), vec![(need.place, only.clone())]);
            }
        }
        several => {
            if let Some(help) = did_you_mean(several) {
                fault = fault.help(help);
            }
        }
    }
    ctx.faults.push(fault);
}
