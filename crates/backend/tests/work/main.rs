//! The work half of a backend from directive to facts, over real records, logs and repositories. The site's book must
//! take every fact. Spec protocol.md 1, 3, 4; jobs.md 4-9, 13.
#![allow(
    unreachable_pub,
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test stops at its first surprise"
)]

#[path = "../common/mod.rs"]
mod common;

mod cases;
mod code;
mod double;
mod histories;
mod kills;
mod reusable;
mod rig;
mod rules;

use backend::desk::Starts;
use protocol::apply::book::Outcome;
use protocol::directive::DirectiveBody;
use serde_json::json;

use rig::{Rig, project};

const FIRST: &str = "m4qz7kd2hu5xw3np";
const SECOND: &str = "aaaaaaaaaaaaaaaa";

#[tokio::test(flavor = "multi_thread")]
async fn an_order_runs_to_its_last_fact() {
    let mut rig = Rig::new().await;
    let yaml = project(&[("extract", "ok", &[]), ("tabulate", "ok", &["extract"])]);
    let commit = rig.push(&yaml);
    rig.start();
    rig.send(DirectiveBody::JobRequest(rig.order(FIRST, &commit, &yaml, &["tabulate"]))).await;
    assert_eq!(rig.answer(FIRST).await, "accepted");
    assert_eq!(rig.ending(FIRST, "extract").await, json!({"code": "succeeded", "params": {}}));
    assert_eq!(rig.ending(FIRST, "tabulate").await, json!({"code": "succeeded", "params": {}}));
    // The runtime of the double: a second and a half, told in whole seconds.
    assert_eq!(rig.finished(FIRST, "tabulate").unwrap().runtime_s.unwrap().get(), 1);
    assert_eq!(std::fs::read_to_string(rig.medium("output/tabulate.csv")).unwrap(), "a,b\n1,ok\n");
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_told_of_a_job_is_whole_and_in_order() {
    let mut rig = Rig::new().await;
    let yaml = project(&[("a", "ok", &[]), ("b", "fail", &["a"]), ("c", "ok", &["b"]), ("d", "memory", &[])]);
    let commit = rig.push(&yaml);
    rig.start();
    rig.send(DirectiveBody::JobRequest(rig.order(FIRST, &commit, &yaml, &["run_all"]))).await;
    assert_eq!(rig.ending(FIRST, "b").await, json!({"code": "nonzero_exit", "params": {"exit": "error"}}));
    let blocked = json!({"blocked_by": [rig::job_id(FIRST, "b")]});
    assert_eq!(rig.ending(FIRST, "c").await, json!({"code": "dependency_failed", "params": blocked}));
    assert!(rig.finished(FIRST, "c").unwrap().runtime_s.is_none(), "it never ran");
    let memory = json!({"exit": "out_of_memory", "limit_mb": 4096});
    assert_eq!(rig.ending(FIRST, "d").await, json!({"code": "nonzero_exit", "params": memory}));
    let told = rig.told(FIRST, "a");
    let stages = ["preparing", "executing", "finalizing"].map(|stage| format!("job.stage {stage}"));
    let first = told.iter().position(|fact| fact == "job.started").unwrap();
    assert_eq!(told[first + 1..told.len() - 1], stages);
    assert_eq!(told.last().unwrap(), "job.finished succeeded");
    assert!(rig.told(FIRST, "c").contains(&"job.waiting waiting_on_dependencies".to_owned()));
    for (at, body) in &rig.facts {
        assert!(!body.kind().is_of_a_job() || at.is_whole_second(), "{at}");
    }
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_is_answered_once_whenever_it_comes() {
    let mut rig = Rig::new().await;
    let yaml = project(&[("long", "hold", &[]), ("after", "ok", &["long"]), ("quick", "ok", &[])]);
    let commit = rig.push(&yaml);
    // Before the desk has looked at the order at all.
    rig.send(DirectiveBody::JobRequest(rig.order(FIRST, &commit, &yaml, &["long", "after", "quick"]))).await;
    let early = rig.cancel(FIRST, &["after"]).await;
    rig.start();
    assert_eq!(rig.ending(FIRST, "after").await, json!({"code": "cancelled_by_user", "params": {"by": "sample-r"}}));
    assert!(rig.finished(FIRST, "after").unwrap().runtime_s.is_none());
    rig.ending(FIRST, "quick").await;
    rig.until("it runs", |rig| rig.told(FIRST, "long").contains(&"job.stage executing".to_owned())).await;
    let late = rig.cancel(FIRST, &["long", "quick", "after"]).await;
    let odd = rig.cancel(FIRST, &["long", "no such action"]).await;
    let nothing = rig.cancel(SECOND, &["long"]).await;
    assert_eq!(rig.ending(FIRST, "long").await, json!({"code": "cancelled_by_user", "params": {"by": "sample-r"}}));
    assert!(rig.finished(FIRST, "long").unwrap().runtime_s.is_some(), "it ran");
    let done = |rig: &Rig, id: &protocol::text::ids::Ulid| {
        rig.book.cancels[id].done.as_ref().map(|done| serde_json::to_value(&done.actions).unwrap())
    };
    rig.until("all answers", |rig| rig.book.cancels.values().all(|cancel| cancel.done.is_some())).await;
    assert_eq!(done(&rig, &early).unwrap(), json!({"after": "stopped"}));
    let late = done(&rig, &late).unwrap();
    assert_eq!(late, json!({"long": "stopped", "quick": "already_finished", "after": "already_finished"}));
    assert_eq!(done(&rig, &odd).unwrap(), json!({"no such action": "unknown"}));
    assert_eq!(done(&rig, &nothing).unwrap(), json!({"long": "unknown"}));
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn running_jobs_survive_the_backend() {
    let mut rig = Rig::new().await;
    let yaml = project(&[("long", "hold", &[]), ("after", "ok", &["long"])]);
    let commit = rig.push(&yaml);
    rig.start();
    rig.send(DirectiveBody::JobRequest(rig.order(FIRST, &commit, &yaml, &["after"]))).await;
    rig.until("it runs", |rig| rig.told(FIRST, "long").contains(&"job.stage executing".to_owned())).await;
    rig.kill().await;
    rig.start();
    rig.double.release();
    assert_eq!(rig.ending(FIRST, "after").await["code"], "succeeded");
    assert_eq!(rig.double.starts("hold"), 1, "one sandbox, whoever watches it");
    rig.end().await;
    rig.start();
    // Nothing is told twice, and nothing is left.
    rig.cancel(FIRST, &["long"]).await;
    rig.until("the answer", |rig| rig.book.cancels.values().all(|cancel| cancel.done.is_some())).await;
    assert_eq!(std::fs::read_dir(rig.high("volumes")).unwrap().count(), 0);
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_sandbox_is_followed_by_another_attempt() {
    let mut rig = Rig::new().await;
    let yaml = project(&[("unlucky", "lose", &[])]);
    let commit = rig.push(&yaml);
    rig.start();
    rig.send(DirectiveBody::JobRequest(rig.order(FIRST, &commit, &yaml, &["unlucky"]))).await;
    let ending = rig.ending(FIRST, "unlucky").await;
    assert_eq!(
        ending,
        json!({"code": "job_error", "params": {"reason": "retries_exhausted", "attempts": 3, "ref": ending["params"]["ref"]}})
    );
    let job = rig.job(FIRST, "unlucky").unwrap();
    assert_eq!(job.earlier.len(), 2);
    let why = serde_json::to_value(&job.earlier[0].why).unwrap();
    assert_eq!(
        (&why["code"], &why["params"]["attempt"], &why["params"]["attempts"]),
        (&json!("waiting_on_new_task"), &json!(1), &json!(3))
    );
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_holds_up_its_own_workspace_alone() {
    let mut rig = Rig::new().await;
    let yaml = project(&[("a", "ok", &[])]);
    let commit = rig.push(&yaml);
    let mut away = rig.order(SECOND, &commit, &yaml, &["a"]);
    away.repo_url = "https://code.example.org/northfield/away".parse().unwrap();
    away.workspace = "elsewhere".parse().unwrap();
    rig.start();
    rig.send(DirectiveBody::JobRequest(away)).await;
    let cancel = rig.cancel(SECOND, &["a"]).await;
    rig.send(DirectiveBody::JobRequest(rig.order(FIRST, &commit, &yaml, &["a"]))).await;
    assert_eq!(rig.ending(FIRST, "a").await["code"], "succeeded");
    rig.until("it is being checked", |rig| matches!(rig.outcome(SECOND), Outcome::Checking(_))).await;
    let Outcome::Checking(body) = rig.outcome(SECOND) else { panic!() };
    assert_eq!(json!(body.reason), "code_unreachable");
    assert!(rig.book.cancels[&cancel].done.is_none(), "what it stops is not known yet");
    rig.end().await;
    // The code host is there again: the order is planned, and what was cancelled meanwhile is cancelled.
    rig.extra.change = Some(|rules| {
        let code = rules.folders.state.parent().unwrap().join("code/northfield/winter-chest.git");
        let rule = ("https://code.example.org/northfield/away", code.to_str().unwrap());
        rules.fetching.rewrites = repositories::Rewrites::new([rule]).unwrap();
    });
    rig.start();
    assert_eq!(rig.answer(SECOND).await, "accepted");
    assert_eq!(rig.ending(SECOND, "a").await["code"], "cancelled_by_user");
    rig.until("the answer", |rig| rig.book.cancels[&cancel].done.is_some()).await;
    rig.end().await;
    let checked = rig.facts.iter().filter(|(_, body)| body.kind().name() == "request.checking").count();
    assert_eq!(checked, 1, "said once, however often it is tried");
}

/// Spec jobs.md 23 (`max_wait`): after a restart the code of a job that waits may be out of reach for ever.
#[tokio::test(flavor = "multi_thread")]
async fn waiting_jobs_whose_code_stays_out_of_reach_fail() {
    let mut rig = Rig::new().await;
    let yaml = project(&[("a", "ok", &[]), ("b", "ok", &["a"])]);
    let commit = rig.push(&yaml);
    rig.contact.send_modify(|contact| contact.starts = Starts::Offline);
    rig.start();
    rig.send(DirectiveBody::JobRequest(rig.order(FIRST, &commit, &yaml, &["b"]))).await;
    assert_eq!(rig.answer(FIRST).await, "accepted");
    rig.end().await;
    // Neither the code host nor our own mirror has it any more.
    let folder = rig.folder.path().to_owned();
    std::fs::rename(folder.join("code/northfield/winter-chest.git"), folder.join("code/gone")).unwrap();
    std::fs::remove_dir_all(rig.rules().folders.mirrors()).unwrap();
    rig.contact.send_modify(|contact| contact.starts = Starts::Allowed);
    rig.start();
    let waits = "job.waiting waiting_on_code".to_owned();
    rig.until("it waits for its code", |rig| rig.told(FIRST, "a").contains(&waits)).await;
    rig.end().await;
    assert!(rig.finished(FIRST, "a").is_none(), "a day is not over");
    // The time before the restart counts.
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    rig.extra.change = Some(|rules| rules.running.tries.max_wait = std::time::Duration::from_secs(1));
    rig.start();
    let end = rig.ending(FIRST, "a").await;
    let why = (&end["code"], &end["params"]["reason"], &end["params"]["attempts"]);
    assert_eq!(why, (&json!("job_error"), &json!("retries_exhausted"), &json!(1)));
    assert_eq!(rig.ending(FIRST, "b").await["code"], "dependency_failed");
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_reached_for_too_long_is_refused() {
    let change: fn(&mut backend::orders::Rules) = |rules| rules.request_check_max = std::time::Duration::ZERO;
    let mut rig = Rig::with(rig::Extra { settings: "", change: Some(change) }).await;
    let yaml = project(&[("a", "ok", &[])]);
    let commit = rig.push(&yaml);
    let mut away = rig.order(FIRST, &commit, &yaml, &["a"]);
    away.repo_url = "https://code.example.org/northfield/away".parse().unwrap();
    rig.start();
    rig.send(DirectiveBody::JobRequest(away)).await;
    let cancel = rig.cancel(FIRST, &["a"]).await;
    assert_eq!(rig.answer(FIRST).await, "refused code_unreachable");
    rig.until("the answer", |rig| rig.book.cancels[&cancel].done.is_some()).await;
    let done = serde_json::to_value(rig.book.cancels[&cancel].done.clone().unwrap().actions).unwrap();
    assert_eq!(done, json!({"a": "unknown"}), "it never had a job");
    rig.end().await;
}
