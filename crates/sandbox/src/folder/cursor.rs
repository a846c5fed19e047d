//! Moving down and up a tree by descriptor, at any depth, with a bounded number of descriptors open.
//! Going up is `..` of the folder just left, believed only if it is the very folder that was entered.

use std::ffi::OsStr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::Mode;
use rustix::io::Errno;

use super::resolve::{self, How, Identity, LIST, PLACE};

/// How many of the deepest folders keep their descriptor.
const KEPT: usize = 16;

struct Level {
    /// `None` once the folder is more than [`KEPT`] levels above the current one.
    fd: Option<OwnedFd>,
    place: Identity,
}

/// A position in a tree. The start is the caller's folder; it can never go above it.
pub(super) struct Cursor<'a> {
    start: BorrowedFd<'a>,
    mount: u64,
    how: How,
    levels: Vec<Level>,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(start: BorrowedFd<'a>, mount: u64, how: How) -> Self {
        Self { start, mount, how, levels: Vec::new() }
    }

    /// How many levels below the start.
    pub(super) fn depth(&self) -> usize {
        self.levels.len()
    }

    /// The current folder.
    pub(super) fn here(&self) -> BorrowedFd<'_> {
        self.levels.last().and_then(|l| l.fd.as_ref()).map_or(self.start, AsFd::as_fd)
    }

    /// Enters a folder of the current one. With `unlock`, a folder of ours that forbids it is made accessible first.
    pub(super) fn enter(&mut self, name: &OsStr, unlock: bool) -> Result<(), Errno> {
        let fd = match resolve::open_beneath(self.how, self.here(), self.mount, &[name], LIST, Mode::empty()) {
            Err(Errno::ACCESS) if unlock => {
                self.unlock(name)?;
                resolve::open_beneath(self.how, self.here(), self.mount, &[name], LIST, Mode::empty())?
            }
            other => other?,
        };
        let stat = resolve::stat_fd(&fd)?;
        if unlock && stat.stx_mode & 0o700 != 0o700 {
            rustix::fs::fchmod(&fd, Mode::RWXU)?;
        }
        let place = Identity::of(&stat);
        if place.mount != self.mount {
            return Err(Errno::XDEV);
        }
        if let Some(far) = self.levels.len().checked_sub(KEPT) {
            self.levels[far].fd = None;
        }
        self.levels.push(Level { fd: Some(fd), place });
        Ok(())
    }

    /// Goes back to the folder above. `STALE` if that is no longer the one that was entered; then nothing was left.
    pub(super) fn leave(&mut self) -> Result<(), Errno> {
        let depth = self.levels.len();
        if depth >= 2 && self.levels[depth - 2].fd.is_none() {
            let fd = rustix::fs::openat(self.here(), "..", LIST, Mode::empty())?;
            if Identity::of(&resolve::stat_fd(&fd)?) != self.levels[depth - 2].place {
                return Err(Errno::STALE);
            }
            self.levels[depth - 2].fd = Some(fd);
        }
        self.levels.pop();
        Ok(())
    }

    /// Gives the owner all rights on a folder that refuses to be opened. The descriptor pins the folder, so that a name
    /// swapped meanwhile changes nothing else.
    fn unlock(&self, name: &OsStr) -> Result<(), Errno> {
        use std::os::fd::AsRawFd;
        let place = resolve::open_beneath(self.how, self.here(), self.mount, &[name], PLACE, Mode::empty())?;
        rustix::fs::chmod(format!("/proc/self/fd/{}", place.as_raw_fd()), Mode::RWXU)
    }
}
