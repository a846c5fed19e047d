//! From one `hello` to the next: polls, facts, gauges and people side by side. The first that loses the site ends all of them.
//! Spec protocol.md 7.2: a site that comes back hears `hello` first, then the rest.

use std::time::Duration;

use bytes::Bytes;
use http::{Method, Response};
use jobs::fault::point;
use protocol::calls::RefusalCode;
use protocol::fact::envelope::Head;
use protocol::fact::outbox::{BatchLimits, Outbox};
use protocol::text::whole::Epoch;
use tokio::sync::{Mutex, Notify};

use super::call::{ANSWER, Callee, Caller, Failed};
use super::{Halt, Line};
use crate::log::LogError;

/// Why a session ends.
#[derive(Debug)]
pub(super) enum End {
    /// The site is not there, or has no time.
    Lost {
        /// Whether this kind of call had worked in this session, so that the next try is not another one in a row.
        worked: bool,
        /// When the site wants to hear from us.
        wait: Option<Duration>,
        /// In words.
        why: Failed,
    },
    /// Say `hello` again.
    Again,
    /// The operator must act.
    Halt(Halt),
    /// The record cannot be written.
    Fatal(LogError),
}

impl End {
    /// What a failed `hello` means.
    pub(super) fn of_hello(failed: Failed) -> Self {
        match Self::of(failed, false) {
            Ok(passing) => passing,
            Err(end) => end,
        }
    }

    /// What a failed call of a session means: `Err` if the session ends with it, `Ok` if only this kind of call waits and
    /// tries again, because the others may well be answered.
    pub(super) fn of(failed: Failed, worked: bool) -> Result<Self, Self> {
        let lost = |failed, wait| Self::Lost { worked, wait, why: failed };
        let code = match &failed {
            Failed::Refused { refused, .. } => Some(refused.code),
            _ => None,
        };
        let hour = Duration::from_secs(3600);
        match (failed, code) {
            (Failed::Log(error), _) => Err(Self::Fatal(error)),
            (_, Some(RefusalCode::Superseded)) => Err(Self::Halt(Halt::Superseded)),
            (_, Some(RefusalCode::ChainConflict)) => Err(Self::Halt(Halt::Conflict)),
            (_, Some(RefusalCode::HelloFirst | RefusalCode::WrongEpoch)) => Err(Self::Again),
            (failed, Some(RefusalCode::NoCommonVersion)) => Err(lost(failed, Some(hour))),
            (failed @ Failed::Refused { wait, .. }, Some(code)) if who_calls(code) => Err(lost(failed, wait)),
            (failed @ Failed::Refused { wait, .. }, _) => Ok(lost(failed, wait)),
            // A gateway that says so itself: the site is not there.
            (failed @ Failed::Unreadable { status: 502..=504, wait }, _) => Err(lost(failed, wait)),
            (failed @ Failed::Unreadable { wait, .. }, _) => Ok(lost(failed, wait)),
            (failed @ Failed::CannotSend(_), _) => Ok(lost(failed, None)),
            (failed @ Failed::Unreachable(_), _) => Err(lost(failed, None)),
        }
    }

    /// What a failed call of a session means: how long this kind of call waits, or the end of the session.
    pub(super) fn or_wait(failed: Failed, worked: bool) -> Result<Option<Duration>, Self> {
        match Self::of(failed, worked)? {
            Self::Lost { wait, why, .. } => {
                match &why {
                    Failed::CannotSend(why) => tracing::error!(%why, "a message was stopped inside"),
                    why => tracing::warn!(%why, "a call is tried again"),
                }
                Ok(wait)
            }
            other => Err(other),
        }
    }
}

/// Refusals of who calls, not of what is said: no other call would be answered.
fn who_calls(code: RefusalCode) -> bool {
    use RefusalCode::{AlreadyConnected, ClockSkew, Disabled, Unauthorised, WrongBackend};
    matches!(code, Unauthorised | Disabled | WrongBackend | AlreadyConnected | ClockSkew)
}

/// What both sides agreed at `hello`, and what the loops of a session share.
#[derive(Debug)]
pub(super) struct Met {
    /// How far the site has the facts.
    pub(super) outbox: Mutex<Outbox>,
    /// Of which epoch they are.
    pub(super) epoch: Epoch,
    /// Where that epoch ends; none of the open one.
    pub(super) until: Option<Head>,
    /// How much goes into a batch.
    pub(super) limits: BatchLimits,
    /// Seconds of a poll.
    pub(super) wait: u64,
    /// The site's revision of the roster.
    pub(super) revision: u64,
    /// Wakes the facts: a resend was asked for.
    pub(super) resend: Notify,
    /// Wakes the roster: rights changed.
    pub(super) rights: Notify,
}

impl Line {
    pub(super) async fn session(&self, met: Met) -> End {
        tokio::select! {
            biased;
            end = self.polls(&met) => end,
            end = self.facts(&met) => end,
            end = self.people(&met) => end,
            end = self.gauges() => end,
        }
    }

    /// Makes a call: first into the ledger, then out.
    pub(super) async fn call(&self, method: Method, path: &str, body: String) -> Result<Response<Bytes>, Failed> {
        self.call_within(method, path, body, ANSWER).await
    }

    pub(super) async fn call_within(
        &self,
        method: Method,
        path: &str,
        body: String,
        seconds: u64,
    ) -> Result<Response<Bytes>, Failed> {
        let parts = &self.parts;
        let now = parts.ground.now();
        let token = parts.identity.token(now).ok_or(Failed::Unreadable { status: 401, wait: None })?;
        parts.log.leaves(now, &format!("{method} {path}"), body.as_bytes()).await?;
        point("ledger.after", None);
        let callee = Callee { transport: &*parts.transport, ground: &*parts.ground, site: &parts.site };
        let caller = Caller { token: &token, boot: &parts.boot };
        let answer = callee.call(method, path, body.into(), Some(caller), seconds).await?;
        self.heard(parts.ground.now()).await?;
        if answer.status() == http::StatusCode::UNAUTHORIZED {
            parts.identity.refused(&token);
        } else if let Err(bad) = parts.identity.worked(&token) {
            // The old token still counts for a while; the next call tries again.
            tracing::error!(%bad, "the new token cannot be kept");
        }
        Ok(answer)
    }
}
