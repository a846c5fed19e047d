//! Makes the projection again from stored facts and directives: the same rows, byte for byte.
//! Spec site.md 1 (4), 20 (2).

use protocol::fact::envelope::Fact;

use super::project::{Event, project};
use crate::Site;
use crate::store::ids::BackendId;
use crate::store::{Change, StoreError};

/// Facts applied at once.
const STEP: i64 = 500;

/// What `rebuild` did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rebuilt {
    /// Facts that were applied or found to change nothing.
    pub facts: u64,
    /// Of these, those that change nothing.
    pub apart: u64,
}

/// Empties the projection and applies every stored fact again, in one transaction.
///
/// # Errors
/// The database failed, or holds a fact that it could not have taken.
pub async fn rebuild(site: &Site) -> Result<Rebuilt, StoreError> {
    let mut change = site.store.change().await?;
    empty(&mut change).await?;
    let mut rebuilt = Rebuilt::default();
    old_records(&mut change, &mut rebuilt).await?;
    let backends: Vec<(i64,)> = sqlx::query_as("SELECT id FROM backend ORDER BY id").fetch_all(&mut *change).await?;
    for (backend,) in backends {
        let backend = BackendId(backend);
        let mut behind = 0;
        loop {
            let events = page(&mut change, backend, behind).await?;
            let Some(last) = events.last() else { break };
            behind = last.arrival;
            // The rule of parts looks at one epoch at a time.
            let mut rest = events.as_slice();
            while let Some(first) = rest.first() {
                let same = rest.iter().take_while(|event| event.epoch == first.epoch).count();
                let (now, later) = rest.split_at(same);
                apply(&mut change, backend, now, &mut rebuilt).await?;
                rest = later;
            }
        }
    }
    change.commit().await?;
    Ok(rebuilt)
}

/// Old records are the site's own; they do not depend on what backends tell.
async fn old_records(change: &mut Change, rebuilt: &mut Rebuilt) -> Result<(), StoreError> {
    let mut behind = 0;
    loop {
        let rows: Vec<(i64, i64, String)> = sqlx::query_as(
            "SELECT arrival, backend, text FROM backend_fact WHERE epoch = 0 AND text IS NOT NULL AND arrival > ?
             ORDER BY arrival LIMIT ?",
        )
        .bind(behind)
        .bind(STEP)
        .fetch_all(&mut **change)
        .await?;
        let Some((last, _, _)) = rows.last() else { return Ok(()) };
        behind = *last;
        for (_, backend, text) in &rows {
            crate::import::apply(change, *backend, &crate::import::record(text)?).await?;
            rebuilt.facts += 1;
        }
    }
}

async fn apply(
    change: &mut Change,
    backend: BackendId,
    events: &[Event],
    rebuilt: &mut Rebuilt,
) -> Result<(), StoreError> {
    let (apart, _) = project(change, backend, events).await?;
    for (event, why) in events.iter().zip(apart) {
        rebuilt.facts += 1;
        rebuilt.apart += u64::from(why.is_some());
        sqlx::query("UPDATE backend_fact SET not_applied = ? WHERE arrival = ?")
            .bind(why)
            .bind(event.arrival)
            .execute(&mut **change)
            .await?;
    }
    Ok(())
}

/// Facts of the backend itself behind an arrival. Old records (epoch 0) are the site's own and are applied by `import`.
async fn page(change: &mut Change, backend: BackendId, behind: i64) -> Result<Vec<Event>, StoreError> {
    type Row = (i64, i64, i64, i64, Option<String>);
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT epoch, seq, arrival, received_at, text FROM backend_fact
         WHERE backend = ? AND epoch > 0 AND arrival > ? ORDER BY arrival LIMIT ?",
    )
    .bind(backend.0)
    .bind(behind)
    .bind(STEP)
    .fetch_all(&mut **change)
    .await?;
    let mut events = Vec::new();
    for (epoch, seq, arrival, received_at, text) in rows {
        let damaged = || StoreError::Damaged(format!("fact {seq} of epoch {epoch}"));
        let content = match text {
            Some(text) => {
                let value = serde_json::from_str(&text).map_err(|_| damaged())?;
                Fact::read(value).map_err(|_| damaged())?.content()
            }
            // Blanked by staff: only what could not be read may be.
            None => Err(protocol::fact::envelope::BadContent::UnknownType),
        };
        events.push(Event { epoch, seq, arrival, received_at, content });
    }
    Ok(events)
}

/// What facts had made, unmade. Requests, orders and what people wrote stay.
async fn empty(change: &mut Change) -> Result<(), StoreError> {
    for statement in [
        "DELETE FROM last_job",
        "DELETE FROM kept_job",
        "DELETE FROM decision",
        "DELETE FROM job_need",
        "DELETE FROM job_attempt",
        "DELETE FROM job",
        "DELETE FROM backend_release",
        "UPDATE cancellation SET answered_at = NULL, result = NULL WHERE directive NOT LIKE 'site:%'",
        "UPDATE directive SET answered_at = NULL, rejected = NULL",
        "UPDATE backend SET mode = NULL, mode_kind = NULL, mode_since = NULL, mode_ends_at = NULL, policy = NULL,
         data_version = NULL",
        "UPDATE job_request SET status = 'pending', reason = NULL, detail = NULL, cancelled = 0,
         answered_at = NULL, first_started_at = NULL, last_finished_at = NULL, runtime_s = 0, jobs_pending = 0,
         jobs_running = 0, jobs_succeeded = 0, jobs_failed = 0, news_at = created_at,
         delivery = CASE WHEN EXISTS (SELECT 1 FROM directive d WHERE d.request = job_request.identifier
             AND d.kind = 'job_request' AND d.delivered_at IS NULL) THEN 'waiting' ELSE 'delivered' END
         WHERE reason IS NULL OR reason NOT IN ('cancelled_before_start', 'expired_before_start')",
    ] {
        sqlx::query(statement).execute(&mut **change).await?;
    }
    Ok(())
}
