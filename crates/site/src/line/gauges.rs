//! What is the case at a backend now: kept in memory, the newest counts.
//! Spec protocol.md 6.

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use protocol::calls::RefusalCode;
use protocol::gauges::Gauges;
use protocol::message::{self, Message};

use super::call::{Refusal, open};
use crate::Opened;
use crate::facts::Changed;

pub(super) async fn gauges(State(site): State<Opened>, request: Request) -> Result<Response, Refusal> {
    let call = open(&site, request, Gauges::LIMITS.bytes, true).await?;
    let malformed = || Refusal::new(RefusalCode::Malformed);
    let gauges: Gauges = message::from_bytes(&call.body).map_err(|_| malformed())?;
    if gauges.boot != call.caller.boot {
        return Err(malformed());
    }
    if call.caller.peer.gauges(gauges, site.clock.microseconds()) {
        site.hub.tell(&Changed { gauges: [call.caller.backend].into(), ..Changed::default() });
    }
    Ok(StatusCode::NO_CONTENT.into_response())
}
