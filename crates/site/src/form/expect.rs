//! What is expected to run, and why, in words: the shared planning fed with the site's record. The backend's plan decides.
//! Spec site.md 7.4; jobs.md 3.

use jobs::{JobState, NothingToDo, PlanRejection, PlanRequest, Reason, Staleness};
use pipeline::{ActionName, Project};
use schemars::JsonSchema;
use serde::Serialize;

use super::aging;
use super::record::{Planned, Record};

/// What happens with an action, as the page groups it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "ExpectedDecision")]
pub enum Deed {
    /// A new job.
    Run,
    /// The outputs of an earlier job are used.
    Reuse,
    /// A job of another request, not finished yet, is shared.
    Attach,
}

/// One action of the closure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "ExpectedStep")]
pub struct Step {
    /// The action.
    pub action: String,
    /// What happens with it.
    pub decision: Deed,
    /// Why: a code of jobs.md 3.
    pub reason: &'static str,
    /// The same in words.
    pub words: String,
    /// Of an action that succeeded before: `up_to_date`, `stale`, `possibly_stale` or `unknown`, as two commits tell.
    pub state: Option<&'static str>,
    /// The request whose job is used or failed before.
    pub request: Option<i64>,
    /// Whether a new job reads the database, and so waits for one of the few workers that may.
    pub database: bool,
    /// The actions that it waits for.
    pub waits_for: Vec<String>,
}

/// What is expected of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "ExpectedPlan")]
pub struct Expected {
    /// Every action of the closure, in order.
    pub steps: Vec<Step>,
    /// Why nothing would run: `all_succeeded` or `already_scheduled`.
    pub nothing_to_do: Option<&'static str>,
    /// What may surprise.
    pub warnings: Vec<String>,
}

impl Expected {
    /// How many new jobs there would be.
    pub fn runs(&self) -> usize {
        self.steps.iter().filter(|step| step.decision == Deed::Run).count()
    }

    /// Why nothing would run, in a sentence.
    pub fn nothing(&self) -> Option<&'static str> {
        Some(match self.nothing_to_do? {
            "all_succeeded" => {
                "Nothing would run: everything that you chose has already succeeded. To run it again all the same, name the \
                 actions one by one, or tick “run dependencies again”."
            }
            _ => {
                "Nothing would run: everything that you chose has succeeded, or is already waiting or running for another \
                 request. You need not ask again."
            }
        })
    }
}

/// Plans as the backend will, from what the site knows.
///
/// # Errors
/// As `jobs::plan`.
pub fn expect(project: &Project, request: &PlanRequest, record: &Record) -> Result<Expected, PlanRejection> {
    let plan = jobs::plan::plan(project, request, &record.latest())?;
    let steps = plan.visited.iter().map(|visited| {
        let planned = record.0.get(&visited.action).and_then(|known| known.planned.as_ref());
        let (decision, words) = words(visited.reason, planned);
        let names = |names: &[ActionName]| names.iter().map(ToString::to_string).collect();
        let tells = !matches!(visited.reason, Reason::Requested | Reason::Forced | Reason::NeverRun);
        Step {
            action: visited.action.to_string(),
            decision,
            reason: visited.reason.as_str(),
            words,
            state: planned.filter(|planned| planned.state == JobState::Succeeded).map(|p| p.staleness.as_str()),
            request: planned.map(|planned| planned.request).filter(|_| tells),
            database: visited.is_new() && project.actions[visited.index].is_database(),
            waits_for: names(&visited.waits_for),
        }
    });
    Ok(Expected {
        steps: steps.collect(),
        nothing_to_do: plan.nothing_to_do.map(NothingToDo::as_str),
        warnings: plan.warnings.iter().map(ToString::to_string).collect(),
    })
}

fn words(reason: Reason, planned: Option<&Planned>) -> (Deed, String) {
    let of = planned.map_or(String::new(), |planned| format!(" in request {}", planned.request));
    match reason {
        Reason::Requested => (Deed::Run, "you name it, so it runs whatever was made before".to_owned()),
        Reason::Forced => (Deed::Run, "everything that is needed is run again".to_owned()),
        Reason::NeverRun => (Deed::Run, "needed, and it has not run here yet".to_owned()),
        Reason::FailedBefore => (Deed::Run, format!("needed, and it failed before{of}")),
        Reason::OutputMissing => (Deed::Run, format!("it succeeded{of}, but an output of it is gone")),
        Reason::Stale => match planned.map(|planned| &planned.staleness) {
            Some(stale @ Staleness::Stale(_)) => (Deed::Run, format!("it succeeded{of}{}", aging::words(stale))),
            _ => (Deed::Run, format!("it succeeded{of}, but something that it needs is made again")),
        },
        Reason::Succeeded => {
            let stands = planned.map_or(String::new(), |planned| aging::words(&planned.staleness));
            (Deed::Reuse, format!("it succeeded{of}{stands}"))
        }
        Reason::AlreadyActive => {
            let doing = match planned.map(|planned| planned.state) {
                Some(JobState::Running) => "running",
                _ => "waiting",
            };
            (Deed::Attach, format!("it is already {doing}{of}, and that job is shared"))
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at its first surprise")]
mod tests;
