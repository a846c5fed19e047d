//! Signal masks, dispositions and a descriptor to read signals from.
//! A run must start with every signal at its default and unblocked; the runtime of this language ignores SIGPIPE.
#![allow(unsafe_code)]

use std::io;
use std::os::fd::{FromRawFd, OwnedFd};

use super::check;

fn set_of(signals: &[libc::c_int]) -> libc::sigset_t {
    // SAFETY: a zeroed sigset_t is valid memory for sigemptyset, which initialises it; sigaddset gets valid numbers.
    unsafe {
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut set);
        for signal in signals {
            libc::sigaddset(&raw mut set, *signal);
        }
        set
    }
}

/// Blocks every signal that can be blocked in this thread.
pub(crate) fn block_all() -> io::Result<()> {
    // SAFETY: as in `set_of`; the previous mask is not asked for.
    let result = unsafe {
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigfillset(&raw mut set);
        libc::sigprocmask(libc::SIG_SETMASK, &raw const set, std::ptr::null_mut())
    };
    check(result.into()).map(drop)
}

/// A non-blocking descriptor that tells of `signals`, which must be blocked.
pub(crate) fn signal_fd(signals: &[libc::c_int]) -> io::Result<OwnedFd> {
    let set = set_of(signals);
    // SAFETY: `set` outlives the call; -1 asks for a new descriptor.
    let fd = unsafe { libc::signalfd(-1, &raw const set, libc::SFD_CLOEXEC | libc::SFD_NONBLOCK) };
    check(fd.into())?;
    // SAFETY: the kernel just gave this descriptor to us alone.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Sets every signal to its default and unblocks all, except that a write past the file size limit gives an error
/// instead of a death (spec sandbox.md 6, "one file").
pub(crate) fn default_signals() -> io::Result<()> {
    for signal in 1..=64 {
        let disposition = if signal == libc::SIGXFSZ { libc::SIG_IGN } else { libc::SIG_DFL };
        // SAFETY: no handler function is installed. Failing for KILL, STOP and the C library's own two is expected.
        unsafe { libc::signal(signal, disposition) };
    }
    let none = set_of(&[]);
    // SAFETY: `none` outlives the call; the previous mask is not asked for.
    check(unsafe { libc::sigprocmask(libc::SIG_SETMASK, &raw const none, std::ptr::null_mut()) }.into()).map(drop)
}

/// KILL to everything that this process may signal, itself excepted. Only for process 1 of a process namespace.
pub(crate) fn kill_all() -> io::Result<()> {
    if std::process::id() != 1 {
        return Err(io::Error::from(io::ErrorKind::PermissionDenied));
    }
    // SAFETY: no memory is touched; process 1 of a namespace reaches only that namespace.
    check(unsafe { libc::kill(-1, libc::SIGKILL) }.into()).map(drop)
}
