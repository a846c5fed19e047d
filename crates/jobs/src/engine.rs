//! Runs planned jobs: attempts side by side, each step durable before the next, dependants the moment their needs succeed.
//! Spec jobs.md 5, 9, 10. Knows nothing of laptop or backend: where results are shown is a [`Publisher`].

mod attempt;
mod event;
mod log;
mod outcome;
mod prepare;
mod publisher;
mod schedule;
mod workshop;

pub(crate) use attempt::{ORDER, data_identity, publish as publish_again};
pub use event::{Event, JobReport, ReportedOutput, Stage};
pub(crate) use prepare::volume;
pub use publisher::{Order, Publisher};
pub use schedule::{AfterFailure, RunSummary, run};
pub use workshop::{RunSettings, Work, Workshop};
