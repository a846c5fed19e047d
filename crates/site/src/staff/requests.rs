//! Job requests that staff look for: not delivered, refused, without news.
//! Spec site.md 10.

use axum::extract::Query;
use axum::response::Response;
use serde::Deserialize;
use sqlx::Row;
use ui::html::Html;
use ui::time::At;

use super::desk::Desk;
use crate::access::Refusal;
use crate::clock::MINUTE;
use crate::web::table::{Table, link, pieces};

const AREA: &str = "/staff/requests/";

#[derive(Debug, Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    show: String,
    #[serde(default)]
    after: Option<i64>,
}

#[derive(askama::Template)]
#[template(path = "staff/requests.html")]
struct Shows<'a> {
    shows: [(&'static str, &'static str); 4],
    show: &'a str,
}

pub(super) async fn show(desk: Desk, Query(asked): Query<Asked>) -> Result<Response, Refusal> {
    let now = desk.site.clock.microseconds();
    let rows = sqlx::query(
        "SELECT r.number, r.status, r.reason, r.delivery, r.created_at, r.news_at, w.name AS workspace, b.name AS backend,
                a.fullname
         FROM job_request r JOIN workspace w ON w.id = r.workspace JOIN backend b ON b.id = r.backend
         JOIN account a ON a.id = r.requested_by
         WHERE (?1 IS NULL OR r.number < ?1) AND CASE ?2
             WHEN 'waiting' THEN r.delivery = 'waiting' AND r.status = 'pending' AND r.is_import = 0
             WHEN 'refused' THEN r.status = 'failed' AND r.reason IS NOT NULL AND r.reason <> 'job_failure'
             WHEN 'stale' THEN r.status IN ('pending', 'running') AND r.news_at < ?3
             ELSE 1 END
         ORDER BY r.number DESC LIMIT 26",
    )
    .bind(asked.after)
    .bind(&asked.show)
    .bind(now - 30 * MINUTE)
    .fetch_all(desk.site.store.readers())
    .await?;
    let mut table = Table::new(
        "Job requests, the newest first",
        &["Request", "Status", "Delivery", "Workspace", "Backend", "Requested by", "Created", "Last news"],
    );
    let mut last = 0_i64;
    for row in rows.iter().take(25) {
        let text = |name| row.try_get::<Option<String>, _>(name).map(Option::unwrap_or_default);
        last = row.try_get("number")?;
        let (status, reason) = (text("status")?.replace('_', " "), text("reason")?);
        let status = if reason.is_empty() { status } else { format!("{status}: {reason}") };
        table.push(vec![
            link(&last.to_string(), &format!("/job-requests/{last}/")),
            Html::text(&status),
            Html::text(&text("delivery")?),
            Html::text(&text("workspace")?),
            Html::text(&text("backend")?),
            Html::text(&text("fullname")?),
            At(row.try_get("created_at")?).short(At(now)),
            At(row.try_get("news_at")?).short(At(now)),
        ]);
    }
    let shows =
        [("", "All"), ("waiting", "Not delivered"), ("refused", "Refused"), ("stale", "No news for 30 minutes")];
    let mut main = pieces([Html::of(&Shows { shows, show: &asked.show }), table.shown("None.")]);
    if rows.len() > 25 {
        let mut query = ::form_urlencoded::Serializer::new(String::new());
        query.append_pair("show", &asked.show).append_pair("after", &last.to_string());
        main.push(&link("Next page", &format!("{AREA}?{}", query.finish())));
    }
    Ok(desk.page(AREA, None, &[], &main))
}
