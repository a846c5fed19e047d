//! Making files, folders and links beneath a hostile folder.
//! Spec sandbox.md 10: parents step by step by descriptor, new files only, never through a link.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::fs::{AtFlags, Gid, Mode, OFlags, Uid};
use rustix::io::Errno;

use super::resolve::{self, LIST};
use super::{FolderError, Found, Kind, SafeFolder, path};

/// Mode of the folders that are made on the way.
const FOLDER_MODE: u32 = 0o755;

/// Whether a file name is one that [`SafeFolder::write_atomic`] uses until it renames: left over by a killed process.
pub fn is_temporary(name: &OsStr) -> bool {
    name.to_str().is_some_and(|name| name.starts_with(TEMPORARY.0) && name.ends_with(TEMPORARY.1))
}

/// How temporary names begin and end.
const TEMPORARY: (&str, &str) = (".cloister-", ".tmp");

impl SafeFolder {
    /// The folder at `path`, made if absent, its parents too.
    ///
    /// # Errors
    /// `Link`, `NotAFolder` or `Special` naming what stands in the way; what the system says.
    pub fn make_folders(&self, path: impl AsRef<Path>) -> Result<Self, FolderError> {
        let path = path.as_ref();
        let parts = path::segments(path)?;
        let fd = self.make_parts(&parts)?.map_or_else(|| self.fd.try_clone(), Ok);
        let fd = fd.map_err(|e| FolderError::io(path, e))?;
        Ok(Self { fd, shown: self.shown.join(path), ..*self })
    }

    /// A new file for writing, with exactly this mode; its parent folders are made.
    ///
    /// # Errors
    /// `Exists` if anything stands there, a link too; as [`make_folders`](Self::make_folders).
    pub fn create(&self, path: impl AsRef<Path>, mode: u32) -> Result<File, FolderError> {
        let path = path.as_ref();
        let parts = path::segments(path)?;
        let (parent, name) = self.made_parent(&parts)?;
        self.create_in(&parent, name, mode, path)
    }

    /// As [`create`](Self::create), after taking away a file or link that has this name.
    ///
    /// # Errors
    /// `IsFolder` if a folder stands there.
    pub fn replace(&self, path: impl AsRef<Path>, mode: u32) -> Result<File, FolderError> {
        let path = path.as_ref();
        let parts = path::segments(path)?;
        let (parent, name) = self.made_parent(&parts)?;
        match rustix::fs::unlinkat(self.dir(&parent), name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(Errno::ISDIR | Errno::PERM) if self.is_folder(&parent, name) => {
                return Err(FolderError::IsFolder { path: path.to_owned() });
            }
            Err(e) => return Err(FolderError::io(path, e)),
        }
        self.create_in(&parent, name, mode, path)
    }

    /// Writes a file under a temporary name in the same folder and renames it to `path`, over a file or link of that name
    /// (a link is replaced, what it points to is not touched). On an error nothing is left and `path` is as it was.
    ///
    /// # Errors
    /// As [`replace`](Self::replace), and what `fill` says.
    pub fn write_atomic<E: From<FolderError>>(
        &self,
        path: impl AsRef<Path>,
        mode: u32,
        fill: impl FnOnce(&mut File) -> Result<(), E>,
    ) -> Result<(), E> {
        let path = path.as_ref();
        let parts = path::segments(path)?;
        let (parent, name) = self.made_parent(&parts)?;
        if self.is_folder(&parent, name) {
            return Err(FolderError::IsFolder { path: path.to_owned() }.into());
        }
        let dir = self.dir(&parent);
        let (temporary, mut file) = self.temporary(&parent, mode, path)?;
        let result = fill(&mut file).and_then(|()| {
            drop(file);
            rustix::fs::renameat(dir, temporary.as_str(), dir, name).map_err(|e| FolderError::io(path, e).into())
        });
        if result.is_err() {
            // Best effort: the first error is the one to tell.
            let _ = rustix::fs::unlinkat(dir, temporary.as_str(), AtFlags::empty());
        }
        result
    }

    /// A symbolic link with this text, which is not looked at; parent folders are made.
    ///
    /// # Errors
    /// As [`create`](Self::create).
    pub fn symlink(&self, target: impl AsRef<Path>, path: impl AsRef<Path>) -> Result<(), FolderError> {
        let path = path.as_ref();
        let parts = path::segments(path)?;
        let (parent, name) = self.made_parent(&parts)?;
        let dir = self.dir(&parent);
        rustix::fs::symlinkat(target.as_ref(), dir, name).map_err(|e| failed(path, e))?;
        if let Some((uid, gid)) = self.owner {
            let (uid, gid) = (Uid::from_raw(uid), Gid::from_raw(gid));
            rustix::fs::chownat(dir, name, Some(uid), Some(gid), AtFlags::SYMLINK_NOFOLLOW)
                .map_err(|e| FolderError::io(path, e))?;
        }
        Ok(())
    }

    /// Moves a file or folder to a path beneath another folder of the same file system. Something that has the name
    /// already is replaced if the system allows it (never a folder that is not empty).
    ///
    /// # Errors
    /// As [`make_folders`](Self::make_folders); what the system says.
    pub fn rename_into(&self, from: impl AsRef<Path>, to: &Self, path: impl AsRef<Path>) -> Result<(), FolderError> {
        let (from, path) = (from.as_ref(), path.as_ref());
        let from_parts = path::segments(from)?;
        let (from_parent, from_name) = self.parent(&from_parts)?;
        let parts = path::segments(path)?;
        let (parent, name) = to.made_parent(&parts)?;
        rustix::fs::renameat(self.dir(&from_parent), from_name, to.dir(&parent), name).map_err(|e| failed(path, e))
    }

