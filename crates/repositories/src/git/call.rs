//! One call of git: its output bounded, its time limited, its whole process group ended with it.
//! Spec jobs.md 8: each outside call has a time limit, and the message says which limit ended it.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal};

use super::{Access, Git};
use crate::Error;

/// Bytes of each stream that are kept; the beginning of answers, the end of messages.
const KEPT: usize = 4 << 20;
const KEPT_OF_MESSAGES: usize = 64 * 1024;
/// Address space of git and its helpers, in KiB: resolving deltas of a hostile pack must not fill the machine.
const MEMORY_KIB: u64 = 6 << 20;
/// Sets the limits of a process and becomes the program. `ulimit -f` counts 512 bytes. A lower limit that is there already
/// stays.
const LIMITED: &str =
    r#"ulimit -f "$1" 2>/dev/null; ulimit -v "$2" 2>/dev/null; ulimit -c 0 2>/dev/null; shift 2; exec "$@""#;

/// How much later than we the system's `timeout` ends a call: it is there for the time after we were killed.
const WITHOUT_US: Duration = Duration::from_secs(2);
/// Longer than anybody waits, and short enough to be added to.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 3600);

/// A call that is about to be made.
pub(crate) struct Call<'a> {
    pub(crate) git: &'a Git,
    pub(crate) repository: &'a Path,
    pub(crate) access: Access<'a>,
    pub(crate) limit: Duration,
    /// Bytes of the largest file that git may write.
    pub(crate) max_file: u64,
    /// Held open by git as its standard input, so that the lock lives as long as the last process that may write.
    pub(crate) lock: Option<&'a File>,
}

/// How a call ended.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
    pub(crate) timed_out: bool,
}

impl Done {
    pub(crate) fn ok(&self) -> bool {
        self.status.success() && !self.timed_out
    }

    /// Ended by the signal for a file that grew too large, or a helper was.
    pub(crate) fn wrote_too_much(&self) -> bool {
        self.status.signal() == Some(Signal::XFSZ.as_raw())
            || contains(&self.stderr, b"signal 25")
            || contains(&self.stderr, b"File too large")
    }
}

pub(crate) fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

impl Call<'_> {
    pub(crate) fn run<S: AsRef<OsStr>>(&self, words: impl IntoIterator<Item = S>) -> Result<Done, Error> {
        self.try_run(words).map_err(Error::machine("git could not be run"))
    }

    fn try_run<S: AsRef<OsStr>>(&self, words: impl IntoIterator<Item = S>) -> io::Result<Done> {
        let mut command = self.git.limited(self.repository, &self.access, self.max_file, Some(self.limit));
        command.args(words);
        let input = match self.lock {
            Some(lock) => Stdio::from(lock.try_clone()?),
            None => Stdio::null(),
        };
        command.stdin(input).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        let mut child = command.spawn()?;
        let (out, err) = (child.stdout.take(), child.stderr.take());
        thread::scope(|scope| {
            let out = scope.spawn(|| out.map(beginning).unwrap_or_default());
            let err = scope.spawn(|| err.map(end).unwrap_or_default());
            let ended = wait(&child, self.limit);
            // Helpers that outlive git hold the pipes; after a proper end there are none.
            if !matches!(ended, Ok(true)) {
                kill_group(&child);
            }
            let status = child.wait();
            let (stdout, stderr) = (out.join().unwrap_or_default(), err.join().unwrap_or_default());
            Ok(Done { status: status?, stdout, stderr, timed_out: !ended? })
        })
    }
}

impl Git {
    /// As [`command`](Self::command), with limits of memory, of the size of files, and of the time for which it may outlive
    /// this process.
    pub(crate) fn limited(
        &self,
        repository: &Path,
        access: &Access<'_>,
        max_file: u64,
        limit: Option<Duration>,
    ) -> Command {
        let mut command = Command::new("/bin/sh");
        // Beyond this the kernel would take it for a negative number.
        let blocks = max_file.min(1 << 50) / 512;
        command.args(["-c", LIMITED, "sh", &blocks.to_string(), &MEMORY_KIB.to_string()]);
        if let Some(limit) = limit {
            let seconds = (limit.min(LONGEST) + WITHOUT_US).as_secs().to_string();
            command.args(["timeout", "-s", "KILL", &seconds]);
        }
        command.arg(self.program());
        self.dress(&mut command, repository, access);
        command
    }
}

/// Whether the child ended within the time.
fn wait(child: &Child, limit: Duration) -> io::Result<bool> {
    let pidfd = rustix::process::pidfd_open(Pid::from_child(child), PidfdFlags::empty())?;
    let until = Instant::now() + limit.min(LONGEST);
    loop {
        let left = until.saturating_duration_since(Instant::now());
        let timeout =
            Timespec { tv_sec: left.as_secs().try_into().unwrap_or(i64::MAX), tv_nsec: left.subsec_nanos().into() };
        match rustix::event::poll(&mut [PollFd::new(&pidfd, PollFlags::IN)], Some(&timeout)) {
            Ok(0) => return Ok(false),
            Ok(_) => return Ok(true),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

fn kill_group(child: &Child) {
    // The child is not reaped yet, so its id names no other group.
    let _ = rustix::process::kill_process_group(Pid::from_child(child), Signal::KILL);
}

/// The first bytes; the rest is read and dropped.
fn beginning(mut from: impl Read) -> Vec<u8> {
    let mut kept = Vec::new();
    // What was read before an error is all there is.
    let _ = from.by_ref().take(KEPT as u64).read_to_end(&mut kept);
    let _ = io::copy(&mut from, &mut io::sink());
    kept
}

/// The last bytes.
fn end(mut from: impl Read) -> Vec<u8> {
    let mut kept = Vec::new();
    let mut buffer = [0; 8 * 1024];
    while let Ok(got @ 1..) = from.read(&mut buffer) {
        kept.extend_from_slice(&buffer[..got]);
        if kept.len() > 2 * KEPT_OF_MESSAGES {
            kept.drain(..kept.len() - KEPT_OF_MESSAGES);
        }
    }
    kept
}
