//! The model: a list of jobs, and the rules of scheduling read as plainly as they are written.

use jobs::schedule::{Capacity, Held, Modes, Moment, Pace, Pool, Weight};
use jobs::{JobId, JobState};
use pipeline::ActionName;

#[derive(Debug, Clone)]
pub struct Job {
    pub id: JobId,
    pub workspace: usize,
    pub action: ActionName,
    pub pool: Pool,
    pub weight: Weight,
    /// How many needs the action has in its project.
    pub needs: usize,
    /// Places in the list.
    pub pins: Vec<usize>,
    pub state: JobState,
    pub cancelled: bool,
    pub not_before: Option<Moment>,
    pub held: Option<Held>,
    pub for_reboot: bool,
    pub eligible_since: Option<Moment>,
    pub unfit_since: Option<Moment>,
}

pub struct Model {
    pub now: Moment,
    pub jobs: Vec<Job>,
    pub modes: Modes,
    pub capacity: Capacity,
    pub pace: Pace,
    /// By workspace and pool.
    pub last_start: Vec<[Option<Moment>; 2]>,
}

fn of(pool: Pool) -> usize {
    if pool == Pool::Db { 0 } else { 1 }
}

impl Model {
    /// The newest job of the action that is not cancelled or being cancelled.
    pub fn latest(&self, workspace: usize, action: &ActionName) -> Option<usize> {
        let is_it = |job: &Job| job.workspace == workspace && job.action == *action && !job.cancelled;
        self.jobs.iter().rposition(is_it)
    }

    pub fn place(&self, id: JobId) -> usize {
        self.jobs.iter().position(|job| job.id == id).unwrap()
    }

    pub fn in_state(&self, state: JobState) -> Vec<usize> {
        (0..self.jobs.len()).filter(|&at| self.jobs[at].state == state).collect()
    }

    pub fn waits(&self, at: usize) -> bool {
        self.jobs[at].pins.iter().any(|&pin| self.jobs[pin].state != JobState::Succeeded)
    }

    /// Every job that waits for this one, directly or not, fails.
    pub fn fail_dependants(&mut self, at: usize) -> Vec<usize> {
        let mut failed = Vec::new();
        let mut from = vec![at];
        while let Some(cause) = from.pop() {
            for other in 0..self.jobs.len() {
                if self.jobs[other].state == JobState::Pending && self.jobs[other].pins.contains(&cause) {
                    self.jobs[other].state = JobState::Failed;
                    failed.push(other);
                    from.push(other);
                }
            }
        }
        failed
    }

    fn effective(&self, weight: Weight, limit: Weight) -> f64 {
        weight.min(limit).to_string().parse().unwrap()
    }

    fn workers(limit: Weight) -> f64 {
        limit.to_string().parse().unwrap()
    }

    fn load(&self, pool: Option<Pool>, limit: Weight) -> f64 {
        let running = self.jobs.iter().filter(|job| job.state == JobState::Running);
        let counted = running.filter(|job| pool.is_none_or(|pool| pool == job.pool));
        counted.map(|job| self.effective(job.weight, limit)).sum()
    }

    pub fn fits(&self, at: usize) -> bool {
        let job = &self.jobs[at];
        let within =
            |pool, limit| self.load(pool, limit) + self.effective(job.weight, limit) <= Self::workers(limit) + 1e-9;
        within(Some(job.pool), self.capacity.of(job.pool))
            && self.capacity.together.is_none_or(|limit| within(None, limit))
    }

    /// Nothing runs beyond the capacity.
    pub fn overloaded(&self) -> bool {
        let over = |pool, limit| self.load(pool, limit) > Self::workers(limit) + 1e-9;
        Pool::ALL.into_iter().any(|pool| over(Some(pool), self.capacity.of(pool)))
            || self.capacity.together.is_some_and(|limit| over(None, limit))
    }

    pub fn eligible(&self, at: usize) -> bool {
        let job = &self.jobs[at];
        job.state == JobState::Pending
            && !self.waits(at)
            && !self.modes.paused
            && !self.modes.draining
            && !self.modes.offline
            && (job.pool == Pool::Other || self.modes.maintenance == jobs::schedule::Maintenance::Off)
            && match job.not_before {
                Some(at) => at <= self.now,
                None => job.held.is_none(),
            }
    }

    fn key(&self, at: usize) -> (i64, u8, usize) {
        let job = &self.jobs[at];
        let running = self.jobs.iter().filter(|j| j.state == JobState::Running && j.workspace == job.workspace).count();
        let served = self.last_start[job.workspace][of(job.pool)].unwrap_or_default();
        let since = job.eligible_since.unwrap().max(served);
        let credits = self.now.since(since).as_millis() / self.pace.age_step.as_millis();
        (running as i64 - credits as i64, of(job.pool) as u8, at)
    }

    /// The job that starts next, by the rules.
    pub fn next(&mut self) -> Option<usize> {
        for at in 0..self.jobs.len() {
            if self.eligible(at) {
                self.jobs[at].eligible_since.get_or_insert(self.now);
            } else {
                (self.jobs[at].eligible_since, self.jobs[at].unfit_since) = (None, None);
            }
        }
        let mut eligible: Vec<_> = (0..self.jobs.len()).filter(|&at| self.eligible(at)).collect();
        eligible.sort_by_key(|&at| self.key(at));
        let mut reserved = [false; 2];
        for pool in Pool::ALL {
            let Some(&best) = eligible.iter().find(|&&at| self.jobs[at].pool == pool) else { continue };
            if !self.fits(best) {
                let since = *self.jobs[best].unfit_since.get_or_insert(self.now);
                reserved[of(pool)] = self.now.since(since) >= self.pace.reserve_after;
            }
        }
        eligible.into_iter().find(|&at| self.fits(at) && !reserved[of(self.jobs[at].pool)])
    }

    pub fn start(&mut self, at: usize) {
        let (workspace, pool) = (self.jobs[at].workspace, of(self.jobs[at].pool));
        self.jobs[at].state = JobState::Running;
        self.jobs[at].held = None;
        self.last_start[workspace][pool] = Some(self.now);
    }
}
