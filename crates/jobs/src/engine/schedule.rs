//! Which job starts when: as many as may run, in the order of the plan, each the moment its needs have succeeded.
//! Spec jobs.md 5 (without pools and weights, which a laptop does not have), 18; cli.md 4.2.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::{mpsc::UnboundedSender, watch};
use tokio::task::{Id, JoinSet};

use super::attempt::{self, Ended, attempt_of};
use super::{Event, JobReport, Work, Workshop};
use crate::state::{JobResult, StateError, StatusCode};
use crate::{JobId, JobState};

/// What follows the first failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AfterFailure {
    /// Nothing new starts, and what runs is stopped.
    Stop,
    /// Everything that does not depend on it goes on.
    GoOn,
}

/// What became of the jobs of a run.
#[derive(Debug, Default)]
pub struct RunSummary {
    /// Those that had an attempt, in the order of their starts.
    pub reports: Vec<JobReport>,
    /// Those that had none.
    pub not_started: Vec<JobReport>,
    /// Somebody stopped the run.
    pub interrupted: bool,
}

/// Jobs on their way.
struct Floor {
    shop: Arc<Workshop>,
    events: UnboundedSender<Event>,
    /// Stops every running attempt.
    stop: watch::Sender<bool>,
    running: JoinSet<Result<Ended, StateError>>,
    /// With the number of its start.
    tasks: BTreeMap<Id, (usize, Arc<Work>)>,
    starts: usize,
    /// By number of start.
    reports: BTreeMap<usize, JobReport>,
    /// In the order of the plan.
    waiting: VecDeque<Arc<Work>>,
    /// Jobs of this run that have not succeeded yet.
    open: BTreeSet<JobId>,
    summary: RunSummary,
}

/// Runs these jobs of one request. `interrupt` becomes true when somebody wants the run to end.
///
/// # Errors
/// The state cannot be read or written any more; running sandboxes have been told to end.
pub async fn run(
    shop: Arc<Workshop>,
    works: Vec<Work>,
    concurrency: usize,
    after_failure: AfterFailure,
    events: UnboundedSender<Event>,
    mut interrupt: watch::Receiver<bool>,
) -> Result<RunSummary, StateError> {
    let open = works.iter().map(|work| work.job.id).collect();
    let (stop, _) = watch::channel(false);
    let mut floor = Floor {
        shop,
        events,
        stop,
        running: JoinSet::new(),
        tasks: BTreeMap::new(),
        starts: 0,
        reports: BTreeMap::new(),
        waiting: works.into_iter().map(Arc::new).collect(),
        open,
        summary: RunSummary::default(),
    };
    let ended = floor.run(concurrency.max(1), after_failure, &mut interrupt).await;
    if ended.is_err() {
        // Whatever still runs ends before the error is told.
        let _ = floor.stop.send(true);
        while floor.running.join_next().await.is_some() {}
    }
    floor.summary.reports = floor.reports.into_values().collect();
    ended.map(|()| floor.summary)
}

impl Floor {
    async fn run(
        &mut self,
        concurrency: usize,
        after_failure: AfterFailure,
        interrupt: &mut watch::Receiver<bool>,
    ) -> Result<(), StateError> {
        let mut ending = *interrupt.borrow_and_update();
        if ending {
            self.interrupted().await?;
        }
        loop {
            while self.running.len() < concurrency && self.start_next() {}
            if self.running.is_empty() {
                return Ok(());
            }
            tokio::select! {
                Some(joined) = self.running.join_next_with_id() => {
                    let failed = self.ended(joined).await?;
                    if failed && after_failure == AfterFailure::Stop && !ending {
                        ending = true;
                        self.stop_all().await?;
                    }
                }
                Ok(()) = interrupt.changed(), if !ending => {
                    ending = true;
                    self.interrupted().await?;
                }
            }
        }
    }

