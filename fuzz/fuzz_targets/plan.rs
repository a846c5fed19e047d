//! Any project.yaml that loads can be planned, and each planned job waits only for jobs that are planned before it.
#![no_main]

use std::collections::BTreeSet;

use jobs::{PlanRequest, Stale};
use libfuzzer_sys::fuzz_target;
use pipeline::ActionName;

fuzz_target!(|bytes: &[u8]| {
    let Some(project) = pipeline::load(bytes, "project.yaml").project else { return };
    for action in &project.actions {
        action.expand(&project, pipeline::DataKind::Dummy);
        action.is_database();
        pipeline::files_named(action);
    }
    let request = PlanRequest {
        requested: vec![ActionName::new("run_all")],
        force: bytes.len() % 2 == 0,
        stale: if bytes.len() % 3 == 0 { Stale::Keep } else { Stale::Rerun },
        codelists_ok: true,
        commit: None,
    };
    let Ok(plan) = jobs::plan::plan(&project, &request, &Default::default()) else { return };
    let mut seen = BTreeSet::new();
    for job in plan.new_jobs() {
        for need in &job.waits_for {
            assert!(seen.contains(need), "a job waits for one that comes later");
        }
        seen.insert(job.action.clone());
    }
});
