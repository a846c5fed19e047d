//! The first call after every start or loss: versions, places in both logs, clocks.
//! Spec protocol.md 7.1.

use axum::extract::{Request, State};
use axum::response::Response;
use http::StatusCode;
use protocol::calls::RefusalCode;
use protocol::directive::line::LineFound;
use protocol::hello::{BackendHello, EpochPlace, Found, SendLimits, SiteHello, at_site};
use protocol::limits::{BATCH_BYTES, FACTS, POLL_SECONDS};
use protocol::message::{self, Message};
use protocol::text::ids::Ulid;
use protocol::text::list::List;
use protocol::text::whole::{Count, Cursor, Revision};
use protocol::version::Version;

use super::alarm::{Alarm, raise};
use super::call::{Caller, Refusal, answer, no_common_version, open};
use super::directives::number;
use super::restored;
use crate::facts::Chain;
use crate::store::{Change, StoreError};
use crate::{Opened, Site};

pub(super) async fn hello(State(site): State<Opened>, request: Request) -> Result<Response, Refusal> {
    let call = open(&site, request, BackendHello::LIMITS.bytes, false).await?;
    let malformed = || Refusal::new(RefusalCode::Malformed);
    let theirs: BackendHello = message::from_bytes(&call.body).map_err(|_| malformed())?;
    if theirs.boot != call.caller.boot {
        return Err(malformed());
    }
    let version = Version::agreed(&theirs.versions).and_then(|version| version.text().ok());
    let version = version.ok_or_else(no_common_version)?;
    let now = site.clock.microseconds();
    call.caller.peer.hello(&theirs.boot, theirs.take_over.is_some(), now)?;

    let mut change = site.store.change().await?;
    let chain = Chain::open(&mut change, call.caller.backend, theirs.head.seq, theirs.head.seq).await?;
    if at_site(&chain, theirs.epoch, &theirs.head) == Found::ChainConflict {
        drop(change);
        let caller = &call.caller;
        raise(&site, caller.backend, &caller.peer, Alarm::ChainConflict, theirs.head.seq.get()).await;
        return Err(Refusal::new(RefusalCode::ChainConflict));
    }
    let cursor = theirs.directive_cursor;
    let (last, alarm) = line(&mut change, &site, &call.caller, cursor, theirs.directive_id.as_ref()).await?;
    if alarm == Some(Alarm::TooFar) {
        drop(change);
        raise(&site, call.caller.backend, &call.caller.peer, Alarm::TooFar, cursor.get()).await;
        return Err(Refusal::new(RefusalCode::ChainConflict));
    }
    sqlx::query("UPDATE backend SET version = ?, clock_offset = ?, last_contact_at = ? WHERE id = ?")
        .bind(theirs.program.as_str())
        .bind(theirs.now.microseconds() - now)
        .bind(now)
        .bind(call.caller.backend.0)
        .execute(&mut *change)
        .await?;
    let (revision,): (i64,) =
        sqlx::query_as("SELECT CAST(value AS INTEGER) FROM setting WHERE name = 'people_revision'")
            .fetch_one(&mut *change)
            .await?;
    change.commit().await?;
    if let Some(alarm) = alarm {
        raise(&site, call.caller.backend, &call.caller.peer, alarm, cursor.get()).await;
    }
    let ours = SiteHello {
        version,
        features: List::default(),
        head: EpochPlace { epoch: chain.epoch, seq: chain.head.seq, hash: chain.head.hash.clone() },
        directive_cursor: last,
        now: site.clock.now(),
        limits: limits()?,
        people_revision: revision_of(revision)?,
    };
    Ok(answer(StatusCode::OK, &ours))
}

/// Compares the line with what the backend has stored of it. What a restored site has put at places that are taken goes
/// behind them.
async fn line(
    change: &mut Change,
    site: &Site,
    caller: &Caller,
    theirs: Cursor,
    id: Option<&Ulid>,
) -> Result<(Cursor, Option<Alarm>), Refusal> {
    let mut line = restored::line(change, caller.backend).await?;
    let place: Option<(String,)> = sqlx::query_as("SELECT id FROM directive WHERE backend = ? AND cursor = ?")
        .bind(caller.backend.0)
        .bind(number(theirs))
        .fetch_optional(&mut **change)
        .await?;
    let place: Option<Ulid> = place.and_then(|(id,)| id.parse().ok());
    let alarm = match line.hello(theirs, id, |_| place.clone()) {
        LineFound::Agrees => None,
        LineFound::TooFar => Some(Alarm::TooFar),
        LineFound::SiteRestored => {
            restored::place_again(change, site, caller.backend, &mut line).await?;
            Some(Alarm::SiteRestored)
        }
    };
    Ok((line.last(), alarm))
}

fn limits() -> Result<SendLimits, StoreError> {
    let count = |number: u64| Count::try_from(number).map_err(|_| StoreError::Damaged("a limit".to_owned()));
    Ok(SendLimits { facts: count(FACTS as u64)?, bytes: count(BATCH_BYTES as u64)?, wait: count(POLL_SECONDS)? })
}

pub(super) fn revision_of(stored: i64) -> Result<Revision, StoreError> {
    let revision = u64::try_from(stored).ok().and_then(|number| Revision::try_from(number).ok());
    revision.ok_or_else(|| StoreError::Damaged(format!("the revision {stored} of the roster")))
}

/// The site as `protocol::hello` asks it.
impl protocol::hello::OwnLog for Chain {
    fn epoch(&self) -> protocol::text::whole::Epoch {
        self.epoch
    }
    fn head(&self) -> protocol::fact::envelope::Head {
        self.head.clone()
    }
    fn hash_at(&self, seq: protocol::text::whole::Seq) -> Option<protocol::text::hashes::Sha256Hex> {
        self.known.get(&seq).cloned()
    }
}
