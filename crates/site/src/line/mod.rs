//! Stands in for the line of directives until the branch that owns it is merged.
//! Same signatures, same rows.

use protocol::directive::DirectiveBody;
use protocol::directive::envelope::{CannotSign, Draft};
use protocol::keys::SigningKey;
use protocol::limits::ORDER_SECONDS;
use protocol::text::ids::Ulid;
use protocol::text::time::Moment;
use protocol::text::whole::Cursor;

use crate::Site;
use crate::store::ids::BackendId;
use crate::store::{Change, StoreError};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    pub backend: BackendId,
    pub id: Ulid,
    pub cursor: Cursor,
}

#[derive(Debug, thiserror::Error)]
pub enum SendError {
    #[error("there is no backend {0:?}")]
    NoBackend(BackendId),
    #[error(transparent)]
    CannotSign(#[from] CannotSign),
    #[error("the system gives no random numbers: {0}")]
    Random(#[from] getrandom::Error),
    #[error(transparent)]
    Store(#[from] StoreError),
}
impl From<sqlx::Error> for SendError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

pub async fn send(change: &mut Change, _: &Site, backend: BackendId, body: &DirectiveBody) -> Result<Sent, SendError> {
    let (cursor,): (i64,) = sqlx::query_as("SELECT coalesce(max(cursor), 0) + 1 FROM directive WHERE backend = ?")
        .bind(backend.0).fetch_one(&mut **change).await?;
    let (slug,): (String,) = sqlx::query_as("SELECT slug FROM backend WHERE id = ?").bind(backend.0).fetch_one(&mut **change).await?;
    let damaged = || StoreError::Damaged("line".to_owned());
    let at = Moment::from_microseconds(crate::clock::now()).map_err(|_| damaged())?;
    let mut random = [0; 16];
    getrandom::fill(&mut random)?;
    let draft = Draft {
        cursor: u64::try_from(cursor).ok().and_then(|n| Cursor::try_from(n).ok()).ok_or_else(damaged)?,
        id: Ulid::from_parts(1, u128::from_le_bytes(random)),
        backend: slug.parse().map_err(|_| damaged())?,
        at,
        expires_at: at.plus_seconds(ORDER_SECONDS),
        critical: vec![],
        body: body.clone(),
    };
    let key = SigningKey::new(&[7; 32], "site-1".parse().map_err(|_| damaged())?);
    let text = draft.sign(&key)?;
    let request = match body {
        DirectiveBody::JobRequest(order) => Some(order.request.as_str()),
        DirectiveBody::Cancel(cancel) => Some(cancel.request.as_str()),
        _ => None,
    };
    sqlx::query("INSERT INTO directive (backend, cursor, id, kind, text, request, at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)")
        .bind(backend.0).bind(cursor).bind(draft.id.as_str()).bind(body.kind().name()).bind(text).bind(request)
        .bind(at.microseconds()).bind(draft.expires_at.microseconds()).execute(&mut **change).await?;
    Ok(Sent { backend, id: draft.id, cursor: draft.cursor })
}

#[derive(Debug)]
pub struct Lines;
impl Lines {
    pub fn wake(&self, _: &Sent) {}
}
