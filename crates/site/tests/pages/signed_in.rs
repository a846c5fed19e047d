//! What somebody who signed in sees more than the public: their own work, and what they may do with a request.
//! Spec site.md 4.1 (buttons), 18.

use axum::body::Body;
use http::{Request, header};
use http_body_util::BodyExt;
use site::Opened;
use tower::ServiceExt;

use super::{page, request_path, site};

/// The page as this account sees it.
async fn page_for(site: &Opened, account: i64, path: &str) -> String {
    let now = site.clock.microseconds();
    let mut change = site.store.change().await.unwrap();
    let begun =
        site::access::session::begin(&mut change, &site.settings, account, "test", "192.0.2.0/24", now).await.unwrap();
    change.commit().await.unwrap();
    let cookie = begun.cookie.to_str().unwrap().split(';').next().unwrap().to_owned();
    let request = Request::get(path).header(header::COOKIE, cookie).body(Body::empty()).unwrap();
    let answer = site::router(site.clone()).oneshot(request).await.unwrap();
    assert_eq!(answer.status(), http::StatusCode::OK, "{path}");
    String::from_utf8(answer.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
}

#[tokio::test]
async fn buttons_are_for_those_who_may() {
    let (_folder, site) = site().await;
    let (running, failed) = (request_path(3), request_path(2));
    // The public is offered nothing.
    for path in [&running, &failed] {
        let html = page(&site, path).await;
        assert!(!html.contains("Run again") && !html.contains("Cancel</"), "{path}");
    }
    // Who asked may cancel, and as a member run again.
    let html = page_for(&site, 1, &running).await;
    assert!(html.contains("<a class=\"b stop\" href=\"cancel/\">Cancel</a>"));
    assert!(html.contains("href=\"../run-jobs/?from=3\">Run again</a>"));
    let html = page_for(&site, 1, &failed).await;
    assert!(html.contains("href=\"../run-jobs/?from=2&amp;only=failed\">Run what failed</a>"));
    assert!(!html.contains("Cancel</"), "nothing is left to cancel");
    // Somebody without a role in this project sees what the public sees.
    let html = page_for(&site, 2, &running).await;
    assert!(!html.contains("Run again") && !html.contains("Cancel</"));
}

#[tokio::test]
async fn the_home_page_shows_their_own_work() {
    let (_folder, site) = site().await;
    let html = page_for(&site, 1, "/").await;
    assert!(
        html.contains("My unfinished requests") && html.contains("/hazardous-prescribing/pincer-measures/run-jobs/")
    );
    assert!(!page(&site, "/").await.contains("My unfinished requests"));
}

#[tokio::test]
async fn the_page_stays_small() {
    let (_folder, site) = site().await;
    let bytes = page_for(&site, 1, &request_path(1)).await.len();
    assert!(bytes < 28_000, "{bytes} bytes");
}
