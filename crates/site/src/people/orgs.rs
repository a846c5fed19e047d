//! Organisations and who belongs to them.
//! Spec site.md 2.1, 10.

use serde_json::json;

use super::{By, Fault, names};
use crate::access::{Object, Permission};
use crate::audit::{self, fields};
use crate::clock::now;
use crate::store::Change;

/// What may be said of an organisation.
#[derive(Debug, Clone, Copy)]
pub struct Org<'a> {
    /// The part of its address; not changed once it is made.
    pub slug: &'a str,
    /// Its name.
    pub name: &'a str,
    /// What it is, in Markdown.
    pub description: &'a str,
}

/// Adds an organisation.
///
/// # Errors
/// [`Fault::Field`]: a slug or name that may not be, or is taken; [`Fault::Refused`]: not allowed.
pub async fn add(change: &mut Change, by: &By, org: Org<'_>) -> Result<i64, Fault> {
    by.may(Permission::OrgCreate, &Object::SITE)?;
    let (slug, name) = (names::slug(org.slug)?, names::line("name", org.name, 200)?);
    let description = names::lines("description", org.description, 10_000)?;
    free(change, &slug, &name, None).await?;
    let id =
        sqlx::query("INSERT INTO org (slug, name, description, created_at, created_by) VALUES (?1, ?2, ?3, ?4, ?5)")
            .bind(&slug)
            .bind(&name)
            .bind(description)
            .bind(now())
            .bind(by.account())
            .execute(&mut **change)
            .await?
            .last_insert_rowid();
    let after = fields([("slug", json!(slug)), ("name", json!(name))]);
    audit::record(change, by.act("org_added").on("org", id).after(after)).await?;
    Ok(id)
}

/// Changes name and description.
///
/// # Errors
/// As [`add`].
pub async fn edit(change: &mut Change, by: &By, id: i64, org: Org<'_>) -> Result<(), Fault> {
    by.may(Permission::OrgCreate, &Object::SITE)?;
    let name = names::line("name", org.name, 200)?;
    let description = names::lines("description", org.description, 10_000)?;
    free(change, "", &name, Some(id)).await?;
    sqlx::query("UPDATE org SET name = ?1, description = ?2 WHERE id = ?3")
        .bind(&name)
        .bind(description)
        .bind(id)
        .execute(&mut **change)
        .await?;
    audit::record(change, by.act("org_edited").on("org", id).after(fields([("name", json!(name))]))).await?;
    Ok(())
}

async fn free(change: &mut Change, slug: &str, name: &str, own: Option<i64>) -> Result<(), Fault> {
    let taken = sqlx::query("SELECT 1 FROM org WHERE slug = ?1").bind(slug).fetch_optional(&mut **change).await?;
    if taken.is_some() {
        return Err(Fault::field("slug", format!("there is an organisation at {slug} already")));
    }
    let taken = sqlx::query("SELECT 1 FROM org WHERE name = ?1 AND id IS NOT ?2").bind(name).bind(own);
    if taken.fetch_optional(&mut **change).await?.is_some() {
        return Err(Fault::field("name", "there is an organisation of this name already"));
    }
    Ok(())
}

/// Adds somebody to an organisation, or takes them out.
///
/// # Errors
/// [`Fault::Refused`]: not allowed.
pub async fn set_member(change: &mut Change, by: &By, org: i64, account: i64, is_member: bool) -> Result<(), Fault> {
    by.may(Permission::UserManage, &Object::SITE).or_else(|_| by.may(Permission::OrgCreate, &Object::SITE))?;
    let done = if is_member {
        sqlx::query("INSERT INTO org_member (org, account, created_at, created_by) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING")
            .bind(org)
            .bind(account)
            .bind(now())
            .bind(by.account())
    } else {
        sqlx::query("DELETE FROM org_member WHERE org = ?1 AND account = ?2").bind(org).bind(account)
    };
    if done.execute(&mut **change).await?.rows_affected() > 0 {
        let action = if is_member { "org_member_added" } else { "org_member_removed" };
        audit::record(change, by.act(action).on("org", org).after(fields([("account", json!(account))]))).await?;
    }
    Ok(())
}
