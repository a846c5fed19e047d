//! One command in a person's own terminal and folder: a kind of its own, which no job or backend can ask for.
//! Spec sandbox.md 3 (network), cli.md 8: the same walls as a job's, but the folder is live and the network may be on.

use std::fs::File;
use std::io::{self, Seek, Write};
use std::os::fd::AsRawFd;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::fs::{FlockOperation, MemfdFlags, flock, memfd_create};
use serde::{Deserialize, Serialize};

use crate::supervisor::{files, reclaim};
use crate::{Limits, NativeOptions, Root, entry};

/// What the command may reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Network {
    /// Nothing but its own loopback, as for every job.
    Off,
    /// All that this machine reaches, by a person's explicit wish.
    Host,
}

/// Everything about one such command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interactive {
    /// Where programs come from.
    pub root: Root,
    /// Program and arguments; the program is looked up in the `PATH` of `env`.
    pub argv: Vec<String>,
    /// The whole environment of the command.
    pub env: Vec<(String, String)>,
    /// The folder that becomes `/workspace`, itself and not a copy.
    pub project: PathBuf,
    /// Where a temporary folder for it is made.
    pub runs: PathBuf,
    /// Limits; time and log are not looked at.
    pub limits: Limits,
    /// The network.
    pub network: Network,
    /// User and group as the command sees itself; outside it is an unprivileged id whatever this says.
    pub user: (u32, u32),
}

/// User and group of a command unless told otherwise.
pub const USER: (u32, u32) = (10_000, 10_000);

/// What the supervisor is told.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct InteractiveOrder {
    pub(crate) what: Interactive,
    pub(crate) slots: PathBuf,
}

/// Becomes the supervisor of the command: this process has its terminal, its signals and, at the end, its exit code.
///
/// The order passes in memory: values of variables may be secret. Returns only if that fails.
pub fn exec(what: Interactive, options: &NativeOptions) -> io::Error {
    let order = InteractiveOrder { what, slots: options.slots.clone() };
    let passed = || -> io::Result<File> {
        // Not closed on exec: that is how it passes over.
        let mut file = File::from(memfd_create("order", MemfdFlags::empty())?);
        serde_json::to_writer(&mut file, &order)?;
        file.flush()?;
        file.rewind()?;
        Ok(file)
    };
    match passed() {
        Err(error) => error,
        Ok(file) => Command::new(&options.supervisor)
            .args([entry::SUPERVISOR, entry::INTERACTIVE])
            .arg(file.as_raw_fd().to_string())
            .env_clear()
            .exec(),
    }
}

/// The name of the lock over the folders of all commands.
pub(crate) const SWEEP: &str = ".lock";

/// Folders in `runs` whose supervisor was killed, removed unless `only_look`; gives those that were found.
///
/// # Errors
/// The folder cannot be read.
pub fn left_overs(runs: &Path, only_look: bool) -> io::Result<Vec<PathBuf>> {
    let Ok(_lock) = sweeping(runs) else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for entry in std::fs::read_dir(runs)? {
        let folder = entry?.path();
        let Ok(lock) = File::options().read(true).write(true).open(folder.join(files::LOCK)) else { continue };
        if flock(&lock, FlockOperation::NonBlockingLockExclusive).is_err() {
            continue;
        }
        if !only_look && reclaim(&folder).is_ok() {
            // What cannot be removed is found again the next time.
            let _ = crate::folder::remove_tree(&folder);
        }
        found.push(folder);
    }
    Ok(found)
}

/// Held while folders are made or swept, so that a new one is not taken for a dead one.
pub(crate) fn sweeping(runs: &Path) -> io::Result<File> {
    let file = File::options().create(true).truncate(false).write(true).open(runs.join(SWEEP))?;
    flock(&file, FlockOperation::LockExclusive)?;
    Ok(file)
}
