//! `actions.lock` beside project.yaml: which commit each reusable action of a study is, on every laptop that runs it.
//! Spec jobs.md 19 (a lock file pins them for local runs). A backend does not read it: it asks the tags themselves.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};
use std::path::Path;

use pipeline::RuntimeRef;
use repositories::Commit;
use sandbox::folder::{FolderError, SafeFolder};
use serde::{Deserialize, Serialize};

use super::{Found, Pins};
use crate::publish::open_project;

/// Its name. It does not count as code: the commits that it names do.
pub const LOCK_FILE: &str = "actions.lock";
/// Bytes that are read.
const LARGEST: u64 = 1 << 20;
/// What the file calls itself.
const SCHEMA: &str = "cloister.actions/1";

/// A lock file that cannot be used, or not be written.
#[derive(Debug, thiserror::Error)]
pub enum BadLock {
    /// Its text.
    #[error("{LOCK_FILE} cannot be used: {0}; remove it, or what is wrong in it: the next run writes it anew")]
    Text(String),
    /// The project folder.
    #[error("{LOCK_FILE}: {0}")]
    Folder(#[from] FolderError),
    /// Writing it.
    #[error("{LOCK_FILE} cannot be written: {0}")]
    Write(#[from] io::Error),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    schema: String,
    actions: BTreeMap<String, Entry>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    repository: String,
    commit: Commit,
}

/// The pins of a study; none if it has no such file. It came with the study, so it is opened through no link.
///
/// # Errors
/// It is there and cannot be used.
pub fn read_lock(study: &Path) -> Result<Pins, BadLock> {
    let file = match SafeFolder::at(study)?.open(LOCK_FILE) {
        Ok(file) => file,
        Err(error) if error.is_missing() => return Ok(Pins::new()),
        Err(error) => return Err(error.into()),
    };
    let mut bytes = Vec::new();
    file.take(LARGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST {
        return Err(BadLock::Text(format!("it is larger than {LARGEST} bytes")));
    }
    let text: Text = serde_json::from_slice(&bytes).map_err(|error| BadLock::Text(error.to_string()))?;
    if text.schema != SCHEMA {
        let schema: String = text.schema.chars().take(80).collect();
        return Err(BadLock::Text(format!("it says that it is {schema:?}, not {SCHEMA:?}")));
    }
    let pin = |(name, entry): (String, Entry)| {
        let (name, tag) = name.split_once(':')?;
        Some((RuntimeRef { name: name.to_owned(), tag: tag.to_owned() }, (entry.repository, entry.commit)))
    };
    Ok(text.actions.into_iter().filter_map(pin).collect())
}

/// Writes what was found beside what was pinned before, as far as the study still `names` it. True if that changed the file.
///
/// # Errors
/// The project folder cannot be written.
pub fn write_lock<'f>(
    study: &Path,
    before: &Pins,
    found: impl IntoIterator<Item = &'f Found>,
    names: &BTreeSet<RuntimeRef>,
) -> Result<bool, BadLock> {
    let mut pins = before.clone();
    for found in found {
        pins.insert(found.action.reference.clone(), (found.action.repository.clone(), found.commit.commit()));
    }
    pins.retain(|reference, _| names.contains(reference));
    if pins == *before {
        return Ok(false);
    }
    let entry = |(reference, (repository, commit)): (RuntimeRef, (String, Commit))| {
        (reference.to_string(), Entry { repository, commit })
    };
    let text = Text { schema: SCHEMA.to_owned(), actions: pins.into_iter().map(entry).collect() };
    let text = serde_json::to_string_pretty(&text).map_err(|error| BadLock::Text(error.to_string()))? + "\n";
    let folder = open_project(study)?;
    folder
        .write_atomic(LOCK_FILE, 0o644, |file| io::Write::write_all(file, text.as_bytes()).map_err(BadLock::Write))?;
    Ok(true)
}
