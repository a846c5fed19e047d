//! The only way to touch a folder that hostile code filled: workspaces, trees, archives, project folders.
//! Spec sandbox.md 10. Never a check by path and an open later: a descriptor first, then questions to it.

mod cursor;
mod error;
mod file;
mod path;
mod remove;
mod resolve;
mod walk;
mod write;

#[cfg(test)]
mod tests;

use std::ffi::OsStr;
use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

pub use error::FolderError;
pub use file::{Found, Kind, SafeFile};
pub use remove::{RemoveError, Removed, remove_tree};
pub use walk::{Entry, Walk};
pub use write::is_temporary;

use resolve::{How, LIST, PLACE};

/// A folder held by one descriptor. Every path given to it is relative, resolved beneath it, through no link and onto no
/// other mount; what it opens is a regular file or a folder, nothing else.
#[derive(Debug)]
pub struct SafeFolder {
    fd: OwnedFd,
    mount: u64,
    how: How,
    shown: PathBuf,
    owner: Option<(u32, u32)>,
}

impl SafeFolder {
    /// Opens a folder by a path that is **trusted** (ours or the caller's own: links in it are followed).
    ///
    /// # Errors
    /// What the system says; `NotAFolder` for anything else than a folder.
    pub fn at(path: &Path) -> Result<Self, FolderError> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let fd = rustix::fs::open(path, flags, Mode::empty()).map_err(|e| match e {
            Errno::NOENT => FolderError::Missing { path: path.to_owned() },
            Errno::NOTDIR => FolderError::NotAFolder { path: path.to_owned() },
            e => FolderError::io(path, e),
        })?;
        Self::from_fd(fd, path)
    }

    /// Takes a descriptor of a folder; `shown` is what people are told it is.
    ///
    /// # Errors
    /// `NotAFolder`, or what the system says.
    pub fn from_fd(fd: OwnedFd, shown: impl Into<PathBuf>) -> Result<Self, FolderError> {
        let shown = shown.into();
        let stat = resolve::stat_fd(&fd).map_err(|e| FolderError::io(&shown, e))?;
        if Found::of(&stat).kind != Kind::Folder {
            return Err(FolderError::NotAFolder { path: shown });
        }
        Ok(Self { fd, mount: resolve::mount(&stat), how: How::detect(), shown, owner: None })
    }

    /// Everything made through this folder from now on is given to this user and group (needs the privilege to do so).
    #[must_use]
    pub fn with_owner(mut self, uid: u32, gid: u32) -> Self {
        self.owner = Some((uid, gid));
        self
    }

    /// The way without `openat2`, for tests that run every case both ways.
    #[cfg(test)]
    pub(crate) fn by_steps(mut self) -> Self {
        self.how = How::Steps;
        self
    }

    /// What people are told this folder is.
    pub fn shown(&self) -> &Path {
        &self.shown
    }

    /// A second handle on the same folder.
    ///
    /// # Errors
    /// The system's.
    pub fn try_clone(&self) -> Result<Self, FolderError> {
        let fd = self.fd.try_clone().map_err(|e| FolderError::io(&self.shown, e))?;
        Ok(Self { fd, shown: self.shown.clone(), ..*self })
    }

    /// Opens a regular file for reading. Never blocks, whatever stands there.
    ///
    /// # Errors
    /// Missing, a link anywhere on the way, not a regular file, another mount, no permission.
    pub fn open(&self, path: impl AsRef<Path>) -> Result<SafeFile, FolderError> {
        let path = path.as_ref();
        let parts = path::segments(path)?;
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
        let fd = self.open_parts(&parts, flags)?;
        let stat = resolve::stat_fd(&fd).map_err(|e| FolderError::io(path, e))?;
        let found = Found::of(&stat);
        match found.kind {
            Kind::File => {}
            Kind::Folder => return Err(FolderError::IsFolder { path: path.to_owned() }),
            Kind::Link => return Err(FolderError::Link { path: path.to_owned() }),
            kind => return Err(FolderError::Special { path: path.to_owned(), kind }),
        }
        if found.place.mount != self.mount {
            return Err(FolderError::OtherMount { path: path.to_owned() });
        }
        Ok(SafeFile::new(File::from(fd), path.to_owned(), found))
    }

    /// What stands at a path, a link itself included; `None` if nothing does. Opens nothing but the folders on the way.
    ///
    /// # Errors
    /// A link or file where a folder of the path must be, another mount, no permission.
    pub fn stat(&self, path: impl AsRef<Path>) -> Result<Option<Found>, FolderError> {
        let path = path.as_ref();
        let parts = path::segments(path)?;
        let (parent, name) = match self.parent(&parts) {
            Err(e) if e.is_missing() => return Ok(None),
            other => other?,
        };
        let found = match resolve::stat_name(parent.as_ref().map_or(self.fd.as_fd(), AsFd::as_fd), name) {
            Err(Errno::NOENT) => return Ok(None),
            Err(e) => return Err(FolderError::io(path, e)),
            Ok(stat) => Found::of(&stat),
        };
        if found.place.mount != self.mount {
            return Err(FolderError::OtherMount { path: path.to_owned() });
        }
        Ok(Some(found))
    }

    /// What is known about the folder itself.
    ///
    /// # Errors
    /// The system's.
    pub fn found(&self) -> Result<Found, FolderError> {
        resolve::stat_fd(&self.fd).map(|s| Found::of(&s)).map_err(|e| FolderError::io(&self.shown, e))
    }

    /// The text of a link, not followed.
    ///
    /// # Errors
    /// As [`stat`](Self::stat); `Io` if it is not a link.
    pub fn read_link(&self, path: impl AsRef<Path>) -> Result<Vec<u8>, FolderError> {
        let path = path.as_ref();
        let parts = path::segments(path)?;
        let (parent, name) = self.parent(&parts)?;
        rustix::fs::readlinkat(parent.as_ref().map_or(self.fd.as_fd(), AsFd::as_fd), name, Vec::new())
            .map(std::ffi::CString::into_bytes)
            .map_err(|e| FolderError::io(path, e))
    }

    /// A folder that exists beneath this one.
    ///
    /// # Errors
    /// Missing, a link or file on the way, another mount, no permission.
    pub fn folder(&self, path: impl AsRef<Path>) -> Result<Self, FolderError> {
        let path = path.as_ref();
        let parts = path::segments(path)?;
        let fd = self.open_parts(&parts, LIST)?;
        Ok(Self { fd, shown: self.shown.join(path), ..*self })
    }

    /// The folder that holds the last segment (`None`: this one) and that segment.
    fn parent<'p>(&self, parts: &[&'p OsStr]) -> Result<(Option<OwnedFd>, &'p OsStr), FolderError> {
        let (name, folders) =
            parts.split_last().ok_or(FolderError::BadPath { path: PathBuf::new(), why: "it is empty" })?;
        let fd = if folders.is_empty() { None } else { Some(self.open_parts(folders, PLACE)?) };
        Ok((fd, name))
    }

    fn open_parts(&self, parts: &[&OsStr], flags: OFlags) -> Result<OwnedFd, FolderError> {
        resolve::open_beneath(self.how, self.fd.as_fd(), self.mount, parts, flags, Mode::empty())
            .map_err(|errno| self.explain(parts, errno))
    }

    /// Why `parts` could not be opened: the first segment that is not what it must be. Only for the message: the refusal
    /// itself has already happened.
    fn explain(&self, parts: &[&OsStr], errno: Errno) -> FolderError {
        let mut at: Option<OwnedFd> = None;
        for (n, part) in parts.iter().enumerate() {
            let here = || path::join(&parts[..=n]);
            let from = at.as_ref().map_or(self.fd.as_fd(), AsFd::as_fd);
            let found = match resolve::stat_name(from, part) {
                Err(Errno::NOENT) => return FolderError::Missing { path: here() },
                Err(e) => return FolderError::io(here(), e),
                Ok(stat) => Found::of(&stat),
            };
            let last = n + 1 == parts.len();
            match found.kind {
                Kind::Link => return FolderError::Link { path: here() },
                _ if found.place.mount != self.mount => return FolderError::OtherMount { path: here() },
                Kind::Folder => {}
                Kind::File if !last => return FolderError::NotAFolder { path: here() },
                Kind::File => match errno {
                    Errno::NOTDIR => return FolderError::NotAFolder { path: here() },
                    e => return FolderError::io(here(), e),
                },
                kind => return FolderError::Special { path: here(), kind },
            }
            if last {
                break;
            }
            match rustix::fs::openat(from, *part, PLACE, Mode::empty()) {
                Ok(fd) => at = Some(fd),
                Err(e) => return FolderError::io(here(), e),
            }
        }
        FolderError::io(path::join(parts), errno)
    }
}

impl AsFd for SafeFolder {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}
