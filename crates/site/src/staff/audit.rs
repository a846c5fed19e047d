//! The audit log: searched, and its chain checked.
//! Spec site.md 10, 11.8.

use axum::extract::Query;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;
use sqlx::Row;
use ui::html::Html;
use ui::time::At;

use super::desk::Desk;
use crate::access::Refusal;
use crate::audit::{VerifyError, verify as walk};
use crate::web::table::{Table, link, paragraph};

const AREA: &str = "/staff/audit/";

#[derive(Debug, Default, Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    actor: String,
    #[serde(default)]
    action: String,
    #[serde(default)]
    object: String,
    #[serde(default)]
    project: String,
    #[serde(default)]
    from: String,
    #[serde(default)]
    to: String,
    #[serde(default)]
    after: Option<i64>,
}

#[derive(askama::Template)]
#[template(path = "staff/audit.html")]
struct Filters<'a> {
    asked: &'a Asked,
}

pub(super) async fn show(desk: Desk, Query(asked): Query<Asked>) -> Result<Response, Refusal> {
    let now = desk.site.clock.microseconds();
    let day = |name, text| crate::people::day(name, text).map_err(Refusal::from);
    let (from, until) = (day("from", &asked.from)?, day("to", &asked.to)?.map(|start| start + crate::clock::DAY));
    let (kind, id) = asked.object.trim().split_once(' ').unwrap_or((asked.object.trim(), ""));
    let rows = sqlx::query(
        "SELECT e.seq, e.at, e.action, e.object_kind, e.object_id, e.record, a.username, p.slug,
                (SELECT body FROM audit_text t WHERE t.sha256 = e.record ->> 'text_hash') AS reason
         FROM audit_event e LEFT JOIN account a ON a.id = e.actor LEFT JOIN project p ON p.id = e.project
         WHERE (?1 IS NULL OR e.seq < ?1) AND (?2 = '' OR CAST(e.actor AS TEXT) = ?2 OR a.username_key = lower(?2))
           AND (?3 = '' OR e.action = ?3) AND (?4 = '' OR e.object_kind = ?4)
           AND (?5 = '' OR CAST(e.object_id AS TEXT) = ?5) AND (?6 = '' OR p.slug = ?6)
           AND (?7 IS NULL OR e.at >= ?7) AND (?8 IS NULL OR e.at < ?8)
         ORDER BY e.seq DESC LIMIT 26",
    )
    .bind(asked.after)
    .bind(asked.actor.trim())
    .bind(asked.action.trim())
    .bind(kind)
    .bind(id)
    .bind(asked.project.trim())
    .bind(from)
    .bind(until)
    .fetch_all(desk.site.store.readers())
    .await?;
    let mut table =
        Table::new("Acts, the newest first", &["No.", "When", "Who", "Act", "On", "Project", "What and why"]);
    let mut last = 0_i64;
    for row in rows.iter().take(25) {
        let text = |name| row.try_get::<Option<String>, _>(name).map(Option::unwrap_or_default);
        last = row.try_get("seq")?;
        let record: serde_json::Value = serde_json::from_str(&text("record")?).unwrap_or_default();
        let object: Option<i64> = row.try_get("object_id")?;
        let object = object.map_or_else(String::new, |id| id.to_string());
        table.push(vec![
            Html::text(&last.to_string()),
            At(row.try_get("at")?).short(At(now)),
            Html::text(&who(&record, text("username")?)),
            Html::text(&text("action")?),
            Html::text(&format!("{} {object}", text("object_kind")?)),
            Html::text(&text("slug")?),
            Html::text(&what(&record, &text("reason")?)),
        ]);
    }
    let mut main = Html::of(&Filters { asked: &asked });
    main.push(&table.shown("No act is like that."));
    if rows.len() > 25 {
        let mut query = ::form_urlencoded::Serializer::new(String::new());
        let Asked { actor, action, object, project, from, to, .. } = &asked;
        query.extend_pairs([
            ("actor", actor),
            ("action", action),
            ("object", object),
            ("project", project),
            ("from", from),
            ("to", to),
        ]);
        query.append_pair("after", &last.to_string());
        main.push(&link("Next page", &format!("{AREA}?{}", query.finish())));
    }
    main.push(&paragraph("Each record holds the hash of the one before it."));
    main.push(&link("Check the whole chain", &format!("{AREA}verify/")));
    main.push(&paragraph("The records as text, 10,000 at a time:"));
    main.push(&link("Export", &format!("{AREA}export/")));
    Ok(desk.page(AREA, None, &[], &main))
}

fn who(record: &serde_json::Value, username: String) -> String {
    if !username.is_empty() {
        let token = record.pointer("/actor/token").and_then(serde_json::Value::as_i64);
        return token.map_or(username.clone(), |token| format!("{username} by token {token}"));
    }
    let text = |pointer| record.pointer(pointer).and_then(serde_json::Value::as_str);
    text("/actor/name").or(text("/actor/kind")).unwrap_or_default().to_owned()
}

fn what(record: &serde_json::Value, reason: &str) -> String {
    let mut words = Vec::new();
    for (key, word) in [("before", "before"), ("after", "after")] {
        if let Some(fields) = record.get(key).and_then(serde_json::Value::as_object) {
            let fields: Vec<String> = fields.iter().map(|(name, value)| format!("{name} {value}")).collect();
            words.push(format!("{word}: {}", fields.join(", ")));
        }
    }
    if !reason.is_empty() {
        words.push(reason.to_owned());
    }
    words.join("; ")
}

pub(super) async fn verify(desk: Desk) -> Result<Response, Refusal> {
    let words = match walk(&desk.site.store).await {
        Ok(whole) => format!("The chain is whole: {} records, the last one's hash is {}.", whole.records, whole.head),
        Err(broken @ VerifyError::Broken { .. }) => broken.to_string(),
        Err(VerifyError::Store(error)) => return Err(error.into()),
    };
    Ok(desk.page(AREA, Some("Chain"), &[], &paragraph(&words)))
}

#[derive(Debug, Deserialize)]
pub(super) struct Behind {
    #[serde(default)]
    after: i64,
}

/// Records of one answer.
const EXPORTED: i64 = 10_000;

/// Up to 10,000 records behind a number, one a line: `{"hash":…,"record":…}`, the record in the canonical text that the
/// hash is over, so that somebody else can walk the chain. The next ones are behind the last number.
pub(super) async fn export(desk: Desk, Query(behind): Query<Behind>) -> Result<Response, Refusal> {
    let rows = sqlx::query("SELECT record, hash FROM audit_event WHERE seq > ?1 ORDER BY seq LIMIT ?2")
        .bind(behind.after)
        .bind(EXPORTED)
        .fetch_all(desk.site.store.readers())
        .await?;
    let mut text = String::new();
    for row in &rows {
        let (record, hash): (String, String) = (row.try_get("record")?, row.try_get("hash")?);
        text.push_str(&json!({"hash": hash, "record": record}).to_string());
        text.push('\n');
    }
    Ok(([(header::CONTENT_TYPE, "application/x-ndjson")], text).into_response())
}
