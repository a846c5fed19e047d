//! The state of jobs through its public doors: plan, claim, finish, cancel, interrupt, and what stays after a kill
//! (spec jobs.md 3, 4, 7, 9, 18).
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on should stop")]

mod common;

use std::collections::BTreeMap;

use common::store::{Store, at, claim, definition, done, name, names, output, request_of};
use jobs::provenance::{CodeFile, CodeTree, Components, ImageIdentity, InputFile};
use jobs::state::{AttemptEnd, JobResult, Recorded, StateError, Status};
use jobs::{JobState, ObjectId, StatusCode};
use pipeline::PrivacyLevel;

/// Components of one file of code and one input, made by `job`.
fn made_by(path: &str, job: jobs::JobId) -> Components {
    let file = CodeFile { path: path.into(), mode: 0o100_644, hash: ObjectId::of(b"x") };
    let input = InputFile {
        path: "output/i.csv".into(),
        object: ObjectId::of(b"i"),
        action: name("i"),
        job,
        level: PrivacyLevel::HighlySensitive,
    };
    Components {
        command: vec!["python:v2".into(), "é \"q\"".into()],
        config: Some(r#"{"a": 1.50}"#.into()),
        image: ImageIdentity::Environment { lock: "l".into() },
        code: CodeTree::new([file]),
        inputs: vec![input],
        outputs: vec![],
        environment: BTreeMap::from([("HOME".into(), "/tmp".into())]),
        data: None,
    }
}

#[tokio::test]
async fn a_chain_from_plan_to_success() {
    let store = Store::new().await;
    let r = store.plan(1, &[("extract", &[]), ("tidy", &["extract"])]).await;
    let state = &store.state;
    let jobs = state.jobs_of(r.id).await.unwrap();
    assert_eq!(jobs.iter().map(|job| job.definition.action.as_str()).collect::<Vec<_>>(), ["extract", "tidy"]);
    assert_eq!(jobs[1].pins[0].job, jobs[0].id);
    assert_eq!(jobs[0].definition, definition("extract"));
    assert_eq!((jobs[0].state(), jobs[0].status.code), (JobState::Pending, StatusCode::Created));

    let refused = state.claim(jobs[1].id, &claim(), at(2)).await.unwrap_err();
    assert!(matches!(refused, StateError::NotClaimable { .. }), "{refused}");
    state.set_code(jobs[1].id, &Status::new(StatusCode::WaitingOnDependencies, "waits"), at(2)).await.unwrap();

    let attempt = state.claim(jobs[0].id, &claim(), at(3)).await.unwrap();
    assert_eq!(attempt.id, jobs[0].id.attempt(1));
    assert!(matches!(state.claim(jobs[0].id, &claim(), at(3)).await, Err(StateError::NotClaimable { .. })));
    for code in [StatusCode::Preparing, StatusCode::Prepared, StatusCode::Executing, StatusCode::Executed] {
        state.set_stage(&attempt, &Status::new(code, ""), at(4)).await.unwrap();
    }
    let back = state.set_stage(&attempt, &Status::new(StatusCode::Preparing, ""), at(5)).await.unwrap_err();
    assert!(matches!(back, StateError::NotAllowed { .. }), "{back}");
    let finished = state.finish(&attempt, &done(StatusCode::Succeeded, &["output/a.csv"]), at(9)).await.unwrap();
    assert_eq!((finished.code, finished.failed_dependants), (StatusCode::Succeeded, vec![]));

    let job = state.job(jobs[0].id).await.unwrap();
    assert_eq!((job.times.started_at, job.times.completed_at, job.attempts), (Some(3), Some(9), 1));
    assert_eq!(state.outputs_of(&[job.id]).await.unwrap()[&job.id], [output("output/a.csv")]);
    let past = state.history(&r.workspace, &names(&["extract", "tidy"])).await.unwrap();
    assert_eq!(past.len(), 1);
    assert_eq!((past[&name("extract")].milliseconds, past[&name("extract")].peak_bytes), (Some(1500), Some(1 << 20)));
    assert_eq!(state.unfinished_attempts().await.unwrap(), [(attempt.id, false, false)]);
    state.mark_published(attempt.id).await.unwrap();
    state.mark_cleaned(attempt.id).await.unwrap();
    assert_eq!(state.unfinished_attempts().await.unwrap(), []);
    assert!(state.claim(jobs[1].id, &claim(), at(9)).await.is_ok());
    assert!(state.verify_chain().await.unwrap().events > 5);
}

#[tokio::test]
async fn a_failure_fails_what_waits_for_it_and_names_the_first_cause() {
    let store = Store::new().await;
    let plan: &[(&str, &[&str])] = &[("a", &[]), ("b", &["a"]), ("c", &["b"]), ("d", &["a", "c"]), ("other", &[])];
    let r = store.plan(1, plan).await;
    let jobs = store.by_action(&r).await;
    let attempt = store.run(jobs["a"], 2).await;
    let result = JobResult { outputs: vec![output("part.csv")], ..done(StatusCode::NonzeroExit, &[]) };
    let finished = store.state.finish(&attempt, &result, at(3)).await.unwrap();
    assert_eq!(finished.failed_dependants, [jobs["b"], jobs["d"], jobs["c"]]);
    for action in ["b", "c", "d"] {
        let job = store.state.job(jobs[action]).await.unwrap();
        assert_eq!((job.status.code, job.attempts), (StatusCode::DependencyFailed, 0));
        assert!(job.status.message.starts_with("a, "), "{}", job.status.message);
    }
    assert_eq!(store.code(jobs["other"]).await, StatusCode::Created);
    // Partial results are kept, on a job that is not a success.
    assert_eq!(store.state.outputs_of(&[jobs["a"]]).await.unwrap()[&jobs["a"]].len(), 1);
}

#[tokio::test]
async fn a_known_request_changes_nothing_and_must_be_the_same() {
    let store = Store::new().await;
    let r = store.plan(1, &[("a", &[])]).await;
    let seen = store.state.latest_jobs(&r.workspace, &names(&["a"])).await.unwrap();
    let again = store.state.record_plan(&r, &[], &seen, at(5)).await.unwrap();
    assert_eq!(again, Recorded::NoChange(1));
    let other = jobs::Request { workspace: "elsewhere".parse().unwrap(), ..r.clone() };
    let refused = store.state.record_plan(&other, &[], &seen, at(5)).await.unwrap_err();
    assert!(matches!(refused, StateError::InconsistentRequest(_)), "{refused}");
}

#[tokio::test]
async fn two_plans_never_interleave() {
    let store = Store::new().await;
    let (one, two) = (request_of(1), request_of(2));
    let seen = store.state.latest_jobs(&one.workspace, &names(&["a"])).await.unwrap();
    let job = |pins| jobs::state::NewJob { definition: definition("a"), pins };
    store.state.record_plan(&one, &[job(vec![])], &seen, at(1)).await.unwrap();
    let late = store.state.record_plan(&two, &[job(vec![])], &seen, at(1)).await.unwrap_err();
    assert!(matches!(&late, StateError::PlanOutdated { actions } if *actions == names(&["a"])), "{late}");
    assert!(store.state.request(two.id).await.unwrap().is_none(), "nothing was stored");
    // Pending to running changes no plan, a result does.
    let seen = store.state.latest_jobs(&one.workspace, &names(&["a"])).await.unwrap();
    let attempt = store.run(seen.rows[&name("a")].job, 2).await;
    assert!(store.state.record_plan(&two, &[], &seen, at(2)).await.is_ok());
    store.state.finish(&attempt, &done(StatusCode::Succeeded, &[]), at(3)).await.unwrap();
    let three = request_of(3);
    let late = store.state.record_plan(&three, &[], &seen, at(3)).await.unwrap_err();
    assert!(matches!(late, StateError::PlanOutdated { .. }), "{late}");
}

#[tokio::test]
async fn cancelling() {
    let store = Store::new().await;
    let r = store.plan(1, &[("a", &[]), ("b", &["a"]), ("c", &[]), ("d", &["c"]), ("e", &[])]).await;
    let jobs = store.by_action(&r).await;
    let state = &store.state;
    let e = store.run(jobs["e"], 2).await;
    state.finish(&e, &done(StatusCode::Succeeded, &[]), at(2)).await.unwrap();
    let running = store.run(jobs["c"], 2).await;

    let unknown = state.cancel(r.id, &names(&["a", "x"]), at(3)).await.unwrap_err();
    assert!(matches!(&unknown, StateError::UnknownActions { actions, .. } if *actions == names(&["x"])), "{unknown}");
    assert_eq!(store.code(jobs["a"]).await, StatusCode::Created);

    let did = state.cancel(r.id, &names(&["a", "b", "c", "e"]), at(4)).await.unwrap();
    assert_eq!((did.ended, did.marked), (vec![jobs["a"], jobs["b"]], vec![jobs["c"]]));
    assert_eq!((did.failed_dependants, did.finished), (vec![], vec![jobs["e"]]));
    let again = state.cancel(r.id, &names(&["a", "b", "c", "e"]), at(5)).await.unwrap();
    assert_eq!((again.ended, again.marked), (vec![], vec![jobs["c"]]));
    assert_eq!(again.finished, [jobs["a"], jobs["b"], jobs["e"]]);
    assert_eq!(state.job(jobs["c"]).await.unwrap().cancel_requested_at, Some(4));

    // Cancelled first: whatever the attempt brings, it is cancelled, and nothing of it is kept.
    let finished = state.finish(&running, &done(StatusCode::Succeeded, &["c.csv"]), at(6)).await.unwrap();
    assert_eq!((finished.code, finished.failed_dependants), (StatusCode::CancelledByUser, vec![jobs["d"]]));
    assert!(state.outputs_of(&[jobs["c"]]).await.unwrap().is_empty());
    let latest = state.latest_jobs(&r.workspace, &names(&["a", "b", "c", "d", "e"])).await.unwrap();
    assert_eq!(latest.rows.keys().cloned().collect::<Vec<_>>(), names(&["d", "e"]));
}

#[tokio::test]
async fn what_is_cancelled_together_leaves_the_earlier_jobs_as_the_latest() {
    // Names are not in the order of the plan: z is needed by m and b, m by a.
    let plan: &[(&str, &[&str])] = &[("z", &[]), ("m", &["z"]), ("b", &["z"]), ("a", &["m"]), ("last", &["a"])];
    let store = Store::new().await;
    let first = store.plan(1, plan).await;
    let old = store.by_action(&first).await;
    for (action, _) in plan {
        let attempt = store.run(old[*action], 2).await;
        store.state.finish(&attempt, &done(StatusCode::Succeeded, &[]), at(3)).await.unwrap();
    }
    let second = store.plan(2, plan).await;
    let new = store.by_action(&second).await;
    let did = store.state.cancel(second.id, &names(&["a", "b", "m", "z"]), at(4)).await.unwrap();
    assert_eq!(did.ended, [new["a"], new["b"], new["m"], new["z"]], "in the order of the names");
    assert_eq!(did.failed_dependants, [new["last"]], "nobody asked for it");
    assert!(did.finished.is_empty() && did.marked.is_empty());
    let latest = store.state.latest_jobs(&first.workspace, &names(&["a", "b", "last", "m", "z"])).await.unwrap();
    for action in ["a", "b", "m", "z"] {
        assert_eq!(store.code(new[action]).await, StatusCode::CancelledByUser, "{action}");
        assert_eq!(latest.rows[&name(action)].job, old[action], "{action}");
    }
    assert_eq!(latest.rows[&name("last")].job, new["last"]);
    assert_eq!(store.code(new["last"]).await, StatusCode::DependencyFailed);

    // With the first of them running, which ends only later.
    let third = store.plan(3, plan).await;
    let third_jobs = store.by_action(&third).await;
    let running = store.run(third_jobs["z"], 5).await;
    let did = store.state.cancel(third.id, &names(&["z", "m", "b", "a", "last"]), at(6)).await.unwrap();
    assert_eq!((did.marked, did.ended.len(), did.failed_dependants), (vec![third_jobs["z"]], 4, vec![]));
    let finished = store.state.finish(&running, &done(StatusCode::NonzeroExit, &[]), at(7)).await.unwrap();
    assert_eq!((finished.code, finished.failed_dependants), (StatusCode::CancelledByUser, vec![]));
    let now = store.state.latest_jobs(&first.workspace, &names(&["a", "b", "last", "m", "z"])).await.unwrap();
    assert_eq!(now, latest);
}

#[tokio::test]
async fn the_latest_ended_job_is_what_a_killed_run_leaves() {
    let store = Store::new().await;
    let all = names(&["a", "b", "c", "d"]);
    let first = store.plan(1, &[("a", &[]), ("b", &[]), ("c", &[])]).await;
    let old = store.by_action(&first).await;
    for (action, code) in [("a", StatusCode::Succeeded), ("b", StatusCode::NonzeroExit), ("c", StatusCode::Succeeded)] {
        let attempt = store.run(old[action], 2).await;
        store.state.finish(&attempt, &done(code, &[]), at(3)).await.unwrap();
    }
    // A cancelled job in between never counts; of the next run a runs, b and d wait, c has succeeded.
    let second = store.plan(2, &[("a", &[])]).await;
    store.state.cancel(second.id, &names(&["a"]), at(4)).await.unwrap();
    let third = store.plan(3, &[("a", &[]), ("b", &["a"]), ("c", &[]), ("d", &["a"])]).await;
    let new = store.by_action(&third).await;
    let c = store.run(new["c"], 5).await;
    store.state.finish(&c, &done(StatusCode::Succeeded, &[]), at(6)).await.unwrap();
    store.run(new["a"], 5).await;
    let latest = store.state.latest_jobs(&first.workspace, &all).await.unwrap();
    assert_eq!(latest.rows.values().map(|row| row.job).collect::<Vec<_>>(), [new["a"], new["b"], new["c"], new["d"]]);

    let ended = store.state.latest_ended_jobs(&first.workspace, &all).await.unwrap();
    let jobs: Vec<_> = ended.rows.iter().map(|(action, row)| (action.clone(), row.job, row.code)).collect();
    let expected = [
        (name("a"), old["a"], StatusCode::Succeeded),
        (name("b"), old["b"], StatusCode::NonzeroExit),
        (name("c"), new["c"], StatusCode::Succeeded),
    ];
    assert_eq!(jobs, expected, "d has never ended");
    assert_eq!((&ended.workspace, &ended.asked), (&latest.workspace, &latest.asked));
    // The same as when the killed run's jobs are ended.
    store.state.interrupt_leftovers(at(7)).await.unwrap();
    assert_eq!(store.state.latest_jobs(&first.workspace, &all).await.unwrap(), ended);
}

#[tokio::test]
async fn an_older_success_counts_when_the_newest_is_cancelled() {
    let store = Store::new().await;
    let first = store.plan(1, &[("model", &[])]).await;
    let old = store.by_action(&first).await["model"];
    let attempt = store.run(old, 2).await;
    store.state.finish(&attempt, &done(StatusCode::Succeeded, &[]), at(3)).await.unwrap();
    let second = store.plan(2, &[("model", &[])]).await;
    let new = store.by_action(&second).await["model"];
    store.run(new, 4).await;
    let latest = store.state.latest_jobs(&first.workspace, &names(&["model"])).await.unwrap();
    assert_eq!(latest.rows[&name("model")].job, new);
    store.state.cancel(second.id, &names(&["model"]), at(5)).await.unwrap();
    // Already while it is being cancelled.
    let latest = store.state.latest_jobs(&first.workspace, &names(&["model"])).await.unwrap();
    assert_eq!(latest.rows[&name("model")].job, old);
}

#[tokio::test]
async fn a_cancel_that_comes_before_the_plan() {
    let store = Store::new().await;
    let r = request_of(1);
    store.state.accept(&r).await.unwrap();
    let did = store.state.cancel(r.id, &names(&["a"]), at(1)).await.unwrap();
    assert_eq!(did.noted, names(&["a"]));
    let r = store.plan(1, &[("a", &[]), ("b", &["a"]), ("c", &[])]).await;
    let jobs = store.by_action(&r).await;
    assert_eq!(store.code(jobs["a"]).await, StatusCode::CancelledByUser);
    assert_eq!(store.code(jobs["b"]).await, StatusCode::DependencyFailed);
    assert_eq!(store.code(jobs["c"]).await, StatusCode::Created);
    let nobody = store.state.cancel(request_of(9).id, &[], at(1)).await.unwrap_err();
    assert!(matches!(nobody, StateError::UnknownRequest(_)), "{nobody}");
}

#[tokio::test]
async fn a_new_attempt_shuts_out_the_old_one() {
    let store = Store::new().await;
    let r = store.plan(1, &[("a", &[])]).await;
    let job = store.by_action(&r).await["a"];
    let first = store.run(job, 2).await;
    let status = Status::new(StatusCode::WaitingOnNewTask, "the sandbox was lost");
    let end = AttemptEnd { counts: true, next_try_at: Some(10), ..AttemptEnd::default() };
    store.state.put_back(&first, &status, &end, at(3)).await.unwrap();
    let waiting = store.state.job(job).await.unwrap();
    assert_eq!((waiting.state(), waiting.times.started_at, waiting.tries), (JobState::Pending, None, 1));
    // When it is due is for the scheduler to say: the clock on the wall may have been set back.
    assert_eq!(waiting.next_try_at, Some(10));
    let second = store.run(job, 4).await;
    assert_eq!(second.id.to_string(), format!("{job}-002"));
    let old = store.state.finish(&first, &done(StatusCode::Succeeded, &["x.csv"]), at(11)).await.unwrap_err();
    assert!(matches!(old, StateError::OldFence { held: 1, current: 2, .. }), "{old}");
    assert!(store.state.finish(&second, &done(StatusCode::Succeeded, &[]), at(12)).await.is_ok());
    let twice = store.state.finish(&second, &done(StatusCode::Succeeded, &[]), at(12)).await.unwrap_err();
    assert!(matches!(twice, StateError::NotAllowed { .. }), "{twice}");
}

/// Whenever the wish came: also between the stop of the attempt and the putting back of its job.
#[tokio::test]
async fn what_an_operator_wants_to_fail_is_not_tried_again() {
    let store = Store::new().await;
    let r = store.plan(1, &[("a", &[]), ("b", &["a"])]).await;
    let job = store.by_action(&r).await["a"];
    let attempt = store.run(job, 2).await;
    store.state.kill(job, jobs::state::Kill::Fail, at(3)).await.unwrap();
    let status = Status::new(StatusCode::WaitingOnReboot, "stopped");
    let finished = store.state.put_back(&attempt, &status, &AttemptEnd::default(), at(4)).await.unwrap();
    assert_eq!((finished.code, finished.failed_dependants.len()), (StatusCode::KilledByAdmin, 1));
}

#[tokio::test]
async fn what_a_killed_run_leaves_becomes_cancelled() {
    let store = Store::new().await;
    let old = store.plan(1, &[("a", &[])]).await;
    let a = store.by_action(&old).await["a"];
    let attempt = store.run(a, 1).await;
    store.state.finish(&attempt, &done(StatusCode::Succeeded, &[]), at(1)).await.unwrap();
    let r = store.plan(2, &[("a", &[]), ("b", &["a"])]).await;
    let jobs = store.by_action(&r).await;
    store.run(jobs["a"], 2).await;
    // Killed here: everything is dropped, nothing is closed.
    let store = store.reopen().await;
    assert_eq!(store.state.interrupt_leftovers(at(3)).await.unwrap(), [jobs["a"], jobs["b"]]);
    for job in [jobs["a"], jobs["b"]] {
        assert_eq!(store.code(job).await, StatusCode::CancelledByUser);
    }
    let latest = store.state.latest_jobs(&r.workspace, &names(&["a", "b"])).await.unwrap();
    assert_eq!(latest.rows.iter().map(|(n, row)| (n.clone(), row.job)).collect::<Vec<_>>(), [(name("a"), a)]);
    assert_eq!(store.state.interrupt_leftovers(at(4)).await.unwrap(), []);
    store.state.verify_chain().await.unwrap();
}

#[tokio::test]
async fn components_come_back_as_they_were() {
    let store = Store::new().await;
    let r = store.plan(1, &[("a", &[]), ("b", &[])]).await;
    let jobs = store.by_action(&r).await;
    let components = made_by("analysis/a.py", jobs["b"]);
    for action in ["a", "b"] {
        let attempt = store.run(jobs[action], 2).await;
        let result = JobResult { components: Some(components.clone()), ..done(StatusCode::Succeeded, &[]) };
        store.state.finish(&attempt, &result, at(3)).await.unwrap();
    }
    let found = store.state.components_of(&[jobs["a"], jobs["b"]]).await.unwrap();
    assert_eq!(found, BTreeMap::from([(jobs["a"], components.clone()), (jobs["b"], components.clone())]));
    let latest = store.state.latest_jobs(&r.workspace, &names(&["a"])).await.unwrap();
    assert_eq!(latest.rows[&name("a")].run_key, Some(components.run_key()));
    assert_eq!(latest.rows[&name("a")].hashes, components.hashes());
}

#[tokio::test]
async fn components_that_no_kept_job_has_are_forgotten() {
    let store = Store::new().await;
    let r = store.plan(1, &[("a", &[]), ("b", &[]), ("c", &[]), ("d", &[]), ("open", &[])]).await;
    let jobs = store.by_action(&r).await;
    let (one, two) = (made_by("one.py", jobs["open"]), made_by("two.py", jobs["open"]));
    for (action, made_by) in [("a", Some(&one)), ("b", Some(&two)), ("c", Some(&one)), ("d", None)] {
        let attempt = store.run(jobs[action], 2).await;
        let result = JobResult { components: made_by.cloned(), ..done(StatusCode::Succeeded, &[]) };
        store.state.finish(&attempt, &result, at(3)).await.unwrap();
    }
    let all: Vec<_> = jobs.values().copied().collect();
    // The two differ in their code alone: seven rows for what they share, and two trees.
    assert_eq!(store.state.forget_components(&all).await.unwrap(), 0, "all are kept");
    assert_eq!(store.state.components_of(&all).await.unwrap().len(), 3);

    assert_eq!(store.state.forget_components(&[jobs["a"], jobs["d"]]).await.unwrap(), 1, "the tree with two.py");
    assert_eq!(store.state.components_of(&all).await.unwrap(), BTreeMap::from([(jobs["a"], one.clone())]));
    assert_eq!(store.state.job(jobs["b"]).await.unwrap().run_key, Some(two.run_key()), "keys are kept");
    let latest = store.state.latest_jobs(&r.workspace, &names(&["a", "b"])).await.unwrap();
    assert_eq!(latest.rows[&name("a")].hashes, one.hashes());
    assert_eq!(latest.rows[&name("b")].hashes, BTreeMap::new());

    // What was forgotten can come again.
    let attempt = store.run(jobs["open"], 4).await;
    let result = JobResult { components: Some(two.clone()), ..done(StatusCode::Succeeded, &[]) };
    store.state.finish(&attempt, &result, at(5)).await.unwrap();
    let found = store.state.components_of(&all).await.unwrap();
    assert_eq!(found, BTreeMap::from([(jobs["a"], one), (jobs["open"], two)]));
    assert_eq!(store.state.forget_components(&[]).await.unwrap(), 9, "seven and two trees");
    assert!(store.state.components_of(&all).await.unwrap().is_empty());
    assert_eq!(store.state.forget_components(&[]).await.unwrap(), 0);
}

#[tokio::test]
async fn flags_keep_their_time_while_they_keep_their_value() {
    let store = Store::new().await;
    assert_eq!(store.state.set_flag("paused", Some("on"), at(1)).await.unwrap().since, 1);
    assert_eq!(store.state.set_flag("paused", Some("on"), at(2)).await.unwrap().since, 1);
    assert_eq!(store.state.set_flag("paused", None, at(3)).await.unwrap().since, 3);
    assert_eq!(store.state.flags().await.unwrap().len(), 1);
}

#[tokio::test]
async fn messages_wait_until_they_are_delivered() {
    let store = Store::new().await;
    store.plan(1, &[("a", &[])]).await;
    store.plan(2, &[("b", &[])]).await;
    let out = store.state.outgoing(10).await.unwrap();
    assert_eq!(out.iter().map(|m| m.kind.as_str()).collect::<Vec<_>>(), ["request.planned", "request.planned"]);
    store.state.delivered(out[0].seq, at(1)).await.unwrap();
    assert_eq!(store.state.outgoing(10).await.unwrap(), out[1..]);
}

#[tokio::test]
async fn a_changed_record_of_events_is_found() {
    use sqlx::Connection;
    let store = Store::new().await;
    store.plan(1, &[("a", &[])]).await;
    store.plan(2, &[("b", &[])]).await;
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(store.state.path());
    let mut connection = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
    for sql in ["UPDATE event SET hash = 'x'", "DELETE FROM event"] {
        assert!(sqlx::query(sql).execute(&mut connection).await.is_err(), "{sql}");
    }
    sqlx::raw_sql("DROP TRIGGER event_is_never_changed").execute(&mut connection).await.unwrap();
    sqlx::raw_sql("UPDATE event SET record = replace(record, 'someone', 'nobody') WHERE seq = 2")
        .execute(&mut connection)
        .await
        .unwrap();
    let broken = store.state.verify_chain().await.unwrap_err();
    assert!(matches!(broken, jobs::state::ChainError::Broken { seq: 2, .. }), "{broken}");
}

fn cancel_order(id: &str) -> jobs::state::CancelOrder<'_> {
    jobs::state::CancelOrder { id, by: "sample-r" }
}

