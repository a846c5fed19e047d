//! Handing a run's folders to the id it runs with, and back when it has ended. Root only.
//! Nothing of the run is alive at either time, no link is followed, and set-uid bits fall with the change.

use std::path::Path;

use rustix::fs::{AtFlags, Gid, Mode, OFlags, Uid, chownat, open};

use super::walk::walk;
use crate::failure::{Failure, Step};

/// Gives everything in `folder`, and itself, to `id`; tells how many entries that are.
pub(crate) fn give(folder: &Path, id: u32) -> Result<u64, Failure> {
    hand(folder, None, (id, id))
}

/// Gives what belongs to `id` back to `owner`.
pub(crate) fn give_back(folder: &Path, id: u32, owner: (u32, u32)) -> Result<u64, Failure> {
    hand(folder, Some(id), owner)
}

fn hand(folder: &Path, from: Option<u32>, to: (u32, u32)) -> Result<u64, Failure> {
    let step = || format!("change the owner of {}", folder.display());
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let root = open(folder, flags, Mode::empty()).step_with(step)?;
    let (uid, gid) = (Uid::from_raw(to.0), Gid::from_raw(to.1));
    rustix::fs::fchown(&root, Some(uid), Some(gid)).step_with(step)?;
    let (mut count, mut failed) = (0, None);
    walk(root, |parent, name, stat| {
        count += 1;
        if from.is_none_or(|from| stat.st_uid == from)
            && let Err(error) = chownat(parent, name, Some(uid), Some(gid), AtFlags::SYMLINK_NOFOLLOW)
            && error != rustix::io::Errno::NOENT
        {
            failed = Some(error);
        }
    })
    .step_with(step)?;
    match failed {
        None => Ok(count),
        Some(error) => Err(Failure::new(step(), error)),
    }
}
