//! The roster: at hello if the site has a newer one, when rights changed, and each 15 minutes.
//! Spec protocol.md 8 (1).

use std::time::Duration;

use http::{Method, StatusCode};
use protocol::directive::DirectiveBody;
use protocol::people::Roster;

use super::Line;
use super::backoff::Backoff;
use super::call::{Failed, read};
use super::session::{End, Met};
use crate::log::LogError;

const EVERY: Duration = Duration::from_secs(15 * 60);

impl Line {
    pub(super) async fn people(&self, met: &Met) -> End {
        let mut worked = false;
        let mut backoff = Backoff::new(self.parts.ground.clone());
        let held = self.parts.log.roster().map(|roster| roster.revision.get());
        let mut wanted = held != Some(met.revision);
        // A site that was restored may be behind what it told before: then all of it counts anew.
        let mut afresh = held > Some(met.revision);
        loop {
            if !wanted {
                let _ = tokio::time::timeout(EVERY, met.rights.notified()).await;
            }
            wanted = false;
            match self.fetch(afresh).await {
                Ok(()) => {
                    (worked, afresh) = (true, false);
                    backoff.reset();
                }
                Err(failed) => match End::or_wait(failed, worked) {
                    Ok(wait) => {
                        backoff.wait(wait).await;
                        wanted = true;
                    }
                    Err(end) => return end,
                },
            }
        }
    }

    async fn fetch(&self, afresh: bool) -> Result<(), Failed> {
        let log = &self.parts.log;
        // What was asked for before the call is answered by it; what comes meanwhile asks again.
        let asked = self.rights().await?;
        let after = log.roster().filter(|_| !afresh).map_or(0, |roster| roster.revision.get());
        let answer = self.call(Method::GET, &format!("people?after={after}"), String::new()).await?;
        if !matches!(answer.status(), StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED) {
            log.put_roster(read::<Roster>(&answer)?).await?;
        }
        Ok(log.done(&asked).await?)
    }

    async fn rights(&self) -> Result<Vec<protocol::text::ids::Ulid>, LogError> {
        let errands = self.parts.log.errands().await?;
        let rights = |body: &DirectiveBody| matches!(body, DirectiveBody::RightsChanged(_));
        Ok(errands.iter().filter(|one| rights(&one.body)).map(|one| one.id.clone()).collect())
    }
}
