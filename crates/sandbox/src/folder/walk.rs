//! Listing a whole tree: iterative, by descriptor, sorted, at any depth.
//! Spec sandbox.md 10: links and special files are reported and never entered or opened.

use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::vec;

use rustix::fs::Mode;
use rustix::io::Errno;

use super::cursor::Cursor;
use super::resolve::{self, LIST};
use super::{FolderError, Found, Kind, SafeFolder};

/// One entry of a tree, valid until the walk goes on.
#[derive(Debug)]
pub struct Entry<'w> {
    /// Beneath the folder; any bytes a name may hold.
    pub path: &'w Path,
    /// How many segments the path has.
    pub depth: usize,
    /// What it is.
    pub found: Found,
}

impl Entry<'_> {
    /// The last segment.
    pub fn name(&self) -> &OsStr {
        self.path.file_name().unwrap_or_default()
    }
}

/// A walk over everything beneath a folder, depth first, the names of each folder in the order of their bytes; a folder
/// comes before what it holds. Memory grows with the entries of the folders on the way, not with the tree.
pub struct Walk<'a> {
    cursor: Cursor<'a>,
    /// Of the folder at each level: the names not yet seen, and where its own path ends.
    pending: Vec<(vec::IntoIter<OsString>, usize)>,
    path: Vec<u8>,
    /// A folder just reported, to be entered next unless skipped.
    enter: bool,
    seen: u64,
    limit: u64,
    started: bool,
    over: bool,
}

impl SafeFolder {
    /// Walks over everything beneath the folder; `limit` is the most entries it reports before `TooMany`.
    pub fn walk(&self, limit: u64) -> Walk<'_> {
        Walk {
            cursor: Cursor::new(self.as_fd(), self.mount, self.how),
            pending: Vec::new(),
            path: Vec::new(),
            enter: false,
            seen: 0,
            limit,
            started: false,
            over: false,
        }
    }
}

impl Walk<'_> {
    /// The next entry. After an error about one path (no permission, another mount) the walk goes on beside it; after
    /// `TooMany` or `Changed` it is over.
    #[expect(clippy::should_implement_trait, reason = "an entry borrows the walk, which Iterator cannot say")]
    pub fn next(&mut self) -> Option<Result<Entry<'_>, FolderError>> {
        if self.over {
            return None;
        }
        if !self.started {
            self.started = true;
            if let Err(errno) = self.list() {
                self.over = true;
                return Some(Err(FolderError::io("", errno)));
            }
        }
        if std::mem::take(&mut self.enter)
            && let Err(error) = self.go_down()
        {
            return Some(Err(error));
        }
        let name = loop {
            let (names, end) = self.pending.last_mut()?;
            self.path.truncate(*end);
            if let Some(name) = names.next() {
                break name;
            }
            self.pending.pop();
            if self.pending.is_empty() {
                self.over = true;
                return None;
            }
            if let Err(errno) = self.cursor.leave() {
                self.over = true;
                let path = self.path();
                return Some(Err(match errno {
                    Errno::STALE => FolderError::Changed { path },
                    e => FolderError::io(path, e),
                }));
            }
        };
        self.report(&name)
    }

    /// Does not enter the folder that was just reported.
    pub fn skip(&mut self) {
        self.enter = false;
    }

    fn report(&mut self, name: &OsStr) -> Option<Result<Entry<'_>, FolderError>> {
        self.seen += 1;
        if self.seen > self.limit {
            self.over = true;
            return Some(Err(FolderError::TooMany { limit: self.limit }));
        }
        if !self.path.is_empty() {
            self.path.push(b'/');
        }
        self.path.extend_from_slice(name.as_bytes());
        match resolve::stat_name(self.cursor.here(), name) {
            Ok(stat) => {
                let found = Found::of(&stat);
                self.enter = found.kind == Kind::Folder;
                let path = Path::new(OsStr::from_bytes(&self.path));
                Some(Ok(Entry { path, depth: self.cursor.depth() + 1, found }))
            }
            Err(errno) => Some(Err(FolderError::io(self.path(), errno))),
        }
    }

    fn go_down(&mut self) -> Result<(), FolderError> {
        let start = self.path.iter().rposition(|b| *b == b'/').map_or(0, |i| i + 1);
        let name = OsString::from_vec(self.path[start..].to_vec());
        self.cursor.enter(&name, false).map_err(|errno| self.refused(errno))?;
        if let Err(errno) = self.list() {
            let refused = self.refused(errno);
            if self.cursor.leave().is_err() {
                self.over = true;
            }
            return Err(refused);
        }
        Ok(())
    }

    fn refused(&self, errno: Errno) -> FolderError {
        let path = self.path();
        match errno {
            Errno::XDEV => FolderError::OtherMount { path },
            Errno::LOOP | Errno::NOTDIR | Errno::NOENT => FolderError::Changed { path },
            e => FolderError::io(path, e),
        }
    }

    fn list(&mut self) -> Result<(), Errno> {
        let mut names = names(self.cursor.here(), self.limit.saturating_sub(self.seen).saturating_add(1))?;
        names.sort_unstable();
        self.pending.push((names.into_iter(), self.path.len()));
        Ok(())
    }

    fn path(&self) -> PathBuf {
        PathBuf::from(OsString::from_vec(self.path.clone()))
    }
}

/// The names in a folder, at most `most`. The folder is opened anew, so that nobody else's reading position matters.
pub(super) fn names(folder: BorrowedFd<'_>, most: u64) -> Result<Vec<OsString>, Errno> {
    let own: OwnedFd = rustix::fs::openat(folder, ".", LIST, Mode::empty())?;
    let mut buffer = Vec::with_capacity(32 * 1024);
    let mut entries = rustix::fs::RawDir::new(own, buffer.spare_capacity_mut());
    let mut names = Vec::new();
    while let Some(entry) = entries.next() {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if name == b"." || name == b".." {
            continue;
        }
        if names.len() as u64 >= most {
            break;
        }
        names.push(OsString::from_vec(name.to_vec()));
    }
    Ok(names)
}
