//! Counting what a run has written, each second, in a process of its own so that the log never waits for it.
//! For an ordinary user it enters the run's user namespace with the one capability to read folders of any mode.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io::ErrorKind;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::fs::{FileType, Mode, OFlags, open};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{Pid, Signal, kill_process, set_parent_process_death_signal};
use rustix::thread::{CapabilitySet, CapabilitySets, LinkNameSpaceType, move_into_link_name_space, set_capabilities};

use super::processes::below;
use super::report::started;
use super::walk::walk;
use crate::failure::{Failure, Step};
use crate::inside::exit_now;
use crate::sys;

/// Between two counts (spec sandbox.md 6); longer for trees that take long to walk.
const INTERVAL: Duration = Duration::from_secs(1);
const SHARE: u32 = 4;
/// What a run leaves free of the file system it writes to, whatever else is counted: a file without a name can be held
/// where an ordinary user may not look.
const RESERVE: u64 = 2 << 30;

/// What the run's folders hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Used {
    pub(crate) bytes: u64,
    /// Files, folders and links made since the start.
    pub(crate) made: u64,
    /// Bytes of memory files that are open, mapped or not.
    pub(crate) memory: u64,
}

/// The counting process.
pub(crate) struct Accounts {
    process: Pid,
    told: OwnedFd,
}

impl Accounts {
    /// Starts it over `folders` and what the processes below `init` hold open, in `namespace` if given; `limit` is that
    /// of their bytes.
    pub(crate) fn start(
        init: Pid,
        folders: &[&Path],
        namespace: Option<&OwnedFd>,
        limit: u64,
    ) -> Result<Self, Failure> {
        let step = "start counting disk use";
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let roots: Vec<OwnedFd> =
            folders.iter().map(|folder| open(*folder, flags, Mode::empty())).collect::<Result<_, _>>().step(step)?;
        let (told, tell) = pipe_with(PipeFlags::CLOEXEC).step(step)?;
        match sys::fork(0).step(step)? {
            sys::Fork::Parent(process) => Ok(Self { process, told }),
            sys::Fork::Child => {
                drop(told);
                let _ = count_for_ever(init, &roots, &tell, namespace, limit);
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
        let mut buffer = [0; 24];
        let read = rustix::io::read(&self.told, &mut buffer[..]).ok()?;
        let (words, _) = buffer.get(..read)?.as_chunks::<8>();
        let [bytes, made, memory] = words else { return None };
        let [bytes, made, memory] = [bytes, made, memory].map(|word| u64::from_le_bytes(*word));
        Some(Used { bytes, made, memory })
    }

    /// Ends it.
    pub(crate) fn end(self) {
        let _ = kill_process(self.process, Signal::KILL);
        let _ = rustix::process::waitpid(Some(self.process), rustix::process::WaitOptions::empty());
    }
}

fn count_for_ever(
    init: Pid,
    roots: &[OwnedFd],
    tell: &OwnedFd,
    namespace: Option<&OwnedFd>,
    limit: u64,
) -> Result<(), Failure> {
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
    let mut hiding = HashSet::new();
    let floor = free(roots).map_or(0, |free| free.saturating_sub(limit).min(RESERVE));
    loop {
        let begin = Instant::now();
        let mut now = count(roots).step(step)?;
        let nameless = Nameless::of(init.as_raw_nonzero().get());
        now.bytes = now.bytes.saturating_add(nameless.files);
        now.memory = nameless.memory;
        // Twice: a process may be looked at while it becomes another program.
        let hides = nameless.hiding.iter().any(|process| hiding.contains(process));
        hiding = nameless.hiding;
        if hides || free(roots).is_some_and(|free| free < floor) {
            now.bytes = u64::MAX;
        }
        let at_start = *at_start.get_or_insert(now.made);
        say(tell, Used { made: now.made.saturating_sub(at_start), ..now })?;
        std::thread::sleep(INTERVAL.max(begin.elapsed() * SHARE));
    }
}

/// Bytes free for others on the file system of the first folder.
fn free(roots: &[OwnedFd]) -> Option<u64> {
    let found = rustix::fs::fstatvfs(roots.first()?).ok()?;
    Some(found.f_bavail.saturating_mul(found.f_frsize))
}

/// Files that have no name any more but are still open or mapped: they take space all the same.
#[derive(Default)]
struct Nameless {
    files: u64,
    memory: u64,
    /// Processes that let nobody look: programs that their own user may not read. The filter refuses the other way.
    hiding: HashSet<(i32, u64)>,
}

impl Nameless {
    fn of(init: i32) -> Self {
        let mut found = HashMap::new();
        let mut all = Self::default();
        for process in below(init) {
            match fs::read_dir(format!("/proc/{process}/fd")) {
                Ok(descriptors) => descriptors.flatten().for_each(|open| note(&open.path(), &mut found)),
                Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                    all.hiding.insert((process, started(process).unwrap_or(0)));
                }
                Err(_) => {}
            }
            // Only root is let behind the mappings of others.
            let maps = fs::read_to_string(format!("/proc/{process}/maps")).unwrap_or_default();
            for line in maps.lines().filter(|line| line.ends_with(" (deleted)")) {
                let range = line.split(' ').next().unwrap_or_default();
                note(Path::new(&format!("/proc/{process}/map_files/{range}")), &mut found);
            }
        }
        for (bytes, memory) in found.into_values() {
            let sum = if memory { &mut all.memory } else { &mut all.files };
            *sum = sum.saturating_add(bytes);
        }
        all
    }
}

/// Notes what a link of /proc leads to by its identity, if it is a file without a name.
fn note(link: &Path, found: &mut HashMap<(u64, u64), (u64, bool)>) {
    if let Ok(file) = fs::metadata(link)
        && file.is_file()
        && file.nlink() == 0
    {
        let memory = fs::read_link(link).is_ok_and(|to| to.as_os_str().as_encoded_bytes().starts_with(b"/memfd:"));
        found.insert((file.dev(), file.ino()), (file.blocks().saturating_mul(512), memory));
    }
}

fn say(tell: &OwnedFd, used: Used) -> Result<(), Failure> {
    let packet = [used.bytes, used.made, used.memory].map(u64::to_le_bytes).concat();
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
