//! A run as one JSON object per line: `cloister.events/1`. Spec cli.md 4.6.

use jiff::Timestamp;
use jobs::engine::{Event, JobReport, RunSummary, Stage};
use jobs::explain::{PlanView, plan_json};
use serde_json::{Value, json};

fn line(event: &str, rest: Value) -> String {
    let mut object = json!({ "schema": "cloister.events/1", "event": event, "at": Timestamp::now().to_string() });
    if let (Some(object), Value::Object(rest)) = (object.as_object_mut(), rest) {
        object.extend(rest);
    }
    object.to_string()
}

pub(super) fn started(view: &PlanView) -> String {
    line("run_started", json!({ "plan": plan_json(view) }))
}

/// The lines of one change; stages within a code have none.
pub(super) fn event(event: &Event) -> Option<String> {
    match event {
        Event::Stage { action, stage } => {
            let (code, message) = match stage {
                Stage::Preparing => ("preparing", "Preparing"),
                Stage::Executing => ("executing", "Executing"),
                Stage::Recording => ("finalizing", "Collecting outputs"),
                Stage::CopiedCode(_) | Stage::CopiedInput(_) | Stage::Recorded(_) => return None,
            };
            let body = json!({ "action": action, "state": "running", "code": code, "message": message });
            Some(line("job_state", body))
        }
        Event::Sample { action, memory, cpu_seconds } => {
            let body = json!({ "action": action, "fraction": null, "rss_bytes": memory, "cpu_seconds": cpu_seconds });
            Some(line("job_progress", body))
        }
        Event::PutBack { action, message } => {
            let body =
                json!({ "action": action, "state": "pending", "code": "waiting_on_new_task", "message": message });
            Some(line("job_state", body))
        }
        Event::Stuck { action, message } => {
            let body = json!({ "action": action, "state": "running", "code": "executing", "message": message });
            Some(line("job_state", body))
        }
        // Of no single job.
        Event::Modes(_) => None,
        Event::Finished(report) => Some(line("job_finished", job(report))),
    }
}

fn job(report: &JobReport) -> Value {
    let outputs: Vec<Value> = report
        .outputs
        .iter()
        .map(|output| {
            json!({
                "path": output.path,
                "level": output.level,
                "bytes": output.size,
                "sha256": output.object.hex(),
                "excluded": output.excluded,
            })
        })
        .collect();
    json!({
        "action": report.action,
        "state": report.code.state().as_str(),
        "code": report.code.as_str(),
        "message": report.message,
        "exit_code": report.exit_code,
        "seconds": report.seconds,
        "peak_bytes": report.peak_memory,
        "outputs": outputs,
        "log": report.log,
    })
}

pub(super) fn finished(summary: &RunSummary, reused: usize, exit: u8) -> String {
    let succeeded = summary.reports.iter().filter(|report| report.succeeded()).count();
    let cancelled = summary.reports.iter().filter(|report| report.cancelled()).count();
    let counts = json!({
        "succeeded": succeeded,
        "failed": summary.reports.len() - succeeded - cancelled,
        "cancelled": cancelled,
        "not_started": summary.not_started.len(),
        "reused": reused,
    });
    line("run_finished", json!({ "counts": counts, "exit": exit }))
}