    /// Gives the owner back the right to read a file, or to read, change and enter a folder, that its maker took away.
    /// Only for folders whose content is ours to handle: a finished job's workspace. An empty path is the folder itself.
    ///
    /// # Errors
    /// As [`stat`](Self::stat); `Special` and `Link` for anything else than a file or folder; no permission.
    pub fn allow(&self, path: impl AsRef<Path>) -> Result<(), FolderError> {
        use std::os::fd::AsRawFd;
        let path = path.as_ref();
        if path.as_os_str().is_empty() {
            let mode = Mode::from_raw_mode((self.found()?.mode | 0o700) & 0o777);
            return rustix::fs::fchmod(self, mode).map_err(|e| FolderError::io(path, e));
        }
        let parts = path::segments(path)?;
        // A descriptor without rights pins what stands there; a link would be opened itself, and is refused below.
        let fd = self.open_parts(&parts, OFlags::PATH | OFlags::NOFOLLOW)?;
        let found = Found::of(&resolve::stat_fd(&fd).map_err(|e| FolderError::io(path, e))?);
        let mode = match found.kind {
            Kind::File => found.mode | 0o400,
            Kind::Folder => found.mode | 0o700,
            Kind::Link => return Err(FolderError::Link { path: path.to_owned() }),
            kind => return Err(FolderError::Special { path: path.to_owned(), kind }),
        };
        rustix::fs::chmod(format!("/proc/self/fd/{}", fd.as_raw_fd()), Mode::from_raw_mode(mode & 0o777))
            .map_err(|e| FolderError::io(path, e))
    }

    fn dir<'s>(&'s self, parent: &'s Option<OwnedFd>) -> rustix::fd::BorrowedFd<'s> {
        parent.as_ref().map_or(self.as_fd(), AsFd::as_fd)
    }

    fn is_folder(&self, parent: &Option<OwnedFd>, name: &OsStr) -> bool {
        resolve::stat_name(self.dir(parent), name).is_ok_and(|s| Found::of(&s).kind == Kind::Folder)
    }

    fn made_parent<'p>(&self, parts: &[&'p OsStr]) -> Result<(Option<OwnedFd>, &'p OsStr), FolderError> {
        let (name, folders) =
            parts.split_last().ok_or(FolderError::BadPath { path: PathBuf::new(), why: "it is empty" })?;
        Ok((self.make_parts(folders)?, name))
    }

    /// Step by step, so that what is in the way can be named and nothing is ever made behind a link.
    fn make_parts(&self, parts: &[&OsStr]) -> Result<Option<OwnedFd>, FolderError> {
        if parts.is_empty() {
            return Ok(None);
        }
        if let Ok(fd) = resolve::open_beneath(self.how, self.as_fd(), self.mount, parts, LIST, Mode::empty()) {
            return Ok(Some(fd));
        }
        let mut at: Option<OwnedFd> = None;
        for n in 0..parts.len() {
            let part = &parts[n..=n];
            let open = |from: &Option<OwnedFd>| {
                resolve::open_beneath(self.how, self.dir(from), self.mount, part, LIST, Mode::empty())
            };
            let next = match open(&at) {
                Err(Errno::NOENT) => {
                    let made = rustix::fs::mkdirat(self.dir(&at), part[0], Mode::from_raw_mode(FOLDER_MODE));
                    if let Err(e) = made
                        && e != Errno::EXIST
                    {
                        return Err(FolderError::io(path::join(&parts[..=n]), e));
                    }
                    let fd = open(&at).map_err(|e| self.explain(&parts[..=n], e))?;
                    self.give(&fd, FOLDER_MODE, &parts[..=n])?;
                    fd
                }
                other => other.map_err(|e| self.explain(&parts[..=n], e))?,
            };
            at = Some(next);
        }
        Ok(at)
    }

    fn create_in(&self, parent: &Option<OwnedFd>, name: &OsStr, mode: u32, path: &Path) -> Result<File, FolderError> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mode_bits = Mode::from_raw_mode(mode & 0o777);
        let fd = resolve::open_beneath(self.how, self.dir(parent), self.mount, &[name], flags, mode_bits)
            .map_err(|e| failed(path, e))?;
        self.give(&fd, mode, &[path.as_os_str()])?;
        Ok(File::from(fd))
    }

    /// Sets mode (the caller's mask must not matter) and owner of something just made.
    fn give(&self, fd: &OwnedFd, mode: u32, parts: &[&OsStr]) -> Result<(), FolderError> {
        let told = |e: Errno| FolderError::io(path::join(parts), e);
        rustix::fs::fchmod(fd, Mode::from_raw_mode(mode & 0o777)).map_err(told)?;
        if let Some((uid, gid)) = self.owner {
            rustix::fs::fchown(fd, Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid))).map_err(told)?;
        }
        Ok(())
    }

    fn temporary(&self, parent: &Option<OwnedFd>, mode: u32, path: &Path) -> Result<(String, File), FolderError> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        for _ in 0..100 {
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let name = format!("{}{}-{number}{}", TEMPORARY.0, std::process::id(), TEMPORARY.1);
            match self.create_in(parent, OsStr::new(&name), mode, path) {
                Ok(file) => return Ok((name, file)),
                Err(FolderError::Exists { .. }) => {}
                Err(e) => return Err(e),
            }
        }
        let source = io::Error::new(io::ErrorKind::AlreadyExists, "no free temporary name");
        Err(FolderError::io(path, source))
    }
}

fn failed(path: &Path, errno: Errno) -> FolderError {
    let path = path.to_owned();
    match errno {
        Errno::EXIST | Errno::LOOP => FolderError::Exists { path },
        Errno::ISDIR => FolderError::IsFolder { path },
        Errno::XDEV => FolderError::OtherMount { path },
        e => FolderError::io(path, e),
    }
}
