//! The ask itself: sorted into what can be stopped, what has ended and what nobody knows; idempotent; one transaction.
//! Spec site.md 4.10; protocol.md 3.3 (`cancel`).

use std::collections::BTreeSet;

use protocol::directive::DirectiveBody;
use protocol::directive::body::Cancel;
use protocol::text::BadText;
use serde_json::json;

use super::expand;
use super::read::{Standing, inside};
use super::void::void;
use crate::Site;
use crate::audit::{self, Act, Actor, fields};
use crate::line::{self, SendError, Sent};
use crate::store::ids::BackendId;
use crate::store::{Change, StoreError};

/// Most characters of a reason.
pub(super) const LONGEST_REASON: usize = 500;

/// Who asks.
#[derive(Debug, Clone, Copy)]
pub struct Who<'a> {
    /// For the audit row.
    pub actor: &'a Actor,
    /// The public user name, for the backend.
    pub username: &'a str,
}

/// What became of the ask.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Done {
    /// Ended at once on the site: the order had never been sent.
    pub at_once: bool,
    /// Actions that are being stopped, those asked for before included.
    pub asked: Vec<String>,
    /// Actions that had ended; they are left alone.
    pub finished: Vec<String>,
    /// The directive, if one was needed. After the commit the caller wakes the line with it.
    pub sent: Option<Sent>,
}

/// Why nothing was asked.
#[derive(Debug, thiserror::Error)]
pub enum CancelError {
    /// There is no such request.
    #[error("there is no such request")]
    NoRequest,
    /// None chosen.
    #[error("Tick at least one action to cancel.")]
    Nothing,
    /// Actions that this request does not have.
    #[error("This request has no action {}; nothing was cancelled.", .0.join(", "))]
    Unknown(Vec<String>),
    /// Too long.
    #[error("The reason has {0} characters; at most {LONGEST_REASON} are kept.")]
    LongReason(usize),
    /// A name that no directive can carry.
    #[error("this cannot be sent to a backend: {0}")]
    Unsayable(#[from] BadText),
    /// It cannot be put into the line.
    #[error(transparent)]
    Send(#[from] SendError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for CancelError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

/// Asks to stop these actions of a request; all that can be stopped if `chosen` is `None`. Twice is the same as once.
///
/// # Errors
/// Nothing was asked, and nothing is written.
pub async fn cancel(
    change: &mut Change,
    site: &Site,
    who: Who<'_>,
    number: i64,
    chosen: Option<&[String]>,
    reason: &str,
) -> Result<Done, CancelError> {
    let reason = reason.trim();
    let length = reason.chars().count();
    if length > LONGEST_REASON {
        return Err(CancelError::LongReason(length));
    }
    let found = inside(&mut *change, number).await?.ok_or(CancelError::NoRequest)?;
    let sorted = sort(&found, chosen)?;
    let now = site.clock.microseconds();
    let backend = BackendId(found.backend);
    let mut done = Done { finished: sorted.finished, ..Done::default() };
    done.asked = sorted.before;
    let row = Row { number, who, now, reason };
    let told: Vec<String> =
        sqlx::query_scalar("SELECT action FROM cancellation WHERE job_request = ? AND answered_at IS NOT NULL")
            .bind(number)
            .fetch_all(&mut **change)
            .await?;
    let untold: Vec<String> = done.finished.iter().filter(|name| !told.contains(name)).cloned().collect();
    row.write(change, &format!("site:{number}:{now}:ended"), &untold, Some("already_finished")).await?;
    if !sorted.new.is_empty() {
        let is_whole = !found.is_answered && found.open().all(|item| sorted.new.contains(&item.action));
        if is_whole && void(change, site, backend, &found.identifier).await? {
            row.write(change, &format!("site:{number}:{now}:at-once"), &sorted.new, Some("stopped")).await?;
            sqlx::query(
                "UPDATE job_request SET status = 'failed', reason = 'cancelled_before_start', detail = NULL,
                 cancelled = 1, delivery = 'answered', answered_at = ?1, news_at = ?1 WHERE number = ?2",
            )
            .bind(now)
            .bind(number)
            .execute(&mut **change)
            .await?;
            done.at_once = true;
        } else {
            let names = match found.is_answered || found.items.iter().any(|item| item.job.is_some()) {
                true => sorted.new.clone(),
                false => expand::names(&site.store, &found, &sorted.new).await?,
            };
            let sent = send(change, site, &found, &row, &names).await?;
            row.write(change, sent.id.as_str(), &names, None).await?;
            done.sent = Some(sent);
        }
        let after = fields([("actions", json!(sorted.new)), ("at_once", json!(done.at_once))]);
        let act = Act::new(who.actor.clone(), "request_cancelled").on("job_request", number).project(found.project);
        audit::record(change, act.after(after).reason(reason)).await?;
        done.asked.extend(sorted.new);
    }
    Ok(done)
}

async fn send(
    change: &mut Change,
    site: &Site,
    found: &Standing,
    row: &Row<'_>,
    actions: &[String],
) -> Result<Sent, CancelError> {
    let mut names = Vec::with_capacity(actions.len());
    for action in actions {
        names.push(action.parse()?);
    }
    let body = DirectiveBody::Cancel(Cancel {
        request: found.identifier.parse()?,
        actions: names.try_into().map_err(|_| CancelError::Nothing)?,
        requested_by: row.who.username.parse()?,
        at: crate::clock::moment(row.now),
    });
    Ok(line::send(change, site, BackendId(found.backend), &body).await?)
}

/// What every row of this ask has in common.
struct Row<'a> {
    number: i64,
    who: Who<'a>,
    now: i64,
    reason: &'a str,
}

impl Row<'_> {
    /// `result` is set where the site itself answers.
    async fn write(
        &self,
        change: &mut Change,
        directive: &str,
        actions: &[String],
        result: Option<&str>,
    ) -> Result<(), StoreError> {
        for action in actions {
            sqlx::query(
                "INSERT INTO cancellation (directive, job_request, action, requested_by, requested_at, reason,
                    answered_at, result) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            )
            .bind(directive)
            .bind(self.number)
            .bind(action)
            .bind(self.who.actor.account())
            .bind(self.now)
            .bind(self.reason)
            .bind(result.map(|_| self.now))
            .bind(result)
            .execute(&mut **change)
            .await?;
        }
        Ok(())
    }
}

