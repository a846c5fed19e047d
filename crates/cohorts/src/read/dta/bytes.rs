//! Numbers and texts in the byte order and the alphabet of a file.
//! A length that a file states is never trusted with memory: bytes are read in pieces.

use super::malformed;
use crate::read::{Input, Place, ReadError};

/// Bytes that are asked for at once.
const PIECE: usize = 1 << 20;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Big,
    Little,
}

macro_rules! number {
    ($name:ident, $of:ty) => {
        /// Nothing when there are too few bytes.
        pub(super) fn $name(self, bytes: &[u8]) -> Option<$of> {
            let bytes = *bytes.first_chunk()?;
            Some(match self {
                Self::Big => <$of>::from_be_bytes(bytes),
                Self::Little => <$of>::from_le_bytes(bytes),
            })
        }
    };
}

impl Order {
    number!(u16, u16);
    number!(i16, i16);
    number!(i32, i32);
    number!(f32, f32);
    number!(f64, f64);

    /// A number of some bytes.
    pub(super) fn long(self, bytes: &[u8]) -> u64 {
        let add = |sum: u64, byte: &u8| sum << 8 | u64::from(*byte);
        match self {
            Self::Big => bytes.iter().fold(0, add),
            Self::Little => bytes.iter().rev().fold(0, add),
        }
    }
}

/// So many bytes, however many the file says.
pub(super) fn take(input: &mut dyn Input, length: u64, place: Place) -> Result<Vec<u8>, ReadError> {
    let mut bytes = Vec::new();
    let mut left = length;
    while left > 0 {
        let piece = left.min(PIECE as u64) as usize;
        let from = bytes.len();
        bytes.resize(from + piece, 0);
        let to = bytes.get_mut(from..).unwrap_or_default();
        input.read_exact(to).map_err(|error| ReadError::at(error, place))?;
        left -= piece as u64;
    }
    Ok(bytes)
}

/// The bytes of a tag, or a fault.
pub(super) fn expect(input: &mut dyn Input, tag: &str, place: Place) -> Result<(), ReadError> {
    let found = take(input, tag.len() as u64, place)?;
    if found == tag.as_bytes() { Ok(()) } else { Err(malformed(place, format!("{tag} should stand here"))) }
}

/// Text up to the first zero. Releases before 118 have the Windows alphabet of western Europe, which others read as Latin-1;
/// text of later ones that is not UTF-8 is read in the same way.
pub(super) fn text(bytes: &[u8], utf8: bool) -> String {
    let end = memchr::memchr(0, bytes).unwrap_or(bytes.len());
    let bytes = bytes.get(..end).unwrap_or_default();
    match std::str::from_utf8(bytes) {
        Ok(text) if utf8 || bytes.is_ascii() => text.to_owned(),
        _ => bytes.iter().map(|byte| char::from(*byte)).collect(),
    }
}

/// As [`text`], added to what is there already.
pub(super) fn push_text(out: &mut String, bytes: &[u8], utf8: bool) {
    let end = memchr::memchr(0, bytes).unwrap_or(bytes.len());
    let bytes = bytes.get(..end).unwrap_or_default();
    match std::str::from_utf8(bytes) {
        Ok(text) if utf8 || bytes.is_ascii() => out.push_str(text),
        _ => out.extend(bytes.iter().map(|byte| char::from(*byte))),
    }
}
