//! One regular file of a hostile folder, opened; and what is known about any entry.
//! Reads exactly the bytes that were there when it was opened (spec sandbox.md 10).

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{FileType, Statx};

use super::FolderError;
use super::resolve::{self, Identity};

/// What kind of thing an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A symbolic link.
    Link,
    /// A named pipe.
    Pipe,
    /// A socket.
    Socket,
    /// A device.
    Device,
    /// Something the system has no name for.
    Unknown,
}

impl Kind {
    fn of(stat: &Statx) -> Self {
        match FileType::from_raw_mode(u32::from(stat.stx_mode)) {
            FileType::RegularFile => Self::File,
            FileType::Directory => Self::Folder,
            FileType::Symlink => Self::Link,
            FileType::Fifo => Self::Pipe,
            FileType::Socket => Self::Socket,
            FileType::CharacterDevice | FileType::BlockDevice => Self::Device,
            FileType::Unknown => Self::Unknown,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::File => "a regular file",
            Self::Folder => "a folder",
            Self::Link => "a link",
            Self::Pipe => "a named pipe",
            Self::Socket => "a socket",
            Self::Device => "a device",
            Self::Unknown => "not a known kind of file",
        })
    }
}

/// What the system says about an entry; all of it is the job's word except the kind and the place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// Kind.
    pub kind: Kind,
    /// Apparent size in bytes (not the blocks used).
    pub size: u64,
    /// Time of last change of the bytes, nanoseconds since 1970.
    pub mtime_ns: i128,
    /// The permission bits, 0o7777 at most.
    pub mode: u32,
    /// Owner's id.
    pub uid: u32,
    /// Group's id.
    pub gid: u32,
    pub(super) place: Identity,
}

impl Found {
    pub(super) fn of(stat: &Statx) -> Self {
        Self {
            kind: Kind::of(stat),
            size: stat.stx_size,
            mtime_ns: i128::from(stat.stx_mtime.tv_sec) * 1_000_000_000 + i128::from(stat.stx_mtime.tv_nsec),
            mode: u32::from(stat.stx_mode) & 0o7777,
            uid: stat.stx_uid,
            gid: stat.stx_gid,
            place: Identity::of(stat),
        }
    }

    /// Whether its owner may execute it.
    pub fn executable(&self) -> bool {
        self.mode & 0o100 != 0
    }

    /// Whether both are one and the same file, under whatever names.
    pub fn same_file(&self, other: &Self) -> bool {
        self.place == other.place
    }
}

/// An open regular file. [`Read`] gives exactly `size` bytes as seen when it was opened: a file that shrinks or grows
/// meanwhile is an error of kind `InvalidData`, never short or endless.
#[derive(Debug)]
pub struct SafeFile {
    file: File,
    path: PathBuf,
    found: Found,
    read: u64,
}

impl SafeFile {
    pub(super) fn new(file: File, path: PathBuf, found: Found) -> Self {
        Self { file, path, found, read: 0 }
    }

    /// What was seen when it was opened.
    pub fn found(&self) -> &Found {
        &self.found
    }

    /// Apparent size in bytes.
    pub fn size(&self) -> u64 {
        self.found.size
    }

    /// Its path beneath the folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Starts reading from the first byte again.
    ///
    /// # Errors
    /// The system's.
    pub fn rewind(&mut self) -> io::Result<()> {
        io::Seek::rewind(&mut self.file)?;
        self.read = 0;
        Ok(())
    }

    /// Checks that size and time are still those seen at the start.
    ///
    /// # Errors
    /// `Changed`, or what the system says.
    pub fn check_unchanged(&self) -> Result<(), FolderError> {
        let now = resolve::stat_fd(&self.file).map_err(|e| FolderError::io(&self.path, e))?;
        let now = Found::of(&now);
        if now.size != self.found.size || now.mtime_ns != self.found.mtime_ns {
            return Err(self.changed());
        }
        Ok(())
    }

    fn changed(&self) -> FolderError {
        FolderError::Changed { path: self.path.clone() }
    }
}

impl Read for SafeFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        let left = self.found.size.saturating_sub(self.read);
        if left == 0 {
            let mut probe = [0];
            return if self.file.read(&mut probe)? == 0 { Ok(0) } else { Err(self.changed().into()) };
        }
        let most = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        let got = self.file.read(&mut buffer[..most])?;
        if got == 0 {
            return Err(self.changed().into());
        }
        self.read += got as u64;
        Ok(got)
    }
}

impl AsFd for SafeFile {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}
