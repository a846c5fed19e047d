//! The table of planning: from a project and what was made before to the jobs that are needed.
//! Goal of spec project-yaml.md 16: 2,000 actions in 50 ms.

use std::collections::BTreeMap;

use jobs::{PlanRequest, Stale};
use pipeline::ActionName;

use crate::clock::Times;
use crate::generate;

/// Prints it.
pub(crate) fn table() -> Result<(), Box<dyn std::error::Error>> {
    println!("\n| planning | new jobs | median, ms | least, ms | goal, ms |");
    println!("|---|---|---|---|---|");
    for actions in [200, 2000] {
        let text = generate::project(actions, 300);
        let project =
            pipeline::load(text.as_bytes(), "project.yaml").project.ok_or("a generated file does not load")?;
        let request = PlanRequest {
            requested: vec![ActionName::new("run_all")],
            force: false,
            stale: Stale::Rerun,
            codelists_ok: true,
            commit: None,
        };
        let planned = jobs::plan::plan(&project, &request, &BTreeMap::new())?.new_jobs().count();
        let times = Times::of(|| drop(std::hint::black_box(jobs::plan::plan(&project, &request, &BTreeMap::new()))));
        let goal = if actions == 2000 { "50" } else { "" };
        println!("| {actions} actions | {planned} | {:.2} | {:.2} | {goal} |", times.median_ms(), times.least_ms());
    }
    Ok(())
}
