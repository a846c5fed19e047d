//! mount_setattr(2): the only call that makes a whole tree of mounts read-only at once.
//! Attributes are only ever added, which an ordinary user's namespace is allowed to do.
#![allow(unsafe_code)]

use std::io;
use std::os::fd::{AsFd, AsRawFd};

use super::check;

/// Attributes to add to a mount.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AttributeSet {
    pub(crate) read_only: bool,
    pub(crate) no_devices: bool,
    pub(crate) no_exec: bool,
}

impl AttributeSet {
    /// The kernel's bits; set-uid programs are without effect in every mount.
    fn bits(self) -> u64 {
        let mut bits = libc::MOUNT_ATTR_NOSUID;
        for (wanted, bit) in [
            (self.read_only, libc::MOUNT_ATTR_RDONLY),
            (self.no_devices, libc::MOUNT_ATTR_NODEV),
            (self.no_exec, libc::MOUNT_ATTR_NOEXEC),
        ] {
            if wanted {
                bits |= bit;
            }
        }
        bits
    }
}

/// Adds attributes to the mount at `mount` and, if `recursive`, to all below it; they become private too.
pub(crate) fn set_mount_attributes(mount: impl AsFd, set: AttributeSet, recursive: bool) -> io::Result<()> {
    let attr = libc::mount_attr { attr_set: set.bits(), attr_clr: 0, propagation: libc::MS_PRIVATE, userns_fd: 0 };
    let flags = libc::AT_EMPTY_PATH | if recursive { libc::AT_RECURSIVE } else { 0 };
    // SAFETY: the path is a NUL-terminated constant, `attr` outlives the call and its size is given.
    check(unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            mount.as_fd().as_raw_fd(),
            c"".as_ptr(),
            flags,
            &raw const attr,
            size_of::<libc::mount_attr>(),
        )
    })
    .map(drop)
}