/// The chosen actions by what can be done about them.
#[derive(Debug, Default, PartialEq, Eq)]
struct Sorted {
    new: Vec<String>,
    before: Vec<String>,
    finished: Vec<String>,
}

fn sort(found: &Standing, chosen: Option<&[String]>) -> Result<Sorted, CancelError> {
    let known = |name: &str| found.items.iter().any(|item| item.action == name);
    let wanted: Option<BTreeSet<&str>> = chosen.map(|names| names.iter().map(String::as_str).collect());
    if let Some(names) = &wanted {
        if names.is_empty() {
            return Err(CancelError::Nothing);
        }
        let unknown: Vec<String> = names.iter().filter(|name| !known(name)).map(|name| (*name).to_owned()).collect();
        // A request that ended without jobs has no actions any more: to cancel it again is to do nothing.
        if !unknown.is_empty() && (!found.is_final || !found.items.is_empty()) {
            return Err(CancelError::Unknown(unknown));
        }
    }
    let mut sorted = Sorted::default();
    for item in &found.items {
        let is_named = wanted.as_ref().is_none_or(|names| names.contains(item.action.as_str()));
        let list = match (item.is_open(), item.asked.is_some()) {
            (true, false) => &mut sorted.new,
            (true, true) => &mut sorted.before,
            // Without names, only what is open is meant.
            (false, _) if wanted.is_some() => &mut sorted.finished,
            (false, _) => continue,
        };
        if is_named {
            list.push(item.action.clone());
        }
    }
    Ok(sorted)
}
