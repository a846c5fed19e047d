//! The beginning of every call: whose token it is, which version, which process, the body within its limit.
//! Spec protocol.md 2. Missing or wrong token: 401 and nothing else is said.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use protocol::calls::{BOOT_HEADER, CallRefused, RefusalCode, VERSION_HEADER};
use protocol::lease::NotHolder;
use protocol::message::{self, Message};
use protocol::text::ids::Ulid;
use protocol::text::names::BackendSlug;
use protocol::version::{SPOKEN, Version, VersionText};
use subtle::ConstantTimeEq;

use super::peers::Peer;
use super::send::SendError;
use crate::Site;
use crate::access::{Prefix, secret};
use crate::store::StoreError;
use crate::store::ids::BackendId;

/// Seconds after which a refused call may come again.
const RETRY_AFTER: &str = "5";

/// Who calls.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub backend: BackendId,
    pub slug: BackendSlug,
    /// Whether staff confirmed its key.
    pub confirmed: bool,
    pub peer: Arc<Peer>,
    pub boot: Ulid,
}

/// A call that may go on.
pub(crate) struct Call {
    pub caller: Caller,
    pub uri: Uri,
    pub body: Bytes,
}

/// A call that is refused.
#[derive(Debug)]
pub(crate) struct Refusal(pub CallRefused);

impl Refusal {
    pub(crate) fn new(code: RefusalCode) -> Self {
        Self(CallRefused::new(code))
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "a backend's call failed");
        Self::new(RefusalCode::Unavailable)
    }
}

impl From<sqlx::Error> for Refusal {
    fn from(error: sqlx::Error) -> Self {
        StoreError::from(error).into()
    }
}

impl From<SendError> for Refusal {
    fn from(error: SendError) -> Self {
        tracing::error!(%error, "a directive cannot be put into the line");
        Self::new(RefusalCode::Unavailable)
    }
}

impl From<getrandom::Error> for Refusal {
    fn from(error: getrandom::Error) -> Self {
        tracing::error!(%error, "no random numbers");
        Self::new(RefusalCode::Unavailable)
    }
}

impl From<NotHolder> for Refusal {
    fn from(why: NotHolder) -> Self {
        Self::new(match why {
            NotHolder::AlreadyConnected => RefusalCode::AlreadyConnected,
            NotHolder::Superseded => RefusalCode::Superseded,
            NotHolder::HelloFirst => RefusalCode::HelloFirst,
        })
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = answer(status, &self.0);
        if matches!(self.0.code, RefusalCode::TooMany | RefusalCode::Unavailable) {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER));
        }
        response
    }
}

