//! What caller, supervisor and process 1 tell each other, and how: small JSON packets over socket pairs.
//! None of these sockets is ever open in a process that runs study code.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;

use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, recv, send, socketpair};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::failure::Failure;
use crate::weaker::Weaker;
use crate::{IsolationLevel, Spec};

/// The largest packet: only failures carry free text.
const PACKET: usize = 64 * 1024;

/// Caller to supervisor, one line of JSON on the control socket.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Order {
    pub(crate) spec: Spec,
    pub(crate) mode: Mode,
    /// Folder of the locks that give each running sandbox of root an id of its own.
    pub(crate) slots: PathBuf,
    /// The caller's process, to tell its death from that of one of its threads.
    pub(crate) caller: u32,
    /// Walls that a test takes away.
    #[serde(default)]
    pub(crate) weaker: Weaker,
}

/// How a run is isolated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Mode {
    /// Namespaces, Landlock, system call filter.
    Isolated,
    /// A process group only.
    Unisolated,
}

/// Supervisor to caller, one line of JSON.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Reply {
    /// The command was executed.
    Started,
    /// It never was.
    Failed(Failure),
}

/// Process 1 to supervisor.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Up {
    /// In a new user namespace that has no ids yet.
    NeedIds,
    /// The command was executed, at this level.
    Executed(IsolationLevel),
    /// It was not and never will be.
    Failed(Failure),
    /// All processes together, now.
    Sample { memory: u64, processes: u32, cpu_seconds: f64 },
    /// A process other than the main one was ended, because all together held this much.
    ChildEnded { memory: u64 },
    /// The main process ended.
    Main { code: i32, signal: Option<i32> },
    /// Every process inside has ended and was reaped.
    Gone { cpu_seconds: f64, largest: u64 },
}

/// Supervisor to process 1.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Down {
    /// The user namespace has its ids.
    IdsWritten,
    /// The process is in its control groups.
    Joined,
    /// TERM to the main process and its group.
    Terminate,
    /// This signal to the group of the main process: what a person's terminal sends.
    Signal(i32),
}

/// A pair of connected packet sockets.
pub(crate) fn pair() -> io::Result<(OwnedFd, OwnedFd)> {
    Ok(socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?)
}

/// Sends one packet.
pub(crate) fn tell(to: impl AsFd, message: &impl Serialize) -> io::Result<()> {
    let bytes = serde_json::to_vec(message)?;
    send(to, &bytes, SendFlags::NOSIGNAL)?;
    Ok(())
}

/// Waits for one packet; `None` when the other side is gone.
pub(crate) fn hear<T: DeserializeOwned>(from: impl AsFd) -> io::Result<Option<T>> {
    let mut buffer = vec![0; PACKET];
    let read = loop {
        match recv(from.as_fd(), &mut buffer[..], RecvFlags::empty()) {
            Ok((read, _)) => break read,
            Err(rustix::io::Errno::INTR) => {}
            Err(rustix::io::Errno::CONNRESET) => break 0,
            Err(error) => return Err(error.into()),
        }
    };
    if read == 0 {
        return Ok(None);
    }
    Ok(Some(serde_json::from_slice(buffer.get(..read).unwrap_or_default())?))
}
