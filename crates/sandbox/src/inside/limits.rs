//! Limits that a process carries itself, and the stand-ins for control groups that an ordinary user cannot write.
//! Spec sandbox.md 6.

use std::fs;

use rustix::process::{Pid, Resource, Rlimit, getrlimit, setrlimit};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use serde::{Deserialize, Serialize};

use crate::Limits;
use crate::failure::{Failure, Step};

/// Which limits the run's control groups hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Enforced {
    pub(crate) memory: bool,
    pub(crate) processes: bool,
    pub(crate) cpus: bool,
}

const OPEN_FILES: u64 = 65_536;
/// Too small for any core file, and the one value at which the kernel also keeps a crash from a program that the host
/// pipes crashes to: 0 would not (core(5)). The filter keeps a run from changing it.
const CORE: u64 = 1;
const STACK: u64 = 8 << 20;
/// Data size of one process, as a multiple of the memory limit: stacks of threads are counted at full size.
const DATA_FACTOR: u64 = 16;
/// The kernel ends a run before anything else of the host when memory runs out.
const OUT_OF_MEMORY_SCORE: i32 = 800;
/// Courtesy of a run whose cores cannot be limited by quota.
const NICENESS: i32 = 10;

/// Sets soft and hard limit to `value`, or to what the hard limit allows.
fn cap(resource: Resource, value: u64) -> rustix::io::Result<()> {
    let value = getrlimit(resource).maximum.map_or(value, |hard| hard.min(value));
    setrlimit(resource, Rlimit { current: Some(value), maximum: Some(value) })
}

/// Applies all to this process, to be inherited by the program. `ours`: processes of ours that count as the run's.
pub(super) fn apply(limits: &Limits, enforced: Enforced, ours: u64) -> Result<(), Failure> {
    cap(Resource::Core, CORE).step("core dump limit")?;
    cap(Resource::Nofile, OPEN_FILES).step("open file limit")?;
    cap(Resource::Fsize, limits.disk).step("file size limit")?;
    let hard = getrlimit(Resource::Stack).maximum;
    let soft = Some(hard.map_or(STACK, |hard| hard.min(STACK)));
    setrlimit(Resource::Stack, Rlimit { current: soft, maximum: hard }).step("stack limit")?;
    if !enforced.memory {
        cap(Resource::Data, limits.memory.saturating_mul(DATA_FACTOR)).step("data limit")?;
    }
    if !enforced.processes {
        // Counted per user namespace since Linux 5.14.
        cap(Resource::Nproc, u64::from(limits.processes).saturating_add(ours)).step("process limit")?;
    }
    if !enforced.cpus {
        share_cores(limits.cpus)?;
    }
    prefer_for_out_of_memory();
    Ok(())
}

/// Keeps to the first cores from an arbitrary start, so that several runs spread.
fn share_cores(cores: u32) -> Result<(), Failure> {
    let allowed = sched_getaffinity(None).step("read core affinity")?;
    let numbers: Vec<usize> = (0..CpuSet::MAX_CPU).filter(|core| allowed.is_set(*core)).collect();
    let wanted = usize::try_from(cores.max(1)).unwrap_or(usize::MAX);
    if wanted < numbers.len() {
        let start = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .map_or(0, |time| usize::try_from(time.subsec_micros()).unwrap_or(0));
        let mut chosen = CpuSet::new();
        for core in numbers.iter().cycle().skip(start % numbers.len()).take(wanted) {
            chosen.set(*core);
        }
        sched_setaffinity(None, &chosen).step("core affinity")?;
    }
    let niceness = rustix::process::getpriority_process(None).unwrap_or(0);
    rustix::process::setpriority_process(None::<Pid>, niceness.max(NICENESS)).step("niceness")
}

/// Raising one's own score needs no privilege; a caller's higher score is kept.
fn prefer_for_out_of_memory() {
    let file = "/proc/self/oom_score_adj";
    let now: i32 = fs::read_to_string(file).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0);
    if now < OUT_OF_MEMORY_SCORE {
        // Protection of others, not a wall: a kernel without it still has every limit.
        let _ = fs::write(file, OUT_OF_MEMORY_SCORE.to_string());
    }
}
