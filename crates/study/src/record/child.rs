//! The fence inside a job: the sandbox stands already, and the recorder is one more process in it, restricted further.
//! Its limits are set by the recorder's own Python before the study is imported; time and process group by us.

use std::io::{self, Read};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

use super::fence::{Ended, Fence, FenceError, How, Limits, Python, Run};
use super::walls::Walls;

/// Where a job finds its workspace. A study may use the absolute path: it may read there what it may read in its copy.
const WORKSPACE: &str = "/workspace";
/// How long what is left of a killed group may take to let go of the pipe.
const PATIENCE: Duration = Duration::from_secs(2);

/// A child process with its own group, environment, Landlock domain and limits. Only inside a job's sandbox: by itself it
/// is no wall against an attack on the kernel or for memory of many processes.
#[derive(Debug, Clone)]
pub struct ChildFence {
    /// Runs the recorder.
    pub python: Python,
    /// What it may use.
    pub limits: Limits,
}

impl ChildFence {
    /// With the limits of the spec.
    #[must_use]
    pub fn new(python: Python) -> Self {
        Self { python, limits: Limits::default() }
    }
}

impl Fence for ChildFence {
    fn run(&self, run: &Run<'_>) -> Result<Ended, FenceError> {
        let io = |what| move |source| FenceError::Io { what, source };
        let (read, write) = io::pipe().map_err(io("making a pipe for what the study prints"))?;
        let second = write.try_clone().map_err(io("making a pipe for what the study prints"))?;
        let home = run.folder.join("tmp");
        let mut command = Command::new(&self.python.executable);
        command
            .args(run.words(&self.limits))
            .env_clear()
            .envs(run.environment(&self.python, &home.to_string_lossy()))
            .current_dir(run.folder.join("workspace"))
            .stdin(Stdio::null())
            .stdout(write)
            .stderr(second)
            .process_group(0);
        let child = self.start(command, self.walls(run))?;
        let printed = collect(read, self.limits.printed);
        let how = self.wait(child)?;
        let printed = printed.recv_timeout(PATIENCE).unwrap_or_default();
        Ok(Ended { how, printed })
    }
}

impl ChildFence {
    fn walls(&self, run: &Run<'_>) -> Walls {
        let real = self.python.executable.canonicalize();
        let mut read = self.python.prefixes.clone();
        if run.root == Path::new(WORKSPACE) {
            read.push(WORKSPACE.into());
        }
        Walls {
            read,
            execute: std::iter::once(self.python.executable.clone()).chain(real).collect(),
            write: vec![run.folder.join("workspace"), run.folder.join("tmp")],
        }
    }

    /// Starts the child from a thread of its own, so that the restriction is the child's and not ours.
    fn start(&self, mut command: Command, walls: Walls) -> Result<Child, FenceError> {
        let path = self.python.executable.clone();
        let starter = std::thread::spawn(move || {
            walls.close().map_err(|error| FenceError::Walls(error.to_string()))?;
            // Dropped with its ends of the pipe when this thread ends.
            command.spawn().map_err(|source| FenceError::NoPython { path, source })
        });
        starter.join().unwrap_or_else(|_| Err(FenceError::Walls("its thread ended".to_owned())))
    }

    /// Waits for the child, or for the end of its time; nothing of its group is left afterwards.
    fn wait(&self, mut child: Child) -> Result<How, FenceError> {
        let Some(pid) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) else {
            return Err(FenceError::Walls("the child has no number".to_owned()));
        };
        let (done, ended) = mpsc::channel();
        let waiter = std::thread::spawn(move || {
            // Leaves it to be reaped below: until then nobody else gets its number.
            let _ = waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT);
            let _ = done.send(());
        });
        let out_of_time = ended.recv_timeout(self.limits.time).is_err();
        let _ = kill_process_group(pid, Signal::KILL);
        let _ = waiter.join();
        let status = child.wait().map_err(|source| FenceError::Io { what: "waiting for the recorder", source })?;
        Ok(match (out_of_time, status.code(), status.signal()) {
            (true, ..) => How::OutOfTime,
            (_, Some(code), _) => How::Exited(code),
            (_, _, Some(signal)) if signal == Signal::XCPU.as_raw() => How::OutOfCpu,
            (_, _, signal) => How::Signal(signal.unwrap_or_default()),
        })
    }
}

/// Reads all that is printed, so that nothing waits on a full pipe, and keeps its first and last half of `most` bytes.
fn collect(mut from: impl Read + Send + 'static, most: usize) -> mpsc::Receiver<Vec<u8>> {
    let (done, printed) = mpsc::channel();
    std::thread::spawn(move || {
        let half = most / 2;
        let mut first = Vec::new();
        let mut last: std::collections::VecDeque<u8> = std::collections::VecDeque::new();
        let mut left_out = false;
        let mut buffer = [0; 16 * 1024];
        while let Ok(read @ 1..) = from.read(&mut buffer) {
            let bytes = &buffer[..read];
            let (head, tail) = bytes.split_at(bytes.len().min(half - first.len().min(half)));
            first.extend_from_slice(head);
            last.extend(tail);
            let too_many = last.len().saturating_sub(half);
            left_out |= too_many > 0;
            last.drain(..too_many);
        }
        if left_out {
            first.extend_from_slice(b"\n[what was printed here is left out]\n");
        }
        first.extend(last);
        let _ = done.send(first);
    });
    printed
}
