//! Jobs on their way: the queue says which starts, each runs in a task of its own, and whatever happens wakes the floor.
//! Spec jobs.md 5-8, 18; cli.md 4.2.

mod ends;
mod stay;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc::UnboundedSender, watch};
use tokio::task::{Id, JoinSet};

use super::again;
use super::attempt::{self, Ended, Stop, attempt_of, now};
use super::controls::rung;
use super::{Awaited, Controls, Event, JobReport, Work, Workshop, standing};
use crate::schedule::{Capacity, Entry, Halt, Modes, Moment, Pace, Pool, Queue, Standing};
use crate::state::{Attempt, Job, Kill, StateError, Status, StatusCode};
use crate::{JobId, JobState};

pub use stay::serve;

/// The state is looked at this often even if nothing wakes the floor.
const SWEEP: Duration = Duration::from_secs(60);

/// What follows the first failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AfterFailure {
    /// Nothing new starts, and what runs is stopped.
    Stop,
    /// Everything that does not depend on it goes on.
    GoOn,
}

/// How jobs are scheduled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// How much may run at once.
    pub capacity: Capacity,
    /// What keeps scheduling fair.
    pub pace: Pace,
    /// What follows the first failure.
    pub after_failure: AfterFailure,
}

/// What became of the jobs of a run.
#[derive(Debug, Default)]
pub struct RunSummary {
    /// Those that had an attempt, in the order of their first starts.
    pub reports: Vec<JobReport>,
    /// Those that had none.
    pub not_started: Vec<JobReport>,
    /// Somebody stopped the run.
    pub interrupted: bool,
}

/// A running attempt.
struct Task {
    work: Arc<Work>,
    stop: watch::Sender<Option<Stop>>,
}

/// How long a job has lacked what it lacks.
#[derive(Default)]
struct Lack {
    since: Option<Instant>,
    /// The same in Unix seconds.
    since_at: i64,
    looks: u32,
}

struct Floor {
    shop: Arc<Workshop>,
    events: UnboundedSender<Event>,
    queue: Queue,
    epoch: Instant,
    /// Of every job that has not ended.
    works: BTreeMap<JobId, Arc<Work>>,
    running: JoinSet<Result<Ended, StateError>>,
    tasks: BTreeMap<Id, Task>,
    /// The number of each job's first start.
    starts: BTreeMap<JobId, usize>,
    reports: BTreeMap<usize, JobReport>,
    /// What the state says that a pending job waits for.
    told: BTreeMap<JobId, StatusCode>,
    lacks: BTreeMap<JobId, Lack>,
    /// Jobs that lack something which others are getting.
    awaited: BTreeMap<JobId, Awaited>,
    ending: bool,
    /// Whether what became of each job is wanted at the end; an engine that stays would never be done collecting.
    keeps: bool,
    summary: RunSummary,
}

/// Runs these jobs. Returns when none is left, or none that remains can ever start.
///
/// # Errors
/// The state cannot be read or written any more; running sandboxes have been told to end.
pub async fn run(
    shop: Arc<Workshop>,
    works: Vec<Work>,
    rules: Rules,
    events: UnboundedSender<Event>,
    mut controls: Controls,
) -> Result<RunSummary, StateError> {
    let mut floor = Floor::new(shop, rules, events);
    let works: Vec<_> = works.into_iter().map(Arc::new).collect();
    let ended = match floor.take_in(works).await {
        Ok(()) => floor.run(rules.after_failure, &mut controls).await,
        Err(error) => Err(error),
    };
    if ended.is_err() {
        // Whatever still runs ends before the error is told.
        floor.stop_tasks(Stop::Cancel);
        while floor.running.join_next().await.is_some() {}
    }
    floor.summary.reports = floor.reports.into_values().collect();
    ended.map(|()| floor.summary)
}

impl Floor {
    fn new(shop: Arc<Workshop>, rules: Rules, events: UnboundedSender<Event>) -> Self {
        Self {
            queue: Queue::new(rules.capacity, rules.pace),
            shop,
            events,
            epoch: Instant::now(),
            works: BTreeMap::new(),
            running: JoinSet::new(),
            tasks: BTreeMap::new(),
            starts: BTreeMap::new(),
            reports: BTreeMap::new(),
            told: BTreeMap::new(),
            lacks: BTreeMap::new(),
            awaited: BTreeMap::new(),
            ending: false,
            keeps: true,
            summary: RunSummary::default(),
        }
    }

