//! The sandbox of an attempt, from start to exit, with looks at it while it runs.
//! Spec jobs.md 9 (steps 5 and 6); sandbox.md 3.

use std::sync::Arc;
use std::time::Duration;

use sandbox::{Exit, Spec};

use super::again::Passing;
use super::attempt::{Stops, Voice, blocking, fault_of, now};
use super::{Event, Workshop};
use crate::fault::point;
use crate::schedule::Cause;
use crate::state::{Attempt, Status, StatusCode};

/// Starts the sandbox and waits for its end; told to stop it does so.
pub(super) async fn execute(
    shop: &Arc<Workshop>,
    attempt: &Attempt,
    spec: &Spec,
    voice: &Voice<'_>,
    stop: &mut Stops,
) -> Result<Exit, Passing> {
    let action = &voice.work.job.definition.action;
    let on = |spec: &Spec| (shop.runtime.clone(), spec.clone());
    let (runtime, at) = on(spec);
    match blocking(move || runtime.start(&at)).await? {
        // The name is this attempt's alone: it was started by the engine before this one.
        Ok(()) | Err(sandbox::Error::AlreadyExists(_)) => {}
        Err(error) => return Err(because(Cause::NotStarted, &error)),
    }
    point("launch.after", Some(action));
    let (runtime, at) = on(spec);
    let mut ended = tokio::task::spawn_blocking(move || runtime.wait(&at));
    let mut look = tokio::time::interval(shop.settings.sample_every);
    look.tick().await;
    let renew_every = shop.settings.lease.map_or(Duration::MAX / 2, |lease| lease.renew);
    let mut renew = tokio::time::interval_at(tokio::time::Instant::now() + renew_every.min(FAR), renew_every.min(FAR));
    let mut alive = tokio::time::interval(ALIVE);
    alive.tick().await;
    let mut stopping = stop.borrow().is_some();
    if stopping {
        end(shop, spec, voice).await?;
    }
    loop {
        tokio::select! {
            exit = &mut ended => match exit.map_err(|fault| fault_of(&fault))? {
                Ok(exit) => return Ok(exit),
                // Something of it lives: no second one may begin. Its place stays taken until it is gone.
                Err(error @ sandbox::Error::Stuck(..)) => {
                    stuck(voice, &error);
                    let (runtime, at) = on(spec);
                    ended = tokio::spawn(async move {
                        tokio::time::sleep(AGAIN).await;
                        let waited = tokio::task::spawn_blocking(move || runtime.wait(&at)).await;
                        waited.unwrap_or_else(|fault| std::panic::resume_unwind(fault.into_panic()))
                    });
                }
                Err(error) => return Err(because(Cause::Lost, &error)),
            },
            changed = stop.changed(), if !stopping => {
                // The sender is gone only together with the run.
                stopping = true;
                if changed.is_ok() {
                    end(shop, spec, voice).await?;
                }
            }
            _ = look.tick() => {
                let (runtime, at) = on(spec);
                if let Ok(Some(sample)) = blocking(move || runtime.sample(&at)).await {
                    let (action, memory, cpu_seconds) = (action.clone(), sample.memory, sample.cpu_seconds);
                    let _ = voice.events.send(Event::Sample { action, memory, cpu_seconds });
                }
            }
            _ = alive.tick() => {
                // A sign that cannot be given now is given the next time.
                let _ = shop.state.set_stage(attempt, &Status::new(StatusCode::Executing, "Executing"), now()).await;
            }
            _ = renew.tick() => {
                if let Some(until) = shop.settings.lease_until(now()) {
                    // A lease that cannot be renewed now is renewed the next time, or is found lost by its lock.
                    let _ = shop.state.renew_lease(attempt, until).await;
                }
            }
        }
    }
}

/// A running job gives a sign of life each minute (spec jobs.md 4).
const ALIVE: Duration = Duration::from_secs(60);
/// Longer than any run, and within what timers can hold.
const FAR: Duration = Duration::from_secs(365 * 24 * 3600);

fn because(cause: Cause, error: &sandbox::Error) -> Passing {
    Passing { cause, why: error.to_string() }
}

/// TERM, grace, KILL.
async fn end(shop: &Arc<Workshop>, spec: &Spec, voice: &Voice<'_>) -> Result<(), Passing> {
    let (runtime, at, grace) = (shop.runtime.clone(), spec.clone(), shop.settings.grace);
    match blocking(move || runtime.stop(&at, grace)).await? {
        Ok(()) => Ok(()),
        Err(error @ sandbox::Error::Stuck(..)) => {
            stuck(voice, &error);
            Ok(())
        }
        Err(error) => Err(because(Cause::Lost, &error)),
    }
}

/// How long until a run that is stuck is looked at again.
const AGAIN: Duration = Duration::from_secs(60);

/// Somebody must look: a process of the run cannot be ended.
fn stuck(voice: &Voice<'_>, error: &sandbox::Error) {
    let action = voice.work.job.definition.action.clone();
    let _ = voice.events.send(Event::Stuck { action, message: error.to_string() });
}
