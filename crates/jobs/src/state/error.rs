//! What can go wrong with the state of jobs.
//! Spec jobs.md 9.

use std::fmt::Display;
use std::path::PathBuf;

use pipeline::ActionName;

use super::{StatusCode, UnknownWord};
use crate::log::visible;
use crate::{JobId, RequestId};

/// The way out of a file that is of no use here.
const WAY_OUT: &str = "`cloister clean --state` removes the records of this project, and the next run begins anew";

/// Texts that come from the file or from its place, on one line: they may hold anything.
fn shown(text: impl Display) -> String {
    visible(&text.to_string()).into_owned()
}

/// What the database says, and for a damaged file what to do.
fn database_words(error: &sqlx::Error) -> String {
    let said = shown(error);
    let damaged = said.contains("malformed") || said.contains("not a database");
    let help = format!(
        ". It is damaged: `cloister backend verify` says where, `cloister backend restore` puts a snapshot in its place. Or: \
         {WAY_OUT}"
    );
    format!("the state file: {said}{}", if damaged { help.as_str() } else { "" })
}

/// A state that cannot be opened, read or changed as asked. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// The file cannot be opened.
    #[error(
        "the state file {} cannot be opened: {}. If it is damaged: {WAY_OUT}",
        shown(path.display()),
        shown(source)
    )]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        source: sqlx::Error,
    },
    /// The file was written by a newer program.
    #[error(
        "the state file {} has version {found}; this program knows versions up to {known}. \
         Use the newer program that wrote it. Or: {WAY_OUT}",
        shown(path.display())
    )]
    NewerSchema {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// The newest version known here.
        known: i64,
    },
    /// The file was written by an older program, and is only to be read.
    #[error(
        "the state file {} has version {found} and must be brought to version {known} first: any `cloister run` does so",
        shown(path.display())
    )]
    OlderSchema {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// The version known here.
        known: i64,
    },
    /// A SQLite file of some other program, or no file at all.
    #[error(
        "{} is not a state file but a link, a folder or a database of another program; nothing was changed. {WAY_OUT}",
        shown(path.display())
    )]
    NotOurs {
        /// The file.
        path: PathBuf,
    },
    /// A state file whose tables, indexes, views and triggers are not those that this program makes.
    #[error(
        "the state file {} is not as this program made it: {}; nothing was changed. {WAY_OUT}",
        shown(path.display()),
        shown(what)
    )]
    Altered {
        /// The file.
        path: PathBuf,
        /// What is different.
        what: String,
    },
    /// The database refused.
    #[error("{}", database_words(.0))]
    Database(#[from] sqlx::Error),
    /// A stored value that this program did not write.
    #[error("the state file holds a value that cannot be read: {}. {WAY_OUT}", shown(.0))]
    Stored(String),
    /// What was planned from has changed since: plan again.
    #[error("while this was being planned, other jobs of {} changed; plan again", names(actions))]
    PlanOutdated {
        /// The actions whose latest jobs changed.
        actions: Vec<ActionName>,
    },
    /// A known request id comes with another repository, workspace or commit.
    #[error("request {0} is known with another repository, workspace or commit")]
    InconsistentRequest(RequestId),
    /// No such request.
    #[error("there is no request {0}")]
    UnknownRequest(RequestId),
    /// Not all of these actions belong to the request; nothing was cancelled.
    #[error("request {request} has no job for {}; nothing was cancelled", names(actions))]
    UnknownActions {
        /// The request.
        request: RequestId,
        /// The unknown names.
        actions: Vec<ActionName>,
    },
    /// No such job.
    #[error("there is no job {0}")]
    UnknownJob(JobId),
    /// A job cannot go from one code to the other.
    #[error("job {job} is {from} and cannot become {to}")]
    NotAllowed {
        /// The job.
        job: JobId,
        /// Where it stands.
        from: StatusCode,
        /// What was asked.
        to: StatusCode,
    },
    /// An attempt that is no longer the job's: its news are refused.
    #[error("an attempt of job {job} with fence {held} reports, but its fence is {current}")]
    OldFence {
        /// The job.
        job: JobId,
        /// The attempt's fence.
        held: i64,
        /// The job's.
        current: i64,
    },
    /// A pending job that may not start yet.
    #[error("job {job} cannot start: {why}")]
    NotClaimable {
        /// The job.
        job: JobId,
        /// Why not.
        why: &'static str,
    },
}

fn names(actions: &[ActionName]) -> String {
    let names: Vec<_> = actions.iter().map(|name| format!("`{}`", name.as_str().escape_debug())).collect();
    names.join(", ")
}

impl From<UnknownWord> for StateError {
    fn from(error: UnknownWord) -> Self {
        Self::Stored(error.to_string())
    }
}

impl From<serde_json::Error> for StateError {
    fn from(error: serde_json::Error) -> Self {
        Self::Stored(error.to_string())
    }
}

impl From<crate::BadId> for StateError {
    fn from(error: crate::BadId) -> Self {
        Self::Stored(error.to_string())
    }
}

impl StateError {
    /// Whether it concerns one job, and the state is in order.
    pub(crate) fn is_of_one_job(&self) -> bool {
        matches!(
            self,
            Self::OldFence { .. } | Self::NotAllowed { .. } | Self::NotClaimable { .. } | Self::UnknownJob(_)
        )
    }
}

impl From<crate::BadObjectId> for StateError {
    fn from(error: crate::BadObjectId) -> Self {
        Self::Stored(error.to_string())
    }
}
