//! What all pages have in common: the frame, who reads, answers with an ETag, and the pages of failures.
//! Spec site.md 3, 13 (ETag), 19 (no 500 for any input).

use std::convert::Infallible;

use askama::Template;
use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};
use ui::html::Html;
use ui::page::{Account, Frame, Link, Notice, Page, Tone};

use crate::Site;
use crate::store::StoreError;
use crate::store::read::Alert;

/// Rows of a list on one page.
pub(super) const ROWS: u32 = 25;

/// Now, in microseconds since the epoch.
pub(super) fn now() -> i64 {
    jiff::Timestamp::now().as_microsecond()
}

/// Who asks for a page: what the layer of sessions put beside the request, and which copy the browser has.
#[derive(Debug, Clone, Default)]
pub struct Reader {
    /// For the header of the page. Without a layer of sessions the header says nothing.
    pub account: Account,
    /// `If-None-Match`.
    pub has: Option<HeaderValue>,
}

impl<S: Send + Sync> FromRequestParts<S> for Reader {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self {
            account: parts.extensions.get::<Account>().cloned().unwrap_or_default(),
            has: parts.headers.get(header::IF_NONE_MATCH).cloned(),
        })
    }
}

/// Why a page cannot be shown.
#[derive(Debug, thiserror::Error)]
pub enum Fail {
    /// There is nothing at this address.
    #[error("there is nothing here")]
    NotFound,
    /// It is somewhere else, for ever.
    #[error("it is at {0}")]
    Moved(String),
    /// The address asks for what cannot be, such as a date that is none.
    #[error("{0}")]
    Bad(String),
    /// The person may not.
    #[error("{0}")]
    Forbidden(String),
    /// The tables cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What is the same on every page of this site.
pub fn frame(site: &Site) -> Frame {
    let link = |text: &str, href: &str, section| Link { text: text.into(), href: href.into(), section };
    Frame {
        site: site.settings.name.clone(),
        version: env!("CARGO_PKG_VERSION").into(),
        source: "/docs/".into(),
        about: "Everything that runs on patient data is public here: who asked, which code, and how it ended.".into(),
        links: vec![
            link("Event log", "/event-log/", "event-log"),
            link("Organisations", "/organisations/", "organisations"),
            link("Status", "/status/", "status"),
        ],
        foot: vec![link("API", "/api/", "api")],
    }
}

/// The messages of the operators as notices.
pub(super) fn notices(alerts: &[Alert]) -> Vec<Notice> {
    alerts
        .iter()
        .map(|alert| {
            let tone = match alert.level.as_str() {
                "success" => Tone::Good,
                "warning" => Tone::Warning,
                "danger" => Tone::Bad,
                _ => Tone::Info,
            };
            Notice::text(tone, &format!("{}: {}", alert.title, alert.message))
        })
        .collect()
}

/// Answers with a page, or with the page of its failure.
pub fn answer(site: &Site, reader: &Reader, made: Result<(Page, Html), Fail>) -> Response {
    match made {
        Ok((mut page, main)) => {
            page.account = reader.account.clone();
            if let Some(address) = &mut page.canonical {
                address.insert_str(0, &site.settings.origin);
            }
            html(reader, StatusCode::OK, page.around(&frame(site), &main))
        }
        Err(Fail::Moved(to)) => moved(&to),
        Err(fail) => failure(site, reader, &fail),
    }
}

fn moved(to: &str) -> Response {
    match HeaderValue::from_str(to) {
        Ok(to) => (StatusCode::MOVED_PERMANENTLY, [(header::LOCATION, to)]).into_response(),
        Err(_) => StatusCode::NOT_FOUND.into_response(),
    }
}

/// A page with its ETag; nothing but the ETag for a browser that has it.
fn html(reader: &Reader, status: StatusCode, body: String) -> Response {
    let tag = format!("W/\"{}\"", HEXLOWER.encode(&Sha256::digest(&body)[..12]));
    let mut headers = HeaderMap::new();
    // Hexadecimal digits and quotes are always a header's value.
    if let Ok(value) = HeaderValue::from_str(&tag) {
        let same = reader.has.as_ref().is_some_and(|has| has.as_bytes() == value.as_bytes());
        headers.insert(header::ETAG, value);
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
        if same && status == StatusCode::OK {
            return (StatusCode::NOT_MODIFIED, headers).into_response();
        }
    }
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    (status, headers, body).into_response()
}

#[derive(Template)]
#[template(path = "failure.html")]
struct Failure<'a> {
    words: &'a str,
    advice: &'a str,
}

/// The page of a failure.
pub fn failure(site: &Site, reader: &Reader, fail: &Fail) -> Response {
    let (status, title, words, advice) = match fail {
        Fail::NotFound | Fail::Moved(_) => (
            StatusCode::NOT_FOUND,
            "Page not found",
            "There is nothing at this address.",
            "Check the address, or look for the job request in the event log.",
        ),
        Fail::Bad(words) => (StatusCode::BAD_REQUEST, "This address cannot be read", words.as_str(), ""),
        Fail::Forbidden(words) => (StatusCode::FORBIDDEN, "Not allowed", words.as_str(), ""),
        Fail::Store(why) => {
            tracing::error!(%why, "a page could not be read");
            (
                StatusCode::SERVICE_UNAVAILABLE,
                "Not available at the moment",
                "The site cannot read its records at the moment.",
                "Try again in a minute.",
            )
        }
    };
    let page = Page {
        title: title.into(),
        heading: title.into(),
        description: words.into(),
        account: reader.account.clone(),
        ..Page::default()
    };
    let main = Html::of(&Failure { words, advice });
    html(reader, status, page.around(&frame(site), &main))
}

/// One of the files that pages load, by its name with hash: it never changes.
pub(super) async fn file(Path(name): Path<String>) -> Response {
    match ui::assets::find(&name) {
        Some(file) => (
            [
                (header::CONTENT_TYPE, file.media_type),
                (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
            ],
            file.bytes,
        )
            .into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
