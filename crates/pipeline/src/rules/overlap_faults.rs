//! What overlapping output patterns mean: P520 to P523 and P526 (spec project-yaml.md 6.3).
//! Finding the pairs is the work of `overlap`.

use std::borrow::Cow;

use super::overlap::{Meeting, Pair, find};
use super::{Ctx, Draft, OutputDraft, cycles};
use crate::fault::{Fault, quoted};
use crate::hash::{HashMap, HashSet};
use crate::pattern::contains;
use crate::{PrivacyLevel, Severity};

/// An output with the number of its action.
type Placed<'o, 'd> = (usize, &'o OutputDraft<'d>);

/// All rules about more than one path.
pub(crate) fn judge(ctx: &mut Ctx<'_, '_>, drafts: &[Draft<'_>]) {
    let outputs: Vec<Placed<'_, '_>> = drafts
        .iter()
        .enumerate()
        .flat_map(|(i, d)| d.outputs.iter().map(move |o| (i, o)))
        .filter(|(_, o)| o.sound)
        .collect();
    let equal = equal_paths(ctx, drafts, &outputs);
    differ_by_case(ctx, drafts, &outputs);
    let texts: Vec<&str> = outputs.iter().map(|(_, o)| o.path).collect();
    // Within one action only different levels matter; a user-defined `run_all` never hides another action's files.
    let wanted = |a: usize, b: usize| {
        let ((i, x), (j, y)) = (outputs[a], outputs[b]);
        if i == j { x.level != y.level } else { !drafts[i].is_run_all() && !drafts[j].is_run_all() }
    };
    let overlaps = find(&texts, wanted);
    for pair in &overlaps.pairs {
        meeting(ctx, drafts, outputs[pair.first], outputs[pair.second], pair.how);
    }
    if overlaps.cut {
        let fault = Fault::whole("P521", "so many output patterns overlap that not all of them are listed")
            .severity(Severity::Note)
            .help("use patterns that begin with the name of their action");
        ctx.faults.push(fault);
    }
    less_sensitive(ctx, drafts, &outputs, &overlaps.pairs, &equal);
}

/// P520; gives the pairs of equal paths, each with the first one.
fn equal_paths(ctx: &mut Ctx<'_, '_>, drafts: &[Draft<'_>], outputs: &[Placed<'_, '_>]) -> Vec<(usize, usize)> {
    let mut first: HashMap<&str, usize> = HashMap::with_capacity_and_hasher(outputs.len(), Default::default());
    let mut pairs = Vec::new();
    for (slot, &(action, output)) in outputs.iter().enumerate() {
        let Some(&other) = first.get(output.path) else {
            first.insert(output.path, slot);
            continue;
        };
        pairs.push((other, slot));
        let (owner, before) = outputs[other];
        let line = ctx.source.position(before.place.0).line;
        let whose = if owner == action {
            "by the same action".to_owned()
        } else {
            format!("by action {}", quoted(&drafts[owner].name))
        };
        let fault = Fault::new("P520", output.place, format!("the output {} is declared twice", quoted(output.path)))
            .label("the same path again")
            .help(format!("it is declared {whose} on line {line}; give each output a path of its own"))
            .see(before.place, "the first one")
            .action(&drafts[action].name)
            .at(drafts[action].at(&["outputs", output.level.as_str(), output.name]));
        ctx.faults.push(fault);
    }
    pairs
}

fn has_capitals(path: &str) -> bool {
    if path.is_ascii() {
        path.bytes().fold(false, |found, b| found | b.is_ascii_uppercase())
    } else {
        path.contains(char::is_uppercase)
    }
}

/// A path as a file system that ignores case sees it.
fn folded(path: &str) -> Cow<'_, str> {
    if has_capitals(path) { Cow::Owned(path.to_lowercase()) } else { Cow::Borrowed(path) }
}

/// P523.
fn differ_by_case(ctx: &mut Ctx<'_, '_>, drafts: &[Draft<'_>], outputs: &[Placed<'_, '_>]) {
    if !outputs.iter().any(|(_, o)| has_capitals(o.path)) {
        return;
    }
    let mut first: HashMap<Cow<'_, str>, usize> = HashMap::default();
    let mut reported: HashSet<&str> = HashSet::default();
    for (slot, &(action, output)) in outputs.iter().enumerate() {
        let other = *first.entry(folded(output.path)).or_insert(slot);
        let before = outputs[other].1;
        if before.path == output.path || !reported.insert(output.path) {
            continue;
        }
        let fault = Fault::new(
            "P523",
            output.place,
            format!("the outputs {} and {} differ only by case", quoted(before.path), quoted(output.path)),
        )
        .label("the same file on some laptops")
        .help("rename one of them")
        .see(before.place, "the other one")
        .action(&drafts[action].name)
        .at(drafts[action].at(&["outputs", output.level.as_str(), output.name]));
        ctx.faults.push(fault);
    }
}

/// P521 between actions, P522 between levels of one action.
fn meeting(ctx: &mut Ctx<'_, '_>, drafts: &[Draft<'_>], first: Placed<'_, '_>, second: Placed<'_, '_>, how: Meeting) {
    let ((i, a), (j, b)) = (first, second);
    let at = drafts[j].at(&["outputs", b.level.as_str(), b.name]);
    if i == j {
        let fault = Fault::new(
            "P522",
            b.place,
            format!("{} and {} can match the same file at two levels", quoted(a.path), quoted(b.path)),
        )
        .label(format!("{}, and {} above", b.level, a.level))
        .help("such a file gets the more sensitive level; make the patterns distinct")
        .see(a.place, "the other level")
        .action(&drafts[j].name)
        .at(at);
        ctx.faults.push(fault);
        return;
    }
    let said = |o: &OutputDraft<'_>, i: usize| format!("{} of {}", quoted(o.path), quoted(&drafts[i].name));
    let (severity, message, what) = match how {
        Meeting::Contains if contains(b.path, a.path) => (
            Severity::Warning,
            format!("the output {} matches every file that {} matches", said(b, j), said(a, i)),
            "the wider pattern",
        ),
        Meeting::Contains => (
            Severity::Warning,
            format!("every file that the output {} matches is also matched by {}", said(b, j), said(a, i)),
            "the narrower pattern",
        ),
        Meeting::Intersects => (
            Severity::Note,
            format!("the outputs {} and {} can match the same file", said(b, j), said(a, i)),
            "some file names match both",
        ),
    };
    let fault = Fault::new("P521", b.place, message)
        .severity(severity)
        .label(what)
        .help(
            "a job collects every file that its patterns match, also one that another action made; use distinct names",
        )
        .see(a.place, format!("the output of {}", quoted(&drafts[i].name)))
        .action(&drafts[j].name)
        .at(at);
    ctx.faults.push(fault);
}

/// P526: a moderately sensitive pattern that can match what a needed action made highly sensitive.
fn less_sensitive(
    ctx: &mut Ctx<'_, '_>,
    drafts: &[Draft<'_>],
    outputs: &[Placed<'_, '_>],
    pairs: &[Pair],
    equal: &[(usize, usize)],
) {
    let moderate = |slot: usize| outputs[slot].1.level == PrivacyLevel::ModeratelySensitive;
    let mut candidates: Vec<(usize, usize)> = Vec::new();
    for (a, b) in pairs.iter().map(|p| (p.first, p.second)).chain(equal.iter().copied()) {
        if outputs[a].0 != outputs[b].0 && moderate(a) != moderate(b) {
            candidates.push(if moderate(a) { (a, b) } else { (b, a) });
        }
    }
    if candidates.is_empty() {
        return;
    }
    candidates.sort_unstable();
    let reach = Reach::new(drafts);
    let mut last = None;
    for (pattern, input) in candidates {
        let ((action, a), (needed, b)) = (outputs[pattern], outputs[input]);
        if last == Some(pattern) || !reach.needs(action, needed) {
            continue;
        }
        last = Some(pattern);
        let fault = Fault::new(
            "P526",
            a.place,
            format!(
                "{} can match {}, which {} made {}",
                quoted(a.path),
                quoted(b.path),
                quoted(&drafts[needed].name),
                b.level
            ),
        )
        .label("such a file will not leave the high store")
        .help("matching a file again does not make it less sensitive; write results under another name")
        .see(b.place, "the input")
        .action(&drafts[action].name)
        .at(drafts[action].at(&["outputs", a.level.as_str(), a.name]));
        ctx.faults.push(fault);
    }
}

/// Which actions are needed by which, through any number of steps: one bit for each pair.
struct Reach {
    words: usize,
    bits: Vec<u64>,
}

impl Reach {
    fn new(drafts: &[Draft<'_>]) -> Self {
        let edges = cycles::edges(drafts);
        let words = edges.len().div_ceil(64);
        let mut reach = Self { words, bits: vec![0; words * edges.len()] };
        // Needs before dependants; what lies in a cycle is an error anyway and stays empty.
        let mut waiting: Vec<usize> = edges.iter().map(Vec::len).collect();
        let mut dependants: Vec<Vec<usize>> = vec![Vec::new(); edges.len()];
        for (i, needs) in edges.iter().enumerate() {
            for &(to, _) in needs {
                dependants[to].push(i);
            }
        }
        let mut ready: Vec<usize> = (0..edges.len()).filter(|&i| waiting[i] == 0).collect();
        while let Some(i) = ready.pop() {
            for &next in &dependants[i] {
                for word in 0..words {
                    reach.bits[next * words + word] |= reach.bits[i * words + word];
                }
                reach.bits[next * words + i / 64] |= 1 << (i % 64);
                waiting[next] -= 1;
                if waiting[next] == 0 {
                    ready.push(next);
                }
            }
        }
        reach
    }

    fn needs(&self, action: usize, needed: usize) -> bool {
        self.bits[action * self.words + needed / 64] >> (needed % 64) & 1 == 1
    }
}
