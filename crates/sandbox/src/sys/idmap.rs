//! Showing a mount with one user's files as another's: mount_setattr(2) with a user namespace.
//! Only for a detached mount of ours, by root.
#![allow(unsafe_code)]

use std::io;
use std::os::fd::{AsFd, AsRawFd};

use super::check;

/// Ids of the mount and of all mounts below it are translated by `namespace` from now on.
pub(crate) fn map_mount_ids(mount: impl AsFd, namespace: impl AsFd) -> io::Result<()> {
    let userns_fd = u64::try_from(namespace.as_fd().as_raw_fd()).unwrap_or(u64::MAX);
    let attr = libc::mount_attr { attr_set: libc::MOUNT_ATTR_IDMAP, attr_clr: 0, propagation: 0, userns_fd };
    // SAFETY: the path is a NUL-terminated constant, `attr` outlives the call and its size is given.
    check(unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            mount.as_fd().as_raw_fd(),
            c"".as_ptr(),
            libc::AT_EMPTY_PATH | libc::AT_RECURSIVE,
            &raw const attr,
            size_of::<libc::mount_attr>(),
        )
    })
    .map(drop)
}
