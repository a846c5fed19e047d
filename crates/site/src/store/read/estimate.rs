//! When a waiting job is likely to begin, and how long it will run: what was so before, never more than a guess.
//! Spec site.md 4.3 (estimate).

use std::collections::HashMap;

use sqlx::SqlitePool;

use super::parts::{get, many};
use crate::store::StoreError;

/// Fewer than this many say nothing.
const FEWEST: usize = 5;

/// What is likely for a job that waits, in seconds; none where too few came before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Estimate {
    /// The median wait of the last twenty jobs that began in this pool of the backend.
    pub waits_s: Option<i64>,
    /// The median runtime of the last five successes of this action in the workspace and backend.
    pub runs_s: Option<i64>,
}

/// Estimates for the jobs of a request that wait, by their actions.
pub(super) async fn estimates(
    readers: &SqlitePool,
    number: i64,
    backend: i64,
    workspace: i64,
) -> Result<HashMap<String, Estimate>, StoreError> {
    let rows = sqlx::query(
        "WITH lately AS (SELECT number FROM job_request WHERE backend = ?2 ORDER BY number DESC LIMIT 100),
         begun AS MATERIALIZED (SELECT e.db, max(e.started_at - e.created_at, 0) / 1000000 waited,
            row_number() OVER (PARTITION BY e.db ORDER BY e.started_at DESC) nth
            FROM lately JOIN job e ON e.job_request = lately.number WHERE e.started_at IS NOT NULL)
         SELECT j.action,
            (SELECT json_group_array(waited) FROM begun WHERE begun.db = j.db AND nth <= 20) waits,
            (SELECT json_group_array(runtime_s) FROM (SELECT e.runtime_s FROM job e WHERE e.backend = ?2
                AND e.workspace = ?3 AND e.action = j.action AND e.status = 'succeeded' AND e.runtime_s IS NOT NULL
                ORDER BY e.job_request DESC LIMIT 5)) runs
         FROM job j WHERE j.job_request = ?1 AND j.status = 'pending' LIMIT 200",
    )
    .bind(number)
    .bind(backend)
    .bind(workspace)
    .fetch_all(readers)
    .await?;
    rows.iter()
        .map(|row| {
            let estimate = Estimate { waits_s: median(many(row, "waits")?), runs_s: median(many(row, "runs")?) };
            Ok((get(row, "action")?, estimate))
        })
        .collect()
}

fn median(mut all: Vec<i64>) -> Option<i64> {
    all.sort_unstable();
    all.get(all.len().saturating_sub(1) / 2).copied().filter(|_| all.len() >= FEWEST)
}

#[cfg(test)]
mod tests {
    use super::median;

    #[test]
    fn few_say_nothing() {
        assert_eq!(median(vec![]), None);
        assert_eq!(median(vec![1, 2, 3, 4]), None);
        assert_eq!(median(vec![9, 1, 5, 3, 7]), Some(5));
        assert_eq!(median(vec![6, 5, 4, 3, 2, 1]), Some(3));
    }
}
