//! Accounts: added, changed, disabled; never removed.
//! Spec site.md 2.1, 10, 11.1.

use serde_json::json;
use sqlx::Row;

use super::{By, Fault, names, password};
use crate::audit::{self, fields};
use crate::clock::now;
use crate::store::{Change, Store};

/// Whether a person or a program is behind an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A person.
    Human,
    /// A program that makes requests on behalf of people.
    Service,
}

impl Kind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Human => "human",
            Self::Service => "service",
        }
    }
}

/// An account to be.
#[derive(Debug, Clone)]
pub struct New<'a> {
    /// Its public name.
    pub username: &'a str,
    /// The name that is shown.
    pub fullname: &'a str,
    /// Never public; may be blank.
    pub email: &'a str,
    /// What is behind it.
    pub kind: Kind,
}

/// The account of this user name, whatever its case, disabled or not.
///
/// # Errors
/// The database failed.
pub async fn find(store: &Store, username: &str) -> Result<Option<i64>, Fault> {
    let row = sqlx::query("SELECT id FROM account WHERE username_key = ?1").bind(names::folded(username));
    Ok(row.fetch_optional(store.readers()).await?.map(|row| row.try_get("id")).transpose()?)
}

/// Adds an account, without roles and without a password.
///
/// # Errors
/// [`Fault::Field`]: a name that may not be, or is taken.
pub async fn add(change: &mut Change, by: &By, new: New<'_>) -> Result<i64, Fault> {
    let (username, key) = names::username(new.username)?;
    let fullname = names::line("fullname", new.fullname, 200)?;
    let email = names::email(new.email)?;
    let taken = sqlx::query("SELECT 1 FROM account WHERE username_key = ?1").bind(&key);
    if taken.fetch_optional(&mut **change).await?.is_some() {
        return Err(Fault::field("username", format!("somebody has the user name {username}; take another")));
    }
    free_email(change, email.as_deref(), None).await?;
    let now = now();
    let id = sqlx::query(
        "INSERT INTO account (username, username_key, fullname, email, kind, created_at, created_by)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )
    .bind(&username)
    .bind(&key)
    .bind(fullname)
    .bind(email)
    .bind(new.kind.as_str())
    .bind(now)
    .bind(by.account())
    .execute(&mut **change)
    .await?
    .last_insert_rowid();
    sqlx::query("INSERT INTO identity (account, provider, subject, created_at) VALUES (?1, 'local', ?2, ?3)")
        .bind(id)
        .bind(&key)
        .bind(now)
        .execute(&mut **change)
        .await?;
    let after = fields([("kind", json!(new.kind.as_str()))]);
    audit::record(change, by.act("user_added").on("account", id).after(after)).await?;
    Ok(id)
}

async fn free_email(change: &mut Change, email: Option<&str>, own: Option<i64>) -> Result<(), Fault> {
    let taken = sqlx::query("SELECT 1 FROM account WHERE email = ?1 AND id IS NOT ?2").bind(email).bind(own);
    if taken.fetch_optional(&mut **change).await?.is_some() {
        return Err(Fault::field("email", "this address cannot be used"));
    }
    Ok(())
}

/// Changes the shown name and the e-mail address.
///
/// # Errors
/// [`Fault::Field`]: what may not be.
pub async fn edit(change: &mut Change, by: &By, account: i64, fullname: &str, email: &str) -> Result<(), Fault> {
    let (fullname, email) = (names::line("fullname", fullname, 200)?, names::email(email)?);
    free_email(change, email.as_deref(), Some(account)).await?;
    let row = sqlx::query("SELECT fullname, email FROM account WHERE id = ?1").bind(account);
    let old = row.fetch_one(&mut **change).await?;
    let (old_name, old_email): (String, Option<String>) = (old.try_get("fullname")?, old.try_get("email")?);
    let mut changed = fields([]);
    if old_name != fullname {
        changed.insert("fullname".to_owned(), json!("changed"));
    }
    if old_email != email {
        changed.insert("email".to_owned(), json!("changed"));
    }
    if changed.is_empty() {
        return Ok(());
    }
    sqlx::query("UPDATE account SET fullname = ?1, email = ?2 WHERE id = ?3")
        .bind(fullname)
        .bind(email)
        .bind(account)
        .execute(&mut **change)
        .await?;
    audit::record(change, by.act("user_edited").on("account", account).after(changed)).await?;
    Ok(())
}

/// Hashes a password that this user name may have. Do it before a change is begun: it takes its time.
///
/// # Errors
/// [`Fault::Field`]: too short, too long or too common.
pub async fn kept(username: &str, password: String) -> Result<String, Fault> {
    password::check(&password, username).map_err(|bad| Fault::field("password", bad.to_string()))?;
    Ok(password::keep(password).await?)
}

/// Gives an account a password (from [`kept`]). All its sessions end but `stays`.
///
/// # Errors
/// The database failed.
pub async fn set_password(
    change: &mut Change,
    by: &By,
    account: i64,
    kept: &str,
    stays: Option<&[u8; 32]>,
) -> Result<(), Fault> {
    sqlx::query("UPDATE account SET password = ?1 WHERE id = ?2")
        .bind(kept)
        .bind(account)
        .execute(&mut **change)
        .await?;
    end_sessions(change, account, stays).await?;
    audit::record(change, by.act("password_set").on("account", account)).await?;
    Ok(())
}

/// Ends all sessions of an account but one.
pub(super) async fn end_sessions(change: &mut Change, account: i64, stays: Option<&[u8; 32]>) -> Result<(), Fault> {
    sqlx::query("DELETE FROM session WHERE account = ?1 AND id_hash IS NOT ?2")
        .bind(account)
        .bind(stays.map(|hash| hash.to_vec()))
        .execute(&mut **change)
        .await?;
    Ok(())
}

/// Disables an account: sessions end at once, tokens and roles count no more. Nobody disables themselves.
///
/// # Errors
/// [`Fault::Refused`]: it is one's own, or disabled already; [`Fault::Field`]: no reason.
pub async fn disable(change: &mut Change, by: &By, account: i64, reason: &str) -> Result<(), Fault> {
    let reason = names::reason(reason)?;
    if by.account() == Some(account) {
        return Err(Fault::forbidden("Nobody can disable their own account; ask somebody else who manages people."));
    }
    let done =
        sqlx::query("UPDATE account SET disabled_at = ?1, disabled_by = ?2 WHERE id = ?3 AND disabled_at IS NULL")
            .bind(now())
            .bind(by.account())
            .bind(account)
            .execute(&mut **change)
            .await?;
    if done.rows_affected() == 0 {
        return Err(Fault::conflict("This account is disabled already."));
    }
    end_sessions(change, account, None).await?;
    audit::record(change, by.act("user_disabled").on("account", account).reason(&reason)).await?;
    Ok(())
}

/// Lets a disabled account act again.
///
/// # Errors
/// [`Fault::Refused`]: it is not disabled; [`Fault::Field`]: no reason.
pub async fn enable(change: &mut Change, by: &By, account: i64, reason: &str) -> Result<(), Fault> {
    let reason = names::reason(reason)?;
    let done = sqlx::query(
        "UPDATE account SET disabled_at = NULL, disabled_by = NULL WHERE id = ?1 AND disabled_at IS NOT NULL",
    )
    .bind(account)
    .execute(&mut **change)
    .await?;
    if done.rows_affected() == 0 {
        return Err(Fault::conflict("This account is not disabled."));
    }
    audit::record(change, by.act("user_enabled").on("account", account).reason(&reason)).await?;
    Ok(())
}
