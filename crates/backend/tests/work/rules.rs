//! What changes between plan and start: environments that are still being made, permissions, people, workspaces, modes,
//! and what an operator does. Spec protocol.md 1, 3.3, 6; jobs.md 6, 8, 12-14, 21.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use backend::desk::{Contact, Starts};
use backend::settings::Grant;
use jobs::local::Desk;
use jobs::schedule::Modes;
use jobs::state::{Kill, Operator};
use protocol::directive::DirectiveBody;
use protocol::fact::backend::Mode;
use protocol::order::{Permission, PermissionKind};
use runtimes::{Found, Plan, Program};
use serde_json::{Value, json};

use crate::rig::{Extra, Rig, job_id, options, project};

const FIRST: &str = "m4qz7kd2hu5xw3np";
const SECOND: &str = "aaaaaaaaaaaaaaaa";

async fn desk(rig: &Rig) -> Desk {
    let by = Operator { who: "uid 0".into(), why: "a test".into() };
    Desk::of_backend(&rig.folder.path().join("state"), by).await.unwrap().unwrap()
}

fn id(text: &str) -> jobs::JobId {
    text.parse().unwrap()
}

async fn executing(rig: &mut Rig, action: &str) {
    let stage = "job.stage executing".to_owned();
    rig.until("it runs", |rig| rig.told(FIRST, action).contains(&stage)).await;
}

static MADE: AtomicBool = AtomicBool::new(false);

