//! The one trait behind which every way of isolating a run stands; jobs never asks which one it has.
//! Spec sandbox.md 3, 4.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{Exit, RunName, Spec};

/// How well a run is isolated; kept in provenance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IsolationLevel {
    /// Own workspace, clean environment, time limit, process-group kill; nothing else.
    None,
    /// All but Landlock.
    FullWithoutLandlock,
    /// A container engine's isolation with our filter.
    Container,
    /// Everything of spec sandbox.md 7.
    Full,
}

/// One thing that a machine can or cannot enforce.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Capability {
    /// `user namespaces`, `seccomp filter`, `memory by cgroup`.
    pub name: &'static str,
    /// Whether runs are refused without it.
    pub required: bool,
    /// `Ok`, or the reason it is missing and, on the next line, the command or file that would mend it.
    pub state: Result<(), String>,
}

/// What this machine can enforce; each found by a real attempt in a child.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Capabilities {
    /// Item by item.
    pub items: Vec<Capability>,
}

impl Capabilities {
    /// What is required and missing: names with reason and remedy.
    pub fn missing(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.items.iter().filter(|item| item.required).filter_map(|item| match &item.state {
            Ok(()) => None,
            Err(why) => Some((item.name, why.as_str())),
        })
    }
}

/// Why a run could not be prepared, started or removed. Never a fault of the command itself.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The name is or was running.
    #[error("a run named {0:?} exists already")]
    AlreadyExists(RunName),
    /// No run of that name.
    #[error("no run is named {0:?}")]
    NotFound(RunName),
    /// The machine lacks something required; all gaps at once.
    #[error("this machine cannot isolate study code: {}", .0.join("; "))]
    CannotIsolate(Vec<String>),
    /// The run's programs could not be started; the command was never executed.
    #[error("the sandbox could not be started: {0}")]
    CouldNotStart(String),
    /// The supervisor ended without a report: it was killed, and the run with it. The run may be tried again.
    #[error("the run {0:?} was lost: its supervisor was killed, and everything of the run with it")]
    Lost(RunName),
    /// Something of the run cannot be ended or cleaned up.
    #[error("the run {0:?} is stuck: {1}")]
    Stuck(RunName, String),
    /// An operation on a file of the run failed.
    #[error("{what}: {path}: {source}")]
    Io {
        /// What was attempted.
        what: &'static str,
        /// On what.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
}

/// A look at a living run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    /// So far.
    pub cpu_seconds: f64,
    /// Now.
    pub memory: u64,
}

/// Where runs happen. Every method is idempotent by run name; every wait is an event; calls may block their thread.
pub trait Runtime: Send + Sync {
    /// What this machine can enforce.
    fn probe(&self) -> Capabilities;
    /// Starts the supervisor over the prepared folder of `spec`; returns when the command was executed or could not be.
    fn start(&self, spec: &Spec) -> Result<(), Error>;
    /// Waits until the run and every process of it is gone, and tells how it ended.
    fn wait(&self, spec: &Spec) -> Result<Exit, Error>;
    /// TERM, after `grace` KILL of everything; returns when nothing is left.
    fn stop(&self, spec: &Spec, grace: Duration) -> Result<(), Error>;
    /// Cpu and memory now; `None` when the run has ended.
    fn sample(&self, spec: &Spec) -> Option<Sample>;
    /// Removes the run's folder and whatever else is left of it, also of a half-built one.
    fn remove(&self, spec: &Spec) -> Result<(), Error>;
}
