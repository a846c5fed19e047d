//! What the site knows of earlier runs of a workspace on a backend: what a person sees, and what planning is fed with.
//! Spec site.md 2.4 (last status per action), 7.3, 7.4; jobs.md 3.

use std::collections::BTreeMap;

use jobs::{JobState, LatestJob, Staleness};
use pipeline::ActionName;
use sqlx::SqlitePool;

use crate::store::StoreError;

/// The newest run of an action, cancelled or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Last {
    /// `pending`, `running`, `succeeded`, `failed` or `unknown`.
    pub status: String,
    /// Its code, as the backend told it.
    pub code: String,
    /// The job.
    pub job: String,
    /// The request it belongs to.
    pub request: i64,
    /// When it ended, else when there was news of it, in microseconds.
    pub at: i64,
}

/// The newest run that is not cancelled, which planning looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// The job.
    pub job: jobs::JobId,
    /// Where it stands.
    pub state: JobState,
    /// The request it belongs to.
    pub request: i64,
    /// What it ran.
    pub commit: Option<jobs::Commit>,
    /// When it ended, else when there was news of it, in microseconds.
    pub at: i64,
    /// Of a success: whether it is still what would be made. Unknown as it is read.
    pub staleness: Staleness,
}

/// What is known of one action.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Known {
    /// What a person is shown.
    pub last: Option<Last>,
    /// What planning looks at. Old records that were imported do not count: the backend has no outputs of them.
    pub planned: Option<Planned>,
}

/// What is known of all actions of a workspace on one backend.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Record(pub BTreeMap<ActionName, Known>);

struct Row {
    action: String,
    job: String,
    status: String,
    code: String,
    request: i64,
    at: i64,
    p_job: Option<String>,
    p_status: Option<String>,
    p_request: Option<i64>,
    p_at: Option<i64>,
    p_commit: Option<String>,
    p_import: Option<i64>,
}

super::from_row!(Row { action, job, status, code, request, at, p_job, p_status, p_request, p_at, p_commit, p_import });

impl Record {
    /// Reads it, in one query.
    ///
    /// # Errors
    /// The database failed.
    pub async fn read(tables: &SqlitePool, backend: i64, workspace: i64) -> Result<Self, StoreError> {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT l.action, j.identifier AS job, j.status, j.code, j.job_request AS request,
                coalesce(j.finished_at, j.updated_at) AS at, p.identifier AS p_job, p.status AS p_status,
                p.job_request AS p_request, coalesce(p.finished_at, p.updated_at) AS p_at, r.commit_id AS p_commit,
                r.is_import AS p_import
             FROM last_job l JOIN job j ON j.identifier = l.job LEFT JOIN job p ON p.identifier = l.planned
             LEFT JOIN job_request r ON r.number = p.job_request
             WHERE l.backend = ? AND l.workspace = ?",
        )
        .bind(backend)
        .bind(workspace)
        .fetch_all(tables)
        .await?;
        Ok(Self(rows.into_iter().map(|row| (ActionName::new(row.action.clone()), row.known())).collect()))
    }

    /// What planning is fed with.
    pub fn latest(&self) -> BTreeMap<ActionName, LatestJob> {
        let latest = |planned: &Planned| LatestJob {
            job: planned.job,
            state: planned.state,
            outputs_missing: false,
            staleness: planned.staleness.clone(),
            commit: planned.commit.clone(),
        };
        self.0.iter().filter_map(|(name, known)| Some((name.clone(), latest(known.planned.as_ref()?)))).collect()
    }
}

impl Row {
    fn known(self) -> Known {
        let planned = self.planned();
        let last = Last { status: self.status, code: self.code, job: self.job, request: self.request, at: self.at };
        Known { last: Some(last), planned }
    }

    /// None for words of a newer backend: what they mean for planning is not known here.
    fn planned(&self) -> Option<Planned> {
        if self.p_import != Some(0) {
            return None;
        }
        let state = match self.p_status.as_deref()? {
            "pending" => JobState::Pending,
            "running" => JobState::Running,
            "succeeded" => JobState::Succeeded,
            "failed" => JobState::Failed,
            _ => return None,
        };
        Some(Planned {
            job: self.p_job.as_deref()?.parse().ok()?,
            state,
            request: self.p_request?,
            commit: self.p_commit.as_deref().and_then(|commit| commit.parse().ok()),
            at: self.p_at?,
            staleness: Staleness::Unknown,
        })
    }
}
