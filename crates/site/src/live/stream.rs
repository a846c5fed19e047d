//! One open stream of server-sent events.
//! Spec site.md 14: `patch`, `done`, `reset`, a comment each 15 s.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Path, RawPathParams, Request, State};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use http::{HeaderMap, header};
use tokio::sync::broadcast::{Receiver, error::RecvError};
use tokio::time::timeout;

use super::readers::Seat;
use super::ring::Event;
use super::subject::Subject;
use super::watched::{News, Watched};
use crate::Opened;
use crate::access::{Prefix, Refusal};
use crate::pages::{self, Overview};
use crate::store::StoreError;
use crate::store::ids::BackendId;
use crate::store::read::workspace_face;

const QUIET: Duration = Duration::from_secs(15);

/// Changes of a request's page, at the page's own address.
pub(super) async fn of_page(
    State(site): State<Opened>,
    Path((project, workspace, number)): Path<(String, String, String)>,
    request: Request,
) -> Result<Response, Refusal> {
    let place = place(&site, &number).await?.filter(|place| place.1 == project && place.2 == workspace);
    open(site, of(place.ok_or(Refusal::Hidden)?), request).await
}

/// Changes of the first page.
pub(super) async fn of_home(State(site): State<Opened>, request: Request) -> Result<Response, Refusal> {
    open(site, Subject::Overview(Overview::Home), request).await
}

/// Changes of how the backends stand.
pub(super) async fn of_status(State(site): State<Opened>, request: Request) -> Result<Response, Refusal> {
    open(site, Subject::Overview(Overview::Status), request).await
}

/// Changes of a workspace.
pub(super) async fn of_workspace(
    State(site): State<Opened>,
    Path((project, name)): Path<(String, String)>,
    request: Request,
) -> Result<Response, Refusal> {
    workspace_face(site.store.readers(), &project, &name).await?.ok_or(Refusal::Hidden)?;
    open(site, Subject::Overview(Overview::Workspace { project, name }), request).await
}

/// Changes of the first page of a log, with the filters of its address.
pub(super) async fn of_log(
    State(site): State<Opened>,
    params: RawPathParams,
    request: Request,
) -> Result<Response, Refusal> {
    let mut path: Vec<&str> = params.iter().map(|(_, value)| value).collect();
    // These two kinds of page have a word before their name.
    for kind in ["orgs", "users"] {
        if request.uri().path().starts_with(&format!("/{kind}/")) {
            path.insert(0, kind);
        }
    }
    let overview = pages::log(&site, &path, request.uri().query().unwrap_or_default()).await?;
    open(site, Subject::Overview(overview), request).await
}

/// The same for programs.
pub(super) async fn of_request(
    State(site): State<Opened>,
    Path(number): Path<String>,
    request: Request,
) -> Result<Response, Refusal> {
    let place = place(&site, &number).await?.ok_or(Refusal::Hidden)?;
    open(site, of(place), request).await
}

type Place = (i64, String, String, i64);

fn of((number, project, workspace, backend): Place) -> Subject {
    Subject::Request { number, project, workspace, backend: BackendId(backend) }
}

async fn place(site: &Opened, key: &str) -> Result<Option<Place>, StoreError> {
    // A number is written in one way only.
    let number = key.parse::<i64>().ok().filter(|number| number.to_string() == key);
    Ok(sqlx::query_as(
        "SELECT r.number, p.slug, w.name, r.backend FROM job_request r JOIN workspace w ON w.id = r.workspace
         JOIN project p ON p.id = w.project WHERE r.number = ?1 OR r.identifier = ?2",
    )
    .bind(number)
    .bind(key)
    .fetch_optional(site.store.readers())
    .await?)
}

async fn open(site: Opened, subject: Subject, request: Request) -> Result<Response, Refusal> {
    let prefix = request.extensions().get::<Prefix>().cloned().unwrap_or_else(Prefix::inside);
    let (parts, _) = request.into_parts();
    let last = last(&parts.headers, parts.uri.query());
    if site.is_stopping() {
        return Err(Refusal::Unavailable);
    }
    let seat = site.hub.readers.take(prefix).ok_or(Refusal::Unavailable)?;
    let watched = site.hub.watch(&site, subject).ok_or(Refusal::Unavailable)?;
    let reader = Left(watched);
    let start = reader.0.start(&site, last).await?;
    let waiting: VecDeque<Bytes> = start.events.into_iter().map(|event: Event| event.frame).collect();
    let state = Reader { waiting, news: start.news, is_over: start.is_over, _left: reader, _seat: seat };
    let body = Body::from_stream(stream::unfold(state, next));
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-store"),
        (header::HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    Ok((headers, body).into_response())
}

/// The last event that the reader has seen: as browsers say it, or as the script says it of a new connection.
fn last(headers: &HeaderMap, query: Option<&str>) -> Option<i64> {
    let named = headers.get("last-event-id").and_then(|value| value.to_str().ok());
    let asked =
        query.into_iter().flat_map(|query| query.split('&')).find_map(|pair| pair.strip_prefix("last-event-id="));
    named.or(asked).filter(|text| !text.is_empty()).map(|text| text.parse().unwrap_or(-1))
}

/// A reader that leaves when it is dropped.
struct Left(Arc<Watched>);

impl Drop for Left {
    fn drop(&mut self) {
        self.0.left();
    }
}

struct Reader {
    waiting: VecDeque<Bytes>,
    news: Receiver<News>,
    is_over: bool,
    _left: Left,
    _seat: Seat,
}

async fn next(mut reader: Reader) -> Option<(Result<Bytes, Infallible>, Reader)> {
    if let Some(frame) = reader.waiting.pop_front() {
        return Some((Ok(frame), reader));
    }
    if reader.is_over {
        return None;
    }
    let frame = match timeout(QUIET, reader.news.recv()).await {
        Err(_) => Bytes::from_static(b":\n\n"),
        Ok(Ok(News::Event(event))) => event.frame,
        Ok(Ok(News::Done(event))) => {
            reader.is_over = true;
            event.frame
        }
        Ok(Ok(News::End)) => {
            reader.is_over = true;
            Bytes::from_static(b"retry: 3000\n\n")
        }
        Ok(Err(RecvError::Lagged(_))) => {
            reader.is_over = true;
            Bytes::from_static(b"event: reset\ndata: {}\n\n")
        }
        Ok(Err(RecvError::Closed)) => return None,
    };
    Some((Ok(frame), reader))
}
