//! Whether a wish can be a request: everything that can be known before the backend is asked, all at once.
//! Spec site.md 7.2; the order of the groups is that of jobs.md 2.

use jobs::PlanRejection;
use jobs::plan::UnknownAction;
use pipeline::Project;
use protocol::text::names::ActionName as SentName;
use schemars::JsonSchema;
use serde::Serialize;
use ui::time::At;

use super::expect::{Deed, Expected, expect};
use super::ground::Choice;
use super::permit::Permits;
use super::record::Record;
use super::wish::{LONGEST_NOTE, Wish};
use crate::mirror::Study;

/// Unknown actions that are named one by one.
const UNKNOWN: usize = 20;

/// What is wrong with one field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "FieldFault")]
pub struct Wrong {
    /// The field: `backend`, `actions`, `note`, `commit`.
    pub field: &'static str,
    /// A code of jobs.md 2.
    pub code: &'static str,
    /// What a person reads.
    pub message: String,
}

impl Wrong {
    /// One.
    pub fn new(field: &'static str, code: &'static str, message: impl Into<String>) -> Self {
        Self { field, code, message: message.into() }
    }
}

/// What a wish is judged by.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// The commit.
    pub study: &'a Study,
    /// The backends that this person may use.
    pub choices: &'a [Choice],
    /// What the project may use.
    pub permits: &'a Permits,
    /// What ran before on the chosen backend.
    pub record: &'a Record,
    /// Microseconds since the epoch.
    pub now: i64,
}

/// What is expected of a wish that nothing is wrong with.
///
/// # Errors
/// Everything that is wrong, field by field. Faults of project.yaml itself are in the study; here they are one line.
pub fn judge(wish: &Wish, facts: Facts<'_>) -> Result<Expected, Vec<Wrong>> {
    let mut wrong = plain(wish, facts.choices);
    let Some(project) = facts.study.project() else {
        wrong.push(no_project(facts.study));
        return Err(wrong);
    };
    if wish.actions.is_empty() {
        wrong.push(Wrong::new("actions", "bad_request", "Tick at least one action, or run_all for all of them."));
        return Err(wrong);
    }
    for name in &wish.actions {
        if name.as_str().parse::<SentName>().is_err() && project.action(name).is_some() {
            let why = "has a name that no order can carry: at most 200 characters on one line, without slashes";
            wrong.push(Wrong::new("actions", "bad_request", format!("`{name}` {why}.")));
        }
    }
    wrong.extend(lacking(project, wish.actions.iter(), facts));
    match expect(project, &wish.plan(facts.study.codelists.ok()), facts.record) {
        Ok(expected) if wrong.is_empty() => {
            let runs = expected.steps.iter().filter(|step| step.decision == Deed::Run);
            let runs: Vec<_> = runs.map(|step| pipeline::ActionName::new(step.action.clone())).collect();
            wrong.extend(lacking(project, runs.iter(), facts));
            if wrong.is_empty() { Ok(expected) } else { Err(wrong) }
        }
        Ok(_) => Err(wrong),
        Err(rejection) => {
            wrong.extend(rejected(&rejection));
            Err(wrong)
        }
    }
}

fn plain(wish: &Wish, choices: &[Choice]) -> Vec<Wrong> {
    let mut wrong = Vec::new();
    if wish.backend.is_empty() {
        wrong.push(Wrong::new("backend", "unknown_backend", "Choose a backend."));
    } else if !choices.iter().any(|choice| choice.slug == wish.backend) {
        let message = "You may not use that backend, or it is not in use. Choose one of the list.";
        wrong.push(Wrong::new("backend", "unknown_backend", message));
    }
    let length = wish.note.chars().count();
    if length > LONGEST_NOTE {
        let message = format!("The note has {length} characters; at most {LONGEST_NOTE} are kept.");
        wrong.push(Wrong::new("note", "bad_request", message));
    }
    if wish.actions.len() > jobs::MAX_REQUESTED {
        let message = format!("{} actions are too many: at most {}.", wish.actions.len(), jobs::MAX_REQUESTED);
        wrong.push(Wrong::new("actions", "too_large", message));
    }
    wrong
}

fn no_project(study: &Study) -> Wrong {
    match &study.yaml {
        Err(missing) => Wrong::new("commit", missing.code, missing.message.clone()),
        Ok(_) => {
            let cycle = study.loaded.diagnostics.iter().find(|found| matches!(found.code.0, "P405" | "P406"));
            let code = if cycle.is_some() { "needs_cycle" } else { "project_invalid" };
            Wrong::new("commit", code, "project.yaml has faults, so nothing of it can run. They are listed here.")
        }
    }
}

fn lacking<'n>(
    project: &Project,
    names: impl Iterator<Item = &'n pipeline::ActionName>,
    facts: Facts<'_>,
) -> Vec<Wrong> {
    let lack = |name| Some((name, facts.permits.lack(project.action(name)?, facts.now)?));
    let words = |(name, lack): (&pipeline::ActionName, super::permit::Lack)| {
        let why = lack.words(|at| At(at).day());
        Wrong::new("actions", "not_permitted", format!("`{name}` cannot run: {why}."))
    };
    names.filter_map(lack).map(words).collect()
}

fn rejected(rejection: &PlanRejection) -> Vec<Wrong> {
    let code = match rejection {
        PlanRejection::UnknownAction { unknown, .. } => {
            return unknown.iter().take(UNKNOWN).map(nobody_knows).collect();
        }
        PlanRejection::BadRequest { .. } => "bad_request",
        PlanRejection::CodelistsStale { .. } => "codelists_stale",
        PlanRejection::NeedsCycle { .. } => "needs_cycle",
        PlanRejection::ProjectInvalid { .. } => "project_invalid",
    };
    vec![Wrong::new("actions", code, rejection.to_string())]
}

fn nobody_knows(unknown: &UnknownAction) -> Wrong {
    let near: Vec<String> = unknown.nearest.iter().map(|name| format!("`{name}`")).collect();
    let hint = if near.is_empty() { String::new() } else { format!(" Did you mean {}?", near.join(" or ")) };
    let message = format!("`{}` is not an action of this project.{hint}", jobs::explain::shown(unknown.name.as_str()));
    Wrong::new("actions", "unknown_action", message)
}
