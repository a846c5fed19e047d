//! The watch over a command: its terminal, its signals, its memory, until nothing of it lives.
//! One poll over everything that can happen; the first cause of an end is the one that is told.

use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};

use super::{GRACE, PATIENCE};
use crate::inside;
use crate::messages::{Down, Up, hear, tell};
use crate::supervisor::terminal::Relay;

/// How often a command in the background looks whether it is in the foreground.
const LOOK: Duration = Duration::from_millis(200);

/// Why the command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// By itself, or by a signal from its terminal.
    Own,
    /// We were told to end.
    Ordered,
    /// It used too much memory.
    Memory,
}

pub(super) struct Watch {
    pub(super) init: Pid,
    pub(super) channel: OwnedFd,
    pub(super) ended: OwnedFd,
    pub(super) relay: Option<Relay>,
    pub(super) memory: u64,
    pub(super) code: i32,
    pub(super) end: End,
    pub(super) kill_at: Option<Instant>,
}

impl Watch {
    /// Until nothing of the command lives; its code, and why it ended.
    pub(super) fn all(mut self, signals: &OwnedFd) -> (i32, End) {
        let mut listening = true;
        loop {
            let until_kill = self.kill_at.map(|at| at.saturating_duration_since(Instant::now()));
            let look = self.relay.as_ref().is_some_and(Relay::may_follow).then_some(LOOK);
            let timeout = until_kill.into_iter().chain(look).min().map(inside::init_timespec);
            let [ended, signalled, told] = {
                let nothing = PollFlags::empty();
                let channel = if listening { PollFlags::IN } else { nothing };
                let mut waited = vec![
                    PollFd::new(&self.ended, PollFlags::IN),
                    PollFd::new(signals, PollFlags::IN),
                    PollFd::new(&self.channel, channel),
                ];
                let relayed = self.relay.iter().flat_map(|relay| relay.waits());
                // A descriptor that is asked for nothing still tells of its end, again and again.
                waited.extend(
                    relayed
                        .filter(|(_, flags)| !flags.is_empty())
                        .map(|(fd, flags)| PollFd::from_borrowed_fd(fd, flags)),
                );
                let _ = poll(&mut waited, timeout.as_ref());
                [0, 1, 2].map(|n: usize| waited.get(n).is_some_and(|fd| !fd.revents().is_empty()))
            };
            if told && listening {
                listening = self.hear();
            }
            if signalled {
                self.signals(signals);
            }
            if ended {
                while listening {
                    listening = self.hear();
                }
                self.show_the_rest(signals);
                let _ = waitpid(Some(self.init), WaitOptions::empty());
                return (self.code, self.end);
            }
            self.relay.iter_mut().for_each(Relay::follow);
            if let Some(relay) = &mut self.relay
                && !relay.pass()
                && self.kill_at.is_none()
            {
                self.order();
            }
            if self.kill_at.is_some_and(|at| at <= Instant::now()) {
                let _ = kill_process(self.init, Signal::KILL);
                self.kill_at = None;
            }
        }
    }

    /// Until the person's terminal has taken all, or as long as a command that was made to end may wait for it, or
    /// until somebody orders the end.
    fn show_the_rest(&mut self, signals: &OwnedFd) {
        let made_to_end = self.end != End::Own || self.code == 128 + libc::SIGKILL;
        let until = made_to_end.then(|| Instant::now() + PATIENCE);
        while let Some((fd, flags)) = self.relay.as_mut().and_then(Relay::finish) {
            let timeout = until.map(|at| inside::init_timespec(at.saturating_duration_since(Instant::now())));
            let mut waited = [PollFd::from_borrowed_fd(fd, flags), PollFd::new(signals, PollFlags::IN)];
            let _ = poll(&mut waited, timeout.as_ref());
            let ordered = came(signals).into_iter().any(|number| number != libc::SIGWINCH);
            if ordered || until.is_some_and(|at| at <= Instant::now()) {
                return;
            }
        }
    }

    /// One message of process 1; `false` when no more will come.
    fn hear(&mut self) -> bool {
        match hear::<Up>(self.channel.as_fd()) {
            Ok(Some(Up::Main { code, .. })) => self.code = code,
            Ok(Some(Up::Sample { memory, .. })) if memory > self.memory => {
                self.end = End::Memory;
                let _ = kill_process(self.init, Signal::KILL);
            }
            Ok(Some(_)) => {}
            Ok(None) | Err(_) => return false,
        }
        true
    }

    fn order(&mut self) {
        self.end = End::Ordered;
        let _ = tell(&self.channel, &Down::Terminate);
        self.kill_at = Some(Instant::now() + GRACE);
    }

    fn signals(&mut self, signals: &OwnedFd) {
        for number in came(signals) {
            match number {
                libc::SIGWINCH => self.relay.iter().for_each(Relay::resize),
                libc::SIGTERM | libc::SIGHUP => self.order(),
                other => drop(tell(&self.channel, &Down::Signal(other))),
            }
        }
    }
}

/// The numbers of the signals that have come.
fn came(signals: &OwnedFd) -> Vec<i32> {
    const SIZE: usize = size_of::<libc::signalfd_siginfo>();
    let mut numbers = Vec::new();
    let mut buffer = [0; SIZE];
    while rustix::io::read(signals, &mut buffer[..]).is_ok_and(|read| read == SIZE) {
        // The number is the first field.
        let number = buffer.first_chunk::<4>().map_or(0, |bytes| i32::from_ne_bytes(*bytes));
        numbers.push(number);
    }
    numbers
}
