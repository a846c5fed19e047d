//! Everything needed to run a job, fixed when it is planned: a stored job never changes, only its state does.
//! Spec jobs.md 3 (rule 6) and 9 (format numbers).

use std::collections::BTreeMap;

use pipeline::{ActionName, DataKind, Output, ReusableAction, RuntimeRef, SpecialCommand};
use serde::{Deserialize, Serialize};

use crate::provenance::ImageIdentity;
use crate::{AnalysisScope, CodeSource, WorkspaceName};

/// The newest format that this program reads: jobs of reusable actions are written so.
pub const DEFINITION_FORMAT: u32 = 2;
/// The format without them: all other jobs are written so, and older programs read them.
pub const FIRST_FORMAT: u32 = 1;

/// Everything needed to run a job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JobDefinition {
    /// How this is written; a program finishes jobs of its two previous formats.
    pub format: u32,
    /// The workspace.
    pub workspace: WorkspaceName,
    /// The action.
    pub action: ActionName,
    /// The command, expanded: nothing but words, the first one `name:tag` (spec project-yaml.md 7.4).
    pub words: Vec<String>,
    /// The config that expansion put into the words as JSON.
    pub config: Option<String>,
    /// The runtime as written; of a reusable action the one that its action.yaml names.
    pub runtime: RuntimeRef,
    /// What the command runs in.
    pub image: ImageIdentity,
    /// A command with rules of its own.
    pub special: Option<SpecialCommand>,
    /// Whether it reads the database.
    pub is_database: bool,
    /// Whether database actions read patients or make dummy data.
    pub data: DataKind,
    /// What it declares.
    pub outputs: Vec<Output>,
    /// Where its code comes from.
    pub code: CodeSource,
    /// Names the tree of the code: a tree of git, or a snapshot of the working folder.
    pub tree: String,
    /// The reusable action that it runs by: `tree` is then that one's, and so is its code; `code` stays the study's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reusable: Option<ReusableAction>,
    /// Plain values given by this program, by name.
    pub environment: BTreeMap<String, String>,
    /// What it may read beyond the ordinary; empty unless it reads the database.
    pub scope: AnalysisScope,
    /// Bytes.
    pub memory_bytes: Option<u64>,
    /// Processors, in thousandths.
    pub cpu_millis: Option<u32>,
    /// Seconds that the command may run.
    pub time_limit_seconds: Option<u64>,
    /// Fields of another format that this program does not know; they are kept.
    #[serde(flatten)]
    pub unknown: BTreeMap<String, serde_json::Value>,
}
