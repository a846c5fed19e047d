//! The call by which facts arrive.
//! Spec protocol.md 4.2: 200 is only said after the commit.

use axum::extract::{Request, State};
use axum::response::Response;
use http::StatusCode;
use protocol::calls::{CallRefused, RefusalCode};
use protocol::fact::intake::FactsRefused;
use protocol::limits::BATCH_BYTES;

use super::alarm::{Alarm, raise};
use super::call::{Refusal, answer, open};
use crate::Opened;
use crate::facts::{self, TakeError};

/// Tries of a backend at what is not its own before staff are told (spec protocol.md 11, "bad input").
const TRIES: u64 = 3;

pub(super) async fn facts(State(site): State<Opened>, request: Request) -> Result<Response, Refusal> {
    let call = open(&site, request, BATCH_BYTES, true).await?;
    if !call.caller.confirmed {
        return Err(Refusal::new(RefusalCode::Unavailable));
    }
    match facts::take_in(&site, call.caller.backend, &call.caller.slug, &call.body).await {
        Ok((taken, changed)) => {
            site.hub.tell(&changed);
            Ok(answer(StatusCode::OK, &taken))
        }
        Err(TakeError::Refused(refused)) => {
            tracing::warn!(backend = %call.caller.slug, %refused, "facts are refused");
            let alarm = match &refused {
                FactsRefused::ChainConflict { seq } => Some((Alarm::ChainConflict, seq.get())),
                FactsRefused::BadChain { seq } => Some((Alarm::BadChain, seq.get())),
                FactsRefused::WrongBackend => {
                    let tries = call.caller.peer.reached_out();
                    (tries >= TRIES).then_some((Alarm::WrongBackend, tries))
                }
                _ => None,
            };
            if let Some((alarm, place)) = alarm {
                raise(&site, call.caller.backend, &call.caller.peer, alarm, place).await;
            }
            Err(Refusal(CallRefused::from(&refused)))
        }
        Err(TakeError::Store(error)) => Err(error.into()),
    }
}
