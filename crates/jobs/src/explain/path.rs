//! The chain of new actions that takes longest: no number of workers makes a plan faster than that.
//! Spec project-yaml.md 13.

use std::collections::BTreeMap;

use pipeline::ActionName;
use serde::Serialize;

use super::PlanView;

/// The longest chain.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct CriticalPath {
    /// In the order in which they run.
    pub actions: Vec<ActionName>,
    /// By their last successes; an action without one counts as nothing.
    pub seconds: f64,
}

/// The chain of new actions with the largest sum of last durations; of equal ones the one with more actions, then the
/// one that comes first in the plan.
pub fn critical_path(plan: &PlanView) -> CriticalPath {
    // By action: seconds and actions up to and with it, and the need it goes on from.
    let mut best: BTreeMap<&ActionName, (f64, usize, Option<&ActionName>)> = BTreeMap::new();
    let mut last: Option<(&ActionName, (f64, usize))> = None;
    for action in plan.new_actions() {
        let mut longest: (f64, usize, Option<&ActionName>) = (0.0, 0, None);
        for need in &action.needs {
            if let Some(&(seconds, count, _)) = best.get(need)
                && (seconds, count) > (longest.0, longest.1)
            {
                longest = (seconds, count, Some(need));
            }
        }
        let whole = (longest.0 + action.seconds().unwrap_or(0.0), longest.1 + 1);
        best.insert(&action.action, (whole.0, whole.1, longest.2));
        if last.is_none_or(|(_, so_far)| whole > so_far) {
            last = Some((&action.action, whole));
        }
    }
    let Some((mut at, (seconds, _))) = last else { return CriticalPath::default() };
    let mut actions = vec![at.clone()];
    while let Some((_, _, Some(need))) = best.get(at) {
        actions.push((*need).clone());
        at = need;
    }
    actions.reverse();
    CriticalPath { actions, seconds }
}
