//! The table of rules that decides, for each visited action, whether its latest job is kept or a new one made.
//! Spec jobs.md 3.

use std::collections::{BTreeMap, BTreeSet};

use pipeline::{ActionName, Project};

use super::graph::Graph;
use super::{LatestJob, NothingToDo, Pin, PinnedNeed, Plan, PlanRejection, PlanRequest, PlanWarning, Reason, Visited};
use crate::{JobState, Stale};

/// What is known and asked, by position in the project.
struct Planner<'a> {
    project: &'a Project,
    graph: Graph,
    latest: Vec<Option<&'a LatestJob>>,
    named: Vec<bool>,
    request: &'a PlanRequest,
}

/// Plans a request: which actions are visited, which get new jobs, and whose outputs these will read.
///
/// `latest` holds the newest not cancelled job of each action that has one; names that are no actions of this project
/// are ignored.
///
/// # Errors
/// An unknown name, no name at all, codelists that are out of date where the database would be read, or a project that
/// `pipeline::load` would not have let pass.
pub fn plan(
    project: &Project,
    request: &PlanRequest,
    latest: &BTreeMap<ActionName, LatestJob>,
) -> Result<Plan, PlanRejection> {
    if request.requested.is_empty() {
        let message = "no action is requested: name at least one, or `run_all`".to_owned();
        return Err(PlanRejection::BadRequest { message });
    }
    let requested = crate::request::without_repeats(&request.requested);
    let is_known = |name: &ActionName| name.is_run_all() || project.index.contains_key(name);
    let unknown: Vec<_> = requested.iter().filter(|name| !is_known(name)).cloned().collect();
    if !unknown.is_empty() {
        return Err(PlanRejection::of_unknown(&unknown, project));
    }
    let graph = Graph::of(project).map_err(|bad| PlanRejection::of_graph(&bad, project))?;
    let order = graph.needs_first().map_err(|bad| PlanRejection::of_graph(&bad, project))?;
    let waves = graph.waves(&order);

    let mut named = vec![false; graph.len()];
    let mut roots = Vec::new();
    for name in requested.iter().filter(|name| !name.is_run_all()) {
        if let Some(&at) = project.index.get(name) {
            named[at] = true;
            roots.push(at);
        }
    }
    if requested.iter().any(ActionName::is_run_all) {
        roots = (0..graph.len()).filter(|&at| !project.actions[at].name.is_run_all()).collect();
    }
    let latest = project.actions.iter().map(|action| latest.get(&action.name)).collect();
    let planner = Planner { project, graph, latest, named, request };
    let plan = planner.plan(&roots, &waves).map_err(|bad| PlanRejection::of_graph(&bad, project))?;
    if !request.codelists_ok {
        let reads = |visited: &&Visited| project.actions[visited.index].is_database();
        let actions: Vec<_> = plan.new_jobs().filter(reads).map(|visited| visited.action.clone()).collect();
        if !actions.is_empty() {
            return Err(PlanRejection::CodelistsStale { actions });
        }
    }
    Ok(plan)
}

