//! How many statements a page costs, counted as the database driver tells them. Spec site.md 18, 20 (3): a gate, no clock.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at its first surprise")]

mod common;

use std::sync::atomic::{AtomicUsize, Ordering};

use axum::body::Body;
use common::{Rig, accepted, failed, job_id, started, succeeded};
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use tower::ServiceExt;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

static STATEMENTS: AtomicUsize = AtomicUsize::new(0);

/// Counts the statements of the driver.
struct Counter;

impl Subscriber for Counter {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "sqlx::query"
    }
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &Event<'_>) {
        let mut opens = Opens(false);
        event.record(&mut opens);
        if event.metadata().target() == "sqlx::query" && !opens.0 {
            STATEMENTS.fetch_add(1, Ordering::Relaxed);
        }
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

/// Whether a statement belongs to the opening of a connection, which pages share.
struct Opens(bool);

impl tracing::field::Visit for Opens {
    fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn std::fmt::Debug) {
        let text = format!("{value:?}");
        self.0 |= field.name() == "summary" && text.trim_start_matches('"').starts_with("PRAGMA");
    }
}

async fn cost(rig: &Rig, path: &str) -> usize {
    let get = async || {
        let request = Request::get(path).header("Host", "127.0.0.1").body(Body::empty()).unwrap();
        let response = rig.router.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        response.into_body().collect().await.unwrap();
    };
    get().await;
    settle().await;
    STATEMENTS.store(0, Ordering::Relaxed);
    for _ in 0..4 {
        get().await;
    }
    settle().await;
    let all = STATEMENTS.load(Ordering::Relaxed);
    assert_eq!(all % 4, 0, "{path}: each time costs the same");
    all / 4
}

/// The driver tells of a statement a moment after its rows are read.
async fn settle() {
    let mut last = usize::MAX;
    while last != STATEMENTS.load(Ordering::Relaxed) {
        last = STATEMENTS.load(Ordering::Relaxed);
        tokio::time::sleep(std::time::Duration::from_millis(60)).await;
    }
}

#[tokio::test]
async fn pages_cost_no_more_than_they_may() {
    tracing::subscriber::set_global_default(Counter).unwrap();
    let rig = Rig::new().await;
    let mut north = rig.backend("north").await;
    for number in 1..=60 {
        let (directive, order) = rig.request(&north, number, &["tabulate", "plot"]).await;
        let facts = vec![
            (number, accepted(&directive, &order)),
            (number, started(number, "tabulate", 1)),
            (number, succeeded(number, "tabulate", 0)),
            (number, started(number, "plot", 1)),
            (number, failed(number, "plot", 0)),
        ];
        rig.tell(&mut north, facts).await;
    }
    let job = job_id(50, "plot");
    settle().await;
    STATEMENTS.store(0, Ordering::Relaxed);
    sqlx::query("SELECT 1").execute(rig.site.store.readers()).await.unwrap();
    settle().await;
    assert!(STATEMENTS.load(Ordering::Relaxed) > 0, "the counter counts");
    for (path, most) in [
        ("/winter-pressures/winter-chest/50/".to_owned(), 3),
        (format!("/winter-pressures/winter-chest/50/{job}/"), 4),
        ("/event-log/".to_owned(), 2),
        ("/event-log/?after=20".to_owned(), 2),
        ("/event-log/?q=winter&status=failed".to_owned(), 2),
        // Two each is the goal of site.md 18; home also reads the operators' messages and counts.
        ("/".to_owned(), 4),
        ("/winter-pressures/winter-chest/logs/".to_owned(), 4),
        ("/event-log.json".to_owned(), 2),
        ("/api/v1/job-requests".to_owned(), 2),
        ("/api/v1/job-requests/50".to_owned(), 4),
        ("/status/".to_owned(), 2),
    ] {
        let found = cost(&rig, &path).await;
        assert!(found <= most, "{path} costs {found} statements; {most} are allowed");
        println!("{path}: {found}");
    }
}
