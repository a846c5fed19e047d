//! The options of `run`, from the command line, else from the settings, as the engine wants them.
//! Spec cli.md 4.1, 11; jobs.md 23 (the laptop's column).

use std::path::Path;
use std::time::Duration;

use jobs::engine::{AfterFailure, Rules, RunSettings};
use jobs::schedule::{Capacity, Pace, Weight};
use pipeline::report::visible;
use sandbox::{IsolationLevel, Limits};

use crate::args::{Isolation, Run};
use crate::settings::{self, Settings};

/// A value that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("error: --{option} {}: {why}", visible(value))]
pub(crate) struct Unusable {
    option: &'static str,
    value: String,
    why: &'static str,
}

/// How `run` runs.
#[derive(Debug)]
pub(crate) struct RunOptions {
    pub(crate) concurrency: usize,
    pub(crate) rules: Rules,
    pub(crate) isolation: Isolation,
    pub(crate) settings: RunSettings,
}

const DISK: u64 = 200 << 30;
/// Left free for the rest of the machine.
const DISK_LOW: u64 = 2 << 30;
const LEAST_MEMORY: u64 = 64 << 20;

pub(crate) fn of(args: &Run, settings: &Settings, project: &Path) -> Result<RunOptions, Unusable> {
    let memory = text(args.memory.as_ref(), settings, "run.memory");
    let bad = |option, value: &str, why| Unusable { option, value: value.to_owned(), why };
    let bytes = settings::size(&memory).ok_or_else(|| bad("memory", &memory, "write a size such as 4G or 512M"))?;
    if bytes < LEAST_MEMORY {
        return Err(bad("memory", &memory, "a job needs at least 64M"));
    }
    let given = args.cpus.map(|cpus| cpus.to_string());
    let cpus = text(given.as_ref(), settings, "run.cpus");
    let cpus = match cpus.parse::<u32>() {
        Ok(number @ 1..) => number,
        _ => return Err(bad("cpus", &cpus, "write a whole number from 1")),
    };
    let wanted = text(args.concurrency.as_ref(), settings, "run.concurrency");
    let machine = std::thread::available_parallelism().map_or(1, usize::from);
    let concurrency = match wanted.parse::<usize>() {
        Ok(number @ 1..) => number,
        _ if wanted == "auto" => (machine / cpus as usize).max(1),
        _ => return Err(bad("concurrency", &wanted, "write a whole number from 1, or auto")),
    };
    let timeout = text(args.timeout.as_ref(), settings, "run.timeout");
    let time = match timeout.as_str() {
        "" => None,
        given => Some(
            settings::duration(given).ok_or_else(|| bad("timeout", given, "write a time such as 90s, 20m or 6h"))?,
        ),
    };
    let isolation = args.isolation.unwrap_or(Isolation::Auto);
    let least = if isolation == Isolation::None { IsolationLevel::None } else { IsolationLevel::Full };
    let limits = Limits {
        memory: bytes,
        cpus,
        processes: 4096,
        disk: DISK.min(free_space(project).saturating_sub(DISK_LOW)),
        files: 1_000_000,
        time,
        log: 1 << 30,
    };
    let settings = RunSettings {
        sample_every: Duration::from_millis(500),
        ..RunSettings::laptop(limits, Duration::from_secs(3), least)
    };
    let after_failure = if args.continue_on_error { AfterFailure::GoOn } else { AfterFailure::Stop };
    let jobs = Weight::workers(u32::try_from(concurrency).unwrap_or(u32::MAX));
    // What reads the database reads dummy data here: `-c` counts jobs of either kind.
    let capacity = Capacity { db: jobs, other: jobs, together: Some(jobs) };
    let rules = Rules { capacity, pace: Pace::default(), after_failure };
    Ok(RunOptions { concurrency, rules, isolation, settings })
}

fn text(option: Option<&String>, settings: &Settings, name: &str) -> String {
    option.cloned().unwrap_or_else(|| settings.one(name).unwrap_or_default().to_owned())
}

fn free_space(folder: &Path) -> u64 {
    rustix::fs::statvfs(folder).map_or(u64::MAX, |about| about.f_bavail.saturating_mul(about.f_frsize))
}
