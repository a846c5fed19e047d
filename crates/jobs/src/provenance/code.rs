//! The tree of files that an action gets as its code, by path, mode and hash.
//! Spec jobs.md 17, row `code`.

use serde::{Deserialize, Serialize};

use crate::ObjectId;

/// One file of the code.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CodeFile {
    /// From the root of the tree, with `/`.
    pub path: String,
    /// As git writes it: `0o100644`, `0o100755`, or `0o120000` for a link.
    pub mode: u32,
    /// Hash of its bytes; of its target for a link.
    pub hash: ObjectId,
}

/// The code of an action: sorted by path, without project.yaml and without caches.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CodeTree(Vec<CodeFile>);

impl CodeTree {
    /// Leaves out what does not count as code, sorts the rest; of two entries with one path the last counts.
    pub fn new(files: impl IntoIterator<Item = CodeFile>) -> Self {
        let by_path: std::collections::BTreeMap<String, CodeFile> =
            files.into_iter().filter(|f| Self::counts(&f.path)).map(|f| (f.path.clone(), f)).collect();
        Self(by_path.into_values().collect())
    }

    /// Whether a file at this path is part of the code: not project.yaml itself, and nothing that interpreters and
    /// notebooks leave behind.
    pub fn counts(path: &str) -> bool {
        path != "project.yaml"
            && !path.ends_with(".pyc")
            && !path.split('/').any(|segment| segment == "__pycache__" || segment == ".ipynb_checkpoints")
    }

    /// The files, sorted by path.
    pub fn files(&self) -> &[CodeFile] {
        &self.0
    }

    /// The file at this path.
    pub fn get(&self, path: &str) -> Option<&CodeFile> {
        self.0.binary_search_by(|f| f.path.as_str().cmp(path)).ok().map(|i| &self.0[i])
    }
}
