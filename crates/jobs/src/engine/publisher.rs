//! Where results are shown: step 9 of an attempt, the one thing in which laptop and backend differ.
//! Spec jobs.md 9 (steps 8 and 9), 13, 18.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use pipeline::ActionName;
use serde::{Deserialize, Serialize};

use crate::collect::CollectedOutput;
use crate::manifest::{BuiltIn, Extra, ManifestEntry, Pin, ReusedAction, Shared};
use crate::publish::{PublishError, Published, Recorded};
use crate::refusal::Unsafe;
use crate::state::{Job, StoredPin};
use crate::store::Store;
use crate::{AttemptId, JobState, ObjectId, RunKey, WorkspaceName};

/// Everything that publishing a finished job needs. Written beside the job's volume before its result is recorded, so
/// that a killed program can publish again, in full, what the database says is finished.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Order {
    /// Where they belong.
    #[serde(default = "WorkspaceName::local")]
    pub workspace: WorkspaceName,
    /// Unix seconds at which the job was made.
    #[serde(default)]
    pub created_at: i64,
    /// Whether anybody but the service sees anything of it; nobody does of a cancelled job.
    #[serde(default = "yes")]
    pub shown: bool,
    /// metadata.json of the job, where it is kept.
    #[serde(default)]
    pub metadata: Option<String>,
    /// Of each output with evidence, the hash of that.
    #[serde(default)]
    pub evidence: BTreeMap<String, ObjectId>,
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

impl Order {
    /// All that the job as stored tells; the caller adds what only the attempt knew: `obsolete`, warnings, `actions`.
    pub(crate) fn of(job: &Job, user: &str, made: Made) -> Self {
        let definition = &job.definition;
        let pin = |pin: &StoredPin| Pin { action: pin.action.to_string(), job: pin.job.to_string() };
        let shared = Shared {
            job_id: job.id.to_string(),
            job_request: job.request.to_string(),
            action: definition.action.to_string(),
            user: user.to_owned(),
            repo: definition.code.repo_url().map(str::to_owned),
            commit: definition.code.commit().map(ToString::to_string),
            timestamp: made.timestamp,
            cloister: Extra {
                run_key: made.run_key.map(|key| key.hex()).unwrap_or_default(),
                image: definition.image.to_string(),
                job_state: made.state.as_str().to_owned(),
                pins: job.pins.iter().map(pin).collect(),
                warnings: Vec::new(),
                program: env!("CARGO_PKG_VERSION").to_owned(),
                builtin: BuiltIn::of(definition),
                evidence_hash: None,
                reusable: definition.reusable.as_ref().map(|by| ReusedAction {
                    action: by.reference.to_string(),
                    repo: by.repository.clone(),
                    commit: by.commit.clone(),
                }),
            },
        };
        let action = definition.action.clone();
        Self {
            workspace: definition.workspace.clone(),
            created_at: job.times.created_at,
            shown: true,
            metadata: None,
            evidence: BTreeMap::new(),
            action,
            outputs: made.outputs,
            obsolete: Vec::new(),
            shared,
            actions: None,
        }
    }

    /// The entries of its outputs in the manifest.
    pub(crate) fn entries(&self) -> Vec<(String, ManifestEntry)> {
        let entry = |output: &CollectedOutput| {
            let mut entry = ManifestEntry::new(output, &self.shared);
            entry.cloister.evidence_hash = self.evidence.get(&output.path).map(ObjectId::hex);
            (output.path.clone(), entry)
        };
        self.outputs.iter().map(entry).collect()
    }
}

/// Orders of a program that kept no cancelled ones are of jobs that are shown.
fn yes() -> bool {
    true
}

/// What came of a job.
pub(crate) struct Made {
    pub(crate) state: JobState,
    pub(crate) run_key: Option<RunKey>,
    /// Unix seconds with fraction.
    pub(crate) timestamp: f64,
    pub(crate) outputs: Vec<CollectedOutput>,
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

    /// Keeps log, metadata and evidence of an ended job, a cancelled one too, where only the service looks. A laptop has no
    /// such place. `volume` is the folder of the attempt, in which evidence waits. Doing it again changes nothing.
    ///
    /// # Errors
    /// Something could not be written.
    fn keep(&self, _order: &Order, _log: Option<&Path>, _volume: &Path) -> Result<(), PublishError> {
        Ok(())
    }

    /// Keeps the printed lines of an attempt that was not its job's last one.
    ///
    /// # Errors
    /// Something could not be written.
    fn keep_attempt(&self, _job: &Job, _attempt: AttemptId, _lines: &Path) -> Result<(), PublishError> {
        Ok(())
    }

    /// Whether evidence of built-in actions is kept.
    fn wants_evidence(&self) -> bool {
        false
    }

    /// Whether metadata.json is wanted.
    fn wants_metadata(&self) -> bool {
        false
    }

    /// Where the log is shown, relative to the workspace.
    fn log_path(&self, action: &ActionName) -> String;
}
