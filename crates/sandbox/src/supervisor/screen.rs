//! What a command writes, on its way to the person's terminal. That may take nothing for as long as it likes, and who
//! started us shares it, so its blocking is not ours to change: a thread waits for it, behind a small pipe.

use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::event::PollFlags;
use rustix::io::Errno;
use rustix::pipe::{PipeFlags, fcntl_setpipe_size, pipe_with};

use crate::failure::{Failure, Step};

/// Read at once, and what the pipe holds.
const CHUNK: usize = 16 * 1024;

pub(super) struct Screen {
    /// Never blocks; closed when nothing more will come.
    pipe: Option<OwnedFd>,
    /// Hangs up when the terminal has taken all.
    done: OwnedFd,
    /// Not yet in the pipe; at most one chunk.
    waiting: Vec<u8>,
}

impl Screen {
    /// Starts the thread. To be called after the last fork.
    pub(super) fn start(person: BorrowedFd<'static>) -> Result<Self, Failure> {
        let step = "pass on what the command writes";
        let (from, pipe) = pipe_with(PipeFlags::CLOEXEC).step(step)?;
        let (done, working) = pipe_with(PipeFlags::CLOEXEC).step(step)?;
        // Else what is shown after Ctrl-C is old; a kernel that refuses has a larger one, which is no harm.
        let _ = fcntl_setpipe_size(&pipe, CHUNK);
        rustix::io::ioctl_fionbio(&pipe, true).step(step)?;
        let write = move || {
            let (mut from, _working) = (File::from(from), working);
            let mut buffer = [0; CHUNK];
            while let Ok(read @ 1..) = from.read(&mut buffer) {
                write_all(person, buffer.get(..read).unwrap_or_default());
            }
        };
        std::thread::Builder::new().name("screen".to_owned()).spawn(write).step(step)?;
        Ok(Self { pipe: Some(pipe), done, waiting: Vec::new() })
    }

    /// Whether it holds what the pipe did not take.
    pub(super) fn is_full(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Reads from the command until the pipe is full or nothing is there, but not for ever; `true` if nothing is left.
    pub(super) fn take(&mut self, command: &OwnedFd) -> bool {
        let mut buffer = [0; CHUNK];
        // A command that never stops writing must not keep the loop from its signals and limits.
        for _ in 0..16 {
            if !self.push() {
                return false;
            }
            match rustix::io::read(command, &mut buffer[..]) {
                Ok(0) => return true,
                Ok(read) => self.waiting.extend_from_slice(buffer.get(..read).unwrap_or_default()),
                Err(Errno::INTR) => {}
                // Nothing now, or no side is open any more.
                Err(_) => return true,
            }
        }
        false
    }

    /// What to wait for before there is room.
    pub(super) fn room(&self) -> (BorrowedFd<'_>, PollFlags) {
        match &self.pipe {
            Some(pipe) => (pipe.as_fd(), PollFlags::OUT),
            None => (self.done.as_fd(), PollFlags::IN),
        }
    }

    /// Nothing more will come: from now on `room` waits for the terminal to have taken all.
    pub(super) fn close(&mut self) {
        self.pipe = None;
    }

    fn push(&mut self) -> bool {
        let Some(pipe) = &self.pipe else { return true };
        while !self.waiting.is_empty() {
            match rustix::io::write(pipe, &self.waiting) {
                Ok(written) => drop(self.waiting.drain(..written)),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return false,
                // The thread ends only after the pipe.
                Err(_) => self.waiting.clear(),
            }
        }
        true
    }
}

/// Whatever the terminal does not take because it is gone is dropped.
fn write_all(out: BorrowedFd<'_>, mut bytes: &[u8]) {
    while !bytes.is_empty() {
        match rustix::io::write(out, bytes) {
            Ok(written) => bytes = bytes.get(written..).unwrap_or_default(),
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => {
                let mut waited = [rustix::event::PollFd::from_borrowed_fd(out, PollFlags::OUT)];
                let _ = rustix::event::poll(&mut waited, None);
            }
            Err(_) => return,
        }
    }
}