/// Waits until the test says so.
fn make_slowly(plan: &Plan) -> Result<Program, String> {
    while !MADE.load(Ordering::SeqCst) {
        std::thread::sleep(Duration::from_millis(10));
    }
    match runtimes::locate(&plan.located.reference, &options()) {
        Ok(Found::Ready(program)) => Ok(program),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_waits_for_its_environment_where_all_can_see_it() {
    let change: fn(&mut backend::orders::Rules) = |rules| {
        rules.runtimes.offline = false;
        rules.make = make_slowly;
    };
    let mut rig = Rig::with(Extra { settings: "", change: Some(change) }).await;
    let yaml = project(&[("a", "ok", &[]), ("b", "ok", &["a"])]);
    let commit = rig.push(&yaml);
    rig.start();
    rig.send(DirectiveBody::JobRequest(rig.order(FIRST, &commit, &yaml, &["b"]))).await;
    let waits = "job.waiting waiting_on_image".to_owned();
    rig.until("it waits", |rig| rig.told(FIRST, "a").contains(&waits)).await;
    let said = rig.facts.iter().map(|(_, body)| body.write().unwrap()).find(|body| body["code"] == "waiting_on_image");
    assert_eq!(said.unwrap()["params"]["image"], "python:v2");
    // Jobs of others go on: a built-in action needs no environment.
    let other = "version: \"4.0\"\nactions:\n  query:\n    run: sqlrunner:v1 ok output/query.csv\n    outputs:\n      highly_sensitive:\n        table: output/query.csv\n";
    let commit = rig.push(other);
    let mut order = rig.order(SECOND, &commit, other, &["query"]);
    order.workspace = "elsewhere".parse().unwrap();
    rig.send(DirectiveBody::JobRequest(order)).await;
    assert_eq!(rig.ending(SECOND, "query").await["code"], "succeeded");
    assert!(rig.finished(FIRST, "a").is_none());
    MADE.store(true, Ordering::SeqCst);
    assert_eq!(rig.ending(FIRST, "b").await["code"], "succeeded");
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_environment_that_cannot_be_made_ends_its_jobs() {
    let change: fn(&mut backend::orders::Rules) = |rules| {
        rules.runtimes.offline = false;
        rules.running.tries.max_wait = Duration::ZERO;
        rules.make = |_| Err("there is no network".to_owned());
    };
    let mut rig = Rig::with(Extra { settings: "", change: Some(change) }).await;
    let yaml = project(&[("a", "ok", &[]), ("b", "ok", &["a"])]);
    let commit = rig.push(&yaml);
    rig.start();
    rig.send(DirectiveBody::JobRequest(rig.order(FIRST, &commit, &yaml, &["b"]))).await;
    let ending = rig.ending(FIRST, "a").await;
    assert_eq!((&ending["params"]["reason"], &ending["params"]["image"]), (&json!("image_gone"), &json!("python:v2")));
    assert_eq!(rig.ending(FIRST, "b").await["code"], "dependency_failed");
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_starts_in_a_workspace_that_is_archived_meanwhile() {
    let mut rig = Rig::new().await;
    let yaml = project(&[("long", "hold", &[]), ("after", "ok", &["long"]), ("last", "ok", &["after"])]);
    let commit = rig.push(&yaml);
    rig.start();
    rig.send(DirectiveBody::JobRequest(rig.order(FIRST, &commit, &yaml, &["last"]))).await;
    executing(&mut rig, "long").await;
    let body = json!({"name": "winter-chest", "archived": true, "project_retired": false});
    rig.send(DirectiveBody::Workspace(serde_json::from_value(body).unwrap())).await;
    for action in ["after", "last"] {
        let ending = rig.ending(FIRST, action).await;
        assert_eq!(ending["params"]["reason"], "refused_by_policy", "{ending}");
        assert_eq!(ending["params"]["rule"], "workspace_archived");
    }
    rig.double.release();
    assert_eq!(rig.ending(FIRST, "long").await["code"], "succeeded", "what runs is left alone");
    rig.end().await;
}

fn permission(code: &str) -> Permission {
    let value =
        json!({"kind": "dataset", "code": code, "approved_by": "da-1", "approved_at": "2026-11-02T10:00:00.000000Z"});
    serde_json::from_value(value).unwrap()
}

const SQL: &str = "version: \"4.0\"\nactions:\n  query:\n    run: sqlrunner:v1 ok output/query.csv\n    outputs:\n      highly_sensitive:\n        table: output/query.csv\n";

#[tokio::test(flavor = "multi_thread")]
async fn what_lapses_before_a_start_is_refused_by_policy() {
    let change: fn(&mut backend::orders::Rules) = |rules| {
        let (project, kind) = ("winter-pressures".parse().unwrap(), PermissionKind::Dataset);
        rules.policy.grants = vec![Grant { project, kind, code: "icnarc".parse().unwrap(), ends_at: None }];
    };
    let mut rig = Rig::with(Extra { settings: "", change: Some(change) }).await;
    let commit = rig.push(SQL);
    rig.start();
    let paused = {
        rig.until("it begins", |rig| rig.facts.iter().any(|(_, body)| body.kind().name() == "backend.policy")).await;
        let desk = desk(&rig).await;
        desk.set(Modes::PAUSED, Some("on")).await.unwrap();
        desk
    };
    let mut order = rig.order(FIRST, &commit, SQL, &["query"]);
    order.permissions = vec![permission("icnarc"), permission("ukrr")].try_into().unwrap();
    let mut away = order.clone();
    away.request = SECOND.parse().unwrap();
    away.workspace = "elsewhere".parse().unwrap();
    away.repo_url = "https://code.example.org/northfield/away".parse().unwrap();
    rig.send(DirectiveBody::JobRequest(order)).await;
    rig.send(DirectiveBody::JobRequest(away)).await;
    let waits = "job.waiting paused".to_owned();
    rig.until("it is paused", |rig| rig.told(FIRST, "query").contains(&waits)).await;
    let scope = paused.job(id(job_id(FIRST, "query").as_str())).await.unwrap().0.definition.scope;
    assert_eq!(scope.dataset_permissions, ["icnarc".to_owned()].into(), "capped by the policy here");
    let body = json!({"project": "winter-pressures", "permissions": []});
    rig.send(DirectiveBody::Permissions(serde_json::from_value(body).unwrap())).await;
    // All but the order whose code is out of reach.
    while rig.log.waiting().await.unwrap().len() > 1 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // An earlier order that is still being checked is heard again after a restart: its list is the older one.
    rig.end().await;
    rig.start();
    paused.set(Modes::PAUSED, None).await.unwrap();
    let ending = rig.ending(FIRST, "query").await;
    assert_eq!(ending["params"]["rule"], "permission_ended", "{ending}");
    assert!(rig.finished(FIRST, "query").unwrap().runtime_s.is_none());
    let modes: Vec<Value> = rig
        .facts
        .iter()
        .filter(|(_, body)| body.kind().name() == "backend.mode")
        .map(|(_, body)| body.write().unwrap()["mode"].clone())
        .collect();
    assert_eq!(modes, ["paused", "open"]);
    paused.close().await.unwrap();
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_lost_the_role_starts_nothing_more() {
    let mut rig = Rig::new().await;
    let yaml = project(&[("long", "hold", &[]), ("after", "ok", &["long"])]);
    let commit = rig.push(&yaml);
    rig.start();
    rig.send(DirectiveBody::JobRequest(rig.order(FIRST, &commit, &yaml, &["after"]))).await;
    executing(&mut rig, "long").await;
    rig.roster("project_collaborator").await;
    rig.double.release();
    assert_eq!(rig.ending(FIRST, "long").await["code"], "succeeded");
    assert_eq!(rig.ending(FIRST, "after").await["params"]["rule"], "person_not_allowed");
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_drains_kills_and_reads_logs() {
    let mut rig = Rig::new().await;
    let yaml = project(&[("long", "hold", &[]), ("other", "hold", &[]), ("quick", "ok", &[])]);
    let commit = rig.push(&yaml);
    rig.start();
    rig.send(DirectiveBody::JobRequest(rig.order(FIRST, &commit, &yaml, &["run_all"]))).await;
    executing(&mut rig, "long").await;
    executing(&mut rig, "other").await;
    rig.ending(FIRST, "quick").await;
    let desk = desk(&rig).await;
    assert!(desk.runs());
    desk.kill(id(job_id(FIRST, "other").as_str()), Kill::Fail).await.unwrap();
    assert_eq!(rig.ending(FIRST, "other").await, json!({"code": "killed_by_admin"}));
    desk.set(Modes::DRAINING, Some("on")).await.unwrap();
    let reset = "job.reset waiting_on_reboot".to_owned();
    rig.until("it is put back", |rig| rig.told(FIRST, "long").contains(&reset)).await;
    rig.end().await;
    rig.start();
    rig.double.release();
    desk.set(Modes::DRAINING, None).await.unwrap();
    assert_eq!(rig.ending(FIRST, "long").await["code"], "succeeded");
    assert_eq!(rig.job(FIRST, "long").unwrap().earlier.len(), 1);
    let mut log = String::new();
    use std::io::Read;
    let quick = id(job_id(FIRST, "quick").as_str());
    desk.log(quick).await.unwrap().unwrap().read_to_string(&mut log).unwrap();
    assert!(log.contains("job_definition_id: ") && log.contains("output/quick.csv"), "{log}");
    let month = jiff::Timestamp::now().strftime("%Y-%m").to_string();
    let about = rig.high(&format!("logs/{month}/os-job-{quick}/metadata.json"));
    let about: Value = serde_json::from_str(&std::fs::read_to_string(about).unwrap()).unwrap();
    assert_eq!((&about["task_id"], &about["exit_code"]), (&json!(format!("{quick}-001")), &json!("0")));
    assert_eq!(about["commit"], json!(commit));
    desk.close().await.unwrap();
    rig.end().await;
}

const LEVELS: &str = r#"version: "4.0"
actions:
  secret:
    run: python:v2 analysis/play.py ok output/secret.csv
    outputs:
      highly_sensitive:
        table: output/secret.csv
  patients:
    run: python:v2 analysis/play.py patients output/patients.csv
    outputs:
      moderately_sensitive:
        table: output/patients.csv
  table:
    run: python:v2 analysis/play.py ok output/table.csv
    outputs:
      moderately_sensitive:
        table: output/table.csv
  nothing:
    run: python:v2 analysis/play.py nothing output/nothing.csv
    outputs:
      moderately_sensitive:
        table: output/nothing.csv
"#;

#[tokio::test(flavor = "multi_thread")]
async fn reviewers_see_what_is_moderately_sensitive_and_why_the_rest_is_not_there() {
    let mut rig = Rig::new().await;
    let commit = rig.push(LEVELS);
    rig.start();
    rig.send(DirectiveBody::JobRequest(rig.order(FIRST, &commit, LEVELS, &["run_all"]))).await;
    assert_eq!(rig.ending(FIRST, "secret").await, json!({"code": "succeeded", "params": {}}));
    assert_eq!(rig.ending(FIRST, "patients").await, json!({"code": "succeeded", "params": {"excluded": true}}));
    assert_eq!(rig.ending(FIRST, "table").await["code"], "succeeded");
    assert_eq!(rig.ending(FIRST, "nothing").await, json!({"code": "unmatched_patterns", "params": {}}));
    let there = |path: &PathBuf| path.exists();
    let high = |name: &str| rig.high(&format!("workspaces/winter-chest/output/{name}"));
    for name in ["secret.csv", "patients.csv", "table.csv"] {
        assert!(there(&high(name)), "{name}");
    }
    assert!(there(&rig.medium("output/table.csv")));
    assert!(!there(&rig.medium("output/secret.csv")) && !there(&rig.medium("output/patients.csv")));
    let note = std::fs::read_to_string(rig.medium("output/patients.csv.txt")).unwrap();
    assert!(note.contains("patient"), "{note}");
    assert!(there(&rig.medium("metadata/table.log")) && there(&rig.high("workspaces/winter-chest/metadata/table.log")));
    let manifest = std::fs::read_to_string(rig.medium("metadata/manifest.json")).unwrap();
    let manifest: Value = serde_json::from_str(&manifest).unwrap();
    assert_eq!(manifest["workspace"], "winter-chest");
    let entry = &manifest["outputs"]["output/patients.csv"];
    assert_eq!((&entry["excluded"], &entry["user"]), (&json!(true), &json!("sample-r")));
    assert_eq!((&entry["repo"], &entry["commit"]), (&json!(crate::rig::URL), &json!(commit)));
    assert_eq!(manifest["outputs"]["output/secret.csv"]["level"], "highly_sensitive");

    // The same paths with other levels and contents: what may no longer be seen goes, and so does a note.
    let changed = LEVELS.replace("play.py patients output/patients.csv", "play.py ok output/patients.csv").replace(
        "moderately_sensitive:\n        table: output/table.csv",
        "highly_sensitive:\n        table: output/table.csv",
    );
    assert_ne!(changed, LEVELS);
    let commit = rig.push(&changed);
    rig.send(DirectiveBody::JobRequest(rig.order(SECOND, &commit, &changed, &["patients", "table"]))).await;
    rig.ending(SECOND, "patients").await;
    rig.ending(SECOND, "table").await;
    assert!(there(&rig.medium("output/patients.csv")) && !there(&rig.medium("output/patients.csv.txt")));
    assert!(!there(&rig.medium("output/table.csv")) && there(&rig.high("workspaces/winter-chest/output/table.csv")));
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_contact_nothing_new_starts_and_a_wish_is_only_shown() {
    let mut rig = Rig::new().await;
    let yaml = project(&[("a", "ok", &[])]);
    let commit = rig.push(&yaml);
    rig.contact.send_replace(Contact { last: None, connected: false, starts: Starts::Offline });
    rig.start();
    rig.send(DirectiveBody::JobRequest(rig.order(FIRST, &commit, &yaml, &["a"]))).await;
    let waits = "job.waiting paused".to_owned();
    rig.until("it waits", |rig| rig.told(FIRST, "a").contains(&waits)).await;
    rig.readings.wait_for(|now| now.mode == Mode::Paused && now.pools[1].waiting.get() == 1).await.unwrap();
    let wish = serde_json::from_value(json!({"wish": "pause", "by": "staff-1", "reason": "maintenance"})).unwrap();
    rig.send(DirectiveBody::PauseWish(wish)).await;
    rig.contact.send_replace(Contact { last: None, connected: true, starts: Starts::Allowed });
    assert_eq!(rig.ending(FIRST, "a").await["code"], "succeeded");
    rig.readings.wait_for(|now| now.mode == Mode::Open && now.pools[1].running.get() == 0).await.unwrap();
    rig.end().await;
}

async fn open(rig: &Rig) -> Result<jobs::server::Server, jobs::server::ServerError> {
    let rules = rig.rules();
    let admission = std::sync::Arc::new(jobs::engine::NoRules);
    jobs::server::Server::open(rules.folders, rig.double.clone(), rules.running, admission).await
}

#[tokio::test(flavor = "multi_thread")]
async fn damaged_records_stop_the_start_and_name_their_copy() {
    let mut rig = Rig::new().await;
    let yaml = project(&[("a", "ok", &[])]);
    let commit = rig.push(&yaml);
    rig.start();
    rig.send(DirectiveBody::JobRequest(rig.order(FIRST, &commit, &yaml, &["a"]))).await;
    rig.ending(FIRST, "a").await;
    let state = rig.folder.path().join("state");
    let copy = jobs::server::snapshot(&state, jiff::Timestamp::now()).await.unwrap();
    let second = open(&rig).await.err().unwrap().to_string();
    assert!(second.contains("another process is running this backend"), "{second}");
    rig.end().await;
    // A connection of the desk may still be closing on a thread of its own, and fold what was written into the file again.
    let mut found = None;
    for _ in 0..100 {
        for name in ["state.sqlite-wal", "state.sqlite-shm"] {
            let _ = std::fs::remove_file(state.join(name));
        }
        std::fs::write(state.join("state.sqlite"), "this is no database, it was one".repeat(1000)).unwrap();
        match open(&rig).await {
            Ok(whole) => drop(whole),
            Err(damaged) => {
                found = Some(damaged.to_string());
                break;
            }
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let damaged = found.expect("damaged records are noticed");
    assert!(damaged.contains(copy.file_name().unwrap().to_str().unwrap()), "{damaged}");
    // The copy is whole, and knows the job.
    std::fs::copy(&copy, rig.folder.path().join("state/state.sqlite")).unwrap();
    let desk = desk(&rig).await;
    assert_eq!(desk.newest(10).await.unwrap().len(), 1);
    desk.close().await.unwrap();
}

const MARKED: &str = r#"version: "4.0"
actions:
  one:
    run: python:v2 analysis/play.py mark output/nothing.csv
    outputs:
      moderately_sensitive:
        table: output/*-mark.csv
        picture: output/*-mark.svg
  two:
    run: python:v2 analysis/play.py markfail output/nothing.csv
    outputs:
      moderately_sensitive:
        table: output/*-markfail.csv
  three:
    run: python:v2 analysis/play.py mark output/other.csv
    outputs:
      moderately_sensitive:
        table: output/none-*.csv
"#;

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_files_values_logs_and_exits_is_in_any_fact() {
    let mut rig = Rig::new().await;
    let commit = rig.push(MARKED);
    rig.start();
    rig.send(DirectiveBody::JobRequest(rig.order(FIRST, &commit, MARKED, &["run_all"]))).await;
    assert_eq!(rig.ending(FIRST, "one").await, json!({"code": "succeeded", "params": {"excluded": true}}));
    assert_eq!(rig.ending(FIRST, "two").await, json!({"code": "nonzero_exit", "params": {"exit": "error"}}));
    assert_eq!(rig.ending(FIRST, "three").await, json!({"code": "unmatched_patterns", "params": {}}));
    // Positive control: inside, all of it is there.
    let inside = std::fs::read_to_string(rig.high("workspaces/winter-chest/metadata/two.log")).unwrap();
    assert!(inside.contains("ZEBRA in the log") && inside.contains("exit_code: 77"), "{inside}");
    assert!(rig.medium("output/ZEBRA-mark.svg").exists() && !rig.medium("output/ZEBRA-mark.csv").exists());
    rig.end().await;
    for (_, body) in &rig.facts {
        let text = body.write().unwrap().to_string();
        assert!(!text.contains("ZEBRA") && !text.contains("77,") && !text.contains(":77"), "{text}");
        let folder = rig.folder.path().to_str().unwrap();
        assert!(!text.contains(folder), "a path of this machine: {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repository_that_left_the_list_starts_nothing_more() {
    let mut rig = Rig::new().await;
    let yaml = project(&[("long", "hold", &[]), ("after", "ok", &["long"])]);
    let commit = rig.push(&yaml);
    rig.start();
    rig.send(DirectiveBody::JobRequest(rig.order(FIRST, &commit, &yaml, &["after"]))).await;
    executing(&mut rig, "long").await;
    rig.end().await;
    rig.extra.change = Some(|rules| rules.repositories = repositories::AllowList::default());
    rig.start();
    rig.double.release();
    assert_eq!(rig.ending(FIRST, "long").await["code"], "succeeded", "what runs is taken over all the same");
    assert_eq!(rig.ending(FIRST, "after").await["params"]["rule"], "repo_not_allowed");
    rig.end().await;
}
