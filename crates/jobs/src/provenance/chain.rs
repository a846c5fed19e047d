//! A stale need makes its dependants stale: carries staleness down the graph, with the way back to the first cause.
//! Spec jobs.md 17.

use std::collections::BTreeMap;

use pipeline::{ActionName, Project};

use super::{Difference, Staleness};

/// From an action to the first cause of its being stale.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain {
    /// The action, its stale need, that one's stale need … up to where something really differs.
    pub actions: Vec<ActionName>,
    /// What differs there.
    pub causes: Vec<Difference>,
}

/// Adds to each judged action one difference for each of its direct needs that is stale, itself or by its own needs.
/// An action that is not in `own` (it never succeeded, or is being made anew) passes nothing on: the plan's rules see it.
///
/// Takes time and memory in proportion to actions and needs: what is passed on is the first cause, not the way.
pub fn propagate(project: &Project, own: &BTreeMap<ActionName, Staleness>) -> BTreeMap<ActionName, Staleness> {
    let mut result = own.clone();
    // The first cause of each action that is stale.
    let mut causes: BTreeMap<&ActionName, (&ActionName, Difference)> = BTreeMap::new();
    for index in crate::plan::needs_first(project) {
        let action = &project.actions[index];
        let Some(state) = result.get_mut(&action.name) else { continue };
        let inherited: Vec<_> =
            action.needs.iter().filter_map(|need| Some((need, causes.get(need)?.clone()))).collect();
        match state {
            Staleness::Stale(differences) => {
                if let Some(first) = differences.first() {
                    causes.insert(&action.name, (&action.name, first.clone()));
                }
            }
            _ => {
                if let Some((_, cause)) = inherited.first() {
                    causes.insert(&action.name, cause.clone());
                }
            }
        }
        let needs = inherited.into_iter().map(|(need, (first, cause))| Difference::Needs {
            action: need.clone(),
            first: first.clone(),
            cause: Box::new(cause),
        });
        match state {
            Staleness::Stale(differences) => differences.extend(needs),
            _ => {
                let mut differences: Vec<_> = needs.collect();
                if !differences.is_empty() {
                    if let Staleness::PossiblyStale(code) = state {
                        differences.extend(code.drain(..).map(Difference::Code));
                    }
                    *state = Staleness::Stale(differences);
                }
            }
        }
    }
    result
}

impl Chain {
    /// Follows the first stale need of each action, in what [`propagate`] gave, to the first cause.
    pub fn of(action: &ActionName, propagated: &BTreeMap<ActionName, Staleness>) -> Option<Self> {
        let mut actions = vec![action.clone()];
        let mut seen = std::collections::BTreeSet::from([action]);
        let mut at = action;
        loop {
            let Some(Staleness::Stale(differences)) = propagated.get(at) else { return None };
            let own: Vec<_> = differences.iter().filter(|d| d.is_cause()).cloned().collect();
            if !own.is_empty() {
                return Some(Self { actions, causes: own });
            }
            let Some(Difference::Needs { action: next, .. }) = differences.first() else { return None };
            if !seen.insert(next) {
                return None;
            }
            actions.push(next.clone());
            at = next;
        }
    }
}
