//! A person's token in the `Authorization` header, for the API.
//! Spec site.md 11.6. Tokens of backends are looked up by `line`.

use axum::http::{HeaderMap, header};
use sqlx::Row;

use super::secret::{self, Kind};
use super::{Token, TokenScope, session};
use crate::clock::MINUTE;
use crate::store::{Store, StoreError};

/// The text of the bearer token of a request, if it carries one.
pub(super) fn carried(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

/// Whose API token this is, if it counts.
pub(super) async fn find(store: &Store, text: &str, now: i64) -> Result<Option<(Token, Option<i64>)>, StoreError> {
    if !secret::is_token(Kind::Person, text) {
        return Ok(None);
    }
    let rows = sqlx::query(
        "SELECT t.id AS token_id, t.scopes, t.last_used_at, a.id, a.username, a.fullname,
                (SELECT group_concat(project) FROM api_token_project WHERE token = t.id) AS projects,
                g.id AS grant_id, g.role, g.scope, g.scope_id, g.expires_at, g.approved_at
         FROM api_token t JOIN account a ON a.id = t.account
         LEFT JOIN role_grant g ON g.account = a.id AND g.revoked_at IS NULL
         WHERE t.hash = ?1 AND t.revoked_at IS NULL AND t.expires_at > ?2 AND a.disabled_at IS NULL",
    )
    .bind(secret::hash(text).to_vec())
    .bind(now)
    .fetch_all(store.readers())
    .await?;
    let Some(first) = rows.first() else { return Ok(None) };
    let scopes: String = first.try_get("scopes")?;
    let projects: Option<String> = first.try_get("projects")?;
    let account = session::account(&rows, now)?;
    let token = Token {
        account,
        id: first.try_get("token_id")?,
        scopes: scopes.split(' ').filter_map(TokenScope::of).collect(),
        projects: projects.unwrap_or_default().split(',').filter_map(|id| id.parse().ok()).collect(),
    };
    Ok(Some((token, first.try_get("last_used_at")?)))
}

/// Notes when and from where a token was last used, once a minute.
pub(super) async fn used(
    store: &Store,
    token: i64,
    last: Option<i64>,
    prefix: &str,
    now: i64,
) -> Result<(), StoreError> {
    if last.is_some_and(|last| now < last + MINUTE) {
        return Ok(());
    }
    let mut change = store.note().await?;
    sqlx::query("UPDATE api_token SET last_used_at = ?1, last_used_ip_prefix = ?2 WHERE id = ?3")
        .bind(now)
        .bind(prefix)
        .bind(token)
        .execute(&mut *change)
        .await?;
    change.commit().await?;
    Ok(())
}
