//! The right side in memory: for each `patient_id` its rows in the order of the file, and what each row carries.
//! 32 bytes a row besides what it carries, 40 while it is made (actions.md 12).

use std::hash::{BuildHasher as _, RandomState};

use super::key::Key;

/// Keys that are looked up together: enough to hide the waiting.
const TOGETHER: usize = 64;
/// No row.
pub(super) const NONE: u32 = u32::MAX;
/// Kinds of keys beside plain whole numbers.
const WHOLE: u8 = 0;
const NEGATIVE: u8 = 1;
const TEXT: u8 = 2;
const BLANK: u8 = 3;
/// A text key stands before what its row carries, and its length before that.
const LENGTH: usize = size_of::<u32>();

/// Spreads keys, differently in every run, so that no file can make them collide. Results do not depend on it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spread(u64, u64);

impl Spread {
    pub(super) fn new() -> Self {
        let state = RandomState::new();
        Self(state.hash_one(1_u8), state.hash_one(2_u8) | 1)
    }

    pub(super) fn of(self, key: Key<'_>) -> u64 {
        let (kind, bits) = self.bits(key);
        self.mix(kind, bits)
    }

    fn mix(self, kind: u8, bits: u64) -> u64 {
        fold(bits ^ self.0, self.1 ^ (u64::from(kind) << 17))
    }

    /// The kind of a key, and its bits: of a text those of its hash.
    fn bits(self, key: Key<'_>) -> (u8, u64) {
        match key {
            Key::Whole(number) => (WHOLE, number),
            Key::Negative(bits) => (NEGATIVE, bits),
            Key::Text(text) => {
                let hasher = foldhash::fast::FixedState::with_seed(self.0);
                (TEXT, hasher.hash_one(text))
            }
            Key::Blank => (BLANK, 0),
        }
    }
}

fn fold(a: u64, b: u64) -> u64 {
    let wide = u128::from(a) * u128::from(b);
    (wide as u64) ^ ((wide >> 64) as u64)
}

struct Row {
    /// Where what it carries ends.
    end: u32,
    /// The next row of the same key.
    next: u32,
}

/// Rows being gathered; `build` makes them searchable.
pub(super) struct Gathered {
    rows: Vec<Row>,
    /// Bits of their keys.
    keys: Vec<u64>,
    /// As long as `rows` once there is a key that is no plain whole number, before that empty.
    kinds: Vec<u8>,
    text: Vec<u8>,
    spread: Spread,
    blanks_match: bool,
}

/// The index is full: rows are counted in 32 bits, and so is what they carry.
#[derive(Debug)]
pub(super) struct Full;

impl Gathered {
    /// Bytes that the index takes for a row, besides what it carries.
    pub(super) const ROW: usize = size_of::<Row>() + size_of::<u64>() + size_of::<Slot>() * SLOTS.0 / SLOTS.1;

    /// `blanks_match`: blank keys match each other, as in the original.
    pub(super) fn new(spread: Spread, blanks_match: bool) -> Self {
        Self { rows: Vec::new(), keys: Vec::new(), kinds: Vec::new(), text: Vec::new(), spread, blanks_match }
    }

    /// Bytes that the index will take.
    pub(super) fn bytes(&self) -> usize {
        self.rows.len() * Self::ROW + self.kinds.len() + self.text.len()
    }

    /// Adds a row; `carry` writes what it carries.
    pub(super) fn push(&mut self, key: Key<'_>, carry: impl FnOnce(&mut Vec<u8>)) -> Result<(), Full> {
        let (kind, bits) = self.spread.bits(key);
        if kind != WHOLE && self.kinds.is_empty() {
            self.kinds.resize(self.rows.len(), WHOLE);
        }
        if kind != WHOLE || !self.kinds.is_empty() {
            self.kinds.push(kind);
        }
        if let Key::Text(text) = key {
            let length = u32::try_from(text.len()).map_err(|_| Full)?;
            self.text.extend_from_slice(&length.to_le_bytes());
            self.text.extend_from_slice(text);
        }
        carry(&mut self.text);
        let end = u32::try_from(self.text.len()).map_err(|_| Full)?;
        if self.rows.len() >= NONE as usize {
            return Err(Full);
        }
        self.rows.push(Row { end, next: NONE });
        self.keys.push(bits);
        Ok(())
    }

