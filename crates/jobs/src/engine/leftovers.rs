//! What a killed program left behind: results that are recorded and not yet in place, and volumes that nothing claims.
//! Spec jobs.md 9 (steps 9 and 10, and the last but one paragraph).

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use super::finish::{ORDER, publish};
use super::prepare::{remove_volume, volume};
use super::publisher::Made;
use super::{Order, Workshop};
use crate::state::{Job, StateError};
use crate::{AttemptId, JobState, StatusCode};

/// What was done about it.
#[derive(Debug, Default)]
pub(crate) struct Left {
    /// Actions whose results were put in place now.
    pub(crate) published: Vec<String>,
    /// What could not be done, in words.
    pub(crate) problems: Vec<String>,
}

/// Publishes what ended attempts made, as far as it is not in place, and removes their volumes. Each is given with
/// whether it was published.
pub(crate) async fn settle(
    shop: &Arc<Workshop>,
    attempts: impl IntoIterator<Item = (AttemptId, bool)>,
) -> Result<Left, StateError> {
    let (state, mut left) = (&shop.state, Left::default());
    for (attempt, published) in attempts {
        let folder = volume(&shop.volumes, attempt);
        let job = state.job(attempt.job).await?;
        let (action, workspace) = (&job.definition.action, &job.definition.workspace);
        let is_last = job.attempts == attempt.number && !job.state().is_active();
        if !published && is_last {
            // What a newer job of the action has made since is not written over.
            let newest = state.latest_jobs(workspace, [action]).await?.rows.get(action).map(|row| row.job);
            let mut order = match read_order(&folder) {
                Some(order) if order.shared.job_id == job.id.to_string() => order,
                _ => order_of(shop, &job).await?,
            };
            order.shown = newest == Some(job.id) && job.status.code != StatusCode::CancelledByUser;
            let shown = order.shown;
            match publish(shop, order, &folder).await {
                Ok(_) if shown => left.published.push(action.to_string()),
                Ok(_) => {}
                Err(error) => {
                    left.problems.push(format!("results of {action} are not in place: {error}"));
                    continue;
                }
            }
        }
        state.mark_published(attempt).await?;
        discard(shop.runtime.as_ref(), &folder, &mut left.problems);
        state.mark_cleaned(attempt).await?;
    }
    Ok(left)
}

/// The order of publishing from what the state knows, for a volume that is gone.
async fn order_of(shop: &Workshop, job: &Job) -> Result<Order, StateError> {
    let state = &shop.state;
    let user = state.request(job.request).await?.map(|(request, _)| request.created_by).unwrap_or_default();
    let made = Made {
        state: job.state(),
        run_key: job.run_key,
        timestamp: job.times.completed_at.unwrap_or(job.times.updated_at) as f64,
        outputs: state.outputs_of(&[job.id]).await?.remove(&job.id).unwrap_or_default(),
    };
    Ok(Order::of(job, &user, made))
}

/// Removes volumes that neither an attempt claims that still has something to do, nor one that runs.
pub(crate) async fn sweep(shop: &Arc<Workshop>, problems: &mut Vec<String>) -> Result<(), StateError> {
    let unfinished = shop.state.unfinished_attempts().await?;
    let mut claimed: BTreeSet<String> = unfinished.iter().map(|(attempt, ..)| attempt.to_string()).collect();
    let open = shop.state.open_jobs().await?;
    let running = open.iter().filter(|job| job.state() == JobState::Running);
    claimed.extend(running.map(|job| job.id.attempt(job.attempts).to_string()));
    let Ok(entries) = fs::read_dir(&shop.volumes) else { return Ok(()) };
    for entry in entries.flatten() {
        if !entry.file_name().to_str().is_some_and(|name| claimed.contains(name)) {
            discard(shop.runtime.as_ref(), &entry.path(), problems);
        }
    }
    Ok(())
}

fn read_order(volume: &Path) -> Option<Order> {
    serde_json::from_slice(&fs::read(volume.join(ORDER)).ok()?).ok()
}

/// Removes a volume; what is left goes to the problems.
pub(crate) fn discard(runtime: &dyn sandbox::Runtime, volume: &Path, problems: &mut Vec<String>) {
    problems.extend(remove_volume(runtime, volume).err());
}
