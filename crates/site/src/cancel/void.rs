//! An order that no backend has seen yet is taken back: the same place in the line, the same id, but ended before it began.
//! Spec site.md 4.10 (at once on the site only if the order was never sent); protocol.md 3.2 (an order past its end).

use protocol::directive::envelope::Draft;
use protocol::directive::{DirectiveBody, DirectiveKind};
use protocol::limits::POLL_SECONDS;
use protocol::text::time::Moment;
use serde_json::Value;

use crate::Site;
use crate::line::SendError;
use crate::store::ids::BackendId;
use crate::store::{Change, StoreError};

/// A poll may be answered so long after it began, and its answer be on the way a little longer.
const ON_THE_WAY: i64 = 60_000_000;
const _: () = assert!(POLL_SECONDS < 60);

/// Takes the order of a request back, if its backend cannot have seen it: it was not acknowledged, and the backend has
/// not called since so long before the order that no open poll could have carried it.
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
    if contact.is_some_and(|contact| contact > at.saturating_sub(ON_THE_WAY)) {
        return Ok(false);
    }
    let text = ended(site, &text)?;
    sqlx::query("UPDATE directive SET text = ?, expires_at = 0 WHERE backend = ? AND cursor = ?")
        .bind(text)
        .bind(backend.0)
        .bind(cursor)
        .execute(&mut **change)
        .await?;
    Ok(true)
}

/// The same directive, signed anew, with an end that every clock has passed.
fn ended(site: &Site, text: &str) -> Result<String, SendError> {
    let damaged = || StoreError::Damaged("a directive".to_owned());
    let whole: Value = serde_json::from_str(text).map_err(|_| damaged())?;
    let part = |name: &str| whole.get(name).cloned().ok_or_else(damaged);
    let body = DirectiveBody::read(DirectiveKind::JobRequest, &part("body")?).map_err(|_| damaged())?;
    let draft = Draft {
        cursor: serde_json::from_value(part("cursor")?).map_err(|_| damaged())?,
        id: serde_json::from_value(part("id")?).map_err(|_| damaged())?,
        backend: serde_json::from_value(part("backend")?).map_err(|_| damaged())?,
        at: serde_json::from_value(part("at")?).map_err(|_| damaged())?,
        expires_at: Moment::from_microseconds(0).map_err(|_| damaged())?,
        critical: vec!["permissions"],
        body,
    };
    Ok(draft.sign(site.line.key())?)
}
