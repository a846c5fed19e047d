//! Releases 113 to 115: sections without tags, one after another.
//! Stata 8 to 12 wrote them, and pandas writes 114 unless it is told otherwise.

use std::io::SeekFrom;

use super::bytes::{Order, take, text};
use super::head::{Behind, Column, Head, Stored};
use super::malformed;
use crate::read::{Input, Limits, Place, ReadError};

const NAME: usize = 33;
const LABEL: u64 = 81;
/// Release, byte order, two bytes that say nothing, columns, rows, a label and a time.
const HEADER: u64 = 4 + 2 + 4 + LABEL + 18;

pub(super) fn read(input: &mut dyn Input, limits: Limits) -> Result<Head, ReadError> {
    const PLACE: Place = Place::Header;
    let header = take(input, HEADER, PLACE)?;
    let [release, order, _, _, counts @ ..] = &header[..] else { return Err(malformed(PLACE, "it is too short")) };
    let release = *release;
    let order = match order {
        1 => Order::Big,
        2 => Order::Little,
        _ => return Err(malformed(PLACE, "its byte order is unknown")),
    };
    let count = usize::from(order.u16(counts).unwrap_or(0));
    let rows = order.i32(counts.get(2..).unwrap_or_default()).unwrap_or(-1);
    let rows = u64::try_from(rows).map_err(|_| malformed(PLACE, "its number of rows is negative"))?;
    if count > limits.columns {
        let most = limits.columns as u64;
        return Err(ReadError::TooLarge { what: "the number of columns", most, place: PLACE });
    }
    let format_width = if release == 113 { 12 } else { 49 };
    let types = take(input, count as u64, PLACE)?;
    let names = take(input, (count * NAME) as u64, PLACE)?;
    take(input, 2 * (count as u64 + 1), PLACE)?;
    let formats = take(input, (count * format_width) as u64, PLACE)?;
    let labels = take(input, (count * NAME) as u64, PLACE)?;
    take(input, count as u64 * LABEL, PLACE)?;
    let mut columns = Vec::with_capacity(count);
    for (at, code) in types.iter().enumerate() {
        let cut = |bytes: &[u8], width: usize| text(bytes.get(at * width..(at + 1) * width).unwrap_or_default(), false);
        let stored = match code {
            251 => Stored::Byte,
            252 => Stored::Int,
            253 => Stored::Long,
            254 => Stored::Float,
            255 => Stored::Double,
            1..=244 => Stored::Text(u16::from(*code)),
            _ => return Err(malformed(PLACE, format!("column {} has an unknown type", at + 1))),
        };
        let (name, format, labels) = (cut(&names, NAME), cut(&formats, format_width), cut(&labels, NAME));
        columns.push(Column { name, stored, format, labels });
    }
    skip_notes(input, order)?;
    let rows_at = input.stream_position().map_err(|error| ReadError::at(error, PLACE))?;
    Ok(Head { release, order, columns, rows, rows_at, behind: Behind::Labels })
}

/// Notes of the file, each with a kind and a length; one of kind 0 and length 0 ends them.
fn skip_notes(input: &mut dyn Input, order: Order) -> Result<(), ReadError> {
    const PLACE: Place = Place::Section("its notes");
    loop {
        let head = take(input, 5, PLACE)?;
        let length = order.i32(head.get(1..).unwrap_or_default()).unwrap_or(-1);
        let length = u32::try_from(length).map_err(|_| malformed(PLACE, "a negative length"))?;
        if head.first() == Some(&0) && length == 0 {
            return Ok(());
        }
        // Past the end of the file the next note will be missing.
        input.seek(SeekFrom::Current(i64::from(length))).map_err(|error| ReadError::at(error, PLACE))?;
    }
}
