//! One history: random events told to the real planner and queue, and to the model, which must agree after each.

use std::collections::BTreeMap;
use std::time::Duration;

use jobs::plan::plan;
use jobs::schedule::{Capacity, Entry, Held, Maintenance, Modes, Moment, Pace, Pool, Queue, Standing, Weight};
use jobs::{JobId, JobState, LatestJob, Pin, PlanRequest, RequestId, Stale, Staleness, WorkspaceName};
use pipeline::{ActionName, Project};

use crate::chance::Chance;
use crate::common;
use crate::model::{Job, Model};

/// How often what happened, over all histories.
#[derive(Debug, Default)]
pub struct Seen {
    requests: u64,
    jobs: u64,
    nothing_to_do: u64,
    starts: u64,
    successes: u64,
    failures: u64,
    dependency_failures: u64,
    retries: u64,
    cancelled_pending: u64,
    cancelled_running: u64,
    halts: u64,
    shared_waits: u64,
    reserved: u64,
}

impl Seen {
    fn all(&mut self) -> [&mut u64; 13] {
        [
            &mut self.requests,
            &mut self.jobs,
            &mut self.nothing_to_do,
            &mut self.starts,
            &mut self.successes,
            &mut self.failures,
            &mut self.dependency_failures,
            &mut self.retries,
            &mut self.cancelled_pending,
            &mut self.cancelled_running,
            &mut self.halts,
            &mut self.shared_waits,
            &mut self.reserved,
        ]
    }

    pub fn and(mut self, mut other: Self) -> Self {
        self.all().into_iter().zip(other.all()).for_each(|(mine, theirs)| *mine += *theirs);
        self
    }

    pub fn all_happened(&self) -> bool {
        let Self { requests, jobs, nothing_to_do, starts, successes, failures, .. } = self;
        let Self { dependency_failures, retries, cancelled_pending, cancelled_running, halts, .. } = self;
        [requests, jobs, nothing_to_do, starts, successes, failures, dependency_failures, retries]
            .iter()
            .all(|n| **n > 0)
            && [cancelled_pending, cancelled_running, halts, &self.shared_waits, &self.reserved].iter().all(|n| **n > 0)
    }
}

struct World<'a> {
    chance: Chance,
    projects: Vec<Project>,
    workspaces: Vec<WorkspaceName>,
    model: Model,
    queue: Queue,
    requests: u8,
    seen: &'a mut Seen,
}

/// Lives one history from its seed to the end of its last job.
pub fn live(mut chance: Chance, seen: &mut Seen) {
    let count = 1 + chance.below(3);
    let capacity = Capacity {
        db: Weight::workers(1 + chance.below(2) as u32),
        other: Weight::workers(1 + chance.below(3) as u32),
        together: chance.one_in(3).then(|| Weight::workers(2)),
    };
    let pace = Pace { age_step: Duration::from_secs(20), reserve_after: Duration::from_secs(10) };
    let projects = (0..count).map(|_| a_project(&mut chance)).collect();
    let workspaces = (0..count).map(|i| format!("w{i}").parse().unwrap()).collect();
    let model = Model {
        now: Moment(1),
        jobs: Vec::new(),
        modes: Modes::default(),
        capacity,
        pace,
        last_start: vec![[None; 2]; count],
    };
    let queue = Queue::new(capacity, pace);
    let mut world = World { chance, projects, workspaces, model, queue, requests: 0, seen };
    for _ in 0..10 + world.chance.below(20) {
        world.event();
        world.settle();
    }
    world.end();
}

/// Needs go from later to earlier actions.
fn a_project(chance: &mut Chance) -> Project {
    let n = 1 + chance.below(6);
    common::project((0..n).map(|i| {
        let needs = (0..i).filter(|_| chance.one_in(2)).map(|need| format!("a{need}")).collect();
        let run = if chance.one_in(3) { format!("sqlrunner:v1 q{i}.sql") } else { format!("python:v2 a{i}.py") };
        (format!("a{i}"), run, needs)
    }))
}

