//! One output pattern, taken apart once and matched on bytes.
//! Spec jobs.md 11: `*` is any run of characters except `/`, also none, also a leading dot; all else is literal.

use pipeline::{Pattern, PrivacyLevel};

use crate::refusal::{Unsafe, Why};

/// A pattern by segments.
#[derive(Debug, Clone)]
pub(super) struct Glob<'p> {
    pub(super) text: &'p str,
    pub(super) level: PrivacyLevel,
    pub(super) segments: Vec<&'p str>,
    pub(super) literal: bool,
}

impl<'p> Glob<'p> {
    /// # Errors
    /// What can name something outside the workspace is refused again, whatever validation said.
    pub(super) fn new(pattern: &'p Pattern, level: PrivacyLevel) -> Result<Self, Unsafe> {
        let text = pattern.as_str();
        let bad = |rule| Err(Unsafe::new(text, Why::Name(rule)));
        if text.starts_with('/') {
            return bad("its pattern is absolute");
        }
        if text.contains('\0') {
            return bad("its pattern contains a NUL");
        }
        let segments: Vec<&str> = text.split('/').collect();
        for segment in &segments {
            match *segment {
                "" => return bad("its pattern has an empty segment"),
                "." => return bad("its pattern has a `.` segment"),
                ".." => return bad("its pattern has a `..` segment"),
                _ => {}
            }
        }
        Ok(Self { text, level, segments, literal: !text.contains('*') })
    }
}

/// Whether one segment of a pattern matches one name. Linear for one `*`, never worse than the product of the lengths.
pub(super) fn segment_matches(pattern: &[u8], name: &[u8]) -> bool {
    let (mut p, mut n) = (0, 0);
    // Where the last `*` is, and the first byte of the name that it does not cover.
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        if pattern.get(p) == Some(&b'*') {
            star = Some((p, n));
            p += 1;
        } else if pattern.get(p) == Some(&name[n]) {
            p += 1;
            n += 1;
        } else if let Some((at, covered)) = star {
            star = Some((at, covered + 1));
            p = at + 1;
            n = covered + 1;
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|b| *b == b'*')
}

/// Whether a collected file may have this path.
///
/// # Errors
/// The rule of spec jobs.md 11 that it breaks.
pub(super) fn check_name(path: &str) -> Result<(), Unsafe> {
    let bad = |rule| Err(Unsafe::new(path, Why::Name(rule)));
    if path.len() > 1_024 {
        return bad("its path is longer than 1,024 bytes");
    }
    if path.split('/').any(|s| s.len() > 255) {
        return bad("a part of its path is longer than 255 bytes");
    }
    if path.chars().any(char::is_control) {
        return bad("its name has a control character");
    }
    if path == "metadata" || path.starts_with("metadata/") {
        return bad("`metadata/` is Cloister's own");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn naive(pattern: &[u8], name: &[u8]) -> bool {
        match pattern.split_first() {
            None => name.is_empty(),
            Some((b'*', rest)) => (0..=name.len()).any(|n| naive(rest, &name[n..])),
            Some((byte, rest)) => name.first() == Some(byte) && naive(rest, &name[1..]),
        }
    }

    proptest! {
        #[test]
        fn agrees_with_the_naive_matcher(pattern in "[ab*.]{0,8}", name in "[ab.]{0,8}") {
            prop_assert_eq!(segment_matches(pattern.as_bytes(), name.as_bytes()), naive(pattern.as_bytes(), name.as_bytes()));
        }
    }

    #[test]
    fn a_hostile_pattern_ends_soon() {
        let pattern = "*a".repeat(120);
        assert!(!segment_matches(pattern.as_bytes(), "a".repeat(119).as_bytes()));
        assert!(!segment_matches(pattern.as_bytes(), ("a".repeat(254) + "b").as_bytes()));
    }
}
