//! What is stored of a backend's open epoch: its head, the hashes that a batch may meet again, the keys that count.
//! Spec protocol.md 4.2.

use std::collections::BTreeMap;

use protocol::fact::envelope::Head;
use protocol::fact::intake::Stored;
use protocol::keys::{Keys, PublicKey, PublicKeyText};
use protocol::text::hashes::Sha256Hex;
use protocol::text::whole::{Epoch, Seq};

use crate::store::ids::BackendId;
use crate::store::{Change, StoreError};

/// The open epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain {
    /// Its number.
    pub epoch: Epoch,
    /// Its last fact.
    pub head: Head,
    /// The hashes that were asked for.
    pub known: BTreeMap<Seq, Sha256Hex>,
}

impl Chain {
    /// Reads the head, and the hashes of a stretch of places.
    ///
    /// # Errors
    /// The database failed, or holds what cannot be.
    pub async fn open(change: &mut Change, backend: BackendId, from: Seq, to: Seq) -> Result<Self, StoreError> {
        let row: Option<(i64, i64, String)> =
            sqlx::query_as("SELECT epoch, head_seq, head_hash FROM backend_epoch WHERE backend = ? AND state = 'open'")
                .bind(backend.0)
                .fetch_optional(&mut **change)
                .await?;
        let Some((epoch, seq, hash)) = row else {
            return Ok(Self { epoch: Epoch::LEAST, head: Head::start(), known: BTreeMap::new() });
        };
        let rows: Vec<(i64, String)> = sqlx::query_as(
            "SELECT seq, hash FROM backend_fact WHERE backend = ? AND epoch = ? AND seq BETWEEN ? AND ?",
        )
        .bind(backend.0)
        .bind(epoch)
        .bind(i64::try_from(from.get()).unwrap_or(i64::MAX))
        .bind(i64::try_from(to.get()).unwrap_or(i64::MAX))
        .fetch_all(&mut **change)
        .await?;
        let damaged = || StoreError::Damaged(format!("the chain of facts of {backend:?}"));
        let place = |n: i64| u64::try_from(n).ok().and_then(|n| Seq::try_from(n).ok()).ok_or_else(damaged);
        let digest = |text: String| text.parse::<Sha256Hex>().map_err(|_| damaged());
        let mut known = BTreeMap::new();
        for (seq, hash) in rows {
            known.insert(place(seq)?, digest(hash)?);
        }
        let epoch = u64::try_from(epoch).ok().and_then(|n| Epoch::try_from(n).ok()).ok_or_else(damaged)?;
        Ok(Self { epoch, head: Head { seq: place(seq)?, hash: digest(hash)? }, known })
    }
}

impl Stored for Chain {
    fn head(&self) -> Head {
        self.head.clone()
    }

    fn hash_at(&self, seq: Seq) -> Option<Sha256Hex> {
        self.known.get(&seq).cloned()
    }
}

/// The keys of a backend that staff confirmed and that were not changed since.
pub(crate) async fn keys_of(change: &mut Change, backend: BackendId) -> Result<Keys, StoreError> {
    let rows: Vec<(String, String)> = sqlx::query_as(
        "SELECT key_id, public_key FROM backend_key
         WHERE backend = ? AND to_seq IS NULL AND confirmed_at IS NOT NULL",
    )
    .bind(backend.0)
    .fetch_all(&mut **change)
    .await?;
    let damaged = || StoreError::Damaged(format!("the keys of {backend:?}"));
    let mut keys = Keys::new();
    for (id, key) in rows {
        let text: PublicKeyText = key.parse().map_err(|_| damaged())?;
        keys.insert(id.parse().map_err(|_| damaged())?, PublicKey::read(&text).map_err(|_| damaged())?);
    }
    Ok(keys)
}
