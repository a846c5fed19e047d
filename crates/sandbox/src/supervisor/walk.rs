//! Walking a folder that a hostile process may be changing: by descriptor, without recursion, no link followed.
//! Used to count what a run has made and to hand its files from one owner to another.

use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, Stat, fstat, openat, statat};
use rustix::io::Errno;

/// Folders above the current one that are kept open; deeper ones are found again by `..` and compared.
const KEPT_OPEN: usize = 128;

/// A folder on the way down.
struct Level {
    /// `None` when too deep to keep open.
    folder: Option<OwnedFd>,
    identity: (u64, u64),
    /// Folders in it still to be entered.
    waiting: Vec<CString>,
}

fn identity(stat: &Stat) -> (u64, u64) {
    (stat.st_dev, stat.st_ino)
}

fn open_folder(parent: impl AsFd, name: &CStr) -> rustix::io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NOATIME;
    match openat(parent.as_fd(), name, flags, Mode::empty()) {
        // Not allowed on folders of others.
        Err(Errno::PERM) => openat(parent, name, flags & !OFlags::NOATIME, Mode::empty()),
        other => other,
    }
}

/// Calls `visit(folder, name, stat)` for everything below `root`, folders before their contents. What vanishes or
/// cannot be read is passed over. Nothing on another file system is entered. `false` when a folder moved during the
/// walk so that a part could not be reached.
pub(super) fn walk(root: OwnedFd, mut visit: impl FnMut(BorrowedFd<'_>, &CStr, &Stat)) -> io::Result<bool> {
    let stat = fstat(&root)?;
    let device = stat.st_dev;
    let mut whole = true;
    let mut here = root;
    let mut levels: Vec<Level> = Vec::new();
    let mut waiting = list(&here, device, &mut visit);
    let mut me = identity(&stat);
    loop {
        if let Some(name) = waiting.pop() {
            let Ok(child) = open_folder(&here, &name) else { continue };
            let Ok(found) = fstat(&child) else { continue };
            if found.st_dev != device {
                continue;
            }
            let inner = list(&child, device, &mut visit);
            let folder = std::mem::replace(&mut here, child);
            let folder = (levels.len() < KEPT_OPEN).then_some(folder);
            levels.push(Level { folder, identity: me, waiting: std::mem::replace(&mut waiting, inner) });
            me = identity(&found);
            continue;
        }
        let Some(level) = levels.pop() else { return Ok(whole) };
        let above = match level.folder {
            Some(folder) => Some(folder),
            None => open_folder(&here, c"..")
                .ok()
                .filter(|above| fstat(above).is_ok_and(|found| identity(&found) == level.identity)),
        };
        match above {
            Some(folder) => {
                (here, me, waiting) = (folder, level.identity, level.waiting);
            }
            // Moved meanwhile: go on from the deepest folder that is still open.
            None => {
                whole = false;
                while levels.last().is_some_and(|level| level.folder.is_none()) {
                    levels.pop();
                }
                waiting.clear();
            }
        }
    }
}

/// Visits the entries of one folder and returns the folders among them.
fn list(folder: &OwnedFd, device: u64, visit: &mut impl FnMut(BorrowedFd<'_>, &CStr, &Stat)) -> Vec<CString> {
    let mut folders = Vec::new();
    let Ok(mut entries) = Dir::read_from(folder) else { return folders };
    while let Some(Ok(entry)) = entries.read() {
        let name = entry.file_name();
        if name == c"." || name == c".." {
            continue;
        }
        let Ok(stat) = statat(folder, name, AtFlags::SYMLINK_NOFOLLOW) else { continue };
        visit(folder.as_fd(), name, &stat);
        if FileType::from_raw_mode(stat.st_mode) == FileType::Directory && stat.st_dev == device {
            folders.push(name.to_owned());
        }
    }
    folders
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn root(path: &std::path::Path) -> OwnedFd {
        fs::File::open(path).unwrap().into()
    }

    #[test]
    fn everything_is_visited_once_and_links_are_not_followed() {
        let temporary = tempfile::tempdir().unwrap();
        let outside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join("secret"), "x").unwrap();
        fs::create_dir_all(temporary.path().join("a/b")).unwrap();
        fs::write(temporary.path().join("a/b/file"), "x").unwrap();
        std::os::unix::fs::symlink(outside.path(), temporary.path().join("a/link")).unwrap();
        let mut seen = Vec::new();
        let whole = walk(root(temporary.path()), |_, name, _| seen.push(name.to_str().unwrap().to_owned())).unwrap();
        seen.sort();
        assert!(whole);
        assert_eq!(seen, ["a", "b", "file", "link"]);
    }

    #[test]
    fn depth_has_no_limit() {
        let temporary = tempfile::tempdir().unwrap();
        let mut here = root(temporary.path());
        for _ in 0..300 {
            rustix::fs::mkdirat(&here, "d", Mode::from_raw_mode(0o755)).unwrap();
            rustix::fs::mkdirat(&here, "e", Mode::from_raw_mode(0o755)).unwrap();
            here = open_folder(&here, c"d").unwrap();
        }
        let mut count = 0;
        assert!(walk(root(temporary.path()), |_, _, _| count += 1).unwrap());
        assert_eq!(count, 600);
    }
}
