//! Independent streams of random numbers: the same name, settings and N give the same numbers on every machine.
//! Spec study-definitions.md 10.1 "Seeded".

use chacha20::ChaCha8Rng;
use chacha20::rand_core::{Rng, SeedableRng};
use sha2::{Digest, Sha256};

/// What tells streams apart beside the name of the column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Which patients exist.
    Patients,
    /// Which rows of a column are emptied.
    Presence,
    /// What the rows of a column hold.
    Values,
}

/// The key of a stream: a SHA-256 over seed, purpose, name, settings and N, so that one stream says nothing about another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key([u8; 32]);

impl Key {
    pub(crate) fn new(seed: u64, purpose: Purpose, name: &str, settings: &[u8], patients: u64) -> Self {
        let purpose: &[u8] = match purpose {
            Purpose::Patients => b"patients",
            Purpose::Presence => b"presence",
            Purpose::Values => b"values",
        };
        let mut hash = Sha256::new();
        for part in [b"cloister.expectations/1".as_slice(), purpose, name.as_bytes(), settings] {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        hash.update(seed.to_le_bytes());
        hash.update(patients.to_le_bytes());
        Self(hash.finalize().into())
    }

    /// The stream from its beginning.
    pub(crate) fn stream(self) -> Stream {
        Stream(ChaCha8Rng::from_seed(self.0))
    }
}

/// Words of ChaCha8 under a [`Key`], in the cipher's order.
pub(crate) struct Stream(ChaCha8Rng);

impl Stream {
    /// 64 uniform bits.
    pub(crate) fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// Uniform below `end`: the upper half of a product, off by less than `end` / 2^64. 0 for an `end` of 0.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        below(self.bits(), end)
    }
}

/// As [`Stream::below`], from bits at hand.
pub(crate) fn below(bits: u64, end: u64) -> u64 {
    ((u128::from(bits) * u128::from(end)) >> 64) as u64
}

/// Chooses exactly `wanted` of `rows`, every set of that size equally likely, in one pass with two numbers of memory
/// (sequential selection).
pub(crate) struct Selection {
    wanted: u64,
    rows: u64,
    stream: Stream,
}

impl Selection {
    pub(crate) fn new(wanted: u64, rows: u64, key: Key) -> Self {
        Self { wanted: wanted.min(rows), rows, stream: key.stream() }
    }

    /// Whether there is a further row.
    pub(crate) fn left(&self) -> bool {
        self.rows > 0
    }

    /// Whether the next row is chosen; false beyond the last row.
    pub(crate) fn next(&mut self) -> bool {
        let chosen = self.stream.below(self.rows) < self.wanted;
        self.rows = self.rows.saturating_sub(1);
        self.wanted -= u64::from(chosen);
        chosen
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str) -> Key {
        Key::new(1, Purpose::Values, name, b"", 10)
    }

    #[test]
    fn names_settings_seeds_and_sizes_tell_streams_apart() {
        let of = |seed, purpose, name, settings: &[u8], patients| Key::new(seed, purpose, name, settings, patients);
        let keys = [
            of(1, Purpose::Values, "a", b"", 10),
            of(1, Purpose::Presence, "a", b"", 10),
            of(2, Purpose::Values, "a", b"", 10),
            of(1, Purpose::Values, "b", b"", 10),
            of(1, Purpose::Values, "a", b"x", 10),
            of(1, Purpose::Values, "ax", b"", 10),
            of(1, Purpose::Values, "a", b"", 11),
        ];
        for (place, key) in keys.iter().enumerate() {
            assert!(!keys[place + 1..].contains(key), "{place}");
        }
    }

    /// The first words of ChaCha8 for a key of zeros, as in draft-strombergson-chacha-test-vectors-01 (TC1, 256-bit key).
    #[test]
    fn words_are_those_of_the_cipher() {
        let mut stream = Stream(ChaCha8Rng::from_seed([0; 32]));
        assert_eq!(stream.bits().to_le_bytes(), [0x3e, 0x00, 0xef, 0x2f, 0x89, 0x5f, 0x40, 0xd6]);
        assert_eq!(stream.bits().to_le_bytes(), [0x7f, 0x5b, 0xb8, 0xe8, 0x1f, 0x09, 0xa5, 0xa1]);
    }

    #[test]
    fn a_selection_has_exactly_the_size_asked_for() {
        for (wanted, rows) in [(0, 0), (0, 7), (7, 7), (1, 1000), (999, 1000), (9, 3)] {
            let mut selection = Selection::new(wanted, rows, key("s"));
            let chosen = (0..rows).filter(|_| selection.next()).count() as u64;
            assert_eq!(chosen, wanted.min(rows), "{wanted} of {rows}");
        }
    }

    /// 2 of 5 rows: each of the 10 sets has a tenth of 20,000 selections; chi-square with 9 degrees below 45 (p > 1e-6).
    #[test]
    fn every_set_is_equally_likely() {
        let mut counts = std::collections::BTreeMap::new();
        for round in 0..20_000 {
            let mut selection = Selection::new(2, 5, key(&round.to_string()));
            let set: Vec<bool> = (0..5).map(|_| selection.next()).collect();
            *counts.entry(set).or_insert(0_u32) += 1;
        }
        assert_eq!(counts.len(), 10);
        let chi: f64 = counts.values().map(|n| (f64::from(*n) - 2000.0).powi(2) / 2000.0).sum();
        assert!(chi < 45.0, "{chi}");
    }
}
