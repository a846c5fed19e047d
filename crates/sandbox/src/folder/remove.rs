//! Removing a hostile tree: by descriptor, whatever its modes, depth or size.
//! Spec sandbox.md 10: what cannot be removed is reported, never ignored; nothing on another mount is touched.

use std::ffi::{OsStr, OsString};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use rustix::fs::AtFlags;
use rustix::io::Errno;

use super::cursor::Cursor;
use super::resolve;
use super::{FolderError, Found, Kind, SafeFolder, path, walk};

/// How much was removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Removed {
    /// Files, links and special files.
    pub files: u64,
    /// Folders, the first one included.
    pub folders: u64,
}

/// Something could not be removed; everything else was.
#[derive(Debug, thiserror::Error)]
#[error("{left} entries could not be removed, the first because: {first}")]
pub struct RemoveError {
    /// How many entries are left because of a refusal.
    pub left: u64,
    /// The first refusal.
    #[source]
    pub first: FolderError,
}

/// Removes whatever stands at `path`: a file, a link (not what it points to), or a folder with all it holds. Nothing there
/// is success. The folder that holds it is **trusted**; nothing at or below `path` is.
///
/// # Errors
/// [`RemoveError`] after everything that could be removed is gone; calling again is right.
pub fn remove_tree(path: &Path) -> Result<Removed, RemoveError> {
    let failed = |first| RemoveError { left: 1, first };
    let name = path
        .file_name()
        .ok_or_else(|| failed(FolderError::BadPath { path: path.to_owned(), why: "it has no last segment" }))?;
    let above = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match SafeFolder::at(above) {
        Ok(folder) => folder.remove(Path::new(name)),
        Err(e) if e.is_missing() => Ok(Removed::default()),
        Err(e) => Err(failed(e)),
    }
}

impl SafeFolder {
    /// Removes whatever stands at `path`, as [`remove_tree`] does, but resolved beneath this folder.
    ///
    /// # Errors
    /// [`RemoveError`] after everything that could be removed is gone.
    pub fn remove(&self, path: impl AsRef<Path>) -> Result<Removed, RemoveError> {
        let failed = |first| RemoveError { left: 1, first };
        let shown = path.as_ref();
        let parts = path::segments(shown).map_err(failed)?;
        let (parent, name) = match self.parent(&parts) {
            Err(e) if e.is_missing() => return Ok(Removed::default()),
            other => other.map_err(failed)?,
        };
        let dir = match &parent {
            None => self.as_fd(),
            Some(fd) => fd.as_fd(),
        };
        match resolve::stat_name(dir, name) {
            Err(Errno::NOENT) => Ok(Removed::default()),
            Err(e) => Err(failed(FolderError::io(shown, e))),
            Ok(stat) if Found::of(&stat).kind != Kind::Folder => match unlink(dir, name, AtFlags::empty()) {
                Ok(()) => Ok(Removed { files: 1, folders: 0 }),
                Err(e) => Err(failed(FolderError::io(shown, e))),
            },
            Ok(_) => {
                let mut work = Work::new(Cursor::new(dir, self.mount, self.how), shown);
                work.run(name);
                work.finish()
            }
        }
    }
}

struct Work<'a> {
    cursor: Cursor<'a>,
    /// Folders still to do, at each level.
    pending: Vec<Vec<OsString>>,
    /// The names on the way to the current folder.
    way: Vec<OsString>,
    shown: &'a Path,
    done: Removed,
    left: u64,
    first: Option<FolderError>,
}

impl<'a> Work<'a> {
    fn new(cursor: Cursor<'a>, shown: &'a Path) -> Self {
        Self { cursor, pending: Vec::new(), way: Vec::new(), shown, done: Removed::default(), left: 0, first: None }
    }

    fn run(&mut self, top: &OsStr) {
        self.pending.push(vec![top.to_owned()]);
        loop {
            let Some(names) = self.pending.last_mut() else { return };
            if let Some(name) = names.pop() {
                self.down(name);
                continue;
            }
            self.pending.pop();
            let Some(name) = self.way.pop() else { return };
            if let Err(errno) = self.cursor.leave() {
                // The place is lost: what is above cannot be reached safely any more.
                self.failed(&name, errno);
                return;
            }
            match unlink(self.cursor.here(), &name, AtFlags::REMOVEDIR) {
                Ok(()) => self.done.folders += 1,
                Err(errno) => self.failed(&name, errno),
            }
        }
    }

    /// Enters a folder, removes its files, and remembers its folders.
    fn down(&mut self, name: OsString) {
        if let Err(errno) = self.cursor.enter(&name, true) {
            return match errno {
                // An entry that is not a folder after all.
                Errno::NOTDIR | Errno::LOOP => self.file(&name),
                Errno::NOENT => {}
                errno => self.failed(&name, errno),
            };
        }
        let names = match walk::names(self.cursor.here(), u64::MAX) {
            Ok(names) => names,
            Err(errno) => {
                self.failed(&name, errno);
                Vec::new()
            }
        };
        self.way.push(name);
        let mut folders = Vec::new();
        for name in names {
            match unlink(self.cursor.here(), &name, AtFlags::empty()) {
                Ok(()) => self.done.files += 1,
                Err(Errno::ISDIR | Errno::PERM) => folders.push(name),
                Err(Errno::NOENT) => {}
                Err(errno) => self.failed(&name, errno),
            }
        }
        self.pending.push(folders);
    }

    fn file(&mut self, name: &OsStr) {
        match unlink(self.cursor.here(), name, AtFlags::empty()) {
            Ok(()) => self.done.files += 1,
            Err(errno) => self.failed(name, errno),
        }
    }

    fn failed(&mut self, name: &OsStr, errno: Errno) {
        self.left += 1;
        if self.first.is_some() {
            return;
        }
        // `way` begins with the name that `shown` ends with.
        let mut path = PathBuf::from(self.shown);
        path.extend(self.way.iter().skip(1));
        if !self.way.is_empty() {
            path.push(name);
        }
        self.first = Some(match errno {
            Errno::XDEV | Errno::BUSY => FolderError::OtherMount { path },
            errno => FolderError::io(path, errno),
        });
    }

    fn finish(self) -> Result<Removed, RemoveError> {
        match self.first {
            None => Ok(self.done),
            Some(first) => Err(RemoveError { left: self.left, first }),
        }
    }
}

fn unlink(dir: impl AsFd, name: &OsStr, flags: AtFlags) -> Result<(), Errno> {
    rustix::fs::unlinkat(dir, name, flags)
}
