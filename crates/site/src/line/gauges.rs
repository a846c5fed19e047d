//! What is the case at a backend now: kept in memory, the newest counts.
//! Spec protocol.md 6.

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use protocol::calls::RefusalCode;
use protocol::gauges::Gauges;
use protocol::message::{self, Message};

use super::call::{Refusal, open};
use crate::facts::Changed;
use crate::store::ids::BackendId;
use crate::{Opened, Site};

pub(super) async fn gauges(State(site): State<Opened>, request: Request) -> Result<Response, Refusal> {
    let call = open(&site, request, Gauges::LIMITS.bytes, true).await?;
    let malformed = || Refusal::new(RefusalCode::Malformed);
    let gauges: Gauges = message::from_bytes(&call.body).map_err(|_| malformed())?;
    if gauges.boot != call.caller.boot {
        return Err(malformed());
    }
    clock(&site, call.caller.backend, gauges.at.microseconds()).await?;
    if call.caller.peer.gauges(gauges, site.clock.microseconds()) {
        site.hub.tell(&Changed { gauges: [call.caller.backend].into(), ..Changed::default() });
    }
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Clocks that drift apart by more than a second since it was noted.
const DRIFT: i64 = 1_000_000;

/// Notes how far the backend's clock is from this one, where that changed.
async fn clock(site: &Site, backend: BackendId, theirs: i64) -> Result<(), Refusal> {
    let offset = theirs - site.clock.microseconds();
    let (noted,): (Option<i64>,) = sqlx::query_as("SELECT clock_offset FROM backend WHERE id = ?")
        .bind(backend.0)
        .fetch_one(site.store.readers())
        .await?;
    if noted.is_some_and(|noted| (noted - offset).abs() <= DRIFT) {
        return Ok(());
    }
    let mut change = site.store.change().await?;
    sqlx::query("UPDATE backend SET clock_offset = ? WHERE id = ?")
        .bind(offset)
        .bind(backend.0)
        .execute(&mut *change)
        .await?;
    change.commit().await?;
    Ok(())
}
