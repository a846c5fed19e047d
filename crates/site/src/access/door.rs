//! The outermost step of every request: its id, its host, its text; and of every answer: the headers.
//! Spec site.md 11.4, 11.5, 11.6 (no token in an address), 19.

use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderName, HeaderValue, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::guard::is_api;
use super::rate::Prefix;
use super::{Refusal, Viewer, answer, fields, secret};
use crate::{Opened, Settings};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The content security policy of every answer. There is no content origin yet, so nothing may be framed.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; \
    connect-src 'self'; form-action 'self'; base-uri 'none'; frame-src 'none'; frame-ancestors 'none'";

const ALL_OFF: &str = "accelerometer=(), autoplay=(), camera=(), display-capture=(), encrypted-media=(), \
    fullscreen=(), geolocation=(), gyroscope=(), magnetometer=(), microphone=(), midi=(), payment=(), \
    picture-in-picture=(), publickey-credentials-get=(), screen-wake-lock=(), usb=(), web-share=(), \
    xr-spatial-tracking=()";

/// A name for one request, in its answer, in the log and in audit records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(pub String);

impl<S: Sync> axum::extract::FromRequestParts<S> for RequestId {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut axum::http::request::Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or_else(|| Self("none".to_owned())))
    }
}

pub(crate) async fn door(State(site): State<Opened>, mut request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let id = RequestId(request_id(&request));
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    if let Some(peer) = peer {
        let prefix = Prefix::of(from(&site.settings, peer, &request));
        request.extensions_mut().insert(prefix);
    }
    request.extensions_mut().insert(id.clone());
    let asked = answer::Asked::of(&request, &site.settings);
    let checked = host(&site.settings, &request).and_then(|()| readable(request.uri()));
    let mut answer = match checked {
        Ok(()) => next.run(request).await,
        Err(refusal) => refusal.into_response(),
    };
    let viewer = answer.extensions_mut().remove::<Viewer>();
    if let Some(refusal) = answer.extensions_mut().remove::<Refusal>() {
        answer = answer::draw(&site, viewer.as_ref(), &asked, refusal, &id).await;
    }
    headers(&site.settings, viewer.as_ref(), &asked, &id, &mut answer);
    let path = if secret::has_token(&asked.path) { "(hidden)" } else { &asked.path };
    let (status, took) = (answer.status().as_u16(), begun.elapsed().as_micros());
    tracing::info!(id = id.0, method = %asked.method, path, status, micros = u64::try_from(took).unwrap_or(u64::MAX), "answered");
    answer
}

/// A backend's own name for its call, so that both logs have the same; for everybody else a new one.
fn request_id(request: &Request) -> String {
    if request.uri().path().starts_with(protocol::calls::BASE) {
        let given = request.headers().get(REQUEST_ID).and_then(|id| id.to_str().ok()).unwrap_or_default();
        if (1..=64).contains(&given.len()) && given.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
            return given.to_owned();
        }
    }
    // An id need not be secret; without random numbers it is only less unique.
    data_encoding::HEXLOWER.encode(&secret::random::<8>().unwrap_or_default())
}

/// The address a request comes from: the peer's, or, through proxies that are trusted, the last one before them.
fn from(settings: &Settings, peer: IpAddr, request: &Request) -> IpAddr {
    let proxies = &settings.trusted_proxies;
    let mut address = peer;
    let named = request.headers().get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok());
    let named: Vec<&str> = named.flat_map(|value| value.split(',')).collect();
    for step in named.iter().rev() {
        if !proxies.contains(&address.to_canonical()) {
            break;
        }
        let Ok(before) = step.trim().parse() else { break };
        address = before;
    }
    address
}

/// A page of another site that makes its own name point here must not be served as if it were us.
fn host(settings: &Settings, request: &Request) -> Result<(), Refusal> {
    let named = request.headers().get_all(header::HOST).iter();
    let wrong = || Refusal::Malformed("This site is not reached by that name.".to_owned());
    let mut named: Vec<&str> = named.map(|host| host.to_str().unwrap_or("?")).collect();
    named.extend(request.uri().authority().map(|authority| authority.as_str()));
    // No name at all is no other name: calls of the demo's own backends have none.
    if named.iter().all(|host| settings.is_known_as(host)) { Ok(()) } else { Err(wrong()) }
}

/// Path and query must be text, and must not carry a token: addresses stand in logs and histories.
fn readable(uri: &Uri) -> Result<(), Refusal> {
    fields::text(uri.path().as_bytes())?;
    fields::text(uri.query().unwrap_or_default().as_bytes())?;
    if uri.path_and_query().is_some_and(|all| secret::has_token(all.as_str())) {
        let why =
            "A token is never part of an address. Revoke this one and send a new one in the Authorization header.";
        return Err(Refusal::Malformed(why.to_owned()));
    }
    Ok(())
}

fn headers(settings: &Settings, viewer: Option<&Viewer>, asked: &answer::Asked, id: &RequestId, answer: &mut Response) {
    let headers = answer.headers_mut();
    let mut set = |name: HeaderName, value: &'static str| headers.insert(name, HeaderValue::from_static(value));
    set(header::CONTENT_SECURITY_POLICY, POLICY);
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::REFERRER_POLICY, "same-origin");
    set(HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    set(HeaderName::from_static("cross-origin-resource-policy"), "same-origin");
    set(HeaderName::from_static("permissions-policy"), ALL_OFF);
    if settings.is_https() {
        set(header::STRICT_TRANSPORT_SECURITY, "max-age=31536000");
    }
    // Refusals and 304 too, so that a page of another site can read why. Without credentials all are as for nobody.
    if is_api(&asked.path) && asked.method == axum::http::Method::GET {
        set(header::ACCESS_CONTROL_ALLOW_ORIGIN, "*");
    }
    let personal = !matches!(viewer, None | Some(Viewer::Anonymous)) || headers.contains_key(header::SET_COOKIE);
    if personal {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    } else if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    }
    if let Ok(value) = HeaderValue::from_str(&id.0) {
        headers.insert(REQUEST_ID, value);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at its first surprise")]
mod tests {
    use axum::body::Body;

    use super::*;
    use crate::settings::Chosen;

    #[test]
    fn only_trusted_proxies_say_where_a_request_comes_from() {
        let mut settings = Settings::read(None, Chosen::default()).unwrap();
        let address = |text: &str| text.parse::<IpAddr>().unwrap();
        let seen = |settings: &Settings, peer: &str, named: &str| {
            let request = Request::builder().header("x-forwarded-for", named).body(Body::empty()).unwrap();
            from(settings, address(peer), &request)
        };
        let named = "203.0.113.9, 198.51.100.7";
        assert_eq!(seen(&settings, "10.0.0.1", named), address("10.0.0.1"));
        settings.trusted_proxies = vec![address("10.0.0.1")];
        assert_eq!(seen(&settings, "10.0.0.1", named), address("198.51.100.7"));
        assert_eq!(seen(&settings, "::ffff:10.0.0.1", named), address("198.51.100.7"));
        assert_eq!(seen(&settings, "192.0.2.1", named), address("192.0.2.1"));
        assert_eq!(seen(&settings, "10.0.0.1", "no address"), address("10.0.0.1"));
        settings.trusted_proxies.push(address("198.51.100.7"));
        assert_eq!(seen(&settings, "10.0.0.1", named), address("203.0.113.9"));
    }
}
