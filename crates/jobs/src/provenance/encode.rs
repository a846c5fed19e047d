//! The canonical encoding behind component hashes and run keys: every part is preceded by its length.
//! Spec jobs.md 17. No two different values have the same bytes, because nothing is ever only delimited.

use sha2::{Digest, Sha256};

/// Takes parts in; gives their hash.
pub(super) struct Encoder(Sha256);

impl Encoder {
    /// Begins an encoding that no other kind of value shares.
    pub(super) fn new(tag: &str) -> Self {
        let mut encoder = Self(Sha256::new());
        encoder.text(tag);
        encoder
    }
    /// A count or another number: eight bytes, the highest first.
    pub(super) fn number(&mut self, number: u64) {
        self.0.update(number.to_be_bytes());
    }
    /// Any bytes, their length first.
    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.0.update(bytes);
    }
    /// Text, its length in bytes first.
    pub(super) fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }
    /// A list: its count first.
    pub(super) fn list<T>(&mut self, items: impl ExactSizeIterator<Item = T>, mut each: impl FnMut(&mut Self, T)) {
        self.number(items.len() as u64);
        for item in items {
            each(self, item);
        }
    }
    /// The hash of all parts.
    pub(super) fn finish(self) -> [u8; 32] {
        self.0.finalize().into()
    }
}
