//! The watch over a run: one thread, one poll over everything that can happen, nothing asked twice.
//! First cause wins: whatever ends a run is named once, and later events do not change it.

use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Signal, WaitOptions, pidfd_send_signal, waitpid};

use super::accounts::Accounts;
use super::cgroup::Groups;
use super::run::{Body, Running};
use super::{Control, files, unisolated};
use crate::inside::{init_timespec, outcome};
use crate::messages::{Down, Up, hear, tell};
use crate::{Limit, LimitHit, OutOfMemory};

/// Between two looks at the groups' counters, for the figures shown while a run lives.
const TICK: Duration = Duration::from_millis(250);
/// A hundred years.
const NEVER: Duration = Duration::from_secs(100 * 366 * 24 * 3600);
/// Read from the pipe before anything else is looked at again.
const READ: usize = 64 * 1024;
const READS: usize = 16;

/// How the processes ended and why.
pub(super) struct Ended {
    pub(super) code: i32,
    pub(super) signal: Option<i32>,
    pub(super) cause: LimitHit,
    /// Memory by our own watch.
    memory_exceeded: bool,
    /// Processes that our own watch ended while the main one went on.
    children_ended: u32,
    /// KILL was sent by us.
    killed: bool,
    pub(super) peak_memory: u64,
    /// The largest resident size of one process.
    pub(super) largest: u64,
    pub(super) peak_processes: u32,
    pub(super) cpu_seconds: f64,
}

impl Ended {
    /// By the kernel's count where there is one (spec sandbox.md 6); the second number is of children that were killed
    /// while the main process went on.
    pub(super) fn out_of_memory(&self, running: &Running<'_>, kills: Option<u32>) -> (OutOfMemory, u32) {
        let kills = kills.or((self.children_ended > 0).then_some(self.children_ended));
        let by_signal = self.signal == Some(libc::SIGKILL) && !self.killed;
        match (kills, &running.body) {
            _ if self.memory_exceeded => (OutOfMemory::Yes, self.children_ended),
            (Some(0), _) => (OutOfMemory::No, 0),
            (Some(kills), _) if by_signal => (OutOfMemory::Yes, kills - 1),
            // A main process that fails after its child was killed failed for memory.
            (Some(kills), _) if self.code != 0 && self.cause == LimitHit::None => (OutOfMemory::Yes, kills),
            (Some(kills), _) => (OutOfMemory::No, kills),
            (None, Body::Isolated { .. }) => {
                let at_limit = self.peak_memory.saturating_mul(20) >= running.spec.limits.memory.saturating_mul(19);
                (if by_signal && at_limit { OutOfMemory::Yes } else { OutOfMemory::No }, 0)
            }
            (None, Body::Unisolated { .. }) => (if by_signal { OutOfMemory::Unknown } else { OutOfMemory::No }, 0),
        }
    }
}

/// A time that is too far away to be told is as good as never.
fn after(begin: Instant, time: Duration) -> Instant {
    begin.checked_add(time.min(NEVER)).unwrap_or(begin)
}

/// State of the watch.
struct Watch<'r, 'a> {
    running: &'r mut Running<'a>,
    groups: &'r Groups,
    ended: Ended,
    /// After TERM: when KILL follows.
    kill_at: Option<Instant>,
    output_open: bool,
    channel_open: bool,
    log_works: bool,
    next_tick: Instant,
    sample: Option<File>,
}

/// Watches until every process has ended and its output is read.
pub(super) fn watch(
    running: &mut Running<'_>,
    signals: &OwnedFd,
    caller: Option<(&Control, u32)>,
    groups: &Groups,
) -> Ended {
    let mut accounts = running.accounts.take();
    let ended = Ended {
        code: 128 + libc::SIGKILL,
        signal: Some(libc::SIGKILL),
        cause: LimitHit::None,
        memory_exceeded: false,
        children_ended: 0,
        killed: false,
        peak_memory: 0,
        largest: 0,
        peak_processes: 0,
        cpu_seconds: 0.0,
    };
    let sample = File::create(running.spec.folder.join(files::SAMPLE)).ok();
    let next_tick = running.began + TICK;
    let mut watch = Watch {
        running,
        groups,
        ended,
        kill_at: None,
        output_open: true,
        channel_open: true,
        log_works: true,
        next_tick,
        sample,
    };
    while !watch.step(signals, caller, &mut accounts) {}
    watch.collect();
    if let Some(accounts) = accounts {
        accounts.end();
    }
    watch.ended
}

