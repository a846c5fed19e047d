#![doc = include_str!("../README.md")]

pub mod collect;
mod definition;
pub mod engine;
pub mod explain;
#[doc(hidden)]
pub mod fault;
mod ids;
mod json;
mod judge;
mod leave;
pub mod local;
mod lock;
pub mod log;
pub mod manifest;
pub mod metadata;
mod object;
pub mod plan;
pub mod provenance;
pub mod publish;
mod refusal;
mod request;
pub mod reusable;
pub mod schedule;
pub mod server;
pub mod sqlite;
pub mod state;
pub mod store;
pub mod tree;

pub use ids::{AttemptId, BadId, JobId, RequestId, RunKey};
pub use leave::{Leave, NoLeave};
pub use object::{BadObjectId, ObjectId};
pub use plan::{Decision, LatestJob, NothingToDo, Pin, PinnedNeed, Plan, PlanRejection, PlanRequest, Reason, Visited};
pub use provenance::{Component, Components, Difference, KnownRead, Staleness};
pub use refusal::{Unsafe, Why};
pub use request::{
    AnalysisScope, BadCommit, BadWorkspaceName, CodeSource, Commit, Here, MAX_REQUESTED, RawRequest, RejectionCode,
    Request, RequestFault, Stale, WorkspaceName,
};
pub use state::{JobState, State, StateError, StatusCode};
