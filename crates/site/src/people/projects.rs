//! Projects: made, changed, renamed with their old addresses kept.
//! Spec site.md 2.2, 2.3 (redirects), 10, 19.

use serde_json::{Value, json};
use sqlx::Row;

use super::{By, Fault, names};
use crate::access::{Object, Permission};
use crate::audit::{self, fields};
use crate::clock::{DAY, now};
use crate::store::Change;

/// Words of `project.category`.
pub const CATEGORIES: [&str; 5] = ["internal", "legacy", "legacy_approved", "approved", "unknown"];
/// Words of `project.status`.
pub const STATUSES: [&str; 6] =
    ["ongoing", "postponed", "retired", "ongoing-and-linked", "completed-and-linked", "completed-and-awaiting"];

/// What may be said of a project.
#[derive(Debug, Clone, Copy)]
pub struct Project<'a> {
    /// Its number; may be blank.
    pub number: &'a str,
    /// Its name.
    pub name: &'a str,
    /// The first part of its addresses.
    pub slug: &'a str,
    /// One of [`CATEGORIES`].
    pub category: &'a str,
    /// The organisation that leads it.
    pub lead: Option<i64>,
}

/// What is known of a status, by its members.
#[derive(Debug, Clone, Copy)]
pub struct Status<'a> {
    /// One of [`STATUSES`].
    pub status: &'a str,
    /// In Markdown, for members and staff.
    pub note: &'a str,
}

struct Checked {
    number: Option<String>,
    name: String,
    slug: String,
    category: String,
}

fn checked(project: &Project<'_>) -> Result<Checked, Fault> {
    if !CATEGORIES.contains(&project.category) {
        return Err(Fault::field("category", format!("a category is one of {}", CATEGORIES.join(", "))));
    }
    Ok(Checked {
        number: names::project_number(project.number)?,
        name: names::line("name", project.name, 200)?,
        slug: names::project_slug(project.slug)?,
        category: project.category.to_owned(),
    })
}

/// Adds a project.
///
/// # Errors
/// [`Fault::Field`]: what may not be, or is taken; [`Fault::Refused`]: not allowed.
pub async fn add(change: &mut Change, by: &By, project: Project<'_>) -> Result<i64, Fault> {
    by.may(Permission::ProjectCreate, &Object::SITE)?;
    let new = checked(&project)?;
    free(change, &new, None).await?;
    let id = sqlx::query(
        "INSERT INTO project (number, name, slug, category, status, created_at, created_by, updated_at)
         VALUES (?1, ?2, ?3, ?4, 'ongoing', ?5, ?6, ?5)",
    )
    .bind(&new.number)
    .bind(&new.name)
    .bind(&new.slug)
    .bind(&new.category)
    .bind(now())
    .bind(by.account())
    .execute(&mut **change)
    .await?
    .last_insert_rowid();
    set_lead(change, id, project.lead).await?;
    let act = by.act("project_added").on("project", id).project(id);
    audit::record(change, act.after(fields([("slug", json!(new.slug)), ("name", json!(new.name))]))).await?;
    Ok(id)
}

/// Changes what staff decide about a project. Its old addresses lead to the new ones for a year.
///
/// # Errors
/// As [`add`].
pub async fn edit(change: &mut Change, by: &By, id: i64, project: Project<'_>) -> Result<(), Fault> {
    by.may(Permission::ProjectCreate, &Object::SITE)?;
    let new = checked(&project)?;
    free(change, &new, Some(id)).await?;
    let row = sqlx::query("SELECT number, name, slug, category FROM project WHERE id = ?1").bind(id);
    let old = row.fetch_one(&mut **change).await?;
    let (mut before, mut after) = (fields([]), fields([]));
    let now_is: [(&str, Value); 4] = [
        ("number", json!(new.number)),
        ("name", json!(new.name)),
        ("slug", json!(new.slug)),
        ("category", json!(new.category)),
    ];
    for (name, value) in now_is {
        let was = json!(old.try_get::<Option<String>, _>(name)?);
        if was != value {
            before.insert(name.to_owned(), was);
            after.insert(name.to_owned(), value);
        }
    }
    sqlx::query("UPDATE project SET number = ?1, name = ?2, slug = ?3, category = ?4, updated_at = ?5 WHERE id = ?6")
        .bind(&new.number)
        .bind(&new.name)
        .bind(&new.slug)
        .bind(&new.category)
        .bind(now())
        .bind(id)
        .execute(&mut **change)
        .await?;
    let slug: String = old.try_get("slug")?;
    if slug != new.slug {
        redirect(change, by, &slug, &new.slug).await?;
    }
    set_lead(change, id, project.lead).await?;
    audit::record(change, by.act("project_edited").on("project", id).project(id).before(before).after(after)).await?;
    Ok(())
}

