//! Orders as data: each file of `orders/` is a repository, what happened before, an order, and its one answer.

use std::collections::BTreeMap;
use std::path::Path;

use backend::settings::Profile;
use protocol::apply::book::Outcome;
use protocol::directive::DirectiveBody;
use protocol::order::Order;
use protocol::text::hashes::Sha256Hex;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::code::Repository;
use crate::rig::{Extra, Rig, URL, files};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    yaml: String,
    #[serde(default)]
    files: BTreeMap<String, String>,
    /// Files of the ordinary that are not there.
    #[serde(default)]
    remove: Vec<String>,
    /// `run ACTIONS`, `change PATH TEXT`, `archive`, `branch NAME`, `ref NAME`, `repository NAME`,
    /// `reusable NAME TAG BRANCH TEXT`.
    #[serde(default)]
    before: Vec<String>,
    #[serde(default)]
    order: toml::Table,
    roles: Option<String>,
    #[serde(default)]
    settings: String,
    profile: Option<String>,
    answer: String,
    /// `ACTION`, then `waits ACTION` or `reuses ACTION` for each need.
    #[serde(default)]
    jobs: Vec<String>,
    #[serde(default)]
    reused: Vec<String>,
    #[serde(default)]
    decisions: Vec<String>,
    /// At least so many.
    #[serde(default)]
    faults: usize,
    /// `CODE LINE:COLUMN ACTION` of each, where that matters.
    #[serde(default)]
    fault_codes: Vec<String>,
}

impl Case {
    fn tree(&self) -> Vec<(String, String)> {
        let mut all: BTreeMap<String, String> =
            files(&self.yaml).into_iter().map(|(path, text)| (path.to_owned(), text)).collect();
        all.extend(self.files.clone());
        all.retain(|path, _| !self.remove.contains(path));
        all.into_iter().collect()
    }

    fn order(&self, rig: &Rig, request: &str, commit: &str, actions: &[&str]) -> Order {
        let mut value = json!(rig.order(request, commit, &self.yaml, actions));
        value["project_yaml_sha256"] = json!(Sha256Hex::of(&[self.yaml.as_bytes()]));
        for (key, field) in &self.order {
            value[key] = serde_json::to_value(field).unwrap();
        }
        serde_json::from_value(value).unwrap()
    }
}

fn push(repository: &Repository, branch: &str, tree: &[(String, String)]) -> String {
    let files: Vec<_> = tree.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    repository.commit(branch, &files)
}

