//! What data a project may use: proposed by one, approved by another, ended by a date or by hand.
//! Spec site.md 2.1, 10.

use serde_json::json;
use sqlx::Row;

use super::{By, Fault, names};
use crate::access::{Object, Permission};
use crate::audit::{self, fields};
use crate::clock::now;
use crate::store::Change;

/// A permission to be proposed.
#[derive(Debug, Clone, Copy)]
pub struct New<'a> {
    /// For which project.
    pub project: i64,
    /// Its code, such as `icnarc`.
    pub code: &'a str,
    /// Why.
    pub reason: &'a str,
    /// Where that is documented; may be blank.
    pub evidence: &'a str,
    /// Until when, in microseconds.
    pub expires_at: Option<i64>,
}

/// Proposes a permission. It counts once it is approved.
///
/// # Errors
/// [`Fault::Field`]: no such kind, no reason, a bad address or end; [`Fault::Refused`]: not allowed, there already.
pub async fn propose(change: &mut Change, by: &By, new: New<'_>) -> Result<i64, Fault> {
    by.may(Permission::PermissionPropose, &Object::SITE)?;
    let reason = names::reason(new.reason)?;
    let evidence = new.evidence.trim();
    let is_address =
        evidence.starts_with("https://") && evidence.len() <= 500 && evidence.bytes().all(|b| b.is_ascii_graphic());
    if !evidence.is_empty() && !is_address {
        return Err(Fault::field("evidence", "this is no address that begins with https://"));
    }
    if new.expires_at.is_some_and(|end| end <= now()) {
        return Err(Fault::field("expires", "the end of a permission is in the future"));
    }
    let kind = sqlx::query("SELECT id FROM permission_kind WHERE code = ?1 AND is_active = 1").bind(new.code);
    let kind = kind
        .fetch_optional(&mut **change)
        .await?
        .ok_or_else(|| Fault::field("code", "there is no such kind of permission"))?;
    let kind: i64 = kind.try_get("id")?;
    let there = sqlx::query(
        "SELECT 1 FROM permission_grant WHERE project = ?1 AND permission_kind = ?2 AND revoked_at IS NULL
         AND (expires_at IS NULL OR expires_at > ?3)",
    );
    if there.bind(new.project).bind(kind).bind(now()).fetch_optional(&mut **change).await?.is_some() {
        return Err(Fault::conflict("This permission is there already, or waits for approval."));
    }
    let id = sqlx::query(
        "INSERT INTO permission_grant (project, permission_kind, reason, evidence_url, proposed_by, proposed_at, expires_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )
    .bind(new.project)
    .bind(kind)
    .bind(&reason)
    .bind((!evidence.is_empty()).then_some(evidence))
    .bind(by.account())
    .bind(now())
    .bind(new.expires_at)
    .execute(&mut **change)
    .await?
    .last_insert_rowid();
    let act = by.act("permission_proposed").on("permission_grant", id).project(new.project);
    let after = fields([("code", json!(new.code)), ("expires_at", json!(new.expires_at))]);
    audit::record(change, act.after(after).reason(&reason)).await?;
    Ok(id)
}

/// Approves a permission that somebody else proposed.
///
/// # Errors
/// [`Fault::Refused`]: not allowed, one's own proposal, or not waiting.
pub async fn approve(change: &mut Change, by: &By, id: i64) -> Result<(), Fault> {
    by.may(Permission::PermissionApprove, &Object::SITE)?;
    let row = sqlx::query(
        "SELECT project, proposed_by FROM permission_grant
         WHERE id = ?1 AND approved_at IS NULL AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?2)",
    )
    .bind(id)
    .bind(now());
    let row = row
        .fetch_optional(&mut **change)
        .await?
        .ok_or_else(|| Fault::conflict("No such permission waits for approval."))?;
    if row.try_get::<Option<i64>, _>("proposed_by")? == by.account() && super::roles::two_people(change).await? {
        return Err(Fault::forbidden("Another person than the one who proposed this permission has to approve it."));
    }
    sqlx::query("UPDATE permission_grant SET approved_at = ?1, approved_by = ?2 WHERE id = ?3")
        .bind(now())
        .bind(by.account())
        .bind(id)
        .execute(&mut **change)
        .await?;
    let act = by.act("permission_approved").on("permission_grant", id);
    audit::record(change, act.project(row.try_get("project")?)).await?;
    Ok(())
}

/// Ends a permission, or turns down one that waits.
///
/// # Errors
/// [`Fault::Refused`]: not allowed, or ended already; [`Fault::Field`]: no reason.
pub async fn revoke(change: &mut Change, by: &By, id: i64, reason: &str) -> Result<(), Fault> {
    by.may(Permission::PermissionApprove, &Object::SITE)
        .or_else(|_| by.may(Permission::PermissionPropose, &Object::SITE))?;
    let reason = names::reason(reason)?;
    let row = sqlx::query("SELECT project FROM permission_grant WHERE id = ?1 AND revoked_at IS NULL").bind(id);
    let row = row
        .fetch_optional(&mut **change)
        .await?
        .ok_or_else(|| Fault::conflict("This permission has ended already."))?;
    sqlx::query("UPDATE permission_grant SET revoked_at = ?1, revoked_by = ?2, revoke_reason = ?3 WHERE id = ?4")
        .bind(now())
        .bind(by.account())
        .bind(&reason)
        .bind(id)
        .execute(&mut **change)
        .await?;
    let act = by.act("permission_revoked").on("permission_grant", id);
    audit::record(change, act.project(row.try_get("project")?).reason(&reason)).await?;
    Ok(())
}
