//! The envelope of a fact: its place in the chain, its hash and its signature.
//! Spec protocol.md 4.1. Hashes are over what was received, never over what was understood of it.

use serde_json::{Map, Value, json};

use super::{FactBody, FactKind};
use crate::json::canonical;
use crate::keys::{Keys, Purpose, SignatureText, SigningKey};
use crate::shape::BadShape;
use crate::text::hashes::Sha256Hex;
use crate::text::ids::KeyId;
use crate::text::names::BackendSlug;
use crate::text::time::Moment;
use crate::text::whole::{Epoch, Seq};

/// A place in a chain and the hash that stands there. Seq 0 with 64 zeros is the place before the first fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The last fact's place.
    pub seq: Seq,
    /// The last fact's hash.
    pub hash: Sha256Hex,
}

impl Head {
    /// The head of a chain without facts.
    pub fn start() -> Self {
        Self { seq: Seq::LEAST, hash: Sha256Hex::zero() }
    }
}

/// A fact whose place, hash and signature can be read; whether they are right, and what it says, is found by [`verify`](Self::verify)
/// and [`content`](Self::content).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// Whose.
    pub backend: BackendSlug,
    /// Of which epoch.
    pub epoch: Epoch,
    /// Its place.
    pub seq: Seq,
    /// The hash of the fact before.
    pub prev: Sha256Hex,
    /// Its hash, as it claims.
    pub hash: Sha256Hex,
    key: KeyId,
    sig: SignatureText,
    whole: Map<String, Value>,
    text: String,
}

/// What a fact says, and when that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// By the backend's clock.
    pub at: Moment,
    /// What.
    pub body: FactBody,
}

/// A fact that has no place in any chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a fact without readable place, hash or signature")]
pub struct NoFact;

/// Why what a fact says is not applied, although its place in the chain is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadContent {
    /// Of a type that this version does not know.
    #[error("its type is not known to this version")]
    UnknownType,
    /// A field of the envelope that is not on the list, or a moment that is none.
    #[error("its envelope has a field that is not on the list, or no right moment")]
    Envelope,
    /// The body.
    #[error(transparent)]
    Body(#[from] BadShape),
    /// It tells of a job more finely than by the second.
    #[error("it tells of a job with a moment that is not a whole second")]
    TooFine,
}

const FIELDS: [&str; 11] = ["v", "backend", "epoch", "seq", "at", "prev", "type", "body", "hash", "key", "sig"];

impl Fact {
    /// Makes the fact that follows `head`. Moments of jobs are floored to the second.
    ///
    /// # Errors
    /// The body breaks a rule that spans its fields.
    pub fn make(
        backend: &BackendSlug,
        epoch: Epoch,
        head: &Head,
        at: Moment,
        body: &FactBody,
        key: &SigningKey,
    ) -> Result<Self, BadShape> {
        let at = if body.kind().is_of_a_job() { at.floored() } else { at };
        let mut whole = Map::new();
        for (name, value) in [
            ("v", json!(1)),
            ("backend", json!(backend.as_str())),
            ("epoch", json!(epoch.get())),
            ("seq", json!(head.seq.next().get())),
            ("at", json!(at.to_string())),
            ("prev", json!(head.hash.as_str())),
            ("type", json!(body.kind().name())),
            ("body", body.write()?),
        ] {
            whole.insert(name.to_owned(), value);
        }
        let hash = hash(&head.hash, &whole).ok_or(BadShape::Field)?;
        let sig = key.sign(Purpose::Fact, hash.as_str());
        whole.insert("hash".to_owned(), json!(hash.as_str()));
        whole.insert("key".to_owned(), json!(key.id().as_str()));
        whole.insert("sig".to_owned(), json!(sig.as_str()));
        Self::read(Value::Object(whole)).map_err(|NoFact| BadShape::Field)
    }

    /// Reads the place, hash and signature of a fact.
    ///
    /// # Errors
    /// One of them is not there or is not one.
    pub fn read(value: Value) -> Result<Self, NoFact> {
        let text = canonical(&value).map_err(|_| NoFact)?;
        let Value::Object(whole) = value else { return Err(NoFact) };
        if whole.get("v") != Some(&json!(1)) {
            return Err(NoFact);
        }
        Ok(Self {
            backend: field(&whole, "backend")?,
            epoch: field(&whole, "epoch")?,
            seq: field::<Seq>(&whole, "seq").and_then(|seq| if seq.get() > 0 { Ok(seq) } else { Err(NoFact) })?,
            prev: field(&whole, "prev")?,
            hash: field(&whole, "hash")?,
            key: field(&whole, "key")?,
            sig: field(&whole, "sig")?,
            whole,
            text,
        })
    }

    /// Whether its hash is the one of what it says.
    pub fn hash_is_right(&self) -> bool {
        hash(&self.prev, &self.whole).is_some_and(|hash| hash == self.hash)
    }

    /// Whether hash and signature are right under one of these keys.
    pub fn verify(&self, keys: &Keys) -> bool {
        self.hash_is_right()
            && keys.get(&self.key).is_some_and(|key| key.verifies(Purpose::Fact, self.hash.as_str(), &self.sig))
    }

    /// What it says.
    ///
    /// # Errors
    /// It says nothing that is on the list; the fact stays in the chain, apart and unshown.
    pub fn content(&self) -> Result<Content, BadContent> {
        if self.whole.len() != FIELDS.len() || !FIELDS.iter().all(|name| self.whole.contains_key(*name)) {
            return Err(BadContent::Envelope);
        }
        let at: Moment = field(&self.whole, "at").map_err(|NoFact| BadContent::Envelope)?;
        let kind = self.whole.get("type").and_then(Value::as_str).ok_or(BadContent::Envelope)?;
        let kind = FactKind::named(kind).ok_or(BadContent::UnknownType)?;
        let body = FactBody::read(kind, self.whole.get("body").unwrap_or(&Value::Null))?;
        if kind.is_of_a_job() && !at.is_whole_second() {
            return Err(BadContent::TooFine);
        }
        if let FactBody::Opened(opened) = &body
            && (self.seq.get() != 1 || opened.epoch != self.epoch)
        {
            return Err(BadContent::Envelope);
        }
        Ok(Content { at, body })
    }

    /// The name of the key that it claims to be signed by.
    pub fn key(&self) -> &KeyId {
        &self.key
    }

    /// The place at which the next fact goes on.
    pub fn head(&self) -> Head {
        Head { seq: self.seq, hash: self.hash.clone() }
    }

    /// The whole fact in canonical form: the bytes to keep and to send.
    pub fn text(&self) -> &str {
        &self.text
    }
}

fn field<T: serde::de::DeserializeOwned>(whole: &Map<String, Value>, name: &str) -> Result<T, NoFact> {
    whole.get(name).and_then(|value| T::deserialize(value).ok()).ok_or(NoFact)
}

/// SHA-256 of the hash before, as its 64 characters, and the canonical form of the fact without hash, key and signature.
fn hash(prev: &Sha256Hex, whole: &Map<String, Value>) -> Option<Sha256Hex> {
    let bare = whole.iter().filter(|(name, _)| !["hash", "key", "sig"].contains(&name.as_str()));
    let bare: Map<String, Value> = bare.map(|(name, value)| (name.clone(), value.clone())).collect();
    let text = canonical(&Value::Object(bare)).ok()?;
    Some(Sha256Hex::of(&[prev.as_str().as_bytes(), text.as_bytes()]))
}
