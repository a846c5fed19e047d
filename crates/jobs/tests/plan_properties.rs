//! Planning on random graphs, states and requests (spec jobs.md 25).
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on should stop")]

mod common;

use std::collections::{BTreeMap, BTreeSet};

use jobs::plan::plan;
use jobs::provenance::{Change, CodeChange};
use jobs::{
    Difference, JobId, JobState, LatestJob, NothingToDo, Pin, Plan, PlanRequest, Reason, RequestId, Stale, Staleness,
};
use pipeline::{ActionName, Project};
use proptest::prelude::*;

fn name(i: usize) -> ActionName {
    ActionName::new(format!("a{i}"))
}

fn job(request: u8, action: &ActionName) -> JobId {
    JobId::of(&RequestId::from_random([request; 10]), action)
}

type Latest = BTreeMap<ActionName, LatestJob>;

/// Needs go from later to earlier actions, and the order in the file is a shuffle of that.
fn a_project() -> impl Strategy<Value = Project> {
    (1usize..14)
        .prop_flat_map(|n| {
            let needs = (0..n).map(|i| proptest::collection::btree_set(0..i.max(1), 0..4)).collect::<Vec<_>>();
            (needs, Just((0..n).collect::<Vec<_>>()).prop_shuffle())
        })
        .prop_map(|(needs, order)| {
            common::project(order.into_iter().map(|i| {
                let mut needs: Vec<_> =
                    needs[i].iter().filter(|&&need| need < i).map(|need| format!("a{need}")).collect();
                needs.reverse();
                let run = if i % 3 == 0 { format!("sqlrunner:v1 q{i}.sql") } else { format!("python:v2 a{i}.py") };
                (format!("a{i}"), run, needs)
            }))
        })
}

fn a_state(n: usize) -> impl Strategy<Value = Latest> {
    let one = (0..8usize, any::<bool>(), any::<bool>());
    proptest::collection::vec(one, n).prop_map(|all| {
        let mut latest = BTreeMap::new();
        for (i, (state, outputs_missing, stale)) in all.into_iter().enumerate() {
            let state = match state {
                0..4 => JobState::Succeeded,
                4 => JobState::Failed,
                5 => JobState::Running,
                6 => JobState::Pending,
                _ => continue,
            };
            let changed = CodeChange { path: "x.py".into(), change: Change::Changed, read: true };
            let staleness = if stale { Staleness::Stale(vec![Difference::Code(changed)]) } else { Staleness::UpToDate };
            let outputs_missing = outputs_missing && stale;
            let action = name(i);
            latest.insert(
                action.clone(),
                LatestJob { job: job(1, &action), state, outputs_missing, staleness, commit: None },
            );
        }
        latest
    })
}

fn a_request(n: usize) -> impl Strategy<Value = PlanRequest> {
    (proptest::collection::vec(0..=n, 1..4), any::<bool>(), any::<bool>()).prop_map(move |(requested, force, rerun)| {
        let named = |i: usize| if i == n { ActionName::new("run_all") } else { name(i) };
        PlanRequest {
            requested: requested.into_iter().map(named).collect(),
            force,
            stale: if rerun { Stale::Rerun } else { Stale::Keep },
            codelists_ok: true,
            commit: None,
        }
    })
}

fn a_case() -> impl Strategy<Value = (Project, Latest, PlanRequest)> {
    a_project().prop_flat_map(|project| {
        let n = project.actions.len();
        (Just(project), a_state(n), a_request(n))
    })
}

/// The table of rules, read as plainly as it is written: recursive, and deciding one action at a time.
fn naive(
    project: &Project,
    latest: &Latest,
    request: &PlanRequest,
    action: &ActionName,
    decided: &mut BTreeMap<ActionName, Reason>,
    order: &mut Vec<ActionName>,
) {
    if decided.contains_key(action) {
        return;
    }
    let needs = &project.action(action).unwrap().needs;
    let job = latest.get(action);
    let state = job.map(|job| job.state);
    let is_active = matches!(state, Some(JobState::Pending | JobState::Running));
    let reason = if is_active {
        Some(Reason::AlreadyActive)
    } else if request.requested.contains(action) {
        Some(Reason::Requested)
    } else if request.force {
        Some(Reason::Forced)
    } else if state == Some(JobState::Succeeded) && job.unwrap().outputs_missing {
        Some(Reason::OutputMissing)
    } else if state == Some(JobState::Failed) {
        Some(Reason::FailedBefore)
    } else if state.is_none() {
        Some(Reason::NeverRun)
    } else {
        None
    };
    let rerun = request.stale == Stale::Rerun;
    let is_new = reason.is_some_and(|reason| reason != Reason::AlreadyActive);
    if is_new || reason.is_none() && rerun {
        for need in needs {
            naive(project, latest, request, need, decided, order);
        }
    }
    let reason = reason.unwrap_or_else(|| {
        let moved = needs.iter().any(|need| decided.get(need).is_some_and(|reason| *reason != Reason::Succeeded));
        let stale = matches!(job.unwrap().staleness, Staleness::Stale(_));
        if rerun && (stale || moved) { Reason::Stale } else { Reason::Succeeded }
    });
    decided.insert(action.clone(), reason);
    order.push(action.clone());
}

fn roots(project: &Project, request: &PlanRequest) -> Vec<ActionName> {
    if request.requested.iter().any(ActionName::is_run_all) {
        project.actions.iter().map(|action| action.name.clone()).collect()
    } else {
        request.requested.clone()
    }
}

