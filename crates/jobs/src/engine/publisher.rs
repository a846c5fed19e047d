//! Where results are shown: step 9 of an attempt, the one thing in which laptop and backend differ.
//! Spec jobs.md 9 (steps 8 and 9), 13, 18.

use std::collections::BTreeSet;
use std::path::Path;

use pipeline::ActionName;
use serde::{Deserialize, Serialize};

use crate::collect::CollectedOutput;
use crate::manifest::Shared;
use crate::publish::{PublishError, Published, Recorded};
use crate::refusal::Unsafe;
use crate::store::Store;

/// Everything that publishing a finished job needs. Written beside the job's volume before its result is recorded, so
/// that a killed program can publish again, in full, what the database says is finished.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Order {
    /// Whose outputs.
    pub action: ActionName,
    /// What was collected; of a failed job too, for debugging.
    pub outputs: Vec<CollectedOutput>,
    /// Outputs of the last success that no other action has made since; empty for a failed job.
    pub obsolete: Vec<Recorded>,
    /// What the entries of the manifest share.
    pub shared: Shared,
    /// All actions of the project that the job ran with; `None` if that is no longer known.
    pub actions: Option<BTreeSet<String>>,
}

/// Puts results where people look for them.
pub trait Publisher: Send + Sync {
    /// Asked before a success is recorded: whether every output can be put into its place.
    ///
    /// # Errors
    /// The first output that cannot.
    fn accept(&self, outputs: &[CollectedOutput]) -> Result<(), Unsafe>;

    /// Outputs, log and manifest. `log` is the finished log file, if it is still there. Doing it again changes nothing.
    ///
    /// # Errors
    /// Something could not be written; publishing again is right.
    fn publish(&self, order: &Order, log: Option<&Path>, store: &Store) -> Result<Published, PublishError>;

    /// Where the log is shown, relative to the workspace.
    fn log_path(&self, action: &ActionName) -> String;
}
