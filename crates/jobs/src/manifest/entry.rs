//! One entry of manifest.json; the order of the fields is the order of the keys.
//! Spec jobs.md 14.

use pipeline::PrivacyLevel;
use serde::{Deserialize, Serialize};

use crate::ObjectId;
use crate::collect::CollectedOutput;

use super::BuiltIn;

/// A job whose outputs were read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pin {
    /// The action.
    pub action: String,
    /// The job that made them.
    pub job: String,
}

/// A reusable action, pinned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReusedAction {
    /// As the study names it: `name:tag`.
    pub action: String,
    /// Its repository.
    pub repo: String,
    /// The commit that ran.
    pub commit: String,
}

/// What Cloister adds to an entry.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Extra {
    /// 64 hex digits (spec jobs.md 17).
    pub run_key: String,
    /// Digest, environment or built-in that ran.
    pub image: String,
    /// Final state of the job: a failed one leaves its files for debugging.
    pub job_state: String,
    /// What it read.
    pub pins: Vec<Pin>,
    /// What people were warned of.
    pub warnings: Vec<String>,
    /// Version of the program.
    pub program: String,
    /// The built-in action, where it was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub builtin: Option<BuiltIn>,
    /// Of a built-in action's evidence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence_hash: Option<String>,
    /// The reusable action whose code ran; `repo` and `commit` of the entry are the study's all the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reusable: Option<ReusedAction>,
}

/// One output.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ManifestEntry {
    /// Its level.
    pub level: PrivacyLevel,
    /// The job that made it.
    pub job_id: String,
    /// The request it belonged to.
    pub job_request: String,
    /// The action.
    pub action: String,
    /// Who asked.
    pub user: String,
    /// The study's repository, if known.
    pub repo: Option<String>,
    /// The study's commit, if known.
    pub commit: Option<String>,
    /// Bytes.
    pub size: u64,
    /// When it was collected: Unix seconds with fraction.
    pub timestamp: f64,
    /// SHA-256.
    pub content_hash: ObjectId,
    /// Whether the checks keep it out of the medium store.
    pub excluded: bool,
    /// Why.
    pub message: Option<String>,
    /// Data records of a csv file.
    pub row_count: Option<u64>,
    /// Columns of a csv file.
    pub col_count: Option<u64>,
    /// Ours.
    pub cloister: Extra,
}

/// What all entries of one job share.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Shared {
    /// The job.
    pub job_id: String,
    /// The request.
    pub job_request: String,
    /// The action.
    pub action: String,
    /// Who asked.
    pub user: String,
    /// The study's repository, if known.
    pub repo: Option<String>,
    /// The study's commit, if known.
    pub commit: Option<String>,
    /// When it was collected.
    pub timestamp: f64,
    /// Ours.
    pub cloister: Extra,
}

impl ManifestEntry {
    /// The entry of a collected file.
    pub fn new(output: &CollectedOutput, shared: &Shared) -> Self {
        Self {
            level: output.level,
            job_id: shared.job_id.clone(),
            job_request: shared.job_request.clone(),
            action: shared.action.clone(),
            user: shared.user.clone(),
            repo: shared.repo.clone(),
            commit: shared.commit.clone(),
            size: output.size,
            timestamp: shared.timestamp,
            content_hash: output.object,
            excluded: output.excluded.is_some(),
            message: output.excluded.clone(),
            row_count: output.row_count,
            col_count: output.col_count,
            cloister: shared.cloister.clone(),
        }
    }
}
