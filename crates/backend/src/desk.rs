//! The border between the line and the work: who applies directives, what is the case, and whether jobs may start.
//! Spec protocol.md 2 (one writer), 6, 7.1, 7.2. The line never decides rights; the desk never touches the network.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use protocol::fact::backend::Mode;
use protocol::gauges::{Disk, PoolGauge, Queued};
use protocol::text::time::Moment;
use tokio::sync::watch;

use crate::log::Log;

/// What is the case now, as the desk sees it; the line adds clock, places and versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Readings {
    /// What the backend does.
    pub mode: Mode,
    /// How full the pools are; at most one row for each pool.
    pub pools: Vec<PoolGauge>,
    /// Places of waiting jobs, first to start first. Of more than 1,000 only their number is sent.
    pub queue: Vec<Queued>,
    /// Space for outputs.
    pub disk: Disk,
}

impl Default for Readings {
    fn default() -> Self {
        Self { mode: Mode::Open, pools: Vec::new(), queue: Vec::new(), disk: Disk::Ok }
    }
}

/// Whether accepted jobs may start. Running jobs always go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Starts {
    /// They may.
    Allowed,
    /// No contact for longer than `offline_start`: they wait as paused.
    Offline,
    /// Another process of this backend is connected, or took over from this one.
    Elsewhere,
    /// This backend's history is not the site's: nothing starts any more until the operator acts.
    Stopped,
}

/// How the connection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Contact {
    /// When the site last answered, by the backend's clock.
    pub last: Option<Moment>,
    /// Whether the last call was answered.
    pub connected: bool,
    /// Whether jobs may start.
    pub starts: Starts,
}

/// What the desk is given to work with.
#[derive(Debug, Clone)]
pub struct Office {
    /// Directives in, facts out.
    pub log: Arc<Log>,
    /// How the connection is; it changes.
    pub contact: watch::Receiver<Contact>,
    /// What is the case: the desk writes, the line sends it, at most once a second.
    pub readings: watch::Sender<Readings>,
    /// Turns true when the backend is to end: the desk lets go of its jobs as for a restart and returns.
    pub stop: watch::Receiver<bool>,
}

/// Returns when the backend is to end.
pub(crate) async fn ended(stop: &mut watch::Receiver<bool>) {
    // Nobody left who could say so is the same.
    let _ = stop.wait_for(|stop| *stop).await;
}

/// What ends a desk before it was told to. The backend ends with it, for orders would be taken that nobody carries out.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct DeskFailed(#[source] pub Box<dyn std::error::Error + Send + Sync>);

/// The work half of a backend.
pub trait Desk: Send + Sync {
    /// Applies waiting directives, runs jobs and tells facts, until told to stop.
    fn run(&self, office: Office) -> Pin<Box<dyn Future<Output = Result<(), DeskFailed>> + Send + '_>>;
}
