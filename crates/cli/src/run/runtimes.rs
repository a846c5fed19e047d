//! Before the first job starts: a program for every planned job, missing environments built, every gap told at once.
//! Spec cli.md 4.2 (step 4), 5, 12.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;

use jobs::Plan;
use jobs::local::Runtimes;
use pipeline::report::visible;
use pipeline::{ActionName, Project, RuntimeRef};
use runtimes::{Found, Program};

use crate::env;
use crate::planning::{Located, lack};
use crate::terminal::Terminal;

/// Something that nothing here can run.
pub(crate) struct Gap<'a> {
    /// The actions that have to wait for it.
    pub(crate) actions: Vec<&'a ActionName>,
    text: String,
}

/// Why actions that would get a new job cannot run here (X205, X206).
pub(crate) fn gaps<'a>(project: &'a Project, plan: &Plan, located: &Located) -> Vec<Gap<'a>> {
    let mut lacking: BTreeMap<String, Vec<&ActionName>> = BTreeMap::new();
    for visited in plan.new_jobs() {
        let action = &project.actions[visited.index];
        let text = match located.get(&action.runtime) {
            Some(Err(missing)) => Some(format!("error[{}]: {missing}", missing.code)),
            _ => lack(action).map(|lack| format!("error[X206]: {}: {}", action.runtime, visible(&lack))),
        };
        if let Some(text) = text {
            lacking.entry(text).or_default().push(&action.name);
        }
    }
    lacking.into_iter().map(|(text, actions)| Gap { actions, text }).collect()
}

/// All gaps in the words of an error.
pub(crate) fn told(gaps: &[Gap<'_>]) -> String {
    let one = |gap: &Gap<'_>| {
        let names: Vec<_> = gap.actions.iter().map(|name| visible(name.as_str())).collect();
        format!("{}\n  = needed by {}", gap.text, names.join(", "))
    };
    gaps.iter().map(one).collect::<Vec<_>>().join("\n")
}

/// Programs for the actions that get a new job, when there are no gaps.
pub(crate) fn ready(
    project: &Project,
    plan: &Plan,
    located: &Located,
    terminal: &Terminal,
) -> Result<Runtimes, Box<dyn Error>> {
    let needed: BTreeSet<&RuntimeRef> =
        plan.new_jobs().map(|visited| &project.actions[visited.index].runtime).collect();
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
