//! Roles: granted, approved by a second person where it needs one, revoked; rows are never edited.
//! Spec site.md 2.1, 11.3.

use serde_json::json;
use sqlx::Row;

use super::{By, Fault, accounts, names};
use crate::access::{Object, Permission, Place, Role, ScopeKind};
use crate::audit::{self, fields};
use crate::clock::now;
use crate::store::Change;

/// A role to be granted.
#[derive(Debug, Clone, Copy)]
pub struct New<'a> {
    /// To whom.
    pub account: i64,
    /// Which.
    pub role: Role,
    /// Where it counts.
    pub place: Place,
    /// Why.
    pub reason: &'a str,
    /// Until when, in microseconds.
    pub expires_at: Option<i64>,
}

/// What became of a grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Granted {
    /// It counts from now on.
    Counts(i64),
    /// Another person has to approve it.
    Waits(i64),
}

/// Whether somebody may grant this role there, approve it and take it back. The spec names two holders of rights over
/// roles (user_edit_project_roles for projects, SiteAdministrator for site roles) and gives "grant" on a person's page to
/// user_manage; so user_manage is taken to reach backends and projects, and site_manage everything.
///
/// # Errors
/// What is lacking.
pub fn may_grant(by: &By, place: Place) -> Result<(), crate::access::Refusal> {
    let site = by.may(Permission::SiteManage, &Object::SITE);
    if site.is_ok() {
        return Ok(());
    }
    match place {
        Place::Site => site,
        Place::Project(id) => by
            .may(Permission::UserManage, &Object::SITE)
            .or_else(|_| by.may(Permission::UserEditProjectRoles, &Object::project(id))),
        Place::Backend(_) => by.may(Permission::UserManage, &Object::SITE),
    }
}

/// Grants a role. One that needs two people waits for [`approve`], unless the operator has switched that off.
///
/// # Errors
/// [`Fault::Field`]: the role is not given there, no reason, an end in the past; [`Fault::Refused`]: one's own, not
/// allowed, there already.
pub async fn grant(change: &mut Change, by: &By, new: New<'_>) -> Result<Granted, Fault> {
    let reason = names::reason(new.reason)?;
    may_grant(by, new.place)?;
    own(by, new.account)?;
    if !new.role.scopes().contains(&new.place.kind()) {
        let places: Vec<&str> = new.role.scopes().iter().map(|kind| word(*kind)).collect();
        let why = format!("{} is given for {} only", new.role.as_str(), places.join(" or "));
        return Err(Fault::field("role", why));
    }
    if new.expires_at.is_some_and(|end| end <= now()) {
        return Err(Fault::field("expires", "the end of a role is in the future"));
    }
    exists(change, new.account, new.place).await?;
    let (scope, scope_id) = new.place.stored();
    let there = sqlx::query(
        "SELECT 1 FROM role_grant WHERE account = ?1 AND role = ?2 AND scope = ?3 AND scope_id = ?4
         AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?5)",
    )
    .bind(new.account)
    .bind(new.role.as_str())
    .bind(scope)
    .bind(scope_id)
    .bind(now());
    if there.fetch_optional(&mut **change).await?.is_some() {
        return Err(Fault::conflict(
            "This role is there already, or waits for approval. Revoke it first to change its end.",
        ));
    }
    let waits = new.role.needs_two() && two_people(change).await?;
    let id = insert(change, by, &new, &reason, !waits).await?;
    let after = fields([
        ("role", json!(new.role.as_str())),
        ("scope", json!(scope)),
        ("scope_id", json!(scope_id)),
        ("expires_at", json!(new.expires_at)),
        ("waits", json!(waits)),
    ]);
    audit::record(
        change,
        about(by.act("role_granted").on("account", new.account), new.place).after(after).reason(&reason),
    )
    .await?;
    if waits {
        return Ok(Granted::Waits(id));
    }
    renew(change, new.account).await?;
    Ok(Granted::Counts(id))
}

