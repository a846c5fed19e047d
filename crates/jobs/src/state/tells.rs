//! What may be told outside beside a code: closed values and nothing else.
//! Spec protocol.md 4.5; jobs.md 16.

use std::collections::BTreeSet;

use pipeline::ActionName;
use serde::{Deserialize, Serialize};

use crate::JobId;
use crate::schedule::Pool;

/// How a command failed, in three words; the number of its exit status stays inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExitKind {
    /// It said so.
    Error,
    /// Something ended it.
    Killed,
    /// It met its memory limit.
    OutOfMemory,
}

/// A rule of a backend's own policy that a job can meet before it starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "each name is its meaning, and protocol.md 1 gives the rule")]
pub enum PolicyRule {
    PermissionEnded,
    WorkspaceArchived,
    ProjectRetired,
    RepoNotAllowed,
    ImageNotAllowed,
    PersonNotAllowed,
}

/// Why SQL may run that does not say how it treats type 1 opt-outs (spec actions.md 7.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WaiverMode {
    /// The tables that it reads are views without opted-out patients.
    ExcludedByView,
    /// Older practice: its results are taken to be without them.
    AssumeExcluded,
    /// It may read opted-out patients; the project must hold `include_t1oo` besides.
    Include,
}

/// The values that go with a code where it is told outside. Each is a whole number, an id, a name from project.yaml or a
/// word of a closed set: there is no place for a message, a path or a number out of study code.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Tells {
    /// The jobs that are waited for, or the one that failed first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub blocked_by: Vec<JobId>,
    /// Where a worker is waited for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pool: Option<Pool>,
    /// How many workers it takes, whole ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight: Option<u64>,
    /// How the command failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exit: Option<ExitKind>,
    /// The exit code of a trusted built-in database action, one of a closed set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub engine_exit: Option<u8>,
    /// The limit that was met, in MiB, from the settings.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit_mb: Option<u64>,
    /// The limit that was met, in seconds, from the settings.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit_s: Option<u64>,
    /// How many attempts there can be, or there were.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempts: Option<u32>,
    /// Unix seconds before which there is no other attempt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_at: Option<i64>,
    /// The action whose output is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub needed: Option<ActionName>,
    /// The image as project.yaml names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// The rule that was met.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<PolicyRule>,
    /// The waivers that its SQL may need.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub waivers: BTreeSet<WaiverMode>,
    /// Unix seconds since which something is lacking.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<i64>,
    /// Who cancelled, by the name that the order gave.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Files were held back.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub excluded: bool,
    /// How long the last attempt ran, in milliseconds, by a clock that never goes back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ran_ms: Option<u64>,
}
