//! A backend that calls with its own token: who it is, and what it is told if the token is wrong.
//! Spec protocol.md 2 (every call).

use axum::Json;
use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use protocol::calls::{CallRefused, RefusalCode};

/// The backend whose token a call carries. Only handlers of [`Access::Agent`](super::Access::Agent) get one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agent {
    /// The row.
    pub backend: i64,
    /// Its slug. One in a body or path that differs is refused as `wrong_backend`.
    pub slug: String,
}

/// The answer to a call that is refused before its handler.
pub(super) fn refused(code: RefusalCode, retry_after: Option<u64>) -> Response {
    let status = StatusCode::from_u16(code.status()).unwrap_or(StatusCode::BAD_REQUEST);
    let mut answer = (status, Json(CallRefused::new(code))).into_response();
    if let Some(seconds) = retry_after {
        answer.headers_mut().insert(axum::http::header::RETRY_AFTER, seconds.into());
    }
    answer
}

impl<S: Sync> FromRequestParts<S> for Agent {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Response> {
        parts.extensions.get::<Self>().cloned().ok_or_else(|| refused(RefusalCode::Unauthorised, None))
    }
}
