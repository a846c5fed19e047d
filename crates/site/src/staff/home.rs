//! The overview: what waits for a person, and a search over everything.
//! Spec site.md 10 (`/staff/`).

use axum::extract::Query;
use axum::response::Response;
use serde::Deserialize;
use sqlx::Row;
use ui::html::Html;

use super::desk::Desk;
use crate::access::Refusal;
use crate::web::table::{Table, link, pieces, section};

#[derive(Debug, Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    q: String,
}

#[derive(askama::Template)]
#[template(path = "staff/search.html")]
struct Search<'a> {
    q: &'a str,
}

pub(super) async fn show(desk: Desk, Query(asked): Query<Asked>) -> Result<Response, Refusal> {
    let mut main = Html::of(&Search { q: &asked.q });
    if !asked.q.trim().is_empty() {
        main.push(&section("Found", &found(&desk, asked.q.trim()).await?));
    }
    main.push(&section("Waits for a person", &waiting(&desk).await?));
    Ok(desk.page("/staff/", None, &[], &main))
}

async fn found(desk: &Desk, q: &str) -> Result<Html, Refusal> {
    let rows = sqlx::query(
        "SELECT * FROM (SELECT 'person' AS kind, username AS name, fullname AS also, '/staff/users/' || username || '/' AS href
             FROM account WHERE instr(username_key, lower(?1)) OR instr(lower(fullname), lower(?1)) LIMIT 20)
         UNION ALL SELECT * FROM (SELECT 'organisation', slug, name, '/staff/orgs/' || slug || '/' FROM org
             WHERE instr(slug, lower(?1)) OR instr(lower(name), lower(?1)) LIMIT 20)
         UNION ALL SELECT * FROM (SELECT 'project', slug, name, '/staff/projects/' || slug || '/' FROM project
             WHERE instr(slug, lower(?1)) OR instr(lower(name), lower(?1)) OR number = ?1 LIMIT 20)
         UNION ALL SELECT * FROM (SELECT 'workspace', w.name, w.branch, '/' || p.slug || '/' || w.name || '/'
             FROM workspace w JOIN project p ON p.id = w.project WHERE instr(lower(w.name), lower(?1)) LIMIT 20)
         UNION ALL SELECT * FROM (SELECT 'repository', url, '', '/staff/workspaces/' FROM repo
             WHERE instr(lower(url), lower(?1)) LIMIT 20)
         UNION ALL SELECT * FROM (SELECT 'request', CAST(number AS TEXT), identifier, '/job-requests/' || number || '/'
             FROM job_request WHERE CAST(number AS TEXT) = ?1 OR identifier = ?1 LIMIT 20)",
    )
    .bind(q)
    .fetch_all(desk.site.store.readers())
    .await?;
    let mut table = Table::new("At most 20 of each kind", &["Name", "Kind", "Also"]);
    for row in &rows {
        let text = |name| row.try_get::<String, _>(name);
        let name = link(&text("name")?, &text("href")?);
        table.push(vec![name, Html::text(&text("kind")?), Html::text(&text("also")?)]);
    }
    Ok(table.shown("Nothing is called that."))
}

async fn waiting(desk: &Desk) -> Result<Html, Refusal> {
    let rows = sqlx::query(
        "SELECT 'roles to approve' AS what, count(*) AS n, '/staff/users/' AS href FROM role_grant
             WHERE approved_at IS NULL AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?1)
         UNION ALL SELECT 'data permissions to approve', count(*), '/staff/permissions/' FROM permission_grant
             WHERE approved_at IS NULL AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?1)
         UNION ALL SELECT 'backend keys to confirm', count(*), '/staff/backends/' FROM backend_key
             WHERE confirmed_at IS NULL AND to_seq IS NULL
         UNION ALL SELECT 'requests not delivered', count(*), '/staff/requests/?show=waiting' FROM job_request
             WHERE delivery = 'waiting' AND status = 'pending' AND is_import = 0",
    )
    .bind(desk.site.clock.microseconds())
    .fetch_all(desk.site.store.readers())
    .await?;
    let mut table = Table::new("What waits", &["What", "How many"]);
    for row in &rows {
        let count: i64 = row.try_get("n")?;
        if count > 0 {
            let (what, href): (String, String) = (row.try_get("what")?, row.try_get("href")?);
            table.push(vec![link(&what, &href), Html::text(&count.to_string())]);
        }
    }
    Ok(pieces([table.shown("Nothing waits.")]))
}
