//! What an explanation is made from: the plan, and what only its caller knows (runtimes, past runs, places in the file).
//! Spec project-yaml.md 13.

use jiff::Timestamp;
use pipeline::{ActionName, Output, Project};
use serde::{Deserialize, Serialize};

use crate::{Decision, JobId, JobState, NothingToDo, Plan, PlanRequest, Reason, Stale, Staleness};

/// A plan as it is shown.
#[derive(Debug, Clone, PartialEq)]
pub struct PlanView {
    /// As requested.
    pub requested: Vec<ActionName>,
    /// Whether every needed action runs again.
    pub force: bool,
    /// What is done about what is out of date.
    pub stale: Stale,
    /// Why there is nothing to run, if there is not.
    pub nothing_to_do: Option<NothingToDo>,
    /// The visited actions in the order of the plan.
    pub actions: Vec<ActionView>,
    /// What the reader may not expect, a sentence each.
    pub warnings: Vec<String>,
    /// What `cloister check` has to say, in its JSON form (spec project-yaml.md 12.1).
    pub diagnostics: Vec<serde_json::Value>,
}

/// One visited action.
#[derive(Debug, Clone, PartialEq)]
pub struct ActionView {
    /// Its name.
    pub action: ActionName,
    /// Its line in project.yaml, from 1.
    pub line: u32,
    /// Why it is new or kept.
    pub reason: Reason,
    /// For one that has succeeded: whether that is still what would be made, chains of needs included.
    pub staleness: Option<Staleness>,
    /// Recorded outputs that are gone or damaged.
    pub missing: Vec<String>,
    /// What it needs, in written order.
    pub needs: Vec<ActionName>,
    /// What it waits for.
    pub waits_for: Vec<ActionName>,
    /// 1 + the largest wave of its needs.
    pub wave: u32,
    /// What it runs in.
    pub runtime: RuntimeView,
    /// Whether it reads the database.
    pub database: bool,
    /// The words that would run.
    pub command: Vec<String>,
    /// What it declares.
    pub outputs: Vec<Output>,
    /// Its latest job.
    pub last: Option<LastRun>,
    /// The id it would have in a given request.
    pub job: Option<JobId>,
}

/// What an action runs in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuntimeView {
    /// As in the file: `r:latest`.
    pub written: String,
    /// What that stands for: `r:v1`.
    pub resolved: String,
    /// How it runs here.
    pub kind: RunKind,
}

/// How an action runs on this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunKind {
    /// In an environment of this machine.
    Native,
    /// In a container.
    Container,
    /// As a built-in action.
    Builtin,
    /// Not at all yet: this program has no engine for it.
    Planned,
    /// Not at all now: what it runs in is not installed.
    Missing,
}

impl RunKind {
    /// In words.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::Container => "container",
            Self::Builtin => "built-in",
            Self::Planned => "no engine yet",
            Self::Missing => "not installed",
        }
    }
}

/// The latest job of an action.
#[derive(Debug, Clone, PartialEq)]
pub struct LastRun {
    /// Its id.
    pub job: JobId,
    /// Where it stands.
    pub state: JobState,
    /// When it finished.
    pub finished_at: Option<Timestamp>,
    /// How long its command ran.
    pub seconds: Option<f64>,
    /// The most memory it held.
    pub peak_bytes: Option<u64>,
}

impl PlanView {
    /// All that the plan and the project say. The caller adds runtimes, past runs, staleness, expanded commands and ids.
    pub fn of(project: &Project, request: &PlanRequest, plan: &Plan) -> Self {
        let view = |visited: &crate::Visited| {
            let action = &project.actions[visited.index];
            let written = action.written_runtime().to_string();
            ActionView {
                action: visited.action.clone(),
                line: action.span.start.line,
                reason: visited.reason,
                staleness: None,
                missing: Vec::new(),
                needs: action.needs.clone(),
                waits_for: visited.waits_for.clone(),
                wave: visited.wave,
                runtime: RuntimeView { resolved: written.clone(), written, kind: RunKind::Missing },
                database: action.is_database(),
                command: action.words.clone(),
                outputs: action.outputs.clone(),
                last: None,
                job: None,
            }
        };
        Self {
            requested: request.requested.clone(),
            force: request.force,
            stale: request.stale,
            nothing_to_do: plan.nothing_to_do,
            actions: plan.visited.iter().map(view).collect(),
            warnings: plan.warnings.iter().map(ToString::to_string).collect(),
            diagnostics: Vec::new(),
        }
    }

    /// The actions that get a new job.
    pub fn new_actions(&self) -> impl Iterator<Item = &ActionView> {
        self.actions.iter().filter(|action| action.is_new())
    }
}

impl ActionView {
    /// Whether a new job is made for it.
    pub fn is_new(&self) -> bool {
        self.reason.decision() == Decision::New
    }
    /// How long its last run took, where that is known.
    pub fn seconds(&self) -> Option<f64> {
        self.last.as_ref().and_then(|last| last.seconds).filter(|seconds| seconds.is_finite() && *seconds >= 0.0)
    }
}
