//! The recorder's own copy of a workspace: what the study writes into it is dropped with it.
//! Spec study-definitions.md 1.1; read and written through the safe folder of sandbox.md 10.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use sandbox::folder::{FolderError, Kind, SafeFolder, remove_tree};

use super::failure::RecordError;

/// Entries of a workspace that are copied at most.
const MOST_FILES: u64 = 1_000_000;
/// Folders at the root that no study reads, or that are ours.
const LEFT_OUT: [&str; 2] = [".git", ".cloister"];

/// Bytes that must still find room for an ended recorder to have had enough.
const ROOM: usize = 64 << 10;

/// What a file was like right after it was copied: size and time of change.
type State = (u64, i128);

/// A folder with `workspace/` and `tmp/`, removed when this is dropped.
#[derive(Debug)]
pub(super) struct Copy {
    folder: PathBuf,
    files: BTreeMap<PathBuf, State>,
}

impl Copy {
    pub(super) fn of(root: &Path) -> Result<Copy, RecordError> {
        let made = tempfile::Builder::new().prefix("recorder-").tempdir();
        let made = made.map_err(|source| RecordError::Io { what: "making a folder for the recorder", source })?;
        let mut copy = Copy { folder: made.keep(), files: BTreeMap::new() };
        for part in [copy.workspace(), copy.folder.join("tmp")] {
            fs::create_dir(part)
                .map_err(|source| RecordError::Io { what: "making a folder for the recorder", source })?;
        }
        let from = SafeFolder::at(root).map_err(RecordError::Workspace)?;
        let to = SafeFolder::at(&copy.workspace()).map_err(RecordError::Workspace)?;
        copy.fill(&from, &to)?;
        Ok(copy)
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(super) fn workspace(&self) -> PathBuf {
        self.folder.join("workspace")
    }

    fn fill(&mut self, from: &SafeFolder, to: &SafeFolder) -> Result<(), RecordError> {
        let mut links = Vec::new();
        let mut walk = from.walk(MOST_FILES);
        while let Some(entry) = walk.next() {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error @ FolderError::TooMany { .. }) => return Err(RecordError::Workspace(error)),
                // A folder that cannot be read here cannot be read by the study either.
                Err(_) => continue,
            };
            let path = entry.path.to_owned();
            let left_out = entry.depth == 1 && LEFT_OUT.iter().any(|name| path == Path::new(name));
            match entry.found.kind {
                _ if left_out => walk.skip(),
                Kind::Folder => drop(to.make_folders(&path).map_err(RecordError::Workspace)?),
                Kind::Link => links.push(path),
                Kind::File => self.copy_file(from, to, path)?,
                _ => {}
            }
        }
        // Last, so that nothing is ever written through one.
        for path in links {
            let target = from.read_link(&path).map_err(RecordError::Workspace)?;
            let target: &std::ffi::OsStr = std::os::unix::ffi::OsStrExt::from_bytes(target.as_slice());
            to.symlink(target, &path).map_err(RecordError::Workspace)?;
        }
        Ok(())
    }

    fn copy_file(&mut self, from: &SafeFolder, to: &SafeFolder, path: PathBuf) -> Result<(), RecordError> {
        let mut source = match from.open(&path) {
            Ok(source) => source,
            Err(error) if error.is_denied() => return Ok(()),
            Err(error) => return Err(RecordError::Workspace(error)),
        };
        let mode = if source.found().executable() { 0o755 } else { 0o644 };
        let mut target = to.create(&path, mode).map_err(RecordError::Workspace)?;
        let copied = io::copy(&mut source, &mut target).and_then(|_| target.metadata());
        let about = copied.map_err(|source| RecordError::Io { what: "copying the study's files", source })?;
        let changed = std::os::unix::fs::MetadataExt::mtime(&about);
        let nanoseconds = std::os::unix::fs::MetadataExt::mtime_nsec(&about);
        let state = (about.len(), i128::from(changed) * 1_000_000_000 + i128::from(nanoseconds));
        self.files.insert(path, state);
        Ok(())
    }

    /// Whether more can be written there. A disk that is full stops a recorder as well, and is no fault of its study.
    pub(super) fn has_room(&self) -> Result<(), RecordError> {
        let path = self.folder.join("room");
        let written = fs::write(&path, [1; ROOM]);
        let _ = fs::remove_file(&path);
        written.map_err(|source| RecordError::Io { what: "writing where the study is read", source })
    }

    /// Files that were written, changed or removed since: some names, and how many in all.
    pub(super) fn changed(mut self, workspace: &SafeFolder, named: usize) -> (Vec<PathBuf>, u64) {
        let mut changed = Vec::new();
        let mut count = 0;
        let mut note = |path: PathBuf| {
            count += 1;
            if changed.len() < named {
                changed.push(path);
            }
        };
        let mut walk = workspace.walk(2 * MOST_FILES);
        while let Some(entry) = walk.next() {
            let Ok(entry) = entry else { continue };
            if entry.depth == 1 && entry.path == Path::new(".cloister") {
                walk.skip();
                continue;
            }
            if entry.found.kind != Kind::File {
                continue;
            }
            let state = (entry.found.size, entry.found.mtime_ns);
            if self.files.remove(entry.path) != Some(state) {
                note(entry.path.to_owned());
            }
        }
        std::mem::take(&mut self.files).into_keys().for_each(note);
        changed.sort_unstable();
        (changed, count)
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        // What cannot be removed lies in the folder for temporary files, and is harmless there.
        let _ = remove_tree(&self.folder);
    }
}