    fn now(&self) -> Moment {
        Moment(1) + self.epoch.elapsed()
    }

    /// Jobs that are to run join the queue.
    async fn take_in(&mut self, works: Vec<Arc<Work>>) -> Result<(), StateError> {
        let pins = works.iter().flat_map(|work| work.job.pins.iter().map(|pin| pin.job)).collect::<Vec<_>>();
        let succeeded = self.shop.state.succeeded_of(&pins).await?;
        for work in works {
            let job = work.job.id;
            if self.works.contains_key(&job) {
                continue;
            }
            let entry = self.entry(&work.job, &succeeded);
            self.works.insert(job, work.clone());
            let awaited = self.awaited.remove(&job).is_some();
            match attempt_of(&work.job) {
                None if awaited => {
                    self.told.remove(&job);
                    self.queue.hold(job, None, None);
                }
                None => self.queue.add(entry),
                // It ran when the engine before this one ended: its supervisor is asked what became of it.
                Some(attempt) => {
                    self.queue.adopt(entry);
                    self.launch(work, Some(attempt));
                }
            }
        }
        Ok(())
    }

    fn entry(&self, job: &Job, succeeded: &BTreeSet<JobId>) -> Entry {
        let definition = &job.definition;
        let command = definition.words.join(" ");
        Entry {
            job: job.id,
            workspace: definition.workspace.clone(),
            pool: Pool::of(definition.is_database),
            weight: self.shop.settings.weights.of(&definition.workspace, definition.action.as_str(), &command),
            seq: job.seq,
            needs: job.pins.iter().map(|pin| pin.job).filter(|job| !succeeded.contains(job)).collect(),
            not_before: job.next_try_at.map(|at| self.now() + again::until(at)),
            held: None,
            for_reboot: job.status.code == StatusCode::WaitingOnReboot,
        }
    }

    async fn run(&mut self, after_failure: AfterFailure, controls: &mut Controls) -> Result<(), StateError> {
        let Controls { interrupt, bell } = controls;
        let mut sweep = tokio::time::interval(SWEEP);
        sweep.tick().await;
        self.look_at_state().await?;
        if *interrupt.borrow_and_update() {
            self.interrupted().await?;
        }
        loop {
            self.start();
            let standings = self.queue.standings(self.now());
            self.tell_standings(&standings).await?;
            let next = self.queue.next_change(self.now());
            let may_change = next.is_some() || self.queue.modes() != Modes::default();
            if self.running.is_empty() && !(may_change && self.queue.pending().next().is_some()) {
                return self.leave_the_rest();
            }
            let timer = next.map_or(SWEEP, |at| at.since(self.now()));
            tokio::select! {
                Some(joined) = self.running.join_next_with_id() => {
                    let failed = self.ended(joined).await?;
                    if failed && after_failure == AfterFailure::Stop && !self.ending {
                        self.stop_all().await?;
                    }
                }
                Ok(()) = interrupt.changed(), if !self.ending => self.interrupted().await?,
                () = rung(bell) => self.look_at_state().await?,
                _ = sweep.tick() => self.look_at_state().await?,
                () = tokio::time::sleep(timer) => {}
            }
        }
    }

    fn start(&mut self) {
        while let Some(job) = self.queue.start_next(self.now()) {
            if let Some(work) = self.works.get(&job).cloned() {
                self.launch(work, None);
            }
        }
    }

    fn launch(&mut self, work: Arc<Work>, adopted: Option<Attempt>) {
        let job = work.job.id;
        let (stop, stops) = watch::channel(None);
        let (shop, events) = (self.shop.clone(), self.events.clone());
        let task = self.running.spawn(attempt::run(shop, work.clone(), adopted, events, stops));
        self.tasks.insert(task.id(), Task { work, stop });
        let count = self.starts.len();
        self.starts.entry(job).or_insert(count);
        self.told.remove(&job);
    }

