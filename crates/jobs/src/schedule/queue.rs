//! Pending and running jobs, and which of them starts next.
//! Spec jobs.md 5. Ranks are worked out anew for each start: nothing that happened in between is missed.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use super::{Capacity, Entry, Halt, Held, Modes, Moment, Pace, Pool, Standing};
use crate::{JobId, WorkspaceName};

/// Every pending and running job of one engine.
#[derive(Debug)]
pub struct Queue {
    capacity: Capacity,
    pace: Pace,
    modes: Modes,
    pending: BTreeMap<JobId, Waiting>,
    running: BTreeMap<JobId, Entry>,
    workspaces: HashMap<WorkspaceName, Share>,
    /// By the job that is waited for.
    waiters: HashMap<JobId, Vec<JobId>>,
}

#[derive(Debug)]
struct Waiting {
    entry: Entry,
    needs: BTreeSet<JobId>,
    eligible_since: Option<Moment>,
    /// Since when it has been the best-ranked job of its pool and has not fitted; kept while it stays eligible.
    unfit_since: Option<Moment>,
}

/// What a workspace has of the workers.
#[derive(Debug, Default)]
struct Share {
    running: i64,
    /// By pool.
    last_start: [Option<Moment>; 2],
}

/// The smallest starts first.
type Rank = (i64, Pool, i64);

impl Queue {
    /// With nothing in it.
    pub fn new(capacity: Capacity, pace: Pace) -> Self {
        Self {
            capacity,
            pace,
            modes: Modes::default(),
            pending: BTreeMap::new(),
            running: BTreeMap::new(),
            workspaces: HashMap::new(),
            waiters: HashMap::new(),
        }
    }

    /// Takes in a pending job. One that is known is left as it is.
    pub fn add(&mut self, entry: Entry) {
        if self.running.contains_key(&entry.job) || self.pending.contains_key(&entry.job) {
            return;
        }
        let needs: BTreeSet<_> = entry.needs.iter().copied().collect();
        for need in &needs {
            self.waiters.entry(*need).or_default().push(entry.job);
        }
        self.pending.insert(entry.job, Waiting { entry, needs, eligible_since: None, unfit_since: None });
    }

    /// Takes in a job that already runs: one that was adopted after a restart.
    pub fn adopt(&mut self, entry: Entry) {
        self.pending.remove(&entry.job);
        self.workspaces.entry(entry.workspace.clone()).or_default().running += 1;
        self.running.insert(entry.job, entry);
    }

    /// The next job to start now, which from now on counts as running; `None` if none may.
    pub fn start_next(&mut self, now: Moment) -> Option<JobId> {
        self.refresh(now);
        let ranked = self.ranked(now);
        let mut reserved = [false; 2];
        let mut best_seen = [false; 2];
        let mut chosen = None;
        for (_, job) in &ranked {
            let Some(waiting) = self.pending.get(job) else { continue };
            let pool = waiting.entry.pool.index();
            let fits = self.fits(&waiting.entry);
            let is_best = !std::mem::replace(&mut best_seen[pool], true);
            if is_best && !fits {
                let since = *self.pending.get_mut(job)?.unfit_since.get_or_insert(now);
                reserved[pool] = now.since(since) >= self.pace.reserve_after;
            }
            if fits && !reserved[pool] {
                chosen.get_or_insert(*job);
            }
            // The best of each pool must be looked at, also when another job was chosen before.
            if chosen.is_some() && best_seen == [true; 2] {
                break;
            }
        }
        let mut entry = self.pending.remove(&chosen?)?.entry;
        entry.held = None;
        let share = self.workspaces.entry(entry.workspace.clone()).or_default();
        share.running += 1;
        share.last_start[entry.pool.index()] = Some(now);
        let job = entry.job;
        self.running.insert(job, entry);
        Some(job)
    }

    /// A running job succeeded: its worker is free, and what waited for it waits no longer.
    pub fn succeeded(&mut self, job: JobId) {
        self.leave(job);
        for waiter in self.waiters.remove(&job).unwrap_or_default() {
            if let Some(waiting) = self.pending.get_mut(&waiter) {
                waiting.needs.remove(&job);
            }
        }
    }

    /// A job ended and did not succeed, or will never start. What waits for it is for the caller to end as well.
    pub fn ended(&mut self, job: JobId) {
        self.leave(job);
        self.waiters.remove(&job);
        self.pending.remove(&job);
    }

    /// A running job is pending again, at its old place.
    pub fn put_back(&mut self, job: JobId, not_before: Option<Moment>, for_reboot: bool) {
        if let Some(entry) = self.leave(job) {
            self.add(Entry { not_before, for_reboot, needs: Vec::new(), ..entry });
        }
    }

    /// A pending job lacks something, or no longer does; it is looked at again at `not_before`.
    pub fn hold(&mut self, job: JobId, held: Option<Held>, not_before: Option<Moment>) {
        if let Some(waiting) = self.pending.get_mut(&job) {
            waiting.entry.held = held;
            waiting.entry.not_before = not_before;
        }
    }

    /// Sets the modes; gives the running jobs that must stop, with why.
    pub fn set_modes(&mut self, modes: Modes) -> Vec<(JobId, Halt)> {
        self.modes = modes;
        let halts = |(job, entry): (&JobId, &Entry)| modes.halts(entry.pool).map(|why| (*job, why));
        self.running.iter().filter_map(halts).collect()
    }

