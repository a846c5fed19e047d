//! A workshop in a folder of its own, with jobs of one request.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jobs::collect::CollectedOutput;
use jobs::engine::{
    AfterFailure, Controls, Event, NoRules, Order, Publisher, Rules, RunSettings, RunSummary, Work, Workshop, run,
};
use jobs::provenance::CodeTree;
use jobs::publish::{PublishError, Published};
use jobs::schedule::{Capacity, Pace, Tries, Weight};
use jobs::state::{Job, NewJob, State};
use jobs::store::{Durability, Store};
use jobs::tree::Tree;
use jobs::{JobId, Pin, PinnedNeed, Request, Unsafe};
use pipeline::{ActionName, RuntimeRef};
use runtimes::{BuiltinEngine, Builtins, Found, Options, Places, Program};
use sandbox::{IsolationLevel, Limits};
use serde_json::json;

use crate::common::store::{at, definition, name, request_of};
use crate::double::Double;

/// Publishes nowhere.
struct Nowhere;

impl Publisher for Nowhere {
    fn accept(&self, _: &[CollectedOutput]) -> Result<(), Unsafe> {
        Ok(())
    }
    fn publish(&self, _: &Order, _: Option<&Path>, _: &Store) -> Result<Published, PublishError> {
        Ok(Published::default())
    }
    fn log_path(&self, action: &ActionName) -> String {
        format!("metadata/{action}.log")
    }
}

pub struct Rig {
    pub shop: Arc<Workshop>,
    pub double: Arc<Double>,
    request: Request,
    folder: Arc<tempfile::TempDir>,
    /// One file.
    code: Arc<Tree>,
}

/// Waits too short to notice.
pub fn quick() -> Tries {
    Tries { base: Duration::from_millis(5), cap: Duration::from_millis(50), max_wait: Duration::ZERO }
}

/// Actions in the order in which their ends were told.
pub fn ends(told: &[Event]) -> Vec<String> {
    let end = |event: &Event| match event {
        Event::Finished(report) => Some(report.action.to_string()),
        _ => None,
    };
    told.iter().filter_map(end).collect()
}

/// A built-in: its command line ends with the words of the action.
fn program() -> Program {
    let reference = RuntimeRef { name: "sqlrunner".into(), tag: "v1".into() };
    let builtins = Builtins {
        program: "/bin/true".into(),
        version: "0".into(),
        project_version: None,
        era: None,
        engines: vec![BuiltinEngine { name: "sqlrunner".into(), profile: |_| None }],
    };
    let options = Options {
        cache_dir: "/nonexistent".into(),
        offline: true,
        packages: None,
        builtins,
        configured: Vec::new(),
        places: Places::default(),
        library: &[],
    };
    match runtimes::locate(&reference, &options).unwrap() {
        Found::Ready(program) => program,
        Found::Build(_) => panic!("a built-in needs no building"),
    }
}

async fn workshop(folder: &Path, double: &Arc<Double>, owner: &str) -> Workshop {
    let limits =
        Limits { memory: 1 << 30, cpus: 1, processes: 10, disk: 1 << 30, files: 1000, time: None, log: 1 << 20 };
    let settings = RunSettings {
        owner: owner.to_owned(),
        disk_low: 0,
        ..RunSettings::laptop(limits, Duration::from_millis(10), IsolationLevel::Full)
    };
    let volumes = folder.join("volumes");
    std::fs::create_dir_all(&volumes).unwrap();
    Workshop {
        state: State::open(&folder.join("state.sqlite")).await.unwrap(),
        store: Store::open(folder, Durability::Kill).unwrap(),
        runtime: double.clone(),
        volumes,
        settings,
        publisher: Arc::new(Nowhere),
        admission: Arc::new(NoRules),
    }
}

