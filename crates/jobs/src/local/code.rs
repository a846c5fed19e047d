//! Which files of a project folder are code, and the tree of them as it counts in run keys.
//! Spec jobs.md 17 and 18: everything but `.git`, `metadata/` and what any action declares as its output.

use std::collections::{HashMap, HashSet};

use pipeline::{Pattern, Project};

use crate::ObjectId;
use crate::provenance::{CodeFile, CodeTree};
use crate::tree::{Entry, Tree};

/// The paths that actions declare as outputs; an action that is called `run_all` does not count.
#[derive(Debug, Clone, Default)]
pub struct OutputPaths {
    literal: HashSet<String>,
    /// Patterns whose folder is written out, by that folder.
    by_folder: HashMap<String, Vec<Pattern>>,
    /// Patterns with a `*` in their folder.
    others: Vec<Pattern>,
}

impl OutputPaths {
    /// Those of this project.
    pub fn of(project: &Project) -> Self {
        let mut paths = Self::default();
        for output in project.run_all().flat_map(|action| &action.outputs) {
            if output.pattern.is_literal() {
                paths.literal.insert(output.pattern.as_str().to_owned());
            } else {
                let folder = output.pattern.as_str().rsplit_once('/').map_or("", |(folder, _)| folder);
                if folder.contains('*') {
                    paths.others.push(output.pattern.clone());
                } else {
                    paths.by_folder.entry(folder.to_owned()).or_default().push(output.pattern.clone());
                }
            }
        }
        paths
    }

    /// Whether an action declares this path.
    pub fn contains(&self, path: &str) -> bool {
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let near = self.by_folder.get(folder).into_iter().flatten();
        self.literal.contains(path) || near.chain(&self.others).any(|pattern| pattern.matches(path))
    }
}

/// A snapshot as it counts in run keys.
pub fn code_tree(tree: &Tree) -> CodeTree {
    CodeTree::new(tree.entries.iter().map(|(path, entry)| {
        let (mode, hash) = match entry {
            Entry::File { mode, object, .. } if mode & 0o111 != 0 => (0o100_755, *object),
            Entry::File { object, .. } => (0o100_644, *object),
            Entry::Link { target } => (0o120_000, ObjectId::of(target.as_bytes())),
        };
        CodeFile { path: path.clone(), mode, hash }
    }))
}
