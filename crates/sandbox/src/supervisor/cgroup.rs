//! Control groups, version 1 (hybrid), of one run: made below our own group, so that its limits hold too.
//! They outlive the run, so that what the kernel counted can still be read (spec sandbox.md 6).

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::Pid;

use crate::Limits;
use crate::failure::{Failure, Step};
use crate::inside::Enforced;

/// The groups of one run, one per controller that could be written.
#[derive(Debug, Default)]
pub(crate) struct Groups {
    memory: Option<PathBuf>,
    pids: Option<PathBuf>,
    cpu: Option<PathBuf>,
    accounting: Option<PathBuf>,
}

/// What the kernel counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Counted {
    /// Processes that the kernel killed for memory.
    pub(crate) memory_kills: Option<u32>,
    pub(crate) peak_memory: Option<u64>,
    pub(crate) peak_processes: Option<u32>,
    pub(crate) cpu_nanoseconds: Option<u64>,
}

/// Period of the cpu quota, microseconds.
const PERIOD: u64 = 100_000;

/// Where this process's own group of a version 1 controller is.
fn own_group(controller: &str, groups: &str, mounts: &str) -> Option<PathBuf> {
    let own = groups.lines().find_map(|line| {
        let (controllers, path) = line.split_once(':')?.1.split_once(':')?;
        controllers.split(',').any(|name| name == controller).then_some(path)
    })?;
    mounts.lines().find_map(|line| {
        let (mount, system) = line.split_once(" - ")?;
        let mut words = system.split(' ');
        let (kind, options) = (words.next()?, words.nth(1)?);
        if kind != "cgroup" || !options.split(',').any(|name| name == controller) {
            return None;
        }
        let mut words = mount.split(' ').skip(3);
        let (root, point) = (words.next()?, words.next()?);
        // Within a container the mount may show only a part of the tree.
        let below = Path::new(own).strip_prefix(root).unwrap_or(Path::new(""));
        Some(Path::new(point).join(below))
    })
}

fn here(controller: &str) -> Option<PathBuf> {
    let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
    let mounts = fs::read_to_string("/proc/self/mountinfo").ok()?;
    own_group(controller, &groups, &mounts)
}

fn make(controller: &str, name: &str, settings: &[(&str, String)]) -> io::Result<PathBuf> {
    let parent =
        here(controller).ok_or_else(|| io::Error::other(format!("no version 1 {controller} controller is mounted")))?;
    let group = parent.join(name);
    match fs::create_dir(&group) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    for (file, value) in settings {
        if let Err(error) = fs::write(group.join(file), value) {
            // No accounting of swap: the limit of memory alone stands.
            if file.contains("memsw") && error.kind() == io::ErrorKind::NotFound {
                continue;
            }
            let _ = fs::remove_dir(&group);
            return Err(error);
        }
    }
    Ok(group)
}

impl Groups {
    /// Makes those that can be made. A group name holds letters, digits and dashes only.
    pub(crate) fn make(name: &str, limits: &Limits) -> Self {
        let memory = limits.memory.to_string();
        // Process 1 is ours and not counted against the run.
        let processes = limits.processes.saturating_add(1).to_string();
        let quota = u64::from(limits.cpus.max(1)).saturating_mul(PERIOD).to_string();
        let memory = [("memory.limit_in_bytes", memory.clone()), ("memory.memsw.limit_in_bytes", memory)];
        Self {
            memory: make("memory", name, &memory).ok(),
            pids: make("pids", name, &[("pids.max", processes)]).ok(),
            cpu: make("cpu", name, &[("cpu.cfs_period_us", PERIOD.to_string()), ("cpu.cfs_quota_us", quota)]).ok(),
            accounting: make("cpuacct", name, &[]).ok(),
        }
    }

    /// Which limits they hold.
    pub(crate) fn enforced(&self) -> Enforced {
        Enforced { memory: self.memory.is_some(), processes: self.pids.is_some(), cpus: self.cpu.is_some() }
    }

