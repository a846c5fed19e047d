//! Why a request is not answered as asked. Handlers return it; the guard makes the page or the API's answer of it.
//! Spec site.md 11.3 (outcomes), 13 (problem+json), 16, 19.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::Denied;
use crate::store::StoreError;

/// What a handler gives back instead of an answer.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Refusal {
    /// Nobody signed in: a page sends to signing in and back, the API answers 401.
    #[error("Sign in first.")]
    SignIn,
    /// There is no such thing, or none that this viewer may know of: 404.
    #[error("There is no such page, or you may not see it.")]
    Hidden,
    /// The thing is public, the act is not allowed: 403 with the reason.
    #[error("{0}")]
    Denied(Denied),
    /// Not allowed for a reason of its own: 403.
    #[error("{0}")]
    Forbidden(String),
    /// Not a request that can be understood: 400.
    #[error("{0}")]
    Malformed(String),
    /// It contradicts what is there: 409.
    #[error("{0}")]
    Conflict(String),
    /// It was understood and breaks a rule: 422.
    #[error("{0}")]
    Invalid(String),
    /// The form did not come from a page of this session: 403, with what was typed.
    #[error("This form was not sent from a page of your session, so nothing was changed.")]
    Forged(Vec<(String, String)>),
    /// Larger than may be: 413.
    #[error("That is more than this address takes: at most {0} bytes.")]
    TooLarge(usize),
    /// A body of another kind: 415.
    #[error("This address takes {0}.")]
    OtherType(&'static str),
    /// Asked too often: 429, and in how many seconds to try again.
    #[error("That was too much in a short time. Try again in {0} s.")]
    TooMany(u64),
    /// Not this way: 405.
    #[error("This address cannot be asked that way.")]
    Method,
    /// The database is busy or failed, or it took too long: 503.
    #[error("The site cannot do that just now; nothing was changed. Try again in a moment.")]
    Unavailable,
}

impl Refusal {
    /// The status of the answer, where it is not a redirect to signing in.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::SignIn => StatusCode::UNAUTHORIZED,
            Self::Hidden => StatusCode::NOT_FOUND,
            Self::Denied(_) | Self::Forbidden(_) | Self::Forged(_) => StatusCode::FORBIDDEN,
            Self::Malformed(_) => StatusCode::BAD_REQUEST,
            Self::Conflict(_) => StatusCode::CONFLICT,
            Self::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::OtherType(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooMany(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// One word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::SignIn => "sign_in",
            Self::Hidden => "not_found",
            Self::Denied(_) | Self::Forbidden(_) => "not_allowed",
            Self::Malformed(_) => "malformed",
            Self::Conflict(_) => "conflict",
            Self::Invalid(_) => "invalid",
            Self::Forged(_) => "forged_form",
            Self::TooLarge(_) => "too_large",
            Self::OtherType(_) => "media_type",
            Self::TooMany(_) => "too_many",
            Self::Method => "method",
            Self::Unavailable => "unavailable",
        }
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "the database did not do what a request needs");
        Self::Unavailable
    }
}

impl From<sqlx::Error> for Refusal {
    fn from(error: sqlx::Error) -> Self {
        StoreError::from(error).into()
    }
}

impl IntoResponse for Refusal {
    /// The bare status; the guard around every route finds the refusal in the extensions and draws the answer, for it
    /// knows who asked, and for what.
    fn into_response(self) -> Response {
        let mut answer = self.status().into_response();
        answer.extensions_mut().insert(self);
        answer
    }
}
