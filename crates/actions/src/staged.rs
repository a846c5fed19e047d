//! A result in the making: a temporary file that becomes the result in one step, or vanishes.
//! Nothing half done ever stands under a final name (actions.md 1.3).

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Seek as _, SeekFrom};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::fs::{AtFlags, Mode, OFlags};
use sha2::{Digest as _, Sha256};

use crate::fault::{Exit, Fault, FaultCode};

/// How many left-over temporary names are stepped over before giving up.
const ATTEMPTS: u32 = 10_000;

/// Where the search for a free temporary name goes on, so that many results at once are found names quickly.
static NEXT: AtomicU32 = AtomicU32::new(0);

/// A file that has not got its name yet. Dropped without `publish`, it is removed.
#[derive(Debug)]
pub(crate) struct Staged {
    whole: Whole,
    file: File,
}

/// A finished file without its name; it holds no file open. Dropped without `publish`, it is removed.
#[derive(Debug)]
pub(crate) struct Whole {
    dir: Arc<OwnedFd>,
    temporary: String,
    name: OsString,
    what: String,
    published: bool,
}

/// Makes a file under a name that nothing has.
fn temporary(dir: &OwnedFd) -> io::Result<(String, File)> {
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    for _ in 0..ATTEMPTS {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!(".cloister-{}-{number}.tmp", std::process::id());
        match rustix::fs::openat(dir, &name, flags, Mode::from_raw_mode(0o640)) {
            Ok(fd) => return Ok((name, File::from(fd))),
            Err(rustix::io::Errno::EXIST) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

/// A file for what does not fit into memory. Its name goes at once: only this process reads it, and nothing is left of it.
pub(crate) fn nameless(dir: &OwnedFd) -> io::Result<File> {
    let (name, file) = temporary(dir)?;
    rustix::fs::unlinkat(dir, &name, AtFlags::empty())?;
    Ok(file)
}

impl Staged {
    /// Makes the temporary file in an open folder, readable by owner and group (actions.md 11).
    pub(crate) fn create(dir: impl Into<Arc<OwnedFd>>, name: OsString, what: String) -> Result<Self, Fault> {
        let dir = dir.into();
        match temporary(&dir) {
            Ok((temporary, file)) => Ok(Self { whole: Whole { dir, temporary, name, what, published: false }, file }),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                let message = format!("cannot write {what}: too many left-over temporary files beside it");
                let fault = Fault::new(FaultCode::IoError, Exit::Data, message);
                Err(fault.help("remove the .cloister-*.tmp files there"))
            }
            Err(error) => Err(Fault::writing(&what, &error)),
        }
    }

    pub(crate) fn file(&mut self) -> &mut File {
        &mut self.file
    }

    pub(crate) fn what(&self) -> &str {
        &self.whole.what
    }

    /// The SHA-256 of what has been written, in hex. Nothing may be written after it.
    pub(crate) fn sha256(&mut self) -> io::Result<String> {
        self.file.seek(SeekFrom::Start(0))?;
        let (mut hasher, mut input) = (Sha256::new(), BufReader::with_capacity(64 << 10, &mut self.file));
        loop {
            let bytes = input.fill_buf()?;
            if bytes.is_empty() {
                return Ok(data_encoding::HEXLOWER.encode(&hasher.finalize()));
            }
            hasher.update(bytes);
            let length = bytes.len();
            input.consume(length);
        }
    }

    /// Brings the contents to the disk; after this only the name is missing.
    pub(crate) fn sync(&self) -> Result<(), Fault> {
        self.file.sync_all().map_err(|error| Fault::writing(&self.whole.what, &error))
    }

    /// Closes the file, for results that wait for others.
    pub(crate) fn close(self) -> Result<Whole, Fault> {
        self.sync()?;
        Ok(self.whole)
    }

    /// Gives the file its name, in place of whatever had it.
    pub(crate) fn publish(self) -> Result<(), Fault> {
        self.whole.publish()
    }
}

impl Whole {
    /// Gives the file its name, in place of whatever had it.
    pub(crate) fn publish(mut self) -> Result<(), Fault> {
        rustix::fs::renameat(&*self.dir, &self.temporary, &*self.dir, self.name.as_os_str())
            .map_err(|error| Fault::writing(&self.what, &error.into()))?;
        self.published = true;
        // Some file systems cannot sync a folder; the rename itself is done either way.
        let _ = rustix::fs::fsync(&*self.dir);
        Ok(())
    }
}

impl Drop for Whole {
    fn drop(&mut self) {
        if !self.published {
            let _ = rustix::fs::unlinkat(&*self.dir, &self.temporary, AtFlags::empty());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the system says decides what people are told: a full disk is not any fault of the machine.
    #[test]
    fn a_file_that_cannot_be_made_keeps_its_reason() {
        let folder = tempfile::tempdir().unwrap();
        let dir = OwnedFd::from(File::open(folder.path()).unwrap());
        assert!(nameless(&dir).is_ok());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        folder.close().unwrap();
        let error = nameless(&dir).unwrap_err();
        assert_eq!((error.kind(), error.raw_os_error()), (io::ErrorKind::NotFound, Some(2)));
    }
}
