//! An engine that stays: new jobs come while it runs, and it ends only when it is told to, leaving its sandboxes alive.
//! Spec jobs.md 5, 9 (running jobs survive a restart).

use std::sync::Arc;

use tokio::sync::{mpsc::UnboundedSender, watch};

use super::super::controls::rung;
use super::super::feed::{Feed, News, PoolView, View};
use super::super::{Awaited, Controls, Event, Workshop};
use super::{Floor, Rules, SWEEP};
use crate::engine::attempt::Stop;
use crate::schedule::{Halt, Pool, Standing};
use crate::state::StateError;
use crate::{JobId, JobState};

/// Runs the jobs that come by `feed` until `controls` say that it is enough. Sandboxes then live on: the next engine takes
/// them over. Nobody needs to poll: a job, a change of the state, an end or a timer wakes it.
///
/// # Errors
/// The state cannot be read or written any more. Sandboxes live on as well.
pub async fn serve(
    shop: Arc<Workshop>,
    rules: Rules,
    events: UnboundedSender<Event>,
    controls: Controls,
    feed: &mut Feed,
    view: &watch::Sender<View>,
) -> Result<(), StateError> {
    let mut floor = Floor { keeps: false, ..Floor::new(shop, rules, events) };
    floor.stay(controls, feed, view).await
}

impl Floor {
    async fn stay(
        &mut self,
        controls: Controls,
        feed: &mut Feed,
        view: &watch::Sender<View>,
    ) -> Result<(), StateError> {
        let Controls { mut interrupt, mut bell } = controls;
        let mut sweep = tokio::time::interval(SWEEP);
        self.look_at_state().await?;
        loop {
            if *interrupt.borrow_and_update() {
                return self.rest().await;
            }
            self.start();
            let standings = self.queue.standings(self.now());
            self.tell_standings(&standings).await?;
            self.show(standings, view);
            let timer = self.queue.next_change(self.now()).map_or(SWEEP, |at| at.since(self.now()));
            tokio::select! {
                Some(joined) = self.running.join_next_with_id() => { self.ended(joined).await?; }
                news = feed.0.recv() => match news {
                    Some(news) => self.hear(news).await?,
                    None => return Ok(()),
                },
                changed = interrupt.changed() => if changed.is_err() { return Ok(()) },
                () = rung(&mut bell) => {
                    self.shop.state.look_again();
                    self.look_at_state().await?;
                }
                _ = sweep.tick() => self.look_at_state().await?,
                () = tokio::time::sleep(timer) => {}
            }
        }
    }

    /// Sandboxes live on, unless they end with this process: then they end first, and their jobs wait for the next engine.
    async fn rest(&mut self) -> Result<(), StateError> {
        if !self.shop.settings.die_with_parent {
            return Ok(());
        }
        self.stop_tasks(Stop::Halt(Halt::Reboot));
        while let Some(joined) = self.running.join_next_with_id().await {
            self.ended(joined).await?;
        }
        Ok(())
    }

    async fn hear(&mut self, news: News) -> Result<(), StateError> {
        match news {
            News::Take(works) => {
                // As they are now: they were stored a while ago, and may have been cancelled since.
                let mut fresh = Vec::with_capacity(works.len());
                for mut work in works {
                    work.job = self.shop.state.job(work.job.id).await?;
                    if work.job.state().is_active() {
                        fresh.push(Arc::new(work));
                    } else {
                        self.drop_waiting(work.job.id, work.job.status.code, &work.job.status.message);
                    }
                }
                self.take_in(fresh).await
            }
            News::Await(jobs) => self.await_for(jobs).await,
            News::Look => self.look_at_state().await,
        }
    }

    /// Jobs join the queue that cannot start yet. One that runs already waits unseen for what it needs to be taken over.
    async fn await_for(&mut self, jobs: Vec<Awaited>) -> Result<(), StateError> {
        let pins: Vec<_> = jobs.iter().flat_map(|one| one.job.pins.iter().map(|pin| pin.job)).collect();
        let succeeded = self.shop.state.succeeded_of(&pins).await?;
        for mut awaited in jobs {
            let id = awaited.job.id;
            awaited.job = self.shop.state.job(id).await?;
            if self.works.contains_key(&id) || awaited.job.state() != JobState::Pending {
                continue;
            }
            let mut entry = self.entry(&awaited.job, &succeeded);
            (entry.held, entry.not_before) = (Some(awaited.lacks), None);
            self.queue.add(entry);
            self.queue.hold(id, Some(awaited.lacks), None);
            self.told.remove(&id);
            self.awaited.insert(id, awaited);
        }
        Ok(())
    }

    /// What can be seen from outside, if it has changed.
    fn show(&mut self, standings: Vec<(JobId, Standing)>, view: &watch::Sender<View>) {
        let place = |(job, standing)| match standing {
            Standing::Worker { pool, position, .. } => Some((job, pool, position as u64)),
            _ => None,
        };
        let mut queue: Vec<_> = standings.into_iter().filter_map(place).collect();
        queue.sort_by_key(|(job, pool, position)| (*pool, *position, *job));
        let pool = |pool| {
            let [capacity, running, waiting, taken] = self.queue.fullness(pool);
            PoolView { capacity, running, waiting, taken }
        };
        let (modes, db, other) = (self.queue.modes(), pool(Pool::Db), pool(Pool::Other));
        let seen = View { modes, db, other, queue };
        view.send_if_modified(|shown| {
            let changed = *shown != seen;
            if changed {
                *shown = seen;
            }
            changed
        });
    }
}
