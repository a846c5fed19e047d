//! The recorder's Python files, which are part of this program.
//! Spec study-definitions.md 1: a package of our own, needing nothing but Python.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use sandbox::folder::SafeFolder;
use sha2::{Digest, Sha256};

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
    "cohortextractor/patients.py",
    "cohortextractor/study_definition.py",
    "cohortextractor/tpp_backend.py",
];

/// Where the recorder lies in the copy of a workspace.
pub(super) const PLACE: &str = ".cloister/recorder";

/// Puts the recorder into the copy of a workspace.
pub(super) fn write_into(workspace: &Path) -> Result<(), RecordError> {
    use io::Write as _;

    let folder = SafeFolder::at(workspace).map_err(RecordError::Workspace)?;
    for (name, text) in FILES {
        let mut file = folder.create(format!("{PLACE}/{name}"), 0o644).map_err(RecordError::Workspace)?;
        file.write_all(text.as_bytes()).map_err(|source| RecordError::Io { what: "writing the recorder", source })?;
    }
    Ok(())
}

/// Puts the package into `{cache}/recorder/{hash}`, once for each content, and gives that folder: a folder for the path
/// of other Pythons, which holds nothing else.
///
/// # Errors
/// What the system says.
pub fn install(cache: &Path) -> io::Result<PathBuf> {
    let below = cache.join("recorder");
    let folder = below.join(hash());
    if folder.is_dir() {
        return Ok(folder);
    }
    fs::create_dir_all(&below)?;
    let new = tempfile::Builder::new().prefix("new-").tempdir_in(&below)?;
    for (name, text) in FILES {
        let path = new.path().join(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(path, text)?;
    }
    // Readable for the users that runs of other owners have.
    for path in [new.path(), &new.path().join("cohortextractor")] {
        fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
    }
    let made = new.keep();
    match fs::rename(&made, &folder) {
        Ok(()) => Ok(folder),
        // Another process was faster: its bytes are the same.
        Err(_) if folder.is_dir() => fs::remove_dir_all(&made).map(|()| folder),
        Err(error) => Err(error),
    }
}

fn hash() -> String {
    let mut hash = Sha256::new();
    for (name, text) in FILES {
        hash.update((name.len() as u64).to_le_bytes());
        hash.update(name);
        hash.update((text.len() as u64).to_le_bytes());
        hash.update(text);
    }
    let bytes = hash.finalize();
    bytes.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}
