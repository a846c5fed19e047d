//! Facts of backends: taken in, stored, and made into the tables that pages are drawn from, in one transaction.
//! Spec protocol.md 4, site.md 2.4. The rule of what a fact means is `protocol::apply`; here are only tables.

mod chain;
mod load;
mod project;
mod rebuild;
pub mod status;
mod touched;
mod verify;
mod why;
mod write;

use std::collections::BTreeSet;

use jobs::fault::point;
use protocol::fact::FactBody;
use protocol::fact::intake::{self, FactsRefused, FactsTaken, Sender};
use protocol::keys::{Keys, PublicKey};
use protocol::text::names::BackendSlug;

use crate::Site;
use crate::store::ids::BackendId;
use crate::store::{Change, StoreError};

pub use chain::Chain;
pub(crate) use chain::keys_of;
pub use project::{Event, project};
pub use rebuild::{Rebuilt, rebuild};
pub use verify::{FactsError, verify};
pub(crate) use write::{settle_action, settle_request};

/// What a change of the tables was about, for those who watch pages.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changed {
    /// Requests by number.
    pub requests: BTreeSet<i64>,
    /// Backends whose mode or policy changed.
    pub backends: BTreeSet<BackendId>,
    /// Backends whose gauges changed.
    pub gauges: BTreeSet<BackendId>,
    /// The arrival of the last fact, if facts changed it.
    pub arrival: Option<i64>,
}

/// Facts that are not taken.
#[derive(Debug, thiserror::Error)]
pub enum TakeError {
    /// By the rules of the chain.
    #[error(transparent)]
    Refused(#[from] FactsRefused),
    /// The tables.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for TakeError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

/// Takes a batch of facts from a backend: stored, applied and committed when this returns.
///
/// # Errors
/// Nothing of the batch is stored: see [`FactsRefused`], or the database failed.
pub async fn take_in(
    site: &Site,
    backend: BackendId,
    slug: &BackendSlug,
    bytes: &[u8],
) -> Result<(FactsTaken, Changed), TakeError> {
    let facts = intake::read_batch(bytes)?;
    let now = site.clock.microseconds();
    let mut change = site.store.change().await?;
    let (Some(first), Some(last)) = (facts.first(), facts.last()) else {
        return Err(FactsRefused::from(protocol::shape::Broken("a batch has 1 to 500 facts")).into());
    };
    let chain = Chain::open(&mut change, backend, first.seq, last.seq).await?;
    if first.backend == *slug && first.epoch == chain.epoch.next() {
        if let Some(found) = crate::line::propose(&mut change, backend, slug, first, now).await? {
            tracing::warn!(backend = %slug, epoch = %first.epoch, lost = found.lost_by_backend, "the backend opens a new epoch; staff have to confirm it");
            change.commit().await?;
        }
        return Err(FactsRefused::WrongEpoch { sent: first.epoch, open: chain.epoch }.into());
    }
    let keys = keys_of(&mut change, backend).await?;
    let sender = Sender { backend: slug.clone(), epoch: chain.epoch, keys };
    let intake = intake::take_in(&sender, &chain, facts)?;
    if intake.new.is_empty() {
        return Ok((intake.answer, Changed::default()));
    }
    let (mut arrival,): (i64,) =
        sqlx::query_as("SELECT coalesce(max(arrival), 0) FROM backend_fact").fetch_one(&mut *change).await?;
    let epoch = i64::try_from(chain.epoch.get()).unwrap_or(i64::MAX);
    let mut events = Vec::with_capacity(intake.new.len());
    for taken in &intake.new {
        arrival += 1;
        let seq = i64::try_from(taken.fact.seq.get()).unwrap_or(i64::MAX);
        events.push(Event { epoch, seq, arrival, received_at: now, content: taken.content.clone() });
    }
    let (kept_apart, changed) = project(&mut change, backend, &events).await?;
    for ((taken, event), apart) in intake.new.iter().zip(&events).zip(kept_apart) {
        store(&mut change, backend, event, taken, apart).await?;
        if let Ok(FactBody::Key(body)) = taken.content.as_ref().map(|content| &content.body)
            && let Ok(key) = PublicKey::read(&body.public_key)
        {
            let keys = Keys::from([(body.key.clone(), key)]);
            crate::line::replace_keys(&mut change, backend, epoch, event.seq, &keys, now, None).await?;
        }
    }
    sqlx::query("UPDATE backend_epoch SET head_seq = ?, head_hash = ? WHERE backend = ? AND epoch = ?")
        .bind(i64::try_from(intake.answer.through.get()).unwrap_or(i64::MAX))
        .bind(intake.answer.hash.as_str())
        .bind(backend.0)
        .bind(epoch)
        .execute(&mut *change)
        .await?;
    point("site.facts.before", None);
    change.commit().await?;
    point("site.facts.after", None);
    Ok((intake.answer, changed))
}

async fn store(
    change: &mut Change,
    backend: BackendId,
    event: &Event,
    taken: &intake::Taken,
    apart: Option<&'static str>,
) -> Result<(), StoreError> {
    let (kind, at) = match &taken.content {
        Ok(content) => (content.body.kind().name(), Some(content.at.microseconds())),
        // What kind it claims to be is part of what is never shown.
        Err(_) => ("unknown", None),
    };
    let request = taken.content.as_ref().ok().and_then(|content| touched::request_of(&content.body));
    sqlx::query(
        "INSERT INTO backend_fact (backend, epoch, seq, arrival, kind, at, received_at, text, hash, not_applied, request)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(backend.0)
    .bind(event.epoch)
    .bind(event.seq)
    .bind(event.arrival)
    .bind(kind)
    .bind(at)
    .bind(event.received_at)
    .bind(taken.fact.text())
    .bind(taken.fact.hash.as_str())
    .bind(apart)
    .bind(request.map(|id| id.as_str()))
    .execute(&mut **change)
    .await?;
    Ok(())
}
