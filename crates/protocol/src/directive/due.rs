//! What a directive comes to at a backend that may have met it, or its object, before: twice is once.
//! Spec protocol.md 3.2 (1), 3.2 (4), 3.4, 11; jobs.md 7.

use super::DirectiveBody;
use super::envelope::Directive;
use crate::fact::words::Cancelled;
use crate::order::Order;
use crate::text::ids::{RequestId, Ulid};
use crate::text::names::ActionName;
use std::collections::BTreeMap;

/// What the backend has stored of directives.
pub trait Met {
    /// Whether a directive with this id was applied.
    fn directive(&self, id: &Ulid) -> bool;
    /// The order under which a request is known, answered or being checked.
    fn order(&self, request: &RequestId) -> Option<Order>;
}

/// What is to be done. The answer is a fact, stored in the same transaction as what was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// It was done before: nothing, and no second answer.
    Nothing,
    /// Plan the request; answer it exactly once with accepted, nothing_to_do or refused.
    Plan,
    /// The request is known by another directive and asks for the same: its answer stands.
    Stands,
    /// The request is known with another repository, workspace or commit: refused as `inconsistent_request`.
    Inconsistent,
    /// Carry it out; a `cancel` is answered exactly once with `cancel.done`.
    CarryOut,
}

/// Decides what a directive comes to.
pub fn due(met: &impl Met, directive: &Directive) -> Due {
    if met.directive(&directive.id) {
        return Due::Nothing;
    }
    match &directive.body {
        DirectiveBody::JobRequest(order) => match met.order(&order.request) {
            None => Due::Plan,
            Some(known) if known.is_same_request(order) => Due::Stands,
            Some(_) => Due::Inconsistent,
        },
        _ => Due::CarryOut,
    }
}

/// What a backend knows of an action of a request that should be cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobNow {
    /// It waits or runs, or its request is being planned.
    Unfinished,
    /// It ended.
    Ended,
}

/// The answer to a cancel. With any unknown action nothing is cancelled and only the unknown ones are named; else those
/// answered `stopped` are to be stopped.
pub fn cancelling(
    actions: &[ActionName],
    job: impl Fn(&ActionName) -> Option<JobNow>,
) -> BTreeMap<ActionName, Cancelled> {
    let found: Vec<(&ActionName, Option<JobNow>)> = actions.iter().map(|action| (action, job(action))).collect();
    let unknown = found.iter().any(|(_, now)| now.is_none());
    let outcome = |now| match now {
        None => Cancelled::Unknown,
        Some(JobNow::Unfinished) => Cancelled::Stopped,
        Some(JobNow::Ended) => Cancelled::AlreadyFinished,
    };
    found
        .into_iter()
        .filter(|(_, now)| !unknown || now.is_none())
        .map(|(action, now)| (action.clone(), outcome(now)))
        .collect()
}
