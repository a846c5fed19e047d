//! The content-addressed store: bytes by their SHA-256, written once, read-only for ever.
//! Spec jobs.md 13, 17: `objects/{2 hex}/{64 hex}`, mode 0440.

mod batch;
mod error;
mod survey;

#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use rustix::io::Errno;
use sandbox::folder::{Kind, SafeFile, SafeFolder};
use sha2::{Digest, Sha256};

pub use batch::{Batch, Expect};
pub use error::StoreError;
pub use survey::Survey;

use crate::{Leave, ObjectId};

/// Mode of an object: nobody writes it again.
const OBJECT_MODE: u32 = 0o440;
/// Where objects are written before they have their name; never two hex digits.
const TEMPORARY: &str = "tmp";

/// What survives, once a [`Batch`] is committed or [`Store::put`] has returned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Durability {
    /// Objects survive a power cut: their bytes are on the disk before they get their name, and the names are on the disk
    /// before `commit` returns. A batch of many files costs about two flushes of the file system, not two for each file.
    #[default]
    PowerLoss,
    /// Objects survive the death of any process at any instant, but not a power cut: nothing is flushed. After a cut an
    /// object may be missing, or shorter than it was; `put` and [`Store::health`] notice the latter.
    Kill,
}

/// How an object is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// It has the bytes its name says.
    Whole,
    /// It is not there.
    Missing,
    /// It is there with other bytes, or cannot be read.
    Damaged,
}

/// What [`Store::gc`] removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Freed {
    /// Objects and left-over temporary files.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// A store in one folder, which must lie on one file system.
#[derive(Debug)]
pub struct Store {
    objects: SafeFolder,
    durability: Durability,
    /// Cleared for good when the file system says that it cannot share blocks.
    reflink: AtomicBool,
    next: AtomicU64,
}

impl Store {
    /// Opens the store whose `objects/` lies in `dir`, making both if absent.
    ///
    /// # Errors
    /// What the system says.
    pub fn open(dir: &Path, durability: Durability) -> Result<Self, StoreError> {
        std::fs::create_dir_all(dir).map_err(|source| StoreError::Open { path: dir.to_owned(), source })?;
        let objects = SafeFolder::at(dir)?.make_folders("objects")?;
        let reflink = AtomicBool::new(true);
        let next = AtomicU64::new(0);
        Ok(Self { objects, durability, reflink, next })
    }

    /// Gives everything written from now on to this user and group (for a privileged process in somebody's folder).
    #[must_use]
    pub fn with_owner(mut self, uid: u32, gid: u32) -> Self {
        self.objects = self.objects.with_owner(uid, gid);
        self
    }

    /// Stores what `reader` gives and returns once that is durable.
    ///
    /// # Errors
    /// `Read` for the reader's errors, others for the store's; nothing is stored then.
    pub fn put(&self, reader: impl Read) -> Result<ObjectId, StoreError> {
        let batch = self.batch();
        let (id, _) = batch.put(reader)?;
        batch.commit()?;
        Ok(id)
    }

    /// Stores one file and returns once that is durable.
    ///
    /// # Errors
    /// As [`put`](Self::put).
    pub fn put_file(&self, file: &mut SafeFile) -> Result<ObjectId, StoreError> {
        self.put(file)
    }

