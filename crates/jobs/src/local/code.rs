//! Which files of a project folder are code, and the tree of them as it counts in run keys.
//! Spec jobs.md 17 and 18: everything but `.git`, `metadata/` and what any action declares as its output.

use std::collections::HashSet;

use pipeline::{Pattern, Project};

use crate::ObjectId;
use crate::provenance::{CodeFile, CodeTree};
use crate::tree::{Entry, Tree};

/// The paths that actions declare as outputs; an action that is called `run_all` does not count.
#[derive(Debug, Clone, Default)]
pub struct OutputPaths {
    literal: HashSet<String>,
    patterns: Vec<Pattern>,
}

impl OutputPaths {
    /// Those of this project.
    pub fn of(project: &Project) -> Self {
        let mut paths = Self::default();
        for output in project.run_all().flat_map(|action| &action.outputs) {
            if output.pattern.is_literal() {
                paths.literal.insert(output.pattern.as_str().to_owned());
            } else {
                paths.patterns.push(output.pattern.clone());
            }
        }
        paths
    }

    /// Whether an action declares this path.
    pub fn contains(&self, path: &str) -> bool {
        self.literal.contains(path) || self.patterns.iter().any(|pattern| pattern.matches(path))
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
