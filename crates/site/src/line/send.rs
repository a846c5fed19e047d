//! Puts a directive into a backend's line: next cursor, signature, row; in the transaction of whatever asks for it.
//! Spec protocol.md 3.1, 11.

use protocol::directive::DirectiveBody;
use protocol::directive::body::RightsChanged;
use protocol::directive::envelope::{CannotSign, Draft};
use protocol::limits::ORDER_SECONDS;
use protocol::text::ids::Ulid;
use protocol::text::names::{BackendSlug, Username};
use protocol::text::whole::{Cursor, Revision};

use super::directives::{cursor, number};
use crate::Site;
use crate::store::ids::BackendId;
use crate::store::{Change, StoreError, words};

/// A directive that will be delivered once the transaction is committed. Then tell [`Lines::wake`](super::Lines::wake).
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "after the commit, `Lines::wake` tells the backend's open poll"]
pub struct Sent {
    /// To whom.
    pub backend: BackendId,
    /// Its id.
    pub id: Ulid,
    /// Its place in the line.
    pub cursor: Cursor,
}

/// Why a directive cannot be put into the line.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// There is no such backend.
    #[error("there is no backend {0:?}")]
    NoBackend(BackendId),
    /// It breaks a rule or is too large.
    #[error(transparent)]
    CannotSign(#[from] CannotSign),
    /// No random numbers.
    #[error("the system gives no random numbers: {0}")]
    Random(#[from] getrandom::Error),
    /// The tables.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for SendError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

/// Puts a directive into a backend's line. Of a job request, the row and its requested actions are there already; of a
/// cancel, the caller writes the rows of `cancellation` under the id that this gives.
///
/// # Errors
/// No such backend, a body that breaks a rule or is larger than 4 MiB, or the database failed.
pub async fn send(
    change: &mut Change,
    site: &Site,
    backend: BackendId,
    body: &DirectiveBody,
) -> Result<Sent, SendError> {
    let row: Option<(i64, String)> =
        sqlx::query_as("UPDATE backend SET line_last = line_last + 1 WHERE id = ? RETURNING line_last, slug")
            .bind(backend.0)
            .fetch_optional(&mut **change)
            .await?;
    let (last, slug) = row.ok_or(SendError::NoBackend(backend))?;
    put(change, site, backend, &slug, cursor(last)?, body).await
}

/// Puts a directive at a place that is the line's own already.
pub(super) async fn put(
    change: &mut Change,
    site: &Site,
    backend: BackendId,
    slug: &str,
    cursor: Cursor,
    body: &DirectiveBody,
) -> Result<Sent, SendError> {
    let damaged = || StoreError::Damaged(format!("the line of the backend {slug}"));
    let at = site.clock.now();
    let mut random = [0; 16];
    getrandom::fill(&mut random)?;
    let milliseconds = u64::try_from(at.microseconds() / 1000).unwrap_or(0);
    let draft = Draft {
        cursor,
        id: Ulid::from_parts(milliseconds, u128::from_le_bytes(random)),
        backend: slug.parse::<BackendSlug>().map_err(|_| damaged())?,
        at,
        expires_at: at.plus_seconds(ORDER_SECONDS),
        critical: if matches!(body, DirectiveBody::JobRequest(_)) { vec!["permissions"] } else { Vec::new() },
        body: body.clone(),
    };
    let text = draft.sign(site.line.key())?;
    let request = match body {
        DirectiveBody::JobRequest(order) => Some(order.request.as_str()),
        DirectiveBody::Cancel(cancel) => Some(cancel.request.as_str()),
        _ => None,
    };
    sqlx::query(
        "INSERT INTO directive (backend, cursor, id, kind, text, request, at, expires_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(backend.0)
    .bind(number(cursor))
    .bind(draft.id.as_str())
    .bind(body.kind().name())
    .bind(text)
    .bind(request)
    .bind(at.microseconds())
    .bind(draft.expires_at.microseconds())
    .execute(&mut **change)
    .await?;
    if let DirectiveBody::JobRequest(order) = body {
        words::settle(change, i64::try_from(order.number.get()).unwrap_or(i64::MAX)).await?;
    }
    Ok(Sent { backend, id: draft.id, cursor })
}

/// The directive that nothing follows from but a look at the roster.
pub(super) async fn roster_revision(change: &mut Change) -> Result<DirectiveBody, SendError> {
    named_rights(change, Vec::new()).await
}

async fn named_rights(change: &mut Change, users: Vec<Username>) -> Result<DirectiveBody, SendError> {
    let (revision,): (i64,) =
        sqlx::query_as("SELECT CAST(value AS INTEGER) FROM setting WHERE name = 'people_revision'")
            .fetch_one(&mut **change)
            .await?;
    let damaged = || StoreError::Damaged("the revision of the roster".to_owned());
    let revision = u64::try_from(revision).ok().and_then(|n| Revision::try_from(n).ok()).ok_or_else(damaged)?;
    // More than can be named: none is, and the roster is fetched all the same.
    let users = users.try_into().unwrap_or_default();
    Ok(DirectiveBody::RightsChanged(RightsChanged { users, revision }))
}

/// Tells every backend in use that rights of these users changed, so that it fetches the roster now.
///
/// # Errors
/// As for [`send`].
pub async fn rights_changed(change: &mut Change, site: &Site, users: Vec<Username>) -> Result<Vec<Sent>, SendError> {
    let backends: Vec<(i64,)> =
        sqlx::query_as("SELECT id FROM backend WHERE is_active = 1 AND confirmed_at IS NOT NULL ORDER BY id")
            .fetch_all(&mut **change)
            .await?;
    let body = named_rights(change, users).await?;
    let mut sent = Vec::new();
    for (backend,) in backends {
        sent.push(send(change, site, BackendId(backend), &body).await?);
    }
    Ok(sent)
}
