//! A state in a folder of its own, and short ways to what tests do with it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops at its first surprise")]

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jobs::collect::CollectedOutput;
use jobs::provenance::ImageIdentity;
use jobs::state::{Attempt, Claim, JobDefinition, JobResult, NewJob, State, Status};
use jobs::{CodeSource, JobId, ObjectId, Pin, PinnedNeed, Request, RequestId, Stale, StatusCode};
use pipeline::{ActionName, DataKind, PrivacyLevel, RuntimeRef};

pub struct Store {
    pub state: State,
    folder: tempfile::TempDir,
}

pub fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

pub fn claim() -> Claim {
    Claim { owner: "agent".into(), lease_until: None, waivers: BTreeSet::new() }
}

pub fn name(text: &str) -> ActionName {
    ActionName::new(text)
}

pub fn names(texts: &[&str]) -> Vec<ActionName> {
    texts.iter().map(|text| name(text)).collect()
}

pub fn output(path: &str) -> CollectedOutput {
    CollectedOutput {
        path: path.into(),
        level: PrivacyLevel::ModeratelySensitive,
        size: 7,
        object: ObjectId::of(path.as_bytes()),
        mtime_ns: 1_700_000_000_123_456_789,
        excluded: None,
        row_count: Some(0),
        col_count: None,
    }
}

pub fn done(code: StatusCode, outputs: &[&str]) -> JobResult {
    JobResult {
        status: Status::new(code, "the end"),
        outputs: outputs.iter().map(|path| output(path)).collect(),
        components: None,
        exit_code: Some(0),
        milliseconds: Some(1500),
        peak_bytes: Some(1 << 20),
    }
}

pub fn definition(action: &str) -> JobDefinition {
    JobDefinition {
        format: jobs::state::DEFINITION_FORMAT,
        workspace: "ws".parse().unwrap(),
        action: name(action),
        words: vec!["python:v2".into(), "a \"b\" é".into()],
        config: None,
        runtime: RuntimeRef { name: "python".into(), tag: "v2".into() },
        image: ImageIdentity::Environment { lock: "lock".into() },
        special: None,
        is_database: false,
        data: DataKind::Dummy,
        outputs: vec![],
        code: CodeSource::Snapshot,
        tree: "tree".into(),
        reusable: None,
        environment: BTreeMap::new(),
        scope: Default::default(),
        memory_bytes: Some(4 << 30),
        cpu_millis: Some(2000),
        time_limit_seconds: None,
        unknown: BTreeMap::new(),
    }
}

pub fn request_of(number: u8) -> Request {
    Request {
        id: RequestId::from_random([number; 10]),
        backend: "local".into(),
        workspace: "ws".parse().unwrap(),
        code: CodeSource::Snapshot,
        database_name: "default".into(),
        requested_actions: names(&["run_all"]),
        force_run_dependencies: false,
        stale: Stale::Keep,
        codelists_ok: true,
        created_by: "someone".into(),
        project: "p".into(),
        orgs: vec![],
        analysis_scope: Default::default(),
        created_at: 1,
    }
}

impl Store {
    /// As a backend has it: ends are told when their results are in place.
    pub fn holding(self) -> Self {
        Self { state: self.state.holding(), ..self }
    }

    pub async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let state = State::open(&folder.path().join("state.sqlite")).await.unwrap();
        Self { state, folder }
    }

    /// As after a kill: the connections are dropped, the files stay.
    pub async fn reopen(self) -> Self {
        let folder = self.folder;
        drop(self.state);
        let state = State::open(&folder.path().join("state.sqlite")).await.unwrap();
        Self { state, folder }
    }

    /// Stores a plan in which every need is a new job of the same request.
    pub async fn plan(&self, number: u8, jobs: &[(&str, &[&str])]) -> Request {
        let request = request_of(number);
        let asked: Vec<_> = jobs.iter().map(|(action, _)| name(action)).collect();
        let seen = self.state.latest_jobs(&request.workspace, &asked).await.unwrap();
        let new = |(action, needs): &(&str, &[&str])| NewJob {
            definition: definition(action),
            pins: needs.iter().map(|need| PinnedNeed { action: name(need), pin: Pin::New }).collect(),
        };
        let jobs: Vec<_> = jobs.iter().map(new).collect();
        self.state.record_plan(&request, &jobs, &seen, at(1)).await.unwrap();
        request
    }

    pub async fn by_action(&self, request: &Request) -> BTreeMap<String, JobId> {
        let jobs = self.state.jobs_of(request.id).await.unwrap();
        jobs.into_iter().map(|job| (job.definition.action.to_string(), job.id)).collect()
    }

    pub async fn code(&self, job: JobId) -> StatusCode {
        self.state.job(job).await.unwrap().status.code
    }

    /// Claims a job and begins its command.
    pub async fn run(&self, job: JobId, second: i64) -> Attempt {
        let attempt = self.state.claim(job, &claim(), at(second)).await.unwrap();
        self.state.set_stage(&attempt, &Status::new(StatusCode::Executing, ""), at(second)).await.unwrap();
        attempt
    }
}
