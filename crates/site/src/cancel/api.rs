//! Cancelling by the API: all that is not finished, or some of it.
//! Spec site.md 13.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::json;

use super::act::CancelError;
use super::page::{allowed, ask};
use crate::Opened;
use crate::access::{JobRequest, Project, Refusal, RequestId, Viewer};
use crate::form::problem::{body, problem};

/// What is sent; `{}` for everything that is not finished.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    #[serde(default)]
    actions: Option<Vec<String>>,
    #[serde(default)]
    reason: String,
}

/// `POST /api/v1/job-requests/{request}/cancel`.
pub(super) async fn send(
    State(site): State<Opened>,
    viewer: Viewer,
    project: Project,
    request: JobRequest,
    id: RequestId,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result<Response, Refusal> {
    allowed(&viewer, &request, project.id)?;
    let asked: Asked = body(&headers, &bytes)?;
    match ask(&site, &viewer, request.number, asked.actions.as_deref(), &asked.reason).await? {
        Ok(done) => {
            let answer = json!({
                "number": request.number,
                "identifier": request.identifier,
                "at_once": done.at_once,
                "asked": done.asked,
                "already_finished": done.finished,
            });
            Ok((StatusCode::ACCEPTED, axum::Json(answer)).into_response())
        }
        Err(error @ (CancelError::Nothing | CancelError::Unknown(_) | CancelError::LongReason(_))) => {
            let (field, code) = match error {
                CancelError::LongReason(_) => ("reason", "bad_request"),
                CancelError::Unknown(_) => ("actions", "unknown_action"),
                _ => ("actions", "bad_request"),
            };
            let detail = error.to_string();
            let errors = [json!({"field": field, "code": code, "message": detail})];
            Ok(problem(&id, StatusCode::UNPROCESSABLE_ENTITY, code, &detail, &errors))
        }
        Err(error) => Err(error.into()),
    }
}
