//! Runs planned jobs: attempts side by side, each step durable before the next, dependants the moment their needs succeed.
//! Spec jobs.md 5, 9, 10. Knows nothing of laptop or backend: where results are shown is a [`Publisher`].

mod attempt;
mod event;
mod finish;
mod log;
mod outcome;
mod prepare;
mod publisher;
mod schedule;
mod workshop;

pub use event::{Event, JobReport, ReportedOutput, Stage};
pub(crate) use finish::{ORDER, data_identity, publish as publish_again};
pub(crate) use prepare::volume;
pub(crate) use publisher::Made;
pub use publisher::{Order, Publisher};
pub use schedule::{AfterFailure, RunSummary, run};
pub use workshop::{RunSettings, Work, Workshop};
