//! What the connection means for starts: out of contact for too long, or somebody else is this backend now.
//! Spec protocol.md 2 (one writer), 7.2; jobs.md 6.

use std::sync::Arc;

use jiff::Timestamp;
use jobs::schedule::Modes;
use tokio::sync::watch;

use super::{Bench, REST, WorkError};
use crate::desk::ended;
use crate::desk::{Contact, Starts};

pub(super) async fn run(
    bench: Arc<Bench>,
    mut contact: watch::Receiver<Contact>,
    mut stop: watch::Receiver<bool>,
) -> Result<(), WorkError> {
    let mut listening = true;
    loop {
        let starts = contact.borrow_and_update().starts;
        let flag = match starts {
            Starts::Allowed => None,
            Starts::Offline => Some("offline"),
            Starts::Elsewhere => Some("elsewhere"),
            Starts::Stopped => Some("stopped"),
        };
        let done = bench.server.state().set_flag(Modes::OFFLINE, flag, Timestamp::now()).await;
        bench.server.feeder().look();
        if let Err(error) = done {
            tracing::error!(%error, "whether jobs may start cannot be noted now");
            tokio::time::sleep(REST).await;
            continue;
        }
        tokio::select! {
            changed = contact.changed(), if listening => listening = changed.is_ok(),
            () = ended(&mut stop) => return Ok(()),
        }
    }
}
