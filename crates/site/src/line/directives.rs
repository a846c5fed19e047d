//! The long poll for orders: answered at once if there are any, else when one comes or the wait is over.
//! Spec protocol.md 2.1, 3.2. Asking behind a cursor acknowledges all up to it.

use std::time::Duration;

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::{StatusCode, Uri};
use jobs::fault::point;
use protocol::calls::RefusalCode;
use protocol::directive::line::{Line, Poll};
use protocol::limits::{DIRECTIVES, POLL_SECONDS};
use protocol::text::whole::Cursor;
use tokio::time::{Instant, timeout_at};

use super::call::{Caller, Refusal, json, open};
use super::{enrol, restored, tell};
use crate::store::StoreError;
use crate::{Opened, Site};

/// The lease is renewed while a poll is held.
const RENEW: Duration = Duration::from_secs(30);

pub(super) async fn directives(State(site): State<Opened>, request: Request) -> Result<Response, Refusal> {
    let call = open(&site, request, 0, true).await?;
    let (after, wait) = query(&call.uri)?;
    let deadline = Instant::now() + Duration::from_secs(wait);
    tell::tell_late(&site).await?;
    enrol::renew(&site, call.caller.backend).await?;
    loop {
        // Registered before the look at the tables: an order that comes between the two is not slept through.
        let mut woken = std::pin::pin!(call.caller.peer.wake.notified());
        woken.as_mut().enable();
        if let Some(text) = waiting(&site, &call.caller, after).await? {
            point("site.directives.answer", None);
            return Ok(json(StatusCode::OK, text));
        }
        if Instant::now() >= deadline || site.is_stopping() {
            return Ok(StatusCode::NO_CONTENT.into_response());
        }
        let _ = timeout_at(deadline.min(Instant::now() + RENEW), woken).await;
        call.caller.peer.call(&call.caller.boot, site.clock.microseconds())?;
    }
}

fn query(uri: &Uri) -> Result<(Cursor, u64), Refusal> {
    let malformed = || Refusal::new(RefusalCode::Malformed);
    let (mut after, mut wait) = (None, 0);
    for pair in uri.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').ok_or_else(malformed)?;
        let number: u64 = value.parse().map_err(|_| malformed())?;
        match name {
            "after" => after = Some(Cursor::try_from(number).map_err(|_| malformed())?),
            "wait" => wait = number.min(POLL_SECONDS),
            _ => {}
        }
    }
    Ok((after.ok_or_else(malformed)?, wait))
}

/// The directives behind a cursor as an answer, if there are any.
async fn waiting(site: &Site, caller: &Caller, after: Cursor) -> Result<Option<String>, Refusal> {
    let (last, asked, confirmed): (i64, i64, bool) =
        sqlx::query_as("SELECT line_last, line_asked, confirmed_at IS NOT NULL FROM backend WHERE id = ?")
            .bind(caller.backend.0)
            .fetch_one(site.store.readers())
            .await?;
    let mut line = Line::stored(cursor(last)?, cursor(asked)?);
    let before = line.acknowledged();
    let poll = line.poll(after);
    if line.acknowledged() > before {
        acknowledge(site, caller, line.acknowledged()).await?;
    }
    // An order names persons and permissions: nothing goes to a key that nobody has confirmed.
    if poll == Poll::Wait || !confirmed {
        return Ok(None);
    }
    let mut texts = dense(site, caller, after).await?;
    if texts.is_empty() {
        // Where the site was restored, nothing lies at places that were given before. Seldom, so written only when asked for.
        let mut change = site.store.change().await?;
        restored::fill(&mut change, site, caller.backend, caller.slug.as_str(), after).await?;
        change.commit().await?;
        texts = dense(site, caller, after).await?;
    }
    if texts.is_empty() {
        return Ok(None);
    }
    Ok(Some(format!("{{\"directives\":[{}]}}", texts.join(","))))
}

/// The directives right behind a cursor, up to the first place at which none lies.
async fn dense(site: &Site, caller: &Caller, after: Cursor) -> Result<Vec<String>, Refusal> {
    let sizes: Vec<(i64, i64)> = sqlx::query_as(
        "SELECT cursor, length(CAST(text AS BLOB)) FROM directive WHERE backend = ? AND cursor > ? ORDER BY cursor LIMIT ?",
    )
    .bind(caller.backend.0)
    .bind(number(after))
    .bind(i64::try_from(DIRECTIVES).unwrap_or(100))
    .fetch_all(site.store.readers())
    .await?;
    let dense = sizes.into_iter().zip(number(after) + 1..).take_while(|((place, _), due)| place == due);
    let count = Line::answer(dense.map(|((_, size), _)| usize::try_from(size).unwrap_or(usize::MAX)));
    let texts: Vec<(String,)> =
        sqlx::query_as("SELECT text FROM directive WHERE backend = ? AND cursor > ? ORDER BY cursor LIMIT ?")
            .bind(caller.backend.0)
            .bind(number(after))
            .bind(i64::try_from(count).unwrap_or(0))
            .fetch_all(site.store.readers())
            .await?;
    Ok(texts.into_iter().map(|(text,)| text).collect())
}

async fn acknowledge(site: &Site, caller: &Caller, up_to: Cursor) -> Result<(), Refusal> {
    let now = site.clock.microseconds();
    let mut change = site.store.change().await?;
    sqlx::query("UPDATE backend SET line_asked = ?1 WHERE id = ?2 AND line_asked < ?1")
        .bind(number(up_to))
        .bind(caller.backend.0)
        .execute(&mut *change)
        .await?;
    let delivered: Vec<(Option<String>, String)> = sqlx::query_as(
        "UPDATE directive SET delivered_at = ? WHERE backend = ? AND cursor <= ? AND delivered_at IS NULL
         RETURNING request, kind",
    )
    .bind(now)
    .bind(caller.backend.0)
    .bind(number(up_to))
    .fetch_all(&mut *change)
    .await?;
    let mut told = crate::facts::Changed::default();
    for request in delivered.into_iter().filter(|(_, kind)| kind == "job_request").filter_map(|(request, _)| request) {
        let row: Option<(i64,)> = sqlx::query_as(
            "UPDATE job_request SET delivery = 'delivered' WHERE identifier = ? AND delivery = 'waiting'
             RETURNING number",
        )
        .bind(request)
        .fetch_optional(&mut *change)
        .await?;
        told.requests.extend(row.map(|(number,)| number));
    }
    point("site.delivered.before", None);
    change.commit().await?;
    point("site.delivered.after", None);
    site.hub.tell(&told);
    Ok(())
}

/// A cursor from the tables.
pub(super) fn cursor(stored: i64) -> Result<Cursor, StoreError> {
    let cursor = u64::try_from(stored).ok().and_then(|number| Cursor::try_from(number).ok());
    cursor.ok_or_else(|| StoreError::Damaged(format!("the cursor {stored}")))
}

/// A cursor as the tables keep it.
pub(super) fn number(cursor: Cursor) -> i64 {
    i64::try_from(cursor.get()).unwrap_or(i64::MAX)
}
