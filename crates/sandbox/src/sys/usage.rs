//! What all ended children of this process used together.
//! Read by process 1 inside after it has reaped everything, so the numbers are final.
#![allow(unsafe_code)]

use std::io;

use super::check;

/// Totals over all reaped descendants.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct ChildrenUsage {
    /// User and system time.
    pub(crate) cpu_seconds: f64,
    /// The largest resident size of any one of them, in bytes.
    pub(crate) largest: u64,
}

/// Asks the kernel.
pub(crate) fn children_usage() -> io::Result<ChildrenUsage> {
    // SAFETY: all-zero bytes are a valid rusage, which the call fills.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        check(libc::getrusage(libc::RUSAGE_CHILDREN, &raw mut usage).into())?;
        usage
    };
    let seconds = |time: libc::timeval| time.tv_sec as f64 + time.tv_usec as f64 / 1e6;
    Ok(ChildrenUsage {
        cpu_seconds: seconds(usage.ru_utime) + seconds(usage.ru_stime),
        largest: u64::try_from(usage.ru_maxrss).unwrap_or(0).saturating_mul(1024),
    })
}
