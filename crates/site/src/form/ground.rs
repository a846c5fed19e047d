//! What a request stands on: the workspace with its project, and the backends that this person may use.
//! Spec site.md 7.1.

use sqlx::{Executor, Sqlite, SqlitePool};

use crate::mirror::Place;
use crate::store::StoreError;

/// A workspace with all that a request of it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ground {
    /// The workspace's row.
    pub workspace: i64,
    /// Its name.
    pub name: String,
    /// Its branch.
    pub branch: String,
    /// Whether requesters are told by default.
    pub notify_default: bool,
    /// Since when it takes no requests.
    pub archived_at: Option<i64>,
    /// The row of its project.
    pub project: i64,
    /// The project's short name.
    pub slug: String,
    /// Its number, if it has one.
    pub number: Option<String>,
    /// Its name.
    pub project_name: String,
    /// One of the words of `project.status`.
    pub project_status: String,
    /// Where the code is.
    pub repo: String,
}

super::from_row!(Ground {
    workspace,
    name,
    branch,
    notify_default,
    archived_at,
    project,
    slug,
    number,
    project_name,
    project_status,
    repo
});

/// Why nobody can ask for a run here, or not this person.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Closed {
    /// The workspace is archived.
    #[error(
        "The workspace {name} is archived, so nothing new runs in it. A member of the project can take it out of the archive."
    )]
    Archived {
        /// Its name.
        name: String,
    },
    /// The project is retired.
    #[error("The project {name} is retired, so nothing new runs in it. The people who run this site can change that.")]
    Retired {
        /// Its name.
        name: String,
    },
    /// No backend to choose.
    #[error("You may not use any backend that is in use. The people who run this site can let you use one.")]
    NoBackend,
}

/// A backend that this person may ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// Its row.
    pub id: i64,
    /// Its short name.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// `tpp`, `emis` or `other`.
    pub flavour: String,
    /// `real` or `synthetic`.
    pub data_kind: String,
    /// `open`, `paused` or `db_maintenance`, as last heard.
    pub mode: Option<String>,
    /// Since when.
    pub mode_since: Option<i64>,
    /// The last contact.
    pub last_contact_at: Option<i64>,
    /// After how many seconds without contact it counts as missing.
    pub alert_after_s: i64,
    /// Orders that it has not answered, counted up to one more than [`MOST_UNANSWERED`].
    pub unanswered: i64,
}

/// With more orders than that unanswered a backend is behind (protocol.md 10).
pub const MOST_UNANSWERED: i64 = 1000;

super::from_row!(Choice {
    id,
    slug,
    name,
    flavour,
    data_kind,
    mode,
    mode_since,
    last_contact_at,
    alert_after_s,
    unanswered
});

/// Why a request will wait at its backend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waits {
    /// It never made contact.
    Never,
    /// There was no contact since.
    Missing(i64),
    /// Its operator paused it, since when if that is known.
    Paused(Option<i64>),
    /// Its database is being maintained: only what does not read it runs.
    Maintenance(Option<i64>),
    /// It has more orders than it answers.
    Behind,
}

impl Ground {
    /// The workspace of this name.
    ///
    /// # Errors
    /// The database failed.
    pub async fn of<'e>(tables: impl Executor<'e, Database = Sqlite>, name: &str) -> Result<Option<Self>, StoreError> {
        let found = sqlx::query_as(
            "SELECT w.id AS workspace, w.name, w.branch, w.notify_default, w.archived_at, p.id AS project, p.slug,
                p.number, p.name AS project_name, p.status AS project_status, r.url AS repo
             FROM workspace w JOIN project p ON p.id = w.project JOIN repo r ON r.id = w.repo WHERE w.name = ?",
        );
        Ok(found.bind(name).fetch_optional(tables).await?)
    }

    /// Whether anything may be asked for here.
    ///
    /// # Errors
    /// The reason why not.
    pub fn open(&self) -> Result<(), Closed> {
        if self.archived_at.is_some() {
            return Err(Closed::Archived { name: self.name.clone() });
        }
        if self.project_status == "retired" {
            return Err(Closed::Retired { name: self.project_name.clone() });
        }
        Ok(())
    }

    /// Where its code is.
    pub fn place(&self) -> Place {
        Place { repo: self.repo.clone(), branch: self.branch.clone() }
    }
}

impl Choice {
    /// All of them, by name.
    ///
    /// # Errors
    /// The database failed.
    pub async fn all(tables: &SqlitePool, account: i64) -> Result<Vec<Self>, StoreError> {
        Ok(sqlx::query_as(CHOICES).bind(account).fetch_all(tables).await?)
    }

    /// One of them, inside a transaction.
    ///
    /// # Errors
    /// The database failed.
    pub async fn one<'e>(
        tables: impl Executor<'e, Database = Sqlite>,
        account: i64,
        slug: &str,
    ) -> Result<Option<Self>, StoreError> {
        let all: Vec<Self> = sqlx::query_as(CHOICES).bind(account).fetch_all(tables).await?;
        Ok(all.into_iter().find(|choice| choice.slug == slug))
    }

    /// Why what is asked of it now would wait.
    pub fn waits(&self, now: i64) -> Option<Waits> {
        let Some(last) = self.last_contact_at else { return Some(Waits::Never) };
        if now.saturating_sub(last) > self.alert_after_s.saturating_mul(1_000_000) {
            return Some(Waits::Missing(last));
        }
        match self.mode.as_deref() {
            Some("paused") => Some(Waits::Paused(self.mode_since)),
            Some("db_maintenance") => Some(Waits::Maintenance(self.mode_since)),
            _ if self.unanswered > MOST_UNANSWERED => Some(Waits::Behind),
            _ => None,
        }
    }

    /// What runs it and what it reads, as told on every page that names it.
    pub fn kind(&self) -> String {
        let flavour = match self.flavour.as_str() {
            "tpp" => "TPP",
            "emis" => "EMIS",
            _ => "other",
        };
        let data = if self.data_kind == "real" { "patient records" } else { "dummy data" };
        format!("{flavour} · {data}")
    }
}

const CHOICES: &str = "SELECT b.id, b.slug, b.name, b.flavour, b.data_kind, b.mode, b.mode_since, b.last_contact_at,
    b.alert_after_s, (SELECT count(*) FROM (SELECT 1 FROM directive d WHERE d.backend = b.id AND d.kind = 'job_request'
        AND d.answered_at IS NULL LIMIT 1001)) AS unanswered FROM backend b JOIN backend_member m ON m.backend = b.id WHERE m.account = ? AND b.is_active = 1
    ORDER BY b.name, b.id";
