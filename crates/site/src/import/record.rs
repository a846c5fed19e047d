//! Old records in one form: what becomes a fact, and what the tables are made of again.
//! Spec site.md 2.5. Times are microseconds since 1970; words are lower-case.

use serde::{Deserialize, Serialize};

/// A record as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "snake_case")]
pub(crate) enum Record {
    /// A request.
    Request(Request),
    /// One of its jobs.
    Job(Job),
    /// Why a request never had jobs.
    Error(NoJobs),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Request {
    pub number: i64,
    pub identifier: String,
    pub workspace: String,
    pub backend: String,
    pub requested_by: String,
    pub branch: String,
    pub commit: Option<String>,
    pub requested_actions: Vec<String>,
    pub force_run_dependencies: bool,
    pub notify: bool,
    pub codelists: String,
    pub project_yaml: Option<String>,
    pub created_at: i64,
    /// What the old site said; it counts where no jobs say otherwise.
    pub status: String,
    pub detail: Option<String>,
    /// These three count where the jobs were not kept.
    pub started_at: Option<i64>,
    pub finished_at: Option<i64>,
    pub runtime_s: Option<i64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Job {
    pub request_number: i64,
    pub identifier: String,
    pub action: String,
    pub run_command: Option<String>,
    pub status: String,
    pub code: String,
    pub message: Option<String>,
    pub created_at: i64,
    pub updated_at: i64,
    pub started_at: Option<i64>,
    pub finished_at: Option<i64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct NoJobs {
    pub request_number: i64,
    pub code: String,
    pub detail: Option<String>,
    pub at: i64,
}

/// Where a record belongs.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub backend: i64,
    pub slug: String,
    /// The identifier of the request.
    pub request: String,
}

impl Record {
    /// The type of the fact.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Request(_) => "import.request",
            Self::Job(_) => "import.job",
            Self::Error(_) => "import.error",
        }
    }

    pub(super) fn at(&self) -> i64 {
        match self {
            Self::Request(request) => request.created_at,
            Self::Job(job) => job.updated_at,
            Self::Error(error) => error.at,
        }
    }

    pub(super) fn request<'a>(&self, place: &'a Place) -> &'a str {
        &place.request
    }
}

impl Job {
    /// Its own measure is unknown: the time between start and end, never less than nothing, and nothing without a start.
    pub(super) fn runtime_s(&self) -> Option<i64> {
        let end = self.finished_at?;
        Some(self.started_at.map_or(0, |start| (end - start).max(0) / 1_000_000))
    }

    /// Whether it read the database, by what it ran.
    pub(super) fn is_database(&self) -> bool {
        let command = self.run_command.as_deref().unwrap_or_default();
        ["cohortextractor:", "ehrql:", "sqlrunner:"].iter().any(|engine| command.starts_with(engine))
    }
}
