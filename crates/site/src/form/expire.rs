//! A request whose backend never came for it ends after 14 days, and says so.
//! Spec site.md 7.5 (`expired_before_start`); the order itself ends by its own date (protocol.md 3.1).

use protocol::limits::{EXPIRY_TOLERANCE_SECONDS, ORDER_SECONDS};

use crate::Site;
use crate::audit::{self, Act, Actor};
use crate::clock::SECOND;
use crate::facts::Changed;
use crate::store::StoreError;

/// Ends every request whose order was not taken in time, by the site's clock and the tolerance that backends have. One that
/// a backend has taken is answered by the backend, however late. Gives how many ended.
///
/// # Errors
/// The database failed.
pub async fn expire(site: &Site) -> Result<usize, StoreError> {
    let now = site.clock.microseconds();
    let before = now - (ORDER_SECONDS + EXPIRY_TOLERANCE_SECONDS) * SECOND;
    let mut change = site.store.change().await?;
    let ended: Vec<(i64, i64)> = sqlx::query_as(
        "UPDATE job_request SET status = 'failed', reason = 'expired_before_start', detail = NULL, delivery = 'answered',
            answered_at = ?1, news_at = ?1
         WHERE status = 'pending' AND delivery = 'waiting' AND answered_at IS NULL AND is_import = 0 AND created_at < ?2
         RETURNING number, (SELECT project FROM workspace w WHERE w.id = job_request.workspace)",
    )
    .bind(now)
    .bind(before)
    .fetch_all(&mut *change)
    .await?;
    let mut changed = Changed::default();
    for (number, project) in &ended {
        let act = Act::new(Actor::Site, "request_expired").on("job_request", *number).project(*project);
        audit::record(&mut change, act).await?;
        changed.requests.insert(*number);
    }
    change.commit().await?;
    site.hub.tell(&changed);
    Ok(ended.len())
}
