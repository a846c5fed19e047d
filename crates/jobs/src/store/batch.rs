//! Many files stored together: written under temporary names, then flushed and named at once.
//! Spec jobs.md 9 step 7: repeating a batch after a kill gives the same objects.

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::fs::File;
use std::io::{Read, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

use sandbox::folder::SafeFile;
use std::sync::atomic::Ordering;

use super::{Durability, OBJECT_MODE, Store, StoreError, TEMPORARY, place, pour};
use crate::{Leave, ObjectId};

/// Up to this size a file is held in memory and written only if the store does not have it.
const SMALL: u64 = 1 << 20;
/// Up to this many objects are flushed one by one; more by flushing the file system once.
const FEW: usize = 8;

/// What is likely about a file that is to be stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// Its bytes are new: it is read once, hashed while it is copied.
    New,
    /// Its bytes are probably stored already: it is hashed first, and read again only if they are not.
    Known,
}

/// Objects on their way into a [`Store`]. They are visible there after [`commit`](Self::commit); dropping a batch leaves
/// nothing behind. May be shared by threads.
#[derive(Debug)]
pub struct Batch<'s> {
    store: &'s Store,
    /// Object to the temporary file that holds it.
    pending: Mutex<HashMap<ObjectId, String>>,
}

impl<'s> Batch<'s> {
    pub(super) fn new(store: &'s Store) -> Self {
        Self { store, pending: Mutex::new(HashMap::new()) }
    }

    fn pending(&self) -> MutexGuard<'_, HashMap<ObjectId, String>> {
        // A panic elsewhere leaves the map as it was: each change is one call.
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes what `reader` gives; returns its id and size.
    ///
    /// # Errors
    /// `Read` for the reader's errors, others for the store's.
    pub fn put(&self, mut reader: impl Read) -> Result<(ObjectId, u64), StoreError> {
        let mut head = Vec::new();
        let read = |source| StoreError::Read { source };
        reader.by_ref().take(SMALL + 1).read_to_end(&mut head).map_err(read)?;
        if head.len() as u64 <= SMALL {
            let id = ObjectId::of(&head);
            if !self.has(id, head.len() as u64) {
                let (name, mut file) = self.temporary()?;
                self.write(&name, file.write_all(&head))?;
                self.adopt(id, name);
            }
            return Ok((id, head.len() as u64));
        }
        let (name, mut file) = self.temporary()?;
        let poured = pour(&mut head.as_slice().chain(reader), &mut file);
        let (id, size) = match poured {
            Ok(done) => done,
            Err(e) => {
                self.discard(&name);
                return Err(e.into());
            }
        };
        if self.has(id, size) {
            self.discard(&name);
        } else {
            self.adopt(id, name);
        }
        Ok((id, size))
    }

    /// Takes one file.
    ///
    /// # Errors
    /// As [`put`](Self::put).
    pub fn put_file(&self, file: &mut SafeFile, expect: Expect) -> Result<ObjectId, StoreError> {
        self.put_file_with(file, expect, &Leave::default())
    }

    /// As [`put_file`](Self::put_file), while there is leave.
    ///
    /// # Errors
    /// As [`put`](Self::put); `Read` if there is no leave any more.
    pub fn put_file_with(&self, file: &mut SafeFile, expect: Expect, leave: &Leave) -> Result<ObjectId, StoreError> {
        if expect == Expect::Known && file.size() > SMALL {
            let (id, size) = pour(&mut leave.watch(&mut *file), &mut std::io::sink())?;
            if self.has(id, size) {
                return Ok(id);
            }
            file.rewind().map_err(|source| StoreError::Read { source })?;
        }
        self.put(leave.watch(file)).map(|(id, _)| id)
    }

    /// The bytes of an object of this batch or of the store.
    ///
    /// # Errors
    /// As [`Store::read`].
    pub fn read(&self, id: ObjectId) -> Result<SafeFile, StoreError> {
        let name = self.pending().get(&id).cloned();
        match name {
            Some(name) => Ok(self.store.objects.open(name)?),
            None => self.store.read(id),
        }
    }

    /// Names everything. After it returns, what [`Durability`] says holds. On an error some objects may be named: they are
    /// whole, and repeating the work is right.
    ///
    /// # Errors
    /// The store's.
    pub fn commit(self) -> Result<(), StoreError> {
        let pending = std::mem::take(&mut *self.pending());
        // Back in place, so that dropping `self` cleans up whatever is not renamed below.
        *self.pending() = pending.clone();
        if pending.is_empty() {
            return Ok(());
        }
        let flush = self.store.durability == Durability::PowerLoss;
        let few = pending.len() <= FEW;
        if flush && few {
            for name in pending.values() {
                rustix::fs::fsync(self.store.objects.open(name)?).map_err(written)?;
            }
        } else if flush {
            rustix::fs::syncfs(&self.store.objects).map_err(written)?;
        }
        let folders: BTreeSet<String> = pending.keys().map(|id| id.hex()[..2].to_owned()).collect();
        for (id, name) in &pending {
            self.store.objects.rename_into(name, &self.store.objects, place(*id))?;
            self.pending().remove(id);
        }
        if flush && few {
            for folder in folders {
                rustix::fs::fsync(self.store.objects.folder(folder)?).map_err(written)?;
            }
            rustix::fs::fsync(&self.store.objects).map_err(written)?;
        } else if flush {
            rustix::fs::syncfs(&self.store.objects).map_err(written)?;
        }
        Ok(())
    }

    /// Whether the bytes are there already. A stored object of another size is damaged and will be replaced.
    fn has(&self, id: ObjectId, size: u64) -> bool {
        self.pending().contains_key(&id) || self.store.size(id) == Some(size)
    }

    fn adopt(&self, id: ObjectId, name: String) {
        let surplus = match self.pending().entry(id) {
            Entry::Vacant(slot) => {
                slot.insert(name);
                return;
            }
            Entry::Occupied(_) => name,
        };
        // Two threads stored the same bytes; the first copy stays, somebody may be reading it.
        self.discard(&surplus);
    }

    fn temporary(&self) -> Result<(String, File), StoreError> {
        loop {
            let number = self.store.next.fetch_add(1, Ordering::Relaxed);
            let name = format!("{TEMPORARY}/{}-{number}", std::process::id());
            match self.store.objects.create(&name, OBJECT_MODE) {
                Ok(file) => return Ok((name, file)),
                // Left by a killed process that had our number.
                Err(sandbox::folder::FolderError::Exists { .. }) => {}
                Err(e) => return Err(e.into()),
            }
        }
    }

    fn write(&self, name: &str, outcome: std::io::Result<()>) -> Result<(), StoreError> {
        outcome.map_err(|source| {
            self.discard(name);
            StoreError::Write { source }
        })
    }

    fn discard(&self, name: &str) {
        // Best effort: `gc` takes what is left.
        let _ = self.store.objects.remove(name);
    }
}

impl Drop for Batch<'_> {
    fn drop(&mut self) {
        let names: HashSet<String> = self.pending().drain().map(|(_, name)| name).collect();
        for name in names {
            self.discard(&name);
        }
    }
}

fn written(errno: rustix::io::Errno) -> StoreError {
    StoreError::Write { source: errno.into() }
}
