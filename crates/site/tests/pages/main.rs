//! Every public page in every state: what people read, that nothing of a hostile text acts, that links lead somewhere,
//! and that pages stay small. Spec site.md 3, 4, 18, 19, 20.3.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at its first surprise")]

mod crawl;
mod gallery;
mod html;
mod markup;
mod reads;
mod signed_in;
mod small;
mod twin;
mod visits;
mod world;

use axum::body::Body;
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt;
use site::Opened;
use tower::ServiceExt;

/// A site with a request in every state, a little after the last of them.
pub(crate) async fn site() -> (tempfile::TempDir, Opened) {
    let folder = tempfile::tempdir().unwrap();
    let site = world::open(folder.path()).await;
    world::every_state(&site).await;
    at_noon(&site);
    (folder, site)
}

/// Sets the clock a quarter of an hour behind the first request.
pub(crate) fn at_noon(site: &Opened) {
    let real = site.clock.microseconds() / 1_000_000;
    site.clock.advance(world::MORNING + 15 * 60 + 20 - real);
}

pub(crate) async fn answer(site: &Opened, path: &str) -> Response<Body> {
    let request = Request::get(path).body(Body::empty()).unwrap();
    site::router(site.clone()).oneshot(request).await.unwrap()
}

pub(crate) async fn get(site: &Opened, path: &str) -> (StatusCode, String) {
    let answer = answer(site, path).await;
    let status = answer.status();
    let bytes = answer.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(bytes.to_vec()).unwrap())
}

pub(crate) async fn page(site: &Opened, path: &str) -> String {
    let (status, body) = get(site, path).await;
    assert_eq!(status, StatusCode::OK, "{path}");
    body
}

pub(crate) fn request_path(number: i64) -> String {
    if number == 9 { "/odd-project/odd/9/".into() } else { format!("/hazardous-prescribing/pincer-measures/{number}/") }
}
