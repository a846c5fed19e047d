//! Codes that a person uses once, in a link: to set a site up, to choose a first password.
//! Spec site.md 11.1. A backend's code for enrolment is made by `line`.

use sqlx::Row;

use super::{By, Fault};
use crate::Site;
use crate::access::secret;
use crate::clock::{DAY, MINUTE};
use crate::store::Change;
use crate::{audit, people};

/// What a code is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Making the first administrator.
    Setup,
    /// Choosing a password.
    Password,
}

impl Purpose {
    fn as_str(self) -> &'static str {
        match self {
            Self::Setup => "setup",
            Self::Password => "password",
        }
    }

    fn life(self) -> i64 {
        match self {
            Self::Setup => 30 * MINUTE,
            Self::Password => 7 * DAY,
        }
    }
}

/// A code that counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Code {
    /// What for.
    pub purpose: Purpose,
    /// For whom; none for setting up.
    pub account: Option<i64>,
}

/// Makes the link that a person opens. Earlier ones for the same thing end.
async fn link(change: &mut Change, site: &Site, purpose: Purpose, account: Option<i64>) -> Result<String, Fault> {
    let (code, now) = (secret::opaque()?, site.clock.microseconds());
    sqlx::query("DELETE FROM one_time_code WHERE purpose = ?1 AND account IS ?2 AND used_at IS NULL")
        .bind(purpose.as_str())
        .bind(account)
        .execute(&mut **change)
        .await?;
    sqlx::query(
        "INSERT INTO one_time_code (hash, purpose, account, created_at, expires_at) VALUES (?1, ?2, ?3, ?4, ?5)",
    )
    .bind(secret::hash(&code).to_vec())
    .bind(purpose.as_str())
    .bind(account)
    .bind(now)
    .bind(now + purpose.life())
    .execute(&mut **change)
    .await?;
    Ok(format!("{}/welcome/?code={code}", site.settings.origin))
}

/// The link that makes the first administrator, valid for 30 minutes: for the operator's terminal. None once there is an
/// account.
///
/// # Errors
/// The database failed, or there are no random numbers.
pub async fn setup_link(site: &Site) -> Result<Option<String>, Fault> {
    let mut change = site.store.change().await?;
    if sqlx::query("SELECT 1 FROM account LIMIT 1").fetch_optional(&mut *change).await?.is_some() {
        return Ok(None);
    }
    let link = link(&mut change, site, Purpose::Setup, None).await?;
    change.commit().await.map_err(crate::store::StoreError::from)?;
    Ok(Some(link))
}

/// A link by which a person chooses a password, valid for seven days: shown once to who made it. Whoever holds it becomes
/// that person, so for somebody with a role that two people agreed to only the operator makes one: else one person could
/// be both.
///
/// # Errors
/// [`Fault::Refused`]: not by this person for that one.
pub async fn password_link(change: &mut Change, site: &Site, by: &By, account: i64) -> Result<String, Fault> {
    let rows = sqlx::query("SELECT role FROM role_grant WHERE account = ?1 AND revoked_at IS NULL").bind(account);
    for row in rows.fetch_all(&mut **change).await? {
        let needs_two = crate::access::Role::of(row.try_get("role")?).is_some_and(|role| role.needs_two());
        if needs_two && !by.is_operator() {
            let why = "This person has a role that two people agreed to. Only the operator's command line makes a link for them.";
            return Err(Fault::forbidden(why));
        }
    }
    let link = link(change, site, Purpose::Password, Some(account)).await?;
    audit::record(change, by.act("password_link_made").on("account", account)).await?;
    Ok(link)
}

/// What a code is for, if it counts: not used, not expired, and of an account that is not disabled.
///
/// # Errors
/// The database failed.
pub async fn look<'e>(tables: impl sqlx::SqliteExecutor<'e>, site: &Site, text: &str) -> Result<Option<Code>, Fault> {
    let row = sqlx::query(
        "SELECT c.purpose, c.account FROM one_time_code c LEFT JOIN account a ON a.id = c.account
         WHERE c.hash = ?1 AND c.used_at IS NULL AND c.expires_at > ?2 AND a.disabled_at IS NULL
           AND c.purpose IN ('setup', 'password')",
    )
    .bind(secret::hash(text).to_vec())
    .bind(site.clock.microseconds())
    .fetch_optional(tables)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let purpose = if row.try_get::<String, _>("purpose")? == "setup" { Purpose::Setup } else { Purpose::Password };
    Ok(Some(Code { purpose, account: row.try_get("account")? }))
}

/// Uses a code up: it counts once.
async fn used(change: &mut Change, site: &Site, text: &str) -> Result<(), Fault> {
    sqlx::query("UPDATE one_time_code SET used_at = ?1 WHERE hash = ?2")
        .bind(site.clock.microseconds())
        .bind(secret::hash(text).to_vec())
        .execute(&mut **change)
        .await?;
    Ok(())
}

/// Makes the first administrator with a set-up code: somebody who manages people and the site.
///
/// # Errors
/// [`Fault::Refused`]: the code does not count, or there is somebody already; [`Fault::Field`]: the names.
pub async fn set_up(
    change: &mut Change,
    site: &Site,
    code: &str,
    new: people::accounts::New<'_>,
    kept: &str,
) -> Result<i64, Fault> {
    let found = look(&mut **change, site, code).await?;
    let anybody = sqlx::query("SELECT 1 FROM account LIMIT 1").fetch_optional(&mut **change).await?.is_some();
    if anybody || found.is_none_or(|code| code.purpose != Purpose::Setup) {
        return Err(stale());
    }
    used(change, site, code).await?;
    // Whoever holds the link stands at the operator's terminal.
    let by = By::operator();
    let account = people::accounts::add(change, &by, new).await?;
    people::accounts::set_password(change, &by, account, kept, None).await?;
    people::roles::found(change, &by, account).await?;
    Ok(account)
}

/// Chooses a password with a code.
///
/// # Errors
/// [`Fault::Refused`]: the code does not count.
pub async fn choose_password(change: &mut Change, site: &Site, code: &str, by: &By, kept: &str) -> Result<i64, Fault> {
    let account = match look(&mut **change, site, code).await? {
        Some(Code { purpose: Purpose::Password, account: Some(account) }) => account,
        _ => return Err(stale()),
    };
    used(change, site, code).await?;
    people::accounts::set_password(change, by, account, kept, None).await?;
    Ok(account)
}

fn stale() -> Fault {
    Fault::conflict("This link counts no more: it was used, or its time is over. Ask for a new one.")
}
