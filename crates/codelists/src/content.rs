//! The content of a codelist file: its hash, whatever its line ends, and whether it is a table at all.
//! Spec cli.md 7.1, 7.2.

use sha1::Digest;

/// SHA-1 of a content split at LF, CR or CRLF and joined with LF: a final line end does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Sha([u8; 20]);

impl Sha {
    /// The hash of these bytes.
    pub fn of(content: &[u8]) -> Self {
        let mut hash = sha1::Sha1::new();
        if !content.contains(&b'\r') {
            hash.update(content.strip_suffix(b"\n").unwrap_or(content));
            return Self(hash.finalize().into());
        }
        let mut held = false;
        let mut rest = content;
        while !rest.is_empty() {
            let end = rest.iter().position(|b| matches!(b, b'\n' | b'\r'));
            let line = &rest[..end.unwrap_or(rest.len())];
            if held {
                hash.update(b"\n");
            }
            hash.update(line);
            let Some(end) = end else { break };
            let ends = if rest[end..].starts_with(b"\r\n") { 2 } else { 1 };
            rest = &rest[end + ends..];
            held = true;
        }
        Self(hash.finalize().into())
    }

    /// Reads 40 hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = data_encoding::HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok()?;
        bytes.try_into().ok().map(Self)
    }
}

impl std::fmt::Display for Sha {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&data_encoding::HEXLOWER.encode(&self.0))
    }
}

/// Why a download is no codelist: not UTF-8, no header, no row.
///
/// # Errors
/// The reason, in words that follow "it".
pub(crate) fn table(content: &[u8]) -> Result<(), &'static str> {
    let text = std::str::from_utf8(content).map_err(|_| "is not UTF-8 text")?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut rows = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
    let mut record = csv::StringRecord::new();
    let mut next = || loop {
        match rows.read_record(&mut record) {
            Ok(true) if record.iter().all(|field| field.trim().is_empty()) => {}
            Ok(found) => return found,
            Err(_) => return false,
        }
    };
    if !next() {
        return Err("has no header");
    }
    if !next() {
        return Err("has no row below its header");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_vector_of_the_spec_with_either_line_end() {
        for content in ["code,term\n195967001,Asthma\n", "code,term\r\n195967001,Asthma\r\n"] {
            assert_eq!(Sha::of(content.as_bytes()).to_string(), "6ea683c59c7410a86e2e3f5e1124f53f576c68a2");
        }
        assert_eq!(Sha::of(b"").to_string(), "da39a3ee5e6b4b0d3255bfef95601890afd80709");
        assert_eq!(Sha::of(b"a\n\n"), Sha::of(b"a\r\n\r"));
        assert_ne!(Sha::of(b"a\n\n"), Sha::of(b"a\n"));
        assert_ne!(Sha::of(b"\na"), Sha::of(b"a"));
    }

    #[test]
    fn a_table_has_a_header_and_a_row() {
        assert_eq!(table(b"code\n1\n"), Ok(()));
        assert_eq!(table("\u{feff}code,term\r\n1,\"a\nb\"".as_bytes()), Ok(()));
        assert_eq!(table(b"code,term\n\n , \n"), Err("has no row below its header"));
        assert_eq!(table(b"\n\n"), Err("has no header"));
        assert_eq!(table(b"code\n\xff\n"), Err("is not UTF-8 text"));
    }

    proptest! {
        /// Against the rule said in another way: all line ends made LF, one of them at the end taken away.
        #[test]
        fn line_ends_do_not_matter(parts in proptest::collection::vec("[ab]{0,2}|\n|\r|\r\n", 0..12)) {
            let text = parts.concat();
            let plain = text.replace("\r\n", "\n").replace('\r', "\n");
            let plain = plain.strip_suffix('\n').unwrap_or(&plain);
            prop_assert_eq!(Sha::of(text.as_bytes()).0.to_vec(), sha1::Sha1::digest(plain.as_bytes()).to_vec());
        }
    }
}
