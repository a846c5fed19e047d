//! What is true of requests, jobs and attempts, kept so that a kill at any instant is harmless.
//! Spec jobs.md 4 and 9.

mod attempts;
mod cancel;
mod change;
mod code;
mod components;
mod copy;
mod definition;
mod error;
mod event;
mod flag;
mod model;
mod open;
mod operate;
mod outside;
mod read;
mod record;
mod schema;
mod status;
mod tells;
#[cfg(test)]
mod tests;
mod whole;
mod workspace;

pub use cancel::CancelOrder;
pub use code::{JobState, StatusCode, UnknownWord};
pub use definition::{DEFINITION_FORMAT, FIRST_FORMAT, JobDefinition};
pub use error::StateError;
pub use event::{Answer, ChainError, ChainHead, Outgoing};
pub use flag::Flag;
pub use model::{
    Attempt, AttemptEnd, Cancelled, Claim, Finished, Job, JobResult, LatestJobs, LatestRow, NewJob, PastRun, Recorded,
    StoredPin,
};
pub use open::State;
pub use operate::{Act, Operator, PastAttempt};
pub use outside::Kill;
pub use status::{Reason, Status, Times};
pub use tells::{ExitKind, PolicyRule, Tells, WaiverMode};
pub use whole::Needed;
pub use workspace::Binding;
