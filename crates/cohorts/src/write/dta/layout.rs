//! Everything before the rows: header, map of the file, and what each column is called and how it is stored.
//! Positions of all sections are known beforehand, so the file is written in one go.

use std::io::Write;

use super::plan::{Plan, Stored};
use crate::write::WriteError;

/// The format's limit.
pub(super) const MOST_COLUMNS: usize = 32_767;

const OPEN: &[u8] = b"<stata_dta><header><release>118</release><byteorder>LSF</byteorder><K>";
const MAP: &[u8] = b"<map>";
const END_OF_DATA: u64 = b"</data>".len() as u64;

/// Bytes of a name, of a format, and of a label, each with a zero at the end.
pub(super) const NAME: usize = 129;
const FORMAT: usize = 57;
const LABEL: usize = 321;

pub(super) fn write_head(out: &mut dyn Write, names: &[String], plan: &Plan, rows: u64) -> Result<(), WriteError> {
    let mut head = Vec::from(OPEN);
    head.extend_from_slice(&(names.len() as u16).to_le_bytes());
    head.extend_from_slice(b"</K><N>");
    head.extend_from_slice(&rows.to_le_bytes());
    // Neither a label nor a time stamp: lengths of two and of one byte.
    head.extend_from_slice(b"</N><label>\0\0</label><timestamp>\0</timestamp></header>");
    let sections = sections(names, plan);
    let map_at = head.len() as u64;
    // The map holds fourteen positions.
    let after_map = map_at + (MAP.len() + 14 * 8 + "</map>".len()) as u64;
    let mut positions = vec![0, map_at];
    let mut at = after_map;
    for section in &sections {
        positions.push(at);
        at += section.len() as u64;
    }
    positions.push(at);
    at += "<data>".len() as u64 + rows.saturating_mul(plan.width()) + END_OF_DATA;
    positions.push(at);
    at += ("<strls>".len() + "</strls>".len()) as u64 + plan.long_bytes;
    positions.push(at);
    at += ("<value_labels>".len() + "</value_labels>".len()) as u64 + plan.label_bytes;
    positions.push(at);
    positions.push(at + "</stata_dta>".len() as u64);
    head.extend_from_slice(MAP);
    for position in positions {
        head.extend_from_slice(&position.to_le_bytes());
    }
    head.extend_from_slice(b"</map>");
    out.write_all(&head)?;
    for section in sections {
        out.write_all(&section)?;
    }
    out.write_all(b"<data>")?;
    Ok(())
}

/// From the types to the characteristics, of which there are none.
fn sections(names: &[String], plan: &Plan) -> [Vec<u8>; 7] {
    let count = names.len();
    let types = plan.columns.iter().flat_map(|column| column.code().to_le_bytes()).collect();
    let spelt = names.iter().flat_map(|name| padded(name, NAME)).collect();
    let shown = |at: usize| plan.shown.get(at).cloned().unwrap_or_default();
    let format = |(at, column): (usize, &Stored)| shown(at).format.unwrap_or_else(|| column.format());
    let formats = plan.columns.iter().enumerate().flat_map(|column| padded(&format(column), FORMAT)).collect();
    let labels = (0..count).flat_map(|at| padded(&shown(at).labels, NAME)).collect();
    [
        section("variable_types", types),
        section("varnames", spelt),
        section("sortlist", vec![0; 2 * (count + 1)]),
        section("formats", formats),
        section("value_label_names", labels),
        section("variable_labels", vec![0; LABEL * count]),
        section("characteristics", Vec::new()),
    ]
}

fn section(tag: &str, content: Vec<u8>) -> Vec<u8> {
    [b"<", tag.as_bytes(), b">", &content, b"</", tag.as_bytes(), b">"].concat()
}

/// Filled up with zeros, one at least. Names have at most 32 characters of at most four bytes, so nothing of them is cut.
pub(super) fn padded(text: &str, to: usize) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    bytes.truncate(to - 1);
    bytes.resize(to, 0);
    bytes
}
