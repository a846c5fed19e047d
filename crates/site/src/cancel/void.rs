//! An order that no backend has seen yet is taken back: the same place in the line, the same id, but ended before it began.
//! Spec site.md 4.10 (at once on the site only if the order was never sent); protocol.md 3.2 (an order past its end).

use protocol::directive::envelope::sign_again;
use protocol::limits::POLL_SECONDS;
use protocol::text::time::Moment;

use crate::Site;
use crate::line::SendError;
use crate::store::ids::BackendId;
use crate::store::{Change, StoreError};

/// A poll may be answered so long after it began, and its answer be on the way a little longer.
const ON_THE_WAY: i64 = 60_000_000;
const _: () = assert!(POLL_SECONDS < 60);

/// Takes the order of a request back, if its backend cannot have seen it: it was not acknowledged, and the backend has
/// not called since so long before the order that no open poll could have carried it. Of an order that is older than this
/// process that cannot be known: the site may have been restored from a copy that is older than the delivery.
///
/// # Errors
/// The database failed, or holds what no site has written.
pub(super) async fn void(
    change: &mut Change,
    site: &Site,
    backend: BackendId,
    identifier: &str,
) -> Result<bool, SendError> {
    let row: Option<(i64, String, i64, Option<i64>)> = sqlx::query_as(
        "SELECT d.cursor, d.text, d.at, b.last_contact_at FROM directive d JOIN backend b ON b.id = d.backend
         WHERE d.backend = ? AND d.request = ? AND d.kind = 'job_request' AND d.delivered_at IS NULL",
    )
    .bind(backend.0)
    .bind(identifier)
    .fetch_optional(&mut **change)
    .await?;
    let Some((cursor, text, at, stored)) = row else { return Ok(false) };
    let contact = stored.max(site.line.seen(backend).contact);
    let seen = contact.is_some_and(|contact| contact > at.saturating_sub(ON_THE_WAY));
    if seen || at < site.line.opened_at() {
        return Ok(false);
    }
    let damaged = |_| StoreError::Damaged("a directive".to_owned());
    let place =
        u64::try_from(cursor).map_err(damaged)?.try_into().map_err(|_| StoreError::Damaged("a cursor".to_owned()))?;
    // The same directive, signed anew, with an end that every clock has passed.
    let never = Moment::from_microseconds(0).map_err(|_| StoreError::Damaged("a moment".to_owned()))?;
    let text = sign_again(&text, site.line.key(), place, never)?;
    sqlx::query("UPDATE directive SET text = ?, expires_at = 0 WHERE backend = ? AND cursor = ?")
        .bind(text)
        .bind(backend.0)
        .bind(cursor)
        .execute(&mut **change)
        .await?;
    Ok(true)
}