impl World<'_> {
    fn event(&mut self) {
        match self.chance.below(20) {
            0..5 => self.request(),
            5..12 => self.end_of_a_run(),
            12..14 => self.model.now = self.model.now + Duration::from_secs(1 + self.chance.below(30) as u64),
            14..16 => self.cancel(),
            16..18 => self.modes(),
            _ => self.hold(),
        }
    }

    fn request(&mut self) {
        let workspace = self.chance.below(self.workspaces.len());
        let project = &self.projects[workspace];
        let names: Vec<ActionName> = project.actions.iter().map(|action| action.name.clone()).collect();
        let run_all = ActionName::new("run_all");
        let requested = (0..1 + self.chance.below(2))
            .map(
                |_| if self.chance.one_in(3) { run_all.clone() } else { names[self.chance.below(names.len())].clone() },
            )
            .collect();
        let stale = if self.chance.one_in(2) { Stale::Rerun } else { Stale::Keep };
        let request = PlanRequest { requested, force: self.chance.one_in(5), stale, codelists_ok: true, commit: None };
        let latest: BTreeMap<_, _> = names
            .iter()
            .filter_map(|name| {
                let job = &self.model.jobs[self.model.latest(workspace, name)?];
                let outputs_missing = job.state == JobState::Succeeded && self.chance.one_in(12);
                let (job, state, staleness) = (job.id, job.state, Staleness::UpToDate);
                Some((name.clone(), LatestJob { job, state, outputs_missing, staleness, commit: None }))
            })
            .collect();
        let planned = plan(project, &request, &latest).unwrap();
        self.seen.requests += 1;
        self.seen.nothing_to_do += u64::from(planned.nothing_to_do.is_some());
        let id = RequestId::from_random([self.requests; 10]);
        self.requests += 1;
        for visited in planned.new_jobs() {
            let action = &project.actions[visited.index];
            let pinned = |pin: &jobs::PinnedNeed| match pin.pin {
                Pin::Existing(job) => self.model.place(job),
                Pin::New => self.model.place(JobId::of(&id, &pin.action)),
            };
            let pins: Vec<usize> = visited.pins.iter().map(pinned).collect();
            let job = Job {
                id: JobId::of(&id, &visited.action),
                workspace,
                action: visited.action.clone(),
                pool: Pool::of(action.is_database()),
                weight: self.chance.pick(&[500, 1000, 1000, 2000, 5000].map(thousandths)),
                needs: action.needs.len(),
                pins,
                state: JobState::Pending,
                cancelled: false,
                not_before: None,
                held: None,
                for_reboot: false,
                eligible_since: None,
                unfit_since: None,
            };
            let open = |&&pin: &&usize| self.model.jobs[pin].state != JobState::Succeeded;
            let needs: Vec<_> = job.pins.iter().filter(open).map(|&pin| self.model.jobs[pin].id).collect();
            let of_others = |need: &JobId| !planned.new_jobs().any(|new| JobId::of(&id, &new.action) == *need);
            self.seen.shared_waits += u64::from(needs.iter().any(of_others));
            self.queue.add(Entry {
                job: job.id,
                workspace: self.workspaces[workspace].clone(),
                pool: job.pool,
                weight: job.weight,
                seq: self.model.jobs.len() as i64,
                needs,
                not_before: None,
                held: None,
                for_reboot: false,
            });
            self.model.jobs.push(job);
            self.seen.jobs += 1;
        }
    }

    fn end_of_a_run(&mut self) {
        let running = self.model.in_state(JobState::Running);
        if running.is_empty() {
            return;
        }
        let at = running[self.chance.below(running.len())];
        let id = self.model.jobs[at].id;
        if self.model.jobs[at].cancelled {
            self.fail(at);
            return;
        }
        match self.chance.below(8) {
            0 => {
                let wait = Duration::from_secs(self.chance.below(40) as u64);
                self.put_back(at, Some(self.model.now + wait), false);
                self.seen.retries += 1;
            }
            1 => {
                self.fail(at);
                self.seen.failures += 1;
            }
            _ => {
                self.model.jobs[at].state = JobState::Succeeded;
                self.queue.succeeded(id);
                self.seen.successes += 1;
            }
        }
    }

    fn put_back(&mut self, at: usize, not_before: Option<Moment>, for_reboot: bool) {
        let job = &mut self.model.jobs[at];
        (job.state, job.not_before, job.for_reboot) = (JobState::Pending, not_before, for_reboot);
        (job.eligible_since, job.unfit_since) = (None, None);
        self.queue.put_back(job.id, not_before, for_reboot);
    }

    /// Ends a job that did not succeed, and what waits for it.
    fn fail(&mut self, at: usize) {
        self.model.jobs[at].state = JobState::Failed;
        self.queue.ended(self.model.jobs[at].id);
        for other in self.model.fail_dependants(at) {
            self.queue.ended(self.model.jobs[other].id);
            self.seen.dependency_failures += 1;
        }
    }

    fn cancel(&mut self) {
        if self.model.jobs.is_empty() {
            return;
        }
        let at = self.chance.below(self.model.jobs.len());
        match self.model.jobs[at].state {
            JobState::Pending => {
                self.model.jobs[at].cancelled = true;
                self.fail(at);
                self.seen.cancelled_pending += 1;
            }
            JobState::Running => {
                self.model.jobs[at].cancelled = true;
                self.seen.cancelled_running += 1;
            }
            // A finished job is left as it is.
            JobState::Succeeded | JobState::Failed => {}
        }
    }

    fn modes(&mut self) {
        let mut modes = self.model.modes;
        match self.chance.below(5) {
            0 => modes.paused = !modes.paused,
            1 => modes.draining = !modes.draining,
            2 => modes.offline = !modes.offline,
            _ => {
                modes.maintenance =
                    if modes.maintenance == Maintenance::Off { Maintenance::Manual } else { Maintenance::Off };
            }
        }
        self.set_modes(modes);
    }

    fn set_modes(&mut self, modes: Modes) {
        self.model.modes = modes;
        for (job, why) in self.queue.set_modes(modes) {
            let at = self.model.place(job);
            assert_eq!(self.model.jobs[at].state, JobState::Running);
            self.seen.halts += 1;
            // Cancelling wins over every mode.
            if self.model.jobs[at].cancelled {
                self.fail(at);
            } else {
                self.put_back(at, None, why == jobs::schedule::Halt::Reboot);
            }
        }
        for at in self.model.in_state(JobState::Running) {
            let stays =
                !modes.draining && (modes.maintenance == Maintenance::Off || self.model.jobs[at].pool == Pool::Other);
            assert!(stays, "history {}: a job runs in a mode that stops it", self.chance.seed);
        }
    }

    fn hold(&mut self) {
        let pending = self.model.in_state(JobState::Pending);
        if pending.is_empty() {
            return;
        }
        let at = pending[self.chance.below(pending.len())];
        let held =
            if self.chance.one_in(2) { Some(self.chance.pick(&[Held::Image, Held::Code, Held::Disk])) } else { None };
        let wait = Duration::from_secs(self.chance.below(40) as u64);
        let not_before = self.chance.one_in(2).then_some(self.model.now + wait);
        let job = &mut self.model.jobs[at];
        (job.held, job.not_before) = (held, not_before);
        self.queue.hold(job.id, held, not_before);
    }

    /// Starts all that may start, asking the model each time.
    fn settle(&mut self) {
        loop {
            let expected = self.model.next();
            let started = self.queue.start_next(self.model.now);
            let seed = self.chance.seed;
            assert_eq!(started, expected.map(|at| self.model.jobs[at].id), "history {seed}: another job should start");
            let Some(at) = expected else { break };
            let job = &self.model.jobs[at];
            assert_eq!(job.state, JobState::Pending, "history {seed}: {} runs twice", job.id);
            assert_eq!(job.pins.len(), job.needs, "history {seed}: {} has fewer inputs than planned", job.id);
            assert!(!self.model.waits(at), "history {seed}: {} has an input that is not there", job.id);
            self.model.start(at);
            self.seen.starts += 1;
            assert!(!self.model.overloaded(), "history {seed}: more runs than may");
        }
        let idle = (0..self.model.jobs.len()).any(|at| self.model.eligible(at) && self.model.fits(at));
        self.seen.reserved += u64::from(idle);
        self.standings();
    }

    fn standings(&mut self) {
        let seed = self.chance.seed;
        let standings = self.queue.standings(self.model.now);
        assert_eq!(standings.len(), self.model.in_state(JobState::Pending).len(), "history {seed}");
        let mut positions = [Vec::new(), Vec::new()];
        for (job, standing) in standings {
            let at = self.model.place(job);
            match standing {
                Standing::Worker { pool, position, .. } => {
                    assert!(self.model.eligible(at), "history {seed}: {job} has a position and may not start");
                    positions[usize::from(pool == Pool::Other)].push(position);
                }
                other => assert!(!self.model.eligible(at), "history {seed}: {job} may start and is {other:?}"),
            }
        }
        for mut positions in positions {
            positions.sort_unstable();
            assert!(positions.iter().copied().eq(1..=positions.len()), "history {seed}: {positions:?}");
        }
    }

    /// With every mode lifted and every fault gone, each job that can run does.
    fn end(&mut self) {
        self.set_modes(Modes::default());
        for at in self.model.in_state(JobState::Pending) {
            self.model.jobs[at].held = None;
            self.model.jobs[at].not_before = None;
            self.queue.hold(self.model.jobs[at].id, None, None);
        }
        self.settle();
        while let Some(&at) = self.model.in_state(JobState::Running).first() {
            self.model.now = self.model.now + Duration::from_secs(5);
            if self.model.jobs[at].cancelled {
                self.fail(at);
            } else {
                self.model.jobs[at].state = JobState::Succeeded;
                self.queue.succeeded(self.model.jobs[at].id);
            }
            self.settle();
        }
        let left = self.model.in_state(JobState::Pending);
        assert!(left.is_empty(), "history {}: {} jobs never start", self.chance.seed, left.len());
        assert_eq!(self.queue.running().count() + self.queue.pending().count(), 0);
    }
}

fn thousandths(weight: u32) -> Weight {
    Weight::decimal(f64::from(weight) / 1000.0).unwrap()
}
