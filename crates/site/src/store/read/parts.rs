//! What several pages show of the same things: a person, an organisation, a project, a backend.
//! Also the small helpers by which rows become values.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use sqlx::sqlite::SqliteRow;
use sqlx::{Decode, Row, Sqlite, Type};

use crate::store::StoreError;
use crate::store::ids::BackendId;

/// A person as the public sees one.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Person {
    /// Public user name.
    pub username: String,
    /// Display name.
    pub fullname: String,
}

/// An organisation.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Org {
    /// In addresses.
    pub slug: String,
    /// Display name.
    pub name: String,
}

/// A project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectFace {
    /// In addresses.
    pub slug: String,
    /// `number - name`, or the name alone.
    pub title: String,
    /// The leading organisation, else the oldest; none for a few old projects.
    pub org: Option<Org>,
}

/// A backend, as every page that names one tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackendFace {
    /// The row.
    pub id: BackendId,
    /// In addresses.
    pub slug: String,
    /// Display name.
    pub name: String,
    /// Whether no real patient is in its data.
    pub is_synthetic: bool,
}

impl BackendFace {
    /// The name, with what its data are: `TPP · dummy data`.
    pub fn told(&self) -> String {
        if self.is_synthetic { format!("{} · dummy data", self.name) } else { self.name.clone() }
    }
}

/// Why an action runs or does not (spec jobs.md 3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Its name.
    pub action: String,
    /// `new` or `keep`; others of a newer backend.
    pub decision: String,
    /// Reason codes, each perhaps with an action's name, as JSON.
    pub reasons: String,
}

/// Somebody asked for actions to be stopped.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Cancellation {
    /// The action.
    pub action: String,
    /// Who asked; none if it was done at the backend.
    pub by: Option<String>,
    /// When.
    pub at: i64,
    /// Why, if they said.
    pub reason: String,
    /// When the backend answered.
    pub answered_at: Option<i64>,
    /// `stopped`, `already_finished` or `unknown`.
    pub result: Option<String>,
}

/// One job that another reads from.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Need {
    /// The needed action.
    pub action: String,
    /// Identifier of the needed job.
    pub needed: String,
    /// `waits` or `reuses`.
    pub kind: String,
    /// `up_to_date`, `stale`, …; as told.
    pub staleness: Option<String>,
}

/// A data permission in force.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Permission {
    /// Its code.
    pub code: String,
    /// What it is called.
    pub title: String,
    /// Why it was given.
    pub reason: String,
    /// Who approved it.
    pub approved_by: Option<String>,
    /// When.
    pub approved_at: Option<i64>,
    /// Until when.
    pub expires_at: Option<i64>,
}

/// A message of the operators to everybody.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Alert {
    /// In a few words.
    pub title: String,
    /// The message.
    pub message: String,
    /// `info`, `success`, `warning` or `danger`.
    pub level: String,
}

/// Gives one column of a row.
pub(super) fn get<'r, T: Decode<'r, Sqlite> + Type<Sqlite>>(row: &'r SqliteRow, column: &str) -> Result<T, StoreError> {
    Ok(row.try_get(column)?)
}

/// Gives a column that holds a list as JSON.
pub(super) fn many<T: DeserializeOwned>(row: &SqliteRow, column: &str) -> Result<Vec<T>, StoreError> {
    let text: Option<String> = get(row, column)?;
    json(column, text.as_deref().unwrap_or("[]"))
}

/// Reads a JSON text of ours.
pub(super) fn json<T: DeserializeOwned>(what: &str, text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|why| StoreError::Damaged(format!("{what}: {why}")))
}

/// `number - name`, or the name alone.
pub(super) fn title(number: Option<&str>, name: &str) -> String {
    number.map_or_else(|| name.to_owned(), |number| format!("{number} - {name}"))
}

/// The project of a row with `project_slug`, `project_number`, `project_name`, `org_slug` and `org_name`.
pub(super) fn project(row: &SqliteRow) -> Result<ProjectFace, StoreError> {
    let number: Option<String> = get(row, "project_number")?;
    let name: String = get(row, "project_name")?;
    let org: Option<(String, String)> = get::<Option<String>>(row, "org_slug")?.zip(get(row, "org_name")?);
    Ok(ProjectFace {
        slug: get(row, "project_slug")?,
        title: title(number.as_deref(), &name),
        org: org.map(|(slug, name)| Org { slug, name }),
    })
}

/// The backend of a row with `backend_id`, `backend_slug`, `backend_name` and `data_kind`.
pub(super) fn backend(row: &SqliteRow) -> Result<BackendFace, StoreError> {
    Ok(BackendFace {
        id: BackendId(get(row, "backend_id")?),
        slug: get(row, "backend_slug")?,
        name: get(row, "backend_name")?,
        is_synthetic: get::<String>(row, "data_kind")? == "synthetic",
    })
}

/// What operators tell everybody at a moment (`?1`), as a list in one column.
pub(super) const ALERTS: &str =
    "(SELECT json_group_array(json_object('title', title, 'message', message, 'level', level))
    FROM (SELECT * FROM site_alert WHERE audience = 'everyone' AND from_at <= ?1 AND (until_at IS NULL OR until_at > ?1)
    ORDER BY from_at DESC LIMIT 5)) alerts";

/// The organisation of `project` in a query: the leading one, else the oldest.
pub(super) const ORG: &str =
    "LEFT JOIN org ON org.id = (SELECT po.org FROM project_org po WHERE po.project = project.id
    ORDER BY po.is_lead DESC, po.created_at, po.org LIMIT 1)";
