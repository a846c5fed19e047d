//! A backend's desk over real sandboxes, and the operator's commands on its state folder, as processes of their own.
//! Spec jobs.md 9, 21.
#![allow(
    unreachable_pub,
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test stops at its first surprise"
)]

#[path = "../../../backend/tests/work/code.rs"]
mod code;
#[path = "../../../backend/tests/common/mod.rs"]
mod common;
#[path = "../../../backend/tests/work/double.rs"]
mod double;
#[path = "../../../backend/tests/work/rig.rs"]
mod rig;

use std::process::{Command, Output};
use std::sync::Arc;

use protocol::directive::DirectiveBody;
use sandbox::{Native, NativeOptions, Runtime};
use serde_json::{Value, json};

use rig::{Rig, job_id, project};

const FIRST: &str = "m4qz7kd2hu5xw3np";

/// The built program as supervisor. Without namespaces nothing can be shut in: then there is nothing to test.
fn native() -> Option<Arc<dyn Runtime>> {
    let options = NativeOptions { supervisor: env!("CARGO_BIN_EXE_cloister").into(), ..NativeOptions::default() };
    let native = Native::new(options);
    let missing: Vec<_> = native.probe().missing().map(|(name, _)| name).collect();
    if !missing.is_empty() {
        eprintln!("left out: this machine cannot isolate ({})", missing.join(", "));
        return None;
    }
    Some(Arc::new(native))
}

fn cloister(rig: &Rig, words: &[&str]) -> Output {
    let state = rig.folder.path().join("state");
    let mut command = Command::new(env!("CARGO_BIN_EXE_cloister"));
    command.arg("backend").args(words).arg("--state").arg(state).env("HOME", rig.folder.path()).output().unwrap()
}

fn told(rig: &Rig, words: &[&str]) -> Value {
    let output = cloister(rig, &[words, &["--json"]].concat());
    assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

async fn executing(rig: &mut Rig, action: &str) {
    let stage = "job.stage executing".to_owned();
    rig.until("it runs", |rig| rig.told(FIRST, action).contains(&stage)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_runs_in_real_sandboxes_that_outlive_the_backend() {
    let Some(runtime) = native() else { return };
    let mut rig = Rig::new().await;
    rig.runtime = runtime;
    let yaml = project(&[("first", "ok", &[]), ("long", "hold", &["first"]), ("bad", "fail", &["first"])]);
    let commit = rig.push(&yaml);
    rig.start();
    rig.send(DirectiveBody::JobRequest(rig.order(FIRST, &commit, &yaml, &["run_all"]))).await;
    assert_eq!(rig.answer(FIRST).await, "accepted");
    assert_eq!(rig.ending(FIRST, "first").await, json!({"code": "succeeded", "params": {}}));
    assert_eq!(std::fs::read_to_string(rig.medium("output/first.csv")).unwrap(), "a,b\n1,ok\n");
    executing(&mut rig, "long").await;
    rig.kill().await;
    rig.start();
    assert_eq!(rig.ending(FIRST, "bad").await, json!({"code": "nonzero_exit", "params": {"exit": "error"}}));
    assert_eq!(rig.ending(FIRST, "long").await["code"], "succeeded");
    let attempts = rig.told(FIRST, "long").iter().filter(|fact| *fact == "job.started").count();
    assert_eq!(attempts, 1, "its sandbox was taken over");
    assert!(rig.finished(FIRST, "long").unwrap().runtime_s.unwrap().get() >= 4);
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn operators_work_on_the_state_folder() {
    let Some(runtime) = native() else { return };
    let mut rig = Rig::new().await;
    let nowhere = cloister(&rig, &["status"]);
    assert!(!nowhere.status.success());
    assert!(String::from_utf8_lossy(&nowhere.stderr).contains("no backend has run"), "{nowhere:?}");
    rig.runtime = runtime;
    let yaml = project(&[("first", "ok", &[]), ("long", "hold", &[]), ("after", "ok", &["long"])]);
    let commit = rig.push(&yaml);
    rig.start();
    rig.send(DirectiveBody::JobRequest(rig.order(FIRST, &commit, &yaml, &["run_all"]))).await;
    rig.ending(FIRST, "first").await;
    executing(&mut rig, "long").await;
    let status = told(&rig, &["status"]);
    assert_eq!((&status["runs"], status["jobs"].as_array().unwrap().len()), (&json!(true), 2));
    let text = String::from_utf8(cloister(&rig, &["status"]).stdout).unwrap();
    assert!(text.contains("the backend runs: 1 job running, 1 waiting"), "{text}");
    let id = job_id(FIRST, "first").to_string();
    assert_eq!(told(&rig, &["job", &id[..8]])["code"], "succeeded");
    assert_eq!(told(&rig, &["jobs", "-n", "2"]).as_array().unwrap().len(), 2);
    let log = String::from_utf8(cloister(&rig, &["logs", &id]).stdout).unwrap();
    assert!(log.contains("played ok"), "{log}");
    assert_eq!(told(&rig, &["pause", "on"])["told"], true);
    assert_eq!(told(&rig, &["kill", &job_id(FIRST, "long").to_string()])["told"], true);
    let reset = "job.reset waiting_on_new_task".to_owned();
    rig.until("it is put back", |rig| rig.told(FIRST, "long").contains(&reset)).await;
    assert_eq!(told(&rig, &["cancel", FIRST, "long"])["ended"].as_array().unwrap().len(), 1);
    assert_eq!(
        rig.ending(FIRST, "long").await,
        json!({"code": "cancelled_by_user", "params": {}}),
        "nobody outside did"
    );
    assert_eq!(rig.ending(FIRST, "after").await["code"], "dependency_failed");
    assert_eq!(told(&rig, &["pause", "off"])["value"], Value::Null);
    assert_eq!(told(&rig, &["maintenance", "on"])["value"], "manual");
    assert!(cloister(&rig, &["maintenance", "off"]).status.success());
    assert!(cloister(&rig, &["drain", "-y"]).status.success());
    assert!(cloister(&rig, &["drain", "--status"]).status.success(), "nothing runs: it is ready");
    let copied = told(&rig, &["snapshot"])["snapshot"].as_str().unwrap().to_owned();
    assert!(std::path::Path::new(&copied).starts_with(rig.folder.path().join("state/snapshots")));
    let seen = told(&rig, &["verify"]);
    assert_eq!((seen["findings"].as_array().unwrap().len(), &seen["snapshots"]), (0, &json!(1)));
    rig.end().await;
    // The object of an output goes: that is seen.
    let output = std::fs::read(rig.medium("output/first.csv")).unwrap();
    let object = jobs::ObjectId::of(&output).hex();
    std::fs::remove_file(rig.high(&format!("objects/{}/{object}", &object[..2]))).unwrap();
    let verified = cloister(&rig, &["verify"]);
    assert!(!verified.status.success());
    assert!(String::from_utf8_lossy(&verified.stdout).contains("output/first.csv"), "{verified:?}");
    let text = String::from_utf8(cloister(&rig, &["status"]).stdout).unwrap();
    assert!(text.contains("the backend is down") && text.contains("draining"), "{text}");
}
