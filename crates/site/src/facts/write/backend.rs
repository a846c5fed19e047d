//! What facts tell of the backend itself, of directives it did not take, and of releases.
//! Spec protocol.md 4.3.

use protocol::fact::FactBody;
use protocol::fact::backend::{DirectiveRejected, RejectedCode};
use protocol::fact::envelope::Content;

use super::{text, word};
use crate::facts::project::Event;
use crate::facts::touched::Touched;
use crate::store::ids::BackendId;
use crate::store::{Change, StoreError};

/// Writes such a fact at once. Tells whether the backend's own state is another one now.
pub(in crate::facts) async fn of_backend(
    change: &mut Change,
    backend: BackendId,
    event: &Event,
    content: &Content,
    touched: &mut Touched,
) -> Result<bool, StoreError> {
    let at = content.at.microseconds();
    match &content.body {
        FactBody::Opened(opened) => {
            sqlx::query("UPDATE backend SET data_kind = ? WHERE id = ?")
                .bind(word(&opened.data_kind))
                .bind(backend.0)
                .execute(&mut **change)
                .await?;
        }
        FactBody::Mode(mode) => {
            sqlx::query(
                "UPDATE backend SET mode_since = CASE WHEN mode = ?1 THEN mode_since ELSE ?2 END, mode = ?1,
                 mode_kind = ?3, mode_ends_at = ?4 WHERE id = ?5",
            )
            .bind(word(&mode.mode))
            .bind(at)
            .bind(mode.kind.as_ref().map(word))
            .bind(mode.ends_at.map(|at| at.microseconds()))
            .bind(backend.0)
            .execute(&mut **change)
            .await?;
        }
        FactBody::Policy(policy) => {
            sqlx::query("UPDATE backend SET policy = ?, data_version = ? WHERE id = ?")
                .bind(text(policy))
                .bind(policy.data_version.as_ref().map(|label| label.as_str()))
                .bind(backend.0)
                .execute(&mut **change)
                .await?;
        }
        FactBody::DirectiveRejected(body) => {
            rejected(change, backend, event, body, touched).await?;
            return Ok(false);
        }
        FactBody::ReleaseDeclared(body) => {
            sqlx::query(
                "INSERT INTO backend_release (backend, release, workspace, envelope_sha256, files, declared_at)
                 VALUES (?, ?, ?, ?, ?, ?)",
            )
            .bind(backend.0)
            .bind(body.release.as_str())
            .bind(body.workspace.as_str())
            .bind(body.envelope_sha256.as_str())
            .bind(i64::try_from(body.files.get()).unwrap_or(i64::MAX))
            .bind(at)
            .execute(&mut **change)
            .await?;
            return Ok(false);
        }
        FactBody::ReleaseCompleted(body) => {
            sqlx::query("UPDATE backend_release SET completed_at = ? WHERE backend = ? AND release = ?")
                .bind(at)
                .bind(backend.0)
                .bind(body.release.as_str())
                .execute(&mut **change)
                .await?;
            return Ok(false);
        }
        FactBody::ReleaseRecalled(body) => {
            sqlx::query("UPDATE backend_release SET recalled_at = ? WHERE backend = ? AND release = ?")
                .bind(at)
                .bind(backend.0)
                .bind(body.release.as_str())
                .execute(&mut **change)
                .await?;
            return Ok(false);
        }
        _ => return Ok(false),
    }
    Ok(true)
}

/// An order that was not taken gets no other answer: its request has failed, and says so. The id counts before the place,
/// which may have changed since (`line::restored`).
async fn rejected(
    change: &mut Change,
    backend: BackendId,
    event: &Event,
    body: &DirectiveRejected,
    touched: &mut Touched,
) -> Result<(), StoreError> {
    let row: Option<(String, Option<String>)> = sqlx::query_as(
        "UPDATE directive SET rejected = ?1, answered_at = coalesce(answered_at, ?2)
         WHERE backend = ?3 AND (id = ?5 OR ?5 IS NULL AND cursor = ?4) RETURNING kind, request",
    )
    .bind(word(&body.code))
    .bind(event.received_at)
    .bind(backend.0)
    .bind(i64::try_from(body.cursor.get()).unwrap_or(i64::MAX))
    .bind(body.directive.as_ref().map(|id| id.as_str()))
    .fetch_optional(&mut **change)
    .await?;
    let Some((kind, Some(request))) = row else { return Ok(()) };
    if let Ok(request) = request.parse() {
        touched.requests.insert(request, event.received_at);
    }
    if kind == "job_request" {
        let reason = match body.code {
            RejectedCode::Expired => "expired_before_start".to_owned(),
            other => word(&other),
        };
        sqlx::query(
            "UPDATE job_request SET status = 'failed', reason = ?, detail = NULL
             WHERE identifier = ? AND backend = ? AND answered_at IS NULL",
        )
        .bind(reason)
        .bind(request)
        .bind(backend.0)
        .execute(&mut **change)
        .await?;
    }
    Ok(())
}