async fn insert(change: &mut Change, by: &By, new: &New<'_>, reason: &str, approved: bool) -> Result<i64, Fault> {
    let (scope, scope_id) = new.place.stored();
    let done = sqlx::query(
        "INSERT INTO role_grant (account, role, scope, scope_id, reason, granted_by, approved_at, created_at, expires_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )
    .bind(new.account)
    .bind(new.role.as_str())
    .bind(scope)
    .bind(scope_id)
    .bind(reason)
    .bind(by.account())
    .bind(approved.then(now))
    .bind(now())
    .bind(new.expires_at)
    .execute(&mut **change)
    .await?;
    Ok(done.last_insert_rowid())
}

/// Approves a role that waits, as the second person: neither who granted it nor who gets it. The operator's command line
/// may be the second person until there are two site administrators.
///
/// # Errors
/// [`Fault::Refused`]: not waiting, or not by this person.
pub async fn approve(change: &mut Change, by: &By, grant: i64) -> Result<(), Fault> {
    let row = sqlx::query(
        "SELECT account, role, scope, scope_id, granted_by FROM role_grant
         WHERE id = ?1 AND approved_at IS NULL AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?2)",
    )
    .bind(grant)
    .bind(now())
    .fetch_optional(&mut **change)
    .await?;
    let row = row.ok_or_else(|| Fault::conflict("No such role waits for approval."))?;
    let (account, granted_by): (i64, Option<i64>) = (row.try_get("account")?, row.try_get("granted_by")?);
    let place = Place::of(row.try_get("scope")?, row.try_get("scope_id")?)
        .ok_or_else(|| Fault::conflict("This program does not know where that role counts."))?;
    may_grant(by, place)?;
    own(by, account)?;
    if granted_by == by.account() {
        return Err(Fault::forbidden("Another person than the one who granted this role has to approve it."));
    }
    if by.is_operator() && administrators(change).await? >= 2 {
        return Err(Fault::forbidden(
            "There are two site administrators now, so one of them approves this role, not the command line.",
        ));
    }
    sqlx::query("UPDATE role_grant SET approved_at = ?1, approved_by = ?2 WHERE id = ?3")
        .bind(now())
        .bind(by.account())
        .bind(grant)
        .execute(&mut **change)
        .await?;
    let role: String = row.try_get("role")?;
    let after = fields([("role", json!(role)), ("grant", json!(grant))]);
    audit::record(change, about(by.act("role_approved").on("account", account), place).after(after)).await?;
    renew(change, account).await
}

/// Takes a role back, or turns down one that waits.
///
/// # Errors
/// [`Fault::Refused`]: one's own, not allowed, not there, or the site would be left without an administrator.
pub async fn revoke(change: &mut Change, by: &By, grant: i64, reason: &str) -> Result<(), Fault> {
    let reason = names::reason(reason)?;
    let row = sqlx::query("SELECT account, role, scope, scope_id FROM role_grant WHERE id = ?1 AND revoked_at IS NULL")
        .bind(grant)
        .fetch_optional(&mut **change)
        .await?;
    let row = row.ok_or_else(|| Fault::conflict("This role is not there any more."))?;
    let account: i64 = row.try_get("account")?;
    let place = Place::of(row.try_get("scope")?, row.try_get("scope_id")?).unwrap_or(Place::Site);
    may_grant(by, place)?;
    own(by, account)?;
    sqlx::query("UPDATE role_grant SET revoked_at = ?1, revoked_by = ?2 WHERE id = ?3")
        .bind(now())
        .bind(by.account())
        .bind(grant)
        .execute(&mut **change)
        .await?;
    let role: String = row.try_get("role")?;
    if role == Role::SiteAdministrator.as_str() && !by.is_operator() && administrators(change).await? == 0 {
        return Err(Fault::conflict("This is the last site administrator; make another first."));
    }
    let before = fields([("role", json!(role)), ("grant", json!(grant))]);
    audit::record(change, about(by.act("role_revoked").on("account", account), place).before(before).reason(&reason))
        .await?;
    Ok(())
}

/// Takes all roles of somebody back that this person may take back.
///
/// # Errors
/// As [`revoke`]; then none is taken back.
pub async fn clear(change: &mut Change, by: &By, account: i64, reason: &str) -> Result<usize, Fault> {
    let rows = sqlx::query("SELECT id FROM role_grant WHERE account = ?1 AND revoked_at IS NULL").bind(account);
    let rows = rows.fetch_all(&mut **change).await?;
    for row in &rows {
        revoke(change, by, row.try_get("id")?, reason).await?;
    }
    Ok(rows.len())
}

