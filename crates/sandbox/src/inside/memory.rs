//! What all processes of a run hold in memory, read inside by process 1: the stand-in for a memory control group.
//! A quick sum of resident anonymous and shared memory decides that all is well; only when it is above the limit are
//! pages that processes share by copy-on-write counted once (spec sandbox.md 6).

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, Instant};

/// How often is looked (spec sandbox.md 6).
const INTERVAL: Duration = Duration::from_millis(100);
/// A look never takes more than this part of the time, however many processes there are.
const SHARE: u32 = 4;
/// Every how many looks memory that nobody maps is searched for too.
const EXACT_EVERY: u32 = 10;

/// Sums over all processes but process 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Held {
    pub(super) memory: u64,
    /// Processes and threads.
    pub(super) processes: u32,
    /// Processor time of living processes and of children they waited for, in ticks of the clock.
    pub(super) ticks: u64,
    /// The process that holds most, and how much; known when the sum is exact.
    largest: Option<(i32, u64)>,
}

/// What is to be done about what a look found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// To be told; above the limit it ends the run.
    Held(Held),
    /// Ending this process brings the run below its limit, as the kernel would within a control group.
    End(i32, Held),
    /// A process that was ended is still letting go.
    Waiting,
}

/// Looks at intervals.
pub(super) struct Watch {
    limit: u64,
    next: Instant,
    looks: u32,
    /// A process that was ended for its memory, and looks since.
    ending: Option<(i32, u32)>,
}

/// How many looks an ended process may take to let go.
const PATIENCE: u32 = 10;

impl Watch {
    pub(super) fn new(limit: u64) -> Self {
        Self { limit, next: Instant::now() + INTERVAL, looks: 0, ending: None }
    }

    /// Until the next look.
    pub(super) fn remaining(&self) -> Duration {
        self.next.saturating_duration_since(Instant::now())
    }

    /// Looks, if it is time. The run ends with `main`, so nothing else is ended instead of it.
    pub(super) fn look(&mut self, main: i32) -> Option<Found> {
        let held = self.held()?;
        if held.memory <= self.limit {
            self.ending = None;
            return Some(Found::Held(held));
        }
        if let Some((process, looks)) = self.ending {
            let lives = Resident::of(&process.to_string()).is_some_and(|resident| resident.anonymous > 0);
            self.ending = (lives && looks < PATIENCE).then_some((process, looks + 1));
            if self.ending.is_some() {
                return Some(Found::Waiting);
            }
            if lives {
                return Some(Found::Held(held));
            }
        }
        Some(match held.largest {
            Some((process, bytes)) if process != main && held.memory.saturating_sub(bytes) <= self.limit => {
                self.ending = Some((process, 0));
                Found::End(process, held)
            }
            _ => Found::Held(held),
        })
    }

    fn held(&mut self) -> Option<Held> {
        let begin = Instant::now();
        if begin < self.next {
            return None;
        }
        self.looks = self.looks.wrapping_add(1);
        let mut held = quick();
        if held.memory > self.limit || self.looks.is_multiple_of(EXACT_EVERY) {
            held = exact();
        }
        self.next = Instant::now() + INTERVAL.max(begin.elapsed() * SHARE);
        Some(held)
    }
}

/// The processes of this namespace but process 1.
fn processes() -> impl Iterator<Item = String> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| name != "1" && name.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Never less than what is held by mapped pages and /dev/shm; too much where processes share pages.
fn quick() -> Held {
    let mut held = Held { memory: shared_files(), ..Held::default() };
    // A process may end between being listed and being read.
    for resident in processes().filter_map(|pid| Resident::of(&pid)) {
        held.memory = held.memory.saturating_add(resident.anonymous).saturating_add(resident.shared);
        held.processes = held.processes.saturating_add(resident.threads);
        held.ticks = held.ticks.saturating_add(resident.ticks);
    }
    held
}

