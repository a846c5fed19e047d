//! What requests name: organisations, projects, workspaces, people and backends of an old site. Made if absent.
//! Spec site.md 2.1, 2.2, 2.5.

use super::Cause;
use super::line::Place;
use crate::store::{Change, StoreError};

/// Makes it, unless it is there. False if it is.
pub(super) async fn make(change: &mut Change, place: &Place, now: i64) -> Result<Result<bool, Cause>, StoreError> {
    Ok(match place {
        Place::Org { slug, name } => {
            if let Err(cause) = named("slug", slug).and(text("name", name)) {
                return Ok(Err(cause));
            }
            let sql = "INSERT INTO org (slug, name, created_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING";
            let query = sqlx::query(sql).bind(slug).bind(name).bind(now);
            Ok(query.execute(&mut **change).await?.rows_affected() > 0)
        }
        Place::User { username, fullname, service } => {
            let kind = if service.unwrap_or(false) { "service" } else { "human" };
            if let Err(cause) = text("fullname", fullname).and(user("username", username)) {
                return Ok(Err(cause));
            }
            let sql = "INSERT INTO account (username, username_key, fullname, kind, created_at)
                 VALUES (?1, lower(?1), ?2, ?3, ?4) ON CONFLICT DO NOTHING";
            let query = sqlx::query(sql).bind(username).bind(fullname).bind(kind).bind(now);
            Ok(query.execute(&mut **change).await?.rows_affected() > 0)
        }
        Place::Backend { slug, name, flavour, data_kind } => {
            let flavour = flavour.as_deref().unwrap_or("other");
            let data_kind = data_kind.as_deref().unwrap_or("real");
            if let Err(cause) = named("slug", slug).and(text("name", name)) {
                return Ok(Err(cause));
            }
            if !["tpp", "emis", "other"].contains(&flavour) || !["real", "synthetic"].contains(&data_kind) {
                return Ok(Err(Cause::Rule {
                    field: "flavour",
                    rule: "not tpp, emis or other, or its data neither real nor synthetic",
                }));
            }
            let sql = "INSERT INTO backend (slug, name, flavour, data_kind, is_active, created_at)
                 VALUES (?, ?, ?, ?, 0, ?) ON CONFLICT DO NOTHING";
            let query = sqlx::query(sql).bind(slug).bind(name).bind(flavour).bind(data_kind).bind(now);
            Ok(query.execute(&mut **change).await?.rows_affected() > 0)
        }
        Place::Project { slug, name, number, org } => {
            if let Err(cause) = named("slug", slug).and(text("name", name)) {
                return Ok(Err(cause));
            }
            project(change, slug, name, number.as_deref(), org.as_deref(), now).await?
        }
        Place::Workspace { name, project, repo, branch, purpose } => {
            if let Err(cause) = named("name", name).and(text("branch", branch)).and(text("repo", repo)) {
                return Ok(Err(cause));
            }
            workspace(change, (name, project, repo, branch), purpose.as_deref(), now).await?
        }
    })
}

async fn project(
    change: &mut Change,
    slug: &str,
    name: &str,
    number: Option<&str>,
    org: Option<&str>,
    now: i64,
) -> Result<Result<bool, Cause>, StoreError> {
    let org = match org {
        None => None,
        Some(slug) => {
            let row: Option<(i64,)> =
                sqlx::query_as("SELECT id FROM org WHERE slug = ?").bind(slug).fetch_optional(&mut **change).await?;
            match row {
                Some((id,)) => Some(id),
                None => return Ok(Err(missing("organisation", slug))),
            }
        }
    };
    let made: Option<(i64,)> = sqlx::query_as(
        "INSERT INTO project (number, name, slug, category, status, created_at, updated_at)
         VALUES (?1, ?2, ?3, 'legacy', 'ongoing', ?4, ?4) ON CONFLICT DO NOTHING RETURNING id",
    )
    .bind(number)
    .bind(name)
    .bind(slug)
    .bind(now)
    .fetch_optional(&mut **change)
    .await?;
    let Some((id,)) = made else { return Ok(Ok(false)) };
    if let Some(org) = org {
        sqlx::query("INSERT INTO project_org (project, org, is_lead, created_at) VALUES (?, ?, 1, ?)")
            .bind(id)
            .bind(org)
            .bind(now)
            .execute(&mut **change)
            .await?;
    }
    Ok(Ok(true))
}

async fn workspace(
    change: &mut Change,
    (name, project, repo, branch): (&str, &str, &str, &str),
    purpose: Option<&str>,
    now: i64,
) -> Result<Result<bool, Cause>, StoreError> {
    let row: Option<(i64,)> =
        sqlx::query_as("SELECT id FROM project WHERE slug = ?").bind(project).fetch_optional(&mut **change).await?;
    let Some((project_id,)) = row else { return Ok(Err(missing("project", project))) };
    sqlx::query("INSERT INTO repo (url) VALUES (?) ON CONFLICT DO NOTHING").bind(repo).execute(&mut **change).await?;
    let made = sqlx::query(
        "INSERT INTO workspace (name, project, repo, branch, purpose, created_at, updated_at)
         SELECT ?1, ?2, id, ?3, ?4, ?5, ?5 FROM repo WHERE url = ?6 ON CONFLICT DO NOTHING",
    )
    .bind(name)
    .bind(project_id)
    .bind(branch)
    .bind(purpose.unwrap_or_default())
    .bind(now)
    .bind(repo)
    .execute(&mut **change)
    .await?;
    Ok(Ok(made.rows_affected() > 0))
}

pub(super) fn missing(what: &'static str, name: &str) -> Cause {
    Cause::Missing { what, name: name.chars().take(100).collect() }
}

fn named(field: &'static str, text: &str) -> Result<(), Cause> {
    let fits = (1..=100).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
    let rule = "not 1 to 100 of letters, digits, `-` and `_`";
    if fits { Ok(()) } else { Err(Cause::Rule { field, rule }) }
}

fn user(field: &'static str, text: &str) -> Result<(), Cause> {
    let fits = text.parse::<protocol::text::names::Username>().is_ok();
    if fits { Ok(()) } else { Err(Cause::Rule { field, rule: "not a username" }) }
}

fn text(field: &'static str, text: &str) -> Result<(), Cause> {
    let fits = !text.trim().is_empty() && text.chars().count() <= 500 && !text.chars().any(char::is_control);
    if fits { Ok(()) } else { Err(Cause::Rule { field, rule: "not 1 to 500 characters on one line" }) }
}
