//! Why a run could not be started: the step that failed and the reason.
//! Any failing step ends the run before the command is executed (spec sandbox.md 7).

use std::fmt::{self, Display};

use serde::{Deserialize, Serialize};

/// A step of the start that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Failure {
    /// What was being done: `mount /proc`.
    pub(crate) step: String,
    /// Why it failed.
    pub(crate) reason: String,
}

impl Failure {
    pub(crate) fn new(step: impl Into<String>, reason: impl Display) -> Self {
        Self { step: step.into(), reason: reason.to_string() }
    }
}

impl Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.step, self.reason)
    }
}

/// Names the step that an error belongs to.
pub(crate) trait Step<T> {
    /// With a fixed name.
    fn step(self, step: &str) -> Result<T, Failure>;
    /// With a name made only on failure.
    fn step_with(self, step: impl FnOnce() -> String) -> Result<T, Failure>;
}

impl<T, E: Display> Step<T> for Result<T, E> {
    fn step(self, step: &str) -> Result<T, Failure> {
        self.map_err(|error| Failure::new(step, error))
    }

    fn step_with(self, step: impl FnOnce() -> String) -> Result<T, Failure> {
        self.map_err(|error| Failure::new(step(), error))
    }
}
