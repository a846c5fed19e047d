//! From a request and what has already been made to the jobs that are needed: a pure function.
//! Spec jobs.md 3.

mod decide;
mod graph;
mod reject;
mod types;

pub use decide::plan;
pub use reject::{PlanRejection, UnknownAction};
pub use types::{Decision, LatestJob, NothingToDo, Pin, PinnedNeed, Plan, PlanRequest, PlanWarning, Reason, Visited};

pub(crate) use graph::needs_first;
