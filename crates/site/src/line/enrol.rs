//! How a backend and the site come to know each other: a code by staff, a key by the backend, six words for two people.
//! Spec protocol.md 2.

use axum::extract::{Request, State};
use axum::response::Response;
use http::StatusCode;
use protocol::calls::RefusalCode;
use protocol::directive::DirectiveBody;
use protocol::directive::body::{Credential, Token};
use protocol::enrol::{Enrol, Enrolled};
use protocol::keys::{PublicKey, PublicKeyText};
use protocol::message;
use protocol::text::hashes::Sha256Hex;
use protocol::text::ids::KeyId;

use super::call::{Refusal, address, answer, body};
use super::send::{SendError, Sent, send};
use super::{alarm, code};
use crate::access::secret::{self, Kind, NoRandom};
use crate::clock::moment;
use crate::store::ids::{AccountId, BackendId};
use crate::store::{Change, StoreError};
use crate::{Opened, Site};

const HOUR: i64 = 3600 * 1_000_000;
const TOKEN_LIFE: i64 = 90 * 24 * HOUR;
/// The old token counts so long beside a new one.
const OVERLAP: i64 = 24 * HOUR;
/// With so much of its life left a token is renewed.
const RENEWED: i64 = 30 * 24 * HOUR;

/// A code for one enrolment. It is shown once.
#[derive(Clone, PartialEq, Eq)]
pub struct Code(String);

impl Code {
    /// The text that the operator types.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Code(hidden)")
    }
}

