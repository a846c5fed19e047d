//! The bytes of all backups of a folder, each once, by their hash: `files/ab/abcd…`.
//! Spec site.md 17: incremental for files; whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::fault::{BackupError, failed};
use super::manifest::Piece;

/// Where backups lie.
#[derive(Debug)]
pub(super) struct Pile {
    pub(super) folder: PathBuf,
    /// Held as long as the pile is changed.
    _lock: File,
    /// Bytes that were not there before.
    pub(super) added: u64,
}

const LOCK: &str = ".lock";
const HALF: &str = ".half";
/// What the folders begin with in which backups are tried.
pub(super) const TRIAL: &str = ".trial-";

/// Where bytes of this hash lie.
pub(super) fn place(folder: &Path, sha256: &str) -> PathBuf {
    folder.join("files").join(sha256.get(..2).unwrap_or("00")).join(sha256)
}

/// A folder that its owner alone can read: it holds the site's key.
pub(super) fn make_folder(path: &Path) -> Result<(), BackupError> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(failed("make the folder", path))
}

/// Makes sure that names in a folder last.
pub(super) fn sync_folder(path: &Path) -> Result<(), BackupError> {
    File::open(path).and_then(|folder| folder.sync_all()).map_err(failed("write", path))
}

/// Copies bytes and hashes them on the way.
pub(super) fn copy(from: &mut impl Read, to: &mut impl Write) -> io::Result<Piece> {
    let (mut hash, mut bytes) = (Sha256::new(), 0);
    let mut buffer = vec![0; 1 << 16];
    loop {
        let count = from.read(&mut buffer)?;
        let Some(read) = buffer.get(..count).filter(|read| !read.is_empty()) else { break };
        hash.update(read);
        to.write_all(read)?;
        bytes += read.len() as u64;
    }
    Ok(Piece { sha256: data_encoding::HEXLOWER.encode(&hash.finalize()), bytes })
}

/// A new file that its owner alone can read, in place of any of that name.
pub(super) fn fresh(path: &Path) -> io::Result<File> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

impl Pile {
    /// Opens the folder, made if absent. One at a time.
    pub(super) fn open(folder: &Path) -> Result<Self, BackupError> {
        make_folder(&folder.join("files"))?;
        let path = folder.join(LOCK);
        let lock = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&path);
        let lock = lock.map_err(failed("write", &path))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { folder: folder.to_owned(), _lock: lock, added: 0 }),
            Err(fs::TryLockError::WouldBlock) => Err(BackupError::Busy(folder.to_owned())),
            Err(fs::TryLockError::Error(error)) => Err(failed("lock", &path)(error)),
        }
    }

    /// A path for something that is not whole yet; what a killed backup left there is gone.
    pub(super) fn half(&self) -> Result<PathBuf, BackupError> {
        let path = self.folder.join(HALF);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed("remove", &path)(error)),
            _ => Ok(path),
        }
    }

    /// Removes what trials that were killed left.
    pub(super) fn clear_trials(&self) -> Result<(), BackupError> {
        for entry in fs::read_dir(&self.folder).map_err(failed("read", &self.folder))? {
            let entry = entry.map_err(failed("read", &self.folder))?;
            if entry.file_name().to_str().is_some_and(|name| name.starts_with(TRIAL)) {
                fs::remove_dir_all(entry.path()).map_err(failed("remove", entry.path()))?;
            }
        }
        Ok(())
    }

    /// Takes the bytes of a file. A file that is there already is not written again.
    pub(super) fn take(&mut self, mut file: File, path: &Path) -> Result<Piece, BackupError> {
        let half = self.half()?;
        let mut copied = fresh(&half).map_err(failed("write", &half))?;
        let piece = copy(&mut file, &mut copied).map_err(failed("copy", path))?;
        self.keep(&half, copied, piece)
    }

    /// Takes a file that was made at [`half`](Self::half).
    pub(super) fn adopt(&mut self) -> Result<Piece, BackupError> {
        let half = self.folder.join(HALF);
        let mut made = File::open(&half).map_err(failed("read", &half))?;
        let piece = copy(&mut made, &mut io::sink()).map_err(failed("read", &half))?;
        self.keep(&half, made, piece)
    }

    fn keep(&mut self, half: &Path, file: File, piece: Piece) -> Result<Piece, BackupError> {
        let place = place(&self.folder, &piece.sha256);
        if place.exists() {
            fs::remove_file(half).map_err(failed("remove", half))?;
            return Ok(piece);
        }
        file.sync_all().map_err(failed("write", half))?;
        let parent = place.parent().unwrap_or(&self.folder);
        make_folder(parent)?;
        fs::rename(half, &place).map_err(failed("write", &place))?;
        sync_folder(parent)?;
        self.added += piece.bytes;
        Ok(piece)
    }

    /// Writes a manifest. From here on the backup is there.
    pub(super) fn seal(&self, path: &Path, text: &str) -> Result<(), BackupError> {
        sync_folder(&self.folder.join("files"))?;
        let half = self.half()?;
        let mut file = fresh(&half).map_err(failed("write", &half))?;
        file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(failed("write", &half))?;
        fs::rename(&half, path).map_err(failed("write", path))?;
        sync_folder(&self.folder)
    }

    /// Keeps the newest backups and removes the others, with the bytes that no other needs. How many were removed.
    pub(super) fn prune(&self, keep: usize) -> Result<usize, BackupError> {
        let found = super::manifest::all(&self.folder)?;
        let (old, kept) = found.split_at(found.len().saturating_sub(keep.max(1)));
        let mut needed = std::collections::HashSet::new();
        for path in kept {
            needed.extend(super::Manifest::read(path)?.pieces().map(|piece| piece.sha256.clone()));
        }
        for path in old {
            fs::remove_file(path).map_err(failed("remove", path))?;
        }
        sync_folder(&self.folder)?;
        let files = self.folder.join("files");
        for part in fs::read_dir(&files).map_err(failed("read", &files))? {
            let part = part.map_err(failed("read", &files))?.path();
            for file in fs::read_dir(&part).map_err(failed("read", &part))? {
                let file = file.map_err(failed("read", &part))?;
                if file.file_name().to_str().is_some_and(|name| !needed.contains(name)) {
                    fs::remove_file(file.path()).map_err(failed("remove", file.path()))?;
                }
            }
        }
        Ok(old.len())
    }
}
