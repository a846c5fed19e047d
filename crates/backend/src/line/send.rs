//! Facts up: woken by each new one, in batches as large as the site allows, each fact checked again before it leaves.
//! Spec protocol.md 4.1, 4.2, 7.2, 10. What follows from an answer is decided by `protocol::fact::outbox`.

use std::time::Duration;

use http::Method;
use jobs::fault::point;
use protocol::calls::RefusalCode;
use protocol::fact::envelope::Head;
use protocol::fact::intake::{FactsTaken, write_batch};
use protocol::fact::outbox::{Answered, BatchLimits, Outbox, Stopped};
use protocol::text::whole::Seq;

use super::backoff::Backoff;
use super::call::{Failed, read};
use super::session::{End, Met};
use super::{Halt, Line};
use crate::log::LogError;

/// What came of a try to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Batch {
    /// There is nothing to send.
    Nothing,
    /// There is nothing more of this epoch, and there is another one.
    NextEpoch,
    /// The site has more than before.
    Taken,
    /// The site answered and has no more than before: it is asked again later, not at once.
    Stuck,
}

impl Line {
    pub(super) async fn facts(&self, met: &Met) -> End {
        let mut worked = false;
        let mut backoff = Backoff::new(self.parts.ground.clone());
        let mut limits = met.limits;
        let mut told = self.parts.log.told();
        loop {
            told.mark_unchanged();
            let batch = match self.send(met, limits).await {
                Ok(batch) => batch,
                Err(failed) => match self.refused(met, &mut limits, failed, worked).await {
                    Ok(wait) => {
                        backoff.wait(wait).await;
                        continue;
                    }
                    Err(end) => return end,
                },
            };
            if let Some(stopped) = met.outbox.lock().await.stopped() {
                return self.halt(met, stopped).await;
            }
            match batch {
                Batch::Taken => {
                    worked = true;
                    backoff.reset();
                }
                Batch::NextEpoch => return End::Again,
                Batch::Stuck => backoff.wait(None).await,
                Batch::Nothing => tokio::select! {
                    biased;
                    gone = told.changed() => if gone.is_err() { std::future::pending::<()>().await },
                    () = met.resend.notified() => {}
                },
            }
        }
    }

    async fn send(&self, met: &Met, limits: BatchLimits) -> Result<Batch, Failed> {
        let log = &self.parts.log;
        let standing = log.standing().await?;
        if *self.halted.lock().await == Some(met.epoch) {
            return Ok(Batch::Nothing);
        }
        let open = standing.epoch == met.epoch;
        let head = match &met.until {
            Some(head) => head,
            None if open => &standing.head,
            None => return Ok(Batch::NextEpoch),
        };
        let Some(from) = met.outbox.lock().await.next(head) else {
            return Ok(if open { Batch::Nothing } else { Batch::NextEpoch });
        };
        let left = usize::try_from(head.seq.get() - from.get() + 1).unwrap_or(usize::MAX);
        let facts = log.facts(met.epoch, from, limits.facts.min(left)).await?;
        let count = Outbox::batch(facts.iter().map(|fact| fact.text().len()), limits);
        let body = write_batch(facts.iter().take(count).map(|fact| fact.text()));
        let answer = self.call(Method::POST, "facts", body).await?;
        point("facts.answered", None);
        let taken: FactsTaken = read(&answer)?;
        self.answered(met, head, &Answered::Taken(taken)).await?;
        let next = met.outbox.lock().await.next(head);
        if next == Some(from) {
            return Ok(Batch::Stuck);
        }
        let through = next.map_or(head.seq, |next| Seq::try_from(next.get() - 1).unwrap_or(from));
        self.through.send_replace((met.epoch, through));
        Ok(Batch::Taken)
    }

    async fn answered(&self, met: &Met, head: &Head, answer: &Answered) -> Result<(), LogError> {
        let place = match answer {
            Answered::Taken(taken) => taken.through,
            _ => Seq::LEAST,
        };
        let hash = self.parts.log.hash_at(met.epoch, place).await?;
        met.outbox.lock().await.answered(answer, head, |seq| hash.clone().filter(|_| seq == place));
        Ok(())
    }

    /// What a refused batch means: to wait and send again, or the end of the session.
    async fn refused(
        &self,
        met: &Met,
        limits: &mut BatchLimits,
        failed: Failed,
        worked: bool,
    ) -> Result<Option<Duration>, End> {
        let Failed::Refused { refused, wait, .. } = &failed else { return End::or_wait(failed, worked) };
        let wait = *wait;
        let answered = match (refused.code, refused.expected) {
            (RefusalCode::Gap, Some(expected)) => Answered::Gap { expected },
            (RefusalCode::ChainConflict, _) => Answered::ChainConflict,
            (RefusalCode::BadChain, _) => Answered::BadChain,
            (RefusalCode::TooLarge, _) if limits.facts > 1 => {
                *limits = BatchLimits { facts: limits.facts / 2, bytes: (limits.bytes / 2).max(1) };
                return Ok(wait);
            }
            // A new epoch waits for the site's staff. Orders are taken meanwhile.
            (RefusalCode::WrongEpoch, _) => {
                return match refused.epoch {
                    Some(open) if open < met.epoch => Ok(wait),
                    _ => Err(End::Again),
                };
            }
            _ => return End::or_wait(failed, worked),
        };
        let head = self.parts.log.standing().await.map_err(End::Fatal)?.head;
        self.answered(met, &head, &answered).await.map_err(End::Fatal)?;
        match met.outbox.lock().await.stopped() {
            Some(stopped) => Err(self.halt(met, stopped).await),
            None => Ok(wait),
        }
    }

    /// The site holds another history, or found ours damaged.
    async fn halt(&self, met: &Met, stopped: Stopped) -> End {
        tracing::error!(%stopped, "no facts are sent");
        match stopped {
            Stopped::ChainConflict => End::Halt(Halt::Conflict),
            Stopped::BadChain => {
                // Orders and work go on; the facts wait for the operator.
                *self.halted.lock().await = Some(met.epoch);
                End::Again
            }
        }
    }
}
