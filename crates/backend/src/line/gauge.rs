//! Gauges: what is the case now, each 30 seconds and when it changes, at most once a second.
//! Spec protocol.md 6.

use std::time::Duration;

use http::Method;
use protocol::gauges::{FactHead, Gauges};
use protocol::limits::{HEARTBEAT_SECONDS, QUEUE};
use tokio::time::{Instant, sleep_until, timeout_at};

use super::Line;
use super::call::{Failed, refusal};
use super::session::End;

impl Line {
    pub(super) async fn gauges(&self) -> End {
        let mut worked = false;
        let mut readings = self.readings.clone();
        loop {
            readings.mark_unchanged();
            let sent = Instant::now();
            match self.gauge().await {
                Ok(()) => worked = true,
                // Newer ones replace them: nothing is lost by waiting.
                Err(failed) => match End::or_wait(failed, worked) {
                    Ok(wait) => tokio::time::sleep(wait.unwrap_or_default()).await,
                    Err(end) => return end,
                },
            }
            let heartbeat = sent + Duration::from_secs(HEARTBEAT_SECONDS.unsigned_abs());
            match timeout_at(heartbeat, readings.changed()).await {
                Ok(Ok(())) => sleep_until(sent + Duration::from_secs(1)).await,
                // The desk is gone; the last that it said stays true until the process ends.
                Ok(Err(_)) => sleep_until(heartbeat).await,
                Err(_) => {}
            }
        }
    }

    async fn gauge(&self) -> Result<(), Failed> {
        let parts = &self.parts;
        let standing = parts.log.standing().await?;
        let now = self.readings.borrow().clone();
        let full = !parts.minimal_gauges;
        let more = now.queue.len().saturating_sub(QUEUE) as u64;
        let queue: Vec<_> = now.queue.into_iter().take(QUEUE).collect();
        let gauges = Gauges {
            at: parts.ground.now(),
            boot: parts.boot.clone(),
            mode: now.mode,
            version: parts.program.clone(),
            pools: full.then(|| now.pools.try_into().ok()).flatten(),
            queue: full.then(|| queue.try_into().ok()).flatten(),
            queue_more: if full && more > 0 { more.try_into().ok() } else { None },
            disk: full.then_some(now.disk),
            directive_cursor: standing.inbox.cursor,
            fact_head: FactHead { epoch: standing.epoch, seq: standing.head.seq },
        };
        let answer = self.call(Method::POST, "gauges", protocol::message::to_text(&gauges)?).await?;
        if answer.status().is_success() { Ok(()) } else { Err(refusal(&answer)) }
    }
}
