//! The running desk of a backend: orders in, jobs through, facts out, and what there is to see of it meanwhile.
//! Spec protocol.md 3.2, 6, 7.2, 7.3; jobs.md 5, 6, 9.

mod builds;
mod contact;
mod gauges;
mod intake;
mod policy;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jobs::engine::{AfterFailure, Event};
use jobs::reusable::Library;
use jobs::server::{Server, ServerError};
use jobs::state::{PolicyRule, StateError};
use repositories::Mirrors;
use sandbox::IsolationLevel;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use crate::desk::{Desk, DeskFailed, Office, ended};
use crate::log::Log;
use crate::orders::{Decider, Rules, Standing};
use crate::tell::{TellError, keep_telling};

pub use policy::policy;

/// Why the desk cannot work.
#[derive(Debug, thiserror::Error)]
pub enum WorkError {
    /// Its folders.
    #[error(transparent)]
    Server(#[from] ServerError),
    /// The records of jobs.
    #[error(transparent)]
    State(#[from] StateError),
    /// The mirrors of repositories.
    #[error(transparent)]
    Repositories(#[from] repositories::Error),
    /// The backend's log.
    #[error(transparent)]
    Log(#[from] crate::log::LogError),
    /// Facts.
    #[error(transparent)]
    Tell(#[from] TellError),
    /// Study code cannot be shut in here.
    #[error("this machine cannot shut study code in: {}", .0.join("; "))]
    Machine(Vec<String>),
    /// A task of this program broke.
    #[error("a fault of this program: {0}")]
    Fault(String),
}

/// The work half of a backend.
pub struct WorkDesk {
    rules: Arc<Rules>,
    runtime: Arc<dyn sandbox::Runtime>,
}

/// What the parts of a desk share.
struct Bench {
    rules: Arc<Rules>,
    server: Arc<Server>,
    standing: Arc<Standing>,
    decider: Arc<Decider>,
    log: Arc<Log>,
    /// Environments to be made.
    builds: builds::Builds,
}

/// How long a part rests after the records could not be written.
const REST: Duration = Duration::from_secs(5);
/// How often the records are copied.
const DAY: Duration = Duration::from_secs(24 * 3600);
/// How often results are looked for that could not be put in place.
const REPAIR: Duration = Duration::from_secs(600);

impl WorkDesk {
    /// A desk that goes by these rules and runs jobs in this runtime.
    pub fn new(rules: Rules, runtime: Arc<dyn sandbox::Runtime>) -> Self {
        Self { rules: Arc::new(rules), runtime }
    }

    /// Whether this machine can shut study code in as the rules want it.
    async fn shuts_in(&self) -> Result<(), WorkError> {
        if self.rules.running.isolation == IsolationLevel::None {
            return Ok(());
        }
        let runtime = self.runtime.clone();
        let found = tokio::task::spawn_blocking(move || runtime.probe()).await;
        let found = found.map_err(|fault| WorkError::Fault(fault.to_string()))?;
        let missing: Vec<String> = found.missing().map(|(name, why)| format!("{name}: {why}")).collect();
        if missing.is_empty() { Ok(()) } else { Err(WorkError::Machine(missing)) }
    }

    async fn work(&self, office: Office) -> Result<(), WorkError> {
        let Office { log, contact, readings, stop } = office;
        let rules = self.rules.clone();
        self.shuts_in().await?;
        let standing = Arc::new(Standing::new(&rules, log.clone()));
        let admission = standing.clone();
        let running = rules.running.clone();
        let server = Server::open(rules.folders.clone(), self.runtime.clone(), running, admission).await?;
        let server = Arc::new(server);
        restore(server.state(), &standing).await?;
        for problem in server.recover().await?.problems {
            tracing::warn!(problem, "left from before");
        }
        let mirrors = Arc::new(Mirrors::open(rules.fetching.clone())?);
        let library = Arc::new(Library::open(rules.actions.origin.clone(), rules.fetching.clone())?);
        let decider = Decider {
            rules: rules.clone(),
            server: server.clone(),
            mirrors,
            library,
            standing: standing.clone(),
            log: log.clone(),
            lately: Arc::default(),
        };
        let (builds, wanted) = builds::Builds::new();
        let decider = Arc::new(decider);
        let bench = Arc::new(Bench { rules, server, standing, decider, log, builds });
        policy::tell(&bench).await?;

        let mut parts: JoinSet<Result<(), WorkError>> = JoinSet::new();
        let (a, ends) = (bench.clone(), stop.clone());
        parts.spawn(async move { Ok(keep_telling(a.server.state(), &a.log, ends).await?) });
        parts.spawn(engine(bench.clone(), stop.clone()));
        parts.spawn(builds::run(bench.clone(), wanted, stop.clone()));
        parts.spawn(gauges::run(bench.clone(), readings, stop.clone()));
        parts.spawn(contact::run(bench.clone(), contact, stop.clone()));
        parts.spawn(repair(bench.clone(), stop.clone()));
        parts.spawn(intake::run(bench.clone(), stop.clone()));
        // The first part that ends before it was told to ends the desk: the others would wait for it in vain.
        let mut result = Ok(());
        while let Some(joined) = parts.join_next().await {
            let came = joined.unwrap_or_else(|fault| Err(WorkError::Fault(fault.to_string())));
            let early = !*stop.borrow();
            if result.is_ok() && (came.is_err() || early) {
                result = came.and_then(|()| {
                    if early { Err(WorkError::Fault("a part of the desk ended by itself".to_owned())) } else { Ok(()) }
                });
                if early {
                    break;
                }
            }
        }
        result
    }
}

impl Desk for WorkDesk {
    fn run(&self, office: Office) -> Pin<Box<dyn Future<Output = Result<(), DeskFailed>> + Send + '_>> {
        Box::pin(async move { self.work(office).await.map_err(|error| DeskFailed(Box::new(error))) })
    }
}

/// What is in force, from the records.
async fn restore(state: &jobs::State, standing: &Standing) -> Result<(), StateError> {
    for (project, body) in state.permits().await? {
        match serde_json::from_value(body) {
            Ok(permissions) => standing.put(&project, permissions),
            // Nothing is in force that cannot be read.
            Err(error) => tracing::error!(project, %error, "the permissions of a project cannot be read"),
        }
    }
    for (workspace, archived, _) in state.closed_workspaces().await? {
        let rule = if archived { PolicyRule::WorkspaceArchived } else { PolicyRule::ProjectRetired };
        standing.close(&workspace, Some(rule));
    }
    Ok(())
}

/// The engine, again and again: what runs survives it, and what the disk does not take now it takes later.
async fn engine(bench: Arc<Bench>, mut stop: watch::Receiver<bool>) -> Result<(), WorkError> {
    let rules = jobs::engine::Rules {
        capacity: bench.rules.capacity,
        pace: bench.rules.pace,
        after_failure: AfterFailure::GoOn,
    };
    loop {
        let (events, heard) = mpsc::unbounded_channel();
        let listening = tokio::spawn(note(heard));
        intake::again(&bench, &stop).await;
        match bench.server.run(rules, events, stop.clone()).await {
            Ok(()) => return Ok(()),
            Err(error) => {
                tracing::error!(%error, "the records cannot be used; jobs that run go on, and it is tried again")
            }
        }
        listening.abort();
        tokio::select! {
            () = tokio::time::sleep(REST) => {}
            () = ended(&mut stop) => return Ok(()),
        }
    }
}

/// The operator's log of what jobs do. What they use from moment to moment leaves no trace.
async fn note(mut heard: mpsc::UnboundedReceiver<Event>) {
    while let Some(event) = heard.recv().await {
        match event {
            Event::Stuck { action, message } => tracing::error!(%action, message, "a process cannot be ended"),
            Event::PutBack { action, message } => tracing::info!(%action, message, "a job waits again"),
            Event::Finished(report) => {
                tracing::info!(action = %report.action, code = %report.code, seconds = report.seconds, "a job ended");
            }
            Event::Modes(modes) => tracing::info!(?modes, "what may start has changed"),
            Event::Stage { .. } | Event::Sample { .. } => {}
        }
    }
}

/// Puts results in place that could not be at first, and copies the records once a day.
async fn repair(bench: Arc<Bench>, mut stop: watch::Receiver<bool>) -> Result<(), WorkError> {
    let mut before = Vec::new();
    let mut copied = Instant::now();
    loop {
        tokio::select! {
            () = tokio::time::sleep(REPAIR) => {}
            () = ended(&mut stop) => return Ok(()),
        }
        if copied.elapsed() >= DAY {
            copied = Instant::now();
            if let Err(error) = jobs::server::snapshot(&bench.rules.folders.state, jiff::Timestamp::now()).await {
                tracing::error!(%error, "the records cannot be copied now");
            }
        }
        match bench.server.repair(&before).await {
            Ok((now, done)) => {
                before = now;
                for problem in done.problems {
                    tracing::warn!(problem, "results are not in place yet");
                }
            }
            Err(error) => tracing::error!(%error, "results cannot be put in place now"),
        }
    }
}
