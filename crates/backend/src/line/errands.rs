//! Directives about the connection itself: send again, fetch the roster, a new token. The rest is for the desk.
//! Spec protocol.md 2 (rotation), 3.3.

use protocol::directive::DirectiveBody;

use super::Line;
use super::session::Met;
use crate::log::LogError;

impl Line {
    /// Carries out what waits. Each is marked as done after its effect; to do one twice is harmless.
    pub(super) async fn errands(&self, met: &Met) -> Result<(), LogError> {
        let mut done = Vec::new();
        for directive in self.parts.log.errands().await? {
            match &directive.body {
                DirectiveBody::Resend(resend) => {
                    met.outbox.lock().await.resend(resend.epoch, resend.from_seq);
                    met.resend.notify_one();
                    done.push(directive.id.clone());
                }
                // Marked by who fetches it.
                DirectiveBody::RightsChanged(_) => met.rights.notify_one(),
                DirectiveBody::Credential(credential) => match self.parts.identity.take(credential) {
                    Ok(()) => done.push(directive.id.clone()),
                    Err(bad) => tracing::error!(%bad, "the new token cannot be kept"),
                },
                // `Log::errands` hands out none of the others.
                _ => {}
            }
        }
        self.parts.log.done(&done).await
    }
}
