//! A new epoch of a backend's facts: proposed by its first fact, opened once staff confirm it.
//! Spec protocol.md 7.1, 7.4.

use protocol::fact::envelope::Fact;
use protocol::fact::epoch::{BadProposal, Former, Proposal, proposal};
use protocol::keys::{Keys, PublicKey, fingerprint};
use protocol::text::hashes::Sha256Hex;
use protocol::text::names::BackendSlug;
use protocol::text::whole::Seq;

use super::alarm;
use crate::Site;
use crate::facts::{Chain, keys_of};
use crate::store::ids::{AccountId, BackendId};
use crate::store::{Change, StoreError};

/// Why an epoch cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum EpochError {
    /// None is proposed.
    #[error("the backend has not proposed a new epoch")]
    None,
    /// The backend has proposed another one since staff looked.
    #[error("the backend has proposed another epoch meanwhile: look at what it says now")]
    Changed,
    /// What is proposed does not fit what the site has.
    #[error("the new epoch cannot be opened: {0}")]
    Bad(#[from] BadProposal),
    /// The tables.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for EpochError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

/// Keeps the first fact of a coming epoch for staff to look at. It is not in the chain yet.
pub(crate) async fn propose(
    change: &mut Change,
    backend: BackendId,
    slug: &BackendSlug,
    fact: &Fact,
    now: i64,
) -> Result<Option<Proposal>, StoreError> {
    let Ok(found) = look(change, backend, slug, fact).await? else { return Ok(None) };
    let known: Option<(Option<String>,)> =
        sqlx::query_as("SELECT opened FROM backend_epoch WHERE backend = ? AND state = 'proposed'")
            .bind(backend.0)
            .fetch_optional(&mut **change)
            .await?;
    if known.is_some_and(|(known,)| known.as_deref() == Some(fact.text())) {
        // It asks again until staff have looked.
        return Ok(Some(found));
    }
    sqlx::query(
        "INSERT INTO backend_epoch (backend, epoch, state, head_seq, head_hash, opened, opened_at)
         VALUES (?, ?, 'proposed', 0, ?, ?, ?)
         ON CONFLICT (backend, epoch) DO UPDATE SET opened = excluded.opened, opened_at = excluded.opened_at
         WHERE state = 'proposed'",
    )
    .bind(backend.0)
    .bind(i64::try_from(fact.epoch.get()).unwrap_or(i64::MAX))
    .bind(Sha256Hex::zero().as_str())
    .bind(fact.text())
    .bind(now)
    .execute(&mut **change)
    .await?;
    alarm::row(change, backend, "backend_epoch_proposed", "epoch", fact.epoch.get().into()).await?;
    Ok(Some(found))
}

async fn look(
    change: &mut Change,
    backend: BackendId,
    slug: &BackendSlug,
    fact: &Fact,
) -> Result<Result<Proposal, BadProposal>, StoreError> {
    let keys = keys_of(change, backend).await?;
    let place = match fact.content().map(|content| content.body) {
        Ok(protocol::fact::FactBody::Opened(opened)) => opened.continues.map_or(Seq::LEAST, |place| place.seq),
        _ => Seq::LEAST,
    };
    let chain = Chain::open(change, backend, place, place).await?;
    let hash_at = |seq: Seq| chain.known.get(&seq).cloned();
    let former = Former { epoch: chain.epoch, head: chain.head.clone(), hash_at: &hash_at };
    Ok(proposal(slug, Some(&former), &keys, fact))
}

/// What a backend proposes, for staff to look at.
#[derive(Debug, Clone)]
pub struct Offered {
    /// The hash of its first fact: what staff agree to is this and no other.
    pub hash: Sha256Hex,
    /// When it came first.
    pub since: i64,
    /// What it says of itself.
    pub proposal: Proposal,
    /// The six words of the key that signs it.
    pub words: [&'static str; 6],
}

/// The epoch that a backend proposes; none is the usual case.
///
/// # Errors
/// What is proposed does not fit what the site has, or the database failed.
pub async fn offered(site: &Site, backend: BackendId) -> Result<Option<Offered>, EpochError> {
    let (waits,): (bool,) =
        sqlx::query_as("SELECT EXISTS (SELECT 1 FROM backend_epoch WHERE backend = ? AND state = 'proposed')")
            .bind(backend.0)
            .fetch_one(site.store.readers())
            .await?;
    if !waits {
        return Ok(None);
    }
    let mut change = site.store.change().await?;
    let kept = kept(&mut change, backend).await;
    let found = match kept {
        Ok((slug, fact, since)) => {
            look(&mut change, backend, &slug, &fact).await?.map(|found| (slug, fact, since, found))?
        }
        Err(EpochError::None) => return Ok(None),
        Err(other) => return Err(other),
    };
    change.rollback().await?;
    let (slug, fact, since, proposal) = found;
    let damaged = || StoreError::Damaged(format!("the proposed epoch of {slug}"));
    let key = PublicKey::read(&proposal.opened.public_key).map_err(|_| damaged())?;
    let words = fingerprint(&slug, &key, &site.line.public_key());
    Ok(Some(Offered { hash: fact.hash.clone(), since, proposal, words }))
}

/// The first fact of the epoch that is proposed, as it came.
async fn kept(change: &mut Change, backend: BackendId) -> Result<(BackendSlug, Fact, i64), EpochError> {
    let row: Option<(String, i64, String)> = sqlx::query_as(
        "SELECT e.opened, e.opened_at, b.slug FROM backend_epoch e JOIN backend b ON b.id = e.backend
         WHERE e.backend = ? AND e.state = 'proposed' AND e.opened IS NOT NULL ORDER BY e.epoch DESC LIMIT 1",
    )
    .bind(backend.0)
    .fetch_optional(&mut **change)
    .await?;
    let (text, since, slug) = row.ok_or(EpochError::None)?;
    let damaged = || StoreError::Damaged(format!("the proposed epoch of {slug}"));
    let value = serde_json::from_str(&text).map_err(|_| damaged())?;
    let fact = Fact::read(value).map_err(|_| damaged())?;
    let slug: BackendSlug = slug.parse().map_err(|_| damaged())?;
    Ok((slug, fact, since))
}

/// Staff agree to the proposed epoch whose first fact has this hash: the one before is closed, this one is open, its key counts.
/// The caller writes the audit.
///
/// # Errors
/// None is proposed, or another one than that; it no longer fits, or the database failed.
pub async fn confirm(
    change: &mut Change,
    site: &Site,
    backend: BackendId,
    seen: &Sha256Hex,
    by: Option<AccountId>,
) -> Result<Proposal, EpochError> {
    let (slug, fact, _) = kept(change, backend).await?;
    if fact.hash != *seen {
        return Err(EpochError::Changed);
    }
    let epoch = i64::try_from(fact.epoch.get()).unwrap_or(i64::MAX);
    let found = look(change, backend, &slug, &fact).await??;
    let now = site.clock.microseconds();
    sqlx::query("UPDATE backend_epoch SET state = 'closed' WHERE backend = ? AND state = 'open'")
        .bind(backend.0)
        .execute(&mut **change)
        .await?;
    sqlx::query("UPDATE backend_epoch SET state = 'open', opened_at = ? WHERE backend = ? AND epoch = ?")
        .bind(now)
        .bind(backend.0)
        .bind(epoch)
        .execute(&mut **change)
        .await?;
    replace_keys(change, backend, epoch, 0, &found.keys, now, by).await?;
    Ok(found)
}

/// From behind this place on, these keys count and no others.
pub(crate) async fn replace_keys(
    change: &mut Change,
    backend: BackendId,
    epoch: i64,
    behind: i64,
    keys: &Keys,
    now: i64,
    by: Option<AccountId>,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE backend_key SET to_seq = ? WHERE backend = ? AND to_seq IS NULL")
        .bind(behind)
        .bind(backend.0)
        .execute(&mut **change)
        .await?;
    for (id, key) in keys {
        sqlx::query(
            "INSERT INTO backend_key (backend, key_id, public_key, epoch, from_seq, confirmed_at, confirmed_by)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
             ON CONFLICT (backend, epoch, from_seq, key_id) DO UPDATE
             SET public_key = ?3, confirmed_at = ?6, confirmed_by = ?7, to_seq = NULL",
        )
        .bind(backend.0)
        .bind(id.as_str())
        .bind(key.text().as_str())
        .bind(epoch)
        .bind(behind + 1)
        .bind(now)
        .bind(by.map(|by| by.0))
        .execute(&mut **change)
        .await?;
    }
    Ok(())
}
