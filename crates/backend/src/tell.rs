//! Facts out of the outbox of jobs: what is written there in the transaction of a change is told once, in order.
//! Spec protocol.md 4.1, 4.3, 9; jobs.md 9, 16. Only protocol's types can come out of here.

mod job;

use std::sync::Arc;

use jiff::Timestamp;
use jobs::State;
use jobs::fault::point;
use jobs::state::{Outgoing, StateError};
use protocol::fact::{FactBody, FactKind};
use protocol::text::hashes::Sha256Hex;
use protocol::text::time::Moment;

use crate::desk::ended;
use crate::log::{Log, LogError, Told};

/// Messages that are told before the outbox hears of it.
const AT_ONCE: u32 = 200;

/// A message of the outbox that is no fact. It stays inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is no fact: {0}")]
pub struct NoFact(pub(crate) &'static str);

/// Why facts are not told now.
#[derive(Debug, thiserror::Error)]
pub enum TellError {
    /// The records of jobs.
    #[error(transparent)]
    State(#[from] StateError),
    /// The chain of facts.
    #[error(transparent)]
    Log(#[from] LogError),
}

/// What was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counted {
    /// Facts, or messages that had been told before.
    pub told: usize,
    /// Messages that are no facts: a fault of this program, which the operator's log has.
    pub kept: usize,
}

/// The fact of a message; `None` for messages that are for this machine alone.
///
/// # Errors
/// It cannot be told.
pub fn fact(message: &Outgoing) -> Result<Option<Told>, NoFact> {
    match message.kind.as_str() {
        "job.state" => job::fact(&message.body).map(Some),
        "request.planned" | "request.rejected" => Ok(None),
        kind => {
            let kind = FactKind::named(kind).ok_or(NoFact("its kind is unknown"))?;
            let body = FactBody::read(kind, &message.body).map_err(|_| NoFact("its body is not of its kind"))?;
            let at = Moment::from_microseconds(message.at_us).map_err(|_| NoFact("it has no moment"))?;
            Ok(Some((at, body)))
        }
    }
}

/// The name under which a message is told once. Its place alone is not enough: what a loss of power took from the outbox,
/// after it was told, may be followed by something else at the same place.
fn source(message: &Outgoing) -> String {
    let hash = Sha256Hex::of(&[message.kind.as_bytes(), message.body.to_string().as_bytes()]);
    format!("outbox:{}:{}", message.seq, hash.as_str().get(..16).unwrap_or_default())
}

/// Tells everything that waits.
///
/// # Errors
/// Something cannot be read or written. What was told stays told, and telling again doubles nothing.
pub async fn tell(state: &State, log: &Log) -> Result<Counted, TellError> {
    let mut counted = Counted::default();
    loop {
        let waiting = state.outgoing(AT_ONCE).await?;
        let Some(last) = waiting.last().map(|message| message.seq) else { return Ok(counted) };
        for message in waiting {
            match fact(&message) {
                Ok(Some(told)) => {
                    point("tell.before", None);
                    match log.tell(&source(&message), vec![told]).await {
                        // A fact that its chain refuses would be refused for ever: it must not hold up the others.
                        Err(error @ (LogError::Fact { .. } | LogError::TooLarge { .. })) => {
                            tracing::error!(seq = message.seq, kind = message.kind, %error, "a fact is not told");
                            counted.kept += 1;
                        }
                        told => {
                            told?;
                            counted.told += 1;
                        }
                    }
                    point("tell.after", None);
                }
                Ok(None) => {}
                Err(why) => {
                    tracing::error!(seq = message.seq, kind = message.kind, %why, "a message is not told");
                    counted.kept += 1;
                }
            }
        }
        state.delivered(last, Timestamp::now()).await?;
        point("tell.delivered", None);
    }
}

/// Tells whenever there is news, until `stop` becomes true. Nothing while facts are to wait ([`Log::wait`]).
///
/// # Errors
/// As for [`tell`], when it goes on for long.
pub async fn keep_telling(
    state: &State,
    log: &Arc<Log>,
    mut stop: tokio::sync::watch::Receiver<bool>,
) -> Result<(), TellError> {
    let (mut news, mut waits) = (state.news(), log.waits());
    let mut failures = 0u32;
    loop {
        news.mark_unchanged();
        let waiting = *waits.borrow_and_update();
        let told = if waiting { Ok(()) } else { tell(state, log).await.map(drop) };
        match told {
            Ok(()) => failures = 0,
            Err(error) => {
                failures += 1;
                tracing::error!(%error, failures, "facts cannot be told now; they wait");
                if failures >= 10 {
                    return Err(error);
                }
                tokio::time::sleep(std::time::Duration::from_secs(u64::from(failures))).await;
                continue;
            }
        }
        tokio::select! {
            changed = news.changed() => if changed.is_err() { return Ok(()) },
            changed = waits.changed() => if changed.is_err() { return Ok(()) },
            () = ended(&mut stop) => {
                return if *waits.borrow() { Ok(()) } else { tell(state, log).await.map(drop) };
            }
        }
    }
}
