//! "Did you mean": the files a job made that no pattern matches, nearest names first.
//! Spec jobs.md 11: new or changed compared with what was prepared, not by the clock. For the log only.

use std::collections::HashSet;
use std::fmt;

use sandbox::folder::{Kind, SafeFolder};
use serde::{Deserialize, Serialize};

use super::{CollectError, CollectedOutput, Request};
use crate::log::visible;
use crate::store::hash_of;
use crate::tree::{Entry, Tree};

/// Most files that are shown.
const SHOWN: usize = 100;
/// Most files that are compared with the patterns; beyond, they are taken in the order of their paths.
const COMPARED: usize = 5_000;
/// Most bytes that are hashed to tell a rewritten file of equal size from an unchanged one.
const HASHED: u64 = 4 << 30;
/// Folders of programs, not of studies.
const NOT_SHOWN: [&str; 3] = ["__pycache__", ".ipynb_checkpoints", ".cloister"];

/// Files that the job made and no pattern matches.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Hint {
    /// Nearest to an unmatched pattern first, at most 100.
    pub files: Vec<String>,
    /// How many more there are.
    pub more: u64,
}

impl fmt::Display for Hint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.files.is_empty() {
            return f.write_str("The action made no other files");
        }
        f.write_str("Did you mean to match one of these files instead?")?;
        for file in &self.files {
            write!(f, "\n   - {}", visible(file))?;
        }
        if self.more > 0 {
            write!(f, "\n   and {} more", self.more)?;
        }
        Ok(())
    }
}

pub(super) fn find(
    workspace: &SafeFolder,
    request: &Request<'_>,
    outputs: &[CollectedOutput],
    unmatched: &[String],
) -> Result<Hint, CollectError> {
    let matched: HashSet<&str> = outputs.iter().map(|o| o.path.as_str()).collect();
    let mut candidates = Vec::new();
    let (mut more, mut budget) = (0, HASHED);
    let mut walk = workspace.walk(request.limits.entries);
    while let Some(entry) = walk.next() {
        // Only a hint: what cannot be read is not in it.
        let Ok(entry) = entry else { continue };
        if entry.found.kind == Kind::Folder && NOT_SHOWN.iter().any(|name| entry.name() == *name) {
            walk.skip();
            continue;
        }
        let Some(path) = entry.path.to_str().filter(|_| entry.found.kind == Kind::File) else { continue };
        if matched.contains(path) || unchanged(workspace, request.prepared, path, entry.found.size, &mut budget) {
            continue;
        }
        if path.len() > 1_024 || candidates.len() >= COMPARED {
            more += 1;
        } else {
            candidates.push(path.to_owned());
        }
    }
    candidates.sort_by_cached_key(|path| (distance(path, unmatched), path.clone()));
    more += candidates.len().saturating_sub(SHOWN) as u64;
    candidates.truncate(SHOWN);
    Ok(Hint { files: candidates, more })
}

/// Whether a file is as it was laid out.
fn unchanged(workspace: &SafeFolder, prepared: &Tree, path: &str, size: u64, budget: &mut u64) -> bool {
    let Some(Entry::File { object, size: before, .. }) = prepared.entries.get(path) else { return false };
    if *before != size {
        return false;
    }
    match budget.checked_sub(size) {
        Some(left) => *budget = left,
        None => return true,
    }
    workspace.open(path).is_ok_and(|mut file| hash_of(&mut file).is_ok_and(|now| now == *object))
}

/// How far a path is from the nearest of a few patterns, a `*` of a pattern counting as one character.
fn distance(path: &str, patterns: &[String]) -> usize {
    let path: String = path.chars().take(200).collect();
    patterns
        .iter()
        .take(20)
        .map(|p| strsim::osa_distance(&path, &p.chars().take(200).collect::<String>()))
        .min()
        .unwrap_or(0)
}
