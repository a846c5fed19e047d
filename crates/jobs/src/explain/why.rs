//! The full answer to why one action runs or is reused: every difference, and the chain of needs to the first cause.
//! Spec project-yaml.md 13 (`--why ACTION`).

use std::collections::{BTreeMap, BTreeSet};

use pipeline::ActionName;

use super::{ActionView, PlanView, reason, shown};
use crate::{Difference, Reason, Staleness};

/// How many differences of one action are listed before the rest is counted.
const LISTED: usize = 50;

/// Why this action runs or is reused, a line for each difference, then the same for the need it inherits from, and so on.
/// `None` if the plan does not visit it.
pub fn why_human(plan: &PlanView, action: &ActionName) -> Option<String> {
    let by_name: BTreeMap<_, _> = plan.actions.iter().map(|view| (&view.action, view)).collect();
    let mut view = *by_name.get(action)?;
    let mut seen = BTreeSet::new();
    let mut text = String::new();
    loop {
        seen.insert(&view.action);
        let decision = if view.is_new() { "run" } else { "reuse" };
        text += &format!("{}: {decision}, {}\n", shown(view.action.as_str()), reason(view, plan));
        let own = own_differences(view);
        if own.len() > 1 {
            for line in own.iter().take(LISTED) {
                text += &format!("  {}\n", shown(line));
            }
            if own.len() > LISTED {
                text += &format!("  and {} more\n", own.len() - LISTED);
            }
        }
        let Some(next) = cause(view, &by_name).and_then(|name| by_name.get(name)) else { break };
        if seen.contains(&next.action) {
            break;
        }
        view = next;
    }
    Some(text)
}

fn own_differences(view: &ActionView) -> Vec<String> {
    match &view.staleness {
        Some(Staleness::Stale(differences)) => {
            differences.iter().filter(|d| d.component().is_some()).map(ToString::to_string).collect()
        }
        Some(Staleness::PossiblyStale(changes)) => changes.iter().map(|c| format!("{} {}", c.path, c.change)).collect(),
        _ => Vec::new(),
    }
}

/// The need that an action is out of date for, if it is not for something of its own.
fn cause<'a>(view: &'a ActionView, plan: &BTreeMap<&'a ActionName, &'a ActionView>) -> Option<&'a ActionName> {
    if let Some(Staleness::Stale(differences)) = &view.staleness {
        if differences.iter().any(Difference::is_cause) {
            return None;
        }
        return differences.iter().find_map(|difference| match difference {
            Difference::Needs { action, .. } => Some(action),
            _ => None,
        });
    }
    if view.reason != Reason::Stale {
        return None;
    }
    view.needs.iter().find(|need| plan.get(need).is_some_and(|need| need.reason != Reason::Succeeded))
}
