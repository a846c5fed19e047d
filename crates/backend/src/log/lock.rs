//! One process holds a folder of state: two writers of one chain would sign two histories.
//! Spec protocol.md 2 (one writer); the lease at the site is the same rule between machines.

use std::fs::File;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, Mode, OFlags, flock, open};

use super::LogError;

/// A process that was killed while it started another one leaves the lock, for some milliseconds, to a child that is
/// not yet the other program; a restart right after the kill waits for that.
const PATIENCE: Duration = Duration::from_millis(500);

/// Held as long as it lives; the kernel lets go of it when the process dies.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    pub(super) fn take(state: &Path) -> Result<Self, LogError> {
        let path = state.join("backend.lock");
        let failed = |source: std::io::Error| LogError::Folder { path: path.clone(), source };
        std::fs::create_dir_all(state).map_err(failed)?;
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = open(&path, flags, Mode::RUSR | Mode::WUSR).map_err(|e| failed(e.into()))?;
        let since = Instant::now();
        loop {
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => return Ok(Self { _file: file.into() }),
                Err(rustix::io::Errno::WOULDBLOCK) if since.elapsed() < PATIENCE => {
                    std::thread::sleep(Duration::from_millis(5));
                }
                Err(rustix::io::Errno::WOULDBLOCK) => return Err(LogError::Held { path }),
                Err(other) => return Err(failed(other.into())),
            }
        }
    }
}