    /// What others have changed: modes, and cancelled jobs.
    async fn look_at_state(&mut self) -> Result<(), StateError> {
        let modes = Modes::of_flags(&self.shop.state.flags().await?);
        if modes != self.queue.modes() {
            let _ = self.events.send(Event::Modes(modes));
        }
        let halts: BTreeMap<_, _> = self.queue.set_modes(modes).into_iter().collect();
        let ids: Vec<_> = self.works.keys().chain(self.awaited.keys()).copied().collect();
        let outside = self.shop.state.outside(&ids).await?;
        for task in self.tasks.values() {
            let Some(row) = outside.get(&task.work.job.id) else { continue };
            let halt = halts.get(&task.work.job.id);
            // Cancelling wins over everything.
            let stop = match (row.cancel_requested, row.kill, halt) {
                (true, ..) => Stop::Cancel,
                (false, Some(Kill::Fail), _) => Stop::Fail,
                (false, _, Some(halt)) => Stop::Halt(*halt),
                (false, Some(Kill::Retry), None) => Stop::Halt(Halt::Operator),
                (false, None, None) => continue,
            };
            task.stop.send_replace(Some(stop));
        }
        let running: BTreeSet<_> = self.tasks.values().map(|task| task.work.job.id).collect();
        for (job, row) in outside {
            if row.code.state() == JobState::Failed && !running.contains(&job) {
                self.drop_waiting(job, row.code, &row.message);
            }
        }
        Ok(())
    }

    /// The state says what each pending job waits for, as far as that has changed.
    async fn tell_standings(&mut self, standings: &[(JobId, Standing)]) -> Result<(), StateError> {
        let name = |job| self.job(job).map(|job| job.definition.action.to_string());
        let changed: Vec<_> = standings
            .iter()
            .filter(|(job, standing)| self.told.get(job) != Some(&standing.code()))
            .map(|(job, standing)| (*job, self.lacking(*job, standing::status(standing, name))))
            .collect();
        self.shop.state.set_codes(&changed, now()).await?;
        self.told.extend(changed.into_iter().map(|(job, status)| (job, status.code)));
        Ok(())
    }

    fn job(&self, job: JobId) -> Option<&Job> {
        self.works.get(&job).map(|work| &work.job).or_else(|| self.awaited.get(&job).map(|awaited| &awaited.job))
    }

    /// With what is lacking, and since when.
    fn lacking(&self, job: JobId, status: Status) -> Status {
        let since = self.lacks.get(&job).map(|lack| lack.since_at);
        let awaited = self.awaited.get(&job);
        let since = awaited.map(|awaited| awaited.since).or(since).unwrap_or_else(|| now().as_second());
        match status.code {
            StatusCode::WaitingOnImage | StatusCode::WaitingOnCode | StatusCode::WaitingOnDisk => {
                let image = awaited.and_then(|awaited| awaited.image.clone());
                status.telling(|tells| (tells.since, tells.image) = (Some(since), image))
            }
            _ => status,
        }
    }

    async fn interrupted(&mut self) -> Result<(), StateError> {
        self.summary.interrupted = true;
        self.stop_all().await
    }

    /// Nothing starts any more, and what runs is ended.
    async fn stop_all(&mut self) -> Result<(), StateError> {
        self.ending = true;
        let mut by_request = BTreeMap::new();
        for work in self.works.values() {
            let actions: &mut Vec<_> = by_request.entry(work.job.request).or_default();
            actions.push(work.job.definition.action.clone());
        }
        for (request, actions) in by_request {
            self.shop.state.cancel(request, &actions, now()).await?;
        }
        let waiting: Vec<_> = self.queue.pending().collect();
        for job in waiting {
            self.drop_waiting(job, StatusCode::CancelledByUser, "Not started: the run was stopped");
        }
        self.stop_tasks(Stop::Cancel);
        Ok(())
    }

    fn stop_tasks(&self, why: Stop) {
        for task in self.tasks.values() {
            task.stop.send_replace(Some(why));
        }
    }

    /// What can never start is said to be left, in the order of the plan.
    fn leave_the_rest(&mut self) -> Result<(), StateError> {
        let left: Vec<_> = self.queue.pending().collect();
        for job in left {
            self.drop_waiting(job, StatusCode::WaitingOnDependencies, "Not started: waits for a job of another run");
        }
        Ok(())
    }

    fn drop_waiting(&mut self, job: JobId, code: StatusCode, message: &str) {
        self.queue.ended(job);
        let Some(action) = self.job(job).map(|job| job.definition.action.clone()) else { return };
        self.forget(job);
        let report = JobReport::not_started(action, code, message);
        self.tell(&report);
        if self.keeps {
            self.summary.not_started.push(report);
        }
    }

    fn forget(&mut self, job: JobId) {
        self.told.remove(&job);
        self.lacks.remove(&job);
        self.awaited.remove(&job);
        self.works.remove(&job);
        if !self.keeps {
            self.starts.remove(&job);
        }
    }

    fn tell(&self, report: &JobReport) {
        // Nobody listening is no fault.
        let _ = self.events.send(Event::Finished(Box::new(report.clone())));
    }
}