/// Kind and body of every message that can be told now.
async fn told(store: &Store) -> Vec<(String, serde_json::Value)> {
    store.state.outgoing(1000).await.unwrap().into_iter().map(|message| (message.kind, message.body)).collect()
}

async fn cancels(store: &Store) -> Vec<serde_json::Value> {
    let all = told(store).await;
    all.into_iter().filter(|(kind, _)| kind == "cancel.done").map(|(_, body)| body["actions"].clone()).collect()
}

#[tokio::test]
async fn an_order_to_cancel_is_answered_once() {
    let store = Store::new().await;
    store.plan(1, &[("a", &[]), ("b", &["a"])]).await;
    let request = request_of(1).id;
    for _ in 0..3 {
        store.state.cancel_for(cancel_order("one"), request, &names(&["a"]), at(5)).await.unwrap();
    }
    assert_eq!(cancels(&store).await, [serde_json::json!({"a": "stopped"})]);
    store.state.cancel_for(cancel_order("two"), request, &names(&["a", "b"]), at(6)).await.unwrap();
    store.state.cancel_for(cancel_order("three"), request, &names(&["b", "z"]), at(7)).await.unwrap();
    store.state.cancel_for(cancel_order("four"), request_of(9).id, &names(&["b"]), at(8)).await.unwrap();
    let all = cancels(&store).await;
    assert_eq!(all[1], serde_json::json!({"a": "already_finished", "b": "already_finished"}));
    assert_eq!(all[2..], [serde_json::json!({"z": "unknown"}), serde_json::json!({"b": "unknown"})]);
    let by: Vec<_> =
        told(&store).await.iter().filter_map(|(_, body)| body["tells"]["by"].as_str().map(str::to_owned)).collect();
    assert_eq!(by, ["sample-r"], "who cancelled is told of the job that it ended");
}