/// What is true when the jobs of a plan have been stored.
fn after(plan: &Plan, latest: &Latest) -> Latest {
    let mut latest = latest.clone();
    for visited in plan.new_jobs() {
        let (job, state, staleness) = (job(2, &visited.action), JobState::Pending, Staleness::Unknown);
        let entry = LatestJob { job, state, outputs_missing: false, staleness, commit: None };
        latest.insert(visited.action.clone(), entry);
    }
    latest
}

proptest! {
    #[test]
    fn it_is_the_table_of_rules((project, latest, request) in a_case()) {
        let made = plan(&project, &request, &latest).unwrap();
        let (mut decided, mut order) = (BTreeMap::new(), Vec::new());
        for root in roots(&project, &request) {
            naive(&project, &latest, &request, &root, &mut decided, &mut order);
        }
        prop_assert_eq!(made.visited.iter().map(|v| v.action.clone()).collect::<Vec<_>>(), order);
        for visited in &made.visited {
            prop_assert_eq!(visited.reason, decided[&visited.action]);
        }
        prop_assert_eq!(plan(&project, &request, &latest).unwrap(), made, "same input, same plan");
    }

    #[test]
    fn pins_and_waits((project, latest, request) in a_case()) {
        let made = plan(&project, &request, &latest).unwrap();
        let mut planned: BTreeSet<&ActionName> = BTreeSet::new();
        for visited in &made.visited {
            let needs = &project.actions[visited.index].needs;
            if !visited.is_new() {
                prop_assert!(visited.pins.is_empty() && visited.waits_for.is_empty());
                continue;
            }
            prop_assert_eq!(visited.pins.iter().map(|p| &p.action).collect::<Vec<_>>(), needs.iter().collect::<Vec<_>>());
            for need in &visited.pins {
                match need.pin {
                    // Only to jobs earlier in the plan: so waits form no cycle, and storing in order always works.
                    Pin::New => prop_assert!(planned.contains(&need.action)),
                    Pin::Existing(job) => {
                        prop_assert_eq!(job, latest[&need.action].job);
                        prop_assert!(latest[&need.action].state != JobState::Failed);
                    }
                }
                let finished = matches!(need.pin, Pin::Existing(_)) && latest[&need.action].state == JobState::Succeeded;
                prop_assert_eq!(visited.waits_for.contains(&need.action), !finished);
            }
            planned.insert(&visited.action);
        }
        prop_assert_eq!(made.nothing_to_do.is_some(), planned.is_empty());
    }

    #[test]
    fn naming_more_never_removes_a_job((project, latest, request) in a_case(), more in 0usize..14) {
        let more = name(more % project.actions.len());
        let wider = PlanRequest { requested: [&request.requested[..], &[more]].concat(), ..request.clone() };
        let jobs = |request: &PlanRequest| -> BTreeSet<ActionName> {
            plan(&project, request, &latest).unwrap().new_jobs().map(|v| v.action.clone()).collect()
        };
        prop_assert!(jobs(&request).is_subset(&jobs(&wider)));
    }

    #[test]
    fn planning_again_finds_it_scheduled((project, latest, request) in a_case()) {
        let made = plan(&project, &request, &latest).unwrap();
        let again = plan(&project, &PlanRequest { force: false, ..request }, &after(&made, &latest)).unwrap();
        if made.nothing_to_do.is_none() {
            prop_assert_eq!(again.nothing_to_do, Some(NothingToDo::AlreadyScheduled));
        } else {
            prop_assert_eq!(again.nothing_to_do, made.nothing_to_do);
        }
    }

    #[test]
    fn codelists_stop_exactly_what_would_extract((project, latest, request) in a_case()) {
        let made = plan(&project, &request, &latest).unwrap();
        let reads: Vec<_> = made.new_jobs().filter(|v| project.actions[v.index].is_database()).map(|v| v.action.clone()).collect();
        match plan(&project, &PlanRequest { codelists_ok: false, ..request }, &latest) {
            Ok(same) => prop_assert!(reads.is_empty() && same == made),
            Err(jobs::PlanRejection::CodelistsStale { actions }) => prop_assert_eq!(actions, reads),
            Err(other) => panic!("{other}"),
        }
    }
}

#[test]
fn a_chain_of_ten_thousand_and_a_thousand_needs_are_planned() {
    let n = 10_000;
    let chain = common::project((0..n).map(|i| {
        let needs = if i == 0 { vec![] } else { vec![format!("a{}", i - 1)] };
        (format!("a{i}"), format!("python:v2 a{i}.py"), needs)
    }));
    let request = PlanRequest {
        requested: vec![name(n - 1)],
        force: false,
        stale: Stale::Rerun,
        codelists_ok: true,
        commit: None,
    };
    let made = plan(&chain, &request, &BTreeMap::new()).unwrap();
    assert_eq!((made.visited.len(), made.visited[n - 1].wave), (n, n as u32));
    let wide = common::project((0..1001).map(|i| {
        let needs = if i < 1000 { vec![] } else { (0..1000).map(|need| format!("a{need}")).collect() };
        (format!("a{i}"), format!("python:v2 a{i}.py"), needs)
    }));
    let request = PlanRequest { requested: vec![name(1000)], ..request };
    let made = plan(&wide, &request, &BTreeMap::new()).unwrap();
    assert_eq!((made.visited.len(), made.visited[1000].waits_for.len(), made.visited[1000].wave), (1001, 1000, 2));
}
