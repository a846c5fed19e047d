//! Environments that are still being made: their jobs wait where everybody can see it, and start by themselves.
//! Spec jobs.md 4 (`waiting_on_image`), 8 (an image out of reach), 19.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use jobs::engine::Awaited;
use jobs::schedule::{Cause, Held, Next};
use jobs::state::{Reason, Status};
use jobs::{JobState, RequestId, StatusCode};
use runtimes::{Found, Plan};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use super::{Bench, WorkError};
use crate::desk::ended;
use crate::orders::Kit;

/// Environments that are made at the same time.
const AT_ONCE: usize = 2;

/// The way to whoever makes environments.
pub(super) struct Builds(mpsc::UnboundedSender<(Plan, Kit)>);

/// The other end.
pub(super) type Wanted = mpsc::UnboundedReceiver<(Plan, Kit)>;

impl Builds {
    pub(super) fn new() -> (Self, Wanted) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (Self(sender), receiver)
    }

    /// Gives the engine what is ready; the rest waits for its environment.
    pub(super) fn hand_out(&self, bench: &Bench, kits: Vec<Kit>) {
        let (mut ready, mut awaited, mut wanted) = (Vec::new(), Vec::new(), Vec::new());
        for kit in kits {
            match kit.found.clone() {
                Found::Ready(program) => ready.push(kit.work(program)),
                Found::Build(plan) => {
                    let (job, image) = (kit.job.clone(), Some(kit.job.definition.runtime.to_string()));
                    awaited.push(Awaited { job, lacks: Held::Image, image, since: Timestamp::now().as_second() });
                    wanted.push((plan, kit));
                }
            }
        }
        // Those that wait first: what is ready may need them.
        bench.server.feeder().await_for(awaited);
        bench.server.feeder().take(ready);
        for one in wanted {
            let _ = self.0.send(one);
        }
    }

    /// Says of a request's jobs that their code cannot be reached. Gives since when (Unix seconds), which outlives a restart.
    pub(super) async fn lack_code(&self, bench: &Bench, request: RequestId) -> i64 {
        let now = Timestamp::now().as_second();
        let Ok(jobs) = bench.server.state().jobs_of(request).await else { return now };
        let open: Vec<_> = jobs.into_iter().filter(|job| job.state().is_active()).collect();
        let lacking = open.iter().filter(|job| job.status.code == StatusCode::WaitingOnCode);
        let since = lacking.map(|job| job.times.status_code_updated_at / 1_000_000_000).min().unwrap_or(now);
        let awaited = open.into_iter().map(|job| Awaited { job, lacks: Held::Code, image: None, since });
        bench.server.feeder().await_for(awaited.collect());
        since
    }

    /// Ends the waiting jobs of a request whose code could not be reached for too long. Whether none is left.
    pub(super) async fn give_up_code(&self, bench: &Bench, request: RequestId, tries: u32, why: &str) -> bool {
        let Ok(jobs) = bench.server.state().jobs_of(request).await else { return false };
        for job in jobs.iter().filter(|job| job.state() == JobState::Pending) {
            let words = format!("Could not be run: its code could not be reached for too long: {why}");
            let status = Status::new(StatusCode::JobError, words).telling(|tells| tells.attempts = Some(tries));
            let status = match "retries_exhausted".parse::<Reason>() {
                Ok(reason) => status.because(reason),
                Err(_) => status,
            };
            if let Err(error) = bench.server.state().give_up(job.id, &status, Timestamp::now()).await {
                tracing::warn!(job = %job.id, %error, "a job that cannot run has ended already");
            }
        }
        bench.server.feeder().look();
        let left = bench.server.state().jobs_of(request).await;
        left.is_ok_and(|jobs| jobs.iter().all(|job| !job.state().is_active()))
    }
}

/// An environment in the making, and who waits for it.
struct Making {
    plan: Plan,
    kits: Vec<Kit>,
    begun: Instant,
    tries: u32,
    /// Not before.
    at: Instant,
    runs: bool,
}

pub(super) async fn run(
    bench: Arc<Bench>,
    mut wanted: Wanted,
    mut stop: watch::Receiver<bool>,
) -> Result<(), WorkError> {
    // By what the environment is: two names of one are made once.
    let mut all: BTreeMap<String, Making> = BTreeMap::new();
    let mut running = JoinSet::new();
    loop {
        let now = Instant::now();
        for (identity, making) in &mut all {
            if !making.runs && making.at <= now && running.len() < AT_ONCE {
                making.runs = true;
                let (identity, plan) = (identity.clone(), making.plan.clone());
                tracing::info!(environment = plan.title, "an environment is being made");
                let make = bench.rules.make;
                running.spawn_blocking(move || (identity, make(&plan)));
            }
        }
        let next = all.values().filter(|making| !making.runs).map(|making| making.at).min();
        let rest = next.map_or(Duration::from_secs(3600), |at| at.saturating_duration_since(now));
        tokio::select! {
            one = wanted.recv() => match one {
                None => return Ok(()),
                Some((plan, kit)) => {
                    let identity = plan.located.identity.clone();
                    let making = all.entry(identity).or_insert_with(|| Making {
                        plan, kits: Vec::new(), begun: now, tries: 0, at: now, runs: false,
                    });
                    making.kits.push(kit);
                }
            },
            Some(built) = running.join_next() => match built {
                Ok((identity, Ok(program))) => {
                    let kits = all.remove(&identity).map(|making| making.kits).unwrap_or_default();
                    let works = kits.into_iter().map(|kit| {
                        // The same environment under the name that this job gives it.
                        let mut program = program.clone();
                        program.located = kit.found.located().clone();
                        kit.work(program)
                    });
                    bench.server.feeder().take(works.collect());
                }
                Ok((identity, Err(error))) => {
                    tracing::warn!(identity, error, "an environment cannot be made now");
                    failed(&bench, &mut all, &identity, &error).await;
                }
                Err(fault) => {
                    tracing::error!(%fault, "a fault of this program while an environment was made");
                    for making in all.values_mut() {
                        (making.runs, making.at) = (false, now + Duration::from_secs(60));
                    }
                }
            },
            () = tokio::time::sleep(rest), if running.len() < AT_ONCE => {}
            () = ended(&mut stop) => return Ok(()),
        }
    }
}

/// It is tried again later, until that has been so for too long: then the jobs fail.
async fn failed(bench: &Bench, all: &mut BTreeMap<String, Making>, identity: &str, error: &str) {
    let Some(making) = all.get_mut(identity) else { return };
    making.tries += 1;
    let tries = bench.rules.running.tries;
    match tries.next(Cause::Outage, making.tries, making.begun.elapsed(), 0.5) {
        Next::Again { wait, .. } => (making.runs, making.at) = (false, Instant::now() + wait),
        Next::GiveUp { .. } => {
            for kit in all.remove(identity).map(|making| making.kits).unwrap_or_default() {
                let image = kit.job.definition.runtime.to_string();
                let status = Status::new(StatusCode::JobError, format!("{image} could not be made: {error}"));
                let status = match "image_gone".parse::<Reason>() {
                    Ok(reason) => status.because(reason),
                    Err(_) => status,
                };
                let status = status.telling(|tells| tells.image = Some(image));
                if let Err(error) = bench.server.state().give_up(kit.job.id, &status, Timestamp::now()).await {
                    tracing::warn!(job = %kit.job.id, %error, "a job that cannot run has ended already");
                }
            }
            bench.server.feeder().look();
        }
    }
}