    /// Begins to store many files that become visible and durable together.
    pub fn batch(&self) -> Batch<'_> {
        Batch::new(self)
    }

    /// The bytes of an object. They are not hashed again: see [`health`](Self::health).
    ///
    /// # Errors
    /// `Missing`; `Damaged` if something else stands there.
    pub fn read(&self, id: ObjectId) -> Result<SafeFile, StoreError> {
        match self.objects.open(place(id)) {
            Ok(file) => Ok(file),
            Err(e) if e.is_missing() => Err(StoreError::Missing { id }),
            Err(e) if e.is_unsafe() => Err(StoreError::Damaged { id }),
            Err(e) => Err(e.into()),
        }
    }

    /// Whether an object of that name is there. Says nothing about its bytes.
    pub fn contains(&self, id: ObjectId) -> bool {
        self.size(id).is_some()
    }

    /// The size of an object, if it is there.
    pub fn size(&self, id: ObjectId) -> Option<u64> {
        let found = self.objects.stat(place(id)).ok()??;
        (found.kind == Kind::File).then_some(found.size)
    }

    /// Reads and hashes an object.
    ///
    /// # Errors
    /// Only when the machine does not let it be read at all.
    pub fn health(&self, id: ObjectId) -> Result<Health, StoreError> {
        let mut file = match self.read(id) {
            Ok(file) => file,
            Err(StoreError::Missing { .. }) => return Ok(Health::Missing),
            Err(StoreError::Damaged { .. }) => return Ok(Health::Damaged),
            Err(e) => return Err(e),
        };
        match pour(&mut file, &mut std::io::sink()) {
            Ok((found, _)) if found == id => Ok(Health::Whole),
            _ => Ok(Health::Damaged),
        }
    }

    /// Copies an object to a new file: shared blocks where the file system can, else bytes, which are hashed on the way.
    /// Never a hard link, so nothing done to the copy reaches the store.
    ///
    /// # Errors
    /// `Missing`, `Damaged` (nothing is left then), `Folder` for the target.
    pub fn copy_to(
        &self,
        id: ObjectId,
        folder: &SafeFolder,
        path: impl AsRef<Path>,
        mode: u32,
    ) -> Result<(), StoreError> {
        self.copy_with(id, folder, path, mode, &Leave::default())
    }

    /// As [`copy_to`](Self::copy_to), while there is leave.
    ///
    /// # Errors
    /// As [`copy_to`](Self::copy_to); `Read` if there is no leave any more.
    pub fn copy_with(
        &self,
        id: ObjectId,
        folder: &SafeFolder,
        path: impl AsRef<Path>,
        mode: u32,
        leave: &Leave,
    ) -> Result<(), StoreError> {
        let path = path.as_ref();
        let mut source = self.read(id)?;
        let mut target = folder.create(path, mode)?;
        let copied = self.fill(id, &mut source, &mut target, leave);
        if copied.is_err() {
            // Best effort: the error of the copy is the one to tell.
            let _ = folder.remove(path);
        }
        copied
    }

    /// As [`copy_to`](Self::copy_to), into a file that is open and empty.
    ///
    /// # Errors
    /// As [`copy_to`](Self::copy_to); the file may hold part of the bytes then.
    pub fn copy_into(&self, id: ObjectId, target: &mut File) -> Result<(), StoreError> {
        let mut source = self.read(id)?;
        self.fill(id, &mut source, target, &Leave::default())
    }

    fn fill(&self, id: ObjectId, source: &mut SafeFile, target: &mut File, leave: &Leave) -> Result<(), StoreError> {
        if self.reflink.load(Ordering::Relaxed) {
            match rustix::fs::ioctl_ficlone(&*target, &*source) {
                Ok(()) => return Ok(()),
                Err(Errno::OPNOTSUPP | Errno::NOTTY | Errno::NOSYS | Errno::INVAL | Errno::PERM) => {
                    self.reflink.store(false, Ordering::Relaxed);
                }
                Err(_) => {}
            }
        }
        match pour(&mut leave.watch(source), target) {
            Ok((found, _)) if found == id => Ok(()),
            Ok(_) => Err(StoreError::Damaged { id }),
            Err(PourError::Read(e)) if e.kind() == std::io::ErrorKind::InvalidData => Err(StoreError::Damaged { id }),
            Err(e) => Err(e.into()),
        }
    }

    /// Removes every object that is not in `keep`, and temporary files that a killed process left. Nothing else may be
    /// writing to the store meanwhile.
    ///
    /// # Errors
    /// The first refusal; what was removed before stays removed.
    pub fn gc(&self, keep: &HashSet<ObjectId>) -> Result<Freed, StoreError> {
        self.sweep(keep, false)
    }

    /// As [`gc`](Self::gc); with `dry_run` it only counts.
    ///
    /// # Errors
    /// As [`gc`](Self::gc).
    pub fn sweep(&self, keep: &HashSet<ObjectId>, dry_run: bool) -> Result<Freed, StoreError> {
        let mut doomed = Vec::new();
        let mut walk = self.objects.walk(u64::MAX);
        while let Some(entry) = walk.next() {
            let entry = entry?;
            let kept = entry.name().to_str().and_then(|name| name.parse().ok()).is_some_and(|id| keep.contains(&id));
            if entry.found.kind != Kind::Folder && !kept {
                doomed.push((entry.path.to_owned(), entry.found.size));
            }
        }
        let mut freed = Freed::default();
        for (path, size) in doomed {
            if !dry_run {
                self.objects.remove(&path).map_err(|e| e.first)?;
            }
            freed.objects += 1;
            freed.bytes += size;
        }
        Ok(freed)
    }
}

/// `ab/ab…`: two hex digits, then all 64.
fn place(id: ObjectId) -> String {
    let hex = id.hex();
    format!("{}/{hex}", &hex[..2])
}

/// The id of what a reader gives; reads to its end.
///
/// # Errors
/// The reader's.
pub fn hash_of(reader: &mut impl Read) -> std::io::Result<ObjectId> {
    match pour(reader, &mut std::io::sink()) {
        Ok((id, _)) => Ok(id),
        Err(PourError::Read(e) | PourError::Write(e)) => Err(e),
    }
}

enum PourError {
    Read(std::io::Error),
    Write(std::io::Error),
}

impl From<PourError> for StoreError {
    fn from(error: PourError) -> Self {
        match error {
            PourError::Read(source) => Self::Read { source },
            PourError::Write(source) => Self::Write { source },
        }
    }
}

/// Copies and hashes at once; one buffer, each byte read once.
fn pour(from: &mut impl Read, to: &mut impl Write) -> Result<(ObjectId, u64), PourError> {
    let mut hash = Sha256::new();
    let mut size = 0;
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let got = match from.read(&mut buffer) {
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => continue,
            other => other.map_err(PourError::Read)?,
        };
        if got == 0 {
            return Ok((ObjectId(hash.finalize().into()), size));
        }
        hash.update(&buffer[..got]);
        to.write_all(&buffer[..got]).map_err(PourError::Write)?;
        size += got as u64;
    }
}
