//! A job request: what somebody asks to have run, and the checks that need nothing but the request itself.
//! Spec jobs.md 2 (groups shape and names, and the words of `analysis_scope`).

use std::collections::BTreeSet;

use pipeline::ActionName;
use serde::{Deserialize, Serialize};

use crate::RequestId;

mod names;
mod scope;

pub use names::{BadCommit, BadWorkspaceName, Commit, WorkspaceName};
pub use scope::AnalysisScope;

/// What is done about succeeded jobs that are out of date (spec jobs.md 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stale {
    /// They are used and reported: the default of a backend.
    #[default]
    Keep,
    /// They are made again: the default of a laptop.
    Rerun,
}

/// Where the code of a request comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum CodeSource {
    /// A commit on a branch of a repository: what a backend runs.
    Commit {
        /// The study's repository.
        repo_url: String,
        /// The branch that holds the commit.
        branch: String,
        /// The commit.
        commit: Commit,
    },
    /// A snapshot of the working folder: what `cloister run` runs (spec jobs.md 18).
    Snapshot,
}

impl CodeSource {
    /// The commit, where there is one.
    pub fn commit(&self) -> Option<&Commit> {
        match self {
            Self::Commit { commit, .. } => Some(commit),
            Self::Snapshot => None,
        }
    }

    /// The repository, where there is one.
    pub fn repo_url(&self) -> Option<&str> {
        match self {
            Self::Commit { repo_url, .. } => Some(repo_url),
            Self::Snapshot => None,
        }
    }
}

/// A request as it arrives: every field is what the sender wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RawRequest {
    /// Request id.
    pub id: String,
    /// The backend it is for.
    pub backend: String,
    /// The workspace.
    pub workspace: String,
    /// The study's repository.
    pub repo_url: String,
    /// A branch that holds the commit.
    pub branch: String,
    /// The commit.
    pub commit: String,
    /// Today only `default`.
    pub database_name: String,
    /// Actions by name, `run_all` for all.
    pub requested_actions: Vec<ActionName>,
    /// Whether every needed action runs again.
    #[serde(default)]
    pub force_run_dependencies: bool,
    /// What is done about what is out of date.
    #[serde(default)]
    pub stale: Stale,
    /// Whether the codelists are as their authors published them.
    #[serde(default)]
    pub codelists_ok: bool,
    /// Who asks.
    pub created_by: String,
    /// The project the workspace belongs to.
    pub project: String,
    /// The organisations of the project.
    #[serde(default)]
    pub orgs: Vec<String>,
    /// What it may read beyond the ordinary.
    #[serde(default)]
    pub analysis_scope: AnalysisScope,
    /// Unix seconds.
    pub created_at: i64,
}

/// A request whose own fields are right.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// Its id.
    pub id: RequestId,
    /// The backend it is for; on a laptop `local`.
    pub backend: String,
    /// The workspace.
    pub workspace: WorkspaceName,
    /// Where the code comes from.
    pub code: CodeSource,
    /// Which database.
    pub database_name: String,
    /// Without repeats, the first of each kept.
    pub requested_actions: Vec<ActionName>,
    /// Whether every needed action runs again.
    pub force_run_dependencies: bool,
    /// What is done about what is out of date.
    pub stale: Stale,
    /// Whether the codelists are as their authors published them.
    pub codelists_ok: bool,
    /// Who asks.
    pub created_by: String,
    /// The project the workspace belongs to.
    pub project: String,
    /// The organisations of the project.
    pub orgs: Vec<String>,
    /// What it may read beyond the ordinary.
    pub analysis_scope: AnalysisScope,
    /// Unix seconds.
    pub created_at: i64,
}

/// Why a request is refused, in the words of spec jobs.md 2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "each name is its meaning, and the spec's table gives the rule")]
pub enum RejectionCode {
    BadRequest,
    BadWorkspaceName,
    UnknownBackend,
    UnknownDatabase,
    RepoNotAllowed,
    BranchMissing,
    CommitNotFound,
    CommitNotOnBranch,
    ProjectMissing,
    ProjectChanged,
    ProjectInvalid,
    UnknownAction,
    NeedsCycle,
    ImageNotAllowed,
    ImageNotFound,
    ReusableActionError,
    CodelistsStale,
    NotPermitted,
    WorkspaceArchived,
    TooLarge,
    InconsistentRequest,
}

/// One thing that is wrong with a request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct RequestFault {
    /// Its code.
    pub code: RejectionCode,
    /// What is wrong, for the person who asked.
    pub message: String,
}