impl Planner<'_> {
    fn plan(&self, roots: &[usize], waves: &[u32]) -> Result<Plan, super::graph::BadGraph> {
        let mut reasons: Vec<Option<Reason>> = vec![None; self.graph.len()];
        let mut visited = Vec::new();
        self.graph.walk(
            roots.iter().copied(),
            |at| self.visits_needs(at),
            |at| {
                let reason = self.reason(at, &reasons);
                reasons[at] = Some(reason);
                visited.push(self.visited(at, reason, &reasons, waves[at]));
            },
        )?;
        let nothing_to_do = if visited.iter().any(Visited::is_new) {
            None
        } else if visited.iter().all(|v| v.reason == Reason::Succeeded) {
            Some(NothingToDo::AllSucceeded)
        } else {
            Some(NothingToDo::AlreadyScheduled)
        };
        let mut warnings = self.other_commits(&visited);
        warnings.extend(self.unvisited_faults(&visited, &reasons));
        Ok(Plan { visited, nothing_to_do, warnings })
    }

    /// What the rules say without looking at needs; `None` where rules 5 and 6 decide.
    fn early_reason(&self, at: usize) -> Option<Reason> {
        let latest = self.latest[at];
        match latest {
            Some(job) if job.state.is_active() => Some(Reason::AlreadyActive),
            _ if self.named[at] => Some(Reason::Requested),
            _ if self.request.force => Some(Reason::Forced),
            Some(job) if job.state == JobState::Succeeded => job.outputs_missing.then_some(Reason::OutputMissing),
            Some(_) => Some(Reason::FailedBefore),
            None => Some(Reason::NeverRun),
        }
    }

    /// New jobs need pins; a success may have to be made again because of its needs.
    fn visits_needs(&self, at: usize) -> bool {
        match self.early_reason(at) {
            Some(reason) => reason.decision() == super::Decision::New,
            None => self.request.stale == Stale::Rerun,
        }
    }

    fn reason(&self, at: usize, reasons: &[Option<Reason>]) -> Reason {
        if let Some(reason) = self.early_reason(at) {
            return reason;
        }
        let is_stale = || self.latest[at].is_some_and(|job| job.staleness.is_stale());
        let moves = |&need: &usize| reasons[need].is_some_and(|reason| reason != Reason::Succeeded);
        if self.request.stale == Stale::Rerun && (is_stale() || self.graph.needs(at).iter().any(moves)) {
            Reason::Stale
        } else {
            Reason::Succeeded
        }
    }

    fn visited(&self, at: usize, reason: Reason, reasons: &[Option<Reason>], wave: u32) -> Visited {
        let action = &self.project.actions[at];
        let (mut pins, mut waits_for) = (Vec::new(), Vec::new());
        if reason.decision() == super::Decision::New {
            for (&need, name) in self.graph.needs(at).iter().zip(&action.needs) {
                let kept = reasons[need].is_some_and(|reason| reason.decision() == super::Decision::Keep);
                let pin = match self.latest[need] {
                    Some(job) if kept => Pin::Existing(job.job),
                    _ => Pin::New,
                };
                if reasons[need] != Some(Reason::Succeeded) {
                    waits_for.push(name.clone());
                }
                pins.push(PinnedNeed { action: name.clone(), pin });
            }
        }
        Visited { action: action.name.clone(), index: at, reason, pins, waits_for, wave }
    }

    fn other_commits(&self, visited: &[Visited]) -> Vec<PlanWarning> {
        let mut warnings = Vec::new();
        for v in visited.iter().filter(|v| v.reason == Reason::AlreadyActive) {
            if let Some(job) = self.latest[v.index]
                && let Some(commit) = &job.commit
                && self.request.commit.as_ref() != Some(commit)
            {
                let (action, job, commit) = (v.action.clone(), job.job, commit.clone());
                warnings.push(PlanWarning::OtherCommit { action, job, commit });
            }
        }
        warnings
    }

    /// What kept successes rest on and is not visited, where its latest job failed or lost its outputs.
    fn unvisited_faults(&self, visited: &[Visited], reasons: &[Option<Reason>]) -> Vec<PlanWarning> {
        let mut warnings = Vec::new();
        let mut seen = BTreeSet::new();
        let mut from: Vec<(usize, usize)> =
            visited.iter().filter(|v| v.reason == Reason::Succeeded).map(|v| (v.index, v.index)).rev().collect();
        while let Some((kept, at)) = from.pop() {
            for &need in self.graph.needs(at) {
                if reasons[need].is_some() || !seen.insert(need) {
                    continue;
                }
                from.push((kept, need));
                let Some(job) = self.latest[need] else { continue };
                let name = |at: usize| self.project.actions[at].name.clone();
                let (kept, need) = (name(kept), name(need));
                if job.state == JobState::Failed {
                    warnings.push(PlanWarning::NeedFailed { kept, need });
                } else if job.state == JobState::Succeeded && job.outputs_missing {
                    warnings.push(PlanWarning::NeedOutputsMissing { kept, need });
                }
            }
        }
        warnings
    }
}
