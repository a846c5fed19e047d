//! What an operator does to the record of a backend that is stopped: a new epoch, the line after a conflict; and reading the
//! ledger of what left, which a running backend does not hinder. Spec protocol.md 3.2, 7.1, 7.4, 9 (d).

use std::path::Path;

use protocol::text::whole::Epoch;

pub use protocol::fact::backend::OpenReason;

use crate::agent::{CannotOpen, beginning, program, who};
use crate::identity::Identity;
use crate::line::ground::Ground;
use crate::log::egress::Sent;
use crate::log::shelf::Shelf;
use crate::log::{ContinueAt, Log, LogError, Sqlite};
use crate::settings::Settings;

/// Entries of the ledger that are read at once.
const PAGE: usize = 200;

/// Opens a new epoch. The backend must not be running. The next start offers it to the site, whose staff confirm it.
///
/// # Errors
/// Not enrolled, held by a running backend, nothing was ever told, or there is no fact at the place where it continues.
pub async fn new_epoch(
    settings: &Settings,
    ground: &dyn Ground,
    reason: OpenReason,
    from: ContinueAt,
) -> Result<Epoch, CannotOpen> {
    let log = open(settings).await?;
    let beginning = beginning(settings, ground.now(), program()?);
    Ok(log.new_epoch(&beginning, reason, from).await?)
}

/// Lets the line of directives go on after a conflict. The backend must not be running. False if it was not stopped.
///
/// # Errors
/// Not enrolled, held by a running backend, or a file that cannot be used.
pub async fn resume_line(settings: &Settings) -> Result<bool, CannotOpen> {
    let log = open(settings).await?;
    let stopped = log.standing().await?.inbox.stopped;
    if stopped {
        log.resume_line().await?;
    }
    Ok(stopped)
}

async fn open(settings: &Settings) -> Result<Log, CannotOpen> {
    let identity = Identity::read(&settings.folders.state, &settings.slug)?;
    Ok(Log::open(&settings.folders.state, who(&identity)?).await?)
}

/// Reads the ledger of what left from its beginning, each entry checked against the one before, and hands out one after the
/// other. Gives how many there are.
///
/// # Errors
/// There is no record, or the ledger is not as it was written; what was handed out until then is.
pub async fn egress(state: &Path, mut each: impl FnMut(&Sent)) -> Result<u64, LogError> {
    let shelf = Sqlite::look(&state.join("backend.sqlite")).await?;
    let mut last: Option<Sent> = None;
    loop {
        let from = last.as_ref().map_or(1, |last| last.seq + 1);
        let page = shelf.sent(from, PAGE).await?;
        if page.is_empty() {
            break;
        }
        for sent in page {
            sent.check(last.as_ref())?;
            each(&sent);
            last = Some(sent);
        }
    }
    let count = last.as_ref().map_or(0, |last| last.seq);
    if shelf.standing().await?.sent.0 > count {
        return Err(LogError::damaged(format!("the egress ledger ends behind entry {count}, which was not its last")));
    }
    Ok(count)
}
