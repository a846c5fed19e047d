//! The code of an order, from the backend's own fetch: allowed repository, commit on its branch, project.yaml as seen.
//! Spec protocol.md 1; jobs.md 2 (code, project), 20. Blocks: it waits for git.

use std::path::Path;
use std::sync::Arc;

use jobs::provenance::CodeTree;
use jobs::server::code_tree;
use jobs::store::Store;
use jobs::tree::{CommitTree, Tree, of_commit};
use pipeline::Project;
use protocol::fact::words::RefusedReason;
use protocol::order::Order;
use repositories::{
    AllowList, CommitOnBranch, Error, FileError, Limits, Mirrors, PROJECT_FILE, ReadError, Refusal, RepoUrl,
};

use super::Refused;

/// Code at a commit, with what it says of itself.
#[derive(Debug, Clone)]
pub struct Code {
    /// git's name of the tree.
    pub tree_id: String,
    /// All of it, in the store.
    pub tree: Arc<Tree>,
    /// The same, as it counts in run keys.
    pub code: CodeTree,
    /// What project.yaml says.
    pub project: Arc<Project>,
}

/// The code is out of reach: later it may be there. In words, for the operator.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Outage(pub String);

/// Why there is no code.
#[derive(Debug)]
pub(super) enum NoCode {
    Refused(Refused),
    Outage(Outage),
}

impl NoCode {
    fn refused(reason: RefusedReason, words: impl Into<String>) -> Self {
        Self::Refused(Refused::new(reason, words))
    }

    fn of(refusal: Option<Refusal>, words: String) -> Self {
        match refusal {
            Some(refusal) => Self::refused(reason(refusal), words),
            None => Self::Outage(Outage(words)),
        }
    }
}

fn reason(refusal: Refusal) -> RefusedReason {
    match refusal {
        Refusal::RepoNotAllowed => RefusedReason::RepoNotAllowed,
        Refusal::BranchMissing => RefusedReason::BranchMissing,
        Refusal::CommitNotFound => RefusedReason::CommitNotFound,
        Refusal::CommitNotOnBranch => RefusedReason::CommitNotOnBranch,
        Refusal::ProjectMissing => RefusedReason::ProjectMissing,
        Refusal::ProjectChanged => RefusedReason::ProjectChanged,
        Refusal::TooLarge => RefusedReason::TooLarge,
    }
}

impl From<Error> for NoCode {
    fn from(error: Error) -> Self {
        Self::of(error.refusal(), error.to_string())
    }
}

impl From<FileError> for NoCode {
    fn from(error: FileError) -> Self {
        Self::of(error.refusal(), error.to_string())
    }
}

/// Where code comes from, by its names.
pub(super) struct Place<'a> {
    pub(super) repo_url: &'a str,
    pub(super) branch: &'a str,
    pub(super) commit: &'a str,
}

/// Fetches what is missing, and makes sure that the commit is on the branch.
pub(super) fn fetch(place: &Place<'_>, list: &AllowList, mirrors: &Mirrors) -> Result<CommitOnBranch, NoCode> {
    let url: RepoUrl = place
        .repo_url
        .parse()
        .map_err(|error| NoCode::refused(RefusedReason::RepoNotAllowed, format!("the repository: {error}")))?;
    let repo = list.check(&url).map_err(|error| NoCode::refused(RefusedReason::RepoNotAllowed, error.to_string()))?;
    let branch = place
        .branch
        .parse()
        .map_err(|error| NoCode::refused(RefusedReason::BranchMissing, format!("the branch: {error}")))?;
    let commit = place
        .commit
        .parse()
        .map_err(|error| NoCode::refused(RefusedReason::CommitNotFound, format!("the commit: {error}")))?;
    Ok(mirrors.ensure(&repo, &branch, commit)?)
}

/// The code of an order, if it is what the requester saw.
pub(super) fn of_order(
    order: &Order,
    list: &AllowList,
    mirrors: &Mirrors,
    limits: &Limits,
    store: &Store,
) -> Result<Code, NoCode> {
    let place =
        Place { repo_url: order.repo_url.as_str(), branch: order.branch.as_str(), commit: order.commit.as_str() };
    let commit = fetch(&place, list, mirrors)?;
    let mut expected = [0; 32];
    if data_encoding::HEXLOWER.decode_mut(order.project_yaml_sha256.as_str().as_bytes(), &mut expected).is_err() {
        return Err(NoCode::refused(RefusedReason::ProjectChanged, "the order names no SHA-256 of project.yaml"));
    }
    let file = commit.project_file()?.expect(expected)?;
    read(&commit, &file.bytes, limits, store)
}

/// The code of a job that was planned before.
pub(super) fn of_job(
    place: &Place<'_>,
    list: &AllowList,
    mirrors: &Mirrors,
    limits: &Limits,
    store: &Store,
) -> Result<Code, NoCode> {
    let commit = fetch(place, list, mirrors)?;
    let file = commit.project_file()?;
    read(&commit, &file.bytes, limits, store)
}

fn read(commit: &CommitOnBranch, yaml: &[u8], limits: &Limits, store: &Store) -> Result<Code, NoCode> {
    let loaded = pipeline::load(yaml, PROJECT_FILE);
    let Some(project) = loaded.project else { return Err(NoCode::Refused(Refused::of_project(&loaded.diagnostics))) };
    let CommitTree { tree, tree_id, notes } = of_commit(commit, limits, store).map_err(|error| match error {
        ReadError::BadCommit { .. } => NoCode::refused(RefusedReason::BadRequest, error.to_string()),
        ReadError::TooLarge { .. } => NoCode::refused(RefusedReason::TooLarge, error.to_string()),
        ReadError::Repository(error) => error.into(),
        other => NoCode::Outage(Outage(other.to_string())),
    })?;
    for note in notes {
        tracing::info!(commit = %commit.commit(), %note, "not all of a commit is what its author may think");
    }
    let code = code_tree(&tree);
    Ok(Code { tree_id, tree: Arc::new(tree), code, project: Arc::new(project) })
}

/// Lays out the files below a folder of a tree, for a look at them.
pub(super) fn lay_out(tree: &Tree, below: &str, store: &Store, target: &Path) -> Result<(), Outage> {
    let entries = tree.entries.iter().filter(|(path, _)| path.starts_with(below));
    let part = Tree { entries: entries.map(|(path, entry)| (path.clone(), entry.clone())).collect() };
    let failed = |error: &dyn std::fmt::Display| Outage(format!("{below} cannot be looked at: {error}"));
    let folder = sandbox::folder::SafeFolder::at(target).map_err(|error| failed(&error))?;
    part.write_to(store, &folder).map_err(|error| failed(&error))
}
