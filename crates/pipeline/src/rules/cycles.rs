//! Cycles of needs: one fault for each strongly connected group, showing a shortest cycle.
//! Spec project-yaml.md 7.1 (P405). No recursion anywhere.

use std::collections::VecDeque;

use super::{Ctx, Draft};
use crate::PathStep;
use crate::fault::{Fault, quoted};
use crate::hash::HashMap;

/// Edges looked at in search of a shortest cycle; beyond it the shortest found so far is shown.
const WORK: usize = 5_000_000;

/// Needs as numbers of actions, with the number of the need; self-needs (P406) and unknown names left out.
pub(crate) fn edges(drafts: &[Draft<'_>]) -> Vec<Vec<(usize, usize)>> {
    let places: HashMap<&str, usize> = drafts.iter().enumerate().map(|(i, d)| (d.name.as_str(), i)).collect();
    let of = |(i, draft): (usize, &Draft<'_>)| {
        let known = |(slot, need): (usize, &super::NeedDraft)| Some((*places.get(need.name.as_str())?, slot));
        draft.needs.iter().enumerate().filter_map(known).filter(|(to, _)| *to != i).collect()
    };
    drafts.iter().enumerate().map(of).collect()
}

/// P405.
pub(crate) fn judge(ctx: &mut Ctx<'_, '_>, drafts: &[Draft<'_>]) {
    let edges = edges(drafts);
    let mut work = WORK;
    for group in groups(&edges) {
        let cycle = shortest(&edges, &group, &mut work);
        if let Some(fault) = describe(ctx, drafts, &cycle) {
            ctx.faults.push(fault);
        }
    }
}

/// Strongly connected groups of two or more, by Tarjan's method with a stack of its own.
fn groups(edges: &[Vec<(usize, usize)>]) -> Vec<Vec<usize>> {
    const UNSEEN: usize = usize::MAX;
    let mut order = vec![UNSEEN; edges.len()];
    let mut low = vec![0; edges.len()];
    let mut on_stack = vec![false; edges.len()];
    let (mut stack, mut found, mut counter) = (Vec::new(), Vec::new(), 0);
    for root in 0..edges.len() {
        if order[root] != UNSEEN {
            continue;
        }
        let mut work = vec![(root, 0)];
        while let Some(&mut (node, ref mut next)) = work.last_mut() {
            if *next == 0 {
                order[node] = counter;
                low[node] = counter;
                counter += 1;
                stack.push(node);
                on_stack[node] = true;
            }
            if let Some(&(to, _)) = edges[node].get(*next) {
                *next += 1;
                if order[to] == UNSEEN {
                    work.push((to, 0));
                } else if on_stack[to] {
                    low[node] = low[node].min(order[to]);
                }
                continue;
            }
            work.pop();
            if let Some(&(parent, _)) = work.last() {
                low[parent] = low[parent].min(low[node]);
            }
            if low[node] == order[node] {
                let start = stack.iter().rposition(|&n| n == node).unwrap_or(0);
                let mut group = stack.split_off(start);
                for &member in &group {
                    on_stack[member] = false;
                }
                if group.len() > 1 {
                    group.sort_unstable();
                    found.push(group);
                }
            }
        }
    }
    found
}

/// A shortest cycle within a group, as steps `(action, number of its need)`, beginning with the first action in the file.
fn shortest(edges: &[Vec<(usize, usize)>], group: &[usize], work: &mut usize) -> Vec<(usize, usize)> {
    let mut best: Vec<(usize, usize)> = Vec::new();
    let inside: HashMap<usize, usize> = group.iter().enumerate().map(|(i, &n)| (n, i)).collect();
    for &start in group {
        // For each action reached: from where, and by which need.
        let mut from: Vec<Option<(usize, usize)>> = vec![None; group.len()];
        let mut queue = VecDeque::from([start]);
        *work = work.saturating_sub(group.len());
        'search: while let Some(node) = queue.pop_front() {
            for &(to, need) in &edges[node] {
                *work = work.saturating_sub(1);
                let Some(&slot) = inside.get(&to) else { continue };
                if from[slot].is_none() {
                    from[slot] = Some((node, need));
                    if to == start {
                        break 'search;
                    }
                    queue.push_back(to);
                }
            }
        }
        let mut cycle = Vec::new();
        let mut at = start;
        while let Some(step) = from[inside[&at]] {
            cycle.push(step);
            at = step.0;
            if at == start {
                break;
            }
        }
        cycle.reverse();
        if best.is_empty() || cycle.len() < best.len() {
            best = cycle;
        }
        if best.len() == 2 || *work == 0 {
            break;
        }
    }
    let first = best.iter().enumerate().min_by_key(|(_, step)| step.0).map_or(0, |(i, _)| i);
    best.rotate_left(first);
    best
}

fn describe(ctx: &Ctx<'_, '_>, drafts: &[Draft<'_>], cycle: &[(usize, usize)]) -> Option<Fault> {
    const SHOWN: usize = 12;
    let (first, need) = *cycle.first()?;
    let place = |&(action, need): &(usize, usize)| drafts[action].needs[need].place;
    let line = |step| ctx.source.position(place(step).0).line;
    let mut chain: Vec<String> = cycle
        .iter()
        .take(SHOWN)
        .map(|step| format!("{} (line {})", quoted(&drafts[step.0].name), line(step)))
        .collect();
    if cycle.len() > SHOWN {
        chain.push(format!("... {} more ...", cycle.len() - SHOWN));
    }
    chain.push(quoted(&drafts[first].name));
    let mut at = drafts[first].at(&["needs"]);
    at.push(PathStep::Index(drafts[first].needs[need].index));
    let mut fault = Fault::new(
        "P405",
        place(&cycle[0]),
        format!("{} actions need each other in a circle: {}", cycle.len(), chain.join(" -> ")),
    )
    .label("the circle can be entered here")
    .help("none of them could ever start: remove one of these needs")
    .action(&drafts[first].name)
    .at(at);
    for step in cycle.iter().skip(1) {
        fault = fault.see(
            place(step),
            format!("{} needs {}", quoted(&drafts[step.0].name), quoted(&drafts[step.0].needs[step.1].name)),
        );
    }
    Some(fault)
}
