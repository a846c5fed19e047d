//! A result in the making: a temporary file that becomes the result in one step, or vanishes.
//! Nothing half done ever stands under a final name (actions.md 1.3).

use std::ffi::OsString;
use std::fs::File;
use std::os::fd::OwnedFd;

use rustix::fs::{AtFlags, Mode, OFlags};

use crate::fault::{Exit, Fault, FaultCode};

/// How many left-over temporary names are stepped over before giving up.
const ATTEMPTS: u32 = 10_000;

/// A file that has not got its name yet. Dropped without `publish`, it is removed.
#[derive(Debug)]
pub(crate) struct Staged {
    dir: OwnedFd,
    temporary: String,
    name: OsString,
    file: File,
    what: String,
    published: bool,
}

impl Staged {
    /// Makes the temporary file in an open folder, readable by owner and group (actions.md 11).
    pub(crate) fn create(dir: OwnedFd, name: OsString, what: String) -> Result<Self, Fault> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        for attempt in 0..ATTEMPTS {
            let temporary = format!(".cloister-{}-{attempt}.tmp", std::process::id());
            match rustix::fs::openat(&dir, &temporary, flags, Mode::from_raw_mode(0o640)) {
                Ok(fd) => return Ok(Self { dir, temporary, name, file: File::from(fd), what, published: false }),
                Err(rustix::io::Errno::EXIST) => {}
                Err(error) => return Err(Fault::writing(&what, &error.into())),
            }
        }
        let message = format!("cannot write {what}: too many left-over temporary files beside it");
        Err(Fault::new(FaultCode::IoError, Exit::Data, message).help("remove the .cloister-*.tmp files there"))
    }

    pub(crate) fn file(&mut self) -> &mut File {
        &mut self.file
    }

    pub(crate) fn what(&self) -> &str {
        &self.what
    }

    /// Brings the contents to the disk; after this only the name is missing.
    pub(crate) fn sync(&self) -> Result<(), Fault> {
        self.file.sync_all().map_err(|error| Fault::writing(&self.what, &error))
    }

    /// Gives the file its name, in place of whatever had it.
    pub(crate) fn publish(mut self) -> Result<(), Fault> {
        rustix::fs::renameat(&self.dir, &self.temporary, &self.dir, self.name.as_os_str())
            .map_err(|error| Fault::writing(&self.what, &error.into()))?;
        self.published = true;
        // Some file systems cannot sync a folder; the rename itself is done either way.
        let _ = rustix::fs::fsync(&self.dir);
        Ok(())
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        if !self.published {
            let _ = rustix::fs::unlinkat(&self.dir, &self.temporary, AtFlags::empty());
        }
    }
}
