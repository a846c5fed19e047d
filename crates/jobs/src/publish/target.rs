//! What stands where an output is to be written, and whether it may be replaced.
//! Spec project-yaml.md 6.4.8: a job can never change the project's settings or write through a link.

use sandbox::folder::{FolderError, Kind, SafeFolder};

use super::PublishError;
use crate::ObjectId;
use crate::collect::CollectedOutput;
use crate::refusal::{Unsafe, Why};
use crate::store::hash_of;

/// What is to be done about one output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    /// A file with these bytes is there.
    Unchanged,
    /// Nothing, or another file, is there.
    Write,
}

/// Files that only a person may change.
const SETTINGS: [&str; 2] = ["project.yaml", "cloister.toml"];

/// Whether no job may ever change this path.
pub(super) fn is_protected(path: &str) -> bool {
    SETTINGS.contains(&path)
        || path == "metadata"
        || path.starts_with("metadata/")
        || path.split('/').any(|segment| segment.eq_ignore_ascii_case(".git"))
}

/// # Errors
/// `Unsafe` for anything but a plain file, or no file, behind plain folders; `Protected` for a change of settings.
pub(super) fn judge(project: &SafeFolder, output: &CollectedOutput) -> Result<Target, PublishError> {
    let path = &output.path;
    let same = same_bytes(project, path, output.object, Some(output.size))?;
    if same == Some(true) {
        return Ok(Target::Unchanged);
    }
    if is_protected(path) || is_settings_by_another_name(project, path)? {
        return Err(Unsafe::new(path, Why::Protected).into());
    }
    Ok(Target::Write)
}

/// Whether a plain file is there and has these bytes; `None` if nothing is there.
pub(super) fn same_bytes(
    project: &SafeFolder,
    path: &str,
    object: ObjectId,
    size: Option<u64>,
) -> Result<Option<bool>, FolderError> {
    let Some(found) = project.stat(path)? else { return Ok(None) };
    if found.kind == Kind::File && size.is_some_and(|size| size != found.size) {
        return Ok(Some(false));
    }
    let mut file = match project.open(path) {
        // It will be replaced, not read.
        Err(error) if error.is_denied() => return Ok(Some(false)),
        other => other?,
    };
    match hash_of(&mut file) {
        Ok(now) => Ok(Some(now == object)),
        Err(_) => Ok(Some(false)),
    }
}

/// On a file system that folds case, `Project.yaml` is `project.yaml`.
fn is_settings_by_another_name(project: &SafeFolder, path: &str) -> Result<bool, FolderError> {
    for settings in SETTINGS {
        if !path.eq_ignore_ascii_case(settings) {
            continue;
        }
        let (there, ours) = (project.stat(path)?, project.stat(settings)?);
        if let (Some(there), Some(ours)) = (there, ours)
            && there.same_file(&ours)
        {
            return Ok(true);
        }
    }
    Ok(false)
}
