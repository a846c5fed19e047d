//! Random numbers by counting: each patient and purpose has its own, so patients are independent of one another and of
//! the order in which they are made. Spec study-definitions.md 10.2.6, warehouse.md 4.4.

use sha2::{Digest, Sha256};

use crate::expectations::normal;
use crate::expectations::stream::below;

/// A purpose under a seed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Purpose(u64);

impl Purpose {
    pub(crate) fn new(seed: u64, name: &str) -> Self {
        let mut hash = Sha256::new();
        hash.update(b"cloister.simulate/1");
        hash.update(seed.to_le_bytes());
        hash.update(name.as_bytes());
        let bytes: [u8; 32] = hash.finalize().into();
        Self(bytes.iter().take(8).fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
    }

    /// The numbers of one patient.
    pub(crate) fn of(self, patient: u64) -> Dice {
        Dice(mixed(self.0 ^ mixed(patient.wrapping_mul(STEP))))
    }

    /// The numbers of one thing of one patient's: a row, a try.
    pub(crate) fn nth(self, patient: u64, nth: u64) -> Dice {
        Self(mixed(self.0.wrapping_add((nth + 1).wrapping_mul(STEP)))).of(patient)
    }
}

const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// SplitMix64: a counter, mixed.
#[derive(Debug, Clone)]
pub(crate) struct Dice(u64);

fn mixed(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

impl Dice {
    pub(crate) fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(STEP);
        mixed(self.0)
    }

    /// Below `end`; 0 for 0.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        below(self.bits(), end)
    }

    /// Between 0 and 1.
    pub(crate) fn unit(&mut self) -> f64 {
        normal::open_unit(self.bits())
    }

    pub(crate) fn chance(&mut self, share: f64) -> bool {
        self.unit() < share
    }

    /// One of them; the first ones much more often than the last, as codes of a list are.
    pub(crate) fn often<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        let unit = self.unit();
        items.get((unit * unit * items.len() as f64) as usize)
    }

    pub(crate) fn one<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        items.get(self.below(items.len() as u64) as usize)
    }

    /// A place in the list of weights.
    pub(crate) fn weighted(&mut self, weights: &[f64]) -> usize {
        let mut left = self.unit() * weights.iter().sum::<f64>();
        for (place, weight) in weights.iter().enumerate() {
            left -= weight;
            if left < 0.0 {
                return place;
            }
        }
        weights.len().saturating_sub(1)
    }
}
