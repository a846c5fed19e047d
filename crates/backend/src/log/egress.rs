//! The egress ledger: the exact bytes of every message that leaves, in a chain of hashes, written before they are sent.
//! Spec protocol.md 9 (d), 4.1 (the rule of every Cloister log).

use protocol::json::canonical;
use protocol::text::hashes::Sha256Hex;
use protocol::text::time::Moment;
use serde_json::json;

use super::LogError;

/// A message that was sent, or was about to be when the process died.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// Its place in the ledger, from 1.
    pub seq: u64,
    /// When.
    pub at: Moment,
    /// Which call: `POST facts`, `GET directives?after=7&wait=55`.
    pub call: String,
    /// The body, byte for byte, before any compression.
    pub bytes: Vec<u8>,
    /// SHA-256 over the hash before it and all of the above.
    pub hash: Sha256Hex,
}

impl Sent {
    /// The entry behind `last`.
    pub(super) fn after(last: &(u64, Sha256Hex), at: Moment, call: String, bytes: Vec<u8>) -> Result<Self, LogError> {
        let mut sent = Self { seq: last.0 + 1, at, call, bytes, hash: Sha256Hex::zero() };
        sent.hash = sent.expected(&last.1)?;
        Ok(sent)
    }

    /// The hash that it must have behind `prev`.
    fn expected(&self, prev: &Sha256Hex) -> Result<Sha256Hex, LogError> {
        let body = Sha256Hex::of(&[&self.bytes]);
        let told = json!({
            "v": 1, "seq": self.seq, "at": self.at.to_string(), "call": self.call,
            "bytes": self.bytes.len(), "sha256": body.as_str(),
        });
        let text = canonical(&told).map_err(|bad| LogError::damaged(bad.to_string()))?;
        Ok(Sha256Hex::of(&[prev.as_str().as_bytes(), text.as_bytes()]))
    }

    /// Whether it follows the entry before it, unchanged.
    ///
    /// # Errors
    /// The entry that was changed, by its number.
    pub fn check(&self, before: Option<&Self>) -> Result<(), LogError> {
        let zero = Sha256Hex::zero();
        let prev = before.map_or(&zero, |before| &before.hash);
        let place = before.map_or(1, |before| before.seq + 1);
        if self.seq == place && self.expected(prev)? == self.hash {
            Ok(())
        } else {
            Err(LogError::damaged(format!("entry {place} of the egress ledger is not as it was written")))
        }
    }
}
