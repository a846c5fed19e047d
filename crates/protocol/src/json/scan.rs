//! A look at the bytes before they are parsed: size, depth and number of values, in one pass and no memory.
//! Spec protocol.md 11.

use super::BadJson;

/// How large a message may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes.
    pub bytes: usize,
    /// Levels of lists and objects.
    pub depth: usize,
    /// Values, counted by what separates them.
    pub values: usize,
}

/// Whether the text keeps the limits; says nothing about whether it is JSON.
pub(super) fn within(bytes: &[u8], limits: &Limits) -> Result<(), BadJson> {
    if bytes.len() > limits.bytes {
        return Err(BadJson::TooLarge { bytes: bytes.len(), limit: limits.bytes });
    }
    let (mut depth, mut values) = (0usize, 1usize);
    let (mut in_text, mut escaped) = (false, false);
    for &byte in bytes {
        if in_text {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_text = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => in_text = true,
            b'[' | b'{' => {
                depth += 1;
                values += 1;
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            b',' => values += 1,
            _ => {}
        }
        if depth > limits.depth {
            return Err(BadJson::TooDeep { limit: limits.depth });
        }
        if values > limits.values {
            return Err(BadJson::TooMany { limit: limits.values });
        }
    }
    Ok(())
}
