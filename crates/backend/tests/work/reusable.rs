//! Jobs of reusable actions: whose code they get, and what tags, restarts and operators change about that.
//! Spec jobs.md 19; project-yaml.md 9. What is refused is in `orders/reusable-*.toml`.

use std::collections::BTreeSet;
use std::path::PathBuf;

use protocol::directive::DirectiveBody;
use serde_json::{Value, json};

use crate::code::Repository;
use crate::rig::{Extra, Rig};
use crate::{FIRST, SECOND};

const SETTINGS: &str = "[actions]\nurl = \"https://code.example.org\"\n";

const YAML: &str = r#"version: "4.0"
actions:
  long:
    run: python:v2 analysis/play.py hold output/long.csv
    outputs:
      moderately_sensitive: {table: output/long.csv}
  tabulate:
    needs: [long]
    run: count-rows:v1.0 list output/tabulate.csv
    outputs:
      moderately_sensitive: {table: output/tabulate.csv}
"#;

const ACTION: (&str, &str) = ("action.yaml", "run: python:v2 play.py\n");

fn place(rig: &Rig) -> PathBuf {
    rig.folder.path().join("code/opensafely-actions/count-rows.git")
}

/// `count-rows:v1.0`; gives its commit.
fn action(rig: &Rig) -> (Repository, String) {
    let repository = Repository::new(&place(rig));
    let commit = repository.commit("main", &[ACTION, ("play.py", ""), ("old.txt", "")]);
    repository.git(&["tag", "v1.0", &commit], b"");
    (repository, commit)
}

/// A backend whose first job runs, and `tabulate` waits for it.
async fn waiting() -> (Rig, Repository, String) {
    let mut rig = Rig::with(Extra { settings: SETTINGS, change: None }).await;
    let (repository, commit) = action(&rig);
    let study = rig.push(YAML);
    rig.start();
    rig.send(DirectiveBody::JobRequest(rig.order(FIRST, &study, YAML, &["tabulate"]))).await;
    assert_eq!(rig.answer(FIRST).await, "accepted");
    let runs = "job.stage executing".to_owned();
    rig.until("it runs", |rig| rig.told(FIRST, "long").contains(&runs)).await;
    (rig, repository, commit)
}

/// metadata.json of a job.
fn metadata(rig: &Rig, action: &str) -> Value {
    let id = crate::rig::job_id(FIRST, action);
    let months = std::fs::read_dir(rig.high("logs")).unwrap();
    let found = months.map(|month| month.unwrap().path().join(format!("os-job-{id}/metadata.json")));
    let path = found.into_iter().find(|path| path.exists()).unwrap();
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_planned_job_keeps_its_commit_whatever_becomes_of_tag_and_repository() {
    let (mut rig, repository, commit) = waiting().await;
    let newer = repository.commit("main", &[ACTION, ("play.py", ""), ("new.txt", "")]);
    repository.git(&["tag", "-f", "v1.0", &newer], b"");
    std::fs::remove_dir_all(place(&rig)).unwrap();
    rig.end().await;
    rig.start();
    rig.double.release();
    assert_eq!(rig.ending(FIRST, "tabulate").await["code"], "succeeded");
    // Its own files and the folder of the needed output: nothing of the study.
    let listed = std::fs::read_to_string(rig.medium("output/tabulate.csv")).unwrap();
    assert_eq!(listed, "name\naction.yaml\nold.txt\noutput\nplay.py\n");
    let known = metadata(&rig, "tabulate");
    assert_eq!((&known["action_version"], &known["action_revision"]), (&json!("v1.0"), &json!(commit)));
    let manifest: Value =
        serde_json::from_slice(&std::fs::read(rig.medium("metadata/manifest.json")).unwrap()).unwrap();
    let entry = &manifest["outputs"]["output/tabulate.csv"];
    assert_eq!(entry["repo"], crate::rig::URL, "the study's");
    assert_eq!(entry["cloister"]["reusable"]["commit"], commit.as_str());
    // A new request asks the tag again, and its repository is gone.
    let study = rig.push(YAML);
    rig.send(DirectiveBody::JobRequest(rig.order(SECOND, &study, YAML, &["tabulate"]))).await;
    assert_eq!(rig.answer(SECOND).await, "refused reusable_action_error");
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_leaves_the_list_does_not_start() {
    let (mut rig, ..) = waiting().await;
    rig.end().await;
    rig.extra.change = Some(|rules| rules.actions.names = Some(BTreeSet::new()));
    rig.start();
    rig.double.release();
    let ending = rig.ending(FIRST, "tabulate").await;
    assert_eq!(ending["params"]["reason"], "refused_by_policy", "{ending}");
    assert_eq!(ending["params"]["rule"], "repo_not_allowed");
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_out_of_reach_is_no_refusal() {
    let mut rig = Rig::with(Extra { settings: "[actions]\nurl = \"https://127.0.0.1:1\"\n", change: None }).await;
    let study = rig.push(YAML);
    rig.start();
    rig.send(DirectiveBody::JobRequest(rig.order(FIRST, &study, YAML, &["tabulate"]))).await;
    let checking = |rig: &Rig| rig.facts.iter().any(|(_, body)| body.kind().name() == "request.checking");
    rig.until("it is said to be checked", checking).await;
    rig.end().await;
}
