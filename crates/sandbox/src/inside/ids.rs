//! Users and groups of a run: 10000 inside, an unprivileged id outside.
//! Root gives every running sandbox an outside id of its own; an ordinary user can only map itself (spec sandbox.md 5).

use std::fs;

use rustix::process::Pid;
use rustix::thread::{set_thread_res_gid, set_thread_res_uid};

use crate::failure::{Failure, Step};
use crate::interactive::USER;

/// Outside ids of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ids {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    /// The ids are the run's own and not the caller's.
    pub(crate) own_range: bool,
}

/// Gives the user namespace of `process` the ids of every run.
pub(crate) fn write_maps(process: Pid, ids: Ids) -> Result<(), Failure> {
    write_maps_as(process, ids, USER)
}

/// Gives it these ids inside; setgroups is denied first, as an unprivileged group map demands.
pub(crate) fn write_maps_as(process: Pid, ids: Ids, inside: (u32, u32)) -> Result<(), Failure> {
    let folder = format!("/proc/{}", process.as_raw_nonzero());
    for (file, text) in [
        ("setgroups", "deny".to_owned()),
        ("uid_map", format!("{} {} 1", inside.0, ids.uid)),
        ("gid_map", format!("{} {} 1", inside.1, ids.gid)),
    ] {
        fs::write(format!("{folder}/{file}"), &text).step_with(|| format!("write {file} ({text})"))?;
    }
    Ok(())
}

/// Becomes this user and group of the inside.
pub(super) fn become_inside(inside: (u32, u32)) -> Result<(), Failure> {
    let (gid, uid) = (rustix::process::Gid::from_raw(inside.1), rustix::process::Uid::from_raw(inside.0));
    set_thread_res_gid(gid, gid, gid).step("set group ids")?;
    set_thread_res_uid(uid, uid, uid).step("set user ids")
}
