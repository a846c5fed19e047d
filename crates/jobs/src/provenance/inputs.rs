//! The files a job reads from the jobs it is pinned to, and what happens when two of them offer one path.
//! Spec jobs.md 3 (last rules) and 17, row `inputs`.

use std::collections::BTreeMap;

use pipeline::{ActionName, PrivacyLevel};
use serde::{Deserialize, Serialize};

use crate::{JobId, ObjectId};

/// One file that a job reads.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct InputFile {
    /// Its place in the workspace.
    pub path: String,
    /// Its bytes.
    pub object: ObjectId,
    /// The action that made it.
    pub action: ActionName,
    /// The job that made it.
    pub job: JobId,
    /// The level it is stored at.
    pub level: PrivacyLevel,
}

/// The recorded outputs of one pinned job.
#[derive(Debug, Clone)]
pub struct PinnedOutput {
    /// The file it offers.
    pub file: InputFile,
    /// When its job finished, Unix seconds.
    pub finished_at: i64,
}

/// Two pins offer the same path with different bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Collision {
    /// The path.
    pub path: String,
    /// Whose file is read: its job finished last.
    pub used: ActionName,
    /// Whose file is not.
    pub hidden: ActionName,
}

/// Lays all offered files into one workspace: of two with one path the one whose job finished last is read, and with
/// equal times the one offered later. Gives them sorted by path, and every collision of different bytes.
pub fn workspace_inputs(offered: impl IntoIterator<Item = PinnedOutput>) -> (Vec<InputFile>, Vec<Collision>) {
    let mut by_path: BTreeMap<String, PinnedOutput> = BTreeMap::new();
    let mut collisions = Vec::new();
    for new in offered {
        let Some(old) = by_path.get_mut(&new.file.path) else {
            by_path.insert(new.file.path.clone(), new);
            continue;
        };
        let differ = old.file.object != new.file.object;
        let hidden = if new.finished_at >= old.finished_at { std::mem::replace(old, new) } else { new };
        if differ {
            let (path, used) = (hidden.file.path.clone(), old.file.action.clone());
            collisions.push(Collision { path, used, hidden: hidden.file.action });
        }
    }
    (by_path.into_values().map(|pinned| pinned.file).collect(), collisions)
}
