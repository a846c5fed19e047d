//! The recorder's Python files, which are part of this program.
//! Spec study-definitions.md 1: a package of our own, needing nothing but Python.

use std::path::Path;

use sandbox::folder::SafeFolder;

use super::failure::RecordError;

macro_rules! files {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/recorder/", $name)))),*]
    };
}

/// Names below the recorder's folder, and texts. `python3 FOLDER` starts the recorder; with FOLDER on its path, any
/// Python imports `cohortextractor`.
pub const FILES: &[(&str, &str)] = files![
    "__main__.py",
    "cohortextractor/__init__.py",
    "cohortextractor/_keywords.py",
    "cohortextractor/_place.py",
    "cohortextractor/_recorder.py",
    "cohortextractor/_snapshot.py",
    "cohortextractor/codelistlib.py",
    "cohortextractor/exceptions.py",
    "cohortextractor/measure.py",
    "cohortextractor/pandas_utils.py",
    "cohortextractor/patients.py",
    "cohortextractor/study_definition.py",
    "cohortextractor/tpp_backend.py",
];

/// Where the recorder lies in the copy of a workspace.
pub(super) const PLACE: &str = ".cloister/recorder";

/// Puts the recorder into the copy of a workspace.
pub(super) fn write_into(workspace: &Path) -> Result<(), RecordError> {
    use std::io::Write as _;

    let folder = SafeFolder::at(workspace).map_err(RecordError::Workspace)?;
    for (name, text) in FILES {
        let mut file = folder.create(format!("{PLACE}/{name}"), 0o644).map_err(RecordError::Workspace)?;
        file.write_all(text.as_bytes()).map_err(|source| RecordError::Io { what: "writing the recorder", source })?;
    }
    Ok(())
}
