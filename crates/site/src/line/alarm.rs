//! What staff must see although nothing is stored of it: histories that differ, signatures that are wrong, a restored site.
//! Spec protocol.md 4.2, 7.1. Each is a row of the audit log, once an hour for each kind and backend.

use serde_json::{Map, Value};

use super::peers::Peer;
use crate::Site;
use crate::audit::{Act, Actor, record};
use crate::store::ids::BackendId;
use crate::store::{Change, StoreError};

/// What is alarming.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Alarm {
    /// The backend tells another history than before.
    ChainConflict,
    /// A hash or a signature of its facts is wrong.
    BadChain,
    /// It tries, and tries again, to tell what is another backend's to tell.
    WrongBackend,
    /// It claims to be further in its line than this site can have lost.
    TooFar,
    /// This site was restored from an older copy.
    SiteRestored,
}

impl Alarm {
    fn action(self) -> &'static str {
        match self {
            Self::ChainConflict => "backend_chain_conflict",
            Self::BadChain => "backend_bad_chain",
            Self::WrongBackend => "backend_wrong_backend",
            Self::TooFar => "backend_too_far",
            Self::SiteRestored => "site_restored",
        }
    }
}

/// Writes an alarm down, unless the same one was within the hour.
pub(super) async fn raise(site: &Site, backend: BackendId, peer: &Peer, alarm: Alarm, place: u64) {
    tracing::error!(
        backend = backend.0,
        alarm = alarm.action(),
        place,
        "a backend's log or line does not fit this site's"
    );
    if !peer.is_new(alarm, site.clock.microseconds()) {
        return;
    }
    let written = async {
        let mut change = site.store.change().await?;
        row(&mut change, backend, alarm.action(), "place", place.into()).await?;
        change.commit().await?;
        Ok::<_, StoreError>(())
    };
    if let Err(error) = written.await {
        tracing::error!(%error, "the alarm was not written down");
    }
}

/// A row about a backend that did something by itself.
pub(super) async fn row(
    change: &mut Change,
    backend: BackendId,
    action: &'static str,
    field: &str,
    value: Value,
) -> Result<(), StoreError> {
    let after = Map::from_iter([(field.to_owned(), value)]);
    record(change, Act::new(Actor::Backend(backend.0), action).on("backend", backend.0).after(after)).await.map(drop)
}
