//! A first look at the bytes, without recursion: how deep they are nested, and whether whole numbers fit.
//! What is no JSON at all passes here and fails in the reader.

use super::{DEEPEST, RecordingError};

pub(super) fn depth_and_numbers(bytes: &[u8]) -> Result<(), RecordingError> {
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' => {
                at = end_of_string(bytes, at + 1);
                continue;
            }
            b'[' | b'{' => {
                depth += 1;
                if depth > DEEPEST {
                    return Err(RecordingError::TooDeep { at });
                }
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            b'-' | b'0'..=b'9' => {
                let end = end_of_number(bytes, at);
                whole_number_fits(&bytes[at..end], at)?;
                at = end;
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    Ok(())
}

/// After the closing quote, or the end of all.
fn end_of_string(bytes: &[u8], mut at: usize) -> usize {
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    bytes.len()
}

fn end_of_number(bytes: &[u8], from: usize) -> usize {
    let rest = &bytes[from..];
    let length = rest.iter().position(|b| !matches!(b, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E'));
    from + length.unwrap_or(rest.len())
}

/// A whole number too large for 64 bits would be taken for a number with a point.
fn whole_number_fits(token: &[u8], at: usize) -> Result<(), RecordingError> {
    let whole = token.iter().all(|b| b.is_ascii_digit() || *b == b'-');
    let fits = std::str::from_utf8(token).is_ok_and(|text| text != "-0" && text.parse::<i64>().is_ok());
    if whole && !fits { Err(RecordingError::Number { at }) } else { Ok(()) }
}
