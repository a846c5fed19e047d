//! Long texts, which stand behind the rows and are named by the column and row that first use them.
//! A row may name a text of another row, so all are held, up to a limit.

use std::collections::HashMap;
use std::io::SeekFrom;

use foldhash::fast::RandomState;

use super::bytes::{Order, expect, take};
use super::head::{Behind, Head};
use super::malformed;
use crate::read::{Input, Limits, Place, ReadError};

const PLACE: Place = Place::Section("its long texts");
/// What an entry costs beside its bytes.
const ENTRY: u64 = 64;

/// Bytes of every text by column and row.
#[derive(Default)]
pub(super) struct Texts(HashMap<(u64, u64), Box<[u8]>, RandomState>);

impl Texts {
    /// The text that a cell of eight bytes names; column and row 0 name none.
    pub(super) fn of(&self, cell: &[u8], head: &Head, place: Place) -> Result<&[u8], ReadError> {
        let key = key(cell, head);
        if key == (0, 0) {
            return Ok(&[]);
        }
        self.0.get(&key).map(|text| &text[..]).ok_or_else(|| malformed(place, "it names a long text that is not there"))
    }
}

/// The bytes of column and row in a cell differ between releases.
fn key(cell: &[u8], head: &Head) -> (u64, u64) {
    let columns = match head.release {
        117 => 4,
        118 => 2,
        _ => 3,
    };
    let (column, row) = cell.split_at_checked(columns).unwrap_or_default();
    (head.order.long(column), head.order.long(row))
}

pub(super) fn read(input: &mut dyn Input, head: &Head, limits: Limits) -> Result<Texts, ReadError> {
    let Behind::Tagged { texts: at, .. } = head.behind else { return Ok(Texts::default()) };
    input.seek(SeekFrom::Start(at)).map_err(|error| ReadError::at(error, PLACE))?;
    expect(input, "<strls>", PLACE)?;
    let mut texts = Texts::default();
    let mut left = limits.texts;
    loop {
        let tag = take(input, 3, PLACE)?;
        if tag != b"GSO" {
            return if tag == b"</s" { Ok(texts) } else { Err(malformed(PLACE, "GSO should stand here")) };
        }
        let row_width = if head.release == 117 { 4 } else { 8 };
        let column = number(input, head.order, 4)?;
        let row = number(input, head.order, row_width)?;
        let kind = number(input, head.order, 1)?;
        let length = number(input, head.order, 4)?;
        left = left.checked_sub(length + ENTRY).ok_or(ReadError::TooLarge {
            what: "all long texts",
            most: limits.texts,
            place: PLACE,
        })?;
        let mut text = take(input, length, PLACE)?;
        match kind {
            // Ended by a zero.
            130 => {
                text.pop();
            }
            129 => {}
            _ => return Err(malformed(PLACE, "a text of an unknown kind")),
        }
        texts.0.insert((column, row), text.into_boxed_slice());
    }
}

fn number(input: &mut dyn Input, order: Order, width: u64) -> Result<u64, ReadError> {
    Ok(order.long(&take(input, width, PLACE)?))
}
