//! A wish becomes a request and an order: all of it in one transaction, or nothing. No other machine is called.
//! Spec site.md 7.5, 16, 19 (two tabs, a right that ended meanwhile).

use data_encoding::BASE32_NOPAD;
use protocol::directive::DirectiveBody;
use serde_json::json;
use sqlx::{Executor, Sqlite};

use super::expect::Expected;
use super::ground::{Choice, Closed, Ground};
use super::order::{By, Said, Unsayable};
use super::permit;
use super::wish::Wish;
use crate::Site;
use crate::audit::{self, Act, Actor, fields};
use crate::clock::HOUR;
use crate::line::{self, SendError, Sent};
use crate::mirror::Study;
use crate::store::ids::BackendId;
use crate::store::{Change, StoreError};

/// Requests that one person may have open at once.
pub const MOST_OPEN: i64 = 50;
/// Requests that one person may make in an hour.
pub const MOST_PER_HOUR: i64 = 60;

/// What is asked for, judged before and looked at again inside the transaction where it can have changed.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// Name of the workspace.
    pub workspace: &'a str,
    /// Who asks.
    pub by: &'a By,
    /// The actor of the audit row.
    pub actor: &'a Actor,
    /// What is wished.
    pub wish: &'a Wish,
    /// The commit with all that it holds.
    pub study: &'a Study,
    /// What was expected of it, for the audit row.
    pub expected: &'a Expected,
    /// Microseconds since the epoch.
    pub now: i64,
}

/// What became of it.
#[derive(Debug)]
pub struct Submitted {
    /// The public number.
    pub number: i64,
    /// The long id.
    pub identifier: String,
    /// The order in the backend's line; `None` if the same form had made the request before.
    pub sent: Option<Sent>,
}

