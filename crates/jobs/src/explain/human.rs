//! A plan as lines of aligned columns, then a total.
//! Spec cli.md 6.

use super::{PlanView, RunKind, critical_path, duration, reason, shown};
use crate::{NothingToDo, Reason, Stale, Staleness};

/// A column wider than this does not push the next one away: a single long reason must not spoil the table.
const WIDEST: usize = 60;

/// The plan for a terminal: one line for each action, what runs before what is reused, then the total and the warnings.
/// Ends with a line end.
pub fn plan_human(plan: &PlanView) -> String {
    let mut lines: Vec<[String; 5]> = Vec::new();
    let (new, kept): (Vec<_>, Vec<_>) = plan.actions.iter().partition(|action| action.is_new());
    for action in new.into_iter().chain(kept) {
        let kind = action.runtime.kind;
        let runtime = match kind {
            RunKind::Builtin => kind.as_str().to_owned(),
            _ => format!("{} {}", action.runtime.resolved, kind.as_str()),
        };
        let took = if action.is_new() {
            action.seconds().map_or(String::new(), |s| format!("~{}", duration(s)))
        } else {
            String::new()
        };
        let decision = if action.is_new() { "run" } else { "reuse" };
        lines.push([
            decision.to_owned(),
            shown(action.action.as_str()).into_owned(),
            reason(action, plan),
            shown(&runtime).into_owned() + if action.database { ", database" } else { "" },
            took,
        ]);
    }
    let length = |text: &String| text.chars().count();
    let mut widths = [6, 0, 0, 0, 0];
    for line in &lines {
        for (width, cell) in widths.iter_mut().zip(line) {
            *width = (*width).max(length(cell).min(WIDEST));
        }
    }
    let mut text = String::new();
    for line in &lines {
        let padded: Vec<_> = line.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        text.push_str(padded.join("  ").trim_end());
        text.push('\n');
    }
    text.push_str(&total(plan));
    text.push('\n');
    for warning in &plan.warnings {
        text.push_str(&format!("warning: {}\n", shown(warning)));
    }
    text
}

fn actions(count: usize) -> String {
    if count == 1 { "1 action".to_owned() } else { format!("{count} actions") }
}

fn total(plan: &PlanView) -> String {
    let (all, new) = (plan.actions.len(), plan.new_actions().count());
    let stale_kept = plan
        .actions
        .iter()
        .filter(|action| action.reason == Reason::Succeeded)
        .filter(|action| action.staleness.as_ref().is_some_and(Staleness::is_stale))
        .count();
    let mut text = match plan.nothing_to_do {
        Some(NothingToDo::AllSucceeded) => {
            format!(
                "nothing to run: {} reused; -f runs everything again",
                if all == 1 { "1 action is".to_owned() } else { format!("{all} actions are") }
            )
        }
        Some(NothingToDo::AlreadyScheduled) => "nothing to run: what is asked for is already scheduled".to_owned(),
        None => format!("{new} of {} to run", actions(all)),
    };
    let known: Vec<f64> = plan.new_actions().filter_map(super::ActionView::seconds).collect();
    if !known.is_empty() {
        let about = if known.len() == new { "about" } else { "at least" };
        text += &format!(", {about} {}", duration(known.iter().sum()));
        let path = critical_path(plan);
        if path.actions.len() > 1 && path.actions.len() < new {
            let names: Vec<_> = path.actions.iter().map(|name| shown(name.as_str())).collect();
            // The ends are enough to recognise a long chain.
            let chain = match names.as_slice() {
                [first, .., last] if names.len() > 6 => format!("{first} … {last}"),
                few => few.join(", "),
            };
            text += &format!(" ({} in a row: {chain})", duration(path.seconds));
        }
    }
    let stale_new = plan.new_actions().filter(|action| action.reason == Reason::Stale).count();
    if stale_new > 0 && plan.stale == Stale::Rerun {
        let it = if stale_new == 1 { "it" } else { "them" };
        text += &format!("; {stale_new} of them out of date (--stale keep would reuse {it})");
    }
    if stale_kept > 0 {
        let (are, it) = if stale_kept == 1 { ("is", "it") } else { ("are", "them") };
        text += &format!("; {stale_kept} of the reused {are} out of date (--stale rerun would make {it} again)");
    }
    text
}