    fn all(&self) -> Vec<&PathBuf> {
        let mut all: Vec<_> = [&self.memory, &self.pids, &self.cpu, &self.accounting].into_iter().flatten().collect();
        // Controllers mounted together have one group.
        all.dedup();
        all
    }

    /// Where they are, to be removed by somebody else if need be.
    pub(crate) fn paths(&self) -> Vec<PathBuf> {
        self.all().into_iter().cloned().collect()
    }

    /// Puts a process, which has no children yet, into all.
    pub(crate) fn join(&self, process: Pid) -> Result<(), Failure> {
        for group in self.all() {
            fs::write(group.join("cgroup.procs"), process.as_raw_nonzero().to_string())
                .step_with(|| format!("join the control group {}", group.display()))?;
        }
        Ok(())
    }

    /// Anonymous and shared memory now; not the file cache, which the kernel takes back at need.
    pub(crate) fn memory_now(&self) -> Option<u64> {
        let stat = fs::read_to_string(self.memory.as_ref()?.join("memory.stat")).ok()?;
        let field = |name: &str| {
            let line = stat.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
            line.and_then(|value| value.parse::<u64>().ok())
        };
        Some(field("total_rss")?.saturating_add(field("total_shmem").unwrap_or(0)))
    }

    /// Processor time so far.
    pub(crate) fn cpu_now(&self) -> Option<u64> {
        number(self.accounting.as_ref()?, "cpuacct.usage")
    }

    /// What was counted until now.
    pub(crate) fn counted(&self) -> Counted {
        let kills = || {
            let text = fs::read_to_string(self.memory.as_ref()?.join("memory.oom_control")).ok()?;
            text.lines().find_map(|line| line.strip_prefix("oom_kill ")?.trim().parse().ok())
        };
        let peak = self.pids.as_ref().and_then(|group| number(group, "pids.peak"));
        Counted {
            memory_kills: kills(),
            peak_memory: self.memory.as_ref().and_then(|group| number(group, "memory.max_usage_in_bytes")),
            peak_processes: peak.map(|peak| u32::try_from(peak.saturating_sub(1)).unwrap_or(u32::MAX)),
            cpu_nanoseconds: self.cpu_now(),
        }
    }

    /// Removes all.
    pub(crate) fn remove(&self) -> Result<(), Failure> {
        self.all().into_iter().try_for_each(|group| remove(group))
    }
}

fn number(group: &Path, file: &str) -> Option<u64> {
    fs::read_to_string(group.join(file)).ok()?.trim().parse().ok()
}

/// Removes one group, waiting shortly for the kernel to let go of processes that have ended.
pub(crate) fn remove(group: &Path) -> Result<(), Failure> {
    let mut tries = 0;
    loop {
        match fs::remove_dir(group) {
            Ok(()) => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::ResourceBusy && tries < 200 => {
                tries += 1;
                std::thread::sleep(Duration::from_millis(5));
            }
            Err(error) => return Err(Failure::new(format!("remove the control group {}", group.display()), error)),
        }
    }
}

/// A real attempt to make each kind of group.
pub(crate) fn support() -> [(&'static str, Result<(), String>); 3] {
    let name = format!("cloister-probe-{}", std::process::id());
    [("memory", "memory by cgroup"), ("pids", "processes by cgroup"), ("cpu", "cores by cgroup")].map(
        |(controller, shown)| {
            let made = make(controller, &name, &[]).map_err(|error| error.to_string());
            (shown, made.and_then(|group| remove(&group).map_err(|failure| failure.to_string())))
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &str = "32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n\
        35 31 0:32 /docker/x /sys/fs/cgroup/memory rw shared:3 - cgroup cgroup rw,memory\n\
        41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";

    #[test]
    fn own_groups_are_found_below_what_is_mounted() {
        let groups = "4:memory:/docker/x/inner\n1:cpu,cpuacct:/a\n0::/\n";
        assert_eq!(own_group("cpu", groups, MOUNTS), Some("/sys/fs/cgroup/cpu/a".into()));
        assert_eq!(own_group("memory", groups, MOUNTS), Some("/sys/fs/cgroup/memory/inner".into()));
        assert_eq!(own_group("pids", groups, MOUNTS), None);
    }
}