    /// Gives away all rows, in order.
    pub(super) fn each<E>(self, mut each: impl FnMut(Key<'_>, &[u8]) -> Result<(), E>) -> Result<(), E> {
        let mut start = 0;
        for (at, (row, bits)) in self.rows.iter().zip(&self.keys).enumerate() {
            let block = &self.text[start..row.end as usize];
            start = row.end as usize;
            match self.kinds.get(at).copied().unwrap_or(WHOLE) {
                TEXT => {
                    let (key, carried) = text_block(block);
                    each(Key::Text(key), carried)?;
                }
                NEGATIVE => each(Key::Negative(*bits), block)?,
                BLANK => each(Key::Blank, block)?,
                _ => each(Key::Whole(*bits), block)?,
            }
        }
        Ok(())
    }

    /// Makes the rows searchable.
    pub(super) fn build(mut self) -> Index {
        self.text.shrink_to_fit();
        let slots = vec![Slot::FREE; self.rows.len() * SLOTS.0 / SLOTS.1 + 1];
        let mut index = Index {
            rows: self.rows,
            kinds: self.kinds,
            text: self.text,
            slots,
            spread: self.spread,
            duplicates: 0,
            duplicated: 0,
        };
        // From the last to the first, so that each key leads to its first row and on to the later ones.
        for row in (0..index.rows.len()).rev() {
            if self.blanks_match || index.kind(row) != BLANK {
                index.insert(row, self.keys[row]);
            }
        }
        index
    }
}

/// Slots for so many rows: enough that a key is near its place, most often at it.
const SLOTS: (usize, usize) = (3, 2);

/// A place for a key. All that decides whether it is the one that is looked for lies in it, but the text of a text.
#[derive(Clone, Copy)]
struct Slot {
    /// Bits of the key.
    key: u64,
    /// Its first row; [`NONE`] in a free slot.
    row: u32,
    kind: u8,
}

impl Slot {
    const FREE: Self = Self { key: 0, row: NONE, kind: WHOLE };

    fn holds(&self, (kind, bits): (u8, u64)) -> bool {
        self.key == bits && self.kind == kind
    }
}

/// Rows by key.
pub(super) struct Index {
    rows: Vec<Row>,
    kinds: Vec<u8>,
    text: Vec<u8>,
    slots: Vec<Slot>,
    spread: Spread,
    /// Rows whose key a row before them has.
    duplicates: u64,
    /// Keys that more than one row has.
    duplicated: u64,
}

impl Index {
    fn kind(&self, row: usize) -> u8 {
        self.kinds.get(row).copied().unwrap_or(WHOLE)
    }

    fn block(&self, row: usize) -> &[u8] {
        let start = if row == 0 { 0 } else { self.rows[row - 1].end as usize };
        &self.text[start..self.rows[row].end as usize]
    }

    fn text_key(&self, row: usize) -> &[u8] {
        text_block(self.block(row)).0
    }

    /// The first byte of what is kept of a row; reading it fetches the rest.
    pub(super) fn first_byte(&self, row: u32) -> u8 {
        self.block(row as usize).first().copied().unwrap_or(0)
    }

    /// What a row carries.
    pub(super) fn carried(&self, row: u32) -> &[u8] {
        let row = row as usize;
        let block = self.block(row);
        if self.kind(row) == TEXT { text_block(block).1 } else { block }
    }

    fn place(&self, hash: u64) -> usize {
        ((u128::from(hash) * self.slots.len() as u128) >> 64) as usize
    }

    /// The slot of a key, whether it is taken or the one to take.
    fn find(&self, key: (u8, u64), text: Option<&[u8]>) -> usize {
        let mut at = self.place(self.spread.mix(key.0, key.1));
        loop {
            let slot = &self.slots[at];
            let is_it = || slot.holds(key) && text.is_none_or(|text| self.text_key(slot.row as usize) == text);
            if slot.row == NONE || is_it() {
                return at;
            }
            at += 1;
            if at == self.slots.len() {
                at = 0;
            }
        }
    }

