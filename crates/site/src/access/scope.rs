//! What the path of a request names: loaded once, before the handler, and only if its parts belong together.
//! Spec site.md 3 (a URL whose parts do not belong together is 404), 11.3.

use std::sync::Arc;

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::{Object, Refusal};
use crate::Opened;
use crate::store::Store;

/// The project that a path names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    /// The row.
    pub id: i64,
    /// As in addresses.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// One of the words of `project.status`.
    pub status: String,
}

/// The workspace that a path names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workspace {
    /// The row.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// The row of its repository.
    pub repo: i64,
    /// Where that is.
    pub repo_url: String,
    /// Its branch.
    pub branch: String,
    /// Whether it takes no more requests.
    pub is_archived: bool,
}

/// The job request that a path names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobRequest {
    /// The public number.
    pub number: i64,
    /// The long id.
    pub identifier: String,
    /// The row of its backend.
    pub backend: i64,
    /// Who made it.
    pub requested_by: i64,
    /// One of the words of `job_request.status`.
    pub status: String,
}

/// The backend that a path names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backend {
    /// The row.
    pub id: i64,
    /// As in addresses.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// Whether it is in use.
    pub is_active: bool,
}

/// All that a path names by `{project}`, `{workspace}`, `{number}` or `{request}`, and `{backend}`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scope {
    /// By its slug, or through its workspace or request.
    pub project: Option<Project>,
    /// By its name, or through its request.
    pub workspace: Option<Workspace>,
    /// By number or identifier.
    pub request: Option<JobRequest>,
    /// By its slug.
    pub backend: Option<Backend>,
}

const PROJECT: &str = "SELECT p.id AS p_id, p.slug AS p_slug, p.name AS p_name, p.status AS p_status
    FROM project p WHERE p.slug = ?1";
const WORKSPACE: &str = "SELECT p.id AS p_id, p.slug AS p_slug, p.name AS p_name, p.status AS p_status,
    w.id AS w_id, w.name AS w_name, w.repo AS w_repo, o.url AS w_url, w.branch AS w_branch, w.archived_at AS w_archived
    FROM workspace w JOIN project p ON p.id = w.project JOIN repo o ON o.id = w.repo
    WHERE w.name = ?2 AND (?1 IS NULL OR p.slug = ?1)";
const REQUEST: &str = "SELECT p.id AS p_id, p.slug AS p_slug, p.name AS p_name, p.status AS p_status,
    w.id AS w_id, w.name AS w_name, w.repo AS w_repo, o.url AS w_url, w.branch AS w_branch, w.archived_at AS w_archived,
    r.number, r.identifier, r.backend, r.requested_by, r.status
    FROM job_request r JOIN workspace w ON w.id = r.workspace JOIN project p ON p.id = w.project
    JOIN repo o ON o.id = w.repo
    WHERE (r.number = ?3 OR r.identifier = ?4) AND (?2 IS NULL OR w.name = ?2) AND (?1 IS NULL OR p.slug = ?1)";

impl Scope {
    /// What roles could be about it.
    pub fn object(&self) -> Object {
        Object {
            project: self.project.as_ref().map(|project| project.id),
            backend: self.request.as_ref().map(|r| r.backend).or(self.backend.as_ref().map(|b| b.id)),
        }
    }