/// Waits until one of these tells something, and gives which do. What is not there tells nothing: it has no other one to
/// stand in for it, because one look goes through the list and may find the end at a later place than that of the end.
fn ready<const N: usize>(from: [Option<BorrowedFd<'_>>; N], timeout: Duration) -> [bool; N] {
    let mut waited: Vec<PollFd<'_>> =
        from.iter().flatten().map(|fd| PollFd::from_borrowed_fd(*fd, PollFlags::IN)).collect();
    let _ = poll(&mut waited, Some(&init_timespec(timeout)));
    let mut told = waited.iter().map(|fd| !fd.revents().is_empty());
    from.map(|fd| fd.is_some() && told.next().unwrap_or(false))
}

impl Watch<'_, '_> {
    /// Waits for what comes next and handles it; `true` when the run has ended.
    fn step(&mut self, signals: &OwnedFd, caller: Option<(&Control, u32)>, accounts: &mut Option<Accounts>) -> bool {
        let timeout = self.next_deadline().saturating_duration_since(Instant::now());
        let [ended, signalled, control, output, channel, counted] = {
            let running = &self.running;
            let channel = match &running.body {
                Body::Isolated { channel, .. } if self.channel_open => Some(channel.as_fd()),
                _ => None,
            };
            let output = self.output_open.then(|| running.output.as_fd());
            let control = caller.filter(|_| !self.ended.killed).map(|(control, _)| control.as_fd());
            let counted = accounts.as_ref().map(Accounts::fd);
            let counted = counted.as_ref().map(AsFd::as_fd);
            ready([Some(running.ended.as_fd()), Some(signals.as_fd()), control, output, channel, counted], timeout)
        };
        if ended {
            return true;
        }
        if signalled {
            self.signals(signals, caller);
        }
        // A living caller never writes on this socket.
        if control {
            self.kill(LimitHit::Stopped);
        }
        if output {
            self.read_output(READS);
        }
        if channel {
            self.channel_open = self.hear();
        }
        if counted && let Some(counting) = accounts {
            match counting.read() {
                Some(used)
                    if used.bytes > self.running.spec.limits.disk || used.made > self.running.spec.limits.files =>
                {
                    self.kill(LimitHit::Limit(Limit::Disk));
                }
                // A control group counts them itself.
                Some(used)
                    if used.memory > self.running.spec.limits.memory
                        && self.groups.memory_now().is_none()
                        && !self.ended.killed =>
                {
                    self.ended.memory_exceeded = self.ended.cause == LimitHit::None;
                    self.kill(LimitHit::None);
                }
                Some(_) => {}
                // Nobody counts any more, which must not mean no limit.
                None => {
                    *accounts = None;
                    self.kill(LimitHit::Limit(Limit::Disk));
                }
            }
        }
        self.deadlines();
        false
    }

    fn next_deadline(&self) -> Instant {
        let time = self.running.spec.limits.time.filter(|_| self.kill_at.is_none() && !self.ended.killed);
        let time = time.map(|limit| after(self.running.began, limit));
        let kill = self.kill_at.filter(|_| !self.ended.killed);
        [time, kill].into_iter().flatten().fold(self.next_tick, Instant::min)
    }

    fn deadlines(&mut self) {
        let now = Instant::now();
        if let Some(limit) = self.running.spec.limits.time
            && self.kill_at.is_none()
            && now >= after(self.running.began, limit)
        {
            self.terminate(LimitHit::Limit(Limit::Time), self.running.spec.grace);
        }
        if self.kill_at.is_some_and(|at| now >= at) {
            self.kill(LimitHit::None);
        }
        if now >= self.next_tick {
            self.next_tick = now + TICK;
            self.tick();
        }
    }

    fn blame(&mut self, cause: LimitHit) {
        if self.ended.cause == LimitHit::None && !self.ended.memory_exceeded {
            self.ended.cause = cause;
        }
    }

    /// TERM now, KILL after `grace`; a second order can only hasten it.
    fn terminate(&mut self, cause: LimitHit, grace: Duration) {
        self.blame(cause);
        let at = after(Instant::now(), grace);
        self.kill_at = Some(self.kill_at.map_or(at, |earlier| earlier.min(at)));
        match &self.running.body {
            Body::Isolated { channel, .. } => drop(tell(channel, &Down::Terminate)),
            Body::Unisolated { main } => unisolated::terminate(*main),
        }
    }

    /// KILL to everything, once.
    fn kill(&mut self, cause: LimitHit) {
        self.blame(cause);
        if self.ended.killed {
            return;
        }
        self.ended.killed = true;
        match &self.running.body {
            // With process 1 the kernel ends its whole namespace.
            Body::Isolated { .. } => drop(pidfd_send_signal(&self.running.ended, Signal::KILL)),
            Body::Unisolated { main } => unisolated::kill(*main),
        }
    }

    fn signals(&mut self, signals: &OwnedFd, caller: Option<(&Control, u32)>) {
        let mut buffer = [0; 128 * 8];
        while let Ok(read) = rustix::io::read(signals, &mut buffer[..]) {
            for entry in buffer.get(..read).unwrap_or_default().chunks_exact(128) {
                let number = entry.first_chunk::<4>().map_or(0, |bytes| u32::from_ne_bytes(*bytes)).cast_signed();
                if number != libc::SIGUSR1 {
                    self.terminate(LimitHit::Stopped, self.ordered_grace());
                } else if let Some((_, caller)) = caller {
                    // The signal also comes when only the caller's thread has ended.
                    let parent = rustix::process::getppid().map_or(0, |parent| parent.as_raw_nonzero().get());
                    if parent.cast_unsigned() != caller {
                        self.kill(LimitHit::Stopped);
                    }
                }
            }
        }
    }

    fn ordered_grace(&self) -> Duration {
        let text = std::fs::read_to_string(self.running.spec.folder.join(files::STOP)).unwrap_or_default();
        text.trim().parse().map_or(self.running.spec.grace, Duration::from_millis)
    }

    fn read_output(&mut self, reads: usize) {
        let mut buffer = [0; READ];
        for _ in 0..reads {
            match rustix::io::read(&self.running.output, &mut buffer[..]) {
                Ok(0) => {
                    self.output_open = false;
                    return;
                }
                // The pipe is emptied even when the log cannot be written: the run must not be held up.
                Ok(read) if self.log_works => {
                    self.log_works = self.running.log.take(buffer.get(..read).unwrap_or_default()).is_ok();
                }
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(rustix::io::Errno::AGAIN) => return,
                Err(_) => {
                    self.output_open = false;
                    return;
                }
            }
        }
    }

    /// One message of process 1; `false` when there will be no more.
    fn hear(&mut self) -> bool {
        let Body::Isolated { channel, .. } = &self.running.body else { return false };
        match hear::<Up>(channel) {
            Ok(Some(Up::Main { code, signal })) => {
                (self.ended.code, self.ended.signal) = (code, signal);
                self.next_tick = Instant::now() + TICK;
            }
            Ok(Some(Up::Gone { cpu_seconds, largest })) => {
                self.ended.cpu_seconds = cpu_seconds;
                self.ended.largest = largest;
            }
            Ok(Some(Up::ChildEnded { memory })) => {
                self.ended.children_ended = self.ended.children_ended.saturating_add(1);
                self.ended.peak_memory = self.ended.peak_memory.max(memory);
            }
            Ok(Some(Up::Sample { memory, processes, cpu_seconds })) => {
                self.note(memory, processes, cpu_seconds);
                if memory > self.running.spec.limits.memory && !self.ended.killed {
                    self.ended.memory_exceeded = self.ended.cause == LimitHit::None;
                    self.kill(LimitHit::None);
                }
            }
            Ok(Some(_)) => {}
            Ok(None) | Err(_) => return false,
        }
        true
    }

    fn tick(&mut self) {
        if let Some(memory) = self.groups.memory_now() {
            let cpu = self.groups.cpu_now().map_or(0.0, |nanoseconds| nanoseconds as f64 / 1e9);
            self.note(memory, 0, cpu);
        } else if let Body::Unisolated { .. } = &self.running.body {
            let (memory, processes, cpu) = unisolated::sample();
            self.note(memory, processes, cpu);
        }
    }

    fn note(&mut self, memory: u64, processes: u32, cpu_seconds: f64) {
        self.ended.peak_memory = self.ended.peak_memory.max(memory);
        self.ended.peak_processes = self.ended.peak_processes.max(processes);
        self.ended.cpu_seconds = cpu_seconds;
        if let Some(file) = &self.sample {
            // Of one length, so that a reader finds either the old or the new figures.
            let text = format!("{:<64}\n", format!("[{cpu_seconds},{memory}]"));
            let _ = file.write_all_at(text.as_bytes(), 0);
        }
    }

    /// After the end: the last words of process 1, its status, the rest of the output.
    fn collect(&mut self) {
        while self.hear() {}
        let first = self.running.body.first();
        let status = waitpid(Some(first), WaitOptions::empty());
        if let Body::Unisolated { .. } = &self.running.body {
            if let Ok(Some((_, status))) = status {
                (self.ended.code, self.ended.signal) = outcome(status);
            }
            let (cpu, largest) = unisolated::end_all();
            (self.ended.cpu_seconds, self.ended.largest) = (cpu, largest);
        }
        // All writers are dead: what is left fits into the pipe.
        while self.output_open {
            let before = self.output_open;
            self.read_output(READS);
            if before == self.output_open {
                break;
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at its first surprise")]
mod tests {
    use rustix::pipe::pipe;

    use super::*;

    #[test]
    fn what_is_not_there_tells_nothing() {
        let (quiet, _held) = pipe().unwrap();
        let (told, writer) = pipe().unwrap();
        rustix::io::write(&writer, b"x").unwrap();
        let (quiet, told) = (Some(quiet.as_fd()), Some(told.as_fd()));
        assert_eq!(ready([told, quiet, None, None, None, None], NEVER), [true, false, false, false, false, false]);
        assert_eq!(ready([quiet, None, told, None, told, None], NEVER), [false, false, true, false, true, false]);
        assert_eq!(ready([None, quiet, None], Duration::ZERO), [false; 3]);
        // A writer that has gone is news as well.
        let (gone, writer) = pipe().unwrap();
        drop(writer);
        assert_eq!(ready([None, Some(gone.as_fd())], NEVER), [false, true]);
    }
}
