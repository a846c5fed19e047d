//! What the calls that make a request answer, as types: the OpenAPI document is made from them.
//! Spec site.md 13.

use schemars::JsonSchema;
use serde::Serialize;

use super::excerpt::Fault;
use super::expect::Expected;
use super::judge::Wrong;
use crate::mirror::Codelists;

/// What a check found. Nothing was stored.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Check")]
pub(crate) struct Checked<'a> {
    /// Whether the same would be a request.
    pub(crate) ok: bool,
    /// The commit that was looked at.
    pub(crate) commit: String,
    /// The workspace's branch.
    pub(crate) branch: &'a str,
    /// Its newest commit.
    pub(crate) head: Option<HeadSeen<'a>>,
    /// Everything about project.yaml, remarks included.
    pub(crate) faults: Vec<Fault>,
    /// The codelists of the commit.
    pub(crate) codelists: CodelistState<'a>,
    /// What is wrong with what was asked.
    pub(crate) errors: Vec<Wrong>,
    /// What is expected to run; the backend's own plan decides. Null if something is wrong.
    pub(crate) plan: Option<Expected>,
}

/// The newest commit of a branch, as far as it is known.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Head")]
pub(crate) struct HeadSeen<'a> {
    /// The commit.
    pub(crate) commit: String,
    /// When the repository said so.
    pub(crate) heard_at: String,
    /// Why it was not asked again now; null if it was.
    pub(crate) outdated: Option<&'a str>,
}

/// Whether the codelists of a commit are as they were published.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Codelists")]
pub(crate) struct CodelistState<'a> {
    /// Whether the database may be read with them.
    pub(crate) ok: bool,
    /// What is wrong.
    pub(crate) faults: Vec<CodelistProblem<'a>>,
    /// The command that mends it.
    pub(crate) repair: Option<String>,
}

/// One thing that is wrong with codelists.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct CodelistProblem<'a> {
    /// Its code, such as `C205`.
    pub(crate) code: &'a str,
    /// The line of codelists.txt, from 1.
    pub(crate) line: Option<usize>,
    /// What is wrong.
    pub(crate) message: &'a str,
}

/// A request that was made, now or by the same key before.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "MadeRequest")]
pub(crate) struct Made<'a> {
    /// The public number.
    pub(crate) number: i64,
    /// The long id.
    pub(crate) identifier: &'a str,
    /// Name of the workspace.
    pub(crate) workspace: &'a str,
    /// Short name of the backend.
    pub(crate) backend: &'a str,
    /// As asked, `run_all` for all.
    pub(crate) requested_actions: Vec<&'a str>,
    /// The commit; null where a repeat did not name one.
    pub(crate) commit: Option<String>,
    /// Its page.
    pub(crate) url: String,
    /// What is expected to run; null for a repeat.
    pub(crate) plan: Option<&'a Expected>,
}

impl<'a> CodelistState<'a> {
    pub(crate) fn of(codelists: &'a Codelists) -> Self {
        let faults = codelists.faults.iter().map(|fault| CodelistProblem {
            code: fault.code,
            line: fault.line,
            message: &fault.message,
        });
        Self {
            ok: codelists.ok(),
            faults: faults.collect(),
            repair: codelists.repair.map(|command| format!("cloister {command}")),
        }
    }
}
