//! Forking into new namespaces, for single-threaded processes only.
//! The supervisor, process 1 and the probes have one thread each, so a fork copies a consistent memory.
#![allow(unsafe_code)]

use std::io;

use rustix::process::Pid;

use super::check;

/// Which side of a fork this is.
pub(crate) enum Fork {
    /// The process that called.
    Parent(Pid),
    /// The new process; it must end with [`rustix::runtime`]-like exits only, never return to the caller's caller.
    Child,
}

/// Forks with the namespace `flags` of clone(2) (`0` for none).
pub(crate) fn fork(flags: libc::c_int) -> io::Result<Fork> {
    let flags = libc::c_long::from(flags | libc::SIGCHLD);
    // SAFETY: without CLONE_VM and with a null stack the call behaves as fork(2): the child gets a copy of this
    // memory. Callers are single-threaded, so no lock is held by a thread that the child lacks. All further
    // arguments are unused without the matching flags, on x86-64 and aarch64 alike.
    let pid = check(unsafe { libc::syscall(libc::SYS_clone, flags, 0, 0, 0, 0) })?;
    Ok(match i32::try_from(pid).ok().and_then(Pid::from_raw) {
        Some(pid) => Fork::Parent(pid),
        None => Fork::Child,
    })
}

/// Moves this process into new namespaces. For single-threaded processes.
pub(crate) fn new_namespace(flags: rustix::thread::UnshareFlags) -> io::Result<()> {
    // SAFETY: no flag that unshares the descriptor table is ever passed, the only one that could break owners.
    Ok(unsafe { rustix::thread::unshare_unsafe(flags) }?)
}