async fn play(case: Case) {
    let production: fn(&mut backend::orders::Rules) = |rules| rules.profile = Profile::Production;
    let change = (case.profile.as_deref() == Some("production")).then_some(production);
    let mut rig = Rig::with(Extra { settings: Box::leak(case.settings.clone().into_boxed_str()), change }).await;
    if let Some(roles) = &case.roles {
        rig.roster_of(roles, json!("backend")).await;
    }
    let mut tree = case.tree();
    let mut commit = push(&rig.code, "main", &tree);
    rig.start();
    for (n, step) in case.before.iter().enumerate() {
        let words: Vec<_> = step.split(' ').collect();
        match words.as_slice() {
            ["run", actions @ ..] => {
                let request = format!("aaaaaaaaaaaaaaa{n}");
                let plain = rig.order(&request, &commit, &case.yaml, actions);
                rig.send(DirectiveBody::JobRequest(plain)).await;
                assert_eq!(rig.answer(&request).await, "accepted");
                for action in actions {
                    assert_eq!(rig.ending(&request, action).await["code"], "succeeded");
                }
            }
            ["change", path, text] => {
                tree.iter_mut().filter(|(at, _)| at == path).for_each(|(_, old)| *old = format!("{text}\n"));
                commit = push(&rig.code, "main", &tree);
            }
            ["archive"] => {
                let body = json!({"name": "winter-chest", "archived": true, "project_retired": false});
                rig.send(DirectiveBody::Workspace(serde_json::from_value(body).unwrap())).await;
            }
            ["branch", name] => {
                let mut other = tree.clone();
                other.push(("other.txt".into(), "x".into()));
                push(&rig.code, name, &other);
            }
            ["ref", name] => drop(rig.code.git(&["update-ref", name, &commit], b"")),
            ["repository", name] => {
                let path = rig.folder.path().join(format!("code/northfield/{name}.git"));
                push(&Repository::new(&path), "main", &tree);
            }
            // A reusable action: its tag at a new commit of a branch, with this text as its action.yaml.
            ["reusable", name, tag, branch, text @ ..] => {
                let repository =
                    Repository::new(&rig.folder.path().join(format!("code/opensafely-actions/{name}.git")));
                repository.commit("main", &[("README.md", "an action")]);
                let yaml = text.join(" ");
                let file: &[(&str, &str)] = if yaml.is_empty() { &[] } else { &[("action.yaml", &yaml)] };
                let commit = repository.commit(branch, &[file, &[("play.py", "")]].concat());
                repository.git(&["tag", tag, &commit], b"");
            }
            other => panic!("{other:?}"),
        }
    }
    let order = case.order(&rig, "m4qz7kd2hu5xw3np", &commit, &["tabulate"]);
    let known = rig.book.requests.contains_key(&order.request);
    let directive = rig.send(DirectiveBody::JobRequest(order.clone())).await;
    if known {
        // The book has it under the first order: what is told of the second one changes nothing there.
        let told = rig.refused_anyway(&directive).await;
        assert_eq!(format!("refused {told}"), case.answer);
        return rig.end().await;
    }
    assert_eq!(rig.answer(order.request.as_str()).await, case.answer);
    let outcome = rig.outcome(order.request.as_str()).clone();
    let kept =
        |list: &[protocol::fact::request::KeptJob]| list.iter().map(|k| k.action.to_string()).collect::<Vec<_>>();
    match outcome {
        Outcome::Accepted(body) => {
            assert_eq!(body.tree.as_str().len(), 40);
            let word = |value: &Value| value.as_str().unwrap().to_owned();
            let jobs: Vec<_> = body
                .jobs
                .iter()
                .map(|job| {
                    let needs = job.needs.iter().map(|need| format!(" {} {}", word(&json!(need.kind)), need.action));
                    format!("{}{}", job.action, needs.collect::<String>())
                })
                .collect();
            if !case.jobs.is_empty() {
                assert_eq!(jobs, case.jobs);
            }
            assert_eq!(kept(&body.reused), case.reused);
            let decisions: Vec<_> = body
                .decisions
                .iter()
                .map(|one| {
                    let reasons = one.reasons.iter().map(|why| format!(" {}", word(&json!(why.code))));
                    format!("{} {}{}", one.action, word(&json!(one.decision)), reasons.collect::<String>())
                })
                .collect();
            if !case.decisions.is_empty() {
                assert_eq!(decisions, case.decisions);
            }
        }
        Outcome::NothingToDo(body) => assert_eq!(kept(&body.reused), case.reused),
        Outcome::Refused(body) => {
            assert!(body.faults.len() >= case.faults, "{:?}", body.faults);
            assert!(case.faults > 0 || !case.fault_codes.is_empty() || body.faults.is_empty());
            let told = body.faults.iter().map(|fault| {
                let action = fault.action.as_ref().map(ToString::to_string).unwrap_or_default();
                format!("{} {}:{} {action}", fault.code, fault.line.get(), fault.column.get())
            });
            assert!(case.fault_codes.is_empty() || told.collect::<Vec<_>>() == case.fault_codes, "{:?}", body.faults);
        }
        Outcome::Sent | Outcome::Checking(_) | Outcome::Answered => unreachable!(),
    }
    assert_eq!(order.repo_url.as_str() == URL, case.order.get("repo_url").is_none());
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_order_has_the_answer_of_its_case() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/work/orders");
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(paths.len() > 30);
    let turns = std::sync::Arc::new(tokio::sync::Semaphore::new(4));
    let mut cases = tokio::task::JoinSet::new();
    for path in paths {
        let turns = turns.clone();
        cases.spawn(async move {
            let _turn = turns.acquire().await.unwrap();
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            let case =
                toml::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap_or_else(|e| panic!("{name}: {e}"));
            let played = tokio::spawn(play(case)).await;
            (name, played)
        });
    }
    let mut wrong = Vec::new();
    while let Some(played) = cases.join_next().await {
        let (name, played) = played.unwrap();
        if let Err(fault) = played {
            let words = fault.into_panic();
            let words = words.downcast_ref::<String>().cloned().unwrap_or_default();
            wrong.push(format!("{name}: {}", words.chars().take(1500).collect::<String>()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}
