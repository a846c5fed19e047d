//! What numbers of columns stand for: lists of numbers and texts, each with a name.
//! They are the last part of a file.

use std::collections::HashMap;
use std::io::SeekFrom;
use std::sync::Arc;

use super::bytes::{expect, take, text};
use super::head::{Behind, Head};
use super::{malformed, tagged};
use crate::read::{Input, Labels, Limits, Place, ReadError};

const PLACE: Place = Place::Section("its labels");
/// Entries take several times their bytes in memory.
const MOST: u64 = 64 << 20;

pub(super) fn read(
    input: &mut dyn Input,
    head: &Head,
    width: u64,
    limits: Limits,
) -> Result<HashMap<String, Arc<Labels>>, ReadError> {
    let mut lists = HashMap::new();
    let tagged = match head.behind {
        Behind::Tagged { labels, .. } => {
            input.seek(SeekFrom::Start(labels)).map_err(|error| ReadError::at(error, PLACE))?;
            expect(input, "<value_labels>", PLACE)?;
            true
        }
        Behind::Labels => {
            let at = head.rows.checked_mul(width).and_then(|size| size.checked_add(head.rows_at));
            let at = at.ok_or_else(|| malformed(PLACE, "its number of rows cannot be right"))?;
            input.seek(SeekFrom::Start(at)).map_err(|error| ReadError::at(error, PLACE))?;
            false
        }
    };
    let name_width = tagged::name_width(head.release);
    let most = limits.texts.min(MOST);
    let mut left = most;
    loop {
        if tagged {
            let tag = take(input, 5, PLACE)?;
            if tag != b"<lbl>" {
                return if tag == b"</val" { Ok(lists) } else { Err(malformed(PLACE, "<lbl> should stand here")) };
            }
        }
        let Some(length) = length(input, head, tagged)? else { return Ok(lists) };
        left = left.checked_sub(length).ok_or(ReadError::TooLarge { what: "all labels", most, place: PLACE })?;
        let name = text(&take(input, name_width, PLACE)?, head.utf8());
        take(input, 3, PLACE)?;
        let list = list(&take(input, length, PLACE)?, head)?;
        lists.insert(name, Arc::new(list));
        if tagged {
            expect(input, "</lbl>", PLACE)?;
        }
    }
}

/// The length of the next list; without tags the end of the file ends them.
fn length(input: &mut dyn Input, head: &Head, tagged: bool) -> Result<Option<u64>, ReadError> {
    let mut bytes = [0; 4];
    let mut found = 0;
    while found < 4 {
        let rest = bytes.get_mut(found..).unwrap_or_default();
        match input.read(rest).map_err(|error| ReadError::at(error, PLACE))? {
            0 if found == 0 && !tagged => return Ok(None),
            0 => return Err(ReadError::Truncated { place: PLACE }),
            read => found += read,
        }
    }
    let length = head.order.i32(&bytes).unwrap_or(-1);
    u64::try_from(length).map(Some).map_err(|_| malformed(PLACE, "a list of negative length"))
}

/// Numbers of entries and bytes, places of texts, numbers, texts.
fn list(bytes: &[u8], head: &Head) -> Result<Labels, ReadError> {
    let number = |at: usize| bytes.get(at..).and_then(|rest| head.order.i32(rest));
    let fault = || malformed(PLACE, "a list is shorter than it says");
    let count = number(0).and_then(|count| usize::try_from(count).ok()).ok_or_else(fault)?;
    let places = count.checked_mul(4).filter(|size| size.saturating_mul(2) <= bytes.len()).ok_or_else(fault)?;
    let texts = bytes.get(8 + 2 * places..).ok_or_else(fault)?;
    let mut labels = Labels::new();
    let mut size = 0;
    for entry in 0..count {
        let place = number(8 + 4 * entry).and_then(|at| usize::try_from(at).ok()).ok_or_else(fault)?;
        let value = number(8 + places + 4 * entry).ok_or_else(fault)?;
        let label = text(texts.get(place..).ok_or_else(fault)?, head.utf8());
        // Entries that share one long text would fill the memory.
        size += label.len();
        if size > bytes.len().saturating_mul(2) {
            return Err(malformed(PLACE, "entries of a list overlap"));
        }
        labels.insert(value, label);
    }
    Ok(labels)
}
