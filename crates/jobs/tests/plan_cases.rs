//! Runs the case files of `cases/plan`: project, state, request -> plan or rejection (spec jobs.md 3, 25).
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on should stop")]

mod common;

use std::collections::BTreeMap;
use std::path::Path;

use jobs::plan::{PlanWarning, plan};
use jobs::provenance::{Change, CodeChange};
use jobs::{
    Commit, Decision, Difference, JobId, JobState, LatestJob, Pin, Plan, PlanRejection, PlanRequest, RequestId, Stale,
    Staleness, Visited,
};
use pipeline::{ActionName, Project};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    /// A file of `cases/plan/projects`, or with `seeds/` before it a seed's own project.yaml.
    project: String,
    #[serde(default)]
    state: BTreeMap<String, Latest>,
    case: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Latest {
    State(String),
    Full(Full),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Full {
    state: String,
    #[serde(default)]
    staleness: Option<String>,
    #[serde(default)]
    outputs_missing: bool,
    #[serde(default)]
    commit: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    request: Vec<String>,
    #[serde(default)]
    force: bool,
    #[serde(default)]
    stale: Stale,
    #[serde(default = "yes")]
    codelists_ok: bool,
    commit: Option<String>,
    plan: Option<Vec<String>>,
    nothing_to_do: Option<String>,
    #[serde(default)]
    warnings: Vec<String>,
    reject: Option<String>,
    unknown: Option<Vec<String>>,
    valid: Option<Vec<String>>,
    actions: Option<Vec<String>>,
    message: Option<String>,
    /// The id of the request, and with it the ids of its new jobs.
    request_id: Option<String>,
    jobs: Option<BTreeMap<String, String>>,
}

fn yes() -> bool {
    true
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProjectFile {
    actions: Vec<ActionEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ActionEntry {
    name: String,
    #[serde(default)]
    run: Option<String>,
    #[serde(default)]
    needs: Vec<String>,
}

fn project(name: &str) -> Project {
    if name.starts_with("seeds/") {
        let file = common::cases().join("../../pipeline/cases").join(format!("{name}.yaml"));
        let loaded = pipeline::load(common::read(&file).as_bytes(), "project.yaml");
        return loaded.project.unwrap_or_else(|| panic!("{name}: {:?}", loaded.diagnostics));
    }
    let file = common::cases().join("plan/projects").join(format!("{name}.toml"));
    let file: ProjectFile = toml::from_str(&common::read(&file)).unwrap_or_else(|e| panic!("{name}: {e}"));
    common::project(file.actions.into_iter().map(|a| {
        let run = a.run.unwrap_or_else(|| format!("python:v2 analysis/{}.py", a.name));
        (a.name, run, a.needs)
    }))
}

/// A commit of forty times this digit.
fn commit(digit: &str) -> Commit {
    digit.repeat(40).parse().unwrap()
}

fn old_job(action: &ActionName) -> JobId {
    JobId::of(&RequestId::from_random([7; 10]), action)
}

fn latest(name: &str, latest: &Latest) -> (ActionName, LatestJob) {
    let (state, full) = match latest {
        Latest::State(state) => (state, None),
        Latest::Full(full) => (&full.state, Some(full)),
    };
    let change = CodeChange { path: "a.py".into(), change: Change::Changed, read: true };
    let staleness = match full.and_then(|full| full.staleness.as_deref()).unwrap_or("up_to_date") {
        "up_to_date" => Staleness::UpToDate,
        "stale" => Staleness::Stale(vec![Difference::Code(change)]),
        "possibly_stale" => Staleness::PossiblyStale(vec![CodeChange { read: false, ..change }]),
        "unknown" => Staleness::Unknown,
        other => panic!("staleness {other}"),
    };
    let action = ActionName::new(name);
    let latest = LatestJob {
        job: old_job(&action),
        state: state.parse::<JobState>().unwrap(),
        outputs_missing: full.is_some_and(|full| full.outputs_missing),
        staleness,
        commit: full.and_then(|full| full.commit.as_deref()).map(commit),
    };
    (action, latest)
}

fn line(visited: &Visited) -> String {
    let decision = if visited.decision() == Decision::New { "new" } else { "keep" };
    let mut line = format!("{} {decision} {} {}", visited.wave, visited.action, visited.reason.as_str());
    let list = |items: Vec<String>| items.join(", ");
    let pins = visited.pins.iter().map(|need| match need.pin {
        Pin::New => format!("new {}", need.action),
        Pin::Existing(job) => {
            assert_eq!(job, old_job(&need.action), "pinned to the latest job of that action");
            format!("kept {}", need.action)
        }
    });
    if !visited.pins.is_empty() {
        line += &format!("; reads {}", list(pins.collect()));
    }
    if !visited.waits_for.is_empty() {
        line += &format!("; waits {}", list(visited.waits_for.iter().map(ToString::to_string).collect()));
    }
    line
}

fn warning(warning: &PlanWarning) -> String {
    match warning {
        PlanWarning::NeedFailed { kept, need } => format!("need_failed {kept} {need}"),
        PlanWarning::NeedOutputsMissing { kept, need } => format!("need_outputs_missing {kept} {need}"),
        PlanWarning::OtherCommit { action, commit, .. } => format!("other_commit {action} {}", &commit.as_str()[..1]),
    }
}

fn check_plan(at: &str, case: &Case, plan: &Plan) {
    let lines: Vec<_> = plan.visited.iter().map(line).collect();
    assert_eq!(Some(&lines), case.plan.as_ref(), "{at}");
    assert_eq!(plan.nothing_to_do.map(|n| n.as_str().to_owned()), case.nothing_to_do, "{at}");
    if let Some(id) = &case.request_id {
        let id = id.parse::<RequestId>().unwrap();
        let jobs = plan.new_jobs().map(|v| (v.action.to_string(), JobId::of(&id, &v.action).to_string())).collect();
        assert_eq!(Some(jobs), case.jobs, "{at}");
    }
    assert_eq!(plan.warnings.iter().map(warning).collect::<Vec<_>>(), case.warnings, "{at}");
}

fn check_rejection(at: &str, case: &Case, rejection: &PlanRejection) {
    let code = serde_json::to_value(rejection.code()).unwrap();
    assert_eq!(code.as_str().map(str::to_owned), case.reject, "{at}: {rejection}");
    let names = |names: &[ActionName]| Some(names.iter().map(ToString::to_string).collect::<Vec<_>>());
    match rejection {
        PlanRejection::UnknownAction { unknown, valid } => {
            let unknown = unknown.iter().map(|u| {
                let near: Vec<_> = u.nearest.iter().map(ActionName::as_str).collect();
                format!("{} ~ {}", u.name, near.join(", ")).trim_end().to_owned()
            });
            assert_eq!(Some(unknown.collect()), case.unknown, "{at}");
            assert_eq!(names(valid), case.valid, "{at}");
        }
        PlanRejection::CodelistsStale { actions } => assert_eq!(names(actions), case.actions, "{at}"),
        _ => {}
    }
    if let Some(message) = &case.message {
        assert!(rejection.to_string().contains(message), "{at}: {rejection}");
    }
}

fn run(path: &Path) {
    let file: File = toml::from_str(&common::read(path)).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let project = project(&file.project);
    let latest: BTreeMap<_, _> = file.state.iter().map(|(name, entry)| latest(name, entry)).collect();
    for (number, case) in file.case.iter().enumerate() {
        let at = format!("{} case {}", path.display(), number + 1);
        let request = PlanRequest {
            requested: case.request.iter().map(ActionName::new).collect(),
            force: case.force,
            stale: case.stale,
            codelists_ok: case.codelists_ok,
            commit: case.commit.as_deref().map(commit),
        };
        match plan(&project, &request, &latest) {
            Ok(plan) => check_plan(&at, case, &plan),
            Err(rejection) => check_rejection(&at, case, &rejection),
        }
    }
}

#[test]
fn cases() {
    for path in common::files(&common::cases().join("plan"), "toml") {
        run(&path);
    }
}
