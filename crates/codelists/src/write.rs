//! Changing `codelists/` as one step: whatever happens, killed at any instant included, it is the old folder or the new.
//! Spec cli.md 7.2: any failure changes nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::io::Write;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, FlockOperation, Mode, OFlags, RenameFlags};
use rustix::io::Errno;
use sandbox::folder::{FolderError, Kind, SafeFolder};

use crate::fault::Error;
use crate::folder::{FOLDER, LISTING, MANIFEST, NEW, OnDisk, Project, remove_left_overs};

/// Entries of `codelists/`, at any depth, that are carried over.
const MOST_ENTRIES: u64 = 100_000;

/// What is to be different.
#[derive(Debug, Default)]
pub(crate) struct Change {
    /// Files with their new content.
    pub(crate) files: BTreeMap<String, Vec<u8>>,
    /// Files to remove.
    pub(crate) gone: BTreeSet<String>,
}

/// Held while a command decides and writes; a second command is told so.
#[derive(Debug)]
pub(crate) struct Lock(#[expect(dead_code, reason = "held, never used")] OwnedFd);

impl Project {
    /// Takes the lock of the project's codelists and removes what a killed command left.
    pub(crate) fn lock(&self) -> Result<Lock, Error> {
        // A descriptor of its own: the lock is the open file's, and one lock must not end with another.
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let own = rustix::fs::openat(self.folder.as_fd(), ".", flags, Mode::empty()).map_err(std::io::Error::from)?;
        match rustix::fs::flock(&own, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(Errno::WOULDBLOCK) => return Err(Error::Busy),
            // Some network file systems have no locks: then nobody can be told.
            Err(_) => {}
        }
        remove_left_overs(&self.folder);
        Ok(Lock(own))
    }

    /// Writes the change if `seen` is still what is there.
    pub(crate) fn write(&self, change: &Change, seen: Option<&OnDisk>, _: &Lock) -> Result<(), Error> {
        let Some(seen) = seen else {
            let (name, _) = self.new_folder(None, change)?;
            return self.put_in_place(&name, RenameFlags::NOREPLACE);
        };
        let now = self.read()?.ok_or(Error::Changed { file: LISTING })?;
        if now.listing != seen.listing {
            return Err(Error::Changed { file: LISTING });
        }
        if now.manifest != seen.manifest {
            return Err(Error::Changed { file: MANIFEST });
        }
        if standing_in(&now.folder) {
            return in_place(&now.folder, change);
        }
        match self.new_folder(Some(&now.folder), change) {
            Ok((name, true)) => match self.put_in_place(&name, RenameFlags::EXCHANGE) {
                Ok(()) => {
                    // The old folder has that name now; the next command tries again if this one cannot.
                    let _ = self.folder.remove(&name);
                    Ok(())
                }
                Err(Error::Io(why)) if cannot_exchange(&why) => {
                    let _ = self.folder.remove(&name);
                    in_place(&now.folder, change)
                }
                Err(error) => Err(error),
            },
            Ok((name, false)) => {
                let _ = self.folder.remove(&name);
                in_place(&now.folder, change)
            }
            Err(error) => Err(error),
        }
    }

    /// A complete folder beside the old one; false if something of the old one cannot be carried over.
    fn new_folder(&self, old: Option<&SafeFolder>, change: &Change) -> Result<(PathBuf, bool), Error> {
        let name = PathBuf::from(format!("{}{}{}", NEW.0, std::process::id(), NEW.1));
        let result = self.fill(&name, old, change);
        if result.is_err() {
            let _ = self.folder.remove(&name);
        }
        result.map(|whole| (name, whole))
    }

    fn fill(&self, name: &Path, old: Option<&SafeFolder>, change: &Change) -> Result<bool, Error> {
        let new = self.folder.make_folders(name)?;
        for (file, bytes) in &change.files {
            let mode = old.and_then(|old| old.stat(file).ok().flatten());
            let mode = mode.filter(|found| found.kind == Kind::File).map_or(0o644, |found| found.mode);
            let mut out = new.create(file, mode)?;
            out.write_all(bytes)?;
            out.sync_all()?;
        }
        let whole = match old {
            None => true,
            Some(old) => carry_over(old, &new, change)? && same_mode(old, &new)?,
        };
        rustix::fs::fsync(&new).map_err(std::io::Error::from)?;
        Ok(whole)
    }

    fn put_in_place(&self, name: &Path, how: RenameFlags) -> Result<(), Error> {
        let done = rustix::fs::renameat_with(&self.folder, name, &self.folder, FOLDER, how);
        if let Err(errno) = done {
            if how == RenameFlags::NOREPLACE {
                let _ = self.folder.remove(name);
            }
            return Err(Error::Io(errno.into()));
        }
        let _ = rustix::fs::fsync(&self.folder);
        Ok(())
    }
}

/// Everything else of the old folder appears in the new one: files as further names of the same files.
fn carry_over(old: &SafeFolder, new: &SafeFolder, change: &Change) -> Result<bool, Error> {
    let mut walk = old.walk(MOST_ENTRIES);
    let mut modes: Vec<(PathBuf, u32)> = Vec::new();
    while let Some(entry) = walk.next() {
        let entry = entry?;
        let (path, found) = (entry.path.to_owned(), entry.found);
        let top = entry.depth == 1;
        let named = path.to_str().filter(|_| top);
        if named.is_some_and(|name| change.files.contains_key(name) || change.gone.contains(name)) {
            continue;
        }
        match found.kind {
            Kind::Folder => {
                new.make_folders(&path)?;
                modes.push((path, found.mode));
            }
            Kind::File => {
                if !link(old, new, &path)? {
                    return Ok(false);
                }
            }
            Kind::Link => new.symlink(OsString::from_vec(old.read_link(&path)?), &path)?,
            _ => return Ok(false),
        }
    }
    for (path, mode) in modes.iter().rev() {
        let folder = new.folder(path)?;
        rustix::fs::fchmod(&folder, Mode::from_raw_mode(*mode)).map_err(std::io::Error::from)?;
    }
    Ok(true)
}

/// Gives a file a second name in the new folder; false where the system does not allow that.
fn link(old: &SafeFolder, new: &SafeFolder, path: &Path) -> Result<bool, Error> {
    let (parent, name) = (path.parent().filter(|p| !p.as_os_str().is_empty()), path.file_name().unwrap_or_default());
    let (from, to) = match parent {
        None => (old.try_clone()?, new.try_clone()?),
        Some(parent) => (old.folder(parent)?, new.folder(parent)?),
    };
    match rustix::fs::linkat(&from, name, &to, name, AtFlags::empty()) {
        Ok(()) => Ok(true),
        Err(Errno::PERM | Errno::ACCESS | Errno::MLINK | Errno::XDEV | Errno::OPNOTSUPP | Errno::NOSYS) => Ok(false),
        Err(errno) => Err(Error::Io(errno.into())),
    }
}

fn same_mode(old: &SafeFolder, new: &SafeFolder) -> Result<bool, Error> {
    let (was, is) = (old.found()?, new.found()?);
    rustix::fs::fchmod(new, Mode::from_raw_mode(was.mode)).map_err(std::io::Error::from)?;
    Ok(was.uid == is.uid && was.gid == is.gid)
}

/// The way of systems that cannot exchange folders: each file on its own, the manifest and the list last.
fn in_place(folder: &SafeFolder, change: &Change) -> Result<(), Error> {
    let is_record = |name: &String| name == MANIFEST || name == LISTING;
    let (records, tables): (Vec<_>, Vec<_>) = change.files.iter().partition(|(name, _)| is_record(name));
    for (name, bytes) in tables.into_iter().chain(records) {
        let mode = folder.stat(name)?.filter(|found| found.kind == Kind::File).map_or(0o644, |found| found.mode);
        folder.write_atomic::<FolderError>(name, mode, |file| {
            let done = file.write_all(bytes).and_then(|()| file.sync_all());
            done.map_err(|source| FolderError::Io { path: PathBuf::from(name), source })
        })?;
    }
    for name in &change.gone {
        let _ = folder.remove(name);
    }
    Ok(())
}

/// Whether this process was started inside the folder: its shell would be left in one that is gone.
fn standing_in(folder: &SafeFolder) -> bool {
    let here = std::env::current_dir().ok().and_then(|here| SafeFolder::at(&here).ok());
    let same = here.and_then(|here| Some(here.found().ok()?.same_file(&folder.found().ok()?)));
    same.unwrap_or(false)
}

fn cannot_exchange(why: &std::io::Error) -> bool {
    let errno = why.raw_os_error().map(Errno::from_raw_os_error);
    matches!(errno, Some(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP | Errno::XDEV | Errno::PERM | Errno::BUSY))
}
