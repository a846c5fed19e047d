//! A workspace with many past jobs, made through the same doors as real ones.

use std::error::Error;
use std::fs;
use std::path::Path;

use jiff::Timestamp;
use jobs::collect::CollectedOutput;
use jobs::state::{Claim, JobDefinition, JobResult, NewJob, State, Status};
use jobs::{JobId, ObjectId, Request, RequestId, StatusCode};
use pipeline::{ActionName, PrivacyLevel};
use serde_json::json;

use crate::running::fast_folder;

/// Actions of each past request.
const ACTIONS: usize = 50;

/// Adds so many succeeded jobs of other actions to a state file.
pub(crate) fn fill(state: &Path, jobs: usize) -> Result<(), Box<dyn Error>> {
    let folder = fast_folder()?;
    let copy = folder.path().join("state.sqlite");
    fs::copy(state, &copy)?;
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let state = State::open(&copy).await?;
        for _ in 0..jobs / ACTIONS {
            request(&state).await?;
        }
        state.close().await?;
        Ok::<_, Box<dyn Error>>(())
    })?;
    fs::copy(&copy, state)?;
    Ok(())
}

/// A request for these actions with a job for each.
pub(crate) fn planned(names: &[ActionName]) -> Result<(Request, Vec<NewJob>), Box<dyn Error>> {
    let id = RequestId::generate()?;
    let request: Request = serde_json::from_value(json!({
        "id": id, "backend": "expectations", "workspace": "local", "code": { "kind": "snapshot" },
        "database_name": "default", "requested_actions": names, "force_run_dependencies": true, "stale": "rerun",
        "codelists_ok": true, "created_by": "local", "project": "", "orgs": [], "analysis_scope": {},
        "created_at": Timestamp::now().as_second(),
    }))?;
    let definition = |action: &ActionName| -> Result<JobDefinition, serde_json::Error> {
        serde_json::from_value(json!({
            "format": 1, "workspace": "local", "action": action, "words": ["python:v2", "a.py"], "config": null,
            "runtime": { "name": "python", "tag": "v2" }, "image": { "kind": "environment", "lock": "x" },
            "special": null, "is_database": false, "data": "dummy", "outputs": [], "code": { "kind": "snapshot" },
            "tree": "x", "environment": {}, "scope": {}, "memory_bytes": null, "cpu_millis": null,
            "time_limit_seconds": null,
        }))
    };
    let mut new = Vec::new();
    for name in names {
        new.push(NewJob { definition: definition(name)?, pins: Vec::new() });
    }
    Ok((request, new))
}

async fn request(state: &State) -> Result<(), Box<dyn Error>> {
    let names: Vec<ActionName> = (0..ACTIONS).map(|n| ActionName::new(format!("past_{n}"))).collect();
    let (request, new) = planned(&names)?;
    let seen = state.latest_jobs(&request.workspace, &names).await?;
    state.record_plan(&request, &new, &seen, Timestamp::now()).await?;
    for name in &names {
        let claim = Claim { owner: "bench".into(), lease_until: None, waivers: [].into() };
        let attempt = state.claim(JobId::of(&request.id, name), &claim, Timestamp::now()).await?;
        state.set_stage(&attempt, &Status::new(StatusCode::Executing, "Executing"), Timestamp::now()).await?;
        let output = CollectedOutput {
            path: format!("output/{name}.csv"),
            level: PrivacyLevel::ModeratelySensitive,
            size: 1,
            object: ObjectId::of(name.as_str().as_bytes()),
            mtime_ns: 0,
            excluded: None,
            row_count: None,
            col_count: None,
        };
        let result = JobResult {
            status: Status::new(StatusCode::Succeeded, "Completed successfully"),
            outputs: vec![output],
            components: None,
            exit_code: Some(0),
            milliseconds: Some(1),
            peak_bytes: Some(1),
        };
        state.finish(&attempt, &result, Timestamp::now()).await?;
        state.mark_published(attempt.id).await?;
        state.mark_cleaned(attempt.id).await?;
    }
    Ok(())
}
