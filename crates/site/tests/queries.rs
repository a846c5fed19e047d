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

/// What a page costs each time; `cookie` is of somebody who signed in.
async fn cost(rig: &Rig, path: &str, cookie: Option<&str>) -> usize {
    let get = async || {
        let mut request = Request::get(path).header("Host", "127.0.0.1");
        if let Some(cookie) = cookie {
            request = request.header("Cookie", cookie);
        }
        let response = rig.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let expected = if path.contains("nowhere") { StatusCode::NOT_FOUND } else { StatusCode::OK };
        assert_eq!(response.status(), expected, "{path}");
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
    let request = "/winter-pressures/winter-chest/50/".to_owned();
    for (path, most) in [
        (request.clone(), 3),
        (format!("/winter-pressures/winter-chest/50/{job}/"), 3),
        ("/event-log/".to_owned(), 2),
        ("/event-log/?after=20".to_owned(), 2),
        // Behind the end there is no row to bring the total.
        ("/event-log/?after=1".to_owned(), 2),
        ("/event-log/?q=winter&status=failed".to_owned(), 2),
        ("/".to_owned(), 2),
        ("/winter-pressures/winter-chest/logs/".to_owned(), 2),
        ("/winter-pressures/logs/".to_owned(), 2),
        ("/nowhere/".to_owned(), 2),
        ("/nowhere/at/all/".to_owned(), 2),
        ("/winter-pressures/nowhere/1/".to_owned(), 2),
        ("/winter-pressures/winter-chest/50/nowhere/".to_owned(), 2),
        ("/winter-pressures/winter-chest/50/nowherenowherean/".to_owned(), 2),
        ("/event-log.json".to_owned(), 2),
        ("/api/v1/job-requests".to_owned(), 2),
        ("/api/v1/job-requests/50".to_owned(), 4),
        ("/status/".to_owned(), 2),
    ] {
        let found = cost(&rig, &path, None).await;
        assert!(found <= most, "{path} costs {found} statements; {most} are allowed");
        println!("{path}: {found}");
    }
    let cookie = staff(&rig).await;
    for (path, most) in [(request.as_str(), 5), ("/staff/requests/", 4), ("/staff/requests/?show=refused", 4)] {
        let found = cost(&rig, path, Some(&cookie)).await;
        assert!(found <= most, "{path}, signed in, costs {found} statements; {most} are allowed");
        println!("{path}, signed in: {found}");
    }
}

/// The cookie of somebody who works on the project and is staff.
async fn staff(rig: &Rig) -> String {
    rig.run(
        "INSERT INTO role_grant (account, role, scope, scope_id, reason, approved_at, created_at) VALUES
         (1, 'ProjectDeveloper', 'project', 1, 'works here', NULL, 1),
         (1, 'StaffAreaAdministrator', 'site', 0, 'runs this', 1, 1)",
    )
    .await;
    let now = rig.site.clock.microseconds();
    let mut change = rig.site.store.change().await.unwrap();
    let begun = site::access::session::begin(&mut change, &rig.site.settings, 1, "test", "192.0.2.0/24", now);
    let begun = begun.await.unwrap();
    change.commit().await.unwrap();
    begun.cookie.to_str().unwrap().split(';').next().unwrap().to_owned()
}
