//! The table of intake, row by row, as a backend sees it over HTTP. Spec protocol.md 4.2.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at its first surprise")]

mod common;

use common::{Rig, accepted, at, failed, started, succeeded};

#[tokio::test]
async fn a_request_runs_and_its_row_says_so() {
    let rig = Rig::new().await;
    let mut north = rig.backend("north").await;
    let (directive, order) = rig.request(&north, 812, &["tabulate", "plot"]).await;
    rig.tell(&mut north, vec![(1, accepted(&directive, &order))]).await;
    assert_eq!(rig.one::<String>("SELECT status FROM job_request").await, "pending");
    rig.tell(&mut north, vec![(5, started(812, "tabulate", 1))]).await;
    assert_eq!(rig.one::<String>("SELECT status FROM job_request").await, "running");
    rig.tell(
        &mut north,
        vec![(377, succeeded(812, "tabulate", 372)), (378, started(812, "plot", 1)), (378, failed(812, "plot", 0))],
    )
    .await;
    let row: (String, String, i64, i64, i64, i64, i64, String) = sqlx::query_as(
        "SELECT status, reason, runtime_s, first_started_at, last_finished_at, jobs_succeeded, jobs_failed, delivery
         FROM job_request",
    )
    .fetch_one(rig.site.store.readers())
    .await
    .unwrap();
    let expected = (
        "failed".into(),
        "job_failure".into(),
        372,
        at(5).microseconds(),
        at(378).microseconds(),
        1,
        1,
        "answered".into(),
    );
    assert_eq!(row, expected);
    let attempt: (i64, i64, String) = sqlx::query_as("SELECT a.started_at, a.ended_at, a.image FROM job_attempt a JOIN job j ON j.identifier = a.job WHERE j.action = 'plot'")
        .fetch_one(rig.site.store.readers())
        .await
        .unwrap();
    assert_eq!(attempt, (at(378).microseconds(), at(378).microseconds(), format!("sha256:{}", "0c".repeat(32))));
}