/// Changes status and note, which members may do too.
///
/// # Errors
/// As [`add`].
pub async fn set_status(change: &mut Change, by: &By, id: i64, status: Status<'_>) -> Result<(), Fault> {
    by.may(Permission::ProjectManage, &Object::project(id))
        .or_else(|_| by.may(Permission::ProjectCreate, &Object::SITE))?;
    if !STATUSES.contains(&status.status) {
        return Err(Fault::field("status", format!("a status is one of {}", STATUSES.join(", "))));
    }
    let note = names::lines("note", status.note, 10_000)?;
    sqlx::query("UPDATE project SET status = ?1, status_note = ?2, updated_at = ?3 WHERE id = ?4")
        .bind(status.status)
        .bind(note)
        .bind(now())
        .bind(id)
        .execute(&mut **change)
        .await?;
    let act = by.act("project_status_set").on("project", id).project(id);
    audit::record(change, act.after(fields([("status", json!(status.status))]))).await?;
    Ok(())
}

async fn free(change: &mut Change, new: &Checked, own: Option<i64>) -> Result<(), Fault> {
    for (column, value, sql) in [
        ("slug", Some(&new.slug), "SELECT 1 FROM project WHERE slug = ?1 AND id IS NOT ?2"),
        ("name", Some(&new.name), "SELECT 1 FROM project WHERE name = ?1 AND id IS NOT ?2"),
        ("number", new.number.as_ref(), "SELECT 1 FROM project WHERE number = ?1 AND id IS NOT ?2"),
    ] {
        let taken = sqlx::query(sql).bind(value).bind(own).fetch_optional(&mut **change).await?;
        if let (Some(_), Some(value)) = (taken, value) {
            return Err(Fault::field(column, format!("another project has the {column} {value}")));
        }
    }
    Ok(())
}

async fn set_lead(change: &mut Change, project: i64, lead: Option<i64>) -> Result<(), Fault> {
    sqlx::query("UPDATE project_org SET is_lead = 0 WHERE project = ?1").bind(project).execute(&mut **change).await?;
    let Some(org) = lead else { return Ok(()) };
    let known = sqlx::query("SELECT 1 FROM org WHERE id = ?1").bind(org).fetch_optional(&mut **change).await?;
    if known.is_none() {
        return Err(Fault::field("org", "there is no such organisation"));
    }
    sqlx::query(
        "INSERT INTO project_org (project, org, is_lead, created_at) VALUES (?1, ?2, 1, ?3)
         ON CONFLICT (project, org) DO UPDATE SET is_lead = 1",
    )
    .bind(project)
    .bind(org)
    .bind(now())
    .execute(&mut **change)
    .await?;
    Ok(())
}

/// Old addresses lead to new ones. One that begins to be used again leads nowhere else.
async fn redirect(change: &mut Change, by: &By, old: &str, new: &str) -> Result<(), Fault> {
    let (old, new) = (format!("/{old}/"), format!("/{new}/"));
    sqlx::query("DELETE FROM redirect WHERE prefix = ?1").bind(&new).execute(&mut **change).await?;
    sqlx::query("UPDATE redirect SET target = ?1 WHERE target = ?2")
        .bind(&new)
        .bind(&old)
        .execute(&mut **change)
        .await?;
    sqlx::query(
        "INSERT INTO redirect (prefix, target, created_at, created_by, expires_at) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (prefix) DO UPDATE SET target = ?2, created_at = ?3, created_by = ?4, expires_at = ?5",
    )
    .bind(old)
    .bind(new)
    .bind(now())
    .bind(by.account())
    .bind(now() + 365 * DAY)
    .execute(&mut **change)
    .await?;
    Ok(())
}
