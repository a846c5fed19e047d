//! What hangs on all jobs of one action in one workspace at one backend: the newest, and what came after a failed one.
//! Spec site.md 2.4 (last status per action), 4.1 (superseded).

use crate::store::ids::BackendId;
use crate::store::{Change, StoreError};

/// Settles an action after its job in the request `number` was made or ended. The order of such calls does not matter.
///
/// # Errors
/// The database failed.
pub(crate) async fn settle(
    change: &mut Change,
    backend: BackendId,
    workspace: i64,
    action: &str,
    number: i64,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO last_job (backend, workspace, action, job, planned, succeeded)
         SELECT ?1, ?2, ?3,
             (SELECT identifier FROM job WHERE backend = ?1 AND workspace = ?2 AND action = ?3
              ORDER BY job_request DESC LIMIT 1),
             (SELECT identifier FROM job WHERE backend = ?1 AND workspace = ?2 AND action = ?3
              AND code <> 'cancelled_by_user' ORDER BY job_request DESC LIMIT 1),
             (SELECT identifier FROM job WHERE backend = ?1 AND workspace = ?2 AND action = ?3
              AND status = 'succeeded' ORDER BY job_request DESC LIMIT 1)
         WHERE EXISTS (SELECT 1 FROM job WHERE backend = ?1 AND workspace = ?2 AND action = ?3)
         ON CONFLICT (backend, workspace, action)
         DO UPDATE SET job = excluded.job, planned = excluded.planned, succeeded = excluded.succeeded",
    )
    .bind(backend.0)
    .bind(workspace)
    .bind(action)
    .execute(&mut **change)
    .await?;
    // This job, and the one right before it: nothing else has another successor now than before.
    sqlx::query(
        "UPDATE job SET superseded_by = CASE WHEN status = 'failed' THEN
             (SELECT n.identifier FROM job n WHERE n.backend = ?1 AND n.workspace = ?2 AND n.action = ?3
              AND n.job_request > job.job_request ORDER BY n.job_request LIMIT 1) END
         WHERE backend = ?1 AND workspace = ?2 AND action = ?3 AND job_request IN
             (?4, (SELECT max(b.job_request) FROM job b WHERE b.backend = ?1 AND b.workspace = ?2 AND b.action = ?3
                   AND b.job_request < ?4))",
    )
    .bind(backend.0)
    .bind(workspace)
    .bind(action)
    .bind(number)
    .execute(&mut **change)
    .await?;
    Ok(())
}
