//! Projects, organisations and backends.
//! Spec site.md 2.2 (order of projects), 13.

use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;

use super::shapes::{Backend, ListOf, OrgItem, ProjectItem, time};
use super::{answer, known};
use crate::Opened;
use crate::access::Refusal;
use crate::store::{StoreError, read};

/// Projects in one answer: there are hundreds.
const MOST: i64 = 5_000;

/// `projects`.
pub(super) async fn projects(
    State(site): State<Opened>,
    RawQuery(query): RawQuery,
    asked: HeaderMap,
) -> Result<Response, Refusal> {
    known(query.as_deref(), &[])?;
    let rows: Vec<(String, Option<String>, String, Option<String>)> = sqlx::query_as(
        "SELECT p.slug, p.number, p.name, (SELECT o.name FROM project_org x JOIN org o ON o.id = x.org
             WHERE x.project = p.id ORDER BY x.is_lead DESC, x.created_at, x.org LIMIT 1)
         FROM project p
         ORDER BY p.number IS NULL, p.number NOT LIKE 'POS-%', CASE WHEN p.number LIKE 'POS-%' THEN p.number END DESC,
             CAST(p.number AS INTEGER) DESC, p.name LIMIT ?",
    )
    .bind(MOST)
    .fetch_all(site.store.readers())
    .await
    .map_err(StoreError::from)?;
    let items: Vec<ProjectItem> = rows
        .into_iter()
        .map(|(slug, number, name, organisation)| ProjectItem { slug, number, name, organisation })
        .collect();
    let total = Some(items.len() as u64);
    answer(&asked, &ListOf { items, next: None, total })
}

/// `orgs`.
pub(super) async fn orgs(
    State(site): State<Opened>,
    RawQuery(query): RawQuery,
    asked: HeaderMap,
) -> Result<Response, Refusal> {
    known(query.as_deref(), &[])?;
    let found = read::orgs(site.store.readers()).await?;
    let items: Vec<OrgItem> =
        found.into_iter().map(|(org, projects)| OrgItem { slug: org.slug, name: org.name, projects }).collect();
    let total = Some(items.len() as u64);
    answer(&asked, &ListOf { items, next: None, total })
}

/// `backends`.
pub(super) async fn backends(
    State(site): State<Opened>,
    RawQuery(query): RawQuery,
    asked: HeaderMap,
) -> Result<Response, Refusal> {
    known(query.as_deref(), &[])?;
    let now = site.clock.microseconds();
    let mut items = Vec::new();
    for mut backend in read::now(site.store.readers(), now).await?.backends {
        // The last call may be newer than what was written down of it.
        let seen = site.line.seen(backend.face.id);
        backend.last_contact_at = backend.last_contact_at.max(seen.contact);
        items.push(Backend {
            missing: backend.is_missing(now),
            slug: backend.face.slug,
            name: backend.face.name,
            synthetic: backend.face.is_synthetic,
            mode: backend.mode,
            mode_since: backend.mode_since.map(time),
            last_contact_at: backend.last_contact_at.map(time),
            version: backend.version,
            data_version: backend.data_version,
            running: backend.running.0 + backend.running.1,
            waiting: backend.waiting.0 + backend.waiting.1,
        });
    }
    let total = Some(items.len() as u64);
    answer(&asked, &ListOf { items, next: None, total })
}