/// What this machine serves, to check a request against.
#[derive(Debug, Clone)]
pub struct Here {
    /// The name of this backend.
    pub backend: String,
    /// The databases it is set up for.
    pub databases: BTreeSet<String>,
}

/// Actions per request (spec jobs.md 23).
pub const MAX_REQUESTED: usize = 10_000;

/// Keeps the first of each name.
pub(crate) fn without_repeats(names: &[ActionName]) -> Vec<ActionName> {
    let mut seen = BTreeSet::new();
    names.iter().filter(|name| seen.insert(*name)).cloned().collect()
}

impl RawRequest {
    /// Checks what can be checked without the code: first the shape, then the names.
    ///
    /// # Errors
    /// Every fault of the first group that has one.
    pub fn check(self, here: &Here) -> Result<Request, Vec<RequestFault>> {
        let mut faults = Vec::new();
        let mut bad = |message: String| faults.push(RequestFault { code: RejectionCode::BadRequest, message });
        let id = self.id.parse::<RequestId>().map_err(|e| bad(e.to_string())).ok();
        let commit = self.commit.parse::<Commit>().map_err(|e| bad(e.to_string())).ok();
        let requested_actions = without_repeats(&self.requested_actions);
        if requested_actions.is_empty() {
            bad("no action is requested: name at least one, or `run_all`".to_owned());
        }
        if requested_actions.len() > MAX_REQUESTED {
            bad(format!("{} actions are requested; at most {MAX_REQUESTED} are allowed", requested_actions.len()));
        }
        let (Some(id), Some(commit), true) = (id, commit, faults.is_empty()) else { return Err(faults) };

        let workspace = self.workspace.parse::<WorkspaceName>();
        if let Err(error) = &workspace {
            faults.push(RequestFault { code: RejectionCode::BadWorkspaceName, message: error.to_string() });
        }
        if self.backend != here.backend {
            let message = format!("this is backend `{}`; the request is for {:?}", here.backend, self.backend);
            faults.push(RequestFault { code: RejectionCode::UnknownBackend, message });
        }
        if !here.databases.contains(&self.database_name) {
            let message = format!("no database {:?} is set up here", self.database_name);
            faults.push(RequestFault { code: RejectionCode::UnknownDatabase, message });
        }
        let (Ok(workspace), true) = (workspace, faults.is_empty()) else { return Err(faults) };
        Ok(Request {
            id,
            backend: self.backend,
            workspace,
            code: CodeSource::Commit { repo_url: self.repo_url, branch: self.branch, commit },
            database_name: self.database_name,
            requested_actions,
            force_run_dependencies: self.force_run_dependencies,
            stale: self.stale,
            codelists_ok: self.codelists_ok,
            created_by: self.created_by,
            project: self.project,
            orgs: self.orgs,
            analysis_scope: self.analysis_scope,
            created_at: self.created_at,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw() -> RawRequest {
        RawRequest {
            id: "dxccxg6de7vcfiis".into(),
            backend: "north".into(),
            workspace: "care_homes-1".into(),
            repo_url: "https://example.org/a/b".into(),
            branch: "main".into(),
            commit: "1d5f2671d5f2671d5f2671d5f2671d5f26712345".into(),
            database_name: "default".into(),
            requested_actions: ["b", "a", "b"].map(ActionName::new).into(),
            force_run_dependencies: false,
            stale: Stale::Keep,
            codelists_ok: true,
            created_by: "someone".into(),
            project: "p".into(),
            orgs: vec![],
            analysis_scope: AnalysisScope::default(),
            created_at: 0,
        }
    }
    fn here() -> Here {
        Here { backend: "north".into(), databases: ["default".to_owned()].into() }
    }
    fn codes(raw: RawRequest) -> Vec<RejectionCode> {
        raw.check(&here()).unwrap_err().into_iter().map(|f| f.code).collect()
    }

    #[test]
    fn repeats_are_removed_keeping_the_first() {
        assert_eq!(raw().check(&here()).unwrap().requested_actions, ["b", "a"].map(ActionName::new));
    }

    #[test]
    fn all_faults_of_a_group_and_only_of_the_first() {
        use RejectionCode::*;
        let shape = RawRequest { id: "X".into(), commit: "HEAD".into(), requested_actions: vec![], ..raw() };
        assert_eq!(codes(RawRequest { workspace: "a b".into(), ..shape }), [BadRequest; 3]);
        let names = RawRequest { workspace: String::new(), backend: "s".into(), database_name: "x".into(), ..raw() };
        assert_eq!(codes(names), [BadWorkspaceName, UnknownBackend, UnknownDatabase]);
    }
}
