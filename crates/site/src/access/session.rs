//! Sessions of browsers: a random id in a cookie, its hash in a row, the roles that count read along with it.
//! Spec site.md 11.2.

use axum::http::{HeaderMap, HeaderValue, header};
use sqlx::Row;

use super::secret::{self, NoRandom};
use super::{Account, Grant, Grants, Person, Place, Role};
use crate::Settings;
use crate::clock::{DAY, HOUR};
use crate::store::{Change, Store, StoreError};

/// How long a session lasts without use.
const IDLE: i64 = 12 * HOUR;
/// The same for staff.
const IDLE_STAFF: i64 = 2 * HOUR;
/// How long it lasts at most.
const LONGEST: i64 = 7 * DAY;

/// A session that was just begun.
#[derive(Debug)]
pub struct Begun {
    /// The `Set-Cookie` header.
    pub cookie: HeaderValue,
}

/// A session as it was found.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) person: Person,
    pub(super) last_seen_at: i64,
}

/// The cookie's name: bound to https and this host, but on loopback without https.
fn name(settings: &Settings) -> &'static str {
    if settings.is_https() { "__Host-cloister" } else { "cloister" }
}

/// The hash of the session id that a request carries.
pub(super) fn carried(headers: &HeaderMap, settings: &Settings) -> Option<[u8; 32]> {
    let name = name(settings);
    let mut pairs = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='));
    let (_, id) = pairs.find(|(key, _)| *key == name)?;
    (id.len() == 43).then(|| secret::hash(id))
}

/// Begins a session with an id of its own, never one that the browser brought.
///
/// # Errors
/// The database failed, or the system gives no random numbers.
pub async fn begin(
    change: &mut Change,
    settings: &Settings,
    account: i64,
    agent: &str,
    ip_prefix: &str,
    now: i64,
) -> Result<Begun, StoreError> {
    let none = |_: NoRandom| StoreError::Damaged(NoRandom.to_string());
    let (id, csrf) = (secret::opaque().map_err(none)?, secret::opaque().map_err(none)?);
    // What ended long ago is of no use to anybody.
    sqlx::query("DELETE FROM session WHERE created_at < ?1 OR last_seen_at < ?2")
        .bind(now - LONGEST)
        .bind(now - IDLE)
        .execute(&mut **change)
        .await?;
    sqlx::query(
        "INSERT INTO session (id_hash, account, csrf, created_at, last_seen_at, strong_auth_at, agent, ip_prefix)
         VALUES (?1, ?2, ?3, ?4, ?4, ?4, ?5, ?6)",
    )
    .bind(secret::hash(&id).to_vec())
    .bind(account)
    .bind(csrf)
    .bind(now)
    .bind(agent)
    .bind(ip_prefix)
    .execute(&mut **change)
    .await?;
    Ok(Begun { cookie: cookie(settings, &id, LONGEST / 1_000_000) })
}

/// The header that makes a browser forget its session.
pub fn forget(settings: &Settings) -> HeaderValue {
    cookie(settings, "", 0)
}

fn cookie(settings: &Settings, value: &str, seconds: i64) -> HeaderValue {
    let secure = if settings.is_https() { "; Secure" } else { "" };
    let text = format!("{}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}", name(settings));
    // Base64 and our own words are always a header's value.
    HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static(""))
}

/// Ends a session.
///
/// # Errors
/// The database failed.
pub async fn end(change: &mut Change, hash: &[u8; 32]) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM session WHERE id_hash = ?1").bind(hash.to_vec()).execute(&mut **change).await?;
    Ok(())
}

