//! Attempts that end without being the job's end: stopped for a mode, or ended for a passing reason and tried again.
//! Spec jobs.md 6, 8.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::attempt::{Ended, blocking, now};
use super::log::LINES;
use super::prepare::{remove_volume, volume};
use super::{Work, Workshop};
use crate::explain::duration;
use crate::schedule::{Cause, Halt, Next};
use crate::state::{Attempt, AttemptEnd, Finished, Reason, StateError, Status, StatusCode};

/// Why an attempt ended that may be followed by another.
#[derive(Debug, Clone)]
pub(super) struct Passing {
    pub(super) cause: Cause,
    /// In words, as the end of "because".
    pub(super) why: String,
}

/// A number from 0 to below 1, so that jobs that failed together do not all come back together.
fn chance() -> f64 {
    let mut bytes = [0; 4];
    // Without a random number the wait is the middle one.
    getrandom::fill(&mut bytes).map_or(0.5, |()| f64::from(u32::from_le_bytes(bytes)) / (f64::from(u32::MAX) + 1.0))
}

/// What follows an attempt that ended so: its job is pending again, or the status that it fails with.
pub(super) async fn after(
    shop: &Arc<Workshop>,
    work: &Work,
    attempt: &Attempt,
    passing: &Passing,
) -> Result<Result<Ended, Status>, StateError> {
    let job = shop.state.job(work.job.id).await?;
    let tries = job.tries + 1;
    let waited = now().duration_since(from_seconds(job.times.created_at));
    let waited = Duration::try_from(waited).unwrap_or_default();
    match shop.settings.tries.next(passing.cause, tries, waited, chance()) {
        Next::GiveUp { code, reason } => Ok(Err(given_up(code, reason, tries, &passing.why))),
        Next::Again { wait, counts } => {
            let most = crate::schedule::Tries::most(passing.cause);
            let of = most.map_or_else(String::new, |most| format!(" of {most}"));
            let seconds = duration(wait.as_secs_f64().ceil());
            let message = format!("Attempt {}{of} begins in {seconds}, because {}", tries + 1, passing.why);
            let next_try_at =
                now().as_second().saturating_add(i64::try_from(wait.as_millis().div_ceil(1000)).unwrap_or(i64::MAX));
            let end = AttemptEnd { counts, next_try_at: Some(next_try_at), ..AttemptEnd::default() };
            let status =
                because(Status::new(StatusCode::WaitingOnNewTask, message.clone()), Some(passing.cause.word()))
                    .telling(|tells| (tells.attempts, tells.retry_at) = (most, Some(next_try_at)));
            let finished = shop.state.put_back(attempt, &status, &end, now()).await?;
            discard(shop, attempt).await?;
            Ok(Ok(put_back(work, finished, Some(until(next_try_at)), false, message)))
        }
    }
}

/// Puts back a job that was stopped for a mode: no try is spent, and it keeps its place.
pub(super) async fn halted(
    shop: &Arc<Workshop>,
    work: &Work,
    attempt: &Attempt,
    halt: Halt,
) -> Result<Ended, StateError> {
    let message = match halt {
        Halt::Maintenance => "Stopped: the database is in maintenance. Starts again afterwards",
        Halt::Reboot => "Stopped for a restart of the server. Starts again afterwards",
        Halt::Operator => "Stopped by an operator. Starts again",
    };
    let status = Status::new(halt.code(), message).telling(|tells| {
        tells.retry_at = (halt == Halt::Operator).then(|| now().as_second());
    });
    let finished = shop.state.put_back(attempt, &status, &AttemptEnd::default(), now()).await?;
    discard(shop, attempt).await?;
    Ok(put_back(work, finished, None, halt == Halt::Reboot, message.to_owned()))
}

/// The status of a job that has had its tries.
pub(super) fn given_up(code: StatusCode, reason: Option<&str>, tries: u32, why: &str) -> Status {
    let tried = if tries > 1 { format!("After {tries} attempts: ") } else { "Could not be run: ".to_owned() };
    let status = Status::new(code, format!("{tried}{why}")).telling(|tells| tells.attempts = Some(tries));
    because(status, reason)
}

/// With a short code beside it; the words are from fixed lists, so that they parse.
fn because(status: Status, reason: Option<&str>) -> Status {
    match reason.and_then(|reason| reason.parse::<Reason>().ok()) {
        Some(reason) => status.because(reason),
        None => status,
    }
}

fn put_back(work: &Work, finished: Finished, wait: Option<Duration>, for_reboot: bool, message: String) -> Ended {
    if !finished.code.state().is_active() {
        let cancelled = finished.code == StatusCode::CancelledByUser;
        let words = if cancelled { Status::cancelled() } else { Status::killed() }.message;
        return Ended::untold(work, finished, words);
    }
    Ended::PutBack { wait, for_reboot, message }
}

/// Nothing of the attempt is shown, and nothing of it is left.
pub(super) async fn discard(shop: &Arc<Workshop>, attempt: &Attempt) -> Result<(), StateError> {
    let (job, id) = (shop.state.job(attempt.id.job).await?, attempt.id);
    shop.state.mark_published(attempt.id).await?;
    let (a, folder) = (shop.clone(), volume(&shop.volumes, attempt.id));
    let removed = blocking(move || {
        let lines = folder.join(LINES);
        if lines.exists() {
            // What it printed helps to see why it went wrong; without it the next attempt tells.
            let _ = a.publisher.keep_attempt(&job, id, &lines);
        }
        remove_volume(a.runtime.as_ref(), &folder)
    })
    .await;
    match removed {
        Ok(Ok(())) => shop.state.mark_cleaned(attempt.id).await,
        // What is left is found at the next start.
        Ok(Err(_)) | Err(_) => Ok(()),
    }
}

fn from_seconds(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// The time from now until a Unix second: never longer than any wait that is ever chosen, so that a clock that was set
/// back delays nobody for long.
pub(super) fn until(second: i64) -> Duration {
    const LONGEST: Duration = Duration::from_secs(45 * 60);
    Duration::try_from(from_seconds(second).duration_since(now())).unwrap_or_default().min(LONGEST)
}