/// Why an enrolment cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum EnrolError {
    /// No key is there to be confirmed.
    #[error("the backend has not enrolled yet: give its operator a code first")]
    NotEnrolled,
    /// No random numbers.
    #[error("the system gives no random numbers: {0}")]
    Random(#[from] getrandom::Error),
    /// The same.
    #[error(transparent)]
    NoRandom(#[from] NoRandom),
    /// The tables.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A directive cannot be sent.
    #[error(transparent)]
    Send(#[from] SendError),
}

impl From<sqlx::Error> for EnrolError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

/// Makes a code for a backend, valid for an hour. Earlier ones of this backend end.
///
/// # Errors
/// No random numbers, or the database failed.
pub async fn make_code(change: &mut Change, site: &Site, backend: BackendId) -> Result<Code, EnrolError> {
    let (code, now) = (code::new()?, site.clock.microseconds());
    sqlx::query("DELETE FROM one_time_code WHERE purpose = 'enrol' AND backend = ?")
        .bind(backend.0)
        .execute(&mut **change)
        .await?;
    sqlx::query(
        "INSERT INTO one_time_code (hash, purpose, backend, created_at, expires_at) VALUES (?, 'enrol', ?, ?, ?)",
    )
    .bind(secret::hash(&code).to_vec())
    .bind(backend.0)
    .bind(now)
    .bind(now + HOUR)
    .execute(&mut **change)
    .await?;
    Ok(Code(code))
}

/// The six words of the newest key of a backend, for staff to compare with those that its operator reads out.
///
/// # Errors
/// It has not enrolled, or the database failed.
pub async fn fingerprint(site: &Site, backend: BackendId) -> Result<[&'static str; 6], EnrolError> {
    let row: Option<(String, String)> = sqlx::query_as(
        "SELECT b.slug, k.public_key FROM backend_key k JOIN backend b ON b.id = k.backend
         WHERE k.backend = ? ORDER BY k.epoch DESC, k.from_seq DESC LIMIT 1",
    )
    .bind(backend.0)
    .fetch_optional(site.store.readers())
    .await?;
    let (slug, key) = row.ok_or(EnrolError::NotEnrolled)?;
    let damaged = || StoreError::Damaged(format!("the key of the backend {slug}"));
    let key: PublicKeyText = key.parse().map_err(|_| damaged())?;
    let key = PublicKey::read(&key).map_err(|_| damaged())?;
    let slug = slug.parse().map_err(|_| damaged())?;
    Ok(protocol::keys::fingerprint(&slug, &key, &site.line.public_key()))
}

/// Staff have compared the words: from now on this key's facts count, and orders go out. The caller writes the audit.
///
/// # Errors
/// The backend has not enrolled, or the database failed.
pub async fn confirm(
    change: &mut Change,
    site: &Site,
    backend: BackendId,
    by: Option<AccountId>,
) -> Result<(), EnrolError> {
    let now = site.clock.microseconds();
    let keys = sqlx::query(
        "UPDATE backend_key SET confirmed_at = ?, confirmed_by = ? WHERE backend = ? AND confirmed_at IS NULL
         AND to_seq IS NULL",
    )
    .bind(now)
    .bind(by.map(|by| by.0))
    .bind(backend.0)
    .execute(&mut **change)
    .await?;
    if keys.rows_affected() == 0 {
        return Err(EnrolError::NotEnrolled);
    }
    sqlx::query("UPDATE backend SET confirmed_at = ?, confirmed_by = ? WHERE id = ? AND confirmed_at IS NULL")
        .bind(now)
        .bind(by.map(|by| by.0))
        .bind(backend.0)
        .execute(&mut **change)
        .await?;
    sqlx::query(
        "INSERT INTO backend_epoch (backend, epoch, state, head_seq, head_hash, opened_at)
         SELECT ?1, 1, 'open', 0, ?2, ?3 WHERE NOT EXISTS
             (SELECT 1 FROM backend_epoch WHERE backend = ?1 AND state IN ('open', 'closed'))",
    )
    .bind(backend.0)
    .bind(Sha256Hex::zero().as_str())
    .bind(now)
    .execute(&mut **change)
    .await?;
    Ok(())
}

/// Gives a backend a new token by a directive. The old one counts for a day more, or an hour after the new one's first use.
///
/// # Errors
/// No random numbers, the database failed, or the directive cannot be sent.
pub async fn rotate(change: &mut Change, site: &Site, backend: BackendId) -> Result<Sent, EnrolError> {
    let now = site.clock.microseconds();
    sqlx::query("UPDATE backend_token SET expires_at = min(expires_at, ?) WHERE backend = ? AND revoked_at IS NULL")
        .bind(now + OVERLAP)
        .bind(backend.0)
        .execute(&mut **change)
        .await?;
    new_one(change, site, backend, now).await
}

/// Renews the token by itself once its last month has begun: nobody needs to remember. A token that the backend did not fetch in
/// time is renewed by staff, who make another code.
pub(super) async fn renew(site: &Site, backend: BackendId) -> Result<(), EnrolError> {
    let now = site.clock.microseconds();
    let last: Option<i64> =
        sqlx::query_scalar("SELECT max(expires_at) FROM backend_token WHERE backend = ? AND revoked_at IS NULL")
            .bind(backend.0)
            .fetch_one(site.store.readers())
            .await?;
    if last.is_none_or(|last| last > now + RENEWED) {
        return Ok(());
    }
    let mut change = site.store.change().await?;
    let sent = new_one(&mut change, site, backend, now).await?;
    alarm::row(&mut change, backend, "backend_token_renewed", "until", moment(now + TOKEN_LIFE).to_string().into())
        .await?;
    change.commit().await?;
    site.line.wake(&sent);
    Ok(())
}

/// A further token by a directive.
async fn new_one(change: &mut Change, site: &Site, backend: BackendId, now: i64) -> Result<Sent, EnrolError> {
    let token = new_token(change, backend, now).await?;
    let body = DirectiveBody::Credential(Credential { token, valid_from: moment(now) });
    Ok(send(change, site, backend, &body).await?)
}

async fn new_token(change: &mut Change, backend: BackendId, now: i64) -> Result<Token, EnrolError> {
    let text = secret::token(Kind::Backend)?;
    sqlx::query(
        "INSERT INTO backend_token (hash, backend, created_at, valid_from, expires_at) VALUES (?1, ?2, ?3, ?3, ?4)",
    )
    .bind(secret::hash(&text).to_vec())
    .bind(backend.0)
    .bind(now)
    .bind(now + TOKEN_LIFE)
    .execute(&mut **change)
    .await?;
    let text = text.parse().map_err(|_| StoreError::Damaged("a fresh token".to_owned()))?;
    Ok(Token::new(text))
}

impl From<EnrolError> for Refusal {
    fn from(error: EnrolError) -> Self {
        tracing::error!(%error, "an enrolment failed");
        Self::new(RefusalCode::Unavailable)
    }
}

/// `enrol`: a code and a key for a token.
pub(super) async fn enrol(State(site): State<Opened>, request: Request) -> Result<Response, Refusal> {
    let (now, from) = (site.clock.microseconds(), address(&request));
    if site.line.is_blocked(&from, now) {
        return Err(Refusal::new(RefusalCode::TooMany));
    }
    let bytes = body(request.into_body(), 4096).await?;
    let message: Enrol = message::from_bytes(&bytes).map_err(|_| Refusal::new(RefusalCode::Malformed))?;
    PublicKey::read(&message.public_key).map_err(|_| Refusal::new(RefusalCode::Malformed))?;
    let mut change = site.store.change().await?;
    let Some(backend) = take_code(&mut change, &message, now).await? else {
        change.rollback().await?;
        site.line.bad_try(from, now);
        return Err(Refusal::new(RefusalCode::Unauthorised));
    };
    let (slug, active): (String, bool) = sqlx::query_as("SELECT slug, is_active FROM backend WHERE id = ?")
        .bind(backend.0)
        .fetch_one(&mut *change)
        .await?;
    if !active {
        return Err(Refusal::new(RefusalCode::Disabled));
    }
    let key = key_name(&mut change, backend, &slug, &message.public_key).await?;
    // Whoever enrols has the backend's code: tokens of an earlier enrolment count no more.
    sqlx::query("UPDATE backend_token SET revoked_at = ? WHERE backend = ? AND revoked_at IS NULL")
        .bind(now)
        .bind(backend.0)
        .execute(&mut *change)
        .await?;
    let token = new_token(&mut change, backend, now).await?;
    alarm::row(&mut change, backend, "backend_enrolled", "key", key.as_str().into()).await?;
    change.commit().await?;
    let damaged = || StoreError::Damaged(format!("the backend name {slug}"));
    let enrolled = Enrolled {
        backend: slug.parse().map_err(|_| damaged())?,
        token,
        token_ends_at: moment(now + TOKEN_LIFE),
        key,
        site_key: site.line.key().id().clone(),
        site_public_key: site.line.public_key().text(),
    };
    Ok(answer(StatusCode::OK, &enrolled))
}

/// The backend of a code, which is used up by this key. The same code and key again, as after a lost answer, is no harm.
async fn take_code(change: &mut Change, message: &Enrol, now: i64) -> Result<Option<BackendId>, Refusal> {
    let row: Option<(i64, Option<i64>)> = sqlx::query_as(
        "SELECT backend, used_at FROM one_time_code
         WHERE hash = ? AND purpose = 'enrol' AND expires_at > ? AND backend IS NOT NULL",
    )
    .bind(secret::hash(message.code.as_str()).to_vec())
    .bind(now)
    .fetch_optional(&mut **change)
    .await?;
    let Some((backend, used)) = row else { return Ok(None) };
    if used.is_some() {
        let (again,): (bool,) = sqlx::query_as(
            "SELECT EXISTS (SELECT 1 FROM backend_key WHERE backend = ?1 AND public_key = ?2 AND confirmed_at IS NULL)
             AND NOT EXISTS (SELECT 1 FROM backend_token WHERE backend = ?1 AND revoked_at IS NULL
                             AND first_used_at IS NOT NULL)",
        )
        .bind(backend)
        .bind(message.public_key.as_str())
        .fetch_one(&mut **change)
        .await?;
        if !again {
            return Ok(None);
        }
    }
    sqlx::query("UPDATE one_time_code SET used_at = ? WHERE hash = ?")
        .bind(now)
        .bind(secret::hash(message.code.as_str()).to_vec())
        .execute(&mut **change)
        .await?;
    Ok(Some(BackendId(backend)))
}

/// The name under which the site keeps a key. A key that staff have not confirmed gives way to a newer one.
async fn key_name(change: &mut Change, backend: BackendId, slug: &str, key: &PublicKeyText) -> Result<KeyId, Refusal> {
    let damaged = || StoreError::Damaged(format!("the backend name {slug}"));
    let known: Option<(String,)> =
        sqlx::query_as("SELECT key_id FROM backend_key WHERE backend = ? AND public_key = ? AND to_seq IS NULL")
            .bind(backend.0)
            .bind(key.as_str())
            .fetch_optional(&mut **change)
            .await?;
    if let Some((name,)) = known {
        return Ok(name.parse().map_err(|_| damaged())?);
    }
    sqlx::query("DELETE FROM backend_key WHERE backend = ? AND confirmed_at IS NULL")
        .bind(backend.0)
        .execute(&mut **change)
        .await?;
    let (keys, epochs): (i64, i64) = sqlx::query_as(
        "SELECT (SELECT count(*) FROM backend_key WHERE backend = ?1),
                (SELECT coalesce(max(epoch), 0) FROM backend_epoch WHERE backend = ?1 AND state IN ('open', 'closed'))",
    )
    .bind(backend.0)
    .fetch_one(&mut **change)
    .await?;
    let name = format!("{slug}-{}", keys + 1);
    sqlx::query("INSERT INTO backend_key (backend, key_id, public_key, epoch, from_seq) VALUES (?, ?, ?, ?, 1)")
        .bind(backend.0)
        .bind(&name)
        .bind(key.as_str())
        .bind(epochs + 1)
        .execute(&mut **change)
        .await?;
    Ok(name.parse().map_err(|_| damaged())?)
}