/// Why there is no request.
#[derive(Debug, thiserror::Error)]
pub enum SubmitError {
    /// Nothing may be asked for here any more.
    #[error("{0}")]
    Closed(#[from] Closed),
    /// The workspace is gone.
    #[error("there is no such workspace")]
    NoWorkspace,
    /// The backend may not be used any more.
    #[error("You may not use that backend any more, or it is not in use any more. Choose another one.")]
    NoBackend,
    /// The account was disabled.
    #[error("Your account was disabled.")]
    Disabled,
    /// Too many at once.
    #[error(
        "You have {open} requests that are not finished; at most {MOST_OPEN} are allowed at once. Wait for one to end, or cancel one."
    )]
    TooManyOpen {
        /// How many.
        open: i64,
    },
    /// Too many in an hour.
    #[error("You made {made} requests within an hour; at most {MOST_PER_HOUR} are allowed. Try again later.")]
    TooManyMade {
        /// How many.
        made: i64,
    },
    /// The same key came with another request.
    #[error("This key was used for another request before (number {number}). Use a new key for a new request.")]
    KeyTaken {
        /// The other request.
        number: i64,
    },
    /// Something of it cannot be said in an order.
    #[error(transparent)]
    Unsayable(#[from] Unsayable),
    /// It cannot be put into the line.
    #[error(transparent)]
    Send(#[from] SendError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for SubmitError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

/// 16 of `[a-z2-7]` from ten random bytes.
fn identifier() -> Result<String, SubmitError> {
    let mut random = [0; 10];
    getrandom::fill(&mut random).map_err(SendError::Random)?;
    Ok(BASE32_NOPAD.encode(&random).to_ascii_lowercase())
}

/// Makes the request. After the commit the caller wakes the backend's line with what is in `sent`.
///
/// # Errors
/// What changed since the form was shown, a limit, or the database; then nothing is written.
pub async fn submit(change: &mut Change, site: &Site, asked: Asked<'_>) -> Result<Submitted, SubmitError> {
    let Asked { by, wish, study, now, .. } = asked;
    let ground = Ground::of(&mut **change, asked.workspace).await?.ok_or(SubmitError::NoWorkspace)?;
    let form_key = form_key(by.account, &wish.key);
    if let Some(same) = made_before(&mut **change, by.account, ground.workspace, wish).await? {
        return Ok(same);
    }
    ground.open()?;
    let backend = Choice::one(&mut **change, by.account, &wish.backend).await?.ok_or(SubmitError::NoBackend)?;
    within_limits(change, by.account, now).await?;
    let grants = permit::in_force(change, ground.project, now).await?;
    let orgs: Vec<String> = sqlx::query_scalar(
        "SELECT o.slug FROM project_org p JOIN org o ON o.id = p.org WHERE p.project = ?
         ORDER BY p.is_lead DESC, p.created_at, o.slug",
    )
    .bind(ground.project)
    .fetch_all(&mut **change)
    .await?;
    let number: i64 =
        sqlx::query_scalar("SELECT coalesce(max(number), 0) + 1 FROM job_request").fetch_one(&mut **change).await?;
    let identifier = identifier()?;
    let said = Said {
        identifier: &identifier,
        number,
        at: now,
        ground: &ground,
        orgs: &orgs,
        by,
        wish,
        study,
        grants: &grants,
    };
    let order = said.order()?;
    let permissions = serde_json::to_string(&order.permissions).map_err(|why| StoreError::Damaged(why.to_string()))?;
    write(change, &said, &backend, &permissions, form_key.as_deref()).await?;
    let sent = line::send(change, site, BackendId(backend.id), &DirectiveBody::JobRequest(order)).await?;
    let after = fields([
        ("backend", json!(backend.slug)),
        ("commit", json!(study.commit.to_string())),
        ("actions", json!(wish.actions)),
        ("force_run_dependencies", json!(wish.force)),
        ("stale", json!(if wish.rerun { "rerun" } else { "keep" })),
        ("expected_new_jobs", json!(asked.expected.runs())),
    ]);
    let act = Act::new(asked.actor.clone(), "request_made").on("job_request", number).project(ground.project);
    audit::record(change, act.after(after)).await?;
    Ok(Submitted { number, identifier, sent: Some(sent) })
}

/// The request that the same key made before.
///
/// # Errors
/// [`SubmitError::KeyTaken`] if that was another request: other workspace, backend or actions, or another commit where
/// the wish names one.
pub async fn made_before<'e>(
    tables: impl Executor<'e, Database = Sqlite>,
    account: i64,
    workspace: i64,
    wish: &Wish,
) -> Result<Option<Submitted>, SubmitError> {
    type Row = (i64, String, i64, Option<String>, String, Option<String>);
    let row: Option<Row> = sqlx::query_as(
        "SELECT r.number, r.identifier, r.workspace, r.commit_id, b.slug,
            (SELECT json_group_array(name) FROM (SELECT name FROM requested_action WHERE job_request = r.number
             ORDER BY position))
         FROM job_request r JOIN backend b ON b.id = r.backend WHERE r.form_key = ?",
    )
    .bind(form_key(account, &wish.key))
    .fetch_optional(tables)
    .await?;
    let Some((number, identifier, of, commit, backend, actions)) = row else { return Ok(None) };
    let actions: Vec<String> = serde_json::from_str(&actions.unwrap_or_default()).unwrap_or_default();
    let same = of == workspace
        && backend == wish.backend
        && wish.commit.is_none_or(|wanted| commit == Some(wanted.to_string()))
        && actions.iter().map(String::as_str).eq(wish.actions.iter().map(pipeline::ActionName::as_str));
    if same { Ok(Some(Submitted { number, identifier, sent: None })) } else { Err(SubmitError::KeyTaken { number }) }
}

/// Keys of one person never meet those of another; `None` without a key.
fn form_key(account: i64, key: &str) -> Option<String> {
    (!key.is_empty()).then(|| format!("{account}:{key}"))
}

async fn within_limits(change: &mut Change, account: i64, now: i64) -> Result<(), SubmitError> {
    let disabled: Option<i64> = sqlx::query_scalar("SELECT disabled_at FROM account WHERE id = ?")
        .bind(account)
        .fetch_optional(&mut **change)
        .await?
        .flatten();
    if disabled.is_some() {
        return Err(SubmitError::Disabled);
    }
    let (open, made): (i64, i64) = sqlx::query_as(
        "SELECT count(*) FILTER (WHERE status IN ('pending', 'running')), count(*) FILTER (WHERE created_at > ?)
         FROM job_request WHERE requested_by = ? AND is_import = 0",
    )
    .bind(now - HOUR)
    .bind(account)
    .fetch_one(&mut **change)
    .await?;
    if open >= MOST_OPEN {
        return Err(SubmitError::TooManyOpen { open });
    }
    if made >= MOST_PER_HOUR {
        return Err(SubmitError::TooManyMade { made });
    }
    Ok(())
}

async fn write(
    change: &mut Change,
    said: &Said<'_>,
    backend: &Choice,
    permissions: &str,
    form_key: Option<&str>,
) -> Result<(), StoreError> {
    let Said { wish, study, ground, .. } = said;
    let yaml = match &study.yaml {
        Ok((bytes, sha256)) => {
            sqlx::query("INSERT INTO project_yaml (sha256, body) VALUES (?, ?) ON CONFLICT (sha256) DO NOTHING")
                .bind(sha256)
                .bind(bytes)
                .execute(&mut **change)
                .await?;
            Some(sha256)
        }
        Err(_) => None,
    };
    sqlx::query(
        "INSERT INTO job_request (number, identifier, workspace, backend, requested_by, branch, commit_id, tree,
            force_run_dependencies, stale, notify, note, project_yaml, codelists, permissions, form_key, created_at,
            delivery, status, news_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'waiting', 'pending', ?)",
    )
    .bind(said.number)
    .bind(said.identifier)
    .bind(ground.workspace)
    .bind(backend.id)
    .bind(said.by.account)
    .bind(&ground.branch)
    .bind(study.commit.to_string())
    .bind(&study.tree)
    .bind(wish.force)
    .bind(if wish.rerun { "rerun" } else { "keep" })
    .bind(wish.notify)
    .bind(&wish.note)
    .bind(yaml)
    .bind(if study.codelists.ok() { "ok" } else { "stale" })
    .bind(permissions)
    .bind(form_key)
    .bind(said.at)
    .bind(said.at)
    .execute(&mut **change)
    .await?;
    for (position, action) in (0i64..).zip(&wish.actions) {
        sqlx::query("INSERT INTO requested_action (job_request, position, name) VALUES (?, ?, ?)")
            .bind(said.number)
            .bind(position)
            .bind(action.as_str())
            .execute(&mut **change)
            .await?;
    }
    sqlx::query("UPDATE repo SET first_run_at = ? WHERE url = ? AND first_run_at IS NULL")
        .bind(said.at)
        .bind(&ground.repo)
        .execute(&mut **change)
        .await?;
    Ok(())
}
