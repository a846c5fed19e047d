//! One job.
//! Spec site.md 5, 13.

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;

use super::answer;
use super::request::{job, of_job};
use super::shapes::JobOfRequest;
use crate::Opened;
use crate::access::Refusal;
use crate::store::read;

/// `jobs/{identifier}`.
pub(super) async fn one(
    State(site): State<Opened>,
    Path(identifier): Path<String>,
    asked: HeaderMap,
) -> Result<Response, Refusal> {
    let readers = site.store.readers();
    let place = read::job_place(readers, &identifier).await?;
    let (project, workspace, number) = place.ok_or(Refusal::Hidden)?;
    let found = read::job_page(readers, number, &identifier).await?.ok_or(Refusal::Hidden)?;
    let page = of_job(&site, (&project, &workspace), number).await?;
    let sha256 = page.yaml_sha256.as_deref().unwrap_or_default();
    let pipeline = page.yaml.as_ref().map(|bytes| site.memory.pipeline(sha256, bytes));
    let shape = JobOfRequest {
        request: number,
        workspace,
        backend: page.backend.slug.clone(),
        run_command: found.run_command,
        needed_by: found.needed_by.into_iter().map(|(identifier, _, _)| identifier).collect(),
        job: job(&found.job, &page.others, pipeline.as_deref()),
    };
    answer(&asked, &shape)
}
