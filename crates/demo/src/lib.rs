#![doc = include_str!("../README.md")]

mod agents;
mod asking;
mod run;
mod studies;
mod town;
mod way;

use std::net::SocketAddr;
use std::path::PathBuf;

pub use agents::NoBackend;
pub use run::{Asked, Options, Told, run};
pub use studies::RepositoryError;

/// Why a demo does not begin, or ended by itself.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// Anybody can sign in as anybody.
    #[error("a demo listens on this machine alone, not on {listen}: anybody who reaches it can sign in as anybody")]
    NotHere {
        /// Where it would listen.
        listen: SocketAddr,
    },
    /// The port is taken.
    #[error("cannot listen on {listen}: {source}; choose another port with --listen 127.0.0.1:PORT")]
    Listen {
        /// Where.
        listen: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// Its folder.
    #[error("no folder can be made in {path}: {source}")]
    Folder {
        /// Where.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The repositories of the studies.
    #[error(transparent)]
    Repository(#[from] RepositoryError),
    /// The site.
    #[error(transparent)]
    Site(#[from] site::SiteError),
    /// What is in it.
    #[error("the demo's people and projects cannot be made: {0}")]
    Town(#[from] site::people::Fault),
    /// A backend does not start.
    #[error(transparent)]
    NoBackend(#[from] NoBackend),
    /// A backend ended.
    #[error("a backend of the demo ended: {0}")]
    Ended(#[from] backend::agent::Ended),
    /// The site did not take a request of the demo.
    #[error("the demo's site did not take a request of the demo ({status}): {says}")]
    NotAsked {
        /// Of the answer.
        status: u16,
        /// Its body.
        says: String,
    },
    /// A fault of this program.
    #[error("a fault of this program: {0}; please report it")]
    Fault(String),
}
