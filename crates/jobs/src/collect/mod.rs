//! From a finished workspace to stored outputs with a level: matching, storing, checking.
//! Spec jobs.md 11, 12; project-yaml.md 6.4. Nothing of the job is alive any more when this runs.

mod error;
mod glob;
mod hint;
mod listed;
mod matching;

use std::collections::HashSet;
use std::fmt;

use disclosure::{Checked, check, check_copied};
use pipeline::{Pattern, PrivacyLevel};
use sandbox::folder::{FolderError, SafeFile, SafeFolder};
use serde::{Deserialize, Serialize};

pub use error::CollectError;
pub use hint::Hint;

use crate::log::visible;
use crate::store::{Batch, Expect, Store};
use crate::tree::{Entry, Tree};
use crate::{Leave, ObjectId};

/// The limits of a collection (spec jobs.md 23).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CollectLimits {
    /// `max_outputs`.
    pub outputs: u64,
    /// `max_output_bytes`, apparent sizes.
    pub bytes: u64,
    /// Files and folders that are looked at in the workspace.
    pub entries: u64,
    /// Of the checks of moderately sensitive files.
    pub checks: disclosure::Limits,
}

impl Default for CollectLimits {
    fn default() -> Self {
        Self { outputs: 100_000, bytes: 200 << 30, entries: 5_000_000, checks: disclosure::Limits::default() }
    }
}

/// A file that the job was given by a needed action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredInput {
    /// Where it was placed.
    pub path: String,
    /// Its bytes.
    pub object: ObjectId,
    /// The level it is stored at.
    pub level: PrivacyLevel,
}

/// What is to be collected and judged by.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The declared patterns with their levels, in written order.
    pub patterns: &'a [(Pattern, PrivacyLevel)],
    /// The inputs, for the copied-data rule.
    pub inputs: &'a [StoredInput],
    /// Code and inputs as they were laid out, to tell what is new.
    pub prepared: &'a Tree,
    /// The action is `generate_cohort` or `generate-dataset`: whatever it writes is highly sensitive.
    pub patient_level: bool,
    /// Limits.
    pub limits: CollectLimits,
    /// Whether it may go on.
    pub leave: &'a Leave,
}

/// One collected file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CollectedOutput {
    /// Beneath the workspace, `/` between segments: valid UTF-8 without control characters, never below `metadata/`.
    pub path: String,
    /// The most sensitive level that applies.
    pub level: PrivacyLevel,
    /// Bytes.
    pub size: u64,
    /// SHA-256 of the bytes.
    pub object: ObjectId,
    /// When the job last changed it: nanoseconds since 1970.
    pub mtime_ns: i64,
    /// Why it is kept out of the medium store: all reasons, joined by a comma. Only moderately sensitive files.
    pub excluded: Option<String>,
    /// Of a moderately sensitive csv file that was read.
    pub row_count: Option<u64>,
    /// Of a moderately sensitive csv file that was read.
    pub col_count: Option<u64>,
}

/// Something to say about a collection that does not stop it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Warning {
    /// Patterns of several levels match the file; the strictest one counts.
    SeveralLevels {
        /// The file.
        path: String,
        /// What counts.
        level: PrivacyLevel,
    },
    /// Declared less sensitive than patient-level data are.
    Raised {
        /// The file.
        path: String,
        /// What it was declared as.
        declared: PrivacyLevel,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SeveralLevels { path, level } => {
                write!(
                    f,
                    "`{}` matches patterns of several levels; it is stored as {level}, the strictest",
                    visible(path)
                )
            }
            Self::Raised { path, declared } => {
                let path = visible(path);
                write!(f, "`{path}` is patient-level data: it is stored as highly_sensitive, not as {declared}")
            }
        }
    }
}

/// What a job produced.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Collected {
    /// Sorted by path.
    pub outputs: Vec<CollectedOutput>,
    /// Patterns without a file, in written order.
    pub unmatched_patterns: Vec<String>,
    /// Other files that the job made, if a pattern is unmatched.
    pub hint: Option<Hint>,
    /// What else to tell.
    pub warnings: Vec<Warning>,
}

/// Collects the outputs of a finished job into `store`. On an error nothing is stored that was not there before.
///
/// # Errors
/// [`CollectError::Unsafe`] for a link, special file or bad name that a pattern matches or passes; the limits; the store's.
pub fn collect(workspace: &SafeFolder, request: &Request<'_>, store: &Store) -> Result<Collected, CollectError> {
    let matches = matching::find(workspace, request)?;
    let mut collected = Collected { warnings: matches.warnings, ..Collected::default() };
    let batch = store.batch();
    // What is stored as minimally_sensitive is treated as highly_sensitive everywhere (project-yaml.md 6.1).
    let protected: HashSet<ObjectId> =
        request.inputs.iter().filter(|i| i.level != PrivacyLevel::ModeratelySensitive).map(|i| i.object).collect();
    for (path, file) in matches.files {
        request.leave.check()?;
        let (object, opened) = take(workspace, request, &batch, &path)?;
        let found = opened.found();
        let checked = match file.level {
            PrivacyLevel::ModeratelySensitive => judge(&batch, &path, object, found.size, &protected, request)?,
            _ => Checked::default(),
        };
        collected.outputs.push(CollectedOutput {
            level: file.level,
            size: found.size,
            object,
            mtime_ns: i64::try_from(found.mtime_ns).unwrap_or(i64::MAX),
            excluded: checked.message(),
            row_count: checked.row_count,
            col_count: checked.col_count,
            path,
        });
    }
    if !matches.unmatched.is_empty() {
        collected.hint = Some(hint::find(workspace, request, &collected.outputs, &matches.unmatched)?);
        collected.unmatched_patterns = matches.unmatched;
    }
    batch.commit()?;
    Ok(collected)
}

/// Opens and stores one file. A file that was laid out at this place with this size is probably unchanged.
fn take(
    workspace: &SafeFolder,
    request: &Request<'_>,
    batch: &Batch<'_>,
    path: &str,
) -> Result<(ObjectId, SafeFile), CollectError> {
    let mut file = open_allowed(workspace, path)?;
    let expect = match request.prepared.entries.get(path) {
        Some(Entry::File { size, .. }) if *size == file.size() => Expect::Known,
        _ => Expect::New,
    };
    let put = batch.put_file_with(&mut file, expect, request.leave);
    let object = put.or_else(|source| {
        request.leave.check()?;
        Err(CollectError::File { path: path.to_owned(), source })
    })?;
    Ok((object, file))
}

/// Opens a file even if the job took the right to read it from its owner.
fn open_allowed(workspace: &SafeFolder, path: &str) -> Result<SafeFile, FolderError> {
    match workspace.open(path) {
        Err(error) if error.is_denied() => {
            matching::open_way(workspace, path.as_ref())?;
            workspace.open(path)
        }
        other => other,
    }
}

fn judge(
    batch: &Batch<'_>,
    path: &str,
    object: ObjectId,
    size: u64,
    protected: &HashSet<ObjectId>,
    request: &Request<'_>,
) -> Result<Checked, CollectError> {
    let open = || batch.read(object).map_err(std::io::Error::other);
    let mut checked = check(path, size, open, &request.limits.checks)
        .map_err(|source| CollectError::Check { path: path.to_owned(), source })?;
    checked.excluded.extend(check_copied(&object, protected));
    Ok(checked)
}
