//! Before the first job starts: a program for every planned job, missing environments built, every gap told at once.
//! Spec cli.md 4.2 (step 4), 5, 12.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;

use jobs::Plan;
use jobs::local::Runtimes;
use pipeline::report::visible;
use pipeline::{Project, RuntimeRef};
use runtimes::{Found, Program};

use crate::env;
use crate::planning::{Located, lack};
use crate::terminal::Terminal;

/// Programs for the actions that get a new job.
pub(crate) fn ready(
    project: &Project,
    plan: &Plan,
    located: &Located,
    terminal: &Terminal,
) -> Result<Runtimes, Box<dyn Error>> {
    let needed: BTreeSet<&RuntimeRef> =
        plan.new_jobs().map(|visited| &project.actions[visited.index].runtime).collect();
    let mut gaps = Vec::new();
    for runtime in &needed {
        if let Some(Err(missing)) = located.get(*runtime) {
            let actions: Vec<_> = plan
                .new_jobs()
                .filter(|visited| &project.actions[visited.index].runtime == *runtime)
                .map(|visited| visible(visited.action.as_str()).into_owned())
                .collect();
            gaps.push(format!("error[{}]: {missing}\n  = needed by {}", missing.code, actions.join(", ")));
        }
    }
    for visited in plan.new_jobs() {
        let action = &project.actions[visited.index];
        if let Some(lack) = lack(action) {
            let (runtime, name) = (&action.runtime, visible(action.name.as_str()));
            gaps.push(format!("error[X206]: {runtime}: {}\n  = needed by {name}", visible(&lack)));
        }
    }
    if !gaps.is_empty() {
        return Err(gaps.join("\n").into());
    }
    let mut programs: BTreeMap<&RuntimeRef, Program> = BTreeMap::new();
    let mut warned = BTreeSet::new();
    for runtime in needed {
        let Some(Ok(found)) = located.get(runtime) else { continue };
        if warned.insert(found.located().warnings.iter().map(|w| w.message.clone()).collect::<Vec<_>>()) {
            env::warn(found.located(), terminal);
        }
        let program = match found {
            Found::Ready(program) => program.clone(),
            Found::Build(plan) => {
                env::build(runtime, plan, terminal).map_err(|error| format!("error: {runtime}: {error}"))?
            }
        };
        programs.insert(runtime, program);
    }
    let program = |action: &pipeline::Action| Some((action.name.clone(), programs.get(&action.runtime)?.clone()));
    Ok(plan.new_jobs().filter_map(|visited| program(&project.actions[visited.index])).collect())
}
