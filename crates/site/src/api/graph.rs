//! How the actions of a request depend on each other, and how each takes part.
//! Spec site.md 4.5, 13.

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;

use super::answer;
use super::request::{find, word};
use super::shapes::{Graph, GraphNode, Part};
use crate::Opened;
use crate::access::Refusal;
use crate::store::read::RequestPage;

/// `job-requests/{number or identifier}/graph`.
pub(super) async fn one(
    State(site): State<Opened>,
    Path(key): Path<String>,
    asked: HeaderMap,
) -> Result<Response, Refusal> {
    let page = find(&site, &key).await?;
    let sha256 = page.yaml_sha256.as_deref().unwrap_or_default();
    let pipeline = page.yaml.as_ref().map(|bytes| site.memory.pipeline(sha256, bytes));
    let mut actions: Vec<GraphNode> = Vec::new();
    for line in pipeline.iter().flat_map(|pipeline| &pipeline.actions) {
        let levels = line.outputs.iter().map(|(level, _)| word(*level));
        actions.push(node(&page, &line.name, line.needs.clone(), levels.collect()));
    }
    // Jobs whose actions no readable project.yaml tells of: what they need is known all the same.
    for job in &page.jobs {
        if !actions.iter().any(|node| node.action == job.action) {
            let needs = job.needs.iter().map(|need| need.action.clone()).collect();
            actions.push(node(&page, &job.action, needs, Vec::new()));
        }
    }
    answer(&asked, &Graph { number: page.number, identifier: page.identifier.clone(), actions })
}

fn node(page: &RequestPage, action: &str, needs: Vec<String>, mut levels: Vec<&'static str>) -> GraphNode {
    levels.dedup();
    let is_requested = page.requested_actions.iter().any(|name| name == action || name == "run_all");
    let job = page.jobs.iter().find(|job| job.action == action);
    let other = page.others.iter().find(|other| other.action == action);
    let (part, job, request, status, code) = match (job, other) {
        (Some(job), _) => {
            let part = if is_requested { Part::Requested } else { Part::PulledIn };
            (part, Some(&job.identifier), Some(page.number), Some(&job.status), Some(&job.code))
        }
        (None, Some(other)) => {
            let request = other.request.as_ref().map(|(number, _, _)| *number);
            (Part::Reused, Some(&other.identifier), request, other.status.as_ref(), other.code.as_ref())
        }
        (None, None) => (Part::Outside, None, None, None, None),
    };
    GraphNode {
        action: action.to_owned(),
        part,
        needs,
        levels,
        job: job.cloned(),
        request,
        status: status.cloned(),
        code: code.cloned(),
    }
}
