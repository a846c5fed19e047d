//! Backends: made known, and who may ask them for runs. Their keys, tokens and orders are the business of `line`.
//! Spec site.md 2.2, 10.

use serde_json::json;

use super::{By, Fault, names};
use crate::Site;
use crate::access::{Object, Permission};
use crate::audit::{self, fields};
use crate::clock::now;
use crate::line::{self, Code, EnrolError, Sent};
use crate::store::Change;
use crate::store::ids::{AccountId, BackendId};

/// A backend to be.
#[derive(Debug, Clone, Copy)]
pub struct New<'a> {
    /// The part of its address; it names the backend for ever.
    pub slug: &'a str,
    /// Its name.
    pub name: &'a str,
    /// `tpp`, `emis` or `other`.
    pub flavour: &'a str,
    /// `real` or `synthetic`, as staff expect it; the backend itself says so later.
    pub data_kind: &'a str,
}

/// Adds a backend. It is given a code for enrolment next.
///
/// # Errors
/// [`Fault::Field`]: what may not be, or is taken; [`Fault::Refused`]: not allowed.
pub async fn add(change: &mut Change, by: &By, new: New<'_>) -> Result<i64, Fault> {
    by.may(Permission::BackendManage, &Object::SITE)?;
    let (slug, name) = (names::backend_slug(new.slug)?, names::line("name", new.name, 100)?);
    if !["tpp", "emis", "other"].contains(&new.flavour) {
        return Err(Fault::field("flavour", "a flavour is tpp, emis or other"));
    }
    if !["real", "synthetic"].contains(&new.data_kind) {
        return Err(Fault::field("data_kind", "data are real or synthetic"));
    }
    let taken = sqlx::query("SELECT 1 FROM backend WHERE slug = ?1").bind(&slug).fetch_optional(&mut **change).await?;
    if taken.is_some() {
        return Err(Fault::field("slug", format!("there is a backend {slug} already")));
    }
    let id = sqlx::query(
        "INSERT INTO backend (slug, name, flavour, data_kind, created_at, created_by) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )
    .bind(&slug)
    .bind(&name)
    .bind(new.flavour)
    .bind(new.data_kind)
    .bind(now())
    .bind(by.account())
    .execute(&mut **change)
    .await?
    .last_insert_rowid();
    let after = fields([("slug", json!(slug)), ("flavour", json!(new.flavour)), ("data_kind", json!(new.data_kind))]);
    audit::record(change, by.act("backend_added").on("backend", id).after(after)).await?;
    Ok(id)
}

/// Lets somebody ask a backend for runs, or no more.
///
/// # Errors
/// [`Fault::Refused`]: not allowed.
pub async fn set_member(
    change: &mut Change,
    by: &By,
    backend: i64,
    account: i64,
    is_member: bool,
) -> Result<(), Fault> {
    by.may(Permission::BackendManage, &Object::backend(backend))?;
    let done = if is_member {
        sqlx::query("INSERT INTO backend_member (backend, account, created_at, created_by) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING")
            .bind(backend)
            .bind(account)
            .bind(now())
            .bind(by.account())
    } else {
        sqlx::query("DELETE FROM backend_member WHERE backend = ?1 AND account = ?2").bind(backend).bind(account)
    };
    if done.execute(&mut **change).await?.rows_affected() > 0 {
        let action = if is_member { "backend_member_added" } else { "backend_member_removed" };
        audit::record(change, by.act(action).on("backend", backend).after(fields([("account", json!(account))])))
            .await?;
    }
    Ok(())
}

/// Takes a backend out of use, or into use again: its calls are refused, and nobody can ask it for runs.
///
/// # Errors
/// [`Fault::Refused`]: not allowed, or it is so already; [`Fault::Field`]: no reason.
pub async fn set_active(change: &mut Change, by: &By, backend: i64, active: bool, reason: &str) -> Result<(), Fault> {
    by.may(Permission::BackendManage, &Object::backend(backend))?;
    let reason = names::reason(reason)?;
    let done =
        sqlx::query("UPDATE backend SET is_active = ?1 WHERE id = ?2 AND is_active <> ?1").bind(active).bind(backend);
    if done.execute(&mut **change).await?.rows_affected() == 0 {
        return Err(Fault::conflict("It is so already."));
    }
    let action = if active { "backend_activated" } else { "backend_deactivated" };
    audit::record(change, by.act(action).on("backend", backend).reason(&reason)).await?;
    Ok(())
}

/// After how long without contact it counts as missing.
///
/// # Errors
/// [`Fault::Field`]: not between a minute and a day; [`Fault::Refused`]: not allowed.
pub async fn set_alert(change: &mut Change, by: &By, backend: i64, seconds: i64) -> Result<(), Fault> {
    by.may(Permission::BackendManage, &Object::backend(backend))?;
    if !(60..=86_400).contains(&seconds) {
        return Err(Fault::field("alert_after", "this is between 60 and 86400 seconds"));
    }
    sqlx::query("UPDATE backend SET alert_after_s = ?1 WHERE id = ?2")
        .bind(seconds)
        .bind(backend)
        .execute(&mut **change)
        .await?;
    let after = fields([("alert_after_s", json!(seconds))]);
    audit::record(change, by.act("backend_edited").on("backend", backend).after(after)).await?;
    Ok(())
}

/// Ends all tokens of a backend at once: it has to enrol again.
///
/// # Errors
/// [`Fault::Refused`]: not allowed, or there is none; [`Fault::Field`]: no reason.
pub async fn revoke_tokens(change: &mut Change, by: &By, backend: i64, reason: &str) -> Result<(), Fault> {
    by.may(Permission::BackendManage, &Object::backend(backend))?;
    let reason = names::reason(reason)?;
    let done = sqlx::query("UPDATE backend_token SET revoked_at = ?1 WHERE backend = ?2 AND revoked_at IS NULL");
    if done.bind(now()).bind(backend).execute(&mut **change).await?.rows_affected() == 0 {
        return Err(Fault::conflict("It has no token that counts."));
    }
    audit::record(change, by.act("backend_tokens_revoked").on("backend", backend).reason(&reason)).await?;
    Ok(())
}

fn fault(error: EnrolError) -> Fault {
    match error {
        EnrolError::Store(error) => Fault::Store(error),
        other => Fault::conflict(other.to_string()),
    }
}

/// Makes a code for a backend to enrol with, valid for an hour; earlier ones end. It is shown once.
///
/// # Errors
/// [`Fault::Refused`]: not allowed.
pub async fn make_code(change: &mut Change, site: &Site, by: &By, backend: i64) -> Result<Code, Fault> {
    by.may(Permission::BackendManage, &Object::backend(backend))?;
    let code = line::make_code(change, site, BackendId(backend)).await.map_err(fault)?;
    audit::record(change, by.act("backend_code_made").on("backend", backend)).await?;
    Ok(code)
}

/// Confirms the key of a backend, after two people compared the six words.
///
/// # Errors
/// [`Fault::Refused`]: not allowed, or there is no key to confirm.
pub async fn confirm(change: &mut Change, site: &Site, by: &By, backend: i64) -> Result<(), Fault> {
    by.may(Permission::BackendManage, &Object::backend(backend))?;
    let person = by.account().map(AccountId);
    line::confirm(change, site, BackendId(backend), person).await.map_err(fault)?;
    audit::record(change, by.act("backend_key_confirmed").on("backend", backend)).await?;
    Ok(())
}

/// Gives a backend a new token beside the old one. After the commit the caller wakes its line.
///
/// # Errors
/// [`Fault::Refused`]: not allowed.
pub async fn rotate(change: &mut Change, site: &Site, by: &By, backend: i64) -> Result<Sent, Fault> {
    by.may(Permission::BackendManage, &Object::backend(backend))?;
    let sent = line::rotate(change, site, BackendId(backend)).await.map_err(fault)?;
    audit::record(change, by.act("backend_token_rotated").on("backend", backend)).await?;
    Ok(sent)
}