/// A page of n processes counts one nth in each. Shared memory is known from two sides, by who maps it and by the
/// files that hold it, which overlap; the larger of both is taken.
fn exact() -> Held {
    let (mut anonymous, mut mapped, mut threads, mut ticks) = (0_u64, 0_u64, 0_u32, 0_u64);
    let mut largest: Option<(i32, u64)> = None;
    let mut files = BTreeMap::new();
    for pid in processes() {
        let Some(resident) = Resident::of(&pid).map(|full| full.proportional(&pid)) else { continue };
        // Shared memory may outlive the process; only what is its own is given back for sure.
        if let Ok(process) = pid.parse()
            && largest.is_none_or(|(_, most)| resident.anonymous > most)
        {
            largest = Some((process, resident.anonymous));
        }
        anonymous = anonymous.saturating_add(resident.anonymous);
        mapped = mapped.saturating_add(resident.shared);
        threads = threads.saturating_add(resident.threads);
        ticks = ticks.saturating_add(resident.ticks);
        memory_files(&pid, &mut files);
    }
    let held = shared_files().saturating_add(files.values().sum());
    Held { memory: anonymous.saturating_add(mapped.max(held)), processes: threads, ticks, largest }
}

/// Files of /dev/shm and segments of System V, whether mapped or not.
fn shared_files() -> u64 {
    let shm = rustix::fs::statvfs("/dev/shm")
        .map_or(0, |found| found.f_blocks.saturating_sub(found.f_bfree).saturating_mul(found.f_frsize));
    let segments = fs::read_to_string("/proc/sysvipc/shm").unwrap_or_default();
    let resident = |line: &str| line.split_ascii_whitespace().nth(14).and_then(|word| word.parse::<u64>().ok());
    shm.saturating_add(segments.lines().skip(1).filter_map(resident).sum())
}

/// Memory files that a process holds open, which nobody needs to map: bytes allocated by inode.
fn memory_files(pid: &str, found: &mut BTreeMap<u64, u64>) {
    for entry in fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten() {
        let link = fs::read_link(entry.path());
        if link.is_ok_and(|to| to.as_os_str().as_encoded_bytes().starts_with(b"/memfd:"))
            && let Ok(file) = fs::metadata(entry.path())
        {
            found.insert(file.ino(), file.blocks().saturating_mul(512));
        }
    }
}

/// What one process holds, in bytes.
struct Resident {
    anonymous: u64,
    shared: u64,
    threads: u32,
    ticks: u64,
}

impl Resident {
    fn of(pid: &str) -> Option<Self> {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let bytes = |name| field(&status, name).unwrap_or(0).saturating_mul(1024);
        let threads = u32::try_from(field(&status, "Threads").unwrap_or(1)).unwrap_or(u32::MAX);
        Some(Self { anonymous: bytes("RssAnon"), shared: bytes("RssShmem"), threads, ticks: ticks(pid) })
    }

    /// A process that hides its maps is counted in full.
    fn proportional(self, pid: &str) -> Self {
        let Ok(rollup) = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")) else { return self };
        let bytes = |name| field(&rollup, name).map(|kib| kib.saturating_mul(1024));
        match (bytes("Pss_Anon"), bytes("Pss_Shmem")) {
            (Some(anonymous), Some(shared)) => Self { anonymous, shared, ..self },
            _ => self,
        }
    }
}

/// Fields 14 to 17 of the process's `stat`, counted behind the name, which may hold anything.
fn ticks(pid: &str) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    after_name.split_ascii_whitespace().skip(11).take(4).filter_map(|word| word.parse::<u64>().ok()).sum()
}

fn field(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    line.split_ascii_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_whole_words() {
        let text = "VmRSS:\t  5000 kB\nRssAnon:\t     396 kB\nRssShmem:\t 4 kB\nThreads:\t3\n";
        assert_eq!(field(text, "RssAnon"), Some(396));
        assert_eq!(field(text, "Rss"), None);
        assert_eq!(field(text, "Threads"), Some(3));
    }

    #[test]
    fn this_process_holds_memory() {
        let pid = std::process::id().to_string();
        let full = Resident::of(&pid).unwrap();
        assert!(full.anonymous > 0 && full.threads > 0);
        assert!(Resident::of(&pid).unwrap().proportional(&pid).anonymous > 0);
    }
}