/// A message as an answer.
pub(crate) fn answer<M: Message>(status: StatusCode, message: &M) -> Response {
    match message::to_text(message) {
        Ok(text) => json(status, text),
        Err(error) => {
            tracing::error!(%error, "an answer to a backend cannot be written");
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    }
}

pub(crate) fn json(status: StatusCode, text: String) -> Response {
    let kind = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")];
    (status, kind, text).into_response()
}

/// Where a call comes from; calls within the process have no address.
pub(super) fn address(request: &Request) -> Prefix {
    request.extensions().get::<Prefix>().cloned().unwrap_or_else(Prefix::inside)
}

/// Reads at most so many bytes.
pub(super) async fn body(body: Body, most: usize) -> Result<Bytes, Refusal> {
    match Limited::new(body, most).collect().await {
        Ok(whole) => Ok(whole.to_bytes()),
        Err(error) if is_too_long(error.as_ref()) => Err(Refusal::new(RefusalCode::TooLarge)),
        Err(_) => Err(Refusal::new(RefusalCode::Malformed)),
    }
}

/// Whether a limit was met, here or in what stands around every route.
fn is_too_long(error: &(dyn std::error::Error + 'static)) -> bool {
    std::iter::successors(Some(error), |error| error.source()).any(<dyn std::error::Error>::is::<LengthLimitError>)
}

/// Looks at a call: token, backend, version, process. With `writer`, the process must hold the lease.
pub(crate) async fn open(site: &Site, request: Request, most: usize, writer: bool) -> Result<Call, Refusal> {
    let now = site.clock.microseconds();
    let address = address(&request);
    if site.line.is_blocked(&address, now) {
        return Err(Refusal::new(RefusalCode::TooMany));
    }
    let (parts, rest) = request.into_parts();
    let Some(found) = known(site, &parts.headers, now).await? else {
        site.line.bad_try(address, now);
        return Err(Refusal::new(RefusalCode::Unauthorised));
    };
    if !found.active {
        return Err(Refusal::new(RefusalCode::Disabled));
    }
    let peer = site.line.peer(found.backend);
    let (too_many, note) = peer.touch(now);
    if too_many {
        return Err(Refusal::new(RefusalCode::TooMany));
    }
    version(&parts.headers)?;
    let boot: Ulid = text(&parts.headers, BOOT_HEADER)
        .and_then(|boot| boot.parse().ok())
        .ok_or_else(|| Refusal::new(RefusalCode::Malformed))?;
    if writer {
        peer.call(&boot, now)?;
    }
    if note || !found.used {
        let mut change = site.store.change().await?;
        sqlx::query("UPDATE backend SET last_contact_at = ? WHERE id = ?")
            .bind(now)
            .bind(found.backend.0)
            .execute(&mut *change)
            .await?;
        if !found.used {
            first_use(&mut change, found.backend, &found.hash, now).await?;
        }
        change.commit().await?;
    }
    let caller = Caller { backend: found.backend, slug: found.slug, confirmed: found.confirmed, peer, boot };
    Ok(Call { caller, uri: parts.uri, body: body(rest, most).await? })
}

struct Known {
    backend: BackendId,
    slug: BackendSlug,
    active: bool,
    confirmed: bool,
    used: bool,
    hash: Vec<u8>,
}

async fn known(site: &Site, headers: &HeaderMap, now: i64) -> Result<Option<Known>, Refusal> {
    let Some(token) = text(headers, header::AUTHORIZATION.as_str()).and_then(|value| value.strip_prefix("Bearer "))
    else {
        return Ok(None);
    };
    let hash = secret::hash(token).to_vec();
    let row: Option<(Vec<u8>, i64, String, bool, bool, bool)> = sqlx::query_as(
        "SELECT t.hash, b.id, b.slug, b.is_active, b.confirmed_at IS NOT NULL, t.first_used_at IS NOT NULL
         FROM backend_token t JOIN backend b ON b.id = t.backend
         WHERE t.hash = ?1 AND t.revoked_at IS NULL AND t.valid_from <= ?2 AND t.expires_at > ?2",
    )
    .bind(&hash)
    .bind(now)
    .fetch_optional(site.store.readers())
    .await?;
    let Some((kept, id, slug, active, confirmed, used)) = row else { return Ok(None) };
    if !bool::from(kept.ct_eq(&hash)) {
        return Ok(None);
    }
    let slug = slug.parse().map_err(|_| StoreError::Damaged(format!("the backend name {slug}")))?;
    Ok(Some(Known { backend: BackendId(id), slug, active, confirmed, used, hash }))
}

/// The old token ends an hour after the first use of a new one.
async fn first_use(
    change: &mut crate::store::Change,
    backend: BackendId,
    hash: &[u8],
    now: i64,
) -> Result<(), Refusal> {
    sqlx::query("UPDATE backend_token SET first_used_at = ? WHERE hash = ? AND first_used_at IS NULL")
        .bind(now)
        .bind(hash)
        .execute(&mut **change)
        .await?;
    sqlx::query(
        "UPDATE backend_token SET expires_at = min(expires_at, ?1 + 3600000000)
         WHERE backend = ?2 AND hash <> ?3 AND created_at <= (SELECT created_at FROM backend_token WHERE hash = ?3)",
    )
    .bind(now)
    .bind(backend.0)
    .bind(hash)
    .execute(&mut **change)
    .await?;
    Ok(())
}

fn version(headers: &HeaderMap) -> Result<(), Refusal> {
    let malformed = || Refusal::new(RefusalCode::Malformed);
    let spoken: Version = text(headers, VERSION_HEADER).ok_or_else(malformed)?.parse().map_err(|_| malformed())?;
    if SPOKEN.contains(&spoken) { Ok(()) } else { Err(no_common_version()) }
}

pub(super) fn no_common_version() -> Refusal {
    let versions: Vec<VersionText> = SPOKEN.iter().filter_map(|version| version.text().ok()).collect();
    Refusal(CallRefused { versions: versions.try_into().ok(), ..CallRefused::new(RefusalCode::NoCommonVersion) })
}

pub(super) fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}
