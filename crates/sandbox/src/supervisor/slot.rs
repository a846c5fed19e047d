//! One outside user and group id per running sandbox of root, chosen by locks.
//! A slot is free again the moment its supervisor is gone, however it went (spec sandbox.md 5, "user").

use std::fs;
use std::os::fd::OwnedFd;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use rustix::fs::{FlockOperation, Mode, OFlags, flock, open};

use crate::failure::{Failure, Step};

/// First id of the range; nothing else of a usual machine lives there.
pub(crate) const FIRST: u32 = 2_000_000_000;
const SLOTS: u32 = 4_096;

/// An id held for this run.
pub(crate) struct Slot {
    pub(crate) id: u32,
    _lock: OwnedFd,
}

/// Takes the first free slot of this machine.
pub(crate) fn take(folder: &Path) -> Result<Slot, Failure> {
    let step = || format!("take an id for the run (locks in {})", folder.display());
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).step_with(step)?;
    for slot in 0..SLOTS {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let lock = open(folder.join(slot.to_string()), flags, Mode::from_raw_mode(0o600)).step_with(step)?;
        match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(Slot { id: FIRST + slot, _lock: lock }),
            Err(rustix::io::Errno::WOULDBLOCK) => {}
            Err(error) => return Err(Failure::new(step(), error)),
        }
    }
    Err(Failure::new(step(), format!("all {SLOTS} are taken")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_differ_while_held_and_return() {
        let folder = tempfile::tempdir().unwrap();
        let first = take(folder.path()).unwrap();
        let second = take(folder.path()).unwrap();
        assert_eq!((first.id, second.id), (FIRST, FIRST + 1));
        drop(first);
        assert_eq!(take(folder.path()).unwrap().id, FIRST);
    }
}
