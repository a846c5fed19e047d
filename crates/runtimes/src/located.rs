//! The answer to "what does `name:tag` mean here": found ready, found but to be built, or missing and how to mend it.
//! Spec cli.md 5 and its X codes.

use std::fmt;

use pipeline::RuntimeRef;

use crate::build::Plan;
use crate::options::Profile;
use crate::program::Program;

/// What stands behind a reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An engine of this program.
    Builtin,
    /// An environment on this machine.
    Native,
}

impl Kind {
    /// The word shown to people: `built-in`, `native`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Builtin => "built-in",
            Self::Native => "native",
        }
    }
}

/// Something the researcher should know before the job runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// `X201`.
    pub code: &'static str,
    /// One sentence or two.
    pub message: String,
}

/// What a reference is on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located {
    /// As written.
    pub reference: RuntimeRef,
    /// With `latest` and `dev` replaced: `python:v1`.
    pub resolved: RuntimeRef,
    /// What stands behind it.
    pub kind: Kind,
    /// For people: `Python 3.8.18 with pandas 1.0.1`, `built-in`.
    pub title: String,
    /// To be shown once per run.
    pub warnings: Vec<Warning>,
    /// What a built-in action behaves as.
    pub profile: Option<Profile>,
    /// For provenance: `host:` and a SHA-256 over the locked packages and the interpreter's version, or `builtin:` with
    /// the program's version. The same identity means the same programs.
    pub identity: String,
}

/// A runtime that this machine has or can have.
#[derive(Debug, Clone)]
pub enum Found {
    /// It can be started now.
    Ready(Program),
    /// It has to be built first; announce it, then call [`crate::build()`].
    Build(Plan),
}

impl Found {
    /// What was found.
    pub fn located(&self) -> &Located {
        match self {
            Self::Ready(program) => &program.located,
            Self::Build(plan) => &plan.located,
        }
    }
}

/// One candidate that was looked at, and why it was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tried {
    /// `Python 3.8`, `container`.
    pub candidate: String,
    /// `not found in 12 folders`.
    pub verdict: String,
}

/// Nothing on this machine can run a reference.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Missing {
    /// As written: `python:latest`.
    pub reference: String,
    /// `X205`: nothing found; `X206`: known, but not in this version of the program.
    pub code: &'static str,
    /// What is wrong, one sentence.
    pub reason: String,
    /// Every candidate, in the order tried.
    pub tried: Vec<Tried>,
    /// The shortest command that mends it, if one does.
    pub fix: Option<String>,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.reference, self.reason)?;
        for Tried { candidate, verdict } in &self.tried {
            write!(f, "\n  {candidate}: {verdict}")?;
        }
        match &self.fix {
            Some(fix) => write!(f, "\n  to mend it: {fix}"),
            None => Ok(()),
        }
    }
}
