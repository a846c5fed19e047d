//! A plan in words, in JSON and as a graph: the same text and data on laptop, site and backend.
//! Spec project-yaml.md 13, cli.md 6.

mod graph;
mod human;
mod json;
mod path;
mod view;
mod why;
mod words;

pub use graph::{plan_dot, plan_mermaid};
pub use human::plan_human;
pub use json::plan_json;
pub use path::{CriticalPath, critical_path};
pub use view::{ActionView, LastRun, PlanView, RunKind, RuntimeView};
pub use why::why_human;
pub use words::{duration, reason, shown};
