//! Some left rows at once: what the right side has for them lies anywhere in memory, and is waited for together.
//! A row by itself would wait three times, for its slot, its row and its text.

use std::ops::Range;

use super::key::Key;
use super::matches::Finder;
use super::trouble::Trouble;

/// Enough to hide the waiting, few enough to stay close to the processor.
const ROWS: usize = 128;

/// Rows with their keys, copied.
#[derive(Default)]
pub(super) struct Block {
    lines: Vec<u8>,
    ends: Vec<usize>,
    keys: Vec<Held>,
    texts: Vec<u8>,
    found: Vec<Option<u32>>,
}

/// A key that borrows nothing.
#[derive(Clone)]
enum Held {
    Whole(u64),
    Negative(u64),
    Blank,
    /// Where it stands in `texts`.
    Text(Range<usize>),
}

impl Block {
    pub(super) fn is_full(&self) -> bool {
        self.ends.len() >= ROWS
    }

    pub(super) fn push(&mut self, line: &[u8], key: Key<'_>) {
        self.lines.extend_from_slice(line);
        self.ends.push(self.lines.len());
        self.keys.push(match key {
            Key::Whole(bits) => Held::Whole(bits),
            Key::Negative(bits) => Held::Negative(bits),
            Key::Blank => Held::Blank,
            Key::Text(text) => {
                let start = self.texts.len();
                self.texts.extend_from_slice(text);
                Held::Text(start..self.texts.len())
            }
        });
    }

    fn key(&self, at: usize) -> Key<'_> {
        match &self.keys[at] {
            Held::Whole(bits) => Key::Whole(*bits),
            Held::Negative(bits) => Key::Negative(*bits),
            Held::Blank => Key::Blank,
            Held::Text(place) => Key::Text(&self.texts[place.clone()]),
        }
    }

    /// Calls with each row and what it is joined to: each of its partners, or nothing if it has none. Gives how many rows
    /// have any, and begins anew.
    pub(super) fn join(
        &mut self,
        finder: &mut Finder<'_>,
        mut each: impl FnMut(&[u8], Option<&[u8]>) -> Result<(), Trouble>,
    ) -> Result<u64, Trouble> {
        let mut found = std::mem::take(&mut self.found);
        found.clear();
        found.extend((0..self.keys.len()).map(|at| finder.find(self.key(at))));
        finder.warm(&found);
        let (mut start, mut matched) = (0, 0);
        for (at, first) in found.iter().enumerate() {
            let line = &self.lines[start..self.ends[at]];
            start = self.ends[at];
            match finder.each_of(self.key(at), *first, |carried| each(line, Some(carried)))? {
                0 => each(line, None)?,
                _ => matched += 1,
            }
        }
        self.lines.clear();
        self.ends.clear();
        self.keys.clear();
        self.texts.clear();
        self.found = found;
        Ok(matched)
    }
}
