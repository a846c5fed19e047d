//! Cleaning up after a run that was killed: its jobs become cancelled, finished ones are published, volumes go.
//! Spec jobs.md 9 (steps 9, 10), 18; cli.md 4.2 (step 2).

use jiff::Timestamp;

use super::clean::temporary_files;
use super::{LocalError, Study};
use crate::engine::{settle, sweep};

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
        let attempts = unfinished.into_iter().map(|(attempt, published, _)| (attempt, published));
        let mut left = settle(&self.shop, attempts).await?;
        sweep(&self.shop, &mut left.problems).await?;
        done.published = left.published;
        done.problems.extend(left.problems);
        Ok(done)
    }
}
