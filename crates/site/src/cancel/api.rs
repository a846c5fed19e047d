//! Cancelling by the API: all that is not finished, or some of it.
//! Spec site.md 13.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::act::CancelError;
use super::page::{allowed, ask};
use crate::Opened;
use crate::access::{JobRequest, Project, Refusal, RequestId, Viewer};
use crate::form::problem::{body, problem};

/// What is sent; `{}` for everything that is not finished.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ToCancel")]
pub(crate) struct ToCancel {
    /// Which actions; everything that is not finished if absent.
    #[serde(default)]
    actions: Option<Vec<String>>,
    /// For everybody to read, at most 500 characters.
    #[serde(default)]
    reason: String,
}

/// What became of it.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Cancelled")]
pub(crate) struct Cancelled {
    /// The request's number.
    number: i64,
    /// Its long id.
    identifier: String,
    /// Whether it has ended: its order had never been sent.
    at_once: bool,
    /// What is being stopped, what was asked for before included. The backend's answer decides.
    asked: Vec<String>,
    /// What had ended and is left alone.
    already_finished: Vec<String>,
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
    let asked: ToCancel = body(&headers, &bytes)?;
    match ask(&site, &viewer, request.number, asked.actions.as_deref(), &asked.reason).await? {
        Ok(done) => {
            let answer = Cancelled {
                number: request.number,
                identifier: request.identifier,
                at_once: done.at_once,
                asked: done.asked,
                already_finished: done.finished,
            };
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
