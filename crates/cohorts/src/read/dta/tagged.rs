//! Releases 117 to 119: sections between tags, and a map of where they stand.
//! Stata 13 and later write them.

use std::io::SeekFrom;

use super::bytes::{Order, expect, take, text};
use super::head::{Behind, Column, Head, Stored};
use super::malformed;
use crate::read::{Input, Limits, Place, ReadError};

/// Widths that differ between releases.
struct Widths {
    /// Of the number of columns, and of a column's number.
    count: u64,
    rows: u64,
    label_length: u64,
    name: usize,
    format: usize,
    label: u64,
}

const WIDTHS_117: Widths = Widths { count: 2, rows: 4, label_length: 1, name: 33, format: 49, label: 81 };
const WIDTHS_118: Widths = Widths { count: 2, rows: 8, label_length: 2, name: 129, format: 57, label: 321 };
const WIDTHS_119: Widths = Widths { count: 4, rows: 8, label_length: 2, name: 129, format: 57, label: 321 };

const PLACE: Place = Place::Header;

/// How wide names are in the labels of a release.
pub(super) const fn name_width(release: u8) -> u64 {
    match release {
        118.. => 129,
        _ => 33,
    }
}

fn number(input: &mut dyn Input, order: Order, width: u64) -> Result<u64, ReadError> {
    Ok(order.long(&take(input, width, PLACE)?))
}

pub(super) fn read(input: &mut dyn Input, limits: Limits) -> Result<Head, ReadError> {
    expect(input, "<stata_dta><header><release>", PLACE)?;
    let release = take(input, 3, PLACE)?;
    let (release, widths) = match &release[..] {
        b"117" => (117, WIDTHS_117),
        b"118" => (118, WIDTHS_118),
        b"119" => (119, WIDTHS_119),
        _ => {
            return Err(ReadError::Unsupported {
                what: "a Stata file of a release that is not known here".to_owned(),
                instead: "save it as one of Stata 14",
            });
        }
    };
    expect(input, "</release><byteorder>", PLACE)?;
    let order = match &take(input, 3, PLACE)?[..] {
        b"MSF" => Order::Big,
        b"LSF" => Order::Little,
        _ => return Err(malformed(PLACE, "its byte order is unknown")),
    };
    expect(input, "</byteorder><K>", PLACE)?;
    let count = number(input, order, widths.count)?;
    if count > limits.columns as u64 {
        let most = limits.columns as u64;
        return Err(ReadError::TooLarge { what: "the number of columns", most, place: PLACE });
    }
    expect(input, "</K><N>", PLACE)?;
    let rows = number(input, order, widths.rows)?;
    expect(input, "</N><label>", PLACE)?;
    let length = number(input, order, widths.label_length)?;
    take(input, length, PLACE)?;
    expect(input, "</label><timestamp>", PLACE)?;
    let length = number(input, order, 1)?;
    take(input, length, PLACE)?;
    expect(input, "</timestamp></header><map>", PLACE)?;
    let map: Vec<u64> = take(input, 14 * 8, PLACE)?.chunks(8).map(|eight| order.long(eight)).collect();
    expect(input, "</map>", PLACE)?;
    let columns = columns(input, order, count as usize, &widths)?;
    // The notes in between are of no use here.
    let [.., rows_at, texts, labels, _, _] = &map[..] else { return Err(malformed(PLACE, "it has no map")) };
    input.seek(SeekFrom::Start(*rows_at)).map_err(|error| ReadError::at(error, Place::Section("its map")))?;
    expect(input, "<data>", Place::Section("its rows"))?;
    let rows_at = rows_at + "<data>".len() as u64;
    let behind = Behind::Tagged { texts: *texts, labels: *labels };
    Ok(Head { release, order, columns, rows, rows_at, behind })
}

fn section(input: &mut dyn Input, tag: &str, length: u64) -> Result<Vec<u8>, ReadError> {
    expect(input, &format!("<{tag}>"), PLACE)?;
    let bytes = take(input, length, PLACE)?;
    expect(input, &format!("</{tag}>"), PLACE)?;
    Ok(bytes)
}

fn columns(input: &mut dyn Input, order: Order, count: usize, widths: &Widths) -> Result<Vec<Column>, ReadError> {
    let many = count as u64;
    let types = section(input, "variable_types", many * 2)?;
    let names = section(input, "varnames", many * widths.name as u64)?;
    section(input, "sortlist", (many + 1) * widths.count)?;
    let formats = section(input, "formats", many * widths.format as u64)?;
    let labels = section(input, "value_label_names", many * widths.name as u64)?;
    section(input, "variable_labels", many * widths.label)?;
    let utf8 = widths.name > 33;
    let mut columns = Vec::with_capacity(count);
    for (at, code) in types.chunks(2).enumerate() {
        let cut = |bytes: &[u8], width: usize| text(bytes.get(at * width..(at + 1) * width).unwrap_or_default(), utf8);
        let stored = match order.u16(code) {
            Some(65_530) => Stored::Byte,
            Some(65_529) => Stored::Int,
            Some(65_528) => Stored::Long,
            Some(65_527) => Stored::Float,
            Some(65_526) => Stored::Double,
            Some(32_768) => Stored::LongText,
            Some(width @ 1..=2_045) => Stored::Text(width),
            _ => return Err(malformed(PLACE, format!("column {} has an unknown type", at + 1))),
        };
        let (name, format, labels) =
            (cut(&names, widths.name), cut(&formats, widths.format), cut(&labels, widths.name));
        columns.push(Column { name, stored, format, labels });
    }
    Ok(columns)
}