    /// Loads what these parts of a path name.
    ///
    /// # Errors
    /// [`Refusal::Hidden`] if one does not exist, or they do not belong together.
    pub async fn load<'a>(
        store: &Store,
        params: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, Refusal> {
        let (mut project, mut workspace, mut request, mut backend) = (None, None, None, None);
        for (name, value) in params {
            match name {
                "project" => project = Some(value),
                "workspace" => workspace = Some(value),
                "number" | "request" => request = Some(value),
                "backend" => backend = Some(value),
                _ => {}
            }
        }
        let mut scope = Self::default();
        let sql = match (project, workspace, request) {
            (None, None, None) => None,
            (_, _, Some(_)) => Some(REQUEST),
            (_, Some(_), None) => Some(WORKSPACE),
            (Some(_), None, None) => Some(PROJECT),
        };
        if let Some(sql) = sql {
            let query = sqlx::query(sql).bind(project).bind(workspace);
            let query = match request {
                Some(text) => {
                    let (number, identifier) = named(text).ok_or(Refusal::Hidden)?;
                    query.bind(number).bind(identifier)
                }
                None => query,
            };
            let row = query.fetch_optional(store.readers()).await?.ok_or(Refusal::Hidden)?;
            scope.project = Some(project_of(&row)?);
            scope.workspace = if sql == PROJECT { None } else { Some(workspace_of(&row)?) };
            scope.request = if sql == REQUEST { Some(request_of(&row)?) } else { None };
        }
        if let Some(slug) = backend {
            let row = sqlx::query("SELECT id, slug, name, is_active FROM backend WHERE slug = ?1").bind(slug);
            let row = row.fetch_optional(store.readers()).await?.ok_or(Refusal::Hidden)?;
            scope.backend = Some(Backend {
                id: row.try_get("id")?,
                slug: row.try_get("slug")?,
                name: row.try_get("name")?,
                is_active: row.try_get::<i64, _>("is_active")? != 0,
            });
        }
        Ok(scope)
    }
}

/// A request's number as it is written, without sign or leading zero, or its identifier.
fn named(text: &str) -> Option<(Option<i64>, Option<&str>)> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    if digits && !text.starts_with('0') && text.len() <= 18 {
        return text.parse().ok().map(|number| (Some(number), None));
    }
    let letters = text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'2'..=b'7'));
    (text.len() == 16 && letters).then_some((None, Some(text)))
}

fn project_of(row: &SqliteRow) -> Result<Project, sqlx::Error> {
    Ok(Project {
        id: row.try_get("p_id")?,
        slug: row.try_get("p_slug")?,
        name: row.try_get("p_name")?,
        status: row.try_get("p_status")?,
    })
}

fn workspace_of(row: &SqliteRow) -> Result<Workspace, sqlx::Error> {
    Ok(Workspace {
        id: row.try_get("w_id")?,
        name: row.try_get("w_name")?,
        repo: row.try_get("w_repo")?,
        repo_url: row.try_get("w_url")?,
        branch: row.try_get("w_branch")?,
        is_archived: row.try_get::<Option<i64>, _>("w_archived")?.is_some(),
    })
}

fn request_of(row: &SqliteRow) -> Result<JobRequest, sqlx::Error> {
    Ok(JobRequest {
        number: row.try_get("number")?,
        identifier: row.try_get("identifier")?,
        backend: row.try_get("backend")?,
        requested_by: row.try_get("requested_by")?,
        status: row.try_get("status")?,
    })
}

impl FromRequestParts<Opened> for Scope {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, site: &Opened) -> Result<Self, Refusal> {
        if let Some(scope) = parts.extensions.get::<Arc<Self>>() {
            return Ok(Self::clone(scope));
        }
        let params = RawPathParams::from_request_parts(parts, site).await.map_err(|_| Refusal::Hidden)?;
        let scope = Self::load(&site.store, &params).await?;
        parts.extensions.insert(Arc::new(scope.clone()));
        Ok(scope)
    }
}

macro_rules! part {
    ($($kind:ident $field:ident,)*) => {$(
        impl FromRequestParts<Opened> for $kind {
            type Rejection = Refusal;

            /// The one that the path names; 404 if it names none.
            async fn from_request_parts(parts: &mut Parts, site: &Opened) -> Result<Self, Refusal> {
                Scope::from_request_parts(parts, site).await?.$field.ok_or(Refusal::Hidden)
            }
        }
    )*};
}

part!(
    Project project,
    Workspace workspace,
    JobRequest request,
    Backend backend,
);

#[cfg(test)]
mod tests {
    use super::named;

    #[test]
    fn requests_are_named_in_one_way_only() {
        assert_eq!(named("812"), Some((Some(812), None)));
        assert_eq!(named("m4qz7kd2hu5xw3np"), Some((None, Some("m4qz7kd2hu5xw3np"))));
        for text in ["", "0", "0812", "+812", "-1", "812 ", "9999999999999999999", "M4QZ7KD2HU5XW3NP", "m4qz", "٣"] {
            assert_eq!(named(text), None, "{text}");
        }
    }
}