    /// Changes how much may run at once; what runs carries on.
    pub fn set_capacity(&mut self, capacity: Capacity) {
        self.capacity = capacity;
    }

    /// The modes.
    pub fn modes(&self) -> Modes {
        self.modes
    }

    /// The earliest moment at which a job becomes eligible with nothing else happening.
    pub fn next_change(&self, now: Moment) -> Option<Moment> {
        self.pending.values().filter_map(|waiting| waiting.entry.not_before).filter(|at| *at > now).min()
    }

    /// The jobs that run.
    pub fn running(&self) -> impl Iterator<Item = JobId> {
        self.running.keys().copied()
    }

    /// The jobs that do not.
    pub fn pending(&self) -> impl Iterator<Item = JobId> {
        self.pending.keys().copied()
    }

    /// What every pending job waits for.
    pub fn standings(&mut self, now: Moment) -> Vec<(JobId, Standing)> {
        self.refresh(now);
        let mut positions = BTreeMap::new();
        let mut counts = [0; 2];
        for ((_, pool, _), job) in self.ranked(now) {
            counts[pool.index()] += 1;
            positions.insert(job, counts[pool.index()]);
        }
        let standing = |(job, waiting): (&JobId, &Waiting)| (*job, self.standing(waiting, positions.get(job), now));
        self.pending.iter().map(standing).collect()
    }

    fn standing(&self, waiting: &Waiting, position: Option<&usize>, now: Moment) -> Standing {
        let Entry { pool, weight, not_before, held, for_reboot, .. } = waiting.entry;
        if self.modes.is_paused() {
            return if for_reboot { Standing::Reboot } else { Standing::Paused };
        }
        if !self.modes.may_start(pool) {
            return Standing::Maintenance;
        }
        if !waiting.needs.is_empty() {
            return Standing::Dependencies(waiting.needs.iter().copied().collect());
        }
        let later = not_before.filter(|at| *at > now);
        match (held, later) {
            (Some(held), Some(_)) => Standing::Held(held),
            (Some(held), None) if not_before.is_none() => Standing::Held(held),
            (None, Some(at)) => Standing::NextTry(at),
            (_, None) => Standing::Worker { pool, position: position.copied().unwrap_or(1), weight },
        }
    }

    /// How full a pool is: whole workers, jobs that run, jobs that wait, whole workers that are taken.
    pub fn fullness(&self, pool: Pool) -> [u64; 4] {
        let limit = self.capacity.of(pool);
        let running = || self.running.values().filter(|entry| entry.pool == pool);
        let taken: u64 = running().map(|entry| entry.weight.min(limit).thousandths()).sum();
        let waiting = self.pending.values().filter(|waiting| waiting.entry.pool == pool).count();
        [limit.whole(), running().count() as u64, waiting as u64, taken.div_ceil(1000)]
    }

    fn leave(&mut self, job: JobId) -> Option<Entry> {
        let entry = self.running.remove(&job)?;
        if let Some(share) = self.workspaces.get_mut(&entry.workspace) {
            share.running -= 1;
        }
        Some(entry)
    }

    /// Notes since when each job has been eligible.
    fn refresh(&mut self, now: Moment) {
        let modes = self.modes;
        for waiting in self.pending.values_mut() {
            waiting.entry.for_reboot &= modes.is_paused();
            let Entry { pool, not_before, held, .. } = waiting.entry;
            // What is lacking is looked for again when the time comes; without a time somebody must say that it is there.
            let may_begin = not_before.map_or(held.is_none(), |at| at <= now);
            if modes.may_start(pool) && waiting.needs.is_empty() && may_begin {
                waiting.eligible_since.get_or_insert(now);
            } else {
                (waiting.eligible_since, waiting.unfit_since) = (None, None);
            }
        }
    }

    /// The eligible jobs, best first.
    fn ranked(&self, now: Moment) -> Vec<(Rank, JobId)> {
        let mut ranked: Vec<_> =
            self.pending.values().filter_map(|w| Some((self.rank(w, now)?, w.entry.job))).collect();
        ranked.sort_unstable();
        ranked
    }

    fn rank(&self, waiting: &Waiting, now: Moment) -> Option<Rank> {
        let Entry { pool, seq, .. } = waiting.entry;
        let share = self.workspaces.get(&waiting.entry.workspace);
        let served = share.and_then(|share| share.last_start[pool.index()]);
        let waits_since = waiting.eligible_since?.max(served.unwrap_or_default());
        let credits = credits(now.since(waits_since), self.pace.age_step);
        Some((share.map_or(0, |share| share.running) - credits, pool, seq))
    }

    fn fits(&self, entry: &Entry) -> bool {
        let load = |pool: Option<Pool>, limit: super::Weight| -> u64 {
            let counts = |entry: &&Entry| pool.is_none_or(|pool| entry.pool == pool);
            self.running.values().filter(counts).map(|entry| entry.weight.min(limit).thousandths()).sum()
        };
        let within = |pool: Option<Pool>, limit: super::Weight| {
            load(pool, limit) + entry.weight.min(limit).thousandths() <= limit.thousandths()
        };
        within(Some(entry.pool), self.capacity.of(entry.pool))
            && self.capacity.together.is_none_or(|limit| within(None, limit))
    }
}

/// Whole steps within a time.
fn credits(waited: Duration, step: Duration) -> i64 {
    i64::try_from(waited.as_millis() / step.as_millis().max(1)).unwrap_or(i64::MAX / 2)
}
