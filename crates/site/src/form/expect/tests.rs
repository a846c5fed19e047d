//! Any project, any record, any request: what is previewed is what planning says, and it is said in words.

use std::collections::BTreeSet;

use jobs::{Decision, JobId, RequestId, Stale};
use proptest::prelude::*;

use super::*;
use crate::form::record::{Known, Planned};

/// Needs by number; each action may need only those before it. Which of them ran before, and how that ended.
fn project(needs: &[BTreeSet<usize>]) -> Project {
    let mut yaml = "version: '5.0'\nactions:\n".to_owned();
    for (n, needs) in needs.iter().enumerate() {
        let names: Vec<String> = needs.iter().map(|need| format!("step_{need}")).collect();
        yaml.push_str(&format!(
            "  step_{n}:\n    run: python:v2 a.py {n}\n    needs: [{}]\n    outputs:\n      highly_sensitive:\n        x: out/{n}.csv\n",
            names.join(", ")
        ));
    }
    let loaded = pipeline::load(yaml.as_bytes(), "project.yaml");
    loaded.project.unwrap_or_else(|| panic!("{:?}", loaded.diagnostics))
}

fn needs() -> impl Strategy<Value = Vec<BTreeSet<usize>>> {
    (1usize..12).prop_flat_map(|count| {
        let each: Vec<_> = (0..count)
            .map(|n| {
                proptest::collection::btree_set(0..n.max(1), 0..=n.min(3)).prop_map(move |mut set| {
                    set.retain(|need| *need < n);
                    set
                })
            })
            .collect();
        each
    })
}

fn state() -> impl Strategy<Value = Option<JobState>> {
    prop_oneof![
        2 => Just(None),
        3 => Just(Some(JobState::Succeeded)),
        1 => Just(Some(JobState::Failed)),
        1 => Just(Some(JobState::Pending)),
        1 => Just(Some(JobState::Running)),
    ]
}

fn record(states: &[Option<JobState>]) -> Record {
    let request: RequestId = "abcdefghijklmnop".parse().unwrap();
    let known = states.iter().enumerate().filter_map(|(n, state)| {
        let name = ActionName::new(format!("step_{n}"));
        let planned = Planned {
            job: JobId::of(&request, &name),
            state: (*state)?,
            request: 100 + i64::try_from(n).unwrap(),
            commit: None,
            at: 0,
            staleness: jobs::Staleness::Unknown,
        };
        Some((name, Known { last: None, planned: Some(planned) }))
    });
    Record(known.collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn the_preview_is_the_plan(
        needs in needs(),
        states in proptest::collection::vec(state(), 12),
        ticked in proptest::collection::btree_set(0usize..12, 1..4),
        run_all in any::<bool>(),
        force in any::<bool>(),
        rerun in any::<bool>(),
    ) {
        let project = project(&needs);
        let states = &states[..needs.len()];
        let mut requested: Vec<ActionName> =
            ticked.iter().filter(|n| **n < needs.len()).map(|n| ActionName::new(format!("step_{n}"))).collect();
        if run_all || requested.is_empty() {
            requested.push(ActionName::new("run_all"));
        }
        let stale = if rerun { Stale::Rerun } else { Stale::Keep };
        let request = PlanRequest { requested: requested.clone(), force, stale, codelists_ok: true, commit: None };
        let record = record(states);
        let shown = expect(&project, &request, &record).unwrap();
        let plan = jobs::plan::plan(&project, &request, &record.latest()).unwrap();

        let names: Vec<String> = plan.visited.iter().map(|visited| visited.action.to_string()).collect();
        prop_assert_eq!(shown.steps.iter().map(|step| step.action.clone()).collect::<Vec<_>>(), names);
        prop_assert_eq!(shown.runs(), plan.new_jobs().count());
        prop_assert_eq!(shown.nothing_to_do.is_some(), shown.runs() == 0);
        prop_assert_eq!(shown.nothing().is_some(), shown.runs() == 0);
        for (step, visited) in shown.steps.iter().zip(&plan.visited) {
            prop_assert_eq!(step.decision == Deed::Run, visited.decision() == Decision::New);
            prop_assert_eq!(step.reason, visited.reason.as_str());
            let at: usize = step.action.strip_prefix("step_").unwrap().parse().unwrap();
            let is_open = states[at].is_some_and(|state| matches!(state, JobState::Pending | JobState::Running));
            prop_assert_eq!(step.decision == Deed::Attach, is_open);
            // By the rules of jobs.md 3, worked out here: named, forced, never run or failed means a new job.
            let named = requested.iter().any(|name| name.as_str() == step.action);
            if !is_open && (named || force || !matches!(states[at], Some(JobState::Succeeded))) {
                prop_assert_eq!(step.decision, Deed::Run);
            }
            if step.decision != Deed::Run {
                prop_assert_eq!(step.request, Some(100 + i64::try_from(at).unwrap()));
                let number = format!("request {}", 100 + at);
                prop_assert!(step.words.contains(&number), "{}", step.words);
            }
            prop_assert!(!step.words.is_empty());
        }
    }
}
