//! The forms in which a plan is shown, as people and programs read them (spec project-yaml.md 13, cli.md 6).
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on should stop")]

mod common;

use std::collections::BTreeMap;

use jobs::explain::{LastRun, PlanView, RunKind, plan_dot, plan_human, plan_json, plan_mermaid, why_human};
use jobs::plan::plan;
use jobs::provenance::{Change, CodeChange};
use jobs::{Difference, JobId, JobState, LatestJob, PlanRequest, RequestId, Stale, Staleness};
use pipeline::ActionName;

fn name(text: &str) -> ActionName {
    ActionName::new(text)
}

fn job(action: &str) -> JobId {
    JobId::of(&RequestId::from_random([3; 10]), &name(action))
}

fn inputs_changed() -> Staleness {
    let (path, action, job) = ("output/clean.csv".into(), name("clean"), job("clean"));
    Staleness::Stale(vec![Difference::Inputs { path, change: Change::Changed, action, job }])
}

/// clean -> fit -> paper, as in spec cli.md 6.
fn view(stale: Stale, requested: &[&str], staleness: Staleness) -> PlanView {
    let actions = [
        ("clean", "cohort-joiner:v0.0.7 --lhs a", &[][..]),
        ("fit", "r:latest analysis/fit.R", &["clean"]),
        ("paper", "python:v1 paper.py", &["fit"]),
    ];
    let project = common::project(
        actions.map(|(name, run, needs)| (name, run.to_owned(), needs.iter().map(|n| n.to_string()).collect())),
    );
    let request = PlanRequest {
        requested: requested.iter().map(|n| name(n)).collect(),
        force: false,
        stale,
        codelists_ok: true,
        commit: None,
    };
    let latest = |action: &str, state, staleness| {
        let latest = LatestJob { job: job(action), state, outputs_missing: false, staleness, commit: None };
        (name(action), latest)
    };
    let latest = BTreeMap::from([
        latest("clean", JobState::Succeeded, Staleness::UpToDate),
        latest("fit", JobState::Succeeded, staleness.clone()),
        latest("paper", JobState::Failed, Staleness::Unknown),
    ]);
    let mut view = PlanView::of(&project, &request, &plan(&project, &request, &latest).unwrap());
    for action in &mut view.actions {
        let (kind, finished, seconds) = match action.action.as_str() {
            "clean" => (RunKind::Builtin, "2026-01-02T02:58:11Z", 20.0),
            "fit" => (RunKind::Native, "2026-01-02T03:00:00Z", 3.2),
            _ => (RunKind::Native, "2026-01-02T03:04:05Z", 12.1),
        };
        action.runtime.kind = kind;
        action.runtime.resolved = action.runtime.written.replace("latest", "v1");
        let latest = &latest[&action.action];
        action.staleness = (latest.state == JobState::Succeeded).then(|| latest.staleness.clone());
        action.last = Some(LastRun {
            job: latest.job,
            state: latest.state,
            finished_at: Some(finished.parse().unwrap()),
            seconds: Some(seconds),
            peak_bytes: Some(321_000_000),
        });
    }
    view
}

#[test]
fn human_rerun() {
    insta::assert_snapshot!(plan_human(&view(Stale::Rerun, &["run_all"], inputs_changed())));
}

#[test]
fn human_keep() {
    insta::assert_snapshot!(plan_human(&view(Stale::Keep, &["run_all"], inputs_changed())));
}

#[test]
fn human_nothing_to_do() {
    let changes = vec![CodeChange { path: "analysis/old.R".into(), change: Change::Removed, read: false }];
    let mut kept = view(Stale::Keep, &["run_all"], Staleness::PossiblyStale(changes));
    kept.actions.pop();
    kept.nothing_to_do = Some(jobs::NothingToDo::AllSucceeded);
    kept.warnings = vec!["a \u{1b}[31mred\u{1b}[0m name".into()];
    insta::assert_snapshot!(plan_human(&kept));
}

#[test]
fn json() {
    let mut view = view(Stale::Rerun, &["run_all"], inputs_changed());
    view.actions[2].job = Some(job("paper"));
    insta::assert_json_snapshot!(plan_json(&view));
}

#[test]
fn graphs() {
    let mut view = view(Stale::Rerun, &["run_all"], inputs_changed());
    view.actions[0].database = true;
    view.actions[2].action = name("a \"b\"]");
    insta::assert_snapshot!(plan_mermaid(&view));
    insta::assert_snapshot!(plan_dot(&view));
}

#[test]
fn why() {
    let mut view = view(Stale::Rerun, &["run_all"], inputs_changed());
    let code = |path: &str| Difference::Code(CodeChange { path: path.into(), change: Change::Changed, read: true });
    view.actions[1].staleness =
        Some(Staleness::Stale(vec![code("analysis/fit.R"), Difference::Config { keys: vec!["tables".into()] }]));
    let cause = Box::new(code("analysis/fit.R"));
    let inherited = Difference::Needs { action: name("fit"), first: name("fit"), cause };
    view.actions[2].staleness = Some(Staleness::Stale(vec![inherited]));
    view.actions[2].reason = jobs::Reason::Stale;
    insta::assert_snapshot!(why_human(&view, &name("paper")).unwrap());
    assert_eq!(why_human(&view, &name("nobody")), None);
}