#[tokio::test]
async fn an_order_to_cancel_waits_for_the_plan_and_is_answered_behind_it() {
    let store = Store::new().await;
    let request = request_of(1);
    store.state.accept(&request).await.unwrap();
    for id in ["one", "one", "two"] {
        store.state.cancel_for(cancel_order(id), request.id, &names(&["a"]), at(5)).await.unwrap();
    }
    assert_eq!(cancels(&store).await.len(), 0);
    store.plan(1, &[("a", &[]), ("b", &[])]).await;
    let kinds: Vec<_> = told(&store).await.into_iter().map(|(kind, _)| kind).collect();
    assert_eq!(kinds, ["request.planned", "job.state", "cancel.done", "cancel.done"]);
    let stopped = serde_json::json!({"a": "stopped"});
    assert_eq!(cancels(&store).await, [stopped, serde_json::json!({"a": "already_finished"})], "each in its turn");

    let refused = request_of(2);
    store.state.accept(&refused).await.unwrap();
    store.state.cancel_for(cancel_order("three"), refused.id, &names(&["a"]), at(5)).await.unwrap();
    store.state.reject(refused.id, &serde_json::json!({"code": "too_large"}), at(6)).await.unwrap();
    assert_eq!(cancels(&store).await[2], serde_json::json!({"a": "unknown"}), "it never had a job");
}

