//! What a workspace is bound to, and whether anything may still start in it.
//! Spec protocol.md 1 (workspace), 3.3 (`workspace`).

use jiff::Timestamp;
use serde_json::json;
use sqlx::{Row, SqliteConnection};

use super::change::JobHead;
use super::event::{Event, append};
use super::{PolicyRule, Reason, State, StateError, Status, StatusCode};
use crate::{CodeSource, JobId, JobState, Request, WorkspaceName};

/// A workspace as this machine knows it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Binding {
    /// The repository of the requests that were planned in it.
    pub repo_url: Option<String>,
    /// Their project.
    pub project: Option<String>,
    /// Nothing starts in it.
    pub archived: bool,
    /// Nor in any of its project's.
    pub retired: bool,
}

/// The first plan in a workspace binds it.
pub(super) async fn bind(tx: &mut SqliteConnection, request: &Request) -> Result<(), StateError> {
    let CodeSource::Commit { repo_url, .. } = &request.code else { return Ok(()) };
    sqlx::query(
        "INSERT INTO workspace (name, repo_url, project) VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE \
         SET repo_url = coalesce(repo_url, excluded.repo_url), project = coalesce(project, excluded.project)",
    )
    .bind(request.workspace.as_str())
    .bind(repo_url)
    .bind(&request.project)
    .execute(tx)
    .await?;
    Ok(())
}

impl State {
    /// What a workspace is bound to; nothing if no request was ever planned in it.
    ///
    /// # Errors
    /// The database refused.
    pub async fn binding(&self, workspace: &WorkspaceName) -> Result<Binding, StateError> {
        let row = sqlx::query("SELECT repo_url, project, archived, retired FROM workspace WHERE name = ?")
            .bind(workspace.as_str())
            .fetch_optional(&self.readers)
            .await?;
        let Some(row) = row else { return Ok(Binding::default()) };
        Ok(Binding {
            repo_url: row.try_get(0)?,
            project: row.try_get(1)?,
            archived: row.try_get(2)?,
            retired: row.try_get(3)?,
        })
    }

    /// The workspaces in which nothing may start: their names, whether they are archived, whether their project is retired.
    ///
    /// # Errors
    /// The database refused.
    pub async fn closed_workspaces(&self) -> Result<Vec<(String, bool, bool)>, StateError> {
        let rows = sqlx::query("SELECT name, archived, retired FROM workspace WHERE archived OR retired ORDER BY name")
            .fetch_all(&self.readers)
            .await?;
        rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?))).collect()
    }

    /// Keeps what a project may use, in words that only the caller reads. It replaces what was said at an earlier place;
    /// false if something was said at a later one, which stays.
    ///
    /// # Errors
    /// The database refused.
    pub async fn put_permits(&self, project: &str, place: u64, body: &serde_json::Value) -> Result<bool, StateError> {
        let mut writers = self.writers.lock().await;
        let done = sqlx::query(
            "INSERT INTO permits (project, place, body) VALUES (?, ?, ?) ON CONFLICT (project) DO UPDATE \
             SET place = excluded.place, body = excluded.body WHERE excluded.place >= permits.place",
        )
        .bind(project)
        .bind(super::attempts::to_stored(place))
        .bind(body.to_string())
        .execute(&mut *writers.durable)
        .await?;
        Ok(done.rows_affected() > 0)
    }

    /// What every project may use, as it was put.
    ///
    /// # Errors
    /// The database refused.
    pub async fn permits(&self) -> Result<Vec<(String, serde_json::Value)>, StateError> {
        let rows = sqlx::query("SELECT project, body FROM permits ORDER BY project").fetch_all(&self.readers).await?;
        rows.iter().map(|row| Ok((row.try_get(0)?, serde_json::from_str(&row.try_get::<String, _>(1)?)?))).collect()
    }

    /// Says whether anything may start in a workspace. If not, its waiting jobs fail (`refused_by_policy`); gives them.
    ///
    /// # Errors
    /// The database refused.
    pub async fn set_archived(
        &self,
        workspace: &WorkspaceName,
        archived: bool,
        retired: bool,
        now: Timestamp,
    ) -> Result<Vec<JobId>, StateError> {
        let mut writers = self.writers.lock().await;
        let mut tx = writers.durable.begin().await?;
        sqlx::query(
            "INSERT INTO workspace (name, archived, retired) VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE \
             SET archived = excluded.archived, retired = excluded.retired",
        )
        .bind(workspace.as_str())
        .bind(archived)
        .bind(retired)
        .execute(&mut *tx)
        .await?;
        let body = json!({ "archived": archived, "retired": retired });
        let event = Event { kind: "workspace", workspace: workspace.as_str(), request: String::new(), body };
        append(&mut tx, event, now).await?;
        let mut refused = Vec::new();
        if archived || retired {
            let (rule, words) = if archived {
                (PolicyRule::WorkspaceArchived, "its workspace is archived")
            } else {
                (PolicyRule::ProjectRetired, "its project is retired")
            };
            let status = Status::refused(rule, words);
            // The last one first: otherwise it would fail as a dependant of another one.
            let ids: Vec<String> = sqlx::query_scalar(
                "SELECT id FROM job WHERE state IN ('pending', 'running') AND workspace = ? ORDER BY seq DESC",
            )
            .bind(workspace.as_str())
            .fetch_all(&mut *tx)
            .await?;
            for id in ids {
                let mut head = JobHead::load(&mut tx, id.parse()?).await?;
                if head.code.state() == JobState::Pending {
                    head.change(&mut tx, &status, now).await?;
                    head.fail_dependants(&mut tx, now).await?;
                    refused.push(head.id);
                }
            }
        }
        self.commit(tx).await?;
        Ok(refused)
    }

    /// Binds a workspace anew, by the will of an operator.
    ///
    /// # Errors
    /// The database refused.
    pub async fn rebind(&self, workspace: &WorkspaceName, now: Timestamp) -> Result<(), StateError> {
        let mut writers = self.writers.lock().await;
        let mut tx = writers.durable.begin().await?;
        sqlx::query("UPDATE workspace SET repo_url = NULL, project = NULL WHERE name = ?")
            .bind(workspace.as_str())
            .execute(&mut *tx)
            .await?;
        let event = Event { kind: "rebind", workspace: workspace.as_str(), request: String::new(), body: json!({}) };
        append(&mut tx, event, now).await?;
        self.commit(tx).await
    }
}

impl Status {
    /// Of a job that a rule of this machine's own policy keeps from starting; `words` end "because".
    pub fn refused(rule: PolicyRule, words: &str) -> Self {
        let status = Self::new(StatusCode::JobError, format!("Refused by the policy here: {words}"));
        let status = status.telling(|tells| tells.rule = Some(rule));
        match "refused_by_policy".parse::<Reason>() {
            Ok(reason) => status.because(reason),
            Err(_) => status,
        }
    }
}
