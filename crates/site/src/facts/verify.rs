//! Walks the chain of facts of every backend and names the first one that is not as it was taken in.
//! Spec protocol.md 4.2; site.md 17 (restore).

use protocol::fact::envelope::Fact;
use protocol::keys::{Keys, PublicKey, PublicKeyText};
use protocol::text::hashes::Sha256Hex;
use serde_json::Value;

use crate::store::{Store, StoreError};

/// Rows read at a time.
const PAGE: i64 = 500;

/// Why the facts are not whole, or cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum FactsError {
    /// A fact is missing, altered, or was put in.
    #[error("the facts of {backend} are broken at fact {seq} of epoch {epoch}: {why}")]
    Broken {
        /// The slug.
        backend: String,
        /// The epoch; 0 are old records.
        epoch: i64,
        /// The first fact that is wrong.
        seq: i64,
        /// How.
        why: &'static str,
    },
    /// They cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for FactsError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

struct Epoch {
    backend: i64,
    slug: String,
    epoch: i64,
    head: (i64, String),
}

/// Reads all facts: each follows the one before, has the hash of what it says, and is signed by a key of its backend that
/// staff confirmed. How many there are. A fact whose text staff blanked is believed for its hash.
///
/// # Errors
/// [`FactsError::Broken`] names the first that is wrong.
pub async fn verify(store: &Store) -> Result<i64, FactsError> {
    let rows: Vec<(i64, String, i64, i64, String)> = sqlx::query_as(
        "SELECT e.backend, b.slug, e.epoch, e.head_seq, e.head_hash FROM backend_epoch e JOIN backend b ON b.id = e.backend
         WHERE e.state <> 'proposed' ORDER BY e.backend, e.epoch",
    )
    .fetch_all(store.readers())
    .await?;
    let mut facts = 0;
    for (backend, slug, epoch, seq, hash) in rows {
        let epoch = Epoch { backend, slug, epoch, head: (seq, hash) };
        let keys = keys(store, backend).await?;
        facts += chain(store, &epoch, &keys).await?;
    }
    let (all,): (i64,) = sqlx::query_as("SELECT count(*) FROM backend_fact").fetch_one(store.readers()).await?;
    if all == facts {
        Ok(facts)
    } else {
        Err(StoreError::Damaged(format!("{} facts of no known epoch", all - facts)).into())
    }
}

/// Every key of a backend that was ever confirmed, by its name.
async fn keys(store: &Store, backend: i64) -> Result<Vec<Keys>, FactsError> {
    let rows: Vec<(String, String)> = sqlx::query_as(
        "SELECT DISTINCT key_id, public_key FROM backend_key WHERE backend = ? AND confirmed_at IS NOT NULL",
    )
    .bind(backend)
    .fetch_all(store.readers())
    .await?;
    let damaged = || StoreError::Damaged("a key of a backend".to_owned());
    let mut keys = Vec::new();
    for (id, key) in rows {
        let text: PublicKeyText = key.parse().map_err(|_| damaged())?;
        let key = PublicKey::read(&text).map_err(|_| damaged())?;
        keys.push(Keys::from([(id.parse().map_err(|_| damaged())?, key)]));
    }
    Ok(keys)
}

async fn chain(store: &Store, epoch: &Epoch, keys: &[Keys]) -> Result<i64, FactsError> {
    let (mut last, mut head) = (0, Sha256Hex::zero().to_string());
    loop {
        let rows: Vec<(i64, String, Option<String>, String)> = sqlx::query_as(
            "SELECT seq, kind, text, hash FROM backend_fact WHERE backend = ? AND epoch = ? AND seq > ? ORDER BY seq LIMIT ?",
        )
        .bind(epoch.backend)
        .bind(epoch.epoch)
        .bind(last)
        .bind(PAGE)
        .fetch_all(store.readers())
        .await?;
        if rows.is_empty() {
            break;
        }
        for (seq, kind, text, hash) in rows {
            last += 1;
            let broken = |why| epoch.broken(last, why);
            if seq != last {
                return Err(broken("it is missing"));
            }
            if let Some(text) = &text {
                let why = if epoch.epoch == 0 {
                    record(text, (&head, &hash))
                } else {
                    fact(epoch, text, &kind, (seq, &head, &hash), keys)
                };
                why.map_err(broken)?;
            }
            head = hash;
        }
    }
    if (last, &head) == (epoch.head.0, &epoch.head.1) {
        Ok(last)
    } else {
        Err(epoch.broken(last, "it is not the one that the epoch ends with"))
    }
}

impl Epoch {
    fn broken(&self, seq: i64, why: &'static str) -> FactsError {
        FactsError::Broken { backend: self.slug.clone(), epoch: self.epoch, seq, why }
    }
}

/// An old record: the site's own, not signed.
fn record(text: &str, (prev, hash): (&str, &str)) -> Result<(), &'static str> {
    let said: Value = serde_json::from_str(text).map_err(|_| "it is not JSON")?;
    if said.get("prev").and_then(Value::as_str) != Some(prev) {
        return Err("it does not follow the fact before it");
    }
    let is = Sha256Hex::of(&[prev.as_bytes(), text.as_bytes()]);
    if is.as_str() == hash { Ok(()) } else { Err("its hash is not that of its content") }
}

fn fact(
    epoch: &Epoch,
    text: &str,
    kind: &str,
    (seq, prev, hash): (i64, &str, &str),
    keys: &[Keys],
) -> Result<(), &'static str> {
    let value: Value = serde_json::from_str(text).map_err(|_| "it is not JSON")?;
    let named = value.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
    let fact = Fact::read(value).map_err(|_| "it has no readable place, hash or signature")?;
    let is_here = fact.backend.as_str() == epoch.slug
        && i64::try_from(fact.epoch.get()) == Ok(epoch.epoch)
        && i64::try_from(fact.seq.get()) == Ok(seq)
        && (kind == named || kind == "unknown");
    if !is_here || fact.hash.as_str() != hash || fact.text() != text {
        return Err("its columns do not say what it says");
    }
    if fact.prev.as_str() != prev {
        return Err("it does not follow the fact before it");
    }
    if !fact.hash_is_right() {
        return Err("its hash is not that of its content");
    }
    if keys.iter().any(|key| fact.verify(key)) { Ok(()) } else { Err("no confirmed key of its backend signed it") }
}
