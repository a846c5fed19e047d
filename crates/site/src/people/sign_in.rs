//! Signing in and out: by password, or in the demo by picking a person.
//! Spec site.md 11.1, 11.2, 16.

use std::time::Instant;

use axum::http::HeaderMap;
use axum::http::header::USER_AGENT;
use sqlx::Row;

use super::{By, Fault, names, password};
use crate::Site;
use crate::access::session::{self, Begun};
use crate::access::{Prefix, Refusal, RequestId, Viewer};
use crate::audit::{self, Act, Actor};
use crate::store::{Change, StoreError};

/// From where somebody signs in.
#[derive(Debug, Clone)]
pub struct From<'a> {
    /// Who they were before; that session ends.
    pub viewer: &'a Viewer,
    /// The address, as coarse as it is kept.
    pub prefix: &'a Prefix,
    /// The browser's headers.
    pub headers: &'a HeaderMap,
    /// The request.
    pub request: &'a RequestId,
}

/// What everybody reads who is not let in, whatever the cause.
pub const WRONG: &str = "That user name and password are not known together. After several wrong tries you have to wait a while before the next.";

/// Begins a session for whoever knows the password.
///
/// # Errors
/// [`Refusal::TooMany`]: this address or this name was tried too often; [`Refusal::Invalid`]: anything else that is wrong,
/// in one text.
pub async fn by_password(site: &Site, name: &str, password: &str, from: From<'_>) -> Result<Begun, Fault> {
    let (name, at) = (names::folded(name), Instant::now());
    site.gate.sign_in.take(from.prefix.clone(), at).map_err(Refusal::TooMany)?;
    site.gate.wrong.may_try(&name, at).map_err(Refusal::TooMany)?;
    // Counted before it is known to be wrong, so that many tries at once are many tries.
    site.gate.wrong.add(&name, at);
    let row = sqlx::query("SELECT id, password, kind, disabled_at FROM account WHERE username_key = ?1")
        .bind(&name)
        .fetch_optional(site.store.readers())
        .await?;
    let (mut id, mut kept) = (None, None);
    if let Some(row) = row {
        id = Some(row.try_get::<i64, _>("id")?);
        let may =
            row.try_get::<Option<i64>, _>("disabled_at")?.is_none() && row.try_get::<String, _>("kind")? == "human";
        kept = if may { row.try_get::<Option<String>, _>("password")? } else { None };
    }
    // Longer than any password is; hashing it would only cost time.
    let password: String = password.chars().take(257).collect();
    let right = password::is(password, kept).await?;
    let mut change = site.store.change().await?;
    let (true, Some(account)) = (right, id) else {
        let act = Act::new(Actor::Nobody, "sign_in_failed").request(from.request);
        let act = if let Some(id) = id { act.on("account", id) } else { act };
        audit::record(&mut change, act).await?;
        change.commit().await.map_err(StoreError::from)?;
        return Err(Refusal::Invalid(WRONG.to_owned()).into());
    };
    site.gate.wrong.clear(&name);
    let begun = begin(&mut change, site, account, &from, "signed_in").await?;
    change.commit().await.map_err(StoreError::from)?;
    Ok(begun)
}

/// Begins a session for this person, because somebody picked them. Only where the settings say so.
///
/// # Errors
/// [`Refusal::Hidden`]: not on this site, or no such person.
pub async fn as_persona(site: &Site, username: &str, from: From<'_>) -> Result<Begun, Fault> {
    if !site.settings.personas {
        return Err(Refusal::Hidden.into());
    }
    let mut change = site.store.change().await?;
    let row = sqlx::query("SELECT id FROM account WHERE username_key = ?1 AND kind = 'human' AND disabled_at IS NULL")
        .bind(names::folded(username))
        .fetch_optional(&mut *change)
        .await?;
    let account = row.ok_or(Refusal::Hidden)?.try_get("id")?;
    let begun = begin(&mut change, site, account, &from, "signed_in_as_persona").await?;
    change.commit().await.map_err(StoreError::from)?;
    Ok(begun)
}

/// Begins a session in a change that has made sure who it is. The session of before, if any, ends.
///
/// # Errors
/// The database failed.
pub async fn begin(
    change: &mut Change,
    site: &Site,
    account: i64,
    from: &From<'_>,
    action: &'static str,
) -> Result<Begun, Fault> {
    if let Viewer::Person(person) = from.viewer {
        session::end(change, &person.session).await?;
    }
    let agent = from.headers.get(USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or_default();
    let now = site.clock.microseconds();
    let begun = session::begin(change, &site.settings, account, family(agent), from.prefix.as_str(), now).await?;
    sqlx::query("UPDATE account SET last_seen_at = ?1 WHERE id = ?2")
        .bind(now)
        .bind(account)
        .execute(&mut **change)
        .await?;
    let act = Act::new(Actor::Account { id: account, token: None }, action).on("account", account);
    audit::record(change, act.request(from.request)).await?;
    Ok(begun)
}

/// Ends a session of one's own: this one or, from the settings, another one.
///
/// # Errors
/// The database failed.
pub async fn end(change: &mut Change, by: &By, account: i64, session: &[u8; 32]) -> Result<(), Fault> {
    let done = sqlx::query("DELETE FROM session WHERE id_hash = ?1 AND account = ?2")
        .bind(session.to_vec())
        .bind(account)
        .execute(&mut **change)
        .await?;
    if done.rows_affected() > 0 {
        audit::record(change, by.act("session_ended").on("account", account)).await?;
    }
    Ok(())
}

/// The family of a browser, which is all that is kept of its long name.
fn family(agent: &str) -> &'static str {
    // In this order, for each names the later ones too.
    let families =
        [("Firefox/", "Firefox"), ("Edg/", "Edge"), ("OPR/", "Opera"), ("Chrome/", "Chrome"), ("Safari/", "Safari")];
    families.iter().find(|(mark, _)| agent.contains(mark)).map_or("another browser", |(_, name)| name)
}
