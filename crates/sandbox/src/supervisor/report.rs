//! What the supervisor leaves behind: how the run ended, why it never began, and enough to clean up after itself.
//! Each file is complete or absent: written aside, synced, renamed (spec sandbox.md 7).

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use serde::{Deserialize, Serialize};

use super::{cgroup, files, owner};
use crate::Exit;
use crate::failure::{Failure, Step};
use crate::inside::init_timespec;

/// Who runs a run.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Born {
    /// The supervisor.
    pub(crate) supervisor: i32,
    /// Process 1 of the run.
    pub(crate) init: i32,
    /// Its start in clock ticks since boot: a number alone may have been given to another process.
    pub(crate) init_started: u64,
    /// Control groups.
    pub(crate) groups: Vec<PathBuf>,
    /// The outside id, if the run has one of its own, and whose the folders were.
    pub(crate) id: Option<(u32, (u32, u32))>,
}

/// Writes `value` to `folder/name`, whole or not at all.
pub(crate) fn write_whole(folder: &Path, name: &str, value: &impl Serialize, sync: bool) -> io::Result<()> {
    let aside = folder.join(format!("{name}.new"));
    let mut file = File::create(&aside)?;
    file.write_all(&serde_json::to_vec(value)?)?;
    if sync {
        file.sync_all()?;
    }
    fs::rename(&aside, folder.join(name))?;
    if sync {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

fn read_whole<T: serde::de::DeserializeOwned>(folder: &Path, name: &str) -> io::Result<Option<T>> {
    match fs::read(folder.join(name)) {
        Ok(bytes) => Ok(Some(serde_json::from_slice(&bytes)?)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// How the run ended, if its supervisor told.
pub(crate) fn read_exit(folder: &Path) -> io::Result<Option<Exit>> {
    read_whole(folder, files::EXIT)
}

/// Why the command was never executed, if it was not.
pub(crate) fn start_failure(folder: &Path) -> io::Result<Option<Failure>> {
    read_whole(folder, files::START_FAILURE)
}

/// Who runs it.
pub(crate) fn born(folder: &Path) -> io::Result<Option<Born>> {
    read_whole(folder, files::BORN)
}

/// When a living process started, in clock ticks since boot.
pub(crate) fn started(process: i32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    stat.rsplit_once(')')?.1.split_ascii_whitespace().nth(19)?.parse().ok()
}

/// After a supervisor that was killed: waits until nothing of the run lives, removes its groups, gives its files back.
/// Does nothing after a supervisor that ended in order.
pub(crate) fn reclaim(folder: &Path) -> Result<(), Failure> {
    let Some(born) = born(folder).step("read who ran the run")? else { return Ok(()) };
    end_init(&born)?;
    for group in &born.groups {
        cgroup::remove(group)?;
    }
    if let Some((id, owner)) = born.id {
        for name in ["workspace", "tmp"] {
            if folder.join(name).is_dir() {
                owner::give_back(&folder.join(name), id, owner)?;
            }
        }
    }
    match fs::remove_file(folder.join(files::BORN)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Failure::new("forget who ran the run", error)),
        _ => Ok(()),
    }
}

/// Its descriptor becomes readable only when every process of its namespace has ended.
fn end_init(born: &Born) -> Result<(), Failure> {
    let Some(pid) = Pid::from_raw(born.init) else { return Ok(()) };
    let Ok(init) = pidfd_open(pid, PidfdFlags::empty()) else { return Ok(()) };
    if started(born.init) != Some(born.init_started) {
        return Ok(());
    }
    let _ = pidfd_send_signal(&init, Signal::KILL);
    let mut waited = [PollFd::new(&init, PollFlags::IN)];
    let ended = poll(&mut waited, Some(&init_timespec(Duration::from_secs(10)))).step("wait for the run to end")?;
    if ended == 0 { Err(Failure::new("end the run", "its processes do not die")) } else { Ok(()) }
}
