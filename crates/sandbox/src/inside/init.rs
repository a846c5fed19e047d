//! Process 1 of a run: reaps, passes TERM on, and ends everything when the main process or the supervisor ends.
//! It has no capability, cannot be traced, and takes orders from its socket only: a signal of the run does nothing.

use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Signal, WaitOptions, WaitStatus, getpgid, kill_process, kill_process_group, wait};

use super::Birth;
use super::main_process::exit_now;
use super::memory::{Found, Watch};
use crate::messages::{Down, Up, hear, tell};
use crate::sys;

/// Watches until nothing is left; never returns.
pub(super) fn watch(birth: &Birth<'_>, main: Pid) -> ! {
    // Nothing can be done about a lost message: the supervisor is gone then, and the socket tells so too.
    let say = |message: &Up| drop(tell(&birth.channel, message));
    let Ok(children) = sys::signal_fd(&[libc::SIGCHLD]) else { exit_now(1) };
    // Only where no control group does it better.
    let mut memory = (!birth.enforced.memory).then(|| Watch::new(birth.spec.limits.memory));
    loop {
        let timeout = memory.as_ref().map(|watch| timespec(watch.remaining()));
        let mut waited = [PollFd::new(&children, PollFlags::IN), PollFd::new(&birth.channel, PollFlags::IN)];
        let _ = poll(&mut waited, timeout.as_ref());
        let [child_ended, told] = waited.map(|fd| !fd.revents().is_empty());
        if child_ended {
            drain(&children);
            if let Some(status) = reap(main) {
                say(&Up::Main { code: status.0, signal: status.1 });
                break;
            }
        }
        if told {
            match hear::<Down>(&birth.channel) {
                Ok(Some(Down::Terminate)) => {
                    // The main process leads a group of its own, unless it has left that; it gets the signal once.
                    let _ = kill_process_group(main, Signal::TERM);
                    if getpgid(Some(main)) != Ok(main) {
                        let _ = kill_process(main, Signal::TERM);
                    }
                }
                Ok(Some(Down::Signal(number))) => {
                    let _ = Signal::from_named_raw(number).map(|signal| kill_process_group(main, signal));
                }
                Ok(Some(Down::IdsWritten | Down::Joined)) => {}
                Ok(None) | Err(_) => exit_now(1),
            }
        }
        match memory.as_mut().and_then(|watch| watch.look(main.as_raw_nonzero().get())) {
            Some(Found::Held(held)) => {
                let ended = sys::children_usage().map_or(0.0, |usage| usage.cpu_seconds);
                let cpu_seconds = ended + held.ticks as f64 / rustix::param::clock_ticks_per_second() as f64;
                say(&Up::Sample { memory: held.memory, processes: held.processes, cpu_seconds });
            }
            Some(Found::End(process, held)) => {
                if Pid::from_raw(process).is_some_and(|process| kill_process(process, Signal::KILL).is_ok()) {
                    say(&Up::ChildEnded { memory: held.memory });
                }
            }
            Some(Found::Waiting) | None => {}
        }
    }
    end_all();
    if let Ok(usage) = sys::children_usage() {
        say(&Up::Gone { cpu_seconds: usage.cpu_seconds, largest: usage.largest });
    }
    exit_now(0)
}

pub(crate) fn timespec(duration: Duration) -> Timespec {
    Timespec { tv_sec: i64::try_from(duration.as_secs()).unwrap_or(i64::MAX), tv_nsec: duration.subsec_nanos().into() }
}

/// Code and signal of an ended process, as a shell tells them.
pub(crate) fn outcome(status: WaitStatus) -> (i32, Option<i32>) {
    match status.terminating_signal() {
        Some(signal) => (128 + signal, Some(signal)),
        None => (status.exit_status().unwrap_or(-1), None),
    }
}

fn drain(signals: &std::os::fd::OwnedFd) {
    let mut buffer = [0; 1024];
    while rustix::io::read(signals, &mut buffer[..]).is_ok_and(|read| read > 0) {}
}

/// Takes every ended child; tells how `main` ended if it is among them.
fn reap(main: Pid) -> Option<(i32, Option<i32>)> {
    let mut found = None;
    while let Ok(Some((pid, status))) = wait(WaitOptions::NOHANG) {
        if pid == main {
            found = Some(outcome(status));
        }
    }
    found
}

/// Kills all that is left and waits for it: nothing of a run outlives its main process.
fn end_all() {
    // Reaches every process of this namespace but the caller.
    let _ = sys::kill_all();
    while let Ok(Some(_)) | Err(rustix::io::Errno::INTR) = wait(WaitOptions::empty()) {}
}
