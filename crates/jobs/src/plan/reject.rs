//! Requests that cannot be planned, each with what its author needs to mend it.
//! Spec jobs.md 2 (groups shape, actions, graph, data).

use pipeline::{ActionName, Project};
use serde::Serialize;

use super::graph::BadGraph;
use crate::RejectionCode;

/// A requested name that is no action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UnknownAction {
    /// As requested.
    pub name: ActionName,
    /// The nearest valid names, best first, at most three.
    pub nearest: Vec<ActionName>,
}

/// Why there is no plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize)]
#[serde(rename_all = "snake_case", tag = "code")]
pub enum PlanRejection {
    /// The request itself is wrong.
    #[error("{message}")]
    BadRequest {
        /// What is wrong.
        message: String,
    },
    /// Requested names that are no actions.
    #[error("{}", unknown_message(unknown, valid))]
    UnknownAction {
        /// All of them, in the order of the request.
        unknown: Vec<UnknownAction>,
        /// What can be requested: `run_all`, then the actions in file order.
        valid: Vec<ActionName>,
    },
    /// The codelists are out of date, and these new jobs would read the database.
    #[error(
        "the codelists are not as published, so nothing may be extracted with them, but {} would run; \
         update the codelists and ask again",
        list(actions, "`, `")
    )]
    CodelistsStale {
        /// The database actions that the plan would run, in its order.
        actions: Vec<ActionName>,
    },
    /// Actions that need each other.
    #[error("the needs of these actions form a cycle: {}", list(cycle, "` needs `"))]
    NeedsCycle {
        /// Along the cycle, the first one again at the end.
        cycle: Vec<ActionName>,
    },
    /// The project breaks a rule that every project keeps.
    #[error("{message}")]
    ProjectInvalid {
        /// Which.
        message: String,
    },
}

/// Names are shown escaped: they are hostile text.
fn list(names: &[ActionName], separator: &str) -> String {
    let names: Vec<_> = names.iter().map(|name| name.as_str().escape_debug().to_string()).collect();
    format!("`{}`", names.join(separator))
}

fn unknown_message(unknown: &[UnknownAction], valid: &[ActionName]) -> String {
    let mut message = String::new();
    for UnknownAction { name, nearest } in unknown {
        message.push_str(&format!("{} is not an action of this project", list(std::slice::from_ref(name), "")));
        if !nearest.is_empty() {
            message.push_str(&format!("; did you mean {}?", list(nearest, "`, `")));
        }
        message.push('\n');
    }
    message.push_str(&format!("valid names: {}", list(valid, "`, `")));
    message
}

impl PlanRejection {
    /// The code of spec jobs.md 2.
    pub fn code(&self) -> RejectionCode {
        match self {
            Self::BadRequest { .. } => RejectionCode::BadRequest,
            Self::UnknownAction { .. } => RejectionCode::UnknownAction,
            Self::CodelistsStale { .. } => RejectionCode::CodelistsStale,
            Self::NeedsCycle { .. } => RejectionCode::NeedsCycle,
            Self::ProjectInvalid { .. } => RejectionCode::ProjectInvalid,
        }
    }

    pub(super) fn of_graph(bad: &BadGraph, project: &Project) -> Self {
        let name = |&at: &usize| project.actions[at].name.clone();
        match bad {
            BadGraph::Cycle(cycle) => Self::NeedsCycle { cycle: cycle.iter().map(name).collect() },
            BadGraph::UnknownNeed(at, need) => {
                let action = &project.actions[*at];
                let message = format!(
                    "`{}` needs {}, which is not an action of this project",
                    action.name.as_str().escape_debug(),
                    list(std::slice::from_ref(&action.needs[*need]), "")
                );
                Self::ProjectInvalid { message }
            }
        }
    }

    pub(super) fn of_unknown(names: &[ActionName], project: &Project) -> Self {
        let run_all = ActionName::new("run_all");
        let actions = project.actions.iter().map(|a| a.name.clone()).filter(|name| !name.is_run_all());
        let valid: Vec<_> = std::iter::once(run_all).chain(actions).collect();
        // Enough for any real slip; a hostile request of thousands of names costs no more.
        let looked_up = 20;
        let nearest = |name: &ActionName| {
            let near = pipeline::nearest(name.as_str(), valid.iter().map(ActionName::as_str));
            near.into_iter().map(ActionName::new).collect()
        };
        let one = |(i, name): (usize, &ActionName)| UnknownAction {
            name: name.clone(),
            nearest: if i < looked_up { nearest(name) } else { Vec::new() },
        };
        Self::UnknownAction { unknown: names.iter().enumerate().map(one).collect(), valid }
    }
}