/// Makes the first account an administrator of people and of the site: by the set-up link, whose holder stands at the
/// operator's terminal, so the operator is both people.
pub(super) async fn found(change: &mut Change, by: &By, account: i64) -> Result<(), Fault> {
    for role in [Role::SiteAdministrator, Role::StaffAreaAdministrator, Role::ServiceAdministrator] {
        let new = New { account, role, place: Place::Site, reason: "set up this site", expires_at: None };
        let id = insert(change, by, &new, new.reason, true).await?;
        let after = fields([("role", json!(role.as_str())), ("scope", json!("site")), ("grant", json!(id))]);
        audit::record(change, by.act("role_granted").on("account", account).after(after).reason(new.reason)).await?;
    }
    Ok(())
}

/// Whether some roles need two people. Only the operator of a single machine switches it off.
///
/// # Errors
/// The database failed.
pub async fn two_people(change: &mut Change) -> Result<bool, Fault> {
    let row = sqlx::query("SELECT value FROM setting WHERE name = 'two_people'").fetch_optional(&mut **change).await?;
    let off = row.map(|row| row.try_get::<String, _>("value")).transpose()?.is_some_and(|value| value == "off");
    Ok(!off)
}

/// Switches the rule of two people on or off.
///
/// # Errors
/// [`Fault::Refused`]: not by the operator.
pub async fn set_two_people(change: &mut Change, by: &By, on: bool) -> Result<(), Fault> {
    if !by.is_operator() {
        return Err(Fault::forbidden("Only the operator's command line changes this."));
    }
    let value = if on { "on" } else { "off" };
    sqlx::query(
        "INSERT INTO setting (name, value) VALUES ('two_people', ?1) ON CONFLICT (name) DO UPDATE SET value = ?1",
    )
    .bind(value)
    .execute(&mut **change)
    .await?;
    audit::record(change, by.act("setting_changed").after(fields([("two_people", json!(value))]))).await?;
    Ok(())
}

fn own(by: &By, account: i64) -> Result<(), Fault> {
    if by.account() == Some(account) { Err(Fault::forbidden("Nobody changes their own roles.")) } else { Ok(()) }
}

fn word(kind: ScopeKind) -> &'static str {
    match kind {
        ScopeKind::Site => "the whole site",
        ScopeKind::Project => "a project",
        ScopeKind::Backend => "a backend",
    }
}

fn about(act: audit::Act, place: Place) -> audit::Act {
    if let Place::Project(id) = place { act.project(id) } else { act }
}

/// That account and project or backend are there: `scope_id` has no foreign key.
async fn exists(change: &mut Change, account: i64, place: Place) -> Result<(), Fault> {
    let human = sqlx::query("SELECT 1 FROM account WHERE id = ?1 AND disabled_at IS NULL").bind(account);
    if human.fetch_optional(&mut **change).await?.is_none() {
        return Err(Fault::field("username", "there is no such account, or it is disabled"));
    }
    let (sql, id) = match place {
        Place::Site => return Ok(()),
        Place::Project(id) => ("SELECT 1 FROM project WHERE id = ?1", id),
        Place::Backend(id) => ("SELECT 1 FROM backend WHERE id = ?1", id),
    };
    match sqlx::query(sql).bind(id).fetch_optional(&mut **change).await? {
        Some(_) => Ok(()),
        None => Err(Fault::field("place", format!("there is no such {}", place.stored().0))),
    }
}

/// How many people administer the site now.
async fn administrators(change: &mut Change) -> Result<i64, Fault> {
    let row = sqlx::query(
        "SELECT count(DISTINCT g.account) AS n FROM role_grant g JOIN account a ON a.id = g.account
         WHERE g.role = ?1 AND g.scope = 'site' AND g.revoked_at IS NULL AND g.approved_at IS NOT NULL
           AND (g.expires_at IS NULL OR g.expires_at > ?2) AND a.disabled_at IS NULL AND a.kind = 'human'",
    )
    .bind(Role::SiteAdministrator.as_str())
    .bind(now());
    Ok(row.fetch_one(&mut **change).await?.try_get("n")?)
}

/// Rights have widened: the session ids of before count no more (site.md 11.2), the person signs in again.
async fn renew(change: &mut Change, account: i64) -> Result<(), Fault> {
    accounts::end_sessions(change, account, None).await
}
