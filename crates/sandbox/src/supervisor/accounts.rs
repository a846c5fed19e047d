//! Counting what a run has written, each second, in a process of its own so that the log never waits for it.
//! For an ordinary user it enters the run's user namespace with the one capability to read folders of any mode.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::fs::{FileType, Mode, OFlags, open};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{Pid, Signal, kill_process, set_parent_process_death_signal};
use rustix::thread::{CapabilitySet, CapabilitySets, LinkNameSpaceType, move_into_link_name_space, set_capabilities};

use super::processes::below;
use super::walk::walk;
use crate::failure::{Failure, Step};
use crate::inside::exit_now;
use crate::sys;

/// Between two counts (spec sandbox.md 6); longer for trees that take long to walk.
const INTERVAL: Duration = Duration::from_secs(1);
const SHARE: u32 = 4;

/// What the run's folders hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Used {
    pub(crate) bytes: u64,
    /// Files, folders and links made since the start.
    pub(crate) made: u64,
}

/// The counting process.
pub(crate) struct Accounts {
    process: Pid,
    told: OwnedFd,
}

impl Accounts {
    /// Starts it over `folders` and what the processes below `init` hold open, in `namespace` if given.
    pub(crate) fn start(init: Pid, folders: &[&Path], namespace: Option<&OwnedFd>) -> Result<Self, Failure> {
        let step = "start counting disk use";
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let roots: Vec<OwnedFd> =
            folders.iter().map(|folder| open(*folder, flags, Mode::empty())).collect::<Result<_, _>>().step(step)?;
        let (told, tell) = pipe_with(PipeFlags::CLOEXEC).step(step)?;
        match sys::fork(0).step(step)? {
            sys::Fork::Parent(process) => Ok(Self { process, told }),
            sys::Fork::Child => {
                drop(told);
                let _ = count_for_ever(init, &roots, &tell, namespace);
                exit_now(1)
            }
        }
    }

    /// Readable when there is a count.
    pub(crate) fn fd(&self) -> impl AsFd + '_ {
        &self.told
    }

    /// The next count, waited for; `None` if the process is gone.
    pub(crate) fn read(&self) -> Option<Used> {
        let mut buffer = [0; 16];
        let read = rustix::io::read(&self.told, &mut buffer[..]).ok()?;
        let (bytes, made) = buffer.get(..read)?.split_first_chunk::<8>()?;
        let made = made.first_chunk::<8>()?;
        Some(Used { bytes: u64::from_le_bytes(*bytes), made: u64::from_le_bytes(*made) })
    }

    /// Ends it.
    pub(crate) fn end(self) {
        let _ = kill_process(self.process, Signal::KILL);
        let _ = rustix::process::waitpid(Some(self.process), rustix::process::WaitOptions::empty());
    }
}

fn count_for_ever(init: Pid, roots: &[OwnedFd], tell: &OwnedFd, namespace: Option<&OwnedFd>) -> Result<(), Failure> {
    let step = "count disk use";
    set_parent_process_death_signal(Some(Signal::KILL)).step(step)?;
    let mut kept: Vec<_> = roots.iter().map(AsRawFd::as_raw_fd).collect();
    kept.push(tell.as_raw_fd());
    kept.extend(namespace.map(AsRawFd::as_raw_fd));
    sys::close_all_but(&kept).step(step)?;
    if let Some(namespace) = namespace {
        move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::User)).step(step)?;
        let read = CapabilitySet::DAC_READ_SEARCH;
        let sets = CapabilitySets { effective: read, permitted: read, inheritable: CapabilitySet::empty() };
        set_capabilities(None, sets).step(step)?;
        set_parent_process_death_signal(Some(Signal::KILL)).step(step)?;
    }
    // Nothing yet, but able to count: the start of the run waits for this word.
    say(tell, Used::default())?;
    let mut at_start = None;
    loop {
        let begin = Instant::now();
        let mut now = count(roots).step(step)?;
        now.bytes = now.bytes.saturating_add(deleted(init.as_raw_nonzero().get()));
        let at_start = *at_start.get_or_insert(now.made);
        say(tell, Used { made: now.made.saturating_sub(at_start), ..now })?;
        std::thread::sleep(INTERVAL.max(begin.elapsed() * SHARE));
    }
}

/// Bytes of files that have no name any more but are still open: they take space all the same.
fn deleted(init: i32) -> u64 {
    let mut files = HashMap::new();
    for process in below(init) {
        for open in fs::read_dir(format!("/proc/{process}/fd")).into_iter().flatten().flatten() {
            if let Ok(found) = fs::metadata(open.path())
                && found.is_file()
                && found.nlink() == 0
            {
                files.insert((found.dev(), found.ino()), found.blocks().saturating_mul(512));
            }
        }
    }
    files.values().sum()
}

fn say(tell: &OwnedFd, used: Used) -> Result<(), Failure> {
    let packet = [used.bytes.to_le_bytes(), used.made.to_le_bytes()].concat();
    rustix::io::write(tell, &packet).step("count disk use").map(drop)
}

/// One count over all folders; a file with several names is counted once.
fn count(roots: &[OwnedFd]) -> std::io::Result<Used> {
    let mut used = Used::default();
    let mut linked = HashSet::new();
    for root in roots {
        walk(root.try_clone()?, |_, _, stat| {
            used.made += 1;
            let folder = FileType::from_raw_mode(stat.st_mode) == FileType::Directory;
            if folder || stat.st_nlink == 1 || linked.insert((stat.st_dev, stat.st_ino)) {
                used.bytes = used.bytes.saturating_add(u64::try_from(stat.st_blocks).unwrap_or(0).saturating_mul(512));
            }
        })?;
    }
    Ok(used)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_counted_once_per_file() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a"), vec![1; 100_000]).unwrap();
        let root: OwnedFd = std::fs::File::open(folder.path()).unwrap().into();
        let before = count(std::slice::from_ref(&root)).unwrap();
        std::fs::hard_link(folder.path().join("a"), folder.path().join("b")).unwrap();
        let after = count(std::slice::from_ref(&root)).unwrap();
        assert_eq!((before.made, after.made), (1, 2));
        assert!(before.bytes >= 100_000 && after.bytes == before.bytes);
    }
}
