//! The fence by hand, outside any job: the native sandbox, with the copy as `/workspace`.
//! Spec sandbox.md 2 (class recorder), 5, 7.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use rustix::process::Signal;
use sandbox::{IsolationLevel, Limit, LimitHit, OutOfMemory, Root, RunName, Runtime, Spec};

use super::fence::{Ended, Fence, FenceError, How, Limits, Python, Run};

/// Runs the recorder in a sandbox of its own.
#[derive(Clone)]
pub struct SandboxFence {
    /// Runs the recorder.
    pub python: Python,
    /// What it may use.
    pub limits: Limits,
    /// Starts sandboxes: [`sandbox::Native`].
    pub runtime: Arc<dyn Runtime>,
    /// The least isolation that is acceptable.
    pub isolation: IsolationLevel,
}

impl SandboxFence {
    /// With the limits of the spec, and at least everything but Landlock.
    #[must_use]
    pub fn new(python: Python, runtime: Arc<dyn Runtime>) -> Self {
        Self { python, limits: Limits::default(), runtime, isolation: IsolationLevel::FullWithoutLandlock }
    }

    fn spec(&self, run: &Run<'_>) -> Spec {
        let name = run.folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let program = self.python.executable.to_string_lossy().into_owned();
        Spec {
            name: RunName(name),
            root: Root::Host { prefixes: self.python.prefixes.clone(), overlays: Vec::new() },
            argv: std::iter::once(program).chain(run.words(&self.limits)).collect(),
            env: run.environment(&self.python, "/tmp"),
            folder: run.folder.to_owned(),
            limits: sandbox::Limits {
                memory: self.limits.memory,
                cpus: 2,
                processes: 256,
                disk: 16 << 30,
                files: 1_000_000,
                time: Some(self.limits.time),
                log: self.limits.printed as u64,
            },
            grace: Duration::from_millis(200),
            isolation: self.isolation,
            die_with_parent: true,
        }
    }
}

impl Fence for SandboxFence {
    fn run(&self, run: &Run<'_>) -> Result<Ended, FenceError> {
        let spec = self.spec(run);
        self.runtime.start(&spec)?;
        let exit = self.runtime.wait(&spec)?;
        let log = fs::read(run.folder.join("log")).unwrap_or_default();
        let how = match (exit.ended_by, exit.out_of_memory, exit.signal) {
            (LimitHit::Limit(Limit::Time), ..) => How::OutOfTime,
            (LimitHit::Limit(Limit::Disk), ..) => How::OutOfDisk,
            (_, OutOfMemory::Yes, _) => How::OutOfMemory,
            (_, _, Some(signal)) if signal == Signal::XCPU.as_raw() => How::OutOfCpu,
            (_, _, Some(signal)) => How::Signal(signal),
            _ => How::Exited(exit.code),
        };
        Ok(Ended { how, printed: without_times(&log) })
    }
}

/// The lines of a run's log without the time at the front of each.
fn without_times(log: &[u8]) -> Vec<u8> {
    let lines = log.split_inclusive(|byte| *byte == b'\n');
    lines.flat_map(|line| line.splitn(2, |byte| *byte == b' ').nth(1).unwrap_or_default()).copied().collect()
}
