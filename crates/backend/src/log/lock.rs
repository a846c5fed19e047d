//! One process holds a folder of state: two writers of one chain would sign two histories.
//! Spec protocol.md 2 (one writer); the lease at the site is the same rule between machines.

use std::fs::File;
use std::path::Path;

use rustix::fs::{FlockOperation, Mode, OFlags, flock, open};

use super::LogError;

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
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Self { _file: file.into() }),
            Err(rustix::io::Errno::WOULDBLOCK) => Err(LogError::Held { path }),
            Err(other) => Err(failed(other.into())),
        }
    }
}
