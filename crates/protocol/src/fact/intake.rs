//! The site's end of the chain: what becomes of a batch of facts. A pure decision; the site stores what it says in one
//! transaction and answers after the commit. Spec protocol.md 4.2.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::FactBody;
use super::envelope::{BadContent, Content, Fact, Head};
use crate::json::{BadJson, read};
use crate::keys::{Keys, PublicKey};
use crate::limits::{BATCH, FACT_BYTES, FACTS};
use crate::shape::{Broken, Shape};
use crate::text::hashes::Sha256Hex;
use crate::text::names::BackendSlug;
use crate::text::whole::{Epoch, Seq};

/// What the site has stored of a backend's open epoch.
pub trait Stored {
    /// The last stored fact.
    fn head(&self) -> Head;
    /// The hash of a stored fact, from 1 up to the head.
    fn hash_at(&self, seq: Seq) -> Option<Sha256Hex>;
}

/// Whose facts may come, and by which keys they are signed.
#[derive(Debug, Clone)]
pub struct Sender {
    /// The backend that the token names.
    pub backend: BackendSlug,
    /// Its open epoch.
    pub epoch: Epoch,
    /// Its keys, as confirmed by staff and as its own facts changed them.
    pub keys: Keys,
}

/// A fact to store, and what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// The fact; its text is kept as received, in canonical form.
    pub fact: Fact,
    /// What to apply; or why it is kept apart, never shown, and told to staff.
    pub content: Result<Content, BadContent>,
}

/// A batch that is taken in.
#[derive(Debug, Clone)]
pub struct Intake {
    /// New facts in their order; none if all were known.
    pub new: Vec<Taken>,
    /// The keys after them.
    pub keys: Keys,
    /// The answer.
    pub answer: FactsTaken,
}

/// The answer 200 to a batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct FactsTaken {
    /// The open epoch.
    pub epoch: Epoch,
    /// The last stored fact.
    pub through: Seq,
    /// Its hash.
    pub hash: Sha256Hex,
}

impl Shape for FactsTaken {}

/// A batch of which nothing is stored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FactsRefused {
    /// 400: no batch of facts.
    #[error(transparent)]
    NotJson(#[from] BadJson),
    /// 400: no batch of facts.
    #[error(transparent)]
    Malformed(#[from] Broken),
    /// 403: another backend's than the token's.
    #[error("a fact names another backend than the token does")]
    WrongBackend,
    /// 409: not of the open epoch.
    #[error("a fact is of epoch {sent}; epoch {open} is open")]
    WrongEpoch {
        /// Of the fact.
        sent: Epoch,
        /// Open at the site.
        open: Epoch,
    },
    /// 409: one history was told before and another one now. Staff and operator are told; only a new epoch goes on.
    #[error("fact {seq} was told before with another hash")]
    ChainConflict {
        /// The place.
        seq: Seq,
    },
    /// 409: something is missing between what is stored and what came.
    #[error("facts are missing: {expected} is expected")]
    Gap {
        /// The next one to send.
        expected: Seq,
    },
    /// 422: a hash or signature is wrong. The backend stops sending and tells its operator.
    #[error("the hash or the signature of fact {seq} is wrong")]
    BadChain {
        /// The place.
        seq: Seq,
    },
}

/// Reads a batch: `{"facts":[...]}`.
///
/// # Errors
/// No JSON within the limits, no such object, too many facts, one of them too large or no fact at all, or not one after the other.
pub fn read_batch(bytes: &[u8]) -> Result<Vec<Fact>, FactsRefused> {
    let Value::Object(mut batch) = read(bytes, &BATCH)? else { return Err(Broken("a batch is an object").into()) };
    let (Some(Value::Array(facts)), true) = (batch.remove("facts"), batch.is_empty()) else {
        return Err(Broken("a batch has one field, the list `facts`").into());
    };
    if facts.is_empty() || facts.len() > FACTS {
        return Err(Broken("a batch has 1 to 500 facts").into());
    }
    let facts: Result<Vec<Fact>, _> = facts.into_iter().map(Fact::read).collect();
    let facts = facts.map_err(|_| Broken("a fact has no readable place, hash or signature"))?;
    if facts.iter().any(|fact| fact.text().len() > FACT_BYTES) {
        return Err(Broken("a fact is larger than 256 KiB").into());
    }
    if facts.windows(2).any(|pair| pair[1].seq != pair[0].seq.next()) {
        return Err(Broken("the facts of a batch are not one after the other").into());
    }
    Ok(facts)
}

/// Writes a batch of facts from their texts.
pub fn write_batch<'a>(facts: impl IntoIterator<Item = &'a str>) -> String {
    let facts: Vec<&str> = facts.into_iter().collect();
    format!("{{\"facts\":[{}]}}", facts.join(","))
}

/// Decides what becomes of a batch.
///
/// # Errors
/// Nothing of it is stored; see the variants. What a fact says is never a reason: it can only be kept apart.
pub fn take_in(sender: &Sender, stored: &impl Stored, facts: Vec<Fact>) -> Result<Intake, FactsRefused> {
    for fact in &facts {
        if fact.backend != sender.backend {
            return Err(FactsRefused::WrongBackend);
        }
        if fact.epoch != sender.epoch {
            return Err(FactsRefused::WrongEpoch { sent: fact.epoch, open: sender.epoch });
        }
    }
    let mut head = stored.head();
    if facts.first().is_some_and(|fact| fact.seq > head.seq.next()) {
        return Err(FactsRefused::Gap { expected: head.seq.next() });
    }
    let mut keys = sender.keys.clone();
    let mut new = Vec::new();
    for fact in facts {
        if !fact.hash_is_right() {
            return Err(FactsRefused::BadChain { seq: fact.seq });
        }
        if fact.seq <= head.seq && new.is_empty() {
            if stored.hash_at(fact.seq).as_ref() != Some(&fact.hash) {
                return Err(FactsRefused::ChainConflict { seq: fact.seq });
            }
            continue;
        }
        if !fact.verify(&keys) {
            return Err(FactsRefused::BadChain { seq: fact.seq });
        }
        if fact.prev != head.hash {
            let seq = head.seq;
            // The sender signed another fact before this one than the one that it told.
            return Err(if new.is_empty() {
                FactsRefused::ChainConflict { seq }
            } else {
                FactsRefused::BadChain { seq }
            });
        }
        let content = fact.content();
        if let Ok(Content { body: FactBody::Key(changed), .. }) = &content
            && let Ok(key) = PublicKey::read(&changed.public_key)
        {
            keys = Keys::from([(changed.key.clone(), key)]);
        }
        head = fact.head();
        new.push(Taken { fact, content });
    }
    let answer = FactsTaken { epoch: sender.epoch, through: head.seq, hash: head.hash };
    Ok(Intake { new, keys, answer })
}
