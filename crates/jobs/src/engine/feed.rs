//! What an engine that stays is told while it runs, and what can be seen of it.
//! Spec jobs.md 5 (positions), 9; protocol.md 6.

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::Work;
use crate::JobId;
use crate::schedule::{Held, Modes, Pool};
use crate::state::Job;

/// A planned job that lacks something which somebody is getting.
#[derive(Debug, Clone, PartialEq)]
pub struct Awaited {
    /// As stored.
    pub job: Job,
    /// What it lacks.
    pub lacks: Held,
    /// The image as project.yaml names it, if it is that.
    pub image: Option<String>,
    /// Unix seconds since which it is lacking.
    pub since: i64,
}

/// One message to an engine.
pub(super) enum News {
    Take(Vec<Work>),
    Await(Vec<Awaited>),
    Look,
}

/// The way into an engine that stays. Cheap to clone; what is sent to an engine that is gone is lost, and read from the
/// state again by the next one.
#[derive(Debug, Clone)]
pub struct Feeder(UnboundedSender<News>);

/// The other end of a [`Feeder`].
pub struct Feed(pub(super) UnboundedReceiver<News>);

impl Feeder {
    /// Both ends.
    pub fn new() -> (Self, Feed) {
        let (sender, receiver) = unbounded_channel();
        (Self(sender), Feed(receiver))
    }

    /// Jobs with all that they need. One that was awaited waits no longer.
    pub fn take(&self, works: Vec<Work>) {
        let _ = self.0.send(News::Take(works));
    }

    /// Jobs that lack something so far.
    pub fn await_for(&self, jobs: Vec<Awaited>) {
        let _ = self.0.send(News::Await(jobs));
    }

    /// The state has changed: modes, cancels, ends.
    pub fn look(&self) {
        let _ = self.0.send(News::Look);
    }
}

/// How full a pool is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PoolView {
    /// Whole workers that it has.
    pub capacity: u64,
    /// Jobs that run.
    pub running: u64,
    /// Jobs that wait, for whatever.
    pub waiting: u64,
    /// Whole workers that are taken.
    pub taken: u64,
}

/// What can be seen of an engine at a moment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct View {
    /// What is kept from starting.
    pub modes: Modes,
    /// The pool of database jobs.
    pub db: PoolView,
    /// The other one.
    pub other: PoolView,
    /// The places of the jobs that wait for a worker.
    pub queue: Vec<(JobId, Pool, u64)>,
}
