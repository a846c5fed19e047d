//! After a restart: results that were recorded and not shown are put in place, and what nothing claims is removed.
//! Spec jobs.md 9. Jobs that run are left alone: their supervisors live, and the engine takes them over.

use super::Server;
use crate::AttemptId;
use crate::engine::{settle, sweep};
use crate::state::StateError;

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Recovered {
    /// Actions whose results are in place now.
    pub published: Vec<String>,
    /// What could not be done, in words.
    pub problems: Vec<String>,
}

impl Server {
    /// To be called before the engine runs.
    ///
    /// # Errors
    /// The records cannot be read or written.
    pub async fn recover(&self) -> Result<Recovered, StateError> {
        let unfinished = self.shop.state.unfinished_attempts().await?;
        let attempts = unfinished.into_iter().map(|(attempt, published, _)| (attempt, published));
        let mut left = settle(&self.shop, attempts).await?;
        sweep(&self.shop, &mut left.problems).await?;
        Ok(Recovered { published: left.published, problems: left.problems })
    }

    /// Puts results in place that could not be when their job ended, while the engine runs: those of attempts that were
    /// found unfinished the last time too. Gives those that are unfinished now, for the next time.
    ///
    /// # Errors
    /// The records cannot be read or written.
    pub async fn repair(&self, before: &[AttemptId]) -> Result<(Vec<AttemptId>, Recovered), StateError> {
        let now = self.shop.state.unfinished_attempts().await?;
        let mut again = Vec::new();
        for (attempt, published, _) in &now {
            if before.contains(attempt) {
                again.push((*attempt, *published));
            }
        }
        let left = settle(&self.shop, again).await?;
        let still = now.into_iter().map(|(attempt, ..)| attempt).collect();
        Ok((still, Recovered { published: left.published, problems: left.problems }))
    }
}
