//! API tokens: made for a time, shown once, revoked.
//! Spec site.md 11.6.

use sqlx::Row;

use serde_json::json;

use super::{By, Fault, names};
use crate::access::TokenScope;
use crate::access::secret::{self, Kind};
use crate::audit::{self, fields};
use crate::clock::{DAY, now};
use crate::store::Change;

/// Days that a token lasts at most.
pub const MOST_DAYS: i64 = 365;
/// Days that it lasts if nothing is said.
pub const DAYS: i64 = 90;
/// Tokens of one account that count at once.
const MOST: i64 = 50;

/// A token to be.
#[derive(Debug, Clone)]
pub struct New<'a> {
    /// What its owner calls it.
    pub name: &'a str,
    /// What it is for.
    pub scopes: &'a [TokenScope],
    /// How many days it counts.
    pub days: i64,
    /// The only projects that it reaches; all if empty.
    pub projects: &'a [i64],
}

/// A token's text. It shows nothing of itself but to who asks for it by [`reveal`](Self::reveal), once.
pub struct Made(String);

impl Made {
    /// The text.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Made {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Made(hidden)")
    }
}

/// Makes a token.
///
/// # Errors
/// [`Fault::Field`]: no name, no scope, or too long a time; [`Fault::Refused`]: too many.
pub async fn make(change: &mut Change, by: &By, account: i64, new: New<'_>) -> Result<Made, Fault> {
    let name = names::line("name", new.name, 100)?;
    if new.scopes.is_empty() {
        return Err(Fault::field("scopes", "tick what the token is for"));
    }
    if !(1..=MOST_DAYS).contains(&new.days) {
        return Err(Fault::field("days", format!("a token counts for 1 to {MOST_DAYS} days")));
    }
    let row = sqlx::query(
        "SELECT count(*) AS n FROM api_token WHERE account = ?1 AND revoked_at IS NULL AND expires_at > ?2",
    )
    .bind(account)
    .bind(now())
    .fetch_one(&mut **change)
    .await?;
    if row.try_get::<i64, _>("n")? >= MOST {
        return Err(Fault::conflict(format!("There are {MOST} tokens already; revoke one first.")));
    }
    let text = secret::token(Kind::Person)?;
    let words: Vec<&str> =
        TokenScope::ALL.iter().filter(|scope| new.scopes.contains(scope)).map(|s| s.as_str()).collect();
    let id = sqlx::query(
        "INSERT INTO api_token (account, name, prefix, hash, scopes, created_at, expires_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )
    .bind(account)
    .bind(name)
    .bind(&text[..8])
    .bind(secret::hash(&text).to_vec())
    .bind(words.join(" "))
    .bind(now())
    .bind(now() + new.days * DAY)
    .execute(&mut **change)
    .await?
    .last_insert_rowid();
    for project in new.projects {
        sqlx::query("INSERT INTO api_token_project (token, project) VALUES (?1, ?2) ON CONFLICT DO NOTHING")
            .bind(id)
            .bind(project)
            .execute(&mut **change)
            .await?;
    }
    let after = fields([("scopes", json!(words)), ("days", json!(new.days)), ("projects", json!(new.projects))]);
    audit::record(change, by.act("token_made").on("api_token", id).after(after)).await?;
    Ok(Made(text))
}

/// Revokes a token of this account.
///
/// # Errors
/// [`Fault::Refused`]: it has no such token that counts.
pub async fn revoke(change: &mut Change, by: &By, account: i64, token: i64) -> Result<(), Fault> {
    let done = sqlx::query(
        "UPDATE api_token SET revoked_at = ?1, revoked_by = ?2 WHERE id = ?3 AND account = ?4 AND revoked_at IS NULL",
    )
    .bind(now())
    .bind(by.account())
    .bind(token)
    .bind(account)
    .execute(&mut **change)
    .await?;
    if done.rows_affected() == 0 {
        return Err(Fault::conflict("There is no such token, or it is revoked already."));
    }
    audit::record(change, by.act("token_revoked").on("api_token", token)).await?;
    Ok(())
}
