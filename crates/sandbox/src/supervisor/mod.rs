//! The supervisor: one small process per run that starts it, watches it, and alone writes how it ended.
//! It is this program executed again with a clean environment; it holds the run's lock for as long as it lives.

mod accounts;
mod cgroup;
mod events;
mod interactive;
mod log;
mod owner;
mod processes;
mod report;
mod run;
mod screen;
mod slot;
mod terminal;
mod unisolated;
mod walk;

use std::io::{BufRead, BufReader, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::ExitCode;

use rustix::fs::{Mode, OFlags, open};
use rustix::stdio::{dup2_stdin, dup2_stdout};

pub(crate) use self::cgroup::support as cgroup_support;
pub(crate) use self::interactive::main as interactive;
pub(crate) use self::report::{born, read_exit, reclaim, start_failure};
pub(crate) use self::slot::first_id;

use crate::failure::{Failure, Step};
use crate::messages::{Order, Reply};
use crate::sys;

/// Files of a run that only the supervisor writes.
pub(crate) mod files {
    /// Held locked while the supervisor lives.
    pub(crate) const LOCK: &str = "lock";
    /// Output of the run.
    pub(crate) const LOG: &str = "log";
    /// How it ended.
    pub(crate) const EXIT: &str = "exit.json";
    /// Why the command was never executed.
    pub(crate) const START_FAILURE: &str = "start-failure.json";
    /// Who runs it: enough to clean up after a supervisor that was killed.
    pub(crate) const BORN: &str = "born.json";
    /// Cpu and memory now.
    pub(crate) const SAMPLE: &str = "sample.json";
    /// Grace in milliseconds of an order to stop.
    pub(crate) const STOP: &str = "stop";
}

/// Runs as a supervisor: the order comes on standard input, the lock is standard output.
pub(crate) fn main() -> ExitCode {
    match supervise() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // Standard error is a file of the run.
            let _ = writeln!(std::io::stderr(), "{failure}");
            ExitCode::FAILURE
        }
    }
}

fn supervise() -> Result<(), Failure> {
    sys::block_all().step("signals")?;
    let control = std::io::stdin().as_fd().try_clone_to_owned().step("control socket")?;
    let lock = std::io::stdout().as_fd().try_clone_to_owned().step("lock")?;
    let null = open("/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty()).step("open /dev/null")?;
    dup2_stdin(&null).step("standard input")?;
    dup2_stdout(&null).step("standard output")?;
    let control = UnixStream::from(control);
    let mut line = String::new();
    BufReader::new(&control).read_line(&mut line).step("read the order")?;
    let order: Order = serde_json::from_str(&line).step("read the order")?;
    // It may hold a licence, and nothing needs it again.
    drop(line);
    run::run(order, Control(control), lock)
}

/// The socket to the caller. Its end tells of the caller's.
pub(crate) struct Control(UnixStream);

impl Control {
    /// Tells the caller whether the command was executed. A caller that is gone needs no answer.
    pub(crate) fn reply(&self, reply: &Reply) {
        if let Ok(mut line) = serde_json::to_vec(reply) {
            line.push(b'\n');
            let _ = (&self.0).write_all(&line);
        }
    }
}

impl AsFd for Control {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// An opened lock file.
pub(crate) type Lock = OwnedFd;
