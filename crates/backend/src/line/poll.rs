//! The long poll: asks behind the last stored directive, stores what comes, asks again.
//! Spec protocol.md 3.2.

use std::time::Duration;

use http::{Method, StatusCode};
use jobs::fault::point;
use protocol::directive::inbox::read_answer;

use super::Line;
use super::backoff::Backoff;
use super::call::{Failed, refusal};
use super::session::{End, Met};

impl Line {
    pub(super) async fn polls(&self, met: &Met) -> End {
        let mut worked = false;
        let mut backoff = Backoff::new(self.parts.ground.clone());
        // What was stored before the last end and not carried out.
        if let Err(error) = self.errands(met).await {
            return End::Fatal(error);
        }
        loop {
            let inbox = match self.parts.log.standing().await {
                Ok(standing) => standing.inbox,
                Err(error) => return End::Fatal(error),
            };
            if inbox.stopped {
                // Told once, as a fact. The operator looks, then lets the line go on.
                tokio::time::sleep(Duration::from_secs(60)).await;
                continue;
            }
            let begun = tokio::time::Instant::now();
            match self.poll(met, inbox.cursor).await {
                Ok(true) => backoff.reset(),
                // Nothing new before its time: as from a site that is ending, or that sends the wrong thing.
                Ok(false) if begun.elapsed() < Duration::from_secs(1) => backoff.wait(None).await,
                Ok(false) => {}
                Err(failed) => match End::or_wait(failed, worked) {
                    Ok(wait) => {
                        backoff.wait(wait).await;
                        continue;
                    }
                    Err(end) => return end,
                },
            }
            worked = true;
        }
    }

    /// One poll: whether anything new was stored.
    async fn poll(&self, met: &Met, after: protocol::text::whole::Cursor) -> Result<bool, Failed> {
        let path = format!("directives?after={after}&wait={}", met.wait);
        let answer = self.call_within(Method::GET, &path, String::new(), met.wait + 10).await?;
        if answer.status() == StatusCode::NO_CONTENT {
            return Ok(false);
        }
        if !answer.status().is_success() {
            return Err(refusal(&answer));
        }
        let status = answer.status().as_u16();
        let list = read_answer(answer.body()).map_err(|_| Failed::Unreadable { status, wait: None })?;
        point("inbox.before", None);
        let noted = self.parts.log.take_in(after, &list, self.parts.ground.now()).await?;
        point("inbox.after", None);
        if noted.stopped {
            tracing::error!(
                "the site's line of directives holds another directive at a place already taken: nothing more is taken \
                 from it; ask the site's staff, then `cloister backend line resume`"
            );
        }
        self.errands(met).await?;
        Ok(noted.cursor > after)
    }
}
