//! The document `cloister.plan/1`. Fields are only ever added within `/1`.
//! Spec project-yaml.md 13.

use pipeline::{ActionName, Pattern, PrivacyLevel};
use serde::Serialize;
use serde_json::{Value, json};

use super::{ActionView, CriticalPath, PlanView, RuntimeView, critical_path};
use crate::{Decision, Difference, JobId, JobState, NothingToDo, Reason, Stale, Staleness};

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    requested: &'a [ActionName],
    force: bool,
    stale: Stale,
    nothing_to_do: Option<NothingToDo>,
    actions: Vec<Action<'a>>,
    critical_path: CriticalPath,
    warnings: &'a [String],
    diagnostics: &'a [Value],
}

#[derive(Serialize)]
struct Action<'a> {
    action: &'a ActionName,
    line: u32,
    decision: Decision,
    reason: Reason,
    state: Option<&'static str>,
    differs: Vec<Difference>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    missing: &'a [String],
    needs: &'a [ActionName],
    waits_for: &'a [ActionName],
    wave: u32,
    runtime: &'a RuntimeView,
    database: bool,
    command: &'a [String],
    command_line: String,
    outputs: Vec<Output<'a>>,
    last: Option<Last>,
    #[serde(skip_serializing_if = "Option::is_none")]
    job: Option<JobId>,
}

#[derive(Serialize)]
struct Output<'a> {
    level: PrivacyLevel,
    name: &'a str,
    pattern: &'a Pattern,
}

#[derive(Serialize)]
struct Last {
    job: JobId,
    state: JobState,
    finished_at: Option<String>,
    seconds: Option<f64>,
    peak_bytes: Option<u64>,
}

fn differs(staleness: &Staleness) -> Vec<Difference> {
    match staleness {
        Staleness::Stale(differences) => differences.clone(),
        Staleness::PossiblyStale(changes) => changes.iter().cloned().map(Difference::Code).collect(),
        Staleness::UpToDate | Staleness::Unknown => Vec::new(),
    }
}

fn output(output: &pipeline::Output) -> Output<'_> {
    Output { level: output.level, name: &output.name, pattern: &output.pattern }
}

fn action(view: &ActionView) -> Action<'_> {
    Action {
        action: &view.action,
        line: view.line,
        decision: view.reason.decision(),
        reason: view.reason,
        state: view.staleness.as_ref().map(Staleness::as_str),
        differs: view.staleness.as_ref().map(differs).unwrap_or_default(),
        missing: &view.missing,
        needs: &view.needs,
        waits_for: &view.waits_for,
        wave: view.wave,
        runtime: &view.runtime,
        database: view.database,
        command: &view.command,
        command_line: pipeline::quote_command(&view.command),
        outputs: view.outputs.iter().map(output).collect(),
        last: view.last.as_ref().map(|last| Last {
            job: last.job,
            state: last.state,
            finished_at: last.finished_at.map(|at| at.to_string()),
            seconds: last.seconds,
            peak_bytes: last.peak_bytes,
        }),
        job: view.job,
    }
}

/// The plan as JSON.
pub fn plan_json(plan: &PlanView) -> Value {
    json!(Document {
        schema: "cloister.plan/1",
        requested: &plan.requested,
        force: plan.force,
        stale: plan.stale,
        nothing_to_do: plan.nothing_to_do,
        actions: plan.actions.iter().map(action).collect(),
        critical_path: critical_path(plan),
        warnings: &plan.warnings,
        diagnostics: &plan.diagnostics,
    })
}
