//! Users and groups of a run: 10000 inside, an unprivileged id outside.
//! Root gives every running sandbox an outside id of its own; an ordinary user can only map itself (spec sandbox.md 5).

use std::fs;

use rustix::process::Pid;
use rustix::thread::{set_thread_res_gid, set_thread_res_uid};

use crate::failure::{Failure, Step};

/// User and group of a run, inside.
pub(crate) const INSIDE: u32 = 10_000;

/// Outside ids of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ids {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    /// The ids are the run's own and not the caller's.
    pub(crate) own_range: bool,
}

/// Gives the user namespace of `process` its ids; setgroups is denied first, as an unprivileged group map demands.
pub(crate) fn write_maps(process: Pid, ids: Ids) -> Result<(), Failure> {
    let folder = format!("/proc/{}", process.as_raw_nonzero());
    for (file, text) in [
        ("setgroups", "deny".to_owned()),
        ("uid_map", format!("{INSIDE} {} 1", ids.uid)),
        ("gid_map", format!("{INSIDE} {} 1", ids.gid)),
    ] {
        fs::write(format!("{folder}/{file}"), &text).step_with(|| format!("write {file} ({text})"))?;
    }
    Ok(())
}

/// Becomes the inside user and group.
pub(super) fn become_inside() -> Result<(), Failure> {
    let (gid, uid) = (rustix::process::Gid::from_raw(INSIDE), rustix::process::Uid::from_raw(INSIDE));
    set_thread_res_gid(gid, gid, gid).step("set group ids")?;
    set_thread_res_uid(uid, uid, uid).step("set user ids")
}
