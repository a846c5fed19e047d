//! A terminal of its own for a command: bytes pass between it and the person's terminal, which is put back at the end.
//! Spec cli.md 8. The command never holds the person's terminal itself.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};
use rustix::termios::{
    OptionalActions, OutputModes, Termios, isatty, tcgetattr, tcgetpgrp, tcgetwinsize, tcsetattr, tcsetwinsize,
};

use super::screen::Screen;
use crate::failure::{Failure, Step};

/// Read at once.
const CHUNK: usize = 16 * 1024;

/// Our side of the command's terminal.
pub(super) struct Relay {
    ours: OwnedFd,
    /// Held so that the terminal is not at an end when the command closes its own.
    _theirs: OwnedFd,
    /// The person's terminal.
    person: BorrowedFd<'static>,
    before: Termios,
    /// Typed and not yet taken by the command.
    typed: Vec<u8>,
    /// From the moment on at which the command lives.
    screen: Option<Screen>,
    /// Standard input is the person's terminal.
    may_type: bool,
    /// Keys go to the command: the person types into its standard input, and this is the foreground.
    typing: bool,
    gone: bool,
}

/// The side that the command gets, and which of its standard input, output and error it stands for.
pub(super) struct Side {
    pub(super) fd: OwnedFd,
    pub(super) stands_for: [bool; 3],
}

fn stdin() -> BorrowedFd<'static> {
    rustix::stdio::stdin()
}

fn foreground() -> bool {
    tcgetpgrp(stdin()).ok() == Some(rustix::process::getpgrp())
}

/// A terminal for the command, in the place of the person's wherever that is one of its three streams.
pub(super) fn open() -> Result<Option<(Relay, Side)>, Failure> {
    let step = "open a terminal for the command";
    let streams = [stdin(), rustix::stdio::stdout(), rustix::stdio::stderr()];
    let stands_for = streams.map(isatty);
    // What is shown goes to where output goes, else to where the keys come from.
    let person = [1, 2, 0].into_iter().find(|n| stands_for.get(*n) == Some(&true)).and_then(|n| streams.get(n));
    let Some(&person) = person else { return Ok(None) };
    let typing = stands_for[0] && foreground();
    let before = tcgetattr(if typing { stdin() } else { person }).step(step)?;
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    let ours = openpt(flags).step(step)?;
    grantpt(&ours).step(step)?;
    unlockpt(&ours).step(step)?;
    let theirs = ioctl_tiocgptpeer(&ours, flags).step(step)?;
    // As the person has set it: which key erases, whether 8 bits pass.
    let mut settings = before.clone();
    if !typing {
        // The person's terminal goes on turning line ends into movements; twice would be once too often.
        settings.output_modes &= !OutputModes::OPOST;
    }
    tcsetattr(&theirs, OptionalActions::Now, &settings).step(step)?;
    rustix::io::ioctl_fionbio(&ours, true).step(step)?;
    let kept = theirs.try_clone().step(step)?;
    let relay = Relay {
        ours,
        _theirs: kept,
        person,
        before,
        typed: Vec::new(),
        screen: None,
        may_type: stands_for[0],
        typing,
        gone: false,
    };
    relay.resize();
    Ok(Some((relay, Side { fd: theirs, stands_for })))
}

impl Relay {
    /// From now on the command's output is shown, and every key goes to it, Ctrl-C too.
    pub(super) fn begin(&mut self) -> Result<(), Failure> {
        self.screen = Some(Screen::start(self.person)?);
        if !self.typing {
            return Ok(());
        }
        self.raw()
    }

    fn raw(&self) -> Result<(), Failure> {
        let mut raw = self.before.clone();
        raw.make_raw();
        tcsetattr(stdin(), OptionalActions::Now, &raw).step("set the terminal")
    }

    /// The command's terminal gets the size of the person's.
    pub(super) fn resize(&self) {
        if let Ok(size) = tcgetwinsize(self.person) {
            // The kernel tells the command by WINCH.
            let _ = tcsetwinsize(&self.ours, size);
        }
    }

    /// What to wait for: keys, the command's terminal, room on the person's.
    pub(super) fn waits(&self) -> [(BorrowedFd<'_>, PollFlags); 3] {
        let when = |wanted: bool, flag| if wanted { flag } else { PollFlags::empty() };
        let typing = when(self.typing && self.typed.is_empty(), PollFlags::IN);
        // A person's terminal that takes nothing stops the command, as any terminal does, but not this loop.
        let full = self.screen.as_ref().filter(|screen| screen.is_full());
        let ours = when(full.is_none(), PollFlags::IN) | when(!self.typed.is_empty(), PollFlags::OUT);
        let room = full.map_or((self.ours.as_fd(), PollFlags::empty()), Screen::room);
        [(stdin(), typing), (self.ours.as_fd(), ours), room]
    }

    /// A command that was started in the background and is in the foreground now gets the keys from here on.
    pub(super) fn follow(&mut self) {
        if self.typing || self.gone || !self.may_type || !foreground() {
            return;
        }
        let Ok(before) = tcgetattr(stdin()) else { return };
        (self.before, self.typing) = (before, true);
        // The person's terminal no longer turns line ends into movements: the command's must.
        if let Ok(mut settings) = tcgetattr(&self.ours) {
            settings.output_modes |= self.before.output_modes & OutputModes::OPOST;
            let _ = tcsetattr(&self.ours, OptionalActions::Now, &settings);
        }
        let _ = self.raw();
        self.resize();
    }

    /// Whether `follow` may have something to do later, which nothing announces.
    pub(super) fn may_follow(&self) -> bool {
        self.may_type && !self.typing && !self.gone
    }

    /// Passes on what there is; `false` when the person's terminal is gone.
    pub(super) fn pass(&mut self) -> bool {
        if let Some(screen) = &mut self.screen {
            screen.take(&self.ours);
        }
        if self.typed.is_empty() && self.typing && ready(stdin(), PollFlags::IN) {
            let mut buffer = [0; CHUNK];
            match rustix::io::read(stdin(), &mut buffer[..]) {
                Ok(0) | Err(Errno::IO | Errno::NXIO | Errno::BADF) => (self.typing, self.gone) = (false, true),
                Ok(read) => self.typed.extend_from_slice(buffer.get(..read).unwrap_or_default()),
                Err(_) => {}
            }
        }
        while !self.typed.is_empty() {
            match rustix::io::write(&self.ours, &self.typed) {
                Ok(written) => drop(self.typed.drain(..written)),
                Err(Errno::INTR) => {}
                // Full: the command does not read; or closed: it has ended.
                Err(Errno::AGAIN) => break,
                Err(_) => self.typed.clear(),
            }
        }
        !self.gone
    }

    /// Nothing more will be written: what to wait for until the person's terminal has taken all; `None` when it has.
    pub(super) fn finish(&mut self) -> Option<(BorrowedFd<'_>, PollFlags)> {
        let screen = self.screen.as_mut()?;
        if screen.take(&self.ours) {
            screen.close();
            let (done, hung_up) = screen.room();
            if ready(done, hung_up) {
                return None;
            }
        }
        Some(screen.room())
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        if !self.typing && !self.gone {
            return;
        }
        // A terminal that is gone needs nothing.
        let _ = tcsetattr(stdin(), OptionalActions::Now, &self.before);
    }
}

fn ready(fd: BorrowedFd<'_>, what: PollFlags) -> bool {
    let now = rustix::event::Timespec { tv_sec: 0, tv_nsec: 0 };
    let mut waited = [PollFd::from_borrowed_fd(fd, what)];
    poll(&mut waited, Some(&now)).is_ok_and(|ready| ready > 0)
}
