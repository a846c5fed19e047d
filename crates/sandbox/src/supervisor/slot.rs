//! One outside user and group id per running sandbox of root, chosen by locks.
//! A slot is free again the moment its supervisor is gone, however it went (spec sandbox.md 5, "user").

use std::fs;
use std::os::fd::OwnedFd;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use rustix::fs::{FlockOperation, Mode, OFlags, flock, open};

use crate::failure::{Failure, Step};

/// First id of the usual range; nothing else of a usual machine lives there.
const FIRST: u32 = 2_000_000_000;
const SLOTS: u32 = 4_096;
/// Ids below are system's and people's.
const PEOPLE: u64 = 65_536;

/// An id held for this run.
pub(crate) struct Slot {
    pub(crate) id: u32,
    _lock: OwnedFd,
}

/// First id of the range: in a container that has only some ids, the last of those, as long as they are nobody's.
pub(crate) fn first_id() -> u32 {
    let read = |file| fs::read_to_string(file).unwrap_or_default();
    first_of(&read("/proc/self/uid_map"), &read("/proc/self/gid_map"))
}

fn first_of(users: &str, groups: &str) -> u32 {
    // Per line: first id here, first id outside, count.
    let ranges = |map: &str| -> Vec<(u64, u64)> {
        let words =
            map.lines().map(|line| line.split_ascii_whitespace().filter_map(|word| word.parse().ok()).collect());
        words.filter_map(|line: Vec<u64>| Some((*line.first()?, line.first()? + line.get(2)?))).collect()
    };
    let (users, groups) = (ranges(users), ranges(groups));
    let (slots, usual) = (u64::from(SLOTS), u64::from(FIRST));
    let holds = |first: u64| {
        let within = |ranges: &[(u64, u64)]| ranges.iter().any(|(from, to)| *from <= first && first + slots <= *to);
        within(&users) && within(&groups)
    };
    let last =
        users.iter().map(|(_, to)| to.saturating_sub(slots)).filter(|first| *first >= PEOPLE && holds(*first)).max();
    if holds(usual) { FIRST } else { last.and_then(|first| u32::try_from(first).ok()).unwrap_or(FIRST) }
}

/// Takes the first free slot of this machine.
pub(crate) fn take(folder: &Path) -> Result<Slot, Failure> {
    let step = || format!("take an id for the run (locks in {})", folder.display());
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).step_with(step)?;
    let first = first_id();
    for slot in 0..SLOTS {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let lock = open(folder.join(slot.to_string()), flags, Mode::from_raw_mode(0o600)).step_with(step)?;
        match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(Slot { id: first + slot, _lock: lock }),
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
        assert_eq!(second.id, first.id + 1);
        let id = first.id;
        drop(first);
        assert_eq!(take(folder.path()).unwrap().id, id);
    }

    #[test]
    fn a_container_with_few_ids_uses_its_last() {
        let all = "0 0 4294967295\n";
        let few = "0 100000 165536\n";
        assert_eq!(first_of(all, all), FIRST);
        assert_eq!(first_of(few, all), 165_536 - 4_096);
        // Too few for a range of their own: the attempt will fail and say so.
        assert_eq!(first_of("0 100000 65536\n", all), FIRST);
    }
}