#[tokio::test]
async fn an_end_is_told_when_its_results_are_in_place() {
    let store = Store::new().await.holding();
    store.plan(1, &[("a", &[]), ("b", &["a"]), ("c", &[])]).await;
    let jobs = store.state.jobs_of(request_of(1).id).await.unwrap();
    let first = store.state.claim(jobs[0].id, &claim(), at(1)).await.unwrap();
    store.state.set_stage(&first, &Status::new(StatusCode::Executing, "runs"), at(1)).await.unwrap();
    store.state.finish(&first, &done(StatusCode::NonzeroExit, &[]), at(2)).await.unwrap();
    let ends = |all: &[(String, serde_json::Value)]| -> Vec<String> {
        let of = |(_, body): &(String, serde_json::Value)| {
            let state = body["state"].as_str()?;
            ["succeeded", "failed"].contains(&state).then(|| body["action"].as_str().unwrap().to_owned())
        };
        all.iter().filter_map(of).collect()
    };
    assert!(ends(&told(&store).await).is_empty(), "nor the end of what failed with it");
    let news = store.state.news();
    let last = store.state.outgoing(1000).await.unwrap().last().unwrap().seq;
    store.state.delivered(last, at(3)).await.unwrap();
    store.state.mark_published(first.id).await.unwrap();
    assert!(news.has_changed().unwrap());
    let now = told(&store).await;
    assert_eq!(ends(&now), ["a", "b"]);
    assert_eq!(now[0].1["tells"]["ran_ms"], 1500);
    store.state.mark_published(first.id).await.unwrap();
    assert_eq!(told(&store).await.len(), 2, "once");
    assert!(store.state.outgoing(10).await.unwrap()[0].seq > last, "no number is given twice");
}
