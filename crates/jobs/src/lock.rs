//! One run at a time in a folder: an advisory lock that names who holds it.
//! Spec cli.md 4.2 (step 2); jobs.md 9 (single writer).

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use rustix::fs::{FlockOperation, OFlags, flock};
use rustix::io::Errno;

/// Held until it is dropped, or its process is gone.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

/// Why there is no lock.
#[derive(Debug)]
pub(crate) enum NoLock {
    /// A living process has it.
    Held {
        /// Its id, if it has written it already.
        process: Option<u32>,
    },
    Io(io::Error),
}

impl Lock {
    /// Whether a living process has it. Looks only.
    pub(crate) fn is_held(path: &Path) -> bool {
        let no_follow = i32::try_from((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits()).unwrap_or(0);
        let Ok(file) = OpenOptions::new().read(true).custom_flags(no_follow).open(path) else { return false };
        matches!(flock(&file, FlockOperation::NonBlockingLockShared), Err(Errno::WOULDBLOCK))
    }

    /// Takes the lock at once or not at all. The file is never removed: whoever opens it has the same one.
    pub(crate) fn take(path: &Path) -> Result<Self, NoLock> {
        let no_follow = i32::try_from((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits()).unwrap_or(0);
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o644)
            .custom_flags(no_follow)
            .open(path)
            .map_err(NoLock::Io)?;
        // Somebody who only looks has it for a moment.
        let again = |error| {
            std::thread::sleep(Duration::from_millis(50));
            if error == Errno::WOULDBLOCK { flock(&file, FlockOperation::NonBlockingLockExclusive) } else { Err(error) }
        };
        match flock(&file, FlockOperation::NonBlockingLockExclusive).or_else(again) {
            Ok(()) => {}
            Err(Errno::WOULDBLOCK) => {
                let mut text = String::new();
                let _ = Read::by_ref(&mut file).take(32).read_to_string(&mut text);
                return Err(NoLock::Held { process: text.trim().parse().ok() });
            }
            Err(error) => return Err(NoLock::Io(error.into())),
        }
        let write = |file: &mut File| {
            file.set_len(0)?;
            file.seek(SeekFrom::Start(0))?;
            writeln!(file, "{}", std::process::id())
        };
        write(&mut file).map_err(NoLock::Io)?;
        Ok(Self { _file: file })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_is_told_who_has_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cloister.lock");
        let first = Lock::take(&path).unwrap();
        let Err(NoLock::Held { process }) = Lock::take(&path) else { panic!("two have it") };
        assert_eq!(process, Some(std::process::id()));
        assert!(Lock::is_held(&path));
        drop(first);
        assert!(!Lock::is_held(&path));
        assert!(!Lock::is_held(&folder.path().join("none")));
        assert!(Lock::take(&path).is_ok());
    }

    #[test]
    fn a_link_in_its_place_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let (path, elsewhere) = (folder.path().join("cloister.lock"), folder.path().join("elsewhere"));
        std::fs::write(&elsewhere, "precious").unwrap();
        std::os::unix::fs::symlink(&elsewhere, &path).unwrap();
        assert!(matches!(Lock::take(&path), Err(NoLock::Io(_))));
        assert_eq!(std::fs::read_to_string(&elsewhere).unwrap(), "precious");
    }
}
