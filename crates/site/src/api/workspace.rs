//! A workspace and how its actions stand.
//! Spec site.md 6.2, 13.

use axum::extract::{Path, RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde_json::{Map, Value};

use super::shapes::{ActionNow, ListOf, Workspace, time};
use super::{answer, known};
use crate::access::Refusal;
use crate::store::read::{self, WorkspacePage};
use crate::{Opened, Site};

async fn find(site: &Site, name: &str) -> Result<WorkspacePage, Refusal> {
    let readers = site.store.readers();
    let row: Option<(String,)> =
        sqlx::query_as("SELECT p.slug FROM workspace w JOIN project p ON p.id = w.project WHERE w.name = ?")
            .bind(name)
            .fetch_optional(readers)
            .await
            .map_err(crate::store::StoreError::from)?;
    let (project,) = row.ok_or(Refusal::Hidden)?;
    read::workspace_page(readers, &project, name).await?.ok_or(Refusal::Hidden)
}

/// `workspaces/{name}`.
pub(super) async fn one(
    State(site): State<Opened>,
    Path(name): Path<String>,
    asked: HeaderMap,
) -> Result<Response, Refusal> {
    let page = find(&site, &name).await?;
    let shape = Workspace {
        name: page.name,
        project: page.project.slug,
        organisation: page.project.org.map(|org| org.name),
        repository: page.repo,
        is_private: page.is_private,
        branch: page.branch,
        purpose: page.purpose,
        archived_at: page.archived.map(|(at, _)| time(at)),
        created_at: time(page.created_at),
    };
    answer(&asked, &shape)
}

/// `workspaces/{name}/actions?backend=`.
pub(super) async fn actions(
    State(site): State<Opened>,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
    asked: HeaderMap,
) -> Result<Response, Refusal> {
    let given = known(query.as_deref(), &["backend"])?;
    let page = find(&site, &name).await?;
    let wanted = |backend: &str| given.iter().all(|(_, slug)| slug == backend);
    let items: Vec<ActionNow> = page
        .actions
        .into_iter()
        .filter(|action| wanted(&action.backend.slug))
        .map(|action| ActionNow {
            action: action.action,
            backend: action.backend.slug,
            job: action.job,
            status: action.status,
            code: action.code,
            request: action.request,
            updated_at: time(action.updated_at),
            succeeded_in: action.succeeded.map(|(number, _, _)| number),
        })
        .collect();
    let total = Some(items.len() as u64);
    answer(&asked, &ListOf { items, next: None, total })
}

/// `/api/v2/workspaces/{name}/statuses/`, as older programs ask: each action with the status of its newest run anywhere.
pub(super) async fn statuses(
    State(site): State<Opened>,
    Path(name): Path<String>,
    asked: HeaderMap,
) -> Result<Response, Refusal> {
    let mut actions = find(&site, &name).await?.actions;
    actions.sort_by_key(|action| action.request);
    let statuses: Map<String, Value> =
        actions.into_iter().map(|action| (action.action, Value::from(action.status))).collect();
    answer(&asked, &statuses)
}
