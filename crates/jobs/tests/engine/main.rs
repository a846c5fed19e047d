//! The engine over a runtime that does what a test tells it: tries, adoption, fences, room, and that one job's bad luck
//! is its own. Spec jobs.md 5, 8, 9.
#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test stops at its first surprise"
)]

#[path = "../common/mod.rs"]
mod common;

mod double;
mod rig;

use std::time::Duration;

use jobs::schedule::Tries;
use jobs::state::{JobResult, StateError, Status};
use jobs::{JobState, StatusCode};

use double::Act;
use rig::{Rig, ends, quick};

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_started_is_tried_three_times() {
    let rig = Rig::new(&[("a", &[]), ("b", &["a"]), ("c", &[])]).await;
    rig.double.plan("a", &[Act::CannotStart, Act::CannotStart, Act::CannotStart, Act::Succeed]);
    let (summary, told) = rig.run(quick()).await;
    let job = rig.job("a").await;
    assert_eq!((job.attempts, job.tries), (3, 2), "the last attempt is the job's end, not a try to come");
    assert_eq!((job.status.code, job.status.reason.unwrap().as_str()), (StatusCode::JobError, "retries_exhausted"));
    assert!(job.status.message.contains("After 3 attempts"), "{}", job.status.message);
    assert_eq!(rig.job("b").await.status.code, StatusCode::DependencyFailed);
    assert_eq!(rig.job("c").await.status.code, StatusCode::Succeeded);
    assert_eq!(ends(&told), ["c", "b", "a"], "who has no part in it does not wait; b is told with a");
    assert_eq!(summary.not_started.len(), 1);
    assert_eq!(rig.volumes(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_attempt_is_followed_by_one_that_succeeds() {
    let rig = Rig::new(&[("a", &[])]).await;
    rig.double.plan("a", &[Act::Lose, Act::Succeed]);
    rig.run(quick()).await;
    let job = rig.job("a").await;
    assert_eq!((job.status.code, job.attempts, job.tries), (StatusCode::Succeeded, 2, 1));
    let past = rig.shop.state.attempts_of(job.id).await.unwrap();
    let codes: Vec<_> = past.iter().map(|attempt| attempt.ended_as.as_deref().unwrap()).collect();
    assert_eq!(codes, ["waiting_on_new_task", "succeeded"]);
    let reasons: Vec<_> = past.iter().map(|attempt| attempt.reason.as_deref()).collect();
    assert_eq!(reasons, [Some("lost"), None], "every attempt keeps its reason");
}

/// Nobody wanted it to end: the job is not cancelled, and has another attempt that says why.
#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_else_ended_is_not_cancelled() {
    let rig = Rig::new(&[("a", &[]), ("b", &["a"])]).await;
    rig.double.plan("a", &[Act::EndFromElsewhere, Act::Succeed]);
    rig.run(quick()).await;
    let job = rig.job("a").await;
    assert_eq!((job.status.code, job.attempts, job.tries), (StatusCode::Succeeded, 2, 1));
    let past = rig.shop.state.attempts_of(job.id).await.unwrap();
    assert_eq!((past[0].ended_as.as_deref(), past[0].reason.as_deref()), (Some("waiting_on_new_task"), Some("lost")));
    assert_eq!(rig.job("b").await.status.code, StatusCode::Succeeded, "what needs it did not end with it");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_database_jobs_are_tried_again_for_their_exit_codes() {
    let rig = Rig::new(&[("plain", &[]), ("sql_passing", &[]), ("sql_bad", &[])]).await;
    rig.double.plan("plain", &[Act::Exit(3), Act::Succeed]);
    rig.double.plan("sql_passing", &[Act::Exit(3), Act::Exit(3), Act::Succeed]);
    rig.double.plan("sql_bad", &[Act::Exit(5), Act::Succeed]);
    rig.run(quick()).await;
    let of = |job: jobs::state::Job| (job.status.code, job.attempts);
    assert_eq!(of(rig.job("plain").await), (StatusCode::NonzeroExit, 1));
    assert_eq!(of(rig.job("sql_passing").await), (StatusCode::Succeeded, 3));
    assert_eq!(of(rig.job("sql_bad").await), (StatusCode::NonzeroExit, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_is_waited_for_and_not_counted() {
    let rig = Rig::new(&[("sql", &[])]).await;
    rig.double.plan("sql", &[Act::Exit(4)]);
    // A laptop does not wait.
    rig.run(quick()).await;
    let job = rig.job("sql").await;
    assert_eq!((job.status.code, job.status.reason.unwrap().as_str()), (StatusCode::JobError, "retries_exhausted"));

    let rig = Rig::new(&[("sql", &[]), ("other", &["sql"])]).await;
    rig.double.plan("sql", &[Act::Exit(4)]);
    let patient = Tries { max_wait: Duration::from_secs(24 * 3600), ..quick() };
    let waits = rig.run_for(patient, Duration::from_secs(3)).await;
    assert!(waits, "its next attempt is minutes away");
    let job = rig.job("sql").await;
    assert_eq!((job.status.code, job.tries), (StatusCode::WaitingOnNewTask, 0));
    let wait = job.next_try_at.unwrap() - jiff::Timestamp::now().as_second();
    assert!((100..=450).contains(&wait), "five minutes, half to one and a half of them: {wait}");
    assert_eq!(rig.job("other").await.status.code, StatusCode::WaitingOnDependencies);
}

/// The engine that began it is gone, its sandbox is not: the next engine takes it over.
#[tokio::test(flavor = "multi_thread")]
async fn a_running_attempt_is_adopted() {
    let rig = Rig::new(&[("a", &[]), ("b", &["a"])]).await;
    rig.double.plan("a", &[Act::Hold]);
    assert!(rig.run_for(quick(), Duration::from_secs(2)).await, "it holds");
    assert_eq!(rig.job("a").await.status.code, StatusCode::Executing);
    let rig = rig.reopen().await;
    rig.double.release();
    rig.run(quick()).await;
    assert_eq!(rig.double.starts("a"), 1, "never two sandboxes of one attempt");
    let job = rig.job("a").await;
    assert_eq!((job.status.code, job.attempts), (StatusCode::Succeeded, 1));
    assert_eq!(rig.shop.state.attempts_of(job.id).await.unwrap()[0].owner, "second");
    assert_eq!(rig.job("b").await.status.code, StatusCode::Succeeded);
    assert_eq!(rig.volumes(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_died_with_the_engine_is_lost_and_tried_again() {
    let rig = Rig::new(&[("a", &[])]).await;
    rig.double.plan("a", &[Act::Hold, Act::Succeed]);
    assert!(rig.run_for(quick(), Duration::from_secs(2)).await, "it holds");
    rig.double.kill_all();
    let rig = rig.reopen().await;
    rig.run(quick()).await;
    let job = rig.job("a").await;
    assert_eq!((job.status.code, job.attempts, job.tries), (StatusCode::Succeeded, 2, 1));
    assert_eq!(rig.double.starts("a"), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_ended_keeps_its_place_and_the_others_go_on() {
    let rig = Rig::new(&[("a", &[]), ("b", &["a"]), ("c", &[])]).await;
    rig.double.plan("a", &[Act::Stick]);
    assert!(rig.run_for(quick(), Duration::from_secs(2)).await, "it is still there");
    let job = rig.job("a").await;
    assert_eq!((job.status.code, job.attempts), (StatusCode::Executing, 1));
    assert_eq!(rig.double.starts("a"), 1, "no second one beside it");
    assert_eq!(rig.job("b").await.status.code, StatusCode::WaitingOnDependencies);
    assert_eq!(rig.job("c").await.status.code, StatusCode::Succeeded);
}

#[tokio::test(flavor = "multi_thread")]
async fn news_of_an_old_fence_are_refused() {
    let rig = Rig::new(&[("a", &[])]).await;
    rig.double.plan("a", &[Act::Lose, Act::Succeed]);
    rig.run(quick()).await;
    let job = rig.job("a").await;
    let old = jobs::state::Attempt { id: job.id.attempt(1), fence: 1 };
    let status = Status::new(StatusCode::NonzeroExit, "late");
    let late =
        JobResult { status, outputs: vec![], components: None, exit_code: None, milliseconds: None, peak_bytes: None };
    let refused = rig.shop.state.finish(&old, &late, jiff::Timestamp::now()).await.unwrap_err();
    assert!(matches!(refused, StateError::OldFence { held: 1, current: 2, .. }), "{refused}");
    assert_eq!(rig.job("a").await.state(), JobState::Succeeded);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_starts_nothing_and_loses_nothing() {
    let mut rig = Rig::new(&[("a", &[]), ("b", &["a"])]).await;
    rig.settings(|settings| settings.disk_low = u64::MAX);
    let patient = Tries { max_wait: Duration::from_secs(24 * 3600), ..quick() };
    assert!(rig.run_for(patient, Duration::from_secs(2)).await, "it waits for room");
    let job = rig.job("a").await;
    assert_eq!((job.status.code, job.attempts), (StatusCode::WaitingOnDisk, 0));
    // On a laptop a person is told at once.
    let (summary, _) = rig.run(quick()).await;
    let job = rig.job("a").await;
    assert_eq!((job.status.code, job.attempts), (StatusCode::JobError, 0));
    assert!(summary.reports[0].message.contains("MB free"), "{}", summary.reports[0].message);
    assert_eq!(rig.job("b").await.status.code, StatusCode::DependencyFailed);
}

/// A bad image, a missing input, a limit of the disk, a fault of ours and a long wait: the others do not notice.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_waits_for_the_unlucky() {
    let rig = Rig::new(&[
        ("bad_image", &[]),
        ("missing", &[]),
        ("full", &[]),
        ("fault", &[]),
        ("a", &[]),
        ("b", &["a"]),
        ("c", &["b"]),
    ])
    .await;
    rig.double.plan("bad_image", &[Act::CannotStart; 3]);
    rig.double.plan("missing", &[Act::Exit(1)]);
    rig.double.plan("full", &[Act::DiskLimit]);
    rig.double.plan("fault", &[Act::Panic; 2]);
    // Each wait of the unlucky is far longer than all that the others do.
    let slow = Tries { base: Duration::from_secs(4), ..quick() };
    let (_, told) = rig.run(slow).await;
    let order = ends(&told);
    let place = |name: &str| order.iter().position(|action| action == name).unwrap();
    for lucky in ["a", "b", "c"] {
        assert_eq!(rig.job(lucky).await.status.code, StatusCode::Succeeded);
        for unlucky in ["bad_image", "fault"] {
            assert!(place(lucky) < place(unlucky), "{order:?}");
        }
    }
    assert_eq!(rig.job("full").await.status.reason.unwrap().as_str(), "disk_limit");
    assert_eq!(rig.job("fault").await.status.code, StatusCode::InternalError);
    assert_eq!(rig.job("fault").await.attempts, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_step_of_ours_has_a_limit_and_says_which() {
    type Change = fn(&mut jobs::engine::RunSettings);
    let cases: [(Change, &str); 2] = [
        (|settings| settings.prepare_limit = Duration::ZERO, "for preparing"),
        (|settings| settings.finalise_limit = Duration::ZERO, "for collecting its outputs"),
    ];
    for (change, words) in cases {
        let mut rig = Rig::new(&[("a", &[])]).await;
        rig.settings(change);
        rig.run(quick()).await;
        let job = rig.job("a").await;
        assert_eq!(job.status.code, StatusCode::TimedOut);
        assert!(job.status.message.contains(words), "{}", job.status.message);
        assert_eq!(rig.volumes(), 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_is_renewed_while_the_job_runs() {
    let mut rig = Rig::new(&[("a", &[])]).await;
    rig.settings(|settings| {
        let (length, renew) = (Duration::from_secs(60), Duration::from_millis(50));
        settings.lease = Some(jobs::engine::Lease { length, renew });
    });
    rig.double.plan("a", &[Act::Hold]);
    assert!(rig.run_for(quick(), Duration::from_millis(2500)).await, "it holds");
    let job = rig.job("a").await;
    let attempt = &rig.shop.state.attempts_of(job.id).await.unwrap()[0];
    let until = attempt.lease_until.unwrap();
    assert!(until > attempt.started_at + 60, "renewed after the claim: {until} {}", attempt.started_at);
    rig.double.release();
}
