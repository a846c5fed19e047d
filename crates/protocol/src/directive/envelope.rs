//! The envelope of a directive: place in the line, addressee, end, signature.
//! Spec protocol.md 3.1, 3.2. The signature is over what was received, never over what was understood of it.

use serde_json::{Map, Value, json};

use super::{DirectiveBody, DirectiveKind};
use crate::fact::backend::RejectedCode;
use crate::json::canonical;
use crate::keys::{Keys, Purpose, SignatureText, SigningKey};
use crate::limits::{DIRECTIVE_BYTES, EXPIRY_TOLERANCE_SECONDS};
use crate::shape::BadShape;
use crate::text::hashes::Sha256Hex;
use crate::text::ids::{KeyId, Ulid};
use crate::text::names::BackendSlug;
use crate::text::time::Moment;
use crate::text::whole::Cursor;

/// A directive before it is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// Its place in the backend's line.
    pub cursor: Cursor,
    /// Its id.
    pub id: Ulid,
    /// For whom.
    pub backend: BackendSlug,
    /// When it was made, by the site's clock.
    pub at: Moment,
    /// When it ends.
    pub expires_at: Moment,
    /// Fields of the body without whose understanding it must not be applied.
    pub critical: Vec<&'static str>,
    /// What it asks for.
    pub body: DirectiveBody,
}

/// A directive that was found to be right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directive {
    /// Its place in the line.
    pub cursor: Cursor,
    /// Its id.
    pub id: Ulid,
    /// When it was made.
    pub at: Moment,
    /// What it asks for.
    pub body: DirectiveBody,
}

/// A directive that must not be applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a directive that is not applied: {0:?}")]
pub struct Rejected(pub RejectedCode);

/// A directive that cannot be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CannotSign {
    /// Its body is not one.
    #[error(transparent)]
    Body(#[from] BadShape),
    /// Larger than one directive may be.
    #[error("the directive has {bytes} bytes; at most {DIRECTIVE_BYTES} are allowed")]
    TooLarge {
        /// Bytes of the signed directive.
        bytes: usize,
    },
}

impl Draft {
    /// The signed directive in canonical form: the bytes to keep and to send.
    ///
    /// # Errors
    /// The body breaks a rule that spans its fields, or is too large.
    pub fn sign(&self, key: &SigningKey) -> Result<String, CannotSign> {
        let mut whole = Map::new();
        for (name, value) in [
            ("v", json!(1)),
            ("cursor", json!(self.cursor.get())),
            ("id", json!(self.id.as_str())),
            ("backend", json!(self.backend.as_str())),
            ("type", json!(self.body.kind().name())),
            ("at", json!(self.at.to_string())),
            ("expires_at", json!(self.expires_at.to_string())),
            ("critical", json!(self.critical)),
            ("body", self.body.write()?),
        ] {
            whole.insert(name.to_owned(), value);
        }
        finish(whole, key)
    }
}

/// A directive of our own, signed anew for another place or with another end; all else of it stays.
///
/// # Errors
/// The text is no directive, or becomes too large.
pub fn sign_again(text: &str, key: &SigningKey, cursor: Cursor, expires_at: Moment) -> Result<String, CannotSign> {
    let Ok(Value::Object(mut whole)) = serde_json::from_str(text) else { return Err(BadShape::Field.into()) };
    whole.insert("cursor".to_owned(), json!(cursor.get()));
    whole.insert("expires_at".to_owned(), json!(expires_at.to_string()));
    finish(whole, key)
}

fn finish(mut whole: Map<String, Value>, key: &SigningKey) -> Result<String, CannotSign> {
    whole.insert("key".to_owned(), json!(key.id().as_str()));
    let hash = hash(&whole).ok_or(BadShape::Field)?;
    whole.insert("sig".to_owned(), json!(key.sign(Purpose::Directive, hash.as_str()).as_str()));
    let text = canonical(&Value::Object(whole)).map_err(|_| BadShape::Field)?;
    if text.len() > DIRECTIVE_BYTES { Err(CannotSign::TooLarge { bytes: text.len() }) } else { Ok(text) }
}

/// The place and id of a directive as they claim to be, read before anything is known to be right.
pub fn place(whole: &Value) -> (Option<Cursor>, Option<Ulid>) {
    (field(whole, "cursor"), field(whole, "id"))
}

/// Opens a directive: signature first, then addressee, end, type, critical fields and body.
///
/// # Errors
/// Why it must not be applied. The one after it is not affected.
pub fn open(whole: &Value, me: &BackendSlug, keys: &Keys, now: Moment) -> Result<Directive, Rejected> {
    use RejectedCode as Code;
    let malformed = Rejected(Code::Malformed);
    let Value::Object(map) = whole else { return Err(malformed) };
    let key: KeyId = field(whole, "key").ok_or(malformed)?;
    let sig: SignatureText = field(whole, "sig").ok_or(malformed)?;
    let hash = hash(map).ok_or(malformed)?;
    if !keys.get(&key).is_some_and(|key| key.verifies(Purpose::Directive, hash.as_str(), &sig)) {
        return Err(Rejected(Code::BadSignature));
    }
    if map.get("v") != Some(&json!(1)) {
        return Err(Rejected(Code::UnknownType));
    }
    let backend: BackendSlug = field(whole, "backend").ok_or(malformed)?;
    if backend != *me {
        return Err(Rejected(Code::WrongBackend));
    }
    let expires_at: Moment = field(whole, "expires_at").ok_or(malformed)?;
    if now > expires_at.plus_seconds(EXPIRY_TOLERANCE_SECONDS) {
        return Err(Rejected(Code::Expired));
    }
    let kind: String = field(whole, "type").ok_or(malformed)?;
    let kind = DirectiveKind::named(&kind).ok_or(Rejected(Code::UnknownType))?;
    let critical: Vec<String> = field(whole, "critical").ok_or(malformed)?;
    let body = map.get("body").ok_or(malformed)?;
    let read = DirectiveBody::read(kind, body);
    // A field named as critical must be one that this version knows.
    if !critical.is_empty() {
        let ours = kind.schema();
        let known = |name: &String| ours.get("properties").is_some_and(|known| known.get(name).is_some());
        if !critical.iter().all(known) {
            return Err(Rejected(Code::UnknownCritical));
        }
    }
    Ok(Directive {
        cursor: field(whole, "cursor").filter(|cursor: &Cursor| cursor.get() > 0).ok_or(malformed)?,
        id: field(whole, "id").ok_or(malformed)?,
        at: field(whole, "at").ok_or(malformed)?,
        body: read.map_err(|_| malformed)?,
    })
}

fn field<T: serde::de::DeserializeOwned>(whole: &Value, name: &str) -> Option<T> {
    whole.get(name).and_then(|value| T::deserialize(value).ok())
}

/// SHA-256 of the canonical form of the envelope without `sig`.
fn hash(whole: &Map<String, Value>) -> Option<Sha256Hex> {
    let bare: Map<String, Value> =
        whole.iter().filter(|(name, _)| *name != "sig").map(|(name, value)| (name.clone(), value.clone())).collect();
    canonical(&Value::Object(bare)).ok().map(|text| Sha256Hex::of(&[text.as_bytes()]))
}
