//! The two views of a workspace: what lies in one cannot get into the other but by the one way that is meant.
//! Spec jobs.md 12, 13: a file of the medium view is made of a checked, moderately sensitive output and of nothing else.

use std::fs::{DirBuilder, File};
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use pipeline::PrivacyLevel;
use sandbox::folder::{FolderError, Kind, SafeFolder};

use crate::WorkspaceName;
use crate::collect::CollectedOutput;
use crate::publish::PublishError;
use crate::store::Store;

const FILE_MODE: u32 = 0o640;

/// The plain files of a workspace; which view it is, is the wrapping type's matter.
struct Files(SafeFolder);

/// All outputs, for the service alone.
pub(super) struct HighView(Files);

/// What reviewers see.
pub(super) struct MediumView(Files);

/// An output that reviewers may see: moderately sensitive, and no check keeps it back.
pub(super) struct Reviewable<'a>(&'a CollectedOutput);

impl<'a> Reviewable<'a> {
    pub(super) fn of(output: &'a CollectedOutput) -> Option<Self> {
        let may = output.level == PrivacyLevel::ModeratelySensitive && output.excluded.is_none();
        may.then_some(Self(output))
    }
}

impl Files {
    fn of(root: &Path, workspace: &WorkspaceName) -> Result<Self, PublishError> {
        let path = root.join("workspaces").join(workspace.as_str());
        let made = DirBuilder::new().recursive(true).mode(0o750).create(&path);
        made.map_err(|source| PublishError::Io { what: "the folder of a workspace cannot be made", source })?;
        Ok(Self(SafeFolder::at(&path)?))
    }

    fn put(&self, output: &CollectedOutput, store: &Store) -> Result<bool, PublishError> {
        let path = &output.path;
        if let Ok(Some(found)) = self.0.stat(path)
            && found.kind == Kind::File
            && found.size == output.size
            && let Ok(mut file) = self.0.open(path)
            && crate::store::hash_of(&mut file).is_ok_and(|now| now == output.object)
        {
            return Ok(false);
        }
        self.write(path, |file| store.copy_into(output.object, file).map_err(PublishError::from))?;
        Ok(true)
    }

    /// Writes a file. A view is derived: what an older run left where a folder must be, or a folder where a file must be,
    /// gives way; its bytes stay in the store.
    fn write(&self, path: &str, fill: impl Fn(&mut File) -> Result<(), PublishError>) -> Result<(), PublishError> {
        let first = self.0.write_atomic(path, FILE_MODE, &fill);
        if first.is_ok() || !self.clear_the_way(path) {
            return first;
        }
        self.0.write_atomic(path, FILE_MODE, &fill)
    }

    fn clear_the_way(&self, path: &str) -> bool {
        let folders = path.match_indices('/').map(|(at, _)| &path[..at]);
        let in_the_way = |path: &str, wanted: Kind| {
            matches!(self.0.stat(path), Ok(Some(found)) if found.kind != wanted) && self.0.remove(path).is_ok()
        };
        folders.filter(|folder| in_the_way(folder, Kind::Folder)).count() > 0 || in_the_way(path, Kind::File)
    }

    fn copy(&self, path: &str, from: &Path) -> Result<(), PublishError> {
        let bad = |source| PublishError::Io { what: "the finished log cannot be copied", source };
        self.write(path, |file| {
            let mut log = File::open(from).map_err(bad)?;
            io::copy(&mut log, file).map(drop).map_err(bad)
        })
    }

    fn remove(&self, path: &str) -> Result<(), PublishError> {
        match self.0.stat(path) {
            Ok(Some(_)) => self.0.remove(path).map(drop).map_err(|error| error.first.into()),
            Ok(None) => Ok(()),
            Err(error) if error.is_missing() || error.is_unsafe() => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

impl HighView {
    pub(super) fn of(root: &Path, workspace: &WorkspaceName) -> Result<Self, PublishError> {
        Files::of(root, workspace).map(Self)
    }

    /// True if it was not there with these bytes.
    pub(super) fn put(&self, output: &CollectedOutput, store: &Store) -> Result<bool, PublishError> {
        self.0.put(output, store)
    }

    pub(super) fn put_log(&self, name: &str, log: &Path) -> Result<(), PublishError> {
        self.0.copy(&format!("metadata/{name}"), log)
    }
}

impl MediumView {
    pub(super) fn of(root: &Path, workspace: &WorkspaceName) -> Result<Self, PublishError> {
        Files::of(root, workspace).map(Self)
    }

    pub(super) fn put(&self, output: &Reviewable<'_>, store: &Store) -> Result<bool, PublishError> {
        self.0.put(output.0, store)
    }

    pub(super) fn remove(&self, path: &str) -> Result<(), PublishError> {
        self.0.remove(path)
    }

    /// What stands in the place of a file that is kept back.
    pub(super) fn put_note(&self, path: &str, text: &str) -> Result<(), PublishError> {
        self.text(path, text)
    }

    pub(super) fn put_log(&self, name: &str, log: &Path) -> Result<(), PublishError> {
        self.0.copy(&format!("metadata/{name}"), log)
    }

    pub(super) fn put_manifest(&self, text: &str) -> Result<(), PublishError> {
        self.text(MANIFEST, text)
    }

    pub(super) fn manifest(&self) -> Result<Option<sandbox::folder::SafeFile>, FolderError> {
        match self.0.0.open(MANIFEST) {
            Ok(file) => Ok(Some(file)),
            Err(error) if error.is_missing() => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn text(&self, path: &str, text: &str) -> Result<(), PublishError> {
        self.0.write(path, |file| {
            file.write_all(text.as_bytes())
                .map_err(|source| PublishError::Io { what: "the medium folder cannot be written", source })
        })
    }
}

const MANIFEST: &str = "metadata/manifest.json";