impl Rig {
    /// Jobs with their needs; those whose names begin with `sql` read the database.
    pub async fn new(jobs: &[(&str, &[&str])]) -> Self {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let double = Arc::new(Double::default());
        let shop = workshop(folder.path(), &double, "first").await;
        let request = request_of(1);
        let asked: Vec<_> = jobs.iter().map(|(action, _)| name(action)).collect();
        let seen = shop.state.latest_jobs(&request.workspace, &asked).await.unwrap();
        let new = |(action, needs): &(&str, &[&str])| {
            let mut definition = definition(action);
            definition.words = vec!["python:v2".into(), (*action).to_owned()];
            let output =
                json!({ "level": "moderately_sensitive", "name": "o", "pattern": format!("output/{action}.csv") });
            definition.outputs = vec![serde_json::from_value(output).unwrap()];
            definition.is_database = action.starts_with("sql");
            NewJob {
                definition,
                pins: needs.iter().map(|need| PinnedNeed { action: name(need), pin: Pin::New }).collect(),
            }
        };
        let jobs: Vec<_> = jobs.iter().map(new).collect();
        shop.state.record_plan(&request, &jobs, &seen, at(jiff::Timestamp::now().as_second())).await.unwrap();
        let study = tempfile::tempdir().unwrap();
        std::fs::write(study.path().join("analysis.py"), "pass").unwrap();
        let code = jobs::tree::snapshot(study.path(), &|_| false, &shop.store).unwrap().tree;
        Self { shop: Arc::new(shop), double, request, folder, code: Arc::new(code) }
    }

    /// As after a restart of the engine: everything is read from the files again, the sandboxes are as they were.
    pub async fn reopen(self) -> Self {
        let Self { double, request, folder, shop, code } = self;
        drop(shop);
        let shop = workshop(folder.path(), &double, "second").await;
        Self { shop: Arc::new(shop), double, request, folder, code }
    }

    pub fn settings(&mut self, change: impl FnOnce(&mut RunSettings)) {
        change(&mut Arc::get_mut(&mut self.shop).unwrap().settings);
    }

    pub async fn job(&self, action: &str) -> Job {
        self.shop.state.job(JobId::of(&self.request.id, &name(action))).await.unwrap()
    }

    pub fn volumes(&self) -> usize {
        std::fs::read_dir(&self.shop.volumes).unwrap().count()
    }

    async fn works(&self) -> Vec<Work> {
        let work = |job| Work {
            job,
            created_by: "someone".into(),
            project: String::new(),
            program: program(),
            tree: self.code.clone(),
            code: CodeTree::new([]),
            edited: Arc::new(BTreeMap::new()),
            actions: Arc::new(BTreeSet::new()),
        };
        self.shop.state.open_jobs().await.unwrap().into_iter().map(work).collect()
    }

    async fn shop_with(&self, tries: Tries) -> Arc<Workshop> {
        let mut shop = workshop(self.folder.path(), &self.double, "").await;
        shop.settings = RunSettings { tries, ..self.shop.settings.clone() };
        Arc::new(shop)
    }

    /// Runs every open job to the end.
    pub async fn run(&self, tries: Tries) -> (RunSummary, Vec<Event>) {
        let capacity = Capacity { db: Weight::workers(4), other: Weight::workers(4), together: None };
        let rules = Rules { capacity, pace: Pace::default(), after_failure: AfterFailure::GoOn };
        let (events, mut heard) = tokio::sync::mpsc::unbounded_channel();
        let (_interrupt, interrupted) = tokio::sync::watch::channel(false);
        let works = self.works().await;
        let controls = Controls::alone(interrupted);
        let ended = run(self.shop_with(tries).await, works, rules, events, controls);
        let summary = tokio::time::timeout(Duration::from_secs(60), ended).await.expect("it ends").unwrap();
        let mut told = Vec::new();
        while let Ok(event) = heard.try_recv() {
            told.push(event);
        }
        (summary, told)
    }

    /// Runs every open job for so long; true if the engine still ran then. It is gone afterwards, as after a kill.
    pub async fn run_for(&self, tries: Tries, time: Duration) -> bool {
        tokio::time::timeout(time, self.run(tries)).await.is_err()
    }
}
