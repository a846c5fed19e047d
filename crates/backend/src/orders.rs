//! What becomes of an order: every check of the spec by the backend itself, the plan, the one answer.
//! Spec protocol.md 1, 3; jobs.md 2, 3, 20. Nothing about rights, images, commands or code is taken from the site.

mod again;
mod answer;
mod code;
mod codelists;
mod decide;
mod images;
mod people;
mod permits;
mod reusable;
mod rules;

pub use again::Kit;
pub use answer::Refused;
pub(crate) use answer::now;
pub use code::{Code, Outage};
pub use decide::{Decided, Decider};
pub use images::{Here, Lately};
pub use people::may_run;
pub use permits::Standing;
pub use rules::{ActionRules, Machine, Make, Policy, Rules};
