//! What reaches a running engine from outside: a person's Ctrl-C, and the news that another process has changed the state.
//! Spec jobs.md 5 (a change wakes the scheduler), 21 (commands work while the engine runs).

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, FileType, Mode, OFlags, mknodat, open};
use tokio::net::unix::pipe::Receiver;
use tokio::sync::watch;

/// The ways into a running engine.
pub struct Controls {
    /// Becomes true when somebody wants the run to end.
    pub interrupt: watch::Receiver<bool>,
    pub(super) bell: Option<Bell>,
}

/// A pipe with a name, into which an operator's command writes when it has changed the state.
pub(super) struct Bell {
    path: PathBuf,
    pipe: Receiver,
}

impl Controls {
    /// Only an interrupt, for engines that nobody else talks to.
    pub fn alone(interrupt: watch::Receiver<bool>) -> Self {
        Self { interrupt, bell: None }
    }

    /// Also a bell at this path, in a folder of ours. Where it cannot be hung, the safety sweep finds what has changed.
    /// To be called within the runtime.
    pub fn with_bell(path: &Path, interrupt: watch::Receiver<bool>) -> Self {
        Self { interrupt, bell: Bell::hang(path).ok() }
    }
}

/// Returns when the state may have been changed by somebody else; never without a bell.
pub(super) async fn rung(bell: &mut Option<Bell>) {
    match bell {
        Some(bell) => bell.rung().await,
        None => std::future::pending().await,
    }
}

impl Bell {
    fn hang(path: &Path) -> io::Result<Self> {
        // One that a killed run left goes first.
        let _ = std::fs::remove_file(path);
        mknodat(CWD, path, FileType::Fifo, Mode::from_raw_mode(0o600), 0)?;
        // Open to write as well, so that it never ends when a writer goes.
        let pipe = open(path, OFlags::RDWR | OFlags::NONBLOCK | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())?;
        Ok(Self { path: path.to_owned(), pipe: Receiver::from_owned_fd(pipe)? })
    }

    async fn rung(&mut self) {
        let mut rings = [0; 64];
        loop {
            if self.pipe.readable().await.is_err() {
                return std::future::pending().await;
            }
            match self.pipe.try_read(&mut rings) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => return std::future::pending().await,
                Ok(_) => return,
            }
        }
    }
}

impl Drop for Bell {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Tells the engine whose bell this is, if one runs, that the state has changed; false if none hears it.
pub fn ring(path: &Path) -> bool {
    let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    open(path, flags, Mode::empty()).is_ok_and(|pipe| File::from(pipe).write_all(&[1]).is_ok())
}