    fn insert(&mut self, row: usize, key: u64) {
        let kind = self.kind(row);
        let at = self.find((kind, key), (kind == TEXT).then(|| self.text_key(row)));
        let first = self.slots[at].row;
        if first != NONE {
            self.duplicates += 1;
            self.duplicated += u64::from(self.rows[first as usize].next == NONE);
            self.rows[row].next = first;
        }
        // There are fewer rows than that: adding counts them.
        self.slots[at] = Slot { key, row: row as u32, kind };
    }

    /// The first row of each of these whole numbers, in order, as [`Index::first`] finds them one by one, or [`NONE`]. What
    /// the search looks at is fetched for all of them together.
    pub(super) fn firsts(&self, keys: &[i64], found: &mut Vec<u32>) {
        found.clear();
        for keys in keys.chunks(TOGETHER) {
            let mut slots = [Slot::FREE; TOGETHER];
            for (slot, key) in slots.iter_mut().zip(keys) {
                *slot = self.slots[self.place(self.spread.of(Key::of_signed(*key)))];
            }
            found.extend(keys.iter().zip(slots).map(|(key, slot)| {
                let key = self.spread.bits(Key::of_signed(*key));
                if slot.row == NONE || slot.holds(key) { slot.row } else { self.slots[self.find(key, None)].row }
            }));
        }
    }

    /// The first row of a key.
    pub(super) fn first(&self, key: Key<'_>) -> Option<u32> {
        let text = match key {
            Key::Text(text) => Some(text),
            _ => None,
        };
        Some(self.slots[self.find(self.spread.bits(key), text)].row).filter(|row| *row != NONE)
    }

    /// The row of the same key that comes after this one.
    pub(super) fn next(&self, row: u32) -> Option<u32> {
        Some(self.rows[row as usize].next).filter(|next| *next != NONE)
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Rows beyond the first of their key, and keys that have such rows.
    pub(super) fn duplicates(&self) -> (u64, u64) {
        (self.duplicates, self.duplicated)
    }

    /// How many keys there are, blank ones aside if they match nothing.
    pub(super) fn keys(&self) -> u64 {
        self.slots.iter().filter(|slot| slot.row != NONE).count() as u64
    }
}

/// The key of a block that has one, and what the row carries.
fn text_block(block: &[u8]) -> (&[u8], &[u8]) {
    let (length, rest) = block.split_at(LENGTH);
    rest.split_at(length.try_into().map_or(0, u32::from_le_bytes) as usize)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn rows_are_found_in_their_order(keys in prop::collection::vec("[0-3a ]{0,2}|-1|18446744073709551615", 0..80)) {
            for blanks_match in [false, true] {
                let mut gathered = Gathered::new(Spread::new(), blanks_match);
                let mut expected: HashMap<String, Vec<String>> = HashMap::new();
                let name = |key: &str| format!("{:?}", Key::of_text(key.as_bytes()));
                for (at, key) in keys.iter().enumerate() {
                    let carried = format!("{at}{key}");
                    gathered.push(Key::of_text(key.as_bytes()), |text| text.extend_from_slice(carried.as_bytes())).unwrap();
                    if blanks_match || !key.trim_matches(' ').is_empty() {
                        expected.entry(name(key)).or_default().push(carried);
                    }
                }
                let index = gathered.build();
                prop_assert_eq!(index.keys(), expected.len() as u64);
                let extra: usize = expected.values().map(|rows| rows.len() - 1).sum();
                let several = expected.values().filter(|rows| rows.len() > 1).count();
                prop_assert_eq!(index.duplicates(), (extra as u64, several as u64));
                let whole: Vec<i64> = (-3..200).chain([i64::MIN, i64::MAX]).collect();
                let mut found = Vec::new();
                index.firsts(&whole, &mut found);
                let one_by_one = whole.iter().map(|key| index.first(Key::of_signed(*key)).unwrap_or(NONE));
                let one_by_one: Vec<_> = one_by_one.collect();
                prop_assert_eq!(found, one_by_one);
                for key in keys.iter().map(String::as_str).chain(["7", "x", "", "-2"]) {
                    let mut found = Vec::new();
                    let mut row = index.first(Key::of_text(key.as_bytes()));
                    while let Some(at) = row {
                        found.push(String::from_utf8(index.carried(at).to_vec()).unwrap());
                        row = index.next(at);
                    }
                    prop_assert_eq!(found, expected.get(&name(key)).cloned().unwrap_or_default());
                }
            }
        }
    }
}
