//! Runs planned jobs: attempts side by side, each step durable before the next, dependants the moment their needs succeed.
//! Spec jobs.md 5, 9, 10. Knows nothing of laptop or backend: where results are shown is a [`Publisher`].

mod about;
mod admission;
mod again;
mod attempt;
mod controls;
mod event;
mod evidence;
mod execute;
mod feed;
mod finish;
mod floor;
mod gather;
mod leftovers;
mod log;
mod outcome;
mod prepare;
mod publisher;
mod room;
mod standing;
mod workshop;

pub use admission::{Admission, NoRules, Refusal, Waived};
pub use controls::{Controls, ring};
pub use event::{Event, JobReport, ReportedOutput, Stage};
pub(crate) use evidence::keep as keep_evidence;
pub use feed::{Awaited, Feed, Feeder, PoolView, View};
pub(crate) use finish::data_identity;
pub use floor::{AfterFailure, Rules, RunSummary, run, serve};
pub(crate) use leftovers::{discard, settle, sweep};
pub(crate) use log::LINES;
pub(crate) use prepare::volume;
pub use publisher::{Order, Publisher};
pub use workshop::{Lease, RunSettings, Work, Workshop};
