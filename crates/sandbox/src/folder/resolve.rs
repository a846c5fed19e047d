//! Opening one path beneath a descriptor without following any link or leaving the mount.
//! Spec sandbox.md 10: `openat2`, or the same by hand where it is missing; one set of cases tests both.

use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::sync::OnceLock;

use rustix::fs::{AtFlags, Mode, OFlags, ResolveFlags, Statx, StatxFlags};
use rustix::io::Errno;

/// Opens a folder only as a place to resolve from: needs no read permission on it.
pub(super) const PLACE: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);
/// Opens a folder to list it.
pub(super) const LIST: OFlags =
    OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC).union(OFlags::NONBLOCK);

/// Longest text handed to the kernel at once; its limit is 4,096 with the final NUL.
const CHUNK: usize = 3_800;

/// How paths are resolved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    /// The kernel does it in one call.
    Openat2,
    /// Segment by segment, each without following.
    Steps,
}

impl How {
    /// What this machine has; asked once. A filter that refuses the call counts as "missing".
    pub(super) fn detect() -> Self {
        static HOW: OnceLock<How> = OnceLock::new();
        *HOW.get_or_init(|| {
            match rustix::fs::openat2(rustix::fs::CWD, ".", PLACE, Mode::empty(), ResolveFlags::BENEATH) {
                Err(Errno::NOSYS | Errno::PERM | Errno::OPNOTSUPP) => How::Steps,
                _ => How::Openat2,
            }
        })
    }
}

/// One place on one mount, to tell whether a folder is still the one that was entered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) mount: u64,
    device: (u32, u32),
    inode: u64,
}

impl Identity {
    pub(super) fn of(stat: &Statx) -> Self {
        Self { mount: mount(stat), device: (stat.stx_dev_major, stat.stx_dev_minor), inode: stat.stx_ino }
    }
}

/// The mount a file lies on; where the kernel does not say (before 5.8), the device number stands in.
pub(super) fn mount(stat: &Statx) -> u64 {
    if stat.stx_mask & StatxFlags::MNT_ID.bits() != 0 {
        stat.stx_mnt_id
    } else {
        (u64::from(stat.stx_dev_major) << 32) | u64::from(stat.stx_dev_minor)
    }
}

/// Facts about an open descriptor.
pub(super) fn stat_fd(fd: impl AsFd) -> Result<Statx, Errno> {
    rustix::fs::statx(fd, "", AtFlags::EMPTY_PATH, StatxFlags::BASIC_STATS | StatxFlags::MNT_ID)
}

/// Facts about one name in a folder; a link is not followed.
pub(super) fn stat_name(dir: impl AsFd, name: &OsStr) -> Result<Statx, Errno> {
    let flags = AtFlags::SYMLINK_NOFOLLOW | AtFlags::NO_AUTOMOUNT;
    rustix::fs::statx(dir, name, flags, StatxFlags::BASIC_STATS | StatxFlags::MNT_ID)
}

/// Opens `parts` beneath `dir`. `flags` must hold NOFOLLOW, and DIRECTORY if it holds PATH.
pub(super) fn open_beneath(
    how: How,
    dir: BorrowedFd<'_>,
    mount: u64,
    parts: &[&OsStr],
    flags: OFlags,
    mode: Mode,
) -> Result<OwnedFd, Errno> {
    let flags = flags | OFlags::CLOEXEC;
    let mut at: Option<OwnedFd> = None;
    let mut rest = parts;
    while !rest.is_empty() {
        let taken = match how {
            How::Openat2 => chunk(rest),
            How::Steps => 1,
        };
        let (now, later) = rest.split_at(taken);
        let (now_flags, now_mode) = if later.is_empty() { (flags, mode) } else { (PLACE, Mode::empty()) };
        let from = at.as_ref().map_or(dir, AsFd::as_fd);
        let opened = match how {
            How::Openat2 => beneath(from, &text(now), now_flags, now_mode)?,
            How::Steps => {
                let fd = rustix::fs::openat(from, now[0], now_flags, now_mode)?;
                if self::mount(&stat_fd(&fd)?) != mount {
                    return Err(Errno::XDEV);
                }
                fd
            }
        };
        at = Some(opened);
        rest = later;
    }
    at.ok_or(Errno::INVAL)
}

fn beneath(from: BorrowedFd<'_>, path: &OsStr, flags: OFlags, mode: Mode) -> Result<OwnedFd, Errno> {
    let resolve =
        ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS | ResolveFlags::NO_XDEV;
    // The kernel may answer "again" when something else on the machine renames meanwhile.
    for _ in 0..8 {
        match rustix::fs::openat2(from, path, flags, mode, resolve) {
            Err(Errno::AGAIN | Errno::INTR) => {}
            other => return other,
        }
    }
    Err(Errno::AGAIN)
}

/// How many leading segments fit into one call, at least one.
fn chunk(parts: &[&OsStr]) -> usize {
    let mut length = 0;
    for (n, part) in parts.iter().enumerate() {
        length += part.len() + 1;
        if length > CHUNK && n > 0 {
            return n;
        }
    }
    parts.len()
}

fn text(parts: &[&OsStr]) -> OsString {
    let mut out = Vec::new();
    for part in parts {
        if !out.is_empty() {
            out.push(b'/');
        }
        out.extend_from_slice(part.as_bytes());
    }
    OsString::from_vec(out)
}
