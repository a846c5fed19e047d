//! The tree of files that an action gets as its code, by path, mode and hash.
//! Spec jobs.md 17, row `code`.

use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Serialize};

use super::Component;
use super::encode::Encoder;
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

/// The code of an action: sorted by path, without project.yaml and without caches. Shared, so cheap to clone: all actions
/// of a study have the same one.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(from = "Vec<CodeFile>", into = "Vec<CodeFile>")]
pub struct CodeTree(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    files: Vec<CodeFile>,
    hash: OnceLock<ObjectId>,
}

impl CodeTree {
    /// Leaves out what does not count as code, sorts the rest; of two entries with one path the last counts.
    pub fn new(files: impl IntoIterator<Item = CodeFile>) -> Self {
        let by_path: std::collections::BTreeMap<String, CodeFile> =
            files.into_iter().filter(|f| Self::counts(&f.path)).map(|f| (f.path.clone(), f)).collect();
        Self(Arc::new(Shared { files: by_path.into_values().collect(), hash: OnceLock::new() }))
    }

    /// Whether a file at this path is part of the code: not project.yaml itself nor the list of pinned reusable actions
    /// (what they pin is the code of other actions), and nothing that interpreters and notebooks leave behind.
    pub fn counts(path: &str) -> bool {
        path != "project.yaml"
            && path != crate::reusable::LOCK_FILE
            && !path.ends_with(".pyc")
            && !path.split('/').any(|segment| segment == "__pycache__" || segment == ".ipynb_checkpoints")
    }

    /// The files, sorted by path.
    pub fn files(&self) -> &[CodeFile] {
        &self.0.files
    }

    /// The file at this path.
    pub fn get(&self, path: &str) -> Option<&CodeFile> {
        self.files().binary_search_by(|f| f.path.as_str().cmp(path)).ok().map(|i| &self.files()[i])
    }

    /// The hash of the component, computed once.
    pub fn hash(&self) -> ObjectId {
        *self.0.hash.get_or_init(|| {
            let mut e = Encoder::new("cloister-component-1");
            e.text(Component::Code.as_str());
            e.list(self.files().iter(), |e, file| {
                e.text(&file.path);
                e.number(u64::from(file.mode));
                e.bytes(&file.hash.0);
            });
            ObjectId(e.finish())
        })
    }
}

impl PartialEq for CodeTree {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.files() == other.files()
    }
}

impl Eq for CodeTree {}

impl Default for CodeTree {
    fn default() -> Self {
        Self::new([])
    }
}

impl From<Vec<CodeFile>> for CodeTree {
    fn from(files: Vec<CodeFile>) -> Self {
        Self::new(files)
    }
}

impl From<CodeTree> for Vec<CodeFile> {
    fn from(tree: CodeTree) -> Self {
        tree.files().to_vec()
    }
}
