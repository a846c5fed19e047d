//! Stands before every handler: who asks, whether they may, whether a form is of their own session.
//! Spec site.md 11.2, 11.3, 11.7, 16. `web::Routes` puts it around each route, so none can be without.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{RawPathParams, Request, State};
use axum::http::{HeaderMap, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use subtle::ConstantTimeEq;

use super::bearer;
use super::rate::Prefix;
use super::{Access, Fields, Refusal, Scope, Viewer, may, session};
use crate::{Opened, audit};

/// What is added to the time of a request where the mirror of a repository may be fetched first (site.md 7.1: 10 s for that
/// alone, and again where a name must be asked for).
const FETCHES: Duration = Duration::from_secs(20);

/// What the guard of one route knows.
#[derive(Clone)]
pub(crate) struct Post {
    pub(crate) site: Opened,
    pub(crate) access: Access,
    /// Bytes of a body at most.
    pub(crate) bytes: usize,
}

pub(crate) async fn guard(
    State(post): State<Post>,
    params: Result<RawPathParams, RawPathParamsRejection>,
    mut request: Request,
    next: Next,
) -> Response {
    let Post { site, access, bytes } = post;
    if matches!(access, Access::Agent | Access::Enrolling) {
        return next.run(limited(request, bytes)).await;
    }
    let is_api = is_api(request.uri().path());
    if access == Access::Public && request.uri().path().starts_with(ui::assets::FOLDER) {
        // Files of the program itself: the same for everybody, and not counted.
        return next.run(request).await;
    }
    let may_fetch = matches!(access, Access::Project(_)) || (is_api && request.method() == Method::POST);
    let time = site.settings.times.request + if may_fetch { FETCHES } else { Duration::ZERO };
    // Until the answer begins: event streams go on.
    let end = tokio::time::Instant::now() + time;
    let viewer = who(&site, request.headers(), prefix(&request), is_api);
    let viewer = match tokio::time::timeout_at(end, viewer).await.unwrap_or(Err(Refusal::Unavailable)) {
        Ok(viewer) => viewer,
        Err(refusal) => return refusal.into_response(),
    };
    let answered = tokio::time::timeout_at(end, async {
        admit(&site, access, &viewer, params.ok(), &mut request).await?;
        let mut request = sent(&site, &viewer, is_api, bytes, request).await?;
        request.extensions_mut().insert(viewer.clone());
        Ok(next.run(request).await)
    });
    let mut answer = match answered.await.unwrap_or(Err(Refusal::Unavailable)) {
        Ok(answer) => answer,
        Err(refusal) => refusal.into_response(),
    };
    if let (Some(Refusal::Denied(denied)), Access::Site(_) | Access::AnyOf(_)) = (answer.extensions().get(), access) {
        audit::staff_denied(&site, &viewer, denied.permission).await;
    }
    answer.extensions_mut().insert(viewer);
    answer
}

pub(super) fn is_api(path: &str) -> bool {
    path.starts_with("/api/")
}

/// Who asks. Tokens count only for the API; there a token that does not count is no reason to ask as anybody else.
async fn who(site: &Opened, headers: &HeaderMap, prefix: Prefix, is_api: bool) -> Result<Viewer, Refusal> {
    let now = site.clock.microseconds();
    if is_api && let Some(text) = bearer::carried(headers) {
        let Some((token, last)) = bearer::find(&site.store, text, now).await? else {
            site.gate.anonymous(&prefix)?;
            return Err(Refusal::SignIn);
        };
        site.gate.token(token.id)?;
        if let Err(error) = bearer::used(&site.store, token.id, last, prefix.as_str(), now).await {
            tracing::warn!(%error, "the last use of a token was not noted");
        }
        return Ok(Viewer::Token(Arc::new(token)));
    }
    let Some(hash) = session::carried(headers, &site.settings) else {
        site.gate.anonymous(&prefix)?;
        return Ok(Viewer::Anonymous);
    };
    let Some(found) = session::find(&site.store, &hash, now).await? else {
        site.gate.anonymous(&prefix)?;
        return Ok(Viewer::Anonymous);
    };
    site.gate.person(found.person.account.id)?;
    if let Err(error) = session::seen(&site.store, &found, now).await {
        tracing::warn!(%error, "the last use of a session was not noted");
    }
    Ok(Viewer::Person(Arc::new(found.person)))
}

pub(super) fn prefix(request: &Request) -> Prefix {
    request.extensions().get::<Prefix>().cloned().unwrap_or_else(Prefix::inside)
}

/// Whether this viewer may take this route; loads what the path names where a role could be about it.
async fn admit(
    site: &Opened,
    access: Access,
    viewer: &Viewer,
    params: Option<RawPathParams>,
    request: &mut Request,
) -> Result<(), Refusal> {
    let searched = request.uri().query().is_some_and(|query| {
        ::form_urlencoded::parse(query.as_bytes()).any(|(name, value)| name == "q" && !value.is_empty())
    });
    if searched || request.uri().path().ends_with(".csv") {
        site.gate.search(&prefix(request))?;
    }
    match access {
        Access::Public => Ok(()),
        Access::SignedIn => viewer.signed_in().map(|_| ()),
        Access::Site(permission) => may(viewer, permission, &super::Object::SITE),
        Access::AnyOf(permissions) => {
            let object = &super::Object::SITE;
            let tried = permissions.iter().map(|permission| may(viewer, *permission, object));
            tried.reduce(Result::or).unwrap_or(Err(Refusal::Hidden))
        }
        Access::Project(permission) | Access::Backend(permission) => {
            let params = params.ok_or(Refusal::Hidden)?;
            let scope = Scope::load(&site.store, &params).await?;
            may(viewer, permission, &scope.object())?;
            request.extensions_mut().insert(Arc::new(scope));
            Ok(())
        }
        Access::Agent | Access::Enrolling => Err(Refusal::Hidden),
    }
}

/// A request that changes something: from a page of ours, with the session's token, no larger than may be.
async fn sent(
    site: &Opened,
    viewer: &Viewer,
    is_api: bool,
    bytes: usize,
    request: Request,
) -> Result<Request, Refusal> {
    if matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS) {
        return Ok(request);
    }
    if matches!(viewer, Viewer::Token(_)) {
        return Ok(limited(request, bytes));
    }
    let ours = from_here(site, request.headers());
    if is_api {
        let token = request.headers().get("x-csrf-token").map_or(&b""[..], |value| value.as_bytes());
        let same = bool::from(token.ct_eq(viewer.csrf().as_bytes()));
        return if ours && same { Ok(limited(request, bytes)) } else { Err(Refusal::Forged(Vec::new())) };
    }
    let (parts, body) = request.into_parts();
    let kind = parts.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") && !kind.is_empty() {
        return Err(Refusal::OtherType("a form"));
    }
    let body = match Limited::new(body, bytes).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) if error.is::<LengthLimitError>() => return Err(Refusal::TooLarge(bytes)),
        Err(_) => return Err(Refusal::Malformed("The form did not arrive whole.".to_owned())),
    };
    let fields = Fields::read(&body)?;
    let token = fields.get("csrf").unwrap_or_default();
    // Nobody has no session that a form could be of; then the origin alone decides.
    let same = bool::from(token.as_bytes().ct_eq(viewer.csrf().as_bytes())) || matches!(viewer, Viewer::Anonymous);
    if !ours || !same {
        return Err(Refusal::Forged(fields.typed()));
    }
    let mut request = Request::from_parts(parts, Body::from(body));
    request.extensions_mut().insert(Arc::new(fields));
    Ok(request)
}

/// Whether the browser says that a page of ours sent this. Every current browser does, with each POST.
fn from_here(site: &Opened, headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let sites = text("sec-fetch-site");
    match text("origin") {
        Some(origin) => {
            let known = origin == site.settings.origin || {
                let host = text("host").unwrap_or_default();
                site.settings.listen.ip().is_loopback() && !host.is_empty() && origin == format!("http://{host}")
            };
            known && sites.is_none_or(|said| said == "same-origin")
        }
        None => sites == Some("same-origin"),
    }
}

fn limited(request: Request, bytes: usize) -> Request {
    request.map(|body| Body::new(Limited::new(body, bytes)))
}
