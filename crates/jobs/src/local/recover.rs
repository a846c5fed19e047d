//! Cleaning up after a run that was killed: its jobs become cancelled, finished ones are published, volumes go.
//! Spec jobs.md 9 (steps 9, 10), 18; cli.md 4.2 (step 2).

use std::fs;
use std::path::Path;

use jiff::Timestamp;

use super::clean::temporary_files;
use super::{LocalError, Study};
use crate::StatusCode;
use crate::engine::{Made, ORDER, Order, publish_again, remove_volume, volume};
use crate::state::Job;

/// What a killed run left behind.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Recovered {
    /// Jobs that were waiting or running, and are cancelled now.
    pub cancelled: usize,
    /// Finished jobs whose results were put in place now.
    pub published: Vec<String>,
    /// What could not be done, in words.
    pub problems: Vec<String>,
}

impl Study {
    /// Repairs what a killed run left. Nothing of it runs any more: its sandboxes died with it, and we hold the lock.
    ///
    /// # Errors
    /// The state cannot be read or written.
    pub async fn recover(&self) -> Result<Recovered, LocalError> {
        let state = &self.shop.state;
        let mut done =
            Recovered { cancelled: state.interrupt_leftovers(Timestamp::now()).await?.len(), ..Recovered::default() };
        let unfinished = state.unfinished_attempts().await?;
        if done.cancelled > 0 || !unfinished.is_empty() {
            for path in temporary_files(&self.folder) {
                if let Err(error) = self.folder.remove(&path) {
                    done.problems.push(error.to_string());
                }
            }
        }
        for (attempt, published, _) in unfinished {
            let folder = volume(&self.places.volumes(), attempt);
            let job = state.job(attempt.job).await?;
            let action = &job.definition.action;
            // What a newer job of the action has made since is not written over.
            let newest = state.latest_jobs(&self.workspace, [action]).await?.rows.get(action).map(|row| row.job);
            if !published && newest == Some(job.id) && job.status.code != StatusCode::CancelledByUser {
                let order = match read_order(&folder) {
                    Some(order) if order.shared.job_id == job.id.to_string() => order,
                    _ => self.order_of(&job).await?,
                };
                match publish_again(&self.shop, order, &folder).await {
                    Ok(_) => done.published.push(action.to_string()),
                    Err(error) => {
                        done.problems.push(format!("results of {action} are not in place: {error}"));
                        continue;
                    }
                }
            }
            state.mark_published(attempt).await?;
            discard(self.shop.runtime.as_ref(), &folder, &mut done.problems);
            state.mark_cleaned(attempt).await?;
        }
        self.sweep(&mut done).await?;
        Ok(done)
    }

    /// The order of publishing from what the state knows, for a volume that is gone.
    async fn order_of(&self, job: &Job) -> Result<Order, LocalError> {
        let state = &self.shop.state;
        let user = state.request(job.request).await?.map(|(request, _)| request.created_by).unwrap_or_default();
        let made = Made {
            state: job.state(),
            run_key: job.run_key,
            timestamp: job.times.completed_at.unwrap_or(job.times.updated_at) as f64,
            outputs: state.outputs_of(&[job.id]).await?.remove(&job.id).unwrap_or_default(),
        };
        Ok(Order::of(job, &user, made))
    }

    /// Volumes that no unfinished attempt claims.
    async fn sweep(&self, done: &mut Recovered) -> Result<(), LocalError> {
        let claimed: Vec<String> =
            self.shop.state.unfinished_attempts().await?.iter().map(|(attempt, ..)| attempt.to_string()).collect();
        let Ok(entries) = fs::read_dir(self.places.volumes()) else { return Ok(()) };
        for entry in entries.flatten() {
            if !entry.file_name().to_str().is_some_and(|name| claimed.iter().any(|claim| claim == name)) {
                discard(self.shop.runtime.as_ref(), &entry.path(), &mut done.problems);
            }
        }
        Ok(())
    }
}

fn read_order(volume: &Path) -> Option<Order> {
    serde_json::from_slice(&fs::read(volume.join(ORDER)).ok()?).ok()
}

/// Removes a volume; what is left goes to the problems.
pub(super) fn discard(runtime: &dyn sandbox::Runtime, volume: &Path, problems: &mut Vec<String>) {
    problems.extend(remove_volume(runtime, volume).err());
}