/// The session with this hash, if it still counts: one query for session, account and roles.
pub(super) async fn find(store: &Store, hash: &[u8; 32], now: i64) -> Result<Option<Found>, StoreError> {
    let rows = sqlx::query(
        "SELECT s.csrf, s.created_at, s.last_seen_at, s.strong_auth_at, a.id, a.username, a.fullname,
                g.id AS grant_id, g.role, g.scope, g.scope_id, g.expires_at, g.approved_at
         FROM session s JOIN account a ON a.id = s.account
         LEFT JOIN role_grant g ON g.account = a.id AND g.revoked_at IS NULL
         WHERE s.id_hash = ?1 AND a.disabled_at IS NULL",
    )
    .bind(hash.to_vec())
    .fetch_all(store.readers())
    .await?;
    let Some(first) = rows.first() else { return Ok(None) };
    let account = account(&rows, now)?;
    let (created_at, last_seen_at): (i64, i64) = (first.try_get("created_at")?, first.try_get("last_seen_at")?);
    let idle = if account.grants.is_staff() { IDLE_STAFF } else { IDLE };
    if now >= created_at + LONGEST || now >= last_seen_at + idle {
        return Ok(None);
    }
    let person = Person {
        account,
        csrf: first.try_get("csrf")?,
        session: *hash,
        strong_auth_at: first.try_get("strong_auth_at")?,
    };
    Ok(Some(Found { person, last_seen_at }))
}

impl Account {
    /// The account with this id and the roles that count now; none if it is disabled. For deciding about somebody who is
    /// not asking.
    ///
    /// # Errors
    /// The database failed.
    pub async fn load(store: &Store, id: i64, now: i64) -> Result<Option<Self>, StoreError> {
        let rows = sqlx::query(
            "SELECT a.id, a.username, a.fullname, g.id AS grant_id, g.role, g.scope, g.scope_id, g.expires_at, g.approved_at
             FROM account a LEFT JOIN role_grant g ON g.account = a.id AND g.revoked_at IS NULL
             WHERE a.id = ?1 AND a.disabled_at IS NULL",
        )
        .bind(id)
        .fetch_all(store.readers())
        .await?;
        rows.first().map(|_| account(&rows, now)).transpose()
    }
}

/// The account of some rows, each with a role or none.
pub(super) fn account(rows: &[sqlx::sqlite::SqliteRow], now: i64) -> Result<Account, StoreError> {
    let first = rows.first().ok_or(sqlx::Error::RowNotFound)?;
    let mut grants = Grants::default();
    for row in rows {
        push(&mut grants, row, now)?;
    }
    Ok(Account {
        id: first.try_get("id")?,
        username: first.try_get("username")?,
        fullname: first.try_get("fullname")?,
        grants,
    })
}

/// Adds the role of a row, if it counts now. Roles and scopes of a newer program give nothing.
fn push(grants: &mut Grants, row: &sqlx::sqlite::SqliteRow, now: i64) -> Result<(), sqlx::Error> {
    let Some(id) = row.try_get::<Option<i64>, _>("grant_id")? else { return Ok(()) };
    let (Some(role), Some(place)) =
        (Role::of(row.try_get("role")?), Place::of(row.try_get("scope")?, row.try_get("scope_id")?))
    else {
        return Ok(());
    };
    let expires_at: Option<i64> = row.try_get("expires_at")?;
    let approved = !role.needs_two() || row.try_get::<Option<i64>, _>("approved_at")?.is_some();
    if approved && expires_at.is_none_or(|end| now < end) && role.scopes().contains(&place.kind()) {
        grants.push(Grant { id, role, place, expires_at });
    }
    Ok(())
}

/// Notes that a session is in use. Only its idle time depends on it, so once a minute is enough.
pub(super) async fn seen(store: &Store, found: &Found, now: i64) -> Result<(), StoreError> {
    if now < found.last_seen_at + crate::clock::MINUTE {
        return Ok(());
    }
    let mut change = store.note().await?;
    sqlx::query("UPDATE session SET last_seen_at = ?1 WHERE id_hash = ?2")
        .bind(now)
        .bind(found.person.session.to_vec())
        .execute(&mut *change)
        .await?;
    sqlx::query("UPDATE account SET last_seen_at = ?1 WHERE id = ?2")
        .bind(now)
        .bind(found.person.account.id)
        .execute(&mut *change)
        .await?;
    change.commit().await?;
    Ok(())
}
