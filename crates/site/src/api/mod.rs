//! The public API: what pages show, as JSON, with an OpenAPI document made from the same types.
//! Spec site.md 13. Refusals are problem+json, made by `access`.

mod acts;
mod former;
mod graph;
mod job;
mod lists;
mod openapi;
mod request;
mod shapes;
mod workspace;

use axum::http::HeaderMap;
use axum::response::Response;
use serde::Serialize;

use crate::access::{Access, Refusal};
use crate::pages::tagged;
use crate::web::Routes;

/// The calls that read.
pub fn routes() -> Routes {
    Routes::new()
        .get("/api/", Access::Public, openapi::page)
        .get("/api/v1/openapi.json", Access::Public, openapi::document)
        .get("/api/v1/job-requests", Access::Public, request::list)
        .get("/api/v1/job-requests/{request}", Access::Public, request::one)
        .get("/api/v1/job-requests/{request}/graph", Access::Public, graph::one)
        .get("/api/v1/jobs/{job}", Access::Public, job::one)
        .get("/api/v1/workspaces/{workspace}", Access::Public, workspace::one)
        .get("/api/v1/workspaces/{workspace}/actions", Access::Public, workspace::actions)
        .get("/api/v1/projects", Access::Public, lists::projects)
        .get("/api/v1/orgs", Access::Public, lists::orgs)
        .get("/api/v1/backends", Access::Public, lists::backends)
        .get("/api/v2/job-requests/", Access::Public, former::open_requests)
        .get("/api/v2/workspaces/{workspace}/statuses/", Access::Public, workspace::statuses)
}

/// An answer with its ETag.
fn answer<T: Serialize>(asked: &HeaderMap, value: &T) -> Result<Response, Refusal> {
    let text = serde_json::to_vec(value).map_err(|error| {
        tracing::error!(%error, "an answer of the API cannot be written");
        Refusal::Unavailable
    })?;
    Ok(tagged(asked, "application/json", text))
}

/// The values of a query whose keys are all known, each given once.
fn known(query: Option<&str>, keys: &[&str]) -> Result<Vec<(String, String)>, Refusal> {
    let mut found: Vec<(String, String)> = Vec::new();
    for (key, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
        if !keys.contains(&key.as_ref()) || found.iter().any(|(given, _)| *given == key) {
            let key: String = key.chars().take(40).collect();
            return Err(Refusal::Malformed(format!("`{key}` means nothing here, or is given twice.")));
        }
        found.push((key.into_owned(), value.into_owned()));
    }
    Ok(found)
}
