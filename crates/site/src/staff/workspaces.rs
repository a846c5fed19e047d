//! All workspaces and their repositories.
//! Spec site.md 10.

use axum::extract::Query;
use axum::response::Response;
use serde::Deserialize;
use sqlx::Row;
use ui::html::Html;
use ui::time::At;

use super::desk::Desk;
use crate::access::Refusal;
use crate::web::table::{Table, link};

const AREA: &str = "/staff/workspaces/";

#[derive(Debug, Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    after: String,
}

pub(super) async fn show(desk: Desk, Query(asked): Query<Asked>) -> Result<Response, Refusal> {
    let now = desk.site.clock.microseconds();
    let rows = sqlx::query(
        "SELECT w.name, p.slug, p.name AS project, o.url, w.branch, w.archived_at, w.created_at
         FROM workspace w JOIN project p ON p.id = w.project JOIN repo o ON o.id = w.repo
         WHERE w.name > ?1 ORDER BY w.name LIMIT 26",
    )
    .bind(&asked.after)
    .fetch_all(desk.site.store.readers())
    .await?;
    let mut table = Table::new("Workspaces by name", &["Name", "Project", "Repository", "Branch", "Made"]);
    let mut last = String::new();
    for row in rows.iter().take(25) {
        let text = |name| row.try_get::<String, _>(name);
        last = text("name")?;
        let slug = text("slug")?;
        let archived = row.try_get::<Option<i64>, _>("archived_at")?.is_some();
        let shown = if archived { format!("{last} (archived)") } else { last.clone() };
        table.push(vec![
            link(&shown, &format!("/{slug}/{last}/")),
            link(&text("project")?, &format!("/staff/projects/{slug}/")),
            Html::text(&text("url")?),
            Html::text(&text("branch")?),
            At(row.try_get("created_at")?).short(At(now)),
        ]);
    }
    let mut main = table.shown("None yet.");
    if rows.len() > 25 {
        main.push(&link("Next page", &format!("{AREA}?after={last}")));
    }
    Ok(desk.page(AREA, None, &[], &main))
}
