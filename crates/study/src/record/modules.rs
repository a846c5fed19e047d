//! Which study definitions a repository has.
//! Spec study-definitions.md 9.1: `analysis/study_definition(_\w+)?.py`, sorted; `analysis/` and `codelists/` are needed.

use std::path::Path;

use sandbox::folder::{FolderError, Kind, SafeFolder};

use super::failure::{RecordError, RecordFault};

/// Entries of `analysis/` that are looked at.
const MOST_FILES: u64 = 100_000;

/// Whether `name` is that of a study module: `study_definition` or `study_definition_` and letters, digits, `_`.
#[must_use]
pub fn is_module(name: &str) -> bool {
    match name.strip_prefix("study_definition") {
        Some("") => true,
        Some(rest) => {
            rest.strip_prefix('_').is_some_and(|x| !x.is_empty() && x.chars().all(|c| c.is_alphanumeric() || c == '_'))
        }
        None => false,
    }
}

/// The study modules of a repository, by name, sorted; none is no error.
///
/// # Errors
/// SD002: it has no folder `analysis/` or `codelists/`; what the system says.
pub fn modules(root: &Path) -> Result<Vec<String>, RecordError> {
    let folder = SafeFolder::at(root).map_err(RecordError::Workspace)?;
    let absent: Vec<&str> = ["analysis", "codelists"].into_iter().filter(|name| folder.folder(name).is_err()).collect();
    if !absent.is_empty() {
        return Err(no_folders(&absent));
    }
    let analysis = folder.folder("analysis").map_err(RecordError::Workspace)?;
    let mut found = Vec::new();
    let mut walk = analysis.walk(MOST_FILES);
    while let Some(entry) = walk.next() {
        let name = match entry {
            Ok(entry) if entry.found.kind == Kind::File && entry.depth == 1 => entry.name().to_str().map(str::to_owned),
            Ok(_) => None,
            Err(error @ FolderError::TooMany { .. }) => return Err(RecordError::Workspace(error)),
            Err(_) => None,
        };
        walk.skip();
        found.extend(name.and_then(|name| name.strip_suffix(".py").filter(|name| is_module(name)).map(str::to_owned)));
    }
    found.sort_unstable();
    Ok(found)
}

/// Fails with SD001 or SD002 unless the repository has this module.
pub(super) fn require(root: &Path, module: &str) -> Result<(), RecordError> {
    let modules = modules(root)?;
    if modules.iter().any(|one| one == module) {
        return Ok(());
    }
    let (message, fix) = if modules.is_empty() {
        (
            "no study definition found".to_owned(),
            "write one as analysis/study_definition.py (or study_definition_NAME.py)".to_owned(),
        )
    } else {
        let message = format!("there is no study definition analysis/{module}.py");
        (message, format!("name one of these: {}", modules.join(", ")))
    };
    Err(RecordError::fault(RecordFault { fix: Some(fix), ..RecordFault::new("SD001", "ValueError", message) }))
}

fn no_folders(absent: &[&str]) -> RecordError {
    let message = match absent {
        [one] => format!("there is no folder {one}/ here"),
        _ => "there are no folders analysis/ and codelists/ here".to_owned(),
    };
    let fix = "run the command in the root of the study repository, and make the folders that are missing".to_owned();
    RecordError::fault(RecordFault { fix: Some(fix), ..RecordFault::new("SD002", "RuntimeError", message) })
}
