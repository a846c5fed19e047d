//! The few system calls that no safe library offers: the only unsafe code of the room.
//! Each function is a thin, checked wrapper; what they are for is told where they are used.

mod exec;
mod fork;
mod idmap;
mod mount;
mod net;
mod passed;
mod signals;
mod usage;

pub(crate) use exec::{close_all_but, close_on_exec_from, execute};
pub(crate) use fork::{Fork, fork, new_namespace};
pub(crate) use idmap::map_mount_ids;
pub(crate) use mount::{AttributeSet, set_mount_attributes};
pub(crate) use net::loopback_up;
pub(crate) use passed::passed;
pub(crate) use signals::{block_all, default_signals, kill_all, signal_fd};
pub(crate) use usage::children_usage;

use std::io;

/// Turns the `-1` of a C call into the error of this thread.
fn check(result: libc::c_long) -> io::Result<libc::c_long> {
    if result == -1 { Err(io::Error::last_os_error()) } else { Ok(result) }
}