    /// Starts the first waiting job whose needs have all succeeded.
    fn start_next(&mut self) -> bool {
        let ready = |work: &Arc<Work>| work.job.pins.iter().all(|pin| !self.open.contains(&pin.job));
        let Some(place) = self.waiting.iter().position(ready) else { return false };
        let Some(work) = self.waiting.remove(place) else { return false };
        let (shop, events, stop) = (self.shop.clone(), self.events.clone(), self.stop.subscribe());
        let task = self.running.spawn(attempt::run(shop, work.clone(), events, stop));
        self.tasks.insert(task.id(), (self.starts, work));
        self.starts += 1;
        true
    }

    /// Takes in an ended attempt; says whether its job failed.
    async fn ended(
        &mut self,
        joined: Result<(Id, Result<Ended, StateError>), tokio::task::JoinError>,
    ) -> Result<bool, StateError> {
        let id = joined.as_ref().map_or_else(tokio::task::JoinError::id, |(id, _)| *id);
        let Some((start, work)) = self.tasks.remove(&id) else { return Ok(false) };
        let Ended { finished, report } = match joined {
            Ok((_, ended)) => ended?,
            Err(fault) => self.panicked(&work, &fault).await?,
        };
        if finished.code.state() == JobState::Succeeded {
            self.open.remove(&work.job.id);
        }
        for job in &finished.failed_dependants {
            self.drop_waiting(*job, StatusCode::DependencyFailed, &format!("Needs {}, which failed", report.action));
        }
        let failed = !report.succeeded();
        self.tell(&report);
        self.reports.insert(start, report);
        Ok(failed)
    }

    /// A fault of this program ends one job and nothing else.
    async fn panicked(&self, work: &Work, fault: &tokio::task::JoinError) -> Result<Ended, StateError> {
        let status = attempt::panicked(fault);
        let action = work.job.definition.action.clone();
        let report = JobReport::not_started(action, status.code, status.message.clone());
        let job = self.shop.state.job(work.job.id).await?;
        let finished = match attempt_of(&job) {
            Some(attempt) => {
                let (outputs, components) = (Vec::new(), None);
                let result =
                    JobResult { status, outputs, components, exit_code: None, milliseconds: None, peak_bytes: None };
                self.shop.state.finish(&attempt, &result, Timestamp::now()).await?
            }
            None => crate::state::Finished { code: job.status.code, failed_dependants: Vec::new() },
        };
        Ok(Ended { finished, report })
    }

    async fn interrupted(&mut self) -> Result<(), StateError> {
        self.summary.interrupted = true;
        self.stop_all().await
    }

    /// Nothing starts any more, and what runs is ended.
    async fn stop_all(&mut self) -> Result<(), StateError> {
        let by_request: BTreeMap<_, Vec<_>> = self
            .waiting
            .iter()
            .chain(self.tasks.values().map(|(_, work)| work))
            .fold(BTreeMap::new(), |mut all, work| {
                all.entry(work.job.request).or_insert_with(Vec::new).push(work.job.definition.action.clone());
                all
            });
        for (request, actions) in by_request {
            self.shop.state.cancel(request, &actions, Timestamp::now()).await?;
        }
        let waiting: Vec<_> = self.waiting.iter().map(|work| work.job.id).collect();
        for job in waiting {
            self.drop_waiting(job, StatusCode::CancelledByUser, "Not started: the run was stopped");
        }
        let _ = self.stop.send(true);
        Ok(())
    }

    fn drop_waiting(&mut self, job: JobId, code: StatusCode, message: &str) {
        let Some(place) = self.waiting.iter().position(|work| work.job.id == job) else { return };
        let Some(work) = self.waiting.remove(place) else { return };
        let report = JobReport::not_started(work.job.definition.action.clone(), code, message);
        self.tell(&report);
        self.summary.not_started.push(report);
    }

    fn tell(&self, report: &JobReport) {
        // Nobody listening is no fault.
        let _ = self.events.send(Event::Finished(Box::new(report.clone())));
    }
}
