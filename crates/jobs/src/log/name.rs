//! The file name of an action's log: readable, and never a path.
//! Spec jobs.md 13.

use std::fmt::Write;

use pipeline::ActionName;
use sha2::{Digest, Sha256};

/// Longest name before `.log` is added.
const LONGEST: usize = 200;

/// `{action}.log`, where any byte of the name outside `[A-Za-z0-9._-]` and a leading dot is `%XX`, and a name that is then
/// over 200 bytes is cut to 200 and gets `-` and 8 hex digits of the SHA-256 of the whole name as written.
pub fn log_name(action: &ActionName) -> String {
    let name = action.as_str();
    let mut out = String::with_capacity(name.len() + 4);
    for (n, byte) in name.bytes().enumerate() {
        match byte {
            b'.' if n == 0 => out.push_str("%2E"),
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-' => out.push(char::from(byte)),
            // Writing to a string does not fail.
            other => drop(write!(out, "%{other:02X}")),
        }
    }
    if out.len() > LONGEST {
        let hash = Sha256::digest(name.as_bytes());
        out.truncate(LONGEST);
        out.push('-');
        out.push_str(&data_encoding::HEXLOWER.encode(&hash[..4]));
    }
    out.push_str(".log");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_names_are_unchanged_and_no_name_is_a_path() {
        for (name, file) in [
            ("make_table", "make_table.log"),
            ("a.b-c_1", "a.b-c_1.log"),
            ("../x", "%2E.%2Fx.log"),
            ("a/b", "a%2Fb.log"),
            ("a\nb", "a%0Ab.log"),
            (".hidden", "%2Ehidden.log"),
            ("é", "%C3%A9.log"),
            ("", ".log"),
        ] {
            assert_eq!(log_name(&ActionName::new(name)), file);
        }
        let long = log_name(&ActionName::new("a".repeat(300)));
        // `printf 'a%.0s' $(seq 300) | sha256sum` begins 9835fa6b.
        assert_eq!(long, format!("{}-9835fa6b.log", "a".repeat(200)));
        assert_eq!(log_name(&ActionName::new("b".repeat(200))), format!("{}.log", "b".repeat(200)));
        assert_ne!(log_name(&ActionName::new("a".repeat(301))), long);
    }
}
